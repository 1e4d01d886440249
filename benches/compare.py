"""Has whoasked and others read the same capture in turn, and says what each costs and which targets are met.

Run by benches/compare.sh, which says what for.
"""

import argparse
import shutil
import statistics
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

from measure import PACKET_OCTETS, conditions, measure, medians, record, require_space, resolved


class Reader(NamedTuple):
    """Who reads a capture: by what name the table has it, and how it is run."""

    name: str
    command: list
    # Exit codes that mean that it has read it.
    allowed: tuple = (0,)


# What the others are compared with.
OURS = "whoasked, 1 worker"
FLOOD = "whoasked, 1 worker, flood"
TCPDUMP, DNSCAP, DNSTOP = "tcpdump -w /dev/null", "dnscap, rssm plugin", "dnstop"
TSHARK = "tshark, seven fields"
FIELDS = "frame.time_epoch ip.src ip.dst dns.id dns.qry.name dns.cname dns.a".split()


class Target(NamedTuple):
    """A promise about CPU a packet: what is above by what is below, and how much that may be or has to be."""

    above: str
    below: str
    at_most: float | None = None
    at_least: float | None = None

    def verdict(self, ratio):
        """A line that says whether it is met; `ratio` is none when one of the two was not measured."""
        bound = f"at most {self.at_most:g}" if self.at_most else f"at least {self.at_least:g}"
        promise = f"CPU of ({self.above}) / CPU of ({self.below}) {bound}"
        if ratio is None:
            return f"not measured: {promise}"
        met = ratio <= self.at_most if self.at_most else ratio >= self.at_least
        return f"{'met' if met else 'MISSED'}: {promise}: it is {ratio:.2f}"


TARGETS = (
    Target(OURS, TCPDUMP, at_most=1.7),
    Target(DNSCAP, OURS, at_least=6),
    Target(DNSTOP, OURS, at_least=7),
    Target(TSHARK, OURS, at_least=80),
    Target(FLOOD, OURS, at_most=2),
)


def make(given):
    """Makes the captures and the lists, and says where they are."""
    capture, flood, all_, one = (
        given.work / name for name in ("traffic.pcap", "flood.pcap", "all.txt", "one.txt")
    )
    packets = ["--packets", f"{given.packets}"]
    # Read right after they are written, they lie in the page cache.
    for made in (
        [*packets, "--out", flood, "--flood"],
        [*packets, "--out", capture, "--indicators", f"{given.indicators}", "--list", all_],
        ["--indicators", "1", "--list", one],
    ):
        subprocess.run([given.traffic, *made], check=True)
    return capture, flood, all_, one


def readers(given, capture, flood, all_, one):
    """Those that there are, and a word about those that there are not."""

    def ours(name, capture, list_, workers=1):
        command = [given.whoasked, "read", capture, "-i", list_, "-f", "jsonl", "--no-progress"]
        # 1 says that something was flagged.
        return Reader(name, [*command, "--workers", f"{workers}"], allowed=(0, 1))

    yield ours(OURS, capture, all_)
    yield ours("whoasked, 2 workers", capture, all_, workers=2)
    yield ours("whoasked, 1 worker, one indicator", capture, one)
    yield ours(FLOOD, flood, all_)
    libraries = (Path("/usr/lib"), Path("/usr/local/lib"))
    plugin = next((path for at in libraries for path in at.glob("**/dnscap/rssm.so")), "rssm.so")
    fields = [word for field in FIELDS for word in ("-e", field)]
    for name, command in (
        (TCPDUMP, ["tcpdump", "-r", capture, "-w", "/dev/null"]),
        # All VLANs and none, TCP too; the plugin writes its counters to a file.
        (DNSCAP, ["dnscap", "-r", capture, "-L", "4095", "-T", "-P", plugin, "-D", "-w", given.work / "rssm"]),
        (DNSTOP, ["dnstop", "-b", "udp port 53 or (vlan and udp port 53)", capture]),
        (TSHARK, ["tshark", "-n", "-r", capture, "-T", "fields", *fields]),
    ):
        if shutil.which(command[0]):
            yield Reader(name, command)
        else:
            print(f"{command[0]} is not installed: left out", file=sys.stderr)


def ratio(rounds, above, below):
    """The median over rounds of one's CPU by another's: times waver, ratios within a round less so."""
    if not all(name in rounds[0] for name in (above, below)):
        return None
    return statistics.median(costs[above].cpu_s / costs[below].cpu_s for costs in rounds)


def table(rounds, packets):
    """Medians over rounds, each of which holds one cost a reader, in Markdown."""
    yield "| | CPU ns/packet | wall ns/packet | peak MB | CPU against the first |"
    yield "|---|---:|---:|---:|---:|"
    for name in rounds[0]:
        cpu, wall, peak = map(statistics.median, zip(*(costs[name] for costs in rounds)))
        cpu_ns, wall_ns = (seconds * 1e9 / packets for seconds in (cpu, wall))
        yield f"| {name} | {cpu_ns:,.0f} | {wall_ns:,.0f} | {peak:,.0f} | {ratio(rounds, name, OURS):.2f} |"


def main():
    arguments = argparse.ArgumentParser(prog="benches/compare.sh")
    arguments.add_argument("--packets", type=int, default=2_000_000)
    arguments.add_argument("--indicators", type=int, default=1_000_000)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("--record", action="store_true", help="put the table into README.md")
    # These are the script's to give.
    for path in ("whoasked", "traffic", "work"):
        arguments.add_argument(f"--{path}", type=resolved, required=True, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    require_space(given.work, 2 * given.packets * PACKET_OCTETS)

    begun = conditions()
    compared = list(readers(given, *make(given)))
    rounds = []
    for number in range(given.rounds):
        print(f"round {number + 1} of {given.rounds}", file=sys.stderr)
        # Interleaved, so that whatever else the machine does meets all alike.
        rounds.append({each.name: measure(each.command, each.allowed) for each in compared})
    head = (
        f"Measured {begun}: {given.packets:,} packets, {given.indicators:,} indicators where "
        f"it is not one, {medians(given.rounds)}:"
    )
    text = "\n".join([head, "", *table(rounds, given.packets)])
    if given.record:
        record("README.md", "benches/compare.sh", text)
    print(f"{text}\n")
    for target in TARGETS:
        print(target.verdict(ratio(rounds, target.above, target.below)))


if __name__ == "__main__":
    main()
