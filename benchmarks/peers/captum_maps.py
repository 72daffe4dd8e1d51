"""captum, on the same weights in torch."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from captum import attr
from torch import nn
from torch.nn.functional import interpolate

from benchmarks.harness import Runner
from benchmarks.maps import STEPS, STRIDE, WINDOW, digest
from benchmarks.peers import torch_models
from benchmarks.tasks import Task


def build(task: Task, device: str, *, at_once: int | None) -> Runner:
    """One call of captum for 64 digits.

    Args:
        task: M1, M2 or M3.
        device: where torch computes.
        at_once: inputs in one pass of integrated gradients (None: all), or covered patches in one pass of occlusion.
    """
    torch_models.prepare()
    weights = task.weights
    model: Any = (torch_models.cnn(weights) if "k0" in weights else torch_models.mlp(weights, nn.ReLU)).to(
        device
    )
    x, target = (torch.from_numpy(part[0]).to(device) for part in (task.inputs, task.targets))

    def grad_cam() -> torch.Tensor:
        heat = attr.LayerGradCam(model, model[3]).attribute(x, target=target, relu_attributions=True)
        return interpolate(heat, size=x.shape[2:], mode="bilinear", align_corners=False)

    windows = {"sliding_window_shapes": (1, WINDOW, WINDOW), "strides": (1, STRIDE, STRIDE)}
    ways: dict[str, Callable[[], torch.Tensor]] = {
        "M1": lambda: attr.IntegratedGradients(model).attribute(
            x, target=target, n_steps=STEPS, internal_batch_size=at_once
        ),
        "M2": grad_cam,
        "M3": lambda: attr.Occlusion(model).attribute(
            x, target=target, perturbations_per_eval=at_once, **windows
        ),
    }
    return Runner(ways[task.name], lambda heat: digest(heat.detach().numpy()))
