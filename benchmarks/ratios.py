"""Comparing the cost of several ways to do the same thing, in one run."""

import gc
import time
from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd


def compare(ways: Mapping[str, Callable[[], object]], repetitions: int = 7) -> pd.DataFrame:
    """Time several ways to do the same thing in turn, and relate them to the first.

    Each repetition runs every way once, starting with another one each time, so that a machine
    that slows down or speeds up meanwhile favours none. Before that every way runs once untimed.
    The smallest of several times is the one that other programs disturbed least; where it and the
    median disagree on a ratio, the machine was too busy to tell.

    Args:
        ways: a function without arguments by name; the first is the reference.
        repetitions: timed runs of each way.

    Returns:
        One row per way, in the order given, with ``median_s`` and ``minimum_s`` in seconds, and
        ``median_ratio`` and ``minimum_ratio``, the same divided by those of the first way.

    Raises:
        ValueError: if there is nothing to compare or nothing to time.
    """
    if not ways or repetitions < 1:
        raise ValueError("compare needs at least one way and one repetition")
    for run in ways.values():
        run()
    names = list(ways)
    seconds: dict[str, list[float]] = {name: [] for name in names}
    for repetition in range(repetitions):
        first = repetition % len(names)
        for name in names[first:] + names[:first]:
            gc.collect()
            begun = time.perf_counter()
            ways[name]()
            seconds[name].append(time.perf_counter() - begun)
    table = pd.DataFrame(
        {
            "median_s": [np.median(seconds[name]) for name in names],
            "minimum_s": [min(seconds[name]) for name in names],
        },
        index=pd.Index(names, name="way"),
    )
    table["median_ratio"] = table["median_s"] / table["median_s"].iloc[0]
    table["minimum_ratio"] = table["minimum_s"] / table["minimum_s"].iloc[0]
    return table
