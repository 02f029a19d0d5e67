"""Retraining: what triggers it, one at a time per service."""

from collections.abc import Generator
from functools import partial

from simpy.events import Event

from sim.log import NO_ID
from sim.log.rows import ChangeTrigger
from sim.scenario.organization import Retraining

from . import authoring, quality
from .clock import LAST
from .context import Organization
from .entities import Change, Incident, Service
from .people import REMEDIATION, RETRAINING
from .pipeline import deliver
from .randomness import Substream

RETRY_H = 24.0
"""After a remedy that was given up or not enough, somebody tries again the next day."""
_SHORTEST_CYCLE_H = 1 / 60
"""An always-on retraining that takes no time at all would repeat for ever: at most one a minute."""


def begin(organization: Organization) -> None:
    """Let drift and new data trigger retrainings, and policies change."""
    organization.hooks.drifted.append(partial(_noticed_drift, organization))
    organization.hooks.data_usable.append(partial(_new_data, organization))
    organization.hooks.service_adopted.append(partial(_adopt, organization))


def begin_service(organization: Organization, service: Service) -> None:
    """Set up what triggers the retrainings of ``service`` by itself."""
    match service.policy.trigger:
        case "schedule":
            organization.env.process(_on_schedule(organization, service, service.policy))
        case "always_on":
            organization.env.process(_always_on(organization, service, service.policy))


def start_for_incident(organization: Organization, incident: Incident) -> Change:
    """Retrain to remedy an incident, or expedite the retraining that is under way."""
    running = incident.service.retraining
    if running is None:
        substream = incident.next_remedy("retrain-remedy")
        incident_id = incident.incident_id
        service = incident.service
        return _start(organization, service, substream, "incident", REMEDIATION, incident_id)
    running.priority = REMEDIATION
    if running.incident_id == NO_ID:
        running.incident_id = incident.incident_id
    return running


def occupy(organization: Organization, change: Change) -> None:
    """Let ``change`` be the retraining under way until it ends."""
    service = change.service
    service.retraining = change

    def free(_: Event) -> None:
        service.retraining = None
        _start_if_enough_data(organization, service)

    end = change.end(organization.env)
    assert end.callbacks is not None
    end.callbacks.append(free)


def _adopt(organization: Organization, service: Service) -> None:
    policy = service.spec.retraining or organization.scenario.retraining
    if policy != service.policy:
        service.policy = policy
        begin_service(organization, service)
        if policy.trigger == "drift":
            quality.watch(organization, service)


def _new_data(organization: Organization, service: Service) -> None:
    """Count a usable batch."""
    service.new_batches += 1
    _start_if_enough_data(organization, service)


def _start_if_enough_data(organization: Organization, service: Service) -> None:
    """Retrain if the policy of now asks for it, unless a retraining is under way."""
    policy = service.policy
    enough = policy.trigger == "new_data" and service.new_batches >= policy.batches
    if enough and service.retraining is None:
        _start_planned(organization, service, "new_data")


def _start_planned(organization: Organization, service: Service, trigger: ChangeTrigger) -> Change:
    return _start(organization, service, service.next_substream("retrain"), trigger, RETRAINING)


def _start(
    organization: Organization,
    service: Service,
    substream: Substream,
    trigger: ChangeTrigger,
    priority: int,
    incident_id: int = NO_ID,
) -> Change:
    change = authoring.new_change(
        organization, service, "retrain", substream, trigger, priority, incident_id
    )
    occupy(organization, change)
    service.new_batches = 0  # it takes them all
    change.started_at = organization.env.now
    authoring.commit(organization, change)
    organization.env.process(deliver(organization, change))
    return change


def _on_schedule(
    organization: Organization, service: Service, policy: Retraining
) -> Generator[Event, object, None]:
    while True:
        yield organization.env.timeout(policy.every_h)
        if service.policy is not policy:
            return
        substream = service.next_substream("retrain")  # of a retraining that is left out as well
        if service.retraining is None:
            _start(organization, service, substream, "schedule", RETRAINING)
        else:
            organization.env.process(_start_if_over(organization, service, substream))


def _start_if_over(
    organization: Organization, service: Service, substream: Substream
) -> Generator[Event, object, None]:
    """Start a scheduled retraining if the one under way ends at this very instant."""
    yield organization.env.at(organization.env.now, priority=LAST)
    if service.retraining is None:
        _start(organization, service, substream, "schedule", RETRAINING)


def _always_on(
    organization: Organization, service: Service, policy: Retraining
) -> Generator[Event, object, None]:
    env = organization.env
    while service.policy is policy:
        if service.retraining is None:
            change = _start_planned(organization, service, "always_on")
        else:
            change = service.retraining
        yield change.end(env)
        if env.now - change.created_at < _SHORTEST_CYCLE_H:
            yield env.timeout(_SHORTEST_CYCLE_H)


def _noticed_drift(organization: Organization, service: Service) -> None:
    if service.policy.trigger == "drift":
        organization.env.process(_retrain_on_drift(organization, service))


def _retrain_on_drift(
    organization: Organization, service: Service
) -> Generator[Event, object, None]:
    """Notice the drift as incidents of a model are noticed, then retrain as long as it matters.

    It matters no more once another model is live, or when another policy holds.
    """
    policy = service.policy
    response = organization.scenario.incidents.responses.model
    table = organization.table(
        f"{service.name}/drift",
        [None, response.alert_h, response.notice_h],
    )
    monitored, alert_h, notice_h = table.take(service.next_substream("drift").number)
    drifted = service.live.model_from
    yield organization.env.timeout(alert_h if monitored < response.monitored else notice_h)
    while service.live.model_from == drifted and service.policy is policy:
        if service.retraining is None:
            under_way = _start_planned(organization, service, "drift")
        else:
            under_way = service.retraining
        yield under_way.end(organization.env)
        if service.live.model_from == drifted:  # given up; nothing else would notice it again
            yield organization.env.timeout(RETRY_H)
