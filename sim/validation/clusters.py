"""The clusters of the State of DevOps reports (DORA) as ranges and in order.

The table itself is in :mod:`sim.metrics.bands`.
"""

import math
from collections.abc import Iterable

from sim.metrics.bands import BANDS

from .agreement import Accepted

YEAR = 2019
"""Year of the report whose clusters the presets are compared with."""
CLUSTERS = ("elite", "high", "medium", "low")
METRICS = tuple(BANDS[YEAR])
"""Metrics with clusters, in the order of the report."""

# High and medium reported "less than a day", which includes the hour that the table gives to elite.
_FROM_ZERO = {"time_to_restore_h": ("high", "medium")}


def cluster_range(metric: str, cluster: str) -> Accepted:
    """Return the range of a cluster, in h or as a share; frequencies as h between deployments."""
    for band in BANDS[YEAR][metric]:
        if cluster in band.clusters.split("/"):
            from_zero = cluster in _FROM_ZERO.get(metric, ())
            return Accepted(0.0 if from_zero else band.best, band.worst)
    raise ValueError(f"{metric} has no cluster '{cluster}'")


def merged_ranges(metric: str, clusters: Iterable[str]) -> tuple[Accepted, ...]:
    """Return the ranges of clusters from low to high; ranges that touch become one."""
    merged: list[Accepted] = []
    for low, high in sorted(cluster_range(metric, cluster) for cluster in clusters):
        # "Less than a day" ends at the number before a day, where the next cluster begins.
        if merged and low <= math.nextafter(merged[-1].high, math.inf):
            merged[-1] = Accepted(merged[-1].low, max(high, merged[-1].high))
        else:
            merged.append(Accepted(low, high))
    return tuple(merged)


def orders_by_year() -> dict[int, tuple[str, ...]]:
    """Return in words how the clusters compare in each of :data:`METRICS`; < is better."""
    return {
        year: tuple(
            " < ".join(band.clusters.replace("/", " = ") for band in bands[metric])
            for metric in METRICS
        )
        for year, bands in BANDS.items()
    }
