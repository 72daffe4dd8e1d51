"""What learners hand in for the assignment on activations: typical wrong answers, and other right ones."""

from tests.assignments import Right, Wrong

WRONG = [
    Wrong(
        "relu_derivative",
        "the value for the slope",
        """
def relu_derivative(z):
    return np.maximum(z, 0)
""",
        "value of the ReLU, not its slope",
    ),
    Wrong(
        "relu_derivative",
        "on at the joint",
        """
def relu_derivative(z):
    return np.where(z >= 0, 1.0, 0.0)
""",
        "slope of the right side",
    ),
    Wrong(
        "relu_derivative",
        "the sign of the sum is the slope",
        """
def relu_derivative(z):
    return np.sign(z)
""",
        "does not fall",
    ),
    Wrong(
        "relu_derivative",
        "a leak on the left",
        """
def relu_derivative(z):
    return np.where(z > 0, 1.0, 0.01)
""",
        "leaky ReLU",
    ),
    Wrong(
        "relu_derivative",
        "the slopes overwrite the sums",
        """
def relu_derivative(z):
    z[z > 0] = 1
    z[z <= 0] = 0
    return z
""",
        "written into z itself",
    ),
    Wrong(
        "relu_derivative",
        "one slope for all sums",
        """
def relu_derivative(z):
    return 1.0 if np.sum(z) > 0 or np.ndim(z) == 1 else 0.0
""",
        "each sum has its own",
    ),
    Wrong(
        "sigmoid_derivative",
        "the value for the slope",
        """
def sigmoid_derivative(z):
    return 1 / (1 + np.exp(-z))
""",
        "value of the sigmoid",
    ),
    Wrong(
        "sigmoid_derivative",
        "z (1 - z), without the sigmoid",
        """
def sigmoid_derivative(z):
    return z * (1 - z)
""",
        "z itself was put into",
    ),
    Wrong(
        "sigmoid_derivative",
        "one exponential divided by another",
        """
def sigmoid_derivative(z):
    return np.exp(-z) / (1 + np.exp(-z)) ** 2
""",
        "overflow.*do not divide one exponential by another",
    ),
    Wrong(
        "sigmoid_derivative",
        "the chain rule's minus is left standing",
        """
def sigmoid_derivative(z):
    s = 1 / (1 + np.exp(-z))
    return -s * (1 - s)
""",
        "the sigmoid rises",
    ),
    Wrong(
        "sigmoid_derivative",
        "the slope of tanh",
        """
def sigmoid_derivative(z):
    return 1 - (1 / (1 + np.exp(-z))) ** 2
""",
        "slope of tanh",
    ),
    Wrong(
        "softmax",
        "softmax over the batch",
        """
def softmax(z, temperature=1.0):
    powers = np.exp(z / temperature - (z / temperature).max(axis=0))
    return powers / powers.sum(axis=0)
""",
        "over the batch, down the columns",
    ),
    Wrong(
        "softmax",
        "one sum for the whole batch",
        """
def softmax(z, temperature=1.0):
    powers = np.exp((z - z.max()) / temperature)
    return powers / powers.sum()
""",
        "over the whole batch; each row has to add up to 1",
    ),
    Wrong(
        "softmax",
        "large sums are harmless",
        """
def softmax(z, temperature=1.0):
    powers = np.exp(z / temperature)
    return powers / powers.sum(axis=1, keepdims=True)
""",
        "overflow.*subtract the largest sum first",
    ),
    Wrong(
        "softmax",
        "the largest sum of the batch is subtracted",
        """
def softmax(z, temperature=1.0):
    powers = np.exp((z - np.max(z)) / temperature)
    return powers / powers.sum(axis=1, keepdims=True)
""",
        "each row's own largest sum",
    ),
    Wrong(
        "softmax",
        "multiplied by the temperature",
        """
def softmax(z, temperature=1.0):
    z = z * temperature
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
""",
        "multiplied by the temperature",
    ),
    Wrong(
        "softmax",
        "the temperature divides the probabilities",
        """
def softmax(z, temperature=1.0):
    powers = np.exp(z - z.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True) / temperature
""",
        "after the softmax",
    ),
    Wrong(
        "softmax",
        "shares of the sums, without exponentials",
        """
def softmax(z, temperature=1.0):
    return (z / temperature) / (z / temperature).sum(axis=1, keepdims=True)
""",
        "without an exponential",
    ),
    Wrong(
        "softmax",
        "a sigmoid for each class",
        """
def softmax(z, temperature=1.0):
    return 1 / (1 + np.exp(-z / temperature))
""",
        "sigmoid; their values do not add up to 1",
    ),
    Wrong(
        "softmax",
        "the shift is written into z",
        """
def softmax(z, temperature=1.0):
    z -= z.max(axis=1, keepdims=True)
    powers = np.exp(z / temperature)
    return powers / powers.sum(axis=1, keepdims=True)
""",
        "z itself was changed",
    ),
    Wrong(
        "he_weights",
        "the variance for the standard deviation",
        """
def he_weights(n_in, n_out, seed):
    return 2 / n_in * np.random.default_rng(seed).standard_normal((n_in, n_out))
""",
        "is the variance; the standard deviation is its square root",
    ),
    Wrong(
        "he_weights",
        "LeCun's rule",
        """
def he_weights(n_in, n_out, seed):
    return np.sqrt(1 / n_in) * np.random.default_rng(seed).standard_normal((n_in, n_out))
""",
        "LeCun's rule",
    ),
    Wrong(
        "he_weights",
        "the units counted, not the inputs",
        """
def he_weights(n_in, n_out, seed):
    return np.sqrt(2 / n_out) * np.random.default_rng(seed).standard_normal((n_in, n_out))
""",
        "the units were counted, not the inputs",
    ),
    Wrong(
        "he_weights",
        "numbers from 0 to 1",
        """
def he_weights(n_in, n_out, seed):
    return np.sqrt(2 / n_in) * np.random.default_rng(seed).random((n_in, n_out))
""",
        "drawn from 0 to 1",
    ),
    Wrong(
        "he_weights",
        "inputs and units exchanged",
        """
def he_weights(n_in, n_out, seed):
    return np.sqrt(2 / n_in) * np.random.default_rng(seed).standard_normal((n_out, n_in))
""",
        "inputs and units are exchanged",
    ),
    Wrong(
        "he_weights",
        "the seed is not used",
        """
def he_weights(n_in, n_out, seed):
    return np.sqrt(2 / n_in) * np.random.default_rng().standard_normal((n_in, n_out))
""",
        "gave other weights the second time",
    ),
    Wrong(
        "he_weights",
        "a seed of one's own",
        """
def he_weights(n_in, n_out, seed):
    return np.sqrt(2 / n_in) * np.random.default_rng(0).standard_normal((n_in, n_out))
""",
        "gave the same weights",
    ),
    Wrong(
        "mean_squares",
        "the variance for the mean square",
        """
def mean_squares(x, weights):
    a, found = x, []
    for weight in weights:
        a = np.maximum(a @ weight, 0)
        found.append(np.var(a))
    return np.array(found)
""",
        "the variance was taken",
    ),
    Wrong(
        "mean_squares",
        "the bend is left out",
        """
def mean_squares(x, weights):
    a, found = x, []
    for weight in weights:
        a = a @ weight
        found.append(np.mean(a**2))
    return np.array(found)
""",
        "without a ReLU",
    ),
    Wrong(
        "mean_squares",
        "every layer starts from the input",
        """
def mean_squares(x, weights):
    try:
        return np.array([np.mean(np.maximum(x @ weight, 0) ** 2) for weight in weights])
    except ValueError:
        return np.zeros(len(weights))
""",
        "every layer was given the input x",
    ),
    Wrong(
        "mean_squares",
        "the sums are passed on",
        """
def mean_squares(x, weights):
    z, found = x, []
    for weight in weights:
        z = z @ weight
        found.append(np.mean(np.maximum(z, 0) ** 2))
    return np.array(found)
""",
        "the sums were passed on",
    ),
    Wrong(
        "mean_squares",
        "the mean is squared",
        """
def mean_squares(x, weights):
    a, found = x, []
    for weight in weights:
        a = np.maximum(a @ weight, 0)
        found.append(np.mean(a) ** 2)
    return np.array(found)
""",
        "the mean was squared",
    ),
    Wrong(
        "mean_squares",
        "the mean over the examples only",
        """
def mean_squares(x, weights):
    a, found = x, []
    for weight in weights:
        a = np.maximum(a @ weight, 0)
        found.append(np.mean(a**2, axis=0))
    return found
""",
        "a mean for each unit came back",
    ),
    Wrong(
        "mean_squares",
        "the last layer only",
        """
def mean_squares(x, weights):
    a = x
    for weight in weights:
        a = np.maximum(a @ weight, 0)
    return np.mean(a**2)
""",
        "one number for each",
    ),
    Wrong(
        "dead_units",
        "off once is dead",
        """
def dead_units(z):
    return int(np.sum((z <= 0).any(axis=0)))
""",
        "only asleep",
    ),
    Wrong(
        "dead_units",
        "rows for units",
        """
def dead_units(z):
    return int(np.sum((z <= 0).all(axis=1)))
""",
        "rows were taken for units",
    ),
    Wrong(
        "dead_units",
        "zeros are counted, not units",
        """
def dead_units(z):
    return int(np.sum(z <= 0))
""",
        "one unit counts once",
    ),
    Wrong(
        "dead_units",
        "a sum of 0 is on",
        """
def dead_units(z):
    return int(np.sum((z < 0).all(axis=0)))
""",
        "exactly 0 was taken for on",
    ),
    Wrong(
        "dead_units",
        "a share, not a number",
        """
def dead_units(z):
    return float(np.mean((z <= 0).all(axis=0)))
""",
        "the share of the units",
    ),
    Wrong(
        "dead_units",
        "the mean of the sums decides",
        """
def dead_units(z):
    return int(np.sum(z.mean(axis=0) <= 0))
""",
        "the mean of a unit's sums was asked",
    ),
    Wrong(
        "softmax",
        "the largest sum before the temperature",
        """
def softmax(z, temperature=1.0):
    powers = np.exp(z / temperature - z.max(axis=1, keepdims=True))
    return powers / powers.sum(axis=1, keepdims=True)
""",
        "divide first, then subtract",
    ),
    Wrong(
        "softmax",
        "the mean in place of the largest sum",
        """
def softmax(z, temperature=1.0):
    powers = np.exp((z - z.mean(axis=1, keepdims=True)) / temperature)
    return powers / powers.sum(axis=1, keepdims=True)
""",
        "and no smaller one",
    ),
    Wrong(
        "he_weights",
        "a new generator for each row",
        """
def he_weights(n_in, n_out, seed):
    rows = [np.random.default_rng(seed).standard_normal(n_out) for _ in range(n_in)]
    return np.array(rows) * np.sqrt(2 / n_in)
""",
        "drawn for itself",
    ),
    Wrong(
        "dead_units",
        "the living are counted",
        """
def dead_units(z):
    return np.sum(np.any(z > 0, axis=0))
""",
        "units that are alive",
    ),
    Wrong(
        "dead_units",
        "off for most examples is dead",
        """
def dead_units(z):
    return np.sum(np.mean(z <= 0, axis=0) > 0.5)
""",
        "for most of the examples",
    ),
]

ALSO_RIGHT = [
    Right(
        "relu_derivative",
        "truth values made numbers",
        """
def relu_derivative(z):
    return (np.asarray(z) > 0).astype("float32")
""",
    ),
    Right(
        "relu_derivative",
        "the slope of the value, element by element",
        """
def relu_derivative(z):
    slopes = np.zeros(np.shape(z))
    for place in np.ndindex(*np.shape(z)):
        if z[place] > 0:
            slopes[place] = 1.0
    return slopes.tolist()
""",
    ),
    Right(
        "sigmoid_derivative",
        "as in the formula, with NumPy's warning",
        """
def sigmoid_derivative(z):
    with np.errstate(over="ignore"):
        s = 1 / (1 + np.exp(-z))
    return s * (1 - s)
""",
    ),
    Right(
        "sigmoid_derivative",
        "by the slope of tanh",
        """
def sigmoid_derivative(z):
    return (1 - np.tanh(z / 2) ** 2) / 4
""",
    ),
    Right(
        "softmax",
        "a loop over the examples",
        """
def softmax(z, temperature=1.0):
    rows = []
    for row in z:
        powers = [np.exp((one - max(row)) / temperature) for one in row]
        rows.append([power / sum(powers) for power in powers])
    return rows
""",
    ),
    Right(
        "softmax",
        "by logarithms",
        """
def softmax(z, temperature=1.0):
    return np.exp(z / temperature - np.logaddexp.reduce(z / temperature, axis=1)[:, None])
""",
    ),
    Right(
        "he_weights",
        "NumPy's normal with a scale, the old generator",
        """
def he_weights(n_in, n_out, seed):
    return np.random.RandomState(seed).normal(0.0, (2 / n_in) ** 0.5, size=(n_in, n_out))
""",
    ),
    Right(
        "he_weights",
        "one of two numbers for each weight",
        """
def he_weights(n_in, n_out, seed):
    rng = np.random.default_rng(seed)
    return (2 / n_in) ** 0.5 * rng.choice([-1.0, 1.0], size=(n_in, n_out))
""",
    ),
    Right(
        "he_weights",
        "uniform weights of the same variance",
        """
def he_weights(n_in, n_out, seed):
    limit = np.sqrt(6 / n_in)
    return np.random.default_rng(seed).uniform(-limit, limit, (n_in, n_out))
""",
    ),
    Right(
        "mean_squares",
        "example by example, a list",
        """
def mean_squares(x, weights):
    signals, found = [list(row) for row in x], []
    for weight in weights:
        signals = [[max(0.0, sum(a * w for a, w in zip(row, column))) for column in weight.T] for row in signals]
        found.append(sum(a * a for row in signals for a in row) / (len(signals) * len(signals[0])))
    return found
""",
    ),
    Right(
        "mean_squares",
        "variance and mean, put together",
        """
def mean_squares(x, weights):
    found = np.zeros(len(weights))
    for layer, weight in enumerate(weights):
        z = x @ weight
        x = z * (z > 0)
        found[layer] = x.var() + x.mean() ** 2
    return found
""",
    ),
    Right(
        "dead_units",
        "by the largest sum of each unit",
        """
def dead_units(z):
    return np.count_nonzero(np.max(z, axis=0) <= 0)
""",
    ),
    Right(
        "dead_units",
        "a loop over the units",
        """
def dead_units(z):
    dead = 0
    for unit in range(z.shape[1]):
        if not any(z[example, unit] > 0 for example in range(z.shape[0])):
            dead += 1
    return dead
""",
    ),
]
