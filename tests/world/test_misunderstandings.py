"""Handoffs that are misunderstood: what they spoil, and where they only cost time."""

from typing import Any

import pytest
from small_organization import idea_every, simulate, steps_of

import sim

ALWAYS = {"delay_h": 10, "misunderstood": 1}
BUILD = {"role": "ml_engineer", "effort_h": 5}
DEPLOY = {"effect": "deploys"}


def handed_over_to(step: dict[str, Any], *, after_deployment: bool = False) -> sim.Run:
    """Simulate one change of which ``step`` is handed over, and misunderstood for certain."""
    checked = {"deploy": DEPLOY, "check": step} if after_deployment else {"check": step}
    last = {} if "effect" in step and step["effect"] == "deploys" else {"deploy": DEPLOY}
    return simulate(
        changes=idea_every(700),
        shared_people={"operations": 1},
        pipeline={"handoff_across": ALWAYS, "steps": {"build": BUILD, **checked, **last}},
    )


@pytest.mark.parametrize(
    ("step", "spoilt"),
    [
        ({"adds": {"code": {"manual": 0.001}, "data": {"manual": 0}}}, "code"),
        ({"adds": {"code": {"manual": 0.001}, "model": {"manual": 0.002}}}, "model"),
        ({"effect": "takes_data"}, "data"),
        ({"effect": "trains_model"}, "model"),
        ({"effect": "deploys"}, "infra"),
        ({"effect": "trains_model", "adds": {"code": {"manual": 0.001}}}, "code"),
    ],
)
def test_who_builds_something_builds_the_wrong_thing(step: dict[str, Any], spoilt: str) -> None:
    run = handed_over_to({"role": "operations", "effort_h": 1, **step})
    assert run.incidents["cause"].iloc[0] == spoilt  # later ones are of its remedies
    assert run.steps["handoff_h"].tolist()[1] == 10


@pytest.mark.parametrize("after_deployment", [False, True])
def test_who_builds_nothing_asks_back_and_spoils_nothing(after_deployment: bool) -> None:
    check = {"role": "operations", "effort_h": 1, "detects": {"code": {"manual": 0}}}
    run = handed_over_to(check, after_deployment=after_deployment)
    assert run.incidents.empty
    row = next(row for row in steps_of(run, 0) if row[0] == "check")
    assert row[2:5] == (705, 725, 726)  # the delay of the handoff, twice


def test_a_board_that_finds_nothing_leaves_the_change_failure_rate_alone() -> None:
    def failures(*steps: str) -> list[int]:
        """Return which deployments of a hundred fail, if a board of another group sees them."""
        seen = {name: {"role": "security", "effort_h": 1} for name in steps}
        run = simulate(
            weeks=110,
            changes=idea_every(168, defects={"code": 0.3}),
            shared_people={"security": 9},
            pipeline={
                "handoff_across": {"misunderstood": 0.5},
                "steps": {"build": BUILD, **seen, "deploy": DEPLOY},
            },
            incidents={"responses": {"code": {"latency_h": 3, "role": "ml_engineer"}}},
        )
        return run.incidents["deployment_id"].tolist()

    assert 10 < len(failures()) < 60
    assert failures("board") == failures()
