"""Names, rows, sentences and warnings of a report on a sweep.

Everything here is derived from the numbers of the sweep. Figures, terminal and HTML report show the
same names, units and estimates.
"""

import math
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

import numpy as np
import pandas as pd
import yaml

from sim.document.document import Caveat, Tile, Tiles
from sim.experiment.axes import (
    Axis,
    Drawn,
    Interval,
    Weights,
    draws_a_population,
    places_on_grid,
    told_apart,
)
from sim.experiment.intervals import FEWEST_TO_JUDGE, FloatArray
from sim.experiment.main_effects import MainEffect, level_means
from sim.experiment.precision import Target
from sim.experiment.selection import FEWEST_KNOWN, Selection
from sim.experiment.stopping import goal_of
from sim.experiment.sweep_results import COST, Sweep
from sim.metrics import catalogue
from sim.metrics.catalogue import divided, headlines
from sim.report.comparison import Difference, difference_tile, verdict_of
from sim.report.content import ENOUGH_TO_FIND, FEW_REPLICATIONS
from sim.report.mix import split_in_words
from sim.report.surface_content import Told, answer_caveats, answer_sentences
from sim.report.units import (
    NO_DATA,
    Unit,
    column_unit,
    count_noun,
    decimals_for,
    difference_in,
    estimate_in,
    format_given,
    format_number,
    format_percent,
    format_value,
    unit_for,
    unit_of_change,
)
from sim.scenario.variants import word
from sim.words import capitalized, is_or_are, listed, readable

DESIGNS = {
    "grid": "Every combination",
    "zip": "Values taken side by side",
    "random": "Independent draws",
    "lhs": "Latin hypercube sample",
    "sobol": "Sobol sample",
    "morris": "Morris trajectories",
    "adaptive": "Points where the answer needed them",
}

POINTS = "The points"
PRECISION = "How precise"
MADE = "How this was made"
"""Titles of sections that caveats belong to."""

_SMALLEST_CHANCE = 0.001
"""Of being the best, for a point to be shown."""
_ESTIMATE = ["mean", "ci_low", "ci_high", "n"]
_EFFECT = ["difference", "ci_low", "ci_high", "adjusted_low", "adjusted_high"]
_MOST_NAMED = 3
_FEWEST_KNOWN_BEST = 0.5
"""Probability of a choice below which it is as likely wrong, and nothing is said to be chosen."""
_SMALLEST_CHANCE_OF_CANDIDATE = 0.05
_LONGEST_VALUE = 28


@dataclass(frozen=True)
class Findings:
    """A sweep with what was found, read from it once.

    Attributes:
        sweep: the sweep.
        axes: those of its axes that have more than one value.
        estimates: by metric, the headlines, `COST` and those shown, index `point` (all of them),
            columns `mean`, `ci_low`, `ci_high` and `n`; NaN where nothing is known.
        effects: by metric, those shown, index `point` (all but the baseline), columns
            `difference`, `ci_low`, `ci_high`, `adjusted_low`, `adjusted_high`.
        moved: by metric, those shown, the main effects of the axes, the largest first; empty if
            the design has none.
        units: by metric of the estimates, the unit in which all of its numbers are shown.
        indices: what the sensitivity analysis says, if the design has one.
        selection: the choice among the points, if there was a goal.
        told: what an adaptive sweep answers, if it is one.
        precision: how precise the points are, if that was asked, as :attr:`Sweep.precision`.
    """

    sweep: Sweep
    axes: tuple[Axis, ...]
    estimates: Mapping[str, pd.DataFrame]
    effects: Mapping[str, pd.DataFrame]
    moved: Mapping[str, list[MainEffect]]
    units: Mapping[str, Unit]
    indices: pd.DataFrame | None
    selection: Selection | None
    told: Told | None = None
    precision: pd.DataFrame | None = None

    @property
    def has_baseline(self) -> bool:
        """Return whether differences to the baseline mean anything: a sample has no first point."""
        return self.sweep.design in ("grid", "zip") or bool(self.sweep.base.baseline)

    @property
    def numbers(self) -> list[int]:
        """Return the numbers of all points."""
        return [int(number) for number in self.sweep.points.index]

    @property
    def shown(self) -> list[str]:
        """Return the metrics that figures and tables show."""
        return self.sweep.shown

    @property
    def is_priced(self) -> bool:
        """Return whether anything costs anything."""
        return bool((self.estimates[COST]["mean"] > 0.0).any())


def findings(sweep: Sweep) -> Findings:
    """Return a sweep with its estimates and effects by metric."""
    every = sweep.points.index
    # If every point failed, not even the names of the metrics are known.
    metrics = list(dict.fromkeys([*headlines(), COST, *sweep.shown]))
    summary = sweep.summary([metric for metric in metrics if metric in sweep.metrics])
    estimates = {metric: _of(summary, metric, every)[_ESTIMATE] for metric in metrics}
    currency = sweep.base.cost.currency
    others = every[every != sweep.baseline]
    effects = sweep.effects()
    return Findings(
        sweep=sweep,
        axes=tuple(axis for axis in sweep.axes if is_swept(axis)),
        estimates=estimates,
        effects={metric: _of(effects, metric, others)[_EFFECT] for metric in sweep.shown},
        moved={
            metric: sweep.main_effects(metric) if metric in sweep.metrics else []
            for metric in sweep.shown
        },
        units={
            metric: column_unit(
                catalogue.metric(metric).priced_in(currency), float(rows["mean"].median())
            )
            for metric, rows in estimates.items()
        },
        indices=sweep.sensitivity(),
        selection=sweep.selection,
        told=_told(sweep),
        precision=sweep.precision,
    )


def _told(sweep: Sweep) -> Told | None:
    answer = sweep.answer
    if answer is None:
        return None
    runs, names = int(sweep.replications.sum()), tuple(map(axis_name, sweep.axes))
    there = int((sweep.replications > 0).sum())
    return Told(answer, sweep.axes, names, runs, there, sweep.base.cost.currency)


def _of(frame: pd.DataFrame, metric: str, points: pd.Index) -> pd.DataFrame:
    return frame[frame["metric"] == metric].set_index("point").reindex(points)


# --- names ---------------------------------------------------------------------------------------


def is_swept(axis: Axis) -> bool:
    """Return whether an axis has more than one value."""
    return axis.listed is None or len(axis.listed) > 1


def is_numeric(axis: Axis) -> bool:
    """Return whether all values of an axis are numbers."""
    return all(
        isinstance(value, int | float | np.number) and not isinstance(value, bool)
        for value in axis.listed or ()
    )


def axis_name(axis: Axis) -> str:
    """Return what an axis is called: ``testing`` for ``practice/testing``."""
    key = axis.key.removeprefix("practice/").replace("*.", "")
    words = key.replace("/", " ").replace(".", " ")
    return readable(words.replace(" ", "_"))


def value_name(axis: Axis, value: object) -> str:
    """Return a value of an axis as people write it, and no other value of the axis alike."""
    if axis.listed is None:
        return _written(value, digits=3)
    return _value_names(axis).get(told_apart(value)) or _written(value)


@lru_cache
def _value_names(axis: Axis) -> Mapping[tuple[bool, object], str]:
    """Return the names of the values of an axis, each another one."""
    listed = axis.listed or ()
    names = [_written(value) for value in listed]
    words = [
        word(value) if names.count(name) > 1 else name
        for name, value in zip(names, listed, strict=True)
    ]
    places = map(told_apart, listed)
    return dict(zip(places, shortened(words, _LONGEST_VALUE), strict=True))


def _written(value: object, digits: int = 6) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | float | np.number):
        return format_given(float(value), digits)
    return _parts_written(_opened(value) if isinstance(value, str) else value)


def _opened(text: str) -> object:
    """Return what a value in the notation of the command line holds: ``{dist:constant,value:6}``.

    What is no mapping or list is left as it is.
    """
    if text[:1] not in ("{", "["):
        return text
    try:
        return yaml.safe_load(re.sub(r"(?<=[A-Za-z0-9_]):(?=\S)", ": ", text))
    except yaml.YAMLError:
        return text


def _parts_written(value: object) -> str:
    """Return a mapping or a list as people write it: ``CI/CD full from week 20``."""
    if isinstance(value, Mapping):
        rest = dict(value)
        words = []
        if {"practice", "level"} <= rest.keys():
            words = [readable(str(rest.pop("practice"))), readable(str(rest.pop("level")))]
            if "start_week" in rest:
                words.append(f"from week {rest.pop('start_week')}")
            words = [" ".join(words)]
        elif isinstance(rest.get("dist"), str):
            words = [readable(rest.pop("dist"))]
            if rest.keys() == {"value"}:
                return f"{words[0]} {_parts_written(rest['value'])}"
        words += [f"{readable(str(key))} {_parts_written(part)}" for key, part in rest.items()]
        return ", ".join(words) or "none"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return listed([_parts_written(part) for part in value]) if value else "none"
    if isinstance(value, str):
        return readable(value)
    return _written(value) if isinstance(value, int | float) or value is None else str(value)


def shortened(names: Sequence[str], longest: int) -> list[str]:
    """Return names of at most so many letters, which differ where the names do.

    A long name loses its end; if others then look the same, what they all begin with; if that does
    not help, it gets a number.
    """

    def cut(name: str) -> str:
        return name if len(name) <= longest else f"{name[: longest - 1]}…"

    short = [cut(name) for name in names]
    for seen in {name for name in short if short.count(name) > 1}:
        alike = [place for place, name in enumerate(short) if name == seen]
        same = _common_start([names[place] for place in alike])
        first = names[alike[0]]
        marks = [first.rfind(mark, 0, same) + 1 for mark in ",{[·"]
        start = max(marks) or first.rfind(" ", 0, same) + 1
        for place in alike:
            short[place] = cut(f"…{names[place][start:].lstrip()}")
    for seen in {name for name in short if short.count(name) > 1}:
        alike = [place for place, name in enumerate(short) if name == seen]
        if len({names[place] for place in alike}) > 1:
            for number, place in enumerate(alike, start=1):
                short[place] = f"{seen[: longest - len(str(number)) - 4]}… ({number})"
    return short


def _common_start(names: Sequence[str]) -> int:
    """Return with how many letters all names begin alike."""
    letters = enumerate(zip(*names, strict=False))
    return next((place for place, there in letters if len(set(there)) > 1), min(map(len, names)))


def point_name(found: Findings, point: int) -> str:
    """Return a point in words: ``automation 0.5, testing full``."""
    row = found.sweep.points.loc[point]
    named = [f"{axis_name(axis)} {value_name(axis, row[axis.key])}" for axis in found.axes]
    return ", ".join(named) or "the only point"


def point_label(found: Findings, point: int) -> str:
    """Return the values of a point, short: ``0.5 · testing full``, in the order of `found.axes`.

    A level alone would not say of which practice it is.
    """
    row = found.sweep.points.loc[point]
    return " · ".join(option_name(axis, row[axis.key]) for axis in found.axes)


def option_name(axis: Axis, value: object) -> str:
    """Return a value of an axis, with the name of its practice: ``CI/CD full``, ``0.5``."""
    name = value_name(axis, value)
    return f"{axis_name(axis)} {name}" if axis.key.startswith("practice/") else name


def title_of_labels(found: Findings) -> str:
    """Return what the values of :func:`point_label` stand for."""
    return " · ".join(axis_name(axis) for axis in found.axes)


def panel_title(metric: str, unit: Unit) -> str:
    """Return the name of a metric, its unit, and in which direction it is better."""
    return f"{capitalized(label_of(metric))}, {unit.heading} ({better_in_words(metric)})"


def label_of(metric: str) -> str:
    """Return what a metric is called."""
    return catalogue.metric(metric).label


def better_in_words(metric: str) -> str:
    """Return in which direction a metric is better: ``less is better``."""
    better = catalogue.metric(metric).better
    return f"{better} is better" if better else "neither is better"


# --- what was done -------------------------------------------------------------------------------


def heading(found: Findings) -> str:
    """Return the title of a report: what was swept, of what."""
    names = [axis_name(axis) for axis in found.axes]
    if len(names) > 4:
        names = [*names[:3], f"{len(names) - 3} more"]
    return f"{found.sweep.base.name}: sweep of {listed(names)}" if names else found.sweep.base.name


def question(found: Findings) -> list[str]:
    """Return what was varied, a line for each axis."""
    lines = []
    for axis in found.axes:
        if isinstance(axis.values, Drawn):
            said = str(axis.values)
        elif isinstance(axis.values, Weights):
            pairs = zip(axis.values.values, axis.values.weights, strict=True)
            said = listed([f"{value_name(axis, v)} {format_percent(w)}" for v, w in pairs])
        elif isinstance(axis.values, Interval):
            kind = "whole numbers" if axis.values.whole else "values"
            ends = [value_name(axis, end) for end in (axis.values.low, axis.values.high)]
            said = f"{kind} between {ends[0]} and {ends[1]}"
        elif len(axis.values) > 12:
            ends = [value_name(axis, axis.values[end]) for end in (0, -1)]
            said = f"{len(axis.values)} values from {ends[0]} to {ends[1]}"
        else:
            said = listed([value_name(axis, value) for value in axis.values])
        name = axis_name(axis)
        lines.append(f"{name}: {said}" if name == axis.key else f"{name} ({axis.key}): {said}")
    return lines


def replications(found: Findings) -> tuple[int, int]:
    """Return the smallest and the largest number of replications of points that were simulated."""
    counts = pd.concat([rows["n"] for rows in found.estimates.values()], axis="columns").max(axis=1)
    counts = counts[counts > 0]
    return (int(counts.min()), int(counts.max())) if len(counts) else (0, 0)


def setting(found: Findings) -> str:
    """Return design, size, weeks and seed of a sweep."""
    sweep, (fewest, most) = found.sweep, replications(found)
    observed = sweep.base.horizon_weeks - sweep.base.warmup_weeks
    times = (
        count_noun(most, "replication") if fewest == most else f"{fewest} to {most} replications"
    )
    design = DESIGNS.get(sweep.design, sweep.design)
    if left := _left_out(sweep):
        design += f", {format_given(left)} left out"
    return (
        f"{design}: {count_noun(len(sweep.points), 'point')} × {times} of "
        f"{count_noun(observed, 'week')} after {count_noun(sweep.base.warmup_weeks, 'week')} of "
        f"warm-up · seed {sweep.seed}"
    )


def _left_out(sweep: Sweep) -> int:
    """Return how many combinations of a grid or pairs of a zip are no points."""
    sizes = [len(axis.listed or ()) for axis in sweep.axes]
    if sweep.design not in ("grid", "zip") or not sizes:
        return 0
    every = math.prod(sizes) if sweep.design == "grid" else max(sizes)
    return max(0, every - len(sweep.points))  # parts that were joined may have more than a zip


# --- what was found ------------------------------------------------------------------------------


def is_clear(effects: pd.DataFrame) -> pd.Series:
    """Return which differences are distinguishable from none: Holm's interval leaves out zero."""
    return (effects["adjusted_low"] > 0.0) | (effects["adjusted_high"] < 0.0)


def most_different(found: Findings, count: int) -> list[int]:
    """Return the points that differ most from the baseline, in the order of the design.

    Without a baseline, or data for it, from the median of all points.

    Differences in the metrics are compared by their size relative to the range of the metric;
    each point counts by its largest. Points without data come last.

    Args:
        found: the sweep.
        count: how many, the baseline included.
    """
    numbers = found.numbers
    if len(numbers) <= count:
        return numbers
    sizes = []
    for metric in found.shown:
        mean = found.estimates[metric]["mean"]
        start = mean[found.sweep.baseline] if found.has_baseline else math.nan
        distance = (mean - (mean.median() if math.isnan(start) else start)).abs()
        sizes.append(distance / distance.max() if distance.max() > 0.0 else distance)
    size = pd.concat(sizes, axis="columns").max(axis=1).fillna(-1.0)
    if found.has_baseline:
        size[found.sweep.baseline] = math.inf
    return sorted(int(number) for number in size.nlargest(count).index)


def on_grid(found: Findings, values: "pd.Series[float]") -> FloatArray:
    """Return a value per point as an array with a dimension for each swept axis.

    Combinations that were left out are NaN.

    Args:
        found: a sweep with design ``grid``.
        values: index all points.
    """
    array: FloatArray = np.full([len(axis.listed or ()) for axis in found.axes], np.nan)
    array[places_on_grid(found.axes, found.sweep.points)] = values
    return array


def main_effect(found: Findings, metric: str, number: int) -> pd.DataFrame:
    """Return the mean of a metric at each value of one axis, over all values of the others.

    Points meet the same luck, replication by replication: the interval is that of the mean over the
    replications of what each says of all of the others.

    Args:
        found: a sweep with design ``grid``.
        metric: one of the estimates.
        number: which of `found.axes`.

    Returns:
        A row per value of the axis: `mean`, `ci_low`, `ci_high`.
    """
    means = level_means(
        found.axes,
        found.sweep.points,
        found.sweep.metric_values(metric),
        number,
        catalogue.metric(metric),
    )
    return pd.DataFrame({"mean": means.mean, "ci_low": means.low, "ci_high": means.high})


def sentences(found: Findings) -> list[str]:
    """Return what a sweep says, in plain sentences derived from its numbers."""
    if draws_a_population(found.sweep.axes):  # what is told of it is not told point by point
        named = found.shown if found.indices is not None else ()
        return [sentence for metric in named if (sentence := _strongest(found, metric))]
    if found.told is None:
        said = [_extremes(found, metric) for metric in found.shown]
    else:
        said = answer_sentences(found.told)
    return [sentence for sentence in said if sentence] + further_sentences(found)


def further_sentences(found: Findings) -> list[str]:
    """Return what a sweep says besides how each metric changes, which tiles may say."""
    said = [_strongest(found, metric) for metric in found.shown]
    said += [_distinguishable(found), *_mixes(found), *_precise(found), _selected(found)]
    return [sentence for sentence in said if sentence]


def _estimate_at(found: Findings, metric: str, point: int) -> str:
    rows = found.estimates[metric]
    return _in_words(found, metric, *(float(rows[column][point]) for column in _ESTIMATE[:3]))


def _extremes(found: Findings, metric: str) -> str:
    label = capitalized(label_of(metric))
    verb = is_or_are(label)
    known = found.estimates[metric].dropna(subset="mean").sort_values("mean", kind="stable")
    if known.empty:
        return f"{label}: {NO_DATA} at any point."
    if len(found.numbers) > 1 and found.has_baseline:
        return _largest_difference_in_words(found, metric)
    low, high = int(known.index[0]), int(known.index[-1])
    if len(found.numbers) == 1:
        return f"{label} {verb} {_estimate_at(found, metric, low)}."
    if known["mean"].iloc[0] == known["mean"].iloc[-1]:
        everywhere = "all points" if len(known) == len(found.numbers) else "all points with data"
        return f"{label} {verb} the same at {everywhere}: {_estimate_at(found, metric, low)}."
    of_metric = catalogue.metric(metric)
    ends = list(zip(of_metric.extremes, (low, high), strict=True))
    (good, best), (bad, worst) = ends[::-1] if of_metric.better == "more" else ends
    said = (
        f"{label} {verb} {good} at {point_name(found, best)} "
        f"({_estimate_at(found, metric, best)}) and {bad} at {point_name(found, worst)} "
        f"({_estimate_at(found, metric, worst)})"
    )
    return f"{said}."


def largest_difference(found: Findings, metric: str) -> int | None:
    """Return the point whose difference to the baseline is the most worth telling.

    That is the largest clear one for the better; without any, the largest clear one, and without
    any, the largest. None if nothing is known of any.
    """
    rows = found.effects[metric]
    size = rows["difference"].abs()
    clear = is_clear(rows)
    better = catalogue.metric(metric).better
    gains = clear & ((rows["difference"] > 0.0) == (better == "more")) if better else clear
    for chosen in (gains, clear, size.notna()):
        known = size[chosen].dropna()
        if len(known):
            return int(known.index[int(known.argmax())])
    return None


def difference_at(found: Findings, metric: str, point: int) -> Difference:
    """Return the paired difference of a point to the baseline, Holm-adjusted."""
    rows, means = found.effects[metric], found.estimates[metric]["mean"]
    names = ("difference", "adjusted_low", "adjusted_high")
    change, low, high = (float(rows[name][point]) for name in names)
    start, end = (float(means[number]) for number in (found.sweep.baseline, point))
    return Difference(metric, start, end, change, low, high)


def _largest_difference_in_words(found: Findings, metric: str) -> str:
    label = capitalized(label_of(metric))
    point = largest_difference(found, metric)
    if point is None:
        return f"{label}: {NO_DATA} to compare with the baseline."
    unit, of = found.units[metric], difference_at(found, metric, point)
    if of.is_none:
        return f"{label} {is_or_are(label)} the same at all points."
    shown = difference_in(unit, of.difference, of.low, of.high)
    change = unit_of_change(unit).behind(shown.value)
    interval = f" ({shown.interval})" if shown.interval else ", how sure is unknown"
    if not of.is_clear:
        lead = "differs clearly at no point" if of.has_interval else "is not judged"
        return (
            f"{label} {lead}; the largest difference to the baseline is {change}{interval}, at "
            f"{point_name(found, point)}."
        )
    gain, _ = verdict_of(catalogue.metric(metric), of)
    direction = {"better": "improves", "worse": "gets worse"}.get(gain, "changes")
    return f"{label} {direction} most at {point_name(found, point)}: {change}{interval}."


def answer_tiles(found: Findings) -> Tiles | None:
    """Return for each metric what changed it most, by paired differences where there are any.

    A population and an adaptive sweep have their own answers, in words.
    """
    if found.told is not None or draws_a_population(found.sweep.axes):
        return None
    if found.has_baseline and len(found.numbers) > 1:
        return _tiles_of_differences(found)
    if found.indices is not None:
        return _tiles_of_indices(found)
    tiles = [_tile_of_effect(found, metric) for metric in found.shown]
    known = [tile for tile in tiles if tile is not None]
    if not known:
        return None
    return Tiles(
        known,
        "The axis that moves each metric most, from one end to the other: paired differences with "
        "95 % intervals.",
    )


def _tiles_of_differences(found: Findings) -> Tiles:
    items = []
    for metric in found.shown:
        point = largest_difference(found, metric)
        if point is None:
            items.append(Tile(label_of(metric), NO_DATA, name=metric))
            continue
        of = difference_at(found, metric, point)
        tile = difference_tile(of, found.units[metric])
        items.append(replace(tile, detail=f"{point_name(found, point)}: {tile.detail}"))
    others = len(found.numbers) - 1
    picked = " The largest of several is a little too large." if others > 1 else ""
    caption = (
        f"Paired differences to the baseline ({point_name(found, found.sweep.baseline)}), the "
        f"largest of {count_noun(others, 'point')}; Holm-adjusted 95 % intervals.{picked}"
    )
    return Tiles(items, caption)


def _tiles_of_indices(found: Findings) -> Tiles | None:
    sobol = found.sweep.design == "sobol"
    items = []
    for metric in found.shown:
        indices = indices_of(found, metric)
        known = indices[indices["index"] > 0.0]
        if known.empty:
            items.append(Tile(label_of(metric), NO_DATA, name=metric))
            continue
        change = "" if sobol else f" {unit_of_change(found.units[metric]).heading}"
        index = show_index(known.iloc[0], index_decimals(found, known))
        value, bracket, interval = index.partition(" [")
        name = name_of(found, str(known.index[0]))
        note = f"{value}{change}" + (f" ({interval.rstrip(']')})" if bracket else "")
        alone = _stands_alone(known)
        items.append(
            Tile(
                label_of(metric),
                name,
                note,
                "matters most" if alone else "perhaps another one",
                "good" if alone else "",
                name=metric,
            )
        )
    what = "total-order Sobol index" if sobol else "Morris' mean absolute effect"
    return Tiles(items, f"The axis that each metric depends on most: {what}, 95 % intervals.")


def _stands_alone(known: pd.DataFrame) -> bool:
    """Return whether the first of some axes certainly matters more than the second."""
    return len(known) == 1 or bool(known["low"].iloc[0] > known["high"].iloc[1])


def _tile_of_effect(found: Findings, metric: str) -> Tile | None:
    effects = [effect for effect in found.moved[metric] if not math.isnan(effect.low)]
    if not effects:
        return None
    effect = effects[0]
    unit = found.units[metric]
    shown = difference_in(unit, effect.difference, effect.low, effect.high)
    axis = found.sweep.axes[effect.axis]
    start, end = (option_name(axis, value) for value in (effect.start, effect.end))
    of = Difference(metric, math.nan, math.nan, effect.difference, effect.low, effect.high)
    badge, tone = verdict_of(catalogue.metric(metric), of)
    return Tile(
        label_of(metric),
        unit_of_change(unit).behind(shown.value),
        shown.interval,
        badge,
        tone,
        f"{axis_name(axis)}: {start} → {end}",
        metric,
    )


def lead_sentence(found: Findings) -> str:
    """Return in a sentence which axis moves which metrics most, or what came of the goal."""
    if found.selection is not None:
        return _selected(found)
    if draws_a_population(found.sweep.axes) or found.told is not None:
        return ""
    if len(found.axes) > 1:
        by_axis: dict[str, list[str]] = {}
        for metric in found.shown:
            name = _certainly_strongest(found, metric)
            if name:
                by_axis.setdefault(name, []).append(label_of(metric))
        if by_axis:
            told = [f"{name} moves {listed(labels)} most" for name, labels in by_axis.items()]
            return f"{'; '.join([capitalized(told[0]), *told[1:]])}."
        if any(found.moved[metric] for metric in found.shown) or found.indices is not None:
            return "Which axis moves which metric most cannot be told from chance."
    if not found.has_baseline or len(found.numbers) < 2:
        return ""
    clear = [metric for metric in found.shown if is_clear(found.effects[metric]).any()]
    if clear:
        return f"{capitalized(listed([label_of(metric) for metric in clear]))} clearly change."
    if all(found.effects[metric]["adjusted_low"].isna().all() for metric in found.shown):
        return "Whether any point differs from the baseline cannot be judged."
    return "No point clearly differs from the baseline."


def _certainly_strongest(found: Findings, metric: str) -> str:
    """Return the axis that moves a metric most, if that is no chance; else nothing."""
    if found.indices is not None:
        indices = indices_of(found, metric)
        known = indices[indices["index"] > 0.0]
        return name_of(found, str(known.index[0])) if len(known) and _stands_alone(known) else ""
    effects = found.moved[metric]
    candidates = [effect for effect in effects if effect.may_be_largest]
    if len(candidates) != 1 or not candidates[0].is_clear:
        return ""
    return axis_name(found.sweep.axes[candidates[0].axis])


def _strongest(found: Findings, metric: str) -> str:
    if len(found.axes) < 2 or found.estimates[metric]["mean"].nunique() < 2:
        return ""
    if found.sweep.design in ("sobol", "morris"):
        return _strongest_by_index(found, metric)
    return _strongest_by_effect(found, metric)


def _strongest_by_effect(found: Findings, metric: str) -> str:
    """Say which axis moves a metric most, or which may, as far as that is no chance."""
    effects = found.moved[metric]
    known = [effect for effect in effects if not math.isnan(effect.low)]
    if not known or effects[0] not in known:
        return ""
    unit, label = found.units[metric], label_of(metric)
    change = unit_of_change(unit)

    def told(effect: MainEffect) -> str:
        shown = difference_in(unit, effect.difference, effect.low, effect.high)
        axis = found.sweep.axes[effect.axis]
        ends = [value_name(axis, value) for value in (effect.start, effect.end)]
        return (
            f"{change.behind(shown.value)} ({shown.interval}) from {axis_name(axis)} {ends[0]} to "
            f"{ends[1]}"
        )

    lead = (
        "Averaged over the other axes"
        if found.sweep.design == "grid"
        else f"Over the {count_noun(len(found.numbers), 'point')}, all axes in one linear model"
    )
    names = [axis_name(found.sweep.axes[e.axis]) for e in effects if e.may_be_largest]
    if not any(effect.is_clear for effect in known):
        largest = told(effects[0])
        return f"{lead}, no axis clearly moves {label}; the largest effect found is {largest}."
    if len(names) == 1:
        return f"{lead}, {names[0]} moves {label} most: {told(effects[0])}."
    if len(names) > _MOST_NAMED:
        names = [*names[: _MOST_NAMED - 1], f"one of {len(names) - _MOST_NAMED + 1} more"]
    either = f"{', '.join(names[:-1])} or {names[-1]}"
    return (
        f"{lead}, {either} moves {label} most, which cannot be told from chance: "
        f"{'; '.join(told(effect) for effect in effects[: len(names)] if effect in known)}."
    )


def _in_words(found: Findings, metric: str, mean: float, low: float, high: float) -> str:
    # One unit in all of a report: what is compared in a sentence is compared in one unit.
    unit = found.units[metric]
    shown = estimate_in(unit, catalogue.metric(metric), mean, low, high)
    value = unit.behind(shown.value)
    return f"{value} [{shown.interval}]" if shown.interval else value


def _strongest_by_index(found: Findings, metric: str) -> str:
    indices = indices_of(found, metric)
    known = indices[indices["index"] > 0.0]
    if known.empty:
        return ""
    change = unit_of_change(found.units[metric]).heading
    sobol = found.sweep.design == "sobol"
    unit = "" if sobol else f" {change}"
    kind = "total-order index" if sobol else "mean absolute effect"
    told = [
        f"{name_of(found, str(key))} ({kind} {show_index(row, index_decimals(found, known))}{unit})"
        for key, row in known.head(2).iterrows()
    ]
    label = capitalized(label_of(metric))
    depends = "depend" if is_or_are(label) == "are" else "depends"
    if len(told) == 1:
        return f"{label} {depends} most on {told[0]}."
    if _stands_alone(known):
        return f"{label} {depends} most on {told[0]}, then on {told[1]}."
    return f"{label} {depends} most on {told[0]} or {told[1]}, which cannot be told from chance."


def indices_of(found: Findings, metric: str) -> pd.DataFrame:
    """Return how much one metric depends on each axis, the strongest first.

    Returns:
        Index `key`; `index` (total-order index of Sobol, or Morris' mean absolute effect in the
        unit in which the metric is shown) with `low` and `high`, and `first` (first-order index)
        or `mu` (mean effect). Empty for other designs.
    """
    table = found.indices
    if table is None:
        return pd.DataFrame(columns=["index", "low", "high"], dtype=float)
    names = {"total": "index", "total_low": "low", "total_high": "high"}
    names |= {"mu_star": "index", "mu_star_low": "low", "mu_star_high": "high"}
    indices = table[table.index.get_level_values("metric") == metric].droplevel("metric")
    indices = indices.rename(columns=names)
    if found.sweep.design == "morris":
        indices = indices / found.units[metric].size
    else:  # estimates of shares may miss what a share can be
        indices = indices.clip(0.0, 1.0)
    return indices.sort_values("index", ascending=False, kind="stable")


def index_decimals(found: Findings, indices: pd.DataFrame) -> int:
    """Return how many decimals indices that are shown beside each other have.

    A share of a variance deserves two, as does what has no data; an effect of Morris as many as
    the largest of them.
    """
    if found.sweep.design == "sobol" or indices.empty:
        return 2
    index, low, high = (float(indices[name].iloc[0]) for name in ("index", "low", "high"))
    return 2 if math.isnan(index) else decimals_for(index, (high - low) / 2.0)


def show_index(row: "pd.Series[float]", decimals: int) -> str:
    """Return an index with its interval.

    Args:
        row: `index`, `low` and `high`.
        decimals: see :func:`index_decimals`; less than can be shown is said to be less.
    """
    index, low, high = (float(row[column]) for column in ("index", "low", "high"))
    if math.isnan(index):
        return NO_DATA

    def shown(value: float) -> str:
        least = 10.0**-decimals
        if 0.0 < value < 0.5 * least:
            return f"<{format_number(least, decimals)}"
        return format_number(value, decimals)

    if math.isnan(low) or math.isnan(high):
        return shown(index)
    ends = [format_number(end, decimals) for end in (low, high)]
    return f"{shown(index)} [{' – '.join(ends)}]"


def name_of(found: Findings, key: str) -> str:
    """Return what the axis with this key is called."""
    return next(axis_name(axis) for axis in found.axes if axis.key == key)


def _distinguishable(found: Findings) -> str:
    if not found.has_baseline:
        return ""
    clear = {metric: is_clear(rows) for metric, rows in found.effects.items()}
    known = {m: rows["adjusted_low"].notna() for m, rows in found.effects.items()}
    tests = sum(int(each.sum()) for each in known.values())
    if not tests:
        judged = any(rows["difference"].notna().any() for rows in found.effects.values())
        return "Whether any point differs from the baseline cannot be judged." if judged else ""
    counts = [
        f"{int(clear[metric].sum())} in {label_of(metric)}"
        for metric in found.shown
        if known[metric].any()
    ]
    others = len(next(iter(clear.values())))
    said = (
        f"Of the {count_noun(others, 'other point')}, distinguishable from the baseline "
        f"({point_name(found, found.sweep.baseline)}) are {listed(counts)} (paired differences, "
        f"Holm's adjustment for {count_noun(tests, 'comparison')})"
    )
    compared = pd.DataFrame(known).any(axis="columns")
    alike = compared.index[compared & ~pd.DataFrame(clear).any(axis="columns")]
    if not len(alike):
        return f"{said}."
    shown = [point_name(found, int(point)) for point in alike[:_MOST_NAMED]]
    more = [f"{len(alike) - len(shown)} more"] if len(alike) > len(shown) else []
    return f"{said}. Not distinguishable in any: {'; '.join([*shown, *more])}."


def _mixes(found: Findings) -> list[str]:
    """Say of the point that differs most in a time what is mix, and what happens within."""
    if not found.has_baseline:
        return []
    said = []
    for metric in divided():
        median = metric.name.replace("_mean_h", "_h")
        if not metric.groups or median not in found.effects:
            continue
        rows = found.effects[median]
        clear = rows["difference"][is_clear(rows)].abs()
        if clear.empty:
            continue
        point = int(clear.index[int(clear.argmax())])
        words = split_in_words(metric, found.sweep.split(point, metric.name))
        if words:
            lead = (
                f"{capitalized(metric.label)} at {point_name(found, point)}, against the baseline"
            )
            said.append(f"{lead}: {words[0].lower()}{words[1:]}")
    return said


def _precise(found: Findings) -> list[str]:
    """Say of each metric whose precision was asked how many points reached it."""
    if found.precision is None:
        return []
    said = []
    for metric, rows in found.precision.groupby("metric", sort=False):
        reached = int(rows["reached"].sum())
        said.append(
            f"Asked was the {_what_is_precise(found, str(metric))} to {_target(found, str(metric))}"
            f": {reached} of {count_noun(len(rows), 'point')} reached it."
        )
    return said


def _what_is_precise(found: Findings, metric: str) -> str:
    spec = found.sweep.base.precision
    assert spec is not None
    of = "difference in " if spec.of == "differences" else ""
    return f"{of}{label_of(metric)}"


def _target(found: Findings, metric: str) -> str:
    """Return the half-width that was asked: ``±5 %``."""
    spec = found.sweep.base.precision
    assert spec is not None
    asked = Target.of(metric, spec.half_width[metric])
    if asked.relative:
        return f"±{format_given(100.0 * asked.half_width, 4)} %"
    return f"±{_as_change(found, metric, asked.half_width)}"


def half_width_in_words(found: Findings, metric: str, mean: float, half_width: float) -> str:
    """Return a half-width as the target of its metric is given: ``±7.1 %``, or in its unit."""
    spec = found.sweep.base.precision
    assert spec is not None
    if math.isnan(half_width):
        return "unknown"
    if Target.of(metric, spec.half_width[metric]).relative:
        return f"±{format_given(100.0 * half_width / abs(mean), 3)} %" if mean else "unknown"
    return f"±{_as_change(found, metric, half_width)}"


def _imprecise(found: Findings) -> list[Caveat]:
    """Warn of the points that were left less precise than was asked."""
    if found.precision is None:
        return []
    spec = found.sweep.base.precision
    assert spec is not None
    caveats = []
    for metric, rows in found.precision.groupby("metric", sort=False):
        missed = rows[~rows["reached"]]
        if missed.empty:
            continue
        # The widest first; one that is unknown is the widest.
        worst = missed.assign(ratio=(missed["half_width"] / missed["target"]).fillna(math.inf))
        worst = worst.sort_values("ratio", ascending=False, kind="stable").head(_MOST_NAMED)
        columns = (worst[name] for name in ("point", "mean", "half_width", "n"))
        named = [
            f"{point_name(found, int(point))} "
            f"({half_width_in_words(found, str(metric), float(mean), float(half))} after {n})"
            for point, mean, half, n in zip(*columns, strict=True)
        ]
        left = len(missed) - len(named)
        more = [f"{left} more"] if left else []
        text = (
            f"Not as precise as asked: the {_what_is_precise(found, str(metric))} is not known to "
            f"{_target(found, str(metric))} at {listed([*named, *more])}. A point gets at most "
            f"{spec.most_replications} replications (precision.most_replications)."
        )
        points = count_noun(len(missed), "point")
        short = f"Not as precise as asked: {points} ({label_of(str(metric))})."
        caveats.append(Caveat(True, text, PRECISION, short))
    return caveats


def goal_in_words(found: Findings) -> str:
    """Return what the best point was meant to be: ``shortest lead time with ... at most 15 %``."""
    wish = found.sweep.base.select
    assert wish is not None
    limits = [
        f"{label_of(metric)} {kind} {_in_unit(found, metric, limit)}"
        for kind, bounds in (("at most", wish.at_most), ("at least", wish.at_least))
        for metric, limit in bounds.items()
    ]
    smallest, largest = catalogue.metric(wish.metric).extremes
    said = f"{smallest if wish.goal == 'smallest' else largest} {label_of(wish.metric)}"
    return f"{said} with {listed(limits)}" if limits else said


def indifference_in_words(found: Findings) -> str:
    """Return by how much a point may be worse than the best and as good: ``2 %``."""
    wish = found.sweep.base.select
    assert wish is not None
    same = Target.of(wish.metric, wish.indifference)
    if same.relative:
        return f"{format_given(100.0 * same.half_width, 4)} %"
    return _as_change(found, wish.metric, same.half_width)


def _as_change(found: Findings, metric: str, value: float) -> str:
    """Return an absolute width: of shares in points, which are no percent of anything."""
    quantity = catalogue.metric(metric).priced_in(found.sweep.base.cost.currency)
    unit = unit_of_change(unit_for(quantity, value))
    said = unit.behind(format_given(value / unit.size, 3))
    # The points of a sweep are others.
    return said.replace(" points", " percentage points")


def _in_unit(found: Findings, metric: str, value: float) -> str:
    currency = found.sweep.base.cost.currency
    return format_value(catalogue.metric(metric).priced_in(currency), value)


def _selected(found: Findings) -> str:
    selection = found.selection
    if selection is None:
        return ""
    goal = f"Looked for was the {goal_in_words(found)}: "
    lacking = " ".join(_not_judged(found))
    if math.isnan(selection.probability):
        return f"{goal}no point can be judged. {lacking}"
    sure = f"with a probability of at least {format_percent(selection.probability)}"
    is_known = selection.probability >= _FEWEST_KNOWN_BEST
    if selection.best is None:
        chosen = "going by the means no point keeps within these limits"
        told = (
            f"{chosen}, which is right {sure}."
            if is_known
            else f"it is not known whether any point keeps within these limits; {chosen}."
        )
    else:
        best = point_name(found, selection.best)
        same = indifference_in_words(found)
        told = (
            f"going by the means it is {best}, which is the best, or within {same} of it, {sure}."
            if is_known
            else f"it is not known which is best. {_candidates(found, selection.best, same)}"
        )
    return f"{goal}{told} {lacking}".rstrip()


def _candidates(found: Findings, best: int, same: str) -> str:
    """Name the points that may be the best."""
    lead = f"{capitalized(point_name(found, best))} has the best mean"
    rows = leading_candidates(found, len(found.numbers))["best_probability"]
    rivals = rows[rows >= _SMALLEST_CHANCE_OF_CANDIDATE].drop(best, errors="ignore")
    if rivals.empty:
        return f"{lead}."
    named = [point_name(found, int(point)) for point in rivals.index[:_MOST_NAMED]]
    left = len(rivals) - len(named)
    more = [count_noun(left, "more point")] if left else []
    return (
        f"{lead}, and as good, or within {same} of the best, may be: {'; '.join([*named, *more])}."
    )


def _not_judged(found: Findings) -> list[str]:
    """Return sentences about the points that a selection cannot judge for want of data."""
    wish = found.sweep.base.select
    assert wish is not None
    sentences = []
    metrics = goal_of(wish).metrics
    counts = found.sweep.summary(metrics)[["point", "metric", "n"]]
    for metric in metrics:
        n = counts[counts["metric"] == metric].set_index("point")["n"]
        few = n[n < FEWEST_KNOWN]
        if few.empty:
            continue
        if len(few) == len(n):
            where = "at any point" if len(n) > 1 else "at the only point"
        else:
            points = [point_name(found, int(point)) for point in few.index[:_MOST_NAMED]]
            left = len(few) - len(points)
            more = [count_noun(left, "more point")] if left else []
            where = f"at {listed([*points, *more])}, which cannot be chosen"
        what = "no data" if few.max() == 0 else f"data in fewer than {FEWEST_KNOWN} replications"
        sentences.append(f"{capitalized(label_of(metric))} has {what} {where}.")
    return sentences


def leading_candidates(found: Findings, count: int) -> pd.DataFrame:
    """Return the points most likely to be the best: rows of the table of a selection."""
    assert found.selection is not None
    table = found.selection.table
    ranked = table.dropna(subset="best_probability").sort_values(
        "best_probability", ascending=False, kind="stable"
    )
    possible = int((ranked["best_probability"] >= _SMALLEST_CHANCE).sum())
    return ranked.head(min(count, max(possible, 2)))


# --- what to beware of ---------------------------------------------------------------------------


def caveats(found: Findings) -> list[Caveat]:
    """Return what a reader has to know before believing the numbers, the serious ones first."""
    return [
        *(Caveat(True, f"Its folder: {remark}.", MADE) for remark in found.sweep.remarks),
        *_failed(found),
        *_skipped(found),
        *([] if found.told is None else answer_caveats(found.told)),
        *_unstable(found),
        *_imprecise(found),
        *_few_replications(found),
        *_without_data(found),
    ]


def failure_lines(found: Findings, most: int) -> list[str]:
    """Return a line for each point that failed, with its overrides and error; at most `most`."""
    failures = found.sweep.failures
    lines = [
        f"Point {failure.point} failed ({failure.overrides}): {failure.error}"
        for failure in failures[:most]
    ]
    left = len(failures) - len(lines)
    return [*lines, f"{count_noun(left, 'more point')} failed."] if left else lines


def instability(found: Findings) -> str:
    """Return the flag that every table and picture of an unstable sweep carries, else nothing."""
    unstable = found.sweep.n_unstable
    return (
        f"unstable at {unstable} of {count_noun(len(found.numbers), 'point')}" if unstable else ""
    )


def _failed(found: Findings) -> list[Caveat]:
    return [Caveat(True, line, POINTS) for line in failure_lines(found, most=10)]


def _skipped(found: Findings) -> list[Caveat]:
    skipped = found.sweep.skipped
    if not skipped:
        return []
    named = [f"{point.overrides} ({point.error})" for point in skipped[:_MOST_NAMED]]
    left = len(skipped) - len(named)
    more = [f"{format_given(left)} more"] if left else []
    count = count_noun(len(skipped), "combination")
    text = f"Left out as no valid scenario: {count}, {listed([*named, *more])}."
    return [Caveat(False, text, POINTS)]


def _unstable(found: Findings) -> list[Caveat]:
    flag = instability(found)
    if not flag:
        return []
    text = (
        f"{flag.capitalize()}: in some replications work in progress kept growing, so these lead "
        "times depend on how long the simulation ran."
    )
    return [Caveat(True, text, POINTS, f"{flag.capitalize()}: work in progress kept growing.")]


def _few_replications(found: Findings) -> list[Caveat]:
    fewest, _ = replications(found)
    # An adaptive sweep is judged by its surfaces, which all replications bear together.
    if fewest >= FEW_REPLICATIONS or fewest == 0 or found.told is not None:
        return []
    if fewest == 1 and draws_a_population(found.sweep.axes):
        text = (
            "Each organization was simulated once: how far they lie apart is also a matter of what "
            "happened in these weeks, as it is in the answers to a survey."
        )
        return [Caveat(False, text)]
    if fewest < FEWEST_TO_JUDGE:
        only = "a single replication" if fewest == 1 else f"only {fewest} replications"
        text = (
            f"Some points have {only}: how sure their numbers are, is unknown, and no difference "
            f"is judged. {FEWEST_TO_JUDGE} replications are the fewest that can tell, "
            f"about {ENOUGH_TO_FIND} find something in most sweeps."
        )
        return [Caveat(True, text)]
    text = (
        f"Few replications: some points have only {fewest}, so their intervals are wide and many "
        f"differences are missed: it takes about {ENOUGH_TO_FIND} to find something in most sweeps."
    )
    return [Caveat(False, text)]


def _without_data(found: Findings) -> list[Caveat]:
    failed = {failure.point for failure in found.sweep.failures}
    rest = [number for number in found.numbers if number not in failed]
    missing = {
        metric: int(found.estimates[metric].loc[rest, "mean"].isna().sum())
        for metric in found.shown
    }
    named = [f"{label_of(metric)} at {count}" for metric, count in missing.items() if count]
    if not named:
        return []
    text = (
        f"No data: of {count_noun(len(rest), 'point')} that ran, {listed(named)}. There was "
        "nothing to deploy, or to restore."
    )
    return [Caveat(False, text, POINTS)]
