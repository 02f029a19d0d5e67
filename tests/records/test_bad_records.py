"""What strangers hand over: a readable list or a clear refusal, and nothing is executed."""

import os
from pathlib import Path
from typing import Any

import pytest
from folders import folder

import sim
from sim.measure.folder import harmless
from sim.measure.measured import Measured
from sim.records.csv_files import SourceError, refuse_too_large

ONE = "deployment_id,deployed_at\nd1,2026-01-05T12:00:00Z\n"


def problems(records: sim.Records) -> list[str]:
    return [str(each) for each in records.problems]


def test_a_byte_order_mark_and_semicolons(tmp_path: Path) -> None:
    text = "\ufeff" + ONE.replace(",", ";")
    (tmp_path / "deployments.csv").write_text(text, encoding="utf-8")
    assert Measured(sim.read(tmp_path)).runs["n_deployments"].iloc[0] == 1


def test_latin_1_is_read_and_said(tmp_path: Path) -> None:
    text = "deployment_id,service,deployed_at\nd1,Müller,2026-01-05T12:00:00Z\n"
    (tmp_path / "deployments.csv").write_bytes(text.encode("latin-1"))
    records = sim.read(tmp_path)
    assert records.tables["services"]["service"].tolist() == ["Müller"]
    assert problems(records) == [
        "deployments.csv: the file is not UTF-8; it is read as Latin-1",
    ]


def test_rows_of_other_lengths_are_listed_by_their_number(tmp_path: Path) -> None:
    text = ONE + "d2\nd3,2026-01-06T12:00:00Z\nd4,2026-01-07T12:00:00Z,more\n"
    records = sim.read(folder(tmp_path, deployments=text))
    assert len(records.tables["deployments"]) == 2
    assert [each.rows.tolist() for each in records.problems.found] == [[3, 5]]


def test_an_unknown_column_is_said(tmp_path: Path) -> None:
    text = "deployment_id,deployed_at,deploys\nd1,2026-01-05T12:00:00Z,3"
    records = sim.read(folder(tmp_path, deployments=text))
    assert problems(records) == [
        "deployments.csv, deploys: the column is not known; it is not used"
    ]


def test_a_formula_is_a_text_and_leaves_as_one(tmp_path: Path) -> None:
    rows = ["deployment_id,service,deployed_at", "=cmd|' /C calc'!A0,=1+1,=soon"]
    text = "\n".join([*rows, "d,=1+1,2026-01-05T12:00Z"])
    records = sim.read(folder(tmp_path, deployments=text))
    assert records.tables["services"]["service"].tolist() == ["=1+1"]
    frame = harmless(records.problems.frame())
    assert frame["value"].tolist() == ["'=soon", ""]


@pytest.mark.parametrize(
    ("texts", "words"),
    [
        ({"deployments": "deployment_id,deployed_at\n"}, "no time of a deployment"),
        ({"deployments": "deployment_id,deployed_at\nd1,soon\n"}, "no time"),
        (
            {"deployments": "deployment_id,deployed_at,result\nd1,2026-01-05T12:00Z,failure\n"},
            "every deployment failed or is a rollback",
        ),
        ({"deployments": "deployment_id,deployed_at\nd1,2026-01-05 12:00\n"}, "--timezone"),
    ],
)
def test_nothing_to_measure(tmp_path: Path, texts: dict[str, str], words: str) -> None:
    with pytest.raises(SourceError, match=words):
        sim.read(folder(tmp_path, **texts))


def test_no_source_and_no_reader(tmp_path: Path) -> None:
    with pytest.raises(SourceError, match="does not exist"):
        sim.read(tmp_path / "nowhere")
    (tmp_path / "letter.docx").write_bytes(b"PK\x03\x04" + b"\0" * 100)
    with pytest.raises(SourceError, match="none of the sources that can be read:\n  csv: a folder"):
        sim.read(tmp_path)
    with pytest.raises(SourceError, match="there is no reader 'excel'; there are csv"):
        sim.read(tmp_path, reader="excel")
    (tmp_path / "deployments.csv").write_bytes(b"deployment_id,deployed_at\n\0\0\0")
    with pytest.raises(SourceError, match=r"deployments.csv is no CSV file"):
        sim.read(tmp_path)


def test_a_compressed_file_is_not_unpacked(tmp_path: Path) -> None:
    import gzip

    bomb = gzip.compress(b"deployment_id,deployed_at\n" + b"0" * 10_000_000)
    (tmp_path / "deployments.csv").write_bytes(bomb)
    with pytest.raises(SourceError):
        sim.read(tmp_path)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ({"since": "2027-01-01"}, "nothing is left between 2027-01-01 and 2026-01-06: the records"),
        ({"since": "yesterday"}, "since: 'yesterday' is no day; write it as 2026-01-05"),
        ({"until": "2026-01-01T00:00:00Z"}, "until"),
        ({"timezone": "Mars/Olympus"}, "timezone: 'Mars/Olympus' is no time zone"),
        ({"environment": "production"}, "no deployment names its environment"),
        ({"planned": "("}, "is no regular expression"),
        ({"services": "nowhere.csv"}, "nowhere.csv is no file"),
        ({"services": "."}, r"\. is no file; give a CSV file with pattern,service,team"),
        ({"window_h": float("nan")}, "window: nan h is no window"),
        ({"window_h": float("inf")}, "window: inf h is no window"),
        ({"window_h": -1.0}, "window: -1 h is no window"),
        ({"since": "0001-01-01"}, "since: name a day from 1980 to 2099"),
        ({"until": "9999-01-01"}, "until: name a day from 1980 to 2099"),
    ],
)
def test_settings_that_do_not_fit(tmp_path: Path, given: dict[str, Any], words: str) -> None:
    source = folder(tmp_path, deployments=ONE)
    if "planned" not in given:
        with pytest.raises(SourceError, match=words.replace("(", r"\(")):
            sim.read(source, **given)
    else:
        with pytest.raises(SourceError, match=words):
            sim.read(source, **given)


def test_memory_that_does_not_suffice_is_said_before(tmp_path: Path) -> None:
    path = tmp_path / "changes.csv"
    with path.open("wb") as file:
        file.truncate(10**12)  # sparse
    with pytest.raises(SourceError, match=r"1,000 GB of records take up to .* of memory"):
        refuse_too_large({"changes": path})


@pytest.mark.parametrize("name", ["STAGING", "staging", " Staging"])
def test_the_case_of_an_environment_does_not_matter(tmp_path: Path, name: str) -> None:
    text = "deployment_id,deployed_at,environment\n"
    text += "d1,2026-01-05T12:00Z,Staging\nd2,2026-01-06T12:00Z,production\n"
    records = sim.read(folder(tmp_path, deployments=text), environment=name)
    assert len(records.tables["deployments"]) == 1
    assert records.window[1] - records.window[0] == 24


def test_an_environment_that_is_not_there_is_printed_without_escapes(tmp_path: Path) -> None:
    text = "deployment_id,deployed_at,environment\nd1,2026-01-05T12:00Z,staging\n"
    with pytest.raises(SourceError) as refused:
        sim.read(folder(tmp_path, deployments=text), environment="x\x1b[31m")
    assert str(refused.value).startswith(r"no deployment is to 'x\x1b[31m'; name the environment")


def test_a_file_that_may_not_be_read_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = folder(tmp_path, deployments=ONE)

    def refuse(path: Path, _: object) -> None:
        raise PermissionError(13, "Permission denied", str(path))

    monkeypatch.setattr("sim.records.csv_folder.read_texts", refuse)
    with pytest.raises(SourceError, match=r"deployments\.csv cannot be read: Permission denied"):
        sim.read(source)


def test_a_table_that_is_no_file_is_said(tmp_path: Path) -> None:
    source = folder(tmp_path, deployments=ONE)
    (source / "incidents.csv").mkdir()
    (source / "changes.csv").symlink_to("nowhere")
    assert problems(sim.read(source)) == [
        "changes.csv: it is no file; it is not read",
        "incidents.csv: it is no file; it is not read",
    ]


def test_nothing_waits_for_a_pipe(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "deployments.csv")
    with pytest.raises(SourceError, match="none of the sources"):
        sim.read(tmp_path)
    with pytest.raises(SourceError, match=r"deployments\.csv is no file"):
        sim.read(tmp_path / "deployments.csv")
