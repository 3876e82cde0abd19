"""Settings that are compared in trainings from published weights."""

from __future__ import annotations

from dataclasses import dataclass

COMMON = (
    "recipe=none",
    "test=false",
    "logger=none",
    "embeddings=off",
    "data.num_workers=0",
    "model=efficientnet_lite0",
    "model.pretrained=true",
    "data.image_size=64",
    "loss=balanced_softmax",
    "scheduler=one_cycle",
)
STYLES = ("noto", "openmoji")
FEW = (*STYLES, "few")
ALL = (*FEW, "groups")


@dataclass(frozen=True)
class Variant:
    """Settings, the sets that they were tried on, and the number of seeds: few where it was clear."""

    arguments: tuple[str, ...]
    sets: tuple[str, ...] = ALL
    seeds: int = 1


def rate(value: str, *rest: str) -> tuple[str, ...]:
    return (f"optimizer.lr={value}", *rest)


BASIC, STYLE, FITTED = "augment=basic", "augment=style", "head_init=fitted"
HIGH = "1e-3"
VARIANTS = {
    "basic_3e-4": Variant(rate("3e-4", BASIC)),
    "basic_1e-3": Variant(rate(HIGH, BASIC)),
    "fitted_1e-3": Variant(rate(HIGH, BASIC, FITTED)),
    "style_fitted_1e-3": Variant(rate(HIGH, STYLE, FITTED)),
    "adaptive": Variant(rate(HIGH, "augment=adaptive", FITTED), ("few", "groups")),
    "batch_16_half": Variant(
        rate("7e-4", BASIC, FITTED, "data.batch_size=16", "trainer.max_epochs=15"), ("noto", "few")
    ),
    "128_px": Variant(rate(HIGH, BASIC, FITTED, "data.image_size=128", "trainer.max_epochs=8"), ("noto", "few")),
    "224_px": Variant(rate(HIGH, BASIC, FITTED, "data.image_size=224", "trainer.max_epochs=3"), ("noto", "few")),
    "224_px_9": Variant(rate(HIGH, BASIC, FITTED, "data.image_size=224", "trainer.max_epochs=9"), ("noto", "few")),
}
