"""Typical wrong answers, and other right ones, for the assignment of the chapter Interpretability."""

from tests.assignments import Right, Wrong


def slope(body: str) -> str:
    return f"def slope(network, x):\n    W, b, w, c = network\n{body}"


def path(body: str) -> str:
    return f"def integrated_gradients(slope_at, x, baseline, steps):\n{body}"


def occlusion(body: str) -> str:
    return f"def occlusion(network, x, baseline):\n{body}"


def agreement(body: str) -> str:
    return f"def agreement(one, other):\n{body}"


def importance(body: str) -> str:
    return f"def importance(network, x, t, columns, order):\n{body}"


SLOPE = [
    Wrong(
        "slope",
        "the ReLU has no part in the slope",
        slope("    return W @ w"),
        "the ReLU was left out",
    ),
    Wrong(
        "slope",
        "the ReLU itself for its derivative",
        slope("    return W @ (np.maximum(x @ W + b, 0) * w)"),
        "not 1 for a unit that is on",
    ),
    Wrong(
        "slope",
        "the bias forgotten",
        slope("    return W @ ((x @ W > 0) * w)"),
        "the biases were left out",
    ),
    Wrong(
        "slope",
        "saliency for the slope",
        slope("    return np.abs(W @ ((x @ W + b > 0) * w))"),
        "the size of the slope; its sign counts",
    ),
    Wrong(
        "slope",
        "only what is positive is passed back, as in guided backprop",
        slope("    return W @ ((x @ W + b > 0) * np.maximum(w, 0))"),
        "as in guided backprop",
    ),
    Wrong(
        "slope",
        "gradient times input for the gradient",
        slope("    return x * (W @ ((x @ W + b > 0) * w))"),
        "the slope times the input",
    ),
    Wrong(
        "slope",
        "the weights of the score forgotten",
        slope("    return W @ (x @ W + b > 0)"),
        "w was left out",
    ),
    Wrong(
        "slope",
        "a unit is on where it is negative",
        slope("    return W @ ((x @ W + b < 0) * w)"),
        "those that are on were not",
    ),
]

PATH = [
    Wrong(
        "integrated_gradients",
        "the slope at the end of each piece",
        path("""    slopes = [slope_at(baseline + k / steps * (x - baseline)) for k in range(1, steps + 1)]
    return (x - baseline) * np.mean(slopes, axis=0)"""),
        "at the end of each piece",
    ),
    Wrong(
        "integrated_gradients",
        "linspace cuts the way into pieces",
        path("""    slopes = [slope_at(baseline + share * (x - baseline)) for share in np.linspace(0, 1, steps)]
    return (x - baseline) * np.mean(slopes, axis=0)"""),
        "both ends included",
    ),
    Wrong(
        "integrated_gradients",
        "an integral is a sum",
        path("""    shares = (np.arange(steps) + 0.5) / steps
    return (x - baseline) * sum(slope_at(baseline + share * (x - baseline)) for share in shares)"""),
        "summed, not averaged",
    ),
    Wrong(
        "integrated_gradients",
        "the reference counts on the way only",
        path("""    shares = (np.arange(steps) + 0.5) / steps
    return x * np.mean([slope_at(baseline + share * (x - baseline)) for share in shares], axis=0)"""),
        "multiplied by x, not by x - baseline",
    ),
    Wrong(
        "integrated_gradients",
        "the way is a share of the input",
        path("""    shares = (np.arange(steps) + 0.5) / steps
    return (x - baseline) * np.mean([slope_at(share * x) for share in shares], axis=0)"""),
        "the way began at 0",
    ),
    Wrong(
        "integrated_gradients",
        "the mean slope is the map",
        path("""    shares = (np.arange(steps) + 0.5) / steps
    return np.mean([slope_at(baseline + share * (x - baseline)) for share in shares], axis=0)"""),
        "the mean slope was not multiplied by x - baseline",
    ),
    Wrong(
        "integrated_gradients",
        "importance has no sign",
        path("""    shares = (np.arange(steps) + 0.5) / steps
    slopes = [slope_at(baseline + share * (x - baseline)) for share in shares]
    return np.abs((x - baseline) * np.mean(slopes, axis=0))"""),
        "the sizes came back; the signs count",
    ),
    Wrong(
        "integrated_gradients",
        "the slope at the input stands for all",
        path("    return (x - baseline) * slope_at(x)"),
        "only the slope at x was taken",
    ),
    Wrong(
        "integrated_gradients",
        "one mean over everything",
        path("""    shares = (np.arange(steps) + 0.5) / steps
    return (x - baseline) * np.mean([slope_at(baseline + share * (x - baseline)) for share in shares])"""),
        "over inputs and places together",
    ),
]

OCCLUSION = [
    Wrong(
        "occlusion",
        "after less before",
        occlusion("""    credit = np.zeros(len(x))
    for j in range(len(x)):
        covered = x.copy()
        covered[j] = baseline[j]
        credit[j] = score(network, covered) - score(network, x)
    return credit"""),
        "score before less score after",
    ),
    Wrong(
        "occlusion",
        "what was covered stays covered",
        occlusion("""    credit, covered = np.zeros(len(x)), x.copy()
    for j in range(len(x)):
        covered[j] = baseline[j]
        credit[j] = score(network, x) - score(network, covered)
    return credit"""),
        "stayed covered while the next one was",
    ),
    Wrong(
        "occlusion",
        "inputs leave one after the other",
        occlusion("""    credit, covered, before = np.zeros(len(x)), x.copy(), score(network, x)
    for j in range(len(x)):
        covered[j] = baseline[j]
        credit[j] = before - score(network, covered)
        before = score(network, covered)
    return credit"""),
        "compared with the one before it",
    ),
    Wrong(
        "occlusion",
        "to cover is to set to 0",
        occlusion("""    credit = np.zeros(len(x))
    for j in range(len(x)):
        covered = x.copy()
        covered[j] = 0
        credit[j] = score(network, x) - score(network, covered)
    return credit"""),
        "covered with 0, not with the reference",
    ),
    Wrong(
        "occlusion",
        "all but one are covered",
        occlusion("""    credit = np.zeros(len(x))
    for j in range(len(x)):
        covered = baseline.copy()
        covered[j] = x[j]
        credit[j] = score(network, x) - score(network, covered)
    return credit"""),
        "all inputs but one were covered",
    ),
    Wrong(
        "occlusion",
        "a name is a copy",
        occlusion("""    credit, whole = np.zeros(len(x)), score(network, x)
    for j in range(len(x)):
        covered = x
        covered[j] = baseline[j]
        credit[j] = whole - score(network, covered)
    return credit"""),
        "stayed covered while the next one was|changed in place",
    ),
    Wrong(
        "occlusion",
        "importance has no sign",
        occlusion("""    credit = np.zeros(len(x))
    for j in range(len(x)):
        covered = x.copy()
        covered[j] = baseline[j]
        credit[j] = abs(score(network, x) - score(network, covered))
    return credit"""),
        "speaks against the score has a negative credit",
    ),
    Wrong(
        "occlusion",
        "the slope times the change, as the score is a sum",
        occlusion("""    W, b, w, c = network
    return (x - baseline) * (W @ ((x @ W + b > 0) * w))"""),
        "to cover is no small change",
    ),
]

AGREEMENT = [
    Wrong(
        "agreement",
        "argsort gives ranks",
        agreement("    return np.corrcoef(np.argsort(one.ravel()), np.argsort(other.ravel()))[0, 1]"),
        "argsort gives the places of the sorted values",
    ),
    Wrong(
        "agreement",
        "the correlation of the values",
        agreement("    return np.corrcoef(one.ravel(), other.ravel())[0, 1]"),
        "the values were correlated, not their ranks",
    ),
    Wrong(
        "agreement",
        "the size is what counts",
        agreement("""    p, q = (np.argsort(np.argsort(np.abs(m).ravel())) for m in (one, other))
    return np.corrcoef(p, q)[0, 1]"""),
        "the sizes were ranked",
    ),
    Wrong(
        "agreement",
        "the means left in",
        agreement("""    p, q = (np.argsort(np.argsort(m.ravel())) for m in (one, other))
    return np.sum(p * q) / np.sqrt(np.sum(p**2) * np.sum(q**2))"""),
        "the means of the ranks were not taken away",
    ),
    Wrong(
        "agreement",
        "each row has its own ranks",
        agreement("""    p, q = (np.argsort(np.argsort(m)).ravel() for m in (one, other))
    return np.corrcoef(p, q)[0, 1]"""),
        "each row was ranked by itself",
    ),
    Wrong(
        "agreement",
        "the share of pixels with the same rank",
        agreement("""    p, q = (np.argsort(np.argsort(m.ravel())) for m in (one, other))
    return np.mean(p == q)"""),
        "share of pixels with equal ranks",
    ),
    Wrong(
        "agreement",
        "the covariance for the correlation",
        agreement("""    p, q = (np.argsort(np.argsort(m.ravel())) for m in (one, other))
    return np.mean((p - p.mean()) * (q - q.mean()))"""),
        "divide by both roots",
    ),
]

IMPORTANCE = [
    Wrong(
        "importance",
        "after less before",
        importance("""    mixed = x.copy()
    mixed[:, columns] = x[order][:, columns]
    before, after = (np.mean((score(network, rows) > 0) == (t == 1)) for rows in (x, mixed))
    return after - before"""),
        "share before less share after",
    ),
    Wrong(
        "importance",
        "the rows are shuffled",
        importance("""    before, after = (np.mean((score(network, rows) > 0) == (t == 1)) for rows in (x, x[order]))
    return before - after"""),
        "whole rows were shuffled",
    ),
    Wrong(
        "importance",
        "the targets go along",
        importance("""    mixed = x.copy()
    mixed[:, columns] = x[order][:, columns]
    before = np.mean((score(network, x) > 0) == (t == 1))
    return before - np.mean((score(network, mixed) > 0) == (t[order] == 1))"""),
        "the targets were shuffled, too",
    ),
    Wrong(
        "importance",
        "one column after the other, added up",
        importance("""    fall = 0.0
    for j in columns:
        mixed = x.copy()
        mixed[:, j] = x[order, j]
        before, after = (np.mean((score(network, rows) > 0) == (t == 1)) for rows in (x, mixed))
        fall += before - after
    return fall"""),
        "one at a time, so that the others stood in",
    ),
    Wrong(
        "importance",
        "to shuffle is to wipe out",
        importance("""    mixed = x.copy()
    mixed[:, columns] = 0
    before, after = (np.mean((score(network, rows) > 0) == (t == 1)) for rows in (x, mixed))
    return before - after"""),
        "wiped out, not shuffled",
    ),
    Wrong(
        "importance",
        "the order read the other way round",
        importance("""    mixed = x.copy()
    mixed[np.ix_(order, columns)] = x[:, columns]
    before, after = (np.mean((score(network, rows) > 0) == (t == 1)) for rows in (x, mixed))
    return before - after"""),
        r"example order\[i\] received what example i had",
    ),
    Wrong(
        "importance",
        "answers are counted",
        importance("""    mixed = x.copy()
    mixed[:, columns] = x[order][:, columns]
    before, after = (np.sum((score(network, rows) > 0) == (t == 1)) for rows in (x, mixed))
    return before - after"""),
        "the number of lost answers",
    ),
    Wrong(
        "importance",
        "what is left is the importance",
        importance("""    mixed = x.copy()
    mixed[:, columns] = x[order][:, columns]
    return np.mean((score(network, mixed) > 0) == (t == 1))"""),
        "not how far it falls",
    ),
    Wrong(
        "importance",
        "the shuffle happens in the table itself",
        importance("""    before = np.mean((score(network, x) > 0) == (t == 1))
    x[:, columns] = x[order][:, columns]
    return before - np.mean((score(network, x) > 0) == (t == 1))"""),
        "changed in place",
    ),
    Wrong(
        "importance",
        "no importance is below 0",
        importance("""    mixed = x.copy()
    mixed[:, columns] = x[order][:, columns]
    before, after = (np.mean((score(network, rows) > 0) == (t == 1)) for rows in (x, mixed))
    return max(before - after, 0.0)"""),
        "cut off at 0",
    ),
]

LOOK_ALIKES = [  # mistakes that look like other ones
    Wrong(
        "integrated_gradients",
        "the credits are one number, their sum",
        """\
def integrated_gradients(slope_at, x, baseline, steps):
    places = [baseline + (k + 0.5) / steps * (x - baseline) for k in range(steps)]
    return np.sum((x - baseline) * np.mean([slope_at(place) for place in places], axis=0))
""",
        "they were added up",
    ),
    Wrong(
        "occlusion",
        "credits are shares of the largest",
        """\
def occlusion(network, x, baseline):
    falls = score(network, x) - score(network, np.where(np.eye(len(x)) == 1, baseline, x))
    return falls / np.abs(falls).max()
""",
        "divided by the largest",
    ),
    Wrong(
        "agreement",
        "np.corrcoef returns a number",
        """\
def agreement(one, other):
    ranks = [np.argsort(np.argsort(np.ravel(each))) for each in (one, other)]
    return np.corrcoef(*ranks)
""",
        r"entry .0, 1. is the correlation",
    ),
    Wrong(
        "agreement",
        "the largest has rank 0",
        """\
def agreement(one, other):
    p, q = np.argsort(np.argsort(-np.ravel(one))), np.argsort(np.argsort(np.ravel(other)))
    return np.corrcoef(p, q)[0, 1]
""",
        "^the sign is turned round: ",
    ),
    Wrong(
        "importance",
        "every answer that changes is an answer lost",
        """\
def importance(network, x, t, columns, order):
    mixed = x.copy()
    mixed[:, columns] = x[order][:, columns]
    return np.mean((score(network, x) > 0) != (score(network, mixed) > 0))
""",
        "^the answers that change were counted",
    ),
    Wrong(
        "importance",
        "what is not named is shuffled",
        """\
def importance(network, x, t, columns, order):
    mixed = x[order]
    mixed[:, columns] = x[:, columns]
    return np.mean((score(network, x) > 0) == t) - np.mean((score(network, mixed) > 0) == t)
""",
        "^the other columns were shuffled",
    ),
    Wrong(
        "importance",
        "a score of 0 says class 1",
        """\
def importance(network, x, t, columns, order):
    mixed = x.copy()
    mixed[:, columns] = x[order][:, columns]
    return np.mean((score(network, x) >= 0) == t) - np.mean((score(network, mixed) >= 0) == t)
""",
        "score of exactly 0",
    ),
]

WRONG: list[Wrong] = [*SLOPE, *PATH, *OCCLUSION, *AGREEMENT, *IMPORTANCE, *LOOK_ALIKES]

ALSO_RIGHT: list[Right] = [
    Right(
        "slope",
        "measured by small differences",
        slope("""    steps = 1e-6 * np.eye(len(x))
    return (score(network, x + steps) - score(network, x - steps)) / 2e-6"""),
    ),
    Right(
        "slope",
        "loops over units and inputs, a list",
        slope("""    found = [0.0] * len(x)
    for k in range(len(b)):
        if sum(x[j] * W[j, k] for j in range(len(x))) + b[k] > 0:
            for j in range(len(x)):
                found[j] += W[j, k] * w[k]
    return found"""),
    ),
    Right(
        "integrated_gradients",
        "a sum that is divided at the end",
        path("""    total, piece = 0.0, (x - baseline) / steps
    place = baseline + piece / 2
    for k in range(steps):
        total = total + slope_at(baseline + (k + 0.5) * piece) * piece
    return total"""),
    ),
    Right(
        "integrated_gradients",
        "linspace over the middles, a list",
        path("""    half = 0.5 / steps
    slopes = [slope_at((1 - a) * baseline + a * x) for a in np.linspace(half, 1 - half, steps)]
    return [(x[j] - baseline[j]) * sum(s[j] for s in slopes) / steps for j in range(len(x))]"""),
    ),
    Right(
        "occlusion",
        "a batch of covered inputs",
        occlusion("""    covered = np.where(np.eye(len(x), dtype=bool), baseline, x)
    return score(network, x) - score(network, covered)"""),
    ),
    Right(
        "occlusion",
        "covered and uncovered again, a list",
        occlusion("""    credit, whole = [], score(network, x)
    for j in range(len(x)):
        kept = x[j]
        x[j] = baseline[j]
        credit.append(whole - score(network, x))
        x[j] = kept
    return credit"""),
    ),
    Right(
        "agreement",
        "ranks by counting, the formula with squared differences",
        agreement("""    one, other = one.ravel(), other.ravel()
    p = np.array([np.sum(one < value) for value in one])
    q = np.array([np.sum(other < value) for value in other])
    n = len(p)
    return 1 - 6 * np.sum((p - q) ** 2) / (n * (n**2 - 1))"""),
    ),
    Right(
        "agreement",
        "ranks put in their places, NumPy's correlation",
        agreement("""    ranks = []
    for values in (one.flatten(), other.flatten()):
        rank = np.empty(len(values))
        rank[np.argsort(values)] = range(1, len(values) + 1)
        ranks.append(rank)
    return np.corrcoef(*ranks)[0, 1]"""),
    ),
    Right(
        "importance",
        "loops over examples and columns",
        importance("""    mixed = [list(row) for row in x]
    for i in range(len(x)):
        for j in columns:
            mixed[i][j] = x[order[i], j]
    right = lambda rows: sum((score(network, np.array(row)) > 0) == (k == 1) for row, k in zip(rows, t))
    return (right(x) - right(mixed)) / len(t)"""),
    ),
    Right(
        "importance",
        "errors after less errors before",
        importance("""    mixed = x.copy()
    for j in columns:
        mixed[:, j] = x[order, j]
    wrong = [np.mean(np.where(score(network, rows) > 0, 1, 0) != t) for rows in (x, mixed)]
    return np.float32(0) + wrong[1] - wrong[0]"""),
    ),
]
