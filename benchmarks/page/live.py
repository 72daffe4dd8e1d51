"""The Playground in the built page: how smoothly it trains, how soon it starts, and what the reader downloads.

The browser keeps a profile, as a reader's does, so a second visit finds files and compiled code of the first.
"""

from __future__ import annotations

import gzip
import tempfile
from pathlib import Path
from typing import Any

from benchmarks.page import book, site
from benchmarks.page.browser import chromium, cpu_seconds, profiled, renderers
from benchmarks.page.report import quartiles
from benchmarks.page.rows import Target

TITLE = "The Playground in the built page"
NOTES = [
    "Run is clicked without a pointer hovering over it before, which would load Python ahead.",
    "Bytes are the sum of all files asked for, each gzipped at level 6, as a plain web server would send them.",
]
PAGES = {
    "default": "from dlcore.widgets import Playground\nPlayground()",
    "deep": "from dlcore.widgets import Playground\nPlayground(hidden=[8, 8])",
    "bare": "from dlcore.widgets import Playground",  # the default page less its widget
}
AGAIN = "Run to first live frame, files cached, s"
SPENT = "CPU time of all threads of the page in that, s"
FIRST = "Run to first live frame, first visit, s"
PAGE_BYTES = "bytes before a click over the same page without widgets, gzipped, kB"
BOOT_BYTES = "bytes of the first boot, gzipped, MB"
FRAMES = "frames drawn per second while training"
GAP = "longest pause between two animation frames of a window, ms"
TASK = "longest task of the main thread of a window, ms (0: none of 50 ms or more)"
TASK_CPU = "longest task of the main thread, CPU time, ms"
SECONDS = 4.0  # of one window in which frames are counted


def probe(page: Any, name: str, *arguments: float) -> Any:
    """Call a function of `web/probes.js` in an open page."""
    call = "([name, ...given]) => import('/web/probes.js').then((probes) => probes[name](...given))"
    return page.evaluate(call, [name, *arguments])


def compressed(served: site.Served, folder: Path) -> int:
    """Bytes, each file gzipped, of what was asked for since the last call."""
    names, served.requested[:] = list(dict.fromkeys(served.requested)), []
    paths = [folder / name.lstrip("/") for name in names]
    return sum(len(gzip.compress(path.read_bytes(), 6)) for path in paths if path.is_file())


def visit(context: Any, address: str, name: str) -> Any:
    """Open a page and wait until its widget, if it has one, is drawn and nothing more is loaded."""
    page = context.new_page()
    page.set_default_timeout(120_000)
    page.goto(f"{address}/{name}.html", wait_until="networkidle")
    if page.locator(".dlcore-live").count():
        page.locator('.dlcore-live[data-state="drawn"]').first.wait_for()
    return page


def sizes(served: site.Served, folder: Path) -> dict[str, list[float]]:
    """What a first visit loads: beyond the same page without widgets, and for the first boot."""
    with chromium() as browser:
        loaded = {}
        for name in ("bare", "default"):
            context = browser.new_context()  # with an empty cache
            served.requested.clear()
            page = visit(context, served.address, name)
            loaded[name] = compressed(served, folder)
        probe(page, "firstFrame")
        boot = compressed(served, folder)
    return {PAGE_BYTES: [(loaded["default"] - loaded["bare"]) / 1e3], BOOT_BYTES: [boot / 1e6]}


def starts(served: site.Served, rounds: int) -> dict[str, list[float]]:
    """Seconds from Run to the first live frame: at the first visit, then with all files kept by the browser."""
    with tempfile.TemporaryDirectory() as profile, profiled(profile) as context:
        seconds, spent = [], []
        for _ in range(1 + rounds):
            page = visit(context, served.address, "default")
            processes = renderers()
            before = cpu_seconds(processes)
            seconds.append(probe(page, "firstFrame") / 1e3)
            spent.append(cpu_seconds(processes) - before)
            stay(page)
            page.close()
    return {AGAIN: seconds[1:], SPENT: spent[1:], FIRST: seconds[:1]}


def stay(page: Any) -> None:
    """Wait as long as the page needs to keep what it has made for the next visit: some seconds."""
    for _ in range(100):
        if page.evaluate("async () => (await (await caches.open('dlcore-python')).keys()).length") == 2:
            return
        page.wait_for_timeout(200)
    raise TimeoutError(
        "expected Python's memory and bytecode to be kept within 20 s; received neither or one"
    )


def smoothness(served: site.Served, rounds: int) -> dict[str, list[float]]:
    """Frames drawn per second while the network 8-8 trains, and what holds the page's own thread up."""
    with chromium() as browser:
        page = visit(browser.new_context(viewport={"width": 1280, "height": 900}), served.address, "deep")
        probe(page, "firstFrame")
        probe(page, "watch", SECONDS)  # the first seconds compile
        windows = [probe(page, "watch", SECONDS) for _ in range(rounds)]
        tasks = tasks_of(page)
    return {
        FRAMES: [window["frames"] / window["seconds"] for window in windows],
        GAP: [window["gap"] for window in windows],
        TASK: [window["task"] for window in windows],
        TASK_CPU: [max(tasks)],
    }


def tasks_of(page: Any) -> list[float]:
    """CPU time of each task of the page's main thread during a window, in ms, from Chromium's own trace."""
    events: list[dict[str, Any]] = []
    ended: list[bool] = []
    session = page.context.new_cdp_session(page)
    session.on("Tracing.dataCollected", lambda part: events.extend(part["value"]))
    session.on("Tracing.tracingComplete", lambda _: ended.append(True))
    categories = {"includedCategories": ["toplevel", "disabled-by-default-devtools.timeline"]}
    session.send("Tracing.start", {"traceConfig": categories, "transferMode": "ReportEvents"})
    probe(page, "watch", SECONDS)
    session.send("Tracing.end")
    while not ended:
        page.wait_for_timeout(50)
    threads = {(e["pid"], e["tid"]): e["args"]["name"] for e in events if e.get("name") == "thread_name"}
    tasks = [e for e in events if e.get("name") == "RunTask" and e.get("ph") == "X"]
    return [e["tdur"] / 1e3 for e in tasks if threads[e["pid"], e["tid"]] == "CrRendererMain" and "tdur" in e]


def targets(values: dict[str, list[float]]) -> list[Target]:
    """What the page has to reach."""
    return [
        Target(
            "frames per second, hidden 8-8, maps 64 × 64, while training",
            quartiles(values[FRAMES]),
            30,
            "1/s",
        ),
        Target(
            "longest task of the page's main thread, CPU time",
            quartiles(values[TASK_CPU]),
            50,
            "ms",
            least=False,
        ),
        Target(
            "from Run to the first live frame, files cached", quartiles(values[AGAIN]), 2.5, "s", least=False
        ),
        Target(
            "bytes before any click, gzipped, over the page without",
            quartiles(values[PAGE_BYTES]),
            60,
            "kB",
            least=False,
        ),
        Target("bytes of the first boot, gzipped", quartiles(values[BOOT_BYTES]), 12, "MB", least=False),
    ]


def measure(rounds: int) -> tuple[dict[str, list[float]], list[Target]]:
    """Build the book, open it, and return the raw values with the targets."""
    with tempfile.TemporaryDirectory() as folder:
        built = book.build(Path(folder), PAGES)
        with site.served({"": built, "web": site.HERE / "web"}, {}) as served:
            values = sizes(served, built) | starts(served, rounds) | smoothness(served, rounds)
    return values, targets(values)
