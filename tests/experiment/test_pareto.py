"""The Pareto front."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sim.experiment.pareto import pareto_front

NAN = float("nan")
small = st.sampled_from([0.0, 1.0, 2.0, 3.0, NAN])


def test_by_hand() -> None:
    # Cost, the less the better, and frequency, the more the better.
    values = np.array([[1, 1], [2, 3], [2, 2], [3, 3], [4, 9], [NAN, 99], [0, NAN], [2, 3]])
    front = pareto_front(values.astype(float), [False, True])
    assert list(np.flatnonzero(front)) == [0, 1, 4, 7]


def test_one_objective_leaves_the_best() -> None:
    values = np.array([[3.0], [1.0], [NAN], [1.0]])
    assert list(pareto_front(values, [False])) == [False, True, False, True]
    assert list(pareto_front(values, [True])) == [True, False, False, False]


@pytest.mark.parametrize("size", [0, 3])
def test_without_known_points_the_front_is_empty(size: int) -> None:
    assert list(pareto_front(np.full((size, 2), NAN), [False, False])) == [False] * size


@given(st.lists(st.tuples(small, small, small), max_size=25), st.tuples(*[st.booleans()] * 3))
def test_no_other_point_beats_those_on_it_and_some_beats_the_rest(
    points: list[tuple[float, ...]], largest: tuple[bool, ...]
) -> None:
    values = np.array(points, dtype=float).reshape(-1, 3)
    signed = np.where(largest, -values, values)
    expected = [
        not np.isnan(own).any()
        and not any((other <= own).all() and (other < own).any() for other in signed)
        for own in signed
    ]
    assert list(pareto_front(values, largest)) == expected
