"""Append-only typed event tables: what a simulated organization leaves behind.

The log knows nothing of the model that writes it, nor of the metrics that read it; tables of a
real organization with these columns serve the metrics just as well. Times are hours since Monday
00:00 of week 0; a missing time is NaN, a missing identifier is ``<NA>``.
"""

from .contract import RecordsError, RecordsProblem
from .records import Records
from .rows import NO_ID
from .schema import SCHEMAS, Column, ColumnKind
from .tables import EventLog, Table, Tables

__all__ = [
    "NO_ID",
    "SCHEMAS",
    "Column",
    "ColumnKind",
    "EventLog",
    "Records",
    "RecordsError",
    "RecordsProblem",
    "Table",
    "Tables",
]
