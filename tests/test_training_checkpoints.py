"""Checkpoints: what is saved comes back exactly, and a training goes on as if nothing had happened."""

import functools
import json
import os
import signal
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from dlcore import activations, loss, optim
from dlcore.arrays import device_of, dtype_name
from dlcore.backprop import Tensor
from dlcore.layers import Module, Sequential
from dlcore.training import EachStep, State, accuracy, fit, load, resume, save
from tests.helpers import Backend, on_every_backend
from tests.test_training import (
    QUIET,
    ROOT,
    SGD,
    X,
    everything,
    model_on,
    on,
    points,
    same_state,
    small,
    train,
)


def build_dropout(seed: int = 0) -> Sequential:
    return everything(np.random.default_rng(seed))


RESUMED = {
    "sgd": {"optimizer": SGD},
    "momentum": {"optimizer": functools.partial(SGD, momentum=0.9, nesterov=True, weight_decay=1e-3)},
    "adam": {"optimizer": optim.Adam},
    "adamw, schedule, clip": {"optimizer": optim.AdamW, "schedule": optim.one_cycle(24), "clip": 0.5},
    "rmsprop": {"optimizer": optim.RMSProp},
    "captured": {"optimizer": optim.Adam, "capture": True, "schedule": optim.cosine(24)},
    "in order": {"optimizer": optim.Adagrad, "shuffle": False},
}


@pytest.mark.parametrize("arguments", RESUMED.values(), ids=RESUMED)
def test_a_resumed_training_is_bit_for_bit_the_uninterrupted_one(
    arguments: dict[str, Any], tmp_path: Path
) -> None:
    """Interrupted in the midst of the fourth epoch; weights, optimizer, generators and rates go on from the third."""
    path = tmp_path / "run.safetensors"
    more = {"validation": points(20, 1), "metrics": accuracy, "seed": 4, **arguments}
    whole, first, second = build_dropout(), build_dropout(), build_dropout(9)
    wanted = train(whole, epochs=6, **more)

    def interrupt(state: State) -> None:
        if state.step == 14:
            raise KeyboardInterrupt

    cut = train(first, epochs=6, **more, checkpoint=path, callbacks=[EachStep(interrupt)])
    assert cut.interrupted
    assert len(cut.losses) == 14
    found = resume(path, second, points(), loss=loss.cross_entropy, epochs=6, batch_size=16, **QUIET, **more)
    assert found.losses == wanted.losses
    assert same_state(second, whole)
    for a, b in zip(found.epochs, wanted.epochs, strict=True):
        assert {**a, "seconds": 0} == {**b, "seconds": 0}
    assert not found.interrupted
    again = resume(
        path, build_dropout(), points(), loss=loss.cross_entropy, epochs=6, batch_size=16, **QUIET, **more
    )
    assert again.losses == wanted.losses  # finished: nothing is left to do


def test_a_checkpoint_comes_every_so_often_and_at_the_end(tmp_path: Path) -> None:
    path = tmp_path / "run.safetensors"
    seen = []

    def note(state: State) -> None:
        seen.append(load(path, small()).history["epoch"][-1] if path.exists() else 0)

    train(small(), epochs=5, checkpoint=path, checkpoint_every=2, callbacks=[note])
    assert seen == [0, 0, 2, 2, 4]
    assert load(path, small()).history["epoch"][-1] == 5
    train(
        small(),
        epochs=9,
        checkpoint=path,
        checkpoint_every=4,
        callbacks=[lambda s: s.epoch == 3 and s.stop("x")],
    )
    assert load(path, small()).history["epoch"][-1] == 3


@on_every_backend
def test_save_and_load_bring_everything_back_exactly(backend: Backend, tmp_path: Path) -> None:
    path = tmp_path / "model.safetensors"
    model, other = model_on(backend, rate=0.5), model_on(backend, seed=1, rate=0.5)
    optimizer, theirs = optim.Adam(model.parameters()), optim.Adam(other.parameters(), learning_rate=0.7)
    history = train(model, on(backend, points()), optimizer=optimizer)
    rng, fresh = np.random.default_rng(3), np.random.default_rng(4)
    rng.random(5)
    save(
        path,
        model,
        optimizer=optimizer,
        history=history,
        rng=rng,
        settings={"name": "trial", "sizes": [1, 2]},
    )
    found = load(path, other, optimizer=theirs, rng=fresh)
    assert same_state(model, other)
    assert found.history == history
    assert found.settings == {"name": "trial", "sizes": [1, 2]}
    assert fresh.random() == rng.random()
    assert all((value == theirs.state()[name]).all() for name, value in optimizer.state().items())
    for name, tensor in other.named_tensors():
        assert (device_of(tensor.data), dtype_name(tensor.data)) == backend, name
    assert (
        model(backend.array(X)).numpy() == other(backend.array(X)).numpy()
    ).all()  # the same units dropped


def test_arrays_of_any_layout_are_saved_as_what_they_mean(tmp_path: Path) -> None:
    class Odd(Module):
        def __init__(self, seed: int) -> None:
            rng = np.random.default_rng(seed)
            self.turned = Tensor(rng.standard_normal((3, 4)).T, requires_grad=True)
            self.number = Tensor(rng.standard_normal())
            self.empty = Tensor(np.zeros((0, 3)))
            self.count = Tensor(rng.integers(0, 9, (2, 5)).T[::-1])

    model, other = Odd(0), Odd(1)
    save(tmp_path / "odd", model)
    load(tmp_path / "odd", other)
    assert same_state(model, other)


@pytest.mark.parametrize("kind", ["PCG64", "PCG64DXSM", "MT19937", "Philox", "SFC64"])
def test_generators_of_every_kind_go_on_where_they_were(kind: str, tmp_path: Path) -> None:
    make = getattr(np.random, kind)
    rng, other = np.random.Generator(make(0)), np.random.Generator(make(1))
    rng.integers(0, 9, 3, dtype=np.int32)  # half of a 64-bit number is kept for the next draw
    save(tmp_path / "rng", small(), rng=rng)
    load(tmp_path / "rng", small(), rng=other)
    assert (other.integers(0, 9, 9, dtype=np.int32) == rng.integers(0, 9, 9, dtype=np.int32)).all()
    with pytest.raises(ValueError, match="the generators do not match: for 'rng'"):
        load(
            tmp_path / "rng",
            small(),
            rng=np.random.Generator(np.random.MT19937(0) if kind != "MT19937" else np.random.PCG64(0)),
        )


def saved(path: Path, **options: Any) -> Path:
    model = small(rate=0.5, **options)
    save(path, model, optimizer=optim.Adam(model.parameters()), settings={"seed": 1})
    return path


def test_a_damaged_file_is_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    path = saved(tmp_path / "model")
    content = path.read_bytes()
    body = 8 + int.from_bytes(content[:8], "little")
    flipped = bytearray(content)
    flipped[body + 5] ^= 1  # one bit of one weight
    damaged = {
        "cut": content[:-10],
        "cut in the header": content[:50],
        "empty": b"",
        "text": b"no safetensors at all, but long enough to be read",
        "one bit": bytes(flipped),
    }
    for name, bad in damaged.items():
        path.write_bytes(bad)
        model, untouched = small(1, rate=0.5), small(1, rate=0.5)
        with pytest.raises(ValueError, match="is damaged"):
            load(path, model)
        assert same_state(model, untouched), name
    import safetensors.numpy

    path.write_bytes(safetensors.numpy.save({"a": np.zeros(3)}))
    with pytest.raises(ValueError, match="no checkpoint of dlcore"):
        load(path, small())
    with pytest.raises(FileNotFoundError):
        load(tmp_path / "nothing", small())


def test_a_file_of_something_else_is_refused_and_nothing_is_changed(tmp_path: Path) -> None:
    path = saved(tmp_path / "model")

    def refused(message: str, model: Module, **options: Any) -> None:
        before = model.state()
        with pytest.raises(ValueError, match=message):
            load(path, model, **options)
        assert all((value == model.state()[name]).all() for name, value in before.items())

    refused(r"model's tensors do not match: for 'layers.0.weight' expected \[\[2, 7\], 'float32'\], the file has "
            r"\[\[2, 6\], 'float32'\]", small(rate=0.5, width=7))  # fmt: skip
    refused(r"expected \[\[2, 6\], 'float64'\]", small(rate=0.5, dtype="float64"))
    refused(
        "for 'model.layers.2.rng' expected nothing",
        Sequential(small()[0], activations.relu, activations.relu, small(rate=0.5)[3]),
    )
    model = small(1, rate=0.5)
    refused(
        "the activations do not match: for 'layers.1' expected relu, the file has tanh",
        Sequential(model[0], activations.relu, model[2], model[3]),
    )
    parameters = model.parameters()
    refused(
        "the optimizer do not match: for 'class' expected SGD, the file has Adam",
        model,
        optimizer=SGD(parameters),
    )
    refused(r"for 'betas' expected \[0.5, 0.5\]", model, optimizer=optim.Adam(parameters, betas=(0.5, 0.5)))
    refused("the settings do not match: for 'seed' expected 2, the file has 1", model, settings={"seed": 2})
    refused("for 'rng' expected PCG64, the file has nothing", model, rng=np.random.default_rng(0))
    save(path, model)
    refused("for 'class' expected Adam, the file has none", model, optimizer=optim.Adam(parameters))


def test_a_file_from_before_activations_were_named_is_read(tmp_path: Path) -> None:
    content = saved(tmp_path / "model").read_bytes()
    body = 8 + int.from_bytes(content[:8], "little")
    text = json.loads(content[8:body])
    header = json.loads(text["__metadata__"]["dlcore"])
    del header["activations"]
    text["__metadata__"]["dlcore"] = json.dumps(header)
    older = json.dumps(text).encode()
    (tmp_path / "older").write_bytes(len(older).to_bytes(8, "little") + older + content[body:])
    model = small(1, rate=0.5)
    load(tmp_path / "older", model)
    assert same_state(model, small(rate=0.5))


def test_resume_refuses_other_settings(tmp_path: Path) -> None:
    path = tmp_path / "run"
    train(small(), checkpoint=path)
    arguments = {"loss": loss.cross_entropy, "optimizer": SGD, "epochs": 5, "batch_size": 16, **QUIET}
    for name, value in {"seed": 1, "batch_size": 10, "shuffle": False}.items():
        with pytest.raises(ValueError, match=f"the settings do not match: for '{name}'"):
            resume(path, small(), points(), **{**arguments, name: value})
    with pytest.raises(ValueError, match="for 'rows' expected 40, the file has 50"):
        resume(path, small(), points(40), **arguments)


def test_checkpoints_say_what_is_missing_without_safetensors(tmp_path: Path, monkeypatch: Any) -> None:
    monkeypatch.setitem(sys.modules, "safetensors.numpy", None)
    with pytest.raises(ImportError, match=r"need safetensors, which is not installed; run `pip install"):
        save(tmp_path / "model", small())


KILLED = """
    import os, sys, time
    import numpy as np
    from dlcore import loss, optim
    from dlcore.training import fit
    from tests.test_training import points
    from tests.test_training_checkpoints import build_dropout

    count, real = 0, os.fsync
    def fsync(descriptor):  # called for the file and for its folder, so twice in each save
        global count
        count += 1
        if count == 2 * {saves} + {place}:
            print("saving", flush=True)
            time.sleep(60)
        real(descriptor)
    os.fsync = fsync
    fit(build_dropout(), points(), loss=loss.cross_entropy, optimizer=optim.Adam, epochs=6, batch_size=16,
        checkpoint={path!r}, progress=False)
"""


@pytest.mark.skipif(os.name != "posix", reason="kill -9 is for POSIX systems")
@pytest.mark.parametrize(("place", "kept"), [(1, 3), (2, 4)], ids=["while writing", "after renaming"])
def test_kill_9_while_saving_leaves_a_whole_checkpoint_to_go_on_from(
    place: int, kept: int, tmp_path: Path
) -> None:
    path = tmp_path / "run.safetensors"
    program = textwrap.dedent(KILLED).format(saves=3, place=place, path=str(path))
    child = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert child.stdout is not None
    try:
        assert child.stdout.readline() == "saving\n"
    finally:
        child.kill()
        child.wait()
        child.stdout.close()
    assert child.returncode == -signal.SIGKILL
    assert (tmp_path / "run.safetensors.partial").exists() == (place == 1)
    assert load(path, build_dropout()).history["epoch"] == list(range(1, kept + 1))
    arguments = {"loss": loss.cross_entropy, "optimizer": optim.Adam, "epochs": 6, "batch_size": 16, **QUIET}
    resumed, whole = build_dropout(1), build_dropout()
    found = resume(path, resumed, points(), **arguments)
    assert found.losses == fit(whole, points(), **arguments).losses
    assert same_state(resumed, whole)
