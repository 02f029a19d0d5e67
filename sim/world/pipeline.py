"""The pipeline: how a committed change gets into production, step by step, by hand or by machine.

Each execution of a step draws whether it needs a human. A manual execution may begin with a handoff
from another role, waits for a board or a release window if it has one, then for a person, then for
a machine. Steps find defects and add new ones; what is found goes back to the author, who removes
it, and the change passes again from the step named in the scenario.
"""

from collections.abc import Generator
from math import floor, log, nan
from typing import Any

from simpy.events import Event

from sim.kernel import DrawTable
from sim.kernel.draws import BLOCKS, ONE_BY_ONE
from sim.log.rows import Mode, StepOutcome
from sim.scenario.distributions import Distribution

from . import (
    authoring,
    batches,
    debt,
    differences,
    effort,
    pickup,
    release_calendar,
    self_service,
    standard_changes,
    upkeep,
)
from .compute import Luck
from .context import Organization
from .entities import Change
from .steps import (
    ADDS,
    DETECTS,
    EFFORT,
    FAILS,
    FLAKY,
    HANDOFF_ACROSS,
    HANDOFF_IN_TEAM,
    INTERRUPTED_HOW,
    INTERRUPTED_WHEN,
    MISUNDERSTOOD,
    MODE,
    RUN,
    WIDTH,
    Execution,
    PlannedStep,
)


def write_and_deliver(organization: Organization, change: Change) -> Generator[Event, object, None]:
    """Write a change and deliver it."""
    yield from authoring.write(organization, change)
    yield from deliver(organization, change)


def deliver(organization: Organization, change: Change) -> Generator[Event, object, None]:
    """Take a committed change through the pipeline, as often as it takes."""
    lead = yield from _pass(organization, change)
    if lead.deployment is not None and lead.deployment.lead is lead:
        batches.learn(organization, lead.deployment)


def _pass(organization: Organization, change: Change) -> Generator[Event, object, Change]:
    """Take a change through the pipeline; return the one that was in the lead in the end."""
    place = 0
    while place < len(organization.plans[change.kind]):
        step = _step_at(organization, change, place)
        if step is None:
            place += 1
            continue
        if step.late and not change.is_late:
            change.is_late = True  # and goes on if batches are adopted from now on
            if batches.holds_up(organization, change):
                starts_at = yield from batches.wait(organization, change, place)
                if starts_at is None:
                    return change
                place = starts_at
                continue  # the step may have changed meanwhile
        execution = yield from _execute(organization, change, step)
        for member in change.party:
            member.reached = max(member.reached, step.position + 1)
        if change.deployment is not None:
            change.companions = []  # its lead alone sees to the verification of a deployment
        if execution.found is None:
            place += 1
        elif change.deployment is not None:  # verification found it, too late to send it back
            change.deployment.raise_alarm(execution.found)
            return change
        else:
            successor = _give_up_after_too_many(organization, change)
            if successor is None:
                return change
            change = successor
            yield from _send_back(organization, change, execution)
            place = step.returns_to
        if change.deployment is not None and change.deployment.lead is not change:
            return change
    return change


def _step_at(organization: Organization, change: Change, place: int) -> PlannedStep | None:
    """Return the step at ``place``, as it is now; None if nothing that goes together needs it."""
    deployment = change.deployment
    for member in change.party if deployment is None else deployment.changes:
        step = organization.plans[member.kind][place]
        if step is not None and not standard_changes.skips(organization, member, step):
            return step
    return None


def _give_up_after_too_many(organization: Organization, change: Change) -> Change | None:
    """Give up those that have passed as often as they may; return who leads the others, if any."""
    party, most = change.party, organization.scenario.pipeline.max_attempts
    for member in party:
        if member.attempt >= most:
            member.give_up(organization.env.now)
    others = [member for member in party if member.attempt < most]
    if not others:
        return None
    lead = others[0]
    lead.companions = others[1:]
    lead.priority, lead.last_role = change.priority, change.last_role
    return lead


def _send_back(
    organization: Organization, change: Change, execution: Execution
) -> Generator[Event, object, None]:
    """Let the authors of those that go together remove what ``execution`` found in theirs."""
    for member in change.party:
        member.attempt += 1
    if not change.companions:
        yield from authoring.rework(organization, change, execution)
        return
    env, found = organization.env, frozenset(execution.found or ())
    culprits = [member for member in change.party if member.defects & found] or [change]
    ready_at = dict.fromkeys([member.change_id for member in change.party], env.now)

    def repair(culprit: Change) -> Generator[Event, object, None]:
        yield from authoring.rework(organization, culprit, execution)
        ready_at[culprit.change_id] = env.now

    yield env.all_of([env.process(repair(culprit)) for culprit in culprits])
    for member in change.party:
        authoring.wait_for_others(organization, member, ready_at[member.change_id])


def _execute(
    organization: Organization, change: Change, step: PlannedStep
) -> Generator[Event, Any, Execution]:
    """Execute ``step`` for ``change``; return how it went, together with others or alone."""
    execution = _ask_for(organization, change, step)
    draws, manual = execution.draws, execution.manual
    if manual and execution.role != change.last_role:
        yield from _hand_over(organization, execution)
    if manual and step.waits_for_pickup:
        yield from pickup.wait(organization, execution)
    if step.timetable is not None and release_calendar.holds_up(organization, change, step):
        shared = yield from release_calendar.wait(organization, execution)
        if shared is not execution:
            _log(organization, shared, execution)
            return shared
    execution.begin(next(organization.executions), organization.env.now)
    if not manual and step.name in change.service.stack.broken:
        yield from upkeep.wait_for_repair(organization, change.service, step.name)
        execution.started_at = organization.env.now
    if manual and draws[EFFORT] > 0:
        yield from _work_by_hand(organization, execution)
    if draws[RUN] > 0 and (step.spec.run_by_hand or not manual):
        yield from _run_on_machine(organization, execution)
    execution.finished_at = organization.env.now
    if step.inspects:
        _inspect(execution)
    _log(organization, execution, execution)
    batches.pay(organization, execution)
    if manual and step.debt_by_hand_h > 0:
        for passenger in execution.aboard:
            debt.executed_by_hand(organization, passenger, step.debt_by_hand_h)
    if execution.found is None:
        step.effect.take_effect(execution)
    if execution.arrived is not None:
        execution.arrived.succeed(execution)
    return execution


def _ask_for(organization: Organization, change: Change, step: PlannedStep) -> Execution:
    """Return the execution of ``step`` to which ``change`` has come now, decided by its luck."""
    service = change.service
    lane, number = change.substream
    visit = change.count_visit(step.position)
    table = service.draws.get((step.position, lane, visit))
    draws = (table or _new_draws(organization, change, step, visit)).take(number)
    manual = step.role is not None and (
        draws[MODE] >= step.automation or upkeep.is_done_by_hand(organization, service, step.name)
    )
    role = self_service.executor(organization, change, step, visit) if manual else ""
    now = organization.env.now
    return Execution(change, step, visit, draws, manual, role, now, now, now, change.party)


def _hand_over(organization: Organization, execution: Execution) -> Generator[Event, object, None]:
    """Pass the work on from the role that had it in hand last."""
    change, draws = execution.change, execution.draws
    giver, taker = change.last_role, execution.role
    change.last_role = taker
    if giver == "" or change.service.team.are_the_same(giver, taker):
        return
    pipeline = organization.scenario.pipeline
    across = change.service.team.is_across(giver, taker)
    handoff = pipeline.handoff_across if across else pipeline.handoff_in_team
    delay_h = draws[HANDOFF_ACROSS if across else HANDOFF_IN_TEAM]
    delay_h *= differences.factor(organization, change.service.team.people.get(taker), "pickup")
    if draws[MISUNDERSTOOD] < handoff.misunderstood:
        if execution.step.spoils is None:
            delay_h *= 2  # nothing to spoil: the taker asks back, and waits as long again
        else:
            change.defects |= {execution.step.spoils}
    if delay_h > 0:
        yield organization.env.timeout(delay_h)
        execution.asked_at = organization.env.now


def _work_by_hand(
    organization: Organization, execution: Execution
) -> Generator[Event, object, None]:
    """Let a person do their part of a step."""
    change, role = execution.change, execution.role
    people = organization.people_for(change.service, role)
    effort_h = execution.draws[EFFORT]
    effort_h = effort.hours(organization, change.service, people, effort_h, execution.step.differs)
    execution.effort_h = effort_h
    task = people.work(effort_h, change.priority, change.change_id)
    yield task
    execution.started_at = task.started_at
    execution.worked_at = organization.env.now


def _run_on_machine(
    organization: Organization, execution: Execution
) -> Generator[Event, object, None]:
    """Let the machine do its part of a step."""
    env, change, spec = organization.env, execution.change, execution.step.spec
    run_h = execution.draws[RUN]
    if spec.flaky > 0:  # the number of false alarms in a row is geometric
        run_h *= 1 + floor(log(1 - execution.draws[FLAKY]) / log(spec.flaky))
    if spec.compute is None:
        began_at = env.now
        yield env.timeout(run_h)
        execution.run_h = env.now - began_at
        return
    job = change.service.team.compute[spec.compute].run(
        run_h,
        change.priority,
        change.change_id,
        _interruptions(organization, execution),
        anywhere=change.service.golden_path,
    )
    yield job
    execution.run_h = job.held_h
    if execution.effort_h == 0:
        execution.started_at = job.started_at


def _inspect(execution: Execution) -> None:
    """Look for defects, add those that executing the step brings in, and see whether it passes."""
    change, step, draws = execution.change, execution.step, execution.draws
    chances = step.detects_by_hand if execution.manual else step.detects_automated
    deployment = change.deployment
    if deployment is not None:  # its lead sees to the verification of all that it carries
        there = deployment.defects
    else:
        there = change.defects
        for other in execution.aboard[1:]:
            there |= other.defects
    if chances and there and not execution.by_author:
        found = {
            kind
            for kind, index, p in chances
            if kind in there
            and draws[DETECTS + index] < p
            and (kind != "dependency" or change.service.has_contracts)
        }
        if found:
            execution.found = found
            if "data" in found:  # known now: the next training leaves it out
                change.service.clean_data(execution.finished_at)
    for kind, index, p in step.adds_by_hand if execution.manual else step.adds_automated:
        if draws[ADDS + index] < p:
            change.defects |= {kind}
    if execution.found is None and draws[FAILS] < step.spec.fails:
        execution.found = frozenset()
    step.effect.go_wrong(execution)


def _log(organization: Organization, execution: Execution, lived: Execution) -> None:
    """Log an execution as the change of ``lived`` lived it, which may have joined it."""
    change, step = lived.change, execution.step
    outcome: StepOutcome
    if execution.found is None:
        outcome = "passed"
    elif execution.unrepeatable:
        outcome = "unrepeatable"
    else:
        outcome = "caught" if execution.found else "failed"
    mode: Mode = "manual" if execution.manual else "automated"
    handoff_h = lived.asked_at - lived.gathered_at
    window_h = execution.ready_at - lived.asked_at
    people_h = max(0.0, execution.worked_at - execution.ready_at - execution.effort_h)
    compute_h = max(0.0, execution.finished_at - execution.worked_at - execution.run_h)
    for member in change.party:
        queued_at, batch_h = lived.queued_at, 0.0
        if member.waiting_since == member.waiting_since:
            queued_at, batch_h = member.waiting_since, lived.gathered_at - member.waiting_since
            member.waiting_since = nan
        rework = step.position < member.reached
        organization.log.steps.append(
            (
                member.change_id,
                member.service.name,
                step.name,
                member.attempt,
                mode,
                execution.role,
                queued_at,
                execution.started_at,
                execution.finished_at,
                batch_h,
                handoff_h,
                window_h,
                people_h,
                execution.effort_h,
                compute_h,
                execution.run_h,
                rework,
                outcome,
                step.effect.name,
                execution.execution_id,
            )
        )


def _new_draws(
    organization: Organization, change: Change, step: PlannedStep, visit: int
) -> DrawTable:
    """Make the table whose row, found by the change's number, decides about this execution."""
    pipeline, spec, lane = organization.scenario.pipeline, step.spec, change.substream.lane
    columns: list[Distribution | None] = [None] * WIDTH
    columns[EFFORT] = spec.effort_h
    columns[RUN] = spec.run_h
    columns[HANDOFF_IN_TEAM] = pipeline.handoff_in_team.delay_h
    columns[HANDOFF_ACROSS] = pipeline.handoff_across.delay_h
    table = change.service.draws[step.position, lane, visit] = organization.randomness.table(
        f"{change.service.name}/{lane}/{step.lane}/{visit}",
        columns,
        BLOCKS if visit == 1 else ONE_BY_ONE,
    )
    return table


def _interruptions(organization: Organization, execution: Execution) -> Luck:
    """Return what decides about interruptions of the job of this execution, run by run."""

    def runs() -> Generator[list[float], None, None]:
        yield [execution.draws[INTERRUPTED_WHEN], execution.draws[INTERRUPTED_HOW]]
        lane, number = execution.change.substream
        name = f"{lane}/{execution.step.lane}/{execution.visit}/{number}"
        service = execution.change.service.name
        generator = organization.randomness.generator(f"{service}/{name}/runs")
        while True:
            yield generator.random(2).tolist()

    return runs().__next__
