"""The intervals of records: how weeks are drawn, and how often the truth is covered."""

import numpy as np
import pytest
from scipy import stats

from sim.measure.bootstrap import block_length, drawn_weeks, ends, n_weeks, weeks_of


def test_each_resample_has_as_many_weeks_and_none_is_preferred() -> None:
    draws = drawn_weeks(40)
    assert (draws.sum(axis=1) == 40).all()
    # A week is drawn 400 times on average; neighbours are drawn together, so that counts spread
    # more than independent ones, by about twice the length of a block.
    spread = np.sqrt(400 * 2 * block_length(40))
    assert (np.abs(draws.sum(axis=0) - 400) < 4 * spread).all()


def test_blocks_are_runs_of_neighbours_of_the_length_asked_for() -> None:
    n = 64
    draws = drawn_weeks(n)
    # In a resample a week is followed by its neighbour unless its block ends: with 1 - 1 / length.
    together = (draws * np.roll(draws, -1, axis=1)).sum() / (draws**2).sum()
    assert block_length(n) == 8
    assert 0.7 < together < 0.95


@pytest.mark.parametrize(("correlation", "least"), [(0.0, 0.90), (0.4, 0.88)])
def test_the_mean_of_weeks_is_covered_about_as_often_as_promised(
    correlation: float, least: float
) -> None:
    rng = np.random.default_rng(3)
    draws = drawn_weeks(104)
    covered = 0
    for _ in range(400):
        weeks = rng.normal(size=154)
        for place in range(1, 154):
            weeks[place] += correlation * weeks[place - 1]
        weeks = 100.0 + weeks[50:]
        low, high = ends(draws @ weeks / 104, weeks.mean(), 104)
        covered += low < 100.0 < high
    assert stats.binomtest(covered, 400).proportion_ci().low < 0.96
    assert covered / 400 > least


def test_weeks_of_a_window() -> None:
    window = (24.0, 24.0 + 3 * 168 + 20)
    assert n_weeks(window) == 3
    assert weeks_of(np.array([24.0, 191.9, 192.0, window[1] - 0.1]), window).tolist() == [
        0,
        0,
        1,
        2,
    ]


def test_what_has_no_value_in_many_resamples_has_no_interval() -> None:
    values = np.arange(100.0)
    values[:10] = np.nan
    assert np.isnan(ends(values, 50.0, 30)).all()
    low, high = ends(np.arange(101.0), 50.0, 30)
    assert 0.0 < low < 2.5
    assert high > 97.5
    assert ends(np.arange(101.0) / 101, 0.5, 30, highest=1.0)[1] <= 1.0
    assert ends(np.zeros(10), 0.0, 30) == (0.0, 0.0)
