"""How a scenario becomes teams, pools and services."""

import pandas as pd
import pytest
from small_organization import by_week, idea_every, simulate

import sim

WEEK_H = 168


def capacity(run: sim.Run) -> dict[str, list[float]]:
    """Return the hours available in each week, by pool."""
    return {
        str(pool): by_week(rows, run.scenario.horizon_weeks)
        for pool, rows in run.tables["capacity"].groupby("pool", observed=True)
    }


def test_teams_and_services_alike_are_numbered() -> None:
    run = simulate(
        weeks=1,
        teams={
            "web": {"count": 2, "people": {}},
            "app": {"people": {}},
        },
        services={
            "ranking": {"team": "web", "count": 2},
            "search": {"team": "web"},
            "advice": {"team": "app"},
        },
    )
    services = run.tables["services"]
    assert services["service"].tolist() == [
        "web.ranking",
        "web.ranking-2",
        "web.search",
        "web-2.ranking",
        "web-2.ranking-2",
        "web-2.search",
        "app.advice",
    ]
    assert services["team"].tolist() == ["web"] * 3 + ["web-2"] * 3 + ["app"]


def test_pools_are_of_a_team_or_of_all() -> None:
    run = simulate(
        weeks=2,
        working_hours={"focus": 0.5},
        working_hours_of={"operations": {"days": ["sat"], "opens": 8, "closes": 12}},
        teams={"team": {"count": 2, "people": {"ml_engineer": 3, "data_engineer": 0}}},
        shared_people={"operations": 2, "security": 0},
        compute={"gpu": {"slots": 4}, "ci": {"slots": 1, "shared": False}},
    )
    assert capacity(run) == {
        "team/ml_engineer": [60, 60],
        "team-2/ml_engineer": [60, 60],
        "shared/operations": [8, 8],
        "shared/gpu": [4 * WEEK_H, 4 * WEEK_H],
        "team/ci": [WEEK_H, WEEK_H],
        "team-2/ci": [WEEK_H, WEEK_H],
    }
    people = run.tables["capacity"].groupby("resource", observed=True)["people"].first()
    assert people.to_dict() == {"ml_engineer": True, "operations": True, "gpu": False, "ci": False}


def test_own_people_come_before_a_shared_group_of_the_same_role() -> None:
    run = simulate(
        weeks=1,
        teams={
            "rich": {"people": {"ml_engineer": 1, "data_scientist": 1}},
            "poor": {"people": {"data_scientist": 1}},
        },
        shared_people={"ml_engineer": 1},
        services={"mine": {"team": "rich"}, "yours": {"team": "poor"}},
        changes=idea_every(100),
        pipeline={"steps": {"deploy": {"role": "ml_engineer", "effort_h": 8, "effect": "deploys"}}},
    )
    assert set(run.work["pool"]) == {"rich/ml_engineer", "shared/ml_engineer"}
    assert run.deployments["deployed_at"].tolist() == [108, 108]


@pytest.mark.parametrize(("shared", "deployed_at"), [(True, [110, 120]), (False, [110, 110])])
def test_a_shared_machine_makes_teams_wait(shared: bool, deployed_at: list[float]) -> None:
    run = simulate(
        weeks=1,
        teams={"team": {"count": 2, "people": {}}},
        compute={"gpu": {"slots": 1, "shared": shared}},
        changes=idea_every(100),
        automation=1,
        pipeline={
            "steps": {"train": {"run_h": 10, "compute": "gpu"}, "deploy": {"effect": "deploys"}}
        },
    )
    assert run.deployments["deployed_at"].tolist() == deployed_at


def test_capacity_of_a_machine_that_scales_is_what_there_was_of_it() -> None:
    run = simulate(
        weeks=2,
        compute={"gpu": {"slots": 0, "max_slots": 2, "provisioning_h": 6, "release_after_h": 10}},
        changes=idea_every(100),
        automation=1,
        pipeline={
            "steps": {"train": {"run_h": 100, "compute": "gpu"}, "deploy": {"effect": "deploys"}}
        },
    )
    # Ordered at 100, there from 106; the idea of 200 orders another, which is there from 206, when
    # the first slot has just become free: it is idle, and goes at 216. The first slot runs jobs
    # from 106 to 206, from 206 to 306, and from 306 on; the idea of 300 orders one for nothing.
    jobs = run.jobs[["started_at", "finished_at"]].to_numpy().tolist()
    assert jobs[:2] == [[106, 206], [206, 306]]
    available = capacity(run)["shared/gpu"]
    assert available == [WEEK_H - 106, WEEK_H + 10 + 10]


def test_on_the_golden_path_by_share_and_those_who_are_stay_on_it() -> None:
    def on_path(standardization: float) -> pd.Series:
        run = simulate(
            weeks=1,
            services={"service": {"team": "team", "count": 400}},
            standardization=standardization,
        )
        return run.tables["services"]["golden_path"]

    before = on_path(0)
    assert not before.any()
    for share in (0.2, 0.5, 0.8, 1):
        now = on_path(share)
        # Each service draws for itself: four standard deviations of the binomial share.
        assert now.mean() == pytest.approx(share, abs=4 * (share * (1 - share) / 400) ** 0.5)
        assert now[before].all()
        before = now


def test_a_service_may_say_itself_whether_it_is_on_the_golden_path() -> None:
    run = simulate(
        weeks=1,
        services={
            "on": {"team": "team", "golden_path": True},
            "off": {"team": "team", "golden_path": False},
        },
        standardization=0,
    )
    assert run.tables["services"]["golden_path"].tolist() == [True, False]


def test_other_services_and_steps_do_not_change_the_luck_of_a_service() -> None:
    random = {"dist": "exponential", "mean": 10}
    service = {
        "team": "team",
        "time_to_outage_h": {"dist": "exponential", "mean": 200},
        "data": {"interarrival_h": random, "corrupted": 0.5},
    }
    changes = idea_every(5)
    changes["feature"]["interarrival_h"] = random
    test = {"run_h": random}
    alone = simulate(
        services={"mine": service},
        changes=changes,
        pipeline={"steps": {"test": test, "deploy": {"effect": "deploys"}}},
    )
    among_others = simulate(
        services={"other": service, "mine": service},
        changes=changes,
        pipeline={
            "steps": {
                "before": {"run_h": random},
                "test": test,
                "deploy": {"effect": "deploys"},
            }
        },
    )

    def mine(run: sim.Run, table: str, column: str) -> list[object]:
        frame = run.tables[table]
        frame = frame[frame["service"] == "team.mine"]
        if table == "steps":  # in the order of changes, and a duration is a difference of times
            frame = frame[frame["step"] == "test"].sort_values("change_id").round(6)
        return frame[column].tolist()[:100]

    for table, column in [
        ("changes", "created_at"),
        ("batches", "arrived_at"),
        ("batches", "corruption"),
        ("incidents", "started_at"),
        ("steps", "run_h"),
    ]:
        expected = mine(alone, table, column)
        assert len(expected) > 5
        assert mine(among_others, table, column) == expected


def test_a_run_reports_its_progress() -> None:
    scenario = sim.load("horizon_weeks=13", "warmup_weeks=0")
    shares: list[float] = []
    sim.simulate(scenario, seed=1, progress=shares.append)
    assert shares == [4 / 13, 8 / 13, 12 / 13]
