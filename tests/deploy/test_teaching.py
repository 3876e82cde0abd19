"""`teacher=ARTEFACT`: it teaches as the run does that it was exported from, and is refused where that would leak."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor

from animeid import export, train
from animeid.artefacts.artefact import Artefact
from animeid.artefacts.checksums import seal
from animeid.artefacts.pace import Pace
from animeid.artefacts.teachers import Teachers
from animeid.assembly.plan import Plan
from animeid.assembly.teacher import check_unchanged, member_of, seen_by_artefact, teacher_facts
from animeid.assembly.teaching import EngineNetwork, TeachingArtefact, sources
from animeid.config.compose import compose
from animeid.data.prepare import Prepared
from animeid.deploy.card import card
from animeid.deploy.teaching_facts import prior_in_logits
from animeid.engine.module import CharacterModule
from animeid.engine.teacher import Networks
from animeid.errors import InputError
from animeid.inference.predictor import Predictor
from animeid.losses.distillation import cosine_distance, relation_distance, tempered_divergence
from animeid.runs.folder import RunFolder
from animeid.runs.saved import SavedRun
from animeid.system.files import read_yaml, write_yaml
from animeid.types import Batch, LabelStats, ModelOutput
from tests.deploy.conftest import RUN
from tests.deploy.tiny_artefact import tiny_artefact
from tests.small_runs import class_folders

KEPT = Path(__file__).resolve().parents[1] / "fixtures" / "artefact_2026_11"
"""Of a version whose artefacts did not tell what they were trained on."""
STUDENT = (*RUN, "logger=none", "embeddings=off")
TOLERANCE = 1e-4


def answered(path: str, pictures: Tensor, stats: LabelStats, compares: str) -> ModelOutput:
    """By the only teacher there, for a student whose logits hold the whole prior."""
    (source,) = sources(Teachers.named(path))
    member = member_of(source, stats, stats.log_prior, compares)
    output = member.answer(pictures)
    assert output.embedding.shape[1] == member.features
    return output


@pytest.mark.parametrize("compares", ["logits", "embedding"])
def test_it_answers_as_the_run_that_it_was_exported_from(at_home: Path, compares: str) -> None:
    """In the student's classes, which are others' order, and of the student's prior; so that losses are the same."""
    names = SavedRun(RunFolder(Path("outputs/run"))).labels[::-1]
    stats = LabelStats.from_counts(names, torch.tensor([2, 9, 5]))
    torch.manual_seed(0)
    pictures, student = torch.randint(0, 256, (5, 3, 32, 32)).float(), torch.randn(5, len(names))
    run, artefact = (answered(path, pictures, stats, compares) for path in ("outputs/run", "artefact"))
    torch.testing.assert_close(artefact.logits, run.logits, atol=TOLERANCE, rtol=0)
    torch.testing.assert_close(artefact.embedding, run.embedding, atol=TOLERANCE, rtol=0)
    for distance in (lambda t: tempered_divergence(student, t, 2.0), lambda t: relation_distance(student, t, 1, 1, 1)):
        torch.testing.assert_close(distance(artefact.logits), distance(run.logits), atol=TOLERANCE, rtol=0)
    assert cosine_distance(artefact.embedding, run.embedding).abs().max() < TOLERANCE


def test_pixels_are_rounded_to_whole_numbers(at_home: Path) -> None:
    stats = LabelStats.from_counts(Artefact.load("artefact").classes, torch.ones(3, dtype=torch.int64))
    pictures = torch.randint(0, 256, (3, 3, 32, 32)).float()
    exact = answered("artefact", pictures, stats, "logits").logits
    between = pictures + torch.rand_like(pictures) * 0.9 - 0.45
    torch.testing.assert_close(answered("artefact", between, stats, "logits").logits, exact)


def test_it_can_be_kept_from_telling(at_home: Path) -> None:
    assert export.main(["run=outputs/run", "output=silent", "trained_on=false"]) == 0
    artefact = Artefact.load("silent")
    assert artefact.trained_on is None
    assert not (artefact.folder / "trained_on.npz").exists()
    card = (artefact.folder / "README.md").read_text()
    assert "It does not tell which pictures" in card and "SHA-256 of each" not in card
    assert artefact.prior_in_logits == Artefact.load("artefact").prior_in_logits


def test_references_would_tell_all_the_same(at_home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert export.main(["run=outputs/run", "output=shown", "trained_on=false", "references=1"]) == 2
    assert "references=1 shows training pictures, and trained_on=false" in capsys.readouterr().err


def test_it_tells_what_it_was_trained_on_and_nothing_else(at_home: Path) -> None:
    table = SavedRun(RunFolder(Path("outputs/run"))).manifest.table
    artefact = Artefact.load("artefact")
    assert artefact.trained_on is not None
    learnt = {
        int.from_bytes(bytes.fromhex(text)[:8], "little") for text in table.loc[table["split"] == "train", "sha256"]
    }
    assert set(artefact.trained_on.digests.tolist()) == learnt
    assert artefact.trained_on.complete
    assert len(learnt) < len(table)
    assert (artefact.folder / "trained_on.npz").stat().st_size < 512 + 8 * len(learnt)
    assert (
        f"8 bytes of the SHA-256 of each of the {len(learnt)} pictures" in (artefact.folder / "README.md").read_text()
    )
    shutil.copytree("artefact", "altered")
    with Path("altered/trained_on.npz").open("r+b") as stream:
        stream.seek(-1, 2)
        stream.write(b"\0\0")
    with pytest.raises(InputError, match=r"trained_on\.npz is not what was exported"):
        Artefact.load("altered")
    shutil.rmtree("altered")


def test_the_prior_in_its_logits_is_that_of_its_runs_once(at_home: Path) -> None:
    """All of it after cross entropy, the rest after an adjustment; of several that of the mean of probabilities."""
    run = Predictor.load("outputs/run", accelerator="cpu")
    prior = torch.tensor(run.plan.facts.prior)
    told = Artefact.load("artefact").prior_in_logits
    assert told is not None
    torch.testing.assert_close(torch.tensor(told), prior.log(), atol=1e-6, rtol=0)
    adjusted = Predictor.load("outputs/run", accelerator="cpu", adjustment=0.25)
    torch.testing.assert_close(prior_in_logits([adjusted]), 0.75 * prior.log(), atol=1e-6, rtol=0)
    partner = replace(Predictor.load("outputs/partner", accelerator="cpu"), temperature=2.0)
    halves = [prior, prior.sqrt() / prior.sqrt().sum()]
    expected = (sum(halves) / 2).log()
    torch.testing.assert_close(prior_in_logits([replace(run, temperature=1.0), partner]), expected, atol=1e-6, rtol=0)
    untold = replace(run, folder=without_prior(Path("untold")))
    assert prior_in_logits([untold]) is None
    assert prior_in_logits([run, untold]) is None


def without_prior(folder: Path) -> RunFolder:
    """A copy of the run with a loss that lifts rare classes by other means."""
    shutil.copytree("outputs/run", folder)
    config = RunFolder(folder).config
    write_yaml(config, {**read_yaml(config), "loss": compose("train", ["loss=ldam"])["loss"]})
    return RunFolder(folder)


class Cut(BaseException):
    """The moment at which a test's process is killed."""


def taught_until(step: int, taught: Callable[[CharacterModule, Batch], Batch]) -> Callable[..., Batch]:
    steps = iter(range(step))

    def cut(module: CharacterModule, batch: Batch) -> Batch:
        if next(steps, None) is None:
            raise Cut
        return taught(module, batch)

    return cut


@contextmanager
def changed(artefact: str) -> Iterator[None]:
    """With a file more, and so of another version."""
    kept = f"{artefact}_kept"
    shutil.copytree(artefact, kept)
    try:
        (Path(artefact) / "more.txt").touch()
        seal(Path(artefact))
        yield
    finally:
        shutil.rmtree(artefact)
        Path(kept).rename(artefact)


def test_a_student_becomes_what_the_run_would_make_of_it_and_goes_on_after_a_cut(
    at_home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    asked = (*STUDENT, "distill=logits", "augment=none", "trainer.max_epochs=2", "keep=all", "data.batch_size=8")
    assert train.main([*asked, "teacher=artefact", "run_id=straight"]) == 0
    assert "taught by artefact: it answers each picture once" in capsys.readouterr().out
    assert train.main([*asked, "teacher=outputs/run", "run_id=by_run"]) == 0
    straight, by_run = (RunFolder(Path("outputs") / name) for name in ("straight", "by_run"))
    losses = [pd.read_csv(run.history)["train/loss"].dropna().to_numpy() for run in (straight, by_run)]
    assert len(losses[0]) >= 2
    np.testing.assert_allclose(*losses, atol=1e-3)
    facts = SavedRun(straight).plan["facts"]["teacher"]
    version = Artefact.load("artefact").version
    assert (facts["runs"], facts["artefacts"], facts["asked"]) == (
        ["artefact"],
        {"artefact": version},
        "once a picture",
    )
    assert facts["seen"] == {"val": 0, "test": 0}

    with pytest.raises(Cut), monkeypatch.context() as patch:
        patch.setattr(CharacterModule, "_taught", taught_until(5, CharacterModule._taught))
        train.main([*asked, "teacher=artefact", "run_id=cut"])
    with changed("artefact"):
        assert train.main([*asked, "teacher=artefact", "run_id=cut", "resume=must"]) == 2
        assert "the artefact artefact has changed since this run began with it" in capsys.readouterr().err
    assert train.main([*asked, "teacher=artefact", "run_id=cut", "resume=must"]) == 0
    first, after = (
        torch.load(RunFolder(Path("outputs") / name).last, weights_only=True) for name in ("straight", "cut")
    )
    assert all(torch.equal(first["state_dict"][name], after["state_dict"][name]) for name in first["state_dict"])


REFUSED = [
    (("data.split_seed=5", "distill=logits"), r"in the training of artefact, which teaches here"),
    (("data.root=more", "distill=logits"), r"the teacher artefact does not know 1 class of these pictures \(new\)"),
    ((f"teacher={KEPT}", "distill=embedding"), r"does not tell which pictures it was trained on, as those of earlier"),
    (("teacher=hub:no", "distill=embedding"), r"hub:no cannot be fetched"),
]


@pytest.mark.parametrize(("asked", "told"), REFUSED)
def test_what_does_not_fit_is_refused(
    at_home: Path, asked: tuple[str, ...], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    if not Path("more").exists():
        class_folders(Path("more"), {"many": 8, "少": 8, "new": 8}, coarse=3)
    assert train.main([*STUDENT, "run_id=refused", "teacher=artefact", *asked]) == 2
    assert told.replace("\\", "") in capsys.readouterr().err
    assert not Path("outputs/refused").exists()


def test_one_that_does_not_tell_its_pictures_is_taken_where_that_is_asked_for(at_home: Path) -> None:
    manifest = SavedRun(RunFolder(Path("outputs/run"))).manifest
    seen = seen_by_artefact(Artefact.load(KEPT), manifest, "report")
    assert not seen.rows.any()
    assert "does not tell which pictures it was trained on" in seen.notes[0]


def that_tells(folder: Path, *, complete: bool) -> Path:
    """An artefact that tells of no picture, and is not sealed yet."""
    told = {"file": "trained_on.npz", "pictures": 0, "complete": complete}
    tiny_artefact(folder, trained_on=told)
    np.savez(folder / "trained_on.npz", digests=np.zeros(0, np.uint64))
    return folder


def test_one_that_does_not_tell_all_of_them_says_so(at_home: Path, tmp_path: Path) -> None:
    folder = that_tells(tmp_path / "tiny", complete=False)
    with pytest.raises(InputError, match=r"does not list trained_on\.npz"):
        Artefact.load(folder)
    seal(folder)
    seen = seen_by_artefact(Artefact.load(folder), SavedRun(RunFolder(Path("outputs/run"))).manifest, "auto")
    assert "does not tell all of the pictures" in seen.notes[-1]


@pytest.mark.parametrize(("complete", "seen"), [(True, {"val": 0, "test": 0}), (False, None)])
def test_what_was_seen_is_recorded_where_all_of_it_is_told(
    at_home: Path, tmp_path: Path, complete: bool, seen: dict[str, int] | None
) -> None:
    seal(that_tells(tmp_path / "tiny", complete=complete))
    saved = SavedRun(RunFolder(Path("outputs/run")))
    prepared = Prepared(saved.manifest, saved.labels, pd.DataFrame(), pd.DataFrame(), given_splits=False)
    plan = Plan.from_dict(compose("train", [f"teacher={tmp_path / 'tiny'}", "distill=embedding"]))
    facts, notes = teacher_facts(plan, prepared)
    assert facts is not None and facts["seen"] == seen
    assert any("does not tell all" in note for note in notes) is not complete


def test_the_card_says_where_not_all_of_them_are_told(at_home: Path) -> None:
    own = Artefact.load("artefact").own
    partly = {**own, "trained_on": {**own["trained_on"], "complete": False}}
    licences = {"weights": "mit", "pictures": None}
    told, not_all = (card({"animeid": facts}, "no part was judged", None, licences) for facts in (own, partly))
    assert "These are not all of them" in not_all
    assert "not all of them" not in told


def test_a_teacher_that_became_a_run_or_an_artefact_is_refused(tmp_path: Path) -> None:
    artefact = Artefact.load(tiny_artefact(tmp_path / "tiny"))
    began = {str(artefact.folder): artefact.version}
    check_unchanged([artefact], began)
    check_unchanged([], {})
    with pytest.raises(InputError, match=rf"the artefact .*tiny has changed .*version {artefact.version}, now a run\)"):
        check_unchanged([], began)
    with pytest.raises(InputError, match=rf"the run .*tiny has changed .*\(a run, now version {artefact.version}\)"):
        check_unchanged([artefact], {})


def test_an_artefact_takes_as_many_threads_as_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    artefact = Artefact.load(tiny_artefact(tmp_path / "tiny"))
    monkeypatch.setattr(torch, "get_num_threads", lambda: 3)
    network = TeachingArtefact(artefact).member(torch.arange(3), torch.zeros(3)).model
    assert isinstance(network, EngineNetwork)
    assert network.calls.pace == Pace(3, 1)


def test_runs_and_artefacts_teach_together(at_home: Path) -> None:
    """By the mean of their probabilities, in the student's classes, and by their embeddings side by side."""
    teachers = Teachers.named("arte*:outputs/part*:pictures")
    assert [str(path) for path in teachers.paths] == ["outputs/partner", "artefact"]
    assert json.loads(Path("artefact/config.json").read_text())["animeid"]["trained_on"]["complete"] is True
    names = SavedRun(RunFolder(Path("outputs/run"))).labels[::-1]
    stats = LabelStats.from_counts(names, torch.tensor([2, 9, 5]))
    members = [member_of(source, stats, stats.log_prior, "logits") for source in sources(teachers)]
    apart = torch.tensor([3.0, 0.0, -3.0])  # untrained networks think alike, where any mean would do
    members[0] = replace(members[0], offset=members[0].offset + apart)
    torch.manual_seed(0)
    pictures = torch.randint(0, 256, (5, 3, 32, 32)).float()
    together = Networks(members)
    found = together(pictures, torch.arange(5))
    one, two = (answered(path, pictures, stats, "logits") for path in ("outputs/partner", "artefact"))
    odds = [np.exp(logits.double().numpy()) for logits in (one.logits + apart, two.logits)]
    mean = sum(each / each.sum(1, keepdims=True) for each in odds) / 2
    np.testing.assert_allclose(found.logits.numpy(), np.log(mean), atol=TOLERANCE)
    lengths = [np.linalg.norm(output.embedding.numpy(), axis=1, keepdims=True) for output in (one, two)]
    beside = [output.embedding.numpy() / length for output, length in zip((one, two), lengths, strict=True)]
    np.testing.assert_allclose(found.embedding.numpy(), np.concatenate(beside, axis=1), atol=TOLERANCE)
    assert together.features == found.embedding.shape[1]
