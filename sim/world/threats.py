"""Threats: attacks from outside, and what they find."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from simpy.events import Event

from . import incidents

if TYPE_CHECKING:
    from .organization import Organization
    from .services import Service


def begin(organization: Organization, service: Service) -> None:
    """Set up the attacks on ``service``."""
    name = f"{service.name}/attacks"
    wanted = organization.scenario.threats.interarrival_h is not None
    if wanted and name not in organization.sources:
        organization.sources.add(name)
        organization.env.process(_attacks(organization, service, name))


def _attacks(
    organization: Organization, service: Service, name: str
) -> Generator[Event, object, None]:
    number = 0
    while (gap := organization.scenario.threats.interarrival_h) is not None:
        gap_h, luck = organization.table(name, [gap.quantile, None]).take(number)
        yield organization.env.timeout(gap_h)
        threats = organization.scenario.threats
        if threats.interarrival_h is not None:
            if service.vulnerable:
                if luck < threats.succeeds_if_vulnerable:
                    service.vulnerable[0].show("security")
            elif luck < threats.succeeds:
                incidents.start(organization, service, "security", "attack", None, "attack", number)
        number += 1
    organization.sources.remove(name)
