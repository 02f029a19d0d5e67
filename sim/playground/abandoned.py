"""The flags that tell workers of the playground to give up.

Not in :mod:`.laboratory`: a worker has to begin before it imports the model, which takes a while.
"""

from multiprocessing.sharedctypes import SynchronizedArray

from sim.experiment.worker_processes import end_with

_shared: dict[str, "SynchronizedArray[int]"] = {}


class AbandonedError(Exception):
    """Nobody wants this replication any more."""


def begin(flags: "SynchronizedArray[int]", parent: int) -> None:
    """Begin as a worker.

    Args:
        flags: one for each slot; not zero if its replication is abandoned.
        parent: the process that started this one, and with which it ends.
    """
    end_with(parent)
    _shared["flags"] = flags


def raise_if_abandoned(slot: int) -> None:
    """Raise an AbandonedError if nobody wants any more what this worker does in ``slot``."""
    if _shared["flags"][slot]:
        raise AbandonedError
