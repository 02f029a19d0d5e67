"""What a roadmap brings: dates by hand, and two organizations that differ by it alone."""

import math
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest

import sim
from sim.experiment.payback import WITH, WITHOUT, Payback, pay_back, weeks_of
from sim.experiment.replicate import Study
from sim.log import Records
from sim.metrics import compute_metrics
from sim.report.payback import in_words, payback_tiles
from sim.scenario.from_data import validate

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
        "The roadmap pays in week 5. At its worst, in week 1, it has cost USD 10 more than it has "
        "brought."
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
    assert in_words(payback).startswith("The roadmap pays in week 2 (at the earliest in week 1).")
    (tile,) = payback_tiles(payback).items
    assert (tile.value, tile.note) == ("week 2", "at the earliest 1")


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
    assert in_words(payback).startswith(
        "The roadmap has not paid for itself by the end, week 2. At its worst, in week 2,"
    )
    (tile,) = payback_tiles(payback).items
    assert tile.value == "not by week 2"


def test_what_may_have_paid_is_told_from_what_has_not() -> None:
    payback = spending(*[[3.0, -3, -1], [3.0, -3, 1]] * 3)
    # Cumulated: 3, 0, ∓1: in week 2 the interval holds zero.
    assert payback.break_even() == (math.inf, 2.0)
    assert in_words(payback).startswith(
        "Whether the roadmap pays by the end, week 2, cannot be told from chance; at the earliest "
        "in week 2."
    )


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
    before, building, after = payback.periods
    assert [period.name for period in payback.periods] == ["before", "while", "after"]
    assert before.weeks.to_numpy().tolist() == [[0, 4, 8], [1, 4, 8]]
    learned = building.weeks["end"].tolist()
    assert building.weeks["first"].tolist() == [8, 8]
    assert learned[0] == math.ceil(dates["learned_at"] / 168)
    assert after.weeks[["first", "end"]].to_numpy().tolist() == [[end, WEEKS] for end in learned]
    # Its numbers are those of the same runs, looked at in these weeks alone.
    for arm, of in ((WITH, scenario), (WITHOUT, payback.waited.scenario)):
        runs = after.comparison.runs
        for number, end in enumerate(learned):
            run = sim.simulate(of, seed=5, replication=number)
            window = end * 168.0, WEEKS * 168.0
            expected = compute_metrics(Records(run.tables, window, of.cost.currency))
            (row,) = runs[(runs["arm"] == arm) & (runs["replication"] == number)].index
            pd.testing.assert_series_equal(
                runs.loc[row, expected.index].astype(float), expected, check_names=False
            )
    same = before.comparison.differences()
    assert (same["difference"].dropna().abs() < 1e-9).all(), "the same luck until it starts"
    assert payback.reported is after.study


def roadmap(*start_weeks: int, warmup: int = 4, horizon: int = 30) -> Any:
    items = [SimpleNamespace(start_week=week) for week in start_weeks]
    return SimpleNamespace(warmup_weeks=warmup, horizon_weeks=horizon, roadmap=items)


@pytest.mark.parametrize(
    ("scenario", "learned_weeks", "weeks"),
    [
        # The last of two that is learnt decides, and a week that has begun belongs to it.
        (roadmap(8, 10), [12, 19.1], {"before": (4, 8), "while": (8, 20), "after": (20, 30)}),
        (roadmap(8), [20], {"before": (4, 8), "while": (8, 20), "after": (20, 30)}),
        # It starts in the warm-up: there is nothing before.
        (roadmap(2), [9], {"while": (4, 9), "after": (9, 30)}),
        # It is over in the warm-up: there is only what comes after.
        (roadmap(1), [3.5], {"after": (4, 30)}),
        # Adopted at once, with nothing to learn.
        (roadmap(8), [8], {"before": (4, 8), "after": (8, 30)}),
        # Never learnt, or in the last week: there is nothing after.
        (roadmap(8, 10), [12, np.nan], {"before": (4, 8), "while": (8, 30)}),
        (roadmap(8, 10), [12], {"before": (4, 8), "while": (8, 30)}),
        (roadmap(8), [29.5], {"before": (4, 8), "while": (8, 30)}),
        (roadmap(8), [40], {"before": (4, 8), "while": (8, 30)}),
    ],
)
def test_periods_follow_from_the_roadmap_and_may_be_empty(
    scenario: Any, learned_weeks: list[float], weeks: dict[str, tuple[int, int]]
) -> None:
    investments = pd.DataFrame({"learned_at": 168.0 * np.array(learned_weeks)})
    assert weeks_of(scenario, investments) == weeks


def test_before_while_and_after_of_an_organization_without_chance() -> None:
    # An idea every 24 h takes 4 h to build from its commit to its deployment, and 1 h once the
    # roadmap has been adopted: from Monday of week 10 on somebody else builds it for 336 h.
    scenario = validate(
        {
            "name": "clockwork",
            "horizon_weeks": 30,
            "warmup_weeks": 2,
            "working_hours": {"always": True},
            "teams": {"team": {"people": {"ml_engineer": 9, "data_scientist": 1}}},
            "services": {"service": {"team": "team"}},
            "changes": {"feature": {"arrivals": "open", "interarrival_h": 24}},
            "pipeline": {
                "steps": {
                    "build": {"role": "ml_engineer", "effort_h": 4},
                    "deploy": {"effect": "deploys"},
                }
            },
            "roadmap": [
                {
                    "practice": "cicd",
                    "level": "full",
                    "start_week": 10,
                    "effort_h": {"data_scientist": 336},
                    "brings": {"pipeline.steps.build.effort_h": 1},
                }
            ],
        }
    )
    payback = pay_back(scenario, replications=3, seed=1, n_jobs=1)
    weeks = {p.name: p.weeks[["first", "end"]].iloc[0].tolist() for p in payback.periods}
    assert weeks == {"before": [2, 10], "while": [10, 12], "after": [12, 30]}
    for period, with_it in zip(payback.periods, (4.0, 4.0, 1.0), strict=True):
        found = period.comparison.differences(metrics=["lead_time_h", "deployment_frequency"])
        lead_time = found.loc[WITH, "lead_time_h"]
        assert lead_time["mean_first"] == pytest.approx(4.0)
        assert lead_time["mean"] == pytest.approx(with_it)
        assert found.loc[WITH, "deployment_frequency"]["difference"] == pytest.approx(0.0)
    assert payback.reported is not None
    assert payback.reported.breakdowns is not None
    steps = payback.reported.breakdowns.steps.sum(axis="columns")
    # Of 18 weeks with 7 ideas each, the first is begun as the roadmap is adopted: as before.
    assert steps["build"] == pytest.approx((4.0 + 125 * 1.0) / 126)


def test_without_a_roadmap_there_is_nothing_to_pay_back() -> None:
    with pytest.raises(ValueError, match="roadmap"):
        pay_back(sim.load(), replications=2, seed=1)


def test_the_j_curve_comes_with_the_package() -> None:
    scenario = sim.load("+experiment=jcurve")
    (item,) = scenario.roadmap
    assert (item.practice, item.start_week) == ("cicd", 20)
    assert item.brings["pipeline.steps.deploy.also_automated"] > 0
    assert "cicd" not in scenario.practices
