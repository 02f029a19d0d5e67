"""Commands that are started, waited for and ended as at a terminal, on however busy a machine."""

import os
import shutil
import signal
import sqlite3
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

PATIENCE_S = 300.0
"""What has to come gets so long: far more than it takes, also beside others that want the cores."""


def until(condition: Callable[[], object]) -> None:
    """Wait until something is so."""
    begun = time.monotonic()
    while not condition():
        assert time.monotonic() - begun < PATIENCE_S, "it never came"
        time.sleep(0.01)


def finished_replications(store: Path) -> int:
    """Return how many replications a store has that a running sweep keeps for itself.

    Args:
        store: its database, of which a copy is read, as it is at this moment.
    """
    with tempfile.TemporaryDirectory() as folder, suppress(OSError, sqlite3.DatabaseError):
        for path in (store, store.with_name(f"{store.name}-wal")):
            shutil.copyfile(path, Path(folder, path.name))
        database = sqlite3.connect(Path(folder, store.name))
        try:
            return int(database.execute("SELECT count(*) FROM runs").fetchone()[0])
        finally:
            database.close()
    return 0


@dataclass(frozen=True)
class Command:
    """A command that runs, in a session of its own: a group that gets signals as a whole."""

    process: subprocess.Popen[bytes]
    folder: Path

    @property
    def printed(self) -> str:
        """What it has printed so far."""
        return (self.folder / "printed").read_text()

    @property
    def errors(self) -> str:
        """What it has said so far on standard error, besides how long it expects to take."""
        said = (self.folder / "errors").read_text().splitlines(keepends=True)
        return "".join(line for line in said if "expected to take" not in line)

    def tell(self, number: signal.Signals) -> None:
        """Send a signal: to all of it, as a terminal does; but ``SIGKILL`` to the parent alone."""
        if number == signal.SIGKILL:
            self.process.kill()
        else:
            with suppress(ProcessLookupError):
                os.killpg(self.process.pid, number)

    def is_in_control(self) -> bool:
        """Return whether it has taken the handling of signals over from Python.

        Linux tells at once. Elsewhere it is told by processes that it starts, which come later.
        """
        if not Path("/proc/self/status").exists():
            return bool(self.others())
        status = Path(f"/proc/{self.process.pid}/status").read_text()
        (caught,) = [line for line in status.splitlines() if line.startswith("SigCgt")]
        return bool(int(caught.split()[1], 16) >> (signal.SIGTERM - 1) & 1)

    def wait(self) -> int:
        """Wait for its end, and return its status."""
        return self.process.wait(PATIENCE_S)

    def others(self) -> list[int]:
        """Return the processes that it has started and that are still there."""
        found = []
        for each in psutil.process_iter():
            with suppress(ProcessLookupError, psutil.NoSuchProcess):
                if (
                    each.pid != self.process.pid
                    and os.getsid(each.pid) == self.process.pid
                    and each.status() != psutil.STATUS_ZOMBIE
                ):
                    found.append(each.pid)
        return found


def _heed_signals() -> None:
    # A shell in the background, or nohup, lets everything below it ignore some of them.
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)


@contextmanager
def started(command: Sequence[str], folder: Path) -> Iterator[Command]:
    """Start a command in ``folder``, and kill what is left of it in the end."""
    with tempfile.TemporaryDirectory() as name:
        said = Path(name)
        with (said / "printed").open("wb") as printed, (said / "errors").open("wb") as errors:
            process = subprocess.Popen(
                command,
                cwd=folder,
                stdin=subprocess.PIPE,  # open, like a terminal
                stdout=printed,
                stderr=errors,
                start_new_session=True,
                preexec_fn=_heed_signals,
            )
        try:
            yield Command(process, said)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def interrupt(
    command: Sequence[str], folder: Path, begun: Callable[[Command], object]
) -> tuple[int, str, str]:
    """Run a command, interrupt it, and return status, output and errors.

    Nothing that it has started may stay.

    Args:
        command: the command.
        folder: where it runs.
        begun: says whether it is time to interrupt it.
    """
    with started(command, folder) as running:

        def time_has_come() -> object:
            assert running.process.poll() is None, running.errors
            return begun(running)

        until(time_has_come)
        running.tell(signal.SIGINT)
        status = running.wait()
        until(lambda: not running.others())
        return status, running.printed, running.errors
