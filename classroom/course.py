"""Where a course lies: one folder with nbgrader's steps, its gradebook and its log, beside the assignments."""

from __future__ import annotations

import fcntl
import logging
import os
import shutil
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from nbgrader.api import Gradebook
from nbgrader.apps.baseapp import NbGrader
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from nbgrader.exchange import ExchangeFactory
from traitlets.config import Application

from classroom.misused import Misused

ROOT = Path(__file__).resolve().parent.parent
LOG = "nbgrader.log"


@dataclass(frozen=True)
class Course:
    """A course: `folder` has release/, submitted/, graded/, autograded/, feedback/ and gradebook.db."""

    folder: Path
    assignments: Path = ROOT / "assignments"
    hidden: Path = ROOT / "classroom" / "hidden"

    def chapters(self) -> list[str]:
        """Return the names of the assignments that there are."""
        return sorted(
            found.stem for found in self.assignments.glob("*/*.ipynb") if found.stem == found.parent.name
        )

    def known(self, chapter: str) -> str:
        """Return the chapter's name if it has an assignment; Misused otherwise, with the names that have one."""
        if chapter not in self.chapters():
            there = ", ".join(self.chapters()) or f"none in {self.assignments}"
            asked = f"no assignment is called {chapter!r}" if chapter else "no assignment was named"
            raise Misused(f"{asked}; say CHAPTER= and one of these: {there}")
        return chapter

    def source(self, chapter: str) -> Path:
        """Return where the assignment's source notebook lies, with its solutions."""
        return self.assignments / chapter / f"{chapter}.ipynb"

    def release(self, chapter: str) -> Path:
        """Return where the released notebook lies."""
        return self.folder / "release" / chapter / f"{chapter}.ipynb"

    def released(self, chapter: str) -> Path:
        """Return where the released notebook lies; Misused where nothing was released yet."""
        if not self.release(self.known(chapter)).is_file():
            raise Misused(f"{chapter} was not released yet; run: make release CHAPTER={chapter}")
        return self.release(chapter)

    def step(self, name: str, student: str, chapter: str) -> Path:
        """Return a student's folder in one of nbgrader's steps, such as submitted or feedback."""
        return self.folder / name / student / chapter

    def app(self) -> NbGrader:
        """Return nbgrader, set up for this course; it writes to the course's log rather than to the screen."""
        self._made()
        _find_alembic()
        app = NbGrader(log=_log(self.folder / LOG))
        for folder in (ROOT, self.folder):
            Application.load_config_file(app, "nbgrader_config", path=[str(folder)])
        app.coursedir = self.directory(app)
        app.authenticator = Authenticator(parent=app)
        app.exchange = ExchangeFactory(parent=app)
        return app

    def directory(self, app: NbGrader) -> CourseDirectory:
        """Return nbgrader's view of this course."""
        directory = CourseDirectory(parent=app, root=str(self.folder.resolve()))
        directory.source_directory = os.path.relpath(self.assignments.resolve(), self.folder.resolve())
        return directory

    def gradebook(self) -> Gradebook:
        """Return the course's gradebook, to be used in a with statement."""
        app = self.app()
        return Gradebook(app.coursedir.db_url, app.coursedir.course_id)

    def _made(self) -> None:
        """A new course is for its teacher's eyes alone: other users of the machine are students, perhaps."""
        self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)

    @contextmanager
    def alone(self) -> Iterator[None]:
        """Hold the course for one writer; Misused where another one is at work. A killed writer holds nothing."""
        self._made()
        with (self.folder / ".writer").open("w") as held:
            try:
                fcntl.flock(held, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                raise Misused(f"another make is writing to {self.folder}; wait until it has ended") from None
            yield


class Kept(logging.Handler):
    """What nbgrader reported as an error since this was made."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.errors: list[str] = []

    def emit(self, record: logging.LogRecord) -> None:
        """Keep a message."""
        self.errors.append(record.getMessage())


@contextmanager
def errors_of(app: NbGrader) -> Iterator[list[str]]:
    """Yield a list that receives what nbgrader reports as errors."""
    kept = Kept()
    app.log.addHandler(kept)
    try:
        yield kept.errors
    finally:
        app.log.removeHandler(kept)


def reason(errors: list[str]) -> str:
    """Return why nbgrader failed: the last line of the first traceback it logged, else its first error."""
    traceback = next((error for error in errors if error.startswith("Traceback")), "".join(errors[:1]))
    return (traceback.strip().splitlines() or [f"see {LOG}"])[-1]


def _find_alembic() -> None:
    """A new gradebook asks `alembic` for its version; it lies beside this Python, which need not be on the path."""
    if not shutil.which("alembic"):
        os.environ["PATH"] = f"{Path(sys.executable).parent}{os.pathsep}{os.environ.get('PATH', '')}"


def _log(path: Path) -> logging.Logger:
    log = logging.getLogger(f"classroom.nbgrader.{path.resolve()}")
    log.propagate = False
    log.setLevel(logging.WARNING)
    if not log.handlers:
        handler = logging.FileHandler(path, delay=True)
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
        log.addHandler(handler)
    return log
