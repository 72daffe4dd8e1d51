"""dlcore's own contestants: each task as a reader of the book would write it, through the public API."""

from __future__ import annotations

import math
from itertools import cycle
from typing import Any, TypeVar

import numpy as np

from benchmarks.harness import Runner
from benchmarks.tasks import BLOCKS, HEADS, VOCABULARY, WIDTH, Array, Task
from dlcore import arrays
from dlcore.activations import gelu, relu, softmax, tanh
from dlcore.backprop import Tensor
from dlcore.capture import capture
from dlcore.layers import Dense, Embedding, Flatten, LayerNorm, Module, Sequential, ensemble
from dlcore.loss import cross_entropy, mse
from dlcore.optim import SGD, Adam, Optimizer

Model = TypeVar("Model", bound=Module)
ANY = np.random.default_rng(0)  # draws weights that the task's own overwrite


def mlp(weights: dict[str, Array], activation: Any) -> Sequential:
    """A perceptron of the sizes of `w0, w1, …`; its output is linear."""
    layers: list[Any] = []
    for i in range(len(weights) // 2):
        layers += [Dense(*weights[f"w{i}"].shape, rng=ANY, dtype=str(weights["w0"].dtype)), activation]
    return loaded(Sequential(*layers[:-1]), weights)


def cnn(weights: dict[str, Array]) -> Module:
    """T3's network."""
    from dlcore.convolution import Conv2d, MaxPool2d

    dtype = str(weights["w2"].dtype)
    return loaded(
        Sequential(
            Conv2d(1, 8, 3, rng=ANY, dtype=dtype),
            relu,
            MaxPool2d(2),
            Conv2d(8, 16, 3, rng=ANY, dtype=dtype),
            relu,
            MaxPool2d(2),
            Flatten(),
            Dense(400, 10, rng=ANY, dtype=dtype),
        ),
        weights,
    )


class Attention(Module):
    """Causal self-attention, composed of what `backprop` has."""

    def __init__(self, width: int, heads: int, context: int, dtype: str) -> None:
        self.heads = heads
        self.qkv = Dense(width, 3 * width, rng=ANY, dtype=dtype)
        self.out = Dense(width, width, rng=ANY, dtype=dtype)
        self.mask = Tensor(
            np.triu(np.full((context, context), -np.inf, dtype), 1)
        )  # hides what is yet to come

    def forward(self, x: Tensor) -> Tensor:
        n, t, d = x.shape
        width = d // self.heads
        parts = self.qkv(x).reshape(n, t, 3, self.heads, width).transpose(2, 0, 3, 1, 4)
        q, k, v = parts  # each (N, heads, T, d / heads)
        scores = (q * (1 / math.sqrt(width))) @ k.mT + self.mask
        y = softmax(scores) @ v
        return self.out(y.transpose(0, 2, 1, 3).reshape(n, t, d))


class Block(Module):
    """x + attention(norm(x)), then x + mlp(norm(x))."""

    def __init__(self, width: int, heads: int, context: int, dtype: str) -> None:
        self.norm1 = LayerNorm(width, dtype=dtype)
        self.attention = Attention(width, heads, context, dtype)
        self.norm2 = LayerNorm(width, dtype=dtype)
        self.mlp = Sequential(
            Dense(width, 4 * width, rng=ANY, dtype=dtype), gelu, Dense(4 * width, width, rng=ANY, dtype=dtype)
        )

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm1(x))
        return x + self.mlp(self.norm2(x))


class LanguageModel(Module):
    """T5's network: tokens (N, T) → logits (N, T, vocabulary)."""

    def __init__(self, context: int, dtype: str) -> None:
        self.token = Embedding(VOCABULARY, WIDTH, rng=ANY, dtype=dtype)
        self.position = Tensor(np.zeros((context, WIDTH), dtype), requires_grad=True)
        self.blocks = Sequential(*[Block(WIDTH, HEADS, context, dtype) for _ in range(BLOCKS)])
        self.norm = LayerNorm(WIDTH, dtype=dtype)
        self.head = Dense(WIDTH, VOCABULARY, rng=ANY, dtype=dtype)

    def forward(self, tokens: Tensor) -> Tensor:
        return self.head(self.norm(self.blocks(self.token(tokens) + self.position)))


def language_model(weights: dict[str, Array]) -> Module:
    """T5's network with the task's weights, whose order is not that of the fields."""
    model = LanguageModel(len(weights["position"]), str(weights["token"].dtype))
    renamed = {"position": weights["position"], "token.weight": weights["token"]}
    places = {"qkv": "attention.qkv", "out": "attention.out", "up": "mlp.layers.0", "down": "mlp.layers.2"}
    kinds = {"w": "weight", "b": "bias", "scale": "weight", "shift": "bias"}
    for name, a in weights.items():
        *block, place, kind = name.rsplit(".", 2) if "." in name else ("", "")
        if kind:
            prefix = f"blocks.layers.{block[0]}." if block else ""
            renamed[f"{prefix}{places.get(place, place)}.{kinds[kind]}"] = a
    model.load_state(model.state() | renamed)  # the masks are state, too
    return model


def loaded(model: Model, weights: dict[str, Array]) -> Model:
    """The model with these weights, which come in the order of its parameters."""
    model.load_state(dict(zip(model.state(), weights.values(), strict=True)))
    return model


def model_of(task: Task) -> Module:
    """The task's network with its initial weights."""
    if task.name == "T4":
        members = [{name: a[i] for name, a in task.weights.items()} for i in range(len(task.learning_rate))]
        return ensemble([mlp(weights, tanh) for weights in members])
    makers = {"T1": lambda w: mlp(w, tanh), "T2": lambda w: mlp(w, relu), "T3": cnn, "T5": language_model}
    return makers[task.name](task.weights)


def optimizer_of(task: Task, model: Module) -> Optimizer:
    """Plain SGD, with a rate for each member of an ensemble, or Adam."""
    if task.optimizer == "adam":
        return Adam(model.parameters(), learning_rate=task.learning_rate)
    return SGD(model.parameters(), learning_rate=task.learning_rate, members=model.members)


def build(task: Task, device: str, *, library: str, captured: bool) -> Runner:
    """The textbook training loop; `library` is "numpy", "torch" or "strict", and `captured` adds one word."""
    where = device if library == "torch" else library
    model = model_of(task).to(device=where)
    optimizer = optimizer_of(task, model)
    objective = mse if task.optimizer == "sgd" else cross_entropy

    def one(x: Any, y: Any) -> Tensor:
        optimizer.zero_grad()
        loss = objective(model(x), y)
        loss.backward()
        optimizer.step()
        return loss

    def many(x: Any, y: Any) -> Tensor:
        optimizer.zero_grad()
        losses = objective(model(x), y, members=True)
        losses.sum().backward()
        optimizer.step()
        return losses

    step = many if task.name == "T4" else one
    run = capture(step) if captured else step
    pool = [[arrays.asarray(a, device=where) for a in part] for part in (task.inputs, task.targets)]
    data = cycle(list(zip(*pool, strict=True)))

    runner = Runner(lambda: run(*next(data)), lambda loss: np.array([loss.numpy()]))
    if library == "torch":
        import torch

        torch.set_num_threads(1)
        torch.backends.cudnn.allow_tf32 = False  # as for the peers
        if device == "cuda":
            runner.wait = lambda loss: torch.cuda.synchronize()
    return runner
