"""Work in parallel: what is worth a process, and what is not."""

import pytest

import sim
from sim.experiment.parallel import in_parallel


def test_a_single_piece_of_work_starts_no_process(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sim.experiment.parallel.engine", None)
    assert in_parallel(len, [("abc",)], n_jobs=2) == [3]
    scenario = sim.load("horizon_weeks=12", "n_jobs=2", config="verification/mm1")
    assert len(sim.replicate(scenario, replications=1).runs) == 1
