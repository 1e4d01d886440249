"""What a command costs: CPU (user and system), wall time and peak memory, from wait4(2).

As a program, runs several commands in turn, several rounds, and prints where, and a table of medians:

    measure.py --packets N --rounds N 'name = command' ...

The first command is what the others are compared with. Rounds are interleaved, so that whatever else the
machine does meets all alike; ratios are taken within a round, since times waver and ratios less so.
"""

import argparse
import os
import shlex
import statistics
import subprocess
import time
from pathlib import Path
from typing import NamedTuple


class Cost(NamedTuple):
    """What one run took."""

    cpu_s: float
    wall_s: float
    peak_mb: float


def measure(command, allowed=(0, 1)):
    """Runs a command, given as a list, without output. Any other exit code is an error."""
    begin = time.perf_counter()
    with open(os.devnull, "wb") as null:
        process = subprocess.Popen(command, stdin=null, stdout=null, stderr=null)
        _, status, usage = os.wait4(process.pid, 0)
    wall_s = time.perf_counter() - begin
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in allowed:
        raise SystemExit(f"exit code {process.returncode}: {shlex.join(command)}")
    return Cost(usage.ru_utime + usage.ru_stime, wall_s, usage.ru_maxrss / 1024)


def conditions():
    """When and on what: without that, no figure means anything."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    load = Path("/proc/loadavg").read_text().split()[0]
    return f"{time.strftime('%Y-%m-%d', time.gmtime())}, {len(models)} x {models[0]}, load {load}"


def table(names, rounds, packets):
    """A Markdown table of medians over rounds; each round holds one cost a command."""
    yield "| | CPU ns/packet | wall ns/packet | peak MB | CPU against the first |"
    yield "|---|---:|---:|---:|---:|"
    for place, name in enumerate(names):
        costs = [costs[place] for costs in rounds]
        ratio = statistics.median(costs[place].cpu_s / costs[0].cpu_s for costs in rounds)
        cpu, wall, peak = (statistics.median(column) for column in zip(*costs))
        per_packet = 1e9 / packets
        yield (
            f"| {name} | {cpu * per_packet:,.0f} | {wall * per_packet:,.0f} | {peak:,.0f} "
            f"| {ratio:.2f} |"
        )


def main():
    arguments = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    arguments.add_argument("--packets", type=int, required=True)
    arguments.add_argument("--rounds", type=int, default=5)
    arguments.add_argument("commands", nargs="+", metavar="NAME = COMMAND")
    given = arguments.parse_args()
    pairs = [command.split("=", 1) for command in given.commands]
    names = [name.strip() for name, _ in pairs]
    commands = [shlex.split(command) for _, command in pairs]
    print(f"medians of {given.rounds} interleaved rounds, {conditions()}\n")
    rounds = [[measure(command) for command in commands] for _ in range(given.rounds)]
    print("\n".join(table(names, rounds, given.packets)))


if __name__ == "__main__":
    main()
