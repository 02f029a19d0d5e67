"""Draws that depend on their stream and row only, and that are uniform and independent."""

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st
from scipy import stats

from sim.kernel import DrawTable
from sim.scenario.distributions import Constant, Lognormal, Uniform
from sim.world.randomness import Randomness

EXAMPLES = settings(derandomize=True, phases=[Phase.generate], deadline=None)
MANY = 5000
UNLIKELY = 0.001  # the seeds are fixed: what passes once passes always


def table(
    width: int = 3, blocks: tuple[int, int] = (8, 64), name: str = "service/changes"
) -> DrawTable:
    return Randomness(1, 0).table(name, [None] * width, blocks)


def rows(source: DrawTable, count: int) -> np.ndarray:
    return np.array([source.take(k) for k in range(count)])


@pytest.mark.parametrize("width", [1, 2, 5, 13])
@pytest.mark.parametrize("blocks", [(1, 1), (7, 7), (4, 16), (100, 100)])
def test_rows_do_not_depend_on_the_size_of_blocks(width: int, blocks: tuple[int, int]) -> None:
    assert np.array_equal(rows(table(width, blocks), 200), rows(table(width), 200))


def test_rows_are_those_of_the_generator_of_that_name() -> None:
    uniforms = Randomness(1, 0).generator("service/changes").random((200, 3))
    assert np.array_equal(rows(table(3), 200), uniforms)


@EXAMPLES
@given(
    st.lists(st.one_of(st.integers(0, 300), st.integers(0, 10**6)), min_size=1, max_size=30),
    st.sampled_from([(1, 1), (4, 16), (64, 64)]),
)
def test_rows_do_not_depend_on_the_order_of_taking(
    order: list[int], blocks: tuple[int, int]
) -> None:
    jumbled = table(2, blocks)
    for k in order:
        assert jumbled.take(k) == table(2).take(k)


def test_row_far_ahead_and_back_again() -> None:
    source = table()
    first = source.take(0)
    source.take(10**12)
    source.take(500)
    assert source.take(0) == first
    assert source.take(501) == rows(table(), 502)[501].tolist()


def test_what_a_caller_does_to_its_row_stays_there() -> None:
    source = table()
    row = source.take(3)
    expected = list(row)
    row[0] = -1.0
    assert source.take(3) == expected


def test_each_column_has_its_own_distribution() -> None:
    columns = [
        None,
        Uniform(dist="uniform", low=0.0, high=10.0),
        Constant(value=3.0),
        Lognormal(dist="lognormal", mean=6.0, cv=1.5),
        None,
        Lognormal(dist="lognormal", mean=0.5, cv=0.2),
        Constant(value=0.0),
    ]
    found = rows(Randomness(1, 0).table("service/changes", columns), 200)
    expected = rows(table(len(columns)), 200)
    for place, column in enumerate(columns):
        if column is not None:
            expected[:, place] = column.quantile(expected[:, place])
    np.testing.assert_array_max_ulp(found, expected)


def test_other_tables_do_not_change_a_table() -> None:
    alone = rows(table(), 200)
    randomness = Randomness(1, 0)
    others = [randomness.table(name, [None] * 2) for name in ("a", "b", "service/changes/more")]
    randomness.generator("c").random(50)
    mine = randomness.table("service/changes", [None] * 3)
    together = []
    for k in range(200):
        for other in others:
            other.take(3 * k)
        together.append(mine.take(k))
    assert np.array_equal(np.array(together), alone)


def test_same_name_same_draws_whenever_it_is_asked_for() -> None:
    randomness = Randomness(7, 3)
    first = randomness.generator("x").random(10)
    assert np.array_equal(randomness.generator("x").random(10), first)
    assert np.array_equal(Randomness(7, 3).generator("x").random(10), first)


@pytest.mark.parametrize(
    ("seed", "replication", "name"),
    [
        (1, 0, "b"),
        (1, 0, "a "),
        (1, 0, "A"),
        (1, 1, "a"),
        (2, 0, "a"),
        (2**62, 0, "a"),
        (0, 1, "a"),
    ],
)
def test_streams_differ(seed: int, replication: int, name: str) -> None:
    one = Randomness(1, 0).generator("a").random(MANY)
    other = Randomness(seed, replication).generator(name).random(MANY)
    assert not np.isin(one, other).any()
    assert stats.pearsonr(one, other).pvalue > UNLIKELY
    assert stats.kstest((one + other) % 1, "uniform").pvalue > UNLIKELY


def test_uniform() -> None:
    drawn = rows(table(4), MANY)
    assert drawn.min() >= 0
    assert drawn.max() < 1
    for column in drawn.T:
        assert stats.kstest(column, "uniform").pvalue > UNLIKELY
    correlations = np.corrcoef(np.hstack([drawn[1:], drawn[:-1]]).T)
    off_diagonal = correlations[~np.eye(8, dtype=bool)]
    assert np.abs(off_diagonal).max() < 4.5 / np.sqrt(MANY)


def test_first_rows_of_many_streams_are_uniform_and_unrelated() -> None:
    # Most tables are barely begun: the start of a stream must be as good as its middle.
    by_name = np.array(
        [Randomness(1, 0).table(f"service-{i}", [None]).take(0) for i in range(1000)]
    )
    by_replication = np.array(
        [Randomness(1, i).table("service", [None]).take(0) for i in range(1000)]
    )
    by_seed = np.array([Randomness(i, 0).table("service", [None]).take(0) for i in range(1000)])
    for first in (by_name, by_replication, by_seed):
        assert stats.kstest(first[:, 0], "uniform").pvalue > UNLIKELY
        assert stats.pearsonr(first[1:, 0], first[:-1, 0]).pvalue > UNLIKELY
