"""Paired comparisons against scipy and by hand, and Holm's method against worked examples."""

import math

import little_sweeps
import numpy as np
import pandas as pd
import pytest
from scipy import stats

import sim
from sim.experiment.compare import Comparison
from sim.experiment.holm import adjusted_p_values, levels
from sim.experiment.intervals import Estimates, estimate, interval, p_value
from sim.scenario.from_data import validate


def comparison(**arms: dict[str, list[float]]) -> Comparison:
    """Return a comparison of made-up numbers: metrics by arm."""
    frames = [pd.DataFrame(metrics) for metrics in arms.values()]
    for arm, frame in zip(arms, frames, strict=True):
        frame.insert(0, "arm", arm)
        frame.insert(1, "replication", range(len(frame)))
    runs = pd.concat(frames, ignore_index=True)
    return Comparison(dict.fromkeys(arms), 1, runs)  # type: ignore[arg-type]  # no scenarios


def small(**parts: object) -> sim.scenario.organization.Scenario:
    teams = {"team": {"people": {"ml_engineer": 1, "data_scientist": 2}}}
    return validate(little_sweeps.small(**{"horizon_weeks": 6, "teams": teams, **parts}))


def test_differences_by_hand() -> None:
    # Differences 1, 2, 3: mean 2, s = 1; t = 2 / (1 / sqrt 3) = 3.4641 with two degrees of freedom,
    # of which P(|t| > x) = 1 - x / sqrt(x^2 + 2) = 0.07418. Quantile 4.30265.
    made = comparison(
        low={"lead_time_h": [10.0, 20.0, 30.0], "n": [1.0, 1.0, 1.0]},
        high={"lead_time_h": [11.0, 22.0, 33.0], "n": [1.0, 1.0, 1.0]},
    )
    row = made.differences(metrics=["lead_time_h"]).loc[("high", "lead_time_h")]
    assert (row["mean_first"], row["mean"], row["difference"]) == (20.0, 22.0, 2.0)
    assert row["n"] == 3
    assert row["ci_low"] == pytest.approx(2.0 - 4.30265 / math.sqrt(3.0), abs=1e-5)
    assert row["ci_high"] == pytest.approx(2.0 + 4.30265 / math.sqrt(3.0), abs=1e-5)
    assert row["p_value"] == pytest.approx(0.07418, abs=1e-5)
    # A single test needs no adjustment.
    assert row["adjusted_p_value"] == row["p_value"]
    assert (row["adjusted_low"], row["adjusted_high"]) == (row["ci_low"], row["ci_high"])


def test_p_values_are_those_of_scipy() -> None:
    rng = np.random.default_rng(5)
    first, other = rng.normal(10.0, 3.0, (2, 12))
    other += 1.0
    made = comparison(a={"x": list(first)}, b={"x": list(other)})
    row = made.differences(confidence=0.9).loc[("b", "x")]
    expected = stats.ttest_rel(other, first)
    assert row["p_value"] == pytest.approx(expected.pvalue)
    low, high = expected.confidence_interval(0.9)
    assert (row["ci_low"], row["ci_high"]) == pytest.approx((low, high))
    shifted = estimate((other - first)[:, np.newaxis])
    against_two = stats.ttest_1samp(other - first, 2.0).pvalue
    assert p_value(shifted, 2.0)[0] == pytest.approx(against_two)


def test_only_pairs_in_which_both_are_known_count() -> None:
    nan = math.nan
    made = comparison(
        a={"x": [1.0, 2.0, nan, 4.0, 4], "never": [nan] * 5, "once": [1.0, *[nan] * 4]},
        b={"x": [2.0, nan, 3.0, 7.0, 6], "never": [1.0] * 5, "once": [3.0] * 5},
    )
    frame = made.differences().loc["b"]
    assert list(frame["n"]) == [3, 0, 1]
    # 1 -> 2, 4 -> 7 and 4 -> 6
    assert tuple(frame.loc["x", ["mean_first", "mean", "difference"]]) == (3.0, 5.0, 2.0)
    assert frame.loc["once", "difference"] == 2.0
    assert frame.loc["never", ["mean_first", "difference", "p_value"]].isna().all()
    assert frame.loc["once", ["ci_low", "p_value", "adjusted_p_value"]].isna().all()
    # What is no test costs the others nothing.
    assert frame.loc["x", "adjusted_p_value"] == frame.loc["x", "p_value"]


def test_the_first_arm_is_the_reference_and_the_order_of_rows_does_not_matter() -> None:
    made = comparison(z={"x": [1.0, 2.0]}, a={"x": [3.0, 5.0]}, m={"x": [0.0, 0.0]})
    shuffled = Comparison(made.scenarios, 1, made.runs.sample(frac=1.0, random_state=1))
    frame = shuffled.differences()
    assert list(frame.index) == [("a", "x"), ("m", "x")]
    assert list(frame["difference"]) == [2.5, -1.5]
    pd.testing.assert_frame_equal(frame, made.differences())


def test_holm_by_hand() -> None:
    # Sorted 0.01, 0.03, 0.04 times 3, 2, 1: 0.03, 0.06, 0.04, and never less than the one before.
    assert adjusted_p_values(np.array([0.04, 0.01, 0.03])) == pytest.approx([0.06, 0.03, 0.06])
    assert adjusted_p_values(np.array([0.9, 0.8])) == pytest.approx([1.0, 1.0])
    # The smallest is rejected at 0.05 / 3; the second is not at 0.05 / 2, where the method stops.
    assert levels(np.array([0.04, 0.01, 0.03]), 0.05) == pytest.approx([0.025, 0.05 / 3, 0.025])
    # All rejected.
    assert levels(np.array([0.04, 0.001, 0.02]), 0.05) == pytest.approx([0.05, 0.05 / 3, 0.025])
    gap = np.array([math.nan, 0.02, 0.04])
    assert adjusted_p_values(gap)[1:] == pytest.approx([0.04, 0.04])
    assert levels(gap, 0.05) == pytest.approx([0.05, 0.025, 0.05])
    assert adjusted_p_values(np.array([])).size == levels(np.array([]), 0.05).size == 0


def test_an_interval_leaves_zero_out_exactly_if_holm_rejects() -> None:
    rng = np.random.default_rng(11)
    for _ in range(200):
        tests = rng.integers(1, 12)
        values = rng.normal(rng.choice([0.0, 0.5, 1.5], tests), 1.0, (8, tests))
        estimates = estimate(values)
        p = p_value(estimates)
        low, high = interval(estimates, 1.0 - levels(p, 0.05))
        rejected = adjusted_p_values(p) <= 0.05
        assert list(rejected) == list((low > 0.0) | (high < 0.0))


def test_where_nothing_differs_hardly_any_family_claims_something() -> None:
    # 1000 families of 15 true null hypotheses, independent: the probability of any false positive
    # is at most 5 %, and without adjustment 1 - 0.95^15 = 54 %. Four standard errors are 2.8 %.
    rng = np.random.default_rng(2)
    values = rng.normal(0.0, 1.0, (10, 1000 * 15))
    p = p_value(estimate(values)).reshape(1000, 15)
    assert (p < 0.05).any(axis=1).mean() == pytest.approx(1 - 0.95**15, abs=0.064)
    claimed = np.array([(adjusted_p_values(family) < 0.05).any() for family in p]).mean()
    assert claimed == pytest.approx(0.049, abs=0.028)


def test_no_adjustment() -> None:
    rng = np.random.default_rng(4)
    made = comparison(
        a={name: list(rng.normal(0.0, 1.0, 6)) for name in "xyz"},
        b={name: list(rng.normal(0.5, 1.0, 6)) for name in "xyz"},
    )
    plain = made.differences(adjust="none")
    assert (plain["adjusted_low"] == plain["ci_low"]).all()
    assert (plain["adjusted_p_value"] == plain["p_value"]).all()


def test_replications_that_agree_are_no_certainty() -> None:
    # Of five pairs all of which say more, or all less, 2 in 32 would if it were a matter of chance.
    same = Estimates(np.array([0.0, 2.0]), np.array([0.0, 0.0]), np.array([5, 5]))
    assert list(p_value(same)) == [1.0, 2 / 32]
    made = comparison(
        a={"deployment_frequency": [1 / 14, 2 / 14], "lead_time_h": [30.0, 35.0]},
        b={"deployment_frequency": [2 / 14, 3 / 14], "lead_time_h": [10.0, 11.0]},
    )
    frame = made.differences().loc["b"]
    assert (frame["n"] == 2).all()
    assert frame[["ci_low", "p_value", "adjusted_low", "adjusted_p_value"]].isna().all(axis=None)


def test_what_is_asked_for_has_to_exist() -> None:
    made = comparison(a={"lead_time_h": [1.0, 2.0]}, b={"lead_time_h": [1.0, 3.0]})
    with pytest.raises(ValueError, match="unknown metric 'lead_time'; did you mean 'lead_time_h'"):
        made.differences(metrics=["lead_time"])
    with pytest.raises(ValueError, match="unknown adjustment 'holms'"):
        made.differences(adjust="holms")  # type: ignore[arg-type]  # what is refused
    with pytest.raises(ValueError, match="between 0 and 1"):
        made.differences(confidence=95)
    with pytest.raises(ValueError, match="at least two"):
        sim.compare({"only": small()})


def test_arms_that_are_alike_do_not_differ_at_all() -> None:
    scenario = small()
    made = sim.compare({"one": scenario, "two": scenario}, replications=3, seed=7, n_jobs=1)
    frame = made.differences()
    known = frame[frame["n"] > 0]
    assert len(known) > 10
    assert (known["difference"] == 0.0).all()
    assert (known["p_value"].dropna() == 1.0).all()


def test_arms_meet_the_luck_of_replicate_whatever_the_number_of_processes() -> None:
    base = small()
    other = small(automation=1.0)
    told: list[int] = []
    made = sim.compare({"a": base, "b": other}, 3, seed=7, n_jobs=1, progress=told.append)
    assert told == [1, 2, 3, 4, 5, 6]
    assert list(made.runs["arm"]) == ["a"] * 3 + ["b"] * 3
    assert list(made.runs["replication"]) == [0, 1, 2] * 2
    for arm, scenario in (("a", base), ("b", other)):
        study = sim.replicate(scenario, 3, seed=7, n_jobs=1)
        of_arm = made.runs[made.runs["arm"] == arm].drop(columns="arm").reset_index(drop=True)
        pd.testing.assert_frame_equal(of_arm, study.runs)
    parallel = sim.compare({"a": base, "b": other}, 3, seed=7, n_jobs=2)
    pd.testing.assert_frame_equal(parallel.runs, made.runs)


def test_the_first_scenario_gives_replications_and_seed() -> None:
    made = sim.compare({"a": small(replications=2, seed=5, n_jobs=1), "b": small(seed=6)})
    assert made.seed == 5
    assert len(made.runs) == 4


def test_a_difference_that_is_known_is_found() -> None:
    # One change at a time, and nothing is random: a step of 4 h more adds 4 h to each lead time.
    def arm(run_h: float) -> sim.scenario.organization.Scenario:
        return small(
            working_hours={"always": True},
            changes={"feature": {"arrivals": "open", "interarrival_h": 24, "exploration_h": 1}},
            pipeline={"steps": {"deploy": {"effect": "deploys", "run_h": run_h}}},
        )

    made = sim.compare({"short": arm(2), "long": arm(6)}, replications=2, seed=1, n_jobs=1)
    row = made.differences(metrics=["lead_time_h"]).loc[("long", "lead_time_h")]
    assert row["difference"] == pytest.approx(4.0)
