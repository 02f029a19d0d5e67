"""The table of a sweep, a row per replication: written and read point by point.

However many points there are, only some of them are in memory at a time.
"""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from sim.scenario.variants import Variants, shown

from .intervals import Estimates, FloatArray, estimate
from .store import Store

_MOST_ROWS = 20_000
_MOST_POINTS = 1_000
"""Of a row group, and so in memory at a time."""


def write_table(
    target: Path | BinaryIO,
    store: Store,
    variants: Variants,
    fingerprints: Sequence[bytes],
    replications: Sequence[int],
) -> None:
    """Write the finished replications of a sweep as Parquet.

    Columns: `point`, the swept keys, `replication` and the metrics (NaN where a point has no such
    metric). Rows are in the order of points and replications, and each point lies in one row group.

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
        ]
    )
    with pq.ParquetWriter(target, schema, compression="zstd") as writer:
        for points in _batches(replications):
            numbers = [replications[point] for point in points]
            values = [
                store.values(fingerprints[point], number, metrics)
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
            columns.extend(np.vstack(values).T.copy())
            batch = pa.table(columns, schema=schema)
            writer.write_table(batch, row_group_size=batch.num_rows)


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


class PointEstimates(NamedTuple):
    """Means of some points over their replications: arrays (points, metrics)."""

    points: "np.ndarray[tuple[int], np.dtype[np.int32]]"
    estimates: Estimates


def point_estimates(table: pq.ParquetFile, metrics: Sequence[str]) -> Iterator[PointEstimates]:
    """Yield the means of the metrics over the replications of each point, some points at a time.

    Args:
        table: what :func:`write_table` wrote.
        metrics: which ones.
    """
    for point, values in _row_groups(table, metrics):
        first = np.flatnonzero(np.diff(point, prepend=-1))
        known = ~np.isnan(values)
        n = np.add.reduceat(known, first, axis=0, dtype=np.intp)
        total = np.add.reduceat(np.where(known, values, 0.0), first, axis=0)
        mean = np.divide(total, n, out=np.full(n.shape, np.nan), where=n > 0)
        rows = np.repeat(np.arange(first.size), np.diff(first, append=point.size))
        squares = np.add.reduceat(np.where(known, (values - mean[rows]) ** 2, 0.0), first, axis=0)
        variance = np.divide(squares, n - 1, out=np.full(n.shape, np.nan), where=n > 1)
        yield PointEstimates(point[first], Estimates(mean, np.sqrt(variance / np.maximum(n, 1)), n))


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
    for point, values in _row_groups(table, metrics):
        first = np.flatnonzero(np.diff(point, prepend=-1))
        for start, end in zip(first, [*first[1:], point.size], strict=True):
            number = min(end - start, len(baseline))
            ours, theirs = values[start : start + number], baseline[:number]
            difference = ours - theirs
            paired = ~np.isnan(difference)
            of_baseline, of_point = (
                estimate(np.where(paired, values, np.nan)).mean for values in (theirs, ours)
            )
            yield int(point[start]), of_baseline, of_point, estimate(difference)


def _row_groups(
    table: pq.ParquetFile, metrics: Sequence[str]
) -> Iterator[tuple["np.ndarray[tuple[int], np.dtype[np.int32]]", FloatArray]]:
    for group in range(table.num_row_groups):
        rows = table.read_row_group(group, columns=["point", *metrics])
        values = np.column_stack([rows[name].to_numpy() for name in metrics])
        yield rows["point"].to_numpy(), values


def values_of(table: pq.ParquetFile, point: int, metrics: Sequence[str]) -> FloatArray:
    """Return the metrics of a point, (replications, metrics)."""
    for points, values in _row_groups(table, metrics):
        if points[-1] >= point:
            found: FloatArray = values[points == point]
            return found
    return np.empty((0, len(metrics)))
