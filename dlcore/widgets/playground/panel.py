"""The panel: the playground's settings, and what it shows, as typed traits."""

from __future__ import annotations

from dataclasses import fields
from typing import Any

import traitlets

from dlcore.widgets.base import Widget
from dlcore.widgets.traits import Choice, Choices, Number, Switch, Whole, Wholes

from .task import ACTIVATIONS, DATASETS, FEATURES, INITIALIZATIONS, LOSSES, OPTIMIZERS, Task

#: Names of the controls that a teacher may hide.
CONTROLS = (
    "problem",
    "dataset",
    "train_share",
    "noise",
    "batch_size",
    "regenerate",
    "features",
    "hidden",
    "activation",
    "learning_rate",
    "regularization",
    "regularization_rate",
    "loss",
    "optimizer",
    "initialization",
    "seed",
    "step_by",
    "patience",
    "band",
    "show_test",
    "discretize",
    "show_gradients",
    "predict_first",
    "run",
    "step",
    "reset",
    "own_points",
    "preset",
    "program",
    "link",
)
#: Settings of the widget that are fields of a task.
OF_TASK = tuple(field.name for field in fields(Task) if field.name not in ("own", "validated"))


def _shown(trait: Any, text: str) -> Any:
    """Return a trait that the view reads, with its help."""
    trait.help = text
    return trait.tag(sync=True)


def _setting(trait: Any, text: str) -> Any:
    """Return a setting with its help."""
    trait.help = text
    return trait


class Panel(Widget):
    """The traits of the playground, each with its help, and the rules between them."""

    problem = _setting(
        Choice(*DATASETS),
        "what targets are: classes -1 and +1, or numbers",
    )
    dataset = _setting(
        Choice("circle", "xor", "gaussian", "spiral", "plane", "multi_gaussian", "own"),
        "where points come from; the weights stay",
    )
    train_share = _setting(Whole(50, low=10, high=90), "percent of the points that are for training")
    noise = _setting(
        Whole(0, low=0, high=50), "percent; new points, the weights stay (see dlcore.data for what it means)"
    )
    batch_size = _setting(
        Whole(10, low=1, high=30), "points for one change of the weights; the last batch may be smaller"
    )
    features = _setting(
        Choices(*FEATURES, default=("x1", "x2"), least=1), "inputs; weights of those that remain stay"
    )
    hidden = _setting(
        Wholes([4, 2], least=0, most=6, low=1, high=8),
        "units of each hidden layer; weights between units that remain stay, the optimizer's memory does not",
    )
    activation = _setting(Choice(*ACTIVATIONS), "of the hidden units; the weights stay")
    learning_rate = _setting(Number(0.03, low=0.00001, high=10), "how far a step goes, from the next step on")
    regularization = _setting(Choice("none", "L1", "L2"), "penalty on the weights, not on biases")
    regularization_rate = _setting(Number(0.0, low=0, high=10), "how much the penalty counts")
    loss = _setting(Choice(*LOSSES), "½(ŷ - y)², or for classes the cross-entropy; the weights stay")
    optimizer = _setting(Choice(*OPTIMIZERS), "another one begins with an empty memory; the weights stay")
    initialization = _setting(
        Choice(*INITIALIZATIONS), "how weights are drawn, at the next reset or before the first step"
    )
    seed = _setting(
        Whole(0, low=0, high=2**32 - 1), "of the weights, at the next reset or before the first step"
    )
    data_seed = _setting(Whole(0, low=0, high=2**32 - 1), "of the points; by default the first seed")
    step_by = _setting(
        Choice("example", "batch", "epoch", default="epoch"),
        "what a step is; by example means batches of one, so that the weights change after each",
    )
    patience = _setting(
        Whole(0, low=0, high=500),
        "epochs without a lower validation loss after which training stops and the best weights come back (0: never). "
        "Half of the test part becomes the validation part",
    )
    band = _setting(Switch(False), "train 32 seeds beside this one, on the same points, from their own start")
    show_test = _setting(Switch(False), "whether test points are drawn")
    discretize = _setting(Switch(False), "whether the output is shown as one of two classes")
    show_gradients = _setting(Switch(False), "whether links show the last gradient in place of the weight")
    predict_first = _setting(Switch(False), "whether running waits for the reader's prediction")
    hide = _setting(Choices(*CONTROLS), "controls that are not shown")
    resolution = _setting(Whole(64, low=16, high=128), "points along each side of a map")

    epoch = _shown(traitlets.Float(0.0), "epochs trained, a begun one as a fraction")
    steps = _shown(traitlets.Int(0), "changes of the weights so far")
    units = _shown(traitlets.List(), "layer, index and label of each unit, inputs first")
    weights = _shown(traitlets.Bytes(b""), "float32: weight (in, out) and bias of each layer in turn")
    gradients = _shown(
        traitlets.Bytes(b""), "float32: of the last batch's loss without penalty, laid out like weights"
    )
    maps = _shown(
        traitlets.Bytes(b""), "int8: what each unit says on a grid over [-6, 6]², rows from the top"
    )
    points = _shown(
        traitlets.Bytes(b""), "float32 (n, 4): x1, x2, target, part (0 training, 1 test, 2 validation)"
    )
    curves = _shown(
        traitlets.Bytes(b""), "float32 (rows, 5): epoch, training, test and validation loss, test accuracy"
    )
    band_curves = _shown(
        traitlets.Bytes(b""), "float32 (rows, 4): epoch, 10 %, 50 % and 90 % points of the test losses"
    )
    band_words = _shown(traitlets.Unicode(""), "how many seeds have solved the task")
    train_loss = _shown(traitlets.Float(None, allow_none=True), "without penalty")
    test_loss = _shown(traitlets.Float(None, allow_none=True), "without penalty; None without test points")
    train_accuracy = _shown(
        traitlets.Float(None, allow_none=True), "share of points on the right side of the border"
    )
    test_accuracy = _shown(traitlets.Float(None, allow_none=True), "the same of the test points")
    diagnosis = _shown(traitlets.Unicode(""), "what goes wrong, and why; empty if nothing does")
    prediction = _shown(
        traitlets.Dict(), "the question asked before training goes on, its options, answer and verdict"
    )
    saved = _shown(
        traitlets.Unicode(""), "the state as a link, whenever training rests: a stored page goes on from here"
    )

    @traitlets.validate("dataset")
    def _check_dataset(self, proposal: Any) -> str:
        if proposal["value"] not in DATASETS[self.problem]:
            fitting = ", ".join(DATASETS[self.problem])
            raise traitlets.TraitError(
                f"Playground.dataset: expected one of {fitting} for {self.problem}; received {proposal['value']!r}. "
                f"Set problem={_other(self.problem)!r} first. The widget keeps its data set"
            )
        return str(proposal["value"])

    @traitlets.validate("loss")
    def _check_loss(self, proposal: Any) -> str:
        if proposal["value"] == "cross_entropy" and self.problem == "regression":
            raise traitlets.TraitError(
                "Playground.loss: expected half_squared for regression; received 'cross_entropy', a loss of classes; "
                "set problem='classification' first. The widget keeps half_squared"
            )
        return str(proposal["value"])


def _other(problem: str) -> str:
    return next(name for name in DATASETS if name != problem)
