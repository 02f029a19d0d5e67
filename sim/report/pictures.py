"""The pictures of a study: each is declared beside the function that draws it.

Nobody keeps a list of them. A module ``sim/report/*figures.py`` that draws one says which section
of the report shows it::

    @draws(section="Where lead time goes", place=2)
    def gantt_picture(study): ...
"""

from collections.abc import Callable
from dataclasses import replace
from importlib import import_module
from pkgutil import iter_modules
from typing import NamedTuple, TypeVar

import sim.report
from sim.document.picture import Picture
from sim.experiment.replicate import Study

Draw = Callable[[Study], Picture | None]
D = TypeVar("D", bound=Draw)

_LAST = 100


class _Declared(NamedTuple):
    section: str
    place: int
    draw: Draw


_declared: list[_Declared] = []


def draws(section: str, place: int = _LAST) -> Callable[[D], D]:
    """Declare that a function draws a picture of a study, or returns None if there is none.

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
    for module in iter_modules(sim.report.__path__, f"{sim.report.__name__}."):
        if module.name.endswith("figures"):
            import_module(module.name)
    found: dict[str, Picture] = {}
    for declared in sorted(_declared, key=lambda one: one.place):
        picture = declared.draw(study)
        if picture is None:
            continue
        if picture.name in found:
            raise ValueError(f"two pictures are called {picture.name}")
        found[picture.name] = replace(picture, section=declared.section)
    return found
