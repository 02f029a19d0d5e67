"""What a person says about records that the records do not say themselves."""

import re
from dataclasses import dataclass
from typing import Literal

import pandas as pd


@dataclass(frozen=True)
class Options:
    """What is read, and how.

    Attributes:
        timezone: name of the time zone of times without an offset, and of the clock that tells the
            weeks; UTC if None, and then times without an offset are not read.
        since: the first day that is looked at.
        until: the day before which the last one ends.
        environment: where deployments count; None: production, if the records name it.
        services: by a pattern of paths or jobs, the service and its team, see
            :mod:`sim.records.services`.
        window_h: an incident that names no deployment may be one of a deployment so many hours
            before.
        deployments: what is a deployment in a Git history; None: tags of releases, if it has any,
            else merges.
        incident_label: which label of an issue on GitHub says that it is an incident.
        planned: incidents whose title it is found in were announced, and are none.
    """

    timezone: str | None = None
    since: pd.Timestamp | None = None
    until: pd.Timestamp | None = None
    environment: str | None = None
    services: pd.DataFrame | None = None
    window_h: float = 24.0
    deployments: Literal["tags", "merges"] | None = None
    incident_label: str = "incident"
    planned: re.Pattern[str] | None = None

    @property
    def clock(self) -> str:
        """The time zone whose clock tells days and weeks."""
        return self.timezone or "UTC"
