"""A widget that trains nothing: it counts. The tests of the live page put it into a copy of dlcore."""

import base64
import os
from typing import Any

import numpy as np
import traitlets

from dlcore.widgets.base import Widget
from dlcore.widgets.traits import Whole

PIXEL = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNkYPhfDwAChwGA60e6kgAAAABJRU5ErkJggg=="


class Counter(Widget):
    """Counts by `pace`, in the open (`count`) and as bytes (`bars`)."""

    source = "counter/counter.js"

    pace = Whole(1, low=1, high=100)
    count = traitlets.Int(0).tag(sync=True)
    bars = traitlets.Bytes(b"").tag(sync=True)

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self.observe(lambda _: self.show(), names="pace")
        self.show()

    def advance(self) -> bool:
        self.count += self.pace
        return True

    def show(self) -> None:
        self.bars = np.full(4, self.count, np.float32).tobytes()
        self.summary = f"Counted to {self.count} by {self.pace}."

    def do_step(self) -> int:
        self.advance()
        self.show()
        return self.count

    def do_hang(self) -> None:
        while True:
            pass

    def do_fail(self) -> None:
        raise ZeroDivisionError("nobody divides by zero")

    def do_count_digits(self) -> int:
        from dlcore.data import digits

        return len(digits("train")[0])

    def do_process(self) -> str:
        return os.name + "/" + type(self).__mro__[2].__name__

    def picture(self) -> bytes:
        return base64.b64decode(PIXEL)
