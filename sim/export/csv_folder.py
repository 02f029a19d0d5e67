"""Records as the folder of CSV files that :mod:`sim.records.csv_folder` reads."""

from collections.abc import Iterator

import pandas as pd

from sim.log import Records
from sim.records.delivery import COLUMNS

from .instants import instants, iso

_TABLES = ("services", "changes", "deployments", "incidents", "steps")


def written(records: Records, epoch: pd.Timestamp) -> Iterator[tuple[str, pd.DataFrame]]:
    """Yield each table with its name, with all the columns that it has and times as texts.

    Args:
        records: of a simulated run.
        epoch: the Monday that its hours are counted from.
    """
    for name in _TABLES:
        if name not in records.tables:
            continue
        table = records.tables[name]
        columns: dict[str, pd.Series | str] = {}
        for column, kind in COLUMNS[name].items():
            if column not in table:
                continue
            values = table[column]
            if kind == "time":
                columns[column] = iso(instants(values, epoch), "us")
            elif kind == "flag":
                columns[column] = values.map({True: "true", False: "false"})
            else:
                columns[column] = values
        if name == "deployments":
            columns |= {"environment": "production", "result": "success"}
        yield name, pd.DataFrame(columns, index=table.index)
