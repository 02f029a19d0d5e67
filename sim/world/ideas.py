"""Ideas: explored by their author, and handed over for delivery whole or in slices."""

from collections.abc import Generator

from simpy.events import Event
from simpy.resources.resource import Request

from . import authoring, batches
from .context import Organization
from .entities import Change
from .pipeline import deliver
from .randomness import Substream


def explore(
    organization: Organization, idea: Change, slot: Request | None
) -> Generator[Event, object, Change | None]:
    """Explore an idea; what of it is made first is delivered meanwhile.

    An exploration that leads nowhere leaves nothing to deliver, however large it is.

    Args:
        organization: where it is explored.
        idea: the change that delivers all of it, or the first slice.
        slot: in the limit of features in progress, if there is one; it is held until the last slice
            is delivered or given up.

    Returns:
        What is left to deliver: the idea, or its last slice; None if it led nowhere.
    """
    env = organization.env
    effort_h, abandoned = authoring.exploration(organization, idea)
    n_slices = 1 if abandoned else batches.n_slices(organization, idea.service, effort_h)
    if slot is not None and n_slices == 1:
        env.process(_hold_until(idea.end(env), slot))
    change = idea
    for number in range(1, n_slices + 1):
        if number > 1:
            env.process(deliver(organization, change))
            substream = Substream("feature-slice", idea.substream.following(number))
            change = authoring.new_change(
                organization, idea.service, "feature", substream, idea.trigger, idea.priority
            )
        change.idea_share = 1 / n_slices
        yield from authoring.explore(organization, change, effort_h / n_slices, abandoned)
    if slot is not None and n_slices > 1:
        env.process(_hold_until(change.end(env), slot))
    if abandoned:
        return None
    batches.idea_is_finished(organization, idea.service)
    return change


def _hold_until(ended: Event, slot: Request) -> Generator[Event, object, None]:
    """Hold a slot of the limit of features in progress."""
    with slot:
        yield ended
