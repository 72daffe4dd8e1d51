"""Compute the picture of the README: three things that one neuron does, drawn by the package itself.

``python tools/picture.py`` writes ``assets/readme.svg``.
"""

import sys
from pathlib import Path

import matplotlib.pyplot as plt
import numpy as np

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))  # so that it runs as a script, too

from dlcore import data, init, loss, neurons, optim, plots  # noqa: E402

PICTURE = ROOT / "assets" / "readme.svg"


def trained(x: np.ndarray, targets: np.ndarray, epochs: int, rate: float) -> neurons.Neuron:
    """Return a logistic neuron trained on rows ``x`` and targets of 0 and 1."""
    rng = np.random.default_rng(0)
    neuron = neurons.Neuron(x.shape[1], rng=rng, weight_init=init.zeros)
    optimizer = optim.SGD(neuron.parameters(), learning_rate=rate)
    for _ in range(epochs):
        for some_x, some_t in data.batches(x, targets, batch_size=32, rng=rng):
            optimizer.zero_grad()
            loss.binary_cross_entropy(neuron.weighted_sum(some_x), some_t).backward()
            optimizer.step()
    return neuron


def draw(path: Path) -> None:
    """Write the picture to ``path``."""
    left, middle, right = plots.figure(3, width=9.2, height=3.1)

    points, labels = data.gaussian(120, noise=0.1, rng=np.random.default_rng(0))
    perceptron = neurons.Perceptron(2)
    perceptron.fit(points, labels, max_epochs=100)
    plots.points(points, labels, ax=left)
    plots.border(perceptron.weight, perceptron.bias, ax=left)
    left.set_title("a rule that finds a border")

    points, labels = data.gaussian(120, noise=0.5, rng=np.random.default_rng(0))
    plots.decision_boundary(trained(points, (labels + 1) / 2, 20, 0.1), level=0.5, ax=middle)
    plots.points(points, labels, ax=middle)
    middle.set_title("how sure, and where not")

    images, digits = data.digits("train", classes=(3, 8), flat=True)
    plots.weights(trained(images, (digits == 8).astype(np.float32), 20, 0.1).weight, ax=right)
    right.set_title("what tells an 8 from a 3")

    for ax in (left, middle):
        ax.set(xlabel="", ylabel="")
    with plots.style():
        plt.savefig(path, metadata={"Date": None, "Title": "Three things that one neuron does"})
    plt.close()


if __name__ == "__main__":
    draw(PICTURE)
