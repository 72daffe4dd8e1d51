"""Pieces: where a ReLU network bends, counted exactly (chapter Layers, chapters/02_layers).

A network of `Dense` layers and ReLUs is linear between its bends. Both functions follow that piece by piece through
the layers and find every bend; neither looks at a grid of points, which misses what is narrow.

    breakpoints     the bends along a straight line
    regions         the polygons of the plane in each of which the network is one linear function

Both compute in float64, whatever the model's precision.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from .activations import identity, leaky_relu, relu
from .arrays import to_numpy
from .layers import Activation, Dense, Module, Sequential

Doubles = NDArray[np.float64]

__all__ = ["Region", "breakpoints", "regions"]

STRAIGHT = (identity, leaky_relu, relu)  # but for a bend at zero
NARROW = 1e-12  # of the whole: what is narrower is the rounding of one bend
EQUAL = 1e-9  # of the terms of a slope: what differs by less is the rounding of one slope


def breakpoints(model: Module, start: Any, end: Any) -> Doubles:
    """Return the points at which the output of `model` bends on the way from `start` to `end`.

    Between two of them every output is linear, so the number of pieces is one more than that of the points. Bends that
    cancel are not counted.

    Args:
        model: Dense layers and activations that bend at zero only (relu, leaky_relu, identity).
        start: where the way begins: in_features numbers, or one if there is one feature.
        end: where it ends.

    Returns:
        array of shape (bends, in_features), in the order in which they are met.

    Raises:
        TypeError: a layer that bends elsewhere, or everywhere.
        ValueError: an ensemble; ends that do not fit the model, are equal or not finite.

    Source: M. Raghu, B. Poole, J. Kleinberg, S. Ganguli and J. Sohl-Dickstein, "On the expressive power of deep neural
    networks", ICML 2017, count the same along curves.

    >>> fold = Sequential(Dense(1, 2, rng=np.random.default_rng(0)), relu, Dense(2, 1, rng=np.random.default_rng(0)))
    >>> fold.load_state({"layers.0.weight": [[1, 1]], "layers.0.bias": [0, -0.5],
    ...                  "layers.2.weight": [[2], [-4]], "layers.2.bias": [0]})
    >>> breakpoints(fold, 0, 1).tolist()
    [[0.5]]
    """
    layers = list(_layers(model))
    first, last = _ends(layers[0], start, end)
    edges, slope, offset = (
        np.array([0.0, 1.0]),
        (last - first)[None],
        first[None],
    )  # each feature: slope·t + offset
    terms = np.abs(slope)
    for layer in layers:
        if isinstance(layer, Dense):
            weight, bias = _parameters(layer)
            terms = np.abs(slope) @ np.abs(weight)
            slope, offset = slope @ weight, offset @ weight + bias
        else:
            edges, slope, offset = _bend(layer, edges, slope, offset)
            terms = np.abs(slope)
    bends = (np.abs(np.diff(slope, axis=0)) > EQUAL * terms.max()).any(axis=1)
    return first + edges[1:-1][bends, None] * (last - first)


def _bend(
    layer: Activation, edges: Doubles, slope: Doubles, offset: Doubles
) -> tuple[Doubles, Doubles, Doubles]:
    """Cut the pieces where a unit crosses zero, and give each unit the slope of its side.

    Shapes: edges (pieces + 1,), slope and offset (pieces, units); the same with more pieces.
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        crossings = -offset / slope
    inside = (crossings > edges[:-1, None] + NARROW) & (crossings < edges[1:, None] - NARROW)
    cuts = np.unique(np.concatenate([edges, crossings[inside]]))
    cuts = cuts[np.concatenate([[True], np.diff(cuts) > NARROW])]
    cuts[-1] = edges[-1]
    middle = (cuts[:-1] + cuts[1:]) / 2
    piece = np.searchsorted(edges, middle) - 1
    slope, offset = slope[piece], offset[piece]
    factor = _factors(layer, slope * middle[:, None] + offset)
    return cuts, slope * factor, offset * factor


@dataclass(frozen=True, repr=False)
class Region:
    """A polygon of the plane in which the network is one linear function, p · weight + bias.

    Attributes:
        corners: shape (corners, 2), in order around the polygon.
        weight: shape (2, outputs).
        bias: shape (outputs,).
    """

    corners: Doubles
    weight: Doubles
    bias: Doubles

    @property
    def area(self) -> float:
        """The area of the polygon (the shoelace formula)."""
        x, y = self.corners.T
        return float(abs(x @ np.roll(y, -1) - y @ np.roll(x, -1)) / 2)

    def __repr__(self) -> str:
        return f"Region({len(self.corners)} corners, area {self.area:.3g})"


def regions(model: Module, limits: tuple[float, float, float, float] = (-6, 6, -6, 6)) -> list[Region]:
    """Return the polygons into which the units of `model` cut a rectangle, each with its linear function.

    In a region each unit keeps its side: it is on everywhere or off everywhere. Two neighbours have the same function
    if the unit between them has no say in the output; they count as two.

    Args:
        model: as in `breakpoints`, with two features.
        limits: left, right, bottom and top edge.

    Raises:
        TypeError: a layer that bends elsewhere, or everywhere.
        ValueError: an ensemble; a model whose input is not a point of the plane; limits that enclose nothing.

    Source: G. Montúfar, R. Pascanu, K. Cho and Y. Bengio, "On the number of linear regions of deep neural networks",
    NeurIPS 2014.

    >>> halves = Sequential(Dense(2, 1, rng=np.random.default_rng(0)), relu)
    >>> [round(r.area, 6) for r in regions(halves, (-1, 1, -1, 1))]
    [2.0, 2.0]
    """
    layers = list(_layers(model))
    left, right, bottom, top = limits
    if layers[0].in_features != 2 or not (left < right and bottom < top):
        raise ValueError(
            f"regions: expected a model of 2 features and limits left < right, bottom < top; received "
            f"{layers[0].in_features} features and {limits}"
        )
    corners = np.array([[left, bottom], [right, bottom], [right, top], [left, top]], dtype=np.float64)
    found = [Region(corners, np.eye(2), np.zeros(2))]
    for layer in layers:
        if isinstance(layer, Dense):
            weight, bias = _parameters(layer)
            found = [Region(r.corners, r.weight @ weight, r.bias @ weight + bias) for r in found]
        else:
            found = [part for region in found for part in _split(layer, region)]
    return found


def _split(layer: Activation, region: Region) -> Iterator[Region]:
    """Cut a region by the border of each unit in turn."""
    parts = [region.corners]
    for w, b in zip(region.weight.T, region.bias, strict=True):
        parts = [half for corners in parts for half in _halves(corners, corners @ w + b)]
    for corners in parts:
        factor = _factors(layer, corners.mean(axis=0) @ region.weight + region.bias)
        yield Region(corners, region.weight * factor, region.bias * factor)


def _halves(corners: Doubles, z: Doubles) -> list[Doubles]:
    """Cut a convex polygon along z = 0, z being given at its corners; the whole if the cut leaves no second part."""
    tiny = NARROW * max(1.0, np.abs(z).max())
    if z.min() >= -tiny or z.max() <= tiny:
        return [corners]
    after, z_after = np.roll(corners, -1, axis=0), np.roll(z, -1)
    halves: list[list[Doubles]] = [[], []]
    for p, q, at_p, at_q in zip(corners, after, z, z_after, strict=True):
        for half, side in zip(halves, (1, -1), strict=True):
            if side * at_p >= 0:
                half.append(p)
        if at_p * at_q < 0:
            crossing = p + (q - p) * at_p / (at_p - at_q)
            for half in halves:
                half.append(crossing)
    return [np.array(half) for half in halves]


def _factors(layer: Activation, z: Doubles) -> Doubles:
    """Return by what an activation that bends at zero multiplies: one factor above zero, one below."""
    above, below = to_numpy(layer.function(np.array([1.0, -1.0])).data)
    factors: Doubles = np.where(z > 0, above, -below)
    return factors


def _layers(model: Module) -> Iterator[Any]:
    """Yield the layers, those of inner Sequentials too.

    Raises:
        TypeError: a layer that is neither Dense nor an activation that bends at zero only.
        ValueError: an ensemble, or a model that does not begin with Dense.
    """
    flat: list[Any] = [layer for layer in model.modules() if not isinstance(layer, Sequential)]
    for layer in flat:
        straight = isinstance(layer, Activation) and layer.function in STRAIGHT
        if not (isinstance(layer, Dense) or straight):
            raise TypeError(
                f"pieces: expected Dense layers and relu, leaky_relu or identity between them; received {layer!r}, "
                "which is not made of straight pieces that meet at zero"
            )
    if model.members is not None or not flat or not isinstance(flat[0], Dense):
        raise ValueError(
            f"pieces: expected one network that begins with Dense; received {model!r}"
            + (f", an ensemble of {model.members}. Take its members one by one" if model.members else "")
        )
    yield from (layer for layer in flat if isinstance(layer, Dense) or layer.function is not identity)


def _parameters(layer: Dense) -> tuple[Doubles, Doubles]:
    weight = layer.weight.numpy().astype(np.float64)
    bias = np.zeros(layer.out_features) if layer.bias is None else layer.bias.numpy().astype(np.float64)
    return weight, bias


def _ends(first: Dense, start: Any, end: Any) -> tuple[Doubles, Doubles]:
    a, b = (np.atleast_1d(np.asarray(point, dtype=np.float64)) for point in (start, end))
    fits = a.shape == b.shape == (first.in_features,)
    if not fits or not np.isfinite([a, b]).all() or np.array_equal(a, b):
        raise ValueError(
            f"breakpoints: expected two different finite points of {first.in_features} numbers each; received start "
            f"{start!r} and end {end!r}"
        )
    return a, b
