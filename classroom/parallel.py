"""The first phase in parallel: over this machine's cores, or over the machines of a Dask cluster.

Both are executors of `concurrent.futures`: they are handed bytes and give bytes, a few submissions at a time.
"""

from __future__ import annotations

import multiprocessing
import os
import shutil
import signal
import tempfile
import threading
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import FIRST_COMPLETED, BrokenExecutor, Executor, Future, ProcessPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from multiprocessing.connection import wait as wait_for_end
from typing import Any

from classroom.misused import Misused
from classroom.travel import examined

Work = Callable[[bytes], bytes]
Outcome = bytes | Exception
DASK_AT_ONCE = 64
DASK_ANSWERS = 10  # seconds


@dataclass(frozen=True)
class Engine:
    """Where the first phase runs: `jobs` processes of this machine, or the workers of a Dask `scheduler`."""

    jobs: int
    scheduler: str = ""
    work: Work = examined

    def outcomes(self, tasks: Iterable[tuple[str, bytes]]) -> Iterator[tuple[str, Outcome]]:
        """Yield for each student what the work gave or the error it ended in, in the order in which they are done.

        When a worker is killed, what was under way is tried again, one at a time; who has a worker killed again gets
        the error, and nobody else does.
        """
        again = []
        with workers(self.jobs, self.scheduler) as (executor, at_once):
            for student, task, outcome in _flow(tasks, self.work, executor, at_once):
                if isinstance(outcome, BrokenExecutor):
                    again.append((student, task))
                else:
                    yield student, outcome
        while again:
            alone: Outcome = b""
            with workers(1, self.scheduler) as (executor, _):
                while again and not isinstance(alone, BrokenExecutor):
                    student, task = again.pop(0)
                    alone = _outcome(_submitted(executor, self.work, task))
                    yield student, alone


def _flow(
    tasks: Iterable[tuple[str, bytes]], work: Work, executor: Executor, at_once: int
) -> Iterator[tuple[str, bytes, Outcome]]:
    """With no more than `at_once` under way, a class of any size takes the same memory."""
    coming = iter(tasks)
    waiting: dict[Future[bytes], tuple[str, bytes]] = {}
    while True:
        for student, task in islice(coming, at_once - len(waiting)):
            waiting[_submitted(executor, work, task)] = student, task
        if not waiting:
            return
        for future in wait(waiting, return_when=FIRST_COMPLETED).done:
            yield *waiting.pop(future), _outcome(future)


def _submitted(executor: Executor, work: Work, task: bytes) -> Future[bytes]:
    try:
        return executor.submit(work, task)
    except BrokenExecutor as error:
        failed: Future[bytes] = Future()
        failed.set_exception(error)
        return failed


def _outcome(future: Future[bytes]) -> Outcome:
    try:
        return future.result()
    except Exception as error:  # whatever went wrong there is reported here, beside the student
        return error


@contextmanager
def workers(jobs: int, scheduler: str = "") -> Iterator[tuple[Executor, int]]:
    """Yield an executor, and how many submissions it should have at a time."""
    if scheduler:
        with _cluster(scheduler) as executor:
            yield executor, DASK_AT_ONCE
        return
    context = multiprocessing.get_context("spawn")  # a fork would copy sockets and threads
    with tempfile.TemporaryDirectory(prefix="grading-", ignore_cleanup_errors=True) as folder:
        executor = ProcessPoolExecutor(jobs, mp_context=context, initializer=_begin, initargs=(folder,))
        try:
            yield executor, 2 * jobs
        except BaseException:
            # Stopped from the keyboard, say: do not wait for what a student's code is doing.
            for child in multiprocessing.active_children():
                child.kill()
            raise
        finally:
            executor.shutdown(cancel_futures=True)


@contextmanager
def _cluster(scheduler: str) -> Iterator[Executor]:
    from distributed import Client

    try:
        client: Any = Client(scheduler, timeout=DASK_ANSWERS)  # type: ignore[no-untyped-call]
    except (OSError, ValueError) as error:
        raise Misused(
            f"no Dask scheduler answers at {scheduler}; start one with: dask scheduler ({error})"
        ) from None
    with client:
        if not client.nthreads():
            raise Misused(
                f"{scheduler} has no workers; start some in a clone of this repository: dask worker {scheduler}"
            )
        yield client.get_executor()


def _begin(folder: str) -> None:
    """Work in `folder`, and end with the parent.

    A worker whose parent was killed would wait for work forever, and what was handed in would stay in the folder. What
    is typed is for the parent alone.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    tempfile.tempdir = folder
    parent = multiprocessing.parent_process()
    if parent is not None:

        def watch() -> None:
            wait_for_end([parent.sentinel])
            shutil.rmtree(folder, ignore_errors=True)
            os._exit(1)

        threading.Thread(target=watch, daemon=True).start()
