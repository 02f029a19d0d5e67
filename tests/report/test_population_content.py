"""Shares of answers of a population, by hand."""

import math
from types import SimpleNamespace
from typing import Any

import pandas as pd
import pytest
from matplotlib.figure import Figure

from sim.experiment.axes import Axis, Interval, chances
from sim.experiment.respondents import column
from sim.hours import HOURS_PER_DAY, HOURS_PER_MONTH, HOURS_PER_WEEK
from sim.metrics.answers import ANSWERS, answer_of
from sim.report.population_content import distance, is_population, shares, values
from sim.report.population_figures import plot_shares

LEAD_TIMES_H = [0.5, 1.0, 30.0, 30.0, 200.0, math.nan]
"""Of six organizations: two within the hour, two within the week, one within the month."""
TEAMS = {0: [1, 0, 0, 3, 0, 0], 1: [0, 0, 2, 0, 0, 0], 5: [0, 0, 0, 0, 0, 0]}
"""Answers about lead time, of the teams of three organizations."""


def found(design: str = "random", teams: bool = True) -> Any:
    """Return what the report reads of a sweep over six points."""
    tables = {"lead_time_h": dict(enumerate(LEAD_TIMES_H))}
    if teams:
        for number in range(6):
            name = column("lead_time_h", number)
            tables[name] = {point: float(given[number]) for point, given in TEAMS.items()}

    def summary(metrics: list[str]) -> pd.DataFrame:
        rows = [
            {"point": point, "metric": name, "mean": mean}
            for name in metrics
            for point, mean in tables[name].items()
        ]
        return pd.DataFrame(rows)

    sweep = SimpleNamespace(
        metrics=list(tables),
        summary=summary,
        design=design,
        axes=[Axis("automation", chances("automation", {0: 1, 1: 1}))],
    )
    return SimpleNamespace(sweep=sweep, numbers=range(6))


def test_shares_are_of_those_who_answer() -> None:
    frame = shares(found(), "lead_time_h")
    assert frame["organizations"].tolist() == [0.4, 0.0, 0.4, 0.2, 0.0, 0.0]
    assert values(found(), "lead_time_h") == LEAD_TIMES_H[:5]
    # Organizations count the same: one has a quarter and three quarters, one is of one mind, and
    # one has no teams that answer.
    assert frame["teams"].tolist() == [0.125, 0.0, 0.5, 0.375, 0.0, 0.0]
    assert frame["published"].tolist() == pytest.approx([n / 99 for n in (9, 15, 32, 28, 13, 2)])


def test_intervals_of_independent_draws_are_wilson_s() -> None:
    frame = shares(found(), "lead_time_h")
    z, n, p = 1.959964, 5, 0.4
    middle = (p + z**2 / (2 * n)) / (1 + z**2 / n)
    half = z * math.sqrt(p * (1 - p) / n + z**2 / (4 * n**2)) / (1 + z**2 / n)
    assert frame.loc[0, ["low", "high"]].tolist() == pytest.approx([middle - half, middle + half])
    assert shares(found("lhs"), "lead_time_h")[["low", "high"]].isna().all(axis=None)


def test_the_distance_is_that_of_cumulative_shares() -> None:
    # Published up to a week: (9 + 15 + 32) / 99; up to an hour 9 / 99; of teams 0.125 and 0.625.
    gaps = [0.125 - 9 / 99, 0.125 - 24 / 99, 0.625 - 56 / 99, 1 - 84 / 99, 1 - 97 / 99]
    frame = shares(found(), "lead_time_h")
    assert distance(frame, "teams") == pytest.approx(max(map(abs, gaps)))


def test_without_data_there_are_no_shares() -> None:
    frame = shares(found(teams=False), "change_failure_rate")
    assert frame[["organizations", "teams", "published"]].isna().all(axis=None)
    assert math.isnan(distance(frame, "teams"))
    assert shares(found(teams=False), "lead_time_h")["teams"].isna().all()
    ax = plot_shares(frame, Figure().subplots())
    assert [text.get_text() for text in ax.texts] == ["no data"]


def test_bars_are_as_long_as_the_shares() -> None:
    ax = plot_shares(shares(found(), "lead_time_h"), Figure().subplots())
    widths = [[bar.get_width() for bar in bars] for bars in ax.containers]
    assert widths[0] == pytest.approx([40, 0, 40, 20, 0, 0])
    assert widths[1] == pytest.approx([12.5, 0, 50, 37.5, 0, 0])
    (marks,) = [line for line in ax.lines if line.get_marker() == "D"]
    assert list(marks.get_xdata()) == pytest.approx([100 * n / 99 for n in (9, 15, 32, 28, 13, 2)])


@pytest.mark.parametrize(
    ("metric", "value", "words"),
    [
        ("lead_time_h", 0.0, "less than an hour"),
        ("lead_time_h", 1.0, "less than an hour"),
        ("lead_time_h", HOURS_PER_DAY + 0.1, "a day to a week"),
        ("lead_time_h", HOURS_PER_MONTH, "a week to a month"),
        ("lead_time_h", 10_000.0, "longer"),
        ("deployment_frequency", 1.5, "more than daily"),
        ("deployment_frequency", HOURS_PER_DAY / (2 * HOURS_PER_WEEK), "weekly to monthly"),
        ("deployment_frequency", 0.0, "fewer"),
        ("change_failure_rate", 0.0, "0 to 15 %"),
        ("change_failure_rate", 0.16, "15 to 30 %"),
        ("change_failure_rate", 1.0, "more"),
        ("failed_deployment_recovery_time_h", 170.0, "a week to a month"),
    ],
)
def test_answers(metric: str, value: float, words: str) -> None:
    number = answer_of(metric, value)
    assert number is not None
    assert ANSWERS[metric][number].words == words
    assert answer_of(metric, math.nan) is None


def test_a_sweep_over_intervals_is_no_population() -> None:
    sampled = found()
    assert is_population(sampled)
    sampled.sweep.axes = [Axis("automation", Interval(0, 1)), Axis("n_jobs", (1, 2))]
    assert not is_population(sampled)
