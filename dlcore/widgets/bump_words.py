"""The bump builder's sentences: what a network of ReLUs is made of, how many pieces it has and why (chapter Layers)."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from .bumps import HIGH, LOW, SEEDS, Bumps, Curve
from .line import count, number

RAISED = str.maketrans("0123456789", "⁰¹²³⁴⁵⁶⁷⁸⁹")
TARGET_NAMES = {
    "bump": "the bump",
    "sine": "the sine",
    "saw": "the saw",
    "step": "the step",
    "own": "your own curve",
}


def error_words(error: float) -> str:
    """Return a mean squared error as it is printed."""
    return "less than 0.0001" if 0 < error < 1e-4 else number(error, 4)


def listed(numbers: Sequence[int]) -> str:
    """Return the numbers of some units in words.

    >>> listed([2]), listed([1, 2, 4])
    ('unit 2', 'units 1, 2 and 4')
    """
    words = [str(n) for n in numbers]
    return f"unit {words[0]}" if len(words) == 1 else f"units {', '.join(words[:-1])} and {words[-1]}"


def about_pieces(made: Bumps, pieces: int) -> str:
    """Return how many straight pieces there are, and why not one more than units."""
    units = len(made.joints)
    if pieces == units + 1:
        return f"{count(pieces, 'straight piece')}: one more than units, as many as there can be."
    reasons = []
    idle = [i + 1 for i in range(units) if made.slopes[i] == 0]
    if idle:
        reasons.append(f"the slope does not change at {listed(idle)}")
    outside = [i + 1 for i in range(units) if not LOW < made.joints[i] < HIGH]
    if outside:
        reasons.append(
            f"{listed(outside)} bend{'s' * (len(outside) == 1)} at the edge of the picture or outside it"
        )
    inside = [i for i in range(units) if i + 1 not in outside]
    for joint in sorted({made.joints[i] for i in inside}):
        same = [i + 1 for i in inside if made.joints[i] == joint]
        if len(same) > 1:
            reasons.append(f"{listed(same)} bend at the same place")
    why = f" Fewer than {units + 1}, for {'; '.join(reasons)}." if reasons else ""
    return f"{count(pieces, 'straight piece')}.{why}"


def about_dead(made: Bumps) -> str:
    """Return which units are off all over the picture, so that no training brings them back; else nothing."""
    right, left = (made.weights > 0) & (made.joints >= HIGH), (made.weights < 0) & (made.joints <= LOW)
    dead = (np.flatnonzero(right | left) + 1).tolist()
    if not dead:
        return ""
    are, them = ("are", "them") if len(dead) > 1 else ("is", "it")
    return f" {listed(dead).capitalize()} {are} off all over the picture: training cannot bring {them} back."


def term(made: Bumps, unit: int) -> str:
    """Return what a unit computes, as it is written: v·relu(w x + c)."""
    w = made.weights[unit]
    inner = "x" if w == 1 else "−x" if w == -1 else f"{number(w)}·x"
    c = -w * made.joints[unit]
    return f"{number(made.slopes[unit] / abs(w))}·relu({inner} {'−' if c < 0 else '+'} {number(abs(c))})"


class Entrant:
    """A network of the comparison: what it is, and what came of it.

    Attributes:
        title: what it is called.
        curve: its output.
        error: its mean squared error.
        pieces: of the networks of all seeds, sorted; empty while they are trained.
        level: how many of these put out the same number everywhere.
    """

    def __init__(self, title: str, curve: Curve, error: float, others: Sequence[Curve] = ()) -> None:
        self.title, self.curve, self.error = title, curve, error
        self.pieces = sorted(other.pieces for other in others)
        self.level = sum(bool(np.ptp(other.y) == 0) for other in others)

    @property
    def spread(self) -> str:
        """How many pieces the networks of all seeds have."""
        if not self.pieces:
            return ""
        low, high, middle = self.pieces[0], self.pieces[-1], float(np.median(self.pieces))
        return f"{low} to {high}, median {middle:g}" if low < high else f"{low} each"


def about_race(depth: int, steps: int, hand: Entrant, wide: Entrant, deep: Entrant) -> str:
    """Return what the comparison shows."""
    units, folds = 2 * depth, hand.curve.pieces
    than = "more than" if folds > units + 1 else "no more than"
    by_hand = (
        f"{units} units and {3 * units + 1} parameters each. Folded by hand, {count(depth, 'hidden layer')} make "
        f"2{str(depth).translate(RAISED)} = {folds} pieces, {than} the {units + 1} that one hidden layer can have."
    )
    if not steps:
        return f"{by_hand} The other two are as their seeds made them: press Train."
    trained = (
        f"After {steps:,} updates from {SEEDS} seeds the best wide network has {count(wide.curve.pieces, 'piece')} and "
        f"an error of {error_words(wide.error)}, the best deep one {count(deep.curve.pieces, 'piece')} and "
        f"{error_words(deep.error)}."
    )
    if deep.pieces:
        trained += f" Pieces of the deep networks over the seeds: {deep.spread}."
        if deep.level:
            trained += f" In {deep.level} of the {SEEDS} a whole layer is off, and nothing passes."
    moral = "What depth can do and what training finds are two things."
    return f"{by_hand} {trained} {moral if deep.curve.pieces < folds else ''}".strip()
