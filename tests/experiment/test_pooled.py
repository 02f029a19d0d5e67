"""Medians over few incidents: by hand, against a known truth, and the same in all tables."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sim
from sim.experiment.intervals import estimate, interval, summarize
from sim.experiment.pooled import FEWEST, contributions, pooled_median, summary_of
from sim.experiment.store import Store
from sim.metrics.arrays import median
from sim.metrics.restore import Restored, packed, together

METRIC = "time_to_restore_h"
RECOVERY = "failed_deployment_recovery_time_h"
TRUTH_H = 4.47


def incidents(hours: Sequence[Sequence[float]], by_deployment: bool = True) -> Restored:
    """Return the incidents of some replications by what each lasted."""
    return together(
        [
            Restored(
                np.array(each, dtype=np.float64),
                np.zeros(len(each), np.intp),
                np.full(len(each), by_deployment),
                np.zeros(len(each), np.intp),
            )
            for each in hours
        ]
    )


def some_luck(rng: np.random.Generator, replications: int, per_replication: float) -> Restored:
    """Return lognormal incidents that share luck within a replication; the median is `TRUTH_H`."""
    hours = [
        TRUTH_H * np.exp(0.7 * rng.standard_normal() + 1.03 * rng.standard_normal(number))
        for number in rng.poisson(per_replication, replications)
    ]
    return incidents(hours)


def medians(restored: Restored, replications: int) -> pd.DataFrame:
    """Return the median of each replication, as its metrics have it."""
    values = [median(restored.hours[restored.replication == r]) for r in range(replications)]
    return pd.DataFrame({METRIC: values})


@pytest.mark.parametrize(("replications", "at_most"), [(20, 0.92), (50, 0.6)])
def test_the_interval_covers_the_median_where_the_mean_of_medians_does_not(
    replications: int, at_most: float
) -> None:
    rng = np.random.default_rng(1)
    repetitions = 500
    pooled, averaged = [], []
    for _ in range(repetitions):
        restored = some_luck(rng, replications, 1.1)
        runs = medians(restored, replications)
        pooled.append(summary_of(runs, restored, 0.95).loc[METRIC])
        averaged.append(summarize(runs).loc[METRIC])

    def covered(rows: list[pd.Series]) -> float:
        held = [row["ci_low"] <= TRUTH_H <= row["ci_high"] for row in rows]
        return float(np.mean(held))

    # Nine in ten of the replications with incidents have one or two: theirs is nearly the mean of a
    # lognormal, e^(σ²/2) = 2.2 times its median.
    assert np.mean([row["mean"] for row in averaged]) > 1.7 * TRUTH_H
    assert covered(averaged) < at_most, "the more replications, the surer of what is wrong"
    assert np.median([row["mean"] for row in pooled]) == pytest.approx(TRUTH_H, rel=0.05)
    # Of 500 intervals of 95 % each: three standard errors are 2.9 points. It may be careful.
    assert 0.95 - 0.029 <= covered(pooled) <= 0.985


@pytest.mark.parametrize(("different", "found"), [(1.0, (0.0, 0.079)), (5.0, (0.9, 1.0))])
def test_differences_of_few_incidents_are_claimed_as_rarely_as_promised(
    different: float, found: tuple[float, float]
) -> None:
    rng = np.random.default_rng(2)
    replications, repetitions = 30, 500
    claimed = 0
    for _ in range(repetitions):
        one, other = (some_luck(rng, replications, 2.0) for _ in range(2))
        longer = other._replace(hours=other.hours * different)
        difference = contributions(longer, METRIC, replications) - contributions(
            one, METRIC, replications
        )
        low, high = interval(estimate(difference[:, np.newaxis]), 0.95)
        claimed += bool(low[0] > 0.0 or high[0] < 0.0)
    # At most 5 % and three standard errors where nothing differs.
    assert found[0] <= claimed / repetitions <= found[1]


def test_a_median_and_its_ends_by_hand() -> None:
    # Ten incidents of 1 to 10 h, two in each of five replications, a long and a short one: half of
    # each is shorter than the median, so that the replications agree to the last. That is luck: as
    # if independent, the share that is shorter is 0.5 ∓ 2.776 · 0.5 / √10 = 0.061 and 0.939, and
    # Hazen's quantiles of the hours 1 to 10 are 10 · share + 0.5.
    restored = incidents([[1, 10], [2, 9], [3, 8], [4, 7], [5, 6]])
    half = 2.776445 * 0.5 / np.sqrt(10)
    expected = (5.5, 10 * (0.5 - half) + 0.5, 10 * (0.5 + half) + 0.5)
    assert pooled_median(restored, METRIC, 5, 0.95) == pytest.approx(expected, rel=1e-6)
    np.testing.assert_allclose(contributions(restored, METRIC, 5), 5.5)


def test_incidents_of_a_replication_are_a_cluster() -> None:
    # Twenty replications with one incident each; then each of its incidents happens five times. The
    # second tells no more than the first, however many incidents there are.
    rng = np.random.default_rng(3)
    hours = rng.lognormal(1.5, 1.0, 20)
    once = pooled_median(incidents(hours[:, np.newaxis]), METRIC, 20, 0.95)
    often = pooled_median(incidents(np.tile(hours[:, np.newaxis], 5)), METRIC, 20, 0.95)
    assert often.median == pytest.approx(once.median)
    assert often.low <= once.low * 1.1
    assert often.high >= once.high * 0.9


def test_contributions_have_the_mean_and_the_spread_of_the_median() -> None:
    rng = np.random.default_rng(4)
    restored = some_luck(rng, 40, 1.5)
    contributed = contributions(restored, METRIC, 40)
    pooled = pooled_median(restored, METRIC, 40, 0.95)
    assert contributed.mean() == pytest.approx(pooled.median)
    assert pooled.median == np.median(restored.hours)
    # Symmetric ends as far apart as those of the interval.
    low, high = interval(estimate(contributed[:, np.newaxis]), 0.95)
    assert high[0] - low[0] == pytest.approx(pooled.high - pooled.low, rel=1e-6)
    # One that has no incident says nothing, and leaves the median where it is.
    silent = ~np.isin(np.arange(40), restored.replication)
    assert silent.any()
    np.testing.assert_allclose(contributed[silent], pooled.median, rtol=0.05)


def test_fewer_than_ten_incidents_have_no_interval() -> None:
    nine = incidents([[1, 2, 3], [4, 5, 6], [7, 8, 9]])
    assert pooled_median(nine, METRIC, 3, 0.95) == pytest.approx((5.0, np.nan, np.nan), nan_ok=True)
    assert np.isfinite(pooled_median(incidents([[1.0] * 4] * 3), METRIC, 3, 0.95)).all()
    assert np.isnan(pooled_median(incidents([[1.0] * 6] * 2), METRIC, 2, 0.95).low)
    # Nothing is judged by them either: one incident would be no doubt at all.
    assert np.isnan(contributions(nine, METRIC, 3)).all()
    none = incidents([[], []])
    assert np.isnan(pooled_median(none, METRIC, 2, 0.95)).all()
    assert np.isnan(contributions(none, METRIC, 2)).all()
    runs = pd.DataFrame({METRIC: [np.nan] * 2})
    assert summary_of(runs, none, 0.95).loc[METRIC, "n"] == 0
    # A single replication has its own median, and no interval.
    alone = incidents([[1.0, 2.0, 6.0]])
    assert pooled_median(alone, METRIC, 1, 0.95)[0] == contributions(alone, METRIC, 1)[0] == 2.0


def test_the_recovery_of_failed_deployments_is_over_their_incidents_alone() -> None:
    mixed = together([incidents([[2.0, 4.0]]), incidents([[50.0, 60.0]], by_deployment=False)])
    assert pooled_median(mixed, RECOVERY, 2, 0.95).median == 3.0
    assert pooled_median(mixed, METRIC, 2, 0.95).median == 27.0


def test_a_store_keeps_incidents_and_knows_where_it_has_none(tmp_path: Path) -> None:
    restored = incidents([[2.5, 1.5], [], [9.0]])
    of_replication = [
        packed(Restored(*(each[restored.replication == number] for each in restored)))
        for number in range(3)
    ]
    numbers = np.array([[1.0], [2.0], [3.0]])
    with Store(tmp_path / "store.sqlite") as store:
        store.put(b"1" * 16, range(3), ["a"], numbers, of_replication)
        store.put(b"2" * 16, range(3), ["a"], numbers)
        values, found = store.replications(b"1" * 16, 3, ["a"])
        assert values.ravel().tolist() == [1.0, 2.0, 3.0]
        assert found is not None
        for kept, expected in zip(found, restored, strict=True):
            np.testing.assert_array_equal(kept, expected)
        assert store.replications(b"2" * 16, 3, ["a"])[1] is None


def test_studies_comparisons_and_sweeps_say_the_same() -> None:
    # Weeks of a start-up: about three incidents in each replication.
    short = ["organization=startup", "horizon_weeks=10", "warmup_weeks=4"]
    replications, seed = 6, 3
    arms = {str(level): sim.load(*short, f"automation={level}") for level in (0.5, 1.0)}
    first = arms["0.5"]
    study = sim.replicate(first, replications, seed, n_jobs=1)
    hours: list[float] = []
    for number in range(replications):
        run = sim.simulate(first, seed, number)
        inside = run.incidents["restored_at"].between(*run.window, inclusive="left")
        hours += list((run.incidents["restored_at"] - run.incidents["started_at"])[inside])
    assert FEWEST <= len(hours) < 10 * replications
    summary = study.summary()
    assert summary.loc[METRIC, "mean"] == pytest.approx(np.median(hours))
    assert summary.loc[METRIC, "mean"] != pytest.approx(study.runs[METRIC].mean(), rel=0.01)

    comparison = sim.compare(arms, replications, seed, n_jobs=1)
    pd.testing.assert_frame_equal(comparison.summary("0.5"), summary)
    swept = sim.sweep(first, {"automation": [0.5, 1.0]}, replications, seed, n_jobs=1)
    of_points = swept.summary().set_index(["point", "metric"])[list(summary)]
    for point, arm in enumerate(arms):
        pd.testing.assert_frame_equal(
            of_points.loc[point], comparison.summary(arm), check_dtype=False
        )
    metrics = [METRIC, RECOVERY, "lead_time_h"]
    effects = swept.effects(metrics).set_index("metric")
    differences = comparison.differences(metrics=metrics).loc["1.0"]
    columns = ["difference", "ci_low", "ci_high", "adjusted_p_value"]
    pd.testing.assert_frame_equal(effects[columns], differences[columns])
    for metric in ("lead_time_mean_h", "time_to_restore_mean_h"):
        here, there = swept.split(1, metric), comparison.split("1.0", metric)
        assert here is not None
        assert there is not None
        assert (here.mix, here.within) == (there.mix, there.within)
    for arm in arms:
        contributed = comparison.differences(metrics=[METRIC]).loc["1.0"]
        mean = contributed["mean_first" if arm == "0.5" else "mean"].item()
        assert mean == pytest.approx(comparison.summary(arm).loc[METRIC, "mean"])
