#!/usr/bin/env bash
# How the cost of `whoasked read` grows with what it is given, as charts and a Markdown table.
#
#   benches/growth.sh [--quick] [--rounds N] [--record]
#
# CPU a packet and peak memory against packets, clients, indicators, sightings, the share of random names, and
# resolvers: one of them at a time, the rest as the generator has it. Exit code 1 if one of them makes the cost grow
# faster than in proportion, or beyond its limit (benches/growth.py has them). Each capture is made, read and deleted,
# so that the largest, of 2.9 GB, is all that has to fit into TMPDIR; a full run takes some six minutes. --quick
# measures small captures, one round, in less than one. Charts and table go to target/growth, with --record into docs.
#
# WHOASKED: another program to be measured, for instance one of an older version.
set -euo pipefail
cd "$(dirname "$0")/.."

target=${CARGO_TARGET_DIR:-target}
if [ -z "${WHOASKED:-}" ]; then
    cargo build --quiet --locked --release --bin whoasked >&2
    WHOASKED=$target/release/whoasked
fi
# As the tests have it: the octets are the same in any profile, and it is built already.
cargo build --quiet --locked --example traffic >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -B benches/growth.py --whoasked "$WHOASKED" --traffic "$target/debug/examples/traffic" \
    --work "$work" --out "$target/growth" "$@"
