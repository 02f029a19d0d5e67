"""What common random numbers are worth: the variance of a difference, with and without them.

Run with ``python benchmarks/common_random_numbers.py [replications]``; prints a table in Markdown.

``automation=0.6`` is compared to ``automation=0.4`` in the default organization, once with the same
seed in both arms (common random numbers) and once with another seed in one of them (independent
streams), replication by replication. The ratio of the two variances of the difference says how many
times as many independent replications the same precision would take.
"""

import sys
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

import sim
from sim.experiment.parallel import observe_all

METRICS = (
    "lead_time_h",
    "lead_time_mean_h",
    "deployment_frequency",
    "change_failure_rate",
    "time_to_restore_h",
    "time_to_restore_mean_h",
)
SEED, OTHER_SEED = 1, 2
RESAMPLES = 10_000
CONFIDENCE = 0.95

Floats = NDArray[np.float64]


def _metrics(run: sim.Run) -> Floats:
    return run.metrics()[list(METRICS)].to_numpy(dtype=np.float64)


def simulate(automation: float, seed: int, replications: int) -> Floats:
    """Return the metrics of the default organization, (replications, metrics)."""
    scenario = sim.load(f"automation={automation}")
    work = [(scenario, number) for number in range(replications)]
    return np.array(observe_all(work, seed, _metrics, scenario.n_jobs))


def resampled(values: Floats, seed: int) -> Floats:
    """Return variances of bootstrap samples of ``values``, (resamples, columns).

    Args:
        values: (replications, columns); whole rows are resampled.
        seed: of the bootstrap.
    """
    n = len(values)
    weights = np.random.default_rng(seed).multinomial(n, np.full(n, 1 / n), RESAMPLES)
    centred = values - values.mean(axis=0)
    variances: Floats = weights @ centred**2 / n - (weights @ centred / n) ** 2
    return variances * n / (n - 1)


def table(first: Floats, common: Floats, independent: Floats) -> list[Sequence[object]]:
    """Return a row per metric: ratio of variances, its interval, and the correlation of the arms.

    Args:
        first: metrics of the arm that both differences refer to, (replications, metrics).
        common: the same of the other arm, with the same seed.
        independent: the same of the other arm, with another seed.
    """
    rows: list[Sequence[object]] = []
    for column, name in enumerate(METRICS):
        a, b, c = first[:, column], common[:, column], independent[:, column]
        differences = np.column_stack([c - a, b - a])
        without, with_them = differences.var(axis=0, ddof=1)
        samples = resampled(differences, seed=column)
        tails = (1 - CONFIDENCE) / 2
        low, high = np.quantile(samples[:, 0] / samples[:, 1], [tails, 1 - tails])
        correlation = np.corrcoef(a, b)[0, 1]
        rows.append((name, without / with_them, low, high, correlation))
    return rows


def main(replications: int) -> None:
    """Simulate the three arms and print the table."""
    first = simulate(0.4, SEED, replications)
    common = simulate(0.6, SEED, replications)
    independent = simulate(0.6, OTHER_SEED, replications)
    print(f"{replications} replications of automation 0.4 and 0.6\n")
    print("| metric | ratio of variances | 95 % interval | correlation of the arms |")
    print("|---|---|---|---|")
    for name, ratio, low, high, correlation in table(first, common, independent):
        print(f"| `{name}` | {ratio:.1f} | {low:.1f} to {high:.1f} | {correlation:.2f} |")


if __name__ == "__main__":
    main(int(sys.argv[1]) if len(sys.argv) > 1 else 200)
