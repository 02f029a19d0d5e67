"""Sources: what happens again and again, as long as the scenario says how often."""

from collections.abc import Callable, Generator

from simpy.events import Event

from sim.scenario.distributions import Distribution

from .context import Organization


class Source:
    """Something that happens again and again.

    Args:
        organization: where it happens.
        name: names its draw table, whose first column holds the gaps.
        gap: returns the distribution of the time until it happens next; None is never again.

    Attributes:
        number: how often it has happened before; -1 if never.
    """

    def __init__(
        self, organization: Organization, name: str, gap: Callable[[], Distribution | None]
    ) -> None:
        self.number = -1
        self._organization = organization
        self._name = name
        self._gap = gap

    def next(self, *columns: Distribution | None) -> Generator[Event, object, list[float] | None]:
        """Wait until it happens; return what was drawn for it by ``columns``, None if it ends."""
        gap = self._gap()
        if gap is not None:
            self.number += 1
            table = self._organization.table(self._name, [gap, *columns])
            gap_h, *draws = table.take(self.number)
            yield self._organization.env.timeout(gap_h)
            if self._gap() is not None:
                return draws
        self._organization.sources.remove(self._name)
        return None


def begin(
    organization: Organization,
    name: str,
    gap: Callable[[], Distribution | None],
    happen: Callable[[Source], Generator[Event, object, None]],
) -> None:
    """Let something happen again and again, unless it does already or never will.

    Args:
        organization: where it happens.
        name: name of its draw table.
        gap: see :class:`Source`.
        happen: what takes one time after the other from the source.
    """
    if gap() is not None and name not in organization.sources:
        organization.sources.add(name)
        organization.env.process(happen(Source(organization, name, gap)))
