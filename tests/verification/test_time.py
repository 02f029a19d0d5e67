"""Time in random small organizations: they end, work stays within hours, and hours add up.

Openings, closings, windows and durations are drawn by the minute, in tenths of an hour and as
arbitrary floats, and many of them are constants, so that much happens at the same instant.
"""

import random
from itertools import pairwise
from secrets import randbelow
from typing import Any

import numpy as np
import pytest

import sim
from sim.kernel.ticks import snap, to_ticks
from sim.metrics.effort import effort_by_role
from sim.metrics.utilization import utilization
from sim.scenario.from_data import validate
from sim.scenario.organization import DAYS, WorkingHours
from sim.world.simulation import simulate as simulate_world

TICKS_PER_H = 3_600_000_000
DAY = 24 * TICKS_PER_H
WEEK_H = 168.0


def mini(weeks: int = 2, **parts: Any) -> dict[str, Any]:
    """Return a small organization of constants that has every kind of wait."""
    scenario = {
        "name": "mini",
        "horizon_weeks": weeks,
        "working_hours": {"always": True},
        "teams": {"team": {"people": {"ml_engineer": 1, "operations": 1}}},
        "services": {"service": {"team": "team"}},
        "changes": {"feature": {"author": "ml_engineer", "arrivals": "open", "interarrival_h": 10}},
        "pipeline": {
            "steps": {
                "build": {"role": "ml_engineer", "effort_h": 1},
                "deploy": {"role": "operations", "effort_h": 1, "effect": "deploys"},
            }
        },
    }
    return {**scenario, **parts}


# Openings and closings --------------------------------------------------------------------------


@pytest.mark.parametrize("digits", [16, 10])
def test_every_opening_on_five_minutes_is_met(digits: int) -> None:
    scenario = validate(mini(1))
    for minutes in range(0, 24 * 60, 5):
        opens = round(minutes / 60, digits)
        hours = WorkingHours(opens=opens, closes=24.0)
        log = simulate_world(scenario.model_copy(update={"working_hours": hours}), seed=1)
        # The idea of Monday 10:00 is built at the opening of that day, or at once.
        assert log.work.to_frame()["started_at"].min() == max(10.0, snap(opens))


@pytest.mark.parametrize("opens", [8.4, 8.2, 8.3333333333, 9.1])
def test_an_opening_that_never_ended_once(opens: float) -> None:
    run = sim.simulate(validate(mini(working_hours={"opens": opens})), seed=1)
    # The ideas of 20 and 30 are built on Tuesday morning, one after the other.
    assert run.work["started_at"].tolist()[2:4] == pytest.approx([24 + opens, 25 + opens])


def test_with_a_closing_in_tenths_of_an_hour_no_work_begins_at_closing() -> None:
    changes = {"feature": {"author": "ml_engineer", "arrivals": "open", "interarrival_h": 17.1}}
    run = sim.simulate(validate(mini(changes=changes, working_hours={"closes": 17.1})), seed=1)
    assert run.work["started_at"].iloc[0] == 33


# What people do in any window -------------------------------------------------------------------


@pytest.fixture(scope="module")
def busy_author() -> sim.Run:
    """An author with a full backlog of explorations of 37 h, and somebody for the steps."""
    backlog = {"feature": {"author": "ml_engineer", "exploration_h": 37}}
    return sim.simulate(validate(mini(6, changes=backlog, working_hours={})), seed=1)


@pytest.mark.parametrize("weeks", [(0, 1), (2, 6), (0, 6), (1, 2), (3, 5)])
def test_an_author_with_a_full_backlog_has_no_idle_time(
    busy_author: sim.Run, weeks: tuple[int, int]
) -> None:
    """It was 1.25 and -10 h a week in week 0, and 0.943 in weeks 2 to 5."""
    window = (weeks[0] * WEEK_H, weeks[1] * WEEK_H)
    assert utilization(busy_author.tables, window)["utilization_ml_engineer"] == pytest.approx(
        1.0, abs=1e-12
    )
    effort = effort_by_role(busy_author.tables, window).loc["ml_engineer"]
    assert effort["capacity_h_per_week"] == pytest.approx(40)
    assert effort["delivery_h_per_week"] == pytest.approx(40)
    assert effort["idle_h_per_week"] == 0.0


def test_a_night_takes_nothing_of_a_stint(busy_author: sim.Run) -> None:
    """From Monday 16:00 to Tuesday 10:00 there are two working hours, and the author's are full."""
    effort = effort_by_role(busy_author.tables, (16.0, 34.0)).loc["ml_engineer"]
    assert effort["delivery_h_per_week"] * 18 / 168 == pytest.approx(2)
    assert effort["capacity_h_per_week"] * 18 / 168 == pytest.approx(2)
    night = effort_by_role(busy_author.tables, (17.0, 33.0)).loc["ml_engineer"]
    assert (night == 0.0).all()


# Random organizations ---------------------------------------------------------------------------


def hour_of_the_day(draw: random.Random, low: float, high: float) -> float:
    """Return a time between two, by the minute, in tenths of an hour, or any float."""
    hour = draw.uniform(low, high)
    how = draw.choice(["minute", "tenth", "digits", "float"])
    if how == "minute":
        return min(high, round(hour * 60) / 60)
    if how == "tenth":
        return min(high, round(hour, 1))
    return min(high, round(hour, 4)) if how == "digits" else hour


def working_hours(draw: random.Random) -> dict[str, Any]:
    opens = hour_of_the_day(draw, 0, 22)
    closes = hour_of_the_day(draw, opens + 0.5, 24)
    focus = draw.choice([1.0, 0.7, 0.9, draw.uniform(0.2, 1)])
    if draw.random() < 0.1:
        return {"always": True, "focus": focus}
    if draw.random() < 0.1:
        opens, closes = 0, 24  # work goes on over midnight
    days = draw.sample(DAYS, draw.randint(1, 7))
    return {"days": days, "opens": opens, "closes": closes, "focus": focus}


def duration(draw: random.Random, mean_h: float) -> Any:
    """Return a duration: most are constants, in hours, tenths or minutes."""
    drawn_h = draw.uniform(0.1, 2) * mean_h
    if draw.random() < 0.2:
        return {"dist": "exponential", "mean": drawn_h}
    return max(0.1, draw.choice([round(drawn_h), round(drawn_h, 1), round(drawn_h * 60) / 60]))


def window(draw: random.Random) -> dict[str, Any]:
    days = draw.sample(DAYS, draw.randint(1, 5))
    hour = min(hour_of_the_day(draw, 0, 23.9), 23.9)
    return {"days": days, "hour": hour, "every_weeks": draw.randint(1, 2)}


def organization(draw: random.Random) -> dict[str, Any]:
    """Return a random small organization in which nearly every rule of time is at work."""
    closed = draw.random() < 0.5
    feature = {"author": "data_scientist", "exploration_h": duration(draw, 20)}
    if not closed:
        feature |= {"arrivals": "open", "interarrival_h": duration(draw, 30)}
    roles = ["data_scientist", "ml_engineer", "operations"]
    response = {
        "monitored": draw.random(),
        "alert_h": draw.choice([0, duration(draw, 1)]),
        "notice_h": duration(draw, 10),
        "diagnosis_h": duration(draw, 3),
        "repair_h": duration(draw, 3),
    }
    slots = draw.randint(0, 2)
    steps: dict[str, Any] = {
        "train": {"run_h": duration(draw, 8), "compute": "gpu", "effect": "trains_model"},
        "review": {"role": "ml_engineer", "effort_h": duration(draw, 3)},
        "approve": {"role": "operations", "effort_h": duration(draw, 0.5), "window": window(draw)},
        "deploy": {"role": "operations", "effort_h": duration(draw, 1), "effect": "deploys"},
    }
    if draw.random() < 0.5:
        steps["deploy"]["window"] = window(draw)
    return mini(
        draw.randint(2, 5),
        working_hours=working_hours(draw),
        working_hours_of={role: working_hours(draw) for role in roles if draw.random() < 0.4},
        interrupting=draw.choice([["incident"], ["incident", "remediation"], []]),
        teams={"team": {"people": {role: draw.randint(1, 3) for role in roles}}},
        compute={
            "gpu": {
                "slots": slots,
                "max_slots": draw.randint(max(1, slots), 3),
                "provisioning_h": duration(draw, 1),
                "release_after_h": draw.choice([0, 1, 2.5]),
                "preemptions_per_h": draw.choice([0, 0.05]),
                "checkpoint_every_h": draw.choice([None, 0.1, 1]),
            }
        },
        services={
            "service": {
                "team": "team",
                "count": draw.randint(1, 2),
                "time_to_outage_h": duration(draw, 60),
                "quality": {
                    "initial": 0.9,
                    "objective": 0.8,
                    "decay": {"shape": "linear", "loss_per_week": draw.choice([0.01, 0.168])},
                },
                "retraining": draw.choice(
                    [
                        {"trigger": "none"},
                        {"trigger": "schedule", "every_h": duration_h(draw)},
                        {"trigger": "drift", "margin": 0.01},
                    ]
                ),
            }
        },
        changes={
            "feature": feature,
            "improvement": {
                "author": "ml_engineer",
                "interarrival_h": duration(draw, 60),
                "effort_h": duration(draw, 10),
            },
        },
        pipeline={"steps": steps, "handoff_in_team": {"delay_h": draw.choice([0, 0.1, 1])}},
        incidents={
            "on_call": draw.choice([[], ["operations"]]),
            "page_h": draw.choice([0, 0.1]),
            "responses": {"infra": response, "model": {**response, "role": "data_scientist"}},
        },
    )


def duration_h(draw: random.Random) -> float:
    return draw.choice([24.0, 12.1, round(draw.uniform(10, 200) * 60) / 60])


def working_ticks(hours: WorkingHours, start: int, end: int) -> int:
    """Return the working time between two instants, by walking the days."""
    if hours.always:
        return max(0, end - start)
    opens, closes = to_ticks(hours.opens), to_ticks(hours.closes)
    return sum(
        max(0, min(end, DAY * day + closes) - max(start, DAY * day + opens))
        for day in range(start // DAY, end // DAY + 1)
        if DAYS[day % 7] in hours.days
    )


def check(draw: random.Random) -> None:
    """Simulate a random organization and look at the time of its people and machines."""
    scenario = validate(organization(draw))
    run = sim.simulate(scenario, seed=draw.randrange(2**32))
    end = to_ticks(run.window[1])
    team = scenario.teams["team"].people
    hours_of = {role: scenario.working_hours_of.get(role, scenario.working_hours) for role in team}
    stints: dict[str, list[tuple[int, int, bool]]] = {role: [] for role in team}
    work = run.work.dropna(subset="started_at")
    for stint in work.itertuples():
        hours = hours_of[stint.role]
        start = to_ticks(stint.started_at)
        assert snap(stint.started_at) == stint.started_at
        stop = end if np.isnan(stint.finished_at) else to_ticks(stint.finished_at)
        stints[stint.role].append((start, stop, stint.around_the_clock))
        if stint.around_the_clock:
            assert stint.role in scenario.incidents.on_call
            assert stint.effort_h * TICKS_PER_H == pytest.approx(stop - start, abs=1)
            continue
        worked = working_ticks(hours, start, stop)
        assert stint.effort_h / hours.focus * TICKS_PER_H == pytest.approx(worked, abs=1)
        assert working_ticks(hours, start, start + 1) == 1, "begun outside working hours"
        if stint.outcome == "finished":  # closing time included: the moment before is worked
            assert working_ticks(hours, stop - 1, stop) == 1, "ended outside working hours"
    # Who is interrupted has something left to do, at once: it is handed in again.
    for (_, row), (_, following) in pairwise(
        work[work["change_id"].notna()].sort_values(["change_id", "queued_at"]).iterrows()
    ):
        if row["outcome"] == "interrupted" and row["change_id"] == following["change_id"]:
            assert following["effort_h"] > 0 or following["outcome"] != "finished"

    for _ in range(8):
        edges = sorted(hour_of_the_day(draw, 0, run.window[1]) for _ in range(2))
        if edges[1] - edges[0] < 0.01:
            continue
        opens, closes = (to_ticks(edge) for edge in edges)
        window = (snap(edges[0]), snap(edges[1]))
        by_role = effort_by_role(run.tables, window) * (window[1] - window[0]) / WEEK_H
        busy = utilization(run.tables, window)
        assert by_role.index.tolist() == list(team)
        for role, hours in hours_of.items():
            available = team[role] * working_ticks(hours, opens, closes) * hours.focus
            done = sum(
                max(0, min(stop, closes) - max(start, opens))
                if on_call
                else working_ticks(hours, max(start, opens), min(stop, closes)) * hours.focus
                for start, stop, on_call in stints[role]
                if start < closes and stop > opens
            )
            row = by_role.loc[role]
            assert row["capacity_h_per_week"] == pytest.approx(available / TICKS_PER_H, abs=1e-7)
            parts = row.drop("capacity_h_per_week")
            assert parts.sum() == pytest.approx(available / TICKS_PER_H, abs=1e-7)
            assert row["idle_h_per_week"] == pytest.approx(
                (available - done) / TICKS_PER_H, abs=1e-7
            )
            if available > 0:
                assert busy[f"utilization_{role}"] == pytest.approx(done / available, abs=1e-7)
            if role not in scenario.incidents.on_call:
                assert row["idle_h_per_week"] >= -1e-7
                assert not busy[f"utilization_{role}"] > 1 + 1e-7
        assert not busy["utilization_gpu"] > 1 + 1e-9


@pytest.mark.parametrize("seed", range(25))
def test_time_in_a_small_organization(seed: int) -> None:
    check(random.Random(seed))


@pytest.mark.slow
def test_time_in_many_small_organizations() -> None:
    seed = randbelow(2**32)
    for number in range(400):
        print(f"organization {seed + number}")  # shown if it fails: check(random.Random(it))
        check(random.Random(seed + number))
