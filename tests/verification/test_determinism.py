"""Same seed, same log, byte for byte; and draws that do not depend on what else there is."""

import hashlib
import itertools
import os
import subprocess
import sys

import numpy as np
import pandas as pd
import pytest

import sim

SHORT = ("horizon_weeks=20", "warmup_weeks=4")

PROGRAM = """
import sys
sys.path.insert(0, {here!r})
from test_determinism import SHORT, digest
import sim
print(digest(sim.simulate(sim.load(*SHORT), seed=5, replication=2)))
"""


def digest(run: sim.Run) -> str:
    """Return a digest of all tables, their order and their types."""
    content = hashlib.sha256()
    for name, table in run.tables.items():
        content.update(name.encode())
        content.update(table.to_csv(float_format="%r").encode())
        content.update(str(table.dtypes.to_dict()).encode())
    return content.hexdigest()


def test_same_log_twice_in_one_process_and_in_other_processes() -> None:
    scenario = sim.load(*SHORT)
    here = digest(sim.simulate(scenario, seed=5, replication=2))
    assert here == digest(sim.simulate(scenario, seed=5, replication=2))
    program = PROGRAM.format(here=os.path.dirname(__file__))
    for hash_seed in ("1", "2"):  # the order of sets of texts must not matter
        other = subprocess.run(
            [sys.executable, "-c", program],
            env={**os.environ, "PYTHONHASHSEED": hash_seed},
            capture_output=True,
            text=True,
            check=True,
        )
        assert other.stdout.strip() == here


def test_seed_and_replication_both_matter() -> None:
    scenario = sim.load(*SHORT)
    digests = {
        digest(sim.simulate(scenario, seed=seed, replication=replication))
        for seed in (0, 1)
        for replication in (0, 1)
    }
    assert len(digests) == 4


def test_parallel_equals_sequential() -> None:
    scenario = sim.load(*SHORT)
    one = sim.replicate(scenario, replications=5, seed=9, n_jobs=1)
    two = sim.replicate(scenario, replications=5, seed=9, n_jobs=2)
    pd.testing.assert_frame_equal(one.runs, two.runs, check_exact=True)
    pd.testing.assert_frame_equal(one.weekly, two.weekly, check_exact=True)
    assert digest(one.first) == digest(two.first)
    alone = sim.simulate(scenario, seed=9, replication=3).metrics()
    np.testing.assert_array_equal(one.runs.loc[3].drop("replication").astype(float), alone)


def luck(run: sim.Run, service: str) -> dict[str, np.ndarray]:
    """Return what was drawn for one service: explorations, data arrivals, outages."""
    changes = run.changes[
        (run.changes["service"] == service)
        & (run.changes["kind"] == "feature")
        & run.changes["origin_id"].isna()
    ]
    explored = run.steps[run.steps["step"] == "exploration"].set_index("change_id")["effort_h"]
    batches = run.batches[run.batches["service"] == service]
    outages = run.incidents[
        (run.incidents["service"] == service) & (run.incidents["trigger"] == "outage")
    ]
    up_since = outages["restored_at"].shift(fill_value=0.0)
    return {
        "exploration_h": explored.reindex(changes["change_id"]).to_numpy(),
        "arrived_at": batches["arrived_at"].to_numpy(),
        "corrupted": batches["corrupted"].to_numpy(),
        "time_to_outage_h": (outages["started_at"] - up_since).to_numpy(),
    }


@pytest.mark.parametrize(
    "what", ["teams.product", pytest.param("services.model", marks=pytest.mark.slow)]
)
def test_more_of_a_kind_leave_the_luck_of_the_first_ones(what: str) -> None:
    settings = ("horizon_weeks=80", "services.model.time_to_outage_h.mean=500")
    runs = [
        sim.simulate(sim.load(*settings, f"{what}.count={count}"), seed=4) for count in (1, 2, 3)
    ]
    for fewer, more in itertools.pairwise(runs):
        paths = [
            run.tables["services"].set_index("service")["golden_path"] for run in (fewer, more)
        ]
        for service, on_path in paths[0].items():
            assert paths[1][service] == on_path
            np.testing.assert_array_equal(
                luck(fewer, service)["arrived_at"], luck(more, service)["arrived_at"]
            )


@pytest.mark.parametrize(
    "added",
    [
        pytest.param(
            "+services.another={team: product, time_to_outage_h: {dist: exponential, mean: 500}}",
            marks=pytest.mark.slow,
        ),
        "+pipeline.steps.smoke_test={run_h: 1, detects: {code: {automated: 0.5}}}",
    ],
)
def test_an_added_service_or_step_leaves_the_luck_of_the_others(added: str) -> None:
    # Debt would slow down the work on a service by as much as the rest of the organization does.
    no_debt = ("debt.slowdown=0", "debt.more_defects=0")
    # How many ideas ship together depends on the work in a team, and they are explored as one.
    alone = "changes.batch_size=idea"
    settings = ("horizon_weeks=80", "services.model.time_to_outage_h.mean=500", alone, *no_debt)
    before = sim.simulate(sim.load(*settings), seed=4)
    after = sim.simulate(sim.load(*settings, added), seed=4)
    assert digest(before) != digest(after)
    for service in before.tables["services"]["service"]:
        here, there = luck(before, service), luck(after, service)
        for name in here:
            count = min(len(here[name]), len(there[name]))
            pairs = np.stack([here[name][:count], there[name][:count]]).astype(float)
            pairs = pairs[:, ~np.isnan(pairs).any(axis=0)]  # NaN: not yet over at the horizon
            assert pairs.shape[1] >= 3, f"nothing to compare: {name} of {service}"
            np.testing.assert_allclose(*pairs, rtol=1e-9)
