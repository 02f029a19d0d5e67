"""Replications of a sweep with their event tables: ``python -m sim replay FOLDER point=7``."""

import re
import shutil
import warnings
from collections.abc import Iterator, Sequence
from pathlib import Path

from sim.configuration.opened import open as open_sweep
from sim.ending import temporary_folder
from sim.experiment.run import Run
from sim.experiment.sweep_results import Sweep
from sim.report.units import count_noun
from sim.scenario.errors import Problem, ScenarioError

REPLAYS = "replays"
"""The folder, in that of the sweep."""

_USAGE = "python -m sim replay FOLDER point=7 replication=3, or replication=0,1,2"


def write_replays(arguments: Sequence[str]) -> Iterator[str]:
    """Simulate replications of a sweep again, and write each into a folder of its own.

    Args:
        arguments: the folder of the sweep, ``point=``, a number, and ``replication=``, a number or
            several; by default the first one.

    Yields:
        What was done, in words.

    Raises:
        ScenarioError: the arguments are not understood, or there is no such replication.
        ResultsError: the folder has no sweep, or the scenario of the point is not known.
        OSError: it cannot be written.
    """
    folder, point, replications = _asked(arguments)
    sweep = open_sweep(folder)
    for replication in replications:
        with warnings.catch_warnings(record=True) as said:
            warnings.simplefilter("always")
            run = _run(sweep, point, replication)
        where = folder / REPLAYS / f"point-{point}-replication-{replication}"
        write_run(run, where)
        yield f"{sweep.label(point)}, replication {replication}: {where}/"
        if said:
            yield "\n".join(str(warning.message) for warning in said)
        else:
            yield f"Its {count_noun(len(sweep.metrics), 'metric')} are those of the sweep."


def write_run(run: Run, folder: Path) -> None:
    """Write the event tables of a run and its metrics, also by team and by service.

    The folder appears whole or not at all, and takes the place of one of before.

    Args:
        run: the run.
        folder: where to.

    Raises:
        OSError: it cannot be written.
    """
    folder.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder(folder.parent, f".{folder.name}-") as beside:
        tables = beside / "tables"
        tables.mkdir()
        for name, table in run.tables.items():
            table.to_parquet(tables / f"{name}.parquet", index=False)
        run.metrics().rename("value").to_csv(beside / "metrics.csv", index_label="metric")
        run.metrics_by("team").to_csv(beside / "metrics_by_team.csv")
        run.metrics_by("service").to_csv(beside / "metrics_by_service.csv")
        if folder.exists():
            shutil.rmtree(folder)
        beside.rename(folder)


def _run(sweep: Sweep, point: int, replication: int) -> Run:
    try:
        return sweep.replay(point, replication)
    except ValueError as error:
        raise ScenarioError([Problem("replay", str(error))]) from None


def _asked(arguments: Sequence[str]) -> tuple[Path, int, list[int]]:
    folders = [argument for argument in arguments if "=" not in argument]
    given = dict(argument.split("=", 1) for argument in arguments if "=" in argument)
    if len(folders) != 1 or "point" not in given:
        raise ScenarioError([Problem("replay", "needs a folder and a point", _USAGE)])
    for key in given:
        if key not in ("point", "replication"):
            raise ScenarioError([Problem(key, "is nothing that replay takes", _USAGE)])
    if not re.fullmatch("[0-9]{1,9}", given["point"]):
        raise ScenarioError([Problem("point", f"'{given['point']}' is no number", _USAGE)])
    numbers = given.get("replication", "0")
    if not re.fullmatch("[0-9]{1,9}(,[0-9]{1,9})*", numbers):
        raise ScenarioError([Problem("replication", f"'{numbers}' is no number", _USAGE)])
    return Path(folders[0]), int(given["point"]), [int(each) for each in numbers.split(",")]
