"""The folder of results appears whole or not at all."""

from pathlib import Path

import pytest

import sim
from sim.report import folder


@pytest.fixture(scope="module")
def study() -> sim.Study:
    scenario = sim.load("horizon_weeks=12", "replications=1", "n_jobs=1", config="verification/mm1")
    return sim.replicate(scenario)


def test_an_empty_folder_is_filled_and_nothing_else_is_made(
    study: sim.Study, tmp_path: Path
) -> None:
    results = tmp_path / "a" / "results"
    results.mkdir(parents=True)
    folder.write_folder(study, results)
    assert (results / "report.html").is_file()
    assert list(results.parent.iterdir()) == [results]


def test_an_interrupt_while_writing_leaves_nothing(
    study: sim.Study, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupted(*_: object) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(folder, "write_document", interrupted)
    with pytest.raises(KeyboardInterrupt):
        folder.write_folder(study, tmp_path / "results")
    assert list(tmp_path.iterdir()) == []


def test_a_folder_in_use_is_left_as_it_is(study: sim.Study, tmp_path: Path) -> None:
    results = tmp_path / "results"
    results.mkdir()
    (results / "notes.txt").write_text("precious", encoding="utf-8")
    with pytest.raises(OSError, match="results"):
        folder.write_folder(study, results)
    assert list(tmp_path.rglob("*")) == [results, results / "notes.txt"]
