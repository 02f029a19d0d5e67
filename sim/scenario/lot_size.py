"""The economic lot size: how often to deliver where a delivery costs the same whatever its size.

Harris (1913), "How many parts to make at once"; for product development Reinertsen (2009), *The
Principles of Product Development Flow*: the sum of transaction cost, which falls with the size of
a batch, and holding cost, which rises with it, is U-shaped.

Here is the rule, and what a scenario plans; how people learn is in :mod:`sim.world.batches`.
"""

from math import inf, sqrt

from sim.hours import HOURS_PER_WEEK

from .organization import Scenario, Step


def economic_interval_h(cost: float, rate_per_h: float, worth_per_h: float) -> float:
    """Return the hours between deliveries at which delivering and waiting cost least.

    Deliveries every t hours cost K / t per hour; the ideas that wait for them, t / 2 on average,
    c λ t / 2. The sum is least at t = sqrt(2 K / (c λ)).

    Args:
        cost: K, money that a delivery takes whatever its size.
        rate_per_h: λ, ideas that are finished per hour.
        worth_per_h: c, money that a delivered idea brings per hour.

    Returns:
        Hours; infinite if nothing is finished or nothing is worth anything.
    """
    held = rate_per_h * worth_per_h
    return sqrt(2 * cost / held) if held > 0 else inf


def economic_size(cost: float, rate_per_h: float, worth_per_h: float) -> float:
    """Return the ideas that such an interval brings; arguments as above."""
    if rate_per_h <= 0:
        return inf
    return rate_per_h * economic_interval_h(cost, rate_per_h, worth_per_h)


def worth_per_h(scenario: Scenario) -> float:
    """Return the money that a delivered idea brings per hour."""
    cost = scenario.cost
    return cost.feature_worth / (cost.feature_life_weeks * HOURS_PER_WEEK)


def planned_costs(scenario: Scenario) -> tuple[float, float]:
    """Return the money that the steps of an idea take on average: by itself, and in a batch."""
    early = late = 0.0
    late_from = scenario.pipeline.late_from()
    for position, step in enumerate(scenario.pipeline.steps.values()):
        if "feature" in step.skipped_by:
            continue
        cost = _planned_cost(scenario, step)
        if position < late_from:
            early += cost
        else:
            late += cost
    return early, late


def expected_slices(scenario: Scenario, gap_h: float) -> float:
    """Return the mean number of slices of an idea, as far as the plan tells.

    Args:
        scenario: the plan.
        gap_h: hours between two ideas of a service that lead somewhere.
    """
    if scenario.changes.batch_size != "economic":
        return 1.0
    size = economic_size(sum(planned_costs(scenario)), 1 / gap_h, worth_per_h(scenario))
    return max(1.0, 0.5 + 1 / max(size, 1e-3))  # the last slice is half as large, on average


def _planned_cost(scenario: Scenario, step: Step) -> float:
    by_hand = 0.0 if step.role is None else 1 - scenario.automated(step)
    money = 0.0
    if step.role is not None:
        per_h = scenario.cost.person_per_h_of.get(step.role, scenario.cost.person_per_h)
        money += by_hand * step.effort_h.expectation * per_h
    if step.compute is not None:
        by_machine = 1.0 if step.run_by_hand else 1 - by_hand
        per_h = scenario.cost.compute_per_h.get(step.compute, 0.0)
        money += by_machine * step.run_h.expectation * per_h
    return money
