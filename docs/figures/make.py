"""Makes the pictures that the README shows: ``python docs/figures/make.py``, some minutes.

Each is one for slides: a picture of a report with fewer rows and words, so narrow that its letters
can be read where a page gives it 415 pixels. The picture of the playground needs Chromium and the
extra ``test``.
"""

import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure

import sim
from sim.experiment.payback import Payback
from sim.metrics.catalogue import headlines
from sim.report.band_figures import plot_metric
from sim.report.breakdown_figures import plot_lead_time, plot_restore_time
from sim.report.content import mean_and_interval, metric_rows
from sim.report.course_figures import plot_course
from sim.report.flow_figures import plot_cumulative_flow
from sim.report.gantt_figures import plot_gantt
from sim.report.incident_figures import plot_incidents
from sim.report.palette import entitle, new_figure
from sim.report.payback import ROLLING_WEEKS
from sim.report.payback_figures import plot_cumulated, plot_rolling
from sim.report.quality_figures import plot_quality
from sim.report.sweep_content import findings
from sim.report.sweep_figures import sweep_pictures
from sim.report.week_figures import plot_week
from sim.words import capitalized

FOLDER = Path(__file__).parent
WIDTH_IN = 5.6
"""At 415 pixels, letters of 9 points are as tall as those of small print, 9 pixels."""
DIALS = {"automation": sim.Interval(0, 1), "standardization": sim.Interval(0, 1)}
SMALL = ("organization=startup", "horizon_weeks=104")
SERVICE = "product-2.embedding"


def slide(name: str, title: str, height: float, draw: Callable[..., Any], rows: int = 1) -> None:
    """Draw a picture in a column of axes, and keep it."""
    figure, axes = new_figure(WIDTH_IN, height, rows)
    draw(*axes)
    if rows == 1:
        for side in ("left", "right"):
            axes[0].set_title("", loc=side)
    entitle(figure, title)
    save(name, figure)


def save(name: str, figure: Figure) -> None:
    """Keep a picture, with two pixels where a page gives it one."""
    figure.savefig(FOLDER / f"{name}.png", dpi=2 * 415 / figure.get_size_inches()[0])
    print(name, flush=True)


def main() -> None:
    """Make all of them."""
    slides_of_a_study(sim.replicate(sim.load()))
    slides_of_a_roadmap(sim.pay_back(sim.load("+experiment=jcurve")))
    sampled = sim.sweep(sim.load(*SMALL, "design=sobol", "samples=16"), DIALS, replications=4)
    narrow(sampled, "sensitivity", "pareto")
    listed = {"automation": [0.0, 0.25, 0.5, 0.75, 1.0]}
    narrow(sim.sweep(sim.load(*SMALL), listed, replications=20), "effects")
    photograph_playground()


def slides_of_a_study(study: sim.Study) -> None:
    """Make those of an organization; events are of replication 0."""
    records, breakdowns = study.first.records, study.breakdowns
    assert breakdowns is not None
    end = records.window[1]
    half_a_year, a_quarter = (records.within(end - 168 * weeks, end) for weeks in (26, 13))

    def metrics(*axes: Any) -> None:
        for row, ax in zip(metric_rows(study, headlines()), axes, strict=True):
            _, low, high = mean_and_interval(study, row.metric)
            plot_metric(study.runs[row.metric], row, (low, high), ax)
            ax.set_title(capitalized(row.label), loc="left", fontsize=9)

    def gantt(ax: Any) -> None:
        plot_gantt(records, ax, 5)
        ax.set_xticks([], minor=True)  # the names of the days
        ax.set_xlabel("a line per day, from commit to production")

    def course(*axes: Any) -> None:
        for column, ax in zip(("work_in_progress", "lead_time_h"), axes, strict=True):
            plot_course(study.weekly, column, study.scenario.warmup_weeks, ax)
        axes[-1].set_xlabel("week (hatched: warm-up)")

    slide("metrics", "The four metrics over DORA's bands", 5.2, metrics, rows=4)
    slide("lead_time", "Where lead time goes", 4.4, lambda ax: plot_lead_time(breakdowns.steps, ax))
    causes = breakdowns.causes
    slide("restore_time", "Where restore time goes", 3.2, lambda ax: plot_restore_time(causes, ax))
    slide("gantt", "Changes on their way", 3.6, gantt)
    slide("incidents", "The longest incidents", 3.6, lambda ax: plot_incidents(records, ax, 6))
    slide("week", "People at work", 3.4, lambda ax: plot_week(records, ax))
    quality = "The quality of a model"
    slide("quality", quality, 3.2, lambda ax: plot_quality(half_a_year, SERVICE, ax))
    slide("cumulative_flow", "Cumulative flow", 3.2, lambda ax: plot_cumulative_flow(a_quarter, ax))
    slide("course", "From week to week", 3.8, course, rows=2)


def slides_of_a_roadmap(payback: Payback) -> None:
    """Make that of a roadmap, against the organization without it."""
    rolled = payback.rolling(ROLLING_WEEKS)

    def draw(top: Any, bottom: Any) -> None:
        plot_cumulated(payback, top)
        plot_rolling(rolled, "lead_time_mean_h", bottom)
        bottom.legend(frameon=False, fontsize=9)
        bottom.set_xlabel("week")

    slide("payback", "When does the roadmap pay?", 4.2, draw, rows=2)


def narrow(sweep: sim.Sweep, *names: str) -> None:
    """Keep pictures of a sweep, narrower than in its report."""
    for picture in sweep_pictures(findings(sweep)):
        if picture.name in names:
            _, height = picture.figure.get_size_inches()
            picture.figure.set_size_inches(WIDTH_IN + 1.4, 0.85 * height)
            save(picture.name, picture.figure)


def photograph_playground() -> None:
    """Take a picture of the page as it opens, once all replications are in."""
    from playwright.sync_api import sync_playwright

    command = [sys.executable, "-m", "sim.playground", "--no-browser"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        address = server.stdout.readline().split()[-1]
        with sync_playwright() as playwright:
            path = shutil.which("chromium")
            browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox"])
            page = browser.new_page(viewport={"width": 1366, "height": 768})
            page.goto(address)
            page.wait_for_function("progress.textContent.startsWith('done')", timeout=300_000)
            page.screenshot(path=FOLDER / "playground.png")
            browser.close()
        server.terminate()
    print("playground")


if __name__ == "__main__":
    main()
