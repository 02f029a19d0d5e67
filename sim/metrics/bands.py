"""Which cluster of the State of DevOps reports (DORA) a value falls into."""

import math
from typing import NamedTuple

from sim.hours import HOURS_PER_DAY, HOURS_PER_MONTH, HOURS_PER_WEEK

HOUR, DAY, WEEK, MONTH = 1.0, HOURS_PER_DAY, HOURS_PER_WEEK, HOURS_PER_MONTH
HALF_YEAR = 6 * MONTH


def _less_than(edge: float) -> float:
    return math.nextafter(edge, 0.0)


class Band(NamedTuple):
    """A cluster, or several that reported the same, with the closed interval it reported."""

    clusters: str
    best: float
    worst: float


_ON_DEMAND = _less_than(DAY)
BANDS: dict[int, dict[str, tuple[Band, ...]]] = {
    2019: {
        "deployment_frequency": (
            Band("elite", 0.0, _ON_DEMAND),
            Band("high", DAY, WEEK),
            Band("medium", WEEK, MONTH),
            Band("low", MONTH, HALF_YEAR),
        ),
        "lead_time_h": (
            Band("elite", 0.0, _less_than(DAY)),
            Band("high", DAY, WEEK),
            Band("medium", WEEK, MONTH),
            Band("low", MONTH, HALF_YEAR),
        ),
        "change_failure_rate": (
            Band("elite/high/medium", 0.0, 0.15),
            Band("low", 0.46, 0.60),
        ),
        "time_to_restore_h": (
            Band("elite", 0.0, _less_than(HOUR)),
            Band("high/medium", HOUR, _less_than(DAY)),
            Band("low", WEEK, MONTH),
        ),
    },
    2021: {
        "deployment_frequency": (
            Band("elite", 0.0, _ON_DEMAND),
            Band("high", WEEK, MONTH),
            Band("medium", MONTH, HALF_YEAR),
            Band("low", HALF_YEAR, math.inf),
        ),
        "lead_time_h": (
            Band("elite", 0.0, _less_than(HOUR)),
            Band("high", DAY, WEEK),
            Band("medium", MONTH, HALF_YEAR),
            Band("low", HALF_YEAR, math.inf),
        ),
        "change_failure_rate": (
            Band("elite", 0.0, 0.15),
            Band("high/medium/low", 0.16, 0.30),
        ),
        "time_to_restore_h": (
            Band("elite", 0.0, _less_than(HOUR)),
            Band("high", HOUR, _less_than(DAY)),
            Band("medium", DAY, WEEK),
            Band("low", HALF_YEAR, math.inf),
        ),
    },
    2022: {
        "deployment_frequency": (
            Band("high", 0.0, _ON_DEMAND),
            Band("medium", WEEK, MONTH),
            Band("low", MONTH, HALF_YEAR),
        ),
        "lead_time_h": (
            Band("high", DAY, WEEK),
            Band("medium", WEEK, MONTH),
            Band("low", MONTH, HALF_YEAR),
        ),
        "change_failure_rate": (
            Band("high", 0.0, 0.15),
            Band("medium", 0.16, 0.30),
            Band("low", 0.46, 0.60),
        ),
        "time_to_restore_h": (
            Band("high", 0.0, _less_than(DAY)),
            Band("medium", DAY, WEEK),
            Band("low", WEEK, MONTH),
        ),
    },
    2023: {
        "deployment_frequency": (
            Band("elite", 0.0, _ON_DEMAND),
            Band("high", DAY, WEEK),
            Band("medium/low", WEEK, MONTH),
        ),
        "lead_time_h": (
            Band("elite", 0.0, _less_than(DAY)),
            Band("high", DAY, WEEK),
            Band("medium/low", WEEK, MONTH),
        ),
        "change_failure_rate": (
            Band("elite", 0.0, 0.05),
            Band("high", 0.05, 0.10),
            Band("medium", 0.10, 0.15),
            Band("low", 0.15, 0.64),
        ),
        "time_to_restore_h": (
            Band("elite", 0.0, _less_than(HOUR)),
            Band("high", HOUR, _less_than(DAY)),
            Band("medium", DAY, WEEK),
            Band("low", MONTH, HALF_YEAR),
        ),
    },
    2024: {
        "deployment_frequency": (
            Band("elite", 0.0, _ON_DEMAND),
            Band("high", DAY, WEEK),
            Band("medium", WEEK, MONTH),
            Band("low", MONTH, HALF_YEAR),
        ),
        "lead_time_h": (
            Band("elite", 0.0, _less_than(DAY)),
            Band("high", DAY, WEEK),
            Band("medium", WEEK, MONTH),
            Band("low", MONTH, HALF_YEAR),
        ),
        "change_failure_rate": (
            Band("elite", 0.0, 0.05),
            Band("medium", 0.05, 0.10),
            Band("high", 0.10, 0.20),
            Band("low", 0.20, 0.40),
        ),
        "time_to_restore_h": (
            Band("elite", 0.0, _less_than(HOUR)),
            Band("high/medium", HOUR, _less_than(DAY)),
            Band("low", WEEK, MONTH),
        ),
    },
}
"""The bands of each metric by year of the report, from best to worst.

Durations are in hours and failures a share; deployment frequency stands as hours between two
deployments, so that less is better throughout. "On demand" is several a day, thus less than a day.
Where two intervals share an edge, it belongs to the better one. Where a better cluster's interval
lies inside a worse one's (restored in less than an hour, in less than a day), the better takes what
it covers. Source: the table of clusters in the State of DevOps report (DORA) of each year.
"""


def has_bands(metric: str, year: int = 2019) -> bool:
    """Return whether the report of a year has clusters for a metric."""
    return metric in BANDS[year]


def dora_band(metric: str, value: float, year: int = 2019) -> str:
    """Return the cluster of the State of DevOps report of a year that a value falls into.

    The clusters come from a survey with fixed answers and are fitted anew each year, so they have
    holes, overlaps and, in 2024, an order that is not monotone. What is done about it:

    *   Between two clusters there may be a hole, which belongs to neither: in 2019, 30 % failed
        changes are "between medium and low".
    *   Clusters that reported the same are named together: "elite/high/medium".
    *   Where a good cluster's interval lies inside that of a worse one, the good one is named; an
        edge that two intervals share belongs to the better one.
    *   Worse than the worst cluster is "below low", better than the best "above high" (2022, which
        has no elite and no lead time of less than a day).
    *   For change failure, 2023 and 2024 report one rate a cluster. It is taken as the worst that
        still belongs to the cluster, down to the next lower rate that was reported. In 2024 the
        medium cluster failed less often (10 %) than the high one (20 %) and so comes before it.

    Args:
        metric: `deployment_frequency` (per service and day), `lead_time_h`, `change_failure_rate`
            (between 0 and 1) or `time_to_restore_h`.
        value: Value of the metric.
        year: 2019, 2021, 2022 (without an elite), 2023 or 2024. In 2023 the question about
            restoring was narrowed to failures caused by a change, so from then on the value to
            judge is `failed_deployment_recovery_time_h`.

    Returns:
        The cluster's name or names, or what is said above; "no data" for NaN.

    Raises:
        ValueError: The metric or the year has no bands, or the value is negative.
    """
    if year not in BANDS:
        raise ValueError(f"there are bands for {', '.join(map(str, BANDS))}, not for {year}")
    if metric not in BANDS[year]:
        raise ValueError(f"there are bands for {', '.join(BANDS[year])}, not for '{metric}'")
    if math.isnan(value):
        return "no data"
    if value < 0:
        raise ValueError(f"{metric} cannot be negative: {value}")
    if metric == "deployment_frequency":
        value = DAY / value if value else math.inf
    better = ""
    for band in BANDS[year][metric]:
        if value < band.best:
            worse = band.clusters.split("/")[0]
            return f"between {better} and {worse}" if better else f"above {worse}"
        if value <= band.worst:
            return band.clusters
        better = band.clusters.split("/")[-1]
    return f"below {better}"
