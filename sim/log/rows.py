"""The rows of the event tables: each table is declared here, once.

A field's type says what its column holds. `float` is a time or an amount, `int` a number or an
identifier of the row itself, `bool` a flag; `str` is any text, a `Literal` one of those that it
names. A row must say all of these. What it may leave open has another type: :data:`RealOrNone`
(NaN), :data:`IdOrNone` (:data:`NO_ID`), :data:`TextOrNone` or a `Literal` that allows the empty
text.

Rows are constructed with the names of their fields, so that no two of them can be mixed up; the
three tables that hold nearly all rows take tuples, each of whose expressions is called like its
column.
"""

from typing import Annotated, Literal, NamedTuple

from sim.scenario.effects import EFFECTS
from sim.scenario.organization import ChangeKind, DefectKind, WorkClass

NO_ID = -1
"""The value of an ``id`` column in a row without an identifier."""

MAY_BE_MISSING = "may be missing"
RealOrNone = Annotated[float, MAY_BE_MISSING]
"""A time or an amount; NaN if there is none."""
IdOrNone = Annotated[int, MAY_BE_MISSING]
"""An identifier of a row in another table, or a number in a pool; NO_ID if there is none."""
TextOrNone = Annotated[str, MAY_BE_MISSING]
"""Any text; empty if there is none."""

ChangeTrigger = Literal[
    "backlog", "arrival", "schedule", "new_data", "drift", "always_on", "incident", "rollback"
]
ChangeStatus = Literal["exploring", "delivering", "deployed", "rolled_back", "abandoned"]
Mode = Literal["manual", "automated"]
StepEffect = Annotated[str, MAY_BE_MISSING, EFFECTS]
"""One of the effects that a step may have; empty if it has none."""
StepOutcome = Literal["passed", "caught", "failed", "unrepeatable", "abandoned"]
WorkOutcome = Literal["finished", "interrupted", "unfinished", "waiting"]
JobOutcome = Literal["finished", "failed", "preempted", "unfinished", "waiting"]
IncidentTrigger = Literal["deployment", "outage", "batch", "decay", "upstream", "attack"]
Detector = Literal["", "monitoring", "people", "verification"]
Remedy = Literal[
    "",
    "rollback",
    "failover",
    "repair",
    "fix",
    "retrain",
    "superseded",
    "upstream",
    "self_resolved",
]
Corruption = Literal["", "schema", "missing", "delayed"]


class ServiceRow(NamedTuple):
    """One row per service: what the other tables refer to."""

    service: str
    team: str
    golden_path: bool  # at the beginning
    quality_objective: float


class ChangeRow(NamedTuple):
    """One row per unit of delivery."""

    change_id: int
    service: str
    team: str
    kind: ChangeKind
    trigger: ChangeTrigger  # why it exists
    created_at: float
    started_at: RealOrNone
    committed_at: RealOrNone
    deployed_at: RealOrNone
    ended_at: RealOrNone  # when it stopped being work in progress: deployed or abandoned
    deployment_id: IdOrNone
    incident_id: IdOrNone
    origin_id: IdOrNone  # the rolled-back change that it redoes
    data_from: RealOrNone
    status: ChangeStatus
    idea_share: RealOrNone  # of an idea that is delivered in slices; otherwise 1


class StepRow(NamedTuple):
    """One row per finished execution of a pipeline step, as the change lives it.

    The hours from batch_h to run_h add up to finished_at - queued_at. The author's work is logged
    under `exploration`, `authoring`, `rework` and `reconstruction`. Changes that ship together have
    a row each, with the same `execution_id`.
    """

    change_id: int
    service: str
    step: str
    attempt: int
    mode: Mode
    role: TextOrNone
    queued_at: float
    started_at: float
    finished_at: float
    batch_h: RealOrNone  # waiting for more to be delivered together
    handoff_h: float  # until the next role takes notice, or somebody else takes it up
    window_h: float  # waiting for an approval board or a release window
    people_h: float  # waiting for people, nights, meetings and interruptions included
    effort_h: float  # focused hours of a person
    compute_h: float  # waiting for a slot on a machine, or for the repair of its automation
    run_h: float  # holding a slot, lost and repeated work included
    rework: bool  # something had already sent this change back
    outcome: StepOutcome
    effect: StepEffect  # what the step does besides passing the change on, if it succeeds
    execution_id: int


class WorkRow(NamedTuple):
    """One row per uninterrupted stint of a person on a task, and one per task still waiting.

    Waiting in the queue of the pool lasts from queued_at to started_at.
    """

    pool: str
    role: str
    team: TextOrNone  # none: a group that serves all teams
    person: IdOrNone
    activity: WorkClass  # the priority class
    change_id: IdOrNone
    incident_id: IdOrNone
    queued_at: float
    started_at: RealOrNone
    finished_at: RealOrNone
    effort_h: float
    outcome: WorkOutcome
    around_the_clock: bool  # by somebody on call: without regard to hours and meetings


class JobRow(NamedTuple):
    """The same for compute: one row per occupation of a slot."""

    pool: str
    resource: str
    team: TextOrNone
    slot: IdOrNone
    change_id: IdOrNone
    queued_at: float
    started_at: RealOrNone
    finished_at: RealOrNone
    outcome: JobOutcome


class CapacityRow(NamedTuple):
    """One row per pool and stretch of its working time.

    In a stretch the same people or slots could have worked all the time: it is a working day, or as
    long as a number of slots stayed the same. The stretches of a pool do not overlap.
    """

    pool: str
    resource: str  # a role, or a kind of compute
    team: TextOrNone
    people: bool
    opens_at: float
    closes_at: float
    available_h: float
    paid_h: float  # meetings included


class DeploymentRow(NamedTuple):
    """One row per deployment."""

    deployment_id: int
    service: str
    team: str
    kind: ChangeKind  # an idea, if it carries one; else a retraining, a fix or an improvement
    n_changes: int
    started_at: float
    deployed_at: float
    retired_at: RealOrNone  # the last time; after a rollback the one before is live again
    failed: bool  # it caused an incident (decay of its model not counted)
    unplanned: bool  # it remedies an incident or redoes a rolled-back change
    model_data_from: float


class IncidentRow(NamedTuple):
    """One row per incident."""

    incident_id: int
    service: str
    team: str
    cause: DefectKind
    trigger: IncidentTrigger
    deployment_id: IdOrNone
    started_at: RealOrNone  # always known of a simulated one; of a real one, perhaps only its end
    detected_at: RealOrNone
    responded_at: RealOrNone
    diagnosed_at: RealOrNone
    restored_at: RealOrNone
    detected_by: Detector
    remedy: Remedy


class BatchRow(NamedTuple):
    """One row per batch of data."""

    batch_id: int
    service: str
    arrived_at: float
    usable_at: RealOrNone
    corrupted: bool
    corruption: Corruption
    caught: bool


class QualityRow(NamedTuple):
    """The trajectory of each service's quality.

    There is a row wherever it bends or jumps, and at least one a week; `below` holds from its row
    to the next.
    """

    service: str
    at: float
    quality: float
    slo: float
    model_data_from: float
    below: bool


class DebtRow(NamedTuple):
    """The stock of technical debt of each service, in hours of clean-up work.

    There is a row wherever it changes, which holds to the next. A service without a row has none.
    """

    service: str
    at: float
    debt_h: float


class PriceRow(NamedTuple):
    """The price of an item from a time on.

    Items: `person/<role>`, `compute/<resource>`, `downtime` and `degraded` per hour, `tools` per
    week, `feature` (its worth) apiece.
    """

    item: str
    since: float
    price: float


class InvestmentRow(NamedTuple):
    """One row per practice that people began to introduce during the run."""

    practice: str
    level: str
    started_at: float
    adopted_at: RealOrNone
    learned_at: RealOrNone
