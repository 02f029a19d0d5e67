"""Steps of the pipeline: as they are planned, and as they are executed.

A row of luck decides about an execution; the columns of that row are named here.
"""

from collections.abc import Collection
from dataclasses import dataclass
from math import nan
from typing import Literal

from simpy.events import Event

from sim.log import NO_ID
from sim.scenario.organization import DEFECT_KINDS, DefectKind, Step

from .entities import Change
from .windows import Timetable

(
    MODE,
    EFFORT,
    RUN,
    HANDOFF_IN_TEAM,
    HANDOFF_ACROSS,
    MISUNDERSTOOD,
    FLAKY,
    FAILS,
    DRIFT,
    TAINT,
    UNREPEATABLE,
    INTERRUPTED_WHEN,
    INTERRUPTED_HOW,
    ADDS,
) = range(14)
DETECTS = ADDS + len(DEFECT_KINDS)
WIDTH = DETECTS + len(DEFECT_KINDS)

Chances = list[tuple[DefectKind, int, float]]
"""Chances above zero: kind of defect, index of the kind, probability."""


class Effect:
    """The effect of a step, besides passing the change on; this one has none.

    Attributes:
        name: what it is called in a scenario and in the log.
        spoils: the defect of what it makes, if it makes something.
        may_go_wrong: whether :meth:`go_wrong` does something.
        ships_together: changes that wait for the same window are executed together.
    """

    name: str = ""
    spoils: DefectKind | None = None
    may_go_wrong = False
    ships_together = False

    def go_wrong(self, execution: "Execution") -> None:
        """Let happen what may go wrong where a step has this effect."""

    def take_effect(self, execution: "Execution") -> None:
        """Do what the step does, now that it has passed."""


@dataclass(slots=True, eq=False)
class PlannedStep:
    """A step as the changes of one kind meet it.

    Attributes:
        lane: the name of its luck.
        position: its place in the whole pipeline.
        late: whether it is done once for a batch, and not by each change before.
        returns_to: the place where a failure leads.
        automation: share of executions that need no human.
        debt_by_hand_h: technical debt that executing it by hand leaves behind.
        by_calendar: share of services whose changes wait for its window.
        spoils: the defect of work that was misunderstood; None if the step builds nothing.
        inspects: whether executing it can find or add a defect, or fail.
        waits_for_pickup: whether it is for somebody else than the author, who takes it up.
        differs: in which way teams differ in the effort that it takes.
    """

    name: str
    lane: str
    position: int
    late: bool
    returns_to: int
    effect: Effect
    spec: Step
    role: str | None
    automation: float
    debt_by_hand_h: float
    spoils: DefectKind | None
    timetable: Timetable | None
    by_calendar: float
    adds_by_hand: Chances
    adds_automated: Chances
    detects_by_hand: Chances
    detects_automated: Chances
    inspects: bool
    waits_for_pickup: bool
    differs: Literal["effort", "review"]


@dataclass(slots=True, eq=False)
class Execution:
    """How a step is carried out, from being asked for to the end.

    Attributes:
        change: whose execution it is; it may take others along.
        visit: how often the change has come to the step by now.
        draws: the row of luck that decides about it.
        role: who executes it by hand; empty if a machine does.
        aboard: the change, and those that it takes along.
        queued_at: when the change came to the step.
        gathered_at: when it had no batch to wait for any more.
        asked_at: when the step was asked for, after the handoff.
        ready_at: when it had neither a board nor a window to wait for any more.
        started_at: when somebody, or a machine, began.
        worked_at: when the person, if any, was done.
        by_author: it is for somebody else than the author, and there is nobody else.
        found: kinds of defect that it found; None if the step passed.
        unrepeatable: it was to repeat a training, and could not.
        arrived: what those wait for that it takes along.
    """

    change: Change
    step: PlannedStep
    visit: int
    draws: list[float]
    manual: bool
    role: str
    queued_at: float
    gathered_at: float
    asked_at: float
    aboard: list[Change]
    execution_id: int = NO_ID
    ready_at: float = nan
    started_at: float = nan
    worked_at: float = nan
    finished_at: float = nan
    effort_h: float = 0.0
    run_h: float = 0.0
    by_author: bool = False
    found: Collection[DefectKind] | None = None
    unrepeatable: bool = False
    arrived: Event | None = None

    def begin(self, execution_id: int, now: float) -> None:
        """Nothing is in its way any more."""
        self.execution_id = execution_id
        self.ready_at = self.started_at = self.worked_at = now
