"""Apache DevLake's domain tables as a folder of CSV dumps."""

from pathlib import Path

from .csv_files import SourceError, header_of, read_texts, refuse_too_large
from .delivery import Delivery
from .devlake_tables import TABLES, to_delivery, typed
from .options import Options
from .problems import Problems

NAME = "devlake"
WANTED = "a folder with Apache DevLake's cicd_deployment_commits.csv and other tables"

_SEPARATORS = "_.-"


def can_open(source: str) -> bool:
    """Return whether a source is a folder with a dump of the deployed commits or deployments."""
    return any(
        "finished_date" in header_of(path)
        for name in ("cicd_deployment_commits", "cicd_deployments")
        for path in _dumps(Path(source), name)
    )


def read(source: str, options: Options) -> Delivery:
    """Return what the dumps in a folder say.

    Args:
        source: the folder.
        options: of these, none is used here: DevLake keeps its times in UTC.

    Raises:
        SourceError: several files may be the same table, or one is no CSV file.
    """
    problems = Problems()
    paths = {}
    for name in TABLES:
        found = _dumps(Path(source), name)
        if len(found) > 1:
            names = " and ".join(path.name for path in found[:3])
            raise SourceError(f"{names} may both be the table {name}; leave one of them there")
        if found:
            paths[name] = found[0]
    refuse_too_large(paths)
    tables = {}
    for name, path in paths.items():
        table = typed(name, read_texts(path, problems), path.name, problems)
        if table is not None:
            tables[name] = table
    files = {name: path.name for name, path in paths.items()}
    return to_delivery("tables of Apache DevLake", tables, files, problems)


def _dumps(folder: Path, name: str) -> list[Path]:
    """Return the files that may be a table: called like it, else with anything before its name.

    So `lake.repos.csv` and `dump_repos.csv` are read too, but not beside `repos.csv`.
    """
    path = folder / f"{name}.csv"
    if path.is_file():
        return [path]
    try:
        paths = sorted(folder.glob(f"*{name}.csv"))
    except OSError:
        return []
    found = [each for each in paths if each.stem.removesuffix(name)[-1:] in _SEPARATORS]
    longer = [other for other in TABLES if other != name and other.endswith(name)]
    return [
        each
        for each in found
        if each.is_file() and not any(each.stem.endswith(other) for other in longer)
    ]
