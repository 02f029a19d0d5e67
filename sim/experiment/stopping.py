"""When a sweep has replicated enough, and which points need more: the settings of that at work."""

import math
from collections.abc import Collection, Mapping, Sequence
from functools import partial

import pandas as pd

from sim.metrics.catalogue import metric
from sim.metrics.restore import Restored
from sim.scenario.errors import Problem, ScenarioError, nearest
from sim.scenario.organization import Scenario
from sim.scenario.settings import Precision, SelectionSpec

from .pooled import contributed, with_contributions
from .precision import Target, are_narrow, are_narrow_differences, is_enough
from .run import metric_names
from .selection import Goal, Selection, next_replications, select
from .store import Store

_CONFIDENCE = 0.95
_LOOKS = 5
"""How often a search looks whether it is over. More frequent looks find it over by chance."""
_STEPS = 20
"""Parts in which the budget of a search is given out."""


def goal_of(wish: SelectionSpec) -> Goal:
    """Return what is looked for by the setting `select`."""
    same = Target.of(wish.metric, wish.indifference)
    is_largest = wish.goal == "largest"
    return Goal(
        wish.metric, is_largest, wish.at_most, wish.at_least, same.half_width, same.relative
    )


def targets_of(precision: Precision) -> list[Target]:
    """Return how precise the setting `precision` asks a sweep to be.

    Raises:
        ScenarioError: a relative half-width of what may be zero.
    """
    targets = []
    for name, width in precision.half_width.items():
        target = Target.of(name, width)
        positive = precision.of == "points" and metric(name).is_certainly_positive
        if target.relative and not positive:
            what = f"{width} of what may be zero is no width"
            hint = "give it in the unit of the metric, such as 0.02"
            raise ScenarioError([Problem(f"precision.half_width.{name}", what, hint)])
        targets.append(target)
    return targets


def check_metrics(settings: Scenario) -> None:
    """Refuse settings with metrics that the scenario does not have, before anything is simulated.

    Args:
        settings: of the sweep.

    Raises:
        ScenarioError: there is no such metric, or its precision cannot be relative.
    """
    asked: dict[str, str] = {}
    if settings.precision is not None:
        asked |= {f"precision.half_width.{name}": name for name in settings.precision.half_width}
    if settings.select is not None:
        asked["select.metric"] = settings.select.metric
        for limits in ("at_most", "at_least"):
            names = list(getattr(settings.select, limits))
            asked |= {f"select.{limits}.{name}": name for name in names}
    if settings.adaptive is not None:
        kind = settings.adaptive.kind
        asked |= {f"adaptive.{kind}.{name}": name for name in settings.adaptive.metrics}
    known = metric_names(settings)
    for name in settings.metrics:
        if name not in known:
            raise ScenarioError([Problem("metrics", f"no metric '{name}'", nearest(name, known))])
    for key, name in asked.items():
        if name not in known:
            raise ScenarioError([Problem(key, f"no metric '{name}'", nearest(name, known))])
    if settings.precision is not None:
        targets_of(settings.precision)


def replicate_further(
    settings: Scenario,
    store: Store,
    prints: Sequence[bytes],
    done: Sequence[int],
    baseline: int,
    failed: Collection[int],
) -> list[int] | None:
    """Return how many replications of each point are wanted after these; None if it is enough.

    The answer depends on the replications alone, so that a sweep that is resumed, or run by another
    engine, wants the same.

    Args:
        settings: of the sweep.
        store: has the replications.
        prints: fingerprint of each point.
        done: how many replications each point has.
        baseline: the point that differences refer to.
        failed: points that could not be simulated.
    """
    points = [point for point in range(len(prints)) if point not in failed]
    if settings.precision is not None:
        wanted = _until_precise(settings.precision, settings, store, prints, done, baseline, points)
    elif settings.select is not None:
        wanted = _until_selected(settings.select, settings, store, prints, done, points)
    else:
        return None
    return wanted if wanted != list(done) else None


def _until_precise(
    precision: Precision,
    settings: Scenario,
    store: Store,
    prints: Sequence[bytes],
    done: Sequence[int],
    baseline: int,
    points: Sequence[int],
) -> list[int]:
    wanted = list(done)
    targets = targets_of(precision)
    names = [target.metric for target in targets]
    paired = precision.of == "differences"
    if paired and baseline not in points:
        return wanted
    reference = contributed(store, prints[baseline], done[baseline], names) if paired else None
    first, look_ahead = settings.replications, precision.look_ahead
    for point in points:
        if paired and point == baseline:
            continue
        number = done[point]
        values, restored = store.replications(prints[point], number, names)
        if reference is None:
            is_narrow = partial(are_narrow, values, restored, targets, _CONFIDENCE, first)
        else:
            differences = with_contributions(values, names, restored) - reference[:number]
            is_narrow = partial(are_narrow_differences, differences, targets, _CONFIDENCE, first)
        if not is_enough(is_narrow, number, first, look_ahead):
            further = max(look_ahead, math.ceil(number / 4), 1)
            wanted[point] = max(number, min(number + further, precision.most_replications))
    if paired:  # each replication of a point is paired with one of the baseline
        wanted[baseline] = max(wanted[point] for point in points)
    return wanted


def _until_selected(
    wish: SelectionSpec,
    settings: Scenario,
    store: Store,
    prints: Sequence[bytes],
    done: Sequence[int],
    points: Sequence[int],
) -> list[int]:
    wanted = list(done)
    budget = budget_of(wish, settings.replications, len(points))
    spent = sum(done[point] for point in points) - settings.replications * len(points)
    if spent >= budget or not points:
        return wanted
    goal = goal_of(wish)
    frames: list[pd.DataFrame] = []
    incidents: dict[int, Restored] = {}
    for point in points:
        values, restored = store.replications(prints[point], done[point], goal.metrics)
        frame = pd.DataFrame(values, columns=goal.metrics)
        frames.append(frame.assign(point=point, replication=range(done[point])))
        if restored is not None:
            incidents[point] = restored
    runs = pd.concat(frames, ignore_index=True)
    next_look = math.ceil(budget * (spent * (_LOOKS - 1) // budget + 1) / (_LOOKS - 1))
    this_look = math.ceil(budget * (spent * (_LOOKS - 1) // budget) / (_LOOKS - 1))
    if spent == this_look:
        looks = looks_of(budget)
        probability = select(runs, goal, settings.seed, looks, incidents).probability
        if probability >= wish.probability:
            return wanted
    step = min(max(1, math.ceil(budget / _STEPS)), next_look - spent)
    for point, further in next_replications(runs, goal, step, incidents).items():
        wanted[point] += further
    return wanted


def selected(
    wish: SelectionSpec,
    settings: Scenario,
    points: int,
    runs: pd.DataFrame,
    incidents: Mapping[int, Restored],
) -> Selection:
    """Return the choice after a search.

    Args:
        wish: the setting `select`.
        settings: of the sweep.
        points: how many could be simulated.
        runs: their replications, as for :func:`~.selection.select`.
        incidents: likewise.
    """
    goal = goal_of(wish)
    looks = looks_of(budget_of(wish, settings.replications, points))
    looked = select(runs, goal, settings.seed, looks, incidents)
    if looked.probability >= wish.probability:
        return looked
    # The search was not ended by what it saw on the way, so that this is the one look.
    return select(runs, goal, settings.seed, 1, incidents)


def budget_of(wish: SelectionSpec, replications: int, points: int) -> int:
    """Return how many further replications the setting `select` allows, of all points together."""
    return replications * points if wish.budget is None else wish.budget


def looks_of(budget: int) -> int:
    """Return how often a search with this budget looks whether the choice is sure enough."""
    return _LOOKS if budget else 1
