"""Finished runs read back: against the files that the run saved, scikit-learn, and naive versions."""

from __future__ import annotations

import logging
import shutil
import warnings
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from scipy.special import softmax
from sklearn.metrics import confusion_matrix
from sklearn.neighbors import KNeighborsClassifier

from animeid import train
from animeid.data.manifest import Manifest, read_manifest
from animeid.errors import InputError
from animeid.notebook.data_set import class_counts, class_tiles, explore, pair_tiles
from animeid.notebook.inline import drawn
from animeid.notebook.run import NotebookRun, read_finished
from animeid.notebook.runs import class_figures, disagreement_tiles, disagreements, figures_of_runs, read_comparable
from animeid.plots.comparison import draw_class_differences, draw_curves_of_runs
from animeid.plots.contact_sheet import Tile, draw_contact_sheet, thumbnail
from animeid.plots.embedding_map import draw_embedding_map, embedding_map, shown_pictures
from animeid.plots.long_tail import draw_long_tail, draw_sizes
from animeid.runs.folder import RunFolder
from tests.small_runs import QUICK, class_folders

COUNTS = {"初音ミク": 24, "霧雨魔理沙": 20, "Tom & Jerry": 16}


@pytest.fixture(autouse=True)
def no_warnings(caplog):
    """A glyph that no font has and a layout that fails are warnings."""
    with warnings.catch_warnings():
        warnings.filterwarnings("error", module="matplotlib")
        yield
    assert not [record for record in caplog.records if record.levelno >= logging.WARNING]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    home = tmp_path_factory.mktemp("home")
    pictures = class_folders(home / "pictures", COUNTS, coarse=6)
    shutil.copy(pictures / "初音ミク" / "0.png", pictures / "初音ミク" / "copy.png")
    shutil.copy(pictures / "初音ミク" / "1.png", pictures / "Tom & Jerry" / "misplaced.png")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(home)
        assert train.main([f"data.root={pictures}", *QUICK, "trainer.max_epochs=1", "run_id=first"]) == 0
    return home / "outputs" / "first"


@pytest.fixture(scope="module")
def run(folder: Path) -> NotebookRun:
    return read_finished(folder)


@pytest.fixture
def another(folder: Path, tmp_path: Path) -> RunFolder:
    """A copy of the run whose answers to the first three test pictures are other ones."""
    copy = RunFolder(tmp_path / "second")
    shutil.copytree(folder, copy.path)
    logits = np.load(copy.logits)
    test = np.flatnonzero((pd.read_parquet(copy.predictions)["split"] == "test").to_numpy())[:3]
    logits[test] = np.roll(logits[test], 1, axis=1)
    np.save(copy.logits, logits)
    return copy


def saved(run: NotebookRun) -> pd.DataFrame:
    table = pd.read_parquet(run.folder.predictions)
    return table[table["split"] == "test"].reset_index(drop=True)


def test_answers_are_those_that_the_run_saved(run: NotebookRun) -> None:
    table = saved(run)
    assert run.part == "test"
    for name in ("path", "label", "predicted"):
        assert run.table[name].tolist() == table[name].tolist()
    np.testing.assert_allclose(run.table["probability"], table["probability"], rtol=1e-4)
    np.testing.assert_allclose(-np.log(run.table["of_truth"]), table["loss"], rtol=1e-3, atol=1e-5)
    assert run.table["is_right"].mean() == pytest.approx(run.named_figures["test/acc_micro"])


def test_the_worst_have_the_highest_loss(run: NotebookRun) -> None:
    expected = saved(run).sort_values("loss", ascending=False)["path"].head(4)
    assert [tile.path for tile in run.worst(4)] == [run.manifest.root / path for path in expected]
    assert all(tile.path.is_file() for tile in run.worst(4))


def test_confused_pairs_are_those_of_sklearns_matrix(run: NotebookRun) -> None:
    table = saved(run)
    matrix = confusion_matrix(table["label"], table["predicted"], labels=run.labels)
    np.fill_diagonal(matrix, 0)
    found = run.confusions()
    assert found["pictures"].tolist() == sorted(matrix[matrix > 0].tolist(), reverse=True)
    for pair in found.itertuples():
        assert matrix[run.labels.index(pair.true), run.labels.index(pair.predicted)] == pair.pictures
    shown = run.confused(2, pairs=1)
    assert len(shown) == min(2, found["pictures"].iloc[0])
    assert {tile.lines[0] for tile in shown} == {found["true"].iloc[0]}


def test_figures_stand_with_their_intervals(run: NotebookRun) -> None:
    figures = run.figures()
    metrics = run.named_figures
    assert figures.loc["f1_macro", "figure"] == metrics["test/f1_macro"]
    low, high = metrics["test/f1_macro_ci"]
    assert figures.loc["f1_macro", ["low", "high"]].tolist() == [low, high]
    assert "top5" not in figures.index, "with three classes it could not be wrong"


def test_what_is_no_finished_run_is_refused(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(InputError, match="there is no run folder"):
        read_finished(tmp_path / "nowhere")
    shutil.copytree(folder, tmp_path / "half")
    RunFolder(tmp_path / "half").metrics.unlink()
    with pytest.raises(InputError, match="is not finished"):
        read_finished(tmp_path / "half")


def test_runs_differ_where_their_answers_do(run: NotebookRun, folder: Path, another: RunFolder) -> None:
    runs = read_comparable([folder, another.path])
    logits = {name: softmax(found.answers.logits, axis=1) for name, found in runs.items()}
    truth = run.manifest.table["target"].to_numpy()[run.answers.rows]
    expected = []
    for place, target in enumerate(truth):
        right = [chances[place].argmax() == target for chances in logits.values()]
        if any(right) and not all(right):
            of_truth = [chances[place][target] for chances in logits.values()]
            expected.append((-abs(of_truth[0] - of_truth[1]), run.table["path"].iloc[place]))
    found = disagreements(runs)
    assert expected
    assert found["path"].tolist() == [path for _, path in sorted(expected)]
    tiles = disagreement_tiles(runs, 2)
    assert len(tiles) == min(2, len(expected))
    assert tiles[0].lines[1:] == (f"first: {found['first'].iloc[0]}", f"second: {found['second'].iloc[0]}")


def test_tables_of_runs(run: NotebookRun, folder: Path, another: RunFolder) -> None:
    runs = read_comparable([folder, another.path])
    figures = figures_of_runs(runs)
    assert list(figures.columns) == ["first", "second"]
    low, high = run.named_figures["test/nll_ci"]
    assert figures.loc["nll", "first"] == f"{run.named_figures['test/nll']:.3f} [{low:.3f}, {high:.3f}]"
    assert set(class_figures(runs).index) == set(COUNTS)


def test_runs_that_were_judged_on_other_pictures_are_refused(folder: Path, another: RunFolder) -> None:
    manifest = read_manifest(another.manifest)
    table = manifest.table.copy()
    moved = table.index[table["split"] == "test"][0]
    table.loc[moved, "split"] = "train"
    Manifest(table, manifest.root).write(another.manifest)
    with pytest.raises(InputError, match="was judged on other test pictures"):
        read_comparable([folder, another.path])


def test_one_run_is_no_comparison(folder: Path) -> None:
    for runs in ([folder], [folder, folder]):
        with pytest.raises(InputError, match="two or more runs"):
            read_comparable(runs)


def test_a_folder_is_explored(run: NotebookRun) -> None:
    found = explore(run.manifest.root)
    assert class_counts(found).to_dict() == {"初音ミク": 25, "霧雨魔理沙": 20, "Tom & Jerry": 17}
    names = [tile.path.name for tile in pair_tiles(found, found.duplicates, "exact", 5)]
    assert names == ["copy.png", "0.png"] or names == ["0.png", "copy.png"]
    contradiction = pair_tiles(found, found.conflicts, "exact", 5)
    assert {tile.path.name for tile in contradiction} == {"1.png", "misplaced.png"}
    assert all(tile.frame for tile in contradiction)
    assert len(class_tiles(found, "霧雨魔理沙", 6)) == 6
    with pytest.raises(InputError, match="no class 'nobody'"):
        class_tiles(found, "nobody", 6)


def test_a_runs_manifest_is_explored_as_well(run: NotebookRun) -> None:
    found = explore(run.folder.manifest)
    assert class_counts(found).sum() == 62
    assert len(found.duplicates) == 1


def test_equal_embeddings_give_equal_maps_that_keep_neighbours() -> None:
    generator = np.random.default_rng(0)
    labels = np.repeat(np.arange(3), 20)
    embeddings = np.eye(3, 16)[labels] + 0.1 * generator.normal(size=(60, 16))
    places = embedding_map(embeddings)
    assert places.min() == 0
    assert places.max() == 1
    np.testing.assert_array_equal(places, embedding_map(embeddings))
    np.testing.assert_allclose(places, embedding_map(embeddings * 4), atol=1e-3)  # length plays no part
    neighbours = KNeighborsClassifier(5).fit(places, labels)
    assert neighbours.score(places, labels) == 1
    with pytest.raises(InputError, match="at least three"):
        embedding_map(embeddings[:2])


def test_each_cell_of_the_map_shows_the_picture_nearest_to_its_middle() -> None:
    places = np.random.default_rng(1).random((200, 2))
    best: dict[tuple[int, int], int] = {}
    for row, (x, y) in enumerate(places):
        cell = (int(x * 4), int(y * 4))
        middle = ((cell[0] + 0.5) / 4, (cell[1] + 0.5) / 4)
        if cell not in best or np.hypot(x - middle[0], y - middle[1]) < np.hypot(*(places[best[cell]] - middle)):
            best[cell] = row
    assert sorted(shown_pictures(places, 4).tolist()) == sorted(best.values())


def test_a_thumbnail_keeps_the_whole_picture_on_white(tmp_path: Path) -> None:
    Image.new("RGB", (80, 40), "black").save(tmp_path / "wide.png")
    found = thumbnail(tmp_path / "wide.png", 20)
    assert found.shape == (20, 20, 3)
    assert (found[:4] == 255).all()
    assert (found[8:12] == 0).all()


def test_a_sheet_says_which_picture_is_missing(tmp_path: Path) -> None:
    Image.new("RGB", (30, 60), "black").save(tmp_path / "tall.png")
    tiles = [Tile(tmp_path / "tall.png", ("初音ミク", "x" * 99), "#ff0000"), Tile(tmp_path / "gone.png")]
    one = drawn(draw_contact_sheet, tiles=tiles[:1], title="one")
    two = drawn(draw_contact_sheet, tiles=tiles, title="two")
    assert two.width > 1.7 * one.width
    none = drawn(draw_contact_sheet, tiles=[], title="nothing")
    assert none.height < one.height


def test_the_charts_are_drawn_with_names_of_all_scripts(run: NotebookRun, tmp_path: Path) -> None:
    history = pd.DataFrame({"epoch": [0, 1], "train/loss": [2.0, 1.0], "val/f1_macro": [0.1, 0.2]})
    drawn(draw_curves_of_runs, histories={"初": history, "second": history[["epoch", "train/loss"]]})
    f1 = pd.DataFrame({"a": [0.1, 0.5, np.nan], "b": [0.4, 0.2, 1.0]}, index=list(COUNTS))
    drawn(draw_class_differences, figures=f1, title="F1")
    drawn(draw_long_tail, counts=pd.Series(COUNTS), title="tail")
    drawn(draw_long_tail, counts=pd.Series({f"c{n}": 200 - n for n in range(100)}), title="tail")
    drawn(draw_sizes, widths=np.array([40, 40, 900]), heights=np.array([40, 60, 80]), title="sizes")
    places = np.random.default_rng(0).random((len(run.table), 2))
    right = run.table["is_right"].to_numpy()
    drawn(draw_embedding_map, places=places, pictures=run.paths(), is_right=right, title="map")
    with pytest.raises(ValueError, match="no run has"):
        draw_curves_of_runs({"a": history[["epoch"]]}, tmp_path / "x.png")
