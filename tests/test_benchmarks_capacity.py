"""The timing of the capacity curve: that it times the curve with the peak, and what it promises to time."""

import pytest

from benchmarks import capacity


def test_the_curve_that_is_timed_has_its_peak_where_it_should(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"WIDTHS": (10, 30, 50, 75, 200), "SEEDS": 4, "EXAMPLES": 50, "TESTS": 100}.items():
        monkeypatch.setattr(capacity, name, value)
    found = capacity.whole()
    assert found["peak"] == 50
    assert found["cpu"] > 0
    assert found["clock"] > 0


def test_it_is_twenty_widths_and_twenty_seeds_about_the_threshold() -> None:
    assert len(capacity.WIDTHS) == capacity.SEEDS == 20
    assert capacity.EXAMPLES in capacity.WIDTHS
    assert capacity.WIDTHS[0] < capacity.EXAMPLES / 10
    assert capacity.WIDTHS[-1] == 10 * capacity.EXAMPLES
