"""Student's intervals against scipy and by hand."""

import numpy as np
import pandas as pd
import pytest
from scipy import stats

from sim.experiment.intervals import summarize


@pytest.mark.parametrize("confidence", [0.5, 0.9, 0.95, 0.99])
def test_intervals_are_those_of_student(confidence):
    rng = np.random.default_rng(3)
    values = rng.lognormal(2.0, 1.0, 12)
    runs = pd.DataFrame({"replication": range(12), "lead_time_h": values})
    row = summarize(runs, confidence).loc["lead_time_h"]
    low, high = stats.t.interval(confidence, df=11, loc=values.mean(), scale=stats.sem(values))
    assert tuple(row) == pytest.approx((values.mean(), low, high, 12))


def test_a_textbook_interval():
    # 1, 2, 3: mean 2, s = 1, t with 2 degrees of freedom 4.30265: 2 -+ 4.30265 / sqrt(3).
    summary = summarize(pd.DataFrame({"replication": [0, 1, 2], "x": [1.0, 2.0, 3.0]}))
    assert tuple(summary.loc["x"]) == pytest.approx((2.0, -0.48414, 4.48414, 3), abs=1e-5)


def test_replications_without_a_value_are_left_out_and_n_says_so():
    runs = pd.DataFrame(
        {
            "replication": [0, 1, 2, 3],
            "scenario": ["a", "a", "a", "a"],
            "complete": [1.0, 2.0, 3.0, 4.0],
            "partly": [1.0, np.nan, 3.0, np.nan],
            "once": [np.nan, 7.0, np.nan, np.nan],
            "never": [np.nan] * 4,
            "constant": [2, 2, 2, 2],
        }
    )
    summary = summarize(runs)
    assert list(summary.index) == ["complete", "partly", "once", "never", "constant"]
    assert summary.index.name == "metric"
    assert list(summary.columns) == ["mean", "ci_low", "ci_high", "n"]
    assert list(summary["n"]) == [4, 2, 1, 0, 4]
    assert list(summary["mean"].iloc[:3]) == [2.5, 2.0, 7.0]
    assert tuple(summary.loc["constant"]) == (2.0, 2.0, 2.0, 4)
    # With one degree of freedom t is the tangent of 0.475 pi = 12.7062, and s / sqrt(2) = 1.
    assert summary.loc["partly", "ci_high"] == pytest.approx(2.0 + np.tan(0.475 * np.pi))
    assert summary.loc["once", ["ci_low", "ci_high"]].isna().all()
    assert summary.loc["never", ["mean", "ci_low", "ci_high"]].isna().all()


def test_no_replications_at_all():
    summary = summarize(pd.DataFrame({"replication": [], "x": pd.Series([], dtype=float)}))
    assert summary.loc["x", "n"] == 0
    assert np.isnan(summary.loc["x", "mean"])


@pytest.mark.parametrize("confidence", [0.0, 1.0, 95.0])
def test_the_confidence_is_a_probability(confidence):
    with pytest.raises(ValueError, match="between 0 and 1"):
        summarize(pd.DataFrame({"x": [1.0]}), confidence)
