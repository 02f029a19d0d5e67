"""Effort: how long work takes a team, with the debt there is, and while people are learning."""

from . import debt, differences
from .context import Organization
from .differences import Difference
from .entities import Service
from .people import PeoplePool


def hours(
    organization: Organization,
    service: Service,
    people: PeoplePool,
    effort_h: float,
    kind: Difference = "effort",
) -> float:
    """Return the hours that work of ``effort_h`` on ``service`` takes ``people`` as things are now.

    Args:
        organization: where they are.
        service: what they work on.
        people: who do it.
        effort_h: what the scenario says.
        kind: in which way teams differ in it.
    """
    if service.debt_h > 0:
        effort_h *= debt.slowdown(organization, service)
    if organization.introductions:
        now, factor = organization.env.now, 1.0
        for introduction in organization.introductions:
            factor += introduction.slowdown(now)
        effort_h *= factor
    return effort_h * differences.factor(organization, people, kind)
