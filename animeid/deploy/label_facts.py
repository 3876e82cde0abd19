"""`labels.json` of an artefact: each class, its training pictures, and where the manifest has them series and names."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from animeid.data.tables import SUFFIXES, read_table
from animeid.errors import InputError
from animeid.inference.predictor import Predictor
from animeid.system.console import say_beside

SERIES = "series"
NAMES = {"zh": "name_zh", "ja": "name_ja", "en": "name_en"}
"""Languages, and the columns of a manifest with a character's name in each."""


def label_facts(predictor: Predictor) -> list[dict[str, Any]]:
    """A dictionary a class, in target order: `name`, `pictures`, and where they are known `series` and `names`.

    A run keeps no further columns of its manifest, so that they are read from the file that it was trained on; where
    that is gone, nothing is known.
    """
    known = _columns(predictor)
    facts: list[dict[str, Any]] = []
    for name, pictures in zip(predictor.labels, predictor.stats.counts.tolist(), strict=True):
        own = known.get(name, {})
        names = {language: own[column] for language, column in NAMES.items() if column in own}
        series = {SERIES: own[SERIES]} if SERIES in own else {}
        facts.append({"name": name, "pictures": pictures, **series, **({"names": names} if names else {})})
    return facts


def _columns(predictor: Predictor) -> dict[str, dict[str, str]]:
    """The first text that the manifest has in each column, by class."""
    root = predictor.plan.data.root
    if root is None or Path(root).suffix.lower() not in SUFFIXES or not Path(root).is_file():
        return {}
    wanted = [SERIES, *NAMES.values()]
    try:
        table, _ = read_table(Path(root), {"label", *wanted})
    except InputError as error:  # changed since, or another file by now: it says nothing of this run
        say_beside(f"labels.json has no series and no names of other languages: {error}")
        return {}
    present = [column for column in wanted if column in table]
    if "label" not in table or not present:
        return {}
    texts = table.assign(label=table["label"].astype(str).str.strip().str.normalize("NFC"))
    return {
        str(label): {column: text for column in present if (text := next((one for one in rows[column] if one), ""))}
        for label, rows in texts.groupby("label")
    }
