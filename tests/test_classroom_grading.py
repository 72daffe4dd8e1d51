"""The first phase: plain data in, plain data out; a fault of ours is never turned into marks."""

import json
import pickle
from dataclasses import asdict, replace
from typing import Any

import nbformat
import pytest

from classroom import grading, sandbox
from classroom.grading import Assignment, Graded, Submission, digest, graded
from classroom.kernel import Ran
from classroom.referee import FaultyCheck, Light
from classroom.sandbox import NoSandbox
from tests.handed_in import ASSIGNMENT, HIDDEN, MODEL, NAME, by_name, function, handed_in, notebook, solved

needs_sandbox = pytest.mark.skipif(bool(sandbox.missing()), reason=str(sandbox.missing()))


@pytest.fixture(scope="module")
def found() -> Graded:
    """What comes of a notebook with one mistake."""
    if lacking := sandbox.missing():
        pytest.skip(lacking)
    squared = function("double", "    print('squaring')\n    return x**2")
    return graded(handed_in(solved(double=squared)), ASSIGNMENT)


def test_lights_are_in_the_order_of_the_checks(found: Graded) -> None:
    assert found.lights == {
        "double": [
            Light("a number is doubled", "the number was squared, not doubled: expected 6 for 3; received 9"),
            Light(
                "every entry of an array is doubled",
                "expected the secret 2, -4, 1; received an array of shape (1, 3): [[1, 4, 0.25]]",
            ),
        ],
        "halve": [Light("a number is halved")],
    }
    assert found.remarks == []


def test_the_notebook_holds_the_outputs_of_the_run(found: Graded) -> None:
    one = nbformat.reads(found.notebook, as_version=4)
    nbformat.validate(one)
    lights = by_name(one)["double-lights"].outputs[0].text
    assert "squaring\n✓ two" in lights
    assert by_name(one)["halve-lights"].outputs[0].text == "✓ two\n1 of 1 lights is on.\n"
    assert by_name(one)["open"].source == MODEL


def test_what_comes_is_plain_data(found: Graded) -> None:
    assert pickle.loads(pickle.dumps(found)) == found
    assert json.loads(json.dumps(asdict(found)))["lights"]["halve"] == [
        {"says": "a number is halved", "mistake": ""}
    ]


def test_the_release_itself_gets_no_light() -> None:
    if lacking := sandbox.missing():
        pytest.skip(lacking)
    lights = graded(handed_in(notebook()), ASSIGNMENT).lights
    assert [light.mistake for light in lights["halve"]] == [
        "halve is not written yet: it returns halve of x."
    ]
    assert not any(light.mistake == "" for light in lights["double"])


def test_the_digest_knows_what_was_changed() -> None:
    one = handed_in(solved())
    others = [
        digest(handed_in(solved(double="x = 1")), ASSIGNMENT),
        digest(handed_in(solved(), data=b"1"), ASSIGNMENT),
        digest(handed_in(solved(), data=b"2"), ASSIGNMENT),
        digest(replace(one, student="bob"), ASSIGNMENT),
        digest(one, replace(ASSIGNMENT, hidden=HIDDEN + "\n")),
        digest(one, replace(ASSIGNMENT, release="{}")),
    ]
    assert len({digest(one, ASSIGNMENT), *others}) == 7
    assert digest(handed_in(solved()), ASSIGNMENT) == digest(one, ASSIGNMENT)


@needs_sandbox
def test_a_check_that_fails_by_itself_raises() -> None:
    faulty = HIDDEN.replace("found = double(3.0)", "found = doubel(3.0)")
    with pytest.raises(FaultyCheck, match="'a number is doubled' of double does not work: NameError"):
        graded(handed_in(solved()), replace(ASSIGNMENT, hidden=faulty))


def test_a_machine_without_a_sandbox_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "missing", lambda: "bwrap not found: install bubblewrap")
    with pytest.raises(NoSandbox, match="bwrap not found"):
        graded(handed_in(solved()), ASSIGNMENT)


def test_a_sandbox_in_which_python_does_not_start_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    if lacking := sandbox.missing():
        pytest.skip(lacking)
    monkeypatch.setattr(sandbox, "DESK_FILES", ("__init__.py", "wire.py", "desk.py"))
    with pytest.raises(
        NoSandbox, match=r"(?s)Python did not start in the sandbox, it ended Python: .*inside"
    ):
        graded(handed_in(solved()), ASSIGNMENT)


SENT: dict[str, Any] = {
    "nothing": {},
    "an unknown kind": {"output_type": "script", "text": "x"},
    "a stream of numbers": {"output_type": "stream", "name": 3, "text": [1]},
    "data that is none": {"output_type": "display_data", "data": [1]},
    "data of numbers": {"output_type": "display_data", "data": {"text/plain": 3}},
    "a kind of data that is none": {"output_type": "execute_result", "data": {"x": "y"}},
    "an error without parts": {"output_type": "error"},
    "an error with strange parts": {"output_type": "error", "ename": 1, "evalue": None, "traceback": "x"},
    "half a character": {"output_type": "stream", "name": "stdout", "text": "\ud800"},
    "more keys": {"output_type": "stream", "name": "stdout", "text": "x", "metadata": {}, "data": {}},
}


@pytest.mark.parametrize("sent", SENT.values(), ids=SENT.keys())
def test_whatever_a_process_sends_is_an_output_of_a_notebook_or_none(sent: Any) -> None:
    one = notebook()
    grading._fill(by_name(one)["imports"], Ran(outputs=[sent]))
    nbformat.validate(nbformat.reads(nbformat.writes(one), as_version=4))
    assert len(by_name(one)["imports"].outputs) <= 1


def test_a_submission_can_be_a_dictionary_that_came_from_far() -> None:
    sent = pickle.loads(pickle.dumps((handed_in(solved()), ASSIGNMENT)))
    assert sent == (handed_in(solved()), ASSIGNMENT)
    assert isinstance(sent[0], Submission)
    assert isinstance(sent[1], Assignment)
    assert list(sent[0].files) == [NAME]
