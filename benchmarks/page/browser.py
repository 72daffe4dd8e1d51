"""Headless Chromium, and the page in which contestants live in workers."""

from __future__ import annotations

import math
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import psutil

# As root there is no sandbox; the rest keeps Chromium's own requests, throttling, and the pages behind its address bar
# (a second of computing for each window) out of the measurement.
UNSEEN = "HttpsUpgrades,MediaRouter,OptimizationHints,PaintHolding,AimEnabled,WebUIOmniboxPopup,WebUIOmniboxAimPopup"
FLAGS = [
    f"--disable-features={UNSEEN},WebUIOmniboxFullPopup",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class NoBrowser(Exception):
    """Chromium or Playwright is missing."""


@contextmanager
def playwright() -> Iterator[tuple[Any, dict[str, Any]]]:
    """Playwright's Chromium and how to launch it; raises NoBrowser saying what to install."""
    program = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if program is None:
        raise NoBrowser("neither chromium nor google-chrome is installed; on Debian: apt install chromium")
    try:
        from playwright.sync_api import sync_playwright
    except ImportError:
        raise NoBrowser("playwright is not installed; pip install playwright") from None
    with sync_playwright() as driver:
        yield driver.chromium, {"executable_path": program, "args": FLAGS}


@contextmanager
def chromium() -> Iterator[Any]:
    """A headless Chromium that keeps nothing."""
    with playwright() as (kind, options):
        browser = kind.launch(**options)
        yield browser
        browser.close()


@contextmanager
def profiled(folder: str) -> Iterator[Any]:
    """A headless Chromium that keeps files and compiled code in a folder, as a reader's does; yields its context."""
    with playwright() as (kind, options):
        context = kind.launch_persistent_context(folder, **options)
        yield context
        context.close()


def renderers() -> list[int]:
    """The processes of our browsers in which pages and their workers run."""
    found = []
    for process in psutil.Process().children(recursive=True):
        with suppress(psutil.Error):
            if "--type=renderer" in process.cmdline():
                found.append(process.pid)
    return found


def cpu_seconds(processes: list[int]) -> float:
    """CPU time that all threads of the processes have used; NaN without Linux's /proc."""
    spent = 0
    for process in processes:
        try:
            for thread in Path(f"/proc/{process}/task").iterdir():
                with suppress(FileNotFoundError):  # it has just ended
                    spent += int((thread / "schedstat").read_text().split()[0])
        except OSError:
            return math.nan
    return spent / 1e9


class Arena:
    """The open page; contestants are started in workers of their own, asked, and stopped, by name."""

    def __init__(self, browser: Any, address: str) -> None:
        self.page = browser.new_page()
        self.page.set_default_timeout(300_000)
        self.page.goto(f"{address}/web/arena.html")
        self.page.wait_for_function("window.arena")

    def start(self, name: str, script: str, settings: dict[str, Any]) -> None:
        """Start a worker and wait until it is ready; raises Playwright's Error with the worker's own words."""
        self.page.evaluate(
            "([name, script, settings]) => arena.start(name, script, settings)", [name, script, settings]
        )

    def ask(self, name: str, verb: str, argument: Any = None) -> Any:
        """Send a request to a worker and return its answer."""
        return self.page.evaluate(
            "([name, verb, argument]) => arena.ask(name, verb, argument)", [name, verb, argument]
        )

    def time(self, name: str, steps: int) -> tuple[float, float]:
        """Let a worker train: milliseconds of CPU time, of all threads of the page's process, and by its own clock.

        On a busy machine a clock also counts the time in which others compute. Without Linux both are the clock's.
        """
        processes = renderers()
        before = cpu_seconds(processes)
        wall = float(self.ask(name, "time", steps))
        cpu = (cpu_seconds(processes) - before) * 1e3
        return (wall if math.isnan(cpu) else cpu), wall

    def stop(self, name: str) -> None:
        """End a worker."""
        self.page.evaluate("(name) => arena.stop(name)", name)
