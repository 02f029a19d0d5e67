"""Fingerprints: what has to be the same for a replication to give the same numbers."""

import functools
import hashlib
from importlib import metadata
from pathlib import Path

from sim.scenario.organization import Scenario
from sim.scenario.settings import FOR_READERS, OF_A_SWEEP

_PACKAGE = Path(__file__).resolve().parents[1]
_MODEL = ("scenario", "kernel", "log", "world", "metrics")
_LIBRARIES = ("numpy", "scipy", "simpy")
_WITHOUT_EFFECT = {*FOR_READERS, *OF_A_SWEEP, "practices", "practice_reach", "replications", "seed"}
"""Fields of a scenario that no replication depends on; the seed is added to the rest."""


@functools.cache
def model_version() -> str:
    """Return what identifies the model: a digest of its source, and the libraries it stands on.

    The version of the package alone would not do: a developer who changes the model
    would get results of the model as it was.
    """
    digest = hashlib.blake2b(digest_size=8)
    for path in sorted(path for part in _MODEL for path in (_PACKAGE / part).rglob("*.py")):
        digest.update(path.read_bytes())
    libraries = " ".join(f"{name} {metadata.version(name)}" for name in _LIBRARIES)
    return f"{digest.hexdigest()}, {libraries}"


def scenario_digest(scenario: Scenario) -> str:
    """Return what is the same for scenarios that mean the same, whatever the model's version."""
    # In the order of the scenario: the order of teams, services and steps matters.
    data = scenario.model_dump_json(by_alias=True, exclude=_WITHOUT_EFFECT)
    text = f"{scenario.seed} {data}"
    return hashlib.blake2b(text.encode(), digest_size=16).hexdigest()


def fingerprint(digest: str) -> bytes:
    """Return 16 bytes that are the same only if all replications have the same metrics.

    Args:
        digest: what :func:`scenario_digest` returns.
    """
    text = f"{model_version()} {digest}"
    return hashlib.blake2b(text.encode(), digest_size=16).digest()
