"""Times as tools write them."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sim.records.problems import Problems
from sim.records.times import instants


def read(*texts: str | None, timezone: str | None = None) -> tuple[list[object], list[str]]:
    problems = Problems()
    series = pd.Series(list(texts), name="at", dtype=object)
    found = instants(series, np.arange(len(texts)) + 2, "file", problems, timezone)
    shown = [None if pd.isna(each) else each.isoformat() for each in found]
    return shown, [f"{each.rows.tolist()} {each.kind}" for each in problems.found]


@pytest.mark.parametrize(
    "text",
    [
        "2026-01-05T12:30:00Z",
        "2026-01-05 12:30:00+00:00",
        "2026-01-05T12:30:00.000Z",
        "2026-01-05T14:30+02:00",
        "2026-01-05T18:00:00+05:30",
        "2026-01-05T07:30:00-0500",
        "2026-01-05T07:30:00-05",
        "2026-01-05 12:30:00 UTC",
    ],
)
def test_iso_8601_with_an_offset(text: str) -> None:
    assert read(text) == (["2026-01-05T12:30:00+00:00"], [])


@pytest.mark.parametrize(
    "text", ["2026-1-5 12:30:00Z", "2026/01/05 12:30:0 +00:00", "2026-01-05T2:30Z"]
)
def test_what_resembles_it_is_read_and_listed(text: str) -> None:
    hour = "02" if "T2" in text else "12"
    assert read(text) == ([f"2026-01-05T{hour}:30:00+00:00"], ["[2] time not in ISO 8601"])


def test_local_times_need_a_zone() -> None:
    assert read("2026-07-05 12:30:00") == ([None], ["[2] time without a time zone"])
    in_berlin = read("2026-07-05 12:30:00", "2026-01-05", timezone="Europe/Berlin")
    assert in_berlin == (["2026-07-05T10:30:00+00:00", "2026-01-04T23:00:00+00:00"], [])


def test_hours_that_come_twice_or_never() -> None:
    found = read("2025-10-26 02:30", "2025-03-30 02:30", timezone="Europe/Berlin")
    problems = ["[3] local time that was skipped", "[2] local time that came twice"]
    assert found == (["2025-10-26T00:30:00+00:00", None], problems)


def test_what_is_no_time() -> None:
    texts = ("soon", "2026-02-30T00:00:00Z", "0001-01-01T00:00:00Z", "2150-01-01T00:00Z", "", None)
    found, problems = read(*texts)
    assert found == [None] * 6
    assert problems == ["[2, 3] no time", "[4, 5] time before 1980 or after 2099"]


@given(st.lists(st.one_of(st.none(), st.text(max_size=30), st.datetimes().map(str)), max_size=12))
@settings(deadline=None)
def test_any_text_is_a_time_or_listed(texts: list[str | None]) -> None:
    found, problems = read(*texts)
    listed = {int(n) for each in problems for n in each[1 : each.index("]")].split(", ")}
    for place, (text, instant) in enumerate(zip(texts, found, strict=True)):
        if text is not None and text.strip() and instant is None:
            assert place + 2 in listed
