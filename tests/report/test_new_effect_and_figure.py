"""An effect of a step, and a figure, that one module declares need no change of another file."""

import importlib
import io
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest
from rich.console import Console
from test_new_metric import small

import sim
from sim.document.html import to_html
from sim.document.markdown import to_markdown
from sim.document.terminal import print_document
from sim.log import SCHEMAS
from sim.report import pictures
from sim.report.folder import write_folder
from sim.report.pictures import study_pictures
from sim.report.study_document import study_document
from sim.scenario import effects as names
from sim.scenario.documentation import texts
from sim.world import effects

SOURCE = """
from sim.document.picture import Picture
from sim.metrics.arrays import matches, table
from sim.report.palette import new_figure
from sim.report.pictures import draws
from sim.world.effects import plans
from sim.world.steps import Effect


class Announces(Effect):
    name = "announces"
    done = []

    def take_effect(self, execution):
        self.done.append(execution.change.change_id)


@plans("announces")
def _announces(organization, data_are_taken):
    return Announces()


@draws(section="Where lead time goes")
def announcements_picture(study):
    steps = table(study.first.tables, "steps")
    count = int(matches(steps, "effect", "announces").sum())
    figure, (ax,) = new_figure(4.0, 2.0)
    ax.bar([0], [count])
    words = f"{count} announcements"
    return Picture("announcements", figure, "Who was told?", "A bar.", words)
"""


@pytest.fixture
def declaring(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ModuleType]:
    """Yield a module that declares an effect and a figure, which are forgotten afterwards."""
    known = list(names.EFFECTS)
    monkeypatch.setattr(effects, "_plans", dict(effects._plans))
    monkeypatch.setattr(pictures, "_declared", list(pictures._declared))
    (tmp_path / "announcing.py").write_text(SOURCE, encoding="utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    yield importlib.import_module("announcing")
    names.EFFECTS[:] = known
    del sys.modules["announcing"]


def telling() -> sim.scenario.organization.Scenario:
    steps = {
        "test": {"role": "ml_engineer", "effort_h": 4},
        "tell_customers": {"role": "ml_engineer", "effort_h": 2, "effect": "announces"},
        "deploy": {"effect": "deploys"},
    }
    return small(pipeline={"steps": steps})


def test_a_new_effect_is_in_the_log_and_its_step_in_the_report(declaring: ModuleType) -> None:
    study = sim.replicate(telling())
    steps = study.first.tables["steps"]
    told = steps[steps["effect"] == "announces"]
    assert set(told["step"]) == {"tell_customers"}
    # It has done what it does, once for each change that passed, in all three replications.
    assert 0 < len(told) <= len(declaring.Announces.done)
    assert set(told["change_id"]) <= set(declaring.Announces.done)
    assert "announces" in SCHEMAS["steps"]["effect"].texts
    assert any("`announces`" in text for text in texts().values()), "in the reference as well"
    assert "tell customers" in to_html(study_document(study, drawings=study_pictures(study)))


def test_a_new_figure_is_in_its_section_of_the_report_and_in_the_folder(
    declaring: ModuleType, tmp_path: Path
) -> None:
    study = sim.replicate(telling())
    document = study_document(study, drawings=study_pictures(study))
    section = next(part for part in document.sections if part.title == "Where lead time goes")
    last = section.blocks[-1]
    assert last is document.pictures["announcements"], "after those that have a place"
    assert last.alt in to_html(document)
    assert last.alt in to_markdown(document)
    page = to_markdown(document, picture_paths={"announcements": "announcements.png"})
    assert "](announcements.png)" in page
    terminal = io.StringIO()
    print_document(document, Console(file=terminal, width=100))
    assert "announcements" not in terminal.getvalue(), "it cannot draw"
    write_folder(study, tmp_path / "out")
    assert (tmp_path / "out" / "figures" / "announcements.svg").exists()
    assert last.alt in (tmp_path / "out" / "report.html").read_text(encoding="utf-8")


def test_and_they_are_gone_afterwards() -> None:
    assert set(names.EFFECTS) == set(effects._plans)
    with pytest.raises(sim.ScenarioError, match="unknown value 'announces'"):
        telling()
    assert "announces" not in SCHEMAS["steps"]["effect"].texts


def test_each_effect_is_called_in_the_log_as_in_the_scenario() -> None:
    built = {kind.name for kind in (effects.TakesData, effects.TrainsModel, effects.Deploys)}
    assert built == set(names.EFFECTS)
