"""What a roadmap brings: dates by hand, and two organizations that differ by it alone."""

import math
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest

import sim
from sim.experiment.payback import Payback, pay_back
from sim.experiment.replicate import Study
from sim.report.payback import in_words, payback_table, period_rows, periods

WEEKS = 30
INVEST = (
    "roadmap=[{practice: cicd, level: full, start_week: 8, effort_h: {ml_engineer: 40}, "
    "learning_weeks: 4, learning_slowdown: 0.5}]"
)


def spending(*courses: list[float], adopted: float | None = 0.0) -> Payback:
    """Return a payback in which so much more was spent each week, by replication.

    A practice is adopted in the week ``adopted``, None for never.
    """

    def study(values: np.ndarray) -> Study:
        weekly = pd.DataFrame(
            {
                "replication": np.repeat(np.arange(len(values)), values.shape[1]),
                "week": np.tile(np.arange(values.shape[1]), len(values)),
                "net_cost": values.ravel(),
            }
        )
        scenario = SimpleNamespace(cost=SimpleNamespace(currency="USD"))
        first = SimpleNamespace(tables={"investments": dates})
        return Study(scenario, 1, pd.DataFrame(), weekly, first)  # type: ignore[arg-type]

    dates = pd.DataFrame({"adopted_at": [np.nan if adopted is None else adopted * 168.0]})
    more = np.array(courses)
    return Payback(study(1000.0 + more), study(np.full(more.shape, 1000.0)))


def test_break_even_is_the_first_week_from_which_the_sum_stays_below_zero() -> None:
    # Cumulated: 0, 10, 4, -2, 1, -5, -6: below once in week 3, and for good from week 5 on.
    course = [0.0, 10, -6, -6, 3, -6, -1]
    payback = spending(*[course] * 6)
    np.testing.assert_allclose(payback.cumulated(), [[0, 10, 4, -2, 1, -5, -6]] * 6)
    assert payback.break_even() == (5.0, 5.0)
    assert in_words(payback) == (
        "At its worst, in week 2, the roadmap has cost USD 10 more than it has brought. "
        "It has paid for itself from week 5 on, when the 95 % interval of the sum leaves zero "
        "for good."
    )


def test_the_whole_interval_has_to_be_below_zero() -> None:
    # Cumulated: 6, 2, -4 and -20, each ∓ 1 or exactly, so that s = 1, and t of two degrees of
    # freedom is 4.303: the half-width is 2.484, the lower end below zero from week 1 on
    # (2 - 2.484), the upper one from week 2 (-4 + 2.484).
    payback = spending([5.0, -4, -6, -16], [6.0, -4, -6, -16], [7.0, -4, -6, -16])
    assert payback.break_even() == (2.0, 1.0)
    # t is 9.925 at 99 %: the half-width of 5.730 reaches over zero in all weeks but 0 and 3.
    assert payback.break_even(0.99) == (3.0, 1.0)
    # At 50 % t is 0.816: 2 ∓ 0.471 is above zero, -4 ∓ 0.471 below.
    assert payback.break_even(0.5) == (2.0, 2.0)
    assert in_words(payback).endswith("for good; at the earliest in week 1.")


def test_a_flat_noisy_curve_that_crosses_zero_has_not_paid() -> None:
    # Nothing pays: the sums of eight replications lie about zero all the time, and so does their
    # mean, which happens to be above it until week 11 and below it from then on.
    rng = np.random.default_rng(4)
    sums = rng.normal(0.0, 4.0, (8, 40))
    sums += np.where(np.arange(40) < 12, 0.5, -0.5) - sums.mean(axis=0)
    courses = np.diff(sums, axis=1, prepend=0.0).tolist()
    payback = spending(*courses, adopted=20.0)
    below = payback.cumulated().mean(axis=0) < 0.0
    assert below.tolist() == [False] * 12 + [True] * 28, "it crosses zero before the adoption"
    assert payback.break_even() == (math.inf, 20.0)
    # With a real gain from week 30 on it is found there, and not where the noise crossed zero.
    gain = np.where(np.arange(40) < 30, 0.0, -20.0)
    paid = spending(*(np.array(courses) + gain).tolist(), adopted=20.0).break_even()
    assert paid == (30.0, 20.0)


def test_nothing_has_paid_before_it_is_adopted() -> None:
    cheap = [-5.0] * 10
    assert spending(*[cheap] * 6).break_even() == (0.0, 0.0)
    assert spending(*[cheap] * 6, adopted=6.5).break_even() == (6.0, 6.0)
    assert spending(*[cheap] * 6, adopted=None).break_even() == (math.inf, math.inf)


def test_what_never_pays_is_said_so() -> None:
    payback = spending(*[[5, 1, 1]] * 6)
    assert payback.break_even() == (math.inf, math.inf)
    assert "not paid for itself by the end, week 3" in in_words(payback)


def test_what_may_have_paid_is_told_from_what_has_not() -> None:
    payback = spending(*[[3.0, -3, -1], [3.0, -3, 1]] * 3)
    # Cumulated: 3, 0, ∓1: in week 2 the interval holds zero.
    assert payback.break_even() == (math.inf, 2.0)
    assert "cannot be told from chance; at the earliest in week 2." in in_words(payback)


def test_a_single_replication_says_nothing() -> None:
    payback = spending([3.0, -3, -1])
    assert payback.break_even() == (math.inf, math.inf)
    assert in_words(payback).startswith("With a single replication nobody can say")


def test_what_is_the_same_twice_is_no_date() -> None:
    cheap = [-5.0] * 10
    for few in (2, 5):
        assert spending(*[cheap] * few).break_even() == (math.inf, math.inf)
    assert in_words(spending(cheap, cheap)) == (
        "With 2 replications nobody can say whether the roadmap pays: 3 are the fewest that can "
        "tell."
    )


def test_the_arms_differ_by_the_roadmap_alone() -> None:
    scenario = sim.load(INVEST, f"horizon_weeks={WEEKS}", "warmup_weeks=4")
    payback = pay_back(scenario, replications=2, seed=5, n_jobs=1)
    for study, expected in ((payback.invested, scenario), (payback.waited, None)):
        alone = sim.replicate(
            expected or sim.load(f"horizon_weeks={WEEKS}", "warmup_weeks=4"), 2, 5, n_jobs=1
        )
        pd.testing.assert_frame_equal(study.runs, alone.runs)
    assert (payback.cumulated()[:, :8] == 0).all(), "nothing differs before the start"
    assert (payback.cumulated()[:, -1] != 0).all()
    dates = payback.investments.iloc[0]
    assert dates["started_at"] == 8 * 168
    assert dates["learned_at"] == dates["adopted_at"] + 4 * 168
    (building, start, learned), (_, again, end) = periods(payback)
    assert (building, start, end) == ("building and learning", 8, WEEKS)
    assert learned == again == math.ceil(dates["learned_at"] / 168)
    assert [len(cells) for _, cells in period_rows(payback)] == [2] * 4


def delivering(learned_at: float) -> Payback:
    """Return a payback of six weeks, 2 or 1 deployments a week, in which nothing is restored."""

    def study(deployments: float) -> Study:
        weekly = pd.DataFrame({"replication": [0] * 6 + [1] * 6, "week": [*range(6)] * 2})
        counts = {"deployments": deployments, "failed_deployments": 0.0, "restored": 0.0}
        weekly = weekly.assign(
            **counts,
            changes_deployed=deployments,
            lead_time_h=48.0,
            time_to_restore_h=np.nan,
            net_cost=np.nan,
        )
        dates = {"started_at": [168.0], "adopted_at": [336.0], "learned_at": [learned_at]}
        tables = {"services": pd.DataFrame({"service": ["a"]}), "investments": pd.DataFrame(dates)}
        scenario = SimpleNamespace(horizon_weeks=6, cost=SimpleNamespace(currency="USD"))
        return Study(scenario, 1, pd.DataFrame(), weekly, SimpleNamespace(tables=tables))  # type: ignore[arg-type]

    return Payback(study(2.0), study(1.0))


@pytest.mark.filterwarnings("error")
def test_without_restored_incidents_there_is_no_data_and_no_warning() -> None:
    rows = dict(period_rows(delivering(learned_at=504.0)))
    assert rows["mean time to restore"] == ["no data"] * 2
    assert all(cell.startswith("+1.00") for cell in rows["deployment frequency"])


def test_a_period_of_one_week_is_named_by_it_and_an_empty_one_is_left_out() -> None:
    def weeks(learned_at: float) -> list[str]:
        return [column.note for column in payback_table(delivering(learned_at)).columns[1:]]

    assert weeks(504.0) == ["weeks 1 to 2", "weeks 3 to 5"]
    assert weeks(300.0) == ["week 1", "weeks 2 to 5"]
    assert weeks(840.0) == ["weeks 1 to 4", "week 5"]
    assert weeks(1000.0) == ["weeks 1 to 5"]  # within the last week: none is left afterwards


def test_without_a_roadmap_there_is_nothing_to_pay_back() -> None:
    with pytest.raises(ValueError, match="roadmap"):
        pay_back(sim.load(), replications=2, seed=1)


def test_the_j_curve_comes_with_the_package() -> None:
    scenario = sim.load("+experiment=jcurve")
    (item,) = scenario.roadmap
    assert (item.practice, item.start_week) == ("cicd", 20)
    assert item.brings["pipeline.steps.deploy.also_automated"] > 0
    assert "cicd" not in scenario.practices
