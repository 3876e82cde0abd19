"""Pictures are decoded in processes that a file can kill, and that are replaced."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Awaitable, Callable
from pathlib import Path

import numpy as np
import pytest

from animeid.artefacts.artefact import Artefact
from animeid.deploy.reading import Reader
from animeid.imaging.decode import UnreadableImage
from animeid.imaging.evaluation import EvalTransform
from animeid.service.decoder import PIXELS, REASON, decoded
from animeid.service.decoders import Decoders
from tests.service.serving import KEPT, client, picture

INPUT = Artefact.load(KEPT).input


def in_pool(scene: Callable[[Decoders], Awaitable[None]], count: int = 1, seconds: float = 5.0) -> list[int]:
    """Plays a scene with decoders; how many pictures killed one."""
    killed: list[int] = []

    async def play() -> None:
        pool = Decoders(count, seconds, when_killed=lambda: killed.append(1))
        await pool.start()
        try:
            await scene(pool)
        finally:
            pids = pool.pids
            await pool.stop()
            assert not [pid for pid in pids if os.path.exists(f"/proc/{pid}")]  # noqa: PTH110

    asyncio.run(play())
    return killed


def test_pixels_are_those_of_the_reader(tmp_path: Path) -> None:
    read = Reader(EvalTransform(INPUT.size, INPUT.crop), INPUT.max_pixels, INPUT.incomplete)

    async def scene(pool: Decoders) -> None:
        for seed, form in enumerate(("PNG", "JPEG", "WEBP", "AVIF", "GIF", "BMP")):
            file = tmp_path / f"a.{form}"
            file.write_bytes(picture(seed, (300 + seed, 200), form))
            expected, error = read(file)
            assert error == ""
            np.testing.assert_array_equal(await pool.decode(file.read_bytes(), INPUT), expected)
        for content in (b"", b"no picture", picture(1)[:-40]):
            file.write_bytes(content)
            _, error = read(file)
            with pytest.raises(UnreadableImage) as refused:
                await pool.decode(content, INPUT)
            assert str(refused.value) == error != ""

    assert in_pool(scene) == []


def test_a_killed_decoder_is_replaced() -> None:
    async def scene(pool: Decoders) -> None:
        first = pool.pids
        os.kill(first[0], signal.SIGKILL)
        while Path(f"/proc/{first[0]}/stat").read_text(encoding="utf-8").rpartition(")")[2].split()[0] != "Z":
            await asyncio.sleep(0.01)
        # Whatever killed it while it was idle, it was not this picture.
        assert (await pool.decode(picture(0), INPUT)).shape == (32, 32, 3)
        assert (await pool.decode(picture(0), INPUT)).shape == (32, 32, 3)
        assert pool.pids != first and len(pool.pids) == 1
        os.kill(pool.pids[0], signal.SIGTERM)  # what a system sends to a whole group
        os.kill(pool.pids[0], signal.SIGINT)
        assert (await pool.decode(picture(0), INPUT)).shape == (32, 32, 3)

    assert in_pool(scene) == []


def test_a_decoder_that_hangs_is_killed() -> None:
    async def scene(pool: Decoders) -> None:
        os.kill(pool.pids[0], signal.SIGSTOP)
        with pytest.raises(UnreadableImage, match="takes it too long"):
            await pool.decode(picture(0), INPUT)
        assert (await pool.decode(picture(0), INPUT)).shape == (32, 32, 3)

    assert in_pool(scene, seconds=0.1) == [1]


def test_many_at_once_are_not_mixed_up() -> None:
    async def scene(pool: Decoders) -> None:
        contents = [picture(seed) for seed in range(40)]
        found = await asyncio.gather(*(pool.decode(content, INPUT) for content in contents))
        spec = {"size": INPUT.size, "crop": INPUT.crop, "max_pixels": 10**6, "incomplete": False}
        for content, pixels in zip(contents, found, strict=True):
            letter, expected = decoded(content, spec)
            assert letter == PIXELS and pixels.tobytes() == bytes(expected)

    in_pool(scene, count=2)


def test_large_pictures_are_refused_before_they_are_decoded() -> None:
    spec = {"size": INPUT.size, "crop": INPUT.crop, "max_pixels": 1999, "incomplete": False}
    letter, reason = decoded(picture(0, (40, 50)), spec)
    assert letter == REASON and bytes(reason) == b"too large: 50 x 40 pixels"
    assert decoded(picture(0, (40, 49)), spec)[0] == PIXELS


def test_without_a_decoder_nothing_should_be_sent_here(monkeypatch: pytest.MonkeyPatch) -> None:
    with client(KEPT) as found:
        assert found.get("/health/ready").status_code == 200
        monkeypatch.setattr(Decoders, "pids", ())
        answer = found.get("/health/ready")
        assert answer.status_code == 503 and "decodes pictures" in answer.json()["reason"]
