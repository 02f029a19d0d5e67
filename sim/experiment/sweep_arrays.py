"""The replications of a sweep for other programs: in long format, and as arrays with dimensions."""

import itertools
from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from sim.metrics import catalogue

if TYPE_CHECKING:
    import xarray as xr

INSTALL = "pip install 'mldelivery[xarray]'"

_REPLICATION = "replication"
_UNITS = {"duration": "h", "share": "1"}
"""By dimension; the unit of any other metric is its own."""


def long_table(table: pq.ParquetFile, keys: Sequence[str], metrics: Sequence[str]) -> pd.DataFrame:
    """Return a row per point, replication and metric; see :meth:`sim.Sweep.long`.

    Args:
        table: the replications.
        keys: the swept keys.
        metrics: which ones.
    """
    of_row = ["point", *keys, _REPLICATION]
    wide: pd.DataFrame = table.read(columns=[*of_row, *metrics]).to_pandas()
    rows: pd.DataFrame = wide.loc[wide.index.repeat(len(metrics)), of_row].reset_index(drop=True)
    rows["metric"] = np.tile(np.array(metrics, dtype=object), len(wide))
    rows["value"] = wide[list(metrics)].to_numpy(dtype=np.float64).ravel()
    return rows


def dataset(
    table: pq.ParquetFile, points: pd.DataFrame, axes: Sequence[str], metrics: Sequence[str]
) -> "xr.Dataset":
    """Return a variable per metric; see :meth:`sim.Sweep.to_xarray`.

    Args:
        table: the replications.
        points: the values of the keys, a row per point.
        axes: the keys that span a grid if there are all combinations of their values.
        metrics: which ones.

    Raises:
        ImportError: xarray is not installed.
    """
    try:
        import xarray as xr
    except ImportError:
        raise ImportError(f"to_xarray needs xarray: {INSTALL}") from None
    wide = table.read(columns=["point", _REPLICATION, *metrics]).to_pandas()
    replications = int(wide[_REPLICATION].max()) + 1 if len(wide) else 0
    places = wide["point"].to_numpy(), wide[_REPLICATION].to_numpy()
    grid = _grid(points, axes)
    shape: tuple[int, ...] = (len(points),)
    if grid is None:
        dimensions = ["point"]
        coordinates = {key: ("point", points[key].to_numpy()) for key in points}
        coordinates["point"] = ("point", points.index.to_numpy())
    else:
        dimensions = list(axes)
        coordinates = {key: (key, values) for key, values in grid.items()}
        shape = tuple(len(values) for values in grid.values())
    variables = {}
    for name in metrics:
        values = np.full((len(points), replications), np.nan)
        values[places] = wide[name].to_numpy()
        about = _about(name)
        # Points of a grid are in the order of their values, of which the last varies fastest.
        variables[name] = (
            [*dimensions, _REPLICATION],
            values[_order(points, grid)].reshape(*shape, replications),
            about,
        )
    coordinates[_REPLICATION] = (_REPLICATION, np.arange(replications))
    return xr.Dataset(variables, coordinates)


def _grid(points: pd.DataFrame, axes: Sequence[str]) -> dict[str, np.ndarray] | None:
    """Return the values of each axis, if every combination of them is one point."""
    values = {key: points[key].drop_duplicates().to_numpy() for key in axes}
    size = int(np.prod([len(each) for each in values.values()], dtype=np.int64))
    alone = len(points[list(axes)].drop_duplicates()) if axes else len(points)
    if not axes or not size == len(points) == alone or list(points) != list(axes):
        return None
    return values


def _order(points: pd.DataFrame, grid: dict[str, np.ndarray] | None) -> np.ndarray:
    """Return the numbers of the points in the order of the array."""
    if grid is None:
        return np.arange(len(points))
    numbers = {
        values: number
        for number, values in enumerate(points[list(grid)].itertuples(index=False, name=None))
    }
    return np.array([numbers[values] for values in itertools.product(*map(list, grid.values()))])


def _about(name: str) -> dict[str, str]:
    """Return what is known about a metric: what it is called, and its unit."""
    try:
        of = catalogue.metric(name)
    except KeyError:  # of another version
        return {}
    return {"long_name": of.label, "units": _UNITS.get(of.dimension, of.unit)}
