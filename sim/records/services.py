"""Which service a path or a job belongs to, as a file of one's own says."""

import re
from collections.abc import Callable
from functools import cache
from pathlib import Path

import pandas as pd

from .csv_files import SourceError, read_texts
from .delivery import Delivery
from .problems import Problems

_COLUMNS = {"pattern", "service"}


def read_services(path: Path) -> pd.DataFrame:
    """Return a file with the columns `pattern`, `service` and perhaps `team`.

    A pattern is the beginning of a path, or the name of a job or repository; ``*`` stands for any
    letters. The first row whose pattern fits decides.

    Raises:
        SourceError: it lacks a column.
    """
    if not path.is_file():
        raise SourceError(f"{path} is no file; give a CSV file with pattern,service,team")
    table = read_texts(path, Problems())
    lacking = sorted(_COLUMNS - set(table))
    if lacking:
        raise SourceError(f"{path.name} has no column {lacking[0]}; it needs pattern,service,team")
    return table.dropna(subset=sorted(_COLUMNS)).reset_index(drop=True)


def assigned(delivery: Delivery, mapping: pd.DataFrame) -> None:
    """Give changes, deployments and incidents the service whose pattern fits, and it its team.

    What fits none keeps the service that the source names, if it names one.
    """
    service = fitting(mapping)
    for name in () if delivery.services_are_assigned else ("changes", "deployments", "incidents"):
        table = delivery.tables.get(name)
        if table is None:
            continue
        of = table.get("path", table.get("service"))
        if of is None:
            continue
        names = {text: service(str(text)) for text in of.dropna().unique()}
        found = of.map(names).astype("string")
        table["service"] = found.fillna(table["service"]) if "service" in table else found
        delivery.rules[f"{name}.service"] = "the pattern that fits in the file of services"
    services = mapping[~mapping["service"].duplicated()]
    columns = ["service", *(["team"] if "team" in mapping else []), "row"]
    delivery.tables["services"] = services[columns].reset_index(drop=True)
    delivery.files["services"] = "the file of services"


def fitting(mapping: pd.DataFrame) -> Callable[[str], str | None]:
    """Return what gives the service of a path or job; None if no pattern fits."""
    patterns = [
        (re.compile(re.escape(pattern).replace(r"\*", ".*")), str(service))
        for pattern, service in zip(mapping["pattern"], mapping["service"], strict=True)
    ]

    @cache
    def service_of(text: str) -> str | None:
        return next((service for pattern, service in patterns if pattern.match(text)), None)

    return service_of
