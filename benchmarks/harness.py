"""Run each contestant in a process of its own, check that all compute the same losses, then time them.

Interleaving is what makes ratios fair on a noisy machine: in every round each contestant trains for the same
number of steps, one after the other on the same core, in an order that moves on by one. A slow minute hits all.
"""

from __future__ import annotations

import gc
import importlib
import math
import multiprocessing as mp
import os
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass, field
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks import tasks
from benchmarks.tasks import Array, Task

# Read by the libraries when they are first imported, so they are set before a worker starts.
ONE_THREAD = {
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "VECLIB_MAXIMUM_THREADS": "1",
    "TORCHINDUCTOR_COMPILE_THREADS": "1",
    "XLA_FLAGS": "--xla_cpu_multi_thread_eigen=false intra_op_parallelism_threads=1",
    "JAX_PLATFORMS": "cpu",
}
# glibc gives freed memory back to the system, or does not, by the luck of a process's heap: at T3 the same torch
# program meets 0 or 970 page faults a step, a factor of 1.5 in time. Here every process keeps what it has.
STEADY_HEAP = {"MALLOC_TRIM_THRESHOLD_": str(2**30), "MALLOC_MMAP_THRESHOLD_": str(2**25)}
LONGEST_TURN = 0.5  # seconds: a contestant that needs longer for one call sits out rounds in proportion
# Sums on a card are not even repeatable, so ties (see tasks.SEED) cannot be kept clear of: steps checked, tolerance.
ON_CUDA = (20, 1e-3)
START_TIMEOUT = 300.0  # seconds for imports, compilation and the first losses


@dataclass
class Runner:
    """A contestant that is ready to train.

    Attributes:
        step: trains for `steps_per_call` steps and returns their losses in the engine's own form, without
        waiting. read: turns these losses into an array of shape (steps_per_call,) or (steps_per_call,
        members). wait: blocks until these losses, and the update behind them, are computed.
        steps_per_call: training steps in one call of `step`.
    """

    step: Callable[[], Any]
    read: Callable[[Any], Any]
    wait: Callable[[Any], Any] = lambda loss: None
    steps_per_call: int = 1


@dataclass(frozen=True)
class Contestant:
    """An engine in one of its variants.

    `module` offers `build(task, device, **options) -> Runner` and imports the engine; the parent never does.
    """

    engine: str
    variant: str
    module: str
    tasks: tuple[str, ...]
    options: dict[str, Any] = field(default_factory=dict)
    devices: tuple[str, ...] = ("cpu",)
    check_steps: int | None = None  # where the task's own number would take minutes
    tolerances: dict[str, float] = field(
        default_factory=dict
    )  # by task, where its own is too strict; `note` says why
    note: str = ""
    environment: dict[str, str] = field(default_factory=dict)  # of its process alone

    @property
    def name(self) -> str:
        """Engine and variant in one line."""
        return f"{self.engine}, {self.variant}" if self.variant else self.engine

    def build(self, task: Task, device: str) -> Runner:
        """Import the engine and prepare it for the task."""
        runner: Runner = importlib.import_module(self.module).build(task, device, **self.options)
        return runner


def first_losses(runner: Runner, steps: int) -> Array:
    """Losses of the next `steps` training steps, (steps,) or (steps, members)."""
    calls = math.ceil(steps / runner.steps_per_call)
    return np.concatenate([np.asarray(runner.read(runner.step()), dtype=np.float64) for _ in range(calls)])[
        :steps
    ]


def time_steps(runner: Runner, calls: int) -> tuple[float, float]:
    """Seconds per training step over `calls` calls, after a few that warm the caches: CPU time and wall clock.

    On a loaded machine wall clocks favour the fast: their turns fit between two interruptions, those of the slow
    do not. CPU time of all threads of the process does not count interruptions.
    """
    for _ in range(calls // 20):
        loss = runner.step()
        runner.wait(loss)
    gc.collect()
    cpu, wall = time.process_time(), time.perf_counter()
    for _ in range(calls):
        loss = runner.step()
    runner.wait(loss)
    steps = calls * runner.steps_per_call
    return (time.process_time() - cpu) / steps, (time.perf_counter() - wall) / steps


def disagreement(losses: Array, reference: Array) -> float:
    """Largest relative difference over the steps that both have; infinite where a loss is not finite.

    >>> round(disagreement(np.array([1.0, 2.002]), np.array([1.0, 2.0, 3.0])), 6)
    0.001
    """
    reference = reference[: len(losses)]
    if losses.shape != reference.shape or not np.isfinite(losses).all():
        return math.inf
    return float(np.max(np.abs(losses - reference) / np.abs(reference)))


def peak_memory() -> float:
    """Return the largest resident memory of this process so far, in MB (10⁶ bytes); NaN without /proc."""
    try:
        status = Path("/proc/self/status").read_text()
    except OSError:
        return math.nan
    lines = dict(line.split(":", 1) for line in status.splitlines())
    return int(lines["VmHWM"].split()[0]) * 1024 / 1e6


def serve(connection: Connection, contestant: Contestant, task: str, device: str, core: int | None) -> None:
    """Body of a worker process: build the contestant, then answer `(verb, number)` until None arrives."""
    if core is not None:
        os.sched_setaffinity(0, {core})  # before the engine is imported: its threads inherit it
    verbs: dict[str, Callable[[Runner, int], Any]] = {
        "losses": first_losses,
        "time": time_steps,
        "memory": lambda runner, _: peak_memory(),
    }
    try:
        runner = contestant.build(tasks.make(task), device)
        connection.send((True, runner.steps_per_call))
        while (request := connection.recv()) is not None:
            verb, number = request
            connection.send((True, verbs[verb](runner, number)))
    except (EOFError, KeyboardInterrupt):
        pass
    except Exception as error:  # whatever the engine raises is this contestant's result, and the others go on
        lines = str(error).strip().splitlines() or [""]
        connection.send((False, f"{type(error).__name__}: {lines[0][:200]}"))


class Failed(Exception):
    """A contestant that could not run, or did not compute what the reference computes."""


class Worker:
    """The parent's side of a contestant's process."""

    def __init__(self, contestant: Contestant, task: str, device: str, core: int | None) -> None:
        os.environ.update(ONE_THREAD | STEADY_HEAP)
        context = mp.get_context(
            "spawn"
        )  # a forked child would inherit the parent's libraries and memory peak
        self.connection, theirs = context.Pipe()
        arguments = (theirs, contestant, task, device, core)
        self.process = context.Process(target=serve, args=arguments, daemon=True)
        os.environ.update(contestant.environment)
        try:
            self.process.start()
        finally:
            for name in contestant.environment:
                del os.environ[name]
        theirs.close()
        self.steps_per_call: int = self._answer()

    def ask(self, verb: str, number: int = 0) -> Any:
        """Send a request and wait for its answer; raises Failed with the engine's own words."""
        self.connection.send((verb, number))
        return self._answer()

    def _answer(self) -> Any:
        if not self.connection.poll(START_TIMEOUT):
            raise Failed(f"no answer within {START_TIMEOUT:.0f} s")
        try:
            fine, value = self.connection.recv()
        except EOFError:
            self.process.join(10)
            raise Failed(f"its process ended with exit code {self.process.exitcode}") from None
        if not fine:
            raise Failed(value)
        return value

    def close(self) -> None:
        """End the process, politely first."""
        try:
            self.connection.send(None)
            self.process.join(5)
        except OSError:
            pass
        if self.process.is_alive():
            self.process.kill()
            self.process.join()


def middle(values: list[float]) -> float:
    """Median of those that are not NaN; NaN where there are none."""
    known = [value for value in values if not math.isnan(value)]
    return statistics.median(known) if known else math.nan


@dataclass
class Result:
    """What one contestant did on one task.

    Attributes:
        contestant: who.
        seconds: seconds per training step, by round; NaN where it sat out. CPU time on the CPU, else wall clock.
        wall: the same by the wall clock.
        disagreement: largest relative difference of its first losses from the reference's.
        checked_steps: how many losses were compared.
        memory: peak of its process in MB.
        failure: why it was not timed, or empty.
    """

    contestant: Contestant
    seconds: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    disagreement: float = math.nan
    checked_steps: int = 0
    memory: float = math.nan
    failure: str = ""

    @property
    def median(self) -> float:
        """Median seconds per training step; NaN when it failed."""
        return middle(self.seconds)

    @property
    def median_wall(self) -> float:
        """Median by the wall clock."""
        return middle(self.wall)

    @property
    def fastest(self) -> float:
        """Least seconds per training step of any round; NaN when it failed."""
        return min((seconds for seconds in self.seconds if not math.isnan(seconds)), default=math.nan)


def admit(
    result: Result, task: Task, device: str, core: int | None, reference: Array | None
) -> tuple[Worker, Array]:
    """Start a contestant's worker and check its first losses against the reference; raises Failed."""
    worker = Worker(result.contestant, task.name, device, core)
    try:
        losses: Array = worker.ask("losses", result.checked_steps)
        result.disagreement = 0.0 if reference is None else disagreement(losses, reference)
        tolerance = result.contestant.tolerances.get(task.name, task.tolerance)
        if device == "cuda":
            tolerance = max(tolerance, ON_CUDA[1])
        if not result.disagreement <= tolerance:
            raise Failed(
                f"its losses differ from the reference by {result.disagreement:.1e} (relative); "
                f"at most {tolerance:.0e} is let through"
            )
    except Failed:
        worker.close()
        raise
    return worker, losses


def take_turns(entered: list[tuple[Worker, Result]], steps: int, rounds: int, device: str) -> None:
    """Time all workers in `rounds` rounds of `steps` training steps each; the order moves on by one."""
    turns: dict[str, tuple[int, int]] = {}
    for worker, result in entered:
        calls = math.ceil(steps / worker.steps_per_call)
        seconds_per_call = worker.ask("time", 1)[1] * worker.steps_per_call
        calls = max(1, min(calls, int(LONGEST_TURN / seconds_per_call)))
        every = min(math.ceil(calls * seconds_per_call / LONGEST_TURN), max(1, rounds // 3))
        turns[result.contestant.name] = calls, every
    for number in range(rounds):
        shift = number % len(entered)
        for worker, result in entered[shift:] + entered[:shift]:
            calls, every = turns[result.contestant.name]
            takes_part = number % every == 0
            cpu, wall = worker.ask("time", calls) if takes_part else (math.nan, math.nan)
            result.seconds.append(cpu if device == "cpu" else wall)
            result.wall.append(wall)


def run_task(
    contestants: list[Contestant],
    task_name: str,
    *,
    device: str = "cpu",
    rounds: int = 15,
    core: int | None = None,
    say: Callable[[str], None] = print,
) -> list[Result]:
    """Check and time the contestants of one task.

    The first contestant is the reference whose losses the others must match. One that cannot run or disagrees is
    not timed: its result carries `failure` instead.

    Raises:
        Failed: the reference itself failed.
    """
    task = tasks.make(task_name)
    most = ON_CUDA[0] if device == "cuda" else task.check_steps
    results = [Result(each, checked_steps=min(each.check_steps or most, most)) for each in contestants]
    reference: Array | None = None
    with ExitStack() as stack:
        entered: list[tuple[Worker, Result]] = []
        for result in results:
            name = result.contestant.name
            try:
                worker, losses = admit(result, task, device, core, reference)
            except Failed as failure:
                result.failure = str(failure)
                say(f"  {name}: FAILED, {failure}")
                if reference is None:
                    raise Failed(f"{name} is the reference of {task_name} and failed: {failure}") from None
                continue
            stack.callback(worker.close)
            entered.append((worker, result))
            if reference is None:
                reference = losses
            say(f"  {name}: agrees to {result.disagreement:.0e} over {len(losses)} steps")
        take_turns(entered, task.steps, rounds, device)
        for worker, result in entered:
            result.memory = worker.ask("memory")
    return results
