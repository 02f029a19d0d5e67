"""Hand-made event tables, as the log writes them and as a real organization would export them."""

from collections.abc import Callable
from typing import Any

import pandas as pd
import pytest

from sim.log import NO_ID, SCHEMAS, EventLog

Rows = list[dict[str, Any]]
MakeTables = Callable[..., dict[str, pd.DataFrame]]

MISSING = {"real": float("nan"), "count": 0, "id": NO_ID, "flag": False, "text": ""}


def logged_tables(**rows_by_table: Rows) -> dict[str, pd.DataFrame]:
    """Return all tables as the log makes them, with the given rows; what a row omits is missing."""
    log = EventLog()
    for name, rows in rows_by_table.items():
        for row in rows:
            assert row.keys() <= SCHEMAS[name].keys()
            getattr(log, name).append(
                tuple(row.get(name, MISSING[column.kind]) for name, column in SCHEMAS[name].items())
            )
    return log.to_frames()


def exported_tables(**rows_by_table: Rows) -> dict[str, pd.DataFrame]:
    """Return the same with plain strings, and identifiers as floats with NaN for none."""
    tables = logged_tables(**rows_by_table)
    for name, frame in tables.items():
        for column, holds in SCHEMAS[name].items():
            if holds.kind == "text":
                frame[column] = pd.Series(list(frame[column]), dtype=object)
            elif holds.kind == "id":
                frame[column] = (
                    frame[column].astype("Float64").to_numpy(float, na_value=float("nan"))
                )
    return tables


@pytest.fixture(params=[logged_tables, exported_tables], ids=["logged", "exported"])
def make_tables(request: pytest.FixtureRequest) -> MakeTables:
    return request.param
