"""What each stage takes, in time and in instructions, as Markdown tables.

Run by benches/stages.sh, which says what for.
"""

import argparse
import json

from instructions import counted, with_paths
from measure import conditions, record

# Stages by their names in the counts of instructions; what each may take, in ns, if the whole is to take 280; and the
# benchmark of benches/stages, less the one that it holds.
STAGES = (
    ("read", 40, "read", None),
    ("slice", 20, "slice", None),
    ("message", 80, "message", None),
    ("indicators", 40, "indicators-1m", None),
    ("transaction", 50, "transaction", None),
    ("resolution", 30, "resolution", "transaction"),
    ("attribution", 15, "attribution", "resolution"),
    ("pipeline", 5, None, None),
)
FUNCTIONS = 12


def alone(times, name):
    """Nanoseconds a packet, by a benchmark's median."""
    folder = times / name / "new"
    median_ns = json.loads((folder / "estimates.json").read_text())["median"]["point_estimate"]
    packets, _ = json.loads((folder / "benchmark.json").read_text())["throughput"]["ElementsAndBytes"].values()
    return median_ns / packets


def by_stage(times, packet):
    """The table of stages."""
    yield "| stage | budget, ns | ns alone | instructions in the whole job |"
    yield "|---|---:|---:|---:|"
    for name, budget_ns, bench, held in STAGES:
        ns = alone(times, bench) - (alone(times, held) if held else 0) if bench else None
        yield f"| {name} | {budget_ns} | {'' if ns is None else f'{ns:,.0f}'} | {packet.stages[name]:,.0f} |"
    others = packet.total - sum(packet.stages[name] for name, *_ in STAGES)
    yield f"| all others | | | {others:,.0f} |"
    whole_ns = sum(budget_ns for _, budget_ns, *_ in STAGES)
    yield f"| the whole, 1 worker | {whole_ns} | {alone(times, 'whole-1-worker'):,.0f} | {packet.total:,.0f} |"
    for name, bench in (("the whole, 2 workers", "whole-2-workers"), ("the whole, 1 worker, flood", "flood-1-worker")):
        yield f"| {name} | | {alone(times, bench):,.0f} | |"


def by_function(packet):
    """The functions that have most instructions of their own, those of inlined ones among them."""
    yield "| function, without what it calls | instructions |"
    yield "|---|---:|"
    for name, count in packet.functions.most_common(FUNCTIONS):
        yield f"| `{name.removeprefix('whoasked::')}` | {count:,.0f} |"


def main():
    arguments = argparse.ArgumentParser(prog="benches/stages.sh")
    arguments.add_argument("--record", action="store_true", help="put the tables into docs/performance.md")
    given = with_paths(arguments, "times")
    begun = conditions()
    packet, _ = counted(given)
    head = f"Measured {begun}, for each packet:"
    text = "\n".join([head, "", *by_stage(given.times, packet), "", *by_function(packet)])
    if given.record:
        record("docs/performance.md", "benches/stages.sh", text)
    print(text)


if __name__ == "__main__":
    main()
