"""Results as a JSON file of raw data, a Markdown table and a plot, each section stamped with when and on what."""

from __future__ import annotations

import json
import math
import os
import platform
import subprocess
from dataclasses import asdict
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from benchmarks import targets, tasks
from benchmarks.harness import Contestant, Result

ROOT = Path(__file__).parent.parent
PACKAGES = [
    "numpy",
    "array-api-compat",
    "torch",
    "captum",
    "jax",
    "jaxlib",
    "scikit-learn",
    "tinygrad",
    "autograd",
    "micrograd",
]
Json = dict[str, Any]


# ---------------------------------------------------------------------------------------------- the stamp


def first_line(*command: str) -> str:
    """First line that a command prints; empty where it cannot run."""
    try:
        done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    except OSError:
        return ""
    return done.stdout.strip().partition("\n")[0] if done.returncode == 0 else ""


def processor() -> str:
    """Model name of the CPU."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    return next(
        (line.partition(":")[2].strip() for line in lines if line.startswith("model name")), "unknown"
    )


def installed(package: str) -> str:
    """Its version, or "absent"."""
    try:
        return version(package)
    except PackageNotFoundError:
        return "absent"


def stamp(device: str) -> Json:
    """Machine, versions, date and commit."""
    import psutil

    machine = f"{processor()}, {os.cpu_count()} cores, {psutil.virtual_memory().total / 2**30:.0f} GiB"
    if device == "cuda":
        import torch

        machine = f"{torch.cuda.get_device_name()} in {machine}"
    tools = {"python": platform.python_version(), **{package: installed(package) for package in PACKAGES}}
    tools |= {tool: first_line(tool, "--version") or "absent" for tool in ("cc", "clang")}
    changed = first_line("git", "status", "--porcelain", "--untracked-files=no", "--", "dlcore", "benchmarks")
    commit = first_line("git", "rev-parse", "--short", "HEAD") + (
        " with uncommitted changes" if changed else ""
    )
    return {
        "machine": machine,
        "system": platform.platform(),
        "versions": tools,
        "date": datetime.now(UTC).strftime("%Y-%m-%d %H:%M UTC"),
        "commit": commit or "unknown",
    }


# --------------------------------------------------------------------------------------------------- JSON


def read(path: Path) -> Json:
    """Sections kept from earlier runs."""
    sections: Json = json.loads(path.read_text()) if path.exists() else {}
    return sections


def section(results: list[Result], device: str) -> Json:
    """A task's results as JSON; the rounds in which a contestant sat out are null."""
    rows = []
    for result in results:
        row = asdict(result)
        for clock in ("seconds", "wall"):
            row[clock] = [None if math.isnan(s) else float(f"{s:.4g}") for s in row[clock]]
        row |= {key: None for key in ("disagreement", "memory") if not math.isfinite(row[key])}
        rows.append(row)
    return {"stamp": stamp(device), "results": rows}


def results_of(section: Json) -> list[Result]:
    """The results that `section` made JSON of."""
    results = []
    for row in section["results"]:
        numbers = {key: math.nan if row[key] is None else row[key] for key in ("disagreement", "memory")}
        clocks = {clock: [math.nan if s is None else s for s in row[clock]] for clock in ("seconds", "wall")}
        results.append(Result(**{**row, **numbers, **clocks, "contestant": Contestant(**row["contestant"])}))
    return results


# ----------------------------------------------------------------------------------------------- Markdown


def number(value: float, digits: int = 3) -> str:
    """Three significant digits without an exponent, or a dash for NaN.

    >>> number(12345.6), number(0.4321), number(float("nan"))
    ('12,300', '0.432', '–')
    """
    if not math.isfinite(value):
        return "–"
    return f"{float(f'{value:.{digits}g}'):,.{max(0, digits - 1 - math.floor(math.log10(abs(value) or 1)))}f}"


def rival_of(task: str) -> str:
    """The engine against which a task's ratios are taken."""
    if task in tasks.MAPS:
        return targets.CAPTUM
    if task in tasks.SEEDS:
        return targets.IN_TURN
    return targets.LOOP if task == "T4" else targets.EAGER


def task_table(task: str, results: list[Result]) -> list[str]:
    """One row for each contestant, the fastest first; then who failed, and why."""
    rival = rival_of(task)
    times = ["µs per step", "fastest round", "wall clock"]
    heads = ["engine", *times, f"× {rival}", "× its for-loop optimizer", "× JAX per step", "losses agree to"]
    lines = [f"| {' | '.join(heads)} |", "|---|--:|--:|--:|--:|--:|--:|--:|"]
    for r in sorted((r for r in results if r.seconds), key=lambda r: r.median):
        name = r.contestant.name
        rivals = (rival, f"{rival}, for-loop", targets.JAX)
        ratios = [number(targets.ratio(results, other, name)) for other in rivals]
        shown = f"**{name}**" if r.contestant.engine == "dlcore" else name
        agrees = f"{r.disagreement:.0e}" + (
            f" over {r.checked_steps} steps" if r.contestant.check_steps else ""
        )
        agrees += f" ({r.contestant.note})" if task in r.contestant.tolerances else ""
        cells = [
            shown,
            number(r.median * 1e6),
            number(r.fastest * 1e6),
            number(r.median_wall * 1e6),
            *ratios,
            agrees,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    lines += [f"\n{r.contestant.name} did not take part: {r.failure}" for r in results if r.failure]
    return lines


def verdict(reached: float, met: bool, met_by_default: bool = False) -> str:
    """Met, missed, met only against torch's default optimizer, or not measured."""
    if math.isnan(reached):
        return "not measured"
    if met_by_default and not met:
        return "**missed** against the best optimizer, met against the for-loop"
    return "met" if met else "**missed**"


def target_rows(sections: Json) -> list[str]:
    """Every target with what was reached."""
    rows = []
    for target in targets.TARGETS:
        results = results_of(sections[target.task]) if target.task in sections else []
        reached = targets.ratio(results, target.rival, target.contestant)
        shown, plain = f"{number(reached)} ×", math.nan
        if target.rival in (targets.EAGER, targets.LOOP):
            plain = targets.ratio(results, f"{target.rival}, for-loop", target.contestant)
            shown += f" (for-loop: {number(plain)} ×)"
        want = f"{target.contestant}: at least {target.factor:g} × {target.rival}"
        judged = verdict(reached, reached >= target.factor, plain >= target.factor)
        rows.append(f"| {target.task} | {want} | {shown} | {judged} |")
    peak = sections.get("memory", {}).get("peaks", {}).get("dlcore, captured", math.nan)
    want = f"process that trains T2 on NumPy: peak under {targets.MEMORY:g} MB"
    rows.append(f"| memory | {want} | {number(peak)} MB | {verdict(peak, peak < targets.MEMORY)} |")
    networks = sections.get("accuracy", {}).get("networks", {})
    for name, least in targets.ACCURACY.items():
        mean = networks.get(name, {}).get("mean", math.nan)
        fine = mean >= least and networks.get(name, {}).get("within noise", False)
        want = f"{name}: at least {least:.1%} and within seed noise of torch"
        shown = "–" if math.isnan(mean) else f"{mean:.2%}, torch {networks[name]['torch mean']:.2%}"
        rows.append(f"| accuracy | {want} | {shown} | {verdict(mean, fine)} |")
    return rows


def memory_table(memory: Json) -> list[str]:
    """Peaks of the processes."""
    rows = [f"| {name} | {number(peak)} |" for name, peak in memory["peaks"].items()]
    return ["| training T2 on the digits | peak MB |", "|---|--:|", *rows]


def accuracy_table(accuracy: Json) -> list[str]:
    """Means over the seeds, and their difference beside its standard error."""
    lines = [
        "| network | dlcore | torch, same start | difference ± standard error | torch, own start | CPU s per seed |",
        "|---|--:|--:|--:|--:|--:|",
    ]
    for name, row in accuracy["networks"].items():
        difference = f"{row['difference'] * 100:+.2f} ± {row['standard error'] * 100:.2f} points"
        means = [f"{row[key]:.2%}" for key in ("mean", "torch mean", "own start mean")]
        seconds = f"{row['seconds']:.0f}, torch {row['torch seconds']:.0f}"
        lines.append(f"| {name} | {means[0]} | {means[1]} | {difference} | {means[2]} | {seconds} |")
    return lines


def markdown(sections: Json, device: str) -> str:
    """The whole page."""
    newest = max((part["stamp"] for part in sections.values()), key=lambda each: each["date"])
    clock = "CPU time (`time.process_time`)" if device == "cpu" else "wall clock (`time.perf_counter`)"
    versions = ", ".join(f"{name} {number}" for name, number in newest["versions"].items())
    lines = [
        f"# Results on {'the CPU, one thread' if device == 'cpu' else newest['machine']}",
        "",
        "Written by `python -m benchmarks`; [how to read it](../README.md). µs per step are medians over rounds, of",
        f"{clock}; × is how many times as fast, as a ratio of medians of one run.",
        "",
        f"Machine: {newest['machine']}; {newest['system']}.",
        f"Versions: {versions}.",
        "",
        f"![All tasks]({device}.svg)",
    ]
    if device == "cpu":
        head = ["| task | target | reached | |", "|---|---|---|---|"]
        lines += ["", "## Targets", "", *head, *target_rows(sections)]
    titles = {"memory": "Memory", "accuracy": "Accuracy on the digits, five seeds"}
    for name in (*tasks.ALL, "memory", "accuracy"):
        if name not in sections:
            continue
        part = sections[name]
        title = titles.get(name) or f"{name}: {tasks.make(name).title}"
        tables = {"memory": memory_table, "accuracy": accuracy_table}
        table = tables[name](part) if name in tables else task_table(name, results_of(part))
        lines += [
            "",
            f"## {title}",
            "",
            *table,
            "",
            f"{part['stamp']['date']}, commit {part['stamp']['commit']}.",
        ]
    return "\n".join(lines) + "\n"


# --------------------------------------------------------------------------------------------------- plot

INK, OURS, TORCH, OTHERS = "#7a7a7a", "#1f8fd6", "#e0702c", "#9a9a9a"  # each legible on white and on black


def plot(sections: Json, path: Path) -> None:
    """Bars of µs per step on a logarithmic axis, one panel for each task; no background, to suit dark pages."""
    import matplotlib as mpl

    mpl.use("svg")
    from matplotlib import pyplot as plt

    names = [name for name in tasks.ALL if name in sections]
    panels = [
        sorted((r for r in results_of(sections[n]) if r.seconds), key=lambda r: -r.median) for n in names
    ]
    style: dict[Any, Any] = dict.fromkeys(
        ("text.color", "axes.labelcolor", "xtick.color", "ytick.color", "axes.edgecolor"), INK
    )
    style |= {"svg.fonttype": "none", "svg.hashsalt": "dlcore", "font.size": "9"}
    with mpl.rc_context(style):
        heights = [len(panel) + 2 for panel in panels]
        figure, axes = plt.subplots(
            len(names),
            1,
            figsize=(8, 0.24 * sum(heights)),
            height_ratios=heights,
            layout="constrained",
            squeeze=False,
        )
        for name, panel, ax in zip(names, panels, axes[:, 0], strict=True):
            engines = [r.contestant.engine for r in panel]
            colours = [OURS if e == "dlcore" else TORCH if e.startswith("torch") else OTHERS for e in engines]
            bars = ax.barh([r.contestant.name for r in panel], [r.median * 1e6 for r in panel], color=colours)
            ax.bar_label(bars, [number(r.median * 1e6) for r in panel], padding=3)
            ax.set(xscale="log", title=f"{name}: {tasks.make(name).title}")
            ax.title.set_fontsize(10)
            ax.margins(x=0.1, y=0.02)
            ax.spines[["top", "right"]].set_visible(False)
        axes[-1, 0].set_xlabel("µs per training step or call, logarithmic (shorter is faster)")
        figure.savefig(path, transparent=True, metadata={"Date": None})
        plt.close(figure)


def write(sections: Json, folder: Path, device: str) -> None:
    """Write the three files."""
    folder.mkdir(exist_ok=True)
    (folder / f"{device}.json").write_text(json.dumps(sections, indent=1) + "\n")
    (folder / f"{device}.md").write_text(markdown(sections, device))
    if any(name in sections for name in tasks.ALL):
        plot(sections, folder / f"{device}.svg")
