"""Bounded work: what pages ask for is simulated once, in order of need, and dropped if unwanted."""

import asyncio
import itertools
import math
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import pandas as pd
import pytest
from processes import PATIENCE_S

import sim
from sim.metrics.flow import waiting_by_step
from sim.playground.answers import Answer, answers
from sim.playground.laboratory import ClosedError, Laboratory, ObservedReplication
from sim.playground.state import from_query
from sim.scenario.organization import Scenario

SHORT = ("organization=startup", "horizon_weeks=20", "warmup_weeks=4")


@asynccontextmanager
async def laboratory(workers: int = 1) -> AsyncIterator[Laboratory]:
    made = Laboratory(workers)
    try:
        yield made
    finally:
        await asyncio.to_thread(made.close)


def run(test: Callable[[], Awaitable[None]]) -> None:
    async def bounded() -> None:
        await asyncio.wait_for(test(), timeout=PATIENCE_S)

    asyncio.run(bounded())


async def until(condition: Callable[[], bool]) -> None:
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < PATIENCE_S
        await asyncio.sleep(0.01)


def test_the_last_answer_is_that_of_a_comparison() -> None:
    state = from_query(
        {"a.organization": "startup", "b.organization": "startup", "replications": "3"}
    )
    short = {"horizon_weeks": 40}
    scenarios = {arm: state.scenario(arm).model_copy(update=short) for arm in state.arms}

    async def test() -> None:
        async with laboratory(2) as made:
            found: list[Answer] = [item async for item in answers(state, scenarios, made)]
        assert found[0].weeks == (27, 40)
        counts = [item.replications for item in found[1:]]
        assert counts == sorted(counts)
        assert counts[-1] == 3
        expected = sim.compare(scenarios, replications=3, n_jobs=1)
        pd.testing.assert_frame_equal(
            found[-1].comparison.runs, expected.runs, check_like=True, check_exact=True
        )
        of_a = found[-1].comparison.runs.query("arm == 'a'")
        assert found[-1].waiting["a"].to_numpy().sum() == pytest.approx(
            of_a["lead_time_mean_h"].mean(), rel=1e-9
        )

    run(test)


def test_an_answer_comes_when_its_intervals_are_a_tenth_narrower() -> None:
    state = from_query({"replications": "20"})
    scenario = sim.load(*SHORT)
    one = sim.simulate(scenario)
    seen = ObservedReplication(
        one.metrics(), waiting_by_step(one.tables, one.window), one.restored()
    )

    class OneAfterTheOther:
        def known(self, *_: object) -> bool:
            return True

        async def observe(self, _: Scenario, number: int, urgency: int) -> ObservedReplication:
            for _ in range(100 * number):  # so that the one before has been told about
                await asyncio.sleep(0)
            return seen

    async def test() -> None:
        known: Any = OneAfterTheOther()
        found = answers(state, dict.fromkeys("ab", scenario), known)
        counts = [answer.replications async for answer in found]
        assert counts[0] == 1
        assert counts[-1] == 20
        for last, this in itertools.pairwise(counts[:-1]):
            assert this >= 1.21 * last > this - 1
        assert counts[-1] <= math.ceil(1.21 * counts[-2])

    run(test)


def test_a_large_organization_is_glimpsed_at_first() -> None:
    words = ("organization=startup", "horizon_weeks=40")
    scenarios = {"a": sim.load(*words), "b": sim.load(*words, "+shared_people.idle=60")}
    moved = {**scenarios, "a": sim.load(*words, "automation=0.3")}
    state = from_query({"replications": "2"})

    async def test() -> None:
        async with laboratory(2) as made:
            found: list[Answer] = [item async for item in answers(state, scenarios, made)]
            assert [item.weeks for item in found[:3]] == [(5, 8), (27, 40), None]
            # The large one has not moved, and all is known of it.
            again = [item.weeks async for item in answers(state, moved, made)]
            assert again[:2] == [(27, 40), None]
        glimpse = found[0].comparison
        assert {each.warmup_weeks for each in glimpse.scenarios.values()} == {4}
        assert glimpse.runs["deployment_frequency"].notna().all()

    run(test)


def test_the_same_replication_is_simulated_once_for_all_pages() -> None:
    scenario = sim.load(*SHORT)

    async def test() -> None:
        async with laboratory() as made:
            pages = [asyncio.create_task(made.observe(scenario, 0, 0)) for _ in range(30)]
            await asyncio.sleep(0)
            assert made.load == 1
            found = await asyncio.gather(*pages)
            assert all(each is found[0] for each in found)
            assert made.known(scenario, 0)
            assert await made.observe(scenario, 0, 0) is found[0]

    run(test)


def test_what_nobody_wants_any_more_stops() -> None:
    # Minutes of simulation, of which a few weeks are enough to see it stop.
    huge = sim.load("organization=enterprise", "horizon_weeks=500")

    async def test() -> None:
        async with laboratory() as made:
            first, second, waiting = (
                asyncio.create_task(made.observe(huge, number, number)) for number in (0, 0, 1)
            )
            await until(lambda: not made.idle)
            first.cancel()
            await asyncio.wait([first])
            assert made.load == 2  # the second page still wants it
            second.cancel()
            waiting.cancel()
            await until(lambda: made.load == 0)
            await until(lambda: made.idle == 1)
            small = await made.observe(sim.load(*SHORT), 0, 0)  # the worker is free for others
            assert small.metrics["n_services"] == 2

    run(test)


def test_a_page_without_an_answer_goes_first() -> None:
    scenario = sim.load(*SHORT)
    other = sim.load(*SHORT, "automation=0.9")

    async def test() -> None:
        order: list[tuple[str, int]] = []

        async def page(name: str, which: Scenario, number: int) -> None:
            await made.observe(which, number, number)
            order.append((name, number))

        async with laboratory() as made:
            old = [asyncio.create_task(page("old", scenario, number)) for number in range(5)]
            while made.load < len(old):
                await asyncio.sleep(0)
            new = asyncio.create_task(page("new", other, 0))
            await asyncio.gather(*old, new)
        assert order.index(("new", 0)) <= 1

    run(test)


@pytest.mark.processes
def test_a_killed_worker_is_reported_and_replaced() -> None:
    huge = sim.load("organization=enterprise", "horizon_weeks=500")

    async def test() -> None:
        async with laboratory() as made:
            task = asyncio.create_task(made.observe(huge, 0, 0))
            for _ in range(2):  # it is tried once more
                await until(lambda: not made.idle and bool(made._pool._processes))
                broken = made._pool
                for process in list(broken._processes.values()):
                    process.kill()
                await until(lambda: made._pool is not broken)  # noqa: B023
            with pytest.raises(RuntimeError, match="was killed, twice"):
                await task
            small = await made.observe(sim.load(*SHORT), 0, 0)
            assert small.metrics["n_services"] == 2

    run(test)


@pytest.mark.processes
def test_nothing_is_tried_again_once_it_is_stopped() -> None:
    huge = sim.load("organization=enterprise", "horizon_weeks=500")

    async def test() -> None:
        async with laboratory() as made:
            waits = [
                asyncio.create_task(made.observe(huge, 0, 0)),
                asyncio.create_task(made.observe(huge, 1, 1)),
                asyncio.create_task(made.stays(huge)),
            ]
            await until(lambda: not made.idle and bool(made._pool._processes))
            for process in list(made._pool._processes.values()):
                process.kill()
            made.stop()
            waits.append(asyncio.create_task(made.observe(huge, 2, 2)))  # a page that comes late
            for wait in waits:
                with pytest.raises(ClosedError):
                    await wait

    run(test)


def test_weeks_and_stays_are_those_of_the_replication() -> None:
    scenario = sim.load(*SHORT)
    expected = sim.replicate(scenario, replications=2, n_jobs=1)

    async def test() -> None:
        async with laboratory() as made:
            found = [await made.weeks(scenario, number, 0) for number in range(2)]
            for number, weeks in enumerate(found):
                of_study = expected.weekly.query(f"replication == {number}").set_index("week")
                pd.testing.assert_frame_equal(
                    weeks.weekly, of_study.drop(columns="replication"), check_exact=True
                )
            seen = await made.stays(scenario)
            assert seen.window == expected.first.window
            assert await made.stays(scenario) is seen

    run(test)
