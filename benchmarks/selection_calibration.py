"""How often a choice by `select` is right, against the probability that it promises.

    python benchmarks/selection_calibration.py FOLDER [searches] [replications of the pools]

A pool of replications (400) of each of 18 points of a start-up over 14 weeks is the population: its
means, and the medians of all its incidents, are the truth. A search draws replications from the
pools with replacement, the same numbers at all points, so that these share their luck; it spends
its budget and looks as a sweep does (`sim.experiment.stopping`). It is right if the true mean of
the chosen point is within 2 % of the best true mean among the points truly within the limits, and
misses no limit by more than 2 %; that none keeps within the limits is right if none truly does.

FOLDER keeps the pools, so that the same command goes on, and gets `calibration.csv` (a row per
search) and `calibration.md` (the tables).
"""

import itertools
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow.parquet as pq
from scipy import stats

import sim
from sim.experiment.stopping import budget_of, goal_of, replicate_further, selected
from sim.experiment.store import Store
from sim.metrics.restore import POOLED, Restored, of_kinds
from sim.scenario.organization import Scenario
from sim.scenario.settings import SelectionSpec

IntArray = npt.NDArray[np.intp]

AUTOMATION = (0.5, 0.502, 0.8)
RESTORE = "time_to_restore_h"
EVERY = [
    f"{monitoring}-{testing}-{place}"
    for monitoring in ("none", "full")
    for testing in ("none", "basic", "full")
    for place in range(len(AUTOMATION))
]
APART = [name for name in EVERY if not name.endswith("-1")]


class Search(NamedTuple):
    """A goal, the points that it is about, and their first replications."""

    about: str
    points: list[str]
    first: int
    wish: dict[str, Any]


ALIKE = ["none-full-0", "none-full-1", "full-full-1"]
SEARCHES = [
    Search("lead time, three points within 0.4 %", ALIKE, 5, {"metric": "lead_time_h"}),
    Search("cost, three points within 0.4 %", EVERY[15:], 10, {"metric": "cost_per_week"}),
    Search("time to restore, two points 3 % apart", [*EVERY[6:9:2]], 20, {"metric": RESTORE}),
    Search(
        "time to restore, 5 replications, no budget", APART, 5, {"metric": RESTORE, "budget": 0}
    ),
    Search("time to restore, from 5 replications", APART, 5, {"metric": RESTORE, "budget": 300}),
    Search(
        "time to restore, 20 replications, no budget", APART, 20, {"metric": RESTORE, "budget": 0}
    ),
    Search(
        "lead time, limit on time to restore, 5 replications, no budget",
        APART,
        5,
        {"metric": "lead_time_h", "at_most": {RESTORE: 8.0}, "budget": 0},
    ),
    Search(
        "lead time, limit on time to restore, from 5 replications",
        APART,
        5,
        {"metric": "lead_time_h", "at_most": {RESTORE: 6.0}, "budget": 200},
    ),
    Search(
        "lead time, limit on time to restore that no point keeps",
        APART[:6],
        10,
        {"metric": "lead_time_h", "at_most": {RESTORE: 6.5}},
    ),
    Search(
        "cost, limits on failures and lead time",
        EVERY,
        10,
        {"metric": "cost_per_week", "at_most": {"change_failure_rate": 0.2, "lead_time_h": 150.0}},
    ),
    Search("change failure rate, two points alike", APART, 10, {"metric": "change_failure_rate"}),
    Search("cost (skewed)", APART, 10, {"metric": "cost_per_week", "budget": 0}),
    Search("mean time to restore (skewed)", APART, 10, {"metric": "time_to_restore_mean_h"}),
    Search(
        "deployment frequency, the largest",
        APART,
        5,
        {"metric": "deployment_frequency", "goal": "largest"},
    ),
]
PROBABILITIES = (0.8, 0.9, 0.95)
"""That the searches ask for, in turn."""


@dataclass(frozen=True)
class Pool:
    """The replications of a point.

    Attributes:
        metrics: a row per replication.
        starts: where the incidents of each begin, and those of the last end.
        hours: of the incidents.
        kinds: likewise.
    """

    metrics: pd.DataFrame
    starts: IntArray
    hours: npt.NDArray[np.float64]
    kinds: IntArray

    @classmethod
    def of(cls, rows: pd.DataFrame) -> "Pool":
        """Return the pool of the rows of a point in the table of a sweep."""
        sizes = rows["restored_h"].map(len).to_numpy()
        return cls(
            rows.reset_index(drop=True),
            np.concatenate([[0], sizes.cumsum()]),
            np.concatenate(list(rows["restored_h"])),
            np.concatenate(list(rows["restored_kind"])).astype(np.intp),
        )

    def drawn(self, numbers: IntArray, metrics: Sequence[str]) -> tuple[Any, Restored]:
        """Return some of the replications as a store does."""
        sizes = np.diff(self.starts)[numbers]
        ends = sizes.cumsum()
        places = np.arange(sizes.sum()) + np.repeat(self.starts[numbers] - ends + sizes, sizes)
        replication = np.repeat(np.arange(numbers.size), sizes)
        values = self.metrics[list(metrics)].to_numpy(np.float64)[numbers]
        return values, of_kinds(self.hours[places], self.kinds[places], replication)

    def truth(self, metric: str) -> float:
        """Return the mean, or the median of all incidents."""
        if metric in POOLED:
            _, restored = self.drawn(np.arange(len(self.metrics)), [])
            return float(np.median(restored.hours[POOLED[metric](restored)]))
        return float(self.metrics[metric].mean())


class Resampled(Store):
    """Replications drawn from pools, where a search looks for those of a sweep."""

    def __init__(self, pools: Sequence[Pool], numbers: IntArray) -> None:
        self._pools = pools
        self._numbers = numbers

    def replications(
        self, fingerprint: bytes, n: int, metrics: Sequence[str]
    ) -> tuple[Any, Restored | None]:
        """Return the first replications of the point whose fingerprint is its number."""
        return self._pools[int.from_bytes(fingerprint)].drawn(self._numbers[:n], metrics)


def pools(folder: Path, replications: int) -> Mapping[str, Pool]:
    """Return the pools of all points, by name."""
    found = {}
    for monitoring in ("none", "full"):
        for testing in ("none", "basic", "full"):
            base = sim.load(
                "organization=startup",
                "horizon_weeks=18",
                "warmup_weeks=4",
                f"practice/monitoring={monitoring}",
                f"practice/testing={testing}",
            )
            beside = folder / f"{monitoring}-{testing}"
            axes = {"automation": AUTOMATION}
            sim.sweep(base, axes, replications=replications, n_jobs=2, folder=beside)
            table = pq.ParquetFile(beside / "runs.parquet").read().to_pandas()
            for point, rows in table.groupby("point"):
                found[f"{monitoring}-{testing}-{point}"] = Pool.of(rows)
    return found


def is_right(best: int | None, there: Sequence[Pool], wish: SelectionSpec) -> bool:
    """Return whether a choice is right, by the truth of the pools."""
    goal = goal_of(wish)
    truth = np.array([[pool.truth(metric) for metric in goal.metrics] for pool in there])
    turned = goal.turned(truth)
    within = (turned[:, 1:] <= 0.0).all(axis=1)
    if best is None:
        return not within.any()
    lowest = np.min(turned[within, 0], initial=np.inf)
    as_good = turned[best, 0] <= lowest + goal.allowance(lowest)
    return bool(as_good and (turned[best, 1:] <= goal.tolerances).all())


def search(number: int, of: Search, there: Sequence[Pool]) -> dict[str, object]:
    """Return what a search promised, and whether it was right."""
    asked = PROBABILITIES[number % len(PROBABILITIES)]
    wish = SelectionSpec(**{"probability": asked, **of.wish})
    settings = Scenario.model_construct(replications=of.first, seed=number, select=wish)
    settings.__dict__["precision"] = None
    most = of.first + budget_of(wish, of.first, len(there))
    rng = np.random.default_rng([number, len(there)])
    store = Resampled(there, rng.integers(0, len(there[0].metrics), most))
    prints = [bytes([point]) for point in range(len(there))]
    done = [of.first] * len(there)
    while further := replicate_further(settings, store, prints, done, 0, ()):
        done = further
    metrics = goal_of(wish).metrics
    frames, incidents = [], {}
    for point, n in enumerate(done):
        values, restored = store.replications(prints[point], n, metrics)
        frames.append(
            pd.DataFrame(values, columns=metrics).assign(point=point, replication=range(n))
        )
        assert restored is not None
        incidents[point] = restored
    choice = selected(wish, settings, len(there), pd.concat(frames), incidents)
    return {
        "about": of.about,
        "asked": asked,
        "best": None if choice.best is None else of.points[choice.best],
        "promised": choice.probability,
        "right": is_right(choice.best, there, wish),
        "replications": sum(done),
    }


def tables(searches: pd.DataFrame) -> str:
    """Return the calibration as Markdown: by what was looked for, and by what was promised."""
    by_goal = [
        "| looked for | searches | promised, mean | right | promised ≥ 0.8 | right of these |",
        "|---|---|---|---|---|---|",
    ]
    for about, rows in searches.groupby("about", sort=False):
        sure = rows[rows["promised"] >= 0.8]
        by_goal.append(
            f"| {about} | {len(rows)} | {rows['promised'].mean():.2f} | {rows['right'].mean():.2f} "
            f"| {len(sure)} | {_share(sure['right'])} |"
        )
    by_promise = ["| promised | searches | promised, mean | right |", "|---|---|---|---|"]
    ends = [0.0, 0.2, 0.4, 0.6, 0.8, 0.9, 0.95, 1.0]
    for low, high in itertools.pairwise(ends):
        there = (searches["promised"] >= low) & (searches["promised"] < high + (high == 1.0))
        rows = searches[there]
        if len(rows):
            by_promise.append(
                f"| {low:g} to {high:g} | {len(rows)} | {rows['promised'].mean():.2f} "
                f"| {_share(rows['right'])} |"
            )
    return "\n".join([*by_goal, "", *by_promise, ""])


def _share(right: "pd.Series[bool]") -> str:
    if right.empty:
        return "–"
    exact = stats.binomtest(int(right.sum()), len(right)).proportion_ci(0.95)
    return f"{right.mean():.2f} [{exact.low:.2f}, {exact.high:.2f}]"


def main(folder: Path, searches: int = 300, replications: int = 400) -> None:
    """Make the pools and the tables."""
    there = pools(folder, replications)
    rows = []
    for of in SEARCHES:
        points = [there[name] for name in of.points]
        rows += [search(number, of, points) for number in range(searches)]
        frame = pd.DataFrame(rows)
        frame.to_csv(folder / "calibration.csv", index=False)
        (folder / "calibration.md").write_text(tables(frame), encoding="utf-8")
        print(tables(frame[frame["about"] == of.about]).splitlines()[2], flush=True)
    print(tables(frame))


if __name__ == "__main__":
    main(Path(sys.argv[1]), *map(int, sys.argv[2:]))
