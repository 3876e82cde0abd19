"""Study of the recipe's rules for loaded weights: `python -m experiments.loaded.study grocery=FOLDER`.

EfficientNet-Lite0 from its ImageNet weights; settings are compared on validation parts of development sets, and no test
part is read. grocery is the folder `dataset` of the Grocery Store Dataset (Klasson 2019, github marcusklasson/
GroceryStoreDataset, MIT); `emoji_cast=FOLDER` says where that is, `seeds=N` does the first ones alone. 2 cores, some
hours; the same command goes on after a kill.
"""

from __future__ import annotations

import statistics
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from experiments.loaded.sets import SETS, manifests_of
from experiments.loaded.variants import COMMON, VARIANTS, Variant
from experiments.pool import RunJob, do
from experiments.runs import OUTPUTS, environment_line, metrics, table

HERE = Path(__file__).parent


@dataclass(frozen=True)
class Run(RunJob):
    """A named variant on a set, with a seed.

    arguments: of the variant; the last word on a key wins.
    """

    variant: str
    set: str
    seed: int
    manifest: Path
    arguments: tuple[str, ...]
    epochs: int
    needs: str | None = None

    @property
    def name(self) -> str:
        return f"loaded-{self.set}-{self.variant}-{self.seed}"

    @property
    def command(self) -> list[str]:
        own = [f"run_id={self.name}", "resume=auto", f"seed={self.seed}", f"data.root={self.manifest}"]
        epochs = f"trainer.max_epochs={self.epochs}"
        return [sys.executable, "-m", "animeid.train", *own, *COMMON, epochs, *self.arguments]

    @property
    def f1_macro(self) -> float:
        return float(metrics(self.folder)["val"]["f1_macro"])


def runs_of(options: Mapping[str, str]) -> dict[str, dict[str, list[Run]]]:
    """Of each variant and set, those of all seeds; the first seeds of all come first."""
    manifests, seeds = manifests_of(options), int(options.get("seeds", 3))
    return {
        name: {
            of: [
                Run(name, of, seed, manifests[of], variant.arguments, SETS[of].epochs)
                for seed in range(1, min(seeds, variant.seeds) + 1)
            ]
            for of in variant.sets
            if of in manifests
        }
        for name, variant in VARIANTS.items()
    }


def row(variant: Variant, runs: Mapping[str, Sequence[Run]]) -> list[str]:
    f1 = {of: [100 * run.f1_macro for run in same] for of, same in runs.items()}
    seconds = [metrics(run.folder)["cost"]["train_s"] for same in runs.values() for run in same]
    cells = [", ".join(f"{one:.1f}" for one in f1[of]) if of in f1 else "–" for of in SETS]
    return [f"`{' '.join(variant.arguments)}`", *cells, f"{statistics.median(seconds):.0f}"]


def main() -> None:
    runs = runs_of(dict(argument.split("=", 1) for argument in sys.argv[1:]))
    everything = [run for found in runs.values() for same in found.values() for run in same]
    everything.sort(key=lambda run: run.seed)
    do(everything, OUTPUTS / "loaded-logs")
    rows = [row(VARIANTS[name], found) for name, found in runs.items() if found]
    sets = "\n".join(f"- `{name}`: {one.title}; {one.epochs} epochs" for name, one in SETS.items())
    text = f"""# What recipe=auto rests on when weights are loaded

`python -m experiments.loaded.study grocery=FOLDER` writes this page. f1_macro in percent of each seed, on
**validation** parts; test parts are not answered. To all of them goes
`{" ".join(COMMON)}`.
Seconds on one core, which others shared.

{sets}

{environment_line(everything[0].folder)}

{table(["variant", *SETS, "training s"], rows)}

{(HERE / "reading.md").read_text(encoding="utf-8").strip()}
"""
    (HERE / "README.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
