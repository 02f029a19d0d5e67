"""Pooled and separate compute: whose jobs may run on whose slots."""

from typing import Any

import pytest
from small_organization import idea_every, simulate

import sim

TRAIN = {"steps": {"train": {"run_h": 30, "compute": "gpu"}, "deploy": {"effect": "deploys"}}}
TWO_TEAMS = {"team": {"count": 2, "people": {"data_scientist": 1}}}


def jobs(run: sim.Run) -> list[tuple[str, str, float, float]]:
    """Return (service, pool, queued, started) of every job, in the order of these times."""
    service = run.changes.set_index("change_id")["service"]
    rows = [
        (service.loc[job.change_id], job.pool, job.queued_at, job.started_at)
        for job in run.jobs.itertuples()
    ]
    return sorted(rows, key=lambda job: (job[2:], job[0]))


def one_busy_team(golden_path: dict[str, bool], **gpu: Any) -> sim.Run:
    """Simulate one team with services `golden_path`, and another that has nothing to do."""
    return simulate(
        weeks=1,
        teams={
            "busy": {"people": {"data_scientist": 1}},
            "calm": {"people": {"data_scientist": 1}},
        },
        services={name: {"team": "busy", "golden_path": on} for name, on in golden_path.items()},
        changes=idea_every(100),
        pipeline=TRAIN,
        compute={"gpu": {"shared": False, "slots": 1, **gpu}},
    )


def test_a_bespoke_job_runs_only_in_the_pool_of_its_team() -> None:
    run = one_busy_team({"one": False, "two": False})
    assert jobs(run) == [
        ("busy.one", "busy/gpu", 100, 100),
        ("busy.two", "busy/gpu", 100, 130),
    ]


def test_a_standard_job_runs_on_an_idle_slot_of_another_team() -> None:
    run = one_busy_team({"one": True, "two": True})
    assert jobs(run) == [
        ("busy.one", "busy/gpu", 100, 100),  # its own team's comes first
        ("busy.two", "calm/gpu", 100, 100),
    ]


def test_a_standard_job_leaves_its_own_slot_to_a_bespoke_one_if_that_came_first() -> None:
    run = one_busy_team({"one": False, "two": True, "three": False, "four": True})
    assert jobs(run) == [
        ("busy.one", "busy/gpu", 100, 100),
        ("busy.two", "calm/gpu", 100, 100),
        # Both slots are free at 130: the third has only one of them to run on.
        ("busy.four", "calm/gpu", 100, 130),
        ("busy.three", "busy/gpu", 100, 130),
    ]


def test_who_waits_for_any_slot_and_who_waits_for_this_one_are_served_in_their_order() -> None:
    run = simulate(
        weeks=1,
        teams=TWO_TEAMS,
        services={
            "bespoke": {"team": "team", "golden_path": False},
            "standard": {"team": "team", "golden_path": True},
        },
        changes=idea_every(40),
        pipeline=TRAIN,
        compute={"gpu": {"shared": False, "slots": 1}},
    )
    # The services ask in the order of the teams; at 70, 100 and 130 both slots become free.
    assert jobs(run)[:8] == [
        ("team.bespoke", "team/gpu", 40, 40),
        ("team.standard", "team-2/gpu", 40, 40),
        ("team-2.bespoke", "team-2/gpu", 40, 70),
        ("team-2.standard", "team/gpu", 40, 70),
        ("team.bespoke", "team/gpu", 80, 100),
        ("team.standard", "team-2/gpu", 80, 100),  # before the bespoke one of that team
        ("team-2.bespoke", "team-2/gpu", 80, 130),
        ("team-2.standard", "team/gpu", 80, 130),
    ]


def test_an_urgent_standard_job_gets_the_next_slot_of_any_team() -> None:
    run = simulate(
        weeks=1,
        teams={
            "hit": {"people": {"ml_engineer": 1, "data_scientist": 1}},
            "calm": {"people": {"data_scientist": 1, "ml_engineer": 1}},
        },
        services={
            "one": {"team": "hit", "golden_path": True},
            "two": {"team": "calm", "golden_path": False},
        },
        changes={
            **idea_every(40, defects={"code": 1}),
            "fix": {"defects": {}},
        },
        pipeline={
            "steps": {
                "train": {"run_h": 35, "compute": "gpu"},
                "deploy": {"effect": "deploys"},
            }
        },
        incidents={
            "responses": {"code": {"role": "ml_engineer", "latency_h": 3}},
        },
        compute={"gpu": {"shared": False, "slots": 1}},
    )
    # Both deploy at 75 and break at 78; fixes of both wait. The ideas of 80 come after them.
    fixes = run.changes[run.changes["kind"] == "fix"]["change_id"].tolist()
    assert run.jobs["started_at"].tolist()[:4] == [40, 40, 78, 78]
    assert run.jobs["change_id"].tolist()[2:4] == fixes[:2]


def test_one_pool_for_all_serves_everybody_alike() -> None:
    run = simulate(
        weeks=1,
        teams=TWO_TEAMS,
        services={"service": {"team": "team", "count": 2, "golden_path": False}},
        changes=idea_every(100),
        pipeline=TRAIN,
        compute={"gpu": {"shared": True, "slots": 3}},
    )
    assert [start for *_, start in jobs(run)] == [100, 100, 100, 130]
    assert set(run.jobs["pool"]) == {"shared/gpu"}


def test_kinds_of_compute_are_not_pooled_with_each_other() -> None:
    run = simulate(
        weeks=1,
        teams=TWO_TEAMS,
        services={"service": {"team": "team", "count": 2, "golden_path": True}},
        changes=idea_every(100),
        pipeline=TRAIN,
        compute={
            "gpu": {"shared": False, "slots": 1},
            "ci": {"shared": False, "slots": 5},
        },
    )
    assert [start for *_, start in jobs(run)] == [100, 100, 130, 130]


@pytest.mark.parametrize("golden_path", [False, True])
def test_where_slots_can_be_ordered_nobody_waits_for_others(golden_path: bool) -> None:
    run = simulate(
        weeks=1,
        teams=TWO_TEAMS,
        services={
            "bespoke": {"team": "team", "golden_path": False},
            "other": {"team": "team", "golden_path": golden_path},
        },
        changes=idea_every(100),
        pipeline=TRAIN,
        compute={
            "gpu": {"shared": False, "slots": 0, "max_slots": 5, "provisioning_h": 1},
        },
    )
    assert [start for *_, start in jobs(run)] == [101] * 4


BUSY_AND_CALM = {
    "busy": {"people": {"data_scientist": 9, "ml_engineer": 9}},
    "calm": {"people": {"data_scientist": 9, "ml_engineer": 9}},
}


def slots_ever(run: sim.Run) -> dict[str, int]:
    """Return how many slots each pool has had at most at once."""
    capacity = run.tables["capacity"]
    capacity = capacity[~capacity["people"]]
    slots = capacity["available_h"] / (capacity["closes_at"] - capacity["opens_at"])
    return {
        str(pool): round(n) for pool, n in slots.groupby(capacity["pool"].astype(str)).max().items()
    }


def ordering(services: dict[str, Any], most: int) -> sim.Run:
    return simulate(
        weeks=1,
        teams=BUSY_AND_CALM,
        services={name: {"team": "busy", **about} for name, about in services.items()},
        changes=idea_every(100),
        pipeline=TRAIN,
        compute={
            "gpu": {"shared": False, "slots": 0, "max_slots": most, "provisioning_h": 1},
        },
    )


def test_a_standard_job_whose_own_pool_is_full_orders_a_slot_in_another() -> None:
    standard = {"golden_path": True}
    run = ordering({"one": standard, "two": standard, "three": standard}, most=1)
    # Two slots are ordered, one in each pool; the third job gets the first that is free.
    assert [start for *_, start in jobs(run)] == [101, 101, 131]
    assert {pool for _, pool, *_ in jobs(run)} == {"busy/gpu", "calm/gpu"}
    assert slots_ever(run) == {"busy/gpu": 1, "calm/gpu": 1}


def test_one_slot_is_ordered_for_each_job_and_ones_own_pool_comes_first() -> None:
    standard = {"golden_path": True}
    run = ordering({"one": standard, "two": standard, "three": standard}, most=2)
    assert [start for *_, start in jobs(run)] == [101] * 3
    assert slots_ever(run) == {"busy/gpu": 2, "calm/gpu": 1}


def test_a_bespoke_job_orders_nothing_where_it_cannot_run() -> None:
    bespoke = {"golden_path": False}
    run = ordering({"one": bespoke, "two": bespoke}, most=1)
    assert [start for *_, start in jobs(run)] == [101, 131]
    assert slots_ever(run) == {"busy/gpu": 1, "calm/gpu": 0}


@pytest.mark.parametrize("standard_first", [True, False])
def test_a_slot_that_is_coming_serves_one_job(standard_first: bool) -> None:
    names = {"one": {"golden_path": standard_first}, "two": {"golden_path": not standard_first}}
    run = ordering(names, most=2)
    assert [start for *_, start in jobs(run)] == [101, 101]
    assert slots_ever(run) == {"busy/gpu": 2, "calm/gpu": 0}


def test_a_bespoke_job_waits_where_its_stack_is_and_nothing_is_ordered_for_it_elsewhere() -> None:
    run = ordering({"one": {"golden_path": True}, "two": {"golden_path": False}}, most=1)
    # The first orders the one slot that there may be at home, and gets it when it comes.
    assert [start for *_, start in jobs(run)] == [101, 131]
    assert slots_ever(run) == {"busy/gpu": 1, "calm/gpu": 0}


# People: teams on the golden path help each other out ------------------------------------------


def restored(run: sim.Run) -> dict[str, float]:
    first = run.incidents.drop_duplicates("service").set_index("service")["restored_at"]
    return {str(service): float(at) for service, at in first.items()}


@pytest.mark.parametrize(
    ("golden_path", "pooled", "second"),
    [
        (True, ["ml_engineer"], 110),
        (True, [], 120),
        (True, ["operations"], 120),
        (False, ["ml_engineer"], 120),
    ],
)
def test_another_team_helps_out_with_what_is_built_the_standard_way(
    golden_path: bool, pooled: list[str], second: float
) -> None:
    parts = {"shared_people": {"operations": 1}} if "operations" in pooled else {}
    run = simulate(
        weeks=1,
        teams={
            "busy": {"people": {"ml_engineer": 1}},
            "calm": {"people": {"ml_engineer": 1}},
        },
        **parts,
        services={
            name: {"team": "busy", "golden_path": golden_path, "time_to_outage_h": 100}
            for name in ("one", "two")
        },
        pooled_roles=pooled,
        incidents={
            "responses": {"infra": {"role": "ml_engineer", "diagnosis_h": 4, "repair_h": 6}}
        },
    )
    assert restored(run) == {"busy.one": 110, "busy.two": second}
    # Who began sees it through, and one's own people come first.
    pools = run.work.groupby("incident_id")["pool"].agg(lambda stints: sorted(set(stints)))
    assert pools.loc[0] == ["busy/ml_engineer"]
    assert pools.loc[1] == (["calm/ml_engineer"] if second == 110 else ["busy/ml_engineer"])


def test_who_is_busy_does_not_help_out() -> None:
    run = simulate(
        weeks=1,
        teams={
            "busy": {"people": {"ml_engineer": 1}},
            "calm": {"people": {"ml_engineer": 1}},
        },
        services={
            "own": {"team": "calm", "golden_path": True, "time_to_outage_h": 99},
            "one": {"team": "busy", "golden_path": True, "time_to_outage_h": 100},
            "two": {"team": "busy", "golden_path": True, "time_to_outage_h": 100},
        },
        pooled_roles=["ml_engineer"],
        incidents={
            "responses": {"infra": {"role": "ml_engineer", "diagnosis_h": 4, "repair_h": 6}}
        },
    )
    assert restored(run) == {"calm.own": 109, "busy.one": 110, "busy.two": 120}


def test_another_team_executes_a_step() -> None:
    def deployed_at(pooled: list[str]) -> list[float]:
        run = simulate(
            weeks=1,
            teams={
                "busy": {"people": {"ml_engineer": 1, "data_scientist": 1}},
                "calm": {"people": {"ml_engineer": 1}},
            },
            services={
                name: {"team": "busy", "golden_path": True} for name in ("one", "two", "three")
            },
            changes=idea_every(100),
            pipeline={
                "steps": {
                    "deploy": {"role": "ml_engineer", "effort_h": 5, "effect": "deploys"},
                }
            },
            pooled_roles=pooled,
        )
        return run.deployments["deployed_at"].tolist()

    assert deployed_at([]) == [105, 110, 115]
    assert deployed_at(["ml_engineer"]) == [105, 105, 110]
