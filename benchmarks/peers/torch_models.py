"""The tasks' networks as a torch user writes them, with the tasks' weights."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchmarks.tasks import BLOCKS, CONTEXT, HEADS, VOCABULARY, WIDTH, Array, Task

Loss = Callable[[Tensor, Tensor], Tensor]


def linear(w: Array, b: Array) -> nn.Linear:
    """`nn.Linear` from a weight of shape (in, out) and a bias."""
    layer = nn.Linear(*w.shape, dtype=torch.from_numpy(w).dtype)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(w.T))
        layer.bias.copy_(torch.from_numpy(b))
    return layer


def convolution(k: Array, b: Array) -> nn.Conv2d:
    """`nn.Conv2d` from a kernel of shape (out, in, 3, 3) and a bias."""
    layer = nn.Conv2d(k.shape[1], k.shape[0], 3, dtype=torch.from_numpy(k).dtype)
    with torch.no_grad():
        layer.weight.copy_(torch.from_numpy(k))
        layer.bias.copy_(torch.from_numpy(b))
    return layer


def mlp(weights: dict[str, Array], activation: type[nn.Module]) -> nn.Module:
    """A multilayer perceptron from `w0, b0, w1, …`; its output is linear."""
    layers: list[nn.Module] = []
    for i in range(len(weights) // 2):
        layers += [linear(weights[f"w{i}"], weights[f"b{i}"]), activation()]
    return nn.Sequential(*layers[:-1])


def cnn(weights: dict[str, Array]) -> nn.Module:
    """T3's network."""
    return nn.Sequential(
        convolution(weights["k0"], weights["b0"]),
        nn.ReLU(),
        nn.MaxPool2d(2),
        convolution(weights["k1"], weights["b1"]),
        nn.ReLU(),
        nn.MaxPool2d(2),
        nn.Flatten(),
        linear(weights["w2"], weights["b2"]),
    )


class Attention(nn.Module):
    """Causal self-attention through torch's fused kernel."""

    def __init__(self, weights: dict[str, Array], i: int) -> None:
        super().__init__()
        self.qkv = linear(weights[f"{i}.qkv.w"], weights[f"{i}.qkv.b"])
        self.out = linear(weights[f"{i}.out.w"], weights[f"{i}.out.b"])

    def forward(self, x: Tensor) -> Tensor:
        n, t, d = x.shape
        heads = (
            self.qkv(x).view(n, t, 3, HEADS, d // HEADS).permute(2, 0, 3, 1, 4)
        )  # (3, N, heads, T, d / heads)
        y = F.scaled_dot_product_attention(*heads, is_causal=True)
        out: Tensor = self.out(y.transpose(1, 2).reshape(n, t, d))
        return out


class Block(nn.Module):
    """x + attention(norm(x)), then x + mlp(norm(x))."""

    def __init__(self, weights: dict[str, Array], i: int) -> None:
        super().__init__()
        self.norm1, self.norm2 = (norm(weights, f"{i}.norm{k}") for k in (1, 2))
        self.attention = Attention(weights, i)
        self.up = linear(weights[f"{i}.up.w"], weights[f"{i}.up.b"])
        self.down = linear(weights[f"{i}.down.w"], weights[f"{i}.down.b"])

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.attention(self.norm1(x))
        out: Tensor = x + self.down(F.gelu(self.up(self.norm2(x)), approximate="tanh"))
        return out


def norm(weights: dict[str, Array], name: str) -> nn.LayerNorm:
    """`nn.LayerNorm` with the given scale and shift."""
    scale, shift = (torch.from_numpy(weights[f"{name}.{part}"]) for part in ("scale", "shift"))
    layer = nn.LayerNorm(WIDTH, dtype=scale.dtype)
    with torch.no_grad():
        layer.weight.copy_(scale)
        layer.bias.copy_(shift)
    return layer


class LanguageModel(nn.Module):
    """T5's network: tokens (N, T) → logits (N · T, vocabulary)."""

    def __init__(self, weights: dict[str, Array]) -> None:
        super().__init__()
        self.token = nn.Embedding(VOCABULARY, WIDTH, _weight=torch.from_numpy(weights["token"].copy()))
        self.position = nn.Parameter(torch.from_numpy(weights["position"].copy()))
        self.blocks = nn.Sequential(*[Block(weights, i) for i in range(BLOCKS)])
        self.norm = norm(weights, "norm")
        self.head = linear(weights["head.w"], weights["head.b"])

    def forward(self, tokens: Tensor) -> Tensor:
        x = self.token(tokens) + self.position[:CONTEXT]
        logits: Tensor = self.head(self.norm(self.blocks(x)))
        return logits.reshape(-1, VOCABULARY)


def model_and_loss(task: Task) -> tuple[nn.Module, Loss]:
    """The task's network with its initial weights, and its loss (prediction, target) → scalar."""
    if task.name == "T1":
        return mlp(task.weights, nn.Tanh), F.mse_loss
    if task.name == "T2":
        return mlp(task.weights, nn.ReLU), F.cross_entropy
    if task.name == "T3":
        return cnn(task.weights), F.cross_entropy
    if task.name == "T5":
        return LanguageModel(task.weights), lambda logits, tokens: F.cross_entropy(logits, tokens.reshape(-1))
    raise ValueError(f"expected a task of T1, T2, T3, T5; received {task.name}: T4 has modules of its own")


OPTIMIZER_VARIANTS = {
    "for-loop": {"foreach": False, "fused": False},
    "foreach": {"foreach": True},
    "fused": {"fused": True},
}


def optimizer(
    task: Task, parameters: Iterable[nn.Parameter], variant: str, **options: bool
) -> torch.optim.Optimizer:
    """The task's optimizer in one of torch's three implementations."""
    make = {"sgd": torch.optim.SGD, "adam": torch.optim.Adam}[task.optimizer]
    return make(parameters, lr=task.learning_rate, **OPTIMIZER_VARIANTS[variant], **options)


def prepare() -> None:
    """One thread, and float32 that is float32: cuDNN would otherwise round inputs of convolutions to ten bits."""
    torch.set_num_threads(1)
    torch.backends.cudnn.allow_tf32 = False


def batches(task: Task, device: str) -> list[tuple[Tensor, Tensor]]:
    """The task's batches as tensors on the device."""
    inputs, targets = (torch.from_numpy(a).to(device) for a in (task.inputs, task.targets))
    return list(zip(inputs, targets, strict=True))


def wait(device: str) -> Callable[[object], None]:
    """A function that blocks until the device has finished."""
    return (lambda loss: torch.cuda.synchronize()) if device == "cuda" else (lambda loss: None)
