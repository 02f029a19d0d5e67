"""Pools of replications that stand for the truth when intervals are resampled."""

from pathlib import Path

import numpy as np
import pandas as pd

import sim
from sim.metrics.restore import kinds_of

CHUNK = 100
"""Replications that are simulated and written at a time."""

_LEVELS = ("none", "basic", "full")

ORGANIZATIONS: dict[str, tuple[tuple[str, ...], dict[str, tuple[str, ...]]]] = {
    "startup": (
        ("organization=startup", "horizon_weeks=16", "warmup_weeks=2"),
        {
            f"testing {testing}, cicd {cicd}": (
                f"practice/testing={testing}",
                f"practice/cicd={cicd}",
            )
            for testing in _LEVELS
            for cicd in _LEVELS
        },
    ),
    "default": (
        ("horizon_weeks=16", "warmup_weeks=4"),
        {"automation 0.4": ("automation=0.4",), "automation 0.6": ("automation=0.6",)},
    ),
    "rare": (
        ("organization=startup", "horizon_weeks=6", "warmup_weeks=2"),
        {"testing none": ("practice/testing=none",), "testing full": ("practice/testing=full",)},
    ),
    "enterprise": (
        ("organization=enterprise", "horizon_weeks=8", "warmup_weeks=4"),
        {"testing none": ("practice/testing=none",), "testing full": ("practice/testing=full",)},
    ),
}
"""Short horizons, by name: the overrides of all arms, and those of each; the first is the
reference. `rare` has two or three incidents per replication."""


def simulate_pool(folder: Path, name: str, replications: int) -> None:
    """Simulate an organization and write its replications to ``folder``, but for those there are.

    Args:
        folder: where the pools are.
        name: which of :data:`ORGANIZATIONS`.
        replications: how many of each arm, in whole chunks.
    """
    shared, arms = ORGANIZATIONS[name]
    scenarios = {arm: sim.load(*shared, *own) for arm, own in arms.items()}
    for chunk in range(replications // CHUNK):
        target = folder / f"{name}-{chunk:03}.parquet"
        if target.exists():
            continue
        found = sim.compare(scenarios, replications=CHUNK, seed=1000 + chunk, n_jobs=1)
        assert found.restored is not None
        frame = found.runs.copy()
        frame["replication"] += chunk * CHUNK
        hours, kinds = [], []
        for arm in scenarios:
            incidents = found.restored[arm]
            ends = np.bincount(incidents.replication, minlength=CHUNK).cumsum()[:-1]
            hours += np.split(incidents.hours, ends)
            kinds += np.split(kinds_of(incidents), ends)
        frame["restored_h"], frame["restored_kind"] = pd.Series(hours), pd.Series(kinds)
        part = target.with_suffix(".part")
        frame.to_parquet(part)
        part.rename(target)
