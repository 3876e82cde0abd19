"""Parts that are a style of their own, which training does not see."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from animeid.data.styles import AUTO
from animeid.errors import InputError
from animeid.system.console import counted, some_of

KEYS = {"val": "data.hold_out_style", "test": "data.test_style"}
"""What asks for a style as a part."""

LEFT_OUT = "left out of train: in one group with a picture of a style that is held out"

NAMED = 5
"""So many names at most stand in a sentence."""


def hold_out(table: pd.DataFrame, style: str, part: str, labels: Sequence[str]) -> list[str]:
    """Makes the training pictures of a style another part, in place.

    A group never crosses: training pictures of other styles that are in a group with one of these are `excluded`. A
    class without a group of other styles stays in training as a whole, since nothing else could be learnt of it, and so
    does whatever is in a group with it.

    Args:
        table: with split, group, style and target.
        style: its name; `auto` chooses one (see `widest`).
        part: `val` or `test`.
        labels: class names in target order.

    Returns:
        Sentences for the user.

    Raises:
        InputError: no training picture has the style, or none of them can leave training.
    """
    pool = table[(table["split"] == "train") & (table["target"] >= 0)]
    if style == AUTO:
        style = widest(pool, KEYS[part])
    _check_known(pool, style, part)
    is_style = pool["style"] == style
    meets = pool["group"].isin(set(pool.loc[is_style, "group"]))
    stuck = sorted(set(pool["target"]) - set(pool.loc[~meets, "target"]))
    stays = pool["group"].isin(set(pool.loc[pool["target"].isin(stuck), "group"]))
    moved, beside = is_style & ~stays, meets & ~is_style & ~stays
    if not moved.any():
        nothing = (
            "train on: each picture has this style, or is in a group with one that has"
            if meets.all()
            else "judge: no class that has pictures of this style has others that are in no group with one of these"
        )
        raise InputError(f"{KEYS[part]}={style} leaves nothing to {nothing}; choose another style")
    table.loc[pool.index[moved], "split"] = part
    table.loc[pool.index[beside], "split"] = "excluded"
    nameless = int(((pool["style"] == "") & ~beside).sum())
    return [*_told(pool, moved, int(beside.sum()), stuck, style, part, labels), *_nameless_note(nameless, style)]


def widest(pool: pd.DataFrame, key: str) -> str:
    """The style with the highest share of all classes less its share of all pictures: it shows much and costs little.

    Of equals it is the first by name.

    Raises:
        InputError: there are not two styles.
    """
    known = pool[pool["style"] != ""]
    of_style = known.groupby("style")["target"]
    if len(of_style) < 2:
        there = f"the only style in training is '{known['style'].iloc[0]}'" if len(known) else "no picture's is known"
        raise InputError(
            f"{key}=auto chooses among the styles of pictures, and {there}: give a manifest with a column style or "
            "source, or name another by data.style_column=NAME"
        )
    gain = of_style.nunique() / pool["target"].nunique() - of_style.size() / len(pool)
    return str(gain.index[int(gain.to_numpy().argmax())])


def _check_known(pool: pd.DataFrame, style: str, part: str) -> None:
    there = sorted(set(pool["style"]) - {""})
    if style in there:
        return
    known = f"the styles are {some_of(there, NAMED)}" if there else "no picture's style is known"
    raise InputError(
        f"{KEYS[part]}={style} is the style of no picture that could be trained on ({known}): choose one of those, or "
        "name the manifest's column of styles by data.style_column=NAME"
    )


def _told(
    pool: pd.DataFrame, moved: pd.Series, beside: int, stuck: list[int], style: str, part: str, labels: Sequence[str]
) -> list[str]:
    classes = pool.loc[moved, "target"].nunique()
    pictures, of_all = counted(int(moved.sum()), "picture"), pool["target"].nunique()
    notes = [f"the style {style} is the {part} part: {pictures} of {classes} of {of_all} classes"]
    if stuck:
        names = some_of([labels[target] for target in stuck], NAMED)
        notes.append(
            f"WARNING: {counted(len(stuck), 'class', 'have')} no pictures apart from the style {style}, and stay in "
            f"training with it: {names}"
        )
    if beside:
        notes.append(f"{counted(beside, 'picture', 'are')} {LEFT_OUT}, and listed")
    return notes


def _nameless_note(pictures: int, style: str) -> list[str]:
    if not pictures:
        return []
    return [f"WARNING: {pictures:,} of the training pictures have no style, and may be of the style {style}"]
