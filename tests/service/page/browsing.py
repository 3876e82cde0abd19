"""A browser for tests of the page, in which nothing goes wrong unseen."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.service.serving import Running

BROWSER = shutil.which("chromium") or shutil.which("google-chrome") or shutil.which("chromium-browser")
REFUSED = "Failed to load resource"
"""What the browser itself says of an answer that is a refusal, whatever the page does with it."""


@contextmanager
def browsing() -> Iterator[Any]:
    """Chromium, until the block ends."""
    if BROWSER is None:
        pytest.skip("no Chromium on this machine: install Debian's chromium to test the page")
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        arguments = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        found = playwright.chromium.launch(executable_path=BROWSER, args=arguments)
        yield found
        found.close()


@contextmanager
def opened(
    browser: Any, service: Running, path: str = "/", *, width: int = 1280, refusals: bool = False, **how: Any
) -> Iterator[Any]:
    """A page of a visitor of its own, which says nothing in the console and asks nobody else.

    Args:
        refusals: whether the browser may say that the service refused.
        how: of Playwright's contexts.
    """
    said: list[str] = []
    height = 844 if width < 600 else 860
    context = browser.new_context(viewport={"width": width, "height": height}, **{"locale": "en-GB", **how})
    page = context.new_page()
    page.set_default_timeout(20_000)
    page.on("console", lambda message: said.append(message.text))
    page.on("pageerror", lambda error: said.append(str(error)))
    own = (service.address, "blob:", "data:")
    page.on("request", lambda request: said.append(request.url) if not request.url.startswith(own) else None)
    page.goto(service.address + path)
    page.locator("html[data-ready]").wait_for()
    yield page
    context.close()
    assert [line for line in said if not (refusals and line.startswith(REFUSED))] == []


def choose(page: Any, *files: Path) -> None:
    """Has the page take files, and waits until they are answered."""
    before = page.locator("#history-list li").count()
    page.set_input_files("#choose-input", [str(file) for file in files])
    page.locator("#history-list li[data-state=answered]").nth(before + len(files) - 1).wait_for()
