"""Words for what is mix and what happens within the groups, where two organizations differ."""

import math

from sim.experiment.mix import GroupPart, MedianSplit, Split
from sim.metrics import catalogue
from sim.metrics.catalogue import Metric
from sim.report.units import change_in_words, format_percent, value_in_words

_SHOWN_SHARE = 0.05
"""A part of a median that is less than this share of the larger one is called none."""


def split_in_words(metric: Metric, split: Split | None) -> str:
    """Return whether a mean differs by the mix of its groups or within them; empty if unclear.

    Args:
        metric: a mean with groups.
        split: the difference, None if nobody knows.
    """
    if split is None or not (split.mix.is_clear or split.within.is_clear):
        return ""
    largest = max(abs(split.mix.value), abs(split.within.value))
    mix, within = (
        change_in_words(metric, part.value, split.first, largest, signed=True)
        for part in (split.mix, split.within)
    )
    groups = metric.grouped_by
    if not split.mix.is_clear:
        return f"That is within the {groups} ({within}); their mix makes no clear difference."
    moved = _moved_most(split)
    if not split.within.is_clear:
        return f"That is the mix of {groups} ({mix}): {moved}; within them nothing differs clearly."
    return f"Within the {groups} it is {within}, by their mix {mix}: {moved}."


def _moved_most(split: Split) -> str:
    """Say which group makes the most of the mix, and why."""
    group = max(split.groups, key=lambda each: each.mix * math.copysign(1.0, split.mix.value))
    more = "more" if group.share_other > group.share_first else "fewer"
    shares = f"{format_percent(group.share_first)} → {format_percent(group.share_other)}"
    takes = "take longer" if _is_slow(group, split) else "take less time"
    return (
        f"relatively {more} {catalogue.metric(group.group).name_as_part} ({shares}), which {takes}"
    )


def _is_slow(group: GroupPart, split: Split) -> bool:
    return group.mean_first + group.mean_other > split.first + split.other


def median_split_in_words(metric: Metric, split: MedianSplit, grouped_by: str) -> str:
    """Return what of the difference of two medians is mix; empty if they are the same.

    Args:
        metric: the median.
        split: its difference.
        grouped_by: what the groups are.
    """
    if math.isnan(split.first) or split.first == split.other:
        return ""
    largest = max(abs(split.mix), abs(split.within))
    parts = []
    for value, words in ((split.mix, f"by the mix of {grouped_by}"), (split.within, "within them")):
        amount = change_in_words(metric, value, split.first, largest, signed=True)
        parts.append(f"{amount if abs(value) >= _SHOWN_SHARE * largest else 'nothing'} {words}")
    first, other = (value_in_words(metric, value) for value in (split.first, split.other))
    return f"The median is {other} instead of {first}: {parts[0]}, {parts[1]}."
