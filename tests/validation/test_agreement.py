"""The rules of agreement, by numbers worked out by hand."""

import math

import numpy as np
import pytest

from sim.validation.agreement import (
    Accepted,
    EitherWay,
    Order,
    Sign,
    Simulated,
    Undivided,
    Within,
    as_ratio,
    distance,
    orders,
    simulated,
    verdict,
    within_factor,
    within_odds,
)


def test_a_duration_agrees_within_a_factor_of_two():
    assert within_factor(8.0) == (4.0, 16.0)


@pytest.mark.parametrize(
    ("share", "low", "high"),
    [
        (0.5, 0.4, 0.6),  # odds of 1: from 1/1.5 to 1.5
        (0.4, 4 / 13, 0.5),  # odds of 2/3: from 4/9 to 1
        (0.9, 6 / 7, 13.5 / 14.5),  # odds of 9: from 6 to 13.5
    ],
)
def test_a_share_agrees_within_a_factor_of_its_odds(share, low, high):
    assert within_odds(share) == pytest.approx((low, high))


def test_an_interval_of_two_replications_may_be_wider_than_any_number():
    ratio = as_ratio(Simulated(math.log(2), -900.0, 900.0))
    assert ratio.mean == pytest.approx(2)
    assert (ratio.low, ratio.high) == (0.0, math.inf)


def test_shares_and_their_complements_are_treated_alike():
    low, high = within_odds(0.22)
    assert within_odds(0.78) == pytest.approx((1.0 - high, 1.0 - low))


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (Simulated(12.0, 8.0, 16.0), "agrees"),  # the mean decides for agreement
        (Simulated(20.0, 18.0, 22.0), "agrees"),  # an end belongs to the range
        (Simulated(21.0, 19.0, 23.0), "undecided"),
        (Simulated(23.0, 21.0, 25.0), "disagrees"),
        (Simulated(5.0, 4.0, 6.0), "disagrees"),
        (Simulated(30.0, 22.0, 38.0), "disagrees"),  # in the hole between the two ranges
        (Simulated(30.0, 22.0, 41.0), "undecided"),
        (Simulated(45.0, 44.0, 46.0), "agrees"),
        (Simulated(30.0, math.nan, math.nan), "disagrees"),
        (Simulated(15.0, math.nan, math.nan), "agrees"),
        (Simulated(math.nan, math.nan, math.nan), "no data"),
    ],
)
def test_verdicts_on_ranges(value, expected):
    assert verdict(value, Within((Accepted(10.0, 20.0), Accepted(40.0, 50.0)))) == expected


@pytest.mark.parametrize(
    ("value", "most", "expected"),
    [
        # All that the value may be, intervals included, is below or above what is accepted.
        (Simulated(5.0, 4.0, 6.0), Simulated(8.0, 7.0, 9.0), "disagrees"),
        (Simulated(25.0, 21.0, 29.0), Simulated(90.0, 80.0, 99.0), "disagrees"),
        # It may be accepted, or not: nobody knows.
        (Simulated(5.0, 4.0, 6.0), Simulated(8.0, 5.0, 11.0), "not judged"),
        (Simulated(15.0, 14.0, 16.0), Simulated(90.0, 80.0, 99.0), "not judged"),
        (
            Simulated(math.nan, math.nan, math.nan),
            Simulated(math.nan, math.nan, math.nan),
            "not judged",
        ),
    ],
)
def test_what_is_only_the_least_of_a_value_never_agrees(value, most, expected):
    assert verdict(value, Undivided((Accepted(10.0, 20.0),), most)) == expected


@pytest.mark.parametrize(
    ("value", "otherwise", "expected"),
    [
        (Simulated(15.0, 14.0, 16.0), Simulated(12.0, 11.0, 13.0), "agrees"),
        (Simulated(15.0, 14.0, 16.0), Simulated(30.0, 29.0, 31.0), "open"),
        (Simulated(30.0, 29.0, 31.0), Simulated(15.0, 14.0, 16.0), "open"),
        (Simulated(30.0, 29.0, 31.0), Simulated(5.0, 4.0, 6.0), "disagrees"),
        (Simulated(21.0, 19.0, 23.0), Simulated(15.0, 14.0, 16.0), "open"),
        (Simulated(21.0, 19.0, 23.0), Simulated(9.0, 8.0, 11.0), "undecided"),
        (Simulated(math.nan, math.nan, math.nan), Simulated(15.0, 14.0, 16.0), "open"),
    ],
)
def test_a_figure_that_is_read_in_two_ways_needs_the_same_verdict_twice(value, otherwise, expected):
    assert verdict(value, EitherWay((Accepted(10.0, 20.0),), otherwise)) == expected


def test_nothing_is_judged_where_nothing_is_accepted():
    assert verdict(Simulated(1.0, 0.0, 2.0), None) == "not judged"


@pytest.mark.parametrize(
    ("value", "sign", "expected"),
    [
        (Simulated(0.5, 0.1, 0.9), 1, "agrees"),
        (Simulated(0.5, 0.1, 0.9), -1, "disagrees"),
        (Simulated(-0.5, -0.9, -0.1), -1, "agrees"),
        (Simulated(0.5, -0.1, 1.1), 1, "undecided"),
        (Simulated(0.5, math.nan, math.nan), 1, "no data"),
    ],
)
def test_verdicts_on_a_sign(value, sign, expected):
    assert verdict(value, Sign(sign)) == expected


def test_the_interval_is_students():
    # Mean 3, standard deviation 1, n = 3; the 97.5 % quantile of t with 2 degrees is 4.302653.
    half = 4.302653 / math.sqrt(3)
    assert simulated(np.array([2.0, 3.0, 4.0, np.nan])) == pytest.approx((3.0, 3 - half, 3 + half))


def test_the_distance_is_the_largest_gap_of_the_cumulative_shares():
    # Cumulative 0.2, 0.5, 1 against 0.14, 0.42, 0.82 of 0.82, that is 0.1707, 0.5122, 1.
    assert distance([0.2, 0.3, 0.5], [0.14, 0.28, 0.40]) == pytest.approx(0.2 - 0.14 / 0.82)
    assert distance([2.0, 3.0, 5.0], [0.2, 0.3, 0.5]) == pytest.approx(0.0)
    assert distance([1.0, 0.0, 0.0], [0.0, 0.0, 1.0]) == pytest.approx(1.0)
    assert math.isnan(distance([math.nan, math.nan], [0.5, 0.5]))


def _levels(*means):
    """Twenty replications of a course with the given means, and a little noise that cancels."""
    noise = np.resize([0.01, -0.01], (20, 1)) * np.arange(1, len(means) + 1)
    return np.array(means) + noise


def _verdict(order):
    return verdict(order.ends, order)


def test_an_order_agrees_if_the_ends_differ_and_no_step_goes_down():
    (order,) = orders([_levels(1.0, 2.0, 2.0, 3.0)])
    assert _verdict(order) == "agrees"
    assert order.ends.mean == pytest.approx(2.0)
    assert order.better == ((0, 1), (2, 3))
    assert order.worse == ()


def test_an_order_disagrees_if_a_step_goes_down():
    (order,) = orders([_levels(1.0, 3.0, 2.0)])
    assert (order.worse, order.better) == (((1, 2),), ((0, 1),))
    assert _verdict(order) == "disagrees"


def test_an_order_disagrees_if_the_highest_level_is_worse_than_the_lowest():
    assert _verdict(Order(Simulated(-1.0, -1.5, -0.5), (), ())) == "disagrees"


def test_an_order_is_undecided_if_nothing_is_certain():
    noise = np.random.default_rng(1).normal(size=(10, 3))
    (order,) = orders([noise])
    assert _verdict(order) == "undecided"


def test_orders_are_one_family_of_tests():
    """An order that is certain alone may not be so among many comparisons."""
    generator = np.random.default_rng(5)
    weak = np.column_stack([np.zeros(10), 0.9 + generator.normal(size=10)])
    assert _verdict(orders([weak])[0]) == "agrees"
    noise = [generator.normal(size=(10, 2)) for _ in range(60)]
    assert _verdict(orders([weak, *noise])[0]) == "undecided"
