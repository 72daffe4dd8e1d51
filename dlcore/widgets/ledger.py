"""A ledger of blame: small expressions, their values and slopes off dlcore's tape, and the entries in their order.

    Expression   leaves and nodes, each node one operation of dlcore.backprop
    Tape         its values, its local slopes (from the pullbacks on the tape) and its gradients (from `backward`)
    entries      what is written down, one after the other: values, then slopes, and a total at every fork
    Ledger       the blame of each node after some of the entries, by the rule of adding or by that of overwriting
    mistakes     wrong answers that people give, each with the sentence that it gets

Widget BlameLedger (chapter Backprop) shows all this.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np

from dlcore import activations, backprop
from dlcore.backprop import Tensor

from .line import number

STEP = 1e-5  # of the finite differences
SIZES = (0.5, 1.5, 2, 2.5, 3)  # of leaves, each once: equal numbers, 0 and 1 would hide mistakes
LARGEST, STEEP = 12.0, 2.5  # of any value, and of what a sigmoid gets


def _square(x: Tensor) -> Tensor:
    return x**2


OPERATIONS: dict[str, Callable[..., Any]] = {
    "add": backprop.add,
    "subtract": backprop.subtract,
    "multiply": backprop.multiply,
    "square": _square,
    "sin": backprop.sin,
    "log": backprop.log,
    "negative": backprop.negative,
    "sigmoid": activations.sigmoid,
}
WRITTEN = {
    "add": "{} + {}",
    "subtract": "{} − {}",
    "multiply": "{} · {}",
    "square": "{}²",
    "sin": "sin {}",
    "log": "ln {}",
    "negative": "−{}",
    "sigmoid": "σ({})",
}


class Node(NamedTuple):
    """A value with a name: a leaf if `op` is empty, else an operation on nodes before it."""

    name: str
    op: str
    inputs: tuple[str, ...]
    place: tuple[float, float]  # column and row of the drawing

    @property
    def formula(self) -> str:
        """The operation as it is written; an empty text for a leaf."""
        return WRITTEN[self.op].format(*self.inputs) if self.op else ""


@dataclass(frozen=True)
class Expression:
    """A graph of a few nodes; the last one is the loss.

    Attributes:
        title: what it is.
        nodes: leaves first, each node after its inputs.
        first: values of the leaves for seed 0.
    """

    title: str
    nodes: tuple[Node, ...]
    first: tuple[float, ...]

    @property
    def leaves(self) -> list[str]:
        """The names of the leaves."""
        return [node.name for node in self.nodes if not node.op]

    def node(self, name: str) -> Node:
        """Return the node of this name."""
        return next(node for node in self.nodes if node.name == name)

    def users(self, name: str) -> list[str]:
        """Return who takes a node as input, the latest first: the order in which blame comes back."""
        return [node.name for node in reversed(self.nodes) if name in node.inputs]


def _nodes(*rows: tuple[str, str, str, float, float]) -> tuple[Node, ...]:
    return tuple(
        Node(name, op, tuple(inputs.split()), (column, row)) for name, op, inputs, column, row in rows
    )


EXPRESSIONS = {
    "fork": Expression(
        "a value used twice",
        _nodes(
            ("x", "", "", 0, 0),
            ("w", "", "", 0, 2),
            ("u", "multiply", "w x", 1, 2),
            ("v", "add", "u x", 2, 0),
            ("L", "multiply", "u v", 3, 1),
        ),
        (2, -3),
    ),
    "line": Expression(
        "a line and its squared error",
        _nodes(
            ("x", "", "", 0, 0),
            ("w", "", "", 0, 1),
            ("b", "", "", 1, 2),
            ("t", "", "", 2, 2),
            ("u", "multiply", "w x", 1, 0.5),
            ("z", "add", "u b", 2, 0.5),
            ("d", "subtract", "z t", 3, 0.5),
            ("L", "square", "d", 4, 0.5),
        ),
        (2, 1.5, -0.5, 3),
    ),
    "neuron": Expression(
        "a neuron and its loss for class 1",
        _nodes(
            ("x", "", "", 0, 0),
            ("w", "", "", 0, 1),
            ("b", "", "", 1, 2),
            ("u", "multiply", "w x", 1, 0.5),
            ("z", "add", "u b", 2, 0.5),
            ("p", "sigmoid", "z", 3, 0.5),
            ("q", "log", "p", 4, 0.5),
            ("L", "negative", "q", 5, 0.5),
        ),
        (1.5, -0.5, 2),
    ),
    "sine": Expression(
        "a sine with a way around it",
        _nodes(
            ("x", "", "", 0, 0),
            ("u", "square", "x", 1, 1.5),
            ("s", "sin", "u", 2, 1.5),
            ("L", "multiply", "s x", 3, 0),
        ),
        (1.5,),
    ),
}


# ------------------------------------------------------------------------------------------------ the tape


class Tape:
    """An expression at some leaves, computed by dlcore.

    Attributes:
        value: of each node, by name.
        slope: the local slope of each node by each of its inputs, by (node, input): its pullback at 1.
        grad: the gradient of the loss by each node, as `backward` finds it.
    """

    def __init__(self, expression: Expression, leaves: tuple[float, ...]) -> None:
        self.expression, self.leaves = expression, leaves
        tensors = self._run(leaves, {})
        self.value = {name: tensor.item() for name, tensor in tensors.items()}
        self.slope = {
            (node.name, source): float(pullback(np.asarray(1.0)))
            for node in expression.nodes
            for source, (_, pullback) in zip(node.inputs, tensors[node.name].edges, strict=True)
        }
        tensors[expression.nodes[-1].name].backward()
        self.grad = {name: float(np.asarray(tensor.grad)) for name, tensor in tensors.items()}

    def _run(self, leaves: tuple[float, ...], moved: dict[str, float]) -> dict[str, Tensor]:
        given = iter(leaves)
        found: dict[str, Tensor] = {}
        for node in self.expression.nodes:
            if node.op:
                made = OPERATIONS[node.op](*[found[name] for name in node.inputs])
            else:
                made = Tensor(np.asarray(next(given), np.float64), requires_grad=True, name=node.name)
            found[node.name] = made + moved[node.name] if node.name in moved else made
        return found

    def measured(self, name: str) -> float:
        """Return the slope of the loss by a node, measured: it alone is moved up and down a little."""
        loss = self.expression.nodes[-1].name
        up, down = (self._run(self.leaves, {name: h})[loss].item() for h in (STEP, -STEP))
        return (up - down) / (2 * STEP)

    def moved(self, node: str, source: str, by: float) -> float:
        """Return the value of a node when one of its inputs is moved, all others kept."""
        made = self.expression.node(node)
        inputs = [Tensor(np.asarray(self.value[name] + by * (name == source))) for name in made.inputs]
        return float(OPERATIONS[made.op](*inputs).item())


def drawn(expression: Expression, seed: int) -> tuple[float, ...]:
    """Return the leaves' values: chosen for seed 0, else drawn, so that no value is out of hand."""
    if seed == 0:
        return expression.first
    rng = np.random.default_rng(seed)
    while True:
        sizes = rng.permutation(SIZES)[: len(expression.first)] * rng.choice([-1, 1], len(expression.first))
        leaves = tuple(map(float, sizes))
        value = Tape(expression, leaves).value
        into = [value[node.inputs[0]] for node in expression.nodes if node.op == "sigmoid"]
        if max(map(abs, value.values())) <= LARGEST and max(map(abs, into), default=0) <= STEEP:
            return leaves


# ------------------------------------------------------------------------------------------------ the entries


class Entry(NamedTuple):
    """A line of the ledger: a `value` of a node, the `seed` 1, a `slope` of a node by an input, a `total`."""

    kind: str
    node: str
    source: str = ""

    @property
    def asked(self) -> bool:
        """Whether the reader works it out."""
        return self.kind in ("slope", "total")


def entries(expression: Expression, rule: str) -> list[Entry]:
    """Return all entries in their order; who overwrites has no totals to form."""
    nodes = expression.nodes
    found = [Entry("value", node.name) for node in nodes if node.op] + [Entry("seed", nodes[-1].name)]
    for node in reversed(nodes):
        if len(expression.users(node.name)) > 1 and rule == "add":
            found.append(Entry("total", node.name))
        found += [Entry("slope", node.name, source) for source in node.inputs]
    return found


class Ledger:
    """What is written down after the first entries.

    Attributes:
        values: of nodes, by name.
        slopes, shares: by (node, input).
        blame: of nodes whose blame is complete, by name; by the rule "overwrite", the latest share.
        arrived: the shares that have come to a node, by name, in the order of their coming.
    """

    def __init__(self, tape: Tape, rule: str, done: int) -> None:
        self.tape, self.rule = tape, rule
        expression = tape.expression
        self.values = dict(zip(expression.leaves, tape.leaves, strict=True))
        self.slopes: dict[tuple[str, str], float] = {}
        self.shares: dict[tuple[str, str], float] = {}
        self.blame: dict[str, float] = {}
        self.arrived: dict[str, list[float]] = {node.name: [] for node in expression.nodes}
        for entry in entries(expression, rule)[:done]:
            self._write(entry)

    def _write(self, entry: Entry) -> None:
        if entry.kind == "value":
            self.values[entry.node] = self.tape.value[entry.node]
        elif entry.kind == "seed":
            self.blame[entry.node] = 1.0
        elif entry.kind == "total":
            self.blame[entry.node] = sum(self.arrived[entry.node])
        else:
            self._hand_on(entry)

    def _hand_on(self, entry: Entry) -> None:
        way = (entry.node, entry.source)
        self.slopes[way] = self.tape.slope[way]
        self.shares[way] = self.blame[entry.node] * self.slopes[way]
        self.arrived[entry.source].append(self.shares[way])
        if self.rule == "overwrite" or len(self.tape.expression.users(entry.source)) == 1:
            self.blame[entry.source] = self.shares[way]

    def answer(self, entry: Entry) -> float:
        """Return what belongs into an entry that is asked."""
        if entry.kind == "total":
            return sum(self.arrived[entry.node])
        return self.tape.slope[entry.node, entry.source]


# ------------------------------------------------------------------------------------------------ wrong answers


def near(typed: float, value: float) -> bool:
    """Return whether a number is meant by what was typed: two decimals are enough."""
    return abs(typed - value) <= max(0.0051, 0.005 * abs(value))


def mistakes(ledger: Ledger, entry: Entry) -> Iterator[tuple[float, str]]:
    """Yield wrong answers to an entry, the telling ones first, each with what to say to it."""
    if entry.kind == "total":
        yield from _wrong_totals(ledger.arrived[entry.node], entry.node)
        return
    tape, node = ledger.tape, ledger.tape.expression.node(entry.node)
    inputs = [tape.value[name] for name in node.inputs]
    place = node.inputs.index(entry.source)
    yield from _OF[node.op](node, inputs, place, tape.value[node.name])
    right, blame = tape.slope[entry.node, entry.source], ledger.blame[entry.node]
    out, source = entry.node, entry.source
    yield -right, f"The size is right, the sign is not. Which way does {out} go when {source} grows?"
    yield (
        tape.value[out],
        f"That is the value of {out}. Asked is its slope: how fast it changes with {source}.",
    )
    yield tape.value[source], f"That is the value of {source}. Asked is how fast {out} changes with it."
    yield (
        blame * right,
        f"That is the share already, slope times the blame of {out}. Enter the slope alone; the ledger multiplies.",
    )
    yield (
        blame,
        f"That is the blame of {out}. Asked is the slope of {out} itself, without the loss.",
    )
    if right:
        yield 1 / right, f"That is upside down: how fast {source} changes with {out}."


def _wrong_totals(arrived: list[float], name: str) -> Iterator[tuple[float, str]]:
    yield (
        arrived[-1],
        f"That is the last share alone: it has overwritten the first. {name} acts on the loss along both ways.",
    )
    yield arrived[0], f"That is the first share alone. {name} acts on the loss along the other way, too."
    yield math.prod(arrived), "You multiplied. Slopes along one way multiply; shares from different ways add."
    yield (
        sum(arrived) / len(arrived),
        "That is the mean. Both ways act at the same time, so their effects add in full.",
    )
    yield arrived[0] - arrived[-1], "You subtracted. Shares bring their sign along; here they only add."
    yield -sum(arrived), "The size is right, the sign is not."


Wrong = Iterator[tuple[float, str]]


def _of_sum(node: Node, inputs: list[float], place: int, _: float) -> Wrong:
    yield 0, f"0 would mean that {node.name} does not depend on {node.inputs[place]} at all."
    yield (
        inputs[1 - place],
        f"That would be the slope of a product. In {node.formula}, {node.inputs[place]} stands alone.",
    )


def _of_product(node: Node, inputs: list[float], place: int, _: float) -> Wrong:
    mine, other = node.inputs[place], node.inputs[1 - place]
    yield inputs[place], f"That is {mine} itself. With {mine} moved, {other} is what multiplies the change."
    yield (
        1,
        f"1 would be the slope of a sum. In {node.formula} the change of {mine} is multiplied by {other}.",
    )
    yield sum(inputs), f"That is {mine} + {other}. The slope by one factor is the other factor alone."


def _of_square(node: Node, inputs: list[float], _: int, __: float) -> Wrong:
    name = node.inputs[0]
    yield inputs[0], f"You forgot the factor 2: the slope of {name}² is 2{name}."
    yield 2, f"You forgot {name}: the slope of {name}² is 2{name}, not 2."


def _of_sine(node: Node, inputs: list[float], _: int, out: float) -> Wrong:
    name = node.inputs[0]
    yield out, f"That is sin {name}, the value. The slope of the sine is the cosine."
    yield (
        -math.cos(inputs[0]),
        "The slope of the sine is the cosine, without a minus; that one belongs to the cosine.",
    )
    yield math.cos(math.radians(inputs[0])), f"The cosine of {name} degrees. Here {name} is in radians."
    yield math.cos(out), f"The slope was taken at the output. It belongs to the input: cos {name}."


def _of_log(node: Node, inputs: list[float], _: int, out: float) -> Wrong:
    name = node.inputs[0]
    yield out, f"That is ln {name}, the value. The slope of ln {name} is 1/{name}."
    yield inputs[0], f"That is {name}. The slope of ln {name} is 1/{name}."


def _of_sigmoid(node: Node, inputs: list[float], _: int, out: float) -> Wrong:
    name, z = node.name, inputs[0]
    twice = 1 / (1 + math.exp(-out))
    yield out, f"That is {name} itself, the value. The slope of σ is {name}(1 − {name})."
    yield 1 - out, f"You forgot a factor: the slope of σ is {name}(1 − {name})."
    yield (
        twice * (1 - twice),
        f"The slope was taken at the output {name}. σ(…) is already done: {name}(1 − {name}).",
    )
    yield z * (1 - z), f"You put in the sum. In {name}(1 − {name}) stands what comes out of σ."


def _of_negative(node: Node, inputs: list[float], _: int, __: float) -> Wrong:
    yield 1, f"The sign: when {node.inputs[0]} grows, {node.name} falls."
    yield 0, f"0 would mean that {node.name} does not depend on {node.inputs[0]} at all."


_OF: dict[str, Callable[[Node, list[float], int, float], Wrong]] = {
    "add": _of_sum,
    "subtract": _of_sum,
    "multiply": _of_product,
    "square": _of_square,
    "sin": _of_sine,
    "log": _of_log,
    "sigmoid": _of_sigmoid,
    "negative": _of_negative,
}


def reply(ledger: Ledger, entry: Entry, typed: float) -> str:
    """Return what to say to a wrong answer: the mistake it shows, or a small experiment that leads to the right one."""
    right = ledger.answer(entry)
    for value, words in mistakes(ledger, entry):
        if near(typed, value) and not near(value, right):
            return words
    if entry.kind == "total":
        shares = " and ".join(number(share) for share in ledger.arrived[entry.node])
        return f"The shares that have come to {entry.node} are {shares}. What do they make together?"
    tape, by = ledger.tape, 0.01
    now, then = tape.value[entry.source], tape.value[entry.source] + by
    before, after = tape.value[entry.node], tape.moved(entry.node, entry.source, by)
    return (
        f"Try it: when {entry.source} goes from {number(now, 3)} to {number(then, 3)}, {entry.node} goes from "
        f"{number(before, 4)} to {number(after, 4)}. Divide the second change by the first."
    )
