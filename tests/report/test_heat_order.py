"""The axes of heat maps ascend, however their values are listed."""

import matplotlib.pyplot as plt
import pytest
from matplotlib.axes import Axes

import sim
from sim.report.sweep_content import findings
from sim.report.sweep_figures import sweep_pictures


def ticks(ax: Axes) -> tuple[list[str], list[str]]:
    """Return what stands below a map and beside it."""
    return (
        [label.get_text() for label in ax.get_xticklabels()],
        [label.get_text() for label in ax.get_yticklabels()],
    )


@pytest.mark.parametrize("gap", ["", "exclude=[{automation: 0.5, standardization: 0}]"])
def test_listed_backwards_a_map_is_the_same(gap: str) -> None:
    settings = ["organization=startup", "horizon_weeks=14", "warmup_weeks=2", "n_jobs=1"]
    baseline = "baseline={automation: 1, standardization: 0}"
    base = sim.load(*settings, baseline, *([gap] if gap else []))
    maps = []
    for automation, standardization in (([0, 0.5, 1], [0, 1]), ([1, 0, 0.5], [1, 0])):
        axes = {"automation": automation, "standardization": standardization}
        found = findings(sim.sweep(base, axes, replications=3))
        picture = next(each for each in sweep_pictures(found) if each.name == "metrics")
        ax = picture.figure.axes[0]
        maps.append((ticks(ax), ax.images[0].get_array(), ax.patches[-1].get_xy()))
        plt.close(picture.figure)
    (first, cells, frame), (second, others, other_frame) = maps
    assert first == second == (["0", "0.5", "1"], ["0", "1"])
    assert cells.tolist() == others.tolist()
    assert [place.tolist() for place in cells.mask.nonzero()] == ([[0], [1]] if gap else [[], []])
    assert frame == other_frame == (1.5, -0.5)
