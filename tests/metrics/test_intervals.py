"""Intervals by hand, against scipy, and within what is possible."""

import math

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import sim.metrics  # noqa: F401  # declares the metrics of the catalogue
from sim.experiment.holm import family_of_tests
from sim.experiment.intervals import (
    FEWEST_TO_JUDGE,
    Estimates,
    estimate,
    interval,
    mean_of,
    means_of_groups,
    p_value,
    summarize,
)
from sim.metrics import catalogue
from sim.metrics.catalogue import DURATION, NUMBER, SHARE, Quantity


def one(values: list[float], quantity: Quantity, confidence: float = 0.95) -> tuple[float, ...]:
    """Return mean, low and high of a single metric."""
    found = mean_of(np.array(values)[:, np.newaxis], [quantity], confidence)
    return float(found.mean[0]), float(found.low[0]), float(found.high[0])


# --- means of metrics ----------------------------------------------------------------------------


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.99])
def test_without_ends_and_skewness_an_interval_is_that_of_student(confidence: float) -> None:
    half = np.random.default_rng(3).normal(2.0, 1.0, 6)
    values = np.concatenate([half, 4.0 - half])
    low, high = stats.t.interval(confidence, df=11, loc=2.0, scale=stats.sem(values))
    assert one(values.tolist(), NUMBER, confidence) == pytest.approx((2.0, low, high))


def test_a_textbook_interval() -> None:
    # 1, 2, 3: mean 2, s = 1, t with 2 degrees of freedom 4.30265: 2 -+ 4.30265 / sqrt(3).
    summary = summarize(pd.DataFrame({"replication": [0, 1, 2], "x": [1.0, 2.0, 3.0]}))
    assert tuple(summary.loc["x"]) == pytest.approx((2.0, -0.48414, 4.48414, 3), abs=1e-5)


def test_an_interval_of_a_duration_by_hand() -> None:
    # 1, 4, 4, 7: symmetric about 4, so that Hall has nothing to correct; s = √6, and t of 3 degrees
    # of freedom is 3.18245. Logarithms 0, 1.386, 1.386, 1.946 have s = 0.82948, more than √6 / 4 =
    # 0.61237. So the ends are 4 e^∓(3.18245 · 0.82948 / 2) = 4 e^∓1.31990.
    expected = (4.0, 1.06865, 14.97213)
    assert one([1.0, 4.0, 4.0, 7.0], DURATION) == pytest.approx(expected, rel=1e-4)


def test_an_interval_of_a_share_by_hand() -> None:
    # 0.4, 0.5, 0.6: t of 2 degrees of freedom is 4.30265, s = 0.1, the derivative of the logit at
    # 1/2 is 4: half the width is 4.30265 · 0.4 / √3 = 0.99366 on its scale. The logits themselves
    # are ∓0.405465 and 0, and their s is a little more than 0.4.
    half = 4.302653 * 0.405465 / math.sqrt(3)
    expected = (0.5, 1 / (1 + math.exp(half)), 1 / (1 + math.exp(-half)))
    assert one([0.4, 0.5, 0.6], SHARE) == pytest.approx(expected, rel=1e-5)


def test_a_long_tail_makes_the_upper_end_that_of_hall() -> None:
    # Hall's transformation of T = (mean - truth) / (s/√n), solved for the truth by hand.
    values = np.array([1.0, 1.0, 1.0, 1.1, 1.2, 0.9, 1.0, 1.3, 1.2, 6.0])
    n, mean, error = 10, values.mean(), stats.sem(values)
    skewness = stats.skew(values)
    low, high = one(values.tolist(), NUMBER)[1:]

    def transformed(t: float) -> float:
        a = skewness / (3 * math.sqrt(n))
        return t + a * t**2 + a**2 * t**3 / 3 + skewness / (6 * math.sqrt(n))

    quantile = stats.t.ppf(0.975, 9)
    assert transformed((mean - high) / error) == pytest.approx(-quantile)
    assert high > mean + quantile * error, "Student's end is nearer"
    assert low == pytest.approx(mean - quantile * error), "and the lower one is Student's"


def test_replications_without_a_value_are_left_out_and_n_says_so() -> None:
    runs = pd.DataFrame(
        {
            "replication": [0, 1, 2, 3],
            "scenario": ["a", "a", "a", "a"],
            "complete": [1.0, 2.0, 3.0, 4.0],
            "partly": [1.0, 2.0, 3.0, np.nan],
            "twice": [1.0, np.nan, 3.0, np.nan],
            "never": [np.nan] * 4,
            "constant": [2, 2, 2, 2],
        }
    )
    summary = summarize(runs)
    assert list(summary.index) == ["complete", "partly", "twice", "never", "constant"]
    assert summary.index.name == "metric"
    assert list(summary.columns) == ["mean", "ci_low", "ci_high", "n"]
    assert list(summary["n"]) == [4, 3, 2, 0, 4]
    assert list(summary["mean"].iloc[:3]) == [2.5, 2.0, 2.0]
    assert summary.loc["partly", "ci_high"] == pytest.approx(4.48414, abs=1e-5)
    unknown = summary.loc[["twice", "never", "constant"], ["ci_low", "ci_high"]]
    assert unknown.isna().all(axis=None), "two values, none, and four that agree"


def test_no_replications_at_all() -> None:
    summary = summarize(pd.DataFrame({"replication": [], "x": pd.Series([], dtype=float)}))
    assert summary.loc["x", "n"] == 0
    assert np.isnan(summary.loc["x", "mean"])


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0])
def test_the_confidence_is_a_probability(confidence: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        summarize(pd.DataFrame({"x": [1.0]}), confidence)


def test_a_rate_of_nothing_is_no_certainty() -> None:
    # A share that is 0 in each of 20 replications: with 95 % at most one replication in
    # 1 - 0.05^(1/20) = 13.9 % is another, and none is above 1. Of a count nothing bounds the mean.
    assert one([0.0] * 20, SHARE) == pytest.approx((0.0, 0.0, 1 - 0.05 ** (1 / 20)))
    low, high = one([1.0] * 20, SHARE)[1:]
    assert (low, high) == pytest.approx((0.05 ** (1 / 20), 1.0))
    for quantity in (DURATION, NUMBER, Quantity(dimension="frequency")):
        mean, low, high = one([0.0] * 20, quantity)
        assert mean == 0.0
        assert math.isnan(low)
        assert math.isnan(high)


def test_what_hardly_ever_happened_is_unknown() -> None:
    # One event in five: half the width on the scale of logarithms is t · 1 = 2.776, which is 16
    # times the mean; in three it is 4.303, which is 74 times; squared it would be more than 100.
    assert one([0.0, 0, 0, 0, 1], DURATION)[2] == pytest.approx(0.2 * math.exp(2.7764), rel=1e-4)
    assert not math.isnan(one([0.0, 0, 1], DURATION)[2])
    assert math.isnan(one([0.0, 0, 1], DURATION, 0.99)[2])


NUMBERS = st.lists(
    st.one_of(st.just(0.0), st.just(1.0), st.floats(0.0, 1.0), st.floats(0.0, 1e-9)),
    min_size=1,
    max_size=12,
)


@settings(deadline=None, max_examples=300)
@given(NUMBERS, st.floats(0.01, 0.999), st.floats(1e-3, 1e6))
def test_no_interval_ends_beyond_what_is_possible(
    values: list[float], confidence: float, scale: float
) -> None:
    kinds = catalogue.metrics()
    size = np.array([scale if math.isinf(kind.highest) else kind.highest for kind in kinds])
    found = mean_of(np.array(values)[:, np.newaxis] * size, kinds, confidence)
    for kind, mean, low, high in zip(kinds, found.mean, found.low, found.high, strict=True):
        assert math.isnan(low) == math.isnan(high), kind.name
        if not math.isnan(low):
            assert kind.lowest <= low <= mean <= high <= kind.highest, kind.name


@settings(deadline=None, max_examples=100)
@given(st.lists(NUMBERS, min_size=1, max_size=5))
def test_groups_are_judged_as_if_alone(groups: list[list[float]]) -> None:
    rows = np.array([value for group in groups for value in group])
    starts = np.cumsum([0, *(len(group) for group in groups[:-1])])
    kinds = [DURATION, SHARE, NUMBER]
    together = means_of_groups(np.tile(rows[:, np.newaxis], 3), starts, kinds, 0.95)
    for place, group in enumerate(groups):
        alone = mean_of(np.tile(np.array(group)[:, np.newaxis], 3), kinds, 0.95)
        for ours, theirs in zip(together, alone, strict=True):
            np.testing.assert_allclose(ours[place], theirs, rtol=1e-9)


# --- differences ---------------------------------------------------------------------------------


def equal(difference: float, n: int) -> Estimates:
    """Return the estimates of differences that are the same in n pairs."""
    return estimate(np.full((n, 1), difference))


@pytest.mark.parametrize(("n", "p"), [(3, 0.25), (5, 0.0625), (6, 0.03125), (10, 2.0**-9)])
def test_equal_differences_are_judged_by_the_sign_test(n: int, p: float) -> None:
    assert p_value(equal(0.3, n))[0] == p
    low, high = (float(end[0]) for end in interval(equal(0.3, n), 0.95))
    if p <= 0.05:
        assert low == high == pytest.approx(0.3)
    else:
        assert math.isnan(low)
        assert math.isnan(high)


def test_two_replications_judge_nothing() -> None:
    assert FEWEST_TO_JUDGE == 3
    for values in ([0.3, 0.3], [0.3, 0.4], [0.3, -0.2]):
        estimates = estimate(np.array(values)[:, np.newaxis])
        assert np.isnan(p_value(estimates)).all()
        assert np.isnan(interval(estimates, 0.95)).all()


def test_no_difference_at_all_is_no_difference_seen() -> None:
    assert p_value(equal(0.0, 4))[0] == 1.0
    assert np.isnan(interval(equal(0.0, 4), 0.95)).all(), "four do not rule out any other"
    assert [float(end[0]) for end in interval(equal(0.0, 10), 0.95)] == [0.0, 0.0]


def test_rounding_is_no_spread() -> None:
    values = 0.1 + np.array([0.0, 1e-17, -1e-17, 2e-17, 0.0]) + [0, 1e-16, 0, 0, -1e-16]
    assert p_value(estimate(values[:, np.newaxis]))[0] == 2.0**-4


LATTICE = st.integers(-3, 3).map(lambda steps: steps / 28)


@settings(deadline=None, max_examples=300)
@given(
    st.integers(1, 9).flatmap(
        lambda n: st.lists(st.lists(LATTICE, min_size=n, max_size=n), min_size=1, max_size=12)
    ),
    st.sampled_from([0.5, 0.9, 0.95, 0.99]),
)
def test_an_interval_leaves_out_zero_exactly_if_holm_rejects(
    tests: list[list[float]], confidence: float
) -> None:
    found = family_of_tests(estimate(np.array(tests).T), confidence)
    for name in ("adjusted_", ""):
        low = found[f"{name}low" if name else "ci_low"]
        high = found[f"{name}high" if name else "ci_high"]
        p = found[f"{name}p_value"]
        leaves_out = (low > 0.0) | (high < 0.0)
        # At p = alpha exactly, zero is the end of the interval.
        decided = np.isnan(p) | (np.abs(p - (1.0 - confidence)) > 1e-9)
        assert (leaves_out == (p <= 1.0 - confidence))[decided].all()
        assert (np.isnan(p) == (found["n"] < FEWEST_TO_JUDGE)).all()
