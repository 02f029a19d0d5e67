"""Authoring: making a change, with the defects its author leaves in it, and mending it."""

from collections.abc import Generator

from simpy.events import Event

from sim.kernel import DrawTable
from sim.kernel.draws import ONE_BY_ONE
from sim.log import NO_ID
from sim.log.rows import ChangeTrigger, StepOutcome, StepRow
from sim.scenario.distributions import Distribution
from sim.scenario.organization import DEFECT_KINDS, ChangeKind, DefectKind

from . import debt, effort
from .context import Organization
from .entities import Change, Service
from .people import EXPLORATION
from .randomness import Substream
from .steps import Execution

_EFFORT, _ABANDONED = 0, 1
_FIRST_DEFECT = 2
_FIRST_LATENCY = _FIRST_DEFECT + len(DEFECT_KINDS)


def new_change(
    organization: Organization,
    service: Service,
    kind: ChangeKind,
    substream: Substream,
    trigger: ChangeTrigger,
    priority: int,
    incident_id: int = NO_ID,
    origin_id: int = NO_ID,
) -> Change:
    """Create a change now; ``substream`` names its luck."""
    change = Change(
        len(organization.changes),
        service,
        kind,
        substream,
        trigger,
        priority,
        organization.env.now,
        incident_id,
        origin_id,
    )
    organization.changes.append(change)
    return change


def commit(organization: Organization, change: Change) -> None:
    """Commit ``change`` now, with the defects that its author left in it."""
    draws = _draws(organization, change)
    submit(organization, change)
    changes = organization.scenario.changes
    # A change that is made again is repaired, not written: a retraining alone is all new.
    repaired = change.made_again and change.kind != "retrain"
    spec = changes.fix if repaired else getattr(changes, change.kind)
    for kind, probability in spec.defects.items():
        probability = debt.likelier(organization, change.service, probability)
        if change.idea_share < 1:  # so that all slices together have the defects of the idea
            probability = 1 - (1 - probability) ** change.idea_share
        if draws[_FIRST_DEFECT + DEFECT_KINDS.index(kind)] < probability:
            change.defects |= {kind}


def submit(organization: Organization, change: Change) -> None:
    """Commit ``change`` as it is."""
    if change.started_at != change.started_at:
        change.started_at = organization.env.now
    change.committed_at = organization.env.now
    change.status = "delivering"


def exploration(organization: Organization, change: Change) -> tuple[float, bool]:
    """Return the effort in h that exploring a feature takes, and whether it leads nowhere."""
    feature = organization.scenario.changes.feature
    assert feature is not None
    draws = _draws(organization, change)
    return draws[_EFFORT], draws[_ABANDONED] < feature.abandoned


def explore(
    organization: Organization, change: Change, effort_h: float, abandoned: bool
) -> Generator[Event, object, None]:
    """Explore a feature, or a slice of one; commit it unless it leads nowhere."""
    feature = organization.scenario.changes.feature
    assert feature is not None
    outcome: StepOutcome = "abandoned" if abandoned else "passed"
    yield from _make(
        organization, change, "exploration", feature.author, effort_h, EXPLORATION, outcome
    )
    if abandoned:
        change.give_up(organization.env.now)
    else:
        commit(organization, change)


def write(organization: Organization, change: Change) -> Generator[Event, object, None]:
    """Write a change and commit it."""
    author = getattr(organization.scenario.changes, change.kind).author
    effort_h = _draws(organization, change)[_EFFORT]
    if change.incident_id != NO_ID:
        effort_h *= organization.incidents[change.incident_id].difficulty
    yield from _make(organization, change, "authoring", author, effort_h, change.priority, "passed")
    commit(organization, change)


def rework(
    organization: Organization, change: Change, execution: Execution
) -> Generator[Event, object, None]:
    """Let the author remove what ``execution`` found, or find out how to train the model again."""
    change.defects -= frozenset(execution.found or ())
    change.reconstructed |= execution.unrepeatable
    scenario = organization.scenario
    spec = getattr(scenario.changes, change.kind)
    work = "reconstruction" if execution.unrepeatable else "rework"
    takes_h = scenario.pipeline.reconstruction_h if execution.unrepeatable else spec.rework_h
    lane, number = change.substream
    table = organization.table(
        f"{change.service.name}/{lane}/{execution.step.lane}/{execution.visit}/{work}",
        [takes_h],
        ONE_BY_ONE,
    )
    effort_h = table.take(number)[0]
    if effort_h > 0:
        people = change.service.team.people[spec.author]
        effort_h = effort.hours(organization, change.service, people, effort_h)
        yield from _work(organization, change, work, spec.author, effort_h, change.priority)


def wait_for_others(organization: Organization, change: Change, since: float) -> None:
    """Log that ``change`` has waited until now while others of its batch were reworked."""
    now = organization.env.now
    if now > since:
        _log(organization, change, "rework", "", since, since, 0.0, "passed", batch_h=now - since)


def latency_h(organization: Organization, change: Change, kind: DefectKind) -> float:
    """Return the hours from deployment until a defect of ``kind`` in ``change`` shows itself."""
    return _draws(organization, change)[_FIRST_LATENCY + DEFECT_KINDS.index(kind)]


def _make(
    organization: Organization,
    change: Change,
    step: str,
    author: str,
    effort_h: float,
    priority: int,
    outcome: StepOutcome,
) -> Generator[Event, object, None]:
    """Let the author work on ``change`` up to its commit."""
    if effort_h <= 0:
        change.started_at = organization.env.now
        return
    if not change.made_again:
        change.effort_h = effort_h
    people = change.service.team.people[author]
    effort_h = effort.hours(organization, change.service, people, effort_h)
    yield from _work(organization, change, step, author, effort_h, priority, outcome)


def _work(
    organization: Organization,
    change: Change,
    step: str,
    author: str,
    effort_h: float,
    priority: int,
    outcome: StepOutcome = "passed",
) -> Generator[Event, object, None]:
    """Let the author of ``change`` work, and log that as a step."""
    queued_at = organization.env.now
    task = change.service.team.people[author].work(effort_h, priority, change.change_id)
    first = change.committed_at != change.committed_at
    if first:
        change.authoring = task
    yield task
    if first:
        change.authoring = None
        change.started_at = task.started_at
    change.last_role = author
    _log(organization, change, step, author, queued_at, task.started_at, effort_h, outcome)


def _log(
    organization: Organization,
    change: Change,
    step: str,
    author: str,
    queued_at: float,
    started_at: float,
    effort_h: float,
    outcome: StepOutcome,
    batch_h: float = 0.0,
) -> None:
    """Log that the author of ``change`` was at work on it, or that it has waited for others."""
    now = organization.env.now
    organization.log.steps.append(
        StepRow(
            change_id=change.change_id,
            service=change.service.name,
            step=step,
            attempt=change.attempt,
            mode="manual",
            role=author,
            queued_at=queued_at,
            started_at=started_at,
            finished_at=now,
            batch_h=batch_h,
            handoff_h=0.0,
            window_h=0.0,
            people_h=max(0.0, now - queued_at - batch_h - effort_h),
            effort_h=effort_h,
            compute_h=0.0,
            run_h=0.0,
            rework=change.committed_at == change.committed_at,
            outcome=outcome,
            effect="",
            execution_id=next(organization.executions),
        )
    )


def _draws(organization: Organization, change: Change) -> list[float]:
    """Return the row of luck of the author of ``change``."""
    lane, number = change.substream
    table = change.service.draws.get(("authoring", lane))
    return (table or _new_table(organization, change)).take(number)


def _new_table(organization: Organization, change: Change) -> DrawTable:
    lane = change.substream.lane
    responses = organization.scenario.incidents.responses
    latencies = [getattr(responses, kind).latency_h for kind in DEFECT_KINDS]
    uniforms: list[Distribution | None] = [None] * (1 + len(DEFECT_KINDS))
    table = change.service.draws["authoring", lane] = organization.randomness.table(
        f"{change.service.name}/{lane}",
        [_effort(organization, change), *uniforms, *latencies],
    )
    return table


def _effort(organization: Organization, change: Change) -> Distribution | None:
    """Return the distribution of the author's effort before the commit."""
    spec = getattr(organization.scenario.changes, change.kind)
    if change.made_again:
        effort_h: Distribution = spec.rework_h
    elif change.kind == "feature":
        effort_h = spec.exploration_h
    elif change.kind == "retrain":
        return None  # nobody writes a retraining
    else:
        effort_h = spec.effort_h
    return effort_h
