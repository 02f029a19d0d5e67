"""The kernel: what takes most of the time of a simulation, in Python or compiled.

The two give the same log, to the last digit. Events are those of SimPy, against whose interface the
model is written; draws are those of NumPy. The compiled kernel is used where it is built, unless
the environment variable ``MLDELIVERY_KERNEL`` is ``python``.
"""

import os

from .columns import extend
from .draws import DrawTable
from .events import Environment, Occurrence
from .hours import Hours

COMPILED = False
"""Whether the compiled kernel is in use."""

if os.environ.get("MLDELIVERY_KERNEL") != "python":
    try:
        from .compiled_columns import extend  # type: ignore[import-not-found]
        from .compiled_draws import DrawTable  # type: ignore[assignment,import-not-found,no-redef]
        from .compiled_events import (  # type: ignore[assignment,import-not-found,no-redef]
            Environment,
            Occurrence,
        )
        from .compiled_hours import Hours  # type: ignore[assignment,import-not-found,no-redef]

        COMPILED = True
    except ImportError:
        pass

__all__ = ["COMPILED", "DrawTable", "Environment", "Hours", "Occurrence", "extend"]
