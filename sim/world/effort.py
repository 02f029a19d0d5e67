"""Effort: how long work takes with the debt there is, and while people are still learning."""

from . import debt
from .context import Organization
from .entities import Service


def hours(organization: Organization, service: Service, effort_h: float) -> float:
    """Return the hours that work of ``effort_h`` takes on ``service`` as things are now."""
    if service.debt_h > 0:
        effort_h *= debt.slowdown(organization, service)
    if organization.introductions:
        now, factor = organization.env.now, 1.0
        for introduction in organization.introductions:
            factor += introduction.slowdown(now)
        effort_h *= factor
    return effort_h
