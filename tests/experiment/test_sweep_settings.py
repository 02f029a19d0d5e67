"""Settings of a sweep at work: when it is precise enough, and what it looks for."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from little_sweeps import Diary, check_interruptions_and_processes, run, small
from scipy import stats

import sim
from sim.scenario.from_data import validate
from sim.scenario.organization import Scenario

AXES = {"automation": (0.0, 0.3, 0.6, 1.0), "standardization": (0.5,)}
QUALITY = {"automation": (0.0, 0.25, 0.5, 0.75, 1.0)}


def half_widths(runs: pd.DataFrame, metric: str) -> dict[int, float]:
    widths = {}
    for point, rows in runs.groupby("point"):
        values = rows[metric].dropna()
        widths[int(str(point))] = stats.t.ppf(0.975, len(values) - 1) * stats.sem(values)
    return widths


def number_of_each(sweep: sim.Sweep) -> list[int]:
    counts = sweep.runs.groupby("point").size().reindex(sweep.points.index, fill_value=0)
    assert list(sweep.replications) == list(counts)
    for _, rows in sweep.runs.groupby("point"):
        assert list(rows["replication"]) == list(range(len(rows)))
    return list(counts)


def test_absolute_half_widths_are_reached_and_no_replication_is_wasted(tmp_path: Path) -> None:
    precision = {"half_width": {"lead_time_h": 0.4}, "look_ahead": 5}
    diary = Diary()
    sweep = run(tmp_path, AXES, watcher=diary, precision=precision, replications=10)
    widths = half_widths(sweep.runs, "lead_time_h")
    assert len(widths) == 4
    assert all(width <= 0.4 for width in widths.values())
    counts = number_of_each(sweep)
    # The standard deviation is about sqrt(1 + 0.09), so that (1.96 * 1.044 / 0.4)^2 = 26 suffice.
    assert all(18 <= n <= 60 for n in counts)
    assert diary.replications == diary.replications_done == sum(counts)


def test_of_several_targets_all_are_reached(tmp_path: Path) -> None:
    precision = {
        "half_width": {"lead_time_h": 0.6, "cost_per_week": "4%", "time_to_restore_h": 0.5}
    }
    sweep = run(tmp_path, AXES, precision=precision, replications=5)
    runs = sweep.runs
    assert all(width <= 0.6 for width in half_widths(runs, "lead_time_h").values())
    assert all(width <= 0.5 for width in half_widths(runs, "time_to_restore_h").values())
    means = runs.groupby("point")["cost_per_week"].mean()
    for point, width in half_widths(runs, "cost_per_week").items():
        assert width <= 0.04 * means[point]


def test_relative_half_widths(tmp_path: Path) -> None:
    precision = {"half_width": {"lead_time_h": "3%"}}
    sweep = run(tmp_path, AXES, precision=precision)
    means = sweep.runs.groupby("point")["lead_time_h"].mean()
    widths = half_widths(sweep.runs, "lead_time_h")
    assert all(width <= 0.03 * means[point] for point, width in widths.items())
    counts = number_of_each(sweep)
    assert counts[0] > counts[-1]  # the mean grows with automation, the spread does not


def test_differences_need_fewer_and_each_has_its_partner(tmp_path: Path) -> None:
    half_width = {"half_width": {"lead_time_h": 0.2}}
    paired = run(tmp_path / "d", AXES, precision={**half_width, "of": "differences"})
    alone = run(tmp_path / "p", AXES, precision={**half_width, "most_replications": 1000})
    assert sum(number_of_each(paired)) < 0.7 * sum(number_of_each(alone))
    counts = number_of_each(paired)
    assert counts[0] == max(counts)
    effects = paired.effects(["lead_time_h"])
    assert list(effects["n"]) == counts[1:]
    assert ((effects["ci_high"] - effects["ci_low"]) / 2 <= 0.2).all()


def test_the_cap_and_a_metric_that_never_has_a_value(tmp_path: Path) -> None:
    precision = {"half_width": {"lead_time_h": 1e-6}, "most_replications": 37}
    assert number_of_each(run(tmp_path / "a", AXES, precision=precision)) == [37] * 4
    # More of them from the start are made all the same.
    many = run(tmp_path / "b", AXES, precision=precision, replications=40)
    assert number_of_each(many) == [40] * 4

    precision = {"half_width": {"rework_rate": 1.0}, "most_replications": 12}
    never = run(tmp_path / "c", {"standardization": (0.5, 0.0)}, precision=precision)
    assert number_of_each(never)[1] == 12


@pytest.mark.parametrize(
    "settings",
    [
        {"precision": {"half_width": {"lead_time_h": 0.5}}},
        pytest.param(
            {"precision": {"half_width": {"lead_time_h": 0.2}, "of": "differences"}},
            marks=pytest.mark.slow,
        ),
        {"select": {"metric": "lead_time_h", "budget": 120}, "replications": 10},
        {"select": {"metric": "cost_per_week", "goal": "largest",
                    "at_most": {"lead_time_h": 13.0}, "probability": 0.99}, "replications": 8},
    ],
    ids=str,
)  # fmt: skip
def test_the_result_depends_on_neither_processes_nor_interruptions(
    settings: dict[str, object], tmp_path: Path
) -> None:
    check_interruptions_and_processes(tmp_path, QUALITY, (1, 3, 6), **settings)


def test_the_best_point_is_found_with_most_replications_where_it_is_close(tmp_path: Path) -> None:
    wish = {"metric": "lead_time_h", "budget": 200, "probability": 0.999}
    sweep = run(tmp_path, QUALITY, select=wish, replications=10)
    selection = sweep.selection
    assert selection is not None
    assert selection.best == 0  # the lead time grows with automation
    counts = number_of_each(sweep)
    assert 50 <= sum(counts) <= 250
    assert counts[0] + counts[1] >= counts[3] + counts[4]
    means = sweep.runs.groupby("point")["lead_time_h"].mean()
    np.testing.assert_allclose(selection.table["mean"], means)


def test_the_budget_is_kept_and_by_default_what_the_first_ones_were(tmp_path: Path) -> None:
    # Points that are alike are never told apart.
    axes = {"horizon_weeks": (12, 13, 14)}
    for budget, most in ((0, 30), (17, 47), (None, 60)):
        wish = {"metric": "lead_time_h", "budget": budget, "probability": 0.999}
        sweep = run(tmp_path / f"{budget}", axes, _noise, select=wish, replications=10)
        assert sum(number_of_each(sweep)) <= most
        assert budget != 17 or sum(number_of_each(sweep)) == 47


def _noise(scenario: Scenario, seed: int, replication: int) -> dict[str, float]:
    key = [seed, replication, scenario.horizon_weeks]
    return {"lead_time_h": float(np.random.default_rng(key).normal(10.0))}


def test_points_outside_the_limits_are_not_chosen(tmp_path: Path) -> None:
    # Lead time and failures both grow with automation: 10 + 5 a. At most 12.5 leaves a < 0.5.
    wish = {"metric": "cost_per_week", "goal": "largest", "at_most": {"lead_time_h": 12.0}}
    sweep = run(tmp_path / "a", QUALITY, select=wish, replications=30)
    assert sweep.selection is not None
    assert sweep.selection.best == 1
    assert sweep.selection.table["feasible_probability"].iloc[4] < 0.01
    wish["at_most"] = {"lead_time_h": 5.0}  # type: ignore[assignment]
    none = run(tmp_path / "b", QUALITY, select=wish, replications=30)
    assert none.selection is not None
    assert none.selection.best is None
    assert none.selection.probability > 0.95


def test_what_is_printed_at_the_end_is_as_narrow_as_was_asked(tmp_path: Path) -> None:
    # A metric that jumps now and then, so that an early success is undone.
    target = {"half_width": {"lead_time_h": 4.0}, "look_ahead": 3, "most_replications": 2000}
    sweep = run(tmp_path, {"horizon_weeks": (12, 13, 14)}, _jumps, precision=target)
    told = sweep.precision
    assert told is not None
    summary = sweep.summary(["lead_time_h"])
    printed = ((summary["ci_high"] - summary["ci_low"]) / 2).to_numpy()
    assert (printed <= 4.0).all()
    np.testing.assert_allclose(told["half_width"], printed)
    assert told["reached"].all()
    assert list(told["n"]) == number_of_each(sweep)
    assert (told["target"] == 4.0).all()


def test_points_that_are_left_less_precise_than_asked_are_told(tmp_path: Path) -> None:
    target = {"half_width": {"lead_time_h": "1%"}, "most_replications": 20}
    sweep = run(tmp_path / "a", {"horizon_weeks": (12, 13)}, _jumps, precision=target)
    told = sweep.precision
    assert told is not None
    assert list(told.columns) == [
        *("point", "horizon_weeks", "metric", "mean", "half_width", "target", "reached", "n")
    ]
    assert not told["reached"].any()
    assert list(told["n"]) == [20, 20]
    np.testing.assert_allclose(told["target"], 0.01 * told["mean"])
    paired = {"half_width": {"lead_time_h": 0.01}, "of": "differences", "most_replications": 20}
    sweep = run(tmp_path / "b", {"horizon_weeks": (12, 13)}, _jumps, precision=paired)
    told, effects = sweep.precision, sweep.effects(["lead_time_h"])
    assert told is not None
    assert list(told["point"]) == [1]
    assert told["mean"].iloc[0] == effects["difference"].iloc[0]
    width = (effects["ci_high"] - effects["ci_low"]).iloc[0]
    assert told["half_width"].iloc[0] == pytest.approx(width / 2)
    assert not told["reached"].any()
    assert run(tmp_path / "c", {"horizon_weeks": (12, 13)}, _jumps).precision is None


def _jumps(scenario: Scenario, seed: int, replication: int) -> dict[str, float]:
    rng = np.random.default_rng([seed, replication, scenario.horizon_weeks])
    return {"lead_time_h": float(50.0 + rng.normal() + 60.0 * (rng.random() < 0.1))}


def test_the_baseline_is_the_first_point_with_its_values(tmp_path: Path) -> None:
    axes = {"automation": (0.0, 0.5, 1.0), "standardization": (0.0, 1.0)}
    for baseline, point in (
        ({}, 0),
        ({"automation": 0.5}, 2),
        ({"automation": 1, "standardization": 1}, 5),
        ({"standardization": 1.0}, 1),
    ):
        sweep = run(tmp_path, axes, baseline=baseline)
        assert sweep.baseline == point
        assert set(sweep.effects()["point"]) == set(range(6)) - {point}
        means = sweep.runs.groupby("point")["lead_time_h"].mean()
        row = sweep.effects(["lead_time_h"]).set_index("point").loc[3 if point != 3 else 0]
        assert row["difference"] == pytest.approx(means[row.name] - means[point])
        assert row["mean_baseline"] == pytest.approx(means[point])
        assert sweep.base.automation == sweep.points["automation"][point]


@pytest.mark.parametrize(
    ("settings", "said"),
    [
        ({"precision": {"half_width": {"change_failure_rate": "5%"}}}, "may be zero"),
        (
            {"precision": {"half_width": {"lead_time_h": "5%"}, "of": "differences"}},
            "may be zero",
        ),
        ({"precision": {"half_width": {"lead_time_h": "0%"}}}, "must be a number above 0"),
        ({"precision": {"half_width": {"lead_time_h": -1}}}, "precision.half_width.lead_time_h"),
        ({"precision": {"half_width": {}}}, "precision.half_width: is empty"),
        ({"precision": {"half_width": {"lead_time": 1}}}, "no metric 'lead_time'; did you mean"),
        ({"select": {"metric": "lead_time"}}, "select.metric: no metric 'lead_time'"),
        (
            {"select": {"metric": "lead_time_h", "at_most": {"cost": 1}}},
            "select.at_most.cost: no metric 'cost'",
        ),
        ({"select": {"metric": "lead_time_h", "probability": 1}}, "select.probability"),
    ],
    ids=str,
)
def test_settings_that_cannot_be_meant(
    settings: dict[str, object], said: str, tmp_path: Path
) -> None:
    with pytest.raises(sim.ScenarioError) as error:
        run(tmp_path, AXES, **settings)
    assert said in str(error.value)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.slow
def test_through_the_front_door_with_real_simulations() -> None:
    base = validate(
        small(precision={"half_width": {"lead_time_h": "20%"}, "most_replications": 40})
    )
    sweep = sim.sweep(base, {"automation": [0.0, 1.0]}, replications=3, n_jobs=2)
    widths = half_widths(sweep.runs, "lead_time_h")
    means = sweep.runs.groupby("point")["lead_time_h"].mean()
    for point, number in enumerate(number_of_each(sweep)):
        assert number == 40 or widths[point] <= 0.2 * means[point]
        assert number >= 8
    again = sim.sweep(base, {"automation": [0.0, 1.0]}, replications=3, n_jobs=1)
    pd.testing.assert_frame_equal(sweep.runs, again.runs, check_exact=True)
    assert math.isfinite(sweep.summary(["lead_time_h"])["mean"].sum())
