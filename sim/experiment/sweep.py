"""Sweeps: a scenario at many points, all of them replicated under the same luck."""

import hashlib
import io
import itertools
import json
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
import pandas as pd
import pyarrow.parquet as pq

from sim.ending import unfinished
from sim.scenario.errors import Problem, ScenarioError, nearest
from sim.scenario.files import is_choice
from sim.scenario.from_data import validate
from sim.scenario.organization import Scenario
from sim.scenario.settings import FOR_READERS, OF_A_SWEEP
from sim.scenario.variants import (
    Compose,
    Variants,
    of_a_table,
    shown,
    word,
)

from .adaptive_sweep import adaptive_variants, ask_on, go_on_as_planned, refuse_adaptive
from .axes import Axis, Interval, Values, Weights, chances, draws_a_population
from .designs import GROWING, MOST_POINTS, OWN_LUCK, SEED, seed_of, with_seed
from .designs import points as points_of_design
from .engines import engine
from .exclusion import without_excluded
from .fingerprint import fingerprint, scenario_digest
from .resources import demand_of_sweep, refuse_too_large
from .respondents import observe_with_teams
from .scheduler import Failure, Limits, Observe, Scheduler, Watcher
from .scheduler import observe as observe_metrics
from .stopping import check_metrics, replicate_further
from .store import ResultsError, Store
from .sweep_record import (
    Finished,
    Made,
    Record,
    read_record,
    what_is_left,
    write_finished,
    write_record,
)
from .sweep_results import Sweep
from .sweep_table import write_table

STORE = "results.sqlite"
TABLE = "runs.parquet"

_BELONG_TO_THE_WHOLE = FOR_READERS | OF_A_SWEEP
_MOST_PROBLEMS = 20
_MOST_TRIED = 20
"""Points in which the settings are looked for, if the first ones are not valid."""
_MOST_REPLICATIONS = 100_000_000
"""Of all points together; the table of their metrics would have 70 GB."""


class Nobody:
    """A watcher that does not look."""

    def checked(self, points: int, of: int) -> None:
        """Ignore it."""

    def skipped(self, point: Failure) -> None:
        """Ignore it."""

    def begin(self, points: int, replications: int) -> None:
        """Ignore it."""

    def finished(self, replications: int, points: int) -> None:
        """Ignore it."""

    def failed(self, failure: Failure) -> None:
        """Ignore it."""

    def narrowed(self, widths: str) -> None:
        """Ignore it."""

    def goes_on(self, words: str) -> None:
        """Ignore it."""


AxesByKey = Mapping[str, Sequence[object] | Interval | Mapping[Any, Any]]
"""What is swept, by dotted key: listed values, or what they are drawn from."""


def run_in_folder(
    variants: Variants, parts: Sequence[Axis], folder: str | Path | None, watcher: Watcher | None
) -> Sweep:
    """Run a sweep in a folder, or in memory.

    Args:
        variants: the scenarios of the points.
        parts: what is varied.
        folder: where finished replications are kept, so that the same call runs only what is
            missing; None: in memory, and nowhere.
        watcher: is told about what is finished and what fails; None: nobody is.

    Raises:
        ScenarioError: a point is no valid scenario, or would not fit into memory.
        ResultsError: the folder cannot be used.
    """
    looking = watcher or Nobody()
    settings = settings_of(variants)
    if settings.dry_run:
        hint = "sim.experiment.resources.demand_of_sweep says what a sweep takes"
        raise ScenarioError([Problem("dry_run", "is for the command line", hint)])
    if folder is None and settings.time_limit_h is not None:
        hint = "give one with folder=..."
        raise ScenarioError([Problem("time_limit_h", "needs a folder to go on from", hint)])
    if settings.engine == "loky":  # others may have more memory elsewhere
        refuse_too_large(demand_of_sweep(variants, settings.n_jobs), settings.allow_large)
    if folder is not None:
        Path(folder).mkdir(parents=True, exist_ok=True)
        return run_sweep(variants, parts, Path(folder), looking)
    with tempfile.TemporaryDirectory(prefix="mldelivery-") as temporary:
        return run_sweep(variants, parts, Path(temporary), looking, io.BytesIO())


def axes_of(axes: AxesByKey) -> tuple[Axis, ...]:
    """Return what is varied.

    Raises:
        ScenarioError: something is no list of values and no chances.
    """
    return tuple(Axis(key, _listed(key, values)) for key, values in axes.items())


def _listed(key: str, values: Sequence[object] | Interval | Mapping[Any, Any]) -> Values:
    """Return values as Python's own, which a scenario takes: NumPy's numbers are none."""
    if isinstance(values, Interval):
        return values
    if isinstance(values, Mapping):
        return chances(key, values)
    if isinstance(values, str) or not isinstance(values, Iterable):
        raise ScenarioError([Problem(key, f"{values!r} is no list of values", "write [1, 2]")])
    # One more than allowed: there may be endlessly many.
    first = tuple(itertools.islice(values, MOST_POINTS + 1))
    refuse_too_many(key, len(first))
    return tuple(value.item() if isinstance(value, np.generic) else value for value in first)


def refuse_too_many(key: str, values: int) -> None:
    """Raise a ScenarioError if ``key`` has more values than a sweep may have points."""
    if values > MOST_POINTS:
        what = f"has more than {MOST_POINTS:,} values"
        hint = "take fewer, or draw from interval(low, high) with design=lhs"
        raise ScenarioError([Problem(key, what, hint)])


def design_variants(
    axes: Sequence[Axis],
    compose: Compose,
    composed: Sequence[str] = (),
    checked: Sequence[str] | None = None,
) -> Variants:
    """Return the scenarios of a sweep, at the points of the design that they ask for.

    Args:
        axes: what is varied.
        compose: see :class:`sim.scenario.variants.Variants`.
        composed: likewise.
        checked: likewise.

    Raises:
        ScenarioError: there is no such design for these axes, or their first values do not make a
            valid scenario.
    """
    for axis in axes:
        if axis.key.partition(".")[0] in _BELONG_TO_THE_WHOLE:
            raise ScenarioError([Problem(axis.key, "belongs to the whole sweep", "give one value")])
    refuse_empty(axes)
    keys = [axis.key for axis in axes]
    settings = _settings(axes, compose, composed, checked)
    _refuse_for_design(keys, settings)
    if settings.design == "adaptive":
        return adaptive_variants(axes, settings, compose, composed, checked)
    points = points_of_design(axes, settings.design, settings.samples, settings.seed)
    points = without_excluded(axes, points, settings.exclude, settings.design)
    total = len(points) * settings.replications
    if total > _MOST_REPLICATIONS:
        what = f"{settings.replications:,} at each of {len(points):,} points are {total:,}"
        raise ScenarioError([Problem("replications", what, f"at most {_MOST_REPLICATIONS:,}")])
    if settings.design in OWN_LUCK:
        lucky = [(*point, seed_of(settings.seed, number)) for number, point in enumerate(points)]
        checked = keys if checked is None else checked
        return Variants([*keys, SEED], lucky, with_seed(compose), composed, [*checked, SEED])
    return Variants(keys, points, compose, composed, checked)


def _settings(
    axes: Sequence[Axis],
    compose: Compose,
    composed: Sequence[str],
    checked: Sequence[str] | None,
) -> Scenario:
    """Return a scenario that has the settings of a sweep, whose points are not known yet."""
    corner = [axis.first for axis in axes]
    others = [
        (*corner[:place], value, *corner[place + 1 :])
        for place, axis in enumerate(axes)
        for value in (axis.listed or ())[1:]
    ]
    variants = Variants([axis.key for axis in axes], [tuple(corner)], compose, composed, checked)
    try:
        return variants.scenario(0)
    except ScenarioError as error:
        variants.add(others)
        try:
            return settings_of(variants)
        except ScenarioError:
            raise error from None


def settings_of(variants: Variants) -> Scenario:
    """Return a scenario with the settings of a sweep: that of the first point, if it is valid.

    Raises:
        ScenarioError: it is not, and the sweep is not one that skips such points.
    """
    try:
        return scenario_at(variants, 0)
    except ScenarioError:
        for point in range(1, min(len(variants), _MOST_TRIED)):
            with suppress(ScenarioError):
                if (found := variants.scenario(point)).on_invalid == "skip":
                    return found
                break
        raise


def _refuse_for_design(keys: Sequence[str], settings: Scenario) -> None:
    """Refuse settings that cannot differ between the points of such a sweep."""
    if "seed" in keys and settings.design not in ("grid", "zip"):
        hint = "one seed draws the points; leave it out, or take design=grid"
        raise ScenarioError([Problem("seed", f"cannot be swept by {settings.design}", hint)])
    if settings.design == "adaptive":
        refuse_adaptive(settings)
    elif settings.adaptive is not None:
        hint = "add design=adaptive"
        raise ScenarioError([Problem("adaptive", f"is not for design={settings.design}", hint)])
    if settings.on_invalid == "skip" and settings.design in ("sobol", "morris", "adaptive"):
        hint = "it needs all of its points"
        raise ScenarioError(
            [Problem("on_invalid", f"skip is not for design={settings.design}", hint)]
        )
    if settings.design == "random":
        given = {
            "baseline": bool(settings.baseline),
            "select": settings.select is not None,
            "precision.of": settings.precision is not None
            and settings.precision.of == "differences",
        }
        for name, is_given in given.items():
            if is_given:
                hint = "its points do not share their luck; leave it out, or take design=lhs"
                raise ScenarioError([Problem(name, "is not for design=random", hint)])
    for name in ("precision", "select", "adaptive"):
        if "replications" in keys and getattr(settings, name) is not None:
            hint = f"{name} decides how many there are"
            raise ScenarioError([Problem("replications", f"cannot be swept with {name}", hint)])


def refuse_empty(axes: Sequence[Axis]) -> None:
    """Raise a ScenarioError if there are no values for some key."""
    for axis in axes:
        if isinstance(axis.values, tuple) and not axis.values:
            raise ScenarioError([Problem(axis.key, "there are no values to sweep over")])


def run_sweep(
    variants: Variants,
    axes: Sequence[Axis],
    folder: Path,
    watcher: Watcher,
    table: BinaryIO | None = None,
    observe: Observe | None = None,
    made: Made | None = None,
) -> Sweep:
    """Run what a sweep lacks in ``folder``, and return all of it.

    Args:
        variants: the scenarios of the points; settings of the sweep are those of the first.
        axes: what is varied.
        folder: has the store, and gets the table.
        watcher: is told what is finished and what fails.
        table: where the table is written instead, e.g. in memory.
        observe: what makes metrics of a scenario; by default its own, and of a population also
            what its teams would answer in a survey.
        made: how it is made, for its folder; by default by Python, with the versions of now.

    Raises:
        ScenarioError: a point is no valid scenario, or a setting does not fit the sweep.
        ResultsError: the folder cannot be used.
    """
    begun = time.monotonic()
    settings = settings_of(variants)
    made = replace(made or Made(), fixed=variants.fixed)
    if observe is None:
        observe = observe_with_teams if draws_a_population(axes) else observe_metrics
    with engine(settings.engine, settings.n_jobs, settings.address) as workers:
        skips = settings.on_invalid == "skip"
        skipped = leave_out_invalid(variants, watcher) if skips else ()
        listed = settings.design in ("grid", "zip")
        told = None if skips else watcher.checked
        digests, wanted = check_points(variants, listed, told)
        prints = [fingerprint(digest) for digest in digests]
        baseline = _baseline(variants, settings.baseline)
        check_metrics(settings)
        with Store(folder / STORE) as store:
            before = read_record(store)
            _keep_to_the_sweep(store, variants, digests, axes, settings, before)
            if settings.adaptive is not None:
                wanted = go_on_as_planned(store, settings.adaptive, variants, prints)
            if words := what_is_left(store, before, prints, wanted):
                watcher.goes_on(words)
            write_record(store, folder, made, variants, prints, axes, baseline, wanted, skipped)
            watcher.begin(len(wanted), sum(wanted))
            limits = Limits.of(settings, begun)
            scheduler = Scheduler(variants, prints, store, workers, watcher, observe, limits)
            scheduler.run(wanted)
            while further := replicate_further(
                settings, store, prints, wanted, baseline, scheduler.failures
            ):
                watcher.begin(0, sum(further) - sum(wanted))
                wanted = further
                scheduler.run(wanted)
            if settings.adaptive is not None:
                wanted = ask_on(settings, axes, variants, prints, wanted, store, scheduler, watcher)
            kept = [0 if point in scheduler.failures else n for point, n in enumerate(wanted)]
            part = folder / f"{TABLE}.part"
            with unfinished(part):
                write_table(part if table is None else table, store, variants, prints, kept)
                if table is None:
                    part.replace(folder / TABLE)
            failures = [scheduler.failures[point] for point in sorted(scheduler.failures)]
            write_finished(store, Finished(kept, list(map(asdict, failures))))
    return Sweep(
        variants.scenario(baseline),
        tuple(map(with_values_of_a_table, axes)),
        points_frame(variants.keys, variants.points),
        baseline,
        np.array(kept),
        tuple(failures),
        pq.ParquetFile(folder / TABLE if table is None else table),
        skipped,
        variants,
        made,
    )


def leave_out_invalid(variants: Variants, watcher: Watcher) -> tuple[Failure, ...]:
    """Take the points that are no valid scenarios out of a sweep, and return them.

    Raises:
        ScenarioError: none of them is valid.
    """
    skipped, valid = [], []
    first: ScenarioError | None = None
    for point in range(len(variants)):
        try:
            variants.scenario(point)
        except ScenarioError as error:
            first = first or error
            what = "; ".join(str(error).splitlines())
            skipped.append(Failure(point, variants.label(point), what, ""))
            watcher.skipped(skipped[-1])
        else:
            valid.append(variants.points[point])
        watcher.checked(point + 1, len(variants))
    if first is not None and not valid:
        raise first
    variants.points = valid
    return tuple(skipped)


def scenario_at(variants: Variants, point: int) -> Scenario:
    """Return the scenario of a point.

    Raises:
        ScenarioError: it is not valid; the message names the point, where its key does not.
    """
    try:
        return variants.scenario(point)
    except ScenarioError as error:
        where = f" (at {variants.label(point)})"
        raise ScenarioError(
            [
                problem
                if problem.key in variants.keys
                else Problem(problem.key, problem.what + where, problem.hint)
                for problem in error.problems
            ]
        ) from None


def check_points(
    variants: Variants, listed: bool = False, told: Callable[[int, int], None] | None = None
) -> tuple[list[str], list[int]]:
    """Return the digest and the number of replications of each point, all of them valid.

    Args:
        variants: the scenarios of the points.
        listed: the points are what somebody listed, so that no two may be the same. Two choices
            from a config group may well make the same scenario, two values of a key may not.
        told: is told how many points have been checked, and of how many.

    Raises:
        ScenarioError: some are not valid; the message has what is wrong with the first of them.
    """
    digests: list[str] = []
    wanted: list[int] = []
    problems: dict[Problem, None] = {}
    choices = [place for place, key in enumerate(variants.keys) if is_choice(key)]
    seen: dict[tuple[object, ...], int] = {}
    for point in range(len(variants)):
        if told is not None:
            told(point, len(variants))
        try:
            scenario = scenario_at(variants, point)
        except ScenarioError as error:
            problems.update(dict.fromkeys(error.problems))
            if len(problems) > _MOST_PROBLEMS:
                break
            continue
        digests.append(scenario_digest(scenario))
        wanted.append(scenario.replications)
        chosen = [word(variants.points[point][place]) for place in choices]
        first = seen.setdefault((digests[-1], wanted[-1], *chosen), point)
        if listed and first != point and not problems:
            raise ScenarioError([_same(variants, first, point)])
    if problems:
        raise ScenarioError(list(problems))
    if told is not None:
        told(len(variants), len(variants))
    return digests, wanted


def _same(variants: Variants, first: int, second: int) -> Problem:
    """Say that two points are the same."""
    values = zip(variants.keys, variants.points[first], variants.points[second], strict=True)
    other = [(key, word(one), word(two)) for key, one, two in values if word(one) != word(two)]
    keys = " ".join(key for key, _, _ in other) or " ".join(variants.keys)
    if not other:
        return Problem(keys, f"{variants.label(first)} is listed twice", "list it once")
    ones, twos = (" ".join(words[side] for words in other) for side in (1, 2))
    what = f"{ones} and {twos} make the same scenario"
    return Problem(keys, what, "list one of them, or remove what overrides them")


def _baseline(variants: Variants, values: Mapping[str, object]) -> int:
    """Return the first point with these values."""
    for key in values:
        if key not in variants.keys:
            hint = nearest(key, variants.keys)
            raise ScenarioError([Problem(f"baseline.{key}", "is not swept", hint)])
    if not values:
        return 0
    places = {variants.keys.index(key): value for key, value in values.items()}
    for number, point in enumerate(variants.points):
        if all(point[place] == value for place, value in places.items()):
            return number
    named = " ".join(f"{key}={shown(value)}" for key, value in values.items())
    raise ScenarioError([Problem("baseline", f"no point has {named}", "choose swept values")])


def points_frame(keys: Sequence[str], points: Sequence[tuple[object, ...]]) -> pd.DataFrame:
    """Return the values of the keys as tables have them, a row per point."""
    columns = {}
    for place, key in enumerate(keys):
        of_key = [of_a_table(values[place]) for values in points]
        # pandas would take `null` among numbers for one.
        columns[key] = pd.Series(of_key, dtype=object if None in of_key else None)
    return pd.DataFrame(columns, index=pd.RangeIndex(len(points), name="point"))


def with_values_of_a_table(axis: Axis) -> Axis:
    """Return an axis whose values are as tables have them, in which mappings and lists are text."""
    if axis.listed is None:
        return axis
    values = tuple(map(of_a_table, axis.listed))
    return Axis(
        axis.key,
        Weights(values, axis.values.weights) if isinstance(axis.values, Weights) else values,
    )


def _keep_to_the_sweep(
    store: Store,
    variants: Variants,
    digests: Sequence[str],
    axes: Sequence[Axis],
    settings: Scenario,
    recorded: Record | None,
) -> None:
    """Refuse a folder with another sweep, whose tables would be replaced.

    Further values of the same keys are welcome: what is there stays in the tables.
    """
    here: dict[str, Any] = {
        "design": settings.design if settings.design in ("grid", "zip") else "sampled",
        "axes": {axis.key: _shown(axis, variants) for axis in axes},
        "points": [
            _identity(variants.label(point), digest) for point, digest in enumerate(digests)
        ],
        "replications": (settings.adaptive or settings).replications,
        "rule": _rule(settings),
        "shared": _is_shared(settings),
    }
    if here["design"] == "sampled":
        size = settings.samples if settings.adaptive is None else settings.adaptive.points
        is_open = settings.design in GROWING
        here["design"] = settings.design if is_open else f"{settings.design} of {size}"
    text = store.note("sweep")
    if text is not None and (
        reason := _reason_to_refuse(_as_of_now(json.loads(text), recorded), here, variants)
    ):
        raise ResultsError(
            f"the folder holds another sweep ({reason}); choose another with hydra.sweep.dir=FOLDER"
        )
    store.write_note("sweep", json.dumps(here))


def _as_of_now(before: dict[str, Any], recorded: Record | None) -> dict[str, Any]:
    """Return what a folder says of its sweep in the way of this version.

    A scenario that means the same has another digest once scenarios have further fields.
    """
    design = before["design"].partition(" of ")[0]
    if design in GROWING:
        before["design"] = design
    if recorded is not None and not recorded.made.is_of_this_model:
        identities = map(_identity_of, itertools.repeat(recorded), range(len(recorded.points)))
        # Those of an adaptive sweep are the ones that it begins with.
        before["points"] = [
            identity or then for identity, then in zip(identities, before["points"], strict=False)
        ]
    return before


def _identity_of(recorded: Record, point: int) -> str | None:
    """Return the identity of a point that a folder has; None if this version cannot read it."""
    data = recorded.data(point)
    if data is None:
        return None
    try:
        scenario = validate(data)
    except ScenarioError:
        return None
    pairs = zip(recorded.keys, recorded.points[point], strict=True)
    label = " ".join(f"{key}={word(value)}" for key, value in pairs)
    return _identity(label, scenario_digest(scenario))


def _identity(label: str, digest: str) -> str:
    """Return what is the same only for the same values with the same scenario."""
    return hashlib.blake2b(f"{label} {digest}".encode(), digest_size=8).hexdigest()


def _rule(settings: Scenario) -> str | None:
    """Return what decides about further replications, if anything does."""
    if settings.precision is None and settings.select is None:
        return None
    chosen = {"precision", "select"} | ({"baseline"} if _is_shared(settings) else set())
    return settings.model_dump_json(include=chosen, by_alias=True)


def _is_shared(settings: Scenario) -> bool:
    """Return whether the replications of a point depend on the other points."""
    precision = settings.precision
    return settings.select is not None or (precision is not None and precision.of == "differences")


def _shown(axis: Axis, variants: Variants) -> list[str]:
    """Return the values of an axis that points have, or what they are drawn from."""
    if isinstance(axis.values, tuple):
        place = variants.keys.index(axis.key)
        there = {word(values[place]) for values in variants.points}
        return [text for text in map(word, axis.values) if text in there]
    return [str(axis.values)]


def _reason_to_refuse(
    before: Mapping[str, Any], here: Mapping[str, Any], variants: Variants
) -> str | None:
    if before["axes"].keys() != here["axes"].keys():
        return "it sweeps " + ", ".join(before["axes"])
    if before["design"] != here["design"]:
        return f"its design is {before['design']}{_why_it_cannot_grow(before, here)}"
    if before["replications"] > here["replications"]:
        return f"it has {before['replications']} replications, and the tables would lose some"
    if before["rule"] is not None and before["rule"] != here["rule"]:
        return "its precision, select or baseline is another one"
    is_open = here["design"] == "grid" and not before["shared"]
    for key, values in before["axes"].items():
        ours = here["axes"][key]
        lost = [value for value in values if value not in ours]
        if lost:
            return f"it has {key}={lost[0]}, which this one has not"
        if not is_open and values != ours:
            return f"it has other values of {key}"
    if before["shared"] and before["replications"] != here["replications"]:
        return f"it begins with {before['replications']} replications"
    if before["shared"] and len(before["points"]) != len(here["points"]):
        return f"it has {len(before['points'])} points, which decide together"
    missing = set(before["points"]).difference(here["points"])
    if not missing:
        return None
    if before["design"] in GROWING and before["points"][: len(here["points"])] == here["points"]:
        return f"it has {len(before['points'])} points, and the tables would lose some"
    if len(missing) == len(before["points"]):
        return "its organization, seed or horizon is another one"
    changed = [
        variants.label(point)
        for point, identity in enumerate(here["points"])
        if identity not in set(before["points"]) and _is_of(variants.points[point], before, here)
    ]
    if not changed:
        return f"it has points that this one leaves out: {len(missing)}"
    return f"its scenario is another one at {changed[0]}"


def _why_it_cannot_grow(before: Mapping[str, Any], here: Mapping[str, Any]) -> str:
    """Say why more samples are another design, if that is all that was asked for."""
    names = {said["design"].partition(" of ")[0] for said in (before, here)}
    return ": more samples of it are other points" if names == {"lhs"} else ""


def _is_of(values: tuple[object, ...], before: Mapping[str, Any], here: Mapping[str, Any]) -> bool:
    """Return whether a point has values that an earlier sweep had as well."""
    if here["design"] not in ("grid", "zip"):
        return True
    pairs = zip(values, here["axes"], strict=True)
    return all(word(value) in before["axes"][key] for value, key in pairs)
