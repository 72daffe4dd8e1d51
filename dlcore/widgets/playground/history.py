"""The history of a training, as far as a short program can repeat it."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np

from .task import Task
from .trainer import Trainer

MOST_PHASES = 8


class Phase(NamedTuple):
    """Steps with the same settings, from step `first` on."""

    first: int
    batch_size: int
    learning_rate: float
    penalty: str
    rate: float


@dataclass(frozen=True)
class Origin:
    """A state in the middle of a training, as numbers: why it is needed, and the numbers."""

    reason: str
    steps: int
    cursor: int
    flat: np.ndarray[Any, Any]
    memory: dict[str, np.ndarray[Any, Any]]


@dataclass
class History:
    """From an origin on, the phases of a training.

    Attributes:
        task: whose seed and initialization the first weights have.
        origin: None if training began with the weights that the seed draws.
        phases: the last one goes on until now.
    """

    task: Task
    origin: Origin | None = None
    phases: list[Phase] = field(default_factory=list)

    def note(self, trainer: Trainer, size: int) -> None:
        """Note with what settings the steps from now on are made."""
        task = trainer.task
        rate = task.regularization_rate if task.penalty != "none" else 0.0
        phase = Phase(trainer.steps, size, task.learning_rate, task.penalty, rate)
        if self.phases and self.phases[-1][1:] == phase[1:]:
            return
        if self.phases and self.phases[-1].first == phase.first:
            self.phases.pop()
        if len(self.phases) == MOST_PHASES:
            self.restart(trainer, f"its settings were changed more than {MOST_PHASES - 1} times")
        self.phases.append(phase)

    def restart(self, trainer: Trainer, reason: str) -> None:
        """Let the history begin with the state of now, because of something that steps cannot repeat."""
        self.origin = Origin(reason, trainer.steps, trainer.cursor, trainer.flat, trainer.memory())
        self.phases = []

    def spans(self, steps: int) -> list[tuple[int, Phase]]:
        """Return each phase with its number of steps, given the number of all steps until now."""
        firsts = [phase.first for phase in self.phases] + [steps]
        lengths = [end - begin for begin, end in itertools.pairwise(firsts)]
        return [(length, phase) for length, phase in zip(lengths, self.phases, strict=True) if length]
