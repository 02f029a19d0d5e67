"""Engines: the same sweep by processes of this machine, Dask or Ray, whole, resumed or shuffled."""

import os
import secrets
import subprocess
import sys
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from little_sweeps import (
    DEADLY,
    GRID,
    Diary,
    kills_itself,
    raises,
    read_log,
    run,
    runs_out_of_memory,
    written_down,
)

from sim.experiment import engines
from sim.experiment.engines import EngineName, cores, engine
from sim.experiment.scheduler import observe
from sim.experiment.sweep import TABLE
from sim.scenario.errors import ScenarioError

SORTED = ["automation", "standardization", "replication"]
ONE_DEADLY = {"automation": (0.0, 0.25, DEADLY, 1.0)}


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """The table of the sweep with one worker."""
    folder = tmp_path_factory.mktemp("whole")
    assert len(run(folder).runs) == 60
    return (folder / TABLE).read_bytes()


def the_same_whatever_happens(folder: Path, whole: bytes, **how: object) -> None:
    """Check the table of a sweep that is run at once, in two parts, and shuffled."""
    run(folder / "at once", **how)
    assert (folder / "at once" / TABLE).read_bytes() == whole
    part = {"automation": (0.0, 0.25), "standardization": (0.0, 0.5, 1.0)}
    run(folder / "in parts", axes=part, replications=3, **how)
    diary = Diary()
    log = folder / "log"
    again = partial(written_down, str(log), "again", 0.0)
    run(folder / "in parts", watcher=diary, observe=again, **how)
    assert (folder / "in parts" / TABLE).read_bytes() == whole
    assert (diary.points, diary.replications) == (15, 60)
    assert (diary.points_done, diary.replications_done) == (15, 60)
    assert len(read_log(log)) == 60 - 18
    order = np.random.default_rng(5).permutation(15)
    assert list(order) != sorted(order)
    shuffled = run(folder / "shuffled", order=order, **how).runs
    assert (shuffled["automation"].to_numpy()[::4] != np.repeat(GRID["automation"], 3)).any()
    pd.testing.assert_frame_equal(
        in_order(shuffled), in_order(pd.read_parquet(folder / "at once" / TABLE)), check_exact=True
    )


def in_order(runs: pd.DataFrame) -> pd.DataFrame:
    """Return rows and columns in an order that that of the points does not matter for."""
    rows = runs.drop(columns="point").sort_values(SORTED, ignore_index=True)
    return rows[[*SORTED, *sorted(set(rows) - set(SORTED))]]


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_processes(n_jobs: int, whole: bytes, tmp_path: Path) -> None:
    the_same_whatever_happens(tmp_path, whole, n_jobs=n_jobs)


@pytest.mark.parametrize("n_jobs", [1, 2])
def test_a_process_that_is_killed_costs_its_points_only(n_jobs: int, tmp_path: Path) -> None:
    the_others_go_on(tmp_path, kills_itself, "worker process died", n_jobs=n_jobs)


@pytest.mark.parametrize(
    ("function", "error"),
    [
        (raises, r"ZeroDivisionError: nobody is left (little_sweeps.py, line "),
        (runs_out_of_memory, "MemoryError: no message (little_sweeps.py, line "),
    ],
)
def test_a_replication_that_raises_costs_its_point_only(
    function: object, error: str, tmp_path: Path
) -> None:
    the_others_go_on(tmp_path, function, error, n_jobs=2)


def real_simulations_are_the_same(folder: Path, **how: object) -> None:
    """Check that a sweep of simulations gives what processes on this machine give."""
    real = {"axes": {"automation": (0.0, 1.0)}, "observe": observe}
    there = run(folder / "real there", **real, **how).runs
    pd.testing.assert_frame_equal(there, run(folder / "real", **real).runs, check_exact=True)


def the_others_go_on(folder: Path, function: object, error: str, **how: object) -> None:
    """Check a sweep of which a point fails in its worker."""
    diary = Diary()
    sweep = run(folder / "failed", ONE_DEADLY, function, watcher=diary, **how)
    (failure,) = sweep.failures
    assert diary.failures == [failure]
    assert (failure.point, failure.overrides) == (2, f"automation={DEADLY}")
    assert error in failure.error
    assert "\n" not in failure.error
    sound = run(folder / "sound", ONE_DEADLY, n_jobs=how.get("n_jobs", 1)).runs
    expected = sound[sound["automation"] != DEADLY].reset_index(drop=True)
    pd.testing.assert_frame_equal(sweep.runs, expected, check_exact=True)
    assert diary.points_done == 3
    assert list(sweep.replications) == [4, 4, 0, 4]
    # Once the reason is gone, the same command runs what is missing.
    mended = run(folder / "failed", ONE_DEADLY, **how)
    assert mended.failures == ()
    pd.testing.assert_frame_equal(mended.runs, sound, check_exact=True)


@pytest.fixture(scope="module")
def reachable() -> Iterator[None]:
    """Let the workers of a cluster import the functions of these tests.

    Ray lets in who knows a word, which a process reads once: all tests use the same, made up here.
    """
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent))
        patch.setenv("RAY_AUTH_MODE", "token")
        patch.setenv("RAY_AUTH_TOKEN", secrets.token_hex(32))
        yield


@pytest.mark.slow
@pytest.mark.usefixtures("reachable")
@pytest.mark.parametrize("name", ["dask", "ray"])
def test_a_cluster_started_for_the_sweep(name: EngineName, whole: bytes, tmp_path: Path) -> None:
    sweep = run(tmp_path / "numbers", engine=name, n_jobs=2)
    assert sweep.failures == ()
    assert (tmp_path / "numbers" / TABLE).read_bytes() == whole


@pytest.fixture(scope="module")
def dask_address(reachable: None) -> Iterator[str]:
    """A Dask cluster with two workers."""
    import distributed

    with distributed.LocalCluster(
        n_workers=2,
        threads_per_worker=1,
        host="127.0.0.1",
        dashboard_address=None,
        silence_logs=50,
    ) as cluster:
        yield cluster.scheduler_address


_RAY_CLUSTER = """
import sys, ray
ray.init(
    address="local", num_cpus=2, include_dashboard=False, _node_ip_address="127.0.0.1",
    log_to_driver=False, logging_level="ERROR",
)
print(ray.get_runtime_context().gcs_address, flush=True)
sys.stdin.read()
"""


@pytest.fixture(scope="module")
def ray_address(reachable: None) -> Iterator[str]:
    """A Ray cluster with two workers, in a process of its own."""
    cluster = subprocess.Popen(
        [sys.executable, "-c", _RAY_CLUSTER],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env=os.environ | {"RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0"},
    )
    assert cluster.stdout is not None
    try:
        yield cluster.stdout.readline().strip()
    finally:
        cluster.communicate(timeout=60)


@pytest.mark.slow
def test_a_dask_cluster_by_its_address(dask_address: str, whole: bytes, tmp_path: Path) -> None:
    how = {"engine": "dask", "address": dask_address}
    the_same_whatever_happens(tmp_path, whole, **how)
    the_others_go_on(tmp_path, raises, "ZeroDivisionError: nobody is left", **how)
    real_simulations_are_the_same(tmp_path, **how)


@pytest.mark.slow
def test_a_dask_worker_that_is_killed_costs_its_points_only(
    dask_address: str, tmp_path: Path
) -> None:
    how = {"engine": "dask", "address": dask_address}
    the_others_go_on(tmp_path, kills_itself, "worker process died: KilledWorker", **how)


@pytest.mark.slow
def test_a_ray_cluster_by_its_address(ray_address: str, whole: bytes, tmp_path: Path) -> None:
    how = {"engine": "ray", "address": ray_address}
    the_same_whatever_happens(tmp_path, whole, **how)
    the_others_go_on(tmp_path, kills_itself, "worker process died: WorkerCrashedError", **how)
    real_simulations_are_the_same(tmp_path, **how)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["dask", "ray"])
def test_nothing_at_the_address(name: EngineName) -> None:
    code = f"from sim.experiment.engines import engine\nwith engine({name!r}, 1, '127.0.0.1:1'): 0"
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=45, check=False
    )
    said = f"ScenarioError: address: no {name} cluster answers at '127.0.0.1:1': "
    assert said in done.stderr


@pytest.mark.slow
def test_a_dask_cluster_without_workers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import distributed

    monkeypatch.setattr(engines, "_CONNECT_TIMEOUT_S", 1)
    with (
        distributed.LocalCluster(
            n_workers=0, host="127.0.0.1", dashboard_address=":0", silence_logs=50
        ) as empty,
        pytest.raises(ScenarioError, match="address: no dask "),
    ):
        run(tmp_path / "sweep", engine="dask", address=empty.scheduler_address)


def test_processes_have_no_address(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match="address: is of a cluster, and engine is loky"):
        run(tmp_path / "sweep", address="127.0.0.1:1")


@pytest.mark.parametrize("name", ["dask", "ray"])
def test_an_engine_that_is_not_installed(name: EngineName, monkeypatch: pytest.MonkeyPatch) -> None:
    module = {"dask": "distributed", "ray": "ray"}[name]
    monkeypatch.setitem(sys.modules, module, None)
    with (
        pytest.raises(ScenarioError, match=rf"engine: {name} is not installed; pip install"),
        engine(name),
    ):
        pass


def test_the_number_of_workers() -> None:
    with engine(n_jobs=3) as three, engine(n_jobs=-1) as all_cores:
        assert (three.workers, all_cores.workers) == (3, cores())


def test_the_same_with_real_simulations_and_two_processes(tmp_path: Path) -> None:
    settings = {"axes": {"automation": (0.0, 1.0)}, "observe": observe}
    run(tmp_path / "one", n_jobs=1, **settings)
    run(tmp_path / "two", n_jobs=2, **settings)
    assert (tmp_path / "one" / TABLE).read_bytes() == (tmp_path / "two" / TABLE).read_bytes()
