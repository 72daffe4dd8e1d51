"""The tape: every operation against torch and against central differences; the tools around it."""

import copy
import gc
import pickle
import weakref
from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcore import backprop as bp
from dlcore.arrays import asarray, device_of, dtype_name, namespace, to_numpy
from dlcore.backprop import Tensor, check_gradients, grad, graph, hessian_vector_product, no_grad, primitive
from tests.helpers import (
    BACKENDS,
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

# ------------------------------------------------------------------------------------ every operation

ROW = np.array([-2.5, -1.0, -0.3, 0.2, 1.5, 3.0])
POSITIVE = np.array([[0.1, 0.5, 1.0], [2.0, 3.5, 9.0]])
SPREAD = np.array([[0.3, -1.2, 2.0], [-0.7, 1.9, 0.4]])  # no two equal
A, B, COLUMN, LINE, CUBE, SCALAR = normals((2, 3), (2, 3), (2, 1), (3,), (4, 2, 3), ())
TIES = np.array([[1.0, 3.0, 3.0], [2.0, 2.0, 2.0]])
MASK = np.array([[True, False, True], [False, False, True]])
ROWS = np.array([[0, 2], [2, 2], [1, 0]])


class Case(NamedTuple):
    """An expression in ours and in torch, at a point; ``smooth`` if central differences exist there."""

    name: str
    ours: Callable[..., Tensor]
    theirs: Callable[..., Any]
    inputs: tuple[Any, ...]
    smooth: bool = True
    standard: bool = True  # False if the array-API standard does not promise it

    def skip_on(self, backend: Backend) -> None:
        if backend.device == "strict" and not self.standard:
            pytest.skip("an index that the array-API standard does not promise")


def same(name: str, f: Callable[..., Any], *inputs: Any, smooth: bool = True, standard: bool = True) -> Case:
    """A case that is written alike in ours and in torch."""
    return Case(name, f, f, inputs, smooth, standard)


CASES = [
    same("add", lambda x, y: x + y, A, B),
    same("add broadcast row", lambda x, y: x + y, A, LINE),
    same("add broadcast column", lambda x, y: x + y, COLUMN, A),
    same("add broadcast both", lambda x, y: x + y, COLUMN, LINE),
    same("add broadcast scalar", lambda x, y: x + y, SCALAR, CUBE),
    same("add number", lambda x: x + 1.5, A),
    same("radd number", lambda x: 2 + x, A),
    same("add itself", lambda x: x + x, A),
    same("subtract", lambda x, y: x - y, A, LINE),
    same("subtract number", lambda x: x - 1.5, A),
    same("rsubtract number", lambda x: 2 - x, A),
    same("multiply", lambda x, y: x * y, A, COLUMN),
    same("multiply number", lambda x: 3 * x * 0.5, A),
    same("multiply itself", lambda x: x * x * x, A),
    same("divide", lambda x, y: x / y, A, POSITIVE),
    same("divide broadcast", lambda x, y: x / y, SCALAR, POSITIVE),
    same("divide by number", lambda x: x / 4, A),
    same("rdivide number", lambda x: 2 / x, POSITIVE),
    same("negative", lambda x: -x, A),
    same("abs", abs, A),
    same("abs at 0", abs, np.array([-1.0, 0.0, 2.0]), smooth=False),
    same("square", lambda x: x**2, A),
    same("square of 0", lambda x: x**2, np.zeros(3)),
    same("cube", lambda x: x**3, A),
    same("power half", lambda x: x**0.5, POSITIVE),
    same("power negative", lambda x: x**-1.5, POSITIVE),
    same("matmul", lambda x, y: x @ y, *normals((4, 3), (3, 2))),
    same("matmul stacks", lambda x, y: x @ y, *normals((5, 4, 3), (5, 3, 2))),
    same("matmul stacks broadcast", lambda x, y: x @ y, *normals((5, 1, 4, 3), (2, 3, 2))),
    same("matmul one matrix for a stack", lambda x, y: x @ y, *normals((5, 4, 3), (3, 2))),
    same("matmul stack of matrices after one", lambda x, y: x @ y, *normals((4, 3), (5, 3, 2))),
    same("matmul vectors", lambda x, y: x @ y, *normals((3,), (3,))),
    same("matmul vector matrix", lambda x, y: x @ y, *normals((3,), (3, 2))),
    same("matmul matrix vector", lambda x, y: x @ y, *normals((4, 3), (3,))),
    same("matmul vector stack", lambda x, y: x @ y, *normals((3,), (5, 3, 2))),
    same("matmul stack vector", lambda x, y: x @ y, *normals((5, 4, 3), (3,))),
    same("matmul outer stack", lambda x, y: x @ y, *normals((5, 4, 1), (5, 1, 2))),
    Case("exp", bp.exp, lambda x: torch.exp(x), (ROW,)),
    Case("log", bp.log, lambda x: torch.log(x), (POSITIVE,)),
    Case("sqrt", bp.sqrt, lambda x: torch.sqrt(x), (POSITIVE,)),
    Case("sin", bp.sin, lambda x: torch.sin(x), (ROW,)),
    Case("cos", bp.cos, lambda x: torch.cos(x), (ROW,)),
    Case("maximum", bp.maximum, lambda x, y: torch.maximum(x, y), (A, B)),
    Case("maximum broadcast", bp.maximum, lambda x, y: torch.maximum(x, y), (A, LINE)),
    Case("maximum ties", bp.maximum, lambda x, y: torch.maximum(x, y), (TIES, TIES), False),
    Case("maximum number", lambda x: bp.maximum(x, 0.5), lambda x: torch.clamp(x, min=0.5), (A,)),
    Case("maximum of number", lambda x: bp.maximum(0.5, x), lambda x: torch.clamp(x, min=0.5), (A,)),
    Case("minimum", bp.minimum, lambda x, y: torch.minimum(x, y), (A, B)),
    Case("where", bp.where, lambda c, x, y: torch.where(c, x, y), (MASK, A, B)),
    Case("where broadcast", bp.where, lambda c, x, y: torch.where(c, x, y), (MASK, COLUMN, LINE)),
    same("sum", lambda x: x.sum(), CUBE),
    same("sum axis", lambda x: x.sum(1), CUBE),
    same("sum last axis", lambda x: x.sum(-1), CUBE),
    same("sum rows", lambda x: x.sum(-2), CUBE),
    same("sum rows of a matrix", lambda x: x.sum(0), A),
    same("sum axes", lambda x: x.sum((0, -1)), CUBE),
    same("sum keepdims", lambda x: x.sum(1, keepdims=True), CUBE),
    same("sum keepdims all", lambda x: x.sum((0, 1, 2), keepdims=True), CUBE),
    same("mean", lambda x: x.mean(), CUBE),
    same("mean axis", lambda x: x.mean(0), CUBE),
    same("mean axes", lambda x: x.mean((1, 2)), CUBE),
    same("mean keepdims", lambda x: x.mean(-1, keepdims=True), CUBE),
    Case("var", lambda x: x.var(), lambda x: x.var(correction=0), (CUBE,)),
    Case("var axis", lambda x: x.var(1), lambda x: x.var(1, correction=0), (CUBE,)),
    Case(
        "var keepdims",
        lambda x: x.var((0, 2), keepdims=True),
        lambda x: x.var((0, 2), correction=0, keepdims=True),
        (CUBE,),
    ),
    Case("max", lambda x: x.max(), lambda x: x.amax(), (SPREAD,)),
    Case("max axis", lambda x: x.max(0), lambda x: x.amax(0), (SPREAD,)),
    Case("max axes", lambda x: x.max((0, -1)), lambda x: x.amax((0, -1)), (CUBE,)),
    Case("max keepdims", lambda x: x.max(-1, keepdims=True), lambda x: x.amax(-1, keepdim=True), (SPREAD,)),
    Case("max ties", lambda x: x.max(1), lambda x: x.amax(1), (TIES,), False),
    Case("min", lambda x: x.min(), lambda x: x.amin(), (SPREAD,)),
    Case("min axis", lambda x: x.min(1), lambda x: x.amin(1), (SPREAD,)),
    Case("min ties", lambda x: x.min(1), lambda x: x.amin(1), (TIES,), False),
    same("reshape", lambda x: x.reshape(3, 2), A),
    same("reshape tuple", lambda x: x.reshape((6, 4)), CUBE),
    same("reshape -1", lambda x: x.reshape(-1), CUBE),
    same("reshape scalar", lambda x: x.reshape(()), np.array([[2.0]])),
    same("reshape transposed", lambda x: x.mT.reshape(-1, 2) * 3, CUBE),
    Case("transpose", lambda x: x.transpose(), lambda x: x.permute(2, 1, 0), (CUBE,)),
    Case("transpose axes", lambda x: x.transpose(1, 2, 0), lambda x: x.permute(1, 2, 0), (CUBE,)),
    Case("transpose negative", lambda x: x.transpose(0, -1, 1), lambda x: x.permute(0, 2, 1), (CUBE,)),
    same("T", lambda x: x.T, A),
    same("mT", lambda x: x.mT, CUBE),
    Case(
        "broadcast_to",
        lambda x: bp.broadcast_to(x, shape=(4, 2, 3)),
        lambda x: x.broadcast_to(4, 2, 3),
        (COLUMN,),
    ),
    same("getitem integer", lambda x: x[1, ...], CUBE),
    same("getitem negative", lambda x: x[..., -1], CUBE),
    same("getitem element", lambda x: x[3, 1, 2], CUBE),
    same("getitem of some axes", lambda x: x[1] * x[2, 1:] + x[:2, None, 1], CUBE, standard=False),
    same("getitem slice", lambda x: x[1:, :, ::2], CUBE),
    same("getitem ellipsis", lambda x: x[..., 0], CUBE),
    same("getitem none", lambda x: x[:, None, :, 1], CUBE, standard=False),
    same("getitem twice", lambda x: x[0, ...] * x[0, 1, :] + x[1, ...], CUBE),
    same("unpacking", lambda x: x[0] + sum(2 * part for part in x), A, standard=False),
    Case("take", bp.take, lambda x, i: x[i], (normals((3, 4))[0], ROWS)),
    Case("concat", lambda x, y: bp.concat(x, y), lambda x, y: torch.cat([x, y]), (A, B)),
    Case(
        "concat axis",
        lambda x, y: bp.concat(x, y, axis=1),
        lambda x, y: torch.cat([x, y], 1),
        (A, COLUMN),
    ),
    Case(
        "concat last axis",
        lambda x, y, z: bp.concat(x, y, z, axis=-1),
        lambda x, y, z: torch.cat([x, y, z], -1),
        (A, COLUMN, B),
    ),
    Case("stack", lambda x, y: bp.stack([x, y]), lambda x, y: torch.stack([x, y]), (A, B)),
    Case("stack last", lambda x, y: bp.stack([x, y], -1), lambda x, y: torch.stack([x, y], -1), (A, B)),
    # size-0 axes
    same("add empty", lambda x, y: x + y, np.zeros((0, 3)), LINE),
    same("multiply empty", lambda x: x * x, np.zeros((2, 0))),
    same("matmul empty", lambda x, y: x @ y, np.zeros((0, 3)), np.ones((3, 2))),
    same("matmul over nothing", lambda x, y: x @ y, np.zeros((2, 0)), np.zeros((0, 3))),
    same("sum empty", lambda x: x.sum(), np.zeros((0, 3))),
    same("sum empty axis", lambda x: x.sum(0), np.zeros((0, 3))),
    same("reshape empty", lambda x: x.reshape(3, 0), np.zeros((0, 2))),
    same("slice to nothing", lambda x: x[2:2, :], A),
    # expressions
    same("chain", lambda x, y: ((x @ y - 1) ** 2 / 3).mean(0) * -2, *normals((4, 3), (3, 2))),
    same("diamond", lambda x: (x * 2 + x**2) * (x - 1) + x, A),
]  # fmt: skip

by_case = pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)


@needs_torch
@on_every_backend
@by_case
def test_an_operation_agrees_with_torch(case: Case, backend: Backend) -> None:
    case.skip_on(backend)
    agree(case.ours, case.theirs, *case.inputs, backend=backend)


def with_constants(case: Case, backend: Backend) -> tuple[Callable[..., Tensor], list[Any]]:
    """Return the case's function of its float inputs alone, and these inputs."""
    arrays = [backend.array(x) for x in case.inputs]
    floats = [i for i, x in enumerate(case.inputs) if x.dtype.kind == "f"]

    def f(*tensors: Tensor) -> Tensor:
        given_ = dict(zip(floats, tensors, strict=True))
        return case.ours(*[given_.get(i, x) for i, x in enumerate(arrays)])

    return f, [arrays[i] for i in floats]


@on_every_device
@pytest.mark.parametrize("case", [c for c in CASES if c.smooth], ids=lambda case: case.name)
def test_an_operation_agrees_with_central_differences(case: Case, backend: Backend) -> None:
    case.skip_on(backend)
    f, inputs = with_constants(case, backend)
    check_gradients(f, *inputs)


@needs_torch
@pytest.mark.parametrize("device", ["numpy", "cpu"])
@pytest.mark.parametrize(
    "key",
    [
        np.array([2, 0, 2]),
        (np.array([0, 1, 1]), np.array([1, 1, 1])),
        np.arange(24).reshape(4, 2, 3) % 5 == 0,
        [0, 0],
        (slice(None), [0, 0]),
        (0, [1, 1], None),
        (Ellipsis, [[0, -1], [2, 2]]),
    ],
    ids=[
        "rows, one twice",
        "pairs, one twice",
        "mask",
        "list",
        "list and slice",
        "list and number",
        "lists of lists",
    ],
)
def test_indices_may_pick_an_element_twice(key: Any, device: str) -> None:
    def ours(x: Tensor) -> Tensor:
        parts = key if isinstance(key, tuple) else (key,)
        moved = tuple(asarray(k, device=device) if isinstance(k, np.ndarray) else k for k in parts)
        return x[moved if isinstance(key, tuple) else moved[0]]

    agree(ours, lambda x: x[key], CUBE, backend=Backend(device, "float64"))
    agree(
        lambda x: x[key], lambda x: x[key], CUBE, backend=Backend(device, "float64")
    )  # arrays of NumPy as keys


def test_rows_counted_from_the_end_get_their_gradient() -> None:
    table = Tensor(A, requires_grad=True)
    bp.take(table, np.array([-1, 0, -1])).sum().backward()
    np.testing.assert_array_equal(table.grad, [[1, 1, 1], [2, 2, 2]])


@on_every_backend
@pytest.mark.parametrize("condition", [[2, 0], [2.0, 0.0], [True, False]])
def test_any_number_but_0_is_a_condition_that_holds(condition: list[Any], backend: Backend) -> None:
    x, y = (backend.tensor([1.0, 2.0], requires_grad=True) for _ in range(2))
    bp.where(backend.array(condition), x, y).sum().backward()
    np.testing.assert_array_equal(to_numpy(x.grad), [1, 0])
    np.testing.assert_array_equal(to_numpy(y.grad), [0, 1])


def test_a_condition_has_the_gradient_0() -> None:
    c = Tensor([1.0, 0.0], requires_grad=True)
    (bp.where(c, c, 3 * c)).sum().backward()
    np.testing.assert_array_equal(c.grad, [1, 3])


def test_slopes_at_the_edge() -> None:
    x = Tensor([0.0, 2.0], requires_grad=True)
    (x**0).sum().backward()
    np.testing.assert_array_equal(x.grad, 0)
    for size in (1e-25, 1e30):  # whose squares are 0 and infinite in float32
        y = Tensor(np.float32([size]), requires_grad=True)
        (np.float32([size]) / y).backward()
        np.testing.assert_allclose(y.grad, [-1 / size], rtol=1e-6)


def test_strict_arrays_refuse_gradients_of_fancy_indices() -> None:
    x = Backend("strict", "float64").tensor(A, requires_grad=True)
    key = asarray(MASK, device="strict")
    with pytest.raises(TypeError, match=r"getitem: array_api_strict .*use take"):
        x[key].sum().backward()


# ----------------------------------------------------------------------------------------- properties

sizes = st.integers(min_value=0, max_value=3)
shapes = st.lists(sizes, max_size=3).map(tuple)


@st.composite
def strided(draw: st.DrawFn, shape: tuple[int, ...]) -> np.ndarray[Any, Any]:
    """Draw an array of the shape whose memory lies in another order, with gaps, or backwards."""
    order = draw(st.permutations(range(len(shape))))
    steps = [draw(st.sampled_from([1, 2, -1])) for _ in shape]
    big = tuple(shape[i] * abs(steps[i]) for i in order)
    seed = draw(st.integers(0, 2**16))
    memory = np.random.default_rng(seed).uniform(0.5, 2.0, big)
    back = memory.transpose(np.argsort(order)) if shape else memory
    view = back[tuple(slice(None, None, s) for s in steps)]
    assert view.shape == shape
    return view


@st.composite
def shapes_that_broadcast(draw: st.DrawFn) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Draw two shapes that broadcast: axes dropped in front, or shrunk to 1."""
    full = draw(shapes)
    result = []
    for _ in range(2):
        shape = tuple(1 if draw(st.booleans()) else n for n in full)
        result.append(shape[draw(st.integers(0, len(full))) :])
    return result[0], result[1]


BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "add": lambda x, y: x + y,
    "subtract": lambda x, y: x - y,
    "multiply": lambda x, y: x * y,
    "divide": lambda x, y: x / y,
}
LIBRARIES = [b for b in BACKENDS if b.values[0].dtype == "float64"]  # type: ignore[attr-defined]


@needs_torch
@pytest.mark.parametrize("backend", LIBRARIES)
@pytest.mark.parametrize("name", BINARY)
@given(data=st.data())
def test_broadcasting_is_undone_for_any_shapes_and_strides(
    name: str, backend: Backend, data: st.DataObject
) -> None:
    x, y = (data.draw(strided(shape)) for shape in data.draw(shapes_that_broadcast()))
    agree(BINARY[name], BINARY[name], x, y, backend=backend)


UNARY: dict[str, tuple[Callable[[Tensor], Tensor], Callable[[Any], Any]]] = {
    "exp": (bp.exp, lambda x: x.exp()),
    "sqrt": (bp.sqrt, lambda x: x.sqrt()),
    "power": (lambda x: x**2.5, lambda x: x**2.5),
    "transpose": (lambda x: x.transpose() * 2, lambda x: x.permute(tuple(range(x.ndim))[::-1]) * 2),
    "reshape": (lambda x: x.reshape(-1), lambda x: x.reshape(-1)),
    "sum": (lambda x: x.sum(), lambda x: x.sum()),
    "flat square": (lambda x: x.reshape(-1) ** 2, lambda x: x.reshape(-1) ** 2),
}


@needs_torch
@pytest.mark.parametrize("backend", LIBRARIES)
@pytest.mark.parametrize("name", UNARY)
@given(data=st.data())
def test_strides_do_not_matter(name: str, backend: Backend, data: st.DataObject) -> None:
    shape = data.draw(shapes)
    if 0 in shape and name in ("reshape", "flat square"):
        shape = (2, 3)  # -1 has no meaning for an array without elements
    agree(*UNARY[name], data.draw(strided(shape)), backend=backend)


@needs_torch
@pytest.mark.parametrize("backend", LIBRARIES)
@pytest.mark.parametrize("keepdims", [False, True])
@given(data=st.data())
def test_reductions_over_any_axes(keepdims: bool, backend: Backend, data: st.DataObject) -> None:
    shape = data.draw(st.lists(st.integers(1, 3), min_size=1, max_size=3).map(tuple))
    x = data.draw(strided(shape))
    axes = data.draw(st.sets(st.integers(0, len(shape) - 1), min_size=1).map(tuple))
    signed = tuple(a - data.draw(st.sampled_from([0, len(shape)])) for a in axes)
    for name, twin in (("sum", "sum"), ("mean", "mean"), ("max", "amax"), ("min", "amin")):
        agree(
            lambda t, name=name: getattr(t, name)(signed, keepdims=keepdims),
            lambda t, twin=twin: getattr(t, twin)(signed, keepdim=keepdims),
            x,
            backend=backend,
        )


@needs_torch
@pytest.mark.parametrize("backend", LIBRARIES)
@given(data=st.data())
def test_matrix_products_of_any_strides(backend: Backend, data: st.DataObject) -> None:
    n, k, m = (data.draw(st.integers(0, 3)) for _ in range(3))
    first, second = data.draw(shapes_that_broadcast())
    x, y = data.draw(strided((*first, n, k))), data.draw(strided((*second, k, m)))
    agree(lambda x, y: x @ y, lambda x, y: x @ y, x, y, backend=backend)


# ------------------------------------------------------------------------------------------ precision


@on_every_backend
@by_case
def test_an_operation_keeps_precision_and_device(case: Case, backend: Backend) -> None:
    """Without torch, too: Python numbers and NumPy's float64 scalars must not upcast float32."""
    case.skip_on(backend)
    tensors = [backend.tensor(x, requires_grad=x.dtype.kind == "f") for x in case.inputs]
    output = case.ours(*tensors)
    assert_on(backend, output.data, "output")
    output.backward(backend.array(np.ones(output.shape)))
    for t in tensors:
        if t.grad is not None:
            assert_on(backend, t.grad, "gradient")
            assert tuple(t.grad.shape) == t.shape


@on_every_backend
def test_a_long_expression_with_numbers_keeps_precision(backend: Backend) -> None:
    x = backend.tensor(POSITIVE, requires_grad=True)
    y = 2 / (1 + bp.exp(-3.5 * x)) - 0.25 * bp.log(x + 1) ** 2 + bp.maximum(x - 0.5, 0)
    loss = (bp.sqrt(abs(y) + 1e-3) * 7).mean() / 3 - 1
    assert_on(backend, loss.data)
    loss.backward()
    assert_on(backend, x.grad)


def test_mixed_precision_gives_each_input_a_gradient_of_its_own_precision() -> None:
    x = Tensor(np.ones(3, np.float32), requires_grad=True)
    y = Tensor(np.full(3, 2.0), requires_grad=True)
    (x * y).sum().backward()
    assert (x.grad.dtype, y.grad.dtype) == (np.float32, np.float64)  # type: ignore[union-attr]


# ---------------------------------------------------------------------------------- the tape's rules


def test_gradients_add_up_over_backward_passes_until_reset() -> None:
    w = Tensor([2.0, 3.0], requires_grad=True)
    (w * w).sum().backward()
    (w * 5).sum().backward()
    np.testing.assert_array_equal(w.grad, [9.0, 11.0])


def test_values_in_between_keep_the_gradient_of_the_latest_pass_only() -> None:
    x = Tensor(3.0, requires_grad=True)
    y = x * x
    z = y * 2
    z.backward()
    z.grad = None
    z.backward()
    assert float(y.grad) == 2.0  # type: ignore[arg-type]
    assert float(x.grad) == 24.0  # type: ignore[arg-type]


def test_two_losses_may_share_a_part_of_the_tape() -> None:
    x = Tensor(3.0, requires_grad=True)
    shared = x * x
    (shared * 2).backward()
    (shared * 5).backward()
    assert float(x.grad) == 6.0 * 7  # type: ignore[arg-type]


def test_gradients_handed_out_twice_are_not_shared_memory_that_is_changed() -> None:
    x, y = Tensor(np.ones(3), requires_grad=True), Tensor(np.ones(3), requires_grad=True)
    total = x + y
    total.backward(np.ones(3))
    (x * 1.0).backward(np.ones(3))
    np.testing.assert_array_equal(x.grad, 2 * np.ones(3))
    np.testing.assert_array_equal(y.grad, np.ones(3))
    np.testing.assert_array_equal(total.grad, np.ones(3))


def test_a_leaf_is_its_own_loss() -> None:
    w = Tensor(2.0, requires_grad=True)
    w.backward()
    assert float(w.grad) == 1.0  # type: ignore[arg-type]


def test_no_grad_keeps_no_record_and_ends_even_after_an_error() -> None:
    x = Tensor(1.0, requires_grad=True)
    with no_grad():
        assert (x * 2).edges == []
        with no_grad():
            pass
        assert not (x * 2).requires_grad
    assert (x * 2).requires_grad
    with pytest.raises(KeyError), no_grad():
        raise KeyError
    assert (x * 2).requires_grad


def test_constants_are_not_on_the_record() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    y = x * Tensor([3.0, 4.0])
    assert [parent for parent, _ in y.edges] == [x]
    assert not (Tensor([1.0]) * 2).requires_grad


def test_detach_cuts_the_record_and_shares_the_data() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    y = (x * 3).detach()
    assert not y.requires_grad
    assert (y * x).sum().backward() is None
    np.testing.assert_array_equal(x.grad, [3.0, 6.0])
    assert x.detach().data is x.data


@pytest.mark.parametrize("again", [copy.copy, copy.deepcopy, lambda x: pickle.loads(pickle.dumps(x))])
def test_a_copy_is_another_tensor(again: Callable[[Tensor], Tensor]) -> None:
    x = Tensor([2.0], requires_grad=True, name="x")
    y = again(x)
    assert (y.name, y.requires_grad, y.born > x.born) == ("x", True, True)
    (x * y + y).backward()
    assert (x.grad, y.grad) == ([2.0], [3.0])


def test_a_copied_tape_is_another_tape() -> None:
    x = Tensor(1.0, requires_grad=True)
    y = x * 3
    z = copy.deepcopy(y)
    (y + z).backward()
    assert x.grad == z.edges[0][0].grad == 3
    assert [node.name for node in graph(z)] == ["tensor", "multiply"]


def test_a_tape_is_freed_without_the_cycle_collector() -> None:
    with no_collector():
        w = Tensor(np.ones((3, 3)), requires_grad=True)
        h = bp.exp(w @ w) + w.mean(0) * w.max(1) - bp.concat(w, w)[:3] / 2
        loss = (h.reshape(-1)[1:] ** 2).sum()
        loss.backward()
        watched = [weakref.ref(h), weakref.ref(loss)]
        del h, loss
        assert [ref() for ref in watched] == [None, None]
        del w


def test_a_tape_without_backward_is_freed_too() -> None:
    with no_collector():
        y = Tensor(np.ones(3), requires_grad=True) * 2
        watched = weakref.ref(y)
        del y
        assert watched() is None


def test_a_training_loop_leaves_no_garbage() -> None:
    w = Tensor(np.ones(3), requires_grad=True)

    def train() -> None:
        for _ in range(3):
            w.grad = None
            (bp.where(w.data > 0, w, -w) * w).mean().backward()

    train()
    with no_collector():
        train()
        assert gc.collect() == 0


@pytest.mark.parametrize("join", [lambda y, x: y + x, lambda y, x: y * 1.0], ids=["ladder", "chain"])
def test_ten_thousand_operations_in_a_row_need_no_recursion(join: Callable[..., Tensor]) -> None:
    x = Tensor(1.0, requires_grad=True)
    y = x
    for _ in range(10_000):
        y = join(y, x)
    y.backward()
    assert float(x.grad) == float(y.data)  # type: ignore[arg-type]
    assert len(graph(y)) == 10_001
    del y  # freed link by link, by Python's own guard against deep destruction


# ---------------------------------------------------------------------------------------- the Tensor


@on_every_backend
def test_a_tensor_tells_what_it_holds(backend: Backend) -> None:
    t = backend.tensor(CUBE, requires_grad=True)
    assert (t.shape, t.ndim, t.size, len(t)) == ((4, 2, 3), 3, 24, 4)
    assert t.device == backend.device
    assert dtype_name(t.data) == backend.dtype
    assert t.dtype == t.data.dtype
    np.testing.assert_array_equal(t.numpy(), CUBE.astype(backend.dtype))
    assert backend.tensor([2.5]).item() == float(backend.tensor([2.5])) == 2.5
    assert isinstance(backend.tensor(1.5).item(), float)
    assert bool(backend.tensor(1.0)) is True


@on_every_backend
def test_comparisons_are_plain_arrays_of_bools(backend: Backend) -> None:
    x, y = backend.tensor(A), backend.tensor(B)
    for ours, wanted in (
        (x > y, A > B), (x >= y, A >= B), (x < y, A < B), (x <= y, A <= B), (x > 0, A > 0), (x <= 0.5, A <= 0.5),
    ):  # fmt: skip
        assert device_of(ours) == backend.device
        np.testing.assert_array_equal(to_numpy(ours), wanted)


def test_repr_shows_values_and_how_they_came_about() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    assert repr(Tensor([1.0])) == "Tensor([1.])"
    assert repr(x) == "Tensor([1., 2.], requires_grad=True)"
    assert repr(x * 2) == "Tensor([2., 4.], from multiply)"


def test_a_single_number_has_formats() -> None:
    assert f"{Tensor(0.125):.2f} {Tensor([2.0])} {Tensor([[3.0]]):5.1f}" == "0.12 Tensor([2.])   3.0"


def test_axes_and_lengths_may_be_integers_of_numpy_and_tuples() -> None:
    x = Tensor(CUBE, requires_grad=True)
    one, size = np.int64(1), np.prod(CUBE.shape)
    np.testing.assert_array_equal(x.mean(one).data, CUBE.mean(1))
    x.sum(one).sum().backward()
    np.testing.assert_array_equal(x.grad, np.ones_like(CUBE))
    assert x.reshape(size).shape == (24,)
    assert x.transpose((2, 0, -2)).shape == x.transpose(2, 0, -2).shape == (3, 4, 2)


def test_numpy_arrays_leave_operators_to_the_tensor() -> None:
    x = Tensor(np.ones(3), requires_grad=True)
    array = np.array([1.0, 2.0, 3.0])
    for result in (array + x, array - x, array * x, array / x, array @ x, np.float64(2) * x):
        assert isinstance(result, Tensor)
        assert result.requires_grad


def test_numpy_and_asarray_see_the_data_of_a_tensor() -> None:
    x = Tensor(A, requires_grad=True)
    for array in (np.asarray(x), to_numpy(x), asarray(x)):
        assert np.shares_memory(array, x.data)
        assert array.dtype == np.float64
    assert np.array(x, dtype=np.float32).dtype == np.float32
    assert not np.shares_memory(np.array(x), x.data)
    np.testing.assert_array_equal(asarray([x, x]), [np.float32(A)] * 2)


@needs_torch
def test_asarray_of_a_tensor_stays_where_it_is() -> None:
    x = Tensor(asarray(A, device="cpu"))
    assert asarray(x) is x.data
    assert device_of(asarray(x, device="numpy")) == "numpy"


def test_lists_may_meet_tensors() -> None:
    np.testing.assert_array_equal(bp.minimum([1.0, 3.0], Tensor([2.0, 2.0])).data, [1.0, 2.0])
    x = Tensor([1.0, 2.0], requires_grad=True)
    np.testing.assert_array_equal(([1.0, 1.0] * x - [1.0, 0.0]).data, [0.0, 2.0])
    np.testing.assert_array_equal((x * True).data, [1.0, 2.0])


def test_floats_in_lists_become_float32_and_arrays_keep_their_dtype() -> None:
    assert Tensor([1.0]).dtype == np.float32
    assert Tensor(1.0).dtype == np.float32
    assert Tensor(np.ones(1)).dtype == np.float64
    assert Tensor([1]).dtype.kind == "i"
    assert Tensor(Tensor(np.ones(1))).dtype == np.float64


# -------------------------------------------------------------------------------------------- errors

BAD = [
    (lambda: len(Tensor(1.0)), TypeError, r"len: .*single number"),
    (lambda: Tensor([1, 2], requires_grad=True), TypeError, r"Tensor: a gradient needs floats.*int.*float32"),
    (lambda: Tensor(["a"]), TypeError, r"asarray: expected numbers; received list"),
    (lambda: Tensor([[1.0], [1.0, 2.0]]), ValueError, r"asarray: expected rows of equal length"),
    (lambda: Tensor([1.0, 2.0]).item(), ValueError, r"item: expected a tensor with one element.*\(2,\)"),
    (lambda: float(Tensor([1.0, 2.0])), ValueError, r"item: .*\(2,\)"),
    (lambda: Tensor([1.0]).backward(), RuntimeError, r"backward: nothing .*requires_grad=True"),
    (
        lambda: (Tensor([1.0, 2.0], requires_grad=True) * 2).backward(),
        ValueError,
        r"backward: expected a single number.*\(2,\).*\.mean\(\)",
    ),
    (
        lambda: (Tensor([1.0, 2.0], requires_grad=True) * 2).backward([1.0]),
        ValueError,
        r"backward: expected gradient= of shape \(2,\); received \(1,\)",
    ),
    (lambda: Tensor([1.0, 2.0]) + Tensor([1.0, 2.0, 3.0]), ValueError, r"add: .*\(2,\).*\(3,\)"),
    (lambda: Tensor(np.ones((2, 3))) @ Tensor(np.ones((2, 3))), ValueError, r"matmul: .*\(2, 3\).*\(2, 3\)"),
    (lambda: Tensor(np.ones((2, 3))).reshape(4, 2), ValueError, r"reshape: .*\(2, 3\)"),
    (lambda: Tensor(np.ones((2, 3)))[5], IndexError, r"getitem: .*\(2, 3\)"),
    (lambda: Tensor(np.ones((2, 3))).sum(7), ValueError, r"sum: .*axis 7.*\(2, 3\)"),
    (lambda: Tensor(A).transpose(0, 3), ValueError, r"transpose: .*axis 3"),
    (lambda: Tensor(A).transpose(0), ValueError, r"transpose: .*\(2, 3\)"),
    (lambda: Tensor(A) ** Tensor(2.0), TypeError, r"power: expected a number .*exp\(y \* log"),
    (lambda: 2 ** Tensor(A), TypeError, r"power: expected a number as exponent; received a Tensor"),
    (lambda: f"{Tensor(A):.2f}", ValueError, r"item: expected a tensor with one element"),
    (lambda: bp.stack([]), ValueError, r"stack: expected at least one tensor"),
    (lambda: Tensor(np.ones((0, 3))).mean(), ValueError, r"mean: expected at least one element"),
    (lambda: bp.concat(np.ones((2, 3)), np.ones((3, 2))), ValueError, r"concat: .*\(2, 3\).*\(3, 2\)"),
    (lambda: check_gradients(bp.log, np.array([-1.0])), ValueError, r"check_gradients: f is not finite"),
    (
        lambda: hessian_vector_product(lambda x: (x**2).sum(), np.ones(3), np.ones(2)),
        ValueError,
        r"hessian_vector_product: expected v of x's shape \(3,\); received \(2,\)",
    ),
]  # fmt: skip


@pytest.mark.filterwarnings("ignore:invalid value encountered:RuntimeWarning")
@pytest.mark.parametrize(("mistake", "kind", "message"), BAD, ids=[m for _, _, m in BAD])
def test_a_mistake_is_explained(mistake: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=message):
        mistake()


@pytest.mark.parametrize("f", [lambda x, y: x + y, lambda x, y: x @ y, lambda x, y: bp.concat(x, y)])
@pytest.mark.parametrize(
    "other", ["strict", pytest.param("cpu", marks=needs_torch)]
)  # fmt: skip
def test_libraries_do_not_mix(other: str, f: Callable[..., Tensor]) -> None:
    x, y = Tensor(np.ones((2, 2))), Tensor(asarray(np.ones((2, 2)), device=other))
    for pair in ((x, y), (y, x)):
        with pytest.raises(
            TypeError, match=r"(add|matmul|concat): expected arrays of one library.*numpy.*asarray\(x, device"
        ):
            f(*pair)
    f(x, x)  # and the refusal is not forgotten after one that was right
    with pytest.raises(TypeError, match="one library"):
        f(x, y)


@needs_torch
def test_torch_errors_are_explained_too() -> None:
    x = Tensor(asarray(np.ones((2, 3)), device="cpu"))
    with pytest.raises(ValueError, match=r"matmul: the inputs do not fit together.*\(2, 3\)"):
        x @ x


@needs_torch
def test_devices_of_torch_do_not_mix() -> None:
    meta = torch.ones(2, device="meta")  # a device every machine has; it holds no numbers
    with pytest.raises((ValueError, TypeError), match=r"(?s)(add|matmul): .*meta"):
        Tensor(asarray(np.ones((2, 2)), device="cpu")) @ Tensor(meta)


# --------------------------------------------------------------------------------- the public door


@on_every_backend
def test_a_new_operation_is_a_rule_on_plain_arrays(backend: Backend) -> None:
    @primitive
    def scaled_tanh(x: Any, scale: Any, *, times: float = 1.0) -> Any:
        """Return times · scale · tanh(x)."""
        t = namespace(x).tanh(x)
        return times * scale * t, lambda g: g * times * scale * (1 - t * t), lambda g: g * times * t

    assert (scaled_tanh.__name__, scaled_tanh.__doc__) == ("scaled_tanh", "Return times · scale · tanh(x).")
    x, scale = backend.tensor(A, requires_grad=True), backend.tensor([0.5, 2.0, 3.0], requires_grad=True)
    y = scaled_tanh(x, scale, times=2.0)
    assert y.name == "scaled_tanh"
    y.sum().backward()
    close(y.data, 2 * np.array([0.5, 2.0, 3.0]) * np.tanh(A), TOLERANCE[backend.dtype])
    close(scale.grad, (2 * np.tanh(A)).sum(0), TOLERANCE[backend.dtype])  # broadcasting is undone for it
    check_gradients(
        lambda a, b: scaled_tanh(a, b, times=2.0), backend.array(A), backend.array([0.5, 2.0, 3.0])
    )


def test_a_rule_with_a_pullback_too_few_is_explained() -> None:
    @primitive
    def product(x: Any, y: Any) -> Any:
        return x * y, lambda g: g * y

    with pytest.raises(
        TypeError, match=r"product: expected .* one pullback for each of 2 inputs; received 1"
    ):
        product(Tensor(A), Tensor(B))


@on_every_backend
@pytest.mark.parametrize(
    ("pullback", "message"),
    [
        (lambda g: g[:2], r"by an input of shape \(3,\), .*; received shape \(2,\)"),
        (lambda g: g[0, ...], r"received shape \(\)"),
        (lambda g: g[:2, None], r"received shape \(2, 1\)"),
    ],
)
def test_a_pullback_of_another_shape_is_explained(pullback: Any, message: str, backend: Backend) -> None:
    @primitive
    def twice(x: Any) -> Any:
        return 2 * x, pullback

    with pytest.raises(ValueError, match=f"twice: expected its pullback .*{message}"):
        twice(backend.tensor([1.0, 2.0, 3.0], requires_grad=True)).sum().backward()


def test_a_rule_takes_options_arrays_and_numbers() -> None:
    @primitive
    def add_up(*parts: Any) -> Any:
        total = parts[0]
        for part in parts[1:]:
            total = total + part
        return total, *[lambda g: g] * len(parts)

    x = Tensor([1.0, 2.0], requires_grad=True)
    y = add_up(x, 1, np.array([1.0, 1.0], np.float32), x)
    y.backward([1.0, 1.0])
    np.testing.assert_array_equal(x.grad, [2.0, 2.0])


# ---------------------------------------------------------------------------------------- the checker


def wrong(pullback: Callable[..., Any]) -> Callable[[Any], Tensor]:
    """Return x·exp(x) + broadcasting, with the pullback given in place of the right one."""

    @primitive
    def rule(x: Any) -> Any:
        return x * np.exp(x), lambda g: pullback(g, x)

    return rule


def right(g: Any, x: Any) -> Any:
    return g * (1 + x) * np.exp(x)


WRONG = {
    "0.1 % too large": lambda g, x: 1.001 * right(g, x),
    "0.1 % too small": lambda g, x: 0.999 * right(g, x),
    "one element wrong by 0.1 %": lambda g, x: right(g, x) * np.where(np.arange(x.size) == 2, 1.001, 1.0),
    "wrong sign": lambda g, x: -right(g, x),
    "a term missing": lambda g, x: g * x * np.exp(x),
    "factor 2": lambda g, x: 2 * right(g, x),
    "gradient forgotten": lambda g, x: (1 + x) * np.exp(x),
    "zero": lambda g, x: 0 * g,
    "elements in another order": lambda g, x: right(g, x)[::-1],
    "not a number": lambda g, x: right(g, x) * np.nan,
}
POINT = np.array([0.3, -0.8, 1.1, 0.6])


def test_the_checker_passes_what_is_right() -> None:
    check_gradients(wrong(right), POINT)


@pytest.mark.parametrize("fault", WRONG)
def test_the_checker_catches_a_wrong_derivative(fault: str) -> None:
    with pytest.raises(
        AssertionError, match=r"check_gradients: input 0 of shape \(4,\).*central differences"
    ):
        check_gradients(wrong(WRONG[fault]), POINT)


@pytest.mark.parametrize("seed", range(20))
def test_the_checker_catches_it_in_any_direction(seed: int) -> None:
    with pytest.raises(AssertionError):
        check_gradients(wrong(WRONG["0.1 % too large"]), POINT, rng=np.random.default_rng(seed))


def test_the_checker_catches_forgotten_broadcasting() -> None:
    @primitive
    def scale(x: Any, s: Any) -> Any:
        # the gradient by s should be summed over the rows; one row is no sum
        return x * s, lambda g: g * s, lambda g: (g * x)[:1]

    with pytest.raises(AssertionError, match="input 1 of shape"):
        check_gradients(scale, A, LINE)
    check_gradients(lambda x, s: x * s, A, LINE)


def test_the_checker_catches_a_lost_input() -> None:
    with pytest.raises(AssertionError, match="input 1"):
        check_gradients(lambda x, y: x * y.detach(), A, B)
    with pytest.raises(AssertionError, match=r"gradient says 0,"):
        check_gradients(lambda x: x.detach() * 2, A)


def test_the_checker_works_in_float64_on_a_copy() -> None:
    point = np.array([0.5, 1.0], np.float32)
    seen = []

    def f(x: Tensor) -> Tensor:
        seen.append(x.dtype)
        return x**3

    check_gradients(f, point)
    assert {np.dtype(d) for d in seen} == {np.dtype(np.float64)}
    np.testing.assert_array_equal(point, np.array([0.5, 1.0], np.float32))


def test_the_checker_accepts_lists_tensors_and_any_shape() -> None:
    check_gradients(lambda x, y: x @ y, Tensor(A), B.T.tolist())
    check_gradients(lambda x: x * 2, 3.0)


# ------------------------------------------------------------------------------------------ the tools


@needs_torch
@on_every_backend
def test_grad_agrees_with_torch(backend: Backend) -> None:
    x, y = backend.array(A), backend.array(LINE)

    def f(x: Any, y: Any) -> Any:
        return ((x * y) ** 3).sum() * 0.5 + (x * x).mean()

    twins = [torch.tensor(to_numpy(a), requires_grad=True) for a in (x, y)]
    f(*twins).backward()
    for i in range(2):
        ours = grad(f, i)(Tensor(x), Tensor(y))
        assert_on(backend, ours)
        close(ours, twins[i].grad, TOLERANCE[backend.dtype])


def test_grad_of_what_does_not_depend_on_the_argument_is_zero() -> None:
    gradient = grad(lambda x, y: (x * x).sum(), 1)(Tensor([1.0], requires_grad=True), np.ones((2, 3)))
    np.testing.assert_array_equal(gradient, np.zeros((2, 3)))


def test_grad_leaves_its_arguments_alone() -> None:
    x = Tensor([1.0, 2.0], requires_grad=True)
    np.testing.assert_array_equal(grad(lambda t: (t * t).sum())(x), [2.0, 4.0])
    assert x.grad is None


FUNCTIONS = {
    "quadratic": (lambda x: (x * x).sum() * 0.5, lambda x: (x * x).sum() * 0.5),
    "quartic": (lambda x: (x**4).sum() + x.sum() ** 2, lambda x: (x**4).sum() + x.sum() ** 2),
    "waves": (lambda x: (bp.sin(x) * bp.exp(x)).sum(), lambda x: (x.sin() * x.exp()).sum()),
    "log-sum-exp": (lambda x: bp.log(bp.exp(x).sum()), lambda x: x.exp().sum().log()),
}


@needs_torch
@pytest.mark.parametrize("scale", [1e-3, 1.0, 1e3])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_hessian_vector_product_agrees_with_torch(name: str, scale: float) -> None:
    ours, theirs = FUNCTIONS[name]
    x, v = normals((2, 3), (2, 3), seed=1)
    v = v * scale  # how long v is must not matter
    _, wanted = torch.autograd.functional.hvp(theirs, torch.tensor(x), torch.tensor(v))
    got = hessian_vector_product(ours, x, v)
    assert got.dtype == np.float64
    close(got, wanted, 1e-7)


def test_hessian_vector_product_with_nothing_is_nothing() -> None:
    np.testing.assert_array_equal(
        hessian_vector_product(lambda x: (x**3).sum(), [1.0, 2.0], [0.0, 0.0]), [0.0, 0.0]
    )


def test_graph_lists_inputs_first_with_values_and_gradients() -> None:
    w = Tensor([2.0], requires_grad=True, name="w")
    b = Tensor([1.0], requires_grad=True)
    y = bp.exp(w * 3 + b) * w
    y.backward()
    nodes = graph(y)
    assert [(n.index, n.name, n.inputs) for n in nodes] == [
        (0, "w", ()), (1, "tensor", ()), (2, "multiply", (0,)), (3, "add", (2, 1)), (4, "exp", (3,)),
        (5, "multiply", (4, 0)),
    ]  # fmt: skip
    assert all(i < n.index for n in nodes for i in n.inputs)
    assert nodes[0].grad is w.grad
    assert nodes[5].value is y.data
    assert nodes[5].shape == (1,)
    assert [node.name for node in graph(Tensor(1.0, name="alone"))] == ["alone"]
