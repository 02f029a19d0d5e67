"""An adaptive sweep of 242 runs against a grid of 11 × 11 points × 20 replications (2,420 runs).

    python benchmarks/adaptive_surface.py FOLDER

Both are asked for the four metrics over automation and standardization, at the 121 points of the
grid. The truth is simulated with seeds that neither of them uses, 12 replications at each point;
points do not share their luck in it. Errors are relative, root mean square over the 121 points:

- of the grid: what the spread between replications makes of a mean of 20,
- of the adaptive sweep: the difference of its surface to the truth, less what is expected of the
  truth's own noise, over some sweeps with different seeds.

FOLDER keeps what is finished, so that the same command goes on.
"""

import itertools
import sys
from pathlib import Path

import numpy as np
import pandas as pd

import sim
from sim.metrics.catalogue import headlines

VALUES = [round(0.1 * step, 1) for step in range(11)]
GRID = list(itertools.product(VALUES, VALUES))
GRID_REPLICATIONS = 20
TRUTH_REPLICATIONS = 12
TRUTH_SEED = 770_000
SEEDS = (1, 2, 3, 4)
MAX_RUNS = 242
# What the grid promises: about twice the standard error of its means.
TARGETS = {
    "deployment_frequency": "1.6%",
    "lead_time_h": "2.3%",
    "change_failure_rate": "3.5%",
    "time_to_restore_h": "9.6%",
}


def truth(folder: Path) -> pd.DataFrame:
    """Return the replications of the truth: a row each, with `point` and the metrics."""
    axes: dict[str, list[object]] = {
        "automation": [automation for automation, _ in GRID],
        "standardization": [standardization for _, standardization in GRID],
        "seed": [TRUTH_SEED + number for number in range(len(GRID))],
    }
    base = sim.load("design=zip")
    return sim.sweep(base, axes, replications=TRUTH_REPLICATIONS, folder=folder).runs


def adaptive(folder: Path, seed: int) -> sim.Sweep:
    """Return an adaptive sweep that is asked for the four surfaces."""
    asked = [f"adaptive.surface.{name}={width}" for name, width in TARGETS.items()]
    base = sim.load("design=adaptive", *asked, f"adaptive.max_runs={MAX_RUNS}")
    unit = sim.Interval(0.0, 1.0)
    axes = {"automation": unit, "standardization": unit}
    return sim.sweep(base, axes, seed=seed, folder=folder)


def table(runs: pd.DataFrame, sweeps: list[sim.Sweep]) -> pd.DataFrame:
    """Return the errors in %, a row for each metric.

    Args:
        runs: the replications of the truth.
        sweeps: adaptive sweeps.
    """
    rows = []
    for name in headlines():
        of_points = runs.groupby("point")[name]
        mean, n = of_points.mean().to_numpy(), of_points.count().to_numpy()
        relative = of_points.var().to_numpy() / mean**2
        squares, covered = [], []
        for sweep in sweeps:
            assert sweep.answer is not None
            bands = sweep.answer.fits[name].surface.at(np.array(GRID))
            squares.append(float(np.mean((bands.mean / mean - 1.0) ** 2 - relative / n)))
            # The truth has noise of its own, which widens the intervals that should hold it.
            half = np.hypot((bands.high - bands.low) / 2.0, 1.96 * mean * np.sqrt(relative / n))
            covered.append(float(np.mean(np.abs(bands.mean - mean) <= half)))
        each = [100.0 * np.sqrt(max(square, 0.0)) for square in squares]
        rows.append(
            {
                "metric": name,
                "grid, 2,420 runs": 100.0 * np.sqrt(np.mean(relative) / GRID_REPLICATIONS),
                "adaptive": 100.0 * np.sqrt(max(np.mean(squares), 0.0)),
                "smallest": min(each),
                "largest": max(each),
                "within the intervals": 100.0 * np.mean(covered),
            }
        )
    return pd.DataFrame(rows).set_index("metric")


def main() -> None:
    folder = Path(sys.argv[1])
    runs = truth(folder / "truth")
    sweeps = [adaptive(folder / f"seed-{seed}", seed) for seed in SEEDS]
    spent = [f"{int(each.replications.sum())} at {len(each.points)} points" for each in sweeps]
    print("runs of the adaptive sweeps:", ", ".join(spent))
    print(table(runs, sweeps).round(2).to_string())


if __name__ == "__main__":
    main()
