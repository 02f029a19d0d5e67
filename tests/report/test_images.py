"""Every picture looks as it did when somebody last looked at it.

The numbers are made by hand, so that a change of the model does not change a picture; what is drawn
is compared with the images beside this file, pixel by pixel. After a change that is meant, make
them anew and look at them:

    pytest tests/report/test_images.py -n 0 --mpl-generate-path=tests/report/images
"""

import math
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from events import WINDOW, make_tables
from studies import make_study

from sim.claims.claim import Claim
from sim.claims.figure import forest_plot
from sim.claims.judge import Observations, judge
from sim.experiment.payback import Payback
from sim.log import Records
from sim.metrics.cost import HEADS
from sim.report.band_figures import plot_metric
from sim.report.breakdown_figures import plot_effort, plot_lead_time, plot_restore_time
from sim.report.content import MetricRow
from sim.report.cost_figures import plot_cost
from sim.report.course_figures import plot_course
from sim.report.flow_figures import plot_cumulative_flow
from sim.report.gantt_figures import plot_gantt
from sim.report.incident_figures import plot_incidents
from sim.report.palette import new_figure
from sim.report.payback_figures import plot_cumulated, plot_rolling
from sim.report.quality_figures import plot_quality
from sim.report.sweep_cloud_figures import plot_cloud
from sim.report.sweep_effects_figures import plot_effects
from sim.report.sweep_heat_figures import plot_heat_map
from sim.report.sweep_line_figures import plot_line, plot_rows
from sim.report.sweep_multiples_figures import plot_lines
from sim.report.sweep_pareto_figures import plot_pareto
from sim.report.sweep_selection_figures import plot_selection
from sim.report.sweep_sensitivity_figures import plot_tornado
from sim.report.sweep_surface_figures import mark_crossing, plot_surface
from sim.report.units import Estimate
from sim.report.week_figures import plot_week

# Root mean square of the differences, of 255: letters of another version of FreeType stay below,
# a bar of another length or colour does not.
compared = pytest.mark.mpl_image_compare(
    baseline_dir="images", tolerance=2.0, style="default", savefig_kwargs={"dpi": 70}
)

WEEKS = np.arange(40)


def canvas(height: float = 4.0, width: float = 8.0):
    return new_figure(width, height)


def intervals(means: list[float], **index: Any) -> pd.DataFrame:
    mean = np.array(means)
    return pd.DataFrame({"mean": mean, "ci_low": 0.9 * mean, "ci_high": 1.15 * mean}, **index)


# --- a run --------------------------------------------------------------------------------------


@compared
@pytest.mark.parametrize(
    ("metric", "values", "interval", "said"),
    [
        ("lead_time_h", [90.0, 120.0, 200.0], (80.0, 190.0), "5.7 days"),
        ("deployment_frequency", [0.2, 0.3, 0.45], (0.18, 0.44), "2.2 per week"),
        ("change_failure_rate", [0.1, 0.2, 0.3], (0.08, 0.35), "20 %"),
        ("time_to_restore_h", [2.0, 9.0, 30.0], (0.0, 31.0), "13.7 h"),
    ],
    ids=["lead_time", "deployment_frequency", "change_failure_rate", "time_to_restore"],
)
def test_metric(metric, values, interval, said):
    figure, (ax,) = canvas(2.2)
    row = MetricRow(metric, metric.removesuffix("_h"), Estimate(said, "low – high"), ("high",), "")
    plot_metric(pd.Series(values), row, interval, ax)
    return figure


@compared
def test_lead_time():
    parts = ("effort_h", "run_h", "people_h", "compute_h", "window_h", "handoff_h", "batch_h")
    hours = [[2, 1, 6, 0, 0, 1, 0], [1, 9, 3, 5, 0, 0, 0], [1, 0, 8, 0, 20, 3, 9]]
    waiting = pd.DataFrame(hours, index=["unit_test", "train", "approve"], columns=parts)
    waiting["rework_h"] = [0, 4, 2]
    figure, (ax,) = canvas()
    plot_lead_time(waiting.astype(float), ax)
    return figure


@compared
def test_restore_time():
    parts = ["detect_h", "respond_h", "diagnose_h", "remedy_h", "incidents"]
    by_cause = pd.DataFrame(
        [[20.0, 8.0, 6.0, 30.0, 12.0], [1.0, 0.5, 2.0, 4.0, 1.0]],
        index=["model", "infra"],
        columns=parts,
    )
    figure, (ax,) = canvas(3.0)
    plot_restore_time(by_cause, ax)
    return figure


@compared
def test_effort():
    columns = ("delivery", "incident_work", "toil", "investment", "idle", "capacity")
    hours = [[120.0, 30.0, 10.0, 8.0, 32.0, 200.0], [20.0, 60.0, 20.0, 0.0, -10.0, 90.0]]
    by_role = pd.DataFrame(
        hours,
        index=["data_scientist", "operations"],
        columns=[f"{name}_h_per_week" for name in columns],
    )
    figure, (ax,) = canvas(3.0)
    plot_effort(by_role, ax)
    return figure


@compared
def test_cost():
    bill = pd.DataFrame({head: [9e3 / (n + 1), 8e3, 1e4] for n, head in enumerate(HEADS)})
    figure, (ax,) = canvas()
    plot_cost(bill, [0, 4, 8, 10], 4, "EUR", ax)
    return figure


@compared
def test_course():
    weekly = pd.DataFrame(
        {
            "replication": np.repeat(np.arange(3), 40),
            "week": np.tile(WEEKS, 3),
            "lead_time_h": np.concatenate(
                [(90.0 + 30.0 * n) * (1.0 - np.exp(-WEEKS / 4.0)) + WEEKS % 5 for n in range(3)]
            ),
        }
    )
    figure, (ax,) = canvas(3.0)
    plot_course(weekly, "lead_time_h", 8, ax)
    return figure


@compared
def test_cumulative_flow():
    figure, (ax,) = canvas()
    plot_cumulative_flow(Records(make_tables(), WINDOW), ax)
    return figure


@compared
@pytest.mark.parametrize("count", [8, 3])
def test_gantt(count):
    figure, (ax,) = canvas(5.0)
    plot_gantt(Records(make_tables(), WINDOW), ax, count)
    return figure


@compared
def test_quality():
    figure, (ax,) = canvas()
    plot_quality(Records(make_tables(), WINDOW), "shop.search", ax)
    return figure


@compared
def test_incidents():
    figure, (ax,) = canvas(5.0)
    plot_incidents(Records(make_tables(), WINDOW), ax)
    return figure


@compared
def test_week():
    figure, (ax,) = canvas(2.6)
    plot_week(Records(make_tables(), WINDOW), ax)
    return figure


# --- a roadmap ----------------------------------------------------------------------------------


@compared
def test_rolling():
    arms = {
        (arm, "lead_time_mean_h"): intervals(list(courses), index=pd.Index(WEEKS, name="week"))
        for arm, courses in (("invested", 200.0 - 3.0 * WEEKS), ("waited", 150.0 + WEEKS % 3))
    }
    figure, (ax,) = canvas(3.0)
    plot_rolling(pd.concat(arms, names=["arm", "metric"]), "lead_time_mean_h", ax)
    return figure


@compared
def test_cumulated():
    study = make_study(replications=4)
    week = study.weekly["week"].to_numpy()
    luck = study.weekly["replication"].to_numpy() + 1.0
    # Costs more for the first twenty weeks, then less: paid back after forty or so.
    costs = np.where(week < 20, 1000.0 + 100.0 * luck, -1200.0)
    adopted = {"investments": pd.DataFrame({"adopted_at": [20.0 * 168.0]})}
    first = replace(study.first, tables={**study.first.tables, **adopted})
    invested = replace(study, weekly=study.weekly.assign(net_cost=costs), first=first)
    waited = replace(study, weekly=study.weekly.assign(net_cost=0.0))
    figure, (ax,) = canvas(3.0)
    plot_cumulated(Payback(invested, waited), ax)
    return figure


# --- a sweep ------------------------------------------------------------------------------------


@compared
def test_line():
    figure, (ax,) = canvas(3.0, 5.0)
    plot_line(intervals([9.0, 7.0, math.nan, 3.0], index=[0.0, 0.3, 0.6, 1.0]), 0.3, ax)
    return figure


@compared
def test_rows():
    figure, (ax,) = canvas(3.0, 5.0)
    plot_rows(intervals([9.0, 7.0, math.nan, 3.0]), 1, ax)
    return figure


@compared
def test_heat_map():
    cells = pd.DataFrame(
        [[1.0, 4.0, 9.0], [2.0, math.nan, 7.0]], index=["none", "full"], columns=["0", "0.5", "1"]
    )
    figure, (ax,) = canvas(3.0, 5.0)
    plot_heat_map(cells, cells < 3.0, (0, 2), "days", ax)
    return figure


@compared
def test_surface():
    line = np.linspace(0.0, 1.0, 9)
    values = 9.0 - 6.0 * line[np.newaxis] - 2.0 * line[:, np.newaxis]
    values[0, 0] = math.nan
    surface = pd.DataFrame(values, index=line, columns=line)
    points = pd.DataFrame({"across": [0.2, 0.8, 1.0], "up": [0.3, 0.9, 0.0], "n": [4, 8, 40]})
    figure, (ax,) = canvas(3.0, 5.0)
    plot_surface(surface, points, "days", (1.0, 9.0), ax)
    mark_crossing(line, line, values, 5.0, np.abs(values - 5.0) < 0.8, ax)
    return figure


@compared
def test_lines():
    figure, (ax,) = canvas(3.0, 5.0)
    index = [0.0, 0.5, 1.0]
    lines = {
        "none": intervals([9.0, 8.0, 7.0], index=index),
        "full": intervals([8.0, 5.0, 2.0], index=index),
    }
    plot_lines(lines, ax)
    return figure


@compared
def test_cloud():
    x = np.arange(24) / 24.0
    frame = intervals(list(9.0 - 5.0 * x + (7.0 * x) % 1.0)).assign(x=x)
    figure, (ax,) = canvas(3.0, 5.0)
    plot_cloud(frame, True, ax)
    return figure


@compared
def test_tornado():
    indices = pd.DataFrame(
        {"index": [0.6, 0.3, 0.05], "low": [0.5, 0.2, 0.0], "high": [0.7, 0.4, 0.1]},
        index=["automation", "standardization", "services"],
    ).assign(first=[0.5, 0.1, 0.04])
    figure, (ax,) = canvas(3.0, 5.0)
    plot_tornado(indices, ["0.60", "0.30", "0.05"], ax)
    return figure


@compared
def test_effects():
    frame = pd.DataFrame(
        {
            "difference": [-3.0, 0.5, math.nan, 2.0],
            "adjusted_low": [-4.0, -1.0, math.nan, 1.0],
            "adjusted_high": [-2.0, 2.0, math.nan, 3.0],
        }
    )
    figure, (ax,) = canvas(3.0, 5.0)
    plot_effects(frame, ax)
    return figure


@compared
def test_pareto():
    cost = intervals([4.0, 5.0, 6.0, 7.0]).add_prefix("cost_")
    frame = intervals([9.0, 5.0, 7.0, 3.0]).assign(
        cost=cost["cost_mean"],
        cost_low=cost["cost_ci_low"],
        cost_high=cost["cost_ci_high"],
        front=[True, True, False, True],
        label=["0", "0.5", "0.7", "1"],
    )
    figure, (ax,) = canvas(3.0, 5.0)
    plot_pareto(frame, False, ax)
    return figure


@compared
def test_selection():
    figure, (ax,) = canvas(3.0, 5.0)
    plot_selection(pd.Series([0.75, 0.2, 0.05], index=["full", "basic", "none"]), ax)
    return figure


# --- the claims ---------------------------------------------------------------------------------


@compared
def test_claims():
    def claim(name: str, sign: str, **margin: float) -> Claim:
        return Claim.model_validate(
            {
                "id": name,
                "claim": "Something happens.",
                "section": "1",
                "low": [],
                "high": ["automation=1"],
                "expectations": [{"metric": "lead_time_h", "sign": sign, **margin}],
                "mechanism": "Somehow.",
                "trace": ["lead_time_run_h"],
            }
        )

    def arms(difference: float) -> dict[str, Observations]:
        low = np.array([99.0, 100.0, 101.0, 100.0])
        high = low + difference + np.array([-2.0, 1.0, 2.0, -1.0])
        return {
            name: Observations(pd.DataFrame({"lead_time_h": values, "unstable": 0.0}))
            for name, values in (("low", low), ("high", high))
        }

    claims = [
        claim("A1", "-"),
        claim("A2", "-"),
        claim("A3", "+"),
        claim("A4", "none", margin=20.0),
        claim("A5", "report"),
    ]
    differences = (-40.0, 60.0, 2.0, 3.0, 12.0)
    findings = judge(claims, [arms(difference) for difference in differences])
    return forest_plot(findings, "Five claims")
