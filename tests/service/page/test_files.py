"""The page's files: how they are sent, that they hold together, and that text can be read."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from starlette.testclient import TestClient

from animeid.fonts import FONT_FILE
from animeid.service.routes.page import FOLDER, PAGES, SHARED, files
from tests.service.serving import KEPT, client

SCRIPTS = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.js"))}
SHEETS = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.css"))}
MARKUP = {path.name: path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.html"))}
LANGUAGES = ("en", *sorted(path.stem for path in (FOLDER / "words").glob("*.json") if path.stem != "en"))
WORDS = {name: json.loads((FOLDER / f"words/{name}.json").read_text(encoding="utf-8")) for name in LANGUAGES}
ENDS = {
    "appearance_": ("system", "light", "dark"),
    "refused_": tuple(key.removeprefix("refused_") for key in WORDS["en"] if key.startswith("refused_")),
    "state_": ("waiting", "sending", "failed"),
    "progress_": ("waiting", "sending"),
    "source_": ("network", "cache", "shared"),
    "source_name_": ("network", "cache", "shared"),
    "series_": ("answered", "busy", "refused", "half", "most", "queue")
    + ("drift_confidence", "drift_characters", "drift_distance"),
    "chart_": tuple(
        f"{name}{end}"
        for name in ("requests", "latency", "queue", "cache", "drift", "confidence", "mix")
        for end in ("", "_told")
    ),
}
"""What follows beginnings of keys in scripts."""
LEAST_CONTRAST = 4.5
"""Of text that is not large, in WCAG 2.2 AA."""
READ = [("ink", place) for place in ("ground", "paper", "sunk")]
READ += [(text, place) for text in ("muted", "accent", "good", "bad") for place in ("ground", "paper")]
READ += [("muted", "sunk"), ("on-accent", "accent")]


@pytest.fixture(scope="module")
def site() -> Iterator[TestClient]:
    with client(KEPT) as found:
        yield found


@pytest.mark.parametrize("address", ["/", "/watch"])
def test_a_page_is_asked_for_again_and_sent_once(site: TestClient, address: str) -> None:
    found = site.get(address)
    assert found.status_code == 200 and found.headers["content-type"] == "text/html; charset=utf-8"
    assert found.headers["cache-control"] == "no-cache"
    policy = found.headers["content-security-policy"]
    assert policy.startswith("default-src 'self'; img-src 'self' blob: data:; ")
    assert "unsafe" not in policy and "frame-ancestors 'none'" in policy
    assert "HERE/" not in found.text and "shared.html" not in found.text
    again = site.get(address, headers={"If-None-Match": found.headers["etag"]})
    assert again.status_code == 304 and again.content == b""


def test_files_of_a_page_are_kept_for_ever_under_their_digest(site: TestClient) -> None:
    addresses = {address for page in ("/", "/watch") for address in re.findall(r'"(page/[^"#]+)', site.get(page).text)}
    assert len(addresses) > 15
    for address in sorted(addresses):
        found = site.get(f"/{address}")
        assert found.status_code == 200 and "immutable" in found.headers["cache-control"], address
    packed = site.get(f"/page/{files().digest}/page.css", headers={"Accept-Encoding": "gzip"})
    plain = site.get(f"/page/{files().digest}/page.css", headers={"Accept-Encoding": "identity"})
    assert packed.headers["content-encoding"] == "gzip" and "content-encoding" not in plain.headers
    assert packed.text == plain.text == SHEETS["page.css"]
    assert gzip.decompress(files().by_name["page.css"].packed).decode() == SHEETS["page.css"]
    assert site.get(f"/page/{files().digest}/names.ttf").content == FONT_FILE.read_bytes()


@pytest.mark.parametrize("name", ["nothing.js", "../serve.py", "..%2f..%2fapp.py", "index.html", "words", ""])
def test_nothing_else_is_sent(site: TestClient, name: str) -> None:
    assert site.get(f"/page/{files().digest}/{name}").status_code == 404
    assert site.get("/page/0000000000000000/page.css").status_code == 404


def test_pages_are_no_part_of_the_api(site: TestClient) -> None:
    assert not {"/", "/watch"} & set(site.get("/openapi.json").json()["paths"])


@pytest.mark.parametrize("page", PAGES)
def test_all_scripts_of_a_page_are_asked_for_at_once(page: str) -> None:
    [first] = re.findall(r'<script type="module" src="HERE/(.+?)">', MARKUP[page])
    wanted, new = set(), {first}
    while new:
        wanted |= new
        new = {name for script in new for name in re.findall(r'from "\./(.+?)";', SCRIPTS[script])} - wanted
    assert set(re.findall(r'rel="modulepreload" href="HERE/(.+?)"', MARKUP[page])) == wanted - {first}


def test_nothing_stands_in_a_page_that_its_policy_forbids() -> None:
    for name, text in MARKUP.items():
        assert not re.search(r"<style|\sstyle=|\son\w+=|<script(?![^>]*src=)|javascript:", text), name
    for name, text in {**MARKUP, **SHEETS, **SCRIPTS}.items():
        outside = set(re.findall(r"https?://[^\s\"')]+", text)) - {"http://www.w3.org/2000/svg"}
        assert outside == set(), name
    for name, text in SCRIPTS.items():
        assert not re.search(r"innerHTML|insertAdjacentHTML|document\.write|eval\(|\bFunction\(", text), name


def test_everything_is_said_in_every_language() -> None:
    assert {"en", "zh", "ja"} <= set(LANGUAGES)
    assert set(re.findall(r'<option value="(..)" lang="\1">', MARKUP[SHARED])) == set(LANGUAGES)
    [known] = re.findall(r"const known = (\[.+\]);", SCRIPTS["early.js"])
    assert set(json.loads(known)) == set(LANGUAGES)
    for name in LANGUAGES[1:]:
        assert list(WORDS[name]) == list(WORDS["en"]), name
        for key, text in WORDS[name].items():
            assert text.strip() and set(re.findall(r"\{\w+\}", text)) == set(
                re.findall(r"\{\w+\}", WORDS["en"][key])
            ), key
    assert [key for key in WORDS["en"] if WORDS["zh"][key] == WORDS["en"][key] and key != "chart_now"] == []


def test_every_word_is_said_somewhere_and_none_is_missing() -> None:
    said = {key for text in MARKUP.values() for key in re.findall(r'data-(?:word|label|hint)="(\w+)"', text)}
    told = "".join(SCRIPTS.values())
    said |= {key for key in re.findall(r'"(\w+)"', told) if key in WORDS["en"]}
    said |= set(re.findall(r'\bsay\("(\w+)"', told))
    beginnings = set(re.findall(r"`(\w+_)\$\{[^}]*\}(?:_told)?`", told))
    assert beginnings - {"animeid_"} == set(ENDS)
    said |= {beginning + end for beginning, ends in ENDS.items() for end in ends}
    assert said == set(WORDS["en"])


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_text_can_be_read(scheme: int) -> None:
    colours = dict(re.findall(r"--([\w-]+): light-dark\((.+?)\);", SHEETS["page.css"]))
    shown = {name: pair.split(", ")[scheme] for name, pair in colours.items()}
    found = {f"{text} on {place}": contrast(shown[text], shown[place]) for text, place in READ}
    assert {pair: value for pair, value in found.items() if value < LEAST_CONTRAST} == {}
    edges = {place: contrast(shown["edge"], shown[place]) for place in ("ground", "paper")}
    assert min(edges.values()) >= 3, "controls can be seen"


def test_colours_stand_in_one_place() -> None:
    for name, text in SHEETS.items():
        rest = re.sub(r"^  --.*$", "", text, flags=re.MULTILINE)
        assert set(re.findall(r":[^;{]*(#[0-9a-f]{3,8})\b", rest)) <= {"#0009"}, name


def contrast(one: str, other: str) -> float:
    """Of two colours `#rrggbb`, as WCAG 2.2 has it."""
    dark, light = sorted((luminance(one), luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def luminance(colour: str) -> float:
    shares = [int(colour[place : place + 2], 16) / 255 for place in (1, 3, 5)]
    red, green, blue = (share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def test_contrast_is_that_of_the_standard() -> None:
    assert contrast("#ffffff", "#000000") == pytest.approx(21)
    assert contrast("#777777", "#ffffff") == pytest.approx(4.48, abs=0.005)  # the usual example that fails


def test_the_beginning_of_all_pages_stands_once() -> None:
    header = re.search(r"<header>.*?</header>", MARKUP[SHARED], re.DOTALL)
    assert header is not None and not any("<header>" in MARKUP[page] for page in PAGES)
    assert isinstance(FOLDER, Path) and FOLDER.is_dir()
