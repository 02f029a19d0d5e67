"""Apache DevLake's tables in databases: real servers, refusals and silence."""

import socket
import sys
import threading
import traceback
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
import sqlalchemy
from database_servers import SECRET, Server, mariadb, postgresql
from exported_runs import exported, small_run
from sqlalchemy.dialects import mysql

from sim.measure.command import main as measure
from sim.metrics import compute_metrics
from sim.records import database
from sim.records.csv_files import SourceError
from sim.records.devlake_tables import TABLES, kind_of
from sim.records.reading import read

SERVERS = {"postgresql": postgresql, "mariadb": mariadb}


@pytest.fixture(scope="module")
def dump(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A simulated organization as DevLake's tables."""
    return exported(small_run(), "devlake", tmp_path_factory.mktemp("dump") / "devlake")


@pytest.fixture(scope="module", params=SERVERS)
def server(request: pytest.FixtureRequest, dump: Path) -> Iterator[Server]:
    with SERVERS[request.param]() as running:
        load(running.owner, dump)
        yield running


@pytest.fixture(autouse=True)
def password(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(database.PASSWORD, SECRET)
    monkeypatch.setattr(database, "CONNECT_S", 60)  # however busy the machine is


def load(url: sqlalchemy.URL, dump: Path) -> None:
    """Fill a database with the tables of a dump, with the types that DevLake gives them."""
    engine = sqlalchemy.create_engine(url)
    metadata = sqlalchemy.MetaData()
    time = sqlalchemy.DateTime().with_variant(mysql.DATETIME(fsp=3), "mysql")
    for path in sorted(dump.glob("*.csv")):
        frame = pd.read_csv(path, dtype=str)
        types = {
            "time": time,
            "number": sqlalchemy.BigInteger(),
            "text": sqlalchemy.String(255),
        }
        table = sqlalchemy.Table(
            path.stem,
            metadata,
            *(sqlalchemy.Column(name, types[kind_of(name)]) for name in frame),
            sqlalchemy.Column("of_nobody", sqlalchemy.String(9)),
        )
        table.create(engine)
        for name in frame:
            if kind_of(name) == "time":
                frame[name] = pd.to_datetime(frame[name]).dt.tz_localize(None)
            elif kind_of(name) == "number":
                frame[name] = pd.to_numeric(frame[name])
        rows = [
            {
                str(name): None
                if pd.isna(value)
                else value.to_pydatetime()
                if isinstance(value, pd.Timestamp)
                else int(value)
                if isinstance(value, float)
                else value
                for name, value in row.items()
            }
            for row in frame.to_dict("records")
        ]
        with engine.begin() as connection:
            connection.execute(table.insert(), rows)
    engine.dispose()


@pytest.mark.processes
def test_a_database_says_what_its_dump_says(server: Server, dump: Path) -> None:
    ours, of_dump = read(server.url), read(dump)
    assert compute_metrics(ours).dropna().to_dict() == pytest.approx(
        compute_metrics(of_dump).dropna().to_dict()
    )
    assert len(compute_metrics(ours).dropna()) > 10
    assert set(ours.tables) == set(of_dump.tables)
    for name, table in ours.tables.items():
        assert len(table) == len(of_dump.tables[name])
    assert not len(ours.problems)
    assert ours.attribution == of_dump.attribution


@pytest.mark.processes
def test_nothing_can_be_written(server: Server) -> None:
    engine = database._engine(database._url(server.url))
    with engine.connect() as connection:
        database._forbid_writing(connection)
        with pytest.raises(sqlalchemy.exc.DBAPIError, match=r"(?i)read.only"):
            connection.execute(sqlalchemy.text("INSERT INTO repos (id) VALUES ('new')"))
    engine.dispose()


@pytest.mark.processes
def test_a_wrong_password_is_refused_without_being_shown(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(database.PASSWORD, "hunter2hunter2")
    with pytest.raises(SourceError, match=r"the database at 127\.0\.0\.1 refuses: ") as caught:
        read(server.url)
    shown = "".join(traceback.format_exception(caught.value))
    assert "hunter2" not in shown
    assert "reader" in shown  # the user, whom the URL names


@pytest.mark.processes
def test_a_password_is_written_nowhere(
    server: Server, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit) as ended:
        measure([server.url, "--as", "devlake", "--output", str(tmp_path / "measured")])
    assert ended.value.code == 0
    printed = capsys.readouterr()
    assert "lake" in printed.out
    texts = [printed.out.encode(), printed.err.encode()]
    texts += [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert len(texts) > 5
    assert not any(SECRET.encode() in text for text in texts)


@pytest.mark.processes
def test_a_statement_that_hangs_ends_in_words(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "STATEMENT_S", 1)
    engine = sqlalchemy.create_engine(server.owner)
    with engine.connect() as connection:
        kind = connection.dialect.name
        lock = {"mysql": "LOCK TABLES repos WRITE", "postgresql": "LOCK TABLE repos"}[kind]
        connection.execute(sqlalchemy.text(lock))
        with pytest.raises(SourceError, match=r"refuses: .*(timeout|time)|does not answer"):
            read(server.url)
    engine.dispose()


@pytest.mark.processes
def test_a_database_without_the_tables_says_so(server: Server) -> None:
    other = {"mysql": "information_schema", "postgresql": "postgres"}
    url = server.url.replace("/lake", f"/{other[server.url.partition(':')[0]]}")
    with pytest.raises(SourceError, match="has none of DevLake's tables"):
        read(url)


@pytest.mark.parametrize("scheme", ["mysql", "postgresql"])
def test_a_server_that_never_says_a_word_is_given_up(
    scheme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(database, "CONNECT_S", 1)
    monkeypatch.setattr(database, "STATEMENT_S", 30)
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        with pytest.raises(SourceError, match=r"does not answer|timeout"):
            read(f"{scheme}://reader@127.0.0.1:{silent.getsockname()[1]}/lake")


def test_a_server_that_stops_in_the_middle_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(database, "CONNECT_S", 1)
    over = threading.Event()

    def work(say: object) -> None:
        assert over.wait(60)

    with pytest.raises(SourceError, match=r"the host does not answer \(for 3 s\)"):
        database._in_time(work, "the host")
    over.set()


@pytest.mark.parametrize("scheme", ["mysql", "postgresql"])
def test_a_port_where_nobody_listens_is_refused(scheme: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        with pytest.raises(SourceError, match=r"the database at 127\.0\.0\.1 refuses: .*refused"):
            read(f"{scheme}://reader@127.0.0.1:{taken.getsockname()[1]}/lake")


@pytest.mark.parametrize(
    "url",
    [
        "mysql://reader:hunter2@host/lake",
        "mysql+pymysql://reader:hunter2@host/lake",
        "postgresql://reader:hunter2@host:99999999/lake",
        "postgresql://reader:hunt@er2@host/lake",
        "mysql://reader@host/lake?password=hunter2",
        "mysql://:hunter2@/lake",
        "oracle://reader:hunter2@host/lake",
        "mysql://[reader:hunter2@host/lake",
        "https://hunter2@host/lake",
    ],
)
def test_a_password_in_a_url_is_refused_and_never_shown(
    url: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SourceError) as caught:
        read(url)
    assert "hunt" not in "".join(traceback.format_exception(caught.value)).replace(url, "")
    assert "hunt" not in str(caught.value)
    with pytest.raises(SystemExit) as ended:
        measure([url])
    assert ended.value.code == 2
    printed = capsys.readouterr()
    assert "hunt" not in printed.out + printed.err
    assert printed.err.count("\n") <= 2


def test_without_its_libraries_it_is_said_what_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "pymysql", None)
    with pytest.raises(SourceError, match=r"pip install 'mldelivery\[database\]'"):
        read("mysql://reader@host/lake")
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    with pytest.raises(SourceError, match=r"pip install 'mldelivery\[database\]'"):
        read("postgresql://reader@host/lake")


def test_a_file_of_sqlite_is_read_and_not_written(dump: Path, tmp_path: Path) -> None:
    path = tmp_path / "lake.db"
    load(sqlalchemy.URL.create("sqlite", database=str(path)), dump)
    before = path.read_bytes()
    assert compute_metrics(read(f"sqlite:///{path}"))["n_deployments"] == pytest.approx(
        compute_metrics(read(dump))["n_deployments"]
    )
    assert path.read_bytes() == before
    with pytest.raises(SourceError, match="does not exist"):
        read(f"sqlite:///{tmp_path}/none.db")


def test_more_rows_than_fit_are_refused_before_they_are_read(
    dump: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "lake.db"
    load(sqlalchemy.URL.create("sqlite", database=str(path)), dump)
    monkeypatch.setattr(database, "_MEMORY_PER_ROW", 1e12)
    with pytest.raises(
        SourceError, match=r"[\d,]+ rows take up to .+ of memory, and this machine has"
    ):
        read(f"sqlite:///{path}")


def test_only_known_tables_and_columns_are_selected(dump: Path, tmp_path: Path) -> None:
    path = tmp_path / "lake.db"
    load(sqlalchemy.URL.create("sqlite", database=str(path)), dump)
    said: list[str] = []

    @sqlalchemy.event.listens_for(sqlalchemy.Engine, "before_cursor_execute")
    def listen(*arguments: object) -> None:
        said.append(str(arguments[2]))

    try:
        read(f"sqlite:///{path}")
    finally:
        sqlalchemy.event.remove(sqlalchemy.Engine, "before_cursor_execute", listen)
    assert said
    assert not any("of_nobody" in statement or "*" in statement.replace("count(*)", "")
                   for statement in said)  # fmt: skip
    selected = [statement for statement in said if statement.startswith("SELECT")]
    assert all(any(name in statement for name in (*TABLES, "sqlite_")) for statement in selected)
    assert all(statement.startswith(("SELECT", "PRAGMA")) for statement in said)
