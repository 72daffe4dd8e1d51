"""Signal chain: what becomes of a signal, and of its gradient, in up to fifty layers (chapter Activations).

    z = a W,  a = f(z + b)    layer after layer, then ∂L/∂a back from the last to the first

The loss is left out: what it would send back is replaced by normal noise of standard deviation 1, the same in every
state, so that what is seen is the chain's doing.
"""

from __future__ import annotations

import math
from functools import partial
from typing import Any, ClassVar, NamedTuple

import numpy as np
import traitlets
from numpy.typing import NDArray

from dlcore import activations, init
from dlcore.propagation import NORMALIZATIONS, Chain, Passage, dead, flat, forecast, pass_through

from .base import Goal, Widget
from .signal_verdict import Levels, Verdict, judge, power, ratio
from .traits import Choice, Number, Whole

BATCH = 64  # examples
BARS = 41  # of each histogram
DEEPEST = 50
#: What an activation is written as, the slope that counts as steep (0: it has none), and what the strip shows of it.
FUNCTIONS: dict[str, tuple[str, float, tuple[float, float]]] = {
    "identity": ("none (identity)", 1.0, (-3, 3)),
    "step": ("step", 0.0, (0, 1)),
    "sigmoid": ("sigmoid", 0.25, (0, 1)),
    "tanh": ("tanh", 1.0, (-1, 1)),
    "relu": ("ReLU", 1.0, (-1, 3)),
    "leaky_relu": ("leaky ReLU", 1.0, (-1, 3)),
    "elu": ("ELU", 1.0, (-1, 3)),
    "selu": ("SELU", 1.0, (-2, 3)),
    "gelu": ("GELU", 1.0, (-1, 3)),
    "silu": ("SiLU", 1.0, (-1, 3)),
    "softplus": ("softplus", 1.0, (-1, 3)),
}
GRADIENTS = (-3.0, 3.0)  # what the strip of gradients shows
INITS = {"glorot": "Glorot", "he": "He", "lecun": "LeCun", "normal": "normal"}


class Look(NamedTuple):
    """How the picture draws one of the three standard deviations."""

    name: str
    colour: str
    marker: str


LOOKS = (
    Look("activations", "BLUE", "o"),
    Look("between examples", "GREEN", "^"),
    Look("gradients", "VERMILLION", "s"),
)


def weight_std(name: str, width: int, scale: float) -> float:
    """Return the standard deviation of the weights of a layer with `width` inputs and as many units."""
    return {"he": math.sqrt(2 / width), "normal": scale}.get(name, math.sqrt(1 / width))


def histograms(
    values: NDArray[Any], low: NDArray[Any], high: NDArray[Any], bars: int = BARS
) -> NDArray[np.int64]:
    """Count the values of each layer in `bars` cells from `low` to `high`.

    What lies outside is counted in the outermost cell; a layer with a value that is not finite is all 0.

    Args:
        values: shape (depth, n).
        low: of each layer, shape (depth,).
        high: likewise, above `low`.

    Returns:
        counts of shape (depth, bars).
    """
    sound = np.isfinite(values).all(axis=1)
    scaled = (values[sound] - low[sound, None]) * (bars / (high - low))[sound, None]
    # In the page, of 32 bits, bincount refuses int64.
    cells = np.minimum(np.maximum(scaled, 0), bars - 1).astype(np.intp)
    cells += bars * np.arange(len(cells))[:, None]
    counts = np.zeros((len(values), bars), np.int64)
    counts[sound] = np.bincount(cells.ravel(), minlength=len(cells) * bars).reshape(-1, bars)
    return counts


def spans(values: NDArray[Any]) -> tuple[NDArray[Any], NDArray[Any]]:
    """Return from where to where the values of each layer lie, a little apart where all are the same."""
    with np.errstate(invalid="ignore"):
        low, high = values.min(axis=1).astype(np.float64), values.max(axis=1).astype(np.float64)
    low, high = (np.where(np.isfinite(end), end, 0.0) for end in (low, high))
    apart = np.where(high > low, 0.0, np.maximum(np.abs(low) * 1e-3, 1e-30))
    return np.minimum(low, high) - apart, high + apart


def measure(passage: Passage, slopes: NDArray[Any], steepest: float) -> Levels:
    """Return what the widget plots of each layer."""
    with np.errstate(invalid="ignore", over="ignore"):
        return Levels(
            passage.activations.std(axis=(1, 2), dtype=np.float64),
            passage.between(),
            passage.gradients.std(axis=(1, 2), dtype=np.float64),
            flat(slopes, steepest=steepest).mean(axis=(1, 2)) if steepest else np.ones(len(slopes)),
            dead(slopes).mean(axis=1),
        )


class SignalChain(Widget):
    """A batch of normal noise on its way through a deep chain, and a gradient on its way back.

    Settings: `activation`; `init`, and for "normal" the standard deviation `scale` of the weights; `bias`, of all
    units; `normalization`, of the sums; `depth`, `width`; `input_scale`, the standard deviation of the inputs; `seed`;
    `layer`, the one that is shown large; `device`.

    >>> chain = SignalChain(activation="sigmoid", init="glorot", depth=20)
    >>> chain.verdict["word"]
    'vanishes'
    """

    source = "signal_chain.js"
    goals: ClassVar[dict[str, Goal]] = {
        "level": Goal(
            "At depth 50, with an activation that bends, bring the gradient of the first layer to between half and "
            "twice that of the last, with a signal that arrives.",
            lambda chain: chain.is_level(),
        ),
        "sigmoid": Goal(
            "Keep the sigmoid, and let at least a tenth of the gradient arrive at the first of 20 layers.",
            lambda chain: chain.activation == "sigmoid" and chain.depth >= 20 and chain.times >= 0.1,
        ),
        "kill": Goal(
            "Kill more than half of the ReLUs of the chain.",
            lambda chain: chain.activation == "relu" and chain.dead_share > 0.5,
        ),
        "overflow": Goal(
            "Let the signal grow until float32 can no longer hold it.",
            lambda chain: chain.verdict["word"] == "overflow",
        ),
    }

    activation = Choice(*FUNCTIONS, default="sigmoid")
    init = Choice(*INITS)
    scale = Number(0.1, low=0.001, high=1)
    bias = Number(0, low=-2, high=2)
    normalization = Choice(*NORMALIZATIONS)
    depth = Whole(10, low=1, high=DEEPEST)
    width = Whole(64, low=16, high=128)
    input_scale = Number(1, low=0.01, high=10)
    seed = Whole(0, low=0, high=9999)
    layer = Whole(1, low=1, high=DEEPEST)

    strips = traitlets.Bytes(
        help="uint8 (2, depth, bars): roots of shares of activations and gradients in the cells of `ends`; 255 most"
    ).tag(sync=True)
    ends: traitlets.List[Any] = traitlets.List(help="what the two strips show, from where to where").tag(
        sync=True
    )
    bars = traitlets.Bytes(help="float32 (2, depth, bars): shares in the cells of `reaches`").tag(sync=True)
    reaches = traitlets.Bytes(help="float64 (2, depth, 2): from where to where each layer's values lie").tag(
        sync=True
    )
    levels = traitlets.Bytes(
        help="float64 (5, depth): std of activations, between examples, of gradients; shares flat and dead"
    ).tag(sync=True)
    theory = traitlets.Bytes(
        help="float64 (2, depth): std forecast of activations and gradients; or empty"
    ).tag(sync=True)
    shown_depth = traitlets.Int(help="the depth that all of this is of").tag(sync=True)
    std = traitlets.Float(help="standard deviation of the weights").tag(sync=True)
    dead_share = traitlets.Float(help="share of the units of the chain that are dead").tag(sync=True)
    verdict: traitlets.Dict[str, Any] = traitlets.Dict(help="the diagnosis: word, sentence").tag(sync=True)

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.times = math.nan
        self._seen: tuple[Any, ...] = ()
        self.observe(
            self._settle, names=[name for name in self.settings() if name not in ("layer", "running")]
        )
        self._settle()

    def is_level(self) -> bool:
        """Return whether the goal "level" is reached."""
        bends = self.activation not in ("identity", "step")
        return (
            bends and self.depth == DEEPEST and 0.5 <= self.times <= 2 and self.verdict["word"] == "healthy"
        )

    # -- the reader's actions

    def do_draw(self) -> None:
        """Draw other weights and inputs, from the next seed."""
        self.seed = (self.seed + 1) % 10_000

    # -- what follows from the settings

    def _settle(self, _: Any = None) -> None:
        """Compute all that is shown, once for each new state."""
        state = tuple(getattr(self, name) for name in self.settings() if name not in ("layer", "running"))
        if state == self._seen:
            return
        self._seen = state
        passage = self._pass()
        function = getattr(activations, self.activation)
        with np.errstate(invalid="ignore", over="ignore", under="ignore"):
            slopes = np.asarray(function.derivative(passage.sums))
        steepest = FUNCTIONS[self.activation][1]
        levels = measure(passage, slopes, steepest)
        with self.hold_sync():
            self._draw(passage)
            self._forecast()
            self._tell(levels, judge(levels, steepest=steepest, inputs=self.input_scale))
            self.frame += 1  # the page waits for it before it sends the next value of a slider

    def _pass(self) -> Passage:
        """Send a batch forward and a gradient back; both and the weights come from generators of their own."""
        drawn = {"normal": partial(init.normal, std=self.scale)}
        chain = Chain(
            self.depth,
            self.width,
            activation=getattr(activations, self.activation),
            rng=np.random.default_rng([self.seed, 0]),
            weight_init=drawn.get(self.init) or getattr(init, self.init),
            bias=self.bias,
            normalization=self.normalization,
            device=self.device,
        )
        x, gradient = (
            np.random.default_rng([self.seed, i]).standard_normal((BATCH, self.width)) for i in (1, 2)
        )
        return pass_through(chain, self.input_scale * x, gradient)

    def _draw(self, passage: Passage) -> None:
        depth = self.depth
        self.ends = [list(FUNCTIONS[self.activation][2]), list(GRADIENTS)]
        both = [passage.activations.reshape(depth, -1), passage.gradients.reshape(depth, -1)]
        strips, bars, reaches = [], [], []
        for values, (low, high) in zip(both, self.ends, strict=True):
            counts = histograms(values, np.full(depth, low), np.full(depth, high))
            most = np.maximum(counts.max(axis=1, keepdims=True), 1)
            strips.append(np.ceil(255 * np.sqrt(counts / most)).astype(np.uint8))
            reach = spans(values)
            bars.append(histograms(values, *reach) / values.shape[1])
            reaches.append(np.stack(reach, axis=1))
        self.strips = np.stack(strips).tobytes()
        self.bars = np.stack(bars).astype("<f4").tobytes()
        self.reaches = np.stack(reaches).astype("<f8").tobytes()
        self.shown_depth = depth

    def _forecast(self) -> None:
        self.std = weight_std(self.init, self.width, self.scale)
        if self.normalization == "batch":
            self.theory = b""
            return
        expected = forecast(
            self.depth,
            activation=getattr(activations, self.activation),
            gain=self.width * self.std**2,
            bias=self.bias,
            input_square=self.input_scale**2,
            normalization=self.normalization,
        )
        self.theory = np.stack([expected.activations, expected.gradients]).astype("<f8").tobytes()

    def _tell(self, levels: Levels, verdict: Verdict) -> None:
        self.levels = np.stack(levels).astype("<f8").tobytes()
        self.times = ratio(levels)
        self.dead_share = float(np.mean(levels.dead))
        self.verdict = verdict._asdict()
        weights = f"{INITS[self.init]} weights of standard deviation {power(self.std)}"
        norm = "" if self.normalization == "none" else f", {self.normalization} normalization"
        bias = f", biases of {self.bias:.2g}" if self.bias else ""
        self.summary = (
            f"{self.depth} layers of {self.width} units, {FUNCTIONS[self.activation][0]}, {weights}{bias}{norm}, "
            f"inputs of standard deviation {power(self.input_scale)}. {verdict.sentence}"
        ).replace("-", "−")

    def picture(self) -> bytes:
        """Return the chart of standard deviations as PNG."""
        from dlcore import plots

        depth = self.depth
        levels = np.frombuffer(self.levels, "<f8").reshape(-1, depth)
        theory = np.frombuffer(self.theory, "<f8").reshape(-1, depth)
        layers = np.arange(1, depth + 1)
        ax = plots.figure(width=5.2, height=3.2)[0]
        with plots.style():
            for row, look in enumerate(LOOKS):
                good = np.isfinite(levels[row]) & (levels[row] > 0)
                colour = getattr(plots, look.colour)
                ax.plot(
                    layers[good],
                    levels[row][good],
                    look.marker + "-",
                    color=colour,
                    ms=3,
                    lw=1.2,
                    label=look.name,
                )
            for forecasts in theory:
                near = (forecasts > 1e-45) & (forecasts < 1e39)  # as far as float32 goes
                ax.plot(layers[near], forecasts[near], "--", color=plots.GREY, lw=1)
            ax.set(xlabel="layer", ylabel="standard deviation", yscale="log")
            plots.legend(ax)
        return plots.png(ax)
