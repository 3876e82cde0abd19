"""Study of faults: `python -m experiments.faults.study [kills=100] [output=FILE]`.

2 cores, some 15 minutes. Expect every run to go on and to end as the straight one, and no stray file.
"""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import torch

from animeid.runs.folder import RunFolder
from animeid.system.files import read_yaml, write_yaml
from experiments.faults import sabotage
from experiments.faults.bench import TOLD, TRAIN, Bench, Row, told
from experiments.faults.child import run
from experiments.faults.compare import differences
from experiments.faults.kills import Kills, half_files, kill_often
from experiments.faults.sabotage import at_call
from experiments.runs import table

HERE = Path(__file__).parent
ELSEWHERE = Path("/dev/shm")
"""A file system that is not that of the runs."""
LONG = "trainer.max_epochs=30"
"""Long enough for most moments of a run to be training."""
STEP = 13
"""The training step at which things go wrong: the third of the third epoch."""
SMALL_DISK_MIB = 24


def signals(bench: Bench) -> None:
    for method, where in (("training_step", "training"), ("validation_step", "validation")):
        number = STEP if where == "training" else 4
        fault = at_call(method, number, sabotage.terminate)
        bench.cut(f"SIGTERM in {where}", f"{where} step {number}", 143, fault, says="stopped by a signal")
    sweep(bench)


def sweep(bench: Bench) -> None:
    """SIGTERM in the second of three jobs."""
    names = ("sweep-straight", "sweep-cut")
    straight, cut = (
        [*TRAIN[:1], "-m", *TRAIN[1:], "trainer.max_epochs=2", "seed=1,2,3", f"run_id={name}"] for name in names
    )
    assert run(straight, bench.home)[0] == 0
    status, output = run(cut, bench.home, before=at_call("training_step", STEP, sabotage.terminate))
    again, _ = run([*cut, "resume=auto"], bench.home)
    equal = again == 0 and not any(differences(*(bench.folder(f"{name}/{job}") for name in names)) for job in range(3))
    how = "in the second of three jobs"
    bench.add(Row("SIGTERM in a sweep", how, told(output), status, again == 0, equal, status == 143 and equal))


def damaged_checkpoints(bench: Bench) -> None:
    stop = at_call("training_step", STEP, sabotage.terminate)
    for how, harm in (("cut to two thirds", sabotage.truncate), ("one bit flipped", sabotage.flip_a_bit)):
        says = "last.ckpt is damaged"
        bench.damage("damaged last.ckpt", how, stop, lambda folder, harm=harm: harm(folder.last), says=says)
    ruined = bench.home / "outputs" / "ruined"
    shutil.copytree(bench.folder("straight").path, ruined)
    sabotage.flip_a_bit(RunFolder(ruined).best)
    says = "cut off or damaged"
    bench.refused("damaged best.ckpt", "one bit flipped, evaluate", ["evaluate", "run=outputs/ruined"], says=says)
    from_run = [*TRAIN, "from_run=outputs/ruined", "run_id=next"]
    bench.refused("damaged best.ckpt", "one bit flipped, from_run", from_run, says=says)


def machine(bench: Bench) -> None:
    """Loss, memory and loaders."""
    bench.cut("NaN loss", f"step {STEP}", 2, sabotage.nan_at(STEP), says="infinite or nan")
    too_much = at_call("training_step", STEP, sabotage.ask_for_too_much)
    bench.cut("a batch that does not fit", f"an allocation fails, step {STEP}", 2, too_much, says="does not fit")
    dead = at_call("training_step", STEP, sabotage.kill_a_worker)
    says = "loads pictures was killed"
    bench.cut("dead loader worker", "SIGKILL, one of two", 1, dead, "data.num_workers=2", says=says)
    vanished_pictures(bench)


def vanished_pictures(bench: Bench) -> None:
    """With pixels read from the files, and with those that the cache keeps."""
    pictures, away = bench.home / "pictures" / "other", bench.home / "away"
    gone = at_call("training_step", STEP, lambda: pictures.rename(away) and None)
    for cache, status, says in (("off", 2, "cannot be read now"), ("auto", 0, "")):
        how = f"a class's folder moved, step {STEP}, data.cache={cache}"
        bench.cut(
            "pictures vanish",
            how,
            status,
            gone,
            f"data.cache={cache}",
            repair=lambda: away.rename(pictures) and None,
            says=says,
        )


def full_disk(bench: Bench) -> None:
    """A run on a small file system of its own, in a folder with the same pictures."""
    home = bench.home / "small"
    (home / "outputs").mkdir(parents=True)
    (home / "pictures").symlink_to(bench.home / "pictures")
    if not sabotage.mount_small(home / "outputs", SMALL_DISK_MIB):
        bench.add(Row("disk full", "not tried: this machine lets us mount nothing", "", 0))
        return
    try:
        command = [*TRAIN, "run_id=cut", "resume=auto"]
        fill = at_call("training_step", STEP, lambda: sabotage.fill_disk(home / "outputs"))
        status, output = run(command, home, before=fill)
        (home / "outputs" / "filler").unlink()
        again, _ = run(command, home)
        folder = RunFolder(home / "outputs" / "cut")
        equal = again == 0 and not differences(bench.folder("straight"), folder)
        expected = status == 1 and equal and "disk is full" in told(output) and not half_files(folder.path)
        bench.add(Row("disk full", f"at step {STEP}", told(output), status, again == 0, equal, expected))
    finally:
        sabotage.unmount(home / "outputs")


def no_server(bench: Bench) -> None:
    nowhere = {"WANDB_API_KEY": "0" * 40, "WANDB_BASE_URL": "http://127.0.0.1:9"}
    for mode, expected in (("auto", 0), ("online", 2)):
        os.environ.update(nowhere)
        name = f"server-{mode}"
        status, output = run([*TRAIN, "logger=wandb", f"logger.mode={mode}", f"run_id={name}"], bench.home)
        for key in nowhere:
            del os.environ[key]
        equal = not differences(bench.folder("straight"), bench.folder(name)) if status == 0 else None
        sentence = next((line for line in TOLD.findall(output) if "does not answer" in line), told(output))
        as_expected = status == expected and equal is not False and "does not answer" in sentence
        bench.add(Row("no W&B server", f"logger.mode={mode}", sentence, status, None, equal, as_expected))


def hostile_files(bench: Bench) -> None:
    trace, file = bench.home / "executed", bench.home / "weights.ckpt"
    sabotage.plant_pickle(file, trace)
    assert sabotage.executes(file, trace), "the planted file would prove nothing"
    says = "holds Python objects"
    bench.refused("pickle with code", "as model.weights", [*TRAIN, "model.weights=weights.ckpt"], says=says)
    planted = bench.home / "outputs" / "planted"
    shutil.copytree(bench.folder("straight").path, planted)
    shutil.copy(file, RunFolder(planted).best)
    predict = ["predict", "run=outputs/planted", "input=pictures"]
    bench.refused("pickle with code", "as best.ckpt, predict", predict, says=says)
    RunFolder(planted).metrics.unlink()
    shutil.copy(file, RunFolder(planted).last)
    command = [*TRAIN, "run_id=planted", "resume=auto"]
    bench.refused("pickle with code", "as last.ckpt, resume=auto", command, says=says)
    hostile_configs(bench, trace)
    if trace.exists():
        bench.add(Row("pickle or config with code", "all of the above", "CODE WAS EXECUTED", 0, is_as_expected=False))


def hostile_configs(bench: Bench, trace: Path) -> None:
    touch = {"_target_": "os.system", "command": f"touch {trace}"}
    write = {"_target_": "animeid.system.files.write_json", "path": str(trace), "value": 1}
    load = {"_target_": "timm.models.load_state_dict", "checkpoint_path": "weights.ckpt", "weights_only": False}
    places = {
        "os.system as the head": lambda plan: plan.update(head=touch),
        "os.system among the augmentations": lambda plan: plan["augment"]["ops"].update(flip=touch),
        "builtins.eval in the loss": lambda plan: plan["loss"].update(weight={"_target_": "builtins.eval"}),
        "a function of animeid that writes": lambda plan: plan.update(head=write),
        "a function of timm that loads pickles": lambda plan: plan.update(optimizer=load),
    }
    for number, (how, change) in enumerate(places.items()):
        folder = RunFolder(bench.home / "outputs" / f"hostile-{number}")
        shutil.copytree(bench.folder("straight").path, folder.path)
        plan = read_yaml(folder.config)
        change(plan)
        write_yaml(folder.config, plan)
        command = ["predict", f"run=outputs/hostile-{number}", "input=pictures"]
        bench.refused("config with code", f"{how}, predict", command, says="a card can name only")


def kills(bench: Bench, number: int, report: Callable[[Kills], None]) -> Kills:
    (bench.home / "tmp").mkdir()
    elsewhere = Path(tempfile.mkdtemp(dir=ELSEWHERE if ELSEWHERE.is_dir() else None))
    try:
        tmpdirs = [elsewhere, bench.home / "tmp"]
        seconds = bench.straight("straight-long", LONG)
        straight = bench.folder("straight-long")
        return kill_often([*TRAIN, LONG], bench.home, straight, number, seconds, tmpdirs, report)
    finally:
        shutil.rmtree(elsewhere)


def page(bench: Bench, found: Kills) -> str:
    yes = {True: "yes", False: "**no**", None: "–"}
    rows = [
        [row.fault, row.how, row.sentence, str(row.status), yes[row.resumed], yes[row.equal], yes[row.is_as_expected]]
        for row in bench.rows
    ]
    header = ["fault", "how it is made", "what is said", "exit status", "goes on", "equal", "as expected"]
    places = ", ".join(f"{count} {place}" for place, count in found.places.most_common())
    return f"""# Faults

`python -m experiments.faults.study kills={found.number}` writes this page. Each command is the real one, in a process
of its own; a run of {TRAIN[-2].split("=")[1]} epochs of a tiny network on 30 pictures is disturbed, goes on by the same
command with `resume=auto`, and is compared with the run that nothing disturbed: "equal" is bit for bit in the weights
of `last.ckpt` and `best.ckpt`, in `logits.npy`, `history.csv` and `metrics.json` (times apart).

## kill -9

{found.number} kills at random moments of a run of {LONG.split("=")[1]} epochs, half of them in the middle of a write:
{places}.
{found.torn} half files were left by them. {found.runs} runs came to their end, their temporary folders in turns on
another file system and on the same one.

| what | count |
| --- | --- |
| commands that did not go on | {len(found.refused)} |
| differences from the straight run | {len(found.unequal)} |
| stray files at the end of a run, in its folder or the temporary one | {", ".join(sorted(found.strays)) or 0} |

## Everything else

{table(header, rows)}
"""


def shortened(text: str, home: Path) -> str:
    """Without the name of the folder in which this was tried."""
    return text.replace(f"{home.resolve()}/", "").replace(f"{home}/", "")


def main() -> None:
    # Runs are compared here, between forks: threads of torch would not survive in these, which would wait for them.
    torch.set_num_threads(1)
    given = dict(argument.split("=", 1) for argument in sys.argv[1:])
    output = Path(given.get("output", HERE / "README.md"))
    with tempfile.TemporaryDirectory() as name:
        bench = Bench(Path(name))
        bench.prepare()
        for part in (signals, damaged_checkpoints, machine, full_disk, no_server, hostile_files):
            part(bench)

        def report(found: Kills) -> None:
            output.write_text(shortened(page(bench, found), bench.home), encoding="utf-8")

        found = kills(bench, int(given.get("kills", "100")), report)
        report(found)
    ok = not (found.refused or found.unequal or found.strays) and all(row.is_as_expected for row in bench.rows)
    sys.exit(0 if ok else 1)


if __name__ == "__main__":
    main()
