"""The best of many points: allocation, probability of correct selection, limits."""

import math
from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from scipy import stats

import sim.experiment.selection as module
from sim.experiment.intervals import FloatArray
from sim.experiment.selection import Goal, allocate, next_replications, select
from sim.metrics.restore import Restored

NAN = math.nan
SHORTEST = Goal("lead_time_h")


def runs(*values: FloatArray, names: tuple[str, ...] = ("lead_time_h",)) -> pd.DataFrame:
    """Return a row per point and replication from (points, replications) of each metric."""
    points, replications = np.indices(values[0].shape).reshape(2, -1)
    frame = pd.DataFrame({"point": points, "replication": replications})
    return frame.assign(**{name: one.ravel() for name, one in zip(names, values, strict=True)})


def so_far(data: FloatArray, n: FloatArray) -> pd.DataFrame:
    """Return the first n replications of each point."""
    frame = runs(data)
    return frame[frame["replication"] < n[frame["point"]]]


@pytest.fixture
def fewer_draws(monkeypatch: pytest.MonkeyPatch) -> None:
    """Thousands of choices in seconds; the noise of the draws does not shift their mean."""
    monkeypatch.setattr(module, "_DRAWS", 500)


def test_the_allocation_of_the_published_example() -> None:
    more = allocate(
        np.array([1.2, 2.1, 3.4, 4.87, 6.05]),
        np.array([3.3, 2.0, 4.5, 5.3, 6.9]),
        np.array([12, 6, 5, 5, 4]),
        100,
    )
    assert list(more) == [48, 38, 11, 2, 1]


def test_two_points_share_by_their_standard_deviations() -> None:
    more = allocate(np.array([0.0, 1.0]), np.array([9.0, 1.0]), np.array([0, 0]), 400)
    assert list(more) == [300, 100]


def test_what_has_more_than_its_share_gets_none() -> None:
    more = allocate(np.array([0.0, 1.0, 9.0]), np.ones(3), np.array([10, 10, 500]), 60)
    assert more[2] == 0
    assert more.sum() == 60
    assert abs(more[0] - more[1]) <= 2


def test_what_is_certain_needs_no_replications() -> None:
    n = np.array([5, 5, 5])
    assert list(allocate(np.array([1.0, 2.0, 2.0]), np.zeros(3), n, 30)) == [0, 0, 0]
    assert list(allocate(np.array([1.0, 2.0, 2.0]), np.array([0.0, 0.0, 1.0]), n, 30)) == [0, 0, 30]
    # Points without any difference take all, but no share is infinite.
    assert list(allocate(np.array([1.0, 1.0, 2.0]), np.ones(3), n, 30)) == [15, 15, 0]


def test_limits_decide_where_replications_go() -> None:
    # The best within limits; one that looks better but is close to its limit, out of it; one far
    # out, for which its mean need not be known; one that is worse.
    more = allocate(
        np.array([10.0, 5.0, 5.0, 20.0]),
        np.full(4, 4.0),
        np.full(4, 10),
        300,
        np.array([[-3.0], [0.5], [50.0], [-3.0]]),
        np.ones((4, 1)),
    )
    assert more.sum() == 300
    assert more[1] == more.max() > 250
    assert more[2] == 0
    # Shares of 1 / 0.5^2 and 1 / 3^2: nothing but the limit is hard here.
    more = allocate(
        np.array([0.0, 1e6]),
        np.ones(2),
        np.array([0, 0]),
        740,
        np.array([[-3.0], [-3.0]]),
        np.ones((2, 1)),
    )
    assert list(more) == [740, 0]
    # No point within: the closest one decides whether there is any. 1 / 1^2 to 1 / 3^2.
    more = allocate(
        np.array([1.0, 2.0]),
        np.ones(2),
        np.array([0, 0]),
        100,
        np.array([[1.0], [3.0]]),
        np.ones((2, 1)),
    )
    assert list(more) == [90, 10]


def test_of_two_points_the_probability_is_that_of_the_paired_t_test() -> None:
    rng = np.random.default_rng(1)
    luck = rng.normal(0.0, 5.0, 12)
    values = np.array([luck, luck + rng.normal(0.5, 1.0, 12)])
    chosen = select(runs(values), SHORTEST, 1)
    p = stats.ttest_rel(values[1], values[0], alternative="greater").pvalue
    assert chosen.best == 0
    assert 0.01 < p < 0.2
    assert chosen.table.loc[0, "best_probability"] == pytest.approx(1 - p, abs=0.015)
    assert chosen.probability == pytest.approx(1 - 2.5 * p, abs=0.04)
    # As for the whole row of points; without shared luck the noise would hide the difference.
    assert stats.ttest_ind(values[1], values[0], alternative="greater").pvalue > 0.3


def test_feasibility_has_the_probability_of_the_t_test() -> None:
    rate = np.random.default_rng(2).normal(0.14, 0.04, (1, 15))
    goal = Goal("lead_time_h", at_most={"rate": 0.15})
    frame = runs(np.zeros((1, 15)), rate, names=("lead_time_h", "rate"))
    p = stats.ttest_1samp(rate[0], 0.15, alternative="less").pvalue
    assert select(frame, goal, 1).table.loc[0, "feasible_probability"] == pytest.approx(
        1 - p, abs=0.015
    )


def test_which_of_forty_organizations_is_best_within_limits() -> None:
    rng = np.random.default_rng(3)
    number = np.arange(40)
    # The shorter the lead time the more fail, and the better it is the more it costs.
    lead, rate, cost = 100.0 - number, 0.05 + 0.005 * number, 10.0 * (number % 4)
    names = ("lead_time_h", "change_failure_rate", "cost")
    frame = runs(
        lead[:, np.newaxis] + rng.normal(0.0, 0.5, (40, 20)),
        rate[:, np.newaxis] + rng.normal(0.0, 0.002, (40, 20)),
        np.tile(cost[:, np.newaxis], 20),
        names=names,
    )
    limits = {"change_failure_rate": 0.1475, "cost": 20.0}
    chosen = select(frame.sample(frac=1.0, random_state=1), Goal("lead_time_h", at_most=limits), 1)
    # Up to number 19 few enough fail, and of these 18 is the last that is cheap enough.
    assert chosen.best == 18
    assert chosen.probability > 0.95
    assert list(chosen.table.index) == list(range(40))
    assert chosen.table.loc[19, "feasible_probability"] == 0
    assert chosen.table["best_probability"].sum() == pytest.approx(1, abs=1e-9)
    assert list(chosen.table.columns) == ["mean", "feasible_probability", "best_probability", "n"]

    largest = select(frame, Goal("lead_time_h", largest=True, at_least={"cost": 10.0}), 1)
    assert largest.best == 1
    assert largest.table.loc[1, "mean"] == pytest.approx(99, abs=0.5)

    nothing = select(frame, Goal("lead_time_h", at_most={"cost": -1.0}), 1)
    assert nothing.best is None
    assert nothing.probability == 1
    assert (nothing.table["feasible_probability"] == 0).all()
    assert next_replications(frame, Goal("lead_time_h", at_most={"cost": -1.0}), 50) == {}


def test_points_that_are_not_known_well_enough_are_not_judged() -> None:
    values = np.random.default_rng(4).normal([[5.0], [3.0], [1.0], [4.0]], 0.5, (4, 10))
    values[2, 2:] = NAN
    values[1, ::2] = NAN
    chosen = select(runs(values), SHORTEST, 1)
    assert chosen.best == 1
    assert list(chosen.table["n"]) == [10, 5, 2, 10]
    assert chosen.table.loc[2, ["feasible_probability", "best_probability"]].isna().all()
    assert chosen.table.loc[2, "mean"] == pytest.approx(np.nanmean(values[2]))
    assert set(next_replications(runs(values), SHORTEST, 50)) <= {0, 1, 3}
    nobody = select(runs(np.full((3, 10), NAN)), SHORTEST, 1)
    assert nobody.best is None
    assert math.isnan(nobody.probability)
    assert next_replications(runs(np.full((3, 10), NAN)), SHORTEST, 50) == {}


def test_points_that_are_the_same_do_not_compete() -> None:
    values = np.random.default_rng(5).normal([[1.0], [9.0], [2.0]], 1.0, (3, 10))
    twins = np.vstack([values, values[:1]])
    chosen = select(runs(twins), SHORTEST, 1)
    alone = select(runs(values), SHORTEST, 1)
    assert chosen.best == 0
    assert chosen.probability == pytest.approx(alone.probability, abs=0.01)
    assert chosen.table.loc[3, "best_probability"] == chosen.table.loc[0, "best_probability"]
    assert next_replications(runs(twins), SHORTEST, 40) == next_replications(
        runs(values), SHORTEST, 40
    )


def test_the_same_seed_gives_the_same_answer_whatever_is_drawn_at_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    values = np.random.default_rng(6).normal(0.0, 1.0, (5, 8))
    one = select(runs(values), SHORTEST, 7)
    pd.testing.assert_frame_equal(one.table, select(runs(values), SHORTEST, 7).table)
    monkeypatch.setattr(module, "_DRAWN_AT_ONCE", 3000)
    in_parts = select(runs(values), SHORTEST, 7).table
    assert in_parts["best_probability"].to_numpy() == pytest.approx(
        one.table["best_probability"].to_numpy(), abs=0.03
    )


def incidents(hours: FloatArray, replication: FloatArray) -> Restored:
    """Return incidents of no particular cause."""
    none = np.zeros(len(hours), dtype=np.intp)
    return Restored(np.asarray(hours, dtype=float), none, none.astype(bool), replication)


def test_a_median_drawn_with_weights_is_that_of_the_incidents_repeated_so_often() -> None:
    rng = np.random.default_rng(7)
    hours, replication = np.sort(rng.lognormal(1.0, 1.0, 30)), rng.integers(0, 8, 30)
    for weights in rng.integers(0, 4, (50, 8)):
        drawn = module._medians(hours, replication, weights[np.newaxis].astype(float))[0]
        # The lower and the upper median of what is there so often are on either side.
        repeated = np.repeat(hours, weights[replication])
        if repeated.size:
            near = np.flatnonzero(hours <= np.median(repeated) + 1e-12)[-1]
            assert hours[max(near - 3, 0)] <= drawn <= hours[min(near + 3, 29)]
    assert module._medians(hours, replication, np.ones((1, 8)))[0] == pytest.approx(
        np.median(hours)
    )
    assert module._medians(hours[:7], replication[:7], np.ones((1, 8)))[0] == pytest.approx(
        np.median(hours[:7])
    )


def test_medians_are_those_of_the_incidents_of_all_replications() -> None:
    # By replications the first is shorter (medians 1, 1, 1, 100 against 30), by incidents longer.
    hours = np.array([1.0, 1.0, 1.0, *np.full(9, 100.0)])
    first = incidents(hours, np.array([0, 1, 2, *[3] * 9]))
    other = incidents(np.full(12, 30.0), np.repeat(np.arange(4), 3))
    frame = runs(np.array([[1.0, 1.0, 1.0, 100.0], [30.0] * 4]), names=("time_to_restore_h",))
    goal = Goal("time_to_restore_h")
    by_incidents = select(frame, goal, 1, incidents={0: first, 1: other})
    assert by_incidents.best == 1
    assert list(by_incidents.table["mean"]) == [100.0, 30.0]
    assert by_incidents.probability < 0.9  # all of it rests on one replication
    assert select(frame, goal, 1).best == 0


def test_within_the_indifference_any_point_is_the_best() -> None:
    luck = np.random.default_rng(8).normal(0.0, 3.0, 12)
    # Three within 0.4 %, not told apart by noise of 0.6 %; the fourth is 4 % worse.
    values = np.array([[100.0], [100.2], [100.4], [104.0]]) + luck
    frame = runs(values + np.random.default_rng(1).normal(0.0, 0.6, values.shape))
    exact = select(frame, SHORTEST, 1)
    about = select(frame, Goal("lead_time_h", indifference=0.02, relative=True), 1)
    assert exact.probability < 0.9
    assert about.probability > 0.99
    assert list(about.table["best_probability"] > 0.99) == [True, True, True, False]
    in_hours = select(frame, Goal("lead_time_h", indifference=5.0), 1)
    assert (in_hours.table["best_probability"] > 0.99).all()
    # Nothing is left to decide: all replications go where the indifference is least clear.
    more = next_replications(frame, Goal("lead_time_h", indifference=0.02, relative=True), 40)
    assert sum(more.values()) == 40


def test_a_limit_may_be_missed_by_the_indifference_and_no_more() -> None:
    rate = np.array([[0.201], [0.199]]) + np.random.default_rng(1).normal(0.0, 3e-4, (2, 12))
    frame = runs(np.array([[10.0], [20.0]]) + rate, rate, names=("lead_time_h", "rate"))
    limits = {"rate": 0.2}
    # By its mean the faster one does not keep within the limit, so the slower one is chosen.
    about = select(frame, Goal("lead_time_h", False, limits, {}, 0.02, relative=True), 1)
    assert about.best == 1
    # Either would have been right: 20.1 % is within 2 % of 20 %.
    assert list(about.table["best_probability"] > 0.99) == [True, True]
    exact = select(frame, Goal("lead_time_h", at_most=limits), 1)
    assert list(exact.table["best_probability"] > 0.99) == [False, True]


def test_metrics_have_to_exist() -> None:
    frame = runs(np.zeros((2, 4)))
    for goal in (Goal("lead_time"), Goal("lead_time_h", at_least={"lead_time": 1.0})):
        with pytest.raises(ValueError, match="'lead_time'; did you mean 'lead_time_h'"):
            select(frame, goal, 1)


@pytest.mark.parametrize("shared", [0.0, pytest.param(0.8, marks=pytest.mark.slow)])
@pytest.mark.parametrize(
    "means",
    [
        # In standard errors of a mean. What is picked among such that hardly differ looks better
        # than it is; the others are the usual cases of the literature.
        pytest.param(lambda rng: 1e-9 * rng.permutation(2), id="a tie of two"),
        pytest.param(lambda rng: 1e-9 * rng.permutation(10), id="a tie of ten"),
        pytest.param(lambda rng: np.r_[1e-9 * rng.permutation(4), np.full(6, 20.0)], id="in front"),
        pytest.param(lambda rng: np.r_[0.0, np.full(9, 2.0)], id="one ahead"),
        pytest.param(lambda rng: 1.5 * np.arange(10.0), id="a row"),
        pytest.param(lambda rng: rng.normal(0.0, 3.0, 10), id="at random"),
    ],
)
def test_the_probability_of_correct_selection_is_not_overstated(
    means: Callable[[np.random.Generator], FloatArray], shared: float, fewer_draws: None
) -> None:
    rng = np.random.default_rng(8)
    repetitions, n = 200, 10
    promised, right = 0.0, 0
    for number in range(repetitions):
        true = means(rng) / math.sqrt(n)
        noise = math.sqrt(shared) * rng.normal(0.0, 1.0, n) + math.sqrt(1 - shared) * rng.normal(
            0.0, 1.0, (true.size, n)
        )
        chosen = select(runs(true[:, np.newaxis] + noise), SHORTEST, number)
        promised += chosen.probability / repetitions
        right += chosen.best == true.argmin()
    # Three standard errors of the frequency.
    share = right / repetitions
    assert promised <= share + 3 * math.sqrt(max(share * (1 - share), 0.01) / repetitions)


def optimal(data: FloatArray, first: int, step: int, total: int) -> pd.DataFrame:
    """Return the replications that sequential allocation asks for."""
    n = np.full(len(data), first)
    while n.sum() < total:
        for point, more in next_replications(so_far(data, n), SHORTEST, step).items():
            n[point] += more
    return so_far(data, n)


@pytest.mark.slow
def test_optimal_allocation_needs_half_the_runs_of_equal_allocation(fewer_draws: None) -> None:
    equal, repetitions = 1200, 600
    # The example of Chen et al. (2000): 10 designs, normal with means 1 ... 10 and deviation 6.
    rng = np.random.default_rng(9)
    true = np.arange(1.0, 11.0)
    means = true + 6.0 / math.sqrt(equal / 10) * rng.normal(0.0, 1.0, (100_000, 10))
    of_equal = (means.argmin(axis=1) == 0).mean()
    assert 0.8 < of_equal < 0.92

    promised, right = 0.0, 0
    for number in range(repetitions):
        data = true[:, np.newaxis] + rng.normal(0.0, 6.0, (10, 600))
        frame = optimal(data, 10, 100, 600)
        assert len(frame) == 600
        chosen = select(frame, SHORTEST, number)
        promised += chosen.probability / repetitions
        right += chosen.best == 0
    # Beyond doubt: the lower end of the exact interval (Clopper and Pearson) is above.
    low = stats.binomtest(right, repetitions).proportion_ci(0.95).low
    assert low > of_equal
    assert promised <= right / repetitions


@pytest.mark.slow
@pytest.mark.parametrize("looks", [1, 5])
def test_sequential_allocation_and_stopping_do_not_overstate_ties(
    looks: int, fewer_draws: None
) -> None:
    rng = np.random.default_rng(10)
    repetitions = 150
    for ties in (2, 3, 10):
        true = 1e-9 * np.arange(ties)
        promised, right = 0.0, 0
        for number in range(repetitions):
            data = true[:, np.newaxis] + rng.normal(0.0, 1.0, (ties, 400))
            for look in range(looks):
                # Four looks on the way to the last one, each of which may end it.
                total = 40 * ties if looks == 1 else (10 + 10 * look) * ties
                frame = optimal(data, 10, 5 * ties, total)
                chosen = select(frame, SHORTEST, number, looks)
                if chosen.probability >= 0.8:
                    break
            promised += chosen.probability / repetitions
            right += chosen.best == 0
        share = right / repetitions
        assert promised <= share + 3 * math.sqrt(share * (1 - share) / repetitions)
