#!/usr/bin/env bash
# What whoasked costs, beside others that read DNS captures, as a Markdown table.
#
#   benches/compare.sh [--packets N] [--indicators N] [--rounds N] [--no-install]
#
# Makes the capture, installs the peers that are Debian packages (with sudo when not root), and runs each in
# turn with whoasked, several rounds interleaved. whoasked does its whole job, with a list loaded. dnstop and
# dnscap only count; tcpdump only copies. A peer that is not there is left out.
set -euo pipefail
cd "$(dirname "$0")/.."

packets=2000000 indicators=1000000 rounds=5 install=yes
while [ $# -gt 0 ]; do
    case $1 in
        --packets) packets=$2; shift 2 ;;
        --indicators) indicators=$2; shift 2 ;;
        --rounds) rounds=$2; shift 2 ;;
        --no-install) install=no; shift ;;
        *) sed -n '4p' "$0" >&2; exit 2 ;;
    esac
done

if [ "$install" = yes ] && command -v apt-get > /dev/null; then
    missing=()
    for tool in tcpdump tshark dnstop dnscap; do
        command -v "$tool" > /dev/null || missing+=("$tool")
    done
    if [ ${#missing[@]} -gt 0 ]; then
        echo "Installing ${missing[*]}" >&2
        as_root=()
        [ "$(id -u)" = 0 ] || as_root=(sudo)
        DEBIAN_FRONTEND=noninteractive "${as_root[@]}" \
            apt-get install -y --no-install-recommends "${missing[@]}" >&2 || true
    fi
fi

cargo build --quiet --profile dist --bin whoasked >&2
cargo build --quiet --release --example traffic >&2
target=${CARGO_TARGET_DIR:-target}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
"$target/release/examples/traffic" --packets "$packets" --out "$work/traffic.pcap" \
    --indicators "$indicators" --list "$work/list.txt"
cat "$work/traffic.pcap" > /dev/null # So that it lies in the page cache.

whoasked="$target/dist/whoasked read $work/traffic.pcap -i $work/list.txt -f jsonl --no-progress"
commands=("whoasked = $whoasked --workers 1" "whoasked, 2 workers = $whoasked --workers 2")
add() { # TOOL NAME COMMAND
    if command -v "$1" > /dev/null; then
        commands+=("$2 = $3")
    else
        echo "$1 is not installed: left out" >&2
    fi
}
add tcpdump "tcpdump -w /dev/null" "tcpdump -r $work/traffic.pcap -w /dev/null"
rssm=$(find /usr/lib /usr/local/lib -name rssm.so -path '*dnscap*' 2> /dev/null | head -n 1 || true)
if [ -n "$rssm" ]; then
    # All VLANs and none; the plugin writes its counters to a file.
    add dnscap "dnscap, rssm plugin" "dnscap -r $work/traffic.pcap -L 4095 -T -P $rssm -D -w $work/rssm"
fi
add dnstop dnstop "dnstop -b 'udp port 53 or (vlan and udp port 53)' $work/traffic.pcap"
add PacketQ "PacketQ, count" "PacketQ -s 'select count(*) from dns' $work/traffic.pcap"
add tshark "tshark, fields" "tshark -n -r $work/traffic.pcap -T fields \
    -e frame.time_epoch -e ip.src -e ip.dst -e dns.id -e dns.qry.name -e dns.cname -e dns.a"

printf '%s packets, %s indicators, ' "$packets" "$indicators"
python3 benches/measure.py --packets "$packets" --rounds "$rounds" "${commands[@]}"
