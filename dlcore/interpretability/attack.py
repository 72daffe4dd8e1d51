"""Inputs made to mislead, and networks made to forget: two ways to test what a map or a model is worth."""

from __future__ import annotations

import copy
from collections.abc import Sequence
from typing import Any

import numpy as np

from dlcore.arrays import Array, asarray, copy_into, random, to_numpy
from dlcore.backprop import Tensor
from dlcore.layers import Module
from dlcore.loss import cross_entropy

from .gradient_maps import like
from .scores import as_inputs, at_rest, chunks


def adversarial_example(
    model: Module,
    inputs: Any,
    target: Any,
    *,
    epsilon: float,
    steps: int = 1,
    low: float = 0.0,
    high: float = 1.0,
) -> Array:
    """Return inputs that raise the loss though no number differs by more than ε.

    One step is the fast gradient sign method, x + ε sign ∂L/∂x (Goodfellow, Shlens & Szegedy, "Explaining and
    harnessing adversarial examples", 2015). Several steps of 2.5 ε / steps, each pulled back into the box, are
    projected gradient descent (Madry et al., "Towards deep learning models resistant to adversarial attacks", 2018).

    Args:
        model: a Module that maps (batch, …) to logits (batch, classes).
        inputs: array of shape (batch, …).
        target: the true classes, shape (batch,).
        epsilon: ε, the largest change of one number.
        steps: 1, or more for a stronger attack.
        low: least value of an input.
        high: greatest value of an input.

    Returns:
        array shaped like the inputs.

    Raises:
        ValueError: inputs that are not between low and high already, classes that do not fit, a negative epsilon, no
            steps.

    >>> from dlcore.layers import Dense
    >>> model = Dense(2, 2, rng=np.random.default_rng(0))
    >>> model.weight.data[:] = [[3, 0], [-2, 0]]
    >>> adversarial_example(model, np.full((1, 2), 0.5, np.float32), [0], epsilon=0.1)
    array([[0.4, 0.6]], dtype=float32)
    """
    x = as_inputs("adversarial_example", inputs)
    labels = to_numpy(asarray(target))
    if labels.shape != (x.shape[0],) or not epsilon >= 0 or steps < 1:
        raise ValueError(
            f"adversarial_example: expected a true class for each of {x.shape[0]} inputs, epsilon of 0 or more and at "
            f"least one step; received {labels.shape}, {epsilon}, {steps}"
        )
    clean = to_numpy(x)
    if clean.min() < low or clean.max() > high:
        raise ValueError(
            f"adversarial_example: expected inputs from {low} to {high}; received {clean.min()} to {clean.max()}. Say "
            "what an input can be: low=-np.inf, high=np.inf if it can be anything"
        )
    stride = epsilon if steps == 1 else 2.5 * epsilon / steps
    moved = clean.copy()
    for _ in range(steps):
        moved = moved + stride * np.sign(_loss_slope(model, like(moved, x), labels))
        moved = np.clip(np.clip(moved, clean - epsilon, clean + epsilon), low, high)
    return like(moved, x)


def _loss_slope(model: Module, x: Array, labels: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    slopes = []
    with at_rest(model):
        for rows in chunks(x.shape[0]):
            image = Tensor(x[rows, ...], requires_grad=True)
            cross_entropy(
                model(image), asarray(labels[rows], device=image.device), reduction="sum"
            ).backward()
            slopes.append(np.zeros(image.shape) if image.grad is None else to_numpy(image.grad))
    return np.concatenate(slopes)


def randomized(model: Module, *, rng: np.random.Generator, layers: Sequence[Module] | None = None) -> Module:
    """Return a copy whose weights, in all or in some layers, are shuffled: what was learnt is gone, their sizes stay.

    A map that explains the model must change with it. Source: Adebayo et al., "Sanity checks for saliency maps",
    2018 (who draw the weights anew).

    Args:
        model: a Module; it stays as it is.
        rng: generator of the shuffles.
        layers: the parts of the model whose parameters are shuffled; all by default.

    Raises:
        ValueError: a layer that is not a part of the model.

    >>> from dlcore.layers import mlp
    >>> model = mlp(2, 8, 3, rng=np.random.default_rng(0))
    >>> twin = randomized(model, rng=np.random.default_rng(1), layers=[model[2]])
    >>> [bool(np.all(a.data == b.data)) for a, b in zip(model.parameters(), twin.parameters())]
    [True, True, False, True]
    """
    random.check_rng(rng)
    parts = [model] if layers is None else layers
    own = {id(module) for module in model.modules()}
    if not all(id(part) in own for part in parts):
        raise ValueError(
            f"randomized: expected layers of the model, say [model[2]]; received {parts!r}, not all of which are"
        )
    chosen = {id(p) for part in parts for p in part.parameters()}
    twin = copy.deepcopy(model)
    for (_, old), (_, new) in zip(model.named_tensors(), twin.named_tensors(), strict=True):
        if id(old) in chosen:
            values = np.array(to_numpy(new.data))
            copy_into(new.data, rng.permutation(values.ravel()).reshape(values.shape))
    return twin


def rank_similarity(first: Any, second: Any) -> np.ndarray[Any, Any]:
    """Return how alike two maps are, example by example: Spearman's correlation of the ranks of |map|, from -1 to 1.

    1 is the same order of places, 0 an order that has nothing to do with the other. Of equal numbers each gets their
    mean rank. A map that is the same everywhere has no order; its similarity is NaN. Source: Adebayo et al., "Sanity
    checks for saliency maps", 2018, who compare maps before and after the weights were randomized; without absolute
    values their numbers are others.

    Args:
        first: maps of shape (batch, …).
        second: maps of the same shape.

    Returns:
        array of shape (batch,).

    Raises:
        ValueError: maps of different shapes, or without a batch axis.

    >>> rank_similarity([[0.1, -0.2, 0.3]], [[1, 2, 9]]), rank_similarity([[1, 2, 3]], [[3, 2, 1]])
    (array([1.]), array([-1.]))
    """
    both = [np.abs(to_numpy(asarray(maps)).astype(float)) for maps in (first, second)]
    if both[0].shape != both[1].shape or both[0].ndim < 2:
        raise ValueError(
            f"rank_similarity: expected maps of one shape (batch, …); received {both[0].shape} and {both[1].shape}. "
            "One map alone: map[None]"
        )
    a, b = (np.stack([_ranks(row) for row in maps.reshape(len(maps), -1)]) for maps in both)
    a, b = a - a.mean(axis=1, keepdims=True), b - b.mean(axis=1, keepdims=True)
    size = np.sqrt((a**2).sum(axis=1) * (b**2).sum(axis=1))
    alike: np.ndarray[Any, Any] = np.divide(
        (a * b).sum(axis=1), size, out=np.full(len(a), np.nan), where=size > 0
    )
    return alike


def _ranks(values: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
    """Return the ranks 0, 1, … of numbers, equal ones sharing their mean rank."""
    _, place, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts) - 1
    ranks: np.ndarray[Any, Any] = (last - (counts - 1) / 2)[place]
    return ranks
