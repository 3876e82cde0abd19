"""What the command refuses before it reads a run."""

from __future__ import annotations

from pathlib import Path

import pytest

from animeid import report


@pytest.mark.parametrize("asked", ["run=outputs/one", "runs=outputs/*"])
@pytest.mark.parametrize(
    ("output", "sentence"),
    [
        ("mine.png", "output=mine.png does not end in .html"),
        ("mine.html", "output=mine.html is there already and is not overwritten"),
        ("folder", "output=folder does not end in .html"),
        ("folder.html", "output=folder.html is there already"),
        ("nowhere/page.html", "the folder of output=nowhere/page.html is not there: make nowhere first"),
    ],
)
def test_a_page_takes_the_place_of_nothing(
    asked: str,
    output: str,
    sentence: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    for name in ("mine.png", "mine.html"):
        Path(name).write_text("precious")
    for name in ("folder", "folder.html"):
        Path(name).mkdir()
    assert report.main([asked, f"output={output}"]) == 2
    assert sentence in capsys.readouterr().err
    assert {Path(name).read_text() for name in ("mine.png", "mine.html")} == {"precious"}
