"""What all processes of a sandbox hold together, since the limits of `prlimit` are for each alone."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from .sandbox import HOME, Limits

ALONE = 2  # processes of a sandbox in which none was started: Python and, for root, bwrap
FOLDERS = ("tmp", "dev/shm", str(HOME).lstrip("/"))


def too_much(pid: int, limits: Limits) -> str:
    """Return what the process and its descendants use too much of, to go on from "your code …"; else nothing."""
    family = descendants(pid)
    if sum(map(_memory, family)) > limits.memory:
        return f"used more than {limits.memory / 1e9:g} GB of memory"
    if max(map(_files, family), default=0) > limits.files_made:
        return f"made more than {limits.files_made:,} files"
    return ""


def waited(pid: int) -> float:
    """Return the seconds for which Python has waited for a core; none once it keeps the cores busy with processes."""
    family = descendants(pid)
    return max(map(_waited, family), default=0.0) if len(family) <= ALONE else 0.0


def descendants(pid: int) -> list[int]:
    """Return the processes that a process started, that those started, and so on."""
    return [each for child in children(pid) for each in (child, *descendants(child))]


def children(pid: int) -> list[int]:
    """Return the processes that a process started."""
    found: list[int] = []
    for task in Path(f"/proc/{pid}/task").glob("*/children"):
        with contextlib.suppress(OSError):  # it ended meanwhile
            found += map(int, task.read_text().split())
    return found


def _memory(pid: int) -> int:
    """The bytes that a process holds and shares with no file."""
    try:
        _, resident, shared, *_ = map(int, Path(f"/proc/{pid}/statm").read_text().split())
    except (OSError, ValueError):
        return 0
    return (resident - shared) * os.sysconf("SC_PAGE_SIZE")


def _waited(pid: int) -> float:
    try:
        return int(Path(f"/proc/{pid}/schedstat").read_text().split()[1]) / 1e9
    except (OSError, IndexError):  # it ended meanwhile, or this kernel keeps no account
        return 0.0


def _files(pid: int) -> int:
    """The files in the sandbox's folders, however small, as one of its processes sees them."""
    files = 0
    for folder in FOLDERS:
        try:
            there = os.statvfs(f"/proc/{pid}/root/{folder}")
        except OSError:  # not every process lets us look
            continue
        files += there.f_files - there.f_ffree
    return files
