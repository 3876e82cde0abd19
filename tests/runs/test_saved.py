"""A run's files are opened by the readers in `animeid/runs` alone."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

import animeid
from animeid.runs.folder import RunFolder

SOURCE = Path(animeid.__file__).parent
READERS = {"read_yaml", "read_json", "read_manifest", "read_csv", "read_parquet", "load", "open"}
READERS |= {"read_text", "read_bytes"}
FOLDERS = {"path", "checkpoints", "figures"}
"""Of the properties that are paths, those of no file."""
# Checkpoints are read by models/checkpoint, whose readers have other names; it knows no run's folder.


@cache
def file_names() -> set[str]:
    members = inspect.getmembers(RunFolder, lambda member: isinstance(member, property))
    return {name for name, member in members if member.fget.__annotations__["return"] == "Path"} - FOLDERS


def handed_over(source: str) -> Iterator[int]:
    """Lines on which a file of a run's folder is read: as an argument, by its own method, or in a comprehension."""
    files = file_names()
    if not any(f".{name}" in source for name in files):
        return  # to parse what names no file takes seconds
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Attribute(attr=name), attr=reader)) if reader in READERS:
                if name in files:
                    yield node.lineno
            case ast.Call() | ast.GeneratorExp() | ast.ListComp() | ast.SetComp() | ast.DictComp() if reads(node):
                inner = [node.args] if isinstance(node, ast.Call) else [[one.iter for one in node.generators]]
                found = (part for parts in inner for given in parts for part in ast.walk(given))
                if any(isinstance(part, ast.Attribute) and part.attr in files for part in found):
                    yield node.lineno


def reads(node: ast.AST) -> bool:
    """Whether the call is of a reader, or the comprehension has one."""
    calls = [node] if isinstance(node, ast.Call) else [part for part in ast.walk(node) if isinstance(part, ast.Call)]
    named = (getattr(call.func, "attr", getattr(call.func, "id", "")) for call in calls)
    return any(name in READERS for name in named)


@pytest.mark.parametrize(
    "source",
    [
        "read_yaml(folder.request)",
        "pd.read_csv(run.folder.history, dtype=str)",
        "folder.metrics.read_text()",
        "folder.metrics.open()",
        "first, second = (pd.read_csv(path) for path in (folder.skipped, folder.conflicts))",
    ],
)
def test_what_reads_a_runs_file_is_found(source: str) -> None:
    assert list(handed_over(source)) == [1]


def test_no_room_but_runs_opens_a_runs_files() -> None:
    others = [path for path in sorted(SOURCE.rglob("*.py")) if path.parent != SOURCE / "runs"]
    found = [f"{path}:{line}" for path in others for line in handed_over(path.read_text(encoding="utf-8"))]
    assert found == []


def test_runs_opens_them() -> None:
    assert list(handed_over((SOURCE / "runs" / "saved.py").read_text(encoding="utf-8")))
