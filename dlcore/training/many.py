"""Sweeps: many trainings as one, every combination of seeds and settings a member of one ensemble."""

from __future__ import annotations

import inspect
import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np

from dlcore.arrays import Array, asarray, copy_into, device_of, is_floating, namespace, random, to_numpy
from dlcore.arrays.checks import check_whole
from dlcore.backprop import Tensor
from dlcore.layers import Module, ensemble
from dlcore.optim import Optimizer, Schedule

from .checks import (
    check_callable,
    check_last_batch,
    check_model,
    check_options,
    checked_pair,
    is_finite,
    made_by,
    probe,
)
from .history import History
from .loop import Callback, Capture, EachStep, Loop
from .metrics import Metrics, named
from .rows import Rows
from .state import DATA, LABEL_NOISE, SHUFFLING, WEIGHTS, generator

OF_OPTIMIZER = ("learning_rate", "momentum", "weight_decay")
Table = dict[str, Any]


@dataclass(frozen=True, repr=False)
class Sweep:
    """The members of a sweep, side by side.

    Attributes:
        settings: for each member its record: "seed", and its value of every setting of the grid.
        losses: the loss of each step, array of shape (members, steps).
        epochs: every measurement of the epochs by name (see History), arrays of shape (members, epochs).
        seconds: wall time of the whole sweep.
        interrupted: whether KeyboardInterrupt ended it.
        models: each member's network, trained.
    """

    settings: list[Table]
    losses: np.ndarray[Any, Any]
    epochs: dict[str, np.ndarray[Any, Any]]
    seconds: float
    interrupted: bool
    models: list[Module]

    def __len__(self) -> int:
        return len(self.settings)

    @property
    def final(self) -> dict[str, np.ndarray[Any, Any]]:
        """The last epoch's measurements by name, arrays of shape (members,); NaN where a member diverged."""
        return {name: values[:, -1] for name, values in self.epochs.items() if values.shape[1]}

    @property
    def diverged(self) -> np.ndarray[Any, Any]:
        """Which members' losses or parameters became NaN or infinite, array of bools of shape (members,)."""
        sound = [all(is_finite(tensor.data) for _, tensor in model.named_tensors()) for model in self.models]
        return np.asarray(~(np.isfinite(self.losses).all(axis=1) & np.array(sound, dtype=bool)))

    @property
    def records(self) -> list[Table]:
        """For each member one record of its settings and final measurements, ready for a table."""
        final = self.final
        return [
            {**setting, **{name: float(values[k]) for name, values in final.items()}}
            for k, setting in enumerate(self.settings)
        ]

    def where(self, **settings: Any) -> Sweep:
        """Return the members with these settings, say sweep.where(learning_rate=0.1).

        Raises:
            KeyError: an unknown setting.
            ValueError: no member has these values.
        """
        for name in settings.keys() - self.settings[0].keys():
            raise KeyError(
                f"Sweep.where: there is no setting {name!r}; there are {', '.join(self.settings[0])}"
            )
        chosen = [
            k for k, own in enumerate(self.settings) if all(own[name] == v for name, v in settings.items())
        ]
        if not chosen:
            known = {name: list(dict.fromkeys(own[name] for own in self.settings)) for name in settings}
            raise ValueError(f"Sweep.where: no member has {settings}; there are {known}")
        return Sweep(
            settings=[self.settings[k] for k in chosen],
            losses=self.losses[chosen],
            epochs={name: values[chosen] for name, values in self.epochs.items()},
            seconds=self.seconds,
            interrupted=self.interrupted,
            models=[self.models[k] for k in chosen],
        )

    def member(self, k: int) -> Module:
        """Return the trained network of member `k`, an ordinary single one."""
        return self.models[k]

    def history(self, k: int) -> History:
        """Return the history of member `k`, as `fit` would have returned it."""
        count = next(iter(self.epochs.values())).shape[1] if self.epochs else 0
        records: list[Table] = [
            {"epoch": i + 1, **{name: float(values[k, i]) for name, values in self.epochs.items()}}
            for i in range(count)
        ]
        return History(self.losses[k].tolist(), records, self.seconds, self.interrupted)

    def table(self) -> str:
        """Return a text table: for each combination of settings, medians over the seeds.

        "diverged" and "n" count members; the loss of one that diverged enters the median as infinite.
        """
        names = [name for name in self.settings[0] if name != "seed"]
        groups: dict[tuple[Any, ...], list[int]] = {}
        for k, own in enumerate(self.settings):
            groups.setdefault(tuple(repr(own[name]) for name in names), []).append(k)
        final, diverged = self.final, self.diverged
        rows = [[*names, *final, "diverged", "n"]]
        for shown, members in groups.items():
            medians = [f"{_median(name, values[members]):.4g}" for name, values in final.items()]
            rows.append([*shown, *medians, str(int(diverged[members].sum())), str(len(members))])
        widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
        return "\n".join(
            "  ".join(f"{text:>{w}}" for text, w in zip(row, widths, strict=True)) for row in rows
        )

    def __repr__(self) -> str:
        said = f"{len(self)} members, {self.losses.shape[1]:,} steps, {self.seconds:.1f} s"
        return f"Sweep({said}{', interrupted' if self.interrupted else ''})\n{self.table()}"


def _median(name: str, values: np.ndarray[Any, Any]) -> float:
    """Return the median; a loss that is NaN counts as infinite, any other measurement is passed over."""
    if name.endswith("loss"):
        return float(np.median(np.where(np.isnan(values), np.inf, values)))
    sound = values[~np.isnan(values)]
    return float(np.median(sound)) if len(sound) else float("nan")


def sweep(
    build: Callable[..., Module],
    data: Any,
    *,
    grid: Mapping[str, Iterable[Any]] | None = None,
    seeds: Iterable[int] = range(5),
    loss: Callable[..., Tensor],
    optimizer: Callable[..., Optimizer],
    epochs: int,
    batch_size: int,
    validation: Any = None,
    metrics: Metrics = None,
    callbacks: Sequence[Callback | EachStep] = (),
    shuffle: bool = True,
    schedule: Schedule | None = None,
    clip: float | None = None,
    capture: Capture = False,
    progress: bool = True,
) -> Sweep:
    """Train every combination of settings and seeds, all in one batched step.

    Member k has what it would have alone, to rounding: it starts as `build(default_rng(seed), …)` and is trained
    as `fit(…, seed=seed)` does it: its own weights, order of rows, dropped units. Members know nothing of one
    another: one that diverges goes on as NaN, and the others go on.

    Args:
        build: function (rng, **settings) → Module; all of one architecture, different in initial numbers alone.
        data: inputs and targets, the same for all; or a function of a generator that draws each seed's own.
        grid: values to try, by name: learning_rate, momentum, weight_decay (of the optimizer);
            init_scale (a factor of the initial weights of two axes or more; biases and normalizations keep
            theirs); label_noise (see `noisy_labels`); or any keyword of `build`.
        seeds: one member of every combination for each.
        loss: function (predictions, targets, members=True) → Tensor with one number for each member, as those of
            dlcore.loss.
        optimizer: a class such as optim.SGD, or functools.partial(optim.SGD, learning_rate=0.1): called as
            optimizer(parameters, members=…, learning_rate=…), rates being arrays of one for each member.
        epochs: how often all rows are gone through.
        batch_size: rows in a batch.
        validation: as `data`; a function gets a generator in the same state as that of `data` did.
        metrics: as in `fit`; called for each member by itself.
        callbacks: as in `fit`; what they see has members.
        shuffle: whether rows are shuffled, for each member in its own way.
        schedule: as in `fit`.
        clip: as in `fit`, for each member by itself.
        capture: as in `fit`.
        progress: show a bar.

    Raises:
        TypeError: an argument of the wrong kind.
        ValueError: an empty grid, unknown settings, members of different shapes or layers (a rate of dropout, an
            activation: each value needs a sweep of its own); what `fit` refuses.

    >>> from functools import partial
    >>> from dlcore import layers, loss, optim
    >>> x = np.linspace(-1, 1, 20, dtype=np.float32)[:, None]
    >>> result = sweep(lambda rng: layers.Dense(1, 1, rng=rng), (x, 3 * x), grid={"learning_rate": [0.01, 0.3]},
    ...                seeds=range(3), loss=loss.mse, optimizer=optim.SGD, epochs=10, batch_size=5, progress=False)
    >>> result.losses.shape, bool(result.where(learning_rate=0.3).final["loss"].max() < 0.01)
    ((6, 40), True)
    """
    if isinstance(build, Module):
        raise TypeError(
            f"sweep: expected a function that builds each member's network; received the network {build!r}. Put "
            "the line that made it into a function: def build(rng): return …"
        )
    check_callable("sweep", "build", build, "lambda rng: Dense(2, 1, rng=rng)")
    check_whole("sweep", epochs=epochs, batch_size=batch_size)
    check_options("sweep", loss, schedule, clip, capture, callbacks)
    if isinstance(optimizer, Optimizer):
        raise TypeError(
            f"sweep: expected a function that makes the optimizer of all members; received {optimizer!r}. Pass its "
            f"class, or functools.partial({type(optimizer).__name__}, learning_rate=…)"
        )
    check_callable("sweep", "optimizer", optimizer, "optim.SGD")
    settings = _combinations(grid or {}, seeds)
    for_build = _for_build(build, grid or {})
    models = [_built(build, setting, for_build) for setting in settings]
    together = ensemble(models)
    rows = _rows("data", data, settings, together)
    held = None if validation is None else _rows("validation", validation, settings, together, noise=False)
    for pair in (rows, held) if held else (rows,):
        probe("sweep", together, loss, *pair)
    check_last_batch("sweep", together, rows[0], batch_size)
    rates = {
        name: np.array([s[name] for s in settings], float) for name in OF_OPTIMIZER if name in settings[0]
    }
    history = Loop(
        together,
        made_by("sweep", optimizer, together.parameters(), members=len(settings), **rates),
        loss,
        *rows,
        rngs=[generator(setting["seed"], SHUFFLING) for setting in settings],
        batch_size=batch_size,
        validation=held,
        metrics=named("sweep", metrics),
        callbacks=callbacks,
        shuffle=shuffle,
        schedule=schedule,
        clip=clip,
        capture=capture,
        stop_when_diverged=False,
    ).run(epochs, progress=progress)
    return _sweep(settings, history, together, models)


def _sweep(settings: list[Table], history: History, together: Module, models: list[Module]) -> Sweep:
    """Take the ensemble and its history apart by members."""
    names = [
        name for name in (history.epochs[0] if history.epochs else {}) if name not in ("epoch", "seconds")
    ]
    state = together.state()
    for k, model in enumerate(models):
        model.load_state({name: values[k] for name, values in state.items()})
    return Sweep(
        settings=settings,
        losses=np.array(history.losses).reshape(-1, len(settings)).T,
        epochs={name: np.array(history[name]).T for name in names},
        seconds=history.seconds,
        interrupted=history.interrupted,
        models=models,
    )


# --------------------------------------------------------------------------------------------- the members


def _combinations(grid: Mapping[str, Iterable[Any]], seeds: Iterable[int]) -> list[Table]:
    """Return one record for each member, seeds running fastest."""
    axes = {name: list(values) for name, values in grid.items()} | {"seed": list(seeds)}
    for name, values in axes.items():
        if not values:
            raise ValueError(f"sweep: expected at least one value of {name}; received none")
    return [dict(zip(axes, combination, strict=True)) for combination in itertools.product(*axes.values())]


def _for_build(build: Callable[..., Module], grid: Mapping[str, Any]) -> list[str]:
    """Return the settings that `build` takes.

    Raises:
        ValueError: a setting that neither it nor the sweep knows.
    """
    parameters = inspect.signature(build).parameters.values()
    taken = {p.name for p in parameters}
    anything = any(p.kind is p.VAR_KEYWORD for p in parameters)
    own = {*OF_OPTIMIZER, "init_scale", "label_noise"}
    for name in grid:
        if name == "seed" or not (name in own | taken or anything):
            known = ", ".join(sorted(own | taken))
            raise ValueError(
                f"sweep: expected settings among {known}; received {name!r}. "
                + ("Pass seeds=…" if name == "seed" else "Let build take it as a keyword argument")
            )
    return [name for name in grid if name in taken or (anything and name not in own)]


def _built(build: Callable[..., Module], setting: Table, for_build: Iterable[str]) -> Module:
    """Return the network that a member starts as."""
    rng = generator(setting["seed"], WEIGHTS)
    model = build(rng, **{name: setting[name] for name in for_build})
    check_model("sweep", model)
    if "init_scale" in setting and "init_scale" not in for_build:
        for parameter in model.parameters():
            if parameter.ndim >= 2:
                copy_into(parameter.data, parameter.data * setting["init_scale"])
    return model


def _rows(
    what: str, data: Any, settings: list[Table], together: Module, *, noise: bool = True
) -> tuple[Rows, Rows]:
    """Return inputs and targets of all members, shared where they can be."""
    members = len(settings)
    noisy = noise and "label_noise" in settings[0]
    if not callable(data):
        inputs, targets = checked_pair("sweep", what, data, together)
        if not noisy:
            return Rows(inputs, members), Rows(targets, members)
        return Rows(inputs, members), Rows(_noisy(targets, settings), members, own=True)
    drawn = [checked_pair("sweep", what, data(generator(s["seed"], DATA)), together) for s in settings]
    shapes = {tuple(tuple(x.shape) for x in pair) for pair in drawn}
    if len(shapes) > 1:
        raise ValueError(
            f"sweep: expected {what} of the same shapes for every seed; received {sorted(shapes)}. Draw as many "
            "rows for each"
        )
    xp = namespace(drawn[0][0])
    inputs = xp.stack([pair[0] for pair in drawn])
    targets = [pair[1] for pair in drawn]
    targets = _noisy(targets, settings) if noisy else xp.stack(targets)
    return Rows(inputs, members, own=True), Rows(targets, members, own=True)


def _noisy(targets: Any, settings: list[Table]) -> Array:
    """Return each member's own labels: shared ones, or a list of each member's, with its share made wrong."""
    each = targets if isinstance(targets, list) else [targets] * len(settings)
    return namespace(each[0]).stack(
        [
            noisy_labels(labels, s["label_noise"], rng=generator(s["seed"], LABEL_NOISE))
            for labels, s in zip(each, settings, strict=True)
        ]
    )


def noisy_labels(labels: Any, share: float, *, rng: np.random.Generator) -> Array:
    """Return labels of which a share is wrong: round(share · n) rows get another of the classes there are.

    Args:
        labels: integers of any number of classes, or floats of two (0 and 1, or -1 and +1); one for each row.
        share: from 0 to 1.
        rng: chooses the rows and their new classes.

    Raises:
        ValueError: the share is out of range, or the targets are no labels.

    Source: as in Zhang et al., "Understanding deep learning requires rethinking generalization", ICLR 2017, but
    a new label is never the old one.

    >>> noisy_labels([0, 0, 1, 1], 0.5, rng=np.random.default_rng(0)).tolist()
    [1, 0, 0, 1]
    """
    labels = asarray(labels)
    values = to_numpy(labels)
    classes, numbers = np.unique(values, return_inverse=True)
    if not 0 <= share <= 1:
        raise ValueError(f"noisy_labels: expected a share from 0 to 1; received {share}")
    if values.size != values.shape[0] or (is_floating(labels) and len(classes) > 2):
        raise ValueError(
            f"noisy_labels: expected one class for each row, integers or two different floats; received shape "
            f"{values.shape} with {len(classes)} different values of {labels.dtype}. Only labels can be confused; "
            "for one-hot rows take their argmax"
        )
    numbers = numbers.reshape(-1)
    chosen = to_numpy(random.permutation(rng, len(numbers)))[: round(share * len(numbers))]
    if len(classes) > 1:
        numbers[chosen] = (numbers[chosen] + rng.integers(1, len(classes), len(chosen))) % len(classes)
    return asarray(classes[numbers].reshape(values.shape), device=device_of(labels))
