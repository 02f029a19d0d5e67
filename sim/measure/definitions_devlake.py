"""The four metrics as the DORA dashboard of Apache DevLake shows them.

The rules are those of `grafana/dashboards/DORA.json` of May 2026, with its report of 2023, and of
its plug-in, see :mod:`sim.records.devlake_rules`.
"""

import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from sim.export.devlake import devlake_tables
from sim.records.delivery_records import DeliveryRecords
from sim.records.devlake_rules import (
    incident_relationships,
    pull_request_metrics,
    successes,
)

from .definitions import Definition, Line

_MOST_DAYS = 400
"""The dashboard looks back so far at the most."""

Window = tuple[pd.Timestamp, pd.Timestamp]
Tables = Mapping[str, pd.DataFrame]


def devlake_definition(records: DeliveryRecords) -> Definition:
    """Return what DevLake would show of records.

    Of its own tables, `project_pr_metrics` and `project_incident_deployment_relationships` are used
    where they are there, and computed where they are not; of other records, everything is computed
    of the tables that DevLake would have of them.

    Args:
        records: from any reader.
    """
    is_own = records.tool == "devlake"
    tables = dict(records.tool_tables) if is_own else devlake_tables(records, records.epoch)
    start, end = (records.epoch + pd.Timedelta(hours=edge) for edge in records.window)
    remark = "All projects together, over the observed time; days and weeks are those of UTC."
    if not is_own:
        remark += " Its tables are made of these records: a change is a pull request."
    return Definition("DevLake", tuple(_lines(tables, (start, end))), remark)


def _lines(tables: Tables, window: Window) -> list[Line]:
    deployments = _deployments(tables)
    relationships = _relationships(tables)
    return [
        _frequency(deployments, window),
        _lead_time(tables, window),
        _failure_rate(tables, deployments, relationships, window),
        _recovery(tables, deployments, relationships, window),
    ]


def _missing(label: str, rule: str, what: str) -> Line:
    return Line(label, "—", f"{rule}. Not known: {what}", math.nan)


def lower_median(values: pd.Series) -> float:
    """Return the greatest value that at most half of the others are below; NaN without any."""
    known = np.sort(values.dropna().to_numpy(dtype=np.float64))
    return float(known[(known.size - 1) // 2]) if known.size else math.nan


def _deployments(tables: Tables) -> pd.DataFrame | None:
    """Return the successful deployments to production, with when the last part of each ended."""
    if not {"cicd_deployment_commits", "cicd_deployments"} & set(tables):
        return None
    rows = successes(tables).dropna(subset=["finished_date"])
    ended = rows.groupby("cicd_deployment_id")["finished_date"].max()
    return ended.rename("finished").reset_index()


def _inside(times: pd.Series, window: Window) -> pd.Series:
    return (times >= window[0]) & (times < window[1])


def _relationships(tables: Tables) -> pd.DataFrame | None:
    given = tables.get("project_incident_deployment_relationships")
    if given is not None:
        return given
    if "incidents" not in tables or "cicd_deployment_commits" not in tables:
        return None
    return incident_relationships(tables)


def _frequency(deployments: pd.DataFrame | None, window: Window) -> Line:
    label = "deployment days per week"
    rule = "Lower median over the weeks of the days with a deployment to production"
    if deployments is None:
        return _missing(label, rule, "deployments")
    end = window[1].tz_convert("UTC")
    last = (end - pd.Timedelta(microseconds=1)).normalize()
    first = max(window[0].tz_convert("UTC").normalize(), last - pd.Timedelta(days=_MOST_DAYS - 1))
    days = pd.date_range(first, last, freq="D")
    deployed = days.isin(deployments["finished"].dt.normalize().unique())
    week = (days - pd.to_timedelta(days.day_of_week, unit="D")).to_numpy()
    per_week = pd.Series(deployed.astype(np.int64)).groupby(week).sum()
    value = lower_median(per_week)
    return Line(label, f"{value:g}", f"{rule}; of the last {_MOST_DAYS} days at most", value)


def _lead_time(tables: Tables, window: Window) -> Line:
    label = "median lead time for changes"
    rule = (
        "Lower median of coding, opened to merged and deployment, each in minutes rounded up and "
        "left out if negative; not of the changes of first deployments"
    )
    commits = tables.get("cicd_deployment_commits")
    if "pull_requests" not in tables or commits is None:
        return _missing(label, rule, "pull requests, or the commits that were deployed")
    metrics = tables.get("project_pr_metrics")
    if metrics is None or not {"pr_cycle_time", "deployment_commit_id"} <= set(metrics):
        if "commits_diffs" not in tables:
            return _missing(label, rule, "the commits that are new in a deployment")
        metrics = pull_request_metrics(tables)
    ended = commits[["id", "finished_date"]].dropna().astype({"id": "string"})
    ended = ended[_inside(ended["finished_date"], window)]
    shown = metrics[metrics["deployment_commit_id"].astype("string").isin(ended["id"])]
    value = lower_median(shown.drop_duplicates(["id", "pr_cycle_time"])["pr_cycle_time"]) / 60.0
    return Line(label, _hours(value), rule, value)


def _failure_rate(
    tables: Tables,
    deployments: pd.DataFrame | None,
    relationships: pd.DataFrame | None,
    window: Window,
) -> Line:
    label = "change failure rate"
    rule = "Deployments with at least one incident; an incident belongs to "
    if "project_incident_deployment_relationships" in tables:
        rule += "the deployment of project_incident_deployment_relationships"
    else:
        rule += "the last successful deployment before it, however long before"
    if deployments is None or relationships is None or "incidents" not in tables:
        return _missing(label, rule, "incidents or deployments")
    counted = deployments[_inside(deployments["finished"], window)]
    there = relationships[relationships["id"].isin(tables["incidents"]["id"])]
    failed = counted["cicd_deployment_id"].isin(there["deployment_id"])
    value = float(failed.mean()) if len(counted) else math.nan
    return Line(label, "—" if math.isnan(value) else f"{100.0 * value:.1f} %", rule, value)


def _recovery(
    tables: Tables,
    deployments: pd.DataFrame | None,
    relationships: pd.DataFrame | None,
    window: Window,
) -> Line:
    label = "failed deployment recovery time"
    rule = (
        "Lower median from the end of the deployment that an incident belongs to until it is "
        "resolved, in whole minutes"
    )
    incidents = tables.get("incidents")
    if deployments is None or relationships is None or incidents is None:
        return _missing(label, rule, "incidents or deployments")
    if "resolution_date" not in incidents:
        return _missing(label, rule, "when incidents were resolved")
    counted = deployments[_inside(deployments["finished"], window)]
    of = incidents[_inside(incidents["resolution_date"], window)].astype({"id": "string"})
    pairs = (
        relationships[["id", "deployment_id"]]
        .astype("string")
        .merge(
            counted.astype({"cicd_deployment_id": "string"}),
            left_on="deployment_id",
            right_on="cicd_deployment_id",
        )
    )
    pairs = pairs.merge(of[["id", "resolution_date"]], on="id")
    seconds = (pairs["resolution_date"] - pairs["finished"]).dt.total_seconds()
    value = lower_median(pd.Series(np.trunc(seconds / 60.0))) / 60.0
    return Line(label, _hours(value), rule, value)


def _hours(value: float) -> str:
    return "—" if math.isnan(value) else f"{value:,.1f} h"
