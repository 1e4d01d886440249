#!/usr/bin/env bash
# What `whoasked live` loses and costs at rising rates, beside `tcpdump -w /dev/null`, as a Markdown table.
#
#   benches/live.sh [--packets N] [--indicators N] [--rates "R R ..."]
#
# As root: makes a capture and a pair of virtual interfaces, and sends it from one to the other with tcpreplay (a
# Debian package) at each rate, to each receiver in turn. Sender and receiver share the machine's cores. Losses are
# what was sent less what the receiver counted; CPU is the receiver's, user and system, by packet sent.
set -euo pipefail
cd "$(dirname "$0")/.."

packets=1000000 indicators=100000 rates="50000 100000 200000 300000 0"
while [ $# -gt 0 ]; do
    case $1 in
        --packets) packets=$2; shift 2 ;;
        --indicators) indicators=$2; shift 2 ;;
        --rates) rates=$2; shift 2 ;;
        *) sed -n '4p' "$0" >&2; exit 2 ;;
    esac
done

cargo build --quiet --release --bin whoasked --example traffic >&2
target=${CARGO_TARGET_DIR:-target}
work=$(mktemp -d)
sender=wab$$s receiver=wab$$m
ended() { ip link del "$sender" 2> /dev/null || true; rm -rf "$work"; }
trap ended EXIT
"$target/release/examples/traffic" --packets "$packets" --out "$work/traffic.pcap" \
    --indicators "$indicators" --list "$work/list.txt" >&2
ip link add "$sender" type veth peer name "$receiver"
for name in "$sender" "$receiver"; do
    echo 1 > "/proc/sys/net/ipv6/conf/$name/disable_ipv6"
    ip link set "$name" up
done
ticks=$(getconf CLK_TCK)

cpu() { awk -v ticks="$ticks" '{ print ($14 + $15) / ticks }' "/proc/$1/stat"; }

measure() { # NAME RATE
    if [ "$1" = tcpdump ]; then
        tcpdump -i "$receiver" -B 65536 -w /dev/null 2> "$work/said" &
    else
        "$target/release/whoasked" live -i "$receiver" --indicators "$work/list.txt" -f jsonl \
            > "$work/answers" 2> "$work/said" &
    fi
    local process=$! pace=(--topspeed) sent before
    until grep -q 'listening' "$work/said"; do sleep 0.05; done
    sleep 1
    before=$(cpu "$process")
    [ "$2" = 0 ] || pace=(--pps="$2" --pps-multi=50)
    sent=$(tcpreplay -q -i "$sender" --preload-pcap "${pace[@]}" "$work/traffic.pcap" 2> /dev/null |
        awk '/^Rated:/ { rate = $(NF - 1) } /Actual:/ { sent = $2 } END { print sent, rate }')
    sleep 2
    local after received
    after=$(cpu "$process")
    kill -TERM "$process"
    wait "$process" || true
    if [ "$1" = tcpdump ]; then
        received=$(awk '/packets captured/ { print $1 }' "$work/said")
    else
        received=$(grep -oE '[0-9]+ packets,' "$work/said" | tail -n 1 | cut -d' ' -f1)
    fi
    awk -v name="$1" -v sent="${sent% *}" -v rate="${sent#* }" -v received="${received:-0}" \
        -v cpu="$(awk -v a="$before" -v b="$after" 'BEGIN { print b - a }')" 'BEGIN {
            printf "| %s | %d | %.3f %% | %d |\n", name, rate, (sent - received) * 100 / sent, cpu * 1e9 / sent }'
}

echo "| receiver | packets/s | lost | CPU, ns a packet |"
echo "|---|---|---|---|"
for rate in $rates; do
    for name in tcpdump whoasked; do
        measure "$name" "$rate"
    done
done
