"""Random tables, well-formed or not: nothing crashes, and no row is lost without a word."""

import contextlib
import re
from pathlib import Path

import numpy as np
import pytest
from folders import folder
from hypothesis import given, settings
from hypothesis import strategies as st

import sim
from sim.log.contract import table_problems
from sim.measure.document import measured_document
from sim.measure.measured import Measured
from sim.records.csv_files import SourceError

TIMES = st.one_of(
    st.integers(0, 60).map(lambda day: f"2026-{1 + day // 28:02d}-{1 + day % 28:02d}T10:00:00Z"),
    st.sampled_from(
        ["2026-01-05 10:00", "2026-1-5T9:00Z", "soon", "", "1066-10-14T09:00:00Z", "NULL"]
    ),
)
IDS = st.sampled_from(["a", "b", "c", "7", "7.0", "", "=1+1", "<b>", "ü", "\u202e", "a b"])
FLAGS = st.sampled_from(["true", "false", "1", "", "perhaps"])
WORDS = st.sampled_from(["production", "staging", "", "Prod"])
CELLS = {
    "deployments": {
        "deployment_id": IDS,
        "service": IDS,
        "deployed_at": TIMES,
        "environment": WORDS,
        "result": st.sampled_from(["success", "failure", ""]),
        "is_rollback": FLAGS,
        "commit": IDS,
    },
    "changes": {
        "change_id": IDS,
        "service": IDS,
        "committed_at": TIMES,
        "deployment_id": IDS,
        "kind": st.sampled_from(["feature", "fix", "chore", ""]),
        "by_bot": FLAGS,
        "reverts": IDS,
        "commit": IDS,
    },
    "incidents": {
        "incident_id": IDS,
        "service": IDS,
        "started_at": TIMES,
        "detected_at": TIMES,
        "restored_at": TIMES,
        "deployment_id": IDS,
        "commit": IDS,
        "planned": FLAGS,
        "trigger": st.sampled_from(["deployment", "outage", "bad luck", ""]),
        "cause": st.sampled_from(["code", "gremlins", ""]),
    },
    "services": {"service": IDS, "team": IDS},
    "deployed_changes": {"deployment_id": IDS, "change_id": IDS},
}


@st.composite
def tables(draw: st.DrawFn) -> dict[str, str]:
    """Return some tables as CSV text, with some of their columns in any order."""
    names = draw(st.lists(st.sampled_from(list(CELLS)), min_size=1, max_size=5, unique=True))
    found = {}
    for name in names:
        columns = draw(
            st.lists(st.sampled_from(list(CELLS[name])), min_size=1, max_size=9, unique=True)
        )
        rows = draw(st.lists(st.tuples(*(CELLS[name][c] for c in columns)), max_size=8))
        lines = [",".join(columns), *(",".join(row) for row in rows)]
        if draw(st.booleans()) and rows:
            lines.append("too,many,cells" + "," * len(columns))
        found[name] = "\n".join(lines)
    return found


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("any")


def counted(remarks: tuple[str, ...], *words: str) -> int:
    """Return how many rows the remarks with certain words are about."""
    numbers = [
        int(re.match(r"[\d,]+", remark)[0].replace(",", ""))  # type: ignore[index]
        for remark in remarks
        if any(word in remark for word in words)
    ]
    return sum(numbers)


@given(tables(), st.sampled_from([None, "Europe/Berlin"]))
@settings(deadline=None, max_examples=60)
def test_any_tables_are_measured_or_refused_in_words(
    place: Path, texts: dict[str, str], timezone: str | None
) -> None:
    for path in place.glob("*.csv"):
        path.unlink()
    source = folder(place, **texts)
    with contextlib.suppress(SourceError):
        look_at(sim.read(source, timezone=timezone), texts)


def look_at(records: sim.Records, texts: dict[str, str]) -> None:
    """Check that records hold together, and that every row is accounted for."""
    # A column may be known in some rows only, which the contract asks of nobody's own tables.
    broken = [each for each in table_problems(records.tables) if each.what != "there is no value"]
    assert not broken
    measured = Measured(records)
    document = measured_document(measured, "Anything")
    assert document.sections
    rates = measured.summary().loc["change_failure_rate"]
    assert np.isnan(rates["mean"]) or 0.0 <= rates["mean"] <= 1.0
    # Each row is in the tables, in the list of problems, or in a remark that counts it.
    for name in ("deployments", "changes", "incidents"):
        if name not in records.tables:  # a problem of the whole file, or an empty one
            continue
        lines = [line for line in texts.get(name, "").splitlines()[1:] if line]
        left = len(records.tables.get(name, ()))
        if name == "incidents" and left:
            ids = records.tables[name]["incident_id"].astype(str)
            left -= int(ids.str.startswith("rollback of ").sum())
        listed = {
            int(row)
            for problem in records.problems.found
            if problem.file == f"{name}.csv" and "left out" in problem.consequence
            for row in problem.rows
        } | {
            int(row)
            for problem in records.problems.found
            if problem.file == f"{name}.csv" and problem.kind == "the identifier is there twice"
            for row in problem.rows
        }
        remarked = {
            "deployments": (
                "to other environments",
                "to another environment",
                "did not succeed",
                "repeat",
                "rollback",
            ),
            "incidents": ("planned",),
        }.get(name, ())
        # A row may have several problems, or a problem of a cell, so that at least all are told.
        assert left + len(listed) + counted(records.remarks, *remarked) >= len(lines)
