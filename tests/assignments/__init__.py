"""Typical wrong answers, and other right ones, for the tasks of each chapter's assignment."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Wrong:
    """An answer born of a misconception: `code` replaces the solution, a light says what the pattern `says` finds."""

    task: str
    misconception: str
    code: str
    says: str


@dataclass(frozen=True)
class Right:
    """Another correct answer: `how` it differs from the reference, and the `code` that replaces the solution."""

    task: str
    how: str
    code: str
