"""The files of a run's folder, from the class that knows them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

from extensions.markdown import table
from extensions.packages import PACKAGE


def source() -> Path:
    """The file that defines `RunFiles`, what every `RunFolder` is."""
    return next(file for file in sorted(PACKAGE.rglob("files.py")) if "class RunFiles" in file.read_text("utf-8"))


def properties() -> Iterator[tuple[str, str, str]]:
    """Name, path within the folder and docstring of each property that is a path."""
    tree = ast.parse(source().read_text(encoding="utf-8"))
    folder = next(node for node in tree.body if isinstance(node, ast.ClassDef) and node.name == "RunFiles")
    for node in folder.body:
        if isinstance(node, ast.FunctionDef) and node.returns and ast.unparse(node.returns) == "Path":
            answer = node.body[-1]
            if isinstance(answer, ast.Return) and isinstance(answer.value, ast.BinOp):
                yield node.name, _path(answer.value), ast.get_docstring(node) or ""


def _path(value: ast.expr) -> str:
    """`self.checkpoints / "best.ckpt"` becomes `checkpoints/best.ckpt`."""
    match value:
        case ast.BinOp(left=left, right=ast.Constant(value=str(name))):
            return f"{_path(left)}{'/' if _path(left) else ''}{name}"
        case ast.Attribute(attr="path"):
            return ""
        case ast.Attribute(attr=name):
            return name
    raise ValueError(ast.unparse(value))


def page() -> str:
    """A row a file."""
    rows = [[f"`{path}`", f"`RunFolder.{name}`", text] for name, path, text in properties()]
    return table(["file", "in Python", ""], rows)
