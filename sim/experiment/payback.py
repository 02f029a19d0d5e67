"""Payback: what a roadmap brings, against the same organization without it, week by week."""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd

from sim.hours import HOURS_PER_WEEK
from sim.metrics import rolling_metrics
from sim.scenario.organization import Scenario

from .intervals import FloatArray, check_confidence, estimate, interval, mean_of, quantity_of
from .replicate import Study, replicate

_ROUNDING = 1e-6
"""Sums of money that differ by less are equal."""


class BreakEven(NamedTuple):
    """When a roadmap has paid for itself, in weeks; infinity if not within the horizon."""

    week: float
    """From this week on it has: the interval of the cumulated difference stays below zero."""
    earliest: float
    """Until this week it has not: from here on the lower end of the interval is below zero."""


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
                of_weeks = [quantity_of(str(metric))] * values.shape[1]
                found = mean_of(values.to_numpy(dtype=np.float64), of_weeks, 0.95)
                frames[arm, str(metric)] = pd.DataFrame(
                    {"mean": found.mean, "ci_low": found.low, "ci_high": found.high},
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
        """Return from which week on the roadmap has paid for itself, see :func:`break_even`.

        Raises:
            ValueError: the confidence is not between 0 and 1.
        """
        return break_even(self.cumulated(), adopted_week(self.investments), confidence)


def adopted_week(investments: pd.DataFrame) -> float:
    """Return the week in which the first practice of a roadmap was adopted; infinity if none was.

    Args:
        investments: the table of that name.
    """
    first = investments["adopted_at"].min()
    return math.inf if math.isnan(first) else float(first // HOURS_PER_WEEK)


def break_even(
    cumulated: FloatArray, adopted_week: float = 0.0, confidence: float = 0.95
) -> BreakEven:
    """Return from which week on something has paid for itself.

    It is the first week from which on, to the end, the interval of the mean of the cumulated
    difference in cost lies below zero: a curve that crosses zero by chance has not paid. Before
    anything is adopted nothing can have paid. Intervals are Student's, of each week for itself;
    that all later ones have to agree makes the date a careful one.

    Args:
        cumulated: how much more was spent up to the end of each week, (replications, weeks).
        adopted_week: the first week that counts.
        confidence: of the intervals.

    Raises:
        ValueError: the confidence is not between 0 and 1.
    """
    check_confidence(confidence)
    low, high = interval(estimate(cumulated), confidence)
    return BreakEven(_below_from(high, adopted_week), _below_from(low, adopted_week))


def _below_from(curve: FloatArray, first: float) -> float:
    """Return the first week, not before ``first``, from which on a curve stays below zero."""
    above = np.flatnonzero(~(curve < -_ROUNDING))
    week = max(float(above[-1]) + 1.0 if above.size else 0.0, first)
    return week if week < curve.size else math.inf


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
