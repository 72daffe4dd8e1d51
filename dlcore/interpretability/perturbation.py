"""Maps from experiments: what becomes of the score if this input is taken away."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from itertools import islice, product
from typing import Any

import numpy as np

from dlcore.arrays import Array, random, to_numpy
from dlcore.layers import Module
from dlcore.training.state import evaluating

from .gradient_maps import baseline_of, like
from .scores import CHUNK, as_inputs, chunks, each, scores

Values = np.ndarray[Any, Any]


def occlusion(
    model: Module, inputs: Any, target: Any = None, *, window: int = 4, stride: int = 2, baseline: float = 0.0
) -> Array:
    """Return how far the score falls when a patch is covered: s(x) - s(x covered), on average over a pixel's patches.

    Source: Zeiler & Fergus, "Visualizing and understanding convolutional networks", 2014, section 4.2.

    Args:
        model: a Module that maps (batch, channels, height, width), or (batch, features), to (batch, classes).
        inputs: array of that shape; of features in a row, `window` neighbours are covered at a time.
        target: a class, an array of one class for each example, or None where there is one output.
        window: side of the patch; it covers all channels.
        stride: step of the patch. The last one is moved in, so that every pixel is covered at least once.
        baseline: what the patch is filled with.

    Returns:
        array shaped like the inputs.

    Raises:
        ValueError: a window larger than the picture, or a stride that leaves gaps.

    >>> from dlcore.layers import Dense
    >>> model = Dense(2, 1, rng=np.random.default_rng(0))
    >>> model.weight.data[:] = [[3], [-2]]
    >>> occlusion(model, np.array([[1, 4]], np.float32), window=1, stride=1)
    array([[ 3., -8.]], dtype=float32)
    """
    x = as_inputs("occlusion", inputs)
    axes = (1,) if x.ndim == 2 else tuple(range(2, x.ndim))
    if not 1 <= stride <= window <= min(x.shape[axis] for axis in axes):
        raise ValueError(
            f"occlusion: expected 1 <= stride <= window <= {min(x.shape[axis] for axis in axes)}, the inputs' least "
            f"side; received stride {stride}, window {window}"
        )
    values = to_numpy(x)
    before, targets = scores("occlusion", model, x, target), each("occlusion", target, len(values))
    fall, covered = np.zeros(values.shape), np.zeros(values.shape[1:])
    whole = (slice(None),) * (values.ndim - len(axes))
    patches = (whole + place for place in _places([values.shape[axis] for axis in axes], window, stride))
    while group := list(islice(patches, max(1, CHUNK // len(values)))):  # as many as fit share a pass
        changed = np.tile(values, (len(group), *(1,) * (values.ndim - 1)))
        for patch, copy in zip(group, np.split(changed, len(group)), strict=True):
            copy[patch] = baseline
        many = None if targets is None else np.tile(targets, len(group))
        after = scores("occlusion", model, like(changed, x), many).reshape(len(group), -1)
        for patch, drop in zip(group, before - after, strict=True):
            fall[patch] += drop.reshape(-1, *(1,) * (values.ndim - 1))
            covered[patch[1:]] += 1
    return like(fall / covered, x)


def _places(sides: list[int], window: int, stride: int) -> Iterator[tuple[slice, ...]]:
    """Yield the patches that cover a grid, the last of each row and column flush with the edge."""
    starts = [sorted({*range(0, side - window, stride), side - window}) for side in sides]
    return (tuple(slice(start, start + window) for start in corner) for corner in product(*starts))


def shapley_values(
    model: Module,
    inputs: Any,
    target: Any = None,
    *,
    rng: np.random.Generator,
    baseline: Any = 0.0,
    samples: int = 25,
) -> Array:
    """Return each feature's share of s(x) - s(x'), by its mean contribution over random orders of arrival.

    The features of x' are replaced by those of x one after the other, in a random order; a feature is credited with
    the change of the score when it arrives. Each order is used forward and backward, which makes the means quieter.
    Whatever the number of samples, the shares sum to s(x) - s(x') (efficiency).
    Sources: Shapley, "A value for n-person games", 1953; Štrumbelj & Kononenko, "Explaining prediction models and
    individual predictions with feature contributions", 2014; forward and backward: Mitchell et al., "Sampling
    permutations for Shapley value estimation", 2022.

    Args:
        model: as of `saliency`.
        inputs: as of `saliency`; every number of an example is a player.
        target: as of `saliency`.
        rng: generator of the orders.
        baseline: x', what stands for an absent feature: a number, or an array that broadcasts to the inputs (often the
            mean of the training set).
        samples: random orders, each used twice; one order costs a forward pass for each feature.

    Returns:
        array shaped like the inputs.

    Raises:
        ValueError: no samples, a baseline that does not broadcast; and as of `saliency`.

    >>> from dlcore.layers import Dense
    >>> model = Dense(2, 1, rng=np.random.default_rng(0))
    >>> model.weight.data[:] = [[3], [-2]]
    >>> shapley_values(model, np.array([[1, 4]], np.float32), rng=np.random.default_rng(0), baseline=1.0)
    array([[ 0., -6.]], dtype=float32)
    """
    random.check_rng(rng)
    x = as_inputs("shapley_values", inputs)
    if samples < 1:
        raise ValueError(f"shapley_values: expected at least one sample; received {samples}")
    values, targets = to_numpy(x), each("shapley_values", target, x.shape[0])
    absent = baseline_of("shapley_values", baseline, x).astype(values.dtype)
    share = np.zeros((len(values), math.prod(values.shape[1:])))
    features = share.shape[1]
    rows, gone = values.reshape(-1, features), absent.reshape(-1, features)
    for _ in range(samples):
        order = rng.permutation(features)
        for sequence in (order, order[::-1]):
            share[:, sequence] += _arrivals(model, rows, gone, sequence, x, targets)
    return like((share / (2 * samples)).reshape(values.shape), x)


def _arrivals(
    model: Module,
    rows: Values,
    gone: Values,
    order: Values,
    x: Array,
    target: Any,
) -> Values:
    """Return how much each feature changes the score when it arrives in `order`; shape (batch, features)."""
    batch, features = rows.shape
    there = np.empty(features, dtype=int)
    there[order] = np.arange(features)
    arrived = there < np.arange(features + 1)[:, None]  # (features + 1, features)
    changes = np.empty((batch, features))
    for i in range(batch):
        steps = np.where(arrived, rows[i], gone[i]).reshape(features + 1, *x.shape[1:])
        changes[i] = np.diff(
            scores("shapley_values", model, like(steps, x), None if target is None else target[i])
        )
    return changes


def permutation_importance(
    model: Module,
    inputs: Any,
    target: Any,
    *,
    rng: np.random.Generator,
    metric: Callable[[Values, Any], float],
    repeats: int = 10,
) -> Values:
    """Return how far a metric falls when a feature is shuffled among the examples, on average over `repeats` shuffles.

    It speaks of the model on this data, not of one example. Correlated features stand in for each other, so both may
    look unimportant. Sources: Breiman, "Random forests", 2001, section 10; Fisher, Rudin & Dominici, "All models are
    wrong, but many are useful", 2019.

    Args:
        model: a Module that maps (batch, features) to outputs.
        inputs: array of shape (batch, features).
        target: what the metric compares the outputs with, one for each example.
        rng: generator of the shuffles.
        metric: (outputs as a NumPy array, target) → number, larger is better.
        repeats: shuffles of each feature.

    Returns:
        array of shape (features,).

    Raises:
        ValueError: inputs that are no table, or no repeats.

    >>> from dlcore.layers import Dense
    >>> model = Dense(2, 1, rng=np.random.default_rng(0))
    >>> model.weight.data[:] = [[3], [0]]
    >>> x = np.array([[1, 4], [2, 5], [3, 9]], np.float32)
    >>> falls = permutation_importance(
    ...     model, x, 3 * x[:, 0], rng=np.random.default_rng(0),
    ...     metric=lambda outputs, wanted: -float(np.mean((outputs[:, 0] - wanted) ** 2)),
    ... )
    >>> bool(falls[0] > 1), float(falls[1])
    (True, 0.0)
    """
    random.check_rng(rng)
    x = as_inputs("permutation_importance", inputs)
    if x.ndim != 2 or repeats < 1:
        raise ValueError(
            f"permutation_importance: expected inputs (batch, features) and at least one repeat; received "
            f"{tuple(x.shape)}, {repeats}"
        )
    values = to_numpy(x)
    whole = metric(outputs_of(model, x), target)
    falls = np.zeros(values.shape[1])
    for feature in range(values.shape[1]):
        for _ in range(repeats):
            shuffled = values.copy()
            shuffled[:, feature] = values[rng.permutation(len(values)), feature]
            falls[feature] += whole - metric(outputs_of(model, like(shuffled, x)), target)
    return falls / repeats


def outputs_of(model: Module, x: Array) -> Values:
    """Return all outputs of a model at rest, without a record."""
    with evaluating(model):
        return np.concatenate([model(x[rows, ...]).numpy() for rows in chunks(x.shape[0])])
