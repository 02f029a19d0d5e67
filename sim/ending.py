"""How a command ends when it is told to: at once, in one line, and with nothing half-written.

Ctrl-C usually raises an exception wherever the program happens to be. It would come out of an
import as some other error, be lost in a callback, or end a library's thread with a traceback. So a
command ends in the handler of the signal. What has to survive that is in a store that survives
``kill -9``; what must not stay is removed here; worker processes notice that their parent is gone.
"""

import os
import signal
import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from types import FrameType
from typing import TYPE_CHECKING

if TYPE_CHECKING:  # until the handler is there, each import is time for a traceback
    from pathlib import Path

_SIGNALS = [
    getattr(signal, name) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
]
_LONGEST_FAREWELL_S = 10.0
_RESOURCE_TRACKER = "resource_tracker"
_NO_WARNING = f"ignore:{_RESOURCE_TRACKER}:UserWarning"

_words: list[Callable[[], str]] = []
_unfinished: list["Path"] = []
_farewells: list[Callable[[], object]] = []
_undisturbed: list[list[int]] = []


@contextmanager
def ended_when_told(words: str = "interrupted; nothing was written") -> Iterator[None]:
    """End this process in one line on Ctrl-C, SIGTERM or a hang-up: the block is a command.

    The status is 128 plus the number of the signal, as of a program that a shell saw die of it.
    Signals that are ignored, like Ctrl-C in the background, stay so.

    Args:
        words: the line, where there are no other :func:`last_words`.
    """
    _words.insert(0, lambda: words)
    # The tracker of semaphores may die of a hang-up before this process does, and it removes the
    # semaphores of processes that are killed; there is a warning of both, here or in a worker.
    warnings.filterwarnings("ignore", _RESOURCE_TRACKER, UserWarning)
    before = os.environ.get("PYTHONWARNINGS")
    os.environ["PYTHONWARNINGS"] = f"{before},{_NO_WARNING}" if before else _NO_WARNING
    taken = [each for each in _SIGNALS if signal.getsignal(each) is not signal.SIG_IGN]
    for each in taken:
        signal.signal(each, _end)
    try:
        yield
    except SystemExit:
        for each in taken:  # all is done, and Python is about to take itself apart
            signal.signal(each, signal.SIG_DFL)
        raise


def _end(number: int, _: FrameType | None) -> None:
    if _undisturbed:
        _undisturbed[-1].append(number)
        return
    for each in _SIGNALS:
        signal.signal(each, signal.SIG_IGN)
    for path in _unfinished:
        _remove(path)
    words = _words[-1]()
    with suppress(OSError, ValueError):  # of a terminal that is gone
        if sys.stderr.isatty():
            print("\r\x1b[2K\x1b[?25h", end="", file=sys.stderr)  # instead of a bar, with a cursor
        print(words, file=sys.stderr, flush=True)
    for call in _farewells:
        # The main thread, which is stopped here, may hold a lock that this wants.
        thread = threading.Thread(target=call, daemon=True)
        thread.start()
        thread.join(_LONGEST_FAREWELL_S)
    os._exit(128 + number)


@contextmanager
def last_words(say: Callable[[], str]) -> Iterator[None]:
    """Let ``say`` tidy up and return the line to print, if the command is told to end meanwhile."""
    _words.append(say)
    try:
        yield
    finally:
        _words.remove(say)


@contextmanager
def undisturbed() -> Iterator[None]:
    """Put the end off until the block is done, which must not take long."""
    arrived: list[int] = []
    _undisturbed.append(arrived)
    try:
        yield
    finally:
        _undisturbed.remove(arrived)
        for number in arrived[:1]:
            signal.raise_signal(number)


@contextmanager
def farewell(call: Callable[[], object]) -> Iterator[None]:
    """Call something at the end of the block, or of the command: of processes that would stay."""
    _farewells.append(call)
    try:
        yield
    finally:
        _farewells.remove(call)
        call()


@contextmanager
def unfinished(path: "Path") -> Iterator[None]:
    """Remove a file or folder after the block, or when the command ends, unless it was renamed."""
    _unfinished.append(path)
    try:
        yield
    finally:
        _remove(path)
        _unfinished.remove(path)


@contextmanager
def temporary_folder(parent: "Path", prefix: str) -> Iterator["Path"]:
    """Yield a new folder in ``parent``, which is :func:`unfinished` during the block.

    Raises:
        OSError: it cannot be made.
    """
    folder = parent / f"{prefix}{os.urandom(4).hex()}"
    with unfinished(folder):
        folder.mkdir()
        yield folder


def _remove(path: "Path") -> None:
    import shutil

    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)
