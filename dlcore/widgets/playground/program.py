"""Show me the code: the program that, run as it is, prints the losses on display."""

from __future__ import annotations

import base64
import textwrap

import numpy as np

from .history import History, Origin, Phase
from .session import Session
from .task import COUNTS, FEATURES, INITIALIZATIONS, OPTIMIZERS, TEST, TRAIN, VALIDATION, Task
from .words import described

ACTIVATION_NAMES = {"linear": "identity"}
WIDTH = 110


def program(session: Session) -> str:
    """Return Python source that repeats the training on display and prints its losses, to three decimals.

    It runs on NumPy. Where the same environment trained on NumPy, too, its numbers are the very same floats.
    """
    task, history = session.task, session.history
    spans = history.spans(session.trainer.steps)
    penalties = {phase.penalty for _, phase in spans}
    if not session.data.count(TRAIN):
        raise ValueError("there is no program yet: the data set has no points. Add some")
    blocks = [
        _head(session, bool(spans)),
        _data(session),
        _network(task, history),
        *([_origin(task, history.origin)] if history.origin else []),
        _step(task, penalties, bool(spans)),
        _training(spans, penalties, history.origin),
        _result(session),
    ]
    return "\n\n".join("\n".join(block) for block in blocks if block) + "\n"


def _head(session: Session, trained: bool) -> list[str]:
    task, history = session.task, session.history
    outputs = [ACTIVATION_NAMES.get(task.activation, task.activation)] if task.hidden else []
    names = sorted({*outputs, task.output.__name__})
    own, literal = task.dataset == "own", history.origin is not None
    inits = [] if literal else ["init"]
    parts = sorted([*inits, "loss", "optim", *([] if own else ["data"])])
    said = f"{described(task)} The network on display after {session.trainer.steps:,} steps."
    lines = [
        *textwrap.wrap(f'"""{said}"""', WIDTH),
        "",
        *(["import base64", ""] if literal else []),
        "import numpy as np",
        "",
        f"from dlcore import {', '.join(parts)}",
        f"from dlcore.activations import {', '.join(names)}",
        *(["from dlcore.arrays import copy_into"] if literal else []),
        "from dlcore.backprop import no_grad",
        *(["from dlcore.capture import capture"] if trained else []),
        "from dlcore.layers import Dense, Sequential",
    ]
    return lines if own else [*lines, "from dlcore.training.state import DATA, generator"]


def _data(session: Session) -> list[str]:
    task, data = session.task, session.data
    count = {part: data.count(part) for part in (TRAIN, TEST, VALIDATION)}
    cuts = [count[TRAIN], *([count[TRAIN] + count[VALIDATION]] if task.validated else [])]
    names = "train, validation, test" if task.validated else "train, test"
    if task.dataset == "own":
        rows = np.column_stack([data.points, data.targets]).tolist()
        table = ", ".join("[" + ", ".join(f"{value:.7g}" for value in row) + "]" for row in rows)
        lines = [
            "# The points: x1, x2 and target, those for training first.",
            f"table = np.array([{table}], np.float32)",
            "points, targets = table[:, :2], table[:, 2]",
            f"{names} = np.split(np.arange({len(rows)}), {cuts})",
        ]
    else:
        total = COUNTS[task.problem]
        lines = [
            f"# The points, shuffled once; the first {count[TRAIN]} are for training.",
            f"rng = generator({task.data_seed}, DATA)",
            f"points, targets = data.{task.dataset}({total}, noise={task.noise / 100:g}, rng=rng)",
            f"{names} = np.split(rng.permutation({total}), {cuts})",
        ]
    features = ", ".join(FEATURES[name].source for name in task.features)
    return [*lines, "x1, x2 = points.T", f"x, y = np.stack([{features}], axis=1), targets[:, None]"]


def _network(task: Task, history: History) -> list[str]:
    began = history.task
    activation = ACTIVATION_NAMES.get(task.activation, task.activation)
    options = "rng=rng" if history.origin else "**start"
    layers = []
    for n_in, n_out in zip(task.sizes, task.sizes[1:], strict=False):
        layers += [f"Dense({n_in}, {n_out}, {options})", activation]
    layers[-1] = task.output.__name__
    kind, settings = OPTIMIZERS[task.optimizer]
    extra = "".join(f", {name}={value}" for name, value in settings.items())
    weights, biases = INITIALIZATIONS[began.initialization]
    first = history.phases[0].learning_rate if history.phases else task.learning_rate
    return [
        "# The network.",
        f"rng = np.random.default_rng({began.seed})",
        *(
            []
            if history.origin
            else [f'start = {{"rng": rng, "weight_init": init.{weights}, "bias_init": init.{biases}}}']
        ),
        *_model(layers),
        f"optimizer = optim.{kind.__name__}(model.parameters(), learning_rate={first!r}{extra})",
    ]


def _model(layers: list[str]) -> list[str]:
    """Write the network in one line, or with a line for each layer."""
    line = f"model = Sequential({', '.join(layers)})"
    if len(line) <= WIDTH:
        return [line]
    pairs = [", ".join(layers[i : i + 2]) for i in range(0, len(layers), 2)]
    return ["model = Sequential(", *(f"    {pair}," for pair in pairs), ")"]


def _origin(task: Task, origin: Origin) -> list[str]:
    """Write the weights, and what the optimizer remembers, as they were at the origin."""
    names = [name for name, values in origin.memory.items() if name != "steps" and values.any()]
    rows = np.stack([origin.flat, *(origin.memory[name] for name in names)])
    text = base64.b64encode(rows.astype("<f4").tobytes()).decode()
    lines = [
        f"# The weights as they were after {origin.steps:,} steps, as no list of steps leads there: {origin.reason}.",
        f'numbers = np.frombuffer(base64.b64decode("{text}"), "<f4")',
    ]
    if names:
        memory = ", ".join(f'"{name}": rows[{i}]' for i, name in enumerate(names, 1))
        steps = int(origin.memory["steps"])
        lines += [
            f"rows = numbers.reshape({len(rows)}, -1)",
            f'optimizer.load_state({{**optimizer.state(), "steps": np.float32({steps}), {memory}}})',
        ]
    return [
        *lines,
        "for p in model.parameters():",
        "    copy_into(p.data, numbers[: p.size].reshape(p.shape))",
        "    numbers = numbers[p.size :]",
    ]


def _step(task: Task, penalties: set[str], trained: bool) -> list[str]:
    cost = {
        "half_squared": "0.5 * loss.mse(model(inputs), targets)",
        "cross_entropy": "loss.binary_cross_entropy(model(inputs), (targets + 1) / 2)",
    }[task.loss]
    lines = ["", "def cost(inputs, targets):", f"    return {cost}"]
    if not trained:
        return lines
    lines += [
        "",
        "",
        "def step(inputs, targets):",
        "    optimizer.zero_grad()",
        "    cost(inputs, targets).backward()",
    ]
    if "L2" in penalties:
        lines += [
            "    for layer in model.layers[::2]:  # L2 draws weights to 0, and no biases",
            "        layer.weight.grad = layer.weight.grad + l2 * layer.weight.data",
        ]
    lines.append("    optimizer.step()")
    if "L1" in penalties:
        lines += [
            "    for layer in model.layers[::2]:  # L1: closer to 0 by the same for all, and not past it",
            "        w, reach = layer.weight.data, learning_rate * l1",
            "        w -= np.clip(w, -reach, reach)",
        ]
    return lines


def _training(spans: list[tuple[int, Phase]], penalties: set[str], origin: Origin | None) -> list[str]:
    if not spans:
        return []
    used = [name for name in ("L1", "L2") if name in penalties]
    names = ", ".join(["steps", "batch_size", "learning_rate", *(name.lower() for name in used)])
    phases = []
    for steps, phase in spans:
        rates = [phase.rate if phase.penalty == name else 0.0 for name in used]
        phases.append(f"({', '.join(map(repr, (steps, phase.batch_size, phase.learning_rate, *rates)))})")
    return [
        "",
        *(
            ["phases = [", *(f"    {phase}," for phase in phases), "]"]
            if phases[1:]
            else [f"phases = [{phases[0]}]"]
        ),
        f"begin = {origin.cursor if origin else 0}",
        f"for {names} in phases:",
        "    optimizer.learning_rate = learning_rate",
        "    captured = {}  # one for each size of batch",
        "    for _ in range(steps):",
        "        rows = train[begin : begin + batch_size]",
        "        captured.setdefault(len(rows), capture(step))(x[rows], y[rows])",
        "        begin = (begin + len(rows)) % len(train)",
    ]


def _result(session: Session) -> list[str]:
    said = ["training loss {cost(x[train], y[train]).item():.3f}"]
    if session.data.count(TEST):
        said.append("test loss {cost(x[test], y[test]).item():.3f}")
    return ["with no_grad():", f'    print(f"{", ".join(said)}")']
