"""Transients: outages that end by themselves, whether anybody has noticed them or not."""

from collections.abc import Generator
from functools import partial

from simpy.events import Event

from . import incidents
from .context import Organization
from .entities import Incident


def begin(organization: Organization) -> None:
    """Let some outages end by themselves."""
    organization.hooks.incident_started.append(partial(_may_end_by_itself, organization))


def _may_end_by_itself(organization: Organization, incident: Incident) -> None:
    transient = organization.scenario.incidents.transient
    if incident.trigger != "outage" or transient.share == 0:
        return
    name = f"{incident.service.name}/transient"
    luck, lasts_h = organization.table(name, [None, transient.lasts_h]).take(
        incident.substream.number
    )
    if luck < transient.share:
        organization.env.process(_end_by_itself(organization, incident, lasts_h))


def _end_by_itself(
    organization: Organization, incident: Incident, lasts_h: float
) -> Generator[Event, object, None]:
    yield organization.env.timeout(lasts_h)
    incidents.close(organization, incident, "self_resolved")
