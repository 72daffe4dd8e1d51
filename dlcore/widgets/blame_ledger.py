"""Blame ledger: the chain rule on a small graph, one entry at a time (chapter Backprop).

    forward     values appear, node by node
    backward    the reader types each local slope; slope times blame is the share that flows back
    forks       shares from several ways add, and the reader says what they make
    check       as soon as a node's blame is complete, a finite difference stands beside it

Values, slopes and gradients come off dlcore's own tape (`ledger`). By the rule "overwrite" the ledger makes the classic
mistake, and the finite differences object.
"""

from __future__ import annotations

from typing import Any, ClassVar

import traitlets

from .base import Goal, Widget
from .ledger import EXPRESSIONS, Entry, Ledger, Tape, drawn, entries, near, reply
from .line import count, number
from .traits import Choice, Whole, real, shown

MOST = 40  # entries of a ledger, at the most


def about_way(node: str, source: str, ledger: Ledger) -> str:
    """Return in words how blame went along one edge."""
    way = (node, source)
    return (
        f"∂{node}/∂{source} = {number(ledger.slopes[way])}, times the blame of {node}, "
        f"{number(ledger.blame[node])}, is a share of {number(ledger.shares[way])} for {source}."
    )


class BlameLedger(Widget):
    """A small graph whose gradients the reader works out, entry by entry.

    Settings: `expression`; `seed`, of the leaves' values; `rule`, whether shares add or overwrite; `at`, how many
    entries are written.

    >>> ledger = BlameLedger(expression="fork", at=4)
    >>> ledger.question
    'How fast does L = u · v change with u while v stands still? ∂L/∂u ='
    >>> ledger.do_answer(-6)
    >>> ledger.message
    'That is u itself. With u moved, v is what multiplies the change.'
    """

    source = "blame_ledger.js"
    goals: ClassVar[dict[str, Goal]] = {
        "finish": Goal(
            "Work out every entry of this ledger yourself.", lambda ledger: ledger.done and ledger.by_hand()
        ),
        "neuron": Goal(
            "Fill the ledger of the neuron without a wrong entry.",
            lambda ledger: (
                ledger.expression == "neuron" and ledger.done and ledger.by_hand() and not ledger.slips
            ),
        ),
        "object": Goal(
            "Let the ledger overwrite, and go on until a finite difference objects.",
            lambda ledger: ledger.rule == "overwrite" and ledger.objections > 0,
        ),
        "name-it": Goal(
            "Give a wrong total at the fork on purpose, such that the ledger says you have overwritten.",
            lambda ledger: "overwritten" in ledger.message,
        ),
    }

    expression = Choice(*EXPRESSIONS)
    seed = Whole(0, low=0, high=9999)
    rule = Choice("add", "overwrite")
    at = Whole(0, low=0, high=MOST)

    title = traitlets.Unicode(help="what the expression is").tag(sync=True)
    nodes: traitlets.List[Any] = traitlets.List(
        help="name, formula, column, row, value, blame, finite difference (None: not yet), complete, agrees"
    ).tag(sync=True)
    edges: traitlets.List[Any] = traitlets.List(
        help="number of the input, of the node, slope, share (None: not yet), whether it is asked"
    ).tag(sync=True)
    question = traitlets.Unicode(help="what is asked; empty: nothing").tag(sync=True)
    message = traitlets.Unicode(help="the answer to a wrong entry").tag(sync=True)
    story = traitlets.Unicode(help="what was written last").tag(sync=True)
    length = traitlets.Int(help="how many entries the ledger has").tag(sync=True)
    done = traitlets.Bool(False, help="whether all are written").tag(sync=True)
    typed = traitlets.Int(0, help="entries that the reader worked out").tag(sync=True)
    slips = traitlets.Int(0, help="wrong entries").tag(sync=True)
    objections = traitlets.Int(0, help="complete nodes whose finite difference differs").tag(sync=True)

    def __init__(self, **settings: Any) -> None:
        super().__init__(**settings)
        self._seen: tuple[Any, ...] = ()
        self._writing = False
        self.observe(self._settle, names=["expression", "seed", "rule", "at"])
        self._settle()

    @classmethod
    def restored(cls, state: dict[str, Any]) -> BlameLedger:
        """Return a ledger in the state of a page, with what its reader had worked out."""
        widget = super().restored(state)
        widget.typed, widget.slips = int(state.get("typed", 0)), int(state.get("slips", 0))
        widget.message = str(state.get("message", ""))
        widget._show()
        return widget

    def by_hand(self) -> bool:
        """Return whether the reader has worked out all that is asked."""
        return self.typed == sum(entry.asked for entry in self._entries)

    @property
    def entry(self) -> Entry | None:
        """The entry that comes next; None at the end."""
        return self._entries[self.at] if self.at < len(self._entries) else None

    # -- the reader's actions

    def do_next(self) -> None:
        """Write the next entry, if it is one that needs no thought."""
        if self.entry is None:
            raise ValueError("The ledger is full. Press Start again, or take other numbers")
        if self.entry.asked:
            raise ValueError(f"{self.question} Type a number, or press Show me")
        self._write(1)

    def do_forward(self) -> None:
        """Write all values, up to the first question."""
        ahead = self._entries[self.at :]
        self._write(next((i for i, entry in enumerate(ahead) if entry.asked), len(ahead)))

    def do_answer(self, value: float) -> None:
        """Take the reader's number: write it if it is right, else say what is wrong with it."""
        typed = real(value)
        if not abs(typed) < 1e9:
            raise ValueError(f"answer: expected a number; received {shown(value)}. Two decimals are enough")
        entry = self.entry
        if entry is None or not entry.asked:
            raise ValueError("Nothing is asked now. Press Next")
        if near(typed, self._ledger.answer(entry)):
            self.typed += 1
            self._write(1)
        else:
            with self.hold_sync():
                self.slips += 1
                self.message = reply(self._ledger, entry, typed)
                self._say()

    def do_show(self) -> None:
        """Write the entry that is asked, without the reader's help."""
        if self.entry is None or not self.entry.asked:
            raise ValueError("Nothing is asked now. Press Next")
        self._write(1)

    def do_reset(self) -> None:
        """Empty the ledger."""
        with self.hold_sync():
            self.at = 0
            self._begin()
            self._show()

    def do_draw(self) -> None:
        """Take other numbers, from the next seed."""
        with self.hold_sync(), self.hold_trait_notifications():
            self.seed, self.at = (self.seed + 1) % 10_000, 0

    # -- what follows from the settings

    def _write(self, entries_more: int) -> None:
        self._writing = True
        try:
            with self.hold_sync():
                self.message = ""
                self.at += entries_more
        finally:
            self._writing = False

    def _begin(self) -> None:
        self.typed, self.slips, self.message = 0, 0, ""

    def _settle(self, _: Any = None) -> None:
        graph = (self.expression, self.seed, self.rule)
        if (*graph, self.at) == self._seen:
            return
        another = graph != self._seen[:3]
        if another:
            expression = EXPRESSIONS[self.expression]
            self._tape = Tape(expression, drawn(expression, self.seed))
            self._entries = entries(expression, self.rule)
        if self.at > len(self._entries):
            self.at = len(self._entries)  # and _settle is called again
            return
        self._seen = (*graph, self.at)
        with self.hold_sync():
            if not self._writing:
                self._begin()
            self._show()

    def _show(self) -> None:
        expression, tape = EXPRESSIONS[self.expression], self._tape
        self._ledger = ledger = Ledger(tape, self.rule, self.at)
        numbers = {node.name: i for i, node in enumerate(expression.nodes)}
        self.nodes = [self._row(node) for node in expression.nodes]
        self.objections = sum(row[7] and not row[8] for row in self.nodes)
        entry = self.entry
        self.edges = [
            [
                numbers[source],
                numbers[node.name],
                ledger.slopes.get((node.name, source)),
                ledger.shares.get((node.name, source)),
                entry is not None and entry == Entry("slope", node.name, source),
            ]
            for node in expression.nodes
            for source in node.inputs
        ]
        self.title, self.length = expression.title, len(self._entries)
        self.done = entry is None
        self.question = self._ask(entry)
        self.story = self._tell()
        self._say()

    def _row(self, node: Any) -> list[Any]:
        ledger = self._ledger
        blame = ledger.blame.get(node.name)
        waiting = len(EXPRESSIONS[self.expression].users(node.name)) - len(ledger.arrived[node.name])
        complete = blame is not None and waiting == 0
        measured = self._tape.measured(node.name) if complete else None
        agrees = measured is not None and blame is not None and near(blame, measured)
        value = ledger.values.get(node.name)
        return [node.name, node.formula, *node.place, value, blame, measured, complete, agrees]

    def _ask(self, entry: Entry | None) -> str:
        if entry is None or not entry.asked:
            return ""
        if entry.kind == "total":
            shares = " and ".join(number(share) for share in self._ledger.arrived[entry.node])
            return f"The shares {shares} have come to {entry.node}. What is its blame?"
        node = EXPRESSIONS[self.expression].node(entry.node)
        still = [f" while {name} stands still" for name in node.inputs if name != entry.source]
        way = f"∂{entry.node}/∂{entry.source}"
        return (
            f"How fast does {entry.node} = {node.formula} change with {entry.source}{''.join(still)}? {way} ="
        )

    def _tell(self) -> str:
        """Return what the last entry was."""
        if self.at == 0:
            leaves = ", ".join(f"{name} = {number(value)}" for name, value in self._ledger.values.items())
            return f"Given: {leaves}."
        last = self._entries[self.at - 1]
        if last.kind == "value":
            formula = EXPRESSIONS[self.expression].node(last.node).formula
            return f"{last.node} = {formula} = {number(self._ledger.values[last.node])}."
        if last.kind == "seed":
            return "All values are known. The blame of L is 1: it changes as fast as itself. Now back, edge by edge."
        if last.kind == "total":
            blame = number(self._ledger.blame[last.node])
            return f"The shares add: the blame of {last.node} is {blame}." + self._verdict()
        return about_way(last.node, last.source, self._ledger) + self._verdict()

    def _verdict(self) -> str:
        if self.entry is not None:
            return ""
        if not self.objections:
            return " The ledger is full, and every finite difference agrees."
        wrong = [row[0] for row in self.nodes if row[7] and not row[8]]
        return (
            f" The ledger is full, but the finite differences object at {', '.join(wrong)}: what came to a fork by "
            "one way was overwritten by what came by the other."
        )

    def _say(self) -> None:
        parts = ", ".join(f"{row[0]} = {row[1]}" for row in self.nodes if row[1])
        known = "; ".join(f"{row[0]} {number(row[5])}" for row in self.nodes if row[5] is not None)
        self.summary = " ".join(
            filter(
                None,
                [
                    f"{self.title.capitalize()}: {parts}. Entry {self.at} of {self.length}.",
                    f"Shares {'add' if self.rule == 'add' else 'overwrite each other'}.",
                    self.story,
                    f"Blame so far: {known}." if known else "",
                    f"{count(self.objections, 'objection')} of the finite differences."
                    if self.objections
                    else "",
                    self.question,
                    self.message,
                ],
            )
        )

    def picture(self) -> bytes:
        """Return the graph, with what is written, as PNG."""
        from dlcore import plots

        ax = plots.figure(width=8.0, height=3.0)[0]
        places = [(row[2], -row[3]) for row in self.nodes]
        box: dict[str, Any] = {"boxstyle": "round", "facecolor": "white", "edgecolor": plots.GREY}
        middle: dict[str, Any] = {"ha": "center", "va": "center", "fontsize": 9, "in_layout": False}
        with plots.style():
            for source, node, slope, *_ in self.edges:
                (x0, y0), (x1, y1) = places[source], places[node]
                ax.plot([x0, x1], [y0, y1], "-", color=plots.GREY, linewidth=1, zorder=1)
                if slope is not None:
                    ax.text(
                        (x0 + x1) / 2,
                        (y0 + y1) / 2,
                        number(slope),
                        color=plots.PURPLE,
                        **(middle | {"va": "bottom"}),
                    )
            for (name, _, _, _, value, blame, *_), (x, y) in zip(self.nodes, places, strict=True):
                words = name if value is None else f"{name} = {number(value)}"
                words += "" if blame is None else f"\nblame {number(blame)}"
                ax.text(x, y, words, color="black", bbox=box, **middle)
            ax.set_axis_off()
            ax.margins(0.15, 0.25)
        return plots.png(ax)
