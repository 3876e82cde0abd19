"""Published weights: taken from a filled cache, and given up within seconds when the hub does not answer."""

from __future__ import annotations

import socket
from pathlib import Path
from threading import Event
from types import SimpleNamespace
from typing import Any

import huggingface_hub
import pytest
import timm
import torch
from safetensors.torch import save_file
from torch import Tensor

from animeid.errors import InputError
from animeid.models import published
from animeid.models.backbone import TimmBackbone
from animeid.system import hub

State = dict[str, Tensor]


@pytest.fixture
def hub_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_CACHE", str(tmp_path))
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", True)
    return tmp_path


def fill(cache: Path, name: str) -> State:
    """Puts weights where the hub's client would have put them."""
    model = timm.create_model(name, num_classes=1000)
    folder = cache / f"models--timm--{model.pretrained_cfg['architecture']}.{model.pretrained_cfg['tag']}"
    (folder / "snapshots" / "abc").mkdir(parents=True)
    (folder / "refs").mkdir()
    (folder / "refs" / "main").write_text("abc")
    save_file(model.state_dict(), folder / "snapshots" / "abc" / "model.safetensors")
    return model.state_dict()


@pytest.mark.parametrize("wanted", ["auto", True])
@pytest.mark.parametrize("name", ["test_resnet", "test_vit"])
def test_a_filled_cache_is_enough(wanted: Any, name: str, hub_cache: Path) -> None:
    state = fill(hub_cache, name)
    model = TimmBackbone(name, (160, 160), pretrained=wanted)
    own = model.net.state_dict()
    assert all(torch.equal(own[name], state[name]) for name in own)
    assert model.weights_source == "hub"
    assert model.weights_note == f"{name} starts from the published weights timm/{name}.r160_in1k."


def test_a_damaged_copy_in_the_cache_is_not_used(hub_cache: Path) -> None:
    fill(hub_cache, "test_resnet")
    file = next(hub_cache.rglob("model.safetensors"))
    file.write_bytes(file.read_bytes()[:1000])
    model = TimmBackbone("test_resnet", (32, 32))
    assert model.weights_source == "random"
    assert "in the cache is damaged: delete it" in model.weights_note


def test_without_the_hub_auto_says_that_weights_are_random(hub_cache: Path) -> None:
    model = TimmBackbone("test_resnet", (32, 32))
    assert model.weights_source == "random"
    assert "test_resnet starts from RANDOM weights" in model.weights_note
    assert "cannot be reached" in model.weights_note
    assert "\n" not in model.weights_note


def test_without_the_hub_true_fails_and_names_the_ways_out(hub_cache: Path) -> None:
    with pytest.raises(InputError, match=r"cannot be reached.*model\.weights=FILE.*cache.*model\.pretrained=false"):
        TimmBackbone("test_resnet", (32, 32), pretrained=True)


def test_a_model_that_nobody_published_weights_for(hub_cache: Path) -> None:
    model = TimmBackbone("nf_resnet26", (32, 32))
    assert model.weights_source == "random"
    assert "timm names none" in model.weights_note


def test_false_asks_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("animeid.models.initial.published_file", pytest.fail)
    model = TimmBackbone("test_resnet", (32, 32), pretrained=False)
    assert model.weights_note == "test_resnet starts from random weights, as model.pretrained=false asks."


def test_a_hub_that_never_answers_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reason is the wait itself: the server takes the connection and keeps silent."""
    monkeypatch.setattr(published, "ANSWER_WITHIN_S", 0.2)
    monkeypatch.setattr(huggingface_hub.constants, "HF_HUB_OFFLINE", False)
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with pytest.raises(published.UnavailableError, match=r"cannot be reached: (no answer|.*timed out)"):
            published._wait_for_answer(f"http://127.0.0.1:{port}/model.safetensors")


def test_a_name_look_up_that_hangs_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    """No time limit of the client covers it."""
    given_up = Event()
    session = SimpleNamespace(head=lambda url, timeout: given_up.wait())
    monkeypatch.setattr(hub, "get_session", lambda: session)
    monkeypatch.setattr(published, "ANSWER_WITHIN_S", 0.1)
    try:
        with pytest.raises(published.UnavailableError, match="no answer within"):
            published._wait_for_answer("https://hub.invalid/model.safetensors")
    finally:
        given_up.set()
