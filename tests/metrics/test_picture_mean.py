"""Means over pictures of figures by batch."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from animeid.metrics.picture_mean import PictureMean


def test_it_is_the_mean_over_pictures() -> None:
    values = np.random.default_rng(0).normal(size=11)
    mean = PictureMean()
    for batch in np.split(values, [4, 8]):
        mean.update(torch.tensor(batch.mean()), len(batch))
    assert mean.compute().item() == pytest.approx(values.mean(), abs=1e-6)


def test_nan_is_kept() -> None:
    mean = PictureMean()
    mean.update(torch.tensor(torch.nan), 2)
    mean.update(torch.tensor(1.0), 2)
    assert mean.compute().isnan()
