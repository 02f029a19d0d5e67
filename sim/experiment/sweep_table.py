"""The table of a sweep, a row per replication: written and read point by point.

However many points there are, only some of them are in memory at a time.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sim.metrics.restore import POOLED, Restored, kinds_of, of_kinds
from sim.scenario.variants import Variants, shown

from .intervals import (
    Estimates,
    FloatArray,
    Means,
    estimate,
    estimate_groups,
    means_of_groups,
    quantity_of,
)
from .pooled import with_contributions
from .store import Store

_MOST_ROWS = 20_000
_MOST_POINTS = 1_000
"""Of a row group, and so in memory at a time."""

_HOURS = "restored_h"
_KINDS = "restored_kind"
INCIDENTS = (_HOURS, _KINDS)
"""The last columns, no metrics: of each replication the incidents restored in it, their hours and
kinds, as :func:`sim.metrics.restore.packed` has them."""


def write_table(
    target: Path | BinaryIO,
    store: Store,
    variants: Variants,
    fingerprints: Sequence[bytes],
    replications: Sequence[int],
) -> None:
    """Write the finished replications of a sweep as Parquet.

    Columns: `point`, the swept keys, `replication`, the metrics (NaN where a point has no such
    metric) and :data:`INCIDENTS` (null where a point has no record of them).

    Rows are in the order of points and replications, and each point lies in one row group.

    Args:
        target: the file.
        store: where the replications are.
        variants: the scenarios of the points.
        fingerprints: of each point.
        replications: how many rows each point gets; 0 leaves it out.

    Raises:
        ResultsError: the store is damaged.
    """
    metrics = _metrics(store, fingerprints, replications)
    axes = [_axis_column(variants, place) for place in range(len(variants.keys))]
    schema = pa.schema(
        [
            ("point", pa.int32()),
            *((key, kind) for key, (kind, _) in zip(variants.keys, axes, strict=True)),
            ("replication", pa.int32()),
            *((name, pa.float64()) for name in metrics),
            (_HOURS, pa.list_(pa.float64())),
            (_KINDS, pa.list_(pa.int8())),
        ]
    )
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        for points in _batches(replications):
            numbers = [replications[point] for point in points]
            there = [
                store.replications(fingerprints[point], number, metrics)
                for point, number in zip(points, numbers, strict=True)
            ]
            columns: list[object] = [np.repeat(np.array(points, np.int32), numbers)]
            for place, (kind, convert) in enumerate(axes):
                of_points = [convert(variants.points[point][place]) for point in points]
                column = pa.array(of_points, kind)
                columns.append(column.take(pa.array(np.repeat(np.arange(len(points)), numbers))))
            columns.append(
                np.concatenate([np.arange(number, dtype=np.int32) for number in numbers])
            )
            columns.extend(np.vstack([values for values, _ in there]).T.copy())
            columns.extend(_incident_columns([restored for _, restored in there], numbers))
            batch = pa.table(columns, schema=schema)
            writer.write_table(batch, row_group_size=batch.num_rows)


def _incident_columns(
    of_points: Sequence[Restored | None], replications: Sequence[int]
) -> tuple[pa.Array, pa.Array]:
    """Return the columns :data:`INCIDENTS` of some points with so many replications each."""
    sizes, is_null = [], []
    for restored, number in zip(of_points, replications, strict=True):
        places = np.empty(0, np.intp) if restored is None else restored.replication
        sizes.append(np.bincount(places, minlength=number))
        is_null += [restored is None] * number
    # An offset that is null makes its list null; the last one is where the last list ends.
    ends = np.concatenate([[0], *sizes]).cumsum(dtype=np.int32)
    offsets = pa.array(ends, mask=np.array([*is_null, False]))
    known = [restored for restored in of_points if restored is not None]
    hours = np.concatenate([np.empty(0), *(each.hours for each in known)])
    kinds = np.concatenate([np.empty(0, np.intp), *(kinds_of(each) for each in known)])
    return (
        pa.ListArray.from_arrays(offsets, pa.array(hours)),
        pa.ListArray.from_arrays(offsets, pa.array(kinds.astype(np.int8))),
    )


def _metrics(store: Store, fingerprints: Sequence[bytes], replications: Sequence[int]) -> list[str]:
    """Return the names of the metrics that any point has, in the order of the points."""
    names: dict[str, None] = {}
    seen: set[tuple[str, ...]] = set()
    for fingerprint, number in zip(fingerprints, replications, strict=True):
        of_point = store.metrics(fingerprint) if number else ()
        if of_point not in seen:
            seen.add(of_point)
            names.update(dict.fromkeys(of_point))
    return list(names)


def _axis_column(variants: Variants, place: int) -> tuple[pa.DataType, Callable[[object], object]]:
    """Return the type of the column of a swept key, and what makes a value fit into it."""
    kinds = {type(values[place]) for values in variants.points} - {type(None)}
    if kinds <= {bool} and kinds:
        return pa.bool_(), lambda value: value
    if kinds <= {int} and kinds:
        return pa.int64(), lambda value: value
    if kinds <= {int, float} and kinds:
        return pa.float64(), lambda value: value
    return pa.string(), shown


def _batches(replications: Sequence[int]) -> Iterator[list[int]]:
    """Yield the points in order, so many at a time that their rows fill a row group."""
    points: list[int] = []
    rows = 0
    for point, number in enumerate(replications):
        if number == 0:
            continue
        points.append(point)
        rows += number
        if rows >= _MOST_ROWS or len(points) == _MOST_POINTS:
            yield points
            points, rows = [], 0
    if points:
        yield points


class PointMeans(NamedTuple):
    """Means of some points over their replications."""

    points: "np.ndarray[tuple[int], np.dtype[np.int32]]"
    means: Means
    """Arrays (points, metrics)."""
    replications: "np.ndarray[tuple[int], np.dtype[np.intp]]"
    """The number of each point, (points,)."""
    restored: list[Restored | None]
    """Of each point, the incidents that medians are taken over."""


class _Rows(NamedTuple):
    """The replications of some points, each point with all of its own."""

    points: "np.ndarray[tuple[int], np.dtype[np.int32]]"
    starts: "np.ndarray[tuple[int], np.dtype[np.intp]]"
    """Where the rows of each point begin, and the last one ends; (points + 1,)."""
    values: FloatArray
    """(rows, metrics): of a median over incidents, what the replication contributes to it."""
    restored: list[Restored | None]


def point_estimates(
    table: pq.ParquetFile, metrics: Sequence[str]
) -> Iterator[tuple["np.ndarray[tuple[int], np.dtype[np.int32]]", Estimates]]:
    """Yield points and the estimates of their metrics, (points, metrics), some points at a time.

    Args:
        table: what :func:`write_table` wrote.
        metrics: which ones.
    """
    for rows in _row_groups(table, metrics):
        yield rows.points, estimate_groups(rows.values, rows.starts[:-1])


def point_means(
    table: pq.ParquetFile, metrics: Sequence[str], confidence: float
) -> Iterator[PointMeans]:
    """Yield the means of the metrics, with their intervals, some points at a time.

    Args:
        table: what :func:`write_table` wrote.
        metrics: which ones.
        confidence: of the intervals.
    """
    quantities = [quantity_of(name) for name in metrics]
    for rows in _row_groups(table, metrics):
        means = means_of_groups(rows.values, rows.starts[:-1], quantities, confidence)
        yield PointMeans(rows.points, means, np.diff(rows.starts), rows.restored)


def paired_estimates(
    table: pq.ParquetFile, metrics: Sequence[str], baseline: FloatArray
) -> Iterator[tuple[int, FloatArray, FloatArray, Estimates]]:
    """Yield each point's paired differences to a baseline, over the replications that both have.

    Args:
        table: what :func:`write_table` wrote.
        metrics: which ones.
        baseline: those of the baseline, (replications, metrics).

    Yields:
        The point; by metric, the means of the baseline and of the point over these replications,
        and the estimates of the differences.
    """
    for rows in _row_groups(table, metrics):
        for place, point in enumerate(rows.points):
            of_rows = rows.values[rows.starts[place] : rows.starts[place + 1]]
            number = min(len(of_rows), len(baseline))
            ours, theirs = of_rows[:number], baseline[:number]
            difference = ours - theirs
            paired = ~np.isnan(difference)
            of_baseline, of_point = (
                estimate(np.where(paired, values, np.nan)).mean for values in (theirs, ours)
            )
            yield int(point), of_baseline, of_point, estimate(difference)


def _row_groups(table: pq.ParquetFile, metrics: Sequence[str]) -> Iterator[_Rows]:
    has_incidents = _HOURS in table.schema_arrow.names and bool(POOLED.keys() & set(metrics))
    columns = ["point", *metrics, *(INCIDENTS if has_incidents else ())]
    for group in range(table.num_row_groups):
        rows = table.read_row_group(group, columns=columns)
        point = rows["point"].to_numpy()
        starts = np.append(np.flatnonzero(np.diff(point, prepend=-1)), point.size)
        values = np.column_stack([rows[name].to_numpy() for name in metrics])
        restored: list[Restored | None] = [None] * (starts.size - 1)
        if has_incidents:
            restored = _incidents_of_points(rows, starts)
            for place, (start, end) in enumerate(itertools.pairwise(starts)):
                values[start:end] = with_contributions(values[start:end], metrics, restored[place])
        yield _Rows(point[starts[:-1]], starts, values, restored)


def _incidents_of_points(
    rows: pa.Table, starts: "np.ndarray[tuple[int], np.dtype[np.intp]]"
) -> list[Restored | None]:
    """Return the incidents of each point of a row group; None where a replication has no record."""
    sizes = pc.list_value_length(rows[_HOURS]).to_numpy(zero_copy_only=False)
    unknown = np.isnan(sizes.astype(np.float64))
    ends = np.concatenate([[0], np.where(unknown, 0, sizes).astype(np.intp).cumsum()])
    hours = pc.list_flatten(rows[_HOURS]).to_numpy()
    kinds = pc.list_flatten(rows[_KINDS]).to_numpy().astype(np.intp)
    found: list[Restored | None] = []
    for start, end in itertools.pairwise(starts):
        if unknown[start:end].any():
            found.append(None)
            continue
        here = slice(ends[start], ends[end])
        replication = np.repeat(np.arange(end - start), np.diff(ends[start : end + 1]))
        found.append(of_kinds(hours[here], kinds[here], replication))
    return found


def values_of(table: pq.ParquetFile, point: int, metrics: Sequence[str]) -> FloatArray:
    """Return the metrics of a point, (replications, metrics), as those of :func:`read_values`."""
    for rows in _row_groups(table, metrics):
        if rows.points[-1] >= point:
            place = int(np.searchsorted(rows.points, point))
            if rows.points[place] == point:
                return rows.values[rows.starts[place] : rows.starts[place + 1]]
            break
    return np.empty((0, len(metrics)))


def by_point(table: pq.ParquetFile, metric: str, points: int, replications: int) -> FloatArray:
    """Return a metric of the first replications, (points, replications); NaN where unknown.

    Of a median over incidents, that is what the replication contributes to it.
    """
    values = np.full((points, replications), np.nan)
    for rows in _row_groups(table, [metric]):
        sizes = np.diff(rows.starts)
        replication = np.arange(sizes.sum()) - np.repeat(rows.starts[:-1], sizes)
        asked = replication < replications
        places = np.repeat(rows.points, sizes)[asked], replication[asked]
        values[places] = rows.values[asked, 0]
    return values


def read_values(table: pq.ParquetFile, metrics: Sequence[str]) -> pd.DataFrame:
    """Return `point`, `replication` and metrics of all replications, as they are averaged.

    Of a median over incidents, that is what the replication contributes to it.
    """
    parts = list(_row_groups(table, metrics))
    replications = [np.diff(rows.starts) for rows in parts]
    frame = pd.DataFrame(
        np.vstack([np.empty((0, len(metrics))), *(rows.values for rows in parts)]),
        columns=list(metrics),
    )
    numbers = np.concatenate([np.empty(0, np.intp), *replications])
    points = np.concatenate([np.empty(0, np.int32), *(rows.points for rows in parts)])
    frame.insert(0, "point", np.repeat(points, numbers))
    frame.insert(1, "replication", frame.groupby("point").cumcount())
    return frame


def stored_metrics(table: pq.ParquetFile, point: int, replication: int) -> "pd.Series[float]":
    """Return the metrics of a replication as they are in the table, by name."""
    names = list(map(str, table.schema_arrow.names))
    metrics = [name for name in names[names.index("replication") + 1 :] if name not in INCIDENTS]
    for group in range(table.num_row_groups):
        rows = table.read_row_group(group, columns=["point", "replication", *metrics]).to_pandas()
        found = rows[(rows["point"] == point) & (rows["replication"] == replication)]
        if len(found):
            row: pd.Series[float] = found[metrics].iloc[0]
            return row
    raise ValueError(f"the table has no replication {replication} of point {point}")


def read_incidents(table: pq.ParquetFile, metrics: Sequence[str]) -> dict[int, Restored]:
    """Return the incidents of the points that have a record of them, if metrics rest on these."""
    return {
        int(point): restored
        for rows in _row_groups(table, metrics)
        for point, restored in zip(rows.points, rows.restored, strict=True)
        if restored is not None
    }
