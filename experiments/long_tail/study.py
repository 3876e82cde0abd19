"""The ladder: `python -m experiments.long_tail.study [emoji_cast=FOLDER] [sets=SETS] [only=page] [smoke=yes]`.

Every technique on long-tailed sets with the same network, picture size, epochs and seeds, and a page with tables
and charts from the saved predictions. At most 6 hours on 2 cores; the same command goes on after a kill. `only=page`
writes the page from what is finished; `sets=fresh` does its chief rows on sets that were drawn after it, in some
forty minutes; `sets=loaded` ranks techniques from published weights in as many, and writes `docs/techniques.md` and the
`Expected` lines of cards; `smoke=yes` runs a ladder of minutes, whose page is written to outputs.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from pathlib import Path

from animeid.errors import InputError
from experiments.long_tail.page import section, techniques_table, write_expected
from experiments.long_tail.rows import SMOKE, Job, rows_on
from experiments.long_tail.sets import FRESH, LOADED, LOADED_ROWS, Set, sets
from experiments.pool import do
from experiments.runs import OUTPUTS, write_between

HERE = Path(__file__).parent
CARDS = HERE.parents[1] / "conf" / "experiment"
READINGS = {"README.md": "reading.md", "fresh.md": "fresh_reading.md", "loaded.md": "loaded_reading.md"}
"""What was learnt from the figures of a page, written by hand; the figures are not."""
TIMM = """`timm's loop` is what its train.py does with AdamW at 1e-3, a cosine and its
defaults, on the same parts, in float32 as by default there; the other rows compute in bf16 where the processor has
it."""
TITLES = {FRESH: ", on fresh sets", LOADED: ", from published weights"}


def jobs(ladder: list[Set], names: tuple[str, ...] | None) -> list[Job]:
    """All of a seed before the next one, so that an interrupted ladder can be read."""
    seeds = max(len(set_.seeds) for set_ in ladder)
    return [
        Job(row, set_, set_.seeds[place])
        for place in range(seeds)
        for set_ in ladder
        for row in rows_on(set_)
        if place < len(set_.seeds) and (names is None or row.name in names)
    ]


def page(ladder: list[Set], path: Path, options: Mapping[str, str]) -> str:
    text = "\n\n".join(section(set_, path.parent) for set_ in ladder)
    read = HERE / READINGS[path.name]
    reading = f"\n\n{read.read_text(encoding='utf-8').strip()}" if path.parent == HERE else ""
    words = "".join(f" {name}={options[name]}" for name in ("sets", "smoke") if name in options)
    return f"""# The long-tail ladder{TITLES.get(options.get("sets", ""), "")}

`python -m experiments.long_tail.study{words}` trains every row and writes this page from the saved predictions. All
rows of a set have {networks(ladder[0])}, 64 px, the same epochs and the same seeds; the best epoch is chosen on
the validation part, and the test part is answered once, at the end of each run. Batches are of 32 pictures;
versions choose theirs. Percent, as the mean over seeds ± half its 95 % interval (Student's t; with few seeds it is
wide). Classes are many-, medium- or few-shot by the training part of cross entropy, whatever a row trains on;
ensembles of folds train on the validation part too, as folds do. Gains over cross entropy are the mean over seeds:
McNemar's test with the test part's groups for pictures, 95 % score intervals, p corrected for the number of rows by
Holm's procedure. Training time is the median over seeds, of one core while the other one does another row, now and then
beside other work: read differences below a tenth as none. For ensembles and second stages it is the sum of all runs
that they need. A picture's milliseconds are the median over seeds of an answer to it alone, by all runs of an
ensemble and in all views of TTA. {"" if ladder[0].setting else TIMM}{reading}

{text}
"""


def networks(set_: Set) -> str:
    """The network of all rows, in words."""
    if not set_.setting:
        return (
            "timm's network `test_resnet` (0.4 million parameters, as many as ResNet-32, on which the papers compare\n"
            "long tails of CIFAR) and random weights"
        )
    return (
        "EfficientNet-Lite0 and its ImageNet weights (to rows that change one thing goes\n"
        f"`{' '.join(set_.setting)}`; versions choose for themselves)"
    )


def run(options: Mapping[str, str]) -> Path:
    """Does what is left and writes the page; returns it."""
    ladder, is_smoke = sets(options), "smoke" in options
    folder = OUTPUTS / "long_tail-smoke" if is_smoke else HERE
    if options.get("only") != "page":
        do(jobs(ladder, SMOKE if is_smoke else None), OUTPUTS / "long_tail-logs")
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / f"{options.get('sets', 'README')}.md"
    path.write_text(page(ladder, path, options), encoding="utf-8")
    if is_smoke:
        return path
    if path == HERE / "README.md":
        write_expected(ladder[0], CARDS, [row for row in rows_on(ladder[0]) if row.name not in LOADED_ROWS])
    if options.get("sets") == LOADED:
        write_expected(ladder[0], CARDS, rows_on(ladder[0]))
        write_between(HERE.parents[1] / "docs" / "techniques.md", "techniques", techniques_table(ladder[0], CARDS))
    return path


def main() -> None:
    try:
        print(run(dict(argument.split("=", 1) for argument in sys.argv[1:])))
    except InputError as error:
        print(error, file=sys.stderr)
        sys.exit(2)


if __name__ == "__main__":
    main()
