"""Investment: practices that are introduced while everybody goes on delivering.

The people who build a practice are those who deliver, and it takes precedence over their features;
when it is done, the whole organization works by it, at first more slowly because it has to learn.
"""

from collections.abc import Generator
from math import ceil

from simpy.events import Event

from sim.hours import HOURS_PER_WEEK
from sim.scenario.organization import Investment, Scenario
from sim.scenario.roadmap import stages

from .adoption import adopt
from .context import Organization
from .entities import Introduction
from .people import INVESTMENT, PeoplePool


def begin(organization: Organization) -> None:
    """Set the roadmap in motion; its items are adopted in its order."""
    scenario = organization.scenario
    before = None
    for item, stage in zip(scenario.roadmap, stages(scenario), strict=True):
        before = organization.env.process(_introduce(organization, item, stage, before))


def _introduce(
    organization: Organization, item: Investment, stage: Scenario, before: Event | None
) -> Generator[Event, object, None]:
    env = organization.env
    yield env.at(item.start_week * HOURS_PER_WEEK)
    introduction = Introduction(item, env.now)
    organization.introductions.append(introduction)
    yield env.all_of(
        [
            pool.work(effort_h / _builders(pool), INVESTMENT)
            for role, effort_h in item.effort_h.items()
            if effort_h > 0
            for pool in organization.people_of(role)
            for _ in range(_builders(pool))
        ]
    )
    if before is not None:
        yield before
    adopt(organization, stage)
    introduction.adopted_at = env.now
    introduction.learned_at = env.now + item.learning_weeks * HOURS_PER_WEEK


def _builders(pool: PeoplePool) -> int:
    """Return how many build at a time: half of the people, one at least."""
    return ceil(pool.headcount / 2)
