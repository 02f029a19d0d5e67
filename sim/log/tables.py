"""Event tables under construction, and what becomes of them."""

from array import array
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVarTuple

import numpy as np
import pandas as pd

from sim.kernel import extend
from sim.kernel.columns import Codes

from .rows import (
    NO_ID,
    BatchRow,
    CapacityRow,
    ChangeRow,
    DebtRow,
    DeploymentRow,
    IncidentRow,
    InvestmentRow,
    JobRow,
    PriceRow,
    QualityRow,
    ServiceRow,
    StepRow,
    WorkRow,
)
from .schema import SCHEMAS, ColumnKind, columns

Tables = Mapping[str, pd.DataFrame]
Fields = TypeVarTuple("Fields")

_TYPECODES: dict[ColumnKind, str] = {"real": "d", "count": "q", "id": "q", "flag": "b", "text": "i"}


class Table(Generic[*Fields]):
    """One event table under construction.

    :meth:`compact` moves the rows that were appended into typed columns, which keeps a row at about
    8 bytes a column however long the run.

    Args:
        row: the type of its rows.

    Attributes:
        append: adds a row, as an instance of ``row`` or as a tuple of the same fields: to match
            nineteen names takes ten times as long as to append the row.
    """

    append: Callable[[tuple[*Fields]], None]

    def __init__(self, row: type[tuple[*Fields]]) -> None:
        self._kinds = {name: column.kind for name, column in columns(row).items()}
        self._rows: list[tuple[*Fields]] = []
        self._columns = [array(_TYPECODES[kind]) for kind in self._kinds.values()]
        self._codes = [Codes() if kind == "text" else None for kind in self._kinds.values()]
        self.append = self._rows.append

    def compact(self) -> None:
        """Move the appended rows into the typed columns."""
        if not self._rows:
            return
        extend(self._columns, self._rows, self._codes)
        self._rows.clear()

    def to_frame(self) -> pd.DataFrame:
        """Return the table as a frame with one row per event, in the order of appending."""
        self.compact()
        frame: dict[str, Any] = {}
        for (name, kind), column, codes in zip(
            self._kinds.items(), self._columns, self._codes, strict=True
        ):
            values = np.frombuffer(column, dtype=column.typecode).copy()
            if codes is not None:
                frame[name] = pd.Categorical.from_codes(values, categories=pd.Index(list(codes)))
            elif kind == "flag":
                frame[name] = values.astype(bool)
            elif kind == "id":
                frame[name] = pd.arrays.IntegerArray(values, values == NO_ID)
            else:
                frame[name] = values
        return pd.DataFrame(frame, copy=False)


class EventLog:
    """The event tables of one simulated organization, one :class:`Table` per kind of row."""

    def __init__(self) -> None:
        self.services = Table(ServiceRow)
        self.changes = Table(ChangeRow)
        self.steps = Table(StepRow)
        self.work = Table(WorkRow)
        self.jobs = Table(JobRow)
        self.capacity = Table(CapacityRow)
        self.deployments = Table(DeploymentRow)
        self.incidents = Table(IncidentRow)
        self.batches = Table(BatchRow)
        self.quality = Table(QualityRow)
        self.debt = Table(DebtRow)
        self.prices = Table(PriceRow)
        self.investments = Table(InvestmentRow)

    def compact(self) -> None:
        """Move all appended rows into typed columns."""
        for name in SCHEMAS:
            getattr(self, name).compact()

    def to_frames(self) -> dict[str, pd.DataFrame]:
        """Return every table as a frame, by name."""
        return {name: getattr(self, name).to_frame() for name in SCHEMAS}
