"""How long ``python -m sim`` takes: ``python benchmarks/command_time.py [TIMES [OVERRIDES ...]]``.

In a terminal of its own, from the start of the process to the first thing that it shows, to the
table and to its end, and the processor time of all its processes. The machine should be idle, with
two cores or more; processor time depends less on others. Then the processor time of the parts of
the command for one replication, all in one process. To compare two states of the source, let
``PYTHONPATH`` be one and the other, in turn.
"""

import os
import pty
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence

WIDTH = "110"
TABLE = b"deployment frequency"


def cpu_seconds() -> float:
    """Return the processor time of all processes that were started here and have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measure(arguments: Sequence[str]) -> dict[str, float]:
    """Run the command once, and return seconds by what they are until."""
    with tempfile.TemporaryDirectory() as folder:
        before, begun = cpu_seconds(), time.perf_counter()
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(folder)
            os.environ |= {"COLUMNS": WIDTH, "TERM": "xterm"}
            os.execv(sys.executable, [sys.executable, "-m", "sim", *arguments])
        found: dict[str, float] = {}
        shown = b""
        while True:
            try:
                piece = os.read(terminal, 65536)
            except OSError:  # the other end is closed
                break
            if not piece:
                break
            shown += piece
            found.setdefault("first sign of life", time.perf_counter() - begun)
            if TABLE in shown:
                found.setdefault("table", time.perf_counter() - begun)
        _, status = os.waitpid(pid, 0)
        os.close(terminal)
        if status:
            raise SystemExit(shown.decode())
        found["end"] = time.perf_counter() - begun
        found["processor time of all processes"] = cpu_seconds() - before
    return found


PARTS = """
import contextlib, io, sys, time
marks = {}
def mark(name):
    marks[name] = time.process_time()
import sim.app
import sim.document.terminal
simulate, show = sim.app._simulate, sim.document.terminal.print_document
def marked_simulate(scenario):
    mark("until it simulates")
    found = simulate(scenario)
    mark("one replication")
    return found
def marked_show(*arguments):
    show(*arguments)
    mark("table")
sim.app._simulate = marked_simulate
sim.app.print_document = sim.document.terminal.print_document = marked_show
with contextlib.redirect_stdout(io.StringIO()), contextlib.suppress(SystemExit):
    sim.app.main(["replications=1", "n_jobs=1", *sys.argv[1:]])
mark("figures and files")
before = 0.0
for name, at in marks.items():
    print(name, at - before, sep=",")
    before = at
"""


def parts(arguments: Sequence[str]) -> dict[str, float]:
    """Run the command once in one process, and return the processor time of its parts."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-c", PARTS, *arguments]
        done = subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    rows = [line.split(",") for line in done.stdout.splitlines()]
    return {name: float(seconds) for name, seconds in rows}


def tell(heading: str, runs: Sequence[dict[str, float]]) -> None:
    """Print the medians and the smallest values."""
    print(f"| {heading} | median s | smallest s |")
    print("|---|---|---|")
    for what in runs[0]:
        values = [run[what] for run in runs]
        print(f"| {what} | {statistics.median(values):.1f} | {min(values):.1f} |", flush=True)


def main() -> None:
    """Measure and print."""
    times = int(sys.argv[1]) if sys.argv[1:] else 3
    tell("until", [measure(sys.argv[2:]) for _ in range(times)])
    tell("processor time of", [parts(sys.argv[2:]) for _ in range(times)])


if __name__ == "__main__":
    main()
