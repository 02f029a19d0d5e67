"""What lead time goes into, work in progress and throughput by hand."""

import numpy as np
import pandas as pd
import pytest

from sim.log import Records
from sim.metrics import compute_metrics, waiting_by_step
from sim.metrics.arrays import AbsentError
from sim.metrics.flow import (
    failed_trainings_per_week,
    lead_time_parts,
    throughput_per_week,
    work_in_progress,
)

WINDOW = (168.0, 504.0)  # two weeks
SERVICES = [{"service": "ads", "team": "red"}]


def change(number, committed_at, deployed_at=np.nan, **others):
    return {
        "change_id": number,
        "service": "ads",
        "kind": "feature",
        "committed_at": committed_at,
        "deployed_at": deployed_at,
        **others,
    }


def execution(number, name, queued_at, rework=False, **parts):
    return {
        "change_id": number,
        "service": "ads",
        "step": name,
        "queued_at": queued_at,
        "finished_at": queued_at + sum(parts.values()),
        "rework": rework,
        **{part: parts.get(part, 0.0) for part in NAMES},
    }


NAMES = ("batch_h", "handoff_h", "window_h", "people_h", "effort_h", "compute_h", "run_h")

# Change 1, 150 to 200: build 4 h, review 10 h, then sent back: 20 h; deploy 16 h.
# Change 2, 300 to 310: build 6 h, deploy 4 h; it skips the review.
CHANGES = [
    change(1, 150.0, 200.0),
    change(2, 300.0, 310.0),
    change(3, 100.0, 160.0),  # deployed before the window
    change(4, 480.0),  # not deployed
]
STEPS = [
    # The exploration comes before the commit, the verification after the deployment.
    execution(1, "exploration", 110.0, people_h=10.0, effort_h=30.0),
    execution(1, "build", 150.0, compute_h=1.0, run_h=3.0),
    execution(1, "review", 154.0, handoff_h=2.0, people_h=7.0, effort_h=1.0),
    execution(1, "rework", 164.0, rework=True, people_h=10.0, effort_h=2.0),
    execution(1, "build", 176.0, rework=True, run_h=3.0),
    execution(1, "review", 179.0, rework=True, people_h=5.0),
    execution(1, "deploy", 184.0, batch_h=5.0, window_h=7.0, people_h=3.0, effort_h=1.0),
    execution(1, "verify", 200.0, effort_h=5.0),
    execution(2, "build", 300.0, compute_h=2.0, run_h=4.0),
    execution(2, "deploy", 306.0, people_h=3.0, effort_h=1.0),
    execution(3, "build", 100.0, run_h=60.0),
    execution(4, "build", 480.0, run_h=4.0),
]


def test_lead_time_is_split_into_what_it_went_into(make_tables):
    tables = make_tables(services=SERVICES, changes=CHANGES, steps=STEPS)
    assert lead_time_parts(tables, WINDOW) == pytest.approx(
        {
            "flow_efficiency": 10 / 60,  # touch 3 h and run 7 h of 50 h and 10 h
            "lead_time_touch_h": 3 / 2,
            "lead_time_run_h": 7 / 2,
            "lead_time_people_h": 13 / 2,
            "lead_time_compute_h": 3 / 2,
            "lead_time_approval_h": 7 / 2,
            "lead_time_handoff_h": 2 / 2,
            "lead_time_batch_h": 5 / 2,
            "lead_time_rework_h": 20 / 2,
        }
    )
    assert compute_metrics(Records(tables, WINDOW))["lead_time_mean_h"] == pytest.approx(30.0)


def test_waiting_by_step_is_in_the_order_of_the_pipeline_and_adds_up(make_tables):
    # Logged by the end of each execution, the changes mixed: the order has to come from the times.
    logged = sorted(STEPS, key=lambda row: (row["step"], -row["finished_at"]))
    waiting = waiting_by_step(make_tables(services=SERVICES, changes=CHANGES, steps=logged), WINDOW)
    expected = pd.DataFrame(
        [
            [0.0, 0.0, 0.0, 0.0, 0.0, 1.5, 3.5, 1.5],
            [0.0, 1.0, 0.0, 3.5, 0.5, 0.0, 0.0, 2.5],
            [0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 6.0],
            [2.5, 0.0, 3.5, 3.0, 1.0, 0.0, 0.0, 0.0],
        ],
        index=pd.Index(["build", "review", "rework", "deploy"], name="step"),
        columns=[*NAMES, "rework_h"],
    )
    pd.testing.assert_frame_equal(waiting, expected, check_index_type=False)
    assert waiting.to_numpy().sum() == pytest.approx(30.0)


def test_changes_that_skip_steps_do_not_turn_the_pipeline_around(make_tables):
    # Most changes go from a to d, so d is mostly second; b and c stand between them all the same.
    # Automated steps may take no time at all.
    changes = [change(number, 200.0, 210.0) for number in range(6)]
    steps = [
        execution(number, name, 200.0, run_h=0.0 if name in "abc" else 10.0)
        for number in range(6)
        for name in ("abcd" if number == 5 else "ad")
    ]
    waiting = waiting_by_step(make_tables(services=SERVICES, changes=changes, steps=steps), WINDOW)
    assert list(waiting.index) == list("abcd")


def test_times_that_lost_their_last_digits_in_a_file_still_belong_to_the_delivery(make_tables):
    steps = [execution(1, "build", 200.0 - 1e-9, run_h=10.0 + 2e-9)]
    tables = make_tables(services=SERVICES, changes=[change(1, 200.0, 210.0)], steps=steps)
    assert lead_time_parts(tables, WINDOW)["lead_time_run_h"] == pytest.approx(10.0)


def test_a_part_that_nobody_recorded_counts_as_zero(make_tables):
    steps = [{**execution(1, "build", 200.0, run_h=10.0), "window_h": np.nan}]
    tables = make_tables(services=SERVICES, changes=[change(1, 200.0, 210.0)], steps=steps)
    assert lead_time_parts(tables, WINDOW)["lead_time_approval_h"] == 0.0


def test_without_executions_nothing_is_known_of_the_parts(make_tables):
    for tables in (
        make_tables(services=SERVICES, changes=CHANGES),
        make_tables(services=SERVICES, steps=STEPS),
        make_tables(),
    ):
        assert np.isnan(list(lead_time_parts(tables, WINDOW).values())).all()
        waiting = waiting_by_step(tables, WINDOW)
        assert waiting.shape == (0, 8)
        assert waiting.index.name == "step"


def test_work_in_progress_is_the_mean_over_time_of_what_is_started_and_not_ended(make_tables):
    tables = make_tables(
        services=SERVICES,
        changes=[
            {"started_at": 100.0, "ended_at": 178.0},  # 10 h in the window
            {"started_at": 200.0, "ended_at": 260.0},  # 60 h
            {"started_at": 404.0},  # not ended: 100 h
            {"started_at": 494.0, "ended_at": 600.0},  # 10 h
            {"started_at": 10.0},  # all of it: 336 h
            {"started_at": 10.0, "ended_at": 168.0},  # nothing
            {"started_at": 490.0, "ended_at": 504.0},  # 14 h, and not ended within the window
            {"started_at": 504.0},  # nothing
            {"created_at": 10.0},  # not started: nothing
        ],
    )
    assert work_in_progress(tables, WINDOW) == pytest.approx(530 / 336)
    counts = compute_metrics(Records(tables, WINDOW))
    assert counts["n_unfinished"] == 4
    assert work_in_progress(make_tables(), WINDOW) == 0.0


def test_throughput_counts_changes_and_not_deployments(make_tables):
    deployed_at = [167.9, 168.0, 200.0, 200.0, 200.0, 503.9, 504.0, np.nan]
    changes = [change(number, 100.0, at) for number, at in enumerate(deployed_at)]
    tables = make_tables(services=SERVICES, changes=changes)
    assert throughput_per_week(tables, WINDOW) == pytest.approx(2.5)
    assert compute_metrics(Records(tables, WINDOW))["n_changes_deployed"] == 5


def test_failed_trainings_are_those_that_left_no_model(make_tables):
    steps = [
        {
            "change_id": number,
            "step": step,
            "effect": effect,
            "finished_at": finished_at,
            "outcome": outcome,
            "execution_id": execution,
        }
        for execution, (number, step, effect, finished_at, outcome) in enumerate(
            (
                (1, "train", "trains_model", 168.0, "failed"),
                (2, "train", "trains_model", 200.0, "unrepeatable"),
                (2, "fit", "trains_model", 210.0, "failed"),  # whatever its name
                # Before and at the end of the window; not trainings; trained all the same.
                (1, "train", "trains_model", 167.9, "failed"),
                (1, "train", "trains_model", 504.0, "unrepeatable"),
                (1, "deploy", "deploys", 200.0, "failed"),
                (1, "train", "", 200.0, "failed"),
                (1, "train", "trains_model", 200.0, "passed"),
                (2, "train", "trains_model", 200.0, "caught"),
                (99, "train", "trains_model", 200.0, "failed"),  # of a change of somebody else
            )
        )
    ]
    tables = make_tables(services=SERVICES, changes=CHANGES, steps=steps)
    assert failed_trainings_per_week(tables, WINDOW) == pytest.approx(3 / 2)
    # Two of them are one training, which two changes share.
    shared = tables["steps"].assign(execution_id=[0, 0, *range(2, 10)])
    assert failed_trainings_per_week({**tables, "steps": shared}, WINDOW) == pytest.approx(2 / 2)
    alone = {**tables, "steps": tables["steps"].drop(columns="execution_id")}
    assert failed_trainings_per_week(alone, WINDOW) == pytest.approx(3 / 2)
    unsaid = {**tables, "steps": tables["steps"].drop(columns="effect")}
    with pytest.raises(AbsentError, match="column 'effect' is absent"):
        failed_trainings_per_week(unsaid, WINDOW)
    tables["steps"] = tables["steps"].iloc[:0]
    assert failed_trainings_per_week(tables, WINDOW) == 0.0
    del tables["steps"]
    with pytest.raises(AbsentError, match="table 'steps' is absent"):
        failed_trainings_per_week(tables, WINDOW)


def test_an_execution_without_a_step_is_an_error(make_tables):
    tables = make_tables(services=SERVICES, changes=CHANGES, steps=STEPS)
    tables["steps"]["step"] = tables["steps"]["step"].where(tables["steps"]["step"] != "review")
    with pytest.raises(ValueError, match="row without a step"):
        waiting_by_step(tables, WINDOW)
