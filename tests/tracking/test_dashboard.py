"""The W&B workspace and the W&B sweep: files, objects, and what a stand-in of the server receives."""

from __future__ import annotations

import itertools
import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from animeid import dashboard
from animeid.config.compose import compose
from animeid.tracking.dashboard import BARS, CHOICES, CURVES, GALLERIES, OUTCOMES, STEP, build_workspace, specification
from tests.tracking.wandb_stand_in import ENTITY, wandb_stand_in

ROOT = Path(__file__).parents[2]
SWEEP = ROOT / "experiments" / "sweeps" / "wandb_sweep.yaml"


@pytest.fixture(autouse=True)
def _no_key(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    monkeypatch.setenv("WANDB_CONFIG_DIR", str(tmp_path))
    monkeypatch.setenv("WANDB_CACHE_DIR", str(tmp_path))
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:9")
    monkeypatch.setenv("WANDB_HTTP_TIMEOUT", "1")
    monkeypatch.chdir(tmp_path)


def panels(content: dict[str, Any], kind: str) -> list[dict[str, Any]]:
    """The configurations of all panels of a kind in a specification."""
    sections = content["spec"]["section"]["panelBankConfig"]["sections"]
    return [panel["config"] for section in sections for panel in section["panels"] if panel["viewType"] == kind]


@pytest.fixture(scope="module")
def content() -> dict[str, Any]:
    return specification(build_workspace("me", "characters", "all runs"))


def test_it_stands_where_it_was_asked_for(content: dict[str, Any]) -> None:
    assert (content["entity"], content["project"], content["displayName"]) == ("me", "characters", "all runs")


def test_curves_show_what_training_logs(content: dict[str, Any]) -> None:
    lines = panels(content, "Run History Line Plot")
    assert {line["chartTitle"]: line["metrics"] for line in lines} == {title: [name] for title, name in CURVES.items()}
    assert {line["xAxis"] for line in lines} == {STEP}
    assert set(CURVES.values()) == {"train/loss", "val/loss", "val/f1_macro", "val/acc_macro", "lr"}


def test_results_are_bars_parallel_coordinates_and_a_comparer(content: dict[str, Any]) -> None:
    bars = panels(content, "Bar Chart")
    assert {bar["chartTitle"]: tuple(bar["metrics"]) for bar in bars} == BARS
    (parallel,) = panels(content, "Parallel Coordinates Plot")
    axes = [column["accessor"] for column in parallel["columns"]]
    first, *rest = CHOICES[0].split(".")
    assert axes[0] == f"config:{first}.value.{'.'.join(rest)}"
    assert axes[-len(OUTCOMES) :] == [f"summary:{name}" for name in OUTCOMES]
    assert len(panels(content, "Run Comparer")) == 1


def test_media_panels_show_the_galleries(content: dict[str, Any]) -> None:
    found = panels(content, "Media Browser")
    assert {panel["chartTitle"]: tuple(panel["mediaKeys"]) for panel in found} == GALLERIES


def test_the_choices_are_keys_of_training() -> None:
    request = compose("train", ["seed=1"])
    for choice in CHOICES:
        value: Any = request
        for key in choice.split("."):
            value = value[key]


def test_the_command_writes_the_specification(capsys: pytest.CaptureFixture[str]) -> None:
    assert dashboard.main(["entity=me", "output=dashboard.json"]) == 0
    assert len(panels(json.loads(Path("dashboard.json").read_text()), "Run History Line Plot")) == len(CURVES)
    assert dashboard.main(["entity=me", "output=dashboard.json"]) == 2
    assert "not overwritten" in capsys.readouterr().err
    assert dashboard.main(["entity=me", "output=nowhere/dashboard.json"]) == 2
    assert "make nowhere first" in capsys.readouterr().err


def ask(*arguments: str) -> subprocess.CompletedProcess[str]:
    """The command in a process of its own, as wandb keeps one connection for each."""
    command = [sys.executable, "-m", "animeid.dashboard", *arguments]
    return subprocess.run(command, capture_output=True, text=True, timeout=100, check=False, cwd=ROOT)


def test_without_a_key_or_an_answer_one_sentence_says_so(monkeypatch: pytest.MonkeyPatch) -> None:
    keyless = ask("entity=me")
    assert (keyless.returncode, keyless.stderr.count("since there is no key")) == (2, 1)
    monkeypatch.setenv("WANDB_API_KEY", "0123456789" * 4)
    unanswered = ask("entity=me")
    assert unanswered.returncode == 2
    assert "since http://127.0.0.1:9 does not answer" in unanswered.stderr


def test_a_missing_library_is_named(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr("animeid.tracking.dashboard.find_spec", lambda name: None)
    assert dashboard.main(["entity=me", "output=dashboard.json"]) == 2
    assert "pip install -e '.[dashboard]'" in capsys.readouterr().err


def test_with_a_key_it_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    with wandb_stand_in() as (url, received):
        monkeypatch.setenv("WANDB_BASE_URL", url)
        monkeypatch.setenv("WANDB_API_KEY", "0123456789" * 4)
        sent = ask(f"entity={ENTITY}", "project=characters")
    assert sent.returncode == 0, sent.stderr
    (view,) = received.views
    assert (view["entityName"], view["projectName"]) == (ENTITY, "characters")
    assert "train/loss" in view["spec"]
    assert f"{ENTITY}/characters?nw=" in sent.stdout


def sweep() -> dict[str, Any]:
    from wandb.sdk.launch.sweeps.utils import load_sweep_config  # it takes seconds

    config = load_sweep_config(str(SWEEP))
    assert config is not None
    return config


def corners() -> list[dict[str, Any]]:
    """Every combination of values; of a range, its two ends."""
    parameters = sweep()["parameters"]
    ends = [
        value["values"] if "values" in value else [value["value"]] if "value" in value else [value["min"], value["max"]]
        for value in parameters.values()
    ]
    return [dict(zip(parameters, combination, strict=True)) for combination in itertools.product(*ends)]


def test_the_sweep_has_the_keys_that_wandb_knows() -> None:
    config = sweep()
    known = "name description project entity method metric parameters early_terminate program command run_cap"
    assert set(config) <= set(known.split())
    assert config["method"] in ("grid", "random", "bayes")
    assert config["metric"]["goal"] in ("minimize", "maximize")
    assert config["metric"]["name"] in CURVES.values()
    assert config["early_terminate"]["type"] == "hyperband"
    for parameter in config["parameters"].values():
        assert set(parameter) in ({"value"}, {"values"}, {"distribution", "min", "max"})
    assert {"log_uniform_values"} == {
        parameter["distribution"] for parameter in config["parameters"].values() if "distribution" in parameter
    }


@pytest.mark.slow
def test_each_value_of_the_sweep_is_a_request_of_training() -> None:
    from wandb.sdk.launch.sweeps.utils import create_sweep_command_args

    # 7 shares no factor with the numbers of values, so that each value comes up beside many others.
    composed = corners()[::7]
    assert all({corner[name] for corner in corners()} == {corner[name] for corner in composed} for name in composed[0])
    for corner in composed:
        arguments = create_sweep_command_args({"args": {name: {"value": value} for name, value in corner.items()}})
        request = compose("train", arguments["args_no_hyphens"])
        assert request["optimizer"]["lr"] == corner["optimizer.lr"]
        assert request["seed"] == corner["seed"]
        assert request["logger"]["_target_"].endswith("WeightsAndBiases")
        assert corner["loss"].replace("_", "") in request["loss"]["_target_"].lower()


def test_the_agents_command_starts_training() -> None:
    from wandb.sdk.launch.sweeps.utils import create_sweep_command

    config = sweep()
    command = create_sweep_command(list(config["command"]))
    assert command == ["${env}", "${interpreter}", "-m", "${program}", "${args_no_hyphens}"]
    assert config["program"] == "animeid.train"
