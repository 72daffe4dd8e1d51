"""A bound on our own work with what a student returned.

A check that compares each of a million rows takes days; a column less a row, each of a few kilobytes, takes gigabytes.
"""

from __future__ import annotations

import ctypes
import os
import resource
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

LOOK_SECONDS = 0.2

_lock = threading.Lock()
_before: list[
    tuple[int, int]
] = []  # the limits, one for each thread that is within; the first held before all


class TooLong(BaseException):
    """The time is over; no `except Exception` in between may take it for something else."""


@contextmanager
def at_most(seconds: float, memory: int) -> Iterator[None]:
    """Bound what is done within.

    Args:
        seconds: TooLong is raised once this thread has computed for so long; waiting does not count.
        memory: MemoryError is raised where this process would take so many bytes more than it has.
    """
    thread, ended, coming = threading.get_ident(), threading.Event(), threading.Event()
    clock = time.pthread_getcpuclockid(thread)
    end = time.clock_gettime(clock) + seconds

    def watch() -> None:
        while not ended.wait(LOOK_SECONDS):
            if time.clock_gettime(clock) > end:
                coming.set()
                _raise(thread, TooLong)
                return

    _limit(memory)
    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        yield
    except TooLong:
        coming.clear()
        raise
    finally:
        try:
            ended.set()
            watcher.join()
            while coming.is_set():  # it was asked for at the last moment: it comes at one of the next steps
                time.sleep(0)
        finally:
            _unlimit()


def _limit(more: int) -> None:
    with _lock:
        most, hard = resource.getrlimit(resource.RLIMIT_AS)
        _before.append((most, hard))
        limit = int(Path("/proc/self/statm").read_text().split()[0]) * os.sysconf("SC_PAGE_SIZE") + more
        if most == resource.RLIM_INFINITY or limit < most:
            resource.setrlimit(resource.RLIMIT_AS, (limit, hard))


def _unlimit() -> None:
    with _lock:
        first = _before[0]
        _before.pop()
        if not _before:
            resource.setrlimit(resource.RLIMIT_AS, first)


def _raise(thread: int, error: type[BaseException]) -> None:
    """Have a thread raise an error at its next step, as Python lets a debugger do.

    What was asked for cannot be taken back: Python 3.11 then never ends its next traced step.
    """
    ctypes.pythonapi.PyThreadState_SetAsyncExc(ctypes.c_ulong(thread), ctypes.py_object(error))
