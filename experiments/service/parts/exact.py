"""Pictures that are all different, many at a time: each answer beside that of `predict`."""

from __future__ import annotations

import json
import operator
import subprocess
import sys
from hashlib import sha256
from pathlib import Path
from typing import Any

from experiments.service.load import Answer, Load, run
from experiments.service.parts.common import Given, Results, Row
from experiments.service.pictures import drawing, form
from experiments.service.servers import service, started

AT_ONCE = 32
SIDE = 256
TOLERANCE = 1e-5
"""Of probabilities: `predict` answers several pictures together, for which the engine adds in another order."""
Names = dict[str, float]


def measure(given: Given) -> Results:
    """How many answers differ from those of the command, and how many are of another picture."""
    folder = given.folder / f"exact-{given.pictures}"
    files = written(folder, given.pictures)
    expected = predicted(given.artefact, folder, given.folder / "exact.jsonl")
    answers: dict[int, Answer] = {}
    left = iter(enumerate(files))

    def next_request() -> tuple[bytes, int]:
        place, file = next(left)
        return form(file.read_bytes()), place

    with started(service(given.artefact)) as server:
        found = run(Load(server.port, next_request, answers.__setitem__).each(AT_ONCE, len(files)))
    told = {place: json.loads(answer.body) for place, answer in answers.items() if answer.status == 200}
    equal = [are_equal(names_of(one["names"]), expected[files[place].name]) for place, one in told.items()]
    own = [one["picture"] == digest(files[place]) for place, one in told.items()]
    return {
        "pictures": len(files),
        "answered": len(told),
        "seconds": found.seconds,
        "of_another": own.count(False),
        "different": equal.count(False),
        "right": sum(map(operator.and_, equal, own)),
        "distinct": len({tuple((name, round(value, 4)) for name, value in one.items()) for one in expected.values()}),
    }


def written(folder: Path, count: int) -> list[Path]:
    """So many files, which are kept for the next time."""
    folder.mkdir(parents=True, exist_ok=True)
    files = [folder / f"{place:05d}.jpg" for place in range(count)]
    for place, file in enumerate(files):
        if not file.is_file():
            file.write_bytes(drawing([7, place], SIDE))
    return files


def predicted(artefact: Path, pictures: Path, output: Path) -> dict[str, Names]:
    """What the command answers, by the files' names."""
    output.unlink(missing_ok=True)
    asked = [f"artefact={artefact}", f"input={pictures}", f"output={output}", "top_k=5"]
    subprocess.run([sys.executable, "-m", "animeid.predict", *asked], check=True, stdout=subprocess.DEVNULL)
    lines = map(json.loads, output.read_text(encoding="utf-8").splitlines())
    return {Path(line["path"]).name: names_of(line["names"]) for line in lines}


def names_of(names: list[dict[str, Any]]) -> Names:
    return {one["label"]: one["probability"] for one in names}


def are_equal(one: Names, other: Names) -> bool:
    """Whether the names are the same, and so are their probabilities, but for rounding."""
    return one.keys() == other.keys() and all(abs(one[name] - other[name]) <= TOLERANCE for name in one)


def digest(file: Path) -> str:
    return sha256(file.read_bytes()).hexdigest()


def rows(found: Results) -> list[Row]:
    pictures, right = found["pictures"], found["right"]
    told = f"{right:,} ({found['distinct']:,} answers that can be told apart, {found['seconds']:.0f} s)"
    target = f"{pictures:,} different pictures, {AT_ONCE} at a time: answers equal to those of `predict`"
    return [Row(target, f"{pictures:,}", told, right == pictures)]
