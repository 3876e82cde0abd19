"""Dashboard and alarms ask for metrics and labels that `/metrics` really gives, in PromQL that parses."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from functools import partial
from itertools import chain, combinations
from pathlib import Path
from typing import Any

import promql_parser
import pytest
import yaml
from prometheus_client.parser import text_string_to_metric_families

from animeid.artefacts.checksums import seal
from animeid.artefacts.layout import METRICS
from animeid.service.drift import FEWEST
from animeid.system.files import read_json, write_json
from tests.service.rich_artefact import colour, rich_artefact
from tests.service.serving import client, picture, png

HOME = Path(__file__).resolve().parents[2] / "packaging"
BOARD = json.loads((HOME / "grafana/dashboards/service.json").read_text(encoding="utf-8"))
RULES = yaml.safe_load((HOME / "prometheus/rules.yml").read_text(encoding="utf-8"))["groups"][0]["rules"]
PANELS = [panel for panel in BOARD["panels"] if panel["type"] != "row"]
VARIABLES = {"$__rate_interval": "5m", "$__range": "6h", "$version": ".*", "$job": ".*"}
BY_PROMETHEUS = {"up": set[str]()}
"""What Prometheus knows by itself."""
LABELS_OF_SCRAPES = {"job", "instance", "le"}


def queries() -> dict[str, str]:
    panels = {f"{panel['title']} {one['refId']}": one["expr"] for panel in PANELS for one in panel["targets"]}
    marks = {one["name"]: one["expr"] for one in BOARD["annotations"]["list"]}
    return {**panels, **marks, **{rule["alert"]: rule["expr"] for rule in RULES}}


def filled(query: str) -> str:
    return re.sub(r"\$\w+", lambda found: VARIABLES[found[0]], query)


def parts(query: str) -> list[Any]:
    """All parts of a query's tree."""
    found: list[Any] = []
    assert promql_parser.walk(promql_parser.parse(query), pre_visit=found.append)
    return found


@pytest.fixture(scope="module")
def given(tmp_path_factory: pytest.TempPathFactory) -> dict[str, set[str]]:
    """The samples of `/metrics` of a service that has done what it can, with the names of their labels."""
    folder = rich_artefact(tmp_path_factory.mktemp("artefacts") / "watched")
    answers = {"confidence": [0, 0, 0, 100], "characters": [90, 5, 5]}
    write_json(folder / METRICS, {**read_json(folder / METRICS), "answers": answers})
    seal(folder)
    with client(folder, unknown_below=1.0, shadow=str(folder)) as asked:
        for _ in range(FEWEST // 10):
            asked.post("/predict_batch", files=[("files", ("a", png(colour(2))))] * 10)
        asked.post("/predict", content=picture(1))
        asked.post("/predict", content=b"no picture")
        text = asked.get("/metrics").text
    found: dict[str, set[str]] = dict(BY_PROMETHEUS)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            found.setdefault(sample.name, set()).update(sample.labels)
    return found


@pytest.mark.parametrize("query", queries().values(), ids=queries())
def test_a_query_asks_for_what_there_is(query: str, given: dict[str, set[str]]) -> None:
    found = parts(filled(query))
    selectors = [part for part in found if isinstance(part, promql_parser.VectorSelector)]
    labels = LABELS_OF_SCRAPES.union(*(given[selector.name] for selector in selectors))
    for selector in selectors:
        asked = {matcher.name for matcher in selector.matchers.matchers}
        assert asked <= given[selector.name] | LABELS_OF_SCRAPES
    grouped = [
        part.modifier.labels for part in found if isinstance(part, promql_parser.AggregateExpr) and part.modifier
    ]
    assert labels.issuperset(chain.from_iterable(grouped))


def test_what_shadows_do_is_shown_whichever_version_is_chosen() -> None:
    """Versions to choose from are those that have answered, which a shadow need not have."""
    for query in queries().values():
        for part in parts(filled(query)):
            if isinstance(part, promql_parser.VectorSelector) and "_shadow_" in part.name:
                assert [matcher.name for matcher in part.matchers.matchers] == ["job"]


def test_a_version_that_is_asked_now_and_then_is_not_marked_again() -> None:
    [mark] = [one["expr"] for one in BOARD["annotations"]["list"] if one["name"] == "Another version answers"]
    new, old = [part for part in parts(filled(mark)) if isinstance(part, promql_parser.MatrixSelector)]
    assert old.range.total_seconds() >= 3600, "or each quiet hour ends with a mark"
    assert old.vector_selector.offset == new.range, "what is new is not looked for in itself"


def test_all_that_is_counted_is_shown(given: dict[str, set[str]]) -> None:
    shown = " ".join(queries().values())
    families = {re.sub(r"_(bucket|sum|count|created)$", "", name) for name in given}
    assert {name for name in families if name not in shown and f"{name}_total" not in shown} == set()


def test_names_in_legends_and_sentences_are_left_by_the_query() -> None:
    targets = [(one["expr"], one["legendFormat"]) for panel in PANELS for one in panel["targets"]]
    sentences = [(rule["expr"], re.sub(r"\$labels\.", "", rule["annotations"]["summary"])) for rule in RULES]
    for query, text in targets + sentences:
        named = set(re.findall(r"{{ ?(\w+) ?}}", text))
        aggregates = [part for part in parts(filled(query)) if isinstance(part, promql_parser.AggregateExpr)]
        left = {label for part in aggregates if part.modifier for label in part.modifier.labels}
        assert named <= (left if aggregates else LABELS_OF_SCRAPES)


def test_a_wrong_query_is_seen(given: dict[str, set[str]]) -> None:
    check = partial(test_a_query_asks_for_what_there_is, given=given)
    with pytest.raises(KeyError):
        check("sum(rate(animeid_request_total[5m]))")
    with pytest.raises(AssertionError):
        check('sum(animeid_requests_total{model="x"})')
    with pytest.raises(AssertionError):
        check("sum by (model) (animeid_requests_total)")
    with pytest.raises(ValueError, match="unclosed left parenthesis"):
        check("sum(rate(animeid_requests_total[5m])")


def overlap(one: dict[str, int], other: dict[str, int]) -> bool:
    def apart(side: str, length: str) -> bool:
        return one[side] + one[length] <= other[side] or other[side] + other[length] <= one[side]

    return not apart("x", "w") and not apart("y", "h")


def test_the_dashboard_is_whole() -> None:
    ids = [panel["id"] for panel in BOARD["panels"]]
    assert len(ids) == len(set(ids)) and len({panel["title"] + panel["description"] for panel in PANELS}) == len(PANELS)
    places = [panel["gridPos"] for panel in BOARD["panels"]]
    assert all(place["x"] + place["w"] <= 24 for place in places)
    assert not any(overlap(one, other) for one, other in combinations(places, 2))
    variables = {variable["name"] for variable in BOARD["templating"]["list"]}
    used = {word.strip("{}") for word in re.findall(r"\$({\w+}|\w+)", json.dumps(BOARD)) if not word.startswith("__")}
    assert used == variables


def sources(node: Any) -> Iterator[str]:
    """The data sources that parts of a dashboard name."""
    if isinstance(node, dict):
        if isinstance(node.get("datasource"), dict):
            yield node["datasource"]["uid"]
        for inner in node.values():
            yield from sources(inner)
    elif isinstance(node, list):
        for inner in node:
            yield from sources(inner)


def test_the_dashboard_asks_the_source_that_is_provided() -> None:
    assert set(sources(BOARD)) == {"${source}"}
    [variable] = [one for one in BOARD["templating"]["list"] if one["name"] == "source"]
    provided = yaml.safe_load((HOME / "grafana/provisioning/datasources/prometheus.yaml").read_text(encoding="utf-8"))
    [source] = provided["datasources"]
    assert variable["query"] == source["type"] == "prometheus"
    assert variable["current"] == {"text": source["name"], "value": source["uid"]}


def test_alarms_say_when_how_badly_and_what() -> None:
    for rule in RULES:
        assert set(rule) - {"for"} == {"alert", "expr", "labels", "annotations"}
        assert rule["labels"]["severity"] in ("page", "ticket")
        assert rule["annotations"]["summary"].endswith(".")
