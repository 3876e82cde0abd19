"""Study of heads that are blended with class means: `python -m experiments.loaded.class_means grocery=FOLDER`.

Runs of the short and of the longer study to which nothing was added, with more seeds of the longer ones. Their weights
stay as they are, but that the head is blended with class means of the training pictures, with several weights; the same
validation part is answered before and after, so that every gain is within one run. No test part is read. Options as in
`study`. 2 cores, an hour; the same command goes on after a kill.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from sklearn.metrics import f1_score

from animeid.inference.predictor import Predictor
from animeid.metrics.functional import negative_log_likelihood
from animeid.models.class_means import ClassMeans
from animeid.models.probe import linear_of
from animeid.runs.folder import RunFolder
from animeid.runs.saved import SavedRun
from animeid.system.files import read_json, write_json
from experiments.loaded.further import SHORT, Length, Technique, runs_of, write_page
from experiments.loaded.longer import LONG
from experiments.loaded.study import Run
from experiments.pool import do
from experiments.refit.study import mean_and_interval
from experiments.runs import OUTPUTS, table

WEIGHTS = (0.25, 0.5, 1.0, 2.0)
LENGTHS: Sequence[tuple[Length, Mapping[str, int]]] = (
    (SHORT, {"noto": 4, "few": 4, "groups": 2}),
    (LONG, {"noto": 2, "few": 1, "groups": 2}),
)
"""Of both studies, with the seeds of each set."""


@dataclass(frozen=True)
class Judging:
    """The answers of a finished run with each weight of class means; 0 is its head as it was trained."""

    run: Run

    @property
    def name(self) -> str:
        return f"{self.run.name}-class_means"

    @property
    def needs(self) -> str:
        return self.run.name

    @property
    def result(self) -> Path:
        return self.run.folder / "class_means.json"

    @property
    def is_done(self) -> bool:
        return self.result.is_file()

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-m", "experiments.loaded.class_means", f"judge={self.run.folder}"]

    def figures(self, name: str) -> list[float]:
        """`f1_macro` or `nll` of the validation part, without class means and with each weight."""
        return [float(value) for value in read_json(self.result)[name]]


def judge(folder: Path) -> dict[str, list[float]]:
    """What a run answers to its validation part, with each weight."""
    manifest, predictor = SavedRun(RunFolder(folder)).manifest, Predictor.load(folder)
    table_ = manifest.table[manifest.table["split"].isin(["train", "val"])]
    embeddings = predictor([str(manifest.root / path) for path in table_["path"]]).embeddings
    vectors, targets = torch.from_numpy(np.asarray(embeddings)).double(), torch.tensor(table_["target"].to_list())
    is_val = torch.tensor((table_["split"] == "val").to_list())
    layer = linear_of(predictor.model.classifier, "this study")
    heads = [layer.double()]
    heads += [ClassMeans(weight=one).blended(layer, vectors[~is_val], targets[~is_val]) for one in WEIGHTS]
    with torch.inference_mode():
        answers = [head(vectors[is_val]).numpy() for head in heads]
    truth = targets[is_val].numpy()
    return {
        "f1_macro": [
            float(f1_score(truth, one.argmax(1), labels=np.unique(truth), average="macro")) for one in answers
        ],
        "nll": [float(negative_log_likelihood(one, truth).mean()) for one in answers],
    }


def differences(judged: Sequence[Judging], name: str) -> list[list[float]]:
    """Of each weight, what it changes in each run."""
    figures = [one.figures(name) for one in judged]
    return [[one[place] - one[0] for one in figures] for place in range(1, len(WEIGHTS) + 1)]


def rows_of(length: Length, judged: Mapping[str, Sequence[Judging]]) -> list[list[str]]:
    """A row for each set, and one over all."""
    rows, everything = [], [one for same in judged.values() for one in same]
    for of, same in [*judged.items(), ("all", everything)]:
        before = ", ".join(f"{100 * one.figures('f1_macro')[0]:.1f}" for one in same) if of != "all" else "–"
        gains = [mean_and_interval(one) for one in differences(same, "f1_macro")]
        lower = [f"{sum(one < 0 for one in changed)} of {len(changed)}" for changed in differences(same, "nll")]
        rows.append([f"{length.base}, {of}", before, *gains, lower[WEIGHTS.index(ClassMeans().weight)]])
    return rows


def main() -> None:
    options = dict(argument.split("=", 1) for argument in sys.argv[1:])
    if "judge" in options:
        folder = Path(options["judge"])
        write_json(folder / "class_means.json", judge(folder))
        return
    judged = {
        length.base: {
            of: [Judging(run) for run in same]
            for of, same in runs_of(options, {length.base: Technique(seeds)}, length)[length.base].items()
        }
        for length, seeds in LENGTHS
    }
    everything = [one for of in judged.values() for same in of.values() for one in same]
    do([job for one in everything for job in (one.run, one)], OUTPUTS / "loaded-logs")
    rows = [row for length, _ in LENGTHS for row in rows_of(length, judged[length.base])]
    sets = "\n".join(
        f"- `{length.base}`: {length.epochs[of]} epochs at {length.sides[of]} px on `{of}`"
        for length, seeds in LENGTHS
        for of in seeds
    )
    body = f"""# Heads blended with class means

`python -m experiments.loaded.class_means grocery=FOLDER` writes this page. Runs of [short](untried.md) and of
[longer](longer.md) trainings to which nothing was added; f1_macro in percent of each seed, on **validation** parts, and
what changes in points when the head of that very run is blended with class means of a weight, with Student's 95 %
interval over runs. The last column has in how many runs the negative log-likelihood is lower at a weight of
{ClassMeans().weight:g}.

{sets}

{table(["runs", "as trained", *(f"weight {one:g}" for one in WEIGHTS), "likelier"], rows)}"""
    write_page("class_means", body, everything[0].run.folder)


if __name__ == "__main__":
    main()
