"""Authoring: making a change, up to its commit, with the defects its author leaves in it."""

from __future__ import annotations

from collections.abc import Generator
from typing import TYPE_CHECKING

from simpy.events import Event

from sim.log import NO_ID
from sim.log.rows import ChangeTrigger, StepOutcome
from sim.scenario.organization import DEFECT_KINDS, ChangeKind, DefectKind

from . import debt
from .changes import Change
from .people import EXPLORATION
from .pipeline import deliver
from .randomness import DrawTable, Quantile

if TYPE_CHECKING:
    from .organization import Organization
    from .services import Service

_EFFORT, _ABANDONED = 0, 1
_FIRST_DEFECT = 2
_FIRST_LATENCY = _FIRST_DEFECT + len(DEFECT_KINDS)


def new_change(
    organization: Organization,
    service: Service,
    kind: ChangeKind,
    lane: str,
    number: int,
    trigger: ChangeTrigger,
    priority: int,
    incident_id: int = NO_ID,
    origin_id: int = NO_ID,
) -> Change:
    """Create a change now; its luck is row ``number`` of the draw tables named after ``lane``."""
    change = Change(
        len(organization.changes),
        service,
        kind,
        lane,
        number,
        trigger,
        priority,
        organization.env.now,
        incident_id,
        origin_id,
    )
    organization.changes.append(change)
    return change


def commit(organization: Organization, change: Change) -> list[float]:
    """Commit ``change`` now, with the defects that its author left in it; return its luck."""
    luck = _draws(organization, change).take(change.number)
    _commit(organization, change, luck)
    return luck


def exploration(organization: Organization, change: Change) -> tuple[float, bool]:
    """Return the effort in h that exploring a feature takes, and whether it leads nowhere."""
    feature = organization.scenario.changes.feature
    assert feature is not None
    luck = _draws(organization, change).take(change.number)
    return luck[_EFFORT], luck[_ABANDONED] < feature.abandoned


def explore(organization: Organization, change: Change) -> Generator[Event, object, bool]:
    """Explore a feature; return whether it leads to a commit."""
    feature = organization.scenario.changes.feature
    assert feature is not None
    effort_h, abandoned = exploration(organization, change)
    outcome: StepOutcome = "abandoned" if abandoned else "passed"
    yield from _write(
        organization, change, "exploration", feature.author, effort_h, EXPLORATION, outcome
    )
    if abandoned:
        change.give_up(organization.env.now)
    else:
        commit(organization, change)
    return not abandoned


def write_and_deliver(organization: Organization, change: Change) -> Generator[Event, object, None]:
    """Write a change and deliver it."""
    author = getattr(organization.scenario.changes, change.kind).author
    luck = _draws(organization, change).take(change.number)
    yield from _write(
        organization, change, "authoring", author, luck[_EFFORT], change.priority, "passed"
    )
    _commit(organization, change, luck)
    yield from deliver(organization, change)


def latency_h(organization: Organization, change: Change, kind: DefectKind) -> float:
    """Return the hours from deployment until a defect of ``kind`` in ``change`` shows itself."""
    luck = _draws(organization, change).take(change.number)
    return luck[_FIRST_LATENCY + DEFECT_KINDS.index(kind)]


def _write(
    organization: Organization,
    change: Change,
    step: str,
    role: str,
    effort_h: float,
    priority: int,
    outcome: StepOutcome,
) -> Generator[Event, object, None]:
    queued_at = organization.env.now
    if effort_h <= 0:
        change.started_at = queued_at
        return
    change.effort_h = effort_h
    effort_h = organization.effort_h(change.service, effort_h)
    task = change.service.team.people[role].work(effort_h, priority, change.change_id)
    change.authoring = task
    yield task
    change.authoring = None
    change.started_at = task.started_at
    change.last_role = role
    now = organization.env.now
    organization.log.steps.append(
        change_id=change.change_id,
        service=change.service.name,
        step=step,
        attempt=change.attempt,
        mode="manual",
        role=role,
        queued_at=queued_at,
        started_at=task.started_at,
        finished_at=now,
        handoff_h=0.0,
        window_h=0.0,
        people_h=max(0.0, now - queued_at - effort_h),
        effort_h=effort_h,
        compute_h=0.0,
        run_h=0.0,
        rework=False,
        outcome=outcome,
        effect="",
        execution_id=next(organization.executions),
    )


def _commit(organization: Organization, change: Change, luck: list[float]) -> None:
    change.committed_at = organization.env.now
    change.status = "delivering"
    for kind, probability in getattr(organization.scenario.changes, change.kind).defects.items():
        probability = debt.likelier(organization, change.service, probability)
        if luck[_FIRST_DEFECT + DEFECT_KINDS.index(kind)] < probability:
            change.defects |= {kind}


def _draws(organization: Organization, change: Change) -> DrawTable:
    key = ("authoring", change.lane)
    table = change.service.draws.get(key)
    if table is None:
        responses = organization.scenario.incidents.responses
        latencies = [getattr(responses, kind).latency_h.quantile for kind in DEFECT_KINDS]
        uniforms: list[Quantile | None] = [None] * (1 + len(DEFECT_KINDS))
        table = change.service.draws[key] = organization.randomness.table(
            f"{change.service.name}/{change.lane}",
            [_effort(organization, change), *uniforms, *latencies],
        )
    return table


def _effort(organization: Organization, change: Change) -> Quantile | None:
    """Return the quantile function of the author's effort before the commit."""
    spec = getattr(organization.scenario.changes, change.kind)
    if change.lane.endswith("-redo"):
        quantile: Quantile = spec.rework_h.quantile
    elif change.kind == "feature":
        quantile = spec.exploration_h.quantile
    elif change.kind == "retrain":
        return None  # nobody writes a retraining
    else:
        quantile = spec.effort_h.quantile
    return quantile
