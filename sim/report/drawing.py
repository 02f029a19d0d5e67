"""The drawing of a study's pictures in worker processes, while its tables are being read.

The processes are those that have simulated the replications and are idle now. What they draw is the
same, byte for byte, as what would be drawn here.
"""

import pickle
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import BrokenExecutor
from contextlib import contextmanager
from functools import lru_cache

from sim.document.picture import Picture, drawn
from sim.experiment.engines import engine
from sim.experiment.parallel import workers_for
from sim.experiment.payback import Payback
from sim.experiment.replicate import Study
from sim.report.pictures import (
    LAST,
    Placed,
    by_name,
    drawing_modules,
    pictures_of_module,
    pictures_of_others,
)

_LARGEST_BYTES = 50e6
"""A larger study is drawn here: it would have to travel to each worker, which would keep a copy."""


@contextmanager
def drawn_meanwhile(
    study: Study, payback: Payback | None = None
) -> Iterator[Callable[[], dict[str, Picture]]]:
    """Let idle workers draw the pictures of a study during the block.

    Where no workers have simulated, all is drawn when somebody waits for it.

    Args:
        study: the study.
        payback: what its roadmap brings, if it has one; there is a picture of that, too.

    Yields:
        What waits for the drawings, and returns the pictures by name.
    """
    workers = workers_for(len(study.runs), study.scenario.n_jobs)
    if workers == 1 or _bytes(study) > _LARGEST_BYTES:
        yield lambda: draw_here(study, payback)
        return
    parcel = pickle.dumps((study, payback))
    with engine(n_jobs=workers) as elsewhere:
        futures = [elsewhere.submit(_draw_module, parcel, name) for name in drawing_modules()]
        futures.append(elsewhere.submit(_draw_payback, parcel))

        def wait() -> dict[str, Picture]:
            try:
                found = [placed for future in futures for placed in future.result()]
            except BrokenExecutor:  # a worker was killed; what it has simulated is here
                return draw_here(study, payback)
            others = pictures_of_others(study if payback is None else payback.reported or study)
            return by_name([*found, *_drawn(others, study)])

        try:
            yield wait
        finally:
            for future in futures:
                future.cancel()


def draw_here(study: Study, payback: Payback | None = None) -> dict[str, Picture]:
    """Draw the pictures of a study in this process, and return them by name.

    Args:
        study: the study.
        payback: what its roadmap brings, if it has one; there is a picture of that, too.
    """
    found = [
        *(placed for name in drawing_modules() for placed in _of_module(name, study, payback)),
        *pictures_of_others(study if payback is None else payback.reported or study),
        *_of_payback(payback),
    ]
    return by_name(_drawn(found, study))


def _draw_module(parcel: bytes, module: str) -> list[Placed]:
    study, payback = _opened(parcel)
    return _drawn(_of_module(module, study, payback), study)


def _of_module(module: str, study: Study, payback: Payback | None) -> list[Placed]:
    """Return what a module draws of a study; of a roadmap, of its last period.

    The course over time is that of the organization without the roadmap: it tells whether the
    warm-up is long enough, and the change would look like one.
    """
    if payback is None:
        return pictures_of_module(module, study)
    if module.endswith("course_figures"):
        return pictures_of_module(module, payback.waited)
    reported = payback.reported
    return [] if reported is None else pictures_of_module(module, reported)


def _draw_payback(parcel: bytes) -> list[Placed]:
    study, payback = _opened(parcel)
    return _drawn(_of_payback(payback), study)


@lru_cache(maxsize=1)
def _opened(parcel: bytes) -> tuple[Study, Payback | None]:
    """Return the study in a parcel, which comes again with every piece of work."""
    opened: tuple[Study, Payback | None] = pickle.loads(parcel)
    return opened


def _of_payback(payback: Payback | None) -> list[Placed]:
    if payback is None:
        return []
    from sim.report.payback_figures import payback_picture  # matplotlib, whose import takes a while

    return [Placed(LAST, payback_picture(payback))]


def _drawn(found: Iterable[Placed], study: Study) -> list[Placed]:
    png = study.scenario.png
    return [Placed(place, drawn(picture, png)) for place, picture in found]


def _bytes(study: Study) -> int:
    frames = (study.runs, study.weekly, *study.first.tables.values())
    return sum(int(frame.memory_usage(index=False).sum()) for frame in frames)
