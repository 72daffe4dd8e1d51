"""Gradings of the tiny assignment without a sandbox. It imports little, since every process that grades imports it."""

import json
import os
import signal
import tempfile
import time
from dataclasses import replace
from pathlib import Path

from classroom.grading import Graded, digest
from classroom.referee import Light
from classroom.travel import from_graded, to_graded, to_task

CHAPTER = "tiny"
SOLUTIONS = {
    "double": "twice = 2 * x  # the doubled number\n    return twice",
    "halve": "return x * 0.5  # the half of it",
}
SAYS = {"double": ["five is doubled", "a negative number is doubled"], "halve": ["seven is halved"]}


def fake(task: bytes) -> bytes:
    """Grade: a light is on where the solution is the reference."""
    submission, assignment = to_task(task)
    text = next(iter(submission.files.values()), b"").decode()
    lights = {}
    for name, each in SAYS.items():
        solved = json.dumps(SOLUTIONS[name]).split("\\n")[0][1:] in text
        lights[name] = [Light(one, "" if solved else f"{name} is wrong") for one in each]
    remarks = [] if text else ["no notebook was handed in"]
    shown = text or assignment.release
    found = digest(submission, assignment)
    return from_graded(Graded(submission.student, CHAPTER, found, shown, lights, remarks))


def killing(task: bytes) -> bytes:
    """Grade as `fake` does, but end the process for the student called killer."""
    if b'"student": "killer"' in task:
        os.kill(os.getpid(), signal.SIGKILL)
    return fake(task)


def at_a_worker(task: bytes) -> bytes:
    """Grade as `fake` does; a remark says in which process."""
    assert type(task) is bytes
    found = to_graded(fake(task))
    return from_graded(replace(found, remarks=[f"process {os.getpid()}"]))


def waiting(task: bytes) -> bytes:
    """Write where this process leaves files, and its number, to a file in the folder that the task names, and wait."""
    left = Path(tempfile.mkdtemp(), "handed-in.ipynb")
    left.write_text("a student's work")
    (Path(task.decode()) / "worker").write_text(f"{left}\n{os.getpid()}")
    time.sleep(600)
    return task
