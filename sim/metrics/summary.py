"""All metrics of one window: of the organization, of its teams and of its services."""

from typing import Literal

import numpy as np
import pandas as pd

from sim.log import Tables
from sim.metrics.arrays import (
    IntArray,
    Window,
    label_positions,
    labels,
    matches,
    reals,
    service_names,
    table,
)
from sim.metrics.catalogue import computations
from sim.metrics.dora import charged_deployments


def compute_metrics(tables: Tables, window: Window) -> "pd.Series[float]":
    """Return every metric of one window.

    Names end with their unit: `_h` hours, `_per_week`; deployment frequencies are per service and
    day, rates, shares and utilizations are between 0 and 1, `n_` are counts, costs and worth are
    in the currency of the table of prices. :mod:`sim.metrics.catalogue` says what each is. What
    there is no data for is NaN, and the count that it rests on says so.

    Args:
        tables: Event tables by name, with the columns of :data:`sim.log.SCHEMAS` that the metrics
            need; texts may be strings or categoricals, identifiers integers, floats or strings.
            `services`, `changes`, `deployments` and `incidents` have to be there, although they
            may be empty; the others may be left out.
        window: Start and end of the observed time, in hours since Monday 00:00 of week 0. An event
            at the start is in the window, one at the end is not.

    Returns:
        Metrics by name, always the same and in the same order but for the `utilization_` of each
        resource in the table of capacity.

    Raises:
        ValueError: The window is empty, or a table contradicts another or lacks a column.
    """
    if not window[0] < window[1]:
        raise ValueError(f"the window has to end after its start, not {window[0]} to {window[1]}")
    found: dict[str, float] = {}
    for computation in computations():
        found |= computation.values(tables, window)
    return pd.Series(found, dtype=np.float64)


def compute_metrics_by(
    tables: Tables, window: Window, by: Literal["team", "service"] = "team"
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
        row: dict[str, float] = {}
        for computation in computations():
            row |= computation.values(charged if computation.is_charged else part, window)
        rows.append(row)
    return pd.DataFrame(rows, index=groups.rename(by))
