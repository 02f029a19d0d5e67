"""The contract of the tables of a real organization, checked once where they come in.

The rules are read off the declared rows: which columns there are and what they hold, which texts
are allowed, what a row has to say. Columns whose names end with ``_at`` are times, declared in the
order in which they come.
"""

import numbers
import zoneinfo
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
import pandas as pd
from pandas.api.types import is_bool_dtype, is_numeric_dtype, is_scalar

from sim.scenario.errors import in_one_line, nearest
from sim.words import listed, printable

from .schema import KEYS, REFERS_TO, SCHEMAS, Column

_MOST_SHOWN = 20
_LATEST_H = 2.0**20
"""About 120 years: what times on a grid of microseconds are exact for."""
_SAME_TIME_H = 1e-6  # times that went through a file or a sum may differ in their last digits
_UNORDERED = {("incidents", "restored_at")}
"""Times that may come before the one declared before them, but not before the first of the row:
service may be back before somebody knows why it was down."""
_TRUE, _FALSE = ("true", "1", "1.0"), ("false", "0", "0.0")

Flags = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class RecordsProblem:
    """One thing that is wrong with records, in as many rows as have it.

    As a text it is one short line that is safe to print.

    Attributes:
        table: name of the table; empty if it is the window, currency or time zone.
        column: name of the column; empty if it is the whole table.
        rows: positions of the rows that have it, from 0; empty if it is no matter of rows.
        what: what is wrong.
        remedy: what to do.
    """

    table: str
    column: str
    rows: tuple[int, ...]
    what: str
    remedy: str

    def __str__(self) -> str:
        place = ".".join(part for part in (self.table, self.column) if part)
        where = ""
        if len(self.rows) == 1:
            where = f", row {self.rows[0]}"
        elif self.rows:
            where = f", row {self.rows[0]} and {len(self.rows) - 1:,} more"
        return in_one_line(f"{place}{where}: {self.what}; {self.remedy}")


class RecordsError(ValueError):
    """Records cannot be used; the message names table, column and row, the problem and its remedy.

    Attributes:
        problems: everything that is wrong, of which the message shows the first twenty.
    """

    def __init__(self, problems: Sequence[RecordsProblem]) -> None:
        self.problems = tuple(problems)
        lines = [str(problem) for problem in self.problems[:_MOST_SHOWN]]
        if len(self.problems) > _MOST_SHOWN:
            lines.append(f"... and {len(self.problems) - _MOST_SHOWN} more")
        if any(problem.rows for problem in self.problems):
            lines.append("(The first row of a table is row 0.)")
        super().__init__("\n".join(lines))

    def __reduce__(self) -> tuple[type["RecordsError"], tuple[tuple[RecordsProblem, ...]]]:
        return type(self), (self.problems,)


def setting_problems(
    window: tuple[float, float], currency: str, timezone: str | None
) -> Iterator[RecordsProblem]:
    """Yield what is wrong with what belongs to all tables."""
    ends = list(window) if isinstance(window, Sequence) and not isinstance(window, str) else []
    known = [end for end in ends if isinstance(end, numbers.Real) and not isinstance(end, bool)]
    if not (len(known) == len(ends) == 2 and 0.0 <= known[0] < known[1] <= _LATEST_H):
        what = f"{window!r} is no stretch of time"
        remedy = (
            "give its start and its later end, in hours since Monday 00:00 of week 0, from 0 to "
            f"{_LATEST_H:,.0f}"
        )
        yield RecordsProblem("window", "", (), what, remedy)
    if not isinstance(currency, str) or printable(currency) != currency or len(currency) > 8:
        what = f"{currency!r} is no currency"
        yield RecordsProblem("currency", "", (), what, "give at most 8 letters, such as EUR")
    if timezone is not None and not _is_zone(timezone):
        what = f"{timezone!r} is no time zone"
        yield RecordsProblem("timezone", "", (), what, "give a name such as Europe/Berlin")


def _is_zone(name: object) -> bool:
    return isinstance(name, str) and name in zoneinfo.available_timezones()


def table_problems(tables: Mapping[str, pd.DataFrame]) -> Iterator[RecordsProblem]:
    """Yield what is wrong with tables, in the order of their declaration."""
    for name in tables:
        if name not in SCHEMAS:
            what = "there is no such table"
            yield RecordsProblem(str(name), "", (), what, nearest(name, SCHEMAS))
    values: dict[str, dict[str, _Values]] = {}
    for name, columns in SCHEMAS.items():
        if name not in tables:
            continue
        if not isinstance(tables[name], pd.DataFrame):
            what = f"it is a {type(tables[name]).__name__}"
            yield RecordsProblem(name, "", (), what, "give a pandas DataFrame")
            continue
        frame, values[name] = tables[name], {}
        for column in dict.fromkeys(frame.columns):
            if column not in columns:
                what, hint = "there is no such column", nearest(column, columns)
                yield RecordsProblem(name, str(column), (), what, f"drop or rename it ({hint})")
            elif list(frame.columns).count(column) > 1:
                what = "the column is there more than once"
                yield RecordsProblem(name, column, (), what, "leave one of them")
            else:
                read = _read(frame[column], columns[column])
                values[name][column] = read
                yield from _column_problems(name, column, columns[column], read)
        yield from _order_problems(name, values[name])
    yield from _reference_problems(values)


@dataclass(frozen=True)
class _Values:
    """A column as far as it can be read.

    Attributes:
        read: its values in the type that a simulation gives them.
        missing: which rows say nothing.
        unreadable: which rows say something that the column cannot hold.
    """

    read: Any
    missing: Flags
    unreadable: Flags
    given: pd.Series


class _Other:
    """Stands for a list or another thing that is no cell of a table."""


def _read(column: pd.Series, holds: Column) -> _Values:
    """Read a column of any type as the kind that it is declared to hold."""
    given = column
    if not (column.dtype.kind in "biufcmM" or isinstance(column.dtype, pd.CategoricalDtype)):
        column = column.astype(object).map(lambda cell: cell if is_scalar(cell) else _Other())
    missing: Flags = column.isna().to_numpy(dtype=np.bool_)
    if not is_numeric_dtype(column.dtype):
        codes, distinct = pd.factorize(column)
        empty = [isinstance(cell, str) and not cell for cell in distinct]
        missing = missing | np.array([*empty, False])[codes]
    if column.dtype.kind in "mM":
        return _Values(np.full(len(column), np.nan), missing, ~missing, given)
    read: Any
    if holds.kind == "text":
        read, readable = _texts(column)
    elif holds.kind == "flag":
        read, readable = _flags(column, missing)
    else:
        number = _numbers(column, missing)
        if holds.kind == "real":
            read, readable = number, np.isfinite(number)
        else:
            read, readable = _identifiers(column, missing, number, holds.kind == "count")
    return _Values(read, missing, ~missing & ~readable, given)


def _numbers(column: pd.Series, missing: Flags) -> npt.NDArray[np.float64]:
    """Return a column as numbers, NaN where it has none; flags are no numbers."""
    if is_bool_dtype(column.dtype):
        return np.full(len(column), np.nan)
    if not is_numeric_dtype(column.dtype):
        is_flag = column.map(lambda value: isinstance(value, bool | np.bool_)).to_numpy(bool)
        column = column.astype(object).where(~missing & ~is_flag, np.nan)
        column = pd.to_numeric(column, errors="coerce")
    if column.dtype.kind == "c":
        return np.full(len(column), np.nan)
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _flags(column: pd.Series, missing: Flags) -> tuple[Flags, Flags]:
    if is_bool_dtype(column.dtype) and not missing.any():
        return column.to_numpy(dtype=np.bool_), ~missing
    codes, distinct = pd.factorize(column)
    texts = [str(value).strip().lower() for value in distinct]
    true = np.array([*(text in _TRUE for text in texts), False])[codes] & ~missing
    false = np.array([*(text in _FALSE for text in texts), False])[codes]
    return true, true | false


def _texts(column: pd.Series) -> tuple[pd.Categorical, Flags]:
    codes, distinct = pd.factorize(column)
    words = [_as_text(value) for value in distinct]
    readable = np.array([*(word is not None for word in words), True])[codes]
    # Different values may be the same text (1 and "1"); what is missing is the empty text.
    place: dict[str, int] = {}
    places = [place.setdefault(word or "", len(place)) for word in words]
    places.append(place.setdefault("", len(place)) if (codes < 0).any() else -1)
    code = np.array(places, dtype=np.int64)[codes]
    return pd.Categorical.from_codes(code, pd.Index(list(place), dtype=object)), readable


def _as_text(value: object) -> str | None:
    """Return a name as text, None of what is no name."""
    if isinstance(value, float) and value.is_integer():
        value = int(value)  # so a column of numbers with gaps is read from a file
    if isinstance(value, str | int | np.integer) and not isinstance(value, bool):
        text = str(value)
        return text if printable(text) == text and "\n" not in text else None
    return None


def _identifiers(
    column: pd.Series, missing: Flags, number: npt.NDArray[np.float64], required: bool
) -> tuple[Any, Flags]:
    """Read identifiers: as whole numbers if all of them are, else as texts."""
    is_whole = (np.abs(number) < 2.0**53) & (number == np.floor(number))
    if (is_whole | missing).all():
        whole = np.where(missing, 0, number).astype(np.int64)
        read = whole if required and not missing.any() else pd.arrays.IntegerArray(whole, missing)
        return read, is_whole & (whole >= 0)
    texts = column.map(lambda value: _as_text(value) or "").astype(object).mask(missing, "")
    return texts.to_numpy(), (texts != "").to_numpy()


def _column_problems(
    name: str, column: str, holds: Column, values: _Values
) -> Iterator[RecordsProblem]:
    if values.unreadable.any():
        found = values.given[values.unreadable].iloc[0]
        remedy = _how_to_write(column, holds, values.given)
        what = f"{str(found)!r} is no {_KIND[holds.kind]}"
        yield _in_rows(name, column, values.unreadable, what, remedy)
    if holds.required and values.missing.any():
        remedy = (
            f"fill it in, or leave the column '{column}' out if nobody observed it"
            if column != KEYS.get(name)
            else "give each row its identifier"
        )
        yield _in_rows(name, column, values.missing, "there is no value", remedy)
    if holds.texts:
        strange = ~values.missing & ~values.unreadable
        strange &= ~pd.Series(values.read).isin(holds.texts).to_numpy()
        if strange.any():
            found = values.given[strange].iloc[0]
            remedy = f"use one of {listed(holds.texts)}"
            yield _in_rows(name, column, strange, f"{str(found)!r} is not allowed", remedy)
    if holds.kind == "real" and (column.endswith("_h") or column == "price"):
        negative = values.read < 0.0
        if negative.any():
            what = f"{values.read[negative][0]:g} is less than nothing"
            yield _in_rows(name, column, negative, what, "give 0 or more")
    if column == KEYS.get(name):
        given = pd.Series(values.read)
        twice = given.duplicated().to_numpy() & ~values.missing & ~values.unreadable
        if twice.any():
            what = f"{str(given[twice].iloc[0])!r} is there more than once"
            yield _in_rows(name, column, twice, what, "keep one row for each")


_KIND = {
    "real": "number",
    "count": "identifier or count",
    "id": "identifier",
    "flag": "flag",
    "text": "text in one line",
}


def _how_to_write(column: str, holds: Column, given: pd.Series) -> str:
    if given.dtype.kind == "M" or (holds.kind == "real" and column.endswith("_at")):
        return (
            "give hours since Monday 00:00 of week 0: (times - monday) / pandas.Timedelta(hours=1)"
        )
    return {
        "real": "give a finite number",
        "count": "give a whole number from 0 on, or a text",
        "id": "give a whole number from 0 on, or a text",
        "flag": "give True or False",
        "text": "give letters without control characters",
    }[holds.kind]


def _in_rows(name: str, column: str, rows: Flags, what: str, remedy: str) -> RecordsProblem:
    return RecordsProblem(name, column, tuple(np.flatnonzero(rows).tolist()), what, remedy)


def _order_problems(name: str, values: Mapping[str, _Values]) -> Iterator[RecordsProblem]:
    """Yield where a time comes before one that has to come first."""
    times = [
        column
        for column, holds in SCHEMAS[name].items()
        if column.endswith("_at") and holds.kind == "real" and column in values
    ]
    if not times:
        return
    first = latest = values[times[0]].read
    first_of = latest_of = np.full(len(first), times[0], dtype=object)
    for column in times[1:]:
        at = values[column].read
        free = (name, column) in _UNORDERED
        before, names = (first, first_of) if free else (latest, latest_of)
        early = at < before - _SAME_TIME_H
        if early.any():
            row = int(np.argmax(early))
            what = f"{at[row]:g} is before {names[row]}, {before[row]:g}"
            yield _in_rows(name, column, early, what, "put the times in order")
        if not free:
            latest_of = np.where(np.isnan(at), latest_of, column)
            latest = np.fmax(latest, at)


def _reference_problems(values: Mapping[str, Mapping[str, _Values]]) -> Iterator[RecordsProblem]:
    """Yield what refers to a row that is not there."""
    for name, columns in values.items():
        for column, those in columns.items():
            target = REFERS_TO.get(column)
            if target is None or column == KEYS.get(name) or target not in values:
                continue
            key = KEYS[target]
            if key not in values[target]:
                continue
            known = pd.Index(pd.Series(values[target][key].read).astype(object).dropna())
            own = pd.Series(those.read).astype(object)
            strange = ~own.isin(known).to_numpy() & ~those.missing & ~those.unreadable
            if strange.any():
                what = f"{str(own[strange].iloc[0])!r} is not in {target}.{key}"
                yield _in_rows(name, column, strange, what, f"add it to the table '{target}'")


def checked_tables(tables: Mapping[str, pd.DataFrame]) -> dict[str, pd.DataFrame]:
    """Return tables without problems in the types that a simulation gives them."""
    found = {}
    for name, columns in SCHEMAS.items():
        if name not in tables:
            continue
        frame = tables[name]
        read = {
            column: _read(frame[column], holds).read
            for column, holds in columns.items()
            if column in frame.columns
        }
        found[name] = pd.DataFrame(read, index=pd.RangeIndex(len(frame)), copy=False)
    return found
