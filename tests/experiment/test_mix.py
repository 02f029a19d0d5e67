"""Differences of mix and within: by hand, and what has to hold for all."""

import math

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from sim.experiment.intervals import estimate, interval
from sim.experiment.mix import Groups, split, split_median
from sim.metrics.dora import CAUSES
from sim.metrics.restore import Restored

NAMES = ("infra", "code")


def alike(counts: list[float], means: list[float], replications: int = 3) -> Groups:
    """Return replications that all say the same of the groups."""
    return Groups(np.array([counts] * replications, float), np.array([means] * replications, float))


QUICK_AND_SLOW = alike([60, 40], [2, 20])  # 9.2 h on average


def test_only_the_mix_differs() -> None:
    # The quick incidents get rare: 0.2 · 2 + 0.8 · 20 = 16.4 h, and nothing takes longer.
    found = split(NAMES, QUICK_AND_SLOW, alike([20, 80], [2, 20]))
    assert (found.first, found.other) == pytest.approx((9.2, 16.4))
    assert found.mix.value == pytest.approx(7.2)
    assert found.within.value == pytest.approx(0.0, abs=1e-12)
    infra, code = found.groups
    # The average of both means is 12.8: (0.2 - 0.6) · (2 - 12.8) and (0.8 - 0.4) · (20 - 12.8).
    assert (infra.mix, code.mix) == pytest.approx((4.32, 2.88))
    assert (infra.share_first, infra.share_other) == pytest.approx((0.6, 0.2))


def test_only_what_happens_within_differs() -> None:
    found = split(NAMES, QUICK_AND_SLOW, alike([60, 40], [3, 24]))
    assert found.mix.value == pytest.approx(0.0, abs=1e-12)
    assert found.within.value == pytest.approx(0.6 * 1 + 0.4 * 4)


def test_twice_the_incidents_are_no_other_mix() -> None:
    found = split(NAMES, QUICK_AND_SLOW, alike([120, 80], [2, 20]))
    assert (found.mix.value, found.within.value) == pytest.approx((0.0, 0.0), abs=1e-12)


def test_both_differ() -> None:
    # 9.2 and 0.2 · 3 + 0.8 · 24 = 19.8 h. Within: 1 · 0.4 + 4 · 0.6, shares half-way; mix:
    # -0.4 · 2.5 + 0.4 · 22, means half-way.
    found = split(NAMES, QUICK_AND_SLOW, alike([20, 80], [3, 24]))
    assert found.other - found.first == pytest.approx(10.6)
    assert found.within.value == pytest.approx(2.8)
    assert found.mix.value == pytest.approx(7.8)


def test_a_group_of_one_side_alone_is_mix() -> None:
    found = split(NAMES, alike([50, 0], [2, math.nan]), alike([50, 50], [2, 30]))
    assert (found.first, found.other) == pytest.approx((2.0, 16.0))
    assert found.mix.value == pytest.approx(14.0)
    assert found.within.value == pytest.approx(0.0, abs=1e-12)
    gone = split(NAMES, alike([50, 50], [2, 30]), alike([50, 0], [3, math.nan]))
    assert gone.mix.value + gone.within.value == pytest.approx(-13.0)
    # Infra takes an hour longer, weighted with (0.5 + 1) / 2.
    assert gone.within.value == pytest.approx(0.75)


def test_groups_that_nobody_has_change_nothing() -> None:
    none = [math.nan, math.nan]
    found = split(NAMES, alike([60, 0], [2, none[0]]), alike([30, 0], [5, none[0]]))
    assert (found.mix.value, found.within.value) == pytest.approx((0.0, 3.0))
    assert found.groups[1].mix == found.groups[1].within == 0.0


def test_a_side_without_events_cannot_be_split() -> None:
    found = split(NAMES, QUICK_AND_SLOW, alike([0, 0], [math.nan, math.nan]))
    assert np.isnan([*found.mix, *found.within, found.other]).all()
    alone = split(NAMES, alike([6, 4], [2, 20], 1), alike([2, 8], [2, 20], 1))
    assert alone.mix.value == pytest.approx(7.2)
    assert math.isnan(alone.mix.low)
    assert not alone.mix.is_clear


COUNTS = arrays(np.int64, (4, 3), elements=st.integers(0, 9))
MEANS = arrays(np.float64, (4, 3), elements=st.floats(0.1, 1000.0))


@settings(deadline=None)
@given(COUNTS, MEANS, COUNTS, MEANS)
def test_mix_and_within_are_the_difference(
    count: np.ndarray, mean: np.ndarray, other_count: np.ndarray, other_mean: np.ndarray
) -> None:
    names = ("a", "b", "c")
    sides = [
        Groups(counts.astype(float), np.where(counts > 0, means, np.nan))
        for counts, means in ((count, mean), (other_count, other_mean))
    ]
    found = split(names, *sides)
    if not (count.any() and other_count.any()):
        assert math.isnan(found.mix.value)
        return
    means_of_all = [
        np.average(means, weights=counts)
        for counts, means in ((count, mean), (other_count, other_mean))
    ]
    assert (found.first, found.other) == pytest.approx(means_of_all)
    difference = means_of_all[1] - means_of_all[0]
    assert found.mix.value + found.within.value == pytest.approx(difference, abs=1e-8)
    assert sum(group.mix for group in found.groups) == pytest.approx(found.mix.value, abs=1e-8)
    back = split(names, *sides[::-1])
    assert back.mix.value == pytest.approx(-found.mix.value, abs=1e-8)
    assert back.within.value == pytest.approx(-found.within.value, abs=1e-8)


def test_with_one_group_and_equal_counts_the_interval_is_that_of_paired_means() -> None:
    rng = np.random.default_rng(1)
    one, other = (Groups(np.full((9, 1), 5.0), rng.gamma(3.0, 4.0, (9, 1))) for _ in range(2))
    found = split(("all",), one, other)
    expected = interval(estimate(other.means - one.means), 0.95)
    assert (found.within.low, found.within.high) == pytest.approx((expected[0][0], expected[1][0]))
    assert found.mix == (0.0, 0.0, 0.0)


def test_what_happens_within_is_rarely_claimed_where_only_the_mix_differs() -> None:
    rng = np.random.default_rng(2)
    repetitions, replications = 400, 20
    claimed = {"mix": 0, "within": 0}
    typical = np.array([2.0, 20.0])

    def side(per_replication: list[float]) -> Groups:
        count = rng.poisson(per_replication, (replications, 2)).astype(float)
        mean = typical * rng.gamma(np.maximum(count, 1.0), 1.0 / np.maximum(count, 1.0))
        return Groups(count, np.where(count > 0, mean, np.nan))

    for _ in range(repetitions):
        found = split(NAMES, side([6.0, 4.0]), side([2.0, 4.0]))
        claimed["mix"] += found.mix.is_clear
        claimed["within"] += found.within.is_clear
    assert claimed["mix"] > 0.95 * repetitions
    # At most 5 % and three standard errors of that.
    assert claimed["within"] / repetitions <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / repetitions)


def restored(**hours: list[float]) -> Restored:
    """Return the incidents of one replication by cause."""
    causes = [list(CAUSES).index(cause) for cause, each in hours.items() for _ in each]
    times = [hour for each in hours.values() for hour in each]
    zeros = np.zeros(len(times), np.intp)
    return Restored(np.array(times), np.array(causes, np.intp), zeros.astype(bool), zeros)


def test_a_median_that_rises_by_the_mix_alone() -> None:
    # 1, 2, 3, 10, 20, 30: median 6.5. With one incident by infrastructure for three by code, those
    # of the first weigh 1/3 and 1: together 1/3, 2/3, 1 and, at 10 h, 2 of 4, so that the middle is
    # between 10 and 20 h.
    first = restored(infra=[1.0, 2.0, 3.0], code=[10.0, 20.0, 30.0])
    found = split_median(first, restored(infra=[2.0], code=[10.0, 20.0, 30.0]))
    assert found == pytest.approx((6.5, 15.0, 8.5, 0.0))


def test_a_median_that_rises_within_alone() -> None:
    first = restored(infra=[1.0, 2.0, 3.0], code=[10.0, 20.0, 30.0])
    longer = first._replace(hours=first.hours + 4.0)
    assert split_median(first, longer) == pytest.approx((6.5, 10.5, 0.0, 4.0))


def test_a_cause_that_only_the_other_has_is_mix() -> None:
    first = restored(infra=[1.0, 2.0, 3.0])
    found = split_median(first, restored(infra=[1.0, 2.0, 3.0], data=[50.0] * 4))
    assert found == pytest.approx((2.0, 50.0, 48.0, 0.0))
    assert np.isnan(split_median(first, restored())).all()


@settings(deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_parts_of_medians_add_up(seed: int) -> None:
    rng = np.random.default_rng(seed)
    sides = []
    for _ in range(2):
        n = int(rng.integers(1, 30))
        zeros = np.zeros(n, np.intp)
        cause = rng.integers(-1, len(CAUSES), n)
        sides.append(Restored(rng.lognormal(1.0, 1.0, n), cause, zeros.astype(bool), zeros))
    found = split_median(*sides)
    assert found.first == np.median(sides[0].hours)
    assert found.other == np.median(sides[1].hours)
    assert found.mix + found.within == pytest.approx(found.other - found.first)
    same = split_median(sides[0], sides[0])
    assert (same.mix, same.within) == pytest.approx((0.0, 0.0), abs=1e-12)
