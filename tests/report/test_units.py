"""Numbers, units and counts as the report writes them."""

import ast
import math
import re
from pathlib import Path

import pytest

from sim.metrics.catalogue import DURATION, NUMBER, SHARE, Quantity, metric
from sim.report import units
from sim.report.units import (
    DAY,
    MINUS,
    PERCENT,
    change_in_words,
    column_unit,
    count_noun,
    difference_in,
    estimate_in,
    format_difference,
    format_estimate,
    format_given,
    format_number,
    format_percent,
    format_value,
    format_weeks,
    plus_minus,
    share_in_words,
    value_in_words,
)

NAN = math.nan


@pytest.mark.parametrize(
    ("name", "value", "shown"),
    [
        ("lead_time_h", 0.5, "30 min"),
        ("lead_time_h", 1.0, "1 h"),
        ("lead_time_h", 36.0, "36 h"),
        ("lead_time_h", 84.0, "3.50 days"),
        ("lead_time_h", 27 * 24.0, "27 days"),
        ("lead_time_h", 10 * 168.0, "10 weeks"),
        ("lead_time_h", 0.0, "0 h"),
        ("deployment_frequency", 2.5, "2.50 per service and day"),
        ("deployment_frequency", 1 / 7, "1 per service and week"),
        ("deployment_frequency", 0.99 / 7, "0.990 per service and week"),
        ("deployment_frequency", 24 / 365.25, "2 per service and month"),
        ("deployment_frequency", 3 / 365.25, "3 per service and year"),
        ("deployment_frequency", 0.0, "0 per service and week"),
        ("change_failure_rate", 0.142, "14.2 %"),
        ("utilization_gpu", 0.5, "50 %"),
        ("work_in_progress", 14.0, "14 changes"),
        ("throughput_per_week", 6.25, "6.25 per week"),
        # Hours of work stay hours.
        ("debt_h", 84.0, "84 h"),
        ("toil_h_per_week", 84.0, "84 h per week"),
        ("net_cost_per_week", -1234.0, f"EUR {MINUS}1,230 per week"),
        ("n_batches", 12345.0, "12,345"),
        ("lead_time_h", NAN, "no data"),
    ],
)
def test_unit_fits_the_magnitude(name, value, shown):
    assert format_value(metric(name).priced_in("EUR"), value) == shown


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (91_372.0, "EUR 91,400"),
        (-1234.5, f"EUR {MINUS}1,230"),
        (5.25, "EUR 5.25"),
        (0.0, "EUR 0"),
        (NAN, "no data"),
    ],
)
def test_money_has_three_digits(amount, shown):
    assert format_value(Quantity(dimension="money", currency="EUR"), amount) == shown


@pytest.mark.parametrize(
    ("name", "estimate", "value", "interval"),
    [
        # Only a net cost can be below zero.
        ("cost_per_week", (50.0, -10.0, 110.0), "50 per week", "0 – 110"),
        ("net_cost_per_week", (50.0, -10.0, 110.0), "50 per week", f"{MINUS}10 – 110"),
        # The interval has the unit of the mean, even if one end alone would have another.
        ("lead_time_h", (50.0, 40.0, 60.0), "2.1 days", "1.7 – 2.5"),
        # Half a width of 0.36 to 0.95 deserves one digit, of 0.10 to 0.35 two.
        ("time_to_restore_h", (5.31, 4.71, 5.91), "5.3 h", "4.7 – 5.9"),
        ("time_to_restore_h", (5.31, 5.11, 5.51), "5.31 h", "5.11 – 5.51"),
        ("time_to_restore_h", (11.2, 7.0, 15.4), "11 h", "7 – 15"),
        # Never more than three digits of the value ...
        ("change_failure_rate", (0.22123, 0.22113, 0.22133), "22.1 %", "22.1 – 22.1"),
        # ... nor of what is missing to 100 %.
        ("availability", (0.9969, 0.9964, 0.9974), "99.69 %", "99.64 – 99.74"),
        # What is impossible is cut off.
        ("change_failure_rate", (0.02, -0.02, 0.06), "2 %", "0 – 6"),
        ("availability", (0.98, 0.93, 1.03), "98 %", "93 – 100"),
        ("utilization_operations", (1.0, 0.9, 1.1), "100 %", "90 – 110"),
        ("lead_time_h", (30.0, NAN, NAN), "30 h", ""),
        ("lead_time_h", (NAN, NAN, NAN), "no data", ""),
    ],
)
def test_estimate_is_rounded_as_its_interval_deserves(name, estimate, value, interval):
    shown = format_estimate(metric(name), *estimate)
    assert shown.value == value
    assert shown.interval == interval


def test_an_estimate_without_spread_keeps_three_digits():
    assert format_estimate(DURATION, 5.25, 5.25, 5.25) == ("5.25 h", "5.25 – 5.25")


@pytest.mark.parametrize(
    ("value", "shown"),
    [(0.0, "0"), (-0.0001, "0.000"), (12.0, "12"), (1234567.0, "1,234,567"), (0.0456, "0.0456")],
)
def test_numbers(value, shown):
    assert format_number(value, 3 if value < 0 else None) == shown


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0.0, "0 %"), (0.714, "71 %"), (0.004, "0.4 %"), (0.0001, "<0.1 %"), (1.0, "100 %")],
)
def test_percent(share, shown):
    assert format_percent(share) == shown


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.66, "about two thirds"),
        (0.51, "about half"),
        (0.58, "58 %"),
        (0.99, "nearly all"),
        (1.0, "all"),
        (0.25, "about a quarter"),
        (0.04, "4 %"),
    ],
)
def test_shares_in_words(share, said):
    assert share_in_words(share) == said


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("lead_time_h", 1.0, "1 hour"),
        ("lead_time_h", 5.25, "5.2 hours"),
        ("lead_time_h", 24 * 10.5, "10.5 days"),
        ("lead_time_h", 0.25, "15 minutes"),
        ("lead_time_h", NAN, "no data"),
        ("deployment_frequency", 1 / 7, "once per week"),
        ("deployment_frequency", 1.7 / 7, "1.7 times per week"),
        ("deployment_frequency", 2.0, "2 times per day"),
        ("staleness_h", 0.0, "0 hours"),
        ("rework_rate", 0.06, "6 %"),
        ("cost_per_deployment", 1234.5, "EUR 1,230 per deployment"),
        ("work_in_progress", 14.25, "14.2 changes"),
    ],
)
def test_values_in_words(name, value, said):
    assert value_in_words(metric(name).priced_in("EUR"), value) == said


def test_counts_agree_with_their_noun():
    assert count_noun(1.0, "change") == "1 change"
    assert count_noun(212.4, "change") == "212 changes"
    assert count_noun(0.3, "incident") == "0.3 incidents"
    assert count_noun(1.04, "incident") == "1.0 incidents"
    assert count_noun(0.0, "incident") == "0 incidents"
    assert count_noun(NAN, "incident") == "no data"


def test_differences_have_a_sign_and_the_unit_of_their_metric() -> None:
    days = format_difference(DURATION, 240.0, -48.0, -60.0, -36.0)
    assert days == f"{MINUS}2.0 days ({MINUS}2.5 to {MINUS}1.5)"
    share = format_difference(SHARE, 0.3, 0.05, 0.01, 0.09)
    assert share == "+5 points (+1 to +9)"
    assert format_difference(DURATION, 240.0, NAN, 0.0, 0.0) == "no data"
    assert format_difference(DURATION, 240.0, 0.0, 0.0, 0.0) == "the same"
    assert format_difference(DURATION, 240.0, 48.0, NAN, NAN) == "+2.00 days"


def test_differences_have_a_sign_unless_they_round_to_nothing() -> None:
    assert difference_in(DAY, -2.4, -96.0, 91.2) == ("0", f"{MINUS}4 to +4")
    assert difference_in(PERCENT, 0.05, 0.03, 0.07) == ("+5.0", "+3.0 to +7.0")


def test_an_interval_is_cut_where_values_end_and_has_the_digits_that_tell_it_from_there() -> None:
    assert estimate_in(PERCENT, SHARE, 0.99, 0.96, 1.02) == ("99.0", "96.0 – 100.0")
    # Three digits of 0.3 % that are missing, not of 99.7 %, which would be 99.7 [99.7 – 99.7].
    assert estimate_in(PERCENT, SHARE, 0.9969, 0.9968, 0.9970) == ("99.690", "99.680 – 99.700")
    assert estimate_in(DAY, DURATION, 24.0, -12.0, 60.0) == ("1.0", "0.0 – 2.5")
    assert estimate_in(DAY, DURATION, 24.0, NAN, NAN) == ("1", "")
    assert estimate_in(DAY, DURATION, NAN, NAN, NAN) == ("no data", "")
    assert format_estimate(NUMBER, 0.1, -0.1, 0.3) == ("0.10", f"{MINUS}0.10 – 0.30")


def test_half_an_interval() -> None:
    assert plus_minus(DAY, 240.0, 228.0, 252.0) == "10.0 ±0.5"
    assert plus_minus(DAY, 240.0, 0.0, math.inf) == "10.0 ±inf"  # of a fitted surface
    assert plus_minus(DAY, 240.0, NAN, NAN) == "10 ±?"
    assert plus_minus(DAY, NAN, NAN, NAN) == "no data"


def test_columns_of_large_amounts_count_in_thousands() -> None:
    cost = metric("cost_per_week").priced_in("EUR")
    assert column_unit(cost, 9_999.0).heading == "EUR per week"
    assert column_unit(cost, -12_345.0).heading == "EUR thousand per week"
    assert column_unit(cost, 2e7).heading == "EUR million per week"
    assert column_unit(metric("lead_time_h"), 2e7).heading == "weeks"


@pytest.mark.parametrize(
    ("name", "change", "level", "said"),
    [
        ("lead_time_h", -60.0, 240.0, f"{MINUS}2.5 days"),
        ("lead_time_h", 1.0, 240.0, "+1.0 hours"),
        ("lead_time_h", 0.25, 240.0, "+15.0 minutes"),
        ("change_failure_rate", -0.05, 0.3, f"{MINUS}5.0 points"),
        # The frequency is said as its level is, not as the difference would be.
        ("deployment_frequency", 0.01, 1 / 7, "+0.07 per service and week"),
        ("net_cost_per_week", -12_345.0, 5e5, f"EUR {MINUS}12,300 per week"),
        ("change_failure_rate", 0.0, 0.3, "0.0 points"),
    ],
)
def test_changes_in_words(name: str, change: float, level: float, said: str) -> None:
    quantity = metric(name).priced_in("EUR")
    assert change_in_words(quantity, change, level, change, signed=True) == said
    unsigned = said.replace(MINUS, "").replace("+", "")
    assert change_in_words(quantity, change, level, change) == unsigned


ELSEWHERE = {
    "report/animation.py": {"02.0f"},  # the hour of a clock
    "claims/table.py": {"+.4g"},  # a column of a CSV file
    "playground/form.py": {"g"},  # values of sliders, which scripts read
    "playground/state.py": {"g"},  # words of a command line
}
"""Numbers that are formatted for programs, and what is no amount."""


def test_numbers_for_people_are_formatted_in_one_place() -> None:
    package = Path(units.__file__).parents[1]
    for folder in ("report", "claims", "validation", "playground", "document"):
        for path in sorted((package / folder).glob("*.py")):
            name = path.relative_to(package).as_posix()
            found = {
                "".join(part.value for part in value.format_spec.values)
                for value in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
                if isinstance(value, ast.FormattedValue)
                and isinstance(value.format_spec, ast.JoinedStr)
                and all(isinstance(part, ast.Constant) for part in value.format_spec.values)
            }
            numeric = {spec for spec in found if re.search(r"[,fge%]$", spec)}
            if name != "report/units.py":
                assert numeric == ELSEWHERE.get(name, set()), name


@pytest.mark.parametrize(
    ("value", "digits", "shown"),
    [
        (0.25, 6, "0.25"),
        (1000.0, 6, "1,000"),
        (1e9, 6, "1,000,000,000"),
        (-0.5, 6, f"{MINUS}0.5"),
        (0.123456, 3, "0.123"),
        (0, 6, "0"),
    ],
)
def test_numbers_that_somebody_chose_keep_their_digits(value, digits, shown) -> None:
    assert format_given(value, digits) == shown


def test_weeks() -> None:
    assert format_weeks(5, 5) == "week 5"
    assert format_weeks(5, 6) == "weeks 5 to 6"
