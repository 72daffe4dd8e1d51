"""Figures: they draw the data they are given, on the Axes they are given, in colours that all can tell apart."""

from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("matplotlib", reason="no figures: matplotlib is not installed")

import matplotlib as mpl

mpl.use("agg")

import matplotlib.pyplot as plt
from matplotlib.axes import Axes
from matplotlib.colors import to_rgb

from dlcore import data, neurons, plots
from dlcore.backprop import Tensor

Values = np.ndarray[Any, Any]


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    yield
    plt.close("all")


@pytest.fixture
def ax() -> Axes:
    return plots.figure()[0]


POSITIONS = np.array([[0.0, 1.0], [2.0, 3.0], [4.0, 5.0]])
LABELS = np.array([1.0, -1.0, 1.0])


def _loss() -> Tensor:
    x = Tensor(3.0, requires_grad=True, name="x")
    return x * x + x


DRAWINGS: dict[str, Callable[..., Axes]] = {
    "points": lambda **where: plots.points(POSITIONS, LABELS, names=["a", "b"], **where),
    "border": lambda **where: plots.border([1.0, 2.0], -1.0, label="it", **where),
    "decision_boundary": lambda **where: plots.decision_boundary(lambda p: p[:, 0], resolution=5, **where),
    "images": lambda **where: plots.images(np.zeros((3, 4, 4)), "abc", **where),
    "weights": lambda **where: plots.weights(np.arange(9.0), **where),
    "loss_curves": lambda **where: plots.loss_curves({"train": [3, 2, 1]}, **where),
    "confusion": lambda **where: plots.confusion([3, 8], [8, 8], **where),
    "activations_histogram": lambda **where: plots.activations_histogram({"one": np.arange(9.0)}, **where),
    "graph": lambda **where: plots.graph(_loss(), **where),
}


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_drawing_returns_the_axes_that_it_was_given_or_makes_new_ones(name: str, ax: Axes) -> None:
    assert DRAWINGS[name](ax=ax) is ax
    other = DRAWINGS[name]()
    assert isinstance(other, Axes)
    assert other is not ax


@pytest.mark.parametrize("name", DRAWINGS)
def test_a_figure_is_the_same_file_each_time_and_has_no_ground(name: str, tmp_path: Path) -> None:
    files = []
    for i in range(2):
        with plots.style():
            DRAWINGS[name]().figure.savefig(tmp_path / f"{i}.svg", metadata={"Date": None})
        files.append((tmp_path / f"{i}.svg").read_bytes())
    assert files[0] == files[1]
    drawn = DRAWINGS[name]()
    assert drawn.figure.get_facecolor()[3] == drawn.get_facecolor()[3] == 0


def test_the_style_is_left_behind_neither_by_a_figure_nor_by_the_context() -> None:
    before = dict(mpl.rcParams)
    for draw in DRAWINGS.values():
        draw()
    with plots.style():
        assert mpl.rcParams["text.color"] == plots.GREY
    assert dict(mpl.rcParams) == before


def test_every_drawing_of_the_module_is_tested() -> None:
    others = {"can_write", "figure", "legend", "png", "style", "use_style"}
    assert {name for name in plots.__all__ if name.islower()} - others == DRAWINGS.keys()


# ------------------------------------------------------------------------------------------- in the plane


@pytest.mark.parametrize("convert", [np.asarray, Tensor], ids=["array", "tensor"])
def test_points_have_their_place_and_their_class_its_colour_and_marker(
    convert: Callable[..., Any], ax: Axes
) -> None:
    plots.points(convert(POSITIONS), convert(LABELS), names=["minus", "plus"], ax=ax)
    minus, plus = ax.collections
    np.testing.assert_array_equal(minus.get_offsets(), POSITIONS[LABELS < 0])
    np.testing.assert_array_equal(plus.get_offsets(), POSITIONS[LABELS > 0])
    for i, drawn in enumerate((minus, plus)):
        np.testing.assert_allclose(drawn.get_facecolor()[0][:3], to_rgb(plots.COLOURS[i]))
    assert len(minus.get_paths()[0].vertices) != len(plus.get_paths()[0].vertices)
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["minus", "plus"]


def test_a_border_lies_where_the_sum_is_zero_and_its_arrow_along_w(ax: Axes) -> None:
    ax.set(xlim=(-5, 5), ylim=(-5, 5))
    w, b = np.array([1.0, 2.0]), -1.5
    plots.border(w, b, ax=ax)
    (line,) = ax.lines
    one, two = np.array(line.get_xy1()), np.array(line.get_xy2())
    np.testing.assert_allclose([one @ w + b, two @ w + b], 0, atol=1e-12)
    assert not np.allclose(one, two)
    arrow = ax.texts[0]
    direction = np.array(arrow.xy) - np.array(arrow.xyann)
    np.testing.assert_allclose(direction / np.linalg.norm(direction), w / np.linalg.norm(w))
    assert ax.axis() == (-5, 5, -5, 5)


def test_the_map_shows_what_the_model_says_at_each_place(ax: Axes) -> None:
    plots.decision_boundary(
        lambda p: p[:, 0] + 10 * p[:, 1], limits=(-1, 1, -2, 2), resolution=3, level=0.0, ax=ax
    )
    (picture,) = ax.images
    wanted = [[x + 10 * y for x in (-1, 0, 1)] for y in (-2, 0, 2)]  # rows from the bottom up
    np.testing.assert_allclose(picture.get_array(), wanted)
    assert picture.origin == "lower"
    assert picture.get_extent() == [-1, 1, -2, 2]
    assert picture.get_clim() == (-21, 21)


@pytest.mark.parametrize("level", [0.5, 0.2])
def test_the_line_of_a_map_is_where_the_model_says_level(level: float, ax: Axes) -> None:
    rng = np.random.default_rng(0)
    neuron = neurons.Neuron(2, rng=rng)
    plots.decision_boundary(neuron, level=level, ax=ax)
    (contour,) = [c for c in ax.collections if len(c.get_paths()[0].vertices)]
    on_the_line = contour.get_paths()[0].vertices.astype(np.float32)
    assert len(on_the_line) > 50
    np.testing.assert_allclose(neuron(on_the_line).numpy(), level, atol=2e-3)
    low, high = ax.images[0].get_clim()
    assert (low + high) / 2 == pytest.approx(level)


def test_a_model_of_one_opinion_has_no_line(ax: Axes) -> None:
    plots.decision_boundary(lambda p: np.zeros(len(p)), ax=ax)
    assert not ax.collections


# ------------------------------------------------------------------------------------------------ pictures


def test_pictures_stand_in_rows_under_their_captions(ax: Axes) -> None:
    pictures, digits = data.digits("test", classes=(3, 8))
    plots.images(pictures[:5], digits[:5].tolist(), columns=3, ax=ax)
    assert len(ax.images) == 5
    for drawn, picture in zip(ax.images, pictures, strict=False):
        np.testing.assert_array_equal(drawn.get_array(), picture)
        assert drawn.get_clim() == (0, 1)
    left, right, low, high = np.array([drawn.get_extent() for drawn in ax.images]).T
    np.testing.assert_array_equal(left < np.roll(left, -1), [True, True, False, True, False])
    assert (high[3:] > low[:2].max()).all()  # the y axis points down: the second row is below the first
    assert [text.get_text() for text in ax.texts] == [str(d) for d in digits[:5]]
    view = (*ax.get_xlim(), *sorted(ax.get_ylim()))
    assert view[0] <= left.min()
    assert view[1] >= right.max()
    assert view[2] <= high.min()
    assert view[3] >= low.max()


def test_the_neutral_colour_of_weights_is_exactly_zero(ax: Axes) -> None:
    values = np.array([[-0.5, 0.0], [0.25, 2.0]])
    plots.weights(Tensor(values), ax=ax)
    (picture,) = ax.images
    np.testing.assert_array_equal(picture.get_array(), values)
    assert picture.get_clim() == (-2, 2)
    red, _, blue, _ = np.moveaxis(picture.to_rgba(picture.get_array()), -1, 0)
    np.testing.assert_array_equal(np.sign(np.round(blue - red, 2)), np.sign(values))
    assert len(ax.figure.axes) == 2  # with its scale


def test_weights_in_a_row_become_a_picture(ax: Axes) -> None:
    plots.weights(np.arange(6), shape=(2, 3), bar=False, ax=ax)
    np.testing.assert_array_equal(ax.images[0].get_array(), [[0, 1, 2], [3, 4, 5]])
    assert len(ax.figure.axes) == 1


# ------------------------------------------------------------------------------------- training and inside


def test_curves_have_their_numbers_names_and_dashes(ax: Axes) -> None:
    plots.loss_curves({"train": [3.0, 2.0, 1.0], "test": (3.5, 3.0)}, log=True, ylabel="cost", ax=ax)
    train, test = ax.lines
    np.testing.assert_array_equal(train.get_xydata(), [[1, 3], [2, 2], [3, 1]])
    np.testing.assert_array_equal(test.get_xydata(), [[1, 3.5], [2, 3]])
    assert train.get_linestyle() != test.get_linestyle()
    assert (ax.get_yscale(), ax.get_ylabel(), ax.get_xlabel()) == ("log", "cost", "epoch")
    assert [text.get_text() for text in ax.get_legend().get_texts()] == ["train", "test"]


def test_confusion_counts_each_pair(ax: Axes) -> None:
    plots.confusion([3, 3, 8, 8, 8], [3, 8, 8, 8, 3], names=["three", "eight"], ax=ax)
    np.testing.assert_array_equal(ax.images[0].get_array(), [[1, 1], [1, 2]])
    assert [text.get_text() for text in ax.texts] == ["1", "1", "1", "2"]
    assert [text.get_text() for text in ax.get_yticklabels()] == ["three", "eight"]
    assert (ax.get_xlabel(), ax.get_ylabel()) == ("predicted", "true")


def test_confusion_has_a_row_for_each_name_though_a_class_is_missing(ax: Axes) -> None:
    plots.confusion([0, 3], [0, 1], names=range(4), ax=ax)
    assert [t.get_text() for t in ax.get_yticklabels()] == ["0", "1", "2", "3"]
    np.testing.assert_array_equal(ax.images[0].get_array()[[0, 3]], [[1, 0, 0, 0], [0, 1, 0, 0]])


def test_confusion_puts_the_true_class_in_rows(ax: Axes) -> None:
    plots.confusion([0, 0, 0], [1, 1, 0], ax=ax)
    np.testing.assert_array_equal(ax.images[0].get_array(), [[1, 2], [0, 0]])


def test_histograms_share_their_bins_and_each_sums_to_one(ax: Axes) -> None:
    rng = np.random.default_rng(0)
    layers = {"first": rng.normal(size=(50, 4)), "second": rng.normal(3, 1, size=90)}
    plots.activations_histogram(layers, bins=10, ax=ax)
    first, second = ax.patches
    np.testing.assert_array_equal(first.get_data().edges, second.get_data().edges)
    for steps, values in zip((first, second), layers.values(), strict=True):
        heights, edges, _ = steps.get_data()
        assert heights.sum() == pytest.approx(1)
        np.testing.assert_allclose(heights * values.size, np.histogram(values, edges)[0])


def test_a_graph_has_a_box_for_each_node_and_an_arrow_for_each_edge(ax: Axes) -> None:
    result = _loss()
    result.backward()
    plots.graph(result, ax=ax)
    boxes = [text for text in ax.texts if text.get_text()]
    arrows = [text for text in ax.texts if not text.get_text()]
    words = [box.get_text().splitlines() for box in boxes]
    assert words == [
        ["x", "3", "gradient 7"],
        ["multiply", "9", "gradient 1"],
        ["add", "12", "gradient 1"],
    ]
    places = {box.get_text().splitlines()[0]: box.get_position() for box in boxes}
    ends = {(arrow.xy, arrow.xyann) for arrow in arrows}
    assert ends == {
        (places["multiply"], places["x"]),  # the head, the tail
        (places["add"], places["x"]),
        (places["add"], places["multiply"]),
    }
    assert places["x"][0] < places["multiply"][0] < places["add"][0]


# -------------------------------------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("draw", "message"),
    [
        (lambda: plots.figure(0), "at least one column; received 0"),
        (lambda: plots.figure(rows=0), "at least one row; received 0"),
        (lambda: plots.points(np.zeros((3, 3)), np.zeros(3)), r"positions \(n, 2\).*received \(3, 3\)"),
        (lambda: plots.points(np.zeros((3, 2)), np.zeros(2)), r"labels \(n,\).*\(2,\)"),
        (lambda: plots.points(np.zeros((5, 2)), np.arange(5)), "at most 4 classes"),
        (lambda: plots.points(POSITIONS, LABELS, names=["one"]), "a name for each of 2 classes"),
        (lambda: plots.border([0.0, 0.0], 1.0), "not both 0"),
        (lambda: plots.decision_boundary(lambda p: p), r"a number for each of 14641 points; received shape"),
        (lambda: plots.images(np.zeros((28, 28))), "Rows become pictures"),
        (lambda: plots.images(np.zeros((2, 3, 3)), ["one"]), "a caption for each of 2"),
        (lambda: plots.weights(np.zeros(7)), "expected 3 × 3 weights; received 7"),
        (lambda: plots.loss_curves({}), "1 to 4 curves; received 0"),
        (lambda: plots.confusion([1, 2], [1]), "a prediction for each label"),
        (lambda: plots.confusion([1, 2], [1, 2], names=["a"]), "a name for each of"),
        (lambda: plots.activations_histogram({}), "1 to 4 layers; received 0"),
        (lambda: plots.activations_histogram({"a": [np.nan]}), "finite activations"),
    ],
)
def test_a_figure_that_cannot_be_drawn_says_why(draw: Callable[[], Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        draw()


# ------------------------------------------------------------------------------------------------- colours

# What people see who lack one kind of cone, as matrices on linear RGB: Machado, Oliveira and Fernandes, "A
# physiologically-based model for simulation of color vision deficiency", 2009, severity 1.
SIGHT = {
    "all cones": np.eye(3),
    "protanopia": [
        [0.152286, 1.052583, -0.204868],
        [0.114503, 0.786281, 0.099216],
        [-0.003882, -0.048116, 1.051998],
    ],
    "deuteranopia": [
        [0.367322, 0.860646, -0.227968],
        [0.280085, 0.672501, 0.047413],
        [-0.011820, 0.042940, 0.968881],
    ],
    "tritanopia": [
        [1.255528, -0.076749, -0.178779],
        [-0.078411, 0.930809, 0.147602],
        [0.004733, 0.691367, 0.303900],
    ],
}
WHITE, DARK = "#ffffff", "#121212"  # the grounds of a page


def linear(colour: str) -> Values:
    rgb = np.array(to_rgb(colour))
    return np.where(rgb <= 0.04045, rgb / 12.92, ((rgb + 0.055) / 1.055) ** 2.4)


def lab(rgb: Values) -> Values:
    """Return CIE L*a*b* of linear RGB under D65."""
    to_xyz = np.array([[0.4124, 0.3576, 0.1805], [0.2126, 0.7152, 0.0722], [0.0193, 0.1192, 0.9505]])
    ratio = to_xyz @ np.clip(rgb, 0, 1) / [0.9505, 1.0, 1.089]
    f = np.where(ratio > (6 / 29) ** 3, np.cbrt(ratio), ratio / (3 * (6 / 29) ** 2) + 4 / 29)
    return np.array([116 * f[1] - 16, 500 * (f[0] - f[1]), 200 * (f[1] - f[2])])


def difference(one: str, two: str, sight: str) -> float:
    """Return the distance of two colours in L*a*b*, of which about 2 is just noticeable."""
    matrix = np.array(SIGHT[sight])
    return float(np.linalg.norm(lab(matrix @ linear(one)) - lab(matrix @ linear(two))))


def contrast(one: str, two: str) -> float:
    """Return the contrast ratio of WCAG 2, from 1 to 21."""
    dark, light = sorted(float(linear(c) @ [0.2126, 0.7152, 0.0722]) for c in (one, two))
    return (light + 0.05) / (dark + 0.05)


@pytest.mark.parametrize("sight", SIGHT)
def test_everybody_can_tell_the_colours_apart(sight: str) -> None:
    for one, two in itertools.combinations(plots.COLOURS, 2):
        assert difference(one, two, sight) > 15, (one, two)
    first, second = plots.COLOURS[:2]  # those of the two classes
    assert difference(first, second, sight) > 50


def test_the_test_of_colours_can_fail() -> None:
    assert difference("#ff0000", "#00a000", "all cones") > 50
    assert difference("#a05000", "#5f7000", "deuteranopia") < 15  # the traffic light's problem
    assert contrast("#000000", "#ffffff") == pytest.approx(21)


@pytest.mark.parametrize("ground", [WHITE, DARK])
def test_colours_stand_out_from_light_and_dark_pages(ground: str) -> None:
    for colour in plots.COLOURS:
        assert contrast(colour, ground) >= 3, colour  # WCAG 2.2, 1.4.11: graphics
    assert contrast(plots.GREY, ground) >= 4


def test_markers_and_dashes_repeat_what_colours_say() -> None:
    assert len(set(plots.MARKERS)) == len(set(plots.DASHES)) == len(plots.COLOURS)


# ---------------------------------------------------------------------------------------------- the notebook


def test_in_a_notebook_the_style_asks_for_svg_without_a_date() -> None:
    program = (
        "import ipykernel, matplotlib_inline.backend_inline as inline\n"
        "asked = []\n"
        "inline.set_matplotlib_formats = lambda *formats, **options: asked.append((formats, options))\n"
        "from dlcore import plots\n"
        "plots.use_style()\n"
        "import matplotlib as mpl\n"
        "print(asked, mpl.rcParams['text.color'])"
    )
    root = Path(__file__).resolve().parent.parent
    shown = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True, cwd=root
    )
    assert shown.stdout.strip() == f"[(('svg',), {{'metadata': {{'Date': None}}}})] {plots.GREY}"
