"""Retraining: what triggers it, one at a time per service."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from simpy.events import Event

from sim.log import NO_ID
from sim.scenario.organization import Retraining

from . import authoring
from .changes import Change
from .clock import LAST
from .people import REMEDIATION, RETRAINING
from .pipeline import deliver

if TYPE_CHECKING:
    from .incidents import Incident
    from .organization import Organization
    from .services import Service

RETRY_H = 24.0
"""After a remedy that was given up or not enough, somebody tries again the next day."""
_SHORTEST_CYCLE_H = 1 / 60
"""An always-on retraining that takes no time at all would repeat for ever: at most one a minute."""


def begin(organization: Organization, service: Service) -> None:
    """Set up what triggers the retrainings of ``service``."""
    service.on_drift = None
    match service.policy.trigger:
        case "schedule":
            organization.env.process(_on_schedule(organization, service, service.policy))
        case "always_on":
            organization.env.process(_always_on(organization, service, service.policy))
        case "drift":
            service.on_drift = lambda service: _noticed_drift(organization, service)
            service.watch()
        case "new_data" | "none":
            pass


def new_data(organization: Organization, service: Service) -> None:
    """Count a usable batch, and retrain if that is the policy and there are enough of them."""
    policy = service.policy
    service.new_batches += 1
    if policy.trigger == "new_data" and service.new_batches >= policy.batches:
        service.new_batches = 0
        if service.retraining is None:
            _start(organization, service, "new_data")
        else:
            service.retraining_wanted = True


def start_for_incident(organization: Organization, incident: Incident) -> Change:
    """Retrain to remedy an incident, or expedite the retraining that is under way."""
    running = incident.service.retraining
    if running is None:
        return _start(organization, incident.service, "incident", incident)
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
        if service.retraining_wanted:
            service.retraining_wanted = False
            _start(organization, service, "new_data")

    end = change.end(organization.env)
    assert end.callbacks is not None
    end.callbacks.append(free)


def _start(
    organization: Organization,
    service: Service,
    trigger: str,
    incident: Incident | None = None,
    number: int | None = None,
) -> Change:
    """Start a retraining: to remedy ``incident``, or else with its ``number`` or the next one."""
    if incident is not None:
        lane, number = "retrain-remedy", incident.next_row()
    else:
        lane, number = "retrain", service.number("retrain") if number is None else number
    change = authoring.new_change(
        organization,
        service,
        "retrain",
        lane,
        number,
        trigger,
        RETRAINING if incident is None else REMEDIATION,
        NO_ID if incident is None else incident.incident_id,
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
        number = service.number("retrain")  # of a retraining that is left out as well
        if service.retraining is None:
            _start(organization, service, "schedule", number=number)
        else:
            organization.env.process(_start_if_over(organization, service, number))


def _start_if_over(
    organization: Organization, service: Service, number: int
) -> Generator[Event, object, None]:
    """Start a scheduled retraining if the one under way ends at this very instant."""
    yield organization.env.at(organization.env.now, priority=LAST)
    if service.retraining is None:
        _start(organization, service, "schedule", number=number)


def _always_on(
    organization: Organization, service: Service, policy: Retraining
) -> Generator[Event, object, None]:
    env = organization.env
    while service.policy is policy:
        if service.retraining is None:
            change = _start(organization, service, "always_on")
        else:
            change = service.retraining
        yield change.end(env)
        if env.now - change.created_at < _SHORTEST_CYCLE_H:
            yield env.timeout(_SHORTEST_CYCLE_H)


def _noticed_drift(organization: Organization, service: Service) -> None:
    organization.env.process(_retrain_on_drift(organization, service))


def _retrain_on_drift(
    organization: Organization, service: Service
) -> Generator[Event, object, None]:
    """Notice the drift as incidents of a model are noticed, then retrain as long as it matters."""
    response = organization.scenario.incidents.responses.model
    table = organization.table(
        f"{service.name}/drift",
        [None, response.alert_h.quantile, response.notice_h.quantile],
    )
    monitored, alert_h, notice_h = table.take(service.number("drift"))
    drifted = service.live.model_from
    yield organization.env.timeout(alert_h if monitored < response.monitored else notice_h)
    while service.live.model_from == drifted:
        if service.retraining is None:
            under_way = _start(organization, service, "drift")
        else:
            under_way = service.retraining
        yield under_way.end(organization.env)
        if service.live.model_from == drifted:  # given up; nothing else would notice it again
            yield organization.env.timeout(RETRY_H)
