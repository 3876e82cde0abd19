"""The worst answers."""

from __future__ import annotations

import numpy as np
from sklearn.metrics import log_loss

from animeid.metrics.worst import worst_first


def test_the_least_probable_truths_come_first() -> None:
    generator = np.random.default_rng(0)
    logits, targets = generator.normal(size=(50, 4)), generator.integers(-1, 4, size=50)
    shares = np.exp(logits) / np.exp(logits).sum(1, keepdims=True)
    known = np.flatnonzero(targets >= 0)
    losses = {n: log_loss(targets[[n]], shares[[n]], labels=range(4)) for n in known}
    assert worst_first(logits, targets).tolist() == sorted(losses, key=lambda n: -losses[n])[:24]
    assert worst_first(logits, targets, 3).tolist() == sorted(losses, key=lambda n: -losses[n])[:3]
    assert worst_first(logits, np.full(50, -1)).tolist() == []
