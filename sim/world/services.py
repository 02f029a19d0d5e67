"""Services: models in production, what is live, and the course of their quality."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from math import inf, nan
from typing import TYPE_CHECKING

import simpy
from simpy.events import Event

from sim.log import NO_ID, EventLog
from sim.scenario.organization import Retraining
from sim.scenario.organization import Service as ServiceSpec

from .calendar import WEEK_H
from .changes import Change
from .clock import LAST, Clock, snap
from .compute import ComputePool
from .decay import QualityCurve
from .deployment import Deployment, ReleaseTrain
from .people import PeoplePool
from .randomness import DrawTable
from .upkeep import Stack

if TYPE_CHECKING:
    from collections.abc import Callable

    from .incidents import Incident


@dataclass(slots=True, eq=False)
class Team:
    """A team: who works in it and for it.

    Attributes:
        people: the pool that serves each role, in the team or shared.
        compute: the pool of each kind of compute, of the team or shared.
        stack: the automation of its services off the golden path.
        features: slots of its limit of features in progress; None without a limit.
    """

    name: str
    people: dict[str, PeoplePool]
    compute: dict[str, ComputePool]
    stack: Stack
    features: simpy.Resource | None = None

    def is_across(self, giver: str, taker: str) -> bool:
        """Return whether one of two roles, or both, are in groups outside this team."""
        return not all(
            role in self.people and self.people[role].team != "" for role in (giver, taker)
        )


@dataclass(frozen=True, slots=True, eq=False)
class Dependency:
    """That one service uses the output of another.

    Attributes:
        downstream: the service that uses it.
        upstream: the service that is used.
        hidden: nobody has written it down.
    """

    downstream: Service
    upstream: Service
    hidden: bool


class Service:
    """A model in production.

    Args:
        env: the simulation.
        log: where the course of its quality goes.
        name: its name.
        kind: name of its description in the scenario.
        team: the team that owns it.
        spec: its description.
        policy: when it is retrained.
        curve: how the quality of its models falls.
        horizon_h: end of the simulation.
    """

    def __init__(
        self,
        env: Clock,
        log: EventLog,
        name: str,
        kind: str,
        team: Team,
        spec: ServiceSpec,
        policy: Retraining,
        curve: QualityCurve,
        horizon_h: float,
    ) -> None:
        self.name = name
        self.kind = kind
        self.team = team
        self.spec = spec
        self.policy = policy
        self.stack = team.stack
        """The automation that its changes go through."""
        self.debt_h = 0.0
        self.upstream: list[Dependency] = []
        self.downstream: list[Dependency] = []
        self.vulnerable: list[Deployment] = []
        """Deployments with a defect of security that has not shown itself yet."""
        self.curve = curve
        self.draws: dict[object, DrawTable] = {}
        self.trains: dict[float, ReleaseTrain] = {}
        """Release trains by the time at which they leave."""
        self.retraining: Change | None = None
        self.retraining_wanted = False
        self.new_batches = 0
        self.open_incidents: list[Incident] = []
        self.live = Deployment(NO_ID, [], 0.0, 0.0, 0.0, NO_ID, None)
        self.on_drift: Callable[[Service], None] | None = None
        self.on_decay: Callable[[Service], None] | None = None
        self._made: dict[str, int] = {}
        self._taint_switched_at: list[float] = []
        self._env = env
        self._log = log
        self._horizon_h = horizon_h
        self._impairments = 0
        self._segment_from = 0.0
        self._watched = 0

    @property
    def golden_path(self) -> bool:
        """Whether it is built the standard way."""
        return self.stack.golden_path

    @property
    def has_contracts(self) -> bool:
        """Whether contract tests can be written: some service is known to use its output."""
        return any(not dependency.hidden for dependency in self.downstream)

    def number(self, lane: str) -> int:
        """Return the row of the next change or incident in ``lane``."""
        number = self._made.get(lane, 0)
        self._made[lane] = number + 1
        return number

    def go_live(self, deployment: Deployment) -> None:
        """Serve ``deployment`` from now on."""
        another_model = deployment.model_data_from != self.live.model_data_from
        if another_model:
            self._log_quality()
        self.live.retired_at = self._env.now
        self.live = deployment
        deployment.retired_at = nan
        if another_model:
            self.watch()

    def taint_data(self) -> None:
        """From now on a training uses data that nobody knows to be corrupted."""
        if not self.was_tainted(self._env.now):
            self._taint_switched_at.append(self._env.now)

    def clean_data(self) -> None:
        """Somebody knows of the corrupted data: from now on a training leaves them out."""
        if self.was_tainted(self._env.now):
            self._taint_switched_at.append(self._env.now)

    def was_tainted(self, at: float) -> bool:
        """Return whether data taken at ``at`` (not later than now) contain corrupted ones."""
        return bisect_right(self._taint_switched_at, at) % 2 == 1

    def meets_objective(self) -> bool:
        """Return whether the live model's quality, impairments aside, meets the objective."""
        quality = self.curve.at(self.live.model_data_from, self._env.now)
        return quality >= self.spec.quality.objective

    def impair(self, by: int) -> None:
        """Count a bad model or bad data being served (+1), or no longer being served (-1)."""
        self._log_quality()
        self._impairments += by

    def watch(self) -> None:
        """Foresee when the live model falls below the objective, and below the drift threshold."""
        self._watched += 1
        objective = self.spec.quality.objective
        self._foresee(objective, self._fell_below)
        if self.on_drift is not None:
            self._foresee(objective + self.policy.margin, self._drifted)

    def flush(self) -> None:
        """Log the course of quality up to the end of the simulation."""
        self._log_quality()

    def _foresee(self, level: float, then: Callable[[Event], None]) -> None:
        now = self._env.now
        crossing = self.curve.crossing(self.live.model_data_from, level, now, self._horizon_h)
        if crossing < inf:
            # Last, so that a model which is replaced at that very instant never served below it.
            event = self._env.at(crossing, self._watched, LAST)
            assert event.callbacks is not None
            event.callbacks.append(then)

    def _fell_below(self, event: Event) -> None:
        if event.value == self._watched and self.on_decay is not None:
            self.on_decay(self)

    def _drifted(self, event: Event) -> None:
        if event.value == self._watched and self.on_drift is not None:
            self.on_drift(self)

    def _log_quality(self) -> None:
        """Log the course of quality since the last change of what is served."""
        start, end = self._segment_from, self._env.now
        self._segment_from = end
        if end <= start:
            return
        data_from = self.live.model_data_from
        times = {start}
        while (at := snap(start + WEEK_H * len(times))) < end:
            times.add(at)
        for at, _ in self.curve.shocks.after(start):
            if at >= end:
                break
            times.add(at)
        lost = self._impairments * self.spec.quality.impairment
        objective = self.spec.quality.objective
        below_from = inf
        if objective > 0:  # quality cannot be below 0
            below_from = self.curve.crossing(data_from, objective + lost, start, end)
        if below_from < end:
            times.add(below_from)
        for at in sorted(times):
            quality = max(0.0, self.curve.at(data_from, at) - lost)
            self._log.quality.append(
                (self.name, at, quality, objective, data_from, at >= below_from)
            )
