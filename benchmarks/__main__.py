"""`python -m benchmarks`: time all tasks, write `benchmarks/results/`. See `README.md`."""

from __future__ import annotations

import argparse
import os
import sys

from benchmarks import contestants, harness, memory, report, tasks

FOLDER = report.ROOT / "benchmarks" / "results"


def arguments() -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--device", choices=("cpu", "cuda"), default="cpu")
    parser.add_argument("--tasks", default=",".join(tasks.ALL), help="which of them, such as T1,T4")
    parser.add_argument("--rounds", type=int, default=15)
    parser.add_argument("--quick", action="store_true", help="three rounds; prints, and writes no results")
    parser.add_argument("--core", type=int, help="the core to run on (default: the last one that is allowed)")
    parser.add_argument(
        "--accuracy", action="store_true", help="train to the end instead, five seeds: ten minutes"
    )
    chosen = parser.parse_args()
    chosen.tasks = [name for name in chosen.tasks.split(",") if name]
    if unknown := set(chosen.tasks) - set(tasks.ALL):
        parser.error(f"unknown tasks {', '.join(sorted(unknown))}; there are {', '.join(tasks.ALL)}")
    if chosen.quick:
        chosen.rounds = 3
    return chosen


def missing_card() -> str:
    """Why CUDA cannot be used; empty if it can."""
    try:
        import torch
    except ImportError:
        return "torch is not installed; pip install torch==2.13.0"
    if not torch.cuda.is_available():
        return f"torch {torch.__version__} finds no CUDA device; run this on a machine that has one"
    return ""


def last_core() -> int | None:
    """The last core that this process may run on; the first ones take most interrupts."""
    return max(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else None


def main() -> int:
    """Run what was asked for; 1 where nothing could be measured."""
    chosen = arguments()
    if chosen.device == "cuda" and (reason := missing_card()):
        print(f"benchmarks: no results for cuda: {reason}", file=sys.stderr)
        return 1
    os.environ.update(harness.ONE_THREAD)
    path = FOLDER / f"{chosen.device}.json"
    measured: report.Json = {}
    if chosen.accuracy:
        from benchmarks import accuracy

        seeds = 2 if chosen.quick else 5
        measured["accuracy"] = {"networks": accuracy.measure(seeds), "stamp": report.stamp(chosen.device)}
    else:
        core = chosen.core if chosen.core is not None else last_core()
        for name in chosen.tasks:
            print(f"\n{name}: {tasks.make(name).title}", flush=True)
            entered = contestants.of_task(name, chosen.device)
            results = harness.run_task(entered, name, device=chosen.device, rounds=chosen.rounds, core=core)
            measured[name] = report.section(results, chosen.device)
            print("\n".join(report.task_table(name, results)), flush=True)
        if chosen.device == "cpu":
            measured["memory"] = {"peaks": memory.peaks(), "stamp": report.stamp(chosen.device)}
            print("\n" + "\n".join(report.memory_table(measured["memory"])))
    sections = report.read(path) | measured  # what this run did not measure stays, with its own date
    if chosen.device == "cpu":
        print("\nTargets\n" + "\n".join(report.target_rows(sections)))
    if not chosen.quick:
        report.write(sections, FOLDER, chosen.device)
        print(f"\nWritten to {path.parent.relative_to(report.ROOT)}/{chosen.device}.md, .json and .svg")
    return 0


if __name__ == "__main__":
    sys.exit(main())
