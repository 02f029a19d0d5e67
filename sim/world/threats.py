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
    if organization.scenario.threats.interarrival_h is not None:
        organization.env.process(_attacks(organization, service))


def _attacks(organization: Organization, service: Service) -> Generator[Event, object, None]:
    number = 0
    while (interarrival_h := organization.scenario.threats.interarrival_h) is not None:
        table = organization.table(f"{service.name}/attacks", [interarrival_h.quantile, None])
        gap_h, luck = table.take(number)
        yield organization.env.timeout(gap_h)
        threats = organization.scenario.threats
        if service.vulnerable:
            if luck < threats.succeeds_if_vulnerable:
                service.vulnerable[0].show("security")
        elif luck < threats.succeeds:
            incidents.start(organization, service, "security", "attack", None, "attack", number)
        number += 1
