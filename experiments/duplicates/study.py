"""Study of near-duplicates on real drawings: `python -m experiments.duplicates.study [emoji_cast=FOLDER]`."""

from __future__ import annotations

import sys
import time
from pathlib import Path

import numpy as np
import pandas as pd

from animeid.data.prepare import Labelled, read_labelled
from animeid.data.settings import DataSettings
from experiments.duplicates.drawn import COPIED, SETS, judged
from experiments.runs import table

HERE = Path(__file__).parent
DRAWN = 1_000
"""Pictures of a drawn set, without their copies."""


def pairs(found: pd.Series, true: pd.Series, labels: pd.Series) -> tuple[int, int, int]:
    """Pairs of one class that are together in `found`, in `true`, and in both."""
    together = np.zeros(3, dtype=np.int64)
    for rows in labels.groupby(labels).groups.values():
        upper = np.triu_indices(len(rows), 1)
        one, other = (column.loc[rows].to_numpy() for column in (found, true))
        same_found, same_true = ((values[:, None] == values[None])[upper] for values in (one, other))
        together += [same_found.sum(), same_true.sum(), (same_found & same_true).sum()]
    return int(together[0]), int(together[1]), int(together[2])


def page(read: Labelled, manifest: pd.DataFrame, seconds: float) -> str:
    joined = read.manifest.table[["path", "label", "group"]].merge(
        manifest[["path", "group", "style"]], on="path", suffixes=("", "_true")
    )
    found, true, both = pairs(joined["group"], joined["group_true"], joined["label"])
    across = joined.groupby("group")["style"].nunique()
    header = ["pictures", "pairs found", "pairs of the manifest", "precision", "recall", "largest group", "conflicts"]
    cells = [
        f"{len(joined):,}",
        f"{found:,}",
        f"{true:,}",
        f"{both / found:.3f}",
        f"{both / true:.3f}",
        f"{joined['group'].value_counts().max()}",
        f"{len(read.conflicts)}",
    ]
    return f"""# Are duplicates found?

`python -m experiments.duplicates.study` writes this page. `emoji_cast` is read as plain class folders; the groups that
the data room finds are compared with those of its manifest (style and role), pair by pair within each class.

{table(header, [cells])}

A group of the manifest holds all skin tones and both genders of one drawing team's role, which are often different
drawings, so that its recall cannot be 1 by looking at pixels: what is not found are drawings that differ in shape. Of
the groups found, {int((across > 1).sum())} hold pictures of more than one team; some of those teams started from one
another's drawings. A pair with two labels is a conflict: it is listed and not joined. Mirrored, resized, recompressed,
brightened, recoloured and slightly cropped copies are found (`tests/data/duplicates/test_duplicates.py`); beyond a crop
of about 5 % of the side the hashes part. Reading, hashing and comparing took {seconds:.0f} s.

## One outline, many pictures

{DRAWN:,} drawn pictures of one class with the same outline each, and of every fourth a copy: compressed anew, smaller,
or cut at the sides. Only a copy and its original are a true pair.

{drawn()}

Found pairs that are none are pictures that differ in little: a group keeps them in one part, it leaves none out.
"""


def drawn() -> str:
    """The table of the drawn sets."""
    header = ["set", "pictures", "pairs found", "pairs of copies", "precision", "recall"]
    rows = []
    for kind in SETS:
        found, true, both = judged(kind, DRAWN)
        count = DRAWN + DRAWN // COPIED
        rows.append(
            [kind, f"{count:,}", f"{found:,}", f"{true:,}", f"{both / max(found, 1):.3f}", f"{both / true:.3f}"]
        )
    return table(header, rows)


def main() -> None:
    options = dict(argument.split("=", 1) for argument in sys.argv[1:])
    folder = Path(options.get("emoji_cast", "../shared/emoji_cast"))
    if not (folder / "manifest.csv").is_file():
        sys.exit(f"{folder} holds no manifest.csv: say where the pictures are with emoji_cast=FOLDER")
    start = time.perf_counter()
    read = read_labelled(DataSettings(root=str(folder), cache="off"))
    seconds = time.perf_counter() - start
    text = page(read, pd.read_csv(folder / "manifest.csv", dtype=str, keep_default_na=False), seconds)
    (HERE / "README.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
