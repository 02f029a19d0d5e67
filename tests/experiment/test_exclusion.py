"""Combinations that a sweep leaves out, and those that it skips."""

import itertools
from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from little_sweeps import Diary, run

import sim
from sim.experiment.axes import Axis, Interval
from sim.experiment.exclusion import Rule, without_excluded
from sim.experiment.store import ResultsError
from sim.scenario.errors import ScenarioError

AXES = (
    Axis("organization", ("startup", "midsize")),
    Axis("automation", (0, 0.5, 1)),
    Axis("working_hours.always", (True, False)),
)
POINTS = tuple(itertools.product(*(axis.values for axis in AXES)))  # type: ignore[arg-type]


def left(rules: Sequence[Rule]) -> list[tuple[object, ...]]:
    return list(without_excluded(AXES, POINTS, rules, "grid"))


def test_a_rule_excludes_the_points_that_have_all_of_its_values() -> None:
    rules = [{"organization": "startup", "automation": [0, 1]}]
    assert left(rules) == [
        point for point in POINTS if not (point[0] == "startup" and point[1] in (0, 1))
    ]
    assert len(left(rules)) == 8


def test_true_is_not_one() -> None:
    assert len(left([{"automation": 1.0}])) == 8
    assert len(left([{"working_hours.always": True}])) == 6
    with pytest.raises(ScenarioError, match=r"^exclude\.0\.automation: true is not swept; "):
        left([{"automation": True}])


@settings(deadline=None, max_examples=50)
@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                axis.key: st.sampled_from(axis.values)
                for axis in AXES  # type: ignore[arg-type]
            },
        ).filter(bool),
        max_size=3,
    )
)
def test_what_is_left_are_the_points_that_keep_to_all_rules(rules: list[Rule]) -> None:
    expected = [
        point
        for point in POINTS
        if not any(
            all(
                value == rule[axis.key]
                for axis, value in zip(AXES, point, strict=True)
                if axis.key in rule
            )
            for rule in rules
        )
    ]
    if expected:
        assert left(rules) == expected
    else:
        with pytest.raises(ScenarioError, match=r"^exclude: leaves none of 12 points$"):
            left(rules)


@pytest.mark.parametrize(
    ("rule", "message"),
    [
        ({"organisation": "startup"}, r"exclude\.0\.organisation: is not swept; did you mean 'or"),
        ({"organization": "startp"}, r"exclude\.0\.organization: startp is not swept; did you me"),
        ({"automation": [0, 0.6]}, r"exclude\.0\.automation: 0\.6 is not swept; "),
    ],
)
def test_a_rule_about_nothing_is_refused(rule: Rule, message: str) -> None:
    with pytest.raises(ScenarioError, match=f"^{message}"):
        left([rule])


def test_a_rule_that_no_point_of_a_zip_meets_is_refused() -> None:
    rule = {"organization": "startup", "automation": 1}
    with pytest.raises(ScenarioError, match=r"^exclude\.0: no point has \{organization: startup, "):
        without_excluded(AXES[:2], [("startup", 0), ("midsize", 1)], [rule], "zip")


def test_samples_are_not_thinned() -> None:
    with pytest.raises(ScenarioError, match=r"^exclude: is not for design=lhs; "):
        without_excluded([Axis("automation", Interval(0, 1))], [], [{"automation": 0}], "lhs")


def test_what_is_left_has_the_results_that_it_has_in_the_whole(tmp_path: Path) -> None:
    whole = run(tmp_path / "whole").runs
    rules = [{"automation": [0.0, 1.0], "standardization": 0.5}]
    some = run(tmp_path / "some", exclude=rules)
    assert len(some.points) == 13
    keys = ["automation", "standardization", "replication"]
    pd.testing.assert_frame_equal(
        some.runs.drop(columns="point"),
        whole.drop(columns="point")
        .merge(some.points, on=keys[:2])
        .sort_values(keys, ignore_index=True),
        check_exact=True,
    )


def test_a_folder_keeps_its_points(tmp_path: Path) -> None:
    axes = {"automation": (0.0, 1.0)}
    run(tmp_path, axes)
    with pytest.raises(ResultsError, match=r"\(it has automation=1\.0, which this one has not\)"):
        run(tmp_path, axes, exclude=[{"automation": 1.0}])


def test_a_sweep_goes_on_with_what_was_excluded(tmp_path: Path) -> None:
    axes = {"automation": (0.0, 0.5, 1.0)}
    run(tmp_path, axes, exclude=[{"automation": 0.5}])
    assert len(run(tmp_path, axes).points) == 3


@pytest.mark.parametrize("values", [(0.0, 2.0, 1.0), (2.0, 0.0, 1.0)])
def test_invalid_points_are_skipped_on_request(tmp_path: Path, values: Sequence[float]) -> None:
    with pytest.raises(ScenarioError, match=r"^automation: 2\.0 is not allowed"):
        run(tmp_path / "stop", {"automation": values})
    watcher = Diary()
    sweep = run(tmp_path / "skip", {"automation": values}, watcher=watcher, on_invalid="skip")
    valid = run(tmp_path / "valid", {"automation": (0.0, 1.0)})
    pd.testing.assert_frame_equal(sweep.runs, valid.runs, check_exact=True)
    (skipped,) = sweep.skipped
    assert skipped.overrides == "automation=2.0"
    assert skipped.error.startswith("automation: 2.0 is not allowed")
    assert watcher.left_out == [skipped]


def test_a_sweep_goes_on_without_values_that_no_point_had(tmp_path: Path) -> None:
    run(tmp_path, {"automation": (0.0, 2.0)}, on_invalid="skip")
    sweep = run(tmp_path, {"automation": (0.0, 1.0)})
    assert sweep.points["automation"].tolist() == [0.0, 1.0]
    assert sweep.skipped == ()
    assert sim.open(tmp_path).skipped == ()
    with pytest.raises(ResultsError, match=r"\(it has automation=1\.0, which this one has not\)"):
        run(tmp_path, {"automation": (0.0, 2.0)}, on_invalid="skip")


def test_a_folder_says_what_was_skipped(tmp_path: Path) -> None:
    sweep = run(tmp_path / "one", {"automation": (0.0, 2.0)}, on_invalid="skip")
    run(tmp_path / "other", {"automation": (1.0, 3.0)}, on_invalid="skip")
    opened = sim.open(tmp_path / "one")
    assert opened.skipped == sweep.skipped
    assert [each.overrides for each in opened.skipped] == ["automation=2.0"]
    joined = sim.open(tmp_path / "one", tmp_path / "other")
    assert [each.overrides for each in joined.skipped] == ["automation=2.0", "automation=3.0"]


def test_nothing_is_skipped_if_nothing_is_valid(tmp_path: Path) -> None:
    with pytest.raises(ScenarioError, match=r"^automation: 2\.0 is not allowed"):
        run(tmp_path, {"automation": (2.0, 3.0)}, on_invalid="skip")


def test_indices_need_all_points(tmp_path: Path) -> None:
    axes = {"automation": Interval(0, 1), "standardization": Interval(0, 1)}
    with pytest.raises(ScenarioError, match=r"^on_invalid: skip is not for design=sobol; "):
        run(tmp_path, axes, design="sobol", samples=4, on_invalid="skip")
