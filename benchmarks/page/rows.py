"""The races of the page: who takes part in each, what they are told, and what is to be reached."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from benchmarks import tasks
from benchmarks.page import inside
from benchmarks.page.race import Entrant, Ratio, Result, fastest, ratio
from benchmarks.tasks import Array
from dlcore.activations import tanh
from dlcore.layers import Sequential
from dlcore.loss import mse
from dlcore.optim import SGD

PYODIDE = "pyodide.mjs"
DEFINED, CAPTURED = "dlcore, define-by-run", "dlcore, captured"
PLAYGROUND = "dlcore, the Playground's own code"
WITH_KERNEL = ", SIMD kernel"
CONVNET = "ConvNetJS"
BRAIN_RATE, BRAIN_EPOCHS = 0.01, 20


@dataclass(frozen=True)
class Target:
    """Something to be reached: `reached` with its quartiles, at least or at most `bound`."""

    what: str
    reached: Ratio
    bound: float
    unit: str = "×"
    least: bool = True

    @property
    def met(self) -> bool:
        """Whether the median is on the right side of the bound; no, where nothing was measured."""
        return self.reached.median >= self.bound if self.least else self.reached.median < self.bound


@dataclass(frozen=True)
class Row:
    """A race: its title, who enters, the result against which the table takes its ratios, and the targets."""

    title: str
    entrants: Callable[[], list[Entrant]]
    base: Callable[[list[Result]], Result | None]
    targets: Callable[[list[Result]], list[Target]]
    counts_examples: bool = True  # or frames


def listed(arrays: dict[str, Array]) -> dict[str, Any]:
    """Arrays as lists, which is how they travel to a worker."""
    return {name: a.tolist() for name, a in arrays.items()}


def named(results: list[Result], name: str) -> Result | None:
    """The result of that name; None where it did not take part."""
    return next((result for result in results if result.name == name and not result.failure), None)


def ours(task: str, samples: int, reference: list[float], **settings: Any) -> list[Entrant]:
    """Our contestants with and without the kernel, for one setting of `captured`."""
    name = CAPTURED if settings["captured"] else DEFINED
    return [
        Entrant(name + suffix, PYODIDE, {"task": task, "simd": simd, **settings}, samples, reference)
        for suffix, simd in (("", False), (WITH_KERNEL, True))
    ]


# ------------------------------------------------------------------------- row 1: examples trained per second


def online_losses() -> list[float]:
    """What brain.js should compute: T1's network with a tanh at its end too, an update after every example.

    The mean squared error over all examples after each epoch; in float64, as in JavaScript.
    """
    task = tasks.make("T1", "float64")
    x, y = task.inputs.reshape(-1, 2), task.targets.reshape(-1, 1)
    model = Sequential(*inside.perceptron(task.weights, tanh).layers, tanh)
    update = SGD(model.parameters(), learning_rate=BRAIN_RATE / 2)  # its loss is ½(y - t)²
    losses = []
    for _ in range(BRAIN_EPOCHS):
        for i in range(len(x)):
            update.zero_grad()
            mse(model(x[i : i + 1]), y[i : i + 1]).backward()
            update.step()
        losses.append(float(mse(model(x), y).numpy()))
    return losses


def t1_entrants() -> list[Entrant]:
    """Everyone on T1, all from the same weights."""
    task = tasks.make("T1")
    reference = inside.training(task, captured=False).losses(task.check_steps)
    told = {
        "weights": listed(task.weights),
        "inputs": task.inputs.tolist(),
        "targets": task.targets.tolist(),
        "learningRate": task.learning_rate,
        "batchSize": task.inputs.shape[1],
    }
    samples = task.inputs.shape[1]
    tensorflow = [
        Entrant(
            f"TensorFlow.js, {backend}, {way}",
            "tf.js",
            {**told, "backend": backend, "way": way},
            samples,
            reference,
        )
        for backend in ("cpu", "wasm")
        for way in ("minimize", "trainOnBatch")
    ]
    brain = Entrant(
        "brain.js",
        "brain.js",
        {**told, "learningRate": BRAIN_RATE},
        task.inputs.shape[0] * samples,
        online_losses(),
        note="an update after every example; tanh at the output, too; one step is an epoch of 512",
    )
    return [
        *ours("T1", samples, reference, captured=False),
        *ours("T1", samples, reference, captured=True),
        Entrant(CONVNET, "convnet.js", told, samples, reference),
        brain,
        *tensorflow,
    ]


def fastest_peer(results: list[Result]) -> Result | None:
    """The fastest of those that are not ours."""
    return fastest([result for result in results if not result.name.startswith("dlcore")])


def best(results: list[Result], name: str) -> Result | None:
    """The faster of a contestant of ours with and without the kernel."""
    return fastest([result for result in results if result.name in (name, name + WITH_KERNEL)])


def t1_targets(results: list[Result]) -> list[Target]:
    """Ours over the fastest peer."""
    peer = fastest_peer(results)
    label = peer.name if peer else "the fastest peer"
    return [
        Target(f"{name}: examples per second over {label}'s", ratio(best(results, name), peer), bound)
        for name, bound in ((DEFINED, 1.3), (CAPTURED, 2.0))
    ]


# ------------------------------------------------------------------------------ row 2: the Playground's frame


def frame_entrants() -> list[Entrant]:
    """An epoch and the maps of all units, in ConvNetJS and in ours."""
    task = inside.frame_task()
    told = {
        "weights": listed(task["weights"]),
        "inputs": task["inputs"].tolist(),
        "targets": task["targets"].tolist(),
        "learningRate": inside.RATE,
        "batchSize": inside.BATCH,
        "frames": True,
        "grid": inside.grid().tolist(),
    }
    frames = inside.Frames(captured=False)
    reference = frames.losses(20)
    maps = frames.squares()
    whole = inside.PlaygroundFrames()
    told_whole = whole.losses(20), whole.squares()
    entrants = [Entrant(CONVNET, "convnet.js", told, 1, reference, maps=maps)]
    for suffix, simd in (("", False), (WITH_KERNEL, True)):
        bare, own = ({"task": task, "simd": simd, "captured": True} for task in ("frame", "playground"))
        entrants += [
            Entrant(CAPTURED + suffix, PYODIDE, bare, 1, reference, maps=maps),
            Entrant(PLAYGROUND + suffix, PYODIDE, own, 1, told_whole[0], maps=told_whole[1], tolerance=1e-3),
        ]
    return entrants


def frame_targets(results: list[Result]) -> list[Target]:
    """ConvNetJS's time over ours."""
    return [
        Target(
            "ConvNetJS's time over the Playground's",
            ratio(best(results, PLAYGROUND), named(results, CONVNET)),
            2.0,
        )
    ]


# --------------------------------------------------------------------------------- row 3: digits, with kernel


def digits_entrants() -> list[Entrant]:
    """T2's network with plain SGD, with and without the kernel; and with its own Adam."""
    task = tasks.make("T2")
    entrants = []
    for optimizer in ("sgd", "adam"):
        reference = inside.training(task, captured=False, optimizer=optimizer).losses(40)
        for entrant in ours("T2", task.inputs.shape[1], reference, captured=True, optimizer=optimizer):
            name = f"{entrant.name}, {optimizer.upper() if optimizer == 'sgd' else 'Adam'}"
            entrants.append(Entrant(name, PYODIDE, entrant.settings, entrant.samples, reference))
    return entrants


def digits_targets(results: list[Result]) -> list[Target]:
    """With the kernel over without."""
    pair = [named(results, f"{CAPTURED}{suffix}, SGD") for suffix in (WITH_KERNEL, "")]
    return [
        Target(
            "steps per second with the SIMD kernel over plain NumPy, both in the page, SGD", ratio(*pair), 8.0
        )
    ]


ROWS = {
    "samples": Row("Training 2-8-8-1, tanh, batch 32, SGD", t1_entrants, fastest_peer, t1_targets),
    "frame": Row(
        "The Playground's frame: an epoch of 250 points at batch 10 of 2-4-2-1, then 100 × 100 maps of its 7 units",
        frame_entrants,
        lambda results: named(results, CONVNET),
        frame_targets,
        counts_examples=False,
    ),
    "digits": Row(
        "Training 784-128-64-10, ReLU, batch 128, on the digits",
        digits_entrants,
        lambda results: named(results, f"{CAPTURED}, SGD"),
        digits_targets,
    ),
}
