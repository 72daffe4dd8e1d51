"""All that a training step reads and changes: model, optimizer, and the generators that draw."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np

from dlcore.backprop import no_grad
from dlcore.layers import Module
from dlcore.optim import Optimizer

Generator = np.random.Generator

# What a seed is used for. Each purpose has a generator of its own: rows shuffled by the very numbers that made
# the weights would tie the two together.
WEIGHTS, SHUFFLING, DATA, LABEL_NOISE = range(4)


def generator(seed: Any, purpose: int) -> Generator:
    """Return the generator of one purpose of one seed; that of the weights is `default_rng(seed)` itself.

    Raises:
        ValueError: the seed is no whole number of at least 0.
    """
    if isinstance(seed, bool) or not isinstance(seed, (int, np.integer)) or seed < 0:
        raise ValueError(f"expected a seed to be a whole number of at least 0; received {seed!r}")
    key = () if purpose == WEIGHTS else (purpose,)
    return np.random.default_rng(np.random.SeedSequence(int(seed), spawn_key=key))


def generators_of(model: Module, prefix: str = "") -> Iterator[tuple[str, Generator]]:
    """Yield the generators that layers draw from, such as Dropout's, with their dotted names."""
    for name, value in vars(model).items():
        if isinstance(value, Generator):
            yield f"{prefix}{name}", value
        elif isinstance(value, (list, tuple)):
            yield from ((f"{prefix}{name}.{i}", v) for i, v in enumerate(value) if isinstance(v, Generator))
    for name, child in model.children():
        yield from generators_of(child, f"{prefix}{name}.")


def modules_of(model: Module, prefix: str = "") -> Iterator[tuple[str, Module]]:
    """Yield all modules with their dotted names; the model itself has the empty name."""
    yield prefix.rstrip("."), model
    for name, child in model.children():
        yield from modules_of(child, f"{prefix}{name}.")


@contextmanager
def in_mode(model: Module, *, training: bool) -> Iterator[None]:
    """Switch a model to training or evaluation, and in the end bring every module back to its own mode."""
    modes = [(module, module.training) for module in model.modules()]
    _ = model.train() if training else model.eval()
    try:
        yield
    finally:
        for module, mode in modes:
            module.training = mode


@contextmanager
def evaluating(model: Module) -> Iterator[None]:
    """Switch a model to evaluation for a while, and record nothing."""
    with in_mode(model, training=False), no_grad():
        yield


class Snapshot:
    """A copy of everything that training changes, to come back to.

    Args:
        model: its parameters, buffers and generators.
        optimizer: its state and settings.
        generators: further generators, such as those that shuffle.
        step: number of steps that were finished then.
        epoch: number of epochs that were finished then.
    """

    def __init__(
        self,
        model: Module,
        optimizer: Optimizer,
        generators: Sequence[Generator] = (),
        *,
        step: int = 0,
        epoch: int = 0,
    ) -> None:
        self.model, self.optimizer, self.step, self.epoch = model, optimizer, step, epoch
        self.tensors, self.state = model.state(), optimizer.state()
        drawing = [*generators, *(g for _, g in generators_of(model))]
        self.drawing = [(g, g.bit_generator.state) for g in drawing]

    def restore(self) -> None:
        """Put everything back, in place: a captured step goes on from here as well."""
        self.model.load_state(self.tensors)
        self.optimizer.load_state(self.state)
        for drawing, state in self.drawing:
            drawing.bit_generator.state = state
