"""Assignment of pictures to splits: given, carved or made."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from animeid.data.settings import DataSettings
from animeid.data.splits.splits import Pool, number_of_folds, split_by_ratio, split_into_folds
from animeid.data.splits.styles import hold_out
from animeid.errors import InputError
from animeid.system.console import counted, some_of

NAMED = 5
"""So many names at most stand in a sentence."""


def are_given(table: pd.DataFrame) -> bool:
    """Whether the source says which labelled picture is in which part.

    Raises:
        InputError: it says so for some pictures only.
    """
    said = table.loc[(table["label"] != "") & (table["split"] != "excluded"), "split"] != ""
    if said.any() and not said.all():
        path = table.loc[said.index[~said][0], "path"]
        raise InputError(f"{int((~said).sum())} rows have no split, such as {path}: give one in every row or in none")
    return bool(said.any())


def make_parts(
    table: pd.DataFrame, labels: Sequence[str], settings: DataSettings, given: bool
) -> tuple[pd.DataFrame, list[str]]:
    """Fills in the split of every picture that may be moved.

    Args:
        table: with group, sha256, target and, where given, split.
        labels: class names in target order.
        settings: folds, fold, split_seed, ratios and styles.
        given: whether parts are given; then test stays, and val stays unless folds are made of train and val, or a
            style of training is to be val.

    Returns:
        The table with its splits, and sentences for the user.

    Raises:
        InputError: `folds` and `fold`, or the styles, do not fit, or the ratios leave nothing for training.
    """
    _check_fold(settings)
    _check_ratios(settings)
    _check_styles(settings, given)
    table, notes = table.copy(), []
    carves_val = settings.folds is None and settings.hold_out_style is None
    if not given:
        table["split"] = table["split"].mask((table["split"] == "") & (table["target"] >= 0), "train")
        if settings.test_style is not None:
            notes += hold_out(table, settings.test_style, "test", labels)
        ratios = {} if settings.test_style is not None else {"test": settings.test_ratio}
        notes += _deal(table, ratios | ({"val": settings.val_ratio} if carves_val else {}), labels, settings)
    elif carves_val and not (table["split"] == "val").any() and settings.val_ratio > 0:
        notes.append("no val part is given: it is carved by group from train")
        notes += _deal(table, {"val": settings.val_ratio}, labels, settings)
    if settings.folds is not None:
        notes += _make_folds(table, labels, settings)
    if settings.hold_out_style is not None:
        was_val = (table["split"] == "val") & (table["target"] >= 0)
        table["split"] = table["split"].mask(was_val, "train")
        if was_val.any():
            notes.append(f"data.hold_out_style makes another val part: the {int(was_val.sum())} given pictures train")
        notes += hold_out(table, settings.hold_out_style, "val", labels)
    for part in ("val", "test"):
        if not (table["split"] == part).any():
            notes.append(f"there is no {part} part: no figures of it are made")
    return table, notes


def _check_fold(settings: DataSettings) -> None:
    if settings.folds is None and settings.fold is not None:
        raise InputError(
            f"data.fold={settings.fold} needs data.folds: say how many folds there are, such as data.folds=5"
        )
    if settings.fold == "all":
        raise InputError("data.fold=all trains a run for each fold, and here one is asked for: give its number")
    if settings.folds is not None and settings.fold is None:
        raise InputError(
            f"data.folds={settings.folds} needs data.fold: say which fold is the val part, such as data.fold=0"
        )


@dataclass(frozen=True)
class Folds:
    """The folds of train and val.

    held_out: `[N]` int64, the fold in which each picture is validated; -1 for those in none. count: of the folds.
    smallest: how many groups the smallest class has. small: targets of the classes that are in no fold.
    """

    held_out: np.ndarray
    count: int
    smallest: int
    small: tuple[int, ...]


def folds_of(table: pd.DataFrame, settings: DataSettings) -> Folds:
    """The folds of a table with splits: at most `settings.folds`, and as many as the smallest class allows.

    Raises:
        InputError: a fold would be empty.
    """
    assert settings.folds is not None
    rows = np.flatnonzero((table["split"].isin(["train", "val"]) & (table["target"] >= 0)).to_numpy())
    pool = _pool(table, rows, settings.split_seed)
    count = number_of_folds(pool.class_groups, settings.folds)
    numbers, small = split_into_folds(pool, count)
    if len(set(numbers[numbers >= 0])) < count:
        raise InputError(
            f"data.folds={settings.folds} cannot be made: no class has pictures in at least {count} groups outside the "
            "test part that could be dealt out to the folds; add pictures, or leave out data.folds and data.fold"
        )
    held_out = np.full(len(table), -1, dtype=np.int64)
    held_out[rows] = numbers
    return Folds(held_out, count, min(pool.class_groups.values()), small)


def _check_ratios(settings: DataSettings) -> None:
    if settings.val_ratio + settings.test_ratio >= 1:
        raise InputError(
            f"data.val_ratio={settings.val_ratio} and data.test_ratio={settings.test_ratio} leave no training part: "
            "take ratios that sum to less than 1"
        )


def _check_styles(settings: DataSettings, given: bool) -> None:
    held_out, test = settings.hold_out_style, settings.test_style
    if held_out is not None and settings.folds is not None:
        raise InputError(
            f"data.hold_out_style={held_out} and data.folds={settings.folds} both say which pictures are the val part: "
            "leave one out"
        )
    if test is not None and given:
        raise InputError(
            f"data.test_style={test} makes a test part, and this data has its own: leave it out, or give the pictures "
            "without parts"
        )
    if test is not None and test == held_out:
        raise InputError(f"data.test_style and data.hold_out_style are both {test}: choose two styles")


def _pool(table: pd.DataFrame, rows: np.ndarray, seed: int) -> Pool:
    chosen = table.iloc[rows]
    return Pool.of(chosen["group"].tolist(), chosen["target"].to_numpy(), chosen["sha256"].tolist(), seed)


def _deal(table: pd.DataFrame, ratios: dict[str, float], labels: Sequence[str], settings: DataSettings) -> list[str]:
    """Splits the training part by ratio, in place."""
    if not ratios:
        return []
    rows = np.flatnonzero(((table["split"] == "train") & (table["target"] >= 0)).to_numpy())
    parts, small = split_by_ratio(_pool(table, rows, settings.split_seed), ratios)
    table.loc[rows, "split"] = parts
    names = ("train", *(part for part, ratio in ratios.items() if ratio > 0))
    return _too_small(small, labels, "to be split") + _missing(table.iloc[rows], names, small, labels)


def _make_folds(table: pd.DataFrame, labels: Sequence[str], settings: DataSettings) -> list[str]:
    """Makes folds of train and val, in place."""
    assert settings.folds is not None and isinstance(settings.fold, int)
    folds = folds_of(table, settings)
    if settings.fold >= folds.count:
        raise InputError(
            f"data.fold={settings.fold} is not there, since {counted(folds.count, 'fold', 'are')} made "
            f"(the smallest class has {counted(folds.smallest, 'group')}): choose 0 to {folds.count - 1}"
        )
    is_dealt = (table["split"].isin(["train", "val"]) & (table["target"] >= 0)).to_numpy()
    table.loc[is_dealt, "split"] = np.where(folds.held_out[is_dealt] == settings.fold, "val", "train")
    notes = [f"fold {settings.fold} of {folds.count} is the val part"]
    if folds.count < settings.folds:
        notes[0] += f" ({settings.folds} were asked for, but the smallest class has too few groups)"
    small = _too_small(folds.small, labels, "for folds")
    return notes + small + _missing(table[is_dealt], ("train", "val"), folds.small, labels)


def _too_small(targets: Sequence[int], labels: Sequence[str], what: str) -> list[str]:
    if not targets:
        return []
    named = some_of([labels[target] for target in targets], NAMED)
    stay = "stays" if len(targets) == 1 else "stay"
    return [f"{counted(len(targets), 'class', 'have')} too few groups {what} and {stay} in training: {named}"]


def _missing(table: pd.DataFrame, parts: Sequence[str], small: Sequence[int], labels: Sequence[str]) -> list[str]:
    """Says which classes are not in every part although they have groups enough, since none of those may move."""
    held = table.groupby("target")["split"].agg(set)
    lacking = {
        target: [part for part in parts if part not in held[target]] for target in held.index.difference(list(small))
    }
    found = [f"{labels[target]} (not in {' or '.join(missing)})" for target, missing in lacking.items() if missing]
    if not found:
        return []
    named = some_of(found, NAMED)
    share = "1 class shares its" if len(found) == 1 else f"{len(found):,} classes share their"
    said = f"{share} groups with others, and no assignment that was tried has all in every part: {named}"
    return [f"{said}; more groups that hold one class alone would mend it"]
