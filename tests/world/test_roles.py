"""Who plays which role: a role that a team lacks is played by people of another one."""

from typing import Any

import pandas as pd
import pytest
from small_organization import idea_every, simulate

import sim
from sim.scenario.errors import ScenarioError
from sim.scenario.from_data import validate

TEAM = {"people": {"ml_engineer": 1, "data_scientist": 1}}
STEPS = {
    "build": {"role": "ml_engineer", "effort_h": 2},
    "deploy": {"role": "operations", "effort_h": 1, "effect": "deploys"},
}


def pipeline(role: str = "operations") -> dict[str, Any]:
    steps = {**STEPS, "deploy": {**STEPS["deploy"], "role": role}}
    return {"steps": steps, "handoff_in_team": {"delay_h": 5}, "handoff_across": {"delay_h": 9}}


def run(team: dict[str, Any], **parts: Any) -> sim.Run:
    changes = idea_every(20, author="data_scientist")
    return simulate(
        **{"pipeline": pipeline(), "changes": changes, "teams": {"team": team}, **parts}
    )


def test_between_roles_of_the_same_people_there_is_no_handoff() -> None:
    played = run({**TEAM, "plays": {"operations": "ml_engineer"}}).steps
    of_first = played[played["change_id"] == 0]
    assert of_first["step"].tolist() == ["build", "deploy"]
    assert of_first["role"].tolist() == ["ml_engineer", "operations"]
    assert of_first["handoff_h"].tolist() == [0, 0]  # the idea took nobody any time
    assert of_first["finished_at"].tolist() == [20 + 2, 20 + 2 + 1]

    somebody_else = run({**TEAM, "plays": {"operations": "data_scientist"}}).steps
    assert somebody_else["handoff_h"].tolist()[:2] == [0, 5]
    shared = run(TEAM, shared_people={"operations": 1}).steps
    assert shared["handoff_h"].tolist()[:2] == [0, 9]


def test_people_who_play_a_role_do_one_thing_at_a_time() -> None:
    played = run({**TEAM, "plays": {"operations": "ml_engineer"}}, changes=idea_every(2.5))
    work = played.tables["work"].sort_values("started_at")
    assert set(work["pool"]) == {"team/ml_engineer"}
    assert set(work["role"]) == {"ml_engineer"}
    finished = work["finished_at"].dropna()
    starts = work["started_at"].dropna().to_numpy()
    assert (starts[1:] >= finished.to_numpy()[: len(starts) - 1]).all()
    assert played.metrics()["utilization_ml_engineer"] > 0.9


@pytest.mark.parametrize("own", [{}, {"shared_people": {"operations": 1}}])
def test_it_is_as_if_the_steps_named_the_other_role(own: dict[str, Any]) -> None:
    played = run({**TEAM, "plays": {"operations": "ml_engineer"}}, **own).tables
    named = run(TEAM, pipeline=pipeline("ml_engineer"), **own).tables
    for name, table in played.items():
        mine, other = table, named[name]
        if name == "steps":
            mine = mine.assign(role=mine["role"].astype(str).replace("operations", "ml_engineer"))
            other = other.assign(role=other["role"].astype(str))
        pd.testing.assert_frame_equal(mine, other, check_categorical=False)


def test_the_whole_default_organization_with_a_played_role() -> None:
    """Security is played by ML engineers, instead of a shared group."""
    plays = "+teams.product.plays={security: ml_engineer}"
    teams = list(sim.load().teams)
    overrides = [plays.replace("product", team) for team in teams]
    played = sim.simulate(sim.load("horizon_weeks=30", "warmup_weeks=4", *overrides))
    steps = played.steps[played.steps["step"] == "security_review"]
    assert len(steps) > 0
    work = played.tables["work"]
    assert not (work["pool"] == "shared/security").any()


@pytest.mark.parametrize(
    ("team", "message"),
    [
        ({**TEAM, "plays": {"ml_engineer": "data_scientist"}}, "has people of the role"),
        (
            {**TEAM, "plays": {"operations": "ml_enginer"}},
            "no role with people in 'team' is called",
        ),
        (
            {**TEAM, "plays": {"operations": "sales", "sales": "ml_engineer"}},
            "no role with people in 'team' is called 'sales'",
        ),
        (TEAM, "has no 'operations'"),
    ],
)
def test_what_cannot_be_played_is_refused(team: dict[str, Any], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        run(team)


def test_who_plays_a_role_is_on_call_for_it() -> None:
    data = {
        "name": "small",
        "teams": {"team": {**TEAM, "plays": {"operations": "ml_engineer"}}},
        "services": {"service": {"team": "team"}},
        "pipeline": pipeline(),
        "incidents": {"on_call": ["operations"]},
    }
    assert validate(data).incidents.on_call == ("operations",)
    with pytest.raises(ScenarioError, match="no role with people is called 'nobody'"):
        validate({**data, "incidents": {"on_call": ["nobody"]}})


def test_who_plays_a_role_invests_in_it() -> None:
    item = {
        "practice": "a",
        "level": "b",
        "effort_h": {"operations": 6},
        "brings": {},
        "start_week": 1,
    }
    played = run({**TEAM, "plays": {"operations": "ml_engineer"}}, roadmap=[item])
    work = played.tables["work"]
    invested = work[work["activity"] == "investment"]
    assert invested["effort_h"].sum() == 6
    assert set(invested["pool"]) == {"team/ml_engineer"}
