"""Designs of experiments: which combinations of values of the axes are simulated."""

import functools
import math
from collections.abc import Callable, Sequence
from hashlib import blake2b
from typing import Literal, overload

import numpy as np

from sim.scenario.errors import Problem, ScenarioError
from sim.scenario.variants import Compose, Composed, with_value

from .axes import Axis, Drawn, Interval, Values, Weights
from .intervals import FloatArray

Design = Literal["grid", "zip", "random", "lhs", "sobol", "morris"]
"""Designs whose points are all known beforehand; :mod:`.adaptive` has the one whose are not."""

_MORRIS_LEVELS = 4
"""Levels of an axis (Morris 1991); a step of a trajectory goes half of them up or down."""

OWN_LUCK = ("random", "adaptive")
"""Designs each of whose points has a seed of its own; those of the others share their luck."""

GROWING = ("random", "sobol", "morris")
"""Designs whose first points are those of fewer samples. A Sobol sequence goes on, also scrambled,
and a generator of trajectories, too; a Latin hypercube of more samples has other cells."""

SEED = "seed"
"""The key of the seeds of such points, behind those that are varied."""

MOST_POINTS = 1_000_000
"""Of a design, and values of an axis: what is kept of each makes a gigabyte of them."""

Point = tuple[object, ...]


def points(axes: Sequence[Axis], design: Design, samples: int, seed: int) -> Sequence[Point]:
    """Return the points of a design: combinations with one value for each axis, in their order.

    ========  ================================================  =================================
    design    points                                            number
    ========  ================================================  =================================
    `grid`    all combinations; the last axis varies fastest    product of the numbers of values
    `zip`     the first values of all axes, the second ...      number of values of any axis
    `random`  independent draws; a point is the same        samples
              whatever the number of samples, and its draw
              of a key whatever the other keys
    `lhs`     Latin hypercube (McKay et al. 1979): each axis    samples
              has one point in each of `samples` equal parts
    `sobol`   Saltelli's sample for first and total Sobol       samples * (axes + 2)
              indices, from a scrambled Sobol sequence
    `morris`  trajectories that move one axis at a time         samples * (axes + 1)
              (Morris 1991), on four levels
    ========  ================================================  =================================

    The last four draw from intervals, uniformly, and from distributions and weights, by inverse
    transform; in them an axis with listed values takes each with equal probability. `morris` goes
    by levels and knows neither distributions nor weights. Nothing is random in the first two.
    Points are made when they are asked for, so a large grid needs no memory.

    Args:
        axes: what varies. Without any, a grid has one point, and it is empty.
        design: how it varies.
        samples: size of a sampled design; for `sobol` a power of two. The others ignore it.
        seed: of a sampled design; the same seed gives the same points.

    Raises:
        ScenarioError: there are more than :data:`MOST_POINTS`; an axis has no values; an interval
            is empty, or stands in a design that lists; a sampled design has no interval; the axes
            of a `zip` differ in length; the number of samples does not suit the design.
    """
    _check(axes, design, samples)
    size = _size(axes, design, samples)
    if size > MOST_POINTS:
        hint = f"at most {MOST_POINTS:,}; take fewer values or samples"
        raise ScenarioError([Problem("design", f"{design} has {size:,} points", hint)])
    if design == "grid":
        listed = _listed(axes)
        return _Points(size, functools.partial(_combination, listed))
    if design == "zip":
        return list(zip(*_listed(axes), strict=True)) if axes else [()]
    if design == "random":
        sample = np.column_stack([_uniforms(axis.key, samples, seed) for axis in axes])
    else:
        sample = unit_sample(len(axes), design, samples, seed)
    return _Points(len(sample), functools.partial(_scaled, axes, sample))


def _size(axes: Sequence[Axis], design: Design, samples: int) -> int:
    """Return the number of points of a design, which need not be made for that."""
    match design:
        case "grid":
            return math.prod(len(values) for values in _listed(axes))
        case "zip":
            return max((len(values) for values in _listed(axes)), default=1)
        case "random" | "lhs":
            return samples
        case "sobol":
            return samples * (len(axes) + 2)
        case "morris":
            return samples * (len(axes) + 1)


def with_seed(compose: Compose) -> Compose:
    """Return what composes a point whose last value is the seed that gives it luck of its own."""

    def compose_with_seed(values: tuple[object, ...]) -> Composed:
        data, can_be_set = compose(values[:-1])
        return Composed(with_value(data, SEED, values[-1]), can_be_set)

    return compose_with_seed


def seed_of(seed: int, point: int) -> int:
    """Return the seed of a point, which gives it luck of its own; the first has the sweep's."""
    return seed if point == 0 else int(np.random.SeedSequence([seed, point]).generate_state(1)[0])


def _uniforms(key: str, samples: int, seed: int) -> FloatArray:
    """Return so many numbers in [0, 1) from the stream of a key; more begin with the same."""
    name = int.from_bytes(blake2b(key.encode(), digest_size=8).digest(), "little")
    return np.random.default_rng(np.random.SeedSequence(seed, spawn_key=(name,))).random(samples)


def unit_sample(n_axes: int, design: Design, samples: int, seed: int) -> FloatArray:
    """Return where the points of a sampled design lie in the unit cube, (points, axes)."""
    rng = np.random.default_rng(seed)
    # SciPy's statistics and SALib take long to import, and most sweeps do without them.
    if design == "lhs":
        from scipy.stats import qmc

        return np.asarray(qmc.LatinHypercube(n_axes, seed=rng).random(samples))
    problem = {
        "num_vars": n_axes,
        "names": [str(number) for number in range(n_axes)],
        "bounds": [[0.0, 1.0]] * n_axes,
    }
    if design == "sobol":
        from SALib.sample import sobol

        return np.asarray(sobol.sample(problem, samples, calc_second_order=False, seed=rng))
    if design == "morris":
        from SALib.sample import morris

        sample = morris.sample(problem, samples, num_levels=_MORRIS_LEVELS, seed=rng)
        # Without the rounding errors a level never falls into the wrong part of an axis.
        steps = _MORRIS_LEVELS - 1
        return np.asarray(np.rint(sample * steps) / steps)
    raise ValueError(f"design {design!r} is not sampled")


def _check(axes: Sequence[Axis], design: Design, samples: int) -> None:
    """Raise a ScenarioError that names everything for which there is no such design."""
    problems: list[Problem] = []
    sampled = design not in ("grid", "zip")
    for axis in axes:
        values = axis.values
        if isinstance(values, Weights | Drawn):
            if not sampled or design == "morris":
                hint = "take design=random, lhs or sobol"
                problems.append(Problem(axis.key, f"{design} does not draw by chances", hint))
        elif isinstance(values, Interval):
            if not sampled:
                hint = "list the values, or take design=lhs, random, sobol or morris"
                problems.append(Problem(axis.key, f"{values} has no values to list", hint))
            elif not (values.low < values.high and math.isfinite(values.high - values.low)):
                hint = "both ends finite, the lower one first"
                problems.append(Problem(axis.key, f"{values} is no interval", hint))
        elif not values:
            problems.append(Problem(axis.key, "there are no values to sweep over"))
    if sampled:
        if all(isinstance(axis.values, tuple) for axis in axes):
            what = f"{design} draws from intervals, and there are none"
            hint = "sweep over interval(low, high) for at least one key, or take design=grid"
            problems.append(Problem("design", what, hint))
        problems += _problem_of_size(design, samples)
    elif design == "zip":
        lengths = {axis.key: len(axis.values) for axis in axes if isinstance(axis.values, tuple)}
        if len(set(lengths.values())) > 1:
            what = "zip takes one value of each axis at a time, but they differ in number"
            shown = ", ".join(f"{key} has {length}" for key, length in lengths.items())
            problems.append(Problem("design", what, shown))
    if problems:
        raise ScenarioError(problems)


def _problem_of_size(design: Design, samples: int) -> list[Problem]:
    """Return what is wrong with the number of samples of a sampled design, if anything."""
    fewest = 1 if design in ("random", "lhs") else 2
    if samples < fewest:
        return [Problem("samples", f"{samples} are too few", f"{design} needs at least {fewest}")]
    if design == "sobol" and samples & (samples - 1):
        lower = 1 << (samples.bit_length() - 1)
        hint = f"a power of two keeps the sequence balanced: {lower} or {2 * lower}"
        return [Problem("samples", f"sobol cannot take {samples}", hint)]
    return []


def _listed(axes: Sequence[Axis]) -> list[tuple[object, ...]]:
    """Return the values of axes that are known to list them."""
    return [axis.values for axis in axes if isinstance(axis.values, tuple)]


class _Points(Sequence[Point]):
    """Points that are made when they are asked for."""

    def __init__(self, size: int, point: Callable[[int], Point]) -> None:
        self._numbers = range(size)
        self._point = point

    def __len__(self) -> int:
        return len(self._numbers)

    @overload
    def __getitem__(self, index: int) -> Point: ...
    @overload
    def __getitem__(self, index: slice) -> list[Point]: ...
    def __getitem__(self, index: int | slice) -> Point | list[Point]:
        chosen = self._numbers[index]
        if isinstance(chosen, range):
            return [self._point(number) for number in chosen]
        return self._point(chosen)


def _combination(listed: Sequence[tuple[object, ...]], number: int) -> Point:
    """Return one of all combinations; the last axis varies fastest."""
    reversed_point = []
    for values in reversed(listed):
        number, place = divmod(number, len(values))
        reversed_point.append(values[place])
    return tuple(reversed(reversed_point))


def _scaled(axes: Sequence[Axis], sample: FloatArray, number: int) -> Point:
    """Return the point that belongs to a row of the sample of the unit cube."""
    places = sample[number].tolist()
    return tuple(_value(axis.values, place) for axis, place in zip(axes, places, strict=True))


def _value(values: Values, place: float) -> object:
    """Return the value at a place between 0 and 1."""
    if isinstance(values, Weights | Drawn):
        return values.at(place)
    if isinstance(values, tuple):
        return values[part(place, len(values))]
    low, high = values.low, values.high
    if values.whole:
        return int(low) + part(place, int(high) - int(low) + 1)
    return min(low + place * (high - low), high)


def part(place: float, parts: int) -> int:
    """Return in which of so many equal parts of [0, 1] a place lies; the end is in the last."""
    return min(int(place * parts), parts - 1)
