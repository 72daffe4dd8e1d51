"""dlcore: the code of *Deep Learning, Live*, from scratch and readable.

    >>> import dlcore as dl
    >>> dl.activations.softplus([0.0])
    Tensor([0.6931472])

One module for each chapter, by floors; a module imports only from floors below it:

    0  arrays          the only one that knows array libraries: NumPy, torch, array_api_strict
    1  backprop        automatic differentiation: Tensor, primitive, check_gradients
       capture         a training step recorded once and replayed
       data            digits, points in the plane, batches
    2  activations     loss     optim     init
    3  neurons         layers   convolution   pieces   propagation
    4  training        fit, sweep, evaluate, save, load
    5  overfitting     L1, L2, EarlyStopping, learning_curve, capacity_curve, bias_variance, augment
       interpretability  saliency, occlusion, integrated_gradients, grad_cam, linear_probe …
    6  plots           the figures of the book
    7  widgets         training that is seen and steered, in a notebook and in the page
    8  live            what makes the built book's pages live (a Sphinx extension)

Modules are imported when they are first asked for, so `import dlcore` is quick and loads neither torch nor
matplotlib.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:  # for editors and mypy; at run time __getattr__ does it
    from . import activations as activations
    from . import arrays as arrays
    from . import backprop as backprop
    from . import capture as capture
    from . import convolution as convolution
    from . import data as data
    from . import init as init
    from . import interpretability as interpretability
    from . import layers as layers
    from . import loss as loss
    from . import neurons as neurons
    from . import optim as optim
    from . import overfitting as overfitting
    from . import pieces as pieces
    from . import plots as plots
    from . import propagation as propagation
    from . import training as training
    from . import widgets as widgets
    from .arrays import asarray as asarray
    from .arrays import device as device
    from .arrays import to_numpy as to_numpy
    from .backprop import Tensor as Tensor
    from .backprop import check_gradients as check_gradients
    from .backprop import grad as grad
    from .backprop import no_grad as no_grad

_MODULES = (
    "activations",
    "arrays",
    "backprop",
    "capture",
    "convolution",
    "data",
    "init",
    "interpretability",
    "layers",
    "loss",
    "neurons",
    "optim",
    "overfitting",
    "pieces",
    "plots",
    "propagation",
    "training",
    "widgets",
)
_NAMES = {
    "Tensor": "backprop",
    "asarray": "arrays",
    "check_gradients": "backprop",
    "device": "arrays",
    "grad": "backprop",
    "no_grad": "backprop",
    "to_numpy": "arrays",
}

__all__ = [*_MODULES, *_NAMES]  # noqa: PLE0604 - they are strings


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return importlib.import_module(f"{__name__}.{name}")
    if name in _NAMES:
        return getattr(importlib.import_module(f"{__name__}.{_NAMES[name]}"), name)
    raise AttributeError(f"dlcore has no {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
