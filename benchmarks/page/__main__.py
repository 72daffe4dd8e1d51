"""`python -m benchmarks.page`: time dlcore in the page beside its peers, write `benchmarks/results/page.*`."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

from benchmarks.page import lab, live, peers, report, site
from benchmarks.page.browser import Arena, NoBrowser, chromium
from benchmarks.page.race import race
from benchmarks.page.rows import ROWS
from benchmarks.report import ROOT
from dlcore.live import distribution

MEASURED = {"live": live, "lab": lab}
NAMES = [*ROWS, *MEASURED]
FOLDER = ROOT / "benchmarks" / "results"


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.page", description=__doc__)
    parser.add_argument("--rows", default=",".join(NAMES), help=f"which of {', '.join(NAMES)}")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="three rounds; prints, and writes no results")
    chosen = parser.parse_args()
    chosen.rows = [name for name in chosen.rows.split(",") if name]
    if unknown := set(chosen.rows) - set(NAMES):
        parser.error(f"unknown rows {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}")
    if chosen.quick:
        chosen.rounds = 3
    return chosen


def pyodide() -> Path:
    """The folder with Pyodide's files, fetched and verified where they are not there yet."""
    folder = ROOT / ".pyodide" / distribution.VERSION
    distribution.fill(folder)
    return folder


def race_rows(names: list[str], rounds: int) -> report.Json:
    """Run the races and return their sections."""
    sections = {}
    with site.arena(pyodide(), peers.FOLDER) as served, chromium() as browser:
        arena, stamped = Arena(browser, served.address), report.stamp(browser.version)
        for name in names:
            row = ROWS[name]
            print(f"\n{row.title}", flush=True)
            results = race(arena, row.entrants(), rounds=rounds)
            print("\n".join(report.race_table(row, results)), flush=True)
            sections[name] = report.race_section(row, results, stamped)
    return sections


def measured_rows(names: list[str], rounds: int) -> report.Json:
    """Measure the live pages and return their sections."""
    sections = {}
    with chromium() as browser:
        stamped = report.stamp(browser.version)
    for name in names:
        row = MEASURED[name]
        print(f"\n{row.TITLE}", flush=True)
        try:
            values, targets = row.measure(rounds)
        except Exception as error:  # the other rows shall not be lost with this one
            print(f"not measured: {error}", file=sys.stderr)
            continue
        sections[name] = report.measured_section(row.TITLE, values, targets, row.NOTES, stamped)
        print("\n".join(report.measured_table(sections[name])), flush=True)
    return sections


def main() -> int:
    """Run what was asked for; 1 where nothing could be measured."""
    chosen = arguments()
    for name, reason in peers.install().items():
        print(f"{name} is missing, so what needs it is reported as failed: {reason}", file=sys.stderr)
    try:
        measured = race_rows([name for name in ROWS if name in chosen.rows], chosen.rounds)
        measured |= measured_rows([name for name in MEASURED if name in chosen.rows], chosen.rounds)
    except (NoBrowser, distribution.Missing, distribution.Untrusted) as reason:
        print(f"benchmarks.page: no results: {reason}", file=sys.stderr)
        return 1
    path = FOLDER / "page.json"
    kept = json.loads(path.read_text()) if path.exists() else {}
    both = kept | measured  # what this run did not measure stays, with its own date
    sections = {name: both[name] for name in NAMES if name in both}
    targets = [report.target_of(row) for part in sections.values() for row in part["targets"]]
    print("\n" + "\n".join([*report.TARGETS_HEAD, *report.target_rows(targets)]))
    if not chosen.quick:
        report.write(sections, FOLDER)
        print(f"\nWritten to {FOLDER.relative_to(ROOT)}/page.md and .json")
    return 0 if measured.keys() >= set(chosen.rows) else 1


if __name__ == "__main__":
    sys.exit(main())
