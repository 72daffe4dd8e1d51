"""Predict: the reader says what a run will give before it is run, and then sees both.

    guess = Predict("How many mistakes?", low=0, high=1000, unit="mistakes")
    guess                       # the value of a cell
    guess.reveal(mistakes)      # in the cell that measures

Students who predicted what a demonstration would show understood it better afterwards than those who only watched.

Source: C. Crouch, A. P. Fagen, J. P. Callan and E. Mazur, Classroom demonstrations: Learning tools or entertainment?,
American Journal of Physics 72 (2004), 835-838.
"""

from __future__ import annotations

import hashlib
import json
from typing import Any

import traitlets

from .forms import Form, check_text, form_of
from .still import Still
from .traits import shown
from .words import plain, rendered, wrapped


class Predict(Still):
    """A question to be answered before the answer is computed.

    The arguments say what can be answered: `low` and `high` a number (with `unit`; on a logarithmic scale with
    `log`), `options` a choice, `items` with `options` a choice for each item, `x` and `y`, each (low, high), a curve
    drawn by hand (with `x_label`, `y_label`; `log_y`).

    Args:
        question: Markdown with `code` and $formulas$; options and items likewise, each of one paragraph.
        settings: further traits of a widget, such as `name`.

    Raises:
        ValueError: no question; the arguments describe no form of answer, or more than one; a formula that cannot be
            written.

    >>> guess = Predict("How many?", low=0, high=10)
    >>> guess.answer = 3
    >>> guess.reveal(7)
    >>> guess.answer, guess.result
    (3.0, 7.0)
    """

    source = "predict.js"

    kind = traitlets.Unicode("", help="number, choice, items or curve").tag(sync=True)
    question = traitlets.Unicode("", help="the question as HTML").tag(sync=True)
    form = traitlets.Dict(help="what can be answered, as the view needs it").tag(sync=True)
    answer = traitlets.Any(None, help="what the reader predicts; None: nothing yet").tag(sync=True)
    result = traitlets.Any(None, help="what was measured; None: nothing yet").tag(sync=True)

    def __init__(
        self,
        question: str,
        *,
        low: float | None = None,
        high: float | None = None,
        unit: str = "",
        log: bool = False,
        options: list[str] | None = None,
        items: list[str] | None = None,
        x: tuple[float, float] | None = None,
        y: tuple[float, float] | None = None,
        x_label: str = "",
        y_label: str = "",
        log_y: bool = False,
        **settings: Any,
    ) -> None:
        given = {"low": low, "high": high, "unit": unit, "log": log, "options": options, "items": items}
        curve = {"x": x, "y": y, "x_label": x_label, "y_label": y_label, "log_y": log_y}
        self._form: Form = form_of(given | curve)
        self._asked = check_text("Predict.question", question)
        view = {"kind": self._form.kind, "question": rendered(question), "form": self._form.state()}
        asked = json.dumps(view, sort_keys=True).encode()
        memory = hashlib.sha256(asked).hexdigest()[:12]
        super().__init__(**view, kept=["answer"], memory=memory, **settings)
        self._say()

    def reveal(self, result: Any) -> None:
        """Show what was measured; the reader sees it once there is a prediction.

        Args:
            result: a number; one of the options; a list of options, one for each item; or (xs, ys) for a curve.

        Raises:
            ValueError: it is no such thing. A number or a curve may leave the scale, and is drawn at its edge.
        """
        try:
            self.result = self._form.measured(result)
        except (TypeError, ValueError):
            expected = f"Predict.reveal: expected {self._form.possible}"
            raise ValueError(f"{expected}; received {shown(result)}") from None

    @traitlets.validate("answer")
    def _check_answer(self, proposal: Any) -> Any:
        if proposal["value"] is None:
            return None
        try:
            return self._form.answered(proposal["value"])
        except (TypeError, ValueError):
            raise traitlets.TraitError(
                f"Predict.answer: expected {self._form.expected}; received "
                f"{shown(proposal['value'])}. The widget keeps {shown(self.answer)}"
            ) from None

    @traitlets.observe("answer")
    def _say(self, _: Any = None) -> None:
        """Say what is asked and what was predicted; never the result."""
        made = (
            f"Predicted: {self._form.told(self.answer)}" if self.answer is not None else "Not predicted yet"
        )
        self.summary = f"{plain(self._asked)} To predict: {self._form.asks}. {made}."

    def picture(self) -> bytes:
        """Return the question, unanswered, as PNG."""
        from dlcore import plots

        asked = wrapped(self._asked, 68)
        lines = 1 + asked.count("\n")
        (ax,) = plots.figure(width=5.6, height=self._form.height + 0.25 * lines + 0.2)
        with plots.style():
            self._form.draw(ax)
            ax.set_title(asked, loc="left", fontsize=11)
        return plots.png(ax)
