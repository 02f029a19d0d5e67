"""The report of a sweep that was opened, or that is looked at from another baseline."""

from pathlib import Path

from matplotlib.figure import Figure

from sim.document.document import illustrated
from sim.document.html import write_document
from sim.document.picture import drawn
from sim.experiment.sweep_results import Sweep
from sim.report.sweep_content import findings
from sim.report.sweep_document import sweep_document
from sim.report.sweep_figures import sweep_pictures


def write_report(sweep: Sweep, folder: str | Path, png: bool = False) -> None:
    """Write the report of a sweep: ``report.html``, and its figures in ``figures/``.

    Of an opened sweep, or of one with another baseline (:meth:`sim.Sweep.with_baseline`).

    Args:
        sweep: the sweep.
        folder: where to; it is made if it is not there, and files of the same name are replaced.
        png: whether figures are written as PNG too.

    Raises:
        OSError: it cannot be written.
    """
    found = findings(sweep)
    pictures = [drawn(picture, png) for picture in sweep_pictures(found)]
    Path(folder).mkdir(parents=True, exist_ok=True)
    write_document(illustrated(sweep_document(found), pictures), Path(folder), png)


def figures(sweep: Sweep) -> dict[str, Figure]:
    """Return the figures of a sweep's report, by name."""
    return {picture.name: picture.figure for picture in sweep_pictures(findings(sweep))}
