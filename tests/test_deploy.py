"""A class in JupyterHub: the real hub, its real proxy, and three people with passwords, on a machine made for it."""

from __future__ import annotations

import csv
import io
import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
import requests

from tests import hub_machine
from tests.hub_client import Visitor

DEPLOY = Path(__file__).resolve().parents[1] / "deploy"
USERS = {"teacher": "correct-horse", "student-a": "battery-staple", "student-b": "drowning-cat"}
CHAPTER = "neurons"
VENV = Path(sys.prefix)
CLASS = "/home/teacher/class"
EXCHANGE = "/srv/nbgrader/exchange/deep-learning-live"


def _lacking() -> str | None:
    if os.geteuid() != 0:
        return "only root can make the users of a class; as root: pytest tests/test_deploy.py"
    tools = [
        tool
        for tool in ("unshare", "mount", "useradd", "chpasswd", "node", "bwrap")
        if not shutil.which(tool)
    ]
    if tools:
        return f"not installed: {', '.join(tools)}"
    if not (DEPLOY / "proxy/node_modules/.bin/configurable-http-proxy").exists():
        return "the proxy is not installed: npm ci --prefix deploy/proxy"
    mount = [*hub_machine.COMMAND[:-2], "mount", "-t", "tmpfs", "none", "/mnt"]
    tried = subprocess.run(mount, capture_output=True, check=False)
    return f"this machine lets nobody mount: {tried.stderr.decode().strip()}" if tried.returncode else None


LACKING = _lacking()
pytestmark = pytest.mark.skipif(LACKING is not None, reason=str(LACKING))


@contextmanager
def machine(**asked: Any) -> Iterator[tuple[subprocess.Popen[str], Path]]:
    """Start a machine for a class, and yield it and its log; afterwards it is gone with all that ran on it."""
    with tempfile.NamedTemporaryFile("w+", prefix="hub-", suffix=".log") as log:
        started = subprocess.Popen(
            hub_machine.COMMAND, stdin=subprocess.PIPE, stdout=log, stderr=log, text=True
        )
        assert started.stdin is not None
        try:
            json.dump({"users": USERS, "options": [], **asked}, started.stdin)
            started.stdin.close()
            yield started, Path(log.name)
        finally:
            started.kill()
            started.wait()


@contextmanager
def hub() -> Iterator[str]:
    """Start the hub and yield its address; when something fails, show the end of its log."""
    url, inner, api = (f"http://127.0.0.1:{port}" for port in free_ports(3))
    ports = [f"--JupyterHub.hub_port={inner.rpartition(':')[2]}", f"--ConfigurableHTTPProxy.api_url={api}"]
    with machine(options=[f"--JupyterHub.bind_url={url}", *ports]) as (started, log):
        try:
            answers(url, started)
            yield url
        except BaseException as error:
            error.add_note(log.read_text()[-8000:])
            raise


def answers(url: str, started: subprocess.Popen[str], seconds: float = 120) -> None:
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        assert started.poll() is None, f"the hub ended with status {started.returncode}"
        try:
            if requests.get(f"{url}/hub/api", timeout=5).ok:
                return
        except requests.ConnectionError:
            time.sleep(0.2)
    raise AssertionError(f"the hub did not answer at {url}")


def free_ports(count: int) -> list[int]:
    held = [socket.create_server(("127.0.0.1", 0)) for _ in range(count)]
    ports = [one.getsockname()[1] for one in held]
    for one in held:
        one.close()
    return ports


@dataclass
class Lesson:
    """What came of an assignment that went round: who took part, what each got back, and the marks."""

    people: dict[str, Visitor]
    released: list[str] = field(default_factory=list)
    feedback: dict[str, str] = field(default_factory=dict)
    marks: dict[str, float] = field(default_factory=dict)
    said: str = ""  # while collecting

    def teacher(self, command: str) -> str:
        """Run a shell command in the teacher's clone, from a cell in the teacher's own server; it must succeed."""
        cell = f"r = subprocess.run({command!r}, shell=True, cwd={CLASS!r}, capture_output=True, text=True)"
        said = self.people["teacher"].run(
            f"import subprocess; {cell}; print(r.stdout + r.stderr, r.returncode)"
        )
        assert said.split()[-1] == "0", f"{command}\n{said}"
        return said

    def make(self, target: str) -> str:
        """Run a target of the Makefile there, in the environment that runs this test."""
        return self.teacher(f"make -o {VENV}/.classroom VENV={VENV} {target}")

    def nbgrader(self, command: str) -> str:
        return self.teacher(f"{VENV}/bin/nbgrader {command}")


@pytest.fixture(scope="module")
def lesson() -> Iterator[Lesson]:
    with hub() as url, ExitStack() as leaving:
        lesson = Lesson({name: Visitor(url, name, password) for name, password in USERS.items()})
        for person in lesson.people.values():
            leaving.callback(person.close)
            person.start()
        for person in lesson.people.values():
            person.wait()
        hand_out(lesson)
        hand_in(lesson)
        grade(lesson)
        give_back(lesson)
        yield lesson


def hand_out(lesson: Lesson) -> None:
    lesson.make(f"release CHAPTER={CHAPTER}")
    lesson.nbgrader(f"release_assignment {CHAPTER}")
    for name in ("student-a", "student-b"):
        lesson.released += [one["assignment_id"] for one in lesson.people[name].assignments()]
        lesson.people[name].press("fetch", CHAPTER)


def hand_in(lesson: Lesson) -> None:
    """The first student solves every task, the second the first task alone; both submit from the assignment list."""
    solutions = solved()
    for name, known in (("student-a", list(solutions)), ("student-b", list(solutions)[:1])):
        person, at = lesson.people[name], f"api/contents/{CHAPTER}/{CHAPTER}.ipynb"
        notebook = person.own("GET", at).json()["content"]
        for cell in notebook["cells"]:
            task = cell["metadata"].get("nbgrader", {}).get("grade_id")
            cell["source"] = solutions[task] if task in known else cell["source"]
        person.own("PUT", at, json={"type": "notebook", "content": notebook}).raise_for_status()
        (handed_in,) = [one for one in person.press("submit", CHAPTER) if one["status"] == "submitted"]
        assert handed_in["student_id"] == name
    assert lesson.people["student-b"].run(FORGERY) == ""


FORGERY = f"""
import glob, os, shutil
mine, = glob.glob(os.path.expanduser("~/.local/share/jupyter/nbgrader_cache/*/student-b+*"))
forged = "{EXCHANGE}/inbound/student-a+{CHAPTER}+2999-01-01 00:00:00 UTC+forged"
shutil.copytree(mine, forged)
os.symlink("{CLASS}/course/gradebook.db", forged + "/loot")
os.symlink("{CLASS}/classroom/hidden", forged + "/more")
"""


def solved() -> dict[str, str]:
    """Return the solution of each task, in order, from the teacher's notebook."""
    cells = json.loads((hub_machine.REPO / "assignments" / CHAPTER / f"{CHAPTER}.ipynb").read_text())["cells"]
    marked = [(cell["metadata"].get("nbgrader", {}), cell) for cell in cells if cell["cell_type"] == "code"]
    return {about["grade_id"]: "".join(cell["source"]) for about, cell in marked if about.get("solution")}


def grade(lesson: Lesson) -> None:
    lesson.said = lesson.nbgrader(f"collect {CHAPTER}")
    lesson.make(f"grade CHAPTER={CHAPTER} JOBS=1")
    lesson.make(f"feedback CHAPTER={CHAPTER}")
    lesson.make("marks")
    table = lesson.people["teacher"].own("GET", "files/class/course/marks/marks.csv").text
    rows = csv.DictReader(io.StringIO(table.lstrip("\ufeff")))
    lesson.marks = {
        row["student"]: float(row[next(key for key in row if key.startswith(CHAPTER))]) for row in rows
    }


def give_back(lesson: Lesson) -> None:
    for name in ("student-a", "student-b"):
        person = lesson.people[name]
        listed = person.press("fetch_feedback", CHAPTER)
        (submission,) = [one for entry in listed for one in entry.get("submissions", ())]
        assert submission["has_local_feedback"], listed
        at = f"files/{submission['local_feedback_path']}/{CHAPTER}.html"
        page = person.own("GET", at)
        page.raise_for_status()
        lesson.feedback[name] = page.content.decode()


def test_an_assignment_goes_round(lesson: Lesson) -> None:
    assert lesson.released == [CHAPTER, CHAPTER], "each student sees the assignment that was released"
    lights = {name: (text.count("✓"), text.count("✗")) for name, text in lesson.feedback.items()}
    assert lights["student-a"][0] > lights["student-b"][0] > 0, lights
    assert lights["student-a"][1] == 0 < lights["student-b"][1], lights
    assert "output_error" not in lesson.feedback["student-a"], "the whole notebook ran"
    assert "output_error" in lesson.feedback["student-b"], "stubs fail loudly"
    assert lesson.marks["student-a"] > lesson.marks["student-b"] > 0, lesson.marks


def test_a_student_cannot_hand_in_for_another_nor_take_the_teachers_files(lesson: Lesson) -> None:
    """The second student did both, in a folder in the name of the first, with links to what the teacher reads."""
    assert "student-b handed in a folder in the name of student-a" in lesson.said
    for name in ("loot", "more"):
        assert f"the file '{name}' was left out: it is a link" in lesson.said
    found = lesson.people["teacher"].run(
        f"import os; print(*os.listdir('{CLASS}/course/submitted/student-b/{CHAPTER}'))"
    )
    assert set(found.split()) == {f"{CHAPTER}.ipynb", "submission_secret.txt", "timestamp.txt"}
    assert lesson.marks["student-a"] > lesson.marks["student-b"]


SECRETS = (
    f"{CLASS}/course/gradebook.db",
    f"{CLASS}/classroom/hidden/{CHAPTER}.py",
    f"{CLASS}/assignments/{CHAPTER}/{CHAPTER}.ipynb",
    f"{CLASS}/course/submitted/student-b/{CHAPTER}/{CHAPTER}.ipynb",
    f"{EXCHANGE}/inbound",
    f"{EXCHANGE}/feedback",
)
LOOK = "import os; print('seen', len(os.listdir(at) if os.path.isdir(at) else open(at, 'rb').read()))"


def looked_at(person: Visitor, path: str) -> str:
    return person.run(f"at = {path!r}; {LOOK}")


@pytest.mark.parametrize("path", SECRETS)
def test_a_student_cannot_read_what_the_teacher_reads(lesson: Lesson, path: str) -> None:
    assert looked_at(lesson.people["teacher"], path).startswith("seen ")
    assert looked_at(lesson.people["student-a"], path).startswith("PermissionError")


def test_a_student_cannot_read_another_students_work(lesson: Lesson) -> None:
    mine = f"/home/student-b/{CHAPTER}/{CHAPTER}.ipynb"
    assert looked_at(lesson.people["student-b"], mine).startswith("seen ")
    assert looked_at(lesson.people["student-a"], mine).startswith("PermissionError")


def test_a_student_cannot_use_another_students_server(lesson: Lesson) -> None:
    at = "/user/student-b/api/contents/"
    assert lesson.people["student-b"].ask("GET", at).status_code == 200
    assert lesson.people["student-a"].ask("GET", at).status_code == 403
    assert lesson.people["teacher"].ask("GET", at).status_code == 403


def test_a_students_server_is_theirs_and_bounded(lesson: Lesson) -> None:
    student = lesson.people["student-a"]
    limits = "resource.getrlimit(resource.RLIMIT_AS)[1], resource.getrlimit(resource.RLIMIT_NPROC)[1]"
    said = student.run(f"import getpass, resource; print(getpass.getuser(), {limits})")
    assert said.split() == ["student-a", "4000000000", "256"]
    assert "MemoryError" in student.run("room = bytearray(5_000_000_000)")


def test_kernels_cannot_be_listened_to(lesson: Lesson) -> None:
    """Over TCP any user of the machine could subscribe to what a kernel prints."""
    looks = "import json, os; from ipykernel.connect import get_connection_file as at"
    found = "json.load(open(at()))['transport'], oct(os.stat(os.path.dirname(at())).st_mode & 0o777)"
    assert lesson.people["student-b"].run(f"{looks}; print({found})").split() == ["ipc", "0o700"]


def test_the_formgrader_is_for_the_teacher(lesson: Lesson) -> None:
    answers = {
        name: person.own("GET", "formgrader/api/assignments") for name, person in lesson.people.items()
    }
    statuses = {name: answer.status_code for name, answer in answers.items()}
    assert statuses == {"teacher": 200, "student-a": 404, "student-b": 404}
    (assignment,) = [one for one in answers["teacher"].json() if one["name"] == CHAPTER]
    assert assignment["num_submissions"] == 2


def test_the_formgraders_autograde_runs_nothing_outside_the_sandbox(lesson: Lesson) -> None:
    before = lesson.teacher("sha256sum course/gradebook.db")
    pressed = lesson.people["teacher"].own("POST", f"formgrader/api/submission/{CHAPTER}/student-a/autograde")
    assert pressed.json()["success"] is False
    assert "make grade" in pressed.text
    assert lesson.teacher("sha256sum course/gradebook.db") == before


def test_jupyterlab_offers_students_the_assignment_list_alone(lesson: Lesson) -> None:
    hidden = {name: disabled(person) for name, person in lesson.people.items()}
    parts = ["course-list", "create-assignment", "formgrader", "validate-assignment"]
    assert hidden["student-a"] == hidden["student-b"] == {f"@jupyter/nbgrader:{part}" for part in parts}
    assert hidden["teacher"] == set()


def disabled(person: Visitor) -> set[str]:
    page = person.own("GET", "lab").text
    config = page.partition('id="jupyter-config-data" type="application/json">')[2].partition("</script>")[0]
    return {name for name in json.loads(config)["disabledExtensions"] if "nbgrader" in name}


def test_a_wrong_password_opens_nothing(lesson: Lesson) -> None:
    stranger = Visitor(lesson.people["teacher"].url, "student-a", "a guess")
    assert (stranger.entered, stranger.token) == (False, "")
    stranger.close()


def test_a_student_cannot_change_what_was_released(lesson: Lesson) -> None:
    for path in (f"{EXCHANGE}/outbound/{CHAPTER}/{CHAPTER}.ipynb", f"{EXCHANGE}/outbound/more.txt"):
        assert lesson.people["student-a"].run(f"open({path!r}, 'a')").startswith("PermissionError")


SHARED = "/srv/nbgrader/exchange"
MISTAKES: dict[str, tuple[dict[str, Any], list[str]]] = {
    "no exchange, no proxy, solutions in sight": (
        {"careless": ["classroom"], "first": [f"rm -r {SHARED}", f"mount -t tmpfs none {DEPLOY}/proxy"]},
        ["npm ci --prefix", f"install -d -m 1777 {SHARED}", "chmod -R go= "],
    ),
    "an exchange that not everybody may write to": (
        {"config_alone": True, "first": [f"chmod 755 {SHARED}"]},
        [f"mode 755, and 1777 is needed: chmod 1777 {SHARED}"],
    ),
    "no Node.js, no settings, an environment in a closed folder": (
        {
            "config_alone": True,
            "first": ["rm /etc/jupyter/nbgrader_config.py", f"chmod 700 {hub_machine.REPO}"],
            "environment": {"PATH": "/nowhere"},
        },
        ["apt install nodejs npm", "install -D -m 644", "students cannot run", "prlimit is not installed"],
    ),
    "not root": (
        {
            "config_alone": True,
            "through": ["setpriv", "--reuid=teacher", "--regid=teacher", "--clear-groups"],
        },
        ["must be started as root"],
    ),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_a_hub_that_cannot_start_says_what_to_do(mistake: str) -> None:
    asked, sentences = MISTAKES[mistake]
    with machine(**asked) as (started, log):
        assert started.wait(timeout=60) == 1
        said = log.read_text()
    assert [sentence for sentence in sentences if sentence not in said] == [], said
    assert "Traceback" not in said, said


def test_no_user_and_no_process_stays(lesson: Lesson) -> None:
    names = Path("/etc/passwd").read_text()
    assert not [name for name in USERS if f"\n{name}:" in names], (
        "the users are those of the class's machine alone"
    )
