"""Shared runs and tables of studies: each run by name and done once."""

from __future__ import annotations

import json
import re
import shlex
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from animeid.reporting.wording import with_interval
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import RunFolder
from animeid.system.environment import code
from animeid.system.files import read_json, write_json
from animeid.train import main

OUTPUTS = Path("outputs")
EXPECTED = re.compile(r"^# Expected:.*\n", re.MULTILINE)


def train(study: str, name: str, overrides: Sequence[str]) -> Path:
    """Trains `outputs/<study>-<name>` unless it is finished, and returns its folder.

    Nothing is left to a recipe, so that a study stays what it was.

    A run that was cut off is done again from the start; the study as a whole goes on where it stopped. A finished run
    is taken again only when it was made by the same overrides.
    """
    folder = OUTPUTS / f"{study}-{name}"
    stamp = folder / "overrides.json"
    if (folder / "metrics.json").is_file() and read_json(stamp) == list(overrides):
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    print(f"{study}: {name}: {' '.join(overrides)}", flush=True)
    status = main([f"run_id={folder.name}", "recipe=none", *overrides])
    if status:
        sys.exit(status)
    stamp.write_text(json.dumps(list(overrides), ensure_ascii=False), encoding="utf-8")
    return folder


def write_origin(folder: Path) -> None:
    """Writes the command that is running and the commit of its code to `environment.json`, as a training run does."""
    write_json(folder / "environment.json", {"command": shlex.join(sys.orig_argv), "code": code()})


def metrics(folder: Path) -> dict[str, Any]:
    return FinishedRun(RunFolder(folder)).metrics


def percent(figures: Mapping[str, Any] | None, name: str) -> str:
    """`61.3 (58.0 to 64.2)`, in percent with its 95 % interval where there is one."""
    return with_interval(figures or {}, name, unit="")


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """A Markdown table."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join("| " + " | ".join(line) + " |" for line in lines)


def write_between(path: Path, mark: str, text: str) -> None:
    """Puts a text between the comments `<!-- MARK -->` and `<!-- end of MARK -->` of a page."""
    before, rest = path.read_text(encoding="utf-8").split(f"<!-- {mark} -->\n")
    _, after = rest.split(f"<!-- end of {mark} -->")
    path.write_text(f"{before}<!-- {mark} -->\n{text}\n<!-- end of {mark} -->{after}", encoding="utf-8")


def put_expected(card: Path, what: str) -> None:
    """Writes `# Expected: ...` below a card's first two lines, its package and its purpose, in the place of another."""
    text = EXPECTED.sub("", card.read_text(encoding="utf-8"))
    package, purpose, rest = text.split("\n", 2)
    card.write_text(f"{package}\n{purpose}\n# Expected: {what}\n{rest}", encoding="utf-8")


def environment_line(folder: Path, *others: Path) -> str:
    """Hardware and versions of a run, and the commits of it and of others, in one sentence."""
    found = FinishedRun(RunFolder(folder)).environment
    hardware, packages = found["hardware"], found["packages"]
    commits = list(dict.fromkeys(_commit(one) for one in (folder, *others)))
    return (
        f"{hardware['cores']} cores, {hardware['memory_gib']} GiB, {hardware['accelerator']}; "
        f"Python {found['python']}, torch {packages['torch']}, timm {packages['timm']}; "
        f"commit{'s' if len(commits) > 1 else ''} {', '.join(commits)}."
    )


def _commit(folder: Path) -> str:
    code = FinishedRun(RunFolder(folder)).environment["code"]
    return (code["commit"] or "no commit")[:10] + (" with changes" if code["dirty"] else "")


def settings_line(words: Iterable[str]) -> str:
    """Overrides as a page prints them: a key that comes twice stands once, with the later value, which counts."""
    return " ".join({word.partition("=")[0]: word for word in words}.values())
