"""Difficulty: an incident that is hard to diagnose is hard to remedy, too.

Both take longer by a factor of the incident's own, lognormal with a median of 1. It is distributed
alike for all causes, and whatever the incident costs: how long incidents last and how severe
they are was found to be uncorrelated (VOID report).
"""

from math import log

import numpy as np

from sim.scenario.distributions import lognormal_quantiles

from .context import Organization
from .entities import Incident


def factor(organization: Organization, incident: Incident, lane: str) -> float:
    """Return how many times as long as usual the work on ``incident`` takes.

    Args:
        organization: where it happened.
        incident: what is to be diagnosed and remedied.
        lane: names its luck, together with the number of its substream.
    """
    sigma = organization.scenario.incidents.difficulty_sigma
    if sigma == 0:
        return 1.0
    # A stream of its own, so that all that happens without difficulty keeps its luck.
    name = f"{incident.service.name}/incident/{incident.cause}/{lane}/difficulty"
    luck = organization.table(name, [None]).take(incident.substream.number)[0]
    return float(lognormal_quantiles(np.array(luck), 0.0, sigma / log(2)))
