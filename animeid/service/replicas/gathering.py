"""What replicas have of their own: metrics of all of them as one text, and no header that Ray's proxy sets itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import Metric
from prometheus_client.parser import text_string_to_metric_families
from prometheus_client.registry import Collector
from prometheus_client.samples import Sample
from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from animeid.service.watch import REQUEST_ID

LABEL = "replica"
"""Tells the replicas apart: Prometheus must see that a counter ends with its replica, and not that it goes back."""
CREATED = "_created"
"""When a counter began, which the metrics of several workers lack as well."""


@dataclass(frozen=True)
class WithoutId:
    """Wraps the application of a replica."""

    app: ASGIApp

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        await self.app(scope, receive, lambda message: send(_without_id(message)))


def _without_id(message: Message) -> Message:
    """The id of the request is said by Ray's proxy, which took it from the same header or made it."""
    if message["type"] == "http.response.start":
        del MutableHeaders(raw=message["headers"])[REQUEST_ID]
    return message


def merged(texts: Mapping[str, str]) -> bytes:
    """One text in Prometheus' format, whose samples say which replica they are of."""
    registry = CollectorRegistry()
    registry.register(Labelled(texts))
    return generate_latest(registry)


class Labelled(Collector):
    """The metrics of some texts; each sample gets the label `replica`."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def collect(self) -> Iterator[Metric]:
        families: dict[str, Metric] = {}
        for replica, text in sorted(self._texts.items()):
            for family in text_string_to_metric_families(text):
                if not family.name.endswith(CREATED):
                    found = families.setdefault(family.name, Metric(family.name, family.documentation, family.type))
                    found.samples += [_of(sample, replica) for sample in family.samples]
        yield from families.values()


def _of(sample: Sample, replica: str) -> Sample:
    return sample._replace(labels={**sample.labels, LABEL: replica})
