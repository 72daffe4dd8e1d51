"""Resolve the pins of requirements.txt for every platform and for Python 3.11 to 3.13.

Run by ``make lock``. Versions that still fit are kept; delete a line of requirements.txt to let it move.
"""

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
PINS = ROOT / "requirements.txt"
HEADER = """\
# Exact versions of everything: book, notebooks, tests, torch. Made by `make lock`; constrains every install:
#     pip install -c requirements.txt -e ".[book]"
# torch's CUDA packages are left out: a build of torch that needs them pins them itself.
"""
UNPINNED = re.compile(r"^(nvidia-|cuda-|triton==)")


def main() -> None:
    """Write requirements.txt."""
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "uv"], check=True)
    compile_all = "-m uv pip compile pyproject.toml --all-extras --universal --python-version 3.11 --quiet"
    written = ["--no-header", "--no-annotate", "--output-file", str(PINS)]
    subprocess.run(
        [sys.executable, *compile_all.split(), *written], cwd=ROOT, check=True, stdout=subprocess.DEVNULL
    )
    lines = PINS.read_text().splitlines()
    pins = [line for line in lines if line and not line.startswith("#") and not UNPINNED.match(line)]
    PINS.write_text(HEADER + "\n".join(pins) + "\n")


if __name__ == "__main__":
    main()
