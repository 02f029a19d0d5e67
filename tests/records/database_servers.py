"""Database servers, started for tests in a temporary folder and ended after them."""

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import pytest
import sqlalchemy

SECRET = "correct horse battery staple"
"""The password of the user `reader`."""
_PATIENCE_S = 120.0


class Server(NamedTuple):
    """A server that runs."""

    url: str  # as a person gives it, without the password
    owner: sqlalchemy.URL  # with the password


def _program(name: str) -> str | None:
    places = [str(path.parent) for path in Path("/usr/lib/postgresql").glob(f"*/bin/{name}")]
    return shutil.which(name, path=os.pathsep.join([os.environ["PATH"], "/usr/sbin", *places]))


def needed(*names: str) -> list[str]:
    """Return the paths of programs; skip the test without them, or fail it where they must be."""
    found = [_program(name) for name in names]
    if all(found):
        return [str(path) for path in found]
    words = f"{' and '.join(names)} are not installed"
    if os.environ.get("MLDELIVERY_REQUIRES_DATABASES"):
        pytest.fail(words)
    pytest.skip(words)


@contextmanager
def _running(
    user: str, prepare: Callable[[Path], list[list[str]]], serve: Callable[[Path, int], list[str]]
) -> Iterator[tuple[Path, int, subprocess.Popen[bytes]]]:
    """Run a server as a user that is not root, which servers refuse."""
    as_user = user if os.geteuid() == 0 else None
    if as_user is not None:
        try:
            pwd.getpwnam(user)
        except KeyError:
            pytest.fail(f"there is no user {user} to run the server as")
    folder = Path(tempfile.mkdtemp(prefix="mldelivery-"))
    process = None
    try:
        (folder / "password").write_text(SECRET, encoding="utf-8")
        if as_user is not None:
            shutil.chown(folder, as_user)
            shutil.chown(folder / "password", as_user)
        with (folder / "output").open("wb") as output:
            for command in prepare(folder):
                subprocess.run(
                    command, user=as_user, cwd=folder, check=True, timeout=_PATIENCE_S,
                    stdout=output, stderr=output, stdin=subprocess.DEVNULL,
                )  # fmt: skip
            with socket.socket() as free:
                free.bind(("127.0.0.1", 0))
                port = free.getsockname()[1]
            process = subprocess.Popen(
                serve(folder, port), user=as_user, cwd=folder,
                stdout=output, stderr=output, stdin=subprocess.DEVNULL,
            )  # fmt: skip
        yield folder, port, process
    finally:
        if process is not None:
            process.terminate()
            try:
                process.wait(_PATIENCE_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
        shutil.rmtree(folder, ignore_errors=True)


def _execute(
    url: sqlalchemy.URL, statements: list[str], process: "subprocess.Popen[bytes]", output: Path
) -> None:
    """Execute statements as soon as the server answers."""
    until = time.monotonic() + _PATIENCE_S
    engine = sqlalchemy.create_engine(
        url, isolation_level="AUTOCOMMIT", poolclass=sqlalchemy.NullPool
    )
    while True:
        try:
            with engine.connect() as connection:
                for statement in statements:
                    connection.execute(sqlalchemy.text(statement))
            return
        except sqlalchemy.exc.OperationalError:
            if process.poll() is not None or time.monotonic() > until:
                pytest.fail(output.read_text(errors="replace")[-2000:])
            time.sleep(0.05)


@contextmanager
def postgresql() -> Iterator[Server]:
    """Run PostgreSQL with an empty database `lake`, and a user `reader` with a password."""
    initdb, postgres = needed("initdb", "postgres")
    with _running(
        "postgres",
        lambda folder: [
            [initdb, "-D", f"{folder}/data", "-U", "reader", "-A", "scram-sha-256", "-E", "UTF8",
             "--pwfile", f"{folder}/password", "--locale=C", "--no-sync"],
        ],
        lambda folder, port: [
            postgres, "-D", f"{folder}/data", "-h", "127.0.0.1", "-p", str(port),
            "-k", str(folder), "-F",
        ],
    ) as (folder, port, process):  # fmt: skip
        owner = sqlalchemy.URL.create(
            "postgresql+psycopg", "reader", SECRET, "127.0.0.1", port, "postgres"
        )
        _execute(owner, ["CREATE DATABASE lake"], process, folder / "output")
        yield Server(f"postgresql://reader@127.0.0.1:{port}/lake", owner.set(database="lake"))


@contextmanager
def mariadb() -> Iterator[Server]:
    """Run MariaDB with an empty database `lake`, and a user `reader` with a password."""
    install, serve = needed("mariadb-install-db", "mariadbd")
    with _running(
        "mysql",
        lambda folder: [
            [install, "--no-defaults", f"--datadir={folder}/data", "--skip-test-db",
             "--auth-root-authentication-method=normal"],
        ],
        lambda folder, port: [
            serve, "--no-defaults", f"--datadir={folder}/data", f"--port={port}",
            "--bind-address=127.0.0.1", f"--socket={folder}/socket", f"--pid-file={folder}/pid",
            "--innodb-flush-log-at-trx-commit=0",
        ],
    ) as (folder, port, process):  # fmt: skip
        root = sqlalchemy.URL.create(
            "mysql+pymysql", "root", database="mysql", query={"unix_socket": f"{folder}/socket"}
        )
        statements = [
            "CREATE DATABASE lake",
            f"CREATE USER reader@'127.0.0.1' IDENTIFIED BY '{SECRET}'",
            "GRANT ALL ON lake.* TO reader@'127.0.0.1'",
        ]
        _execute(root, statements, process, folder / "output")
        owner = sqlalchemy.URL.create("mysql+pymysql", "reader", SECRET, "127.0.0.1", port, "lake")
        yield Server(f"mysql://reader@127.0.0.1:{port}/lake", owner)
