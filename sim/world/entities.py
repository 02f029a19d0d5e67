"""The entities of an organization: plain data, on which mechanisms act.

They refer to each other, so they live together: a change is of a service, a deployment carries
changes, a service has a deployment that is live.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Collection
from dataclasses import dataclass, field
from math import inf, nan

import simpy
from simpy.events import Event

from sim.hours import HOURS_PER_WEEK
from sim.kernel import DrawTable
from sim.log import NO_ID
from sim.log.rows import (
    BatchRow,
    ChangeRow,
    ChangeStatus,
    ChangeTrigger,
    Corruption,
    DeploymentRow,
    Detector,
    IncidentRow,
    IncidentTrigger,
    InvestmentRow,
    Remedy,
)
from sim.scenario.organization import (
    CHANGE_KINDS,
    ChangeKind,
    DefectKind,
    Investment,
    Retraining,
    ServiceSpec,
)

from .compute import ComputePool
from .decay import QualityCurve
from .people import PeoplePool, Task
from .randomness import Substream


@dataclass(slots=True, eq=False)
class Stack:
    """The automation of the pipeline that some services share.

    Attributes:
        team: the team that built it; None for the golden path.
        broken: steps whose automation does not work at the moment.
        repaired: happens when that of a step works again, if somebody waits for it.
    """

    team: Team | None = None
    broken: set[str] = field(default_factory=set)
    repaired: dict[str, Event] = field(default_factory=dict)

    @property
    def golden_path(self) -> bool:
        """Whether it is the golden path."""
        return self.team is None

    @property
    def name(self) -> str:
        """Name of its random streams."""
        return "golden_path" if self.team is None else f"{self.team.name}/stack"


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
    features: simpy.Resource | None
    stack: Stack = field(init=False)

    def __post_init__(self) -> None:
        """Give it a stack of its own."""
        self.stack = Stack(self)

    def has(self, role: str) -> bool:
        """Return whether people of this team, not of a group outside, play ``role``."""
        return role in self.people and self.people[role].team != ""

    def are_the_same(self, giver: str, taker: str) -> bool:
        """Return whether the people of one role play the other."""
        return giver in self.people and self.people[giver] is self.people.get(taker)

    def is_across(self, giver: str, taker: str) -> bool:
        """Return whether one of two roles, or both, are in groups outside this team."""
        return not (self.has(giver) and self.has(taker))


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


@dataclass(slots=True, eq=False)
class Experience:
    """What the people of a service have learnt about its deliveries, smoothed over the last ones.

    Attributes:
        early: money that a change takes by itself before it can be batched with others.
        late: money that the rest of the pipeline takes once for a batch.
        gap_h: time between two ideas that are finished, in h.
        idea_at: when the last one was; NaN before the first.
    """

    early: float
    late: float
    gap_h: float
    idea_at: float = nan


@dataclass(slots=True, eq=False)
class Service:
    """A model in production.

    Attributes:
        kind: name of its description in the scenario.
        place: it is on the golden path if the standardization is greater than this, unless its
            description says so or otherwise.
        stack: the automation that its changes go through.
        policy: when it is retrained.
        curve: how the quality of its models falls.
        live: the deployment that it serves.
        debt_h: its technical debt, in h of clean-up work.
        vulnerable: its defects of security that have not shown themselves yet.
        draws: draw tables of its changes and incidents, by what they decide about.
        calendars: its place among services at each window: it waits for those that a greater
            share waits for. By the name of the luck of the step.
        trains: release trains by the time at which they leave.
        batch: what waits to be delivered together; None if nothing does.
        batch_left_at: when the last batch went on its way.
        experience: what its people know of the cost of deliveries; None before they need it.
        retraining: the one under way.
        new_batches: usable batches since the last retraining was started.
        impairments: bad models and bad data that are being served.
        foreseen: how often the crossings of its quality were foreseen; the last time counts.
        logged_until: up to here the course of its quality is logged, in h.
    """

    name: str
    kind: str
    team: Team
    spec: ServiceSpec
    policy: Retraining
    curve: QualityCurve
    place: float
    stack: Stack
    live: Deployment = field(
        default_factory=lambda: Deployment(NO_ID, [], 0.0, 0.0, 0.0, NO_ID, None)
    )
    debt_h: float = 0.0
    upstream: list[Dependency] = field(default_factory=list)
    downstream: list[Dependency] = field(default_factory=list)
    open_incidents: list[Incident] = field(default_factory=list)
    vulnerable: list[LatentDefect] = field(default_factory=list)
    draws: dict[object, DrawTable] = field(default_factory=dict)
    calendars: dict[str, float] = field(default_factory=dict)
    trains: dict[float, ReleaseTrain] = field(default_factory=dict)
    batch: DeliveryBatch | None = None
    batch_left_at: float = -inf
    experience: Experience | None = None
    retraining: Change | None = None
    new_batches: int = 0
    impairments: int = 0
    foreseen: int = 0
    logged_until: float = 0.0
    _made: dict[str, int] = field(default_factory=dict)
    _taint_switched_at: list[float] = field(default_factory=list)

    @property
    def golden_path(self) -> bool:
        """Whether it is built the standard way."""
        return self.stack.golden_path

    @property
    def has_contracts(self) -> bool:
        """Whether contract tests can be written: some service is known to use its output."""
        return any(not dependency.hidden for dependency in self.downstream)

    def next_substream(self, lane: str) -> Substream:
        """Return what names the luck of the next change or incident in ``lane``."""
        number = self._made.get(lane, 0)
        self._made[lane] = number + 1
        return Substream(lane, number)

    def meets_objective(self, now: float) -> bool:
        """Return whether the live model's quality, impairments aside, meets the objective."""
        objective = self.spec.quality.objective
        return not self.curve.is_below(self.live.model_data_from, objective, now)

    def taint_data(self, now: float) -> None:
        """From now on a training uses data that nobody knows to be corrupted."""
        if not self.was_tainted(now):
            self._taint_switched_at.append(now)

    def clean_data(self, now: float) -> None:
        """Somebody knows of the corrupted data: from now on a training leaves them out."""
        if self.was_tainted(now):
            self._taint_switched_at.append(now)

    def was_tainted(self, at: float) -> bool:
        """Return whether data taken at ``at`` (not later than now) contain corrupted ones."""
        return bisect_right(self._taint_switched_at, at) % 2 == 1


@dataclass(slots=True, eq=False)
class Change:
    """A unit of delivery.

    Attributes:
        substream: what names its luck, in the draw tables of its service. Its lane is its kind, or
            its kind and why it is made again.
        defects: kinds of defect that are in it.
        attempt: its pass through the pipeline, from 1.
        reached: how many steps of the pipeline it has got through, in whatever pass.
        visits: how often it has come to a step, by its position, if more than once.
        last_role: the role that had it in hand last.
        brings_model: whether a new model was trained for it.
        trained: whether somebody has tried to train one.
        reconstructed: whether somebody has found out how to repeat its training.
        effort_h: hours of its author up to the commit, if nothing slows them down; when it is made
            again, those of the first time.
        debt_h: technical debt that it leaves behind as long as it is in production.
        paid_h: technical debt that it has paid back, likewise.
        authoring: its author's work, while that is not done.
        idea_share: how much of an idea it is.
        companions: changes that go through the rest of the pipeline with it, as one batch.
        is_late: whether it has come to the steps that are done once for a batch.
        waiting_since: since when it has waited for a batch; NaN if it does not, or it is logged.
        spent_early: money for what each change goes through by itself, up to the batch.
        spent_late: money for what is done once for a batch.
    """

    change_id: int
    service: Service
    kind: ChangeKind
    substream: Substream
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
    idea_share: float = 1.0
    companions: list[Change] = field(default_factory=list)
    is_late: bool = False
    waiting_since: float = nan
    spent_early: float = 0.0
    spent_late: float = 0.0
    visits: dict[int, int] = field(default_factory=dict)
    _end: Event | None = None

    @property
    def unplanned(self) -> bool:
        """Whether it remedies an incident or redoes a rolled-back change."""
        return self.trigger in ("incident", "rollback")

    @property
    def party(self) -> list[Change]:
        """The change and its companions."""
        return [self, *self.companions]

    @property
    def made_again(self) -> bool:
        """Whether it redoes a rolled-back change."""
        return self.origin_id != NO_ID

    def count_visit(self, position: int) -> int:
        """Count that it comes to the step at ``position``, and return how often it has by now."""
        if position >= self.reached:
            return 1
        visits = self.visits[position] = self.visits.get(position, 1) + 1
        return visits

    def end(self, env: simpy.Environment) -> Event:
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
            idea_share=self.idea_share,
        )


@dataclass(slots=True, eq=False)
class Deployment:
    """One release of a service into production: one or many changes that go there together.

    Attributes:
        changes: what it carries; the first is its lead.
        model_from: the deployment that brought the model it serves.
        predecessor: what was live before, which a rollback restores.
        remedies: whether going back behind it would bring back a defect that it put right.
        latent: the defects that reached production with it.
        incidents: those that its defects have caused.
        rollback_luck: whether the version before it can be restored: its first incident's luck.
    """

    deployment_id: int
    changes: list[Change]
    started_at: float
    deployed_at: float
    model_data_from: float
    model_from: int
    predecessor: Deployment | None
    remedies: bool = False
    latent: list[LatentDefect] = field(default_factory=list)
    incidents: list[Incident] = field(default_factory=list)
    rollback_luck: float = nan
    retired_at: float = nan
    failed: bool = False

    @property
    def lead(self) -> Change:
        """The change that was there first; it sees to the deployment."""
        return self.changes[0]

    @property
    def size(self) -> float:
        """How much it carries, in ideas; a change that is no idea counts as one."""
        return sum(change.idea_share for change in self.changes)

    @property
    def kind(self) -> ChangeKind:
        """The kind of change that it is for: an idea, if it carries one, whatever goes along."""
        carried = {change.kind for change in self.changes}
        return next(kind for kind in CHANGE_KINDS if kind in carried)

    @property
    def brings_model(self) -> bool:
        """Whether it carries a newly trained model."""
        return self.model_from == self.deployment_id

    @property
    def defects(self) -> frozenset[DefectKind]:
        """Kinds of defect that its changes brought."""
        return frozenset().union(*(change.defects for change in self.changes))

    def raise_alarm(self, found: Collection[DefectKind]) -> None:
        """Verification found defects, or just failed (``found`` is empty)."""
        for defect in self.latent:
            if defect.kind in found and defect.is_there:
                defect.expose(verified=True)

    def row(self) -> DeploymentRow:
        """Return its row of the event table."""
        lead = self.lead
        return DeploymentRow(
            deployment_id=self.deployment_id,
            service=lead.service.name,
            team=lead.service.team.name,
            kind=self.kind,
            n_changes=len(self.changes),
            started_at=self.started_at,
            deployed_at=self.deployed_at,
            retired_at=self.retired_at,
            failed=self.failed,
            unplanned=any(change.unplanned for change in self.changes),
            model_data_from=self.model_data_from,
        )


@dataclass(slots=True, eq=False)
class LatentDefect:
    """A defect that reached production, until it shows itself, is found, or is gone.

    Attributes:
        change: what brought it.
        alarm: happens when it is found before it shows by itself, with whether verification found
            it (or else an attack).
        shown: whether it has degraded service.
    """

    deployment: Deployment
    change: Change
    kind: DefectKind
    alarm: Event
    shown: bool = False

    @property
    def is_there(self) -> bool:
        """Whether it is still in the service.

        A rollback takes it out. Otherwise defects of code, infrastructure and security stay,
        whatever is deployed on top of them. A bad model, or one trained on bad data, is gone when
        another one has gone live.
        """
        if self.change.status == "rolled_back":
            return False
        live = self.change.service.live
        of_model = self.kind in ("data", "model")
        return not of_model or live.model_from == self.deployment.model_from

    def expose(self, verified: bool) -> None:
        """Let somebody find it now: verification, or else an attacker."""
        if not self.alarm.triggered:
            self.alarm.succeed(verified)


@dataclass(slots=True, eq=False)
class ReleaseTrain:
    """Changes of one service that wait for the same release window and ship together.

    Attributes:
        arrived: happens when the deployment step is done, with its execution.
    """

    arrived: Event
    changes: list[Change]


@dataclass(slots=True, eq=False)
class DeliveryBatch:
    """Changes of one service that wait for each other, to be delivered together.

    Attributes:
        size: how much they are, in ideas of the mean size.
        starts_at: the first place in the pipeline where one of them needs a step.
        full: happens when it is as much as pays.
        left: happens when it goes on its way, with the first of them in the lead.
    """

    changes: list[Change]
    size: float
    starts_at: int
    full: Event
    left: Event


@dataclass(slots=True, eq=False)
class Incident:
    """A degradation of one service.

    Attributes:
        source: the service where the remedy has to be applied.
        origin: the incident that it ends with; None if it has to be remedied itself.
        hidden: it came along a dependency that nobody knew of.
        closed: happens when service is restored.
        defect: what a deployment brought that causes it; None if something else does.
        substream: what names its luck: that of the change, the outage and so on that it follows.
        consequences: the incidents that end with this one.
        remedies: how many changes were begun to remedy it.
        responders: whose people diagnose it, and repair or roll back.
        taints: what the service answers meanwhile has got into the data it is trained on.
        difficulty: how many times as long as usual its diagnosis and its remedy take.
    """

    incident_id: int
    service: Service
    cause: DefectKind
    trigger: IncidentTrigger
    deployment: Deployment | None
    started_at: float
    source: Service
    origin: Incident | None
    hidden: bool
    closed: Event
    substream: Substream
    defect: LatentDefect | None = None
    consequences: list[Incident] = field(default_factory=list)
    remedies: int = 0
    detected_at: float = nan
    responded_at: float = nan
    diagnosed_at: float = nan
    restored_at: float = nan
    detected_by: Detector = ""
    remedy: Remedy = ""
    task: Task | None = None
    responders: PeoplePool | None = None
    taints: bool = False
    difficulty: float = 1.0

    @property
    def is_closed(self) -> bool:
        """Whether service is restored."""
        return self.remedy != ""

    @property
    def comes_with_the_model(self) -> bool:
        """Whether it is gone as soon as another model goes live."""
        return self.trigger == "deployment" and self.cause in ("data", "model")

    @property
    def is_about_the_model(self) -> bool:
        """Whether a bad or decayed model is what degrades service."""
        return self.trigger == "decay" or self.comes_with_the_model

    @property
    def impairs(self) -> bool:
        """Whether the quality that is served is lower than that of the model would be."""
        return self.trigger == "batch" or self.comes_with_the_model

    def next_remedy(self, lane: str) -> Substream:
        """Return what names the luck of the next change that is to remedy it."""
        self.remedies += 1
        return Substream(lane, self.substream.following(self.remedies))

    def row(self) -> IncidentRow:
        """Return its row of the event table."""
        return IncidentRow(
            incident_id=self.incident_id,
            service=self.service.name,
            team=self.service.team.name,
            cause=self.cause,
            trigger=self.trigger,
            deployment_id=NO_ID if self.deployment is None else self.deployment.deployment_id,
            started_at=self.started_at,
            detected_at=self.detected_at,
            responded_at=self.responded_at,
            diagnosed_at=self.diagnosed_at,
            restored_at=self.restored_at,
            detected_by=self.detected_by,
            remedy=self.remedy,
        )


@dataclass(slots=True, eq=False)
class Batch:
    """A batch of data.

    Attributes:
        corruption: how it is corrupted; empty if it is not.
        caught: whether validation at ingestion caught the corruption.
    """

    batch_id: int
    service: Service
    arrived_at: float
    corruption: Corruption
    caught: bool
    usable_at: float = nan

    def row(self) -> BatchRow:
        """Return its row of the event table."""
        return BatchRow(
            batch_id=self.batch_id,
            service=self.service.name,
            arrived_at=self.arrived_at,
            usable_at=self.usable_at,
            corrupted=self.corruption != "",
            corruption=self.corruption,
            caught=self.caught,
        )


@dataclass(slots=True, eq=False)
class Introduction:
    """How far an item of the roadmap has got."""

    item: Investment
    started_at: float
    adopted_at: float = nan
    learned_at: float = nan

    def slowdown(self, now: float) -> float:
        """Return how much longer work takes because people are still learning, as a share."""
        left_h = self.learned_at - now
        if left_h > 0:
            learning_h = self.item.learning_weeks * HOURS_PER_WEEK
            return self.item.learning_slowdown * left_h / learning_h
        return 0.0

    def row(self) -> InvestmentRow:
        """Return its row of the event table."""
        return InvestmentRow(
            practice=self.item.practice,
            level=self.item.level,
            started_at=self.started_at,
            adopted_at=self.adopted_at,
            learned_at=self.learned_at,
        )
