"""Typical wrong answers to the assignment of the chapter Layers, and right ones that look different."""

from tests.assignments import Right, Wrong

WRONG = [
    # --------------------------------------------------------------------------------- a dense layer
    Wrong(
        "dense",
        "a row of W is a unit",
        """\
def dense(x, W, b):
    return x @ W.T + b
""",
        "rows of W were taken for units",
    ),
    Wrong(
        "dense",
        "the bias goes down the batch",
        """\
def dense(x, W, b):
    return x @ W + b[:, None]
""",
        "first bias went to the first example",
    ),
    Wrong(
        "dense",
        "a bias can be left out",
        """\
def dense(x, W, b):
    return x @ W
""",
        "bias was left out",
    ),
    Wrong(
        "dense",
        "a layer always bends",
        """\
def dense(x, W, b):
    return np.maximum(0, x @ W + b)
""",
        "a dense layer gives the sums themselves",
    ),
    Wrong(
        "dense",
        "units first, examples second",
        """\
def dense(x, W, b):
    return W.T @ x.T + b[:, None]
""",
        "lies on its side",
    ),
    Wrong(
        "dense",
        "one bias for the whole layer",
        """\
def dense(x, W, b):
    return x @ W + np.sum(b)
""",
        "biases were added up",
    ),
    Wrong(
        "dense",
        "* is the product of matrices",
        """\
def dense(x, W, b):
    return x * W + b
""",
        "multiplied where it stands",
    ),
    Wrong(
        "dense",
        "the batch is one example",
        """\
def dense(x, W, b):
    return x[0] @ W + b
""",
        "only the first example was used",
    ),
    # --------------------------------------------------------------------------- counting parameters
    Wrong(
        "count_parameters",
        "biases do not count",
        """\
def count_parameters(sizes):
    return sum(sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1))
""",
        "only the weights were counted",
    ),
    Wrong(
        "count_parameters",
        "the inputs are units with a bias",
        """\
def count_parameters(sizes):
    return sum(sizes[i] * sizes[i + 1] for i in range(len(sizes) - 1)) + sum(sizes)
""",
        "for the inputs, too",
    ),
    Wrong(
        "count_parameters",
        "a bias belongs to an input of the layer",
        """\
def count_parameters(sizes):
    return sum(sizes[i] * (sizes[i + 1] + 1) for i in range(len(sizes) - 1))
""",
        "inputs have no bias",
    ),
    Wrong(
        "count_parameters",
        "a layer has one bias",
        """\
def count_parameters(sizes):
    return sum(sizes[i] * sizes[i + 1] + 1 for i in range(len(sizes) - 1))
""",
        "each unit has its own",
    ),
    Wrong(
        "count_parameters",
        "neurons are parameters",
        """\
def count_parameters(sizes):
    return sum(sizes[1:])
""",
        "units were counted, not parameters",
    ),
    Wrong(
        "count_parameters",
        "all sizes are multiplied",
        """\
def count_parameters(sizes):
    return int(np.prod(sizes))
""",
        "only neighbours meet",
    ),
    Wrong(
        "count_parameters",
        "the total is set, not added to",
        """\
def count_parameters(sizes):
    for i in range(len(sizes) - 1):
        total = (sizes[i] + 1) * sizes[i + 1]
    return total
""",
        "only the last layer was counted",
    ),
    Wrong(
        "count_parameters",
        "the output layer is no layer",
        """\
def count_parameters(sizes):
    return sum((sizes[i] + 1) * sizes[i + 1] for i in range(len(sizes) - 2))
""",
        "last layer was left out",
    ),
    # ------------------------------------------------------------------------------------- a network
    Wrong(
        "network",
        "every layer bends, the last one, too",
        """\
def network(x, layers):
    for W, b in layers:
        x = np.maximum(0, dense(x, W, b))
    return x
""",
        "last layer has no ReLU",
    ),
    Wrong(
        "network",
        "layers need no bend",
        """\
def network(x, layers):
    for W, b in layers:
        x = dense(x, W, b)
    return x
""",
        "without it all layers are one",
    ),
    Wrong(
        "network",
        "one bend at the end is enough",
        """\
def network(x, layers):
    for W, b in layers:
        x = dense(x, W, b)
    return np.maximum(0, x)
""",
        "not the other way",
    ),
    Wrong(
        "network",
        "every layer looks at the data",
        """\
def network(x, layers):
    for W, b in layers[:-1]:
        h = np.maximum(0, dense(x, W, b))
    W, b = layers[-1]
    return dense(x, W, b)
""",
        "every layer got x",
    ),
    Wrong(
        "network",
        "the bend comes before the layer",
        """\
def network(x, layers):
    for W, b in layers:
        x = dense(np.maximum(0, x), W, b)
    return x
""",
        "the data themselves get none",
    ),
    Wrong(
        "network",
        "the return stands in the loop",
        """\
def network(x, layers):
    for W, b in layers[:-1]:
        x = np.maximum(0, dense(x, W, b))
        return x
    return dense(x, *layers[-1])
""",
        "first hidden layer came back",
    ),
    Wrong(
        "network",
        "the last layer has no bias",
        """\
def network(x, layers):
    for W, b in layers[:-1]:
        x = np.maximum(0, x @ W)
    return x @ layers[-1][0]
""",
        "biases were left out",
    ),
    Wrong(
        "network",
        "any bend will do",
        """\
def network(x, layers):
    for W, b in layers[:-1]:
        x = np.tanh(dense(x, W, b))
    return dense(x, *layers[-1])
""",
        "tanh was used",
    ),
    # ----------------------------------------------------------------------------------------- a hat
    Wrong(
        "hat",
        "a unit bends at its bias",
        """\
def hat(left, top, right):
    up, down = 1 / (top - left), 1 / (right - top)
    W2 = np.array([[up], [-up - down], [down]])
    return [(np.ones((1, 3)), np.array([left, top, right])), (W2, np.zeros(1))]
""",
        r"bends at x = −b",
    ),
    Wrong(
        "hat",
        "v is the slope, not its change",
        """\
def hat(left, top, right):
    up, down = 1 / (top - left), 1 / (right - top)
    W2 = np.array([[up], [-down], [0.0]])
    return [(np.ones((1, 3)), -np.array([left, top, right])), (W2, np.zeros(1))]
""",
        "v is the change of slope at each joint",
    ),
    Wrong(
        "hat",
        "the top takes only the slope down",
        """\
def hat(left, top, right):
    up, down = 1 / (top - left), 1 / (right - top)
    W2 = np.array([[up], [-down], [down]])
    return [(np.ones((1, 3)), -np.array([left, top, right])), (W2, np.zeros(1))]
""",
        "changes by both together",
    ),
    Wrong(
        "hat",
        "a hat always has 1, −2, 1",
        """\
def hat(left, top, right):
    W2 = np.array([[1.0], [-2.0], [1.0]])
    return [(np.ones((1, 3)), -np.array([left, top, right])), (W2, np.zeros(1))]
""",
        "must fit the widths",
    ),
    Wrong(
        "hat",
        "both sides are equally steep",
        """\
def hat(left, top, right):
    up = 1 / (top - left)
    W2 = np.array([[up], [-2 * up], [up]])
    return [(np.ones((1, 3)), -np.array([left, top, right])), (W2, np.zeros(1))]
""",
        "two sides have slopes of their own",
    ),
    Wrong(
        "hat",
        "two units make a hat",
        """\
def hat(left, top, right):
    up, down = 1 / (top - left), 1 / (right - top)
    W2 = np.array([[up], [-up - down]])
    return [(np.ones((1, 2)), -np.array([left, top])), (W2, np.zeros(1))]
""",
        "third joint is missing",
    ),
    Wrong(
        "hat",
        "a slope is a width",
        """\
def hat(left, top, right):
    up, down = top - left, right - top
    W2 = np.array([[up], [-up - down], [down]])
    return [(np.ones((1, 3)), -np.array([left, top, right])), (W2, np.zeros(1))]
""",
        "a slope is height over width",
    ),
    Wrong(
        "hat",
        "v is the height at each joint",
        """\
def hat(left, top, right):
    W2 = np.array([[0.0], [1.0], [0.0]])
    return [(np.ones((1, 3)), -np.array([left, top, right])), (W2, np.zeros(1))]
""",
        "heights were put where the changes",
    ),
    Wrong(
        "hat",
        "a unit is a row, also in the first layer",
        """\
def hat(left, top, right):
    up, down = 1 / (top - left), 1 / (right - top)
    W2 = np.array([[up, -up - down, down]])
    return [(np.ones((3, 1)), -np.array([left, top, right])), (W2, np.zeros(1))]
""",
        "W1 should have the shape .* a column for each unit",
    ),
    # ------------------------------------------------------------------------------ the nearest mean
    Wrong(
        "mean_reader",
        "the bias can be left out",
        """\
def mean_reader(means):
    return means.T, np.zeros(len(means))
""",
        "longest mean wins",
    ),
    Wrong(
        "mean_reader",
        "the length speaks for a mean",
        """\
def mean_reader(means):
    return means.T, np.sum(means**2, axis=1) / 2
""",
        "it is negative",
    ),
    Wrong(
        "mean_reader",
        "the half does not matter",
        """\
def mean_reader(means):
    return means.T, -np.sum(means**2, axis=1)
""",
        "half was forgotten",
    ),
    Wrong(
        "mean_reader",
        "the length itself is subtracted",
        """\
def mean_reader(means):
    return means.T, -np.linalg.norm(means, axis=1) / 2
""",
        "squared length is meant",
    ),
    Wrong(
        "mean_reader",
        "a row is a unit",
        """\
def mean_reader(means):
    return means, -np.sum(means**2, axis=1) / 2
""",
        "lies on its side",
    ),
    Wrong(
        "mean_reader",
        "the sum runs down the columns",
        """\
def mean_reader(means):
    return means.T, -np.sum(means**2, axis=0) / 2
""",
        "add up the squares along each mean",
    ),
    Wrong(
        "mean_reader",
        "the square of the sum is the sum of the squares",
        """\
def mean_reader(means):
    return means.T, -np.sum(means, axis=1) ** 2 / 2
""",
        "not the square of the sum",
    ),
    # --------------------------------------------------------------------------------------- reading
    Wrong(
        "read",
        "the outputs are the answer",
        """\
def read(pictures, layers):
    return network(pictures.reshape(len(pictures), -1), layers)
""",
        "outputs came back, not the place",
    ),
    Wrong(
        "read",
        "the largest output is the digit",
        """\
def read(pictures, layers):
    return np.max(network(pictures.reshape(len(pictures), -1), layers), axis=1)
""",
        "largest output itself came back",
    ),
    Wrong(
        "read",
        "axis 0 runs over the outputs",
        """\
def read(pictures, layers):
    return np.argmax(network(pictures.reshape(len(pictures), -1), layers), axis=0)
""",
        "among the examples, not among the outputs",
    ),
    Wrong(
        "read",
        "argmax needs no axis",
        """\
def read(pictures, layers):
    return np.argmax(network(pictures.reshape(len(pictures), -1), layers))
""",
        "one answer came back for the whole batch",
    ),
    Wrong(
        "read",
        "any reshape of the right size will do",
        """\
def read(pictures, layers):
    return np.argmax(network(pictures.reshape(-1, len(pictures)).T, layers), axis=1)
""",
        "pixels of different pictures were mixed",
    ),
    Wrong(
        "read",
        "a picture is read column by column",
        """\
def read(pictures, layers):
    rows = np.array([picture.T.flatten() for picture in pictures])
    return np.argmax(network(rows, layers), axis=1)
""",
        "read column by column",
    ),
    Wrong(
        "read",
        "the smallest output is the nearest",
        """\
def read(pictures, layers):
    return np.argmin(network(pictures.reshape(len(pictures), -1), layers), axis=1)
""",
        "smallest output was taken",
    ),
    Wrong(
        "read",
        "outputs below zero mean nothing",
        """\
def read(pictures, layers):
    outputs = network(pictures.reshape(len(pictures), -1), layers)
    return np.argmax(np.maximum(0, outputs), axis=1)
""",
        "makes negative outputs equal",
    ),
    Wrong(
        "read",
        "the first class has the number 1",
        """\
def read(pictures, layers):
    return np.argmax(network(pictures.reshape(len(pictures), -1), layers), axis=1) + 1
""",
        "count from 0",
    ),
    Wrong(
        "read",
        "all pictures have 28 by 28 pixels",
        """\
def read(pictures, layers):
    return np.argmax(network(pictures.reshape(-1, 784), layers), axis=1)
""",
        "cannot reshape|may have any height and width",
    ),
    # ------------------------------------------------------------- mistakes that look like other ones
    Wrong(
        "dense",
        "the biases belong to the weights",
        """\
def dense(x, W, b):
    return x @ (W + b)
""",
        "biases were added to the weights",
    ),
    Wrong(
        "count_parameters",
        "the last layer only reads off its sums",
        """\
def count_parameters(sizes):
    return sum(n * m for n, m in zip(sizes, sizes[1:])) + sum(sizes[1:-1])
""",
        "last layer have biases",
    ),
    Wrong(
        "network",
        "the bias comes after the bend",
        """\
def network(x, layers):
    for W, b in layers[:-1]:
        x = np.maximum(0, x @ W) + b
    return x @ layers[-1][0] + layers[-1][1]
""",
        "before the ReLU",
    ),
    Wrong(
        "network",
        "the last layer can be taken off the list",
        """\
def network(x, layers):
    W_r, b_r = layers.pop()
    for W, b in layers:
        x = np.maximum(0, dense(x, W, b))
    return dense(x, W_r, b_r)
""",
        "list of layers was changed",
    ),
    Wrong(
        "network",
        "the bend keeps what is below zero",
        """\
def network(x, layers):
    for W, b in layers[:-1]:
        x = np.minimum(0, dense(x, W, b))
    return dense(x, *layers[-1])
""",
        "ReLU is the maximum",
    ),
    Wrong(
        "hat",
        "the way up has the slope of the way down",
        """\
def hat(left, top, right):
    up, down = 1 / (right - top), 1 / (top - left)
    first = np.ones((1, 3)), np.array([-left, -top, -right])
    return [first, (np.array([[up], [-up - down], [down]]), np.zeros(1))]
""",
        "two sides were exchanged",
    ),
    Wrong(
        "hat",
        "slopes are whole numbers",
        """\
def hat(left, top, right):
    up, down = 1 // (top - left), 1 // (right - top)
    first = np.ones((1, 3)), np.array([-left, -top, -right])
    return [first, (np.array([[up], [-up - down], [down]]), np.zeros(1))]
""",
        "the slope should change by .*, and changes by",
    ),
    Wrong(
        "mean_reader",
        "the distance itself is the output",
        """\
def mean_reader(means):
    return -2 * means.T, np.sum(means**2, axis=1)
""",
        "turn the signs round",
    ),
    Wrong(
        "read",
        "the picture is read from its end",
        """\
def read(pictures, layers):
    return np.argmax(network(pictures.reshape(len(pictures), -1)[:, ::-1], layers), axis=1)
""",
        "came in reverse",
    ),
]

ALSO_RIGHT = [
    Right(
        "dense",
        "three loops, and lists",
        """\
def dense(x, W, b):
    rows = []
    for example in x:
        row = []
        for k in range(len(b)):
            z = b[k]
            for j in range(len(example)):
                z = z + example[j] * W[j, k]
            row.append(z)
        rows.append(row)
    return rows
""",
    ),
    Right(
        "dense",
        "unit by unit",
        """\
def dense(x, W, b):
    return np.stack([x @ W[:, k] + b[k] for k in range(W.shape[1])], axis=1)
""",
    ),
    Right(
        "count_parameters",
        "weights and biases apart, as a float",
        """\
def count_parameters(sizes):
    weights = np.dot(sizes[:-1], sizes[1:])
    return float(weights + np.sum(sizes) - sizes[0])
""",
    ),
    Right(
        "network",
        "by the number of the layer, without dense",
        """\
def network(x, layers):
    for i in range(len(layers)):
        x = np.matmul(x, layers[i][0]) + layers[i][1]
        if i + 1 < len(layers):
            x[x < 0] = 0
    return x
""",
    ),
    Right(
        "network",
        "recursion, and z (z > 0)",
        """\
def network(x, layers):
    z = np.array(dense(x, *layers[0]))
    return z if len(layers) == 1 else network(z * (z > 0), layers[1:])
""",
    ),
    Right(
        "hat",
        "weights that take the scale",
        """\
def hat(left, top, right):
    a, c = 1 / (top - left), 1 / (right - top)
    first = [[a, a + c, c]], [-a * left, -(a + c) * top, -c * right]
    return [first, ([[1], [-1], [1]], [0])]
""",
    ),
    Right(
        "hat",
        "from the right, with units that look to the left",
        """\
def hat(left, top, right):
    a, c = 1 / (top - left), 1 / (right - top)
    W2 = np.array([[c], [-(a + c)], [a]])
    return ((-np.ones((1, 3)), np.array([right, top, left])), (W2, np.array([0.0])))
""",
    ),
    Right(
        "hat",
        "the changes of a list of slopes",
        """\
def hat(left, top, right):
    joints = np.array([left, top, right], dtype=float)
    slopes = np.append(np.diff([0, 1, 0]) / np.diff(joints), 0)
    return [(np.ones((1, 3)), -joints), (np.diff(slopes, prepend=0)[:, None], np.zeros(1))]
""",
    ),
    Right(
        "mean_reader",
        "twice as large",
        """\
def mean_reader(means):
    return 2 * np.transpose(means), [-float(m @ m) for m in means]
""",
    ),
    Right(
        "mean_reader",
        "the same number added to every bias",
        """\
def mean_reader(means):
    W = np.stack(list(means), axis=1)
    b = np.array([-np.linalg.norm(mean) ** 2 / 2 for mean in means])
    return [W, b + 7]
""",
    ),
    Right(
        "read",
        "picture by picture",
        """\
def read(pictures, layers):
    answers = []
    for picture in pictures:
        outputs = np.array(network(picture.flatten()[None, :], layers))[0]
        best = 0
        for k in range(len(outputs)):
            if outputs[k] > outputs[best]:
                best = k
        answers.append(best)
    return answers
""",
    ),
    Right(
        "read",
        "sorted outputs, height and width by name, floats",
        """\
def read(pictures, layers):
    batch, height, width = pictures.shape
    outputs = network(np.reshape(pictures, (batch, height * width)), layers)
    return np.argsort(outputs, axis=-1)[:, -1].astype(float)
""",
    ),
]
