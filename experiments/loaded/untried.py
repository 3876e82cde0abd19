"""Study of what `further` left untried, from loaded weights: `python -m experiments.loaded.untried grocery=FOLDER`.

The same setting, sets and validation parts; no test part is read. Options as there. 2 cores, an hour; the same command
goes on after a kill.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from experiments.loaded.further import BASE, EPOCHS, SETTING, Technique, row, runs_of
from experiments.loaded.sets import SETS
from experiments.pool import do
from experiments.runs import OUTPUTS, environment_line, table

HERE = Path(__file__).parent
CLOSE: Mapping[str, int] = {"noto": 4, "few": 4, "groups": 2}
ONCE: Mapping[str, int] = {"noto": 1, "few": 1}
TECHNIQUES = {
    BASE: Technique(CLOSE),
    "short_batch_norms": Technique(CLOSE, ("freezing=batch_norms",)),
    "short_tail": Technique({"noto": 2, "few": 2}, ("averaging=tail",)),
    "short_mixing": Technique(ONCE, ("mixing=mixup_cutmix",)),
    "short_decay": Technique(ONCE, ("optimizer.weight_decay=0.3",)),
    "short_mix_style": Technique(ONCE, ("feature_mixing=mixstyle",)),
    "short_fourier": Technique(ONCE, ("restyling=fourier",)),
    "short_drop_path": Technique(ONCE, ("model.drop_path_rate=0.1",)),
    "short_contrast": Technique(ONCE, ("contrastive=supervised",)),
}


def main() -> None:
    runs = runs_of(dict(argument.split("=", 1) for argument in sys.argv[1:]), TECHNIQUES)
    everything = [run for found in runs.values() for same in found.values() for run in same]
    do(sorted(everything, key=lambda run: run.seed), OUTPUTS / "loaded-logs")
    epochs = "\n".join(f"- `{name}`: {SETS[name].title}; {number} epochs" for name, number in EPOCHS.items())
    rows = [row(TECHNIQUES[name], found, runs[BASE]) for name, found in runs.items()]
    text = f"""# Batch norm, mixing, averages, weight decay, styles and contrast, from loaded weights

`python -m experiments.loaded.untried grocery=FOLDER` writes this page. f1_macro in percent of each seed, on
**validation** parts; test parts are not answered. To all of them goes what [the first study](README.md) says,
`{" ".join(SETTING)}` and what the row adds.
Gains are in points over `nothing` on the same sets with the same seeds, with Student's 95 % interval over those pairs.

{epochs}

{table(["added", *EPOCHS, "gained"], rows)}

{environment_line(everything[0].folder)}

{(HERE / "untried_reading.md").read_text(encoding="utf-8").strip()}
"""
    (HERE / "untried.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main()
