"""The records of an organization: its event tables, and what it takes to read them."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Self

import pandas as pd

from .contract import RecordsError, checked_tables, setting_problems, table_problems
from .schema import SCHEMAS
from .tables import Tables


@dataclass(frozen=True)
class Records:
    """The event tables of an organization, simulated or real.

    Nobody has to know everything. A table that is left out, or a column that is left out of a table
    with rows, is absent: nobody observed it. Metrics and figures that need it have no data. A table
    without rows is not absent: nothing happened.

    Attributes:
        tables: the event tables by name, taken as they are; :meth:`from_tables` checks those of a
            real organization.
        window: start and end of the observed time, in hours since Monday 00:00 of week 0. An event
            at the start is in the window, one at the end is not.
        currency: what the prices are in; empty if nobody knows.
        timezone: name of the time zone whose clock tells the hours; None if nobody knows.
    """

    tables: Tables
    window: tuple[float, float]
    currency: str = ""
    timezone: str | None = None

    @classmethod
    def from_tables(
        cls,
        tables: Mapping[str, pd.DataFrame],
        window: tuple[float, float],
        currency: str = "",
        timezone: str | None = None,
    ) -> Self:
        """Return the records of an organization, once its tables have been checked.

        Args:
            tables: some of the tables of :data:`sim.log.SCHEMAS` with some of their columns, in any
                order. Texts may be strings or categoricals, flags booleans, 0 and 1 or the texts
                "true" and "false", identifiers numbers or texts; None, NaN and the empty text are
                missing values.
            window: start and end of the observed time, in hours since Monday 00:00 of week 0.
            currency: what the prices are in.
            timezone: name of a time zone, such as ``Europe/Berlin``.

        Returns:
            Records whose columns have the types that a simulation gives them.

        Raises:
            RecordsError: the tables contradict their declaration, themselves or each other; the
                error has all the problems.
        """
        problems = [*setting_problems(window, currency, timezone), *table_problems(tables)]
        if problems:
            raise RecordsError(problems)
        start, end = window
        return cls(checked_tables(tables), (float(start), float(end)), currency, timezone)

    def within(self, start: float, end: float) -> Self:
        """Return the same records, observed from ``start`` to ``end`` only, in hours."""
        return replace(self, window=(start, end))

    @property
    def absent(self) -> tuple[str, ...]:
        """The absent tables and columns, in the order declared: ``steps``, ``changes.team``."""
        found = []
        for name, columns in SCHEMAS.items():
            if name not in self.tables:
                found.append(name)
            elif len(self.tables[name]) > 0:
                there: Any = self.tables[name].columns
                found += [f"{name}.{column}" for column in columns if column not in there]
        return tuple(found)
