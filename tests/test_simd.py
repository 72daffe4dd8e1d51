"""The SIMD kernel of the page: rebuilt from its source, and held against NumPy in a WebAssembly runtime and in Pyodide.

Nothing here needs a browser but the last part. The arithmetic runs in `wasmtime`, on arrays that lie in its memory:
the very file that the page loads, driven by the very programs that a captured step is translated to.
"""

import ctypes
import hashlib
import importlib.metadata
import importlib.util
import itertools
import json
import operator
import re
import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import dlcore
from dlcore.arrays import fast_numpy, kernels, simd
from dlcore.capture.buffers import Call
from tests.browser import served

PACKAGE = Path(dlcore.__file__).parent
SOURCE = PACKAGE / "arrays" / "wasm"
MODULE = PACKAGE / "arrays" / "_simd.cpython-312-wasm32-emscripten.so"
F4 = np.float32


# ------------------------------------------------------------------------------------------ without a kernel


def test_outside_of_the_page_there_is_no_kernel_and_nothing_changes() -> None:
    assert simd.kernel is None
    assert not simd.activate()
    assert fast_numpy.matmul.__module__ == "dlcore.arrays.fast_numpy"
    calls = [Call(np.exp, (np.ones(3, F4),), {}, np.ones(3, F4))]
    assert simd.compiled(calls) == calls


def test_what_the_kernel_replaces_is_right_without_it(rng: np.random.Generator) -> None:
    x, w, b = (rng.normal(size=s).astype(F4) for s in ((3, 5, 4), (3, 4, 2), (3, 2)))
    assert np.array_equal(fast_numpy.affine(x, w, b), x @ w + b[:, None, :])
    assert np.array_equal(kernels.affine(x[0], w[0], b[0]), x[0] @ w[0] + b[0])
    assert np.array_equal(fast_numpy.gate(x, -x, 0.5), np.where(x < -0.5, x, 0))
    assert np.array_equal(fast_numpy.concat([x[0], w[0]], axis=None), [*x[0].ravel(), *w[0].ravel()])
    assert np.array_equal(fast_numpy.concat([x, x], axis=1), np.concatenate([x, x], 1))


# --------------------------------------------------------------------------------------------- as it is built


def test_the_module_is_what_its_source_builds() -> None:
    version = (SOURCE / "_simd.sha256").read_text(encoding="utf-8").split()[-1]
    if importlib.util.find_spec("ziglang") is None:
        pytest.skip(f"ziglang is not installed; pip install ziglang=={version} rebuilds the kernel")
    installed = importlib.metadata.version("ziglang")
    if installed != version:
        pytest.skip(f"ziglang {installed} may give other bytes than {version}, which built the kernel")
    built = subprocess.run(
        [sys.executable, str(SOURCE / "build.py"), "--check"], check=False, capture_output=True, text=True
    )
    assert built.returncode == 0, built.stdout + built.stderr


def test_the_sum_is_that_of_the_module() -> None:
    wanted, name = (SOURCE / "_simd.sha256").read_text(encoding="utf-8").split()[:2]
    assert name == MODULE.name
    assert hashlib.sha256(MODULE.read_bytes()).hexdigest() == wanted


# ---------------------------------------------------------------------------------------- as it computes


class Machine:
    """The kernel in wasmtime: stands in for `simd.kernel`, and lays out arrays where it can reach them."""

    def __init__(self) -> None:
        wasmtime = pytest.importorskip("wasmtime", reason="wasmtime is not installed: pip install wasmtime")
        self.store = wasmtime.Store(wasmtime.Engine())
        module = wasmtime.Module.from_file(self.store.engine, str(MODULE))
        self.memory = wasmtime.Memory(self.store, wasmtime.MemoryType(wasmtime.Limits(512, 512)))  # 32 MB
        instance = wasmtime.Instance(self.store, module, self._imports(wasmtime, module))
        exports = instance.exports(self.store)
        exports["__wasm_apply_data_relocs"](self.store)
        self._run = exports["run"]
        self.start = ctypes.addressof(self.memory.data_ptr(self.store).contents)
        self.bytes = np.ctypeslib.as_array(
            self.memory.data_ptr(self.store), (self.memory.data_len(self.store),)
        )
        self.next = 1 << 21  # below: the module's own data and its stack

    def _imports(self, wasmtime: Any, module: Any) -> list[Any]:
        """Everything that Pyodide gives the module. Of Python's functions none is called here."""

        def number(value: int, mutable: bool = False) -> Any:
            kind = wasmtime.GlobalType(wasmtime.ValType.i32(), mutable)
            return wasmtime.Global(self.store, kind, wasmtime.Val.i32(value))

        table = wasmtime.TableType(wasmtime.ValType.funcref(), wasmtime.Limits(64, None))
        given = {
            "memory": self.memory,
            "__indirect_function_table": wasmtime.Table(self.store, table, None),
            "__stack_pointer": number(1 << 21, mutable=True),
            "__memory_base": number(1 << 16),
            "__table_base": number(0),
        }

        def python(*_: Any) -> Any:
            raise AssertionError("the arithmetic called Python")

        return [given.get(i.name) or wasmtime.Func(self.store, i.type, python) for i in module.imports]

    def maps(self) -> dict[str, int]:
        """Return the number of each map, from the header that the module is built with."""
        header = (SOURCE / "kernel.h").read_text(encoding="utf-8")
        names = re.findall(r"X\((\w+), \d\)", header.partition("enum map")[0])
        return {name: i for i, name in enumerate(names)}

    def run(self, program: simd.Program) -> None:
        """Carry out a program, with its addresses counted from the start of the machine's memory."""
        words = program.words.copy()
        for place, array in program.places:
            assert 0 <= array.ctypes.data - self.start < self.bytes.size, "an operand outside the memory"
            words[place] = array.ctypes.data - self.start
        self._run(self.store, self.put(words).ctypes.data - self.start)

    def empty(self, shape: Any, dtype: Any) -> np.ndarray:
        """Return memory for an array, aligned to its elements but not to vectors."""
        size = int(np.prod(shape)) * np.dtype(dtype).itemsize
        start = (self.next + 7) // 8 * 8
        self.next = start + size + 4
        return self.bytes[start : start + size].view(dtype).reshape(shape)

    def put(self, x: Any) -> np.ndarray:
        """Return the array, laid out as it was, in the machine's memory."""
        x = np.asarray(x)
        order = sorted(range(x.ndim), key=lambda i: -abs(x.strides[i]))
        inner = self.empty([x.shape[i] for i in order], x.dtype).transpose(
            np.argsort(order) if x.ndim else ()
        )
        inner[...] = x
        return inner


@pytest.fixture(scope="module")
def machine() -> Machine:
    return Machine()


@pytest.fixture(autouse=True)
def clean(request: pytest.FixtureRequest) -> Iterator[None]:
    """Give the machine its memory back, and NumPy its own ways."""
    yield
    simd.kernel = None
    if "machine" in request.fixturenames:
        request.getfixturevalue("machine").next = 1 << 21


def ran(
    machine: Machine, function: Any, args: Any, out: np.ndarray, target_first: bool = False, **options: Any
) -> Any:
    """Return `out` after the kernel has carried out the call; assert that it knows it."""
    simd.kernel = machine
    (program,) = simd.compiled([Call(function, tuple(args), options, out, target_first=target_first)])
    assert isinstance(program, simd.Program), f"the kernel has nothing for {function}"
    machine.run(program)
    return out


def close(ours: Any, exact: Any, ulps: float) -> None:
    """Assert that float32 results are within so many units in the last place of results in float64."""
    exact = np.asarray(exact)
    unit = np.spacing(np.abs(exact).astype(F4)).astype(np.float64)
    with np.errstate(invalid="ignore"):
        right = (
            (np.abs(ours - exact) <= ulps * unit)
            | (ours == exact.astype(F4))
            | (np.isnan(ours) & np.isnan(exact))
        )
    assert right.all(), f"{np.argwhere(~right)[0]}: expected {exact[~right][0]}, received {ours[~right][0]}"


SIZES = (1, 2, 3, 4, 5, 8, 9, 17)
LAYOUTS = list(itertools.product((False, True), (False, True)))


@pytest.mark.parametrize("m", SIZES)
@pytest.mark.parametrize("transposed", LAYOUTS, ids=str)
def test_products_of_matrices(
    machine: Machine, rng: np.random.Generator, m: int, transposed: tuple[bool, bool]
) -> None:
    for n, k in itertools.product((1, 2, 3, 4, 5, 7, 8, 9, 12, 20), (1, 2, 3, 4, 7, 8, 33, 300)):
        x = rng.normal(size=(k, m) if transposed[0] else (m, k)).astype(F4)
        y = rng.normal(size=(n, k) if transposed[1] else (k, n)).astype(F4)
        x, y = machine.put(x.T if transposed[0] else x), machine.put(y.T if transposed[1] else y)
        ours = ran(machine, np.dot, (x, y), machine.empty((m, n), F4))
        exact = x.astype(np.float64) @ y.astype(np.float64)
        assert np.abs(ours - exact).max() <= 4e-7 * (np.abs(x) @ np.abs(y)).max(), (m, n, k)
        machine.next = 1 << 21


@pytest.mark.parametrize(
    ("x", "y"),
    [((7,), (7,)), ((7,), (7, 5)), ((5, 7), (7,)), ((6, 5, 7), (6, 7, 3)), ((5, 7), (6, 7, 3)), ((6, 5, 7), (7, 3)),
     ((7,), (6, 7, 3)), ((2, 3, 5, 7), (2, 3, 7, 4)), ((2, 1, 5, 7), (3, 7, 4)), ((1, 1), (1, 1))],
)  # fmt: skip
def test_vectors_and_stacks(machine: Machine, rng: np.random.Generator, x: Any, y: Any) -> None:
    a, b = (machine.put(rng.normal(size=s).astype(F4)) for s in (x, y))
    wanted = np.matmul(a, b)
    ours = ran(machine, np.matmul, (a, b), machine.empty(wanted.shape, F4))
    assert np.allclose(ours, wanted, rtol=1e-5, atol=1e-5)


def test_heads_of_attention_are_read_where_they_lie(machine: Machine, rng: np.random.Generator) -> None:
    joint = machine.put(rng.normal(size=(2, 6, 4, 8)).astype(F4))  # (batch, time, heads, width)
    heads = joint.transpose(0, 2, 1, 3)
    ours = ran(machine, np.matmul, (heads, heads.mT), machine.empty((2, 4, 6, 6), F4))
    assert np.allclose(ours, heads @ heads.mT, rtol=1e-5, atol=1e-5)


HARD = np.array(
    [0, -0.0, 1e-42, 1e-20, -1e-20, 0.625, 17, -17, 88.7, 88.8, -87.4, -103, -104, np.inf, -np.inf, np.nan]
)


@pytest.mark.parametrize(
    ("name", "ulps"), [("exp", 1.1), ("log", 1.1), ("tanh", 1.6), ("expm1", 3), ("log1p", 3)]
)
def test_functions_are_right_to_the_last_digits(
    machine: Machine, rng: np.random.Generator, name: str, ulps: float
) -> None:
    spread = [np.linspace(-100, 100, 9999), rng.normal(size=9999), np.logspace(-38, 38, 999), HARD]
    x = machine.put(np.concatenate(spread).astype(F4))
    ours = ran(machine, getattr(np, name), (x,), machine.empty(x.shape, F4))
    with np.errstate(all="ignore"):
        close(ours, getattr(np, name)(x.astype(np.float64)), ulps)


UFUNCS = (np.add, np.subtract, np.multiply, np.divide, np.maximum, np.minimum)
COMPARISONS = (np.greater, np.greater_equal, np.less, np.less_equal, np.equal)
ONE_INPUT = (np.negative, np.absolute, np.square, np.sqrt, np.sign)


@pytest.mark.parametrize("size", [1, 2, 3, 4, 5, 7, 16, 30])
@pytest.mark.parametrize("ufunc", [*UFUNCS, *COMPARISONS], ids=lambda u: u.__name__)
def test_maps_equal_numpy_exactly(machine: Machine, rng: np.random.Generator, ufunc: Any, size: int) -> None:
    special = [np.nan, np.inf, -np.inf, 0.0, 1.0, 1.0]
    x, y = (np.concatenate([rng.integers(-3, 4, size), special]).astype(F4) for _ in range(2))
    x, y = machine.put(x[:size]), machine.put(y[-size:])
    with np.errstate(all="ignore"):
        wanted = ufunc(x, y)
    ours = ran(machine, ufunc, (x, y), machine.empty(x.shape, wanted.dtype))
    assert np.array_equal(ours, wanted, equal_nan=wanted.dtype == F4)


@pytest.mark.parametrize("ufunc", ONE_INPUT, ids=lambda u: u.__name__)
def test_maps_of_one_input(machine: Machine, rng: np.random.Generator, ufunc: Any) -> None:
    x = machine.put(np.concatenate([rng.normal(size=13), HARD]).astype(F4))
    with np.errstate(all="ignore"):
        wanted = ufunc(x)
    assert np.array_equal(ran(machine, ufunc, (x,), machine.empty(x.shape, F4)), wanted, equal_nan=True)


def views(rng: np.random.Generator) -> Iterator[tuple[str, np.ndarray]]:
    """Yield (6, 5) views of many strides."""
    yield "whole", rng.normal(size=(6, 5))
    yield "transposed", rng.normal(size=(5, 6)).T
    yield "every other", rng.normal(size=(12, 10))[::2, ::2]
    yield "backwards", rng.normal(size=(6, 5))[::-1, ::-1]
    yield "a row", rng.normal(size=5)
    yield "a column", rng.normal(size=(6, 1))
    yield "a number", rng.normal(size=())


def test_maps_of_all_strides(machine: Machine, rng: np.random.Generator) -> None:
    for (one, a), (two, b) in itertools.product(views(rng), views(rng)):
        base = [machine.put(v.astype(F4) if v.base is None else v.base.astype(F4)) for v in (a, b)]
        x, y = (strided_like(m, v) for m, v in zip(base, (a, b), strict=True))
        for out in (
            machine.empty((6, 5), F4),
            machine.empty((5, 6), F4).T,
            machine.empty((6, 10), F4)[:, ::2],
        ):
            assert np.array_equal(ran(machine, np.subtract, (x, y), out), np.broadcast_to(x - y, (6, 5))), (
                one,
                two,
            )


def strided_like(base: np.ndarray, view: np.ndarray) -> np.ndarray:
    """Return the part of `base` (float32) that `view` is of its own base (float64)."""
    if view.base is None:
        return base
    offset = (view.ctypes.data - view.base.ctypes.data) // 2
    return np.ndarray(view.shape, F4, base.data, offset, tuple(s // 2 for s in view.strides))


def test_four_axes_and_five(machine: Machine, rng: np.random.Generator) -> None:
    x = machine.put(rng.normal(size=(2, 3, 4, 5)).astype(F4)).transpose(2, 0, 3, 1)
    y = machine.put(rng.normal(size=(4, 1, 5, 1)).astype(F4))
    assert np.array_equal(ran(machine, np.multiply, (x, y), machine.empty(x.shape, F4)), x * y)
    simd.kernel = machine
    many = [np.empty((2, 3, 2, 3, 2), F4).transpose(order) for order in ((4, 2, 0, 3, 1), (0, 1, 2, 3, 4))]
    call = Call(np.negative, (np.empty((2, 2, 2, 3, 3), F4).transpose(0, 1, 2, 3, 4),), {}, many[0])
    assert simd.compiled([call]) == [call]  # more axes than an instruction has: NumPy's


@pytest.mark.parametrize("function", [np.add.reduce, np.maximum.reduce], ids=["sum", "max"])
@pytest.mark.parametrize("axis", [0, 1, 2, -1, None, (0, 1), (1, 2), (0, 1, 2)], ids=str)
def test_reductions(machine: Machine, rng: np.random.Generator, function: Any, axis: Any) -> None:
    for shape, keepdims in itertools.product(
        [(1, 1, 1), (2, 3, 5), (4, 9, 1), (3, 1, 10), (5, 17, 6)], (False, True)
    ):
        x = machine.put(rng.normal(size=shape).astype(F4))
        exact = function(x.astype(np.float64), axis=axis, keepdims=keepdims)
        ours = ran(machine, function, (x,), machine.empty(np.shape(exact), F4), axis=axis, keepdims=keepdims)
        assert np.abs(ours - exact).max() <= 1e-5, shape


def test_the_maximum_of_a_nan_is_nan(machine: Machine) -> None:
    for size in (3, 9):
        x = np.ones((2, size), F4)
        x[0, size // 2] = np.nan
        ours = ran(machine, np.maximum.reduce, (machine.put(x),), machine.empty(2, F4), axis=-1)
        assert np.array_equal(ours, [np.nan, 1], equal_nan=True)


def test_other_dtypes(machine: Machine, rng: np.random.Generator) -> None:
    g, mask = machine.put(rng.normal(size=(6, 5)).astype(F4)), machine.put(rng.random((6, 5)) > 0.5)
    assert np.array_equal(ran(machine, np.multiply, (g, mask), machine.empty((6, 5), F4)), g * mask)
    out = machine.empty((6, 5), F4)
    assert np.array_equal(
        ran(machine, operator.setitem, (..., mask), out, target_first=True), mask.astype(F4)
    )
    labels, numbers = machine.put(rng.integers(0, 4, (6, 1))), machine.put(np.arange(4))
    ours = ran(machine, np.equal, (labels, numbers), machine.empty((6, 4), np.bool_))
    assert np.array_equal(ours, labels == numbers)
    clip: Any = np._core.umath.clip
    low, high = machine.put(F4(-0.5)), machine.put(F4(0.5))
    assert np.array_equal(
        ran(machine, clip, (g, low, high), machine.empty((6, 5), F4)), np.clip(g, -0.5, 0.5)
    )


def test_arrays_joined(machine: Machine, rng: np.random.Generator) -> None:
    parts = tuple(machine.put(rng.normal(size=s).astype(F4)) for s in ((2, 3), (4, 3), (1, 3)))
    for axis, wanted in ((None, np.concatenate(parts, None)), (0, np.concatenate(parts, 0))):
        ours = ran(machine, np.concatenate, (parts, axis), machine.empty(wanted.shape, F4))
        assert np.array_equal(ours, wanted)


def test_in_place_is_right_and_other_overlaps_are_left_to_numpy(
    machine: Machine, rng: np.random.Generator
) -> None:
    memory = machine.put(rng.normal(size=21).astype(F4))
    wanted = memory[:20] * memory[:20]
    assert np.array_equal(ran(machine, np.multiply, (memory[:20], memory[:20]), memory[:20]), wanted)
    square = memory[:16].reshape(4, 4)
    for call in (
        Call(np.negative, (memory[:20],), {}, memory[1:]),
        Call(np.negative, (square.T,), {}, square),
        Call(np.dot, (square, square), {}, square),
        Call(np.add.reduce, (square,), {"axis": 0}, memory[:4]),
    ):
        assert simd.compiled([call]) == [call]


def test_what_the_kernel_does_not_know_is_left_to_numpy(machine: Machine) -> None:
    simd.kernel = machine
    x, doubles = np.ones((3, 3), F4), np.ones((3, 3))
    for call in (
        Call(np.add, (doubles, doubles), {}, np.ones((3, 3))),
        Call(np.add, (x, doubles), {}, np.ones((3, 3))),
        Call(np.dot, (doubles, doubles), {}, np.ones((3, 3))),
        Call(np.sin, (x,), {}, np.ones((3, 3), F4)),
        Call(np.add, (x, x), {"where": np.ones((3, 3), bool)}, np.ones((3, 3), F4)),
        Call(np.add.reduce, (x,), {"axis": 0, "dtype": np.dtype(np.float64)}, np.ones(3)),
        Call(np.add.reduce, (np.ones((2, 3, 4), F4),), {"axis": (0, 2)}, np.ones(3, F4)),
        Call(np.multiply.reduce, (x,), {"axis": 0}, np.ones(3, F4)),
        Call(operator.setitem, (0, F4(1)), {}, np.ones((3, 3), F4), target_first=True),
        Call(np.negative, (np.ones((0, 3), F4),), {}, np.ones((0, 3), F4)),
        Call(np.negative, (np.ones(3, np.dtype([("a", "f4"), ("b", "i2")]))["a"],), {}, np.ones(3, F4)),
    ):
        assert simd.compiled([call]) == [call]


def test_runs_of_known_calls_become_one_program_each(machine: Machine) -> None:
    simd.kernel = machine
    x, out = machine.put(np.full(5, 2, F4)), machine.empty(5, F4)
    known, foreign = Call(np.add, (x, out), {}, out), Call(np.sin, (x,), {}, np.empty(5, F4))
    first, second, third = simd.compiled([known, known, foreign, known])
    assert isinstance(first, simd.Program)
    assert second is foreign
    assert isinstance(third, simd.Program)
    out[:] = 1
    machine.run(first)
    assert (out == 5).all()


def test_an_operand_can_be_pointed_elsewhere(machine: Machine) -> None:
    simd.kernel = machine
    x, other, out = (machine.put(np.full((4, 2), v, F4)) for v in (1, 2, 0))
    other[2:] = 3
    (program,) = simd.compiled([Call(np.negative, (x[2:],), {}, out[2:])])
    place, view = program.places[1]
    program.reader(place, view.ctypes.data - x.ctypes.data)(other)
    assert program.words[place] == (other[2:].ctypes.data & 0xFFFFFFFF)


# ------------------------------------------------------------------------------------------------ in Pyodide

PAGE = "<!doctype html><title>kernel</title>"
WORKER = """
import { loadPyodide } from "./pyodide/pyodide.mjs";
delete WebAssembly.Suspending;
delete WebAssembly.promising;
try {
  const pyodide = await loadPyodide({
    lockFileURL: new URL("lock.json", import.meta.url).href, packages: ["numpy"],
  });
  const sources = await (await fetch("sources.zip")).arrayBuffer();
  pyodide.unpackArchive(sources, "zip", { extractDir: "/sources" });
  pyodide.runPython("import sys; sys.path.insert(0, '/sources'); import simd_inside");
  self.postMessage(pyodide.runPython("simd_inside.report()"));
} catch (error) {
  self.postMessage(String(error.message));
}
"""


@pytest.mark.browser
def test_in_pyodide_the_kernel_gives_what_numpy_gives(tmp_path: Path, chromium: Any) -> None:
    """Everything in simd_inside.py, in the Pyodide and the kind of worker that the page has."""
    from dlcore.live import distribution

    files = PACKAGE.parent / ".pyodide" / distribution.VERSION
    if not (files / "pyodide.asm.wasm").exists():
        pytest.skip("Pyodide is not here: make pyodide fetches it")
    site = tmp_path / "site"
    site.mkdir()
    (site / "pyodide").symlink_to(files)
    (site / "index.html").write_text(PAGE, encoding="utf-8")
    (site / "worker.mjs").write_text(WORKER, encoding="utf-8")
    lock = {name: distribution.PINS[name] for name in ("info", "packages")}
    (site / "lock.json").write_text(json.dumps(lock), encoding="utf-8")
    with zipfile.ZipFile(site / "sources.zip", "w") as archive:
        archive.write(Path(__file__).parent / "simd_inside.py", "simd_inside.py")
        for path in sorted(p for p in PACKAGE.rglob("*") if p.suffix in (".py", ".so", ".npz")):
            archive.write(path, path.relative_to(PACKAGE.parent))
    with served(site) as address:
        page = chromium.new_page()
        page.goto(f"{address}/index.html")
        worker = "new Worker('worker.mjs', { type: 'module' })"
        answer = f"new Promise((done) => {{ {worker}.onmessage = (event) => done(event.data); }})"
        assert page.evaluate(answer) == "all equal"
        page.close()
