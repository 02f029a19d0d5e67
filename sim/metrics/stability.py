"""Whether an organization keeps up with its work."""

import numpy as np
import pandas as pd

from sim.log import Tables
from sim.metrics.arrays import (
    FloatArray,
    Window,
    inside,
    label_positions,
    labels,
    overlap,
    reals,
    table,
)
from sim.metrics.catalogue import Metric, measures

# What a stable organization may show by chance; see is_unstable.
_SHARE_OF_ARRIVALS = 0.05
_STANDARD_DEVIATIONS = 3.0


@measures(
    Metric(
        name="unstable",
        label="unstable",
        meaning="1 if work in progress of some kind of change keeps growing, else 0",
        topic="count",
        dimension="quantity",
        better="less",
        highest=1.0,
    )
)
def unstable(tables: Tables, window: Window) -> float:
    """Return 1 if the organization does not keep up with its work, else 0."""
    return float(is_unstable(table(tables, "changes"), window))


def is_unstable(changes: pd.DataFrame, window: Window) -> bool:
    """Return whether work in progress of any kind of change keeps growing over the window.

    Counted are the changes that exist and have not ended: a queue in front of the first step grows
    too, although nobody has started what waits in it. Each kind is judged alone, as hundreds of
    automated retrainings would hide a few dozen features that never get through. A kind grows if

    1.  the least-squares line through the number of changes over time rises by more than 5 % of
        the n changes created in the window, and by more than 3 √n. If creating and ending were
        independent Poisson processes of the same rate (the limit between stable and unstable), the
        number would be a Brownian motion of variance 2 n over the window, and the rise would have
        the variance 6/5 * 2 n, a standard deviation of 1.55 √n. Below the limit it has less.
    2.  it does not level off: from the second to the last third of the window the mean number
        rises at least half as much as from the first to the second (as much, for steady growth).
        An organization that fills up at the start of the records, because the warm-up was too
        short or an export has only changes begun after some date, is not overloaded.

    Args:
        changes: Table of changes, of which `kind`, `created_at`, `started_at` and `ended_at` are
            read.
        window: Start and end of the observed time, in hours.
    """
    created_at = np.fmin(reals(changes, "created_at"), reals(changes, "started_at"))
    ended_at = reals(changes, "ended_at")
    kind = label_positions(changes, "kind", labels(changes, "kind"))
    return any(
        _keeps_growing(created_at[kind == one], ended_at[kind == one], window)
        for one in np.unique(kind)
    )


def _keeps_growing(created_at: FloatArray, ended_at: FloatArray, window: Window) -> bool:
    start, end = window
    length = end - start
    # The rise of the least-squares line over the window is 12 / length² times the integral of
    # (t - middle) times the number of changes, to which each change adds its own stretch.
    middle = start + length / 2.0
    since = np.clip(created_at, start, end) - middle
    until = np.clip(np.fmin(ended_at, end), start, end) - middle
    rise = 6.0 / length**2 * np.nansum(until**2 - since**2)
    n_created = inside(created_at, window).sum()
    if rise <= max(_SHARE_OF_ARRIVALS * n_created, _STANDARD_DEVIATIONS * np.sqrt(n_created)):
        return False
    thirds = np.linspace(start, end, 4)
    first, second, last = (
        overlap(created_at, ended_at, (thirds[i], thirds[i + 1])).sum() for i in range(3)
    )
    return bool(last - second >= 0.5 * (second - first))
