"""Sweeps whose replications cost next to nothing, so that what runs them can be looked at."""

import math
import os
import signal
import time
from collections.abc import Callable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest

from sim.experiment.axes import Axis, Interval
from sim.experiment.scheduler import Failure, Observe
from sim.experiment.sweep import design_variants, run_sweep
from sim.experiment.sweep_results import Sweep
from sim.scenario.from_data import validate
from sim.scenario.organization import Scenario
from sim.scenario.variants import Composed, Variants

AUTOMATION = (0.0, 0.25, 0.5, 0.75, 1.0)
STANDARDIZATION = (0.0, 0.5, 1.0)
GRID: Mapping[str, Sequence[object] | Interval] = {
    "automation": AUTOMATION,
    "standardization": STANDARDIZATION,
}
DEADLY = 0.5
"""The automation at which some of the functions below fail."""


def small(**settings: object) -> dict[str, Any]:
    """Return plain data of an organization that is simulated in a few hundredths of a second."""
    return {
        "name": "small",
        "horizon_weeks": 12,
        "warmup_weeks": 1,
        "replications": 4,
        "seed": 7,
        "n_jobs": 1,
        "teams": {"team": {"people": {"ml_engineer": 2, "data_scientist": 2}}},
        "services": {"service": {"team": "team"}},
        "changes": {"feature": {"exploration_h": {"dist": "exponential", "mean": 10}}},
        "pipeline": {
            "steps": {
                "test": {"role": "ml_engineer", "effort_h": {"dist": "exponential", "mean": 4}},
                "deploy": {"effect": "deploys"},
            }
        },
        **settings,
    }


class Diary:
    """A watcher that writes down what it is told."""

    def __init__(self) -> None:
        self.points = self.replications = self.points_done = self.replications_done = 0
        self.points_checked = 0
        self.failures: list[Failure] = []
        self.left_out: list[Failure] = []
        self.widths: list[str] = []
        self.words: list[str] = []

    def checked(self, points: int, of: int) -> None:
        """So many points have been composed and checked."""
        self.points_checked = points

    def skipped(self, point: Failure) -> None:
        """A combination is left out."""
        self.left_out.append(point)

    def begin(self, points: int, replications: int) -> None:
        """So many more are to be done."""
        self.points += points
        self.replications += replications

    def finished(self, replications: int, points: int) -> None:
        """So many more are done."""
        self.replications_done += replications
        self.points_done += points

    def failed(self, failure: Failure) -> None:
        """A point has failed."""
        self.failures.append(failure)

    def narrowed(self, widths: str) -> None:
        """The intervals of an adaptive sweep are this wide."""
        self.widths.append(widths)

    def goes_on(self, words: str) -> None:
        """The folder has replications already."""
        self.words.append(words)


def numbers(scenario: Scenario, seed: int, replication: int) -> dict[str, float]:
    """Return made-up metrics that depend on the dials, the seed and the replication alone.

    Now and then there is nothing to restore; only with some standardization there is a metric more.
    """
    luck = np.random.default_rng([seed, replication]).normal(size=5)
    dials = scenario.automation, scenario.standardization
    own = np.random.default_rng([seed, replication, *(int(1000 * x) for x in dials)]).normal(size=5)
    values = 10.0 + 5.0 * dials[0] - 3.0 * dials[1] + luck + 0.3 * own
    metrics = {
        "deployment_frequency": values[0],
        "lead_time_h": values[1],
        "change_failure_rate": values[2],
        "time_to_restore_h": values[3] if own[3] > -0.5 else np.nan,
        "cost_per_week": values[4],
    }
    if dials[1] > 0.0:
        metrics["rework_rate"] = dials[1] + replication
    return {name: float(value) for name, value in metrics.items()}


def written_down(
    log: str, label: str, sleep_s: float, scenario: Scenario, seed: int, replication: int
) -> dict[str, float]:
    """Return :func:`numbers` after a while, and write a line about it to a file.

    Bound to its first arguments with ``functools.partial``. The line has the label, the dials, the
    replication and the process.
    """
    time.sleep(sleep_s)
    line = f"{label} {scenario.automation} {scenario.standardization} {replication} {os.getpid()}\n"
    file = os.open(log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.write(file, line.encode())  # at once: lines of several processes do not mix
    os.close(file)
    return numbers(scenario, seed, replication)


def read_log(log: Path) -> pd.DataFrame:
    """Return what :func:`written_down` wrote, a row for each line."""
    columns = ["label", "automation", "standardization", "replication", "pid"]
    lines = log.read_text().splitlines() if log.exists() else []
    rows = [dict(zip(columns, line.split(" "), strict=True)) for line in lines]
    kinds = dict(zip(columns[1:], (float, float, int, int), strict=True))
    return pd.DataFrame(rows, columns=columns).astype(kinds)


def raises(scenario: Scenario, seed: int, replication: int) -> dict[str, float]:
    """Return numbers, or raise at the deadly point, in the second replication."""
    if scenario.automation == DEADLY and replication == 1:
        raise ZeroDivisionError("nobody\nis left")
    return numbers(scenario, seed, replication)


def runs_out_of_memory(scenario: Scenario, seed: int, replication: int) -> dict[str, float]:
    """Return numbers, or run out of memory at the deadly point."""
    if scenario.automation == DEADLY:
        raise MemoryError
    return numbers(scenario, seed, replication)


def kills_itself(scenario: Scenario, seed: int, replication: int) -> dict[str, float]:
    """Return numbers, or end this process without a word at the deadly point.

    After a moment, as a process that runs out of memory does: a Dask worker that dies while it
    starts is not replaced.
    """
    if scenario.automation == DEADLY:
        time.sleep(0.5)
        os.kill(os.getpid(), signal.SIGKILL)
    return numbers(scenario, seed, replication)


def never_ends(scenario: Scenario, seed: int, replication: int) -> dict[str, float]:
    """Return numbers; at the deadly point there is no end."""
    while scenario.automation == DEADLY:
        math.sqrt(2.0)
    return numbers(scenario, seed, replication)


def run(
    folder: Path,
    axes: Mapping[str, Sequence[object] | Interval] = GRID,
    observe: Observe = numbers,
    order: Sequence[int] | None = None,
    watcher: Diary | None = None,
    **settings: object,
) -> Sweep:
    """Run a sweep of the small organization, its points in another order if one is given."""
    data = validate(small(**settings)).model_dump(mode="json", by_alias=True)
    parts = tuple(
        Axis(key, values if isinstance(values, Interval) else tuple(values))
        for key, values in axes.items()
    )
    variants = design_variants(parts, lambda _: Composed(data))
    if order is not None:
        points = [variants.points[point] for point in order]
        variants = Variants(variants.keys, points, lambda _: Composed(data))
    folder.mkdir(parents=True, exist_ok=True)
    return run_sweep(variants, parts, folder, watcher or Diary(), observe=observe)


def check_interruptions_and_processes(
    folder: Path,
    axes: Mapping[str, Sequence[object] | Interval],
    interruptions: Sequence[int],
    **settings: object,
) -> tuple[Sweep, Sweep]:
    """Check that a sweep gives the same with two processes, and interrupted again and again.

    Args:
        folder: where the sweeps go.
        axes: what is swept.
        interruptions: after how many messages of a finished piece of work, each time.
        settings: of the sweep.

    Returns:
        The sweep that ran through, and the one that was interrupted.
    """
    one = run(folder / "one", axes, **settings)
    two = run(folder / "two", axes, n_jobs=2, **settings)
    pd.testing.assert_frame_equal(one.runs, two.runs, check_exact=True)
    for messages in interruptions:
        with pytest.raises(KeyboardInterrupt):
            run(folder / "resumed", axes, watcher=_Interrupting(messages), **settings)
    resumed = run(folder / "resumed", axes, **settings)
    pd.testing.assert_frame_equal(resumed.runs, one.runs, check_exact=True)
    return one, resumed


class _Interrupting(Diary):
    """A watcher that interrupts after so many messages of finished work."""

    def __init__(self, messages: int) -> None:
        super().__init__()
        self._left = messages

    def finished(self, replications: int, points: int) -> None:
        if self._left == 0:
            raise KeyboardInterrupt
        self._left -= 1


def run_written_down(
    folder: Path, log: Path, label: str, sleep_s: float, **arguments: Any
) -> Sweep:
    """Run a sweep whose computations are written to ``log``; see :func:`written_down`."""
    return run(folder, observe=partial(written_down, str(log), label, sleep_s), **arguments)


def run_and_die_while_writing_the_table(folder: Path, **arguments: Any) -> None:
    """Run a sweep in a process that is killed when half of the table is written."""

    def die(writer: pq.ParquetWriter, *_: Any, **__: Any) -> None:
        writer.file_handle.write(b"half of it")
        writer.file_handle.flush()
        os.kill(os.getpid(), signal.SIGKILL)

    pq.ParquetWriter.write_table = die
    run(folder, **arguments)


def leave_after(function: Callable[..., object], *arguments: Any, **named: Any) -> None:
    """Call a function and end this process, which would wait for its idle workers otherwise."""
    function(*arguments, **named)
    os._exit(0)
