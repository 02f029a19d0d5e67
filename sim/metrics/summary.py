"""All metrics of one window: of the organization, of its teams and of its services."""

from collections.abc import Callable
from functools import partial
from typing import Any, Literal

import numpy as np
import pandas as pd

from sim.log import Records, Tables
from sim.metrics.arrays import (
    IntArray,
    known,
    label_positions,
    labels,
    matches,
    reals,
    service_names,
    table,
)
from sim.metrics.catalogue import computations
from sim.metrics.dora import charged_deployments


def compute_metrics(records: Records) -> "pd.Series[float]":
    """Return every metric of the window of some records.

    Names end with their unit: `_h` hours, `_per_week`; deployment frequencies are per service and
    day, rates, shares and utilizations are between 0 and 1, `n_` are counts, costs and worth are
    in the currency of the records. :mod:`sim.metrics.catalogue` says what each is. What there is no
    data for is NaN, and the count that it rests on says so; a table or a column that is absent is
    no data.

    Args:
        records: Tables and window of an organization.

    Returns:
        Metrics by name, always the same and in the same order but for the `utilization_` of each
        resource in the table of capacity.

    Raises:
        ValueError: The window is empty, or a table contradicts another.
    """
    start, end = records.window
    if not start < end:
        raise ValueError(f"the window has to end after its start, not {start} to {end}")
    found: dict[str, float] = {}
    for computation in computations():
        found |= computation.values(records.tables, records.window)
    return pd.Series(found, dtype=np.float64)


def compute_metrics_by(records: Records, by: Literal["team", "service"] = "team") -> pd.DataFrame:
    """Return every metric of the window of some records for each team or each service.

    Changes, deployments, incidents, batches, quality and debt go with their service, and the
    service with the team that owns it. A deployment is charged with the incidents that it caused at
    services of other teams too, in the rates of change failure, the incidents per deployment and
    the recovery time of failed deployments. People and machines go with the team that the table of
    capacity gives their pool, if it gives one; they do not belong to a service, so by service there
    are no utilizations and hours of people. A team costs what its own people, machines and services
    cost; shared pools and tools are no team's. A service has the costs of its downtime and
    degradation alone, and no sum. A table that does not say to which service or pool its rows
    belong is as good as absent.

    Args:
        records: As for :func:`compute_metrics`.
        by: What to group by.

    Returns:
        A row per group in the order of the table of services, after them any team that owns people
        or machines and no service; columns as in :func:`compute_metrics`. No row if nobody knows
        which services, or teams, there are.
    """
    if by not in ("team", "service"):
        raise ValueError(f"metrics are grouped by 'team' or 'service', not by {by!r}")
    tables, window = records.tables, records.window
    nobody: pd.Index[Any] = pd.Index([], dtype=object)
    nothing: dict[str, pd.DataFrame] = {}
    groups = known(partial(_groups, tables, by), nobody)
    group_of_row = _groups_of_rows(tables, by, groups)
    rows = []
    for group in range(len(groups)):
        part = {name: tables[name][of_row == group] for name, of_row in group_of_row.items()}
        if "steps" in tables:
            part["steps"] = tables["steps"]  # they follow their change
        part |= known(partial(_own_prices, tables, by), nothing)
        if by == "team":
            part |= known(partial(_own_capacity, tables, groups, group), nothing)
        charged = {name: frame for name, frame in part.items() if name != "incidents"}
        charged |= known(partial(_charged_incidents, tables, charged), nothing)
        row: dict[str, float] = {}
        for computation in computations():
            row |= computation.values(charged if computation.is_charged else part, window)
        rows.append(row)
    return pd.DataFrame(rows, index=groups.rename(by))


def _groups(tables: Tables, by: str) -> "pd.Index[Any]":
    """Return the names of the groups in their order."""
    groups = labels(table(tables, "services"), by)
    if by == "team":
        owners = known(lambda: labels(table(tables, "capacity"), "team"), groups)
        groups = groups.append(owners.difference(groups, sort=False))
    return groups[groups != ""]  # shared pools have no team


def _groups_of_rows(tables: Tables, by: str, groups: "pd.Index[Any]") -> dict[str, IntArray]:
    """Return the position of the group of each row, -1 without one, of the tables that tell it."""

    def of_services(name: str) -> IntArray:
        services = table(tables, "services")
        # The extra -1 at the end is what a missing or unknown label (-1) picks.
        group_of_service = np.append(label_positions(services, by, groups), -1)
        return group_of_service[
            label_positions(table(tables, name), "service", service_names(tables))
        ]

    def of_pools(name: str) -> IntArray:
        capacity = table(tables, "capacity")
        pools = labels(capacity, "pool")
        group_of_pool = np.full(len(pools) + 1, -1)
        owner = label_positions(capacity, "team", groups)
        group_of_pool[label_positions(capacity, "pool", pools)] = owner
        return group_of_pool[label_positions(table(tables, name), "pool", pools)]

    of: dict[str, Callable[[str], IntArray]] = dict.fromkeys(
        ("services", "changes", "deployments", "incidents", "batches", "quality", "debt"),
        of_services,
    )
    if by == "team":
        of |= {"work": of_pools, "jobs": of_pools}
    found = {name: known(partial(group, name), None) for name, group in of.items()}
    return {name: group for name, group in found.items() if group is not None}


def _own_prices(tables: Tables, by: str) -> dict[str, pd.DataFrame]:
    """Return the prices of a group: tools are nobody's, which is free for a team."""
    prices = table(tables, "prices")
    tools = matches(prices, "item", "tools")
    if by == "service":
        return {"prices": prices[~tools]}
    return {"prices": prices.assign(price=np.where(tools, 0.0, reals(prices, "price")))}


def _own_capacity(tables: Tables, groups: "pd.Index[Any]", group: int) -> dict[str, pd.DataFrame]:
    """Return the capacity of a team.

    All resources stay, with nothing available, so that all teams get the same names.
    """
    capacity = table(tables, "capacity")
    own = label_positions(capacity, "team", groups) == group
    hours = [name for name in ("available_h", "paid_h") if name in capacity]
    own_h = {name: np.where(own, reals(capacity, name), 0.0) for name in hours}
    return {"capacity": capacity.assign(**own_h)}


def _charged_incidents(tables: Tables, part: Tables) -> dict[str, pd.DataFrame]:
    """Return the incidents of all services that the deployments of a group are charged with."""
    incidents = table(tables, "incidents")
    charged = charged_deployments({**part, "incidents": incidents})
    return {"incidents": incidents[charged >= 0]}
