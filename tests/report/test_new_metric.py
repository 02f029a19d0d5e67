"""A metric that one module declares is everywhere, without a change of another file."""

import importlib
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import loky
import pandas as pd
import pytest
from rich.console import Console

import sim
from sim.document.html import to_html
from sim.document.terminal import print_document
from sim.experiment.axes import Axis
from sim.experiment.replicate import Study
from sim.experiment.sweep import Nobody, design_variants, run_sweep
from sim.metrics import catalogue
from sim.metrics.flow import waiting_by_step
from sim.playground.answers import Answer
from sim.playground.pieces import pieces
from sim.playground.state import from_query
from sim.report.documentation import metrics_text
from sim.report.pictures import study_pictures
from sim.report.study_document import study_document
from sim.report.sweep_content import findings
from sim.report.sweep_document import sweep_document
from sim.report.sweep_figures import sweep_pictures
from sim.scenario.from_data import validate
from sim.scenario.organization import Scenario
from sim.scenario.variants import Composed

SOURCE = """
from sim.experiment import scheduler
from sim.metrics.arrays import inside, reals, table
from sim.metrics.catalogue import Metric, measures


@measures(
    Metric(
        name="commits_per_week",
        label="commits",
        meaning="changes that somebody committed",
        topic="flow",
        dimension="quantity",
        unit="per week",
        better="more",
        prominence="headline",
        rests_on="n_changes_deployed",
    )
)
def commits_per_week(tables, window):
    committed = inside(reals(table(tables, "changes"), "committed_at"), window)
    return committed.sum() / ((window[1] - window[0]) / 168)


@measures(
    Metric(
        name="waste_per_week",
        label="wasted money",
        meaning="what nobody wanted",
        topic="cost",
        dimension="money",
        unit="per week",
        better="less",
        prominence="companion",
    )
)
def waste_per_week(tables, window):
    return 12345.0


def observe(scenario, seed, replication):
    return scheduler.observe(scenario, seed, replication)
"""


@pytest.fixture
def declaring(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ModuleType]:
    """Yield a module that declares two metrics, which are forgotten afterwards."""
    monkeypatch.setattr(catalogue, "_declared", [*catalogue._declared])
    monkeypatch.setattr(catalogue, "_by_name", dict(catalogue._by_name))
    (tmp_path / "new_metrics.py").write_text(SOURCE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    # Worker processes stay for the next test: new ones find the module, and they forget it.
    loky.get_reusable_executor().shutdown()
    yield importlib.import_module("new_metrics")
    loky.get_reusable_executor().shutdown()
    del sys.modules["new_metrics"]


def small(**settings: object) -> Scenario:
    return validate(
        {
            "name": "small",
            "horizon_weeks": 14,
            "warmup_weeks": 2,
            "replications": 3,
            "n_jobs": 1,
            "teams": {"team": {"people": {"ml_engineer": 2, "data_scientist": 2}}},
            "services": {"service": {"team": "team"}},
            "changes": {"feature": {"exploration_h": {"dist": "exponential", "mean": 10}}},
            "pipeline": {
                "steps": {
                    "test": {"role": "ml_engineer", "effort_h": {"dist": "exponential", "mean": 4}},
                    "deploy": {"effect": "deploys"},
                }
            },
            **settings,
        }
    )


def told(what: object, show: object) -> str:
    console = Console(file=io.StringIO(), width=140)
    show(what, console)  # type: ignore[operator]
    text: str = console.file.getvalue()  # type: ignore[attr-defined]
    return text


@pytest.mark.usefixtures("declaring")
def test_a_new_metric_is_in_the_report_of_a_study(tmp_path: Path) -> None:
    study: Study = sim.replicate(small())
    commits = study.summary()["mean"]["commits_per_week"]
    assert commits > 0.0
    said = told(study_document(study), print_document)
    assert "commits" in said
    assert "wasted money" in said
    assert "USD 12,345 per week" in said
    page = to_html(study_document(study, drawings=study_pictures(study)))
    assert "changes that somebody committed" in page
    assert "what nobody wanted" in page
    assert "commits_per_week" in metrics_text()


def test_a_new_metric_is_in_the_tables_of_a_sweep(declaring: ModuleType, tmp_path: Path) -> None:
    select = {"metric": "commits_per_week", "goal": "largest", "budget": 0}
    data = small(select=select).model_dump(mode="json", by_alias=True)
    axes = (Axis("automation", (0.0, 1.0)),)
    variants = design_variants(axes, lambda _: Composed(data))
    sweep = run_sweep(variants, axes, tmp_path, Nobody(), observe=declaring.observe)
    assert "waste_per_week" in set(sweep.summary()["metric"])
    assert "commits_per_week" in set(sweep.effects()["metric"])
    assert list(sweep.pareto("commits_per_week", cost="waste_per_week").columns)[-1] == (
        "commits_per_week"
    )
    found = findings(sweep)
    document = sweep_document(found, sweep_pictures(found))
    said = told(document, print_document)
    assert "commits" in said
    assert "highest commits" in said
    assert "commits<small>per week</small>" in to_html(document)


@pytest.mark.usefixtures("declaring")
def test_a_new_metric_is_in_a_comparison() -> None:
    scenarios = {arm: small(automation=dial) for arm, dial in zip("ab", (0.0, 1.0), strict=True)}
    comparison = sim.compare(scenarios)
    assert isinstance(comparison.runs, pd.DataFrame)
    run = sim.simulate(scenarios["a"])
    waiting = dict.fromkeys("ab", waiting_by_step(run.tables, run.window))
    shown = pieces(Answer(comparison, waiting, 3, 3), from_query({}))
    assert "commits" in shown["metrics"]
    assert "wasted money" in shown["more"]


def test_and_it_is_gone_afterwards() -> None:
    assert "commits_per_week" not in catalogue.names([])
