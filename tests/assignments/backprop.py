"""Answers to the assignment Backprop, as learners give them."""

from tests.assignments import Right, Wrong


def body(head: str, *lines: str) -> str:
    """Return a function: its head, and the lines of its body."""
    return "\n".join([f"def {head}:", *(f"    {line}" for line in lines)])


FORK = """
def fork_blames(x, w):
    u = w * x
    v = u + w
    v_blame = 2 * u * v
    u_blame = v**2 + v_blame
    return w * u_blame, x * u_blame + v_blame
"""
WALK = """
def walk_back(tape):
    blames = [0.0] * len(tape)
    blames[-1] = 1.0
    for number in reversed(range(len(tape))):
        for source, slope in tape[number]:
            blames[source] += blames[number] * slope
    return blames
"""
MEASURE = """
def measured_gradient(f, w, h):
    gradient = np.zeros(w.shape)
    for place in np.ndindex(w.shape):
        up, down = w.copy(), w.copy()
        up[place] += h
        down[place] -= h
        gradient[place] = (f(up) - f(down)) / (2 * h)
    return gradient
"""
NETWORK = """
def network_gradients(x, d, parameters):
    W1, b1, W2, b2 = parameters
    z, h, p = forward(x, parameters)
    g = (p - np.eye(len(b2))[d]) / len(d)
    by_h = g @ W2.T
    by_z = by_h * (z > 0)
    return [x.T @ by_z, by_z.sum(axis=0), h.T @ g, g.sum(axis=0)]
"""


def instead(code: str, line: str, other: str) -> str:
    assert code.count(line) == 1, line
    return code.replace(line, other)


WRONG = [
    Wrong(
        "fork_blames",
        "the local slope is the gradient",
        instead(FORK, "v**2 + v_blame", "v**2"),
        "only its local slope",
    ),
    Wrong(
        "fork_blames",
        "the last way counts",
        instead(FORK, "v**2 + v_blame", "v_blame"),
        "a share of u is lost",
    ),
    Wrong(
        "fork_blames",
        "everything multiplies",
        instead(FORK, "v**2 + v_blame", "v**2 * v_blame"),
        "multiplied",
    ),
    Wrong(
        "fork_blames",
        "w acts through the product alone",
        instead(FORK, "x * u_blame + v_blame", "x * u_blame"),
        "counts only through u",
    ),
    Wrong(
        "fork_blames",
        "the slope of a square is its root",
        instead(FORK, "2 * u * v", "u * v"),
        "2 of the slope",
    ),
    Wrong(
        "fork_blames",
        "a factor beside a square falls out",
        instead(FORK, "2 * u * v", "2 * v"),
        "u is missing",
    ),
    Wrong(
        "fork_blames",
        "the slope of w x by x is x",
        instead(FORK, "return w * u_blame", "return x * u_blame"),
        "mixed up",
    ),
    Wrong(
        "walk_back",
        "a new share replaces the old one",
        instead(WALK, "+=", "="),
        "overwritten",
    ),
    Wrong(
        "walk_back",
        "blame is the local slope",
        instead(WALK, "blames[number] * slope", "slope"),
        "without the blame",
    ),
    Wrong(
        "walk_back",
        "along a way slopes add",
        instead(WALK, "blames[number] * slope", "blames[number] + slope"),
        "blame and slope were added",
    ),
    Wrong(
        "walk_back",
        "the order does not matter",
        instead(WALK, "reversed(range(len(tape)))", "range(len(tape))"),
        "first value to the last",
    ),
    Wrong(
        "walk_back",
        "the loss has no blame itself",
        instead(WALK, "    blames[-1] = 1.0\n", ""),
        "of the loss itself is 1",
    ),
    Wrong(
        "walk_back",
        "a value hands on as soon as it is met",
        body(
            "walk_back(tape)",
            "blames, queue = [0.0] * len(tape), [len(tape) - 1]",
            "blames[-1] = 1.0",
            "for number in queue:",
            "    for source, slope in tape[number]:",
            "        blames[source] += blames[number] * slope",
            "        if source not in queue:",
            "            queue.append(source)",
            "return blames",
        ),
        "before all its shares",
    ),
    Wrong(
        "walk_back",
        "a tape is used up",
        body(
            "walk_back(tape)",
            "blames = [0.0] * (len(tape) - 1) + [1.0]",
            "while tape:",
            "    ways = tape.pop()",
            "    for source, slope in ways:",
            "        blames[source] += blames[len(tape)] * slope",
            "return blames",
        ),
        "tape was changed",
    ),
    Wrong(
        "measured_gradient",
        "one side will do",
        instead(MEASURE, "(f(up) - f(down)) / (2 * h)", "(f(up) - f(w)) / h"),
        "one-sided",
    ),
    Wrong(
        "measured_gradient",
        "the way is h long",
        instead(MEASURE, "(2 * h)", "h"),
        "2h long",
    ),
    Wrong(
        "measured_gradient",
        "/ 2 * h divides by 2h",
        instead(MEASURE, "(2 * h)", "2 * h"),
        "multiplied by h",
    ),
    Wrong(
        "measured_gradient",
        "all numbers may move at once",
        instead(instead(MEASURE, "up[place] += h", "up += h"), "down[place] -= h", "down -= h"),
        "all numbers were moved at once",
    ),
    Wrong(
        "measured_gradient",
        "another name is a copy",
        body(
            "measured_gradient(f, w, h)",
            "gradient = np.zeros(w.shape)",
            "for place in np.ndindex(w.shape):",
            "    moved = w",
            "    moved[place] += h",
            "    above = f(moved)",
            "    moved[place] -= 2 * h",
            "    gradient[place] = (above - f(moved)) / (2 * h)",
            "return gradient",
        ),
        "not put back",
    ),
    Wrong(
        "measured_gradient",
        "the smaller the step, the better",
        instead(
            MEASURE, "    gradient = np.zeros(w.shape)\n", "    h = 1e-14\n    gradient = np.zeros(w.shape)\n"
        ),
        "a step other than h",
    ),
    Wrong(
        "measured_gradient",
        "a gradient is a flat list",
        instead(MEASURE, "return gradient", "return gradient.ravel()"),
        "has the shape of w",
    ),
    Wrong(
        "relu_backward",
        "ReLU is applied to the blame",
        "def relu_backward(g, z):\n    return np.maximum(0, g)",
        "sign of z decides",
    ),
    Wrong(
        "relu_backward",
        "the slope is the gradient",
        "def relu_backward(g, z):\n    return (z > 0).astype(float)",
        "without the blame",
    ),
    Wrong(
        "relu_backward",
        "the blame is multiplied by the output",
        "def relu_backward(g, z):\n    return g * np.maximum(0, z)",
        "by ReLU",
    ),
    Wrong(
        "relu_backward",
        "at zero the unit is on",
        "def relu_backward(g, z):\n    return g * (z >= 0)",
        "at z = 0",
    ),
    Wrong(
        "relu_backward",
        "blame passes an activation unchanged",
        "def relu_backward(g, z):\n    return g",
        "passed everywhere",
    ),
    Wrong(
        "relu_backward",
        "writing zeros into the blame harms nobody",
        "def relu_backward(g, z):\n    g[z <= 0] = 0\n    return g",
        "g was changed in place",
    ),
    Wrong(
        "dense_backward",
        "the bias gets the mean",
        "def dense_backward(g, h, weight):\n    return g @ weight.T, h.T @ g, g.mean(axis=0)",
        "averaged",
    ),
    Wrong(
        "dense_backward",
        "the bias gets the blame of z as it is",
        "def dense_backward(g, h, weight):\n    return g @ weight.T, h.T @ g, g",
        "rows were not added",
    ),
    Wrong(
        "dense_backward",
        "the bias is summed over the units",
        "def dense_backward(g, h, weight):\n    return g @ weight.T, h.T @ g, g.sum(axis=1)",
        "add the rows",
    ),
    Wrong(
        "dense_backward",
        "transposes by memory: blame times inputs transposed",
        "def dense_backward(g, h, weight):\n    return g @ weight.T, g.T @ h, g.sum(axis=0)",
        "wrong way round",
    ),
    Wrong(
        "dense_backward",
        "the way back multiplies by W as the way there",
        "def dense_backward(g, h, weight):\n    return g @ weight, h.T @ g, g.sum(axis=0)",
        "transpose of W is missing|ValueError",
    ),
    Wrong(
        "dense_backward",
        "the mean is taken again in each layer",
        "def dense_backward(g, h, weight):\n    return g @ weight.T, h.T @ g / len(h), g.sum(axis=0)",
        "in the blame already",
    ),
    Wrong(
        "dense_backward",
        "weights, bias, inputs",
        "def dense_backward(g, h, weight):\n    return h.T @ g, g.sum(axis=0), g @ weight.T",
        "the order is inputs, weights, bias",
    ),
    Wrong(
        "network_gradients",
        "the loss is a sum",
        instead(NETWORK, " / len(d)", ""),
        "1/n is missing",
    ),
    Wrong(
        "network_gradients",
        "target minus probability",
        instead(NETWORK, "(p - np.eye(len(b2))[d])", "(np.eye(len(b2))[d] - p)"),
        "sign is turned",
    ),
    Wrong(
        "network_gradients",
        "the blame of the sums is the probability",
        instead(NETWORK, "(p - np.eye(len(b2))[d])", "p"),
        "target was not subtracted",
    ),
    Wrong(
        "network_gradients",
        "an activation has no part in the way back",
        instead(NETWORK, " * (z > 0)", ""),
        "ReLU's slope is missing",
    ),
    Wrong(
        "network_gradients",
        "the sign of the blame says which unit was on",
        instead(NETWORK, "(z > 0)", "(by_h > 0)"),
        "taken of the blame",
    ),
    Wrong(
        "network_gradients",
        "each layer's weights belong to the inputs of the network",
        instead(NETWORK, "h.T @ g", "x.T @ g"),
        "where the activations H",
    ),
    Wrong(
        "network_gradients",
        "no transpose, since the shapes fit",
        instead(NETWORK, "g @ W2.T", "g @ W2"),
        "transpose of W2 is missing",
    ),
    Wrong(
        "network_gradients",
        "the gradients come in the order in which they are found",
        instead(
            NETWORK,
            "[x.T @ by_z, by_z.sum(axis=0), h.T @ g, g.sum(axis=0)]",
            "[h.T @ g, g.sum(axis=0), x.T @ by_z, by_z.sum(axis=0)]",
        ),
        "in another order",
    ),
    Wrong(
        "walk_back",
        "inputs stand at the beginning",
        """
def walk_back(tape):
    blames = [0.0] * len(tape)
    blames[-1] = 1.0
    for number in reversed(range(len(tape))):
        if not tape[number]:
            break
        for source, slope in tape[number]:
            blames[source] += blames[number] * slope
    return blames
""",
        "stopped at an input",
    ),
    Wrong(
        "measured_gradient",
        "two names for one array",
        """
def measured_gradient(f, w, h):
    gradient = np.zeros(w.shape)
    for place in np.ndindex(w.shape):
        up, down = w, w
        up[place] += h
        down[place] -= h
        gradient[place] = (f(up) - f(down)) / (2 * h)
    return gradient
""",
        "under a second name",
    ),
    Wrong(
        "measured_gradient",
        "an array of whole numbers",
        """
def measured_gradient(f, w, h):
    gradient = np.zeros(w.shape, dtype=int)
    for place in np.ndindex(w.shape):
        up, down = w.copy(), w.copy()
        up[place] += h
        down[place] -= h
        gradient[place] = (f(up) - f(down)) / (2 * h)
    return gradient
""",
        "cut to whole numbers",
    ),
    Wrong(
        "relu_backward",
        "the sign of z is the slope",
        "def relu_backward(g, z):\n    return g * np.sign(z)",
        "the slope was taken as -1",
    ),
    Wrong(
        "network_gradients",
        "the mean is taken twice",
        """
def network_gradients(x, d, parameters):
    z, h, p = forward(x, parameters)
    end = (p - np.eye(p.shape[1])[d]) / len(d) ** 2
    by_h, by_W2, by_b2 = dense_backward(end, h, parameters[2])
    _, by_W1, by_b1 = dense_backward(relu_backward(by_h, z), x, parameters[0])
    return [by_W1, by_b1, by_W2, by_b2]
""",
        "divided by n twice",
    ),
]

ALSO_RIGHT = [
    Right(
        "fork_blames",
        "multiplied out",
        body("fork_blames(x, w)", "return w**3 * (x + 1) * (3 * x + 1), 3 * w**2 * x * (x + 1) ** 2"),
    ),
    Right(
        "fork_blames",
        "each way by itself, in an array",
        body(
            "fork_blames(x, w)",
            "u, v = w * x, w * x + w",
            "ways_of_u = [v * v, 2 * u * v * 1]",
            "ways_of_w = [x * way for way in ways_of_u] + [2 * u * v]",
            "return np.array([w * sum(ways_of_u), sum(ways_of_w)])",
        ),
    ),
    Right(
        "walk_back",
        "each value asks those that use it",
        body(
            "walk_back(tape)",
            "blames = {len(tape) - 1: 1.0}",
            "for number in range(len(tape) - 2, -1, -1):",
            "    uses = [(k, s) for k in range(number + 1, len(tape)) for source, s in tape[k] if source == number]",
            "    blames[number] = sum(blames[k] * s for k, s in uses)",
            "return [blames[number] for number in range(len(tape))]",
        ),
    ),
    Right(
        "walk_back",
        "a matrix of slopes, solved",
        body(
            "walk_back(tape)",
            "n = len(tape)",
            "slopes = np.zeros((n, n))",
            "for number, ways in enumerate(tape):",
            "    for source, slope in ways:",
            "        slopes[source, number] += slope",
            "return np.linalg.solve(np.eye(n) - slopes, np.eye(n)[-1])",
        ),
    ),
    Right(
        "measured_gradient",
        "moved in place and put back",
        body(
            "measured_gradient(f, w, h)",
            "gradient = np.empty_like(w)",
            "for place in np.ndindex(w.shape):",
            "    old = w[place]",
            "    w[place] = old + h",
            "    above = f(w)",
            "    w[place] = old - h",
            "    below = f(w)",
            "    w[place] = old",
            "    gradient[place] = (above - below) / h / 2",
            "return gradient",
        ),
    ),
    Right(
        "measured_gradient",
        "along the rows of an identity",
        body(
            "measured_gradient(f, w, h)",
            "ways = [h * e.reshape(w.shape) for e in np.eye(w.size)]",
            "return np.array([f(w + e) - f(w - e) for e in ways]).reshape(w.shape) / (2 * h)",
        ),
    ),
    Right(
        "relu_backward",
        "np.where",
        body("relu_backward(g, z)", "return np.where(z > 0, g, 0.0)"),
    ),
    Right(
        "relu_backward",
        "loops and lists",
        body(
            "relu_backward(g, z)",
            "found = []",
            "for blames, sums in zip(g, z):",
            "    found.append([float(b) if s > 0 else 0 for b, s in zip(blames, sums)])",
            "return found",
        ),
    ),
    Right(
        "relu_backward",
        "a copy in which zeros are written, by the output",
        body("relu_backward(g, z)", "found = g.copy()", "found[np.maximum(0, z) == 0] = 0", "return found"),
    ),
    Right(
        "dense_backward",
        "loops over all numbers",
        body(
            "dense_backward(g, h, weight)",
            "by_h, by_weight, by_bias = np.zeros(h.shape), np.zeros(weight.shape), np.zeros(weight.shape[1])",
            "for i in range(len(h)):",
            "    for j in range(weight.shape[0]):",
            "        for k in range(weight.shape[1]):",
            "            by_h[i, j] += g[i, k] * weight[j, k]",
            "            by_weight[j, k] += h[i, j] * g[i, k]",
            "    by_bias += g[i]",
            "return by_h, by_weight, by_bias",
        ),
    ),
    Right(
        "dense_backward",
        "einsum, ones for the bias, a list",
        body(
            "dense_backward(g, h, weight)",
            "return [np.einsum('ik,jk->ij', g, weight), (g.T @ h).T, np.ones(len(g)) @ g]",
        ),
    ),
    Right(
        "network_gradients",
        "one example after the other, added up",
        body(
            "network_gradients(x, d, parameters)",
            "W1, b1, W2, b2 = parameters",
            "total = [np.zeros_like(p) for p in parameters]",
            "for row, label in zip(x, d):",
            "    z, h, p = (part[0] for part in forward(row[None], parameters))",
            "    g = p.copy()",
            "    g[label] -= 1",
            "    by_z = np.where(z > 0, W2 @ g, 0)",
            "    each = [np.outer(row, by_z), by_z, np.outer(h, g), g]",
            "    total = [a + b / len(d) for a, b in zip(total, each)]",
            "return total",
        ),
    ),
    Right(
        "network_gradients",
        "by the other tasks, a tuple, divided at the end",
        body(
            "network_gradients(x, d, parameters)",
            "z, h, p = forward(x, parameters)",
            "p[np.arange(len(d)), d] -= 1",
            "by_h, by_W2, by_b2 = dense_backward(p, h, parameters[2])",
            "_, by_W1, by_b1 = dense_backward(relu_backward(by_h, z), x, parameters[0])",
            "return tuple(each / len(x) for each in (by_W1, by_b1, by_W2, by_b2))",
        ),
    ),
]
