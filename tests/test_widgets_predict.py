"""Predict: what may be asked, predicted and measured, and that nothing says the result too early."""

import json
import math
import re
from typing import Any

import numpy as np
import pytest
import traitlets

from dlcore.widgets import Predict
from dlcore.widgets.words import plain, rendered, wrapped

NUMBER = {"low": 0, "high": 1000, "unit": "mistakes"}
CHOICE = {"options": ["yes, with $w$", "no"]}
ITEMS = {"items": ["border", "sums"], "options": ["stays", "times ten"]}
CURVE = {"x": (1, 50), "y": (1e-6, 1), "log_y": True, "x_label": "layer", "y_label": "gradient"}
#: Of each form: how it is made, an answer as JSON brings it, a result, and what Python makes of both.
FORMS: dict[str, tuple[dict[str, Any], Any, Any, Any]] = {
    "number": (NUMBER, 40, np.float64(126), 126.0),
    "choice": (CHOICE, "no", "yes, with $w$", "yes, with $w$"),
    "items": (ITEMS, ["stays", "stays"], ("stays", "times ten"), ["stays", "times ten"]),
    "curve": (
        CURVE,
        [[1, 7, 13, 19, 26, 32, 38, 44, 50], [0.5] * 9],
        (np.array([1, 25, 50]), [0.5, 1 / 3, 0]),
        [[1.0, 25.0, 50.0], [0.5, 0.333333, 0.0]],
    ),
}
every_form = pytest.mark.parametrize("kind", list(FORMS))


def made(kind: str, **more: Any) -> Any:
    return Predict("How *many* is $x_1$?", **FORMS[kind][0], **more)


@every_form
def test_an_answer_and_a_result_are_stored_as_json_holds_them(kind: str) -> None:
    _, answer, result, stored = FORMS[kind]
    guess = made(kind)
    assert (guess.kind, guess.answer, guess.result) == (kind, None, None)
    guess.set_state({"answer": answer})
    assert guess.reveal(result) is None
    assert guess.answer == answer
    assert guess.result == stored
    assert json.loads(json.dumps(guess.result, allow_nan=False)) == stored
    guess.answer = None
    assert guess.answer is None


@every_form
def test_neither_words_nor_picture_give_the_result_away(kind: str) -> None:
    guess = made(kind)
    summary, picture = guess.summary, guess.picture()
    assert summary.startswith("How many is x_1? To predict: ")
    guess.reveal(FORMS[kind][2])
    assert (guess.summary, guess.picture()) == (summary, picture)
    guess.answer = FORMS[kind][1]
    assert "Predicted: " in guess.summary
    assert "126" not in guess.summary
    assert guess.picture() == picture  # of the question, for everyone


@pytest.mark.parametrize(
    ("kind", "answer", "expected"),
    [
        ("number", -1, "a number from 0 to 1000 mistakes"),
        ("number", math.nan, "a number from 0 to 1000 mistakes"),
        ("number", "40", "a number from 0 to 1000 mistakes"),
        ("number", True, "a number from 0 to 1000 mistakes"),
        ("choice", "maybe", "one of 'yes, with $w$', 'no'"),
        ("choice", 0, "one of 'yes, with $w$', 'no'"),
        ("items", ["stays"], "a list of 2 options, each one of 'stays', 'times ten'"),
        ("items", "stays", "a list of 2 options"),
        ("items", ["stays", "no"], "a list of 2 options"),
        ("curve", [[1, 2], [0.5, 0.5]], "a curve from 1 to 50 (layer), 1e-06 to 1 high (gradient)"),
        ("curve", [FORMS["curve"][1][0], [2.0] * 9], "a curve from 1 to 50"),
        ("curve", 3, "a curve from 1 to 50"),
    ],
)
def test_an_answer_that_is_not_allowed_is_refused_and_the_last_one_kept(
    kind: str, answer: Any, expected: str
) -> None:
    guess = made(kind)
    guess.answer = kept = FORMS[kind][1]
    message = rf"Predict\.answer: expected {re.escape(expected)}.*; received .* The widget keeps "
    with pytest.raises(traitlets.TraitError, match=message):
        guess.answer = answer
    assert guess.answer == kept


@pytest.mark.parametrize(
    ("kind", "result", "expected"),
    [
        ("number", math.inf, "a finite number"),
        ("number", "many", "a finite number"),
        ("choice", "maybe", "one of 'yes, with $w$', 'no'"),
        ("items", ["stays"], "a list of 2 options"),
        ("items", None, "a list of 2 options"),
        ("curve", [1, 2, 3], "(xs, ys), two equally long rows of at least two finite numbers"),
        ("curve", ([1, 2], [0.5]), "(xs, ys)"),
        ("curve", ([1, 2], [0.5, math.nan]), "(xs, ys)"),
        ("curve", ([[1, 2]], [[0.5, 1]]), "(xs, ys)"),
        ("curve", 7, "(xs, ys)"),
    ],
)
def test_a_result_that_cannot_be_is_refused(kind: str, result: Any, expected: str) -> None:
    guess = made(kind)
    with pytest.raises(ValueError, match=rf"Predict\.reveal: expected {re.escape(expected)}.*; received "):
        guess.reveal(result)
    assert guess.result is None


def test_a_result_may_leave_the_scale() -> None:
    guess = made("number")
    guess.reveal(1234.5678912)
    assert guess.result == 1234.57


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({}, "received none of them"),
        ({"low": 0}, "received low"),
        ({**NUMBER, **CHOICE}, "received high, low, options, unit"),
        ({**CHOICE, "unit": "mm"}, "received options, unit"),
        ({"items": ["a"]}, "received items"),
        ({"low": 1, "high": 0}, "Predict.low, high: expected two finite numbers, the lower first"),
        ({"low": 0, "high": math.inf}, "two finite numbers"),
        ({"low": 0, "high": 1, "log": True}, "expected positive numbers, as its scale is logarithmic"),
        ({"options": ["a"]}, "Predict.options: expected at least 2, each once"),
        ({"options": ["a", "a"]}, "each once"),
        ({"options": "ab"}, "expected a list of texts"),
        ({"options": ["a", 1]}, "expected a list of texts"),
        ({"options": 3}, "Predict.options: expected a list of texts; received 3"),
        ({"options": ["a", "$\\nosuch$"]}, "a formula that MathML has"),
        ({"options": ["a", "one\n\ntwo"]}, "a text of one paragraph"),
        ({"items": [], "options": ["a", "b"]}, "Predict.items: expected at least 1"),
        ({"x": 3, "y": (0, 1)}, "Predict.x: expected (low, high); received 3"),
        ({"x": (0, 1), "y": (0, 1), "log_y": True}, "Predict.y: expected positive numbers"),
        ({"x": (0, 1), "y": (0, 1), "x_label": "$t$"}, "Predict.x_label: expected plain text"),
    ],
)
def test_what_cannot_be_asked_is_refused(arguments: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=re.escape(message)):
        Predict("How many?", **arguments)


@pytest.mark.parametrize("question", ["", "  ", 3])
def test_a_prediction_needs_a_question(question: Any) -> None:
    with pytest.raises(
        ValueError, match=re.escape(f"Predict.question: expected a text; received {question!r}")
    ):
        Predict(question, low=0, high=10)


def test_a_range_may_be_an_array() -> None:
    assert Predict("Draw", x=np.array([0, 4]), y=(0, 1)).form["knots"] == [0, 1, 2, 3, 4]


def test_a_scale_from_zero_is_a_scale() -> None:
    assert made("number").form == {"low": 0, "high": 1000, "unit": "mistakes", "log": False}


@pytest.mark.parametrize(
    ("x", "knots"),
    [
        ((1, 50), [1, 7, 13, 19, 26, 32, 38, 44, 50]),
        ((0, 4), [0, 1, 2, 3, 4]),
        ((0, 1), [0, 0.125, 0.25, 0.375, 0.5, 0.625, 0.75, 0.875, 1]),
    ],
)
def test_a_curve_bends_at_whole_numbers_where_that_makes_sense(x: Any, knots: list[float]) -> None:
    assert Predict("Draw", x=x, y=(0, 1)).form["knots"] == knots


def test_another_question_has_another_place_in_the_memory() -> None:
    first, same = made("number"), made("number", name="first")
    assert first.memory == same.memory != ""
    others = [Predict("How many is $x_2$?", **NUMBER), Predict("How *many* is $x_1$?", low=0, high=999)]
    assert len({first.memory, *(other.memory for other in others)}) == 3


def test_what_the_front_end_sends_wrong_is_answered() -> None:
    guess = made("number")
    told: list[Any] = []
    guess.send = lambda content, buffers=None: told.append(content)
    guess.set_state({"answer": 5000})
    assert told[0]["type"] == "refused"
    assert "expected a number from 0 to 1000" in told[0]["message"]
    assert guess.answer is None


# ------------------------------------------------------------------------------------------------------------- words


def test_html_in_a_question_is_text() -> None:
    assert (
        rendered("<script>alert(1)</script> <b>") == "<p>&lt;script&gt;alert(1)&lt;/script&gt; &lt;b&gt;</p>"
    )
    assert "href" not in rendered("[a](javascript:alert(1))")
    assert "<math" not in rendered("`$x$`")


@pytest.mark.parametrize(
    "formula",
    [
        r"\hat y",
        r"\frac{\partial L}{\partial w}",
        r"\sum_{i=1}^n x_i",
        r"w \in \mathbb{R}^n",
        r"\begin{bmatrix} 1 & 2 \\ 3 & 4 \end{bmatrix}",
        r"\begin{cases} 1 & z > 0 \\ 0 & \text{otherwise} \end{cases}",
        r"\operatorname{softmax}(z)_k",
        r"\lVert w \rVert_2",
        r"\left(\tfrac12\right)^{-3}",
        r"\sigma'(z)",
        r"\mathbf{x}^\top \boldsymbol{W}",
        r"\max(0, z) \le \log p_k",
    ],
)
def test_the_book_s_formulas_become_mathml_with_no_tex_left(formula: str) -> None:
    made = rendered(f"${formula}$", inline=True)
    assert made.startswith("<math>")
    assert made.endswith("</math>")
    assert "\\" not in made
    assert "$" not in made
    assert 'class="math' not in made  # MathJax would take it for its own
    assert 'display="block"' in rendered(f"$$\n{formula}\n$$")


@pytest.mark.parametrize("formula", [r"\nosuch", r"\frac{a", "x_", r"\begin{foo}a\end{foo}", r"\href{a}{b}"])
def test_a_formula_that_mathml_has_not_is_an_error(formula: str) -> None:
    with pytest.raises(
        ValueError, match=r"expected a formula that MathML has; received .* \(.*\)\. Write it"
    ):
        rendered(f"so ${formula}$")


def test_a_formula_and_its_comma_stay_on_a_line() -> None:
    assert rendered("so ($x$), $y$", inline=True) == (
        'so <span style="white-space: nowrap">(<math><mi>x</mi></math>),</span> <math><mi>y</mi></math>'
    )


def test_plain_words_and_lines_for_a_picture() -> None:
    text = "Is **it**\n`a` $x_1$?\n\n- or $\\operatorname{f}(b)$"
    assert plain(text) == "Is it a x_1? or \\operatorname{f}(b)"
    assert wrapped("one two $a + b$", 8) == "one two\n$a + b$"  # a formula is not broken
    assert wrapped("so $\\nosuch$", 40) == "so \\nosuch"  # Matplotlib would raise
