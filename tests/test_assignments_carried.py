"""A mistake counts once: what rests on a wrong log_softmax is judged by the student's own logarithms."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from classroom.referee import Check, checks

Function = Callable[..., Any]


def off(task: str, function: Function, log_softmax: Function) -> list[str]:
    """Return what the lights of a task say that stay off. Those on arrays changed in place need the sandbox."""
    lights: list[Check] = [
        one for one in checks("loss") if one.task == task and "as they were" not in one.says
    ]
    assert len(lights) == 3
    found = []
    for light in lights:
        try:
            light.passes(function, log_softmax)
        except AssertionError:
            found.append(light.says)
    return found


def shifted_once(z: Any) -> Any:
    """A typical mistake: the shift is in the sum and not in the logits."""
    return z - np.log(np.exp(z - z.max(axis=1, keepdims=True)).sum(axis=1, keepdims=True))


def mean_cost(z: Any, labels: Any) -> Any:
    return -shifted_once(z)[np.arange(len(z)), labels].mean()


def slopes(z: Any, targets: Any) -> Any:
    return (np.exp(shifted_once(z)) - targets) / len(z)


@pytest.mark.parametrize(
    ("task", "function"), [("cross_entropy", mean_cost), ("cross_entropy_gradient", slopes)]
)
def test_a_right_use_of_wrong_logarithms_keeps_its_lights(task: str, function: Function) -> None:
    assert off(task, function, shifted_once) == []


@pytest.mark.parametrize(
    ("task", "function", "so_many"),
    [
        ("cross_entropy", lambda z, labels: len(z) * mean_cost(z, labels), 1),
        ("cross_entropy", lambda z, labels: -mean_cost(z, labels), 3),
        ("cross_entropy_gradient", lambda z, targets: len(z) * slopes(z, targets), 2),
        ("cross_entropy_gradient", lambda z, targets: -slopes(z, targets), 3),
    ],
)
def test_a_wrong_use_of_wrong_logarithms_loses_them(task: str, function: Function, so_many: int) -> None:
    assert len(off(task, function, shifted_once)) == so_many


@pytest.mark.parametrize(
    "logarithms", [np.zeros_like, lambda z: np.full(z.shape, -2.0), lambda z: z * 1e-9 - 2.0]
)
def test_no_logarithms_can_be_made_to_fit_a_constant(logarithms: Function) -> None:
    for constant in (0.0, 2.0):
        assert len(off("cross_entropy", lambda z, labels, constant=constant: constant, logarithms)) == 3


def test_the_logarithms_are_asked_for_before_the_labels_are_shown() -> None:
    seen: list[Any] = []

    def answer(z: Any, labels: Any) -> float:
        seen.append((z, labels))
        return 0.5

    def made_to_fit(z: Any) -> Any:
        logs = np.linspace(-9.0, -8.0, z.size).reshape(z.shape)
        if seen and np.array_equal(seen[-1][0], z):
            logs[np.arange(len(z)), seen[-1][1]] += -0.5 - logs[np.arange(len(z)), seen[-1][1]].mean()
        return logs

    assert len(off("cross_entropy", answer, made_to_fit)) == 3
