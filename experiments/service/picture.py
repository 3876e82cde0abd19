"""`python -m experiments.service.picture [ARTEFACT]`: the page as it answers a drawn picture, in page.png beside this.

Without an artefact it trains and exports one on the built-in cast, by the commands of the README: about five minutes.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd
from PIL import Image

from animeid.data.synthetic.build import build_cast
from animeid.data.synthetic.settings import CastSettings
from animeid.runs.folder import OUTPUTS
from experiments.deploy.runtime import command
from experiments.service.parts.page_load import ARGUMENTS, browser_path
from experiments.service.servers import service, started

RUN = "service_picture"
PICTURE = Path(__file__).with_name("page.png")
VIEW = {"width": 1100, "height": 640}
PLACE = 3
"""Of the picture that is asked, among those of the test part."""


def main(folders: list[str]) -> None:
    from playwright.sync_api import sync_playwright

    artefact = Path(folders[0]) if folders else made()
    command_line = service(artefact.absolute(), f"feedback={OUTPUTS.absolute() / RUN}.jsonl")
    with started(command_line) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=ARGUMENTS)
        page = browser.new_page(viewport=VIEW, locale="en-GB")
        page.goto(server.address)
        page.locator("html[data-ready]").wait_for()
        page.set_input_files("#choose-input", drawn())
        page.locator("#history-list li[data-state=answered]").wait_for()
        page.wait_for_load_state("networkidle")
        page.screenshot(path=PICTURE)
        browser.close()
    Image.open(PICTURE).convert("RGB").quantize(256).save(PICTURE, optimize=True)
    print(f"{PICTURE}: {PICTURE.stat().st_size / 1000:.0f} kB")


def made() -> Path:
    """An artefact of the built-in cast."""
    found = OUTPUTS / f"{RUN}_artefact"
    if not found.is_dir():
        command("animeid.train", "budget=3min", f"run_id={RUN}", folder=Path.cwd())
        command("animeid.export", f"run={OUTPUTS / RUN}", f"output={found}", "references=3", folder=Path.cwd())
    return found


def drawn() -> Path:
    """A picture that no training has seen."""
    folder = build_cast(CastSettings())
    manifest = pd.read_csv(folder / "manifest.csv")
    return folder / manifest.loc[manifest["split"] == "test", "path"].iloc[PLACE]


if __name__ == "__main__":
    main(sys.argv[1:])
