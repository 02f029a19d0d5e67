"""Pictures of a sweep, chosen by its design and the number of axes that it varies.

Each kind of picture is drawn in a module of its own, ``sweep_*_figures.py``. A plot takes a plain
frame and an ``Axes``, draws into it and returns it. Numbers in the frames are in the unit in which
they are shown; intervals are 95 % intervals. As in :mod:`sim.report.palette`, colours are those of
Okabe and Ito (2008), and line styles, markers and hatches say the same without them.
"""

from sim.document.picture import Picture
from sim.experiment.sweep_results import COST
from sim.report.population_content import is_population
from sim.report.population_figures import population_picture
from sim.report.sweep_cloud_figures import cloud_picture
from sim.report.sweep_content import Findings, is_numeric
from sim.report.sweep_effects_figures import effects_picture
from sim.report.sweep_heat_figures import heat_picture
from sim.report.sweep_line_figures import line_picture, points_picture
from sim.report.sweep_multiples_figures import (
    main_effects_picture,
    multiples_picture,
    roles_of_axes,
)
from sim.report.sweep_pareto_figures import pareto_picture
from sim.report.sweep_selection_figures import selection_picture
from sim.report.sweep_sensitivity_figures import sensitivity_picture
from sim.report.sweep_surface_figures import surface_picture

MOST_NAMED_POINTS = 60
"""Points with a row of their own; more of them are drawn as a cloud."""


def sweep_pictures(found: Findings) -> list[Picture]:
    """Return the pictures of a sweep.

    `population` comes first where the points stand for organizations as they are found.
    `metrics` shows the metrics against what was swept: lines for one axis, heat maps for two,
    small multiples or main effects for more, clouds for sampled designs. `surface` stands before it
    in an adaptive sweep. `sensitivity` follows for
    the designs that have one, `effects` (differences to the baseline) unless nothing is known of
    any, `pareto` if there are prices, `selection` if there was a goal.

    Args:
        found: what :func:`sim.report.sweep_content.findings` read of it.
    """
    pictures = [population_picture(found)] if is_population(found) else []
    if found.told is not None and (surface := surface_picture(found, found.told)) is not None:
        pictures.append(surface)
    if found.axes:
        pictures.append(_metrics_picture(found))
    if found.indices is not None:
        pictures.append(sensitivity_picture(found))
    if found.has_baseline and any(rows.notna().any(axis=None) for rows in found.effects.values()):
        pictures.append(effects_picture(found))
    is_weighed = found.is_priced and found.shown != [COST]
    if is_weighed and not is_population(found) and len(found.sweep.points) > 1:
        pictures.append(pareto_picture(found))
    if found.selection is not None and found.selection.table["best_probability"].notna().any():
        pictures.append(selection_picture(found))
    return pictures


def _metrics_picture(found: Findings) -> Picture:
    if found.sweep.design in ("random", "lhs", "sobol", "morris", "adaptive"):
        return cloud_picture(found)
    if len(found.axes) == 1 and is_numeric(found.axes[0]):
        return line_picture(found)
    if len(found.axes) == 1 or found.sweep.design == "zip":
        few = len(found.sweep.points) <= MOST_NAMED_POINTS
        return points_picture(found) if few else cloud_picture(found)
    if len(found.axes) == 2:
        return heat_picture(found)
    if len(found.axes) == 3 and (roles := roles_of_axes(found)):
        return multiples_picture(found, roles)
    return main_effects_picture(found)
