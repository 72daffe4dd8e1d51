"""Who takes part in which task; the first of a task is its reference."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from benchmarks.harness import Contestant

ALL = ("T1", "T2", "T3", "T4", "T5")
SINGLE = ("T1", "T2", "T3", "T5")
BOTH = ("cpu", "cuda")
NUMPY, TORCH = {"library": "numpy"}, {"library": "torch"}
PEERS, OURS = "benchmarks.peers.", "benchmarks.ours"

# The Adam of these computes 1 - 0.999ᵗ in float32 (tinygrad, compiled torch) or adds ε before the bias
# correction (scikit-learn). Both act on the first steps and on the tiniest gradients; the losses then stay up
# to a few percent apart.
OTHER_ADAM: dict[str, Any] = {
    "tolerances": {"T2": 0.05, "T3": 0.05, "T5": 0.05},
    "note": "its Adam rounds differently",
}


def has_avx512() -> bool:
    """Tell whether this processor has AVX-512; OpenBLAS does not use it on AMD's unless told."""
    try:
        return "avx512f" in Path("/proc/cpuinfo").read_text()
    except OSError:
        return False


CONTESTANTS = [
    *[
        Contestant("torch eager", way, PEERS + "torch_eager", SINGLE, {"optimizer": way}, BOTH)
        for way in ("for-loop", "foreach", "fused")
    ],
    *[
        Contestant("torch loop", way, PEERS + "torch_many", ("T4",), {"way": "loop", "optimizer": way}, BOTH)
        for way in ("for-loop", "foreach", "fused")
    ],
    Contestant("torch", "batched by hand", PEERS + "torch_many", ("T4",), {"way": "hand-batched"}, BOTH),
    Contestant("torch.func.vmap", "", PEERS + "torch_many", ("T4",), {"way": "vmap"}, BOTH),
    Contestant(
        "torch.compile", "fused optimizer", PEERS + "torch_compile", SINGLE, {"optimizer": "fused"}, BOTH
    ),
    Contestant(
        "torch.compile",
        "compiled optimizer",
        PEERS + "torch_compile",
        SINGLE,
        {"optimizer": "compiled"},
        BOTH,
        **OTHER_ADAM,
    ),
    Contestant("torch", "CUDA graph", PEERS + "torch_graph", SINGLE, {}, ("cuda",)),
    Contestant("JAX", "jit per step", PEERS + "jax_steps", ALL, {"scan": False}),
    Contestant("JAX", "scan over 100 steps", PEERS + "jax_steps", ALL, {"scan": True}),
    Contestant("scikit-learn", "partial_fit", PEERS + "sklearn_mlp", ("T1", "T2"), **OTHER_ADAM),
    Contestant("tinygrad", "TinyJit", PEERS + "tinygrad_jit", ("T1", "T2", "T3"), **OTHER_ADAM),
    Contestant("HIPS autograd", "", PEERS + "hips_autograd", ("T1", "T2")),
    Contestant("micrograd", "", PEERS + "micrograd_mlp", ("T1",), check_steps=3),
    *[
        Contestant("dlcore", f"{way}, NumPy", OURS, ALL, NUMPY | {"captured": way == "captured"})
        for way in ("define-by-run", "captured")
    ],
    *[
        Contestant(
            "dlcore",
            f"{way}, NumPy told to use AVX-512",
            OURS,
            ("T2", "T3", "T5"),
            NUMPY | {"captured": way == "captured"},
            environment={"OPENBLAS_CORETYPE": "SKYLAKEX"},
        )
        for way in ("define-by-run", "captured")
        if has_avx512()
    ],
    Contestant("dlcore", "define-by-run, torch arrays", OURS, ALL, TORCH | {"captured": False}, BOTH),
    Contestant("dlcore", "captured, torch arrays", OURS, ALL, TORCH | {"captured": True}, ("cuda",)),
    Contestant("C loop", "", PEERS + "c_loop", ("T1", "T4")),
    *[
        Contestant(
            "dlcore",
            f"{'one batch' if together else 'one after another'}, {way}",
            "benchmarks.seeds",
            ("S1",),
            {"together": together, "captured": way == "captured"},
        )
        for together in (False, True)
        for way in ("define-by-run", "captured")
    ],
    Contestant("captum", "as it comes", PEERS + "captum_maps", ("M1", "M2"), {"at_once": None}),
    Contestant("captum", "256 inputs at once", PEERS + "captum_maps", ("M1",), {"at_once": 256}),
    *[
        Contestant("captum", f"{n} patches at once", PEERS + "captum_maps", ("M3",), {"at_once": n})
        for n in (1, 4)
    ],
    Contestant("dlcore", "maps, NumPy", "benchmarks.maps", ("M1", "M2", "M3"), NUMPY),
    Contestant("dlcore", "maps, torch arrays", "benchmarks.maps", ("M1", "M2", "M3"), TORCH),
]


def of_task(task: str, device: str) -> list[Contestant]:
    """The contestants of a task on a device, the reference first."""
    return [each for each in CONTESTANTS if task in each.tasks and device in each.devices]
