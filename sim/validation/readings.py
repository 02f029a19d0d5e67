"""Functions that read the value of a row from the observations."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Annotated, Any, Literal, assert_never

import numpy as np
from pydantic import BeforeValidator, Field
from scipy.stats import spearmanr

from sim.experiment.intervals import FloatArray
from sim.hours import HOURS_PER_DAY, HOURS_PER_MONTH
from sim.scenario.spec import Share, Spec

from .agreement import distance
from .observe import DAYS
from .population import Simulation, over_population
from .published import Answers
from .references import look_up
from .results import Results

Weights = Mapping[Simulation, float]
FigureName = Annotated[str, look_up("figure")]
ColumnName = Annotated[str, look_up("column")]
AnswersByName = Annotated[Answers, look_up("answers")]

IN_FIGURES = {"%": 0.01, "days": HOURS_PER_DAY, "months": HOURS_PER_MONTH, "per year": 1 / 365.25}
"""Size of a unit in the units of figures (h, shares, per day); 1 for units not listed."""


class MeanOverPlace(Spec):
    """A figure, averaged over the organizations of the place."""

    how: Literal["mean"]
    figure: FigureName


class IntervalOfRate(Spec):
    """The time between two events, from a figure that is a rate; NaN if the rate is 0."""

    how: Literal["interval"]
    figure: FigureName


class ShareOfTeams(Spec):
    """The share of teams with at least this value, of all teams that have one."""

    how: Literal["share of teams"]
    column: ColumnName
    at_least: Share


class DistanceOverTeams(Spec):
    """The distance between the distribution over teams and a published one."""

    how: Literal["distance"]
    column: ColumnName
    answers: AnswersByName


class DistanceOverModels(Spec):
    """The distance between the distribution over single new models and a published one."""

    how: Literal["distance over single models"]
    answers: AnswersByName


class RankCorrelation(Spec):
    """Spearman's correlation of two figures over organizations; each counts once."""

    how: Literal["rank correlation"]
    figures: tuple[FigureName, FigureName]


@dataclass(frozen=True)
class ShareWithAnswer:
    """The share of teams that would give one of the answers of a survey.

    Attributes:
        asked: the column of the teams, and all the answers.
        place: position of the answer, from 0.
    """

    asked: DistanceOverTeams
    place: int


ReadingOfEntry = (
    MeanOverPlace
    | IntervalOfRate
    | ShareOfTeams
    | DistanceOverTeams
    | DistanceOverModels
    | RankCorrelation
)
Reading = ReadingOfEntry | ShareWithAnswer


def _a_name_alone(value: Any) -> Any:
    return {"how": "mean", "figure": value} if isinstance(value, str) else value


Reads = Annotated[ReadingOfEntry, Field(discriminator="how"), BeforeValidator(_a_name_alone)]
"""A reading as an entry gives it; the name of a figure alone means its mean."""


def read(reading: Reading, results: Results, weights: Weights) -> FloatArray:
    """Return the value of a place in each replication, in the unit of figures; (replications,).

    Args:
        reading: which value to read, and how.
        results: the simulated observations.
        weights: weights of the cells of the place.
    """
    match reading:
        case MeanOverPlace():
            return results.mean_figure(reading.figure, weights)
        case IntervalOfRate():
            return _intervals_h(results.mean_figure(reading.figure, weights))
        case ShareOfTeams():
            return _share_of_teams(reading, results, weights)
        case ShareWithAnswer(asked, place):
            shares = results.distribution(asked.column, asked.answers, weights)
            return np.asarray(shares[:, place])
        case DistanceOverTeams():
            return _distances(
                results.distribution(reading.column, reading.answers, weights), reading.answers
            )
        case DistanceOverModels():
            return _distances(_over_models(reading.answers, results, weights), reading.answers)
        case RankCorrelation():
            return _rank_correlation(reading, results, weights)
        case _:
            assert_never(reading)


def _intervals_h(per_day: FloatArray) -> FloatArray:
    intervals: FloatArray = np.full(per_day.shape, np.nan)
    np.divide(HOURS_PER_DAY, per_day, out=intervals, where=per_day > 0.0)
    return intervals


def _share_of_teams(reading: ShareOfTeams, results: Results, weights: Weights) -> FloatArray:
    def of(cell: Simulation) -> FloatArray:
        teams = [o.teams[reading.column].dropna() for o in results.observations[cell]]
        return np.array([(t >= reading.at_least).mean() if len(t) else np.nan for t in teams])

    return over_population(of, weights)


def _distances(shares: FloatArray, answers: Answers) -> FloatArray:
    return np.array([distance(row, answers.percentages) for row in shares])


def _over_models(answers: Answers, results: Results, weights: Weights) -> FloatArray:
    """Return the share of single new models in each answer, (replications, answers)."""
    edges_d = np.array(answers.edges_h) / HOURS_PER_DAY
    at_edges = [np.interp(edges_d, DAYS, curve) for curve in results.curve("deployed", weights)]
    return np.diff(at_edges, axis=1, prepend=0.0, append=1.0)


def _rank_correlation(reading: RankCorrelation, results: Results, weights: Weights) -> FloatArray:
    one, other = (
        np.array([results.figure(cell, name) for cell in weights]) for name in reading.figures
    )
    return np.array(
        [
            spearmanr(one[:, k], other[:, k], nan_policy="omit").statistic
            for k in range(one.shape[1])
        ]
    )
