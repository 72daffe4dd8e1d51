"""JAX: one jitted function for a training step, or a scan over a hundred of them."""

from __future__ import annotations

import math
from itertools import cycle
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np

from benchmarks.harness import Runner
from benchmarks.tasks import BLOCKS, HEADS, Task

Tree = Any
SCAN = 100


def mlp(p: Tree, x: jax.Array, activation: Any) -> jax.Array:
    """Layers `w0, b0, w1, …`, linear output."""
    last = len(p) // 2 - 1
    for i in range(last):
        x = activation(x @ p[f"w{i}"] + p[f"b{i}"])
    return x @ p[f"w{last}"] + p[f"b{last}"]


def cnn(p: Tree, x: jax.Array) -> jax.Array:
    """T3's network."""
    for i in range(2):
        x = jax.lax.conv(x, p[f"k{i}"], (1, 1), "VALID") + p[f"b{i}"][:, None, None]
        x = jax.nn.relu(x)
        x = jax.lax.reduce_window(x, -jnp.inf, jax.lax.max, (1, 1, 2, 2), (1, 1, 2, 2), "VALID")
    return x.reshape(len(x), -1) @ p["w2"] + p["b2"]


def norm(p: Tree, name: str, x: jax.Array) -> jax.Array:
    """Layer normalization."""
    centred = x - x.mean(-1, keepdims=True)
    scale = jax.lax.rsqrt((centred**2).mean(-1, keepdims=True) + 1e-5)
    return centred * scale * p[f"{name}.scale"] + p[f"{name}.shift"]


def language_model(p: Tree, tokens: jax.Array) -> jax.Array:
    """T5's network: (N, T) → (N, T, vocabulary)."""
    x = p["token"][tokens] + p["position"]
    n, t, d = x.shape
    mask = jnp.tril(jnp.ones((t, t), dtype=bool))
    for i in range(BLOCKS):
        h = norm(p, f"{i}.norm1", x) @ p[f"{i}.qkv.w"] + p[f"{i}.qkv.b"]
        q, k, v = h.reshape(n, t, 3, HEADS, d // HEADS).transpose(
            2, 0, 3, 1, 4
        )  # each (N, heads, T, d / heads)
        scores = q @ k.swapaxes(-1, -2) / (d // HEADS) ** 0.5
        attention = jax.nn.softmax(jnp.where(mask, scores, -jnp.inf), -1) @ v
        x = x + attention.transpose(0, 2, 1, 3).reshape(n, t, d) @ p[f"{i}.out.w"] + p[f"{i}.out.b"]
        h = jax.nn.gelu(norm(p, f"{i}.norm2", x) @ p[f"{i}.up.w"] + p[f"{i}.up.b"], approximate=True)
        x = x + h @ p[f"{i}.down.w"] + p[f"{i}.down.b"]
    return norm(p, "norm", x) @ p["head.w"] + p["head.b"]


def mse(predictions: jax.Array, y: jax.Array) -> jax.Array:
    """Mean squared error."""
    return ((predictions - y) ** 2).mean()


def cross_entropy(logits: jax.Array, labels: jax.Array) -> jax.Array:
    """Mean softmax cross-entropy."""
    return -jnp.take_along_axis(jax.nn.log_softmax(logits), labels[..., None], -1).mean()


LOSSES: dict[str, Any] = {
    "T1": lambda p, x, y: mse(mlp(p, x, jnp.tanh), y),
    "T2": lambda p, x, y: cross_entropy(mlp(p, x, jax.nn.relu), y),
    "T3": lambda p, x, y: cross_entropy(cnn(p, x), y),
    "T4": lambda p, x, y: mse(mlp(p, x, jnp.tanh), y),
    "T5": lambda p, x, y: cross_entropy(language_model(p, x), y),
}


def sgd(p: Tree, g: Tree, state: Tree, rate: Any) -> tuple[Tree, Tree]:
    """Plain gradient descent; `state` is unused."""
    return jax.tree.map(lambda a, b: a - rate * b, p, g), state


def adam(p: Tree, g: Tree, state: Tree, rate: Any) -> tuple[Tree, Tree]:
    """Adam with torch's defaults; `state` is (step, first moments, second moments)."""
    t, m, v = state
    t = t + 1
    m = jax.tree.map(lambda a, b: 0.9 * a + 0.1 * b, m, g)
    v = jax.tree.map(lambda a, b: 0.999 * a + 0.001 * b * b, v, g)
    # 1 - 0.999**t in float32 is wrong in the fifth digit at first, and the losses drift apart by a percent.
    first, second = -jnp.expm1(t * math.log(0.9)), -jnp.expm1(t * math.log(0.999))
    p = jax.tree.map(lambda w, a, b: w - rate * (a / first) / (jnp.sqrt(b / second) + 1e-8), p, m, v)
    return p, (t, m, v)


def build(task: Task, device: str, *, scan: bool) -> Runner:
    """Parameters and optimizer state are donated, so XLA updates them in place."""
    update = {"sgd": sgd, "adam": adam}[task.optimizer]

    def train(p: Tree, state: Tree, x: jax.Array, y: jax.Array, rate: Any) -> tuple[Tree, Tree, jax.Array]:
        loss, g = jax.value_and_grad(LOSSES[task.name])(p, x, y)
        return *update(p, g, state, rate), loss

    if task.name == "T4":
        train = jax.vmap(train)
    p = {name: jnp.array(a) for name, a in task.weights.items()}
    zeros = jax.tree.map(jnp.zeros_like, p)
    # Under vmap every argument needs the axis of members, the empty state as well: SGD's is an empty tuple.
    state: Tree = (
        (jnp.zeros((), jnp.float32), zeros, jax.tree.map(jnp.copy, zeros)) if task.optimizer == "adam" else ()
    )
    rate = jnp.asarray(task.learning_rate, jnp.float32)
    narrow = {"f": np.float32, "i": np.int32}  # JAX has no 64-bit integers unless asked, and warns
    inputs, targets = (jnp.asarray(a.astype(narrow[a.dtype.kind])) for a in (task.inputs, task.targets))
    wait = jax.block_until_ready

    if not scan:
        data = cycle(list(zip(inputs, targets, strict=True)))
        jitted = jax.jit(train, donate_argnums=(0, 1))

        def step() -> jax.Array:
            nonlocal p, state
            p, state, loss = jitted(p, state, *next(data), rate)
            return loss

        return Runner(step, lambda loss: [loss], wait)

    def many(p: Tree, state: Tree, start: jax.Array, inputs: jax.Array, targets: jax.Array) -> Tree:
        def body(carry: Tree, i: jax.Array) -> tuple[Tree, jax.Array]:
            p, state = carry
            p, state, loss = train(p, state, inputs[i % task.batches], targets[i % task.batches], rate)
            return (p, state), loss

        (p, state), losses = jax.lax.scan(body, (p, state), start + jnp.arange(SCAN))
        return p, state, start + SCAN, losses

    jitted = jax.jit(many, donate_argnums=(0, 1))
    start = jnp.zeros((), jnp.int32)

    def steps() -> jax.Array:
        nonlocal p, state, start
        p, state, start, losses = jitted(p, state, start, inputs, targets)
        return losses

    return Runner(steps, lambda losses: losses, wait, steps_per_call=SCAN)
