"""The batches of a run."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import numpy as np
import torch
from lightning.pytorch import LightningDataModule
from torch.utils.data import DataLoader

from animeid.data.augmentation import as_augmentation
from animeid.data.cache.pixels import Pixels
from animeid.data.dataset import PictureDataset, PictureTable, Transform, as_it_is, begin_worker, prepare_worker
from animeid.data.manifest import Manifest
from animeid.data.samplers.stateless import class_counts
from animeid.data.samplers.views import RepeatedViews
from animeid.data.shards.layout import is_shard_folder, read_index
from animeid.data.shards.order import in_order_of_shards
from animeid.data.shards.settings import SHUFFLE_BUFFER
from animeid.data.stream import EvaluationOrder, ShardedStream, TrainingBatches, shared_epoch
from animeid.errors import InputError
from animeid.imaging.evaluation import EvalTransform
from animeid.system.shared_memory import fitting_workers
from animeid.types import Batch, Sampler


class PictureLoader(DataLoader[Batch]):
    """A loader that starts working when the first batch is asked for, and passes an InputError on as its sentence.

    Lightning makes the iterator of a resumed run before it sets the epoch; a loader that had prefetched by then would
    show the first epoch's pictures. An exception in a worker arrives with the worker's traceback as its message.
    """

    def __iter__(self) -> Iterator[Any]:  # type: ignore[override]
        try:
            yield from super().__iter__()
        except InputError as error:
            raise InputError(str(error).rsplit("InputError: ", 1)[-1].strip()) from error


class CharacterDataModule(LightningDataModule):
    """Loads the pictures of a manifest that has targets and splits.

    Training batches are made of the sampler's stream and augmented; evaluation batches hold every row of a split
    once, in the order of the manifest, resized and cut around the centre. Images are uint8 `[B, 3, H, W]` and
    normalised on the device. Memory holds the manifest and the batches under way, never the pictures; pages of the
    cache's files that the system keeps are its to drop.

    Args:
        manifest: `target` and `split` filled in.
        pixels: the manifest's working pictures, for `image_size`.
        labels: class names in target order.
        image_size: (H, W).
        crop_pct: the share of the resized picture that evaluation's centre crop keeps.
        batch_size: pictures a batch and rank.
        num_workers: loader processes; 0 loads in the main process, as it does where shared memory is too small.
        augmentation: called with `image_size`, gives the training transform.
        sampler: called with `rows`, `targets` and `num_classes`, gives the global training stream.
        seed: moves sampling and augmentation.
        processes: so many share a training epoch.
        views: how often each drawn picture stands in a batch.
        shuffle_buffer: of pictures in shards (see `animeid.data.shards.order`).
    """

    def __init__(
        self,
        manifest: Manifest,
        pixels: Pixels,
        *,
        labels: Sequence[str],
        image_size: tuple[int, int],
        crop_pct: float,
        batch_size: int,
        num_workers: int,
        augmentation: Callable[..., Transform],
        sampler: Callable[..., Sampler],
        seed: int,
        processes: int = 1,
        views: int = 1,
        shuffle_buffer: int = SHUFFLE_BUFFER,
    ) -> None:
        super().__init__()
        prepare_worker()
        self.processes, self.views = processes, views
        self.table = PictureTable(manifest)
        self.pixels = pixels
        self.image_size = image_size
        self.splits = manifest.table["split"].to_numpy(str)
        self.batch_size = batch_size
        self.num_workers = fitting_workers(num_workers, batch_size * math.prod(image_size) * 3)
        self.seed = seed
        self.augmentation = as_augmentation(augmentation(image_size=image_size))
        self.evaluation = EvalTransform(image_size, crop_pct)
        self.epoch = shared_epoch()
        self.trained = (0, 0)
        rows = self.rows("train")
        self.sampler = sampler(rows=rows, targets=self.table.targets[rows], num_classes=len(labels))
        self.augmentation.look_at(class_counts(self.table.targets[rows], len(labels)))
        if is_shard_folder(manifest.root) and len(rows):
            paths, targets = manifest.table["path"].to_numpy(str)[rows], self.table.targets[rows]
            self.sampler = in_order_of_shards(
                self.sampler,
                read_index(manifest.root),
                paths,
                rows,
                targets,
                ranks=processes,
                buffer=shuffle_buffer,
            )
        if views > 1:
            self.sampler = RepeatedViews(self.sampler, views)

    def rows(self, split: str) -> np.ndarray:
        """`[N]` int64: the manifest rows of a split, in order; empty where there is no such part."""
        return np.flatnonzero(self.splits == split)

    @property
    def batches_per_epoch(self) -> int:
        """Training batches of one rank."""
        return len(self._training_batches())

    def resume_at(self, epoch: int, batches: int) -> None:
        """Makes the training loader begin in `epoch` after so many batches of it, which were trained on already."""
        self.trained = (epoch, batches)

    def train_dataloader(self) -> PictureLoader:
        batches = self._training_batches()
        batches.sampler.resume_at(*self.trained, self.batch_size)
        return self._loader(self.augmentation, batch_sampler=batches)

    def fresh_train_dataloader(self) -> PictureLoader:
        """The whole of the epoch under way once more, for statistics over the training part."""
        return self._loader(self.augmentation, batch_sampler=self._training_batches())

    def state_dict(self) -> dict[str, Any]:
        return {"sampler": self.sampler.state_dict(), **self.augmentation.state_dict()}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        self.sampler.load_state_dict(state_dict["sampler"])
        self.augmentation.load_state_dict(state_dict)

    def _training_batches(self) -> TrainingBatches:
        rank, _ = self._share()
        share = {"rank": rank, "world_size": self.processes, "views": self.views}
        stream = ShardedStream(self.sampler, seed=self.seed, epoch=self.epoch, **share)
        return TrainingBatches(stream, self.batch_size)

    def evaluation_dataloader(self, rows: np.ndarray) -> PictureLoader:
        """Batches of these manifest rows, each once."""
        rank, world_size = self._share()
        order = EvaluationOrder(rows, rank=rank, world_size=world_size)
        return self._loader(self.evaluation, sampler=order, batch_size=self.batch_size)

    def val_dataloader(self) -> PictureLoader:
        return self.evaluation_dataloader(self.rows("val"))

    def _share(self) -> tuple[int, int]:
        """Rank and number of processes; one process where no trainer has attached itself."""
        return (self.trainer.global_rank, self.trainer.world_size) if self.trainer is not None else (0, 1)

    def _loader(self, transform: Transform, **order: Any) -> PictureLoader:
        return PictureLoader(
            PictureDataset(
                self.table,
                self.pixels,
                transform,
                image_size=self.image_size,
                seed=self.seed,
                epoch=self.epoch,
            ),
            num_workers=self.num_workers,
            persistent_workers=self.num_workers > 0,
            pin_memory=torch.cuda.is_available(),
            collate_fn=as_it_is,  # type: ignore[arg-type]  # __getitems__ makes batches, not lists
            worker_init_fn=begin_worker,
            # With its own generator the loader takes nothing from the global one, so that initialisation and dropout
            # do not depend on the number of workers.
            generator=torch.Generator().manual_seed(self.seed),
            **order,
        )
