"""The population: weights, and means over it."""

import numpy as np
import pytest

from sim.validation.population import (
    LARGE_FIRM,
    LEVELS,
    MICROSOFT,
    PRESETS_IN,
    SIZES,
    Simulation,
    cells,
    over_population,
    places,
    weights,
)


def test_weights_are_those_of_the_survey_and_add_up_to_one():
    of_cell = weights()
    assert len(of_cell) == 20
    assert sum(of_cell.values()) == pytest.approx(1.0)
    # DORA 2019: 12 low, 44 medium, 23 high, 20 elite, of 99.
    of_level = {
        level: sum(w for cell, w in of_cell.items() if cell.maturity == level) for level in LEVELS
    }
    assert list(of_level.values()) == pytest.approx([12 / 99, 44 / 99, 23 / 99, 10 / 99, 10 / 99])
    assert of_cell[Simulation("startup", "microsoft_1")] == pytest.approx(44 / 99 / 4)


def test_everything_that_is_weighted_is_simulated():
    simulated = cells()
    assert len(set(simulated)) == len(simulated)
    assert set(weights()) <= set(simulated)
    assert Simulation(*LARGE_FIRM) in simulated
    for name, place in places().items():
        assert place.name == name
        assert set(place.weights) <= set(simulated), name
        assert sum(place.weights.values()) == pytest.approx(1.0), name
    assert {cell.organization for cell in simulated} == set(SIZES)
    assert {Simulation(PRESETS_IN, level) for level in MICROSOFT} <= set(simulated)


def test_the_mean_over_the_population_is_weighted_replication_by_replication():
    one, other = Simulation("a", "x"), Simulation("b", "y")
    values = {one: np.array([1.0, 2.0, np.nan]), other: np.array([5.0, np.nan, np.nan])}
    means = over_population(values.__getitem__, {one: 0.75, other: 0.25})
    # Where one of them has no value the other counts alone.
    np.testing.assert_allclose(means, [2.0, 2.0, np.nan])


def test_distributions_are_averaged_bin_by_bin():
    one, other = Simulation("a", "x"), Simulation("b", "y")
    values = {one: np.array([[1.0, 0.0]]), other: np.array([[0.0, 1.0]])}
    means = over_population(values.__getitem__, {one: 0.75, other: 0.25})
    np.testing.assert_allclose(means, [[0.75, 0.25]])
