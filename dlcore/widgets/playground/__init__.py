"""The playground: a network learns in front of the reader, who may change anything while it does (chapter Training).

From what is trained to what is seen:

    task       the controls' meaning: data, network, loss, update       trainer    minibatches through a captured step
    carry      what stays of a network that is changed                  band       32 seeds at once
    patience   early stopping                                           history    the past, for `program`
    session    a task in training, and all that may happen to it        curves     losses over the epochs
    maps       what every unit says all over the plane                  diagnosis  what goes wrong, and why
    words      the state in sentences                                   prediction what the reader expects
    program    the code that does the same                              state      all of it, for a `link`
    panel      the settings, typed                                      picture    where no JavaScript runs
    goals      tasks for the reader
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Self

import numpy as np
import traitlets

from dlcore import arrays
from dlcore.widgets.base import Goal
from dlcore.widgets.traits import real, shown

from . import diagnosis as diagnoses
from . import link as links
from . import maps, picture, prediction, program, state, words
from .goals import GOALS
from .panel import OF_TASK, Panel
from .session import OF_START, STEERED, Session
from .task import DATASETS, FEATURES, Points, Task

BUDGET = 0.02  # seconds of training in a frame, so that the page can answer
LARGEST = 1000.0  # weight that may be typed in


class Playground(Panel):
    """TensorFlow Playground's task and all its controls, and what its readers have asked for since.

    Everything may be changed while training goes on, and nothing but `reset` begins anew. What a change does to the
    network is said in the help of each setting.

    In a program without event loop, call `step` and `train`:

    >>> playground = Playground(dataset="gaussian")
    >>> playground.train(epochs=20)
    >>> playground.epoch, playground.test_loss < 0.05
    (20.0, True)
    """

    source: ClassVar[str] = "playground/playground.js"
    goals: ClassVar[dict[str, Goal]] = GOALS

    def __init__(self, **settings: Any) -> None:
        self._session: Session | None = None
        self._own: Points = ()
        self._waiting = False  # to run, for the answer to a question
        self._drawn_of: dict[str, Any] = {}
        if settings.get("problem") == "regression":
            settings.setdefault("dataset", DATASETS["regression"][0])
        settings.setdefault("data_seed", settings.get("seed", 0))
        super().__init__(**settings)
        self._session = Session(self._task(), device=self.device, band=self.band)
        self.show()
        self._rest()

    @classmethod
    def from_link(cls, text: str, **settings: Any) -> Self:
        """Return a playground in the state of a link (see `do_link`); `settings` such as device are laid over it.

        Raises:
            ValueError: the link is damaged, or of another version.
        """
        widget = cls(device=settings.pop("device", "numpy"))
        widget.do_open(text)
        for name, value in settings.items():
            widget.set_trait(name, value)
        return widget

    @classmethod
    def restored(cls, state: dict[str, Any]) -> Self:
        """Return a playground in the state that a page has, its training and an open question included."""
        if not state.get("saved"):
            return super().restored(state)
        widget = cls.from_link(state["saved"])
        widget.prediction = dict(state.get("prediction") or {})
        return widget

    # -- settings

    @property
    def session(self) -> Session:
        """What is trained."""
        if self._session is None:
            raise RuntimeError("Playground: the session is not made yet")
        return self._session

    def _task(self) -> Task:
        values = {name: getattr(self, name) for name in OF_TASK}
        values |= {"features": tuple(self.features), "hidden": tuple(self.hidden)}
        own = self._own if self.dataset == "own" else ()
        if self.problem == "classification":
            own = tuple((x1, x2, 1.0 if target >= 0 else -1.0) for x1, x2, target in own)
        return Task(**values, own=own, validated=self.patience > 0)

    @traitlets.observe(*Panel.settings())
    def _settle(self, change: Any) -> None:
        """Bring the session to the settings of now."""
        name = change["name"]
        if self._session is None:
            return
        if name == "predict_first":
            self.prediction, self._waiting = {}, False
        elif name == "problem":
            self._fit_to_problem()
        if name in OF_TASK and name not in (*STEERED, *OF_START, "optimizer"):
            self.prediction = {}  # it was about another loss
        if name in (*OF_TASK, "patience", "step_by", "band", "device", "resolution"):
            self.session.change(self._task())
            self.session.show_band(self.band)
            self.session.move(self.device)
            self._refresh()
        else:
            self._rest()

    def _fit_to_problem(self) -> None:
        with self._quietly():
            if self.dataset not in DATASETS[self.problem]:
                self.dataset = DATASETS[self.problem][0]
            if self.problem == "regression":
                self.loss = "half_squared"

    def _refresh(self) -> None:
        """Show a change; while training runs, the next frame does."""
        if not self.running:
            self.publish_frame()
            self._rest()

    def _rest(self) -> None:
        """Keep the state for a page that is stored, when nothing moves."""
        if not self.running:
            self.saved = self.do_link()

    # -- training

    def advance(self) -> bool:
        """Train for one frame: an example, a batch, or an epoch unless it takes too long."""
        return self._advance(BUDGET)

    def _advance(self, budget: float = math.inf) -> bool:
        if self.predict_first and (not self.prediction or self.prediction["verdict"]):
            self._ask()
        if self.prediction and self.prediction["answer"] is None:
            self._waiting = self.running
            return False
        more = self.session.advance(self.step_by, patience=self.patience, budget=budget)
        if self.prediction:
            self.prediction = prediction.judged(
                self.prediction, self.session.trainer.epoch, self._judged()[0]
            )
            more = more and not self.prediction["verdict"]
        return more

    def _judged(self) -> tuple[float | None, str]:
        m = self.session.measures
        return (m.train_loss, "training") if m.test_loss is None else (m.test_loss, "test")

    def _ask(self) -> None:
        loss, part = self._judged()
        self.prediction = {} if loss is None else prediction.question(self.session.trainer.epoch, loss, part)

    def step(self) -> None:
        """Train on one example, batch or epoch, as `step_by` says, and show the result."""
        self._advance()
        self._refresh()

    def train(self, epochs: int) -> None:
        """Train for so many epochs, or until training ends by itself (see `diagnosis`), and show the result."""
        if not real(epochs).is_integer() or epochs < 1:
            raise ValueError(
                f"Playground.train: expected epochs to be a positive whole number; received {epochs!r}"
            )
        if self.prediction and self.prediction["answer"] is None:
            raise ValueError(
                f"Playground.train: {self.prediction['question']} Answer with do_predict(0), (1) or (2) first"
            )
        until = self.session.trainer.epochs + epochs
        while self._advance() and self.session.trainer.epochs < until:
            pass
        self._refresh()

    # -- what is seen

    def show(self) -> None:
        """Write the state into the traits; only what has changed is computed."""
        s = self.session
        self.epoch, self.steps = s.trainer.epoch, s.trainer.steps
        for name in ("train_loss", "test_loss", "train_accuracy", "test_accuracy"):
            setattr(self, name, getattr(s.measures, name))
        if self._is_new("units", s.task.sizes, s.task.features):
            self.units = _units(s.task)
        if self._is_new("points", s.data):
            parts = s.data.parts.astype(np.float32)
            self.points = np.column_stack([s.data.points, s.data.targets, parts]).astype(np.float32).tobytes()
        if self._is_new("network", s, s.version, self.resolution):
            self._show_network(s)
        self.curves = s.curves.array.tobytes()
        self.band_curves = b"" if s.band is None else s.band.curves.array.tobytes()
        self.band_words = "" if s.band is None else s.band.words
        self.diagnosis = diagnoses.diagnosis(s)
        self.summary = words.summary(s, self.diagnosis, by_example=self.step_by == "example")

    def _show_network(self, s: Session) -> None:
        values = s.trainer.weights()
        self.weights = s.trainer.flat.tobytes()
        slopes = [arrays.to_numpy(g).ravel() for g in s.trainer.gradients] or [np.zeros_like(s.trainer.flat)]
        self.gradients = np.nan_to_num(np.concatenate(slopes)).tobytes()
        with np.errstate(all="ignore"):
            self.maps = maps.maps(s.task, values, self.resolution)

    def _is_new(self, what: str, *of: Any) -> bool:
        """Tell whether something is drawn from other things than last time, and remember them."""
        before, self._drawn_of[what] = self._drawn_of.get(what), of
        return of != before

    def picture(self) -> bytes:
        """Return the plane with the points on it, and the curves, as PNG."""
        return picture.picture(self.session, show_test=self.show_test)

    # -- actions

    def do_step(self) -> None:
        """Train on one example, batch or epoch."""
        self.step()

    def do_reset(self) -> None:
        """Begin anew; the same seeds give the same numbers."""
        self.running = False
        self.prediction = {}
        self.session.reset(self._task(), band=self.band)
        self._refresh()

    def do_regenerate(self) -> None:
        """Draw other points, with the next seed, and begin anew."""
        with self._quietly():
            self.data_seed = (self.data_seed + 1) % 2**32
        self.do_reset()

    def do_new_seed(self) -> None:
        """Draw other weights, with the next seed, and begin anew."""
        with self._quietly():
            self.seed = (self.seed + 1) % 2**32
        self.do_reset()

    def do_preset(self, name: str = "playground") -> None:
        """Take over a known task, and begin anew.

        Raises:
            ValueError: there is no preset of this name.
        """
        if name != "playground":
            raise ValueError(f"expected the preset 'playground'; received {name!r}")
        self._take({name: self.trait_defaults(name) for name in (*OF_TASK, "patience", "step_by")})
        self.do_reset()

    def do_set_weight(self, layer: int, source: int, target: int, value: float) -> None:
        """Write the weight from unit `source` of the layer before to unit `target` of `layer`, from 1 on.

        Raises:
            ValueError: there is no such link, or the value is no number from -1000 to 1000.
        """
        sizes = self._sizes(layer)
        for name, place, count in (("source", source, sizes[0]), ("target", target, sizes[1])):
            _check_place(name, place, count)
        self._edit(2 * layer - 2, (source, target), value)

    def do_set_bias(self, layer: int, target: int, value: float) -> None:
        """Write the bias of unit `target` of `layer`, from 1 on; inputs have none.

        Raises:
            ValueError: there is no such unit, or the value is no number from -1000 to 1000.
        """
        _check_place("target", target, self._sizes(layer)[1])
        self._edit(2 * layer - 1, (target,), value)

    def _sizes(self, layer: Any) -> tuple[int, int]:
        sizes = self.session.task.sizes
        if isinstance(layer, bool) or not isinstance(layer, int) or not 1 <= layer < len(sizes):
            raise ValueError(
                f"expected a layer from 1 to {len(sizes) - 1}, the inputs being layer 0; received {layer!r}"
            )
        return sizes[layer - 1], sizes[layer]

    def _edit(self, parameter: int, place: tuple[int, ...], value: Any) -> None:
        number = real(value)
        if not abs(number) <= LARGEST:
            raise ValueError(f"expected a weight from {-LARGEST:g} to {LARGEST:g}; received {shown(value)}")
        self.session.edit(parameter, place, number)
        self._refresh()

    def do_add_point(self, x1: float, x2: float, target: float) -> None:
        """Add a point; the first one takes the place of all that were drawn.

        Args:
            x1: from -6 to 6.
            x2: from -6 to 6.
            target: -1 or +1 in classification, from -1 to 1 in regression.

        Raises:
            ValueError: a number out of its range, or too many points.
        """
        point = state.checked_point(x1, x2, target, problem=self.problem)
        before = self._own if self.dataset == "own" else ()
        self._own = state.checked_points((*before, point))
        self._use_own()

    def do_clear_points(self) -> None:
        """Take all points away, to place others."""
        self._own = ()
        self._use_own()

    def _use_own(self) -> None:
        if self.dataset != "own":
            self.dataset = "own"
            return
        self.session.change(self._task())
        self._refresh()

    def do_program(self) -> str:
        """Return Python source that, run as it is, prints the losses on display (see `program`)."""
        return program.program(self.session)

    def do_predict(self, answer: Any) -> None:
        """Answer the question, by the place of an option or its words; what was to run, runs.

        Raises:
            ValueError: there is no question, or no such option.
        """
        self.prediction = prediction.answered(self.prediction, answer)
        if self._waiting:
            self._waiting = False
            self.running = True

    # -- the whole state

    def do_link(self) -> str:
        """Return the whole state as text for an address: all settings, points, weights, what the optimizer remembers.

        The 32 networks of the band are not in it: they begin anew.
        """
        return state.written(self.session, self._kept(), self._own)

    def do_open(self, link: str) -> None:
        """Go on from the state of a link.

        Raises:
            ValueError: the link is damaged, of another version, or none; nothing has changed then.
        """
        header, arrays = links.unpack(link)
        before = self._own, self._kept(all_of_them=True)
        try:
            made = self._opened(header, arrays)
        except (
            AttributeError,
            KeyError,
            OverflowError,
            TypeError,
            ValueError,
            traitlets.TraitError,
        ) as error:
            self._own = before[0]
            self._take(before[1])
            raise ValueError(f"this link was not opened: {error}") from None
        self.running, self.prediction = False, {}
        self._session = made
        self._refresh()

    def _opened(self, header: Any, arrays: Any) -> Session:
        """Return a session in the state of a link, and take over its settings."""
        kept = self._kept(all_of_them=True)
        for name in header["settings"].keys() - kept.keys():
            raise ValueError(f"it has a setting {name!r}, which this playground does not know")
        values = {name: self.trait_defaults(name) for name in kept} | header["settings"]
        self._own = state.checked_points(header["own"])
        self._take(values)
        return state.resumed(header, arrays, self._task(), device=self.device, band=self.band)

    def _kept(self, *, all_of_them: bool = False) -> dict[str, Any]:
        """Return the settings that a link holds: those that are not as they come, or all."""
        names = [name for name in self.settings() if name not in ("device", "running")]
        values = {name: getattr(self, name) for name in names}
        return {n: v for n, v in values.items() if all_of_them or v != self.trait_defaults(n)}

    def _take(self, values: dict[str, Any]) -> None:
        """Set settings, all or none, without bringing the session to them."""
        with self._quietly(), self.hold_trait_notifications():
            for name, value in values.items():
                self.set_trait(name, value)

    @contextmanager
    def _quietly(self) -> Iterator[None]:
        """Let settings change without the session, which is made anew afterwards."""
        session, self._session = self._session, None
        try:
            with self.hold_sync():
                yield
        finally:
            self._session = session


def _check_place(name: str, place: Any, count: int) -> None:
    if isinstance(place, bool) or not isinstance(place, int) or not 0 <= place < count:
        raise ValueError(f"expected {name} from 0 to {count - 1}; received {place!r}")


def _units(task: Task) -> list[dict[str, Any]]:
    last = len(task.sizes) - 1
    units = [{"layer": 0, "index": i, "label": FEATURES[name].label} for i, name in enumerate(task.features)]
    for layer, size in enumerate(task.sizes[1:], 1):
        for i in range(size):
            label = "output" if layer == last else f"unit {i + 1} of layer {layer}"
            units.append({"layer": layer, "index": i, "label": label})
    return units
