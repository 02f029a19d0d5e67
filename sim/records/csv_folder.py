"""A folder of CSV files with the tables that the event log has: the format of one's own."""

from pathlib import Path

from .csv_files import header_of, read_texts, refuse_too_large
from .delivery import COLUMNS, Delivery
from .options import Options

NAME = "csv"
WANTED = "a folder with deployments.csv, and any of changes.csv, incidents.csv, services.csv"

_KEYS = {
    "services": "service",
    "changes": "change_id",
    "deployments": "deployment_id",
    "incidents": "incident_id",
}


def can_open(source: str) -> bool:
    """Return whether a source is such a folder: one of the tables is there with its identifier.

    The tables of Four Keys have the same names, and some of the same identifiers.
    """
    if "deploy_id" in header_of(Path(source, "deployments.csv")):
        return False
    return any(key in header_of(Path(source, f"{name}.csv")) for name, key in _KEYS.items())


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
