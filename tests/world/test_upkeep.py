"""Upkeep: the automation of a stack breaks, people step in, and somebody repairs it."""

from math import sqrt
from typing import Any

import pytest
from small_organization import idea_every, row, simulate

import sim

WEEK_H = 168
Z = 3.3  # one chance in a thousand that a right program fails; the seed is fixed

SMOKE_TEST = {"role": "ml_engineer", "effort_h": 5, "run_h": 1}


def pipeline(**steps: Any) -> dict[str, Any]:
    return {"steps": {**steps, "deploy": {"effect": "deploys"}}}


def toil(run: sim.Run) -> list[tuple[Any, ...]]:
    """Return (pool, queued, started, finished, effort) of every repair."""
    rows = run.work[run.work["activity"] == "toil"].astype(object)
    columns = ["pool", "queued_at", "started_at", "finished_at", "effort_h"]
    return [tuple(stint) for stint in rows[columns].itertuples(index=False)]


def toil_h(run: sim.Run) -> float:
    return float(run.work[run.work["activity"] == "toil"]["effort_h"].sum())


def test_while_the_automation_is_broken_the_step_is_executed_by_hand() -> None:
    run = simulate(
        weeks=1,
        automation=1,
        changes=idea_every(22.5),
        pipeline=pipeline(smoke_test=SMOKE_TEST),
        upkeep={"time_to_break_h": 20, "repair_h": 4},
    )
    # Broken 20 to 24, 44 to 48, 68 to 72, 92 to 96, 116 to 120, 140 to 144, 164 to 168.
    assert [start for _, start, *_ in toil(run)] == [20, 44, 68, 92, 116, 140, 164]
    assert toil(run)[0] == ("team/ml_engineer", 20, 20, 24, 4)
    tests = run.steps[run.steps["step"] == "smoke_test"].set_index("queued_at")
    manual = dict.fromkeys([22.5, 45, 67.5, 90, 112.5, 135, 157.5], False) | {22.5: True, 45: True}
    assert {at: mode == "manual" for at, mode in tests["mode"].items()} == manual
    # Five hours of a person and one of the machine, or one of the machine alone.
    assert tests.loc[[22.5, 67.5], "effort_h"].tolist() == [5, 0]
    assert tests.loc[[22.5, 67.5], "finished_at"].tolist() == [28.5, 68.5]


def test_it_stays_broken_until_somebody_has_had_time_for_it() -> None:
    run = simulate(
        weeks=2,
        working_hours={},  # Monday to Friday, 9 to 17
        automation=1,
        changes=idea_every(59),  # the second one on Friday at 22:00
        pipeline=pipeline(smoke_test=SMOKE_TEST),
        upkeep={"time_to_break_h": 116, "repair_h": 2},  # Friday, 20:00
    )
    assert toil(run)[0] == ("team/ml_engineer", 116, WEEK_H + 9, WEEK_H + 11, 2)
    tests = run.steps[run.steps["step"] == "smoke_test"].set_index("queued_at")
    assert tests["mode"].loc[[59, 118, 236]].tolist() == ["automated", "manual", "automated"]


def test_a_repair_gets_its_person_before_features_do() -> None:
    run = simulate(
        weeks=1,
        automation=1,
        working_hours={},
        teams={"team": {"people": {"ml_engineer": 1, "data_scientist": 1}}},
        changes=idea_every(50),  # Wednesday, 2:00
        pipeline=pipeline(
            smoke_test={"role": "ml_engineer"},
            package={"role": "ml_engineer", "effort_h": 20, "automation": 0},
        ),
        upkeep={"time_to_break_h": 60, "repair_h": 3},  # Wednesday, 12:00: the next morning
    )
    repair = toil(run)[0]
    assert repair == ("team/ml_engineer", 60, 81, 84, 3)


STACKS = {
    # Three teams with two services each, two steps: on the golden path one stack breaks, not three.
    0: (3, {"team/ml_engineer", "team-2/ml_engineer", "team-3/ml_engineer"}),
    1: (1, {"shared/platform"}),
}


@pytest.mark.parametrize("standardization", STACKS)
@pytest.mark.parametrize("count", [1, 2])
def test_toil_grows_with_the_number_of_stacks_and_steps(standardization: int, count: int) -> None:
    stacks, pools = STACKS[standardization]
    run = simulate(
        weeks=10,
        automation=1,
        standardization=standardization,
        teams={"team": {"count": 3, "people": {"ml_engineer": 4}}},
        shared_people={"platform": 4},
        services={"service": {"team": "team", "count": count}},
        pipeline=pipeline(
            build={"role": "ml_engineer"},
            smoke_test={"role": "ml_engineer"},
            scan={"run_h": 1},  # no people to fall back on
        ),
        upkeep={"time_to_break_h": 18, "repair_h": 3},
    )
    steps, repairs = 2, 10 * WEEK_H / (18 + 3)
    assert len(toil(run)) == stacks * steps * repairs
    assert toil_h(run) == stacks * steps * repairs * 3
    assert {pool for pool, *_ in toil(run)} == pools


def test_a_team_has_toil_of_its_own_only_for_services_off_the_golden_path() -> None:
    run = simulate(
        weeks=1,
        automation=1,
        teams={
            "modern": {"people": {"ml_engineer": 1}},
            "bespoke": {"people": {"ml_engineer": 1}},
            "idle": {"people": {"ml_engineer": 1}},
        },
        services={
            "one": {"team": "modern", "golden_path": True},
            "two": {"team": "bespoke", "golden_path": False},
        },
        shared_people={"platform": 1},
        pipeline=pipeline(smoke_test={"role": "ml_engineer"}),
        upkeep={"time_to_break_h": 100, "repair_h": 1},
    )
    assert {pool for pool, *_ in toil(run)} == {"shared/platform", "bespoke/ml_engineer"}


def test_the_golden_path_breaks_once_for_all_who_are_on_it() -> None:
    run = simulate(
        weeks=1,
        automation=1,
        teams={"team": {"count": 2, "people": {"ml_engineer": 4, "data_scientist": 1}}},
        services={
            "on": {"team": "team", "golden_path": True},
            "off": {"team": "team", "golden_path": False},
        },
        shared_people={"platform": 1},
        changes=idea_every(101),
        pipeline=pipeline(smoke_test=SMOKE_TEST),
        # The stacks of the teams are bespoke ones of one step as well, and break at the same time;
        # with a platform group that takes its time, the golden path stays broken.
        upkeep={"time_to_break_h": 100, "repair_h": 0.5},
        working_hours_of={"platform": {}},  # 100 h is Friday, 4:00
    )
    assert len(toil(run)) == 3
    tests = run.steps[run.steps["step"] == "smoke_test"].set_index("service")
    assert tests["mode"].to_dict() == {
        "team.on": "manual",
        "team-2.on": "manual",
        "team.off": "automated",
        "team-2.off": "automated",
    }


def test_without_a_platform_group_the_teams_on_the_path_take_turns() -> None:
    run = simulate(
        weeks=1,
        automation=1,
        teams={
            "team": {"count": 3, "people": {"ml_engineer": 1}},
            "apart": {"people": {"ml_engineer": 1}},
        },
        services={
            "on": {"team": "team", "count": 2, "golden_path": True},
            "off": {"team": "apart", "golden_path": False},
        },
        pipeline=pipeline(smoke_test={"role": "ml_engineer"}),
        upkeep={"time_to_break_h": 20, "repair_h": 2},
    )
    repairs = [pool for pool, *_ in toil(run) if pool != "apart/ml_engineer"]
    turns = ["team/ml_engineer", "team-2/ml_engineer", "team-3/ml_engineer"]
    assert repairs == [*turns, *turns, turns[0]]


@pytest.mark.parametrize("automation", [0.25, 0.7])
def test_what_is_automated_in_part_breaks_in_proportion(automation: float) -> None:
    time_to_break_h, repair_h, weeks = 20.0, 10.0, 1000
    run = simulate(
        weeks=weeks,
        automation=automation,
        pipeline=pipeline(smoke_test={"role": "ml_engineer"}),
        upkeep={"time_to_break_h": time_to_break_h, "repair_h": repair_h},
    )
    # A renewal-reward process: each round takes T, and R more with probability a.
    round_h = time_to_break_h + automation * repair_h
    rate = automation / round_h
    deviation = sqrt(weeks * WEEK_H / round_h * automation * (1 - automation))
    deviation *= 1 - rate * repair_h
    assert abs(len(toil(run)) - rate * weeks * WEEK_H) < Z * deviation
    assert toil_h(run) / weeks == pytest.approx(
        WEEK_H * automation * repair_h / round_h, rel=Z * deviation / (rate * weeks * WEEK_H)
    )


def test_also_automated_steps_break_as_well() -> None:
    run = simulate(
        weeks=1,
        automation=0,
        pipeline=pipeline(
            by_practice={"role": "ml_engineer", "also_automated": 1},
            by_hand={"role": "ml_engineer"},
        ),
        upkeep={"time_to_break_h": 100, "repair_h": 1},
    )
    assert len(toil(run)) == 1


def test_repairs_that_take_no_effort_leave_nothing() -> None:
    run = simulate(
        weeks=1,
        automation=1,
        changes=idea_every(20),
        pipeline=pipeline(smoke_test=SMOKE_TEST),
        upkeep={"time_to_break_h": 20},
    )
    assert toil(run) == []
    assert set(run.steps["mode"]) == {"automated"}
    assert row(run.steps, 0)["mode"] == "automated"


@pytest.mark.parametrize("compute", [None, "ci"])
def test_a_golden_path_that_blocks_stops_all_that_is_on_it_until_it_is_repaired(
    compute: str | None,
) -> None:
    """Broken 100 to 140: on the path an idea of 110 waits, off it people test by hand."""
    run = simulate(
        weeks=1,
        automation=1,
        teams={"team": {"people": {"ml_engineer": 9, "data_scientist": 9}}},
        compute={"ci": {"slots": 9}},
        services={
            "standard": {"team": "team", "golden_path": True},
            "bespoke": {"team": "team", "golden_path": False},
        },
        changes=idea_every(55),
        pipeline=pipeline(smoke_test={**SMOKE_TEST, "compute": compute}),
        upkeep={"time_to_break_h": 100, "repair_h": 40, "golden_path_blocks": True},
    )
    tests = run.steps[run.steps["step"] == "smoke_test"]
    by_service = tests.set_index([tests["service"].astype(str), "queued_at"])
    waits = by_service.loc[("team.standard", 110)]
    assert (waits["mode"], waits["started_at"], waits["finished_at"]) == ("automated", 140, 141)
    assert (waits["compute_h"], waits["run_h"], waits["effort_h"]) == (30, 1, 0)
    by_hand = by_service.loc[("team.bespoke", 110)]
    assert (by_hand["mode"], by_hand["finished_at"]) == ("manual", 116)
    assert by_service.loc[("team.standard", 55), "finished_at"] == 56


def test_all_changes_that_wait_for_the_golden_path_go_on_at_once() -> None:
    run = simulate(
        weeks=1,
        automation=1,
        services={"standard": {"team": "team", "golden_path": True}},
        changes=idea_every(11),
        pipeline=pipeline(smoke_test=SMOKE_TEST),
        upkeep={"time_to_break_h": 100, "repair_h": 40, "golden_path_blocks": True},
    )
    tests = run.steps[run.steps["step"] == "smoke_test"].set_index("queued_at")
    assert set(tests["mode"]) == {"automated"}
    assert tests.loc[[110, 121, 132], "finished_at"].tolist() == [141, 141, 141]
    assert tests.loc[[99, 143], "finished_at"].tolist() == [100, 144]
