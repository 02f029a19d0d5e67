"""Differences: what takes one team longer takes another one less time.

What the people of a team do takes what the scenario says, times a factor of the team's own:
exp(sigma z - sigma² / 2) with a standard normal z, so that its mean over many teams is 1. A team
has one z for each kind of difference, and keeps it in all scenarios. Groups that serve all teams
are as the scenario says.
"""

from math import log
from typing import Literal

import numpy as np

from sim.kernel.draws import ONE_BY_ONE
from sim.scenario.distributions import lognormal_quantiles

from .context import Organization
from .people import PeoplePool

Difference = Literal["effort", "pickup", "review"]


def factor(organization: Organization, people: PeoplePool | None, kind: Difference) -> float:
    """Return how many times as long as the scenario says ``people`` take.

    Args:
        organization: where they are.
        people: those who work, or take notice; None if nobody is needed.
        kind: work on changes, noticing that there is some, or reviews.
    """
    sigma: float = getattr(organization.scenario.teams_differ, kind)
    if sigma == 0 or people is None or people.team == "":
        return 1.0
    known = organization.team_factors.get((people.team, kind, sigma))
    if known is None:
        luck = organization.table(f"{people.team}/differs/{kind}", [None], ONE_BY_ONE).take(0)
        location, scale = -(sigma**2) / 2 / log(2), sigma / log(2)
        known = float(lognormal_quantiles(np.array(luck[0]), location, scale))
        organization.team_factors[people.team, kind, sigma] = known
    return known
