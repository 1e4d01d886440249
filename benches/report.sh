#!/usr/bin/env bash
# How big the HTML report of a large capture is, and how long a browser takes to open it.
#
#   benches/report.sh [--packets N] [--names N] [--rounds N]
#
# Makes the capture and a list of names that are asked for in it now and then, so that about a thousand sightings
# come of it, writes the report, and has headless
# Chromium (a Debian package) lay it out, several times.
set -euo pipefail
cd "$(dirname "$0")/.."

packets=1000000 names=350 rounds=5
while [ $# -gt 0 ]; do
    case $1 in
        --packets) packets=$2; shift 2 ;;
        --names) names=$2; shift 2 ;;
        --rounds) rounds=$2; shift 2 ;;
        *) sed -n '4p' "$0" >&2; exit 2 ;;
    esac
done

cargo build --quiet --release --bin whoasked --example traffic >&2
target=${CARGO_TARGET_DIR:-target}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$target/release/examples/traffic" --packets "$packets" --out "$work/traffic.pcap" >&2
"$target/release/whoasked" messages "$work/traffic.pcap" --no-progress | python3 -c '
import collections, json, sys
asked = collections.Counter()
for line in sys.stdin:
    message = json.loads(line)
    if not message["response"]:
        asked[message["qname"].lower()] += 1
rare = sorted(name for name, count in asked.items() if name != "." and 4 <= count <= 8)
print("\n".join(rare[:: max(1, len(rare) // int(sys.argv[1]))][: int(sys.argv[1])]))
' "$names" > "$work/list.txt"
sightings=$({ "$target/release/whoasked" read "$work/traffic.pcap" -i "$work/list.txt" -f jsonl --no-progress \
    --report "$work/report.html" || [ $? -eq 1 ]; } | grep -c '"type":"attribution"')
echo "$packets packets, $sightings sightings: $(stat -c %s "$work/report.html") octets"
browser=$(command -v chromium || command -v google-chrome || true)
if [ -z "$browser" ]; then
    echo "no chromium: the time to open it was not measured" >&2
    exit 0
fi
printf 'opened, seconds of wall with the start of the browser:'
for _ in $(seq "$rounds"); do
    begin=$(date +%s.%N)
    "$browser" --headless --no-sandbox --disable-gpu --user-data-dir="$work/profile" \
        --screenshot="$work/page.png" --window-size=1280,2000 "file://$work/report.html" > /dev/null 2>&1
    printf ' %.2f' "$(awk -v a="$begin" -v b="$(date +%s.%N)" "BEGIN { print b - a }")"
done
echo
