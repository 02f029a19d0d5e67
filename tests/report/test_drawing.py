"""Pictures are drawn the same wherever they are drawn, and in what formats somebody asks for."""

import os
from concurrent.futures import Future
from concurrent.futures.process import BrokenProcessPool
from contextlib import nullcontext
from dataclasses import replace
from pathlib import Path

import pytest
from matplotlib.figure import Figure

import sim
from sim.document.picture import Picture, drawn, png_of, save_picture, svg_source
from sim.experiment.payback import Payback, pay_back
from sim.report import drawing
from sim.report.drawing import draw_here, drawn_meanwhile
from sim.report.pictures import draws, pictures_of_others, study_pictures
from sim.report.study_document import study_document

SETTINGS = ("horizon_weeks=30", "warmup_weeks=8", "replications=2", "n_jobs=2")


@pytest.fixture(scope="module")
def payback() -> Payback:
    roadmap = "roadmap=[{practice: testing, level: full, start_week: 10, effort_h: {}}]"
    return pay_back(sim.load(*SETTINGS, "organization=startup", roadmap))


@pytest.fixture(scope="module")
def here(payback: Payback) -> dict[str, Picture]:
    return draw_here(payback.invested, payback)


@pytest.fixture
def few(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let there be one module that draws: what is tested is not what it draws."""
    monkeypatch.setattr(drawing, "drawing_modules", lambda: ["sim.report.cost_figures"])


@pytest.mark.processes
def test_workers_draw_the_same_byte_for_byte(
    payback: Payback, here: dict[str, Picture], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(drawing, "draw_here", None)  # nothing is left to this process
    with drawn_meanwhile(payback.invested, payback) as pictures:
        elsewhere = pictures()
    assert list(elsewhere) == list(here)
    assert elsewhere == here  # titles, captions and places too
    assert "payback" in here
    assert {picture.section for picture in here.values()} <= {
        section.title for section in study_document(payback.invested, payback).sections
    }


def test_they_are_the_pictures_of_the_study(payback: Payback, here: dict[str, Picture]) -> None:
    # Of the last period, but for the course, which tells whether the warm-up is long enough.
    assert payback.reported is not None
    made = study_pictures(payback.reported) | {"course": study_pictures(payback.waited)["course"]}
    assert set(made) == set(here) - {"payback"}
    for name, picture in made.items():
        assert drawn(picture) == here[name]


@pytest.mark.usefixtures("few")
@pytest.mark.parametrize("settings", [{"n_jobs": 1}, {"replications": 1}], ids=str)
def test_without_workers_nothing_is_started_to_draw(
    settings: dict[str, int], payback: Payback, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = payback.invested
    study = replace(
        study,
        scenario=study.scenario.model_copy(update=settings),
        runs=study.runs.head(settings.get("replications", 2)),
    )
    monkeypatch.setattr(drawing, "engine", None)
    with drawn_meanwhile(study) as pictures:
        assert list(pictures()) == ["cost"]


@pytest.mark.usefixtures("few")
def test_what_a_killed_worker_leaves_open_is_drawn_here(
    payback: Payback, monkeypatch: pytest.MonkeyPatch
) -> None:
    class Dying:
        def submit(self, *_: object) -> "Future[object]":
            future: Future[object] = Future()
            future.set_exception(BrokenProcessPool())
            return future

    monkeypatch.setattr(drawing, "engine", lambda **_: nullcontext(Dying()))
    with drawn_meanwhile(payback.invested, payback) as pictures:
        assert list(pictures()) == ["cost", "payback"]


@pytest.mark.processes
@pytest.mark.usefixtures("few")
def test_a_picture_that_somebody_else_declares_is_drawn_too(payback: Payback) -> None:
    from sim.report import pictures as declared

    before = list(declared._declared)
    try:

        @draws(section="Course over time")
        def mine(_: object) -> Picture:
            return Picture("mine", Figure(), "Whose?", "Mine.", f"of process {os.getpid()}")

        assert [placed.picture.name for placed in pictures_of_others(payback.invested)] == ["mine"]
        with drawn_meanwhile(payback.invested) as pictures:
            found = pictures()
        assert found["mine"].alt == f"of process {os.getpid()}"
        assert draw_here(payback.invested) == found
    finally:
        declared._declared[:] = before


def a_picture() -> Picture:
    figure = Figure(layout="constrained")
    figure.subplots().plot([1, 2], [3, 1])
    return Picture("one", figure, "What?", "A line.", "words")


def test_png_is_written_only_if_somebody_asks(tmp_path: Path) -> None:
    save_picture(a_picture(), tmp_path)
    assert [path.name for path in tmp_path.iterdir()] == ["one.svg"]
    save_picture(a_picture(), tmp_path, png=True)
    assert (tmp_path / "one.png").read_bytes().startswith(b"\x89PNG")
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one.png", "one.svg"]


def test_the_svg_does_not_depend_on_what_else_is_drawn() -> None:
    with_png, without = drawn(a_picture(), png=True), drawn(a_picture())
    assert svg_source(with_png) == svg_source(without) == svg_source(a_picture())
    assert drawn(without) is without
    with pytest.raises(ValueError, match="one was drawn without PNG"):
        png_of(without)
    with pytest.raises(ValueError, match="one is drawn: its figure is gone"):
        without.figure  # noqa: B018
