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
# Exact versions of everything: book, notebooks, tests, torch. Made by `make lock`; the constraints file of every install:
#     pip install -c requirements.txt -e ".[book]"
# torch's CUDA packages are left out: a build of torch that needs them pins them itself.
"""
UNPINNED = re.compile(r"^(nvidia-|cuda-|triton==)")


def main() -> None:
    """Write requirements.txt."""
    subprocess.run([sys.executable, "-m", "pip", "install", "--quiet", "uv"], check=True)
    command = "pip compile pyproject.toml --all-extras --universal --python-version 3.11 --no-header --no-annotate"
    subprocess.run([sys.executable, "-m", "uv", *command.split(), "--quiet", "--output-file", str(PINS)], cwd=ROOT, check=True)
    pins = [line for line in PINS.read_text().splitlines() if line and not UNPINNED.match(line) and line[0] != "#"]
    PINS.write_text(HEADER + "\n".join(pins) + "\n")


if __name__ == "__main__":
    main()
