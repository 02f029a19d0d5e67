"""Failures: infrastructure that breaks by itself, and defects that show in production."""

from collections.abc import Generator
from functools import partial

from simpy.events import Event

from sim.kernel.ticks import snap
from sim.scenario.organization import DefectKind

from . import authoring, incidents, sources
from .context import Organization
from .entities import Change, Deployment, Incident, Service
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
    changes = deployment.changes
    if not any(change.defects for change in changes):
        return
    latent = sorted(
        (authoring.latency_h(organization, change, kind), kind, place)
        for place, change in enumerate(changes)
        for kind in change.defects
    )
    deployment.alarm = organization.env.event()
    if any(kind == "security" for _, kind, _ in latent):
        deployment.lead.service.vulnerable.append(deployment)
    # The lead sees to the verification of the deployment, so it has to know them all.
    deployment.lead.defects = frozenset(kind for _, kind, _ in latent)
    organization.env.process(_show(organization, deployment, latent, deployment.alarm))


def _outages(
    organization: Organization, service: Service, outages: Source
) -> Generator[Event, object, None]:
    while (yield from outages.next()) is not None:
        substream = Substream("outage", outages.number)
        incident = incidents.start(organization, service, "infra", "outage", None, substream)
        yield incident.closed


def _show(
    organization: Organization,
    deployment: Deployment,
    latent: list[tuple[float, DefectKind, int]],
    alarm: Event,
) -> Generator[Event, object, None]:
    """Let the defect that shows itself first cause the incident of this deployment.

    A broken interface shows itself downstream; if nobody uses it, never.
    """
    env = organization.env
    lead = deployment.lead
    service = lead.service
    for latency_h, kind, place in latent:
        shows_at = snap(deployment.deployed_at + latency_h)
        if shows_at > env.now and not alarm.triggered:
            yield env.at(shows_at) | alarm
        elif lead.unplanned and lead.created_at == env.now:
            # A remedy that takes no time and fails at once would be made for ever at this instant.
            yield env.timeout(_SHORTEST_REMEDY_H)
        cause, verified, culprit = kind, False, deployment.changes[place]
        if alarm.triggered:
            found: tuple[DefectKind, bool] = alarm.value  # type: ignore[assignment]
            cause, verified = found
            places = [place for _, known, place in latent if known == cause]
            # None if it came in after the deployment, with the handoff to verification.
            culprit = deployment.changes[places[0]] if places else lead
        if not deployment.still_has(cause) or (cause == "dependency" and not service.downstream):
            continue
        if alarm.triggered and not verified:  # verification may still find it
            deployment.alarm = env.event()
        if deployment in service.vulnerable:
            service.vulnerable.remove(deployment)
        if cause == "dependency":
            _break_downstream(organization, deployment, culprit, verified)
            return
        incidents.start(
            organization,
            service,
            cause,
            "deployment",
            deployment,
            culprit.substream,
            verified,
        )
        return


def _break_downstream(
    organization: Organization, deployment: Deployment, culprit: Change, verified: bool
) -> None:
    """Let every service that uses the output of this one have an incident of it.

    The first of them sees to the remedy, upstream; the others end with it.
    """
    service = deployment.lead.service
    first: Incident | None = None
    for dependency in service.downstream:
        incident = incidents.start(
            organization,
            dependency.downstream,
            "dependency",
            "deployment",
            deployment,
            culprit.substream,
            verified,
            source=service,
            origin=first,
            hidden=dependency.hidden,
        )
        first = first or incident
