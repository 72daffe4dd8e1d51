"""One notebook at work: its cells run in a sandbox, then checks; a cell that ends Python is left out."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path

from . import sandbox
from .kernel import Lost, Ran, SandboxedKernel
from .referee import Check, Light, judged


@dataclass(frozen=True)
class Patience:
    """How long is waited, in seconds, for a cell, for an answer to a check, and for the whole notebook."""

    cell: float = 30
    answer: float = 10
    whole: float = 240
    losses: int = 8  # how often Python may be lost before the rest is left


PATIENCE = Patience()
MOST_SHOWN = 5_000_000  # characters of all outputs together


class Sitting:
    """A notebook's code cells and its Python, which is started anew, without the cell at fault, when it is lost.

    Use it in a with statement; `run` first, then `light` for each check.
    """

    def __init__(
        self, cells: list[str], files: Path | None, patience: Patience, limits: sandbox.Limits
    ) -> None:
        self.cells, self.files, self.patience, self.limits = cells, files, patience, limits
        self.end = time.monotonic() + patience.whole
        self.ran: list[Ran | None] = [None] * len(cells)
        self.lost: dict[int, str] = {}  # cells that are left out, and why
        self.tasks: dict[str, list[str]] = {}  # why Python was lost in the checks of a task
        self.given_up = ""
        self.room = MOST_SHOWN
        self._kernel: SandboxedKernel | None = None

    def __enter__(self) -> Sitting:
        return self

    def __exit__(self, *_: object) -> None:
        self._leave()

    def run(self) -> None:
        """Run the cells; `ran` and `lost` say what came of each."""
        while self._kernel is None and not self.given_up:
            self._attempt()

    def light(self, check: Check) -> Light:
        """Carry out a check. A check that fails by its own fault raises."""
        if len(before := self.tasks.get(check.task, [])) > 1:
            return Light(check.says, f"not looked at, since twice your code {before[-1]}")
        self.run()
        if self._kernel is None:
            return Light(check.says, f"not looked at: {self.given_up}")
        try:
            return judged(self._kernel, check)
        except Lost as lost:
            self.tasks.setdefault(check.task, []).append(str(lost))
            self._leave(lost)
            return Light(check.says, f"your code {lost}")

    def _attempt(self) -> None:
        """Start Python and run all cells that are not left out; one that loses it will be."""
        at = 0
        self._kernel = self._started()
        try:
            for at, source in enumerate(self.cells):
                if at not in self.lost:
                    ran = self._kernel.run(source, seconds=self.patience.cell)
                    self.ran[at] = self.ran[at] or self._fitting(ran)
        except Lost as lost:
            self.lost[at] = str(lost)
            ran = self.ran[at] = self.ran[at] or self._fitting(lost.ran)
            ran.lost = str(lost)
            self._leave(lost)

    def _fitting(self, ran: Ran) -> Ran:
        """Return what a cell left, without its outputs where the notebook has put out too much already."""
        size = len(str(ran.outputs))
        if size > self.room:
            return Ran(error=ran.error, cut=True)
        self.room -= size
        return ran

    def _started(self) -> SandboxedKernel:
        left = self.end - time.monotonic()
        return SandboxedKernel(
            self.files, seconds=left, answer=self.patience.answer, limits=self.limits
        ).start()

    def _leave(self, lost: Lost | None = None) -> None:
        if self._kernel:
            self._kernel.close()
            self._kernel = None
        losses = len(self.lost) + sum(map(len, self.tasks.values()))
        if lost and time.monotonic() > self.end:
            self.given_up = f"the notebook ran for longer than {self.patience.whole:g} seconds"
        elif lost and losses > self.patience.losses:
            self.given_up = f"Python was lost {losses} times; the last time your code {lost}"
