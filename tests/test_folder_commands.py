"""``python -m sim resume`` and ``replay``: commands about the folder of a sweep."""

import json
import sqlite3
from contextlib import closing
from pathlib import Path

import pandas as pd
import pytest
import yaml

import sim
from sim.app import main
from sim.configuration.arguments import Arguments
from sim.configuration.resume import as_made, resumed
from sim.experiment.store import Store
from sim.experiment.sweep import STORE
from sim.experiment.versions import versions
from sim.scenario.files import SCENARIOS

TINY = ("--config-name=verification/mm1", "horizon_weeks=5", "warmup_weeks=1", "n_jobs=1")
SWEPT = ("-m", *TINY, "teams.team.wip_limit=1,2", "replications=2")
OLD = Path(__file__).parent / "experiment" / "folder_of_before"


def status(*arguments: str) -> object:
    with pytest.raises(SystemExit) as done:
        main(arguments)
    return done.value.code


def test_a_sweep_goes_on_by_its_folder_alone(here: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert status(*SWEPT, "hydra.sweep.dir=mine") == 0
    first = sim.open("mine").runs
    capfd.readouterr()
    assert status("resume", "mine", "replications=3") == 0
    assert "4 of 6 replications are there, 2 are simulated" in capfd.readouterr().err
    grown = sim.open("mine")
    assert grown.replications.tolist() == [3, 3]
    kept = grown.runs[grown.runs["replication"] < 2].reset_index(drop=True)
    pd.testing.assert_frame_equal(kept, first, check_exact=True)
    # What was added is part of the command now, in the place of what it replaced.
    assert grown.made is not None
    assert grown.made.arguments == (*SWEPT[:-1], "replications=3")
    assert status("resume", "mine", "teams.team.wip_limit=1,2,3") == 0
    assert sim.open("mine").replications.tolist() == [3, 3, 3]


def test_what_a_killed_sweep_lacks_is_simulated(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert status(*SWEPT, "hydra.sweep.dir=mine") == 0
    whole = sim.open("mine").runs
    # As if it had been killed before.
    with closing(sqlite3.connect(here / "mine" / STORE, isolation_level=None)) as database:
        database.execute("DELETE FROM runs WHERE replication = 1")
        database.execute("UPDATE notes SET text = 'null' WHERE name = 'finished'")
    assert sim.open("mine").remarks == ("it is not finished: 2 of 4 replications are there",)
    capfd.readouterr()
    assert status("resume", "mine") == 0
    assert "2 of 4 replications are there, 2 are simulated" in capfd.readouterr().err
    pd.testing.assert_frame_equal(sim.open("mine").runs, whole, check_exact=True)


def test_the_folder_says_how_it_was_made(here: Path) -> None:
    (here / "own files").mkdir()
    text = (SCENARIOS / "verification" / "mm1.yaml").read_text()
    (here / "own files" / "queue.yaml").write_text(text)
    folder = str(here / "own files")
    own = ("--config-dir", folder, "--config-name=queue", *TINY[1:])
    assert status("-m", *own, "seed=1,2", "replications=2", f"hydra.sweep.dir={here}/mine") == 0
    said = yaml.safe_load((here / "mine" / "sweep.yaml").read_text())
    assert said["command"] == (
        "python -m sim -m '--config-dir=own files' --config-name=queue horizon_weeks=5 "
        "warmup_weeks=1 n_jobs=1 seed=1,2 replications=2"
    )
    assert said["versions"] == versions()
    assert {"mldelivery", "Python", "numpy", "scipy", "simpy"} <= set(said["versions"])
    assert "simpy" in said["model"]
    report = (here / "mine" / "report.html").read_text()
    assert "How this was made" in report
    assert "python -m sim resume FOLDER" in report
    provenance = json.loads((here / "mine" / "provenance.json").read_text())
    assert provenance["command"] == said["command"]
    # Nothing says where that was.
    for path in (here / "mine").rglob("*"):
        if path.is_file():
            assert str(here).encode() not in path.read_bytes(), path
    with Store(here / "mine" / STORE, reads_only=True) as store:
        assert str(here) not in str(store.note("record"))
    # So the folder of the own files has to be named again.
    with pytest.raises(sim.ScenarioError, match="only the name was kept; add --config-dir=FOLDER"):
        resumed(["mine"])
    line = resumed(["mine", f"--config-dir={folder}"])
    assert f"--config-dir={folder}" in line
    assert status("resume", "mine", f"--config-dir={folder}", "replications=3") == 0
    assert sim.open("mine").replications.tolist() == [3, 3]


@pytest.mark.parametrize(
    ("argument", "kept", "is_left_out"),
    [
        ("--config-dir=mine", "--config-dir=mine", False),
        ("--config-dir=/home/somebody/mine", "--config-dir=mine", True),
        ("--config-dir=~/mine", "--config-dir=mine", True),
        ("hydra.searchpath=[file:///home/somebody/mine]", "hydra.searchpath=[mine]", True),
        ("automation=0.5", "automation=0.5", False),
        ("+experiment=training", "+experiment=training", False),
    ],
)
def test_of_folders_elsewhere_only_the_name_is_kept(
    argument: str, kept: str, is_left_out: bool
) -> None:
    made = as_made(Arguments.split(["-m", argument, "hydra.sweep.dir=/home/somebody/results"]))
    assert made.arguments == ("-m", kept)
    assert made.left_out == ((kept,) if is_left_out else ())


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "resume: needs a folder"),
        (("automation=1",), "resume: needs a folder"),
        (("nowhere",), "resume: there is no folder nowhere"),
        (("empty",), "resume: empty has no sweep"),
        ((str(OLD),), "was made before commands were kept; give its command again, with hydra.sw"),
        (("python",), "resume: python was made by sim.sweep; call it again with folder='python'"),
    ],
)
def test_what_cannot_go_on_is_refused_in_words(
    arguments: tuple[str, ...], words: str, here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (here / "empty").mkdir()
    if "python" in arguments:
        sim.sweep(sim.load(*TINY[1:]), {"automation": [0.5]}, 1, folder=here / "python")
    assert status("resume", *arguments) == 2
    said = capfd.readouterr().err
    assert words in said
    assert len(said.splitlines()) == 1


def test_replays_are_written_with_tables_and_metrics_by_team_and_service(
    here: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert status(*SWEPT, "hydra.sweep.dir=mine") == 0
    capfd.readouterr()
    for _ in range(2):  # the second time in the place of the first
        assert status("replay", "mine", "point=1", "replication=0,1") == 0
    said = capfd.readouterr().out
    assert "teams.team.wip_limit=2, replication 1: mine/replays/point-1-replication-1/" in said
    assert "metrics are those of the sweep." in said
    folder = here / "mine" / "replays" / "point-1-replication-1"
    scenario = sim.load(*TINY[1:], "teams.team.wip_limit=2", config="verification/mm1")
    run = sim.simulate(scenario, replication=1)
    for name, table in run.tables.items():
        there = pd.read_parquet(folder / "tables" / f"{name}.parquet")
        assert there.to_csv() == table.to_csv(), name
    for by in ("team", "service"):
        assert (folder / f"metrics_by_{by}.csv").read_text() == run.metrics_by(by).to_csv()
    whole = pd.read_csv(folder / "metrics.csv", index_col="metric")["value"]
    pd.testing.assert_series_equal(whole, run.metrics(), check_names=False)


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "replay: needs a folder and a point"),
        (("mine",), "replay: needs a folder and a point"),
        (("mine", "point=9"), "there is no point 9; the last is 1"),
        (("mine", "point=-1"), "point: '-1' is no number"),
        (("mine", "point=0", "replication=2"), "has no replication 2; the last is 1"),
        (("mine", "point=0", "replication=x"), "replication: 'x' is no number"),
        (("mine", "point=0", "seed=1"), "seed: is nothing that replay takes"),
    ],
)
def test_what_cannot_be_replayed_is_refused_in_words(
    arguments: tuple[str, ...],
    words: str,
    made: Path,
    capfd: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(made)
    assert status("replay", *arguments) == 2
    assert words in capfd.readouterr().err


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a sweep in `mine`."""
    folder = tmp_path_factory.mktemp("made")
    base = sim.load(*TINY[1:], config="verification/mm1")
    sim.sweep(base, {"teams.team.wip_limit": [1, 2]}, 2, folder=folder / "mine")
    return folder


# Config groups in Python


def test_python_sweeps_config_groups_as_the_command_does(here: Path) -> None:
    fixed = ("horizon_weeks=4", "warmup_weeks=1", "n_jobs=1")
    words = ("organization=startup,midsize", "practice/testing=none,full", "automation=0.2,0.8")
    assert status("-m", *fixed, *words, "replications=1", "hydra.sweep.dir=mine") == 0
    base = sim.load(*fixed, "organization=startup")
    axes = {
        "organization": ["startup", "midsize"],
        "practice/testing": ["none", "full"],
        "automation": [0.2, 0.8],
    }
    there, ours = sim.open("mine"), sim.sweep(base, axes, replications=1)
    pd.testing.assert_frame_equal(ours.runs, there.runs, check_exact=True)
    assert ours.axes == there.axes
    pd.testing.assert_frame_equal(ours.effects(), there.effects(), check_exact=True)


def test_parts_with_other_choices_join_if_the_rest_is_the_same(tmp_path: Path) -> None:
    fixed = ("horizon_weeks=4", "warmup_weeks=1", "n_jobs=1")
    dial = {"automation": [0.2, 0.8]}

    def part(name: str, *overrides: str) -> None:
        base = sim.load(*fixed, *overrides)
        sim.sweep(base, {"organization": [name], **dial}, 1, folder=tmp_path / name)

    part("startup")
    part("midsize")
    part("scaleup", "standardization=0.9")
    joined = sim.open(tmp_path / "startup", tmp_path / "midsize")
    both = sim.sweep(sim.load(*fixed), {"organization": ["startup", "midsize"], **dial}, 1)
    assert joined.design == "grid"
    pd.testing.assert_frame_equal(joined.runs[list(both.runs)], both.runs, check_exact=True)
    with pytest.raises(sim.ResultsError, match=r"standardization is missing in one and 0\.9 in"):
        sim.open(tmp_path / "startup", tmp_path / "scaleup")


def test_python_draws_from_config_groups(here: Path) -> None:
    base = sim.load("horizon_weeks=4", "warmup_weeks=1", "design=random", "samples=6", "n_jobs=1")
    axes = {"organization": {"startup": 3, "midsize": 1}, "automation": sim.Interval(0.0, 1.0)}
    sweep = sim.sweep(base, axes, replications=1)
    assert set(sweep.points["organization"]) <= {"startup", "midsize"}
    assert sweep.points["automation"].nunique() == 6


def test_a_scenario_that_was_changed_has_no_files_any_more() -> None:
    base = sim.load("horizon_weeks=30")
    with pytest.raises(sim.ScenarioError, match=r"as sim\.load returned it"):
        sim.sweep(base.model_copy(update={"automation": 0.3}), {"organization": ["startup"]})
