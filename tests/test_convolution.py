"""Convolution and pooling against torch and central differences; ensembles; memory in any order."""

import weakref
from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcore import convolution
from dlcore.activations import relu
from dlcore.arrays import to_numpy
from dlcore.backprop import Tensor, check_gradients
from dlcore.convolution import AvgPool2d, Conv2d, GlobalAvgPool, MaxPool2d, avg_pool2d, conv2d, max_pool2d
from dlcore.layers import Dense, Flatten, Module, Sequential, ensemble, init
from tests.helpers import (
    TOLERANCE,
    Backend,
    agree,
    assert_on,
    close,
    needs_torch,
    no_collector,
    normals,
    on_every_backend,
    on_every_device,
    torch,
)


def make_rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def settings(backend: Backend) -> dict[str, str]:
    return {"device": backend.device, "dtype": backend.dtype}


def distinct(*shape: int, seed: int = 0) -> np.ndarray[Any, Any]:
    """Numbers far apart in random order, so that no window has two largest."""
    return make_rng(seed).permutation(int(np.prod(shape))).reshape(shape) / 10.0 - 2


# batch, channels, height, width; kernels, size; stride, padding
CASES = [
    ((2, 3, 6, 5), 4, 3, 1, 0),
    ((2, 3, 6, 5), 4, 3, 1, 1),
    ((2, 3, 7, 8), 4, 3, 2, 0),
    ((2, 3, 7, 8), 4, 3, 2, 1),
    ((2, 1, 5, 5), 1, 1, 1, 0),
    ((1, 2, 5, 9), 3, 5, 3, 2),
    ((3, 2, 4, 4), 2, 4, 1, 0),
    ((2, 2, 5, 5), 3, 2, 3, 0),  # a row and a column that no window sees
    ((2, 2, 3, 3), 3, 2, 1, 3),  # windows of zeros alone
    ((0, 2, 5, 5), 3, 2, 1, 1),
]
POOLS = [
    (2, 2, (2, 3, 6, 4)),
    (2, 2, (2, 3, 7, 5)),
    (3, 1, (2, 1, 5, 6)),
    (3, 2, (2, 2, 7, 8)),
    (2, 3, (1, 2, 8, 8)),
    (1, 1, (2, 2, 3, 3)),
    (2, 2, (0, 3, 6, 4)),
]


# ---------------------------------------------------------------------------------------------- oracle


@needs_torch
@on_every_backend
@pytest.mark.parametrize("case", CASES, ids=str)
def test_convolution_agrees_with_torch(case: Any, backend: Backend) -> None:
    shape, out, size, stride, padding = case
    agree(
        partial(conv2d, stride=stride, padding=padding),
        lambda x, w, b: torch.nn.functional.conv2d(x, w, b, stride, padding),
        *normals(shape, (out, shape[1], size, size), (out,)),
        backend=backend,
        tolerance=4 * TOLERANCE[backend.dtype],
    )


@needs_torch
@on_every_backend
@pytest.mark.parametrize("case", CASES[:4], ids=str)
def test_the_layer_agrees_with_torch(case: Any, backend: Backend) -> None:
    (n, channels, *pixels), out, size, stride, padding = case
    layer = Conv2d(channels, out, size, rng=make_rng(), stride=stride, padding=padding, **settings(backend))
    w, b = (torch.tensor(p.numpy().astype(np.float64)) for p in (layer.weight, layer.bias))
    agree(
        layer,
        lambda x: torch.nn.functional.conv2d(x, w, b, stride, padding),
        normals((n, channels, *pixels))[0],
        backend=backend,
        tolerance=4 * TOLERANCE[backend.dtype],
    )


@needs_torch
@on_every_backend
@pytest.mark.parametrize(("size", "stride", "shape"), POOLS, ids=str)
def test_pooling_agrees_with_torch(size: int, stride: int, shape: tuple[int, ...], backend: Backend) -> None:
    F = torch.nn.functional
    x = distinct(*shape)
    for make in (
        lambda: MaxPool2d(size, stride=stride),
        lambda: partial(max_pool2d, size=size, stride=stride),
    ):
        agree(make(), lambda x: F.max_pool2d(x, size, stride), x, backend=backend)
    for make in (
        lambda: AvgPool2d(size, stride=stride),
        lambda: partial(avg_pool2d, size=size, stride=stride),
    ):
        agree(make(), lambda x: F.avg_pool2d(x, size, stride), x, backend=backend)
    if size == stride:
        agree(MaxPool2d(size), lambda x: F.max_pool2d(x, size), x, backend=backend)
        agree(AvgPool2d(size), lambda x: F.avg_pool2d(x, size), x, backend=backend)


@needs_torch
@on_every_backend
def test_of_equal_pixels_the_first_gets_the_gradient_as_in_torch(backend: Backend) -> None:
    """Behind a ReLU whole windows are 0; in overlapping windows, too."""
    x = np.maximum(make_rng().integers(-2, 2, (2, 2, 6, 6)), 0).astype(float)
    agree(MaxPool2d(2), lambda x: torch.nn.functional.max_pool2d(x, 2), x, backend=backend)
    agree(MaxPool2d(3, stride=1), lambda x: torch.nn.functional.max_pool2d(x, 3, 1), x, backend=backend)
    agree(
        MaxPool2d(2),
        lambda x: torch.nn.functional.max_pool2d(x, 2),
        np.full((1, 1, 4, 4), -3.0),
        backend=backend,
    )


@needs_torch
@on_every_backend
def test_global_pooling_agrees_with_torch(backend: Backend) -> None:
    agree(GlobalAvgPool(), lambda x: x.mean((2, 3)), normals((2, 3, 4, 5))[0], backend=backend)


@needs_torch
@on_every_backend
def test_a_whole_network_agrees_with_torch(backend: Backend) -> None:
    on = settings(backend)
    model = Sequential(
        Conv2d(1, 4, 3, rng=make_rng(1), padding=1, **on), relu, MaxPool2d(2),
        Conv2d(4, 6, 3, rng=make_rng(2), **on), AvgPool2d(2), relu, Flatten(), Dense(24, 3, rng=make_rng(3), **on),
    )  # fmt: skip
    p = [torch.tensor(q.numpy().astype(np.float64), requires_grad=True) for q in model.parameters()]

    def theirs(x: Any) -> Any:
        F = torch.nn.functional
        h = F.max_pool2d(torch.relu(F.conv2d(x, p[0], p[1], padding=1)), 2)
        h = torch.relu(F.avg_pool2d(F.conv2d(h, p[2], p[3]), 2))
        return h.flatten(1) @ p[4] + p[5]

    tolerance = 20 * TOLERANCE[backend.dtype]
    agree(model, theirs, normals((2, 1, 12, 12))[0], backend=backend, tolerance=tolerance)
    for ours, twin in zip(model.parameters(), p, strict=True):
        assert_on(backend, ours.grad)
        close(ours.grad, twin.grad, tolerance)


# -------------------------------------------------------------------------------- central differences


@on_every_device
@pytest.mark.parametrize("case", CASES, ids=str)
def test_convolution_agrees_with_central_differences(case: Any, backend: Backend) -> None:
    shape, out, size, stride, padding = case
    inputs = normals(shape, (out, shape[1], size, size), (out,))
    check_gradients(partial(conv2d, stride=stride, padding=padding), *map(backend.array, inputs))


@on_every_device
@pytest.mark.parametrize(("size", "stride", "shape"), POOLS, ids=str)
def test_pooling_agrees_with_central_differences(
    size: int, stride: int, shape: tuple[int, ...], backend: Backend
) -> None:
    x = backend.array(distinct(*shape))
    check_gradients(partial(max_pool2d, size=size, stride=stride), x)
    check_gradients(partial(avg_pool2d, size=size, stride=stride), x)
    check_gradients(GlobalAvgPool(), x)


# ----------------------------------------------------------------------------------------- properties


@needs_torch
@pytest.mark.parametrize("device", ["numpy", "cpu"])
@given(data=st.data())
def test_convolution_of_any_size_and_strides(device: str, data: st.DataObject) -> None:
    draw = data.draw
    size, stride, padding = draw(st.integers(1, 3)), draw(st.integers(1, 3)), draw(st.integers(0, 2))
    n, channels, out = draw(st.integers(1, 2)), draw(st.integers(1, 3)), draw(st.integers(1, 3))
    low = max(1, size - 2 * padding)
    height, width = draw(st.integers(low, 6)), draw(st.integers(low, 6))
    order = draw(st.permutations(range(4)))
    shape = (n, channels, height, width)
    memory = normals([shape[i] for i in order], seed=draw(st.integers(0, 99)))[0]
    x = memory.transpose(np.argsort(order))
    w, b = normals((out, channels, size, size), (out,))
    agree(
        partial(conv2d, stride=stride, padding=padding),
        lambda x, w, b: torch.nn.functional.conv2d(x, w, b, stride, padding),
        x,
        w[:, :, ::-1, ::-1],
        b[::-1],
        backend=Backend(device, "float64"),
        tolerance=1e-12,
    )


def test_a_gradient_may_come_in_any_order_of_memory() -> None:
    x, w, b = (Tensor(v, requires_grad=True) for v in normals((2, 3, 5, 5), (4, 3, 3, 3), (4,)))
    y = conv2d(x, w, b)
    g = normals(y.shape)[0]
    results = []
    for order in (
        g,
        np.asfortranarray(g),
        np.ascontiguousarray(g.transpose(1, 2, 3, 0)).transpose(3, 0, 1, 2),
    ):
        for t in (x, w, b):
            t.grad = None
        y.backward(order)
        results.append([np.array(t.grad) for t in (x, w, b)])
    for other in results[1:]:
        for a, c in zip(results[0], other, strict=True):
            np.testing.assert_allclose(a, c, rtol=1e-12, atol=1e-12)


@on_every_backend
def test_an_image_that_needs_no_gradient_gets_none(backend: Backend) -> None:
    """The first layer's input is data; its gradient, the dearest, must not be computed."""
    layer = Conv2d(1, 2, 3, rng=make_rng(), **settings(backend))
    x = backend.tensor(normals((2, 1, 5, 5))[0])
    layer(x).sum().backward()
    assert x.grad is None
    assert tuple(layer.weight.grad.shape) == (2, 1, 3, 3)  # type: ignore[union-attr]
    assert_on(backend, layer.weight.grad)


@on_every_backend
def test_two_backward_passes_through_one_convolution_add_up(backend: Backend) -> None:
    layer = Conv2d(2, 3, 3, rng=make_rng(), **settings(backend))
    x = backend.tensor(normals((2, 2, 5, 5))[0], requires_grad=True)
    y = layer(x)
    y.sum().backward()
    once = [to_numpy(t.grad).copy() for t in (x, layer.weight, layer.bias)]
    y.sum().backward()
    for t, g in zip((x, layer.weight, layer.bias), once, strict=True):
        close(t.grad, 2 * g, 1e-6)


# ------------------------------------------------------------------------------------------- ensembles

BUILD: dict[str, Callable[[np.random.Generator, dict[str, str]], Module]] = {
    "convolution": lambda rng, on: Conv2d(2, 3, 3, rng=rng, **on),
    "stride and padding": lambda rng, on: Conv2d(2, 3, 3, rng=rng, stride=2, padding=1, **on),
    "max pool": lambda _, __: MaxPool2d(2),
    "average pool": lambda _, __: AvgPool2d(3, stride=2),
    "global pool": lambda _, __: GlobalAvgPool(),
    "network": lambda rng, on: Sequential(
        Conv2d(2, 3, 3, rng=rng, **on), relu, MaxPool2d(2), Conv2d(3, 2, 2, rng=rng, **on), Flatten(),
        Dense(8, 2, rng=rng, **on),
    ),
}  # fmt: skip


@on_every_backend
@pytest.mark.parametrize("members", [1, 3])
@pytest.mark.parametrize("name", BUILD)
def test_an_ensemble_computes_what_its_members_compute_alone(
    name: str, members: int, backend: Backend
) -> None:
    models = [BUILD[name](make_rng(i), settings(backend)) for i in range(members)]
    for i, model in enumerate(models):
        for p in model.parameters():
            p.data = p.data + backend.array(make_rng(10 + i).standard_normal(p.shape))
    together = ensemble(models)
    x = backend.tensor(normals((members, 4, 2, 8, 8))[0], requires_grad=True)
    y = together(x)
    assert_on(backend, y.data)
    g = backend.array(normals(y.shape, seed=3)[0])
    y.backward(g)
    tolerance = 10 * TOLERANCE[backend.dtype]
    for i, model in enumerate(models):
        alone = Tensor(x.data[i, ...], requires_grad=True)
        z = model(alone)
        z.backward(g[i, ...])
        close(y.data[i, ...], to_numpy(z.data), tolerance, "output")
        close(x.grad[i, ...], to_numpy(alone.grad), tolerance, "gradient of the images")  # type: ignore[index]
        for p, q in zip(together.parameters(), model.parameters(), strict=True):
            close(p.grad[i, ...], to_numpy(q.grad), tolerance, "gradient of a parameter")  # type: ignore[index]


# ----------------------------------------------------------------------------------------- small matters


def test_layers_tell_what_they_are_and_draw_their_kernels() -> None:
    layer = Conv2d(2, 300, 3, rng=make_rng(), stride=2, padding=1)
    assert repr(layer) == "Conv2d(2, 300, 3, stride=2, padding=1)"
    assert (repr(MaxPool2d(2)), repr(AvgPool2d(3, stride=1))) == (
        "MaxPool2d(2, stride=2)",
        "AvgPool2d(3, stride=1)",
    )
    assert layer.weight.shape == (300, 2, 3, 3)
    assert not layer.bias.data.any()
    assert abs(layer.weight.data.var() / (2 / 18) - 1) < 0.1  # He: two over the inputs of one unit
    np.testing.assert_array_equal(layer.weight.data, Conv2d(2, 300, 3, rng=make_rng()).weight.data)
    seen = {}

    def spy(rng: np.random.Generator, shape: tuple[int, ...], **fans: int) -> Any:
        seen.update(fans)
        return init.zeros(rng, shape)

    Conv2d(2, 5, 3, rng=make_rng(), weight_init=spy)
    assert seen == {"fan_in": 18, "fan_out": 45}
    assert all(hasattr(convolution, name) for name in convolution.__all__)


@on_every_backend
def test_layers_keep_precision_and_device(backend: Backend) -> None:
    layer = Conv2d(1, 2, 3, rng=make_rng(), **settings(backend))
    for pool in (MaxPool2d(2), AvgPool2d(2), GlobalAvgPool()):
        x = backend.tensor(normals((2, 1, 6, 6))[0], requires_grad=True)
        y = pool(layer(x))
        assert_on(backend, y.data)
        y.sum().backward()
        for t in (x, *layer.parameters()):
            assert_on(backend, t.grad)


F4 = partial(np.ones, dtype=np.float32)


def conv(**options: Any) -> Conv2d:
    return Conv2d(**{"in_channels": 2, "out_channels": 3, "kernel_size": 3, "rng": make_rng()} | options)


BAD = [
    (
        lambda: conv()(F4((2, 8, 8))),
        ValueError,
        r"Conv2d: expected \(batch, channels, height, width\); received \(2, 8, 8\).*images\[:, None\]",
    ),
    (lambda: conv()(F4((4, 8))), ValueError, r"Conv2d: expected \(batch, channels.*received \(4, 8\)$"),
    (
        lambda: conv()(F4((4, 1, 8, 8))),
        ValueError,
        r"conv2d: expected .*as many axes and channels; received shapes \(4, 1, 8, 8\) and \(3, 2, 3, 3\)",
    ),
    (
        lambda: conv()(F4((4, 2, 2, 8))),
        ValueError,
        r"conv2d: expected images of at least 3 × 3 pixels; received shape \(4, 2, 2, 8\)",
    ),
    (
        lambda: conv(padding=1, kernel_size=5)(F4((4, 2, 2, 8))),
        ValueError,
        r"conv2d: expected images of at least 3 × 3",
    ),
    (
        lambda: conv2d(F4((1, 2, 4, 4)), F4((1, 2, 4, 2)), F4(1)),
        ValueError,
        r"conv2d: expected .* square kernels .*received shapes .* and \(1, 2, 4, 2\)",
    ),
    (
        lambda: conv2d(F4((2, 4, 4)), F4((1, 2, 3, 3)), F4(1)),
        ValueError,
        r"conv2d: expected images \(n, channels, height, width\).*received shapes \(2, 4, 4\)",
    ),
    (lambda: MaxPool2d(4)(F4((4, 2, 8, 3))), ValueError, r"max_pool2d: expected images of at least 4 × 4"),
    (lambda: AvgPool2d(4)(F4((4, 2, 3, 8))), ValueError, r"avg_pool2d: expected images of at least 4 × 4"),
    (
        lambda: GlobalAvgPool()(F4((4, 2, 3, 0))),
        ValueError,
        r"GlobalAvgPool: expected images of at least 1 × 1",
    ),
    (lambda: AvgPool2d(2)(F4((4, 8))), ValueError, r"AvgPool2d: expected \(batch, channels"),
    (lambda: GlobalAvgPool()(F4((4, 8))), ValueError, r"GlobalAvgPool: expected \(batch, channels"),
    (
        lambda: ensemble([conv(), conv()])(F4((4, 2, 8, 8))),
        ValueError,
        r"Conv2d: expected \(members, batch, channels.*\(4, 2, 8, 8\)",
    ),
    (
        lambda: conv(kernel_size=0),
        ValueError,
        r"Conv2d: expected kernel_size to be a whole number of at least 1; received 0",
    ),
    (
        lambda: conv(stride=0),
        ValueError,
        r"Conv2d: expected stride to be a whole number of at least 1; received 0",
    ),
    (lambda: conv(padding=-1), ValueError, r"Conv2d: expected padding .*; received -1"),
    (lambda: conv(in_channels=1.5), ValueError, r"Conv2d: expected in_channels"),
    (lambda: conv(rng=0), TypeError, r"rng: expected a numpy.random.Generator"),
    (lambda: MaxPool2d(0), ValueError, r"MaxPool2d: expected kernel_size"),
    (lambda: AvgPool2d(2, stride=0), ValueError, r"AvgPool2d: expected stride"),
]


@pytest.mark.parametrize(("mistake", "kind", "message"), BAD, ids=[m for _, _, m in BAD])
def test_a_mistake_is_explained(mistake: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        mistake()


@on_every_backend
def test_the_tape_of_a_convolution_is_freed_at_once(backend: Backend) -> None:
    layer = Conv2d(1, 2, 3, rng=make_rng(), **settings(backend))
    with no_collector():
        y = MaxPool2d(2)(layer(backend.array(np.ones((2, 1, 6, 6)))))
        y.sum().backward()
        watched = weakref.ref(y)
        del y
        assert watched() is None
