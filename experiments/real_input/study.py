"""Trains on real pictures: `python -m experiments.real_input.study [emoji_cast=FOLDER]`."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import numpy as np
import pandas as pd
from PIL import Image, ImageDraw, ImageFont

from animeid.data.manifest import read_manifest
from animeid.fonts import FONT_FILE
from experiments.runs import OUTPUTS, environment_line, metrics, percent, table, train

HERE = Path(__file__).parent
FIGURES = ("acc_micro", "acc_macro", "f1_macro", "top5")


def held_out_manifest(emoji_cast: Path, style: str, folder: Path) -> Path:
    """A manifest in which one whole style is the test part; validation is carved from the rest by the data room."""
    folder.mkdir(parents=True, exist_ok=True)
    pictures = folder / "pictures"
    # Paths of a manifest stay below its folder, and nobody may write into the original's.
    pictures.unlink(missing_ok=True)
    pictures.symlink_to(emoji_cast.resolve(), target_is_directory=True)
    manifest = pd.read_csv(emoji_cast / "manifest.csv", dtype=str, keep_default_na=False)
    manifest["split"] = np.where(manifest["style"] == style, "test", "train")
    manifest["path"] = "pictures/" + manifest["path"]
    manifest.to_csv(folder / "manifest.csv", index=False)
    return folder / "manifest.csv"


def worst_pictures(folder: Path, target: Path, number: int = 12) -> None:
    """A sheet of the test pictures with the highest loss: name, what the model said, how sure it was."""
    table_ = pd.read_parquet(folder / "predictions.parquet")
    worst = table_[table_["split"] == "test"].nlargest(number, "loss")
    root = read_manifest(folder / "manifest.parquet").root
    font = ImageFont.truetype(str(FONT_FILE), 12)
    sheet = Image.new("RGB", (6 * 170, 2 * 190), "white")
    draw = ImageDraw.Draw(sheet)
    for place, row in enumerate(worst.itertuples()):
        left, top = place % 6 * 170, place // 6 * 190
        picture = Image.open(root / row.path).convert("RGBA").resize((128, 128))
        sheet.paste(picture, (left + 20, top + 4), picture)
        draw.text((left + 4, top + 138), f"is {row.label}"[:26], fill="black", font=font)
        draw.text((left + 4, top + 156), f"said {row.predicted}"[:26], fill="#b03030", font=font)
        draw.text((left + 4, top + 172), f"{100 * row.probability:.0f} % sure", fill="#606060", font=font)
    sheet.save(target)


def worst_table(folder: Path, number: int = 12) -> str:
    """The same as a table, for pictures that are not ours to show here."""
    predictions = pd.read_parquet(folder / "predictions.parquet")
    worst = predictions[predictions["split"] == "test"].nlargest(number, "loss")
    rows = [
        [f"`{row.path}`", row.label, row.predicted, f"{100 * row.probability:.0f} %", f"{row.loss:.1f}"]
        for row in worst.itertuples()
    ]
    return table(["picture", "is", "said", "sure", "loss"], rows)


def figures_row(name: str, folder: Path) -> list[str]:
    found = metrics(folder)
    test = found["test"]
    baseline = found["baselines"]["test"]["colour_histogram"]
    return [
        name,
        str(test["support"]),
        str(test["groups"]),
        *(percent(test, figure) for figure in FIGURES),
        percent(baseline, "acc_macro"),
        f"{found['cost']['train_s']:.0f}",
    ]


def show(folder: Path, name: str, may_show_pictures: bool) -> str:
    """Copies a run's plots beside the page and returns the Markdown that shows them and its worst predictions."""
    shown = []
    for picture in ("learning_curves", "confusion_test"):
        source = folder / "figures" / f"{picture}.png"
        shutil.copy(source, HERE / f"{name}_{picture}.png")
        shown.append(f"![{picture}]({name}_{picture}.png)")
    if may_show_pictures:
        worst_pictures(folder, HERE / f"{name}_worst.png")
        worst = f"![worst]({name}_worst.png)"
    else:
        worst = worst_table(folder)
    return "\n\n".join([f"## {name}", *shown, "The test pictures with the highest loss:", worst])


def main() -> None:
    options = dict(argument.split("=", 1) for argument in sys.argv[1:])
    emoji_cast = Path(options.get("emoji_cast", "../shared/emoji_cast"))
    if not (emoji_cast / "manifest.csv").is_file():
        sys.exit(f"{emoji_cast} holds no manifest.csv: say where the pictures are with emoji_cast=FOLDER")
    held_out = held_out_manifest(emoji_cast, "openmoji", OUTPUTS / "real_input-held_out")
    runs = {
        "built_in_cast": train("cast", "all_styles", []),
        "emoji_grouped": train("real_input", "emoji_grouped", [f"data.root={emoji_cast / 'manifest.csv'}"]),
        "emoji_held_out_style": train("real_input", "emoji_held_out_style", [f"data.root={held_out}"]),
    }
    header = ["run", "test pictures", "groups", *FIGURES, "histogram baseline acc_macro", "training s"]
    rows = [figures_row(name, folder) for name, folder in runs.items()]
    pages = "\n\n".join(show(folder, name, name == "built_in_cast") for name, folder in runs.items())
    text = f"""# Real input

`python -m experiments.real_input.study` writes this page from the saved results of its runs, each
`python -m animeid.train recipe=none` (random weights). Figures are percent on the test part with 95 % intervals
from resampling groups.

- `built_in_cast`: the drawn characters (the same run as in the cast's own study).
- `emoji_grouped`: `emoji_cast` by its manifest, whose groups (style and role) never cross a split.
- `emoji_held_out_style`: the whole style `openmoji` is the test part, which no training picture resembles.

{environment_line(runs["built_in_cast"])}

{table(header, rows)}

{pages}
"""
    (HERE / "README.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
