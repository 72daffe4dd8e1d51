"""What is collected from the exchange: a student's own plain files, whatever else lies there."""

from __future__ import annotations

import logging
import os
import pwd
import shutil
import sys
from pathlib import Path

import pytest
from nbgrader.api import Gradebook
from nbgrader.auth import Authenticator
from nbgrader.coursedir import CourseDirectory
from traitlets.config import Config

from classroom import collect

ME = pwd.getpwuid(os.getuid()).pw_name
SECRET = "ab" * 64


class Exchange:
    """An exchange and a course in a folder of the test's."""

    def __init__(self, at: Path) -> None:
        self.at, self.inbound, self.submitted = at, at / "exchange/course/inbound", at / "course/submitted"
        self.inbound.mkdir(parents=True)
        self.submitted.mkdir(parents=True)
        (at / "exchange").chmod(0o777)

    def handed_in(self, student: str, when: str = "2026-03-01 12:00:00.5 UTC", **files: str) -> Path:
        folder = self.inbound / f"{student}+neurons+{when}+random"
        folder.mkdir()
        for name, text in {"neurons.ipynb": student, "submission_secret.txt": SECRET, **files}.items():
            (folder / name).write_text(text)
        (folder / "timestamp.txt").write_text(when)
        return folder

    def collect(self, *, check_owner: bool = False, update: bool = False) -> list[str]:
        """Collect, and return what the teacher reads."""
        settings = Config()
        settings.Exchange.root = str(self.at / "exchange")
        settings.ExchangeCollect.check_owner = check_owner
        settings.ExchangeCollect.update = update
        settings.CourseDirectory = Config(
            root=str(self.at / "course"), course_id="course", assignment_id="neurons"
        )
        directory, said = CourseDirectory(config=settings), Said()
        collecting = collect.Collect(
            coursedir=directory, authenticator=Authenticator(), config=settings, log=said.log
        )
        collecting.start()
        return said.lines

    def students(self) -> list[str]:
        return sorted(path.name for path in self.submitted.iterdir())

    def names(self, student: str) -> list[str]:
        folder = self.submitted / student / "neurons"
        return sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if not path.is_dir())


class Said(logging.Handler):
    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.lines: list[str] = []
        self.log = logging.getLogger(f"{__name__}.{id(self)}")
        self.log.addHandler(self)

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(record.getMessage())


@pytest.fixture(scope="module")
def gradebook(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An empty gradebook; nbgrader makes one by a command that it looks for on the path."""
    at = tmp_path_factory.mktemp("gradebook") / "gradebook.db"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("PATH", f"{sys.prefix}/bin", prepend=os.pathsep)
        Gradebook(f"sqlite:///{at}", "course").close()
    return at


@pytest.fixture
def exchange(tmp_path: Path, gradebook: Path) -> Exchange:
    made = Exchange(tmp_path)
    shutil.copy(gradebook, tmp_path / "course")
    return made


HANDED_IN = ["neurons.ipynb", "submission_secret.txt", "timestamp.txt"]


def test_plain_work_is_collected_as_it_is(exchange: Exchange) -> None:
    folder = exchange.handed_in("ada", data="1 2 3")
    (folder / "more").mkdir()
    (folder / "more/notes.md").write_text("thoughts")
    assert exchange.collect() == []
    assert exchange.names("ada") == sorted([*HANDED_IN, "data", "more/notes.md"])
    assert (exchange.submitted / "ada/neurons/more/notes.md").read_text() == "thoughts"
    assert (exchange.submitted / "ada/neurons/submission_secret.txt").read_text() == SECRET
    assert (exchange.submitted / "ada/neurons/timestamp.txt").read_text() == "2026-03-01 12:00:00.500000 UTC"


def test_a_folder_is_the_work_of_who_made_it(exchange: Exchange) -> None:
    """Otherwise anybody could replace another's work with a later one."""
    exchange.handed_in("somebody-else")
    assert exchange.collect(check_owner=True) == [
        f"{ME} handed in a folder in the name of somebody-else; it counts as work of {ME}"
    ]
    assert exchange.students() == [ME]


def test_a_link_stays_behind(exchange: Exchange) -> None:
    """Otherwise it would be followed with the teacher's rights, to the gradebook or the hidden checks."""
    (exchange.at / "gradebook.db").write_text("marks")
    (exchange.at / "hidden").mkdir()
    (exchange.at / "hidden/neurons.py").write_text("checks")
    folder = exchange.handed_in("eve")
    (folder / "loot.txt").symlink_to(exchange.at / "gradebook.db")
    (folder / "loot").symlink_to(exchange.at / "hidden")
    why = "was left out: it is a link, which could point at anything"
    assert sorted(exchange.collect()) == [f"eve: the file 'loot' {why}", f"eve: the file 'loot.txt' {why}"]
    assert exchange.names("eve") == HANDED_IN


def test_a_link_in_place_of_the_folder_is_no_submission(exchange: Exchange) -> None:
    (exchange.at / "elsewhere").mkdir()
    (exchange.inbound / "eve+neurons+2026-03-01 12:00:00 UTC+x").symlink_to(exchange.at / "elsewhere")
    exchange.handed_in("ada")
    (said,) = exchange.collect()
    assert said.startswith("eve: the submission was left out, it cannot be read")
    assert exchange.students() == ["ada"]


def test_what_nbgrader_would_stop_at_stops_nobody(exchange: Exchange) -> None:
    (exchange.inbound / "file+neurons+2026-03-01 12:00:00 UTC+x").write_text("no folder")
    exchange.handed_in("clock", when="half past nine")
    exchange.handed_in("zone", when="2026-03-01 12:00:00 +9999999")
    os.mkfifo(exchange.handed_in("pipe") / "pipe")
    exchange.handed_in("ada")
    said = sorted(exchange.collect())
    assert exchange.students() == ["ada", "pipe"]
    assert exchange.names("pipe") == HANDED_IN
    for line, word in zip(
        said, ["half past nine", "cannot be read", "no plain file", "+9999999"], strict=True
    ):
        assert word in line


@pytest.mark.parametrize("own", ["timestamp.txt", "submission_secret.txt"])
def test_nbgraders_own_files_are_made_good(exchange: Exchange, own: str) -> None:
    folder = exchange.handed_in("ada")
    (folder / own).unlink()
    exchange.handed_in("bob", **{own: "\x00 rubbish"})
    (exchange.handed_in("eve") / own).unlink()
    (next(exchange.inbound.glob("eve*")) / own).mkdir()
    (next(exchange.inbound.glob("eve*")) / own / "x").write_text("")
    assert exchange.collect() == [f"eve: the file '{own}/x' was left out: nbgrader has a file of that name"]
    secrets = {
        (exchange.submitted / name / "neurons/submission_secret.txt").read_text()
        for name in ("ada", "bob", "eve")
    }
    assert all(len(secret) == 128 for secret in secrets)
    assert len(secrets) == (1 if own == "timestamp.txt" else 3), (
        "no two students may find each other's feedback"
    )


def test_too_much_is_left_out(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(collect, "LARGEST", 1000)
    monkeypatch.setattr(collect, "MOST_FILES", 10)
    exchange.handed_in("large", film="x" * 1001)
    exchange.handed_in("many", **{f"file{number:02}": "" for number in range(20)})
    deep = exchange.handed_in("deep").joinpath(*["down"] * 12)
    deep.mkdir(parents=True)
    (deep / "file").write_text("x")
    assert sorted(exchange.collect()) == [
        "deep: folders were left out: more than 8 within each other",
        "large: the file 'film' was left out: all files together may have 1,000 bytes",
        "many: only the first 10 files were taken",
    ]
    assert exchange.names("large") == exchange.names("deep") == HANDED_IN


def test_later_work_replaces_earlier_when_asked_for(exchange: Exchange) -> None:
    exchange.handed_in("ada", first="1")
    exchange.collect()
    exchange.handed_in("ada", when="2026-03-02 12:00:00 UTC", second="2")
    exchange.collect()
    assert "first" in exchange.names("ada")
    exchange.collect(update=True)
    assert "second" in exchange.names("ada")
    assert "first" not in exchange.names("ada")
