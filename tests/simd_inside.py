"""What test_simd.py runs inside Pyodide: the kernel's functions, and training with it, against NumPy."""

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import pairwise, product
from typing import Any

import numpy as np

from dlcore import activations, data, layers, loss, optim, overfitting, training
from dlcore.arrays import fast_numpy, kernels, simd
from dlcore.backprop import check_gradients
from dlcore.capture import capture

RNG = np.random.default_rng(0)


def normal(*shape: int) -> np.ndarray:
    """Return an array of float32."""
    return RNG.normal(size=shape).astype(np.float32)


def same(ours: Any, wanted: Any, what: str, tolerance: float = 2e-6) -> None:
    """Assert equal shape, dtype and, up to rounding, values."""
    assert type(ours) is type(wanted), f"{what}: {type(ours)} for {type(wanted)}"
    assert ours.shape == wanted.shape, f"{what}: {ours.shape} for {wanted.shape}"
    assert ours.dtype == wanted.dtype, f"{what}: {ours.dtype} for {wanted.dtype}"
    assert np.allclose(ours, wanted, rtol=tolerance, atol=tolerance, equal_nan=True), (
        f"{what}: {ours} for {wanted}"
    )


@contextmanager
def numpy_alone() -> Iterator[None]:
    """Compute without the kernel."""
    simd.deactivate()
    try:
        yield
    finally:
        simd.activate()


def both(function: Callable[..., Any], *args: Any, tolerance: float = 2e-6) -> None:
    """Compare a call with the kernel and without; errors must be the same, too."""
    results = []
    for activate in (simd.activate, simd.deactivate):
        activate()
        try:
            results.append(function(*args))
        except Exception as error:
            results.append(np.array([ord(c) for c in f"{type(error).__name__} {error}"]))
    simd.activate()
    same(*results, f"{function} of {[getattr(a, 'shape', a) for a in args]}", tolerance)


def in_namespace(name: str) -> Callable[..., Any]:
    """Return the function that looks `name` up when it is called."""
    return lambda *args: getattr(fast_numpy, name)(*args)


def check_products() -> None:
    for m, k, n, stack in product((1, 3, 8), (1, 5, 33), (1, 2, 8, 11), ((), (3,))):
        x, y = normal(*stack, m, k), normal(*stack, k, n)
        for a, b in product((x, normal(*stack, k, m).mT), (y, normal(*stack, n, k).mT)):
            both(in_namespace("matmul"), a, b)
            both(in_namespace("affine"), a, b, normal(n))
            both(in_namespace("affine"), a, b, normal(*stack, n))
        both(in_namespace("sum_rows"), x)
        both(in_namespace("sum_rows"), x.mT)
        both(lambda a: fast_numpy.sum(a, axis=-2), x)


def check_functions() -> None:
    hard = np.array([0, -0.0, 1e-42, 0.625, 90, -110, np.inf, -np.inf, np.nan], np.float32)
    for shape, name in product(((1,), (3,), (4, 5), (2, 3, 7), ()), ("exp", "log", "expm1", "log1p", "tanh")):
        x = normal(*shape)
        for a in (x, np.abs(x) + 1, x.T, hard, x.astype(np.float64), x[..., None][..., ::2]):
            with np.errstate(all="ignore"):
                both(in_namespace(name), a)
    g, x = normal(6, 5), normal(6, 5)
    for a, b in ((g, x), (g.T, x.T), (g[:, :1], x), (g[0], x[0]), (g.astype(np.float64), x)):
        both(kernels.gate, a, b)
        both(lambda a, b: kernels.gate(a, b, 0.5), a, b)


def check_odd_arguments() -> None:
    x = normal(4, 3)
    for args in (
        (x, x),  # shapes that do not fit
        (x, x.T.astype(np.float64)),
        (x, x.T.astype(">f4")),
        (x, np.empty((3, 0), np.float32)),
        (np.empty((0, 4), np.float32), x),
        (x, normal(3)),
        (normal(2, 4, 3), normal(3, 5)),
        (normal(2, 1, 4, 3), normal(5, 3, 2)),
        (x.view(np.ma.MaskedArray), x.T),
        (np.ones((4, 3), np.dtype([("a", "f4"), ("b", "i2")]))["a"], x.T),
    ):
        both(in_namespace("matmul"), *args)
    for bias in (normal(4), normal(1), normal(2, 3), np.float32(1)):
        both(in_namespace("affine"), x, normal(3, 3), bias)
    both(lambda: fast_numpy.tanh("text"))  # type: ignore[arg-type]
    for parts in ([x, x.T, normal(7)], [x, x.astype(np.float64)], [x], (x, x), []):
        both(lambda parts: fast_numpy.concat(parts, axis=None), parts)


def perceptron(sizes: tuple[int, ...], function: Any, seed: int) -> layers.Sequential:
    """Return a network with `function` between its layers."""
    rng = np.random.default_rng(seed)
    parts: list[Any] = []
    for n_in, n_out in pairwise(sizes):
        parts += [layers.Dense(n_in, n_out, rng=rng), function]
    return layers.Sequential(*parts[:-1])


def trained(
    sizes: tuple[int, ...], function: Any, rule: Any, objective: Any, data: Any, captured: bool
) -> Any:
    """Return all parameters after 30 steps, and the errors on the way."""
    model = perceptron(sizes, function, 1)
    optimizer = rule(model.parameters(), learning_rate=0.01)

    def step(x: Any, y: Any) -> Any:
        optimizer.zero_grad()
        error = objective(model(x), y)
        error.backward()
        optimizer.step()
        return error

    run: Any = capture(step) if captured else step
    errors = [float(run(*data[i % len(data)])) for i in range(30)]
    return np.concatenate([p.numpy().ravel() for p in model.parameters()]), np.array(errors)


def check_training() -> None:
    small = [(normal(32, 2), normal(32, 1)) for _ in range(3)]
    digits = [
        (normal(64, 300), RNG.integers(0, 10, 64)) for _ in range(3)
    ]  # inputs large enough to be read in place
    yes_no = [(x, (y > 0).astype(np.float32)) for x, y in small]
    tasks: list[tuple[Any, ...]] = [
        ((2, 8, 8, 1), f, optim.SGD, loss.mse, small)
        for f in (activations.tanh, activations.relu, activations.sigmoid, activations.gelu, activations.elu)
    ]
    tasks += [((2, 8, 1), activations.tanh, rule, loss.mse, small) for rule in (optim.Adam, optim.AdamW)]
    tasks += [((2, 8, 1), activations.tanh, optim.SGD, loss.binary_cross_entropy, yes_no)]
    tasks += [((300, 33, 10), activations.relu, optim.SGD, loss.cross_entropy, digits)]
    for task in tasks:
        with numpy_alone():
            wanted = trained(*task, captured=False)
        for captured in (False, True):
            for ours, right in zip(trained(*task, captured=captured), wanted, strict=True):
                same(ours, right, f"{task[1].__name__}, {task[2].__name__}, captured={captured}", 1e-4)


def check_memory_that_grows() -> None:
    x, y = normal(32, 2), normal(32, 1)
    data = [(x, y)]
    wanted = trained((2, 8, 1), activations.tanh, optim.SGD, loss.mse, data, captured=True)
    blocks = [
        np.ones(4_000_000) for _ in range(8)
    ]  # 256 MB: WebAssembly's memory grows and moves in JavaScript
    assert blocks[-1][-1] == 1
    ours = trained((2, 8, 1), activations.tanh, optim.SGD, loss.mse, data, captured=True)
    same(ours[0], wanted[0], "after the memory has grown", 0)


def build(rng: np.random.Generator) -> layers.Module:
    return layers.mlp(4, 5, 3, activation=activations.tanh, rng=rng)


def check_integers_of_64_bits() -> None:
    """Labels and orders are int64 everywhere, and here a place in an array has 32 bits."""
    x, labels = normal(16, 4), np.arange(16, dtype=np.int64) % 3
    assert (data.one_hot(labels, 3).argmax(-1) == labels).all()
    images, _, numbers, _ = data.train_test_split(x, labels, test_fraction=0.25, rng=RNG, stratify=labels)
    settings: dict[str, Any] = {"loss": loss.cross_entropy, "epochs": 2, "batch_size": 4, "progress": False}
    rate = functools.partial(optim.SGD, learning_rate=0.1)
    for step in (False, True):
        alone = training.fit(
            build(np.random.default_rng(0)),
            (images, numbers),
            optimizer=rate,
            seed=0,
            capture=step,
            **settings,
        )
        for seeds in ([0], [0, 1]):
            many = training.sweep(
                build,
                (images, numbers),
                optimizer=rate,
                seeds=seeds,
                capture=step,
                metrics=training.accuracy,
                **settings,
            )
            same(many.losses[0], np.array(alone.losses, many.losses.dtype), f"{seeds}, captured={step}", 1e-5)
    words = layers.Embedding(num_embeddings=7, embedding_dim=3, rng=RNG)
    assert words(labels.reshape(4, 4)).shape == (4, 4, 3)
    assert overfitting.augment(normal(3, 1, 8, 8), shift=2, rng=RNG).shape == (3, 1, 8, 8)


def report() -> str:
    """Run every check; an AssertionError says what differs."""
    assert simd.kernel is not None, "the kernel was not loaded"
    check_products()
    check_functions()
    check_odd_arguments()
    check_training()
    check_memory_that_grows()
    check_integers_of_64_bits()
    check_gradients(
        lambda x, w, b: activations.tanh(layers.affine(x, w, b)), normal(4, 3), normal(3, 5), normal(5)
    )
    return "all equal"
