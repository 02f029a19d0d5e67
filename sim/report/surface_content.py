"""What an adaptive sweep answers: its sentences, rows and warnings.

Surfaces are those of :mod:`sim.experiment.surface`; intervals are 95 % intervals, each of its own.
"""

import itertools
import math
from typing import NamedTuple

import numpy as np
import pandas as pd

from sim.document.document import Caveat
from sim.experiment.adaptive import Answer, Fit, Width
from sim.experiment.axes import Axis
from sim.experiment.intervals import FloatArray
from sim.metrics import catalogue
from sim.metrics.catalogue import Metric
from sim.report.units import (
    Unit,
    column_unit,
    count_noun,
    decimals_for,
    estimate_in,
    format_given,
    format_number,
    format_percent,
    format_value,
    unit_of_change,
)
from sim.words import capitalized, is_or_are, listed


class Asked(NamedTuple):
    """A metric that an adaptive sweep was asked about, with what its report needs."""

    metric: Metric
    unit: Unit
    width: Width
    fit: Fit | None


class Told(NamedTuple):
    """An answer, with the names that a report gives to what it is about.

    Attributes:
        answer: what was answered.
        axes: what was varied, in the order of the region.
        names: what the axes are called.
        runs: replications of all points together.
        points: how many there are.
        currency: of amounts of money.
    """

    answer: Answer
    axes: tuple[Axis, ...]
    names: tuple[str, ...]
    runs: int
    points: int
    currency: str

    @property
    def asked(self) -> list[Asked]:
        """The metrics of the question, in its order."""
        every = []
        for width in self.answer.widths:
            metric = catalogue.metric(width.metric).priced_in(self.currency)
            fit = self.answer.fits.get(width.metric)
            size = float(np.median(np.abs(fit.bands.mean))) if fit is not None else 1.0
            every.append(Asked(metric, column_unit(metric, size), width, fit))
        return every

    def at(self, place: FloatArray) -> str:
        """Return a place in words: ``automation 0.5, standardization 1``."""
        values = self.answer.region.point(place)
        return ", ".join(
            f"{name} {format_given(float(str(value)), 3)}"
            for name, value in zip(self.names, values, strict=True)
        )


def answer_sentences(told: Told) -> list[str]:
    """Return the answer first, then what it rests on."""
    by_kind = {"surface": _surface, "crossing": _crossing, "best": _best}
    said = [_verdict(told)]
    for asked in told.asked:
        if asked.fit is not None:
            said += [by_kind[told.answer.spec.kind](told, asked, asked.fit), _extremes(told, asked)]
    checked = [
        f"{asked.fit.within} of {len(asked.fit.surface.means)} for {asked.metric.label}"
        for asked in told.asked
        if asked.fit is not None
    ]
    if checked:
        said.append(
            "Checked by leaving out each point in turn: the 95 % intervals that the others give "
            f"have its mean in {listed(checked)}."
        )
    return said


def _verdict(told: Told) -> str:
    what = {
        "surface": "The surface is known as closely as asked",
        "crossing": "The crossing is known as closely as asked",
        "best": "The best place is known as closely as asked",
    }[told.answer.spec.kind]
    spent = f"{count_noun(told.runs, 'run')} at {count_noun(told.points, 'point')}"
    if told.answer.reached:
        return f"{what}, with {spent} of at most {format_given(told.answer.spec.max_runs)} runs."
    what = what.replace(" is known", " is not known")
    missing = [asked for asked in told.asked if not asked.width.reached]
    shown = listed([f"{asked.metric.label} {_width_in_words(asked)}" for asked in missing])
    left = "" if told.runs < told.answer.spec.max_runs else " (max_runs)"
    return f"{what}, with {spent}{left}: {shown}."


def _width_in_words(asked: Asked) -> str:
    now, wanted = shown_widths(asked)
    return f"{now} (asked: {wanted})"


def shown_widths(asked: Asked) -> tuple[str, str]:
    """Return how wide it is, and how wide it may be: ``±4.8 %``, ``±5 %``."""
    width, unit = asked.width, asked.unit
    if not np.isfinite(width.now):
        return "not known", _shown_width(width, unit, width.target)
    return _shown_width(width, unit, width.now), _shown_width(width, unit, width.target)


def _shown_width(width: Width, unit: Unit, value: float) -> str:
    if width.kind == "crossing":
        return f"{_percent(value)} of the region undecided"
    if width.kind == "best":
        return f"up to {_percent(value)} better elsewhere"
    if width.relative:
        return f"±{_percent(value)}"
    return unit_of_change(unit).behind(f"±{format_given(value / unit.size, 3)}")


def _percent(share: float) -> str:
    return f"{format_given(100.0 * share, 3)} %"


def _subject(asked: Asked) -> str:
    """Return the beginning of a sentence about a metric: ``Lead time is``."""
    return f"{capitalized(asked.metric.label)} {is_or_are(asked.metric.label)}"


def _value(asked: Asked, fit: Fit, place: int) -> str:
    mean, low, high = (float(each[place]) for each in fit.bands)
    shown = estimate_in(asked.unit, asked.metric, mean, low, high)
    return f"{asked.unit.behind(shown.value)} [{shown.interval}]"


def _surface(told: Told, asked: Asked, fit: Fit) -> str:
    assert asked.width.widest is not None
    now, wanted = shown_widths(asked)
    return (
        f"{_subject(asked)} known to {now} or better everywhere (asked: "
        f"{wanted}); its interval is widest at {told.at(asked.width.widest)}."
    )


def _extremes(told: Told, asked: Asked) -> str:
    fit = asked.fit
    assert fit is not None
    if not fit.defined.any():
        return f"{capitalized(asked.metric.label)} has no data anywhere."
    mean = np.where(fit.defined, fit.bands.mean, np.nan)
    low, high = int(np.nanargmin(mean)), int(np.nanargmax(mean))
    if mean[low] == mean[high]:
        return f"{_subject(asked)} the same everywhere: {_value(asked, fit, low)}."
    ends = [
        f"{name} at {told.at(fit.candidates[place])} ({_value(asked, fit, place)})"
        for name, place in zip(asked.metric.extremes, (low, high), strict=True)
    ]
    label = asked.metric.label
    return f"On its surface {label} {is_or_are(label)} {ends[0]} and {ends[1]}."


def _crossing(told: Told, asked: Asked, fit: Fit) -> str:
    value = crossing_value(told, asked)
    below, above = _sides(told, asked, fit)
    label, shown = asked.metric.label, format_value(asked.metric, value)
    mean = fit.bands.mean[fit.defined]
    if not mean.size or mean.max() < value or mean.min() > value:
        side = "below" if not mean.size or mean.max() < value else "above"
        return (
            f"{capitalized(label)} stays {side} {shown} everywhere on its surface; "
            f"{format_percent(asked.width.now)} of the region is undecided."
        )
    lines = crossing_lines(told, asked, fit)
    middle = lines.iloc[len(lines) // 2]
    along = f"Along {told.names[0]}, at {middle['where']}, " if middle["crosses"] else ""
    told_where = f"{along}it crosses it at {middle['crosses']}. " if along else ""
    return (
        f"{_subject(asked)} below {shown} in {format_percent(below)} of the region, above it "
        f"in {format_percent(above)}, undecided in {format_percent(asked.width.now)}. {told_where}"
    ).rstrip()


def crossing_value(told: Told, asked: Asked) -> float:
    """Return the value whose crossing is asked; NaN if something else is."""
    return float(told.answer.spec.crossing.get(asked.metric.name, math.nan))


def _sides(told: Told, asked: Asked, fit: Fit) -> tuple[float, float]:
    """Return the shares of the region that are surely below and above the value."""
    value, whole = crossing_value(told, asked), max(1, int(fit.defined.sum()))
    below = int((fit.defined & (fit.bands.high < value)).sum())
    above = int((fit.defined & (fit.bands.low > value)).sum())
    return below / whole, above / whole


def crossing_lines(told: Told, asked: Asked, fit: Fit) -> pd.DataFrame:
    """Return where a surface crosses its value along the first key.

    Returns:
        A row for the lowest, middle and highest values of the other keys: `where` (in words) and
        `crosses`, the value of the first key with an interval; nothing where it does not cross, or
        crosses more than once.
    """
    value = crossing_value(told, asked)
    lines = told.answer.region.lattice()
    shape = [len(line) for line in lines]
    curves = [np.where(fit.defined, each, np.nan).reshape(shape) for each in fit.bands]
    ends = [sorted({0, len(line) // 2, len(line) - 1}) for line in lines[1:]]
    rows = []
    for others in itertools.product(*ends):
        place = [lines[number + 1][other] for number, other in enumerate(others)]
        values = told.answer.region.point(np.array([0.0, *place]))[1:]
        where = ", ".join(
            f"{name} {format_given(float(str(each)), 3)}"
            for name, each in zip(told.names[1:], values, strict=True)
        )
        found = [_crossed(lines[0], np.moveaxis(curve, 0, -1)[others], value) for curve in curves]
        rows.append({"where": where, "crosses": _crossed_in_words(told, found)})
    return pd.DataFrame(rows)


def _crossed(line: FloatArray, curve: FloatArray, value: float) -> list[float]:
    """Return the places at which a curve crosses a value, by linear interpolation."""
    above = curve - value
    steps = np.flatnonzero(np.sign(above[:-1]) * np.sign(above[1:]) < 0)
    places = [
        float(line[k] + (line[k + 1] - line[k]) * above[k] / (above[k] - above[k + 1]))
        for k in steps
    ]
    return [*places, *(float(line[k]) for k in np.flatnonzero(above == 0.0))]


def _crossed_in_words(told: Told, found: list[list[float]]) -> str:
    mean, *ends = found
    if len(mean) != 1:
        return "more than once" if len(mean) > 1 else ""
    interval = told.answer.region.intervals[0]

    def value(share: float) -> float:
        return interval.low + share * (interval.high - interval.low)

    known = [value(places[0]) if len(places) == 1 else None for places in ends]
    sides = sorted(each for each in known if each is not None)
    half = (max(sides) - min(sides)) / 2.0 if len(sides) == 2 else 0.0
    decimals = decimals_for(value(mean[0]), half)
    shown = format_number(value(mean[0]), decimals)
    if len(sides) < 2:
        return f"{shown} [one end outside]"
    return f"{shown} [{' – '.join(format_number(side, decimals) for side in sides)}]"


def _best(told: Told, asked: Asked, fit: Fit) -> str:
    best = told.answer.best
    assert best is not None
    place = int(np.argmin(((fit.candidates - best) ** 2).sum(axis=1)))
    smallest, largest = asked.metric.extremes
    wish = smallest if told.answer.spec.best[asked.metric.name] == "smallest" else largest
    now, wanted = shown_widths(asked)
    return (
        f"{_subject(asked)} {wish} at {told.at(best)}: "
        f"{_value(asked, fit, place)}; {now} (asked: {wanted})."
    )


def answer_caveats(told: Told) -> list[Caveat]:
    """Return what to know before believing the surfaces."""
    found = []
    for asked in told.asked:
        label = capitalized(asked.metric.label)
        if asked.fit is None:
            why = told.answer.lacking[asked.metric.name]
            found.append(Caveat(True, f"{label} has no surface: {why}."))
            continue
        points = len(asked.fit.surface.means)
        if asked.fit.misfits:
            text = (
                f"The surface of {asked.metric.label} does not fit: of {points} points that were "
                f"left out, only {asked.fit.within} lie in the 95 % intervals that the others "
                "give. Its intervals are too narrow; a smaller region may help."
            )
            found.append(Caveat(True, text))
        undefined = 1.0 - float(asked.fit.defined.mean())
        if undefined > 0.0:
            text = (
                f"{label} has no data in {format_percent(undefined)} of the region, which the "
                "answer leaves out."
            )
            found.append(Caveat(False, text))
    return found


def surface_table(told: Told) -> pd.DataFrame:
    """Return the surfaces at the places where they were looked at.

    Returns:
        A row per metric and place: `metric`, the keys, `mean`, `ci_low` and `ci_high`; places
        without data are left out.
    """
    frames = []
    for name, fit in told.answer.fits.items():
        points = [told.answer.region.point(place) for place in fit.candidates]
        frame = pd.DataFrame(points, columns=[axis.key for axis in told.axes])
        frame.insert(0, "metric", name)
        frame = frame.assign(mean=fit.bands.mean, ci_low=fit.bands.low, ci_high=fit.bands.high)
        frames.append(frame[fit.defined])
    if frames:
        return pd.concat(frames, ignore_index=True)
    columns = ["metric", *(axis.key for axis in told.axes), "mean", "ci_low", "ci_high"]
    return pd.DataFrame(columns=columns)
