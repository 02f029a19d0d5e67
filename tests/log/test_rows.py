"""Rows of the event tables: what they may hold, and that no two of their columns are mixed up."""

import ast
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import sim
from sim.log import NO_ID, SCHEMAS, Column, EventLog
from sim.log.rows import DebtRow, WorkRow
from sim.log.schema import ROWS

SOURCE = Path(sim.__file__).parent

ALL_KINDS_OF_EVENTS = (
    "horizon_weeks=30",
    "warmup_weeks=0",
    "services.embedding.hidden_upstream=[model]",
    "dependencies.spreads=0.6",
    "changes.feature.defects.dependency=0.3",
    "threats.interarrival_h.mean=100",
    "upkeep.time_to_break_h.mean=80",
    "compute.gpu.preemptions_per_h=0.05",
    "incidents.rollback.available=0.7",
    "services.model.retraining.trigger=drift",
    "services.model.data.corrupted=0.3",
    "services.model.quality.speed=6",
    "pipeline.unrepeatable.bespoke=0.4",
    "pipeline.steps.train.fails=0.2",
    "roadmap=[{practice: cicd, level: full, start_week: 3, effort_h: {ml_engineer: 20}}]",
)


def test_the_schema_says_what_the_declared_fields_hold() -> None:
    steps, incidents = SCHEMAS["steps"], SCHEMAS["incidents"]
    assert steps["change_id"] == Column("count", required=True)
    assert steps["step"] == Column("text", required=True)
    assert steps["role"] == Column("text", required=False)
    assert steps["mode"] == Column("text", required=True, texts=("manual", "automated"))
    assert steps["rework"] == Column("flag", required=True)
    assert steps["run_h"] == Column("real", required=True)
    assert incidents["detected_at"] == Column("real", required=False)
    assert incidents["deployment_id"] == Column("id", required=False)
    assert incidents["detected_by"] == Column(
        "text", required=False, texts=("monitoring", "people", "verification")
    )


def test_the_log_has_the_tables_of_the_schema() -> None:
    tables = EventLog().to_frames()
    assert {name: list(frame) for name, frame in tables.items()} == {
        name: list(columns) for name, columns in SCHEMAS.items()
    }


def test_fields_by_name_and_in_order_make_the_same_row() -> None:
    log = EventLog()
    log.debt.append(("one", 1.0, 2.0))
    log.debt.append(DebtRow(debt_h=2.0, service="one", at=1.0))
    frame = log.debt.to_frame()
    assert frame.iloc[0].tolist() == frame.iloc[1].tolist() == ["one", 1.0, 2.0]


@pytest.mark.parametrize("seed", [1, 2])
def test_a_simulated_log_keeps_what_the_rows_promise(seed: int) -> None:
    run = sim.simulate(sim.load(*ALL_KINDS_OF_EVENTS), seed=seed)
    for name, columns in SCHEMAS.items():
        frame = run.tables[name]
        assert len(frame) > 0
        for column, promised in columns.items():
            broken = list(_broken(frame[column], promised))
            assert not broken, f"{name}.{column}: {broken[:3]}"


def _broken(values: pd.Series, promised: Column) -> Iterator[object]:
    """Yield the values that a column must not hold."""
    if promised.kind == "text":
        allowed = set(promised.texts) or set(values) - {""}
        yield from set(values) - allowed - (set() if promised.required else {""})
    elif promised.kind == "real" and promised.required:
        yield from values[~np.isfinite(values)]
    elif promised.kind in ("count", "id"):
        yield from values[values.notna() & (values.fillna(0) < 0)]


def _appended() -> Iterator[tuple[str, str, ast.expr]]:
    """Yield every row that is appended to a table: where that is, the table, the row."""
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(
                    func=ast.Attribute(value=ast.Attribute(value=owner, attr=table), attr="append"),
                    args=[row],
                ) if table in SCHEMAS and ast.unparse(owner).endswith("log"):
                    yield f"{path.relative_to(SOURCE)}:{node.lineno}", table, row


def _name(value: ast.expr) -> str:
    """Return what an expression is called: `started_at` and `task.started_at` are `started_at`.

    `service.name` and `change.service.name` are `service`.
    """
    *_, owner, name = ["", *ast.unparse(value).split(".")]
    return owner if name == "name" else name


def _rows_made() -> Iterator[tuple[str, ast.Call]]:
    """Yield every construction of a row by its type, and where that is."""
    types = {row.__name__ for row in ROWS.values()}
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            match node:
                case ast.Call(func=ast.Name(id=name)) if name in types:
                    yield f"{path.relative_to(SOURCE)}:{node.lineno}", node


def test_no_two_columns_can_be_mixed_up() -> None:
    """Fields are given by name, or by expressions that are called like their columns."""
    tables = set()
    for where, table, row in _appended():
        tables.add(table)
        if isinstance(row, ast.Tuple):
            assert [_name(value) for value in row.elts] == list(SCHEMAS[table]), where
    assert tables == set(SCHEMAS)
    made = list(_rows_made())
    assert len(made) > len(SCHEMAS) - 4
    for where, call in made:
        assert not call.args, f"{where} gives fields without their names"


def test_expressions_in_another_order_are_noticed() -> None:
    row = ast.parse("(change.service.name, debt_h, organization.env.at)", mode="eval").body
    assert isinstance(row, ast.Tuple)
    assert [_name(value) for value in row.elts] == ["service", "debt_h", "at"]


def test_a_missing_identifier_is_none() -> None:
    log = EventLog()
    for person in (NO_ID, 3):
        log.work.append(
            WorkRow(
                pool="team/ops",
                role="ops",
                team="team",
                person=person,
                activity="incident",
                change_id=NO_ID,
                incident_id=1,
                queued_at=0.0,
                started_at=0.0,
                finished_at=1.0,
                effort_h=1.0,
                outcome="finished",
                around_the_clock=False,
            )
        )
    frame = log.work.to_frame()
    assert frame["person"].isna().tolist() == [True, False]
    assert frame["change_id"].isna().all()
