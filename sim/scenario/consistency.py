"""Checks that the parts of a scenario fit together, beyond the range of each value."""

from collections.abc import Iterable, Iterator

from .effects import SPOILT
from .errors import Problem, nearest
from .organization import STAGES, Scenario, ServiceSpec, TeamSpec
from .spec import SHORTEST


def check(scenario: Scenario) -> list[Problem]:
    """Return everything in ``scenario`` that refers to nothing or cannot work."""
    return [
        *_settings(scenario),
        *_services(scenario),
        *_arrivals(scenario),
        *_batches(scenario),
        *_steps(scenario),
        *_people(scenario),
        *_roadmap(scenario),
    ]


def _settings(scenario: Scenario) -> Iterator[Problem]:
    if scenario.horizon_weeks <= scenario.warmup_weeks:
        yield Problem(
            "horizon_weeks",
            f"{scenario.horizon_weeks} is not longer than warmup_weeks={scenario.warmup_weeks}",
            f"use at least {scenario.warmup_weeks + 1}",
        )
    if scenario.n_jobs == 0:
        yield Problem(
            "n_jobs", "0 processes can do nothing", "use -1 for one per core, or a positive number"
        )
    if scenario.select is not None and scenario.replications < 3:
        what = f"{scenario.replications} are too few to choose a point by select"
        yield Problem("replications", what, "at least 3; ten are better")
    if scenario.precision is not None and scenario.select is not None:
        hint = "leave one of them out: each decides how often a point is replicated"
        yield Problem("select", "cannot be had together with precision", hint)


def _services(scenario: Scenario) -> Iterator[Problem]:
    for name, service in scenario.services.items():
        key = f"services.{name}"
        if service.team not in scenario.teams:
            hint = f"{nearest(service.team, sorted(scenario.teams))}; {key}: null drops the service"
            yield Problem(f"{key}.team", f"no team is called '{service.team}'", hint)
        for other in service.upstream:
            if other not in scenario.services:
                yield _unknown(f"{key}.upstream", other, "service", scenario.services)
        for other in service.hidden_upstream:
            if other not in scenario.services:
                yield _unknown(f"{key}.hidden_upstream", other, "service", scenario.services)


def _batches(scenario: Scenario) -> Iterator[Problem]:
    """Refuse batches whose size follows from prices that are not there."""
    cost = scenario.cost
    if scenario.changes.batch_size != "economic" or scenario.changes.feature is None:
        return
    key = "changes.batch_size"
    if cost.feature_worth == 0:
        what = "economic batches need an idea to be worth something, or it could wait for ever"
        yield Problem(key, what, "set cost.feature_worth, or use changes.batch_size=idea")
    if max(cost.person_per_h, *cost.person_per_h_of.values(), 0.0) == 0:
        what = "economic batches need hands to cost something, or there is no reason to wait"
        yield Problem(key, what, "set cost.person_per_h, or use changes.batch_size=idea")


def _arrivals(scenario: Scenario) -> Iterator[Problem]:
    """Refuse what would happen so often that the simulation never ends."""
    changes = scenario.changes
    gaps = {
        "changes.improvement.interarrival_h": changes.improvement.interarrival_h,
        "threats.interarrival_h": scenario.threats.interarrival_h,
        "upkeep.time_to_break_h": scenario.upkeep.time_to_break_h,
    }
    if changes.feature is not None:
        gaps["changes.feature.interarrival_h"] = changes.feature.interarrival_h
        if changes.feature.arrivals == "closed":
            gaps["changes.feature.exploration_h"] = changes.feature.exploration_h
    for name, service in scenario.services.items():
        key = f"services.{name}"
        gaps[f"{key}.time_to_outage_h"] = service.time_to_outage_h
        if service.data is not None:
            gaps[f"{key}.data.interarrival_h"] = service.data.interarrival_h
        if service.quality.shocks is not None:
            gaps[f"{key}.quality.shocks.interarrival_h"] = service.quality.shocks.interarrival_h
    for key, gap in gaps.items():
        if gap is not None and gap.expectation < SHORTEST:
            yield Problem(
                key,
                f"a mean of {gap.expectation:g} h between two of them never ends",
                f"use a mean of {SHORTEST:g} h or more",
            )
    for name, service in scenario.services.items():
        policy = service.retraining or scenario.retraining
        key = "retraining" if service.retraining is None else f"services.{name}.retraining"
        threshold = service.quality.objective + policy.margin
        if policy.trigger == "drift" and threshold >= service.quality.initial:
            yield Problem(
                f"{key}.margin",
                f"{policy.margin:g} above the objective is no less than the initial "
                f"quality {service.quality.initial:g}: every new model has drifted already",
                f"use less than {service.quality.initial - service.quality.objective:g}",
            )


def _steps(scenario: Scenario) -> Iterator[Problem]:
    steps = scenario.pipeline.steps
    order = list(steps)
    deploys_at = next(
        (order.index(n) for n, s in steps.items() if s.effect == "deploys"), len(order)
    )
    for position, (name, step) in enumerate(steps.items()):
        key = f"pipeline.steps.{name}"
        if name in STAGES and step.stage not in (None, name):
            yield Problem(
                f"{key}.stage",
                f"a step called '{name}' is of that stage",
                "give the step another name",
            )
        if step.returns_to is not None:
            earlier = order[: position + 1]
            if step.returns_to not in steps:
                yield _unknown(f"{key}.returns_to", step.returns_to, "step", earlier)
            elif step.returns_to not in earlier:
                yield Problem(
                    f"{key}.returns_to",
                    f"'{step.returns_to}' comes after '{name}'",
                    "valid: " + ", ".join(earlier),
                )
        if step.compute is not None and step.compute not in scenario.compute:
            yield _unknown(f"{key}.compute", step.compute, "compute pool", scenario.compute)
        if step.effect == "deploys" and step.skipped_by:
            yield Problem(
                f"{key}.skipped_by", "a change must not skip deployment", "leave it empty"
            )
        if step.effect == "deploys" and step.standard_changes:
            yield Problem(
                f"{key}.standard_changes", "a change must not skip deployment", "leave it empty"
            )
        if step.golden_path_role is not None and step.role is None:
            yield Problem(
                f"{key}.golden_path_role", "only machines execute the step", f"set {key}.role, too"
            )
        if position > deploys_at and step.adds:
            yield Problem(
                f"{key}.adds",
                "it comes after deployment, where nothing can be added",
                "leave it out",
            )
    training = [name for name, step in steps.items() if step.effect == "trains_model"]
    for name, step in steps.items():
        if (
            training
            and step.effect == "takes_data"
            and order.index(name) > order.index(training[-1])
        ):
            yield Problem(
                f"pipeline.steps.{name}.effect",
                f"it takes data after '{training[-1]}' has trained the model",
                "put it before",
            )
    deploying = [name for name, step in steps.items() if step.effect == "deploys"]
    if len(deploying) != 1:
        found = "no step does" if not deploying else " and ".join(deploying) + " do"
        yield Problem("pipeline.steps", f"exactly one step needs effect: deploys ({found})")


def _people(scenario: Scenario) -> Iterator[Problem]:
    everyone = _roles(scenario)
    played = {role for team in scenario.teams.values() for role in team.plays}
    for role in scenario.working_hours_of:
        if role not in everyone:
            yield _unknown(f"working_hours_of.{role}", role, "role with people", everyone)
    for role in scenario.pooled_roles:
        if role not in everyone:
            yield _unknown("pooled_roles", role, "role with people", everyone)
    for role in scenario.incidents.on_call:
        if role not in everyone | played:
            yield _unknown("incidents.on_call", role, "role with people", everyone | played)
    for team_name, team in scenario.teams.items():
        yield from _plays(scenario, team_name, team)
        owned = [service for service in scenario.services.values() if service.team == team_name]
        if not owned:
            continue
        for key, role in _needed_roles(scenario, owned):
            if not _has_people(scenario, team, role):
                yield Problem(
                    key,
                    f"team '{team_name}' has no '{role}', nor is there a shared one",
                    f"add it to teams.{team_name}.people or shared_people; "
                    + nearest(role, sorted(everyone - {role})),
                )


def _plays(scenario: Scenario, team_name: str, team: TeamSpec) -> Iterator[Problem]:
    for role, by in team.plays.items():
        key = f"teams.{team_name}.plays.{role}"
        if team.people.get(role, 0) > 0:
            what = f"team '{team_name}' has people of the role '{role}'"
            yield Problem(key, what, f"leave it out, or set teams.{team_name}.people.{role}=0")
        elif team.people.get(by, 0) == 0:
            there = [own for own, headcount in team.people.items() if headcount > 0]
            yield _unknown(key, by, f"role with people in '{team_name}'", there)


def _roles(scenario: Scenario) -> set[str]:
    in_teams = {role for team in scenario.teams.values() for role in team.people}
    return in_teams | set(scenario.shared_people)


def _roadmap(scenario: Scenario) -> Iterator[Problem]:
    for number, item in enumerate(scenario.roadmap):
        key = f"roadmap.{number}"
        if item.start_week >= scenario.horizon_weeks:
            yield Problem(
                f"{key}.start_week",
                f"{item.start_week} is after the end (horizon_weeks={scenario.horizon_weeks})",
                f"use at most {scenario.horizon_weeks - 1}",
            )
        for role, effort_h in item.effort_h.items():
            headcounts = [
                team.people.get(team.plays.get(role, role), 0) for team in scenario.teams.values()
            ]
            if effort_h > 0 and scenario.shared_people.get(role, 0) + sum(headcounts) == 0:
                yield _unknown(f"{key}.effort_h.{role}", role, "role with people", _roles(scenario))


def _needed_roles(scenario: Scenario, services: list[ServiceSpec]) -> Iterator[tuple[str, str]]:
    for name, step in scenario.pipeline.steps.items():
        breaks = scenario.upkeep.time_to_break_h is not None
        by_hand = scenario.automated(step) < 1 or breaks
        if step.role is not None and by_hand and step.effort_h.expectation > 0:
            yield f"pipeline.steps.{name}.role", step.role
            if step.golden_path_role is not None:
                yield f"pipeline.steps.{name}.golden_path_role", step.golden_path_role
    upkeep = scenario.upkeep
    if upkeep.time_to_break_h is not None and upkeep.repair_h.expectation > 0:
        yield "upkeep.role", upkeep.role
    changes = scenario.changes
    if changes.feature is not None:
        effort = changes.feature.exploration_h.expectation + changes.feature.rework_h.expectation
        if effort > 0:
            yield "changes.feature.author", changes.feature.author
    reconstruction_h = scenario.pipeline.reconstruction_h.expectation
    if changes.retrain.rework_h.expectation + reconstruction_h > 0:  # no trigger: incidents retrain
        yield "changes.retrain.author", changes.retrain.author
    if changes.fix.effort_h.expectation + changes.fix.rework_h.expectation > 0:
        yield "changes.fix.author", changes.fix.author
    improvement = changes.improvement
    effort = improvement.effort_h.expectation + improvement.rework_h.expectation
    if improvement.interarrival_h is not None and effort > 0:
        yield "changes.improvement.author", improvement.author
    rollback = scenario.incidents.rollback
    by_hand = scenario.automated(rollback) < 1
    rolls_back = by_hand and rollback.available * rollback.effort_h.expectation > 0
    possible = _possible_defects(scenario)
    for cause, response in scenario.incidents.responses:
        effort = response.diagnosis_h.expectation + response.repair_h.expectation
        if effort > 0 or (rolls_back and cause in possible):
            yield f"incidents.responses.{cause}.role", response.role
    for service in services:
        if service.data is not None and service.data.repair_h.expectation > 0:
            yield "services.*.data.repair_role", service.data.repair_role


def _possible_defects(scenario: Scenario) -> set[str]:
    """Return the kinds of defect that something in ``scenario`` can bring about."""
    changes, pipeline = scenario.changes, scenario.pipeline
    made = [changes.feature, changes.retrain, changes.fix, changes.improvement]
    kinds: set[str] = {kind for change in made if change is not None for kind in change.defects}
    kinds |= {kind for step in pipeline.steps.values() for kind in step.adds}
    if pipeline.handoff_in_team.misunderstood + pipeline.handoff_across.misunderstood > 0:
        kinds |= {SPOILT[s.effect] for s in pipeline.steps.values() if s.effect in SPOILT}
    if pipeline.environment_drift > 0:
        kinds.add("infra")
    if any(service.data is not None for service in scenario.services.values()):
        kinds.add("data")
    return kinds


def _has_people(scenario: Scenario, team: TeamSpec, role: str) -> bool:
    of_team = team.people.get(role, 0) > 0 or role in team.plays
    return of_team or scenario.shared_people.get(role, 0) > 0


def _unknown(key: str, value: str, thing: str, valid: Iterable[str]) -> Problem:
    return Problem(key, f"no {thing} is called '{value}'", nearest(value, sorted(valid)))
