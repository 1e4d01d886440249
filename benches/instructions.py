"""Counts the instructions of the whole job by stage and function, and holds them to a budget.

Run by benches/instructions.sh, which says what for. callgrind knows which line of which file each instruction comes
from, also of what was inlined. So an instruction is of the stage in whose folder its line stands. What is everybody's
(the ground, other crates, the standard library, libpcap, libc) is of the stage that it was inlined into or that
called it.
"""

import argparse
import os
import re
import statistics
import subprocess
import sys
import threading
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

from measure import resolved

BUDGET = Path("benches/instructions.budget")
# The captures: nothing, for what it costs to start; and two of which the larger holds the smaller, so that what it costs
# more, its further packets cost, without what tables take to grow.
PACKETS_NONE, PACKETS_FEW, PACKETS_MANY = PACKETS = 0, 25_000, 75_000
INDICATORS = 10_000
# Keys of hashes, but for those of names, are drawn anew each run: that makes up to one per cent more or less, and half of
# that in a median of three.
ROUNDS = 3
# Per cent of the budget: compilers differ, too.
PERCENT_MAX = 105
# Below that, there is room for what ought to fail.
PERCENT_LOOSE = 97
# Folders of src/ and the stages they are of, in the order data flows.
STAGES = {
    "capture": "read",
    "packet": "slice",
    "message": "message",
    "indicator": "indicators",
    "transaction": "transaction",
    "resolution": "resolution",
    "attribution": "attribution",
    "identity": "identity and contact",
    "contact": "identity and contact",
    "pipeline": "pipeline",
}
SOURCES = re.compile(re.escape(f"{Path.cwd()}/src/") + r"(\w+)")
FUNCTION = re.compile(r"\bwhoasked::(\w+)::")


class Counts(NamedTuple):
    """Instructions of a run, or of a packet."""

    total: float
    stages: Counter
    functions: Counter

    def less(self, other, parts=1):
        """How many more these are, for each of so many parts."""
        stages, functions = Counter(self.stages), Counter(self.functions)
        for mine, others in ((stages, other.stages), (functions, other.functions)):
            mine.subtract(others)
            for key in mine:
                mine[key] /= parts
        return Counts((self.total - other.total) / parts, stages, functions)


def stage_of(pattern, text):
    """The stage whose folder the pattern finds in a path or in the name of a function."""
    found = pattern.search(text)
    return found and STAGES.get(found[1])


class Function:
    """What callgrind says of one function."""

    def __init__(self, name):
        self.stage = stage_of(FUNCTION, name)
        # Its own instructions by stage, and those of each call of another, with the stage that called.
        self.own = Counter()
        self.calls = []

    def settle(self):
        """A function of the standard library that ours were inlined into is of the stage that most of it is of."""
        if not self.stage:
            ours = [stage for stage, _ in self.own.most_common() if stage]
            self.stage = ours[0] if ours else None

    @property
    def is_ours(self):
        return self.stage is not None


def functions_of(profile):
    """Reads what callgrind wrote: https://valgrind.org/docs/manual/cl-format.html"""
    names = {}

    def name(kind, value):
        number, _, rest = value.partition(" ")
        return names.setdefault((kind, number), rest)

    functions = {}
    function = stage = callee = None
    for line in profile:
        key, is_assigned, value = line.rstrip("\n").partition("=")
        if key == "fn":
            of = name("fn", value)
            function = functions.setdefault(of, Function(of))
        elif key == "cfn":
            callee = name("fn", value)
        elif key in ("fl", "fi", "fe"):
            # From here on, lines are of this file.
            stage = stage_of(SOURCES, name("file", value))
        elif key in ("cfi", "cfl"):
            name("file", value)
        elif line[:1].isdigit() or line[:1] in ("+", "-", "*"):
            cost = int(line.split()[1])
            if callee:
                function.calls.append((stage, callee, cost))
                callee = None
            else:
                function.own[stage] += cost
    for function in functions.values():
        function.settle()
    return functions


def counts_of(functions):
    """Sums by stage and by function."""
    callers = defaultdict(set)
    for name, function in functions.items():
        for _, callee, _ in function.calls:
            callers[callee].add(name)
    # Those that come to ours by whatever way: a call of them is not all for their caller.
    leading, found = set(), [name for name, function in functions.items() if function.is_ours]
    while found:
        name = found.pop()
        if name not in leading:
            leading.add(name)
            found.extend(callers[name])
    stages = Counter()
    for function in functions.values():
        if function.is_ours:
            for stage, cost in function.own.items():
                stages[stage or function.stage] += cost
            for stage, callee, cost in function.calls:
                if callee not in leading:
                    stages[stage or function.stage] += cost
    own = Counter({name: function.own.total() for name, function in functions.items()})
    return Counts(own.total(), stages, own)


def count(given, packets):
    """Runs the whole job over a capture of so many packets."""
    profile = given.work / f"profile-{threading.get_ident()}"
    valgrind = ["valgrind", "--tool=callgrind", f"--callgrind-out-file={profile}"]
    read = ["read", capture(given, packets), "-i", given.work / "list.txt", "-f", "jsonl"]
    command = [*valgrind, given.whoasked, *read, "--workers", "1", "--no-progress"]
    run = subprocess.run(command, capture_output=True, text=True)
    # 1 says that something was flagged; 2, of a capture without a frame, that nothing can be said.
    if run.returncode not in ((2,) if packets == PACKETS_NONE else (0, 1)):
        raise SystemExit(f"instructions: exit code {run.returncode} under valgrind\n{run.stderr}")
    with profile.open() as lines:
        return counts_of(functions_of(lines))


def capture(given, packets):
    """Where the capture of so many packets is."""
    return given.work / f"traffic-{packets}.pcap"


def median(counts):
    """Of each number the median."""

    def each(counters):
        keys = {key for counter in counters for key in counter}
        return Counter({key: statistics.median(counter[key] for counter in counters) for key in keys})

    totals, stages, functions = zip(*counts)
    return Counts(statistics.median(totals), each(stages), each(functions))


def counted(given):
    """What a packet costs, and what it costs to start: medians."""
    list_ = ["--indicators", f"{INDICATORS}", "--list", given.work / "list.txt"]
    for packets in PACKETS:
        made = ["--packets", f"{packets}", "--out", capture(given, packets), *list_]
        subprocess.run([given.traffic, *made], check=True)
    # Side by side: other than times, counts do not mind.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        runs = list(pool.map(lambda packets: count(given, packets), PACKETS * ROUNDS))
    none, few, many = (runs[place :: len(PACKETS)] for place in range(len(PACKETS)))
    packet = [more.less(less, PACKETS_MANY - PACKETS_FEW) for less, more in zip(few, many)]
    return median(packet), median(none).total


def lines_of(packet, start):
    """What the budget holds: a name and a number a line."""
    yield "packet", round(packet.total)
    for stage in dict.fromkeys(STAGES.values()):
        yield f"packet: {stage}", round(packet.stages[stage])
    yield "start", round(start)


def hold(lines):
    """Says how each stands to its budget. True when the whole is above; stages only say where to look."""
    budget = {}
    for line in BUDGET.read_text().splitlines():
        if not line.startswith("#"):
            name, _, number = line.rpartition(" ")
            budget[name] = int(number)
    over = False
    for name, now in lines:
        if name not in budget:
            raise SystemExit(f"{BUDGET}: nothing about {name}; record it anew with --record")
        percent = 100 * now / budget[name]
        print(f"instructions: {name} {now:,}, {percent:.1f} % of {budget[name]:,}")
        if ":" not in name and percent > PERCENT_MAX:
            over = True
        if name == "packet" and percent < PERCENT_LOOSE:
            print("instructions: fewer than the budget: hold it there with --record")
    return over


def with_paths(arguments, *further):
    """Parses arguments, with the paths that are the script's to give."""
    for path in ("whoasked", "traffic", "work", *further):
        arguments.add_argument(f"--{path}", type=resolved, required=True, help=argparse.SUPPRESS)
    return arguments.parse_args()


def main():
    arguments = argparse.ArgumentParser(prog="benches/instructions.sh")
    arguments.add_argument("--record", action="store_true", help="write the budget anew")
    given = with_paths(arguments)
    lines = list(lines_of(*counted(given)))
    if given.record:
        text = "".join(f"{name} {number}\n" for name, number in lines)
        BUDGET.write_text(f"# Instructions, by benches/instructions.sh --record.\n{text}")
        print(text, end="")
    elif hold(lines):
        print(
            f"instructions: more than {PERCENT_MAX} % of the budget; find out why, or record it anew with --record",
            file=sys.stderr,
        )
        sys.exit(1)


if __name__ == "__main__":
    main()
