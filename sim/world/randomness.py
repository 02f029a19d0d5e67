"""Random numbers that stay the same when something else in the scenario changes.

Every stochastic thing draws from a stream of its own, found by name and independent of all others:
``SeedSequence(root, spawn_key=(replication, hash of the name))``. The luck of the k-th change,
batch or outage of a service is row k of a table drawn from such a stream. What follows from one of
them (an incident, its fix, a change made again) has a row that is found by what it follows. So what
happens in two scenarios meets the same luck in both, whatever happened before it (common random
numbers), and a service or a step that is added leaves all other draws as they were.
"""

from collections.abc import Sequence
from hashlib import blake2b
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from sim.scenario.distributions import (
    Constant,
    Distribution,
    Lognormal,
    lognormal_quantiles,
)

BLOCKS = (8, 64)
"""Rows drawn at a time, at first and later: a block costs a call, and what is not taken memory."""
ONE_BY_ONE = (1, 1)
"""The same where few of the rows are ever taken."""
_BLOCKS_KEPT = 2
_SCATTERED = 2**32
"""From here on rows are found by hashing, and have no neighbours that will be taken."""
_PERIOD = 2**128  # of PCG64


class DrawTable:
    """Rows of draws: uniforms in [0, 1), some columns transformed into a distribution.

    Args:
        bit_generator: the stream of this table, at its beginning.
        columns: the distribution of each column; None for uniforms.
        blocks: rows drawn at a time for the first rows, as many as the second number says, and for
            the rest; a divisor of the second number, and that number.
    """

    __slots__ = (
        "_bits",
        "_blocks",
        "_columns",
        "_few",
        "_generator",
        "_many",
        "_next_row",
        "_width",
    )

    def __init__(
        self,
        bit_generator: np.random.PCG64,
        columns: Sequence[Distribution | None],
        blocks: tuple[int, int] = BLOCKS,
    ) -> None:
        self._bits = bit_generator
        self._generator = np.random.Generator(bit_generator)
        self._width = len(columns)
        self._columns = _Columns(columns)
        self._few, self._many = blocks
        self._blocks: dict[int, NDArray[np.float64]] = {}
        self._next_row = 0

    def take(self, k: int) -> list[float]:
        """Return row ``k``, whichever rows were taken before."""
        rows = self._few if k < self._many else self._many if k < _SCATTERED else 1
        row = k % rows
        block = self._blocks.get(k - row)
        if block is None:
            block = self._draw_block(k - row, rows)
        values: list[float] = block[row].tolist()
        return values

    def _draw_block(self, first_row: int, rows: int) -> NDArray[np.float64]:
        if first_row != self._next_row:  # a double takes one step of the bit generator
            self._bits.advance((first_row - self._next_row) * self._width % _PERIOD)
        self._next_row = first_row + rows
        block = self._generator.random((rows, self._width))
        self._columns.transform(block)
        if len(self._blocks) == _BLOCKS_KEPT:  # rows are taken nearly in order
            del self._blocks[next(iter(self._blocks))]
        self._blocks[first_row] = block
        return block


class _Columns:
    """Transforms uniforms into the distributions of their columns.

    A call of NumPy costs as much as the few rows of a block, so that constants, and lognormals,
    are transformed together.
    """

    __slots__ = ("_constants", "_location", "_lognormals", "_others", "_scale", "_values")

    def __init__(self, columns: Sequence[Distribution | None]) -> None:
        constants: list[int] = []
        lognormals: list[int] = []
        values: list[float] = []
        logarithms: list[tuple[float, float]] = []
        self._others: list[tuple[int, Distribution]] = []
        for column, distribution in enumerate(columns):
            if isinstance(distribution, Constant):
                constants.append(column)
                values.append(distribution.value)
            elif isinstance(distribution, Lognormal):
                lognormals.append(column)
                logarithms.append(distribution.logarithm)
            elif distribution is not None:
                self._others.append((column, distribution))
        self._constants = np.array(constants, dtype=np.intp)
        self._values = np.array(values)
        self._lognormals = np.array(lognormals, dtype=np.intp)
        self._location, self._scale = np.array(logarithms).reshape(-1, 2).T

    def transform(self, block: NDArray[np.float64]) -> None:
        """Replace the uniforms of a block, in place."""
        if self._constants.size:
            block[:, self._constants] = self._values
        if self._lognormals.size:
            block[:, self._lognormals] = lognormal_quantiles(
                block[:, self._lognormals], self._location, self._scale
            )
        for column, distribution in self._others:
            block[:, column] = distribution.quantile(block[:, column])


class Substream(NamedTuple):
    """The name of the luck of one thing: row ``number`` of every draw table of ``lane``."""

    lane: str
    number: int

    def following(self, nth: int = 1) -> int:
        """Return the number of the ``nth`` thing that follows from this one, in its own lane.

        It is one of 2**64, so that two things hardly ever share one: to count what follows would
        give it a number that depends on all that came before.
        """
        key = f"{self.lane}/{self.number}/{nth}".encode()
        return int.from_bytes(blake2b(key, digest_size=8).digest(), "big")


class Randomness:
    """All random streams of one replication.

    Args:
        seed: root seed of the experiment.
        replication: number of the replication.
    """

    def __init__(self, seed: int, replication: int) -> None:
        self._seed = seed
        self._replication = replication

    def generator(self, name: str) -> np.random.Generator:
        """Return a new generator for the stream called ``name``."""
        return np.random.Generator(self._bits(name))

    def table(
        self,
        name: str,
        columns: Sequence[Distribution | None],
        blocks: tuple[int, int] = BLOCKS,
    ) -> DrawTable:
        """Return the draw table called ``name``, with a distribution (or none) per column."""
        return DrawTable(self._bits(name), columns, blocks)

    def _bits(self, name: str) -> np.random.PCG64:
        key = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")
        sequence = np.random.SeedSequence(self._seed, spawn_key=(self._replication, key))
        return np.random.PCG64(sequence)
