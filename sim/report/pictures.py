"""The pictures of a report: each is declared beside the function that draws it.

Nobody keeps a list of them. A module ``sim/report/*figures.py`` that draws one says which section
of the report shows it::

    @draws(section="Where lead time goes", place=2)
    def gantt_picture(evidence): ...

The evidence is a study, or the observation of somebody's records.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from importlib import import_module
from pkgutil import iter_modules
from typing import NamedTuple, TypeVar

import matplotlib as mpl

import sim.report
from sim.document.picture import Picture
from sim.experiment.replicate import Study
from sim.log import Records
from sim.metrics.arrays import known
from sim.report.evidence import Evidence, Observation
from sim.report.units import NO_DATA

Draw = Callable[[Evidence], Picture | None]
D = TypeVar("D", bound=Draw)

_LAST = 100


class _Declared(NamedTuple):
    section: str
    place: int
    draw: Draw


_declared: list[_Declared] = []


def draws(section: str, place: int = _LAST) -> Callable[[D], D]:
    """Declare that a function draws a picture of its evidence, or returns None if there is none.

    Args:
        section: title of the section of the report that shows it.
        place: where it stands among the pictures of the section; by default after the others.
    """

    def declare(function: D) -> D:
        _declared.append(_Declared(section, place, function))
        return function

    return declare


def study_pictures(study: Study) -> dict[str, Picture]:
    """Return the pictures of a study by name, those of a section in their order.

    Pictures of events are of the first replication, the only one whose tables are kept.

    Raises:
        ValueError: two of them have the same name.
    """
    return _by_name(lambda draw: draw(study))


def records_pictures(records: Records) -> dict[str, Picture]:
    """Return the pictures of records by name: those of a study that there are data for.

    Raises:
        ValueError: two of them have the same name.
    """
    observation = Observation(records)

    def drawn(draw: Draw) -> Picture | None:
        picture = known(partial(draw, observation), None)
        return None if picture is None or picture.alt.endswith(NO_DATA) else picture

    # Names are somebody else's: a dollar in them begins no formula.
    with mpl.rc_context({"text.parse_math": False}):
        return _by_name(drawn)


def _by_name(drawn: Callable[[Draw], Picture | None]) -> dict[str, Picture]:
    for module in iter_modules(sim.report.__path__, f"{sim.report.__name__}."):
        if module.name.endswith("figures"):
            import_module(module.name)
    found: dict[str, Picture] = {}
    for declared in sorted(_declared, key=lambda one: one.place):
        picture = drawn(declared.draw)
        if picture is None:
            continue
        if picture.name in found:
            raise ValueError(f"two pictures are called {picture.name}")
        found[picture.name] = replace(picture, section=declared.section)
    return found
