"""Network and head of the run in `from_run`, for a command that names none."""

from __future__ import annotations

from pathlib import Path

from animeid.config.compose import compose
from animeid.config.freeze import read_plan

RUN = Path(__file__).parent.parent / "fixtures" / "runs_2026_11" / "outputs" / "finished"


THEIRS = read_plan(RUN / "config.yaml")


def request(*overrides: str) -> dict:
    return compose("train", [f"from_run={RUN}", "data=synthetic", *overrides])


def test_a_command_that_names_none_takes_the_runs() -> None:
    found = request()
    assert found["model"]["name"] == "test_efficientnet"
    assert found["model"]["pretrained"] == "auto"
    assert found["head"] == THEIRS["head"]


def test_what_the_command_names_stays() -> None:
    assert request("model=resnet18")["model"]["name"] == "resnet18"
    assert request("experiment=v1")["model"]["name"] == "efficientnet_b0"
    assert request("model.drop_path_rate=0.1")["model"] | {"weights": None} == {
        **THEIRS["model"],
        "pretrained": "auto",
        "weights": None,
        "drop_path_rate": 0.1,
    }
    assert request("head=cosine")["head"]["_target_"].endswith("CosineHead")


def test_a_new_head_is_the_commands_own() -> None:
    found = request("from_run_parts=backbone", "head.dropout=0.4")
    assert found["model"]["name"] == "test_efficientnet"
    assert found["head"]["dropout"] == 0.4
