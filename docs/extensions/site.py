"""Sphinx's hooks: pages written before the build, directives for what is read from the code, links to the studies."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from docutils import nodes
from sphinx.application import Sphinx
from sphinx.util.docutils import SphinxDirective

from animeid.config.locate import conf_dir, groups
from extensions import api, cards, commands, layout, run_files
from extensions.docstrings import as_code, as_list
from extensions.markdown import between
from extensions.packages import ROOT

STUDIES = re.compile(r"\]\((?:\.\./)+experiments/")
"""The beginning of a link from a page of ours to a study's."""

ANNOTATED = re.compile(r"~?(?:typing\.)?Annotated\[([^,\[\]]+), [^\[\]]*\]")
"""A type with bounds, in a signature."""

NO_PAGE = ("reading.md",)
"""How the names of texts end that a study's page takes in."""


def written() -> dict[str, str]:
    """Path below `docs/` and text of each page that is written from the code."""
    return {
        **{f"reference/commands/{root}.md": commands.page(root) for root in commands.roots()},
        **{f"reference/cards/{cards.page_name(group)}.md": cards.page(group) for group in groups(conf_dir())},
        **{f"reference/api/{room.name}.md": api.page(room) for room in api.all_rooms()},
    }


def study_files() -> dict[str, Path]:
    """Path below `docs/` and source of each page and picture of the studies."""
    folder = ROOT / "experiments"
    files = [file for ending in ("md", "png") for file in sorted(folder.glob(f"*/*.{ending}"))]
    return {f"studies/{file.relative_to(folder)}": file for file in files if not file.name.endswith(NO_PAGE)}


def write_pages(app: Sphinx) -> None:
    """Writes them; a page that is as it was keeps its time, so that it is not read again."""
    source = Path(app.srcdir)
    texts = {name: text.encode() for name, text in written().items()}
    texts |= {name: file.read_bytes() for name, file in study_files().items()}
    for folder in {name.rpartition("/")[0] for name in texts}:
        for file in (source / folder).glob("*"):
            if file.relative_to(source).as_posix() not in texts:
                file.unlink()
    for name, content in texts.items():
        file = source / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if not file.is_file() or file.read_bytes() != content:
            file.write_bytes(content)


def drawn() -> dict[str, str]:
    """Text between marks of `docs/architecture.md`, which is kept in the checkout so that it is read there as well."""
    return {"rooms": layout.room_list(), "contracts": layout.other_contracts()}


def renew_architecture(app: Sphinx) -> None:
    """Its lists and its picture; a room's docstring or a contract may have changed."""
    page = Path(app.srcdir) / "architecture.md"
    text = page.read_text(encoding="utf-8")
    for mark, inner in drawn().items():
        text = between(text, mark, inner)
    for file, content in {page: text, page.with_name("import_rule.svg"): layout.import_rule()}.items():
        if not file.is_file() or file.read_text(encoding="utf-8") != content:
            file.write_text(content, encoding="utf-8")


def link_studies(app: Sphinx, name: str, content: list[str]) -> None:
    """Pages link to studies where they lie in the checkout, so that links work there as well."""
    content[0] = STUDIES.sub("](" + "../" * name.count("/") + "studies/", content[0])


def translate(app: Sphinx, what: str, name: str, thing: object, options: object, lines: list[str]) -> None:
    """A docstring as Sphinx reads it; before napoleon, which takes entries of settings for prose."""
    lines[:] = as_list(as_code("\n".join(lines)).split("\n"))


def shorten(
    app: Sphinx, what: str, name: str, thing: object, options: object, signature: str | None, answer: str | None
) -> tuple[str | None, str | None]:
    """A signature without bounds of its numbers, which pages about cards tell in words."""
    return signature and ANNOTATED.sub(r"\1", signature), answer


def reading(write: Callable[[], str]) -> type[SphinxDirective]:
    """A directive that stands for Markdown which is written from the code."""

    class Reading(SphinxDirective):
        def run(self) -> list[nodes.Node]:
            self.env.note_reread()
            return self.parse_text_to_nodes(write())

    return Reading


def drawing(write: Callable[[], str]) -> type[SphinxDirective]:
    """A directive that stands for HTML which is written from the code."""

    class Drawing(SphinxDirective):
        def run(self) -> list[nodes.Node]:
            self.env.note_reread()
            return [nodes.raw("", write(), format="html")]

    return Drawing


DIRECTIVES: Mapping[str, type[SphinxDirective]] = {
    "commands": reading(commands.overview),
    "cards": reading(cards.overview),
    "rooms": reading(api.overview),
    "run-files": reading(run_files.page),
    "tree": drawing(layout.tree),
}


def setup(app: Sphinx) -> dict[str, Any]:
    app.connect("builder-inited", write_pages)
    app.connect("builder-inited", renew_architecture)
    app.connect("source-read", link_studies)
    app.connect("autodoc-process-signature", shorten)
    app.connect("autodoc-process-docstring", translate, priority=100)
    for name, directive in DIRECTIVES.items():
        app.add_directive(name, directive)
    return {"parallel_read_safe": True}
