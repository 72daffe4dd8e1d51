"""What teachers and students of the class share; belongs into /etc/jupyter/nbgrader_config.py."""

c = get_config()  # noqa: F821

c.CourseDirectory.course_id = "deep-learning-live"
c.Exchange.root = "/srv/nbgrader/exchange"
