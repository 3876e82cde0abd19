"""`compose.yaml` fits its schema and the files that it mounts, and lets nobody write or gain rights."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
import yaml

from animeid.service.arguments import request_of
from animeid.service.supervisor import LAST_SECONDS

HOME = Path(__file__).resolve().parents[2] / "packaging"
FILE = HOME / "docker" / "compose.yaml"
COMPOSE = yaml.safe_load(FILE.read_text(encoding="utf-8"))
SCHEMA = json.loads(files("check_jsonschema").joinpath("builtin_schemas/vendor/compose-spec.json").read_text("utf-8"))


def test_it_fits_the_schema() -> None:
    import jsonschema  # it takes seconds

    jsonschema.validate(COMPOSE, SCHEMA)
    wrong = {**COMPOSE, "services": {"animeid": {"image": "x", "read_onlyy": True}}}
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(wrong, SCHEMA)


@pytest.mark.parametrize("service", COMPOSE["services"].values(), ids=COMPOSE["services"])
def test_a_service_cannot_write_or_gain_rights(service: dict[str, Any]) -> None:
    assert service["read_only"] and service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert all(port.startswith("127.0.0.1:") for port in service["ports"])
    for volume in service["volumes"]:
        if isinstance(volume, dict):
            assert volume["read_only"]
        elif volume.split(":")[0] not in COMPOSE["volumes"]:
            source, _, mode = volume.split(":")
            assert mode == "ro" and (FILE.parent / source).is_dir()


def test_the_service_understands_its_arguments_and_has_time_to_stop() -> None:
    service = COMPOSE["services"]["animeid"]
    request = request_of(service["command"])
    assert request.artefact == service["volumes"][0]["target"]
    assert service["ports"] == [f"127.0.0.1:{request.port}:{request.port}"]
    assert service["stop_grace_period"] == "30s"
    assert request.drain_seconds + request.stop_seconds + LAST_SECONDS < 30


def test_a_container_may_take_what_a_pod_may() -> None:
    """Decoders need it, whatever runs them."""
    manifest = yaml.safe_load((HOME / "kubernetes/deployment.yaml").read_text(encoding="utf-8"))
    [pod] = manifest["spec"]["template"]["spec"]["containers"]
    own, limits = COMPOSE["services"]["animeid"]["deploy"]["resources"]["limits"], pod["resources"]["limits"]
    assert own["memory"].removesuffix("g") == limits["memory"].removesuffix("Gi") and own["cpus"] == limits["cpu"]


def test_prometheus_asks_the_service_and_grafana_asks_prometheus() -> None:
    scraped = yaml.safe_load((HOME / "prometheus/prometheus.yml").read_text(encoding="utf-8"))
    [job] = scraped["scrape_configs"]
    host, _, port = job["static_configs"][0]["targets"][0].partition(":")
    assert request_of(COMPOSE["services"][host]["command"]).port == int(port)
    assert all((HOME / "prometheus" / name).is_file() for name in scraped["rule_files"])
    provisioning = HOME / "grafana" / "provisioning"
    [source] = yaml.safe_load((provisioning / "datasources/prometheus.yaml").read_text(encoding="utf-8"))["datasources"]
    assert source["url"] == "http://prometheus:9090" and "prometheus" in COMPOSE["services"]
    [boards] = yaml.safe_load((provisioning / "dashboards/files.yaml").read_text(encoding="utf-8"))["providers"]
    grafana = COMPOSE["services"]["grafana"]
    mounted = dict(volume.split(":")[1::-1] for volume in grafana["volumes"])
    assert (FILE.parent / mounted[boards["options"]["path"]] / "service.json").is_file()
    assert mounted[grafana["environment"]["GF_PATHS_PROVISIONING"]] == "../grafana/provisioning"
