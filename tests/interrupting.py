"""Commands that are interrupted like at a terminal: Ctrl-C reaches the whole process group."""

import os
import signal
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path


def interrupt(
    command: Sequence[str], folder: Path, begun: Callable[[], bool], after_s: float = 0.0
) -> tuple[int, str, str]:
    """Run a command, interrupt it, and return status, output and errors.

    It has half a minute to end: far from the noise of a busy machine, and from its own end.

    Args:
        command: the command.
        folder: where it runs.
        begun: says whether it is time to interrupt it.
        after_s: time to wait from then on.
    """
    process = subprocess.Popen(
        command,
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,  # a process group of its own, which gets the signal as a whole
        # Whoever starts the tests in the background makes their children ignore the signal.
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )
    try:
        started = time.monotonic()
        while not begun():
            assert process.poll() is None
            assert time.monotonic() - started < 60
            time.sleep(0.02)
        time.sleep(after_s)
        os.killpg(process.pid, signal.SIGINT)
        printed, errors = process.communicate(timeout=30)
    finally:
        process.kill()
    return process.returncode, printed, errors
