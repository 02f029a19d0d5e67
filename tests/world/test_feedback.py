"""Feedback loops: the answers of a bad model get into the data of the next one."""

from typing import Any

import pytest
from scipy import stats
from small_organization import NEVER_H, row, simulate

FEED = {"interarrival_h": 1000}  # no batch arrives in time to matter
PIPELINE = {
    "steps": {
        "ingest": {"effect": "takes_data"},
        "train": {"run_h": 1, "effect": "trains_model"},
        "deploy": {"effect": "deploys"},
    }
}
DECAY = {"shape": "linear", "loss_per_week": 0.168}  # 0.001 an hour: below 0.8 at 100


def learning_from_itself(feedback: float, every_h: float, **data: Any) -> dict[str, Any]:
    return {
        "service": {
            "team": "team",
            "quality": {"initial": 0.9, "objective": 0.8, "decay": DECAY, "feedback": feedback},
            "retraining": {"trigger": "schedule", "every_h": every_h},
            "data": {**FEED, **data},
        }
    }


def model(**response: Any) -> dict[str, Any]:
    return {"model": {"role": "ml_engineer", **response}}


def data(**response: Any) -> dict[str, Any]:
    return {"data": {"role": "ml_engineer", **response}}


@pytest.mark.parametrize(
    ("feedback", "taints", "bad"), [(1, 1, True), (0, 1, False), (1, 0, False)]
)
def test_a_model_trained_while_nobody_has_diagnosed_the_decay_is_bad(
    feedback: float, taints: float, bad: bool
) -> None:
    run = simulate(
        weeks=1,
        services=learning_from_itself(feedback, 120, taints=taints),
        pipeline=PIPELINE,
        incidents={"responses": {**model(notice_h=NEVER_H), **data(latency_h=5, repair_h=NEVER_H)}},
    )
    # Below the objective at 100, unnoticed; retrained at 120, live at 121: it meets the objective.
    assert row(run.incidents, 0)["trigger"] == "decay"
    assert row(run.incidents, 0)["restored_at"] == 121
    rest = run.incidents.iloc[1:]
    assert rest["cause"].tolist() == (["data"] if bad else [])
    assert rest["started_at"].tolist() == ([126] if bad else [])


@pytest.mark.parametrize(("diagnosis_h", "bad"), [(10, False), (30, True)])
def test_diagnosis_ends_the_loop(diagnosis_h: float, bad: bool) -> None:
    run = simulate(
        weeks=1,
        services=learning_from_itself(1, 120),
        pipeline=PIPELINE,
        incidents={
            "responses": {
                **model(diagnosis_h=diagnosis_h),
                **data(latency_h=5, notice_h=NEVER_H),
            }
        },
    )
    # Diagnosed at 110, and retrained at once; or not yet, when the retraining of 120 takes data.
    causes = run.incidents["cause"].tolist()
    assert causes == (["model", "data"] if bad else ["model"])


def test_its_probability() -> None:
    p = 0.4
    run = simulate(
        weeks=400,
        services=learning_from_itself(p, 120),
        pipeline=PIPELINE,
        incidents={"responses": {**model(notice_h=NEVER_H), **data(latency_h=1)}},
    )
    # Every model decays before the next, and every bad one is diagnosed as it shows.
    decays = int((run.incidents["trigger"] == "decay").sum())
    bad = int((run.incidents["cause"] == "data").sum())
    assert decays > 300
    assert stats.binomtest(bad, decays, p).pvalue > 0.001


def test_it_needs_no_feed_of_batches() -> None:
    services = learning_from_itself(1, 120)
    del services["service"]["data"]
    run = simulate(
        weeks=1,
        services=services,
        pipeline=PIPELINE,
        incidents={"responses": {**model(notice_h=NEVER_H), **data(latency_h=5, repair_h=NEVER_H)}},
    )
    assert run.incidents["cause"].tolist() == ["model", "data"]


def test_other_incidents_are_not_learnt_from() -> None:
    services = learning_from_itself(1, 120)
    services["service"]["quality"]["decay"] = None
    services["service"]["time_to_outage_h"] = 100
    run = simulate(
        weeks=1,
        services=services,
        pipeline=PIPELINE,
        incidents={
            "responses": {
                "infra": {"role": "ml_engineer", "notice_h": NEVER_H},
                **data(latency_h=5),
            }
        },
    )
    assert run.incidents["cause"].tolist() == ["infra"]
