"""Files that are damaged where no pixel is are sound; those that lack pixels are not."""

from __future__ import annotations

import zlib
from io import BytesIO

import numpy as np
import pytest
from PIL import Image

from animeid.imaging.decode import UnreadableImage, decode_stream, identify
from animeid.imaging.mend import mended

MAX = 10_000
BLOCKS = np.random.default_rng(0).integers(0, 256, (8, 8, 3), dtype=np.uint8).repeat(8, 0).repeat(8, 1)
HEADER = 33
"""Bytes of a PNG's signature and first chunk."""
END = 12


def encoded(kind: str, **options: object) -> bytes:
    stream = BytesIO()
    Image.fromarray(BLOCKS).save(stream, kind, **options)
    return stream.getvalue()


def decoded(content: bytes) -> np.ndarray:
    return decode_stream(BytesIO(content), MAX)


def chunk(kind: bytes, body: bytes, spoilt: int = 0) -> bytes:
    checksum = zlib.crc32(kind + body) ^ spoilt
    return len(body).to_bytes(4, "big") + kind + body + checksum.to_bytes(4, "big")


LONG = zlib.compress(bytes(2 << 20))


@pytest.mark.parametrize("place", [HEADER, -END])
@pytest.mark.parametrize(
    "more",
    [
        chunk(b"iCCP", b"profile\0\0" + LONG),
        chunk(b"zTXt", b"parameters\0\0" + LONG),
        chunk(b"iTXt", b"workflow\0\1\0\0\0" + LONG),
        chunk(b"zTXt", b"k\0\0" + zlib.compress(bytes(1_000_000))) * 70,
        chunk(b"tEXt", b"Comment\0Miku", spoilt=1),
        chunk(b"eXIf", b"II*\0", spoilt=1),
        chunk(b"pHYs", b"\0"),
        chunk(b"gAMA", b"\0"),
        chunk(b"acTL", b"\0"),
    ],
    ids=["profile", "text", "international", "many", "checksum", "exif", "density", "gamma", "animation"],
)
def test_what_stands_beside_the_pixels_of_a_png_breaks_nothing(more: bytes, place: int) -> None:
    whole = encoded("PNG")
    content = whole[:place] + more + whole[place:]
    np.testing.assert_array_equal(decoded(content), BLOCKS)
    with identify(BytesIO(content)) as picture:
        assert (picture.format, picture.size) == ("PNG", (64, 64))


def test_orientation_and_transparency_outlive_a_spoilt_text() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    stream = BytesIO()
    transparent = Image.fromarray(BLOCKS[:, :32]).convert("RGBA")
    transparent.putalpha(Image.fromarray(np.repeat(np.uint8([[0], [255]]), 32, 0).repeat(32, 1)))
    transparent.save(stream, "PNG", exif=exif)
    whole = stream.getvalue()
    spoilt = whole[:HEADER] + chunk(b"tEXt", b"Comment\0Miku", spoilt=1) + whole[HEADER:]
    np.testing.assert_array_equal(decoded(spoilt), decoded(whole))
    assert decoded(spoilt).shape == (32, 64, 3)


@pytest.mark.parametrize(
    ("content", "lossy"),
    [
        (encoded("PNG")[:-END], False),
        (encoded("GIF")[:-1], True),
        (encoded("JPEG")[:-2], True),
        (encoded("JPEG")[:-1], True),
        (encoded("JPEG", quality=95, subsampling=0)[:-2], True),
        (encoded("JPEG", progressive=True)[:-2], True),
        (encoded("JPEG", restart_marker_blocks=2)[:-2], True),
    ],
)
def test_a_picture_whose_end_marker_alone_is_missing_is_sound(content: bytes, lossy: bool) -> None:
    found = decoded(content)
    with Image.open(BytesIO(content + b"\xff\xd9" * lossy)) as whole:
        np.testing.assert_array_equal(found, np.asarray(whole.convert("RGB")))


def test_a_smaller_decode_finds_the_end_missing_as_well() -> None:
    content = encoded("JPEG")
    found = decode_stream(BytesIO(content[:-2]), MAX, 16)
    np.testing.assert_array_equal(found, decode_stream(BytesIO(content), MAX, 16))
    assert found.shape == (16, 16, 3)


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP", "WEBP", "AVIF"])
@pytest.mark.parametrize("share", [0.5, 0.9])
def test_a_picture_that_lacks_pixels_is_broken(kind: str, share: float) -> None:
    content = encoded(kind)
    with pytest.raises(UnreadableImage):
        decoded(content[: int(len(content) * share)])


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "GIF", "BMP"])
def test_a_picture_that_lacks_pixels_is_read_in_part_where_that_is_asked(kind: str) -> None:
    """And no later picture is read so because this one was."""
    content = encoded(kind)
    cut = content[: int(len(content) * 0.9)]
    with pytest.raises(UnreadableImage, match="broken"):
        decoded(cut)
    found = decode_stream(BytesIO(cut), MAX, incomplete=True)
    with Image.open(BytesIO(content)) as whole:
        expected = np.asarray(whole.convert("RGB"))
    assert found.shape == expected.shape
    same = (found == expected).all(axis=2).all(axis=1)
    assert same.sum() >= len(same) / 2, "most of its lines are there"
    assert not same.all()
    np.testing.assert_array_equal(decode_stream(BytesIO(content), MAX, incomplete=True), expected)
    with pytest.raises(UnreadableImage):
        decoded(cut)


@pytest.mark.parametrize("lost", [5, 10, 20, 40])
def test_a_jpeg_that_lacks_its_last_blocks_is_broken(lost: int) -> None:
    for options in ({}, {"progressive": True}, {"quality": 30}):
        with pytest.raises(UnreadableImage, match="broken: image file is truncated"):
            decoded(encoded("JPEG", **options)[:-lost])


def test_the_bound_of_pixels_holds_for_mended_files() -> None:
    whole = encoded("PNG")
    content = whole[:HEADER] + chunk(b"tEXt", b"Comment\0Miku", spoilt=1) + whole[HEADER:]
    with pytest.raises(UnreadableImage, match="too large: 64 x 64 pixels"):
        decode_stream(BytesIO(content), 64 * 64 - 1)


def test_damaged_pixels_are_no_matter_of_text() -> None:
    whole = bytearray(encoded("PNG"))
    whole[HEADER + 12] ^= 0xFF
    with pytest.raises(UnreadableImage):
        decoded(bytes(whole))


def test_of_what_is_no_picture_the_beginning_is_read_alone() -> None:
    """It may be a film of gigabytes."""
    stream = BytesIO(b"not a picture" * 1000)
    assert mended(stream) == []
    assert stream.tell() < 100
