"""What runs in the page's worker: dlcore's contestants, each a training loop as the book writes it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from itertools import cycle
from typing import Any

import numpy as np

from benchmarks import tasks
from benchmarks.tasks import Array
from dlcore.activations import relu, tanh
from dlcore.arrays import simd
from dlcore.backprop import Tensor, no_grad
from dlcore.capture import capture
from dlcore.data import circle
from dlcore.layers import Dense, Sequential
from dlcore.loss import cross_entropy, mse
from dlcore.optim import SGD, Adam

ANY = np.random.default_rng(0)  # draws weights that the task's own overwrite


@dataclass
class Runner:
    """A contestant: `step` trains for one step and returns what `read` makes a loss of."""

    step: Callable[[], Any]
    read: Callable[[Any], float] = float

    def losses(self, steps: int) -> list[float]:
        """Losses of the next training steps."""
        return [self.read(self.step()) for _ in range(steps)]

    def train(self, steps: int) -> None:
        """Train without reading the losses."""
        step = self.step
        for _ in range(steps):
            step()


def perceptron(weights: dict[str, Array], activation: Any) -> Sequential:
    """A perceptron with the weights `w0, b0, w1, …`; its output is linear."""
    layers: list[Any] = []
    for i in range(len(weights) // 2):
        layers += [Dense(*weights[f"w{i}"].shape, rng=ANY, dtype=str(weights["w0"].dtype)), activation]
    model = Sequential(*layers[:-1])
    model.load_state(dict(zip(model.state(), weights.values(), strict=True)))
    return model


def training(task: tasks.Task, *, captured: bool, optimizer: str = "") -> Runner:
    """The textbook loop for T1 or T2; `captured` adds one word, `optimizer` replaces the task's."""
    kind = optimizer or task.optimizer
    model = perceptron(task.weights, tanh if task.name == "T1" else relu)
    rate = task.learning_rate if kind == task.optimizer else 0.1
    update = {"sgd": SGD, "adam": Adam}[kind](model.parameters(), learning_rate=rate)
    objective = mse if task.name == "T1" else cross_entropy

    def step(x: Any, y: Any) -> Tensor:
        update.zero_grad()
        loss = objective(model(x), y)
        loss.backward()
        update.step()
        return loss

    run = capture(step) if captured else step
    data = cycle(list(zip(task.inputs, task.targets, strict=True)))
    return Runner(lambda: run(*next(data)), lambda loss: float(loss.numpy()))


# ------------------------------------------------------------------------------ the frame of the Playground

POINTS, BATCH, RATE, SIDE = 250, 10, 0.03, 100


def frame_task() -> dict[str, Any]:
    """Weights of 2-4-2-1, 25 batches of 10 points of the circle, and their labels ±1."""
    rng = np.random.default_rng(tasks.SEED)
    points, labels = circle(2 * POINTS, rng=rng)
    order = rng.permutation(2 * POINTS)[:POINTS]
    weights = {name: a.astype(np.float32) for name, a in tasks.mlp_weights(rng, (2, 4, 2, 1)).items()}
    return {
        "weights": weights,
        "inputs": points[order].reshape(-1, BATCH, 2),
        "targets": labels[order].reshape(-1, BATCH, 1),
    }


def grid() -> Array:
    """The points of the map, from -6 to 6 in both directions, of shape (SIDE², 2), float32."""
    line = np.linspace(-6, 6, SIDE, dtype=np.float32)
    return np.stack(np.meshgrid(line, -line), axis=-1).reshape(-1, 2)


class Frames(Runner):
    """One step is an epoch and then the map of every unit of the hidden layers and the output."""

    def __init__(self, *, captured: bool) -> None:
        task = frame_task()
        self.model = perceptron(task["weights"], tanh)
        update = SGD(self.model.parameters(), learning_rate=RATE)
        self.data = list(zip(task["inputs"], task["targets"], strict=True))
        self.points = grid()
        self.maps: list[Array] = []

        def step(x: Any, y: Any) -> Tensor:
            update.zero_grad()
            loss = mse(self.model(x), y)
            loss.backward()
            update.step()
            return loss

        self.learn = capture(step) if captured else step
        super().__init__(self.frame)

    def frame(self) -> float:
        """Train for an epoch and draw the maps; the mean of the batches' losses."""
        loss = sum(float(self.learn(x, y).numpy()) for x, y in self.data) / len(self.data)
        self.maps = []
        layer: Any = self.points
        with no_grad():
            for i, part in enumerate(self.model.layers):
                layer = part(layer)
                if i % 2 or part is self.model.layers[-1]:  # after its tanh, but the output has none
                    self.maps += list(layer.numpy().T)
        return loss

    def squares(self) -> list[float]:
        """The mean square of each map, by which they are compared."""
        return [float(np.mean(each**2)) for each in self.maps]


class PlaygroundFrames(Runner):
    """One step is a frame of the Playground itself, as its loop makes it: an epoch, all measures, curves and maps."""

    def __init__(self) -> None:
        from dlcore.widgets import Playground

        self.widget = Playground(resolution=SIDE)
        super().__init__(self.frame)

    def frame(self) -> float:
        """Train for an epoch and write all that is shown; the training loss."""
        self.widget.session.advance("epoch")  # without the time limit of `widget.advance`: always a whole one
        self.widget.publish_frame()
        return float(self.widget.train_loss)

    def squares(self) -> list[float]:
        """The mean square of each map; the first two are those of the inputs."""
        maps = np.frombuffer(self.widget.maps, np.int8).astype(np.float32).reshape(-1, SIDE**2)
        return [float(np.mean(each**2)) for each in maps]


def build(settings: dict[str, Any]) -> Runner:
    """The contestant that the page asks for; `simd` says whether with dlcore's kernel or with NumPy alone.

    Raises:
        RuntimeError: the kernel was asked for and is not there.
    """
    if not settings["simd"]:
        simd.deactivate()
    elif not simd.activate():
        raise RuntimeError(
            "dlcore's SIMD kernel could not be loaded: dlcore/arrays lacks it, or the browser has no SIMD"
        )
    if settings["task"] == "playground":
        return PlaygroundFrames()
    if settings["task"] == "frame":
        return Frames(captured=settings["captured"])
    task = tasks.make(settings["task"])
    return training(task, captured=settings["captured"], optimizer=settings.get("optimizer", ""))
