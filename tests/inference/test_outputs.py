"""Where names of pictures go."""

from __future__ import annotations

from pathlib import Path

import pytest

from animeid.inference.outputs import Output


@pytest.mark.parametrize(
    ("output", "given", "is_told"),
    [
        ("pictures/sorted/", "pictures", True),
        ("sorted/", ".", True),
        ("pictures/a/sorted/", "pictures", True),
        ("sorted/", "pictures", False),
        ("pictures-sorted/", "pictures", False),
        ("pictures/names.csv", "pictures", False),
        ("sorted/", "pictures/*.png", False),
        (None, "pictures", False),
    ],
)
def test_sorting_into_the_folder_of_the_pictures_is_told(
    output: str | None,
    given: str,
    is_told: bool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    """The same command again would name the copies too, and training would take them for copies under other labels."""
    monkeypatch.chdir(tmp_path)
    Path("pictures").mkdir()
    request = {"output": output, "sort": "copy", "unknown_below": 0.0}
    Output.of(request).say_if_within(given)
    assert ("a folder beside it is better" in capsys.readouterr().err) == is_told
