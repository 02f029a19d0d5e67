"""JSON files of any maker as objects: one per line, in arrays, or one behind the other."""

import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sim.words import printable

from .delivery import ROW
from .problems import Problems

Object = dict[str, Any]

_BETWEEN = " \t\r\n,[]"
"""Between the objects of a file that is not one of lines: arrays may follow on arrays."""
_LINES_LOOKED_AT = 5
_BROKEN = (ValueError, RecursionError)
"""What the parser says of text that is no JSON, or is nested too deeply."""


def begins_as_json(path: Path) -> bool:
    """Return whether the first letter of a file is one that an object or an array begins with."""
    try:
        with path.open("rb") as file:
            start = file.read(256)
    except OSError:
        return False
    return _decoded(start).lstrip()[:1] in ("{", "[")


def read_objects(path: Path, problems: Problems) -> Iterator[tuple[int, Object]]:
    """Yield the objects of a file, each with the number of its line, or of its place in an array.

    What is no object is listed. In a file with an object per line, each line stands for itself; in
    any other one, nothing can be read behind the place where it breaks.

    Args:
        path: the file: UTF-8, UTF-16 with a byte-order mark, or Latin-1.
        problems: gets what is wrong with it.
    """
    data = path.read_bytes()
    try:
        text = data.decode("utf-16" if data[:2] in (b"\xff\xfe", b"\xfe\xff") else "utf-8-sig")
    except UnicodeDecodeError:
        text = data.decode("cp1252", errors="replace")
        problems.add_file(path.name, "the file is not UTF-8", "it is read as Latin-1")
    del data
    if not text.strip():
        problems.add_file(path.name, "the file is empty", "there is nothing to read")
        return
    before, is_bare = len(problems), True
    for found in (_of_lines if _has_lines(text) else _of_arrays)(text, path.name, problems):
        is_bare = False
        yield found
    if is_bare and len(problems) == before:
        problems.add_file(path.name, "there is no JSON object in it", "there is nothing to read")


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


def read_texts_of_objects(path: Path, columns: Sequence[str], problems: Problems) -> pd.DataFrame:
    """Return some values of each object as texts, with its number in :data:`~.delivery.ROW`.

    Lists and objects are texts of JSON.

    Args:
        path: the file, see :func:`read_objects`.
        columns: the names of the values; one that no object has is left out.
        problems: gets what is wrong with it.
    """
    rows: list[int] = []
    found: dict[str, list[str | None]] = {column: [] for column in columns}
    seen: set[str] = set()
    for number, value in read_objects(path, problems):
        rows.append(number)
        seen.update(value)
        for column, texts in found.items():
            of = value.get(column)
            texts.append(as_text(json.dumps(of) if isinstance(of, list | dict) else of))
    frame = {
        column: pd.Series(texts, dtype="string[pyarrow]")
        for column, texts in found.items()
        if column in seen or not rows
    }
    return pd.DataFrame(frame | {ROW: np.array(rows, dtype=np.int64)})


def as_text(value: Any) -> str | None:
    """Return a value as text; None if it is none.

    Objects and arrays are no text, and neither are numbers that are not finite.
    """
    if isinstance(value, str):
        # JSON can write halves of letters, which are no text.
        return value if value.isascii() else value.encode("utf-8", "replace").decode("utf-8")
    if isinstance(value, bool):
        return str(value).lower()
    is_number = isinstance(value, int | float) and abs(value) < 1e300
    return str(value) if is_number else None


def part_of(found: Any, key: str) -> Object:
    """Return an object in an object, an empty one if there is none."""
    part = found.get(key)
    return part if isinstance(part, dict) else {}


def _decoded(start: bytes) -> str:
    if start[:2] in (b"\xff\xfe", b"\xfe\xff"):
        return start[: len(start) // 2 * 2].decode("utf-16", errors="replace")
    return start.removeprefix(b"\xef\xbb\xbf").decode("utf-8", errors="replace")


def _has_lines(text: str) -> bool:
    """Return whether one of the first lines is an object."""
    place = 0
    for _ in range(_LINES_LOOKED_AT):
        end = text.find("\n", place)
        line = text[place : end if end >= 0 else len(text)].rstrip(" \t\r,")
        if line.startswith("{"):
            try:
                return isinstance(json.loads(line), dict)
            except _BROKEN:
                pass
        if end < 0:
            return False
        place = end + 1
    return False


def _of_lines(text: str, file: str, problems: Problems) -> Iterator[tuple[int, Object]]:
    broken: dict[int, str] = {}
    place = number = 0
    while place < len(text):
        end = text.find("\n", place)
        end = end if end >= 0 else len(text)
        line = text[place:end].strip(" \t\r,")
        place, number = end + 1, number + 1
        if line in ("", "[", "]"):
            continue
        try:
            found = json.loads(line)
        except _BROKEN:
            found = None
        if isinstance(found, dict):
            yield number, found
        else:
            broken[number] = line[:80]
    problems.add(file, "", "no JSON object", "the line is left out", broken, broken.values())


def _of_arrays(text: str, file: str, problems: Problems) -> Iterator[tuple[int, Object]]:
    decoder = json.JSONDecoder()
    others: dict[int, str] = {}
    place = number = 0
    while True:
        while place < len(text) and text[place] in _BETWEEN:
            place += 1
        if place == len(text):
            break
        number += 1
        try:
            found, end = decoder.raw_decode(text, place)
        except _BROKEN:
            shown = printable(text[place : place + 40])
            what, end_of_it = "the JSON breaks here", "nothing behind it is read"
            problems.add(file, "", what, end_of_it, [number], [shown])
            break
        if isinstance(found, dict):
            yield number, found
        else:
            others[number] = text[place : min(end, place + 80)]
        place = end
    problems.add(file, "", "no JSON object", "it is left out", others, others.values())
