"""A sweep whose process is killed goes on where it was, and its numbers are the same.

The processes are forked from one that has everything imported, which saves seconds for each.
"""

import functools
import itertools
import multiprocessing
import os
import time
from collections.abc import Callable, Iterator
from multiprocessing.context import ForkServerProcess
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest
from little_sweeps import (
    GRID,
    Diary,
    leave_after,
    numbers,
    read_log,
    run,
    run_and_die_while_writing_the_table,
    run_written_down,
    small,
)
from processes import finished_replications, until

from sim.experiment.axes import Axis
from sim.experiment.fingerprint import fingerprint
from sim.experiment.intervals import FloatArray
from sim.experiment.scheduler import observe
from sim.experiment.store import Store
from sim.experiment.sweep import STORE, TABLE, check_points, design_variants
from sim.experiment.sweep_record import READABLE
from sim.experiment.sweep_table import INCIDENTS
from sim.scenario.from_data import validate
from sim.scenario.organization import Scenario
from sim.scenario.variants import Composed

Key = tuple[float, float, int]
"""Automation, standardization and replication."""

MANY = {"automation": tuple(np.arange(10) / 10.0), "standardization": (0.0, 0.25, 0.5, 1.0)}
REPLICATIONS = 20
IN_FLIGHT = 2 * 2 * REPLICATIONS
"""Two workers with two points each, one at work and one waiting."""


@pytest.fixture(scope="module")
def start() -> Iterator[Callable[..., ForkServerProcess]]:
    """Return what starts a function in a process of its own."""
    context = multiprocessing.get_context("forkserver")
    started = []

    def begin(function: Callable[..., Any], *arguments: Any, **named: Any) -> ForkServerProcess:
        process = context.Process(target=leave_after, args=(function, *arguments), kwargs=named)
        process.start()
        started.append(process)
        return process

    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PYTHONPATH", str(Path(__file__).parent), prepend=os.pathsep)
        context.set_forkserver_preload(["little_sweeps"])
        yield begin
    for process in started:
        process.kill()


def kill_family(process: ForkServerProcess) -> None:
    """Kill a process, and check that those which it started do not stay."""
    assert process.pid is not None
    try:
        family = psutil.Process(process.pid).children(recursive=True)
    except psutil.NoSuchProcess:
        family = []
    process.kill()
    process.join()
    until(lambda: not any(map(is_there, family)))


def is_there(process: psutil.Process) -> bool:
    """Return whether a process has not ended."""
    try:
        return process.is_running() and process.status() != psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return False


@functools.cache
def large_grid() -> tuple[tuple[bytes, Scenario, FloatArray], ...]:
    """Return the fingerprint, the scenario and the numbers of each point of the large grid."""
    data = validate(small(replications=REPLICATIONS)).model_dump(mode="json", by_alias=True)
    variants = design_variants([Axis(*axis) for axis in MANY.items()], lambda _: Composed(data))
    scenarios = [variants.scenario(point) for point in range(len(variants))]
    values = [
        [list(numbers(scenario, scenario.seed, k).values()) for k in range(REPLICATIONS)]
        for scenario in scenarios
    ]
    prints = map(fingerprint, check_points(variants)[0])
    return tuple(zip(prints, scenarios, map(np.array, values), strict=True))


def finished(folder: Path) -> set[Key]:
    """Return what is in the store of the large grid, after a look at its numbers."""
    there: set[Key] = set()
    if not (folder / STORE).exists():
        return there
    with Store(folder / STORE) as store:
        for fingerprint, scenario, expected in large_grid():
            replications = sorted(store.finished(fingerprint))
            if not replications:
                continue
            dials = scenario.automation, scenario.standardization
            there.update((*dials, replication) for replication in replications)
            # Two pieces of a point may be under way, and the later one come back first: what lies
            # behind such a gap is compared when the sweep that goes on is complete.
            n = next(number for number in itertools.count() if number not in replications)
            names = store.metrics(fingerprint)
            assert names == tuple(numbers(scenario, scenario.seed, 0))
            np.testing.assert_array_equal(store.values(fingerprint, n, names), expected[:n])
    return there


def computed(log: Path, label: str) -> list[Key]:
    lines = read_log(log)
    columns = ["automation", "standardization", "replication"]
    return list(lines.loc[lines["label"] == label, columns].itertuples(index=False, name=None))


def lines_of(log: Path) -> int:
    return log.read_bytes().count(b"\n") if log.exists() else 0


@pytest.mark.slow
def test_killed_at_twenty_random_moments(
    start: Callable[..., ForkServerProcess], tmp_path: Path
) -> None:
    whole = run(tmp_path / "whole", MANY, replications=REPLICATIONS)
    log = tmp_path / "log"
    rng = np.random.default_rng(2019)
    folders = (tmp_path / f"killed-{number}" for number in itertools.count())
    folder = next(folders)
    kills = kills_with_results = 0
    before: set[Key] = set()
    for round_ in map(str, itertools.count()):
        lines = lines_of(log)
        process = start(
            run_written_down, folder, log, round_, 0.01, axes=MANY, n_jobs=2, replications=20
        )
        if kills == 20:
            process.join()
        elif rng.random() < 0.3:  # at any moment, also before the first replication
            process.join(rng.uniform(0.0, 3.0))
        else:
            lines += rng.integers(1, 3 * IN_FLIGHT)
            while process.is_alive() and lines_of(log) < lines:
                time.sleep(0.005)
        killed = process.is_alive()
        kill_family(process)
        there = finished(folder)
        here = computed(log, round_)
        assert len(set(here)) == len(here)
        assert not before & set(here), "computed again what was there"
        assert before | set(here) >= there >= before
        if killed:
            kills += 1
            kills_with_results += len(there) > len(before)
            assert len(set(here) - there) <= IN_FLIGHT
            before = there
            continue
        assert process.exitcode == 0
        assert len(there) == len(whole.runs)
        assert set(here) | before == there
        resumed = pd.read_parquet(folder / TABLE).drop(columns=list(INCIDENTS))
        pd.testing.assert_frame_equal(resumed, whole.runs, check_exact=True)
        assert (folder / TABLE).read_bytes() == (tmp_path / "whole" / TABLE).read_bytes()
        if kills == 20:
            break
        folder, before = next(folders), set()
    assert kills_with_results >= 5  # some of them came in the midst of it


@pytest.mark.slow
def test_killed_once_with_real_simulations(
    start: Callable[..., ForkServerProcess], tmp_path: Path
) -> None:
    settings = {"axes": {"automation": (0.0, 0.5, 1.0)}, "observe": observe, "replications": 40}
    whole = run(tmp_path / "whole", **settings)
    process = start(run, tmp_path / "killed", n_jobs=2, **settings)
    until(lambda: finished_replications(tmp_path / "killed" / STORE) > 3)
    kill_family(process)
    assert process.exitcode == -9
    diary = Diary()
    with Store(tmp_path / "killed" / STORE) as store:
        there = store.count()
    assert 0 < there < 120
    resumed = run(tmp_path / "killed", watcher=diary, **settings)
    pd.testing.assert_frame_equal(resumed.runs, whole.runs, check_exact=True)
    assert diary.replications == diary.replications_done == 120


@pytest.mark.slow
def test_killed_while_the_table_is_written(
    start: Callable[..., ForkServerProcess], tmp_path: Path
) -> None:
    folder = tmp_path / "sweep"
    first = start(run_and_die_while_writing_the_table, folder, axes=GRID)
    first.join()
    assert first.exitcode == -9
    assert not (folder / TABLE).exists()
    log = tmp_path / "log"
    whole = run_written_down(folder, log, "again", 0.0)
    assert computed(log, "again") == []
    assert len(whole.runs) == 60
    # An older table stays until the new one is whole.
    more = {**GRID, "automation": (*GRID["automation"], 0.1)}
    second = start(run_and_die_while_writing_the_table, folder, axes=more)
    second.join()
    assert second.exitcode == -9
    older = pd.read_parquet(folder / TABLE).drop(columns=list(INCIDENTS))
    pd.testing.assert_frame_equal(older, whole.runs)
    both = run_written_down(folder, log, "once more", 0.0, axes=more)
    assert computed(log, "once more") == []
    assert len(both.runs) == 72
    assert sorted(path.name for path in folder.iterdir()) == [STORE, TABLE, READABLE]
