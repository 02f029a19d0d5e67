"""Rules of the pipeline, each alone: what a step takes, finds, adds, and whom it waits for."""

import pytest
from small_organization import idea_every, simulate, steps_of

BY_HAND = {"role": "ml_engineer", "effort_h": 3, "run_h": 2}


def pipeline(**steps: object) -> dict[str, object]:
    return {"steps": {**steps, "deploy": {"effect": "deploys"}}}


def test_by_hand_a_person_works_and_then_the_machine() -> None:
    run = simulate(changes=idea_every(100), pipeline=pipeline(build=BY_HAND))
    assert steps_of(run, 0)[0] == ("build", 1, 100, 100, 105, "passed")
    first = run.steps.iloc[0]
    assert (first["mode"], first["effort_h"], first["run_h"]) == ("manual", 3, 2)


def test_automated_it_needs_nobody() -> None:
    run = simulate(
        changes=idea_every(100),
        automation=1,
        pipeline=pipeline(build=BY_HAND),
        teams={"team": {"people": {}}},
    )
    assert steps_of(run, 0)[0] == ("build", 1, 100, 100, 102, "passed")
    assert len(run.work) == 0


def test_the_machine_may_be_needed_by_automated_executions_only() -> None:
    step = {**BY_HAND, "run_by_hand": False}
    run = simulate(changes=idea_every(100), pipeline=pipeline(build=step))
    assert steps_of(run, 0)[0] == ("build", 1, 100, 100, 103, "passed")


@pytest.mark.parametrize(("taker", "delay_h"), [("data_scientist", 7), ("operations", 20)])
def test_a_handoff_takes_time_in_the_team_and_more_across(taker: str, delay_h: float) -> None:
    run = simulate(
        changes=idea_every(200),
        shared_people={"operations": 1},
        pipeline={
            "handoff_in_team": {"delay_h": 7},
            "handoff_across": {"delay_h": 20},
            "steps": {
                "build": BY_HAND,
                "again": BY_HAND,
                "check": {"role": taker, "effort_h": 1},
                "deploy": {"effect": "deploys"},
            },
        },
    )
    assert steps_of(run, 0)[:3] == [
        ("build", 1, 200, 200, 205, "passed"),
        ("again", 1, 205, 205, 210, "passed"),  # the same role: no handoff
        ("check", 1, 210, 210 + delay_h, 211 + delay_h, "passed"),
    ]
    assert run.steps["handoff_h"].iloc[2] == delay_h


def test_what_is_found_goes_back_to_the_author_and_passes_again() -> None:
    run = simulate(
        changes=idea_every(100, author="data_scientist", defects={"code": 1}, rework_h=4),
        automation=1,
        pipeline={
            "steps": {
                "build": {"run_h": 5},
                "pack": {"run_h": 2},
                "test": {
                    "run_h": 1,
                    "detects": {"code": {"automated": 1}},
                    "returns_to": "pack",
                },
                "deploy": {"effect": "deploys"},
            }
        },
    )
    assert steps_of(run, 0) == [
        ("build", 1, 100, 100, 105, "passed"),
        ("pack", 1, 105, 105, 107, "passed"),
        ("test", 1, 107, 107, 108, "caught"),
        ("rework", 2, 108, 108, 112, "passed"),
        ("pack", 2, 112, 112, 114, "passed"),
        ("test", 2, 114, 114, 115, "passed"),
        ("deploy", 2, 115, 115, 115, "passed"),
    ]
    of_change = run.steps[run.steps["change_id"] == 0]
    assert of_change["rework"].tolist() == [False, False, False, True, True, True, False]
    assert run.metrics()["lead_time_rework_h"] == pytest.approx(7)
    assert len(run.incidents) == 0


def test_a_failure_may_return_to_a_step_that_the_kind_skips() -> None:
    run = simulate(
        changes=idea_every(100, defects={"code": 1}),
        automation=1,
        pipeline={
            "steps": {
                "first": {"run_h": 1},
                "skipped": {"run_h": 1, "skipped_by": ["feature"]},
                "next": {"run_h": 1},
                "test": {"detects": {"code": {"automated": 1}}, "returns_to": "skipped"},
                "deploy": {"effect": "deploys"},
            }
        },
    )
    names = [name for name, *_ in steps_of(run, 0)]
    assert names == ["first", "next", "test", "next", "test", "deploy"]


def test_a_change_is_given_up_after_its_last_attempt() -> None:
    run = simulate(
        changes=idea_every(100),
        automation=1,
        pipeline={
            "max_attempts": 3,
            "steps": {
                "slip": {"run_h": 1, "adds": {"code": {"automated": 1}}},
                "test": {"detects": {"code": {"automated": 1}}},
                "deploy": {"effect": "deploys"},
            },
        },
    )
    change = run.changes.iloc[0]
    assert (change["status"], change["ended_at"]) == ("abandoned", 103)
    assert len(run.deployments) == 0


def test_false_alarms_repeat_the_run_and_nothing_else() -> None:
    run = simulate(
        weeks=400,
        changes=idea_every(10),
        automation=1,
        pipeline=pipeline(test={"run_h": 1, "flaky": 0.5}),
    )
    of_test = run.steps[run.steps["step"] == "test"]
    assert set(of_test["outcome"]) == {"passed"}
    repetitions = of_test["run_h"].round(9)
    assert (repetitions == repetitions.round()).all()
    share_once = (repetitions == 1).mean()
    assert share_once == pytest.approx(0.5, abs=4 * 0.5 / len(repetitions) ** 0.5)


def test_environments_drift_off_the_golden_path_only() -> None:
    for standardization in (0, 1):
        run = simulate(
            changes=idea_every(100),
            standardization=standardization,
            pipeline={"environment_drift": 1, "steps": {"deploy": {"effect": "deploys"}}},
        )
        assert run.deployments["failed"].all() == (standardization == 0)
        assert set(run.incidents["cause"]) == (set() if standardization else {"infra"})


def test_a_board_and_a_release_window_make_changes_wait_and_ship_together() -> None:
    weekly = {"days": ["wed"], "hour": 10}  # hour 58 of the week
    run = simulate(
        weeks=3,
        changes=idea_every(20),
        pipeline={
            "steps": {
                "deploy": {
                    "role": "ml_engineer",
                    "effort_h": 3,
                    "effect": "deploys",
                    "window": weekly,
                },
                "verify": {"run_h": 1},
            }
        },
    )
    first, second = run.deployments.iloc[0], run.deployments.iloc[1]
    assert (first["started_at"], first["deployed_at"], first["n_changes"]) == (58, 61, 2)
    assert (second["deployed_at"], second["n_changes"]) == (168 + 61, 9)
    aboard = run.steps[run.steps["change_id"].isin([0, 1]) & (run.steps["step"] == "deploy")]
    assert aboard["window_h"].tolist() == [38, 18]
    assert aboard["finished_at"].tolist() == [61, 61]
    assert aboard["effort_h"].tolist() == [3, 3]  # each lived through it ...
    assert run.work[run.work["change_id"] <= 1]["effort_h"].sum() == 3  # ... somebody did it once
    # The lead alone sees to the verification.
    assert (run.steps["step"] == "verify").sum() == 3


def test_features_in_progress_stay_within_the_limit() -> None:
    run = simulate(
        weeks=20,
        teams={"team": {"people": {"data_scientist": 5}, "wip_limit": 2}},
        changes={"feature": {"exploration_h": 10}},
        pipeline={"steps": {"deploy": {"run_h": 30, "effect": "deploys"}}},
    )
    changes = run.changes
    assert changes["deployed_at"].dropna().iloc[:4].tolist() == [40, 40, 80, 80]
    for at in range(5, 3000, 13):
        in_progress = (changes["started_at"] <= at) & ~(changes["ended_at"] <= at)
        assert in_progress.sum() <= 2


def test_a_full_backlog_keeps_every_author_busy() -> None:
    run = simulate(
        teams={"team": {"people": {"data_scientist": 2}}},
        changes={"feature": {"exploration_h": 10, "abandoned": 1}},
    )
    assert run.changes["started_at"].iloc[:4].tolist() == [0, 0, 10, 10]
    assert set(run.changes["status"]) == {"abandoned", "exploring"}
    assert run.metrics()["utilization_data_scientist"] == pytest.approx(1)
