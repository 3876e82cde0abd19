"""An artefact answers as the run did, in ONNX Runtime and in timm, and holds nothing that it must not."""

from __future__ import annotations

import json
import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import onnxruntime
import pytest
import timm
import torch
from huggingface_hub import ModelCard
from torch import Tensor, nn

from animeid import export
from animeid.artefacts.artefact import Artefact
from animeid.data.manifest import read_manifest
from animeid.deploy.network import ArtefactNetwork
from animeid.deploy.onnx_file import write_onnx
from animeid.deploy.timm_folder import as_timm, write_timm
from animeid.engine.views import Views
from animeid.errors import InputError
from animeid.inference.predictor import Predictor
from animeid.inference.several import answers_of
from animeid.models.classifier import Classifier
from animeid.models.heads.cosine import CosineHead
from animeid.models.heads.linear import LinearHead
from animeid.models.heads.squeeze_excitation import SqueezeExcitationHead
from animeid.models.inference import InferenceModel
from animeid.predictions import softmax
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import RunFolder

TOLERANCE = 1e-5


def held_out(home: Path) -> list[Path]:
    manifest = read_manifest(RunFolder(home / "outputs" / "run").manifest)
    table = manifest.table
    return [manifest.root / path for path in table.loc[table["split"] == "test", "path"]]


def pixels(predictor: Predictor, paths: list[Path]) -> np.ndarray:
    """`[N, H, W, 3]` uint8, as evaluation sees them."""
    batches = predictor.batches(list(paths))
    return np.concatenate([batch["image"].permute(0, 2, 3, 1).numpy() for batch, _ in batches])


def run_onnx(file: Path, pictures: np.ndarray) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    embedding, logits, probabilities = session.run(["embedding", "logits", "probabilities"], {"pictures": pictures})
    return embedding, logits, probabilities


def loaded(home: Path, **settings: object) -> Predictor:
    return Predictor.load(home / "outputs" / "run", accelerator="cpu", precision="32-true", **settings)  # type: ignore[arg-type]


def relative(found: np.ndarray, expected: np.ndarray) -> float:
    return float(np.linalg.norm(found - expected) / np.linalg.norm(expected))


def test_onnx_answers_as_the_run_has_saved(home: Path) -> None:
    saved = FinishedRun.open(home / "outputs" / "run").predictions_of("test")
    embedding, logits, probabilities = run_onnx(home / "artefact" / "model.onnx", pixels(loaded(home), held_out(home)))
    assert relative(logits, saved.logits) < TOLERANCE
    assert relative(embedding, saved.embeddings) < TOLERANCE
    np.testing.assert_allclose(probabilities, softmax(saved.logits), atol=TOLERANCE)


def test_any_number_of_pictures_can_be_answered_together(home: Path) -> None:
    file, pictures = home / "artefact" / "model.onnx", pixels(loaded(home), held_out(home)[:5])
    together = run_onnx(file, pictures)
    alone = [run_onnx(file, pictures[place : place + 1]) for place in range(5)]
    for output in range(3):
        np.testing.assert_allclose(together[output], np.concatenate([one[output] for one in alone]), atol=TOLERANCE)
    session = onnxruntime.InferenceSession(str(file), providers=["CPUExecutionProvider"])
    assert [(one.shape, one.type) for one in session.get_inputs()] == [(["batch", 32, 32, 3], "tensor(uint8)")]


def from_timm(folder: Path, pictures: np.ndarray) -> np.ndarray:
    """What timm's own loading and its configuration's normalisation make of pictures."""
    model = timm.create_model(f"local-dir:{folder}", pretrained=True).eval()
    mean, std = (torch.tensor(model.pretrained_cfg[name]).view(1, 3, 1, 1) for name in ("mean", "std"))
    with torch.inference_mode():
        return model((torch.from_numpy(pictures).permute(0, 3, 1, 2) / 255 - mean) / std).numpy()


def test_timm_loads_it_and_answers_the_same_logits(home: Path) -> None:
    pictures = pixels(loaded(home), held_out(home))
    _, logits, _ = run_onnx(home / "artefact" / "model.onnx", pictures)
    assert relative(from_timm(home / "artefact", pictures), logits) < TOLERANCE


def test_timm_is_told_what_is_ours_and_nothing_of_the_published_weights(home: Path) -> None:
    config = json.loads((home / "artefact" / "config.json").read_text(encoding="utf-8"))
    model = timm.create_model(f"local-dir:{home / 'artefact'}", pretrained=True)
    cfg = model.pretrained_cfg
    assert (cfg["tag"], cfg["input_size"], cfg["interpolation"]) == ("animeid", (3, 32, 32), "bilinear")
    assert cfg["crop_pct"] == loaded(home).plan.data.crop_pct
    assert config["label_names"] == list(cfg["label_names"]) == list(loaded(home).labels)
    told = json.dumps({**config, "animeid": None})
    assert not [word for word in ("in1k", "apache", "license", "hf_hub", "http") if word in told]


def test_only_files_that_cannot_hold_code_are_in_it_and_no_path_of_this_machine(home: Path) -> None:
    files = [path for path in (home / "artefact").rglob("*") if path.is_file()]
    known = {".json", ".safetensors", ".onnx", ".md", ".txt", ".jpg", ".npz"}
    assert {path.suffix for path in files} == known
    for path in files:
        content = path.read_bytes()
        for place in (home, Path(torch.__file__).parents[1], Path(export.__file__).parents[1]):
            assert str(place).encode() not in content, f"{path} names {place}"
    assert all(array.dtype != object for array in (Artefact.load(home / "artefact").references or {}).values())


def test_the_same_run_gives_the_same_version(at_home: Path, tmp_path: Path) -> None:
    arguments = ["run=outputs/run", f"output={tmp_path}/again", "references=2", "licence=mit"]
    assert export.main(arguments) == 0
    assert Artefact.load(tmp_path / "again").version == Artefact.load("artefact").version


def test_prior_temperature_and_figures_are_those_of_the_request(at_home: Path, tmp_path: Path) -> None:
    arguments = ["run=outputs/run", f"output={tmp_path}/moved", "logit_adjustment=0.5", "temperature=2"]
    assert export.main(arguments) == 0
    pictures = pixels(loaded(at_home), held_out(at_home))
    run = FinishedRun.open("outputs/run")
    saved = run.predictions_of("test")
    prior = np.array(run.plan["facts"]["prior"])
    expected = saved.logits - 0.5 * np.log(prior)
    artefact = Artefact.load(tmp_path / "moved")
    _, logits, probabilities = run_onnx(artefact.folder / "model.onnx", pictures)
    assert relative(logits, expected) < TOLERANCE
    np.testing.assert_allclose(probabilities, softmax(expected / 2), atol=TOLERANCE)
    assert artefact.temperature == 2
    np.testing.assert_allclose(artefact.class_prior_offset, 0.5 * np.log(prior), rtol=1e-5)
    assert relative(from_timm(artefact.folder, pictures), expected) < TOLERANCE
    targets = run.targets[run.positions_in("test")]
    figures = artefact.metrics["test"]
    assert figures["acc_micro"] == pytest.approx((expected.argmax(1) == targets).mean())
    nll = -np.log(softmax(expected / 2)[np.arange(len(targets)), targets]).mean()
    assert figures["nll"] == pytest.approx(nll, rel=1e-4)


def test_figures_of_a_run_as_it_was_judged_are_its_own(home: Path) -> None:
    own, found = FinishedRun.open(home / "outputs" / "run").metrics, Artefact.load(home / "artefact").metrics
    assert found is not None and found == {"judged": "test", "test": own["test"], "answers": found["answers"]}
    logits = FinishedRun.open(home / "outputs" / "run").predictions_of("test").logits
    confidence = softmax(logits).max(axis=1)
    expected = [int(((confidence >= low / 20) & (confidence < (low + 1) / 20)).sum()) for low in range(20)]
    assert found["answers"]["confidence"] == expected
    assert found["answers"]["characters"] == [int((logits.argmax(1) == target).sum()) for target in range(3)]


def test_several_runs_answer_as_their_predictors_together(at_home: Path, tmp_path: Path) -> None:
    assert export.main(["run=outputs/run:outputs/partner", f"output={tmp_path}/both", "temperature=3"]) == 0
    predictors = [
        Predictor.load(f"outputs/{name}", accelerator="cpu", precision="32-true", temperature=3.0)
        for name in ("run", "partner")
    ]
    paths = held_out(at_home)
    expected = np.concatenate([logits for _, logits in answers_of(predictors, paths)])
    artefact = Artefact.load(tmp_path / "both")
    pictures = pixels(predictors[0], paths)
    embedding, logits, probabilities = run_onnx(artefact.folder / "model.onnx", pictures)
    np.testing.assert_allclose(logits, expected, atol=1e-4)
    np.testing.assert_allclose(probabilities, softmax(expected), atol=TOLERANCE)
    np.testing.assert_allclose(np.linalg.norm(embedding, axis=1), math.sqrt(2), rtol=1e-5)
    assert artefact.architectures == ("test_efficientnet", "test_efficientnet")
    assert artefact.temperature == 1
    targets = FinishedRun.open("outputs/run").targets[FinishedRun.open("outputs/run").positions_in("test")]
    assert artefact.metrics["test"]["acc_micro"] == pytest.approx((expected.argmax(1) == targets).mean())
    for number, predictor in enumerate(predictors, start=1):
        own = np.concatenate([output.logits.numpy() for _, output in predictor.batches(list(paths))])
        assert relative(from_timm(artefact.folder / "members" / str(number), pictures), own) < TOLERANCE


def with_head(predictor: Predictor, head: nn.Module, **changed: object) -> Predictor:
    """The run with another head, untrained."""
    classifier = Classifier(predictor.model.classifier.backbone, head).eval()
    return replace(predictor, model=InferenceModel.of(classifier).eval(), **changed)  # type: ignore[arg-type]


def test_what_timm_cannot_hold_of_a_head_is_said(home: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    predictor = loaded(home)
    backbone = predictor.model.classifier.backbone
    heads = [
        CosineHead(backbone.num_features, 3),
        SqueezeExcitationHead(backbone.num_features, 3, backbone.tap_channels),
    ]
    pictures = pixels(predictor, held_out(home)[:4])
    for head in heads:
        other = with_head(predictor, head)
        network = as_timm(other)
        assert network.holds == "embedder"
        assert network.reason == f"its head, {type(head).__name__}, is no single linear layer"
        folder = tmp_path / type(head).__name__
        write_timm(folder, network, other)
        image = torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous()
        with torch.inference_mode():
            embedded = backbone(other.model.normalise(image)).numpy()
        assert relative(from_timm(folder, pictures), embedded) < TOLERANCE


@pytest.mark.parametrize(
    ("name", "size", "holds"),
    [
        ("test_vit", (28, 32), "classifier"),  # padded to whole patches
        ("test_resnet", (24, 32), "classifier"),
        ("deit_tiny_distilled_patch16_224", (32, 32), "embedder"),  # has two classifiers
        ("dpn48b", (32, 32), "embedder"),  # classifies by a convolution
    ],
)
def test_networks_of_timm_that_it_loads_again(home: Path, name: str, size: tuple[int, int], holds: str) -> None:
    from animeid.models.backbone import TimmBackbone

    predictor = loaded(home)
    torch.manual_seed(0)
    backbone = TimmBackbone(name, size, pretrained=False)
    classifier = Classifier(backbone, LinearHead(backbone.num_features, 3)).eval()
    plan = predictor.plan.having(data={"image_size": list(size)})
    other = replace(predictor, model=InferenceModel.of(classifier).eval(), plan=plan)
    assert as_timm(other).holds == holds


class Doubled(LinearHead):
    """A head of somebody's own that is more than its linear layer."""

    def forward(self, embedding: Tensor) -> Tensor:
        return 2 * super().forward(embedding)


def test_a_classifier_that_answers_otherwise_in_timm_is_left_out(home: Path) -> None:
    predictor = loaded(home)
    features = predictor.model.classifier.backbone.num_features
    assert as_timm(with_head(predictor, LinearHead(features, 3))).holds == "classifier"
    network = as_timm(with_head(predictor, Doubled(features, 3)))
    assert (network.holds, network.reason) == ("embedder", "timm's own network with it answers otherwise")


def test_views_of_a_picture_and_heads_on_maps_are_in_the_network(home: Path, tmp_path: Path) -> None:
    torch.manual_seed(0)
    views = Views(flip=True, scales=(1.0,))
    plain = loaded(home)
    backbone = plain.model.classifier.backbone
    predictor = with_head(plain, SqueezeExcitationHead(backbone.num_features, 3, backbone.tap_channels), views=views)
    pictures = pixels(predictor, held_out(home)[:4])
    write_onnx(ArtefactNetwork.of([predictor]), (32, 32), tmp_path / "model.onnx")
    embedding, logits, _ = run_onnx(tmp_path / "model.onnx", pictures)
    with torch.inference_mode():
        expected = views.answer(predictor.model, torch.from_numpy(pictures).permute(0, 3, 1, 2).contiguous())
    assert relative(logits, expected.logits.numpy()) < TOLERANCE
    assert relative(embedding, expected.embedding.numpy()) < TOLERANCE
    _, mirrored, _ = run_onnx(tmp_path / "model.onnx", np.ascontiguousarray(pictures[:, :, ::-1]))
    np.testing.assert_allclose(mirrored, logits, atol=TOLERANCE)


class Sorted(nn.Module):
    """A head whose answer depends on numbers as Python sees them."""

    def forward(self, embedding: Tensor) -> Tensor:
        return embedding[:, :3] if embedding.sum().item() > 0 else embedding[:, 3:6]


def test_a_network_that_onnx_cannot_hold_is_refused_with_the_reason(home: Path, tmp_path: Path) -> None:
    predictor = with_head(loaded(home), Sorted())
    with pytest.raises(InputError, match=r"ONNX cannot hold it \(.*data-dependent"):
        write_onnx(ArtefactNetwork.of([predictor]), (32, 32), tmp_path / "model.onnx")
    assert list(tmp_path.iterdir()) == []


def test_the_card_is_one_that_the_hub_reads(home: Path) -> None:
    found = ModelCard.load(home / "artefact" / "README.md")
    data = found.data
    assert (data.library_name, data.pipeline_tag, data.license) == ("timm", "image-classification", "mit")
    figures = {result.metric_type: result.metric_value for result in data.eval_results}
    metrics = Artefact.load(home / "artefact").metrics["test"]
    assert figures == {"accuracy": metrics["acc_micro"], "f1": metrics["f1_macro"]}
    for told in ("must not be used", "Tom & Jerry", f"{metrics['support']} pictures of the test part", "mit", "random"):
        assert told in found.text


def test_series_and_names_come_from_the_manifest(home: Path, tmp_path: Path) -> None:
    from animeid.deploy.label_facts import label_facts

    rows = "path,label,series,name_ja,name_en\na.png,many,,,\nb.png,many,Show,メニー,\nc.png,少,,,Few\n"
    (tmp_path / "pictures.csv").write_text(rows, encoding="utf-8")
    predictor = loaded(home)
    plan = predictor.plan.having(data={"root": str(tmp_path / "pictures.csv")})
    facts = {fact["name"]: fact for fact in label_facts(replace(predictor, plan=plan))}
    assert facts["many"]["series"] == "Show"
    assert facts["many"]["names"] == {"ja": "メニー"}
    assert facts["少"]["names"] == {"en": "Few"}
    assert facts["Tom & Jerry"].keys() == {"name", "pictures"}


def test_references_are_the_pictures_nearest_to_the_middle_of_their_class(home: Path) -> None:
    from animeid.deploy.references import central

    directions = np.array([[1.0, 0.1], [0.0, 5.0], [2.0, 0.0], [1.0, -0.2]], np.float32)
    assert central(directions, 2).tolist() == [0, 2]
    references = Artefact.load(home / "artefact").references
    assert references is not None
    saved = FinishedRun.open(home / "outputs" / "run").predictions_of("train").embeddings
    for embedding in references["embeddings"]:
        assert np.abs(saved - embedding).max(axis=1).min() < 1e-4


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["run=outputs/gone", "output=new"], "there is no run folder outputs/gone"),
        (["run=outputs/run", "output=artefact"], "output=artefact is there already"),
        (["run=outputs/run", "output=new", "push=name"], "push must be a repository of the Hugging Face hub"),
        (["run=outputs/run", "output=new", "references=-1"], "references must be a whole number of at least 0"),
        (["run=outputs/run", "output=new", "push=user/name"], "push=user/name cannot be done"),
        (["run=artefact", "output=new"], "artefact is an artefact, which knows neither"),
    ],
)
def test_what_cannot_be_exported_is_refused_in_one_sentence(
    at_home: Path, capsys: pytest.CaptureFixture[str], arguments: list[str], sentence: str
) -> None:
    assert export.main(arguments) == 2
    said = [line for line in capsys.readouterr().err.splitlines() if line.startswith("animeid: error:")]
    assert len(said) == 1 and sentence in said[0]
    assert not Path("new").exists()


def test_runs_that_see_pictures_otherwise_are_not_joined(home: Path) -> None:
    from animeid.deploy.exporting import check_alike

    predictor = loaded(home)
    other = replace(predictor, plan=predictor.plan.having(data={"crop_pct": 0.5}))
    with pytest.raises(InputError, match=r"data\.crop_pct=0\.5"):
        check_alike([predictor, other])


def test_packages_that_are_missing_are_named(at_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from animeid.deploy import at_once

    monkeypatch.setattr(at_once, "find_spec", lambda name: None if name == "onnxscript" else object())
    with pytest.raises(InputError, match=r"needs onnxscript: pip install 'animeid\[export\]'"):
        at_once.check_export({"run": "outputs/run", "output": "new"})
