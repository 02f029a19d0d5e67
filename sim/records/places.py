"""Where identifiers stand among others: joins of tables with millions of rows."""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

Places = npt.NDArray[np.intp]


def places(names: pd.Series, among: "pd.Series | Iterable[str]") -> Places:
    """Return the place of each name among others, -1 if it is missing or not there.

    Args:
        names: texts.
        among: texts; of one that is there twice, the first place counts.
    """
    there = (
        among if isinstance(among, pd.Series) else pd.Series(list(among), dtype="string[pyarrow]")
    )
    found = pc.index_in(_texts(names), value_set=_texts(there), skip_nulls=True)
    result: Places = found.fill_null(-1).to_numpy(zero_copy_only=False).astype(np.intp)
    return result


def are_among(names: pd.Series, among: "pd.Series | Iterable[str]") -> npt.NDArray[np.bool_]:
    """Return which names are there among others."""
    result: npt.NDArray[np.bool_] = places(names, among) >= 0
    return result


def _texts(names: pd.Series) -> pa.Array:
    array = pa.array(names.astype("string[pyarrow]").array, pa.string())
    return array.combine_chunks() if isinstance(array, pa.ChunkedArray) else array
