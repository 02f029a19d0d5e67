"""A time-out for a block of Python code, in any thread of any process.

A signal would do in the main thread only, where Dask runs nothing.
"""

import ctypes
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager

_LOOKS = 1000
"""An error that was sent arrives at one of the next instructions."""


class TimeOutError(Exception):
    """The block took longer than it may."""


@contextmanager
def time_out_after(seconds: float | None) -> Iterator[None]:
    """Raise an error in the block when it takes longer.

    It is raised between two instructions of Python: a call that does not come back, of a library or
    of the operating system, is not ended.

    Args:
        seconds: how long it may take; None for as long as it likes.

    Raises:
        TimeOutError: it took longer.
    """
    if seconds is None:
        yield
        return
    thread = ctypes.c_ulong(threading.get_ident())
    deciding = threading.Lock()
    is_done = is_over = False

    def end() -> None:
        nonlocal is_over
        with deciding:
            if not is_done:
                is_over = True
                error = ctypes.py_object(TimeOutError)
                ctypes.pythonapi.PyThreadState_SetAsyncExc(thread, error)

    timer = threading.Timer(min(seconds, threading.TIMEOUT_MAX), end)
    timer.daemon = True
    timer.start()

    def settle() -> None:
        """Decide that the block is done, or wait for the error that is on its way."""
        nonlocal is_done
        with deciding:
            is_done = True
        for _ in range(_LOOKS if is_over else 0):
            time.sleep(0.0)
        if is_over:  # the block caught it
            raise TimeOutError

    try:
        yield
        settle()
    except TimeOutError:
        raise
    except BaseException:
        settle()
        raise
    finally:
        timer.cancel()
