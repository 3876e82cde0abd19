"""Settings of the group `data`; light: the command line reads them before anything heavy is imported."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from annotated_types import Ge, Gt, Interval

from animeid.data.synthetic.settings import CastSettings
from animeid.values import PathText

PartWord = Literal["train", "val", "test", "unknown"]
Incomplete = Literal["leave_out", "keep"]
Leaks = Literal["auto", "fail", "drop", "report"]


@dataclass(frozen=True, kw_only=True)
class DataSettings:
    """Where the pictures are, how they are split, and how they are loaded.

    wants_shards: whether the root must be a folder of shards; any card may have one.
    root: class folders; a folder with `train/` and any of `val/ test/ unknown/`; or a manifest file (CSV or Parquet).
        Without it the built-in cast is used.
    cast: the built-in cast.
    parts: names of the folders below root that are train, val, test and unknown; None tells them by their names, `off`
        takes every folder for a character.
    image_size: side in pixels, or height and width.
    batch_size, num_workers: of the loaders.
    cache: pictures are decoded once, into this folder; `auto` is the user's cache folder, or `off` where its disk is
        too small. It changes speed and nothing else.
    folds: at most so many folds are made of train and val; None makes one split by ratio.
    fold: the fold that is the validation part; `all` trains a run for each.
    split_seed: moves the split; apart from the run's seed.
    val_ratio, test_ratio: shares of the pictures where no split is given.
    refit: whether the model that is kept is trained on train and val, after a twin that was trained without val has
        been judged on it; `auto` leaves that to the recipe, and is `false` without one.
    leaks: what happens when the parts overlap. `auto` fails on our own splits and, on given ones, drops the picture
        from the part that matters less: from training first.
    hold_out_style: the validation part is all training pictures of this style, so that epochs and settings are chosen
        for styles that were not seen; `auto` takes the one that shows most classes for fewest pictures.
    test_style: the test part is all pictures of this style; for sources that give no test part.
    attributes: columns of the manifest that arrive in the batch.
    style_column: the column of the manifest that names the style of each picture; `auto` takes `style` and, where that
        is empty, `source` if two of them or more have pictures of several classes; None knows of no styles.
    copy_pattern: regular expression for file names (without their ending) of offline-augmented copies, with a group
        `original` that is the original's name: `(?P<original>.+)_aug[0-9]+`. Copies stay with their original.
    replay: with `from_run`, whether that run's own pictures are trained on beside these: `auto` all of them, a number
        at most so many of each class; they keep their parts.
    max_pixels: larger pictures are left out; no more than Pillow itself takes for harmless.
    incomplete: what becomes of pictures whose files are cut off or damaged within their pixels: left out, or kept as
        far as JPEG, PNG, GIF and BMP can be read; what is missing is then black or grey.
    long_tail: for studies, thins the training part, and nothing else, after the split: the smallest class by this
        factor, the largest not at all, none below 3 pictures.
    crop_pct: share of the resized short side that evaluation keeps.
    many_above, few_below: bounds of the many/medium/few groups, in training pictures of a class.
    """

    wants_shards: ClassVar[bool] = False

    root: PathText | None = None
    cast: CastSettings | None = None
    parts: dict[PartWord, tuple[str, ...]] | Literal["off"] | None = None
    image_size: Annotated[int, Ge(8)] | tuple[Annotated[int, Ge(8)], Annotated[int, Ge(8)]] | Literal["auto"] = "auto"
    batch_size: Annotated[int, Ge(1)] | Literal["auto"] = "auto"
    num_workers: Annotated[int, Ge(0)] | Literal["auto"] = "auto"
    cache: PathText = "auto"
    folds: Annotated[int, Ge(2)] | None = None
    fold: Annotated[int, Ge(0)] | Literal["all"] | None = None
    split_seed: Annotated[int, Ge(0)] = 0
    val_ratio: Annotated[float, Interval(ge=0, lt=1)] = 0.15
    test_ratio: Annotated[float, Interval(ge=0, lt=1)] = 0.15
    refit: bool | Literal["auto"] = "auto"
    leaks: Leaks = "auto"
    hold_out_style: str | None = None
    test_style: str | None = None
    attributes: tuple[str, ...] = ()
    style_column: str | None = "auto"
    copy_pattern: str | None = None
    incomplete: Incomplete = "leave_out"
    long_tail: Annotated[float, Gt(1)] | None = None
    replay: Annotated[int, Ge(1)] | Literal["auto", False] = False
    max_pixels: Annotated[int, Interval(ge=1, le=89_478_485)] = 64_000_000
    crop_pct: Annotated[float, Interval(ge=0.1, le=1)] = 0.95
    many_above: Annotated[int, Ge(1)] = 100
    few_below: Annotated[int, Gt(0)] = 20

    @property
    def shard_buffer(self) -> int | None:
        """Pictures among which the order of a shard is shuffled; None where the card does not say."""
        return None
