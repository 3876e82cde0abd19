"""One service and one browser for all tests of the page."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.service.page.browsing import browsing
from tests.service.page.cast import STARS, cast_artefact, star_picture
from tests.service.serving import KEPT, Running, png, running


@pytest.fixture(scope="package")
def browser() -> Iterator[Any]:
    with browsing() as found:
        yield found


@pytest.fixture(scope="package")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    """A picture of each star; then one of nobody, one that is none, and one that is too large."""
    folder = tmp_path_factory.mktemp("pictures")
    files = [folder / f"star {place}.png" for place in range(len(STARS))]
    for place, file in enumerate(files):
        file.write_bytes(png(star_picture(place)))
    contents = [png(np.full((80, 80, 3), 125, np.uint8)), b"\x89PNG not at all", bytes(1_200_000)]
    for name, content in zip(("nobody.png", "broken.png", "large.png"), contents, strict=True):
        files.append(folder / name)
        files[-1].write_bytes(content)
    return files


@pytest.fixture(scope="package")
def corrections(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("feedback") / "feedback.jsonl"


@pytest.fixture(scope="package")
def service(tmp_path_factory: pytest.TempPathFactory, corrections: Path) -> Iterator[Running]:
    """It knows 10,000 characters by default, and six by the name small."""
    artefact = cast_artefact(tmp_path_factory.mktemp("artefact") / "cast")
    given = ("unknown_below=0.6", "max_upload_mb=1", f"feedback={corrections}")
    with running(f"default={artefact},small={KEPT}", *given) as found:
        yield found
