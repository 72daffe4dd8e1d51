"""One code for all array libraries: what belongs where, moving, seeded draws, and the few kernels."""

import builtins
import subprocess
import sys
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcore import arrays
from dlcore.arrays import asarray, device_of, dtype_name, fast_numpy, kernels, library, namespace, to_numpy
from dlcore.arrays.library import describe
from tests.helpers import Backend, assert_on, close, needs_torch, on_every_backend, torch

A = np.arange(6.0).reshape(2, 3)


# ------------------------------------------------------------------------------------------- namespace


@on_every_backend
def test_the_array_decides_the_namespace(backend: Backend) -> None:
    x = backend.array(A)
    xp = namespace(x)
    assert namespace(x, x) is xp
    assert library(x) == {"numpy": "numpy", "strict": "strict"}.get(backend.device, "torch")
    assert_on(backend, xp.exp(x))
    close(xp.exp(x), np.exp(A), 1e-6)
    assert arrays.is_array(x)
    assert arrays.is_floating(x)
    assert not arrays.is_floating(backend.array([1, 2]))
    assert not arrays.is_floating([1.0])


def test_numpys_scalars_count_as_arrays_and_subclasses_too() -> None:
    class Marked(np.ndarray[Any, Any]):
        pass

    for x in (np.float32(1), np.float64(1), np.int64(1), np.ones(2).view(Marked)):
        assert library(x) == "numpy"


@pytest.mark.parametrize("x", [1.0, [1.0], "a", None, (1, 2)])
def test_what_is_no_array_is_refused(x: Any) -> None:
    assert not arrays.is_array(x)
    with pytest.raises(TypeError, match=rf"expected an array; received {type(x).__name__}.*asarray\(x\)"):
        namespace(x)


@pytest.mark.parametrize("other", ["strict", pytest.param("cpu", marks=needs_torch)])
def test_arrays_of_two_libraries_are_refused(other: str) -> None:
    mine, yours = np.ones((2, 3)), asarray(np.ones(4), device=other)
    with pytest.raises(
        TypeError, match=rf"one library.*numpy array of shape \(2, 3\).*{other} array of shape \(4,\)"
    ):
        namespace(mine, yours)


def test_describe_says_what_was_received() -> None:
    assert describe(A) == "a numpy array of shape (2, 3), float64"
    assert describe(3) == "int 3"
    assert describe(asarray(A, device="strict")).startswith("a strict array of shape (2, 3)")


# --------------------------------------------------------------------------------------------- devices


def test_device_knows_the_devices_of_this_machine() -> None:
    assert arrays.device("numpy") == "numpy"
    assert arrays.device() in ("numpy", "cuda")
    with pytest.raises(
        ValueError, match=r"device: expected one of auto, numpy, cpu, cuda, mps; received 'gpu'"
    ):
        arrays.device("gpu")


@needs_torch
def test_device_with_torch() -> None:
    assert arrays.device("cpu") == "cpu"
    cuda = torch.cuda.is_available()
    assert arrays.device("auto") == device_of(asarray(A, device="auto")) == ("cuda" if cuda else "numpy")
    if not cuda:
        with pytest.raises(
            ValueError, match=r"device: 'cuda' is not available on this machine; use one of: numpy, cpu"
        ):
            asarray(A, device="cuda")


def test_device_without_torch(monkeypatch: pytest.MonkeyPatch) -> None:
    real = builtins.__import__

    def no_torch(name: str, *args: Any, **kwargs: Any) -> Any:
        if name == "torch":
            raise ImportError(name)
        return real(name, *args, **kwargs)

    monkeypatch.setattr(builtins, "__import__", no_torch)
    assert arrays.device("auto") == "numpy"
    with pytest.raises(
        ValueError, match=r"device: 'cpu' needs torch, which is not installed; run `pip install"
    ):
        arrays.device("cpu")


# --------------------------------------------------------------------------------------------- asarray


def test_python_numbers_become_numpy_arrays_and_floats_float32() -> None:
    for x, dtype in (
        (1.0, "float32"), ([1.0, 2], "float32"), (2, "int64"), ([[1], [2]], "int64"), (True, "bool"), ([], "float32"),
        (([1.0], (2.0,)), "float32"),
    ):  # fmt: skip
        a = asarray(x)
        assert (device_of(a), dtype_name(a)) == ("numpy", dtype)
        np.testing.assert_array_equal(a, np.asarray(x))


def test_arrays_are_not_copied_and_keep_their_dtype() -> None:
    for dtype in (np.float64, np.float32, np.int32, np.int64, np.bool_, np.uint8):
        x = np.ones(3, dtype)
        assert asarray(x) is x
    assert asarray(A, dtype="float64") is A


@on_every_backend
@pytest.mark.parametrize("dtype", arrays.DTYPES)
def test_moving_there_and_back_keeps_the_numbers(dtype: str, backend: Backend) -> None:
    there = asarray(A, device=backend.device, dtype=dtype)
    assert_on(Backend(backend.device, dtype), there)
    back = asarray(there, device="numpy")
    assert isinstance(back, np.ndarray)
    np.testing.assert_array_equal(back, A.astype(dtype))
    np.testing.assert_array_equal(to_numpy(there), A.astype(dtype))


@on_every_backend
def test_moving_copes_with_any_memory(backend: Backend) -> None:
    frozen = A.copy()
    frozen.setflags(write=False)
    for x in (A[::-1], A.T, A[:, ::2], frozen, np.float64(2.5), np.zeros((0, 3)), np.array(1.5)):
        there = asarray(x, device=backend.device)
        np.testing.assert_array_equal(to_numpy(there), x)
        assert tuple(there.shape) == np.shape(x)


@needs_torch
def test_torch_tensors_with_a_gradient_come_back_too() -> None:
    t = torch.ones(3, requires_grad=True)
    np.testing.assert_array_equal(to_numpy(t), np.ones(3))
    assert asarray(t) is t


def test_to_numpy_takes_numbers_and_lists() -> None:
    assert to_numpy(2.5) == np.array(2.5)
    np.testing.assert_array_equal(to_numpy([1, 2]), [1, 2])
    assert to_numpy(A) is A


BAD = [
    (lambda: asarray("text"), TypeError, r"asarray: expected numbers; received str.*one_hot"),
    (lambda: asarray(["a", "b"]), TypeError, r"asarray: expected numbers; received list"),
    (lambda: asarray(None), TypeError, r"asarray: expected numbers; received NoneType"),
    (lambda: asarray([1j]), TypeError, r"asarray: expected numbers.*complex"),
    (lambda: asarray(np.array(["a"])), TypeError, r"asarray: expected numbers; received ndarray holding <U1"),
    (lambda: asarray(np.array([1, None])), TypeError, r"expected numbers; received ndarray holding object"),
    (lambda: asarray(np.str_("a")), TypeError, r"asarray: expected numbers; received str_ holding <U1"),
    (lambda: asarray([[1], [1, 2]]), ValueError, r"rows of equal length; received a ragged list"),
    (lambda: asarray(A, dtype="float16"), ValueError, r"expected dtype to be one of float32.*'float16'"),
    (lambda: asarray(A, dtype="float128"), ValueError, r"expected dtype to be one of"),
    (lambda: asarray(A, device="tpu"), ValueError, r"device: expected one of auto.*'tpu'"),
    (lambda: arrays.copy_into(np.zeros(3), [1.0]), ValueError, r"copy_into: expected .*\(3,\); received \(1,\)"),
    (lambda: arrays.random.normal(0, (2,)), TypeError, r"rng: expected a numpy.*; received 0.*default_rng"),
    (lambda: arrays.random.uniform(np.random, (2,)), TypeError, r"rng: expected a numpy.random.Generator"),
    (lambda: arrays.random.permutation(None, 2), TypeError, r"rng: expected"),
]  # fmt: skip


@pytest.mark.parametrize(("mistake", "kind", "message"), BAD, ids=[m for _, _, m in BAD])
def test_a_mistake_is_explained(mistake: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        mistake()


@on_every_backend
@pytest.mark.parametrize("source", ["numpy", "strict", pytest.param("cpu", marks=needs_torch), "list"])
def test_copy_into_writes_in_place_from_anywhere(source: str, backend: Backend) -> None:
    memory = backend.array(np.zeros((4, 3)))
    view = memory[1:3, ...]
    values = A.tolist() if source == "list" else asarray(A, device=source, dtype="float32")
    arrays.copy_into(view, values)
    close(memory, np.vstack([np.zeros(3), A, np.zeros(3)]), 0.0)
    assert_on(backend, memory)


def test_copy_into_a_single_number() -> None:
    x = np.zeros(())
    arrays.copy_into(x, 2.5)
    assert x == 2.5


# ---------------------------------------------------------------------------------------------- random


@on_every_backend
@pytest.mark.parametrize("name", ["normal", "uniform"])
def test_every_device_draws_the_same_numbers(name: str, backend: Backend) -> None:
    draw = getattr(arrays.random, name)
    here = draw(np.random.default_rng(3), (4, 5), device=backend.device, dtype=backend.dtype)
    reference = draw(np.random.default_rng(3), (4, 5), dtype="float64")
    assert_on(backend, here)
    np.testing.assert_array_equal(to_numpy(here), reference.astype(backend.dtype))


@on_every_backend
def test_permutations_are_the_same_everywhere(backend: Backend) -> None:
    order = arrays.random.permutation(np.random.default_rng(1), 50, device=backend.device)
    assert_on(Backend(backend.device, "int64"), order)
    np.testing.assert_array_equal(np.sort(to_numpy(order)), np.arange(50))
    np.testing.assert_array_equal(to_numpy(order), np.random.default_rng(1).permutation(50))


def test_draws_have_their_moments_and_bounds_and_continue() -> None:
    rng = np.random.default_rng(0)
    z, u = arrays.random.normal(rng, (20_000,)), arrays.random.uniform(rng, (20_000,))
    assert abs(z.mean()) < 0.03
    assert abs(z.std() - 1) < 0.03
    assert 0 <= u.min() < u.max() < 1
    assert abs(u.mean() - 0.5) < 0.01
    assert abs(u.var() - 1 / 12) < 0.005
    assert not np.array_equal(z, arrays.random.normal(rng, (20_000,)))
    assert arrays.random.normal(rng, ()).shape == ()


# --------------------------------------------------------------------------- the shorter ways of NumPy

REDUCTIONS: dict[str, Callable[..., Any]] = {"sum": np.sum, "max": np.max, "mean": np.mean}


@pytest.mark.parametrize("dtype", ["float32", "float64"])
@pytest.mark.parametrize("name", REDUCTIONS)
@given(data=st.data())
def test_fast_reductions_do_what_numpy_does(name: str, dtype: str, data: st.DataObject) -> None:
    shape = data.draw(st.lists(st.integers(1, 4), min_size=1, max_size=3).map(tuple))
    x = np.random.default_rng(data.draw(st.integers(0, 99))).standard_normal(shape).astype(dtype)
    x = x.transpose(data.draw(st.permutations(range(x.ndim))))
    axis = data.draw(st.none() | st.integers(-x.ndim, x.ndim - 1) | st.just(tuple(range(x.ndim))))
    keepdims = data.draw(st.booleans())
    got = getattr(fast_numpy, name)(x, axis=axis, keepdims=keepdims)
    wanted = REDUCTIONS[name](x, axis=axis, keepdims=keepdims)
    assert got.dtype == wanted.dtype == dtype
    assert got.shape == wanted.shape
    np.testing.assert_allclose(got, wanted, rtol=1e-5 if dtype == "float32" else 1e-12, atol=1e-5)


@pytest.mark.parametrize(
    "shapes",
    [
        ((2, 3), (3, 4)), ((5, 2, 3), (5, 3, 4)), ((5, 2, 1), (5, 1, 4)), ((5, 2, 3), (3, 4)), ((3,), (3, 4)),
        ((2, 3), (3,)), ((3,), (3,)), ((5, 1, 2, 1), (4, 1, 3)), ((0, 3), (3, 4)), ((2, 0), (0, 4)), ((1,), (1,)),
    ],
    ids=str,
)  # fmt: skip
def test_fast_products_do_what_numpy_does(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    rng = np.random.default_rng(0)
    x, y = (rng.standard_normal(s) for s in shapes)
    got, wanted = fast_numpy.matmul(x, y), np.matmul(x, y)
    assert got.shape == wanted.shape
    np.testing.assert_allclose(got, wanted, rtol=1e-14)


@pytest.mark.parametrize(
    "shapes", [((5, 2, 1), (5, 2, 4)), ((2, 3), (2, 3)), ((5, 2, 3), (5, 1, 3))], ids=str
)
def test_fast_products_refuse_what_numpy_refuses(shapes: tuple[tuple[int, ...], tuple[int, ...]]) -> None:
    with pytest.raises(ValueError, match=r"match|aligned"):
        fast_numpy.matmul(*map(np.ones, shapes))


def test_fast_numpy_is_numpy_in_all_else() -> None:
    assert fast_numpy.exp is np.exp
    assert fast_numpy.float32 is np.float32
    np.testing.assert_array_equal(fast_numpy.reshape(A, (3, 2)), A.reshape(3, 2))
    assert fast_numpy.ones_like(A, dtype=np.int64).dtype == np.int64
    assert fast_numpy.ones_like(np.float32(3)).dtype == np.float32
    for kind in (np.int64, np.float32):
        assert fast_numpy.maximum(np.ones(fast_numpy.SMALL + 1, kind), 0).dtype == kind
    with pytest.raises(AttributeError):
        fast_numpy.no_such_function  # noqa: B018


# --------------------------------------------------------------------------------------------- kernels


@on_every_backend
@pytest.mark.parametrize("key", [(1, 2), (slice(0, 2), 1), (..., slice(None, None, 2)), (-1, ...)], ids=str)
def test_scatter_puts_gradients_back(key: Any, backend: Backend) -> None:
    like = backend.array(np.ones((3, 4)))
    wanted = np.zeros((3, 4))
    g = np.arange(1.0, 1 + np.ones((3, 4))[key].size).reshape(np.ones((3, 4))[key].shape)
    wanted[key] = g
    out = kernels.scatter(backend.array(g), key, like)
    assert_on(backend, out)
    close(out, wanted, 0.0)


def test_scatter_rows_tells_rows_apart_whatever_integers_number_them() -> None:
    out = kernels.scatter_rows(np.ones((1, 1)), np.array([3], np.uint8), np.ones((300, 1)))
    assert np.flatnonzero(out).tolist() == [3]


@on_every_backend
def test_scatter_rows_adds_up_repeated_rows(backend: Backend) -> None:
    rows, g = np.array([2, 0, 2, 2]), np.arange(8.0).reshape(4, 2)
    wanted = np.zeros((5, 2))
    np.add.at(wanted, rows, g)
    out = kernels.scatter_rows(backend.array(g), backend.array(rows), backend.array(np.ones((5, 2))))
    assert_on(backend, out)
    close(out, wanted, 1e-7)


@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_a_uniform_draw_is_below_1_in_either_precision(dtype: str) -> None:
    class Highest(np.random.Generator):
        def random(self, size: Any) -> Any:  # type: ignore[override]
            return np.full(size, 1 - 2.0**-53)

    drawn = arrays.random.uniform(Highest(np.random.PCG64(0)), (2,), dtype=dtype)
    assert dtype_name(drawn) == dtype
    assert (drawn < 1).all()


# ---------------------------------------------------------------------------------------------- hooks


def test_outside_a_capture_draws_and_checks_are_plain_calls() -> None:
    seen: list[Any] = []
    assert arrays.hooks.draw(lambda: 3) == 3
    arrays.hooks.guard(lambda *a: seen.extend(a), 1, 2)
    assert seen == [1, 2]
    assert arrays.hooks.capturing is None


def test_numpy_alone_suffices() -> None:
    """NumPy arrays must not make the package look for torch."""
    program = (
        "import sys, numpy as np\n"
        "from dlcore import backprop, layers, loss, optim\n"
        "model = layers.Dense(2, 1, rng=np.random.default_rng(0))\n"
        "optimizer = optim.Adam(model.parameters())\n"
        "loss.mse(model(np.ones((3, 2), np.float32)), np.ones((3, 1), np.float32)).backward()\n"
        "optimizer.step()\n"
        "sys.exit(sorted({'torch', 'array_api_strict'} & set(sys.modules)) and 1 or 0)\n"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
