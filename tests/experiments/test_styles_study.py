"""The study of styles that were not seen: what is held out, and what is paired with what."""

from __future__ import annotations

from pathlib import Path

import pytest
from PIL import Image

from experiments.loaded.sets import JUDGED
from experiments.runs import settings_line
from experiments.styles import fluent, study
from experiments.styles.sets import PACS_JUDGED, PACS_STYLES, PACS_TRAIN, Held, pacs
from experiments.styles.study import BASE, FULL, chosen_styles, gains, gains_row, style_rows


def test_a_style_of_pacs_is_judged_alone(tmp_path: Path) -> None:
    for style in PACS_STYLES:
        for label in ("dog", "house"):
            folder = tmp_path / style / label
            folder.mkdir(parents=True)
            for number in range(PACS_JUDGED + 1):
                Image.new("1", (1, 1)).save(folder / f"{number}.png")
    table = pacs(tmp_path, "sketch")
    train, judged = table[table["split"] == "train"], table[table["split"] == "val"]
    assert set(judged["style"]) == {"sketch"}
    assert (judged["label"].value_counts() == PACS_JUDGED).all()
    assert set(train["style"]) == {"art_painting", "cartoon", "photo"}
    assert (train.groupby(["label", "style"]).size() == PACS_TRAIN).all()


def test_roles_are_found_in_the_drawings_of_another_team(tmp_path: Path) -> None:
    names = (
        "woman-surfing-medium-dark",
        "man-surfing-default",
        "person-surfing-light",
        "in-bed-dark",
        "dancing",
        "cat",
    )
    (tmp_path / "flat").mkdir()
    for name in names:
        (tmp_path / "flat" / f"{name}.svg").touch()
    table = fluent.drawings(tmp_path, "flat", ["surfing.1F3C4", "in_bed.1F6CC", "dancing.1F483", "dancing.1F57A"])
    assert table["label"].value_counts().to_dict() == {"surfing.1F3C4": JUDGED, "in_bed.1F6CC": 1}
    assert {path.removesuffix(".png") for path in table["path"]} < {f"flat/{name}" for name in names}


FOUND = {
    BASE: {"cast cel": [0.5, 0.6], "cast flat": [0.4, 0.4], "pacs photo": [0.7, 0.8]},
    "style": {"cast cel": [0.6, 0.6], "cast flat": [0.4, 0.5], "pacs photo": [0.6, 0.8]},
}


def test_a_technique_is_compared_style_by_style_and_seed_by_seed() -> None:
    assert gains("cast", FOUND["style"], FOUND[BASE]) == pytest.approx([0.1, 0.0, 0.0, 0.1])
    assert gains("pacs", FOUND["style"], FOUND[BASE]) == pytest.approx([-0.1, 0.0])
    added, cast, photo, both = gains_row(("augment=style",), FOUND["style"], FOUND[BASE], ("cast", "pacs"))
    assert added == "`augment=style`"
    assert (cast[:5], photo[:5], both[:5]) == ("+5.0 ", "-5.0 ", "+1.7 ")


def test_each_style_has_the_mean_of_its_seeds() -> None:
    assert style_rows(FOUND)[0] == ["cast cel", "55.0", "60.0"]


def test_some_styles_of_those_of_a_length(monkeypatch: pytest.MonkeyPatch) -> None:
    held = [Held(*name.split(" "), ()) for name in (*FULL.styles, "cast cel")]
    monkeypatch.setattr(study, "held_out", lambda options: held)
    assert [one.name for one in chosen_styles({}, FULL)] == list(FULL.styles)
    assert [one.name for one in chosen_styles({"only": FULL.styles[1]}, FULL)] == [FULL.styles[1]]
    with pytest.raises(SystemExit, match="only=cast cel is not there: take some of"):
        chosen_styles({"only": "cast cel"}, FULL)


def test_a_page_prints_a_setting_once_with_the_value_that_counts() -> None:
    words = ("model=a", "data.image_size=64", "loss=focal", "data.image_size=96")
    assert settings_line(words) == "model=a data.image_size=96 loss=focal"
