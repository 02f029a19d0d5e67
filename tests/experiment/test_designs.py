"""Designs of experiments: which points they consist of."""

import itertools
import pickle
import sys

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.experiment.axes import Axis, Interval
from sim.experiment.designs import GROWING, Design, points
from sim.scenario.errors import ScenarioError

SAMPLED: list[Design] = ["random", "lhs", "sobol", "morris"]

listed = st.lists(st.integers() | st.booleans() | st.text(max_size=3), min_size=1, max_size=4)
intervals = st.one_of(
    st.tuples(st.floats(-1e6, 1e6), st.floats(1e-3, 1e6)).map(
        lambda ends: Interval(ends[0], ends[0] + ends[1])
    ),
    st.tuples(st.integers(-100, 100), st.integers(1, 100)).map(
        lambda ends: Interval(ends[0], ends[0] + ends[1], whole=True)
    ),
)


def axes_of(*values: tuple[object, ...] | Interval) -> list[Axis]:
    return [Axis(f"key_{number}", one) for number, one in enumerate(values)]


@given(st.lists(listed, max_size=4))
def test_a_grid_is_the_product(values: list[list[object]]) -> None:
    made = points(axes_of(*map(tuple, values)), "grid", 0, 1)
    expected = list(itertools.product(*values))
    assert len(made) == len(expected)
    assert list(made) == expected
    assert made[-1] == expected[-1]
    assert made[1:3] == expected[1:3]
    with pytest.raises(IndexError):
        made[len(expected)]


def test_a_large_grid_needs_no_memory() -> None:
    made = points(axes_of(*[tuple(range(100))] * 3), "grid", 0, 1)
    assert len(made) == 1_000_000
    assert made[123_456] == (12, 34, 56)
    assert sys.getsizeof(pickle.dumps(made)) < 20_000


def test_a_design_of_more_than_a_million_points_is_refused() -> None:
    axes = axes_of(*[tuple(range(1000))] * 4)
    with pytest.raises(ScenarioError, match="grid has 1,000,000,000,000 points; at most 1,000,000"):
        points(axes, "grid", 0, 1)


@given(st.lists(st.lists(st.integers(), min_size=3, max_size=3), min_size=1, max_size=4))
def test_zip_takes_one_of_each_at_a_time(values: list[list[int]]) -> None:
    made = points(axes_of(*map(tuple, values)), "zip", 0, 1)
    assert list(made) == list(zip(*values, strict=True))


def test_without_axes_there_is_one_empty_point() -> None:
    assert list(points([], "grid", 0, 1)) == list(points([], "zip", 0, 1)) == [()]


@given(
    st.sampled_from(SAMPLED),
    intervals,
    st.lists(intervals | listed.map(tuple), max_size=3),
    st.sampled_from([2, 4, 8]),
    st.integers(0, 2**32),
)
def test_every_value_is_within_bounds(
    design: Design,
    first: Interval,
    others: list[tuple[object, ...] | Interval],
    samples: int,
    seed: int,
) -> None:
    axes = axes_of(first, *others)
    made = points(axes, design, samples, seed)
    per_sample = {"random": 1, "lhs": 1, "sobol": len(axes) + 2, "morris": len(axes) + 1}[design]
    assert len(made) == samples * per_sample
    for point in made:
        for axis, value in zip(axes, point, strict=True):
            if isinstance(axis.values, tuple):
                # By identity, since True == 1.
                assert any(value is one for one in axis.values)
            else:
                assert type(value) is (int if axis.values.whole else float)
                assert axis.values.low <= value <= axis.values.high
    assert list(points(axes, design, samples, seed)) == list(made)


@pytest.mark.parametrize("design", SAMPLED)
def test_another_seed_gives_other_points(design: Design) -> None:
    axes = axes_of(Interval(0, 1), Interval(0, 1), Interval(0, 1))
    assert list(points(axes, design, 4, 0)) != list(points(axes, design, 4, 1))


@given(st.integers(1, 40), st.integers(0, 1000))
def test_a_latin_hypercube_has_one_point_in_each_part_of_each_axis(samples: int, seed: int) -> None:
    axes = axes_of(Interval(0, 1), Interval(-5, 5))
    made = np.array(points(axes, "lhs", samples, seed), dtype=float)
    for column in (made[:, 0], (made[:, 1] + 5) / 10):
        assert sorted((column * samples).astype(int)) == list(range(samples))


def test_listed_values_and_whole_numbers_are_equally_frequent() -> None:
    axes = axes_of(Interval(0, 1), ("a", "b", "c", "d"), Interval(1, 6, whole=True))
    made = list(points(axes, "lhs", 24, 3))
    assert sorted(point[1] for point in made) == sorted("abcd" * 6)
    assert sorted(point[2] for point in made) == sorted([1, 2, 3, 4, 5, 6] * 4)


def test_saltelli_s_sample_takes_one_axis_at_a_time_from_the_other_point() -> None:
    axes = axes_of(*[Interval(0, 1)] * 3)
    blocks = np.array(points(axes, "sobol", 8, 5), dtype=float).reshape(8, 5, 3)
    first, mixed, second = blocks[:, 0], blocks[:, 1:4], blocks[:, 4]
    own = np.eye(3, dtype=bool)
    assert (mixed == np.where(own, second[:, np.newaxis], first[:, np.newaxis])).all()
    # Of a balanced sequence, each eighth of an axis holds one point.
    for column in np.hstack([first, second]).T:
        assert sorted((column * 8).astype(int)) == list(range(8))


def test_a_trajectory_of_morris_moves_each_axis_once() -> None:
    axes = axes_of(Interval(0, 3), Interval(0, 30), (False, True), Interval(0, 3, whole=True))
    made = np.array(points(axes, "morris", 50, 5), dtype=float).reshape(50, 5, 4)
    steps = np.diff(made, axis=1)
    assert (np.abs(steps).astype(bool).sum(axis=1) == 1).all()
    assert (np.abs(steps).astype(bool).sum(axis=2) == 1).all()
    # Two of three steps between the four levels; a switch is switched.
    assert np.abs(steps).max(axis=1) == pytest.approx(np.tile([2.0, 20.0, 1.0, 2.0], (50, 1)))
    assert set(made[:, :, 0].ravel()) == {0.0, 1.0, 2.0, 3.0}


@pytest.mark.parametrize(
    ("values", "design", "samples", "message"),
    [
        ([(1, 2), Interval(0, 1)], "grid", 0, r"key_1: interval\(0, 1\) has no values to list"),
        ([Interval(0, 1)], "zip", 0, "key_0: .* list the values, or take design=lhs"),
        ([(1, 2), ()], "grid", 0, "key_1: there are no values to sweep over"),
        ([Interval(0, 1), ()], "lhs", 4, "key_1: there are no values to sweep over"),
        ([(1, 2), (1,)], "zip", 0, "differ in number; key_0 has 2, key_1 has 1"),
        ([(1, 2)], "lhs", 4, "design: lhs draws from intervals, and there are none"),
        ([], "sobol", 4, "design: sobol draws from intervals, and there are none"),
        ([Interval(1, 1)], "lhs", 4, r"key_0: interval\(1, 1\) is no interval"),
        ([Interval(2, 1)], "morris", 4, r"key_0: interval\(2, 1\) is no interval"),
        ([Interval(0, float("inf"))], "lhs", 4, "is no interval; both ends finite"),
        ([Interval(float("nan"), 1)], "lhs", 4, "is no interval"),
        ([Interval(0, 1)], "sobol", 100, "samples: sobol cannot take 100; .* 64 or 128"),
        ([Interval(0, 1)], "sobol", 1, "samples: 1 are too few; sobol needs at least 2"),
        ([Interval(0, 1)], "lhs", 0, "samples: 0 are too few; lhs needs at least 1"),
        ([Interval(0, 1)], "morris", -4, "samples: -4 are too few"),
    ],
)
def test_designs_that_do_not_exist(
    values: list[tuple[object, ...] | Interval], design: Design, samples: int, message: str
) -> None:
    with pytest.raises(ScenarioError, match=message):
        points(axes_of(*values), design, samples, 1)


def test_all_problems_are_told_at_once() -> None:
    with pytest.raises(ScenarioError) as caught:
        points(axes_of(Interval(2, 1), ()), "sobol", 3, 1)
    assert [problem.key for problem in caught.value.problems] == ["key_0", "key_1", "samples"]


@pytest.mark.parametrize("design", GROWING)
@pytest.mark.parametrize("seed", [0, 7, 20190822])
def test_more_samples_begin_with_the_fewer(design: Design, seed: int) -> None:
    axes = [
        Axis("automation", Interval(0.0, 1.0)),
        Axis("wip", Interval(1, 9, whole=True)),
        Axis("testing", ("none", "basic", "full")),
    ]
    few, more = (list(points(axes, design, samples, seed)) for samples in (16, 32))
    assert len(more) == 2 * len(few)
    assert more[: len(few)] == few


def test_a_latin_hypercube_does_not() -> None:
    axes = [Axis("automation", Interval(0.0, 1.0))]
    few, more = (list(points(axes, "lhs", samples, 7)) for samples in (16, 32))
    assert not set(few) & set(more)
