"""What all worker processes need: to leave Ctrl-C to their parent, and to end when it is gone."""

import os
import signal
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_LOOK_EVERY_S = 1.0


def end_with(parent: int) -> None:
    """End this worker when its parent is gone, which may have been killed without a farewell."""

    def watch() -> None:
        while os.getppid() == parent:
            time.sleep(_LOOK_EVERY_S)
        os._exit(1)

    threading.Thread(target=watch, daemon=True).start()


@contextmanager
def ignored_interrupts() -> Iterator[None]:
    """Ignore Ctrl-C while worker processes are started, which inherit that for good.

    A terminal sends it to all processes, and each worker would print a traceback. It is for the
    parent to stop them.
    """
    if threading.current_thread() is not threading.main_thread():  # may not handle signals
        yield
        return
    before = signal.signal(signal.SIGINT, signal.SIG_IGN)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
