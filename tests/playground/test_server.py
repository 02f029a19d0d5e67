"""The server, spoken to over sockets: what pages that go away and what its end leave behind."""

import asyncio
import contextlib
import signal
import socket
import subprocess
import sys
from collections.abc import AsyncIterator

import pytest
import uvicorn
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
            for path in (f"answers?{LONG}", f"animation?arm=a&{LONG}"):
                connections = [await ask(port, path) for _ in range(5)]
                await until(lambda: laboratory.idle == 0 and app.state.pages == 5)
                for _, writer in connections:  # during the first impression
                    writer.close()
                await until(lambda: app.state.pages == 0)
                await until(lambda: laboratory.load == 0 and laboratory.idle == 1)
            reader, writer = await ask(port, f"answers?{SHORT}")
            text = await asyncio.wait_for(reader.readuntil(b"done: 2 of 2"), 60)
            assert b"200 OK" in text
            writer.close()
            await until(lambda: app.state.pages == 0)

    run(test)


def test_ctrl_c_while_pages_wait() -> None:
    command = [sys.executable, "-m", "sim.playground", "--no-browser", "--workers", "1"]
    with subprocess.Popen(
        command,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    ) as process:
        assert process.stdout is not None
        assert process.stderr is not None
        port = int(process.stdout.readline().rstrip("/\n").rpartition(":")[2])
        with contextlib.ExitStack() as open_pages:
            for path in ("answers", "answers", "animation"):
                page = socket.create_connection(("127.0.0.1", port), timeout=60)
                open_pages.enter_context(page)
                page.sendall(f"GET /{path}?{LONG} HTTP/1.1\r\nHost: localhost\r\n\r\n".encode())
                assert b"200 OK" in page.recv(1000)
            process.send_signal(signal.SIGINT)
            try:
                status = process.wait(60)
            finally:
                process.kill()
        assert process.stderr.read() == ""
        assert status == 0
