"""The data of a plan: pixels, sampler, loaders."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from animeid.assembly.model import as_size
from animeid.assembly.plan import Plan, processes_of, views_of
from animeid.config import gateway
from animeid.data.cache.home import cache_home
from animeid.data.cache.pixels import FilePixels, Pixels
from animeid.data.cache.segments import CacheFull, open_cache
from animeid.data.datamodule import CharacterDataModule
from animeid.data.manifest import Manifest
from animeid.data.shards.settings import SHUFFLE_BUFFER
from animeid.imaging.geometry import working_side
from animeid.types import Sampler


def build_pixels(data: dict[str, Any], manifest: Manifest) -> tuple[Pixels, tuple[str, ...]]:
    """The working pictures of a plan's data; its cache becomes `off` where an `auto` one has no room."""
    files = FilePixels(manifest, data["max_pixels"], working_side(as_size(data["image_size"])))
    chosen = data.get("cache", "off")  # runs of versions without a cache
    home = cache_home(chosen)
    if home is None:
        return files, ()
    try:
        return open_cache(home / "pixels", manifest, files), ()
    except CacheFull as error:
        if chosen != "auto":
            raise
        data["cache"] = "off"
        return files, (f"WARNING: every epoch decodes all pictures anew: {error}",)


def build_data(
    plan: Plan, manifest: Manifest, labels: tuple[str, ...], sampler: Callable[..., Sampler], pixels: Pixels
) -> CharacterDataModule:
    data = plan["data"]
    return CharacterDataModule(
        manifest,
        pixels,
        labels=labels,
        image_size=as_size(data["image_size"]),
        crop_pct=data["crop_pct"],
        batch_size=data["batch_size"],
        num_workers=data["num_workers"],
        augmentation=gateway.build(plan["augment"], "augment"),
        sampler=sampler,
        seed=plan["seed"],
        processes=processes_of(plan),
        views=views_of(plan),
        shuffle_buffer=data.get("shuffle_buffer", SHUFFLE_BUFFER),
    )
