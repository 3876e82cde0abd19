"""Batches: content, reproducibility over workers and resumes, memory, errors."""

from __future__ import annotations

import pickle
import warnings
from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import yaml
from lightning.pytorch import LightningModule, Trainer
from PIL import Image
from scipy.stats import entropy

from animeid.config.gateway import build
from animeid.data.cache.pixels import FilePixels
from animeid.data.datamodule import CharacterDataModule
from animeid.data.dataset import PictureDataset, PictureTable, draw_seed
from animeid.data.histograms import colour_histogram
from animeid.data.manifest import Manifest
from animeid.data.samplers.natural import Natural
from animeid.data.samplers.weighted import Weighted
from animeid.data.stream import shared_epoch
from animeid.engine.trainer import quieten
from animeid.errors import InputError
from animeid.types import Batch
from tests.small_runs import quiet_trainer

CARDS = Path(__file__).resolve().parents[2] / "conf" / "augment"
SPLITS = ["train"] * 17 + ["val"] * 5 + ["test"] * 6 + ["unknown"] * 2
LABELS = ("a", "b", "c")


@pytest.fixture(scope="module")
def manifest(tmp_path_factory: pytest.TempPathFactory) -> Manifest:
    root = tmp_path_factory.mktemp("pictures")
    generator = np.random.default_rng(0)
    names = [f"名前 {number} & co.png" for number in range(len(SPLITS))]
    for name in names:
        height, width = generator.integers(10, 90, 2)
        Image.fromarray(generator.integers(0, 256, (height, width, 3), dtype=np.uint8)).save(root / name)
    targets = [-1 if split == "unknown" else number % len(LABELS) for number, split in enumerate(SPLITS)]
    hats = [1.0, 0.0, float("nan")] * (len(SPLITS) // 3)
    table = pd.DataFrame({"path": names, "split": SPLITS, "target": targets, "hat": hats, "smile": hats[::-1]})
    table["style"] = ""
    return Manifest(table, root, ("hat", "smile"))


def module(manifest: Manifest, num_workers: int = 0, **changes: object) -> CharacterDataModule:
    basic = yaml.safe_load((CARDS / "basic.yaml").read_text())
    settings = {
        "labels": LABELS,
        "image_size": (24, 32),
        "crop_pct": 0.9,
        "batch_size": 4,
        "num_workers": num_workers,
        "augmentation": build(basic, "augment"),
        "sampler": Natural,
        "seed": 3,
        "pixels": FilePixels(manifest, 10_000, 48),
    }
    return CharacterDataModule(manifest, **(settings | changes))  # type: ignore[arg-type]


def contents(batches: Iterable[Batch]) -> list[tuple[int, int, bytes]]:
    """Row, draw and pixels of every picture, in order."""
    return [
        (int(row), int(draw), image.numpy().tobytes())
        for batch in batches
        for row, draw, image in zip(batch["row"], batch["draw"], batch["image"], strict=True)
    ]


def epochs(data: CharacterDataModule, count: int) -> Iterator[list[tuple[int, int, bytes]]]:
    """Several epochs of one loader, as Lightning runs them."""
    loader = data.train_dataloader()
    for epoch in range(count):
        loader.batch_sampler.sampler.set_epoch(epoch)
        yield contents(loader)


def test_batches_keep_the_contract(manifest: Manifest) -> None:
    data = module(manifest)
    batches = list(data.train_dataloader())
    assert [len(batch["row"]) for batch in batches] == [4, 4, 4, 5]
    for batch in batches:
        assert batch["image"].shape == (len(batch["row"]), 3, 24, 32)
        assert batch["image"].dtype == torch.uint8
        assert batch["image"].is_contiguous(memory_format=torch.channels_last)
        assert batch["target"].dtype == batch["row"].dtype == batch["draw"].dtype == torch.int64
        rows = batch["row"].numpy()
        table = manifest.table.iloc[rows]
        assert (batch["target"].numpy() == table["target"]).all()
        assert batch["attributes"].dtype == torch.float32
        np.testing.assert_array_equal(batch["attributes"].numpy(), table[["hat", "smile"]])
    draws = torch.cat([batch["draw"] for batch in batches])
    assert draws.tolist() == list(range(17))
    rows = torch.cat([batch["row"] for batch in batches])
    assert sorted(rows.tolist()) == list(range(17))


def test_a_manifest_without_attributes_has_none_in_its_batches(manifest: Manifest) -> None:
    plain = Manifest(manifest.table[["path", "split", "target", "style"]], manifest.root)
    assert "attributes" not in next(iter(module(plain).val_dataloader()))


def test_evaluation_shows_each_row_once_and_unchanged_by_the_seed(manifest: Manifest) -> None:
    data, other = module(manifest), module(manifest, seed=99)
    for rows in (data.rows("val"), data.rows("test"), np.arange(len(SPLITS))):
        batches = list(data.evaluation_dataloader(rows))
        assert torch.cat([batch["row"] for batch in batches]).tolist() == rows.tolist()
        assert contents(batches) == contents(other.evaluation_dataloader(rows))
    unknown = next(iter(data.evaluation_dataloader(data.rows("unknown"))))
    assert unknown["target"].tolist() == [-1, -1]


def test_workers_change_nothing(manifest: Manifest) -> None:
    """Albumentations' own generators repeat in workers, and persistent workers miss a later epoch."""
    expected = list(epochs(module(manifest), 3))
    assert list(epochs(module(manifest, num_workers=2), 3)) == expected
    pixels = [picture for epoch in expected for _, _, picture in epoch]
    assert len(set(pixels)) == len(pixels) == 3 * 17


def test_the_global_generator_does_not_notice_loading(manifest: Manifest) -> None:
    """Otherwise dropout would depend on the number of workers."""
    torch.manual_seed(0)
    expected = torch.rand(1)
    for num_workers in (0, 1):
        torch.manual_seed(0)
        list(module(manifest, num_workers=num_workers).val_dataloader())
        assert torch.rand(1) == expected


def test_seed_and_epoch_change_order_and_pixels(manifest: Manifest) -> None:
    first, second = epochs(module(manifest), 2)
    other = next(epochs(module(manifest, seed=4), 1))
    for one in (second, other):
        assert [row for row, _, _ in one] != [row for row, _, _ in first]
        assert not {pixels for _, _, pixels in one} & {pixels for _, _, pixels in first}


@pytest.mark.parametrize("num_workers", [0, 2])
def test_a_resumed_epoch_is_the_tail_of_the_whole(manifest: Manifest, num_workers: int) -> None:
    *_, whole = epochs(module(manifest), 3)
    loader = module(manifest, num_workers=num_workers).train_dataloader()
    loader.batch_sampler.sampler.resume_at(2, start=2, batch_size=4)
    assert contents(loader) == whole[8:]


class OnePicture:
    """A sampler with replacement at its extreme."""

    def __init__(self, rows: np.ndarray, targets: np.ndarray, num_classes: int) -> None:
        self.row = rows[0]

    def stream(self, seed: int, epoch: int) -> np.ndarray:
        return np.full(20, self.row)


@pytest.mark.parametrize("num_workers", [0, 2])
def test_one_picture_drawn_20_times_is_augmented_in_20_ways(manifest: Manifest, num_workers: int) -> None:
    data = module(manifest, num_workers=num_workers, sampler=OnePicture)
    drawn = [contents for epoch in epochs(data, 2) for contents in epoch]
    assert {row for row, _, _ in drawn} == {0}
    assert len({pixels for _, _, pixels in drawn}) == 40


def test_draw_seeds_are_distinct_and_spread() -> None:
    seeds = [draw_seed(seed, epoch, draw) for seed in range(5) for epoch in range(20) for draw in range(50)]
    assert len(set(seeds)) == len(seeds)
    counts = np.bincount(np.array(seeds, dtype=np.uint64).astype(np.int64) & 15, minlength=16)
    assert entropy(counts, base=2) > 3.99


def test_a_weighted_sampler_reaches_the_batches(manifest: Manifest) -> None:
    data = module(manifest, sampler=Weighted)
    assert data.sampler.prior() == pytest.approx(np.full(3, 1 / 3))


@pytest.mark.parametrize("num_workers", [0, 1])
def test_a_vanished_picture_is_named_in_one_sentence(manifest: Manifest, num_workers: int) -> None:
    table = manifest.table.copy()
    table.loc[19, "path"] = "gone.png"
    data = module(Manifest(table, manifest.root), num_workers=num_workers)
    with pytest.raises(InputError) as caught:
        list(data.val_dataloader())
    assert str(manifest.root / "gone.png") in str(caught.value)
    assert "\n" not in str(caught.value)


def test_the_pixel_cap_holds_while_loading(manifest: Manifest) -> None:
    with pytest.raises(InputError, match="png"):
        next(iter(module(manifest, pixels=FilePixels(manifest, 50, 48)).val_dataloader()))


def test_a_data_set_can_be_sent_to_another_process(manifest: Manifest) -> None:
    """Where workers are not forks, it is pickled."""
    data = module(manifest)
    dataset = PictureDataset(
        PictureTable(manifest), data.pixels, data.augmentation, image_size=(24, 32), seed=1, epoch=shared_epoch()
    )
    batch, again = (one.__getitems__([(3, 5)]) for one in (dataset, pickle.loads(pickle.dumps(dataset))))
    assert torch.equal(batch["image"], again["image"])


def test_a_table_holds_no_python_object_for_each_picture(manifest: Manifest) -> None:
    """Objects would be copied into every worker as their reference counts are written."""
    table, files = PictureTable(manifest), FilePixels(manifest, 10_000, 48)
    assert all(array.dtype != object for array in (files.paths, table.targets, table.attributes))
    assert files.path(4) == manifest.root / manifest.table["path"][4]
    assert files.path(4).is_file()


@pytest.mark.slow
def test_workers_that_are_no_forks_see_the_epoch_too(manifest: Manifest) -> None:
    """macOS and Windows start workers afresh."""
    data = module(manifest, num_workers=1)
    loader = data.train_dataloader()
    loader.multiprocessing_context = "spawn"
    for epoch, expected in enumerate(epochs(module(manifest), 2)):
        loader.batch_sampler.sampler.set_epoch(epoch)
        assert contents(loader) == expected


class Recorder(LightningModule):
    """Trains nothing and notes what it was shown."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(1))
        self.shown: dict[int, list[int]] = {}

    def training_step(self, batch: Batch, batch_idx: int) -> torch.Tensor:
        self.shown.setdefault(self.current_epoch, []).extend(batch["row"].tolist())
        return self.weight.sum()

    def validation_step(self, batch: Batch, batch_idx: int) -> None:
        assert batch["image"].dtype == torch.uint8

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), lr=0.1)


@pytest.mark.parametrize("num_workers", [0, 1])
def test_lightning_sets_the_epoch_also_in_a_resumed_run(manifest: Manifest, tmp_path: Path, num_workers: int) -> None:
    quiet = {
        "accelerator": "cpu",
        "logger": False,
        "enable_progress_bar": False,
        "enable_model_summary": False,
        "use_distributed_sampler": False,
    }
    expected = [[row for row, _, _ in epoch] for epoch in epochs(module(manifest), 3)]
    recorder, trainer = Recorder(), Trainer(max_epochs=2, enable_checkpointing=False, **quiet)
    trainer.fit(recorder, datamodule=module(manifest, num_workers=num_workers))
    assert recorder.shown == {0: expected[0], 1: expected[1]}
    trainer.save_checkpoint(tmp_path / "last.ckpt")
    resumed, trainer = Recorder(), Trainer(max_epochs=3, enable_checkpointing=False, **quiet)
    trainer.fit(resumed, datamodule=module(manifest, num_workers=num_workers), ckpt_path=tmp_path / "last.ckpt")
    assert resumed.shown == {2: expected[2]}


def test_colour_histogram_counts_colours() -> None:
    image = np.zeros((64, 32, 3), np.uint8)
    image[:16] = (255, 100, 31)
    histogram = colour_histogram(image)
    assert histogram.shape == (512,)
    assert histogram.dtype == np.float32
    assert histogram[0] == 0.75
    assert histogram[7 * 64 + 3 * 8 + 0] == 0.25
    noise = np.random.default_rng(0).integers(0, 256, (40, 50, 3), dtype=np.uint8)
    edges = [np.arange(0, 257, 32)] * 3
    expected, _ = np.histogramdd(noise.reshape(-1, 3), edges)
    np.testing.assert_allclose(colour_histogram(noise), expected.ravel() / 2000, rtol=1e-6)


def test_colour_histogram_of_a_large_picture_is_that_of_a_small_one() -> None:
    small = np.random.default_rng(1).integers(0, 256, (64, 64, 3), dtype=np.uint8)
    large = small.repeat(5, axis=0).repeat(5, axis=1)
    np.testing.assert_array_equal(colour_histogram(small), colour_histogram(large))
    assert colour_histogram(small[:1, :1]).sum() == 1


class Counting(LightningModule):
    """Counts the steps of training and of validation."""

    def __init__(self) -> None:
        super().__init__()
        self.weight = torch.nn.Parameter(torch.zeros(()))
        self.steps = {"train": 0, "val": 0}

    def training_step(self, batch: Batch) -> torch.Tensor:
        self.steps["train"] += 1
        return self.weight * 0

    def validation_step(self, batch: Batch) -> None:
        self.steps["val"] += 1

    def configure_optimizers(self) -> torch.optim.Optimizer:
        return torch.optim.SGD(self.parameters(), 0.1)


def test_training_without_a_val_part_warns_of_no_empty_loader(manifest: Manifest) -> None:
    """Lightning's own words on it, which name our classes, came with every such run."""
    table = manifest.table.assign(split=manifest.table["split"].replace({"val": "excluded"}))
    for given, validated in ((manifest, True), (Manifest(table, manifest.root, manifest.attributes), False)):
        counting = Counting()
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            quieten()
            quiet_trainer().fit(counting, datamodule=module(given))
        assert (counting.steps["val"] > 0, counting.steps["train"]) == (validated, 4)
        assert not [warning for warning in told if "is zero" in str(warning.message)]
