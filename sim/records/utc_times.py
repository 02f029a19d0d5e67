"""Times of tools that keep them in UTC, and may leave out the offset."""

import pandas as pd

_WITHOUT_OFFSET = r"^(\d{4}-\d{2}-\d{2}[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)(?: UTC)?$"


def with_offset(texts: pd.Series) -> pd.Series:
    """Return texts of which those in ISO 8601 without an offset have that of UTC.

    MySQL writes times so, and BigQuery with the letters ``UTC``. Other texts stay as they are.

    Args:
        texts: any; times stay as they are.
    """
    if isinstance(texts.dtype, pd.DatetimeTZDtype):
        return texts
    given = texts.astype("string[pyarrow]")
    return given.str.replace(_WITHOUT_OFFSET, r"\1Z", regex=True)
