"""The playground: a network learns in front of the reader, who may change anything while it does (chapter Training)."""

from __future__ import annotations

from typing import Any, ClassVar

import traitlets

from dlcore.widgets.base import Widget
from dlcore.widgets.traits import Choice, Choices, Number, Switch, Whole, Wholes

FEATURES = ("x1", "x2", "x1_squared", "x2_squared", "x1x2", "sin_x1", "sin_x2")
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
    "program",
    "link",
)


class Playground(Widget):
    """TensorFlow Playground's task and its controls, and what its readers have asked for since."""

    source: ClassVar[str] = "playground/playground.js"

    problem = Choice("classification", "regression")
    dataset = Choice("circle", "xor", "gaussian", "spiral", "plane", "multi_gaussian", "own")
    train_share = Whole(50, low=10, high=90)
    noise = Whole(0, low=0, high=50)
    batch_size = Whole(10, low=1, high=30)
    features = Choices(*FEATURES, default=("x1", "x2"), least=1)
    hidden = Wholes([4, 2], least=0, most=6, low=1, high=8)
    activation = Choice("tanh", "relu", "sigmoid", "linear")
    learning_rate = Number(0.03, low=0.00001, high=10)
    regularization = Choice("none", "L1", "L2")
    regularization_rate = Number(0.0, low=0, high=10)
    loss = Choice("half_squared", "cross_entropy")
    optimizer = Choice("sgd", "momentum", "rmsprop", "adam")
    initialization = Choice("playground", "glorot", "he")
    seed = Whole(0, low=0, high=2**32 - 1)
    data_seed = Whole(0, low=0, high=2**32 - 1)
    step_by = Choice("example", "batch", "epoch", default="epoch")
    patience = Whole(0, low=0, high=500)
    band = Switch(False)
    show_test = Switch(False)
    discretize = Switch(False)
    show_gradients = Switch(False)
    predict_first = Switch(False)
    hide = Choices(*CONTROLS)
    resolution = Whole(64, low=16, high=128)

    epoch = traitlets.Float(0.0).tag(sync=True)
    steps = traitlets.Int(0).tag(sync=True)
    units = traitlets.List().tag(sync=True)
    weights = traitlets.Bytes(b"").tag(sync=True)
    gradients = traitlets.Bytes(b"").tag(sync=True)
    maps = traitlets.Bytes(b"").tag(sync=True)
    points = traitlets.Bytes(b"").tag(sync=True)
    curves = traitlets.Bytes(b"").tag(sync=True)
    band_curves = traitlets.Bytes(b"").tag(sync=True)
    band_words = traitlets.Unicode("").tag(sync=True)
    train_loss = traitlets.Float(None, allow_none=True).tag(sync=True)
    test_loss = traitlets.Float(None, allow_none=True).tag(sync=True)
    train_accuracy = traitlets.Float(None, allow_none=True).tag(sync=True)
    test_accuracy = traitlets.Float(None, allow_none=True).tag(sync=True)
    diagnosis = traitlets.Unicode("").tag(sync=True)
    prediction = traitlets.Dict().tag(sync=True)

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
