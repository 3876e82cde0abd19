"""Everybody can use the page: names, contrast, focus, room, languages and appearances."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.service.page.browsing import choose, opened
from tests.service.page.cast import STARS
from tests.service.serving import Running

pytestmark = pytest.mark.slow
LOCALES = {"en": "en-GB", "zh": "zh-CN", "ja": "ja-JP"}
TITLES = {"en": "Who is this?", "zh": "这是谁？", "ja": "このキャラは誰？"}
AUDIT = Path(__file__).with_name("audit.js").read_text(encoding="utf-8")


def audit(page: Any) -> list[str]:
    """What is wrong with what is shown now."""
    return page.evaluate(AUDIT)


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 390, 320])
def test_nothing_is_wrong(browser: Any, service: Running, pictures: list[Path], width: int, scheme: str) -> None:
    phone = {"has_touch": True, "is_mobile": True} if width < 600 else {}
    with opened(browser, service, width=width, color_scheme=scheme, refusals=True, **phone) as page:
        assert audit(page) == []
        choose(page, *pictures[:4], pictures[5])
        assert audit(page) == []
        page.click("#right")
        page.fill("#correction", "a")
        assert audit(page) == []
        page.keyboard.press("Escape")
        page.locator("#asked summary").click()
        page.set_input_files("#choose-input", str(pictures[6]))
        expect(page.locator("#answer .refusal")).to_be_visible()
        assert audit(page) == []
        page.click("#open-settings")
        assert audit(page) == []
        page.keyboard.press("Escape")
        page.goto(service.address + "/watch")
        expect(page.locator("[data-chart=requests] .legend")).to_be_visible()
        for summary in page.locator("#charts summary").all():
            summary.click()
        assert audit(page) == []


def test_an_audit_finds_faults(browser: Any, service: Running) -> None:
    with opened(browser, service, refusals=True) as page:
        page.evaluate("""() => {
          const made = (tag, told) => Object.assign(document.createElement(tag), told);
          const add = (tag, told) => document.querySelector("main").append(made(tag, told));
          add("button", {}); add("img", { src: "page/none" }); add("input", {}); add("h4", { textContent: "deep" });
          add("p", { textContent: "faint", id: "title" }); document.querySelector("p#title").style.color = "#bbb";
          add("div", { id: "wide" }); document.querySelector("#wide").style.cssText = "width: 3000px; height: 9px";
        }""")
        found = " ".join(audit(page))
        for fault in ("no name", "no alt", "no label", "level", "contrast", "twice", "wider"):
            assert fault in found, found


@pytest.mark.parametrize("language", LOCALES)
def test_the_browser_chooses_the_language_and_so_does_its_user(
    browser: Any, service: Running, pictures: list[Path], language: str
) -> None:
    other = {"en": "ja", "zh": "en", "ja": "zh"}[language]
    place = {"zh": 1, "ja": 2, "en": 3}
    with opened(browser, service, locale=LOCALES[language]) as page:
        assert page.get_attribute("html", "lang") == language
        expect(page.locator("h1")).to_have_text(TITLES[language])
        choose(page, pictures[1])
        expect(page.locator("#answer h2")).to_have_text(STARS[1][place[language]])
        page.select_option("#language", other)
        expect(page.locator("h1")).to_have_text(TITLES[other])
        expect(page.locator("#answer h2")).to_have_text(STARS[1][place[other]])
        page.goto(service.address + "/watch")
        page.locator("html[data-ready]").wait_for()
        assert page.get_attribute("html", "lang") == other
        page.locator("html[data-loaded]").wait_for()
        page.evaluate("document.fonts.ready.then(() => true)")
        assert page.evaluate("[...document.fonts].some(font => font.status === 'loaded')"), "letters have glyphs"


def test_another_language_is_english(browser: Any, service: Running) -> None:
    with opened(browser, service, locale="fr-FR") as page:
        expect(page.locator("h1")).to_have_text(TITLES["en"])


def test_dark_is_as_the_system_says_or_as_is_chosen(browser: Any, service: Running) -> None:
    def ground(page: Any) -> str:
        return page.evaluate("getComputedStyle(document.body).backgroundColor")

    light, dark = "rgb(247, 244, 248)", "rgb(20, 17, 24)"
    with opened(browser, service, color_scheme="dark") as page:
        assert ground(page) == dark
        page.click("#appearance")
        assert ground(page) == light
        assert "light" in page.get_attribute("#appearance", "aria-label")
        page.reload()
        page.locator("html[data-ready]").wait_for()
        assert ground(page) == light
        page.click("#appearance")
        assert ground(page) == dark
        page.emulate_media(color_scheme="light")
        assert ground(page) == dark
        page.click("#appearance")
        assert ground(page) == light


def test_all_is_reached_by_the_keyboard_in_the_order_of_the_page(
    browser: Any, service: Running, pictures: list[Path]
) -> None:
    """Each stop can be seen, and none is a trap."""
    stop = """() => {
      const here = document.activeElement;
      const style = getComputedStyle(here);
      const box = here.getBoundingClientRect();
      const isSeen = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 2 && box.width * box.height > 0;
      return [here === document.body ? "" : here.id || here.textContent.trim().slice(0, 20), isSeen];
    }"""
    with opened(browser, service) as page:
        choose(page, pictures[1], pictures[2])
        page.evaluate("document.activeElement.blur()")
        stops = []
        for _ in range(40):
            page.keyboard.press("Tab")
            name, is_seen = page.evaluate(stop)
            if not name:
                break
            stops.append(name)
            assert is_seen, name
        wanted = ["language", "appearance", "open-settings", "choose", "clear", "right", "wrong", "correction", "model"]
        assert [name for name in stops if name in wanted] == wanted
        assert len(stops) == len(set(stops)) < 40 and stops[0] == "Skip to the content"
        page.keyboard.press("Tab")
        page.keyboard.press("Enter")  # the first link goes past the header
        page.keyboard.press("Tab")
        expect(page.locator("#choose")).to_be_focused()
