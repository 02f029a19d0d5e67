"""The tables of Four Keys, and its own definitions."""

import json
import math
from pathlib import Path

import pandas as pd
import pytest
from folders import folder

from sim.measure.definitions_four_keys import four_keys_definition
from sim.metrics import compute_metrics
from sim.records import csv_folder, four_keys
from sim.records.csv_files import SourceError
from sim.records.reading import read

CHANGES = """
    source,event_type,change_id,time_created
    github,push,c1,2026-01-05 08:00:00 UTC
    github,push,c2,2026-01-05 20:00:00 UTC
    github,pull_request,c2,2026-01-05 18:00:00 UTC
    github,push,c3,2026-01-07 10:00:00 UTC
    github,push,c4,2026-01-13 00:00:00 UTC
    github,push,c5,2026-01-14 00:00:00 UTC
"""
DEPLOYMENTS = """
    source,deploy_id,time_created,main_commit,changes
    github,d1,2026-01-06 08:00:00 UTC,c2,"[""c1"", ""c2""]"
    github,d2,2026-01-07 10:00:00 UTC,c3,"[""c3""]"
    github,d2,2026-01-07 12:00:00 UTC,c3,"[""c3""]"
    github,d3,2026-01-13 10:00:30 UTC,c4,"[c4, c1]"
"""
INCIDENTS = """
    source,incident_id,time_created,time_resolved,changes
    github,i1,2026-01-06 09:00:00 UTC,2026-01-06 12:59:59 UTC,"[""c1"",""c2""]"
    github,i2,2026-01-07 11:00:00 UTC,2026-01-07 12:30:00 UTC,"[""c1""]"
    github,i3,2026-01-13 11:00:00 UTC,,"[""c4""]"
"""
SINCE = {"since": "2026-01-05", "until": "2026-01-19"}


def test_the_tables_are_read_from_csv(tmp_path: Path) -> None:
    source = folder(
        tmp_path / "keys", changes=CHANGES, deployments=DEPLOYMENTS, incidents=INCIDENTS
    )
    assert four_keys.can_open(str(source))
    assert not csv_folder.can_open(str(source))
    records = read(source, **SINCE)
    assert records.source == "tables of Four Keys"
    metrics = compute_metrics(records)
    assert metrics["n_deployments"] == 3  # d2 succeeded twice, and first at ten
    changes = records.tables["changes"].set_index("change_id")
    # c2 began with its pull request; c1 was deployed by d1, and not again by d3.
    hours = changes["deployed_at"] - changes["committed_at"]
    assert hours.tolist()[:4] == pytest.approx([24.0, 14.0, 0.0, 10.0 + 30 / 3600])
    assert math.isnan(hours.tolist()[4])
    # The first two incidents name changes of d1, the third one of d3.
    assert records.attribution is not None
    assert records.attribution.n_by_commit == 3
    assert metrics["change_failure_rate"] == pytest.approx(2 / 3)
    assert not len(records.problems)


@pytest.mark.parametrize("suffix", ["jsonl", "ndjson", "json"])
def test_the_tables_are_read_from_json_lines(tmp_path: Path, suffix: str) -> None:
    source = folder(tmp_path / "csv", changes=CHANGES, deployments=DEPLOYMENTS, incidents=INCIDENTS)
    of_csv = compute_metrics(read(source, **SINCE)).dropna()
    lines = tmp_path / "lines"
    lines.mkdir()
    for path in source.glob("*.csv"):
        rows = pd.read_csv(path).to_dict("records")
        for row in rows:
            if "changes" in row:
                row["changes"] = row["changes"].strip("[]").replace('"', "").replace(" ", "")
                row["changes"] = row["changes"].split(",")
            row.update({key: None for key, value in row.items() if isinstance(value, float)})
        text = "\n".join(map(json.dumps, rows)) if suffix != "json" else json.dumps(rows)
        (lines / f"{path.stem}.{suffix}").write_text(text, encoding="utf-8-sig")
    assert four_keys.can_open(str(lines))
    of_lines = compute_metrics(read(lines, **SINCE)).dropna()
    assert of_lines.to_dict() == pytest.approx(of_csv.to_dict())


@pytest.mark.parametrize(
    "text",
    ['["a","b"]', "[a, b]", "{a,b}", "['a' 'b']", "a;b", "a b", '[ "a" ,\n "b" ]'],
)
def test_lists_are_read_as_databases_and_spreadsheets_write_them(text: str) -> None:
    table = pd.DataFrame({"deploy_id": ["d"], "changes": [text]}, dtype="string")
    assert four_keys.deployed_changes(table)["change_id"].tolist() == ["a", "b"]


def test_its_definitions_by_hand(tmp_path: Path) -> None:
    source = folder(
        tmp_path / "keys", changes=CHANGES, deployments=DEPLOYMENTS, incidents=INCIDENTS
    )
    frequency, lead_time, failures, restore = four_keys_definition(read(source, **SINCE)).lines
    # Days from the 6th on, weeks from Sunday on: 2 days, 1 day, none (the 18th is a Sunday).
    assert frequency.value == 1.0
    assert frequency.text == "Weekly (1 days per week)"
    # Pairs in minutes: c1/d1 1440; c2/d1 720 and 840; c3/d2 0, left out, and 120; c4/d3 600;
    # c1/d3 11,640.
    assert lead_time.value == pytest.approx((720 + 840) / 2 / 60.0)
    # c1/d1 and c1/d3 by two incidents each, c4/d3 by one, and c2/d1 by one, but twice, for its two
    # events: 7 rows for 3 deployments.
    assert failures.value == pytest.approx(7 / 3)
    assert failures.text == "233.3 %"
    assert restore.value == pytest.approx(2.0)  # 3 and 1 whole hours; the open one is left out


def test_what_it_cannot_say_is_said(tmp_path: Path) -> None:
    source = folder(tmp_path / "keys", deployments=DEPLOYMENTS)
    lines = four_keys_definition(read(source, **SINCE)).lines
    assert [line.text for line in lines[1:]] == ["—", "—", "—"]
    assert all("Not known: " in line.rule for line in lines[1:])


def test_lines_that_are_no_objects_are_listed(tmp_path: Path) -> None:
    deep = "[" * 100_000
    lines = [
        '{"deploy_id": "d1", "time_created": "2026-01-06T08:00:00Z", "main_commit": "\\ud800"}',
        "{",
        "[1]",
        '{"deploy_id": "d2", "time_created": 5, "changes": {"v": NaN}}',
        deep,
        '{"deploy_id": 1e999, "time_created": "2026-01-07T08:00:00Z"}',
        "",
        '"text"',
    ]
    (tmp_path / "deployments.jsonl").write_text("\n".join(lines), encoding="utf-8")
    records = read(tmp_path, **SINCE)
    found = {(each.kind, *map(int, each.rows)) for each in records.problems}
    assert found == {
        ("no JSON object", 2, 3, 5, 8),
        ("no time", 4),
        ("no time of deployment", 4),
    }
    assert compute_metrics(records)["n_deployments"] == 2


def test_what_is_no_json_is_refused(tmp_path: Path) -> None:
    (tmp_path / "deployments.json").write_text("[" * 100_000, encoding="utf-8")
    with pytest.raises(SourceError, match="there is no JSON object in it"):
        read(tmp_path, reader="fourkeys")
    (tmp_path / "deployments.json").write_text('{"deploy_id": "a"}', encoding="utf-8")
    with pytest.raises(SourceError, match="no deploy_id or no time_created; export both"):
        read(tmp_path, reader="fourkeys")
