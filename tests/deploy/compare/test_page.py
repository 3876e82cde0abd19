"""The page of made-up models: what it says of them."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from animeid.deploy.compare.page import values, write_models_page
from tests.deploy.compare.made import NAMES, SETTING, comparison


@pytest.mark.parametrize("number", [1, 4])
def test_a_page_names_every_model_and_needs_no_other_file(tmp_path: Path, number: int) -> None:
    path = tmp_path / "page.html"
    write_models_page(comparison(number), SETTING, path)
    text = path.read_text(encoding="utf-8")
    assert all(name in text for name in NAMES[:number])
    assert "http" not in text.replace("http://www.w3.org", "")
    assert text.count('class="tier whole"') == 4
    assert "font/woff" in text
    charts = {path.name: Image.open(path).size for path in (tmp_path / "charts").iterdir()}
    assert charts.keys() == {"accuracy_against_time.png", "bars.png", "stars.png"}
    assert all(width > 500 for width, _ in charts.values()) or number == 1


def test_a_spread_between_rounds_is_warned_of(tmp_path: Path) -> None:
    quiet = comparison(2)
    assert values(quiet, SETTING, tmp_path)["loose"] == []
    times = quiet.models[0].times["one_ms"]
    times.rounds[0][:] *= 3
    assert values(quiet, SETTING, tmp_path)["loose"] == [quiet.models[0].name]
