"""Incidents: from degraded service to restored service.

An incident starts when service degrades, is detected, gets a responder, is diagnosed and remedied:
by rollback, failover, repair in place, or a fix or retraining that goes through the pipeline at
expedited priority, so that time to restore contains the pipeline's manual steps. What came from
upstream is only diagnosed: it ends when it ends there.
"""

from collections.abc import Generator
from functools import partial

from simpy.events import Event

from sim.kernel import DrawTable
from sim.log.rows import IncidentTrigger, Remedy
from sim.scenario.organization import DefectKind

from . import difficulty, quality, remediation, retraining
from .clock import LAST
from .context import Organization
from .entities import Deployment, Incident, LatentDefect, Service
from .people import INCIDENT, Task
from .randomness import Substream
from .release import roll_back

(
    _MONITORED,
    _ALERT,
    _NOTICE,
    _PAGE,
    _DIAGNOSIS,
    _REPAIR,
    _ROLLBACK_AVAILABLE,
    _ROLLBACK_AUTOMATED,
    _ROLLBACK_EFFORT,
    _ROLLBACK_RUN,
    _FAILOVER_AVAILABLE,
    _FAILOVER_RUN,
    _FEEDBACK,
) = range(13)


def begin(organization: Organization) -> None:
    """Let decay below the objective be an incident, and new models end those that they remedy."""
    organization.hooks.fell_below.append(partial(_fell_below, organization))
    organization.hooks.deployed.append(partial(_close_those_remedied_by, organization))


def start(
    organization: Organization,
    service: Service,
    cause: DefectKind,
    trigger: IncidentTrigger,
    deployment: Deployment | None,
    substream: Substream,
    verified: bool = False,
    source: Service | None = None,
    origin: Incident | None = None,
    hidden: bool = False,
    defect: LatentDefect | None = None,
) -> Incident:
    """Let an incident start now, and somebody handle it.

    Args:
        organization: where it happens.
        service: what degrades.
        cause: what is broken.
        trigger: what brought it about.
        deployment: the deployment it is charged to, if any.
        substream: what names its luck: that of what it follows.
        verified: verification found it, so it is detected as it starts.
        source: where the remedy has to be applied, if that is another service.
        origin: the incident whose end ends this one, if any.
        hidden: it came along a dependency that nobody knew of.
        defect: what a deployment brought that causes it, if that is so.

    Returns:
        The open incident.
    """
    env = organization.env
    incident = Incident(
        len(organization.incidents),
        service,
        cause,
        trigger,
        deployment,
        env.now,
        source or service,
        origin,
        hidden,
        env.event(),
        substream,
        defect,
    )
    if origin is not None:
        origin.consequences.append(incident)
    organization.incidents.append(incident)
    service.open_incidents.append(incident)
    if incident.impairs:
        quality.impair(organization, service, +1)
    if verified:
        incident.detected_at, incident.detected_by = env.now, "verification"
    of_lane = substream.lane if source is None else f"{source.name}/{substream.lane}"
    draws = _table(organization, service, cause, of_lane).take(substream.number)
    if defect is not None:
        if not defect.deployment.failed:
            defect.deployment.failed = True
            defect.deployment.rollback_luck = draws[_ROLLBACK_AVAILABLE]
        defect.deployment.incidents.append(incident)
    incident.difficulty = difficulty.factor(organization, incident, of_lane)
    if draws[_FEEDBACK] < service.spec.quality.feedback and incident.is_about_the_model:
        incident.taints = not service.was_tainted(env.now)
        service.taint_data(env.now)
    for follow in organization.hooks.incident_started:
        follow(incident)
    env.process(_handle(organization, incident, draws))
    return incident


def close(organization: Organization, incident: Incident, remedy: Remedy) -> None:
    """Service is restored now; closing twice is harmless."""
    if incident.is_closed:
        return
    task = incident.task
    if incident.responded_at != incident.responded_at and task is not None:
        incident.responded_at = task.started_at  # closed while somebody was diagnosing
    incident.restored_at = organization.env.now
    incident.remedy = remedy
    incident.service.open_incidents.remove(incident)
    if incident.impairs:
        quality.impair(organization, incident.service, -1)
    incident.closed.succeed()
    for consequence in incident.consequences:
        close(organization, consequence, "upstream")


def _close_those_remedied_by(organization: Organization, deployment: Deployment) -> None:
    """Close the incidents that end because ``deployment`` has gone live.

    A newly trained model ends the decay below the objective if it meets the objective, and what a
    bad model or a model trained on bad data caused in an earlier deployment.
    """
    if not deployment.brings_model:
        return
    service, now = deployment.lead.service, organization.env.now
    meant_for = {change.incident_id for change in deployment.changes}
    for incident in list(service.open_incidents):
        decayed = incident.trigger == "decay"
        ended = service.meets_objective(now) if decayed else incident.comes_with_the_model
        if ended:
            deployment.remedies |= not decayed  # decay would be noticed anew, a bad model not
            planned = incident.incident_id in meant_for
            close(organization, incident, "retrain" if planned else "superseded")


def _fell_below(organization: Organization, service: Service) -> None:
    if any(incident.trigger == "decay" for incident in service.open_incidents):
        return
    substream = service.next_substream("decay")
    start(organization, service, "model", "decay", service.live, substream)


def _table(organization: Organization, service: Service, cause: DefectKind, lane: str) -> DrawTable:
    key = ("incident", cause, lane)
    table = service.draws.get(key)
    if table is None:
        spec = organization.scenario.incidents
        response = getattr(spec.responses, cause)
        table = service.draws[key] = organization.randomness.table(
            f"{service.name}/incident/{cause}/{lane}",
            [
                None,
                response.alert_h,
                response.notice_h,
                spec.page_h,
                response.diagnosis_h,
                response.repair_h,
                None,
                None,
                spec.rollback.effort_h,
                spec.rollback.run_h,
                None,
                spec.failover.run_h,
                None,
            ],
        )
    return table


def _handle(
    organization: Organization, incident: Incident, draws: list[float]
) -> Generator[Event, object, None]:
    env = organization.env
    response = getattr(organization.scenario.incidents.responses, incident.cause)
    if incident.detected_by == "":
        monitored = draws[_MONITORED] < response.monitored
        delay_h = draws[_ALERT] if monitored else draws[_NOTICE]
        # Last, so that nobody is called to what is restored at that very instant.
        noticed = env.at(env.now + delay_h, priority=LAST)
        alarm = _alarm(incident)
        yield noticed if alarm is None else noticed | alarm
        if incident.is_closed:
            return
        incident.detected_at = env.now
        verified = alarm is not None and alarm.triggered
        incident.detected_by = (
            "verification" if verified else "monitoring" if monitored else "people"
        )
    if response.role in organization.scenario.incidents.on_call:
        yield env.at(env.now + draws[_PAGE], priority=LAST)
    if draws[_DIAGNOSIS] > 0 and not incident.is_closed:
        diagnosis_h = draws[_DIAGNOSIS] * _unfamiliarity(organization, incident, response.role)
        diagnosis_h *= incident.difficulty
        incident.task = _work(organization, incident, response.role, diagnosis_h)
        yield incident.task
    if incident.is_closed:
        return
    incident.responded_at = env.now if incident.task is None else incident.task.started_at
    incident.diagnosed_at = env.now
    if incident.cause == "data" and incident.trigger == "deployment":
        incident.service.clean_data(env.now)  # diagnosed: the next training leaves the bad data out
    elif incident.taints:
        incident.service.clean_data(env.now)
    if incident.origin is not None:  # others see to it
        return
    while not incident.is_closed:
        yield from _remedy(organization, incident, response.role, draws)


def _unfamiliarity(organization: Organization, incident: Incident, role: str) -> float:
    """Return how many times as long as usual the diagnosis takes."""
    factor = 1.0
    service = incident.service
    stranger = service.team.people[role].team != service.team.name
    if stranger and not service.golden_path:
        factor *= organization.scenario.incidents.unfamiliar
    if incident.defect is not None and organization.scenario.incidents.size_exponent > 0:
        factor *= incident.defect.deployment.size**organization.scenario.incidents.size_exponent
    if incident.hidden:
        factor *= organization.scenario.dependencies.hidden_diagnosis
    return factor


def _alarm(incident: Incident) -> Event | None:
    """Return what tells that verification has found what is degrading service already."""
    return None if incident.defect is None else incident.defect.alarm


def _remedy(
    organization: Organization, incident: Incident, role: str, draws: list[float]
) -> Generator[Event, object, None]:
    """Try one remedy; it may come too late, or not be enough."""
    if _can_roll_back(organization, incident):
        yield from _roll_back(organization, incident, role, draws)
    elif incident.is_about_the_model:
        yield from _retrain(organization, incident)
    elif incident.trigger == "deployment" and incident.cause in ("code", "security", "dependency"):
        yield from _fix(organization, incident)
    else:
        yield from _restore_in_place(organization, incident, role, draws)


def _can_roll_back(organization: Organization, incident: Incident) -> bool:
    if incident.defect is None:
        return False
    deployment = incident.defect.deployment
    return (
        deployment is incident.source.live
        and not deployment.remedies  # its predecessor is known to be bad
        and deployment.rollback_luck < organization.scenario.incidents.rollback.available
    )


def _roll_back(
    organization: Organization, incident: Incident, role: str, draws: list[float]
) -> Generator[Event, object, None]:
    scenario = organization.scenario
    if draws[_ROLLBACK_AUTOMATED] < scenario.automated(scenario.incidents.rollback):
        yield organization.env.timeout(draws[_ROLLBACK_RUN])
    elif draws[_ROLLBACK_EFFORT] > 0:
        yield _work(organization, incident, role, draws[_ROLLBACK_EFFORT])
    deployment, service = incident.deployment, incident.source
    if incident.is_closed or deployment is not service.live or deployment is None:
        return
    roll_back(organization, deployment)
    for other in deployment.incidents:
        close(organization, other, "rollback")
    for other in list(service.open_incidents):  # the model of before may be good enough
        if other.trigger == "decay" and service.meets_objective(organization.env.now):
            close(organization, other, "superseded")


def _restore_in_place(
    organization: Organization, incident: Incident, role: str, draws: list[float]
) -> Generator[Event, object, None]:
    available = organization.scenario.incidents.failover.available
    if incident.trigger == "outage" and draws[_FAILOVER_AVAILABLE] < available:
        yield organization.env.timeout(draws[_FAILOVER_RUN])
        close(organization, incident, "failover")
        return
    if draws[_REPAIR] > 0:
        yield _work(organization, incident, role, draws[_REPAIR] * incident.difficulty)
    close(organization, incident, "repair")


def _fix(organization: Organization, incident: Incident) -> Generator[Event, object, None]:
    change = remediation.fix(organization, incident)
    yield change.end(organization.env)
    if change.status == "abandoned":
        yield organization.env.timeout(retraining.RETRY_H)
    else:
        close(organization, incident, "fix")


def _retrain(organization: Organization, incident: Incident) -> Generator[Event, object, None]:
    """Retrain; the new model closes the incident when it goes live, if it is good enough."""
    change = retraining.start_for_incident(organization, incident)
    yield change.end(organization.env)
    if not incident.is_closed:  # given up, or trained on data that were too old already
        yield organization.env.timeout(retraining.RETRY_H)


def _work(organization: Organization, incident: Incident, role: str, effort_h: float) -> Task:
    if incident.responders is None:  # the first to begin sees it through
        incident.responders = organization.people_for(incident.service, role)
    return incident.responders.work(
        effort_h,
        INCIDENT,
        incident_id=incident.incident_id,
        around_the_clock=role in organization.scenario.incidents.on_call,
        continues=incident.task,
    )
