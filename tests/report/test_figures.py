"""Pictures: what is drawn agrees with the tables it is drawn from."""

import subprocess
import sys
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pandas as pd
import pytest

import sim
from sim.metrics import dora_band, waiting_by_step
from sim.metrics.cost import HEADS
from sim.metrics.effort import effort_by_role
from sim.metrics.restore import restore_time_by_cause
from sim.report.band_figures import band_segments
from sim.report.breakdown_figures import plot_effort, plot_lead_time, plot_restore_time
from sim.report.cost_figures import plot_cost
from sim.report.course_figures import plot_course
from sim.report.palette import new_figure
from sim.report.pictures import study_pictures
from sim.report.units import NO_DATA


@pytest.fixture
def ax():
    _, (ax,) = new_figure(6.0, 4.0)
    return ax


def bar_ends(ax):
    ends = {}
    for bar in ax.patches:
        row = round(bar.get_y() + bar.get_height() / 2)
        ends[row] = max(ends.get(row, 0.0), bar.get_x() + bar.get_width())
    return [ends[row] for row in sorted(ends)]


def test_bars_of_lead_time_end_at_the_hours_of_their_step(study, ax):
    run = study.first
    waiting = waiting_by_step(run.tables, run.window)
    assert plot_lead_time(waiting, ax) is ax
    # A waterfall: each step ends where the next begins.
    assert bar_ends(ax) == pytest.approx(waiting.sum(axis="columns").cumsum().tolist())
    assert ax.get_yticklabels()[0].get_text() == "validate data"
    assert ax.yaxis_inverted()  # first step on top
    assert "hours" in ax.get_xlabel()


def test_bars_of_restore_time_end_at_the_hours_of_their_cause(study, ax):
    run = study.first
    by_cause = restore_time_by_cause(run.tables, run.window)
    assert plot_restore_time(by_cause, ax) is ax
    assert bar_ends(ax) == pytest.approx(by_cause.drop(columns="incidents").sum(axis=1).tolist())


def test_bars_of_effort_end_at_the_share_of_hours_that_a_role_is_busy(study, ax):
    run = study.first
    assert plot_effort(effort_by_role(run.tables, run.window), ax) is ax
    assert bar_ends(ax) == pytest.approx([80.0, 45.0, 80.0])
    assert ax.get_yticklabels()[0].get_text() == "data scientist\n(252 h per week)"
    # Of 476 h in all: 201.6 + 50.4 + 16.8, 16.8 + 22.4, 8.4 + 5.6, nothing.
    legend = [text.get_text() for text in ax.get_legend().get_texts()]
    assert legend == ["delivery, 56 %", "incident work, 8 %", "toil, 3 %", "investment, 0 %"]


def test_bars_of_cost_are_stacked_to_the_sum_of_their_heads(ax):
    bill = pd.DataFrame({head: [10.0, 20.0, 30.0] for head in HEADS})
    assert plot_cost(bill, [0, 4, 8, 9], 4, "EUR", ax) is ax
    tops = {}
    for bar in ax.patches:
        tops[bar.get_x()] = max(tops.get(bar.get_x(), 0.0), bar.get_y() + bar.get_height())
    assert tops == {0: 50.0, 4: 100.0, 8: 150.0}
    assert [bar.get_width() for bar in ax.patches[:3]] == [4, 4, 1]
    assert ax.get_ylabel() == "EUR per week"
    assert ax.get_legend().get_texts()[-1].get_text() == "people, 20 %"


def test_course_draws_the_mean_in_the_unit_of_its_label(ax):
    weekly = pd.DataFrame(
        {
            "replication": np.repeat([0, 1], 12),
            "week": np.tile(np.arange(12), 2),
            "lead_time_h": np.repeat([72.0, 120.0], 12),
        }
    )
    assert plot_course(weekly, "lead_time_h", 3, ax) is ax
    assert "days" in ax.get_title(loc="left")
    mean = ax.get_lines()[0].get_ydata()
    assert np.asarray(mean) == pytest.approx(4.0)  # (72 + 120) / 2 hours


@pytest.mark.parametrize(
    ("metric", "low", "high"),
    [
        ("deployment_frequency", 1 / 365, 8.0),
        ("lead_time_h", 4.0, 9000.0),
        ("change_failure_rate", 0.0, 0.7),
        ("time_to_restore_h", 0.25, 2000.0),
    ],
)
def test_segments_cover_the_axis_and_agree_with_the_classifier(metric, low, high):
    segments = band_segments(metric, low, high)
    assert segments[0][1] == pytest.approx(low)
    assert segments[-1][2] == pytest.approx(high)
    for (_, _, end), (_, start, _) in pairwise(segments):
        assert start == end
    for band, start, end in segments:
        assert dora_band(metric, (start + end) / 2) == band


def test_pictures_have_words_that_agree_with_the_numbers(study):
    pictures = study_pictures(study)
    assert set(pictures) == {
        "metrics",
        "lead_time",
        "gantt",
        "cumulative_flow",
        "restore_time",
        "incidents",
        "quality",
        "effort",
        "week",
        "course",
        "cost",
    }
    assert all(picture.title and picture.caption and picture.alt for picture in pictures.values())
    assert "DORA band high" in pictures["metrics"].alt
    run = study.first
    slowest = waiting_by_step(run.tables, run.window).sum(axis="columns").idxmax()
    assert f"Longest steps: {slowest}" in pictures["lead_time"].alt
    assert "data scientist: delivery 80 %, idle 20 %" in pictures["effort"].alt
    # People 476 h at 90; service s0 is below its objective all the time: 168 h at 100.
    assert "people 7" in pictures["cost"].alt
    assert "the cost over 60 weeks, between EUR " in pictures["cost"].alt
    assert "below it 100 % of the time. 1 deployment of newer models" in pictures["quality"].alt
    # No change is made in the last twelve weeks of the 60.
    assert pictures["cumulative_flow"].alt.endswith("no data")
    assert pictures["gantt"].alt.count("feature") == 8
    assert pictures["incidents"].alt.count("longest phase") == 12
    # From 9:00 on, when all three activities of the week begin.
    assert "operations most on Mon from 9:00" in pictures["week"].alt


def test_without_prices_there_is_no_picture_of_the_cost(study):
    free = replace(study, runs=study.runs.assign(cost_per_week=0.0, worth_per_week=0.0))
    assert "cost" not in study_pictures(free)


def test_every_picture_of_an_unstable_study_says_so(study):
    unstable = replace(study, runs=study.runs.assign(unstable=1.0))
    for picture in study_pictures(unstable).values():
        texts = [text.get_text() for text in picture.figure.texts]
        assert "unstable in 12 of 12 replications" in texts
    for picture in study_pictures(study).values():
        assert not any("unstable" in text.get_text() for text in picture.figure.texts)


def test_nothing_to_draw(empty_study):
    for picture in study_pictures(empty_study).values():
        picture.figure.canvas.draw()
        assert "nan" not in picture.alt


@pytest.mark.filterwarnings("error")
def test_a_lead_time_of_nothing_has_no_parts():
    scenario = sim.load(
        "horizon_weeks=2", "warmup_weeks=0", "pipeline.steps.serve.automation=1",
        config="verification/mm1",
    )  # fmt: skip
    study = sim.replicate(scenario, replications=2, n_jobs=1)
    lead_times = study.records.tables["changes"].eval("deployed_at - committed_at").dropna()
    assert len(lead_times) > 0
    assert (lead_times == 0).all()
    assert f"touch time {NO_DATA}" in study_pictures(study)["lead_time"].alt


def test_no_global_state_of_pyplot_is_used():
    check = "import sys, sim.report.band_figures; sys.exit('matplotlib.pyplot' in sys.modules)"
    subprocess.run([sys.executable, "-c", check], check=True)
