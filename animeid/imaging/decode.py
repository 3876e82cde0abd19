"""The one decoder: a file becomes an upright RGB picture, or a reason why it cannot."""

from __future__ import annotations

import re
import warnings
from collections.abc import Mapping
from typing import IO

import numpy as np
from PIL import Image, UnidentifiedImageError

from animeid.imaging.mend import mended, missing_pixels_allowed

FORMATS = ("JPEG", "PNG", "BMP", "WEBP", "GIF", "AVIF")
"""Pillow's names of the formats that are opened; it knows dozens more, and each is code that a bad file can reach."""

SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".apng", ".bmp", ".webp", ".gif", ".avif"})
"""File name endings of those formats, in small letters."""

UNREAD = {
    "HEIC": rb".{4}ftyp(?:hei|hev|mif1|msf1)",
    "JPEG XL": rb"\xff\x0a|\x00\x00\x00\x0cJXL ",
    "JPEG 2000": rb"\x00\x00\x00\x0cjP  |\xff\x4f\xff\x51",
    "TIFF": rb"II\*\x00|MM\x00\*|II\+\x00|MM\x00\+",
    "SVG": rb"(?:\xef\xbb\xbf)?\s*(?:<\?xml.*|<!--.*|<!DOCTYPE\s+)?<?svg\b",
    "PSD": rb"8BPS",
    "ICO": rb"\x00\x00\x01\x00",
    "PDF": rb"%PDF-",
}
"""How files of other formats begin. Pillow reads some, TIFF among them, by much code that a bad file can reach."""

STAND_INS = {
    "a pointer of Git LFS; fetch the file itself with git lfs pull": rb"version https://git-lfs\.github\.com/spec/",
    "a web page; download the picture again": rb"(?i:(?:\xef\xbb\xbf)?\s*<(?:!DOCTYPE\s+)?html\b)",
}
"""What is often kept under a picture's name, with the way on, and how it begins."""

WHITE = (255, 255, 255, 255)

# Above Pillow's own limit it only warns; the cap below is lower, and no line of noise is wanted before our reason.
warnings.simplefilter("error", Image.DecompressionBombWarning)
# What Pillow says of damage beside the pixels, such as a tag's, is nothing that a user could do something about.
warnings.filterwarnings("ignore", category=UserWarning, module=r"PIL\.")

ORIENTATION = 0x0112
"""EXIF's tag."""

UPRIGHT = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""How a picture of each EXIF orientation is turned to stand upright."""


class UnreadableImage(ValueError):  # noqa: N818 - the contract's name
    """A file that is not a picture that can be used; the message is a short reason."""


def decode_stream(
    stream: IO[bytes], max_pixels: int, short_side: int | None = None, *, incomplete: bool = False
) -> np.ndarray:
    """As `decode_image`, to `[H, W, 3]` uint8 RGB."""
    return np.array(decode_image(stream, max_pixels, short_side, incomplete=incomplete))


def decode_image(
    stream: IO[bytes], max_pixels: int, short_side: int | None = None, *, incomplete: bool = False
) -> Image.Image:
    """Reads a picture from an open file.

    The first frame of an animation, turned as EXIF says, transparency on white, 16 bits scaled to 8. A file that is
    damaged where no pixel is (a text, a profile, its end) is sound.

    Args:
        stream: of the file.
        max_pixels: pictures with more pixels are refused before they are decoded.
        short_side: a JPEG is decoded at 1/2, 1/4 or 1/8 of its size as long as its short side keeps so many pixels;
            None decodes it whole. The decoder then leaves out the high frequencies, which is several times faster.
        incomplete: a picture whose file is cut off or damaged within its pixels is read as far as its format's decoder
            can (those of WebP and AVIF cannot); what is missing is black or grey.

    Returns:
        Pillow's picture, RGB; the stream is not needed any more.

    Raises:
        UnreadableImage: with the reason: not a picture, too large, broken.
    """
    try:
        return _decode(stream, max_pixels, short_side)
    except UnreadableImage as error:
        if (picture := _mended(stream, max_pixels, short_side)) is not None:
            return picture
        if not incomplete:
            raise error
        return _in_part(stream, max_pixels, short_side)


def _mended(stream: IO[bytes], max_pixels: int, short_side: int | None) -> Image.Image | None:
    """The picture of a file that has its damage elsewhere."""
    try:
        first, *others = [_decode(content, max_pixels, short_side) for content in mended(stream)]
    except (UnreadableImage, ValueError):
        return None
    return None if any(other.tobytes() != first.tobytes() for other in others) else first


def _in_part(stream: IO[bytes], max_pixels: int, short_side: int | None) -> Image.Image:
    """What a decoder makes of a file that lacks pixels."""
    stream.seek(0)
    with missing_pixels_allowed():
        return _decode(stream, max_pixels, short_side)


def _decode(stream: IO[bytes], max_pixels: int, short_side: int | None) -> Image.Image:
    with identify(stream) as picture:
        width, height = picture.size
        if width * height > max_pixels:
            raise UnreadableImage(f"too large: {width} x {height} pixels")
        try:
            if short_side is not None:
                # Only JPEG's decoder can; the others ignore it.
                picture.draft(None, (short_side, short_side))
            return upright_rgb(picture)
        # A damaged or hostile file can make a decoder raise almost anything.
        except Exception as error:
            raise UnreadableImage(f"broken: {error}") from error


def identify(stream: IO[bytes]) -> Image.Image:
    """The picture of a file, not decoded yet.

    Raises:
        UnreadableImage: as `decode_image`, of what its header tells.
    """
    try:
        return _opened(stream)
    except UnreadableImage:
        if not (others := mended(stream)):
            raise
        return _opened(others[0])


def _opened(stream: IO[bytes]) -> Image.Image:
    try:
        return Image.open(stream, formats=FORMATS)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError) as error:
        raise UnreadableImage(f"too large: more than {Image.MAX_IMAGE_PIXELS:,} pixels; make it smaller") from error
    except UnidentifiedImageError as error:
        if name := _unread_format(stream):
            raise UnreadableImage(f"a format that is not read: {name}; convert it to PNG or JPEG") from error
        raise UnreadableImage(f"not a picture{_what_it_is(stream)}") from error
    except Exception as error:
        raise UnreadableImage(f"broken: {error}") from error


def _unread_format(stream: IO[bytes]) -> str:
    """The name of a picture format that is not opened; "" where the beginning is that of none."""
    return _beginning(stream, UNREAD)


def _what_it_is(stream: IO[bytes]) -> str:
    """What stands in the place of a picture, to be added to a sentence; "" where that is not known."""
    name = _beginning(stream, STAND_INS)
    return f": {name}" if name else ""


def _beginning(stream: IO[bytes], kinds: Mapping[str, bytes]) -> str:
    """The first kind whose pattern a file begins with; "" where none does."""
    stream.seek(0)
    start = stream.read(512)
    return next((name for name, begins in kinds.items() if re.match(begins, start, re.DOTALL)), "")


def upright_rgb(picture: Image.Image) -> Image.Image:
    """The picture in RGB: turned as EXIF says, transparency on white, 16 bits scaled to 8."""
    upright = _upright(picture)
    if upright.mode.startswith("I"):
        return _scaled_from_16_bits(upright)
    if upright.has_transparency_data:
        rgba = upright.convert("RGBA")
        upright = Image.alpha_composite(Image.new("RGBA", rgba.size, WHITE), rgba)
    return upright.convert("RGB")


def _upright(picture: Image.Image) -> Image.Image:
    """Turned as EXIF says; EXIF that cannot be read says nothing.

    Pillow's `exif_transpose` writes the EXIF of what it turned, which an odd tag beside the orientation makes fail.
    """
    picture.load()
    try:
        how = UPRIGHT.get(picture.getexif().get(ORIENTATION, 1))
    except Exception:
        return picture
    return picture if how is None else picture.transpose(how)


def _scaled_from_16_bits(picture: Image.Image) -> Image.Image:
    """Pillow's own conversion clips at 255; a transparent grey level becomes white."""
    levels = np.array(picture).astype(np.int64)
    grey = np.clip((levels * 255 + 32767) // 65535, 0, 255).astype(np.uint8)
    transparent = picture.info.get("transparency")
    if isinstance(transparent, int):
        grey[levels == transparent] = 255
    return Image.fromarray(grey).convert("RGB")
