#!/usr/bin/env bash
# What each stage takes, in time and in instructions, as Markdown tables.
#
#   benches/stages.sh [--record]
#
# Times are medians of `cargo bench --bench speed`, each stage alone; instructions are callgrind's in the whole job, as
# benches/instructions.sh counts them. Needs valgrind (a package of that name), and an idle machine for the times to
# mean something. With --record the tables go into docs/performance.md.
set -euo pipefail
cd "$(dirname "$0")/.."

if ! command -v valgrind > /dev/null; then
    echo "stages: no valgrind (a package of that name)" >&2
    exit 2
fi
target=$(realpath -m "${CARGO_TARGET_DIR:-target}")
cargo build --quiet --locked --release --bin whoasked >&2
# As the tests have it: the octets are the same in any profile, and it is built already.
cargo build --quiet --locked --example traffic >&2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
# Its results, and no others, so that what is told is of this run.
CRITERION_HOME=$work/criterion cargo bench --locked --bench speed >&2
python3 -B benches/stages.py --whoasked "$target/release/whoasked" --traffic "$target/debug/examples/traffic" \
    --work "$work" --times "$work/criterion/stages" "$@"
