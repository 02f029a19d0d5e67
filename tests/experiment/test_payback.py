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


def spending(*courses: list[float]) -> Payback:
    """Return a payback in which so much more was spent each week, by replication."""

    def study(values: np.ndarray) -> Study:
        weekly = pd.DataFrame(
            {
                "replication": np.repeat(np.arange(len(values)), values.shape[1]),
                "week": np.tile(np.arange(values.shape[1]), len(values)),
                "net_cost": values.ravel(),
            }
        )
        scenario = SimpleNamespace(cost=SimpleNamespace(currency="USD"))
        return Study(scenario, 1, pd.DataFrame(), weekly, None)  # type: ignore[arg-type]

    more = np.array(courses)
    return Payback(study(1000.0 + more), study(np.full(more.shape, 1000.0)))


def test_break_even_is_the_first_week_after_which_it_never_costs_more() -> None:
    # Cumulated: 0, 10, 4, -2, 1, -5, -6: paid once in week 3, and for good from week 5 on.
    payback = spending([0, 10, -6, -6, 3, -6, -1])
    np.testing.assert_allclose(payback.cumulated(), [[0, 10, 4, -2, 1, -5, -6]])
    assert payback.break_even() == (5.0, 5.0, 5.0)
    assert in_words(payback) == (
        "At its worst, in week 2, the roadmap has cost USD 10 more than it has brought. "
        "It has paid for itself from week 5 on (95 % interval: week 5)."
    )


def test_break_even_is_of_the_mean_and_its_interval_of_resampled_means() -> None:
    # Half of the replications pay back at once, the others never.
    payback = spending(*[[0, -4, -4]] * 10, *[[0, 1, 1]] * 10)
    # The mean is never above zero; that of a resample is if 17 of 20 are of the second kind.
    assert payback.break_even() == (0.0, 0.0, 0.0)
    late = spending(*[[3, -2, -2, -2]] * 10, *[[3, -1, -1, 0]] * 10)
    # Cumulated means: 3, 1.5, 0, -1; all of the first kind: 3, 1, -1; all of the second: 3, 2, 1.
    date = late.break_even()
    assert date.week == 2.0
    assert 2.0 <= date.low <= date.week <= date.high <= 3.0


def test_what_never_pays_is_said_so() -> None:
    payback = spending([5, 1, 1], [5, 1, 1])
    assert payback.break_even() == (math.inf, math.inf, math.inf)
    assert "not paid for itself by the end, week 3" in in_words(payback)


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
