"""Sentences about a comparison, on replications whose differences are known."""

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

import sim
from sim.experiment.compare import Comparison
from sim.metrics.dora import CAUSES
from sim.metrics.restore import Restored, together
from sim.report.comparison import (
    busier_and_less_busy,
    differences,
    explain,
    headline_differences,
)
from sim.report.units import MINUS

PARTS = {
    "deployment_frequency": ("feature", "improvement", "retrain", "fix"),
    "change_failure_rate": ("infra", "model", "data", "code", "security", "dependency"),
}
LEAD = ("touch", "run", "people", "compute", "approval", "handoff", "batch", "rework")
RESTORE = ("detect", "respond", "diagnose", "remedy")


def level(replications: int) -> pd.DataFrame:
    """Return replications that all have the same parts, and metrics that are their sums."""
    values: dict[str, float] = {}
    for metric, parts in PARTS.items():
        each = 0.01 if metric == "change_failure_rate" else 0.03
        values |= {f"{metric}_{part}": each for part in parts}
    values |= {f"lead_time_{part}_h": 24.0 for part in LEAD}
    values |= {f"{part}_mean_h": 10.0 for part in RESTORE}
    values |= {"utilization_operations": 0.5, "utilization_gpu": 0.2}
    return pd.DataFrame([values] * replications)


def totals(runs: pd.DataFrame) -> pd.DataFrame:
    runs = runs.copy()
    runs["lead_time_h"] = runs["time_to_restore_h"] = 50.0  # medians, of which nothing is said
    for metric, parts in PARTS.items():
        runs[metric] = runs[[f"{metric}_{part}" for part in parts]].sum(axis=1, skipna=False)
    names = [f"lead_time_{part}_h" for part in LEAD]
    runs["lead_time_mean_h"] = runs[names].sum(axis=1, skipna=False)
    names = [f"{part}_mean_h" for part in RESTORE]
    runs["time_to_restore_mean_h"] = runs[names].sum(axis=1, skipna=False)
    return runs


def compared(first: pd.DataFrame, other: pd.DataFrame) -> Comparison:
    runs = pd.concat([totals(first), totals(other)], ignore_index=True)
    runs.insert(0, "arm", ["a"] * len(first) + ["b"] * len(other))
    runs.insert(1, "replication", [*range(len(first)), *range(len(other))])
    scenario = sim.load()
    return Comparison({"a": scenario, "b": scenario}, 0, runs)


def changed(replications: int = 6, **by: float) -> Comparison:
    """Return a comparison in which some parts of b differ by so much, give or take a little."""
    first, other = level(replications), level(replications)
    for name, amount in by.items():
        other[name] += amount * np.linspace(0.9, 1.1, replications)
    return compared(first, other)


def test_what_moved_is_named_the_largest_first() -> None:
    found = explain(
        changed(lead_time_people_h=-48.0, lead_time_approval_h=-24.0, lead_time_compute_h=12.0), "b"
    )
    by_metric = {item.metric: item for item in found}
    lead_time = by_metric["lead_time_mean_h"]
    assert lead_time.verdict == "less"
    assert lead_time.sentence == (
        "Mean lead time is 2.5 days shorter (8 days → 5.5 days): "
        f"waiting for people {MINUS}2.0 days, "
        f"waiting for approval {MINUS}1.0 days and waiting for compute +0.5 days."
    )
    assert by_metric["change_failure_rate"].sentence == "Change failure rate is the same."


def test_shares_are_told_in_points_and_rates_by_the_week() -> None:
    found = explain(changed(change_failure_rate_code=0.05, deployment_frequency_fix=-0.01), "b")
    by_metric = {item.metric: item.sentence for item in found}
    assert by_metric["change_failure_rate"] == (
        "Change failure rate is 5.0 points higher (6 % → 11 %): the code +5.0 points."
    )
    # 0.12 a day is 0.84 a week, of which people think as 3.65 a month.
    assert "0.30 per service and month less" in by_metric["deployment_frequency"]
    assert by_metric["deployment_frequency"].endswith(f"fixes {MINUS}0.30 per service and month.")


def test_what_may_be_chance_is_not_called_a_difference() -> None:
    first, other = level(6), level(6)
    other["remedy_mean_h"] += [-8, 9, -7, 8, -9, 7.5]
    found = {item.metric: item for item in explain(compared(first, other), "b")}
    restore = found["time_to_restore_mean_h"]
    assert restore.verdict == "unclear"
    assert "does not differ clearly" in restore.sentence
    assert "remedy" not in restore.sentence


def test_opposite_moves_that_cancel_are_both_named() -> None:
    first, other = level(6), level(6)
    moves = np.linspace(4.0, 5.0, 6)
    other["detect_mean_h"] += moves
    other["remedy_mean_h"] -= moves + np.tile([0.1, -0.1], 3)
    sentence = explain(compared(first, other), "b")[3].sentence
    assert "does not differ clearly" in sentence
    assert "detection +4.5 hours" in sentence
    assert f"remedy {MINUS}4.5 hours" in sentence


def test_nothing_happened_in_one_of_them() -> None:
    first, other = level(4), level(4)
    other[[f"{part}_mean_h" for part in RESTORE]] = np.nan
    found = explain(compared(first, other), "b")
    assert [item.verdict for item in found] == ["same", "same", "same", "unknown"]
    assert found[3].sentence == (
        "Mean time to restore cannot be compared: no incidents restored in the other."
    )


def test_a_single_replication_tells_what_moved() -> None:
    found = explain(changed(1, lead_time_people_h=-48.0), "b")
    assert found[1].verdict == "less"
    assert "in the only pair of replications so far: waiting for people" in found[1].sentence


def test_a_table_and_the_sentences_agree_on_what_is_clear() -> None:
    rng = np.random.default_rng(5)
    first, other = level(6), level(6)
    for name in ("deployment_frequency_fix", "change_failure_rate_code"):
        other[name] += 0.004 + 0.004 * rng.standard_normal(6)
    comparison = compared(first, other)
    totals = headline_differences(comparison, "b")
    for item in explain(comparison, "b"):
        assert (item.verdict in ("more", "less")) == totals[item.metric].is_clear


def test_a_difference_that_rests_on_one_pair_says_so() -> None:
    first, other = level(3), level(3)
    other["lead_time_people_h"] -= 10.0
    other.loc[1:, [f"lead_time_{part}_h" for part in LEAD]] = np.nan
    found = explain(compared(first, other), "b")[1]
    assert "in the only pair of replications so far" in found.sentence


def test_utilization_is_told_if_it_moved() -> None:
    moved = changed(utilization_operations=-0.2)
    assert busier_and_less_busy(moved, "b") == (
        "Utilization changes most for operations (50 % → 30 %)."
    )
    assert busier_and_less_busy(changed(), "b") == ""


def test_the_parts_of_a_real_comparison_add_up() -> None:
    organization = ("organization=startup", "horizon_weeks=40", "warmup_weeks=8")
    comparison = sim.compare(
        {"a": sim.load(*organization), "b": sim.load(*organization, "automation=0.9")},
        replications=3,
        n_jobs=1,
    )
    for total, parts in {
        "lead_time_mean_h": [f"lead_time_{part}_h" for part in LEAD],
        "change_failure_rate": [f"change_failure_rate_{c}" for c in PARTS["change_failure_rate"]],
        "deployment_frequency": [
            f"deployment_frequency_{kind}" for kind in PARTS["deployment_frequency"]
        ],
        "time_to_restore_mean_h": [f"{part}_mean_h" for part in RESTORE],
    }.items():
        whole = differences(comparison, "b", [total])[0]
        summed = sum(row.difference for row in differences(comparison, "b", parts))
        assert summed == pytest.approx(whole.difference, rel=1e-9), total


def by_cause(other_counts: tuple[float, float], other_means: tuple[float, float]) -> Comparison:
    """Return a comparison in which 6 incidents of 2 h and 4 of 20 h are others in b."""
    restored: dict[str, list[Restored]] = {"a": [], "b": []}
    frames = []
    rng = np.random.default_rng(1)
    for arm, counts, means in (
        ("a", (6.0, 4.0), (2.0, 20.0)),
        ("b", other_counts, other_means),
    ):
        runs = level(6)
        noise = {cause: rng.uniform(0.99, 1.01, 6) for cause in ("infra", "code")}
        for cause in CAUSES:
            runs[f"n_restored_{cause}"] = 0.0
            runs[f"time_to_restore_{cause}_mean_h"] = np.nan
        for cause, count, mean in zip(("infra", "code"), counts, means, strict=True):
            runs[f"n_restored_{cause}"] = count
            runs[f"time_to_restore_{cause}_mean_h"] = mean * noise[cause]
        total = sum(
            runs[f"n_restored_{cause}"] * runs[f"time_to_restore_{cause}_mean_h"]
            for cause in ("infra", "code")
        )
        runs["remedy_mean_h"] = total / sum(counts) - 3.0
        runs[["detect_mean_h", "respond_mean_h", "diagnose_mean_h"]] = 1.0
        frames.append(runs)
        for number in range(6):
            hours = [
                mean * noise[cause][number]
                for cause, count, mean in zip(("infra", "code"), counts, means, strict=True)
                for _ in range(int(count))
            ]
            causes = np.repeat([0, list(CAUSES).index("code")], np.array(counts, dtype=int))
            zeros = np.zeros(len(hours), np.intp)
            restored[arm].append(Restored(np.array(hours), causes, zeros.astype(bool), zeros))
    made = compared(*frames)
    return replace(made, restored={arm: together(each) for arm, each in restored.items()})


def of_restoring(comparison: Comparison) -> str:
    found = {item.metric: item.sentence for item in explain(comparison, "b")}
    return found["time_to_restore_mean_h"]


def test_a_mean_that_rises_because_the_quick_ones_get_rare_is_called_mix() -> None:
    # 9.2 h and 0.2 · 2 + 0.8 · 20 = 16.4 h; the median goes from 2 h (6 of 10) to 20 h (8 of 10).
    sentence = of_restoring(by_cause((2.0, 8.0), (2.0, 20.0)))
    assert sentence.startswith("Mean time to restore is 7.2 hours longer (9.2 hours → 16.4 hours)")
    assert (
        "That is the mix of causes (+7.2 hours): relatively fewer incidents by infrastructure "
        "(60 % → 20 %), which take less time; within them nothing differs clearly."
    ) in sentence
    assert sentence.endswith("hours by the mix of causes, nothing within them.")


def test_a_mean_that_rises_within_the_causes_is_no_mix() -> None:
    # 0.6 · 4 + 0.4 · 40 = 18.4 h instead of 9.2 h.
    sentence = of_restoring(by_cause((6.0, 4.0), (4.0, 40.0)))
    assert (
        "That is within the causes (+9.2 hours); their mix makes no clear difference." in sentence
    )
    assert "+2.0 hours within them" in sentence


def test_both_are_named_where_both_are_clear() -> None:
    # 0.2 · 4 + 0.8 · 40 = 32.8 h: within 2 · 0.4 + 20 · 0.6, mix -0.4 · 3 + 0.4 · 30.
    sentence = of_restoring(by_cause((2.0, 8.0), (4.0, 40.0)))
    assert "Within the causes it is +12.8 hours, by their mix +10.8 hours: " in sentence


def test_where_nobody_knows_the_groups_nothing_is_said_of_them() -> None:
    sentence = of_restoring(changed(remedy_mean_h=10.0))
    assert "mix" not in sentence
    assert changed(remedy_mean_h=10.0).split("b", "time_to_restore_mean_h") is None
    with pytest.raises(ValueError, match="has no groups"):
        changed(remedy_mean_h=10.0).split("b", "change_failure_rate")
