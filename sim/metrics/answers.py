"""The answers of the DORA survey of 2025, and how many respondents gave each.

Respondents choose one of a few ranges, so the answers are a distribution, which clusters
(:mod:`sim.metrics.bands`) are not.
"""

import math
from bisect import bisect_left
from typing import NamedTuple

from sim.hours import HOURS_PER_DAY, HOURS_PER_MONTH, HOURS_PER_WEEK

YEAR = 2025
_HALF_YEAR = 6 * HOURS_PER_MONTH


class Answer(NamedTuple):
    """An answer to a question of the survey.

    Attributes:
        words: the answer.
        upper: upper end of its range, which belongs to it: hours, hours between deployments, or a
            share.
        percent: respondents who gave it; None if no source is known.
    """

    words: str
    upper: float
    percent: float | None = None


def _durations(*percent: float) -> tuple[Answer, ...]:
    ends = {
        "less than an hour": 1.0,
        "an hour to a day": HOURS_PER_DAY,
        "a day to a week": HOURS_PER_WEEK,
        "a week to a month": HOURS_PER_MONTH,
        "1 to 6 months": _HALF_YEAR,
        "longer": math.inf,
    }
    return tuple(Answer(*end, share) for end, share in zip(ends.items(), percent, strict=True))


ANSWERS: dict[str, tuple[Answer, ...]] = {
    # "On demand" (16 %) and "between hourly and daily" (7 %) are one: both mean more than daily.
    "deployment_frequency": (
        Answer("more than daily", HOURS_PER_DAY, 23),
        Answer("daily to weekly", HOURS_PER_WEEK, 22),
        Answer("weekly to monthly", HOURS_PER_MONTH, 32),
        Answer("monthly to half-yearly", _HALF_YEAR, 20),
        Answer("fewer", math.inf, 4),
    ),
    "lead_time_h": _durations(9, 15, 32, 28, 13, 2),
    "change_failure_rate": (
        Answer("0 to 15 %", 0.15),
        Answer("15 to 30 %", 0.30),
        Answer("30 to 45 %", 0.45),
        Answer("45 to 60 %", 0.60),
        Answer("more", 1.0),
    ),
    "failed_deployment_recovery_time_h": _durations(21, 35, 28, 9, 5, 1),
}
"""Of each of the four metrics as the survey asks for them since 2023, from the best up.

Source: DORA 2025, read in a summary of it. Percentages are of all respondents; they do not add up
to 100, since some did not know and others are rounded. The ranges of the change failure rate are
those of earlier years; how many respondents gave which answer to it in 2025 is not known here.
"""


def answer_of(metric: str, value: float) -> int | None:
    """Return the number of the answer that somebody with this value gives, from 0; None for NaN.

    Args:
        metric: one of :data:`ANSWERS`.
        value: of the metric, in its own unit: deployments per service and day, h, or a share.
    """
    if math.isnan(value):
        return None
    if metric == "deployment_frequency":
        value = HOURS_PER_DAY / value if value > 0.0 else math.inf
    return bisect_left([answer.upper for answer in ANSWERS[metric]], value)
