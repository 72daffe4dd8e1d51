"""One connection and one transaction for all that is written about a submission.

Each of nbgrader's steps opens the gradebook anew and commits after every cell, some forty times for a submission, and
each commit waits for the disk. Here the steps get a gradebook that stays open, and what they commit is committed at
the end, so that the gradebook never holds half a submission either.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from nbgrader.api import Gradebook
from nbgrader.converters import autograde
from nbgrader.preprocessors import latesubmissions, overwritecells, overwritekernelspec, saveautogrades
from sqlalchemy.exc import SAWarning
from sqlalchemy.orm import Session, scoped_session, sessionmaker

STEPS = (autograde, latesubmissions, overwritecells, overwritekernelspec, saveautogrades)


class Held(Session):
    """A session whose commits wait for `save`."""

    def commit(self) -> None:
        """Send what changed to the database, and read anew what may have: the sums of marks are computed there."""
        self.flush()
        self.expire_all()

    def save(self) -> None:
        """Commit."""
        super().commit()


class SharedGradebook(Gradebook):  # type: ignore[misc]
    """nbgrader's gradebook that steps may open and close as they like."""

    db: Any

    def __init__(self, url: str, course: str) -> None:
        super().__init__(url, course)
        self.db.remove()
        self.db = scoped_session(sessionmaker(class_=Held, autoflush=True, bind=self.engine))

    def close(self) -> None:
        """Leave it open."""
        self.db.commit()

    @contextmanager
    def submission(self) -> Iterator[None]:
        """Hold everything that nbgrader's steps write within: all of it is saved at the end, none after an error."""
        before = [step.Gradebook for step in STEPS]
        try:
            for step in STEPS:
                step.Gradebook = self._again
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", SAWarning)  # nbgrader reads a submission before it adds it
                yield
            self.db().save()
        except BaseException:
            self.db.rollback()
            raise
        finally:
            for step, theirs in zip(STEPS, before, strict=True):
                step.Gradebook = theirs

    def end(self) -> None:
        """Close the connection."""
        super().close()

    def _again(self, *_: Any) -> SharedGradebook:
        return self
