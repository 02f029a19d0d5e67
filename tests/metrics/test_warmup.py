"""MSER-5 and Welch's moving average by hand and on a synthetic transient."""

import numpy as np
import pandas as pd
import pytest

from sim.metrics import mser5, welch


def test_mser5_by_hand():
    # Batch means 10, 2, 4, 2, 4; at most two batches may go.
    # d = 0: mean 4.4, squares 31.36 + 5.76 + 0.16 + 5.76 + 0.16 = 43.2; / 25 = 1.728
    # d = 1: mean 3, squares 4; / 16 = 0.25
    # d = 2: mean 10/3, squares 8/3; / 9 = 0.296
    series = np.repeat([10.0, 2.0, 4.0, 2.0, 4.0], 5)
    noise = np.tile([-2.0, -1.0, 0.0, 1.0, 2.0], 5)  # leaves the batch means as they are
    assert mser5(series + noise) == 5
    assert mser5([*(series + noise), 1e6, 1e6]) == 5  # an incomplete batch at the end


def test_mser5_deletes_a_transient_and_little_more():
    # 60 weeks of a transient that ends at 0 exactly, then noise of standard deviation 1.
    rng = np.random.default_rng(8)
    series = rng.normal(0.0, 1.0, 400)
    series[:60] += np.linspace(30.0, 0.0, 60, endpoint=False)
    # The truncated mean is worth its bias: what is kept of the transient is below about 2.
    assert 50 <= mser5(series) <= 80


def test_mser5_leaves_a_steady_series_alone():
    assert mser5(np.ones(100)) == 0
    assert mser5(np.tile([0.0, 1.0], 50)) == 0


def test_mser5_deletes_at_most_half():
    assert mser5(np.linspace(0.0, 1.0, 100)) == 50  # no steady state: as much as it may


def test_mser5_passes_over_missing_observations():
    series = np.repeat([10.0, 2.0, 4.0, 2.0, 4.0], 5)
    series[[0, 7, 11, 19]] = np.nan  # no batch mean changes
    assert mser5(series) == 5
    series[:5] = np.nan  # nothing known of the first batch: it makes no difference
    # d = 0 and 1: mean 3, squares 4; / 16 = 0.25. d = 2: 0.296.
    assert mser5(series) == 0
    # Nothing known of the second half: 10, 2, 2 with squares 42.7; / 9 = 4.7 against 0 / 4.
    assert mser5([10.0] * 5 + [2.0] * 10 + [np.nan] * 20) == 5


@pytest.mark.parametrize("series", [[], [1.0], [5.0, 1.0, 1.0, 1.0, 1.0, 1.0, 1.0], [np.nan] * 20])
def test_mser5_says_nothing_of_a_series_that_is_too_short(series):
    assert mser5(series) == 0


def test_two_batches_cannot_be_compared():
    # One batch alone has no spread; that is no reason to delete the other.
    assert mser5(np.repeat([10.0, 2.0], 5)) == 0


WEEKLY = pd.DataFrame(
    {
        "replication": np.repeat([0, 1], 6),
        "week": np.tile(np.arange(6), 2),
        "lead_time_h": [10.0, 2.0, 6.0, 4.0, 8.0, 4.0, 14.0, 4.0, np.nan, 8.0, 4.0, 8.0],
    }
)  # means 12, 3, 6, 6, 6, 6


def test_welch_by_hand():
    smooth = welch(WEEKLY, 1, "lead_time_h")
    expected = pd.DataFrame(
        {
            "mean": [12.0, 3.0, 6.0, 6.0, 6.0, 6.0],
            "moving_average": [12.0, 7.0, 5.0, 6.0, 6.0, np.nan],
        },
        index=pd.RangeIndex(6, name="week"),
    )
    pd.testing.assert_frame_equal(smooth, expected, check_index_type=False)
    # Near the beginning the window narrows: week 1 takes 0 to 2, week 2 takes 0 to 4.
    wider = welch(WEEKLY, 2, "lead_time_h")["moving_average"]
    np.testing.assert_allclose(wider, [12.0, 7.0, 33 / 5, 27 / 5, np.nan, np.nan])


def test_welch_passes_over_a_week_in_which_no_replication_has_a_value():
    weekly = WEEKLY.rename(columns={"lead_time_h": "value"})
    weekly.loc[weekly["week"] == 3, "value"] = np.nan
    average = welch(weekly, 1)["moving_average"]
    np.testing.assert_allclose(average, [12.0, 7.0, 4.5, 6.0, 6.0, np.nan])
    alone = welch(weekly, 0)["moving_average"]
    np.testing.assert_allclose(alone, [12.0, 3.0, 6.0, np.nan, 6.0, 6.0])


def test_a_half_width_is_not_negative():
    with pytest.raises(ValueError, match="half-width"):
        welch(WEEKLY, -1, "lead_time_h")
