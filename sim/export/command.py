"""The command ``python -m sim.export``: a simulated run for dashboards and process mining."""

import argparse
import json
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import NoReturn

import pandas as pd

from sim.ending import temporary_folder
from sim.log import Records
from sim.words import printable

from . import csv_folder, devlake, four_keys
from .ocel import write_ocel
from .simulated import ExportError, read_run

Say = Callable[[str, int], None]
Tables = Iterator[tuple[str, pd.DataFrame]]

_EARLIEST, _LATEST = pd.Timestamp("1980-01-07"), pd.Timestamp("2100-01-01")
_EXPLAINED = (
    "Writes a simulated run as the tables of a tool, so that a dashboard shows a simulated future "
    "beside the past, or for process mining. Its hours become times of UTC."
)


def main(arguments: Sequence[str] | None = None) -> NoReturn:
    """Run the command line and exit: 0 done, 1 it cannot be written, 2 nothing to export.

    Args:
        arguments: what follows the program's name; by default those of this process.
    """
    options = _parser().parse_args(arguments)
    try:
        folder = options.output or options.source / "export" / options.to
        records = read_run(options.source)
        epoch = start_of(options.start)
        export(records, epoch, options.to, folder, _said)
        shown = printable(str(folder))
        print(f"Written: {shown}/ ({_size(folder)})")
        if options.to != "ocel":
            since, until = (epoch + pd.Timedelta(hours=edge) for edge in records.window)
            print(
                f"Measure it: python -m sim.measure {shown} --since {since:%Y-%m-%d} "
                f"--until {until:%Y-%m-%d}"
            )
    except ExportError as error:
        _stop(str(error), status=2)
    except OSError as error:
        _stop(f"it cannot be written: {error}", status=1)
    sys.exit(0)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m sim.export", description=_EXPLAINED)
    parser.add_argument(
        "source", type=Path, metavar="RESULTS_FOLDER", help="a results folder of python -m sim"
    )
    parser.add_argument("--to", choices=list(WRITERS), required=True, help="the format")
    parser.add_argument(
        "--start",
        default="2026-01-05",
        metavar="DAY",
        help="the Monday on which week 0 begins, warm-up included (default: %(default)s)",
    )
    parser.add_argument(
        "--output",
        type=Path,
        metavar="FOLDER",
        help="a folder that does not exist yet (default: RESULTS_FOLDER/export/FORMAT)",
    )
    return parser


def export(
    records: Records, epoch: pd.Timestamp, to: str, folder: Path, say: Say = lambda *_: None
) -> None:
    """Write records into a folder, which appears whole or not at all.

    Args:
        records: of a simulated run.
        epoch: the Monday that its hours are counted from.
        to: the format: ``devlake``, ``fourkeys``, ``csv`` or ``ocel``.
        folder: a folder that does not exist yet.
        say: is told the name of what was written, and how many rows it has.

    Raises:
        ExportError: the folder exists, or the run ends later than the formats can say.
        OSError: it cannot be written.
    """
    if folder.exists():
        raise ExportError(f"{printable(str(folder))} is there already; name another --output")
    if epoch + pd.Timedelta(hours=records.window[1]) >= _LATEST.tz_localize("UTC"):
        raise ExportError(f"it would end after {_LATEST.year - 1}; name an earlier --start")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with temporary_folder(folder.parent, f".{folder.name}-") as beside:
        WRITERS[to](records, epoch, beside, say)
        beside.rename(folder)


def start_of(text: str) -> pd.Timestamp:
    """Return the Monday that a text names, as an instant.

    Raises:
        ExportError: it names none.
    """
    try:
        day = pd.to_datetime(text, format="%Y-%m-%d")
    except ValueError:
        raise ExportError(f"--start: '{printable(text)}' is no day; write 2026-01-05") from None
    if not _EARLIEST <= day < _LATEST:
        raise ExportError(f"--start: name a Monday from {_EARLIEST.year} to {_LATEST.year - 1}")
    if day.weekday() != 0:
        monday = day - pd.Timedelta(days=day.weekday())
        raise ExportError(f"--start: {text} is no Monday, as {monday:%Y-%m-%d} is")
    return day.tz_localize("UTC")


def _as_csv(tables: Callable[[Records, pd.Timestamp], Tables]) -> Callable[..., None]:
    def write(records: Records, epoch: pd.Timestamp, folder: Path, say: Say) -> None:
        for name, table in tables(records, epoch):
            table.to_csv(folder / f"{name}.csv", index=False, encoding="utf-8")
            say(f"{name}.csv", len(table))

    return write


def _as_json_lines(records: Records, epoch: pd.Timestamp, folder: Path, say: Say) -> None:
    """Write the tables as BigQuery loads them: a CSV file cannot hold a list."""
    for name, table in four_keys.written(records, epoch):
        with (folder / f"{name}.jsonl").open("w", encoding="utf-8") as file:
            columns = [str(column) for column in table]
            for row in table.itertuples(index=False, name=None):
                values = {
                    column: value
                    for column, value in zip(columns, row, strict=True)
                    if isinstance(value, list) or not pd.isna(value)
                }
                file.write(json.dumps(values) + "\n")
        say(f"{name}.jsonl", len(table))


def _as_ocel(records: Records, epoch: pd.Timestamp, folder: Path, say: Say) -> None:
    write_ocel(records, epoch, folder / "log.jsonocel", say)


WRITERS: dict[str, Callable[..., None]] = {
    "devlake": _as_csv(devlake.written),
    "fourkeys": _as_json_lines,
    "csv": _as_csv(csv_folder.written),
    "ocel": _as_ocel,
}
"""What writes each format."""


def _said(name: str, count: int) -> None:
    print(f"{name}: {count:,} rows", flush=True)


def _size(folder: Path) -> str:
    size = sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())
    return f"{size / 1e6:.1f} MB"


def _stop(message: str, status: int) -> NoReturn:
    print(message, file=sys.stderr)
    sys.exit(status)
