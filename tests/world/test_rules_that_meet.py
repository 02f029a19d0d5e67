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


# The order of events within one instant makes no difference -------------------------------------


@pytest.mark.parametrize("notice_h", [2, 5])
def test_work_that_is_done_as_an_incident_is_noticed_goes_live(notice_h: float) -> None:
    """Four hours begun at 6; an outage that is noticed at 10 keeps the only author busy for 20."""
    run = simulate(
        weeks=1,
        teams={"team": {"people": {"ml_engineer": 1}}},
        services=services(time_to_outage_h=10 - notice_h),
        changes=idea_every(6, author="ml_engineer", exploration_h=4),
        incidents={
            "responses": {"infra": {"role": "ml_engineer", "notice_h": notice_h, "diagnosis_h": 20}}
        },
    )
    assert row(run.changes, 0)["deployed_at"] == 10
    assert row(run.incidents, 0)["responded_at"] == 10
    assert row(run.incidents, 0)["restored_at"] == 30


def test_a_job_that_ends_as_the_release_goes_out_is_aboard() -> None:
    """One change waits for the release from 34 on; the build of another ends with it, at 58."""
    run = simulate(
        weeks=1,
        changes=idea_every(24),
        compute={"ci": {"slots": 1}},
        pipeline={
            "steps": {
                "build": {"run_h": 10, "compute": "ci"},
                "deploy": {"effect": "deploys", "window": WEDNESDAY},
            }
        },
    )
    assert run.deployments["deployed_at"].tolist() == [58]
    assert run.deployments["n_changes"].tolist() == [2]
    assert run.changes["deployed_at"].tolist()[:2] == [58, 58]


def test_whom_two_boards_let_through_at_once_ships_with_the_release_of_that_time() -> None:
    """The upkeep of 30 waits for the release alone, the idea of 40 for the boards."""
    board = {"window": WEDNESDAY, "skipped_by": ["improvement"]}
    run = simulate(
        weeks=1,
        changes={**idea_every(40), "improvement": {"interarrival_h": 30}},
        pipeline={
            "steps": {
                "risk_board": board,
                "change_board": board,
                "deploy": {"effect": "deploys", "window": WEDNESDAY},
            }
        },
    )
    assert run.deployments["deployed_at"].tolist() == [58]
    assert run.deployments["n_changes"].tolist() == [2]


@pytest.mark.parametrize("run_h", [24, 23.9])
def test_a_retraining_that_ends_as_the_next_is_due_does_not_hold_it_up(run_h: float) -> None:
    run = simulate(
        weeks=1,
        services=services(retraining={"trigger": "schedule", "every_h": 24}),
        pipeline={
            "steps": {
                "train": {"run_h": run_h, "effect": "trains_model"},
                "deploy": {"effect": "deploys"},
            }
        },
    )
    assert run.changes["created_at"].tolist() == [24 * day for day in range(1, 7)]
    assert run.changes["deployed_at"].tolist()[:4] == pytest.approx(
        [24 * day + run_h for day in range(1, 5)]
    )


def test_a_retraining_that_takes_longer_still_holds_the_next_up() -> None:
    run = simulate(
        weeks=1,
        services=services(retraining={"trigger": "schedule", "every_h": 24}),
        pipeline={
            "steps": {
                "train": {"run_h": 24.1, "effect": "trains_model"},
                "deploy": {"effect": "deploys"},
            }
        },
    )
    assert run.changes["created_at"].tolist() == [24, 72, 120]


def test_a_model_that_is_replaced_as_it_reaches_the_objective_was_never_below() -> None:
    """0.9 falls by 0.001 an hour: to 0.732 at 168, when the model of the data of 84 goes live."""
    run = simulate(
        weeks=6,
        services=services(
            quality={**DECAYS, "objective": 0.9 - 0.168},
            retraining={"trigger": "schedule", "every_h": 84},
        ),
        pipeline={
            "steps": {
                "train": {"run_h": 84, "effect": "trains_model"},
                "deploy": {"effect": "deploys"},
            }
        },
    )
    assert run.deployments["deployed_at"].tolist() == [84 * number for number in range(2, 12)]
    assert run.incidents.empty
    assert not run.quality["below"].any()


@pytest.mark.parametrize("idle_h", [5, 5.1])
def test_an_idle_slot_that_is_wanted_as_its_time_is_up_is_used(idle_h: float) -> None:
    """A build of an hour every six: the slot is idle for five, and a new one takes two."""
    run = simulate(
        weeks=1,
        changes=idea_every(6),
        compute={
            "ci": {"slots": 0, "max_slots": 1, "provisioning_h": 2, "release_after_h": idle_h}
        },
        pipeline={
            "steps": {
                "prepare": {"run_h": 3},
                "build": {"run_h": 1, "compute": "ci"},
                "deploy": {"effect": "deploys"},
            }
        },
    )
    # The first build has to wait for the slot from 9 to 11.
    assert run.jobs["started_at"].tolist()[:4] == [11, 15, 21, 27]


@pytest.mark.parametrize("on_call", [[], ["data_scientist"]])
def test_nobody_is_called_to_what_is_restored_as_it_is_noticed(on_call: list[str]) -> None:
    """The model is too old from 100 on, and noticed or paged at 150, as the next one goes live."""
    run = simulate(
        weeks=1,
        services=services(
            quality={**DECAYS, "objective": 0.8}, retraining={"trigger": "schedule", "every_h": 140}
        ),
        pipeline={
            "steps": {
                "train": {"run_h": 10, "effect": "trains_model"},
                "deploy": {"effect": "deploys"},
            }
        },
        incidents={
            "on_call": on_call,
            "page_h": 1,
            "responses": {
                "model": {
                    "role": "data_scientist",
                    "notice_h": 49 if on_call else 50,
                    "diagnosis_h": 8,
                }
            },
        },
    )
    (incident,) = run.incidents.to_dict("records")
    assert [incident["started_at"], incident["restored_at"]] == [100, 150]
    assert incident["remedy"] == "superseded"
    assert run.work.empty
