"""Pictures of a run: names of all scripts, few and many classes, drawn from saved files."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from matplotlib import pyplot
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.figure import Figure
from matplotlib.font_manager import FontProperties, findfont, get_font
from PIL import Image
from sklearn.metrics import confusion_matrix

from animeid.metrics.functional import confusion_counts
from animeid.plots.class_size import draw_f1_by_size
from animeid.plots.comparison import draw_class_differences, draw_curves_of_runs
from animeid.plots.confusion import draw_confusion_matrix
from animeid.plots.curves import draw_learning_curves
from animeid.plots.fonts import font_families
from animeid.plots.long_tail import draw_long_tail, draw_shot_groups
from animeid.plots.picture import picture, shorten
from animeid.plots.schedule import draw_learning_rate
from animeid.reporting.figures import draw_confusion, draw_figures
from animeid.runs.folder import RunFolder
from animeid.system.console import text_width
from animeid.system.files import write_json
from tests.runs.fake_runs import fake_manifest

NAMES = ("初音ミク", "蕾米莉亚", "나다", "A & B", "$x_1^2$ _y_ \\frac")


@pytest.fixture(autouse=True)
def no_warnings(caplog):
    """A glyph that no font has, a weight that a font lacks and a layout that fails are all warnings."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


def size(path: Path) -> tuple[int, int]:
    with Image.open(path) as image:
        assert image.format == "PNG"
        return image.size


def dark_pixels(path: Path) -> int:
    with Image.open(path) as image:
        return int((np.asarray(image.convert("L")) < 100).sum())


def history(epochs: int) -> pd.DataFrame:
    epoch = np.arange(epochs)
    columns = {"epoch": epoch, "train/loss": 2 / (epoch + 1), "val/loss": 2.2 / (epoch + 1)}
    return pd.DataFrame(
        columns | {f"val/{name}": 1 - 1 / (epoch + 2) for name in ("acc_micro", "acc_macro", "f1_macro")}
    )


def drawn_text(monkeypatch) -> list[str]:
    """What the axes of the next pictures write beside ticks and titles."""
    texts: list[str] = []
    original = Axes.text

    def text(self, x, y, s, *args, **kwargs):
        texts.append(s)
        return original(self, x, y, s, *args, **kwargs)

    monkeypatch.setattr(Axes, "text", text)
    return texts


def test_confusion_counts_equal_sklearns() -> None:
    generator = np.random.default_rng(0)
    targets, predicted = generator.integers(4, size=(2, 99))
    expected = confusion_matrix(targets, predicted, labels=range(5))
    np.testing.assert_array_equal(confusion_counts(targets, predicted, 5).toarray(), expected)


def test_names_of_all_scripts_are_drawn(tmp_path) -> None:
    counts = np.diag([3, 4, 5, 6, 0])
    draw_confusion_matrix(counts, NAMES, tmp_path / "names.png", "初音ミク $a_b$")
    draw_confusion_matrix(counts, [" "] * 5, tmp_path / "blank.png", " ")
    assert dark_pixels(tmp_path / "names.png") > dark_pixels(tmp_path / "blank.png")
    draw_f1_by_size(np.arange(1, 6), np.linspace(0, 1, 5), NAMES, tmp_path / "size.png", "F1")


def test_every_name_has_its_glyphs() -> None:
    """A character that no font has is drawn as a box without a warning, which users could not mend."""
    fonts = [get_font(findfont(FontProperties(family=family))) for family in font_families()]
    for letter in {letter for name in NAMES for letter in name if not letter.isspace()}:
        assert any(font.get_char_index(ord(letter)) for font in fonts), letter
    assert not any(font.get_char_index(0x13000) for font in fonts)


def test_a_glyph_that_no_font_has_says_nothing(tmp_path, recwarn) -> None:
    with picture(tmp_path / "x.png", 2, 2) as figure:
        figure.text(0.5, 0.5, "\U00013000")
    assert (tmp_path / "x.png").is_file()
    assert not list(recwarn)


def test_counts_are_written_up_to_thirty_classes(tmp_path, monkeypatch) -> None:
    texts = drawn_text(monkeypatch)
    draw_confusion_matrix(np.full((30, 30), 7), [f"c{n}" for n in range(30)], tmp_path / "30.png", "30")
    assert texts == ["7"] * 900
    draw_confusion_matrix(np.full((31, 31), 7), [f"c{n}" for n in range(31)], tmp_path / "31.png", "31")
    assert len(texts) == 900


def test_lines_part_cells_that_are_large_enough_to_be_seen(tmp_path, monkeypatch) -> None:
    """At 1,500 classes they took 50 of 83 seconds after training, and hid every other pixel."""
    figures: list[Figure] = []

    @contextmanager
    def kept(*_: Any) -> Iterator[Figure]:
        figures.append(Figure())
        yield figures[-1]

    monkeypatch.setattr("animeid.plots.confusion.picture", kept)
    for classes in (300, 301):
        labels = [f"c{number}" for number in range(classes)]
        draw_confusion_matrix(np.eye(classes, dtype=int), labels, tmp_path / "matrix.png", "matrix")
    drawn = [figure.axes[0].findobj(LineCollection) for figure in figures]
    assert [[len(some.get_segments()) for some in lines] for lines in drawn] == [[299, 299], []]


def test_the_matrix_grows_so_that_150_names_fit(tmp_path) -> None:
    sizes = {}
    for classes in (5, 150):
        path = tmp_path / f"{classes}.png"
        labels = [f"{NAMES[number % 5]} {number}" for number in range(classes)]
        draw_confusion_matrix(np.eye(classes, dtype=int), labels, path, "matrix")
        sizes[classes] = size(path)
    assert max(sizes[5]) < 1200
    assert min(sizes[150]) > 150 * 20, "20 pixels a name"


def test_a_very_long_name_does_not_blow_up_the_picture(tmp_path) -> None:
    draw_confusion_matrix(np.eye(2, dtype=int), ["x" * 500, "名" * 500], tmp_path / "long.png", "long")
    assert max(size(tmp_path / "long.png")) < 1200


def test_shortened_names_keep_both_ends() -> None:
    assert shorten("Hakurei Reimu", 20) == "Hakurei Reimu"
    assert shorten("博麗霊夢" * 9, 20).startswith("博麗霊夢")
    assert text_width(shorten("博麗霊夢" * 9, 20)) <= 20
    assert shorten("character number 0123456789", 15).endswith("6789")


@pytest.mark.parametrize("epochs", [1, 3, 200])
def test_learning_curves(tmp_path, epochs: int) -> None:
    draw_learning_curves(history(epochs), tmp_path / "curves.png")
    both = size(tmp_path / "curves.png")
    draw_learning_curves(history(epochs)[["epoch", "train/loss"]], tmp_path / "train_only.png")
    assert size(tmp_path / "train_only.png")[0] < 0.7 * both[0]


def test_epochs_are_counted_from_one_wherever_people_see_them(tmp_path, monkeypatch) -> None:
    found = history(4).assign(**{"val/f1_macro": [0.5, 0.9, 0.9, 0.6], "val/loss": [2.0, 1.0, 0.9, 0.8]})
    assert found["epoch"].tolist() == [0, 1, 2, 3]
    seen: list[list[float]] = []
    notes: list[str] = []
    plot = Axes.plot

    def noted(axes: Axes, x, *values, **more):  # type: ignore[no-untyped-def]
        seen.append(list(x))
        return plot(axes, x, *values, **more)

    monkeypatch.setattr(Axes, "plot", noted)
    monkeypatch.setattr("animeid.plots.curves.side_note", lambda _axes, text: notes.append(text))
    draw_learning_curves(found, tmp_path / "curves.png")
    draw_learning_curves(found, tmp_path / "curves.png", best=2)
    draw_curves_of_runs({"one": found}, tmp_path / "runs.png")
    assert all(x == [1, 2, 3, 4] for x in seen)
    assert notes == ["best: epoch 3, f1_macro 0.900", "kept: epoch 2, f1_macro 0.900"]


@pytest.mark.parametrize(
    ("f1", "listed"),
    [
        ([0.2, 0.9, 0.8, 0.7, 0.95, 0.99], ["0.20", "0.70", "0.80"]),
        ([0.5, 0.5, 0.5, 0.5], []),
        ([0.1, 0.9], ["0.10"]),
        (np.linspace(0, 1, 40).tolist(), [f"{place / 39:.2f}" for place in range(8)]),
    ],
)
def test_half_of_the_classes_at_most_are_called_the_lowest(
    f1: list[float], listed: list[str], tmp_path, monkeypatch
) -> None:
    texts = drawn_text(monkeypatch)
    names = [f"class {number}" for number in range(len(f1))]
    draw_f1_by_size(np.arange(len(f1)) + 5, np.array(f1), names, tmp_path / "sizes.png", "F1")
    assert [text.split()[0] for text in texts if "class " in text] == listed
    assert any("lowest F1" in text for text in texts) is bool(listed)


def test_classes_of_the_long_tail_have_their_names(tmp_path, monkeypatch) -> None:
    named: list[list[str]] = []
    monkeypatch.setattr(Axes, "set_xticks", lambda _axes, _places, names=(), **_more: named.append(list(names)))
    draw_shot_groups(np.array([3, 40, 7]), ["c", "初音ミク", "b"], 100, 20, tmp_path / "groups.png")
    assert named == [["初音ミク", "b", "c"]]
    draw_shot_groups(np.arange(1, 60), [f"{n}" for n in range(59)], 100, 20, tmp_path / "many.png")
    assert len(named) == 1, "of many classes none is named, and none is numbered by its place"


def test_bars_of_many_classes_are_one_thing(tmp_path, monkeypatch) -> None:
    """A thing a class took 10 s of 10,000 classes."""
    drawn: list[int] = []
    save = Figure.savefig
    monkeypatch.setattr(
        Figure, "savefig", lambda self, *a, **k: (drawn.append(len(self.findobj())), save(self, *a, **k))
    )
    few, many = np.full(50, 7), np.full(2000, 7)
    for counts in (few, many):
        names = [f"{number}" for number in range(len(counts))]
        draw_shot_groups(counts, names, 100, 20, tmp_path / "groups.png")
        draw_long_tail(pd.Series(counts, index=names), tmp_path / "tail.png", "Tail")
    assert max(drawn) < 400
    pixels = np.asarray(Image.open(tmp_path / "groups.png").convert("RGB"))
    assert (np.abs(pixels.astype(int) - (217, 119, 43)).max(axis=2) < 30).mean() > 0.2, "few are orange"


def test_pictures_are_counted_in_whole_numbers(tmp_path, monkeypatch) -> None:
    axes: list[Axes] = []
    title = Axes.set_title
    monkeypatch.setattr(Axes, "set_title", lambda self, *a, **k: (axes.append(self), title(self, *a, **k))[1])
    draw_long_tail(pd.Series({"a": 13, "b": 6, "c": 5}), tmp_path / "tail.png", "Tail")
    assert all(float(tick).is_integer() for tick in axes[0].get_yticks())


def test_a_run_has_one_colour_in_all_charts(tmp_path, monkeypatch) -> None:
    runs = ["one", "two", "three"]
    lines: dict[str, str] = {}
    plot, scatter = Axes.plot, Axes.scatter

    def noted(axes: Axes, *values, label="", **more):  # type: ignore[no-untyped-def]
        (line,) = plot(axes, *values, label=label, **more)
        lines.setdefault(label, line.get_color())
        return [line]

    monkeypatch.setattr(Axes, "plot", noted)
    draw_curves_of_runs({name: history(3) for name in runs}, tmp_path / "curves.png")
    dots: dict[str, str] = {}
    monkeypatch.setattr(
        Axes, "scatter", lambda axes, *a, **k: (dots.update({k["label"]: k["color"]}), scatter(axes, *a, **k))[1]
    )
    draw_class_differences(pd.DataFrame(np.eye(3), columns=runs), tmp_path / "classes.png", "Classes")
    assert dots == {name: lines[name] for name in ("one", "three")}


def test_curves_of_many_runs_fit_a_page_and_are_told_apart(tmp_path, monkeypatch) -> None:
    names = [f"loss=logit_adjustment seed={number}" for number in range(6)]
    histories = {name: history(3) for name in names}
    histories[names[1]] = histories[names[1]].drop(columns="val/f1_macro")
    drawn: dict[str, set[tuple[str, str]]] = {name: set() for name in names}
    plot = Axes.plot

    def noted(axes: Axes, *values, label="", **more):  # type: ignore[no-untyped-def]
        (line,) = plot(axes, *values, label=label, **more)
        next(kinds for name, kinds in drawn.items() if shorten(name, 34) == label).add(
            (line.get_color(), line.get_linestyle())
        )
        return [line]

    monkeypatch.setattr(Axes, "plot", noted)
    draw_curves_of_runs(histories, tmp_path / "curves.png")
    assert [len(kinds) for kinds in drawn.values()] == [1] * 6, "a run has one line in all panels"
    assert len(set.union(*drawn.values())) == 6, "no two runs have the same"
    assert size(tmp_path / "curves.png")[0] * 96 / 150 < 1012, "a page has so many pixels for a chart"


def test_the_only_epoch_of_runs_stands_on_the_chart(tmp_path, monkeypatch) -> None:
    every: list[Axes] = []
    title = Axes.set_title
    monkeypatch.setattr(Axes, "set_title", lambda self, *a, **k: (every.append(self), title(self, *a, **k))[1])
    draw_curves_of_runs({"one": history(1), "two": history(1)}, tmp_path / "curves.png")
    for axes in every:
        assert axes.get_xlim() == (0, 2)
        assert all(float(tick).is_integer() for tick in axes.get_xticks())
        assert all(max(line.get_ydata()) < axes.get_ylim()[1] for line in axes.get_lines())


def test_learning_rate_of_a_run_of_one_step_and_of_many(tmp_path) -> None:
    for rates in (np.array([1e-3]), np.linspace(1e-3, 0, 1000), np.zeros(3)):
        draw_learning_rate(rates, 10, tmp_path / "rate.png")
        assert size(tmp_path / "rate.png")[0] > 500


def test_nothing_global_is_left_behind(tmp_path) -> None:
    before = dict(mpl.rcParams)
    draw_learning_curves(history(3), tmp_path / "curves.png")
    assert dict(mpl.rcParams) == before
    assert pyplot.get_fignums() == []


@pytest.fixture
def finished(tmp_path) -> RunFolder:
    folder = RunFolder(tmp_path / "run")
    folder.create()
    write_json(folder.labels, list(NAMES))
    history(4).to_csv(folder.history, index=False)
    generator = np.random.default_rng(0)
    target = generator.integers(-1, 5, size=200)
    table = pd.DataFrame(
        {
            "split": np.repeat(["train", "val", "test", "unknown"], 50),
            "target": target,
            "predicted": np.array(NAMES)[generator.integers(5, size=200)],
        }
    )
    table.to_parquet(folder.predictions)
    fake_manifest(tmp_path, table["split"].tolist(), [str(row) for row in table.index], NAMES).write(folder.manifest)
    return folder


def test_all_pictures_of_a_run_come_from_its_saved_files(finished: RunFolder, monkeypatch) -> None:
    matrices: dict[str, np.ndarray] = {}
    monkeypatch.setattr(
        "animeid.reporting.figures.draw_confusion_matrix",
        lambda counts, _labels, _path, title: matrices.update({title: counts}),
    )
    draw_figures(finished, np.linspace(1, 0, 40), 10)
    names = {path.name for path in finished.figures.iterdir()}
    assert names == {"learning_curves.png", "learning_rate.png", "f1_by_size_val.png", "f1_by_size_test.png"}
    table = pd.read_parquet(finished.predictions)
    table = table[(table["split"] == "test") & (table["target"] >= 0)]
    expected = pd.crosstab(table["target"], table["predicted"])[list(NAMES)].to_numpy()
    np.testing.assert_array_equal(matrices["Confusion matrix, test"], expected)


def test_an_evaluations_confusion_matrix(finished: RunFolder) -> None:
    draw_confusion(finished, "test")
    assert size(finished.figures / "confusion_test.png")[0] > 400
