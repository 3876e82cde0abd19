"""Shards hold what was prepared, the webdataset library reads them, and training sees what it sees with files."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from animeid import shard, train
from animeid.assembly.planning import make_plan
from animeid.assembly.run import Components, build
from animeid.config import gateway
from animeid.config.compose import compose
from animeid.data.manifest import read_manifest
from animeid.data.picture_files import decode
from animeid.data.prepare import prepare
from animeid.data.samplers.class_aware import ClassAware
from animeid.data.samplers.natural import Natural
from animeid.data.samplers.weighted import Weighted
from animeid.data.shards.order import ShardOrder
from animeid.data.shards.write import plan_shards
from animeid.errors import InputError
from animeid.imaging.decode import UnreadableImage
from animeid.system.environment import data_fingerprint
from tests.small_runs import QUICK, class_folders

COUNTS = {"初音ミク": 21, "Tom & Jerry": 13, "c": 9}


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return class_folders(tmp_path_factory.mktemp("pictures"), COUNTS)


def written(pictures: Path, output: Path, *arguments: str) -> Path:
    with pytest.MonkeyPatch.context() as patch:
        # Pictures of 5 kB would never fill a megabyte.
        patch.setattr("animeid.data.shards.write.MEGABYTE", 1_000)
        assert shard.main([f"data.root={pictures}", f"output={output}", "shard_mb=24", *arguments]) == 0
    return output


@pytest.fixture(scope="module")
def shards(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(pictures, tmp_path_factory.mktemp("shards") / "all")


@pytest.fixture(scope="module")
def class_shards(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return written(pictures, tmp_path_factory.mktemp("shards") / "by_class", "by_class=true")


def built(root: Path, *arguments: str) -> Components:
    request = compose("train", [f"data.root={root}", *QUICK, "data.batch_size=4", *arguments])
    prepared = prepare(gateway.build(request["data"]))
    return build(make_plan(request, prepared, "cpu"), prepared)


def test_the_webdataset_library_reads_what_was_prepared(pictures: Path, shards: Path) -> None:
    webdataset = pytest.importorskip("webdataset")
    index = json.loads((shards / "index.json").read_text())
    names = [entry["name"] for entry in index["shards"]]
    assert len([name for name in names if name.startswith("train")]) > 2
    manifest = read_manifest(shards / "manifest.parquet").table
    samples = list(webdataset.WebDataset([str(shards / name) for name in names], shardshuffle=False, empty_check=False))
    assert len(samples) == len(manifest) == sum(entry["pictures"] for entry in index["shards"])
    for sample, (_, row) in zip(samples, manifest.iterrows(), strict=True):
        told = json.loads(sample["json"])
        assert Path(sample["__url__"]).name + "/" + told["path"] == row["path"]
        assert sample["png"] == (pictures / told["path"]).read_bytes()
        assert int(sample["cls"]) == row["target"] and told["split"] == row["split"] and told["group"] == row["group"]
    for entry in index["shards"]:
        content = (shards / entry["name"]).read_bytes()
        assert (len(content), hashlib.sha256(content).hexdigest()) == (entry["size"], entry["sha256"])


def test_parts_are_those_of_files(pictures: Path, shards: Path) -> None:
    files, stored = (
        prepare(gateway.build(compose("train", [f"data.root={root}"])["data"])) for root in (pictures, shards)
    )
    assert files.labels == stored.labels
    columns = ["label", "split", "group", "sha256", "target", "width"]
    one = files.manifest.table.set_index("path")[columns].sort_index()
    two = stored.manifest.table.assign(path=stored.manifest.table["path"].str.partition("/")[2]).set_index("path")
    pd.testing.assert_frame_equal(one, two[columns].sort_index())
    assert data_fingerprint(files.manifest.table) == data_fingerprint(stored.manifest.table)


def test_batches_are_those_of_files(pictures: Path, shards: Path) -> None:
    files, stored = built(pictures), built(shards, "data=shards", "augment=none")
    table = stored.data.table
    seen = []
    for batch in stored.data.train_dataloader():
        assert batch["image"].dtype.is_floating_point is False and batch["image"].shape[1:] == (3, 32, 32)
        seen += batch["row"].tolist()
        assert batch["target"].tolist() == table.targets[batch["row"].numpy()].tolist()
    assert sorted(seen) == stored.data.rows("train").tolist()
    pixels = {}
    for run in (files, stored):
        batches = list(run.data.val_dataloader())
        names = [
            str(run.data.pixels.paths[row]).partition(".tar/") for batch in batches for row in batch["row"].tolist()
        ]
        images = [image.numpy() for batch in batches for image in batch["image"]]
        pixels[run is stored] = {tail or head: image for (head, _, tail), image in zip(names, images, strict=True)}
    assert pixels[True].keys() == pixels[False].keys()
    assert all(np.array_equal(image, pixels[False][name]) for name, image in pixels[True].items())


def test_an_epoch_does_not_depend_on_workers_and_goes_on_in_its_middle(shards: Path) -> None:
    def drawn(workers: int, begin: int = 0) -> list[tuple[int, bytes]]:
        data = built(shards, f"data.num_workers={workers}", "augment=basic").data
        data.resume_at(0, begin)
        return [
            (draw, image.numpy().tobytes())
            for batch in data.train_dataloader()
            for draw, image in zip(batch["draw"].tolist(), batch["image"], strict=True)
        ]

    straight = drawn(0)
    assert drawn(2) == straight
    assert drawn(0, begin=3) == straight[12:]


ROWS = np.arange(500) + 7
SHARDS = np.repeat(np.arange(10), [90, 10, 50, 50, 20, 80, 60, 40, 70, 30])


def order(ranks: int, buffer: int = 1, kinds: np.ndarray | None = None, sampler=Natural, **settings) -> ShardOrder:
    kinds = np.zeros_like(ROWS) if kinds is None else kinds
    asked = sampler(ROWS, kinds, int(kinds.max()) + 1, **settings)
    return ShardOrder(asked, ROWS, kinds, SHARDS, ranks=ranks, buffer=buffer)


@pytest.mark.parametrize("ranks", [1, 2, 3, 7])
@pytest.mark.parametrize("buffer", [1, 30, 10_000])
def test_every_picture_once_and_each_rank_its_own_stretch(ranks: int, buffer: int) -> None:
    whole = order(ranks, buffer)
    first, again, second = whole.stream(3, 0), whole.stream(3, 0), whole.stream(3, 1)
    assert (first == again).all() and (first != second).any() and (first != whole.stream(4, 0)).any()
    assert sorted(first) == ROWS.tolist() == sorted(second)
    runs = 0
    for rank in range(ranks):
        shards = SHARDS[first[rank::ranks] - 7]
        if buffer == 1:  # shard after shard, none comes again
            runs += np.count_nonzero(np.diff(shards)) + 1
            assert np.count_nonzero(np.diff(shards)) + 1 == len(set(shards.tolist()))
    assert buffer > 1 or runs <= 10 + ranks - 1  # only at borders do two ranks share a shard


def test_the_buffer_bounds_how_far_a_picture_moves() -> None:
    straight, shuffled = order(1).stream(3, 5), order(1, 30).stream(3, 5)
    place = {row: number for number, row in enumerate(straight.tolist())}
    moved = np.array([place[row] - number for number, row in enumerate(shuffled.tolist())])
    assert np.abs(moved).max() < 30 and np.abs(moved).mean() > 5


@pytest.mark.parametrize(("sampler", "settings"), [(Weighted, {"power": 1.0}), (ClassAware, {}), (Natural, {})])
@pytest.mark.parametrize("ranks", [1, 3])
def test_class_shards_keep_the_choice_of_classes(sampler, settings: dict, ranks: int) -> None:
    kinds = (SHARDS >= 2).astype(np.int64) + (SHARDS >= 8)
    whole = order(ranks, 20, kinds, sampler, **settings)
    asked = whole.sampler.stream(3, 1)
    found = whole.stream(3, 1)
    assert (kinds[found - 7] == kinds[asked - 7]).all()
    assert whole.prior().tolist() == whole.sampler.prior().tolist()
    for kind in range(3):
        times = np.bincount(found, minlength=ROWS[-1] + 1)[ROWS[kinds == kind]]
        assert times.max() - times.min() <= 1  # every picture before one repeats


def test_samplers_that_choose_classes_need_class_shards(shards: Path, class_shards: Path) -> None:
    with pytest.raises(InputError, match="Weighted chooses classes, and these shards hold all classes"):
        built(shards, "sampler=weighted")
    data = built(class_shards, "sampler=weighted").data
    targets = [target for batch in data.train_dataloader() for target in batch["target"].tolist()]
    assert len(targets) == len(data.rows("train")) and len(set(targets)) == 3
    index = json.loads((class_shards / "index.json").read_text())
    train = [entry for entry in index["shards"] if entry["split"] == "train"]
    assert {entry["label"] for entry in train} == set(COUNTS)


def test_a_cut_off_writing_goes_on_and_a_finished_one_is_kept(
    pictures: Path, shards: Path, tmp_path: Path, capsys
) -> None:
    output = tmp_path / "shards"
    written(pictures, output)
    before = {path.name: path.read_bytes() for path in output.iterdir()}
    times = {path.name: path.stat().st_mtime_ns for path in output.glob("*.tar")}
    for name in ("index.json", "train-000001.json", "val-000000.tar"):
        (output / name).unlink()
    written(pictures, output)
    assert {path.name: path.read_bytes() for path in output.glob("*.tar")} == {
        name: content for name, content in before.items() if name.endswith(".tar")
    }
    assert (output / "index.json").read_bytes() == before["index.json"] == (shards / "index.json").read_bytes()
    kept = {path.name for path in output.glob("*.tar") if path.stat().st_mtime_ns == times[path.name]}
    assert kept == times.keys() - {"train-000001.tar", "val-000000.tar"}
    assert shard.main([f"data.root={pictures}", f"output={output}"]) == 2
    assert "holds finished shards, which are never overwritten" in capsys.readouterr().err
    (output / "index.json").unlink()
    assert shard.main([f"data.root={pictures}", f"output={output}", "by_class=true"]) == 2
    assert "was begun with other settings" in capsys.readouterr().err
    assert shard.main([f"data.root={pictures}", f"output={pictures}"]) == 2
    assert "holds something else" in capsys.readouterr().err


def test_what_is_not_there_is_said(pictures: Path, tmp_path: Path, capsys, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    assert train.main(["data=shards", f"data.root={pictures}"]) == 2
    assert "no shards are there; write them with python -m animeid.shard" in capsys.readouterr().err
    output = written(pictures, tmp_path / "shards")
    (output / "train-000000.tar").write_bytes(b"")
    assert train.main(["data=shards", f"data.root={output}"]) == 2
    assert "train-000000.tar has 0 bytes of" in capsys.readouterr().err
    with pytest.raises(UnreadableImage, match="missing"):
        decode(output / "val-000000.tar" / "nobody.png", 1000)


def test_shards_in_the_place_of_a_file_are_refused_before_pictures_are_read(tmp_path: Path, capsys) -> None:
    (tmp_path / "file").write_text("precious")
    assert shard.main([f"data.root={tmp_path}", f"output={tmp_path}/file/shards"]) == 2
    assert f"output={tmp_path}/file/shards cannot be made, since {tmp_path}/file is a file" in capsys.readouterr().err


def test_shards_are_closed_by_size() -> None:
    table = pd.DataFrame(
        {"split": ["train"] * 10 + ["val"] * 3, "target": [0, 1] * 6 + [0], "label": ["a", "b"] * 6 + ["a"]}
    )
    sizes = np.full(13, 400_000)
    planned = plan_shards(table, sizes, by_class=True, shard_mb=1, seed=0)
    assert [(entry.name, entry.label, len(entry.rows)) for entry in planned] == [
        ("train-class00000-000000.tar", "a", 2),
        ("train-class00000-000001.tar", "a", 2),
        ("train-class00000-000002.tar", "a", 1),
        ("train-class00001-000000.tar", "b", 2),
        ("train-class00001-000001.tar", "b", 2),
        ("train-class00001-000002.tar", "b", 1),
        ("val-000000.tar", None, 2),
        ("val-000001.tar", None, 1),
    ]


def test_a_run_on_shards_is_whole(shards: Path, tmp_path: Path, monkeypatch) -> None:
    monkeypatch.chdir(tmp_path)
    arguments = ["data=shards", f"data.root={shards}", "run_id=run", *QUICK, "trainer.max_epochs=1", "resume=auto"]
    assert train.main(arguments) == 0
    table = pd.read_parquet(tmp_path / "outputs/run/predictions.parquet")
    assert len(table) == sum(COUNTS.values()) and table["path"].str.contains(".tar/", regex=False).all()


def test_pixels_of_shards_are_kept_as_those_of_files(shards: Path, tmp_path: Path) -> None:
    """`data.root=` alone, a folder of shards, has the cache that a folder of files has."""
    kept = built(shards, f"data.cache={tmp_path / 'cache'}").data.pixels
    assert list((tmp_path / "cache").rglob("*.pixels"))
    read = built(shards).data.pixels
    assert all(np.array_equal(kept.read(row), read.read(row)) for row in range(len(read.paths)))
