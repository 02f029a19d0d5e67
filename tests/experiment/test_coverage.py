"""Intervals and claims over many repetitions: as often right as they say."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import sim
from sim.experiment.compare import Comparison
from sim.experiment.holm import family_of_tests
from sim.experiment.intervals import estimate, means_of_groups, summarize
from sim.metrics.catalogue import DURATION, SHARE, Quantity
from sim.scenario.from_data import validate

REPETITIONS = 500


def covered(runs: list[pd.DataFrame], metric: str, truth: float) -> float:
    """Return the share of the repetitions whose interval of 95 % contains the truth."""
    rows = [summarize(one).loc[metric] for one in runs]
    return float(np.mean([row["ci_low"] <= truth <= row["ci_high"] for row in rows]))


def test_the_interval_covers_the_mean_wait_of_a_queue() -> None:
    # M/M/1 at a load of 0.5, started as it is in the long run: the first wait is 0 with 50 %, else
    # exponential, and every mean wait is rho / (mu - lambda).
    arrival, service = 0.5, 1.0
    rng = np.random.default_rng(1)
    replications, customers = 20, 400
    size = (REPETITIONS, replications)
    wait = np.where(
        rng.random(size) < arrival / service, rng.exponential(1 / (service - arrival), size), 0.0
    )
    total = np.zeros(size)
    for _ in range(customers):
        total += wait
        step = rng.exponential(1 / service, size) - rng.exponential(1 / arrival, size)
        wait = np.maximum(wait + step, 0.0)
    runs = [pd.DataFrame({"wait_h": one}) for one in total / customers]
    truth = (arrival / service) / (service - arrival)
    assert 0.93 <= covered(runs, "wait_h", truth) <= 0.97


@pytest.mark.slow
def test_the_interval_covers_a_change_failure_rate_that_is_known() -> None:
    # Four in ten changes are defective, the test finds seven in ten of these, the rest fails; a
    # change is deployed as soon as it is made.
    made, caught = 0.4, 0.7
    scenario = validate(
        {
            "name": "single",
            "horizon_weeks": 1,
            "working_hours": {"always": True},
            "teams": {"team": {"people": {"ml_engineer": 50}}},
            "services": {"service": {"team": "team"}},
            "changes": {
                "feature": {
                    "arrivals": "open",
                    "interarrival_h": {"dist": "exponential", "mean": 2},
                    "defects": {"infra": made},
                }
            },
            "pipeline": {
                "steps": {
                    "test": {"detects": {"infra": {"automated": caught}}},
                    "deploy": {"effect": "deploys"},
                }
            },
        }
    )
    replications = 8
    rates = np.empty((REPETITIONS, replications))
    for number in range(rates.size):
        deployments = sim.simulate(scenario, seed=77, replication=number).deployments
        rates.flat[number] = deployments["failed"].mean()
    runs = [pd.DataFrame({"change_failure_rate": one}) for one in rates]
    assert 0.93 <= covered(runs, "change_failure_rate", made * (1 - caught)) <= 0.97


@pytest.mark.parametrize("truly_different", [pytest.param(0, marks=pytest.mark.slow), 3])
def test_hardly_any_sweep_claims_an_effect_where_there_is_none(truly_different: int) -> None:
    # Eight points against a baseline in four metrics. They share their luck, and all of them the
    # noise of the baseline; rates and skewed times are among the metrics.
    rng = np.random.default_rng(2)
    families, points, replications = 250, 9, 20
    names = ["deployment_frequency", "lead_time_h", "change_failure_rate", "time_to_restore_h"]
    places = {"arm": np.repeat(np.arange(points).astype(str), replications)}
    places["replication"] = np.tile(np.arange(replications), points)
    different = np.arange(points) > points - 1 - truly_different
    wrong = 0
    found = 0
    for _ in range(families):
        shared = rng.normal(0.0, 1.0, (4, 1, replications))
        own = rng.normal(0.0, 1.0, (4, points, replications))
        values = shared + own
        values[1] = shared[1] + rng.gamma(4.0, 0.5, own[1].shape)
        values[2] = rng.binomial(50, 0.2, own[2].shape) / 50
        values[:, different] += 2.0
        frame = pd.DataFrame({**places, **dict(zip(names, values.reshape(4, -1), strict=True))})
        scenarios = dict.fromkeys(map(str, range(points)))
        effects = Comparison(scenarios, 1, frame).differences()  # type: ignore[arg-type]  # no runs
        claimed = effects["adjusted_p_value"].to_numpy().reshape(points - 1, 4) < 0.05
        excludes = (effects["adjusted_low"] > 0) | (effects["adjusted_high"] < 0)
        assert (claimed.ravel() == excludes).all()
        wrong += bool(claimed[~different[1:]].any())
        found += int(claimed[different[1:]].sum())
    # At most 5 % of the families; three standard errors of that are 4.1 %.
    assert wrong / families <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / families)
    if truly_different:
        assert found > 0.9 * families * truly_different * 4


SAMPLES = 2000


def missed(drawn: np.ndarray, quantity: Quantity, truth: float) -> tuple[float, float]:
    """Return how often the interval misses the truth, and how often Student's would.

    Args:
        drawn: (samples, replications).
        quantity: what was drawn.
        truth: its mean.
    """
    samples, n = drawn.shape
    found = means_of_groups(drawn.reshape(-1, 1), np.arange(samples) * n, [quantity], 0.95)
    given = ~np.isnan(found.low[:, 0])
    ours = given & ~((found.low[:, 0] <= truth) & (truth <= found.high[:, 0]))
    half = stats.t.ppf(0.975, n - 1) * stats.sem(drawn, axis=1)
    return float(ours.mean()), float((np.abs(drawn.mean(axis=1) - truth) > half).mean())


def at_most(promised: float, trials: int) -> float:
    """Return a promise with three standard errors."""
    return promised + 3 * math.sqrt(promised * (1 - promised) / trials)


@pytest.mark.parametrize("n", [3, 5, 10, 20, 50])
def test_the_interval_of_a_long_tail_holds_where_student_does_not(n: int) -> None:
    # Lognormal with a skewness of 6.2, as the mean times to restore of weeks with few incidents.
    drawn = np.random.default_rng(n).lognormal(0.0, 1.0, (SAMPLES, n))
    ours, student = missed(drawn, DURATION, math.exp(0.5))
    assert ours <= at_most(0.06, SAMPLES)
    assert student > 0.08


@pytest.mark.parametrize("n", [5, 10, 20, 50])
def test_the_interval_of_a_small_share_holds(n: int) -> None:
    drawn = np.random.default_rng(n).binomial(40, 0.03, (SAMPLES, n)) / 40
    ours, _ = missed(drawn, SHARE, 0.03)
    assert ours <= at_most(0.05, SAMPLES)


@pytest.mark.parametrize("n", [2, 3, 4, 5, 10])
def test_counts_that_happen_to_agree_are_hardly_ever_called_a_difference(n: int) -> None:
    # Eight arms that do not differ, of some deployments in 14 weeks: differences are often equal.
    rng = np.random.default_rng(n)
    families, wrong, agreeing = 1000, 0, 0
    for _ in range(families):
        counts = rng.poisson(0.5, (8, n)) - rng.poisson(0.5, (8, n))
        found = family_of_tests(estimate(counts.T / 14), 0.95)
        wrong += bool((found["adjusted_p_value"] < 0.05).any())
        agreeing += bool(((np.ptp(counts, axis=1) == 0) & (counts[:, 0] != 0)).any())
    assert wrong / families <= at_most(0.05, families)
    if n == 2:
        assert wrong == 0
        assert agreeing / families > 0.5, "each of which has been called a difference"
