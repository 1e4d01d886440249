#!/usr/bin/env bash
# A long run of `whoasked live`: does it lose anything, does its memory grow, is every flagged question reported in time?
#
#   benches/soak.sh [--minutes N] [--rate R] [--names N] [--flagged SHARE] [--indicators N]
#
# As root: traffic made up as it goes (so no name, id or time comes again as a repeated capture's would) goes over a pair of
# virtual interfaces for N minutes (30), R packets a second (400000): N new random names a second (10000), and SHARE of
# the questions (0.01) lead to a listed name. Each minute it says the resident memory, what was lost, what was reported.
# In the end it holds: nothing lost; resident memory after five minutes within 5 % and below 512 MB; each flagged
# question that leaves a trace named in an answer (one that gets no answer, before any other said where its name leads,
# leaves none); sighting to report below a second at the 99th percentile. Exit code 1 if one does not hold.
set -euo pipefail
cd "$(dirname "$0")/.."

minutes=30 rate=400000 names=10000 flagged=0.01 indicators=100000
while [ $# -gt 0 ]; do
    case $1 in
        --minutes) minutes=$2; shift 2 ;;
        --rate) rate=$2; shift 2 ;;
        --names) names=$2; shift 2 ;;
        --flagged) flagged=$2; shift 2 ;;
        --indicators) indicators=$2; shift 2 ;;
        *) sed -n '4p' "$0" >&2; exit 2 ;;
    esac
done

cargo build --quiet --release --bin whoasked --example traffic --example send >&2
target=${CARGO_TARGET_DIR:-target}
work=$(mktemp -d)
sender=was$$s receiver=was$$m process='' counter=''
ended() {
    for each in $process $counter; do kill -KILL "$each" 2> /dev/null || true; done
    ip link del "$sender" 2> /dev/null || true
    rm -rf "$work"
}
trap ended EXIT
"$target/release/examples/traffic" --indicators "$indicators" --list "$work/list.txt"
ip link add "$sender" type veth peer name "$receiver"
for name in "$sender" "$receiver"; do
    echo 1 > "/proc/sys/net/ipv6/conf/$name/disable_ipv6"
    ip link set "$name" up
done
# A lookup is about 2.6 packets when seven in ten are served from the cache, and 4 when its name is new.
random=$(awk -v names="$names" -v rate="$rate" 'BEGIN { share = names * 2.6 / rate; print names * (2.6 + 1.4 * share) / rate }')

: > "$work/said"
mkfifo "$work/answers"
# Which questions of clients were named, provisionally and finally: their frames are their numbers. Of the listed names only
# those count that flagged traffic leads to (benches/traffic/mod.rs: 100, evenly in the list): a few others are equal
# by chance to names that are asked for.
python3 - "$work/answers" $((indicators / 100)) > "$work/named" << 'END' &
import re, sys

asked = re.compile(rb'"asked_frame":(\d+)')
listed = re.compile(rb'"indicator":\{[^}]*"line":(\d+)')
every = int(sys.argv[2])
early, late = bytearray(), bytearray()
for line in open(sys.argv[1], "rb"):
    kept = early if b'"state":"provisional"' in line else late if b'"state":"final"' in line else None
    if kept is None or (int(listed.search(line)[1]) - 1) % every:
        continue
    for frame in asked.findall(line):
        place = int(frame)
        if place // 8 >= len(kept):
            kept.extend(bytes(place // 8 + 1 - len(kept) + (1 << 20)))
        kept[place // 8] |= 1 << place % 8
ones = lambda kept: bin(int.from_bytes(kept, "big")).count("1")
print(ones(early), ones(late))
END
counter=$!
"$target/release/whoasked" live -i "$receiver" --indicators "$work/list.txt" -f jsonl -v \
    > "$work/answers" 2> "$work/said" &
process=$!
until grep -q 'listening' "$work/said"; do sleep 0.05; done

memory() { awk '/^VmRSS/ { print int($2 / 1024) }' "/proc/$process/status"; }
coverage() { # What it says of itself now.
    local before
    before=$(wc -l < "$work/said")
    kill -USR1 "$process"
    until tail -n +$((before + 1)) "$work/said" | grep -q 'looked for: '; do sleep 0.05; done
    tail -n +$((before + 1)) "$work/said"
}

echo "$minutes minutes at $rate packets/s, $names new names/s, $flagged flagged, $indicators indicators," \
    "$(date -u +%Y-%m-%d), $(nproc) x $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1)"
echo
echo "| minute | resident, MB | packets | lost | reported | sighting to report | load |"
echo "|---:|---:|---:|---:|---:|---|---:|"
"$target/release/examples/send" --interface "$sender" --seconds $((minutes * 60)) --rate "$rate" \
    --random "$random" --flagged "$flagged" > "$work/sent" &
sending=$!
for minute in $(seq "$minutes"); do
    sleep 60
    now=$(coverage)
    echo "$minute $(memory)" >> "$work/memory"
    awk -v minute="$minute" -v memory="$(memory)" -v load="$(cut -d ' ' -f 1 /proc/loadavg)" '
        / packets, .* lost; / && !said { said = 1; for (i = 2; i <= NF; i++) {
            if ($i == "packets,") packets = $(i - 1)
            if ($i == "lost;") lost = $(i - 1)
            if ($i == "reported,") reported = $(i - 2) } }
        /lookup to its report/ { sub(/.*lookup to its report: /, ""); report = $0 }
        END { printf "| %d | %d | %d | %d | %d | %s | %s |\n", minute, memory, packets, lost, reported, report, load }
    ' <<< "$now"
done
wait "$sending"
sleep 2
report=$(coverage | grep -o 'lookup to its report: .*' || true)
kill -TERM "$process"
wait "$process" || true
process=
wait "$counter"
counter=
sent=$(awk '/^sent/ { print $2 }' "$work/sent") achieved=$(awk '/^rate/ { print $2 }' "$work/sent")
read -r questions traceless < <(awk '/^flagged/ { print $2, $5 }' "$work/sent")
received=$(grep -oE '[0-9]+ packets,' "$work/said" | tail -n 1 | cut -d' ' -f1)
lost=$(grep -oE '[0-9]+ lost;' "$work/said" | tail -n 1 | cut -d' ' -f1)
read -r early late < "$work/named"
echo
echo "sent $sent packets, $achieved a second; received $received, lost $lost"
echo "flagged questions $questions, $traceless of them without a trace; named provisionally $early, finally $late"
echo "$report"
python3 - "$work/memory" << END || exit 1
import re, sys

rows = [tuple(map(int, line.split())) for line in open(sys.argv[1])]
settled = [size for minute, size in rows if minute > 5] or [rows[-1][1]]
grown = (settled[-1] - settled[0]) / settled[0]
p99 = re.search(r"([0-9.]+) ms \(99 in 100\)", "$report")
checks = [
    ("nothing lost", $lost == 0 and $received == $sent),
    (f"resident memory at most 512 MB: {max(size for _, size in rows)}", max(size for _, size in rows) <= 512),
    (f"flat after five minutes: {settled[0]} to {settled[-1]} MB", len(rows) <= 5 or abs(grown) <= 0.05),
    ("each flagged question named that leaves a trace", $questions - $traceless <= $late <= $questions),
    ("sighting to report below a second", p99 is not None and float(p99[1]) < 1000),
]
for words, holds in checks:
    print(("holds: " if holds else "DOES NOT HOLD: ") + words)
sys.exit(not all(holds for _, holds in checks))
END
