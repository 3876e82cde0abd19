"""Naming pictures with an artefact: what `python -m animeid.predict artefact=DIR` does, without torch and Hydra."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from animeid.artefacts.hub import artefact_folder
from animeid.data.files import find_pictures
from animeid.deploy.arguments import ArtefactRequest, given_to, request_of
from animeid.deploy.runtime import Runtime
from animeid.inference.output_rows import Answer
from animeid.inference.outputs import Output, answers_to
from animeid.inference.unreadable import say_unreadable
from animeid.system.console import has_told_of_itself, write_anything
from animeid.system.home import settle_in
from animeid.system.status import status_of

WAY_ON = "the same command starts again"

HELP = f"""\
Names the characters in pictures with an exported artefact; broken files are listed and left out.

  python -m animeid.predict artefact=my_artefact input=picture.png
  python -m animeid.predict artefact=my_artefact input=FOLDER output=names.csv

Keys: {", ".join(ArtefactRequest.__dataclass_fields__)}."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Answers a command line; the exit status is that of the other commands (see `animeid.config.command.command`)."""
    write_anything()
    settle_in()
    given = given_to(arguments)
    if has_told_of_itself(given, lambda: HELP):
        return 0
    return status_of(lambda: predict(request_of(given)), WAY_ON)


def predict(request: ArtefactRequest) -> int:
    """Names the pictures of `request.input`, and returns the exit status.

    Raises:
        InputError: there is no such artefact or picture, or the output is not free.
    """
    output = Output.of(asdict(request))
    paths = find_pictures(request.input)
    output.say_if_within(request.input)
    runtime = Runtime.load(
        artefact_folder(request.artefact),
        engine=request.engine,
        batch_size=request.batch_size,
        temperature=request.temperature,
        incomplete=None if request.incomplete is None else request.incomplete == "keep",
    )
    k = min(request.top_k, len(runtime.labels))
    counts = output.write(answers(runtime, paths, k), runtime.labels, k)
    if counts is None:
        return 0
    total, broken = counts
    say_unreadable([f"{answer['path']}: {answer['error']}" for answer in broken], total, runtime.incomplete)
    output.tell(total - len(broken))
    return 0


def answers(runtime: Runtime, paths: list[Path], k: int) -> Iterator[tuple[Path, Answer]]:
    """One answer a file, as they come."""
    for batch in runtime.batches(list(paths)):
        files = [paths[place] for place in batch.places]
        yield from answers_to(files, batch.errors, runtime.tempered(batch.logits), runtime.labels, k)
