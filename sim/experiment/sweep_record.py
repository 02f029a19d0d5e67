"""The record of a sweep in its folder: how it was made, and which replications are of which point.

Replications are found by fingerprints, which contain the version of the model. So the record says
which fingerprint each point had, and has the scenarios of the points in full: another version of
this program can still read what is there, and say why it would simulate it again.
"""

import json
import shlex
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from sim.ending import unfinished
from sim.scenario.variants import Variants, with_value, word

from .axes import Axis, Drawn, Interval, Values, Weights, chances
from .fingerprint import model_version
from .scheduler import Failure
from .store import KeptPoint, Store
from .versions import versions

READABLE = "sweep.yaml"
"""What of the record people want to read."""

_RECORD = "record"
_FINISHED = "finished"
_MOST_SCENARIOS = 10_000
"""That are kept: each takes about 3 kB. Points that share all but single values share one."""
_TO_READ = """\
# How this sweep was made. `python -m sim resume FOLDER` goes on with it, and takes further
# overrides, such as replications=40.
"""


@dataclass(frozen=True)
class Made:
    """How a sweep was made.

    Attributes:
        arguments: those of the command line, without the folder; None if Python called
            :func:`sim.sweep`.
        left_out: which of them name a folder that is known where they were typed only.
        fixed: overrides that are the same at all points; None if that is not known.
        versions: of Python and of the packages that the numbers depend on.
        model: what :func:`sim.experiment.fingerprint.model_version` returned.
    """

    arguments: tuple[str, ...] | None = None
    left_out: tuple[str, ...] = ()
    fixed: tuple[str, ...] | None = None
    versions: Mapping[str, str] = field(default_factory=versions)
    model: str = field(default_factory=model_version)

    @property
    def command(self) -> str | None:
        """The command line, to be copied; None if there was none."""
        if self.arguments is None:
            return None
        return shlex.join(["python", "-m", "sim", *self.arguments])

    @property
    def is_of_this_model(self) -> bool:
        """Whether a replication gives the same numbers now."""
        return self.model == model_version()

    def changes(self) -> list[str]:
        """Return in words what has changed since, on which the numbers depend."""
        (source, before), (source_now, now) = map(_parts_of, (self.model, model_version()))
        changed = [
            f"{name} was {version} and is {now.get(name, 'missing')}"
            for name, version in before.items()
            if now.get(name) != version
        ]
        return [
            *(["the source of the model has changed"] if source != source_now else []),
            *changed,
        ]


def _parts_of(model: str) -> tuple[str, dict[str, str]]:
    """Return the digest of the source, and the versions of the libraries by their names."""
    source, _, libraries = model.partition(", ")
    words = libraries.split(" ")
    return source, dict(zip(words[::2], words[1::2], strict=False))


class Finished(NamedTuple):
    """What a sweep came to.

    Attributes:
        replications: of each point; 0 if it failed.
        failures: the points that could not be simulated: their fields, by name.
    """

    replications: list[int]
    failures: list[dict[str, Any]]


@dataclass(frozen=True)
class Record:
    """A sweep as its folder keeps it.

    Attributes:
        made: how it was made.
        axes: what is varied.
        keys: what has a value at each point: the axes, and perhaps the seed.
        baseline: the point that others are compared to.
        wanted: replications of each point that were asked for at first.
        points: the values of the keys at each point.
        fingerprints: under which the replications of each point are kept.
        finished: what it came to; None if it did not come to its end.
        skipped: combinations that are no valid scenarios, and were left out.
    """

    made: Made
    axes: tuple[Axis, ...]
    keys: tuple[str, ...]
    baseline: int
    wanted: list[int]
    points: list[tuple[object, ...]]
    fingerprints: list[bytes]
    finished: Finished | None
    skipped: tuple[Failure, ...]
    _overlays: list[Mapping[str, object]]
    _scenarios: list[bytes | None]

    def data(self, point: int) -> Mapping[str, Any] | None:
        """Return the scenario of a point as plain data; None if it is not kept."""
        text = self._scenarios[point]
        if text is None:
            return None
        data = _parsed(text)
        for key, value in self._overlays[point].items():
            data = with_value(data, key, value)
        return data


@lru_cache(64)
def _parsed(text: bytes) -> Mapping[str, Any]:
    data: Mapping[str, Any] = json.loads(text)
    return data


def write_record(
    store: Store,
    folder: Path,
    made: Made,
    variants: Variants,
    prints: Sequence[bytes],
    axes: Sequence[Axis],
    baseline: int,
    wanted: Sequence[int],
    skipped: Sequence[Failure],
) -> None:
    """Write down what a sweep is, before it is simulated.

    Args:
        store: of its replications.
        folder: gets :data:`READABLE`.
        made: how it is made.
        variants: the scenarios of its points.
        prints: their fingerprints.
        axes: what is varied.
        baseline: the point that others are compared to.
        wanted: replications of each point that are asked for at first.
        skipped: combinations that are left out as no valid scenarios.

    Raises:
        ResultsError: the store cannot be written.
        OSError: nor can the folder.
    """
    store.write_note(_FINISHED, "null")
    keep_points(store, variants, prints)
    record = {
        "made": asdict(made),
        "axes": [{"key": axis.key, **_axis_as_data(axis.values)} for axis in axes],
        "keys": list(variants.keys),
        "baseline": baseline,
        "wanted": list(wanted),
        "skipped": list(map(asdict, skipped)),
    }
    store.write_note(_RECORD, json.dumps(record))
    said: dict[str, object] = {"command": made.command or "sim.sweep(...), from Python"}
    if made.left_out:
        said["folders_to_name_again"] = list(made.left_out)
    said |= {"model": made.model, "versions": dict(made.versions)}
    part = folder / f"{READABLE}.part"
    text = _TO_READ + yaml.safe_dump(said, sort_keys=False, width=1000)
    with unfinished(part):
        part.write_text(text, encoding="utf-8")
        part.replace(folder / READABLE)


def keep_points(store: Store, variants: Variants, prints: Sequence[bytes], first: int = 0) -> None:
    """Keep which point is which from number ``first`` on.

    Raises:
        ResultsError: the store cannot be written.
    """
    store.keep_points(_kept(variants, prints, first), first)


def _kept(variants: Variants, prints: Sequence[bytes], first: int) -> Iterator[KeptPoint]:
    texts: dict[tuple[str, ...], bytes] = {}
    for point in range(first, len(variants)):
        words = tuple(map(word, variants.base(point)))
        if words not in texts and len(texts) < _MOST_SCENARIOS:
            scenario = variants.scenario(point)
            texts[words] = scenario.model_dump_json(by_alias=True).encode()
        about = {"values": list(variants.points[point]), "set": variants.set_values(point)}
        yield KeptPoint(prints[point], json.dumps(about).encode(), texts.get(words))


def write_finished(store: Store, finished: Finished) -> None:
    """Write down that a sweep came to its end.

    Raises:
        ResultsError: the store cannot be written.
    """
    store.write_note(_FINISHED, json.dumps(finished._asdict()))


def what_is_left(
    store: Store, before: Record | None, prints: Sequence[bytes], wanted: Sequence[int]
) -> str:
    """Return in words what a folder has of a sweep, what is to be simulated, and why.

    Args:
        store: of the folder.
        before: what it says of its sweep; None if it says nothing.
        prints: fingerprint of each point.
        wanted: replications of each point that are asked for so far.

    Returns:
        Nothing for a folder without replications.
    """
    kept = store.count()
    if not kept:
        return ""
    # Points with the same scenario share their replications.
    finished = {each: store.finished(each) for each in prints}
    there = sum(
        sum(number < n for number in finished[each]) for each, n in zip(prints, wanted, strict=True)
    )
    missing, others = sum(wanted) - there, kept - sum(map(len, finished.values()))
    words = f"{there:,} of {sum(wanted):,} replications are there"
    if missing:
        words += f", {missing:,} are simulated"
    if missing and others:
        changes = before.made.changes() if before is not None else []
        why = "; ".join(changes) or "the model or its libraries have changed"
        words += f". Not used any more are {others:,} others: {why}"
    return words


def read_record(store: Store) -> Record | None:
    """Return what a sweep is; None if its folder was made before that was written down.

    Raises:
        ResultsError: the store is damaged.
    """
    text = store.note(_RECORD)
    if text is None:
        return None
    said = json.loads(text)
    kept = store.points()
    about = [json.loads(point.about) for point in kept]
    finished = json.loads(store.note(_FINISHED) or "null")
    return Record(
        _made(said["made"]),
        tuple(_axis(axis) for axis in said["axes"]),
        tuple(said["keys"]),
        said["baseline"],
        said["wanted"],
        [tuple(each["values"]) for each in about],
        [point.fingerprint for point in kept],
        None if finished is None else Finished(**finished),
        tuple(Failure(**each) for each in said.get("skipped", [])),
        [each["set"] for each in about],
        [point.scenario for point in kept],
    )


def made_of(store: Store) -> Made | None:
    """Return how a sweep was made; None if its folder was made before that was written down."""
    text = store.note(_RECORD)
    return None if text is None else _made(json.loads(text)["made"])


def _made(said: dict[str, Any]) -> Made:
    arguments = said.pop("arguments")
    left_out = tuple(said.pop("left_out"))
    fixed = said.pop("fixed")
    return Made(
        None if arguments is None else tuple(arguments),
        left_out,
        None if fixed is None else tuple(fixed),
        **said,
    )


def _axis_as_data(values: Values) -> dict[str, Any]:
    if isinstance(values, Interval | Weights):
        return {type(values).__name__.lower(): asdict(values)}
    if isinstance(values, Drawn):
        return {"drawn": {**values.distribution.model_dump(mode="json"), "whole": values.whole}}
    return {"listed": list(values)}


def _axis(said: dict[str, Any]) -> Axis:
    key = said.pop("key")
    ((kind, about),) = said.items()
    if kind == "interval":
        return Axis(key, Interval(**about))
    if kind == "weights":
        return Axis(key, Weights(tuple(about["values"]), tuple(about["weights"])))
    return Axis(key, chances(key, about) if kind == "drawn" else tuple(about))
