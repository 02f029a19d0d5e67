"""The findings as rows: in words for people, in numbers for CSV."""

import math
from collections.abc import Sequence
from typing import NamedTuple

import pandas as pd

from sim.metrics.catalogue import metric
from sim.report.units import (
    MINUS,
    NO_DATA,
    Unit,
    column_unit,
    difference_in,
    format_given,
    format_number,
    format_weeks,
    unit_for,
    unit_of_change,
)

from .claim import Expectation, contrast_of
from .judge import Finding


class Cells(NamedTuple):
    """A finding in words and rounded numbers, all but the trace in the unit of the metric."""

    metric: str
    low: str
    high: str
    difference: str
    expected: str
    verdict: str
    trace: str


def cells(finding: Finding, replications: int) -> Cells:
    """Return what the tables show of a finding."""
    expectation = finding.expectation
    verdict: str = finding.verdict
    if finding.unstable:
        verdict += f" (unstable in {finding.unstable} of {replications})"
    elif finding.n < replications and not expectation.break_even:
        verdict += f" (n = {finding.n})"
    if expectation.break_even:
        difference = _break_even(finding)
        trace = _trace(finding)
        return Cells(_metric(finding, ""), "", "", difference, "", verdict, trace)
    unit = _unit(finding)
    # Sums of several arms are no value that any organization has.
    two = sorted(contrast_of(expectation).values()) == [-1.0, 1.0]
    return Cells(
        _metric(finding, unit.heading),
        format_number(finding.low / unit.size) if two else "",
        format_number(finding.high / unit.size) if two else "",
        _difference(unit, finding.difference, finding.ci_low, finding.ci_high),
        _expected(finding),
        verdict,
        _trace(finding),
    )


def contrast_in_words(expectation: Expectation) -> str:
    """Return the difference that is looked at: ``high - low``, ``both - 2 × none``."""
    if expectation.label is not None:
        return expectation.label
    terms = sorted(contrast_of(expectation).items(), key=lambda term: term[1] < 0.0)
    words = ""
    for arm, weight in terms:
        sign = f" {MINUS} " if weight < 0.0 else " + "
        times = "" if abs(weight) == 1.0 else f"{format_given(abs(weight))} × "
        words += sign + times + arm
    return words.removeprefix(" + ")


def findings_frame(findings: Sequence[Finding]) -> pd.DataFrame:
    """Return a row per finding, in the units of the metrics."""
    return pd.DataFrame(
        {
            "id": finding.claim.id,
            "claim": finding.claim.claim,
            "section": finding.claim.section,
            "metric": finding.expectation.metric,
            "weeks": "" if (w := finding.expectation.weeks) is None else f"{w[0]} to {w[1] - 1}",
            "quantity": "break-even week" if finding.expectation.break_even else "mean",
            "contrast": contrast_in_words(finding.expectation).replace(MINUS, "-"),
            "low_arm": finding.low,
            "high_arm": finding.high,
            "difference": finding.difference,
            "ci_low": finding.ci_low,
            "ci_high": finding.ci_high,
            "adjusted_p_value": finding.p_value,
            "n": finding.n,
            "expected": finding.expectation.sign,
            "margin": finding.margin,
            "verdict": finding.verdict,
            "unstable": finding.unstable,
            "mechanism": finding.claim.mechanism,
            "moved_most": finding.trace[0].metric if finding.trace else "",
            "moved_most_difference": finding.trace[0].difference if finding.trace else math.nan,
            "moved_most_ci_low": finding.trace[0].low if finding.trace else math.nan,
            "moved_most_ci_high": finding.trace[0].high if finding.trace else math.nan,
            "all_parts": "; ".join(f"{p.metric} {p.difference:+.4g}" for p in finding.trace),
        }
        for finding in findings
    )


def _unit(finding: Finding) -> Unit:
    sizes = [abs(v) for v in (finding.low, finding.high, finding.difference) if not math.isnan(v)]
    return column_unit(finding.metric, max(sizes, default=math.nan))


def _metric(finding: Finding, unit: str) -> str:
    expectation = finding.expectation
    text = finding.metric.label
    if expectation.break_even:
        text = f"break-even of {text}, week"
    elif unit:
        text += f", {unit}"
    if expectation.weeks is not None and not expectation.break_even:
        text += f", {format_weeks(expectation.weeks[0], expectation.weeks[1] - 1)}"
    if finding.claim.arms is not None:
        text += f" ({contrast_in_words(expectation)})"
    return text


def _difference(unit: Unit, difference: float, low: float, high: float) -> str:
    shown = difference_in(unit, difference, low, high)
    if shown.value == NO_DATA:
        return NO_DATA
    return f"{shown.value} [{shown.interval or NO_DATA}]"


def _break_even(finding: Finding) -> str:
    week, earliest = (
        "never" if math.isinf(date) else format_number(date, 0)
        for date in (finding.difference, finding.ci_low)
    )
    return week if week == earliest else f"{week}, at the earliest {earliest}"


def _expected(finding: Finding) -> str:
    expectation = finding.expectation
    sign = expectation.sign.replace("-", MINUS)
    own = "" if expectation.own_time_of is None else " + own time"
    if expectation.relative_margin is not None:
        return f"{sign}, ±{format_given(100 * expectation.relative_margin)} %{own}"
    if expectation.margin is not None:
        unit = unit_for(finding.metric, expectation.margin)
        margin = unit_of_change(unit).behind(format_number(expectation.margin / unit.size))
        return f"{sign}, ±{margin}{own}"
    return "" if sign == "report" else sign


def _trace(finding: Finding) -> str:
    """Return the part that moved most among those that certainly moved."""
    for part in finding.trace:
        if part.low > 0.0 or part.high < 0.0:
            moved = metric(part.metric).priced_in(finding.currency)
            unit = unit_for(moved, part.difference)
            shown = _difference(unit, part.difference, part.low, part.high)
            return f"{moved.label} {unit_of_change(unit).behind(shown)}"
    return "no part for certain" if finding.trace else ""
