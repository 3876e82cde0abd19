"""Study of the choices of `recipe=auto`: `python -m experiments.recipe.study [emoji_cast=FOLDER]`.

Settings are compared on validation parts of three development casts, whose characters are in no other study, and on
that of emoji_cast, so that nothing is chosen for drawn characters that harms on real pictures. Test parts are not
answered. 2 cores, about two hours; the same command goes on after a kill.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import pandas as pd

from animeid.data.synthetic.build import MANIFEST, build_cast
from animeid.data.synthetic.settings import CastSettings
from experiments.pool import RunJob, do
from experiments.real_input.study import held_out_manifest
from experiments.runs import OUTPUTS, environment_line, metrics, table

HERE = Path(__file__).parent
CASTS = {
    "tail": CastSettings(
        characters=30, seed=1009, imbalance=100.0, train_largest=180, val_largest=1, test_per_class=10
    ),
    "many": CastSettings(characters=60, seed=2003, imbalance=15.0, train_largest=45, val_largest=1, test_per_class=6),
    "style": CastSettings(
        characters=30,
        seed=3001,
        imbalance=20.0,
        train_largest=120,
        val_largest=1,
        test_per_class=10,
        held_out_style="flat",
    ),
}
"""Development casts. Their balanced test part is the validation part here, so that rare classes are judged at all."""

EMOJI = "emoji"
ALL = ("tail", "many", "style", EMOJI)
BALANCED = "loss=balanced_softmax"
MEDIUM = (BALANCED, "augment=medium")
SMALLER = "data.batch_size=16"


@dataclass(frozen=True)
class Variant:
    """Settings, and the sets that they were tried on: what lost clearly was not tried everywhere."""

    arguments: tuple[str, ...]
    sets: tuple[str, ...] = ALL
    epochs: int = 20


VARIANTS = {
    "cross_entropy": Variant(()),
    "balanced": Variant((BALANCED,)),
    "balanced_mixing": Variant((BALANCED, "mixing=mixup_cutmix")),
    "balanced_ema": Variant((BALANCED, "averaging=ema", "averaging.decay=0.99"), ("tail", "many", "style")),
    "balanced_lr": Variant((BALANCED, "optimizer.lr=5e-3")),
    "balanced_crop": Variant((BALANCED, "augment.crop_scale=[0.6,1.0]")),
    "medium": Variant(MEDIUM, ("tail", "many", EMOJI)),
    "medium_smaller_crops": Variant((*MEDIUM, "augment.crop_scale=[0.4,1.0]"), ("many", EMOJI)),
    "medium_b16": Variant((*MEDIUM, SMALLER), ("many", EMOJI)),
    "basic": Variant((BALANCED, "augment=basic")),
    "basic_smoothed": Variant((BALANCED, "augment=basic", "loss.label_smoothing=0.1"), (EMOJI,)),
    "basic_b16": Variant((BALANCED, "augment=basic", SMALLER), ("many",)),
    "basic_long": Variant((BALANCED, "augment=basic"), ("many",), 40),
    "medium_b16_long": Variant((*MEDIUM, SMALLER), (EMOJI, "many"), 40),
    "basic_b16_long": Variant((BALANCED, "augment=basic", SMALLER), (EMOJI, "many"), 40),
    "basic_mixing_b16_long": Variant((BALANCED, "augment=basic", "mixing=mixup_cutmix", SMALLER), (EMOJI, "many"), 40),
}


@dataclass(frozen=True)
class Run(RunJob):
    """A variant on a set."""

    name: str
    set: str
    manifest: Path
    variant: Variant
    needs: str | None = None

    @property
    def command(self) -> list[str]:
        own = ["data.long_tail=8"] if self.set == EMOJI else []
        common = [f"run_id={self.name}", "resume=auto", "recipe=none", "test=false", "logger=none"]
        where = [f"data.root={self.manifest}", f"trainer.max_epochs={self.variant.epochs}"]
        return [sys.executable, "-m", "animeid.train", *common, *where, *own, *self.variant.arguments]


def development_manifest(name: str, settings: CastSettings) -> Path:
    """A manifest of a cast's training part, with its balanced test part for validation."""
    cast, folder = build_cast(settings), OUTPUTS / f"recipe-set-{name}"
    folder.mkdir(parents=True, exist_ok=True)
    pictures = folder / "pictures"
    pictures.unlink(missing_ok=True)
    pictures.symlink_to(cast.resolve(), target_is_directory=True)
    drawn = pd.read_csv(cast / MANIFEST, dtype=str, keep_default_na=False)
    drawn = drawn[drawn["split"] != "val"]
    drawn = drawn.assign(split=drawn["split"].replace("test", "val"), path="pictures/" + drawn["path"])
    drawn[["path", "label", "split"]].to_csv(folder / "manifest.csv", index=False)
    return folder / "manifest.csv"


def row(variant: str, runs: Mapping[str, Run]) -> list[str]:
    found = {name: metrics(run.folder) for name, run in runs.items()}
    f1 = {name: 100 * one["val"]["f1_macro"] for name, one in found.items()}
    cells = [
        f"{f1[name]:.1f} ({100 * found[name]['val']['few/acc_macro']:.1f})" if name in found else "–" for name in ALL
    ]
    mean = f"{statistics.mean(f1.values()):.1f}" if len(f1) == len(ALL) else "–"
    seconds = statistics.mean(one["cost"]["train_s"] for one in found.values())
    words = " ".join(VARIANTS[variant].arguments) or "(the cards)"
    return [f"`{words}`", str(VARIANTS[variant].epochs), *cells, mean, f"{seconds:.0f}"]


def manifests_of(arguments: Sequence[str]) -> dict[str, Path]:
    """The manifest of each set; `emoji_cast=FOLDER` among the arguments says where the real pictures are."""
    options = dict(argument.split("=", 1) for argument in arguments)
    emoji_cast = Path(options.get("emoji_cast", "../shared/emoji_cast"))
    found = {name: development_manifest(name, settings) for name, settings in CASTS.items()}
    return {**found, EMOJI: held_out_manifest(emoji_cast, "openmoji", OUTPUTS / "recipe-set-emoji")}


def main() -> None:
    manifests = manifests_of(sys.argv[1:])
    runs = {
        variant: {name: Run(f"recipe-{name}-{variant}", name, manifests[name], found) for name in found.sets}
        for variant, found in VARIANTS.items()
    }
    do([run for found in runs.values() for run in found.values()], OUTPUTS / "recipe-logs")
    rows = [row(variant, found) for variant, found in runs.items()]
    header = ["variant, with `recipe=none`", "epochs", *ALL, "mean", "training s"]
    text = f"""# What recipe=auto rests on

`python -m experiments.recipe.study` writes this page. f1_macro in percent (few/acc_macro beside it) on **validation**
parts; test parts are not answered. One seed, so that two or three points on one set say nothing. `tail`, `many` and
`style` are development casts with characters of their own (30 with imbalance 100; 60 with 45 to 3 pictures; 30 whose
validation part shows a style that training never does), `emoji` is the validation part of emoji_cast (three styles,
`data.long_tail=8`). Network `small`, 64 px, random weights; seconds on one core.

{environment_line(runs["balanced"]["tail"].folder)}

{table(header, rows)}

{(HERE / "reading.md").read_text(encoding="utf-8").strip()}
"""
    (HERE / "README.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
