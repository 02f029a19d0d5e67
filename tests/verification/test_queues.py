"""Queues with known means, each written as an ordinary scenario."""

from math import factorial

import numpy as np
import pytest
from replications import assert_agrees, observe

import sim

SERVICE_H = 1.0


def erlang_c(servers: int, load: float) -> float:
    """Return the probability of waiting in M/M/c with ``load`` Erlang (Erlang 1917)."""
    all_busy = load**servers / factorial(servers) * servers / (servers - load)
    return all_busy / (sum(load**k / factorial(k) for k in range(servers)) + all_busy)


def waits_and_queue(run: sim.Run) -> tuple[float, float]:
    """Return the mean wait in h and the time-averaged number waiting, after the warm-up."""
    start, end = run.window
    steps = run.steps
    arrived = (steps["queued_at"] >= start) & (steps["queued_at"] < end)
    waited = steps["people_h"][arrived].mean()
    work = run.work
    left_queue = work["started_at"].fillna(end).clip(start, end)
    queued = (left_queue - work["queued_at"].clip(start, end)).sum() / (end - start)
    return waited, queued


# The busier a queue, the longer it takes until its mean wait is known well.
@pytest.mark.parametrize(
    ("utilization", "weeks"), [(0.5, 60), pytest.param(0.8, 110, marks=pytest.mark.slow)]
)
def test_mm1(utilization: float, weeks: int) -> None:
    gap = SERVICE_H / utilization
    scenario = sim.load(
        f"changes.feature.interarrival_h.mean={gap}",
        f"horizon_weeks={weeks}",
        config="verification/mm1",
    )
    wait = utilization / (1 - utilization) * SERVICE_H
    assert_agrees(observe(scenario, waits_and_queue, 24), [wait, wait / gap])


@pytest.mark.slow
@pytest.mark.parametrize(("utilization", "weeks"), [(0.5, 50), (0.7, 50), (0.9, 110)])
def test_mmc(utilization: float, weeks: int) -> None:
    servers = 3
    gap = SERVICE_H / (servers * utilization)
    scenario = sim.load(
        f"changes.feature.interarrival_h.mean={gap}",
        f"horizon_weeks={weeks}",
        config="verification/mmc",
    )
    wait = erlang_c(servers, servers * utilization) * SERVICE_H / (servers * (1 - utilization))
    assert_agrees(observe(scenario, waits_and_queue, 24), [wait, wait / gap])


def test_erlang_c_of_one_server_is_its_utilization() -> None:
    assert erlang_c(1, 0.7) == pytest.approx(0.7)


@pytest.mark.slow
def test_tandem() -> None:
    def waits(run: sim.Run) -> list[float]:
        steps = run.steps[run.steps["queued_at"] >= run.window[0]]
        by_step = steps.groupby("step", observed=True)["people_h"].mean()
        return [by_step[name] for name in ("first", "second", "third")]

    service_h = np.array([0.5, 0.7, 0.6])  # one arrival an hour: also the utilizations
    scenario = sim.load("horizon_weeks=60", config="verification/tandem")
    assert_agrees(observe(scenario, waits, 24), service_h / (1 - service_h) * service_h)


@pytest.mark.slow
def test_preemptive_resume_priorities() -> None:
    def sojourns(run: sim.Run) -> list[float]:
        steps = run.steps.merge(run.changes[["change_id", "kind"]], on="change_id")
        steps = steps[steps["queued_at"] >= run.window[0]]
        sojourn_h = steps["finished_at"] - steps["queued_at"]
        by_kind = sojourn_h.groupby(steps["kind"], observed=True).mean()
        return [by_kind["feature"], by_kind["improvement"]]

    # Conway, Maxwell, Miller 1967: class k is in the system for S / (1 - s[k-1]) +
    # sum(lambda E[S^2] / 2) / ((1 - s[k-1]) (1 - s[k])), s[k] the load of classes up to k.
    load = 0.4
    residual_h = load * SERVICE_H  # lambda E[S^2] / 2 of one class, exponential service
    high = SERVICE_H + residual_h / (1 - load)
    low = SERVICE_H / (1 - load) + 2 * residual_h / ((1 - load) * (1 - 2 * load))
    scenario = sim.load(config="verification/priorities")
    assert_agrees(observe(scenario, sojourns, 24), [high, low])
