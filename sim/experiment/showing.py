"""Results show themselves: in a few lines, as a small table in a notebook, and as a figure.

How is known to :mod:`sim.report`, which is above this package. So it is found by its name, and only
when somebody looks: who simulates does not wait for it, nor for matplotlib.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Showing:
    """A result that a person may look at."""

    def __repr__(self) -> str:
        """Return name, setting and the four metrics, in a few lines."""
        return str(shown().text_of(self))

    def _repr_html_(self) -> str:
        """Return the same as a small table, for a notebook."""
        return str(shown().html_of(self))

    def plot(self, name: str = "") -> "Figure":
        """Return a figure of its report, as Matplotlib's.

        Args:
            name: of the figure, as the files of a report are called: ``"lead_time"``; by default
                the one that the report begins with, or the four metrics.

        Raises:
            ValueError: there is no figure of this name; the message has those that there are.
        """
        figure: Figure = shown().figure_of(self, name)
        return figure


def shown() -> Any:
    """Return the module that shows results."""
    return import_module("sim.report.shown")
