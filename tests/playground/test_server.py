"""The server, spoken to over sockets: what pages that go away and what its end leave behind."""

import asyncio
import contextlib
import signal
import socket
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import psutil
import pytest
import uvicorn
from processes import PATIENCE_S, started
from processes import until as until_here
from starlette.applications import Starlette
from test_laboratory import run, until

from sim.playground.laboratory import Laboratory
from sim.playground.server import application, stop_answering

LONG = "a.organization=enterprise&b.organization=enterprise"
SHORT = "a.organization=startup&b.organization=startup&replications=2"


@contextlib.asynccontextmanager
async def served() -> AsyncIterator[tuple[Starlette, int]]:
    app = application(workers=1)
    listening = socket.create_server(("127.0.0.1", 0))
    server = uvicorn.Server(uvicorn.Config(app, log_level="error", lifespan="on"))
    server.install_signal_handlers = lambda: None  # type: ignore[method-assign]
    task = asyncio.create_task(server.serve(sockets=[listening]))
    await until(lambda: server.started)
    try:
        yield app, listening.getsockname()[1]
    finally:
        stop_answering(app)
        server.should_exit = True
        await task


async def ask(port: int, path: str) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(f"GET /{path} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
    await writer.drain()
    return reader, writer


@pytest.mark.slow
def test_pages_that_go_away_take_their_work_back() -> None:
    async def test() -> None:
        async with served() as (app, port):
            laboratory: Laboratory = app.state.laboratory
            for path in (f"answers?{LONG}", f"watch?{LONG}"):
                connections = [await ask(port, path) for _ in range(5)]
                await until(lambda: laboratory.idle == 0 and app.state.pages == 5)
                for _, writer in connections:  # during the first impression
                    writer.close()
                await until(lambda: app.state.pages == 0)
                await until(lambda: laboratory.load == 0 and laboratory.idle == 1)
            reader, writer = await ask(port, f"answers?{SHORT}")
            text = await asyncio.wait_for(reader.readuntil(b"done: 2 of 2"), PATIENCE_S)
            assert b"200 OK" in text
            writer.close()
            await until(lambda: app.state.pages == 0)

    run(test)


@pytest.mark.processes
@pytest.mark.parametrize(
    ("number", "kills"),
    [
        pytest.param(signal.SIGINT, 0, marks=pytest.mark.slow),
        (signal.SIGINT, 2),
        pytest.param(signal.SIGTERM, 1, marks=pytest.mark.slow),
    ],
)
def test_it_is_ended_while_pages_wait_on_workers_of_which_some_were_killed(
    number: signal.Signals, kills: int, tmp_path: Path
) -> None:
    command = [sys.executable, "-m", "sim.playground", "--no-browser", "--workers", "1"]
    with started(command, tmp_path) as server, contextlib.ExitStack() as open_pages:

        def workers() -> set[psutil.Process]:
            found = set()
            for number in server.others():
                with contextlib.suppress(psutil.NoSuchProcess):  # it has ended meanwhile
                    process = psutil.Process(number)
                    if any("spawn_main" in word for word in process.cmdline()):
                        found.add(process)
            return found

        until_here(lambda: server.printed.endswith("Ctrl-C ends it.\n"))
        port = int(server.printed.partition("\n")[0].rstrip("/").rpartition(":")[2])
        for path in ("answers", "roadmap", "watch"):
            page = socket.create_connection(("127.0.0.1", port), timeout=PATIENCE_S)
            open_pages.enter_context(page)
            page.sendall(f"GET /{path}?{LONG} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
            assert b"200 OK" in page.recv(1000)
        killed: set[psutil.Process] = set()
        for _ in range(kills):
            until_here(lambda: workers() - killed)
            (worker,) = workers() - killed
            worker.kill()
            killed.add(worker)
        server.tell(number)
        assert server.wait() == 0
        until_here(lambda: not server.others())
        assert server.errors == ""
