"""What a report on a sweep says, against numbers whose story is known."""

import math
import random
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from sweeps import METRICS, grid, sample, with_failure, without

from sim.document.markdown import to_markdown
from sim.experiment.axes import Axis, Interval
from sim.experiment.intervals import mean_of
from sim.experiment.mix import Groups, split
from sim.experiment.selection import Selection, select
from sim.experiment.stopping import goal_of
from sim.metrics import catalogue
from sim.metrics.catalogue import headlines
from sim.report.sweep_content import (
    answer_tiles,
    axis_name,
    caveats,
    findings,
    index_decimals,
    indices_of,
    is_clear,
    main_effect,
    most_different,
    option_name,
    point_label,
    point_name,
    question,
    sentences,
    setting,
    shortened,
    show_index,
    value_name,
)
from sim.report.sweep_document import sweep_document
from sim.report.units import MINUS, NO_DATA
from sim.scenario.settings import Precision, SelectionSpec


def said(sweep):
    return " ".join(sentences(findings(sweep)))


def warned(sweep):
    return " ".join(caveat.text for caveat in caveats(findings(sweep)))


def with_means(sweep, metric, means, spread=0.01):
    """Return the sweep with other means of a metric, and intervals of about ± spread / 2."""
    values = sweep.values.copy()
    luck = spread * np.linspace(-1.0, 1.0, values.shape[1])
    values[:, :, METRICS.index(metric)] = np.array(means)[:, None] + luck
    return replace(sweep, values=values)


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (None, "none"),
        (True, "yes"),
        (0.25, "0.25"),
        (1.0, "1"),
        (12000, "12,000"),
        ("golden_path", "golden path"),
        ("x" * 40, "x" * 27 + "…"),
    ],
)
def test_values_are_written_as_people_do(value, name):
    assert value_name(Axis("key", (value,)), value) == name


def test_sampled_values_have_three_digits():
    assert value_name(Axis("automation", Interval(0.0, 1.0)), 0.123456) == "0.123"


def test_axes_are_named_without_their_folder():
    assert axis_name(Axis("practice/testing", ())) == "testing"
    assert axis_name(Axis("people.ml_engineer.count", ())) == "people ML engineer count"


def test_differences_to_the_baseline_are_told_as_paired_ones():
    sweep = with_means(grid(automation=[0, 0.5, 1]), "lead_time_h", [240.0, 48.0, 120.0])
    sweep = with_means(sweep, "deployment_frequency", [1.0, 3.0, 2.0])
    sweep = with_means(sweep, "change_failure_rate", [0.1, 0.2, 0.1])
    text = said(sweep)
    # The same luck at all points: every replication differs by 192 h.
    assert f"Lead time improves most at automation 0.5: {MINUS}8.00 days" in text
    assert "Deployment frequency improves most at automation 0.5: +2.00" in text
    assert "Change failure rate gets worse most at automation 0.5: +10.0 points" in text
    lead_time = next(tile for tile in answer_tiles(findings(sweep)).items if "lead" in tile.label)
    assert lead_time.value == f"{MINUS}8.00 days"
    assert lead_time.badge == "better"
    assert lead_time.detail == "automation 0.5: 10 → 2 days"


def test_what_differs_at_no_point_is_said_with_the_largest_difference():
    sweep = grid(automation=[0, 1])
    values = sweep.values.copy()
    n = values.shape[1]
    values[0, :, METRICS.index("lead_time_h")] = 48.0
    values[1, :, METRICS.index("lead_time_h")] = 48.0 + np.where(np.arange(n) % 2, 24.0, -12.0)
    found = findings(replace(sweep, values=values))
    assert "Lead time differs clearly at no point; the largest difference to the baseline is +" in (
        " ".join(sentences(found))
    )
    (tile,) = [tile for tile in answer_tiles(found).items if tile.label == "lead time"]
    assert tile.badge == "no clear difference"


@pytest.mark.parametrize("design", ["grid", "sobol", "morris", "lhs"])
def test_overlapping_intervals_of_points_are_mentioned_nowhere(design):
    keys = ["automation", "standardization"]
    start = grid(automation=[0, 1]) if design == "grid" else sample(design, 30, keys)
    shown = to_markdown(sweep_document(findings(start)))
    assert "overlap" not in shown


@pytest.mark.parametrize(
    ("value", "name"),
    [
        ("[{practice:cicd,level:full,start_week:20}]", "CI/CD full from week 20"),
        ("[]", "none"),
        ("{dist:constant,value:6}", "constant 6"),
        ("{dist:lognormal,mean:3,cv:1.5}", "lognormal, mean 3, cv 1.5"),
        ("{no: [mapping", "{no: [mapping"),
    ],
)
def test_options_have_readable_names(value, name):
    assert value_name(Axis("key", (value,)), value) == name


def test_a_level_is_named_with_its_practice():
    axis = Axis("practice/cicd", ("none", "full"))
    assert option_name(axis, "full") == "CI/CD full"
    found = findings(grid(automation=[0, 1], practice__testing=["none", "full"]))
    assert [point_label(found, point) for point in found.numbers][:2] == [
        "0 · testing none",
        "0 · testing full",
    ]


def test_shares_of_a_variance_are_between_0_and_1_and_have_two_decimals():
    found = findings(sample("sobol", 32, ["automation", "standardization"]))
    table = found.indices.copy()
    table[["total", "total_low", "total_high"]] = [0.00031, -0.02, 1.04]
    found = replace(found, indices=table)
    indices = indices_of(found, "lead_time_h")
    assert indices[["index", "low", "high"]].iloc[0].tolist() == [0.00031, 0.0, 1.0]
    shown = show_index(indices.iloc[0], index_decimals(found, indices))
    assert shown == "<0.01 [0.00 – 1.00]"


def test_an_index_without_data_says_so() -> None:
    found = findings(sample("morris", 30, ["automation", "standardization"]))
    nothing = indices_of(found, METRICS[0]) * math.nan
    assert show_index(nothing.iloc[0], index_decimals(found, nothing)) == NO_DATA


def test_axis_that_moves_a_metric_most_is_named_with_its_ends():
    sweep = grid(automation=[0, 1], practice__testing=["none", "full"])
    sweep = with_means(sweep, "lead_time_h", [240.0, 238.0, 48.0, 46.0])
    assert (
        f"Averaged over the other axes, automation moves lead time most: {MINUS}8.00 days "
        f"({MINUS}8.00 to {MINUS}8.00) from automation 0 to 1." in said(sweep)
    )


def test_axes_that_cannot_be_ranked_are_both_named():
    sweep = grid(automation=[0, 1], practice__testing=["none", "full"])
    rng = np.random.default_rng(3)
    values = sweep.values.copy()
    means = np.array([240.0, 192.0, 190.0, 142.0])[:, None]
    values[:, :, METRICS.index("lead_time_h")] = means + rng.normal(0.0, 9.0, values.shape[:2])
    text = said(replace(sweep, values=values))
    start = text.index("moves lead time most")
    sentence = text[text.rindex("Averaged", 0, start) : text.index(". ", start)]
    assert " or " in sentence[: sentence.index("moves")]
    assert {"automation", "testing"} <= set(sentence[: sentence.index("moves")].split())
    assert "which cannot be told from chance" in sentence


def test_nothing_is_said_to_move_most_if_nothing_clearly_moves():
    sweep = grid(automation=[0, 1], practice__testing=["none", "full"])
    rng = np.random.default_rng(4)
    values = sweep.values.copy()
    values[:, :, METRICS.index("lead_time_h")] = rng.normal(240.0, 9.0, values.shape[:2])
    assert "no axis clearly moves lead time; the largest effect found is" in said(
        replace(sweep, values=values)
    )


def test_two_replications_rank_no_axes_and_judge_no_points():
    sweep = grid(automation=[0, 1], practice__testing=["none", "full"])
    few = replace(sweep, values=sweep.values[:, :2])
    assert "moves" not in said(few)
    assert "Whether any point differs from the baseline cannot be judged." in said(few)
    first = caveats(findings(few))[0]
    assert first.is_serious
    assert first.text == (
        "Some points have only 2 replications: how sure their numbers are, is unknown, and no "
        "difference is judged. 3 replications are the fewest that can tell, about 6 find something "
        "in most sweeps."
    )


def test_main_effect_compares_like_with_like():
    sweep = grid(automation=[0, 0.5, 1], standardization=[0, 1])
    means = np.array([[10.0, 20.0], [30.0, 40.0], [50.0, 60.0]])
    whole = with_means(sweep, "lead_time_h", means.ravel())
    assert main_effect(findings(whole), "lead_time_h", 0)["mean"].tolist() == pytest.approx(
        [15.0, 35.0, 55.0]
    )
    # Without the point of 40 h, its level of standardization is left out at all automations.
    damaged = with_failure(whole, 3)
    assert main_effect(findings(damaged), "lead_time_h", 0)["mean"].tolist() == pytest.approx(
        [10.0, 30.0, 50.0]
    )
    assert main_effect(findings(damaged), "lead_time_h", 1)["mean"].tolist() == pytest.approx(
        [30.0, 40.0]
    )


def test_interval_of_a_main_effect_is_that_of_the_mean_over_points():
    sweep = grid(automation=[0, 0.5, 1], standardization=[0, 0.5, 1], services=[3, 6])
    found = findings(sweep)
    values = sweep.values.reshape(3, 3, 2, -1, len(METRICS))
    for number, metric in enumerate(headlines()):
        averaged = values[..., number].mean(axis=(1, 2)).T
        expected = mean_of(averaged, [catalogue.metric(metric)] * 3, 0.95)
        effect = main_effect(found, metric, 0)
        assert effect["mean"].tolist() == pytest.approx(expected.mean.tolist())
        assert effect["ci_low"].tolist() == pytest.approx(expected.low.tolist())
        assert effect["ci_high"].tolist() == pytest.approx(expected.high.tolist())


def test_points_that_cannot_be_told_from_the_baseline_are_counted_and_named():
    sweep = grid(automation=[0, 1, 2])
    values = sweep.values.copy()
    values[1] = values[0]
    sweep = replace(sweep, values=values)
    assert (
        "Of the 2 other points, distinguishable from the baseline (automation 0) are 1 in "
        "deployment frequency, 1 in lead time" in said(sweep)
    )
    assert "Not distinguishable in any: automation 1." in said(sweep)


def test_a_sample_has_no_baseline_unless_it_was_given():
    sweep = sample("lhs", 20, ["automation", "standardization"])
    assert "baseline" not in said(sweep)
    assert (
        "Over the 20 points, all axes in one linear model, automation moves lead time most: "
        f"{MINUS}9" in said(sweep)
    )
    given = sweep.base.model_copy(update={"baseline": {"automation": 0.5}})
    assert "distinguishable from the baseline" in said(replace(sweep, base=given))


def test_indices_are_told_with_their_intervals():
    keys = ["automation", "standardization"]
    assert (
        "Lead time depends most on automation (total-order index 0.70 [0.58 – 0.81]), then on "
        "standardization (total-order index 0.30 [0.24 – 0.35])." in said(sample("sobol", 32, keys))
    )
    morris = said(sample("morris", 30, keys))
    assert "Lead time depends most on automation (mean absolute effect 5.8 [4.7 – 7.0] days)" in (
        morris
    )


def test_choice_is_told_with_its_probability():
    sweep = grid(automation=[0, 1])
    wish = SelectionSpec(metric="lead_time_h", at_most={"change_failure_rate": 0.15})
    base = sweep.base.model_copy(update={"select": wish})
    chosen = replace(sweep, base=base, selection=Selection(1, 0.934, None))
    assert (
        "Looked for was the shortest lead time with change failure rate at most 15 %: going by the "
        "means it is automation 1, which is the best, or within 2 % of it, with a probability of "
        "at least 93 %." in said(chosen)
    )
    none = replace(chosen, selection=Selection(None, 0.8, None))
    assert (
        "no point keeps within these limits, which is right with a probability of at least 80 %"
        in said(none)
    )


def test_a_choice_that_is_as_likely_wrong_names_the_candidates_and_promises_nothing():
    sweep = grid(automation=[0, 0.5, 1])
    wish = SelectionSpec(metric="lead_time_h", indifference=3)
    base = sweep.base.model_copy(update={"select": wish})
    table = pd.DataFrame(
        {"mean": [50.0, 49.0, 48.0], "feasible_probability": 1.0, "n": 5},
        index=pd.Index([0, 1, 2], name="point"),
    )
    unclear = Selection(2, 0.0, table.assign(best_probability=[0.03, 0.4, 0.6]))
    words = said(replace(sweep, base=base, selection=unclear))
    assert (
        "Looked for was the shortest lead time: it is not known which is best. Automation 1 has "
        "the best mean, and as good, or within 3 h of the best, may be: automation 0.5." in words
    )
    assert "0 %" not in words.partition("Looked for")[2]
    wish = SelectionSpec(metric="lead_time_h", at_most={"change_failure_rate": 0.01})
    base = sweep.base.model_copy(update={"select": wish})
    nothing = Selection(None, 0.2, table.assign(best_probability=0.0))
    assert (
        "it is not known whether any point keeps within these limits; going by the means no point "
        "keeps within these limits." in said(replace(sweep, base=base, selection=nothing))
    )


def precise(**rows):
    """Return a sweep of three points of which was asked how precise they are."""
    sweep = grid(automation=[0, 0.5, 1])
    half_width = {"lead_time_h": "5%", "change_failure_rate": 0.02}
    base = sweep.base.model_copy(
        update={"precision": Precision(half_width=half_width, most_replications=30)}
    )
    frame = pd.DataFrame(
        {
            "point": [0, 0, 1, 1, 2, 2],
            "metric": list(half_width) * 3,
            "mean": [100.0, 0.1] * 3,
            "half_width": [4.0, 0.01] * 3,
            "target": [5.0, 0.02] * 3,
            "n": [12, 12, 30, 30, 30, 30],
        }
    ).assign(**rows)
    frame["reached"] = frame["half_width"] <= frame["target"]
    return replace(sweep, base=base, precision=frame)


def test_it_is_told_which_points_are_as_precise_as_asked():
    assert "Asked was the lead time to ±5 %: 3 of 3 points reached it." in said(precise())
    assert not any("precise" in caveat.text for caveat in caveats(findings(precise())))

    missed = precise(half_width=[4.0, 0.01, 26.0, math.nan, 7.1, 0.01])
    words = said(missed)
    assert "Asked was the lead time to ±5 %: 1 of 3 points reached it." in words
    assert (
        "Asked was the change failure rate to ±2 percentage points: 2 of 3 points reached it."
        in words
    )
    warned = [caveat for caveat in caveats(findings(missed)) if "precise" in caveat.text]
    assert [caveat.text for caveat in warned] == [
        "Not as precise as asked: the lead time is not known to ±5 % at automation 0.5 (±26 % "
        "after 30) and automation 1 (±7.1 % after 30). A point gets at most 30 replications "
        "(precision.most_replications).",
        "Not as precise as asked: the change failure rate is not known to ±2 percentage points at "
        "automation 0.5 (unknown after 30). A point gets at most 30 replications "
        "(precision.most_replications).",
    ]
    assert all(caveat.is_serious for caveat in warned)


def chosen_by(sweep, **wish):
    """Return the sweep with a goal, and the choice that the values make."""
    base = sweep.base.model_copy(update={"select": SelectionSpec(**wish)})
    runs = pd.DataFrame(
        sweep.values.reshape(-1, len(METRICS)),
        columns=list(METRICS),
    )
    points, replications = sweep.values.shape[:2]
    runs["point"] = np.repeat(np.arange(points), replications)
    runs["replication"] = np.tile(np.arange(replications), points)
    return replace(sweep, base=base, selection=select(runs, goal_of(base.select), 1))


def test_a_choice_by_a_metric_without_data_says_which_and_where():
    sweep = grid(automation=[0, 0.5, 1])
    nowhere = chosen_by(without(sweep, "time_to_restore_h"), metric="time_to_restore_h")
    assert (
        "Looked for was the shortest time to restore: no point can be judged. Time to restore has "
        "no data at any point." in said(nowhere)
    )
    assert "limits" not in said(nowhere)
    values = sweep.values.copy()
    values[2, :, METRICS.index("time_to_restore_h")] = np.nan
    values[2, :2, METRICS.index("time_to_restore_h")] = 3.0  # two values are too few
    at_two = said(chosen_by(replace(sweep, values=values), metric="time_to_restore_h"))
    assert "going by the means it is automation 0.5, " in at_two
    assert (
        "Time to restore has data in fewer than 3 replications at automation 1, which cannot be "
        "chosen." in at_two
    )


def test_a_limit_on_a_metric_without_data_is_named():
    sweep = without(grid(automation=[0, 1]), "time_to_restore_h")
    limited = chosen_by(sweep, metric="lead_time_h", at_most={"time_to_restore_h": 9})
    assert "no point can be judged. Time to restore has no data at any point." in said(limited)


NAMED = {
    "what differs after many letters": (
        ["{dist:lognormal,mean:3,cv:1.3,scale:1}", "{dist:lognormal,mean:3,cv:1.3,scale:2}"],
        ["…scale 1", "…scale 2"],
    ),
    "what differs early": (
        ["{dist:exponential,mean:3,and:more}", "{dist:lognormal,mean:3,and:more}"],
        ["exponential, mean 3, and mo…", "lognormal, mean 3, and more"],
    ),
    "what differs early and late": (
        [f"{{a:{'x' * 40},b:{'y' * 40},c:{n}}}" for n in (1, 2)] + [f"{{a:{'x' * 40}}}", "short"],
        ["{a:xxxxxxxxxxxxxxxxxxx… (1)", "{a:xxxxxxxxxxxxxxxxxxx… (2)"],
    ),
    "digits": ([0.12345678, 0.12345679, 0.5], ["0.12345678", "0.12345679", "0.5"]),
    "words": (["golden_path", "golden path"], ["golden_path", "'golden path'"]),
    "kinds": ([1, "1", True, "yes"], ["1", "'1'", "true", "yes"]),
}


@pytest.mark.parametrize("case", NAMED)
def test_different_values_have_different_names(case):
    values, names = NAMED[case]
    axis = Axis("key", tuple(values))
    found = [value_name(axis, value) for value in values]
    assert len(set(found)) == len(values)
    assert max(map(len, found)) <= 28
    if case != "what differs early and late":
        assert found == names


def test_names_of_any_texts_are_short_and_as_different_as_the_texts():
    rng = random.Random(3)
    for _ in range(300):
        texts = ["".join(rng.choices("ab,{ ", k=rng.randint(1, 40))) for _ in range(6)]
        texts += [f"{texts[0]}{'x' * rng.randint(0, 30)}{n}" for n in range(4)]
        texts = list(dict.fromkeys(texts))
        short = shortened(texts, 20)
        assert len(set(short)) == len(texts), texts
        assert max(map(len, short)) <= 20
        for text, name in zip(texts, short, strict=True):
            assert name == text or "…" in name


def test_nothing_known_is_said_and_not_invented():
    sweep = without(grid(automation=[0, 1], standardization=[0, 1]), "time_to_restore_h")
    assert "Time to restore: no data at any point." in said(sweep)
    assert "moves time to restore" not in said(sweep)
    assert "of 4 points that ran, time to restore at 4" in warned(sweep)


def test_failures_come_first_with_what_failed_and_why():
    sweep = replace(with_failure(grid(automation=[0, 0.5, 1]), 1), n_unstable=2)
    first, second = caveats(findings(sweep))
    assert first.is_serious
    assert first.text == (
        "Point 1 failed (automation=0.5): MemoryError: <no> more memory & none to come"
    )
    assert second.is_serious
    assert second.text.startswith("Unstable at 2 of 3 points: ")


@pytest.mark.parametrize(
    ("replications", "words"), [(1, "single replication"), (3, "have only 3"), (5, "")]
)
def test_few_replications_are_warned_of(replications, words):
    text = warned(grid(replications, automation=[0, 1]))
    assert words in text
    assert bool(text) == bool(words)


def test_setting_and_question():
    sweep = grid(automation=[0, 0.5], practice__testing=["none", "full"])
    assert setting(findings(sweep)) == (
        "Every combination: 4 points × 20 replications of 104 weeks after 26 weeks of warm-up "
        "· seed 7"
    )
    assert question(findings(sweep)) == [
        "automation: 0 and 0.5",
        "testing (practice/testing): none and full",
    ]
    values = sweep.values.copy()
    values[1, 8:] = np.nan
    assert "4 points × 8 to 20 replications" in setting(findings(replace(sweep, values=values)))


def test_points_that_differ_most_are_picked_and_the_baseline_stays():
    sweep = replace(grid(automation=list(range(30))), baseline=15)
    for metric in METRICS:
        sweep = with_means(sweep, metric, [0.5] * 30)
    sweep = with_means(sweep, "lead_time_h", [0.0, 20.0, *[100.0] * 26, 190.0, 200.0])
    picked = most_different(findings(sweep), 5)
    assert picked == [0, 1, 15, 28, 29]
    assert most_different(findings(sweep), 30) == list(range(30))


def test_a_difference_is_clear_if_its_adjusted_interval_leaves_out_zero():
    found = findings(grid(automation=[0, 0.001, 1]))
    assert is_clear(found.effects["lead_time_h"]).to_dict() == {1: False, 2: True}
    assert point_name(found, 1) == "automation 0.001"


def test_the_point_that_differs_most_in_a_time_is_told_by_mix_and_within():
    sweep = grid(automation=(0.0, 0.5, 1.0), testing=("none", "full"))
    rows = findings(sweep).effects["time_to_restore_h"]
    clear = rows[is_clear(rows)]["difference"].abs()
    point = int(clear.idxmax())
    names = [group.mean for group in catalogue.metric("time_to_restore_mean_h").groups]
    # 6 quick ones of 2 h for 4 of 20 h, then 2 for 8.
    counts = np.zeros((2, 5, len(names)))
    counts[0, :, [0, 3]] = np.array([[6.0], [4.0]])
    counts[1, :, [0, 3]] = np.array([[2.0], [8.0]])
    means = np.full((5, len(names)), np.nan)
    means[:, 0] = [1.9, 2.1, 2.0, 1.9, 2.1]
    means[:, 3] = [19.0, 21.0, 20.0, 21.0, 19.0]
    known = split(names, Groups(counts[0], means), Groups(counts[1], means))
    text = said(replace(sweep, splits={(point, "time_to_restore_mean_h"): known}))
    assert (
        f"Mean time to restore at {point_name(findings(sweep), point)}, against the baseline: "
        "that is the mix of causes (+7.2 hours): relatively fewer incidents by infrastructure "
        "(60 % → 20 %), which take less time; within them nothing differs clearly."
    ) in text
    assert "mix" not in said(sweep), "nobody knows it"


def test_joined_points_that_are_no_grid_have_none_left_out():
    # Three of the four combinations of two values each, as `sim.open` joins them.
    whole = grid(automation=[0, 1], standardization=[0, 1])
    points = whole.points.iloc[:3]
    joined = replace(whole, design="zip", points=points, values=whole.values[:3])
    assert setting(findings(joined)).startswith("Values taken side by side: 3 points × ")
