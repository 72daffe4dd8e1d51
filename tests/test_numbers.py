"""Would we see it? Errors of the kind that textbooks have printed for years, planted one by one; each must be seen.

A constant of the package that changes; a line that is missing and alters a figure; a number in the prose that was true
once; a gradient with the wrong sign; a gradient check that leaves out a layer; text and widget that disagree about a
colour. The honest run stands beside each and stays green. All of it happens in copies.
"""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pytest

import dlcore as dl
from dlcore.activations import relu
from dlcore.backprop import Tensor, check_gradients, check_parameters, primitive
from tools import nbval_widgets, notebooks, rounding
from tools.notebooks import CHAPTERS, ROOT, WIDGET_STATE

# ---- numbers and figures: a part of the first chapter, with the outputs that are stored, run again by nbval

# The first words of the cells: they import, ask and answer a prediction, print, draw a figure, glue a number, train.
CELLS = (
    "import numpy as np\n\nimport dlcore",
    "inputs = np.array(",
    "guess_gate = Predict(",
    "measured = ThresholdUnit(",
    "w, b = np.array([1.0, 2.0])",
    "rng = np.random.default_rng(0)\ncloud",
    "from myst_nb import glue",
    "rng = np.random.default_rng(0)\nplane",
)
LISTS, PRINTS, DRAWS, GLUES, TRAINS = 1, 4, 5, 6, 7  # the last is that after which the widgets are compared
digits = pytest.mark.skipif(not rounding.compares_digits(), reason=rounding.WHY)


def excerpt() -> Any:
    """Return a part of the chapter Neurons that runs by itself."""
    notebook = nbformat.read(CHAPTERS / "01_neurons.ipynb", as_version=4)
    notebook.cells = [
        next(cell for cell in notebook.cells if cell.source.startswith(start)) for start in CELLS
    ]
    return notebook


def with_errors() -> Any:
    """Return the same with four errors: in a figure's code, in what is printed, in what is glued, in a prediction."""
    notebook = excerpt()
    notebook.cells[DRAWS].source = without(notebook.cells[DRAWS].source, "\nax = plots.border(w, b, ax=ax)")
    output = notebook.cells[PRINTS].outputs[0]
    output.text = output.text.replace("-0.67", "-0.76")
    notebook.cells[GLUES].outputs[0].data["application/papermill.record/text/plain"] = "264"
    asked(notebook)["result"] = 0
    return notebook


def with_other_words() -> Any:
    """Return the same with five errors that are none of rounding: an array of another form, another word, no figure,
    an exception, another question in a widget.
    """
    notebook = excerpt()
    notebook.cells[LISTS].source += "[:, None]"
    output = notebook.cells[PRINTS].outputs[0]
    output.text = output.text.replace("distance", "length", 1)
    notebook.cells[DRAWS].source = ""
    notebook.cells[GLUES].source += "\nraise ValueError"
    asked(notebook)["summary"] = asked(notebook)["summary"].replace("the unit", "the neuron")
    return notebook


def asked(notebook: Any) -> Any:
    """Return the stored state of the prediction."""
    models = notebook.metadata.widgets[WIDGET_STATE]["state"].values()
    return next(model.state for model in models if "0 0 0 1" in str(model.state.get("form")))


def without(source: str, line: str) -> str:
    assert source.count(line) == 1
    return source.replace(line, "")


def failures(folder: Path, package: Path = ROOT, digits: str = "compared") -> dict[str, set[int]]:
    """Run the notebooks of a folder as ``make test`` does; return the cells that fail, by notebook.

    Args:
        folder: where they are.
        package: the folder that holds the dlcore which they import.
        digits: "masked" for a run as on a processor where they are not compared.
    """
    shutil.copy(ROOT / "pyproject.toml", folder)
    command = [sys.executable, "-m", "pytest", "-c", folder / "pyproject.toml", "--rootdir", folder, folder]
    command += ["-q", "-p", "no:xdist", "-p", "no:cacheprovider", "-p", "tools.nbval_widgets", "--nbval"]
    command += ["--nbval-current-env", "--nbval-sanitize-with", ROOT / "tools" / "nbval.cfg"]
    paths = os.pathsep.join([str(package), str(ROOT)])
    environment = {**os.environ, "PYTHONPATH": paths, "NO_COLOR": "1", "SOURCE_DATE_EPOCH": "0"}
    environment["DIGITS"] = digits
    run = subprocess.run(command, check=False, capture_output=True, text=True, env=environment, cwd=folder)
    assert run.returncode in (0, 1), run.stdout[-2000:] + run.stderr[-2000:]
    assert " passed" in run.stdout, run.stdout[-2000:]
    assert (rounding.WHY in run.stdout) == (digits == "masked")
    found: dict[str, set[int]] = {path.stem: set() for path in folder.glob("*.ipynb")}
    for name, cell in re.findall(r"^FAILED .*?(\w+)\.ipynb::Cell (\d+)", run.stdout, flags=re.MULTILINE):
        found[name].add(int(cell))
    return found


@digits
@pytest.mark.slow
def test_an_error_in_a_figure_a_number_a_glued_number_and_a_prediction_is_seen(tmp_path: Path) -> None:
    pytest.importorskip("nbval", reason="the notebooks are not run again: nbval is not installed")
    nbformat.write(excerpt(), tmp_path / "honest.ipynb")
    nbformat.write(with_errors(), tmp_path / "planted.ipynb")
    assert failures(tmp_path) == {"honest": set(), "planted": {PRINTS, DRAWS, GLUES, TRAINS}}


@pytest.mark.slow
def test_where_digits_are_not_compared_all_else_is(tmp_path: Path) -> None:
    pytest.importorskip("nbval", reason="the notebooks are not run again: nbval is not installed")
    nbformat.write(with_errors(), tmp_path / "numbers.ipynb")
    nbformat.write(with_other_words(), tmp_path / "words.ipynb")
    found = failures(tmp_path, digits="masked")
    # Of the numbers only the prediction's is seen: its true result is no number but the name of a choice.
    assert found == {"numbers": {TRAINS}, "words": {LISTS, PRINTS, DRAWS, GLUES, TRAINS}}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("loss 0.25, w = [ 1.  -0.5]", "loss 1e-09, w = [-1.25  0.5 ]", True),
        ("1,024 right", "987 right", True),
        ("distance −0.5", "distance 3", True),
        ("'95.4'", "'95.3'", True),
        ("0.64 (0.61 to 0.67)", "0.6 (0.59 to 0.7)", True),
        ("397 (304 to 590), (0.5, 3)", "406 (307 to 562), (0.25, 4)", True),
        ("loss 0.25", "loss nan", False),
        ("(3, 4) float32", "(3, 5) float32", False),
        ("(3,)", "(4,)", False),
        ("(8, 3, 1)", "(8, 3)", False),
        ("float32", "float64", False),
        ("[0.25]", "[[0.25]]", False),
        ("step 1\nstep 2", "step 1", False),
        ("True", "False", False),
        ('<svg width="1">a</svg>', '<svg width="2">b</svg>', True),
        ('<svg width="1">a</svg>', "", False),
    ],
)
def test_a_mask_hides_numbers_and_figures_alone(one: str, other: str, same: bool) -> None:
    assert (nbval_widgets.masked(one) == nbval_widgets.masked(other)) == same


@digits
@pytest.mark.slow
def test_a_constant_of_the_package_that_changes_is_seen(tmp_path: Path) -> None:
    pytest.importorskip("nbval", reason="the notebooks are not run again: nbval is not installed")
    (tmp_path / "run").mkdir()
    nbformat.write(excerpt(), tmp_path / "run" / "part.ipynb")
    shutil.copytree(ROOT / "dlcore", tmp_path / "dlcore", ignore=shutil.ignore_patterns("__pycache__"))
    assert planar_scale(tmp_path, "11") == {"part": {TRAINS}}, (
        "the cells that do not use the constant stay green"
    )


def planar_scale(folder: Path, scale: str) -> dict[str, set[int]]:
    """Let the heights of the data set plane be divided by another number than 10, and run the part again."""
    path = folder / "dlcore" / "data" / "planar.py"
    text = path.read_text(encoding="utf-8")
    assert text.count("noise * shift_y) / 10)") == 1
    path.write_text(text.replace("noise * shift_y) / 10)", f"noise * shift_y) / {scale})"), encoding="utf-8")
    return failures(folder / "run", folder)


# ---- gradients: the wrong sign, and the layer that nobody looked at


def a_loss(model: dl.layers.Module) -> Callable[[], Tensor]:
    """Return the loss of a model with two inputs and one output on five points."""
    rng = np.random.default_rng(1)
    x, t = rng.normal(size=(5, 2)), rng.normal(size=(5, 1))
    return lambda: dl.loss.mse(model(x), t)


def a_model(last: Callable[[Any], Tensor]) -> dl.layers.Module:
    rng = np.random.default_rng(2)
    first, output = (dl.layers.Dense(*size, rng=rng, dtype="float64") for size in ((2, 3), (3, 1)))
    return dl.layers.Sequential(first, dl.activations.tanh, Bent(output, last))


class Bent(dl.layers.Module):
    """A layer whose weights go through an operation first: the place to plant an error in them alone."""

    def __init__(self, layer: dl.layers.Dense, bend: Callable[[Any], Tensor]) -> None:
        self.layer, self.bend = layer, bend

    def forward(self, x: Tensor) -> Tensor:
        return x @ self.bend(self.layer.weight) + self.layer.bias


@primitive
def honest(x: Any) -> Any:
    return 1 * x, lambda g: g


@primitive
def wrong_sign(x: Any) -> Any:
    return 1 * x, lambda g: -g


@primitive
def off_by_a_thousandth(x: Any) -> Any:
    return 1 * x, lambda g: 1.001 * g


@pytest.mark.parametrize("planted", [wrong_sign, off_by_a_thousandth])
def test_an_error_in_the_last_layer_alone_is_seen(planted: Callable[[Any], Tensor]) -> None:
    model = a_model(honest)
    check_parameters(a_loss(model), model.parameters())
    model = a_model(planted)
    with pytest.raises(AssertionError, match=r"input 2 of shape \(3, 1\)"):
        check_parameters(a_loss(model), model.parameters())


@pytest.mark.parametrize("position", range(4))
def test_every_parameter_is_visited(position: int) -> None:
    model = a_model(honest)
    planted, loss = model.parameters()[position], a_loss(model)
    check_parameters(loss, model.parameters())
    with pytest.raises(AssertionError, match=f"input {position} "):
        check_parameters(lambda: loss() + unseen(planted.sum()), model.parameters())


def test_a_penalty_of_all_parameters_is_checked_too() -> None:
    model = a_model(honest)

    def penalized() -> Tensor:
        return a_loss(model)() + sum((honest(p) * p).sum() for p in model.parameters())

    check_parameters(penalized, model.parameters())
    with pytest.raises(AssertionError, match="input 0 "):
        check_parameters(
            lambda: penalized() + sum(unseen(p.sum()) for p in model.parameters()), model.parameters()
        )


@primitive
def unseen(x: Any) -> Any:
    """Add nothing to the value, and something to the gradient."""
    return 0 * x, lambda g: g


def test_a_check_that_leaves_out_a_layer_is_refused() -> None:
    model = a_model(wrong_sign)
    with pytest.raises(
        ValueError, match=r"also depends on a parameter of shape \(3, 1\) .*model\.parameters\(\)"
    ):
        check_parameters(a_loss(model), [*model.parameters()[:2], model.parameters()[3]])


def test_a_check_of_what_leads_nowhere_is_refused() -> None:
    model = a_model(wrong_sign)
    weight = model.parameters()[2]
    with pytest.raises(ValueError, match=r"input 0 of shape \(3, 1\) does not lead to the output"):
        check_gradients(lambda unused: a_loss(model)(), weight.data)
    model, spare = a_model(honest), Tensor(np.ones(2), requires_grad=True)
    with pytest.raises(ValueError, match="does not lead to the output"):
        check_parameters(a_loss(model), [*model.parameters(), spare])


def test_a_check_leaves_the_model_as_it_was() -> None:
    model = a_model(wrong_sign)
    before = model.state()
    with pytest.raises(AssertionError):
        check_parameters(a_loss(model), model.parameters())
    assert all(np.array_equal(value, before[name]) for name, value in model.state().items())
    assert [(p.requires_grad, p.edges, p.grad) for p in model.parameters()] == [(True, [], None)] * 4


def test_an_activation_of_the_package_with_the_wrong_sign_is_seen() -> None:
    x = np.array([-1.5, 0.5, 2.0])
    check_gradients(relu, x)
    source = (ROOT / "dlcore" / "activations.py").read_text(encoding="utf-8")
    honest_line, wrong_line = "lambda g: kernels.gate(g, x)", "lambda g: -kernels.gate(g, x)"
    assert source.count(honest_line) == 1
    names: dict[str, Any] = {"__package__": "dlcore", "__name__": "dlcore.activations_with_an_error"}
    exec(source.replace(honest_line, wrong_line), names)
    with pytest.raises(AssertionError, match="central differences"):
        check_gradients(names["relu"], x)


# ---- colours: what the text calls blue is blue

CLASSES = {"+1": "blue", "plus one": "blue", "−1": "orange", "-1": "orange", "minus one": "orange"}
ONE = r"(blue|orange)"
CLASS = r"class(?:es)? (\+1|plus one|−1|-1|minus one)"
NEAR = r"[^.;:|]{0,30}?"


def colour_faults(text: str) -> list[str]:
    """Return where a text gives a class the colour of the other."""
    pairs = [
        (match[2], match[1], match[0]) for match in re.finditer(f"{ONE}{NEAR}{CLASS}", text, re.IGNORECASE)
    ]
    pairs += [(m[1], m[2], m[0]) for m in re.finditer(f"{CLASS}[ a-z]{{1,20}}?{ONE}", text, re.IGNORECASE)]
    return [words for name, colour, words in pairs if CLASSES[name.lower()] != colour.lower()]


def hue(colour: Any) -> str:
    """Return the name of a colour, #rrggbb or its three parts."""
    red, green, blue = [int(colour[i : i + 2], 16) for i in (1, 3, 5)] if isinstance(colour, str) else colour
    return "orange" if red > green > blue else "blue" if blue > green > red else f"neither: {colour}"


def kit_faults(kit: str) -> list[str]:
    """Return where the widgets' colours of signs are not those of the text."""
    found = re.findall(r"export const (\w+TIVE) = \[(\d+), (\d+), (\d+)\]", kit)
    shown = {sign: hue([int(part) for part in parts]) for sign, *parts in found}
    return [f"{sign} is {shown.get(sign)}" for sign, name in SIGNS.items() if shown.get(sign) != name]


SIGNS = {"POSITIVE": "blue", "NEGATIVE": "orange"}
KIT = ROOT / "dlcore" / "widgets" / "kit.js"


def told() -> str:
    """Return all that the pages and the widgets say: prose, words for pictures, summaries, labels."""
    cells = [cell for path in notebooks.NOTEBOOKS for cell in nbformat.read(path, as_version=4).cells]
    words = [cell.source for cell in cells]
    words += [cell.metadata.get("mystnb", {}).get("image", {}).get("alt", "") for cell in cells]
    widgets = [path for path in (ROOT / "dlcore" / "widgets").rglob("*") if path.suffix in (".py", ".js")]
    return "\n\n".join([*words, *(path.read_text(encoding="utf-8") for path in widgets)])


def test_text_figures_and_widgets_agree_on_the_colours() -> None:
    text = told()
    assert len(re.findall(f"{ONE}{NEAR}{CLASS}", text, re.IGNORECASE)) >= 3  # there is something to agree on
    assert colour_faults(text) == []
    assert kit_faults(KIT.read_text(encoding="utf-8")) == []


def test_figures_give_the_lower_class_orange_and_the_higher_one_blue() -> None:
    plots = pytest.importorskip("dlcore.plots", reason="no figures: matplotlib is not installed")
    assert [hue(colour) for colour in plots.COLOURS[:2]] == ["orange", "blue"]
    ends = [[255 * part for part in plots.DIVERGING(end)[:3]] for end in (0.0, 1.0)]
    assert [hue(end) for end in ends] == ["orange", "blue"]
    ax = plots.points([[0, 0], [1, 1]], [-1, 1])
    drawn = [[255 * part for part in group.get_facecolor()[0][:3]] for group in ax.collections]
    plots.png(ax)  # closes the figure
    assert [hue(each) for each in drawn] == ["orange", "blue"]


@pytest.mark.parametrize(
    "text",
    [
        "Blue is class −1, pale is undecided.",
        "class +1 is drawn in orange",
        "orange squares, class plus one, lie below",
    ],
)
def test_a_text_that_swaps_the_colours_is_seen(text: str) -> None:
    assert colour_faults(text)


def test_widgets_that_swap_the_colours_are_seen() -> None:
    kit = KIT.read_text(encoding="utf-8")
    swapped = kit.replace("const POSITIVE", "const X").replace("const NEGATIVE", "const POSITIVE")
    assert len(kit_faults(swapped.replace("const X", "const NEGATIVE"))) == 2


@pytest.mark.browser
def test_a_positive_value_is_drawn_in_blue(tmp_path: Path, chromium: Any) -> None:
    from tests.browser import Visit, served

    shutil.copytree(KIT.parent, tmp_path / "widgets", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    (tmp_path / "page.html").write_text("<!doctype html><title>one</title>")
    ask = (
        "async () => { const kit = await import('/widgets/kit.js'); return [kit.colour(-1), kit.colour(1)]; }"
    )
    with served(tmp_path) as address:
        drawn = Visit(chromium.new_context(), f"{address}/page.html").evaluate(ask)
    assert [hue(each) for each in drawn] == ["orange", "blue"]
