"""Hidden checks, a file for each chapter. They decide the marks and never leave the grader."""
