"""The expected work of a simulation: rows of its log, estimated from the scenario beforehand.

Planned work arrives at the rates that the scenario names, and flows through the pipeline; a step
passes on what its people and machines have hours for and what does not take longer than there is
time. Incidents follow from what is deployed, and from what breaks by itself; their remedies flow
through the same pipeline. All numbers are expectations to within a factor of three or so: this says
whether a run takes a second or a day, and whether its log fits into memory.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from sim.hours import HOURS_PER_WEEK
from sim.scenario.distributions import Distribution
from sim.scenario.lot_size import expected_slices
from sim.scenario.organization import (
    ByMode,
    DefectKind,
    ExponentialDecay,
    Fix,
    Improvement,
    LinearDecay,
    LogisticDecay,
    PlateauDecay,
    Quality,
    Response,
    Retraining,
    Scenario,
    ServiceSpec,
    Step,
    TeamSpec,
    WorkingHours,
)

_SHORTEST_CYCLE_H = 1 / 60
_UNIFORMS = (np.arange(2048) + 0.5) / 2048
_ROUNDS = 4
"""Incidents lead to changes, which lead to incidents; after so many there are hardly any more."""
_TINY = 1e-9


@dataclass(frozen=True)
class Workload:
    """The expected workload of one replication.

    Attributes:
        rows: rows of the log, by the key of the scenario that they come from.
        silent: things that happen without a row, such as attacks that fail.
        services: number of services, each of which has random streams of its own.
    """

    rows: Mapping[str, float]
    silent: float
    services: float

    @property
    def total_rows(self) -> float:
        """Rows of all tables."""
        return sum(self.rows.values())

    @property
    def main_source(self) -> str:
        """The key of the scenario from which most rows come."""
        return max(self.rows, key=lambda key: self.rows[key])


def workload(scenario: Scenario) -> Workload:
    """Estimate what one replication of ``scenario`` has to do."""
    return _Flow(scenario).result()


@dataclass
class _Pools:
    """Hours that are left of the people and slots that serve one kind of team, all such teams."""

    people: dict[str, list[float]]
    compute: dict[str, list[float]]


@dataclass
class _Delivered:
    """The fate of the changes of one kind on their way through the pipeline.

    Attributes:
        elapsed_h: how long one takes until it is deployed, which ends it.
        effort_h: of people, for one, by role.
        effort_until_deployed_h: the same without verification.
    """

    steps: float = 0.0
    tasks: float = 0.0
    jobs: float = 0.0
    deployed: float = 0.0
    deployments: float = 0.0
    elapsed_h: float = 0.0
    effort_h: dict[str, float] = field(default_factory=dict)
    effort_until_deployed_h: dict[str, float] = field(default_factory=dict)


class _Flow:
    """Lets the expected numbers of everything flow through an organization."""

    def __init__(self, scenario: Scenario) -> None:
        self._scenario = scenario
        self._horizon_h = scenario.horizon_weeks * HOURS_PER_WEEK
        self._rows: dict[str, float] = {}
        self._silent = 0.0
        self._capped: dict[tuple[int, float], tuple[float, float]] = {}
        self._shared_people = {
            role: [self._hours(role) * headcount]
            for role, headcount in scenario.shared_people.items()
        }
        self._shared_compute = {
            kind: [(pool.max_slots or pool.slots) * self._horizon_h]
            for kind, pool in scenario.compute.items()
            if pool.shared
        }

    def result(self) -> Workload:
        scenario = self._scenario
        n_services = 0.0
        of_pools = sum(map(self._stretches, self._shared_people)) + len(self._shared_compute)
        own = sum(not pool.shared for pool in scenario.compute.values())
        for kind, team in scenario.teams.items():
            at_work = sum(self._stretches(role) for role, n in team.people.items() if n > 0)
            of_pools += team.count * (at_work + own)
            owned = [service for service in scenario.services.values() if service.team == kind]
            if owned:
                n_services += team.count * sum(service.count for service in owned)
                self._team(team, owned)
        of_services = (scenario.horizon_weeks + 1) * n_services  # quality once per week
        self._add("horizon_weeks", of_pools + of_services)
        self._upkeep(n_services)
        self._roadmap()
        attacks = scenario.threats.interarrival_h
        if attacks is not None:
            self._silent += n_services * self._renewals(attacks)
        return Workload(self._rows, self._silent, n_services)

    def _team(self, team: TeamSpec, owned: list[ServiceSpec]) -> None:
        """Count what all teams like ``team`` do."""
        pools = self._pools(team)
        count = float(team.count)
        incidents = self._incidents_of_themselves(count, owned, pools)
        self._retrainings(count, owned, pools, incidents)
        self._features(team, owned, pools, incidents)
        self._improvements(count, owned, pools, incidents)
        self._remedies(count, owned, pools, incidents)

    def _pools(self, team: TeamSpec) -> _Pools:
        scenario = self._scenario
        people = dict(self._shared_people)
        for role, headcount in team.people.items():
            if headcount > 0:
                people[role] = [team.count * headcount * self._hours(role)]
        people |= {role: people[by] for role, by in team.plays.items()}
        compute = dict(self._shared_compute)
        for kind, pool in scenario.compute.items():
            if not pool.shared:
                slots = pool.max_slots or pool.slots
                compute[kind] = [team.count * slots * self._horizon_h]
        return _Pools(people, compute)

    # What arrives

    def _features(
        self, team: TeamSpec, owned: list[ServiceSpec], pools: _Pools, incidents: dict[str, float]
    ) -> None:
        spec = self._scenario.changes.feature
        if spec is None:
            return
        n_services = team.count * sum(service.count for service in owned)
        explored_h = self._hours_of(spec.author, spec.exploration_h)
        probe = self._deliver("feature", 1.0, n_services, self._copy(pools))
        if spec.arrivals == "open" and spec.interarrival_h is not None:
            arrived = begun = n_services * self._renewals(spec.interarrival_h)
        else:
            each_h = explored_h + (1 - spec.abandoned) * probe.effort_h.get(spec.author, 0.0)
            authors_h = pools.people.get(spec.author, [0.0])[0]
            arrived = begun = authors_h / max(each_h, _TINY)
        if team.wip_limit is not None:
            delivery_h = (1 - spec.abandoned) * probe.elapsed_h
            cycle_h = self._elapsed(spec.author, spec.exploration_h) + delivery_h
            begun = min(begun, team.count * team.wip_limit * (1 + self._times(cycle_h)))
        rows, explored = arrived, begun
        if explored_h > 0:
            explored = self._work(pools, spec.author, begun, spec.exploration_h)
            rows += begun + explored
        ideas = (1 - spec.abandoned) * explored
        gap_h = n_services * self._horizon_h / max(ideas, _TINY)
        committed = ideas * expected_slices(self._scenario, gap_h)
        rows += 2 * (committed - ideas)  # a change and an exploration for each slice
        done = self._deliver("feature", committed, n_services, pools)
        self._count("changes.feature", rows, done, incidents, spec.defects)

    def _improvements(
        self, count: float, owned: list[ServiceSpec], pools: _Pools, incidents: dict[str, float]
    ) -> None:
        spec = self._scenario.changes.improvement
        if spec.interarrival_h is None:
            return
        n_services = count * sum(service.count for service in owned)
        started = n_services * self._renewals(spec.interarrival_h)
        self._write_and_deliver("improvement", spec, started, n_services, pools, incidents)

    def _write_and_deliver(
        self,
        kind: str,
        spec: Improvement | Fix,
        started: float,
        n_services: float,
        pools: _Pools,
        incidents: dict[str, float],
    ) -> None:
        rows, written = started, started
        if spec.effort_h.expectation > 0:
            written = self._work(pools, spec.author, started, spec.effort_h)
            rows += started + written
        done = self._deliver(kind, written, n_services, pools)
        source = "incidents" if kind == "fix" else f"changes.{kind}"
        self._count(source, rows, done, incidents, spec.defects)

    def _retrainings(
        self, count: float, owned: list[ServiceSpec], pools: _Pools, incidents: dict[str, float]
    ) -> None:
        spec = self._scenario.changes.retrain
        for service in owned:
            alike = count * service.count
            policy = service.retraining or self._scenario.retraining
            probe = self._deliver("retrain", 1.0, 1.0, self._copy(pools))
            cycle_h = max(probe.elapsed_h, _SHORTEST_CYCLE_H)
            started = min(
                self._at_a_time(alike, probe, pools),
                alike * self._triggered(service, policy, cycle_h),
            )
            done = self._deliver("retrain", started, alike, pools)
            self._count("retraining", started, done, incidents, spec.defects)
            # A row of quality for each new model, and where it falls below the objective.
            self._add("retraining", 2 * done.deployed)

    def _at_a_time(self, services: float, probe: _Delivered, pools: _Pools) -> float:
        """Return how many changes there can be if each service has one at a time."""
        most = services * (1 + self._times(max(probe.elapsed_h, _SHORTEST_CYCLE_H)))
        for role, hours in probe.effort_until_deployed_h.items():
            if hours > _TINY and role in pools.people:
                most = min(most, services + pools.people[role][0] / hours)
        return most

    def _triggered(self, service: ServiceSpec, policy: Retraining, cycle_h: float) -> float:
        """Return how often something asks for a retraining of one service."""
        match policy.trigger:
            case "schedule":
                asked = self._times(policy.every_h)
                self._silent += asked
                return asked
            case "new_data":
                feed = service.data
                return 0.0 if feed is None else self._renewals(feed.interarrival_h) / policy.batches
            case "drift":
                level = service.quality.objective + policy.margin
                noticed_h = self._noticed_h(self._scenario.incidents.responses.model)
                falls_h = self._until_below(service.quality, level)
                return self._times(falls_h + noticed_h + cycle_h)
            case "always_on":
                return 1 + self._times(cycle_h)
            case _:
                return 0.0

    # What breaks

    def _incidents_of_themselves(
        self, count: float, owned: list[ServiceSpec], pools: _Pools
    ) -> dict[str, float]:
        """Return the number of incidents, by cause, that need no deployment; count batches too."""
        scenario = self._scenario
        found = dict.fromkeys(type(scenario.incidents.responses).model_fields, 0.0)
        for service in owned:
            alike = count * service.count
            if service.time_to_outage_h is not None:
                gap = service.time_to_outage_h
                each_h = self._within(gap) + self._restored_h(scenario.incidents.responses.infra)
                again = min(self._renewals(gap), 1 + self._times(each_h))
                found["infra"] += min(alike * again, self._handled(alike, "infra", pools))
            if service.data is not None:
                feed = service.data
                batches = alike * self._renewals(feed.interarrival_h)
                weights = feed.corruption
                total = weights.schema_ + weights.missing + weights.delayed
                caught = scenario.data_validation if feed.caught is None else feed.caught
                uncaught = batches * feed.corrupted * (1 - caught)
                found["data"] += uncaught * weights.schema_ / total
                repaired = 0.0
                if feed.repair_h.expectation > 0:
                    repaired = batches * feed.corrupted * caught
                    self._work(pools, feed.repair_role, repaired, feed.repair_h)
                self._add("services.*.data", batches + repaired)
            if scenario.threats.interarrival_h is not None:
                attacks = alike * self._renewals(scenario.threats.interarrival_h)
                found["security"] += attacks * scenario.threats.succeeds
            if service.quality.shocks is not None:
                shocks = alike * self._renewals(service.quality.shocks.interarrival_h)
                self._add("services.*.quality.shocks", shocks)
            if service.quality.objective > 0:
                falls_h = self._until_below(service.quality, service.quality.objective)
                probe = self._deliver("retrain", 1.0, 1.0, self._copy(pools))
                each_h = falls_h + self._restored_h(scenario.incidents.responses.model)
                most = self._at_a_time(alike, probe, pools)
                decayed = alike * min(1.0, self._times(falls_h))
                again = alike * self._times(each_h + probe.elapsed_h)
                found["model"] += min(max(decayed, again), most)
        return found

    def _restored_h(self, response: Response) -> float:
        """Return how long an incident takes at least, in the mean."""
        worked_h = self._elapsed(response.role, response.diagnosis_h)
        worked_h += self._elapsed(response.role, response.repair_h)
        if response.role in self._scenario.incidents.on_call:
            worked_h = self._within(response.diagnosis_h) + self._within(response.repair_h)
        return self._noticed_h(response) + worked_h

    def _handled(self, services: float, cause: str, pools: _Pools) -> float:
        """Return how many incidents there can be if the next one waits for the end of the last."""
        response: Response = getattr(self._scenario.incidents.responses, cause)
        each_h = self._within(response.diagnosis_h) + self._within(response.repair_h)
        if each_h <= _TINY:
            return math.inf
        return services + pools.people.get(response.role, [0.0])[0] / each_h

    def _noticed_h(self, response: Response) -> float:
        return response.monitored * self._within(response.alert_h) + (
            1 - response.monitored
        ) * self._within(response.notice_h)

    def _remedies(
        self, count: float, owned: list[ServiceSpec], pools: _Pools, incidents: dict[str, float]
    ) -> None:
        """Count incidents and what they bring about, round after round."""
        spec = self._scenario.incidents
        changes = self._scenario.changes
        n_services = count * sum(service.count for service in owned)
        downstream = self._downstream()
        for _ in range(_ROUNDS):
            now, more = incidents, dict.fromkeys(incidents, 0.0)
            for cause, number in now.items():
                if number <= _TINY:
                    continue
                if cause == "dependency":
                    number *= min(1.0, downstream)
                response = getattr(spec.responses, cause)
                spread = number * downstream * self._scenario.dependencies.spreads
                total = number + (spread if cause == "infra" else 0.0)
                self._add("incidents", 2 * total)  # its row, and one of quality or debt
                diagnosed = total * self._share_left(self._noticed_h(response))
                in_place = cause in ("infra", "data")
                for effort in (response.diagnosis_h, *([response.repair_h] if in_place else [])):
                    if effort.expectation > 0:
                        self._add("incidents", 1.5 * diagnosed)  # what it interrupts goes on later
                        diagnosed = self._work(pools, response.role, diagnosed, effort)
                if cause in ("code", "security", "dependency"):
                    self._write_and_deliver("fix", changes.fix, diagnosed, n_services, pools, more)
                elif cause == "model":
                    probe = self._deliver("retrain", 1.0, 1.0, self._copy(pools))
                    diagnosed = min(diagnosed, self._at_a_time(n_services, probe, pools))
                    done = self._deliver("retrain", diagnosed, n_services, pools)
                    defects = changes.retrain.defects
                    self._count("incidents", diagnosed, done, more, defects)
            incidents = more

    def _downstream(self) -> float:
        """Return how many services, in the mean, depend on one."""
        services = self._scenario.services.values()
        links = sum(len(service.upstream) + len(service.hidden_upstream) for service in services)
        return links / len(services)

    def _upkeep(self, n_services: float) -> None:
        upkeep = self._scenario.upkeep
        if upkeep.time_to_break_h is None:
            return
        teams = sum(team.count for team in self._scenario.teams.values())
        for step in self._scenario.pipeline.steps.values():
            if step.role is not None:
                gaps = (teams + 1) * self._renewals(upkeep.time_to_break_h)
                self._silent += gaps
                broken = gaps * self._scenario.automated(step)
                if upkeep.repair_h.expectation > 0:
                    self._add("upkeep", broken)

    # How changes flow

    def _deliver(self, kind: str, flow: float, n_services: float, pools: _Pools) -> _Delivered:
        """Let ``flow`` changes through the pipeline, with the hours that are left in ``pools``."""
        scenario = self._scenario
        done = _Delivered()
        if flow <= 0:
            return done
        steps = [step for step in scenario.pipeline.steps.values() if kind not in step.skipped_by]
        visits = self._visits(kind, steps)
        per_change, until_deployed_h = flow, None
        for step, visited in zip(steps, visits, strict=True):
            coming = per_change * visited
            if coming <= _TINY:
                break
            served = coming
            by_hand = (
                coming * (1 - self._scenario.automated(step)) if step.role is not None else 0.0
            )
            executed, alone = coming, 1.0
            if step.window is not None:
                waits = step.window.waits
                share = (waits.manual * by_hand + waits.automated * (coming - by_hand)) / coming
                if kind != "fix":
                    openings = self._openings(step)
                    done.elapsed_h += visited * share * self._horizon_h / (openings + 1) / 2
                    if step.effect == "deploys":
                        trains = share * min(coming, n_services * openings)
                        executed = coming * (1 - share) + trains
                        alone = executed / coming
            if by_hand > 0:
                handoff = scenario.pipeline.handoff_in_team
                delay_h = max(self._within(handoff.delay_h), self._within(step.pickup_h))
                served -= by_hand * (1 - self._share_left(delay_h))
                done.elapsed_h += visited * by_hand / coming * delay_h
                if step.effort_h.expectation > 0 and step.role is not None:
                    tasks = by_hand * alone
                    worked = self._work(pools, step.role, tasks, step.effort_h)
                    share = visited * by_hand / coming
                    hours = share * alone * self._hours_of(step.role, step.effort_h)
                    done.effort_h[step.role] = done.effort_h.get(step.role, 0.0) + hours
                    done.elapsed_h += share * self._elapsed(step.role, step.effort_h)
                    done.tasks += tasks + 0.2 * worked  # some are interrupted and go on later
                    served -= max(0.0, by_hand - worked / alone)
            running = served if step.run_by_hand else max(0.0, served - by_hand)
            run_h = self._run_h(step)
            if run_h > 0 and running > 0:
                left = self._share_left(run_h)
                if step.compute is not None:
                    run_h, starts = self._with_interruptions(step, run_h)
                    slots = pools.compute[step.compute]
                    hours = min(running * alone * run_h, slots[0])
                    through = hours / run_h
                    slots[0] -= hours
                    done.jobs += through * (starts + self._resizes(step))
                    left = min(left, through / max(running * alone, _TINY))
                served -= running * (1 - left)
                done.elapsed_h += visited * running / coming * run_h
            done.steps += max(served, 0.0)
            per_change = max(served, 0.0) / visited
            if step.effect == "deploys":
                done.deployed = per_change
                done.deployments = max(served, 0.0) * alone
                until_deployed_h = done.elapsed_h
                done.effort_until_deployed_h = dict(done.effort_h)
        done.elapsed_h = done.elapsed_h if until_deployed_h is None else until_deployed_h
        author = getattr(scenario.changes, kind, None)
        if author is not None:
            sent_back = sum(max(0.0, visited - 1) for visited in visits) / max(len(visits), 1)
            if author.rework_h.expectation > 0 and sent_back > 0:
                tasks = per_change * sent_back
                done.steps += self._work(pools, author.author, tasks, author.rework_h)
                done.tasks += tasks
                hours = sent_back * self._hours_of(author.author, author.rework_h)
                done.effort_h[author.author] = done.effort_h.get(author.author, 0.0) + hours
                done.elapsed_h += sent_back * self._elapsed(author.author, author.rework_h)
        return done

    def _count(
        self,
        source: str,
        rows: float,
        done: _Delivered,
        incidents: dict[str, float],
        defects: Mapping[DefectKind, float],
    ) -> None:
        """Add the rows of delivered changes, and the incidents that they cause."""
        debt = self._scenario.debt
        in_debt = debt.untested_h + debt.by_hand_h + debt.hidden_h > 0
        self._add(
            source,
            rows + done.steps + done.tasks + done.jobs + done.deployments * (2 if in_debt else 1),
        )
        pipeline = self._scenario.pipeline
        reaching: dict[DefectKind, float] = dict(defects)
        caught: dict[DefectKind, float] = {}
        for step in pipeline.steps.values():
            for kind, by_mode in step.adds.items():
                reaching[kind] = min(1.0, reaching.get(kind, 0.0) + self._by_mode(step, by_mode))
            for kind, by_mode in step.detects.items():
                missed = 1 - self._by_mode(step, by_mode)
                caught[kind] = caught.get(kind, 1.0) * missed
        reaching["infra"] = min(1.0, reaching.get("infra", 0.0) + pipeline.environment_drift)
        for kind, probability in reaching.items():
            escaped = probability * caught.get(kind, 1.0)
            response = getattr(self._scenario.incidents.responses, kind)
            shows = self._share_left(self._within(response.latency_h))
            incidents[kind] += done.deployed * escaped * shows

    def _visits(self, kind: str, steps: list[Step]) -> NDArray[np.float64]:
        """Return how often a change comes to each step, until it is through or given up."""
        names = [
            name
            for name, step in self._scenario.pipeline.steps.items()
            if kind not in step.skipped_by
        ]
        spec = getattr(self._scenario.changes, kind)
        size = len(steps)
        first = self._chances_of_return(steps, {} if spec is None else dict(spec.defects))
        later = self._chances_of_return(steps, {})
        back_to = [
            0 if step.returns_to not in names else names.index(step.returns_to) for step in steps
        ]
        visits = np.zeros(size)
        begins = np.zeros(size)
        begins[0] = 1.0
        for attempt in range(self._scenario.pipeline.max_attempts):
            returns = first if attempt == 0 else later
            here, again = 0.0, np.zeros(size)
            for place in range(size):
                here += begins[place]
                visits[place] += here
                again[back_to[place]] += here * returns[place]
                here *= 1 - returns[place]
            begins = again
            if begins.sum() < 1e-3:
                break
        return visits

    def _chances_of_return(self, steps: list[Step], defects: dict[str, float]) -> list[float]:
        """Return the probability, for each step, that a change is sent back from there."""
        chances = []
        deployed = False
        unrepeatable = self._scenario.pipeline.unrepeatable
        for step in steps:
            passes = 1 - step.fails
            for kind, by_mode in step.detects.items():
                found = defects.get(kind, 0.0) * self._by_mode(step, by_mode)
                passes *= 1 - found
                defects[kind] = defects.get(kind, 0.0) - found
            for kind, by_mode in step.adds.items():
                added = self._by_mode(step, by_mode)
                defects[kind] = defects.get(kind, 0.0) * (1 - added) + added
            if step.effect == "trains_model":
                passes *= 1 - unrepeatable.bespoke / self._scenario.pipeline.max_attempts
            chances.append(0.0 if deployed else 1 - passes)
            deployed |= step.effect == "deploys"
        return chances

    def _by_mode(self, step: Step, by_mode: ByMode) -> float:
        automated = 1.0 if step.role is None else self._scenario.automated(step)
        return automated * by_mode.automated + (1 - automated) * by_mode.manual

    def _run_h(self, step: Step) -> float:
        return min(self._within(step.run_h) / (1 - step.flaky), self._horizon_h)

    def _with_interruptions(self, step: Step, run_h: float) -> tuple[float, float]:
        """Return for how long a job holds slots until it is done, and how often it begins."""
        assert step.compute is not None
        pool = self._scenario.compute[step.compute]
        rate = pool.failures_per_h + pool.preemptions_per_h
        if rate == 0:
            return run_h, 1.0
        piece_h = min(run_h, pool.checkpoint_every_h or run_h)
        pieces = run_h / piece_h
        held_h = min(pieces * float(np.expm1(min(rate * piece_h, 50.0))) / rate, self._horizon_h)
        return held_h, 1 + rate * held_h

    def _resizes(self, step: Step) -> float:
        """Return how often a pool gets larger or smaller for a job: by what it takes, at most."""
        assert step.compute is not None
        pool = self._scenario.compute[step.compute]
        return 0.0 if pool.max_slots is None or pool.max_slots == pool.slots else 1.0

    def _openings(self, step: Step) -> float:
        assert step.window is not None
        weeks = self._scenario.horizon_weeks
        return weeks / step.window.every_weeks * len(set(step.window.days))

    # Hours

    def _hours(self, role: str) -> float:
        """Return the hours of focused work that one person of ``role`` does until the end."""
        scenario = self._scenario
        return scenario.horizon_weeks * _weekly_h(
            scenario.working_hours_of.get(role, scenario.working_hours)
        )

    def _stretches(self, role: str) -> float:
        """Return how often people of ``role`` begin to work: every day, or once."""
        scenario = self._scenario
        hours = scenario.working_hours_of.get(role, scenario.working_hours)
        return 1.0 if hours.always else scenario.horizon_weeks * len(set(hours.days))

    def _hours_of(self, role: str, effort: Distribution) -> float:
        """Return the hours that a person spends on ``effort``, in the mean, until the end."""
        return self._capped_mean(effort, self._hours(role))[0]

    def _elapsed(self, role: str, effort: Distribution) -> float:
        """Return how long ``effort`` takes on the clock, in the mean, at most until the end."""
        return self._hours_of(role, effort) / self._hours(role) * self._horizon_h

    def _work(self, pools: _Pools, role: str, tasks: float, effort: Distribution) -> float:
        """Let people of ``role`` work on ``tasks``, and return how many get done.

        If there are hours for all of them, those are done that begin early enough; if not, one
        follows the other, and as many are done as fit into the hours.
        """
        pool = pools.people.get(role)
        if pool is None or tasks <= 0:
            return 0.0
        person_h = self._hours(role)
        each_h, ever = self._capped_mean(effort, person_h)
        wanted_h = tasks * each_h
        enough = wanted_h <= pool[0]
        hours = min(wanted_h, pool[0])
        pool[0] -= hours
        return tasks * (1 - each_h / person_h) if enough else hours / each_h * ever

    def _share_left(self, delay_h: float) -> float:
        """Return which share of what begins at any time takes ``delay_h`` before the end."""
        return max(0.0, 1 - delay_h / self._horizon_h)

    def _within(self, distribution: Distribution) -> float:
        """Return the mean of the part that lies before the end: E min(X, horizon)."""
        return self._capped_mean(distribution, self._horizon_h)[0]

    def _capped_mean(self, distribution: Distribution, cap: float) -> tuple[float, float]:
        """Return E min(X, cap) and P(X < cap)."""
        key = id(distribution), cap
        if key not in self._capped:
            draws = distribution.quantile(_UNIFORMS)
            mean = float(np.minimum(draws, cap).mean())
            self._capped[key] = mean, float((draws < cap).mean())
        return self._capped[key]

    def _renewals(self, gap: Distribution) -> float:
        """Return how often something happens that happens after each ``gap`` again.

        Between T / E min(X, T) - 1 and twice that plus 1 (Erickson 1973, *The strong law of large
        numbers when the mean is infinite*); at least with the probability that it happens at all.
        """
        mean, at_all = self._capped_mean(gap, self._horizon_h)
        return max(at_all, self._horizon_h / max(mean, _TINY) - 1)

    def _times(self, every_h: float) -> float:
        return self._horizon_h / max(every_h, _TINY)

    def _until_below(self, quality: Quality, level: float) -> float:
        """Return the hours until a model falls below ``level``, by its shape or by shocks."""
        allowed = quality.initial - level
        weeks = self._weeks_until(quality, allowed)
        by_shape = min(weeks * HOURS_PER_WEEK / max(quality.speed, _TINY), self._horizon_h * 10)
        if quality.shocks is None:
            return by_shape
        loss = self._within(quality.shocks.loss)
        needed = max(1.0, allowed / max(loss, _TINY))
        return min(by_shape, needed * self._within(quality.shocks.interarrival_h))

    def _weeks_until(self, quality: Quality, loss: float) -> float:
        never = 1e12
        match quality.decay:
            case LinearDecay(loss_per_week=rate):
                return loss / max(rate, 1e-12)
            case ExponentialDecay(half_life_weeks=half_life):
                left = 1 - loss / quality.initial
                return never if left <= 0 else -half_life * float(np.log2(left))
            case PlateauDecay(plateau_weeks=plateau, loss_per_week=rate):
                return plateau + loss / rate
            case LogisticDecay(midpoint_weeks=midpoint, scale_weeks=scale, loss=most):
                return never if loss >= most else midpoint + scale * 4 * (loss / most - 0.5)
            case _:
                return never

    def _roadmap(self) -> None:
        """Count the work of introducing practices, which half of the people of a pool share."""
        scenario = self._scenario
        for item in scenario.roadmap:
            if item.start_week >= scenario.horizon_weeks:
                continue
            tasks = 0
            for role, effort_h in item.effort_h.items():
                if effort_h > 0:
                    tasks += math.ceil(scenario.shared_people.get(role, 0) / 2)
                    tasks += sum(
                        team.count * math.ceil(team.people.get(role, 0) / 2)
                        for team in scenario.teams.values()
                    )
            self._add("roadmap", 1 + tasks)

    # Bookkeeping

    def _copy(self, pools: _Pools) -> _Pools:
        return _Pools(
            {role: list(hours) for role, hours in pools.people.items()},
            {kind: list(hours) for kind, hours in pools.compute.items()},
        )

    def _add(self, source: str, rows: float) -> None:
        self._rows[source] = self._rows.get(source, 0.0) + rows


def _weekly_h(hours: WorkingHours) -> float:
    """Return the hours of focused work that fit into a week."""
    if hours.always:
        return HOURS_PER_WEEK * hours.focus
    return len(set(hours.days)) * (hours.closes - hours.opens) * hours.focus
