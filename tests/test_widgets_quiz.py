"""Quiz: files that can be read, faults that are named, and what the reader has done."""

import re
from pathlib import Path
from typing import Any

import pytest
import traitlets

from dlcore.widgets import Quiz

CHOICE = """
[[question]]
ask = "Is $w$ long?"
kind = "single"
  [[question.option]]
  text = "yes"
  right = true
  says = "It is."
  [[question.option]]
  text = "no"
  says = "It is not short."
"""
NUMBER = """
[[question]]
ask = "How much?"
kind = "number"
answer = 0.25
tolerance = 0.005
unit = "cm"
says = "A quarter."
otherwise = "Divide by four."
check = "1 / 4"
  [[question.wrong]]
  value = 0.5
  says = "You divided by two."
"""


def quiz(folder: Path, text: str) -> Any:
    path = folder / "small_words.toml"
    path.write_text(text, encoding="utf-8")
    return Quiz(path)


def test_a_quiz_holds_what_its_view_needs_and_no_more(tmp_path: Path) -> None:
    made = quiz(tmp_path, CHOICE + NUMBER)
    single, number = made.questions
    assert single["ask"] == "<p>Is <math><mi>w</mi></math> long?</p>"
    assert single["options"][0] == {"text": "yes", "right": True, "says": "<p>It is.</p>"}
    assert single["options"][1]["right"] is False
    assert set(number) == {"kind", "ask", "answer", "tolerance", "unit", "says", "otherwise", "wrong"}
    assert number["wrong"] == [{"value": 0.5, "says": "<p>You divided by two.</p>"}]
    assert made.summary == "Quiz of 2 questions on small words."
    assert quiz(tmp_path, CHOICE).summary == "Quiz of 1 question on small words."
    assert made.picture().startswith(b"\x89PNG")


FAULTS = [
    (
        CHOICE,
        'kind = "single"',
        'kind = "other"',
        "question 1, kind: expected one of single, multiple, number",
    ),
    (CHOICE, 'kind = "single"\n', "", "question 1, kind: expected a text; received nothing"),
    (CHOICE, '"Is $w$ long?"', '""', "question 1, ask: expected a text; received ''"),
    (CHOICE, "$w$", "$\\\\nosuch$", "question 1, ask: expected Markdown (expected a formula that MathML has"),
    (CHOICE, "  right = true\n", "", "exactly one option with right = true"),
    (
        CHOICE,
        '"It is not short."',
        '"It is not short."\nright = true',
        "exactly one option with right = true",
    ),
    (CHOICE, "right = true", 'right = "yes"', "question 1, option 1, right: expected true or false"),
    (
        CHOICE,
        '  says = "It is not short."\n',
        "",
        "question 1, option 2, says: expected a text; received nothing",
    ),
    (CHOICE, '"no"', '"yes"', "question 1, option: expected options that differ"),
    (CHOICE, '"no"', '"a\\n\\nb"', "question 1, option 2, text: expected Markdown (expected a text of one"),
    (CHOICE, "says =", "sais =", "question 1, option 1, sais: expected only the keys right, says, text"),
    (CHOICE, "ask =", "answer = 3\nask =", "question 1, answer: expected only the keys ask, kind, option"),
    (
        NUMBER,
        "answer = 0.25",
        'answer = "0.25"',
        "question 1, answer: expected a finite number; received '0.25'",
    ),
    (NUMBER, "answer = 0.25\n", "", "question 1, answer: expected a finite number; received nothing"),
    (NUMBER, "answer = 0.25", "answer = nan", "question 1, answer: expected a finite number"),
    (NUMBER, "= 0.005", "= -1", "question 1, tolerance: expected a number that is not negative; received -1"),
    (
        NUMBER,
        "value = 0.5",
        "value = 0.251",
        "question 1, wrong 1, value: expected a number that is not taken for",
    ),
    (
        NUMBER,
        'says = "You divided by two."\n',
        'says = "a"\n  [[question.wrong]]\n  value = 0.501\n  says = "b"\n',
        "question 1, wrong 2, value: expected a number that no other wrong value covers; received 0.501",
    ),
    (
        NUMBER,
        'otherwise = "Divide by four."\n',
        "",
        "question 1, otherwise: expected a text; received nothing",
    ),
    (NUMBER, 'unit = "cm"', "unit = 3", "question 1, unit: expected a text; received 3"),
    (NUMBER, "[[question]]", "[question]", "question: expected a list of tables"),
    (NUMBER, 'ask = "How', "ask = How", "small_words.toml: expected TOML: "),
    (NUMBER, "[[question]]", "[[questions]]", "questions: expected only the keys question"),
]


@pytest.mark.parametrize(("good", "part", "fault", "message"), FAULTS)
def test_a_fault_is_named_with_its_file_its_question_and_its_key(
    tmp_path: Path, good: str, part: str, fault: str, message: str
) -> None:
    quiz(tmp_path, good)
    assert part in good
    with pytest.raises(ValueError, match=re.escape(message)) as refusal:
        quiz(tmp_path, good.replace(part, fault, 1))
    assert "small_words.toml" in str(refusal.value)


def test_a_question_is_counted_from_one(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"small_words\.toml, question 2, unit: expected a text"):
        quiz(tmp_path, CHOICE + NUMBER.replace('"cm"', "1"))


def test_a_multiple_question_may_have_several_right_answers_but_not_none(tmp_path: Path) -> None:
    several = CHOICE.replace("single", "multiple")
    assert quiz(tmp_path, several.replace('text = "no"', 'text = "no"\nright = true')).questions
    with pytest.raises(ValueError, match="at least one option with right = true"):
        quiz(tmp_path, several.replace("right = true", "right = false"))


def test_an_empty_quiz_and_one_that_is_not_there_are_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="question: expected at least 1 of them"):
        quiz(tmp_path, "")
    with pytest.raises(ValueError, match=r"expected a file of questions; there is no quiz/nothing\.toml"):
        Quiz("quiz/nothing.toml")


def test_what_the_reader_has_done_is_counted_and_checked(tmp_path: Path) -> None:
    made = quiz(tmp_path, CHOICE + NUMBER)
    fresh = made.progress
    done = {"chosen": [0], "typed": "", "tries": 1, "solved": True, "first": True}
    made.set_state({"progress": [done, fresh[1]]})
    assert made.summary.endswith("1 answered rightly, 1 of them at the first try.")
    for bad in ([done], [done, {}], [done, {**done, "tries": "one"}], [done, {**done, "more": 1}]):
        with pytest.raises(traitlets.TraitError, match=r"Quiz\.progress: expected for each of 2 questions"):
            made.progress = bad
    assert made.progress == [done, fresh[1]]
    assert Quiz(tmp_path / "small_words.toml").progress == fresh  # the next one begins anew
