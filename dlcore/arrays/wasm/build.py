"""Build the WebAssembly kernel from its source, with the C compiler of PyPI's `ziglang`.

    python dlcore/arrays/wasm/build.py          write the module and its sha256
    python dlcore/arrays/wasm/build.py --check  build beside it and compare

The compiler's version stands in `_simd.sha256` beside the sum: another version may give other bytes.
"""

from __future__ import annotations

import hashlib
import importlib.metadata
import subprocess
import sys
import tempfile
from pathlib import Path

HERE = Path(__file__).parent
MODULE = HERE.parent / "_simd.cpython-312-wasm32-emscripten.so"  # a name that no other Python looks for
SUM = HERE / "_simd.sha256"

# Exactly these features: a browser refuses the whole module if it knows one of them not.
FEATURES = "mvp+simd128+mutable_globals+sign_ext+nontrapping_fptoint+bulk_memory"
TARGET = ("-target", "wasm32-emscripten", f"-mcpu={FEATURES}", "-fPIC", "-fvisibility=hidden", "-nostdlib")
COMPILE = (*TARGET, "-std=c11", "-O3", "-ffp-contract=off", "-Wall", "-Wextra", "-Werror")
# A shared object of Emscripten's kind: memory, table and the functions of Python come from Pyodide.
LINK = ("-shared", "--experimental-pic", "--import-undefined", "--no-entry", "--strip-all")


def compiler() -> str:
    """Return the version of the compiler that is installed.

    Raises:
        importlib.metadata.PackageNotFoundError: none is.
    """
    return importlib.metadata.version("ziglang")


def build(target: Path) -> None:
    """Compile and link the kernel into `target`."""
    zig = [sys.executable, "-m", "ziglang"]
    with tempfile.TemporaryDirectory() as folder:
        objects = []
        for source in ("kernel.c", "module.c"):
            objects.append(str(Path(folder, source).with_suffix(".o")))
            # In this folder and by name alone: a path would otherwise reach the object file.
            subprocess.run([*zig, "cc", *COMPILE, "-c", source, "-o", objects[-1]], cwd=HERE, check=True)
        subprocess.run([*zig, "wasm-ld", *LINK, "-o", str(target), *objects], check=True)


def sum_of(module: Path) -> str:
    """Return the line that `_simd.sha256` holds for this module."""
    digest = hashlib.sha256(module.read_bytes()).hexdigest()
    return f"{digest}  {MODULE.name}  ziglang {compiler()}\n"


def main() -> None:
    """Build, or check what is built."""
    if "--check" not in sys.argv:
        build(MODULE)
        SUM.write_text(sum_of(MODULE), encoding="utf-8")
        return
    with tempfile.TemporaryDirectory() as folder:
        again = Path(folder, MODULE.name)
        build(again)
        if sum_of(again) != SUM.read_text(encoding="utf-8"):
            sys.exit(f"kernel: expected {SUM.read_text(encoding='utf-8')}received {sum_of(again)}")


if __name__ == "__main__":
    main()
