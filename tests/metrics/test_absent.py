"""What nobody observed is no data: never an exception, never a number that pretends."""

import functools
import warnings
from typing import Literal

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sim
from sim.log import SCHEMAS, Records
from sim.metrics import compute_metrics, compute_metrics_by, weekly_series

EVERYTHING = [*SCHEMAS, *(f"{name}.{column}" for name in SCHEMAS for column in SCHEMAS[name])]


@functools.cache
def whole() -> Records:
    """Return the records of a run in which something of every kind happens."""
    scenario = sim.load("horizon_weeks=12", "warmup_weeks=4")
    return sim.simulate(scenario, seed=5).records


@functools.cache
def measured(by: Literal["team", "service", ""] = "") -> pd.DataFrame:
    """Return the metrics of these records, in one row or by team or service."""
    if by:
        return compute_metrics_by(whole(), by)
    return compute_metrics(whole()).to_frame().T


@functools.cache
def by_week() -> pd.DataFrame:
    """Return what happened in each week of these records."""
    return weekly_series(whole().tables, 12)


def without(records: Records, names: set[str]) -> Records:
    """Return records in which tables and columns are absent."""
    tables = {
        name: frame.drop(columns=[c for c in frame if f"{name}.{c}" in names])
        for name, frame in records.tables.items()
        if name not in names
    }
    return Records(tables, records.window, records.currency)


def check(found: pd.DataFrame, full: pd.DataFrame) -> None:
    """Check that each number is that of the full records, or NaN."""
    assert set(found.columns) <= set(full.columns)
    both = found.reindex(columns=full.columns)
    same = (both == full.loc[both.index]) | both.isna()
    assert same.all(axis=None), same.columns[~same.all()]


@pytest.mark.parametrize("name", EVERYTHING)
def test_a_metric_is_the_same_or_nothing_without_a_table_or_column(name: str) -> None:
    records = without(whole(), {name})
    if "." not in name or len(whole().tables[name.partition(".")[0]]) > 0:
        assert records.absent == (name,)
    check(compute_metrics(records).to_frame().T, measured())


@settings(max_examples=25, deadline=None, derandomize=True)
@given(st.sets(st.sampled_from(EVERYTHING), min_size=1))
def test_random_absence_makes_no_number_up(names: set[str]) -> None:
    records = without(whole(), names)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        check(compute_metrics(records).to_frame().T, measured())
        bys: tuple[Literal["team", "service"], ...] = ("team", "service")
        for by in bys:
            found = compute_metrics_by(records, by)
            assert found.index.isin(measured(by).index).all()
            check(found, measured(by))
        weeks = weekly_series(records.tables, 12)
        check(weeks, by_week())


def test_what_rests_on_what() -> None:
    def unknown(*names: str) -> set[str]:
        found = compute_metrics(without(whole(), set(names)))
        full = compute_metrics(whole())
        return set(full.dropna().index) - set(found.dropna().index)

    assert unknown("batches") == {"n_batches"}
    assert unknown("debt.at") == {"debt_h"}
    assert unknown("incidents.detected_at") == {
        f"{phase}_mean_h" for phase in ("detect", "respond", "diagnose", "remedy")
    }
    assert unknown("deployments.kind") == {
        f"deployment_frequency_{kind}" for kind in ("feature", "improvement", "retrain", "fix")
    }
    assert unknown("changes.committed_at") >= {"lead_time_h", "lead_time_mean_h", "lead_time_p90_h"}
    assert not unknown("changes.committed_at") & {"ml_lead_time_h", "n_changes_deployed"}
    assert not np.isnan(compute_metrics(without(whole(), {"work"}))["utilization_gpu"])
    assert np.isnan(compute_metrics(without(whole(), {"work"}))["utilization_operations"])
