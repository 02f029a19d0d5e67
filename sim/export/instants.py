"""Hours since a Monday as instants of UTC, and these as texts."""

import hashlib
from collections.abc import Iterable
from typing import Literal

import numpy as np
import pandas as pd


def instants(hours: pd.Series, epoch: pd.Timestamp) -> pd.Series:
    """Return hours as instants to the microsecond, NaT where there is none.

    Args:
        hours: since the epoch.
        epoch: an instant.
    """
    microseconds = np.round(hours.to_numpy(dtype=np.float64, na_value=np.nan) * 3_600e6)
    known = ~np.isnan(microseconds)
    found = np.full(len(hours), np.datetime64("NaT", "us"))
    start = np.datetime64(epoch.tz_convert("UTC").tz_localize(None), "us")
    found[known] = start + microseconds[known].astype("timedelta64[us]")
    times: pd.Series = pd.Series(found, index=hours.index).dt.tz_localize("UTC")
    return times


def iso(times: pd.Series, unit: Literal["ms", "us"]) -> "pd.Series[str]":
    """Return instants as texts of ISO 8601 with the offset Z, missing where there is none."""
    values = times.dt.tz_localize(None).to_numpy().astype(f"datetime64[{unit}]")
    texts = np.char.add(np.datetime_as_string(values, unit=unit), "Z").astype(object)
    texts[np.isnat(values)] = None
    return pd.Series(texts, index=times.index, dtype="string")


def commit_sha(names: Iterable[str]) -> "pd.Series[str]":
    """Return the hash that stands for each commit: it has none, so it is one of its name."""
    hashes = [hashlib.sha1(name.encode(), usedforsecurity=False).hexdigest() for name in names]
    return pd.Series(hashes, dtype="string")
