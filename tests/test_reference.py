"""The pages of the package: everything public is there, and a docstring becomes what it looks like in an editor."""

import importlib
import inspect
import re
from html import unescape
from pathlib import Path

import pytest

import dlcore as dl

pytest.importorskip("sphinx", reason="the pages are not made: Sphinx is not installed")

from tools import reference_pages as reference
from tools.notebooks import ROOT

# Public names without an example in their docstring. Take one off when it gets one; add none.
WITHOUT_EXAMPLE = {
    "neurons": "weighted_sum Mistakes",
    "layers": "Module Activation Flatten affine Dense Dropout LayerNorm BatchNorm Embedding",
    "pieces": "Region",
    "init": "zeros constant normal uniform glorot he lecun",
    "activations": (
        "ActivationFunction identity step sigmoid tanh relu leaky_relu elu selu softplus silu gelu "
        "softmax log_softmax"
    ),
    "propagation": "Forecast forecast Chain Passage pass_through flat",
    "optim": "Optimizer Adagrad RMSProp Adam AdamW constant cosine warmup one_cycle",
    "training": "Checkpoint save load Diverged State Sweep resume",
    "backprop": (
        "backward record add subtract multiply divide negative power matmul exp log sqrt sin cos "
        "absolute maximum minimum where sum mean amax reshape transpose swap_last broadcast_to "
        "getitem take concat stack Node"
    ),
    "capture": "Captured CaptureError",
    "data": "Standardization",
    "arrays": "copy_into is_floating Array is_array library device_of",
    "convolution": "conv2d max_pool2d avg_pool2d Conv2d MaxPool2d AvgPool2d GlobalAvgPool",
    "plots": (
        "activations_histogram graph images weights points border decision_boundary loss_curves "
        "confusion style use_style legend png"
    ),
    "widgets": "Widget Quiz",
}


def test_each_module_has_its_page_and_the_contents_name_it() -> None:
    assert set(reference.MODULES) == set(dl._MODULES)
    contents = (ROOT / "_toc.yml").read_text(encoding="utf-8")
    for module in reference.MODULES:
        page = ROOT / "reference" / f"{module}.md"
        assert f".. public:: dlcore.{module}\n" in page.read_text(encoding="utf-8")
        assert f"file: reference/{module}\n" in contents


@pytest.mark.parametrize("module", reference.MODULES)
def test_every_public_name_is_on_a_page(book: Path, module: str) -> None:
    page = (book / "reference" / f"{module}.html").read_text(encoding="utf-8")
    package = importlib.import_module(f"dlcore.{module}")
    names = [
        name for name in vars(package).get("__all__", ()) if not inspect.ismodule(getattr(package, name))
    ]
    names += [each.name for each in reference.public(f"dlcore.{module}")]
    assert names
    assert [name for name in names if f'id="dlcore.{module}.{name}"' not in page] == []


def test_what_dlcore_itself_offers_is_on_the_first_page(book: Path) -> None:
    page = unescape((book / "reference" / "index.html").read_text(encoding="utf-8"))
    for name, module in dl._NAMES.items():
        assert f'href="{module}.html#dlcore.{module}.{name}"' in page


def test_no_signature_shows_where_something_lies_in_memory_or_what_python_made_of_it(book: Path) -> None:
    for module in reference.MODULES:
        page = (book / "reference" / f"{module}.html").read_text(encoding="utf-8")
        for entry in re.findall(r'<dt class="sig.*?</dt>', page, flags=re.DOTALL):
            shown = unescape(re.sub("<[^>]+>", "", entry))
            assert not re.search(r"~|<|0x|ForwardRef|ndarray\[tuple|\[\[\.\.\.", shown), shown


def test_search_finds_relu(book: Path) -> None:
    index = (book / "searchindex.js").read_text(encoding="utf-8")
    assert '"relu"' in index or "relu:" in index


def test_a_public_function_has_an_example_that_runs() -> None:
    excused = {f"{module}.{name}" for module, names in WITHOUT_EXAMPLE.items() for name in names.split()}
    assert set(reference.without_example()) - excused == set(), "give the docstring an example"
    known = {
        f"{module}.{each.name}"
        for module in reference.MODULES
        for each in reference.public(f"dlcore.{module}")
    }
    assert excused - known == set(), "there is no such name"


# ---- what the docstrings become


def link(code: str) -> str:
    return f"<{code}>"


@pytest.mark.parametrize(
    ("docstring", "expected"),
    [
        ("Return `x`, and |w|.", "Return <x>, and \\|w\\|."),
        ("See validation_… and **settings).", "See validation\\_… and \\**settings)."),
        ("First `a\nb`.", "First <a\nb>."),
        ("Text:\n\n    >>> 1 | 2\n    3", "Text:\n\n>>> 1 | 2\n3"),
        ("Text:\n>>> `x`", "Text:\n\n>>> `x`"),
        ("Text:\n\n    y = |x|", "Text:\n\n.. code-block:: text\n\n   y = |x|"),
        (
            "Text:\n\n    a    one\n         more\n    b c  two",
            "Text:\n\n\n<a>\n   one\n   more\n\n<b> <c>\n   two",
        ),
        ("Args:\n    x: `f` of\n        it.", "Args:\n    x: <f> of\n        it."),
    ],
)
def test_a_docstring_is_rewritten(docstring: str, expected: str) -> None:
    assert "\n".join(reference.rewritten(docstring.split("\n"), link)).strip() == expected


def test_code_becomes_a_link_where_it_names_an_entry_and_nothing_nearer() -> None:
    linked = reference.linker("dlcore.optim", own={"step"})
    assert linked("Adam") == ":py:obj:`Adam <dlcore.optim.Adam>`"
    assert linked("loss.mse()") == ":py:obj:`loss.mse() <dlcore.loss.mse>`"
    assert linked("step") == "``step``"
    assert linked("x + 1") == "``x + 1``"


def test_operations_and_losses_are_shown_as_they_are_called() -> None:
    huber = reference.as_called(dl.loss.huber, inspect.unwrap(dl.loss.huber))
    assert list(huber.parameters)[:2] == ["predictions", "targets"]
    assert list(huber.parameters)[-1] == "delta"
    assert str(huber.parameters["delta"].default) == "1.0"
    total = reference.as_called(dl.backprop.sum, inspect.unwrap(dl.backprop.sum))
    assert total.parameters["x"].annotation == "Tensor | Array"
    assert total.parameters["axis"].annotation == "int | tuple[int, ...] | None"


def test_names_come_in_the_order_of_the_source() -> None:
    names = [each.name for each in reference.public("dlcore.optim")]
    assert names.index("SGD") < names.index("Adam") < names.index("cosine") < names.index("clip_grad_norm")
