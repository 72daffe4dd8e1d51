"""Losses against torch with every option, against central differences, and what they refuse."""

from collections.abc import Callable
from typing import Any, NamedTuple

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dlcore import loss
from dlcore.arrays import asarray, to_numpy
from dlcore.backprop import Tensor, check_gradients, graph
from tests.helpers import (
    TOLERANCE,
    Backend,
    Values,
    agree,
    assert_on,
    close,
    needs_torch,
    normals,
    on_every_backend,
    on_every_device,
    torch,
)

REDUCTIONS = ["mean", "sum", "none"]
MEMBERS, ROWS, CLASSES = 3, 4, 5
Z = 2 * normals((MEMBERS, ROWS, CLASSES))[0]  # predictions of three networks for four examples
LABELS = np.random.default_rng(1).integers(0, CLASSES, (MEMBERS, ROWS))
NUMBERS = normals((MEMBERS, ROWS, CLASSES), seed=2)[0]
SHARES = 1 / (1 + np.exp(-NUMBERS))
PROBABILITIES = np.exp(NUMBERS) / np.exp(NUMBERS).sum(-1, keepdims=True)
SIGNS = np.sign(NUMBERS)
WEIGHTS = np.abs(normals((MEMBERS, ROWS, CLASSES), seed=3)[0])


class Element(NamedTuple):
    """A loss of single elements: ours, torch's costs before any reduction, and targets."""

    ours: Callable[..., Tensor]
    theirs: Callable[[Any, Any], Any]
    targets: Values
    options: dict[str, Any]


ELEMENTS = {
    "mse": Element(loss.mse, lambda p, t: (p - t) ** 2, NUMBERS, {}),
    "mae": Element(loss.mae, lambda p, t: torch.nn.functional.l1_loss(p, t, reduction="none"), NUMBERS, {}),
    "huber": Element(
        loss.huber, lambda p, t: torch.nn.functional.huber_loss(p, t, reduction="none"), NUMBERS, {}
    ),
    "huber delta": Element(
        loss.huber,
        lambda p, t: torch.nn.functional.huber_loss(p, t, reduction="none", delta=0.3),
        NUMBERS,
        {"delta": 0.3},
    ),
    "binary_cross_entropy": Element(
        loss.binary_cross_entropy,
        lambda z, t: torch.nn.functional.binary_cross_entropy_with_logits(z, t, reduction="none"),
        SHARES,
        {},
    ),
    "binary_cross_entropy smoothed": Element(
        loss.binary_cross_entropy,
        lambda z, t: torch.nn.functional.binary_cross_entropy_with_logits(z, 0.8 * t + 0.1, reduction="none"),
        SHARES,
        {"label_smoothing": 0.2},
    ),
    "hinge": Element(loss.hinge, lambda z, t: torch.clamp(1 - t * z, min=0), SIGNS, {}),
}
by_element = pytest.mark.parametrize("name", ELEMENTS)
by_reduction = pytest.mark.parametrize("reduction", REDUCTIONS)


def twin(x: Any) -> Any:
    """Return an array as torch's, in float64 if it holds floats."""
    x = to_numpy(x)
    return torch.tensor(x.astype(np.float64) if x.dtype.kind == "f" else x)


def reduced(cost: Any, weight: Any, reduction: str, members: bool) -> Any:
    """The reduction as the documentation says it, by torch."""
    axes = tuple(range(1, cost.ndim)) if members else tuple(range(cost.ndim))
    weight = torch.ones_like(cost) if weight is None else weight.broadcast_to(cost.shape)
    cost = cost * weight
    if reduction == "none":
        return cost
    return cost.sum(axes) / (weight.sum(axes) if reduction == "mean" else 1)


# -------------------------------------------------------------------------------- losses of elements


@needs_torch
@on_every_backend
@pytest.mark.parametrize("members", [False, True], ids=["one", "members"])
@pytest.mark.parametrize(
    "weight", [None, WEIGHTS, WEIGHTS[0, :, :1]], ids=["plain", "weights", "rows weighted"]
)
@by_reduction
@by_element
def test_a_loss_of_elements_agrees_with_torch(
    name: str, reduction: str, weight: Any, members: bool, backend: Backend
) -> None:
    case = ELEMENTS[name]
    t = backend.array(case.targets)
    w = None if weight is None else backend.array(weight)
    agree(
        lambda p: case.ours(p, t, reduction=reduction, weight=w, members=members, **case.options),
        lambda p: reduced(case.theirs(p, twin(t)), w if w is None else twin(w), reduction, members),
        Z,
        backend=backend,
    )


@needs_torch
@on_every_backend
@pytest.mark.parametrize("reduction", ["mean", "sum"])
def test_plain_reductions_are_those_of_torchs_losses(reduction: str, backend: Backend) -> None:
    F = torch.nn.functional
    for ours, theirs, targets in (
        (loss.mse, F.mse_loss, NUMBERS),
        (loss.mae, F.l1_loss, NUMBERS),
        (loss.huber, F.huber_loss, NUMBERS),
        (loss.binary_cross_entropy, F.binary_cross_entropy_with_logits, SHARES),
    ):
        t = backend.array(targets)
        agree(
            lambda p, ours=ours, t=t: ours(p, t, reduction=reduction),
            lambda p, theirs=theirs, t=t: theirs(p, twin(t), reduction=reduction),
            Z,
            backend=backend,
        )


@needs_torch
@on_every_backend
@by_element
def test_slopes_at_the_joints(name: str, backend: Backend) -> None:
    case = ELEMENTS[name]
    z, t = np.array([1.0, -1.0, 0.0, 3.0, -5.0]), np.array([1.0, 1.0, 1.0, -1.0, -1.0])
    if "entropy" in name:
        t = (t + 1) / 2
    if name == "hinge":
        z = np.array([0.999, -1.0, 0.0, 3.0, -5.0])  # at the joint itself torch's clamp passes a gradient
    target = backend.array(t)
    agree(
        lambda p: case.ours(p, target, reduction="none", **case.options),
        lambda p: case.theirs(p, twin(target)),
        z,
        backend=backend,
    )


# ----------------------------------------------------------------------------------- losses of rows


@needs_torch
@on_every_backend
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("targets", [LABELS[0], PROBABILITIES[0]], ids=["labels", "probabilities"])
@by_reduction
def test_cross_entropy_agrees_with_torch(
    reduction: str, targets: Values, weighted: bool, smoothing: float, backend: Backend
) -> None:
    t, w = backend.array(targets), backend.array(WEIGHTS[0, 0]) if weighted else None
    agree(
        lambda z: loss.cross_entropy(z, t, reduction=reduction, weight=w, label_smoothing=smoothing),
        lambda z: torch.nn.functional.cross_entropy(
            z, twin(t), reduction=reduction, weight=w if w is None else twin(w), label_smoothing=smoothing
        ),
        Z[0],
        backend=backend,
    )


@needs_torch
@on_every_backend
@pytest.mark.parametrize("smoothing", [0.0, 0.3])
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@pytest.mark.parametrize("targets", [LABELS, PROBABILITIES], ids=["labels", "probabilities"])
@by_reduction
def test_cross_entropy_of_members_is_each_members_own(
    reduction: str, targets: Values, weighted: bool, smoothing: float, backend: Backend
) -> None:
    t, w = backend.array(targets), backend.array(WEIGHTS[0, 0]) if weighted else None

    def theirs(z: Any) -> Any:
        lone = [
            torch.nn.functional.cross_entropy(
                z[i],
                twin(t)[i],
                reduction=reduction,
                weight=w if w is None else twin(w),
                label_smoothing=smoothing,
            )
            for i in range(MEMBERS)
        ]
        return torch.stack(lone)

    agree(
        lambda z: loss.cross_entropy(
            z, t, reduction=reduction, weight=w, label_smoothing=smoothing, members=True
        ),
        theirs,
        Z,
        backend=backend,
    )


@needs_torch
@on_every_backend
@by_reduction
def test_cross_entropy_over_all_leading_axes(reduction: str, backend: Backend) -> None:
    """Say (batch, time, vocabulary), as a language model needs it."""
    t = backend.array(LABELS)

    def theirs(z: Any) -> Any:
        flat = torch.nn.functional.cross_entropy(
            z.reshape(-1, CLASSES), twin(t).reshape(-1), reduction=reduction
        )
        return flat.reshape(LABELS.shape) if reduction == "none" else flat

    agree(lambda z: loss.cross_entropy(z, t, reduction=reduction), theirs, Z, backend=backend)


@needs_torch
@on_every_backend
@pytest.mark.parametrize("members", [False, True], ids=["one", "members"])
@pytest.mark.parametrize("weighted", [False, True], ids=["plain", "weighted"])
@by_reduction
def test_kl_divergence_agrees_with_torch(
    reduction: str, weighted: bool, members: bool, backend: Backend
) -> None:
    values = PROBABILITIES.copy()
    values[0, 0] = [0.5, 0.5, 0, 0, 0]  # 0 log 0 is 0
    t, w = backend.array(values), backend.array(WEIGHTS[:, :, 0]) if weighted else None

    def theirs(z: Any) -> Any:
        cost = torch.nn.functional.kl_div(torch.log_softmax(z, -1), twin(t), reduction="none").sum(-1)
        return reduced(cost, w if w is None else twin(w), reduction, members)

    agree(
        lambda z: loss.kl_divergence(z, t, reduction=reduction, weight=w, members=members),
        theirs,
        Z,
        backend=backend,
        tolerance=3 * TOLERANCE[backend.dtype],
    )


@needs_torch
@on_every_backend
def test_extreme_logits_neither_overflow_nor_lose_the_slope(backend: Backend) -> None:
    z = np.array([[1000.0, -1000.0, 0.0], [-1000.0, 0.5, 0.0], [80.0, 120.0, -200.0]])
    labels = backend.array(np.array([1, 1, 0]))
    agree(
        lambda z: loss.cross_entropy(z, labels, reduction="none"),
        lambda z: torch.nn.functional.cross_entropy(z, twin(labels), reduction="none"),
        z,
        backend=backend,
    )
    shares = backend.array(np.array([[0.0, 1.0, 0.5]] * 3))
    agree(
        lambda z: loss.binary_cross_entropy(z, shares),
        lambda z: torch.nn.functional.binary_cross_entropy_with_logits(z, twin(shares)),
        z,
        backend=backend,
    )


@on_every_backend
@pytest.mark.filterwarnings("ignore:overflow encountered")
@pytest.mark.parametrize(("right", "wanted"), [(0, np.log1p(np.e)), (1, np.inf)])
def test_an_impossible_class_costs_nothing_unless_it_is_the_right_one(
    right: int, wanted: float, backend: Backend
) -> None:
    labels, hot = backend.array([right, 0]), backend.array(np.eye(3)[[right, 0]])
    for ours, targets in (
        (loss.cross_entropy, labels),
        (loss.cross_entropy, hot),
        (loss.kl_divergence, hot),
    ):
        z = backend.tensor([[0.0, -np.inf, 1.0], [3e38, -3e38, 0.0]], requires_grad=True)
        cost = ours(z, targets, reduction="none")
        cost.sum().backward()
        close(cost.data, [wanted, 0], 1e-6)
        close(z.grad, [[1 / (1 + np.e), 0, np.e / (1 + np.e)], [1, 0, 0]] - to_numpy(hot), 1e-6)


# -------------------------------------------------------------------------------- central differences


@on_every_device
@pytest.mark.parametrize("members", [False, True], ids=["one", "members"])
@by_reduction
@by_element
def test_a_loss_of_elements_agrees_with_central_differences(
    name: str, reduction: str, members: bool, backend: Backend
) -> None:
    case = ELEMENTS[name]
    t, w = backend.array(case.targets), backend.array(WEIGHTS)
    check_gradients(
        lambda p: case.ours(p, t, reduction=reduction, weight=w, members=members, **case.options),
        backend.array(Z),
    )


@on_every_device
@by_reduction
def test_losses_of_rows_agree_with_central_differences(reduction: str, backend: Backend) -> None:
    z, w = backend.array(Z), backend.array(WEIGHTS[0, 0])
    for t in (backend.array(LABELS), backend.array(PROBABILITIES)):
        check_gradients(
            lambda z, t=t: loss.cross_entropy(z, t, reduction=reduction, weight=w, label_smoothing=0.1), z
        )
        check_gradients(lambda z, t=t: loss.cross_entropy(z, t, reduction=reduction, members=True), z)
    check_gradients(
        lambda z: loss.kl_divergence(z, t, reduction=reduction, weight=backend.array(WEIGHTS[..., 0])), z
    )


# ----------------------------------------------------------------------------- precision and kinds


@on_every_backend
@by_reduction
def test_losses_keep_precision_and_device(reduction: str, backend: Backend) -> None:
    """Whatever the targets' precision is: labels and float64 targets must not upcast a float32 loss."""
    z = backend.tensor(Z, requires_grad=True)
    wide = asarray(WEIGHTS[0], device=backend.device, dtype="float64")
    for case in ELEMENTS.values():
        targets = asarray(case.targets, device=backend.device, dtype="float64")
        for value in (
            case.ours(z, targets, reduction=reduction, **case.options),
            case.ours(z, targets, reduction=reduction, weight=wide, **case.options),
        ):
            assert_on(backend, value.data)
            z.grad = None
            value.sum().backward()
            assert_on(backend, z.grad)
    for targets in (asarray(PROBABILITIES, device=backend.device, dtype="float64"), backend.array(LABELS)):
        value = loss.cross_entropy(z, targets, reduction=reduction, weight=wide[0, ...], label_smoothing=0.1)
        assert_on(backend, value.data)
        z.grad = None
        value.sum().backward()
        assert_on(backend, z.grad)


@on_every_backend
def test_targets_may_be_lists_tensors_and_integers(backend: Backend) -> None:
    p = backend.tensor([[1.0, -2.0]])
    for targets in ([[0, 1]], [[0.0, 1.0]], Tensor(backend.array([[0.0, 1.0]])), backend.array([[0, 1]])):
        close(loss.mse(p, targets).data, 5.0, 1e-6)
        close(
            loss.binary_cross_entropy(p, targets, reduction="sum").data,
            np.log1p(np.exp(1)) + np.log1p(np.exp(2)),
            1e-6,
        )
    close(loss.cross_entropy(p, [1]).data, np.log1p(np.exp(3.0)), 1e-6)
    close(
        loss.cross_entropy(p, asarray([1], device=backend.device, dtype="int32")).data,
        np.log1p(np.exp(3.0)),
        1e-6,
    )


@on_every_backend
def test_narrow_labels_meet_only_their_own_class(backend: Backend) -> None:
    """Class 259 is not class 3, though uint8 cannot tell them apart."""
    z = backend.tensor(np.zeros((1, 300)))
    label = asarray(np.array([3], np.uint8), device=backend.device)
    close(loss.cross_entropy(z, label).data, np.log(300), 1e-6)


def test_predictions_may_be_plain_numbers() -> None:
    assert loss.mse([1.0, 2.0], [1.0, 4.0]).item() == 2.0
    assert loss.mse(3.0, 1.0).item() == 4.0
    assert not loss.mse(3.0, 1.0).requires_grad


def test_a_loss_is_one_node_of_the_graph() -> None:
    z = Tensor(Z, requires_grad=True, name="z")
    assert [n.name for n in graph(loss.cross_entropy(z, LABELS))] == ["z", "cross_entropy"]
    assert [n.name for n in graph(loss.mse(z, NUMBERS))] == ["z", "mse"]


@given(st.data())
def test_losses_are_never_negative_and_zero_where_all_is_right(data: st.DataObject) -> None:
    n, k = data.draw(st.integers(1, 4)), data.draw(st.integers(1, 4))
    rng = np.random.default_rng(data.draw(st.integers(0, 999)))
    z, t = rng.standard_normal((n, k)), rng.random((n, k))
    for name in ("mse", "mae", "huber"):
        f = getattr(loss, name)
        assert f(z, t).item() >= 0
        assert f(z, z).item() == 0
    assert loss.binary_cross_entropy(z, t).item() >= 0
    probabilities = np.exp(z) / np.exp(z).sum(-1, keepdims=True)
    assert abs(loss.kl_divergence(z, probabilities).item()) < 1e-12
    entropy = -(probabilities * np.log(probabilities)).sum(-1).mean()
    np.testing.assert_allclose(loss.cross_entropy(z, probabilities).item(), entropy, atol=1e-12)
    assert loss.hinge(100 * np.sign(z), np.sign(z)).item() == 0


# -------------------------------------------------------------------------------------------- errors

P = np.zeros((4, 3))
BAD = [
    (
        lambda: loss.mse(P, P, reduction="average"),
        ValueError,
        r"mse: expected reduction .*mean, sum, none; .*'average'",
    ),
    (
        lambda: loss.cross_entropy(P, [0, 1, 2, 0], reduction=""),
        ValueError,
        r"cross_entropy: expected reduction",
    ),
    (
        lambda: loss.mse(P[:, :1], P[:, 0]),
        ValueError,
        r"mse: expected targets of .*\(4, 1\); received \(4,\).*Reshape the targets to \(4, 1\)",
    ),
    (lambda: loss.mae(P, P[:2]), ValueError, r"mae: expected targets of .*\(4, 3\); received \(2, 3\)$"),
    (
        lambda: loss.mse(P[:0], P[:0]),
        ValueError,
        r"mse: .*at least one prediction; .*\(0, 3\).*Is the batch empty",
    ),
    (lambda: loss.cross_entropy(P[:0], np.zeros(0, int)), ValueError, r"cross_entropy: .*batch empty"),
    (lambda: loss.kl_divergence(P[:0], P[:0]), ValueError, r"kl_divergence: .*batch empty"),
    (lambda: loss.mse([1, 2], [1, 2]), TypeError, r"mse: expected predictions in floats; received .*int64"),
    (
        lambda: loss.cross_entropy(P, [0, 1, 2, 3]),
        ValueError,
        r"labels from 0 to 2, .*3 classes; received labels from 0 to 3.*out_features=4",
    ),
    (
        lambda: loss.cross_entropy(P, [0, -1, 2, 1]),
        ValueError,
        r"labels from 0 to 2.*received labels from -1 to 2. Number the classes from 0",
    ),
    (
        lambda: loss.cross_entropy(P, [0, 1]),
        ValueError,
        r"one label for each row of logits \(4, 3\), so shape \(4,\); received \(2,\)",
    ),
    (lambda: loss.cross_entropy(P, [[0], [1], [2], [1]]), ValueError, r"so shape \(4,\); received \(4, 1\)"),
    (
        lambda: loss.cross_entropy(P, [0.0, 1.0, 2.0, 0.0]),
        ValueError,
        r"cross_entropy: expected probabilities.*\(4, 3\).*pass integers",
    ),
    (lambda: loss.cross_entropy(P, P), ValueError, r"rows of probabilities.*received rows of sum 0 to 0"),
    (
        lambda: loss.cross_entropy(P, P + np.array([2, -1, 0])),
        ValueError,
        r"rows of probabilities, none negative",
    ),
    (
        lambda: loss.cross_entropy(P, [0] * 4, weight=[1.0, 2.0]),
        ValueError,
        r"one weight for each of 3 classes; received shape \(2,\)",
    ),
    (
        lambda: loss.cross_entropy(P, [0] * 4, label_smoothing=1.0),
        ValueError,
        r"cross_entropy: expected label_smoothing from 0 to below 1; received 1",
    ),
    (
        lambda: loss.binary_cross_entropy(P, P, label_smoothing=-0.1),
        ValueError,
        r"binary_cross_entropy: expected label_smoothing",
    ),
    (
        lambda: loss.binary_cross_entropy(P, P - 1),
        ValueError,
        r"targets between 0 and 1; received -1 to -1.*\(t \+ 1\) / 2",
    ),
    (lambda: loss.binary_cross_entropy(P, P + np.nan), ValueError, r"targets between 0 and 1; received nan"),
    (lambda: loss.huber(P, P, delta=-1), ValueError, r"huber: expected delta, .*above 0; received -1"),
    (
        lambda: loss.hinge(P, P),
        ValueError,
        r"hinge: expected targets of -1 or \+1; received \[0\.\].*2 t - 1",
    ),
    (
        lambda: loss.kl_divergence(P, [0, 1, 2, 0]),
        TypeError,
        r"kl_divergence: expected probabilities.*received integers.*cross_entropy",
    ),
    (
        lambda: loss.kl_divergence(P, P[:, :2]),
        ValueError,
        r"kl_divergence: expected probabilities of .*\(4, 3\); received \(4, 2\)",
    ),
    (
        lambda: loss.kl_divergence(P, P + 1),
        ValueError,
        r"kl_divergence: expected rows of probabilities.*of sum 3",
    ),
    (
        lambda: loss.mse(P, Tensor(P, requires_grad=True)),
        ValueError,
        r"mse: targets are data.*targets\.detach\(\)",
    ),
    (
        lambda: loss.mse(P, asarray(P, device="strict")),
        ValueError,
        r"predictions are on 'numpy', targets on 'strict'.*device='numpy'",
    ),
    (lambda: loss.mse(P, P, weight=-1.0), ValueError, r"mse: expected weights of 0 or more; received -1"),
    (lambda: loss.cross_entropy(P, [0] * 4, weight=[1, np.nan, 1]), ValueError, r"weights of 0 or more.*nan"),
    (lambda: loss.mse(P, P, weight=np.ones(5)), ValueError, r"mse: .*weight.*\(5,\)"),
    (
        lambda: loss.kl_divergence(P, P + 1 / 3, weight=np.ones(3)),
        ValueError,
        r"kl_divergence: .*weight.*\(3,\)",
    ),
    (lambda: loss.cross_entropy(np.float32(1.0), 1), ValueError, r"cross_entropy: .*\(\)"),
    (lambda: loss.mse(P, P, members=True, reduction="mean", delta=1), TypeError, "delta"),
]


@pytest.mark.parametrize(("mistake", "kind", "message"), BAD, ids=[m for _, _, m in BAD])
def test_a_mistake_is_explained(mistake: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind, match=f"(?s){message}"):
        mistake()


@needs_torch
def test_targets_on_another_device_are_refused() -> None:
    z = asarray(P, device="cpu")
    with pytest.raises(
        ValueError,
        match=r"on 'cpu', targets on 'numpy'; move the targets with asarray\(targets, device='cpu'\)",
    ):
        loss.cross_entropy(z, np.array([0, 1, 2, 0]))
