"""The picture of a comparison: the paired differences of its arms to the first."""

import pandas as pd

from sim.document.picture import Picture
from sim.experiment.compare import Comparison
from sim.metrics import catalogue
from sim.metrics.catalogue import headlines
from sim.report.comparison import headline_differences
from sim.report.palette import entitle
from sim.report.sweep_effects_figures import plot_effects
from sim.report.sweep_panels import panel_grid, write_narrow_title
from sim.report.units import NO_DATA, column_unit, count_noun, difference_in
from sim.words import listed


def comparison_picture(of: Comparison) -> Picture:
    """Return the differences of the four metrics to the first arm, a row for each other arm."""
    first, *others = of.scenarios
    found = {arm: headline_differences(of, arm) for arm in others}
    figure, (row,) = panel_grid(
        10.0, 1.9 + 0.3 * max(len(others), 3), 1, len(headlines()), sharey="all"
    )
    told = []
    for name, ax in zip(headlines(), row, strict=True):
        metric = catalogue.metric(name)
        unit = column_unit(metric, found[others[0]][name].first)
        rows = [found[arm][name] for arm in others]
        frame = pd.DataFrame(
            {
                "difference": [each.difference for each in rows],
                "adjusted_low": [each.low for each in rows],
                "adjusted_high": [each.high for each in rows],
            },
            index=others,
        )
        plot_effects(frame / unit.size, ax)
        write_narrow_title(ax, name, unit, change=True, better_is_right=True)
        shown = [difference_in(unit, each.difference, each.low, each.high) for each in rows]
        pairs = zip(others, shown, strict=True)
        values = [f"{arm} {each.value} ({each.interval or NO_DATA})" for arm, each in pairs]
        told.append(f"{metric.label}, {unit.heading}: {listed(values)}")
    row[0].set_yticks(range(len(others)), others, fontsize=10)
    row[0].set_ylim(len(others) - 0.4, -0.6)
    n = int(of.runs.groupby("arm").size().min())
    entitle(figure, f"Difference to {first} ({count_noun(n, 'replication')})")
    caption = (
        "Paired differences under the same luck, with Holm-adjusted 95 % intervals. Filled circles "
        "differ, hollow ones cannot be told apart."
    )
    alt = f"Forest plot of the differences to {first}. {'; '.join(told)}."
    return Picture("differences", figure, f"What differs from {first}?", caption, alt)
