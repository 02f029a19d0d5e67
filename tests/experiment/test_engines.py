"""Engines: the same sweep by processes of this machine, Dask or Ray, whole, resumed or shuffled."""

import os
import secrets
import signal
import subprocess
import sys
import warnings
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import distributed
import loky
import numpy as np
import pandas as pd
import psutil
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
from loky.process_executor import TerminatedWorkerError
from processes import PATIENCE_S, finished_replications, interrupt, started, until

from sim.experiment import engines
from sim.experiment.engines import EngineError, EngineName, cores, engine
from sim.experiment.scheduler import observe
from sim.experiment.store import Store
from sim.experiment.sweep import STORE, TABLE
from sim.experiment.sweep_table import INCIDENTS
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
    kept = pd.read_parquet(folder / "at once" / TABLE).drop(columns=list(INCIDENTS))
    pd.testing.assert_frame_equal(in_order(shuffled), in_order(kept), check_exact=True)


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
        patch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
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
        cluster.communicate(timeout=PATIENCE_S)


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
        [sys.executable, "-c", code],
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
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


# The end of an engine

SIM = (sys.executable, "-m", "sim", "--config-name=verification/mm1")
SWEEP = (*SIM, "-m", "automation=0,1")
ENDLESS = (*SWEEP, "replications=100000", "horizon_weeks=20", "hydra.sweep.dir=mine")
GOES_ON = (
    "; what was finished is kept, and the same command with hydra.sweep.dir=mine goes on from "
    "there\n"
)

_SCHEDULER = """
import asyncio, distributed
async def run():
    async with distributed.Scheduler(host="127.0.0.1", port=0, dashboard=False) as scheduler:
        print(scheduler.address, flush=True)
        async with distributed.Worker(scheduler.address, nthreads=1):
            await scheduler.finished()
asyncio.run(run())
"""


def has_results(folder: Path) -> bool:
    """Return whether a sweep that runs has put something into its store."""
    return finished_replications(folder / "mine" / STORE) > 10


def kept(folder: Path) -> int:
    """Return how many replications a sweep has left in its store."""
    with Store(folder / "mine" / STORE) as store:
        return store.count()


@pytest.mark.slow
@pytest.mark.processes
def test_the_scheduler_of_a_dask_cluster_dies(tmp_path: Path) -> None:
    with started([sys.executable, "-c", _SCHEDULER], tmp_path) as cluster:
        until(lambda: cluster.printed.endswith("\n"))
        address = cluster.printed.strip()
        with started([*ENDLESS, "engine=dask", f"address='{address}'"], tmp_path) as sweep:
            until(lambda: has_results(tmp_path) or sweep.process.poll() is not None)
            cluster.tell(signal.SIGKILL)
            assert sweep.wait() == 1
            assert sweep.printed == ""
            what = f"the scheduler of the dask cluster at '{address}' is gone, or cannot be reached"
            assert sweep.errors == f"{what} any more{GOES_ON}"
    assert kept(tmp_path) > 0


@pytest.mark.slow
@pytest.mark.processes
@pytest.mark.usefixtures("reachable")
def test_the_head_of_a_ray_cluster_dies(tmp_path: Path) -> None:
    with started([sys.executable, "-c", _RAY_CLUSTER], tmp_path) as cluster:
        until(lambda: cluster.printed.endswith("\n"))
        address = cluster.printed.strip()
        with started([*ENDLESS, "engine=ray", f"address='{address}'"], tmp_path) as sweep:
            until(lambda: has_results(tmp_path) or sweep.process.poll() is not None)
            for process in psutil.Process(cluster.process.pid).children(recursive=True):
                if process.name().startswith("gcs_server"):
                    process.kill()
            assert sweep.wait() == 1
            what = f"the head of the ray cluster at '{address}' is gone, or cannot be reached"
            assert sweep.errors.endswith(f"{what} any more{GOES_ON}")
            assert "Traceback" not in sweep.errors
    assert kept(tmp_path) > 0


@pytest.mark.processes
@pytest.mark.parametrize(
    "name", ["loky", *(pytest.param(name, marks=pytest.mark.slow) for name in ("dask", "ray"))]
)
def test_ctrl_c_ends_a_sweep_and_all_that_it_started(name: EngineName, tmp_path: Path) -> None:
    command = [*ENDLESS, f"engine={name}", "n_jobs=2"]
    status, printed, errors = interrupt(command, tmp_path, lambda _: has_results(tmp_path))
    assert (status, printed) == (130, "")
    assert errors == f"interrupted{GOES_ON}"
    assert kept(tmp_path) > 0


@pytest.mark.processes
@pytest.mark.parametrize("name", ["loky", pytest.param("dask", marks=pytest.mark.slow)])
def test_workers_notice_that_the_sweep_was_killed(name: EngineName, tmp_path: Path) -> None:
    with started([*ENDLESS, f"engine={name}", "n_jobs=2"], tmp_path) as sweep:
        until(lambda: has_results(tmp_path) or sweep.process.poll() is not None)
        assert len(sweep.others()) >= 2
        sweep.tell(signal.SIGKILL)
        until(lambda: not sweep.others())
        assert (sweep.printed, sweep.errors) == ("", "")


@pytest.mark.slow
@pytest.mark.processes
def test_nothing_is_said_of_another_local_dask_cluster() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", UserWarning)
        with engines._local_dask(distributed, 1), engines._local_dask(distributed, 1):
            pass


@pytest.mark.processes
def test_a_worker_of_a_single_run_dies(tmp_path: Path) -> None:
    command = [*SIM, "replications=10000", "n_jobs=2"]
    with started(command, tmp_path) as run:

        def workers() -> list[psutil.Process]:
            return [
                process
                for process in map(psutil.Process, run.others())
                if "loky.backend.popen_loky_posix" in process.cmdline()
            ]

        until(lambda: (tmp_path / "results").exists() and workers())
        for process in workers():
            process.kill()
        assert run.wait() == 1
        what = "a worker process died: it was killed, ran out of memory or crashed"
        assert run.errors == f"{what}; nothing was written\n"
    assert list(tmp_path.iterdir()) == []


def test_processes_that_cannot_be_started(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise BlockingIOError(11, "Resource temporarily unavailable")

    monkeypatch.setattr("loky.get_reusable_executor", full)
    with pytest.raises(EngineError, match=r"^no worker process can be started: .*unavailable"):
        run(tmp_path / "sweep", n_jobs=2)


@pytest.mark.parametrize("times", [2, 1000])
def test_an_executor_that_breaks_before_it_is_given_anything(
    times: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sound = loky.get_reusable_executor
    broken = iter(range(times))

    class Broken:
        def submit(self, *_: object) -> None:
            raise TerminatedWorkerError("a worker was killed")

    monkeypatch.setattr(
        "loky.get_reusable_executor",
        lambda **how: sound(**how) if next(broken, None) is None else Broken(),
    )
    if times == 2:  # nothing was running, so that no point is to blame
        sweep = run(tmp_path / "sweep", {"automation": (0.0, 1.0)}, n_jobs=1)
        assert sweep.failures == ()
        assert len(sweep.runs) == 8
    else:
        with pytest.raises(EngineError, match=r"^worker processes die as soon as"):
            run(tmp_path / "sweep", {"automation": (0.0, 1.0)}, n_jobs=1)


def test_the_temporary_folder_of_ray_is_removed(tmp_path: Path) -> None:
    ray = pytest.importorskip("ray")
    with engine("ray", n_jobs=1) as started_here:
        assert started_here.submit(os.getpid).result(PATIENCE_S) != os.getpid()
        session = Path(ray.nodes()[0]["ObjectStoreSocketName"]).parents[1]
        assert (session / "logs").is_dir()
    until(lambda: not session.exists())
