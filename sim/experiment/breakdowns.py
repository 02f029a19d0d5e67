"""Where time goes by step, role and cause: of one replication, and of all of them together."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, Self

import pandas as pd

from sim.log import Records, Tables
from sim.metrics.arrays import Window
from sim.metrics.effort import effort_by_role
from sim.metrics.flow import waiting_by_step, waiting_for_people_by_role
from sim.metrics.restore import longest_first, restore_time_by_cause

Part = Literal["steps", "roles", "causes", "effort"]
COMPUTED_BY: Mapping[Part, Callable[[Tables, Window], Any]] = {
    "steps": waiting_by_step,
    "roles": waiting_for_people_by_role,
    "causes": restore_time_by_cause,
    "effort": effort_by_role,
}
"""What computes each part of one organization."""


@dataclass(frozen=True)
class Breakdowns:
    """Where time goes.

    Attributes:
        steps: mean hours per deployed change, see :func:`sim.metrics.flow.waiting_by_step`.
        roles: mean hours that a deployed change waits for people, by role.
        causes: mean hours per restored incident, see
            :func:`sim.metrics.restore.restore_time_by_cause`.
        effort: hours of people per week, see :func:`sim.metrics.effort.effort_by_role`.
    """

    steps: pd.DataFrame
    roles: pd.Series
    causes: pd.DataFrame
    effort: pd.DataFrame

    @classmethod
    def of(cls, records: Records) -> Self:
        """Return those of one organization.

        Raises:
            AbsentError: a table or column is absent.
        """
        parts = {name: of(records.tables, records.window) for name, of in COMPUTED_BY.items()}
        return cls(**parts)

    @classmethod
    def together(cls, parts: Sequence[Self]) -> Self:
        """Return those of several replications.

        Lead time and effort are means over the replications, as the metrics are; a replication
        that deployed nothing has no lead time. Restore time is the mean over the incidents of all
        replications, since few of them have each cause.
        """
        delivering = [part for part in parts if not part.steps.empty]
        return cls(
            _mean(dict(enumerate(part.steps for part in delivering or parts))),
            _mean(dict(enumerate(part.roles.to_frame("people_h") for part in delivering or parts)))[
                "people_h"
            ],
            _over_incidents([part.causes for part in parts]),
            _mean(dict(enumerate(part.effort for part in parts))),
        )


def _mean(frames: Mapping[int, pd.DataFrame]) -> pd.DataFrame:
    """Return the mean of frames, in the order in which most of them have their rows.

    What a frame lacks counts as nothing there.
    """
    stacked: pd.DataFrame = pd.concat(frames, names=["replication"])
    place = stacked.groupby(level=0).cumcount().groupby(level=1, sort=False).mean()
    order = place.sort_values(kind="stable").index
    total: pd.DataFrame = stacked.groupby(level=1, sort=False).sum()
    return total.loc[order] / len(frames)


def _over_incidents(frames: Sequence[pd.DataFrame]) -> pd.DataFrame:
    stacked: pd.DataFrame = pd.concat(frames)
    incidents = stacked["incidents"]
    hours = stacked.drop(columns="incidents").mul(incidents, axis="index")
    counts = incidents.groupby(level=0, sort=False).sum()
    means = hours.groupby(level=0, sort=False).sum().div(counts, axis="index")
    return longest_first(means.assign(incidents=counts))
