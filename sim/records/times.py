"""Times as tools write them: text with or without a time zone, made instants of UTC."""

import zoneinfo

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from .problems import Problems

Flags = npt.NDArray[np.bool_]

EARLIEST, LATEST = pd.Timestamp("1980-01-01"), pd.Timestamp("2100-01-01")
_STRICT = r"^\d{4}-\d{2}-\d{2}(?:[T ]\d{2}:\d{2}(?::\d{2}(?:\.\d{1,6})?)?)?"
_OFFSET = r"(?:Z|[+-]\d{2}(?::?\d{2})?)$"
_ZONE = r"(?:Z|z|UTC|GMT|[+-]\d{2}:?\d{2}|[+-]\d{2})$"
_LOOSE = (
    r"^\s*(\d{4})[-/.](\d{1,2})[-/.](\d{1,2})"
    r"(?:[T ]\s*(\d{1,2}):(\d{1,2})(?::(\d{1,2})(?:[.,](\d{1,9})\d*)?)?)?"
    r"\s*(Z|z|UTC|GMT|[+-]\d{1,2}:?\d{2}|[+-]\d{1,2})?\s*$"
)
_UTC_NAMES = {"Z": "+00:00", "z": "+00:00", "UTC": "+00:00", "GMT": "+00:00"}


def instants(
    texts: pd.Series,
    rows: npt.NDArray[np.int64],
    file: str,
    problems: Problems,
    timezone: str | None = None,
) -> pd.Series:
    """Return texts as instants of UTC, NaT where there is none.

    ISO 8601 is read with any offset. What only resembles it (``2023-4-10 6:51``, ``T8:00``) is read
    too, and listed. A time without an offset is one of ``timezone``; without that it is no instant,
    and is listed. Of a local hour that comes twice, as clocks are set back, the first one is taken;
    one that is skipped is no instant. Both are listed.

    Args:
        texts: any texts; missing values and empty texts are no time.
        rows: the row of each in its file.
        file: the file; the name of the series is the column.
        problems: gets what cannot be read.
        timezone: name of the time zone of times without an offset.

    Returns:
        Datetimes of UTC in microseconds, with the index of the texts.
    """
    column = str(texts.name)
    given = texts.astype("string[pyarrow]").str.strip()
    there: Flags = (given.notna() & (given != "")).to_numpy(dtype=bool)
    found, sure = _strictly(given)
    rest = there & ~sure
    if rest.any():
        _read_loosely(found, rest, given, rows, file, problems)
    zoned = sure.copy()
    zoned[rest] = _matches(given[rest], _ZONE) & _matches(given[rest], ":")
    naive = there & ~zoned & found.notna().to_numpy()
    if naive.any():
        _place_local(found, naive, given, rows, file, problems, timezone)
    out = found.notna() & ((found < EARLIEST) | (found >= LATEST))
    if out.any():
        lost = out.to_numpy()
        kind = f"time before {EARLIEST.year} or after {LATEST.year - 1}"
        problems.add(file, column, kind, "the value is left out", rows[lost], given[lost])
        found[lost] = pd.NaT
    placed: pd.Series[pd.Timestamp] = found.dt.tz_localize("UTC")
    return placed


def _matches(texts: pd.Series, pattern: str) -> Flags:
    matching: Flags = texts.str.contains(pattern, regex=True).fillna(False).to_numpy(dtype=bool)
    return matching


def _strictly(given: pd.Series) -> tuple[pd.Series, Flags]:
    """Return the instants of all that is ISO 8601 with an offset, and which ones these are."""
    sure = _matches(given, _STRICT + _OFFSET)
    found = pd.Series(np.full(len(given), np.datetime64("NaT", "us")), index=given.index)
    texts = pa.array(given[sure].array, pa.string())
    try:
        times = pc.cast(texts, pa.timestamp("us", "UTC"))
    except pa.ArrowInvalid:  # such as the 31st of April
        return found, np.zeros(len(given), dtype=np.bool_)
    found[sure] = times.cast(pa.timestamp("us")).to_numpy(zero_copy_only=False)
    return found, sure


def _read_loosely(
    found: pd.Series,
    rest: Flags,
    given: pd.Series,
    rows: npt.NDArray[np.int64],
    file: str,
    problems: Problems,
) -> None:
    """Read what is no ISO 8601 with an offset, in place; local times are left as they are."""
    column = str(given.name)
    loose = _parsed(_loosely(given[rest]))
    found[rest] = loose.to_numpy()
    close = rest & found.notna().to_numpy()
    close[close] = ~_matches(given[close], f"{_STRICT}(?:{_OFFSET}| UTC$|$)")
    consequence = "it is read as far as it can be"
    problems.add(file, column, "time not in ISO 8601", consequence, rows[close], given[close])
    lost = rest & found.isna().to_numpy()
    problems.add(file, column, "no time", "the value is left out", rows[lost], given[lost])


def _parsed(texts: pd.Series) -> pd.Series:
    """Return instants without their zone, which is UTC; NaT where a text is none."""
    parsed = pd.to_datetime(texts, format="ISO8601", utc=True, errors="coerce")
    return parsed.dt.tz_localize(None).astype("datetime64[us]")


def _loosely(texts: pd.Series) -> pd.Series:
    """Return what resembles ISO 8601 as it should have been written, missing where nothing does."""
    parts = texts.astype(object).str.extract(_LOOSE)
    written = parts[0] + "-" + parts[1].str.zfill(2) + "-" + parts[2].str.zfill(2) + "T"
    for place, mark in ((3, ":"), (4, ":"), (5, ".")):
        written += parts[place].fillna("00").str.zfill(2) + mark
    zone = parts[7].fillna("").replace(_UTC_NAMES)
    zone = zone.str.replace(r"^([+-])(\d)(?=:|\d{2}$|$)", r"\g<1>0\2", regex=True)
    return written + parts[6].fillna("0") + zone


def _place_local(
    found: pd.Series,
    naive: Flags,
    given: pd.Series,
    rows: npt.NDArray[np.int64],
    file: str,
    problems: Problems,
    timezone: str | None,
) -> None:
    """Make local times instants, in place."""
    column = str(given.name)
    if timezone is None:
        remedy = "the value is left out; say which one with --timezone"
        problems.add(file, column, "time without a time zone", remedy, rows[naive], given[naive])
        found[naive] = pd.NaT
        return
    local = found[naive]
    zone = zoneinfo.ZoneInfo(timezone)
    first = local.dt.tz_localize(zone, ambiguous=np.ones(len(local), bool), nonexistent="NaT")
    strict = local.dt.tz_localize(zone, ambiguous="NaT", nonexistent="NaT")
    placed = first.dt.tz_convert("UTC").dt.tz_localize(None)
    where = np.flatnonzero(naive)
    skipped = where[first.isna().to_numpy()]
    twice = where[(first.notna() & strict.isna()).to_numpy()]
    problems.add(
        file, column, "local time that was skipped", "the value is left out",
        rows[skipped], given.iloc[skipped],
    )  # fmt: skip
    problems.add(
        file, column, "local time that came twice", "the first one is taken",
        rows[twice], given.iloc[twice],
    )  # fmt: skip
    found[naive] = placed.to_numpy()
