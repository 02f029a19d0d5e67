"""What a population of simulated organizations answers, beside the answers of DORA's respondents.

Every organization counts the same. In the shares of teams so does every organization, however many
teams it has. Those without a value (nothing was deployed, or nothing failed) give no answer, like
respondents who do not know; shares are of those who gave one.
"""

import math
from collections.abc import Sequence

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from sim.document.document import Cell, Column, Group, Row, Table
from sim.experiment.axes import draws_a_population
from sim.experiment.respondents import column
from sim.metrics import catalogue
from sim.metrics.answers import ANSWERS, YEAR, answer_of
from sim.report.sweep_content import Findings, label_of
from sim.report.units import (
    NO_DATA,
    count_noun,
    format_given,
    format_number,
    format_value,
)
from sim.words import capitalized, listed

_CONFIDENCE = 0.95
_UNKNOWN = "–"
_COLUMNS = ["answer", "organizations", "low", "high", "teams", "published"]


def is_population(found: Findings) -> bool:
    """Return whether the points of a sweep stand for organizations as they are found."""
    return draws_a_population(found.sweep.axes) and bool(found.sweep.metrics)


def shares(found: Findings, metric: str) -> pd.DataFrame:
    """Return how many of those who answer give which answer about a metric.

    Args:
        found: a population.
        metric: one of :data:`sim.metrics.answers.ANSWERS`.

    Returns:
        A row per answer: `answer` (its words), `organizations` (a share, by the mean over the
        replications) with `low` and `high` (Wilson's 95 % interval for independent draws; NaN in
        other designs, whose draws are not), `teams`, and `published`, scaled to those who gave an
        answer (NaN if it is not known).
    """
    answers = ANSWERS[metric]
    given = [answer_of(metric, value) for value in values(found, metric)]
    counts = [given.count(number) for number in range(len(answers))]
    total = sum(counts)
    ends = np.full((len(answers), 2), math.nan)
    if found.sweep.design == "random" and total:
        for number, count in enumerate(counts):
            ends[number] = binomtest(count, total).proportion_ci(_CONFIDENCE, method="wilson")
    known = [answer.percent for answer in answers if answer.percent is not None]
    published = [math.nan if a.percent is None else a.percent / sum(known) for a in answers]
    return pd.DataFrame(
        {
            "answer": [answer.words for answer in answers],
            "organizations": [count / total if total else math.nan for count in counts],
            "low": ends[:, 0],
            "high": ends[:, 1],
            "teams": _teams(found, metric),
            "published": published,
        },
        columns=_COLUMNS,
    )


def values(found: Findings, metric: str) -> list[float]:
    """Return a metric of each organization that has one, the mean over its replications."""
    if metric not in found.sweep.metrics:
        return []
    means = found.sweep.summary([metric])["mean"]
    return [float(value) for value in means.dropna()]


def _teams(found: Findings, metric: str) -> Sequence[float]:
    names = [column(metric, number) for number in range(len(ANSWERS[metric]))]
    if not set(names) <= set(found.sweep.metrics):
        return [math.nan] * len(names)
    means = found.sweep.summary(names).pivot(index="point", columns="metric", values="mean")[names]
    of_organization = means.div(means.sum(axis=1).replace(0.0, math.nan), axis=0)
    return [float(share) for share in of_organization.mean()]


def distance(found_shares: pd.DataFrame, who: str) -> float:
    """Return the largest difference between the cumulative shares and the published ones.

    Args:
        found_shares: what :func:`shares` returns.
        who: `organizations` or `teams`.
    """
    gaps = (found_shares[who].cumsum() - found_shares["published"].cumsum()).abs()
    return float(gaps.max(skipna=False))


def population_sentences(found: Findings) -> list[str]:
    """Return how the metrics are spread over the organizations, in plain sentences."""
    gaps = {metric: distance(shares(found, metric), "teams") for metric in ANSWERS}
    known = [
        f"{format_number(100 * gap, 0)} for {label_of(metric)}"
        for metric, gap in gaps.items()
        if not math.isnan(gap)
    ]
    said = [_spread(found, metric) for metric in ANSWERS]
    if known:
        said.append(
            "The cumulative shares of teams and of respondents lie apart by at most so many "
            f"percentage points: {listed(known)}."
        )
    return said


def _spread(found: Findings, metric: str) -> str:
    known = values(found, metric)
    label = capitalized(label_of(metric))
    if not known:
        return f"{label}: {NO_DATA} in any organization."
    quantity = catalogue.metric(metric).priced_in(found.sweep.base.cost.currency)
    tenth, half, most = (
        format_value(quantity, float(each)) for each in np.quantile(known, (0.1, 0.5, 0.9))
    )
    silent = len(found.numbers) - len(known)
    rest = f"; {count_noun(silent, 'organization')} without a value" if silent else ""
    return (
        f"{label} has the median {half} over {format_given(len(known))} organizations; the middle "
        f"80 % of them lie between {tenth} and {most}{rest}."
    )


def population_table(found: Findings) -> Table:
    """Return the shares of all answers beside the published ones."""
    groups = []
    for metric in ANSWERS:
        rows = []
        frame = shares(found, metric)
        for answer, numbers in zip(frame["answer"], frame[_COLUMNS[1:]].to_numpy(), strict=True):
            organizations, low, high, teams, published = map(_percent, map(float, numbers))
            interval = "" if low == _UNKNOWN else f"{low} – {high}"
            rows.append(Row([str(answer), Cell(organizations, interval), teams, published]))
        groups.append(Group(rows, capitalized(label_of(metric))))
    columns = [
        Column("answer"),
        Column("organizations", "%", True),
        Column("teams", "%", True),
        Column(f"DORA {YEAR}", "%", True),
    ]
    caption = (
        "Share of those who give the answer, of all who give one. Teams: the share in an "
        "organization, averaged over organizations. Published: respondents, not organizations, and "
        "software of all kinds. Nothing was fitted to these shares. A dash: no share is known."
    )
    return Table(columns, groups, caption)


def _percent(share: float) -> str:
    return _UNKNOWN if math.isnan(share) else format_number(100 * share, 0)


def population_frame(found: Findings) -> pd.DataFrame:
    """Return :func:`shares` of all metrics, with `metric` in front."""
    parts = []
    for metric in ANSWERS:
        part = shares(found, metric)
        part.insert(0, "metric", metric)
        parts.append(part)
    return pd.concat(parts, ignore_index=True)
