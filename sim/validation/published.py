"""Published distributions, and the sources of published figures."""

import math
from typing import Literal, Self

import numpy as np
from pydantic import Field, model_validator
from scipy.stats import norm

from sim.experiment.intervals import FloatArray
from sim.metrics.answers import ANSWERS
from sim.report.units import format_number
from sim.scenario.spec import Number, Spec

Statistic = Literal["mean_log", "sd_log", "p10", "p50", "p90"]


class Source(Spec):
    """The source of a published figure."""

    name: str = Field(description="As tables show it.")
    trust: Literal["R", "R2", "M"] = Field(
        description="How the figure was obtained: R read in the source's own text, R2 read in "
        "somebody's summary of it, M from memory."
    )


class Answers(Spec):
    """The answers to a question of a survey, and how many respondents gave each."""

    upper_ends_h: dict[str, Number | None] = Field(
        description="Each answer with the upper end of its range, from the lowest up; the last has "
        "none."
    )
    percentages: tuple[Number, ...] = Field(
        description="Respondents with each answer; less than 100 in all if some did not know."
    )

    @model_validator(mode="after")
    def _fits(self) -> Self:
        *ends, last = self.upper_ends_h.values()
        if last is not None or None in ends or self.edges_h != sorted(self.edges_h):
            raise ValueError("upper_ends_h must rise, and be null for the last alone")
        if len(self.percentages) != len(self.upper_ends_h):
            raise ValueError("percentages and upper_ends_h must be equally many")
        return self

    @property
    def edges_h(self) -> list[float]:
        """The upper ends of all answers but the last."""
        return [end for end in self.upper_ends_h.values() if end is not None]

    @property
    def by_answer(self) -> dict[str, float]:
        """The percentage of each answer."""
        return dict(zip(self.upper_ends_h, self.percentages, strict=True))

    @property
    def cumulative(self) -> FloatArray:
        """The share that gave each answer or a lower one, of all who gave an answer."""
        return np.asarray(np.cumsum(self.percentages) / np.sum(self.percentages))

    def __str__(self) -> str:
        return " / ".join(format_number(share, 0) for share in self.percentages) + " %"


def answers_of_dora() -> dict[str, Answers]:
    """Return the answers of DORA's respondents, by metric, where their shares are known."""
    return {
        metric: Answers(
            upper_ends_h={a.words: None if math.isinf(a.upper) else a.upper for a in answers},
            percentages=tuple(a.percent for a in answers if a.percent is not None),
        )
        for metric, answers in ANSWERS.items()
        if all(answer.percent is not None for answer in answers)
    }


class LognormalFit(Spec):
    """A lognormal distribution fitted to published data."""

    mean_log: Number
    sd_log: Number = Field(gt=0)

    def statistic(self, name: Statistic) -> float:
        """Return a parameter, or a percentile."""
        if name == "mean_log" or name == "sd_log":
            value: float = getattr(self, name)
            return value
        return math.exp(self.mean_log + self.sd_log * norm.ppf(int(name[1:]) / 100))

    def cumulative(self, values: FloatArray) -> FloatArray:
        """Return the share of the distribution that is at most each of ``values``."""
        shares: FloatArray = norm.cdf((np.log(values) - self.mean_log) / self.sd_log)
        return shares


class PublishedDistributions(Spec):
    """Published distributions, by name."""

    answers: dict[str, Answers]
    lognormal_fits: dict[str, LognormalFit]
