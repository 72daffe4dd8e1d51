"""Widgets: training that is seen and steered, in a notebook and in the static page (floor 7).

    Widget             the base: what every widget is (see `base`)
    WatchItLearn       a network learns to read digits, and reads the reader's    (the first page)
    Predict            a question before a run, its result beside the prediction  (every chapter)
    Quiz               questions at a chapter's end, with an answer to each answer (every chapter)
    BumpBuilder        a curve made of ReLUs, and what depth adds                 (chapter Layers)
    DragTheNeuron      one neuron, its border and its formula, all movable        (chapter Neurons)
    PerceptronDuel     the perceptron's mistakes, one by one                      (chapter Neurons)
    PaperFolding       a sheet of paper on its way through a network's layers     (chapter Layers)
    SignalChain        a signal and its gradient in fifty layers                  (chapter Activations)
    PickALoss          points, the line a loss prefers, each point's pull         (chapter Loss)
    BlameLedger        the chain rule on a small graph, one entry at a time       (chapter Backprop)
    BreakOneGradient   six wrong backward passes, and the check that sees them    (chapter Backprop)
    OneHundredSeeds    a hundred networks that differ in their seed alone         (chapter Training)
    SkiSlopeRace       four optimizers on a surface of two weights                (chapter Training)
    CapacityDial       networks of all widths on a few digits, and what tames them (chapter Overfitting)
    CleverHans         a mark in a corner, and seven maps of who looks at it      (chapter Interpretability)
    Playground         a network learns in front of the reader                    (chapter Training)

A widget is two files of one stem: Python computes, JavaScript draws and reads controls.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from .base import Widget as Widget
    from .blame_ledger import BlameLedger as BlameLedger
    from .break_one_gradient import BreakOneGradient as BreakOneGradient
    from .bump_builder import BumpBuilder as BumpBuilder
    from .capacity_dial import CapacityDial as CapacityDial
    from .clever_hans import CleverHans as CleverHans
    from .drag_the_neuron import DragTheNeuron as DragTheNeuron
    from .one_hundred_seeds import OneHundredSeeds as OneHundredSeeds
    from .paper_folding import PaperFolding as PaperFolding
    from .perceptron_duel import PerceptronDuel as PerceptronDuel
    from .pick_a_loss import PickALoss as PickALoss
    from .playground import Playground as Playground
    from .predict import Predict as Predict
    from .quiz import Quiz as Quiz
    from .signal_chain import SignalChain as SignalChain
    from .ski_slope_race import SkiSlopeRace as SkiSlopeRace
    from .watch_it_learn import WatchItLearn as WatchItLearn

_HOMES = {
    "Widget": "base",
    "BlameLedger": "blame_ledger",
    "BreakOneGradient": "break_one_gradient",
    "BumpBuilder": "bump_builder",
    "CapacityDial": "capacity_dial",
    "CleverHans": "clever_hans",
    "DragTheNeuron": "drag_the_neuron",
    "OneHundredSeeds": "one_hundred_seeds",
    "PaperFolding": "paper_folding",
    "PerceptronDuel": "perceptron_duel",
    "PickALoss": "pick_a_loss",
    "Playground": "playground",
    "WatchItLearn": "watch_it_learn",
    "SignalChain": "signal_chain",
    "SkiSlopeRace": "ski_slope_race",
    "Predict": "predict",
    "Quiz": "quiz",
}

__all__ = [
    "BlameLedger",
    "BreakOneGradient",
    "BumpBuilder",
    "CapacityDial",
    "CleverHans",
    "DragTheNeuron",
    "OneHundredSeeds",
    "PaperFolding",
    "PerceptronDuel",
    "PickALoss",
    "Playground",
    "Predict",
    "Quiz",
    "SignalChain",
    "SkiSlopeRace",
    "WatchItLearn",
    "Widget",
]


def __getattr__(name: str) -> Any:
    if name in _HOMES:
        return getattr(importlib.import_module(f"{__name__}.{_HOMES[name]}"), name)
    raise AttributeError(f"dlcore.widgets has no {name!r}; it has {', '.join(__all__)}")


def __dir__() -> list[str]:
    return sorted([*globals(), *__all__])
