"""Worker processes leave Ctrl-C to their parent, and end when it is gone."""

import os
import select
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

_LOOK_EVERY_S = 0.2


def end_with(parent: int) -> None:
    """End this worker when its parent is gone, which may have been killed without a farewell.

    The first thing that a worker does: what it imports for its work takes longer.
    """

    def watch() -> None:
        # Linux says at once when a process has ended; its number may be another's by then.
        if hasattr(os, "pidfd_open") and os.getppid() == parent:
            with suppress(OSError):
                ended = select.poll()
                ended.register(os.pidfd_open(parent))
                ended.poll()
        while os.getppid() == parent:
            time.sleep(_LOOK_EVERY_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def deferred_interrupts() -> Iterator[None]:
    """Put Ctrl-C off while worker processes are started, and take it up at the end of the block.

    A terminal sends it to all processes, and each worker would print a traceback; it is for the
    parent to stop them. So it is blocked here, which they inherit for good. Another thread may
    still take the signal, whose handler runs in the main one: it only makes a note of it.
    """
    if not hasattr(signal, "pthread_sigmask"):  # on Windows, where nothing is inherited
        yield
        return
    from multiprocessing import resource_tracker  # not on Windows

    # Its start may unblock the signal, even if the parent has blocked it (CPython's issue 127586).
    resource_tracker.ensure_running()
    arrived: list[int] = []
    here = threading.current_thread() is threading.main_thread()  # others may set no handler
    before = signal.getsignal(signal.SIGINT)
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    try:
        if here:
            signal.signal(signal.SIGINT, lambda number, _: arrived.append(number))
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
        yield
    finally:
        try:
            signal.pthread_sigmask(signal.SIG_SETMASK, blocked)  # may run handlers, which may raise
        finally:
            if here:
                signal.signal(signal.SIGINT, before)
        if arrived:
            signal.raise_signal(signal.SIGINT)
