"""``python -m sim.export``: folders, formats and what is refused."""

import json
from pathlib import Path

import pandas as pd
import pytest
from exported_runs import exported, records_of, run_of, small_run

from sim.export.command import main, start_of
from sim.export.simulated import TABLES, ExportError, read_run
from sim.measure.command import main as measure


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """A results folder, as far as an export looks at it."""
    run = small_run()
    folder = tmp_path / "results"
    (folder / "tables").mkdir(parents=True)
    for name in TABLES:
        run.tables[name].to_parquet(folder / "tables" / f"{name}.parquet", index=False)
    (folder / "scenario.yaml").write_text(
        f"name: small\nhorizon_weeks: {run.scenario.horizon_weeks}\n"
        f"warmup_weeks: {run.scenario.warmup_weeks}\n"
    )
    return folder


def command(*arguments: object) -> int | str | None:
    with pytest.raises(SystemExit) as ended:
        main([str(each) for each in arguments])
    return ended.value.code


@pytest.mark.parametrize("to", ["devlake", "fourkeys", "csv", "ocel"])
def test_a_format_is_written_once(
    results: Path, to: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(results, "--to", to) == 0
    folder = results / "export" / to
    printed = capsys.readouterr().out
    assert f"Written: {folder}/" in printed
    assert "MB" in printed
    before = {path: path.read_bytes() for path in folder.iterdir()}
    assert before
    assert command(results, "--to", to) == 2
    assert "is there already; name another --output" in capsys.readouterr().err
    assert {path: path.read_bytes() for path in folder.iterdir()} == before
    assert not [path for path in folder.parent.iterdir() if path != folder]


def test_the_command_that_it_names_measures_what_was_simulated(
    results: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(results, "--to", "csv", "--start", "2027-03-01") == 0
    said = capsys.readouterr().out.splitlines()[-1]
    start = "Measure it: python -m sim.measure "
    assert said.startswith(start)
    arguments = said.removeprefix(start).split()
    assert arguments[1:] == ["--since", "2027-03-29", "--until", "2027-07-19"]
    with pytest.raises(SystemExit) as ended:
        measure(
            [*arguments, "--as", "devlake", "--as", "fourkeys", "--output", str(tmp_path / "out")]
        )
    assert ended.value.code == 0
    printed = capsys.readouterr().out
    report = (tmp_path / "out" / "report.html").read_text(encoding="utf-8")
    for tool in ("DevLake", "Four Keys"):
        assert f"As {tool} counts" in printed
        assert f">{tool}</th>" in report


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("2026-01-06", "2026-01-06 is no Monday, as 2026-01-05 is"),
        ("tomorrow", "'tomorrow' is no day; write 2026-01-05"),
        ("0001-01-01", "name a Monday from 1980 to 2099|is no day"),
        ("2026-02-30", "is no day"),
    ],
)
def test_a_start_that_is_no_monday_is_refused(text: str, words: str) -> None:
    with pytest.raises(ExportError, match=words):
        start_of(text)


def test_a_run_that_ends_too_late_is_refused(
    results: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert command(results, "--to", "csv", "--start", "2099-12-07") == 2
    assert "it would end after 2099; name an earlier --start" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("name", "text", "words"),
    [
        ("scenario.yaml", "- 1\n- 2", "has no warmup_weeks"),
        ("scenario.yaml", "warmup_weeks: 4\nhorizon_weeks: 4", "leave no time to observe"),
        ("scenario.yaml", "a: !!python/object/apply:os.system ['exit 1']", "is no YAML"),
        ("scenario.yaml", "a: &a [*a", "is no YAML"),
        ("scenario.yaml", "warmup_weeks: 4\nhorizon_weeks: .inf", "has no horizon_weeks"),
        ("tables/changes.parquet", "PAR1 or not", "cannot be read"),
    ],
)
def test_what_is_no_results_folder_is_refused(
    results: Path, name: str, text: str, words: str
) -> None:
    (results / name).write_text(text)
    with pytest.raises(ExportError, match=words):
        read_run(results)


def test_a_folder_without_tables_is_refused(results: Path, tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="is no results folder of python -m sim"):
        read_run(tmp_path)
    (results / "tables" / "steps.parquet").unlink()
    with pytest.raises(ExportError, match=r"has no tables/steps\.parquet; run it again"):
        read_run(results)
    assert command(results, "--to", "csv") == 2


def test_tables_that_contradict_themselves_are_refused(results: Path) -> None:
    path = results / "tables" / "incidents.parquet"
    table = pd.read_parquet(path)
    table["started_at"] = 1e6
    table.to_parquet(path)
    with pytest.raises(ExportError, match="contradict themselves"):
        read_run(results)


def test_an_event_log_declares_what_it_has(tmp_path: Path) -> None:
    path = exported(small_run(), "ocel", tmp_path / "ocel") / "log.jsonocel"
    log = json.loads(path.read_text())
    ids = [each["id"] for each in log["objects"]]
    assert len(ids) == len(set(ids))
    events = [each["id"] for each in log["events"]]
    assert len(events) == len(set(events))
    for types, elements in (("objectTypes", "objects"), ("eventTypes", "events")):
        declared = {
            of["name"]: {each["name"]: each["type"] for each in of["attributes"]}
            for of in log[types]
        }
        kinds = {"string": str, "boolean": bool, "float": float, "integer": int}
        for element in log[elements]:
            for attribute in element["attributes"]:
                kind = kinds[declared[element["type"]][attribute["name"]]]
                assert type(attribute["value"]) is kind
            assert {each["objectId"] for each in element["relationships"]} <= set(ids)
    tables = records_of(small_run()).tables
    assert len(events) == (
        2 * len(tables["steps"])
        + tables["changes"]["committed_at"].notna().sum()
        + len(tables["deployments"])
        + sum(
            tables["incidents"][f"{phase}_at"].notna().sum()
            for phase in ("started", "detected", "responded", "diagnosed", "restored")
        )
    )


def test_devlakes_tables_have_its_columns_and_its_own_metrics(tmp_path: Path) -> None:
    run = run_of("default", 24, 4)
    folder = exported(run, "devlake", tmp_path / "devlake")
    commits = pd.read_csv(folder / "cicd_deployment_commits.csv")
    assert list(commits)[:3] == ["id", "cicd_scope_id", "cicd_deployment_id"]
    assert len(commits) == len(run.tables["deployments"])
    metrics = pd.read_csv(folder / "project_pr_metrics.csv")
    changes = run.tables["changes"].dropna(subset=["deployed_at", "committed_at"])
    changes = changes.set_index("mldelivery:PullRequest:" + changes["change_id"].astype(str))
    linked = metrics[metrics["deployment_commit_id"].notna()].set_index("id")
    minutes = (changes["deployed_at"] - changes["committed_at"]).reindex(linked.index) * 60.0
    # Two parts are rounded up.
    assert ((linked["pr_cycle_time"] - minutes) >= -1e-3).all()
    assert ((linked["pr_cycle_time"] - minutes) < 2.0 + 1e-3).all()
    assert len(linked) > 20
