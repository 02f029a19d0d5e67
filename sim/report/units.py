"""Numbers for people: units that a person thinks in, as many digits as the interval deserves.

Every table, sentence and figure that people read formats its numbers here: minus is a minus sign
(U+2212), which terminals without Unicode translate. What a number measures is said by a
:class:`sim.metrics.catalogue.Quantity`. Values come in the units of :mod:`sim.metrics`: hours,
deployments per service and day, shares between 0 and 1.
"""

import math
from typing import NamedTuple

from sim.hours import HOURS_PER_DAY, HOURS_PER_MONTH, HOURS_PER_WEEK, HOURS_PER_YEAR
from sim.metrics.catalogue import Quantity

UNKNOWN = "unknown"
"""Stands where an interval would."""

NO_DATA = "no data"
MINUS = "\N{MINUS SIGN}"


class Unit(NamedTuple):
    """A unit to show a number in."""

    name: str
    """The word behind the number, such as ``days`` or ``per week``; empty for a count."""
    size: float
    """The number of units of the metric that make one of this unit."""
    currency: str = ""
    """The currency in front of the number; empty if it is no money."""

    @property
    def heading(self) -> str:
        """The unit above or beside a column of numbers."""
        return f"{self.currency} {self.name}".strip()

    def behind(self, number: str) -> str:
        """Return a number with its unit."""
        return f"{self.currency} {number} {self.name}".strip()


class Estimate(NamedTuple):
    """A number and its interval, ready to print; the interval is in the unit of the value."""

    value: str
    interval: str


HOUR = Unit("h", 1.0)
DAY = Unit("days", HOURS_PER_DAY)
WEEK = Unit("weeks", HOURS_PER_WEEK)
PERCENT = Unit("%", 0.01)

# From the largest unit to the smallest, each with the smallest magnitude it is used for: lead times
# of a day and a half are read in hours, of ten days in days, and just short of once a week is not
# four times a month.
_DURATIONS = (
    (4 * HOURS_PER_WEEK, WEEK),
    (2 * HOURS_PER_DAY, DAY),
    (1.0, HOUR),
    (0.0, Unit("min", 1 / 60)),
)
_PER_SERVICE = "per service and"
"""All frequencies are rates of a service, so their units say so."""
_FREQUENCIES = tuple(
    (least * HOURS_PER_DAY / hours, Unit(name, HOURS_PER_DAY / hours))
    for least, name, hours in (
        (0.9, f"{_PER_SERVICE} day", HOURS_PER_DAY),
        (0.9, f"{_PER_SERVICE} week", HOURS_PER_WEEK),
        (0.9, f"{_PER_SERVICE} month", HOURS_PER_MONTH),
        (0.0, f"{_PER_SERVICE} year", HOURS_PER_YEAR),
    )
)
_LARGE = ((10e6, "million", 1e6), (10e3, "thousand", 1e3))


def unit_for(quantity: Quantity, value: float) -> Unit:
    """Return the unit in which a value reads best.

    Args:
        quantity: What the value measures.
        value: The value in the unit of the metric; NaN is taken for zero.
    """
    if quantity.dimension == "share":
        return PERCENT
    if quantity.dimension in ("quantity", "money"):
        return Unit(quantity.unit, 1.0, quantity.currency)
    magnitude = 0.0 if math.isnan(value) else abs(value)
    if magnitude == 0.0:
        return HOUR if quantity.dimension == "duration" else _FREQUENCIES[1][1]
    choices = _DURATIONS if quantity.dimension == "duration" else _FREQUENCIES
    return next(unit for smallest, unit in choices if magnitude >= smallest)


def column_unit(quantity: Quantity, value: float) -> Unit:
    """Return the unit of a column of numbers, which counts large amounts in thousands.

    Args:
        quantity: What the numbers measure.
        value: About how large they are.
    """
    unit = unit_for(quantity, value)
    if unit.size != 1.0 or quantity.dimension == "duration":
        return unit
    word, size = next(((w, size) for least, w, size in _LARGE if abs(value) >= least), ("", 1.0))
    return unit._replace(name=f"{word} {unit.name}".strip(), size=size)


def unit_of_change(unit: Unit) -> Unit:
    """Return the unit of a difference: that of two percentages is points."""
    return unit._replace(name="points") if unit == PERCENT else unit


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
        half_width: Half the width of its interval, in the same unit; NaN, 0 or infinite if that
            says nothing.
    """
    if not math.isfinite(half_width) or half_width <= 0.0:
        return 0 if value == 0.0 else max(0, 2 - _leading_power(value))
    power = math.floor(math.log10(half_width))
    two_digits = half_width / 10.0**power < 3.55
    decimals = -power + (1 if two_digits else 0)
    if value != 0.0:
        decimals = min(decimals, 2 - _leading_power(value))
    return max(0, decimals)


def format_number(value: float, decimals: int | None = None, signed: bool = False) -> str:
    """Return a number with thousands separators.

    Args:
        value: The number.
        decimals: How many; by default as many as make three digits, none if they are all zero.
        signed: Whether numbers above zero have a sign as well; zero never has one.
    """
    if math.isnan(value):
        return NO_DATA
    text = f"{abs(value):,.{decimals_for(value) if decimals is None else decimals}f}"
    if decimals is None and "." in text and not text.partition(".")[2].strip("0"):
        text = text.partition(".")[0]
    if not text.strip("0.,"):
        return text
    return f"{MINUS if value < 0.0 else '+' if signed else ''}{text}"


def format_given(value: float, digits: int = 6) -> str:
    """Return a number that somebody chose, with the digits that it has: ``0.25``, ``1,000``.

    Args:
        value: The number.
        digits: How many of them are shown at most, unless it is whole.
    """
    if float(value).is_integer() and abs(value) < 1e15:
        return format_number(value, 0)
    return f"{value:,.{digits}g}".replace("-", MINUS)


def format_value(quantity: Quantity, value: float) -> str:
    """Return a value with three digits and its best unit: ``5.25 days``, ``USD 91,400``."""
    if math.isnan(value):
        return NO_DATA
    unit = unit_for(quantity, value)
    if quantity.dimension == "money" and value:
        value = round(value, 2 - _leading_power(value))
    return unit.behind(format_number(value / unit.size))


def format_estimate(quantity: Quantity, mean: float, low: float, high: float) -> Estimate:
    """Return a mean with its best unit, and its interval.

    Args:
        quantity: What they measure.
        mean: The mean, in the unit of the metric; NaN if there is no data.
        low: Lower end of the interval; NaN if there is none.
        high: Upper end of the interval.
    """
    if math.isnan(mean):
        return Estimate(NO_DATA, "")
    unit = unit_for(quantity, mean)
    shown = estimate_in(unit, quantity, mean, low, high)
    return shown._replace(value=unit.behind(shown.value))


def estimate_in(unit: Unit, quantity: Quantity, mean: float, low: float, high: float) -> Estimate:
    """Return a mean and its interval in a unit that neither names, with the digits it deserves.

    An interval that reaches beyond the smallest or largest value of the quantity, such as one of a
    surface that was fitted, is cut there.
    """
    if math.isnan(mean):
        return Estimate(NO_DATA, "")
    shown = mean / unit.size
    if math.isnan(low) or math.isnan(high):
        return Estimate(format_number(shown), "")
    # Close to 100 %, what is missing to it decides: 99.69 % rather than 99.7 %.
    distance = min(shown, 100.0 - shown) if unit == PERCENT else shown
    decimals = decimals_for(distance, (high - low) / unit.size / 2.0)
    low, high = max(low, quantity.lowest), min(high, quantity.highest)
    ends = [format_number(end / unit.size, decimals) for end in (low, high)]
    return Estimate(format_number(shown, decimals), " – ".join(ends))


def plus_minus(unit: Unit, mean: float, low: float, high: float) -> str:
    """Return a mean and half its interval in a unit that is not named: ``5.3 ±0.6``, ``5.3 ±?``."""
    if math.isnan(mean):
        return NO_DATA
    shown, half_width = mean / unit.size, (high - low) / unit.size / 2.0
    if math.isnan(half_width):
        return f"{format_number(shown)} ±?"
    decimals = decimals_for(shown, half_width)
    return f"{format_number(shown, decimals)} ±{format_number(half_width, decimals)}"


def format_difference(
    quantity: Quantity, level: float, difference: float, low: float, high: float
) -> str:
    """Return a difference with its interval, such as ``+1.2 days (+0.8 to +1.6)``.

    Args:
        quantity: What is compared.
        level: About how large it is itself, which decides on the unit.
        difference: The difference, in the unit of the metric; NaN if there is no data.
        low: Lower end of its interval; NaN if there is none.
        high: Upper end of its interval.
    """
    if math.isnan(difference):
        return NO_DATA
    if difference == low == high == 0.0:
        return "the same"
    unit = unit_for(quantity, level)
    shown = difference_in(unit, difference, low, high)
    value = unit_of_change(unit).behind(shown.value)
    return f"{value} ({shown.interval})" if shown.interval else value


def difference_in(unit: Unit, difference: float, low: float, high: float) -> Estimate:
    """Return a difference and its interval with their signs, in a unit that neither names."""
    if math.isnan(difference):
        return Estimate(NO_DATA, "")
    numbers = [number / unit.size for number in (difference, low, high)]
    if math.isnan(low) or math.isnan(high):
        return Estimate(format_number(numbers[0], decimals_for(numbers[0]), signed=True), "")
    decimals = decimals_for(numbers[0], (numbers[2] - numbers[1]) / 2.0)
    shown, *ends = (format_number(number, decimals, signed=True) for number in numbers)
    return Estimate(shown, " to ".join(ends))


def format_weeks(first: int, last: int) -> str:
    """Return a stretch of weeks, both included: ``weeks 5 to 9``, ``week 5``."""
    return f"week {first}" if first == last else f"weeks {first} to {last}"


def format_percent(share: float) -> str:
    """Return a share as a whole percentage, one decimal below 1 %: ``71 %``, ``0.4 %``."""
    if math.isnan(share):
        return NO_DATA
    percent = 100 * share
    if 0.0 < percent < 0.05:
        return "<0.1 %"
    return f"{format_number(percent, 1 if 0.0 < percent < 0.95 else 0)} %"


def percent_of(part: float, whole: float) -> str:
    """Return which percentage of a whole a part is; there is none of nothing."""
    return format_percent(part / whole if whole else math.nan)


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


_IN_WORDS = {"h": "hour", "days": "day", "weeks": "week", "min": "minute"}


def value_in_words(quantity: Quantity, value: float) -> str:
    """Return a value as people say it: ``5.3 hours``, ``1.7 times per week``, ``6 %``.

    Args:
        quantity: What it measures.
        value: The value in the unit of the metric; it keeps one decimal, or three digits.
    """
    if math.isnan(value):
        return NO_DATA
    if quantity.dimension == "share":
        return format_percent(value)
    if quantity.dimension == "money":
        return format_value(quantity, value)
    unit = unit_for(quantity, value)
    shown = value / unit.size
    number = format_number(shown, min(1, decimals_for(shown))).removesuffix(".0")
    if quantity.dimension == "frequency":
        period = unit.name.replace(_PER_SERVICE, "per")  # the sentence names the service
        return f"{'once' if number == '1' else f'{number} times'} {period}"
    return _said(number, unit)


def change_in_words(
    quantity: Quantity, change: float, level: float, largest: float, signed: bool = False
) -> str:
    """Return the size of a difference as people say it: ``2.5 days``, ``5.0 points``.

    Args:
        quantity: What is compared.
        change: The difference, in the unit of the metric.
        level: About how large the metric itself is, in whose unit a frequency is said.
        largest: The largest difference beside this one, in whose unit a duration is said.
        signed: Whether the difference has its sign.
    """
    unit = unit_for(quantity, largest if quantity.dimension == "duration" else level)
    size = (change if signed else abs(change)) / unit.size
    if quantity.dimension == "money":
        size = round(size, 2 - _leading_power(size)) if size else 0.0
    decimals = {"share": 1, "frequency": 2, "money": decimals_for(size)}.get(
        quantity.dimension, min(1, decimals_for(size))
    )
    return _said(format_number(size, decimals, signed), unit_of_change(unit))


def _said(number: str, unit: Unit) -> str:
    """Return a number with its unit, that of a duration in full: ``1 hour``, ``2.5 days``."""
    if unit.name not in _IN_WORDS:
        return unit.behind(number)
    return f"{number} {_IN_WORDS[unit.name]}{'' if number.strip(f'+{MINUS}') == '1' else 's'}"


def count_noun(count: float, singular: str) -> str:
    """Return a count with its noun: ``1 change``, ``212 changes``, ``0.3 incidents``.

    Means of counts keep one decimal below 10.
    """
    if math.isnan(count):
        return NO_DATA
    whole = count == int(count)
    text = format_number(count, 0 if whole or count >= 10 else 1)
    return f"{text} {singular}" if text == "1" else f"{text} {singular}s"
