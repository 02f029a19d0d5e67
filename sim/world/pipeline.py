"""The pipeline: how a committed change gets into production, step by step, by hand or by machine.

Each execution of a step draws whether it needs a human. A manual execution may begin with a handoff
from another role, waits for a board or a release window if it has one, then for a person, then for
a machine. Steps find defects and add new ones; what is found goes back to the author, who removes
it, and the change passes again from the step named in the scenario.
"""

from __future__ import annotations

from collections.abc import Collection, Generator, Sequence
from dataclasses import dataclass
from math import floor, log
from typing import TYPE_CHECKING, Any

from simpy.events import Event

from sim.log import NO_ID
from sim.scenario.organization import (
    CHANGE_KINDS,
    DEFECT_KINDS,
    ByMode,
    ByPath,
    DefectKind,
    Rollback,
    Scenario,
    Step,
)

from . import debt
from .changes import Change
from .clock import DEPARTURE
from .compute import Luck
from .deployment import ReleaseTrain, release
from .people import REMEDIATION
from .randomness import ONE_BY_ONE, DrawTable
from .windows import Timetable

if TYPE_CHECKING:
    from .organization import Organization

(
    _MODE,
    _EFFORT,
    _RUN,
    _WAITS,
    _HANDOFF_IN_TEAM,
    _HANDOFF_ACROSS,
    _MISUNDERSTOOD,
    _FLAKY,
    _FAILS,
    _DRIFT,
    _TAINT,
    _UNREPEATABLE,
    _INTERRUPTED_WHEN,
    _INTERRUPTED_HOW,
    _ADDS,
) = range(15)
_DETECTS = _ADDS + len(DEFECT_KINDS)
_WIDTH = _DETECTS + len(DEFECT_KINDS)

Chances = list[tuple[DefectKind, int, float]]
"""Chances above zero: kind of defect, index of the kind, probability."""


@dataclass(slots=True, eq=False)
class PlannedStep:
    """A step as the changes of one kind meet it.

    Attributes:
        position: its place in the whole pipeline.
        returns_to: the place where a failure leads.
        takes_data: whether the data for a training are taken as it begins.
        automation: share of executions that need no human.
        debt_by_hand_h: technical debt that executing it by hand leaves behind.
        unrepeatable: probability that it cannot train a model again; None if it trains none.
        inspects: whether executing it can find or add a defect, or fail.
    """

    name: str
    position: int
    returns_to: int
    takes_data: bool
    spec: Step
    role: str | None
    automation: float
    debt_by_hand_h: float
    unrepeatable: ByPath | None
    timetable: Timetable | None
    adds_by_hand: Chances
    adds_automated: Chances
    detects_by_hand: Chances
    detects_automated: Chances

    inspects: bool


@dataclass(slots=True, eq=False)
class Execution:
    """What happened when a step was carried out, from being asked for to the end.

    Attributes:
        worked_at: when the person, if any, was done.
        found: kinds of defect that it found; None if the step passed.
        unrepeatable: it was to repeat a training, and could not.
    """

    manual: bool
    ready_at: float
    started_at: float
    worked_at: float
    finished_at: float = 0.0
    effort_h: float = 0.0
    run_h: float = 0.0
    found: Collection[DefectKind] | None = None
    unrepeatable: bool = False


def automated(scenario: Scenario, what: Step | Rollback) -> float:
    """Return the share of executions of a step, or of rollbacks, that need no human."""
    automation = scenario.automation if what.automation is None else what.automation
    return automation + (1 - automation) * what.also_automated


def plan(scenario: Scenario) -> dict[str, list[PlannedStep | None]]:
    """Return the steps of the pipeline for each kind of change; None where it skips one."""
    steps = scenario.pipeline.steps
    order = {name: position for position, name in enumerate(steps)}
    plans: dict[str, list[PlannedStep | None]] = {}
    for kind in CHANGE_KINDS:
        passed = [step for step in steps.values() if kind not in step.skipped_by]
        plans[kind] = []
        effects = [step.effect for step in passed]
        takes_data = "takes_data" if "takes_data" in effects else "trains_model"
        for name, spec in steps.items():
            if kind in spec.skipped_by:
                plans[kind].append(None)
                continue
            plans[kind].append(
                PlannedStep(
                    name,
                    order[name],
                    0 if spec.returns_to is None else order[spec.returns_to],
                    spec.effect == takes_data,
                    spec,
                    spec.role,
                    automated(scenario, spec),
                    scenario.debt.untested_h if spec.detects else scenario.debt.by_hand_h,
                    scenario.pipeline.unrepeatable if spec.effect == "trains_model" else None,
                    None if spec.window is None else Timetable(spec.window),
                    _chances(spec.adds, "manual"),
                    _chances(spec.adds, "automated"),
                    _chances(spec.detects, "manual"),
                    _chances(spec.detects, "automated"),
                    bool(spec.adds or spec.detects or spec.fails)
                    or spec.effect in ("deploys", "trains_model"),
                )
            )
    return plans


def _chances(by_kind: dict[DefectKind, ByMode], mode: str) -> Chances:
    return [
        (kind, index, getattr(by_kind[kind], mode))
        for index, kind in enumerate(DEFECT_KINDS)
        if kind in by_kind and getattr(by_kind[kind], mode) > 0
    ]


def deliver(organization: Organization, change: Change) -> Generator[Event, object, None]:
    """Take a committed change through the pipeline, as often as it takes."""
    place = 0
    while place < len(steps := organization.plans[change.kind]):  # as they are now
        step = steps[place]
        if step is None:
            place += 1
            continue
        visit = change.count_visit(step.position)
        execution = yield from _execute(organization, change, step, visit)
        if step.position >= change.reached:
            change.reached = step.position + 1
        if execution.found is None:
            place += 1
        elif change.deployment is not None:  # verification found it, too late to send it back
            change.deployment.raise_alarm(execution.found)
            return
        elif change.attempt >= organization.scenario.pipeline.max_attempts:
            change.give_up(organization.env.now)
            return
        else:
            yield from _rework(organization, change, step, visit, execution)
            place = step.returns_to
        if change.deployment is not None and change.deployment.lead is not change:
            return  # the lead alone sees to the verification of a deployment


def _execute(
    organization: Organization, change: Change, step: PlannedStep, visit: int
) -> Generator[Event, Any, Execution]:
    """Execute ``step``, which ``change`` has come to for the ``visit``-th time: how did it go?"""
    env = organization.env
    queued_at = env.now
    table = change.service.draws.get((step.position, change.lane, visit))
    draws = (table or _new_draws(organization, change, step, visit)).take(change.number)
    manual = step.role is not None and (
        draws[_MODE] >= step.automation or step.name in change.service.stack.broken
    )
    if manual and step.role != change.last_role:
        delay_h = _hand_over(organization, change, step, draws)
        if delay_h > 0:
            yield env.timeout(delay_h)
    asked_at = env.now
    train = None
    if step.timetable is not None and _has_to_wait(change, step, manual, draws):
        leaves_at = step.timetable.next_opening(asked_at)
        if step.spec.effect == "deploys":
            train = change.service.trains.get(leaves_at)
            if train is not None:
                train.changes.append(change)
                execution: Execution = yield train.arrived
                _log(organization, change, step, queued_at, asked_at, execution)
                return execution
            # What comes at that very instant, from a board that meets then too, still gets in.
            train = change.service.trains[leaves_at] = ReleaseTrain(env.event(), [change])
            yield env.at(leaves_at, priority=DEPARTURE)
            del change.service.trains[leaves_at]
        elif leaves_at > asked_at:
            yield env.at(leaves_at)
    ready_at = env.now
    execution = Execution(manual, ready_at, ready_at, ready_at)
    if manual and draws[_EFFORT] > 0:
        assert step.role is not None
        effort_h = execution.effort_h = organization.effort_h(change.service, draws[_EFFORT])
        task = organization.people_for(change.service, step.role).work(
            effort_h, change.priority, change.change_id
        )
        yield task
        execution.started_at = task.started_at
        execution.worked_at = env.now
    if draws[_RUN] > 0 and (step.spec.run_by_hand or not manual):
        luck = _luck(organization, change, step, visit, draws)
        yield from _run(organization, change, step, draws, luck, execution)
    execution.finished_at = env.now
    aboard = [change] if train is None else train.changes
    if step.inspects:
        _inspect(organization, aboard, step, execution, draws)
    _log(organization, change, step, queued_at, asked_at, execution)
    if manual and step.debt_by_hand_h > 0:
        for passenger in aboard:
            debt.executed_by_hand(organization, passenger, step.debt_by_hand_h)
    if step.spec.effect is not None and execution.found is None:
        _take_effect(organization, aboard, step, execution, draws)
    if train is not None:
        train.arrived.succeed(execution)
    return execution


def _has_to_wait(change: Change, step: PlannedStep, manual: bool, draws: list[float]) -> bool:
    """Return whether this execution waits for the window of its step; remediation never does."""
    assert step.spec.window is not None
    waits = step.spec.window.waits
    return change.priority > REMEDIATION and draws[_WAITS] < (
        waits.manual if manual else waits.automated
    )


def _hand_over(
    organization: Organization, change: Change, step: PlannedStep, draws: list[float]
) -> float:
    """Pass the work on from the role that had it in hand last; return the delay in h."""
    giver, taker = change.last_role, step.role
    assert taker is not None
    change.last_role = taker
    if giver == "":
        return 0.0
    pipeline = organization.scenario.pipeline
    across = change.service.team.is_across(giver, taker)
    handoff = pipeline.handoff_across if across else pipeline.handoff_in_team
    if draws[_MISUNDERSTOOD] < handoff.misunderstood:
        change.defects |= {"code"}
    return draws[_HANDOFF_ACROSS if across else _HANDOFF_IN_TEAM]


def _run(
    organization: Organization,
    change: Change,
    step: PlannedStep,
    draws: list[float],
    luck: Luck,
    execution: Execution,
) -> Generator[Event, object, None]:
    """Let the machine do its part of a step."""
    env = organization.env
    run_h, spec = draws[_RUN], step.spec
    if spec.flaky > 0:  # the number of false alarms in a row is geometric
        run_h *= 1 + floor(log(1 - draws[_FLAKY]) / log(spec.flaky))
    if spec.compute is None:
        yield env.timeout(run_h)
        execution.run_h = env.now - execution.worked_at
        return
    job = change.service.team.compute[spec.compute].run(
        run_h,
        change.priority,
        change.change_id,
        luck,
        anywhere=change.service.golden_path,
    )
    yield job
    execution.run_h = job.held_h
    if execution.effort_h == 0:
        execution.started_at = job.started_at


def _inspect(
    organization: Organization,
    aboard: Sequence[Change],
    step: PlannedStep,
    execution: Execution,
    draws: list[float],
) -> None:
    """Look for defects, add those that executing the step brings in, and see whether it passes."""
    change = aboard[0]
    chances = step.detects_by_hand if execution.manual else step.detects_automated
    if chances:
        there = change.defects.union(*[other.defects for other in aboard[1:]])
        found = {
            kind
            for kind, index, p in chances
            if kind in there
            and draws[_DETECTS + index] < p
            and (kind != "dependency" or change.service.has_contracts)
        }
        if found:
            execution.found = found
            if "data" in found:
                change.service.clean_data()  # known now: the next training leaves it out
    for kind, index, p in step.adds_by_hand if execution.manual else step.adds_automated:
        if draws[_ADDS + index] < p:
            change.defects |= {kind}
    drift = 0.0 if change.service.golden_path else organization.scenario.pipeline.environment_drift
    if step.spec.effect == "deploys" and draws[_DRIFT] < drift:
        change.defects |= {"infra"}
    if execution.found is None and draws[_FAILS] < step.spec.fails:
        execution.found = frozenset()
    if step.unrepeatable is not None and _repeats_a_training(change):
        on_path = change.service.golden_path
        p = step.unrepeatable.golden_path if on_path else step.unrepeatable.bespoke
        if draws[_UNREPEATABLE] < p:
            execution.found, execution.unrepeatable = execution.found or frozenset(), True
    change.trained |= step.unrepeatable is not None


def _repeats_a_training(change: Change) -> bool:
    """Return whether a model like this was trained before, in a way that may be lost."""
    trained_before = change.kind == "retrain" or change.trained or change.origin_id != NO_ID
    return trained_before and not change.reconstructed


def _take_effect(
    organization: Organization,
    aboard: Sequence[Change],
    step: PlannedStep,
    execution: Execution,
    draws: list[float],
) -> None:
    """Do what the step does besides passing the change on."""
    change = aboard[0]
    if step.takes_data:
        change.data_from = execution.started_at
        data = change.service.spec.data
        tainted = change.service.was_tainted(change.data_from)
        if tainted and draws[_TAINT] < (1.0 if data is None else data.taints):
            change.defects |= {"data"}
    if step.spec.effect == "trains_model":
        change.brings_model = True
    elif step.spec.effect == "deploys":
        organization.deployed(release(organization, aboard, execution.started_at))


def _rework(
    organization: Organization,
    change: Change,
    step: PlannedStep,
    visit: int,
    execution: Execution,
) -> Generator[Event, object, None]:
    """Let the author remove what ``execution`` found, or find out how to train the model again."""
    change.attempt += 1
    unrepeatable = execution.unrepeatable
    change.defects -= frozenset(execution.found or ())
    change.reconstructed |= unrepeatable
    scenario = organization.scenario
    spec = getattr(scenario.changes, change.kind)
    work = "reconstruction" if unrepeatable else "rework"
    effort = scenario.pipeline.reconstruction_h if unrepeatable else spec.rework_h
    table = organization.table(
        f"{change.service.name}/{change.lane}/{step.name}/{visit}/{work}",
        [effort.quantile],
        ONE_BY_ONE,
    )
    effort_h = organization.effort_h(change.service, table.take(change.number)[0])
    if effort_h <= 0:
        return
    queued_at = organization.env.now
    task = change.service.team.people[spec.author].work(effort_h, change.priority, change.change_id)
    yield task
    change.last_role = spec.author
    organization.log.steps.append(
        (
            change.change_id,
            change.service.name,
            work,
            change.attempt,
            "manual",
            spec.author,
            queued_at,
            task.started_at,
            organization.env.now,
            0.0,
            0.0,
            max(0.0, organization.env.now - queued_at - effort_h),
            effort_h,
            0.0,
            0.0,
            True,
            "passed",
        )
    )


def _log(
    organization: Organization,
    change: Change,
    step: PlannedStep,
    queued_at: float,
    asked_at: float,
    execution: Execution,
) -> None:
    """Log an execution as ``change`` lived it: it may have joined others that shipped with it."""
    if execution.found is None:
        outcome = "passed"
    elif execution.unrepeatable:
        outcome = "unrepeatable"
    else:
        outcome = "caught" if execution.found else "failed"
    organization.log.steps.append(
        (
            change.change_id,
            change.service.name,
            step.name,
            change.attempt,
            "manual" if execution.manual else "automated",
            step.role if execution.manual else "",
            queued_at,
            execution.started_at,
            execution.finished_at,
            asked_at - queued_at,
            execution.ready_at - asked_at,
            max(0.0, execution.worked_at - execution.ready_at - execution.effort_h),
            execution.effort_h,
            max(0.0, execution.finished_at - execution.worked_at - execution.run_h),
            execution.run_h,
            step.position < change.reached,
            outcome,
        )
    )


def _new_draws(
    organization: Organization, change: Change, step: PlannedStep, visit: int
) -> DrawTable:
    """Make the table whose row ``change.number`` decides about this execution."""
    pipeline, spec = organization.scenario.pipeline, step.spec
    quantiles: list[Any] = [None] * _WIDTH
    quantiles[_EFFORT] = spec.effort_h.quantile
    quantiles[_RUN] = spec.run_h.quantile
    quantiles[_HANDOFF_IN_TEAM] = pipeline.handoff_in_team.delay_h.quantile
    quantiles[_HANDOFF_ACROSS] = pipeline.handoff_across.delay_h.quantile
    name = f"{change.service.name}/{change.lane}/{step.name}/{visit}"
    table = (
        organization.randomness.table(name, quantiles)
        if visit == 1
        else organization.randomness.table(name, quantiles, ONE_BY_ONE)
    )
    change.service.draws[step.position, change.lane, visit] = table
    return table


def _luck(
    organization: Organization, change: Change, step: PlannedStep, visit: int, draws: list[float]
) -> Luck:
    """Return what decides about interruptions of the job of this execution, run by run."""

    def runs() -> Generator[list[float], None, None]:
        yield [draws[_INTERRUPTED_WHEN], draws[_INTERRUPTED_HOW]]
        execution = f"{change.lane}/{step.name}/{visit}/{change.number}"
        generator = organization.randomness.generator(f"{change.service.name}/{execution}/runs")
        while True:
            yield generator.random(2).tolist()

    return runs().__next__
