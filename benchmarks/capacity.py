"""`python -m benchmarks.capacity`: how long the capacity curve takes, and the page's smaller one.

The first is `dlcore.overfitting.capacity_curve`, 20 widths × 20 seeds on 200 digits, in CPU seconds of one thread and
by the clock. The second is CapacityDial in a built page, in Chromium: its whole curve from Run on, Python's start
included ("first"), and then for other examples, which are measured from nothing.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks import harness, report

PATH = report.ROOT / "benchmarks" / "results" / "capacity.json"
WIDTHS = (5, 10, 20, 40, 60, 90, 120, 150, 170, 185, 200, 215, 230, 260, 300, 400, 600, 900, 1400, 2000)
SEEDS, EXAMPLES, TESTS = 20, 200, 1000
WHOLE, PAGE = 60.0, 10.0  # seconds to be reached
DIAL = "from dlcore.widgets import CapacityDial\nCapacityDial()"
MODEL = "[...(await import('/live/host.js')).places][0].model"
BUSY = f"(async () => {MODEL}.get('running'))()"
ALL = f"(async () => {{ const m = {MODEL}; return m.get('done') === m.get('places').length && !m.get('running'); }})()"


def whole() -> dict[str, float]:
    """Measure the curve once, in this process: CPU seconds, seconds by the clock, and where its peak is."""
    import numpy as np

    from dlcore.data import digits
    from dlcore.overfitting import RandomFeatures, capacity_curve, squared_error

    images, labels = digits("train", flat=True)
    images = images.astype(float)
    before = time.process_time()
    curve = capacity_curve(
        lambda width: RandomFeatures(width, classes=10),
        (images[:-TESTS], labels[:-TESTS]),
        capacities=WIDTHS,
        validation=(images[-TESTS:], labels[-TESTS:]),
        size=EXAMPLES,
        seeds=range(SEEDS),
        label_noise=0.2,
        error=squared_error,
    )
    peak = WIDTHS[int(np.argmax(np.median(curve.validation, axis=1)))]
    return {"cpu": time.process_time() - before, "clock": curve.seconds, "peak": peak}


def in_page(rounds: int) -> list[dict[str, float]]:
    """Build a page with the widget and have its whole curve measured: seconds by the clock, and CPU seconds."""
    from benchmarks.page import book, site
    from benchmarks.page.browser import chromium
    from benchmarks.page.live import visit

    found = []
    with tempfile.TemporaryDirectory() as folder:
        built = book.build(Path(folder), {"dial": DIAL})
        with site.served({"": built}, {}) as served, chromium() as browser:
            for _ in range(rounds):
                page = visit(browser.new_context(), served.address, "dial")
                first = _timed(page, "button.dlcore-run", "Enter")
                again = _timed(page, "input[name=examples]", "ArrowLeft")
                found.append({"first": first["clock"], **again})
                page.context.close()
    return found


def _timed(page: Any, control: str, key: str) -> dict[str, float]:
    """Press a key on a control, which has the curve measured, and wait for all of it."""
    from benchmarks.page.browser import cpu_seconds, renderers

    page.locator(control).focus()
    before, started = cpu_seconds(renderers()), time.perf_counter()
    page.keyboard.press(key)
    for state in (BUSY, ALL):  # it starts, then it is at rest with the whole curve
        while not page.evaluate(state):
            page.wait_for_timeout(10)
    return {"clock": time.perf_counter() - started, "cpu": cpu_seconds(renderers()) - before}


def main() -> int:
    """Measure, print, and write `results/capacity.json`."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.capacity", description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--quick", action="store_true", help="one round; writes no results")
    parser.add_argument("--once", action="store_true", help=argparse.SUPPRESS)  # in a process of its own
    chosen = parser.parse_args()
    if chosen.once:
        print(json.dumps(whole()))
        return 0
    rounds = 1 if chosen.quick else chosen.rounds
    command = [sys.executable, "-m", "benchmarks.capacity", "--once"]
    each = [
        json.loads(
            subprocess.check_output(command, text=True, cwd=report.ROOT, env=os.environ | harness.ONE_THREAD)
        )
        for _ in range(rounds)
    ]
    results = {"whole": each, "page": in_page(rounds), "stamp": report.stamp("cpu")}
    for name, bound in (("whole", WHOLE), ("page", PAGE)):
        for what in results[name][0]:
            values = sorted(one[what] for one in results[name])
            print(
                f"{name:6} {what:6} {values[len(values) // 2]:8.1f}   (all {[round(v, 1) for v in values]})"
            )
        print(f"{name:6} target: below {bound:.0f} s by the clock")
    if not chosen.quick:
        PATH.write_text(json.dumps(results, indent=1) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
