"""Reading delivery records: which reader opens a source, and what comes of it."""

import re
import zoneinfo
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Literal, NamedTuple

import pandas as pd

from sim.words import printable

from . import cdevents, csv_folder, database, devlake, four_keys, git_log, github
from .csv_files import SourceError
from .delivery import Delivery
from .delivery_records import DeliveryRecords
from .derivation import to_records
from .options import Options
from .services import read_services
from .times import EARLIEST, LATEST

_LONGEST_WINDOW_H = 8784.0


class Reader(NamedTuple):
    """What opens one kind of source.

    Attributes:
        name: what it is chosen by.
        wanted: what it opens, in words.
        can_open: whether it can open a source, without reading all of it.
        read: what the source says.
    """

    name: str
    wanted: str
    can_open: Callable[[str], bool]
    read: Callable[[str, Options], Delivery]


READERS = tuple(
    Reader(module.NAME, module.WANTED, module.can_open, module.read)
    for module in (csv_folder, git_log, github, devlake, database, cdevents, four_keys)
)
"""The readers, in the order in which they are asked."""


def read(
    source: str | Path,
    reader: str | None = None,
    timezone: str | None = None,
    since: str | None = None,
    until: str | None = None,
    environment: str | None = None,
    services: str | Path | None = None,
    window_h: float = 24.0,
    deployments: Literal["tags", "merges"] | None = None,
    incident_label: str = "incident",
    planned: str | None = None,
) -> DeliveryRecords:
    """Read the delivery records of an organization.

    Args:
        source: a folder, a file or the URL of a database.
        reader: which reader opens it; by default the first one that says it can.
        timezone: of times without an offset, and of the clock that tells days and weeks.
        since: the first day, as ``2026-01-05``; by default that of the first deployment.
        until: the day before which the last one ends.
        environment: where deployments count; by default production, if they name it.
        services: a CSV file that says which paths or jobs are which service.
        window_h: how soon after a deployment an incident may be its work, where neither says.
        deployments: what is a deployment in a Git history: ``tags`` of releases or ``merges``; by
            default tags, if there are any of releases.
        incident_label: which label of an issue on GitHub says that it is an incident.
        planned: a regular expression: incidents whose title it is found in, whatever their case,
            were announced, and are none.

    Returns:
        Records that every metric and figure takes.

    Raises:
        SourceError: there is no such source, no reader for it, or nothing in it to measure.
    """
    text = str(source)
    options = Options(
        timezone=_zone(timezone),
        since=_day(since, "since"),
        until=_day(until, "until"),
        environment=environment,
        services=None if services is None else read_services(Path(services)),
        window_h=_window(window_h),
        deployments=deployments,
        incident_label=incident_label,
        planned=_pattern(planned),
    )
    try:
        return to_records(_reader(text, reader).read(text, options), options)
    except OSError as error:
        at = printable(str(error.filename or text))
        raise SourceError(f"{at} cannot be read: {error.strerror or error}") from None


def _reader(source: str, name: str | None) -> Reader:
    path = Path(source)
    if path.exists() and not (path.is_file() or path.is_dir()):
        raise SourceError(f"{printable(source)} is no file; write what it gives into one")
    if name is not None:
        for each in READERS:
            if each.name == name:
                return each
        names = ", ".join(each.name for each in READERS)
        raise SourceError(f"there is no reader '{printable(name)}'; there are {names}")
    for each in READERS:
        if each.can_open(source):
            return each
    shown = printable(source)
    if "://" not in source and not Path(source).exists():
        raise SourceError(f"{shown} does not exist; give a folder, a file or the URL of a database")
    wanted = "\n".join(f"  {each.name}: {each.wanted}" for each in READERS)
    raise SourceError(f"{shown} is none of the sources that can be read:\n{wanted}")


def _zone(name: str | None) -> str | None:
    if name is not None and name not in zoneinfo.available_timezones():
        what = f"timezone: '{printable(name)}' is no time zone; give a name such as Europe/Berlin"
        raise SourceError(what)
    return name


def _window(hours: float) -> float:
    if not 0.0 < hours <= _LONGEST_WINDOW_H:
        what = f"window: {hours:g} h is no window; give hours, more than 0 and no more than a year"
        raise SourceError(what)
    return hours


def _pattern(text: str | None) -> re.Pattern[str] | None:
    try:
        return None if text is None else re.compile(text, re.IGNORECASE)
    except re.error as error:
        what = f"planned: '{printable(text or '')}' is no regular expression: {error}"
        raise SourceError(what) from None


def _day(text: str | None, name: str) -> pd.Timestamp | None:
    if text is None:
        return None
    try:
        day = pd.Timestamp(date.fromisoformat(text))
    except ValueError:
        what = f"{name}: '{printable(text)}' is no day; write it as 2026-01-05"
        raise SourceError(what) from None
    if not EARLIEST <= day <= LATEST:
        raise SourceError(f"{name}: name a day from {EARLIEST.year} to {LATEST.year - 1}")
    return day
