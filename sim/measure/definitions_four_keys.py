"""The four metrics as the dashboard of Four Keys shows them.

The rules are those of `dashboard/fourkeys_dashboard.json` of its last version (January 2024).
"""

import json
import math
from collections.abc import Mapping

import numpy as np
import pandas as pd

from sim.export.four_keys import four_keys_tables
from sim.records.delivery_records import DeliveryRecords
from sim.records.four_keys import deployed_changes, incident_changes

from .definitions import Definition, Line

Window = tuple[pd.Timestamp, pd.Timestamp]
Tables = Mapping[str, pd.DataFrame]


def four_keys_definition(records: DeliveryRecords) -> Definition:
    """Return what Four Keys would show of records, of the tables that it would have of them.

    Args:
        records: from any reader.
    """
    is_own = records.tool == "fourkeys"
    if is_own:
        tables = dict(records.tool_tables)
    else:
        tables = {
            name: _with_texts(table)
            for name, table in four_keys_tables(records, records.epoch).items()
        }
    start, end = (records.epoch + pd.Timedelta(hours=edge) for edge in records.window)
    remark = "Over the observed time, where the dashboard takes the last three months; UTC."
    if not is_own:
        remark += " Its tables are made of these records: a change is one push."
    window = (start, end)
    lines = (
        _frequency(tables, window),
        _lead_time(tables, window),
        _failure_rate(tables, window),
        _restore(tables, window),
    )
    return Definition("Four Keys", lines, remark)


def _with_texts(table: pd.DataFrame) -> pd.DataFrame:
    if "changes" not in table:
        return table
    texts = [json.dumps(each) for each in table["changes"]]
    return table.assign(changes=pd.array(texts, dtype="string"))


def _missing(label: str, rule: str, what: str) -> Line:
    return Line(label, "—", f"{rule}. Not known: {what}", math.nan)


def _deployments(tables: Tables, window: Window) -> pd.DataFrame | None:
    given = tables.get("deployments")
    if given is None:
        return None
    at = given["time_created"]
    return given[((at >= window[0]) & (at < window[1])).to_numpy(dtype=bool)]


def _frequency(tables: Tables, window: Window) -> Line:
    label = "deployment frequency"
    rule = (
        "Daily if the median week, from Sunday on, has at least 3 days with a deployment, weekly "
        "if it has 1, monthly if the median month has 1 such week"
    )
    deployments = _deployments(tables, window)
    if deployments is None:
        return _missing(label, rule, "deployments")
    first = window[0].tz_convert("UTC").normalize() + pd.Timedelta(days=1)
    last = (window[1].tz_convert("UTC") - pd.Timedelta(microseconds=1)).normalize()
    days = pd.date_range(first, last, freq="D")
    if not len(days):
        return _missing(label, rule, "more than a day")
    deployed = days.isin(deployments["time_created"].dt.normalize().unique())
    sunday = days - pd.to_timedelta((days.day_of_week + 1) % 7, unit="D")
    per_week = pd.Series(deployed.astype(np.int64)).groupby(sunday.to_numpy()).sum()
    weeks = (per_week > 0).astype(np.int64)
    month = pd.DatetimeIndex(per_week.index).strftime("%Y-%m")
    of_month = weeks.groupby(month).transform("sum")
    value = float(per_week.median())
    if value >= 3:
        word = "Daily"
    elif weeks.median() >= 1:
        word = "Weekly"
    else:
        word = "Monthly" if of_month.median() >= 1 else "Yearly"
    return Line(label, f"{word} ({value:g} days per week)", rule, value)


def _pairs(tables: Tables, window: Window) -> pd.DataFrame | None:
    """Return the changes of each deployment, with when both were made."""
    deployments = _deployments(tables, window)
    if deployments is None or "changes" not in deployments:
        return None
    listed = deployed_changes(deployments.drop(columns="main_commit", errors="ignore"))
    ends = deployments[["deploy_id", "time_created"]].rename(columns={"time_created": "end"})
    pairs = listed.merge(ends.astype({"deploy_id": "string"}), on="deploy_id")
    changes = tables.get("changes")
    if changes is None:
        unknown = pd.Series(pd.NaT, index=pairs.index, dtype="datetime64[us, UTC]")
        return pairs.assign(begin=unknown)
    begins = changes[["change_id", "time_created"]].rename(columns={"time_created": "begin"})
    return pairs.merge(begins.astype({"change_id": "string"}), on="change_id", how="left")


def _lead_time(tables: Tables, window: Window) -> Line:
    label = "lead time for changes"
    rule = (
        "Median over the pairs of deployment and change, in whole minutes; those of 0 or less are "
        "left out"
    )
    pairs = _pairs(tables, window)
    if pairs is None or "changes" not in tables:
        return _missing(label, rule, "changes, or which deployment has them")
    minutes = (pairs["end"] - pairs["begin"]).dt.total_seconds() // 60.0
    value = float(minutes[minutes > 0].median()) / 60.0
    return Line(label, _hours(value), rule, value)


def _failure_rate(tables: Tables, window: Window) -> Line:
    label = "change failure rate"
    rule = (
        "Rows of incidents, one for each change of a deployment that an incident names, divided by "
        "deployments that have changes; it may pass 100 %"
    )
    pairs = _pairs(tables, window)
    incidents = tables.get("incidents")
    if pairs is None or incidents is None or "changes" not in incidents:
        return _missing(label, rule, "the changes of deployments, or those that incidents name")
    if not pairs["begin"].notna().any():
        value = 0.0 if len(pairs) else math.nan
    else:
        named = incident_changes(incidents)
        value = len(pairs.merge(named, on="change_id")) / pairs["deploy_id"].nunique()
    return Line(label, "—" if math.isnan(value) else f"{100.0 * value:.1f} %", rule, value)


def _restore(tables: Tables, window: Window) -> Line:
    label = "time to restore services"
    rule = "Median from the beginning to the end of an incident, in whole hours"
    incidents = tables.get("incidents")
    if incidents is None or "time_resolved" not in incidents:
        return _missing(label, rule, "when incidents were resolved")
    at = incidents["time_created"]
    counted = incidents[((at >= window[0]) & (at < window[1])).to_numpy(dtype=bool)]
    seconds = (counted["time_resolved"] - counted["time_created"]).dt.total_seconds()
    value = float(pd.Series(np.trunc(seconds / 3600.0)).median())
    return Line(label, _hours(value), rule, value)


def _hours(value: float) -> str:
    return "—" if math.isnan(value) else f"{value:,.1f} h"
