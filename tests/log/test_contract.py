"""What a real organization's tables have to keep to: each violation gets its line."""

import io
import pickle
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import sim
from sim.log import SCHEMAS, RecordsError
from sim.log.contract import table_problems
from sim.log.records import Records
from sim.metrics import compute_metrics

WINDOW = (0.0, 336.0)
SERVICES = pd.DataFrame({"service": ["search", "ranking"]})
CHANGES = pd.DataFrame(
    {
        "change_id": [1, 2],
        "service": ["search", "ranking"],
        "kind": ["feature", "fix"],
        "committed_at": [10.0, 20.0],
        "deployed_at": [30.0, np.nan],
    }
)
DEPLOYMENTS = pd.DataFrame({"deployment_id": [7], "service": ["search"], "deployed_at": [30.0]})
INCIDENTS = pd.DataFrame(
    {
        "incident_id": ["INC-1", "INC-2"],
        "service": ["search", "search"],
        "deployment_id": [7, None],
        "started_at": [31.0, 50.0],
        "diagnosed_at": [40.0, None],
        "restored_at": [35.0, None],  # before somebody knew why
    }
)
TABLES = {
    "services": SERVICES,
    "changes": CHANGES,
    "deployments": DEPLOYMENTS,
    "incidents": INCIDENTS,
}


@pytest.fixture(scope="module")
def run() -> sim.Run:
    return sim.simulate(sim.load("horizon_weeks=16", "warmup_weeks=4"), seed=3)


def told(tables: Any = TABLES, window: Any = WINDOW, **about: Any) -> list[str]:
    """Return the lines in which tables are refused."""
    with pytest.raises(RecordsError) as refused:
        Records.from_tables(tables, window, **about)
    return str(refused.value).splitlines()


def with_column(table: str, **columns: Any) -> dict[str, pd.DataFrame]:
    return {**TABLES, table: TABLES[table].assign(**columns)}


def test_tables_that_keep_to_the_contract_are_taken() -> None:
    records = Records.from_tables(TABLES, WINDOW, "EUR", "Europe/Berlin")
    assert records.window == WINDOW
    assert (records.currency, records.timezone) == ("EUR", "Europe/Berlin")
    assert "steps" in records.absent
    assert "changes.created_at" in records.absent
    assert "changes.committed_at" not in records.absent
    assert records.within(5.0, 6.0).window == (5.0, 6.0)


def test_a_table_without_rows_is_not_absent() -> None:
    records = Records.from_tables({**TABLES, "steps": pd.DataFrame()}, WINDOW)
    assert not any(name.startswith("steps") for name in records.absent)


@pytest.mark.parametrize(
    ("tables", "line"),
    [
        ({"servces": SERVICES}, "servces: there is no such table; did you mean 'services'?"),
        ({"services": [1]}, "services: it is a list; give a pandas DataFrame"),
        (
            {"changes": CHANGES.rename(columns={"committed_at": "commited_at"})},
            "changes.commited_at: there is no such column; drop or rename it "
            "(did you mean 'committed_at'?)",
        ),
        (
            {"services": pd.concat([SERVICES, SERVICES], axis=1)},
            "services.service: the column is there more than once; leave one of them",
        ),
        (
            with_column("changes", committed_at=["x", 20.0]),
            "changes.committed_at, row 0: 'x' is no number; give hours since Monday 00:00 of "
            "week 0: (times - monday) / pandas.Timedelta(hours=1)",
        ),
        (
            with_column("changes", committed_at=pd.Timestamp("2026-01-05")),
            "changes.committed_at, row 0 and 1 more: '2026-01-05 00:00:00' is no number; give "
            "hours since Monday 00:00 of week 0: (times - monday) / pandas.Timedelta(hours=1)",
        ),
        (
            with_column("changes", committed_at=[10.0, np.inf]),
            "changes.committed_at, row 1: 'inf' is no number; give hours since Monday 00:00 of "
            "week 0: (times - monday) / pandas.Timedelta(hours=1)",
        ),
        (
            with_column("changes", kind=["feature", "bug"]),
            "changes.kind, row 1: 'bug' is not allowed; use one of feature, retrain, fix and "
            "improvement",
        ),
        (
            with_column("changes", kind=["feature", None]),
            "changes.kind, row 1: there is no value; fill it in, or leave the column 'kind' out "
            "if nobody observed it",
        ),
        (
            with_column("changes", change_id=[1, 1]),
            "changes.change_id, row 1: '1' is there more than once; keep one row for each",
        ),
        (
            with_column("changes", change_id=[1, None]),
            "changes.change_id, row 1: there is no value; give each row its identifier",
        ),
        (
            with_column("changes", change_id=[1, -5]),
            "changes.change_id, row 1: '-5' is no identifier or count; give a whole number from "
            "0 on, or a text",
        ),
        (
            with_column("changes", service=["search", "serch"]),
            "changes.service, row 1: 'serch' is not in services.service; add it to the table "
            "'services'",
        ),
        (
            with_column("changes", deployment_id=[7, 8]),
            "changes.deployment_id, row 1: '8' is not in deployments.deployment_id; add it to "
            "the table 'deployments'",
        ),
        (
            with_column("changes", origin_id=[None, 3]),
            "changes.origin_id, row 1: '3' is not in changes.change_id; add it to the table "
            "'changes'",
        ),
        (
            with_column("changes", deployed_at=[9.5, np.nan]),
            "changes.deployed_at, row 0: 9.5 is before committed_at, 10; put the times in order",
        ),
        (
            with_column("incidents", restored_at=[30.0, np.nan]),
            "incidents.restored_at, row 0: 30 is before started_at, 31; put the times in order",
        ),
        (
            with_column("deployments", failed="perhaps"),
            "deployments.failed, row 0: 'perhaps' is no flag; give True or False",
        ),
        (
            with_column("deployments", service="a\x1b[31m"),
            r"deployments.service, row 0: 'a\x1b[31m' is no text in one line; give letters "
            "without control characters",
        ),
        (
            {"prices": pd.DataFrame({"item": ["tools"], "since": [0.0], "price": [-1.0]})},
            "prices.price, row 0: -1 is less than nothing; give 0 or more",
        ),
    ],
)
def test_each_violation_has_its_line(tables: dict[str, Any], line: str) -> None:
    lines = told(tables)
    rows = ["(The first row of a table is row 0.)"] if ", row " in line else []
    assert [each.replace("\\\\", "\\") for each in lines] == [line, *rows]


@pytest.mark.parametrize(
    "window", [(5.0, 5.0), (6.0, 5.0), (np.nan, 5.0), (-1.0, 5.0), (0.0, 1e9), "ab", 3, (0, True)]
)
def test_a_window_is_a_stretch_of_time(window: Any) -> None:
    (line,) = told(window=window)
    assert line.startswith("window: ")
    assert "is no stretch of time; give its start and its later end, in hours" in line


def test_currency_and_time_zone() -> None:
    assert told(currency="\x1b", timezone="Mars") == [
        r"currency: '\x1b' is no currency; give at most 8 letters, such as EUR",
        "timezone: 'Mars' is no time zone; give a name such as Europe/Berlin",
    ]


def test_all_problems_are_told_at_once_and_the_message_stays_short() -> None:
    strange = {f"table {number}" + "x" * 500: SERVICES for number in range(50)}
    with pytest.raises(RecordsError) as refused:
        Records.from_tables({**strange, **with_column("changes", service=["a", "b"])}, (1, 0))
    error = refused.value
    assert len(error.problems) == 52
    lines = str(error).splitlines()
    assert lines[20] == "... and 32 more"
    assert max(map(len, lines)) <= 380
    last = error.problems[-1]
    assert (last.table, last.column, last.rows) == ("changes", "service", (0, 1))
    assert str(pickle.loads(pickle.dumps(error))) == str(error)


def test_a_simulated_log_keeps_to_the_contract_and_comes_back_as_it_was(run: sim.Run) -> None:
    records = Records.from_tables(run.tables, run.window, "USD")
    assert records.absent == ()
    for name, frame in run.tables.items():
        found = records.tables[name]
        assert list(found) == list(SCHEMAS[name])
        for column in frame:
            if SCHEMAS[name][column].kind == "text":
                assert found[column].astype(str).equals(frame[column].astype(str)), column
            else:
                pd.testing.assert_series_equal(found[column], frame[column])


def through_a_file(frame: pd.DataFrame) -> pd.DataFrame:
    """Return a table that was written as CSV and read again."""
    return pd.read_csv(io.StringIO(frame.to_csv(index=False)))


def test_any_sensible_type_gives_the_same_metrics(run: sim.Run) -> None:
    expected = run.metrics()
    plain = {name: frame.astype(object) for name, frame in run.tables.items()}
    strings = {
        name: frame.assign(
            **{
                column: frame[column].astype(object).map(lambda v: v if pd.isna(v) else f"{v}")
                for column in frame
                if SCHEMAS[name][column].kind in ("id", "count") and "_id" in column
            }
        )
        for name, frame in run.tables.items()
    }
    nullable = {name: frame.convert_dtypes() for name, frame in run.tables.items()}
    arrow = {
        name: frame.convert_dtypes(dtype_backend="pyarrow") for name, frame in run.tables.items()
    }
    files = {name: through_a_file(frame) for name, frame in run.tables.items()}
    shuffled = {name: frame.set_axis(frame.index[::-1]) for name, frame in files.items()}
    for tables in (plain, strings, nullable, arrow, files, shuffled):
        found = compute_metrics(Records.from_tables(tables, run.window, "USD"))
        pd.testing.assert_series_equal(found, expected, rtol=1e-12)


CELLS = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-3, 5),
    st.floats(),
    st.sampled_from(["", "a", "search", "feature", "True", "\x1b", "2026-01-01", "1"]),
    st.binary(max_size=2),
    st.just(pd.Timestamp("2026-01-01")),
    st.just([1]),
)


@settings(max_examples=150, deadline=None, derandomize=True)
@given(st.data())
def test_whatever_is_in_the_cells_is_taken_or_refused_in_short_lines(data: st.DataObject) -> None:
    tables = {}
    for name in data.draw(st.lists(st.sampled_from(list(SCHEMAS)), unique=True, max_size=4)):
        columns = data.draw(st.lists(st.sampled_from(list(SCHEMAS[name])), unique=True))
        rows = data.draw(st.integers(0, 4))
        tables[name] = pd.DataFrame(
            {column: data.draw(st.lists(CELLS, min_size=rows, max_size=rows)) for column in columns}
        )
    lines = [str(problem) for problem in table_problems(tables)]
    assert all(len(line) <= 380 and line.isprintable() for line in lines)
    if not lines:
        compute_metrics(Records.from_tables(tables, WINDOW))
