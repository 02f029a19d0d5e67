"""Whoever invests does not deliver: touch + incidents + toil + investment + idle = capacity."""

from math import inf

import numpy as np
import pytest

import sim
from sim.scenario.roadmap import stages
from sim.world.calendar import Calendar

WEEK_H = 168.0
ROADMAP = """roadmap=[
  {practice: cicd, level: full, start_week: 8, effort_h: {ml_engineer: 60, operations: 30},
   learning_weeks: 8, learning_slowdown: 0.3},
  {practice: collaboration, level: full, start_week: 12, effort_h: {data_scientist: 20}},
  {practice: platform, level: full, start_week: 16, effort_h: {operations: 20}},
  {practice: compute, level: autoscaled, start_week: 20, effort_h: {ml_engineer: 10}}]
"""
OTHERS = ("horizon_weeks=40", "warmup_weeks=0", "incidents.on_call=[]", "threats.succeeds=0.5")


@pytest.fixture(scope="module", params=["midsize", pytest.param("scaleup", marks=pytest.mark.slow)])
def run(request: pytest.FixtureRequest) -> sim.Run:
    roadmap = " ".join(ROADMAP.split())
    scenario = sim.load(
        f"organization={request.param}", *OTHERS, "upkeep.time_to_break_h.mean=800", roadmap
    )
    return sim.simulate(scenario, seed=3)


def test_all_kinds_of_work_occur(run: sim.Run) -> None:
    activities = set(run.work["activity"])
    assert {"incident", "remediation", "toil", "investment", "feature", "improvement"} <= activities
    adopted = run.tables["investments"]["adopted_at"]
    assert len(adopted) == 4
    assert (adopted < 36 * WEEK_H).all()


def test_what_people_do_and_do_not_do_adds_up_to_their_hours(run: sim.Run) -> None:
    """Idle time is what fits between stints, by the calendar that held then."""
    scenario, end_h = run.scenario, run.window[1]
    since = [0.0, *run.tables["investments"]["adopted_at"].tolist()]
    until = [*since[1:], inf]
    focus = [stage.working_hours.focus for stage in (scenario, *stages(scenario))]
    assert len(set(focus)) == 2  # a practice of the roadmap costs meetings
    assert not scenario.working_hours_of
    calendars = [Calendar(stage.working_hours) for stage in (scenario, *stages(scenario))]

    def worked(start: float, end: float) -> float:
        pieces = zip(since, until, calendars, strict=True)
        return sum(
            calendar.worked(max(start, begin), min(end, stop))
            for begin, stop, calendar in pieces
            if max(start, begin) < min(end, stop)
        )

    capacity = run.tables["capacity"]
    capacity = capacity[capacity["people"]]
    for pool, days in capacity.groupby("pool", observed=True):
        stints = run.work[(run.work["pool"] == pool)].dropna(subset="started_at")
        available_h = days["available_h"].sum()
        headcount = round(days["paid_h"].iloc[0] / 8)
        assert available_h == pytest.approx(headcount * worked(0, end_h), rel=1e-9)
        assert days["paid_h"].sum() == pytest.approx(40 * headcount * scenario.horizon_weeks)
        idle_h = (headcount - stints["person"].nunique()) * worked(0, end_h)
        for _, own in stints.groupby("person"):
            begins = own["started_at"].to_numpy()
            ends = own["finished_at"].fillna(end_h).to_numpy()
            order = np.lexsort((ends, begins))
            begins, ends = begins[order], ends[order]
            assert (begins[1:] >= ends[:-1]).all(), "does two things at once"
            gaps = zip(np.append(0.0, ends), np.append(begins, end_h), strict=True)
            idle_h += sum(worked(start, end) for start, end in gaps if end > start)
        by_activity = stints.groupby("activity", observed=True)["effort_h"].sum()
        assert by_activity.sum() + idle_h == pytest.approx(available_h, rel=1e-9)


def test_investment_takes_the_hours_that_the_roadmap_says(run: sim.Run) -> None:
    invested = run.work[run.work["activity"] == "investment"]
    by_pool = invested.groupby("pool", observed=True)["effort_h"].sum()
    wanted: dict[str, float] = {}
    for item in run.scenario.roadmap:
        for role, effort_h in item.effort_h.items():
            wanted[role] = wanted.get(role, 0) + effort_h
    pools = run.tables["capacity"].drop_duplicates("pool").set_index("pool")["resource"]
    expected = {pool: wanted[role] for pool, role in pools.items() if role in wanted}
    assert by_pool.to_dict() == pytest.approx(expected)


def test_the_metrics_say_the_same(run: sim.Run) -> None:
    metrics = run.metrics()
    parts = ("delivery", "incident_work", "toil", "investment", "idle")
    total = sum(metrics[f"{part}_h_per_week"] for part in parts)
    assert total == pytest.approx(metrics["capacity_h_per_week"], rel=1e-9)
    assert metrics["investment_h_per_week"] > 0
