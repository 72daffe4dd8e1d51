"""What students handed in, read from submitted/<student>/<chapter>/ without trusting any of it."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from classroom.course import Course
from classroom.grading import Submission

LARGEST = 20_000_000  # bytes of all files of one submission
MOST_FILES = 200
NBGRADERS = ("timestamp.txt", "submission_secret.txt")  # put there by the exchange
SKIPPED = (".ipynb_checkpoints", "__pycache__", "feedback")


def students(course: Course, chapter: str) -> tuple[list[str], list[str]]:
    """Return who handed in something for a chapter, and a line for each folder that cannot be a student's."""
    there, strange = [], []
    folder = course.folder / "submitted"
    for one in sorted(folder.iterdir()) if folder.is_dir() else []:
        if one.name.startswith(".") or not one.is_dir():
            continue
        try:
            if not one.name.isprintable():  # which a name that is no UTF-8 is not, either
                strange.append(
                    f"submitted/{one.name!a} was left out: rename the folder to printable characters"
                )
            elif one.is_symlink() or (one / chapter).is_symlink():
                strange.append(
                    f"submitted/{one.name} was left out: it is a link; put the folder itself there"
                )
            elif (one / chapter).is_dir():
                there.append(one.name)
        except OSError as error:  # an archive may bring a folder that its owner cannot open
            strange.append(f"submitted/{one.name} was left out: {error.strerror}")
    return there, strange


def submission(course: Course, student: str, chapter: str) -> tuple[Submission, list[str]]:
    """Return a student's files, and a remark for each one that was left out: links, devices, too large, too many."""
    files: dict[str, bytes] = {}
    remarks: list[str] = []
    room = LARGEST
    folder = course.step("submitted", student, chapter)
    for seen, path in enumerate(_files(folder)):
        name = path.relative_to(folder).as_posix()
        if seen == MOST_FILES:
            remarks.append(f"only the first {MOST_FILES} files were read")
            break
        try:
            files[name] = _read(path, room)
            room -= len(files[name])
        except OSError as error:
            remarks.append(f"the file {name!a} was left out: {error.strerror or error}")
    return Submission(student, chapter, files), remarks


def _files(folder: Path) -> Iterator[Path]:
    for at, folders, names in os.walk(folder):
        folders[:] = sorted(set(folders) - set(SKIPPED))
        yield from (Path(at) / name for name in sorted(names) if name not in NBGRADERS)
        yield from (Path(at) / name for name in folders if (Path(at) / name).is_symlink())


def _read(path: Path, room: int) -> bytes:
    """Return what a file holds; OSError with the reason where it is not to be read."""
    found = path.lstat()
    if stat.S_ISLNK(found.st_mode):
        raise OSError("it is a link, which could point at anything")
    if not stat.S_ISREG(found.st_mode):
        raise OSError("it is no plain file")
    if not path.name.isprintable():
        raise OSError("its name has characters that cannot be printed")
    if found.st_size > room:
        raise OSError(f"all files together may have {LARGEST:,} bytes")
    return path.read_bytes()
