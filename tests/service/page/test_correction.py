"""An answer is corrected in two keystrokes, out of ten thousand names in three languages."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from tests.service.page.browsing import choose, opened
from tests.service.page.cast import STARS
from tests.service.serving import KEPT, Running, picture, running

LABELS = {star[3]: star[0] for star in STARS}


def last(corrections: Path) -> dict[str, Any]:
    return json.loads(corrections.read_text(encoding="utf-8").splitlines()[-1])


def name_at(page: Any, place: int) -> str:
    return str(page.locator("#answer .names button").nth(place).locator(".name").inner_text()).split("\n")[0]


@pytest.fixture(scope="module")
def page(browser: Any, service: Running, pictures: list[Path]) -> Iterator[Any]:
    """One with the answer 翠, of whose names the second is 葵."""
    with opened(browser, service) as found:
        choose(found, pictures[1])
        expect(found.locator("#answer .names li")).to_have_count(5)
        expect(found.locator("#answer h2")).to_have_text("Midori Morino")
        yield found


def test_two_keystrokes_correct_an_answer(page: Any, corrections: Path, pictures: list[Path]) -> None:
    page.keyboard.press("a")
    expect(page.locator("#suggestion-rows [aria-selected=true]")).to_contain_text("Aoi Aozora")
    page.keyboard.press("Enter")
    expect(page.locator("#thanks")).to_have_text("Thank you: noted as Aoi Aozora.")
    told = last(corrections)
    assert (told["verdict"], told["answered"], told["character"]) == ("wrong", "翠", "葵")
    page.keyboard.press("3")
    page.keyboard.press("Enter")
    expect(page.locator("#thanks")).to_have_text(f"Thank you: noted as {name_at(page, 2)}.")
    assert last(corrections)["character"] == LABELS[name_at(page, 2)] != "葵"
    page.keyboard.press("1")
    page.keyboard.press("Enter")
    expect(page.locator("#thanks")).to_have_text("Thank you: noted as right.")
    assert last(corrections)["verdict"] == "right" and last(corrections)["character"] is None
    page.keyboard.press("0")
    expect(page.locator("#thanks")).to_have_text("Thank you: noted as wrong.")
    assert last(corrections)["verdict"] == "wrong" and last(corrections)["character"] is None
    expect(page.locator("#wrong")).to_have_attribute("aria-pressed", "true")


@pytest.mark.slow
def test_buttons_do_the_same(page: Any, corrections: Path) -> None:
    page.click("#right")
    expect(page.locator("#thanks")).to_have_text("Thank you: noted as right.")
    page.locator("#answer .names button").nth(2).click()
    page.locator("#suggestion-rows [aria-selected=true]").click()
    name = name_at(page, 2)
    expect(page.locator("#thanks")).to_have_text(f"Thank you: noted as {name}.")
    assert last(corrections)["verdict"] == "wrong" and last(corrections)["character"] == LABELS[name]


@pytest.mark.slow
@pytest.mark.parametrize(
    "typed",
    [
        "みどり",
        "ミドリ",
        "ﾐﾄﾞﾘ",
        "森野",
        "红叶",
        "紅葉",
        "momiji ak",
        "AKANE",
        "ákane",
        "あおい",
        "アオイ",
        "extra 07777",
    ],
)
def test_names_are_found_in_any_language(page: Any, typed: str) -> None:
    expected = {"み": 1, "ミ": 1, "ﾐ": 1, "森": 1, "红": 0, "紅": 0, "m": 0, "A": 0, "á": 0, "あ": 2, "ア": 2}
    name = STARS[expected[typed[0]]][3] if typed[0] in expected else "Extra 07777"
    page.fill("#correction", typed)
    expect(page.locator("#suggestion-rows [aria-selected=true] .own")).to_have_text(name)
    page.keyboard.press("Escape")
    expect(page.locator("#suggestions")).to_be_hidden()


@pytest.mark.slow
def test_only_names_in_sight_are_drawn(page: Any) -> None:
    page.focus("#correction")
    rows = page.locator("#suggestion-rows li")
    expect(rows.first).to_have_attribute("aria-setsize", "10000")
    assert rows.count() < 30
    field = page.locator("#correction")
    for key, place in (("ArrowDown", 0), ("ArrowDown", 1), ("ArrowUp", 0), ("ArrowUp", 9999), ("PageUp", 9995)):
        page.keyboard.press(key)
        expect(field).to_have_attribute("aria-activedescendant", f"suggestion-{place}")
        expect(page.locator(f"#suggestion-{place}")).to_be_in_viewport(ratio=0.9)
        assert rows.count() < 30
    assert page.locator("#suggestion-9995").get_attribute("aria-posinset") == "9996"
    page.locator("#suggestions").evaluate("box => (box.scrollTop = 5000 * 48)")
    expect(page.locator("#suggestion-5001")).to_be_in_viewport()
    assert rows.count() < 30
    page.keyboard.press("Escape")


@pytest.mark.slow
def test_a_name_that_is_new_is_told_as_such(page: Any, corrections: Path) -> None:
    page.fill("#correction", "Nobody Known")
    expect(page.locator("#suggestion-rows li")).to_contain_text("not a name that this model knows")
    page.keyboard.press("Enter")
    expect(page.locator("#thanks")).to_have_text("Thank you: noted as Nobody Known.")
    assert last(corrections)["character"] == "Nobody Known"


@pytest.mark.slow
def test_keys_are_left_alone_where_that_is_wanted(page: Any) -> None:
    page.keyboard.press("?")
    expect(page.locator("#settings")).to_be_visible()
    page.keyboard.press("a")  # a dialog is open
    expect(page.locator("#suggestions")).to_be_hidden()
    page.uncheck("#single-keys")
    page.get_by_role("button", name="Done").click()
    for key in ("a", "2", "0", "?"):
        page.keyboard.press(key)
        expect(page.locator("#settings")).to_be_hidden()
        expect(page.locator("#correction")).not_to_be_focused()
    page.reload()
    page.locator("html[data-ready]").wait_for()
    page.click("#open-settings")
    expect(page.locator("#single-keys")).not_to_be_checked()
    page.check("#single-keys")
    page.keyboard.press("Escape")


@pytest.mark.slow
def test_a_service_with_keys_that_takes_no_feedback(browser: Any, tmp_path: Path) -> None:
    from animeid.service.keys import USER, new_key

    key = new_key(tmp_path / "keys.jsonl", "alice", USER)
    file = tmp_path / "one.png"
    file.write_bytes(picture(1))
    with (
        running(KEPT, f"keys={tmp_path / 'keys.jsonl'}") as service,
        opened(browser, service, refusals=True) as page,
    ):
        expect(page.locator("#key-needed")).to_have_text("This service answers only to a key: enter yours.")
        page.fill("#key", "not the key")
        page.keyboard.press("Enter")
        expect(page.locator("#key-needed")).to_be_visible()
        page.fill("#key", key)
        page.keyboard.press("Enter")
        expect(page.locator("#settings")).to_be_hidden()
        choose(page, file)
        page.click("#right")
        expect(page.locator("#notice")).to_contain_text("This service takes no corrections")
        expect(page.locator("#thanks")).to_be_hidden()
        page.reload()  # the key is kept as long as the tab
        expect(page.locator("#model option").first).to_contain_text("default")
        expect(page.locator("#settings")).to_be_hidden()
