"""Study of the built-in cast, its difficulty, speed and looks: `python -m experiments.cast.study`."""

from __future__ import annotations

import tempfile
import time
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image

from animeid.data.synthetic.build import build_cast
from animeid.data.synthetic.settings import CastSettings
from experiments.runs import environment_line, metrics, percent, table, train

HERE = Path(__file__).parent
STYLES = ("sketch",)
COLUMNS, ROWS = 10, 8


def contact_sheet(target: Path) -> None:
    """Ten test pictures of each of eight characters, a row a character."""
    folder = build_cast(CastSettings())
    manifest = pd.read_csv(folder / "manifest.csv")
    test = manifest[manifest["split"] == "test"]
    labels = test["label"].unique()[:ROWS]
    rows = []
    for label in labels:
        paths = test.loc[test["label"] == label, "path"].iloc[:COLUMNS]
        rows.append(np.concatenate([np.asarray(Image.open(folder / path).convert("RGB")) for path in paths], axis=1))
    Image.fromarray(np.concatenate(rows)).save(target, optimize=True)


def pictures_per_second(pictures: int = 300) -> float:
    """Pictures of 128 px that one process draws and writes in a second, its start included."""
    largest = pictures // 4
    settings = CastSettings(characters=4, train_largest=largest, imbalance=1, val_largest=1, test_per_class=1, seed=77)
    with tempfile.TemporaryDirectory() as cache:
        start = time.perf_counter()
        folder = build_cast(settings, Path(cache), processes=1)
        seconds = time.perf_counter() - start
        drawn = len(pd.read_csv(folder / "manifest.csv"))
    return drawn / seconds


def row(name: str, folder: Path) -> list[str]:
    found = metrics(folder)
    baseline = found["baselines"]["test"]["colour_histogram"]
    ratio = baseline["acc_macro"] / found["test"]["acc_macro"]
    return [
        name,
        str(found["test"]["support"]),
        percent(found["test"], "acc_macro"),
        percent(found["test"], "f1_macro"),
        percent(baseline, "acc_macro"),
        f"{ratio:.2f}",
    ]


def main() -> None:
    speed = pictures_per_second()
    contact_sheet(HERE / "contact_sheet.png")
    whole = train("cast", "all_styles", [])
    # As many test pictures of the style alone as of all styles, from characters and counts that are the same.
    held_out = {style: train("cast", f"without_{style}", [f"data.cast.held_out_style={style}"]) for style in STYLES}
    header = ["training", "test pictures", "acc_macro", "f1_macro", "histogram neighbour acc_macro", "histogram / CNN"]
    rows = [row("all styles, test of all styles", whole)]
    rows += [row(f"without {style}, test of {style} alone", folder) for style, folder in held_out.items()]
    text = f"""# The built-in cast

`python -m experiments.cast.study` writes this page: `python -m animeid.train recipe=none`, percent with 95 %
intervals on the balanced test part. The histogram neighbour names a picture after the training picture with the most
similar colours.

![contact sheet](contact_sheet.png)

One process draws and writes **{speed:.0f} pictures of 128 px a second**, its start included.

{environment_line(whole)}

{table(header, rows)}
"""
    (HERE / "README.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
