"""Pictures are named in the page, however they come in and whatever the service says."""

from __future__ import annotations

import base64
import hashlib
import json
from pathlib import Path
from typing import Any

import httpx2
import numpy as np
import pytest
from playwright.sync_api import expect

from tests.service.page.browsing import choose, opened
from tests.service.serving import Running, picture, png

BRINGS = """([kind, contents]) => {
  const data = new DataTransfer();
  contents.forEach((content, place) => {
    const bytes = Uint8Array.from(atob(content), (letter) => letter.charCodeAt(0));
    data.items.add(new File([bytes], `${place}.png`, { type: "image/png" }));
  });
  const told = { bubbles: true, cancelable: true };
  if (kind === "paste") document.dispatchEvent(new ClipboardEvent("paste", { clipboardData: data, ...told }));
  else {
    const steps = ["dragenter", "dragover", "drop"];
    steps.forEach((step) => document.body.dispatchEvent(new DragEvent(step, { dataTransfer: data, ...told })));
  }
}"""
"""Pastes or drops files."""
COUNTS = """
  const own = window.fetch;
  window.most = window.underway = window.asked = 0;
  window.fetch = async (...given) => {
    if (!String(given[0]).includes("predict")) return own(...given);
    window.asked += 1;
    window.underway += 1;
    window.most = Math.max(window.most, window.underway);
    try { return await own(...given); } finally { window.underway -= 1; }
  };
"""
"""Counts pictures that are on their way."""
slow = pytest.mark.slow


def test_a_picture_is_named_as_the_service_names_it(browser: Any, service: Running, pictures: list[Path]) -> None:
    answer = service.predict(pictures[1].read_bytes()).json()
    with opened(browser, service) as page:
        expect(page.get_by_role("heading", name="Who is this?")).to_be_visible()
        choose(page, pictures[1])
        expect(page.locator("#answer h2")).to_have_text("Midori Morino")
        expect(page.locator("#answer .also")).to_have_text("翠 · 森野翠 · 森野 みどり · Colours")
        rows = page.locator("#answer .names li")
        expect(rows).to_have_count(5)
        shares = [f"{name['probability']:.1%}" for name in answer["names"]]
        shown = rows.locator(".share").all_inner_texts()
        assert shown[:4] == shares[:4] and shown[4] == "< 0.1%"
        widths = rows.locator(".bar span").evaluate_all("bars => bars.map(bar => bar.offsetWidth)")
        assert widths == sorted(widths, reverse=True) and widths[0] > 200 > widths[1]
        near = page.locator("#answer .references li")
        expect(near).to_have_count(3)
        expect(near.first).to_contain_text(f"Similarity {answer['references'][0]['similarity']:.2f}")
        expect(near.first.locator("img")).to_have_js_property("complete", True)
        assert near.locator("img").evaluate_all("images => images.map(image => image.naturalWidth)") == [160] * 3
        expect(page.locator("#said")).to_have_text(f"star 1.png: Midori Morino, {answer['confidence']:.0%}.")
        assert "heat" not in page.inner_text("#answer").lower()


@slow
def test_unknown_is_said_plainly(browser: Any, service: Running, pictures: list[Path]) -> None:
    answer = service.predict(pictures[5].read_bytes()).json()
    assert answer["character"] == "unknown"
    with opened(browser, service) as page:
        choose(page, pictures[5])
        expect(page.locator("#answer h2")).to_have_text("Unknown")
        expect(page.locator("#answer .sure")).to_contain_text("None of the characters that this model knows")
        expect(page.locator("#answer .sure")).to_contain_text(f"{answer['confidence']:.1%}")
        expect(page.locator("#history-list li")).to_contain_text("Unknown")


@slow
@pytest.mark.parametrize("kind", ["paste", "drop"])
def test_pictures_are_pasted_and_dropped(browser: Any, service: Running, pictures: list[Path], kind: str) -> None:
    contents = [base64.b64encode(file.read_bytes()).decode() for file in pictures[:2]]
    with opened(browser, service) as page:
        page.evaluate(BRINGS, [kind, contents])
        expect(page.locator("#history-list li[data-state=answered]")).to_have_count(2)
        expect(page.locator("#answer h2")).to_have_text("Akane Momiji")
        expect(page.locator(".veil")).to_be_hidden()


@slow
def test_what_is_dropped_without_a_file_is_told(browser: Any, service: Running) -> None:
    with opened(browser, service) as page:
        page.evaluate(BRINGS, ["drop", []])
        expect(page.locator("#notice")).to_contain_text("save the picture first")
        page.evaluate(BRINGS, ["paste", []])  # text may be pasted into fields
        expect(page.locator("#history")).to_be_hidden()


@slow
def test_a_phone_has_a_camera(browser: Any, service: Running, pictures: list[Path]) -> None:
    with opened(browser, service, width=390, has_touch=True, is_mobile=True) as page:
        expect(page.locator("#camera")).to_be_visible()
        assert page.get_attribute("#camera-input", "capture") == "environment"
        with page.expect_file_chooser() as chooser:
            page.click("#camera")
        chooser.value.set_files(str(pictures[2]))
        expect(page.locator("#answer h2")).to_have_text("Aoi Aozora")
        box = page.locator("#answer h2").bounding_box()
        assert box["y"] + box["height"] < 844, "the name stands on the first screen"
    with opened(browser, service) as page:
        expect(page.locator("#camera")).to_be_hidden()


@slow
def test_a_large_photo_is_sent_as_it_is(browser: Any, service: Running, corrections: Path, tmp_path: Path) -> None:
    """A smaller copy would be another picture: its answer need not be the same."""
    rows, columns = np.mgrid[:3000, :4000]
    pixels = np.stack([rows // 20 % 256, columns // 30 % 256, (rows + columns) // 40 % 256], axis=2).astype(np.uint8)
    file = tmp_path / "photo.jpg"
    file.write_bytes(png(pixels[:900, :1100], "JPEG"))
    with opened(browser, service) as page:
        choose(page, file)
        page.click("#wrong")
        expect(page.locator("#thanks")).to_be_visible()
    told = json.loads(corrections.read_text(encoding="utf-8").splitlines()[-1])
    assert told["picture"] == hashlib.sha256(file.read_bytes()).hexdigest()


@slow
def test_the_history_is_walked_by_keys(browser: Any, service: Running, pictures: list[Path]) -> None:
    with opened(browser, service) as page:
        choose(page, *pictures[:3])
        name = page.locator("#answer h2")
        expect(name).to_have_text("Akane Momiji")
        page.keyboard.press("ArrowDown")
        expect(name).to_have_text("Midori Morino")
        page.keyboard.press("ArrowDown")
        page.keyboard.press("ArrowDown")
        expect(name).to_have_text("Aoi Aozora")
        page.keyboard.press("ArrowUp")
        expect(name).to_have_text("Midori Morino")
        page.locator("#history-list li").nth(1).focus()
        page.keyboard.press("Home")
        expect(page.locator("#history-list li").first).to_be_focused()
        assert page.locator("#history-list li[aria-selected=true]").count() == 1
        page.keyboard.press("Delete")
        expect(page.locator("#history-list li")).to_have_count(2)
        expect(name).to_have_text("Midori Morino")
        thumbnails = "images => images.map(image => [image.naturalWidth, image.src.startsWith('blob:')])"
        assert page.locator("#history-list img").evaluate_all(thumbnails) == [[144, True]] * 2
        page.click("#clear")
        expect(page.locator("#history")).to_be_hidden()
        expect(page.locator("#result")).to_be_hidden()


@slow
def test_another_model_is_asked(browser: Any, service: Running, pictures: list[Path]) -> None:
    versions = httpx2.get(service.address + "/models").json()["aliases"]
    with opened(browser, service) as page:
        choose(page, pictures[0])
        page.select_option("#model", "small")
        expect(page.locator(".facts")).to_contain_text(f"small, version {versions['small'][:7]}")
        expect(page.locator("#answer .names li").first).not_to_contain_text("Akane")
        page.select_option("#model", versions["default"])
        expect(page.locator(".facts")).to_contain_text(f"{versions['default']}, version {versions['default'][:7]}")
        expect(page.locator("#answer h2")).to_have_text("Akane Momiji")
        page.locator("#asked summary").click()
        expect(page.locator("#about")).to_contain_text("10,000")
        expect(page.locator("#about")).to_contain_text("81.0% (75.0% – 86.0%)")


@slow
@pytest.mark.parametrize(
    ("place", "sentence"),
    [(6, "cannot be read as a picture: save it as PNG"), (7, "larger than the service takes: save it smaller")],
    ids=["422", "413"],
)
def test_a_refusal_says_what_to_do(
    browser: Any, service: Running, pictures: list[Path], place: int, sentence: str
) -> None:
    with opened(browser, service, refusals=True) as page:
        page.set_input_files("#choose-input", str(pictures[place]))
        expect(page.locator("#answer .refusal")).to_contain_text(sentence)
        expect(page.locator("#said")).to_contain_text(sentence)
        expect(page.locator("#history-list li")).to_contain_text("No answer")
        expect(page.locator("#verdict")).to_be_hidden()
        page.get_by_role("button", name="Try again").click()
        expect(page.locator("#answer .refusal")).to_contain_text(sentence)


@slow
def test_a_refusal_that_is_lost_on_its_way_is_understood(browser: Any, service: Running, tmp_path: Path) -> None:
    """The service stops listening before so much was sent."""
    file = tmp_path / "huge.png"
    file.write_bytes(bytes(60_000_000))
    with opened(browser, service, refusals=True) as page:
        page.set_input_files("#choose-input", str(file))
        expect(page.locator("#answer .refusal")).to_contain_text("larger than the service takes", timeout=30_000)


@slow
@pytest.mark.parametrize("status", [415, 504])
def test_other_refusals_are_told(browser: Any, service: Running, pictures: list[Path], status: int) -> None:
    with opened(browser, service, refusals=True) as page:
        detail = {"detail": "in the service's words", "status": status}
        page.route("**/predict*", lambda route: route.fulfill(status=status, json=detail))
        page.set_input_files("#choose-input", str(pictures[0]))
        expect(page.locator("#answer .refusal")).to_contain_text("in the service's words")
        expect(page.locator("#answer .refusal p").first).to_contain_text("save it as PNG" if status == 415 else "later")
        page.unroute("**/predict*")
        page.get_by_role("button", name="Try again").click()
        expect(page.locator("#answer h2")).to_have_text("Akane Momiji")


@slow
def test_who_cannot_be_reached_is_asked_again(browser: Any, service: Running, pictures: list[Path]) -> None:
    with opened(browser, service, refusals=True) as page:
        page.route("**/predict*", lambda route: route.abort())
        page.set_input_files("#choose-input", str(pictures[0]))
        expect(page.locator("#answer .refusal")).to_contain_text("check the connection")
        page.unroute("**/predict*")
        page.get_by_role("button", name="Try again").click()
        expect(page.locator("#answer h2")).to_have_text("Akane Momiji")


@slow
@pytest.mark.parametrize("status", [503, 429])
def test_many_pictures_are_sent_a_few_at_a_time_and_again(
    browser: Any, service: Running, tmp_path: Path, status: int
) -> None:
    files = [tmp_path / f"{seed}.png" for seed in range(12)]
    for seed, file in enumerate(files):
        file.write_bytes(picture(500 + seed))
    left = [5]

    def busy(route: Any) -> None:
        left[0] -= 1
        if left[0] >= 0:
            route.fulfill(status=status, headers={"Retry-After": "1"}, json={"detail": "try again later"})
        else:
            route.continue_()

    with opened(browser, service, refusals=True) as page:
        page.route("**/predict*", busy)
        page.evaluate(COUNTS)
        page.set_input_files("#choose-input", [str(file) for file in files])
        expect(page.locator("#answer .progress")).to_contain_text("tries again by itself")
        expect(page.locator("#history-list li[data-state=answered]")).to_have_count(12, timeout=30_000)
        assert page.evaluate("[window.asked, window.most]") == [17, 3]
        assert page.locator("#history-list li[data-state=failed]").count() == 0
