"""Typed arrays out of event tables, simulated or real.

A simulated log has categorical texts and nullable identifiers; an export of a real organization has
plain strings, and identifiers that are integers, floats with gaps, or strings. Everything is made
one kind of array here, so that no metric has to ask.
"""

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numpy as np
import numpy.typing as npt
import pandas as pd

from sim.log import NO_ID, Tables

FloatArray = npt.NDArray[np.float64]
BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.intp]
Window = tuple[float, float]

T = TypeVar("T")


class AbsentError(LookupError):
    """A number needs a table or a column that is absent: nobody observed it."""


def known(compute: Callable[[], T], otherwise: T) -> T:
    """Return a result, or something else if what it needs is absent."""
    try:
        return compute()
    except AbsentError:
        return otherwise


def table(tables: Tables, name: str, *columns: str) -> pd.DataFrame:
    """Return the table `name`.

    Args:
        tables: Event tables.
        name: Which of them.
        columns: Columns that are needed, where they are read without the functions below.

    Raises:
        AbsentError: The table is absent, or one of the columns.
    """
    if name not in tables:
        raise AbsentError(f"the table '{name}' is absent")
    frame = tables[name]
    for column in columns:
        _column(frame, column)
    return frame


def _column(frame: pd.DataFrame, name: str) -> "pd.Series[Any]":
    if name in frame.columns:
        return frame[name]
    if len(frame) == 0:
        return pd.Series([], dtype=float)
    raise AbsentError(f"the column '{name}' is absent; there are {', '.join(map(str, frame))}")


def is_recorded(tables: Tables, name: str, column: str) -> bool:
    """Return whether the table `name` is there and has `column`."""
    return name in tables and column in tables[name].columns


def reals(frame: pd.DataFrame, name: str) -> FloatArray:
    """Return a column of numbers as floats, NaN where there is none.

    Raises:
        AbsentError: The column is absent.
        ValueError: It holds dates: times are hours since a common Monday.
    """
    column = _column(frame, name)
    if column.dtype.kind in "mM":
        raise ValueError(
            f"the column '{name}' holds dates; times have to be hours since Monday 00:00 of week 0"
        )
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def flags(frame: pd.DataFrame, name: str) -> BoolArray:
    """Return a column of flags, False where there is none.

    Raises:
        AbsentError: The column is absent.
        ValueError: It holds something else, such as the text "False".
    """
    column = _column(frame, name)
    if not (pd.api.types.is_numeric_dtype(column.dtype) or column.dropna().isin([0, 1]).all()):
        raise ValueError(f"the column '{name}' has to hold flags, True or False")
    return column.to_numpy(dtype=np.bool_, na_value=False)


def matches(frame: pd.DataFrame, name: str, *values: str) -> BoolArray:
    """Return which rows have one of the values in a column of texts."""
    column = _column(frame, name)
    texts = column.array
    if not isinstance(texts, pd.Categorical):
        return column.isin(values).to_numpy(dtype=np.bool_)
    # The index -1, of a missing text, picks the appended False.
    wanted = [text in values for text in texts.categories]
    hits: BoolArray = np.array([*wanted, False])[texts.codes]
    return hits


def identifiers(frame: pd.DataFrame, name: str) -> npt.NDArray[Any]:
    """Return a column of identifiers: integers with `NO_ID` for none, or the objects they are."""
    column = _column(frame, name)
    if pd.api.types.is_integer_dtype(column.dtype):
        return column.to_numpy(dtype=np.int64, na_value=NO_ID)
    if pd.api.types.is_numeric_dtype(column.dtype):
        return column.to_numpy(dtype=np.float64, na_value=NO_ID).astype(np.int64)
    return column.to_numpy(dtype=object)


def positions(keys: npt.NDArray[Any], values: npt.NDArray[Any]) -> IntArray:
    """Return where among the keys each identifier stands, -1 for those that are not there.

    A missing identifier is the same as no other, not even as another missing one.

    Raises:
        ValueError: A key occurs twice.
    """
    there = np.flatnonzero(~is_missing(keys))
    index = pd.Index(keys[there])
    if not index.is_unique:
        twice = index[index.duplicated()][0]
        raise ValueError(f"the identifier {twice} occurs more than once")
    # What is not found (-1) picks the appended -1.
    where: IntArray = np.append(there, -1)[index.get_indexer(pd.Index(values))]
    return where


def is_missing(found: npt.NDArray[Any]) -> BoolArray:
    """Return which identifiers are missing: `NO_ID`, or an object that is none or no text."""
    is_object = found.dtype == object
    missing: BoolArray = pd.isna(found) | (found == "") if is_object else found == NO_ID
    return missing


def labels(frame: pd.DataFrame, name: str) -> "pd.Index[Any]":
    """Return the distinct texts of a column in the order of their first row."""
    column = _column(frame, name)
    texts = column.array
    if isinstance(texts, pd.Categorical):
        # Of the rows of a text the first is written last. A missing text (-1) has the extra place.
        codes = texts.codes
        first = np.full(len(texts.categories) + 1, len(codes))
        first[codes[::-1]] = np.arange(len(codes))[::-1]
        order = np.argsort(first[:-1], kind="stable")
        n_there = np.count_nonzero(first[:-1] < len(codes))
        distinct = np.asarray(texts.categories, dtype=object)[order[:n_there]]
    else:
        distinct = np.asarray(column.dropna().unique(), dtype=object)
    return cast("pd.Index[Any]", pd.Index(distinct, dtype=object))


def label_positions(frame: pd.DataFrame, name: str, known: "pd.Index[Any]") -> IntArray:
    """Return where among the known labels each row's text stands, -1 if it is not there."""
    column = _column(frame, name)
    texts = column.array
    if isinstance(texts, pd.Categorical):
        codes, names = texts.codes, texts.categories
    else:
        codes, names = pd.factorize(column)
    place = {label: position for position, label in enumerate(known)}
    # The code of a missing text is -1, which picks the appended -1.
    where = [*(place.get(text, -1) for text in names), -1]
    rows: IntArray = np.array(where, dtype=np.intp)[codes]
    return rows


def service_names(tables: Tables) -> "pd.Index[Any]":
    """Return the names of all services.

    Raises:
        ValueError: A service is there twice or has no name.
    """
    services = table(tables, "services")
    names = labels(services, "service")
    if len(names) < len(services):
        raise ValueError("the table 'services' has a service twice or one without a name")
    return names


def service_positions(tables: Tables, name: str) -> IntArray:
    """Return where in the table of services the service of each row of table `name` stands.

    Raises:
        AbsentError: Nobody knows of which service a row is.
        ValueError: A row is of a service that the table of services does not have.
    """
    frame = table(tables, name)
    where = label_positions(frame, "service", service_names(tables))
    if (where < 0).any():
        stranger = frame["service"].iloc[int(np.argmin(where))]
        if pd.isna(stranger) or stranger == "":
            raise AbsentError(f"a row of the table '{name}' does not say of which service it is")
        raise ValueError(f"the table '{name}' has a row of the unknown service {stranger!r}")
    return where


def stretches(tables: Tables, name: str) -> tuple[IntArray, FloatArray, FloatArray]:
    """Return how long each row of a table of levels holds: until the next row of its service.

    Args:
        tables: Event tables.
        name: A table with the columns `service` and `at`, such as `quality`.

    Returns:
        The rows in the order of service and time, and in this order the start and stop of each,
        in hours; the last row of a service has no stop (NaN).
    """
    at = reals(table(tables, name), "at")
    service = service_positions(tables, name)
    order = np.lexsort((at, service))
    at, service = at[order], service[order]
    is_last = np.append(service[1:] != service[:-1], True)[: at.size]
    return order, at, np.where(is_last, np.nan, np.append(at[1:], np.nan)[: at.size])


def inside(times: FloatArray, window: Window) -> BoolArray:
    """Return which times lie in the half-open window; a missing time does not."""
    return (times >= window[0]) & (times < window[1])


def overlap(start: FloatArray, stop: FloatArray, window: Window) -> FloatArray:
    """Return the hours that each stretch from start to stop has in common with the window.

    A stretch without a stop lasts beyond the window, one without a start has none.
    """
    begin = np.fmax(start, window[0])
    hours = np.fmin(stop, window[1]) - begin
    return np.where(np.isnan(start), 0.0, np.maximum(hours, 0.0))


def cut(
    start: FloatArray, stop: FloatArray, edges: FloatArray
) -> tuple[IntArray, IntArray, FloatArray]:
    """Cut stretches at the edges of periods.

    Args:
        start: Start of each stretch.
        stop: Its end.
        edges: Ends of the periods, ascending, (periods + 1,).

    Returns:
        For each bit: its stretch, its period, and which share of the stretch it is. What lies in no
        period makes no bit.
    """
    first = np.maximum(np.searchsorted(edges, start, side="right") - 1, 0)
    beyond = np.minimum(np.searchsorted(edges, stop, side="left"), edges.size - 1)
    number = np.where(stop > start, np.maximum(beyond - first, 0), 0)
    stretch = np.repeat(np.arange(start.size), number)
    period = np.arange(stretch.size) + np.repeat(first - np.cumsum(number) + number, number)
    begin = np.maximum(start[stretch], edges[period])
    end = np.minimum(stop[stretch], edges[period + 1])
    return stretch, period, (end - begin) / (stop - start)[stretch]


def median(values: FloatArray) -> float:
    """Return the median, NaN of nothing."""
    return float(np.median(values)) if values.size else np.nan


def mean(values: FloatArray) -> float:
    """Return the mean, NaN of nothing."""
    return float(np.mean(values)) if values.size else np.nan


def ratio(part: float, whole: float) -> float:
    """Return part / whole, NaN if there is no whole."""
    return float(part / whole) if whole else np.nan
