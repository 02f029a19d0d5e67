"""A folder of CSV files with the tables that the event log has: the format of one's own."""

import os
from pathlib import Path

from .csv_files import header_of, read_texts, refuse_too_large
from .delivery import COLUMNS, Delivery
from .options import Options

NAME = "csv"
WANTED = (
    "a folder with deployments.csv (deployment_id, deployed_at), and any of changes.csv, "
    "incidents.csv, services.csv"
)

_KEYS = (
    ("deployments", "deployment_id"),
    ("deployments", "deployed_at"),
    ("changes", "committed_at"),
    ("incidents", "started_at"),
)
"""A column of a table that no other tool's table of that name has."""


def can_open(source: str) -> bool:
    """Return whether a source is such a folder: one of the tables is there with our names."""
    return any(key in header_of(Path(source, f"{name}.csv")) for name, key in _KEYS)


def read(source: str, options: Options) -> Delivery:
    """Return what the folder says.

    Args:
        source: the folder; its file ``services.csv`` goes before ``--services``.
        options: of these, the time zone is used here.

    Raises:
        SourceError: a file is no CSV file, or all of them are too large.
    """
    delivery = Delivery("a folder of CSV files")
    paths = {name: Path(source, f"{name}.csv") for name in COLUMNS}
    for path in paths.values():
        if os.path.lexists(path) and not path.is_file():
            delivery.problems.add_file(path.name, "it is no file", "it is not read")
    paths = {name: path for name, path in paths.items() if path.is_file()}
    refuse_too_large(paths)
    for name, path in paths.items():
        texts = read_texts(path, delivery.problems)
        unknown = [str(column) for column in texts if column not in COLUMNS[name]]
        for column in unknown:
            if column != "row":
                delivery.problems.add_file(
                    path.name, "the column is not known", "it is not used", column
                )
        delivery.add(name, path.name, texts, options.timezone)
    return delivery
