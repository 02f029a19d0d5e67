"""Any organization that is exported and read back has the same four metrics.

What a format cannot hold is named in `tests/export/test_round_trip.py`, for each format and metric.
"""

from pathlib import Path

import numpy as np
import pytest
from exported_runs import days, exported, records_of
from random_scenarios import few_and_more, random_scenario

import sim
from sim.metrics import compute_metrics
from sim.records.csv_files import SourceError
from sim.records.reading import read

HELD = {
    "csv": (
        "deployment_frequency", "lead_time_h", "ml_lead_time_h", "change_failure_rate",
        "time_to_restore_h",
    ),
    "devlake": ("deployment_frequency", "time_to_restore_h"),
    "fourkeys": ("lead_time_h", "time_to_restore_h"),
}  # fmt: skip
"""What comes back as it was."""


@pytest.mark.parametrize("to", HELD)
@pytest.mark.parametrize("seed", few_and_more(6, 20))
def test_any_organization_comes_back(seed: int, to: str, tmp_path: Path) -> None:
    run = sim.simulate(random_scenario(seed))
    folder = exported(run, to, tmp_path / to)
    try:
        back = read(folder, reader=to, **days(run))
    except SourceError:
        assert not len(run.tables["deployments"])
        return
    truth, found = compute_metrics(records_of(run)), compute_metrics(back)
    if not len(run.tables["deployments"]):
        return  # then a format does not tell whether nothing was deployed or nobody watched
    assert not len(back.problems), list(map(str, back.problems))
    for name in HELD[to]:
        assert found[name] == pytest.approx(truth[name], abs=1e-6, rel=1e-9, nan_ok=True), name
    services = len(run.tables["services"])
    if to == "fourkeys":
        pooled = truth["deployment_frequency"] * services
        assert found["deployment_frequency"] == pytest.approx(pooled)
    if to != "csv" and back.attribution is not None and not np.isnan(truth["change_failure_rate"]):
        by_time = any("that is no evidence" in remark for remark in back.remarks)
        low, high = back.attribution.lowest, back.attribution.highest
        assert low - 1e-12 <= truth["change_failure_rate"] <= high + 1e-12
        if not by_time:
            assert low == pytest.approx(truth["change_failure_rate"])
