"""Where names of pictures go."""

from __future__ import annotations

from dataclasses import fields
from pathlib import Path
from typing import Any

import pytest

from animeid.config.locate import conf_dir
from animeid.deploy.arguments import ArtefactRequest
from animeid.errors import InputError
from animeid.inference.at_once import check_prediction
from animeid.inference.outputs import OF_FOLDERS, Output
from animeid.system.files import read_yaml


def test_defaults_of_keys_of_folders_are_those_of_the_cards() -> None:
    card = read_yaml(conf_dir() / "predict.yaml")
    assert {key: card[key] for key in OF_FOLDERS} == OF_FOLDERS
    of_artefacts = {field.name: field.default for field in fields(ArtefactRequest)}
    assert {key: of_artefacts[key] for key in OF_FOLDERS} == OF_FOLDERS


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


@pytest.mark.parametrize("output", ["names.csv", None])
@pytest.mark.parametrize("key", [{"sort": "link"}, {"unknown_below": 0.99}])
def test_keys_of_folders_are_refused_without_one(
    output: str | None, key: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    request = {"run": "nowhere", "input": ".", "sort": "copy", "unknown_below": 0.0, **key}
    named = "{}={}".format(*next(iter(key.items())))
    for check in (Output.of, check_prediction):
        with pytest.raises(InputError, match=f"{named} is for pictures that are sorted into folders: give a folder"):
            check({**request, "output": output})
    assert Output.of({**request, "output": "sorted/"}).folder == Path("sorted")
