"""What the state of a deep chain is called, and the sentence that says so with its numbers (chapter Activations)."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from .line import percent

Values = NDArray[np.float64]

FAR, NEAR = 100.0, 2.0  # factors between the last layer and the first: out of hand, and as good as equal
ALIKE = 0.01  # examples are lost when their activations differ by less than this share of what the inputs do
DEAD = 0.5  # a larger share of dead units is called so
SATURATED = 0.6  # likewise of slopes near 0; of a ReLU's half are 0 at the start, as they should be


class Levels(NamedTuple):
    """What is measured in each layer, arrays of shape (depth,); NaN or infinite where float32 was not enough.

    Attributes:
        activations: their standard deviation over units and examples.
        between: the standard deviation over the examples alone, of a typical unit.
        gradients: the standard deviation of the gradient by the activations.
        flat: share of the slopes that are nearly 0.
        dead: share of the units through which no gradient passes for any example.
    """

    activations: Values
    between: Values
    gradients: Values
    flat: Values
    dead: Values


class Verdict(NamedTuple):
    """The state in a word, for the colour of the box, and in sentences."""

    word: str
    sentence: str


def power(value: float) -> str:
    """Return a number with two digits, as a power of ten where it is very large or small.

    >>> power(0.0123), power(3.1e-14), power(250.0), power(4.2e21), power(0.0)
    ('0.012', '3.1 · 10⁻¹⁴', '250', '4.2 · 10²¹', '0')
    """
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else "more than float32 can hold"
    mantissa, exponent = f"{value:.1e}".split("e")
    if -4 < int(exponent) < 5:
        return f"{float(f'{value:.1e}'):.{max(0, 1 - int(exponent))}f}"
    raised = str(int(exponent)).translate(str.maketrans("-0123456789", "⁻⁰¹²³⁴⁵⁶⁷⁸⁹"))
    return f"{mantissa} · 10{raised}"


def first_overflow(levels: Levels) -> int:
    """Return the number of the first layer whose activations are not finite; 0 if all are."""
    lost = ~np.isfinite(levels.activations)
    return int(np.argmax(lost)) + 1 if lost.any() else 0


def ratio(levels: Levels) -> float:
    """Return the gradient of the first layer as a multiple of that of the last; NaN if one is not finite."""
    first, last = float(levels.gradients[0]), float(levels.gradients[-1])
    return first / last if math.isfinite(first) and math.isfinite(last) and last > 0 else math.nan


def judge(levels: Levels, *, steepest: float, inputs: float) -> Verdict:
    """Say what became of the signal forward, of the gradient backward, and of the units.

    Args:
        levels: what was measured.
        steepest: the slope of the activation function that counts as steep; 0 for the step.
        inputs: the standard deviation of the inputs over the examples.
    """
    forward = _forward(levels, inputs)
    if forward.word == "overflow":
        return forward
    parts = (forward, _backward(levels, steepest), _units(levels, steepest))
    word = next((part.word for part in parts if part.word != "healthy"), "healthy")
    return Verdict(word, " ".join(part.sentence for part in parts if part.sentence))


def _forward(levels: Levels, inputs: float) -> Verdict:
    lost = first_overflow(levels)
    if lost:
        largest = float(np.max(levels.activations[: lost - 1], initial=0.0))
        return Verdict(
            "overflow",
            f"The signal explodes: from layer {lost} on the activations are larger than float32 can hold, and all "
            f"that is computed from them is infinite or not a number. The last standard deviation that could be "
            f"measured is {power(largest)}. No gradient can be computed.",
        )
    last, apart = float(levels.activations[-1]), float(levels.between[-1])
    if last > FAR * inputs:
        return Verdict(
            "explodes",
            f"Forward, the signal explodes: the standard deviation of the activations grows to {power(last)}.",
        )
    if apart < ALIKE * inputs:
        return Verdict(
            "vanishes",
            f"Forward, the signal vanishes: in the last layer the activations of different examples differ by "
            f"{power(apart)}, and the inputs by {power(inputs)}.",
        )
    return Verdict(
        "healthy",
        f"Forward, the signal arrives: in the last layer the activations have the standard deviation {power(last)}, "
        f"and between the examples they differ by {power(apart)}.",
    )


def _backward(levels: Levels, steepest: float) -> Verdict:
    if steepest == 0:
        return Verdict("vanishes", "Backward, nothing passes: the slope of a step is 0 wherever it exists.")
    if not np.isfinite(levels.gradients).all():
        return Verdict(
            "explodes",
            "Backward, the gradient explodes: in the first layers it is larger than float32 can hold.",
        )
    first, times = float(levels.gradients[0]), ratio(levels)
    if len(levels.gradients) == 1:
        return Verdict("healthy", "")
    if first == 0:
        return Verdict(
            "vanishes",
            "Backward, the gradient vanishes: none at all reaches the first layer, it is exactly 0 there.",
        )
    times_in_words = f"that of the first layer is {power(times)} times that of the last"
    if times > FAR:
        return Verdict("explodes", f"Backward, the gradient explodes: {times_in_words}.")
    if times < 1 / FAR:
        return Verdict("vanishes", f"Backward, the gradient vanishes: {times_in_words}.")
    return Verdict("healthy", f"Backward, the gradient arrives: {times_in_words}.")


def _units(levels: Levels, steepest: float) -> Verdict:
    dead, flat = float(np.mean(levels.dead)), float(np.mean(levels.flat))
    if steepest == 0:
        return Verdict("healthy", "")
    if dead > DEAD:
        return Verdict("dead", f"{percent(dead)} of the units are dead: their slope is 0 for every example.")
    word = "saturated" if flat > SATURATED else "healthy"
    return Verdict(
        word, f"{percent(flat).capitalize()} of the slopes are nearly 0, {percent(dead)} of the units dead."
    )
