"""Sweeps of several folders joined to one: a sweep whose points were run in parts."""

import io
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from sim.scenario.errors import ScenarioError
from sim.scenario.files import is_choice
from sim.scenario.organization import Scenario
from sim.scenario.settings import FOR_READERS, OF_A_SWEEP
from sim.scenario.variants import Composed, Variants, shown, word

from .axes import Axis
from .designs import OWN_LUCK
from .store import ResultsError
from .sweep_results import Sweep
from .sweep_table import INCIDENTS

_MOST_ROWS = 20_000
"""Of a row group."""
_LISTED = ("grid", "zip")
_MAY_DIFFER = {*FOR_READERS, *OF_A_SWEEP, "replications", "practices", "practice_reach"}


class _Place(NamedTuple):
    """Where a point lies: in which sweep, under which number."""

    sweep: int
    point: int


def join(sweeps: Sequence[Sweep], names: Sequence[str]) -> Sweep:
    """Return one sweep with the points of all.

    Args:
        sweeps: at least two, over the same keys.
        names: what they are called in messages.

    Raises:
        ResultsError: they do not belong together; the message says why.
    """
    first = sweeps[0]
    for sweep, name in zip(sweeps[1:], names[1:], strict=True):
        if reason := _reason_to_refuse(first, sweep):
            raise ResultsError(f"{names[0]} and {name} are no parts of one sweep: {reason}")
    places: dict[tuple[object, ...], list[_Place]] = {}
    keys = list(map(str, first.points))
    for number, sweep in enumerate(sweeps):
        for point, values in zip(
            sweep.points.index, sweep.points[keys].itertuples(index=False, name=None), strict=True
        ):
            places.setdefault(tuple(map(_identity, values)), []).append(_Place(number, int(point)))
    if first.design not in (*_LISTED, "random") and any(
        len({place.sweep for place in each}) < len(sweeps) for each in places.values()
    ):
        raise ResultsError(
            f"the points of design={first.design} belong together, and {names[0]} and {names[1]} "
            "have others"
        )
    axes = _axes(sweeps)
    design = first.design if first.design not in _LISTED else _design(axes, len(places))
    ordered = list(places.values())
    if design == "grid":
        of_axis = [
            {_identity(value): n for n, value in enumerate(axis.listed or ())} for axis in axes
        ]
        by_values = sorted(
            places, key=lambda values: [of[v] for of, v in zip(of_axis, values, strict=True)]
        )
        ordered = [places[values] for values in by_values]
    _refuse_other_numbers(sweeps, names, ordered)

    def replications(at: _Place) -> int:
        return int(sweeps[at.sweep].replications[at.point])

    chosen = [max(each, key=replications) for each in ordered]
    frames = [sweep.points[keys] for sweep in sweeps]
    points = pd.DataFrame(
        [frames[at.sweep].iloc[at.point].tolist() for at in chosen],
        columns=keys,
        index=pd.RangeIndex(len(chosen), name="point"),
    )
    baseline = next(
        number for number, each in enumerate(ordered) if _Place(0, first.baseline) in each
    )
    failures = [
        type(failure)(number, failure.overrides, failure.error, failure.details)
        for number, at in enumerate(chosen)
        for failure in sweeps[at.sweep].failures
        if failure.point == at.point
    ]
    return Sweep(
        first.base.model_copy(update={"design": design}),
        axes,
        points,
        baseline,
        np.array([replications(at) for at in chosen]),
        tuple(failures),
        _table(sweeps, chosen),
        tuple(each for sweep in sweeps for each in sweep.skipped),
        variants=_variants(sweeps, chosen, keys),
        made=first.made,
        remarks=tuple(
            f"{name}: {remark}"
            for sweep, name in zip(sweeps, names, strict=True)
            for remark in sweep.remarks
        ),
    )


def _identity(value: object) -> object:
    """Return what is the same for values that are the same; `true` is not 1."""
    return (isinstance(value, bool | np.bool_), value)


def _reason_to_refuse(one: Sweep, other: Sweep) -> str:
    """Return why two sweeps are no parts of one; empty if they are."""
    keys, theirs = ([axis.key for axis in sweep.axes] for sweep in (one, other))
    if set(keys) != set(theirs):
        return f"one sweeps {', '.join(keys)}, the other {', '.join(theirs)}"
    listed = [sweep.design in _LISTED for sweep in (one, other)]
    if not all(listed) and one.design != other.design:
        return f"one has design={one.design}, the other design={other.design}"
    if one.made is not None and other.made is not None and one.made.model != other.made.model:
        return "they were simulated with other versions of the model or its libraries"
    return _other_base(one, other)


def _other_base(one: Sweep, other: Sweep) -> str:
    """Return what is different in the scenarios of two sweeps besides what is swept.

    Two points with the same choices from config groups have to be the same but for the other keys;
    if there are none, the overrides that all of them have, or the settings that no choice is about.
    """
    choices = [axis.key for axis in one.axes if is_choice(axis.key)]
    swept = [axis.key for axis in one.axes if not is_choice(axis.key)]
    swept += ["seed"] if one.design in OWN_LUCK else []
    pair = _with_the_same_choices(one, other, choices)
    if pair is not None and one.variants is not None and other.variants is not None:
        try:
            ours, theirs = one.variants.scenario(pair[0]), other.variants.scenario(pair[1])
        except (ScenarioError, ResultsError):
            pass
        else:
            return _different(_flat(ours), _flat(theirs), swept)
    given = [_given(sweep) for sweep in (one, other)]
    if given[0] is not None and given[1] is not None:
        return _different(given[0], given[1], swept)
    settings = ("seed", "horizon_weeks", "warmup_weeks")
    ours_only, theirs_only = (
        {name: getattr(sweep.base, name) for name in settings} for sweep in (one, other)
    )
    return _different(ours_only, theirs_only, swept)


def _given(sweep: Sweep) -> dict[str, object] | None:
    """Return the overrides that all points of a sweep have, value by key; None if not known."""
    if sweep.made is None or sweep.made.fixed is None:
        return None
    pairs = (override.partition("=") for override in sweep.made.fixed)
    return {key: value for key, _, value in pairs if key.partition(".")[0] not in _MAY_DIFFER}


def _with_the_same_choices(
    one: Sweep, other: Sweep, choices: Sequence[str]
) -> tuple[int, int] | None:
    there: dict[tuple[object, ...], int] = {}
    for point in other.points.index:
        there.setdefault(tuple(other.points[key].iloc[point] for key in choices), int(point))
    for point in one.points.index:
        values = tuple(one.points[key].iloc[point] for key in choices)
        if values in there:
            return int(point), there[values]
    return None


def _flat(scenario: Scenario) -> dict[str, object]:
    found: dict[str, object] = {}

    def add(key: str, value: object) -> None:
        if isinstance(value, Mapping) and value:
            for name, inner in value.items():
                add(f"{key}.{name}" if key else str(name), inner)
        else:
            found[key] = value

    add("", scenario.model_dump(mode="json", by_alias=True, exclude=_MAY_DIFFER))
    return found


def _different(
    ours: Mapping[str, object], theirs: Mapping[str, object], swept: Sequence[str]
) -> str:
    for key in dict.fromkeys([*ours, *theirs]):
        if any(_is_inside(key, pattern) for pattern in swept):
            continue
        one, other = (side.get(key, "missing") for side in (ours, theirs))
        if one != other:
            return f"{key} is {shown(one)} in one and {shown(other)} in the other"
    return ""


def _is_inside(key: str, pattern: str) -> bool:
    """Return whether a key is what is swept, is inside of it, or is a block around it."""
    pairs = zip(key.split("."), pattern.split("."), strict=False)
    return all(there in (part, "*") for part, there in pairs)


def _axes(sweeps: Sequence[Sweep]) -> tuple[Axis, ...]:
    """Return the axes with the values of all sweeps; numbers in their order."""
    joined = []
    for axis in sweeps[0].axes:
        if not isinstance(axis.values, tuple):
            joined.append(axis)
            continue
        values: dict[object, object] = {}
        for sweep in sweeps:
            (theirs,) = (each for each in sweep.axes if each.key == axis.key)
            values |= {_identity(value): value for value in theirs.listed or ()}
        found = list(values.values())
        if len(found) > len(axis.values) and all(
            isinstance(value, int | float) and not isinstance(value, bool) for value in found
        ):
            found.sort(key=lambda value: float(str(value)))
        joined.append(Axis(axis.key, tuple(found)))
    return tuple(joined)


def _design(axes: Sequence[Axis], points: int) -> str:
    """Return whether points with listed values are all combinations of them, or some."""
    size = int(np.prod([len(axis.listed or ()) for axis in axes], dtype=np.int64))
    return "grid" if size == points else "zip"


def _refuse_other_numbers(
    sweeps: Sequence[Sweep], names: Sequence[str], places: Sequence[Sequence[_Place]]
) -> None:
    """Refuse points that several sweeps have with other numbers for the same replication."""
    several = [each for each in places if len(each) > 1]
    if not several:
        return
    runs = [sweep.runs for sweep in sweeps]
    for each in several:
        of_points = [
            runs[at.sweep][runs[at.sweep]["point"] == at.point].set_index("replication")
            for at in each
        ]
        for at, other in zip(each[1:], of_points[1:], strict=True):
            both = of_points[0].index.intersection(other.index)
            metrics = [name for name in sweeps[at.sweep].metrics if name in of_points[0].columns]
            one, two = (
                frame.loc[both, metrics].to_numpy(np.float64) for frame in (of_points[0], other)
            )
            if not np.array_equal(one, two, equal_nan=True):
                raise ResultsError(
                    f"{names[each[0].sweep]} and {names[at.sweep]} have other numbers for the same "
                    f"point, {sweeps[at.sweep].label(at.point)}"
                )


def _table(sweeps: Sequence[Sweep], chosen: Sequence[_Place]) -> pq.ParquetFile:
    """Return the replications of the chosen points as one table, each point in one row group."""
    parts = []
    for number, sweep in enumerate(sweeps):
        mine = {at.point: point for point, at in enumerate(chosen) if at.sweep == number}
        table = sweep.table.read()
        table = table.filter(pc.is_in(table["point"], pa.array(sorted(mine), pa.int32())))
        renumbered = pa.array([mine[point] for point in table["point"].to_pylist()], pa.int32())
        parts.append(table.set_column(0, "point", renumbered))
    table = pa.concat_tables(parts, promote_options="permissive")
    # The incidents are last, behind the metrics that only some of the sweeps have.
    last = [name for name in INCIDENTS if name in table.column_names]
    table = table.select([*(name for name in table.column_names if name not in last), *last])
    table = table.sort_by([("point", "ascending"), ("replication", "ascending")])
    starts = np.flatnonzero(np.diff(table["point"].to_numpy(), prepend=-1))
    written = io.BytesIO()
    with pq.ParquetWriter(written, table.schema, compression="zstd") as writer:
        begin = 0
        for end in [*starts[1:], table.num_rows]:
            if end - begin >= _MOST_ROWS or end == table.num_rows:
                rows = table.slice(begin, end - begin)
                writer.write_table(rows, row_group_size=max(1, rows.num_rows))
                begin = end
    return pq.ParquetFile(written)


def _variants(
    sweeps: Sequence[Sweep], chosen: Sequence[_Place], keys: Sequence[str]
) -> Variants | None:
    """Return the scenarios of the chosen points; None if a sweep does not have its own."""
    sources: list[Variants] = []
    for sweep in sweeps:
        if sweep.variants is None:
            return None
        sources.append(sweep.variants)
    values_of: list[tuple[object, ...]] = []
    for at in chosen:
        values = sources[at.sweep].values(at.point)
        values_of.append(tuple(values[key] for key in keys))
    numbers = {tuple(map(word, values)): number for number, values in enumerate(values_of)}

    def compose(values: tuple[object, ...]) -> Composed:
        at = chosen[numbers[tuple(map(word, values))]]
        data: Mapping[str, Any] = sources[at.sweep].data(at.point)
        return Composed(data, can_be_set=False)

    return Variants(keys, values_of, compose, keys, checked=())
