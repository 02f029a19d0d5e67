"""Verdicts of hand-made numbers."""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest

from sim.claims.claim import Claim
from sim.claims.content import tally
from sim.claims.judge import Observations, judge, verdict
from sim.claims.table import cells, contrast_in_words, findings_frame


def claim(*expectations: dict[str, Any], **parts: Any) -> Claim:
    data = {
        "id": "X1",
        "claim": "Something happens.",
        "section": "1",
        "low": [],
        "high": ["automation=1"],
        "expectations": [{"metric": "lead_time_h", **expectation} for expectation in expectations],
        "mechanism": "Somehow.",
        "trace": ["part_a", "part_b"],
    }
    data.update(parts)
    return Claim.model_validate({key: value for key, value in data.items() if value is not None})


def observed(**metrics: list[float]) -> Observations:
    frame = pd.DataFrame(metrics)
    frame["unstable"] = 0.0
    return Observations(frame, {})


@pytest.mark.parametrize(
    ("sign", "margin", "interval", "expected"),
    [
        ("+", None, (0.1, 2.0), "supported"),
        ("+", None, (-0.1, 2.0), "not supported"),
        ("+", None, (-2.0, -0.1), "contradicted"),
        ("-", None, (-2.0, -0.1), "supported"),
        ("-", None, (-2.0, 0.1), "not supported"),
        ("-", None, (0.1, 2.0), "contradicted"),
        ("none", 1.0, (-0.9, 0.9), "supported"),
        ("none", 1.0, (0.1, 0.9), "supported"),  # certainly something, and certainly little
        ("none", 1.0, (-0.1, 1.1), "not supported"),  # contains zero: that is not enough
        ("none", 1.0, (0.5, 1.1), "not supported"),
        ("none", 1.0, (1.1, 2.0), "contradicted"),
        ("none", 1.0, (-2.0, -1.1), "contradicted"),
        ("not +", 1.0, (-9.0, 0.9), "supported"),
        ("not +", 1.0, (-9.0, 1.1), "not supported"),
        ("not +", 1.0, (1.1, 9.0), "contradicted"),
        ("not -", 1.0, (-0.9, 9.0), "supported"),
        ("not -", 1.0, (-1.1, 9.0), "not supported"),
        ("not -", 1.0, (-9.0, -1.1), "contradicted"),
        ("report", None, (1.0, 2.0), "reported"),
        ("+", None, (math.nan, math.nan), "not supported"),
        ("none", 1.0, (math.nan, math.nan), "not supported"),
    ],
)
def test_verdicts(
    sign: str, margin: float | None, interval: tuple[float, float], expected: str
) -> None:
    (expectation,) = claim({"sign": sign, "margin": margin}).expectations
    assert verdict(expectation, *interval, margin or math.nan) == expected


def test_a_difference_by_hand() -> None:
    # Differences 1, 2, 3 as in the comparison of two arms: 2 -+ 4.30265 / sqrt 3.
    (finding,) = judge(
        [claim({"sign": "+"})],
        [
            {
                "low": observed(
                    lead_time_h=[10.0, 20.0, 30.0], part_a=[1.0, 1.0, 1.0], part_b=[9.0, 8.0, 7.0]
                ),
                "high": observed(
                    lead_time_h=[11.0, 22.0, 33.0], part_a=[1.0, 2.0, 3.0], part_b=[4.0, 4.0, 4.0]
                ),
            }
        ],
    )
    assert (finding.low, finding.high, finding.difference, finding.n) == (20.0, 22.0, 2.0, 3)
    assert finding.ci_low == pytest.approx(2.0 - 4.30265 / math.sqrt(3.0), abs=1e-5)
    assert finding.p_value == pytest.approx(0.07418, abs=1e-5)
    assert finding.verdict == "not supported"
    # part_b moved by -5, -4, -3, part_a by 0, 1, 2.
    assert [(part.metric, part.difference) for part in finding.trace] == [
        ("part_b", -4.0),
        ("part_a", 1.0),
    ]
    assert finding.trace[0].high == pytest.approx(-4.0 + 4.30265 / math.sqrt(3.0), abs=1e-5)


def test_intervals_are_adjusted_for_all_expectations() -> None:
    # Means -+ 1 around 3 and 0: the first has t = 3 / (1 / sqrt 3) = 5.196, p = 0.0351, which is
    # no more than 0.05 but more than 0.05 / 2.
    arms = {
        "low": observed(lead_time_h=[0.0, 0.0, 0.0], y=[0.0, 0.0, 0.0]),
        "high": observed(lead_time_h=[2.0, 3.0, 4.0], y=[-1.0, 0.0, 1.0]),
    }
    (alone,) = judge([claim({"sign": "+"})], [arms])
    assert alone.verdict == "supported"
    assert alone.p_value == pytest.approx(0.0351, abs=1e-4)
    first, second = judge([claim({"sign": "+"}, {"metric": "y", "sign": "+"})], [arms])
    assert first.verdict == "not supported"
    assert first.p_value == pytest.approx(2 * 0.0351, abs=2e-4)
    # 1 - 0.05 / 2 with two degrees of freedom: quantile 6.2053.
    assert first.ci_low == pytest.approx(3.0 - 6.20535 / math.sqrt(3.0), abs=1e-4)
    assert second.ci_high == pytest.approx(6.20535 / math.sqrt(3.0), abs=1e-4)


def test_the_interval_agrees_with_the_p_value_whatever_is_expected() -> None:
    rng = np.random.default_rng(8)
    decided = 0
    for sign in ("+", "-", "none", "not +", "not -"):
        margin = None if sign in "+-" else 1.0
        for mean in (-3.0, -1.0, 0.0, 1.0, 3.0):
            values = {name: list(rng.normal(mean, 0.7, 8)) for name in "xyz"}
            trial = claim(*({"metric": name, "sign": sign, "margin": margin} for name in "xyz"))
            zero = observed(lead_time_h=[0.0] * 8, y=[0.0] * 8, z=[0.0] * 8)
            for finding in judge([trial], [{"low": zero, "high": observed(**values)}]):
                assert (finding.verdict != "not supported") == (finding.p_value < 0.05)
                decided += finding.verdict != "not supported"
    assert 25 < decided < 70


def test_a_relative_margin_is_a_share_of_the_low_arm() -> None:
    trial = claim({"sign": "none", "relative_margin": 0.1})
    arms = {
        "low": observed(lead_time_h=[19.0, 21.0, 20.0]),
        "high": observed(lead_time_h=[19.1, 21.0, 20.0]),
    }
    (finding,) = judge([trial], [arms])
    assert finding.margin == pytest.approx(2.0)
    assert finding.verdict == "supported"


def test_the_own_time_of_a_step_is_added_to_the_margin() -> None:
    trial = claim({"sign": "none", "margin": 1.0, "own_time_of": "review"})
    frame = pd.DataFrame({"lead_time_h": [9.0, 9.1, 9.2], "unstable": [0.0] * 3})
    low = Observations(frame, step_hours={"review": 3.0})
    high = Observations(frame.assign(lead_time_h=[6.0, 6.0, 6.3]), step_hours={"review": 0.1})
    (finding,) = judge([trial], [{"low": low, "high": high}])
    assert finding.margin == 4.0
    assert finding.difference == pytest.approx(-3.0)
    assert finding.verdict == "supported"


def test_contrasts_over_several_arms() -> None:
    # An interaction: (3, 4) - (1, 1) - (2, 2) + (0, 0) = (0, 1).
    trial = claim(
        {"sign": "report", "contrast": {"both": 1, "one": -1, "other": -1, "none": 1}},
        low=None,
        high=None,
        arms={name: [] for name in ("none", "one", "other", "both")},
    )
    arms = {
        "none": observed(lead_time_h=[0.0, 0.0]),
        "one": observed(lead_time_h=[1.0, 1.0]),
        "other": observed(lead_time_h=[2.0, 2.0]),
        "both": observed(lead_time_h=[3.0, 4.0]),
    }
    (finding,) = judge([trial], [arms])
    assert (finding.low, finding.high, finding.difference) == (3.0, 3.5, 0.5)
    assert finding.verdict == "reported"
    words = contrast_in_words(trial.expectations[0])
    assert words == "both + none \N{MINUS SIGN} one \N{MINUS SIGN} other"


def test_sums_of_what_is_the_same_are_zero_and_no_certainty() -> None:
    weights = {"both": 1, "a": -0.1, "b": -0.2, "c": -0.7}
    trial = claim(
        {"sign": "+", "contrast": weights}, low=None, high=None, arms={name: [] for name in weights}
    )
    same = observed(lead_time_h=[0.1, 0.3, 0.7])
    (finding,) = judge([trial], [dict.fromkeys(weights, same)])
    assert (finding.difference, finding.p_value) == (0.0, 1.0)
    assert finding.verdict == "not supported"


def test_replications_without_a_value_are_left_out_of_all_arms() -> None:
    arms = {
        "low": observed(lead_time_h=[1.0, math.nan, 3.0]),
        "high": observed(lead_time_h=[2.0, 5.0, 5.0]),
    }
    (finding,) = judge([claim({"sign": "+"})], [arms])
    assert (finding.n, finding.low, finding.high, finding.difference) == (2, 2.0, 3.5, 1.5)
    nothing = {"low": observed(y=[1.0, 1.0]), "high": observed(y=[1.0, 1.0])}
    (finding,) = judge([claim({"sign": "+"})], [nothing])
    assert finding.n == 0
    assert math.isnan(finding.difference)
    assert finding.verdict == "not supported"
    assert cells(finding, 2).difference == "no data"


def weekly(*rows: list[float]) -> Observations:
    frame = pd.DataFrame({"unstable": [0.0] * len(rows)})
    return Observations(frame, {"net_cost": np.array(rows)})


def test_weeks_are_averaged() -> None:
    trial = claim({"metric": "net_cost", "sign": "+", "weeks": [1, 3]})
    arms = {
        "low": weekly([9.0, 0.0, 0.0, 9.0], [9.0, 0.0, 0.0, 9.0]),
        "high": weekly([0.0, 1.0, 3.0, 0.0], [0.0, 4.0, 4.0, 0.0]),
    }
    (finding,) = judge([trial], [arms])
    assert (finding.low, finding.high, finding.difference) == (0.0, 3.0, 3.0)


def test_break_even_by_hand() -> None:
    trial = claim({"metric": "net_cost", "sign": "report", "weeks": [1, 6], "break_even": True})
    zero = weekly(*[[0.0] * 6] * 6)
    # Added up from week 1: 2, 3, 2, 0, -3, so that less is spent at the end of week 5.
    course = [5.0, 2.0, 1.0, -1.0, -2.0, -3.0]
    (finding,) = judge([trial], [{"low": zero, "high": weekly(*[course] * 6)}])
    assert (finding.difference, finding.ci_low, finding.ci_high) == (5.0, 5.0, 5.0)
    assert finding.verdict == "reported"
    assert math.isnan(finding.p_value)
    assert cells(finding, 2).difference == "5"
    never = [0.0] + [1.0] * 5
    (finding,) = judge([trial], [{"low": zero, "high": weekly(*[never] * 6)}])
    assert cells(finding, 2).difference == "never"
    # Nothing has paid before it is adopted, and what is adopted nowhere pays never.
    bargain = weekly(*[[-1.0] * 6] * 6)
    for adopted, expected in ((3.0, "3"), (math.inf, "never")):
        high = replace(bargain, adopted_week=adopted)
        (finding,) = judge([trial], [{"low": zero, "high": high}])
        assert cells(finding, 2).difference == expected
    # Added up from week 1: 1, 0, -4, -8 and -12, each ∓ 1 or exactly, so that s = 1, and t of two
    # degrees of freedom is 4.303: the interval reaches 2.484 either way.
    courses = [[0.0, 1 + luck, -1, -4, -4, -4] for luck in (-1, 0, 1)]
    doubtful = weekly(*courses)
    nothing = weekly(*[[0.0] * 6] * 3)
    (finding,) = judge([trial], [{"low": nothing, "high": doubtful}])
    assert cells(finding, 2).difference == "3, at the earliest 1"


def test_break_even_takes_up_no_part_of_the_adjustment() -> None:
    trial = claim(
        {"metric": "net_cost", "sign": "+", "weeks": [0, 2]},
        {"metric": "net_cost", "sign": "report", "weeks": [0, 2], "break_even": True},
    )
    arms = {
        "low": weekly([0.0, 0.0], [0.0, 0.0], [0.0, 0.0]),
        "high": weekly([2.0, 2.0], [3.0, 3.0], [4.0, 4.0]),
    }
    finding, _ = judge([trial], [arms])
    assert finding.p_value == pytest.approx(0.0351, abs=1e-4)


def test_tables_say_what_was_found() -> None:
    trial = claim(
        {"metric": "lead_time_h", "sign": "-"},
        {"metric": "net_cost_per_week", "sign": "none", "relative_margin": 0.05},
        trace=["lead_time_approval_h"],
    )
    low = observed(
        lead_time_h=[240.0, 250.0, 230.0, 240.0],
        net_cost_per_week=[2e5, 2.1e5, 1.9e5, 2e5],
        lead_time_approval_h=[90.0, 91.0, 92.0, 91.0],
    )
    high = observed(
        lead_time_h=[120.0, 131.0, 109.0, 121.0],
        net_cost_per_week=[2e5, 2.1e5, 1.9e5, 2.001e5],
        lead_time_approval_h=[0.0, 1.0, 2.0, 2.0],
    )
    high.metrics["unstable"] = [1.0, 0.0, 0.0, 0.0]
    findings = judge([trial], [{"low": low, "high": high}])
    shown = cells(findings[0], 4)
    assert shown.metric == "lead time, days"
    assert (shown.low, shown.high) == ("10", "5.01")
    assert shown.difference.startswith("\N{MINUS SIGN}4.99 [\N{MINUS SIGN}5.0")
    assert shown.expected == "\N{MINUS SIGN}"
    assert shown.verdict == "supported (unstable in 1 of 4)"
    assert shown.trace.startswith("waiting for approval \N{MINUS SIGN}3.74 [")
    assert cells(findings[1], 4).expected == "none, ±5 %"
    frame = findings_frame(findings)
    assert list(frame["verdict"]) == ["supported", "supported"]
    assert list(frame["difference"]) == pytest.approx([-119.75, 25.0])
    assert tally(findings) == "2 expectations: 2 supported."
