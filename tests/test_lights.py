"""Lights tell a student what is right and what is not, and never lose count."""

import pytest

from dlcore.lights import every_light, light


@pytest.fixture(autouse=True)
def _fresh(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(AssertionError):
        every_light()
    capsys.readouterr()


def test_all_lights_on(capsys: pytest.CaptureFixture[str]) -> None:
    for says in ("one", "two"):
        light(says)(lambda: None)
    every_light()
    assert capsys.readouterr().out == "✓ one\n✓ two\n2 of 2 lights are on.\n"


def test_a_light_that_is_off_says_why(capsys: pytest.CaptureFixture[str]) -> None:
    @light("the bias is added")
    def bias() -> None:
        raise AssertionError("expected 2.0; received 0.0")

    assert bias is None
    assert capsys.readouterr().out == "✗ the bias is added: expected 2.0; received 0.0\n"
    with pytest.raises(AssertionError, match=r"^0 of 1 lights are on\. A line that begins with ✗"):
        every_light()


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (NotImplementedError("relu is not written yet"), "✗ x: relu is not written yet"),
        (ZeroDivisionError("division by zero"), "✗ x: ZeroDivisionError: division by zero"),
        (AssertionError(), "✗ x: AssertionError"),
        (
            TypeError("cannot unpack non-iterable NoneType object"),
            "✗ x: TypeError: cannot unpack non-iterable NoneType object. Does the function end with `return`?",
        ),
    ],
)
def test_any_error_is_a_light_that_is_off(
    error: Exception, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    def fails() -> None:
        raise error

    light("x")(fails)
    assert capsys.readouterr().out == f"{line}\n"


def test_the_count_begins_again_after_each_cell() -> None:
    light("first cell")(lambda: 1 / 0)
    with pytest.raises(AssertionError, match=r"^0 of 1 lights are on"):
        every_light()
    light("second cell")(lambda: None)
    every_light()


def test_an_interrupted_cell_leaves_no_count() -> None:
    def interrupted() -> None:
        raise KeyboardInterrupt

    light("one")(lambda: 1 / 0)
    with pytest.raises(KeyboardInterrupt):
        light("two")(interrupted)
    light("again")(lambda: None)
    every_light()


def test_a_cell_without_lights_says_so() -> None:
    with pytest.raises(AssertionError, match="received none: run the whole cell"):
        every_light()
