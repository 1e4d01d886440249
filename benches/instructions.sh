#!/usr/bin/env bash
# Counts the instructions of the whole job and holds them against benches/instructions.budget.
#
#   benches/instructions.sh [--record]
#
# Unlike times, instruction counts hardly waver (hash keys are random: some 0.1 %), so they can be held in
# CI. callgrind counts two runs, the second over three times the packets: what it has more, divided by the
# packets it has more, is the cost of a packet; what is left is the cost of starting, with 10,000
# indicators to be loaded. More than 5 % above the budget fails. --record writes the budget anew.
set -euo pipefail
cd "$(dirname "$0")/.."
budget=benches/instructions.budget

if ! command -v valgrind > /dev/null; then
    echo "instructions: valgrind is not installed (a package of that name); skipped" >&2
    exit 0
fi
cargo build --quiet --release --bin whoasked --example traffic >&2
target=${CARGO_TARGET_DIR:-target}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
few=25000 many=75000
"$target/release/examples/traffic" --packets $few --out "$work/few.pcap" \
    --indicators 10000 --list "$work/list.txt"
"$target/release/examples/traffic" --packets $many --out "$work/many.pcap"

count() { # CAPTURE
    local code=0
    valgrind --tool=callgrind --callgrind-out-file=/dev/null "$target/release/whoasked" \
        read "$1" -i "$work/list.txt" -f jsonl --workers 1 --no-progress \
        > /dev/null 2> "$work/valgrind" || code=$?
    if [ $code -gt 1 ]; then
        cat "$work/valgrind" >&2
        exit 2
    fi
    sed -n 's/^==[0-9]*== Collected : \([0-9]*\).*/\1/p' "$work/valgrind"
}
count_few=$(count "$work/few.pcap")
count_many=$(count "$work/many.pcap")
packet=$(((count_many - count_few) / (many - few)))
start=$((count_few - packet * few))

if [ "${1:-}" = --record ]; then
    printf '# Instructions, by benches/instructions.sh --record.\npacket %d\nstart %d\n' \
        "$packet" "$start" > $budget
    cat $budget
    exit 0
fi
failed=0
hold() { # WHAT COUNT
    local allowed
    allowed=$(sed -n "s/^$1 //p" $budget)
    local percent=$((100 * $2 / allowed))
    echo "instructions: $1 $2, $percent % of the budget of $allowed"
    [ $((100 * $2)) -le $((105 * allowed)) ] || failed=1
}
hold packet "$packet"
hold start "$start"
if [ $failed = 1 ]; then
    echo "instructions: more than 5 % above the budget; find out why, or record it anew with --record" >&2
fi
exit $failed
