"""All metrics of one window: of the organization, of its teams and of its services."""

from typing import Literal

import numpy as np
import pandas as pd

from sim.log import Tables
from sim.metrics.arrays import (
    IntArray,
    Window,
    inside,
    label_positions,
    labels,
    matches,
    reals,
    service_names,
    table,
)
from sim.metrics.cost import costs
from sim.metrics.debt import technical_debt
from sim.metrics.dora import (
    change_failure_rate,
    charged_deployments,
    deployment_frequency,
    incidents_per_deployment,
    incidents_per_week,
    lead_times,
    rework_rate,
)
from sim.metrics.effort import effort_by_activity
from sim.metrics.flow import (
    failed_trainings_per_week,
    lead_time_parts,
    throughput_per_week,
    work_in_progress,
)
from sim.metrics.reliability import availability, data_to_production, model_quality
from sim.metrics.restore import restore_times
from sim.metrics.stability import is_unstable
from sim.metrics.utilization import utilization


def compute_metrics(
    tables: Tables, window: Window, include_decay: bool = True
) -> "pd.Series[float]":
    """Return every metric of one window.

    Names end with their unit: `_h` hours, `_per_week`; deployment frequencies are per service and
    day, rates, shares and utilizations are between 0 and 1, `n_` are counts, costs and worth are
    in the currency of the table of prices. What there is no data for is NaN, and the count that it
    rests on says so.

    Args:
        tables: Event tables by name, with the columns of :data:`sim.log.SCHEMAS` that the metrics
            need; texts may be strings or categoricals, identifiers integers, floats or strings.
            `services`, `changes`, `deployments` and `incidents` have to be there, although they
            may be empty; the others may be left out.
        window: Start and end of the observed time, in hours since Monday 00:00 of week 0. An event
            at the start is in the window, one at the end is not.
        include_decay: Whether incidents by decay below the objective count as failures of the
            deployment that was live (in `change_failure_rate` and its split by cause).

    Returns:
        Metrics by name, always the same and in the same order but for the `utilization_` of each
        resource in the table of capacity.

    Raises:
        ValueError: The window is empty, or a table contradicts another or lacks a column.
    """
    if not window[0] < window[1]:
        raise ValueError(f"the window has to end after its start, not {window[0]} to {window[1]}")
    return pd.Series(
        {
            **deployment_frequency(tables, window),
            **lead_times(tables, window),
            **change_failure_rate(tables, window, include_decay),
            **restore_times(tables, window),
            "rework_rate": rework_rate(tables, window),
            "incidents_per_week": incidents_per_week(tables, window),
            "incidents_per_deployment": incidents_per_deployment(tables, window),
            "availability": availability(tables, window),
            **model_quality(tables, window),
            "data_to_production_h": data_to_production(tables, window),
            "work_in_progress": work_in_progress(tables, window),
            "throughput_per_week": throughput_per_week(tables, window),
            "failed_trainings_per_week": failed_trainings_per_week(tables, window),
            **lead_time_parts(tables, window),
            **effort_by_activity(tables, window),
            **utilization(tables, window),
            "debt_h": technical_debt(tables, window),
            **costs(tables, window),
            **_counts(tables, window),
            "unstable": float(is_unstable(table(tables, "changes"), window)),
        },
        dtype=np.float64,
    )


def _counts(tables: Tables, window: Window) -> dict[str, float]:
    """Return the counts that the metrics rest on, and what was left undone at the window's end."""
    changes, incidents = table(tables, "changes"), table(tables, "incidents")
    started_at, restored_at = reals(incidents, "started_at"), reals(incidents, "restored_at")
    deployed_at = reals(table(tables, "deployments"), "deployed_at")
    arrived_at = reals(table(tables, "batches"), "arrived_at")
    _, end = window
    # A missing time is not before anything, so what has no end is not over.
    unfinished = (reals(changes, "started_at") < end) & ~(reals(changes, "ended_at") < end)
    return {
        "n_services": float(len(table(tables, "services"))),
        "n_deployments": float(inside(deployed_at, window).sum()),
        "n_changes_deployed": float(inside(reals(changes, "deployed_at"), window).sum()),
        "n_incidents": float(inside(started_at, window).sum()),
        "n_restored": float(inside(restored_at, window).sum()),
        "n_unfinished": float(unfinished.sum()),
        "n_open_incidents": float(((started_at < end) & ~(restored_at < end)).sum()),
        "n_batches": float(inside(arrived_at, window).sum()),
    }


def compute_metrics_by(
    tables: Tables,
    window: Window,
    by: Literal["team", "service"] = "team",
    include_decay: bool = True,
) -> pd.DataFrame:
    """Return every metric of one window for each team or each service.

    Changes, deployments, incidents, batches, quality and debt go with their service, and the
    service with the team that owns it. A deployment is charged with the incidents that it caused at
    services of other teams too, in the rates of change failure, the incidents per deployment and
    the recovery time of failed deployments. People and machines go with the team that the table of
    capacity gives their pool, if it gives one; they do not belong to a service, so by service there
    are no utilizations and hours of people. A team costs what its own people, machines and services
    cost; shared pools and tools are no team's. A service has the costs of its downtime and
    degradation alone, and no sum.

    Args:
        tables: As for :func:`compute_metrics`.
        window: As for :func:`compute_metrics`.
        by: What to group by.
        include_decay: As for :func:`compute_metrics`.

    Returns:
        A row per group in the order of the table of services, after them any team that owns people
        or machines and no service; columns as in :func:`compute_metrics`.
    """
    if by not in ("team", "service"):
        raise ValueError(f"metrics are grouped by 'team' or 'service', not by {by!r}")
    services, capacity = table(tables, "services"), table(tables, "capacity")
    prices, incidents = table(tables, "prices"), table(tables, "incidents")
    tools = matches(prices, "item", "tools")
    names = service_names(tables)
    groups = labels(services, by)
    group_of_row: dict[str, IntArray] = {}
    if by == "team":
        groups = groups.append(labels(capacity, "team").difference(groups, sort=False))
        groups = groups[groups != ""]  # shared pools have no team
        pools = labels(capacity, "pool")
        # The extra -1 at the end is what a missing or unknown label (-1) picks.
        group_of_pool = np.full(len(pools) + 1, -1)
        owner = label_positions(capacity, "team", groups)
        group_of_pool[label_positions(capacity, "pool", pools)] = owner
        for name in {"work", "jobs"} & tables.keys():
            group_of_row[name] = group_of_pool[label_positions(table(tables, name), "pool", pools)]
    group_of_service = np.append(label_positions(services, by, groups), -1)
    for name in ("services", "changes", "deployments", "incidents", "batches", "quality", "debt"):
        if name not in tables:
            continue
        service = label_positions(table(tables, name), "service", names)
        group_of_row[name] = group_of_service[service]

    recovery = "failed_deployment_recovery_time_h"
    rows = []
    for group in range(len(groups)):
        part = {name: table(tables, name)[of_row == group] for name, of_row in group_of_row.items()}
        if "steps" in tables:
            part["steps"] = tables["steps"]  # they follow their change
        part["prices"] = prices[~tools]
        if by == "team":
            if "capacity" in tables:
                # All resources stay, with nothing available, so that all rows get the same names.
                own = owner == group
                hours = [name for name in ("available_h", "paid_h") if name in capacity]
                part["capacity"] = capacity.assign(
                    **{name: np.where(own, reals(capacity, name), 0.0) for name in hours}
                )
            part["prices"] = prices.assign(price=np.where(tools, 0.0, reals(prices, "price")))
        charged = dict(part, incidents=incidents)
        charged["incidents"] = incidents[charged_deployments(charged) >= 0]
        rows.append(
            {
                **compute_metrics(part, window, include_decay),
                **change_failure_rate(charged, window, include_decay),
                "incidents_per_deployment": incidents_per_deployment(charged, window),
                recovery: restore_times(charged, window)[recovery],
            }
        )
    return pd.DataFrame(rows, index=groups.rename(by))
