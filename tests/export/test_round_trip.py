"""A simulated organization that is exported and read back has the same four metrics."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
import rustxes
from exported_runs import EPOCH, days, exported, records_of, run_of

from sim.experiment.run import Run
from sim.metrics import compute_metrics
from sim.records.delivery_records import DeliveryRecords
from sim.records.reading import read

ORGANIZATIONS = (("default", 24, 4), ("startup", 30, 0), ("enterprise", 8, 2))
FOUR = ("deployment_frequency", "lead_time_h", "change_failure_rate", "time_to_restore_h")

CANNOT_HOLD = {
    ("devlake", "lead_time_h"): (
        "the changes of a service's first deployment are all that there was before, as far as "
        "DevLake knows"
    ),
    ("devlake", "change_failure_rate"): (
        "nothing says of an incident without a link that no deployment caused it: a lower bound; "
        "and links that time alone would make are no evidence"
    ),
    ("fourkeys", "deployment_frequency"): "there are no services: one for all",
    ("fourkeys", "change_failure_rate"): (
        "nothing says of an incident without a change that no change caused it: a lower bound"
    ),
}
"""What a format cannot hold, and why; everything else comes back as it was."""
TOLERANCE = {"csv": 1e-8, "devlake": 1e-6, "fourkeys": 1e-8}
"""Of hours: microseconds, and of DevLake milliseconds."""


def expected(run: Run, to: str, name: str, back: DeliveryRecords) -> float:
    """Return what a metric is once a format has left out what it cannot hold."""
    truth = float(compute_metrics(records_of(run))[name])
    if (to, name) not in CANNOT_HOLD:
        return truth
    if to == "fourkeys" and name == "deployment_frequency":
        return truth * len(run.tables["services"])
    if name == "lead_time_h":
        deployments = run.tables["deployments"].sort_values("deployed_at", kind="stable")
        firsts = deployments.drop_duplicates("service")["deployment_id"]
        changes = run.tables["changes"]
        changes = changes[~changes["deployment_id"].isin(firsts).fillna(False)]
        tables = {**records_of(run).tables, "changes": changes}
        return float(compute_metrics(tables_as_records(tables, run))[name])
    raise AssertionError(name)


def tables_as_records(tables: dict[str, pd.DataFrame], run: Run) -> Any:
    return type(records_of(run))(tables, run.window)


@pytest.mark.parametrize("organization", ORGANIZATIONS, ids=lambda each: each[0])
@pytest.mark.parametrize("to", TOLERANCE)
def test_the_four_metrics_come_back(
    organization: tuple[str, int, int], to: str, tmp_path: Path
) -> None:
    run = run_of(*organization)
    truth = compute_metrics(records_of(run))
    assert truth[list(FOUR)].notna().all()
    back = read(exported(run, to, tmp_path / to), **days(run))
    found = compute_metrics(back)
    assert not len(back.problems)
    for name in FOUR:
        if name == "change_failure_rate" and (to, name) in CANNOT_HOLD:
            check_bounds(back, float(truth[name]))
        else:
            wanted = expected(run, to, name, back)
            assert found[name] == pytest.approx(wanted, abs=TOLERANCE[to]), name


def check_bounds(back: DeliveryRecords, truth: float) -> None:
    """Check that the truth is the lower bound, as far as links are more than time alone."""
    assert back.attribution is not None
    by_time = any("that is no evidence" in remark for remark in back.remarks)
    low = back.attribution.lowest
    assert low == (pytest.approx(truth) if not by_time else 0.0)
    assert low - 1e-12 <= truth <= back.attribution.highest + 1e-12


@pytest.mark.parametrize("organization", ORGANIZATIONS, ids=lambda each: each[0])
def test_a_folder_of_csv_files_holds_every_metric(
    organization: tuple[str, int, int], tmp_path: Path
) -> None:
    run = run_of(*organization)
    truth = compute_metrics(records_of(run))
    found = compute_metrics(read(exported(run, "csv", tmp_path / "csv"), **days(run)))
    assert set(truth.index) == set(found.index)
    for name, value in truth.items():
        assert found[name] == pytest.approx(value, abs=1e-7, nan_ok=True), name


@pytest.mark.parametrize("organization", ORGANIZATIONS, ids=lambda each: each[0])
def test_an_independent_reader_finds_the_four_metrics_in_the_event_log(
    organization: tuple[str, int, int], tmp_path: Path
) -> None:
    run = run_of(*organization)
    log = rustxes.import_ocel_json(str(exported(run, "ocel", tmp_path / "ocel") / "log.jsonocel"))
    objects = pd.DataFrame(log["objects"].to_dict(as_series=False))
    pairs = pd.DataFrame(log["relations"].to_dict(as_series=False))
    links = pd.DataFrame(log["o2o"].to_dict(as_series=False))
    at = pd.to_datetime(pairs["ocel:timestamp"], utc=True)
    pairs["hours"] = (at - EPOCH) / pd.Timedelta(hours=1)

    def times(activity: str, kind: str) -> pd.Series:
        of = pairs[(pairs["ocel:activity"] == activity) & (pairs["ocel:type"] == kind)]
        return of.set_index("ocel:oid")["hours"]

    start, end = run.window
    truth = compute_metrics(records_of(run))

    def inside(series: pd.Series) -> pd.Series:
        return series[(series >= start) & (series < end)]

    deployed = inside(times("service deployed", "deployment"))
    n_services = (objects["ocel:type"] == "service").sum()
    per_day = len(deployed) / n_services / ((end - start) / 24.0)
    assert per_day == pytest.approx(truth["deployment_frequency"])
    shipped = inside(times("service deployed", "change"))
    lead_times = (shipped - times("change committed", "change").reindex(shipped.index)).dropna()
    assert lead_times.median() == pytest.approx(truth["lead_time_h"], abs=1e-7)
    restored = inside(times("incident restored", "incident"))
    hours = restored - times("incident started", "incident").reindex(restored.index)
    assert hours.median() == pytest.approx(truth["time_to_restore_h"], abs=1e-7)
    caused = links[links["ocel:qualifier"] == "caused by"]["ocel:oid_2"]
    rate = np.mean(deployed.index.isin(caused))
    assert rate == pytest.approx(truth["change_failure_rate"])
