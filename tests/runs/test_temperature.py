"""One rule says by which temperature a run's confidences are scaled, and why."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from animeid.runs.folder import RunFolder
from animeid.runs.saved import SavedRun
from animeid.runs.temperature import usable_temperature
from animeid.system.files import write_json

FEW = {"groups": 4, "needed": 50, "nll": None, "nll_scaled": None, "helps": False}
TRIED = {"groups": 60, "needed": 50, "nll": 0.5, "nll_scaled": 0.4, "helps": True}


@pytest.mark.parametrize(
    ("found", "used", "sentence"),
    [
        (None, 1.0, "fitted no temperature"),
        ({"temperature": None, "held_out": None}, 1.0, "fitted no temperature"),
        ({"temperature": 2.5}, 1.0, "of an earlier version, .*; temperature=2.5 scales by it all the same"),
        ({"temperature": 0.02, "held_out": FEW}, 1.0, "of 4 groups, .* than 50"),
        ({"temperature": 2.5, "held_out": {**TRIED, "helps": False}}, 1.0, "the temperature 2.5 of .* does not help"),
        ({"temperature": 2.5, "held_out": TRIED}, 2.5, r"scaled by the temperature 2.5 of .*0\.500 before, 0\.400"),
    ],
)
def test_a_temperature_is_used_where_it_helps_others(
    found: dict[str, Any] | None, used: float, sentence: str, tmp_path: Path
) -> None:
    folder = RunFolder(tmp_path)
    if found is not None:
        write_json(folder.calibration, found)
    temperature, told = usable_temperature(SavedRun(folder), "outputs/run")
    assert temperature == used
    assert re.match(f"probabilities are .*{sentence}", told)
