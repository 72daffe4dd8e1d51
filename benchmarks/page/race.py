"""Check that contestants train the same network, then time them in turns and keep the ratios of each round."""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np

from benchmarks.harness import disagreement

TURN = 300.0  # milliseconds of CPU time that a contestant's turn in a round should last
FEWEST_TICKS = 20.0  # milliseconds: below that, a clock of 0.1 ms blurs what is measured
WARM_UP = 600.0  # milliseconds of training before the first round: browsers compile while code runs


class Workers(Protocol):
    """What a race needs of the arena."""

    def start(self, name: str, script: str, settings: dict[str, Any]) -> None: ...
    def ask(self, name: str, verb: str, argument: Any = None) -> Any: ...
    def time(self, name: str, steps: int) -> tuple[float, float]: ...
    def stop(self, name: str) -> None: ...


@dataclass(frozen=True)
class Entrant:
    """One contestant of a row.

    Attributes:
        name: engine and variant.
        script: its worker, a file of `web/`.
        settings: what the worker is told.
        samples: examples in one of its steps.
        reference: the losses its first steps must have; empty where there is none and they must merely fall.
        tolerance: how closely, relatively.
        maps: the mean squares that the maps of its units must have after these steps, where it draws any.
        note: what the table says of it.
    """

    name: str
    script: str
    settings: dict[str, Any]
    samples: int
    reference: list[float] = field(default_factory=list)
    tolerance: float = 1e-4
    maps: list[float] = field(default_factory=list)
    note: str = ""


@dataclass
class Result:
    """What a contestant did: microseconds of CPU time per step by round, or why it was not timed.

    `wall` are the same by the clock; `check` says what its losses were compared with, and how well they agreed.
    """

    name: str
    samples: int
    micros: list[float] = field(default_factory=list)
    wall: list[float] = field(default_factory=list)
    check: str = ""
    failure: str = ""
    note: str = ""

    @property
    def median(self) -> float:
        """Median microseconds per step; NaN when it was not timed."""
        return statistics.median(self.micros) if self.micros else math.nan

    @property
    def per_second(self) -> float:
        """Examples trained per second, by the median."""
        return self.samples / self.median * 1e6


@dataclass(frozen=True)
class Ratio:
    """A ratio's median and quartiles over the rounds."""

    median: float
    low: float
    high: float


NOT_MEASURED = Ratio(math.nan, math.nan, math.nan)


def ratio(fast: Result | None, slow: Result | None) -> Ratio:
    """How many times as many examples per second `fast` trains as `slow`, from each round's own ratio.

    >>> ratio(Result("a", 32, [1.0, 1.0, 2.0]), Result("b", 32, [3.0, 3.0, 4.0]))
    Ratio(median=3.0, low=2.5, high=3.0)
    """
    if fast is None or slow is None or not fast.micros or not slow.micros:
        return NOT_MEASURED
    times = np.array(slow.micros) / slow.samples, np.array(fast.micros) / fast.samples
    low, median, high = np.percentile(times[0] / times[1], (25, 50, 75))
    return Ratio(float(median), float(low), float(high))


def fastest(results: list[Result]) -> Result | None:
    """The result with most examples per second; None where none was timed."""
    timed = [result for result in results if result.micros]
    return max(timed, key=lambda result: result.per_second, default=None)


class Wrong(Exception):
    """A contestant does not train the network that it should."""


def check(entrant: Entrant, losses: list[float]) -> str:
    """Say how the first losses agree with the reference; raises Wrong where they do not."""
    found = np.asarray(losses, dtype=np.float64)
    if not np.isfinite(found).all() or not found[-1] < found[0]:
        raise Wrong(
            f"its loss went from {found[0]:.4g} to {found[-1]:.4g} in {len(found)} steps; it should fall"
        )
    if not entrant.reference:
        return f"falls from {found[0]:.3g} to {found[-1]:.3g}"
    apart = disagreement(found, np.asarray(entrant.reference))
    if not apart <= entrant.tolerance:
        raise Wrong(
            f"its losses differ by {apart:.1e} (relative); at most {entrant.tolerance:.0e} is let through"
        )
    return f"{apart:.0e} over {len(found)} steps"


def check_maps(entrant: Entrant, squares: list[float]) -> None:
    """Raise Wrong where the maps that it drew are not the reference's."""
    if len(squares) != len(entrant.maps):
        raise Wrong(f"it draws {len(squares)} maps; expected {len(entrant.maps)}")
    apart = disagreement(np.asarray(squares), np.asarray(entrant.maps))
    if not apart <= 10 * entrant.tolerance:
        raise Wrong(f"the mean squares of its maps differ by {apart:.1e} (relative)")


def steps_of_a_turn(workers: Workers, name: str) -> int:
    """Warm a contestant up and find how many steps fill a turn."""
    steps, spent = 1, 0.0
    while True:
        took, _ = workers.time(name, steps)
        spent += took
        if took > FEWEST_TICKS and spent > WARM_UP:
            return max(1, round(steps * TURN / took))
        if took < TURN / 2:
            steps *= 2


def admit(workers: Workers, entrant: Entrant, steps: int) -> Result:
    """Start a contestant and check its losses; a failure is a result, too."""
    result = Result(entrant.name, entrant.samples, note=entrant.note)
    try:
        workers.start(entrant.name, entrant.script, entrant.settings)
        result.check = check(entrant, workers.ask(entrant.name, "losses", len(entrant.reference) or steps))
        if entrant.maps:
            check_maps(entrant, workers.ask(entrant.name, "squares"))
    except Exception as error:  # whatever a library throws is its contestant's result, and the others go on
        result.failure = str(error).strip().splitlines()[0][:300]
        workers.stop(entrant.name)
    return result


def race(
    workers: Workers,
    entrants: list[Entrant],
    *,
    rounds: int,
    check_steps: int = 200,
    say: Callable[[str], None] = print,
) -> list[Result]:
    """Time all contestants in `rounds` rounds, one at a time, in an order that moves on by one each round."""
    results = [admit(workers, entrant, check_steps) for entrant in entrants]
    for result in results:
        say(f"  {result.name}: {'FAILED, ' + result.failure if result.failure else result.check}")
    timed = [result for result in results if not result.failure]
    steps = {result.name: steps_of_a_turn(workers, result.name) for result in timed}
    for number in range(rounds):
        shift = number % len(timed)
        for result in timed[shift:] + timed[:shift]:
            cpu, wall = workers.time(result.name, steps[result.name])
            result.micros.append(cpu * 1e3 / steps[result.name])
            result.wall.append(wall * 1e3 / steps[result.name])
    for result in timed:
        workers.stop(result.name)
    return results
