"""*Watch*: the weeks that are shown, and who is where in them."""

import numpy as np
import pandas as pd
import pytest

import sim
from sim.hours import HOURS_PER_WEEK
from sim.playground.watch import Stays, busy_and_quiet, stays_of, watch


def seen(rows: list[tuple[str, str, float, float]], weeks: int) -> Stays:
    """Return stays of (what, place, from week, to week)."""
    found = pd.DataFrame(rows, columns=["what", "place", "from_h", "to_h"])
    found["from_h"] *= HOURS_PER_WEEK
    found["to_h"] *= HOURS_PER_WEEK
    found["entity_id"] = range(len(found))
    found["name"] = "somebody"
    return Stays(found, ["train"], ["ml_engineer"], (0.0, weeks * HOURS_PER_WEEK))


def test_the_busiest_week_has_most_changes_and_incidents_on_their_way() -> None:
    first = seen(
        [
            ("fix", "wait train", 0.0, 1.0),
            ("fix", "work train", 2.25, 3.0),
            ("incident", "noticed", 2.0, 3.5),
            ("fix", "work author", 1.0, 2.0),  # not on its way yet
            ("person", "ml_engineer: without work", 1.0, 2.0),
        ],
        4,
    )
    assert busy_and_quiet([first]) == {"busiest": 2, "quietest": 1}
    # Each organization counts as much as any other, however large it is.
    second = seen([("fix", "wait train", 3.0, 4.0)] * 100, 4)
    assert busy_and_quiet([first, second]) == {"busiest": 3, "quietest": 1}


@pytest.fixture(scope="module")
def run() -> sim.Run:
    return sim.simulate(sim.load("organization=startup", "horizon_weeks=20", "warmup_weeks=6"))


def test_marks_are_where_the_log_says(run: sim.Run) -> None:
    made = watch({"a": stays_of(run.tables, run.window)})
    for stretch in made["stretches"]:
        assert run.window[0] <= stretch["week"] * HOURS_PER_WEEK < run.window[1]
        for hour in np.linspace(3.3, 160.3, 9):
            time_h = stretch["week"] * HOURS_PER_WEEK + hour
            places = [
                place
                for entity in stretch["entities"]
                for place, from_h, to_h in entity["stays"]
                if from_h <= hour < to_h
            ]
            assert sum("|wait review" in place for place in places) == int(
                (
                    (run.steps["step"] == "review")
                    & (run.steps["queued_at"] <= time_h)
                    & (run.steps["started_at"] > time_h)
                ).sum()
            )
            open_incidents = run.incidents["started_at"].le(time_h) & ~run.incidents[
                "restored_at"
            ].le(time_h)
            phases = ("unnoticed", "noticed", "in diagnosis", "in remedy")
            assert sum(place.endswith(phases) for place in places) == open_incidents.sum()
            assert sum(": " in place for place in places) == 5  # people of the start-up


def test_every_place_is_in_the_table(run: sim.Run) -> None:
    made = watch({"a": stays_of(run.tables, run.window), "b": stays_of(run.tables, run.window)})
    places = {
        place
        for stretch in made["stretches"]
        for entity in stretch["entities"]
        for place, _, _ in entity["stays"]
    }
    assert {place.partition("|")[0] for place in places} == {"a", "b"}
    for place in places:
        assert f'data-place="{place}"' in made["html"]
