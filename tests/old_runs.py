"""Run folders of an earlier version, and the commands that made them.

    python tests/old_runs.py tests/fixtures/runs_2026_11

drew the pictures and trained the runs, with the code of the commit that their `environment.json` names. A folder that
is there is never made anew: it stands for the runs that users have. A later version gets one of its own beside it.

    python -m tests.old_runs record

writes anew what its trainings and answers are held to (`expected.json`, `weights.csv`), where arithmetic is changed on
purpose.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import signal
import sys
import tempfile
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq
import torch

RUNS = Path(__file__).resolve().parent / "fixtures" / "runs_2026_11"

QUICK = (
    "recipe=none",
    "data=folder",
    "data.root=pictures/manifest.csv",
    "data.image_size=32",
    "data.batch_size=8",
    "data.num_workers=0",
    "data.cache=off",
    "model.name=test_efficientnet",
    "model.pretrained=false",
    "trainer=cpu",
    "trainer.max_epochs=6",
    "optimizer=sgd",
    "optimizer.lr=0.1",
    "logger=none",
)
# Each has one copy of its weights beside them in a checkpoint, an average or momentum: more would be many bytes.
MIXED = (
    *QUICK,
    *("sampler=dynamic", "mixing=mixup_cutmix", "loss.label_smoothing=0.1", "deep_supervision=taps"),
    *("averaging=ema", "averaging.decay=0.9", "optimizer.momentum=0", "optimizer.nesterov=false"),
)
# What learns from its own training keeps losses, recall and confidence in its checkpoints.
LEARNING = (
    *QUICK,
    *("sampler=difficulty", "augment=adaptive", "augment.tolerated=0", "loss=online_class_balance"),
    *("resizing=progressive", "freezing=last"),
)

COMMANDS = {
    "finished": (*MIXED, "seed=1"),
    "partner": (*MIXED, "seed=2", "from_run=outputs/finished", "optimizer.lr=0.01"),
    "learning": (*LEARNING, "seed=1"),
}
"""The training runs by name."""

CUT = {"cut": "finished", "cut_learning": "learning"}
"""Runs that were stopped in the middle of an epoch, and the straight run of the same command."""
CUT_AFTER = 14  # steps, of which an epoch has four

SOUP = ("stage=soup", "from_run=outputs/finished", "stage.runs=outputs/partner", "trainer=cpu", "logger=none")
ADJUSTED = ("run=outputs/finished", "logit_adjustment=1", "trainer.accelerator=cpu")
ENSEMBLE = ("runs=outputs/finished:outputs/partner",)

WRITTEN_ANEW = ("report.html", "figures", "cams.npz", "evaluations", "checkpoints/previous.ckpt")
KEPT = {
    "finished": (*WRITTEN_ANEW, "checkpoints/last.ckpt"),
    "partner": (*WRITTEN_ANEW, "checkpoints/last.ckpt"),
    "cut": WRITTEN_ANEW,
    "cut_learning": (*WRITTEN_ANEW, "checkpoints/best.ckpt"),  # a better epoch is to come
}
"""The runs that stay, and what of each is not needed to read it."""


def weights_of(checkpoint: Path) -> dict[str, torch.Tensor]:
    """The weights that a checkpoint judges by, and those in training where they are others."""
    found = torch.load(checkpoint, weights_only=True, map_location="cpu")
    in_training = {f"in training {name}": value for name, value in found.get("weights_in_training", {}).items()}
    return found["state_dict"] | in_training


def fingerprint(checkpoint: Path) -> pd.DataFrame:
    """A row a tensor: `name`, `sha256` of its bytes, and its `norm`, for processors that round otherwise."""
    rows = [
        (name, hashlib.sha256(tensor.contiguous().numpy().tobytes()).hexdigest(), float(tensor.double().norm()))
        for name, tensor in sorted(weights_of(checkpoint).items())
    ]
    return pd.DataFrame(rows, columns=["name", "sha256", "norm"])


def figures(run: Path) -> dict[str, Any]:
    """What was judged: `val` and `test` of `metrics.json`, those that are there."""
    metrics = json.loads((run / "metrics.json").read_text(encoding="utf-8"))
    return {part: metrics[part] for part in ("val", "test") if metrics.get(part)}


def history(run: Path) -> list[str]:
    """The lines of `history.csv` without the columns of time, and those that later versions wrote after them."""
    lines = (run / "history.csv").read_text(encoding="utf-8").splitlines()
    return [",".join(line.split(",")[:7]) for line in lines]


def rounding() -> dict[str, str]:
    """What the last bits of a training run depend on besides its command."""
    return {"torch": torch.__version__, "instructions": torch.backends.cpu.get_cpu_capability(), "processor": _model()}


def _model() -> str:
    """Kernels are chosen, and sums parted, by the model of the processor as well."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").split("\n\n")[0].splitlines()
    except OSError:
        return "unknown"
    known = dict(line.split(":", 1) for line in lines if ":" in line)
    named = {name.strip(): value.strip() for name, value in known.items()}
    return ", ".join(named.get(name, "?") for name in ("model name", "cpu family", "model"))


def set_root(run: Path, root: Path) -> None:
    """Has a run's pictures lie in `root`: a manifest names its folder by the whole path."""
    path = run / "manifest.parquet"
    table = pq.read_table(path)
    facts = json.loads(table.schema.metadata[b"animeid"])
    metadata = {**table.schema.metadata, b"animeid": json.dumps({**facts, "root": str(root)}).encode()}
    pq.write_table(table.replace_schema_metadata(metadata), path)


def main(folder: Path) -> None:
    """Makes `pictures`, `outputs`, and what came out of them: `expected.json` and `weights.csv`."""
    target = folder.absolute()
    target.mkdir(parents=True)
    # Checkpoints name the folder that they were written in: it is nobody's.
    with tempfile.TemporaryDirectory() as home:
        os.chdir(home)
        make()
        shutil.copytree(home, target, dirs_exist_ok=True)
        os.chdir(target)


def make() -> None:
    torch.set_num_threads(1)
    draw(Path("pictures"))
    for name, command in COMMANDS.items():
        train(name, command)
    for name, straight in CUT.items():
        train(name, COMMANDS[straight], stop_after=CUT_AFTER)
    write_expected({name: Path("outputs") / name for name in COMMANDS} | answer(), Path())
    prune(Path("outputs"))


def write_expected(judged: dict[str, Path], folder: Path) -> None:
    """Writes `expected.json` and `weights.csv`: what the runs and evaluations of these names came to."""
    expected = {
        "rounding": rounding(),
        "figures": {name: figures(run) for name, run in judged.items()},
        "history": {name: history(judged[name]) for name in COMMANDS},
    }
    text = json.dumps(expected, ensure_ascii=False, indent=1) + "\n"
    (folder / "expected.json").write_text(text, encoding="utf-8")
    weights = {name: fingerprint(judged[name] / "checkpoints" / "last.ckpt") for name in COMMANDS}
    pd.concat(weights, names=["run"]).droplevel(1).to_csv(folder / "weights.csv")


def record_again() -> None:
    """Writes anew what trainings and answers of this code are held to, after its arithmetic was changed on purpose.

    The run folders stay as they were made.
    """
    with tempfile.TemporaryDirectory() as home:
        shutil.copytree(RUNS, home, dirs_exist_ok=True)
        os.chdir(home)
        for run in Path("outputs").iterdir():
            set_root(run, Path("pictures").absolute())
            (run / "figures").mkdir(exist_ok=True)
        torch.set_num_threads(1)
        evaluated = {f"evaluated {name}": evaluate_again(name) for name in ("finished", "partner")}
        answered = answer()
        for name, command in COMMANDS.items():
            train(f"{name}_again", command)
        runs = {name: Path("outputs") / f"{name}_again" for name in COMMANDS}
        write_expected({**runs, **answered, **evaluated}, RUNS)


def evaluate_again(name: str) -> Path:
    """Has an old run answer its test part, and moves what came out to where nothing else is written."""
    from animeid import evaluate

    assert evaluate.main([f"run=outputs/{name}", "trainer.accelerator=cpu"]) == 0
    return (Path("outputs") / name / "evaluations" / "test").rename(Path("outputs") / f"evaluated-{name}")


def draw(folder: Path) -> None:
    """Six characters of the built-in cast: 8 to 3 pictures each for training, 3 to 1 for validation, 3 for testing."""
    from animeid.data.synthetic.build import build_cast
    from animeid.data.synthetic.settings import CastSettings

    settings = CastSettings(characters=6, size=48, imbalance=3, train_largest=8, val_largest=3, test_per_class=3)
    shutil.move(build_cast(settings, folder.parent / "cast"), folder)
    shutil.rmtree(folder.parent / "cast")


def train(name: str, command: tuple[str, ...], stop_after: int | None = None) -> None:
    """Trains `outputs/<name>`, as the command line does; stops it by a signal after so many steps."""
    from torch.optim.optimizer import register_optimizer_step_post_hook

    from animeid import train

    steps = 0

    def stop(*_: Any) -> None:
        nonlocal steps
        steps += 1
        if steps == stop_after:
            signal.raise_signal(signal.SIGTERM)

    hook = register_optimizer_step_post_hook(stop)
    arguments = [*command, f"run_id={name}", "keep=all"]
    sys.orig_argv = ["python", "-m", "animeid.train", *arguments]
    status = train.main(arguments)
    hook.remove()
    assert status == (0 if stop_after is None else 128 + signal.SIGTERM), (name, status)


def answer() -> dict[str, Path]:
    """Lets the finished runs answer again and together; the folders of what came out."""
    from animeid import ensemble, evaluate

    assert evaluate.main([*ADJUSTED]) == 0
    train("soup", SOUP)
    assert ensemble.main([*ENSEMBLE, "run_id=ensemble"]) == 0
    return {
        "adjusted": Path("outputs/finished/evaluations/test"),
        "soup": Path("outputs/soup"),
        "ensemble": Path("outputs/ensemble"),
    }


def prune(outputs: Path) -> None:
    """Leaves what is needed, and nothing that tells where it was made."""
    for run in list(outputs.iterdir()):
        if run.name not in KEPT:
            shutil.rmtree(run)
            continue
        set_root(run, Path("pictures"))
        forget_machine(run / "environment.json")
        for pattern in KEPT[run.name]:
            for path in list(run.glob(pattern)):
                shutil.rmtree(path) if path.is_dir() else path.unlink()


def forget_machine(environment: Path) -> None:
    facts = json.loads(environment.read_text(encoding="utf-8"))
    facts["hardware"]["machine"] = "Linux-x86_64"
    environment.write_text(json.dumps(facts, ensure_ascii=False, indent=2) + "\n", encoding="utf-8")


if __name__ == "__main__":
    if sys.argv[1:] == ["record"]:
        record_again()
    else:
        main(Path(sys.argv[1]))
