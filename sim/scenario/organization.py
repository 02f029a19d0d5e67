"""A scenario: an organization that delivers ML systems, and how long to look at it.

Every number carries its unit in its name or its description. Defaults given here are neutral (no
decay, no defects, no failures), so that a scenario says all that happens in it; the calibrated
organization is ``scenarios/default.yaml``.
"""

from typing import Annotated, Any, Literal, Self, get_args

from pydantic import BeforeValidator, Field, model_validator

from .distributions import Distribution, without_replaced
from .effects import EffectName
from .settings import AdaptiveSpec, MetricName, Precision, SelectionSpec
from .spec import (
    GREATEST,
    LARGEST_COUNT,
    SHORTEST,
    Count,
    Headcount,
    Name,
    Number,
    Price,
    Share,
    Spec,
    Text,
    duration,
    quantity,
    share,
)

DefectKind = Literal["infra", "data", "model", "code", "security", "dependency"]
ChangeKind = Literal["feature", "retrain", "fix", "improvement"]
WorkClass = Literal[
    "incident",
    "remediation",
    "retraining",
    "toil",
    "investment",
    "feature",
    "exploration",
    "improvement",
]
Stage = Literal[
    "ingest",
    "validate_data",
    "build_features",
    "unit_test",
    "train",
    "evaluate",
    "review",
    "package",
    "integration_test",
    "security_review",
    "approve",
    "deploy",
    "verify",
]
Day = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]

DEFECT_KINDS: tuple[DefectKind, ...] = get_args(DefectKind)
CHANGE_KINDS: tuple[ChangeKind, ...] = get_args(ChangeKind)
STAGES: frozenset[str] = frozenset(get_args(Stage))
"""The stages of a pipeline that practices speak of."""
STAGES_OF_A_CHANGE: frozenset[str] = frozenset(
    ["ingest", "validate_data", "build_features", "unit_test", "train", "evaluate", "review"]
)
"""Those that make or look at a single change; the others are about what is delivered."""
WORK_CLASSES: tuple[WorkClass, ...] = get_args(WorkClass)
"""Priority classes of work, most urgent first."""
DAYS: tuple[Day, ...] = get_args(Day)


_SHORTEST_DAY_H = 0.01
_FASTEST_LOSS = 1000
"""Of quality, which is at most 1, per week: all of it in ten minutes."""
_MOST_SLOTS = 100_000
_MOST_TIMES = 1000
"""Of a factor on the duration of work."""


class ByMode(Spec):
    """A probability for each way of executing a step."""

    manual: Share = share(0.0, "When people execute the step.")
    automated: Share = share(0.0, "When a machine executes the step.")


class ByPath(Spec):
    """A probability for services on the golden path and off it."""

    bespoke: Share = share(0.0, "Of a service off the golden path.")
    golden_path: Share = share(0.0, "Of a service on the golden path.")


class WorkingHours(Spec):
    """When a role works, and which share of that time is left for focused work."""

    always: bool = quantity(False, "yes/no", "Works around the clock (for theory checks).")
    days: tuple[Day, ...] = quantity(
        ("mon", "tue", "wed", "thu", "fri"), "days", "Working days.", min_length=1
    )
    opens: Number = quantity(9.0, "hour of the day", "Start of the working day.", ge=0, lt=24)
    closes: Number = quantity(17.0, "hour of the day", "End of the working day.", gt=0, le=24)
    focus: Number = share(1.0, "Share of working time left by meetings and chores.", ge=0.01)

    @model_validator(mode="after")
    def _opens_before_it_closes(self) -> Self:
        if self.opens >= self.closes:
            raise ValueError("needs opens < closes")
        if self.closes - self.opens < _SHORTEST_DAY_H:
            raise ValueError(f"opens and closes need {_SHORTEST_DAY_H:g} h between them")
        return self


class TeamSpec(Spec):
    """A team, or several alike."""

    count: Count = quantity(1, "teams", "How many teams are like this one.", ge=1, le=1000)
    people: dict[Name, Headcount] = quantity(
        ..., "persons by role", "Headcount of each role in one such team."
    )
    plays: dict[Name, Name] = quantity(
        {},
        "role by role",
        "Roles that people of another role play in this team: {operations: ml_engineer}, also if "
        "there is a shared group. Between roles of the same people there is no handoff.",
    )
    wip_limit: Count | None = quantity(
        None,
        "changes",
        "Most features in progress at once, exploration included; null is no limit.",
        ge=1,
        le=LARGEST_COUNT,
    )


def _difference(description: str) -> Any:
    return quantity(0.0, "-", description, ge=0, le=3)


class TeamsDiffer(Spec):
    """How far the times of teams lie apart: standard deviation of the natural logarithm.

    What the people of a team do takes the time that the scenario says, times a lognormal factor of
    the team's own, with a mean of 1 over many teams. Groups that serve all teams do not differ.
    """

    effort: Number = _difference("Of the effort for changes, but for reviews.")
    pickup: Number = _difference("Of the delay of handoffs to a team, and of `pickup_h`.")
    review: Number = _difference("Of the effort for steps of the stage `review`.")


class ComputePoolSpec(Spec):
    """Slots that run jobs: GPU slots, CI runners."""

    shared: bool = quantity(
        True,
        "yes/no",
        "One pool for all teams. Otherwise each team has its own, and only jobs of services on the "
        "golden path may also run on the slots of other teams.",
    )
    slots: Count = quantity(
        1,
        "slots",
        "Slots of the shared pool, or of each team; the minimum if it scales.",
        ge=0,
        le=_MOST_SLOTS,
    )
    max_slots: Count | None = quantity(
        None,
        "slots",
        "Most slots if autoscaled, likewise; null keeps the number fixed.",
        ge=1,
        le=_MOST_SLOTS,
    )
    provisioning_h: Distribution = quantity(0, "h", "Delay until an added slot is ready.")
    release_after_h: Number = duration(
        1.0, "h", "Idle time after which a slot above the minimum is given back."
    )
    failures_per_h: Number = quantity(
        0.0, "1/h", "Rate at which a running job dies of its machine.", ge=0, le=10
    )
    preemptions_per_h: Number = quantity(
        0.0, "1/h", "Rate at which a running job loses its (spot) slot.", ge=0, le=10
    )
    checkpoint_every_h: Number | None = duration(
        None, "h", "Running time between checkpoints; null restarts from scratch.", ge=SHORTEST
    )

    @model_validator(mode="after")
    def _can_run_a_job(self) -> Self:
        if self.max_slots is None and self.slots == 0:
            raise ValueError("needs slots >= 1, or max_slots")
        if self.max_slots is not None and self.max_slots < self.slots:
            raise ValueError("needs slots <= max_slots")
        return self


class LinearDecay(Spec):
    """Quality falls by the same amount every week."""

    shape: Literal["linear"] = Field(description="Which shape.")
    loss_per_week: Number = quantity(..., "quality/week", "Fall per week.", ge=0, le=_FASTEST_LOSS)


class ExponentialDecay(Spec):
    """Quality halves again and again."""

    shape: Literal["exponential"] = Field(description="Which shape.")
    half_life_weeks: Number = duration(
        ..., "weeks", "Time until half the quality is left.", ge=SHORTEST
    )


class PlateauDecay(Spec):
    """Nothing happens for a while, then quality collapses (Vela et al. 2022)."""

    shape: Literal["plateau"] = Field(description="Which shape.")
    plateau_weeks: Number = duration(..., "weeks", "Time without decay.")
    loss_per_week: Number = quantity(
        ..., "quality/week", "Fall per week afterwards.", ge=1e-9, le=_FASTEST_LOSS
    )


class LogisticDecay(Spec):
    """The world moves from one regime to another and takes some of the quality with it."""

    shape: Literal["logistic"] = Field(description="Which shape.")
    midpoint_weeks: Number = duration(
        ..., "weeks", "Age at which half the loss has happened.", ge=SHORTEST
    )
    scale_weeks: Number = duration(..., "weeks", "How gradual the move is.", ge=SHORTEST)
    loss: Number = quantity(..., "quality", "Loss in the end.", ge=1e-9, le=1)


SHAPES: dict[str, type[Spec]] = {
    "linear": LinearDecay,
    "exponential": ExponentialDecay,
    "plateau": PlateauDecay,
    "logistic": LogisticDecay,
}

Decay = Annotated[
    LinearDecay | ExponentialDecay | PlateauDecay | LogisticDecay,
    Field(discriminator="shape"),
    BeforeValidator(lambda value: without_replaced(value, "shape", SHAPES)),
]
"""Any of the shapes above."""


class DriftShocks(Spec):
    """Sudden drift: the world jumps, and every model trained before loses quality at once."""

    interarrival_h: Distribution = quantity(..., "h", "Time between shocks of one service.")
    loss: Distribution = quantity(..., "quality", "Quality lost in a shock.")


class Quality(Spec):
    """The quality of a service's model as its training data gets older."""

    initial: Number = quantity(1.0, "quality", "Of a model trained on today's data.", ge=1e-9, le=1)
    objective: Number = quantity(
        0.0, "quality", "Service-level objective; below it is an incident.", ge=0, le=1
    )
    decay: Decay | None = quantity(None, "-", "Shape of the decay; null is none.")
    speed: Number = quantity(
        1.0, "factor", "How fast age counts in the decay.", ge=0, le=_MOST_TIMES
    )
    shocks: DriftShocks | None = quantity(None, "-", "Drift shocks; null is none.")
    impairment: Number = quantity(
        0.2, "quality", "Lost while a bad model or bad data is being served.", ge=0, le=1
    )
    feedback: Share = share(
        0.0,
        "Probability that the answers of a bad or decayed model get into the data that it is "
        "trained on next, until somebody has diagnosed it (feedback loop).",
    )

    @model_validator(mode="after")
    def _starts_above_the_objective(self) -> Self:
        if self.objective >= self.initial:
            raise ValueError("needs objective < initial")
        return self


def _weight(description: str, **alias: str) -> Any:
    return quantity(1.0, "weight", description, ge=0, le=GREATEST, **alias)


class CorruptionKinds(Spec):
    """How corrupted batches are corrupted: relative weights."""

    schema_: Number = _weight("Breaks predictions as soon as it is served.", alias="schema")
    missing: Number = _weight("Goes unseen and taints the next training.")
    delayed: Number = _weight("Only arrives late.")

    @model_validator(mode="after")
    def _some_weight(self) -> Self:
        if self.schema_ + self.missing + self.delayed <= 0:
            raise ValueError("needs at least one weight above 0")
        return self


class DataFeed(Spec):
    """Batches of data that arrive for a service."""

    interarrival_h: Distribution = quantity(..., "h", "Time between batches.")
    corrupted: Share = share(0.0, "Share of batches that are corrupted.")
    corruption: CorruptionKinds = Field(
        CorruptionKinds(), description="How corrupted batches are corrupted."
    )
    caught: Share | None = share(
        None,
        "Share of corrupted batches that validation at ingestion catches; null: as "
        "`data_validation` of the scenario.",
    )
    delay_h: Distribution = quantity(0, "h", "How late a delayed batch is.")
    repair_h: Distribution = quantity(0, "h of effort", "To repair a caught batch.")
    repair_role: Name = Field("data_engineer", description="Who repairs a caught batch.")
    taints: Share = share(
        1.0, "Probability that a model trained on an uncaught `missing` batch has a data defect."
    )


class Retraining(Spec):
    """The triggers of retraining; a service has one retraining at a time."""

    trigger: Literal["none", "schedule", "new_data", "drift", "always_on"] = Field(
        "none", description="What starts a retraining."
    )
    every_h: Number = duration(168.0, "h", "Period of the schedule.", ge=SHORTEST)
    batches: Count = quantity(
        1, "batches", "New batches that start a retraining.", ge=1, le=LARGEST_COUNT
    )
    margin: Number = quantity(
        0.0, "quality", "Drift counts from this far above the objective.", ge=0, le=1
    )


class ServiceSpec(Spec):
    """A model in production, or several alike."""

    team: Name = Field(description="The team (or kind of team) that owns it.")
    count: Count = quantity(
        1, "services", "How many such services each such team owns.", ge=1, le=1000
    )
    golden_path: bool | None = quantity(
        None, "yes/no", "On the golden path; null lets `standardization` decide."
    )
    upstream: tuple[str, ...] = quantity(
        (),
        "services",
        "Kinds of service whose output it uses. Of several alike, the first uses the first, the "
        "second the second, and so on around.",
    )
    hidden_upstream: tuple[str, ...] = quantity(
        (), "services", "The same, without anybody having written it down."
    )
    quality: Quality = Field(Quality(), description="Quality of its model, and how it decays.")
    data: DataFeed | None = Field(None, description="Its data feed; null is none.")
    retraining: Retraining | None = Field(
        None, description="When it gets a new model; null: as `retraining` of the scenario."
    )
    released_by_calendar: bool | None = quantity(
        None,
        "yes/no",
        "Its changes wait for boards and release windows; null lets `waits` of each window decide.",
    )
    time_to_outage_h: Distribution | None = quantity(
        None, "h", "Time from being up to the next infrastructure outage; null is never."
    )


class _Change(Spec):
    author: Name = Field(description="The role that makes it, and reworks it when it fails.")
    defects: dict[DefectKind, Share] = quantity(
        {}, "share 0..1", "Probability that the author leaves a defect of that kind in it."
    )
    rework_h: Distribution = quantity(
        0, "h of effort", "Of the author, each time a step sends the change back."
    )


class Feature(_Change):
    """A new idea: explored by the author, perhaps abandoned, otherwise committed."""

    author: Name = Field("data_scientist", description="The role that explores and makes it.")
    arrivals: Literal["closed", "open"] = Field(
        "closed",
        description="closed: the backlog is never empty, and each author explores one idea after "
        "another; open: ideas arrive.",
    )
    interarrival_h: Distribution | None = quantity(
        None, "h", "Time between ideas for one service (open arrivals)."
    )
    exploration_h: Distribution = quantity(0, "h of effort", "From idea to commit.")
    abandoned: Share = share(0.0, "Share of explorations that lead nowhere.")

    @model_validator(mode="after")
    def _arrivals_are_complete(self) -> Self:
        if self.arrivals == "open" and self.interarrival_h is None:
            raise ValueError("open arrivals need interarrival_h")
        if self.arrivals == "closed" and self.exploration_h.expectation <= 0:
            raise ValueError("a closed backlog needs exploration_h > 0")
        return self


class Retrain(_Change):
    """A new model from the same code and newer data; its commit is its trigger."""

    author: Name = Field("data_scientist", description="The role that looks after a failed one.")


class Fix(_Change):
    """The remediation of an incident that cannot be rolled back."""

    author: Name = Field("ml_engineer", description="The role that writes it.")
    effort_h: Distribution = quantity(0, "h of effort", "From diagnosis to commit.")


class Improvement(_Change):
    """Planned upkeep of a service; less urgent than everything else."""

    author: Name = Field("ml_engineer", description="The role that makes it.")
    interarrival_h: Distribution | None = quantity(
        None, "h", "Time between improvements of one service; null is never."
    )
    effort_h: Distribution = quantity(0, "h of effort", "From start to commit.")


class Changes(Spec):
    """The four kinds of change."""

    batch_size: Literal["idea", "economic"] = Field(
        "idea",
        description="How much is delivered at once. idea: an idea is a change and is delivered by "
        "itself; economic: in slices or together, whichever costs least in deliveries and in "
        "worth that waits (economic lot size, Harris 1913).",
    )
    feature: Feature | None = Field(None, description="New features; null is none.")
    retrain: Retrain = Field(
        Retrain(), description="New models; `retraining` of a service starts them."
    )
    fix: Fix = Field(Fix(), description="Fixes; incidents start them.")
    improvement: Improvement = Field(Improvement(), description="Planned upkeep.")


class Window(Spec):
    """Fixed times at which a board meets or a release goes out; what waits goes together."""

    every_weeks: Count = quantity(1, "weeks", "Period.", ge=1, le=52)
    days: tuple[Day, ...] = quantity(("wed",), "days", "Days on which it opens.", min_length=1)
    hour: Number = quantity(10.0, "hour of the day", "When it opens.", ge=0, lt=24)
    waits: ByMode = Field(
        ByMode(manual=1.0, automated=1.0),
        description="Share of services whose changes wait for it, where the step is executed by "
        "people or by a machine; remediation never waits. Which services these are stays the same: "
        "the more is automated, the more of them leave it.",
    )


class Step(Spec):
    """One step of the pipeline."""

    stage: Literal[Stage, "none"] | None = Field(
        None,
        description="Which stage of a pipeline it is, for practices to know what to change in it; "
        "null: its name, if that is the name of a stage.",
    )
    role: Name | None = Field(None, description="Who executes it by hand; null: only machines.")
    golden_path_role: Name | None = Field(
        None,
        description="The same for services on the golden path, a platform group perhaps; null: "
        "`role`.",
    )
    self_service: Share = share(
        0.0,
        "For services on the golden path: share of the handoffs to a group outside the team that "
        "are done without, as those who have the change in hand execute the step themselves.",
    )
    standard_changes: dict[ChangeKind, Share] = quantity(
        {},
        "share 0..1 by kind",
        "For services on the golden path: share of changes that were approved once and for all, "
        "and skip the step.",
    )
    automation: Share | None = share(
        None, "Share of executions that need no human; null: as `automation` of the scenario."
    )
    also_automated: Share = share(
        0.0,
        "Share of the executions left to people by `automation` that a practice takes over: by "
        "hand are (1 - automation) * (1 - also_automated).",
    )
    pickup_h: Distribution = quantity(
        0,
        "h",
        "Until somebody else than the author takes it up, when executed by hand; a handoff goes on "
        "meanwhile, and remediation is taken up at once. An author who is the only one in the role "
        "does it alone and finds nothing. 0: it need not be somebody else.",
    )
    effort_h: Distribution = quantity(0, "h of effort", "Of a person, when executed by hand.")
    run_h: Distribution = quantity(0, "h", "Running time of the machine.")
    run_by_hand: bool = quantity(
        True, "yes/no", "The machine also runs when the step is executed by hand."
    )
    compute: Name | None = Field(None, description="Compute pool of the run; null: no queue.")
    effect: EffectName | None = Field(
        None, description="What it does besides passing the change on."
    )
    skipped_by: tuple[ChangeKind, ...] = Field((), description="Kinds of change that skip it.")
    adds: dict[DefectKind, ByMode] = quantity(
        {}, "share 0..1", "Probability that executing it adds a defect (slips, misconfiguration)."
    )
    detects: dict[DefectKind, ByMode] = quantity(
        {}, "share 0..1", "Probability that it finds a defect that is there."
    )
    fails: Number = share(0.0, "Share of executions that end without success and go back.", le=0.95)
    flaky: Number = share(0.0, "Share of runs that fail for no reason and are repeated.", le=0.95)
    returns_to: Name | None = Field(
        None, description="Step that a failed change goes back to; null: the first."
    )
    window: Window | None = Field(None, description="Board or release window it waits for.")


class Handoff(Spec):
    """The handoff between two manual steps of different roles."""

    delay_h: Distribution = quantity(0, "h", "Until the next role takes notice.")
    misunderstood: Share = share(
        0.0,
        "Probability that the work is misunderstood. In a step that builds something that adds a "
        "defect, the one that people are likeliest to add there; elsewhere somebody asks back, and "
        "the delay counts twice.",
    )


class Pipeline(Spec):
    """How a commit gets into production: steps in the order of the file."""

    steps: dict[Name, Step] = Field(description="The steps, in order.", min_length=1)
    handoff_in_team: Handoff = Field(Handoff(), description="Between two roles of one team.")
    handoff_across: Handoff = Field(Handoff(), description="To or from a group outside the team.")
    environment_drift: Share = share(
        0.0,
        "Probability that a service off the golden path meets an environment at deployment that "
        "differs from the tested one, which adds an infra defect.",
    )
    unrepeatable: ByPath = Field(
        ByPath(),
        description="Probability that a training cannot be repeated: when a model is trained "
        "again, with newer data or after something sent the change back, code, data and "
        "configuration do not fit together any more. The training fails.",
    )
    reconstruction_h: Distribution = quantity(
        0, "h of effort", "Of the author, to find out why a training could not be repeated."
    )
    max_attempts: Count = quantity(
        10, "attempts", "Passes through the pipeline before a change is given up.", ge=1, le=1000
    )

    def stage_of(self, name: str) -> str:
        """Return the stage that a step is, by name of the step; empty if it is none."""
        stage = self.steps[name].stage or name
        return stage if stage in STAGES else ""

    def late_from(self) -> int:
        """Return the position of the first step that is done once for a whole delivery.

        It follows the last one that makes or looks at a single change, and is the deployment at the
        latest.
        """
        late_from = 0
        for position, (name, step) in enumerate(self.steps.items()):
            if step.effect == "deploys":
                return min(late_from, position)
            alone = self.stage_of(name) in STAGES_OF_A_CHANGE
            if alone or step.effect in ("takes_data", "trains_model"):
                late_from = position + 1
        return late_from

    def lanes(self) -> dict[str, str]:
        """Return the name of the luck of each step, by name of the step.

        It is that of the stage, so that a step may be renamed and keeps its luck. Of several steps
        of a stage, it is that of the one which is called so, or else of the first.
        """
        first: dict[str, str] = {}
        for name in self.steps:
            first.setdefault(self.stage_of(name) or name, name)
        first.update({name: name for name in self.steps if name in first})
        return {name: lane for lane, name in first.items()} | {
            name: name for name in self.steps if name not in first.values()
        }


class Upkeep(Spec):
    """The work that keeps automation running: toil.

    Each team builds the automation of its services off the golden path itself; that of the golden
    path is built once. While the automation of a step is broken, people execute it by hand.
    """

    time_to_break_h: Distribution | None = quantity(
        None, "h", "Time until the automation of one step, fully automated, breaks; null: never."
    )
    repair_h: Distribution = quantity(0, "h of effort", "To repair it.")
    golden_path_blocks: bool = quantity(
        False,
        "yes/no",
        "While a step of the golden path is broken, changes wait for the repair; nobody executes "
        "it by hand instead.",
    )
    role: Name = Field("ml_engineer", description="Who repairs it in a team.")
    platform_role: Name = Field(
        "platform",
        description="Shared role that repairs the golden path; without such people, the teams "
        "that are on it take turns.",
    )


class Debt(Spec):
    """Technical debt of a service, in hours of clean-up work. Improvements pay it down."""

    untested_h: Number = duration(
        0.0, "h of clean-up", "Added by a change for each testing step without automation."
    )
    by_hand_h: Number = duration(
        0.0, "h of clean-up", "Added by a change for each other step executed by hand."
    )
    hurried_h: Number = duration(
        0.0, "h of clean-up", "Added by a change that was expedited to end an incident."
    )
    hidden_h: Number = duration(
        0.0, "h of clean-up", "Added by a change for each hidden dependency of its service."
    )
    slowdown: Number = quantity(
        0.0, "share per 100 h", "How much longer work on the service takes.", ge=0, le=10
    )
    more_defects: Number = quantity(
        0.0, "share per 100 h", "How much likelier authors leave defects.", ge=0, le=10
    )


class Dependencies(Spec):
    """How failures spread along the dependencies between services."""

    spreads: Share = share(
        0.0, "Probability that an outage of a service takes down one that depends on it."
    )
    hidden_diagnosis: Number = quantity(
        1.0,
        "factor",
        "How many times as long the diagnosis takes, if nobody knew of it.",
        ge=1,
        le=_MOST_TIMES,
    )


class Threats(Spec):
    """Attacks from outside."""

    interarrival_h: Distribution | None = quantity(
        None, "h", "Time between attacks on one service; null is never."
    )
    succeeds: Share = share(0.0, "Probability that an attack succeeds.")
    succeeds_if_vulnerable: Share = share(
        1.0, "The same, while a security defect is in production."
    )


class Response(Spec):
    """How incidents of one cause are noticed and handled."""

    role: Name = Field("operations", description="Who responds, diagnoses and repairs.")
    latency_h: Distribution = quantity(
        0, "h", "From deployment until a defect of this kind shows itself."
    )
    monitored: Share = share(0.0, "Share of such incidents that monitoring notices.")
    alert_h: Distribution = quantity(0, "h", "Until monitoring raises the alarm.")
    notice_h: Distribution = quantity(0, "h", "Until people notice without monitoring.")
    diagnosis_h: Distribution = quantity(0, "h of effort", "From response to diagnosis.")
    repair_h: Distribution = quantity(0, "h of effort", "To repair in place.")


class Responses(Spec):
    """One response for each cause."""

    infra: Response = Field(Response(), description="Outages and broken environments.")
    data: Response = Field(Response(role="data_engineer"), description="Bad data.")
    model: Response = Field(Response(role="data_scientist"), description="Bad or decayed models.")
    code: Response = Field(Response(role="ml_engineer"), description="Bugs.")
    security: Response = Field(Response(), description="Vulnerabilities and attacks.")
    dependency: Response = Field(
        Response(role="ml_engineer"), description="Services that a change upstream broke."
    )


class Rollback(Spec):
    """Going back to the previous deployment."""

    available: Share = share(
        0.0,
        "Share of failed deployments whose previous version can be restored (versioned artifacts).",
    )
    automation: Share | None = share(
        None, "Share of rollbacks that need no human; null: as `automation` of the scenario."
    )
    also_automated: Share = share(
        0.0, "Share of the others that a practice takes over, as for the steps of the pipeline."
    )
    effort_h: Distribution = quantity(0, "h of effort", "Of the responder, by hand.")
    run_h: Distribution = quantity(0, "h", "Of the machine, when automated.")


class Failover(Spec):
    """Moving a service away from broken infrastructure."""

    available: Share = share(0.0, "Share of outages that a failover ends.")
    run_h: Distribution = quantity(0, "h", "Duration of the failover.")


class Transient(Spec):
    """Outages that end by themselves."""

    share: Share = share(0.0, "Share of outages that do.")
    lasts_h: Distribution = quantity(0, "h", "Until such an outage is over.")


class Incidents(Spec):
    """How incidents are noticed, answered and remedied."""

    on_call: tuple[Name, ...] = Field((), description="Roles that respond around the clock.")
    page_h: Distribution = quantity(0, "h", "Until somebody on call answers.")
    responses: Responses = Field(Responses(), description="What each cause takes.")
    unfamiliar: Number = quantity(
        1.0,
        "factor",
        "How many times as long the diagnosis takes somebody from outside the team, of a service "
        "off the golden path.",
        ge=1,
        le=_MOST_TIMES,
    )
    size_exponent: Number = quantity(
        0.0,
        "exponent",
        "Diagnosis takes as many times as long as this power of the size of the deployment that "
        "failed, in ideas.",
        ge=0,
        le=2,
    )
    difficulty_sigma: Number = quantity(
        0.0,
        "-",
        "Spread of the difficulty of an incident, by which its diagnosis, its repair and the "
        "writing of its fix take longer or shorter together: standard deviation of the natural "
        "logarithm of a lognormal factor with a median of 1.",
        ge=0,
        le=3,
    )
    transient: Transient = Field(Transient(), description="Outages that end by themselves.")
    rollback: Rollback = Field(Rollback(), description="Taking back failed deployments.")
    failover: Failover = Field(Failover(), description="Moving away from an outage.")


class Cost(Spec):
    """Prices. Without them a bill has nothing but zeros."""

    currency: Text = Field("USD", description="What the prices are in.", max_length=8)
    person_per_h: Price = quantity(0.0, "money/h", "A paid hour of a person, all in.")
    person_per_h_of: dict[Name, Price] = quantity(
        {}, "money/h by role", "The same, for roles that differ."
    )
    compute_per_h: dict[Name, Price] = quantity(
        {}, "money/h by pool", "An hour of a slot, idle or not."
    )
    downtime_per_h: Price = quantity(0.0, "money/h", "An hour without a service.")
    degraded_per_h: Price = quantity(
        0.0, "money/h", "An hour of a service below its quality objective."
    )
    tools_per_person_week: dict[Name, Price] = quantity(
        {}, "money/week by practice", "Licences and hosting of tools, for each person there is."
    )
    feature_worth: Price = quantity(
        0.0, "money", "What a feature is worth once it is deployed; subtracts from the cost."
    )
    feature_life_weeks: Number = duration(
        52.0,
        "weeks",
        "Time over which a feature brings that, from its deployment: what waiting costs, where "
        "people choose how much they deliver at once.",
        ge=SHORTEST,
    )


class Investment(Spec):
    """An item of the roadmap: a practice that is introduced while the simulation runs."""

    practice: Name = Field(description="Which practice, e.g. cicd.")
    level: Name = Field(description="Which of its levels.")
    start_week: Count = quantity(..., "week", "When people begin to work on it.", ge=0, le=5200)
    effort_h: dict[Name, Annotated[Number, Field(ge=0, le=1_000_000)]] = quantity(
        {}, "h of effort by role", "Of each team with such people, and of a shared group."
    )
    learning_weeks: Number = quantity(
        0.0, "weeks", "Time until everybody is used to it.", ge=0, le=520
    )
    learning_slowdown: Number = quantity(
        0.0, "share", "How much longer work takes at first; fades over that time.", ge=0, le=10
    )
    brings: dict[str, Any] = quantity(
        {},
        "value by dotted key",
        "What it changes. Filled in from the files of the practice; own keys are possible.",
    )


class Reach(Spec):
    """How many of the settings of a level find a step that they are about."""

    here: Count = quantity(..., "settings", "How many do.", ge=0, le=100_000)
    settings: Count = quantity(..., "settings", "How many there are.", ge=0, le=100_000)


class Scenario(Spec):
    """An organization, and the settings of an experiment with it."""

    name: Name = Field(description="Short name; the results folder carries it.")
    description: str = Field("", description="What this scenario shows.")

    replications: Count = quantity(20, "runs", "Independent replications.", ge=1, le=100_000)
    seed: Count = quantity(1, "-", "Root of all random numbers.", ge=0, lt=2**63)
    horizon_weeks: Count = quantity(
        104, "weeks", "Simulated time, warm-up included.", ge=1, le=5200
    )
    warmup_weeks: Count = quantity(
        0, "weeks", "Time at the start that the metrics leave out.", ge=0, le=5200
    )
    animation: bool = Field(
        False, description="Put an animation into the report of a run; needs the extra `animation`."
    )
    png: bool = Field(False, description="Write the figures as PNG too, beside those in SVG.")
    n_jobs: Count = quantity(
        -1, "processes", "Parallel processes; -1 uses one per core.", ge=-1, le=1024
    )
    allow_large: bool = Field(
        False,
        description="Run also what is not expected to fit into memory, or makes a billion events.",
    )
    engine: Literal["loky", "dask", "ray"] = Field(
        "loky", description="What runs the replications of a sweep: processes here, or a cluster."
    )
    address: Text | None = Field(
        None, description="Address of the running Dask or Ray cluster; without one it is local."
    )
    design: Literal["grid", "zip", "random", "lhs", "sobol", "morris", "adaptive"] = Field(
        "grid", description="Which combinations of the swept values a sweep looks at."
    )
    samples: Count = quantity(
        32,
        "-",
        "Size of a sampled design of k keys: points of random and lhs, n (k + 2) points of sobol, "
        "n (k + 1) points of morris.",
        ge=2,
        le=1_000_000,
    )
    baseline: dict[str, Any] = quantity(
        {}, "value by key", "The point that a sweep compares the others to; by default its first."
    )
    exclude: tuple[Annotated[dict[str, Any], Field(min_length=1)], ...] = quantity(
        (),
        "value(s) by key",
        "Combinations that a sweep leaves out: each a mapping of swept keys to a value, or to a "
        "list of values, all of which have to be there.",
    )
    on_invalid: Literal["stop", "skip"] = Field(
        "stop",
        description="What a sweep does about a combination that is no valid scenario: nothing is "
        "simulated, or the others are.",
    )
    metrics: tuple[MetricName, ...] = quantity(
        (),
        "names",
        "What effects, figures and tables of a sweep show; by default the four of DORA, and cost "
        "where anything has a price.",
    )
    dry_run: bool = Field(
        False, description="Only say what would be simulated, and what that would take."
    )
    time_limit_h: Number | None = quantity(
        None,
        "h",
        "A sweep that takes longer begins nothing more, and keeps what is finished.",
        gt=0,
        le=100_000,
    )
    replication_timeout_s: Number | None = quantity(
        None, "s", "A replication of a sweep that takes longer fails.", gt=0, le=10_000_000
    )
    fail_fast: bool = Field(
        False, description="A sweep begins nothing more once a point has failed."
    )
    precision: Precision | None = Field(
        None, description="Replicate each point of a sweep until its intervals are this narrow."
    )
    select: SelectionSpec | None = Field(
        None, description="Choose the best point of a sweep, and replicate where that is in doubt."
    )
    adaptive: AdaptiveSpec | None = Field(
        None, description="What an adaptive sweep is asked, and how much it may cost."
    )

    automation: Share = share(0.0, "Share of step executions that need no human.")
    standardization: Share = share(0.0, "Share of services on the golden path.")
    data_validation: Share = share(
        0.0, "Share of corrupted batches caught at ingestion, where a feed does not say otherwise."
    )
    retraining: Retraining = Field(
        Retraining(), description="When services get a new model that do not say so themselves."
    )
    practices: dict[Name, Name] = quantity(
        {}, "level by practice", "For the record: which levels were put together."
    )
    practice_reach: dict[Name, Reach] = quantity(
        {},
        "by practice",
        "For the record: how much of a level finds a step here that it is about; of practices that "
        "do not find all.",
    )
    roadmap: tuple[Investment, ...] = quantity(
        (), "items", "Practices introduced while the simulation runs, in this order."
    )

    working_hours: WorkingHours = Field(
        WorkingHours(), description="Working hours of everybody not in `working_hours_of`."
    )
    working_hours_of: dict[Name, WorkingHours] = quantity(
        {}, "by role", "Working hours of roles that differ from the rest."
    )
    interrupting: tuple[WorkClass, ...] = quantity(
        ("incident",), "classes", "Work that interrupts less urgent work at once."
    )
    teams: dict[Name, TeamSpec] = Field(description="Teams by name.", min_length=1)
    teams_differ: TeamsDiffer = Field(TeamsDiffer(), description="How different teams are.")
    shared_people: dict[Name, Headcount] = quantity(
        {}, "persons by role", "Groups outside the teams that serve all of them."
    )
    pooled_roles: tuple[Name, ...] = quantity(
        (),
        "roles",
        "Roles that work for other teams too, if nobody there is free, on services on the golden "
        "path.",
    )
    compute: dict[Name, ComputePoolSpec] = Field({}, description="Compute pools by name.")
    services: dict[Name, ServiceSpec] = Field(description="Services by name.", min_length=1)
    changes: Changes = Field(Changes(), description="What is changed, and how often.")
    pipeline: Pipeline = Field(description="From commit to production.")
    incidents: Incidents = Field(Incidents(), description="What happens when something fails.")
    upkeep: Upkeep = Field(Upkeep(), description="What automation costs to keep running.")
    debt: Debt = Field(Debt(), description="Technical debt: where it comes from, what it does.")
    dependencies: Dependencies = Field(
        Dependencies(), description="What happens along dependencies between services."
    )
    threats: Threats = Field(Threats(), description="Attacks from outside.")
    cost: Cost = Field(Cost(), description="Prices of people, machines, tools and bad service.")

    def automated(self, what: Step | Rollback) -> float:
        """Return the share of executions of a step, or of rollbacks, that need no human."""
        automation = self.automation if what.automation is None else what.automation
        return automation + (1 - automation) * what.also_automated
