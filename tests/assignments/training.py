"""Answers to the assignment Training, as learners give them."""

from tests.assignments import Right, Wrong

WRONG = [
    Wrong(
        "sgd_step",
        "the gradient points to the minimum",
        "def sgd_step(theta, g, learning_rate):\n    return theta + learning_rate * g",
        "uphill",
    ),
    Wrong(
        "sgd_step",
        "the gradient itself is the step",
        "def sgd_step(theta, g, learning_rate):\n    return theta - g",
        "learning rate is missing",
    ),
    Wrong(
        "sgd_step",
        "the learning rate is the length of every step",
        "def sgd_step(theta, g, learning_rate):\n    return theta - learning_rate * g / np.linalg.norm(g)",
        "length (1|η)",
    ),
    Wrong(
        "sgd_step",
        "only the sign of a slope matters",
        "def sgd_step(theta, g, learning_rate):\n    return theta - learning_rate * np.sign(g)",
        "however steep",
    ),
    Wrong(
        "sgd_step",
        "the change is returned",
        "def sgd_step(theta, g, learning_rate):\n    return -learning_rate * g",
        "the change came back",
    ),
    Wrong(
        "sgd_step",
        "one slope for all parameters",
        "def sgd_step(theta, g, learning_rate):\n    return theta - learning_rate * np.mean(g)",
        "mean slope",
    ),
    Wrong(
        "sgd_step",
        "-= makes a new array",
        "def sgd_step(theta, g, learning_rate):\n    theta -= learning_rate * g\n    return theta",
        "changed in place",
    ),
    Wrong(
        "largest_rate",
        "the curvature is the largest entry of the diagonal",
        "def largest_rate(A):\n    return 2 / np.diag(A).max()",
        "largest entry of A",
    ),
    Wrong(
        "largest_rate",
        "the flattest direction sets the limit",
        "def largest_rate(A):\n    return 2 / np.linalg.eigvalsh(A)[0]",
        "flattest",
    ),
    Wrong(
        "largest_rate",
        "at 1/λ it is over",
        "def largest_rate(A):\n    return 1 / np.linalg.eigvalsh(A)[-1]",
        "1/λ",
    ),
    Wrong(
        "largest_rate",
        "a steeper valley allows a longer step",
        "def largest_rate(A):\n    return np.linalg.eigvalsh(A)[-1] / 2",
        "upside down",
    ),
    Wrong(
        "largest_rate",
        "a downward curvature counts as an upward one",
        "def largest_rate(A):\n    return 2 / np.abs(np.linalg.eigvalsh(A)).max()",
        "farthest from zero",
    ),
    Wrong(
        "largest_rate",
        "the curvatures add up",
        "def largest_rate(A):\n    return 2 / np.trace(A)",
        "added up",
    ),
    Wrong(
        "batches",
        "cutting is enough, the order of the file will do",
        "def batches(n, batch_size, seed):\n"
        "    rows = np.arange(n)\n"
        "    return [rows[i : i + batch_size] for i in range(0, n, batch_size)]",
        "not shuffled",
    ),
    Wrong(
        "batches",
        "the rows left over are dropped",
        "def batches(n, batch_size, seed):\n"
        "    rows = np.random.default_rng(seed).permutation(n)\n"
        "    return [rows[i * batch_size : (i + 1) * batch_size] for i in range(n // batch_size)]",
        "left over were dropped",
    ),
    Wrong(
        "batches",
        "each batch is drawn from all rows",
        "def batches(n, batch_size, seed):\n"
        "    rng = np.random.default_rng(seed)\n"
        "    return [rng.integers(n, size=min(batch_size, n - i)) for i in range(0, n, batch_size)]",
        "with replacement",
    ),
    Wrong(
        "batches",
        "batch_size is the number of batches",
        "def batches(n, batch_size, seed):\n"
        "    return np.array_split(np.random.default_rng(seed).permutation(n), batch_size)",
        "not that of the batches",
    ),
    Wrong(
        "batches",
        "every epoch has the same order",
        "def batches(n, batch_size, seed):\n"
        "    rows = np.random.default_rng(0).permutation(n)\n"
        "    return [rows[i : i + batch_size] for i in range(0, n, batch_size)]",
        "the seed is not used",
    ),
    Wrong(
        "batches",
        "a generator without a seed is random enough",
        "def batches(n, batch_size, seed):\n"
        "    rows = np.random.default_rng().permutation(n)\n"
        "    return [rows[i : i + batch_size] for i in range(0, n, batch_size)]",
        "gave two orders",
    ),
    Wrong(
        "batches",
        "to shuffle the batches is to shuffle the rows",
        "def batches(n, batch_size, seed):\n"
        "    cut = [np.arange(i, min(i + batch_size, n)) for i in range(0, n, batch_size)]\n"
        "    order = np.random.default_rng(seed).permutation(len(cut) - 1)\n"
        "    return [cut[i] for i in order] + cut[-1:]",
        "shuffle the rows first",
    ),
    Wrong(
        "momentum_step",
        "the velocity is a running mean, as in Adam",
        "def momentum_step(theta, v, g, learning_rate, beta):\n"
        "    v = beta * v + (1 - beta) * g\n"
        "    return theta - learning_rate * v, v",
        "running mean",
    ),
    Wrong(
        "momentum_step",
        "the step follows the old velocity",
        "def momentum_step(theta, v, g, learning_rate, beta):\n"
        "    return theta - learning_rate * v, beta * v + g",
        "old velocity",
    ),
    Wrong(
        "momentum_step",
        "the learning rate is a part of the velocity",
        "def momentum_step(theta, v, g, learning_rate, beta):\n"
        "    v = beta * v + learning_rate * g\n"
        "    return theta - v, v",
        "learning rate is in the velocity",
    ),
    Wrong(
        "momentum_step",
        "the velocity is remembered but not used",
        "def momentum_step(theta, v, g, learning_rate, beta):\n"
        "    return theta - learning_rate * g, beta * v + g",
        "gradient alone",
    ),
    Wrong(
        "momentum_step",
        "nothing of the velocity is lost",
        "def momentum_step(theta, v, g, learning_rate, beta):\n"
        "    v = v + g\n"
        "    return theta - learning_rate * v, v",
        "β is missing",
    ),
    Wrong(
        "momentum_step",
        "the order of two results does not matter",
        "def momentum_step(theta, v, g, learning_rate, beta):\n"
        "    v = beta * v + g\n"
        "    return v, theta - learning_rate * v",
        "other order",
    ),
    Wrong(
        "momentum_step",
        "*= makes a new array",
        "def momentum_step(theta, v, g, learning_rate, beta):\n"
        "    v *= beta\n"
        "    v += g\n"
        "    return theta - learning_rate * v, v",
        "v was changed in place",
    ),
]

TRAINING = """
def train_neuron(x, t, learning_rate, beta, batch_size, epochs):
    theta = v = np.zeros(x.shape[1])
    losses = []
    for epoch in range(epochs):
        for rows in batches(len(t), batch_size, epoch):
            g = slope(theta, x[rows], t[rows])
            theta, v = momentum_step(theta, v, g, learning_rate, beta)
        losses.append(mean_squared_error(theta, x, t))
    return theta, losses
"""
BY_STEP = "theta, v = momentum_step(theta, v, g, learning_rate, beta)\n"
NOTED = "        losses.append(mean_squared_error(theta, x, t))\n"


def instead(line: str, other: str) -> str:
    assert TRAINING.count(line) == 1
    return TRAINING.replace(line, other)


WRONG += [
    Wrong(
        "train_neuron",
        "the gradient is computed once, before training",
        instead("slope(theta, ", "slope(np.zeros(x.shape[1]), "),
        "where training began",
    ),
    Wrong(
        "train_neuron",
        "an epoch is a step",
        instead(BY_STEP, "pass\n        " + BY_STEP),
        "one step was made in each epoch",
    ),
    Wrong(
        "train_neuron",
        "each epoch begins at rest",
        instead("        for rows", "        v = np.zeros(x.shape[1])\n        for rows"),
        "lost between the epochs",
    ),
    Wrong(
        "train_neuron",
        "each batch begins at rest",
        instead("momentum_step(theta, v, g", "momentum_step(theta, 0 * v, g"),
        "lost between the batches",
    ),
    Wrong(
        "train_neuron",
        "each step needs the gradient of all rows",
        instead("slope(theta, x[rows], t[rows])", "slope(theta, x, t)"),
        "gradient of all rows",
    ),
    Wrong(
        "train_neuron",
        "the rows are shuffled once for all epochs",
        instead("batch_size, epoch)", "batch_size, 0)"),
        "same batches",
    ),
    Wrong(
        "train_neuron",
        "the loss of the last batch is the loss",
        instead(NOTED, "        losses.append(mean_squared_error(theta, x[rows], t[rows]))\n"),
        "of the last batch",
    ),
    Wrong(
        "train_neuron",
        "a loss belongs to each step",
        instead(NOTED, "    " + NOTED),
        "after each batch",
    ),
    Wrong(
        "train_neuron",
        "the loss is noted before the steps",
        instead(NOTED, "").replace("        for rows", NOTED + "        for rows"),
        "before the steps",
    ),
    Wrong(
        "largest_rate",
        "the determinant is the curvature",
        "def largest_rate(A):\n    return 2 / np.linalg.det(A)",
        "the determinant was taken",
    ),
    Wrong(
        "largest_rate",
        "each direction has its limit",
        "def largest_rate(A):\n    return 2 / np.linalg.eigvalsh(A)",
        "a limit for each direction",
    ),
    Wrong(
        "momentum_step",
        "the velocity is the step",
        """
def momentum_step(theta, v, g, learning_rate, beta):
    v = beta * v - learning_rate * g
    return theta + v, v
""",
        "learning rate is in the velocity, with a minus",
    ),
    Wrong(
        "train_neuron",
        "the best parameters are kept",
        """
def train_neuron(x, t, learning_rate, beta, batch_size, epochs):
    theta, v, losses = np.zeros(x.shape[1]), np.zeros(x.shape[1]), []
    for epoch in range(epochs):
        for rows in batches(len(x), batch_size, epoch):
            theta, v = momentum_step(theta, v, slope(theta, x[rows], t[rows]), learning_rate, beta)
        losses.append(mean_squared_error(theta, x, t))
        if losses[-1] == min(losses):
            best = theta
    return best, losses
""",
        "smallest loss",
    ),
]

ALSO_RIGHT = [
    Right(
        "sgd_step",
        "a loop over the parameters, and a list",
        "def sgd_step(theta, g, learning_rate):\n"
        "    return [theta[i] - learning_rate * g[i] for i in range(len(theta))]",
    ),
    Right(
        "sgd_step",
        "a copy that is changed in place",
        "def sgd_step(theta, g, learning_rate):\n"
        "    new = theta.copy()\n"
        "    for i, slope_here in enumerate(g):\n"
        "        new[i] -= slope_here * learning_rate\n"
        "    return new",
    ),
    Right(
        "largest_rate",
        "the least of the limits of all directions",
        "def largest_rate(A):\n    return min(2 / each for each in np.linalg.eigvals(A).real if each > 0)",
    ),
    Right(
        "largest_rate",
        "an array without axes",
        "def largest_rate(A):\n    values, vectors = np.linalg.eigh(A)\n    return np.array(2.0) / np.max(values)",
    ),
    Right(
        "largest_rate",
        "power iteration on the shifted matrix",
        "def largest_rate(A):\n"
        "    shift = np.abs(A).sum()\n"
        "    v = np.arange(1.0, len(A) + 1)\n"
        "    for _ in range(20_000):\n"
        "        v = A @ v + shift * v\n"
        "        v /= np.linalg.norm(v)\n"
        "    return 2 / float(v @ A @ v)",
    ),
    Right(
        "batches",
        "shuffled in place, taken until nothing is left, lists of numbers",
        "def batches(n, batch_size, seed):\n"
        "    rows = list(range(n))\n"
        "    np.random.default_rng(seed).shuffle(rows)\n"
        "    found = []\n"
        "    while rows:\n"
        "        found.append(rows[:batch_size])\n"
        "        rows = rows[batch_size:]\n"
        "    return found",
    ),
    Right(
        "batches",
        "sorted by random numbers, cut at once",
        "def batches(n, batch_size, seed):\n"
        "    order = np.argsort(np.random.default_rng(seed).random(n))\n"
        "    return np.split(order, np.arange(batch_size, n, batch_size))",
    ),
    Right(
        "batches",
        "Python's own generator",
        "def batches(n, batch_size, seed):\n"
        "    import random\n"
        "    order = random.Random(seed).sample(range(n), n)\n"
        "    return tuple(np.array(order[i : i + batch_size]) for i in range(0, n, batch_size))",
    ),
    Right(
        "momentum_step",
        "a loop, and lists",
        "def momentum_step(theta, v, g, learning_rate, beta):\n"
        "    new_v = [beta * a + b for a, b in zip(v, g)]\n"
        "    return [a - learning_rate * b for a, b in zip(theta, new_v)], new_v",
    ),
    Right(
        "momentum_step",
        "multiplied out",
        "def momentum_step(theta, v, g, learning_rate, beta):\n"
        "    return [theta - learning_rate * g - learning_rate * beta * v, g + v * beta]",
    ),
    Right(
        "train_neuron",
        "without the other tasks' steps, in plain loops",
        "def train_neuron(x, t, learning_rate, beta, batch_size, epochs):\n"
        "    theta, v, losses = [0.0] * x.shape[1], [0.0] * x.shape[1], []\n"
        "    for epoch in range(epochs):\n"
        "        for rows in batches(len(x), batch_size, epoch):\n"
        "            errors = [x[i] @ theta - t[i] for i in rows]\n"
        "            for j in range(x.shape[1]):\n"
        "                g = sum(2 * x[i, j] * error for i, error in zip(rows, errors)) / len(rows)\n"
        "                v[j] = beta * v[j] + g\n"
        "                theta[j] -= learning_rate * v[j]\n"
        "        losses.append(sum((x[i] @ theta - t[i]) ** 2 for i in range(len(t))) / len(t))\n"
        "    return theta, losses",
    ),
    Right(
        "train_neuron",
        "an array of losses that is filled",
        "def train_neuron(x, t, learning_rate, beta, batch_size, epochs):\n"
        "    theta, v, losses = np.zeros(x.shape[1]), np.zeros(x.shape[1]), np.zeros(epochs)\n"
        "    for epoch in range(epochs):\n"
        "        for rows in batches(len(t), batch_size, seed=epoch):\n"
        "            v = beta * v + slope(theta, x[rows], t[rows])\n"
        "            theta = sgd_step(theta, v, learning_rate)\n"
        "        losses[epoch] = mean_squared_error(theta, x, t)\n"
        "    return theta, losses",
    ),
]
