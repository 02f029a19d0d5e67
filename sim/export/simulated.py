"""The event tables of a results folder of ``python -m sim``."""

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import yaml

from sim.hours import HOURS_PER_WEEK
from sim.log import Records, RecordsError
from sim.words import printable

TABLES = ("services", "changes", "deployments", "incidents", "steps")
_LONGEST_SCENARIO = 1 << 22


class ExportError(ValueError):
    """A run cannot be exported; the message says why and what to do."""


def read_run(folder: Path) -> Records:
    """Return the records of the run whose event tables are in a results folder.

    Args:
        folder: as ``python -m sim`` writes it, with ``tables`` and ``scenario.yaml``.

    Raises:
        ExportError: it is none, or a file in it is not what it should be.
    """
    shown = printable(str(folder))
    if not (folder / "tables").is_dir() or not (folder / "scenario.yaml").is_file():
        raise ExportError(
            f"{shown} is no results folder of python -m sim: it has no tables/ and scenario.yaml"
        )
    window = _window(folder / "scenario.yaml")
    tables = {}
    for name in TABLES:
        path = folder / "tables" / f"{name}.parquet"
        try:
            tables[name] = pq.read_table(path).to_pandas(ignore_metadata=True)
        except FileNotFoundError:
            raise ExportError(f"{shown} has no tables/{name}.parquet; run it again") from None
        except (pa.ArrowException, OSError) as error:
            line = printable(str(error)).partition("\n")[0][:120]
            raise ExportError(f"{printable(str(path))} cannot be read: {line}") from None
    try:
        return Records.from_tables(tables, window)
    except RecordsError as error:
        raise ExportError(f"the tables of {shown} contradict themselves:\n{error}") from None


def _window(path: Path) -> tuple[float, float]:
    """Return the observed time of a scenario in hours: what follows its warm-up."""
    shown = printable(str(path))
    if path.stat().st_size > _LONGEST_SCENARIO:
        raise ExportError(f"{shown} is too long for a scenario")
    try:
        scenario = yaml.safe_load(path.read_text(encoding="utf-8"))
    except (yaml.YAMLError, UnicodeDecodeError, RecursionError):
        raise ExportError(f"{shown} is no YAML") from None
    weeks = []
    for name in ("warmup_weeks", "horizon_weeks"):
        value = scenario.get(name) if isinstance(scenario, dict) else None
        if not isinstance(value, int) or isinstance(value, bool):
            raise ExportError(f"{shown} has no {name}; is it a scenario of python -m sim?")
        weeks.append(value)
    if not 0 <= weeks[0] < weeks[1]:
        raise ExportError(f"{shown}: warmup_weeks and horizon_weeks leave no time to observe")
    return weeks[0] * HOURS_PER_WEEK, weeks[1] * HOURS_PER_WEEK
