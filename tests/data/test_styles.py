"""Styles of pictures: from the manifest's columns into batches, and the sampler that balances them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animeid.data.prepare import prepare
from animeid.data.samplers.natural import Natural
from animeid.data.samplers.style_balanced import StyleBalanced
from animeid.data.samplers.style_views import StyleViews
from animeid.data.settings import DataSettings
from animeid.data.styles import Styles, with_styles
from animeid.errors import InputError
from tests.small_runs import class_folders, noise


def table_of(**columns: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"label": ["a", "b", "a", "b"], "style": [""] * 4, "source": [""] * 4} | columns)


@pytest.mark.parametrize(
    ("columns", "asked", "found"),
    [
        ({"style": ["ink", "", "oil", ""], "source": ["x", "x", "y", "y"]}, "auto", ["ink", "", "oil", ""]),
        ({"source": ["x", "x", "y", "y"]}, "auto", ["x", "x", "y", "y"]),
        ({"source": ["x", "x", "x", "x"]}, "auto", [""] * 4),
        ({"source": ["u1", "u2", "u3", "u4"]}, "auto", [""] * 4),
        ({"style": ["ink", "ink", "oil", "oil"]}, None, [""] * 4),
    ],
)
def test_the_style_is_that_of_its_column_or_the_source(columns: dict, asked: str | None, found: list[str]) -> None:
    assert with_styles(table_of(**columns), asked)["style"].tolist() == found


def manifest(root: Path, suffix: str) -> Path:
    """24 pictures of two classes, with a column that no manifest has by itself."""
    random = np.random.default_rng(0)
    rows = [{"path": f"{number}.png", "label": "ab"[number % 2], "hand": number // 2 % 3} for number in range(24)]
    for row in rows:
        noise(random, root / str(row["path"]))
    table = pd.DataFrame(rows)
    path = root / f"manifest{suffix}"
    table.to_csv(path, index=False) if suffix == ".csv" else table.to_parquet(path)
    return path


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_any_column_can_hold_styles_and_a_style_can_be_held_out(tmp_path: Path, suffix: str) -> None:
    asked = DataSettings(root=str(manifest(tmp_path, suffix)), cache="off", style_column="hand", hold_out_style="1")
    found = prepare(asked)
    table = found.manifest.table
    assert set(table["style"]) == {"0", "1", "2"}
    assert set(table.loc[table["split"] == "val", "style"]) == {"1"}
    assert set(table.loc[table["split"] == "train", "style"]) == {"0", "2"}
    assert found.audit["overlap"] == {}


def test_pictures_left_out_for_a_held_out_style_are_listed(tmp_path: Path) -> None:
    path = manifest(tmp_path, ".csv")
    table = pd.read_csv(path, dtype=str).assign(group=[f"g{number // 6}" for number in range(24)])
    table.to_csv(path, index=False)
    with pytest.raises(InputError, match="leaves nothing to train on"):
        prepare(DataSettings(root=str(path), cache="off", style_column="hand", hold_out_style="1"))
    table.assign(group=["joined" if row in (0, 2) else f"g{row}" for row in range(24)]).to_csv(path, index=False)
    found = prepare(DataSettings(root=str(path), cache="off", style_column="hand", hold_out_style="1", test_ratio=0.0))
    assert found.skipped["path"].tolist() == ["0.png"]
    assert "in one group with a picture of a style that is held out" in found.skipped["reason"].iloc[0]


def test_a_column_that_is_not_there_is_told(tmp_path: Path) -> None:
    with pytest.raises(InputError, match=r"has no column 'hands': .*; did you mean 'hand'\?"):
        prepare(DataSettings(root=str(manifest(tmp_path, ".csv")), cache="off", style_column="hands"))
    with pytest.raises(InputError, match=r"data\.style_column=hand needs a manifest"):
        prepare(DataSettings(root=str(class_folders(tmp_path / "x", {"a": 3, "b": 3})), style_column="hand"))


def test_the_numbers_are_those_of_training_alone() -> None:
    styles = Styles.of(pd.Series(["oil", "", "ink", "chalk", "oil"]), np.array([0, 1, 2]))
    assert styles.names == ("ink", "oil")
    assert styles.numbers.tolist() == [1, -1, 0, -1, 1]
    styles.require("anything")
    for few in ([""], ["oil"]):
        with pytest.raises(InputError, match=r"anything follows the styles.*data\.style_column=NAME"):
            Styles.of(pd.Series(few), np.array([0])).require("anything")


cells = st.lists(st.tuples(st.integers(-1, 3), st.integers(-1, 2)), min_size=1, max_size=40)


@settings(max_examples=100, deadline=None)
@given(cells, st.integers(0, 2**32))
def test_style_balanced_shows_classes_as_they_are_and_their_styles_alike(
    drawn: list[tuple[int, int]], seed: int
) -> None:
    targets, styles = np.array([*drawn, (2, 0)]).T
    rows = np.arange(len(targets)) * 5 + 2
    sampler = StyleBalanced(rows, targets, 5)
    sampler.look_at_styles(styles)
    stream = sampler.stream(seed, 1)
    places = (stream - 2) // 5
    counts = np.bincount(targets[targets >= 0], minlength=5)
    assert np.array_equal(np.bincount(targets[places], minlength=5), counts), "natural, exactly"
    np.testing.assert_allclose(sampler.prior(), counts / counts.sum())
    for target in np.unique(targets[targets >= 0]):
        own = places[targets[places] == target]
        shown = [int((styles[own] == style).sum()) for style in np.unique(styles[targets == target])]
        assert max(shown) - min(shown) <= 1
        for style in np.unique(styles[targets == target]):
            cell = np.flatnonzero((targets == target) & (styles == style))
            times = [int((own == place).sum()) for place in cell]
            assert max(times) - min(times) <= 1


def test_style_balanced_leaves_the_remainder_to_chance() -> None:
    targets, styles = np.zeros(7, dtype=np.int64), np.array([0, 0, 0, 0, 0, 1, 1])
    sampler = StyleBalanced(np.arange(7), targets, 1)
    sampler.look_at_styles(styles)
    second = [int((styles[sampler.stream(seed, 0)] == 1).sum()) for seed in range(200)]
    assert set(second) == {3, 4}
    assert 60 < second.count(3) < 140


def test_beside_a_draw_stand_pictures_of_its_class_in_other_styles() -> None:
    targets = np.array([0, 0, 0, 0, 1, 1, 2, 2, 2])
    styles = np.array([0, 0, 1, 2, 0, 0, -1, 0, 1])
    rows = np.array([40, 3, 7, 9, 11, 20, 22, 30, 1])
    cell_of = dict(zip(rows.tolist(), zip(targets.tolist(), styles.tolist(), strict=True), strict=True))
    views = StyleViews(Natural(rows, targets, 3), 3, rows=rows, targets=targets, styles=styles)
    seen: dict[int, set[int]] = {}
    for epoch in range(60):
        stream = views.stream(5, epoch)
        assert np.array_equal(stream, views.stream(5, epoch))
        assert np.array_equal(stream[::3], Natural(rows, targets, 3).stream(5, epoch))
        for first, *others in stream.reshape(-1, 3).tolist():
            seen.setdefault(first, set()).update(others)
    for first, others in seen.items():
        target, style = cell_of[first]
        allowed = {row for row, (t, s) in cell_of.items() if t == target and s not in (style, -1)}
        assert others == (allowed if style >= 0 and allowed else {first})
    np.testing.assert_array_equal(views.prior(), Natural(rows, targets, 3).prior())
