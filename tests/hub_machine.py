"""A machine for a class, made of this one and gone with its process: own users, /home, /etc and /srv; nothing stays.

Run as root in namespaces of its own (`COMMAND` below): it covers what the class writes to with empty folders, makes
real Unix users in a copy of /etc, and starts JupyterHub with the files of deploy/, as README.md there says. On
standard input come the users with their passwords and the options of jupyterhub; a test of mistakes adds folders left
readable, shell commands to run first, a command to start the hub through, and variables.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

REPO = Path(__file__).resolve().parents[1]
# What the teacher's clone has; its dlcore is the environment's.
CLONE = ("Makefile", "assignments", "classroom", "nbgrader_config.py", "pyproject.toml", "requirements.txt")
COVERED = ("/home", "/srv", "/tmp", "/var/log", "/var/mail", "/var/tmp")
STAGE = Path("/mnt")
COMMAND = [
    *("unshare", "--mount", "--pid", "--fork", "--kill-child", "--mount-proc", "--propagation", "private"),
    *(sys.executable, str(Path(__file__).resolve())),
]


def run(*command: str | Path, **options: Any) -> None:
    subprocess.run([str(part) for part in command], check=True, **options)


def shared() -> list[Path]:
    """Return what students must be able to read: Python, its packages, dlcore, deploy/, and Node.js."""
    node = Path(shutil.which("node") or "/usr/bin/node").resolve()
    paths = [Path(sys.base_prefix), Path(sys.prefix), REPO / "dlcore", REPO / "deploy", node.parents[1]]
    return [path for path in dict.fromkeys(paths) if not path.is_relative_to("/usr")]


def closed(path: Path) -> list[Path]:
    """Return the topmost folder above `path` that others may not pass, if there is one."""
    return [one for one in reversed(path.parents) if not one.stat().st_mode & 0o001][:1]


def cover(folder: Path | str, *, mode: str = "755") -> None:
    run("mount", "-t", "tmpfs", "-o", f"mode={mode}", "class", folder)


def furnish(readable: list[Path]) -> None:
    """Cover what is the machine's own, and lay `readable` and the teacher's clone where they belong."""
    cover(STAGE)
    for number, path in enumerate(readable):
        (STAGE / str(number)).mkdir()
        run("mount", "--bind", path, STAGE / str(number))
    (STAGE / "clone").mkdir()
    for name in CLONE:
        run("cp", "-a", REPO / name, STAGE / "clone")
    run("cp", "-a", "/etc", STAGE / "etc")
    run("mount", "--bind", STAGE / "etc", "/etc")
    covered = [*map(Path, COVERED), REPO, *(one for path in readable for one in closed(path))]
    for folder in sorted(set(covered)):
        folder.mkdir(parents=True, exist_ok=True)
        cover(folder, mode="1777" if folder.name == "tmp" else "755")
    for number, path in enumerate(readable):
        path.mkdir(parents=True, exist_ok=True)
        run("mount", "--bind", STAGE / str(number), path)


def enrol(users: dict[str, str]) -> None:
    """Make Unix users with these passwords; nobody else may look into their folders."""
    run("groupadd", "students")
    for name in users:
        run(
            "useradd",
            "-m",
            "-G",
            "students",
            "-s",
            "/bin/bash",
            "-K",
            "HOME_MODE=0700",
            "-K",
            "UID_MIN=47001",
            name,
        )
    run("chpasswd", input="".join(f"{name}:{password}\n" for name, password in users.items()).encode())


def open_course(teacher: str) -> None:
    """The exchange and the teacher's clone, as deploy/README.md says."""
    exchange, home = Path("/srv/nbgrader/exchange"), Path("/home", teacher)
    run("install", "-d", "-m", "1777", exchange)
    run("install", "-d", "-o", teacher, "-g", teacher, "-m", "755", exchange / "deep-learning-live")
    run("install", "-d", "-o", teacher, "-g", teacher, "-m", "3733", exchange / "deep-learning-live/inbound")
    run("install", "-D", "-m", "644", REPO / "deploy/nbgrader_config.py", "/etc/jupyter/nbgrader_config.py")
    run("cp", "-r", STAGE / "clone", home / "class")
    (home / "class/course").mkdir()
    (home / "class/course/nbgrader_config.py").symlink_to("/etc/jupyter/nbgrader_config.py")
    (home / ".jupyter").mkdir(exist_ok=True)
    (home / ".jupyter/nbgrader_config.py").write_text(f"load_subconfig('{home}/class/nbgrader_config.py')\n")
    run("chown", "-R", f"{teacher}:{teacher}", home)


def main() -> None:
    asked = json.load(sys.stdin)
    os.umask(0o022)
    furnish([*shared(), *(REPO / name for name in asked.get("careless", ()))])
    enrol(asked["users"])
    open_course("teacher")
    for command in asked.get("first", ()):
        run("bash", "-c", command)
    config = str(REPO / "deploy/jupyterhub_config.py")
    hub = [f"{sys.prefix}/bin/jupyterhub", "-f", config, *asked["options"]]
    if asked.get("config_alone"):  # says what is missing as the hub does, and sooner
        hub = [sys.executable, config]
    hub[:0] = asked.get("through", ())
    environment = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"} | asked.get("environment", {})
    sys.exit(subprocess.run(hub, cwd="/", env=environment, stdin=subprocess.DEVNULL, check=False).returncode)


if __name__ == "__main__":
    main()
