"""The four metrics of real records, with intervals, and what cannot be known of them."""

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Literal

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from sim.log import Records
from sim.metrics import catalogue, compute_metrics, compute_metrics_by
from sim.metrics.arrays import (
    AbsentError,
    FloatArray,
    inside,
    known,
    reals,
    table,
)
from sim.metrics.censoring import kaplan_meier_median
from sim.metrics.dora import charged_deployments, has_incident
from sim.records.delivery_records import DeliveryRecords
from sim.report.evidence import Observation

from .bootstrap import FEWEST_WEEKS, block_length, drawn_weeks, ends, n_weeks, weeks_of


@dataclass(frozen=True)
class Durations:
    """Durations of which some are not over.

    Attributes:
        hours: of each, until now if it is not over.
        is_over: which ones are.
        at: when each began, or ended, in hours: the time that says in which week it counts.
    """

    hours: FloatArray
    is_over: "np.ndarray[tuple[int], np.dtype[np.bool_]]"
    at: FloatArray

    @property
    def n_open(self) -> int:
        """How many are not over."""
        return int((~self.is_over).sum())


def durations(records: Records, name: str, begin: str, end: str) -> Durations:
    """Return the durations of what began or ended in the window.

    If something that began in the window is not over at its end, they are those of all that began
    in the window; otherwise those of all that ended in it, as for a simulation. What was given up
    (it has an `ended_at`, and is not over otherwise) is none.

    Raises:
        AbsentError: a column is absent.
    """
    rows = table(records.tables, name)
    begun, ended = reals(rows, begin), reals(rows, end)
    stop = records.window[1]
    late = np.where(ended < stop, ended, np.nan)
    given_up = np.isnan(ended)
    if "ended_at" in rows:
        given_up &= reals(rows, "ended_at") < stop
    else:
        given_up[:] = False
    cohort = inside(begun, records.window) & ~given_up
    if (np.isnan(late) & cohort).any():
        is_over = ~np.isnan(late[cohort])
        hours = np.where(is_over, late[cohort], stop) - begun[cohort]
        return Durations(hours, is_over, begun[cohort])
    counted = inside(ended, records.window) & ~np.isnan(begun)
    hours = (ended - begun)[counted]
    return Durations(hours, np.ones(hours.size, dtype=np.bool_), ended[counted])


_DURATIONS = {
    "lead_time_h": ("changes", "committed_at", "deployed_at"),
    "time_to_restore_h": ("incidents", "started_at", "restored_at"),
}


def noun_of(name: str) -> str:
    """Return what has the durations of a median: ``change``."""
    return _DURATIONS[name][0].removesuffix("s")


_FEWEST_FAILURES = 10


def exact_interval(k: int, n: int) -> tuple[float, float]:
    """Return the ends of the 95 % interval of a share of independent events.

    They are those of Clopper and Pearson (1934, Biometrika 26(4)).

    Args:
        k: how many of them.
        n: of how many.
    """
    found = binomtest(k, n).proportion_ci()
    return float(found.low), float(found.high)


@dataclass(frozen=True, repr=False)
class Measured(Observation):
    """An organization of which there are records, as far as they can be judged.

    Attributes:
        records: what was read.
    """

    records: DeliveryRecords

    @property
    def interval_method(self) -> str:
        """How its intervals came about; empty if there are too few weeks for any."""
        weeks = n_weeks(self.records.window)
        if weeks < FEWEST_WEEKS:
            return ""
        return (
            f"The intervals draw its {weeks} weeks again, in blocks of {block_length(weeks):.0f} "
            "on average (stationary bootstrap): they hold as far as the weeks are alike. Of fewer "
            "than ten failures the interval is Clopper and Pearson's."
        )

    @property
    def basis(self) -> dict[str, int]:
        """How many durations the medians of durations rest on, those that are not over included."""
        return {
            name: int((~np.isnan(self._durations[name].hours)).sum())
            if name in self._durations
            else 0
            for name in _DURATIONS
        }

    @cached_property
    def open_durations(self) -> dict[str, int]:
        """Of the medians of durations, how many durations are not over."""
        return {name: found.n_open for name, found in self._durations.items() if found.n_open}

    @property
    def bounded(self) -> frozenset[str]:
        """The metrics of which there are only bounds."""
        of = self.records.attribution
        names = [] if of is None or of.is_certain else ["change_failure_rate"]
        return frozenset(names)

    @cached_property
    def without_bots(self) -> "pd.Series[float] | None":
        """All metrics without the changes that bots wrote; None if nobody recorded who is one."""
        by_bot = self.records.by_bot
        if by_bot is None or not by_bot.any():
            return None
        tables = {**self.records.tables, "changes": self.records.tables["changes"][~by_bot]}
        runs = Measured(replace(self.records, tables=tables, by_bot=None)).runs
        return runs.iloc[0]

    @cached_property
    def _durations(self) -> dict[str, Durations]:
        found = {}
        for name, columns in _DURATIONS.items():
            try:
                found[name] = durations(self.records, *columns)
            except AbsentError:
                continue
        return found

    @cached_property
    def runs(self) -> pd.DataFrame:
        """Its metrics, in one row; medians with open durations are Kaplan and Meier's."""
        metrics = compute_metrics(self.records)
        for name in self.open_durations:
            of = self._durations[name]
            metrics[name] = kaplan_meier_median(of.hours, of.is_over)
        return metrics.to_frame().T

    def runs_by(self, by: Literal["team", "service"]) -> pd.DataFrame:
        """Return the metrics of each team or service, in one row each, medians as in :attr:`runs`.

        Args:
            by: what to group by.
        """
        frame = compute_metrics_by(self.records, by)
        tables = self.records.tables
        for name in self.open_durations:
            rows = tables[_DURATIONS[name][0]]
            if "service" not in rows:
                continue
            group = rows["service"].astype("object")
            if by == "team":
                group = group.map(tables["services"].set_index("service")["team"].to_dict())
            for each in frame.index:
                part = {**tables, _DURATIONS[name][0]: rows[group == each]}
                of = durations(replace(self.records, tables=part), *_DURATIONS[name])
                if of.n_open:
                    frame.loc[each, name] = kaplan_meier_median(of.hours, of.is_over)
        return frame

    @cached_property
    def _summary(self) -> pd.DataFrame:
        summary = super()._summary
        for name, (low, high) in self.intervals.items():
            summary.loc[name, ["ci_low", "ci_high"]] = low, high
        return summary

    @cached_property
    def intervals(self) -> dict[str, tuple[float, float]]:
        """The 95 % intervals of the four metrics, by name; none for fewer than ten weeks."""
        window = self.records.window
        if n_weeks(window) < FEWEST_WEEKS:
            return {}
        weeks = n_weeks(window)
        draws = drawn_weeks(weeks).astype(np.float64)
        found = {}
        for name, resampled in self._resampled().items():
            values = known(partial(resampled, draws), np.full(len(draws), np.nan))
            estimate = float(self.runs[name].iloc[0])
            found[name] = ends(values, estimate, weeks, catalogue.metric(name).highest)
        rate, n = (
            float(self.runs[name].iloc[0]) for name in ("change_failure_rate", "n_deployments")
        )
        # Weeks drawn again say nothing about failures, or successes, of which there are a few.
        if min(rate, 1.0 - rate) * n < _FEWEST_FAILURES:
            found["change_failure_rate"] = exact_interval(round(rate * n), round(n))
        return found

    def _resampled(self) -> dict[str, Callable[[FloatArray], FloatArray]]:
        """Return what computes each metric of the resamples, (resamples,)."""
        records = self.records
        window = records.window

        def frequency(draws: FloatArray) -> FloatArray:
            at = reals(table(records.tables, "deployments"), "deployed_at")
            at = at[inside(at, window)]
            per_week = np.bincount(weeks_of(at, window), minlength=draws.shape[1])
            days = (window[1] - window[0]) / 24.0 * len(table(records.tables, "services"))
            per_day: FloatArray = draws @ per_week / days
            return per_day

        def failure_rate(draws: FloatArray) -> FloatArray:
            deployments = table(records.tables, "deployments")
            at = reals(deployments, "deployed_at")
            counted = inside(at, window)
            failed = has_incident(charged_deployments(records.tables), len(deployments))[counted]
            week = weeks_of(at[counted], window)
            of_all, of_failed = (
                draws @ np.bincount(week, weights=each, minlength=draws.shape[1])
                for each in (np.ones(week.size), failed.astype(np.float64))
            )
            rate = np.full(len(draws), np.nan)
            np.divide(of_failed, of_all, out=rate, where=of_all > 0.0)
            return rate

        def of_durations(name: str) -> Callable[[FloatArray], FloatArray]:
            def medians(draws: FloatArray) -> FloatArray:
                if name not in self._durations:
                    raise AbsentError(name)
                of = self._durations[name]
                if not of.hours.size:
                    return np.full(len(draws), np.nan)
                return resampled_medians(of, weeks_of(of.at, window), draws)

            return medians

        return {
            "deployment_frequency": frequency,
            "change_failure_rate": failure_rate,
            **{name: of_durations(name) for name in _DURATIONS},
        }


_MOST_WEIGHED = 20_000
"""Durations that each resample weighs one by one; of more, shares of them are as good."""


def resampled_medians(of: Durations, week: np.ndarray, draws: FloatArray) -> FloatArray:
    """Return the median of each resample, (resamples,).

    Args:
        of: the durations.
        week: in which each counts.
        draws: how often each week is drawn, (resamples, weeks).
    """
    hours, is_over = of.hours, of.is_over
    if hours.size > _MOST_WEIGHED:
        chosen = np.random.default_rng(0).choice(hours.size, _MOST_WEIGHED, replace=False)
        hours, is_over, week = hours[chosen], is_over[chosen], week[chosen]
    order = np.lexsort((~is_over, hours))
    hours, is_over, week = hours[order], is_over[order], week[order]
    if is_over.all():
        return _weighted_medians(hours, draws[:, week].astype(np.float64))
    return np.array(
        [kaplan_meier_median(hours, is_over, row[week].astype(np.float64)) for row in draws]
    )


def _weighted_medians(sorted_hours: FloatArray, weights: FloatArray) -> FloatArray:
    """Return the median of values that count as often as their weights say, (resamples,)."""
    total = weights.cumsum(axis=1)
    half = total[:, -1:] / 2.0
    lower = (total >= half - 1e-9).argmax(axis=1)
    upper = (total > half + 1e-9).argmax(axis=1)
    found = (sorted_hours[lower] + sorted_hours[upper]) / 2.0
    return np.where(total[:, -1] > 0.0, found, np.nan)
