#!/usr/bin/env bash
# Counts the instructions of the whole job and holds them to benches/instructions.budget: `make budget`, in CI too.
#
#   benches/instructions.sh [--record]
#
# callgrind counts the starting, with 10,000 indicators to be loaded, and two runs of which the second is over three times
# the packets: what it has more, divided by the packets it has more, is the cost of a packet. Unlike times, the counts
# hardly waver (keys of hashes are random: medians of three differ by half a per cent). Either more than 5 % above its
# budget fails; how the stages stand to theirs says where to look. --record writes the budget anew.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v valgrind > /dev/null; then
    echo "instructions: skipped, the budget is not held: no valgrind (a package of that name)" >&2
    exit 0
fi
cargo build --quiet --locked --release --bin whoasked >&2
# As the tests have it: the octets are the same in any profile, and it is built already.
cargo build --quiet --locked --example traffic >&2
target=${CARGO_TARGET_DIR:-target}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
python3 -B benches/instructions.py --whoasked "$target/release/whoasked" --traffic "$target/debug/examples/traffic" \
    --work "$work" "$@"
