"""What every run of pytest has: its plugins and, before anything imports NumPy, the rounding that all share."""

import os

from tools import rounding

# What is set already stays, so that a run can try how another processor rounds.
os.environ |= rounding.settings() | os.environ

pytest_plugins = ["tools.nbval_widgets"]
