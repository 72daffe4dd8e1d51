"""What nbgrader's `collect` takes from the exchange, where students write what they like: plain files of their own.

nbgrader goes by the name of a folder, follows links with the teacher's rights, and stops at the first folder that it
cannot read. Here a folder is the work of the Unix user who made it, links stay behind, and the others go on. With
`c.ExchangeCollect.check_owner = False` (all students are one Unix user) the folder's name is believed.
"""

from __future__ import annotations

import os
import pwd
import re
import secrets
import stat
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from datetime import datetime
from pathlib import Path
from typing import Any

from nbgrader.exchange.default import ExchangeCollect
from nbgrader.utils import parse_utc

from classroom.submitted import LARGEST, MOST_FILES, NBGRADERS

DEEPEST = 8  # folders within folders
TIMELESS = datetime.min  # noqa: DTZ901 - nbgrader's times are naive and mean UTC
SECRET = re.compile(rb"[0-9a-f]{128}")  # names the feedback, so that only its student finds it


class Collect(ExchangeCollect):  # type: ignore[misc]
    """nbgrader's collect, from copies that hold nothing but what a student may hand in."""

    inbound_path: str
    src_records: list[dict[str, Any]]

    def _path_to_record(self, path: str) -> dict[str, Any]:
        """Return whose submission a folder is and from when; TIMELESS where its name does not say."""
        name = Path(path).name
        claimed, _, when = name.rsplit("+", 3)[:3]
        owner = owner_of(Path(path)) if self.check_owner else claimed
        if owner != claimed:
            self.log.warning(
                "%s handed in a folder in the name of %s; it counts as work of %s", owner, claimed, owner
            )
        timestamp = TIMELESS
        with suppress(ValueError, OverflowError):
            timestamp = parse_utc(when)
        return {"username": owner, "filename": name, "timestamp": timestamp}

    def copy_files(self) -> None:
        """Copy what is plain into a folder of the teacher's own, and let nbgrader collect from there."""
        inbound, records = Path(self.inbound_path), self.src_records
        with tempfile.TemporaryDirectory(prefix="collect-") as copies:
            for record in records:
                copy = Path(copies, record["filename"])
                for remark in copied(inbound / record["filename"], copy, record["timestamp"]):
                    self.log.warning("%s: %s", record["username"], remark)
            self.src_records = [record for record in records if Path(copies, record["filename"]).is_dir()]
            self.inbound_path, self.check_owner = copies, False  # the copies are the teacher's
            super().copy_files()


def owner_of(path: Path) -> str:
    """Return the name of the Unix user who made a folder."""
    user = path.lstat().st_uid
    with suppress(KeyError):
        return pwd.getpwuid(user).pw_name
    return f"user-{user}"


def copied(source: Path, copy: Path, when: datetime) -> list[str]:
    """Copy the plain files of a submission, and return a remark for each one left out; unreadable, there is no copy."""
    if when == TIMELESS:
        return [f"a folder whose name holds no time was left out: {source.name!a}"]
    try:
        top = os.open(source, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    except OSError as error:
        return [f"the submission was left out, it cannot be read: {error.strerror}"]
    remarks: list[str] = []
    try:
        copy.mkdir()
        room = LARGEST
        for name, at in _named(top, remarks):
            try:
                if name.startswith(tuple(f"{own}/" for own in NBGRADERS)):
                    raise OSError("nbgrader has a file of that name")
                content = _plain(Path(name).name, at, room)
                (copy / name).parent.mkdir(parents=True, exist_ok=True)
                (copy / name).write_bytes(content)
                room -= len(content)
            except OSError as error:
                remarks.append(f"the file {name!a} was left out: {error.strerror or error}")
    finally:
        os.close(top)
    _signed(copy, when)
    return remarks


def _named(top: int, remarks: list[str]) -> Iterator[tuple[str, int]]:
    """Yield each file's name below the folder `top`, with the descriptor of its own folder: no link leads elsewhere."""
    seen = 0
    for folder, folders, names, at in os.fwalk(
        ".", dir_fd=top, onerror=lambda error: remarks.append(f"a folder was left out: {error}")
    ):
        if folder.count("/") >= DEEPEST:
            remarks.append(f"folders were left out: more than {DEEPEST} within each other")
            folders.clear()
        for name in [*sorted(names), *(name for name in folders if _is_link(name, at))]:
            seen += 1
            if seen > MOST_FILES + len(NBGRADERS):
                remarks.append(f"only the first {MOST_FILES} files were taken")
                return
            yield os.path.normpath(f"{folder}/{name}"), at


def _is_link(name: str, at: int) -> bool:
    return stat.S_ISLNK(os.stat(name, dir_fd=at, follow_symlinks=False).st_mode)


def _plain(name: str, at: int, room: int) -> bytes:
    """Return what a file holds; OSError where it is a link, a pipe, or larger than `room`."""
    if _is_link(name, at):
        raise OSError("it is a link, which could point at anything")
    opened = os.open(name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK, dir_fd=at)
    with os.fdopen(opened, "rb") as file:
        if not stat.S_ISREG(os.fstat(opened).st_mode):
            raise OSError("it is no plain file")
        content = file.read(room + 1)
    if len(content) > room:
        raise OSError(f"all files together may have {LARGEST:,} bytes")
    return content


def _signed(copy: Path, when: datetime) -> None:
    """Write nbgrader's two files as nbgrader would: the steps to come stop at anything else in them."""
    (copy / "timestamp.txt").write_text(f"{when.isoformat(' ')} UTC", encoding="utf-8")
    secret = copy / "submission_secret.txt"
    if not (secret.is_file() and SECRET.fullmatch(secret.read_bytes())):
        secret.write_text(secrets.token_hex(64), encoding="utf-8")
