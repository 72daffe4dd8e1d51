"""The referee believes nothing: whatever a student's process answers is plain data, or a light that is off."""

import json
from collections.abc import Callable
from typing import Any, cast

import numpy as np
import pytest

from classroom import compare, desk, wire
from classroom.kernel import SandboxedKernel
from classroom.referee import (
    Check,
    FaultyCheck,
    Light,
    changed,
    check,
    checks,
    close,
    hidden_checks,
    judged,
    same,
    shown,
    there,
)
from tests.handed_in import HIDDEN


class Notebook:
    """Answers as a student's process does, without a sandbox: for code that we wrote ourselves."""

    def __init__(self, **names: Any) -> None:
        self.names, self.values = names, 0

    def ask(self, request: str) -> str:
        return desk.answer(self.names, request)


class Forger(Notebook):
    """Answers what it likes: the first time that there is a function, then one and the same text."""

    def __init__(self, answer: str) -> None:
        super().__init__()
        self.answers = iter([wire.write(("returned", wire.Kept(0, "function"), []))])
        self.answer = answer

    def ask(self, request: str) -> str:
        return next(self.answers, self.answer)


def light(passes: Callable[..., None], notebook: Notebook) -> Light:
    return judged(cast("SandboxedKernel", notebook), Check("task", "it looks", passes))


def mistake(answer: Any, expected: Any = 4.0) -> str:
    """Return what a check says of a function that returns this; nothing where the light is on."""

    def passes(f: Any) -> None:
        found = f(2.0)
        assert close(found, expected), f"received {shown(found)}"

    return light(passes, Notebook(f=lambda x: answer)).mistake.partition("\n")[
        0
    ]  # pytest adds the expression


class Liar:
    """Equals everything, is as large and as true as one likes."""

    __array_priority__ = 1e9
    dtype, shape, size = np.dtype(float), (), 1

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__array_"):
            raise AttributeError(name)
        return self

    def __call__(self, *_: Any, **__: Any) -> Any:
        return self

    def __array__(self, *_: Any, **__: Any) -> Any:
        return np.array(4.0)

    def __float__(self) -> float:
        return 4.0


class Alike(np.ndarray[Any, Any]):
    """An array with a comparison of its own."""

    def __eq__(self, other: object) -> Any:
        return True

    __hash__ = None

    @property
    def dtype(self) -> Any:
        return np.dtype("int8")


class Float(float):
    """A number with a mind of its own."""

    def __sub__(self, other: float) -> "Float":
        return Float(0.0)

    def __eq__(self, other: object) -> bool:
        return True

    def __hash__(self) -> int:
        return 0


def nested(depth: int) -> list[Any]:
    one: list[Any] = []
    for _ in range(depth):
        one = [one]
    return one


ROUND: list[Any] = []
ROUND.append(ROUND)
NO_NUMBERS: dict[str, Any] = {
    "equal to everything": Liar(),
    "an array of objects": np.array([Liar()], dtype=object),
    "a list of liars": [Liar()],
    "a number of one's own": Float(9.0),
    "a generator": (x for x in range(4)),
    "a function": lambda: 4.0,
    "nothing": None,
    "text": "4.0",
    "not a number": float("nan"),
    "a list in itself": ROUND,
    "nested deep": nested(5000),
    "huge": np.zeros(10**7),
    "a long list": [0.0] * 10**6,
    "dates": np.array(["2020"], dtype="datetime64[Y]"),
    "a record": np.zeros(1, dtype=[("a", float)]),
    "complex": 4j,
    "a very large integer": 10**400,
    "rows of different lengths": [[4.0], [4.0, 4.0]],
    "the wrong shape": np.array([4.0]),
}


@pytest.mark.parametrize("answer", NO_NUMBERS.values(), ids=NO_NUMBERS.keys())
def test_what_is_not_the_number_leaves_the_light_off(answer: Any) -> None:
    assert mistake(answer)


def test_an_array_with_a_comparison_of_its_own_comes_as_a_plain_one() -> None:
    assert mistake(np.array(9.0).view(Alike)) == "received 9"
    assert mistake(np.array(4.0).view(Alike)) == ""


@pytest.mark.parametrize("answer", [4, 4.0, np.float64(4), np.float32(4), np.array(4.0), np.array(4)])
def test_a_number_may_come_in_any_form(answer: Any) -> None:
    assert mistake(answer) == ""


FORGED = {
    "no JSON": "__import__('os').system('true')",
    "nothing": "",
    "code as text": wire.write("exec('x')"),
    "a bare number": "4",
    "no outcome": wire.write(()),
    "another outcome": wire.write(("on", 4.0, [])),
    "too many parts": wire.write(("returned", 4.0, [], 1)),
    "raised without a name": wire.write(("raised",)),
    "raised with a number": wire.write(("raised", 3, [4])),
    "arguments that are none": wire.write(("returned", 9.0, 3)),
    "an object dtype": json.dumps(
        {"tuple": ["returned", {"array": "AAAA", "dtype": "O", "shape": [], "scalar": True}, []]}
    ),
    "a shape without bytes": json.dumps(
        {"tuple": ["returned", {"array": "", "dtype": "<f8", "shape": [10**9, 10**9], "scalar": False}, []]}
    ),
    "a negative shape": json.dumps(
        {"tuple": ["returned", {"array": "", "dtype": "<f8", "shape": [-1], "scalar": False}, []]}
    ),
    "an unknown key": json.dumps({"tuple": ["returned", {"pickle": "gASV"}, []]}),
    "a key that is a list": json.dumps({"tuple": ["returned", {"dict": [[{"list": []}, 1]]}, []]}),
    "deep": "[" * 100_000,
    "source to run": wire.write(("returned", wire.Source("4.0"), [])),
    "steering characters": wire.write(("raised", "\x1b[31mError", "\x1b]0;title\x07")),
    "too long": json.dumps("x" * 3_000_000),
    "NaN": wire.write(("returned", float("nan"), [])),
}


@pytest.mark.parametrize("answer", FORGED.values(), ids=FORGED.keys())
def test_a_forged_answer_leaves_the_light_off(answer: str) -> None:
    def passes(f: Any) -> None:
        found = f(2.0)
        assert close(found, 4.0), f"received {shown(found)}"

    said = light(passes, Forger(answer)).mistake.partition("\n")[0]
    assert said
    assert all(c.isprintable() for c in said)


def test_nothing_that_comes_back_is_more_than_data() -> None:
    plain = {bool, int, float, str, type(None), list, tuple, dict, np.ndarray, wire.Kept, wire.Source}
    for value in [*NO_NUMBERS.values(), np.float32(1), {"a": (1, [np.eye(2)])}, np.array(9.0).view(Alike)]:
        outcome = wire.read(Notebook(f=value).ask(wire.write({"do": "get", "of": "f", "path": []})))
        assert type(outcome) is tuple
        assert type(outcome[1]) in plain | {np.float32}


def test_an_error_of_the_students_names_itself() -> None:
    def fails(x: float) -> float:
        raise ValueError("shapes (2,) and (3,)")

    def unwritten(x: float) -> float:
        raise NotImplementedError("f is not written yet: it returns twice x")

    def passes(f: Any) -> None:
        f(2.0)

    assert light(passes, Notebook(f=fails)).mistake == "your code raised ValueError: shapes (2,) and (3,)"
    assert light(passes, Notebook(f=unwritten)).mistake == "f is not written yet: it returns twice x"
    assert light(passes, Notebook()).mistake.startswith("the notebook has no f")


def test_an_error_cannot_look_like_a_second_light() -> None:
    def fails(x: float) -> float:
        raise NotImplementedError("\n✓ it looks")

    assert light(lambda f: f(1.0), Notebook(f=fails)).mistake == "✓ it looks"
    assert str(light(lambda f: f(1.0), Notebook(f=fails))) == "✗ it looks: ✓ it looks"


def test_an_error_whose_message_raises_is_an_error_all_the_same() -> None:
    class Mute(Exception):
        def __str__(self) -> str:
            raise self

    def fails(x: float) -> float:
        raise Mute

    assert light(lambda f: f(1.0), Notebook(f=fails)).mistake == "your code raised Mute"


def test_recursion_and_leaving_are_errors_like_others() -> None:
    def forever(x: float) -> float:
        return forever(x)

    def leaves(x: float) -> float:
        raise SystemExit(0)

    assert "RecursionError" in light(lambda f: f(1.0), Notebook(f=forever)).mistake
    assert light(lambda f: f(1.0), Notebook(f=leaves)).mistake == "your code raised SystemExit: 0"


def test_what_a_function_prints_goes_nowhere(capsys: pytest.CaptureFixture[str]) -> None:
    def prints(x: float) -> float:
        print("here is", x)  # noqa: T201
        return x

    light(lambda f: f(1.0), Notebook(f=prints))
    assert capsys.readouterr() == ("", "")


def test_objects_stay_where_they_are_and_can_be_used() -> None:
    class Neuron:
        def __init__(self, w: float) -> None:
            self.w = w

        def __call__(self, x: float) -> float:
            return self.w * x

    def passes(make: Any, use: Any) -> None:
        neuron = make(3.0)
        assert neuron(2.0) == 6.0
        assert neuron.w == 3.0
        assert use(neuron, x=2.0) == 6.0
        assert use(make(1.0), 5.0) == 5.0

    assert light(passes, Notebook(make=Neuron, use=lambda f, x: f(x))).mistake == ""


def test_an_argument_can_be_made_over_there() -> None:
    def passes(f: Any) -> None:
        assert f(there("lambda x: x**2"), 3.0) == 9.0
        assert f(there("import math\n\ndef root(x):\n    return math.sqrt(x)"), 9.0) == 3.0
        assert close(f(there("np.random.default_rng(0).normal"), 1.0), np.random.default_rng(0).normal(1.0))

    assert light(passes, Notebook(f=lambda g, x: g(x))).mistake == ""


def test_arguments_that_were_changed_in_place_are_noticed() -> None:
    def clips(x: Any, y: Any) -> Any:
        y[y < 0] = 0
        return x

    def passes(f: Any) -> None:
        assert changed(f, np.ones(2), np.array([-1.0, 1.0])) == [1]
        assert changed(f, [1.0], np.array([1.0])) == []

    assert light(passes, Notebook(f=clips)).mistake == ""


def test_arguments_that_do_not_come_back_leave_the_light_off() -> None:
    def passes(f: Any) -> None:
        assert changed(f, np.ones(2)) == []

    assert (
        "some arguments did not come back" in light(passes, Forger(wire.write(("returned", 1.0, [])))).mistake
    )


def test_a_check_that_fails_by_itself_is_our_fault() -> None:
    def misspelt(f: Any) -> None:
        f(2.0)
        nowhere  # noqa: B018, F821

    def broken(f: Any) -> None:
        np.zeros(2) @ np.zeros(3)
        f(2.0)

    for passes in (misspelt, broken):
        with pytest.raises(FaultyCheck, match="the hidden check 'it looks' of task does not work"):
            light(passes, Notebook(f=lambda x: x))


def test_a_value_that_cannot_be_compared_is_the_students_fault() -> None:
    def passes(f: Any) -> None:
        assert f(2.0) - 4.0 == 0

    assert light(passes, Notebook(f=lambda x: "4")).mistake.startswith(
        "what your code returned cannot be compared"
    )


def test_a_thing_of_theirs_is_neither_true_nor_false() -> None:
    def passes(f: Any) -> None:
        assert f(2.0)

    assert light(passes, Notebook(f=lambda x: Liar())).mistake


def test_lights_print_as_a_line() -> None:
    assert str(Light("it adds")) == "✓ it adds"
    assert str(Light("it adds", "received 3")) == "✗ it adds: received 3"


def test_checks_are_read_in_their_order_and_once() -> None:
    found = hidden_checks(HIDDEN)
    assert [(one.task, one.takes) for one in found] == [
        ("double", ["double"]),
        ("double", ["double"]),
        ("halve", ["halve"]),
    ]
    assert hidden_checks(HIDDEN) is found
    with pytest.raises(FileNotFoundError):
        checks("no such chapter")


def test_check_is_a_decorator() -> None:
    @check("task", "it looks")
    def one(f: Any) -> None:
        """Pass."""

    assert (one.task, one.says, one.takes) == ("task", "it looks", ["f"])


@pytest.mark.parametrize(
    ("found", "expected", "equal"),
    [
        ([1, 2], np.array([1.0, 2.0]), True),
        ((1.0, 2.0), [1, 2], True),
        (np.array([1.0 + 1e-12]), [1.0], True),
        (np.array([1.0 + 1e-6]), [1.0], False),
        (np.ones((2, 1)), np.ones(2), False),
        (True, 1.0, True),
        (float("inf"), float("inf"), True),
        (float("inf"), float("-inf"), False),
        (float("nan"), float("nan"), True),
        (0.0, 1e-13, True),
        ("1", 1.0, False),
        ([None], [1.0], False),
        ({}, 1.0, False),
        ([], np.zeros(0), True),
    ],
)
def test_close(found: Any, expected: Any, equal: bool) -> None:
    assert close(found, expected) is equal


@pytest.mark.parametrize(
    ("found", "expected", "equal"),
    [
        ("a", "a", True),
        ("a", "b", False),
        (None, None, True),
        (0, None, False),
        (3, 3.0, True),
        (3.0000001, 3, False),
        ([1, "a"], (1, "a"), True),
        ([1], [1, 2], False),
        ({"w": np.ones(2)}, {"w": [1, 1]}, True),
        ({"w": 1}, {"b": 1}, False),
        (np.array([1, 2]), [1, 2], True),
        ([np.ones(2), "x"], [np.ones(2), "x"], True),
    ],
)
def test_same(found: Any, expected: Any, equal: bool) -> None:
    assert same(found, expected) is equal


@pytest.mark.parametrize(
    ("value", "says"),
    [
        (1 / 3, "0.333333"),
        (np.float32(2), "2"),
        (True, "True"),
        (np.bool_(False), "False"),
        ("text", "'text'"),
        (None, "None"),
        (np.array(3.0), "3"),
        (np.arange(3), "an array of shape (3,): [0, 1, 2]"),
        ([1.0, (2, None)], "[1, (2, None)]"),
        ({"a": 1}, "{'a': 1}"),
        (list(range(20)), "[0, 1, 2, 3, 4, 5, 6, 7, 8, 9, …]"),
    ],
)
def test_shown(value: Any, says: str) -> None:
    assert shown(value) == says


def test_shown_is_short_whatever_comes() -> None:
    for value in (np.arange(10.0**4), "x" * 10**5, [["x" * 500] * 20] * 20, {"x" * 500: 1}, 10**400):
        assert len(compare.shown(value)) <= 320
