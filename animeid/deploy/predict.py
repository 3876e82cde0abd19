"""Naming pictures with an artefact: what `python -m animeid.predict artefact=DIR` does, without torch and Hydra."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path

from animeid.artefacts.hub import artefact_folder
from animeid.data.files import find_pictures
from animeid.deploy.arguments import ArtefactRequest, given_to, request_of
from animeid.deploy.runtime import Runtime
from animeid.errors import BAD_INPUT, CRASHED, INTERRUPTED, InputError, Interrupted, MachineError
from animeid.inference.output_rows import Answer
from animeid.inference.outputs import Output, answers_to
from animeid.inference.unreadable import say_unreadable
from animeid.system.console import say, say_error, write_anything
from animeid.system.faults import in_sentences
from animeid.system.home import settle_in
from animeid.system.stop import stoppable

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
    if {"-h", "--help"} & set(given):
        say(HELP)
        return 0
    try:
        with in_sentences(), stoppable():
            predict(request_of(given))
    except Interrupted as stop:
        say_error(f"stopped by a signal: {WAY_ON}")
        return 128 + stop.signum
    except KeyboardInterrupt:
        say_error(f"interrupted: {WAY_ON}")
        return INTERRUPTED
    except MachineError as error:
        say_error(str(error))
        return CRASHED
    except InputError as error:
        say_error(str(error))
        return BAD_INPUT
    return 0


def predict(request: ArtefactRequest) -> None:
    """Names the pictures of `request.input`.

    Raises:
        InputError: there is no such artefact or picture, or the output is not free.
    """
    output = Output.of(asdict(request))
    paths = find_pictures(request.input)
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
        return
    total, broken = counts
    say_unreadable([f"{answer['path']}: {answer['error']}" for answer in broken], total, runtime.incomplete)
    output.tell(total - len(broken))


def answers(runtime: Runtime, paths: list[Path], k: int) -> Iterator[tuple[Path, Answer]]:
    """One answer a file, as they come."""
    for batch in runtime.batches(list(paths)):
        files = [paths[place] for place in batch.places]
        yield from answers_to(files, batch.errors, runtime.tempered(batch.logits), runtime.labels, k)
