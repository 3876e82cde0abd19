"""The built-in cast: reproducible, consistent, long-tailed, and drawn whole or not at all."""

from __future__ import annotations

import hashlib
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from animeid.config.compose import compose
from animeid.data.synthetic import build as build_module
from animeid.data.synthetic.attributes import ATTRIBUTES
from animeid.data.synthetic.build import build_cast
from animeid.data.synthetic.identity import TELLING, differing, make_cast
from animeid.data.synthetic.nuisance import STYLES
from animeid.data.synthetic.plan import make_plan, shot_of, split_counts
from animeid.data.synthetic.settings import CastSettings
from animeid.errors import InputError

SMALL = CastSettings(characters=4, size=64, train_largest=6, val_largest=2, test_per_class=3, imbalance=3)


@pytest.fixture(scope="module")
def cast(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build_cast(SMALL, tmp_path_factory.mktemp("cache"), processes=1)


@pytest.fixture(scope="module")
def manifest(cast: Path) -> pd.DataFrame:
    return pd.read_csv(cast / "manifest.csv")


def digests(folder: Path) -> dict[str, str]:
    files = sorted(path for path in folder.rglob("*") if path.is_file())
    return {path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_the_same_bytes_whatever_the_number_of_processes(cast: Path, tmp_path: Path) -> None:
    again = build_cast(SMALL, tmp_path, processes=2)
    assert again.name == cast.name
    assert digests(again) == digests(cast)


def test_another_seed_gives_other_characters(cast: Path, tmp_path: Path) -> None:
    other = CastSettings(**{**vars(SMALL), "seed": 1})
    assert [one.traits for one in make_cast(other)] != [one.traits for one in make_cast(SMALL)]
    assert build_cast(other, tmp_path, processes=1).name != cast.name


def test_what_the_manifest_says(cast: Path, manifest: pd.DataFrame) -> None:
    assert len(ATTRIBUTES) == 41
    assert set(ATTRIBUTES) <= set(manifest.columns)
    assert manifest[list(ATTRIBUTES)].isin([0, 1]).where(manifest[list(ATTRIBUTES)].notna(), True).all(axis=None)
    assert manifest["caption"].str.len().min() > 20
    for row in manifest.itertuples():
        with Image.open(cast / row.path) as picture:
            assert picture.size == (64, 64)
        left, top, right, bottom = map(int, row.bbox.split())
        assert 0 <= left < right <= 64
        assert 0 <= top < bottom <= 64
    hair = [
        name
        for name in ATTRIBUTES
        if name.endswith("_hair") and name.split("_")[0] not in ("short", "long", "spiky", "curly")
    ]
    assert (manifest[hair].sum(axis=1) == 1).all()


def test_parts_are_long_tailed_and_test_is_balanced(manifest: pd.DataFrame) -> None:
    counts = manifest.groupby(["split", "label"]).size().unstack(0)
    assert sorted(counts["train"], reverse=True)[0] == 6
    assert counts["train"].min() == 2
    assert (counts["test"] == 3).all()
    default = split_counts(CastSettings())
    assert default["train"].min() < 10
    assert default["train"].max() / default["train"].min() == pytest.approx(CastSettings().imbalance, rel=0.05)
    assert default["test"].min() >= 20


def test_parts_are_drawn_independently() -> None:
    """More training pictures change no test picture."""
    more = CastSettings(**{**vars(SMALL), "train_largest": 12})
    for settings in (SMALL, more):
        characters = make_cast(settings)
        shots = [shot_of(p, characters[p.character], settings) for p in make_plan(settings) if p.split == "test"]
        if settings is SMALL:
            expected = shots
    assert shots == expected


@pytest.mark.parametrize("characters", [2, 24, 150, 600])
def test_no_two_characters_are_alike_and_twins_differ_in_one_trait(characters: int) -> None:
    cast = make_cast(CastSettings(characters=characters))
    assert len({one.name for one in cast}) == characters
    telling = [tuple(getattr(one.traits, name) for name in TELLING) for one in cast]
    assert len(set(telling)) == characters
    twins = [one for one in cast if one.twin_of is not None]
    assert len(twins) == min(round(characters * 0.25), characters // 2)
    for twin in twins:
        assert len(differing(twin.traits, cast[twin.twin_of].traits)) == 1


def test_nuisances_vary() -> None:
    settings = CastSettings()
    characters = make_cast(settings)
    shots = [shot_of(p, characters[p.character], settings) for p in make_plan(settings)[:400]]
    assert len({shot.style for shot in shots}) == 4
    assert {shot.crop.name for shot in shots} == {"face", "bust", "full"}
    owners = [characters[p.character].traits.outfit for p in make_plan(settings)[:400]]
    other = np.mean([shot.outfit != own for shot, own in zip(shots, owners, strict=True)])
    assert 0.03 < other < 0.2


def test_a_held_out_style_is_in_test_alone() -> None:
    settings = CastSettings(characters=3, held_out_style="sketch", train_largest=20)
    characters = make_cast(settings)
    for picture in make_plan(settings):
        style = shot_of(picture, characters[picture.character], settings).style
        assert (style == "sketch") == (picture.split == "test")


def test_a_kill_leaves_nothing_that_is_trusted(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    class Killed(BaseException):
        pass

    def killed(*_: object) -> None:
        raise Killed

    with monkeypatch.context() as patch:
        patch.setattr(build_module, "_publish", killed)
        with pytest.raises(Killed):
            build_cast(SMALL, tmp_path, processes=1)
    assert not list(tmp_path.glob("cast-*"))
    assert (build_cast(SMALL, tmp_path, processes=1) / "manifest.csv").is_file()


def test_a_cache_that_cannot_be_written_is_one_sentence(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="ANIMEID_CACHE"):
        build_cast(SMALL, tmp_path / "file" / "cache")


def test_pretraining_sees_others_than_the_cast_equally_often_and_in_several_styles() -> None:
    card = compose("train", ["experiment=pretrain_cast"])["data"]["cast"]
    settings = CastSettings(**{name: value for name, value in card.items() if name != "_target_"})
    characters = make_cast(settings)
    assert len(characters) == 2000
    assert not {one.traits for one in characters} & {one.traits for one in make_cast(CastSettings())}
    train = [picture for picture in make_plan(settings) if picture.split == "train" and picture.character < 100]
    styles = [
        [shot_of(one, characters[one.character], settings).style for one in train if one.character == who]
        for who in range(100)
    ]
    assert {len(found) for found in styles} == {12}
    assert {style for found in styles for style in found} == set(STYLES)
    assert min(len(set(found)) for found in styles) >= 2
