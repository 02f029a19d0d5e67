"""Where planned work comes from: the full backlog, ideas that arrive, upkeep; and its limit."""

import numpy as np
import pytest
from small_organization import idea_every, row, simulate, steps_of

AUTHORS = {"team": {"people": {"data_scientist": 2, "ml_engineer": 1}}}


def backlog(**feature: object) -> dict[str, object]:
    """Return changes in which authors always have a next feature."""
    return {"feature": {"exploration_h": 10, **feature}}


def test_the_backlog_takes_services_in_turn() -> None:
    run = simulate(
        weeks=1,
        teams={"team": {"people": {"data_scientist": 1}}},
        services={"one": {"team": "team"}, "two": {"team": "team", "count": 2}},
        changes=backlog(),
    )
    assert run.changes["service"].tolist()[:4] == [
        "team.one",
        "team.two",
        "team.two-2",
        "team.one",
    ]
    assert run.changes["created_at"].tolist()[:4] == [0, 10, 20, 30]
    assert run.changes["committed_at"].tolist()[:3] == [10, 20, 30]


def test_an_author_takes_the_next_feature_at_the_commit_and_not_at_the_deployment() -> None:
    run = simulate(
        weeks=1,
        teams=AUTHORS,
        changes=backlog(),
        pipeline={"steps": {"deploy": {"run_h": 50, "effect": "deploys"}}},
    )
    assert run.changes["started_at"].tolist()[:6] == [0, 0, 10, 10, 20, 20]
    assert run.changes["deployed_at"].tolist()[:4] == [60, 60, 70, 70]


def test_exploring_is_slower_where_authors_have_other_things_to_do() -> None:
    run = simulate(
        weeks=1,
        teams={"team": {"people": {"data_scientist": 1}}},
        changes=backlog(),
        pipeline={
            "steps": {
                "train": {"role": "data_scientist", "effort_h": 5},
                "deploy": {"effect": "deploys"},
            }
        },
    )
    # The training of the first comes before the exploration of the second, which has begun: in an
    # organization that never closes there is no next morning to change over.
    assert steps_of(run, 0) == [
        ("exploration", 1, 0, 0, 10, "passed"),
        ("train", 1, 10, 20, 25, "passed"),
        ("deploy", 1, 25, 25, 25, "passed"),
    ]
    assert steps_of(run, 1)[0] == ("exploration", 1, 10, 10, 20, "passed")
    # After that the trainings, of both, are more urgent than the third exploration.
    assert steps_of(run, 2)[0] == ("exploration", 1, 20, 30, 40, "passed")


def test_some_explorations_lead_nowhere() -> None:
    run = simulate(weeks=200, teams=AUTHORS, changes=backlog(abandoned=0.3))
    explored = run.steps[run.steps["step"] == "exploration"]
    abandoned = (explored["outcome"] == "abandoned").to_numpy()
    share, n = abandoned.mean(), len(abandoned)
    assert share == pytest.approx(0.3, abs=3.5 * np.sqrt(0.3 * 0.7 / n))
    given_up = run.changes[run.changes["status"] == "abandoned"]
    assert given_up["change_id"].isin(explored["change_id"][abandoned]).all()
    assert len(given_up) == abandoned.sum()
    assert given_up["committed_at"].isna().all()
    assert (given_up["ended_at"] == given_up["started_at"] + 10).all()


def test_ideas_arrive_and_wait_for_an_author() -> None:
    run = simulate(
        weeks=1,
        teams={"team": {"people": {"data_scientist": 1}}},
        changes=idea_every(30, exploration_h=40),
    )
    assert run.changes["created_at"].tolist() == [30, 60, 90, 120, 150]
    assert run.changes["trigger"].unique().tolist() == ["arrival"]
    assert run.changes["started_at"].tolist()[:4] == [30, 70, 110, 150]
    assert np.isnan(run.changes["started_at"].iloc[4])
    assert run.changes["committed_at"].tolist()[:3] == [70, 110, 150]


def test_the_limit_of_features_in_progress_holds_for_ideas_that_arrive() -> None:
    run = simulate(
        weeks=1,
        teams={"team": {"people": {"data_scientist": 9}, "wip_limit": 2}},
        changes=idea_every(10, exploration_h=25),
        pipeline={"steps": {"deploy": {"run_h": 5, "effect": "deploys"}}},
    )
    assert run.changes["created_at"].tolist()[:5] == [10, 20, 30, 40, 50]
    assert run.changes["started_at"].tolist()[:5] == [10, 20, 40, 50, 70]
    assert run.changes["deployed_at"].tolist()[:4] == [40, 50, 70, 80]


def test_the_limit_is_one_of_the_team_and_not_of_each_service() -> None:
    run = simulate(
        weeks=1,
        teams={"team": {"count": 2, "people": {"data_scientist": 9}, "wip_limit": 1}},
        services={"service": {"team": "team", "count": 3}},
        changes=idea_every(100, exploration_h=20),
    )
    for _, of_team in run.changes.groupby("team", observed=True):
        assert of_team["started_at"].tolist() == [100, 120, 140]


@pytest.mark.parametrize("arrivals", [{"arrivals": "open", "interarrival_h": 5}, {}])
def test_an_abandoned_idea_makes_room_for_the_next(arrivals: dict[str, object]) -> None:
    run = simulate(
        weeks=4,
        teams={"team": {"people": {"data_scientist": 1}, "wip_limit": 1}},
        changes={
            "feature": {
                "exploration_h": {"dist": "empirical", "values": [0, 10]},
                "abandoned": 0.5,
                **arrivals,
            }
        },
    )
    ended = run.changes["ended_at"].dropna()
    assert ended.max() > 4 * 168 - 20
    assert run.changes["status"].isin(["abandoned", "deployed"]).sum() == len(ended)


def test_upkeep_arrives_and_is_less_urgent_than_anything_else() -> None:
    run = simulate(
        weeks=1,
        teams={"team": {"people": {"ml_engineer": 1}}},
        changes={
            **idea_every(21, author="ml_engineer", exploration_h=6),
            "improvement": {"interarrival_h": 20, "effort_h": 3},
        },
    )
    kinds = run.changes.set_index("created_at")[["kind", "started_at", "committed_at"]]
    assert kinds.loc[20].tolist() == ["improvement", 20, 23]  # nothing takes the person off it
    assert kinds.loc[21].tolist() == ["feature", 23, 29]
    assert kinds.loc[40].tolist() == ["improvement", 40, 43]
    first = run.steps[run.steps["change_id"] == 0].iloc[0]
    assert (first["step"], first["role"], first["effort_h"]) == ("authoring", "ml_engineer", 3)
    assert run.work["activity"].iloc[0] == "improvement"


def test_who_has_no_features_makes_none() -> None:
    run = simulate(changes={"feature": None})
    assert len(run.changes) == 0
    assert len(run.tables["services"]) == 1


def test_a_change_in_the_making_at_the_end_is_not_lost() -> None:
    run = simulate(
        weeks=1,
        teams={"team": {"people": {"data_scientist": 1}}},
        changes=idea_every(100, exploration_h=100),
    )
    only = row(run.changes, 0)
    assert (only["status"], only["started_at"]) == ("exploring", 100)
    assert np.isnan([only["committed_at"], only["ended_at"]]).all()
