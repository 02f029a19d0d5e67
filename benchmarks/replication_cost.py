"""What a replication costs, with either kernel and in another commit: CPU time and instructions.

    python benchmarks/replication_cost.py [--against CHECKOUT] [--pairs 30] [--instructions]

``--against`` is the folder of a checkout of another commit; both run in this environment.
``--instructions`` counts with valgrind, which takes minutes, and hardly depends on other processes.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path
from statistics import median

CALLGRIND = ("valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null")
HERE = Path(__file__).resolve().parents[1]
ON_REQUEST = """
import sys, time
import sim
scenario = sim.load()
sim.simulate(scenario, seed=1, replication=0)
for line in sys.stdin:
    begun = time.process_time()
    sim.simulate(scenario, seed=1, replication=int(line))
    print(time.process_time() - begun, flush=True)
"""
SEVERAL = """
import sys
import sim
scenario = sim.load()
for replication in range(int(sys.argv[1])):
    sim.simulate(scenario, seed=1, replication=replication)
"""


def environment(checkout: Path, kernel: str) -> dict[str, str]:
    """Return the environment in which the package of ``checkout`` is used, with a kernel."""
    return {**os.environ, "PYTHONPATH": str(checkout), "MLDELIVERY_KERNEL": kernel}


def cpu_seconds(ways: dict[str, dict[str, str]], pairs: int) -> dict[str, list[float]]:
    """Return the CPU seconds of the same replications, taken in turn."""
    running = {
        name: subprocess.Popen(
            [sys.executable, "-c", ON_REQUEST],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            env=variables,
            cwd=variables["PYTHONPATH"],
        )
        for name, variables in ways.items()
    }
    taken: dict[str, list[float]] = {name: [] for name in ways}
    for replication in range(pairs):
        for name, process in running.items():
            assert process.stdin is not None
            assert process.stdout is not None
            print(replication, file=process.stdin, flush=True)
            taken[name].append(float(process.stdout.readline()))
    for process in running.values():
        process.communicate()
    return taken


def instructions(variables: dict[str, str]) -> int:
    """Return the instructions of a replication: those of two of them less those of one."""
    collected = []
    for count in (1, 2):
        found = subprocess.run(
            [*CALLGRIND, sys.executable, "-c", SEVERAL, str(count)],
            env=variables,
            cwd=variables["PYTHONPATH"],
            capture_output=True,
            text=True,
            check=True,
        )
        collected.append(int(re.findall(r"Collected : (\d+)", found.stderr)[0]))
    return collected[1] - collected[0]


def main() -> None:
    """Print a table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--against", type=Path)
    parser.add_argument("--pairs", type=int, default=30)
    parser.add_argument("--instructions", action="store_true")
    asked = parser.parse_args()
    ways = {} if asked.against is None else {"before": environment(asked.against.resolve(), "")}
    ways["kernel in Python"] = environment(HERE, "python")
    ways["compiled kernel"] = environment(HERE, "")
    taken = cpu_seconds(ways, asked.pairs)
    first = next(iter(taken.values()))
    counts = {name: instructions(way) for name, way in ways.items()} if asked.instructions else {}
    print("| way | median CPU s | faster by | instructions, millions | fewer by |")
    print("|---|---|---|---|---|")
    for name, seconds in taken.items():
        ratio = median(one / other for one, other in zip(first, seconds, strict=True))
        counted = f"{counts[name] / 1e6:,.0f}" if counts else ""
        fewer = f"{next(iter(counts.values())) / counts[name]:.2f}" if counts else ""
        print(f"| {name} | {median(seconds):.3f} | {ratio:.2f} | {counted} | {fewer} |")


if __name__ == "__main__":
    main()
