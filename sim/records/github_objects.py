"""Objects of GitHub's API as rows of a table."""

import re
from typing import Any

import numpy as np
import pandas as pd

from .delivery import ROW, Delivery, texts
from .json_files import Object, as_text
from .options import Options
from .times import instants

_REPOSITORY = re.compile(r"/repos/([^/\s]+/[^/\s]+?)(?:/|$)")


class Rows:
    """Texts of objects, by column, with the row of each object in its file."""

    def __init__(self, file: str, *names: str) -> None:
        self.file = file
        self.rows: list[int] = []
        self._columns: dict[str, list[str | None]] = {name: [] for name in names}

    def add(self, row: int, **values: Any) -> None:
        """Add an object; what is no text is missing."""
        self.rows.append(row)
        for name, column in self._columns.items():
            column.append(as_text(values.get(name)))

    def frame(self, delivery: Delivery, options: Options) -> pd.DataFrame:
        """Return the columns as texts, and those that end with ``_at`` as instants."""
        rows = np.array(self.rows, dtype=np.int64)
        columns: dict[str, Any] = {ROW: rows}
        for name, values in self._columns.items():
            if name.endswith("_at"):
                given = pd.Series(values, dtype="string[pyarrow]", name=name)
                columns[name] = instants(
                    given, rows, self.file, delivery.problems, options.timezone
                )
            else:
                columns[name] = texts(values)
        return pd.DataFrame(columns)


def repository_of(found: Object) -> str | None:
    """Return the owner and name of the repository that an object is of, by its address."""
    for key in ("repository_url", "deployment_url", "url"):
        address = as_text(found.get(key))
        if address is not None and (named := _REPOSITORY.search(address)):
            return named[1]
    return None


def key_of(repository: Any, number: Any) -> str | None:
    """Return what names a pull request or an issue: ``owner/name#7``, or ``#7``."""
    if pd.isna(number):
        return None
    return f"#{number}" if pd.isna(repository) else f"{repository}#{number}"


def looked_up(keys: pd.Series, among: pd.Series) -> "pd.Series[Any]":
    """Return the value of each key among values by their keys, missing where there is none."""
    values = among.reindex(pd.Index(keys.astype(object)))
    return pd.Series(values.array, index=keys.index, dtype=among.dtype)
