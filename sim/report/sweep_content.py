"""Names, rows, sentences and warnings of a report on a sweep.

Everything here is derived from the numbers of the sweep. Figures, terminal and HTML report show the
same names, units and estimates.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from sim.document.document import Caveat
from sim.experiment.axes import Axis, Drawn, Interval, Weights, draws_a_population
from sim.experiment.intervals import FloatArray
from sim.experiment.selection import FEWEST_KNOWN, Selection
from sim.experiment.stopping import goal_of, metrics_of
from sim.experiment.sweep_results import COST, Sweep
from sim.metrics import catalogue
from sim.metrics.catalogue import NUMBER, divided, headlines
from sim.report.mix import split_in_words
from sim.report.surface_content import Told, answer_caveats, answer_sentences
from sim.report.units import (
    NO_DATA,
    Unit,
    column_unit,
    count_noun,
    estimate_in,
    format_estimate,
    format_given,
    format_number,
    format_percent,
    format_value,
    unit_of_change,
)
from sim.scenario.variants import word
from sim.words import capitalized, listed, readable

DESIGNS = {
    "grid": "Every combination",
    "zip": "Values taken side by side",
    "random": "Independent draws",
    "lhs": "Latin hypercube sample",
    "sobol": "Sobol sample",
    "morris": "Morris trajectories",
    "adaptive": "Points where the answer needed them",
}

FEW_REPLICATIONS = 5
"""Below this, an interval leans on normality too much."""

_SMALLEST_CHANCE = 0.001
"""Of being the best, for a point to be shown."""
_ESTIMATE = ["mean", "ci_low", "ci_high", "n"]
_EFFECT = ["difference", "ci_low", "ci_high", "adjusted_low", "adjusted_high"]
_MOST_NAMED = 3
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
        units: by metric of the estimates, the unit in which all of its numbers are shown.
        indices: what the sensitivity analysis says, if the design has one.
        selection: the choice among the points, if there was a goal.
        told: what an adaptive sweep answers, if it is one.
    """

    sweep: Sweep
    axes: tuple[Axis, ...]
    estimates: Mapping[str, pd.DataFrame]
    effects: Mapping[str, pd.DataFrame]
    units: Mapping[str, Unit]
    indices: pd.DataFrame | None
    selection: Selection | None
    told: Told | None = None

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
        units={
            metric: column_unit(
                catalogue.metric(metric).priced_in(currency), float(rows["mean"].median())
            )
            for metric, rows in estimates.items()
        },
        indices=sweep.sensitivity(),
        selection=sweep.selection,
        told=_told(sweep),
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
    return _value_names(axis).get(_found_by(value)) or _written(value)


@lru_cache
def _value_names(axis: Axis) -> Mapping[tuple[bool, object], str]:
    """Return the names of the values of an axis, each another one."""
    listed = axis.listed or ()
    names = [_written(value) for value in listed]
    words = [
        word(value) if names.count(name) > 1 else name
        for name, value in zip(names, listed, strict=True)
    ]
    places = map(_found_by, listed)
    return dict(zip(places, shortened(words, _LONGEST_VALUE), strict=True))


def _found_by(value: object) -> tuple[bool, object]:
    """Return what tells values apart however they are stored: `true` is equal to 1."""
    return isinstance(value, bool | np.bool_), value


def _written(value: object, digits: int = 6) -> str:
    if value is None:
        return "none"
    if isinstance(value, bool | np.bool_):
        return "yes" if value else "no"
    if isinstance(value, int | float | np.number):
        return format_given(float(value), digits)
    return readable(value) if isinstance(value, str) else str(value)


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
        start = max(names[alike[0]].rfind(mark, 0, same) + 1 for mark in ",{[· ")
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
    """Return the values of a point, short: ``0.5 · full``, in the order of `found.axes`."""
    row = found.sweep.points.loc[point]
    return " · ".join(value_name(axis, row[axis.key]) for axis in found.axes)


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
        design += f", {left:,} left out"
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
    return (math.prod(sizes) if sweep.design == "grid" else max(sizes)) - len(sweep.points)


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
    places = []
    for axis in found.axes:
        place_of = {_found_by(value): place for place, value in enumerate(axis.listed or ())}
        places.append([place_of[_found_by(value)] for value in found.sweep.points[axis.key]])
    array[tuple(places)] = values
    return array


def main_effect(found: Findings, metric: str, number: int) -> pd.DataFrame:
    """Return the mean of a metric at each value of one axis, over all values of the others.

    A combination of the others that has no data at some value is left out at all of them, so that
    only like is compared with like. How much points have in common is not known here; but whatever
    it is, the interval of a mean of means is no wider than their intervals are on average (the
    standard deviation of a mean is at most the mean of the standard deviations), which is given.

    Args:
        found: a sweep with design ``grid``.
        metric: one of the estimates.
        number: which of `found.axes`.

    Returns:
        A row per value of the axis: `mean`, `ci_low`, `ci_high`.
    """
    columns: dict[str, FloatArray] = {}
    for column in _ESTIMATE[:3]:
        values = np.moveaxis(on_grid(found, found.estimates[metric][column]), number, 0)
        columns[column] = values.reshape(len(values), -1)
    whole = np.flatnonzero(~np.isnan(columns["mean"]).any(axis=0))
    if not whole.size:
        return pd.DataFrame(math.nan, range(len(columns["mean"])), list(columns))
    return pd.DataFrame({name: each[:, whole].mean(axis=1) for name, each in columns.items()})


def sentences(found: Findings) -> list[str]:
    """Return what a sweep says, in plain sentences derived from its numbers."""
    if draws_a_population(found.sweep.axes):  # what is told of it is not told point by point
        named = found.shown if found.indices is not None else ()
        return [sentence for metric in named if (sentence := _strongest(found, metric))]
    if found.told is None:
        said = [_extremes(found, metric) for metric in found.shown]
    else:
        said = answer_sentences(found.told)
    said += [_strongest(found, metric) for metric in found.shown]
    said += [_distinguishable(found), *_mixes(found), _selected(found)]
    return [sentence for sentence in said if sentence]


def _estimate_at(found: Findings, metric: str, point: int) -> str:
    rows = found.estimates[metric]
    return _in_words(found, metric, *(float(rows[column][point]) for column in _ESTIMATE[:3]))


def _extremes(found: Findings, metric: str) -> str:
    label = capitalized(label_of(metric))
    known = found.estimates[metric].dropna(subset="mean").sort_values("mean", kind="stable")
    if known.empty:
        return f"{label}: {NO_DATA} at any point."
    low, high = int(known.index[0]), int(known.index[-1])
    if len(found.numbers) == 1:
        return f"{label} is {_estimate_at(found, metric, low)}."
    if known["mean"].iloc[0] == known["mean"].iloc[-1]:
        everywhere = "all points" if len(known) == len(found.numbers) else "all points with data"
        return f"{label} is the same at {everywhere}: {_estimate_at(found, metric, low)}."
    of_metric = catalogue.metric(metric)
    ends = list(zip(of_metric.extremes, (low, high), strict=True))
    (good, best), (bad, worst) = ends[::-1] if of_metric.better == "more" else ends
    said = (
        f"{label} is {good} at {point_name(found, best)} ({_estimate_at(found, metric, best)}) and "
        f"{bad} at {point_name(found, worst)} ({_estimate_at(found, metric, worst)})"
    )
    if known["ci_high"].iloc[0] >= known["ci_low"].iloc[-1]:
        said += "; these intervals overlap"
    return f"{said}."


def _strongest(found: Findings, metric: str) -> str:
    if len(found.axes) < 2 or found.estimates[metric]["mean"].nunique() < 2:
        return ""
    by_design = {
        "grid": _strongest_on_grid,
        "random": _strongest_in_sample,
        "lhs": _strongest_in_sample,
        "adaptive": _strongest_in_sample,
        "sobol": _strongest_by_index,
        "morris": _strongest_by_index,
    }
    return by_design[found.sweep.design](found, metric) if found.sweep.design in by_design else ""


def _strongest_on_grid(found: Findings, metric: str) -> str:
    levels = [main_effect(found, metric, number) for number in range(len(found.axes))]
    ranges = [float(frame["mean"].max() - frame["mean"].min()) for frame in levels]
    if not max(ranges, default=0.0) > 0.0:
        return ""
    number = int(np.nanargmax(ranges))
    axis, frame = found.axes[number], levels[number]
    lowest, highest = int(frame["mean"].argmin()), int(frame["mean"].argmax())
    listed_values = axis.listed or ()
    told = [
        f"{_in_words(found, metric, *frame.iloc[end])} at {value_name(axis, listed_values[end])}"
        for end in sorted((lowest, highest))
    ]
    overlap = frame["ci_high"].iloc[lowest] >= frame["ci_low"].iloc[highest]
    doubt = "; these intervals overlap" if overlap else ""
    return (
        f"Averaged over the other axes, {axis_name(axis)} moves {label_of(metric)} most: from "
        f"{told[0]} to {told[1]}{doubt}."
    )


def _in_words(found: Findings, metric: str, mean: float, low: float, high: float) -> str:
    # One unit in all of a report: what is compared in a sentence is compared in one unit.
    unit = found.units[metric]
    shown = estimate_in(unit, catalogue.metric(metric), mean, low, high)
    value = unit.behind(shown.value)
    return f"{value} [{shown.interval}]" if shown.interval else value


def _strongest_in_sample(found: Findings, metric: str) -> str:
    mean = found.estimates[metric]["mean"]
    known = mean.notna()
    correlations = {}
    for axis in found.axes:
        values = found.sweep.points.loc[known, axis.key]
        if is_numeric(axis) and values.nunique() > 1:
            # Spearman's: Pearson's of the ranks.
            ranks = values.astype(float).rank()
            correlations[axis_name(axis)] = float(ranks.corr(mean[known].rank()))
    if not correlations:
        return ""
    name = max(correlations, key=lambda each: abs(correlations[each]))
    return (
        f"{capitalized(label_of(metric))} goes most with {name}: rank correlation "
        f"{format_number(correlations[name], 2, signed=True)} over "
        f"{count_noun(int(known.sum()), 'point')}."
    )


def _strongest_by_index(found: Findings, metric: str) -> str:
    indices = indices_of(found, metric)
    known = indices[indices["index"] > 0.0]
    if known.empty:
        return ""
    change = unit_of_change(found.units[metric]).heading
    unit = "" if found.sweep.design == "sobol" else f" {change}"
    kind = "total-order index" if found.sweep.design == "sobol" else "mean absolute effect"
    told = [
        f"{name_of(found, str(key))} ({kind} {show_index(row)}{unit})"
        for key, row in known.head(2).iterrows()
    ]
    if len(told) == 1:
        return f"{capitalized(label_of(metric))} depends most on {told[0]}."
    doubt = "; these intervals overlap" if known["low"].iloc[0] <= known["high"].iloc[1] else ""
    return f"{capitalized(label_of(metric))} depends most on {told[0]}, then on {told[1]}{doubt}."


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
    return indices.sort_values("index", ascending=False, kind="stable")


def show_index(row: "pd.Series[float]") -> str:
    """Return an index with its interval."""
    index, low, high = (float(row[column]) for column in ("index", "low", "high"))
    shown = format_estimate(NUMBER, index, low, high)
    return f"{shown.value} [{shown.interval}]" if shown.interval else shown.value


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
        return ""
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


def goal_in_words(found: Findings) -> str:
    """Return what the best point was meant to be: ``shortest lead time with ... at most 15 %``."""
    wish = found.sweep.base.select
    assert wish is not None
    currency = found.sweep.base.cost.currency
    smallest, largest = catalogue.metric(wish.metric).extremes
    limits = [
        f"{label_of(metric)} {kind} "
        f"{format_value(catalogue.metric(metric).priced_in(currency), limit)}"
        for kind, bounds in (("at most", wish.at_most), ("at least", wish.at_least))
        for metric, limit in bounds.items()
    ]
    said = f"{smallest if wish.goal == 'smallest' else largest} {label_of(wish.metric)}"
    return f"{said} with {listed(limits)}" if limits else said


def _selected(found: Findings) -> str:
    selection = found.selection
    if selection is None:
        return ""
    goal = f"Looked for was the {goal_in_words(found)}: "
    lacking = " ".join(_not_judged(found))
    if math.isnan(selection.probability):
        return f"{goal}no point can be judged. {lacking}"
    sure = format_percent(selection.probability)
    if selection.best is None:
        chosen = (
            "going by the means no point keeps within these limits, which is right with a "
            f"probability of at least {sure}."
        )
    else:
        chosen = (
            f"going by the means it is {point_name(found, selection.best)}, which is the right "
            f"choice with a probability of at least {sure}."
        )
    return f"{goal}{chosen} {lacking}".rstrip()


def _not_judged(found: Findings) -> list[str]:
    """Return sentences about the points that a selection cannot judge for want of data."""
    wish = found.sweep.base.select
    assert wish is not None
    sentences = []
    metrics = metrics_of(goal_of(wish))
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
        *_failed(found),
        *_skipped(found),
        *([] if found.told is None else answer_caveats(found.told)),
        *_unstable(found),
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
    return [Caveat(True, line) for line in failure_lines(found, most=10)]


def _skipped(found: Findings) -> list[Caveat]:
    skipped = found.sweep.skipped
    if not skipped:
        return []
    named = [f"{point.overrides} ({point.error})" for point in skipped[:_MOST_NAMED]]
    left = len(skipped) - len(named)
    more = [f"{left:,} more"] if left else []
    count = count_noun(len(skipped), "combination")
    return [Caveat(False, f"Left out as no valid scenario: {count}, {listed([*named, *more])}.")]


def _unstable(found: Findings) -> list[Caveat]:
    flag = instability(found)
    if not flag:
        return []
    text = (
        f"{flag.capitalize()}: in some replications work in progress kept growing, so these lead "
        "times depend on how long the simulation ran."
    )
    return [Caveat(True, text)]


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
    if fewest == 1:
        text = "Some points have a single replication: how sure their numbers are, is unknown."
        return [Caveat(True, text)]
    text = (
        f"Few replications: some points have only {fewest}, so their intervals are wide and lean "
        "on the normal distribution."
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
    return [Caveat(False, text)]
