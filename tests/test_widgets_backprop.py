"""The widgets of the chapter Backprop, without a browser: ledgers against the tape, broken passes, messages, refusals.

What they show in a browser is tested in test_widgets_backprop_view.py.
"""

import inspect
import itertools
from typing import Any

import numpy as np
import pytest
import traitlets

import dlcore as dl
from dlcore.backprop import Tensor
from dlcore.widgets import BlameLedger, BreakOneGradient
from dlcore.widgets.break_one_gradient import RATES, STEPS, bug_of, case_of, pattern, ratio
from dlcore.widgets.broken_passes import (
    BUGS,
    NAMES,
    Bug,
    Row,
    broken,
    compare,
    forward,
    lines,
    mean_loss,
    measured,
    right,
    sigmoid,
    slope,
    start,
    train,
)
from dlcore.widgets.ledger import (
    EXPRESSIONS,
    LARGEST,
    Entry,
    Ledger,
    Tape,
    drawn,
    entries,
    mistakes,
    near,
    reply,
)

every_expression = pytest.mark.parametrize("name", list(EXPRESSIONS))
every_bug = pytest.mark.parametrize("bug", BUGS, ids=lambda bug: bug.key)
# Which parameters each bug spoils, and no others.
SPOILT = {
    "sign": NAMES,
    "mean": NAMES,
    "overwrite": ("W1", "b1"),
    "layer": ("W3",),
    "slope": ("W1", "b1", "W2", "b2"),
    "bias": ("b2",),
}


def filled(ledger: BlameLedger) -> BlameLedger:
    """Type the right number at every question."""
    ledger.do_forward()
    while not ledger.done:
        assert ledger.entry is not None
        ledger.do_answer(ledger._ledger.answer(ledger.entry))
    return ledger


def blames(ledger: BlameLedger) -> dict[str, float]:
    return {row[0]: row[5] for row in ledger.nodes}


# ------------------------------------------------------------------------------------------------ the ledger


@every_expression
@pytest.mark.parametrize("seed", range(6))
def test_a_full_ledger_is_the_gradient(name: str, seed: int) -> None:
    ledger = filled(BlameLedger(expression=name, seed=seed))
    tape = ledger._tape
    assert blames(ledger) == pytest.approx(tape.grad, abs=1e-12)
    for row in ledger.nodes:
        assert row[6] == pytest.approx(tape.grad[row[0]], rel=1e-6, abs=1e-8)
        assert row[7:] == [True, True]
    assert (ledger.objections, ledger.slips) == (0, 0)
    assert ledger.by_hand()
    assert "every finite difference agrees" in ledger.story


def test_the_fork_by_another_way() -> None:
    leaves = {"x": 2.0, "w": -3.0}
    tape = Tape(EXPRESSIONS["fork"], tuple(leaves.values()))
    for argument, name in enumerate(leaves):
        by = dl.grad(lambda x, w: (w * x) * (w * x + x), argument)
        assert float(by(*leaves.values())) == pytest.approx(tape.grad[name])
    assert tape.grad == {"x": 24, "w": -20, "u": -10, "v": -6, "L": 1}


@pytest.mark.parametrize(("name", "wrong"), [("fork", ["x", "w", "u"]), ("sine", ["x"])])
def test_who_overwrites_is_contradicted_by_the_finite_differences(name: str, wrong: list[str]) -> None:
    ledger = filled(BlameLedger(expression=name, rule="overwrite", goal="object"))
    assert [row[0] for row in ledger.nodes if row[7] and not row[8]] == wrong
    assert ledger.objections == len(wrong)
    assert ledger.reached
    assert "object" in ledger.story


@pytest.mark.parametrize("name", ["line", "neuron"])
def test_without_a_fork_overwriting_does_no_harm(name: str) -> None:
    assert filled(BlameLedger(expression=name, rule="overwrite")).objections == 0


@every_expression
def test_entries_come_after_all_that_they_need(name: str) -> None:
    expression = EXPRESSIONS[name]
    for done, entry in enumerate(entries(expression, "add")):
        ledger = Ledger(Tape(expression, drawn(expression, 1)), "add", done)
        if entry.kind == "slope":
            assert entry.node in ledger.blame
            assert set(expression.node(entry.node).inputs) <= ledger.values.keys()
        if entry.kind == "total":
            assert len(ledger.arrived[entry.node]) == len(expression.users(entry.node)) > 1


@every_expression
def test_drawn_numbers_are_not_out_of_hand(name: str) -> None:
    expression = EXPRESSIONS[name]
    for seed in range(1, 40):
        leaves = drawn(expression, seed)
        assert leaves == drawn(expression, seed)
        assert max(map(abs, Tape(expression, leaves).value.values())) <= LARGEST
        assert len({abs(leaf) for leaf in leaves}) == len(leaves)


def asked(name: str, at: int) -> tuple[Ledger, Entry]:
    expression = EXPRESSIONS[name]
    tape = Tape(expression, expression.first)
    return Ledger(tape, "add", at), entries(expression, "add")[at]


@pytest.mark.parametrize(
    ("name", "at", "typed", "words"),
    [
        ("fork", 4, -6, "That is u itself"),
        ("fork", 4, 4, "the sign is not"),
        ("fork", 4, 24, "the value of L"),
        ("fork", 8, -6, "it has overwritten the first"),
        ("fork", 8, -4, "the first share alone"),
        ("fork", 8, 24, "You multiplied"),
        ("fork", 8, -5, "the mean"),
        ("fork", 9, -20, "That is the share already"),
        ("line", 5, -0.5, "forgot the factor 2"),
        ("line", 5, 2, "You forgot d"),
        ("line", 7, 1, "the sign is not"),
        ("neuron", 6, 1, "when q grows, L falls"),
        ("neuron", 7, 0.78, "The slope of ln p is 1/p"),
        ("neuron", 8, 0.78, "the value. The slope of σ"),
        ("neuron", 8, 0.22, "You forgot a factor"),
        ("neuron", 8, -0.31, "You put in the sum"),
        ("sine", 6, 0.78, "That is sin u, the value"),
        ("sine", 6, 1.00, "degrees"),
        ("sine", 7, 1.5, "forgot the factor 2"),
    ],
)
def test_a_wrong_entry_is_named(name: str, at: int, typed: float, words: str) -> None:
    ledger, entry = asked(name, at)
    assert not near(typed, ledger.answer(entry))
    assert words in reply(ledger, entry, typed)


def test_any_other_number_gets_an_experiment_that_leads_to_the_answer() -> None:
    ledger, entry = asked("fork", 4)
    assert "when u goes from −6.000 to −5.990, L goes from 24.0000 to 23.9600" in reply(ledger, entry, 17)
    assert "−4.00 and −6.00" in reply(*asked("fork", 8), 17)


@every_expression
def test_no_right_answer_is_called_a_mistake(name: str) -> None:
    expression = EXPRESSIONS[name]
    for seed, (at, entry) in itertools.product(range(3), enumerate(entries(expression, "add"))):
        if entry.asked:
            tape = Tape(expression, drawn(expression, seed))
            ledger = Ledger(tape, "add", at)
            made = BlameLedger(expression=name, seed=seed, at=at)
            made.do_answer(round(ledger.answer(entry), 2))
            assert (made.slips, made.at) == (0, at + 1)
            assert len({words for _, words in mistakes(ledger, entry)}) > 2


def test_the_reader_goes_through_it() -> None:
    ledger = BlameLedger(goal="finish")
    ledger.do_next()
    assert ledger.story == "u = w · x = −6.00."
    ledger.do_forward()
    assert ledger.question == "How fast does L = u · v change with u while v stands still? ∂L/∂u ="
    ledger.do_answer(4)
    assert (ledger.slips, ledger.at) == (1, 4)
    ledger.do_show()
    assert (ledger.typed, ledger.message) == (0, "")
    filled(ledger)
    assert not ledger.reached  # one entry was shown
    ledger.do_reset()
    assert filled(ledger).reached


def test_the_tasks_of_the_ledger() -> None:
    clean = filled(BlameLedger(expression="neuron", goal="neuron"))
    assert clean.reached
    slipped = BlameLedger(expression="neuron", goal="neuron", at=6)
    slipped.do_answer(1)
    assert not filled(slipped).reached
    named = BlameLedger(at=8, goal="name-it")
    named.do_answer(-4)
    assert not named.reached
    named.do_answer(-6)
    assert named.reached


def test_the_ledger_refuses_in_sentences() -> None:
    ledger = BlameLedger(at=4)
    with pytest.raises(ValueError, match="Type a number, or press Show me"):
        ledger.do_next()
    with pytest.raises(ValueError, match="expected a number; received 'four'"):
        ledger.do_answer("four")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="received nan"):
        ledger.do_answer(float("nan"))
    with pytest.raises(ValueError, match="The ledger is full"):
        filled(ledger).do_next()
    for action in (ledger.do_show, lambda: ledger.do_answer(1)):
        with pytest.raises(ValueError, match="Nothing is asked now"):
            action()
    with pytest.raises(
        traitlets.TraitError, match="expected one of fork, line, neuron, sine; received 'knot'"
    ):
        ledger.expression = "knot"
    assert ledger.expression == "fork"


def test_another_expression_is_never_filled_beyond_its_end() -> None:
    ledger = filled(BlameLedger(expression="neuron"))
    ledger.expression = "sine"
    assert ledger.at == ledger.length == len(entries(EXPRESSIONS["sine"], "add"))
    assert ledger.done
    assert (ledger.typed, ledger.by_hand()) == (0, False)


def test_a_ledger_is_restored() -> None:
    ledger = BlameLedger(expression="line", seed=3, at=6, name="ledger", goal="finish")
    ledger.do_answer(0.12)
    other = BlameLedger.reopened(ledger.get_state())
    assert ledger.message
    for name in ("nodes", "edges", "question", "message", "at", "slips", "typed", "summary", "name", "goal"):
        assert getattr(other, name) == getattr(ledger, name), name


# ------------------------------------------------------------------------------------------------ broken passes


def setting(seed: int, count: int = 60) -> tuple[Any, Any, Any]:
    rng = np.random.default_rng(seed)
    points, labels = dl.data.circle(count, rng=rng)
    return points.astype(np.float64) / 3, (labels[:, None] + 1.0) / 2, start(rng)


@pytest.mark.parametrize("seed", range(5))
def test_the_right_pass_agrees_with_the_tape_and_with_differences(seed: int) -> None:
    x, t, parameters = setting(seed)
    w1, b1, w2, b2, w3, b3 = tensors = [Tensor(p, requires_grad=True) for p in parameters]
    h1 = dl.activations.tanh(x @ w1 + b1)
    h2 = h1 + dl.activations.tanh(h1 @ w2 + b2)
    dl.loss.binary_cross_entropy(h2 @ w3 + b3, t).backward()
    found = right(forward(x, parameters), t, parameters[2], parameters[4])
    for ours, tensor in zip(found, tensors, strict=True):
        np.testing.assert_allclose(ours, np.asarray(tensor.grad), rtol=1e-10, atol=1e-14)
    assert all(row.agrees for row in compare(found, measured(x, t, parameters)))


@every_bug
@pytest.mark.parametrize("seed", range(5))
def test_every_bug_is_caught_where_it_is_and_nowhere_else(bug: Bug, seed: int) -> None:
    x, t, parameters = setting(seed)
    found = broken(bug)(forward(x, parameters), t, parameters[2], parameters[4])
    rows = compare(found, measured(x, t, parameters))
    assert tuple(row.name for row in rows if not row.agrees) == SPOILT[bug.key]


@every_bug
def test_a_bug_is_one_line_of_the_right_pass(bug: Bug) -> None:
    source = inspect.getsource(right)
    assert source.count(bug.line) == 1
    assert bug.wrong not in [line.partition("#")[0].strip() for line in source.splitlines()]
    body, place = lines(bug)
    assert body[place].startswith(bug.line)
    assert body[-1].startswith("return")


def test_a_bug_in_no_line_is_refused() -> None:
    with pytest.raises(ValueError, match="expected exactly one line 'g_q = 0'"):
        broken(Bug("none", "", "g_q = 0", "", "", ""))


@every_bug
def test_the_loss_mostly_falls_all_the_same(bug: Bug) -> None:
    fell = []
    for seed in range(4):
        x, t, parameters = setting(seed, 100)
        losses, _ = train(broken(bug), x, t, parameters, learning_rate=0.03, steps=100)
        fell.append(losses[-1] < losses[0])
    assert fell == [bug.key != "sign"] * 4


def test_the_bias_bug_gives_each_point_a_bias_of_its_own() -> None:
    x, t, parameters = setting(0)
    bias = next(bug for bug in BUGS if bug.key == "bias")
    _, after = train(broken(bias), x, t, parameters, learning_rate=0.1, steps=1)
    assert after[3].shape == (60, 8)
    with pytest.raises(ValueError, match="broadcast"):
        forward(x[:7], after)  # other points cannot be read


def test_training_does_not_touch_its_start_and_stops_at_an_overflow() -> None:
    x, t, parameters = setting(0)
    copies = [p.copy() for p in parameters]
    sign = next(bug for bug in BUGS if bug.key == "sign")
    losses, _ = train(broken(sign), x, t, parameters, learning_rate=1e308, steps=20)
    assert losses[-1] == np.inf
    for p, copy in zip(parameters, copies, strict=True):
        np.testing.assert_array_equal(p, copy)


def test_small_parts() -> None:
    z = np.array([[-800.0], [0.0], [800.0]])
    np.testing.assert_allclose(sigmoid(z)[:, 0], [0, 0.5, 1])
    np.testing.assert_allclose(slope(np.array([0.0])), [1])
    assert mean_loss(np.zeros((2, 1)), np.ones((2, 1))) == pytest.approx(np.log(2))


# ------------------------------------------------------------------------------------------------ the mysteries


def test_each_six_mysteries_have_each_bug_once() -> None:
    for begin in range(0, 60, 6):
        assert {bug_of(case).key for case in range(begin, begin + 6)} == {bug.key for bug in BUGS}
    assert len({tuple(bug_of(case).key for case in range(i, i + 6)) for i in range(0, 60, 6)}) > 3


@pytest.mark.parametrize("case", range(6))
@pytest.mark.parametrize("data", ["circle", "spiral"])
def test_a_mystery_is_what_the_passes_make_it(case: int, data: str) -> None:
    mystery = BreakOneGradient(seed=case, data=data)
    bug, x, t, parameters = case_of(case, data)
    curves = np.frombuffer(mystery.curves, "<f4").reshape(2, STEPS + 1)
    for row, gradient in zip(curves, (right, broken(bug)), strict=True):
        losses, _ = train(gradient, x, t, parameters, learning_rate=0.1, steps=STEPS)
        np.testing.assert_allclose(row, losses, rtol=1e-6)
    assert tuple(row[0] for row in mystery.rows if not row[5]) == SPOILT[bug.key]
    assert bug.name not in mystery.summary  # it is not told
    assert all(line[1:] == ["", False] for line in mystery.code)


def test_a_guess_is_answered_by_what_the_table_shows() -> None:
    mystery = BreakOneGradient(seed=0, goal="name")
    assert bug_of(0).key == "overwrite"
    mystery.do_guess("layer")
    assert mystery.feedback.startswith("No, this is not “another layer's activations used”.")
    assert (
        "W1 and b1 are wrong, with ratios all over the place, and W2, b2, W3 and b3 agree."
        in mystery.feedback
    )
    assert mystery.code[0][1] == ""
    mystery.do_guess("overwrite")
    assert mystery.found
    assert mystery.reached
    assert mystery.feedback.startswith("Yes: a fork overwritten instead of added.")
    assert [line for line in mystery.code if line[2]] == [
        [
            "g_h1 = g_h1 + g_z2 @ w2.T  # and through layer 2",
            "g_h1 = g_z2 @ w2.T  # and through layer 2",
            True,
        ]
    ]
    with pytest.raises(ValueError, match="This mystery is solved"):
        mystery.do_guess("sign")


@pytest.mark.parametrize("case", range(6))
def test_every_wrong_guess_is_answered_differently(case: int) -> None:
    mystery, said = BreakOneGradient(seed=case), []
    for bug in BUGS:
        if bug != bug_of(case):
            mystery.do_guess(bug.key)
            said.append(mystery.feedback)
    assert len(set(said)) == 5
    assert not mystery.found


def test_telling_ends_a_row() -> None:
    mystery = BreakOneGradient(goal="streak")
    for _ in range(2):
        mystery.do_guess(bug_of(mystery.seed).key)
        mystery.do_next()
    assert (mystery.streak, mystery.reached) == (2, False)
    mystery.do_tell()
    assert (mystery.streak, mystery.told) == (0, True)
    assert bug_of(2).name in mystery.feedback
    for _ in range(3):
        mystery.do_next()
        mystery.do_guess(bug_of(mystery.seed).key)
    assert mystery.reached


def test_a_wrong_guess_ends_a_row_too() -> None:
    mystery = BreakOneGradient()
    mystery.do_guess("overwrite")
    mystery.do_next()
    wrong = next(bug.key for bug in BUGS if bug != bug_of(1))
    mystery.do_guess(wrong)
    mystery.do_guess(bug_of(1).key)
    assert mystery.streak == 0


def test_the_tasks_about_the_curve() -> None:
    falling = BreakOneGradient(seed=0, goal="falling")
    falling.do_guess("overwrite")
    assert falling.reached
    rising = BreakOneGradient(seed=[bug_of(i).key for i in range(6)].index("sign"), goal="falling")
    rising.do_guess("sign")
    assert not rising.reached
    case = [bug_of(i).key for i in range(6)].index("bias")
    better = BreakOneGradient(seed=case, data="spiral", learning_rate=0.3, goal="better")
    better.do_guess("bias")
    assert better.reached
    assert "lower than with the right gradient" in better.curve_words


def test_another_rate_keeps_the_guesses_and_another_mystery_does_not() -> None:
    mystery = BreakOneGradient()
    mystery.do_guess("sign")
    curves = mystery.curves
    mystery.learning_rate = 0.3
    assert mystery.curves != curves
    assert mystery.guesses == ["sign"]
    mystery.do_next()
    assert (mystery.guesses, mystery.feedback) == ([], "")


def test_a_mystery_is_restored() -> None:
    mystery = BreakOneGradient(seed=4, data="spiral", learning_rate=0.3, name="broken", goal="name")
    mystery.do_guess("sign")
    mystery.do_guess(bug_of(4).key)
    other = BreakOneGradient.reopened(mystery.get_state())
    for name in (
        "seed",
        "data",
        "learning_rate",
        "guesses",
        "found",
        "feedback",
        "code",
        "rows",
        "summary",
        "reached",
    ):
        assert getattr(other, name) == getattr(mystery, name), name


def test_the_mystery_refuses_in_sentences() -> None:
    mystery = BreakOneGradient()
    with pytest.raises(ValueError, match=r"expected one of sign, mean, .*; received 'typo'"):
        mystery.do_guess("typo")
    with pytest.raises(
        traitlets.TraitError, match=r"expected one of 0\.01, 0\.03, 0\.1, 0\.3, 1; received 0\.2"
    ):
        mystery.learning_rate = 0.2
    assert mystery.learning_rate in RATES


def test_what_the_table_says_in_words() -> None:
    rows = [Row(name, (2,), (2,), 2.0, -1.0, -1.0) for name in NAMES]
    assert pattern(rows) == "every row has the ratio −1.00"
    assert ratio(Row("b2", (9, 2), (2,), np.inf, np.nan, np.nan)) == "no ratio"


@pytest.mark.parametrize("settings", [{}, {"rule": "overwrite", "at": 9}, {"expression": "neuron", "at": 13}])
def test_the_ledgers_picture(settings: dict[str, Any]) -> None:
    assert BlameLedger(**settings).picture().startswith(b"\x89PNG")


def test_the_mysterys_picture() -> None:
    sign = [bug_of(i).key for i in range(6)].index("sign")
    assert BreakOneGradient(seed=sign).picture().startswith(b"\x89PNG")
