"""Deployment frequency, lead time, change failure rate, incidents and rework rate.

Definitions follow the wording of the State of DevOps reports (DORA, 2019; rework rate: 2024).
"""

import numpy as np

from sim.log import Tables
from sim.metrics.arrays import (
    HOURS_PER_DAY,
    HOURS_PER_WEEK,
    BoolArray,
    IntArray,
    Window,
    flags,
    identifiers,
    inside,
    matches,
    mean,
    median,
    positions,
    ratio,
    reals,
    table,
)

KINDS = ("feature", "retrain", "fix", "improvement")
CAUSES = ("infra", "model", "data", "code", "security", "dependency")


def deployment_frequency(tables: Tables, window: Window) -> dict[str, float]:
    """Return deployments per service and day, of all kinds and of each kind of change.

    All services of the table count, those that never deployed too. Services that were watched and
    did not deploy have the frequency zero; only without services is there none (NaN).
    """
    deployments = table(tables, "deployments")
    deployed = inside(reals(deployments, "deployed_at"), window)
    service_days = len(table(tables, "services")) * (window[1] - window[0]) / HOURS_PER_DAY
    frequency = {"deployment_frequency": ratio(deployed.sum(), service_days)}
    for kind in KINDS:
        count = (deployed & matches(deployments, "kind", kind)).sum()
        frequency[f"deployment_frequency_{kind}"] = ratio(count, service_days)
    return frequency


def lead_times(tables: Tables, window: Window) -> dict[str, float]:
    """Return median, mean and 90th percentile of both lead times, in hours.

    Both end when the change runs in production, and are taken over the changes deployed in the
    window, rolled back later or not. `lead_time` starts with the commit; `ml_lead_time` with the
    trigger of a retraining (`created_at`), and with the start of the work on any other change
    (`started_at`: of a feature, its exploration).
    """
    changes = table(tables, "changes")
    deployed_at = reals(changes, "deployed_at")
    deployed = inside(deployed_at, window)
    begun_at = np.where(
        matches(changes, "kind", "retrain"),
        reals(changes, "created_at"),
        reals(changes, "started_at"),
    )
    times = {}
    for name, since in (("lead_time", reals(changes, "committed_at")), ("ml_lead_time", begun_at)):
        hours = (deployed_at - since)[deployed]
        hours = hours[~np.isnan(hours)]
        times[f"{name}_h"] = median(hours)
        times[f"{name}_mean_h"] = mean(hours)
        times[f"{name}_p90_h"] = float(np.percentile(hours, 90)) if hours.size else np.nan
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


def change_failure_rate(
    tables: Tables, window: Window, include_decay: bool = True
) -> dict[str, float]:
    """Return the shares of the window's deployments that caused at least one incident, ever.

    Incidents are charged as :func:`charged_deployments` says. The split by cause gives the share
    of deployments with an incident of that cause, so that it may add up to more than the total;
    decay counts as a cause `model`.

    Args:
        tables: Event tables, of which `deployments` and `incidents` are read.
        window: Start and end of the observed time, in hours.
        include_decay: Whether decay is charged; `change_failure_rate_without_decay` never does.

    Returns:
        Shares between 0 and 1, NaN without deployments in the window.
    """
    deployments, incidents = table(tables, "deployments"), table(tables, "incidents")
    deployed = inside(reals(deployments, "deployed_at"), window)
    charged = charged_deployments(tables)
    decay = matches(incidents, "trigger", "decay")

    def share(of_incidents: BoolArray) -> float:
        failed = has_incident(charged[of_incidents], len(deployments))
        return ratio((failed & deployed).sum(), deployed.sum())

    rates = {
        "change_failure_rate": share(~decay | include_decay),
        "change_failure_rate_without_decay": share(~decay),
    }
    for cause in CAUSES:
        of_cause = matches(incidents, "cause", cause) & ~decay
        if cause == "model" and include_decay:
            of_cause |= decay
        rates[f"change_failure_rate_{cause}"] = share(of_cause)
    return rates


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


def incidents_per_week(tables: Tables, window: Window) -> float:
    """Return the incidents of any trigger that started in the window, per week."""
    started = inside(reals(table(tables, "incidents"), "started_at"), window)
    return float(started.sum() * HOURS_PER_WEEK / (window[1] - window[0]))


def rework_rate(tables: Tables, window: Window) -> float:
    """Return the share of the window's deployments that are unplanned remediation."""
    deployments = table(tables, "deployments")
    deployed = inside(reals(deployments, "deployed_at"), window)
    return ratio((flags(deployments, "unplanned") & deployed).sum(), deployed.sum())
