"""The whole state of a playground as a link, and back: settings, points, weights, the optimizer's memory, the clock.

Left out are the 32 networks of the band, which begin anew, and of the curves all but fifty rows.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from dlcore.widgets.traits import real, shown

from . import link
from .history import History, Phase
from .panel import Panel
from .session import OF_START, Session
from .task import Points, Task

Array = np.ndarray[Any, Any]
ROWS = 50  # of the curves
MOST_POINTS = 300


def written(session: Session, settings: Mapping[str, Any], own: Points) -> str:
    """Return the state as a link.

    Args:
        session: what is trained.
        settings: those of the widget that are not as they come.
        own: the reader's points.
    """
    trainer, history, patience = session.trainer, session.history, session.patience
    header: dict[str, Any] = {
        "settings": dict(settings),
        "own": [list(point) for point in own],
        "clock": [trainer.steps, trainer.epochs, trainer.cursor],
        "notice": session.notice,
    }
    if history.origin is None:  # else the program of the opened link begins with the weights of now
        header["began"] = {name: getattr(history.task, name) for name in OF_START}
        header["phases"] = [list(phase) for phase in history.phases]
    rows = session.curves.array
    arrays = {
        "weights": trainer.flat,
        **{f"memory.{name}": values for name, values in trainer.memory().items()},
        "curves": rows[np.unique(np.linspace(0, len(rows) - 1, ROWS).astype(int))] if len(rows) else rows,
    }
    if patience.saved is not None:
        header["best"] = [patience.best, patience.epoch]
        flat, memory = patience.saved.arrays()
        arrays |= {"best.weights": flat, **{f"best.memory.{name}": values for name, values in memory.items()}}
    return link.pack(header, arrays)


def checked_points(points: Any) -> Points:
    """Return points as they are kept; where classes are meant, the signs of their targets are.

    Raises:
        ValueError: too many, not three finite numbers each, outside the plane, or a target beyond -1 to 1.
    """
    if len(points) > MOST_POINTS:
        raise ValueError(f"expected at most {MOST_POINTS} points of one's own; received {len(points)}")
    return tuple(checked_point(*point, problem="regression") for point in points)


def checked_point(x1: Any, x2: Any, target: Any, *, problem: str) -> tuple[float, float, float]:
    """Return a point, its numbers as float32 has them.

    Raises:
        ValueError: see `checked_points`; in classification also a target that is neither -1 nor +1.
    """
    values = real(x1), real(x2), real(target)
    if not all(abs(value) <= 6 for value in values[:2]):
        raise ValueError(
            f"expected a point with coordinates from -6 to 6; received ({shown(x1)}, {shown(x2)})"
        )
    if problem == "classification" and values[2] not in (-1, 1):
        raise ValueError(f"expected the class -1 or +1 of a point; received {shown(target)}")
    if not abs(values[2]) <= 1:
        raise ValueError(
            f"expected the target of a point to be a number from -1 to 1; received {shown(target)}"
        )
    return tuple(np.array(values, np.float32).tolist())


def resumed(
    header: Mapping[str, Any], arrays: Mapping[str, Array], task: Task, *, device: str, band: bool
) -> Session:
    """Return a new session in the state of a link, for a task made of its settings.

    Raises:
        ValueError: numbers that do not fit the task or are not finite.
    """
    session = Session(task, device=device, band=band)
    trainer = session.trainer
    if "best" in header:
        trainer.load(*_numbers(session, arrays, "best."))
        best, epoch = header["best"]
        session.patience.best, session.patience.epoch = float(best), int(epoch)
        session.patience.saved = trainer.snapshot()
    trainer.load(*_numbers(session, arrays, ""))
    trainer.steps, trainer.epochs, trainer.cursor = _clock(session, header["clock"])
    if "began" in header:
        session.history = History(_began(task, header["began"]), phases=_phases(task, header["phases"]))
    else:
        session.history.restart(trainer, "it was opened from a link")
    session.touched(str(header["notice"]))
    session.curves.clear()
    session.curves.extend(arrays["curves"])
    return session


def _numbers(
    session: Session, arrays: Mapping[str, Array], which: str
) -> tuple[list[Array], dict[str, Array]]:
    """Return weights and memory of a link, if they fit the session's network and optimizer."""
    trainer, flat = session.trainer, arrays[f"{which}weights"]
    memory = {name: arrays[f"{which}memory.{name}"] for name in trainer.memory()}
    rows = [flat, *(values for name, values in memory.items() if name != "steps")]
    if any(values.shape != trainer.flat.shape or not np.isfinite(values).all() for values in rows):
        raise ValueError("this link's numbers do not fit its network. Copy it again, as a whole")
    return trainer.unflat(flat), memory


def _clock(session: Session, clock: Any) -> tuple[int, int, int]:
    steps, epochs, cursor = (int(value) for value in clock)
    if min(steps, epochs, cursor) < 0 or cursor >= max(session.trainer.count, 1):
        raise ValueError("this link's count of steps does not fit its data. Copy it again, as a whole")
    return steps, epochs, cursor


# What a link says of the past becomes source of the program shown, which the reader may run: settings, nothing else.


def _began(task: Task, began: Mapping[str, Any]) -> Task:
    return replace(task, **{name: _setting(name, began[name]) for name in OF_START})


def _phases(task: Task, rows: Any) -> list[Phase]:
    names = ("batch_size", "learning_rate", "regularization", "regularization_rate")
    return [
        Phase(int(first), *(_setting(name, value) for name, value in zip(names, values, strict=True)))
        for first, *values in rows
    ]


def _setting(name: str, value: Any) -> Any:
    """Return a value as the panel's setting of this name stores it; raise ValueError if it is none."""
    trait: Any = Panel.class_traits()[name]
    try:
        return trait.clean(value)
    except (TypeError, ValueError, OverflowError):
        raise ValueError(f"expected {trait.expected} for {name}; received {value!r}") from None
