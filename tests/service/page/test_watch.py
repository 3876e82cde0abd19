"""The page that shows the metrics, against the metrics themselves."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from playwright.sync_api import expect
from prometheus_client.parser import text_string_to_metric_families

from animeid.service.routes.page import files
from tests.service.page.browsing import opened
from tests.service.serving import Running, picture

pytestmark = pytest.mark.slow
CHARTS = ("requests", "latency", "queue", "cache", "drift", "confidence", "mix")
ODD = """\
# HELP animeid_odd Names with signs
# TYPE animeid_odd counter
animeid_odd_total{version="a",character="a \\"b\\" c\\\\n"} 3.0
animeid_odd_total{version="a",character="two\\nlines, {x}"} 4.0
animeid_odd_total{version="b",character="黒川"} 1e+03
animeid_plain 2.5
"""


def module(page: Any, name: str, code: str, *given: Any) -> Any:
    """What a function says that is given a module of the page."""
    return page.evaluate(f"async (given) => ({code})(await import('./page/{files().digest}/{name}'), ...given)", given)


def sums(text: str, name: str, label: str, version: str | None = None) -> dict[str, float]:
    found: dict[str, float] = {}
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            if sample.name == f"animeid_{name}" and version in (None, sample.labels.get("version")):
                found[sample.labels[label]] = found.get(sample.labels[label], 0) + sample.value
    return found


def test_charts_show_what_the_metrics_say(browser: Any, service: Running, pictures: list[Path]) -> None:
    for file in [*pictures[:5], pictures[0]]:
        service.predict(file.read_bytes())
    with opened(browser, service, "/watch") as page:
        for name in CHARTS:
            expect(page.locator(f"[data-chart={name}] svg[role=img]").first).to_be_visible()
        service.predict(picture(77))
        expect(page.locator("[data-chart=latency] .legend")).not_to_contain_text("–")
        page.select_option("#every", "0")
        page.wait_for_timeout(300)
        text = service.get("/metrics").text
        version = service.get("/models").json()["aliases"]["default"]
        page.select_option("#version", version)
        named = sums(text, "pictures_total", "source", version)
        expect(page.locator("#totals div").first).to_contain_text(f"{sum(named.values()):,.0f}")
        page.locator("[data-chart=cache] summary").click()
        expect(page.locator("[data-chart=cache] tbody tr")).to_have_count(3)
        cells = page.locator("[data-chart=cache] tbody td").all_inner_texts()
        assert cells == [f"{named.get(source, 0):,.0f}" for source in ("network", "cache", "shared")]
        mix = sorted(sums(text, "characters_total", "character", version).items(), key=lambda pair: -pair[1])
        page.locator("[data-chart=mix] summary").click()
        expect(page.locator("[data-chart=mix] tbody tr")).to_have_count(len(mix))
        shown = dict(zip(
            page.locator("[data-chart=mix] tbody th").all_inner_texts(),
            map(int, page.locator("[data-chart=mix] tbody td").all_inner_texts()),
            strict=True,
        ))  # fmt: skip
        assert shown == {name: int(count) for name, count in mix}
        labels = page.locator("svg[role=img]").evaluate_all("all => all.map(one => one.getAttribute('aria-label'))")
        assert len(labels) == len(CHARTS) and all(len(label) > 8 for label in labels)
        expect(page.locator("#health")).to_have_text("Ready, no alarms")
        heights = page.locator("#totals div").evaluate_all("tiles => tiles.map(tile => tile.offsetHeight)")
        assert max(heights) < 120 and page.locator("#charts").bounding_box()["width"] > 1000


def test_lines_differ_in_more_than_their_colour(browser: Any, service: Running) -> None:
    with opened(browser, service, "/watch") as page:
        expect(page.locator("[data-chart=requests] .legend li")).to_have_count(3)
        dashes = "all => all.map(line => line.getAttribute('stroke-dasharray') ?? 'none')"
        assert len(set(page.locator("[data-chart=requests] .legend path").evaluate_all(dashes))) == 3


def test_alarms_and_silence_are_told(browser: Any, service: Running) -> None:
    with opened(browser, service, "/watch", refusals=True) as page:
        expect(page.locator("#health")).to_have_text("Ready, no alarms")
        page.route("**/health", lambda route: route.fulfill(json={"ready": True, "alarms": ["confidence has drifted"]}))
        expect(page.locator("#health")).to_contain_text("with alarms:confidence has drifted")
        page.unroute("**/health")
        page.route("**/metrics", lambda route: route.abort())
        expect(page.locator("#health")).to_contain_text("cannot be reached")
        page.unroute("**/metrics")
        expect(page.locator("#health")).to_have_text("Ready, no alarms")


DRIFT = """\
animeid_drift{of="confidence",version="aa"} 0.12
animeid_drift{of="distance",version="aa"} 0.41
animeid_drift{of="distance",version="bb"} 0.33
animeid_pictures_total{source="network",version="aa"} 2.0
animeid_pictures_total{source="network",version="bb"} 2.0
"""


@pytest.mark.parametrize(
    ("locale", "told"),
    [
        ("en-GB", ("Drift", "confidence: 0.12", "class mix: –", "embeddings: 0.41", "embeddings: 0.33")),
        ("zh-CN", ("漂移", "置信度：0.12", "角色分布：–", "嵌入距离：0.41", "嵌入距离：0.33")),
        (
            "ja-JP",
            ("ドリフト", "確信度：0.12", "キャラクターの内訳：–", "埋め込みの距離：0.41", "埋め込みの距離：0.33"),
        ),
    ],
)
def test_drift_is_shown_of_the_version_that_is_chosen(
    browser: Any, service: Running, locale: str, told: tuple[str, ...]
) -> None:
    with opened(browser, service, "/watch", width=390, locale=locale) as page:
        page.route("**/metrics", lambda route: route.fulfill(body=DRIFT))
        chart = page.locator("[data-chart=drift]")
        for words in told[:4]:
            expect(chart).to_contain_text(words)
        page.select_option("#version", "bb")
        expect(chart).to_contain_text(told[4])
        assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def test_quantiles_are_those_of_the_values(browser: Any, service: Running) -> None:
    """Of binned values none is further from numpy's than its bin is wide."""
    random = np.random.default_rng(3)
    edges = np.array([0.001, 0.005, 0.01, 0.05, 0.1, 0.5, 1.0])
    with opened(browser, service, "/watch") as page:
        for _ in range(5):
            values = random.lognormal(-4, 1.2, 500).clip(0, 0.99)
            counts = np.histogram(values, np.concatenate([[0], edges]))[0]
            bins = [{"edge": float(edge), "count": int(count)} for edge, count in zip(edges, counts, strict=True)]
            for share in (0.5, 0.95, 0.99):
                found = module(page, "metrics.js", "(own, bins, share) => own.quantile(bins, share)", bins, share)
                place = np.searchsorted(edges, np.quantile(values, share))
                lower = 0 if place == 0 else edges[place - 1]
                below = counts[:place].sum()
                assert found == pytest.approx(
                    lower + (edges[place] - lower) * (share * 500 - below) / counts[place], rel=0.05
                )
        assert module(page, "metrics.js", "(own) => own.quantile([{ edge: 1, count: 0 }], 0.5)") is None
        last = [{"edge": 1, "count": 0}]
        assert (
            module(
                page, "metrics.js", "(own, bins) => own.quantile([...bins, { edge: Infinity, count: 2 }], 0.5)", last
            )
            == 1
        )


def test_the_text_format_is_read_as_prometheus_reads_it(browser: Any, service: Running) -> None:
    with opened(browser, service, "/watch") as page:
        code = "(own, text) => [...new own.Metrics(text).by('odd_total', 'character')]"
        assert dict(module(page, "metrics.js", code, ODD)) == sums(ODD, "odd_total", "character")
        assert module(page, "metrics.js", "(own, text) => new own.Metrics(text).sum('plain')", ODD) == 2.5
