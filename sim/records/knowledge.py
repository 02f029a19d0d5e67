"""The knowledge map: of every column of the event tables, whether anybody observed it."""

from dataclasses import dataclass
from typing import Literal

from sim.log import SCHEMAS, Records

Status = Literal["observed", "derived", "partly observed", "absent"]

_ABOUT = ("services", "changes", "steps", "deployments", "incidents")
"""The tables that records of deliveries can have at all."""


@dataclass(frozen=True)
class Known:
    """What is known of a column.

    Attributes:
        table: name of the table.
        column: name of the column; empty if the whole table is absent.
        status: whether somebody observed it, or it follows from what somebody observed.
        rule: how it was derived; empty if it was not.
        share: of the rows that have a value.
    """

    table: str
    column: str
    status: Status
    rule: str
    share: float


def knowledge_of(records: Records, rules: dict[str, str]) -> tuple[Known, ...]:
    """Return what is known of each column, in the order declared.

    Args:
        records: the records.
        rules: by ``table.column``, how it was derived.
    """
    found = []
    for table in _ABOUT:
        if table not in records.tables:
            found.append(Known(table, "", "absent", "", 0.0))
            continue
        frame = records.tables[table]
        for column in SCHEMAS[table]:
            if column not in frame:
                found.append(Known(table, column, "absent", "", 0.0))
                continue
            missing = frame[column].isna() | (frame[column].astype(object) == "")
            share = float(1.0 - missing.mean()) if len(frame) else 1.0
            rule = rules.get(f"{table}.{column}", "")
            status: Status = "derived" if rule else "observed"
            if not rule and share < 1.0:
                status = "partly observed"
            found.append(Known(table, column, status, rule, share))
    return tuple(found)
