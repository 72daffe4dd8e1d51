"""`python -m tests.killed FOLDER`: grade, killed at the first effect on the disk, then at the second, and so on.

Writes as JSON how often it was killed, and who was graded although what was found in his work was on disk already.
"""

import json
import os
import signal
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

from classroom.course import Course
from classroom.grade import grade
from classroom.kept import kept
from classroom.travel import to_task
from tests import fakes, tiny

EFFECTS = ("os.rename", "os.remove", "os.mkdir", "os.chmod", "shutil.rmtree", "shutil.copyfile")


def main(folder: Path) -> None:
    made = Course(folder / "course", folder / "assignments", folder / "hidden")
    twice = folder / "twice"

    def noting(task: bytes) -> bytes:
        student = to_task(task)[0].student
        if kept(made, student, tiny.CHAPTER):
            twice.write_text(student)
        return fakes.fake(task)

    kills = 0
    while True:
        child = os.fork()
        if not child:
            _killed_at(kills + 1)
            grade(made, tiny.CHAPTER, replace(tiny.HERE, work=noting), quiet=True)
            os._exit(0)
        _, status = os.waitpid(child, 0)
        if os.WIFEXITED(status):
            break
        kills += 1
    if os.WEXITSTATUS(status):
        sys.exit("the grading failed by itself")
    json.dump({"kills": kills, "twice": [twice.read_text()] if twice.exists() else []}, sys.stdout)


def _killed_at(number: int) -> None:
    """Kill this process at an effect on the disk, counted from 1."""
    seen = 0

    def hook(event: str, arguments: tuple[Any, ...]) -> None:
        nonlocal seen
        writes = (
            event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
        )
        if writes or event in EFFECTS:
            seen += 1
            if seen == number:
                os.kill(os.getpid(), signal.SIGKILL)

    sys.addaudithook(hook)


if __name__ == "__main__":
    main(Path(sys.argv[1]))
