"""Prometheus metrics of the service; with several workers each writes to files of one folder, and all are read."""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from animeid.service.folding import reading

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
"""The variable that makes prometheus_client write to files, which it reads once, when it is imported."""
CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
Drifts = Mapping[str, Mapping[str, float]]
SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.15, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
SHARES = tuple(edge / 20 for edge in range(1, 21))


class Metrics:
    """What is counted. No metric has a label that a client can choose freely."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()

        def counter(name: str, told: str, *labels: str) -> Counter:
            return Counter(f"animeid_{name}", told, labels, registry=self.registry)

        def gauge(name: str, told: str) -> Gauge:
            return Gauge(f"animeid_{name}", told, registry=self.registry, multiprocess_mode="livesum")

        def histogram(name: str, told: str, buckets: tuple[float, ...], *labels: str) -> Histogram:
            return Histogram(f"animeid_{name}", told, labels, buckets=buckets, registry=self.registry)

        self.requests = counter("requests", "Requests that were answered", "route", "status")
        self.seconds = histogram("request_seconds", "Time from a request to its answer", SECONDS, "route")
        self.pictures = counter("pictures", "Pictures that were named", "version", "source")
        self.unknown = counter("unknown", "Pictures that were named unknown", "version")
        self.characters = counter("characters", "Pictures by their likeliest name", "version", "character")
        self.confidence = histogram("confidence", "Probability of the likeliest name", SHARES, "version")
        self.queue = gauge("queue", "Pictures that are being answered or wait")
        self.connections = gauge("connections", "Connections that are open")
        self.cache = gauge("cache_entries", "Answers that are kept")
        self.cache_bytes = gauge("cache_bytes", "Memory of answers that are kept")
        self.killed = counter("decoders_killed", "Pictures that a decoder was killed for")
        self.shadow = counter("shadow_pictures", "Pictures that the shadow was to name", "version", "outcome")
        self.shadow_confidence = histogram(
            "shadow_confidence_difference", "How far the shadow's confidence is from the answer's", SHARES, "version"
        )
        self.unreadable = counter("unreadable", "Pictures that could not be read")

    def text(self, drifts: Drifts) -> bytes:
        """All metrics, of all workers, in Prometheus' text format.

        Args:
            drifts: of all workers too; nothing is left of a version that answers no more.
        """
        drift = CollectorRegistry()
        drift.register(DriftCollector(drifts))
        folder = os.environ.get(FOLDER)
        if folder is None:
            return generate_latest(self.registry) + generate_latest(drift)
        with reading(Path(folder)):
            registry = CollectorRegistry()
            MultiProcessCollector(registry, folder)
            return generate_latest(registry) + generate_latest(drift)


@dataclass(frozen=True, eq=False)
class DriftCollector(Collector):
    """The indices of `Drift.measured` by version, as a gauge."""

    drifts: Drifts

    def collect(self) -> Iterator[Metric]:
        told = "Population stability index of the last answers"
        gauge = GaugeMetricFamily("animeid_drift", told, labels=("version", "of"))
        for version, found in self.drifts.items():
            for what, index in found.items():
                gauge.add_metric((version, what), index)
        yield gauge
