"""Names of pictures, and where they go: printed, into a file, or into folders of the pictures."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np

from animeid.errors import InputError
from animeid.inference.output_rows import ENDINGS, Answer, write
from animeid.inference.sorting import NAMES, How, check_folder, filled, folder_names, is_folder, sort
from animeid.predictions import top_names
from animeid.system.console import as_text, counted, say, say_beside
from animeid.system.files import atomic
from animeid.system.output import check_output
from animeid.system.streams import let_go

OF_FOLDERS = {"sort": "copy", "unknown_below": 0.0}
"""Keys that say how pictures are sorted into folders, and their values where they are not given."""


@dataclass(frozen=True)
class Output:
    """What `output=` names, which is free.

    folder: of a folder a name; None where none is asked for.
    file: of all answers, CSV or JSONL; None where they are printed as CSV.
    how: whether a folder has copies of the pictures, or links.
    unknown_below: the probability of the likeliest name under which a picture is sorted into `unknown`.
    """

    folder: Path | None
    file: Path | None
    how: How
    unknown_below: float

    @classmethod
    def of(cls, request: Mapping[str, Any]) -> Self:
        """The output of a request for names (see `animeid.inference.requests.PredictRequest`).

        Raises:
            InputError: it is not free, or cannot be written, or a key of folders is given without one.
        """
        given = request["output"]
        folder = check_folder(given) if given is not None and is_folder(given) else None
        unused = [key for key, value in OF_FOLDERS.items() if folder is None and request[key] != value]
        if unused:
            raise InputError(
                f"{unused[0]}={request[unused[0]]} is for pictures that are sorted into folders: give a folder, such "
                "as output=sorted/, or leave it out"
            )
        file = check_output(given, ENDINGS) if folder is None else folder / NAMES
        return cls(folder, file, request["sort"], request["unknown_below"])

    def write(
        self, found: Iterator[tuple[Path, Answer]], labels: Sequence[str], k: int
    ) -> tuple[int, list[Answer]] | None:
        """Writes answers as they come.

        Args:
            found: pictures and their answers.
            labels: the names of all classes.
            k: names of each picture.

        Returns:
            How many there were, and those without names; None where who reads the answers wants no more of them.
        """
        if self.folder is not None:
            with filled(self.folder) as partial, atomic(partial / NAMES, "w") as stream:
                sorted_in = sort(found, partial, self.how, self.unknown_below, folder_names(labels))
                return write(sorted_in, stream, as_csv=True, k=k)
        answers = (answer for _, answer in found)
        if self.file is not None:
            with atomic(self.file, "w") as stream:
                return write(answers, stream, as_csv=self.file.suffix == ".csv", k=k)
        try:
            counts = write(answers, sys.stdout, as_csv=True, k=k)
            sys.stdout.flush()
        except BrokenPipeError:
            let_go(sys.stdout)
            return None
        return counts

    def say_if_within(self, given: str) -> None:
        """Says of a folder inside of that of the pictures that what is sorted into it is read the next time too."""
        if self.folder is not None and Path(given).resolve() in self.folder.resolve().parents:
            say_beside(
                f"{self.folder} lies in input={given}, where what is sorted into it will be found as well, by training "
                "too: a folder beside it is better"
            )

    def tell(self, named: int) -> None:
        """Says where so many pictures' names are; nothing where they were printed."""
        if self.folder is not None:
            what = "copied into" if self.how == "copy" else "linked in"
            say(f"{counted(named, 'picture', 'were')} {what} {self.folder}; all answers are in {self.file}")
        elif self.file is not None:
            say(f"{counted(named, 'picture')} named in {self.file}")


def answers_to(
    paths: Sequence[Path], errors: Sequence[str], logits: np.ndarray, labels: Sequence[str], k: int
) -> Iterator[tuple[Path, Answer]]:
    """Files and the answers to them: the `k` likeliest names by `[B, C]` logits, or why there are none."""
    for path, error, names in zip(paths, errors, top_names(logits, labels, k), strict=True):
        yield path, {"path": as_text(path), "names": [] if error else names, "error": error}
