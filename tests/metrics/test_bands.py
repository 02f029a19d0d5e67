"""DORA bands, their holes and their edges."""

import math

import pytest

from sim.metrics import dora_band

DAY, WEEK, MONTH = 24.0, 168.0, 730.5


@pytest.mark.parametrize(
    ("metric", "value", "band"),
    [
        ("deployment_frequency", 4.0, "elite"),
        ("deployment_frequency", 1.0, "high"),  # once a day is not several a day
        ("deployment_frequency", 1 / 3, "high"),
        ("deployment_frequency", 1 / 10, "medium"),
        ("deployment_frequency", 1 / 90, "low"),
        ("deployment_frequency", 1 / 200, "below low"),
        ("deployment_frequency", 0.0, "below low"),
        ("lead_time_h", 0.0, "elite"),
        ("lead_time_h", 23.0, "elite"),
        ("lead_time_h", DAY, "high"),
        ("lead_time_h", WEEK, "high"),
        ("lead_time_h", 2 * WEEK, "medium"),
        ("lead_time_h", 3 * MONTH, "low"),
        ("lead_time_h", 7 * MONTH, "below low"),
        ("change_failure_rate", 0.0, "elite/high/medium"),
        ("change_failure_rate", 0.15, "elite/high/medium"),
        ("change_failure_rate", 0.30, "between medium and low"),
        ("change_failure_rate", 0.50, "low"),
        ("change_failure_rate", 0.61, "below low"),
        ("time_to_restore_h", 0.5, "elite"),
        ("time_to_restore_h", 1.0, "high/medium"),
        ("time_to_restore_h", 5.0, "high/medium"),
        ("time_to_restore_h", 2 * DAY, "between medium and low"),
        ("time_to_restore_h", 2 * WEEK, "low"),
        ("time_to_restore_h", 2 * MONTH, "below low"),
    ],
)
def test_bands_of_2019(metric, value, band):
    assert dora_band(metric, value) == band


@pytest.mark.parametrize(
    ("year", "metric", "value", "band"),
    [
        (2021, "deployment_frequency", 2.0, "elite"),
        (2021, "deployment_frequency", 1 / 3, "between elite and high"),
        (2021, "deployment_frequency", 1 / 14, "high"),
        (2021, "deployment_frequency", 1 / 365, "low"),
        (2021, "lead_time_h", 5.0, "between elite and high"),
        (2021, "lead_time_h", 2 * WEEK, "between high and medium"),
        (2021, "lead_time_h", 12 * MONTH, "low"),
        (2021, "change_failure_rate", 0.2, "high/medium/low"),
        (2021, "change_failure_rate", 0.4, "below low"),
        (2021, "time_to_restore_h", 3 * DAY, "medium"),
        (2021, "time_to_restore_h", MONTH, "between medium and low"),
        (2022, "deployment_frequency", 2.0, "high"),
        (2022, "deployment_frequency", 1 / 3, "between high and medium"),
        (2022, "lead_time_h", 5.0, "above high"),
        (2022, "change_failure_rate", 0.2, "medium"),
        (2022, "change_failure_rate", 0.4, "between medium and low"),
        (2022, "time_to_restore_h", 0.5, "high"),
        (2023, "deployment_frequency", 1 / 14, "medium/low"),
        (2023, "deployment_frequency", 1 / 90, "below low"),
        (2023, "lead_time_h", 2 * WEEK, "medium/low"),
        (2023, "change_failure_rate", 0.05, "elite"),
        (2023, "change_failure_rate", 0.08, "high"),
        (2023, "change_failure_rate", 0.3, "low"),
        (2023, "change_failure_rate", 0.7, "below low"),
        (2023, "time_to_restore_h", 2 * WEEK, "between medium and low"),
        (2024, "deployment_frequency", 1 / 14, "medium"),
        (2024, "change_failure_rate", 0.08, "medium"),
        (2024, "change_failure_rate", 0.15, "high"),
        (2024, "change_failure_rate", 0.3, "low"),
        (2024, "time_to_restore_h", 5.0, "high/medium"),
    ],
)
def test_bands_of_later_years(year, metric, value, band):
    assert dora_band(metric, value, year) == band


def test_no_data_is_in_no_band():
    assert dora_band("lead_time_h", math.nan) == "no data"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("lead_time_h", 1.0, 2020), "2019, 2021, 2022, 2023, 2024, not for 2020"),
        (("lead_time", 1.0), "lead_time_h, change_failure_rate, .* not for 'lead_time'"),
        (("lead_time_h", -1.0), "lead_time_h cannot be negative"),
    ],
)
def test_what_has_no_band_is_an_error(arguments, message):
    with pytest.raises(ValueError, match=message):
        dora_band(*arguments)
