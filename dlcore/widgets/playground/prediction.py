"""Predict first: a question about what comes, asked before it is shown, and held against what came.

Source: Crouch, Fagen, Callan and Mazur, "Classroom demonstrations: Learning tools or entertainment?", American Journal
of Physics 72, 2004: students who predict a demonstration learn from it, those who only watch do not.
"""

from __future__ import annotations

from typing import Any

from .words import counted, number

AHEAD = 100  # epochs
LEAST = 0.004  # loss: of a lower one, half cannot be told in three decimals


def question(epoch: float, loss: float, part: str) -> dict[str, Any]:
    """Return a question on the loss in 100 epochs, with three answers of which exactly one will be right.

    Where the loss has nearly gone there is nothing to predict, and the question is empty.

    Args:
        epoch: of now.
        loss: of now.
        part: whose loss, "test" or "training".
    """
    if loss < LEAST:
        return {}
    half = round(loss / 2, 3)
    return {
        "question": f"The {part} loss is {loss:.3f} after {counted(epoch)} epochs. "
        f"Where will it be {AHEAD} epochs later?",
        "options": [
            f"{loss:.3f} or higher: no better than now",
            f"from {half:.3f} to below {loss:.3f}: better, but not by half",
            f"below {half:.3f}: less than half of what it is now",
        ],
        "answer": None,
        "due": epoch + AHEAD,
        "verdict": "",
        "bounds": [round(loss, 3), half],
        "part": part,
    }


def right_option(asked: dict[str, Any], loss: float | None) -> int:
    """Return the place of the option that a loss belongs to; a loss that is not finite is the highest."""
    higher, lower = asked["bounds"]
    if loss is None or round(loss, 3) >= higher:
        return 0
    return 1 if round(loss, 3) >= lower else 2


def answered(asked: dict[str, Any], answer: Any) -> dict[str, Any]:
    """Return the question with the reader's answer, the place of an option or its words.

    Raises:
        ValueError: there is no question, it was answered already, or there is no such option.
    """
    if not asked or asked["verdict"]:
        raise ValueError("there is no question to answer now; switch predict_first on and run")
    if asked["answer"] is not None:
        raise ValueError(f"the prediction is made: {asked['options'][asked['answer']]}. Run, and see")
    options = asked["options"]
    place = options.index(answer) if answer in options else answer
    if isinstance(place, bool) or not isinstance(place, int) or not 0 <= place < len(options):
        raise ValueError(f"expected an answer from 0 to {len(options) - 1}; received {answer!r}")
    return {**asked, "answer": place}


def judged(asked: dict[str, Any], epoch: float, loss: float | None) -> dict[str, Any]:
    """Return the question with the verdict, if the time has come."""
    if not asked or asked["answer"] is None or asked["verdict"] or epoch < asked["due"]:
        return asked
    came, said = right_option(asked, loss), asked["answer"]
    now = "no finite number" if loss is None else number(loss)
    begin = (
        f"After {counted(epoch)} epochs the {asked['part']} loss is {now}. "
        f"You predicted “{asked['options'][said]}”: "
    )
    verdict = "that is right." if came == said else f"it came otherwise, “{asked['options'][came]}”."
    return {**asked, "verdict": begin + verdict}
