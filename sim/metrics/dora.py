"""Deployment frequency, lead time, change failure rate, incidents and rework rate.

Definitions follow the wording of the State of DevOps reports (DORA, 2019; rework rate: 2024).
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import cast

import numpy as np
import pandas as pd

from sim.hours import HOURS_PER_DAY, HOURS_PER_WEEK
from sim.log import Tables
from sim.metrics.arrays import (
    BoolArray,
    FloatArray,
    IntArray,
    Window,
    flags,
    identifiers,
    inside,
    known,
    matches,
    mean,
    median,
    positions,
    ratio,
    reals,
    table,
)
from sim.metrics.catalogue import Group, Metric, Prominence, measures
from sim.metrics.flow import LEAD_TIME_PARTS

KINDS = {
    "feature": "features",
    "improvement": "improvements",
    "retrain": "retrainings",
    "fix": "fixes",
}
"""The kinds of change, and what several of one kind are called."""
CAUSES = {
    "infra": "infrastructure",
    "model": "the model",
    "data": "the data",
    "code": "the code",
    "security": "security",
    "dependency": "an interface that other services use",
}
"""The causes of incidents, as they read after "by"."""


@measures(
    Metric(
        name="deployment_frequency",
        label="deployment frequency",
        meaning="successful production deployments per service",
        topic="deployment",
        dimension="frequency",
        better="more",
        prominence="headline",
        rests_on="n_deployments",
        parts=tuple(f"deployment_frequency_{kind}" for kind in KINDS),
    ),
    *(
        Metric(
            name=f"deployment_frequency_{kind}",
            label=f"deployments of {several}",
            meaning=f"successful production deployments of {several} per service",
            topic="deployment",
            dimension="frequency",
            part_label=several,
        )
        for kind, several in KINDS.items()
    ),
)
def deployment_frequency(tables: Tables, window: Window) -> dict[str, float]:
    """Return deployments per service and day, of all kinds and of each kind of change.

    All services of the table count, those that never deployed too. Services that were watched and
    did not deploy have the frequency zero; only without services is there none (NaN).
    """
    deployments = table(tables, "deployments")
    deployed = inside(reals(deployments, "deployed_at"), window)
    service_days = len(table(tables, "services")) * (window[1] - window[0]) / HOURS_PER_DAY

    def of_kind(kind: str) -> float:
        return ratio((deployed & matches(deployments, "kind", kind)).sum(), service_days)

    return {
        "deployment_frequency": ratio(deployed.sum(), service_days),
        **{f"deployment_frequency_{kind}": known(partial(of_kind, kind), np.nan) for kind in KINDS},
    }


def _lead_time_metrics() -> Iterator[Metric]:
    groups = tuple(
        Group(f"n_changes_deployed_{kind}", f"lead_time_{kind}_mean_h") for kind in KINDS
    )
    for name, label, since, prominence, parts, of_groups in (
        (
            "lead_time",
            "lead time",
            "commit",
            "headline",
            tuple(f"lead_time_{part}_h" for part in LEAD_TIME_PARTS),
            groups,
        ),
        (
            "ml_lead_time",
            "ML lead time",
            "start of exploration or retraining trigger",
            "companion",
            (),
            (),
        ),
    ):
        a_lead_time = Metric(
            name=f"{name}_h",
            label=label,
            meaning=f"median from {since} to running in production",
            topic="deployment",
            dimension="duration",
            better="less",
            prominence=cast(Prominence, prominence),
            rests_on="n_changes_deployed",
            is_certainly_positive=True,
            extremes=("shortest", "longest"),
        )
        yield a_lead_time
        yield replace(
            a_lead_time,
            name=f"{name}_mean_h",
            label=f"mean {label}",
            meaning=f"mean from {since} to running in production",
            prominence="detail",
            parts=parts,
            groups=of_groups,
            grouped_by="kinds of change" if of_groups else "",
        )
        yield replace(
            a_lead_time,
            name=f"{name}_p90_h",
            label=f"90th percentile of {label}",
            meaning=f"nine in ten changes take no longer from {since} to production",
            prominence="detail",
        )
    for kind, several in KINDS.items():
        for name, label, statistic in (
            (f"lead_time_{kind}_h", f"lead time of {several}", "median"),
            (f"lead_time_{kind}_mean_h", f"mean lead time of {several}", "mean"),
        ):
            yield Metric(
                name=name,
                label=label,
                meaning=f"{statistic} from commit to running in production, of {several}",
                topic="deployment",
                dimension="duration",
                better="less",
                rests_on=f"n_changes_deployed_{kind}",
                part_label=several,
            )


@measures(*_lead_time_metrics())
def lead_times(tables: Tables, window: Window) -> dict[str, float]:
    """Return median, mean and 90th percentile of both lead times, in hours.

    Of `lead_time`, median and mean are also given by kind of change.

    Both end when the change runs in production, and are taken over the changes deployed in the
    window, rolled back later or not. `lead_time` starts with the commit; `ml_lead_time` with the
    trigger of a retraining (`created_at`), and with the start of the work on any other change
    (`started_at`: of a feature, its exploration).
    """
    changes = table(tables, "changes")
    deployed_at = reals(changes, "deployed_at")
    deployed = inside(deployed_at, window)

    def committed_at() -> FloatArray:
        return reals(changes, "committed_at")

    def begun_at() -> FloatArray:
        return np.where(
            matches(changes, "kind", "retrain"),
            reals(changes, "created_at"),
            reals(changes, "started_at"),
        )

    times = {}
    for name, since in (("lead_time", committed_at), ("ml_lead_time", begun_at)):
        # Without a beginning no change has a lead time.
        hours = (deployed_at - known(since, np.full(deployed_at.size, np.nan)))[deployed]
        hours = hours[~np.isnan(hours)]
        times[f"{name}_h"] = median(hours)
        times[f"{name}_mean_h"] = mean(hours)
        times[f"{name}_p90_h"] = float(np.percentile(hours, 90)) if hours.size else np.nan
    # A change without a commit has no lead time.
    hours = deployed_at - known(committed_at, np.full(deployed_at.size, np.nan))

    def of_kind(kind: str) -> FloatArray:
        found: FloatArray = hours[deployed & matches(changes, "kind", kind) & ~np.isnan(hours)]
        return found

    for kind in KINDS:
        of_this = known(partial(of_kind, kind), np.empty(0))
        times[f"lead_time_{kind}_h"] = median(of_this)
        times[f"lead_time_{kind}_mean_h"] = mean(of_this)
    return times


def charged_deployments(tables: Tables) -> IntArray:
    """Return the row of the deployment that each incident is charged to, -1 if there is none.

    It is the one that `deployment_id` names: the one that caused the incident, at its own service
    or at another, directly or by one that spread (trigger `upstream`); or, if a model decayed
    below its objective (trigger `decay`), the one that was live.
    """
    deployments, incidents = table(tables, "deployments"), table(tables, "incidents")
    return positions(
        identifiers(deployments, "deployment_id"), identifiers(incidents, "deployment_id")
    )


def has_incident(charged: IntArray, n_deployments: int) -> BoolArray:
    """Return which deployments at least one incident is charged to."""
    return np.bincount(charged[charged >= 0], minlength=n_deployments) > 0


def _first(incidents: pd.DataFrame, charged: IntArray) -> BoolArray:
    """Return which incidents are the first that their deployment is charged with."""
    unknown = np.zeros(len(incidents))
    started_at = known(partial(reals, incidents, "started_at"), unknown)
    in_time = np.argsort(started_at, kind="stable")
    first = np.zeros(len(incidents), dtype=np.bool_)
    first[in_time[np.unique(charged[in_time], return_index=True)[1]]] = True
    return first & (charged >= 0)


@measures(
    Metric(
        name="change_failure_rate",
        label="change failure rate",
        meaning="deployments that caused an incident",
        topic="failure",
        dimension="share",
        better="less",
        prominence="headline",
        rests_on="n_deployments",
        parts=tuple(f"change_failure_rate_{cause}" for cause in CAUSES),
        highest=1.0,
    ),
    Metric(
        name="change_failure_rate_without_decay",
        label="change failure rate without decay",
        meaning="deployments that caused an incident other than decay of their model",
        topic="failure",
        dimension="share",
        better="less",
        rests_on="n_deployments",
        highest=1.0,
    ),
    *(
        Metric(
            name=f"change_failure_rate_{cause}",
            label=f"failures by {words}",
            meaning=f"deployments whose first incident was caused by {words}",
            topic="failure",
            dimension="share",
            better="less",
            rests_on="n_deployments",
            part_label=words,
            highest=1.0,
        )
        for cause, words in CAUSES.items()
    ),
    is_charged=True,
)
def change_failure_rate(tables: Tables, window: Window) -> dict[str, float]:
    """Return the shares of the window's deployments that caused at least one incident, ever.

    Incidents are charged as :func:`charged_deployments` says. A deployment with several counts for
    the cause of the one that started first, so that the split by cause adds up to the total, as far
    as causes are known; decay counts as a cause `model`, and is left out of
    `change_failure_rate_without_decay` only.

    Args:
        tables: Event tables, of which `deployments` and `incidents` are read.
        window: Start and end of the observed time, in hours.

    Returns:
        Shares between 0 and 1, NaN without deployments in the window, and for what rests on a
        column that is absent.
    """
    deployments, incidents = table(tables, "deployments"), table(tables, "incidents")
    deployed = inside(reals(deployments, "deployed_at"), window)
    charged = charged_deployments(tables)

    def share(of_incidents: BoolArray) -> float:
        failed = has_incident(charged[of_incidents], len(deployments))
        return ratio((failed & deployed).sum(), deployed.sum())

    def without_decay() -> float:
        return share(~matches(incidents, "trigger", "decay"))

    def of_cause(cause: str) -> float:
        decay = matches(incidents, "trigger", "decay")
        counted = matches(incidents, "cause", cause) & ~decay
        return share(
            _first(incidents, charged) & (counted | decay if cause == "model" else counted)
        )

    return {
        "change_failure_rate": share(np.ones(len(incidents), dtype=np.bool_)),
        "change_failure_rate_without_decay": known(without_decay, np.nan),
        **{
            f"change_failure_rate_{cause}": known(partial(of_cause, cause), np.nan)
            for cause in CAUSES
        },
    }


@measures(
    Metric(
        name="change_failure_rate_unseen",
        label="failures not seen yet",
        meaning="deployments whose incident is expected after the records end",
        topic="failure",
        dimension="share",
        better="less",
        rests_on="n_deployments",
        highest=1.0,
    ),
    is_charged=True,
)
def change_failure_rate_unseen(tables: Tables, window: Window) -> float:
    """Return by how much the change failure rate would be higher if nobody had stopped looking.

    A late deployment may have a defect that has not shown itself when the records end. How many
    have one is estimated from how long the others took to fail: Kaplan and Meier's share of the
    window's deployments that fail (1958, Journal of the American Statistical Association 53(282)),
    each watched from its start to the end of the records, less the share that has failed. It looks
    as far ahead as the oldest of them has been watched.

    Returns:
        A share, at least 0; NaN without deployments in the window.
    """
    deployments, incidents = table(tables, "deployments"), table(tables, "incidents")
    deployed_at = reals(deployments, "deployed_at")
    deployed = inside(deployed_at, window)
    if not deployed.any():
        return np.nan
    started_at, charged = reals(incidents, "started_at"), charged_deployments(tables)
    failed = has_incident(charged, deployed_at.size)
    failed_at = np.full(deployed_at.size, np.nan)
    np.fmin.at(failed_at, charged[charged >= 0], started_at[charged >= 0])
    end = np.nanmax([window[1], *started_at])
    # A failure at an unknown time counts as one at once.
    watched_h = np.fmax(np.where(failed, failed_at, end) - deployed_at, 0.0)
    failed, watched_h = failed[deployed], watched_h[deployed]
    order = np.lexsort((~failed, watched_h))  # who is watched as long as another one fails is there
    survived = np.prod(1.0 - failed[order] / np.arange(failed.size, 0, -1))
    return float(max(1.0 - survived - failed.mean(), 0.0))


@measures(
    Metric(
        name="incidents_per_deployment",
        label="incidents per deployment",
        meaning="incidents that deployments triggered, per deployment",
        topic="failure",
        dimension="quantity",
        unit="per deployment",
        better="less",
        rests_on="n_deployments",
    ),
    is_charged=True,
)
def incidents_per_deployment(tables: Tables, window: Window) -> float:
    """Return the incidents that deployments triggered in the window ÷ deployments in the window.

    Incidents count where they started, at whatever service, if the deployment that triggered them
    is in the tables (it may be older than the window). One deployment can trigger several, at
    services that use its output. Incidents that spread from another one (trigger `upstream`) and
    decay are not counted. NaN without deployments in the window.
    """
    incidents = table(tables, "incidents")
    triggered = inside(reals(incidents, "started_at"), window)
    triggered &= matches(incidents, "trigger", "deployment") & (charged_deployments(tables) >= 0)
    deployed = inside(reals(table(tables, "deployments"), "deployed_at"), window)
    return ratio(triggered.sum(), deployed.sum())


@measures(
    Metric(
        name="incidents_per_week",
        label="incidents",
        meaning="incidents of any trigger that started",
        prominence="supplement",
        topic="failure",
        dimension="quantity",
        unit="per week",
        better="less",
        rests_on="n_incidents",
    )
)
def incidents_per_week(tables: Tables, window: Window) -> float:
    """Return the incidents of any trigger that started in the window, per week."""
    started = inside(reals(table(tables, "incidents"), "started_at"), window)
    return float(started.sum() * HOURS_PER_WEEK / (window[1] - window[0]))


@measures(
    Metric(
        name="rework_rate",
        label="rework rate",
        meaning="deployments that are unplanned remediation",
        topic="failure",
        dimension="share",
        better="less",
        prominence="companion",
        rests_on="n_deployments",
        highest=1.0,
    )
)
def rework_rate(tables: Tables, window: Window) -> float:
    """Return the share of the window's deployments that are unplanned remediation."""
    deployments = table(tables, "deployments")
    deployed = inside(reals(deployments, "deployed_at"), window)
    return ratio((flags(deployments, "unplanned") & deployed).sum(), deployed.sum())
