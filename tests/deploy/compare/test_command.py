"""The compare command on runs and artefacts of seconds; what it measures is never asserted."""

from __future__ import annotations

import csv
import shutil
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from PIL import Image

from animeid import compare
from animeid.artefacts.checksums import seal
from animeid.deploy.compare.command import _files, short
from animeid.deploy.compare.finding import folders_of
from animeid.deploy.runtime import Runtime
from animeid.errors import InputError
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import MULTIRUN_RECORD
from animeid.system.files import write_json
from tests.deploy.tiny_artefact import tiny_artefact
from tests.old_runs import RUNS, set_root

SHORT = ("rounds=1", "seconds=0.01", "threads=1", "accelerator=cpu")
FIGURES = {
    "f1_macro": 0.6,
    "f1_macro_ci": [0.5, 0.7],
    "support": 30,
    "groups": 30,
    "acc_macro": 0.6,
    "acc_macro_ci": None,
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with two finished runs of one data set, and their pictures."""
    shutil.copytree(RUNS / "pictures", tmp_path / "pictures")
    for name in ("finished", "partner"):
        shutil.copytree(RUNS / "outputs" / name, tmp_path / "outputs" / name)
        set_root(tmp_path / "outputs" / name, tmp_path / "pictures")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def artefact(folder: Path, *, f1: float = 0.6, fingerprint: str = "same") -> Path:
    """A small artefact with figures of its own."""
    tiny_artefact(folder, data={"fingerprint": fingerprint})
    write_json(folder / "metrics.json", {"judged": "test", "test": {**FIGURES, "f1_macro": f1}})
    seal(folder)
    return folder


def table(folder: str = "compared") -> list[dict[str, str]]:
    return list(csv.DictReader((Path(folder) / "comparison.csv").read_text(encoding="utf-8").splitlines()))


def test_runs_are_compared_by_what_they_saved(home: Path) -> None:
    assert compare.main(["models=outputs/*", "output=compared", *SHORT]) == 0
    rows = {row["model"]: row for row in table()}
    assert set(rows) == {"finished", "partner"}
    for name, row in rows.items():
        run = FinishedRun.open(home / "outputs" / name)
        assert float(row["f1_macro"]) == run.judged["f1_macro"]
        assert int(float(row["parameters"]) * 1e6 + 0.5) == run.metrics["cost"]["params"]
        assert float(row["size_mb"]) == run.folder.best.stat().st_size / 1e6
        assert all(float(row[key]) > 0 for key in ("one_ms", "one_file_ms_p90", "images_per_s", "multiply_adds"))
        assert float(row["memory_mib"]) > 100
    page = (home / "compared" / "comparison.html").read_text(encoding="utf-8")
    assert "Pareto front" in page
    assert 'src="http' not in page
    assert "finished" in page


def test_files_that_are_no_pictures_are_not_timed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """To give up on a file takes less time than to read a picture."""
    monkeypatch.chdir(tmp_path)
    Path("in").mkdir()
    Path("in/film.mp4").write_bytes(b"no picture")
    with pytest.raises(InputError, match="no file of input=in is a picture"):
        _files("in", None)
    Image.new("RGB", (8, 8)).save("in/noending", format="PNG")
    assert _files("in", None) == [Path("in/noending")]
    assert "1 file of input=in left out" in capsys.readouterr().err


def test_artefacts_alone_are_compared_by_their_own_figures(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    artefact(tmp_path / "初音", f1=0.62)
    artefact(tmp_path / "other")
    assert compare.main(["models=初音:other", "output=compared", *SHORT]) == 0
    first, second = table()
    assert (first["model"], first["kind"], first["engine"]) == ("初音", "artefact", "onnxruntime, float32")
    assert (first["rank"], second["rank"]) == ("1", "1")
    assert second["p_against_best"] == first["one_file_ms"] == ""
    assert "初音" in (tmp_path / "compared" / "comparison.html").read_text(encoding="utf-8")


@pytest.mark.usefixtures("no_fresh_processes")
def test_one_model_is_enough(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    artefact(tmp_path / "alone")
    assert compare.main(["models=alone", "output=compared", *SHORT]) == 0
    assert [row["on_pareto_front"] for row in table()] == ["True"]


@pytest.mark.usefixtures("no_fresh_processes")
def test_an_artefact_answers_the_pictures_of_a_run_beside_it(home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = FinishedRun.open(home / "outputs" / "finished")
    number, random = len(run.labels), np.random.default_rng(0)
    monkeypatch.setattr("tests.deploy.tiny_artefact.CLASSES", run.labels)
    monkeypatch.setattr("tests.deploy.tiny_artefact.WEIGHT", random.normal(size=(3, number)).astype(np.float32))
    monkeypatch.setattr("tests.deploy.tiny_artefact.BIAS", np.zeros(number, np.float32))
    facts = {"data": {"fingerprint": run.environment["data_fingerprint"]}, "class_counts": [3] * number}
    folder = tiny_artefact(home / "art", **facts)
    assert compare.main(["models=outputs/finished:art", "output=compared", *SHORT]) == 0
    rows = run.predictions.iloc[run.positions]
    answers = Runtime.load(folder)([run.manifest.root / path for path in rows["path"]]).logits.argmax(axis=1)
    (row,) = [row for row in table() if row["kind"] == "artefact"]
    assert float(row["acc_micro"]) == pytest.approx((answers == rows["target"].to_numpy()).mean())
    assert any(row["f1_macro_against_best"] for row in table())


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["models=nowhere/*"], "models=nowhere/* finds nothing"),
        (["models=pictures"], "finds neither a finished run with its checkpoint nor an artefact"),
        (["models=one:renamed"], "renamed has other classes than one"),
        (["models=one:elsewhere"], "elsewhere was trained and judged on other pictures than one"),
        (["models=one:outputs/finished"], "outputs/finished has other classes than one"),
        (["models=bare"], "the artefact bare has no figures, and no run is compared whose judged pictures"),
        (["models=one", "rounds=0"], "rounds must be a whole number of at least 1, not 0"),
        (["models=one", "seconds=0"], "seconds must be"),
        (["models=one", "threads=0"], "threads must be"),
        (["models=one", "output=one"], "output=one is there already"),
        (["models=one", "input=nowhere"], "nowhere"),
    ],
)
def test_bad_input_is_one_sentence(
    home: Path,
    arguments: list[str],
    sentence: str,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    artefact(home / "one")
    artefact(home / "elsewhere", fingerprint="another")
    tiny_artefact(home / "bare", data={"fingerprint": "same"})
    monkeypatch.setattr("tests.deploy.tiny_artefact.CLASSES", ("red", "green", "blue"))
    artefact(home / "renamed")
    assert compare.main(["output=compared", *arguments]) == 2
    said = capsys.readouterr().err.strip().splitlines()
    assert [line for line in said if sentence in line]
    assert not Path("compared").exists()


def test_runs_on_other_pictures_are_refused(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = home / "outputs" / "partner" / "manifest.parquet"
    stored = pq.read_table(path)
    table = stored.to_pandas()
    table.loc[table["split"] == "test", "sha256"] = "0" * 64
    changed = pa.Table.from_pandas(table, preserve_index=False)
    pq.write_table(changed.replace_schema_metadata(stored.schema.metadata), path)
    assert compare.main(["models=outputs/*", "output=compared", *SHORT]) == 2
    assert "outputs/partner was judged on other test pictures than outputs/finished" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("names", "expected"),
    [
        (["model=a", "model=b"], ["a", "b"]),
        (["model.name=a", "model.name=b"], ["a", "b"]),
        (["model=a seed=1", "model=a seed=2"], ["model=a seed=1", "model=a seed=2"]),
        (["model=a", "model.name=b"], ["model=a", "model.name=b"]),
        (["seed=1", "seed=2"], ["seed=1", "seed=2"]),
    ],
)
def test_networks_are_named_without_their_key(names: list[str], expected: list[str]) -> None:
    assert short(names) == expected


def test_a_multirun_means_its_jobs(tmp_path: Path) -> None:
    for name in ("0", "1", ".locks"):
        (tmp_path / "many" / name).mkdir(parents=True)
    write_json(tmp_path / "many" / MULTIRUN_RECORD, {"jobs": []})
    assert folders_of(f"{tmp_path}/many:{tmp_path}/many/1") == [tmp_path / "many" / "0", tmp_path / "many" / "1"]
