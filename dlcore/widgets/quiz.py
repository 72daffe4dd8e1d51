"""Quiz: questions at the end of a chapter, with an answer to each answer.

    Quiz("quiz/neurons.toml")       # the value of a cell

Feedback says why an answer is right, or which misconception a wrong one comes from; to be told "wrong" alone teaches
little. The form of the file is that of `questions`.

Source: J. Hattie and H. Timperley, The power of feedback, Review of Educational Research 77 (2007), 81-112.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import traitlets

from .questions import question, read
from .still import Still
from .traits import shown
from .words import wrapped

FIRST = {"chosen": [], "typed": "", "tries": 0, "solved": False, "first": False}


class Quiz(Still):
    """Questions, each with a button that checks the answer and says something to it.

    Args:
        path: a TOML file, see `questions`; in a notebook seen from the notebook's folder.
        settings: further traits of a widget, such as `name`.

    Raises:
        ValueError: the file is not there, or holds a question that cannot be asked.

    What the reader has done is in `progress`, for each question `chosen` (the numbers of the options), `typed`,
    `tries` (answers checked until the right one), `solved`, and `first` (solved at the first try).
    """

    source = "quiz.js"

    topic = traitlets.Unicode("", help="what it is about: the file's name").tag(sync=True)
    questions: Any = traitlets.List(help="the questions, as the view needs them").tag(sync=True)
    progress: Any = traitlets.List(help="what the reader has done, for each question").tag(sync=True)

    def __init__(self, path: str | Path, **settings: Any) -> None:
        tables = read(path)
        asked = [question(table) for table in tables]
        self._asked = [table.values["ask"] for table in tables]
        super().__init__(questions=asked, topic=Path(path).stem.replace("_", " "), **settings)
        self.progress = [dict(FIRST) for _ in asked]
        self._say()

    @traitlets.validate("progress")
    def _check_progress(self, proposal: Any) -> Any:
        given = proposal["value"]
        if len(given) != len(self.questions) or not all(map(_is_progress, given)):
            raise traitlets.TraitError(
                f"Quiz.progress: expected for each of {len(self.questions)} questions "
                f"{', '.join(FIRST)}; received {shown(given)}. The widget keeps {shown(self.progress)}"
            )
        return given

    @traitlets.observe("progress")
    def _say(self, _: Any = None) -> None:
        count = len(self.questions)
        said = f"Quiz of {count} question{'s' if count != 1 else ''} on {self.topic}."
        if any(one["tries"] for one in self.progress):
            solved, first = (sum(one[key] for one in self.progress) for key in ("solved", "first"))
            said += f" {solved} answered rightly, {first} of them at the first try."
        self.summary = said

    def picture(self) -> bytes:
        """Return the questions, without what can be answered, as PNG."""
        from dlcore import plots

        lines = [wrapped(f"{i}\\. {asked}", 76) for i, asked in enumerate(self._asked, start=1)]
        text = "\n\n".join([f"Quiz: {self.topic}", *lines])
        (ax,) = plots.figure(width=5.6, height=0.175 * (1 + text.count("\n")) + 0.2)
        with plots.style():
            ax.axis("off")
            ax.text(0, 1, text, va="top", fontsize=10, linespacing=1.2)
        return plots.png(ax)


def _is_progress(one: Any) -> bool:
    return isinstance(one, dict) and {name: type(value) for name, value in one.items()} == {
        name: type(value) for name, value in FIRST.items()
    }
