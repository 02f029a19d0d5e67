"""What must not grow faster than the run: cost under overload, and memory.

Run with ``pytest benchmarks -n 0``; the tables go to the terminal.
"""

import subprocess
import sys
import time
from functools import partial
from math import ceil

import numpy as np
import pandas as pd
import pytest
import simpy
from ratios import compare

import sim
from sim.scenario.organization import Scenario
from sim.world.build import build
from sim.world.simulation import simulate as simulate_world

ARRIVALS_PER_WEEK = 168


def overloaded(weeks: int) -> int:
    """Simulate one person who gets twice the work that fits; return how many changes wait."""
    scenario = sim.load(
        f"horizon_weeks={weeks}",
        "warmup_weeks=0",
        "changes.feature.interarrival_h.mean=1",
        "pipeline.steps.serve.effort_h.mean=2",
        config="verification/mm1",
    )
    work = sim.simulate(scenario, seed=1).work
    return int(work["started_at"].isna().sum())


def overloaded_in_simpy(weeks: int) -> None:
    """Do the same with SimPy's own priority resource."""
    env = simpy.Environment()
    server = simpy.PriorityResource(env)
    random = np.random.default_rng(1)

    def change() -> object:
        with server.request(priority=3) as request:
            yield request
            yield env.timeout(random.exponential(2.0))

    def arrivals() -> object:
        while True:
            yield env.timeout(random.exponential(1.0))
            env.process(change())

    env.process(arrivals())
    env.run(until=weeks * 168.0)


def test_overload_is_not_quadratic(
    pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    if pytestconfig.getoption("benchmark_disable"):
        pytest.skip("ratios are measured only where benchmarks are")
    lengths = (15, 30, 60, 120)
    waiting = {weeks: overloaded(weeks) for weeks in lengths}
    assert waiting[120] >= 10_000
    ways = {"mldelivery": overloaded, "simpy.PriorityResource": overloaded_in_simpy}
    table = pd.DataFrame({"waiting": waiting})
    for name, way in ways.items():
        seconds = compare({f"{weeks}": partial(way, weeks) for weeks in lengths}, 3)["minimum_s"]
        table[name] = [1e6 * seconds[f"{w}"] / (w * ARRIVALS_PER_WEEK) for w in lengths]
    with capsys.disabled():
        print(f"\n\nCost of a change in an overloaded queue, in us\n{table.round(1).to_string()}")
    # Eight times the changes, eight times the queue: quadratic would cost eight times as much each.
    assert table["mldelivery"].iloc[-1] < 2 * table["mldelivery"].iloc[0]


MEMORY = """
import sys
import sim
run = sim.simulate(sim.load("horizon_weeks=" + sys.argv[1], "warmup_weeks=0"), seed=1)
rows = sum(len(table) for table in run.tables.values())
status = dict(line.split(":", 1) for line in open("/proc/self/status"))
print(rows, 1024 * int(status["VmHWM"].split()[0]))
"""


def test_memory_grows_linearly_in_the_logged_rows(
    pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    if pytestconfig.getoption("benchmark_disable"):
        pytest.skip("memory is measured only where benchmarks are")
    if not sys.platform.startswith("linux"):
        pytest.skip("the peak memory of a process is read from Linux's /proc")
    rows = []
    for weeks in (104, 416, 832, 1664):
        output = subprocess.run(
            [sys.executable, "-c", MEMORY, str(weeks)], capture_output=True, text=True, check=True
        ).stdout
        rows.append([weeks, *map(int, output.split())])
    table = pd.DataFrame(rows, columns=["weeks", "rows", "peak_bytes"])
    slope = table["peak_bytes"].diff() / table["rows"].diff()
    table["bytes_per_further_row"] = slope.round()
    with capsys.disabled():
        print(f"\n\nPeak memory of a run and its tables\n{table.to_string(index=False)}")
    assert slope.iloc[-1] <= 300


def test_throughput_of_the_default_organization(
    pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    if pytestconfig.getoption("benchmark_disable"):
        pytest.skip("throughput is measured only where benchmarks are")
    scenario = sim.load()
    seconds = []
    for replication in range(6):
        begun = time.perf_counter()
        run = sim.simulate(scenario, seed=1, replication=replication)
        seconds.append(time.perf_counter() - begun)
    organization = build(scenario, seed=1, replication=replication)
    organization.env.run(until=run.window[1])
    events = next(organization.env._eid)
    rows = sum(len(table) for table in run.tables.values())
    years, best = scenario.horizon_weeks / 52, min(seconds)
    with capsys.disabled():
        print(
            f"\n\nDefault organization: {years / best:.1f} organization-years per second, "
            f"{events / best:,.0f} SimPy events per second, {rows / best:,.0f} rows per second, "
            f"{1e6 * best / rows:.1f} us a row"
        )
    assert events > rows / 2 > 0


def grown(teams: int, weeks: int, *overrides: str) -> Scenario:
    """Return the default organization with so many teams, and as many more for all of them."""
    return sim.load(
        f"teams.product.count={teams}",
        f"shared_people.operations={ceil(teams * 2 / 3)}",
        f"shared_people.security={ceil(teams / 3)}",
        f"compute.gpu.slots={ceil(teams / 3)}",
        f"compute.ci.slots={ceil(teams * 2 / 3)}",
        f"horizon_weeks={weeks}",
        "warmup_weeks=0",
        *overrides,
    )


def test_cost_of_a_row_does_not_depend_on_services_or_years(
    pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]
) -> None:
    if pytestconfig.getoption("benchmark_disable"):
        pytest.skip("ratios are measured only where benchmarks are")
    alone = ("services.model.upstream=[]", "~services.embedding")
    scenarios = {
        "1 service, 1 year": grown(1, 52, *alone),
        "10 services, 1 year": grown(5, 52),
        "100 services, 1 year": grown(50, 52),
        "10 services, 3 years": grown(5, 156),
        "10 services, 10 years": grown(5, 520),
    }
    rows = {
        name: sum(len(table) for table in sim.simulate(scenario, seed=1).tables.values())
        for name, scenario in scenarios.items()
    }
    ways = {name: partial(simulate_world, scenario, 1) for name, scenario in scenarios.items()}
    table = compare(ways, 3)[["minimum_s"]]
    table["rows"] = rows
    table["us_per_row"] = 1e6 * table["minimum_s"] / table["rows"]
    table["ratio"] = table["us_per_row"] / table["us_per_row"].iloc[1]
    with capsys.disabled():
        print(f"\n\nCost of a logged row\n{table.round(2).to_string()}")
    by_services = [name for name in scenarios if name.endswith("1 year")]
    by_years = [name for name in scenarios if name.startswith("10 ")]
    for dimension in (by_services, by_years):
        cost = table.loc[dimension, "us_per_row"]
        middle = (cost.min() + cost.max()) / 2
        assert (cost / middle).between(0.8, 1.2).all(), f"the cost of a row varies: {cost}"
