"""Changes: what gets delivered, from the idea or the trigger to production."""

from __future__ import annotations

from dataclasses import dataclass, field
from math import nan
from typing import TYPE_CHECKING

from simpy import Environment, Event

from sim.log import NO_ID
from sim.log.rows import ChangeRow, ChangeStatus, ChangeTrigger
from sim.scenario.organization import ChangeKind, DefectKind

if TYPE_CHECKING:
    from .deployment import Deployment
    from .people import Task
    from .services import Service


@dataclass(slots=True, eq=False)
class Change:
    """A unit of delivery.

    Attributes:
        number: its row in the draw tables of its service and lane.
        lane: name of those tables: its kind, or its kind and why it is made again.
        defects: kinds of defect that are in it.
        attempt: its pass through the pipeline, from 1.
        reached: how many steps of the pipeline it has got through, in whatever pass.
        visits: how often it has come to a step, by its position, if more than once.
        last_role: the role that had it in hand last.
        brings_model: whether a new model was trained for it.
        trained: whether somebody has tried to train one.
        reconstructed: whether somebody has found out how to repeat its training.
        effort_h: hours of its author up to the commit, if nothing slows them down.
        debt_h: technical debt that it leaves behind once it is deployed.
        paid_h: technical debt that it has paid back.
        authoring: its author's work, while that is not done.
    """

    change_id: int
    service: Service
    kind: ChangeKind
    lane: str
    number: int
    trigger: ChangeTrigger
    priority: int
    created_at: float
    incident_id: int = NO_ID
    origin_id: int = NO_ID
    started_at: float = nan
    committed_at: float = nan
    deployed_at: float = nan
    ended_at: float = nan
    data_from: float = nan
    deployment: Deployment | None = None
    status: ChangeStatus = "exploring"
    attempt: int = 1
    reached: int = 0
    last_role: str = ""
    defects: frozenset[DefectKind] = frozenset()
    brings_model: bool = False
    trained: bool = False
    reconstructed: bool = False
    effort_h: float = 0.0
    debt_h: float = 0.0
    paid_h: float = 0.0
    authoring: Task | None = None
    visits: dict[int, int] = field(default_factory=dict)
    _end: Event | None = None

    @property
    def unplanned(self) -> bool:
        """Whether it remedies an incident or redoes a rolled-back change."""
        return self.trigger in ("incident", "rollback")

    def count_visit(self, position: int) -> int:
        """Count that it comes to the step at ``position``, and return how often it has by now."""
        if position >= self.reached:
            return 1
        visits = self.visits[position] = self.visits.get(position, 1) + 1
        return visits

    def end(self, env: Environment) -> Event:
        """Return the event that it is deployed or given up, which must not have happened yet."""
        if self._end is None:
            self._end = env.event()
        return self._end

    def give_up(self, now: float) -> None:
        """Abandon it now."""
        self.status = "abandoned"
        self.finish(now)

    def finish(self, now: float) -> None:
        """It is no longer work in progress."""
        self.ended_at = now
        if self._end is not None:
            self._end.succeed()

    def row(self) -> ChangeRow:
        """Return its row of the event table."""
        if self.authoring is not None:
            self.started_at = self.authoring.started_at
        return ChangeRow(
            change_id=self.change_id,
            service=self.service.name,
            team=self.service.team.name,
            kind=self.kind,
            trigger=self.trigger,
            created_at=self.created_at,
            started_at=self.started_at,
            committed_at=self.committed_at,
            deployed_at=self.deployed_at,
            ended_at=self.ended_at,
            deployment_id=NO_ID if self.deployment is None else self.deployment.deployment_id,
            incident_id=self.incident_id,
            origin_id=self.origin_id,
            data_from=self.data_from,
            status=self.status,
        )
