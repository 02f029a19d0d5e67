"""The kernel: what takes most of the time of a simulation, in Python or compiled.

The two give the same log, to the last digit. Events are those of SimPy, against whose interface the
model is written; draws are those of NumPy.
"""

from .draws import DrawTable
from .events import Environment, Occurrence

__all__ = ["DrawTable", "Environment", "Occurrence"]
