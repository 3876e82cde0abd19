"""Embeddings on a plane, with the pictures that they belong to."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
from matplotlib.offsetbox import AnnotationBbox, OffsetImage

from animeid.errors import InputError
from animeid.imaging.decode import UnreadableImage
from animeid.plots.contact_sheet import thumbnail
from animeid.plots.picture import BLUE, ORANGE, picture

CELLS = 22
"""The map is cut into so many cells a side, and each shows one picture."""

DIMENSIONS = 50
PERPLEXITY = 30
SIDE = 56


def embedding_map(embeddings: np.ndarray) -> np.ndarray:
    """`[N, 2]` places of embeddings `[N, D]`, in 0 to 1: near ones lie near, distances between clusters mean little.

    Of embeddings of unit length, PCA and then t-SNE (van der Maaten and Hinton 2008) that starts from the first two
    components; equal embeddings give equal maps.

    Raises:
        InputError: scikit-learn is not installed, or there are fewer than three embeddings.
    """
    try:
        from sklearn.decomposition import PCA
        from sklearn.manifold import TSNE
    except ImportError as error:
        raise InputError("an embedding map needs scikit-learn: pip install animeid[notebooks]") from error
    count = len(embeddings)
    if count < 3:
        raise InputError(f"{count} pictures make no map: give at least three")
    unit = embeddings / np.maximum(np.linalg.norm(embeddings, axis=1, keepdims=True), 1e-12)
    components = PCA(min(DIMENSIONS, count - 1, unit.shape[1]), random_state=0, svd_solver="full").fit_transform(unit)
    spread = TSNE(perplexity=min(PERPLEXITY, (count - 1) / 3), init=_start(components), random_state=0, n_jobs=1)
    places = spread.fit_transform(components)
    extent = np.ptp(places, axis=0)
    return (places - places.min(axis=0)) / np.where(extent > 0, extent, 1)


def _start(components: np.ndarray) -> np.ndarray:
    """The first two components as t-SNE likes to begin: small."""
    first = np.zeros((len(components), 2), dtype=np.float32)
    first[:, : components.shape[1]] = components[:, :2]
    return first / max(float(first[:, 0].std()), 1e-12) * 1e-4


def shown_pictures(places: np.ndarray, cells: int = CELLS) -> np.ndarray:
    """`[M]` int64: for each cell of the map that has pictures, the one nearest to its middle."""
    cell = np.minimum((places * cells).astype(int), cells - 1)
    away = np.square(places * cells - cell - 0.5).sum(axis=1)
    number = cell[:, 0] * cells + cell[:, 1]
    order = np.lexsort((away, number))
    return order[np.unique(number[order], return_index=True)[1]]


def draw_embedding_map(
    places: np.ndarray, pictures: Sequence[Path], is_right: np.ndarray, path: Path, title: str
) -> None:
    """Draws every picture as a dot, and one in each cell of the map as itself.

    Args:
        places: `[N, 2]` in 0 to 1. pictures: N files; those that cannot be read stay dots.
        is_right: `[N]` bool; frames and dots of wrong answers are orange.
    """
    colours = np.where(is_right, BLUE, ORANGE)
    with picture(path, 10, 10) as figure:
        axes = figure.subplots()
        axes.scatter(places[:, 0], places[:, 1], s=9, c=colours.tolist(), alpha=0.6, linewidths=0)
        for row in shown_pictures(places):
            try:
                image = OffsetImage(thumbnail(pictures[row], SIDE), zoom=0.46)
            except UnreadableImage:
                continue
            frame = {"edgecolor": colours[row], "linewidth": 0.9, "boxstyle": "square,pad=0.05"}
            axes.add_artist(AnnotationBbox(image, tuple(places[row]), frameon=True, pad=0.05, bboxprops=frame))
        axes.set_title(title)
        axes.set_title(
            f"{int(is_right.sum())} right (blue), {int((~is_right).sum())} wrong (orange)", loc="right", fontsize=8
        )
        axes.set_xlim(-0.03, 1.03)
        axes.set_ylim(-0.03, 1.03)
        axes.set_xticks([])
        axes.set_yticks([])
        axes.grid(False)
        axes.spines[:].set_visible(False)
