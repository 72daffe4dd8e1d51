"""Maps are held against their axioms, hand-weighted models with known answers, captum, and randomized weights."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from dlcore import data, loss, optim
from dlcore import interpretability as inter
from dlcore.activations import relu, softplus, tanh
from dlcore.arrays import device_of, to_numpy
from dlcore.convolution import Conv2d, MaxPool2d
from dlcore.layers import Dense, Flatten, Module, Sequential
from dlcore.training import accuracy, fit
from tests.helpers import Backend, on_every_backend


def make_rng(seed=0):
    return np.random.default_rng(seed)


Map = Any


def small_cnn(backend: Backend) -> Sequential:
    """Return a network that sees 10 × 10 pictures in five classes."""
    rng, where = make_rng(), {"device": backend.device, "dtype": backend.dtype}
    return Sequential(
        Conv2d(1, 4, kernel_size=3, padding=1, rng=rng, **where), relu, MaxPool2d(2),
        Conv2d(4, 6, kernel_size=3, rng=rng, **where), relu, Flatten(),
        Dense(54, 8, rng=rng, **where), tanh, Dense(8, 5, rng=rng, **where),
    )  # fmt: skip


def small_mlp(backend: Backend, bend: Any = relu, outputs: int = 3) -> Sequential:
    rng, where = make_rng(), {"device": backend.device, "dtype": backend.dtype}
    return Sequential(
        Dense(4, 16, rng=rng, **where), bend, Dense(16, outputs, rng=rng, **where),
    )  # fmt: skip


def pictures(backend: Backend, count: int = 6) -> tuple[Any, np.ndarray[Any, Any]]:
    rng = make_rng(7)
    return backend.array(rng.uniform(size=(count, 1, 10, 10))), rng.integers(0, 5, count)


EXACT = Backend("numpy", "float64")
METHODS: dict[str, Map] = {
    "saliency": inter.saliency,
    "gradient_x_input": inter.gradient_x_input,
    "smooth_grad": lambda m, x, t: inter.smooth_grad(m, x, t, rng=make_rng(), samples=3),
    "integrated_gradients": lambda m, x, t: inter.integrated_gradients(m, x, t, steps=8),
    "guided_backprop": inter.guided_backprop,
    "occlusion": inter.occlusion,
    "shapley_values": lambda m, x, t: inter.shapley_values(m, x, t, rng=make_rng(), samples=1),
    "grad_cam": lambda m, x, t: inter.grad_cam(m, x, t, layer=m[3]),
    "feature_visualization": lambda m, x, t: inter.feature_visualization(m, x, t, steps=2),
    "adversarial_example": lambda m, x, t: inter.adversarial_example(m, x, t, epsilon=0.1),
}
every_method = pytest.mark.parametrize("name", METHODS)


# ---- what holds for every method


@on_every_backend
@every_method
def test_a_map_has_the_shape_and_the_kind_of_the_inputs(name: str, backend: Backend) -> None:
    model, (x, target) = small_cnn(backend), pictures(backend, 2)
    result = METHODS[name](model, x, target)
    assert result.shape == x.shape
    assert result.dtype == x.dtype
    assert device_of(result) == device_of(x)
    exact = METHODS[name](small_cnn(EXACT), to_numpy(x).astype(float), target)
    np.testing.assert_allclose(to_numpy(result), exact, atol=2e-4 if backend.dtype == "float32" else 1e-10)


@every_method
def test_a_model_is_left_as_it_was(name: str) -> None:
    model, (x, target) = small_cnn(EXACT), pictures(EXACT, 2)
    model[0].eval()
    before = model.state()
    METHODS[name](model, x, target)
    assert [module.training for module in (model, model[0], model[3])] == [True, False, True]
    assert all(p.requires_grad and p.grad is None for p in model.parameters())
    assert all(np.array_equal(before[key], value) for key, value in model.state().items())
    assert "forward" not in vars(model[3])


@every_method
def test_examples_do_not_see_each_other(name: str) -> None:
    if name in ("smooth_grad", "shapley_values"):
        pytest.skip("draws noise for the whole batch")
    model, (x, target) = small_cnn(EXACT), pictures(EXACT, 3)
    whole = METHODS[name](model, x, target)
    alone = METHODS[name](model, x[1:2], target[1:2])
    np.testing.assert_allclose(whole[1:2], alone, atol=1e-12)


@every_method
@pytest.mark.parametrize(
    ("inputs", "target", "said"),
    [
        (np.ones(4), 0, "batch as first axis"),
        (np.ones((2, 1, 10, 10), dtype=int), 0, "floats"),
        (np.ones((2, 1, 10, 10)), np.array([0, 5]), "expected"),
        (np.ones((2, 1, 10, 10)), np.array([0, 1, 2]), "expected"),
        (np.ones((0, 1, 10, 10)), 0, "at least one example"),
        (np.full((2, 1, 10, 10), np.nan), 0, "NaN or infinity"),
    ],
)
def test_what_does_not_fit_is_refused(name: str, inputs: Any, target: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        METHODS[name](small_cnn(EXACT), inputs, target)


def test_noise_is_measured_by_each_input_and_not_by_the_batch() -> None:
    model, x = small_mlp(EXACT, tanh), make_rng().normal(size=(1, 4))
    first, _ = inter.smooth_grad(model, np.concatenate([x, 100 * x]), 0, rng=make_rng(), samples=1)
    np.testing.assert_allclose(first, inter.smooth_grad(model, x, 0, rng=make_rng(), samples=1)[0])


def test_a_class_may_be_one_for_all_and_an_output_alone_needs_none() -> None:
    model, (x, _) = small_cnn(EXACT), pictures(EXACT)
    np.testing.assert_array_equal(inter.saliency(model, x, 2), inter.saliency(model, x, np.full(len(x), 2)))
    alone = small_mlp(EXACT, outputs=1)
    inputs = make_rng().normal(size=(3, 4))
    np.testing.assert_array_equal(inter.saliency(alone, inputs), inter.saliency(alone, inputs, 0))
    with pytest.raises(ValueError, match="expected a target"):
        inter.saliency(model, x)


@pytest.mark.parametrize("method", [inter.integrated_gradients, inter.shapley_values])
def test_a_baseline_of_another_shape_is_refused(method: Map) -> None:
    options = {} if method is inter.integrated_gradients else {"rng": make_rng()}
    with pytest.raises(ValueError, match=r"broadcasts to the inputs' shape \(2, 4\); received shape \(3,\)"):
        method(small_mlp(EXACT), np.ones((2, 4)), 0, baseline=np.zeros(3), **options)


@pytest.mark.parametrize(
    ("labels", "options"),
    [
        (np.array([0, -1]), {}),
        (np.array([0.0, 1.0]), {}),
        (np.array([0]), {}),
        (np.array([0, 1]), {"test_share": 1.0}),
        (np.array([0, 1]), {"penalty": 0.0}),
    ],
)
def test_labels_that_no_probe_can_read_are_refused(labels: Any, options: Any) -> None:
    model = small_mlp(EXACT)
    with pytest.raises(ValueError, match="linear_probe: expected labels"):
        inter.linear_probe(model, np.ones((2, 4)), labels, layer=model[0], rng=make_rng(), **options)


def test_a_probe_needs_examples_on_both_sides_and_knows_classes_of_either() -> None:
    model, x = small_mlp(EXACT), make_rng().normal(size=(6, 4))
    with pytest.raises(ValueError, match="received 1, of which 0 would be for the test"):
        inter.linear_probe(model, x[:1], np.array([0]), layer=model[0], rng=make_rng())
    labels = np.array([0, 0, 0, 0, 0, 2])  # class 2 once: to fit to or for the test
    for seed in range(6):
        probe = inter.linear_probe(model, x, labels, layer=model[0], rng=make_rng(seed), test_share=0.5)
        assert probe.weight.shape == (16, 3)


def test_a_seed_is_no_generator() -> None:
    model, x, t = small_mlp(EXACT), np.ones((4, 4)), np.array([0, 1, 2, 0])
    for call in (
        lambda: inter.randomized(model, rng=3),
        lambda: inter.smooth_grad(model, x, rng=3),
        lambda: inter.shapley_values(model, x, rng=3),
        lambda: inter.permutation_importance(model, x, t, metric=accuracy, rng=3),
        lambda: inter.linear_probe(model, x, t, layer=model[0], rng=3),
    ):
        with pytest.raises(TypeError, match=r"rng: expected a numpy.random.Generator; received 3"):
            call()


def test_an_attack_does_not_bring_inputs_into_the_box() -> None:
    model, x, t = small_mlp(EXACT), np.array([[0.5, -3.0, 0.5, 0.5]]), np.array([0])
    with pytest.raises(ValueError, match=r"expected inputs from 0.0 to 1.0; received -3.0 to 0.5"):
        inter.adversarial_example(model, x, t, epsilon=0.1)
    moved = inter.adversarial_example(model, x, t, epsilon=0.1, low=-np.inf, high=np.inf)
    np.testing.assert_allclose(np.abs(moved - x), 0.1)


def test_layers_to_be_shuffled_are_the_models() -> None:
    model = small_mlp(EXACT)
    with pytest.raises(ValueError, match="randomized: expected layers of the model"):
        inter.randomized(model, rng=make_rng(), layers=[small_mlp(EXACT)[0]])
    twin = inter.randomized(model, rng=make_rng(), layers=[])  # none, not all
    assert all(
        np.array_equal(a.numpy(), b.numpy())
        for a, b in zip(model.parameters(), twin.parameters(), strict=True)
    )


def test_a_layer_of_another_model_is_refused() -> None:
    model, x = small_cnn(EXACT), np.ones((2, 1, 10, 10))
    with pytest.raises(ValueError, match="batch, channels, height, width"):
        inter.grad_cam(model, np.ones((2, 100)), 0, layer=model[3])
    with pytest.raises(ValueError, match="expected a layer of the model"):
        inter.grad_cam(model, x, 0, layer=small_cnn(EXACT)[3])
    with pytest.raises(ValueError, match="puts out"):
        inter.grad_cam(model, x, 0, layer=model[6])


def test_a_model_whose_forward_is_its_own_gets_it_back() -> None:
    model = Formula(lambda x: x.sum(axis=1))
    before = model.forward
    inter.linear_probe(model, np.ones((4, 3)), np.array([0, 1, 0, 1]), layer=model, rng=make_rng())
    assert model.forward is before


# ---- another author's


def twins() -> tuple[Sequential, Any, Any]:
    torch = pytest.importorskip("torch", reason="torch is not installed")
    pytest.importorskip("captum", reason="captum is not installed")
    ours, nn = small_cnn(EXACT), torch.nn
    theirs = nn.Sequential(
        nn.Conv2d(1, 4, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Conv2d(4, 6, 3), nn.ReLU(), nn.Flatten(),
        nn.Linear(54, 8), nn.Tanh(), nn.Linear(8, 5),
    ).double()  # fmt: skip
    with torch.no_grad():
        for parameter, copy in zip(ours.parameters(), theirs.parameters(), strict=True):
            values = torch.tensor(parameter.numpy())
            copy.copy_(values.T if values.ndim == 2 else values)
    return ours, theirs, torch


def captum_map(name: str, model: Any, x: Any, target: Any) -> Any:
    from captum import attr
    from torch.nn.functional import interpolate

    if name == "grad_cam":
        heat = attr.LayerGradCam(model, model[3]).attribute(x, target=target, relu_attributions=True)
        return interpolate(heat, size=(10, 10), mode="bilinear", align_corners=False)
    if name == "occlusion":
        shape = {"sliding_window_shapes": (1, 4, 4), "strides": (1, 2, 2)}
        return attr.Occlusion(model).attribute(x, target=target, **shape)
    method = {
        "saliency": attr.Saliency,
        "gradient_x_input": attr.InputXGradient,
        "integrated_gradients": attr.IntegratedGradients,
        "guided_backprop": attr.GuidedBackprop,
    }[name]
    return method(model).attribute(x.requires_grad_(), target=target)


@pytest.mark.filterwarnings("ignore::UserWarning")  # captum's own, about hooks
@pytest.mark.parametrize(
    "name",
    ["saliency", "gradient_x_input", "integrated_gradients", "guided_backprop", "occlusion", "grad_cam"],
)
def test_captum_says_the_same(name: str) -> None:
    ours, theirs, torch = twins()
    x, target = pictures(EXACT)
    defaults = {**METHODS, "integrated_gradients": inter.integrated_gradients}
    expected = captum_map(name, theirs, torch.tensor(x), torch.tensor(target))
    np.testing.assert_allclose(defaults[name](ours, x, target), expected.detach().numpy(), atol=1e-6)


# ---- axioms


def change(model: Module, x: Any, target: Any, baseline: Any) -> np.ndarray[Any, Any]:
    rows = np.arange(len(x))
    return np.asarray(
        model(x).numpy()[rows, target] - model(np.zeros_like(x) + baseline).numpy()[rows, target]
    )


@pytest.mark.parametrize("baseline", [0.0, 0.5])
def test_integrated_gradients_are_complete(baseline: float) -> None:
    model, x = small_mlp(EXACT, softplus), make_rng().normal(size=(5, 4))
    target = np.array([0, 1, 2, 0, 1])
    whole = inter.integrated_gradients(model, x, target, baseline=baseline).sum(axis=1)
    np.testing.assert_allclose(whole, change(model, x, target, baseline), atol=1e-10)


@pytest.mark.parametrize("samples", [1, 4])
def test_shapley_values_are_efficient_whatever_the_number_of_samples(samples: int) -> None:
    model, x = small_mlp(EXACT, tanh), make_rng().normal(size=(5, 4))
    target = np.array([0, 1, 2, 0, 1])
    shares = inter.shapley_values(model, x, target, rng=make_rng(), baseline=0.3, samples=samples)
    np.testing.assert_allclose(shares.sum(axis=1), change(model, x, target, 0.3), atol=1e-12)


class Formula(Module):
    """A model whose output is written down."""

    def __init__(self, formula: Any) -> None:
        self.forward = formula


def test_shapley_values_of_a_game_that_is_known() -> None:
    # v = x1 x2: alone neither does anything, together they do all; so each gets half. The third plays no part.
    together = Formula(lambda x: x[:, 0] * x[:, 1])
    shares = inter.shapley_values(together, np.array([[2.0, 3.0, 7.0]]), rng=make_rng(), samples=1)
    np.testing.assert_allclose(shares, [[3.0, 3.0, 0.0]])  # an order and its reverse: exact for pairs


def test_players_that_do_the_same_get_the_same() -> None:
    alike = Formula(lambda x: (x[:, 0] + x[:, 1]) ** 2 + x[:, 2])
    shares = inter.shapley_values(alike, np.array([[1.0, 1.0, 5.0]]), rng=make_rng(), samples=2)
    np.testing.assert_allclose(shares, [[2.0, 2.0, 5.0]])


@pytest.mark.parametrize(
    "name", ["saliency", "gradient_x_input", "integrated_gradients", "occlusion", "shapley_values"]
)
def test_what_the_model_ignores_gets_nothing(name: str) -> None:
    model = small_mlp(EXACT, tanh)
    model[0].weight.data[2] = 0
    methods = {**METHODS, "occlusion": lambda m, x, t: inter.occlusion(m, x, t, window=1, stride=1)}
    result = methods[name](model, make_rng().normal(size=(3, 4)), 1)
    # Differences of scores are left with rounding, which may depend on where a row stands in its batch.
    differences = name in ("occlusion", "shapley_values")
    np.testing.assert_allclose(result[:, 2], 0, atol=1e-15 if differences else 0)
    assert np.all(np.abs(result[:, [0, 1, 3]]) > 1e-6)


@pytest.mark.parametrize(
    "name", ["saliency", "gradient_x_input", "integrated_gradients", "occlusion", "shapley_values"]
)
def test_two_networks_that_compute_the_same_have_the_same_map(name: str) -> None:
    model, twin = small_mlp(EXACT), small_mlp(EXACT)
    order = make_rng(3).permutation(16)  # other units in other places, twice as large and then halved
    twin[0].weight.data[:] = 2 * model[0].weight.data[:, order]
    twin[0].bias.data[:] = 2 * model[0].bias.data[order]
    twin[2].weight.data[:] = model[2].weight.data[order] / 2
    x = make_rng().normal(size=(3, 4))
    methods = {**METHODS, "occlusion": lambda m, x, t: inter.occlusion(m, x, t, window=2, stride=1)}
    np.testing.assert_allclose(methods[name](model, x, 1), methods[name](twin, x, 1), atol=1e-12)


def test_in_a_linear_model_all_methods_say_weight_times_input() -> None:
    weight = np.array([3.0, -2.0, 0.5])
    linear = Formula(lambda x: (x * weight).sum(axis=1))
    x = np.array([[1.0, 2.0, -4.0], [0.5, 0.0, 2.0]])
    np.testing.assert_allclose(inter.saliency(linear, x), np.abs(weight) + 0 * x)
    for result in (
        inter.gradient_x_input(linear, x),
        inter.integrated_gradients(linear, x, steps=1),
        inter.occlusion(linear, x, window=1, stride=1),
        inter.shapley_values(linear, x, rng=make_rng(), samples=1),
        x * inter.smooth_grad(linear, x, rng=make_rng(), samples=2),
    ):
        np.testing.assert_allclose(result, weight * x, atol=1e-12)


def test_without_biases_relus_make_gradient_times_input_complete() -> None:
    rng = make_rng()
    model = Sequential(
        Dense(4, 9, rng=rng, bias=False, dtype="float64"),
        relu,
        Dense(9, 2, rng=rng, bias=False, dtype="float64"),
    )
    x = rng.normal(size=(6, 4))
    np.testing.assert_allclose(
        inter.gradient_x_input(model, x, 1).sum(axis=1), model(x).numpy()[:, 1], atol=1e-12
    )


# ---- hand-weighted models with known answers


def test_occlusion_finds_the_one_pixel_that_counts() -> None:
    model = Formula(lambda x: 5 * x[:, 0, 6, 2])
    heat = inter.occlusion(model, np.ones((1, 1, 10, 10)), window=3, stride=1)[0, 0]
    assert heat[6, 2] == heat.max() == 5.0
    assert np.all(heat[:4] == 0)
    assert np.all(heat[:, 5:] == 0)


@pytest.mark.parametrize(("window", "stride"), [(3, 2), (4, 4), (10, 1), (7, 5)])
def test_occlusion_covers_every_pixel(window: int, stride: int) -> None:
    model = Formula(lambda x: x.sum(axis=(1, 2, 3)))
    heat = inter.occlusion(model, np.ones((1, 1, 10, 10)), window=window, stride=stride)
    np.testing.assert_allclose(heat, window**2)


def test_grad_cam_of_maps_that_are_known() -> None:
    picture = np.zeros((1, 1, 4, 4))
    picture[0, 0, :2, :2] = 1.0
    conv = Conv2d(1, 2, kernel_size=1, rng=make_rng(), dtype="float64")
    conv.weight.data[:] = np.array([1.0, -1.0]).reshape(2, 1, 1, 1)  # the picture, and its negative
    model = Sequential(conv, Flatten(), Dense(32, 2, rng=make_rng(), dtype="float64"))
    model[2].weight.data[:] = 0
    model[2].weight.data[:16, 0] = 1.0  # class 0: sum of the first map
    model[2].weight.data[16:, 1] = 1.0  # class 1: sum of the second, which is negative where there is ink
    np.testing.assert_allclose(inter.grad_cam(model, picture, 0, layer=conv), picture)
    np.testing.assert_allclose(inter.grad_cam(model, picture, 1, layer=conv), 0 * picture)


def test_the_linear_probe_reads_what_is_there_and_nothing_else() -> None:
    rng = make_rng()
    x = rng.normal(size=(400, 4))
    model = small_mlp(EXACT)
    there = (x[:, 0] > 0).astype(int)
    not_there = rng.integers(0, 2, 400)
    assert inter.linear_probe(model, x, there, layer=model[0], rng=make_rng()).test > 0.9
    assert abs(inter.linear_probe(model, x, not_there, layer=model[0], rng=make_rng()).test - 0.5) < 0.15


def test_permutation_importance_falls_on_the_feature_that_is_used() -> None:
    rng = make_rng()
    x = rng.normal(size=(300, 3))
    model = Formula(lambda x: x[:, 1] * 1.0)
    falls = inter.permutation_importance(
        model, x, x[:, 1], rng=rng, metric=lambda out, t: -float(np.mean((out - t) ** 2)), repeats=20
    )
    assert falls[0] == falls[2] == 0
    assert abs(falls[1] - 2 * x[:, 1].var()) < 0.2  # E (x - x')² for an independent copy


def test_feature_visualization_climbs_and_stays_in_the_box() -> None:
    model, start = small_cnn(EXACT), np.full((2, 1, 10, 10), 0.5)
    seen = inter.feature_visualization(model, start, np.array([0, 3]), steps=30)
    assert np.all(model(seen).numpy()[[0, 1], [0, 3]] > model(start).numpy()[[0, 1], [0, 3]] + 0.1)
    assert seen.min() >= 0
    assert seen.max() <= 1


def test_an_adversarial_example_of_a_linear_model_is_the_worst_in_the_box() -> None:
    model = Sequential(Dense(3, 2, rng=make_rng(), dtype="float64"))
    x, target = np.full((1, 3), 0.5), np.array([0])
    weight = model[0].weight.numpy()
    worst = x - 0.1 * np.sign(weight[:, 0] - weight[:, 1])
    for steps in (1, 10):
        np.testing.assert_allclose(
            inter.adversarial_example(model, x, target, epsilon=0.1, steps=steps), worst
        )


# ---- sanity: a map of the model changes with the model


@pytest.fixture(scope="module")
def trained() -> tuple[Sequential, np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """A small convolutional network that reads most digits, and thirty pictures of the test."""
    x, digits = data.digits("train")
    rng = make_rng()
    model = Sequential(
        Conv2d(1, 8, kernel_size=5, stride=2, rng=rng), relu, Conv2d(8, 16, kernel_size=3, rng=rng), relu, Flatten(),
        Dense(1600, 10, rng=rng),
    )  # fmt: skip
    fit(
        model, (x[:3000, None], digits[:3000]), loss=loss.cross_entropy, epochs=3, batch_size=64, seed=0,
        optimizer=optim.Adam(model.parameters(), learning_rate=2e-3), progress=False,
    )  # fmt: skip
    test, labels = data.digits("test")
    assert np.mean(model(test[:300, None]).numpy().argmax(axis=1) == labels[:300]) > 0.9
    return model, test[:30, None], labels[:30]


def alike(first: Any, second: Any) -> float:
    return float(inter.rank_similarity(first, second).mean())


def test_ranks_are_those_of_scipy() -> None:
    stats = pytest.importorskip("scipy.stats", reason="scipy is not installed")
    rng = make_rng()
    first, second = rng.integers(-3, 4, (2, 5, 6, 7)).astype(float)  # with many equal numbers
    expected = [
        stats.spearmanr(abs(a).ravel(), abs(b).ravel())[0] for a, b in zip(first, second, strict=True)
    ]
    np.testing.assert_allclose(inter.rank_similarity(first, second), expected, atol=1e-12)
    assert np.isnan(inter.rank_similarity(np.ones((1, 4)), rng.normal(size=(1, 4)))).all()
    with pytest.raises(ValueError, match="expected maps of one shape"):
        inter.rank_similarity(np.ones((2, 4)), np.ones((2, 5)))


def test_many_copies_in_one_pass_are_the_same_as_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    model, (x, target) = small_cnn(EXACT), pictures(EXACT, 3)
    names = ("smooth_grad", "integrated_gradients", "occlusion")
    together = {name: METHODS[name](model, x, target) for name in names}
    for module in ("gradient_maps", "perturbation", "scores"):
        monkeypatch.setattr(f"dlcore.interpretability.{module}.CHUNK", 4)
    for name in names:
        np.testing.assert_allclose(METHODS[name](model, x, target), together[name], atol=1e-12)


def test_maps_of_a_randomized_network_are_others_but_guided_backprop_hardly_changes(trained: Any) -> None:
    model, x, labels = trained
    # Only the last layer forgets, the first that Adebayo et al. randomize.
    forgetful = inter.randomized(model, rng=make_rng(), layers=[model[5]])
    kept = {
        name: alike(METHODS[name](model, x, labels), METHODS[name](forgetful, x, labels))
        for name in ("gradient_x_input", "guided_backprop", "saliency")
    }
    assert kept["guided_backprop"] > kept["saliency"] + 0.1, kept
    assert inter.saliency(model, x, labels).shape == x.shape
    signs = [np.sign(inter.gradient_x_input(m, x, labels)[x > 0]) for m in (model, forgetful)]
    assert np.mean(signs[0] == signs[1]) < 0.7


def test_randomized_keeps_sizes_and_leaves_the_rest() -> None:
    model = small_cnn(EXACT)
    twin = inter.randomized(model, rng=make_rng(), layers=[model[8]])
    same = [
        np.array_equal(a.numpy(), b.numpy())
        for a, b in zip(model.parameters(), twin.parameters(), strict=True)
    ]
    assert same[:6] == [True] * 6
    assert not same[6]
    np.testing.assert_array_equal(
        np.sort(model[8].weight.numpy().ravel()), np.sort(twin[8].weight.numpy().ravel())
    )


def test_small_changes_fool_a_network_that_reads_well(trained: Any) -> None:
    model, x, labels = trained
    fooled = inter.adversarial_example(model, x, labels, epsilon=0.2, steps=5)
    assert np.abs(fooled - x).max() <= 0.2 + 1e-6
    before, after = (np.mean(model(inputs).numpy().argmax(axis=1) == labels) for inputs in (x, fooled))
    assert after < before - 0.4
