"""The animation: who is where when, counted on the log, and what vidigi makes of it."""

import numpy as np
import pandas as pd
import pytest

import sim
from sim.report.animation import HOURS_A_FRAME, animate, stays

START_H, END_H = 6 * 168.0, 8 * 168.0


@pytest.fixture(scope="module")
def run() -> sim.Run:
    return sim.simulate(sim.load("organization=startup", "horizon_weeks=12", "warmup_weeks=6"))


@pytest.fixture(scope="module")
def found(run: sim.Run) -> pd.DataFrame:
    return stays(run.tables, START_H, END_H)


def at(found: pd.DataFrame, time_h: float) -> pd.DataFrame:
    return found[(found["from_h"] <= time_h) & (found["to_h"] > time_h)]


def test_nobody_is_in_two_places(found: pd.DataFrame) -> None:
    begins = found.groupby("entity_id")["from_h"].shift(-1)
    overlapping = found[begins < found["to_h"] - 1e-9]
    assert overlapping.empty


@pytest.mark.parametrize("time_h", np.linspace(START_H + 1, END_H - 1, 7))
def test_queues_are_those_of_the_log(run: sim.Run, found: pd.DataFrame, time_h: float) -> None:
    steps, here = run.steps, at(found, time_h)
    for step in ("train", "review", "deploy"):
        of_step = steps[steps["step"] == step]
        waiting = ((of_step["queued_at"] <= time_h) & (of_step["started_at"] > time_h)).sum()
        assert (here["place"] == f"wait {step}").sum() == waiting
    incidents = run.incidents
    is_open = (incidents["started_at"] <= time_h) & ~(incidents["restored_at"] <= time_h)
    assert (here["what"] == "incident").sum() == is_open.sum()
    work = run.work
    on_incidents = (
        (work["activity"] == "incident")
        & (work["started_at"] <= time_h)
        & ~(work["finished_at"] <= time_h)
    )
    assert here["place"].str.endswith("on an incident").sum() == on_incidents.sum()


def test_people_are_always_somewhere(found: pd.DataFrame) -> None:
    people = found[found["what"] == "person"]
    hours = (people["to_h"] - people["from_h"]).groupby(people["entity_id"]).sum()
    assert len(hours) == 5  # of the start-up
    assert hours.to_numpy() == pytest.approx(END_H - START_H)


def test_a_change_that_nobody_finished_and_an_incident_that_nobody_noticed() -> None:
    run = sim.simulate(sim.load("organization=startup", "horizon_weeks=7", "warmup_weeks=6"))
    found = stays(run.tables, START_H, 7 * 168.0)
    assert found["to_h"].max() <= 7 * 168.0
    assert found.notna().all(axis=None)


def test_a_frame_every_few_hours_that_says_when(run: sim.Run) -> None:
    figure = animate(run.records, weeks=1)
    labels = [step.label for step in figure.layout.sliders[0].steps]
    assert len(labels) == len(figure.frames)
    assert len(labels) in (168 / HOURS_A_FRAME, 168 / HOURS_A_FRAME + 1)
    assert labels[0] == "week 6, Monday 00:00"
    assert labels[9] == "week 6, Tuesday 03:00"
    said = " ".join(str(note.text) for note in figure.layout.annotations)
    for words in ("waiting for", "in diagnosis", "ML engineer", "retraining"):
        assert words in said


def test_without_vidigi_it_says_what_to_install(
    run: sim.Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sim.report.animation.find_spec", lambda _: None)
    with pytest.raises(ModuleNotFoundError, match=r"pip install 'mldelivery\[animation\]'"):
        animate(run.records)
