"""Adoption: an organization changes while it is at work.

Nothing is under way at the moment of most of these adoptions. So the log has to be that of the
organization without the practice up to then, and that of the organization that has always had it
from then on, draw by draw.
"""

import itertools
from typing import Any

import pandas as pd
import pytest
from small_organization import NEVER_H, by_week, idea_every, row, simulate, steps_of

import sim
from sim.scenario.organization import DAYS

WEEK_H = 168
ADOPTED_H = 2 * WEEK_H

TIMES = {
    "steps": "queued_at",
    "work": "queued_at",
    "jobs": "queued_at",
    "incidents": "started_at",
    "batches": "arrived_at",
}


def between(low: float, high: float) -> dict[str, Any]:
    return {"dist": "uniform", "low": low, "high": high}


def item(brings: dict[str, Any], start_week: int = 2, **others: Any) -> dict[str, Any]:
    return {
        "practice": "cicd",
        "level": "full",
        "start_week": start_week,
        "brings": brings,
        **others,
    }


def with_keys(parts: dict[str, Any], brings: dict[str, Any]) -> dict[str, Any]:
    """Return a copy of ``parts`` in which the dotted keys are set from the beginning."""
    copy = dict(parts)
    for key, value in brings.items():
        inner = copy
        *parents, last = key.split(".")
        for parent in parents:
            inner[parent] = dict(inner.get(parent, {}))
            inner = inner[parent]
        inner[last] = value
    return copy


def rows(run: sim.Run, name: str, since: float, until: float) -> pd.DataFrame:
    """Return the rows of a table that begin in a time, as plain objects.

    Numbers of incidents are left out, as there may have been more of them before, and executions
    numbered from 0.
    """
    table = run.tables[name].drop(columns="incident_id", errors="ignore")
    at = table[TIMES[name]]
    table = table[(at >= since) & (at < until)].astype(object).reset_index(drop=True)
    if "execution_id" in table:
        table["execution_id"] = pd.factorize(table["execution_id"])[0]
    return table


def assert_switches(parts: dict[str, Any], brings: dict[str, Any], weeks: int = 7) -> None:
    """Assert that an organization becomes one with ``brings`` in week 2, when nothing goes on."""
    never = simulate(weeks, **parts)
    always = simulate(weeks, **with_keys(parts, brings))
    switched = simulate(weeks, **parts, roadmap=[item(brings)])
    took_effect = False
    for name in TIMES:
        whole = rows(switched, name, 0, NEVER_H)
        ends = whole[[column for column in whole if column in ("finished_at", "restored_at")]]
        begins = whole[TIMES[name]]
        if not ends.empty:
            assert not ((begins < ADOPTED_H) & (ends.iloc[:, 0] > ADOPTED_H)).any(), "not quiet"
        before, after = rows(switched, name, 0, ADOPTED_H), rows(switched, name, ADOPTED_H, NEVER_H)
        pd.testing.assert_frame_equal(before, rows(never, name, 0, ADOPTED_H))
        pd.testing.assert_frame_equal(after, rows(always, name, ADOPTED_H, NEVER_H))
        took_effect |= not after.equals(rows(never, name, ADOPTED_H, NEVER_H))
    assert took_effect


# Everything that begins is over after less than a day and a half; ideas at 300 and 350.
PIPELINE = {
    "automation": 0.5,
    "services": {
        "service": {
            "team": "team",
            "data": {
                "interarrival_h": 23,
                "corrupted": 0.5,
                "corruption": {"schema": 1, "missing": 0, "delayed": 0},
                "repair_h": between(0.2, 1),
                "repair_role": "ml_engineer",
            },
        }
    },
    "compute": {"gpu": {"slots": 2}},
    "changes": idea_every(
        50,
        exploration_h=between(1, 2),
        abandoned=0.2,
        defects={"code": 0.5},
        rework_h=between(0.2, 0.5),
    ),
    "pipeline": {
        "handoff_in_team": {"delay_h": between(0.1, 0.4), "misunderstood": 0.2},
        "unrepeatable": {"bespoke": 0.7, "golden_path": 0},
        "reconstruction_h": between(0.2, 0.5),
        "steps": {
            "train": {
                "role": "data_scientist",
                "effort_h": between(0.1, 0.5),
                "run_h": between(0.2, 0.6),
                "compute": "gpu",
                "effect": "trains_model",
            },
            "unit_test": {
                "role": "ml_engineer",
                "effort_h": between(0.3, 0.7),
                "run_h": between(0.1, 0.2),
                "detects": {"code": {"manual": 0.4, "automated": 0.6}},
            },
            "deploy": {
                "role": "ml_engineer",
                "effort_h": between(0.1, 0.2),
                "effect": "deploys",
            },
        },
    },
    "incidents": {
        "responses": {
            kind: {"role": "ml_engineer", "latency_h": NEVER_H}
            for kind in ("code", "model", "infra")
        }
    },
}


@pytest.mark.parametrize(
    "brings",
    [
        {"automation": 1},
        {"automation": 0.8},
        {"pipeline.steps.unit_test.automation": 0},
        {"pipeline.steps.unit_test.also_automated": 0.8},
        {"pipeline.steps.unit_test.effort_h": between(0.01, 0.02)},
        {"pipeline.steps.unit_test.effort_h.high": 0.9},
        {"pipeline.steps.unit_test.role": "data_scientist"},
        {"pipeline.steps.train.run_h": {"dist": "constant", "value": 0.3}},
        {"pipeline.steps.train.run_by_hand": False},
        {"pipeline.steps.train.fails": 0.5},
        {"pipeline.steps.unit_test.flaky": 0.6},
        {"pipeline.steps.unit_test.detects": {"code": {"manual": 1, "automated": 1}}},
        {"pipeline.steps.unit_test.detects.code.automated": 0.1},
        {"pipeline.steps.train.adds": {"code": {"manual": 1, "automated": 1}}},
        {"pipeline.steps.unit_test.returns_to": "unit_test"},
        {"pipeline.steps.unit_test.skipped_by": ["feature"]},
        {"pipeline.steps.deploy.window": {"days": list(DAYS), "hour": 8}},
        {"pipeline.handoff_in_team.delay_h": between(2, 3)},
        {"pipeline.handoff_in_team.misunderstood": 0.9},
        {"pipeline.unrepeatable.bespoke": 0},
        {"pipeline.reconstruction_h": between(2, 3)},
        {"pipeline.max_attempts": 1},
        {"standardization": 1},
        {"changes.feature.exploration_h": between(3, 4)},
        {"changes.feature.abandoned": 0.8},
        {"changes.feature.defects": {"code": 1}},
        {"changes.feature.rework_h": between(2, 3)},
        {"changes.feature.author": "ml_engineer"},
        {"data_validation": 1},
        {"compute.gpu.failures_per_h": 3},
        {"automation": 0.9, "changes.feature.rework_h": 0, "data_validation": 0.5},
    ],
    ids=lambda brings: "+".join(brings),
)
def test_whatever_begins_afterwards_goes_the_new_way(brings: dict[str, Any]) -> None:
    assert_switches(PIPELINE, brings)


ATTACKED = {
    "threats": {"interarrival_h": 50, "succeeds": 0.9},
    "teams": {"team": {"people": {"ml_engineer": 2, "data_scientist": 1}}},
    "shared_people": {"operations": 2},
    "incidents": {
        "unfamiliar": 2,
        "page_h": between(0.5, 1),
        "responses": {
            "security": {
                "role": "operations",
                "monitored": 0.5,
                "alert_h": between(0.1, 0.3),
                "notice_h": between(1, 2),
                "diagnosis_h": between(1, 2),
                "repair_h": between(1, 2),
            }
        },
    },
}


@pytest.mark.parametrize(
    "brings",
    [
        {"threats.succeeds": 0.1},
        {"incidents.responses.security.monitored": 1},
        {"incidents.responses.security.alert_h": between(0.5, 0.8)},
        {"incidents.responses.security.notice_h": 0.25},
        {"incidents.responses.security.diagnosis_h": between(0.1, 0.2)},
        {"incidents.responses.security.repair_h.low": 0.5},
        {"incidents.responses.security.role": "ml_engineer"},
        {"incidents.on_call": ["operations"]},
        {"incidents.unfamiliar": 3},
        {"standardization": 1},  # nobody is a stranger any more
    ],
    ids=lambda brings: "+".join(brings),
)
def test_incidents_are_handled_the_new_way(brings: dict[str, Any]) -> None:
    assert_switches(ATTACKED, brings)


def test_a_change_that_is_under_way_does_not_keep_the_others_in_the_old_way() -> None:
    def deploying(gap_h: float) -> pd.DataFrame:
        run = simulate(
            weeks=4,
            changes=idea_every(gap_h),
            pipeline={
                "steps": {"build": {"run_h": 30}, "deploy": {"run_h": 10, "effect": "deploys"}}
            },
            roadmap=[item({"pipeline.steps.deploy.run_h": 2})],
        )
        return run.steps[run.steps["step"] == "deploy"].merge(run.changes, on="change_id")

    # The idea of 320 is being built, or nothing is, when the practice is adopted at 336.
    for deploys in (deploying(40), deploying(55)):
        later = deploys[deploys["committed_at"] >= ADOPTED_H]
        assert len(later) > 4
        assert set(later["run_h"]) == {2}
        assert set(deploys[deploys["finished_at"] < ADOPTED_H]["run_h"]) == {10}


def test_work_that_has_begun_is_finished_as_it_was_begun() -> None:
    run = simulate(
        weeks=3,
        changes=idea_every(330),
        pipeline={
            "steps": {
                "build": {"role": "ml_engineer", "effort_h": 20},
                "deploy": {"effect": "deploys"},
            }
        },
        roadmap=[item({"pipeline.steps.build.effort_h": 1, "automation": 1})],
    )
    assert steps_of(run, 0)[0] == ("build", 1, 330, 330, 350, "passed")


def test_what_came_before_is_the_same_byte_for_byte_and_what_follows_is_not() -> None:
    base = ("horizon_weeks=30", "warmup_weeks=0", "organization=scaleup")
    roadmap = (
        "roadmap=[{practice: cicd, level: full, start_week: 10, effort_h: {ml_engineer: 20},"
        " learning_weeks: 6, learning_slowdown: 0.3},"
        " {practice: platform, level: full, start_week: 12, effort_h: {operations: 10}},"
        " {practice: compute, level: autoscaled, start_week: 14}]"
    )
    plain = sim.simulate(sim.load(*base), seed=3)
    changed = sim.simulate(sim.load(*base, roadmap), seed=3)
    ends = {"steps": "finished_at", "work": "finished_at", "jobs": "finished_at"}
    for name, column in ends.items():
        early = [
            run.tables[name][run.tables[name][column] < 10 * WEEK_H] for run in (plain, changed)
        ]
        assert len(early[0]) > 200
        assert early[0].to_csv(float_format="%r") == early[1].to_csv(float_format="%r")
    for name, column in (("incidents", "started_at"), ("batches", "arrived_at")):
        early = [
            run.tables[name][run.tables[name][column] < 10 * WEEK_H][column]
            for run in (plain, changed)
        ]
        assert early[0].tolist() == early[1].tolist()
    assert not plain.steps.equals(changed.steps)
    adopted = changed.tables["investments"]
    assert adopted["practice"].tolist() == ["cicd", "platform", "compute"]
    assert (adopted["adopted_at"] < 30 * WEEK_H).all()


@pytest.mark.parametrize("organization", ["midsize", "scaleup"])
def test_an_item_that_brings_nothing_changes_nothing(organization: str) -> None:
    base = ("horizon_weeks=24", "warmup_weeks=0", f"organization={organization}")
    nothing = "roadmap=[{practice: cicd, level: basic, start_week: 7}]"  # it is there already
    plain = sim.simulate(sim.load(*base), seed=3)
    same = sim.simulate(sim.load(*base, nothing), seed=3)
    assert same.scenario.roadmap[0].brings == {}
    for name, table in plain.tables.items():
        if name != "investments":
            pd.testing.assert_frame_equal(table, same.tables[name])


# When work and machines change in number or in hours ------------------------------------------


def capacity(run: sim.Run, pool: str, column: str = "available_h") -> list[float]:
    table = run.tables["capacity"]
    return by_week(table[table["pool"] == pool], run.scenario.horizon_weeks, column)


def test_focus_changes_what_gets_done_and_the_capacity_but_not_the_pay() -> None:
    run = simulate(
        weeks=4,
        working_hours={"focus": 0.5},
        teams={"team": {"people": {"ml_engineer": 2, "data_scientist": 1}}},
        changes=idea_every(ADOPTED_H - 168 + 9),  # Monday morning of week 1
        pipeline={
            "steps": {
                "build": {"role": "ml_engineer", "effort_h": 30},
                "deploy": {"effect": "deploys"},
            }
        },
        roadmap=[item({"working_hours.focus": 0.8})],
    )
    # Twenty hours of effort in week 1, at 0.5; the other ten in week 2, at 0.8: a day and 4.5 h.
    build = steps_of(run, 0)[0]
    assert build[3:5] == (WEEK_H + 9, pytest.approx(2 * WEEK_H + 24 + 9 + 4.5))
    stints = run.work[run.work["change_id"] == 0]
    assert stints["effort_h"].tolist() == pytest.approx([20, 10])
    assert capacity(run, "team/ml_engineer") == pytest.approx([40, 40, 64, 64])
    assert capacity(run, "team/ml_engineer", "paid_h") == pytest.approx([80] * 4)


def test_hours_that_change_in_the_middle_of_a_week() -> None:
    run = simulate(
        weeks=3,
        working_hours={},
        teams={"team": {"people": {"ml_engineer": 1, "data_scientist": 1}}},
        roadmap=[
            item({"working_hours.focus": 0.5}, start_week=1, effort_h={"ml_engineer": 12}),
        ],
    )
    # Monday and half of Tuesday at full focus, the rest of the week at half.
    assert run.tables["investments"]["adopted_at"].tolist() == [WEEK_H + 24 + 13]
    assert capacity(run, "team/data_scientist") == pytest.approx([40, 12 + 14, 20])
    assert capacity(run, "team/data_scientist", "paid_h") == pytest.approx([40, 40, 40])


def test_hours_of_one_role_alone() -> None:
    run = simulate(
        weeks=3,
        working_hours={},
        roadmap=[item({"working_hours_of": {"ml_engineer": {"always": True}}}, start_week=1)],
    )
    assert capacity(run, "team/ml_engineer") == pytest.approx([360, 9 * WEEK_H, 9 * WEEK_H])
    assert capacity(run, "team/data_scientist") == pytest.approx([360] * 3)


GPU_JOBS = {"steps": {"train": {"run_h": 60, "compute": "gpu"}, "deploy": {"effect": "deploys"}}}


def starts(run: sim.Run) -> dict[float, float]:
    """Return when jobs began, by when they were handed in."""
    return dict(zip(run.jobs["queued_at"], run.jobs["started_at"], strict=True))


def test_more_slots_take_what_waits() -> None:
    run = simulate(
        weeks=3,
        changes=idea_every(50),
        pipeline=GPU_JOBS,
        compute={"gpu": {"slots": 1}},
        roadmap=[item({"compute.gpu.slots": 3})],
    )
    # One after the other from 50 on: that of 300 would begin at 350; it begins at 336.
    begun = starts(run)
    assert (begun[250], begun[300], begun[350]) == (290, ADOPTED_H, 350)
    assert capacity(run, "shared/gpu") == [WEEK_H, WEEK_H, 3 * WEEK_H]


def test_fewer_slots_are_given_back_as_they_become_idle() -> None:
    run = simulate(
        weeks=4,
        changes=idea_every(310),
        pipeline=GPU_JOBS,
        compute={"gpu": {"slots": 3, "release_after_h": 2}},
        roadmap=[item({"compute.gpu.slots": 1})],
    )
    # One runs until 370, so that the two idle ones go at 338.
    assert capacity(run, "shared/gpu") == [3 * WEEK_H, 3 * WEEK_H, WEEK_H + 4, WEEK_H]


def test_what_waits_orders_slots_once_they_can_be_ordered() -> None:
    run = simulate(
        weeks=3,
        changes=idea_every(50),
        pipeline=GPU_JOBS,
        compute={"gpu": {"slots": 1}},
        roadmap=[item({"compute.gpu.max_slots": 9, "compute.gpu.provisioning_h": 2})],
    )
    # Those of 200, 250 and 300 wait for the one that runs until 350.
    begun = starts(run)
    assert begun[250] == 290
    assert begun[300] == ADOPTED_H + 2


def test_ordered_slots_take_as_long_as_the_practice_says() -> None:
    run = simulate(
        weeks=4,
        changes=idea_every(110),
        pipeline=GPU_JOBS,
        compute={"gpu": {"slots": 1, "provisioning_h": 50}},
        roadmap=[
            item(
                {
                    "compute.gpu.slots": 0,
                    "compute.gpu.max_slots": 9,
                    "compute.gpu.provisioning_h": 3,
                    "compute.gpu.release_after_h": 1,
                }
            )
        ],
    )
    begun = starts(run)
    assert (begun[330], begun[440], begun[550]) == (330, 443, 553)


@pytest.mark.parametrize("golden_path", [False, True])
def test_from_machines_of_each_team_to_those_of_all(golden_path: bool) -> None:
    run = simulate(
        weeks=4,
        teams={"team": {"count": 2, "people": {"data_scientist": 1}}},
        services={"service": {"team": "team", "golden_path": golden_path}},
        changes=idea_every(50),
        pipeline=GPU_JOBS,
        compute={"gpu": {"shared": False, "slots": 1, "release_after_h": 0}},
        roadmap=[item({"compute.gpu.shared": True, "compute.gpu.slots": 6})],
    )
    jobs = run.jobs[run.jobs["queued_at"] >= ADOPTED_H]
    assert set(jobs["pool"]) == {"shared/gpu"}
    assert (jobs["started_at"] == jobs["queued_at"]).all()
    # What waits begins at once; what runs in the old machines runs to its end.
    waiting = run.jobs[(run.jobs["queued_at"] < ADOPTED_H) & (run.jobs["started_at"] >= ADOPTED_H)]
    assert set(waiting["started_at"]) == {ADOPTED_H}
    assert capacity(run, "shared/gpu") == [0, 0, 6 * WEEK_H, 6 * WEEK_H]
    last = run.jobs[run.jobs["pool"] == "team/gpu"]["finished_at"].max()
    assert capacity(run, "team/gpu") == [WEEK_H, WEEK_H, last - ADOPTED_H, 0]


def test_from_machines_of_all_to_those_of_each_team() -> None:
    run = simulate(
        weeks=4,
        teams={"team": {"count": 2, "people": {"data_scientist": 1}}},
        services={"service": {"team": "team", "golden_path": False}},
        changes=idea_every(70),
        pipeline=GPU_JOBS,
        compute={"gpu": {"shared": True, "slots": 4, "release_after_h": 0}},
        roadmap=[item({"compute.gpu.shared": False, "compute.gpu.slots": 1})],
    )
    jobs = run.jobs[run.jobs["queued_at"] >= ADOPTED_H]
    assert set(jobs["pool"]) == {"team/gpu", "team-2/gpu"}
    assert capacity(run, "shared/gpu")[3] == 0
    assert capacity(run, "team-2/gpu") == [0, 0, WEEK_H, WEEK_H]


# When something comes of itself ---------------------------------------------------------------


def retrained_at(
    before: dict[str, Any],
    brings: dict[str, Any],
    training_h: float = 1,
    incidents: dict[str, Any] | None = None,
    **service: Any,
) -> list[float]:
    run = simulate(
        weeks=4,
        services={"service": {"team": "team", **service}},
        retraining=before,
        pipeline={
            "steps": {
                "train": {"run_h": training_h, "effect": "trains_model"},
                "deploy": {"effect": "deploys"},
            }
        },
        incidents=incidents or {},
        roadmap=[item(brings)],
    )
    return run.changes["created_at"].tolist()


NEVER = {"trigger": "none"}
EVERY_100_H = {"trigger": "schedule", "every_h": 100}
DECAYING = {
    "quality": {
        "initial": 0.9,
        "objective": 0.5,
        "decay": {"shape": "linear", "loss_per_week": 0.168},  # 0.001 an hour
    }
}


def test_from_no_retraining_to_a_schedule() -> None:
    brings = {"retraining.trigger": "schedule", "retraining.every_h": 150}
    assert retrained_at(NEVER, brings) == [486, 636]


BATCHES = {"data": {"interarrival_h": 20}}
EACH_BATCH = {"trigger": "new_data", "batches": 1}


@pytest.mark.parametrize(
    ("brings", "expected"),
    [
        # The training of 305 ends at 400, and by then has been followed by batches 320 to 400.
        ({"data_validation": 0.5}, [20, 115, 210, 305, 400, 495, 590]),
        ({"retraining.trigger": "none"}, [20, 115, 210, 305]),
        (
            {"retraining.trigger": "schedule", "retraining.every_h": 100},
            [20, 115, 210, 305, 436, 536],
        ),
        # Batches 320, 340 to 440, with those that came before the policy did; then 460 to 580.
        ({"retraining.batches": 7}, [20, 115, 210, 305, 440, 580]),
    ],
    ids=["the same policy", "none", "a schedule", "more batches"],
)
def test_what_new_data_asked_for_goes_with_the_policy(
    brings: dict[str, Any], expected: list[float]
) -> None:
    retrained = retrained_at(EACH_BATCH, brings, training_h=95, **BATCHES)
    assert [at for at in retrained if at < 620] == expected


@pytest.mark.parametrize(
    ("brings", "expected"),
    [
        ({"data_validation": 0.5}, [350]),
        ({"retraining.trigger": "none"}, []),
        ({"retraining.trigger": "schedule", "retraining.every_h": 250}, [586]),
        # It has drifted by that margin too, which is noticed at the adoption and 100 h later.
        ({"retraining.margin": 0.5}, [436]),
    ],
    ids=["the same policy", "none", "a schedule", "another margin"],
)
def test_drift_that_was_noticed_late_goes_with_the_policy(
    brings: dict[str, Any], expected: list[float]
) -> None:
    quality = DECAYING["quality"] | {"objective": 0.2}  # 0.9 - 0.001 an hour: later than the end
    drift = {"trigger": "drift", "margin": 0.45}  # from 250 on
    late = {"responses": {"model": {"role": "data_scientist", "notice_h": 100}}}
    assert retrained_at(drift, brings, incidents=late, quality=quality) == expected


def test_from_one_schedule_to_another() -> None:
    brings = {"retraining.every_h": 150}
    assert retrained_at(EVERY_100_H, brings) == [100, 200, 300, 486, 636]


def test_from_a_schedule_to_none() -> None:
    assert retrained_at(EVERY_100_H, {"retraining.trigger": "none"}) == [100, 200, 300]


def test_from_a_schedule_to_drift() -> None:
    brings = {"retraining.trigger": "drift", "retraining.margin": 0.2}
    # The model of 300 is 0.2 above the objective at 500, the one of 500 at 700: after the end.
    assert retrained_at(EVERY_100_H, brings, **DECAYING) == pytest.approx([100, 200, 300, 500])


def test_from_none_to_drift_that_is_there_already() -> None:
    brings = {"retraining.trigger": "drift", "retraining.margin": 0.2}
    found = retrained_at(NEVER, brings, **DECAYING)
    assert found == pytest.approx([ADOPTED_H, ADOPTED_H + 200])


def test_from_a_schedule_to_new_data() -> None:
    brings = {"retraining.trigger": "new_data", "retraining.batches": 3}
    found = retrained_at(EVERY_100_H, brings, data={"interarrival_h": 50})
    assert found[:3] == [100, 200, 300]
    assert len(found) > 4
    assert set(found[4:]) <= set(range(350, 672, 50))
    assert all(later - sooner == 150 for sooner, later in itertools.pairwise(found[3:]))


def test_from_new_data_to_a_schedule() -> None:
    before = {"trigger": "new_data", "batches": 2}
    brings = {"retraining.trigger": "schedule", "retraining.every_h": 100}
    found = retrained_at(before, brings, data={"interarrival_h": 60})
    assert found == [120, 240, 436, 536, 636]


def test_to_retraining_all_the_time_and_back() -> None:
    run = simulate(
        weeks=4,
        retraining=NEVER,
        pipeline={
            "steps": {
                "train": {"run_h": 50, "effect": "trains_model"},
                "deploy": {"effect": "deploys"},
            }
        },
        roadmap=[
            item({"retraining.trigger": "always_on"}, start_week=1),
            item({"retraining.trigger": "none"}, start_week=2),
        ],
    )
    assert run.changes["created_at"].tolist() == [168, 218, 268, 318]


def test_a_service_with_a_policy_of_its_own_keeps_it() -> None:
    brings = {"retraining.trigger": "schedule", "retraining.every_h": 50}
    assert retrained_at(NEVER, brings, retraining=EVERY_100_H) == [100, 200, 300, 400, 500, 600]


def test_improvements_attacks_and_breakdowns_begin_with_the_practice() -> None:
    run = simulate(
        weeks=4,
        automation=1,
        pipeline={"steps": {"test": {"role": "ml_engineer"}, "deploy": {"effect": "deploys"}}},
        roadmap=[
            item(
                {
                    "changes.improvement.interarrival_h": 130,
                    "threats.interarrival_h": 140,
                    "threats.succeeds": 1,
                    "upkeep.time_to_break_h": 150,
                    "upkeep.repair_h": 1,
                }
            )
        ],
    )
    assert run.changes["created_at"].tolist() == [466, 596]
    assert run.incidents["started_at"].tolist() == [476, 616]
    assert run.work["started_at"].tolist() == [486, 637]


def test_improvements_attacks_and_breakdowns_end_with_the_practice() -> None:
    run = simulate(
        weeks=6,
        automation=1,
        changes={"improvement": {"interarrival_h": 130}},
        threats={"interarrival_h": 130, "succeeds": 1},
        upkeep={"time_to_break_h": 129, "repair_h": 1},
        pipeline={"steps": {"test": {"role": "ml_engineer"}, "deploy": {"effect": "deploys"}}},
        roadmap=[
            item(
                {
                    "changes.improvement.interarrival_h": None,
                    "threats.interarrival_h": None,
                    "upkeep.time_to_break_h": None,
                }
            )
        ],
    )
    # The next one may have been under way; after that there are no more.
    assert run.changes["created_at"].tolist() in ([130, 260], [130, 260, 390])
    assert run.incidents["started_at"].tolist() in ([130, 260], [130, 260, 390])
    assert run.work["started_at"].tolist() in ([129, 259], [129, 259, 389])


def test_nothing_comes_twice_that_was_taken_up_again() -> None:
    run = simulate(
        weeks=8,
        changes={"improvement": {"interarrival_h": 400}},
        roadmap=[
            item({"changes.improvement.interarrival_h": None}, start_week=1),
            item({"changes.improvement.interarrival_h": 400}, start_week=2),
        ],
    )
    assert run.changes["created_at"].diff().dropna().min() >= 400


def test_ideas_come_at_the_new_pace() -> None:
    run = simulate(
        weeks=4,
        changes=idea_every(100),
        roadmap=[item({"changes.feature.interarrival_h": 50})],
    )
    later = run.changes["created_at"][run.changes["created_at"] > 401]
    assert set(later.diff().dropna()) == {50}


def test_on_the_golden_path_from_then_on() -> None:
    run = simulate(
        weeks=4,
        automation=1,
        teams={"team": {"count": 2, "people": {"ml_engineer": 1, "data_scientist": 1}}},
        shared_people={"platform": 1},
        changes=idea_every(160),
        pipeline={
            "environment_drift": 1,
            "steps": {"test": {"role": "ml_engineer"}, "deploy": {"effect": "deploys"}},
        },
        incidents={"responses": {"infra": {"role": "ml_engineer"}}},
        upkeep={"time_to_break_h": 99, "repair_h": 1},
        roadmap=[item({"standardization": 1})],
    )
    toil = run.work[run.work["activity"] == "toil"]
    sooner, later = toil[toil["started_at"] < ADOPTED_H], toil[toil["started_at"] >= ADOPTED_H]
    assert set(sooner["pool"]) == {"team/ml_engineer", "team-2/ml_engineer"}
    assert set(later["pool"]) == {"shared/platform"}
    # Environments differ off the path only: ideas of 160 and 320, and of 480 and 640.
    failed = run.deployments["failed"].groupby(run.deployments["deployed_at"]).agg(list)
    assert failed.to_dict() == {
        160: [True] * 2,
        320: [True] * 2,
        480: [False] * 2,
        640: [False] * 2,
    }


def test_environments_that_differ_no_longer() -> None:
    run = simulate(
        weeks=4,
        changes=idea_every(160),
        pipeline={"environment_drift": 1, "steps": {"deploy": {"effect": "deploys"}}},
        incidents={"responses": {"infra": {"role": "ml_engineer"}}},
        roadmap=[item({"pipeline.environment_drift": 0})],
    )
    assert run.deployments["failed"].tolist() == [True, True, False, False]


def test_debt_and_dependencies_and_rollbacks_by_the_new_rules() -> None:
    run = simulate(
        weeks=4,
        services={
            "base": {"team": "team", "time_to_outage_h": 200},
            "app": {"team": "team", "upstream": ["base"]},
        },
        changes=idea_every(160),
        pipeline={"steps": {"build": {"role": "ml_engineer"}, "deploy": {"effect": "deploys"}}},
        incidents={"responses": {"infra": {"role": "ml_engineer"}}},
        debt={"by_hand_h": 1},
        roadmap=[item({"debt.by_hand_h": 5, "dependencies.spreads": 1})],
    )
    debt = run.tables["debt"]
    assert debt[debt["service"] == "team.base"]["debt_h"].tolist() == [1, 2, 7, 12]
    assert run.incidents["started_at"].tolist() == [200, 400, 400, 600, 600]


def test_prices_hold_from_then_on() -> None:
    run = simulate(
        weeks=4,
        teams={"team": {"people": {"ml_engineer": 4, "data_scientist": 6}}},
        compute={"gpu": {"slots": 1}},
        cost={
            "person_per_h": 90,
            "compute_per_h": {"gpu": 3},
            "tools_per_person_week": {"cicd": 1},
        },
        roadmap=[
            item({"cost.compute_per_h.gpu": 5, "cost.tools_per_person_week.testing": 2}),
            item({"cost.tools_per_person_week.cicd": 4, "cost.person_per_h": 90}, start_week=3),
        ],
    )
    prices = run.tables["prices"]
    history = {
        str(item): list(zip(entries["since"], entries["price"], strict=True))
        for item, entries in prices.groupby("item", observed=True)
    }
    assert history["compute/gpu"] == [(0, 3), (ADOPTED_H, 5)]
    assert history["tools"] == [(0, 10), (ADOPTED_H, 30), (3 * WEEK_H, 60)]
    assert history["person/ml_engineer"] == [(0, 90)]


def test_one_adoption_after_the_other() -> None:
    run = simulate(
        weeks=5,
        changes=idea_every(100),
        pipeline={"steps": {"train": {"run_h": 40}, "deploy": {"effect": "deploys"}}},
        roadmap=[
            item({"pipeline.steps.train.run_h": 20}, start_week=2),
            item({"pipeline.steps.train.run_h": 10}, start_week=3),
        ],
    )
    run_h = run.steps[run.steps["step"] == "train"]["run_h"]
    assert run_h.tolist() == [40, 40, 40, 20, 20, 10, 10, 10]
    assert row(run.steps, 0)["run_h"] == 40


@pytest.mark.parametrize("back", [False, True])
def test_who_waits_moves_when_machines_are_shared_out(back: bool) -> None:
    week, apart = 168, {"compute.gpu.shared": False, "compute.gpu.slots": 10}
    roadmap = [item(apart, start_week=1)]
    if back:
        together = {"compute.gpu.shared": True, "compute.gpu.slots": 20}
        roadmap.append(item({**apart, "compute.gpu.slots": 1}, start_week=2))
        roadmap.append(item(together, start_week=3))
    run = simulate(
        weeks=4,
        changes=idea_every(30),
        pipeline={
            "steps": {
                "train": {"run_h": 100, "compute": "gpu"},
                "deploy": {"effect": "deploys"},
            }
        },
        compute={"gpu": {"shared": True, "slots": 1, "release_after_h": 0}},
        roadmap=roadmap,
    )
    begun = run.jobs.set_index("queued_at")["started_at"]
    # The first runs from 30 to 130, the second after it; the others wait for the new machines.
    assert (begun[30], begun[60]) == (30, 130)
    assert set(begun[[90, 120, 150]]) == {week}
    if back:
        assert begun.max() <= 4 * week
        waited = begun[(begun.index < 3 * week) & (begun >= 3 * week)]
        assert set(waited) == {3 * week}
        assert (begun[begun.index >= 3 * week] == begun.index[begun.index >= 3 * week]).all()
