"""What a source says about deliveries: what every reader returns, in instants of UTC."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
import pandas as pd

from sim.log import SCHEMAS
from sim.log.schema import REFERS_TO, Column
from sim.words import listed, printable

from .places import are_among
from .problems import Problems
from .times import instants

Kind = Literal["time", "text", "number", "flag"]

ROW = "row"
"""The column with the number of each row in its file, as a spreadsheet shows it."""

_KINDS: dict[str, Kind] = {"real": "number", "count": "number", "flag": "flag"}
_OF_THE_MODEL = ("services", "changes", "steps", "deployments", "incidents")
"""The event tables that a delivery may have; columns that end with ``_at`` are instants here."""
_BESIDES: dict[str, dict[str, Kind]] = {
    "changes": {
        "commit": "text",  # that went into the main branch
        "by_bot": "flag",  # no person wrote it
        "reverts": "text",  # the change that it takes back
        "path": "text",  # where in a repository it is, which may say of which service it is
    },
    "deployments": {
        "environment": "text",
        "result": "text",
        "commit": "text",
        "is_rollback": "flag",  # of an earlier version
    },
    "deployed_changes": {"deployment_id": "text", "change_id": "text"},
    "incidents": {
        "commit": "text",  # that caused it
        "environment": "text",
        "planned": "flag",  # a maintenance that was announced
        "severity": "text",
        "title": "text",
    },
}
"""Columns beside those of the event tables, out of which these are derived."""


def _kind(name: str, column: Column) -> Kind:
    if name.endswith(("_at", "data_from")):
        return "time"
    return "text" if name in REFERS_TO else _KINDS.get(column.kind, "text")


def _columns() -> dict[str, dict[str, Kind]]:
    found: dict[str, dict[str, Kind]] = {
        name: {column: _kind(column, of) for column, of in SCHEMAS[name].items()}
        for name in _OF_THE_MODEL
    }
    for name, columns in _BESIDES.items():
        found[name] = found.get(name, {}) | columns
    return found


COLUMNS = _columns()
"""The columns that each table of a delivery may have, and what they hold."""


@dataclass
class Delivery:
    """What a source says about deliveries.

    Attributes:
        source: what kind of source it is: ``a folder of CSV files``.
        tables: some of the tables of :data:`COLUMNS` with some of their columns, times as instants
            of UTC, and :data:`ROW`.
        files: by table, the file that its rows are from.
        problems: what is wrong with them.
        rules: how columns came about that nobody observed, by ``table.column``.
        remarks: what readers of a report have to know about this source, in sentences.
        links_are_complete: deployments say of all their changes that they have them, so that the
            changes of the first deployment are its own and not all that there was before.
        services_are_assigned: the reader has used the file of services itself.
        left_out: the deployments that do not count, by their identifiers.
        ended_at: until when the source has been kept; None: until the last event.
        tool: the tool whose tables these are, if it has definitions of its own: ``devlake``.
        tool_tables: its tables with its columns, for these definitions; times as instants.
    """

    source: str
    tables: dict[str, pd.DataFrame] = field(default_factory=dict)
    files: dict[str, str] = field(default_factory=dict)
    problems: Problems = field(default_factory=Problems)
    rules: dict[str, str] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    links_are_complete: bool = True
    services_are_assigned: bool = False
    left_out: set[str] = field(default_factory=set)
    ended_at: pd.Timestamp | None = None
    tool: str = ""
    tool_tables: dict[str, pd.DataFrame] = field(default_factory=dict)

    def add(self, name: str, file: str, texts: pd.DataFrame, timezone: str | None) -> None:
        """Add a table of texts, with its columns read as what they hold.

        Args:
            name: of the table.
            file: where it is from.
            texts: some of the columns of :data:`COLUMNS`, and :data:`ROW`.
            timezone: of times without an offset.
        """
        rows = texts[ROW].to_numpy(dtype=np.int64)
        columns: dict[str, Any] = {
            column: read_as(kind, texts[column], rows, file, self.problems, timezone)
            for column, kind in COLUMNS[name].items()
            if column in texts
        }
        for column, of in SCHEMAS.get(name, {}).items():
            if column in columns and of.texts:
                self._keep_allowed(columns, column, of.texts, rows, file)
        self.tables[name] = pd.DataFrame(columns | {ROW: rows})
        self.files[name] = file

    def _keep_allowed(
        self,
        columns: dict[str, Any],
        column: str,
        allowed: Sequence[str],
        rows: "np.ndarray[tuple[int], np.dtype[np.int64]]",
        file: str,
    ) -> None:
        """Leave out the texts of a column that has a closed list of them, and list them."""
        values = columns[column].str.lower()
        other = values.notna().to_numpy(dtype=bool) & ~are_among(values, allowed)
        kind = f"not one of {listed(allowed)}"
        self.problems.add(file, column, kind, "the value is left out", rows[other], values[other])
        columns[column] = values.where(~other)


def texts(values: Iterable[str | None]) -> "pd.Series[Any]":
    """Return texts as a column of a delivery: safe to print, missing where they are empty."""
    given = pd.Series(list(values), dtype="string[pyarrow]").str.strip()
    return _printable(given.where((given != "").fillna(False)))


def read_as(
    kind: Kind,
    texts: pd.Series,
    rows: "np.ndarray[tuple[int], np.dtype[np.int64]]",
    file: str,
    problems: Problems,
    timezone: str | None,
) -> "pd.Series[Any]":
    """Return a column of texts as what it holds, missing where it holds something else.

    Args:
        kind: what it holds.
        texts: the column; times may be instants already.
        rows: the number of each row.
        file: where it is from.
        problems: gets what cannot be read.
        timezone: of times without an offset.
    """
    texts = texts.reset_index(drop=True)
    if kind == "time" and isinstance(texts.dtype, pd.DatetimeTZDtype):
        return texts.astype("datetime64[us, UTC]")
    if kind == "time":
        return instants(texts, rows, file, problems, timezone)
    given = texts.astype("string[pyarrow]").str.strip()
    given = given.where((given != "").fillna(False))
    if kind == "text":
        return _printable(given)
    if kind == "number":
        read: pd.Series[Any] = pd.to_numeric(given.astype(object), errors="coerce").astype(float)
        read = read.where(np.isfinite(read))
    else:
        read = given.str.lower().map(_FLAGS).astype("boolean")
    lost = (given.notna() & read.isna()).to_numpy(dtype=bool)
    what = {"number": "no number", "flag": "neither true nor false"}[kind]
    column = str(texts.name)
    problems.add(file, column, what, "the value is left out", rows[lost], given[lost])
    return read


_FLAGS: Mapping[str, bool] = dict.fromkeys(("true", "1", "1.0", "yes", "t"), True) | dict.fromkeys(
    ("false", "0", "0.0", "no", "f"), False
)


def _printable(texts: pd.Series) -> "pd.Series[Any]":
    """Return texts without what would move the cursor or turn the reading direction."""
    odd = texts.str.contains(r"[^\x20-\x7e]", regex=True).fillna(False).to_numpy(dtype=bool)
    if not odd.any():
        return texts
    clean = texts.copy()
    clean[odd] = [printable(str(text)).replace("\n", " ") for text in texts[odd]]
    return clean
