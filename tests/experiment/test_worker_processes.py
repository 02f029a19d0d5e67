"""Ctrl-C while worker processes are started: not lost, and not theirs."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator

import pytest
from processes import PATIENCE_S

from sim.experiment.worker_processes import deferred_interrupts

pytestmark = pytest.mark.processes

_CHILD = """
import signal
print("up", flush=True)
input()
print(signal.SIGINT in signal.sigpending())
"""


@pytest.fixture(autouse=True)
def interrupts_are_raised() -> Iterator[None]:
    """Whoever starts the tests in the background makes them ignore the signal."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_is_raised_at_the_end_of_the_block() -> None:
    reached = []
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012 - where it is raised is the point
        with deferred_interrupts():
            os.kill(os.getpid(), signal.SIGINT)
            reached.append("the end of the block")
        reached.append("what follows")
    assert reached == ["the end of the block"]
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())


def test_an_interrupt_that_another_thread_takes_is_raised_too() -> None:
    reached = []
    with pytest.raises(KeyboardInterrupt):  # noqa: PT012
        with deferred_interrupts():
            unblocked = signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGINT})
            os.kill(os.getpid(), signal.SIGINT)  # as if to one that does not block it
            signal.pthread_sigmask(signal.SIG_SETMASK, unblocked)
            reached.append("the end of the block")
        reached.append("what follows")
    assert reached == ["the end of the block"]


def test_a_process_that_is_started_in_the_block_does_not_see_interrupts() -> None:
    with deferred_interrupts():
        child = subprocess.Popen(
            [sys.executable, "-c", _CHILD],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
    try:
        assert child.stdout is not None
        assert child.stdout.readline() == "up\n"
        child.send_signal(signal.SIGINT)
        assert child.communicate("\n", timeout=PATIENCE_S)[0] == "True\n"
    finally:
        child.kill()


_ENGINE = """
import signal
from sim.experiment.engines import engine, start_early

start_early(2)
with engine("loky", 2) as started:
    for _ in range(4):
        blocked = started.submit(signal.pthread_sigmask, signal.SIG_BLOCK, ()).result()
        assert signal.SIGINT in blocked
assert signal.SIGINT not in signal.pthread_sigmask(signal.SIG_BLOCK, ())
"""


def test_no_worker_sees_interrupts_from_its_first_moment_on() -> None:
    subprocess.run([sys.executable, "-c", _ENGINE], check=True, timeout=PATIENCE_S)
