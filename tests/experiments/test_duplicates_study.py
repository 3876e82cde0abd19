"""The drawn sets of the duplicates study: copies are found, and little else, where outlines are much the same."""

from __future__ import annotations

import numpy as np
import pytest

from experiments.duplicates.drawn import COPIED, SETS, draw, judged

COUNT = 60


@pytest.mark.parametrize("kind", SETS)
def test_known_copies_are_found(kind: str) -> None:
    found, true, both = judged(kind, COUNT)
    assert true == COUNT // COPIED
    assert both / true >= 0.9
    assert both <= found <= 4 * true, "pictures that have their outline alone in common are joined"


@pytest.mark.parametrize("kind", SETS)
def test_pictures_of_a_set_differ(kind: str) -> None:
    pictures, pairs = draw(kind, COUNT)
    assert len({picture.tobytes() for picture in pictures[:COUNT]}) == COUNT
    assert all(not np.array_equal(pictures[one], pictures[other]) for one, other in pairs)
