"""The decoder: formats, colours, orientation, and what is no picture."""

from __future__ import annotations

import struct
import subprocess
import sys
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from PIL import Image, ImageOps

from animeid.data.picture_files import decode
from animeid.imaging.decode import UnreadableImage, decode_image

CAP = 1_000_000
RED, BLUE, WHITE = (200, 30, 40), (20, 40, 220), (255, 255, 255)


def halves(width: int = 40, height: int = 20) -> Image.Image:
    """Red on the left, blue on the right."""
    image = Image.new("RGB", (width, height), RED)
    image.paste(BLUE, (width // 2, 0, width, height))
    return image


def close(pixel: np.ndarray, colour: tuple[int, int, int], tolerance: int = 12) -> bool:
    return bool((np.abs(pixel.astype(int) - colour) <= tolerance).all())


@pytest.mark.parametrize("suffix", ["png", "jpg", "bmp", "webp", "gif", "avif"])
def test_every_format_gives_its_colours(tmp_path: Path, suffix: str) -> None:
    path = tmp_path / f"図 & picture.{suffix}"
    halves().save(path)
    picture = decode(path, CAP)
    assert picture.shape == (20, 40, 3)
    assert picture.dtype == np.uint8
    assert close(picture[10, 5], RED)
    assert close(picture[10, 35], BLUE)


def test_transparency_goes_on_white(tmp_path: Path) -> None:
    image = Image.new("RGBA", (10, 10), (*RED, 0))
    image.paste((*RED, 128), (0, 0, 5, 10))
    image.save(tmp_path / "alpha.png")
    picture = decode(tmp_path / "alpha.png", CAP)
    assert close(picture[5, 8], WHITE, 0)
    assert close(picture[5, 2], tuple(round((one + 255) / 2) for one in RED), 2)


def test_palette_with_a_transparent_colour(tmp_path: Path) -> None:
    image = Image.new("P", (8, 8), 0)
    image.putpalette([*RED, *BLUE, *([0] * 762)])
    image.paste(1, (4, 0, 8, 8))
    image.save(tmp_path / "palette.png", transparency=0)
    picture = decode(tmp_path / "palette.png", CAP)
    assert close(picture[4, 1], WHITE, 0)
    assert close(picture[4, 6], BLUE, 0)


def test_16_bits_are_scaled_and_not_clipped(tmp_path: Path) -> None:
    levels = np.array([[0, 257, 32896, 65535]], dtype=np.uint16)
    Image.fromarray(levels).save(tmp_path / "deep.png")
    assert decode(tmp_path / "deep.png", CAP)[0, :, 0].tolist() == [0, 1, 128, 255]


def test_cmyk(tmp_path: Path) -> None:
    halves().convert("CMYK").save(tmp_path / "print.jpg", quality=95)
    picture = decode(tmp_path / "print.jpg", CAP)
    assert close(picture[10, 5], RED, 30)
    assert close(picture[10, 35], BLUE, 30)


def test_exif_turns_the_picture(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # the camera was turned: the left edge is shown on top
    halves().save(tmp_path / "turned.jpg", exif=exif, quality=95)
    picture = decode(tmp_path / "turned.jpg", CAP)
    assert picture.shape == (40, 20, 3)
    assert close(picture[5, 10], RED)
    assert close(picture[35, 10], BLUE)


@pytest.mark.parametrize("orientation", range(10))
def test_every_orientation_is_turned_as_pillow_does(tmp_path: Path, orientation: int) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    source = Image.fromarray(np.random.default_rng(0).integers(0, 256, (3, 5, 3), dtype=np.uint8))
    source.save(tmp_path / "turned.png", exif=exif)
    with Image.open(tmp_path / "turned.png") as picture:
        expected = np.array(ImageOps.exif_transpose(picture))
    assert np.array_equal(decode(tmp_path / "turned.png", CAP), expected)


def test_an_odd_tag_beside_the_orientation_is_no_damage(tmp_path: Path) -> None:
    """In a process of its own, where no test changes what is done about warnings: nothing is said of it."""
    tags = [
        (0x010E, 2, 5000, struct.pack("<I", 99_999)),  # a text that lies beyond the file
        (0x0112, 3, 1, struct.pack("<HH", 6, 0)),
        (0x011A, 2, 4, b"72\0\0"),  # a resolution that is a text
    ]
    entries = b"".join(struct.pack("<HHI", tag, kind, count) + value for tag, kind, count, value in tags)
    exif = b"Exif\0\0II*\0" + struct.pack("<IH", 8, len(tags)) + entries + struct.pack("<I", 0)
    halves().save(tmp_path / "odd.jpg", exif=exif, quality=95)
    script = "import sys; from animeid.data.picture_files import decode; from pathlib import Path; "
    script += f"print(decode(Path(sys.argv[1]), {CAP}).shape)"
    done = subprocess.run(
        [sys.executable, "-c", script, str(tmp_path / "odd.jpg")], capture_output=True, text=True, check=False
    )
    assert (done.stdout, done.stderr) == ("(40, 20, 3)\n", "")


@pytest.mark.parametrize("suffix", ["gif", "webp", "png"])
def test_the_first_frame_of_an_animation(tmp_path: Path, suffix: str) -> None:
    first, second = Image.new("RGB", (10, 10), RED), Image.new("RGB", (10, 10), BLUE)
    first.save(tmp_path / f"moving.{suffix}", save_all=True, append_images=[second], duration=100)
    assert close(decode(tmp_path / f"moving.{suffix}", CAP)[5, 5], RED)


def test_a_picture_above_the_cap_is_refused_before_it_is_decoded(tmp_path: Path) -> None:
    path = tmp_path / "bomb.png"
    Image.new("1", (20_000, 20_000)).save(path)
    with pytest.raises(UnreadableImage, match="too large"):
        decode(path, CAP)
    Image.new("RGB", (100, 100)).save(tmp_path / "small.png")
    with pytest.raises(UnreadableImage, match="100 x 100"):
        decode(tmp_path / "small.png", 9_999)


@pytest.mark.parametrize(
    ("content", "reason"),
    [(b"", "empty"), (b"not a picture at all", "not a picture"), (b"%!PS-Adobe-3.0 EPSF-3.0\n", "not a picture")],
)
def test_what_is_no_picture_says_why(tmp_path: Path, content: bytes, reason: str) -> None:
    path = tmp_path / "file.png"
    path.write_bytes(content)
    with pytest.raises(UnreadableImage, match=reason):
        decode(path, CAP)


def test_a_truncated_file_is_broken_and_a_missing_one_missing(tmp_path: Path) -> None:
    path = tmp_path / "cut.jpg"
    halves(400, 400).save(path)
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])
    with pytest.raises(UnreadableImage, match="broken"):
        decode(path, CAP)
    with pytest.raises(UnreadableImage, match="missing"):
        decode(tmp_path / "nothing.png", CAP)


def test_formats_outside_the_list_are_not_opened(tmp_path: Path) -> None:
    halves().save(tmp_path / "picture.png", format="TIFF")
    with pytest.raises(UnreadableImage, match="a format that is not read: TIFF"):
        decode(tmp_path / "picture.png", CAP)


@pytest.mark.parametrize("orientation", [1, 6])
def test_a_jpeg_is_decoded_no_larger_than_needed(tmp_path: Path, orientation: int) -> None:
    """At half size every pixel is the mean of four; the short side never falls below what is asked for."""
    waves = 127 + 100 * np.sin(np.arange(400) / 40)[:, None, None] * np.cos(np.arange(600) / 50)[None, :, None]
    source = np.repeat(waves, 3, axis=2).astype(np.uint8)
    exif = Image.Exif()
    exif[0x0112] = orientation
    path = tmp_path / "large.jpg"
    Image.fromarray(source).save(path, quality=95, exif=exif)
    whole = decode(path, CAP)
    halves = decode(path, CAP, short_side=200).astype(float)
    means = whole.reshape(whole.shape[0] // 2, 2, whole.shape[1] // 2, 2, 3).mean((1, 3))
    assert np.abs(halves - means).max() < 4
    assert decode(path, CAP, short_side=201).shape == whole.shape
    assert min(decode(path, CAP, short_side=50).shape[:2]) == 50


def test_other_formats_are_decoded_whole(tmp_path: Path) -> None:
    Image.new("RGB", (400, 400), RED).save(tmp_path / "large.png")
    assert decode(tmp_path / "large.png", CAP, short_side=50).shape == (400, 400, 3)


@pytest.mark.parametrize(
    ("begins", "name"),
    [
        (b"\x00\x00\x00\x18ftypheic", "HEIC"),
        (b"\x00\x00\x00\x18ftypmif1", "HEIC"),
        (b"\xff\x0a\x00", "JPEG XL"),
        (b"\x00\x00\x00\x0cJXL \x0d\x0a", "JPEG XL"),
        (b"\x00\x00\x00\x0cjP  \x0d\x0a", "JPEG 2000"),
        (b"II*\x00", "TIFF"),
        (b"MM\x00*", "TIFF"),
        (b"<svg xmlns='x'>", "SVG"),
        (b"<?xml version='1.0'?>\n<svg>", "SVG"),
    ],
)
def test_formats_that_are_not_read_are_named(begins: bytes, name: str) -> None:
    with pytest.raises(UnreadableImage, match=f"^a format that is not read: {name}; convert it to PNG or JPEG"):
        decode_image(BytesIO(begins + bytes(64)), 10**6)


@pytest.mark.parametrize(
    ("content", "told"),
    [
        (b"version https://git-lfs.github.com/spec/v1\noid sha256:0\nsize 9\n", "a pointer of Git LFS; fetch the file"),
        (b"\xef\xbb\xbf\n<!doctype HTML>\n<html>", "a web page; download the picture again"),
        (b"<html lang=ja>", "a web page"),
    ],
)
def test_what_stands_in_the_place_of_a_picture_is_named(content: bytes, told: str) -> None:
    with pytest.raises(UnreadableImage, match=f"^not a picture: {told}"):
        decode_image(BytesIO(content), 10**6)


def test_other_files_are_no_pictures() -> None:
    for content in (b"<?xml version='1.0'?><annotation/>", b"text", b"ftypheic"):
        with pytest.raises(UnreadableImage, match=r"^not a picture$"):
            decode_image(BytesIO(content + bytes(64)), 10**6)
