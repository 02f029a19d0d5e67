"""Planning: the steps of the pipeline for each kind of change, as the scenario says now."""

from functools import partial

from sim.scenario.organization import (
    CHANGE_KINDS,
    DEFECT_KINDS,
    ByMode,
    ChangeKind,
    DefectKind,
    Scenario,
    Step,
)

from .context import Organization
from .effects import planned
from .steps import Chances, Effect, PlannedStep
from .windows import Timetable


def begin(organization: Organization) -> None:
    """Plan the pipeline, and plan it anew when something is adopted."""
    _plan(organization)
    organization.hooks.adopted.append(partial(_adopt, organization))


def _adopt(organization: Organization, before: Scenario) -> None:
    _plan(organization)


def _plan(organization: Organization) -> None:
    for kind in CHANGE_KINDS:
        organization.plans[kind] = _steps_for(organization, kind)


def _steps_for(organization: Organization, kind: ChangeKind) -> list[PlannedStep | None]:
    """Return the steps that changes of ``kind`` go through; None where they skip one."""
    steps = organization.scenario.pipeline.steps
    lanes = organization.scenario.pipeline.lanes()
    order = {name: position for position, name in enumerate(steps)}
    data_taken_at = min(
        (
            order[name]
            for name, step in steps.items()
            if step.effect == "takes_data" and kind not in step.skipped_by
        ),
        default=len(order),
    )
    late_from = organization.scenario.pipeline.late_from()
    return [
        None
        if kind in spec.skipped_by
        else _planned(
            organization.scenario,
            name,
            lanes[name],
            order[name],
            order[name] >= late_from,
            0 if spec.returns_to is None else order[spec.returns_to],
            planned(organization, spec.effect, data_are_taken=data_taken_at < order[name]),
            spec,
        )
        for name, spec in steps.items()
    ]


def _planned(
    scenario: Scenario,
    name: str,
    lane: str,
    position: int,
    late: bool,
    returns_to: int,
    effect: Effect,
    spec: Step,
) -> PlannedStep:
    return PlannedStep(
        name,
        lane,
        position,
        late,
        returns_to,
        effect,
        spec,
        spec.role,
        scenario.automated(spec),
        scenario.debt.untested_h if spec.detects else scenario.debt.by_hand_h,
        _spoils(spec, effect),
        None if spec.window is None else Timetable(spec.window),
        _by_calendar(scenario, spec),
        _chances(spec.adds, "manual"),
        _chances(spec.adds, "automated"),
        _chances(spec.detects, "manual"),
        _chances(spec.detects, "automated"),
        bool(spec.adds or spec.detects or spec.fails) or effect.may_go_wrong,
        spec.role is not None and spec.pickup_h.expectation > 0,
        "review" if scenario.pipeline.stage_of(name) == "review" else "effort",
    )


def _by_calendar(scenario: Scenario, spec: Step) -> float:
    """Return the share of services whose changes wait for the window of a step, if it has one."""
    if spec.window is None:
        return 0.0
    automated = 1.0 if spec.role is None else scenario.automated(spec)
    waits = spec.window.waits
    return automated * waits.automated + (1 - automated) * waits.manual


def _spoils(spec: Step, effect: Effect) -> DefectKind | None:
    """Return the defect of a step whose work was misunderstood: the likeliest slip there."""
    slips = _chances(spec.adds, "manual")
    return max(slips, key=lambda slip: slip[2])[0] if slips else effect.spoils


def _chances(by_kind: dict[DefectKind, ByMode], mode: str) -> Chances:
    return [
        (kind, index, getattr(by_kind[kind], mode))
        for index, kind in enumerate(DEFECT_KINDS)
        if kind in by_kind and getattr(by_kind[kind], mode) > 0
    ]
