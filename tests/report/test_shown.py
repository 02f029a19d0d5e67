"""What a REPL and a notebook show of results, and the figures that they draw of themselves."""

from typing import Any

import pytest
from IPython.core.formatters import DisplayFormatter
from matplotlib.figure import Figure

import sim
from sim.metrics.catalogue import headlines, metric
from sim.report.content import metric_rows

SMALL = ("organization=startup", "horizon_weeks=30", "warmup_weeks=6", "n_jobs=1")
ROADMAP = "roadmap=[{practice: cicd, level: full, start_week: 12, effort_h: {}}]"


@pytest.fixture(scope="module")
def results() -> dict[str, Any]:
    scenario = sim.load(*SMALL)
    study = sim.replicate(scenario, 3)
    arms = {"as it is": scenario, "automated": sim.load(*SMALL, "automation=1")}
    return {
        "Run": study.first,
        "Study": study,
        "Comparison": sim.compare(arms, 3),
        "Sweep": sim.sweep(scenario, {"automation": [0, 1]}, replications=3),
        "Payback": sim.pay_back(sim.load(*SMALL, ROADMAP), 3),
    }


@pytest.mark.parametrize("kind", ["Run", "Study", "Comparison", "Sweep", "Payback"])
def test_a_result_is_a_few_lines_in_a_repl_and_a_small_table_in_a_notebook(
    kind: str, results: dict[str, Any]
) -> None:
    lines = repr(results[kind]).splitlines()
    assert lines[0].startswith(kind)
    assert len(lines) <= 25
    assert max(map(len, lines)) <= 80
    assert "seed" in lines[1] + lines[2]
    page = results[kind]._repr_html_()
    for name in headlines():
        assert metric(name).label in page
        assert metric(name).label.split()[0] in repr(results[kind])
    assert page.count("<table>") == 1
    assert len(page) < 6000


def test_the_numbers_are_those_of_the_report(results: dict[str, Any]) -> None:
    study = results["Study"]
    for row in metric_rows(study, headlines()):
        assert row.estimate.value in repr(study)
        assert row.estimate.interval in repr(study)


def test_few_replications_are_said_of_a_comparison() -> None:
    scenario = sim.load(*SMALL)
    two = sim.compare({"a": scenario, "b": scenario}, 2)
    assert "2 replications: too few for intervals" in repr(two)


@pytest.mark.parametrize(
    ("kind", "names"),
    [
        ("Run", ["", "lead_time", "gantt", "week", "quality", "incidents", "restore_time"]),
        ("Study", ["", "lead_time", "course"]),
        ("Comparison", ["", "differences"]),
        ("Sweep", ["", "effects"]),
        ("Payback", ["", "payback"]),
    ],
)
def test_a_result_draws_the_figures_of_its_report(
    kind: str, names: list[str], results: dict[str, Any]
) -> None:
    for name in names:
        figure = results[kind].plot(name)
        assert isinstance(figure, Figure)
        assert any(ax.has_data() for ax in figure.axes), name


def test_a_figure_that_there_is_not_is_named_with_the_nearest(results: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="no figure 'led_time'; did you mean 'lead_time'"):
        results["Study"].plot("led_time")


def test_where_time_goes_adds_up_to_the_metrics_of_all_replications(
    results: dict[str, Any],
) -> None:
    study = results["Study"]
    means = study.summary()["mean"]
    found = study.breakdowns
    assert found.steps.to_numpy().sum() == pytest.approx(means["lead_time_mean_h"])
    assert found.roles.sum() == pytest.approx(means["lead_time_people_h"])
    assert found.effort["capacity_h_per_week"].sum() == pytest.approx(means["capacity_h_per_week"])
    phases = found.causes.drop(columns="incidents").sum(axis="columns")
    hours = float((phases * found.causes["incidents"]).sum())
    assert hours == pytest.approx(float(study.restored.hours.sum()))


def test_the_quality_of_any_service_is_drawn_in_any_weeks(results: dict[str, Any]) -> None:
    run = results["Run"]
    for service in run.tables["services"]["service"]:
        (ax,) = run.plot("quality", service=service, weeks=(8, 20)).axes
        assert service in ax.get_title(loc="left")
        low, high = ax.get_xlim()
        assert 7 <= low <= 8
        assert 20 <= high <= 21


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"name": "quality", "service": "founders.recomender"}, "founders.recommender"),
        ({"name": "gantt", "service": "founders.recommender"}, "'quality' alone"),
        ({"name": "gantt", "weeks": (20, 8)}, "weeks are 20 to 8 of 30"),
        ({"name": "gantt", "weeks": (8, 31)}, "weeks are 8 to 31 of 30"),
    ],
)
def test_a_figure_of_a_run_that_cannot_be_is_refused(
    arguments: dict[str, Any], message: str, results: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=message):
        results["Run"].plot(**arguments)


@pytest.mark.parametrize("kind", ["Run", "Study", "Comparison", "Sweep", "Payback"])
def test_a_notebook_shows_the_figure_where_nobody_has_imported_pyplot(
    kind: str, results: dict[str, Any]
) -> None:
    shown, _ = DisplayFormatter().format(results[kind].plot())
    assert shown["image/png"].startswith(b"\x89PNG")


def test_a_repr_is_text_in_a_notebook_too(
    results: dict[str, Any], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    before = repr(results["Study"])
    monkeypatch.setattr("rich.console._is_jupyter", lambda: True)
    assert repr(results["Study"]) == before
    assert capsys.readouterr().out == ""
