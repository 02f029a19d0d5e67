"""Sweeps read from their folders, without simulating anything.

The folder of a sweep says which replications belong to which point and has the scenarios in full,
so that the model of today need not be that of then. Folders of before that was written down have a
table of their replications once they are finished, and the scenarios as files; those are read
instead.
"""

import csv
import io
import json
import re
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import yaml
from pydantic import ValidationError

from sim.experiment.axes import Axis, Interval, Weights, chances
from sim.experiment.designs import OWN_LUCK, SEED
from sim.experiment.joined import join
from sim.experiment.scheduler import Failure
from sim.experiment.store import ResultsError, Store
from sim.experiment.sweep import STORE, TABLE, points_frame, with_values_of_a_table
from sim.experiment.sweep_record import Record, read_record
from sim.experiment.sweep_results import Sweep
from sim.experiment.sweep_table import write_table
from sim.scenario.errors import ScenarioError
from sim.scenario.from_data import validate
from sim.scenario.organization import Scenario
from sim.scenario.settings import AdaptiveSpec, Precision, SelectionSpec
from sim.scenario.spec import Spec
from sim.scenario.variants import Composed, Variants, shown, word

from .load import composed_data, files_of

_SPECS: Mapping[str, type[Spec]] = {
    "precision": Precision,
    "select": SelectionSpec,
    "adaptive": AdaptiveSpec,
}
_SETTINGS = ("name", "description", "seed", "replications", "horizon_weeks", "warmup_weeks")
_OF_A_SWEEP = ("design", "samples", "baseline")


def open(*folders: str | Path) -> Sweep:
    """Return the sweep that is kept in a folder, finished or not; nothing is simulated.

    Several folders are joined to one sweep: they must sweep the same keys over the same scenario,
    with the same seed and model. Points that several of them have must have the same replications.

    What a folder lacks, because it was made by an older version or not finished, is said in
    :attr:`Sweep.remarks`.

    Args:
        *folders: results folders of sweeps.

    Raises:
        ResultsError: a folder has no sweep, or one that cannot be read; or they do not belong
            together.
        ValueError: there is no folder.
    """
    if not folders:
        raise ValueError("there is no folder to open")
    sweeps = [_opened(Path(folder)) for folder in folders]
    return sweeps[0] if len(sweeps) == 1 else join(sweeps, [str(folder) for folder in folders])


def _opened(folder: Path) -> Sweep:
    if not folder.is_dir():
        raise ResultsError(f"there is no folder {folder}")
    note = None
    if (folder / STORE).exists():
        with Store(folder / STORE, reads_only=True) as store:
            record = read_record(store)
            if record is not None:
                return _recorded(folder, store, record)
            note = json.loads(store.note("sweep") or "null")
    if (folder / TABLE).exists():
        return _from_table(folder, note)
    if note is not None:
        raise ResultsError(
            f"{folder} is not finished, and was made before it was kept which replication belongs "
            f"to which point; the same command with hydra.sweep.dir={folder} finishes it"
        )
    raise ResultsError(f"{folder} has no sweep")


def _recorded(folder: Path, store: Store, record: Record) -> Sweep:
    """Return the sweep of a folder that says which replication belongs to which point."""
    finished = record.finished
    variants = _variants(record.keys, record.points, lambda point: _kept(record, point))
    remarks = []
    table: pq.ParquetFile
    if finished is not None and (folder / TABLE).exists():
        counts = finished.replications
        table = pq.ParquetFile(folder / TABLE)
    else:
        counts = [_contiguous(store.finished(each)) for each in record.fingerprints]
        written = io.BytesIO()
        write_table(written, store, variants, record.fingerprints, counts)
        table = pq.ParquetFile(written)
    if finished is None:
        wanted = max(sum(record.wanted), sum(counts))
        remarks.append(f"it is not finished: {sum(counts)} of {wanted} replications are there")
    base, remark = _base(record.data(record.baseline), {})
    return Sweep(
        base,
        tuple(map(with_values_of_a_table, record.axes)),
        points_frame(record.keys, record.points),
        record.baseline,
        np.array(counts),
        tuple(Failure(**failure) for failure in (finished.failures if finished else [])),
        table,
        record.skipped,
        variants=variants,
        made=record.made,
        remarks=(*remarks, *remark),
    )


def _kept(record: Record, point: int) -> Mapping[str, Any]:
    data = record.data(point)
    if data is None:
        raise ResultsError(f"the folder does not have the scenario of point {point}")
    return data


def _contiguous(finished: set[int]) -> int:
    """Return how many replications are there from the first one on, without a gap."""
    return next(number for number in range(len(finished) + 1) if number not in finished)


def _variants(
    keys: Sequence[str],
    points: Sequence[tuple[object, ...]],
    data_of: Callable[[int], Mapping[str, Any]],
) -> Variants:
    """Return the scenarios of points whose data are known."""
    numbers = {tuple(map(word, values)): number for number, values in enumerate(points)}

    def compose(values: tuple[object, ...]) -> Composed:
        return Composed(data_of(numbers[tuple(map(word, values))]), can_be_set=False)

    return Variants(keys, points, compose, keys, checked=())


def _base(
    data: Mapping[str, Any] | None, known: Mapping[str, Any]
) -> tuple[Scenario, tuple[str, ...]]:
    """Return a scenario with the settings of the sweep, and what is missing in it.

    Args:
        data: the scenario as plain data; None if it is not there.
        known: what is known of it in any case.
    """
    if data is None:
        why = "it does not have the scenarios of its points"
        data = known
    else:
        try:
            return validate(data), ()
        except ScenarioError as error:
            first = str(error).splitlines()[0]
            why = f"its scenario is not valid in this version ({first})"
    said = {name: data[name] for name in (*_SETTINGS, *_OF_A_SWEEP) if name in data}
    for name, spec in _SPECS.items():
        if data.get(name) is not None:
            with suppress(ValidationError):  # without it there is one table less
                said[name] = spec.model_validate(data[name])
    # The organization is left out: of a sweep only the settings are needed to read its numbers.
    settings = Scenario.model_construct(**{"name": "unknown", **said})
    return settings, (f"{why}, so nothing of it can be simulated again",)


# --- folders of before the record ----------------------------------------------------------------


def _from_table(folder: Path, note: Mapping[str, Any] | None) -> Sweep:
    """Return the sweep of a folder that has a table of its replications, and no record."""
    table = pq.ParquetFile(folder / TABLE)
    names = list(map(str, table.schema_arrow.names))
    if not {"point", "replication"} <= set(names):
        raise ResultsError(f"{folder} has the results of a single run, and no sweep")
    keys = names[1 : names.index("replication")]
    rows = table.read(columns=["point", *keys]).to_pandas()
    counts_of = rows.groupby("point").size()
    provenance = _read_json(folder / "provenance.json")
    failures = _failures(folder)
    size = max(
        [
            *(number + 1 for number in counts_of.index),
            *(failure.point + 1 for failure in failures),
            int(provenance.get("points", 0)),
        ]
    )
    design = str(provenance.get("design", (note or {}).get("design", "grid").partition(" ")[0]))
    axes_of_note: Mapping[str, Sequence[str]] = {} if note is None else note["axes"]
    listed = _listed(axes_of_note)
    points = _points_of_before(rows, keys, size, failures, listed)
    axes = tuple(
        Axis(key, _axis_values(key, axes_of_note.get(key), listed, points, place))
        for place, key in enumerate(keys)
        if not (design in OWN_LUCK and key == SEED)
    )
    width = len(str(size - 1))

    def data_of(point: int) -> Mapping[str, Any]:
        path = folder / "scenarios" / f"point-{point:0{width}}.yaml"
        if not path.is_file():
            raise ResultsError(f"{folder} does not have the scenario of point {point}")
        try:
            return composed_data(files_of(path), [])
        except ScenarioError as error:
            raise ResultsError(f"the scenario of point {point} is not valid: {error}") from None

    known = {"design": design, "name": provenance.get("scenario", "unknown")}
    if "seed" in provenance:
        known["seed"] = provenance["seed"]
    missing = [] if note is not None else ["it has no results.sqlite, so it cannot go on"]
    data: Mapping[str, Any] | None = None
    try:
        data = data_of(0)
    except ResultsError as error:
        missing.append(str(error))
    base, remark = _base(data, known)
    baseline = 0
    if base.baseline:
        baseline = Sweep(
            base, axes, points_frame(keys, points), 0, np.empty(0, int), (), table
        ).number_of(base.baseline)
    if data is not None and baseline:
        base, remark = _base(data_of(baseline), known)
    return Sweep(
        base,
        tuple(map(with_values_of_a_table, axes)),
        points_frame(keys, points),
        baseline,
        np.array([int(counts_of.get(number, 0)) for number in range(size)]),
        failures,
        table,
        variants=_variants(keys, points, data_of),
        remarks=(
            "it was made before its command and the version of its model were kept",
            *missing,
            *remark,
        ),
    )


def _points_of_before(
    rows: pd.DataFrame,
    keys: Sequence[str],
    size: int,
    failures: Sequence[Failure],
    listed: Mapping[str, Mapping[str, object]],
) -> list[tuple[object, ...]]:
    """Return the values of the points, of which those that failed are known by their words only."""
    there = rows.drop_duplicates("point").set_index("point")
    labels = {failure.point: failure.overrides for failure in failures}
    points = []
    for number in range(size):
        if number in there.index:
            values = [_value(key, there.at[number, key], listed) for key in keys]
        else:
            values = [_value_in(labels.get(number, ""), key, listed) for key in keys]
        points.append(tuple(values))
    return points


def _read_json(path: Path) -> dict[str, Any]:
    if not path.is_file():
        return {}
    said: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    return said


def _failures(folder: Path) -> tuple[Failure, ...]:
    path = folder / "failures.csv"
    if not path.is_file():
        return ()
    with path.open(encoding="utf-8", newline="") as file:
        return tuple(
            Failure(int(row["point"]), row["overrides"], row["error"], row["details"])
            for row in csv.DictReader(file)
        )


def _listed(axes: Mapping[str, Sequence[str]]) -> dict[str, dict[str, object]]:
    """Return the listed values of each axis by the words of the command line."""
    found: dict[str, dict[str, object]] = {}
    for key, words in axes.items():
        if not (len(words) == 1 and re.match(r"interval\(|\{", words[0])):
            found[key] = {text: _read_word(text) for text in words}
    return found


def _read_word(text: str) -> object:
    """Return the value of a word as :func:`sim.scenario.variants.word` writes it."""
    constants = {"null": None, "true": True, "false": False}
    if text in constants:
        return constants[text]
    if text.startswith("'"):
        return re.sub(r"\\(\\*)(?='|\Z)", r"\1", text[1:-1])
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text


def _value(key: str, value: object, listed: Mapping[str, Mapping[str, object]]) -> object:
    """Return a value as the sweep had it, which its table has as text if values differ in kind."""
    if isinstance(value, np.generic):
        value = value.item()
    if isinstance(value, str):
        for read in listed.get(key, {}).values():
            if shown(read) == value:
                return read
    return value


def _value_in(label: str, key: str, listed: Mapping[str, Mapping[str, object]]) -> object:
    """Return the value of a key in the words that name a point; None if they do not have it."""
    for text, value in listed.get(key, {}).items():
        if f" {key}={text} " in f" {label} ":
            return value
    found = re.search(rf"(?:^| ){re.escape(key)}=(\S+)", label)
    return None if found is None else _read_word(found[1])


def _axis_values(
    key: str,
    words: Sequence[str] | None,
    listed: Mapping[str, Mapping[str, object]],
    points: Sequence[tuple[object, ...]],
    place: int,
) -> tuple[object, ...] | Interval | Any:
    """Return the values of an axis, or what they were drawn from."""
    if key in listed:
        return tuple(listed[key].values())
    there = list(dict.fromkeys(values[place] for values in points if values[place] is not None))
    if words is None:
        return tuple(there)
    bounds = re.fullmatch(r"interval\((.*), (.*)\)", words[0])
    if bounds is not None:
        low, high = map(float, bounds.groups())
        return Interval(low, high, whole=all(isinstance(value, int) for value in there))
    try:
        said = yaml.safe_load(words[0])
        if isinstance(said, Mapping):
            return chances(key, said)
    except (yaml.YAMLError, ScenarioError, TypeError):
        pass
    # Weights of values that are mappings: how often each was drawn is all that is left of them.
    numbers = [sum(values[place] == each for values in points) for each in there]
    return Weights(tuple(there), tuple(number / sum(numbers) for number in numbers))
