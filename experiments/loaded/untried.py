"""Study of what `further` left untried, from loaded weights: `python -m experiments.loaded.untried grocery=FOLDER`.

The same setting, sets and validation parts; no test part is read. Options as there. 2 cores, an hour; the same command
goes on after a kill.
"""

from __future__ import annotations

from collections.abc import Mapping

from experiments.loaded.further import SHORT, Technique, compared, trained, write_page

CLOSE: Mapping[str, int] = {"noto": 4, "few": 4, "groups": 2}
ONCE: Mapping[str, int] = {"noto": 1, "few": 1}
TECHNIQUES = {
    SHORT.base: Technique(CLOSE),
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
    runs = trained(TECHNIQUES, SHORT)
    body = f"""# Batch norm, mixing, averages, weight decay, styles and contrast, from loaded weights

{compared("untried", TECHNIQUES, SHORT, runs)}"""
    write_page("untried", body, runs[SHORT.base]["noto"][0].folder)


if __name__ == "__main__":
    main()
