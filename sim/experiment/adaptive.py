"""The design `adaptive`: where to simulate next, so that a question is soon answered.

It begins with a Latin hypercube of few points, fits the surface of each metric that is asked about
(:mod:`sim.experiment.surface`), and goes on where the interval that decides the question is widest:
with a new point, or with further replications of one that is there. Points do not share their luck:
what all of them had in common, no number of points would average away (Chen, Ankenman and Nelson
2012, *The effects of common random numbers on stochastic kriging metamodels*, ACM Transactions on
Modeling and Computer Simulation 22(2)).
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt
from scipy.special import bdtr

from sim.scenario.errors import Problem, ScenarioError
from sim.scenario.settings import AdaptiveSpec

from .axes import Axis, Interval
from .designs import unit_sample
from .intervals import FloatArray
from .precision import Target
from .surface import WIDEST_LOGARITHM, Bands, NoSurfaceError, Surface

BoolArray = npt.NDArray[np.bool_]
IntArray = npt.NDArray[np.integer[Any]]
Point = tuple[object, ...]

_LATTICE = {2: 21, 3: 9}
"""By number of keys, places per key at which surfaces are looked at."""
_DIGITS = 5
"""Of a value, from the first digit of the size of its interval on."""
_FEWEST_PICKS = 4
_SHARE_OF_RUNS = 0.1
"""Runs between two looks, as a share of those so far: the surface hardly changes by fewer."""
_TOO_RARELY = 0.01
"""Probability below which so many misses, of points left out, are no bad luck."""


def region_of(axes: Sequence[Axis]) -> "Region":
    """Return the region that intervals span.

    Raises:
        ScenarioError: there are not two or three of them, or one has no numbers between its ends.
    """
    problems = []
    for axis in axes:
        values = axis.values
        if not isinstance(values, Interval):
            hint = "give interval(low, high), or take design=grid"
            problems.append(Problem(axis.key, "has listed values, which have no surface", hint))
        elif not (values.low < values.high and math.isfinite(values.high - values.low)):
            hint = "both ends finite, the lower one first"
            shown = f"interval({values.low}, {values.high})"
            problems.append(Problem(axis.key, f"{shown} is no interval", hint))
    if not problems and len(axes) not in _LATTICE:
        what = f"adaptive takes two or three keys, not {len(axes)}"
        hint = "design=lhs takes any number" if len(axes) > 3 else "sweep one key with design=grid"
        problems.append(Problem("design", what, hint))
    if problems:
        raise ScenarioError(problems)
    return Region(tuple(axis.values for axis in axes if isinstance(axis.values, Interval)))


@dataclass(frozen=True)
class Region:
    """What the swept intervals span; places in it are in the unit cube."""

    intervals: tuple[Interval, ...]

    def places(self, points: Sequence[Point]) -> FloatArray:
        """Return where points lie, (points, keys)."""
        values = np.array([[float(str(value)) for value in point] for point in points])
        low = np.array([interval.low for interval in self.intervals])
        high = np.array([interval.high for interval in self.intervals])
        places: FloatArray = (values.reshape(len(points), -1) - low) / (high - low)
        return places

    def point(self, place: FloatArray) -> Point:
        """Return the values at a place; whole numbers where only those are meant."""
        return tuple(
            _value(interval, float(share))
            for interval, share in zip(self.intervals, place, strict=True)
        )

    def lattice(self) -> list[FloatArray]:
        """Return the places of each key at which surfaces are looked at."""
        most = _LATTICE[len(self.intervals)]
        lines = []
        for interval in self.intervals:
            line = np.linspace(0.0, 1.0, most)
            if interval.whole:
                values = [_value(interval, float(share)) for share in line]
                width = interval.high - interval.low
                line = np.unique([(float(value) - interval.low) / width for value in values])
            lines.append(line)
        return lines

    def candidates(self) -> FloatArray:
        """Return all places of the lattice, the last key varying fastest, (places, keys)."""
        mesh = np.meshgrid(*self.lattice(), indexing="ij")
        return np.column_stack([each.ravel() for each in mesh])


def _value(interval: Interval, share: float) -> float | int:
    size = interval.high - interval.low
    value = interval.low + share * size
    if interval.whole:
        return round(value)
    # Written with few digits, a point is easily asked for again.
    rounded = round(value, _DIGITS - math.floor(math.log10(size)))
    return min(max(rounded, interval.low), interval.high)


def first_points(region: Region, spec: AdaptiveSpec, seed: int) -> list[Point]:
    """Return the points that a sweep begins with."""
    sample = unit_sample(len(region.intervals), "lhs", spec.points, seed)
    return [region.point(place) for place in sample]


@dataclass(frozen=True)
class Width:
    """How wide what decides a question still is.

    Attributes:
        kind: of the question.
        metric: that is asked about.
        now: half-width of the widest interval of its surface; share of the region that may lie on
            either side of the value; or by how much another place may be better. Infinite as long
            as nothing is known.
        target: at which the question is answered.
        relative: both are shares of the metric.
        widest: the place of it, in the unit cube; None as long as there is no surface.
    """

    kind: str
    metric: str
    now: float
    target: float
    relative: bool
    widest: FloatArray | None

    @property
    def reached(self) -> bool:
        """Whether it is narrow enough."""
        return self.now <= self.target

    def in_words(self) -> str:
        """Return it and its target, such as ``±7.1 % (target ±5 %)``."""
        before = {"surface": "±", "crossing": "", "best": "+"}[self.kind]
        behind = " undecided" if self.kind == "crossing" else ""
        in_percent = self.relative or self.kind == "crossing"
        now, target = (
            f"{before}{100.0 * each:.3g} %" if in_percent else f"{before}{each:.3g}"
            for each in (self.now, self.target)
        )
        return f"{now}{behind} (target {target})"


@dataclass(frozen=True)
class Fit:
    """The surface of one metric at the candidates.

    Attributes:
        surface: the fitted surface.
        candidates: places of the lattice, (places, keys).
        defined: where the metric has data: the nearest point has some.
        bands: the metric there, with its 95 % intervals.
        within: of the points that are left out one at a time, how many lie in the interval that
            the others make for their mean.
    """

    surface: Surface
    candidates: FloatArray
    defined: BoolArray
    bands: Bands
    within: int

    @property
    def misfits(self) -> bool:
        """Whether more points miss these intervals than chance explains."""
        return bool(bdtr(self.within, len(self.surface.means), 0.95) < _TOO_RARELY)


@dataclass(frozen=True)
class Answer:
    """What a question has been answered, so far.

    Attributes:
        spec: the question.
        region: what the keys span.
        fits: by metric that has a surface.
        lacking: why a metric has none, by metric.
        widths: by metric, in the order of the question.
        best: the place of the best value, if that was asked and there is a surface.
    """

    spec: AdaptiveSpec
    region: Region
    fits: Mapping[str, Fit]
    lacking: Mapping[str, str]
    widths: tuple[Width, ...]
    best: FloatArray | None

    @property
    def reached(self) -> bool:
        """Whether the question is answered as closely as was asked."""
        return all(width.reached for width in self.widths)

    def in_words(self) -> str:
        """Return how wide what decides the question is, against its target."""
        return ", ".join(f"{width.metric} {width.in_words()}" for width in self.widths)


Values = Mapping[str, Sequence[FloatArray]]
"""By metric, the replications of each point; NaN where there is no value."""


def answer(
    spec: AdaptiveSpec, region: Region, points: Sequence[Point], values: Values, seed: int
) -> Answer:
    """Answer the question of a sweep from its replications so far."""
    places, candidates = region.places(points), region.candidates()
    fits, lacking = {}, {}
    for name in spec.metrics:
        try:
            surface = Surface.of(places, values[name], seed)
        except NoSurfaceError as error:
            lacking[name] = str(error)
            continue
        known = np.array([not np.isnan(each).all() for each in values[name]])
        within = int((np.abs(surface.leave_one_out()) <= surface.quantile).sum())
        defined = known[_nearest(candidates, places)]
        fits[name] = Fit(surface, candidates, defined, surface.at(candidates), within)
    widths = tuple(_width(spec, name, fits.get(name)) for name in spec.metrics)
    best = None
    if spec.best and fits:
        ((name, fit),) = fits.items()
        best = candidates[_Best(spec, name, fit).chosen]
    return Answer(spec, region, fits, lacking, widths, best)


def next_picks(
    spec: AdaptiveSpec, now: Answer, places: FloatArray, replications: Sequence[int], values: Values
) -> list[tuple[FloatArray | int, int]]:
    """Return what to simulate before the next look: new places or numbers of points, and how often.

    Each choice takes into account what those before it will teach, whatever their outcome: how
    narrow an interval gets depends on where there are replications and not on what they show
    (Ginsbourger, Le Riche and Carraro 2010, *Kriging is well-suited to parallelize optimization*).

    Returns:
        Nothing if the question is answered, cannot be, or the runs are used up.
    """
    left = spec.max_runs - sum(replications)
    hopeless = [name for name in now.lacking if _never_known(values[name])]
    open_ = [name for name in spec.metrics if name not in hopeless]
    if left <= 0 or not open_ or all(w.reached for w in now.widths if w.metric in open_):
        return []
    runs = max(_FEWEST_PICKS * spec.replications, math.ceil(_SHARE_OF_RUNS * sum(replications)))
    candidates = now.region.candidates()
    gap = np.array([line[1] - line[0] for line in now.region.lattice()])
    states = [_state(spec, name, now.fits[name]) for name in open_ if name in now.fits]
    is_blind = len(states) < len(open_)
    picks: list[tuple[FloatArray | int, int]] = []
    taken = places
    for _ in range(math.ceil(min(runs, left) / spec.replications)):
        number = min(spec.replications, left)
        if is_blind:
            chosen = int(np.argmax(_distance(candidates, taken).min(axis=1)))
        else:
            urgency = np.max([state.urgency() for state in states], axis=0)
            if not np.isfinite(urgency.max()):
                break
            chosen = int(np.argmax(urgency))
        place = candidates[chosen]
        (nearest,) = _nearest(place[np.newaxis], taken)
        if (np.abs(taken[nearest] - place) < 0.5 * gap).all():
            picks.append((int(nearest), number))
        else:
            picks.append((place, number))
            taken = np.vstack([taken, place])
        for state in states:
            state.expect(chosen, number)
        left -= number
        if left <= 0 or (not is_blind and all(state.width().reached for state in states)):
            break
    return picks


def _never_known(values: Sequence[FloatArray]) -> bool:
    return all(np.isnan(each).all() for each in values)


def _distance(places: FloatArray, others: FloatArray) -> FloatArray:
    distance: FloatArray = ((places[:, np.newaxis] - others) ** 2).sum(axis=2)
    return distance


def _nearest(places: FloatArray, others: FloatArray) -> IntArray:
    nearest: IntArray = np.argmin(_distance(places, others), axis=1)
    return nearest


class _State:
    """What is known of a metric at the candidates, and will be after further replications."""

    def __init__(self, spec: AdaptiveSpec, name: str, fit: Fit) -> None:
        self.fit = fit
        self.spec = spec
        self.name = name
        self.mean, self.covariance = fit.surface.process_at(fit.candidates)
        self.noise = fit.surface.noise_at(fit.candidates)

    @property
    def deviation(self) -> FloatArray:
        deviation: FloatArray = np.sqrt(np.maximum(np.diag(self.covariance), 0.0))
        return deviation

    def expect(self, place: int, replications: int) -> None:
        """Expect so many replications at a candidate."""
        column = self.covariance[:, place].copy()
        total = column[place] + self.noise[place] / replications
        if total > 0.0:
            self.covariance -= np.outer(column, column) / total

    def width(self) -> Width:
        """Return how wide it is."""
        raise NotImplementedError

    def urgency(self) -> FloatArray:
        """Return how much each candidate needs a replication; minus infinity if it needs none."""
        raise NotImplementedError


class _Whole(_State):
    """The surface as a whole, to a half-width."""

    def __init__(self, spec: AdaptiveSpec, name: str, fit: Fit) -> None:
        super().__init__(spec, name, fit)
        self.target = Target.of(name, spec.surface[name])

    def ratios(self) -> FloatArray:
        mean, low, high = self.fit.surface.in_unit(self.mean, self.deviation)
        half = (high - low) / 2.0
        size = np.abs(mean) if self.target.relative else np.ones_like(mean)
        ratios = np.divide(half, size, out=np.where(half > 0.0, np.inf, 0.0), where=size > 0.0)
        return np.where(self.fit.defined, np.nan_to_num(ratios, posinf=1e300), -np.inf)

    def width(self) -> Width:
        ratios, target = self.ratios(), self.target
        widest = int(np.argmax(ratios))
        place = self.fit.candidates[widest]
        now = float(ratios[widest])
        return Width("surface", self.name, now, target.half_width, target.relative, place)

    def urgency(self) -> FloatArray:
        return self.ratios() / self.target.half_width


class _Crossing(_State):
    """The place where the surface crosses a value."""

    def __init__(self, spec: AdaptiveSpec, name: str, fit: Fit) -> None:
        super().__init__(spec, name, fit)
        value = spec.crossing[name]
        if not fit.surface.logarithmic:
            self.value = value
        else:
            self.value = math.log(value) if value > 0.0 else -math.inf

    def doubt(self) -> FloatArray:
        """Return how far the interval of each candidate reaches beyond the value."""
        doubt = self.fit.surface.quantile * self.deviation - np.abs(self.mean - self.value)
        return np.where(self.fit.defined & (doubt > 0.0), doubt, -np.inf)

    def width(self) -> Width:
        doubt = self.doubt()
        share = float((doubt > 0.0).sum() / max(1, self.fit.defined.sum()))
        place = self.fit.candidates[int(np.argmax(doubt))]
        return Width("crossing", self.name, share, self.spec.undecided, False, place)

    def urgency(self) -> FloatArray:
        return self.doubt() / (self.fit.surface.scale or 1.0)


class _Best(_State):
    """The place with the best value, and the rival that may be better by most.

    The rival with the highest bound and the one chosen so far are looked at further
    (Kalyanakrishnan et al. 2012, *PAC subset selection in stochastic multi-armed bandits*).
    """

    def __init__(self, spec: AdaptiveSpec, name: str, fit: Fit) -> None:
        super().__init__(spec, name, fit)
        self.sign = -1.0 if spec.best[name] == "smallest" else 1.0
        self.chosen = int(np.argmax(np.where(fit.defined, self.sign * self.mean, -np.inf)))

    def advantage(self) -> FloatArray:
        """Return by how much each candidate may be better than the chosen one, at most."""
        own = self.covariance[self.chosen, self.chosen]
        variance = np.diag(self.covariance) + own - 2.0 * self.covariance[self.chosen]
        better = self.sign * (self.mean - self.mean[self.chosen])
        bound = better + self.fit.surface.quantile * np.sqrt(np.maximum(variance, 0.0))
        return np.where(self.fit.defined, bound, -np.inf)

    def width(self) -> Width:
        advantage = self.advantage()
        rival = int(np.argmax(advantage))
        by = float(advantage[rival])
        if self.fit.surface.logarithmic:
            by = math.expm1(min(by, WIDEST_LOGARITHM)) if self.sign > 0.0 else -math.expm1(-by)
        elif self.mean[self.chosen] != 0.0:
            by /= abs(float(self.mean[self.chosen]))
        elif by > 0.0:
            by = math.inf
        place = self.fit.candidates[rival]
        return Width("best", self.name, by, self.spec.regret, True, place)

    def urgency(self) -> FloatArray:
        advantage = self.advantage()
        rival = int(np.argmax(advantage))
        if self.covariance[self.chosen, self.chosen] > self.covariance[rival, rival]:
            rival = self.chosen
        urgency = np.full(len(advantage), -np.inf)
        urgency[rival] = 1.0
        return urgency


def _state(spec: AdaptiveSpec, name: str, fit: Fit) -> _State:
    kinds: dict[str, type[_State]] = {"surface": _Whole, "crossing": _Crossing, "best": _Best}
    return kinds[spec.kind](spec, name, fit)


def _width(spec: AdaptiveSpec, name: str, fit: Fit | None) -> Width:
    if fit is not None:
        return _state(spec, name, fit).width()
    if spec.surface:
        wanted = Target.of(name, spec.surface[name])
        return Width(spec.kind, name, math.inf, wanted.half_width, wanted.relative, None)
    target = spec.undecided if spec.crossing else spec.regret
    return Width(spec.kind, name, math.inf, target, bool(spec.best), None)
