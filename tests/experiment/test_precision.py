"""The precision rule: when it stops, and what it promises then."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sim.experiment.intervals import FloatArray, estimate, interval
from sim.experiment.pooled import pooled_median
from sim.experiment.precision import Target, are_narrow, are_narrow_differences, is_enough
from sim.metrics.restore import Restored

NAN = math.nan


def enough(
    values: FloatArray, targets: list[Target], confidence: float, first: int, look_ahead: int
) -> bool:
    """Return whether so many differences are enough."""

    def is_narrow(n: int) -> bool:
        return are_narrow_differences(values, targets, confidence, first, n)

    return is_enough(is_narrow, len(values), first, look_ahead)


def half_width(values: FloatArray, confidence: float) -> float:
    """Return that of Student's interval, by SciPy."""
    known = values[~np.isnan(values)]
    return float(stats.t.ppf(0.5 + confidence / 2, known.size - 1) * stats.sem(known))


def test_by_hand() -> None:
    # 0, 2, 0, 2, ...: s^2 of n even is n / (n - 1), so the half-width is t / sqrt(n - 1).
    values = np.tile([[0.0], [2.0]], (20, 1))
    target = [Target("x", 0.5, relative=False)]
    # t of 17 degrees / sqrt(17) = 0.512; with n = 19, 2.101 * 1.0263 / sqrt(19) = 0.495.
    assert [enough(values[:n], target, 0.95, 3, 0) for n in (18, 19, 20)] == [False, True, True]
    assert [enough(values[:n], target, 0.95, 3, 5) for n in (23, 24)] == [False, True]
    assert [enough(values[:n], target, 0.95, 30, 5) for n in (34, 35)] == [False, True]
    # The mean is 1, so it is the same relative to it, but for odd n the mean is less.
    relative = [Target("x", 0.5, relative=True)]
    assert [enough(values[:n], relative, 0.95, 3, 0) for n in (19, 20)] == [False, True]


def test_the_state_with_all_replications_decides_and_not_an_earlier_success() -> None:
    def was_narrow(n: int) -> bool:
        return 20 <= n <= 35

    assert is_enough(was_narrow, 35, 10, 10)
    # Narrow for long enough, but no more.
    assert not any(is_enough(was_narrow, n, 10, 10) for n in range(36, 60))
    # The last value undoes what forty had reached.
    values = np.append(np.tile([0.0, 2.0], 20), 30.0)[:, np.newaxis]
    target = [Target("x", 0.5, relative=False)]
    assert enough(values[:40], target, 0.95, 3, 5)
    assert not enough(values, target, 0.95, 3, 5)
    assert half_width(values[:, 0], 0.95) > 0.5


def test_more_than_a_hundred_replications_look_ahead_in_proportion() -> None:
    # From 200 on they look ahead by 20, so that 220 are the first that are enough.
    for since, first_enough in ((200, 220), (250, 275), (60, 70)):
        stops = [n for n in range(1, 300) if is_enough(lambda n: n >= since, n, 3, 10)]  # noqa: B023
        assert stops == list(range(first_enough, 300))


def test_luck_that_does_not_last_is_not_enough() -> None:
    # Four values that happen to be alike, then what the metric really does.
    values = np.array([1.0, 1.0, 1.01, 1.0, 5.0, -3.0, 7.0, 1.0])[:, np.newaxis]
    target = [Target("x", 0.1, relative=False)]
    assert enough(values[:4], target, 0.95, 3, 0)
    assert not any(enough(values[:n], target, 0.95, 3, 2) for n in range(9))


@settings(deadline=None)
@given(
    st.lists(st.booleans(), max_size=140), st.integers(2, 12), st.integers(0, 12), st.integers(0, 2)
)
def test_it_stops_by_its_definition(
    narrow: list[bool], first: int, look_ahead: int, ends_narrow: int
) -> None:
    narrow = narrow + [True] * 10 * ends_narrow
    n = len(narrow)
    by_definition = any(
        start + math.floor(look_ahead * max(start / 100, 1)) <= n and all(narrow[start - 1 :])
        for start in range(first, n + 1)
    )
    assert is_enough(lambda k: narrow[k - 1], n, first, look_ahead) == by_definition


def test_large_values_do_not_lose_the_digits_that_count() -> None:
    values = np.random.default_rng(1).normal(0.0, 1.0, (80, 1))
    target = [Target("x", 0.4, relative=False)]
    stops = [enough(values[:n], target, 0.95, 5, 5) for n in range(81)]
    assert 10 < stops.index(True) < 80
    # Beyond a spread of 1e-9 of the mean, values are taken to agree but for rounding.
    assert [enough(values[:n] + 1e7, target, 0.95, 5, 5) for n in range(81)] == stops


def test_what_is_not_known_is_not_narrow() -> None:
    targets = [Target("x", 0.01, relative=True), Target("y", 0.01, relative=True)]
    assert not enough(np.full((20, 2), NAN), targets, 0.95, 3, 5)
    assert not enough(np.empty((0, 2)), targets, 0.95, 3, 5)
    values = np.full((20, 2), NAN)
    values[:, 0] = np.random.default_rng(1).normal(10.0, 0.01, 20)
    assert enough(values[:, :1], targets[:1], 0.95, 3, 5)
    assert not enough(values, targets, 0.95, 3, 5)
    assert not are_narrow(values, None, targets, 0.95, 3, 20)


def test_of_a_median_over_incidents_the_interval_that_is_printed_counts() -> None:
    rng = np.random.default_rng(2)
    replication = np.repeat(np.arange(40), 3)
    hours = rng.lognormal(2.0, 1.0, 120)
    none = np.zeros(120, dtype=np.intp)
    restored = Restored(hours, none, none.astype(bool), replication)
    here = Restored(hours[:60], none[:60], none[:60].astype(bool), replication[:60])
    pooled = pooled_median(here, "time_to_restore_h", 20, 0.95)
    half = (pooled.high - pooled.low) / 2.0
    # What is known of each replication says nothing: the incidents do.
    values = np.ones((40, 1))
    for width, is_narrow in ((half * 1.001, True), (half * 0.999, False)):
        target = [Target("time_to_restore_h", width, relative=False)]
        assert are_narrow(values, restored, target, 0.95, 3, 20) == is_narrow


@pytest.mark.parametrize("needed", [8, 30])
@pytest.mark.parametrize("shape", ["normal", "rate", "skewed"])
def test_the_promise_is_kept_and_so_is_the_coverage(shape: str, needed: int) -> None:
    # A metric as it may be distributed over replications, with a known mean: the share of failed
    # deployments among 50, and one that is as skewed (by 1) as any of the model's metrics is.
    repetitions, most = 400, 10 * needed + 100
    rng = np.random.default_rng(6)
    size = (repetitions, most)
    draws, mean, deviation = {
        "normal": (rng.normal(10.0, 1.0, size), 10.0, 1.0),
        "rate": (rng.binomial(50, 0.1, size) / 50, 0.1, math.sqrt(0.1 * 0.9 / 50)),
        "skewed": (rng.gamma(4.0, 0.25, size), 1.0, 0.5),
    }[shape]
    promised = 1.96 * deviation / math.sqrt(needed)
    target = [Target("x", promised, relative=False)]
    covered = 0
    for values in draws[:, :, np.newaxis]:
        n = 10
        while not enough(values[:n], target, 0.95, 10, 10):
            n += max(10, math.ceil(n / 4))
            assert n <= most
        low, high = interval(estimate(values[:n]), 0.95)
        assert (high - low)[0] / 2 <= promised * (1 + 1e-12)
        covered += bool(low[0] <= mean <= high[0])
    # The promise is 93 %, less two standard errors of the share.
    assert covered / repetitions >= 0.93 - 2 * math.sqrt(0.93 * 0.07 / repetitions)
