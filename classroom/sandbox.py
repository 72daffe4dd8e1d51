"""Where a student's code runs: it sees Python and its own folder, and can spend only so much.

bubblewrap (https://github.com/containers/bubblewrap) makes a view of the file system from what is named here and
nothing else, with processes of its own, no network and an empty environment; `prlimit` bounds what each process uses.
Nothing of this machine is writable: the student's folder and /tmp are small, lie in memory and end with the sandbox.
"""

from __future__ import annotations

import functools
import itertools
import os
import platform
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import dlcore

# A user of its own for each sandbox when we are root, since the kernel counts processes by user. These numbers belong
# to no account: systemd gives them to services that ask for a passing user.
USERS = range(61184, 65520)
SYSTEM = ("/usr", "/bin", "/lib", "/lib64", "/etc/ld.so.cache", "/etc/fonts", "/etc/localtime")
OURS = Path(__file__).resolve().parent  # the classroom, of which only these files may be seen
EXCHANGE = Path("/usr/local/share/nbgrader")  # nbgrader's default: others' work, which our own user may read
DESK_FILES = ("__init__.py", "desk.py", "inside.py", "wire.py")
DESK, HANDED_IN, HOME = Path("/desk"), Path("/handed-in"), Path("/student")

_turn = itertools.cycle(range(8))


class NoSandbox(RuntimeError):
    """The sandbox cannot be made here: a fault of this machine, not of the student's."""


@dataclass(frozen=True)
class Limits:
    """What a student's code may use: bytes of memory, of one file and of its folder, numbers of the rest."""

    memory: int = 2_000_000_000
    file_size: int = 20_000_000
    folder: int = 50_000_000
    processes: int = 32  # threads count, too
    files: int = 256  # open at once
    files_made: int = 100_000
    cpu_seconds: int = 300


LIMITS = Limits()


@functools.cache
def missing() -> str | None:
    """Return what this machine lacks to make a sandbox and how to get it, in a sentence, or None."""
    if sys.platform != "linux":
        return f"the sandbox needs Linux, and this is {sys.platform}: grade in a Linux machine, virtual ones included"
    lacking = [tool for tool in ("bwrap", "prlimit", "setpriv") if not shutil.which(tool)]
    if lacking:
        names = ", ".join(lacking)
        return (
            f"{names} not found: install bubblewrap and util-linux (Debian, Ubuntu: apt install bubblewrap)"
        )
    tried = subprocess.run(command(["true"], uid=user()), check=False, capture_output=True, text=True)
    return None if tried.returncode == 0 else advice(tried.stderr)


def advice(said: str) -> str:
    """Return what to do when bubblewrap made no sandbox, from what it said."""
    last = (said.strip().splitlines() or ["without a word"])[-1]
    if re.search(r"namespace|uid map|Creating new", last):
        then = (
            "allow user namespaces (Ubuntu: sysctl -w kernel.apparmor_restrict_unprivileged_userns=0; "
            "Debian: sysctl -w kernel.unprivileged_userns_clone=1), or grade as root"
        )
    elif re.search(r"mount|pivot|Operation not permitted", last):
        then = "a container keeps it from mounting: start that with --privileged, or grade outside it"
    else:
        then = "see bubblewrap's manual"
    return f"bubblewrap made no sandbox ({last}): {then}"


def user() -> int:
    """Return the number of the user that the next sandbox runs as: a passing one for root, else our own.

    Processes that grade side by side have eight each, and so has one process that holds several sandboxes.
    """
    return USERS[(8 * os.getpid() + next(_turn)) % len(USERS)] if os.geteuid() == 0 else os.geteuid()


def command(
    argv: Sequence[str],
    *,
    uid: int,
    files: Path | None = None,
    seccomp: int | None = None,
    limits: Limits = LIMITS,
) -> list[str]:
    """Return the command line that runs `argv` in a sandbox as the user `uid`.

    Args:
        argv: the program and its arguments.
        uid: as whom; other than our own only for root.
        files: a folder to be seen, read-only, at HANDED_IN.
        seccomp: the number of an open file that holds a filter, see syscalls.py.
        limits: what it may use.

    Raises:
        NoSandbox: the view of Python would show the classroom.
    """
    return [
        *(
            "bwrap",
            "--unshare-pid",
            "--unshare-net",
            "--unshare-ipc",
            "--unshare-uts",
            "--unshare-cgroup-try",
        ),
        *_first_process(),
        *("--die-with-parent", "--new-session", "--clearenv"),
        *_environment(),
        *("--proc", "/proc", "--dev", "/dev"),
        *(part for at in ("/tmp", "/dev/shm", str(HOME)) for part in _small(at, limits.folder)),
        *_view(),  # over the small folders: Python may lie below /tmp
        *_covered(),
        *(("--ro-bind", str(files), str(HANDED_IN)) if files else ()),
        *("--remount-ro", "/dev", "--remount-ro", "/", "--chdir", str(HOME)),
        *(("--seccomp", str(seccomp)) if seccomp is not None else ()),
        *_bounded(limits, uid),
        *argv,
    ]


def _first_process() -> Sequence[str]:
    """Return what makes bwrap the first process within for root, and the student's Python otherwise.

    Where we are not root, bwrap would belong to the same user as the student's code, which could write to its memory
    and so be rid of the limits. For root it is safe, and sees to it that all ends when we do.
    """
    return () if os.geteuid() == 0 else ("--unshare-user", "--as-pid-1")


def _environment() -> Iterator[str]:
    values = {
        "PATH": f"{Path(sys.executable).parent}:/usr/bin:/bin",
        "HOME": str(HOME),
        "IPYTHONDIR": "/tmp/ipython",
        "MPLCONFIGDIR": "/tmp/matplotlib",
        "MPLBACKEND": "module://matplotlib_inline.backend_inline",
        "LANG": "C.UTF-8",
        "OMP_NUM_THREADS": "1",
        "OPENBLAS_NUM_THREADS": "1",
    }
    for name, value in values.items():
        yield from ("--setenv", name, value)


def _small(at: str, size: int) -> Iterator[str]:
    """A folder in memory, of a size; the user's own even where that is not root's or ours."""
    yield from ("--size", str(size), "--perms", "1777", "--tmpfs", at)


def python() -> list[Path]:
    """Return where Python and its packages lie, beside the system's own."""
    found = [Path(sys.base_prefix), Path(sys.prefix)]
    found += [path.resolve() for path in found]
    return [path for path in dict.fromkeys(found) if not path.is_relative_to("/usr")]


def _view() -> Iterator[str]:
    """Yield the mounts: the system and Python where they lie outside, then on the desk what of ours may be seen."""
    made = {Path("/tmp"), Path("/dev"), Path("/proc")}
    for path in filter(Path.exists, (*map(Path, SYSTEM), *python())):
        if OURS.is_relative_to(path):
            raise NoSandbox(
                f"students' code must see {path}, and the classroom lies within it: move the classroom"
            )
        yield from _folders(path, made)
        if path.is_symlink() and str(path) in SYSTEM:
            yield from ("--symlink", str(path.readlink()), str(path))
        else:
            yield from ("--ro-bind", str(path), str(path))
    shown = {DESK / "classroom" / name: OURS / name for name in DESK_FILES}
    shown[DESK / "dlcore"] = Path(dlcore.__file__).resolve().parent  # of a working copy only this
    for inside, outside in shown.items():
        yield from _folders(inside, made)
        yield from ("--ro-bind", str(outside), str(inside))


def _covered() -> Iterator[str]:
    """Yield what hides parts of that view: others' work, and a device whose mappings no limit counts as memory."""
    yield from ("--ro-bind", "/dev/null", "/dev/zero")
    if EXCHANGE.is_dir():
        yield from ("--tmpfs", str(EXCHANGE))


def _folders(path: Path, made: set[Path]) -> Iterator[str]:
    """Make the folders above a mount: bubblewrap would make them for root alone."""
    for parent in reversed(path.parents[:-1]):
        if parent not in made:
            made.add(parent)
            yield from ("--perms", "0755", "--dir", str(parent))
    made.add(path)


def _bounded(limits: Limits, uid: int) -> Iterator[str]:
    """Yield what lowers rights and sets limits; root becomes the passing user, whose processes are counted."""
    if os.geteuid() == 0:
        yield from ("setpriv", f"--reuid={uid}", f"--regid={uid}", "--clear-groups", "--no-new-privs")
        yield from ("--inh-caps=-all", "--bounding-set=-all")
    yield from ("prlimit", f"--as={limits.memory}", f"--fsize={limits.file_size}")
    yield from (f"--nproc={limits.processes + _others()}", f"--nofile={limits.files}")
    yield from (f"--cpu={limits.cpu_seconds}", "--core=0", "--")


def _others() -> int:
    """Return how many processes of our own user count in the sandbox, too: before Linux 5.14 all, since then none."""
    version = tuple(int(part) for part in re.findall(r"\d+", platform.release())[:2])
    if os.geteuid() == 0 or version >= (5, 14):
        return 0
    return sum(1 for task in Path("/proc").glob("[0-9]*/task/*") if _is_ours(task))


def _is_ours(task: Path) -> bool:
    try:
        return task.stat().st_uid == os.geteuid()
    except OSError:  # it ended meanwhile
        return False
