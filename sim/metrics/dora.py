"""Deployment frequency, lead time, change failure rate and rework rate.

Definitions follow the wording of the State of DevOps reports (DORA, 2019; rework rate: 2024).
"""

import numpy as np

from sim.log import Tables
from sim.metrics.arrays import (
    HOURS_PER_DAY,
    BoolArray,
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
CAUSES = ("infra", "model", "data", "code", "security")


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


def change_failure_rate(
    tables: Tables, window: Window, include_decay: bool = True
) -> dict[str, float]:
    """Return the shares of the window's deployments that caused at least one incident, ever.

    An incident is charged to the deployment that its `deployment_id` names: the one that caused
    it or, if a model decayed below its objective (trigger `decay`), the one that was live. The
    split by cause gives the share of deployments with an incident of that cause, so that it may
    add up to more than the total; decay counts as a cause `model`.

    Args:
        tables: Event tables, of which `deployments` and `incidents` are read.
        window: Start and end of the observed time, in hours.
        include_decay: Whether decay is charged; `change_failure_rate_without_decay` never does.

    Returns:
        Shares between 0 and 1, NaN without deployments in the window.
    """
    deployments, incidents = table(tables, "deployments"), table(tables, "incidents")
    deployed = inside(reals(deployments, "deployed_at"), window)
    charged = positions(
        identifiers(deployments, "deployment_id"), identifiers(incidents, "deployment_id")
    )
    decay = matches(incidents, "trigger", "decay")

    def share(of_incidents: BoolArray) -> float:
        failed = np.bincount(charged[of_incidents & (charged >= 0)], minlength=len(deployments)) > 0
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


def rework_rate(tables: Tables, window: Window) -> float:
    """Return the share of the window's deployments that are unplanned remediation."""
    deployments = table(tables, "deployments")
    deployed = inside(reals(deployments, "deployed_at"), window)
    return ratio((flags(deployments, "unplanned") & deployed).sum(), deployed.sum())
