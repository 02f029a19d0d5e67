"""JSON lines, and JSON arrays of objects, as tables of texts."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from .csv_files import SourceError
from .delivery import ROW
from .problems import Problems

_LONGEST_LINE = 1 << 24


def keys_of(path: Path) -> set[str]:
    """Return the names in the first object of a file; none if it has none to read."""
    try:
        with path.open("rb") as file:
            start = file.read(1 << 20)
    except OSError:
        return set()
    text = start.decode("utf-8-sig", errors="replace").lstrip()
    try:
        if text.startswith("["):
            first, _ = json.JSONDecoder().raw_decode(text[1:].lstrip())
        else:
            first = json.loads(text.partition("\n")[0])
    except (ValueError, RecursionError):
        return set()
    return set(first) if isinstance(first, dict) else set()


def read_json_lines(path: Path, columns: Sequence[str], problems: Problems) -> pd.DataFrame:
    """Return some values of each object as texts, with its number in :data:`~.delivery.ROW`.

    Lists and objects are texts of JSON. Lines that are no object are left out and listed.

    Args:
        path: a file with an object per line, or one array of objects.
        columns: the names of the values.
        problems: gets what is wrong with it.

    Raises:
        SourceError: it is an array that cannot be read as a whole.
    """
    rows: list[int] = []
    found: dict[str, list[str | None]] = {column: [] for column in columns}
    odd: list[tuple[int, str]] = []
    seen: set[str] = set()
    for number, value in _values(path):
        if not isinstance(value, dict):
            odd.append((number, value if isinstance(value, str) else type(value).__name__))
            continue
        rows.append(number)
        seen.update(value)
        for column, texts in found.items():
            texts.append(_text(value.get(column)))
    numbers, examples = [number for number, _ in odd], [text[:40] for _, text in odd]
    problems.add(path.name, "", "no object of JSON", "the line is left out", numbers, examples)
    frame = {
        column: pd.Series(texts, dtype="string[pyarrow]")
        for column, texts in found.items()
        if column in seen or not rows
    }
    return pd.DataFrame(frame | {ROW: np.array(rows, dtype=np.int64)})


def _values(path: Path) -> Iterator[tuple[int, Any]]:
    """Yield the number of each line or element with its value, its text if it is no JSON."""
    with path.open("rb") as file:
        if file.read(64).decode("utf-8-sig", errors="replace").lstrip().startswith("["):
            file.seek(0)
            try:
                values = json.loads(file.read().decode("utf-8-sig", errors="replace"))
            except (ValueError, RecursionError):
                raise SourceError(
                    f"{path.name} is no JSON; write an array of objects, or an object per line"
                ) from None
            yield from enumerate(values, 1)
            return
        file.seek(0)
        number = 0
        while line := file.readline(_LONGEST_LINE):
            number += 1
            text = line.decode("utf-8-sig", errors="replace").strip()
            if text:
                yield number, _parsed(text)


def _parsed(text: str) -> Any:
    try:
        return json.loads(text)
    except (ValueError, RecursionError):
        return text[:80]


def _text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    text = value if isinstance(value, str) else json.dumps(value)
    # A lone surrogate is valid JSON and no text.
    return text.encode("utf-8", errors="replace").decode("utf-8")
