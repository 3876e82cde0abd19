"""Every refusal names the way on; read from the source, so that a new one is held to it as well."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[1] / "animeid"

ADVICE = re.compile(
    r"\b(add|allow|ask|begin|change|changed|check|choose|convert|copy|correct|corrected|fill|free|get|give"
    r"|goes on|install"
    r"|judge|keep|leave|let|list|lower|make|move|name|needed|put|remove|rename|return|save|say|see|set|start|take|train"
    r"|wait|write|did you mean|must be|is true or false|a range has)\b"
)
"""What a sentence says that tells what to do."""

IS_WHOLE = re.compile(r"[a-z0-9)]$", re.IGNORECASE)
"""Other sentences end in words that are made elsewhere."""


def sentences() -> Iterator[tuple[str, str]]:
    """The place and the words of each refusal, `{}` for what is filled in."""
    for file in sorted(PACKAGE.rglob("*.py")):
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("InputError", "MachineError"):
                yield f"{file.relative_to(PACKAGE)}:{node.lineno}", " ".join(words(node.args[0]))


def words(node: ast.AST) -> Iterator[str]:
    """The texts of an expression, in their order."""
    if isinstance(node, ast.Constant):
        yield str(node.value)
    elif isinstance(node, ast.JoinedStr | ast.BinOp):
        for inner in ast.iter_child_nodes(node):
            yield from words(inner)
    elif isinstance(node, ast.expr):
        yield "{}"


def names_a_way_on(text: str) -> bool:
    return ADVICE.search(text.partition(":")[2] or text) is not None


def test_every_refusal_names_the_way_on() -> None:
    found = list(sentences())
    assert len(found) > 200
    assert [(place, text) for place, text in found if IS_WHOLE.search(text) and not names_a_way_on(text)] == []


@pytest.mark.parametrize("text", ["{} has no figures", "give it: it is damaged", "a wrong value"])
def test_a_sentence_without_a_way_on_is_found(text: str) -> None:
    assert IS_WHOLE.search(text)
    assert not names_a_way_on(text)
