"""The three-stage tandem network: cost of each way to simulate it, and that all simulate it.

Run with ``pytest benchmarks -n 0``; the table of ratios goes to the terminal. Nothing here fails
for being slow on its own: only ratios measured in the same run are judged.
"""

from collections.abc import Callable
from functools import cache, partial

import ciw_tandem
import numpy as np
import pandas as pd
import pytest
import raw_simpy_tandem
from pytest_benchmark.fixture import BenchmarkFixture
from ratios import compare
from scipy import stats

import sim

MEAN_INTERARRIVAL_H = 1.0
MEAN_SERVICE_H = (0.5, 0.7, 0.6)
WEEK_H = 168.0


_load = cache(sim.load)


def _simulate(weeks: int, seed: int) -> pd.DataFrame:
    scenario = _load(f"horizon_weeks={weeks}", "warmup_weeks=0", config="verification/tandem")
    return sim.simulate(scenario, seed).steps


WAYS: dict[str, Callable[[int, int], pd.DataFrame]] = {
    "raw SimPy": lambda weeks, seed: raw_simpy_tandem.simulate(
        MEAN_INTERARRIVAL_H, MEAN_SERVICE_H, weeks * WEEK_H, seed
    ),
    "mldelivery": _simulate,
    "Ciw": lambda weeks, seed: ciw_tandem.simulate(
        MEAN_INTERARRIVAL_H, MEAN_SERVICE_H, weeks * WEEK_H, seed
    ),
}


@pytest.mark.parametrize("way", WAYS)
def test_mean_waits_match_the_closed_form(way: str) -> None:
    # Burke's theorem: the departures of an M/M/1 queue are Poisson, so every stage is an M/M/1
    # queue of its own, in which the mean wait is rho / (1 - rho) times the mean service.
    warmup_h = 4 * WEEK_H
    waits = []
    for seed in range(10):
        steps = WAYS[way](40, seed)
        steps = steps[steps["queued_at"] >= warmup_h]
        wait_h = steps["started_at"] - steps["queued_at"]
        waits.append(wait_h.groupby(steps["step"]).mean().to_numpy())
    service_h = np.array(MEAN_SERVICE_H)
    rho = service_h / MEAN_INTERARRIVAL_H
    error = np.array(waits) - rho / (1 - rho) * service_h
    # One chance in a thousand, over the three stages, that a right program fails.
    half_width = stats.t.ppf(1 - 0.001 / 6, df=len(waits) - 1) * stats.sem(error)
    assert (np.abs(error.mean(axis=0)) < half_width).all()


@pytest.mark.benchmark(group="three-stage tandem, 52 weeks")
@pytest.mark.parametrize("way", WAYS)
def test_tandem(benchmark: BenchmarkFixture, way: str) -> None:
    benchmark.pedantic(WAYS[way], args=(52, 1), rounds=5, warmup_rounds=1)


def test_ratios(pytestconfig: pytest.Config, capsys: pytest.CaptureFixture[str]) -> None:
    if pytestconfig.getoption("benchmark_disable"):
        pytest.skip("ratios are measured only where benchmarks are")
    table = compare({name: partial(run, 52, 1) for name, run in WAYS.items()})
    with capsys.disabled():
        print(f"\n\nThree-stage tandem network, 52 weeks\n{table.round(3).to_string()}")
    # The smallest times: load from elsewhere can only add to them.
    ratio = table["minimum_ratio"]
    assert ratio["mldelivery"] <= 2
    assert ratio["mldelivery"] < ratio["Ciw"]
