"""Main effects by hand, and which axis is said to do most."""

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sim.experiment.axes import Axis, Interval
from sim.experiment.main_effects import MainEffect, level_means, main_effects
from sim.metrics.catalogue import NUMBER

TWO = (Axis("automation", (0, 1)), Axis("practice/testing", ("none", "full")))


def points(axes: tuple[Axis, ...]) -> pd.DataFrame:
    """Return the points of a grid."""
    index = pd.MultiIndex.from_product([axis.listed or () for axis in axes])
    return index.to_frame(index=False).set_axis([axis.key for axis in axes], axis="columns")


def on_grid(axes: tuple[Axis, ...], values: np.ndarray) -> list[MainEffect]:
    return main_effects("grid", axes, points(axes), values)


def test_effects_of_a_grid_by_hand() -> None:
    # Replications of the points (0, none), (0, full), (1, none), (1, full). Automation: 9 and 7
    # against 4 and 2 on average over testing, the differences are -5, -4 and -6; testing: -2 each
    # but for the last, -1.
    values = np.array([[10.0, 9, 11], [8, 7, 10], [5, 5, 5], [3, 3, 4]])
    automation, testing = on_grid(TWO, values)
    assert (automation.axis, automation.start, automation.end) == (0, 0, 1)
    assert (testing.axis, testing.start, testing.end) == (1, "none", "full")
    each = np.array([4 - 9.0, 4 - 8.0, 4.5 - 10.5])
    assert automation.difference == pytest.approx(each.mean())
    # One pair of values of each of two axes: Bonferroni's intervals have 97.5 % each.
    half = stats.t.ppf(0.9875, 2) * stats.sem(each)
    assert (automation.low, automation.high) == pytest.approx(
        (each.mean() - half, each.mean() + half)
    )
    assert testing.difference == pytest.approx((-2 - 2 - 1) / 3)


def test_the_farthest_values_of_an_axis_are_compared_in_their_order() -> None:
    axes = (Axis("practice/testing", ("none", "basic", "full")),)
    values = np.array([[5.0, 6, 7, 6], [9, 10, 11, 11], [2, 3, 4, 3]])
    (effect,) = on_grid(axes, values)
    assert (effect.start, effect.end) == ("basic", "full")
    assert effect.difference == pytest.approx(3.0 - 10.25)


def test_like_is_compared_with_like() -> None:
    # Without the point of 40, its testing is left out at all automations, and its automation at all
    # testings.
    values = np.array([[10.0] * 6, [20] * 6, [30] * 6, [np.nan] * 6])
    found = {effect.axis: effect for effect in on_grid(TWO, values)}
    assert (found[0].at_start, found[0].at_end) == (10.0, 30.0)
    assert (found[1].at_start, found[1].at_end) == (10.0, 20.0)
    assert level_means(TWO, points(TWO), values, 0, NUMBER).mean.tolist() == [10.0, 30.0]


def test_a_grid_with_gaps_is_compared_where_it_is_whole() -> None:
    axes = (Axis("automation", (0, 1, 1.5)), Axis("practice/testing", ("none", "basic", "full")))
    # Without (1, full), and without the whole of 1.5. The points need not be in any order.
    there = points(axes).drop(index=[5, 6, 7, 8])
    values = np.array([10.0, 20, 900, 31, 45])[:, np.newaxis] + np.array([0.0, 1, 2, 3])
    for order in ([0, 1, 2, 3, 4], [4, 2, 0, 3, 1]):
        shuffled = there.iloc[order].reset_index(drop=True)
        testing, automation = main_effects("grid", axes, shuffled, values[order])
        # Testing by automation 0 alone, as 1 has no `full`; (31 + 45) / 2 against (10 + 20) / 2.
        assert (testing.axis, testing.start, testing.end) == (1, "none", "full")
        assert testing.difference == pytest.approx(890.0)
        assert (automation.axis, automation.start, automation.end) == (0, 0, 1)
        assert automation.difference == pytest.approx(38.0 - 15.0)
        levels = level_means(axes, shuffled, values[order], 0, NUMBER).mean
        assert levels == pytest.approx([16.5, 39.5, np.nan], nan_ok=True)


@pytest.mark.parametrize("design", ["grid", "random", "lhs", "adaptive"])
def test_a_metric_without_data_is_moved_by_nothing(design: str) -> None:
    listed = (Axis("automation", (0, 1)), Axis("standardization", (0, 1)))
    drawn = tuple(Axis(axis.key, Interval(0, 1)) for axis in listed)
    values = np.full((4, 3), np.nan)
    assert main_effects(design, listed if design == "grid" else drawn, points(listed), values) == []


def test_shared_luck_does_not_widen_an_effect_but_a_level() -> None:
    rng = np.random.default_rng(4)
    luck = rng.normal(0.0, 50.0, 12)
    values = np.array([[10.0], [8.0], [5.0], [3.0]]) + luck + rng.normal(0.0, 0.1, (4, 12))
    automation, testing = on_grid(TWO, values)
    assert automation.is_clear
    assert testing.is_clear
    assert automation.may_be_largest
    assert not testing.may_be_largest
    level = level_means(TWO, points(TWO), values, 0, NUMBER)
    assert (level.high - level.low).min() > 20.0


@pytest.mark.parametrize("replications", [1, 2])
def test_two_replications_say_nothing(replications: int) -> None:
    values = np.array([[10.0], [8.0], [5.0], [3.0]]) * np.ones(replications)
    for effect in on_grid(TWO, values):
        assert math.isnan(effect.low)
        assert effect.may_be_largest
        assert not effect.is_clear


def test_an_axis_is_rarely_said_to_do_most_if_it_does_not() -> None:
    # Two axes do the same: whichever is said to do more, is wrong. Differences are skewed.
    rng = np.random.default_rng(5)
    repetitions, wrong, clear = 600, 0, 0
    base = np.array([10.0, 8.0, 8.0, 6.0])[:, np.newaxis]
    for _ in range(repetitions):
        luck = rng.gamma(1.0, 3.0, (1, 10))
        first, second = on_grid(TWO, base + luck + rng.gamma(1.0, 1.0, (4, 10)))
        wrong += not second.may_be_largest
        clear += first.is_clear
    assert wrong / repetitions <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / repetitions)
    assert clear / repetitions > 0.8


def sampled(n: int, seed: int) -> tuple[tuple[Axis, ...], pd.DataFrame]:
    """Return a sample of two intervals and a word."""
    rng = np.random.default_rng(seed)
    axes = (
        Axis("standardization", Interval(0.0, 1.0)),
        Axis("practice/testing", ("full", "none", "basic")),
        Axis("automation", Interval(10.0, 30.0)),
    )
    return axes, pd.DataFrame(
        {
            "standardization": rng.uniform(0.0, 1.0, n),
            "practice/testing": rng.choice(np.array(["none", "basic", "full"], object), n),
            "automation": rng.uniform(10.0, 30.0, n),
        }
    )


def test_words_and_numbers_of_a_sample_count_alike() -> None:
    # Testing takes off 10 h, standardization 3 h, whatever the order in which the words are listed.
    axes, places = sampled(30, 6)
    tested = places["practice/testing"].map({"none": 0.0, "basic": -6.0, "full": -10.0})
    ranks = (places["standardization"].rank() - 1.0) / 29.0
    values = (50.0 + tested - 3.0 * ranks).to_numpy()[:, np.newaxis] + np.zeros(4)
    noise = np.random.default_rng(7).normal(0.0, 0.3, (30, 4))
    first, second, third = main_effects("lhs", axes, places, values + noise)
    assert (first.axis, first.start, first.end) == (1, "full", "none")
    assert first.difference == pytest.approx(10.0, abs=0.5)
    assert first.low < 10.0 < first.high
    assert second.axis == 0
    assert second.start == places["standardization"].min()
    assert second.end == places["standardization"].max()
    assert second.difference == pytest.approx(-3.0, abs=0.5)
    assert [each.may_be_largest for each in (first, second, third)] == [True, False, False]
    assert first.is_clear
    assert second.is_clear
    assert not third.is_clear


def test_too_few_points_for_the_model_say_nothing() -> None:
    # A constant, two coefficients of words and one of each number take ten points.
    axes, places = sampled(10, 8)
    values = np.arange(30.0).reshape(10, 3) ** 2
    assert len(main_effects("random", axes, places, values)) == 3
    assert main_effects("random", axes, places.iloc[:9], values[:9]) == []
    assert main_effects("zip", axes, places, values) == []


def test_the_model_of_a_sample_is_not_believed_beyond_its_points() -> None:
    # The two numbers do the same, and something else, that no line is fitted to, moves the metric.
    repetitions, wrong = 400, 0
    for seed in range(repetitions):
        axes, places = sampled(24, 100 + seed)
        first, second = places["standardization"], (places["automation"] - 10.0) / 20.0
        values = 10.0 * first + 10.0 * second + 8.0 * np.sin(20.0 * first * second)
        effects = main_effects("lhs", axes, places, values.to_numpy()[:, np.newaxis] + np.zeros(3))
        named = [effect.axis for effect in effects if effect.may_be_largest]
        wrong += named in ([0], [2], [1])
    assert wrong / repetitions <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / repetitions)
