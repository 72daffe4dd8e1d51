"""nbgrader's settings. Sources lie in assignments/, all the rest in course/ or wherever the variable COURSE points.

They hold for `make release`, `grade`, `feedback` and `marks`, and for nbgrader's own pages (the formgrader) alike.
A course with settings of its own, such as what late work costs, has them in a nbgrader_config.py in its folder.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent
COURSE = Path(os.environ.get("COURSE") or ROOT / "course").resolve()
sys.path.insert(0, str(ROOT))  # nbgrader is to find the package classroom

c = get_config()  # type: ignore[name-defined]  # noqa: F821 - nbgrader runs this file with it

c.CourseDirectory.root = str(COURSE)
c.CourseDirectory.source_directory = os.path.relpath(ROOT / "assignments", COURSE)
c.CourseDirectory.course_id = "deep-learning-live"

# nbgrader's own steps, but for the stub: ours says what the function is to return.
c.GenerateAssignment.preprocessors = [
    "nbgrader.preprocessors.LockCells",
    "classroom.release.Stubs",
    "nbgrader.preprocessors.ClearOutput",
    "nbgrader.preprocessors.CheckCellMetadata",
    "nbgrader.preprocessors.ComputeChecksums",
    "nbgrader.preprocessors.SaveCells",
    "nbgrader.preprocessors.CheckCellMetadata",
]

# `nbgrader autograde`, a button of the formgrader, would run what students wrote with the teacher's rights.
c.Autograde.sanitize_preprocessors = ["classroom.gradebook.Refuse"]

# Feedback never shows a path of this machine, and says which answers still wait for a mark.
c.GenerateFeedback.preprocessors = [
    "nbgrader.preprocessors.GetGrades",
    "classroom.feedback.Waiting",
    "nbconvert.preprocessors.CSSHTMLHeaderPreprocessor",
]

# From the exchange, nbgrader would follow links with the teacher's rights and believe whose name a folder bears.
c.ExchangeFactory.collect = "classroom.collect.Collect"
