"""Pictures that belong together: copies, near-duplicates, the manifest's own groups, offline-augmented copies."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from pathlib import PurePosixPath

import numpy as np
import pandas as pd
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from animeid.errors import InputError


def copy_rule(pattern: str | None) -> re.Pattern[str] | None:
    """The compiled `data.copy_pattern`.

    Raises:
        InputError: it is no regular expression, or has no group `original`.
    """
    if pattern is None:
        return None
    try:
        rule = re.compile(pattern)
    except re.error as error:
        raise InputError(f"data.copy_pattern={pattern} is not a regular expression ({error}): correct it") from error
    if "original" not in rule.groupindex:
        raise InputError(
            f"data.copy_pattern={pattern} has no group 'original': write it like (?P<original>.+)_aug[0-9]+"
        )
    return rule


def originals(paths: Sequence[str], labels: Sequence[str], rule: re.Pattern[str]) -> list[tuple[int, int]]:
    """Pairs (copy, original) of rows whose file names say that they come from one picture.

    The original is looked for in the copy's own folder and then among all pictures of its label; copies of an original
    that is nowhere belong together still.
    """
    nearby: dict[tuple[str, str], int] = {}
    anywhere: dict[tuple[str, str], int] = {}
    copies: list[tuple[int, str, str, str]] = []
    for row, (text, label) in enumerate(zip(paths, labels, strict=True)):
        path = PurePosixPath(text)
        folder = str(path.parent)
        match = rule.fullmatch(path.stem)
        if match:
            copies.append((row, folder, label, match["original"]))
        else:
            nearby.setdefault((folder, path.stem), row)
            anywhere.setdefault((label, path.stem), row)
    pairs: list[tuple[int, int]] = []
    for row, folder, label, stem in copies:
        # A copy whose original is nowhere stands in for it.
        original = nearby.get((folder, stem), anywhere.setdefault((label, stem), row))
        pairs.append((row, original))
    return pairs


def pairs_of_equal(keys: Iterable[object]) -> list[tuple[int, int]]:
    """Pairs (row, first row with an equal key), for rows whose key is neither None nor empty."""
    first: dict[object, int] = {}
    return [(row, first.setdefault(key, row)) for row, key in enumerate(keys) if key]


def joined(count: int, pairs: Sequence[tuple[int, int]]) -> np.ndarray:
    """`[count]` component numbers of the graph with these edges."""
    edges = np.array(pairs, dtype=np.int64).reshape(-1, 2)
    graph = coo_array((np.ones(len(edges), dtype=bool), (edges[:, 0], edges[:, 1])), shape=(count, count))
    return connected_components(graph, directed=False)[1]


def group_names(components: np.ndarray, table: pd.DataFrame) -> list[str]:
    """A name for each component: the smallest of its manifest groups, else its first path."""
    best: dict[int, tuple[bool, str]] = {}
    for component, group, path in zip(components.tolist(), table["group"], table["path"], strict=True):
        name = (not group, group or path)
        best[component] = min(best.get(component, name), name)
    return [best[component][1] for component in components.tolist()]
