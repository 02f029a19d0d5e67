"""The command `python -m sim.measure`, as a newcomer would use it."""

import re
from pathlib import Path

import pandas as pd
import pytest

from sim.measure.command import main


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    """Run the command line; return its status, and what it says on both channels."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    said = capsys.readouterr()
    return int(ended.value.code or 0), said.out, said.err


def test_from_template_to_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    status, out, _ = run(capsys, "--template", "ours")
    assert status == 0
    assert out.splitlines()[0] == "ours/README.txt"
    status, out, err = run(capsys, "ours")
    assert (status, err) == (0, "")
    # By hand: 3 deployments in 9 days of 2 services. Of the changes that began in these days, one
    # has waited for 15 h at the end, and two took 30 h and 60 h: the curve falls to 1/2 and to 0,
    # so that the median is halfway between 30 and 60.
    assert "deployment frequency 1.17 per service and week" in out
    assert re.search(r"lead time +45 h", out)
    assert re.search(r"change failure rate +33.3 %", out)
    (folder,) = (tmp_path / "results" / "measured").iterdir()
    assert "<title>ours" in (folder / "report.html").read_text(encoding="utf-8")
    metrics = pd.read_csv(folder / "metrics.csv", index_col="metric")
    assert metrics.loc["time_to_restore_h", "value"] == 4.0
    assert pd.read_csv(folder / "problems.csv").empty
    knowledge = pd.read_csv(folder / "knowledge.csv")
    of = knowledge[(knowledge["table"] == "changes") & (knowledge["column"] == "deployed_at")]
    assert of["status"].tolist() == ["derived"]


def test_a_template_replaces_nothing(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "incidents.csv").write_text("mine")
    status, _, err = run(capsys, "--template", str(tmp_path))
    assert status == 2
    assert err.endswith("incidents.csv is there already; choose another folder\n")
    assert [path.name for path in tmp_path.iterdir()] == ["incidents.csv"]


def test_what_cannot_be_measured_is_said_in_a_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    status, out, err = run(capsys, str(tmp_path / "nowhere"))
    assert (status, out) == (2, "")
    assert err.endswith("nowhere does not exist; give a folder, a file or the URL of a database\n")
    status, _, err = run(capsys)
    assert status == 2
    assert "give a source, or --template FOLDER" in err


def test_a_hostile_name_is_escaped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    source = tmp_path / "a<b>\x1b[31m"
    source.mkdir()
    rows = ["deployment_id,service,deployed_at"]
    rows.append("1,<script>alert(1)</script>\x1b]0;x\x07,2026-01-05T10:00Z")
    rows.append("2,[bold red]x,2026-01-06T10:00Z")
    (source / "deployments.csv").write_text("\n".join(rows))
    status, out, _ = run(capsys, str(source))
    assert status == 0
    assert "\x1b]0" not in out
    assert "\x1b[31m" not in out
    assert "[bold red]x" in out
    (page,) = (tmp_path / "results" / "measured").glob("*/report.html")
    assert "<script>alert(1)" not in page.read_text(encoding="utf-8")
