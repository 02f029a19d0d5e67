"""Random sweeps that go on in their folder with changed inputs keep their rows, or are refused."""

import os
import random
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from little_sweeps import run

from sim.experiment.axes import Interval
from sim.experiment.store import ResultsError
from sim.experiment.sweep import TABLE
from sim.experiment.sweep_results import Sweep
from sim.scenario.errors import ScenarioError

EFFORT = "pipeline.steps.test.effort_h"
LISTED: dict[str, tuple[object, ...]] = {
    "automation": (0.0, 0.25, 0.5, 1),
    "standardization": (0, 0.5, 1.0),
    EFFORT: (2, {"dist": "exponential", "mean": 2}, {"dist": "exponential", "mean": 3}),
    "seed": (3, 4),
}
SETTINGS: dict[str, tuple[object, ...]] = {
    "replications": (3, 4, 5),
    "seed": (7, 8),
    "data_validation": (0.0, 0.5),
    "standardization": (0.0, 0.75),
    "horizon_weeks": (12, 13),
    "design": ("grid", "grid", "grid", "zip", "lhs"),
    "samples": (4, 5),
    "baseline": ({}, {}, {"automation": 0.5}),
    "precision": (None, None, {"half_width": {"lead_time_h": 0.5}, "most_replications": 15},
                  {"half_width": {"lead_time_h": 0.9}, "most_replications": 15, "look_ahead": 0},
                  {"half_width": {"lead_time_h": 0.5}, "of": "differences", "look_ahead": 0}),
    "select": (None, None, None, {"metric": "lead_time_h", "budget": 9},
               {"metric": "lead_time_h", "budget": 12}),
    "name": ("one", "two"),
}  # fmt: skip


def inputs(rng: random.Random) -> dict[str, Any]:
    """Return axes and settings of a sweep at random."""
    axes: dict[str, Any] = {
        key: tuple(rng.sample(values, rng.randint(1, len(values))))
        for key, values in LISTED.items()
        if rng.random() < (0.9 if key == "automation" else 0.3)
    }
    settings = {key: rng.choice(values) for key, values in SETTINGS.items() if rng.random() < 0.4}
    if settings.get("design") == "lhs":
        axes["automation"] = Interval(0, 1)
    return {"axes": axes, **{key: value for key, value in settings.items() if key not in axes}}


def changed(rng: random.Random, before: dict[str, Any]) -> dict[str, Any]:
    """Return the inputs with one or two things changed."""
    after = dict(before)
    other = inputs(rng)
    for _ in range(rng.randint(1, 2)):
        if rng.random() < 0.5:
            key = rng.choice([key for key in SETTINGS if key not in before["axes"]])
            after[key] = rng.choice(SETTINGS[key])
        elif rng.random() < 0.7 and before["axes"]:
            axis = rng.choice(list(before["axes"]))
            values = before["axes"][axis]
            if not isinstance(values, Interval):
                further = [value for value in LISTED[axis] if value not in values]
                values = (*values, *further[:1]) if rng.random() < 0.7 else values[::-1]
            after["axes"] = {**before["axes"], axis: values}
        else:
            after["axes"] = other["axes"]
    return {key: value for key, value in after.items() if key not in after["axes"]}


def rows(sweep: Sweep) -> dict[tuple[object, ...], tuple[float, ...]]:
    """Return the metrics of each replication, found by the values of its point and its number."""
    keys = [axis.key for axis in sweep.axes]
    runs = sweep.runs
    columns = [name for name in runs if name not in (*keys, "point", "replication")]
    # pandas makes fractions of whole numbers among them.
    found = [
        tuple(value if isinstance(value, str) else float(value) for value in values)
        for values in sweep.points[keys].to_numpy().tolist()
    ]
    by_row = zip(runs["point"], runs["replication"], runs[columns].to_numpy(), strict=True)
    return {
        (found[point], number): tuple(pd.Series(values, columns).dropna().items())
        for point, number, values in by_row
    }


def resume(rng: random.Random, folder: Path) -> str:
    """Run a sweep, run it again with changed inputs, and return what came of that."""
    before = inputs(rng)
    try:
        first = run(folder, **before)
    except ScenarioError:
        return "no sweep"
    kept = rows(first)
    table = (folder / TABLE).read_bytes()
    after = changed(rng, before)
    try:
        second = run(folder, **after)
    except (ResultsError, ScenarioError):
        assert (folder / TABLE).read_bytes() == table, (before, after)
        return "refused"
    now = rows(second)
    assert kept.keys() <= now.keys(), (before, after)
    assert {key: now[key] for key in kept} == kept, (before, after)
    # Nothing is there that a sweep in an empty folder would not have.
    assert rows(run(folder.with_name(f"{folder.name}-afresh"), **after)) == now, (before, after)
    return "went on"


def resume_many(seed: int, count: int, folder: Path) -> dict[str, int]:
    """Return how often each came of it."""
    found = [resume(random.Random(f"{seed} {n}"), folder / str(n)) for n in range(count)]
    return {outcome: found.count(outcome) for outcome in set(found)}


def test_random_resumes(tmp_path: Path) -> None:
    found = resume_many(1, 40, tmp_path)
    assert min(found["refused"], found["went on"]) >= 5, found


@pytest.mark.slow
def test_many_random_resumes(tmp_path: Path) -> None:
    seed = int.from_bytes(os.urandom(4))
    print(f"seed {seed}")
    found = resume_many(seed, 100, tmp_path)
    assert min(found["refused"], found["went on"]) >= 12, (seed, found)
