"""Time to restore, and the phases it is made of."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import numpy as np
import pandas as pd

from sim.log import Tables
from sim.metrics.arrays import (
    BoolArray,
    FloatArray,
    IntArray,
    Window,
    inside,
    known,
    label_positions,
    matches,
    mean,
    median,
    reals,
    table,
)
from sim.metrics.catalogue import Group, Metric, measures
from sim.metrics.dora import CAUSES

PHASES = {
    "detect": ("time to detect", "detection", "start of degradation to detected"),
    "respond": ("time to respond", "response", "detected to somebody at work on it"),
    "diagnose": ("time to diagnose", "diagnosis", "start of the response to diagnosed"),
    "remedy": ("time to remedy", "remedy", "diagnosed to restored"),
}
"""The phases of restoring in their order: label, name as a part, and what they last from and to."""


@measures(
    Metric(
        name="time_to_restore_h",
        label="time to restore",
        meaning="median from start of degradation to restored service",
        topic="restoring",
        dimension="duration",
        better="less",
        prominence="headline",
        rests_on="n_restored",
        is_certainly_positive=True,
        extremes=("shortest", "longest"),
    ),
    Metric(
        name="time_to_restore_mean_h",
        label="mean time to restore",
        meaning="mean from start of degradation to restored service",
        topic="restoring",
        dimension="duration",
        better="less",
        rests_on="n_restored",
        parts=tuple(f"{phase}_mean_h" for phase in PHASES),
        groups=tuple(
            Group(f"n_restored_{cause}", f"time_to_restore_{cause}_mean_h") for cause in CAUSES
        ),
        grouped_by="causes",
        is_certainly_positive=True,
        extremes=("shortest", "longest"),
    ),
    *(
        Metric(
            name=f"{phase}_mean_h",
            label=label,
            meaning=f"mean from {span}",
            topic="restoring",
            dimension="duration",
            better="less",
            rests_on="n_restored",
            part_label=part_label,
            part_kind="phase",
            prominence="supplement",
            is_certainly_positive=True,
        )
        for phase, (label, part_label, span) in PHASES.items()
    ),
    *(
        Metric(
            name=f"time_to_restore_{cause}_mean_h",
            label=f"mean time to restore, {words}",
            meaning=f"mean from start of degradation to restored service, of incidents by {words}",
            topic="restoring",
            dimension="duration",
            better="less",
            rests_on=f"n_restored_{cause}",
            part_label=f"incidents by {words}",
        )
        for cause, words in CAUSES.items()
    ),
)
def restore_times(tables: Tables, window: Window) -> dict[str, float]:
    """Return the times from degraded to restored, over the incidents restored in the window.

    The four phases (means) end with detected, responded, diagnosed and restored, and add up to
    `time_to_restore_mean_h`. A phase may be skipped, because an incident is resolved early (a new
    version supersedes the bad one before anybody looked) or because nobody wrote its end down: a
    missing time is taken to be the next known one, so the time since the last known phase counts
    for the phase that the incident was in when it was restored.

    Returns:
        Hours; NaN without such an incident. The phases are NaN if the time of one is absent, and
        the times by cause if that is.
    """
    incidents = table(tables, "incidents")
    started_at, restored_at = reals(incidents, "started_at"), reals(incidents, "restored_at")
    restored = inside(restored_at, window) & ~np.isnan(started_at)
    hours = (restored_at - started_at)[restored]

    def phases() -> dict[str, float]:
        # fmin passes over NaN; it also cuts off what people did after service was back.
        diagnosed_at = np.fmin(reals(incidents, "diagnosed_at"), restored_at)
        responded_at = np.fmin(reals(incidents, "responded_at"), diagnosed_at)
        detected_at = np.fmin(reals(incidents, "detected_at"), responded_at)
        return {
            "detect_mean_h": mean((detected_at - started_at)[restored]),
            "respond_mean_h": mean((responded_at - detected_at)[restored]),
            "diagnose_mean_h": mean((diagnosed_at - responded_at)[restored]),
            "remedy_mean_h": mean((restored_at - diagnosed_at)[restored]),
        }

    def of_cause(cause: str) -> float:
        return mean((restored_at - started_at)[restored & matches(incidents, "cause", cause)])

    return {
        "time_to_restore_h": median(hours),
        "time_to_restore_mean_h": mean(hours),
        **known(phases, {f"{phase}_mean_h": np.nan for phase in PHASES}),
        **{
            f"time_to_restore_{cause}_mean_h": known(partial(of_cause, cause), np.nan)
            for cause in CAUSES
        },
    }


@measures(
    Metric(
        name="failed_deployment_recovery_time_h",
        label="failed deployment recovery",
        meaning="time to restore, incidents caused by a deployment only",
        topic="restoring",
        dimension="duration",
        better="less",
        prominence="companion",
        is_certainly_positive=True,
        extremes=("shortest", "longest"),
    ),
    is_charged=True,
)
def failed_deployment_recovery_time(tables: Tables, window: Window) -> float:
    """Return the median hours from degraded to restored of the incidents that deployments caused.

    Those that spread from one to services downstream (trigger `upstream`) end with it and are not
    counted again. NaN without such an incident.
    """
    incidents = table(tables, "incidents")
    started_at, restored_at = reals(incidents, "started_at"), reals(incidents, "restored_at")
    counted = inside(restored_at, window) & ~np.isnan(started_at)
    counted &= matches(incidents, "trigger", "deployment")
    return median((restored_at - started_at)[counted])


class Restored(NamedTuple):
    """The incidents restored in the windows of some replications, (incidents,) each."""

    hours: FloatArray
    """From start of degradation to restored service."""
    cause: IntArray
    """The place of its cause in :data:`~sim.metrics.dora.CAUSES`, -1 if it is none of them."""
    by_deployment: BoolArray
    """Whether a deployment caused it."""
    replication: IntArray
    """The place of its replication among the replications."""


POOLED: dict[str, Callable[[Restored], BoolArray]] = {
    "time_to_restore_h": lambda restored: np.ones(restored.hours.size, dtype=np.bool_),
    "failed_deployment_recovery_time_h": lambda restored: restored.by_deployment,
}
"""The metrics that are medians over incidents, and over which. Of several replications the
incidents are pooled: there may be few in each."""


def restored_incidents(tables: Tables, window: Window) -> Restored:
    """Return the incidents that :data:`POOLED` metrics of a replication rest on.

    Raises:
        AbsentError: a column is absent.
    """
    incidents = table(tables, "incidents")
    started_at, restored_at = reals(incidents, "started_at"), reals(incidents, "restored_at")
    counted = np.flatnonzero(inside(restored_at, window) & ~np.isnan(started_at))
    return Restored(
        (restored_at - started_at)[counted],
        label_positions(incidents, "cause", pd.Index(list(CAUSES)))[counted],
        matches(incidents, "trigger", "deployment")[counted],
        np.zeros(counted.size, dtype=np.intp),
    )


def together(replications: Sequence[Restored]) -> Restored:
    """Return the incidents of several replications, each given as one, in their order."""
    sizes = [each.hours.size for each in replications]
    return Restored(
        np.concatenate([np.empty(0), *(each.hours for each in replications)]),
        np.concatenate([np.empty(0, np.intp), *(each.cause for each in replications)]),
        np.concatenate([np.empty(0, np.bool_), *(each.by_deployment for each in replications)]),
        np.repeat(np.arange(len(sizes)), sizes),
    )


def packed(restored: Restored) -> FloatArray:
    """Return the incidents of one replication as numbers: their count, their hours, their kinds."""
    kinds = kinds_of(restored).astype(np.float64)
    return np.concatenate([[float(restored.hours.size)], restored.hours, kinds])


def unpacked(numbers: FloatArray) -> Restored:
    """Return the incidents that :func:`packed` made numbers of."""
    n = int(numbers[0])
    return of_kinds(numbers[1 : n + 1], numbers[n + 1 :].astype(np.intp), np.zeros(n, np.intp))


def kinds_of(restored: Restored) -> IntArray:
    """Return cause and whether a deployment caused it as one number of each incident."""
    return 2 * (restored.cause + 1) + restored.by_deployment


def of_kinds(hours: FloatArray, kinds: IntArray, replication: IntArray) -> Restored:
    """Return incidents of the kinds that :func:`kinds_of` returned."""
    return Restored(hours, kinds // 2 - 1, kinds % 2 == 1, replication)


def restore_time_by_cause(tables: Tables, window: Window) -> pd.DataFrame:
    """Return the mean hours of each phase of restoring, by cause of the incident.

    Args:
        tables: Event tables, of which `incidents` is read.
        window: Start and end of the observed time, in hours.

    Returns:
        Index cause, longest mean first; columns `detect_h`, `respond_h`, `diagnose_h`, `remedy_h`
        and `incidents`, the number of incidents restored in the window. Causes without are left
        out.
    """
    rows = {}
    phase_ends = ("detected_at", "responded_at", "diagnosed_at")
    every = table(tables, "incidents", "cause", "started_at", *phase_ends, "restored_at")
    for cause, incidents in every.groupby("cause", observed=True) if len(every) else ():
        times = restore_times({"incidents": incidents}, window)
        restored = inside(reals(incidents, "restored_at"), window)
        if restored.any():
            rows[str(cause)] = {f"{phase}_h": times[f"{phase}_mean_h"] for phase in PHASES} | {
                "incidents": float(restored.sum())
            }
    columns = [*(f"{phase}_h" for phase in PHASES), "incidents"]
    frame = pd.DataFrame.from_dict(rows, orient="index", columns=columns, dtype=float)
    return longest_first(frame)


def longest_first(by_cause: pd.DataFrame) -> pd.DataFrame:
    """Return a frame of :func:`restore_time_by_cause` with the longest mean first."""
    total = by_cause.drop(columns="incidents").sum(axis="columns")
    return by_cause.loc[total.sort_values(ascending=False, kind="stable").index]
