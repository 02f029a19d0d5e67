"""Payback: what a roadmap brings, against the same organization without it.

Week by week, and before, while and after it is introduced: an average over all of these would be of
no organization that there ever is.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Literal, NamedTuple, get_args

import numpy as np
import pandas as pd

from sim.hours import HOURS_PER_WEEK
from sim.log import Records
from sim.metrics import compute_metrics, rolling_metrics
from sim.metrics.restore import Restored, restored_incidents, together
from sim.scenario.organization import Scenario
from sim.scenario.variants import with_settings

from .breakdowns import Breakdowns
from .compare import Comparison
from .intervals import FloatArray, check_confidence, estimate, interval, mean_of, quantity_of
from .parallel import observe_all
from .replicate import Observed, Study, observe, study_of
from .resources import demand, refuse_too_large
from .run import Run
from .showing import Showing

_ROUNDING = 1e-6
"""Sums of money that differ by less are equal."""


class BreakEven(NamedTuple):
    """When a roadmap has paid for itself, in weeks; infinity if not within the horizon."""

    week: float
    """From this week on it has: the interval of the cumulated difference stays below zero."""
    earliest: float
    """Until this week it has not: from here on the lower end of the interval is below zero."""


PeriodName = Literal["before", "while", "after"]
WITHOUT, WITH = "without the roadmap", "with the roadmap"
"""The arms of a comparison within a period."""


@dataclass(frozen=True)
class Period:
    """A period of a roadmap: the organization with it and the same one without, in these weeks.

    Attributes:
        name: which one.
        weeks: a row per replication that has the period: `replication`, `first`, the first week
            of it, and `end`, the week after its last.
        comparison: of the arms :data:`WITHOUT` and :data:`WITH`, over these weeks alone.
        study: the organization with the roadmap in these weeks; None if the first replication,
            whose tables are kept, has none of them.
    """

    name: PeriodName
    weeks: pd.DataFrame
    comparison: Comparison
    study: Study | None


@dataclass(frozen=True, repr=False)
class Payback(Showing):
    """An organization with a roadmap and the same one without, with common random numbers.

    Attributes:
        invested: the organization with its roadmap.
        waited: the same without any.
        periods: before, while and after it is introduced; one that no replication has is absent.
    """

    invested: Study
    waited: Study
    periods: tuple[Period, ...] = ()

    @property
    def reported(self) -> Study | None:
        """The organization with its roadmap in the last period of which there are tables."""
        found = [period.study for period in self.periods if period.study is not None]
        return found[-1] if found else None

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
    settings = with_settings(scenario, replications=replications, seed=seed, n_jobs=n_jobs)
    without = scenario.model_copy(update={"roadmap": ()})
    work = [(scenario, settings.replications), (without, settings.replications)]
    refuse_too_large(demand(work, settings.n_jobs, keeps_weeks=True), scenario.allow_large)

    def observed(arm: Scenario, weeks: Mapping[int, Weeks] | None, done: int) -> list[_Observed]:
        return observe_all(
            [(arm, number) for number in range(settings.replications)],
            settings.seed,
            _Observe(weeks),
            settings.n_jobs,
            None if progress is None else lambda number: progress(done + number),
        )

    # Of each replication first the organization with the roadmap, which says when it is adopted.
    with_it = observed(scenario, None, 0)
    weeks = {number: each.weeks for number, each in enumerate(with_it)}
    without_it = observed(without, weeks, len(with_it))
    invested = study_of(scenario, settings.seed, [each.whole for each in with_it])
    waited = study_of(without, settings.seed, [each.whole for each in without_it])
    found = [_period(name, invested, waited, with_it, without_it) for name in get_args(PeriodName)]
    return Payback(invested, waited, tuple(period for period in found if period is not None))


Weeks = Mapping[PeriodName, tuple[int, int]]
"""The periods of a replication: first week, and the week after the last."""


def weeks_of(scenario: Scenario, investments: pd.DataFrame) -> Weeks:
    """Return the periods of a roadmap in one replication; one without a week is absent.

    Before is from the end of the warm-up to the start of the first item; while until the last item
    is adopted and learnt, or until the horizon if one is not; after is the rest.

    Args:
        scenario: the organization with the roadmap.
        investments: the table of that name.
    """
    warmup, horizon = scenario.warmup_weeks, scenario.horizon_weeks
    start = max(min(item.start_week for item in scenario.roadmap), warmup)
    learned = investments["learned_at"]
    is_over = len(investments) == len(scenario.roadmap) and learned.notna().all()
    end = math.ceil(learned.max() / HOURS_PER_WEEK) if is_over else horizon
    edges = [warmup, min(start, horizon), max(start, min(end, horizon)), horizon]
    spans = dict(zip(get_args(PeriodName), pairwise(edges), strict=True))
    return {name: (first, stop) for name, (first, stop) in spans.items() if first < stop}


class _InPeriod(NamedTuple):
    metrics: "pd.Series[float]"
    restored: Restored
    breakdowns: Breakdowns


class _Observed(NamedTuple):
    whole: Observed
    weeks: Weeks
    periods: Mapping[PeriodName, _InPeriod]


@dataclass(frozen=True)
class _Observe:
    """Keeps what is needed of a replication, in periods that it has itself or is given."""

    weeks: Mapping[int, Weeks] | None

    def __call__(self, run: Run) -> _Observed:
        weeks = (
            weeks_of(run.scenario, run.tables["investments"])
            if self.weeks is None
            else self.weeks[run.replication]
        )
        found: dict[PeriodName, _InPeriod] = {}
        for name, (first, stop) in weeks.items():
            window = first * HOURS_PER_WEEK, stop * HOURS_PER_WEEK
            records = Records(run.tables, window, run.scenario.cost.currency)
            found[name] = _InPeriod(
                compute_metrics(records),
                restored_incidents(run.tables, window),
                Breakdowns.of(records),
            )
        return _Observed(observe(run), weeks, found)


def _period(
    name: PeriodName,
    invested: Study,
    waited: Study,
    with_it: Sequence[_Observed],
    without_it: Sequence[_Observed],
) -> Period | None:
    numbers = [number for number, each in enumerate(with_it) if name in each.periods]
    if not numbers:
        return None
    arms = {WITHOUT: without_it, WITH: with_it}
    found = {arm: [of[number].periods[name] for number in numbers] for arm, of in arms.items()}
    tables = {}
    for arm, each in found.items():
        tables[arm] = pd.DataFrame([one.metrics for one in each], index=range(len(numbers)))
        tables[arm].insert(0, "replication", numbers)
    restored = {arm: together([one.restored for one in each]) for arm, each in found.items()}
    runs = pd.concat([table.assign(arm=arm) for arm, table in tables.items()], ignore_index=True)
    spans = [with_it[number].weeks[name] for number in numbers]
    weeks = pd.DataFrame(spans, columns=["first", "end"])
    weeks.insert(0, "replication", numbers)
    scenarios = {WITHOUT: waited.scenario, WITH: invested.scenario}
    comparison = Comparison(scenarios, invested.seed, runs, restored)
    if numbers[0] != 0:
        return Period(name, weeks, comparison, None)
    # As if it were observed in these weeks only.
    start, end = spans[0]
    then = invested.scenario.model_copy(update={"warmup_weeks": start, "horizon_weeks": end})
    study = Study(
        then,
        invested.seed,
        tables[WITH],
        invested.weekly[invested.weekly["week"] < end],
        replace(invested.first, scenario=then),
        restored[WITH],
        Breakdowns.together([one.breakdowns for one in found[WITH]]),
    )
    return Period(name, weeks, comparison, study)
