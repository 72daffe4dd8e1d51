"""The first phase between bytes: what goes to another process or machine, and what comes back. JSON both ways."""

from __future__ import annotations

import json
from base64 import b64decode, b64encode
from dataclasses import asdict

from classroom.grading import Assignment, Graded, Submission, graded
from classroom.referee import Light


def examined(task: bytes) -> bytes:
    """Grade a submission that came as bytes and return what was found as bytes; this is what a worker runs."""
    return from_graded(graded(*to_task(task)))


def from_task(submission: Submission, assignment: Assignment) -> bytes:
    """Return a submission, with what it is held against, as JSON."""
    files = {name: b64encode(content).decode() for name, content in submission.files.items()}
    plain = {"student": submission.student, "chapter": submission.chapter, "files": files}
    return json.dumps({"submission": plain, "assignment": asdict(assignment)}).encode()


def to_task(data: bytes) -> tuple[Submission, Assignment]:
    """Return what `from_task` was given."""
    plain = json.loads(data)
    one = plain["submission"]
    files = {name: b64decode(content) for name, content in one["files"].items()}
    return Submission(one["student"], one["chapter"], files), Assignment(**plain["assignment"])


def from_graded(found: Graded) -> bytes:
    """Return what was found as JSON."""
    return json.dumps(asdict(found)).encode()


def to_graded(data: bytes) -> Graded:
    """Return what was found from its JSON; ValueError where the bytes are something else."""
    try:
        plain = json.loads(data)
        lights = {task: [Light(**light) for light in each] for task, each in plain.pop("lights").items()}
        return Graded(lights=lights, **plain)
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(
            f"expected the JSON of a graded submission; received something else ({error})"
        ) from None
