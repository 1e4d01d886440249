"""What the scripts beside this one share: what a command costs, on what machine, and where that is written down.

CPU (user and system), wall time and peak memory are those of wait4(2).
"""

import os
import shlex
import shutil
import subprocess
import tempfile
import time
from pathlib import Path
from typing import NamedTuple

# Octets that a packet of the benchmark's capture takes in a file, 145, and some more for the list.
PACKET_OCTETS = 160


class Cost(NamedTuple):
    """What one run took."""

    cpu_s: float
    wall_s: float
    peak_mb: float


def measure(command, allowed=(0, 1)):
    """Runs a command, given as a list, and drops its output. Any other exit code than those allowed is an error."""
    with open(os.devnull, "r+b") as null, tempfile.TemporaryFile() as said:
        begin = time.perf_counter()
        try:
            process = subprocess.Popen(command, stdin=null, stdout=null, stderr=said)
        except OSError as error:
            raise SystemExit(f"{command[0]}: {error.strerror}") from None
        _, status, usage = os.wait4(process.pid, 0)
        wall_s = time.perf_counter() - begin
        process.returncode = os.waitstatus_to_exitcode(status)
        if process.returncode not in allowed:
            said.seek(0)
            last = said.read()[-2_000:].decode(errors="replace")
            command = shlex.join(map(str, command))
            raise SystemExit(f"exit code {process.returncode}: {command}\n{last}".rstrip())
    return Cost(usage.ru_utime + usage.ru_stime, wall_s, usage.ru_maxrss / 1024)


def conditions():
    """When and on what: without that, no figure means anything."""
    models = [
        line.partition(":")[2].strip()
        for line in Path("/proc/cpuinfo").read_text().splitlines()
        if line.startswith("model name")
    ]
    # An ARM says no model.
    model = models[0] if models else os.uname().machine
    load = Path("/proc/loadavg").read_text().split()[0]
    return f"{time.strftime('%Y-%m-%d', time.gmtime())}, {os.cpu_count()} x {model}, load {load}"


def medians(rounds):
    """What figures are, in words."""
    return f"medians of {rounds} rounds in turn" if rounds > 1 else "one round"


def require_space(directory, octets):
    """Ends the program when what is to be written there would not fit."""
    free = shutil.disk_usage(directory).free
    if free < octets:
        raise SystemExit(f"{directory}: {octets >> 20} MB are needed, {free >> 20} are free")


def record(page, script, text):
    """Puts what a script measured between its marks on a page."""
    page = Path(page)
    before, begin, rest = page.read_text().partition(f"<!-- {script} -->\n")
    _, end, after = rest.partition("<!-- end -->")
    if not end:
        raise SystemExit(f"{page}: the marks of {script} are gone")
    page.write_text(f"{before}{begin}{text}\n{end}{after}")


def resolved(path):
    """A path that is one to subprocess, too: a bare name would be looked for among the installed programs."""
    return Path(path).resolve()
