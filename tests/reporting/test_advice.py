"""Advice: what the first sentence says of a model beside its baselines."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from animeid.reporting.advice import beaten


@pytest.mark.parametrize(
    ("own", "baseline", "told"),
    [
        (0.4, 0.5, "The model is no better than the baseline colour histogram"),
        (0.5, 0.5, "The model is no better than the baseline colour histogram"),
        (1.0, 1.0, "The baseline colour histogram names every picture rightly, too"),
        (0.6, 0.5, None),
    ],
)
def test_a_model_is_told_by_its_baselines(own: float, baseline: float, told: str | None) -> None:
    baselines = {"test": {"majority": {"f1_macro": 0.1}, "colour_histogram": {"f1_macro": baseline}}}
    run = SimpleNamespace(part="test", judged={"f1_macro": own}, metrics={"baselines": baselines})
    found = beaten(run)  # type: ignore[arg-type]
    assert found is None if told is None else found is not None and found.startswith(told)
