"""The data of a plan: pixels, sampler, loaders."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from animeid.assembly.model import as_size
from animeid.assembly.plan import Plan, processes_of, views_of, whole
from animeid.config import gateway
from animeid.data.cache.home import cache_home
from animeid.data.cache.pixels import FilePixels, Pixels
from animeid.data.cache.segments import CacheUnusable, open_cache
from animeid.data.datamodule import CharacterDataModule
from animeid.data.manifest import Manifest
from animeid.data.settings import DataSettings
from animeid.data.shards.settings import SHUFFLE_BUFFER
from animeid.imaging.geometry import working_side
from animeid.losses.contract import views_in_other_styles
from animeid.types import Sampler


@dataclass(frozen=True)
class OpenedPixels:
    """The working pictures of a plan's data.

    cache: the settings' own, or `off` where an `auto` one cannot be written. notes: sentences for the user.
    """

    pixels: Pixels
    cache: str
    notes: tuple[str, ...] = ()


def build_pixels(data: DataSettings, manifest: Manifest) -> OpenedPixels:
    """Opens the working pictures, and decodes first what the cache does not hold yet.

    Raises:
        InputError: a cache that is insisted on cannot be written.
    """
    files = FilePixels(manifest, data.max_pixels, working_side(as_size(data.image_size)))
    home = cache_home(data.cache)
    if home is None:
        return OpenedPixels(files, data.cache)
    try:
        return OpenedPixels(open_cache(home / "pixels", manifest, files), data.cache)
    except CacheUnusable as error:
        if data.cache != "auto":
            raise
        return OpenedPixels(files, "off", (f"WARNING: every epoch decodes all pictures anew: {error}",))


def build_data(
    plan: Plan, manifest: Manifest, labels: tuple[str, ...], sampler: Callable[..., Sampler], pixels: Pixels
) -> CharacterDataModule:
    data, beside = plan.data, plan.get("contrastive")
    return CharacterDataModule(
        manifest,
        pixels,
        labels=labels,
        image_size=as_size(data.image_size),
        crop_pct=data.crop_pct,
        batch_size=whole(data.batch_size),
        num_workers=whole(data.num_workers),
        augmentation=gateway.build(plan["augment"], "augment"),
        sampler=sampler,
        seed=plan["seed"],
        processes=processes_of(plan),
        views=views_of(plan),
        views_in_other_styles=views_in_other_styles(gateway.part_class(beside, "contrastive") if beside else None),
        shuffle_buffer=data.shard_buffer or SHUFFLE_BUFFER,
    )
