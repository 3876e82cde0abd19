"""The manifests fit their schemas, one another and the service."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from animeid.service.arguments import request_of
from animeid.service.supervisor import LAST_SECONDS

HOME = Path(__file__).resolve().parents[2] / "packaging" / "kubernetes"
VERSIONS = ("1.31", "1.37")
"""The oldest whose manifests these are meant to be, and the newest that is known."""
FILES = [file for file in sorted(HOME.glob("*.yaml")) if file.name != "kustomization.yaml"]
MANIFESTS = [manifest for file in FILES for manifest in yaml.safe_load_all(file.read_text(encoding="utf-8"))]


LIST = yaml.safe_load((HOME / "kustomization.yaml").read_text(encoding="utf-8"))
[MAP] = LIST["configMapGenerator"]


def of(kind: str) -> dict[str, Any]:
    [found] = [manifest for manifest in MANIFESTS if manifest["kind"] == kind]
    return found


POD = of("Deployment")["spec"]["template"]
CONTAINER = POD["spec"]["containers"][0]


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("manifest", MANIFESTS, ids=lambda manifest: manifest["kind"])
def test_a_manifest_fits_its_schema(manifest: dict[str, Any], version: str) -> None:
    import kubernetes_validate  # it takes seconds

    kubernetes_validate.validate(manifest, version, strict=True)


def test_a_wrong_manifest_is_seen() -> None:
    import kubernetes_validate

    wrong = of("Service")
    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate({**wrong, "spec": {**wrong["spec"], "selectors": {}}}, VERSIONS[0], strict=True)


def test_the_list_has_every_file() -> None:
    assert sorted(LIST["resources"]) == [file.name for file in FILES]
    assert [image["name"] for image in LIST["images"]] == [CONTAINER["image"]]


def test_going_back_takes_the_settings_along() -> None:
    """A map that is changed in its place stays as it is when a deployment goes back, and begins no new pods."""
    assert "ConfigMap" not in [manifest["kind"] for manifest in MANIFESTS]
    assert "disableNameSuffixHash" not in (HOME / "kustomization.yaml").read_text(encoding="utf-8")
    assert MAP["name"] == "animeid" and "behavior" not in MAP


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed")
def test_other_settings_are_another_map(tmp_path: Path) -> None:
    shutil.copytree(HOME, tmp_path / "changed")
    file = tmp_path / "changed" / "kustomization.yaml"
    file.write_text(file.read_text(encoding="utf-8").replace("/my_model", "/my_newer_model"), encoding="utf-8")
    maps = []
    for folder in (HOME, tmp_path / "changed"):
        built = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, text=True, check=True)
        found = {manifest["kind"]: manifest for manifest in yaml.safe_load_all(built.stdout)}
        container = found["Deployment"]["spec"]["template"]["spec"]["containers"][0]
        names = {one["valueFrom"]["configMapKeyRef"]["name"] for one in container["env"]}
        assert names == {found["ConfigMap"]["metadata"]["name"]}
        maps += names
    assert maps[0] != maps[1]


def arguments() -> list[str]:
    """Those of the container, with what the map says in the place of variables."""
    values = dict(literal.split("=", 1) for literal in MAP["literals"])
    found = CONTAINER["args"]
    for one in CONTAINER["env"]:
        key = one["valueFrom"]["configMapKeyRef"]
        assert key["name"] == MAP["name"]
        found = [argument.replace(f"$({one['name']})", values[key["key"]]) for argument in found]
    return found


def test_the_service_understands_its_arguments() -> None:
    request = request_of(arguments())
    assert request.artefact is not None
    assert request.artefact.startswith(CONTAINER["volumeMounts"][0]["mountPath"] + "/")
    assert {"name": "http", "containerPort": request.port} in CONTAINER["ports"]
    assert POD["metadata"]["annotations"]["prometheus.io/port"] == str(request.port)


def test_a_pod_is_given_the_time_that_it_needs_to_stop() -> None:
    request = request_of(arguments())
    needed = request.drain_seconds + request.stop_seconds + LAST_SECONDS
    assert needed < POD["spec"]["terminationGracePeriodSeconds"]
    readiness = CONTAINER["readinessProbe"]
    assert request.drain_seconds >= readiness["periodSeconds"] * readiness["failureThreshold"]


def test_whatever_points_at_the_pods_finds_them() -> None:
    labels = POD["metadata"]["labels"]
    assert of("Deployment")["spec"]["selector"]["matchLabels"] == labels
    assert of("Service")["spec"]["selector"] == labels
    assert of("PodDisruptionBudget")["spec"]["selector"]["matchLabels"] == labels
    assert of("NetworkPolicy")["spec"]["podSelector"]["matchLabels"] == labels
    target = of("HorizontalPodAutoscaler")["spec"]["scaleTargetRef"]
    assert (target["kind"], target["name"]) == ("Deployment", of("Deployment")["metadata"]["name"])
    [port] = of("Service")["spec"]["ports"]
    assert port["targetPort"] in [one["name"] for one in CONTAINER["ports"]]


def test_one_pod_may_always_go() -> None:
    """A budget of as many as there are at least would keep nodes from being emptied for ever."""
    assert of("PodDisruptionBudget")["spec"]["minAvailable"] < of("HorizontalPodAutoscaler")["spec"]["minReplicas"]
    assert "replicas" not in of("Deployment")["spec"], "each apply would undo what the autoscaler chose"
    assert CONTAINER["resources"]["requests"]["cpu"], "the autoscaler counts in shares of it"


def test_the_artefact_and_the_file_system_can_only_be_read() -> None:
    volumes = {volume["name"]: volume for volume in POD["spec"]["volumes"]}
    claim = volumes["artefacts"]["persistentVolumeClaim"]
    assert claim == {"claimName": of("PersistentVolumeClaim")["metadata"]["name"], "readOnly": True}
    mounts = {mount["name"]: mount for mount in CONTAINER["volumeMounts"]}
    assert mounts["artefacts"]["readOnly"] and mounts["tmp"]["mountPath"] == "/tmp"
    own = CONTAINER["securityContext"]
    assert own["readOnlyRootFilesystem"] and not own["allowPrivilegeEscalation"]
    assert own["capabilities"]["drop"] == ["ALL"]
    assert POD["spec"]["securityContext"]["runAsNonRoot"] and not POD["spec"]["automountServiceAccountToken"]
