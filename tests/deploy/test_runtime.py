"""An artefact answers pictures from files as the formulas say, with whatever engine, threads and batches."""

from __future__ import annotations

import importlib.util
import json
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from animeid.artefacts import engines
from animeid.artefacts.checksums import seal
from animeid.artefacts.engines import choose
from animeid.artefacts.pace import Pace, Remembered, candidates, fastest
from animeid.deploy import runtime
from animeid.deploy.reading import AHEAD, Reader, in_batches
from animeid.deploy.runtime import Runtime
from animeid.errors import InputError
from animeid.imaging.evaluation import EvalTransform
from tests.deploy.tiny_artefact import CLASSES, SIZE, reference, tiny_artefact

EXIF_ROTATED = 6
LAYOUTS = ("NHWC uint8", "NCHW float32")


@pytest.fixture(autouse=True)
def own_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("ANIMEID_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "paces"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tiny_artefact(tmp_path / "artefact")


@pytest.fixture
def pictures(tmp_path: Path) -> Path:
    """Pictures of every kind that is decoded with care, as large as the network sees, and one that is broken."""
    random, home = np.random.default_rng(1), tmp_path / "pictures"
    home.mkdir()
    # Pictures of one colour are the same however they are resized and cut.
    Image.new("RGBA", (50, 40), (200, 10, 30, 0)).save(home / "1_transparent.png")
    turned = Image.new("RGB", (64, 64), (0, 0, 250))
    turned.paste((250, 0, 0), (0, 0, 64, 32))
    exif = Image.Exif()
    exif[0x0112] = EXIF_ROTATED
    turned.save(home / "2_turned.png", exif=exif)
    (home / "3_broken.png").write_bytes(b"\x89PNG\r\n\x1a\nno picture")
    for number in range(4, 12):
        Image.fromarray(random.integers(0, 256, (30, 40, 3), np.uint8)).save(home / f"{number}_noise.png")
    return home


def seen(path: Path) -> np.ndarray:
    """What evaluation shows a network, of a small picture that needs no working picture."""
    with Image.open(path) as picture:
        return EvalTransform(SIZE, 0.8)(np.array(picture.convert("RGB")))


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("pace", [Pace(1, 1), Pace(2, 1), Pace(1, 3), Pace(2, 2)])
@pytest.mark.parametrize("engine", ["onnxruntime", "openvino"])
def test_pictures_are_answered_as_the_formulas_say(
    tmp_path: Path, pictures: Path, layout: str, pace: Pace, engine: str, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip(engine)
    given = [] if engine == "onnxruntime" else ["openvino:model.onnx:float32"]
    artefact = tiny_artefact(tmp_path / "artefact", layout=layout, engines=given)
    answered = Runtime.load(artefact, pace=pace, batch_size=3, engine=engine)(pictures)
    files = sorted(pictures.iterdir())
    noise = [place for place, path in enumerate(files) if "noise" in path.name]
    embeddings, logits = reference(np.stack([seen(files[place]) for place in noise]))
    kept = [list(answered.rows).index(place) for place in noise]
    np.testing.assert_allclose(answered.embeddings[kept], embeddings, atol=2e-5)
    np.testing.assert_allclose(answered.logits[kept], logits, atol=2e-4)
    broken = next(place for place, path in enumerate(files) if "broken" in path.name)
    assert answered.rows.tolist() == [place for place in range(len(files)) if place != broken]
    assert f"not named: {files[broken]}: not a picture" in capsys.readouterr().err
    assert answered.logits.dtype == answered.embeddings.dtype == np.float32 and np.isnan(answered.losses).all()


def test_transparency_is_white_and_exif_turns(folder: Path, pictures: Path) -> None:
    found = Runtime.load(folder)([pictures / "1_transparent.png", pictures / "2_turned.png"])
    white, _ = reference(np.full((1, *SIZE, 3), 255, np.uint8))
    np.testing.assert_allclose(found.embeddings[0], white[0], atol=1e-5)
    # The upper half is red, and turned by a quarter the right one is: what is cut off at the sides takes both alike.
    means = found.embeddings[1] * [0.25, 0.2, 0.3] + [0.5, 0.4, 0.3]
    assert means[0] == pytest.approx(means[2], abs=0.02)


def test_pictures_in_memory_and_names(folder: Path) -> None:
    answering = Runtime.load(folder)
    pixels = np.zeros((40, 40, 3), np.uint8)
    pixels[..., 0] = 255
    found = answering(pixels)
    (names,) = answering.names(found, k=2)
    logits = reference(pixels[None])[1][0] / 2.0  # the artefact's temperature
    shares = np.exp(logits) / np.exp(logits).sum()
    assert [name["label"] for name in names] == [CLASSES[index] for index in np.argsort(-shares)[:2]]
    assert [name["probability"] for name in names] == pytest.approx(sorted(shares, reverse=True)[:2], abs=1e-5)
    assert answering.labels == CLASSES


def test_a_plain_temperature_takes_the_place_of_the_artefacts(folder: Path) -> None:
    logits = np.array([[1.0, 2.0, 3.0]], np.float32)
    assert Runtime.load(folder, temperature=1.0).tempered(logits) is logits
    np.testing.assert_array_equal(Runtime.load(folder).tempered(logits), logits / 2)


# Engines.


def without(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    found = importlib.util.find_spec
    monkeypatch.setattr(engines, "find_spec", lambda name: None if name in names else found(name))


def test_8_bits_that_passed_on_a_newer_processor_answer_on_such_a_one_only(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tiny_artefact(tmp_path / "a", engines=["onnxruntime:model.int8.onnx:int8"])
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    config["animeid"]["engines"][0]["needs_vnni"] = True
    (folder / "config.json").write_text(json.dumps(config), encoding="utf-8")
    seal(folder)
    artefact = runtime.Artefact.load(folder)
    monkeypatch.setattr(engines, "multiplies_8_bits", lambda: True)
    assert choose(artefact).precision == "int8"
    monkeypatch.setattr(engines, "multiplies_8_bits", lambda: False)
    assert choose(artefact).precision == "float32"
    with pytest.raises(InputError, match="in int8, which this processor cannot compute as the one"):
        choose(artefact, "int8")


def test_the_first_engine_that_is_installed_answers(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    artefact = runtime.Artefact.load(
        tiny_artefact(tmp_path / "a", engines=["openvino:ov.onnx:bfloat16", "onnxruntime:model.int8.onnx:int8"])
    )
    without(monkeypatch)
    monkeypatch.setattr(engines, "computes_bfloat16", lambda: True)
    assert choose(artefact).file == "ov.onnx"
    monkeypatch.setattr(engines, "computes_bfloat16", lambda: False)
    assert choose(artefact).file == "model.int8.onnx"
    with pytest.raises(InputError, match="in bfloat16, which this processor cannot compute as"):
        choose(artefact, "openvino")
    without(monkeypatch, "openvino")
    assert choose(artefact).file == "model.int8.onnx"
    assert choose(artefact, "float32").file == "model.onnx"
    assert choose(artefact, "int8").file == "model.int8.onnx"
    with pytest.raises(InputError, match="is answered by openvino, which is not installed: pip install openvino"):
        choose(artefact, "bfloat16")
    without(monkeypatch, "openvino", "onnxruntime")
    with pytest.raises(InputError, match="openvino or onnxruntime, which is not installed"):
        choose(artefact)
    with pytest.raises(InputError, match="has no engine 'int4'; did you mean 'int8'"):
        choose(artefact, "int4")


def test_a_network_that_the_library_does_not_know_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tiny_artefact(tmp_path / "a", engines=["onnxruntime:other.onnx:float32"])
    (folder / "other.onnx").write_bytes(b"not a network")
    monkeypatch.setattr(runtime.Artefact, "load", lambda path: _unchecked(folder))
    with pytest.raises(InputError, match=r"other\.onnx cannot be opened by the onnxruntime that is installed"):
        _ = Runtime.load(folder).calls


def _unchecked(folder: Path) -> runtime.Artefact:
    config = json.loads((folder / "config.json").read_text(encoding="utf-8"))
    return runtime.Artefact(folder, config, "0")


# Reading.


def test_batches_keep_their_order_whatever_takes_longer() -> None:
    def slow(picture: int) -> tuple[np.ndarray, str]:
        return np.full((1,), picture), "odd" if picture % 2 else ""

    found = list(in_batches(range(11), slow, lambda batch: batch[:, 0] * 10, batch_size=3, readers=4, calls=3))
    assert [list(places) for places, _, _ in found] == [[0, 1, 2], [3, 4, 5], [6, 7, 8], [9, 10]]
    assert np.concatenate([answers for _, _, answers in found]).tolist() == [10 * number for number in range(11)]
    assert [error for _, errors, _ in found for error in errors] == ["", "odd"] * 5 + [""]


def test_no_more_is_read_ahead_than_a_few_batches() -> None:
    read: list[int] = []

    def counted(picture: int) -> tuple[np.ndarray, str]:
        read.append(picture)
        return np.zeros(1), ""

    found = in_batches(range(1000), counted, len, batch_size=2, readers=2, calls=1)
    next(found)
    found.close()
    assert len(read) <= 2 * (1 + AHEAD)


def test_what_a_reader_cannot_foresee_is_raised() -> None:
    def wrong(picture: int) -> tuple[np.ndarray, str]:
        raise InputError("no picture at all")

    with pytest.raises(InputError, match="no picture at all"):
        list(in_batches(range(9), wrong, len, batch_size=2, readers=2, calls=2))


def test_a_large_picture_is_refused_before_it_is_decoded(pictures: Path) -> None:
    pixels, error = Reader(EvalTransform(SIZE, 0.8), 100, False)(pictures / "4_noise.png")
    assert error == "too large: 40 x 30 pixels" and not pixels.any() and pixels.shape == (*SIZE, 3)


# Pace.


def test_the_fastest_pace_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    """A clock of our own: the second pace answers twice as many in the same time."""
    now = [0.0]
    monkeypatch.setattr("animeid.artefacts.pace.time.perf_counter", lambda: now[0])

    def trial(pace: Pace):
        def run() -> int:
            now[0] += 1.0
            return 8 * pace.calls

        return run

    assert fastest([Pace(2, 1), Pace(1, 2)], trial) == Pace(1, 2)
    assert fastest([Pace(2, 1), Pace(1, 2)], trial, clearly=1.9) == Pace(1, 2)
    assert fastest([Pace(2, 1), Pace(1, 2)], trial, clearly=2.1) == Pace(2, 1)
    assert candidates(1) == [Pace(1, 1)]
    assert candidates(2) == [Pace(2, 1), Pace(1, 2)]
    assert candidates(8) == [Pace(8, 1), Pace(2, 4), Pace(1, 8)]


def test_a_pace_is_measured_once_for_many_pictures(
    folder: Path, own_cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    measured: list[object] = []
    monkeypatch.setattr(runtime, "cores", lambda: 2)
    monkeypatch.setattr(runtime, "MEASURED_FROM", 4)
    monkeypatch.setattr(runtime, "fastest", lambda paces, trial: measured.append(trial(paces[1])()) or paces[1])
    few, many = [np.zeros((30, 30, 3), np.uint8)] * 3, [np.zeros((30, 30, 3), np.uint8)] * 5
    assert Runtime.load(folder).calls.pace == Pace(2, 1)
    Runtime.load(folder)(few)
    assert measured == [] and not own_cache.exists()
    answering = Runtime.load(folder)
    answering(many)
    assert measured == [2 * runtime.TOGETHER] and answering.calls.pace == Pace(1, 2)
    Runtime.load(folder)(many)
    assert len(measured) == 1
    assert Runtime.load(folder).calls.pace == Pace(1, 2)  # few pictures know it too
    (file,) = own_cache.iterdir()
    for content in ("", "{}", '{"threads": 0, "calls": 1}', "[]"):
        file.write_text(content)
        assert Runtime.load(folder).remembered.read() is None
    file.unlink()
    Runtime.load(folder)(many)
    assert len(measured) == 2
    Runtime.load(folder, pace=Pace(1, 1))(many)
    assert len(measured) == 2


def test_a_cache_that_cannot_be_written_does_not_matter(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("ANIMEID_CACHE", str(tmp_path / "file" / "below"))
    remembered = Remembered.of("version")
    remembered.write(Pace(1, 1))
    assert remembered.read() is None


def test_what_is_remembered_is_of_one_machine_artefact_and_engine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    first = Remembered.of("version", "engine")
    assert first == Remembered.of("version", "engine")
    others = [Remembered.of("other", "engine"), Remembered.of("version", "other")]
    monkeypatch.setattr("platform.node", lambda: "another machine")
    assert first not in (*others, Remembered.of("version", "engine"))


def test_as_many_calls_are_made_at_once_as_the_pace_has(folder: Path) -> None:
    opened = Runtime.load(folder, pace=Pace(2, 2)).calls
    assert opened.free.qsize() == 2
    assert opened.all_at_once(np.zeros((3, *SIZE, 3), np.uint8)) == 6
    assert opened.free.qsize() == 2
