"""Draws by distributions and weights: marginals, frequencies, and what stays when others change."""

import math

import numpy as np
import pytest
from scipy import stats

from sim.experiment.axes import Axis, Drawn, Interval, Weights, chances
from sim.experiment.designs import Design, points
from sim.scenario.errors import ScenarioError

LOGNORMAL = {"dist": "lognormal", "mean": 12, "cv": 2}
PERT = {"dist": "pert", "low": 0.2, "mode": 0.41, "high": 0.7}
WEIGHTS = {"startup": 5, "midsize": 3, "enterprise": 2}
AXES = [
    Axis("a", chances("a", LOGNORMAL)),
    Axis("b", chances("b", PERT)),
    Axis("c", chances("c", WEIGHTS)),
    Axis("d", Interval(0, 1)),
]
SIGMA = math.sqrt(math.log(1 + 2**2))
"""Of a lognormal with cv 2: cv² = exp(sigma²) - 1."""
BY_CHANCES: list[Design] = ["random", "lhs", "sobol"]


def column(design: Design, place: int, samples: int = 1024, seed: int = 11) -> list[object]:
    return [point[place] for point in points(AXES, design, samples, seed)]


@pytest.mark.parametrize("design", BY_CHANCES)
def test_marginals_are_those_that_were_asked_for(design: Design) -> None:
    lognormal = stats.lognorm(SIGMA, scale=12 * math.exp(-(SIGMA**2) / 2))
    # PERT is a beta distribution with the mode weighted four times.
    a, b = 1 + 4 * (0.41 - 0.2) / 0.5, 1 + 4 * (0.7 - 0.41) / 0.5
    pert = stats.beta(a, b, loc=0.2, scale=0.5)
    for place, expected in enumerate((lognormal, pert)):
        drawn = np.array(column(design, place), dtype=float)
        # In Saltelli's sample values come again, so that a test of independent draws is too strict
        # there: it compares the two halves that are not mixed.
        independent = drawn if design != "sobol" else drawn.reshape(1024, 6)[:, 0]
        assert stats.kstest(independent, expected.cdf).pvalue > 0.01


def test_a_latin_hypercube_hits_each_part_of_a_distribution_once() -> None:
    drawn = np.array(column("lhs", 0, samples=50), dtype=float)
    places = stats.lognorm(SIGMA, scale=12 * math.exp(-(SIGMA**2) / 2)).cdf(drawn)
    assert sorted((places * 50).astype(int)) == list(range(50))


@pytest.mark.parametrize("design", ["random", "lhs"])
def test_values_are_as_frequent_as_their_weights(design: Design) -> None:
    drawn = column(design, 2, samples=1000)
    counts = [drawn.count(name) for name in WEIGHTS]
    assert sum(counts) == 1000
    if design == "lhs":  # a part of each axis for each point: exact, but for the parts at two edges
        assert counts == pytest.approx([500, 300, 200], abs=1)
    else:
        assert stats.chisquare(counts, [500, 300, 200]).pvalue > 0.01


def test_weights_take_up_their_part_of_the_unit_interval_in_their_order() -> None:
    weights = chances("key", {"a": 1, "b": 2, "never": 0, "c": 1})
    assert weights == Weights(("a", "b", "c"), (0.25, 0.5, 0.25))
    places = [0.0, 0.2499, 0.25, 0.7499, 0.75, 1.0]
    assert [weights.at(place) for place in places] == ["a", "a", "b", "b", "c", "c"]


def test_whole_numbers_of_a_distribution_are_rounded() -> None:
    drawn = chances("key", {"dist": "uniform", "low": 0.5, "high": 3.5, "whole": True})
    values = [drawn.at(place) for place in np.linspace(0.001, 0.999, 300)]
    assert {type(value) for value in values} == {int}
    assert [values.count(number) for number in (1, 2, 3)] == [100, 100, 100]


def test_the_ends_of_a_distribution_are_finite_and_above_zero() -> None:
    drawn = chances("key", LOGNORMAL)
    assert isinstance(drawn, Drawn)
    assert 0 < drawn.at(0.0) < drawn.at(1.0) < math.inf


def test_a_random_point_is_the_same_whatever_the_number_of_samples() -> None:
    assert list(points(AXES, "random", 40, 7)) == list(points(AXES, "random", 400, 7))[:40]
    assert list(points(AXES, "random", 40, 8)) != list(points(AXES, "random", 40, 7))


def test_a_random_draw_of_a_key_is_the_same_whatever_other_keys_are_drawn() -> None:
    fewer = [AXES[3], AXES[1]]
    alone = [point[1] for point in points(fewer, "random", 40, 7)]
    assert alone == column("random", 1, samples=40, seed=7)


def test_random_draws_of_two_keys_are_independent() -> None:
    one, other = (np.array(column("random", place), dtype=float) for place in (0, 1))
    assert stats.spearmanr(one, other).pvalue > 0.01


@pytest.mark.parametrize("design", ["grid", "zip", "morris"])
def test_other_designs_know_no_chances(design: Design) -> None:
    with pytest.raises(ScenarioError, match=f"a: {design} does not draw by chances; take design="):
        points(AXES[:1], design, 4, 1)


@pytest.mark.parametrize(
    ("said", "message"),
    [
        ({"dist": "lognormal", "mean": 12}, r"key\.cv: Field required"),
        ({"dist": "lognormal", "mean": -1, "cv": 1}, r"key\.mean: Input should be greater"),
        ({"dist": "normal", "mean": 1}, "key: .*'normal'"),
        ({"dist": "uniform", "low": 2, "high": 1}, "key: needs low < high"),
        ({"dist": "uniform", "low": 1, "high": 2, "whole": 3}, r"key\.whole: 3 is not allowed"),
        ({"a": -1, "b": 2}, "key: the weight of 'a' is -1; a number of at least 0"),
        ({"a": "often"}, "key: the weight of 'a' is 'often'"),
        ({"a": True}, "key: the weight of 'a' is True"),
        ({"a": math.inf}, "key: the weight of 'a' is inf"),
        ({"a": 0}, "key: no value has a weight above 0"),
        ({}, "key: no value has a weight above 0"),
        ({"values": [{}, 1], "weights": [1]}, "key: each value needs a weight; write"),
        ({"values": 3, "weights": [1]}, "key: each value needs a weight; write"),
    ],
)
def test_what_is_no_chance_is_refused(said: dict[str, object], message: str) -> None:
    with pytest.raises(ScenarioError, match=message):
        chances("key", said)
