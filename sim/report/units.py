"""How numbers are shown: units a person thinks in, as many digits as the interval deserves.

Every table, sentence and figure of the report formats its numbers here. The metrics come in the
units of :mod:`sim.metrics`: hours, deployments per service and day, shares between 0 and 1.
"""

import math
from typing import Literal, NamedTuple

NO_DATA = "no data"

Dimension = Literal["duration", "rate", "share", "count"]


class Unit(NamedTuple):
    """A unit to show a number in."""

    name: str
    """What stands behind the number, such as ``days`` or ``per week``; empty for a count."""
    size: float
    """How many units of the metric make one of this unit."""


class Estimate(NamedTuple):
    """A mean and its interval, ready to print; the interval is in the unit of the value."""

    value: str
    interval: str


HOUR = Unit("h", 1.0)
DAY = Unit("days", 24.0)
WEEK = Unit("weeks", 168.0)
PERCENT = Unit("%", 0.01)
DAYS_PER_MONTH = 365.25 / 12

# From the largest unit to the smallest, each with the smallest magnitude it is used for: lead times
# of a day and a half are read in hours, of ten days in days, and just short of once a week is not
# four times a month.
_DURATIONS = ((28 * 24.0, WEEK), (48.0, DAY), (1.0, HOUR), (0.0, Unit("min", 1 / 60)))
_RATES = (
    (0.9, Unit("per day", 1.0)),
    (0.9 / 7, Unit("per week", 1 / 7)),
    (0.9 / DAYS_PER_MONTH, Unit("per month", 1 / DAYS_PER_MONTH)),
    (0.0, Unit("per year", 1 / 365.25)),
)
# Hours of work are no duration: nobody works 24 of them a day.
_COUNTED = {"work_in_progress": "changes", "debt_h": "h"}
_COUNTED_BY_ENDING = {"_h_per_week": "h per week", "_per_week": "per week"}
_SHARES = ("change_failure_rate", "rework_rate", "availability", "share_", "flow_", "utilization_")


def dimension(metric: str) -> Dimension:
    """Return what kind of quantity a metric is, by its name.

    Args:
        metric: Name of a metric of :func:`sim.metrics.compute_metrics`, or of a column in hours.
    """
    if metric.startswith("deployment_frequency"):
        return "rate"
    if metric.startswith(_SHARES):
        return "share"
    if metric in _COUNTED:
        return "count"
    return "duration" if metric.endswith("_h") else "count"


def unit_for(metric: str, value: float) -> Unit:
    """Return the unit in which a value of this metric reads best.

    Args:
        metric: Name of the metric; it decides between durations, rates, shares and counts.
        value: The value in the unit of the metric; NaN is taken for zero.
    """
    kind = dimension(metric)
    if kind == "share":
        return PERCENT
    if kind == "count":
        endings = (name for ending, name in _COUNTED_BY_ENDING.items() if metric.endswith(ending))
        return Unit(_COUNTED.get(metric) or next(endings, ""), 1.0)
    magnitude = 0.0 if math.isnan(value) else abs(value)
    if magnitude == 0.0:
        return HOUR if kind == "duration" else _RATES[1][1]
    choices = _DURATIONS if kind == "duration" else _RATES
    return next(unit for smallest, unit in choices if magnitude >= smallest)


def _leading_power(value: float) -> int:
    """Return the power of ten of the first digit, once the value is rounded to three."""
    return int(f"{value:.2e}".partition("e")[2])


def decimals_for(value: float, half_width: float = math.nan) -> int:
    """Return how many decimals a number deserves.

    With an interval, the rounding rule of the Particle Data Group for an uncertainty (two digits of
    it if they are below 36, else one), but never more than three digits of the value. Without one,
    three digits of the value.

    Args:
        value: The number as it will be shown.
        half_width: Half the width of its interval, in the same unit; NaN or 0 if there is none.
    """
    if math.isnan(half_width) or half_width <= 0.0:
        return 0 if value == 0.0 else max(0, 2 - _leading_power(value))
    power = math.floor(math.log10(half_width))
    two_digits = half_width / 10.0**power < 3.55
    decimals = -power + (1 if two_digits else 0)
    if value != 0.0:
        decimals = min(decimals, 2 - _leading_power(value))
    return max(0, decimals)


def format_number(value: float, decimals: int | None = None) -> str:
    """Return a number with thousands separators.

    Args:
        value: The number.
        decimals: How many; by default as many as make three digits, none if they are all zero.
    """
    if math.isnan(value):
        return NO_DATA
    text = f"{value:,.{decimals_for(value) if decimals is None else decimals}f}"
    if decimals is None and "." in text and not text.partition(".")[2].strip("0"):
        text = text.partition(".")[0]
    return text.lstrip("-") if not text.strip("-0.,") else text


def format_value(metric: str, value: float) -> str:
    """Return a value of a metric with three digits and its best unit, such as ``5.25 days``."""
    if math.isnan(value):
        return NO_DATA
    unit = unit_for(metric, value)
    return f"{format_number(value / unit.size)} {unit.name}".rstrip()


def format_estimate(metric: str, mean: float, low: float, high: float) -> Estimate:
    """Return a mean with unit and its interval, rounded as the interval deserves.

    Student's t knows nothing of what is possible: an interval that reaches below zero, or beyond
    100 % for a share, is cut there. Only a net cost can be negative.

    Args:
        metric: Name of the metric.
        mean: The mean, in the unit of the metric; NaN if there is no data.
        low: Lower end of the interval; NaN if there is none.
        high: Upper end of the interval.
    """
    if math.isnan(mean):
        return Estimate(NO_DATA, "")
    unit = unit_for(metric, mean)
    shown = mean / unit.size
    if math.isnan(low) or math.isnan(high):
        return Estimate(f"{format_number(shown)} {unit.name}".rstrip(), "")
    share = dimension(metric) == "share"
    # Close to 100 %, what is missing to it decides: 99.69 % rather than 99.7 %.
    distance = min(shown, 100.0 - shown) if share else shown
    decimals = decimals_for(distance, (high - low) / unit.size / 2)
    if metric != "net_cost_per_week":  # it earns more than it costs
        low = max(low, 0.0)
    if share:
        # Emergency work of people on call can push a utilization above 100 %.
        high = high if metric.startswith("utilization_") else min(high, 1.0)
    ends = [format_number(end / unit.size, decimals) for end in (low, high)]
    return Estimate(f"{format_number(shown, decimals)} {unit.name}".rstrip(), " – ".join(ends))


def format_difference(metric: str, level: float, difference: float, low: float, high: float) -> str:
    """Return a difference with its interval, such as ``-1.2 days (-1.6 to -0.8)``.

    Args:
        metric: Name of the metric.
        level: About how large the metric itself is, which decides on the unit.
        difference: The difference, in the unit of the metric; NaN if there is no data.
        low: Lower end of its interval; NaN if there is none.
        high: Upper end of its interval.
    """
    if math.isnan(difference):
        return NO_DATA
    if difference == low == high == 0.0:
        return "the same"
    unit = unit_for(metric, level)
    numbers = [value / unit.size for value in (difference, low, high)]
    decimals = decimals_for(numbers[0], (numbers[2] - numbers[1]) / 2)
    # Adding nothing makes a zero of a negative zero.
    shown = [f"{round(number, decimals) + 0.0:+,.{decimals}f}" for number in numbers]
    points = "points" if unit is PERCENT else unit.name
    if math.isnan(low) or math.isnan(high):
        return f"{shown[0]} {points}".rstrip()
    return f"{shown[0]} {points} ({shown[1]} to {shown[2]})"


def format_percent(share: float) -> str:
    """Return a share as a whole percentage, one decimal below 1 %: ``71 %``, ``0.4 %``."""
    if math.isnan(share):
        return NO_DATA
    percent = 100 * share
    if 0.0 < percent < 0.05:
        return "<0.1 %"
    return f"{format_number(percent, 1 if 0.0 < percent < 0.95 else 0)} %"


def format_money(amount: float, currency: str) -> str:
    """Return an amount with three digits that count: ``USD 91,400``.

    Args:
        amount: The amount.
        currency: What it is in.
    """
    if math.isnan(amount):
        return NO_DATA
    rounded = round(amount, 2 - _leading_power(amount)) if amount else 0.0
    return f"{currency} {format_number(rounded)}"


_FRACTIONS = (
    (1 / 4, "a quarter"),
    (1 / 3, "a third"),
    (1 / 2, "half"),
    (2 / 3, "two thirds"),
    (3 / 4, "three quarters"),
)


def share_in_words(share: float) -> str:
    """Return a share as people say it: ``about two thirds`` within 2 points, else ``58 %``.

    Args:
        share: A share between 0 and 1.
    """
    if share >= 0.98:
        return "all" if share >= 1.0 else "nearly all"
    for fraction, words in _FRACTIONS:
        if abs(share - fraction) <= 0.02:
            return f"about {words}"
    return format_percent(share)


_SINGULAR = {"h": "hour", "days": "day", "weeks": "week", "min": "minute"}


def value_in_words(metric: str, value: float) -> str:
    """Return a duration or a rate as people say it: ``5.3 hours``, ``1.7 times a week``.

    Args:
        metric: Name of the metric.
        value: The value in the unit of the metric; it keeps one decimal, or three digits.
    """
    if math.isnan(value):
        return NO_DATA
    unit = unit_for(metric, value)
    shown = value / unit.size
    number = format_number(shown, min(1, decimals_for(shown))).removesuffix(".0")
    if dimension(metric) == "rate":
        times = "once" if number == "1" else f"{number} times"
        return f"{times} a {unit.name.removeprefix('per ')}"
    if unit.name in _SINGULAR:
        return f"{number} {_SINGULAR[unit.name]}{'' if number == '1' else 's'}"
    return f"{number} {unit.name}".rstrip()


def count_noun(count: float, singular: str) -> str:
    """Return a count with its noun: ``1 change``, ``212 changes``, ``0.3 incidents``.

    Means of counts keep one decimal below 10.
    """
    if math.isnan(count):
        return NO_DATA
    whole = count == int(count)
    text = format_number(count, 0 if whole or count >= 10 else 1)
    return f"{text} {singular}" if text == "1" else f"{text} {singular}s"


_ABBREVIATIONS = {"ml": "ML", "gpu": "GPU", "cpu": "CPU", "ci": "CI", "cicd": "CI/CD"}


def readable(name: str) -> str:
    """Return the name of a step, role or resource as people write it: ``unit test``."""
    return " ".join(_ABBREVIATIONS.get(word, word) for word in name.split("_"))
