#!/usr/bin/env bash
# What `whoasked live` loses and costs at rising rates, beside tcpdump and dnscap, as a Markdown table.
#
#   benches/live.sh [--packets N] [--indicators N] [--rates "R R ..."] [--rounds N] [--no-install]
#
# As root: makes a capture and a pair of virtual interfaces, and sends it from one to the other (benches/traffic/send.rs)
# at each rate, then at 0.9 of the highest rate at which tcpdump loses nothing, then as fast as it goes, to each receiver in
# turn, several rounds. Sender and receiver share the machine's cores: the sender wants one. whoasked does its whole job
# with a list loaded; tcpdump only copies to /dev/null; dnscap (both are Debian packages) only counts by its rssm plugin.
#
# Lost is what was sent less what the receiver says that it got. CPU is the receiver's by packet sent: what the scheduler
# says that its threads ran (/proc/PID/task/*/schedstat, in nanoseconds, user and system), from before the first
# packet until it is idle again. What the kernel does to hand a packet to the receiver's ring counts for whoever sends.
set -euo pipefail
cd "$(dirname "$0")/.."

packets=2000000 indicators=100000 rates="100000 200000 300000 450000 600000" rounds=3 install=yes
while [ $# -gt 0 ]; do
    case $1 in
        --packets) packets=$2; shift 2 ;;
        --indicators) indicators=$2; shift 2 ;;
        --rates) rates=$2; shift 2 ;;
        --rounds) rounds=$2; shift 2 ;;
        --no-install) install=no; shift ;;
        *) sed -n '4p' "$0" >&2; exit 2 ;;
    esac
done

if [ "$install" = yes ] && command -v apt-get > /dev/null; then
    for tool in tcpdump dnscap; do
        command -v "$tool" > /dev/null ||
            DEBIAN_FRONTEND=noninteractive apt-get install -y --no-install-recommends "$tool" >&2 || true
    done
fi
cargo build --quiet --release --bin whoasked --example traffic --example send >&2
target=${CARGO_TARGET_DIR:-target}
work=$(mktemp -d)
sender=wab$$s receiver=wab$$m process=
ended() {
    [ -z "$process" ] || kill -KILL "$process" 2> /dev/null || true
    ip link del "$sender" 2> /dev/null || true
    rm -rf "$work"
}
trap ended EXIT
"$target/release/examples/traffic" --packets "$packets" --out "$work/traffic.pcap" \
    --indicators "$indicators" --list "$work/list.txt" >&2
ip link add "$sender" type veth peer name "$receiver"
for name in "$sender" "$receiver"; do
    echo 1 > "/proc/sys/net/ipv6/conf/$name/disable_ipv6"
    ip link set "$name" up
done
ring=$((64 << 20))
rssm=$(find /usr/lib /usr/local/lib -name rssm.so -path '*dnscap*' 2> /dev/null | head -n 1 || true)
receivers="tcpdump whoasked"
if command -v dnscap > /dev/null && [ -n "$rssm" ]; then
    receivers="tcpdump dnscap whoasked"
else
    echo "dnscap is not installed: left out" >&2
fi

# Nanoseconds that the threads of the receiver ran.
cpu() { cat /proc/"$process"/task/*/schedstat | awk '{ sum += $1 } END { printf "%.0f\n", sum }'; }

measure() { # NAME RATE: one line of rate, sent, received, nanoseconds of CPU
    : > "$work/said"
    case $1 in
        tcpdump) tcpdump -i "$receiver" -B $((ring >> 10)) -w /dev/null 2> "$work/said" & ;;
        dnscap)
            # All VLANs and none, TCP too; it has opened the interface when it says nothing more.
            dnscap -i "$receiver" -N -S -L 4095 -T -o pcap_buffer_size=$ring -P "$rssm" -D -w "$work/rssm" \
                > /dev/null 2> "$work/said" &
            ;;
        whoasked)
            "$target/release/whoasked" live -i "$receiver" --indicators "$work/list.txt" -f jsonl -v \
                > "$work/answers" 2> "$work/said" &
            ;;
    esac
    process=$!
    [ "$1" = dnscap ] || until grep -q 'listening' "$work/said"; do sleep 0.05; done
    sleep 1
    local pace=(--rate "$2") before after last
    [ "$2" != top ] || pace=(--top-speed)
    before=$(cpu)
    "$target/release/examples/send" --interface "$sender" --file "$work/traffic.pcap" "${pace[@]}" > "$work/sent"
    last=$before
    for _ in $(seq 100); do
        sleep 0.5
        after=$(cpu)
        # Less than a hundredth of a core: it is done.
        [ $((after - last)) -gt 5000000 ] || break
        last=$after
    done
    kill -INT "$process"
    wait "$process" || true
    process=
    rm -f "$work"/rssm*
    local received sent rate
    case $1 in
        tcpdump) received=$(awk '/packets captured/ { print $1 }' "$work/said") ;;
        dnscap) received=$(awk '/ recv .* drop / { print $2 - $4 }' "$work/said") ;;
        whoasked) received=$(grep -oE '[0-9]+ packets,' "$work/said" | tail -n 1 | cut -d' ' -f1)
            lost=$(grep -oE 'too slow: [0-9]+ packets' "$work/said" | tail -n 1 | cut -d' ' -f3)
            received=$((received - ${lost:-0})) ;;
    esac
    sent=$(awk '/^sent/ { print $2 }' "$work/sent") rate=$(awk '/^rate/ { print $2 }' "$work/sent")
    echo "$rate $sent ${received:-0} $((after - before))"
}

# The highest rate at which tcpdump loses nothing, by steps of a tenth from the top.
try=top
for _ in $(seq 10); do
    read -r rate sent received _ < <(measure tcpdump "$try")
    [ "$received" -lt "$sent" ] || break
    try=$((rate * 9 / 10))
done
echo "tcpdump loses nothing at $rate packets/s" >&2
rates="$rates $((rate * 9 / 10)) top"

echo "$packets packets, $indicators indicators, medians of $rounds rounds," \
    "tcpdump loses nothing at $rate packets/s, $(date -u +%Y-%m-%d)," \
    "$(nproc) x $(sed -n 's/^model name[^:]*: //p' /proc/cpuinfo | head -n 1), load $(cut -d ' ' -f 1 /proc/loadavg)"
echo
for round in $(seq "$rounds"); do
    for rate in $rates; do
        for name in $receivers; do
            echo "$rate $name $(measure "$name" "$rate")" | tee -a "$work/measured" >&2
        done
    done
    echo "round $round of $rounds, load $(cut -d ' ' -f 1 /proc/loadavg)" >&2
done
python3 - "$work/measured" << 'END'
import collections, statistics, sys

rounds = collections.defaultdict(list)
for line in open(sys.argv[1]):
    wanted, name, rate, sent, received, cpu = line.split()
    sent, received = int(sent), int(received)
    lost = max(0, sent - received) * 100 / sent
    rounds[wanted, name].append((int(rate), lost, int(cpu) / sent))
print("| packets/s | receiver | lost | most lost | CPU, ns a packet |")
print("|---:|---|---:|---:|---:|")
for (_, name), measured in rounds.items():
    rate, lost, cpu = (statistics.median(column) for column in zip(*measured))
    most = max(lost for _, lost, _ in measured)
    print(f"| {rate:,.0f} | {name} | {lost:.3f} % | {most:.3f} % | {cpu:,.0f} |")
END
