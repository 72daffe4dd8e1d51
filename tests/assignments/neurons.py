"""Typical wrong answers to the assignment of the chapter Neurons, and right ones that look different."""

from tests.assignments import Right, Wrong

WRONG = [
    # -------------------------------------------------------------------------------- the weighted sum
    Wrong(
        "weighted_sum",
        "the bias belongs to each product",
        """\
def weighted_sum(x, w, b):
    return np.sum(x * w + b, axis=1)
""",
        "bias was added to every product",
    ),
    Wrong(
        "weighted_sum",
        "the bias is a small correction that can be left out",
        """\
def weighted_sum(x, w, b):
    return x @ w
""",
        "bias was left out",
    ),
    Wrong(
        "weighted_sum",
        "the threshold is b, so it is subtracted",
        """\
def weighted_sum(x, w, b):
    return x @ w - b
""",
        "bias was subtracted",
    ),
    Wrong(
        "weighted_sum",
        "the columns are the examples",
        """\
def weighted_sum(x, w, b):
    return x.T @ w + b
""",
        "columns of x were taken for examples",
    ),
    Wrong(
        "weighted_sum",
        "the sum runs over the whole batch",
        """\
def weighted_sum(x, w, b):
    return np.sum(x * w) + b
""",
        "examples were added up to one number",
    ),
    Wrong(
        "weighted_sum",
        "the products need not be added up",
        """\
def weighted_sum(x, w, b):
    return x * w + b
""",
        "products were not added up",
    ),
    Wrong(
        "weighted_sum",
        "a column of sums is as good as a row",
        """\
def weighted_sum(x, w, b):
    return x @ w.reshape(-1, 1) + b
""",
        r"shape should be \(batch,\), not \(batch, 1\)",
    ),
    Wrong(
        "weighted_sum",
        "printing is returning",
        """\
def weighted_sum(x, w, b):
    print(x @ w + b)
""",
        "nothing came back .* `return`",
    ),
    # --------------------------------------------------------------------------------------- the alarm
    Wrong(
        "alarm",
        "the threshold is b, so b is positive",
        """\
def alarm():
    return np.array([1, 1, 1, -2]), 1.5
""",
        "threshold is −b, so b lies below 0",
    ),
    Wrong(
        "alarm",
        "a sum of exactly 0 fires",
        """\
def alarm():
    return np.array([1, 1, 1, -3]), -2
""",
        "a sum of exactly 0 does not fire",
    ),
    Wrong(
        "alarm",
        "one negative weight of the same size is a veto",
        """\
def alarm():
    return np.array([1, 1, 1, -1]), -1.5
""",
        "too weak to hold back all detectors",
    ),
    Wrong(
        "alarm",
        "every input that matters has a positive weight",
        """\
def alarm():
    return np.array([1, 1, 1, 2]), -1.5
""",
        "an input that inhibits needs a weight below 0",
    ),
    Wrong(
        "alarm",
        "the bias does not matter",
        """\
def alarm():
    return np.array([1, 1, 1, -4]), 0
""",
        "threshold −b is too low|b lies below 0",
    ),
    # -------------------------------------------------------------------------------------- the margin
    Wrong(
        "margin",
        "the weighted sum is the distance",
        """\
def margin(x, y, w, b):
    return np.min(y * (x @ w + b))
""",
        "divide by the length of w|divide by .w.",
    ),
    Wrong(
        "margin",
        "the length of w is the sum of its entries",
        """\
def margin(x, y, w, b):
    return np.min(y * (x @ w + b)) / np.sum(np.abs(w))
""",
        r"length of w is √\(5² \+ 12²\), not 5 \+ 12",
    ),
    Wrong(
        "margin",
        "divide by the squared length",
        """\
def margin(x, y, w, b):
    return np.min(y * (x @ w + b)) / (w @ w)
""",
        r"divided by \|w\|² where \|w\| is meant",
    ),
    Wrong(
        "margin",
        "the bias is one more weight, in the length as well",
        """\
def margin(x, y, w, b):
    return np.min(y * (x @ w + b)) / np.sqrt(w @ w + b * b)
""",
        "bias is no part of the length of w",
    ),
    Wrong(
        "margin",
        "a distance is never negative",
        """\
def margin(x, y, w, b):
    return np.min(np.abs(x @ w + b)) / np.linalg.norm(w)
""",
        "a point on the wrong side counts as negative",
    ),
    Wrong(
        "margin",
        "the nearest point is the one of the least signed distance",
        """\
def margin(x, y, w, b):
    return np.min(x @ w + b) / np.linalg.norm(w)
""",
        "label was left out",
    ),
    Wrong(
        "margin",
        "the margin is the mean distance",
        """\
def margin(x, y, w, b):
    return np.mean(y * (x @ w + b)) / np.linalg.norm(w)
""",
        "mean of the distances",
    ),
    Wrong(
        "margin",
        "every border passes through the origin",
        """\
def margin(x, y, w, b):
    return np.min(y * (x @ w)) / np.linalg.norm(w)
""",
        "bias was left out",
    ),
    # --------------------------------------------------------------------------- the perceptron's rule
    Wrong(
        "perceptron_update",
        "every point moves the border",
        """\
def perceptron_update(w, b, x, y):
    return w + y * x, b + y
""",
        "it was no mistake, and w moved",
    ),
    Wrong(
        "perceptron_update",
        "a mistake is a sum below 0, whatever the class",
        """\
def perceptron_update(w, b, x, y):
    return (w + y * x, b + y) if x @ w + b <= 0 else (w, b)
""",
        "a mistake is y z ≤ 0, not z ≤ 0",
    ),
    Wrong(
        "perceptron_update",
        "a point on the border is right",
        """\
def perceptron_update(w, b, x, y):
    return (w + y * x, b + y) if y * (x @ w + b) < 0 else (w, b)
""",
        "a sum of exactly 0 is a mistake",
    ),
    Wrong(
        "perceptron_update",
        "the class only decides, it does not steer",
        """\
def perceptron_update(w, b, x, y):
    return (w + x, b + 1) if y * (x @ w + b) <= 0 else (w, b)
""",
        "the label's sign was left out",
    ),
    Wrong(
        "perceptron_update",
        "the bias is no weight and stays",
        """\
def perceptron_update(w, b, x, y):
    return (w + y * x, b) if y * (x @ w + b) <= 0 else (w, b)
""",
        "bias did not move",
    ),
    Wrong(
        "perceptron_update",
        "the weights move away from the point",
        """\
def perceptron_update(w, b, x, y):
    return (w - y * x, b - y) if y * (x @ w + b) <= 0 else (w, b)
""",
        "makes the mistake worse",
    ),
    Wrong(
        "perceptron_update",
        "the bias has no say in what a mistake is",
        """\
def perceptron_update(w, b, x, y):
    return (w + y * x, b + y) if y * (x @ w) <= 0 else (w, b)
""",
        "bias was left out of the sum",
    ),
    Wrong(
        "perceptron_update",
        "w += makes a new array",
        """\
def perceptron_update(w, b, x, y):
    if y * (x @ w + b) <= 0:
        w += y * x
        b += y
    return w, b
""",
        r"`w \+= …` writes into it",
    ),
    # ------------------------------------------------------------------------------------ the gradient
    Wrong(
        "gradient",
        "the error is what is missing, t − ŷ",
        """\
def gradient(x, t, w, b):
    e = t - 1 / (1 + np.exp(-(x @ w + b)))
    return e @ x / len(x), e.mean()
""",
        "sign is turned round",
    ),
    Wrong(
        "gradient",
        "σ′ must stand in the gradient",
        """\
def gradient(x, t, w, b):
    p = 1 / (1 + np.exp(-(x @ w + b)))
    e = (p - t) * p * (1 - p)
    return e @ x / len(x), e.mean()
""",
        "with this loss it cancels",
    ),
    Wrong(
        "gradient",
        "the sum over the batch is as good as the mean",
        """\
def gradient(x, t, w, b):
    e = 1 / (1 + np.exp(-(x @ w + b))) - t
    return e @ x, e.sum()
""",
        "sum over the examples was taken, not their mean",
    ),
    Wrong(
        "gradient",
        "mean over the features",
        """\
def gradient(x, t, w, b):
    e = 1 / (1 + np.exp(-(x @ w + b))) - t
    return e @ x / x.shape[1], e.mean()
""",
        "divided by the number of features",
    ),
    Wrong(
        "gradient",
        "mean error times mean input",
        """\
def gradient(x, t, w, b):
    e = 1 / (1 + np.exp(-(x @ w + b))) - t
    return e.mean() * x.mean(axis=0), e.mean()
""",
        "is not the mean of their products",
    ),
    Wrong(
        "gradient",
        "the sum is the prediction",
        """\
def gradient(x, t, w, b):
    e = x @ w + b - t
    return e @ x / len(x), e.mean()
""",
        "must go through σ",
    ),
    Wrong(
        "gradient",
        "the bias has no slope",
        """\
def gradient(x, t, w, b):
    e = 1 / (1 + np.exp(-(x @ w + b))) - t
    return e @ x / len(x), 0.0
""",
        "bias got no gradient",
    ),
    Wrong(
        "gradient",
        "z needs no bias where only w is asked for",
        """\
def gradient(x, t, w, b):
    e = 1 / (1 + np.exp(-(x @ w))) - t
    return e @ x / len(x), e.mean()
""",
        "bias was left out of z",
    ),
    Wrong(
        "gradient",
        "e to the z is always a number",
        """\
def gradient(x, t, w, b):
    z = x @ w + b
    e = np.exp(z) / (1 + np.exp(z)) - t
    return e @ x / len(x), e.mean()
""",
        "beyond all floats",
    ),
    # ---------------------------------------------------------------------------------------- training
    Wrong(
        "train",
        "the gradient shows the way down",
        """\
def train(x, t, learning_rate, steps):
    w, b = np.zeros(x.shape[1]), 0.0
    for _ in range(steps):
        dw, db = gradient(x, t, w, b)
        w, b = w + learning_rate * dw, b + learning_rate * db
    return w, b
""",
        "went up the slope",
    ),
    Wrong(
        "train",
        "one gradient serves for all steps",
        """\
def train(x, t, learning_rate, steps):
    w, b = np.zeros(x.shape[1]), 0.0
    dw, db = gradient(x, t, w, b)
    for _ in range(steps):
        w, b = w - learning_rate * dw, b - learning_rate * db
    return w, b
""",
        "computed once, before the loop",
    ),
    Wrong(
        "train",
        "the bias may follow one line later",
        """\
def train(x, t, learning_rate, steps):
    w, b = np.zeros(x.shape[1]), 0.0
    for _ in range(steps):
        w = w - learning_rate * gradient(x, t, w, b)[0]
        b = b - learning_rate * gradient(x, t, w, b)[1]
    return w, b
""",
        "bias took its step with the new weights",
    ),
    Wrong(
        "train",
        "the bias is not trained",
        """\
def train(x, t, learning_rate, steps):
    w, b = np.zeros(x.shape[1]), 0.0
    for _ in range(steps):
        dw, _ = gradient(x, t, w, b)
        w = w - learning_rate * dw
    return w, b
""",
        "bias did not move",
    ),
    Wrong(
        "train",
        "the return stands in the loop",
        """\
def train(x, t, learning_rate, steps):
    w, b = np.zeros(x.shape[1]), 0.0
    for _ in range(steps):
        dw, db = gradient(x, t, w, b)
        w, b = w - learning_rate * dw, b - learning_rate * db
        return w, b
    return w, b
""",
        "does the loop end early",
    ),
    Wrong(
        "train",
        "counting from 0 to steps",
        """\
def train(x, t, learning_rate, steps):
    w, b = np.zeros(x.shape[1]), 0.0
    for _ in range(steps + 1):
        dw, db = gradient(x, t, w, b)
        w, b = w - learning_rate * dw, b - learning_rate * db
    return w, b
""",
        "one step too many",
    ),
    Wrong(
        "train",
        "the gradient is the step",
        """\
def train(x, t, learning_rate, steps):
    w, b = np.zeros(x.shape[1]), 0.0
    for _ in range(steps):
        dw, db = gradient(x, t, w, b)
        w, b = w - dw, b - db
    return w, b
""",
        "learning rate was left out",
    ),
    Wrong(
        "train",
        "weights must start at random",
        """\
def train(x, t, learning_rate, steps):
    w, b = np.random.default_rng(0).normal(size=x.shape[1]), 0.0
    for _ in range(steps):
        dw, db = gradient(x, t, w, b)
        w, b = w - learning_rate * dw, b - learning_rate * db
    return w, b
""",
        "begin at zero|start at zero",
    ),
    # ------------------------------------------------------------- mistakes that look like other ones
    Wrong(
        "margin",
        "the bias is a distance already",
        """\
def margin(x, y, w, b):
    return np.min(y * (x @ w / np.linalg.norm(w) + b))
""",
        "divided by .w., the bias as well",
    ),
    Wrong(
        "perceptron_update",
        "a point is looked at until it is right",
        """\
def perceptron_update(w, b, x, y):
    while y * (x @ w + b) <= 0:
        w, b = w + y * x, b + y
    return w, b
""",
        "one look is one step",
    ),
    Wrong(
        "gradient",
        "the slope of a square has a 2",
        """\
def gradient(x, t, w, b):
    error = 1 / (1 + np.exp(-(x @ w + b))) - t
    return 2 * x.T @ error / len(x), 2 * error.mean()
""",
        "twice the slope came back",
    ),
    Wrong(
        "gradient",
        "the exponent of σ has the sign of z",
        """\
def gradient(x, t, w, b):
    error = 1 / (1 + np.exp(x @ w + b)) - t
    return x.T @ error / len(x), error.mean()
""",
        "exponent has the wrong sign",
    ),
    Wrong(
        "train",
        "a small slope is the end",
        """\
def train(x, t, learning_rate, steps):
    w, b = np.zeros(x.shape[1]), 0.0
    for _ in range(steps):
        dw, db = gradient(x, t, w, b)
        w, b = w - learning_rate * dw, b - learning_rate * db
        if np.abs(dw).max() < 0.01:
            break
    return w, b
""",
        "end early, by `return` or `break`",
    ),
]

ALSO_RIGHT = [
    Right(
        "weighted_sum",
        "loops, and a list",
        """\
def weighted_sum(x, w, b):
    sums = []
    for row in x:
        z = b
        for i in range(len(w)):
            z += row[i] * w[i]
        sums.append(z)
    return sums
""",
    ),
    Right(
        "weighted_sum",
        "einsum",
        """\
def weighted_sum(x, w, b):
    return np.einsum('ij,j->i', x, w) + b
""",
    ),
    Right(
        "alarm",
        "a list, larger numbers, uneven weights",
        """\
def alarm():
    return [3, 4, 5, -100], -6.5
""",
    ),
    Right(
        "alarm",
        "a threshold that one detector just reaches",
        """\
def alarm():
    return (1, 1, 1, -2), -1
""",
    ),
    Right(
        "alarm",
        "arrays throughout",
        """\
def alarm():
    return np.array([2, 2, 2, -9]), np.array([-3])
""",
    ),
    Right(
        "margin",
        "a loop",
        """\
def margin(x, y, w, b):
    length = sum(float(v) ** 2 for v in w) ** 0.5
    least = float('inf')
    for i in range(len(x)):
        least = min(least, float(y[i]) * (float(np.dot(x[i], w)) + b) / length)
    return least
""",
    ),
    Right(
        "margin",
        "the unit vector first, sorted",
        """\
def margin(x, y, w, b):
    n = np.linalg.norm(w)
    return np.sort(y * (x @ (w / n) + b / n))[0]
""",
    ),
    Right(
        "perceptron_update",
        "copies, and plain loops",
        """\
def perceptron_update(w, b, x, y):
    w = list(w)
    z = sum(p * q for p, q in zip(x, w)) + b
    if z * y > 0:
        return w, b
    for i in range(len(w)):
        w[i] = w[i] + y * x[i]
    return w, b + y
""",
    ),
    Right(
        "perceptron_update",
        "in place, on a copy",
        """\
def perceptron_update(w, b, x, y):
    w = w.copy()
    if np.sign(x @ w + b) != y:
        w += y * x
        b = b + y
    return [w, b]
""",
    ),
    Right(
        "gradient",
        "one example after the other",
        """\
def gradient(x, t, w, b):
    dw, db = np.zeros(len(w)), 0.0
    for x_i, t_i in zip(x, t):
        z = x_i @ w + b
        e = 1 / (1 + np.exp(-z)) - t_i
        dw += e * x_i
        db += e
    return dw / len(x), db / len(x)
""",
    ),
    Right(
        "gradient",
        "no exponential overflows, a list comes back",
        """\
def gradient(x, t, w, b):
    e = 0.5 * (1 + np.tanh((x @ w + b) / 2)) - t
    return np.mean(e[:, None] * x, axis=0).tolist(), e.mean(keepdims=True)
""",
    ),
    Right(
        "train",
        "without calling gradient",
        """\
def train(x, t, learning_rate, steps):
    w, b = np.zeros(x.shape[1]), 0.0
    for _ in range(steps):
        e = 1 / (1 + np.exp(-(x @ w + b))) - t
        w = w - learning_rate * (x.T @ e) / len(t)
        b = b - learning_rate * e.mean()
    return w, b
""",
    ),
    Right(
        "train",
        "a while loop, in place",
        """\
def train(x, t, learning_rate, steps):
    w, b = np.zeros(len(x[0])), 0
    while steps > 0:
        dw, db = gradient(x, t, w, b)
        w -= learning_rate * np.asarray(dw)
        b -= learning_rate * db
        steps -= 1
    return w, b
""",
    ),
]
