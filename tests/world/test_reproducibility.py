"""Reproducibility: trainings that cannot be repeated, and what it takes to find out why."""

from typing import Any

import pytest
from scipy import stats
from small_organization import NEVER_H, idea_every, row, simulate, steps_of

import sim

WEEK_H = 168
EVERY_10_H = {"trigger": "schedule", "every_h": 10}


def pipeline(unrepeatable: Any, reconstruction_h: float = 0, **tests: Any) -> dict[str, Any]:
    if not isinstance(unrepeatable, dict):
        unrepeatable = {"bespoke": unrepeatable, "golden_path": unrepeatable}
    return {
        "unrepeatable": unrepeatable,
        "reconstruction_h": reconstruction_h,
        "steps": {
            "train": {"run_h": 1, "effect": "trains_model", "skipped_by": ["fix"]},
            **tests,
            "deploy": {"effect": "deploys"},
        },
    }


def services(**service: Any) -> dict[str, Any]:
    return {"service": {"team": "team", **service}}


def unrepeatable(run: sim.Run) -> int:
    return int((run.steps["outcome"] == "unrepeatable").sum())


def test_as_many_retrainings_fail_as_the_probability_says_and_each_once() -> None:
    p, weeks = 0.3, 120
    run = simulate(weeks=weeks, services=services(retraining=EVERY_10_H), pipeline=pipeline(p))
    trainings = run.steps[run.steps["step"] == "train"]
    first = trainings[trainings["attempt"] == 1]
    failed = int((first["outcome"] == "unrepeatable").sum())
    assert stats.binomtest(failed, len(first), p).pvalue > 0.001
    assert failed == unrepeatable(run)  # never a second time
    assert trainings["attempt"].max() == 2
    assert (run.changes["status"] == "deployed").sum() >= len(run.changes) - 1


@pytest.mark.parametrize("name", ["train", "fit"])
def test_a_training_is_one_whatever_its_step_is_called(name: str) -> None:
    run = simulate(
        weeks=4,
        services=services(retraining={"trigger": "schedule", "every_h": 100}),
        pipeline={
            "unrepeatable": {"bespoke": 1},
            "reconstruction_h": 1,
            "steps": {
                name: {"run_h": 1, "effect": "trains_model"},
                "deploy": {"effect": "deploys"},
            },
        },
    )
    # Retrainings at 100, 200 to 600 h, each of which fails once and is made again.
    assert run.metrics()["failed_trainings_per_week"] == 6 / 4
    effects = run.steps.groupby("step", observed=True)["effect"].unique()
    assert effects[name].tolist() == ["trains_model"]
    assert effects["deploy"].tolist() == ["deploys"]
    assert effects["reconstruction"].tolist() == [""]


def test_the_author_finds_out_why_and_trains_again() -> None:
    run = simulate(
        weeks=1,
        services=services(retraining={"trigger": "schedule", "every_h": 100}),
        changes={"retrain": {"rework_h": NEVER_H}},
        pipeline=pipeline(1, reconstruction_h=5),
    )
    assert steps_of(run, 0) == [
        ("train", 1, 100, 100, 101, "unrepeatable"),
        ("reconstruction", 2, 101, 101, 106, "passed"),
        ("train", 2, 106, 106, 107, "passed"),
        ("deploy", 2, 107, 107, 107, "passed"),
    ]
    reconstruction = run.steps.iloc[1]
    assert (reconstruction["role"], reconstruction["effort_h"]) == ("data_scientist", 5)
    assert reconstruction["rework"]
    assert run.work["effort_h"].tolist() == [5]
    assert row(run.changes, 0)["data_from"] == 106  # trained on the data of then


def test_a_feature_is_trained_for_the_first_time() -> None:
    run = simulate(weeks=10, changes=idea_every(10), pipeline=pipeline(1))
    assert unrepeatable(run) == 0
    assert len(run.deployments) > 100


def test_a_feature_that_comes_back_has_to_be_trained_again() -> None:
    run = simulate(
        weeks=1,
        automation=1,
        changes=idea_every(100, defects={"model": 1}, rework_h=2),
        pipeline=pipeline(1, reconstruction_h=5, evaluate={"detects": {"model": {"automated": 1}}}),
    )
    assert steps_of(run, 0) == [
        ("train", 1, 100, 100, 101, "passed"),
        ("evaluate", 1, 101, 101, 101, "caught"),
        ("rework", 2, 101, 101, 103, "passed"),
        ("train", 2, 103, 103, 104, "unrepeatable"),
        ("reconstruction", 3, 104, 104, 109, "passed"),
        ("train", 3, 109, 109, 110, "passed"),
        ("evaluate", 3, 110, 110, 110, "passed"),
        ("deploy", 3, 110, 110, 110, "passed"),
    ]


def test_what_came_back_before_it_was_trained_is_trained_for_the_first_time() -> None:
    run = simulate(
        weeks=1,
        automation=1,
        changes=idea_every(100, defects={"code": 1}),
        pipeline={
            "unrepeatable": {"bespoke": 1},
            "steps": {
                "unit_test": {"detects": {"code": {"automated": 1}}},
                "train": {"effect": "trains_model"},
                "deploy": {"effect": "deploys"},
            },
        },
    )
    assert [(name, outcome) for name, *_, outcome in steps_of(run, 0)] == [
        ("unit_test", "caught"),
        ("unit_test", "passed"),
        ("train", "passed"),
        ("deploy", "passed"),
    ]


def test_a_training_that_failed_otherwise_has_to_be_repeated_as_well() -> None:
    run = simulate(
        weeks=20,
        changes=idea_every(20),
        pipeline={
            "unrepeatable": {"bespoke": 1},
            "steps": {
                "train": {"effect": "trains_model", "fails": 0.4},
                "deploy": {"effect": "deploys"},
            },
        },
    )
    trainings = run.steps[run.steps["step"] == "train"]
    came_back = trainings[(trainings["attempt"] == 1) & (trainings["outcome"] == "failed")]
    assert len(came_back) > 30
    second = trainings[trainings["attempt"] == 2]
    assert set(second["outcome"]) == {"unrepeatable"}
    once = trainings[trainings["outcome"] == "unrepeatable"]["change_id"]
    assert once.is_unique


def test_a_change_that_was_taken_out_has_been_trained_before() -> None:
    run = simulate(
        weeks=1,
        changes=idea_every(100, defects={"code": 1}, rework_h=4),
        pipeline=pipeline(1, reconstruction_h=3),
        incidents={
            "responses": {"code": {"role": "ml_engineer", "latency_h": 2}},
            "rollback": {"available": 1, "automation": 1, "run_h": 1},
        },
    )
    # Deployed at 101, taken out at 104, reworked until 108.
    again = run.changes[run.changes["origin_id"] == 0]["change_id"].item()
    assert steps_of(run, again)[:3] == [
        ("authoring", 1, 104, 104, 108, "passed"),
        ("train", 1, 108, 108, 109, "unrepeatable"),
        ("reconstruction", 2, 109, 109, 112, "passed"),
    ]


@pytest.mark.parametrize("golden_path", [False, True])
def test_the_golden_path_has_a_probability_of_its_own(golden_path: bool) -> None:
    run = simulate(
        weeks=1,
        services=services(retraining=EVERY_10_H, golden_path=golden_path),
        pipeline=pipeline({"bespoke": 1, "golden_path": 0}),
    )
    assert unrepeatable(run) == (0 if golden_path else len(run.changes))


def test_steps_that_train_no_model_can_always_be_repeated() -> None:
    run = simulate(
        weeks=1,
        services=services(retraining=EVERY_10_H),
        pipeline={"unrepeatable": {"bespoke": 1}, "steps": {"deploy": {"effect": "deploys"}}},
    )
    assert set(run.steps["outcome"]) == {"passed"}
