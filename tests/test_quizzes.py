"""The chapters' quizzes: enough questions, of several kinds, an answer to every wrong one, numbers that hold."""

from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dlcore as dl
from dlcore.widgets import Quiz
from dlcore.widgets.questions import read

ROOT = Path(__file__).resolve().parent.parent
FILES = sorted((ROOT / "chapters" / "quiz").glob("*.toml"))
LEAST = 5


def tables(path: Path) -> list[dict[str, Any]]:
    Quiz(path)  # all that makes it unusable is an error here
    return [table.values for table in read(path)]


def faults_in_form(asked: list[dict[str, Any]]) -> list[str]:
    """Return what a quiz lacks."""
    found = []
    if len(asked) < LEAST:
        found.append(f"{len(asked)} questions, fewer than {LEAST}")
    if len({one["kind"] for one in asked}) < 2:
        found.append("all questions are of one kind")
    words = [one["ask"] for one in asked]
    found += [f"asked twice: {ask}" for ask, times in Counter(words).items() if times > 1]
    singles = [one["option"] for one in asked if one["kind"] == "single"]
    places = {[option.get("right", False) for option in options].index(True) for options in singles}
    if len(singles) > 1 and len(places) == 1:
        found.append(f"the right option is always number {places.pop() + 1}")
    for one in asked:
        right = [option.get("right", False) for option in one.get("option", [])]
        if one["kind"] == "multiple" and all(right):
            found.append(f"every option is right: {one['ask']}")
        if one["kind"] == "single" and not any(o.get("says") for o in one["option"] if o.get("right")):
            found.append(f"the right option does not say why: {one['ask']}")
        answered = [
            text for part in ("option", "wrong") for case in one.get(part, []) if (text := case.get("says"))
        ]
        found += [f"said twice: {text}" for text, times in Counter(answered).items() if times > 1]
    return found


def faults_in_numbers(asked: list[dict[str, Any]]) -> list[str]:
    """Return which numbers do not come out as the file says."""
    found = []
    for one in asked:
        if one["kind"] != "number":
            continue
        if "check" not in one:
            found.append(f"no check: {one['ask']}")
            continue
        value = float(eval(one["check"], {"dl": dl, "np": np}))
        if not abs(value - one["answer"]) <= max(one.get("tolerance", 0), 1e-12 * abs(value)):
            found.append(f"{one['check']} is {value}, not {one['answer']}: {one['ask']}")
        if not one.get("wrong"):
            found.append(f"no wrong number is foreseen: {one['ask']}")
    return found


def test_there_are_quizzes() -> None:
    assert [path.stem for path in FILES if path.stem == "neurons"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_quiz_is_in_form(path: Path) -> None:
    assert faults_in_form(tables(path)) == []


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_quiz_s_numbers_hold(path: Path) -> None:
    assert faults_in_numbers(tables(path)) == []


# ------------------------------------------------------------------------------------------ do these tests see faults?


def single(ask: str, place: int) -> dict[str, Any]:
    options = [{"text": str(i), "says": f"{ask} {i}"} for i in range(3)]
    options[place]["right"] = True  # type: ignore[assignment]
    return {"ask": ask, "kind": "single", "option": options}


def number(ask: str, **more: Any) -> dict[str, Any]:
    wrong = [{"value": 2, "says": f"{ask}: not two"}]
    return {"ask": ask, "kind": "number", "answer": 1, "check": "np.cos(0)", "wrong": wrong, **more}


GOOD = [single("a", 0), single("b", 1), single("c", 2), number("d"), number("e", tolerance=0.1, answer=1.05)]


def test_a_good_quiz_passes() -> None:
    assert faults_in_form(GOOD) == []
    assert faults_in_numbers(GOOD) == []


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (GOOD[:4], "4 questions"),
        ([single(str(i), i % 3) for i in range(5)], "of one kind"),
        ([*GOOD[:4], GOOD[0]], "asked twice: a"),
        ([*(single(ask, 1) for ask in "abc"), *GOOD[3:]], "always number 2"),
        (
            [*GOOD, {"ask": "f", "kind": "multiple", "option": [{"right": True}] * 2}],
            "every option is right: f",
        ),
        (
            [*GOOD, {"ask": "g", "kind": "single", "option": [{"says": "x"}, {"right": True}]}],
            "does not say why: g",
        ),
        ([*GOOD, number("d2", wrong=[{"says": "x"}, {"says": "x"}])], "said twice: x"),
    ],
)
def test_a_fault_in_form_is_seen(bad: list[dict[str, Any]], fault: str) -> None:
    assert [found for found in faults_in_form(bad) if fault in found]


@pytest.mark.parametrize(
    ("bad", "fault"),
    [
        (number("d", answer=1.01), "is 1.0, not 1.01"),
        (number("d", answer=1.2, tolerance=0.1), "not 1.2"),
        (number("d", check="float('nan')"), "is nan"),
        (number("d", wrong=[]), "no wrong number"),
        ({"ask": "d", "kind": "number", "answer": 1}, "no check"),
    ],
)
def test_a_number_that_does_not_hold_is_seen(bad: dict[str, Any], fault: str) -> None:
    assert [found for found in faults_in_numbers([bad]) if fault in found]


def test_a_check_that_cannot_be_evaluated_is_an_error() -> None:
    with pytest.raises(AttributeError):
        faults_in_numbers([number("d", check="dl.no_such_function(1)")])
