"""Which deployment an incident is charged to: by a link, by a commit, or nobody knows."""

from dataclasses import dataclass

import numpy as np
import pandas as pd

from .places import are_among, places

_SHIFTS = 200


@dataclass(frozen=True)
class Attribution:
    """How the incidents of some records were charged to deployments.

    Attributes:
        n_incidents: all of them, planned ones left out.
        n_linked: those that name their deployment.
        n_by_commit: those that name a commit that was deployed.
        n_reverted: failures that show in a rollback or a revert.
        n_other: those that no deployment triggered, as they say, or that began before the observed
            time.
        n_open: the others: nobody knows whether a deployment did it.
        n_timed: those of them of which it is known that they began in the observed time.
        n_in_window: those of these that began within the window after a deployment of theirs.
        window_h: that window.
        chance: the share of incidents at any time that would have; NaN if ``n_timed`` is 0.
        lowest: change failure rate if none of the open ones was caused by a deployment.
        highest: the same if each of them was, by a deployment that had not failed yet.
    """

    n_incidents: int
    n_linked: int
    n_by_commit: int
    n_reverted: int
    n_other: int
    n_open: int
    n_timed: int
    n_in_window: int
    window_h: float
    chance: float
    lowest: float
    highest: float

    @property
    def is_certain(self) -> bool:
        """Whether the change failure rate is a number and not an interval."""
        return self.n_open == 0


def charged(
    incidents: pd.DataFrame, deployments: pd.DataFrame, changes: pd.DataFrame | None
) -> "tuple[pd.Series[str], np.ndarray[tuple[int], np.dtype[np.bool_]]]":
    """Return the deployment of each incident as far as the records say it, and which by a commit.

    Args:
        incidents: with `deployment_id`, `commit` or neither.
        deployments: those that count.
        changes: with `commit` and `deployment_id`, if they are known.
    """
    nobody = pd.Series(pd.NA, index=incidents.index, dtype="string")
    found = nobody
    if "deployment_id" in incidents:
        named = incidents["deployment_id"]
        found = named.where(are_among(named, deployments["deployment_id"]))
    by_commit = np.zeros(len(incidents), dtype=np.bool_)
    if "commit" in incidents:
        by = nobody
        for table in (deployments, changes):
            if table is not None and {"commit", "deployment_id"} <= set(table):
                at = places(incidents["commit"], table["commit"])
                of = table["deployment_id"].array.take(at, allow_fill=True)
                by = by.fillna(pd.Series(of, index=incidents.index, dtype="string"))
        by_commit = (found.isna() & by.notna()).to_numpy(dtype=bool)
        found = found.fillna(by)
    return found, by_commit


def within_window(
    started_at: pd.Series,
    services: pd.Series,
    deployments: pd.DataFrame,
    window_h: float,
    span: tuple[pd.Timestamp, pd.Timestamp],
) -> tuple[int, int, float]:
    """Return how many incidents began in the observed time, and how many soon after a deployment.

    The last value is the share that would by chance.

    Chance is measured on the same records: all incidents are moved by the same stretch, around the
    end of the observed time to its beginning, for many stretches; so their clusters, and those of
    the deployments, stay as they are.

    Args:
        started_at: of the incidents that name no deployment.
        services: theirs; missing if any service may be meant.
        deployments: with `service` and `deployed_at`.
        window_h: how soon.
        span: the observed time.
    """
    start = span[0].value
    length = span[1].value - start
    known = ((started_at >= span[0]) & (started_at < span[1])).to_numpy(dtype=bool)
    at = started_at[known].astype("datetime64[ns, UTC]").astype("int64").to_numpy() - start
    of = services[known].fillna("").astype("object").to_numpy()
    deployed = deployments["deployed_at"].astype("datetime64[ns, UTC]").astype("int64").to_numpy()
    deployed = deployed - start
    service = deployments["service"].fillna("").astype("object").to_numpy()
    if not at.size or length <= 0:
        return 0, 0, np.nan
    window = int(window_h * 3_600e9)
    hits = np.zeros(_SHIFTS + 1)
    for name in pd.unique(of):
        theirs = np.sort(deployed[service == name] if name else deployed)
        these = at[of == name]
        for number in range(_SHIFTS + 1):
            moved = (these + length * number // (_SHIFTS + 1)) % length
            last = np.searchsorted(theirs, moved, side="right") - 1
            if theirs.size:
                near = (last >= 0) & (moved - theirs[np.maximum(last, 0)] <= window)
                hits[number] += np.count_nonzero(near)
    return at.size, int(hits[0]), float(hits[1:].mean() / at.size)
