"""Random numbers that stay the same when something else in the scenario changes.

Every stochastic thing draws from a stream of its own, found by name and independent of all others:
``SeedSequence(root, spawn_key=(replication, hash of the name))``. What belongs to the k-th change,
batch, outage or job of a service is row k of a table drawn from such a stream. So the k-th change
of two scenarios meets the same luck whatever happened before it (common random numbers), and a
service or a step that is added leaves all other draws as they were.
"""

from collections.abc import Callable, Mapping, Sequence
from hashlib import blake2b

import numpy as np
from numpy.typing import NDArray

Quantile = Callable[[NDArray[np.float64]], NDArray[np.float64]]

_ROWS_PER_BLOCK = 64


class DrawTable:
    """Rows of draws: uniforms in [0, 1), some columns transformed into a distribution.

    Args:
        generator: the stream of this table.
        width: uniforms per row.
        quantiles: quantile function by column, for columns that are not left uniform.
        rows_per_block: how many rows are drawn at a time.
    """

    __slots__ = ("_drawn", "_generator", "_quantiles", "_rows", "_rows_per_block", "_width")

    def __init__(
        self,
        generator: np.random.Generator,
        width: int,
        quantiles: Mapping[int, Quantile],
        rows_per_block: int = _ROWS_PER_BLOCK,
    ) -> None:
        self._generator = generator
        self._width = width
        self._quantiles = quantiles
        self._rows_per_block = rows_per_block
        self._rows: dict[int, list[float]] = {}
        self._drawn = 0

    def take(self, k: int) -> list[float]:
        """Return row ``k``; each row can be taken once."""
        while k >= self._drawn:
            self._draw_block()
        return self._rows.pop(k)

    def _draw_block(self) -> None:
        block = self._generator.random((self._rows_per_block, self._width))
        for column, quantile in self._quantiles.items():
            block[:, column] = quantile(block[:, column])
        self._rows.update(enumerate(block.tolist(), self._drawn))
        self._drawn += self._rows_per_block


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
        key = int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")
        sequence = np.random.SeedSequence(self._seed, spawn_key=(self._replication, key))
        return np.random.Generator(np.random.PCG64(sequence))

    def table(
        self, name: str, quantiles: Sequence[Quantile | None], rows_per_block: int = _ROWS_PER_BLOCK
    ) -> DrawTable:
        """Return the draw table called ``name``, with a quantile function (or none) per column."""
        transformed = {i: quantile for i, quantile in enumerate(quantiles) if quantile is not None}
        return DrawTable(self.generator(name), len(quantiles), transformed, rows_per_block)
