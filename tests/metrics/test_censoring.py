"""Medians of durations that are not over, against closed forms and SciPy's estimator."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

from sim.metrics.censoring import kaplan_meier_median


@given(
    st.lists(st.tuples(st.integers(0, 12), st.booleans(), st.integers(0, 3)), max_size=25),
)
@settings(deadline=None, max_examples=200)
def test_it_is_where_scipys_survival_curve_falls_to_one_half(
    rows: list[tuple[int, bool, int]],
) -> None:
    hours = np.array([row[0] for row in rows], dtype=float)
    is_over = np.array([row[1] for row in rows], dtype=bool)
    weights = np.array([row[2] for row in rows], dtype=float)
    found = kaplan_meier_median(hours, is_over, weights)
    times = np.repeat(hours, weights.astype(int))
    over = np.repeat(is_over, weights.astype(int))
    assert found == pytest.approx(kaplan_meier_median(times, over), nan_ok=True)
    if not over.any():
        assert np.isnan(found)
        return
    data = stats.CensoredData(uncensored=times[over], right=times[~over])
    curve = stats.ecdf(data).sf
    at = curve.quantiles[curve.probabilities <= 0.5 + 1e-9]
    below = curve.quantiles[curve.probabilities < 0.5 - 1e-9]
    ends = np.unique(times[over])
    at, below = at[np.isin(at, ends)], below[np.isin(below, ends)]
    if not at.size:
        assert np.isnan(found)
    elif below.size:
        assert found == pytest.approx((at[0] + below[0]) / 2)
    else:
        assert found == at[0]


@given(st.lists(st.floats(0, 1e4), min_size=1, max_size=40))
@settings(deadline=None)
def test_with_everything_over_it_is_the_median(hours: list[float]) -> None:
    values = np.array(hours)
    over = np.ones(values.size, dtype=bool)
    assert kaplan_meier_median(values, over) == pytest.approx(np.median(values))


def test_it_finds_the_true_median_where_leaving_out_what_is_open_does_not() -> None:
    rng = np.random.default_rng(7)
    hours, watched = rng.exponential(10.0, 20_000), rng.uniform(0.0, 30.0, 20_000)
    is_over = hours <= watched
    truth = 10.0 * np.log(2.0)
    error = 1.0 / (0.5 * np.sqrt(is_over.sum())) * 10.0 * 0.5  # of a median, at density 1/20
    found = kaplan_meier_median(np.minimum(hours, watched), is_over)
    assert abs(found - truth) < 4.0 * error
    assert np.median(hours[is_over]) < truth - 20.0 * error
