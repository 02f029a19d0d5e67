"""Control variates: expectations of 0, exact regression, and intervals that keep their promise."""

from functools import cache

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import sim
from sim.experiment.control_variates import adjusted, controls
from sim.experiment.intervals import estimate, interval
from sim.scenario.organization import Scenario
from sim.scenario.validation import validate
from sim.world.build import build
from sim.world.calendar import WEEK_H

SEED = 1
RATE_PER_H = 1 / 5
PASSES = 0.7


def arrivals_that_may_fail() -> Scenario:
    """Return improvements that arrive at random; each is deployed with probability PASSES."""
    return validate(
        {
            "name": "thinned",
            "horizon_weeks": 1,
            "teams": {"team": {"people": {"ml_engineer": 1}}},
            "services": {"service": {"team": "team"}},
            "changes": {
                "improvement": {"interarrival_h": {"dist": "exponential", "mean": 1 / RATE_PER_H}}
            },
            "pipeline": {
                "steps": {"deploy": {"effect": "deploys", "fails": 1 - PASSES}},
                "max_attempts": 1,
            },
        }
    )


@cache
def default() -> Scenario:
    return sim.load("horizon_weeks=40", "warmup_weeks=10")


def deployed(scenario: Scenario, replication: int) -> float:
    """Return the number of deployments."""
    organization = build(scenario, SEED, replication)
    organization.env.run(until=scenario.horizon_weeks * WEEK_H)
    return float(len(organization.deployments))


def test_the_expectations_of_the_controls_are_zero() -> None:
    scenario = sim.load("horizon_weeks=16", "warmup_weeks=4")
    values = np.array([controls(scenario, SEED, k) for k in range(200)])
    assert values.shape == (200, 2)
    assert stats.ttest_1samp(values, 0).pvalue.min() > 0.01
    expected = 6 * 12 * WEEK_H / 504  # a Poisson count varies as much as it is large
    assert values[:, 0].var(ddof=1) == pytest.approx(expected, rel=0.25)


def test_controls_are_what_the_simulation_meets() -> None:
    def lasting(weeks: int) -> Scenario:
        features = {
            "exploration_h": {"dist": "lognormal", "mean": 8, "cv": 1},
            "abandoned": 0.4,
        }
        improvements = {"interarrival_h": {"dist": "exponential", "mean": 5}}
        return validate(
            {
                "name": "known",
                "horizon_weeks": weeks,
                "warmup_weeks": 2,
                "working_hours": {"always": True},
                "teams": {"team": {"people": {"data_scientist": 2, "ml_engineer": 1}}},
                "services": {"service": {"team": "team", "count": 2}},
                "changes": {"feature": features, "improvement": improvements},
                "pipeline": {"steps": {"deploy": {"effect": "deploys"}}},
            }
        )

    arrivals, explorations = controls(lasting(6), SEED, 2)
    run = sim.simulate(lasting(12), seed=SEED, replication=2)  # as many as were looked at, and more
    improvements = run.changes[run.changes["trigger"] == "arrival"]["created_at"]
    observed = improvements.between(2 * WEEK_H, 6 * WEEK_H, inclusive="left")
    assert arrivals == pytest.approx(observed.sum() - 2 * 4 * WEEK_H / 5)

    effort_h = run.steps[run.steps["step"] == "exploration"].set_index("change_id")["effort_h"]
    features = run.changes[run.changes["trigger"] == "backlog"].set_index("change_id")
    features = features.assign(effort_h=effort_h, abandoned=features["status"] == "abandoned")
    weekly = 2 * WEEK_H / 8 / 2  # explorations of one service
    rows = slice(int(2 * weekly), int(6 * weekly))
    of_services = [of_one.iloc[rows] for _, of_one in features.groupby("service", observed=True)]
    assert len(of_services) == 2
    seen = pd.concat(of_services)
    surplus = (seen["effort_h"] / 8).mean() - 1 + (seen["abandoned"].mean() - 0.4) / 0.6
    assert explorations == pytest.approx(surplus)


def test_controls_do_not_depend_on_what_happens() -> None:
    other = default().model_copy(update={"automation": 0.9, "standardization": 1.0})
    assert np.array_equal(controls(other, SEED, 1), controls(default(), SEED, 1))


def test_nothing_random_no_controls() -> None:
    scenario = sim.load(
        "changes.improvement.interarrival_h=500",
        "changes.feature.exploration_h=40",
        "changes.feature.abandoned=0",
    )
    assert controls(scenario, SEED, 0).shape == (0,)


def test_adjusted_means_are_intercepts_of_least_squares() -> None:
    random = np.random.default_rng(1)
    control = random.normal(size=30)
    values = 5 + 2 * control + random.normal(size=30)
    estimates = adjusted(values[:, None], control[:, None])
    line = stats.linregress(control, values)
    assert estimates.mean[0] == pytest.approx(line.intercept)
    assert estimates.standard_error[0] == pytest.approx(line.intercept_stderr)
    low, high = interval(estimates, 0.95)
    half_width = stats.t.ppf(0.975, 28) * line.intercept_stderr
    assert (low[0], high[0]) == pytest.approx(
        (line.intercept - half_width, line.intercept + half_width)
    )


def test_without_controls_it_is_the_plain_mean() -> None:
    values = np.random.default_rng(1).normal(size=(12, 3))
    values[4, 1] = np.nan
    for one, other in zip(adjusted(values, np.empty((12, 0))), estimate(values), strict=True):
        np.testing.assert_allclose(one, other)


def test_skewed_values_are_covered_too() -> None:
    random = np.random.default_rng(1)
    n, repetitions = 20, 5000
    control = random.gamma(4, size=(n, repetitions)) - 4
    values = control + random.gamma(4, size=(n, repetitions))
    truth = 4
    estimates = [adjusted(values[:, [k]], control[:, [k]]) for k in range(repetitions)]
    low, high = np.array([interval(one, 0.95) for one in estimates])[:, :, 0].T
    assert 0.93 <= np.mean((low <= truth) & (truth <= high)) <= 0.97


def test_what_is_nan_is_left_out() -> None:
    random = np.random.default_rng(2)
    values, control = random.normal(size=(20, 1)), random.normal(size=(20, 2))
    values[[3, 7]] = np.nan
    known = ~np.isnan(values[:, 0])
    for one, other in zip(
        adjusted(values, control), adjusted(values[known], control[known]), strict=True
    ):
        np.testing.assert_array_equal(one, other)


def test_a_control_that_happens_to_be_constant_changes_nothing() -> None:
    values = np.random.default_rng(2).normal(size=(10, 1))
    estimates = adjusted(values, np.full((10, 1), 2.5))
    assert estimates.mean[0] == pytest.approx(values.mean())
    assert estimates.n[0] == 9


def test_too_few_replications_have_no_mean() -> None:
    random = np.random.default_rng(2)
    estimates = adjusted(random.normal(size=(3, 1)), random.normal(size=(3, 2)))
    assert np.isnan(estimates.mean[0])
    assert np.isnan(estimates.standard_error[0])
    assert estimates.n[0] == 1


@pytest.mark.slow
def test_means_are_unbiased_and_intervals_cover() -> None:
    scenario, n, repetitions = arrivals_that_may_fail(), 20, 500
    truth = RATE_PER_H * PASSES * WEEK_H
    values = np.array([deployed(scenario, k) for k in range(n * repetitions)])
    known = np.array([controls(scenario, SEED, k) for k in range(n * repetitions)])
    means, plain, covered = [], [], 0
    for first in range(0, n * repetitions, n):
        part = slice(first, first + n)
        estimates = adjusted(values[part, None], known[part])
        low, high = interval(estimates, 0.95)
        means.append(estimates.mean[0])
        plain.append(values[part].mean())
        covered += low[0] <= truth <= high[0]
    assert stats.ttest_1samp(means, truth).pvalue > 0.01
    assert 0.93 <= covered / repetitions <= 0.97
    # What is left is the thinning: 1 - PASSES of a Poisson variance, and one degree of freedom.
    left = (1 - PASSES) * (n - 2) / (n - 3)
    assert np.var(means) / np.var(plain) == pytest.approx(left, rel=0.25)


@pytest.mark.slow
def test_in_the_default_organization_they_sharpen_the_deployment_frequency() -> None:
    scenario = default()
    metrics = [sim.simulate(scenario, SEED, k).metrics() for k in range(40)]
    values = pd.DataFrame(metrics)[["deployment_frequency"]].to_numpy()
    known = np.array([controls(scenario, SEED, k) for k in range(40)])
    ratio = adjusted(values, known).standard_error / estimate(values).standard_error
    assert ratio[0] ** 2 < 0.7
