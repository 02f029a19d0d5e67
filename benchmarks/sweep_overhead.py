"""What a point of a sweep costs beyond its simulation, against stock Hydra: a ratio in one run.

    python benchmarks/sweep_overhead.py

A grid of 1,000 points of the default organization, so short that hardly anything but the overhead
is left. Pure simulation is the same replications in a loop in one process. Stock Hydra runs the
same grid in fewer points, as it takes as long for each.
"""

import subprocess
import sys
import tempfile
import time
from pathlib import Path

import sim
from sim.experiment.scheduler import observe
from sim.scenario.from_data import validate
from sim.scenario.variants import with_value

POINTS = 1000
STOCK_POINTS = 50
GROUPS = ("practice/testing=none,basic,full", "practice/cicd=none,basic,full")
SHORT = ("horizon_weeks=2", "warmup_weeks=0", "replications=1", "n_jobs=1")


def grid(points: int) -> str:
    """Return a sweep over so many values of a dial."""
    return "automation=" + ",".join(f"{number / points:.6g}" for number in range(points))


def pure_seconds(points: int) -> float:
    """Return how long the simulation of the points takes, and the metrics of each."""
    data = sim.load(*SHORT).model_dump(mode="json", by_alias=True)
    scenarios = [
        validate(with_value(data, "automation", number / points)) for number in range(points)
    ]
    start = time.perf_counter()
    for scenario in scenarios:
        observe(scenario, scenario.seed, 0)
    return time.perf_counter() - start


def command_seconds(*command: str) -> float:
    """Return how long a command takes."""
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        subprocess.run([sys.executable, *command], cwd=folder, check=True, capture_output=True)
        return time.perf_counter() - start


def main() -> None:
    """Measure and print."""
    pure = pure_seconds(POINTS) / POINTS
    ours = command_seconds("-m", "sim", "-m", grid(POINTS), *SHORT)
    mixed = command_seconds("-m", "sim", "-m", *GROUPS, grid(POINTS // 9), *SHORT)
    app = str(Path(__file__).with_name("stock_hydra_app.py"))
    stock = command_seconds(app, "-m", grid(STOCK_POINTS), *SHORT)
    of_ours = ours / POINTS - pure
    of_stock = stock / STOCK_POINTS - pure
    print(f"pure simulation of a point      {1e3 * pure:8.2f} ms")
    print(f"mldelivery, beyond it           {1e3 * of_ours:8.2f} ms   ({POINTS} points)")
    of_mixed = mixed / (POINTS // 9 * 9) - pure
    print(f"the same over nine choices      {1e3 * of_mixed:8.2f} ms   ({POINTS // 9 * 9} points)")
    print(f"stock Hydra, beyond it          {1e3 * of_stock:8.2f} ms   ({STOCK_POINTS} points)")
    print(f"ratio                           {of_stock / of_ours:8.1f}")


if __name__ == "__main__":
    main()
