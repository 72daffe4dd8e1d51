"""The state as a picture, for places that run no JavaScript."""

from __future__ import annotations

from typing import Any

import numpy as np

from .maps import REACH, grid, outputs
from .session import Session
from .task import TRAIN
from .words import counted

SIDE = 61  # points along each side
MOST = 250  # points drawn, evenly chosen from those there are
DOTS = 60  # per inch: the picture is stored in the notebook


def picture(session: Session, *, show_test: bool) -> bytes:
    """Return a PNG: the output all over the plane with the points on it, and the curves of the losses."""
    from dlcore import plots as house

    plots: Any = house

    left, right = plots.figure(2, width=8.4, height=3.6)
    _plane(session, left, show_test, plots)
    _losses(session, right, plots)
    return plots.png(left, dots=DOTS)  # type: ignore[no-any-return]


def _plane(session: Session, ax: Any, show_test: bool, plots: Any) -> None:
    task, data = session.task, session.data
    with np.errstate(all="ignore"):
        values = outputs(task, grid(task.features, SIDE), session.trainer.weights())[-1][0]
    values = np.tanh(values / 2) if task.loss == "cross_entropy" else values
    values = np.clip(np.nan_to_num(values), -1, 1).reshape(SIDE, SIDE)
    steps = np.linspace(-REACH, REACH, SIDE)
    # Steps in place of a gradient: a tenth of the bytes.
    ax.contourf(steps, steps[::-1], values, levels=np.linspace(-1, 1, 11), cmap=plots.PALE)
    if values.min() < 0 < values.max():
        ax.contour(steps, steps[::-1], values, levels=[0], colors=plots.GREY, linewidths=2)
    shown = np.flatnonzero(np.ones(len(data.targets), bool) if show_test else data.parts == TRAIN)
    shown = shown[:: -(-len(shown) // MOST) or 1]
    if task.problem == "classification" and len(shown):
        plots.points(data.points[shown], data.targets[shown], size=14, ax=ax)
    else:
        x, y = data.points[shown].T
        ax.scatter(x, y, c=data.targets[shown], cmap=plots.DIVERGING, vmin=-1, vmax=1, s=10)
    ax.set(
        xlim=(-REACH, REACH),
        ylim=(-REACH, REACH),
        aspect="equal",
        title=f"epoch {counted(session.trainer.epoch)}",
    )


def _losses(session: Session, ax: Any, plots: Any) -> None:
    rows = session.curves.array
    with plots.style():
        for column, name, dash in ((1, "training", "-"), (2, "test", "--"), (3, "validation", "-.")):
            if len(rows) and np.isfinite(rows[:, column]).any():
                ax.plot(rows[:, 0], rows[:, column], dash, label=name)
        ax.set(xlabel="epoch", ylabel="loss", ylim=(0, None))
    if ax.lines:
        plots.legend(ax)
