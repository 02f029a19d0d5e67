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

from sim.kernel import DrawTable
from sim.kernel.draws import BLOCKS, ONE_BY_ONE
from sim.scenario.distributions import Distribution


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
        spawn_key = (self._replication, _key(name))
        return np.random.default_rng(np.random.SeedSequence(self._seed, spawn_key=spawn_key))

    def uniform(self, name: str) -> float:
        """Return the first uniform number in [0, 1) of the stream called ``name``."""
        return self.table(name, [None], ONE_BY_ONE).take(0)[0]

    def table(
        self,
        name: str,
        columns: Sequence[Distribution | None],
        blocks: tuple[int, int] = BLOCKS,
    ) -> DrawTable:
        """Return the draw table called ``name``, with a distribution (or none) per column."""
        return DrawTable(self._seed, self._replication, _key(name), columns, blocks)


def _key(name: str) -> int:
    return int.from_bytes(blake2b(name.encode(), digest_size=8).digest(), "big")
