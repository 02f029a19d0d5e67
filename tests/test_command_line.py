"""``python -m sim`` as a person meets it: what it prints, writes, refuses and leaves behind."""

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from hydra._internal.config_loader_impl import ConfigLoaderImpl
from omegaconf import DictConfig
from processes import PATIENCE_S, interrupt

import sim
from sim.app import _workers_wanted, main
from sim.configuration.arguments import Arguments
from sim.configuration.program import results_folder
from sim.log import SCHEMAS

TINY = ("horizon_weeks=12", "replications=2")
FIGURES = {"course", "effort", "lead_time", "metrics", "restore_time"} | {
    "cumulative_flow",
    "gantt",
    "incidents",
    "quality",
    "week",
}


def command(*arguments: str) -> list[str]:
    return [sys.executable, "-m", "sim", *arguments]


def run(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        command(*arguments),
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
        check=False,
    )


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A folder of results and what was printed on the way."""
    folder = tmp_path_factory.mktemp("sound")
    done = run(folder, "--config-name=verification/mm1", *TINY, "n_jobs=1")
    assert done.returncode == 0, done.stderr
    assert done.stderr == ""
    (results,) = (folder / "results" / "mm1").iterdir()
    assert list(folder.iterdir()) == [folder / "results"]
    return results, done.stdout


def test_it_shows_the_metrics_and_says_where_the_results_are(sound: tuple[Path, str]) -> None:
    results, printed = sound
    for shown in ("deployment frequency", "lead time", "change failure rate", "time to restore"):
        assert shown in printed
    assert f"results/mm1/{results.name}/" in printed


def test_it_writes_exactly_the_expected_files(sound: tuple[Path, str]) -> None:
    results, _ = sound
    files = {path.relative_to(results).as_posix() for path in results.rglob("*") if path.is_file()}
    assert files == {
        "scenario.yaml",
        "provenance.json",
        "report.html",
        "runs.parquet",
        "restored.parquet",
        "summary.csv",
        "weekly.parquet",
        *(f"tables/{name}.parquet" for name in SCHEMAS),
        *(f"figures/{name}.svg" for name in FIGURES),
    }


def test_the_files_can_be_read_and_agree(sound: tuple[Path, str]) -> None:
    results, _ = sound
    runs = pd.read_parquet(results / "runs.parquet")
    assert list(runs["replication"]) == [0, 1]
    summary = pd.read_csv(results / "summary.csv", index_col=0)
    metrics = runs.drop(columns="replication")
    pd.testing.assert_series_equal(summary["mean"], metrics.mean(), check_names=False)
    assert list(summary["n"]) == list(metrics.notna().sum())
    for path in (results / "tables").iterdir():
        assert list(pd.read_parquet(path).columns) == list(SCHEMAS[path.stem])
    weekly = pd.read_parquet(results / "weekly.parquet")
    assert len(weekly) == 2 * 12
    assert (results / "report.html").read_text(encoding="utf-8").startswith("<!DOCTYPE html>")


def test_the_results_can_be_had_again_from_what_was_written(sound: tuple[Path, str]) -> None:
    results, _ = sound
    scenario = sim.load(config=results / "scenario.yaml")
    assert scenario == sim.load(*TINY, "n_jobs=1", config="verification/mm1")
    provenance = json.loads((results / "provenance.json").read_text(encoding="utf-8"))
    assert provenance["seed"] == scenario.seed
    runs = sim.replicate(scenario).runs
    pd.testing.assert_frame_equal(runs, pd.read_parquet(results / "runs.parquet"))


def test_a_program_that_refuses_its_input_says_a_line_and_exits_with_2(tmp_path: Path) -> None:
    done = run(tmp_path, "automation=2")
    assert done.returncode == 2
    assert done.stderr == "automation: 2 is not allowed; must be less than or equal to 1\n"
    assert done.stdout == ""
    assert list(tmp_path.iterdir()) == []


def refusal(arguments: list[str], capfd: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as done:
        main(arguments)
    printed = capfd.readouterr()
    assert done.value.code == 2
    assert printed.out == ""
    return printed.err


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (["--config-name=defalt"], "config: no scenario 'defalt'; did you mean 'default'?"),
        (["-m", "automation=2,3"], "automation: 2 is not allowed"),
        (["--config-dir=.", "--config-name=broken"], "broken.yaml, line 2, column 1: not valid"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_refused_in_one_line(
    arguments: list[str], expected: str, here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    broken = here / "broken.yaml"
    broken.write_text("name: a\nname: b\n", encoding="utf-8")
    said = refusal(arguments, capfd)
    assert said.startswith(expected)
    assert said.count("\n") == 1
    assert list(here.iterdir()) == [broken]


@pytest.mark.parametrize(
    "override",
    [
        "=3",
        "atomation=0.5",
        "pipeline.steps.trian.run_h=3",
        "automation=${standardisation}",
        "automation=???",
        "pipeline.steps.train.returns_to=bild_features",
        "pipeline.steps.train.run_h.low=3",
        "services={}",
        "seed=3,4",
        "~automation=0.5",
    ],
)
def test_it_refuses_in_the_words_of_load(
    override: str, here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(sim.ScenarioError) as said:
        sim.load(override)
    assert refusal([override], capfd) == f"{said.value}\n"
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    "text",
    [
        "3",
        "defaults: default",
        "defaults: [mine]",
        "name: ???",
        "defaults: [default]\nseed: ${sead}",
        "defaults: [default]\nservices: [a]",
    ],
)
def test_it_refuses_a_file_in_the_words_of_load(
    text: str, here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    mine = here / "mine.yaml"
    mine.write_text(text, encoding="utf-8")
    with pytest.raises(sim.ScenarioError) as said:
        sim.load(config=mine)
    assert refusal(["--config-dir=.", "--config-name=mine"], capfd) == f"{said.value}\n"
    assert list(here.iterdir()) == [mine]


def test_a_folder_of_scenarios_that_is_not_there(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    said = refusal(["--config-dir=nowhere"], capfd)
    assert said == f"--config-dir: '{here / 'nowhere'}' not found\n"


def test_an_error_of_the_simulation_is_not_blamed_on_the_scenario(
    here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ValueError("a bug")

    monkeypatch.setattr("sim.app._simulate", broken)
    with pytest.raises(ValueError, match="a bug"):
        main([])
    assert list(here.iterdir()) == []


def test_a_simulation_that_stands_still_ends_with_a_line(
    here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr("sim.world.clock._PATIENCE", 5)
    monkeypatch.setattr("sim.world.clock._EVENTS_PER_WAITING_ONE", 0)
    with pytest.raises(SystemExit) as ended:
        main(["n_jobs=1", "replications=2"])
    assert ended.value.code == 1
    said = capfd.readouterr().err
    assert said.startswith("the clock stands still at 0.000000 h")
    assert said.count("\n") == 1
    assert list(here.iterdir()) == []


def test_a_folder_with_something_in_it_is_left_as_it_is(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    mine = here / "mine" / "notes.txt"
    mine.parent.mkdir()
    mine.write_text("precious", encoding="utf-8")
    said = refusal(["hydra.run.dir=mine"], capfd)
    assert said.startswith("hydra.run.dir: ")
    assert "is not empty" in said
    assert [path for path in here.rglob("*") if path.is_file()] == [mine]
    assert mine.read_text(encoding="utf-8") == "precious"


@pytest.mark.processes
@pytest.mark.parametrize("n_jobs", [1, 2])
def test_ctrl_c_leaves_nothing_and_says_so_once(n_jobs: int, tmp_path: Path) -> None:
    status, printed, errors = interrupt(
        command("replications=1000", f"n_jobs={n_jobs}"),
        tmp_path,
        lambda _: (tmp_path / "results").exists(),  # made as the simulation begins
    )
    assert status == 130
    assert errors == "interrupted; this run wrote nothing\n"
    assert printed == ""
    assert list(tmp_path.iterdir()) == []


def test_help_and_version_need_no_simulation(capsys: pytest.CaptureFixture[str]) -> None:
    for option, expected in (("--help", "--config-name=NAME"), ("--version", "mldelivery ")):
        with pytest.raises(SystemExit) as done:
            main([option])
        assert done.value.code == 0
        assert expected in capsys.readouterr().out


def test_the_composed_scenario_can_be_printed(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as done:
        main(["--cfg", "job", "automation=0.5", "pipeline.steps.train.run_h=3"])
    assert done.value.code == 0
    composed = yaml.safe_load(capfd.readouterr().out)
    assert composed["automation"] == 0.5
    assert composed["pipeline"]["steps"]["train"]["run_h"] == 3
    assert composed["defaults"] == ["default", "_self_"]
    assert list(here.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "workers"),
    [
        ([], 4),
        (["automation=0.3"], 4),
        (["n_jobs=2"], 2),
        (["n_jobs=-1", "--config-dir=."], 4),
        (["n_jobs=1"], 0),
        (["replications=1"], 0),
        (["n_jobs=many"], 0),
        (["n_jobs=500"], 0),
        (["--config-name=verification/mm1"], 0),  # which may say that there is one replication
        (["--cfg", "job"], 0),
        (["-m", "automation=0,1"], 4),
        (["-m", "automation=0,1", "n_jobs=1"], 1),
        (["-m", "automation=0,1", "engine=dask"], 0),
    ],
)
def test_workers_start_early_only_where_they_are_wanted_for_sure(
    arguments: list[str], workers: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sim.app.cores", lambda: 4)
    assert _workers_wanted(Arguments.split(arguments)) == workers


def composed_with(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> tuple[int, Path]:
    """Return how often Hydra composes for a command line, and where its results would go."""
    compositions, folders = [], []
    load = ConfigLoaderImpl.load_configuration

    def counted(*args: Any, **kwargs: Any) -> DictConfig:
        compositions.append(args)
        return load(*args, **kwargs)

    def stop(_: object) -> None:
        folders.append(results_folder())
        sys.exit(7)

    monkeypatch.setattr(ConfigLoaderImpl, "load_configuration", counted)
    monkeypatch.setattr("sim.app._simulate", stop)
    with pytest.raises(SystemExit) as ended:
        main(["n_jobs=1", *arguments])
    assert ended.value.code == 7
    return len(compositions), folders[0]


@pytest.mark.parametrize(
    ("arguments", "folder"),
    [
        ([], r"results/default/\d{4}-\d\d-\d\d_\d\d-\d\d-\d\d"),
        (["--config-name=verification/mm1", "name=mine"], r"results/mine/[-_\d]+"),
        (["hydra.run.dir=a/${seed}", "seed=3"], "a/3"),
        (["hydra.run.dir=${hydra.job.override_dirname}", "seed=3"], "n_jobs=1,seed=3"),
        (["practice/testing=full", "hydra.run.dir=${hydra:runtime.cwd}/x"], "x"),
    ],
)
def test_a_run_composes_once_and_its_folder_may_refer_to_what_is_composed(
    arguments: list[str], folder: str, here: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compositions, results = composed_with(monkeypatch, *arguments)
    assert compositions == 1
    assert re.fullmatch(folder, results.relative_to(here).as_posix())
    assert list(here.iterdir()) == []


def test_a_folder_that_refers_to_nothing_is_refused(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    said = refusal(["hydra.run.dir=${sead}"], capfd)
    assert "sead" in said
    assert said.count("\n") == 1
    assert list(here.iterdir()) == []


def test_a_name_that_leads_elsewhere_makes_no_folder_anywhere(
    here: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    inside = here / "inside"
    inside.mkdir()
    monkeypatch.chdir(inside)
    assert refusal(["name=a/../../../evil", "replications=1"], capfd).startswith("name: ")
    assert list(here.rglob("*")) == [inside]


def test_a_large_run_says_before_it_begins_what_it_wants(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def stop(_: object) -> None:
        raise OSError("the simulation has begun")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "argv", ["sim"])
    monkeypatch.setattr("sim.app._simulate", stop)
    with pytest.raises(SystemExit):
        main(["n_jobs=1", "horizon_weeks=5200"])
    said, begun = capsys.readouterr().err.splitlines()
    assert said.startswith("20 replications of up to ")
    assert " log rows: expected to take " in said
    assert said.endswith(" of memory")
    assert begun.endswith("the simulation has begun")
    assert not any(tmp_path.iterdir())
