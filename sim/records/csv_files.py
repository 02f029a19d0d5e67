"""CSV files of any maker as tables of texts: nothing in them is executed or taken for a number."""

import codecs
import csv
import os
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.csv as pa_csv

from sim.experiment.resources import machine_memory, size
from sim.words import printable

from .delivery import ROW
from .problems import Problems

_NULLS = ["", "NULL", "null", "\\N", "NaN", "None"]
_MEMORY_PER_BYTE = 8
"""Of a file, at the most, once its times are read and its changes are joined to deployments."""
_SEPARATORS = ",;\t|"
_LONGEST_LINE = 1 << 24


class SourceError(ValueError):
    """A source cannot be read at all; the message says why and what to do."""


def header_of(path: Path) -> list[str]:
    """Return the names of the columns of a CSV file; none if it has no first line to read."""
    if not path.is_file():  # to open a pipe would wait for somebody to write into it
        return []
    try:
        with path.open("rb") as file:
            line = file.readline(1 << 16)
    except OSError:
        return []
    text = _decoded(line).splitlines()[:1]
    names = next(csv.reader(text, delimiter=_separator(text[0]))) if text else []
    return [name.strip() for name in names]


def refuse_too_large(paths: Mapping[str, Path]) -> None:
    """Refuse files for which the memory does not suffice.

    Raises:
        SourceError: with how much they would take.
    """
    large = sum(path.stat().st_size for path in paths.values())
    needed, there = large * _MEMORY_PER_BYTE, machine_memory()
    if needed > there:
        raise SourceError(
            f"{size(large)} of records take up to {size(needed)} of memory, and this machine has "
            f"{size(there)}; give fewer years, or fewer columns"
        )


def read_texts(path: Path, problems: Problems) -> pd.DataFrame:
    """Return a CSV file as texts, with the number of each row in the column :data:`~.delivery.ROW`.

    It may have a byte-order mark, be written in Latin-1, and be separated by semicolons or tabs.
    Rows with too many or too few cells are left out and listed.

    Args:
        path: the file.
        problems: gets what is wrong with it.

    Raises:
        SourceError: it is no CSV file.
    """
    if not path.stat().st_size:
        problems.add_file(path.name, "the file is empty", "there is nothing to read")
        return pd.DataFrame({ROW: np.empty(0, np.int64)})
    names = header_of(path)
    with path.open("rb") as file:
        beginning = file.read(1 << 16)
    if b"\0" in beginning:
        raise SourceError(f"{path.name} is no CSV file; export the table as text")
    encoding = "utf8" if _is_utf8(path) else "cp1252"
    if encoding != "utf8":
        problems.add_file(path.name, "the file is not UTF-8", "it is read as Latin-1")
    odd: list[tuple[int, str]] = []

    def left_out(row: pa_csv.InvalidRow) -> str:
        odd.append((int(row.number or 0), f"{row.actual_columns} cells"))
        return "skip"

    with path.open("rb") as file:
        separator = _separator(_decoded(file.readline(1 << 16)))
    try:
        table = pa_csv.read_csv(
            pa.OSFile(os.fspath(path)),  # a name would be decompressed by its ending
            pa_csv.ReadOptions(
                use_threads=False, encoding=encoding, column_names=_apart(names), skip_rows=1
            ),
            pa_csv.ParseOptions(
                delimiter=separator, newlines_in_values=True, invalid_row_handler=left_out
            ),
            pa_csv.ConvertOptions(
                column_types=dict.fromkeys(_apart(names), pa.string()),
                null_values=_NULLS,
                strings_can_be_null=True,
                quoted_strings_can_be_null=True,
            ),
        )
    except pa.ArrowInvalid as error:
        if "Empty CSV" in str(error):  # a header and no rows
            return pd.DataFrame(
                {name: pd.Series([], dtype="string[pyarrow]") for name in _apart(names)}
                | {ROW: np.empty(0, np.int64)}
            )
        raise SourceError(f"{path.name} is no CSV file: {printable(str(error))}") from None
    rows = np.arange(table.num_rows + len(odd)) + 2
    if odd:
        # pyarrow numbers the rows that it has seen, from 1, the one that is skipped not counted.
        lost = np.array([number for number, _ in odd], dtype=np.int64)
        what, consequence = f"not the {len(names)} cells of the header", "the row is left out"
        problems.add(path.name, "", what, consequence, lost, [cells for _, cells in odd])
        rows = np.setdiff1d(rows, lost)
    frame: pd.DataFrame = table.to_pandas(types_mapper={pa.string(): pd.StringDtype("pyarrow")}.get)
    frame[ROW] = rows[: len(frame)]
    twice = [name for name in dict.fromkeys(names) if names.count(name) > 1]
    for name in twice:
        problems.add_file(path.name, "the column is there twice", "the first one is read", name)
    return frame


def _apart(names: list[str]) -> list[str]:
    """Return names of which no two are the same, and none that of the row."""
    found: list[str] = []
    for place, name in enumerate(names):
        is_taken = name in found or name == ROW or not name
        found.append(f"{name}:{place}" if is_taken else name)
    return found


def _separator(line: str) -> str:
    counts = {mark: line.count(mark) for mark in _SEPARATORS}
    return max(counts, key=lambda mark: counts[mark])


def _decoded(line: bytes) -> str:
    return line.removeprefix(b"\xef\xbb\xbf").decode("utf-8", errors="replace")


def _is_utf8(path: Path) -> bool:
    """Return whether a file can be read as UTF-8, which is looked at piece by piece."""
    decoder = codecs.getincrementaldecoder("utf-8")()
    with path.open("rb") as file:
        while piece := file.read(_LONGEST_LINE):
            try:
                decoder.decode(piece)
            except UnicodeDecodeError:
                return False
    try:
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True
