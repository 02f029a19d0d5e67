"""Investment: who builds a practice, when it is adopted, and how people learn to work by it."""

from typing import Any

import numpy as np
import pytest
from small_organization import idea_every, row, simulate

import sim

WEEK_H = 168
PEOPLE = {"team": {"people": {"ml_engineer": 1, "data_scientist": 1}}}
BUILD = {
    "steps": {
        "build": {"role": "ml_engineer", "effort_h": 4},
        "deploy": {"effect": "deploys"},
    }
}


def item(start_week: int = 1, **others: Any) -> dict[str, Any]:
    """Return an item of a roadmap that brings something without effect."""
    brings = {"practices.cicd": "full"}
    return {
        "practice": "cicd",
        "level": "full",
        "start_week": start_week,
        "brings": brings,
        **others,
    }


def invested(run: sim.Run) -> dict[str, float]:
    """Return the hours of investment by pool."""
    rows = run.work[run.work["activity"] == "investment"]
    hours = rows.groupby("pool", observed=True)["effort_h"].sum()
    return {str(pool): float(total) for pool, total in hours.items()}


def history(run: sim.Run) -> list[tuple[Any, ...]]:
    rows = run.tables["investments"].astype(object)
    return [tuple(entry) for entry in rows.itertuples(index=False)]


def test_each_team_and_each_shared_group_gives_the_effort_of_its_role() -> None:
    run = simulate(
        teams={
            "team": {"count": 2, "people": {"ml_engineer": 3, "data_scientist": 2}},
            "other": {"people": {"data_scientist": 5}},
        },
        shared_people={"operations": 2},
        roadmap=[item(effort_h={"ml_engineer": 30, "data_scientist": 7, "operations": 11})],
    )
    assert invested(run) == pytest.approx(
        {
            "team/ml_engineer": 30,
            "team-2/ml_engineer": 30,
            "team/data_scientist": 7,
            "team-2/data_scientist": 7,
            "other/data_scientist": 7,
            "shared/operations": 11,
        }
    )
    rows = run.work[run.work["activity"] == "investment"]
    assert rows["change_id"].isna().all()
    assert (rows["started_at"] >= WEEK_H).all()


def test_adopted_when_the_last_of_them_is_done() -> None:
    # Around the clock: one person for 10 h; two of three persons for 15 h each, the longest.
    run = simulate(
        teams={"team": {"people": {"ml_engineer": 3, "data_scientist": 1}}},
        roadmap=[item(effort_h={"ml_engineer": 30, "data_scientist": 10})],
    )
    assert history(run) == [("cicd", "full", WEEK_H, WEEK_H + 15, WEEK_H + 15)]


def test_in_working_hours_and_as_focused_as_other_work() -> None:
    run = simulate(
        teams=PEOPLE,
        working_hours={"focus": 0.5},  # four hours of effort a day
        roadmap=[item(effort_h={"ml_engineer": 10})],
    )
    # Monday and Tuesday four hours each, Wednesday two: until 13:00.
    assert history(run)[0][3] == WEEK_H + 2 * 24 + 13
    assert invested(run) == pytest.approx({"team/ml_engineer": 10})


def test_without_effort_adopted_at_once() -> None:
    run = simulate(roadmap=[item(3)])
    assert history(run) == [("cicd", "full", 3 * WEEK_H, 3 * WEEK_H, 3 * WEEK_H)]
    assert invested(run) == {}


def test_not_adopted_before_the_end_if_there_is_too_much_to_do() -> None:
    run = simulate(weeks=2, teams=PEOPLE, roadmap=[item(effort_h={"ml_engineer": 200})])
    assert not (run.tables["investments"]["adopted_at"] >= 0).any()
    assert invested(run) == pytest.approx({"team/ml_engineer": WEEK_H})


def test_adopted_in_the_order_of_the_roadmap() -> None:
    run = simulate(
        teams=PEOPLE,
        roadmap=[
            item(1, practice="cicd", effort_h={"ml_engineer": 50}),
            item(1, practice="testing", effort_h={"data_scientist": 20}),
            item(2, practice="platform", effort_h={"data_scientist": 20}),
        ],
    )
    assert [practice for practice, *_ in history(run)] == ["cicd", "testing", "platform"]
    adopted_at = [adopted for *_, adopted, _ in history(run)]  # testing has been ready for 30 h
    assert adopted_at == pytest.approx([WEEK_H + 50, WEEK_H + 50, 2 * WEEK_H + 20])


def test_it_goes_before_features() -> None:
    run = simulate(
        teams=PEOPLE,
        working_hours={},
        changes={"feature": {"exploration_h": 400}},
        roadmap=[item(effort_h={"data_scientist": 40})],
    )
    # A working week, from Monday at 9:00 to Friday at 17:00.
    assert history(run)[0][3] == WEEK_H + 4 * 24 + 17


def test_people_who_build_deliver_later() -> None:
    def deployed_at(*roadmap: dict[str, Any]) -> list[float]:
        run = simulate(
            weeks=3,
            teams=PEOPLE,
            working_hours={},
            changes=idea_every(WEEK_H + 10),
            pipeline=BUILD,
            roadmap=roadmap,
        )
        return run.deployments["deployed_at"].tolist()

    # The idea of Monday, 10:00, is built by the afternoon, or after 16 hours of investment.
    assert deployed_at()[0] == WEEK_H + 14
    assert deployed_at(item(effort_h={"ml_engineer": 16}))[0] == WEEK_H + 2 * 24 + 13


def test_incidents_get_in_between_at_once() -> None:
    run = simulate(
        weeks=2,
        teams=PEOPLE,
        services={"service": {"team": "team", "time_to_outage_h": WEEK_H + 6}},
        incidents={"responses": {"infra": {"role": "ml_engineer", "repair_h": 5}}},
        roadmap=[item(effort_h={"ml_engineer": 16})],
    )
    assert row(run.incidents, 0)["restored_at"] == WEEK_H + 11
    assert history(run)[0][3] == WEEK_H + 21


@pytest.mark.parametrize("learning_weeks", [1, 4])
def test_work_takes_longer_at_first_and_less_and_less_so(learning_weeks: int) -> None:
    run = simulate(
        weeks=8,
        changes=idea_every(10, exploration_h=2),
        pipeline=BUILD,
        roadmap=[item(learning_weeks=learning_weeks, learning_slowdown=0.6)],
    )
    assert history(run)[0][3:] == (WEEK_H, (1 + learning_weeks) * WEEK_H)
    done = run.steps[run.steps["step"].isin(["exploration", "build"])]
    begun = done["queued_at"].to_numpy()
    usual = np.where(done["step"] == "exploration", 2.0, 4.0)
    left = np.clip(1 - (begun - WEEK_H) / (learning_weeks * WEEK_H), 0, 1)
    factor = np.where(begun < WEEK_H, 1, 1 + 0.6 * left)
    np.testing.assert_allclose(done["effort_h"], usual * factor)
    assert done["effort_h"].max() > 4 * 1.5
    assert ((done["effort_h"] == usual) == ((begun < WEEK_H) | (left == 0))).all()


def test_two_things_to_learn_add_up() -> None:
    run = simulate(
        weeks=8,
        changes=idea_every(WEEK_H + 84, exploration_h=10),
        roadmap=[
            item(1, learning_weeks=2, learning_slowdown=0.4),
            item(1, practice="testing", learning_weeks=1, learning_slowdown=0.2),
        ],
    )
    # After half a week: 0.4 * 3/4 and 0.2 * 1/2.
    assert row(run.steps, 0)["effort_h"] == pytest.approx(10 * (1 + 0.3 + 0.1))


def test_machines_and_responders_need_not_learn() -> None:
    def timeline(*roadmap: dict[str, Any]) -> dict[str, Any]:
        run = simulate(
            services={"service": {"team": "team", "time_to_outage_h": 100}},
            changes=idea_every(50),
            pipeline={"steps": {"train": {"run_h": 9}, "deploy": {"effect": "deploys"}}},
            incidents={
                "responses": {
                    "infra": {"role": "ml_engineer", "diagnosis_h": 3, "repair_h": 4},
                }
            },
            roadmap=roadmap,
        )
        return {name: run.tables[name] for name in ("steps", "incidents", "deployments")}

    slow = timeline(item(learning_weeks=5, learning_slowdown=1))
    for name, table in timeline().items():
        assert table.equals(slow[name])


def test_an_investment_is_no_more_work_while_people_learn() -> None:
    run = simulate(
        teams=PEOPLE,
        roadmap=[
            item(1, learning_weeks=7, learning_slowdown=1),
            item(2, practice="testing", effort_h={"ml_engineer": 20}),
        ],
    )
    assert invested(run) == {"team/ml_engineer": 20}
    assert history(run)[1][3] == 2 * WEEK_H + 20
