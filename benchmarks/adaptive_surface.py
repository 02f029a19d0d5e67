"""An adaptive sweep of 242 runs against a grid of 11 × 11 points × 20 replications (2,420 runs).

    python benchmarks/adaptive_surface.py FOLDER [replications of the truth] [sweeps]

Both are asked for the four metrics over automation and standardization, at the 121 points of the
grid. The truth is simulated with seeds that neither of them uses, at each point with luck of its
own. Errors are relative, root mean square over the 121 points:

- of the grid: what the spread between replications makes of a mean of 20,
- of the adaptive sweeps, over all of them: the difference of the surface to the truth, less what is
  expected of the truth's own noise; `at most` is the end of a one-sided 95 % interval, for that
  noise; `between` is how far the sweeps lie from their mean, the part of the error that is chance.

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
TRUTH_SEED = 770_000
MAX_RUNS = 242
# What the grid promises: about twice the standard error of its means.
TARGETS = {
    "deployment_frequency": "1.6%",
    "lead_time_h": "2.3%",
    "change_failure_rate": "3.5%",
    "time_to_restore_h": "9.6%",
}


def truth(folder: Path, replications: int) -> pd.DataFrame:
    """Return the replications of the truth: a row each, with `point` and the metrics."""
    axes: dict[str, list[object]] = {
        "automation": [automation for automation, _ in GRID],
        "standardization": [standardization for _, standardization in GRID],
        "seed": [TRUTH_SEED + number for number in range(len(GRID))],
    }
    base = sim.load("design=zip")
    return sim.sweep(base, axes, replications=replications, folder=folder).runs


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
        noise = relative / n
        squares, covered, surfaces = [], [], []
        for sweep in sweeps:
            assert sweep.answer is not None
            bands = sweep.answer.fits[name].surface.at(np.array(GRID))
            surfaces.append(bands.mean / mean)
            squares.append((bands.mean / mean - 1.0) ** 2 - noise)
            # The truth has noise of its own, which widens the intervals that should hold it.
            half = np.hypot((bands.high - bands.low) / 2.0, 1.96 * mean * np.sqrt(noise))
            covered.append(float(np.mean(np.abs(bands.mean - mean) <= half)))
        each = [100.0 * np.sqrt(max(float(np.mean(square)), 0.0)) for square in squares]
        square = max(float(np.mean(squares)), 0.0)
        # Of the square of a normal number with this variance, around an error of the surface.
        spread = np.sqrt(np.sum(2.0 * noise**2 + 4.0 * noise * square)) / len(GRID)
        rows.append(
            {
                "metric": name,
                "grid, 2,420 runs": 100.0 * np.sqrt(np.mean(relative) / GRID_REPLICATIONS),
                "adaptive": 100.0 * np.sqrt(square),
                "at most": 100.0 * np.sqrt(square + 1.645 * spread),
                "between": 100.0 * np.sqrt(np.mean(np.var(surfaces, axis=0, ddof=1))),
                "smallest": min(each),
                "largest": max(each),
                "within the intervals": 100.0 * np.mean(covered),
            }
        )
    return pd.DataFrame(rows).set_index("metric")


def main() -> None:
    folder = Path(sys.argv[1])
    replications, number = (int(text) for text in [*sys.argv[2:], *("8", "4")[len(sys.argv) - 2 :]])
    runs = truth(folder / "truth", replications)
    sweeps = [adaptive(folder / f"seed-{seed}", seed) for seed in range(1, number + 1)]
    spent = [f"{int(each.replications.sum())} at {len(each.points)} points" for each in sweeps]
    print("runs of the adaptive sweeps:", ", ".join(spent))
    print(table(runs, sweeps).round(2).to_string())


if __name__ == "__main__":
    main()
