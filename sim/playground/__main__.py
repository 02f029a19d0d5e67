"""``python -m sim.playground``: starts the web page with the sliders."""

import argparse
import os
import signal
import socket
import sys
import threading
import webbrowser
from collections.abc import Sequence
from types import FrameType

from sim.ending import ended_when_told

DEFAULT_PORT = 8642
_LONGEST_END_S = 3.0
"""Pages that wait get so long to be told; then this process ends, and with it its workers."""
_MISSING = "the playground needs more packages: pip install 'mldelivery[playground]'"


def main(arguments: Sequence[str] | None = None) -> int:
    """Serve the playground until interrupted, and return the exit status.

    Args:
        arguments: what follows the program's name; by default those of this process.
    """
    options = _parser().parse_args(arguments)
    try:
        import uvicorn

        from .server import application, stop_answering
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] not in ("uvicorn", "starlette"):
            raise
        print(_MISSING, file=sys.stderr)
        return 2
    try:
        listening = _listen(options.host, options.port)
    except OSError as error:
        where = f"{options.host}:{options.port or DEFAULT_PORT}"
        print(f"cannot listen on {where}: {error.strerror}; choose another --port", file=sys.stderr)
        return 2
    host, port = listening.getsockname()[:2]
    address = f"http://{f'[{host}]' if ':' in host else host}:{port}/"
    # Without a word, from now on: Uvicorn ends everything, and sends itself the signal again.
    for each in (signal.SIGINT, signal.SIGTERM):
        signal.signal(each, lambda *_: os._exit(0))
    print(f"Playground: {address}\nCtrl-C ends it.", flush=True)
    if options.browser:
        webbrowser.open(address)
    app = application(options.workers)

    class Server(uvicorn.Server):
        def handle_exit(self, sig: int, frame: FrameType | None) -> None:
            if self.should_exit:  # told twice
                os._exit(0)
            # Uvicorn would wait for the last replication, or cancel answers with a traceback.
            stop_answering(app)
            super().handle_exit(sig, frame)
            bound = threading.Timer(_LONGEST_END_S, os._exit, (0,))
            bound.daemon = True
            bound.start()

    config = uvicorn.Config(app, log_level="warning", limit_concurrency=512)
    Server(config).run(sockets=[listening])
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m sim.playground",
        description="A web page with sliders: two organizations side by side, simulated while you "
        "move them.",
    )
    parser.add_argument(
        "--host",
        default="127.0.0.1",
        help="address to listen on; by default only this computer can open the page",
    )
    parser.add_argument(
        "--port",
        type=_port,
        help=f"port to listen on; by default {DEFAULT_PORT}, or any free one if that is taken",
    )
    parser.add_argument(
        "--workers",
        type=_workers,
        default=os.cpu_count() or 1,
        help="processes that simulate; by default one per core",
    )
    parser.add_argument(
        "--no-browser", dest="browser", action="store_false", help="do not open the page"
    )
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 65535:
        raise argparse.ArgumentTypeError(f"'{text}' is not a port from 1 to 65535")
    return int(text)


def _workers(text: str) -> int:
    if not text.isdecimal() or not 1 <= int(text) <= 256:
        raise argparse.ArgumentTypeError(f"'{text}' is not a whole number from 1 to 256")
    return int(text)


def _listen(host: str, port: int | None) -> socket.socket:
    """Return a socket that listens; without a port on the usual one, or on any that is free."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for choice in [port] if port else [DEFAULT_PORT, 0]:
        listening = socket.socket(family, socket.SOCK_STREAM)
        listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listening.bind((host, choice))
            listening.listen(128)
        except OSError:
            listening.close()
            if choice == (port or 0):
                raise
        else:
            return listening
    raise AssertionError("unreachable")


if __name__ == "__main__":
    with ended_when_told("interrupted"):
        sys.exit(main())
