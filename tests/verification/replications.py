"""Replications for tests against theory, and the judgement whether a mean agrees with it."""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike
from scipy import stats

import sim

# One chance in a thousand, per comparison, that a right program fails; the seeds are fixed, so a
# comparison that passes once passes always.
CONFIDENCE = 0.999


def observe(
    scenario: object, statistic: Callable[[sim.Run], ArrayLike], replications: int, seed: int = 1
) -> np.ndarray:
    """Return ``statistic`` of each replication as a row.

    They are simulated in this process: the other cores have tests of their own.
    """
    rows = [
        statistic(sim.simulate(scenario, seed=seed, replication=number))
        for number in range(replications)
    ]
    return np.array(rows, dtype=float)


def half_width(sample: np.ndarray) -> np.ndarray:
    """Return the half-width of Student's confidence interval of the mean of each column."""
    return stats.t.ppf((1 + CONFIDENCE) / 2, len(sample) - 1) * stats.sem(sample, axis=0)


def assert_agrees(sample: np.ndarray, theory: ArrayLike, precision: float = 0.1) -> None:
    """Assert that the interval of the mean contains ``theory``, and says something.

    Args:
        sample: a row per replication, a column per quantity.
        theory: the true mean of each quantity.
        precision: the interval must be narrower than this share of the theory, on each side.
    """
    mean, width = sample.mean(axis=0), half_width(sample)
    theory = np.asarray(theory, dtype=float)
    assert (width < precision * theory).all(), f"too few observations: {mean} +- {width}"
    assert (np.abs(mean - theory) < width).all(), f"{mean} +- {width} is not {theory}"


def assert_positive(differences: np.ndarray) -> None:
    """Assert that the interval of the mean difference lies above zero."""
    assert (differences.mean(axis=0) - half_width(differences) > 0).all(), differences.mean(axis=0)
