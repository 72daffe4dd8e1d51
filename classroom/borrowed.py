"""What an answer takes from a package that could do the task for it: a remark for the teacher; no mark is lost."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator

LENDERS = ("dlcore", "torch", "scipy", "sklearn", "tensorflow", "jax")
LONGEST = 50_000  # characters of a cell that is looked at; no answer is as long
LENT_BY_US = ("dlcore.data", "dlcore.lights")  # what the assignments themselves use


def remark(handed: Iterable[str], release: Iterable[str]) -> list[str]:
    """Return a line on what the code cells handed in use beyond those of the release; none if there is nothing.

    >>> remark(["relu = dl.activations.relu"], ["import dlcore as dl"])
    ['the notebook uses dlcore.activations.relu: does that do what was to be written?']
    """
    found = sorted(borrowed(handed) - borrowed(release))
    more = f" and {len(found) - 5} more" if len(found) > 5 else ""
    names = ", ".join(name[:80] for name in found[:5])
    return [f"the notebook uses {names}{more}: does that do what was to be written?"] if found else []


def borrowed(cells: Iterable[str]) -> set[str]:
    """Return the full names of what the cells use from packages that could do a task.

    >>> sorted(borrowed(["import torch.nn as nn", "y = nn.functional.relu(x)", "from dlcore import loss"]))
    ['dlcore.loss', 'torch.nn', 'torch.nn.functional.relu']
    """
    trees = [tree for tree in map(_parsed, cells) if tree]
    called = {"dl": "dlcore"}  # how the notebook calls what it imported
    for tree in trees:
        called |= dict(_imported(tree))
    used = {name for name in called.values() if "." in name}
    for tree in trees:
        inner = {node.value for node in ast.walk(tree) if isinstance(node, ast.Attribute)}
        for node in ast.walk(tree):
            if isinstance(node, ast.Attribute) and node not in inner and (name := _dotted(node, called)):
                used.add(name)
    return {name for name in used if not name.startswith(LENT_BY_US)}


def _parsed(source: str) -> ast.Module | None:
    """Return the tree of a cell, its magics left out; None for what is no Python, or far too long."""
    if len(source) > LONGEST:
        return None
    lines = (line if line.lstrip()[:1] not in ("%", "!") else "" for line in source.splitlines())
    try:
        return ast.parse("\n".join(lines))
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        return None


def _imported(tree: ast.Module) -> Iterator[tuple[str, str]]:
    """Yield the name that a cell gives to what it imports from a lender, and its full name."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for one in node.names:
                if (root := one.name.split(".")[0]) in LENDERS:
                    yield (one.asname, one.name) if one.asname else (root, root)
        elif isinstance(node, ast.ImportFrom) and node.module and node.module.split(".")[0] in LENDERS:
            for one in node.names:
                yield one.asname or one.name, f"{node.module}.{one.name}"


def _dotted(node: ast.Attribute, called: dict[str, str]) -> str:
    """Return the full name of dl.activations.relu, or an empty string where it belongs to no lender."""
    parts: list[str] = []
    one: ast.expr = node
    while isinstance(one, ast.Attribute):
        parts.append(one.attr)
        one = one.value
    if not isinstance(one, ast.Name) or one.id not in called:
        return ""
    return ".".join([called[one.id], *reversed(parts)])
