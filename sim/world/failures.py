"""Failures: infrastructure that breaks by itself, and defects that show in production."""

from collections.abc import Generator
from functools import partial

from simpy.events import Event

from sim.kernel.ticks import snap

from . import authoring, incidents, sources
from .context import Organization
from .entities import Deployment, Incident, LatentDefect, Service
from .randomness import Substream
from .sources import Source

_SHORTEST_REMEDY_H = 1 / 60


def begin(organization: Organization) -> None:
    """Let defects show themselves once they are deployed."""
    organization.hooks.deployed.append(partial(_let_defects_show, organization))


def begin_service(organization: Organization, service: Service) -> None:
    """Set up the infrastructure outages of ``service``."""
    gap, happen = service.spec.time_to_outage_h, partial(_outages, organization, service)
    sources.begin(organization, f"{service.name}/outages", lambda: gap, happen)


def _let_defects_show(organization: Organization, deployment: Deployment) -> None:
    """Set up what the defects that reached production with ``deployment`` will do there."""
    for change in deployment.changes:
        for kind in sorted(change.defects):
            defect = LatentDefect(deployment, change, kind, organization.env.event())
            deployment.latent.append(defect)
            if kind == "security":
                change.service.vulnerable.append(defect)
            organization.env.process(_show(organization, defect))


def _outages(
    organization: Organization, service: Service, outages: Source
) -> Generator[Event, object, None]:
    while (yield from outages.next()) is not None:
        substream = Substream("outage", outages.number)
        incident = incidents.start(organization, service, "infra", "outage", None, substream)
        yield incident.closed


def _show(organization: Organization, defect: LatentDefect) -> Generator[Event, object, None]:
    """Let a defect cause an incident when it shows itself or is found, if it is there still.

    A broken interface shows itself downstream; if nobody uses it, never.
    """
    env, change, kind = organization.env, defect.change, defect.kind
    latency_h = authoring.latency_h(organization, change, kind)
    shows_at = snap(defect.deployment.deployed_at + latency_h)
    if shows_at > env.now:
        yield env.at(shows_at) | defect.alarm
    elif change.unplanned and change.created_at == env.now:
        # A remedy that takes no time and fails at once would be made for ever at this instant.
        yield env.timeout(_SHORTEST_REMEDY_H)
    if kind == "security":
        change.service.vulnerable.remove(defect)
    if not defect.is_there or (kind == "dependency" and not change.service.downstream):
        return
    verified = defect.alarm.triggered and defect.alarm.value is True
    if not verified:  # verification may still find it
        defect.alarm = env.event()
    defect.shown = True
    if kind == "dependency":
        _break_downstream(organization, defect, verified)
    else:
        _start(organization, change.service, defect, verified)


def _start(
    organization: Organization,
    service: Service,
    defect: LatentDefect,
    verified: bool,
    source: Service | None = None,
    origin: Incident | None = None,
    hidden: bool = False,
) -> Incident:
    return incidents.start(
        organization,
        service,
        defect.kind,
        "deployment",
        defect.deployment,
        defect.change.substream,
        verified,
        source,
        origin,
        hidden,
        defect,
    )


def _break_downstream(organization: Organization, defect: LatentDefect, verified: bool) -> None:
    """Let every service that uses the output of this one have an incident of it.

    The first of them sees to the remedy, upstream; the others end with it.
    """
    service = defect.change.service
    first: Incident | None = None
    for dependency in service.downstream:
        incident = _start(
            organization,
            dependency.downstream,
            defect,
            verified,
            source=service,
            origin=first,
            hidden=dependency.hidden,
        )
        first = first or incident
