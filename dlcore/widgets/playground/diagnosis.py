"""The diagnosis: what goes wrong in a network, in sentences with the reason and the repair. Every claim is computed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from dlcore.widgets.line import number, percent

from .maps import outputs
from .session import Measures, Session
from .task import FEATURES, TEST, TRAIN, Task

Array = np.ndarray[Any, Any]

CONSTANT = 0.05  # outputs that differ by less are the same
TINY = 0.05  # a layer with no weight larger than this lets hardly anything through
LONG = 0.1  # a learning rate from which steps may be too long
FLAT = 0.02  # a unit whose slope is below this everywhere hardly learns
SATURATED = {
    "tanh": lambda y: 1 - y * y,
    "sigmoid": lambda y: 4 * y * (1 - y),
}  # slope, as a share of the greatest


class View(NamedTuple):
    """What a diagnosis looks at.

    Attributes:
        layers: outputs on the training points, inputs first: for each layer (units, n).
        targets: array of shape (n,).
        weights: weight and bias of each layer in turn.
        epoch: epochs trained.
        lately: epochs trained since something but training changed the state.
        before: the training loss after two thirds of the latter; None if that is not known.
    """

    task: Task
    layers: list[Array]
    targets: Array
    weights: Sequence[Array]
    measures: Measures
    epoch: float
    lately: float
    before: float | None

    @property
    def prediction(self) -> Array:
        """The output on the training points in [-1, 1] where classes are meant."""
        z: Array = self.layers[-1][0]
        return np.tanh(z / 2) if self.task.loss == "cross_entropy" else z

    @property
    def spread(self) -> float:
        """How far apart the outputs lie."""
        return float(np.ptp(self.prediction))


def diagnosis(session: Session) -> str:
    """Return what is wrong, in sentences; empty if nothing is."""
    if session.notice or not session.trainer.count or session.measures.train_loss is None:
        return session.notice
    view = look(session)
    stuck = linear(view) or overshoot(view) or collapse(view)
    single = [dead_units(view), saturated_units(view)]
    found = [stuck, *(s for s in single if "units of hidden layer" not in stuck), noise_floor(session)]
    return " ".join(sentence for sentence in found if sentence)


def look(session: Session) -> View:
    """Compute what the diagnosis looks at."""
    weights = session.trainer.weights()
    with np.errstate(all="ignore"):
        layers = outputs(session.task, session.train_inputs, weights)
    rows = session.curves.array
    lately = session.trainer.epoch - session.since
    told = (rows[:, 0] >= session.since) & (rows[:, 0] <= session.since + lately * 2 / 3)
    earlier = rows[told, 1]
    return View(
        session.task,
        layers,
        session.data.targets[session.rows[TRAIN]],
        weights,
        session.measures,
        session.trainer.epoch,
        lately,
        float(earlier[-1]) if len(earlier) else None,
    )


# ------------------------------------------------------------------------------------------- collapse


def guess(task: Task, targets: Array) -> float:
    """Return the loss of the best constant answer: what a network has learnt that is no better has learnt nothing."""
    if task.loss == "half_squared":
        return float(0.5 * targets.var())
    p = float((targets > 0).mean())
    return -sum(q * float(np.log(q)) for q in (p, 1 - p) if q > 0)


def collapse(view: View) -> str:
    """Say that the output is the same for all points though the targets are not, and why."""
    nothing = guess(view.task, view.targets)
    loss = view.measures.train_loss or 0.0
    if (
        view.epoch < 1
        or view.spread >= CONSTANT
        or float(view.targets.std()) < CONSTANT
        or loss < 0.9 * nothing
    ):
        return ""
    says = (
        f"The network has collapsed to a constant: its output is {number(float(view.prediction.mean()))} for every "
        f"training point, and its loss {loss:.3f} is"
    )
    if loss > 1.1 * nothing:
        return (
            f"{says} worse than {nothing:.3f}, that of answering with the mean. Where more training does not help, its "
            "weights and biases are too large: lower them, or reset."
        )
    return f"{says} that of answering with the mean. {_reason(view)}"


def _reason(view: View) -> str:
    task = view.task
    largest = [float(np.abs(w).max()) for w in view.weights[::2]]
    if task.penalty != "none" and min(largest) < TINY:
        rate = task.regularization_rate
        # One layer near 0 has a slope, which the penalty outweighs; of two, each takes the other's slope away.
        lost = sum(size < TINY for size in largest) > 1
        back = "from there the loss has hardly a slope that leads back" if lost else "it holds them there"
        return (
            f"{task.penalty} regularization at rate {rate:g} has pulled the weights to nearly 0 (in layer "
            f"{largest.index(min(largest)) + 1} the largest is {min(largest):.2g}), and {back}. Choose a rate of "
            f"{rate / 10:.2g} or below{', and reset' if lost else ''}."
        )
    for place, layer in enumerate(view.layers[1:-1], 1):
        if task.activation == "relu" and not layer.any():
            return (
                f"All units of hidden layer {place} are dead: no gradient passes them. Reset with another seed"
                f"{_or_he(task)} or with a smaller learning rate."
            )
    if task.activation == "linear" or not task.hidden:
        return "If that stays so, hardly any linear function of the inputs is better: add inputs, or units that bend."
    return (
        "If that stays so it is a plateau: the gradient that reaches the early layers is small. A larger learning "
        "rate, Adam, tanh or ReLU units, or more units may help."
    )


def overshoot(view: View) -> str:
    """Say that the network is worse than the best constant though it is trained with long steps."""
    rate, loss, nothing = (
        view.task.learning_rate,
        view.measures.train_loss or 0.0,
        guess(view.task, view.targets),
    )
    if view.lately < 5 or rate < LONG or loss <= 1.1 * nothing:
        return ""
    return (
        f"The training loss {loss:.3f} is worse than {nothing:.3f}, that of answering with the mean: steps at learning "
        f"rate {rate:g} are probably too long and throw the weights about. Choose a smaller rate, and reset."
    )


# ---------------------------------------------------------------------------------------- single units


def dead_units(view: View) -> str:
    """Name the ReLU units that are 0 for all training points."""
    if view.task.activation != "relu":
        return ""
    names = _names(view, lambda layer: layer.max(axis=1) <= 0)
    if not names:
        return ""
    one = len(names) == 1
    return (
        f"{_listed(names)} {'is' if one else 'are'} dead: 0 for every training point, so no gradient changes "
        f"{'its' if one else 'their'} weights. A smaller learning rate{_or_he(view.task)} may prevent it."
    )


def _or_he(task: Task) -> str:
    return "" if task.initialization == "he" else " or He’s initial weights"


def saturated_units(view: View) -> str:
    """Name the tanh or sigmoid units that are near a limit for all training points."""
    slope: Any = SATURATED.get(view.task.activation)
    if slope is None:
        return ""
    names = _names(view, lambda layer: slope(layer).max(axis=1) < FLAT)
    if not names:
        return ""
    one = len(names) == 1
    return (
        f"{_listed(names)} {'is' if one else 'are'} saturated: at a limit of {view.task.activation} for every training "
        f"point, where the slope is below {percent(FLAT)} of its greatest, so that {'it' if one else 'they'} hardly "
        f"{'learns' if one else 'learn'} any more. Smaller weights (L2) or a smaller learning rate may prevent it."
    )


def _names(view: View, test: Any) -> list[str]:
    return [
        f"unit {unit + 1} of layer {number}"
        for number, layer in enumerate(view.layers[1:-1], 1)
        for unit in np.flatnonzero(test(layer))
    ]


def _listed(names: list[str]) -> str:
    text = names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"
    return text[0].upper() + text[1:]


# ------------------------------------------------------------------------------------------ linear nets


def linear(view: View) -> str:
    """Say that a network without any bend is stuck because no linear function of its inputs would do."""
    task = view.task
    if task.activation != "linear" and task.hidden:
        return ""
    loss, before = view.measures.train_loss, view.before
    if view.lately < 20 or loss is None or before is None or loss < 0.98 * before:
        return ""
    fit = best_linear(view)
    if fit is None:
        return ""
    inputs = ", ".join(FEATURES[name].label for name in task.features)
    why, repair = (
        ("With linear units all layers multiply out to", "Choose another activation")
        if task.hidden
        else ("Without a hidden layer the network is", "Add a layer of units that bend (tanh, ReLU, sigmoid)")
    )
    return (
        f"{why} one linear function of {inputs}, and {fit} {repair}, or a feature of which the targets are a linear "
        "function."
    )


def best_linear(view: View) -> str | None:
    """Say how well the least-squares line does on the training points; None if it does well."""
    table = np.concatenate([view.layers[0], np.ones((1, len(view.targets)))]).T.astype(np.float64)
    fitted = table @ np.linalg.lstsq(table, view.targets.astype(np.float64), rcond=None)[0]
    if view.task.problem == "classification":
        right = float(((fitted >= 0) == (view.targets > 0)).mean())
        return (
            None
            if right >= 0.9
            else f"that of least squares has only {percent(right)} of the training points right."
        )
    least = 0.5 * float(((fitted - view.targets) ** 2).mean())
    if least < 0.1 * guess(view.task, view.targets):
        return None
    return f"the best has a training loss of {least:.3f}, however long one trains."


# ----------------------------------------------------------------------------------------------- noise


def noise_floor(session: Session) -> str:
    """Say how many labels the noise has turned once the network is as good on new points as the noise-free rule."""
    data, accuracy = session.data, session.measures.test_accuracy
    if data.clean is None or accuracy is None or not data.count(TEST):
        return ""
    rows = session.rows[TEST]
    kept = float((data.clean[rows] == data.targets[rows]).mean())
    if kept == 1 or accuracy < kept - 0.03:
        return ""
    turned = round((1 - kept) * data.count(TEST))
    return (
        f"Noise has turned {turned} of {data.count(TEST)} test labels, so that the rule without noise has "
        f"{percent(kept, 1)} right: do not expect much more than the {percent(accuracy, 1)} that there are."
    )
