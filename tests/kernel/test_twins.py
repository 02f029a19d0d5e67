"""The compiled kernel does what the one in Python does, to the last digit.

It has to be built for these tests: ``HATCH_BUILD_HOOKS_ENABLE=1 pip install -e .``
"""

import importlib
import os
import subprocess
import sys
from array import array
from typing import Any

import pytest
import simpy
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from sim import kernel
from sim.kernel import columns, draws, events, hours
from sim.kernel.ticks import LAST_H, to_ticks
from sim.scenario.distributions import KINDS

pytestmark = pytest.mark.compiled
EXAMPLES = settings(
    derandomize=True, phases=[Phase.explicit, Phase.generate], deadline=None, max_examples=200
)


def compiled(name: str) -> Any:
    """Return one of the modules of the compiled kernel."""
    return importlib.import_module(f"sim.kernel.compiled_{name}")


def test_it_is_in_use() -> None:
    assert kernel.COMPILED
    assert kernel.DrawTable is compiled("draws").DrawTable
    assert kernel.Environment is compiled("events").Environment


# Draws ------------------------------------------------------------------------------------------

POSITIVE = st.floats(1e-6, 1e6)
POINTS = st.lists(st.floats(0, 1e6), min_size=3, max_size=3, unique=True).map(sorted)


def shaped(kind: str) -> st.SearchStrategy[Any]:
    """Return a strategy for distributions of a kind."""
    make = KINDS[kind]
    match kind:
        case "constant":
            return st.floats(0, 1e6).map(lambda value: make(value=value))
        case "exponential":
            return POSITIVE.map(lambda mean: make(dist=kind, mean=mean))
        case "lognormal" | "gamma":
            spread = st.floats(0.001, 100) if kind == "lognormal" else st.floats(0.05, 5)
            return st.builds(lambda mean, cv: make(dist=kind, mean=mean, cv=cv), POSITIVE, spread)
        case "uniform":
            return POINTS.map(lambda three: make(dist=kind, low=three[0], high=three[2]))
        case "triangular" | "pert":
            return POINTS.map(
                lambda three: make(dist=kind, low=three[0], mode=three[1], high=three[2])
            )
        case _:
            values = st.lists(st.floats(0, 1e6), min_size=1, max_size=9)
            return values.map(lambda many: make(dist=kind, values=tuple(many)))


DISTRIBUTIONS = st.one_of(st.none(), *(shaped(kind) for kind in KINDS))
NUMBERS = st.one_of(st.integers(0, 5), st.integers(0, 2**40), st.integers(0, 2**130))


@EXAMPLES
@given(
    NUMBERS,
    NUMBERS,
    st.integers(0, 2**64 - 1),
    st.lists(DISTRIBUTIONS, min_size=1, max_size=30),
    st.sampled_from([draws.BLOCKS, draws.ONE_BY_ONE, (4, 16)]),
    st.lists(st.one_of(st.integers(0, 100), st.integers(0, 2**64 - 1)), min_size=1, max_size=20),
)
def test_rows_are_the_same(
    seed: int,
    replication: int,
    key: int,
    shapes: list[Any],
    blocks: tuple[int, int],
    rows: list[int],
) -> None:
    one = draws.DrawTable(seed, replication, key, shapes, blocks)
    other = compiled("draws").DrawTable(seed, replication, key, shapes, blocks)
    for k in rows:
        assert other.take(k) == one.take(k)


# Hours ------------------------------------------------------------------------------------------

WEEKS = st.lists(st.integers(0, hours.WEEK_TICKS), min_size=2, max_size=14, unique=True).map(sorted)
TIMES = st.one_of(
    st.integers(0, 52 * 168 * 60).map(lambda minutes: minutes / 60),
    st.floats(0, 1e5),
    st.floats(0, 4 * LAST_H),
)
EFFORTS = st.one_of(st.just(0.0), st.floats(0, 500), st.floats(0, 1e9))


@EXAMPLES
@given(WEEKS, st.floats(0.01, 1), st.booleans(), st.lists(st.tuples(TIMES, TIMES, EFFORTS)))
def test_working_hours_are_the_same(
    edges: list[int], focus: float, always: bool, asked: list[tuple[float, float, float]]
) -> None:
    days = list(zip(edges[::2], edges[1::2], strict=False))
    opens, closes = [a for a, _ in days], [b for _, b in days]
    one = hours.Hours(opens, closes, focus, always)
    other = compiled("hours").Hours(opens, closes, focus, always)
    edges_h = [tick / to_ticks(1) + 168.0 * 3 for tick in edges]
    for start, end, effort in [*asked, *((edge, edge + 50, 8.0) for edge in edges_h)]:
        assert other.is_open(start) == one.is_open(start)
        assert other.opens_at(start) == one.opens_at(start)
        assert other.next_opening(start) == one.next_opening(start)
        assert other.finish(start, effort) == one.finish(start, effort)
        first, last = sorted((start, end))
        assert other.worked(first, last) == one.worked(first, last)


# Columns ----------------------------------------------------------------------------------------

ROW = st.tuples(st.floats(), st.integers(-(2**63), 2**63 - 1), st.booleans(), st.text(max_size=3))


@EXAMPLES
@given(st.lists(st.lists(ROW, min_size=1, max_size=20), min_size=1, max_size=4))
def test_columns_are_the_same(parts: list[list[tuple[Any, ...]]]) -> None:
    made = []
    for extend in (columns.extend, compiled("columns").extend):
        arrays = [array(code) for code in "dqbi"]
        codes = [None, None, None, columns.Codes()]
        for rows in parts:
            extend(arrays, rows, codes)
        made.append(([column.tobytes() for column in arrays], codes))
    assert made[0] == made[1]


# Events -----------------------------------------------------------------------------------------


class ExpectedError(Exception):
    """One that a process may expect."""


def story(environment: type, script: list[tuple[int, ...]]) -> list[Any]:
    """Let processes do what a script says; return what happened when, in order."""

    class World(environment):  # type: ignore[misc]
        def _look(self, number: int, waiting: int) -> int:
            told.append(("look", number, waiting))
            return number + 7

    told: list[Any] = []
    world = World(5)
    signals = [world.event() for _ in range(4)]
    desk = simpy.Resource(world, capacity=2)

    def act(name: int, parts: tuple[int, ...]) -> Any:
        for part in parts:
            what, number = divmod(part, 8)
            delay = number / 3
            told.append((name, what, world.now, world.active_process.name))
            try:
                match what:
                    case 0:
                        got = yield world.timeout(delay, value=part)
                    case 1:
                        got = yield signals[number % 4]
                    case 2 | 3 if not signals[number % 4].triggered:
                        signal = signals[number % 4]
                        got = (
                            signal.succeed(part) if what == 2 else signal.fail(ExpectedError(part))
                        )
                    case 4:
                        got = yield world.process(
                            act(100 * name + 1, parts[1:2] if delay < 1 else ())
                        )
                    case 5:
                        got = yield world.timeout(delay) | signals[number % 4]
                        got = sorted(str(value) for value in got.values())
                    case 6:
                        with desk.request() as request:
                            yield request
                            got = yield world.timeout(delay)
                    case 7:
                        got = yield world.at(world.now + delay, "at", simpy.events.EventPriority(2))
                    case _:
                        got = None
                        yield world.all_of([world.timeout(delay), world.timeout(2 * delay)])
                told.append((name, world.now, str(got) if isinstance(got, int | str) else ""))
            except ExpectedError as failure:
                told.append((name, "failed", world.now, failure.args, repr(failure.__cause__)))
        return name

    for name, parts in enumerate(script):
        world.process(act(name, parts))
    for until in (1.5, 4.0, 50.0):
        try:
            world.run(until=until)
            told.append(("now", world.now))
        except ExpectedError as failure:  # nobody was waiting for it
            told.append(("ends", world.now, failure.args))
    last = world.timeout(3.25, "the end")
    told.append(world.run(last))
    try:
        world.run(world.event())
    except (RuntimeError, ExpectedError) as error:
        told.append(type(error).__name__)
    told.append(world.now)
    return told


@EXAMPLES
@given(st.lists(st.lists(st.integers(0, 71), max_size=6).map(tuple), min_size=1, max_size=6))
def test_events_happen_in_the_same_order(script: list[tuple[int, ...]]) -> None:
    assert story(compiled("events").Environment, script) == story(events.Environment, script)


@pytest.mark.parametrize("kind", ["python", "compiled"])
def test_misuse_is_refused(kind: str) -> None:
    module = events if kind == "python" else compiled("events")
    world = module.Environment(10**9)
    world.run(until=2)
    with pytest.raises(ValueError, match="must be later than now"):
        world.run(until=2)
    with pytest.raises(ValueError, match="is over"):
        world.at(1.0)
    with pytest.raises(ValueError, match="egative delay"):
        world.timeout(-1)
    with pytest.raises(ValueError, match="not a generator"):
        world.process(3)
    event = world.event()
    with pytest.raises(AttributeError):
        _ = event.value
    event.succeed(1)
    with pytest.raises(RuntimeError, match="already been triggered"):
        event.succeed(2)
    assert world.run(event) == 1

    def wrong() -> Any:
        yield 5

    with pytest.raises(RuntimeError, match="Invalid yield value"):
        world.run(world.process(wrong()))


# Logs -------------------------------------------------------------------------------------------

DIGESTS = """
import hashlib, pickle, sys
import pandas as pd
import sim
from sim import kernel

assert kernel.COMPILED == (sys.argv[1] == "compiled")
for overrides in (
    ["horizon_weeks=30"],
    ["organization=enterprise", "horizon_weeks=12", "warmup_weeks=2"],
    ["organization=startup", "maturity=google_2"],
    ["maturity=microsoft_4", "standardization=1", "horizon_weeks=30"],
    ["+experiment=jcurve", "horizon_weeks=60"],
    ["working_hours.opens=8.4", "horizon_weeks=20", "warmup_weeks=2"],
):
    run = sim.simulate(sim.load(*overrides), seed=5)
    text = pickle.dumps([(name, table.to_csv()) for name, table in sorted(run.tables.items())])
    print(overrides, hashlib.sha256(text).hexdigest())
"""


@pytest.mark.processes
def test_logs_are_the_same() -> None:
    printed = {}
    for kind in ("python", "compiled"):
        found = subprocess.run(
            [sys.executable, "-c", DIGESTS, kind],
            env={**os.environ, "MLDELIVERY_KERNEL": kind},
            capture_output=True,
            text=True,
            check=False,
            timeout=600,
        )
        assert found.returncode == 0, found.stderr
        printed[kind] = found.stdout
    assert printed["compiled"] == printed["python"]
    assert len(set(printed["python"].splitlines())) == 6
