"""What each size of effort takes and reaches: `python -m experiments.effort.study`.

`effort=quick`, `standard` and `best` of one network on the same pictures, several seeds each, in processes of their own
with caches of their own, so that no run profits from another: seconds are those of the whole command. Seeds move
training only; `quick` has none to move, and is run once. Figures are of test parts, by which nothing was chosen.

`emoji_cast=FOLDER` says where that is, `pictures=FOLDER` adds folders `train/ val/ test/` of one's own, and
`only="built-in cast"` is one set, `common="KEY=VALUE ..."` goes to every run, `epochs=N` to those that have epochs, and
`seeds=N,N` says how many of `standard` and `best` are trained (0 leaves `best` out; `seeds=N,N/N,N` differs by set, in
the order of the page). The table goes into docs/train.md as well, and what was reached on the last set into the cards.
2 cores, some hours; the same command goes on after a kill. A run that is there counts as it is: where a card has
changed since, remove its folder.
"""

from __future__ import annotations

import shlex
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import astuple, dataclass
from pathlib import Path

import numpy as np
from scipy.stats import t as student

from animeid.config.locate import conf_dir
from animeid.data.synthetic.build import build_cast
from animeid.data.synthetic.settings import CastSettings
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import RunFolder
from animeid.system.files import read_json, write_json
from experiments.long_tail.sets import grouped_manifest
from experiments.runs import OUTPUTS, environment_line, put_expected, table, write_between

HERE = Path(__file__).parent
STUDY = "effort"
EFFORTS: Mapping[str, tuple[str, ...]] = {
    "quick": ("effort=quick",),
    "standard": (),
    "best": ("effort=best",),
}
NETWORK = ("model=efficientnet_lite0", "model.pretrained=true", "logger=none", "embeddings=off")
HEADER = (
    *("pictures", "effort", "seeds", "f1_macro", "% of standard"),
    *("seconds", "times standard's", "training, s", "times standard's"),
)
BUILT_IN, CAST = "built-in cast", {"seed": 5003, "imbalance": 100, "test_per_class": 50}
SHARE, TIME = 0.85, 0.1
"""What `quick` is to reach of `standard`'s f1_macro, in what part of its time."""


@dataclass(frozen=True)
class Outcome:
    """Of one command: f1_macro of its test part, seconds from beginning to end, and those of training alone."""

    f1_macro: float
    seconds: float
    train_s: float


def sets(options: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """The overrides of each set of pictures."""
    emoji = grouped_manifest(Path(options.get("emoji_cast", "../shared/emoji_cast")), OUTPUTS / f"{STUDY}-groups")
    found = {
        BUILT_IN: tuple(f"data.cast.{key}={value}" for key, value in CAST.items()),
        "emoji_cast": (f"data.root={emoji}", "data.long_tail=8"),
    }
    if "pictures" in options:
        found[Path(options["pictures"]).name] = (f"data.root={options['pictures']}",)
    return {of: found[of] for of in found if options.get("only", of) == of}


def measure(name: str, overrides: Sequence[str]) -> Outcome:
    """Runs the command unless it was done before; one that was cut off begins again."""
    folder = OUTPUTS / f"{STUDY}-{name}"
    stamp = folder / "seconds.json"
    if not (stamp.is_file() and read_json(stamp)["overrides"] == list(overrides)):
        cache = OUTPUTS / f"{STUDY}-cache"
        for path in (folder, cache):
            shutil.rmtree(path, ignore_errors=True)
        command = [sys.executable, "-m", "animeid.train", f"run_id={folder.name}", f"data.cache={cache}", *overrides]
        print(f"{name}: {' '.join(overrides)}", flush=True)
        began = time.perf_counter()
        subprocess.run(command, check=True)
        write_json(stamp, {"overrides": list(overrides), "seconds": time.perf_counter() - began})
    return outcome(run_of(name), read_json(stamp)["seconds"])


def run_of(name: str) -> FinishedRun:
    """The run to be used of a finished command."""
    folder = OUTPUTS / f"{STUDY}-{name}"
    return FinishedRun(RunFolder(folder / "best" if (folder / "best").is_dir() else folder))


def outcome(run: FinishedRun, seconds: float) -> Outcome:
    """That of a finished run; trained is by all runs that it is made of, a refit's twin included."""
    return Outcome(run.metrics["test"]["f1_macro"], seconds, run.training_s or 0.0)


def interval(values: Sequence[float]) -> str:
    """`61.3 (58.0 to 64.6)`: the mean in percent with Student's 95 % interval over seeds; equal values stand alone."""
    mean = statistics.fmean(values)
    if len(set(values)) < 2:
        return f"{100 * mean:.1f}"
    low, high = student.interval(0.95, len(values) - 1, mean, np.std(values, ddof=1) / np.sqrt(len(values)))
    return f"{100 * mean:.1f} ({100 * low:.1f} to {100 * high:.1f})"


def mean(outcomes: Sequence[Outcome]) -> Outcome:
    return Outcome(*(statistics.fmean(values) for values in zip(*map(astuple, outcomes), strict=True)))


def rows_of(of: str, found: Mapping[str, Sequence[Outcome]]) -> list[list[str]]:
    """A row of the page for each effort on one set."""
    base, rows = mean(found["standard"]), []
    for effort, outcomes in found.items():
        if not outcomes:
            continue
        own, figures = mean(outcomes), interval([one.f1_macro for one in outcomes])
        share = f"{100 * own.f1_macro / base.f1_macro:.0f}"
        seconds = [f"{own.seconds:.0f}", f"{own.seconds / base.seconds:.2f}"]
        trained = [f"{own.train_s:.0f}", f"{own.train_s / base.train_s:.2f}"]
        rows.append([of, effort, str(len(outcomes)), figures, share, *seconds, *trained])
    return rows


def expected(rows: Sequence[Sequence[str]]) -> dict[str, str]:
    """What each effort's card says of the rows; a later set takes the place of an earlier one."""
    found = {}
    for of, effort, runs, figures, share, seconds, times, *_ in rows:
        compared = "" if effort == "standard" else f", {share} % of that of effort=standard in {times} times its time"
        found[effort] = f"on {of} test f1_macro {figures} % in {seconds} s{compared} (runs: {runs})."
    return found


def seeds_of(said: str, place: int) -> dict[str, range]:
    """Of each effort, by `2,1`: how many of `standard` and of `best`; by `2,0/2,1` those of the set in this place."""
    counts = said.split("/")
    standard, best = (int(word) for word in counts[min(place, len(counts) - 1)].split(","))
    return {effort: range(1, number + 1) for effort, number in zip(EFFORTS, (1, standard, best), strict=True)}


def main() -> None:
    options = dict(argument.split("=", 1) for argument in sys.argv[1:])
    common = tuple(word for word in options.get("common", "").split() if word)
    epochs = (f"trainer.max_epochs={options['epochs']}",) if "epochs" in options else ()
    rows, made, reached = [], list[Path](), {}
    for place, (of, overrides) in enumerate(sets(options).items()):
        seeds = seeds_of(options.get("seeds", "3,3"), place)
        if of == BUILT_IN:
            build_cast(CastSettings(**CAST))  # drawn before seconds are counted: the first run is not to pay for all
        found: dict[str, list[Outcome]] = {}
        for effort, own in EFFORTS.items():
            words = (*own, *NETWORK, *overrides, *common, *(() if effort == "quick" else epochs))
            names = [f"{of.replace(' ', '_')}-{effort}-{seed}" for seed in seeds[effort]]
            found[effort] = [
                measure(name, (*words, f"seed={seed}")) for name, seed in zip(names, seeds[effort], strict=True)
            ]
            made += [run_of(name).folder.path for name in names]
        rows += rows_of(of, found)
        reached[of] = (mean(found["quick"]), mean(found["standard"]))
        write(rows, goals(reached), made)
    for effort, said in expected(rows).items():
        put_expected(conf_dir() / "effort" / f"{effort}.yaml", said)


def goals(reached: Mapping[str, tuple[Outcome, Outcome]]) -> str:
    """What `quick` was to reach, and did on each set, beside `standard`."""
    said = []
    for of, (quick, standard) in reached.items():
        share, times = quick.f1_macro / standard.f1_macro, quick.seconds / standard.seconds
        said.append(f"{of} {100 * share:.0f} % ({verdict(share >= SHARE)}) in {times:.2f} ({verdict(times <= TIME)})")
    return (
        f"`effort=quick` is to reach {100 * SHARE:.0f} % of the f1_macro of `standard` in {TIME:g} of its seconds:\n"
        f"{'; '.join(said)}."
    )


def verdict(is_met: bool) -> str:
    return "met" if is_met else "missed"


def write(rows: Sequence[Sequence[str]], said: str, made: Sequence[Path]) -> None:
    """Writes the page of what is there by now, and its table into the guide.

    Args:
        said: of the goals.
        made: the folders of all runs.
    """
    found = table(HEADER, rows)
    write_between(HERE.parents[1] / "docs" / "train.md", "effort", found)
    given = " ".join(shlex.quote(word) for word in sys.argv[1:] if not word.startswith(("emoji_cast=", "pictures=")))
    command = f"python -m experiments.effort.study {given}".strip()
    page = f"""# What each size of effort takes and reaches

`{command}` wrote this page. EfficientNet-Lite0 from
published weights; f1_macro in percent of the test part, with Student's 95 % interval over seeds; seconds are of the
whole command with empty caches (but the built-in cast is drawn before), and of training, or fitting, alone.
`effort=quick` has no seed.

{found}

{said}

{environment_line(*made)}
"""
    (HERE / "README.md").write_text(page, encoding="utf-8")
    print(page)


if __name__ == "__main__":
    main()
