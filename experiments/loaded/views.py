"""Finished runs answered in several views: `python -m experiments.loaded.views RUN TARGET`.

The weights stay as they are, so that what is compared differs by the views alone.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from animeid.config.compose import compose
from animeid.inference.evaluation import evaluate
from animeid.system.files import read_json, write_json
from experiments.runs import OUTPUTS

VIEWS = {
    "mirrored too": ("tta=flip",),
    "1.15 times": ("tta=flip", "tta.flip=false", "tta.scales=[1.15]"),
    "1.3 times": ("tta=flip", "tta.flip=false", "tta.scales=[1.3]"),
    "1 and 1.15 times": ("tta=flip", "tta.flip=false", "tta.scales=[1.0,1.15]"),
    "1.15 times, mirrored too": ("tta=flip", "tta.scales=[1.15]"),
    "1 and 1.15 times, mirrored too": ("tta=flip", "tta.scales=[1.0,1.15]"),
}
"""Ways to answer the validation part of a finished run."""


@dataclass(frozen=True)
class Judged:
    """The validation part of a finished run in all of these views."""

    run: str

    @property
    def name(self) -> str:
        return f"{self.run}-views"

    @property
    def target(self) -> Path:
        return OUTPUTS / f"{self.name}.json"

    @property
    def needs(self) -> str:
        return self.run

    @property
    def is_done(self) -> bool:
        return self.target.is_file()

    @property
    def command(self) -> list[str]:
        return [sys.executable, "-m", "experiments.loaded.views", str(OUTPUTS / self.run), str(self.target)]

    @property
    def f1_macro(self) -> dict[str, float]:
        return dict(read_json(self.target))


def main() -> None:
    run, target = sys.argv[1:]
    found = {
        name: evaluate(compose("evaluate", [f"run={run}", "split=val", *words]))["val"]["f1_macro"]
        for name, words in VIEWS.items()
    }
    write_json(Path(target), found)


if __name__ == "__main__":
    main()
