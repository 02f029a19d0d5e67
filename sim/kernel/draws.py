"""Tables of random draws, of which any row can be taken at any time.

``compiled_draws.pyx`` does the same in compiled code, to the last digit: where the two could round
differently (an exponential function for one number and for many), both use the same function.
"""

import functools
from collections.abc import Sequence

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

    Its stream is PCG64, begun by ``SeedSequence(seed, spawn_key=(replication, key))``.

    Args:
        seed: root seed of the experiment.
        replication: number of the replication.
        key: number of the stream.
        columns: the distribution of each column; None for uniforms.
        blocks: rows drawn at a time for the first rows, as many as the second number says, and for
            the rest; a divisor of the second number, and that number.
    """

    __slots__ = ("_bits", "_blocks", "_columns", "_few", "_generator", "_many", "_next_row")

    def __init__(
        self,
        seed: int,
        replication: int,
        key: int,
        columns: Sequence[Distribution | None],
        blocks: tuple[int, int] = BLOCKS,
    ) -> None:
        # As one array SeedSequence takes entropy sooner than as numbers of any size.
        entropy = np.array([*_words_of(seed, replication), *_words(key)], dtype=np.uint32)
        self._bits = np.random.PCG64(np.random.SeedSequence(entropy))
        self._generator = np.random.Generator(self._bits)
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
        for column, distribution in self._columns.others:
            values[column] = float(distribution.quantile(np.array(values[column])))
        return values

    def _draw_block(self, first_row: int, rows: int) -> NDArray[np.float64]:
        width = self._columns.width
        if first_row != self._next_row:  # a double takes one step of the bit generator
            self._bits.advance((first_row - self._next_row) * width % _PERIOD)
        self._next_row = first_row + rows
        block = self._generator.random((rows, width))
        self._columns.transform(block)
        if len(self._blocks) == _BLOCKS_KEPT:  # rows are taken nearly in order
            del self._blocks[next(iter(self._blocks))]
        self._blocks[first_row] = block
        return block


@functools.lru_cache(maxsize=8)
def _words_of(seed: int, replication: int) -> list[int]:
    """Return the words by which ``SeedSequence(seed, spawn_key=(replication, ...))`` begins."""
    words = _words(seed)
    return [*words, *[0] * (4 - len(words)), *_words(replication)]


def _words(number: int) -> list[int]:
    """Return the words of 32 bits of ``number``, the lowest first."""
    words = [number & 0xFFFFFFFF]
    while number := number >> 32:
        words.append(number & 0xFFFFFFFF)
    return words


class _Columns:
    """Transforms uniforms into the distributions of their columns.

    A call of NumPy costs as much as the few rows of a block, so that constants, and lognormals,
    are transformed together.

    Attributes:
        width: how many columns there are.
        others: the columns that are neither, with their distributions.
    """

    __slots__ = ("_constants", "_location", "_lognormals", "_scale", "_values", "others", "width")

    def __init__(self, columns: Sequence[Distribution | None]) -> None:
        constants: list[int] = []
        lognormals: list[int] = []
        values: list[float] = []
        logarithms: list[tuple[float, float]] = []
        self.width = len(columns)
        self.others: list[tuple[int, Distribution]] = []
        for column, distribution in enumerate(columns):
            if distribution is None:
                continue
            if isinstance(distribution, Lognormal):
                lognormals.append(column)
                logarithms.append(distribution.logarithm)
            elif isinstance(distribution, Constant):
                constants.append(column)
                values.append(distribution.value)
            else:
                self.others.append((column, distribution))
        self._constants = np.array(constants, dtype=np.intp) if constants else None
        self._values = values
        self._lognormals = np.array(lognormals, dtype=np.intp) if lognormals else None
        self._location, self._scale = np.array(logarithms).reshape(-1, 2).T

    def transform(self, block: NDArray[np.float64]) -> None:
        """Replace the uniforms of a block, in place."""
        if self._constants is not None:
            block[:, self._constants] = self._values
        if self._lognormals is not None:
            block[:, self._lognormals] = lognormal_quantiles(
                block[:, self._lognormals], self._location, self._scale
            )
