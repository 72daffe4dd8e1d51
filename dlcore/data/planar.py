"""Sets of points in the plane, easy ones first: something to look at while a network learns.

The six sets of TensorFlow Playground follow its own `dataset.ts`: the same formulas and (the Gaussians apart)
the same uniform draws in the same order. They share three traps:

- `noise` is a fraction from 0 to 0.5, which the Playground's slider shows as 0 to 50. It means three
  different things: in `circle`, `xor`, `plane` and `multi_gaussian` the *label* is read at a shifted point
  while the point itself stays; in `spiral` the *point* moves; in `gaussian` the *variance* grows.
- Labels of classes are -1 and +1, not 0 and 1, and they are floats: its networks end in a tanh.
- Most sets come class by class: shuffle the rows (`batches` and `train_test_split` do) before cutting any
  off.

`moons`, `rings` and `blobs` follow scikit-learn: integer labels from 0, and `noise` is the standard deviation
of what is added to every coordinate.

Every function raises ValueError for a number of points below 1 or a noise outside its range, and TypeError
for an `rng` that is no NumPy generator.

Source: D. Smilkov, S. Carter, D. Sculley, F. B. Viégas and M. Wattenberg, *Direct-Manipulation Visualization
of Deep Networks*, 2017, arXiv:1708.03788; https://playground.tensorflow.org.
"""

import math
from typing import TypeAlias

import numpy as np
from numpy.typing import NDArray

from dlcore.arrays.checks import check_whole
from dlcore.arrays.random import check_rng

Floats: TypeAlias = NDArray[np.float32]
Integers: TypeAlias = NDArray[np.int64]
Doubles: TypeAlias = NDArray[np.float64]

# ------------------------------------------------------------- the six sets of TensorFlow Playground


def gaussian(n: int = 500, noise: float = 0.0, *, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw two round clouds, the classes that one neuron separates.

    Class +1 ~ N((2, 2), v·I) and class -1 ~ N((-2, -2), v·I), v = 0.5 + 7·noise. Noise makes the clouds
    wider, from variance 0.5 to 4; no label is ever changed.

    Returns:
        points of shape (n, 2) and labels -1 or +1 of shape (n,), both float32; class +1 comes first.

    >>> points, labels = gaussian(rng=np.random.default_rng(0))
    >>> bool(np.mean(np.sign(points.sum(axis=1)) == labels) > 0.99)
    True
    """
    _check("gaussian", n, noise, rng)
    labels = _halves(n, +1, -1)
    x, y = rng.normal(2 * labels, math.sqrt(0.5 + 7 * noise), size=(2, n))
    return _points(x, y), labels.astype(np.float32)


def circle(n: int = 500, noise: float = 0.0, *, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw a disc inside a ring, the running example of the Playground.

    Radius ~ U(0, 2.5) in the first half, U(3.5, 5) in the second; angle ~ U(0, 2π); label = +1 if |p'| < 2.5,
    else -1, at p' = p + noise·U(-5, 5)². Noise makes labels wrong; no point moves.

    Returns:
        points of shape (n, 2) and labels -1 or +1 of shape (n,), both float32; the disc comes first.

    >>> points, labels = circle(rng=np.random.default_rng(0))
    >>> bool(np.all((np.hypot(*points.T) < 3) == (labels > 0)))
    True
    """
    _check("circle", n, noise, rng)
    angle, shift = (0, 2 * math.pi), (-5, 5)
    disc = _uniform(rng, n - n // 2, (0, 2.5), angle, shift, shift)
    ring = _uniform(rng, n // 2, (3.5, 5), angle, shift, shift)
    radius, theta, shift_x, shift_y = np.concatenate([disc, ring], axis=1)
    x, y = radius * np.sin(theta), radius * np.cos(theta)
    labels = np.where(np.hypot(x + noise * shift_x, y + noise * shift_y) < 2.5, 1, -1)
    return _points(x, y), labels.astype(np.float32)


def xor(n: int = 500, noise: float = 0.0, *, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw four quadrants in two classes, which no single neuron separates.

    p ~ U(-5, 5)², each coordinate pushed 0.3 away from zero; label = +1 if x'y' ≥ 0, else -1, at
    p' = p + noise·U(-5, 5)². Noise makes labels wrong, mostly near the axes; no point moves.

    Returns:
        points of shape (n, 2) and labels -1 or +1 of shape (n,), both float32.

    Source: M. Minsky and S. Papert, *Perceptrons*, 1969.

    >>> points, labels = xor(rng=np.random.default_rng(0))
    >>> bool(np.all(np.sign(points[:, 0] * points[:, 1]) == labels))
    True
    """
    _check("xor", n, noise, rng)
    x, y, shift_x, shift_y = _uniform(rng, n, (-5, 5), (-5, 5), (-5, 5), (-5, 5))
    x = x + np.where(x > 0, 0.3, -0.3)
    y = y + np.where(y > 0, 0.3, -0.3)
    labels = np.where((x + noise * shift_x) * (y + noise * shift_y) >= 0, 1, -1)
    return _points(x, y), labels.astype(np.float32)


def spiral(n: int = 500, noise: float = 0.0, *, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw two interleaved spirals, the hardest of the Playground's sets.

    Point i = 0, 1, … of an arm, s = i/(n/2): radius r = 5s, angle t = 3.5πs, and π more on the second arm;
    p = (r sin t, r cos t) + noise·U(-1, 1)². Noise moves points; no label is ever changed.

    Returns:
        points of shape (n, 2) and labels -1 or +1 of shape (n,), both float32; arm +1 comes first, each from
        the centre outwards.

    Source: K. J. Lang and M. J. Witbrock, *Learning to Tell Two Spirals Apart*, 1988.

    >>> points, labels = spiral(500, rng=np.random.default_rng(0))
    >>> bool(np.allclose(points[:250], -points[250:], atol=1e-5))  # one arm is the other, half a turn on
    True
    """
    _check("spiral", n, noise, rng)
    along = np.concatenate([np.arange(n - n // 2), np.arange(n // 2)]) / (n / 2)
    radius, theta = 5 * along, 3.5 * math.pi * along + _halves(n, 0, math.pi)
    jitter_x, jitter_y = _uniform(rng, n, (-1, 1), (-1, 1))
    points = _points(radius * np.sin(theta) + noise * jitter_x, radius * np.cos(theta) + noise * jitter_y)
    return points, _halves(n, +1, -1).astype(np.float32)


def plane(n: int = 1200, noise: float = 0.0, *, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw points whose target is a tilted plane, the regression that one linear neuron solves.

    p ~ U(-6, 6)², target = (x' + y')/10 at p' = p + noise·U(-6, 6)². Noise makes targets wrong; no point
    moves. (The Playground draws 500 points for classes, 1200 for regression.)

    Returns:
        points of shape (n, 2) and targets of shape (n,), both float32.

    >>> points, targets = plane(4, rng=np.random.default_rng(0))
    >>> bool(np.allclose(points.sum(axis=1) / 10, targets))
    True
    """
    _check("plane", n, noise, rng)
    x, y, shift_x, shift_y = _uniform(rng, n, (-6, 6), (-6, 6), (-6, 6), (-6, 6))
    return _points(x, y), ((x + noise * shift_x + y + noise * shift_y) / 10).astype(np.float32)


def multi_gaussian(n: int = 1200, noise: float = 0.0, *, rng: np.random.Generator) -> tuple[Floats, Floats]:
    """Draw points whose target is a landscape of three hills and three holes.

    p ~ U(-6, 6)², target = Σ_c s_c·max(0, 1 - |p' - c|/2) at p' = p + noise·U(-6, 6)²; centres c in {-4, 0,
    4} × {2.5, -2.5}, signs s = + - + in the upper row, - + - in the lower. The name is the Playground's; they
    are cones. Noise makes targets wrong; no point moves.

    Returns:
        points of shape (n, 2) and targets in [-1, 1] of shape (n,), both float32.

    >>> points, targets = multi_gaussian(rng=np.random.default_rng(0))
    >>> points.shape, bool(targets.min() >= -1), bool(targets.max() <= 1)
    ((1200, 2), True, True)
    """
    _check("multi_gaussian", n, noise, rng)
    x, y, shift_x, shift_y = _uniform(rng, n, (-6, 6), (-6, 6), (-6, 6), (-6, 6))
    centre_x = np.array([[-4.0], [0.0], [4.0], [-4.0], [0.0], [4.0]])  # (6, 1)
    centre_y = np.array([[2.5], [2.5], [2.5], [-2.5], [-2.5], [-2.5]])
    sign = np.array([[1], [-1], [1], [-1], [1], [-1]])
    distance = np.hypot(x + noise * shift_x - centre_x, y + noise * shift_y - centre_y)  # (6, n)
    # The Playground takes the tallest cone; with radius 2 and centres 4 apart only one is ever non-zero.
    targets = (sign * np.maximum(0, 1 - distance / 2)).sum(axis=0)
    return _points(x, y), targets.astype(np.float32)


# ---------------------------------------------------------------- three sets known from scikit-learn


def moons(n: int = 500, noise: float = 0.0, *, rng: np.random.Generator) -> tuple[Floats, Integers]:
    """Draw two half circles that reach into each other.

    Class 0: (cos t, sin t); class 1: (1 - cos t, ½ - sin t); t evenly spaced in [0, π]; plus N(0, noise²).

    Returns:
        points, float32 of shape (n, 2), and labels 0 or 1, int64 of shape (n,); class 0 comes first.

    Source: scikit-learn, `make_moons`.

    >>> points, labels = moons(4, rng=np.random.default_rng(0))
    >>> points.round(1).tolist(), labels.tolist()
    ([[1.0, 0.0], [-1.0, 0.0], [0.0, 0.5], [2.0, 0.5]], [0, 0, 1, 1])
    """
    _check("moons", n, noise, rng, most=math.inf)
    labels = _halves(n, 0, 1)
    t = np.concatenate([np.linspace(0, math.pi, n - n // 2), np.linspace(0, math.pi, n // 2)])
    x = np.where(labels == 0, np.cos(t), 1 - np.cos(t))
    y = np.where(labels == 0, np.sin(t), 0.5 - np.sin(t))
    jitter_x, jitter_y = rng.normal(0, noise, size=(2, n))
    return _points(x + jitter_x, y + jitter_y), labels.astype(np.int64)


def rings(
    n: int = 500, noise: float = 0.0, *, factor: float = 0.5, rng: np.random.Generator
) -> tuple[Floats, Integers]:
    """Draw two circles, one inside the other.

    Class 0 has radius 1, class 1 radius `factor` (between 0 and 1); angles evenly spaced in [0, 2π); plus
    N(0, noise²).

    Returns:
        points, float32 of shape (n, 2), and labels 0 or 1, int64 of shape (n,); class 0 comes first.

    Source: scikit-learn, `make_circles` (whose factor is 0.8 unless told otherwise).

    >>> points, labels = rings(6, rng=np.random.default_rng(0))
    >>> np.hypot(*points.T).round(3).tolist()
    [1.0, 1.0, 1.0, 0.5, 0.5, 0.5]
    """
    _check("rings", n, noise, rng, most=math.inf)
    if not 0 < factor < 1:
        raise ValueError(
            f"rings: expected a factor between 0 and 1, both excluded; received {factor}. "
            "It is the radius of the inner ring; the outer one has radius 1"
        )
    labels = _halves(n, 0, 1)
    angle = 2 * math.pi * np.concatenate([np.arange(k) / max(k, 1) for k in (n - n // 2, n // 2)])
    radius = _halves(n, 1, factor)
    jitter_x, jitter_y = rng.normal(0, noise, size=(2, n))
    points = _points(radius * np.cos(angle) + jitter_x, radius * np.sin(angle) + jitter_y)
    return points, labels.astype(np.int64)


def blobs(
    n: int = 500, noise: float = 1.0, *, num_classes: int = 3, rng: np.random.Generator
) -> tuple[Floats, Integers]:
    """Draw round clouds, one for each class, around random centres.

    Class k ~ N(c_k, noise²·I), centres c_k ~ U(-10, 10)²: two of them may well fall together.

    Returns:
        points, float32 of shape (n, 2), and labels 0 … num_classes - 1, int64 of shape (n,), class by class.

    Source: scikit-learn, `make_blobs`.

    >>> points, labels = blobs(7, num_classes=3, rng=np.random.default_rng(0))
    >>> labels.tolist()
    [0, 0, 0, 1, 1, 2, 2]
    """
    _check("blobs", n, noise, rng, most=math.inf)
    check_whole("blobs", num_classes=num_classes)
    labels = np.sort(np.arange(n) % num_classes)
    centres = rng.uniform(-10, 10, size=(2, num_classes))
    x, y = rng.normal(centres[:, labels], noise)
    return _points(x, y), labels.astype(np.int64)


# ------------------------------------------------------------------------------------------- helpers


def _uniform(rng: np.random.Generator, n: int, *bounds: tuple[float, float]) -> Doubles:
    """Draw U(low, high) for every pair of bounds, point after point: shape (len(bounds), n)."""
    low, high = np.transpose(bounds)
    return rng.uniform(low, high, size=(n, len(bounds))).T


def _halves(n: int, first: float, second: float) -> Doubles:
    """Return one value for the first half of n rows, another for the rest; an odd row joins the first."""
    return np.repeat([float(first), float(second)], [n - n // 2, n // 2])


def _points(x: Doubles, y: Doubles) -> Floats:
    return np.stack([x, y], axis=1).astype(np.float32)


def _check(name: str, n: int, noise: float, rng: np.random.Generator, most: float = 0.5) -> None:
    check_whole(name, n=n)
    check_rng(rng)
    if not (math.isfinite(noise) and 0 <= noise <= most):
        expected = "a finite noise of at least 0" if most == math.inf else f"a noise from 0 to {most}"
        repair = "" if most == math.inf else ". It is a fraction: 0.25 is 25 on the Playground's slider"
        raise ValueError(f"{name}: expected {expected}; received {noise}{repair}")
