"""The contents of the columns of the event tables, read off the declared rows."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal, NamedTuple, get_args, get_origin, get_type_hints

from . import rows

ColumnKind = Literal["real", "count", "id", "flag", "text"]

ROWS: dict[str, type[NamedTuple]] = {
    "services": rows.ServiceRow,
    "changes": rows.ChangeRow,
    "steps": rows.StepRow,
    "work": rows.WorkRow,
    "jobs": rows.JobRow,
    "capacity": rows.CapacityRow,
    "deployments": rows.DeploymentRow,
    "incidents": rows.IncidentRow,
    "batches": rows.BatchRow,
    "quality": rows.QualityRow,
    "debt": rows.DebtRow,
    "prices": rows.PriceRow,
    "investments": rows.InvestmentRow,
}
"""The row of each table, by name of the table."""


@dataclass(frozen=True)
class Column:
    """The contents of a column.

    Attributes:
        kind: how its values are stored.
        required: every row says it. Otherwise NaN, <NA> or the empty text says that there is none.
        texts: the texts that are allowed, besides the empty one; none if any is.
    """

    kind: ColumnKind
    required: bool
    texts: Sequence[str] = ()


def columns(row: type[Any]) -> dict[str, Column]:
    """Return what the fields of ``row`` hold, by name, in their order."""
    return {name: _column(hint) for name, hint in get_type_hints(row, include_extras=True).items()}


def _column(hint: Any) -> Column:
    if get_origin(hint) is Literal:
        texts: tuple[str, ...] = get_args(hint)
        return Column("text", "" not in texts, tuple(text for text in texts if text))
    required = rows.MAY_BE_MISSING not in get_args(hint)
    kinds: dict[Any, ColumnKind] = {
        float: "real",
        bool: "flag",
        str: "text",
        int: "count" if required else "id",
    }
    kind, *more = [hint] if required else get_args(hint)
    return Column(kinds[kind], required, next((m for m in more if isinstance(m, list)), ()))


SCHEMAS = {name: columns(row) for name, row in ROWS.items()}
"""The columns of each table, by name of the table and of the column, in their order."""

KEYS = {
    "services": "service",
    "changes": "change_id",
    "deployments": "deployment_id",
    "incidents": "incident_id",
    "batches": "batch_id",
}
"""The column that tells the rows of a table apart. A column of the same name in another table says
to which row it belongs."""
REFERS_TO = {column: name for name, column in KEYS.items()} | {"origin_id": "changes"}
"""The table that a column refers to, by name of the column."""
