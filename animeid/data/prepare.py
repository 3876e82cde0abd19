"""From data settings to a manifest that is ready to train on: read, grouped, split, audited."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np
import pandas as pd

from animeid.data.cache.home import cache_home
from animeid.data.duplicates.conflicts import exact_conflicts, listed
from animeid.data.duplicates.fingerprints import fingerprint_all
from animeid.data.duplicates.search import near_pairs
from animeid.data.manifest import Manifest, complete, targets_by_label
from animeid.data.readable import (
    NAMED,
    copied_notes,
    left_out,
    readable,
    reading_notes,
    reasons_table,
    unlabelled_notes,
)
from animeid.data.settings import DataSettings
from animeid.data.shards.layout import is_shard_folder
from animeid.data.shards.source import read_shards
from animeid.data.sources import read_source
from animeid.data.spellings import is_spelling, spelling_notes
from animeid.data.splits.audit import Audit, overlap, resolve
from animeid.data.splits.grouping import copy_rule, group_names, joined, originals, pairs_of_equal
from animeid.data.splits.parts import are_given, make_parts
from animeid.data.splits.styles import LEFT_OUT
from animeid.data.splits.thinning import thin
from animeid.data.styles import with_styles
from animeid.errors import InputError
from animeid.system.console import some_of
from animeid.terms import UNKNOWN_TARGET


@dataclass(frozen=True)
class Labelled:
    """Pictures that can be read, with sizes, sha256 and groups, before any split.

    skipped: columns path, reason. conflicts: pairs of equal or nearly equal pictures with different labels (see
    `animeid.data.duplicates.conflicts`); the exact copies among them have the split `excluded`. duplicates: the same
    for pictures of one label, each with the one that it is a copy of.
    """

    manifest: Manifest
    skipped: pd.DataFrame
    conflicts: pd.DataFrame
    duplicates: pd.DataFrame
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class Prepared:
    """What a run trains and is judged on.

    manifest: with split and target, rows ordered by path. labels: class names in target order, sorted.
    skipped: files and pictures left out, columns path, reason.
    conflicts, duplicates: as those of `Labelled`; a run that goes on does not look for duplicates again.
    given_splits: whether the source said which picture is in which part.
    carved_val: whether the validation part was carved by ratio: neither given, nor a fold.
    notes: sentences for the user.
    audit: `overlap` of the finished parts (see `animeid.data.splits.audit.overlap`), `given_overlap` as it was found,
        and the number `dropped`.
    """

    manifest: Manifest
    labels: tuple[str, ...]
    skipped: pd.DataFrame
    conflicts: pd.DataFrame
    given_splits: bool
    carved_val: bool = False
    notes: tuple[str, ...] = ()
    audit: dict = field(default_factory=dict)
    duplicates: pd.DataFrame = field(default_factory=pd.DataFrame)

    def learning_val(self) -> Prepared:
        """The same pictures, those of the validation part moved to training; no other part changes."""
        table = self.manifest.table
        moved = table.assign(split=table["split"].mask(table["split"] == "val", "train"))
        return replace(self, manifest=replace(self.manifest, table=moved))


def prepare(settings: DataSettings) -> Prepared:
    """Reads, groups, splits and audits the pictures of `settings`. Equal pictures and settings give equal results.

    Raises:
        InputError: there is nothing to train on, or the parts overlap and `settings.leaks` forbids it.
    """
    read = read_labelled(settings)
    table, labels = _with_targets(read.manifest.table, settings)
    given = are_given(table)
    found = _resolve_given(table, settings) if given else Audit(table, reasons_table([]))
    _check_training(table, found.table, labels, given)
    has_given_val = bool((found.table["split"] == "val").any())
    table, notes = make_parts(found.table, labels, settings, given)
    beside = table.loc[(table["split"] == "excluded") & (found.table["split"] != "excluded"), "path"]
    if settings.long_tail is not None:
        table, told = thin(table, settings.long_tail, settings.split_seed, labels)
        notes += told
    final = resolve(table, "fail" if settings.leaks == "auto" else settings.leaks)
    facts = {"given_overlap": found.overlap, "dropped": len(found.dropped), "overlap": overlap(final.table)}
    return Prepared(
        manifest=Manifest(final.table, read.manifest.root, read.manifest.attributes),
        labels=labels,
        skipped=pd.concat(
            [read.skipped, found.dropped, reasons_table([(path, LEFT_OUT) for path in beside]), final.dropped],
            ignore_index=True,
        ),
        conflicts=read.conflicts,
        given_splits=given,
        carved_val=settings.folds is None and not has_given_val and bool((final.table["split"] == "val").any()),
        notes=(*read.notes, *unlabelled_notes(read.manifest.table), *found.notes, *notes, *final.notes),
        audit=facts,
        duplicates=read.duplicates,
    )


def read_labelled(settings: DataSettings) -> Labelled:
    """Reads every picture of `settings` once and finds out which belong together; splits are left as given.

    Raises:
        InputError: there are no pictures, or a class has none that can be read.
    """
    if is_shard_folder(settings.root):
        if settings.long_tail is not None:
            raise InputError(
                f"data.long_tail={settings.long_tail:g} cannot take pictures out of the shards in {settings.root}: "
                "give it to python -m animeid.shard when they are written"
            )
        stored = read_shards(settings)
        table = with_styles(stored.manifest.table, settings.style_column)
        manifest = replace(stored.manifest, table=table)
        return Labelled(manifest, stored.skipped, stored.conflicts, stored.duplicates, stored.notes)
    if settings.wants_shards:
        raise InputError(
            f"data=shards data.root={settings.root}: no shards are there; write them with "
            f"python -m animeid.shard data.root=PICTURES output={settings.root}"
        )
    rule = copy_rule(settings.copy_pattern)
    source = read_source(settings)
    table = with_styles(source.manifest.table, settings.style_column)
    table = table.sort_values(["path", "label"], kind="stable", ignore_index=True)
    root = source.manifest.root
    keeps = settings.incomplete == "keep"
    prints, reasons = fingerprint_all(
        [root / path for path in table["path"]],
        settings.max_pixels,
        cache_home(settings.cache),
        incomplete=keeps,
    )
    table, prints, skipped = readable(table, prints, reasons, source)
    table = table.assign(sha256=prints.sha256, width=prints.sizes[:, 0], height=prints.sizes[:, 1])
    near = near_pairs(prints, table["label"].tolist(), cache_home(settings.cache))
    pairs = [*pairs_of_equal(zip(table["label"], table["sha256"], strict=True)), *near.same]
    pairs += pairs_of_equal(group or path for group, path in zip(table["group"], table["path"], strict=True))
    if rule is not None:
        pairs += originals(table["path"].tolist(), table["label"].tolist(), rule)
    table["group"] = group_names(joined(len(table), pairs), table)
    exact = exact_conflicts(table)
    conflicts = listed(table, exact, near.different)
    duplicates = _duplicates(table, near.same)
    clashing = sorted({row for pair in exact for row in pair})
    table.loc[clashing, "split"] = "excluded"
    attributes = source.manifest.attributes
    told = spelling_notes(set(table["label"]) - {""})
    notes = (
        *source.notes,
        *told,
        *near.notes,
        *reading_notes(skipped, len(clashing), len(conflicts) - len(exact), keeps),
        *copied_notes(table, clashing),
    )
    return Labelled(Manifest(complete(table, attributes), root, attributes), skipped, conflicts, duplicates, notes)


def _duplicates(table: pd.DataFrame, near: Sequence[tuple[int, int]]) -> pd.DataFrame:
    """Each copy with its first picture, exact copies as such only."""
    equal = pairs_of_equal(zip(table["label"], table["sha256"], strict=True))
    exact = [(row, first) for row, first in equal if row != first and table["label"].iloc[row]]
    copies = {row for row, _ in exact}
    return listed(table, exact, [pair for pair in near if pair[0] not in copies])


def _with_targets(table: pd.DataFrame, settings: DataSettings) -> tuple[pd.DataFrame, tuple[str, ...]]:
    """Numbers the classes; pictures without a label go to the part `unknown`.

    Raises:
        InputError: there are fewer than two classes.
    """
    unlabelled = (table["label"] == "") | (table["split"] == "unknown")
    used = table["split"] != "excluded"
    labels = tuple(sorted(set(table["label"][used & ~unlabelled])))
    if len(labels) < 2:
        where = settings.root or "the built-in cast"
        there = f"only the class '{labels[0]}'" if labels else "no class"
        if gone := left_out(table):
            names = some_of(gone, NAMED)
            there += f" (of {names} each picture is excluded, or an exact copy of one with another label)"
        raise InputError(f"{where} has {there}: at least two classes are needed to tell characters apart")
    targets = table["label"].map(targets_by_label(labels)).fillna(UNKNOWN_TARGET).astype(np.int64)
    return (
        table.assign(
            target=targets.mask(unlabelled, UNKNOWN_TARGET), split=table["split"].mask(unlabelled & used, "unknown")
        ),
        labels,
    )


def _resolve_given(table: pd.DataFrame, settings: DataSettings) -> Audit:
    if settings.leaks == "report":
        return Audit(table, reasons_table([]))
    return resolve(table, "drop" if settings.leaks == "auto" else settings.leaks)


def _check_training(told: pd.DataFrame, table: pd.DataFrame, labels: Sequence[str], given: bool) -> None:
    """Every class must be learnable: given parts may leave one without a training picture.

    Args:
        told: as the parts were given.
        table: without what the audit of these parts took out.
    """
    if not given:
        return
    had, learnt = ({*part.loc[part["split"] == "train", "label"]} for part in (told, table))
    missing = [label for label in labels if label not in learnt]
    if not missing:
        return
    name = missing[0]
    if name in had:
        raise InputError(
            f"the class '{name}' has no training picture that is not a copy of a val or test picture: "
            "add some to train, or move its pictures to unknown"
        )
    if not had:
        raise InputError("no picture is in the part train: put some of each class there, or give no parts at all")
    parts = " and ".join(sorted({*told.loc[told["label"] == name, "split"]}))
    close = [f" ('{other}' of train may be the same one)" for other in sorted(had) if is_spelling(name, other)]
    raise InputError(
        f"the class '{name}' has pictures in {parts} and none in train{''.join(close[:1])}: add some to train, give it "
        "the name that it has there, or move its pictures to unknown"
    )
