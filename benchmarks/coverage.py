"""How often intervals hold: coverage over resampled replications whose truth is known.

Run with ``python benchmarks/coverage.py FOLDER [replications]``. FOLDER holds pools of replications
(`coverage_pools.py`); those that are missing are simulated first, so many of each arm (1,000 by
default, hours of computing). A pool is taken for all there is: its mean is the truth, and samples
of n replications are drawn from it with replacement. Writes ``coverage.csv`` beside this file and
prints the summary of ``docs/sweeps.md``.

`false` is the share of all samples in which an interval is given and misses the truth; `given` the
share in which one is given; `width` is the median width over the level of the metric. An interval
of 95 % keeps its promise if `false` is at most 5 %. Of claims, `given` is the share of the sweeps
with any, `false` with one of the wrong sign, `width` how many there are.
"""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd
from coverage_pools import ORGANIZATIONS, simulate_pool
from numpy.typing import NDArray
from scipy.special import ndtr, ndtri, stdtr, stdtrit

from sim.experiment.holm import adjusted_p_values, family_of_tests
from sim.experiment.intervals import Estimates, estimate_groups, interval, means_of_groups
from sim.experiment.pooled import contributions, pooled_median
from sim.metrics import catalogue
from sim.metrics.catalogue import headlines
from sim.metrics.restore import POOLED, Restored, of_kinds

TARGET = Path(__file__).with_name("coverage.csv")
SIZES = (2, 3, 5, 10, 20, 50)
SAMPLES, SAMPLES_OF_MEDIANS, SAMPLES_OF_BOOTSTRAPS = 2000, 400, 200
RESAMPLES = 400
CONFIDENCE = 0.95
METRICS = (
    "deployment_frequency",
    "lead_time_h",
    "lead_time_mean_h",
    "change_failure_rate",
    "rework_rate",
    "time_to_restore_mean_h",
    "detect_mean_h",
    "respond_mean_h",
    "remedy_mean_h",
    "availability",
    "utilization_ml_engineer",
    "cost_per_week",
    "net_cost_per_week",
    "cost_per_deployment",
    "n_incidents",
)

Floats = NDArray[np.float64]
Ends = tuple[Floats, Floats]


class Pool(NamedTuple):
    """The replications of the arms of an organization, with common luck."""

    metrics: dict[str, pd.DataFrame]
    """By arm, a row per replication."""
    hours: dict[str, list[Floats]]
    """By arm, those of the incidents of each replication."""
    kinds: dict[str, list[NDArray[np.intp]]]

    @property
    def replications(self) -> int:
        """The number of each arm."""
        return min(map(len, self.metrics.values()))

    def restored(self, arm: str, chosen: NDArray[np.intp]) -> Restored:
        """Return the incidents of some replications."""
        hours = [self.hours[arm][number] for number in chosen]
        kinds = [self.kinds[arm][number] for number in chosen]
        places = np.repeat(np.arange(len(hours)), [len(each) for each in hours])
        return of_kinds(np.concatenate(hours), np.concatenate(kinds), places)


def read_pool(folder: Path, name: str) -> Pool:
    """Return a pool that was simulated."""
    parts = [pd.read_parquet(path) for path in sorted(folder.glob(f"{name}-*.parquet"))]
    frame = pd.concat(parts).sort_values("replication", kind="stable")
    by_arm = {arm: frame[frame["arm"] == arm] for arm in ORGANIZATIONS[name][1]}
    return Pool(
        by_arm,
        {arm: [np.asarray(h, float) for h in rows["restored_h"]] for arm, rows in by_arm.items()},
        {arm: [np.asarray(k, int) for k in rows["restored_kind"]] for arm, rows in by_arm.items()},
    )


# --- ways to make an interval --------------------------------------------------------------------


def student(values: Floats, starts: NDArray[np.intp]) -> Ends:
    """Student's intervals of each column and group, without regard to anything."""
    mean, error, n = estimate_groups(values, starts)
    half = stdtrit(np.maximum(n - 1.0, 1.0), 0.5 + CONFIDENCE / 2) * error
    return mean - half, mean + half


def ours(values: Floats, starts: NDArray[np.intp], names: list[str]) -> Ends:
    """Those of tables and reports."""
    found = means_of_groups(values, starts, [catalogue.metric(n) for n in names], CONFIDENCE)
    return found.low, found.high


def bootstrapped(values: Floats, rng: np.random.Generator) -> dict[str, tuple[float, float]]:
    """BCa (Efron 1987) and bootstrap-t intervals of one metric in one sample."""
    known = values[~np.isnan(values)]
    n, nothing = known.size, (np.nan, np.nan)
    if n < 3 or np.ptp(known) == 0.0:
        return {"BCa": nothing, "bootstrap-t": nothing}
    mean = known.mean()
    error = known.std(ddof=1) / np.sqrt(n)
    drawn = known[rng.integers(0, n, (RESAMPLES, n))]
    means = drawn.mean(axis=1)
    bias = np.mean((means < mean) + 0.5 * (means == mean))
    z0 = ndtri(np.clip(bias, 1 / RESAMPLES, 1 - 1 / RESAMPLES))
    away = mean - (known.sum() - known) / (n - 1)
    bend = (away**3).sum() / (6.0 * (away**2).sum() ** 1.5)
    z = z0 + ndtri(np.array([1 - CONFIDENCE, 1 + CONFIDENCE]) / 2)
    low, high = np.quantile(means, ndtr(z0 + z / (1 - bend * z)))
    with np.errstate(all="ignore"):
        t = (means - mean) / (drawn.std(axis=1, ddof=1) / np.sqrt(n))
    tails = np.quantile(np.nan_to_num(t), np.array([1 + CONFIDENCE, 1 - CONFIDENCE]) / 2)
    return {
        "BCa": (float(low), float(high)),
        "bootstrap-t": (float(mean - tails[0] * error), float(mean - tails[1] * error)),
    }


# --- what is counted -----------------------------------------------------------------------------


def row(low: Floats, high: Floats, truth: float, scale: float) -> dict[str, float]:
    """Return how often an interval is given, how often it is false, and how wide it is."""
    given = ~np.isnan(low)
    missed = given & ~((low <= truth) & (truth <= high))
    width = float(np.median((high - low)[given])) / scale if given.any() else np.nan
    return {"given": given.mean(), "false": missed.mean(), "width": width, "samples": low.size}


def of_means(pool: Pool, arm: str, rng: np.random.Generator) -> Iterator[dict[str, object]]:
    """Yield rows about the means of single arms."""
    names = [n for n in METRICS if n in pool.metrics[arm] and pool.metrics[arm][n].notna().any()]
    values = pool.metrics[arm][names].to_numpy(dtype=np.float64)
    truth = np.nanmean(values, axis=0)
    for n in SIZES:
        drawn = values[rng.integers(0, len(values), SAMPLES * n)]
        starts = np.arange(SAMPLES) * n
        ways: dict[str, Ends] = {
            "ours": ours(drawn, starts, names),
            "Student": student(drawn, starts),
        }
        for way, (low, high) in ways.items():
            for place, name in enumerate(names):
                counted = row(low[:, place], high[:, place], truth[place], abs(truth[place]))
                yield {"of": "mean", "metric": name, "way": way, "n": n, **counted}
        if n in (5, 10, 20):
            for place, name in enumerate(names):
                each = [
                    bootstrapped(drawn[start : start + n, place], rng)
                    for start in starts[:SAMPLES_OF_BOOTSTRAPS]
                ]
                for way in ("BCa", "bootstrap-t"):
                    low, high = np.array([found[way] for found in each]).T
                    counted = row(low, high, truth[place], abs(truth[place]))
                    yield {"of": "mean", "metric": name, "way": way, "n": n, **counted}


def of_medians(
    pool: Pool, arm: str, first: str, rng: np.random.Generator
) -> Iterator[dict[str, object]]:
    """Yield rows about the medians over pooled incidents, and differences between them."""
    every = np.arange(pool.replications)
    for metric in POOLED:
        truths = {
            each: pooled_median(pool.restored(each, every), metric, len(every), 0.95).median
            for each in (arm, first)
        }
        for n in SIZES:
            ends, differences = [], []
            for _ in range(SAMPLES_OF_MEDIANS):
                chosen = rng.integers(0, len(every), n)
                restored = pool.restored(arm, chosen)
                ends.append(pooled_median(restored, metric, n, CONFIDENCE)[1:])
                if arm != first:
                    reference = contributions(pool.restored(first, chosen), metric, n)
                    differences.append(contributions(restored, metric, n) - reference)
            low, high = np.array(ends).T
            counted = row(low, high, truths[arm], truths[arm])
            yield {"of": "median", "metric": metric, "way": "ours", "n": n, **counted}
            if differences:
                drawn = np.concatenate(differences)[:, np.newaxis]
                starts = np.arange(SAMPLES_OF_MEDIANS) * n
                found = interval(_flat(estimate_groups(drawn, starts)), CONFIDENCE)
                counted = row(*found, truths[arm] - truths[first], truths[arm])
                yield {"of": "difference", "metric": metric, "way": "ours", "n": n, **counted}


def of_differences(
    pool: Pool, arm: str, first: str, rng: np.random.Generator
) -> Iterator[dict[str, object]]:
    """Yield rows about paired differences of means to the first arm."""
    names = [n for n in METRICS if n in pool.metrics[arm] and n in pool.metrics[first]]
    both = [pool.metrics[each][names].to_numpy(dtype=np.float64) for each in (arm, first)]
    values = both[0] - both[1]
    truth, level = np.nanmean(values, axis=0), np.abs(np.nanmean(both[1], axis=0))
    for n in SIZES:
        drawn = values[rng.integers(0, len(values), SAMPLES * n)]
        estimates = estimate_groups(drawn, np.arange(SAMPLES) * n)
        low, high = interval(estimates, CONFIDENCE)
        for place, name in enumerate(names):
            counted = row(low[:, place], high[:, place], truth[place], level[place])
            yield {"of": "difference", "metric": name, "way": "ours", "n": n, **counted}


def _flat(estimates: Estimates) -> Estimates:
    return Estimates(*(each.ravel() for each in estimates))


def of_claims(pool: Pool, rng: np.random.Generator) -> Iterator[dict[str, object]]:
    """Yield how often sweeps claim a difference, and one of the wrong sign, under Holm.

    All arms are compared with the first in the four metrics; time to restore is its mean here.
    `zero spread` is the test that takes pairs that agree for certainty, as Student's does.
    """
    names = [name.replace("restore_h", "restore_mean_h") for name in headlines()]
    arms = [pool.metrics[arm][names].to_numpy(dtype=np.float64) for arm in pool.metrics]
    values = np.stack([arm - arms[0] for arm in arms[1:]], axis=1)
    values = values.reshape(len(values), -1)
    truth = np.nanmean(values, axis=0)
    for n in (2, 3, 4, 5, 6, 8, 10, 20):
        drawn = values[rng.integers(0, len(values), SAMPLES * n)]
        estimates = estimate_groups(drawn, np.arange(SAMPLES) * n)
        ways: dict[str, Callable[[Estimates], Floats]] = {
            "ours": lambda each: family_of_tests(each, CONFIDENCE)["adjusted_p_value"],
            "zero spread": lambda each: adjusted_p_values(_certain(each)),
        }
        for way, adjusted in ways.items():
            each = [Estimates(*(part[place] for part in estimates)) for place in range(SAMPLES)]
            claimed = np.array([adjusted(one) <= 1.0 - CONFIDENCE for one in each])
            wrong = claimed & (np.sign(estimates.mean) != np.sign(truth))
            yield {
                "of": "claims",
                "metric": f"{truth.size} comparisons",
                "way": way,
                "n": n,
                "given": claimed.any(axis=1).mean(),
                "false": wrong.any(axis=1).mean(),
                "width": claimed.sum(axis=1).mean(),
                "samples": SAMPLES,
            }


def _certain(estimates: Estimates) -> Floats:
    """Student's p-values, 0 where all replications agree on another value than 0."""
    apart = np.abs(estimates.mean)
    t = np.divide(
        apart,
        estimates.standard_error,
        out=np.where(apart > 0.0, np.inf, 0.0),
        where=estimates.standard_error > 1e-12 * apart,
    )
    p: Floats = 2.0 * stdtr(np.maximum(estimates.n - 1.0, 1.0), -t)
    return np.where(estimates.n > 1, p, np.nan)


def measure(folder: Path) -> pd.DataFrame:
    """Return a row per organization, arm, kind of interval, metric, way and n."""
    frames = []
    for name, (_, arms) in ORGANIZATIONS.items():
        pool = read_pool(folder, name)
        first, *_, last = arms
        rng = np.random.default_rng(1)
        for arm in (first, last):
            rows = [*of_means(pool, arm, rng), *of_medians(pool, arm, first, rng)]
            if arm != first:
                rows += of_differences(pool, arm, first, rng)
                rows += of_claims(pool, rng)
            frames.append(pd.DataFrame(rows).assign(organization=name, arm=arm))
        print(f"{name}: {pool.replications} replications of {len(arms)} arms", file=sys.stderr)
    places = ["organization", "arm", "of", "metric", "way", "n"]
    found = pd.concat(frames)
    return found[[*places, *(column for column in found if column not in places)]]


def markdown(found: pd.DataFrame) -> str:
    """Return the summary: false intervals in per cent, the worse of the arms."""
    shown = {
        "mean": [
            "deployment_frequency",
            "lead_time_h",
            "change_failure_rate",
            "time_to_restore_mean_h",
            "respond_mean_h",
            "availability",
            "cost_per_week",
        ],
        "median": ["time_to_restore_h"],
        "difference": ["deployment_frequency", "lead_time_h", "time_to_restore_h"],
    }
    sizes = [n for n in SIZES if n > 2]
    names = list(ORGANIZATIONS)
    lines = [
        "| interval | " + " | ".join(f"{name}" for name in names) + " |",
        "| --- |" + " --- |" * len(names),
    ]
    for of, metrics in shown.items():
        for metric in metrics:
            for way in ("ours", "Student") if of == "mean" else ("ours",):
                cells = []
                for name in names:
                    rows = found[
                        (found["of"] == of)
                        & (found["metric"] == metric)
                        & (found["way"] == way)
                        & (found["organization"] == name)
                    ]
                    worst = rows.groupby("n")["false"].max().reindex(sizes)
                    cells.append(" · ".join(f"{100 * share:.0f}" for share in worst))
                kind = {"mean": "mean", "median": "median", "difference": "difference in"}[of]
                what = catalogue.metric(metric).label.removeprefix("mean ")
                extra = "" if way == "ours" else ", Student's"
                lines.append(f"| {kind} {what}{extra} | " + " | ".join(cells) + " |")
    return "\n".join(lines)


def claims_markdown(found: pd.DataFrame) -> str:
    """Return what the sweep of the start-up claims, by number of replications."""
    rows = found[(found["of"] == "claims") & (found["organization"] == "startup")]
    head = ["replications", "some difference found", "wrong sign", "with zero spread as certainty"]
    lines = [f"| {' | '.join(head)} |", "|" + "---|" * len(head)]
    for n, each in rows.groupby("n"):
        ours, before = (each[each["way"] == way].iloc[0] for way in ("ours", "zero spread"))
        cells = [ours["given"], ours["false"], before["false"]]
        lines.append(f"| {n} | " + " | ".join(f"{100 * cell:.1f} %" for cell in cells) + " |")
    return "\n".join(lines)


def main() -> None:
    """Simulate what is missing, measure, write and print."""
    folder = Path(sys.argv[1])
    replications = int(sys.argv[2]) if len(sys.argv) > 2 else 1000
    if not any(folder.glob("*.parquet")) or len(sys.argv) > 2:
        folder.mkdir(parents=True, exist_ok=True)
        for name in ORGANIZATIONS:
            simulate_pool(folder, name, replications)
    found = measure(folder)
    found.round(3).to_csv(TARGET, index=False)
    print(markdown(found))
    print()
    print(claims_markdown(found))


if __name__ == "__main__":
    main()
