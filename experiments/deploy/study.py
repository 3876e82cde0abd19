"""Artefacts beside PyTorch and beside runs: `python -m experiments.deploy.study [MODEL ...]` writes the page.

The time of one picture by each engine, an export with its compression, and pictures a second of `animeid.predict` from
files. About six minutes a model on two cores that do nothing else.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from animeid.system.machine import usable_cores
from experiments.deploy import engines, runtime
from experiments.runs import environment_line, table
from experiments.speed.pictures import CLASSES, write_pictures

HERE = Path(__file__).parent
SIZE = 224
SMALL = 12
TRAINED = ("recipe=none", "model.pretrained=false", "trainer.max_epochs=1", "logger=none", f"data.image_size={SIZE}")
THROUGHPUT = "mobilenetv2"


def main(models: Sequence[str]) -> None:
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        write_pictures(folder / "pictures", runtime.PER_CLASS)
        write_pictures(folder / "small", SMALL)
        for model in models:
            own = ("data.root=small", *TRAINED, f"model={model}", f"run_id={model}")
            runtime.command("animeid.train", *own, folder=folder)
        times = [row for model in models for row in engines.rows(model, folder, usable_cores())]
        rates = [runtime.row(model, folder) for model in models if model == THROUGHPUT]
        where = environment_line(folder / "outputs" / models[0])
    asked = " ".join(["python -m experiments.deploy.study", *sys.argv[1:]])
    text = f"""# How fast artefacts answer

`{asked}` wrote this page. Networks of random weights, which take
as long as any, at {SIZE} px, {usable_cores()} threads; all were measured in turn, {engines.ROUNDS} rounds of
{engines.SECONDS:g} s each, and `rounds` is the fastest and the slowest one's median. Eager PyTorch is
`timm.create_model("local-dir:ARTEFACT", pretrained=True)` under `torch.no_grad()`; an export with `compress=true` holds
the comparison of all engines as well.

{table(engines.HEADER, times)}

## From files

`python -m animeid.predict` over {CLASSES * runtime.PER_CLASS} JPEG files of 300 to 1,000 px; wanted in brackets. The
first answer is that of a whole new process.

{table(runtime.HEADER, rates)}

{where}
"""
    (HERE / "README.md").write_text(text, encoding="utf-8")
    print(text)


if __name__ == "__main__":
    main(sys.argv[1:] or list(engines.MODELS))
