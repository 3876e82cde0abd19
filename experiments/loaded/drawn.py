"""Study of pretraining on drawn characters: `python -m experiments.loaded.drawn grocery=FOLDER`.

`experiment=pretrain_cast` is trained once, as it stands, and trainings that start from its backbone are compared with
those that start from the published weights, in the trainings of `untried`, on their sets and validation parts; no test
part is read. Options as there. 2 cores, an hour and a half; the same command goes on after a kill.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from animeid.config.locate import conf_dir
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import RunFolder
from experiments.loaded.further import SHORT, Technique, compared, trained, write_page
from experiments.runs import OUTPUTS, metrics, percent, put_expected

CARD, PRETRAINED = "pretrain_cast", "pretrained_cast"
FROM = (f"from_run={OUTPUTS / PRETRAINED}", "from_run_parts=backbone", "model.pretrained=false")
SEEDS = {"noto": 2, "few": 2, "groups": 2}
TECHNIQUES = {SHORT.base: Technique(SEEDS), "short_drawn": Technique(SEEDS, FROM)}


def pretrained() -> Path:
    """The finished run of the card, with all cores."""
    folder = OUTPUTS / PRETRAINED
    if not (folder / "metrics.json").is_file():
        own = [f"experiment={CARD}", f"run_id={folder.name}", "resume=auto", "logger=none", "embeddings=off"]
        subprocess.run([sys.executable, "-m", "animeid.train", *own, "test=false"], check=True)
    return folder


def origin(folder: Path) -> str:
    """What is said of the pretraining: its time and figure."""
    found, hardware = metrics(folder), FinishedRun(RunFolder(folder)).environment["hardware"]
    threads = "one thread" if hardware["threads"] == 1 else f"{hardware['threads']} threads"
    own = f"f1_macro {percent(found['val'], 'f1_macro')} on validation pictures of its own characters"
    return f"{own}; {found['cost']['train_s'] / 60:.0f} minutes of training in {threads}"


def main() -> None:
    folder = pretrained()
    found = trained(TECHNIQUES, SHORT)
    body = f"""# Pretraining on drawn characters

{compared("drawn", TECHNIQUES, SHORT, found)}

## What they start from

`python -m animeid.train experiment=pretrain_cast`, one seed: {origin(folder)}."""
    runs = [run.folder for of in found.values() for same in of.values() for run in same]
    write_page("drawn", body, folder, *runs)
    put_expected(conf_dir() / "experiment" / f"{CARD}.yaml", f"{origin(folder)}, one seed")


if __name__ == "__main__":
    main()
