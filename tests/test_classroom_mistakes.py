"""Hidden checks name a mistake by the number that it gives."""

from typing import Any

import numpy as np
import pytest

from classroom.mistakes import expect, in_line, parts

FORGOTTEN = {"the bias was left out": [2.0, 3.0], "the sign is turned round": [-7.0, -8.0]}


@pytest.mark.parametrize("found", [[7, 8], (7.0, 8.0), np.array([7.0, 8.0]), np.array([7, 8])])
def test_what_is_right_passes_in_any_form(found: Any) -> None:
    expect(found, [7.0, 8.0], "x = 1", FORGOTTEN)


@pytest.mark.parametrize("mistake", FORGOTTEN)
def test_a_known_value_is_called_by_its_mistake(mistake: str) -> None:
    with pytest.raises(AssertionError, match=rf"^{mistake}: for x = 1 expected \[7, 8\]; received \["):
        expect(FORGOTTEN[mistake], [7.0, 8.0], "x = 1", FORGOTTEN)


@pytest.mark.parametrize("found", [[7.0], [[7.0, 8.0]], [7.0, 8.1], [np.nan, 8.0], "7, 8", [], {}, object()])
def test_anything_else_is_shown_as_it_is(found: Any) -> None:
    with pytest.raises(AssertionError, match=r"^for x = 1 expected \[7, 8\]; received "):
        expect(found, [7.0, 8.0], "x = 1", FORGOTTEN)


def test_nothing_at_all_asks_for_a_return() -> None:
    with pytest.raises(
        AssertionError, match=r"nothing came back \(None\): does the function end with `return`"
    ):
        expect(None, 0.0, "x = 1")
    with pytest.raises(AssertionError, match="does the function end with `return w, b`"):
        parts(None, "w", "b")


@pytest.mark.parametrize("found", [2.0, np.array(2.0), [2.0], [[2.0]], np.full((1, 1), 2.0)])
def test_flat_lets_any_shape_pass(found: Any) -> None:
    expect(found, 2.0, "x = 1", flat=True)
    expect(found, [2.0], "x = 1", flat=True)


@pytest.mark.parametrize("found", [[2.0, 2.0], [], 3.0, [[3.0]], np.nan])
def test_flat_does_not_let_other_numbers_pass(found: Any) -> None:
    with pytest.raises(AssertionError, match="expected"):
        expect(found, 2.0, "x = 1", flat=True)


def test_parts_come_as_they_were_returned() -> None:
    assert parts((1, 2), "w", "b") == parts([1, 2], "w", "b") == (1, 2)


@pytest.mark.parametrize("found", [1.0, (1,), (1, 2, 3), np.zeros(2), "ab"])
def test_another_number_of_parts_is_refused(found: Any) -> None:
    with pytest.raises(AssertionError, match="expected 2 values, w, b; received "):
        parts(found, "w", "b")


@pytest.mark.parametrize("found", [[1.0, -2.0], np.array([-3.0, 6.0]), (0.5, 0.25)])
def test_in_line_is_one_of_the_ways_up_to_a_factor(found: Any) -> None:
    in_line(found, [1.0, -2.0], [2.0, 1.0])


@pytest.mark.parametrize(
    "found", [[0.0, 0.0], [1.0, 2.0], [np.nan, 1.0], [np.inf, 1.0], [1.0], None, "ab", object()]
)
def test_in_line_is_not_what_points_elsewhere_or_nowhere(found: Any) -> None:
    with pytest.raises(AssertionError, match=r"up to a factor: expected \[1, -2\]; received "):
        in_line(found, [1.0, -2.0], [2.0, 1.0])
