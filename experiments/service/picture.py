"""`python -m experiments.service.picture [ARTEFACT]`: the page as it answers a drawn picture, in page.png beside this.

Without an artefact it trains and exports one on the built-in cast, by the commands of the README: about five minutes.
"""

from __future__ import annotations

import io
import sys
from pathlib import Path

from PIL import Image

from animeid.data.synthetic.figure import draw_figure
from animeid.data.synthetic.identity import make_cast
from animeid.data.synthetic.plan import make_plan, shot_of
from animeid.data.synthetic.settings import CastSettings
from animeid.runs.folder import OUTPUTS
from experiments.deploy.runtime import command
from experiments.service.parts.page_load import ARGUMENTS, browser_path
from experiments.service.servers import service, started

RUN = "service_picture"
PICTURE = Path(__file__).with_name("page.png")
VIEW = {"width": 1100, "height": 900}
PLACE = 3
"""Of the picture that is asked, among those of the test part."""
SIZE = 384


def main(folders: list[str]) -> None:
    from playwright.sync_api import sync_playwright

    artefact = Path(folders[0]) if folders else made()
    command_line = service(artefact.absolute(), f"feedback={OUTPUTS.absolute() / RUN}.jsonl")
    with started(command_line) as server, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=browser_path(), args=ARGUMENTS)
        page = browser.new_page(viewport=VIEW, locale="en-GB")
        page.goto(server.address)
        page.locator("html[data-ready]").wait_for()
        dropped = {"name": "picture.png", "mimeType": "image/png", "buffer": drawn()}
        page.set_input_files("#choose-input", [dropped])
        page.locator("#history-list li[data-state=answered]").wait_for()
        page.wait_for_load_state("networkidle")
        page.screenshot(path=PICTURE, full_page=True)
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


def drawn() -> bytes:
    """A picture that no training has seen, larger than those that were trained on."""
    settings = CastSettings()
    picture = [one for one in make_plan(settings) if one.split == "test"][PLACE]
    character = make_cast(settings)[picture.character]
    stream = io.BytesIO()
    draw_figure(character.traits, shot_of(picture, character, settings), SIZE).image.save(stream, "PNG")
    return stream.getvalue()


if __name__ == "__main__":
    main(sys.argv[1:])
