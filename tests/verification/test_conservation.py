"""What flows in flows out, and nobody does two things at once: on the realized log, to rounding."""

import numpy as np
import pandas as pd
import pytest

import sim
from sim.scenario.organization import WorkingHours
from sim.world.build import build
from sim.world.calendar import Calendar
from sim.world.simulation import flush

WEEK_H = 168.0


def load(name: str) -> object:
    """Return a scenario of moderate length; nobody is on call, as that is work out of hours."""
    if name == "default":
        return sim.load("horizon_weeks=52", "warmup_weeks=0", "incidents.on_call=[]")
    if name == "overloaded":
        return sim.load(
            "horizon_weeks=30",
            "warmup_weeks=0",
            "incidents.on_call=[]",
            "teams.product.wip_limit=null",
            "shared_people.operations=1",
            "compute.gpu.slots=1",
            "compute.gpu.failures_per_h=0.05",
            "pipeline.steps.train.run_h.mean=40",
            "pipeline.steps.deploy.effort_h.mean=20",
        )
    return sim.load("horizon_weeks=30", "warmup_weeks=0", config=f"verification/{name}")


@pytest.fixture(
    scope="module", params=["default", "overloaded", "mm1", "mmc", "tandem", "priorities"]
)
def run(request: pytest.FixtureRequest) -> sim.Run:
    return sim.simulate(load(request.param), seed=3)


def number_over_time(begins: pd.Series, ends: pd.Series, end_h: float) -> float:
    """Return the time-average of how many have begun and not ended, by adding up the steps."""
    times = np.concatenate([begins, ends])
    change = np.concatenate([np.ones(len(begins)), -np.ones(len(ends))])
    order = np.argsort(times, kind="stable")
    times, number = np.append(times[order], end_h), np.cumsum(change[order])
    return float((number * np.diff(times)).sum() / end_h)


@pytest.mark.parametrize("table", ["work", "jobs"])
def test_littles_law_holds_for_every_queue(run: sim.Run, table: str) -> None:
    end_h = run.window[1]
    for _, rows in run.tables[table].groupby("pool", observed=True):
        queued = rows["queued_at"].to_numpy()
        started = rows["started_at"].fillna(end_h).to_numpy()
        arrival_rate, mean_wait = len(rows) / end_h, (started - queued).mean()
        assert (started >= queued).all()
        in_queue = number_over_time(queued, started, end_h)
        assert in_queue == pytest.approx(arrival_rate * mean_wait, rel=1e-9, abs=1e-9)


@pytest.mark.parametrize(
    "name", ["default", pytest.param("overloaded", marks=pytest.mark.slow), "priorities"]
)
def test_the_log_tells_what_the_pools_hold_at_any_time(name: str) -> None:
    """The queue that the log implies is the queue that there is: looked at during the run."""
    organization = build(load(name), seed=3, replication=0)
    seen = []
    for at in np.arange(3.711, 20 * WEEK_H, 13.7):
        organization.env.run(until=at)
        pools = [*organization.people, *organization.compute.values()]
        seen += [(pool.name, at, len(pool._waiting), len(pool._running)) for pool in pools]
    flush(organization)
    tables = organization.log.to_frames()
    rows = pd.concat([tables["work"], tables["jobs"]])
    times = {
        name: of_pool[["queued_at", "started_at", "finished_at"]].to_numpy(float).T
        for name, of_pool in rows.groupby(rows["pool"].astype(str))
    }
    for name, at, waiting, running in seen:
        # A pool that nobody ever waited for has no rows.
        queued, started, finished = times.get(name, np.empty((3, 0))) <= at
        assert waiting == (queued & ~started).sum()
        assert running == (queued & started & ~finished).sum()


def test_people_busy_and_idle_add_up_to_their_hours(run: sim.Run) -> None:
    scenario, end_h = run.scenario, run.window[1]
    capacity = run.tables["capacity"]
    for pool, stints in run.work.dropna(subset="started_at").groupby("pool", observed=True):
        role = stints["role"].iloc[0]
        calendar = Calendar(scenario.working_hours_of.get(role, scenario.working_hours))
        available_h = capacity[capacity["pool"] == pool]["available_h"].sum()
        headcount = round(available_h / (calendar.weekly * scenario.horizon_weeks))
        idle_h = (headcount - stints["person"].nunique()) * calendar.worked(0, end_h)
        for _, own in stints.groupby("person"):
            begins = own["started_at"].to_numpy()
            ends = own["finished_at"].fillna(end_h).to_numpy()
            order = np.argsort(begins, kind="stable")
            begins, ends = begins[order], ends[order]
            assert (begins[1:] >= ends[:-1]).all(), "does two things at once"
            gaps = zip(np.append(0.0, ends), np.append(begins, end_h), strict=True)
            idle_h += sum(calendar.worked(start, end) for start, end in gaps)
        assert stints["effort_h"].sum() + idle_h == pytest.approx(available_h, rel=1e-9)


def test_compute_busy_and_idle_add_up_to_its_hours(run: sim.Run) -> None:
    end_h = run.window[1]
    capacity = run.tables["capacity"]
    for pool, jobs in run.jobs.dropna(subset="started_at").groupby("pool", observed=True):
        available_h = capacity[capacity["pool"] == pool]["available_h"].sum()
        idle_h = available_h - jobs["slot"].nunique() * end_h
        for _, own in jobs.groupby("slot"):
            own = own.sort_values(["started_at", "finished_at"])
            begins, ends = own["started_at"].to_numpy(), own["finished_at"].fillna(end_h).to_numpy()
            assert (begins[1:] >= ends[:-1]).all(), "two jobs in one slot"
            idle_h += (np.append(begins, end_h) - np.append(0.0, ends)).sum()
        busy_h = (jobs["finished_at"].fillna(end_h) - jobs["started_at"]).sum()
        assert busy_h + idle_h == pytest.approx(available_h, rel=1e-9)


def test_working_hours_are_those_of_the_scenario() -> None:
    run = sim.simulate(load("default"), seed=3)
    hours = WorkingHours(focus=0.7)
    calendar = Calendar(hours)
    for stint in run.work.dropna(subset=["started_at", "finished_at"]).itertuples():
        assert calendar.is_open(stint.started_at)
        worked = calendar.worked(stint.started_at, stint.finished_at)
        assert worked == pytest.approx(stint.effort_h, abs=1e-8)
