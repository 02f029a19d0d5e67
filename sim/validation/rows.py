"""The rows of the validation: what is published beside what is simulated, and the verdict."""

import math
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from sim.experiment.intervals import FloatArray
from sim.metrics import dora_band

from . import published as of
from .agreement import (
    DISTANCE,
    Accepted,
    Order,
    Simulated,
    Verdict,
    judge,
    judge_sign,
    orders,
    simulated,
    within_factor,
    within_odds,
)
from .observe import ACTIVITIES
from .population import (
    GOOGLE,
    LARGE_FIRM,
    MICROSOFT,
    PRESETS_IN,
    SIZES,
    Cell,
    alternatives,
    over_population,
    weights,
)
from .results import Results

Origin = Literal["emerges", "in part put in", "put in"]

DAY, MONTH = 24.0, of.MONTH
_DAYS_A_MONTH = MONTH / DAY


class Section:
    """The titles of the parts of the page."""

    BANDS = "Maturity presets against the clusters of DORA 2019"
    ORDER = "Order of the levels, and speed against stability"
    LEVEL_0 = "Google's level 0: a new model version a couple of times per year"
    DEPLOY = "Time to deploy a model"
    OUTAGES = "Outages from changes"
    TIME = "Where data scientists' time goes"
    RESTORE = "Restore times of infrastructure incidents"
    OTHERS = "Other published figures"


@dataclass(frozen=True)
class Row:
    """One published figure beside what the simulation says.

    Attributes:
        key: identifies the row.
        section: part of the page.
        what: the quantity.
        where: the organizations that were simulated for it.
        published: the figure as published, or what is expected in view of it.
        source: where that is from.
        origin: whether the simulated value emerges, or is (in part) an input of the scenarios.
        unit: of the simulated value and of what is accepted.
        value: the simulated value.
        accepted: the ranges that agree; empty if the row is not judged by ranges.
        verdict: what comes of it.
        note: more about the result.
    """

    key: str
    section: str
    what: str
    where: str
    published: str
    source: of.Source
    origin: Origin
    unit: str
    value: Simulated
    accepted: tuple[Accepted, ...]
    verdict: Verdict
    note: str = ""


# Levels are ranked and so are clusters; no source says which belongs to which. Expected is the
# place by rank, give or take a cluster.
EXPECTED = {
    "google_0": ("medium", "low"),
    "google_1": ("high", "medium"),
    "google_2": ("elite", "high"),
    "microsoft_0": ("medium", "low"),
    "microsoft_1": ("high", "medium"),
    "microsoft_2": ("high", "medium"),
    "microsoft_3": ("elite", "high"),
    "microsoft_4": ("elite", "high"),
}
_SPEED: dict[str, tuple[float, float]] = {
    "elite": (0, 1),
    "high": (1, 7),
    "medium": (7, _DAYS_A_MONTH),
    "low": (_DAYS_A_MONTH, 6 * _DAYS_A_MONTH),
}


@dataclass(frozen=True)
class Metric:
    """A metric as it is compared with DORA, in a unit in which less is better.

    Attributes:
        name: in words.
        unit: of the bands.
        size: units of the metric in one of these; 0 for a rate that becomes an interval.
        bands: of the clusters of 2019.
    """

    name: str
    unit: str
    size: float
    bands: Mapping[str, tuple[float, float]]

    def shown(self, values: FloatArray) -> FloatArray:
        """Return values of the metric in the unit; what never happens has no interval (NaN)."""
        shown: FloatArray = np.full(values.shape, np.nan)
        if self.size:
            np.divide(values, self.size, out=shown)
        else:
            np.divide(1.0, values, out=shown, where=values > 0.0)
        return shown


METRICS = {
    "deployment_frequency": Metric("time between deployments of a service", "days", 0.0, _SPEED),
    "lead_time_h": Metric("lead time", "days", DAY, _SPEED),
    "change_failure_rate": Metric(
        "change failure rate",
        "%",
        0.01,
        {"elite": (0, 15), "high": (0, 15), "medium": (0, 15), "low": (46, 60)},
    ),
    "time_to_restore_h": Metric(
        "time to restore",
        "h",
        1.0,
        {"elite": (0, 1), "high": (0, 24), "medium": (0, 24), "low": (168, MONTH)},
    ),
    "failed_deployment_recovery_time_h": Metric("failed deployment recovery time", "h", 1.0, {}),
}


def all_rows(results: Results) -> list[Row]:
    """Return every row, in the order of the page."""
    return [
        *_bands(results),
        *_order(results),
        *_level_0(results),
        *_deploy(results),
        *_outages(results),
        *_time(results),
        *_restore(results),
        *_others(results),
    ]


def _bands(results: Results) -> Iterator[Row]:
    for level, clusters in EXPECTED.items():
        for name, metric in METRICS.items():
            if not metric.bands:
                continue
            values = results.figure(Cell(PRESETS_IN, level), name)
            accepted = _merged([metric.bands[cluster] for cluster in clusters])
            value = simulated(metric.shown(values))
            yield Row(
                f"band {level} {name}",
                Section.BANDS,
                f"{level}: {metric.name}",
                PRESETS_IN,
                " or ".join(clusters),
                of.DORA_2019,
                "emerges",
                metric.unit,
                value,
                accepted,
                judge(value, accepted),
                dora_band(name, simulated(values).mean),
            )


def _merged(ranges: Iterable[tuple[float, float]]) -> tuple[Accepted, ...]:
    """Return ranges from low to high, those that touch as one."""
    merged: list[Accepted] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1].high:
            merged[-1] = Accepted(merged[-1].low, max(high, merged[-1].high))
        else:
            merged.append(Accepted(low, high))
    return tuple(merged)


def _order(results: Results) -> Iterator[Row]:
    families = {"Google": GOOGLE, "Microsoft": MICROSOFT}
    cases = [(metric, family) for metric in METRICS for family in families]
    courses = [
        np.column_stack([_goodness(results, level, metric) for level in families[family]])
        for metric, family in cases
    ]
    for (metric, family), order in zip(cases, orders(courses), strict=True):
        yield Row(
            f"order {family} {metric}",
            Section.ORDER,
            f"{METRICS[metric].name}, lowest to highest of {family}'s levels",
            PRESETS_IN,
            "better with the level, none worse than the one below it",
            of.DORA_2019,
            "emerges",
            "times shorter" if METRICS[metric].unit != "%" else "times lower",
            Simulated(*map(math.exp, order.ends)),
            (),
            order.verdict,
            _steps(order),
        )
    pairs = (
        ("lead_time_h", "change_failure_rate", 1),
        ("lead_time_h", "time_to_restore_h", 1),
        ("deployment_frequency", "change_failure_rate", -1),
        ("deployment_frequency", "time_to_restore_h", -1),
    )
    for one, other, sign in pairs:
        value = simulated(results.rank_correlation(one, other))
        yield Row(
            f"correlation {one} {other}",
            Section.ORDER,
            f"rank correlation of {_words(one)} and {_words(other)}",
            "population",
            "positive" if sign > 0 else "negative",
            of.DORA_GUIDE,
            "emerges",
            "",
            value,
            (),
            judge_sign(value, sign),
        )


def _goodness(results: Results, level: str, metric: str) -> FloatArray:
    """Return a metric so that more is better and differences are ratios; NaN for log of zero."""
    values = METRICS[metric].shown(results.figure(Cell(PRESETS_IN, level), metric))
    logs: FloatArray = np.full(values.shape, np.nan)
    np.log(values, out=logs, where=values > 0.0)
    return -logs


def _words(metric: str) -> str:
    return metric.removesuffix("_h").replace("_", " ")


def _steps(order: Order) -> str:
    parts = []
    for words, steps in (("better", order.better), ("worse", order.worse)):
        if steps:
            parts.append(f"{words}: " + ", ".join(f"{low} to {high}" for low, high in steps))
    return "; ".join(parts) or "no single step for certain"


def _level_0(results: Results) -> Iterator[Row]:
    name = "models_per_service_year"
    accepted = (within_factor(of.MODELS_PER_YEAR),)
    for size in SIZES:
        # Microsoft's level 0 has the same practices as Google's.
        level = "google_0" if size == PRESETS_IN else "microsoft_0"
        value = simulated(results.figure(Cell(size, level), name))
        yield Row(
            f"level 0 {size}",
            Section.LEVEL_0,
            "deployments of new or retrained models",
            f"{size}, level 0",
            "a couple of times per year",
            of.GOOGLE_LEVELS,
            "emerges",
            "per service and year",
            value,
            accepted,
            judge(value, accepted),
        )


def _deploy(results: Results) -> Iterator[Row]:
    yield from _distribution(
        results,
        "time_to_deploy_h",
        of.TIME_TO_DEPLOY,
        Section.DEPLOY,
        "commit of a new model to production",
        of.ALGORITHMIA_2020,
    )
    bins = of.TIME_TO_DEPLOY
    value = simulated(results.distances("from_training_h", bins))
    yield Row(
        "deploy from training",
        Section.DEPLOY,
        "the same, from the end of the last training: distance of the distributions",
        "population",
        _in_words(bins),
        of.ALGORITHMIA_2020,
        "emerges",
        "",
        value,
        (),
        "not judged",
        "another reading of when a model is finished",
    )
    value = simulated(results.model_distances(bins))
    yield Row(
        "deploy models",
        Section.DEPLOY,
        "the same, over single models instead of teams: distance of the distributions",
        "population",
        _in_words(bins),
        of.ALGORITHMIA_2020,
        "emerges",
        "",
        value,
        (),
        "not judged",
        "another reading of how long it takes",
    )
    for name, of_cell in alternatives():
        value = simulated(results.distances("time_to_deploy_h", bins, of_cell))
        yield Row(
            f"deploy weights {name}",
            Section.DEPLOY,
            "distance of the distributions with other weights",
            name,
            _in_words(bins),
            of.ALGORITHMIA_2020,
            "emerges",
            "",
            value,
            (),
            "not judged",
        )


def _distribution(
    results: Results,
    column: str,
    bins: of.Bins,
    section: str,
    what: str,
    source: of.Source,
) -> Iterator[Row]:
    shares = results.distribution(column, bins)
    for place, label in enumerate(bins.labels):
        yield Row(
            f"{column} {label}",
            section,
            f"{what}: {label}",
            "population, teams",
            f"{100 * bins.shares[place]:.0f} %",
            source,
            "emerges",
            "%",
            simulated(100 * shares[:, place]),
            (),
            "not judged",
            "part of the distribution",
        )
    value = simulated(results.distances(column, bins))
    accepted = (Accepted(0.0, DISTANCE),)
    yield Row(
        f"{column} distance",
        section,
        f"{what}: distance of the distributions",
        "population, teams",
        _in_words(bins),
        source,
        "emerges",
        "",
        value,
        accepted,
        judge(value, accepted),
        f"with the weights that fit best it would be {results.least_distance(column, bins):.2f}",
    )


def _in_words(bins: of.Bins) -> str:
    return " / ".join(f"{100 * share:.0f}" for share in bins.shares) + " %"


def _share(
    key: str,
    section: str,
    what: str,
    where: str,
    share: float,
    source: of.Source,
    origin: Origin,
    values: FloatArray,
    judged: bool = True,
    note: str = "",
) -> Row:
    """Return the row of a published share of a whole."""
    low, high = within_odds(share)
    accepted = (Accepted(100 * low, 100 * high),)
    value = simulated(100 * values)
    return Row(
        key,
        section,
        what,
        where,
        f"{100 * share:.0f} %",
        source,
        origin,
        "%",
        value,
        accepted if judged else (),
        judge(value, accepted) if judged else "not judged",
        note,
    )


_LARGE = " at ".join(LARGE_FIRM)


def _firm_and_population(results: Results, name: str) -> Iterator[tuple[str, FloatArray, bool]]:
    """Return the figure in the large firm, where it is judged, and in the population."""
    yield _LARGE, results.figure(Cell(*LARGE_FIRM), name), True
    yield "population", results.in_population(name), False


def _outages(results: Results) -> Iterator[Row]:
    for where, values, judged in _firm_and_population(results, "from_changes"):
        yield _share(
            f"outages {where}",
            Section.OUTAGES,
            "incidents that a deployment caused",
            where,
            of.OUTAGES_FROM_CHANGES,
            of.SRE_BOOK,
            "emerges",
            values,
            judged,
        )
    for where, values, _ in _firm_and_population(results, "down_from_changes"):
        yield _share(
            f"outages down {where}",
            Section.OUTAGES,
            "the same, of incidents of infrastructure alone",
            where,
            of.OUTAGES_FROM_CHANGES,
            of.SRE_BOOK,
            "emerges",
            values,
            False,
            "the narrow reading of an outage: service is down",
        )


def _time(results: Results) -> Iterator[Row]:
    def most(cell: Cell) -> FloatArray:
        teams = [o.teams["deploying"].dropna() for o in results.observations[cell]]
        return np.array([(t >= of.DEPLOYING).mean() if len(t) else np.nan for t in teams])

    value = simulated(100 * over_population(most, weights()))
    accepted = (Accepted(50.0, 100.0),)
    yield Row(
        "time deploying",
        Section.TIME,
        "teams whose data scientists spend a quarter or more on what comes after the commit",
        "population, teams",
        "most, that is more than 50 %",
        of.ALGORITHMIA_2021,
        "emerges",
        "%",
        value,
        accepted,
        judge(value, accepted),
    )
    for group, words in (("data_scientists", "data scientists"), ("team", "all of a team")):
        exploring = results.in_population(f"{group}: exploration")
        for activity, share in (
            ("preparation", of.PREPARATION),
            ("training", of.TRAINING),
            ("deployment", of.DEPLOYMENT),
        ):
            values = results.in_population(f"{group}: {activity}")
            yield _activity(words, activity, share, values, exploring)
        for activity in ACTIVITIES:
            if activity in ("preparation", "training", "deployment"):
                continue
            yield Row(
                f"time {group} {activity}",
                Section.TIME,
                f"{words}: {activity}",
                "population",
                "",
                of.ANACONDA_2020,
                "emerges",
                "%",
                simulated(100 * results.in_population(f"{group}: {activity}")),
                (),
                "not judged",
                "no counterpart in the survey",
            )


def _activity(
    group: str, activity: str, share: float, values: FloatArray, exploring: FloatArray
) -> Row:
    """Return the row of an activity of the survey.

    Preparation and training happen in explorations too, and nobody knows how much of them: the
    share lies between what follows the commit and that plus all of the exploration. It disagrees
    if what is accepted is wholly outside, and agrees never. Nothing is deployed in an exploration.
    """
    after, explored = simulated(100 * values), simulated(100 * (values + exploring))
    low, high = within_odds(share)
    accepted = (Accepted(100 * low, 100 * high),)
    origin: Origin = "emerges"
    verdict: Verdict = "not judged"
    if activity != "deployment":
        note = f"with all of the exploration {explored.mean:.0f} %"
        if after.low > accepted[0].high or explored.high < accepted[0].low:
            verdict = "disagrees"
    elif group == "data scientists":
        # Who packages and deploys is a matter of the scenarios.
        origin, note = "put in", "the scenarios give these steps to other roles"
    else:
        verdict, note = judge(after, accepted), ""
    return Row(
        f"time {group} {activity}",
        Section.TIME,
        f"{group}: {activity}",
        "population",
        f"{100 * share:.0f} %",
        of.ANACONDA_2020,
        origin,
        "%",
        after,
        accepted,
        verdict,
        note,
    )


def _restore(results: Results) -> Iterator[Row]:
    median = math.exp(of.MEAN_LOG_MINUTES)
    spread = {
        "restore_p10": median * math.exp(-_Z90 * of.SD_LOG_MINUTES),
        "restore_p50": median,
        "restore_p90": median * math.exp(_Z90 * of.SD_LOG_MINUTES),
    }
    for name, minutes in spread.items():
        accepted = (within_factor(minutes),)
        for where, values, judged in _firm_and_population(results, name):
            value = simulated(values)
            yield Row(
                f"{name} {where}",
                Section.RESTORE,
                f"{name.removeprefix('restore_p')}th percentile",
                where,
                f"{minutes:.0f} min",
                of.LOGNORMAL,
                "in part put in",
                "min",
                value,
                accepted if judged else (),
                judge(value, accepted) if judged else "not judged",
            )
    for name, figure, words in (
        ("restore_mean_log", of.MEAN_LOG_MINUTES, "mean of log minutes"),
        ("restore_sd_log", of.SD_LOG_MINUTES, "standard deviation of log minutes"),
    ):
        for where, values, _ in _firm_and_population(results, name):
            yield Row(
                f"{name} {where}",
                Section.RESTORE,
                words,
                where,
                f"{figure}",
                of.LOGNORMAL,
                "in part put in",
                "",
                simulated(values),
                (),
                "not judged",
            )


_Z90 = 1.2815515655446004
"""90th percentile of the standard normal distribution."""


def _others(results: Results) -> Iterator[Row]:
    for where, values, judged in _firm_and_population(results, "rolled_back"):
        yield _share(
            f"rollback {where}",
            Section.OTHERS,
            "incidents that a rollback ends",
            where,
            of.ROLLBACKS,
            of.TEAMS,
            "emerges",
            values,
            judged,
        )
    for name, share in of.ROOT_CAUSES.items():
        for where, values, judged in _firm_and_population(results, f"cause_{name}"):
            yield _share(
                f"cause {name} {where}",
                Section.OTHERS,
                f"root cause of incidents: {name}",
                where,
                share,
                of.TEAMS,
                "in part put in" if name == "dependency" else "emerges",
                values,
                judged,
            )
    for where, values, judged in _firm_and_population(results, "not_ml"):
        value, accepted = simulated(100 * values), (Accepted(50.0, 100.0),)
        yield Row(
            f"not ML {where}",
            Section.OTHERS,
            "incidents that are not specific to machine learning",
            where,
            "most, that is more than 50 %",
            of.PAPASIAN,
            "emerges",
            "%",
            value,
            accepted if judged else (),
            judge(value, accepted) if judged else "not judged",
        )
    for column, bins, what in (
        ("lead_time_h", of.LEAD_TIME_2025, "lead time"),
        ("recovery_h", of.RECOVERY_2025, "failed deployment recovery time"),
        ("interval_h", of.INTERVAL_2025, "deployments of a service"),
    ):
        yield from _distribution(results, column, bins, Section.OTHERS, what, of.DORA_2025)
    value = simulated(results.in_population("prototype_to_production_h") / MONTH)
    accepted = (within_factor(of.PROTOTYPE_TO_PRODUCTION_H / MONTH),)
    yield Row(
        "prototype to production",
        Section.OTHERS,
        "start of the exploration of a feature to production, mean",
        "population",
        "8 months from prototype",
        of.GARTNER_2024,
        "emerges",
        "months",
        value,
        accepted,
        judge(value, accepted),
    )
    value, accepted = simulated(results.in_population("review_h")), (Accepted(*of.REVIEW_H),)
    yield Row(
        "review",
        Section.OTHERS,
        "code review, from asked for to done, median",
        "population",
        "15 to 24 h in industry",
        of.REVIEWS,
        "emerges",
        "h",
        value,
        accepted,
        judge(value, accepted),
    )
    yield _share(
        "data detected",
        Section.OTHERS,
        "organizations that need 4 h or more to detect a data incident, mean",
        "population",
        of.DATA_DETECTED_LATE,
        of.MONTE_CARLO,
        "put in",
        results.in_population("data_detected_late"),
        False,
    )
    value = simulated(results.in_population("data_fixed_h"))
    accepted = (within_factor(of.DATA_FIXED_H),)
    yield Row(
        "data fixed",
        Section.OTHERS,
        "data incident, from detected to restored, mean",
        "population",
        "15 h",
        of.MONTE_CARLO,
        "in part put in",
        "h",
        value,
        accepted,
        judge(value, accepted),
    )
    yield Row(
        "data batch fixed",
        Section.OTHERS,
        "the same, of incidents that a corrupted batch caused at once",
        "population",
        "15 h",
        of.MONTE_CARLO,
        "in part put in",
        "h",
        simulated(results.in_population("batch_fixed_h")),
        (),
        "not judged",
        "another reading of a data incident",
    )
