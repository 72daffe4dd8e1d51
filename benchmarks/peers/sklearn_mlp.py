"""scikit-learn's MLP, one `partial_fit` per batch."""

from __future__ import annotations

from itertools import cycle
from typing import Any

import numpy as np
from sklearn.neural_network import MLPClassifier, MLPRegressor

from benchmarks.harness import Runner
from benchmarks.tasks import Task


def estimator(task: Task) -> Any:
    """T1 as a regressor, T2 as a classifier.

    The regressor's loss is half the mean squared error: hence twice the rate.
    """
    common = {"alpha": 0.0, "batch_size": task.inputs.shape[1], "shuffle": False}
    if task.name == "T1":
        rate = 2 * task.learning_rate
        return MLPRegressor(
            hidden_layer_sizes=(8, 8),
            activation="tanh",
            solver="sgd",
            momentum=0.0,
            learning_rate_init=rate,
            **common,
        )
    return MLPClassifier(
        hidden_layer_sizes=(128, 64),
        activation="relu",
        solver="adam",
        learning_rate_init=task.learning_rate,
        **common,
    )


def build(task: Task, device: str) -> Runner:
    """Let the first `partial_fit` create the weights, overwrite them in place, and reset the optimizer."""
    model = estimator(task)
    scale = 2.0 if task.name == "T1" else 1.0
    targets = task.targets[..., 0] if task.name == "T1" else task.targets
    options = {} if task.name == "T1" else {"classes": np.arange(10)}
    model.partial_fit(task.inputs[0], targets[0], **options)
    for i, (w, b) in enumerate(zip(model.coefs_, model.intercepts_, strict=True)):
        w[...] = task.weights[f"w{i}"]
        b[...] = task.weights[f"b{i}"]
    if task.optimizer == "adam":
        model._optimizer.t = 0
        for moment in (*model._optimizer.ms, *model._optimizer.vs):
            moment[...] = 0
    data = cycle(list(zip(task.inputs, targets, strict=True)))

    def step() -> float:
        model.partial_fit(*next(data))
        return scale * float(model.loss_)

    return Runner(step, lambda loss: [loss])
