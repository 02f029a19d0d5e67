"""What a search promises is right at least that often: a small `selection_calibration.py`.

The population is made up here: skewed incidents that come in clusters, and luck that all points
share; `docs/sweeps.md` has the table of simulated organizations.
"""

import importlib.util
import math
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sim.experiment.selection as selection

_FILE = Path(__file__).parents[2] / "benchmarks" / "selection_calibration.py"
RESTORE = "time_to_restore_h"
SEARCHES = 30


@pytest.fixture(scope="module")
def benchmark_file() -> Any:
    spec = importlib.util.spec_from_file_location("selection_calibration", _FILE)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module  # dataclasses look their module up
    spec.loader.exec_module(module)
    return module


def population(lead_h: float, restore_h: float, cost: float) -> pd.DataFrame:
    """Return 500 replications of a point, as the table of a sweep has them."""
    luck = np.random.default_rng(1).normal(0.0, 1.0, (3, 500))
    rng = np.random.default_rng(2)  # the same at all points, as far as it is drawn alike
    hours = [
        restore_h * np.exp(0.5 * luck[1, k]) * rng.lognormal(0.0, 1.2, rng.poisson(6))
        for k in range(500)
    ]
    own = np.random.default_rng([3, int(lead_h), int(100 * restore_h), int(cost)])
    noise = own.normal(0.0, 1.0, (2, 500))
    return pd.DataFrame(
        {
            "lead_time_h": lead_h * (1.0 + 0.2 * luck[0] + 0.02 * noise[0]),
            RESTORE: [float(np.median(each)) if each.size else math.nan for each in hours],
            "cost_per_week": cost * np.exp(0.4 * luck[2] + 0.2 * noise[1]),
            "restored_h": [each * np.exp(0.3 * own.normal(size=each.size)) for each in hours],
            "restored_kind": [np.zeros(each.size, dtype=np.int8) for each in hours],
        }
    )


def test_what_is_promised_is_right_at_least_that_often(
    benchmark_file: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(selection, "_DRAWS", 800)
    make = benchmark_file.Pool.of
    points = {
        name: make(population(*of))
        for name, of in {
            "a": (100.0, 8.0, 1000.0),
            "b": (100.2, 8.0, 1060.0),
            "c": (100.4, 10.0, 1090.0),
            "d": (90.0, 12.0, 1200.0),
            "e": (80.0, 15.0, 1250.0),
        }.items()
    }
    every = list(points)
    searches = [
        ("three within 0.4 %", every[:3], 5, {"metric": "lead_time_h"}),
        ("restore", every, 5, {"metric": RESTORE, "budget": 0}),
        (
            "limit on restore",
            every,
            10,
            {"metric": "lead_time_h", "at_most": {RESTORE: 11.0}, "budget": 0},
        ),
        ("skewed cost", every, 10, {"metric": "cost_per_week", "budget": 0}),
    ]
    found = pd.DataFrame(
        [
            benchmark_file.search(k, of, [points[name] for name in of.points])
            for of in (benchmark_file.Search(*each) for each in searches)
            for k in range(SEARCHES)
        ]
    )
    for _, rows in found.groupby("about"):
        # Three standard errors of a share.
        doubt = 3.0 * math.sqrt(0.25 / SEARCHES)
        assert rows["promised"].mean() <= rows["right"].mean() + doubt
    sure = found[found["promised"] >= 0.8]
    promised, right = sure["promised"].mean(), sure["right"].mean()
    assert right >= promised - 3.0 * math.sqrt(promised * (1.0 - promised) / len(sure))
    # Nor is it too careful: points that are as good are soon known to be, and not all is right.
    alike = found[found["about"] == "three within 0.4 %"]
    assert alike["right"].all()
    assert alike["promised"].mean() > 0.6
    assert len(sure) >= 20
    assert not found["right"].all()
