"""Pictures of a sweep: the right ones are drawn, agree with the numbers and fit the page."""

import functools
import itertools
import math
import warnings
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from sweeps import Failure, FakeSweep, grid, response, sample, with_failure, without

from sim.experiment.axes import Axis
from sim.experiment.selection import Selection
from sim.report.palette import BLUE, new_figure
from sim.report.sweep_cloud_figures import plot_cloud
from sim.report.sweep_content import findings, is_clear
from sim.report.sweep_document import sweep_document
from sim.report.sweep_effects_figures import MOST_ROWS, plot_effects
from sim.report.sweep_figures import sweep_pictures
from sim.report.sweep_heat_figures import plot_heat_map
from sim.report.sweep_line_figures import plot_line, plot_rows
from sim.report.sweep_multiples_figures import plot_lines
from sim.report.sweep_pareto_figures import plot_pareto
from sim.report.sweep_selection_figures import plot_selection
from sim.report.sweep_sensitivity_figures import plot_tornado
from sim.scenario.settings import SelectionSpec

FIVE = [0, 0.25, 0.5, 0.75, 1]
KEYS = ["automation", "standardization", "people.ml_engineer.count", "incidents.on_call_share"]
ESTIMATES = pd.DataFrame(
    {
        "mean": [3.0, 5.0, math.nan, 4.0],
        "ci_low": [2.5, 4.0, math.nan, math.nan],
        "ci_high": [3.5, 6.0, math.nan, math.nan],
    },
    index=[0.0, 0.1, 0.5, 1.0],
)


def zipped():
    points = pd.DataFrame({"automation": [0, 0.3, 1], "practice/testing": ["none", "full", "full"]})
    points.index.name = "point"
    axes = tuple(Axis(key, tuple(points[key])) for key in points)
    return FakeSweep(axes, points, response(points, 6), design="zip", baseline=1)


def all_failed():
    sweep = grid(automation=FIVE, standardization=[0, 1])
    failures = [Failure(point, "a=1", "boom") for point in range(10)]
    return replace(sweep, values=sweep.values * math.nan, failures=failures)


def chosen(sweep):
    table = pd.DataFrame(
        {"mean": 5.0, "feasible_probability": 0.9, "best_probability": [0.2, 0.75, 0.05], "n": 20},
        index=pd.Index([0, 1, 2], name="point"),
    )
    base = sweep.base.model_copy(update={"select": SelectionSpec(metric="lead_time_h")})
    return replace(sweep, base=base, selection=Selection(1, 0.5, table))


SWEEPS = {
    "line": lambda: grid(automation=FIVE),
    "names": lambda: grid(practice__testing=["none", "basic", "full"]),
    "many names": lambda: grid(organization=[f"company_{number}" for number in range(40)]),
    "heat map": lambda: grid(automation=FIVE, standardization=[0, 0.5, 1]),
    "large heat map": lambda: grid(
        6, automation=[n / 10 for n in range(11)], standardization=[n / 10 for n in range(11)]
    ),
    "long names": lambda: grid(
        practice__testing=["none", "a_very_thorough_one", "another_thorough_one", "b" * 40],
        practice__platform=["none", "a_self_service_portal"],
    ),
    "three": lambda: grid(automation=FIVE, standardization=[0, 1], practice__cicd=["none", "full"]),
    "four": lambda: grid(
        5, automation=[0, 1], standardization=[0, 1], services=[3, 6], practice__cicd=["no", "yes"]
    ),
    "lhs": lambda: sample("lhs", 60, KEYS[:2]),
    "sobol": lambda: sample("sobol", 60, KEYS),
    "morris": lambda: sample("morris", 50, KEYS),
    "zip": zipped,
    "no incidents": lambda: without(
        without(grid(3, automation=FIVE, standardization=[0, 1]), "time_to_restore_h"),
        "change_failure_rate",
    ),
    "no incidents, three": lambda: without(
        grid(3, automation=FIVE, standardization=[0, 1], services=[1, 2]), "time_to_restore_h"
    ),
    "single replication": lambda: grid(1, automation=FIVE),
    "one failed": lambda: with_failure(grid(automation=FIVE, standardization=[0, 1]), 4),
    "baseline failed": lambda: with_failure(grid(automation=FIVE, standardization=[0, 1]), 0),
    "all failed": all_failed,
    "one point": lambda: grid(automation=[0.5]),
    "selection": lambda: chosen(grid(automation=[0, 0.5, 1])),
}


def by_name(sweep):
    """Return the pictures of a sweep by name."""
    return {picture.name: picture for picture in sweep_pictures(findings(sweep))}


@functools.cache
def drawn(name):
    """Return the pictures of a sweep; nothing may warn while they are made."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return by_name(SWEEPS[name]())


# Drawn by default; the others take longer.
QUICK = {"line", "names", "heat map", "three", "lhs", "one failed", "all failed", "selection"}


@pytest.fixture
def ax():
    _, (ax,) = new_figure(6.0, 4.0)
    return ax


@pytest.mark.parametrize(
    ("name", "pictures"),
    [
        ("line", "metrics effects pareto"),
        ("heat map", "metrics effects pareto"),
        ("three", "metrics effects pareto"),
        ("lhs", "metrics pareto"),
        ("sobol", "metrics sensitivity pareto"),
        ("zip", "metrics effects pareto"),
        ("all failed", "metrics"),
        ("one point", ""),
        ("selection", "metrics effects pareto selection"),
    ],
)
def test_pictures_are_chosen_by_design(name, pictures):
    assert " ".join(drawn(name)) == pictures


@pytest.mark.parametrize(
    ("name", "title"),
    [
        ("line", "against automation"),
        ("many names", "by organization"),
        ("heat map", "over automation and standardization"),
        ("three", "against automation, by standardization and cicd"),
        ("four", "on average over the others"),
        ("lhs", "of 60 points"),
    ],
)
def test_metrics_are_drawn_by_the_number_of_axes(name, title):
    figure = drawn(name)["metrics"].figure
    assert title in figure.get_suptitle().replace("CI/CD", "cicd")


@pytest.mark.parametrize(
    "name",
    [name if name in QUICK else pytest.param(name, marks=pytest.mark.slow) for name in SWEEPS],
)
def test_everything_written_is_on_the_page_and_nothing_warns(name):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for picture in drawn(name).values():
            picture.figure.draw_without_rendering()
            page = picture.figure.bbox
            for text in written(picture.figure):
                box = text.get_window_extent()
                assert box.x0 >= page.x0 - 1, text
                assert box.x1 <= page.x1 + 1, text
                assert box.y0 >= page.y0 - 1, text
                assert box.y1 <= page.y1 + 1, text


def written(figure):
    """Return the texts that can be read: ticks outside the limits of their axes cannot."""
    texts = [figure._suptitle, *figure.texts]
    for ax in figure.axes:
        texts += [ax.title, ax._left_title, ax.xaxis.label, ax.yaxis.label, *ax.texts]
        for axis, limits in ((ax.xaxis, ax.get_xlim()), (ax.yaxis, ax.get_ylim())):
            low, high = sorted(limits)
            texts += [
                tick.label1
                for tick in axis.get_major_ticks()
                if tick.label1.get_visible() and low <= tick.get_loc() <= high
            ]
    return [text for text in texts if text.get_visible() and text.get_text()]


def test_mappings_that_differ_late_have_places_of_their_own():
    people = [f"{{data_scientist: 2, ml_engineer: 1, operations: {n}}}" for n in (1, 2, 3)]
    found = findings(grid(automation=[0, 1], teams__founders__people=people))
    heat_map, *_ = by_name(found.sweep)["metrics"].figure.axes
    places = [label.get_text() for label in heat_map.get_yticklabels()]
    assert len(set(places)) == 3
    page = sweep_document(found, [])
    points = next(part for part in page.sections if part.title == "The points").blocks[0]
    assert len({tuple(map(str, row.cells[1:3])) for row in points.rows}) == 6


def test_every_picture_has_words_for_those_who_cannot_see_it():
    for picture in drawn("selection").values():
        assert len(picture.alt) > 40
        assert len(picture.caption) > 40


def test_unstable_sweeps_say_so_in_every_picture():
    sweep = replace(SWEEPS["line"](), n_unstable=2)
    for picture in sweep_pictures(findings(sweep)):
        assert any(text.get_text() == "unstable at 2 of 5 points" for text in picture.figure.texts)


def test_line_goes_through_the_means_and_bars_are_the_intervals(ax):
    assert plot_line(ESTIMATES, 0.1, ax) is ax
    line, (lower, upper), _ = ax.containers[0].lines
    assert line.get_xdata().tolist() == [0.0, 0.1, 1.0]
    assert line.get_ydata().tolist() == [3.0, 5.0, 4.0]
    # Where the interval is unknown there is no bar: one without a length would be certainty.
    np.testing.assert_array_equal(lower.get_ydata().astype(float), [2.5, 4.0, np.nan])
    np.testing.assert_array_equal(upper.get_ydata().astype(float), [3.5, 6.0, np.nan])
    (baseline,) = [each for each in ax.lines if each.get_marker() == "D"]
    assert baseline.get_xydata().tolist() == [[0.1, 5.0]]
    assert ax.get_ylim()[0] == 0.0


def test_rows_are_points_and_a_missing_one_says_so(ax):
    plot_rows(ESTIMATES, 3, ax)
    line = ax.containers[0].lines[0]
    assert line.get_ydata().tolist() == [0, 1, 2, 3]
    np.testing.assert_array_equal(line.get_xdata().astype(float), ESTIMATES["mean"])
    (text,) = ax.texts
    assert text.get_text() == "no data"
    assert text.xy[1] == 2.0


def test_lines_do_not_hide_each_other(ax):
    plot_lines({"a": ESTIMATES, "b": ESTIMATES}, ax)
    first, second = (container.lines[0] for container in ax.containers)
    assert (second.get_xdata() - first.get_xdata() > 0.0).all()
    styles = {
        (line.get_color(), line.get_linestyle(), line.get_marker()) for line in (first, second)
    }
    assert len({style[1:] for style in styles}) == 2


@pytest.mark.parametrize("size", [3, 9])
def test_cells_of_a_heat_map(ax, size):
    cells = pd.DataFrame(np.arange(11.0, size * size + 11).reshape(size, size))
    cells.iloc[0, 2] = math.nan
    unclear = pd.DataFrame(False, cells.index, cells.columns)
    unclear.iloc[1, 1] = True
    unclear.iloc[0, 2] = True
    plot_heat_map(cells, unclear, (2, 0), "days", ax)
    (image,) = ax.images
    np.testing.assert_array_equal(image.get_array().filled(math.nan), cells)
    assert image.origin == "lower"
    marked = (
        [patch.get_xy() for patch in ax.patches if patch.get_hatch()]
        if size == 3
        else [tuple(line.get_xydata()[0] - 0.5) for line in ax.lines if line.get_marker() == "."]
    )
    assert marked == [(0.5, 0.5)]  # not the one without data
    frames = [
        patch for patch in ax.patches if isinstance(patch, Rectangle) and not patch.get_hatch()
    ]
    assert {patch.get_xy() for patch in frames} == {(-0.5, 1.5)}
    assert len(ax.texts) == (size * size - 1 if size == 3 else 0)
    assert ax.figure.axes[1].get_ylabel() == "days"


def test_heat_map_that_spans_powers_of_ten_is_logarithmic(ax):
    cells = pd.DataFrame([[1.0, 100.0]])
    plot_heat_map(cells, cells > 1e9, (0, 0), "h", ax)
    assert "logarithmic" in ax.figure.axes[1].get_ylabel()


def test_heat_map_of_a_sweep_has_each_point_in_its_place():
    sweep = replace(grid(automation=FIVE, standardization=[0, 0.5, 1]), baseline=7)
    figure = by_name(sweep)["metrics"].figure
    ax = figure.axes[1]  # lead time
    means = sweep.summary(["lead_time_h"]).set_index(["automation", "standardization"])["mean"]
    for (x, automation), (y, standardization) in itertools.product(
        enumerate(FIVE), enumerate([0, 0.5, 1])
    ):
        shown = 24.0 * ax.images[0].get_array()[y, x]
        assert shown == pytest.approx(means[automation, standardization])
    frames = {patch.get_xy() for patch in ax.patches if not patch.get_hatch()}
    assert frames == {(1.5, 0.5)}  # point 7: third automation, second standardization
    effects = sweep.effects().query("metric == 'lead_time_h'")
    hatched = sum(bool(patch.get_hatch()) for patch in ax.patches)
    assert hatched == (~is_clear(effects)).sum()


def test_small_multiples_have_each_point_in_its_place():
    # The first numeric axis goes across, though it comes second.
    sweep = grid(practice__testing=["none", "full"], automation=FIVE, services=[3, 6, 9])
    figure = by_name(sweep)["metrics"].figure
    ax = figure.axes[3 + 2]  # second row, lead time; third column
    assert figure.axes[2].get_title(loc="left") == "services: 9"
    means = sweep.summary(["lead_time_h"]).set_index(["practice/testing", "services"])["mean"]
    for container, testing in zip(ax.containers, ["none", "full"], strict=True):
        drawn = 24.0 * container.lines[0].get_ydata()
        assert drawn.tolist() == pytest.approx(means[testing, 9].tolist())


def test_an_axis_with_a_value_without_data_is_still_one_of_those_that_do_most():
    # Seven axes, of which six are drawn. Automation moves everything by far the most; of its value
    # 2 there is no point.
    others = {f"other_{number}": [0, 1] for number in range(6)}
    sweep = grid(replications=3, automation=[0, 1, 2], **others)
    there = (sweep.points["automation"] < 2).to_numpy()
    points = sweep.points[there].reset_index(drop=True).rename_axis("point")
    size = 100.0 + points.to_numpy() @ np.array([50.0, 1, 2, 3, 4, 5, 6])
    values = sweep.values[there] * 0.0 + size[:, np.newaxis, np.newaxis]
    axes = by_name(replace(sweep, points=points, values=values))["metrics"].figure.axes
    drawn = [ax.get_xlabel() for ax in axes if ax.get_xlabel()]
    assert drawn == ["automation", *(f"other {number}" for number in range(1, 6))]


def test_cloud_has_a_circle_per_point(ax):
    frame = ESTIMATES.assign(x=ESTIMATES.index)
    plot_cloud(frame, True, ax)
    bars, circles = ax.collections
    assert len(bars.get_segments()) == 4
    np.testing.assert_array_equal(circles.get_offsets().filled(math.nan)[:, 1], frame["mean"])


def test_bars_of_a_tornado_are_the_indices(ax):
    indices = pd.DataFrame(
        {"index": [0.7, 0.2], "low": [0.6, 0.1], "high": [0.8, 0.3], "first": [0.5, 0.1]},
        index=["automation", "standardization"],
    )
    plot_tornado(indices, ["0.7", "0.2"], ax)
    assert [bar.get_width() for bar in ax.patches] == [0.7, 0.2]
    assert [label.get_text() for label in ax.get_yticklabels()] == ["automation", "standardization"]
    assert ax.yaxis_inverted()  # the strongest on top
    assert [text.get_text() for text in ax.texts] == ["0.7", "0.2"]


def test_effects_are_filled_where_they_are_clear(ax):
    frame = pd.DataFrame(
        {
            "difference": [1.0, -1.0, 2.0, math.nan],
            "adjusted_low": [-0.5, -1.5, 1.5, math.nan],
            "adjusted_high": [2.5, -0.5, 2.5, math.nan],
        }
    )
    plot_effects(frame, ax)
    filled, hollow = (container.lines[0] for container in ax.containers)
    assert to_hex(filled.get_markerfacecolor()) == BLUE
    assert filled.get_xydata().tolist() == [[-1.0, 1], [2.0, 2]]
    assert hollow.get_markerfacecolor() == "white"
    assert hollow.get_xydata()[0].tolist() == [1.0, 0]


def test_forest_plot_shows_the_largest_and_says_so():
    picture = drawn("many names")["effects"]
    labels = [label.get_text() for label in picture.figure.axes[0].get_yticklabels()]
    assert len(labels) == MOST_ROWS
    assert "company 0" not in labels  # the baseline
    assert "Of 39 points, the 30 with the largest differences are shown" in picture.caption


@pytest.mark.parametrize(("larger", "front"), [(False, [0, 1, 3]), (True, [0, 2])])
def test_front_is_joined_from_the_cheapest_on(ax, larger, front):
    frame = pd.DataFrame({"cost": [1.0, 2.0, 3.0, 4.0], "mean": [5.0, 3.0, 9.0, 1.0]})
    for name in ("cost", "mean"):
        low, high = ("cost_low", "cost_high") if name == "cost" else ("ci_low", "ci_high")
        frame[low], frame[high] = frame[name] - 0.1, frame[name] + 0.1
    frame["front"] = frame.index.isin(front)
    frame["label"] = ["a", "b", "c", "d"]
    plot_pareto(frame, larger, ax)
    (step,) = [line for line in ax.lines if line.get_drawstyle() == "steps-post"]
    assert step.get_xydata().tolist() == frame.loc[front, ["cost", "mean"]].to_numpy().tolist()
    assert [text.get_text() for text in ax.texts] == [frame["label"][number] for number in front]


def test_front_of_a_sweep_is_not_beaten():
    sweep = SWEEPS["many names"]()
    figure = by_name(sweep)["pareto"].figure
    frame = sweep.summary().pivot(index="point", columns="metric", values="mean")
    cost = frame["cost_per_week"].to_numpy() / 1000.0
    (step,) = [line for line in figure.axes[0].lines if line.get_drawstyle() == "steps-post"]
    for money, rate in step.get_xydata():
        better = (cost < money) & (frame["deployment_frequency"].to_numpy() * 7 > rate)
        assert not better.any()


def test_probabilities_of_a_selection(ax):
    plot_selection(pd.Series([0.75, 0.2], index=["a", "b"]), ax)
    assert [bar.get_width() for bar in ax.patches] == [75.0, 20.0]
    assert [text.get_text() for text in ax.texts] == ["75 %", "20 %"]


def test_most_likely_best_point_is_on_top():
    figure = drawn("selection")["selection"].figure
    labels = [label.get_text() for label in figure.axes[0].get_yticklabels()]
    assert labels == ["automation 0.5", "automation 0", "automation 1"]


def test_all_metrics_of_a_point_come_in_one_unit():
    found = findings(SWEEPS["heat map"]())
    assert {metric: unit.heading for metric, unit in found.units.items()} == {
        "deployment_frequency": "per service and week",
        "lead_time_h": "days",
        "change_failure_rate": "%",
        "time_to_restore_h": "h",
        "cost_per_week": "USD thousand per week",
    }


def test_a_difference_of_one_percent_is_nearly_one_colour_and_better_is_the_same_end() -> None:
    def shades(low: float, high: float, better: str) -> list[float]:
        figure = Figure()
        ax = figure.subplots()
        cells = pd.DataFrame([[low, high]])
        plot_heat_map(cells, cells < 0.0, (0, 0), "h", ax, better)
        (image,) = ax.images
        red, green, blue, _ = image.cmap(image.norm([low, high])).T
        return list(0.2126 * red + 0.7152 * green + 0.0722 * blue)

    less, more = shades(100.0, 101.0, "more")
    assert abs(more - less) < 0.05
    less, more = shades(50.0, 100.0, "more")
    assert more - less > 0.5
    less, more = shades(50.0, 100.0, "less")
    assert less - more > 0.5
