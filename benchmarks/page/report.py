"""Results as JSON of raw data and a Markdown page, each section stamped with when and on what."""

from __future__ import annotations

import json
import math
import statistics
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchmarks import report
from benchmarks.page import peers
from benchmarks.page.race import NOT_MEASURED, Ratio, Result, ratio
from benchmarks.page.rows import ROWS, Row, Target
from benchmarks.report import number

Json = dict[str, Any]
TARGETS_HEAD = ["| target | reached, median (quartiles) | |", "|---|---|---|"]


def stamp(browser: str) -> Json:
    """The engine's stamp, with the browser and the page's peers for versions."""
    found = report.stamp("cpu")
    ours = {name: found["versions"][name] for name in ("python", "numpy")}
    packages = {package.name: package.version for package in peers.PACKAGES}
    return {**found, "versions": {"Chromium": browser, **ours, **packages}}


def targets_as_json(targets: list[Target]) -> list[Json]:
    """Targets with null where nothing was measured."""
    rows = []
    for target in targets:
        row = asdict(target)
        row["reached"] = {key: None if math.isnan(value) else value for key, value in row["reached"].items()}
        rows.append(row)
    return rows


def target_of(row: Json) -> Target:
    """The target that `targets_as_json` made JSON of."""
    reached = Ratio(**{key: math.nan if value is None else value for key, value in row["reached"].items()})
    return Target(**{**row, "reached": reached})


def rounded(values: list[float]) -> list[float]:
    """Five significant digits."""
    return [float(f"{value:.5g}") for value in values]


def race_section(row: Row, results: list[Result], stamped: Json) -> Json:
    """A race as JSON."""
    clocks = [{name: rounded(getattr(result, name)) for name in ("micros", "wall")} for result in results]
    kept = [{**asdict(result), **times} for result, times in zip(results, clocks, strict=True)]
    return {"stamp": stamped, "results": kept, "targets": targets_as_json(row.targets(results))}


def measured_section(
    title: str, values: Json, targets: list[Target], notes: list[str], stamped: Json
) -> Json:
    """Something measured without a rival as JSON; `values` maps a name with its unit to the raw numbers."""
    return {
        "stamp": stamped,
        "title": title,
        "values": values,
        "targets": targets_as_json(targets),
        "notes": notes,
    }


def quartiles(values: list[float]) -> Ratio:
    """Median and quartiles of a list.

    >>> quartiles([1.0, 2.0, 3.0])
    Ratio(median=2.0, low=1.5, high=2.5)
    """
    if not values:
        return NOT_MEASURED
    if len(values) == 1:
        return Ratio(values[0], values[0], values[0])
    low, median, high = statistics.quantiles(values, n=4, method="inclusive")
    return Ratio(median, low, high)


def spread(found: Ratio, unit: str = "") -> str:
    """Median and quartiles as the tables show them.

    >>> spread(Ratio(2.0, 1.9, 2.1), "×")
    '2.00 × (1.90–2.10)'
    """
    if math.isnan(found.median):
        return "–"
    return f"{number(found.median)} {unit}".strip() + f" ({number(found.low)}–{number(found.high)})"


def verdict(target: Target) -> str:
    """Met, missed or not measured."""
    if math.isnan(target.reached.median):
        return "not measured"
    return "met" if target.met else "**missed**"


def target_rows(targets: list[Target]) -> list[str]:
    """Targets with what was reached."""
    words = {True: "at least", False: "under"}
    return [
        f"| {t.what}: {words[t.least]} {t.bound:g} {t.unit} | {spread(t.reached, t.unit)} | {verdict(t)} |"
        for t in targets
    ]


def race_table(row: Row, results: list[Result]) -> list[str]:
    """One line for each contestant, the fastest first; then who failed, and why."""
    base = row.base(results)
    against = f"× {base.name}" if base else "×"
    counted = "examples" if row.counts_examples else "frames"
    lines = [
        f"| contestant | {counted} per second | µs a step | by the clock | {against} | losses agree to |",
        "|---|--:|--:|--:|--:|---|",
    ]
    for result in sorted((r for r in results if r.micros), key=lambda r: -r.per_second):
        shown = f"**{result.name}**" if result.name.startswith("dlcore") else result.name
        cells = [
            shown,
            number(result.per_second),
            number(result.median),
            number(statistics.median(result.wall)),
            spread(ratio(result, base)),
            result.check,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [f"\n{result.name}: {result.note}." for result in results if result.note]
    lines += [f"\n{result.name} did not take part: {result.failure}" for result in results if result.failure]
    return lines


def measured_table(part: Json) -> list[str]:
    """Medians and quartiles of what was measured, then the notes."""
    lines = ["| | median (quartiles) | measured |", "|---|--:|--:|"]
    lines += [
        f"| {name} | {spread(quartiles(values))} | {len(values)} × |"
        for name, values in part["values"].items()
    ]
    return lines + [f"\n{note}" for note in part["notes"]]


def section_lines(name: str, part: Json) -> list[str]:
    """A section of the page."""
    if name in ROWS:
        title, table = (
            ROWS[name].title,
            race_table(ROWS[name], [Result(**result) for result in part["results"]]),
        )
    else:
        title, table = part["title"], measured_table(part)
    return ["", f"## {title}", "", *table, "", f"{part['stamp']['date']}, commit {part['stamp']['commit']}."]


def markdown(sections: Json) -> str:
    """The whole page."""
    newest = max((part["stamp"] for part in sections.values()), key=lambda each: each["date"])
    versions = ", ".join(f"{name} {version}" for name, version in newest["versions"].items())
    targets = [target_of(row) for part in sections.values() for row in part["targets"]]
    lines = [
        "# Results in the page",
        "",
        "Written by `python -m benchmarks.page`; [how to read it](../README.md#in-the-page). Ratios are medians over",
        "rounds of each round's own ratio, with quartiles.",
        "",
        f"Machine: {newest['machine']}; {newest['system']}.",
        f"Versions: {versions}.",
        "",
        "## Targets",
        "",
        *TARGETS_HEAD,
        *target_rows(targets),
    ]
    for name, part in sections.items():
        lines += section_lines(name, part)
    return "\n".join(lines) + "\n"


def write(sections: Json, folder: Path) -> None:
    """Write the two files."""
    folder.mkdir(exist_ok=True)
    (folder / "page.json").write_text(json.dumps(sections, indent=1) + "\n")
    (folder / "page.md").write_text(markdown(sections))
