"""Plugins of pytest that every run has."""

pytest_plugins = ["tools.nbval_widgets"]
