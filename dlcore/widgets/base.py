"""The base of every widget: one class for a Jupyter kernel and for the static page.

Python computes, JavaScript draws and reads controls. A widget is two files of one stem, `name.py` and `name.js`:

    traits      settings (see `traits`) and pictures (Bytes); what is synchronized is the whole state of the view
    actions     methods named `do_…`, called by the front end with `ask(model, "…", {arguments})`
    training    with `running` a loop calls `advance` and `show`, one frame at a time
    goals       tasks that the prose may set, with the widget's `name` (see `goal`)

The base is anywidget's where it is installed (JupyterLab, Notebook, VS Code, Colab), else `plain.PlainWidget`,
which speaks the same protocol with traitlets alone (Pyodide).
"""

from __future__ import annotations

import asyncio
import base64
import re
import threading
from pathlib import Path
from typing import Any, ClassVar, Self

import traitlets

from dlcore import arrays

from .goal import Goal, Guided
from .plain import PlainWidget
from .traits import Choice, Setting, Switch

try:
    from anywidget import AnyWidget as Base
except ImportError:  # in the page
    Base = PlainWidget  # type: ignore[assignment, misc]

__all__ = ["FOLDER", "IMPORT", "PATIENCE", "Base", "Goal", "Widget", "bundle"]

FOLDER = Path(__file__).parent
IMPORT = re.compile(r'^import\s[^;]*?from\s+"(\./[^"]+|\.\./[^"]+)";\n', re.MULTILINE)

# A message that came in a thread of its own keeps that thread, and so the front end's next message, for so long.
PATIENCE = 1.0  # seconds


def bundle(source: str) -> str:
    """Return the module `source` (a path below dlcore/widgets) and all it imports from there, as one ES module.

    Jupyter's front ends take one module without relative imports; the page loads the files as they are.
    """
    done: list[Path] = []
    parts: list[str] = []

    def add(path: Path) -> None:
        if path in done:
            return
        done.append(path)
        text = path.read_text(encoding="utf-8")
        for match in IMPORT.finditer(text):
            add((path.parent / match[1]).resolve())
        text = IMPORT.sub("", text)
        if path != top:  # only the widget's own exports are the module's
            text = re.sub(r"^export (?!default)", "", text, flags=re.MULTILINE)
        parts.append(text)

    top = (FOLDER / source).resolve()
    add(top)
    return "\n".join(parts)


class Widget(Base, Guided):
    """A widget that is alive in a kernel and in the page.

    A subclass names its JavaScript in `source` (a path below dlcore/widgets), declares its settings, and writes
    what it computes to further synchronized traits.

    Args:
        device: where it computes: "numpy", "cpu", "cuda", "auto" (see `dlcore.arrays.device`).
        settings: any trait by name.

    Raises:
        TraitError: a setting that is not allowed, saying what is.
        ValueError: a device that this machine does not have.
    """

    source: ClassVar[str] = ""

    device = Choice("numpy", "cpu", "cuda", "mps", "auto")
    running = Switch(False)
    frame = traitlets.Int(0, help="counts the pictures shown").tag(sync=True)
    summary = traitlets.Unicode("", help="the state in sentences, for a screen reader").tag(sync=True)
    choices = traitlets.Dict(help="what each setting may be, for the controls").tag(sync=True)

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        # anywidget makes a class of its own for each widget, in which `_esm` is a trait already.
        if cls.source and Base is not PlainWidget and "_esm" not in vars(cls):
            cls._esm = bundle(cls.source)
            style = (FOLDER / cls.source).with_suffix(".css")
            cls._css = "\n".join(
                path.read_text(encoding="utf-8") for path in (FOLDER / "kit.css", style) if path.exists()
            )

    def __init__(self, **settings: Any) -> None:
        for name in settings:
            if not self.has_trait(name):
                raise TypeError(
                    f"{type(self).__name__}: expected settings among {', '.join(self.settings())}; received {name!r}"
                )
        settings["device"] = arrays.device(settings.get("device", "numpy"))
        self._home = _running_loop()
        self._loop: asyncio.Task[None] | None = None
        self._drawn: asyncio.Event | None = None
        super().__init__(**settings)
        ranges = {name: _range(trait) for name, trait in self.traits().items() if _range(trait)}
        tasks = (
            {"goal": {"tasks": {key: goal.text for key, goal in self.goals.items()}}} if self.goals else {}
        )
        self.choices = ranges | tasks  # set once: a dictionary changed in place would not be sent
        self.on_msg(self._receive)
        self.observe(self._start_or_stop, names="running")
        if self.running:
            self._start_or_stop({"new": True})

    @classmethod
    def settings(cls) -> list[str]:
        """Return the names of what can be set."""
        return [name for name, trait in cls.class_traits().items() if isinstance(trait, Setting)]

    @classmethod
    def restored(cls, state: dict[str, Any]) -> Self:
        """Return a widget in the state that a page has: made from its settings, on NumPy and at rest.

        The page calls this when Python starts, with all synchronized traits, bytes among them. A widget that holds
        more than its settings tell (trained weights, points placed by hand) overrides it and takes them over, too;
        what it does not take over, it shows as new.
        """
        kept = set(cls.settings()) - {"device", "running"}
        return cls(**{name: value for name, value in state.items() if name in kept})

    @classmethod
    def reopened(cls, state: dict[str, Any]) -> Self:
        """Return what `restored` does, with the name and the task that the widget of the page has."""
        widget = cls.restored(state)
        widget.resume(state)
        return widget

    @traitlets.validate("device")
    def _check_device(self, proposal: Any) -> str:
        try:
            return arrays.device(proposal["value"])
        except ValueError as error:
            name = type(self).__name__
            raise traitlets.TraitError(f"{name}.{error}. The widget keeps {self.device!r}") from None

    # -- what the front end asks for

    def _handle_msg(self, message: Any) -> None:
        """Take a message of the front end in the thread in which the widget was made.

        JupyterLab sends widgets' messages to a thread beside the cells' (a subshell), where they would change the
        model amid a step, and wake a loop that is not theirs. That thread waits for us a while, so that a slider
        that is dragged sends its newest value, not a queue of old ones.
        """
        if self._home is None or self._home is _running_loop():
            super()._handle_msg(message)
            return
        taken = threading.Event()

        def take() -> None:
            try:
                Base._handle_msg(self, message)
            finally:
                taken.set()

        self._home.call_soon_threadsafe(take)
        taken.wait(PATIENCE)

    def set_state(self, sync_data: dict[str, Any]) -> None:
        """Take over values from the front end; what is not allowed is refused there in a sentence."""
        last = ("goal", "reached")  # a task is set to the state that comes with it, not to the one before
        ordered = dict(sorted(sync_data.items(), key=lambda entry: entry[0] in last))
        try:
            super().set_state(ordered)
        except (traitlets.TraitError, ValueError) as error:
            self.send({"type": "refused", "message": str(error)})
            self.send_state([name for name in sync_data if name in self.keys])

    def _receive(self, _: Any, content: Any, buffers: list[Any]) -> None:
        kind = content.get("type")
        if kind == "drawn":
            if self._drawn is not None:
                self._drawn.set()
        elif kind == "do":
            self._act(content["action"], content.get("arguments", {}), content.get("id"))

    def _act(self, action: str, arguments: dict[str, Any], request: Any) -> None:
        """Call `do_<action>` and answer with what it returns, or with the sentence that refuses it."""
        try:
            method = getattr(self, f"do_{action}", None)
            if method is None:
                raise ValueError(f"{type(self).__name__} has no action {action!r}")
            result = method(**arguments)
        except (TypeError, ValueError, traitlets.TraitError) as error:
            self.send({"type": "refused", "message": str(error), "id": request})
        else:
            self.send({"type": "did", "action": action, "id": request, "result": result})

    # -- training

    def advance(self) -> bool:
        """Train for one picture's worth; return whether there is more to do."""
        raise NotImplementedError(f"{type(self).__name__} does not train")

    def show(self) -> None:
        """Write what is to be seen into the synchronized traits."""
        raise NotImplementedError(f"{type(self).__name__} does not implement show")

    def publish_frame(self) -> None:
        """Send one consistent picture: all that `show` writes, in one message."""
        with self.hold_sync():
            self.show()
            self.frame += 1

    def _start_or_stop(self, change: Any) -> None:
        if not change["new"] and self._drawn is not None:
            self._drawn.set()  # the loop may be waiting, and shall see that it is over
        if change["new"] and (self._loop is None or self._loop.done()):
            try:
                self._loop = asyncio.get_running_loop().create_task(self._train())
            except RuntimeError:
                self.running = False
                raise RuntimeError(
                    f"{type(self).__name__}: running needs an event loop, as a notebook or a page has; in a plain "
                    "program call step() instead"
                ) from None

    async def _train(self) -> None:
        """Train and show, with one picture under way at a time: who does not draw, does not train."""
        self._drawn = asyncio.Event()
        try:
            while self.running:
                self._drawn.clear()
                more = self.advance()
                self.publish_frame()
                if not more:
                    self.running = False
                await asyncio.sleep(0)
                if self.running:
                    await self._drawn.wait()  # a view that is opened later says so, too
        except Exception as error:
            self.send({"type": "refused", "message": f"Stopped: {error}"})
            raise
        finally:
            self.running = False

    # -- where no JavaScript runs

    def picture(self) -> bytes:
        """Return a picture of the state as PNG, for places that run no JavaScript."""
        raise NotImplementedError(f"{type(self).__name__} does not implement picture")

    def _repr_mimebundle_(self, **options: Any) -> Any:
        bundled = super()._repr_mimebundle_(**options)
        data, metadata = bundled if isinstance(bundled, tuple) else (bundled, {})
        png = base64.b64encode(self.picture()).decode()
        return {**(data or {}), "text/plain": self.summary, "image/png": png}, metadata

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.summary}"


def _running_loop() -> asyncio.AbstractEventLoop | None:
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _range(trait: Any) -> dict[str, Any]:
    """Return what a setting may be, in the form the controls read."""
    kept = ("low", "high", "options", "least", "most")
    return (
        {name: getattr(trait, name) for name in kept if hasattr(trait, name)}
        if isinstance(trait, Setting)
        else {}
    )
