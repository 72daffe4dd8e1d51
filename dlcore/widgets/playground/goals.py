"""The tasks that the prose may set with a playground."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlcore.widgets.base import Goal

if TYPE_CHECKING:
    from . import Playground

SOLVED = 0.05  # the test loss below which a task counts as solved
GAP = 0.2  # by so much the test loss of a network that has learnt its points by heart is higher


def solved(widget: Playground) -> bool:
    """Return whether training has brought the test loss low enough."""
    return widget.epoch > 0 and widget.test_loss is not None and widget.test_loss < SOLVED


def solved_by(dataset: str, *, hidden: int | None = None, units: int | None = None) -> Goal:
    """Return the task of solving a set with at most so many hidden layers, or units in them."""
    limits = {
        "no hidden layer": hidden == 0,
        f"no more than {units} hidden units": units is not None,
    }
    within = "".join(f" with {limit}" for limit, set_ in limits.items() if set_)

    def reached(widget: Playground) -> bool:
        small = (hidden is None or len(widget.hidden) <= hidden) and (
            units is None or sum(widget.hidden) <= units
        )
        return widget.dataset == dataset and small and solved(widget)

    return Goal(f"Bring the test loss on the {dataset} below {SOLVED}{within}.", reached)


def by_heart(widget: Playground) -> bool:
    """Return whether the network is good on the points it has seen and bad on the others."""
    train, test = widget.train_loss, widget.test_loss
    return (
        widget.epoch > 0 and train is not None and test is not None and train < SOLVED and test > train + GAP
    )


def fallen(widget: Playground) -> bool:
    """Return whether regularization has left one answer for all points."""
    return widget.regularization != "none" and "has collapsed to a constant" in widget.diagnosis


GOALS = {
    "circle": solved_by("circle", units=3),
    "no-hidden": solved_by("circle", hidden=0),
    "spiral": solved_by("spiral"),
    "overfit": Goal(
        f"Let it learn by heart: a training loss below {SOLVED}, and a test loss higher by {GAP} or more.",
        by_heart,
    ),
    "collapse": Goal("Let regularization shrink the network to one answer for all points.", fallen),
}
