"""What every test shares: a seeded generator, bounded property tests, a header that names what ran."""

import importlib.metadata
import importlib.util
import platform

import hypothesis
import numpy as np
import pytest

from tests.browser import address, book, chromium, context  # noqa: F401 - fixtures

pytest.register_assert_rewrite("tests.views")  # so that its assertions say what they saw

hypothesis.settings.register_profile("house", deadline=None, derandomize=True, max_examples=50)
hypothesis.settings.load_profile("house")

NAMED_IN_HEADER = ("numpy", "array-api-compat", "array-api-strict", "torch", "matplotlib")


def version(package: str) -> str:
    """Return the installed version of ``package``, or the word absent."""
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return "absent"


def pytest_report_header() -> list[str]:
    """Name the versions, so that a green run tells what it was green on."""
    cuda = "no torch"
    if importlib.util.find_spec("torch"):
        import torch

        cuda = torch.cuda.get_device_name() if torch.cuda.is_available() else "no CUDA device"
    versions = ", ".join(f"{package} {version(package)}" for package in NAMED_IN_HEADER)
    return [f"Python {platform.python_version()}: {versions}; {cuda}"]


@pytest.fixture
def rng() -> np.random.Generator:
    """Return a generator seeded alike for every test."""
    return np.random.default_rng(0)
