"""What triggers a retraining, and what does not: each rule alone."""

from typing import Any

import pytest
from small_organization import idea_every, row, simulate

DECAYS = {
    "initial": 0.9,
    "objective": 0.7,
    "decay": {"shape": "linear", "loss_per_week": 0.168},  # 0.001 an hour
}
DRIFT = {"trigger": "drift", "margin": 0.1}  # after 100 h
MONITORED = {"responses": {"model": {"role": "ml_engineer", "monitored": 1, "alert_h": 4}}}


def services(**service: Any) -> dict[str, Any]:
    return {"service": {"team": "team", **service}}


def training(hours: float, *skipped_by: str) -> dict[str, Any]:
    """Return a pipeline that trains for some hours and deploys at once."""
    train = {"run_h": hours, "effect": "trains_model", "skipped_by": list(skipped_by)}
    return {"steps": {"train": train, "deploy": {"effect": "deploys"}}}


def test_dates_of_the_schedule_do_not_shift_when_one_is_skipped() -> None:
    run = simulate(
        weeks=1,
        services=services(retraining={"trigger": "schedule", "every_h": 20}),
        pipeline=training(30),
    )
    assert run.changes["created_at"].tolist() == [20, 60, 100, 140]


def test_each_service_retrains_by_itself() -> None:
    run = simulate(
        weeks=1,
        services={
            "service": {
                "team": "team",
                "count": 2,
                "retraining": {"trigger": "schedule", "every_h": 100},
            },
            "still": {"team": "team"},
        },
        pipeline=training(6),
    )
    assert run.changes["service"].tolist() == ["team.service", "team.service-2"]
    assert run.changes["committed_at"].tolist() == [100, 100]


def test_a_retraining_is_committed_when_it_is_triggered() -> None:
    run = simulate(
        weeks=1,
        services=services(retraining={"trigger": "schedule", "every_h": 100}),
        changes={"retrain": {"author": "data_scientist", "rework_h": 3}},
        pipeline=training(6),
    )
    only = row(run.changes, 0)
    times = [only[f"{moment}_at"] for moment in ("created", "started", "committed", "deployed")]
    assert times == [100, 100, 100, 106]


def test_drift_is_noticed_whatever_code_goes_live_meanwhile() -> None:
    run = simulate(
        weeks=1,
        services=services(quality=DECAYS, retraining=DRIFT),
        changes={"improvement": {"interarrival_h": 102}},
        pipeline=training(6, "improvement"),
        incidents=MONITORED,
    )
    retrained = run.changes[run.changes["kind"] == "retrain"]
    assert retrained["created_at"].tolist() == pytest.approx([104])
    assert len(run.incidents) == 0


def test_drift_of_a_model_that_was_replaced_meanwhile_does_not_matter() -> None:
    run = simulate(
        weeks=1,
        services=services(quality=DECAYS, retraining=DRIFT),
        changes=idea_every(101),
        pipeline=training(1),
        incidents=MONITORED,
    )
    assert set(run.changes["kind"]) == {"feature"}


def test_drift_of_a_service_that_retrains_already_does_not_matter() -> None:
    run = simulate(
        weeks=1,
        services=services(
            quality={**DECAYS, "objective": 0.8}, retraining={"trigger": "drift", "margin": 0.05}
        ),
        pipeline=training(99),
        incidents=MONITORED,
    )
    # Drift at 50, noticed at 54; below the objective at 100, noticed at 104: the one retraining
    # under way is expedited.
    assert run.changes["created_at"].tolist()[:1] == pytest.approx([54])
    assert run.incidents["restored_at"].tolist()[:1] == pytest.approx([153])
    assert row(run.changes, 0)["incident_id"] == 0


def test_a_new_model_that_has_drifted_already_is_noticed_like_any_other() -> None:
    run = simulate(
        weeks=2,
        services=services(quality=DECAYS, retraining=DRIFT),
        pipeline=training(110),
        incidents=MONITORED,
    )
    # Noticed at 104, live at 214 with data of 104, which drifted at 204: noticed 4 h later.
    assert run.changes["created_at"].tolist() == pytest.approx([104, 218, 332])


def test_a_shock_may_be_what_drifts() -> None:
    run = simulate(
        weeks=1,
        services=services(
            quality={
                "initial": 0.9,
                "objective": 0.7,
                "shocks": {"interarrival_h": 70, "loss": 0.15},
            },
            retraining=DRIFT,
        ),
        pipeline=training(10),
        incidents=MONITORED,
    )
    assert run.changes["created_at"].tolist() == [74, 144]


def test_always_on_goes_on_after_a_model_was_rolled_back() -> None:
    run = simulate(
        weeks=1,
        services=services(retraining={"trigger": "always_on"}),
        changes={"retrain": {"defects": {"model": 0.5}, "rework_h": 2}},
        pipeline=training(10),
        incidents={
            "responses": {"model": {"role": "ml_engineer", "latency_h": 3}},
            "rollback": {"available": 1, "automation": 1},
        },
    )
    # The next one is under way when a model turns out bad: the old one is not made again.
    assert run.changes["created_at"].tolist() == [10.0 * n for n in range(17)]
    assert set(run.changes["status"]) == {"deployed", "rolled_back", "delivering"}


def test_a_retraining_that_is_given_up_makes_room_for_the_next() -> None:
    run = simulate(
        weeks=1,
        services=services(retraining={"trigger": "schedule", "every_h": 50}),
        changes={"retrain": {"defects": {"model": 1}}},
        automation=1,
        pipeline={
            "max_attempts": 2,
            "steps": {
                "train": {"run_h": 10, "effect": "trains_model"},
                "slip": {"adds": {"code": {"automated": 1}}},
                "test": {"detects": {"model": {"automated": 1}, "code": {"automated": 1}}},
                "deploy": {"effect": "deploys"},
            },
        },
    )
    assert run.changes["created_at"].tolist() == [50, 100, 150]
    assert run.changes["ended_at"].tolist()[:2] == [70, 120]
    assert run.changes["status"].tolist() == ["abandoned", "abandoned", "delivering"]
