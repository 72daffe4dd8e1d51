"""What a student's code sees and can do in the sandbox: Python, a small folder of its own, and nothing else."""

import json
import math
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from classroom import sandbox, syscalls, usage, wire
from classroom.deadline import Deadline
from classroom.kernel import Lost, SandboxedKernel
from classroom.sandbox import LIMITS, Limits, NoSandbox

ROOT = Path(__file__).resolve().parent.parent
needs_sandbox = pytest.mark.skipif(bool(sandbox.missing()), reason=str(sandbox.missing()))
SECRET = "the-teachers-token"
IMPORTS = "import ctypes, os, socket, subprocess, sys\nfrom pathlib import Path"


@pytest.mark.skipif(not shutil.which("bwrap"), reason="bubblewrap is not installed")
def test_where_bubblewrap_is_installed_it_makes_a_sandbox() -> None:
    """Else every test below would be skipped, and a hole in the sandbox be seen by none."""
    assert sandbox.missing() is None


@pytest.fixture(scope="module")
def secret() -> Iterator[Path]:
    """A folder with what students must not read: a gradebook, the work of another."""
    with tempfile.TemporaryDirectory(prefix="course-") as folder:
        for name in ("gradebook.db", "submitted/bob/neurons/neurons.ipynb"):
            path = Path(folder) / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(SECRET)
            path.chmod(0o644)
        Path(folder).chmod(0o755)
        yield Path(folder)


@pytest.fixture(scope="module")
def student(secret: Path) -> Iterator[SandboxedKernel]:
    """A student's Python, beside which a file was handed in."""
    if lacking := sandbox.missing():
        pytest.skip(lacking)
    with tempfile.TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setenv("TEACHERS_TOKEN", SECRET)
        (Path(folder) / "data").mkdir()
        (Path(folder) / "data" / "mine.csv").write_text("1,2\n")
        with SandboxedKernel(Path(folder), seconds=600) as kernel:
            assert not kernel.run(
                "import ctypes, os, socket, subprocess, sys\nfrom pathlib import Path"
            ).error
            yield kernel


def value(kernel: SandboxedKernel, expression: str) -> Any:
    """Return what an expression gives in the student's process; the error's name if it raises."""
    ran = kernel.run(
        f"try:\n    found = {expression}\nexcept BaseException as error:\n    found = type(error).__name__"
    )
    assert not ran.error, ran.error
    outcome, found, _ = wire.read(kernel.ask(wire.write({"do": "get", "of": "found", "path": []})))
    assert outcome == "returned"
    return found


HIDDEN_FILES = [
    ROOT / "classroom" / "referee.py",
    ROOT / "classroom" / "hidden" / "__init__.py",
    ROOT / "tests" / "handed_in.py",
    ROOT / "assignments",
    ROOT / ".git",
    Path("/etc/passwd"),
    Path("/etc/shadow"),
    Path("/root/.bashrc"),
    Path("/var"),
    Path.home() / ".ssh",
]


@pytest.mark.parametrize("path", HIDDEN_FILES, ids=str)
def test_files_outside_are_not_there(student: SandboxedKernel, path: Path) -> None:
    assert value(student, f"Path({str(path)!r}).exists()") is False


def test_gradebook_and_the_work_of_others_are_not_there(student: SandboxedKernel, secret: Path) -> None:
    assert (secret / "gradebook.db").exists()
    for name in ("gradebook.db", "submitted/bob/neurons/neurons.ipynb", ""):
        assert value(student, f"Path({str(secret / name)!r}).exists()") is False


def test_of_the_classroom_only_the_desk_is_there(student: SandboxedKernel) -> None:
    assert value(student, "sorted(str(p) for p in Path('/desk/classroom').rglob('*.*'))") == [
        f"/desk/classroom/{name}" for name in sandbox.DESK_FILES
    ]
    assert value(student, "sorted(os.listdir('/desk'))") == ["classroom", "dlcore"]
    for module in ("referee", "grading", "hidden", "preflight", "kernel"):
        assert value(student, f"__import__('classroom.{module}')") == "ModuleNotFoundError"


def test_of_the_working_copy_nothing_is_there_but_its_python(student: SandboxedKernel) -> None:
    assert value(student, "__import__('dlcore').__file__") == "/desk/dlcore/__init__.py"
    there = value(student, f"os.listdir({str(ROOT)!r})")
    venv = Path(sys.prefix)
    assert there == ([venv.relative_to(ROOT).parts[0]] if venv.is_relative_to(ROOT) else "FileNotFoundError")


def test_what_was_handed_in_is_there_and_may_be_changed_as_a_copy(student: SandboxedKernel) -> None:
    assert value(student, "Path('data/mine.csv').read_text()") == "1,2\n"
    assert value(student, "Path('data/mine.csv').write_text('3')") == 1
    assert value(student, "Path('/handed-in/data/mine.csv').read_text()") == "1,2\n"


@pytest.mark.parametrize(
    "path",
    [
        "/x",
        "/dev/x",
        "/usr/x",
        "/etc/x",
        "/desk/x",
        "/desk/classroom/desk.py",
        "/handed-in/x",
        "/home/x",
    ],
)
def test_nothing_else_is_writable(student: SandboxedKernel, path: str) -> None:
    assert value(student, f"open({path!r}, 'wb').write(b'x')") in (
        "OSError",
        "PermissionError",
        "FileNotFoundError",
    )


def test_python_and_dlcore_cannot_be_written(student: SandboxedKernel) -> None:
    for module in ("numpy", "dlcore", "os", "IPython"):
        assert value(student, f"open(__import__('{module}').__file__, 'a')") in ("OSError", "PermissionError")


@pytest.mark.parametrize("folder", ["/tmp", "/dev/shm", "/student"])
def test_its_own_folders_are_small(student: SandboxedKernel, folder: str) -> None:
    fill = f"[Path('{folder}', str(n)).write_bytes(bytes(10**7)) for n in range(8)]"
    assert value(student, fill) == "OSError"
    assert value(student, f"[p.unlink() for p in Path('{folder}').glob('[0-9]')] and 'removed'") == "removed"
    assert (
        value(student, f"Path('{folder}', 'large').write_bytes(bytes({LIMITS.file_size + 1}))") == "OSError"
    )
    value(student, f"Path('{folder}', 'large').unlink()")


def test_there_is_no_network(student: SandboxedKernel) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        assert (
            value(student, f"socket.create_connection(('127.0.0.1', {port}), timeout=2)")
            == "ConnectionRefusedError"
        )
    assert value(student, "socket.create_connection(('192.0.2.1', 80), timeout=2)") == "OSError"
    assert value(student, "[name for _, name in socket.if_nameindex()]") in (["lo"], "OSError")


def test_abstract_sockets_of_this_machine_are_out_of_reach(student: SandboxedKernel) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(f"\0dlcore-{os.getpid()}")
        server.listen()
        reach = f"socket.socket(socket.AF_UNIX).connect('\\0dlcore-{os.getpid()}')"
        assert value(student, reach) == "ConnectionRefusedError"


def test_the_sockets_of_a_virtual_machines_host_are_out_of_reach(student: SandboxedKernel) -> None:
    assert value(student, "socket.socket(40, socket.SOCK_STREAM)") == "OSError"


def test_it_sees_no_process_but_its_own(student: SandboxedKernel) -> None:
    seen = value(
        student, "[Path('/proc', p, 'comm').read_text().strip() for p in os.listdir('/proc') if p.isdigit()]"
    )
    assert len(seen) <= 2
    assert not set(seen) - {"bwrap", Path(sys.executable).resolve().name, "python"}


def test_it_writes_to_no_other_process(student: SandboxedKernel) -> None:
    student.run(
        "taken = []\n"
        "for pid in {int(name) for name in os.listdir('/proc') if name.isdigit()} - {os.getpid()}:\n"
        "    for name in ('mem', 'oom_score_adj', 'comm'):\n"
        "        try:\n"
        "            taken.append(open(f'/proc/{pid}/{name}', 'r+b'))\n"
        "        except OSError:\n"
        "            pass"
    )
    assert value(student, "len(taken)") == 0


def test_the_teachers_environment_is_not_there(student: SandboxedKernel) -> None:
    everything = (
        "repr([Path('/proc', p, f).read_bytes() for p in os.listdir('/proc') if p.isdigit() for f in FILES])"
    )
    for files in ("('cmdline',)", "('environ',)"):
        assert SECRET not in value(student, everything.replace("FILES", files))
    assert "TEACHERS_TOKEN" not in value(student, "dict(os.environ)")


def test_it_has_no_rights_and_gets_none(student: SandboxedKernel) -> None:
    status = value(
        student,
        "dict(l.split(':\\t', 1) for l in Path('/proc/self/status').read_text().splitlines() if ':\\t' in l)",
    )
    assert {name: int(status[name], 16) for name in status if name.startswith("Cap")} == dict.fromkeys(
        ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"), 0
    ) | ({} if os.geteuid() == 0 else {"CapBnd": int(status["CapBnd"], 16)})
    assert (status["NoNewPrivs"], status["Seccomp"]) == ("1", "2" if syscalls.program() else "0")
    assert value(student, "os.setuid(0)") in ("PermissionError", "OSError")
    assert value(student, "os.getuid()") != 0


CALLS = {
    "a user namespace": "unshare(0x10000000)",
    "memory without a process": "memfd_create(b'x', 0)",
    "a segment of memory": "shmget(0, 10**6, 0o1600)",
    "a mount": "mount(b'x', b'/tmp', b'tmpfs', 0, None)",
    "another root": "chroot(b'/tmp')",
    "a look into a process": "ptrace(16, 1, None, None)",
    "to outlive us": "prctl(1, 0)",
}


@pytest.mark.skipif(
    syscalls.program() is None, reason="the numbers of this machine's system calls are not known"
)
@pytest.mark.parametrize("call", CALLS.values(), ids=CALLS.keys())
def test_calls_that_it_has_no_need_of_are_refused(student: SandboxedKernel, call: str) -> None:
    student.run("libc = ctypes.CDLL(None, use_errno=True)")
    assert value(student, f"(libc.{call}, ctypes.get_errno())") == (-1, 1)  # EPERM


def test_a_namespace_by_way_of_clone_is_refused(student: SandboxedKernel) -> None:
    assert (
        value(student, "subprocess.run(['unshare', '--user', 'true'], capture_output=True).returncode") == 1
    )


def test_threads_processes_and_subprocesses_work(student: SandboxedKernel) -> None:
    student.run(
        "import threading\nheard = []\none = threading.Thread(target=heard.append, args=(1,)); one.start(); one.join()"
    )
    assert value(student, "heard") == [1]
    assert (
        value(student, "subprocess.run(['echo', 'hello'], capture_output=True, text=True).stdout")
        == "hello\n"
    )
    assert value(student, "__import__('multiprocessing').get_context('fork').Pool(2).map(abs, [-1, 2])") == [
        1,
        2,
    ]


@needs_sandbox
def test_memory_is_bounded_for_all_processes_together() -> None:
    fork = "if os.fork() == 0:\n        held = b'1' * 60_000_000\n        time.sleep(60)"
    bomb = f"import os, time\nfor _ in range(6):\n    {fork}\ntime.sleep(60)"
    with (
        SandboxedKernel(limits=Limits(memory=300_000_000)) as kernel,
        pytest.raises(Lost, match=r"0\.3 GB of memory"),
    ):
        kernel.run(bomb, seconds=60)


@needs_sandbox
def test_the_number_of_files_is_bounded() -> None:
    with (
        SandboxedKernel(limits=Limits(files_made=500)) as kernel,
        pytest.raises(Lost, match="more than 500 files"),
    ):
        kernel.run(
            "import time\nfor n in range(1000):\n    open(f'/tmp/{n}', 'w').close()\ntime.sleep(60)",
            seconds=60,
        )


@needs_sandbox
def test_waiting_for_a_core_does_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    waits = iter([1.0, 2.0])
    monkeypatch.setattr(usage, "waited", lambda pid: next(waits, 2.0))
    with SandboxedKernel() as kernel:
        assert kernel.run("import time\ntime.sleep(1.5)\nprint('done')", seconds=1).outputs
        with pytest.raises(Lost, match="ran for longer than 1 seconds"):
            kernel.run("time.sleep(60)", seconds=1)


@needs_sandbox
def test_what_waited_for_a_core_is_known() -> None:
    with SandboxedKernel() as kernel:
        kernel.run("sum(range(10**5))")
        assert usage.waited(kernel.process.pid) > 0
        kernel.run("import subprocess\nothers = [subprocess.Popen(['sleep', '100']) for _ in range(2)]")
        assert usage.waited(kernel.process.pid) == 0


def test_a_deadline_moves_three_times_its_length_at_most() -> None:
    hurry = Deadline(0.0001, math.inf, lambda: 1e6)
    while time.monotonic() < hurry.at:
        pass
    assert hurry.left() <= 0.0003
    assert str(hurry) == "ran for longer than 0.0001 seconds"
    assert str(Deadline(9, time.monotonic(), lambda: 0)) == "used up the time for the whole notebook"


@needs_sandbox
def test_nothing_is_left_behind() -> None:
    before = set(Path(tempfile.gettempdir()).iterdir()), open_files()
    with SandboxedKernel() as kernel:
        kernel.run("import subprocess\nsubprocess.Popen(['sleep', '1000'], start_new_session=True)")
        family = usage.descendants(kernel.process.pid)
        assert len(family) >= 2
    assert not [pid for pid in family if Path(f"/proc/{pid}").exists()]
    assert open_files() == before[1]
    assert {
        path for path in set(Path(tempfile.gettempdir()).iterdir()) - before[0] if path.name.startswith("dl-")
    } == set()


def open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@needs_sandbox
def test_a_sandbox_ends_with_the_process_that_made_it() -> None:
    program = (
        "import sys, time; from classroom.kernel import SandboxedKernel; from classroom import usage\n"
        "kernel = SandboxedKernel().start(); print(*usage.descendants(kernel.process.pid), flush=True); time.sleep(60)"
    )
    maker = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True, cwd=ROOT)
    assert maker.stdout
    with maker.stdout:
        family = maker.stdout.readline().split()
        maker.kill()
        maker.wait()
    assert family
    for _ in range(500):
        left = [pid for pid in family if Path(f"/proc/{pid}").exists()]
        if not left:
            break
        os.sched_yield()
        subprocess.run(["sleep", "0.01"], check=True)
    assert left == []


def hold() -> None:
    """Try as whoever we are what the tests try with the sandbox of all."""
    with SandboxedKernel() as kernel:
        kernel.run(IMPORTS)
        test_it_writes_to_no_other_process(kernel)
        test_it_has_no_rights_and_gets_none(kernel)
        test_there_is_no_network(kernel)
    test_nothing_is_left_behind()


@needs_sandbox
@pytest.mark.skipif(os.geteuid() != 0, reason="all tests here run as a plain user already")
def test_it_holds_for_a_plain_user(tmp_path: Path) -> None:
    """Root's folders are opened, in a mount namespace of our own, as far as the way to Python and to this file."""
    paths = [Path(path) for path in dict.fromkeys((sys.base_prefix, sys.prefix, str(ROOT)))]
    user = "setpriv --reuid=1000 --regid=1000 --clear-groups --inh-caps=-all"
    program = (
        f"{sys.executable} -B -c 'from tests.test_classroom_sandbox import hold; hold(); print(\"it held\")'"
    )
    script = "\n".join(["set -e", *opened(paths, tmp_path), f"cd {ROOT}", f"{user} {program}"])
    ran = subprocess.run(
        ["unshare", "--mount", "sh", "-c", script], capture_output=True, text=True, check=False
    )
    if "unshare failed" in ran.stderr:
        pytest.skip(f"no mount namespace of our own: {ran.stderr.strip()}")
    assert ran.stdout == "it held\n", ran.stdout + ran.stderr


def opened(paths: list[Path], aside: Path) -> Iterator[str]:
    """Yield shell commands after which the folders above `paths` show nothing but them, to everybody."""
    closed = {path: root_alone(path) for path in paths if root_alone(path)}
    for number, path in enumerate(closed):
        yield f"mkdir {aside}/{number}; mount --bind {path} {aside}/{number}"
    for folder in set(closed.values()):
        yield f"mount -t tmpfs -o mode=755 tmpfs {folder}"
    for number, path in enumerate(closed):
        yield f"mkdir -p {path}; mount --bind {aside}/{number} {path}"


def root_alone(path: Path) -> Path | None:
    return next((folder for folder in reversed(path.parents) if not folder.stat().st_mode & 0o001), None)


def test_sandboxes_side_by_side_belong_to_different_users_of_roots(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    users = []
    for worker in range(100, 116):
        monkeypatch.setattr(os, "getpid", lambda worker=worker: worker)
        users += [sandbox.user() for _ in range(8)]
    assert len(set(users)) == len(users)
    assert set(users) <= set(sandbox.USERS)


def test_python_may_lie_outside_the_working_copy(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    monkeypatch.setattr(sys, "base_prefix", "/usr")
    assert sandbox.python() == [tmp_path]
    assert not [part for part in sandbox.command(["true"], uid=1) if part == str(ROOT)]


def test_a_working_copy_may_lie_in_tmp() -> None:
    made = sandbox.command(["true"], uid=1)
    assert made.index("/tmp") < made.index("--ro-bind"), "what is put into /tmp before would be hidden by it"


def test_the_sandbox_refuses_to_show_the_classroom(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sandbox, "python", lambda: [ROOT])
    with pytest.raises(NoSandbox, match="and the classroom lies within it"):
        sandbox.command(["true"], uid=1)


def test_missing_tools_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    sandbox.missing.cache_clear()
    try:
        said = sandbox.missing()
        assert said
        assert said.startswith("bwrap, prlimit, setpriv not found: install bubblewrap")
        with pytest.raises(NoSandbox, match="not found"):
            SandboxedKernel().start()
    finally:
        sandbox.missing.cache_clear()


@pytest.mark.parametrize(
    ("said", "then"),
    [
        ("bwrap: setting up uid map: Permission denied", "allow user namespaces"),
        ("bwrap: Creating new namespace failed: Operation not permitted", "allow user namespaces"),
        (
            "bwrap: No permissions to create new namespace, likely because the kernel does not allow",
            "allow user",
        ),
        ("bwrap: Can't mount proc on /newroot/proc: Operation not permitted", "start that with --privileged"),
        ("", "see bubblewrap's manual"),
    ],
)
def test_what_bubblewrap_says_becomes_what_to_do(said: str, then: str) -> None:
    assert then in sandbox.advice(said)


def test_the_filter_is_a_program_of_eight_bytes_a_line() -> None:
    program = syscalls.program()
    assert program is None or (len(program) % 8 == 0 and len(program) < 4096)


def test_outputs_are_what_a_notebook_shows(student: SandboxedKernel) -> None:
    ran = student.run("print('a'); print('b', file=sys.stderr); print('c'); display({'x': 1}); 'last'")
    assert [(one["output_type"], one.get("text") or one["data"]["text/plain"]) for one in ran.outputs] == [
        ("stream", "a\n"),
        ("stream", "b\n"),
        ("stream", "c\n"),
        ("display_data", "{'x': 1}"),
        ("execute_result", "'last'"),
    ]
    assert student.run(
        "print('gone'); from IPython.display import clear_output; clear_output(); print('here')"
    ).outputs == [{"output_type": "stream", "name": "stdout", "text": "here\n"}]
    assert student.run("!echo from the shell").outputs[0]["text"].split() == ["from", "the", "shell"]
    assert (
        student.run("await __import__('asyncio').sleep(0, 'waited')").outputs[0]["data"]["text/plain"]
        == "'waited'"
    )
    assert json.dumps(student.run("1 / 0").outputs).count("ZeroDivisionError") >= 2
    assert student.run("if").error.startswith("SyntaxError") or "Syntax" in student.run("if").error
    assert student.run("input()").error
    assert student.run("raise SystemExit").error
    assert student.run("1 + 1").outputs[0]["data"] == {"text/plain": "2"}
