"""Threats: attacks from outside, and what they find."""

from collections.abc import Generator
from functools import partial

from simpy.events import Event

from sim.scenario.distributions import Distribution

from . import incidents, sources
from .context import Organization
from .entities import Service
from .randomness import Substream
from .sources import Source


def begin(organization: Organization) -> None:
    """Let attacks come from when that is adopted."""
    organization.hooks.service_adopted.append(partial(begin_service, organization))


def begin_service(organization: Organization, service: Service) -> None:
    """Set up the attacks on ``service``, unless they come already."""

    def gap() -> Distribution | None:
        return organization.scenario.threats.interarrival_h

    happen = partial(_attacks, organization, service)
    sources.begin(organization, f"{service.name}/attacks", gap, happen)


def _attacks(
    organization: Organization, service: Service, attacks: Source
) -> Generator[Event, object, None]:
    while (draws := (yield from attacks.next(None))) is not None:
        threats = organization.scenario.threats
        vulnerable = next((defect for defect in service.vulnerable if defect.is_there), None)
        if vulnerable is not None:
            if draws[0] < threats.succeeds_if_vulnerable:
                vulnerable.expose(verified=False)
        elif draws[0] < threats.succeeds:
            substream = Substream("attack", attacks.number)
            incidents.start(organization, service, "security", "attack", None, substream)
