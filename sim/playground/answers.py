"""The answers to the state of a page, each sharper than the one before."""

import asyncio
from collections.abc import AsyncGenerator, Mapping
from contextlib import suppress
from dataclasses import dataclass

import pandas as pd

from sim.experiment.compare import Comparison
from sim.metrics.restore import together
from sim.scenario.organization import Scenario

from .laboratory import Laboratory, ObservedReplication
from .state import State

_PREVIEW_WEEKS = 26
"""Weeks after the warm-up that the first impression is from."""
_GLIMPSE_WEEKS = 4
"""A large organization is first looked at for so many weeks, after as many to fill the queues."""
_NARROWER = 1.1
"""An answer comes when its intervals are so many times narrower than those of the last one. To work
it out and to draw it takes as long as a tenth of a replication, on cores that could simulate."""
_LARGE = 60
"""People from which an organization is large: a preview of it takes more than a second."""


@dataclass(frozen=True)
class Answer:
    """The answer so far.

    Attributes:
        comparison: of the arms, of as many replications as all have.
        waiting: mean hours per deployed change by arm, see
            :func:`sim.metrics.flow.waiting_by_step`.
        replications: how many of each arm this is from.
        wanted: how many it will be in the end.
        weeks: the first and the last week, if this is an impression from a part of one
            replication.
    """

    comparison: Comparison
    waiting: Mapping[str, pd.DataFrame]
    replications: int
    wanted: int
    weeks: tuple[int, int] | None = None


async def answers(
    state: State, scenarios: Mapping[str, Scenario], laboratory: Laboratory
) -> AsyncGenerator[Answer]:
    """Yield first impressions, then answers of more and more replications.

    Replications count in their order, never in that in which they are done: quick ones would
    otherwise come first. A page that stops listening stops the work.

    Args:
        state: what the page shows.
        scenarios: those of its arms.
        laboratory: where they are simulated.

    Raises:
        RuntimeError: a simulation failed.
    """
    wanted = state.replications
    parts: list[Mapping[str, Scenario]] = []
    if not all(laboratory.known(scenario, 0) for scenario in scenarios.values()):
        parts = [_shortened(scenarios, None, _PREVIEW_WEEKS)]
        if any(_takes_long(part) and not laboratory.known(part, 0) for part in parts[0].values()):
            parts.insert(0, _shortened(scenarios, _GLIMPSE_WEEKS, _GLIMPSE_WEEKS))
    impressions = [
        asyncio.create_task(_together(laboratory, part, 0, urgency=number - len(parts)))
        for number, part in enumerate(parts)
    ]
    # At once, for the workers that no impression keeps busy.
    pairs = [
        asyncio.create_task(_together(laboratory, scenarios, number, urgency=number))
        for number in range(wanted)
    ]
    try:
        for part, impression in zip(parts, impressions, strict=True):
            one = next(iter(part.values()))
            weeks = one.warmup_weeks + 1, one.horizon_weeks
            yield _answer(part, [await impression], wanted, weeks)
        done: list[Mapping[str, ObservedReplication]] = []
        told = 0
        while len(done) < wanted:
            done.append(await pairs[len(done)])
            # What is known already comes at once, not one by one.
            while len(done) < wanted and pairs[len(done)].done():
                done.append(pairs[len(done)].result())
            # The width of an interval goes with the square root of the number of replications.
            if len(done) == wanted or len(done) >= told * _NARROWER**2:
                told = len(done)
                yield _answer(scenarios, done, wanted)
    finally:
        for task in (*impressions, *pairs):
            task.cancel()
        with suppress(asyncio.CancelledError):
            await asyncio.gather(*impressions, *pairs, return_exceptions=True)


def _shortened(
    scenarios: Mapping[str, Scenario], warmup_weeks: int | None, weeks: int
) -> dict[str, Scenario]:
    """Return the same scenarios, over by when there is something to see.

    Args:
        scenarios: of the arms, which have the same warm-up and horizon.
        warmup_weeks: most weeks to fill the queues; None for all of the warm-up.
        weeks: most weeks to look at.
    """
    found = {}
    for arm, scenario in scenarios.items():
        warmup = min(scenario.warmup_weeks, warmup_weeks or scenario.warmup_weeks)
        end = min(scenario.horizon_weeks, warmup + weeks)
        update = {"warmup_weeks": warmup, "horizon_weeks": end}
        found[arm] = scenario.model_copy(update=update)
    return found


def _takes_long(scenario: Scenario) -> bool:
    in_teams = sum(team.count * sum(team.people.values()) for team in scenario.teams.values())
    return in_teams + sum(scenario.shared_people.values()) >= _LARGE


async def _together(
    laboratory: Laboratory, scenarios: Mapping[str, Scenario], number: int, urgency: int
) -> Mapping[str, ObservedReplication]:
    """Return the observation of each arm: replications that had the same luck."""
    found = await asyncio.gather(
        *(laboratory.observe(scenario, number, urgency) for scenario in scenarios.values())
    )
    return dict(zip(scenarios, found, strict=True))


def _answer(
    scenarios: Mapping[str, Scenario],
    done: list[Mapping[str, ObservedReplication]],
    wanted: int,
    weeks: tuple[int, int] | None = None,
) -> Answer:
    rows = [(arm, number) for arm in scenarios for number in range(len(done))]
    runs = pd.DataFrame([done[number][arm].metrics for arm, number in rows], index=range(len(rows)))
    runs.insert(0, "arm", [arm for arm, _ in rows])
    runs.insert(1, "replication", [number for _, number in rows])
    restored = {arm: together([pair[arm].restored for pair in done]) for arm in scenarios}
    seed = next(iter(scenarios.values())).seed
    comparison = Comparison(dict(scenarios), seed, runs, restored)
    waiting = {arm: _mean([pair[arm].waiting for pair in done]) for arm in scenarios}
    return Answer(comparison, waiting, len(done), wanted, weeks)


def _mean(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Return the mean of frames; a step that a replication did not see took no time in it."""
    steps = list(dict.fromkeys(step for frame in frames for step in frame.index))
    total = frames[0].reindex(steps).fillna(0.0)
    for frame in frames[1:]:
        total = total + frame.reindex(steps).fillna(0.0)
    return total / len(frames)
