"""Typical wrong answers, and other right ones, for the assignment of the chapter Overfitting."""

from tests.assignments import Right, Wrong


def scaled(body: str) -> str:
    return f"def scaled(train, other):\n{body}"


def gradient(body: str) -> str:
    return f"def penalized_gradient(w, b, x, t, strength):\n{body}"


def stop(body: str) -> str:
    return f"def stop(losses, patience):\n{body}"


def dropout(body: str) -> str:
    return f"def dropout(h, draws, q, train):\n{body}"


def parts(body: str) -> str:
    return f"def bias_variance(predictions, truth):\n{body}"


def verdict(body: str) -> str:
    return f"def verdict(validation, test):\n{body}"


SCALED = [
    Wrong(
        "scaled",
        "every set is scaled by itself",
        scaled("""    spread = other.std(axis=0)
    return (other - other.mean(axis=0)) / np.where(spread == 0, 1, spread)"""),
        "a leak: `other` was scaled by its own mean",
    ),
    Wrong(
        "scaled",
        "the scale of all rows is the best one, as it knows most",
        scaled("""    rows = np.concatenate([train, other])
    spread = rows.std(axis=0)
    return (other - rows.mean(axis=0)) / np.where(spread == 0, 1, spread)"""),
        "a leak: mean and deviation were taken from all rows",
    ),
    Wrong(
        "scaled",
        "one scale for the whole table",
        scaled("    return (other - train.mean()) / train.std()"),
        "one mean and one deviation were taken for all columns",
    ),
    Wrong(
        "scaled",
        "the mean over the wrong axis",
        scaled("""    spread = train.std(axis=1, keepdims=True)
    return (other - train.mean(axis=1, keepdims=True)) / np.where(spread == 0, 1, spread)"""),
        "each row was scaled by itself",
    ),
    Wrong(
        "scaled",
        "no thought of a column without any spread",
        scaled("    return (other - train.mean(axis=0)) / train.std(axis=0)"),
        "divided by its deviation, 0",
    ),
    Wrong(
        "scaled",
        "a small number in the denominator always helps",
        scaled("    return (other - train.mean(axis=0)) / (train.std(axis=0) + 1e-8)"),
        "the constant column explodes",
    ),
    Wrong(
        "scaled",
        "the variance is the width",
        scaled("""    spread = train.var(axis=0)
    return (other - train.mean(axis=0)) / np.where(spread == 0, 1, spread)"""),
        "divided by their variance",
    ),
    Wrong(
        "scaled",
        "centring is scaling",
        scaled("    return other - train.mean(axis=0)"),
        "nothing was divided by the standard deviation",
    ),
    Wrong(
        "scaled",
        "the rows handed in may be written over",
        scaled("""    spread = train.std(axis=0)
    other -= train.mean(axis=0)
    other /= np.where(spread == 0, 1, spread)
    return other"""),
        "other was changed in place",
    ),
]

GRADIENT = [
    Wrong(
        "penalized_gradient",
        "the sum of squares for the mean",
        gradient("""    d = x @ w + b - t
    return 2 * x.T @ d + strength * w, 2 * np.sum(d)"""),
        "summed, not averaged",
    ),
    Wrong(
        "penalized_gradient",
        "the derivative of a square without its 2",
        gradient("""    d = x @ w + b - t
    return x.T @ d / len(t) + strength * w, np.mean(d)"""),
        "the 2 of the square's derivative is missing",
    ),
    Wrong(
        "penalized_gradient",
        "the price of the bias",
        gradient("""    d = x @ w + b - t
    return 2 / len(t) * x.T @ d + strength * w, 2 * np.mean(d) + strength * b"""),
        "the price was put on the bias",
    ),
    Wrong(
        "penalized_gradient",
        "the pull of L1 for that of L2",
        gradient("""    d = x @ w + b - t
    return 2 / len(t) * x.T @ d + strength * np.sign(w), 2 * np.mean(d)"""),
        "the pull of L1",
    ),
    Wrong(
        "penalized_gradient",
        "the half of the loss is taken for the half of the slope",
        gradient("""    d = x @ w + b - t
    return 2 / len(t) * x.T @ d + strength / 2 * w, 2 * np.mean(d)"""),
        "the half is in the loss, not in its slope",
    ),
    Wrong(
        "penalized_gradient",
        "the price is what is added, not its slope",
        gradient("""    d = x @ w + b - t
    return 2 / len(t) * x.T @ d + strength / 2 * np.sum(w**2), 2 * np.mean(d)"""),
        "the price of all weights was added to each slope",
    ),
    Wrong(
        "penalized_gradient",
        "a price is subtracted",
        gradient("""    d = x @ w + b - t
    return 2 / len(t) * x.T @ d - strength * w, 2 * np.mean(d)"""),
        "pushes the weights away from 0",
    ),
    Wrong(
        "penalized_gradient",
        "the price belongs to the mean over the examples",
        gradient("""    d = x @ w + b - t
    return (2 * x.T @ d + strength * w) / len(t), 2 * np.mean(d)"""),
        "divided by the number of examples",
    ),
    Wrong(
        "penalized_gradient",
        "target minus prediction",
        gradient("""    d = t - (x @ w + b)
    return 2 / len(t) * x.T @ d + strength * w, 2 * np.mean(d)"""),
        "d is prediction minus target",
    ),
    Wrong(
        "penalized_gradient",
        "the bias forgotten",
        gradient("""    d = x @ w - t
    return 2 / len(t) * x.T @ d + strength * w, 2 * np.mean(d)"""),
        "the bias was forgotten",
    ),
    Wrong(
        "penalized_gradient",
        "a step is made at once",
        gradient("""    d = x @ w + b - t
    w *= 1 + strength
    return 2 / len(t) * x.T @ d + strength * w / (1 + strength), 2 * np.mean(d)"""),
        "w was changed in place",
    ),
]

STOP = [
    Wrong(
        "stop",
        "epochs are counted from 0",
        stop("""    best = 0
    for epoch in range(len(losses)):
        if losses[epoch] < losses[best]:
            best = epoch
        if epoch - best == patience:
            return best, epoch
    return best, len(losses) - 1"""),
        "counted from 0",
    ),
    Wrong(
        "stop",
        "a loss that falls again is an improvement",
        stop("""    best, waited = 1, 0
    for epoch in range(2, len(losses) + 1):
        waited = 0 if losses[epoch - 1] < losses[epoch - 2] else waited + 1
        if losses[epoch - 1] < losses[best - 1]:
            best = epoch
        if waited == patience:
            return best, epoch
    return best, len(losses)"""),
        "not with the one before it",
    ),
    Wrong(
        "stop",
        "the future is known",
        stop("""    best = 1
    for epoch in range(1, len(losses) + 1):
        if losses[epoch - 1] < losses[best - 1]:
            best = epoch
        if epoch - best == patience:
            return int(np.argmin(losses)) + 1, epoch
    return best, len(losses)"""),
        "those after the end are never trained",
    ),
    Wrong(
        "stop",
        "the best of all is found, so there is no need to stop",
        stop("    return int(np.argmin(losses)) + 1, len(losses)"),
        "the training did not end",
    ),
    Wrong(
        "stop",
        "patience means one epoch more",
        stop("""    best = 1
    for epoch in range(1, len(losses) + 1):
        if losses[epoch - 1] < losses[best - 1]:
            best = epoch
        if epoch - best > patience:
            return best, epoch
    return best, len(losses)"""),
        "one epoch too many",
    ),
    Wrong(
        "stop",
        "equal is as good as lower",
        stop("""    best = 1
    for epoch in range(1, len(losses) + 1):
        if losses[epoch - 1] <= losses[best - 1]:
            best = epoch
        if epoch - best == patience:
            return best, epoch
    return best, len(losses)"""),
        "an equal loss was taken for an improvement",
    ),
    Wrong(
        "stop",
        "bad epochs are counted and never forgotten",
        stop("""    best, bad = 1, 0
    for epoch in range(2, len(losses) + 1):
        if losses[epoch - 1] < losses[best - 1]:
            best = epoch
        else:
            bad += 1
        if bad == patience:
            return best, epoch
    return best, len(losses)"""),
        "a new best starts at 0",
    ),
    Wrong(
        "stop",
        "the last epoch is the one to keep",
        stop("""    best = 1
    for epoch in range(1, len(losses) + 1):
        if losses[epoch - 1] < losses[best - 1]:
            best = epoch
        if epoch - best == patience:
            return epoch, epoch
    return best, len(losses)"""),
        "the last epoch, not the best",
    ),
]

DROPOUT = [
    Wrong(
        "dropout",
        "dropping alone is dropout",
        dropout("""    if not train:
        return h
    return np.where(draws < q, 0.0, h)"""),
        "the units that stay were not scaled up",
    ),
    Wrong(
        "dropout",
        "the scale belongs to the test",
        dropout("""    if not train:
        return h * (1 - q)
    return np.where(draws < q, 0.0, h)"""),
        "in the test the units were multiplied by 1 - q",
    ),
    Wrong(
        "dropout",
        "fewer units, so smaller ones",
        dropout("""    if not train:
        return h
    return np.where(draws < q, 0.0, h * (1 - q))"""),
        "they were multiplied by 1 - q",
    ),
    Wrong(
        "dropout",
        "q is the share that is kept",
        dropout("""    if not train:
        return h
    return np.where(draws < q, h / q, 0.0) if q else 0 * h"""),
        "not the share that is kept",
    ),
    Wrong(
        "dropout",
        "a test is a training without steps",
        dropout("    return np.where(draws < q, 0.0, h / (1 - q))"),
        "in the test units were dropped",
    ),
    Wrong(
        "dropout",
        "one mask for the whole batch",
        dropout("""    if not train:
        return h
    return np.where(draws[0] < q, 0.0, h / (1 - q))"""),
        "all examples got the mask of the first",
    ),
    Wrong(
        "dropout",
        "what was really dropped sets the scale",
        dropout("""    if not train:
        return h
    kept = draws >= q
    return h * kept / np.mean(kept)"""),
        "happened to be kept",
    ),
    Wrong(
        "dropout",
        "the units handed in may be written over",
        dropout("""    if train:
        h[draws < q] = 0
        h /= 1 - q
    return h"""),
        "was changed in place",
    ),
]

PARTS = [
    Wrong(
        "bias_variance",
        "the mean over the points",
        parts("""    mean = predictions.mean(axis=1, keepdims=True)
    return (mean[:, 0] - truth) ** 2, np.mean((predictions - mean) ** 2, axis=1)"""),
        "over the points, not over the networks",
    ),
    Wrong(
        "bias_variance",
        "the bias is a distance",
        parts("    return predictions.mean(axis=0) - truth, predictions.var(axis=0)"),
        "the bias was not squared",
    ),
    Wrong(
        "bias_variance",
        "the mean of squares is the square of the mean",
        parts("    return np.mean((predictions - truth) ** 2, axis=0), predictions.var(axis=0)"),
        "the squares were taken before the mean",
    ),
    Wrong(
        "bias_variance",
        "a variance always has n - 1",
        parts("""    mean = predictions.mean(axis=0)
    return (mean - truth) ** 2, predictions.var(axis=0, ddof=1)"""),
        "number of networks less one",
    ),
    Wrong(
        "bias_variance",
        "the variance is about the truth",
        parts("""    mean = predictions.mean(axis=0)
    return (mean - truth) ** 2, np.mean((predictions - truth) ** 2, axis=0)"""),
        "about the truth, not about the mean",
    ),
    Wrong(
        "bias_variance",
        "one number for all points",
        parts("""    mean = predictions.mean(axis=0)
    return np.mean((mean - truth) ** 2), np.mean((predictions - mean) ** 2)"""),
        "each point has its own",
    ),
    Wrong(
        "bias_variance",
        "the spread is the standard deviation",
        parts("    return (predictions.mean(axis=0) - truth) ** 2, predictions.std(axis=0)"),
        "the root of the variance",
    ),
]

VERDICT = [
    Wrong(
        "verdict",
        "the test set finds the best candidate",
        verdict("""    winner = np.argmin(test)
    return winner, test[winner]"""),
        "the test set chose",
    ),
    Wrong(
        "verdict",
        "the error that chose is the one to report",
        verdict("""    winner = np.argmin(validation)
    return winner, validation[winner]"""),
        "too low, as it was chosen for being low",
    ),
    Wrong(
        "verdict",
        "the best test error is reported, whoever had it",
        verdict("    return np.argmin(validation), np.min(test)"),
        "the winner is another candidate",
    ),
    Wrong(
        "verdict",
        "an error is an accuracy",
        verdict("""    winner = np.argmax(validation)
    return winner, test[winner]"""),
        "an error is to be low",
    ),
    Wrong(
        "verdict",
        "between equals the test may decide",
        verdict("""    best = [k for k in range(len(test)) if validation[k] == min(validation)]
    winner = min(best, key=lambda k: test[k])
    return winner, test[winner]"""),
        "the test set chose",
    ),
    Wrong(
        "verdict",
        "both sets together choose better",
        verdict("""    winner = np.argmin(validation + test)
    return winner, test[winner]"""),
        "the test set had a say",
    ),
]

LOOK_ALIKES = [  # mistakes that look like other ones
    Wrong(
        "scaled",
        "nan_to_num mends a division by 0",
        """\
def scaled(train, other):
    with np.errstate(all="ignore"):
        return np.nan_to_num((other - train.mean(axis=0)) / train.std(axis=0))
""",
        "divided by its deviation, 0, and",
    ),
    Wrong(
        "penalized_gradient",
        "the 2/n stands before the whole sum",
        """\
def penalized_gradient(w, b, x, t, strength):
    d = x @ w + b - t
    return 2 / len(t) * (x.T @ d + strength * w), 2 * d.mean()
""",
        "multiplied by the 2/n",
    ),
    Wrong(
        "stop",
        "the best epoch is that of the highest number",
        """\
def stop(losses, patience):
    best = 0
    for i, loss in enumerate(losses):
        if loss > losses[best]:
            best = i
        if i - best >= patience:
            break
    return best + 1, i + 1
""",
        "highest loss was taken",
    ),
    Wrong(
        "dropout",
        "half of the units are dropped, always",
        """\
def dropout(h, draws, q, train):
    return np.where(draws < 0.5, 0, h / 0.5) if train else h
""",
        "½ was taken for q",
    ),
    Wrong(
        "verdict",
        "the winner is the one without a gap",
        """\
def verdict(validation, test):
    winner = int(np.argmin(np.abs(validation - test)))
    return winner, test[winner]
""",
        "whose two errors are closest",
    ),
    Wrong(
        "verdict",
        "the careful report the worse of two numbers",
        """\
def verdict(validation, test):
    winner = int(np.argmin(validation))
    return winner, max(validation[winner], test[winner])
""",
        "larger of the two errors",
    ),
]

WRONG: list[Wrong] = [*SCALED, *GRADIENT, *STOP, *DROPOUT, *PARTS, *VERDICT, *LOOK_ALIKES]

ALSO_RIGHT: list[Right] = [
    Right(
        "scaled",
        "a loop over the columns, lists",
        scaled("""    columns = []
    for j in range(train.shape[1]):
        mean = sum(train[:, j]) / len(train)
        spread = (sum((v - mean) ** 2 for v in train[:, j]) / len(train)) ** 0.5
        columns.append([(v - mean) / (spread if spread > 0 else 1) for v in other[:, j]])
    return [list(row) for row in zip(*columns)]"""),
    ),
    Right(
        "scaled",
        "a copy that is changed, 0 replaced before the division",
        scaled("""    spread = np.std(train, axis=0)
    spread[spread == 0] = 1
    result = other.copy()
    result -= np.mean(train, axis=0)
    result /= spread
    return result"""),
    ),
    Right(
        "penalized_gradient",
        "a loop over the examples, a list for the slopes",
        gradient("""    slope_w, slope_b, n = [strength * v for v in w], 0.0, len(t)
    for row, target in zip(x, t):
        d = sum(v * u for v, u in zip(row, w)) + b - target
        slope_b += 2 * d / n
        for j in range(len(w)):
            slope_w[j] += 2 * d * row[j] / n
    return [slope_w, slope_b]"""),
    ),
    Right(
        "penalized_gradient",
        "columns instead of vectors, the bias as an array of one number",
        gradient("""    d = x @ w[:, None] + b - t[:, None]
    return np.mean(2 * d * x, axis=0) + strength * w, np.mean(2 * d, axis=0)"""),
    ),
    Right(
        "stop",
        "a count of epochs that starts again",
        stop("""    best, lowest, waited = 0, float("inf"), 0
    for epoch, loss in enumerate(losses, 1):
        if loss < lowest:
            best, lowest, waited = epoch, loss, 0
        else:
            waited += 1
            if waited == patience:
                break
    return [best, epoch]"""),
    ),
    Right(
        "stop",
        "for each epoch the least up to it, as NumPy integers",
        stop("""    for epoch in range(1, len(losses) + 1):
        best = np.argmin(losses[:epoch]) + 1
        if epoch >= best + patience:
            break
    return np.array([best, epoch])"""),
    ),
    Right(
        "dropout",
        "a mask to multiply with",
        dropout("""    mask = (draws >= q) / (1 - q) if train else 1.0
    return mask * h"""),
    ),
    Right(
        "dropout",
        "loops, lists",
        dropout("""    if not train:
        return h.tolist()
    return [[0 if u < q else v / (1 - q) for v, u in zip(*rows)] for rows in zip(h, draws)]"""),
    ),
    Right(
        "bias_variance",
        "the variance as the error less bias²",
        parts("""    bias2 = (np.mean(predictions, axis=0) - truth) ** 2
    return [bias2, np.mean((predictions - truth) ** 2, axis=0) - bias2]"""),
    ),
    Right(
        "bias_variance",
        "a loop over the points, one array for both parts",
        parts("""    bias2, variance = [], []
    for said, g in zip(predictions.T, truth):
        mean = sum(said) / len(said)
        bias2.append((mean - g) ** 2)
        variance.append(sum((f - mean) ** 2 for f in said) / len(said))
    return np.array([bias2, variance])"""),
    ),
    Right(
        "verdict",
        "a loop over the candidates",
        verdict("""    winner = 0
    for k in range(1, len(validation)):
        if validation[k] < validation[winner]:
            winner = k
    return [winner, float(test[winner])]"""),
    ),
    Right(
        "verdict",
        "lists",
        verdict("""    validation = list(validation)
    winner = validation.index(min(validation))
    return np.array([winner, test[winner]])"""),
    ),
]
