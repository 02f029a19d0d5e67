"""Payback: what a roadmap brings, against the same organization without it, week by week."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from sim.metrics import rolling_metrics
from sim.scenario.organization import Scenario

from .intervals import FloatArray, check_confidence, estimate, interval
from .replicate import Study, replicate

_RESAMPLES = 2000


class BreakEven(NamedTuple):
    """The week from which on a roadmap has paid for itself; infinity if not within the horizon."""

    week: float
    low: float
    """Lower end of the interval."""
    high: float


@dataclass(frozen=True)
class Payback:
    """An organization with a roadmap and the same one without, with common random numbers.

    Attributes:
        invested: the organization with its roadmap.
        waited: the same without any.
    """

    invested: Study
    waited: Study

    @property
    def investments(self) -> pd.DataFrame:
        """The items of the roadmap with their dates, of the first replication."""
        return self.invested.first.tables["investments"]

    def rolling(self, weeks: int) -> pd.DataFrame:
        """Return the four metrics over the last so many weeks, as they develop.

        Returns:
            A row per arm (`invested`, `waited`), metric and week, with mean, ci_low and ci_high
            over the replications; lead time and time to restore are means, not medians.
        """
        n_services = len(self.invested.first.tables["services"])
        frames = {}
        for arm, study in (("invested", self.invested), ("waited", self.waited)):
            rolled = rolling_metrics(study.weekly, n_services, weeks)
            for metric in rolled.columns.drop(["replication", "week"]):
                values = rolled.pivot(index="replication", columns="week", values=metric)
                estimates = estimate(values.to_numpy(dtype=np.float64))
                low, high = interval(estimates, 0.95)
                frames[arm, str(metric)] = pd.DataFrame(
                    {"mean": estimates.mean, "ci_low": low, "ci_high": high},
                    index=values.columns,
                )
        return pd.concat(frames, names=["arm", "metric"])

    def cumulated(self) -> FloatArray:
        """Return how much more money was spent with the roadmap up to the end of each week.

        What the delivered features are worth is taken off.

        Returns:
            Money, (replications, weeks).
        """
        with_it, without = (
            study.weekly.pivot(index="replication", columns="week", values="net_cost")
            for study in (self.invested, self.waited)
        )
        difference: FloatArray = (with_it - without).to_numpy(dtype=np.float64)
        return np.cumsum(difference, axis=1)

    def break_even(self, confidence: float = 0.95) -> BreakEven:
        """Return from which week on the roadmap has paid for itself, with its interval.

        Raises:
            ValueError: the confidence is not between 0 and 1.
        """
        return break_even(self.cumulated(), self.invested.seed, confidence)


def break_even(cumulated: FloatArray, seed: int, confidence: float = 0.95) -> BreakEven:
    """Return from which week on something has paid for itself, with its interval.

    It is the first week after which the mean of the cumulated difference in cost never rises above
    zero again. The interval is a percentile bootstrap over the replications (Efron 1979): the date
    is no mean, so that Student's does not fit.

    Args:
        cumulated: how much more was spent up to the end of each week, (replications, weeks).
        seed: of the bootstrap.
        confidence: of the interval.

    Raises:
        ValueError: the confidence is not between 0 and 1.
    """
    check_confidence(confidence)
    n = len(cumulated)
    picks = np.random.default_rng(seed).integers(0, n, (_RESAMPLES, n))
    weights = np.apply_along_axis(np.bincount, 1, picks, minlength=n) / n
    dates = _paid_from(weights @ cumulated)
    tail = (1.0 - confidence) / 2.0
    # Without interpolation: between a week and never there is nothing.
    low, high = np.quantile(dates, [tail, 1.0 - tail], method="nearest")
    return BreakEven(float(_paid_from(cumulated.mean(axis=0)[np.newaxis])[0]), low, high)


def _paid_from(cumulated: FloatArray) -> FloatArray:
    """Return the first week after which each curve is never above zero; infinity if it is."""
    weeks = cumulated.shape[1]
    above = cumulated > 1e-6  # sums of money that differ by rounding are equal
    last = np.where(above.any(axis=1), weeks - 1 - np.argmax(above[:, ::-1], axis=1), -1)
    return np.where(last == weeks - 1, np.inf, last + 1.0)


def pay_back(
    scenario: Scenario,
    replications: int | None = None,
    seed: int | None = None,
    n_jobs: int | None = None,
    progress: Callable[[int], None] | None = None,
) -> Payback:
    """Simulate ``scenario`` with its roadmap and without, with common random numbers.

    Args:
        scenario: an organization with a roadmap.
        replications: how many of each; by default the scenario's.
        seed: root of all random numbers; by default the scenario's.
        n_jobs: parallel processes; -1 uses one per core; by default the scenario's.
        progress: called with the number of replications done, over both arms, each time one is.

    Raises:
        ValueError: the scenario has no roadmap.
    """
    if not scenario.roadmap:
        raise ValueError("without a roadmap there is nothing to pay back")
    invested = replicate(scenario, replications, seed, n_jobs, progress)
    done = len(invested.runs)
    without = scenario.model_copy(update={"roadmap": ()})
    waited = replicate(
        without,
        replications,
        seed,
        n_jobs,
        None if progress is None else lambda number: progress(done + number),
    )
    return Payback(invested, waited)
