"""Limits of a sweep: time, a replication that takes too long, the first failure."""

import math
import os
import threading
import time
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from little_sweeps import DEADLY, never_ends, raises, read_log, run, written_down

from sim.experiment.scheduler import StoppedError
from sim.experiment.store import Store
from sim.experiment.sweep import STORE
from sim.experiment.time_out import TimeOutError, time_out_after
from sim.scenario.organization import Scenario

AXES = {"automation": (0.0, DEADLY, 1.0)}


@pytest.mark.parametrize("engine", ["loky", "dask", "ray"])
def test_a_replication_that_never_ends_fails_alone(
    tmp_path: Path, engine: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
    if engine != "loky":
        pytest.importorskip("distributed" if engine == "dask" else "ray")
    sweep = run(tmp_path, AXES, never_ends, replication_timeout_s=0.5, engine=engine)
    (failure,) = sweep.failures
    assert failure.overrides == f"automation={DEADLY}"
    assert failure.error == "replication 0 took longer than 0.5 s (replication_timeout_s)"
    assert list(sweep.replications) == [4, 0, 4]
    pd.testing.assert_frame_equal(
        sweep.runs.drop(columns="point"),
        run(tmp_path / "others", {"automation": (0.0, 1.0)}).runs.drop(columns="point"),
        check_exact=True,
    )


def test_a_time_out_changes_nothing_for_those_that_end(tmp_path: Path) -> None:
    limited = run(tmp_path / "limited", AXES, replication_timeout_s=600.0)
    pd.testing.assert_frame_equal(limited.runs, run(tmp_path / "free", AXES).runs)


def test_time_outs_end_blocks_in_any_thread() -> None:
    seen: list[str] = []

    def endless() -> None:
        try:
            with time_out_after(0.05):
                while True:
                    math.sqrt(2.0)
        except TimeOutError:
            seen.append("ended")

    thread = threading.Thread(target=endless)
    thread.start()
    thread.join(60)
    assert seen == ["ended"]


def test_a_block_that_catches_the_error_is_over_all_the_same() -> None:
    with pytest.raises(TimeOutError), time_out_after(0.05):
        _catch_the_error()


def _catch_the_error() -> None:
    try:
        while True:
            math.sqrt(2.0)
    except TimeOutError:
        pass


def test_blocks_that_end_about_then_end_one_way_or_the_other() -> None:
    ends = {True: 0, False: 0}
    for _ in range(300):
        try:
            with time_out_after(0.001):
                until = time.perf_counter() + 0.001
                while time.perf_counter() < until:
                    pass
        except TimeOutError:
            ends[True] += 1
        else:
            ends[False] += 1
        math.sqrt(2.0)  # an error that came late would be raised here
    assert sum(ends.values()) == 300


def test_errors_of_the_block_are_its_own() -> None:
    with pytest.raises(ZeroDivisionError), time_out_after(600.0):
        raise ZeroDivisionError


def test_the_first_failure_ends_a_sweep_that_fails_fast(tmp_path: Path) -> None:
    log = tmp_path / "log"
    observe = partial(_written_and_raising, str(log))
    axes = {"automation": (DEADLY, *(n / 100 for n in range(40)))}
    with pytest.raises(StoppedError, match=r"^stopped at the first failure \(fail_fast=true\); mi"):
        run(tmp_path / "sweep", axes, observe, fail_fast=True)
    # Two chunks for its one process were on their way when the second replication failed.
    assert read_log(log)["automation"].nunique() <= 4
    sweep = run(tmp_path / "sweep", axes)
    assert len(sweep.runs) == 41 * 4


def _written_and_raising(
    log: str, scenario: Scenario, seed: int, replication: int
) -> dict[str, float]:
    written_down(log, "fast", 0.0, scenario, seed, replication)
    return raises(scenario, seed, replication)


def test_a_failure_of_the_last_piece_of_work_leaves_nothing_to_stop(tmp_path: Path) -> None:
    sweep = run(tmp_path, {"automation": (DEADLY,)}, raises, fail_fast=True, replications=2)
    assert len(sweep.failures) == 1


def test_a_sweep_begins_nothing_after_its_time(tmp_path: Path) -> None:
    stopped = r"^stopped after 1e-09 h \(time_limit_h\); missing are 12 of 12 replications, at 3 of"
    with pytest.raises(StoppedError, match=stopped):
        run(tmp_path, AXES, time_limit_h=1e-9)
    assert len(run(tmp_path, AXES).runs) == 12
    # Where nothing is missing, there is nothing to stop.
    assert len(run(tmp_path, AXES, time_limit_h=1e-9).runs) == 12


def test_what_is_finished_at_the_limit_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # The clock is past the limit once the third replication has come back.
    finished = 0
    put = Store.put

    def count(store: Store, fingerprint: bytes, replications: Sequence[int], *rest: Any) -> None:
        nonlocal finished
        put(store, fingerprint, replications, *rest)
        finished += len(replications)

    monkeypatch.setattr(Store, "put", count)
    monkeypatch.setattr("sim.experiment.scheduler.Scheduler._is_over", lambda self: finished >= 3)
    with pytest.raises(StoppedError):
        run(tmp_path, AXES, time_limit_h=1.0)
    kept = finished
    monkeypatch.undo()
    assert 3 <= kept < 12
    assert (tmp_path / STORE).exists()
    log = tmp_path / "log"
    run(tmp_path, AXES, partial(written_down, str(log), "rest", 0.0))
    assert len(read_log(log)) == 12 - kept
