"""The one decoder: a file becomes `[H, W, 3]` RGB pixels, or a reason why it cannot."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import IO

import numpy as np
from PIL import Image, ImageOps, UnidentifiedImageError

from animeid.data.shards.read import open_member

FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "GIF", "AVIF")
"""Pillow's names of the formats that are opened; it knows dozens more, and each is code that a bad file can reach."""

SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".bmp", ".webp", ".gif", ".avif"})
"""File name endings of those formats, in small letters."""

WHITE = (255, 255, 255, 255)

# Above Pillow's own limit it only warns; the cap below is lower, and no line of noise is wanted before our reason.
warnings.simplefilter("error", Image.DecompressionBombWarning)


class UnreadableImage(ValueError):  # noqa: N818 - the contract's name
    """A file that is not a picture that can be used; the message is a short reason."""


def decode(path: Path, max_pixels: int, short_side: int | None = None) -> np.ndarray:
    """Reads a picture file.

    The first frame of an animation, turned as EXIF says, transparency on white, 16 bits scaled to 8.

    Args:
        path: of the file.
        max_pixels: pictures with more pixels are refused before they are decoded.
        short_side: a JPEG is decoded at 1/2, 1/4 or 1/8 of its size as long as its short side keeps so many pixels;
            None decodes it whole. The decoder then leaves out the high frequencies, which is several times faster.

    Returns:
        `[H, W, 3]` uint8 RGB.

    Raises:
        UnreadableImage: with the reason: missing, empty, not a picture, too large, broken.
    """
    with open_picture(path) as stream:
        return decode_stream(stream, max_pixels, short_side)


def open_picture(path: Path) -> IO[bytes]:
    """Opens a file that may be a picture, or one inside a shard (see `animeid.data.shards.layout`).

    Raises:
        UnreadableImage: it is not there, empty, or may not be read.
    """
    try:
        if not path.is_file():
            member = open_member(path)
            if member is None:
                raise UnreadableImage("not a file" if path.exists() else "missing")
            return member
        if path.stat().st_size == 0:
            raise UnreadableImage("empty")
        return path.open("rb")
    except OSError as error:
        raise UnreadableImage(f"cannot be opened: {error.strerror}") from error


def format_of(path: Path) -> str:
    """The format that the file's content is in, one of `FORMATS`, whatever its name ends in.

    Raises:
        UnreadableImage: as `decode`, of what its header tells.
    """
    with open_picture(path) as stream, _identify(stream) as picture:
        return picture.format or ""


def decode_stream(stream: IO[bytes], max_pixels: int, short_side: int | None = None) -> np.ndarray:
    """As `decode`, from an open file."""
    with _identify(stream) as picture:
        width, height = picture.size
        if width * height > max_pixels:
            raise UnreadableImage(f"too large: {width} x {height} pixels")
        try:
            if short_side is not None:
                # Only JPEG's decoder can; the others ignore it.
                picture.draft(None, (short_side, short_side))
            return _rgb_array(picture)
        # A damaged or hostile file can make a decoder raise almost anything.
        except Exception as error:
            raise UnreadableImage(f"broken: {error}") from error


def _identify(stream: IO[bytes]) -> Image.Image:
    try:
        return Image.open(stream, formats=FORMATS)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise UnreadableImage("too large: more pixels than Pillow takes for harmless") from error
    except UnidentifiedImageError as error:
        raise UnreadableImage("not a picture") from error
    except Exception as error:
        raise UnreadableImage(f"broken: {error}") from error


def _rgb_array(picture: Image.Image) -> np.ndarray:
    upright = _upright(picture)
    if upright.mode.startswith("I"):
        return _scaled_from_16_bits(upright)
    if upright.has_transparency_data:
        rgba = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", rgba.size, WHITE), rgba)
    return np.array(upright.convert("RGB"))


def _upright(picture: Image.Image) -> Image.Image:
    """Turned as EXIF says; EXIF that cannot be read says nothing."""
    picture.load()
    try:
        orientation = picture.getexif().get(0x0112, 1)
    except Exception:
        return picture
    return ImageOps.exif_transpose(picture) if orientation in range(2, 9) else picture


def _scaled_from_16_bits(picture: Image.Image) -> np.ndarray:
    """Pillow's own conversion clips at 255; a transparent grey level becomes white."""
    levels = np.array(picture).astype(np.int64)
    grey = np.clip((levels * 255 + 32767) // 65535, 0, 255).astype(np.uint8)
    transparent = picture.info.get("transparency")
    if isinstance(transparent, int):
        grey[levels == transparent] = 255
    return np.repeat(grey[:, :, None], 3, axis=2)
