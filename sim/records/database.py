"""Apache DevLake's tables in a database: MySQL, MariaDB, PostgreSQL or a file of SQLite.

Known columns of known tables are selected, and nothing else is said to the database but that it
must not write. A password is never part of what is given: it comes from the environment.
"""

import os
import queue
import threading
from collections.abc import Callable, Iterator, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import pandas as pd

from sim.experiment.resources import machine_memory, size
from sim.words import printable

from .csv_files import SourceError
from .delivery import ROW, Delivery
from .devlake_tables import TABLES, kind_of, to_delivery, typed
from .options import Options
from .problems import Problems

NAME = "database"
WANTED = "the URL of a database with DevLake's tables, as mysql://reader@host/lake"

PASSWORD = "MLDELIVERY_DATABASE_PASSWORD"
"""The environment variable with the password."""

CONNECT_S = 5
"""How long the database may take to answer at all."""
STATEMENT_S = 60
"""How long it may take until it says more."""

_SCHEMES = {
    "mysql": "mysql+pymysql",
    "mysql+pymysql": "mysql+pymysql",
    "mariadb": "mysql+pymysql",
    "mariadb+pymysql": "mysql+pymysql",
    "postgresql": "postgresql+psycopg",
    "postgresql+psycopg": "postgresql+psycopg",
    "postgres": "postgresql+psycopg",
    "sqlite": "sqlite",
}
_NOT_INSTALLED = (
    "to read a database, install SQLAlchemy and its drivers: pip install 'mldelivery[database]'"
)
_CHUNK = 50_000
_MEMORY_PER_ROW = 3_000
"""Bytes of a row at the most, once it is read and joined to others."""

Found = TypeVar("Found")


def can_open(source: str) -> bool:
    """Return whether a source is a URL; nothing else is looked at."""
    return "://" in source


def read(source: str, options: Options) -> Delivery:
    """Return what DevLake's tables in a database say.

    Args:
        source: the URL, without a password.
        options: of these, none is used here: DevLake keeps its times in UTC.

    Raises:
        SourceError: the URL has a password or is none, SQLAlchemy is not installed, the database
            refuses, does not answer, or has none of the tables.
    """
    url = _url(source)
    problems = Problems()
    try:
        engine = _engine(url)
    except ImportError:
        raise SourceError(_NOT_INSTALLED) from None
    place = _place(url)
    tables = _in_time(lambda say: _tables(engine, place, problems, say), place)
    return to_delivery("a database of Apache DevLake", tables, {}, problems)


def _url(source: str) -> Any:
    """Return the URL with the driver and the password that belong to it."""
    try:
        import sqlalchemy
    except ImportError:
        raise SourceError(_NOT_INSTALLED) from None
    scheme = source.partition("://")[0].lower()
    if scheme not in _SCHEMES:
        known = ", ".join(f"{name}://" for name in ("mysql", "mariadb", "postgresql", "sqlite"))
        raise SourceError(f"'{printable(scheme)[:20]}://' is no database that is known: {known}")
    try:
        url = sqlalchemy.make_url(source)
    except (sqlalchemy.exc.ArgumentError, ValueError):
        url = None
    # What cannot be taken apart may hide a password just as well.
    if (url is not None and url.password is not None) or (url is None and "@" in source):
        raise SourceError(
            "the URL of a database must not have a password, for others can read it in the list of "
            f"processes; leave it out and put it into the environment variable {PASSWORD}"
        )
    if url is None or not url.database or set(url.query) - {"unix_socket", "host"}:
        raise SourceError("this is no URL of a database; write it as mysql://reader@host:3306/lake")
    url = url.set(drivername=_SCHEMES[scheme])
    if scheme == "sqlite":
        if not Path(str(url.database)).is_file():
            raise SourceError(
                f"{printable(str(url.database))} does not exist; give a file of SQLite"
            )
        return url
    return url.set(password=os.environ.get(PASSWORD) or None)


def _place(url: Any) -> str:
    """Return where a database is, in words without a password."""
    if url.drivername == "sqlite":
        return printable(f"the database {url.database}")
    return printable(f"the database at {url.host or url.query.get('unix_socket') or 'this host'}")


def _in_time(work: Callable[[Callable[[], None]], Found], place: str) -> Found:
    """Return what comes of work that says now and then that it goes on, in a thread of its own.

    A driver waits for its server in code that nothing can interrupt; so this waits for the driver.
    """
    said: queue.Queue[tuple[str, Any]] = queue.Queue()

    def run() -> None:
        try:
            said.put(("done", work(lambda: said.put(("alive", None)))))
        except BaseException as error:
            said.put(("failed", error))

    threading.Thread(target=run, daemon=True).start()
    patience: float = CONNECT_S + 2
    while True:
        try:
            what, value = said.get(timeout=patience)
        except queue.Empty:
            raise SourceError(
                f"{place} does not answer (for {patience:g} s); is it the right host and port, and "
                "is it busy?"
            ) from None
        if what == "done":
            found: Found = value
            return found
        if what == "failed":
            if isinstance(value, SourceError):
                raise value
            raise SourceError(f"{place} refuses: {_words(value)}") from None
        patience = STATEMENT_S


def _words(error: BaseException) -> str:
    """Return what a driver says in one line, without the statement and without the password."""
    original = getattr(error, "orig", None) or error
    arguments = original.args
    text = str(arguments[1]) if len(arguments) > 1 else str(original)
    line = " ".join(text.split()) or type(original).__name__
    password = os.environ.get(PASSWORD)
    if password:
        line = line.replace(password, "***")
    return printable(line)[:200]


def _tables(
    engine: Any, place: str, problems: Problems, say: Callable[[], None]
) -> dict[str, pd.DataFrame]:
    import sqlalchemy

    try:
        with engine.connect() as connection:
            say()
            _forbid_writing(connection)
            inspected = sqlalchemy.inspect(connection)
            there = {*inspected.get_table_names(), *inspected.get_view_names()}
            say()
            known = [name for name in TABLES if name in there]
            if not known:
                raise SourceError(
                    f"{place} has none of DevLake's tables, such as cicd_deployment_commits"
                )
            selects = {name: _select(connection, name) for name in known}
            say()
            _refuse_too_large(connection, selects, say)
            tables = {}
            for name, select in selects.items():
                table = typed(name, _rows(connection, select, name, say), name, problems)
                if table is not None:
                    tables[name] = table
            return tables
    finally:
        engine.dispose()


def _engine(url: Any) -> Any:
    import sqlalchemy

    if url.drivername == "sqlite":
        file = f"file:{Path(url.database).resolve().as_posix()}?mode=ro&uri=true"
        return sqlalchemy.create_engine(
            f"sqlite:///{file}", connect_args={"timeout": CONNECT_S}, hide_parameters=True
        )
    arguments: dict[str, Any] = {"connect_timeout": CONNECT_S}
    if url.drivername.startswith("mysql"):
        arguments |= {"read_timeout": STATEMENT_S, "write_timeout": CONNECT_S}
    else:
        arguments["options"] = (
            f"-c statement_timeout={STATEMENT_S * 1000} -c default_transaction_read_only=on "
            "-c timezone=UTC"
        )
    return sqlalchemy.create_engine(
        url, connect_args=arguments, hide_parameters=True, poolclass=sqlalchemy.NullPool
    )


def _forbid_writing(connection: Any) -> None:
    """Make the session one that cannot write and ends its statements in time."""
    import sqlalchemy

    if connection.dialect.name == "mysql":
        is_mariadb = bool(getattr(connection.dialect, "is_mariadb", False))
        limit = (
            f"max_statement_time = {STATEMENT_S}"
            if is_mariadb
            else f"max_execution_time = {STATEMENT_S * 1000}"
        )
        for said in (f"SET SESSION {limit}", "SET time_zone = '+00:00'"):
            connection.execute(sqlalchemy.text(said))
        connection.commit()
        connection.execute(sqlalchemy.text("SET SESSION TRANSACTION READ ONLY"))
        connection.commit()


def _select(connection: Any, name: str) -> Any:
    """Return the statement that selects the known columns of a table."""
    import sqlalchemy

    there = {column["name"] for column in sqlalchemy.inspect(connection).get_columns(name)}
    columns: list[Any] = [sqlalchemy.column(column) for column in TABLES[name] if column in there]
    return sqlalchemy.select(*columns).select_from(sqlalchemy.table(name, *columns))


def _refuse_too_large(connection: Any, selects: Mapping[str, Any], say: Callable[[], None]) -> None:
    import sqlalchemy

    count = 0
    for name in selects:
        counted = sqlalchemy.select(sqlalchemy.func.count()).select_from(sqlalchemy.table(name))
        count += int(connection.execute(counted).scalar_one())
        say()
    needed, there = count * _MEMORY_PER_ROW, machine_memory()
    if needed > there:
        raise SourceError(
            f"{count:,} rows take up to {size(needed)} of memory, and this machine has "
            f"{size(there)}; export fewer years as CSV"
        )


def _rows(connection: Any, select: Any, name: str, say: Callable[[], None]) -> pd.DataFrame:
    """Return the rows of a table, times as times of UTC and everything else as texts."""
    columns: list[str] = [column.name for column in select.selected_columns]
    if not columns:
        return pd.DataFrame({ROW: np.empty(0, np.int64)})
    parts = list(_parts(connection, select, columns, say))
    frame = pd.concat(parts, ignore_index=True)
    frame[ROW] = np.arange(len(frame)) + 1
    return frame


def _parts(
    connection: Any, select: Any, columns: list[str], say: Callable[[], None]
) -> Iterator[pd.DataFrame]:
    result = connection.execution_options(stream_results=True, max_row_buffer=_CHUNK).execute(
        select
    )
    yield pd.DataFrame({column: pd.Series([], dtype="string") for column in columns})
    while rows := result.fetchmany(_CHUNK):
        values = list(zip(*rows, strict=True))
        yield pd.DataFrame(
            {
                column: _texts(column, list(of_column))
                for column, of_column in zip(columns, values, strict=True)
            }
        )
        say()


def _texts(column: str, values: list[Any]) -> pd.Series:
    if kind_of(column) == "time":
        texts = [_time(value) for value in values]
    else:
        texts = [_text(value) for value in values]
    return pd.Series(texts, dtype="string")


def _time(value: Any) -> str | None:
    if not isinstance(value, datetime):
        return _text(value)
    return value.isoformat() if value.tzinfo else f"{value.isoformat()}+00:00"


def _text(value: Any) -> str | None:
    if value is None or value == "":
        return None
    if isinstance(value, bytes):
        return value.decode("utf-8", errors="replace")
    return str(value)
