"""Numbers, units and counts as the report writes them."""

import math

import pytest

from sim.report.units import (
    count_noun,
    format_difference,
    format_estimate,
    format_money,
    format_number,
    format_percent,
    format_value,
    readable,
    share_in_words,
    value_in_words,
)

NAN = math.nan


@pytest.mark.parametrize(
    ("metric", "value", "shown"),
    [
        ("lead_time_h", 0.5, "30 min"),
        ("lead_time_h", 1.0, "1 h"),
        ("lead_time_h", 36.0, "36 h"),
        ("lead_time_h", 84.0, "3.50 days"),
        ("lead_time_h", 27 * 24.0, "27 days"),
        ("lead_time_h", 10 * 168.0, "10 weeks"),
        ("lead_time_h", 0.0, "0 h"),
        ("deployment_frequency", 2.5, "2.50 per day"),
        ("deployment_frequency", 1 / 7, "1 per week"),
        ("deployment_frequency", 0.99 / 7, "0.990 per week"),
        ("deployment_frequency", 24 / 365.25, "2 per month"),
        ("deployment_frequency", 3 / 365.25, "3 per year"),
        ("deployment_frequency", 0.0, "0 per week"),
        ("change_failure_rate", 0.142, "14.2 %"),
        ("utilization_gpu", 0.5, "50 %"),
        ("work_in_progress", 14.0, "14 changes"),
        ("throughput_per_week", 6.25, "6.25 per week"),
        # Hours of work stay hours.
        ("debt_h", 84.0, "84 h"),
        ("toil_h_per_week", 84.0, "84 h per week"),
        ("net_cost_per_week", -1234.0, "-1,234 per week"),
        ("n_batches", 12345.0, "12,345"),
        ("lead_time_h", NAN, "no data"),
    ],
)
def test_unit_fits_the_magnitude(metric, value, shown):
    assert format_value(metric, value) == shown


@pytest.mark.parametrize(
    ("amount", "shown"),
    [
        (91_372.0, "EUR 91,400"),
        (-1234.5, "EUR -1,230"),
        (5.25, "EUR 5.25"),
        (0.0, "EUR 0"),
        (NAN, "no data"),
    ],
)
def test_money_has_three_digits(amount, shown):
    assert format_money(amount, "EUR") == shown


@pytest.mark.parametrize(
    ("metric", "estimate", "value", "interval"),
    [
        # Only a net cost can be below zero.
        ("cost_per_week", (50.0, -10.0, 110.0), "50 per week", "0 – 110"),
        ("net_cost_per_week", (50.0, -10.0, 110.0), "50 per week", "-10 – 110"),
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
def test_estimate_is_rounded_as_its_interval_deserves(metric, estimate, value, interval):
    shown = format_estimate(metric, *estimate)
    assert shown.value == value
    assert shown.interval == interval


def test_an_estimate_without_spread_keeps_three_digits():
    assert format_estimate("lead_time_h", 5.25, 5.25, 5.25) == ("5.25 h", "5.25 – 5.25")


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
    ("metric", "value", "said"),
    [
        ("lead_time_h", 1.0, "1 hour"),
        ("lead_time_h", 5.25, "5.2 hours"),
        ("lead_time_h", 24 * 10.5, "10.5 days"),
        ("lead_time_h", 0.25, "15 minutes"),
        ("lead_time_h", NAN, "no data"),
        ("deployment_frequency", 1 / 7, "once a week"),
        ("deployment_frequency", 1.7 / 7, "1.7 times a week"),
        ("deployment_frequency", 2.0, "2 times a day"),
        ("staleness_h", 0.0, "0 hours"),
    ],
)
def test_values_in_words(metric, value, said):
    assert value_in_words(metric, value) == said


def test_counts_agree_with_their_noun():
    assert count_noun(1.0, "change") == "1 change"
    assert count_noun(212.4, "change") == "212 changes"
    assert count_noun(0.3, "incident") == "0.3 incidents"
    assert count_noun(1.04, "incident") == "1.0 incidents"
    assert count_noun(0.0, "incident") == "0 incidents"
    assert count_noun(NAN, "incident") == "no data"


def test_names_become_readable():
    assert readable("ml_engineer") == "ML engineer"
    assert readable("unit_test") == "unit test"


def test_differences_have_a_sign_and_the_unit_of_their_metric() -> None:
    days = format_difference("lead_time_h", 240.0, -48.0, -60.0, -36.0)
    assert days == "-2.0 days (-2.5 to -1.5)"
    share = format_difference("change_failure_rate", 0.3, 0.05, 0.01, 0.09)
    assert share == "+5 points (+1 to +9)"
    assert format_difference("lead_time_h", 240.0, float("nan"), 0.0, 0.0) == "no data"
