"""Standardization: which services are on the golden path."""

from functools import partial

from .context import Organization
from .entities import Service, Stack, Team


def begin(organization: Organization) -> None:
    """Let services move to the golden path, or away from it, when that is adopted."""
    organization.hooks.service_adopted.append(partial(_adopt, organization))


def stack_of(
    organization: Organization, golden_path: bool | None, place: float, team: Team
) -> Stack:
    """Return the automation that the changes of a service of ``team`` go through.

    Args:
        organization: what it belongs to.
        golden_path: whether it is on the golden path; None lets the standardization decide.
        place: it does so by this number between 0 and 1, which stays: a service on the golden path
            stays there when there is more standardization.
        team: who owns it.
    """
    if golden_path is None:
        golden_path = place < organization.scenario.standardization
    return organization.golden_path if golden_path else team.stack


def _adopt(organization: Organization, service: Service) -> None:
    service.stack = stack_of(organization, service.spec.golden_path, service.place, service.team)
