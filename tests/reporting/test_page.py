"""The page of a run says what its files say."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from statistics import fmean, stdev
from typing import Any

import numpy as np
import pandas as pd
import pytest
from jinja2 import Template
from scipy.sparse import csr_array

from animeid import report, train
from animeid.html.font import font_uri
from animeid.html.render import FONT_HERE, render, write_page
from animeid.html.thumbnails import Thumbnails
from animeid.reporting.comparison import write_comparison
from animeid.reporting.confusions import Pair, most_confused, similar_order
from animeid.reporting.page import context
from animeid.reporting.wording import gap
from animeid.runs.folder import RunFolder
from animeid.runs.names import home_of, names_of, short_names
from animeid.system.files import write_json
from tests.small_runs import QUICK, class_folders

NAMES = ("初音ミク", "레이무 </script><script>alert(1)</script>", 'Tom & "Jerry\'s"')
BROWSER = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
RUN = (*QUICK, "data.batch_size=8", "data.test_ratio=0.25", "data.val_ratio=0.25", "trainer.max_epochs=2")


@pytest.fixture(scope="module")
def home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Two runs on the same pictures, and one on another split of them."""
    home = tmp_path_factory.mktemp("home")
    pictures = class_folders(home / "pictures", {name.replace("/", "∕"): 16 for name in NAMES}, coarse=6)
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        for run_id, more in (
            ("one", []),
            ("two", ["seed=2"]),
            ("other", ["data.split_seed=1", "trainer.max_epochs=1"]),
        ):
            assert train.main([f"data.root={pictures}", *RUN, f"run_id={run_id}", *more]) == 0
        yield home


@pytest.fixture(scope="module")
def run(home: Path) -> RunFolder:
    return RunFolder(home / "outputs" / "one")


@pytest.fixture(scope="module")
def found(run: RunFolder) -> dict[str, Any]:
    return context(run)


def test_a_run_leaves_its_page_and_says_where(run: RunFolder, capsys, monkeypatch) -> None:
    page = run.report.read_text(encoding="utf-8")
    assert "初音ミク" in page
    assert "<script>alert" not in page
    assert not re.findall(r"""(?:src|href)=["'](?!data:|#)""", page)
    assert len(page) < 3e6
    monkeypatch.chdir(run.path.parents[1])
    assert report.main([f"run={run.path}", "output=again.html"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "report: again.html"
    assert Path("again.html").read_text(encoding="utf-8") == page


def test_the_matrix_is_that_of_the_predictions(run: RunFolder, found: dict[str, Any]) -> None:
    content = json.loads(found["matrix"])
    table = pd.read_parquet(run.predictions)
    table = table[table["split"] == "test"]
    expected = table.groupby(["label", "predicted"]).size().to_dict()
    assert {
        (content["labels"][row], content["labels"][column]): count for row, column, count in content["cells"]
    } == expected
    taken = {row["label"]: row for row in found["classes"]}
    for label, row in taken.items():
        own = table[table["label"] == label]
        assert row["support"] == len(own)
        assert row["recall"] == pytest.approx((own["predicted"] == label).mean())
        assert row["train_count"] == (pd.read_parquet(run.manifest).query("split == 'train'")["label"] == label).sum()


def test_each_class_is_in_one_tier(found: dict[str, Any]) -> None:
    f1 = {row["label"]: row["f1"] for row in found["classes"]}
    bounds = {"above 90 %": (0.9, 1.01), "60 to 90 %": (0.6, 0.9), "below 60 %": (1e-12, 0.6), "0 %": (0, 1e-12)}
    seen = []
    for tier in found["tiers"]:
        low, high = bounds[tier["name"]]
        for one in tier["classes"]:
            assert low <= f1[one["label"]] <= high
            seen.append(one["label"])
    assert sorted(seen) == sorted(f1)


def test_worst_answers_have_their_pictures_and_the_likeliest_classes(run: RunFolder, found: dict[str, Any]) -> None:
    table = pd.read_parquet(run.predictions)
    table = table[table["split"] == "test"].assign(chance=lambda rows: np.exp(-rows["loss"])).sort_values("chance")
    table = table[table["label"] != table["predicted"]]
    assert [one["path"] for one in found["worst"]] == table["path"].tolist()[:24]
    first = found["worst"][0]
    assert [top["label"] for top in first["top"]] == list(table.iloc[0]["top_k"])
    assert all(one["picture"].startswith("data:image/webp") and one["heat"] for one in found["worst"])
    assert all(len(one["near"]) == 4 for one in found["worst"])


def test_a_vanished_picture_is_named_and_the_page_is_made(run: RunFolder, tmp_path: Path) -> None:
    copy = tmp_path / "copy"
    shutil.copytree(run.path, copy)
    table = pd.read_parquet(copy / "predictions.parquet")
    gone = table[table["split"] == "test"]["path"].iloc[0]
    source = context(run)["data"]["root"]
    shutil.copytree(source, tmp_path / "pictures")
    (tmp_path / "pictures" / gone).unlink()
    missing = Thumbnails(tmp_path / "pictures", 10**7)
    assert missing.of(gone) is None
    assert missing.missing == {gone}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run=outputs/one", "runs=outputs/*"], "give run=FOLDER"),
        ([], "give run=FOLDER"),
        (["run=nowhere"], "there is no run folder nowhere"),
        (["run=outputs/unfinished"], "metrics.json"),
        (["runs=outputs/on*"], "finds 1 finished run"),
        (["runs=outputs/one:outputs/other"], "was judged on other test pictures"),
    ],
)
def test_what_cannot_be_reported(arguments: list[str], sentence: str, home: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(home)
    if not Path("outputs/unfinished").exists():
        shutil.copytree("outputs/one", "outputs/unfinished")
        Path("outputs/unfinished/metrics.json").unlink()
    assert report.main(arguments) == 2
    assert sentence in capsys.readouterr().err


def test_runs_are_laid_side_by_side(home: Path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(home)
    assert report.main(["runs=outputs/one:outputs/two"]) == 0
    page = Path("outputs/comparison.html").read_text(encoding="utf-8")
    assert "seed" in page and "points" in page
    assert capsys.readouterr().out.splitlines()[-1] == "report: outputs/comparison.html"
    mean, spread = (function([figure(name) for name in ("one", "two")]) for function in (fmean, stdev))
    assert "one, two (2 seeds)" in page
    assert f"{100 * mean:.1f} % ± {100 * spread:.1f}" in page


def figure(name: str) -> float:
    return json.loads(Path(f"outputs/{name}/metrics.json").read_text())["test"]["f1_macro"]


def test_classes_that_are_confused_stand_side_by_side() -> None:
    """Six blocks of classes that are confused among themselves, shuffled: afterwards each block is in one piece."""
    random = np.random.default_rng(0)
    blocks = random.permutation(np.repeat(np.arange(6), 5))
    counts = np.where(blocks[:, None] == blocks, random.integers(3, 9, (30, 30)), 0)
    ordered = blocks[similar_order(counts)]
    assert np.count_nonzero(np.diff(ordered)) == 5
    assert sorted(similar_order(counts)) == list(range(30))
    assert similar_order(np.eye(2)).tolist() == [0, 1]


def test_the_most_confused_pairs() -> None:
    counts = csr_array([[9, 2, 0], [1, 9, 0], [0, 4, 9]])
    assert most_confused(counts, 5) == [Pair(1, 2, 0, 4), Pair(0, 1, 2, 1)]
    assert most_confused(csr_array(np.eye(4, dtype=int)), 5) == []


@pytest.mark.parametrize(
    ("train_loss", "val_loss", "words"),
    [
        ([2.0, 1.0, 0.1], [1.5, 1.0, 1.6], "the model over-fits"),
        ([2.0, 1.5, 1.2], [1.9, 1.4, 1.2], "Training is no better than validation"),
        ([2.0, 1.0, 0.5], [1.9, 1.2, 0.9], "no sign of over-fitting"),
    ],
)
def test_the_gap_in_words(train_loss: list[float], val_loss: list[float], words: str) -> None:
    history = pd.DataFrame({"epochs_done": [1, 2, 3], "train/loss": train_loss, "val/loss": val_loss})
    said = gap(history)
    assert words in said
    assert f"lowest in epoch {int(np.argmin(val_loss)) + 1} " in said
    assert "no sign of over-fitting" not in gap(history, parts_differ=True), "losses are not all there is"
    assert f"{val_loss[-1]:.3f}" in said


def test_only_letters_that_are_needed_are_embedded() -> None:
    import base64
    from io import BytesIO

    from fontTools.ttLib import TTFont

    uri = font_uri("Tom 初音ミク – 레이무")
    assert uri is not None
    with TTFont(BytesIO(base64.b64decode(uri.split(",")[1]))) as font:
        assert {chr(code) for code in font.getBestCmap()} == set("初音ミク레이무")
    assert font_uri("Tom & Jerry") is None


@pytest.mark.parametrize(("name", "fonts"), [("初音ミク", 1), ("Tom", 0)])
def test_a_page_is_made_once_and_has_the_glyphs_of_its_text(
    name: str, fonts: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[str] = []
    whole = Template.render
    monkeypatch.setattr(Template, "render", lambda self, **values: made.append("") or whole(self, **values))
    (tmp_path / "page.html.j2").write_text("{% extends 'base.html.j2' %}{% block body %}{{ name }}{% endblock %}")
    page = render(tmp_path / "page.html.j2", {"title": name, "name": name})
    assert len(made) == 1
    assert page.count('@font-face { font-family: "Names"; src: url("data:font/woff;base64,') == fonts
    assert FONT_HERE not in page


def test_a_path_that_is_no_text_here_is_written(tmp_path: Path) -> None:
    misread = "作業".encode().decode("ascii", "surrogateescape")
    write_page(tmp_path / "page.html", f"初音 {misread} \udcff")
    assert (tmp_path / "page.html").read_text(encoding="utf-8") == "初音 作業 \\xff"


def test_jobs_of_a_multirun_are_named_by_what_they_differ_in(tmp_path: Path) -> None:
    jobs = [
        {"job": number, "overrides": {"loss": loss, "data.root": "pictures"}, "seed": seed, "config": loss}
        for number, (loss, seed) in enumerate([("focal", 1), ("focal", 2), ("poly1", 1)])
    ]
    write_json(tmp_path / "multirun.json", {"jobs": jobs})
    paths = [tmp_path / str(number) for number in range(3)]
    assert names_of(paths) == ["loss=focal seed=1", "loss=focal seed=2", "loss=poly1 seed=1"]
    assert names_of(paths[:2]) == ["seed=1", "seed=2"]
    assert names_of([paths[0], tmp_path / "other"]) == ["0", "other"]
    assert home_of(paths).resolve() == tmp_path
    assert home_of([tmp_path / "a" / "0", tmp_path / "b"]).resolve() == tmp_path


def test_names_that_tell_folders_apart() -> None:
    assert short_names([Path("/a/b/1"), Path("/a/c/1")]) == ["b/1", "c/1"]
    assert short_names([Path("/a/b/1"), Path("/a/b/2")]) == ["1", "2"]


@pytest.fixture(scope="module")
def browser() -> Iterator[Any]:
    if BROWSER is None:
        pytest.skip("no Chromium on this machine: install Debian's chromium to test the page")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        found = playwright.chromium.launch(executable_path=BROWSER, args=arguments)
        yield found
        found.close()


def opened(browser: Any, path: Path, width: int) -> tuple[Any, list[str]]:
    page = browser.new_page(viewport={"width": width, "height": 900})
    said: list[str] = []
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    page.on(
        "request", lambda request: said.append(request.url) if not request.url.startswith(("file:", "data:")) else None
    )
    page.goto(path.resolve().as_uri())
    page.evaluate("document.fonts.ready")
    return page, said


def charts_that_scroll(page: Any) -> int:
    wider = "[...document.querySelectorAll('.chart')].filter(one => one.clientWidth > one.parentElement.clientWidth)"
    return int(page.evaluate(f"{wider}.length"))


@pytest.mark.parametrize("width", [1280, 390])
def test_runs_side_by_side_in_a_browser(browser: Any, home: Path, tmp_path: Path, width: int) -> None:
    page, said = opened(browser, write_comparison(f"{home}/outputs/one:{home}/outputs/two", tmp_path / "p.html"), width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert page.locator(".chart").count() == 1
    assert charts_that_scroll(page) == 0 or width < 1280
    assert said == []
    page.close()


@pytest.mark.parametrize("width", [1280, 390])
def test_the_page_in_a_browser(browser: Any, run: RunFolder, width: int) -> None:
    page, said = opened(browser, run.report, width)
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    letters = "[...document.querySelectorAll('.chart')].map(chart => chart.naturalWidth / chart.clientWidth)"
    assert page.evaluate(letters) == pytest.approx([150 / 96] * page.locator(".chart").count(), rel=0.05)
    assert charts_that_scroll(page) == 0 or width < 1280
    if width == 1280:
        table = "(table => table.scrollWidth - table.parentElement.clientWidth)(document.getElementById('class-table'))"
        assert page.evaluate(table) <= 0, "the table of classes is as wide as its place"
    page.fill("#search", "ミク")
    assert page.locator("#class-table tbody tr:visible").count() == 1
    page.fill("#search", "")
    page.click("#class-table th:nth-child(6) button")
    values = page.eval_on_selector_all("#class-table tbody tr", "rows => rows.map(row => +row.cells[5].dataset.value)")
    assert values == sorted(values)
    page.click("#class-table th:nth-child(6) button")
    values = page.eval_on_selector_all("#class-table tbody tr", "rows => rows.map(row => +row.cells[5].dataset.value)")
    assert values == sorted(values, reverse=True)
    assert page.evaluate("[...document.fonts].map(font => font.status)") == ["loaded"]
    families = "[...document.querySelectorAll('body *')].map(place => getComputedStyle(place).fontFamily)"
    assert [family for family in page.evaluate(families) if "Names" not in family] == [], "names stand anywhere"
    assert said == []
    page.close()


def test_each_figure_is_explained_where_it_first_stands_and_at_the_end(found: dict[str, Any]) -> None:
    shown = {name for name, _ in found["head"]} | {row[0] for row in found["figures"]["rows"]}
    assert {"f1_macro", "ece", "nll", "loss"} <= shown
    assert shown - {"classes", "pictures judged", "training pictures"} <= found["words"].keys()
    assert found["words"].keys() <= found["terms"].keys()


def test_right_answers_are_no_worst_predictions(run: RunFolder) -> None:
    from animeid.reporting.pictures import worst
    from animeid.runs.finished import FinishedRun

    finished = FinishedRun(run)
    shown = worst(finished, Thumbnails(finished.manifest.root, 10**7))
    assert shown and all(one["label"] != one["predicted"] for one in shown)
    finished.predictions["answer"] = finished.targets  # all are right
    assert worst(finished, Thumbnails(finished.manifest.root, 10**7)) == []


def test_the_matrix_of_150_classes_can_be_zoomed_and_pointed_at(browser: Any, tmp_path: Path) -> None:
    from animeid.html.render import TEMPLATES

    script, style = ((TEMPLATES / name).read_text(encoding="utf-8") for name in ("matrix.js", "page.css"))
    labels = [f"クラス {number}" for number in range(150)]
    cells = [[number, number, 5] for number in range(150)] + [[number, (number + 1) % 150, 2] for number in range(150)]
    data = json.dumps({"labels": labels, "support": [7] * 150, "cells": cells})
    (tmp_path / "page.html").write_text(
        f"<meta charset=utf-8><link rel=icon href='data:,'><style>{style}</style><button id=zoom-in>+</button>"
        "<button id=zoom-out>-</button><button id=zoom-reset>all</button><output id=pointed></output>"
        f"<canvas id=matrix></canvas><script type='application/json' id=matrix-data>{data}</script>"
        f"<script>{script}</script>",
        encoding="utf-8",
    )
    page, said = opened(browser, tmp_path / "page.html", 1000)
    zoom = lambda: float(page.get_attribute("#matrix", "data-zoom"))  # noqa: E731
    box = page.locator("#matrix").bounding_box()
    before = page.evaluate("document.getElementById('matrix').toDataURL()")
    page.mouse.move(box["x"] + 200, box["y"] + 200)
    page.mouse.wheel(0, -400)
    page.wait_for_function("Number(document.getElementById('matrix').dataset.zoom) > 3")
    assert page.evaluate("document.getElementById('matrix').toDataURL()") != before
    page.click("#zoom-reset")
    assert zoom() == 1
    for _ in range(12):
        page.click("#zoom-in")
    assert zoom() == 37.5  # four classes fill it
    page.click("#zoom-reset")
    margin, side = 150, box["width"] - 150 - 6
    page.mouse.move(box["x"] + margin + side * (11.5 / 150), box["y"] + margin + side * (10.5 / 150))
    assert page.inner_text("#pointed") == "クラス 10 taken for クラス 11: 2 of 7"
    assert said == []
    page.close()
