"""The figures of the book: one look, by day and by night (used by every chapter).

Every function draws on the Axes that it is given, or on new ones, and returns them:

    points, border, decision_boundary       data in the plane, and what separates it
    images, weights                         pictures, and the picture that a row of weights is
    loss_curves, confusion                  how training went, and where it ended
    activations_histogram, graph            what goes on inside a network

The ground is transparent, text is a middle grey, and colours are those of Okabe and Ito that stand out from
white and from near-black alike; people who see colours differently can tell them apart, and what colour says
is also said by marker, dash or number (M. Okabe and K. Ito, *Color Universal Design*, 2008).
"""

from .inside import activations_histogram, graph
from .pictures import images, weights
from .plane import border, decision_boundary, points
from .runs import confusion, loss_curves
from .style import (
    BLUE,
    COLOURS,
    DASHES,
    DIVERGING,
    GREEN,
    GREY,
    MARKERS,
    PALE,
    PAPER,
    PURPLE,
    VERMILLION,
    can_write,
    figure,
    legend,
    png,
    style,
    use_style,
)

__all__ = [
    "BLUE",
    "GREEN",
    "PAPER",
    "PURPLE",
    "VERMILLION",
    "COLOURS",
    "DASHES",
    "DIVERGING",
    "GREY",
    "MARKERS",
    "PALE",
    "activations_histogram",
    "border",
    "can_write",
    "confusion",
    "decision_boundary",
    "figure",
    "graph",
    "images",
    "legend",
    "loss_curves",
    "png",
    "points",
    "style",
    "use_style",
    "weights",
]
