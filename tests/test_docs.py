"""README and pages: links lead somewhere, commands compose, names exist, and the site builds."""

from __future__ import annotations

import ast
import re
import shlex
import subprocess
import sys
import tomllib
from collections.abc import Iterator
from functools import cache
from itertools import chain
from pathlib import Path

import pytest
from extensions import api, cards, commands, layout, run_files
from extensions.markdown import between
from extensions.packages import read_package
from extensions.site import drawn
from hydra.core.override_parser.overrides_parser import OverridesParser

import animeid
from animeid.artefacts.layout import INT8, ONNX, WEIGHTS
from animeid.config.arguments import as_overrides
from animeid.config.compose import compose
from animeid.config.locate import conf_dir, groups
from animeid.config.signatures import signature
from animeid.config.source import find, module_file
from animeid.deploy.arguments import is_for_artefact, request_of
from animeid.errors import InputError
from animeid.runs.folder import RunFolder
from animeid.service.arguments import request_of as service_request_of

ROOT = Path(__file__).resolve().parents[1]
DOCS = ROOT / "docs"
PAGES = [ROOT / "README.md", *sorted(DOCS.glob("*.md")), *sorted((DOCS / "reference").glob("*.md"))]
STUDIES = sorted((ROOT / "experiments").glob("*/*.md"))
EXAMPLE = re.compile(r"\banimeid[./]losses[./]mine|\bconf/loss/mine")
"""The part that `docs/extending.md` shows how to add, and that is therefore not there."""


FILES_OF_ARTEFACTS = {WEIGHTS, ONNX, INT8}
"""Names that look like keys of the group `model`."""


def page(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


@cache
def text_of(path: Path) -> str:
    return path.read_text(encoding="utf-8")


@cache
def blocks(path: Path, language: str) -> list[str]:
    """The code blocks of a page in a language; `bash`, or `` for those without one."""
    return [body for name, body in re.findall(r"^```(\S*)\n(.*?)^```", text_of(path), re.M | re.S) if name == language]


@cache
def prose(path: Path) -> str:
    """A page without its code blocks."""
    return re.sub(r"^```.*?^```", "", text_of(path), flags=re.M | re.S)


@cache
def spans(path: Path) -> list[str]:
    """The `code` of a page's prose."""
    return [" ".join(span.replace("\\|", "|").split()) for span in re.findall(r"`([^`]+)`", prose(path))]


def each_page(pages: list[Path] = PAGES) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", pages, ids=page)


# Links.


def anchors(path: Path) -> set[str]:
    """What GitHub and the site call a page's headings."""
    titles = re.findall(r"^#+ (.+)$", prose(path), re.M)
    return {re.sub(r"[^\w\- ]", "", title.lower()).replace(" ", "-") for title in titles}


def broken_links(path: Path) -> Iterator[str]:
    for link in re.findall(r"\]\(([^)\s]+)\)", prose(path)):
        if re.match(r"https?://", link):
            continue
        name, _, anchor = link.partition("#")
        target = (path.parent / name).resolve() if name else path
        if not target.exists() or (anchor and anchor not in anchors(target)):
            yield link


@each_page(PAGES + STUDIES)
def test_links_lead_somewhere(path: Path) -> None:
    assert list(broken_links(path)) == []


def test_a_broken_link_is_seen(tmp_path: Path) -> None:
    (tmp_path / "there.md").write_text("# A title, with a comma\n")
    bad = tmp_path / "page.md"
    bad.write_text("[a](there.md) [b](there.md#a-title-with-a-comma) [c](there.md#other) [d](gone.md)")
    assert list(broken_links(bad)) == ["there.md#other", "gone.md"]


def test_every_page_is_in_a_table_of_contents() -> None:
    listed = set(
        chain.from_iterable(
            body.split() for body in re.findall(r"```{toctree}\n(.*?)```", text_of(DOCS / "index.md"), re.S)
        )
    )
    assert {path.relative_to(DOCS).with_suffix("").as_posix() for path in PAGES[1:]} - {"index"} <= listed


def test_the_readme_is_two_or_three_screens() -> None:
    assert len(text_of(ROOT / "README.md").splitlines()) <= 110


# Commands.


def shell_lines(path: Path) -> Iterator[str]:
    for body in blocks(path, "bash"):
        yield from (line for line in body.replace("\\\n", " ").splitlines() if line.strip())


def command_of(words: list[str]) -> tuple[str, list[str]] | None:
    """The command of animeid in a line of a shell, and its arguments."""
    for index, word in enumerate(words):
        if word == "-m" and words[index + 1 : index + 2] and words[index + 1].startswith("animeid."):
            return words[index + 1].removeprefix("animeid."), words[index + 2 :]
        if Path(word).name == "animeid" and index + 1 < len(words):
            return words[index + 1], words[index + 2 :]
    return None


def lines_of_animeid(path: Path) -> list[tuple[str, list[str]]]:
    """Commands in code blocks, and those in `code` that are written out."""
    written_out = [span for span in spans(path) if re.match(r"(python -m |\S*bin/)?animeid[. ]\w", span)]
    parsed = [shlex.split(line, comments=True) for line in (*shell_lines(path), *written_out)]
    return [found for words in parsed if "..." not in words and (found := command_of(words))]


COMMANDS = {
    f"{root} {' '.join(arguments)}": (root, arguments) for path in PAGES for root, arguments in lines_of_animeid(path)
}
FLAGS = {"-m": 0, "--multirun": 0, "--help": 0, "--cfg": 1, "--config-dir": 1}
"""Flags and how many words follow each."""


def requests(arguments: list[str]) -> list[list[str]]:
    """The overrides of each job: a multirun has so many that every value comes once."""
    words, is_sweep = iter(arguments), "-m" in arguments
    overrides = []
    for word in words:
        if word in FLAGS:
            [next(words) for _ in range(FLAGS[word])]
        else:
            overrides.append(word)
    if not is_sweep:
        return [overrides]
    choices = []
    for override in as_overrides(overrides):
        parsed = OverridesParser.create().parse_override(override)
        key = override.partition("=")[0]
        choices.append(
            [f"{key}={value}" for value in parsed.sweep_string_iterator()] if parsed.is_sweep_override() else [override]
        )
    return [[values[job % len(values)] for values in choices] for job in range(max(map(len, choices)))]


@pytest.fixture
def described_runs(untried_transforms: None, monkeypatch: pytest.MonkeyPatch) -> None:
    """A request without the earlier run, whose folder is a name in a page only; so is one of code."""
    monkeypatch.setattr("animeid.config.request.allow", lambda parts, overrides: None)
    monkeypatch.setattr("animeid.config.request.with_earlier_network", lambda request, default, overrides: request)
    monkeypatch.setattr("animeid.config.request.inherit", lambda request, overrides: request)
    monkeypatch.setattr("animeid.config.request.with_earlier_data", lambda request, overrides: request)
    monkeypatch.setattr("animeid.config.pruned.check_held_out", lambda from_run: None)


def test_commands_are_found() -> None:
    assert len(COMMANDS) > 50
    assert {root for root, _ in COMMANDS.values()} == set(commands.roots())


@pytest.mark.parametrize(("root", "arguments"), COMMANDS.values(), ids=COMMANDS)
def test_commands_compose(root: str, arguments: list[str], described_runs: None, own_loss: list[str]) -> None:
    assert root in commands.roots()
    if not arguments or arguments == ["--help"]:
        return
    for overrides in requests(arguments):
        composed(root, overrides, own_loss)


def composed(root: str, overrides: list[str], own_cards: list[str]) -> None:
    """Composes a request; those of an artefact and of the service are read without Hydra."""
    if root == "predict" and is_for_artefact(overrides):
        request_of(overrides)
    elif root == "serve":
        service_request_of(overrides)
    else:
        compose(root, overrides, own_cards)


@pytest.mark.slow
def test_the_lines_of_help_compose(described_runs: None, own_loss: list[str]) -> None:
    for root in commands.roots():
        header = commands.read(root)["hydra"]["help"]["header"]
        lines = [re.split(r"\s{2,}", line.strip())[0] for line in header.splitlines() if line.startswith("  ")]
        assert lines
        for line in lines:
            name, arguments = command_of(shlex.split(line)) or ("", [])
            assert name == root
            for overrides in requests(arguments):
                if arguments:
                    composed(root, overrides, own_loss)


def test_a_wrong_command_is_seen(described_runs: None) -> None:
    with pytest.raises(InputError):
        compose("train", requests(["-m", "loss=focal,focl"])[1])


def test_a_value_of_a_sweep_comes_at_least_once() -> None:
    assert requests(["-m", "loss=focal,poly1", "seed=1,2,3", "test=false"]) == [
        ["loss=focal", "seed=1", "test=false"],
        ["loss=poly1", "seed=2", "test=false"],
        ["loss=focal", "seed=3", "test=false"],
    ]


@each_page(PAGES + STUDIES)
def test_modules_that_are_started_are_there(path: Path) -> None:
    found = re.findall(r"python -m (experiments[\w.]+)", text_of(path))
    assert [name for name in found if not (ROOT / f"{name.replace('.', '/')}.py").is_file()] == []


@each_page(PAGES + STUDIES)
def test_targets_of_make_and_extras_are_there(path: Path) -> None:
    targets = re.findall(r"^([\w-]+):", (ROOT / "Makefile").read_text(encoding="utf-8"), re.M)
    assert set(re.findall(r"(?:^|`)make ([\w-]+)", text_of(path), re.M)) <= set(targets)
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]["optional-dependencies"]
    assert set(re.findall(r"animeid\[(\w+)\]", text_of(path))) <= set(extras)


# Names.


def is_name(dotted: str) -> bool:
    """Whether there is such a module, or such a thing in one."""
    module, _, name = dotted.rpartition(".")
    return module_file(dotted) is not None or find(module, name) is not None or _is_value(module, name)


def _is_value(module: str, name: str) -> bool:
    """An assignment at a module's top, such as an entry point's `main`."""
    file = module_file(module)
    return file is not None and re.search(rf"^{name}\b.*=", file.read_text(encoding="utf-8"), re.M) is not None


@each_page()
def test_modules_that_are_named_are_there(path: Path) -> None:
    names = {name for name in re.findall(r"\banimeid(?:\.\w+)+", text_of(path)) if not EXAMPLE.search(name)}
    assert sorted(name for name in names if not is_name(name)) == []


@each_page()
def test_code_in_python_finds_what_it_imports(path: Path) -> None:
    for body in blocks(path, "python"):
        for node in ast.walk(ast.parse(body)):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("animeid"):
                assert [alias.name for alias in node.names if not is_name(f"{node.module}.{alias.name}")] == []


@each_page()
def test_files_that_are_named_are_there(path: Path) -> None:
    named = re.compile(r"(animeid|conf|docs|experiments|notebooks|tests)/[\w./-]*")
    found = {span for span in spans(path) if named.fullmatch(span) and not EXAMPLE.search(span)}
    assert sorted(name for name in found if "NAME" not in name and not (ROOT / name).exists()) == []


def keys_of(group: str) -> set[str]:
    """What any card of a group can be given."""
    known: set[str] = set()
    for card in groups(conf_dir())[group]:
        values = cards.read(group, card) or {}
        found = signature(str(values.get("_target_", "")))
        known |= {*values, *(found.parameters if found else ())}
    return known


def wrong_spans(path: Path) -> Iterator[str]:
    known = groups(conf_dir())
    for word in chain.from_iterable(span.split() for span in spans(path)):
        key, sign, value = word.lstrip("~").partition("=")
        if key in known and sign and not re.fullmatch(r"(NAME|null|CARD|FOLDER)?", value):
            yield from (word for card in re.split(r"[,|]", value) if card not in known[key])
        group, _, inner = key.partition(".")
        is_key = inner and group not in ("space", "stage") and word not in FILES_OF_ARTEFACTS
        if group in known and is_key and inner.split(".")[0] not in keys_of(group):
            yield word


@each_page()
def test_cards_and_keys_that_are_named_are_there(path: Path) -> None:
    assert [word for word in wrong_spans(path) if not EXAMPLE.search(word) and word != "loss=mine"] == []


def test_a_wrong_card_or_key_is_seen(tmp_path: Path) -> None:
    bad = tmp_path / "page.md"
    bad.write_text("`loss=focal` `loss=focl` `loss.gamma=1` `loss.gama` `mixing=mixup|cutmix` `tta=flip|flop`")
    assert list(wrong_spans(bad)) == ["loss=focl", "loss.gama", "tta=flip|flop"]


def test_the_table_of_groups_is_complete() -> None:
    rows = re.findall(r"^\| `(\w+)` \| (`.+) \|$", prose(DOCS / "train.md"), re.M)
    named = {group: set(re.findall(r"`(\w+)`", cell)) for group, cell in rows if group in groups(conf_dir())}
    chosen = (key for item in commands.read("train")["defaults"] if isinstance(item, dict) for key in item)
    elsewhere = {"callbacks", "recipe", "stage", "experiment", "scale"}
    assert set(named) == {group for group in chosen if group in groups(conf_dir())} - elsewhere
    for group, found in named.items():
        there = set(groups(conf_dir())[group]) - {"own"}
        assert found <= there
        assert group == "loss" or found == there


# What is written from the code.


def test_every_room_says_what_it_is() -> None:
    assert [module.name for module in read_package().walk() if module.is_room and not module.title] == []


def test_the_picture_of_the_import_rule_shows_every_room_and_file() -> None:
    named = re.findall(r">([^<>\s]+)</text>", layout.import_rule())
    assert sorted(named) == sorted(module.short for module in read_package().inner)


@pytest.mark.parametrize("root", commands.roots())
def test_the_page_of_a_command_has_its_keys_and_groups(root: str) -> None:
    written = commands.page(root)
    assert all(f"`{key}" in written for key in commands.read(root) if key not in commands.NOT_KEYS)
    assert f"| {commands.summary(root)} |" in commands.overview()


@pytest.mark.parametrize("group", groups(conf_dir()))
def test_the_page_of_a_group_has_its_cards(group: str) -> None:
    written = cards.page(group)
    for card in groups(conf_dir())[group]:
        assert f"`{group}={card}`" in written
        assert cards.summary(group, card), "a card begins with a comment that says what it is"


def test_a_card_shows_its_own_value_the_type_and_what_a_key_is() -> None:
    rows = [line for line in cards.page("loss").splitlines() if line.startswith("| `loss.max_margin`")]
    assert rows[0].startswith("| `loss.max_margin` | `0.5` | a number")
    assert len(rows[0].split(" | ")[3]) > 10


def test_the_files_of_a_run_are_those_of_its_folder() -> None:
    folder = RunFolder(Path("run"))
    found = {name: path for name, path, _ in run_files.properties()}
    assert {"best", "metrics", "report", "previous"} <= set(found)
    assert {name: str(getattr(folder, name).relative_to("run")) for name in found} == found


def test_the_api_has_every_module() -> None:
    written = "".join(api.page(room) for room in api.all_rooms())
    modules = [module for module in read_package().walk() if not module.is_room]
    assert [module.name for module in modules if f"automodule:: {module.name}\n" not in written] == []


def test_the_page_about_the_code_is_current() -> None:
    """`make docs` renews it."""
    text = text_of(DOCS / "architecture.md")
    assert all(between(text, mark, inner) == text for mark, inner in drawn().items())
    assert (DOCS / "import_rule.svg").read_text(encoding="utf-8") == layout.import_rule()


def test_no_key_is_without_a_word() -> None:
    pages = [*map(cards.page, groups(conf_dir())), *map(commands.page, commands.roots())]
    assert [
        line for text in pages for line in text.splitlines() if line.startswith("| `") and line.endswith("|  |")
    ] == []


# The example of a part of one's own.


@pytest.fixture
def own_loss(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The loss that `docs/extending.md` adds, as if its files were there; the folder of its card."""
    code = blocks(DOCS / "extending.md", "python")[0]
    card = blocks(DOCS / "extending.md", "yaml")[0]
    for file, text in {"animeid/losses/mine.py": code, "conf/loss/mine.yaml": card}.items():
        (tmp_path / file).parent.mkdir(parents=True)
        (tmp_path / file).write_text(text, encoding="utf-8")
    spec = animeid.__spec__
    assert spec is not None
    monkeypatch.setattr(spec, "submodule_search_locations", [*animeid.__path__, str(tmp_path / "animeid")])
    module_file.cache_clear()
    yield [str(tmp_path / "conf")]
    module_file.cache_clear()


def test_the_example_of_a_loss_is_checked_as_the_page_says(own_loss: list[str], untried_transforms: None) -> None:
    assert compose("train", ["loss=mine", "loss.weight=0.5"], own_loss)["loss"]["weight"] == 0.5
    with pytest.raises(InputError, match=r"loss\.weight must be a number"):
        compose("train", ["loss=mine", "loss.weight=much"], own_loss)


def test_the_example_of_a_loss_answers_one_value_a_picture() -> None:
    import torch

    from animeid.types import ModelOutput

    names: dict[str, object] = {"__name__": "mine"}
    exec(compile(blocks(DOCS / "extending.md", "python")[0], "mine.py", "exec"), names)
    loss = names["MyLoss"](None, weight=0.5)  # type: ignore[operator]
    logits = torch.randn(4, 3)
    output = ModelOutput(logits=logits, embedding=logits)
    found = loss(output, {"target": torch.tensor([0, 1, 2, -1])})["mine"]
    assert found.shape == (4,)
    assert found[3] == 0
    assert torch.equal(
        found,
        0.5 * torch.nn.functional.cross_entropy(logits, torch.tensor([0, 1, 2, -1]), reduction="none", ignore_index=-1),
    )


# The site.


@pytest.mark.slow
def test_the_site_builds_without_a_warning(tmp_path: Path) -> None:
    built = subprocess.run(
        [
            sys.executable,
            "-m",
            "sphinx",
            "-b",
            "html",
            "-W",
            "--keep-going",
            "-q",
            "-d",
            str(tmp_path / "read"),
            "docs",
            str(tmp_path / "site"),
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert built.returncode == 0, built.stdout + built.stderr
    assert (tmp_path / "site" / "index.html").is_file()
