"""Corrupted data, each rule alone: what is caught, what waits, and what bad data do to training."""

import math
from typing import Any

import pytest
from small_organization import idea_every, row, simulate

TRAIN_AND_DEPLOY = {
    "steps": {
        "ingest": {"effect": "takes_data"},
        "train": {"run_h": 6, "effect": "trains_model"},
        "deploy": {"effect": "deploys"},
    }
}
MISSING = {"schema": 0, "missing": 1, "delayed": 0}
DELAYED = {"schema": 0, "missing": 0, "delayed": 1}


def bad_batches(every_h: float, **data: Any) -> dict[str, Any]:
    """Return a feed whose batches are all corrupted, by default with missing data."""
    return {
        "interarrival_h": every_h,
        "corrupted": 1,
        "corruption": MISSING,
        "repair_role": "ml_engineer",
        **data,
    }


def services(**service: Any) -> dict[str, Any]:
    return {"service": {"team": "team", **service}}


def responses(**by_cause: Any) -> dict[str, Any]:
    return {cause: {"role": "ml_engineer", **response} for cause, response in by_cause.items()}


def test_the_kinds_of_corruption_have_their_weights() -> None:
    run = simulate(
        weeks=200,
        services=services(
            data=bad_batches(
                5, corrupted=0.5, corruption={"schema": 1, "missing": 2, "delayed": 1}, caught=0.4
            )
        ),
    )
    batches = run.batches
    corrupted = batches[batches["corrupted"]]

    def assert_share(part: int, whole: int, expected: float) -> None:
        error = 3.5 * math.sqrt(expected * (1 - expected) / whole)
        assert part / whole == pytest.approx(expected, abs=error)

    assert_share(len(corrupted), len(batches), 0.5)
    assert_share(int(corrupted["caught"].sum()), len(corrupted), 0.4)
    assert not batches["caught"][~batches["corrupted"]].any()
    for kind, weight in [("schema", 0.25), ("missing", 0.5), ("delayed", 0.25)]:
        of_kind = corrupted[corrupted["corruption"] == kind]
        assert_share(len(of_kind), len(corrupted), weight)
        assert_share(int(of_kind["caught"].sum()), len(of_kind), 0.4)
    broken = corrupted[(corrupted["corruption"] == "schema") & ~corrupted["caught"]]
    assert run.incidents["started_at"].tolist() == broken["arrived_at"].tolist()


def test_a_repair_waits_for_its_people_and_the_data_for_the_repair() -> None:
    run = simulate(
        weeks=1,
        working_hours={"days": ["wed"]},  # hours 57 to 65
        services=services(
            data=bad_batches(50, caught=1, repair_h=4), retraining={"trigger": "new_data"}
        ),
        automation=1,
        pipeline=TRAIN_AND_DEPLOY,
    )
    assert run.batches["usable_at"].tolist()[0] == 61
    assert run.changes["created_at"].tolist() == [61]
    assert run.work["activity"].tolist()[0] == "retraining"
    assert not run.deployments["failed"].any()  # what was missing is there again


def test_data_count_for_a_retraining_when_they_can_be_used() -> None:
    run = simulate(
        weeks=1,
        services=services(
            data=bad_batches(40, corruption=DELAYED, delay_h=15, caught=1),
            retraining={"trigger": "new_data", "batches": 2},
        ),
        pipeline=TRAIN_AND_DEPLOY,
    )
    assert run.changes["created_at"].tolist() == [80 + 15]


@pytest.mark.parametrize("taints", [0, 1])
def test_missing_data_taint_every_training_until_somebody_finds_out(taints: float) -> None:
    run = simulate(
        weeks=1,
        services={
            "often": {
                "team": "team",
                "data": bad_batches(90, taints=taints),
                "retraining": {"trigger": "schedule", "every_h": 30},
            },
        },
        pipeline=TRAIN_AND_DEPLOY,
        incidents={"responses": responses(data={"latency_h": 50, "notice_h": 1})},
    )
    # Trained at 30 and 60 on sound data. The batch of 90 spoils the trainings of 90, 120 and 150;
    # each of them is replaced before anybody notices, and so are these two of the first.
    assert run.deployments["deployed_at"].tolist() == [36, 66, 96, 126, 156]
    assert len(run.incidents) == 0
    slower = simulate(
        weeks=2,
        services={
            "seldom": {
                "team": "team",
                "data": bad_batches(90, taints=taints),
                "retraining": {"trigger": "schedule", "every_h": 100},
            },
        },
        pipeline=TRAIN_AND_DEPLOY,
        incidents={"responses": responses(data={"latency_h": 50, "notice_h": 1})},
    )
    # Trained at 100 on what came at 90: bad at 156, noticed at 157, and 6 h later replaced.
    if taints == 0:
        assert len(slower.incidents) == 0
    else:
        first = row(slower.incidents, 0)
        assert (first["cause"], first["started_at"], first["restored_at"]) == ("data", 156, 163)
        assert slower.deployments["failed"].tolist()[:2] == [True, False]


def test_a_training_without_a_step_for_the_data_is_tainted_too() -> None:
    run = simulate(
        weeks=1,
        services=services(data=bad_batches(50), retraining={"trigger": "schedule", "every_h": 80}),
        pipeline={
            "steps": {"train": {"run_h": 6, "effect": "trains_model"}, "go": {"effect": "deploys"}}
        },
        incidents={"responses": responses(data={"latency_h": 3})},
    )
    assert run.incidents["cause"].tolist()[0] == "data"
    assert run.incidents["started_at"].tolist()[0] == 89


def test_a_test_that_finds_bad_data_keeps_the_next_training_from_them() -> None:
    run = simulate(
        weeks=1,
        services=services(data=bad_batches(70), retraining={"trigger": "schedule", "every_h": 80}),
        changes={"retrain": {"rework_h": 3}},
        automation=1,
        pipeline={
            "steps": {
                "ingest": {"effect": "takes_data"},
                "check": {"run_h": 1, "detects": {"data": {"automated": 1}}},
                "train": {"run_h": 6, "effect": "trains_model"},
                "deploy": {"effect": "deploys"},
            }
        },
    )
    first = row(run.changes, 0)
    assert (first["created_at"], first["data_from"]) == (80, 80 + 1 + 3)
    assert first["deployed_at"] == 84 + 1 + 6
    assert len(run.incidents) == 0


def test_diagnosed_bad_data_are_left_out_when_a_feature_is_made_again() -> None:
    run = simulate(
        weeks=1,
        changes=idea_every(100, rework_h=5),
        services=services(data=bad_batches(80)),
        pipeline=TRAIN_AND_DEPLOY,
        incidents={
            "responses": responses(data={"latency_h": 3, "diagnosis_h": 1}),
            "rollback": {"available": 1, "automation": 1},
        },
    )
    # Bad at 109, rolled back at 110, made again until 115, and sound at 121.
    assert run.changes["status"].tolist() == ["rolled_back", "deployed"]
    assert run.deployments["deployed_at"].tolist() == [106, 121]
    assert run.deployments["failed"].tolist() == [True, False]


def test_a_rollback_for_other_reasons_finds_out_nothing_about_the_data() -> None:
    run = simulate(
        weeks=1,
        changes={**idea_every(120), "retrain": {"defects": {"infra": 1}, "rework_h": 99}},
        services=services(data=bad_batches(90), retraining={"trigger": "schedule", "every_h": 100}),
        automation=1,
        pipeline={
            "steps": {
                "ingest": {"effect": "takes_data"},
                "check": {"detects": {"data": {"automated": 1}}, "skipped_by": ["retrain"]},
                "train": {"run_h": 6, "effect": "trains_model"},
                "deploy": {"effect": "deploys"},
            }
        },
        incidents={
            "responses": responses(infra={}, data={"latency_h": 50}),
            "rollback": {"available": 1, "automation": 1},
        },
    )
    assert run.incidents["cause"].tolist() == ["infra"]
    assert row(run.changes, 0)["status"] == "rolled_back"
    # Live and broken at 106; the feature of 120 meets the same data.
    checks = run.steps[run.steps["step"] == "check"]
    assert checks["outcome"].tolist() == ["caught", "passed"]


def test_a_training_takes_the_data_itself_if_no_step_before_does() -> None:
    run = simulate(
        weeks=1,
        services=services(retraining={"trigger": "schedule", "every_h": 80}),
        automation=1,
        pipeline={
            "steps": {
                "train": {"run_h": 6, "effect": "trains_model"},
                "deploy": {"effect": "deploys"},
                "ingest": {"run_h": 1, "effect": "takes_data"},
                "retrain": {"run_h": 1, "effect": "trains_model", "skipped_by": ["retrain"]},
            }
        },
    )
    assert run.deployments["deployed_at"].tolist() == [86, 166]
    assert run.deployments["model_data_from"].tolist() == [80, 160]


def test_each_service_has_data_of_its_own() -> None:
    run = simulate(
        weeks=1,
        services={
            "sound": {"team": "team", "retraining": {"trigger": "schedule", "every_h": 60}},
            "spoilt": {
                "team": "team",
                "data": bad_batches(50),
                "retraining": {"trigger": "schedule", "every_h": 60},
            },
        },
        pipeline=TRAIN_AND_DEPLOY,
        incidents={"responses": responses(data={"latency_h": 1})},
    )
    assert set(run.batches["service"]) == {"team.spoilt"}
    assert set(run.incidents["service"]) == {"team.spoilt"}
