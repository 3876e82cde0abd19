"""Parts that are a whole style: nothing of it is trained on, groups never cross, every class is learnt."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from animeid.data.settings import DataSettings
from animeid.data.splits.audit import overlap
from animeid.data.splits.parts import make_parts
from animeid.data.splits.styles import hold_out, widest
from animeid.errors import InputError

LABELS = ("a", "b", "c", "d")


def table_of(rows: list[tuple[int, str, int]], split: str = "") -> pd.DataFrame:
    """Rows of (target, style, group)."""
    return pd.DataFrame(
        {
            "path": [str(number) for number in range(len(rows))],
            "target": [target for target, _, _ in rows],
            "style": [style for _, style, _ in rows],
            "group": [f"g{group}" for _, _, group in rows],
            "sha256": [f"s{number}" for number in range(len(rows))],
            "split": split,
        }
    )


def square(classes: int = 4, styles: str = "nto", each: int = 5) -> pd.DataFrame:
    """Every class in every style, each picture a group."""
    rows = [(target, style) for target in range(classes) for style in styles for _ in range(each)]
    return table_of([(target, style, number) for number, (target, style) in enumerate(rows)])


def counts_by_style(table: pd.DataFrame, part: str) -> dict[str, int]:
    return table.loc[table["split"] == part, "style"].value_counts().to_dict()


def test_the_validation_part_is_one_style_and_test_is_as_without() -> None:
    plain, _ = make_parts(square(), LABELS, DataSettings(), given=False)
    held, notes = make_parts(square(), LABELS, DataSettings(hold_out_style="t"), given=False)
    assert counts_by_style(held, "val").keys() == {"t"}
    assert counts_by_style(held, "train").keys() == {"n", "o"}
    assert len(counts_by_style(held, "test")) > 1
    assert (held["split"] == "test").sum() == (plain["split"] == "test").sum()
    assert any("the style t is the val part" in note and "4 of 4 classes" in note for note in notes)


def test_test_is_a_style_and_val_another() -> None:
    asked = DataSettings(test_style="o", hold_out_style="n")
    table, _ = make_parts(square(), LABELS, asked, given=False)
    assert {part: counts_by_style(table, part) for part in ("train", "val", "test")} == {
        "train": {"t": 20},
        "val": {"n": 20},
        "test": {"o": 20},
    }


def test_folds_are_made_beside_a_test_style() -> None:
    table, _ = make_parts(square(), LABELS, DataSettings(test_style="o", folds=5, fold=0), given=False)
    assert counts_by_style(table, "test") == {"o": 20}
    assert counts_by_style(table, "val").keys() == {"n", "t"}


def test_a_given_test_part_stays_and_a_given_val_part_is_trained_on() -> None:
    given_parts = square().assign(split=["test", "val", "train", "train", "train"] * 12)
    table, notes = make_parts(given_parts, LABELS, DataSettings(hold_out_style="t"), given=True)
    assert (table["split"] == "test").equals(given_parts["split"] == "test")
    assert counts_by_style(table, "val") == {"t": 16}
    assert any("12 given pictures train" in note for note in notes)


rows_of_styles = st.lists(
    st.tuples(st.integers(0, 3), st.sampled_from(["n", "t", ""]), st.integers(0, 12)), min_size=2, max_size=40
)


@settings(max_examples=200, deadline=None)
@given(rows_of_styles)
def test_no_group_crosses_and_no_class_leaves_training(rows: list[tuple[int, str, int]]) -> None:
    table = table_of(rows, "train")
    before = table.copy()
    try:
        hold_out(table, "t", "val", LABELS)
    except InputError:
        assert table.equals(before)
        return
    assert overlap(table) == {}
    train, val = (table[table["split"] == part] for part in ("train", "val"))
    assert set(train["target"]) == set(before["target"])
    assert set(val["style"]) == {"t"}
    # A class with a group of another style has nothing of this one left, but what a group ties to a class without.
    free = set(before.loc[~before["group"].isin(before.loc[before["style"] == "t", "group"]), "target"])
    tied = set(before.loc[~before["target"].isin(free), "group"])
    left = train[(train["style"] == "t") & ~train["group"].isin(tied)]
    assert left.empty


def test_a_class_of_one_style_stays_and_is_named() -> None:
    table = table_of([(0, "t", 0), (0, "n", 1), (1, "t", 2), (1, "t", 3)], "train")
    notes = hold_out(table, "t", "val", LABELS)
    assert table["split"].tolist() == ["val", "train", "train", "train"]
    assert notes[1].startswith("WARNING: 1 class has no pictures apart from the style t")
    assert notes[1].endswith(": b")


def test_what_is_in_a_group_with_the_style_is_left_out_and_counted() -> None:
    table = table_of([(0, "t", 0), (0, "n", 0), (0, "n", 1)], "train")
    notes = hold_out(table, "t", "val", LABELS)
    assert table["split"].tolist() == ["val", "excluded", "train"]
    assert "1 picture is left out of train" in notes[1]


def test_auto_shows_many_classes_for_few_pictures() -> None:
    wide = [(target, "wide", number) for number, target in enumerate([0, 1, 2, 3, 0, 1])]
    large = [(number % 4, "large", 10 + number) for number in range(20)]
    narrow = [(0, "narrow", 40)]
    assert widest(table_of([*large, *narrow, *wide]), "data.hold_out_style") == "wide"
    assert widest(square(), "data.hold_out_style") == "n", "of equals the first by name"


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        ({"hold_out_style": "oil"}, "data.hold_out_style=oil is the style of no picture.*n, o, t"),
        ({"test_style": "oil"}, "data.test_style=oil"),
        ({"test_style": "n", "hold_out_style": "n"}, "choose two styles"),
        ({"hold_out_style": "n", "folds": 3, "fold": 0}, "leave one out"),
    ],
)
def test_what_does_not_fit_is_told(asked: dict, told: str) -> None:
    with pytest.raises(InputError, match=told):
        make_parts(square(), LABELS, DataSettings(**asked), given=False)


def test_a_test_style_beside_a_given_test_part_is_refused() -> None:
    with pytest.raises(InputError, match="has its own"):
        make_parts(square().assign(split="train"), LABELS, DataSettings(test_style="n"), given=True)


@pytest.mark.parametrize("styles", [[""], ["n"]])
def test_auto_needs_two_styles(styles: list[str]) -> None:
    table = table_of([(number % 2, styles[0], number) for number in range(6)])
    with pytest.raises(InputError, match="column style or source"):
        make_parts(table, LABELS[:2], DataSettings(hold_out_style="auto"), given=False)


def test_a_style_that_is_everywhere_is_refused() -> None:
    table = table_of([(number % 2, "n", number) for number in range(6)])
    with pytest.raises(InputError, match="leaves nothing to train on"):
        make_parts(table, LABELS[:2], DataSettings(hold_out_style="n"), given=False)


def test_classes_of_one_style_each_leave_nothing_to_judge() -> None:
    table = table_of([(number % 2, "no"[number % 2], number) for number in range(6)])
    with pytest.raises(InputError, match="leaves nothing to judge"):
        make_parts(table, LABELS[:2], DataSettings(hold_out_style="n"), given=False)


def test_pictures_of_which_no_style_is_known_are_told() -> None:
    table = square()
    table.loc[table.index[:7], "style"] = ""
    _, notes = make_parts(table, LABELS, DataSettings(hold_out_style="t"), given=False)
    assert any(note.startswith("WARNING: ") and "of the training pictures have no style" in note for note in notes)
    _, notes = make_parts(square(), LABELS, DataSettings(hold_out_style="t"), given=False)
    assert not any("have no style" in note for note in notes)


def test_the_order_of_rows_changes_nothing() -> None:
    table = square()
    mixed = table.iloc[np.random.default_rng(0).permutation(len(table))].reset_index(drop=True)
    asked = DataSettings(hold_out_style="t")
    first, second = (
        dict(zip(parts["path"], parts["split"], strict=True))
        for parts, _ in (make_parts(one, LABELS, asked, given=False) for one in (table, mixed))
    )
    assert first == second
