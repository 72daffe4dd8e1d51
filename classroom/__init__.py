"""Assignments that grade themselves: the sandbox, the referee, and thin recipes over nbgrader."""
