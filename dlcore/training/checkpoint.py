"""Checkpoints: everything a training depends on, in one file that is written whole or not at all.

The file is a safetensors file: arrays as they lie in memory, and a header of text, in which the rest is JSON
(https://huggingface.co/docs/safetensors). Unlike a pickle it cannot run code when it is read.
"""

from __future__ import annotations

import json
import os
import zlib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from dlcore.arrays import dtype_name
from dlcore.layers import Activation, Module
from dlcore.optim import Optimizer

from .checks import check_model
from .history import History
from .state import generators_of, modules_of

FORMAT = 1
Arrays = dict[str, np.ndarray[Any, Any]]


@dataclass(frozen=True)
class Checkpoint:
    """What a file held besides the model, the optimizer and the generators.

    Attributes:
        history: the course of the training so far; empty if none was saved.
        settings: what was saved along with it.
    """

    history: History
    settings: dict[str, Any]


def save(
    path: str | Path,
    model: Module,
    *,
    optimizer: Optimizer | None = None,
    history: History | None = None,
    rng: np.random.Generator | None = None,
    settings: Mapping[str, Any] | None = None,
) -> None:
    """Save a model, and whatever else its training needs to go on, to one file.

    The file is written beside its place, brought to the disk, and then renamed: whatever happens meanwhile, there
    is either the old file or the new one. The generators that layers draw from (Dropout's) are saved too.

    Args:
        path: where to; a file that is there is replaced.
        model: its parameters and buffers are saved.
        optimizer: its state and settings.
        history: the course of the training so far.
        rng: the generator that shuffles.
        settings: anything JSON can hold, to be compared when it is loaded.

    Raises:
        ImportError: safetensors is not installed.
        TypeError: `model` is no module, or `settings` hold something that JSON cannot.
    """
    check_model("save", model)
    path = Path(path)
    history = history or History()
    tensors = {f"model.{name}": values for name, values in model.state().items()}
    header: dict[str, Any] = {
        "format": FORMAT,
        "history": {**history.to_dict(), "losses": None},
        "generators": {name: _plain(g.bit_generator.state) for name, g in _generators(model, rng)},
        "activations": _activations(model),
        "optimizer": None if optimizer is None else _kind(optimizer),
        "settings": dict(settings or {}),
    }
    tensors["history.losses"] = np.array(history.losses, dtype=np.float64)
    if optimizer is not None:
        tensors |= {f"optimizer.{name}": values for name, values in optimizer.state().items()}
    # The library copies raw memory: an array whose rows are not in order would come back transposed.
    tensors = {name: np.array(values, order="C") for name, values in tensors.items()}
    header["checksum"] = _checksum(tensors)
    content = _safetensors().save(tensors, metadata={"dlcore": json.dumps(header)})
    _write_whole(path, content)


def load(
    path: str | Path,
    model: Module,
    *,
    optimizer: Optimizer | None = None,
    rng: np.random.Generator | None = None,
    settings: Mapping[str, Any] | None = None,
) -> Checkpoint:
    """Overwrite model, optimizer and generators with what `save` wrote.

    Args:
        path: the file.
        model: a network of the same architecture; on any device.
        optimizer: an optimizer of the same kind, made for this model; None leaves its part of the file unread.
        rng: the generator that shuffles; None likewise.
        settings: must be those that were saved.

    Returns:
        history and settings. If an error is raised, nothing was changed.

    Raises:
        ImportError: safetensors is not installed.
        FileNotFoundError: there is no such file.
        ValueError: the file is damaged or no checkpoint, or was saved from another architecture, precision,
            optimizer, with other activations or with other settings.
    """
    check_model("load", model)
    path = Path(path)
    tensors, header = _read(path)
    own = {name: (tensor.shape, dtype_name(tensor.data)) for name, tensor in model.named_tensors()}
    state = _part(tensors, "model.")
    _compare(path, "the model's tensors", own, {name: (a.shape, str(a.dtype)) for name, a in state.items()})
    if settings is not None:
        _compare(path, "the settings", dict(settings), header["settings"])
    generators = dict(_generators(model, rng))
    saved = {name: value for name, value in header["generators"].items() if name != "rng" or rng is not None}
    kinds = {name: g.bit_generator.state["bit_generator"] for name, g in generators.items()}
    _compare(path, "the generators", kinds, {name: value["bit_generator"] for name, value in saved.items()})
    own_functions = _activations(model)  # older files do not name theirs
    _compare(path, "the activations", own_functions, header.get("activations", own_functions))
    if optimizer is not None:
        _compare(path, "the optimizer", _kind(optimizer), header["optimizer"] or {"class": "none was saved"})
        own = {name: (a.shape, str(a.dtype)) for name, a in optimizer.state().items()}
        state_of_optimizer = _part(tensors, "optimizer.")
        found = {name: (a.shape, str(a.dtype)) for name, a in state_of_optimizer.items()}
        _compare(path, "the optimizer's state", own, found)
        optimizer.load_state(state_of_optimizer)
    model.load_state(state)
    for name, value in saved.items():
        generators[name].bit_generator.state = _from_plain(value)
    return Checkpoint(
        History(**{**header["history"], "losses": tensors["history.losses"].tolist()}), header["settings"]
    )


# ---------------------------------------------------------------------------------------------- the file


def _write_whole(path: Path, content: bytes) -> None:
    """Put `content` at `path` in one go."""
    beside = path.with_name(f"{path.name}.partial")
    with beside.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())  # else the renaming may reach the disk before the content does
    beside.replace(path)
    if os.name == "posix":
        folder = os.open(path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _read(path: Path) -> tuple[Arrays, dict[str, Any]]:
    """Return arrays and header of a checkpoint, checked."""
    content = path.read_bytes()
    library = _safetensors()
    from safetensors import SafetensorError

    try:
        tensors: Arrays = {name: np.array(a) for name, a in library.load(content).items()}
        text = content[8 : 8 + int.from_bytes(content[:8], "little")]
        header = json.loads(json.loads(text)["__metadata__"]["dlcore"])
        complete = header["checksum"] == _checksum(tensors) and header["format"] == FORMAT
    except (SafetensorError, KeyError, ValueError, TypeError) as error:
        raise ValueError(
            f"load: {path} is damaged, or no checkpoint of dlcore ({type(error).__name__}: {error}). "
            "Save it again, or take an older checkpoint"
        ) from error
    if not complete:
        raise ValueError(
            f"load: {path} is damaged, its checksum is wrong, or of an unknown format ({header['format']}; this "
            f"is format {FORMAT}). Save it again, or take an older checkpoint"
        )
    return tensors, header


def _checksum(tensors: Arrays) -> int:
    total = 0
    for name in sorted(tensors):
        total = zlib.crc32(tensors[name].tobytes(), zlib.crc32(name.encode(), total))
    return total


def _part(tensors: Arrays, prefix: str) -> Arrays:
    return {name.removeprefix(prefix): a for name, a in tensors.items() if name.startswith(prefix)}


def _safetensors() -> Any:
    try:
        import safetensors.numpy
    except ImportError as error:
        raise ImportError(
            "checkpoints need safetensors, which is not installed; "
            "run `pip install -c requirements.txt -e .[training]`"
        ) from error
    return safetensors.numpy


# --------------------------------------------------------------------------------------------- its parts


def _compare(path: Path, what: str, own: Mapping[str, Any], found: Mapping[str, Any]) -> None:
    """Raise if what was saved is not what is here."""
    own, found = (json.loads(json.dumps(part)) for part in (own, found))
    different = [name for name in {**own, **found} if own.get(name) != found.get(name)]
    if different:
        name = different[0]
        raise ValueError(
            f"load: {path}: {what} do not match: for {name!r} expected {own.get(name, 'nothing')}, the file has "
            f"{found.get(name, 'nothing')} ({len(different)} such). Make them as they were when it was saved"
        )


def _activations(model: Module) -> dict[str, str]:
    """Return the names of the functions among the layers, which no tensor tells apart."""
    return {
        name: getattr(module.function, "__name__", type(module.function).__name__)
        for name, module in modules_of(model)
        if isinstance(module, Activation)
    }


def _kind(optimizer: Optimizer) -> dict[str, Any]:
    """Return the optimizer's class and the constants of its rule, which are no part of its state."""
    constants = {
        name: value
        for name, value in vars(optimizer).items()
        if not name.startswith("_") and isinstance(value, (bool, int, float, tuple)) and name != "state_names"
    }
    return {"class": type(optimizer).__name__, **constants}


def _generators(model: Module, rng: np.random.Generator | None) -> Iterable[tuple[str, np.random.Generator]]:
    yield from ((f"model.{name}", g) for name, g in generators_of(model))
    if rng is not None:
        yield "rng", rng


def _plain(value: Any) -> Any:
    """Return a generator's state without arrays, which JSON cannot hold."""
    if isinstance(value, dict):
        return {name: _plain(part) for name, part in value.items()}
    return {"array": value.tolist(), "dtype": str(value.dtype)} if isinstance(value, np.ndarray) else value


def _from_plain(value: Any) -> Any:
    if isinstance(value, dict) and value.keys() == {"array", "dtype"}:
        return np.array(value["array"], dtype=value["dtype"])
    return {name: _from_plain(part) for name, part in value.items()} if isinstance(value, dict) else value
