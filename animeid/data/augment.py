"""Training transforms of one picture; the only importer of albumentations.

Training transforms are reseeded for every draw. Albumentations' own generators are copied into each loader worker and
repeat there, so they are replaced before each picture by generators that depend on the draw's seed alone.
"""

from __future__ import annotations

import inspect
import os
import random
from collections.abc import Mapping
from typing import Annotated, Any, TypeAlias

import numpy as np
from annotated_types import Gt, Interval

from animeid.data.colour import adjust_brightness, adjust_contrast, adjust_hue, adjust_saturation
from animeid.data.torch_resize import resize
from animeid.errors import InputError
from animeid.imaging.evaluation import EvalTransform
from animeid.terms import UNKNOWN_TARGET

# Without this albumentations asks its package index for a newer version whenever it is imported.
os.environ["NO_ALBUMENTATIONS_UPDATE"] = "1"

import albumentations as A  # noqa: N812

Op: TypeAlias = A.BasicTransform | A.BaseCompose


class Augmentation:
    """A training transform: crop and resize to the image size, then the named operations in their order.

    The operations see pictures of the final size, so that their cost and their strength in pixels do not depend on the
    size of the file.

    Args:
        ops: albumentations transforms by name, so that a name can be changed from the command line.
        image_size: (H, W) of the output.
        crop_scale: bounds of the share of the picture's area that a random crop keeps; None resizes and cuts the
            centre as evaluation does at crop_pct 1.
        crop_ratio: bounds of the random crop's width over height, relative to that of the output.

    Raises:
        InputError: an operation has an argument that albumentations does not know; it would only warn and ignore it.
    """

    def __init__(
        self,
        ops: Mapping[str, Op],
        *,
        image_size: tuple[int, int],
        crop_scale: tuple[Annotated[float, Interval(gt=0, le=1)], Annotated[float, Interval(gt=0, le=1)]] | None = None,
        crop_ratio: tuple[Annotated[float, Gt(0)], Annotated[float, Gt(0)]] = (3 / 4, 4 / 3),
    ) -> None:
        for name, op in ops.items():
            _refuse_unknown_arguments(name, op)
        self.ops = list(ops.values())
        self.fit = EvalTransform(image_size, crop_pct=1.0, resize=resize)
        self.crop = None if crop_scale is None else _random_crop(image_size, crop_scale, crop_ratio)

    def __call__(self, image: np.ndarray, seed: int, target: int = UNKNOWN_TARGET) -> np.ndarray:  # noqa: ARG002
        """`[h, w, 3]` uint8 to `[H, W, 3]` uint8; the same picture and seed give the same result for any target."""
        # One pair of generators for all operations: seeded one by one, as albumentations does it, operations of equal
        # probability would be applied together or not at all.
        generators = np.random.default_rng(seed), random.Random(seed)
        image = self.fit(image) if self.crop is None else applied(self.crop, image, generators)
        for op in self.ops:
            image = applied(op, image, generators)
        return np.ascontiguousarray(image)


class RandomCrop(A.RandomResizedCrop):
    """A random crop that is resized without aliasing; albumentations' own resize aliases."""

    def apply(self, img: np.ndarray, crop_coords: tuple[int, int, int, int], **params: Any) -> np.ndarray:  # noqa: ARG002
        left, top, right, bottom = crop_coords
        return resize(img[top:bottom, left:right], self.size)


class ColorJitter(A.ColorJitter):
    """Albumentations' ColorJitter, with its random numbers, by faster operations.

    Args:
        brightness, contrast, saturation: bounds of the factor, or how far it may lie from 1.
        hue: bounds of the shift in full circles, or how far it may lie from 0.
        p: the share of pictures that are changed.
    """

    STEPS = (
        ("brightness", adjust_brightness, 1.0),
        ("contrast", adjust_contrast, 1.0),
        ("saturation", adjust_saturation, 1.0),
        ("hue", adjust_hue, 0.0),
    )

    def __init__(
        self,
        brightness: float | tuple[float, float] = 0.0,
        contrast: float | tuple[float, float] = 0.0,
        saturation: float | tuple[float, float] = 0.0,
        hue: float | tuple[float, float] = 0.0,
        p: Annotated[float, Interval(ge=0, le=1)] = 0.5,
    ) -> None:
        super().__init__(brightness=brightness, contrast=contrast, saturation=saturation, hue=hue, p=p)

    def apply(self, img: np.ndarray, *, order: list[int], **params: Any) -> np.ndarray:
        for number in order:
            name, step, neutral = self.STEPS[number]
            if params[name] != neutral:
                img = step(img, params[name])
        return img


class Change(A.ImageOnlyTransform):
    """An operation of our own: one that albumentations has not.

    Args:
        p: the share of pictures that are changed; within `OneOf` its weight.
    """

    def change(self, image: np.ndarray, random: np.random.Generator) -> np.ndarray:
        """`[H, W, 3]` uint8 to another of that size; draws from `random` alone, and writes nothing to the picture."""
        raise NotImplementedError

    def apply(self, img: np.ndarray, **params: Any) -> np.ndarray:  # noqa: ARG002
        return self.change(img, self.random_generator)


class OneOf(A.OneOf):
    """Applies one of some operations, which have names as those of the augmentation have.

    Args:
        ops: transforms by name; their `p` are the weights of the choice, and 0 leaves one out.
        p: the share of pictures that are changed.

    Raises:
        InputError: every weight is 0.
    """

    def __init__(self, ops: Mapping[str, Op], p: Annotated[float, Interval(ge=0, le=1)] = 0.5) -> None:
        if not sum(op.p for op in ops.values()):
            raise InputError(f"each of {', '.join(ops)} has p=0, so that there is none to take: give one a p above 0")
        super().__init__(list(ops.values()), p=p)


def applied(op: Op, image: np.ndarray, generators: tuple[np.random.Generator, random.Random]) -> np.ndarray:
    """The picture `[H, W, 3]` uint8 as an operation changes it that draws from these generators."""
    op.set_random_state(*generators)
    return op(image=image)["image"]


def _random_crop(image_size: tuple[int, int], scale: tuple[float, float], ratio: tuple[float, float]) -> RandomCrop:
    aspect = image_size[1] / image_size[0]
    try:
        return RandomCrop(tuple(image_size), scale=tuple(scale), ratio=(ratio[0] * aspect, ratio[1] * aspect))
    except ValueError:
        raise InputError(
            f"augment.crop_scale={list(scale)} with augment.crop_ratio={list(ratio)} is no random crop: "
            "give two rising numbers each, the scale within 0 and 1"
        ) from None


def _refuse_unknown_arguments(name: str, op: Op) -> None:
    unknown = getattr(op, "invalid_args", [])
    if unknown:
        known = [parameter for parameter in inspect.signature(type(op)).parameters if parameter != "self"]
        raise InputError(
            f"augment.ops.{name}: {type(op).__name__} has no argument {', '.join(unknown)}: "
            f"take one of {', '.join(known)}"
        )
    nested: Any = getattr(op, "transforms", [])
    for index, inner in enumerate(nested):
        _refuse_unknown_arguments(f"{name}.transforms[{index}]", inner)
