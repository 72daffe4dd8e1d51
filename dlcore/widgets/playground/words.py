"""The state in sentences, for those who do not see the picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from dlcore.widgets.line import percent

from .task import FEATURES, TEST, TRAIN, Task

if TYPE_CHECKING:
    from .session import Session

LOSS_NAMES = {"half_squared": "½(ŷ - y)²", "cross_entropy": "cross-entropy"}
ACTIVATION_NAMES = {"relu": "ReLU"}
OPTIMIZER_NAMES = {"sgd": "SGD", "momentum": "SGD with momentum 0.9", "rmsprop": "RMSProp", "adam": "Adam"}


def summary(session: Session, diagnosis: str, *, by_example: bool = False) -> str:
    """Return where training stands, what is trained, and what is wrong."""
    said = (_standing(session), described(session.task, by_example=by_example), diagnosis)
    return " ".join(part for part in said if part)


def _standing(session: Session) -> str:
    m, epoch = session.measures, session.trainer.epoch
    if not session.data.count(TRAIN):
        return "No points yet."
    losses = {"training": m.train_loss, "test": m.test_loss}
    said = [f"{name} loss {number(loss)}" for name, loss in losses.items() if loss is not None]
    if said and not session.data.count(TEST):
        said.append("no test points")
    right = (
        f" {percent(m.test_accuracy, 1)} of the test points are on the right side."
        if m.test_accuracy is not None
        else ""
    )
    return f"Epoch {counted(epoch)}: {', '.join(said) or 'the loss is no finite number'}.{right}"


def number(value: float) -> str:
    """Return a loss to three decimals, but none as 0 that is not, and a huge one shortly."""
    if 0 < value < 0.0005:
        return "below 0.001"
    return f"{value:.3f}" if value < 1e4 else f"{value:.2e}"


def counted(epochs: float) -> str:
    """Return epochs as the view writes them: a begun one to three decimals, thousands with a comma."""
    return f"{epochs:,.3f}".rstrip("0").rstrip(".")


def described(task: Task, *, by_example: bool = False) -> str:
    """Return what is trained, in a sentence; by example means batches of one."""
    inputs = ", ".join(FEATURES[name].label for name in task.features)
    activation = ACTIVATION_NAMES.get(task.activation, task.activation)
    layers = (
        f"hidden layers of {', '.join(map(str, task.hidden))} {activation} units"
        if task.hidden
        else "no hidden layer"
    )
    penalty = f", {task.penalty} at {task.regularization_rate:g}" if task.penalty != "none" else ""
    return (
        f"{task.dataset.replace('_', ' ').capitalize()} ({task.problem}); inputs {inputs}; {layers}; "
        f"{LOSS_NAMES[task.loss]}, {OPTIMIZER_NAMES[task.optimizer]} at {task.learning_rate:g}, batches of "
        f"{1 if by_example else task.batch_size}{penalty}."
    )
