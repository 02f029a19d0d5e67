"""The kernel: what takes most of the time of a simulation, in Python or compiled.

The two give the same log, to the last digit. Events are those of SimPy, against whose interface the
model is written; draws are those of NumPy. The compiled kernel is used where it is built, unless
the environment variable ``MLDELIVERY_KERNEL`` is ``python``.
"""

import os
import warnings
from importlib.util import find_spec

from .columns import extend
from .draws import DrawTable
from .events import Environment, Occurrence
from .hours import Hours
from .source import BUILT_FROM, digest


def _is_built() -> bool:
    """Return whether there is a compiled kernel of this source; warn of one that is older."""
    if os.environ.get("MLDELIVERY_KERNEL") == "python" or not BUILT_FROM.is_file():
        return False
    parts = ("columns", "draws", "events", "hours")
    is_there = all(find_spec(f"{__name__}.compiled_{part}") for part in parts)
    if is_there and BUILT_FROM.read_text(encoding="ascii") == digest():
        return True
    warnings.warn(
        "the compiled kernel is of another source or another Python, and is not used; "
        "build it again: HATCH_BUILD_HOOKS_ENABLE=1 pip install -e .",
        stacklevel=2,
    )
    return False


COMPILED = _is_built()
"""Whether the compiled kernel is in use."""

if COMPILED:
    from .compiled_columns import extend  # type: ignore[import-not-found,no-redef]
    from .compiled_draws import DrawTable  # type: ignore[import-not-found,no-redef]
    from .compiled_events import (  # type: ignore[import-not-found,no-redef]
        Environment,
        Occurrence,
    )
    from .compiled_hours import Hours  # type: ignore[import-not-found,no-redef]

__all__ = ["COMPILED", "DrawTable", "Environment", "Hours", "Occurrence", "extend"]
