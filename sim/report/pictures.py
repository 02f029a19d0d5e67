"""The pictures of a report: each is declared beside the function that draws it.

Nobody keeps a list of them. A module ``sim/report/*figures.py`` that draws one says which section
of the report shows it::

    @draws(section="Where lead time goes", place=2)
    def gantt_picture(evidence): ...

The evidence is a study, or the observation of somebody's records.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from functools import partial
from importlib import import_module
from pkgutil import iter_modules
from typing import NamedTuple, TypeVar

import sim.report
from sim.document.picture import Picture
from sim.experiment.replicate import Study
from sim.log import Records
from sim.metrics.arrays import known
from sim.report.evidence import Evidence, Observation
from sim.report.units import NO_DATA

Draw = Callable[[Evidence], Picture | None]
D = TypeVar("D", bound=Draw)

LAST = 100
"""The place after the others."""


class _Declared(NamedTuple):
    section: str
    place: int
    draw: Draw


_declared: list[_Declared] = []


def draws(section: str, place: int = LAST) -> Callable[[D], D]:
    """Declare that a function draws a picture of its evidence, or returns None if there is none.

    Args:
        section: title of the section of the report that shows it.
        place: where it stands among the pictures of the section; by default after the others.
    """

    def declare(function: D) -> D:
        _declared.append(_Declared(section, place, function))
        return function

    return declare


class Placed(NamedTuple):
    """A picture, and its place among those of its section."""

    place: int
    picture: Picture


def study_pictures(study: Study) -> dict[str, Picture]:
    """Return the pictures of a study by name, those of a section in their order.

    Pictures of events are of the first replication, the only one whose tables are kept.

    Raises:
        ValueError: two of them have the same name.
    """
    return by_name(_placed(lambda draw: draw(study), _all_declared()))


def pictures_of_module(module: str, study: Study) -> list[Placed]:
    """Return the pictures of a study that one of the :func:`drawing_modules` draws."""
    return list(_placed(lambda draw: draw(study), _declared_by(module)))


def pictures_of_others(study: Study) -> list[Placed]:
    """Return the pictures of a study that modules outside of this package draw, if any."""
    return list(_placed(lambda draw: draw(study), _declared_by_others()))


def records_pictures(records: Records | Observation) -> dict[str, Picture]:
    """Return the pictures of records by name: those of a study that there are data for.

    Raises:
        ValueError: two of them have the same name.
    """
    import matplotlib as mpl  # takes a while, and who only asks for the modules draws nothing

    observation = records if isinstance(records, Observation) else Observation(records)

    def drawn(draw: Draw) -> Picture | None:
        picture = known(partial(draw, observation), None)
        return None if picture is None or picture.alt.endswith(NO_DATA) else picture

    # Names are somebody else's: a dollar in them begins no formula.
    with mpl.rc_context({"text.parse_math": False}):
        return by_name(_placed(drawn, _all_declared()))


def drawing_modules() -> list[str]:
    """Return the names of the modules of this package that draw; they are not imported for that."""
    found = iter_modules(sim.report.__path__, f"{sim.report.__name__}.")
    return [module.name for module in found if module.name.endswith("figures")]


def by_name(placed: Iterable[Placed]) -> dict[str, Picture]:
    """Return pictures by name, in the order of their places.

    Raises:
        ValueError: two of them have the same name.
    """
    found: dict[str, Picture] = {}
    for _, picture in sorted(placed, key=lambda one: one.place):
        if picture.name in found:
            raise ValueError(f"two pictures are called {picture.name}")
        found[picture.name] = picture
    return found


def _all_declared() -> list[_Declared]:
    """Return what is declared, in an order that does not depend on what was imported first."""
    ours = [one for module in drawing_modules() for one in _declared_by(module)]
    return [*ours, *_declared_by_others()]


def _declared_by(module: str) -> list[_Declared]:
    import_module(module)
    return [one for one in _declared if one.draw.__module__ == module]


def _declared_by_others() -> list[_Declared]:
    return [one for one in _declared if one.draw.__module__ not in drawing_modules()]


def _placed(
    drawn: Callable[[Draw], Picture | None], declared: Iterable[_Declared]
) -> Iterator[Placed]:
    for section, place, draw in declared:
        if (picture := drawn(draw)) is not None:
            yield Placed(place, replace(picture, section=section))
