"""Attacks and accidents: none gains a mark, none stops the grading, each leaves a line that a teacher understands."""

import re
import socket
from pathlib import Path
from typing import Any

import nbformat
import pytest
from nbformat import v4

from classroom import sandbox, sitting
from classroom.grading import Graded, graded
from classroom.sandbox import Limits
from classroom.sitting import Patience
from tests.handed_in import ASSIGNMENT, HIDDEN, by_name, function, handed_in, solved, stub

needs_sandbox = pytest.mark.skipif(bool(sandbox.missing()), reason=str(sandbox.missing()))
pytestmark = needs_sandbox

# Long enough for an honest cell on a loaded machine; each endless one costs this much.
PATIENCE = Patience(cell=4, answer=3, whole=300)
LIMITS = Limits(memory=1_000_000_000)


def with_cells(*sources: str, **answers: str) -> Any:
    """Return a notebook, solved but for `answers`, that begins with further cells."""
    one = solved(**answers)
    one.cells[2:2] = [v4.new_code_cell(source) for source in sources]
    return one


def grade(one: Any, **files: bytes) -> Graded:
    return graded(handed_in(one, **files), ASSIGNMENT, patience=PATIENCE, limits=LIMITS)


def marks(found: Graded) -> dict[str, int]:
    return {task: sum(not light.mistake for light in lights) for task, lights in found.lights.items()}


FULL = {"double": 2, "halve": 1}

# what ends Python: the cell is left out, the rest counts
ENDING = {
    "an endless loop": ("while True:\n    pass", "ran for longer than 4 seconds"),
    "a fork bomb": (
        "import os\nwhile True:\n    try:\n        os.fork()\n    except OSError:\n        pass",
        "ran for longer than 4 seconds",
    ),
    "leaving": ("import os\nos._exit(0)", "ended Python"),
    "killing itself and what started it": (
        """
import contextlib, os
for pid in (os.getppid(), 1, -1, os.getpid()):
    with contextlib.suppress(OSError):
        os.kill(pid, 9)
os.abort()
""",
        "ended Python",
    ),
    "a message that no notebook sends": (
        "from classroom import inside\ninside.Door.open.channel.sendall(b'\\xff' * 64)",
        "sent what no notebook sends",
    ),
    "a message that is no data": (
        "from classroom import inside\ninside.Door.open.channel.sendall(b'\\x00\\x00\\x00\\x01]')",
        "sent what no notebook sends",
    ),
    "a flood past our own limits": (
        "from classroom import inside\nwhile True:\n    inside.Door.open.send({'output': {'x': 'x' * 500_000}})",
        "put out more than a notebook holds",
    ),
}


def test_cells_that_end_python_are_left_out_and_the_work_counts() -> None:
    found = grade(with_cells(*(source for source, _ in ENDING.values())))
    assert marks(found) == FULL
    assert found.remarks == [
        f"the code cell {number} {says}; it was left out"
        for number, (_, says) in enumerate(ENDING.values(), 2)
    ]


# what goes too far: the cell fails or is cut, no more
TOO_FAR = {
    "3 GB": ("held = bytearray(3 * 10**9)", "MemoryError"),
    "a file of 100 MB": ("open('large', 'wb').write(bytes(10**8))", "File too large"),
    "100 MB of output": ("print('beginning'); print('x' * 10**8)", r"beginning(.|\n)*the rest was cut off"),
    "many lines of output": (
        "for n in range(50_000):\n    print('line', n)",
        r"line 99\n(.|\n)*the rest was cut off",
    ),
    "a display of 100 MB": ("display({'text/plain': 'x' * 10**8}, raw=True)", "the rest was cut off"),
    "endless recursion": ("def f(x):\n    return f(x)\nf(1)", "RecursionError"),
    "leaving politely": ("raise SystemExit", "SystemExit"),
    "waiting for somebody": ("input('marks? ')", "Error"),
    "an error that raises": (
        "class Bad(Exception):\n    def __str__(self):\n        raise self\nraise Bad",
        "Bad",
    ),
    "what is no text": ("display({'text/plain': 3}, raw=True)", ""),
    "half a character": ("print('\\ud800')", r"\?"),
}


def test_cells_that_go_too_far_are_cut_and_the_work_counts() -> None:
    found = grade(with_cells(*(source for source, _ in TOO_FAR.values())))
    assert (marks(found), found.remarks) == (FULL, [])
    assert len(found.notebook) < 6_000_000
    cells = [cell for cell in outputs(found) if cell.id.startswith("added")]
    for cell, (name, (_, says)) in zip(cells, TOO_FAR.items(), strict=True):
        assert re.search(says, put_out(cell)), name


def outputs(found: Graded) -> list[Any]:
    one = nbformat.reads(found.notebook, as_version=4)
    nbformat.validate(one)
    return [cell for cell in one.cells if cell.cell_type == "code"]


def put_out(cell: Any) -> str:
    return "\n".join(
        str(one.get("text") or one.get("traceback") or one.get("data", {}).get("text/plain"))
        for one in cell.outputs
    )


# what would gain a mark: `double` is wrong, `halve` is honest
WRONG = function("double", "    return x**2")
LIAR = "type('Any', (), {'__eq__': lambda a, b: True, '__getattr__': lambda a, n: a, '__float__': lambda a: 6.0})()"
GAINING = {
    "numpy says that all is close": """
import numpy as np, numpy.testing, builtins
np.isclose = np.allclose = np.array_equal = lambda *a, **k: np.True_
for name in [n for n in dir(np.testing) if n.startswith("assert")]:
    setattr(np.testing, name, lambda *a, **k: None)
builtins.isinstance, builtins.all, builtins.abs = (lambda *a: True), (lambda *a: True), (lambda x: 0)
""",
    "the lights that are seen are painted": """
import dlcore.lights as lights
lights.light = lambda says: (lambda f: print("✓", says))
lights.every_light = lambda: print("2 of 2 lights are on.")
""",
    "the desk answers for the function": """
from classroom import desk, wire
desk.answer = lambda names, request: wire.write(("returned", True, []))
""",
    "the desk sends code": """
from classroom import desk
desk.answer = lambda names, request: "__import__('os').system('touch /tmp/was-here')"
""",
    "the desk claims to be the referee": """
import json
from classroom import desk
light = {"says": "a number is doubled", "mistake": ""}
desk.answer = lambda names, request: json.dumps({"tuple": ["on", light]})
""",
    "the answer comes before the question": """
import json, struct
from classroom import inside
for said in ({"answer": "null"}, {"done": "", "cut": False}, {"lights": {"double": [True, True]}}, {"ready": True}):
    data = json.dumps(said).encode()
    inside.Door.open.channel.sendall(struct.pack(">I", len(data)) + data)
""",
    "a metaclass that agrees": """
class Agrees(type):
    def __instancecheck__(cls, other): return True
    def __subclasscheck__(cls, other): return True
    def __eq__(cls, other): return True
    def __hash__(cls): return hash(float)
class Number(float, metaclass=Agrees): pass
def double(x): return Number(0.0)
""",
}
# What spoils the desk spoils honest answers, too; that is the student's own doing.
SPOILT = {"the desk answers", "the desk sends", "the desk claims", "the answer comes", "numpy says"}


@pytest.mark.parametrize("name", GAINING)
def test_nothing_but_the_right_answer_gains_a_mark(name: str) -> None:
    one = with_cells(GAINING[name], double=WRONG)
    if "def double" in GAINING[name]:
        one.cells.append(v4.new_code_cell(GAINING[name]))
    found = grade(one)
    assert marks(found)["double"] == 0
    assert marks(found)["halve"] == 1 or any(name.startswith(spoilt) for spoilt in SPOILT)


def test_an_object_equal_to_everything_gains_nothing() -> None:
    found = grade(solved(double=function("double", f"    return {LIAR}")))
    assert marks(found) == {"double": 0, "halve": 1}
    assert [light.mistake for light in found.lights["double"]] == [
        "expected 6 for 3; received <Any>",
        "expected the secret 2, -4, 1; received <Any>",
    ]


def test_reaching_for_what_is_outside_gains_nothing_and_leaves_nothing(tmp_path: Path) -> None:
    root = Path(__file__).resolve().parent.parent
    gradebook = tmp_path / "gradebook.db"
    gradebook.write_text("bob: 12 points")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0)
        reaching = {
            "reading the gradebook": f"print(open({str(gradebook)!r}).read())",
            "changing the gradebook": f"open({str(gradebook)!r}, 'a').write('ada: 12 points')",
            "reading the solutions": f"print(open({str(root / 'tests' / 'handed_in.py')!r}).read())",
            "reading the hidden tests": f"print(open({str(root / 'classroom' / 'hidden' / 'neurons.py')!r}).read())",
            "importing the hidden tests": "import classroom.hidden.neurons",
            "writing outside": f"open({str(tmp_path / 'x')!r}, 'w')",
            "the network": f"import socket\nsocket.create_connection({server.getsockname()}, timeout=3)",
        }
        found = grade(with_cells(*reaching.values()))
        with pytest.raises(BlockingIOError):
            server.accept()
    assert (marks(found), found.remarks) == (FULL, [])
    assert list(tmp_path.iterdir()) == [gradebook]
    assert gradebook.read_text() == "bob: 12 points"
    assert "bob: 12" not in found.notebook
    for name, cell in zip(
        reaching, [cell for cell in outputs(found) if cell.id.startswith("added")], strict=True
    ):
        assert re.search("FileNotFoundError|ModuleNotFoundError|ConnectionRefusedError", put_out(cell)), name


PLANTED = "a sentence that stands in a list of the notebook"
SECRETS = (
    "squared, not doubled",
    "expected the secret",
    "every entry of an array is doubled",
    "def half(halve)",
)
# All that a student's function can lay its hands on, searched for what the hidden lights say. The words are turned
# round, so that it does not find itself. Python's own files are left out: below /tmp they would be read, too.
SPY = f"""
    import gc, inspect, os, sys, traceback
    from pathlib import Path
    everything = gc.get_objects() + [frame.frame for frame in inspect.stack()]
    seen = [one for one in gc.get_referents(*everything) if type(one) is str]
    seen += [str(one.__code__.co_consts) for one in everything if inspect.isfunction(one)]
    seen += traceback.format_stack() + [str(sorted(sys.modules)), str(sys.argv), str(dict(os.environ))]
    for root in ("/desk", "/student", "/handed-in", "/tmp"):
        paths = [path for path in Path(root).rglob("*") if path.is_file() and not path.is_relative_to(sys.prefix)]
        seen += [path.read_text(errors="replace") for path in paths]
    words = {[word[::-1] for word in (PLANTED, *SECRETS)]}
    raise ValueError([any(word[::-1] in one for one in seen) for word in words])
"""


def test_the_hidden_test_cannot_be_printed() -> None:
    assert all(word in HIDDEN for word in SECRETS)
    one = handed_in(with_cells(f"kept = [{PLANTED!r}]", double=function("double", SPY)))
    found = graded(one, ASSIGNMENT, patience=Patience(cell=60, answer=60), limits=LIMITS)
    assert marks(found) == {"double": 0, "halve": 1}
    assert [light.mistake for light in found.lights["double"]] == [
        "your code raised ValueError: [True, False, False, False, False]"
    ] * 2


def test_the_hidden_test_is_in_no_output() -> None:
    found = grade(with_cells("print(open('/proc/self/cmdline').read(), sorted(__import__('sys').modules))"))
    hidden = [line.strip() for line in HIDDEN.splitlines() if len(line.strip()) > 20]
    assert [line for line in hidden if line in found.notebook] == []


def test_a_function_that_never_answers_costs_its_own_lights_only() -> None:
    found = grade(solved(double=function("double", "    __import__('time').sleep(1000)")))
    assert marks(found) == {"double": 0, "halve": 1}
    assert [light.mistake for light in found.lights["double"]] == [
        "your code ran for longer than 3 seconds"
    ] * 2
    assert found.remarks == [
        # the visible lights call it, too, while the notebook runs
        "the cell `double-lights` ran for longer than 4 seconds; it was left out",
        "a hidden check of `double`: the code ran for longer than 3 seconds",
        "a hidden check of `double`: the code ran for longer than 3 seconds",
    ]


def test_a_function_that_ends_python_costs_its_own_lights_only() -> None:
    found = grade(solved(double=function("double", "    __import__('os')._exit(0)")))
    assert marks(found) == {"double": 0, "halve": 1}
    assert {light.mistake for light in found.lights["double"]} == {"your code ended Python"}


def test_the_time_for_a_whole_notebook_is_bounded() -> None:
    one = with_cells(*["import time\ntime.sleep(1)"] * 4)
    found = graded(handed_in(one), ASSIGNMENT, patience=Patience(cell=4, answer=4, whole=2), limits=LIMITS)
    assert marks(found) == {"double": 0, "halve": 0}
    assert found.remarks[-1] == "the grading was ended: the notebook ran for longer than 2 seconds"


def test_the_outputs_of_a_whole_notebook_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sitting, "MOST_SHOWN", 10_000)
    found = grade(with_cells("print('x' * 6000)", "print('y' * 6000)", "print('z')"))
    shown = [put_out(cell) for cell in outputs(found) if cell.id.startswith("added")]
    assert [text[0] for text in shown] == ["x", "\n", "z"]
    assert "the rest was cut off" in shown[1]
    assert marks(found) == FULL


def test_python_that_is_lost_again_and_again_is_given_up() -> None:
    one = with_cells(*["import os\nos._exit(0)"] * 4)
    found = graded(handed_in(one), ASSIGNMENT, patience=Patience(losses=2), limits=LIMITS)
    assert marks(found) == {"double": 0, "halve": 0}
    assert (
        found.remarks[-1]
        == "the grading was ended: Python was lost 3 times; the last time your code ended Python"
    )


# accidents with the notebook
def test_edited_deleted_and_copied_cells_change_no_mark() -> None:
    one = solved(double=WRONG)
    cells = by_name(one)
    cells["double-lights"].source = "print('2')"
    one.cells.remove(cells["halve-lights"])
    one.cells.append(v4.new_code_cell(stub("halve"), metadata=cells["halve"].metadata))
    found = grade(one)
    assert marks(found) == {"double": 0, "halve": 1}
    assert found.lights["double"][0].mistake.startswith("the number was squared, not doubled")
    assert found.remarks == [
        "the cell `halve` was there 2 times; the last one with an answer counts",
        "the test cell `double-lights` was edited; the released one was put back",
        "the cell `halve-lights` was missing; the released one was put in",
    ]


def test_files_beside_the_notebook_are_there_and_shadow_nothing_of_ours() -> None:
    files = {
        "helper.py": b"def twice(x):\n    return 2 * x\n",
        "json.py": b"raise SystemExit",
        "classroom/__init__.py": b"raise SystemExit",
        "sitecustomize.py": b"raise SystemExit",
        "data": b"1",
        "data/inside": b"2",
    }
    answer = "from helper import twice\n\n\n" + function("double", "    return twice(x)")
    found = grade(solved(double=answer), **files)
    assert marks(found) == FULL
    assert found.remarks == ["the file 'data/inside' was left out: it cannot be written beside the others"]


def test_what_is_no_notebook_is_graded_all_the_same() -> None:
    junk = handed_in(solved())
    junk.files["small.ipynb"] = b"\x00\xff"
    found = graded(junk, ASSIGNMENT, patience=PATIENCE)
    assert marks(found) == {"double": 0, "halve": 0}
    assert {light.mistake for light in found.lights["double"]} == {
        "double is not written yet: it returns double of x."
    }
    assert found.remarks[0].startswith("small.ipynb could not be read: it is not JSON")
