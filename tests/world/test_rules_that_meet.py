"""Rules that meet at one moment or in one another's way, on hand-computed timelines."""

from typing import Any

import pytest
from small_organization import idea_every, row, simulate

WEEK_H = 168
WEDNESDAY = {"days": ["wed"], "hour": 10}  # hour 58 of the week
DECAYS = {"initial": 0.9, "decay": {"shape": "linear", "loss_per_week": 0.168}}  # 0.001 an hour


def services(**service: Any) -> dict[str, Any]:
    return {"service": {"team": "team", **service}}


def board_and_release(*skipped_by: str) -> dict[str, Any]:
    """Return a board and a release at the same time, one after the other."""
    return {
        "steps": {
            "approve": {"window": WEDNESDAY, "skipped_by": list(skipped_by)},
            "deploy": {"run_h": 1, "effect": "deploys", "window": WEDNESDAY},
        }
    }


@pytest.mark.parametrize("idea_h", [25, 40])
def test_whom_the_board_lets_through_ships_with_whom_waited_for_the_release(idea_h: float) -> None:
    run = simulate(
        weeks=1,
        changes={**idea_every(idea_h), "improvement": {"interarrival_h": 30}},
        pipeline=board_and_release("improvement"),
    )
    # The upkeep of 30 waits for the release, the ideas for the board, whoever came first: one
    # release at 58, of the upkeep and of the ideas of 25 and 50, or of that of 40.
    assert run.deployments["started_at"].tolist() == [58]
    assert run.deployments["n_changes"].tolist() == [3 if idea_h == 25 else 2]


def test_one_of_them_fails_all_that_the_board_and_the_release_let_through() -> None:
    run = simulate(
        weeks=1,
        changes={
            **idea_every(40, defects={"infra": 1}),
            "improvement": {"interarrival_h": 30},
        },
        pipeline=board_and_release("improvement"),
        incidents={"responses": {"infra": {"role": "ml_engineer", "repair_h": 5}}},
    )
    assert run.deployments["failed"].tolist() == [True]
    assert run.changes["deployment_id"].dropna().tolist() == [0, 0]
    assert row(run.incidents, 0)["started_at"] == 59


@pytest.mark.parametrize("objective", [0, 0.5])
def test_drift_is_not_forgotten_when_a_retraining_was_given_up(objective: float) -> None:
    run = simulate(
        weeks=2,
        services=services(
            quality={**DECAYS, "objective": objective},
            retraining={"trigger": "drift", "margin": 0.8 - objective},
        ),
        automation=1,
        changes={"retrain": {"defects": {"model": 1}}},
        pipeline={
            "max_attempts": 1,
            "steps": {
                "train": {"run_h": 6, "effect": "trains_model"},
                "test": {"detects": {"model": {"automated": 1}}},
                "deploy": {"effect": "deploys"},
            },
        },
        incidents={"responses": {"model": {"role": "ml_engineer", "monitored": 1, "alert_h": 4}}},
    )
    # Below 0.8 from 100 on, noticed at 104, given up at 110, and tried again every next day.
    created = run.changes["created_at"].tolist()
    assert created == pytest.approx([104.0 + 30 * n for n in range(len(created))])
    assert created[-1] > 2 * WEEK_H - 30
    assert set(run.changes["trigger"]) == {"drift"}


def test_drift_ends_when_the_retraining_that_was_under_way_anyway_succeeds() -> None:
    run = simulate(
        weeks=1,
        services=services(
            quality=DECAYS,
            retraining={"trigger": "drift", "margin": 0.8},
        ),
        changes=idea_every(95, defects={"model": 1}),
        pipeline={
            "steps": {
                "train": {"run_h": 2, "effect": "trains_model"},
                "deploy": {"effect": "deploys"},
            }
        },
        incidents={"responses": {"model": {"role": "ml_engineer", "latency_h": 2, "notice_h": 3}}},
    )
    # An idea brings a new model at 97, before the first has drifted at 100; it is bad at 99, and
    # retrained from 102 to 104. Neither model has drifted by the end, and nobody retrains for that.
    assert run.changes["trigger"].tolist() == ["arrival", "incident"]


def missing_batches(every_h: float) -> dict[str, Any]:
    return {
        "interarrival_h": every_h,
        "corrupted": 1,
        "corruption": {"schema": 0, "missing": 1, "delayed": 0},
    }


@pytest.mark.parametrize(("batch_h", "tainted"), [(79, True), (80, True), (81, False), (90, False)])
@pytest.mark.parametrize("with_step", [True, False])
def test_what_arrives_after_the_data_were_taken_does_not_taint_them(
    batch_h: float, tainted: bool, with_step: bool
) -> None:
    ingest = {"ingest": {"run_h": 10, "effect": "takes_data"}} if with_step else {}
    run = simulate(
        weeks=1,
        services=services(
            data=missing_batches(batch_h), retraining={"trigger": "schedule", "every_h": 80}
        ),
        pipeline={
            "steps": {
                **ingest,
                "train": {"run_h": 10, "effect": "trains_model"},
                "deploy": {"effect": "deploys"},
            }
        },
        incidents={"responses": {"data": {"role": "ml_engineer", "latency_h": 1, "notice_h": 200}}},
    )
    # Data of 80, whether it takes 10 hours to get them, or training begins at once.
    first = row(run.changes, 0)
    assert first["data_from"] == 80
    assert run.deployments["failed"].tolist()[:1] == [tainted]


def test_data_that_were_taken_stay_tainted_when_somebody_finds_out_about_others() -> None:
    run = simulate(
        weeks=1,
        services=services(
            data=missing_batches(50), retraining={"trigger": "schedule", "every_h": 63}
        ),
        changes=idea_every(62),
        automation=1,
        pipeline={
            "steps": {
                "ingest": {"run_h": 4, "effect": "takes_data"},
                "check": {
                    "run_h": 0.5,
                    "detects": {"data": {"automated": 1}},
                    "skipped_by": ["retrain"],
                },
                "train": {"run_h": 1, "effect": "trains_model"},
                "deploy": {"effect": "deploys"},
            }
        },
        incidents={"responses": {"data": {"role": "ml_engineer", "latency_h": 1, "notice_h": 200}}},
    )
    # The idea takes its data from 62 to 66 and is caught at 66.5; the retraining took the same data
    # at 63 and has no check: bad in production from 68 + 1 on.
    caught = run.steps[run.steps["outcome"] == "caught"].iloc[0]
    assert (caught["change_id"], caught["finished_at"]) == (0, 66.5)
    retrained = run.changes[run.changes["trigger"] == "schedule"].iloc[0]
    assert (retrained["data_from"], retrained["deployed_at"]) == (63, 68)
    assert row(run.incidents, 0)["started_at"] == 69
