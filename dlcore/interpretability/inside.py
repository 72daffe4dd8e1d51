"""A look at a layer inside: where it looks, what it would like to see, what can be read from it."""

from __future__ import annotations

from typing import Any, NamedTuple

import numpy as np

from dlcore.arrays import Array, asarray, random, to_numpy
from dlcore.backprop import Tensor
from dlcore.layers import Module
from dlcore.training.state import evaluating

from .gradient_maps import like
from .scores import as_inputs, at_rest, chunks, each, gradients, part, pick, watched


def grad_cam(model: Module, inputs: Any, target: Any = None, *, layer: Module) -> Array:
    """Return ReLU(Σ_k α_k A_k), the maps A_k of a convolution weighted by α_k, the mean of ∂s/∂A_k over the places.

    The sum has the layer's resolution; it is brought to the inputs' size by bilinear interpolation, and is the same
    for all channels. Source: Selvaraju et al., "Grad-CAM: visual explanations from deep networks via gradient-based
    localization", 2017.

    Args:
        model: a Module that maps (batch, channels, height, width) to (batch, classes).
        inputs: array of that shape.
        target: a class, an array of one class for each example, or None where there is one output.
        layer: the part of the model whose output (batch, maps, height', width') is looked at, say model[2].

    Returns:
        array shaped like the inputs, 0 or more.

    Raises:
        ValueError: inputs that are no pictures, or a layer that is not a part of the model or puts out none.

    >>> from dlcore.convolution import Conv2d
    >>> from dlcore.layers import Dense, Flatten, Sequential
    >>> rng = np.random.default_rng(0)
    >>> model = Sequential(Conv2d(1, 4, 3, rng=rng), Flatten(), Dense(4 * 6 * 6, 3, rng=rng))
    >>> grad_cam(model, np.ones((2, 1, 8, 8), np.float32), 0, layer=model[0]).shape
    (2, 1, 8, 8)
    """
    x = as_inputs("grad_cam", inputs)
    if x.ndim != 4:
        raise ValueError(
            f"grad_cam: expected inputs (batch, channels, height, width); received {tuple(x.shape)}"
        )
    targets = each("grad_cam", target, x.shape[0])
    found = []
    for rows in chunks(x.shape[0]):
        with at_rest(model), watched("grad_cam", model, layer) as seen:
            image = Tensor(x[rows, ...], requires_grad=True)
            pick("grad_cam", model(image), part(targets, rows)).sum().backward()
        maps, slopes = seen[0].data, seen[0].grad
        if maps.ndim != 4 or slopes is None:
            raise ValueError(
                f"grad_cam: expected a layer that puts out (batch, maps, height, width) and leads to the output, "
                f"such as a Conv2d; received one that puts out {tuple(maps.shape)}"
            )
        weights = to_numpy(slopes).mean(axis=(2, 3), keepdims=True)  # (batch, maps, 1, 1)
        found.append(np.maximum((weights * to_numpy(maps)).sum(axis=1), 0))  # (batch, height', width')
    heat = resized(np.concatenate(found), x.shape[2], x.shape[3])
    return like(np.broadcast_to(heat[:, None], tuple(x.shape)).copy(), x)


def resized(pictures: np.ndarray[Any, Any], height: int, width: int) -> np.ndarray[Any, Any]:
    """Return pictures (n, h, w) at another size, by bilinear interpolation between the pixels' centres."""
    for axis, size in ((1, height), (2, width)):
        had = pictures.shape[axis]
        place = np.clip((np.arange(size) + 0.5) * had / size - 0.5, 0, had - 1)
        below = np.minimum(place.astype(int), max(had - 2, 0))
        above = np.minimum(below + 1, had - 1)
        share = (place - below).reshape((-1, 1) if axis == 1 else (1, -1))
        pictures = (1 - share) * pictures.take(below, axis) + share * pictures.take(above, axis)
    return pictures


def feature_visualization(
    model: Module,
    inputs: Any,
    target: Any = None,
    *,
    steps: int = 100,
    learning_rate: float = 0.1,
    decay: float = 0.01,
    low: float = 0.0,
    high: float = 1.0,
) -> Array:
    """Return what the inputs become if they climb the score: x ← clip(x + η g/|g| - decay·x, low, high).

    The gradient g is brought to root mean square 1, so that the steps are as long for every unit.
    Source: Erhan et al., "Visualizing higher-layer features of a deep network", 2009; on what it takes to make the
    pictures look natural, and what they then no longer prove: Olah, Mordvintsev & Schubert, "Feature visualization",
    Distill, 2017.

    Args:
        model: as of `saliency`.
        inputs: where to start, often grey or noise.
        target: the output to be made large. For a unit inside, pass the part of the model that ends there.
        steps: of the climb.
        learning_rate: η, the root mean square of a step.
        decay: how far each step pulls the inputs back to 0.
        low: least value of an input.
        high: greatest value of an input.

    Returns:
        array shaped like the inputs.

    Raises:
        ValueError: as of `saliency`.

    >>> from dlcore.layers import Dense
    >>> model = Dense(2, 1, rng=np.random.default_rng(0))
    >>> model.weight.data[:] = [[3], [-2]]
    >>> feature_visualization(model, np.full((1, 2), 0.5, np.float32))
    array([[1., 0.]], dtype=float32)
    """
    x = as_inputs("feature_visualization", inputs)
    values = to_numpy(x).astype(float)
    axes = tuple(range(1, values.ndim))
    for _ in range(steps):
        slope = to_numpy(gradients("feature_visualization", model, like(values, x), target))
        size = np.sqrt(np.mean(slope.astype(float) ** 2, axis=axes, keepdims=True))
        step = np.divide(slope, size, out=np.zeros_like(values), where=size > 0)
        values = np.clip((1 - decay) * values + learning_rate * step, low, high)
    return like(values, x)


class Probe(NamedTuple):
    """What a linear probe found.

    Attributes:
        train: share of the examples it was fitted to that it has right.
        test: share of the others.
        weight: shape (features of the layer, classes).
        bias: shape (classes,).

    >>> probe = Probe(train=0.99, test=0.97, weight=np.zeros((8, 2)), bias=np.zeros(2))
    >>> probe.test
    0.97
    """

    train: float
    test: float
    weight: np.ndarray[Any, Any]
    bias: np.ndarray[Any, Any]


def linear_probe(
    model: Module,
    inputs: Any,
    target: Any,
    *,
    layer: Module,
    rng: np.random.Generator,
    test_share: float = 0.3,
    penalty: float = 1.0,
) -> Probe:
    """Fit a linear classifier to the outputs of a layer, to see what can be read from it along straight lines.

    That a label can be read does not show that the network uses it. The classifier is the ridge regression to one-hot
    targets, which has a closed form: no training of the probe's own blurs what the layer knows.
    Source: Alain & Bengio, "Understanding intermediate layers using linear classifier probes", 2016 (theirs are
    softmax regressions).

    Args:
        model: a Module.
        inputs: array of shape (batch, …).
        target: labels 0, 1, …, shape (batch,).
        layer: the part of the model that is read.
        rng: generator of the split.
        test_share: share of the examples that is kept for the test.
        penalty: weight of the squared weights, on standardized features, above 0: a unit that is always 0 would else
            leave its weights open.

    Raises:
        ValueError: a layer that is not a part of the model; labels, a share or a penalty that do not fit; too few
            examples to keep some for the test.

    >>> from dlcore.layers import mlp
    >>> rng = np.random.default_rng(0)
    >>> x = rng.standard_normal((200, 2)).astype(np.float32)
    >>> model = mlp(2, 16, 3, rng=rng)
    >>> linear_probe(model, x, (x[:, 0] > 0).astype(int), layer=model[0], rng=rng).test > 0.9
    True
    """
    random.check_rng(rng)
    x = as_inputs("linear_probe", inputs)
    labels = to_numpy(asarray(target))
    fit = labels.shape == (x.shape[0],) and labels.dtype.kind in "iu" and labels.min() >= 0
    if not fit or not 0 < test_share < 1 or not penalty > 0:
        raise ValueError(
            f"linear_probe: expected labels 0, 1, … as integers, one for each of {x.shape[0]} inputs, "
            f"0 < test_share < 1 and a penalty above 0; received {labels.dtype} of shape {labels.shape}, {test_share}, "
            f"{penalty}"
        )
    cut = round(test_share * x.shape[0])
    if not 0 < cut < x.shape[0]:
        raise ValueError(
            f"linear_probe: expected examples to fit to and others for the test; received {x.shape[0]}, of which "
            f"{cut} would be for the test. Take more examples, or another test_share"
        )
    with evaluating(model), watched("linear_probe", model, layer) as seen:
        for rows in chunks(x.shape[0]):
            model(x[rows, ...])
    features = np.concatenate([to_numpy(part.data).reshape(part.shape[0], -1) for part in seen]).astype(float)
    order = rng.permutation(x.shape[0])
    test, train = order[:cut], order[cut:]
    weight, bias = _ridge(features[train], np.eye(labels.max() + 1)[labels[train]], penalty)
    right = (features @ weight + bias).argmax(axis=1) == labels
    return Probe(float(right[train].mean()), float(right[test].mean()), weight, bias)


def _ridge(x: np.ndarray[Any, Any], t: np.ndarray[Any, Any], penalty: float) -> tuple[Any, Any]:
    """Return weight and bias of the ridge regression from x (n, features), standardized, to t (n, classes)."""
    mean, spread = x.mean(axis=0), x.std(axis=0)
    scale = np.divide(1, spread, out=np.zeros_like(spread), where=spread > 0)
    z = (x - mean) * scale
    normal = z.T @ z + penalty * np.eye(z.shape[1])  # (features, features)
    weight = np.linalg.solve(normal, z.T @ (t - t.mean(axis=0))) * scale[:, None]
    return weight, t.mean(axis=0) - mean @ weight
