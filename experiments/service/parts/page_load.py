"""How long the page takes in a browser."""

from __future__ import annotations

import shutil
import sys
from statistics import median

from experiments.service.parts.common import Given, Results, Row
from experiments.service.servers import service, started

BROWSERS = ("chromium", "google-chrome", "chromium-browser")
ARGUMENTS = ("--no-sandbox", "--disable-gpu", "--disable-background-networking")
VISITS = 15
MOST_MS = 300.0
READY = """() => {
  const [visit] = performance.getEntriesByType("navigation");
  return [visit.loadEventEnd, performance.now()];
}"""


def browser_path() -> str:
    """Chromium of this machine."""
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    return found or sys.exit("no Chromium on this machine: install Debian's chromium")


def measure(given: Given) -> Results:
    """Milliseconds to the load event, and until the page takes pictures, of visitors without anything kept."""
    from playwright.sync_api import sync_playwright

    loaded, ready = [], []
    with started(service(given.artefact)) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=ARGUMENTS)
        for _ in range(VISITS):
            page = browser.new_page()
            page.goto(server.address, wait_until="load")
            page.locator("html[data-ready]").wait_for()
            end, now = page.evaluate(READY)
            loaded.append(end)
            ready.append(now)
            page.close()
        browser.close()
    return {"load_ms": loaded, "ready_ms": ready}


def rows(found: Results) -> list[Row]:
    loaded, ready = found["load_ms"], found["ready_ms"]
    told = f"{median(loaded):.0f} ({min(loaded):.0f} to {max(loaded):.0f}; takes pictures after {median(ready):.0f})"
    target = f"the page in headless Chromium, ms to its load event, median of {len(loaded)}"
    return [Row(target, f"under {MOST_MS:g}", told, median(loaded) < MOST_MS)]
