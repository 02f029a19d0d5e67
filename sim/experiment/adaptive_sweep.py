"""The rounds of an adaptive sweep: fit, decide, write down what was decided, simulate it.

The decision of a round follows from the replications so far alone, and is kept in the store before
its replications begin. So a sweep that was killed goes on to the same result, on another machine or
with another version of scikit-learn as well.
"""

import itertools
import json
from collections.abc import Sequence
from importlib.util import find_spec

from sim.scenario.errors import Problem, ScenarioError
from sim.scenario.organization import Scenario
from sim.scenario.settings import AdaptiveSpec
from sim.scenario.variants import Compose, Variants

from .adaptive import (
    answer,
    first_points,
    next_picks,
    region_of,
)
from .axes import Axis
from .designs import SEED, seed_of, with_seed
from .fingerprint import fingerprint, scenario_digest
from .intervals import FloatArray
from .pooled import contributed
from .scheduler import Scheduler, Watcher
from .store import Store
from .sweep_record import keep_points

INSTALL = "pip install 'mldelivery[adaptive]'"

_PLAN = "adaptive"
"""The note in the store that has the points so far, and the replications that each is to get."""


def refuse_adaptive(settings: Scenario) -> None:
    """Refuse settings with which there is no adaptive sweep.

    Raises:
        ScenarioError: the message says which.
    """
    if settings.adaptive is None:
        hint = "such as adaptive.surface.lead_time_h=5%"
        raise ScenarioError([Problem("adaptive", "design=adaptive needs a question", hint)])
    for name in ("precision", "select"):
        if getattr(settings, name) is not None:
            hint = "leave it out, or take another design"
            raise ScenarioError([Problem(name, "is not for design=adaptive", hint)])
    if settings.baseline:
        hint = "its points are not known beforehand"
        raise ScenarioError([Problem("baseline", "is not for design=adaptive", hint)])
    if find_spec("sklearn") is None:
        raise ScenarioError([Problem("design", "adaptive needs scikit-learn", INSTALL)])


def adaptive_variants(
    axes: Sequence[Axis],
    settings: Scenario,
    compose: Compose,
    composed: Sequence[str],
    checked: Sequence[str] | None,
) -> Variants:
    """Return the scenarios of the first points, each with a seed of its own.

    Args:
        axes: what is varied.
        settings: of the sweep.
        compose: see :class:`sim.scenario.variants.Variants`; without the seed.
        composed: likewise.
        checked: likewise.

    Raises:
        ScenarioError: the axes span no region, or a corner of it is no valid scenario.
    """
    region = region_of(axes)
    assert settings.adaptive is not None
    keys = [*(axis.key for axis in axes), SEED]
    checked = keys if checked is None else [*checked, SEED]
    compose_with_seed = with_seed(compose)
    # What is not valid at the edge is told before anything is simulated.
    corners = itertools.product(*((each.low, each.high) for each in region.intervals))
    ends = [(*corner, settings.seed) for corner in corners]
    at_ends = Variants(keys, ends, compose_with_seed, composed, checked)
    for corner in range(len(ends)):
        at_ends.scenario(corner)
    first = first_points(region, settings.adaptive, settings.seed)
    points = [(*point, seed_of(settings.seed, number)) for number, point in enumerate(first)]
    return Variants(keys, points, compose_with_seed, composed, checked)


def go_on_as_planned(
    store: Store, spec: AdaptiveSpec, variants: Variants, prints: list[bytes]
) -> list[int]:
    """Return the replications of each point that were decided on so far, and add their points.

    Args:
        store: has the decisions, if there are any yet.
        spec: what is asked.
        variants: the scenarios of the first points; gets the others.
        prints: their fingerprints; gets those of the others.

    Raises:
        ScenarioError: a point is no valid scenario.
    """
    text = store.note(_PLAN)
    if text is None:
        return [spec.replications] * len(variants)
    plan = json.loads(text)
    _add(variants, prints, [tuple(point) for point in plan["points"][len(variants) :]])
    return list(plan["replications"])


def ask_on(
    settings: Scenario,
    axes: Sequence[Axis],
    variants: Variants,
    prints: list[bytes],
    wanted: Sequence[int],
    store: Store,
    scheduler: Scheduler,
    watcher: Watcher,
) -> list[int]:
    """Simulate round after round until the question is answered, and return all replications.

    Args:
        settings: of the sweep.
        axes: what is varied.
        variants: the scenarios of the points; gets further ones.
        prints: their fingerprints; gets those of further points.
        wanted: replications of each point, which are finished.
        store: has the replications, and gets the decisions.
        scheduler: runs what is missing.
        watcher: is told about it.

    Raises:
        ScenarioError: a further point is no valid scenario.
        ResultsError: the store cannot be written or read.
        EngineError: nothing can be run any more.
    """
    spec = settings.adaptive
    assert spec is not None
    wanted = list(wanted)
    region = region_of(axes)
    while True:
        failed = scheduler.failures
        values: dict[str, list[FloatArray]] = {name: [] for name in spec.metrics}
        for point, number in enumerate(wanted):
            there = 0 if point in failed else number
            of_point = contributed(store, prints[point], there, spec.metrics)
            for name, column in zip(spec.metrics, of_point.T, strict=True):
                values[name].append(column)
        points = [values_there[:-1] for values_there in variants.points]
        now = answer(spec, region, points, values, settings.seed)
        watcher.narrowed(now.in_words())
        picks = next_picks(spec, now, region.places(points), wanted, values)
        if not picks:
            return wanted
        before, runs = len(wanted), sum(wanted)
        new: list[tuple[object, ...]] = []
        for what, number in picks:
            if isinstance(what, int):
                wanted[what] += number
            else:
                new.append((*region.point(what), seed_of(settings.seed, len(wanted))))
                wanted.append(number)
        _add(variants, prints, new)
        store.write_note(
            _PLAN, json.dumps({"points": list(variants.points), "replications": wanted})
        )
        keep_points(store, variants, prints, before)
        watcher.begin(len(wanted) - before, sum(wanted) - runs)
        scheduler.run(wanted)


def _add(variants: Variants, prints: list[bytes], points: Sequence[tuple[object, ...]]) -> None:
    first = len(variants)
    variants.add(points)
    prints.extend(
        fingerprint(scenario_digest(variants.scenario(point)))
        for point in range(first, len(variants))
    )
