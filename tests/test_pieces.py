"""Pieces against proofs, against a fine grid, and against the network itself."""

from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from dlcore.activations import identity, leaky_relu, relu, tanh
from dlcore.layers import Dense, Module, Sequential, ensemble
from dlcore.pieces import Region, breakpoints, regions


def make_rng(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def net(*sizes: int, seed: int = 0, activation: Any = relu, bias_scale: float = 1.0) -> Sequential:
    """Return a network in float64 whose biases are not zero, so that its bends lie anywhere."""
    rng = make_rng(seed)
    made: list[Any] = []
    for n_in, n_out in pairwise(sizes):
        layer = Dense(n_in, n_out, rng=rng, dtype="float64")
        assert layer.bias is not None
        layer.bias.data[:] = bias_scale * rng.normal(size=n_out)
        made += [layer, activation]
    return Sequential(*made[:-1])


def folding(depth: int) -> Sequential:
    """Return the tent map x ↦ 2 relu(x) - 4 relu(x - ½), composed with itself `depth` times."""
    model = net(1, *[2] * depth, 1, bias_scale=0)
    for i, layer in enumerate(m for m in model.layers if isinstance(m, Dense)):
        assert layer.bias is not None
        rows = [[2.0], [-4.0]] if i else [[1.0]]
        layer.weight.data[:] = np.array(rows) if i == depth else np.repeat(rows, 2, axis=1)
        layer.bias.data[:] = 0 if i == depth else [0, -0.5]
    return model


@pytest.mark.parametrize("depth", [1, 2, 3, 6, 12])
def test_folding_has_two_to_the_depth_pieces_at_equal_distances(depth: int) -> None:
    bends = breakpoints(folding(depth), 0, 1)
    np.testing.assert_allclose(bends[:, 0], np.arange(1, 2**depth) / 2**depth, atol=1e-12)


@pytest.mark.parametrize("width", [1, 2, 7, 30])
def test_one_hidden_layer_bends_once_for_each_unit(width: int) -> None:
    model = net(1, width, 1, seed=width)
    first: Any = model[0]
    joints = np.sort(-first.bias.numpy() / first.weight.numpy()[0])
    np.testing.assert_allclose(breakpoints(model, -1e4, 1e4)[:, 0], joints, rtol=1e-6, atol=1e-6)


def test_bends_that_coincide_or_cancel_or_have_no_weight_are_not_counted() -> None:
    model = net(1, 4, 1)
    state = {"layers.0.weight": [[1, 1, 1, 1]], "layers.0.bias": [-1, -1, -2, -3], "layers.2.bias": [0.0]}
    model.load_state({**state, "layers.2.weight": [[1.0], [1.0], [0.0], [1.0]]})
    np.testing.assert_allclose(breakpoints(model, 0, 5), [[1], [3]])  # two at 1, none at 2
    model.load_state({**state, "layers.2.weight": [[0.1], [-0.1], [0.0], [0.0]]})
    assert breakpoints(model, 0, 5).shape == (0, 1)  # the two at 1 cancel


@pytest.mark.parametrize("activation", [relu, leaky_relu])
@pytest.mark.parametrize("sizes", [(1, 5, 5, 1), (2, 8, 8, 8, 1), (3, 6, 4, 2)])
def test_between_the_bends_the_network_is_straight_and_at_them_it_is_not(
    sizes: tuple[int, ...], activation: Any
) -> None:
    model = net(*sizes, seed=3, activation=activation)
    start, end = np.full(sizes[0], -4.0), np.full(sizes[0], 4.0)
    bends = breakpoints(model, start, end)
    assert len(bends) > 1
    t = np.concatenate([[0.0], ((bends - start) / (end - start))[:, 0], [1.0]])
    assert (np.diff(t) > 0).all()

    def at(t: Any) -> Any:
        return model(start + np.asarray(t)[:, None] * (end - start)).numpy()

    low, high = t[:-1], t[1:]
    np.testing.assert_allclose(at((low + high) / 2), (at(low) + at(high)) / 2, atol=1e-10)
    slopes = (at(high) - at(low)) / (high - low)[:, None]
    assert (np.abs(np.diff(slopes, axis=0)).max(axis=1) > 1e-6).all()


def test_no_more_pieces_than_the_bound_allows() -> None:
    for seed in range(20):
        assert len(breakpoints(net(1, 4, 4, 1, seed=seed), -50, 50)) + 1 <= 5**2


def inside(region: Region, count: int, rng: np.random.Generator) -> Any:
    return rng.dirichlet(np.ones(len(region.corners)), size=count) @ region.corners


@pytest.mark.parametrize("sizes", [(2, 3, 1), (2, 8, 8, 8, 1), (2, 5, 4, 3)])
def test_in_each_region_the_network_is_its_linear_function(sizes: tuple[int, ...]) -> None:
    model, rng = net(*sizes, seed=1), make_rng()
    found = regions(model, (-6, 6, -5, 5))
    assert sum(r.area for r in found) == pytest.approx(120)
    for region in found:
        points = inside(region, 5, rng)
        np.testing.assert_allclose(model(points).numpy(), points @ region.weight + region.bias, atol=1e-9)


@pytest.mark.parametrize("units", [1, 2, 3, 5])
def test_lines_in_general_position_cut_the_plane_into_as_many_parts_as_they_can(units: int) -> None:
    model = net(2, units, 1, seed=5)
    assert len(regions(model, (-1e4, 1e4, -1e4, 1e4))) == 1 + units + units * (units - 1) // 2


def test_every_pattern_of_units_seen_on_a_grid_has_its_region() -> None:
    model = net(2, 6, 6, 1, seed=2)
    x, y = np.meshgrid(np.linspace(-6, 6, 200), np.linspace(-6, 6, 200))
    hidden, patterns = np.stack([x.ravel(), y.ravel()], axis=1), []
    for layer in model.layers[:-1]:
        hidden = layer(hidden).numpy()
        patterns.append(hidden > 0)
    seen = {row.tobytes() for row in np.concatenate(patterns[1::2], axis=1)}
    assert len(seen) <= len(regions(model))
    assert len(seen) > 0.6 * len(regions(model))


@pytest.mark.parametrize(
    ("model", "error", "words"),
    [
        (net(1, 3, 1, activation=tanh), TypeError, "relu, leaky_relu or identity.*received tanh"),
        (Sequential(relu), ValueError, "begins with Dense"),
        (ensemble([net(1, 3, 1), net(1, 3, 1)]), ValueError, "one by one"),
    ],
)
def test_what_has_no_pieces_is_refused(model: Module, error: type[Exception], words: str) -> None:
    with pytest.raises(error, match=words):
        breakpoints(model, 0, 1)


@pytest.mark.parametrize(("start", "end"), [(0, 0), (0, np.inf), ([0, 1], [1, 1])])
def test_ends_that_make_no_line_are_refused(start: Any, end: Any) -> None:
    with pytest.raises(ValueError, match="two different finite points of 1 numbers"):
        breakpoints(net(1, 3, 1), start, end)


def test_a_layer_that_does_not_bend_cuts_nothing() -> None:
    assert len(regions(net(2, 4, 4, 1, activation=identity))) == 1


def test_regions_are_for_the_plane() -> None:
    with pytest.raises(ValueError, match=r"2 features.*received 3"):
        regions(net(3, 3, 1))
    with pytest.raises(ValueError, match="left < right"):
        regions(net(2, 3, 1), (1, 0, 0, 1))
    assert repr(regions(net(2, 1, 1), (0, 1, 0, 1))[0]).startswith("Region(")
