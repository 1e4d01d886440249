"""How cost grows: measures along each axis, draws it, and judges whether it grows in proportion at most.

Run by benches/growth.sh, which says what for.
"""

import argparse
import math
import statistics
import subprocess
import sys
from pathlib import Path
from typing import NamedTuple

import chart
from measure import PACKET_OCTETS, Cost, conditions, measure, medians, record, require_space, resolved

PACKETS = 1_000_000
# Few enough that loading them costs next to nothing, and that none but the generator's own is asked for.
INDICATORS = 10_000
# What the memory for many packets may be, times that for PACKETS_FULL, with so many indicators.
FULL_TIMES_MAX = 1.2
FULL_INDICATORS = 1_000_000
PACKETS_FULL, PACKETS_MOST = 2_000_000, 20_000_000
# Faster than in proportion is a larger exponent than 1; times waver by some per cent.
EXPONENT_MAX = 1.1
# What a line of the output is known by that tells of one.
SIGHTING = b'"type":"attribution"'


class Axis(NamedTuple):
    """What is varied, and what it may cost."""

    name: str
    # What its values are, as the axis of a chart says it.
    label: str
    values: tuple
    # Those of a quick run.
    quick: tuple
    # The options of the generator for one value.
    options: object
    # Peak memory, in MB.
    peak_max: int
    # CPU a packet at the right end, times that at the left.
    times_max: float
    # The captures' packets as a multiple of the others'.
    packets: int = 1
    logarithmic: bool = True


class Point(NamedTuple):
    """What is measured: a value of an axis as asked for, with how much, and what came of it."""

    value: float
    packets: int
    cost: Cost

    @property
    def cpu_ns(self):
        """CPU a packet, the start of the program and the loading of the list included."""
        return self.cost.cpu_s * 1e9 / self.packets


# Limits are what was measured when they were written, and about a half more.
AXES = (
    Axis(
        "packets", "packets in the capture",
        (100_000, 300_000, 1_000_000, PACKETS_FULL, 6_000_000, PACKETS_MOST),
        (30_000, 100_000, 300_000, 1_000_000),
        lambda value: {"packets": value},
        peak_max=256, times_max=1.5,
    ),
    Axis(
        "clients", "distinct clients",
        (100, 1_000, 10_000, 100_000, 300_000, 1_000_000),
        (100, 1_000, 10_000, 100_000),
        lambda value: {"clients": value, "every-client": None},
        # A question takes 2.6 packets, and each client is to ask one.
        peak_max=1_024, times_max=5, packets=3,
    ),
    Axis(
        "indicators", "indicators in the list",
        (100, 1_000, 10_000, 100_000, 1_000_000, 10_000_000),
        (100, 10_000, 100_000, 1_000_000),
        lambda value: {"indicators": value},
        peak_max=768, times_max=8,
    ),
    Axis(
        "sightings", "sightings in a million packets",
        (10, 100, 1_000, 10_000, 30_000, 100_000),
        (100, 1_000, 10_000),
        # In a million packets, so many sightings if every question were flagged.
        lambda value: {"flagged": value / 417_000},
        peak_max=384, times_max=25,
    ),
    Axis(
        "random", "share of questions for a name that never comes again",
        (0, 0.25, 0.5, 0.75, 1), (0, 0.5, 1),
        lambda value: {"random": value},
        peak_max=256, times_max=1.5, logarithmic=False,
    ),
    Axis(
        "resolvers", "resolvers",
        (1, 3, 10, 30, 100, 300, 1_000),
        (1, 10, 100),
        lambda value: {"resolvers": value},
        peak_max=256, times_max=4,
    ),
)


class Bench:
    """Makes captures, has them read, and deletes them."""

    def __init__(self, given):
        self.whoasked, self.traffic, self.work = given.whoasked, given.traffic, given.work
        self.packets = PACKETS // 10 if given.quick else PACKETS

    def command(self, options):
        """Makes the capture and the list that the options ask for, and says how they are read."""
        capture, list_ = self.work / "traffic.pcap", self.work / "list.txt"
        made = [self.traffic, "--out", capture, "--list", list_]
        for option, value in options.items():
            made += [f"--{option}"] if value is None else [f"--{option}", f"{value}"]
        subprocess.run(made, check=True)
        return [
            self.whoasked, "read", capture, "-i", list_,
            "-f", "jsonl", "--workers", "1", "--no-progress",
        ]

    def peaks(self):
        """The memory for PACKETS_FULL and for PACKETS_MOST, in MB, with FULL_INDICATORS."""
        for packets in (PACKETS_FULL, PACKETS_MOST):
            command = self.command({"packets": packets, "indicators": FULL_INDICATORS})
            yield measure([str(word) for word in command]).peak_mb
            (self.work / "traffic.pcap").unlink()

    def options(self, axis, value):
        """All options of a point that are not as the generator has them."""
        defaults = {"packets": self.packets * axis.packets, "indicators": INDICATORS}
        return defaults | axis.options(value)

    def round(self, places):
        """One cost for each (axis, value), in turn; what is the same for several axes is measured once."""
        costs = {}
        for axis, value in places:
            options = tuple(self.options(axis, value).items())
            if options not in costs:
                costs[options] = measure([str(word) for word in self.command(dict(options))])
                (self.work / "traffic.pcap").unlink()
            yield costs[options]

    def sightings(self, axis, value):
        """How many there are in a million packets."""
        options = self.options(axis, value)
        with subprocess.Popen(self.command(options), stdout=subprocess.PIPE) as run:
            seen = sum(SIGHTING in line for line in run.stdout)
        (self.work / "traffic.pcap").unlink()
        return seen * 1_000_000 / options["packets"]


def exponent(xs, ys):
    """By which power of x does y grow? The larger of the whole range's and of its right half's."""
    middle = len(xs) // 2
    return max(
        math.log(ys[-1] / ys[left]) / math.log(xs[-1] / xs[left]) for left in {0, middle}
    )


def added_exponent(xs, ys):
    """By which power grows what is above the left end, in the last step? None if that is too little to be told.

    Behind much that stays the same, a part that grows too fast shows here first.
    """
    before, last = (y - ys[0] for y in ys[-2:])
    if before < ys[0] / 10 or last < ys[0] / 2:
        return None
    return math.log(last / before) / math.log(xs[-1] / xs[-2])


class Growth(NamedTuple):
    """An axis as it was measured."""

    axis: Axis
    points: list

    @property
    def peak_mb(self):
        return max(point.cost.peak_mb for point in self.points)

    @property
    def times(self):
        return self.points[-1].cpu_ns / self.points[0].cpu_ns

    def exponents(self):
        """Those of CPU, of memory, and of what is added to CPU; none where the axis begins with zero."""
        if not self.axis.logarithmic:
            return None, None, None
        xs = [point.value for point in self.points]
        cpu = [point.cost.cpu_s for point in self.points]
        peak = [point.cost.peak_mb for point in self.points]
        return exponent(xs, cpu), exponent(xs, peak), added_exponent(xs, cpu)

    def faults(self):
        """What does not hold."""
        for what, power in zip(("CPU", "memory"), self.exponents()):
            if power is not None and power > EXPONENT_MAX:
                yield f"{what} grows by the power {power:.2f}, more than {EXPONENT_MAX}"
        if self.times > self.axis.times_max:
            yield f"CPU a packet grows {self.times:.1f} times, more than {self.axis.times_max:g}"
        if self.peak_mb > self.axis.peak_max:
            yield f"memory reaches {self.peak_mb:.0f} MB, more than {self.axis.peak_max}"

    def judged(self):
        """What it comes to, as cells of a table."""
        left, right = self.points[0], self.points[-1]
        cpu, _, added = (f"{power:.2f}" if power else "" for power in self.exponents())
        return (
            self.axis.label,
            f"{chart.short(left.value)} to {chart.short(right.value)}",
            f"{left.cpu_ns:,.0f} to {right.cpu_ns:,.0f}",
            f"{self.times:.1f} ({self.axis.times_max:g})",
            cpu,
            added,
            f"{self.peak_mb:,.0f} ({self.axis.peak_max:,})",
        )

    def values(self):
        """All that was measured, as cells of a table."""
        return (
            self.axis.label,
            " / ".join(chart.short(point.value) for point in self.points),
            " / ".join(f"{point.cpu_ns:,.0f}" for point in self.points),
            " / ".join(f"{point.cost.peak_mb:,.0f}" for point in self.points),
        )


JUDGED = """\
| | range | CPU ns/packet | times (limit) | power | power of what is added | most memory, MB (limit) |
|---|---:|---:|---:|---:|---:|---:|"""
VALUES = """\
| | values | CPU ns/packet | peak MB |
|---|---|---|---|"""


def tables(growths):
    """Both, in Markdown."""
    for head, cells in ((JUDGED, Growth.judged), (VALUES, Growth.values)):
        rows = [f"| {' | '.join(cells(growth))} |" for growth in growths]
        yield "\n".join([head, *rows])


def measured(bench, places, rounds):
    """The growth along each axis, from medians of so many rounds over all (axis, value)."""
    costs = []
    for number in range(rounds):
        print(f"round {number + 1} of {rounds}", file=sys.stderr)
        costs.append(list(bench.round(places)))
    costs = [Cost(*map(statistics.median, zip(*each))) for each in zip(*costs)]
    points = {}
    for (axis, value), cost in zip(places, costs):
        packets = bench.options(axis, value)["packets"]
        # Chance has a say in how many are seen.
        value = bench.sightings(axis, value) if axis.name == "sightings" else value
        points.setdefault(axis, []).append(Point(value, packets, cost))
    return [Growth(axis, each) for axis, each in points.items()]


def charts(growths, out):
    """Writes a picture for each axis."""
    points = [point for growth in growths for point in growth.points]
    cpu = chart.scale([point.cpu_ns for point in points])
    peak = chart.scale([point.cost.peak_mb for point in points])
    for axis, points in growths:
        panels = (
            chart.Panel("CPU, ns a packet", [point.cpu_ns for point in points], cpu),
            chart.Panel("Peak memory, MB", [point.cost.peak_mb for point in points], peak),
        )
        values = [point.value for point in points]
        name = f"What whoasked read costs by {axis.label}"
        drawn = chart.draw(name, axis.label, values, panels, axis.logarithmic)
        (out / f"{axis.name}.svg").write_text(drawn)


class Full(NamedTuple):
    """How much more memory a long capture takes: tables are full, and more is found."""

    full_mb: float
    most_mb: float

    def __str__(self):
        times = self.most_mb / self.full_mb
        return (
            f"With {FULL_INDICATORS:,} indicators {PACKETS_MOST:,} packets take {self.most_mb:.0f} MB, {PACKETS_FULL:,} take "
            f"{self.full_mb:.0f}: {times:.2f} times (limit {FULL_TIMES_MAX})."
        )

    def is_too_much(self):
        return self.most_mb > self.full_mb * FULL_TIMES_MAX


def judge(growths, full):
    """Prints a verdict for each axis and for long captures, and says whether one is bad."""
    failed = full is not None and full.is_too_much()
    if full is not None:
        print(f"long captures: {'too much memory' if failed else 'holds'}. {full}")
    for growth in growths:
        faults = list(growth.faults())
        failed |= bool(faults)
        verdict = "; ".join(faults) or "holds: no faster than in proportion, within its limits"
        *_, added = growth.exponents()
        if added is not None and added > EXPONENT_MAX:
            verdict += f" (but what is added grows by the power {added:.2f}: look into it)"
        print(f"{growth.axis.name}: {verdict}")
    return failed


def main():
    arguments = argparse.ArgumentParser(prog="benches/growth.sh")
    arguments.add_argument("--quick", action="store_true")
    arguments.add_argument("--rounds", type=int)
    arguments.add_argument("--record", action="store_true")
    # These are the script's to give.
    for path in ("whoasked", "traffic", "work", "out"):
        arguments.add_argument(f"--{path}", type=resolved, required=True, help=argparse.SUPPRESS)
    given = arguments.parse_args()
    rounds = given.rounds or (1 if given.quick else 3)
    bench = Bench(given)
    places = [
        (axis, value) for axis in AXES for value in (axis.quick if given.quick else axis.values)
    ]
    most = max(bench.options(*place)["packets"] for place in places)
    require_space(given.work, most * PACKET_OCTETS)

    begun = conditions()
    growths = measured(bench, places, rounds)
    # Memory hardly wavers: once will do.
    full = None if given.quick else Full(*bench.peaks())
    small = ", small captures" if given.quick else ""
    said = [f"Measured {begun}, {medians(rounds)}{small}:", *tables(growths)]
    text = "\n\n".join(said + ([f"{full}"] if full else []))
    given.out.mkdir(parents=True, exist_ok=True)
    (given.out / "growth.md").write_text(text + "\n")
    charts(growths, given.out)
    if given.record:
        page = Path("docs/performance.md")
        record(page, "benches/growth.sh", text)
        charts(growths, page.with_name("growth"))
    print(text + "\n")
    return int(judge(growths, full))


if __name__ == "__main__":
    sys.exit(main())
