"""The best trial of a search: its report, and the test part, which is read once in the search's life."""

from __future__ import annotations

from pathlib import Path

from animeid.inference.evaluation import evaluate
from animeid.runs.finished import FinishedRun
from animeid.runs.folder import RunFolder
from animeid.runs.saved import SavedRun
from animeid.system.console import say
from animeid.training.run import add_report
from animeid.tuning.search import FOLDER, Search
from animeid.tuning.trials import Compose


def explain_best(search: Search, embeddings: str) -> None:
    """Gives the best trial its report, with what the other trials lack: baselines, evidence and charts.

    Args:
        embeddings: whether its training pictures are answered, as the search's request has it.
    """
    folder = RunFolder(search.path / str(search.finished()[0].user_attrs[FOLDER]))
    if not folder.is_finished:
        say(f"the best trial has no report: its run {folder.path} was removed")
        return
    with search.reporting():
        if not folder.report.is_file():
            add_report(folder, {**SavedRun(folder).request, "embeddings": embeddings})
    say(f"report of the best trial: {folder.report}")


def evaluate_best_on_test(search: Search, compose: Compose) -> None:
    """Reads the test part once in a search's life, with the model that is the best when it is first asked for."""
    best = search.path / str(search.finished()[0].user_attrs[FOLDER])
    with search.judged(int(best.name)) as judged:
        run = search.path / str(judged)
        done = evaluations_on_test(run)
        if not done:
            evaluate(compose("evaluate", [f"run={run}"]))
            return
    figure = FinishedRun(done[0]).metrics["test"]["f1_macro"]
    other = "" if run == best else f"; it is not read again for {best}, which is the best now"
    say(f"the test part has been read before, with {run}: {figure:.3f} f1_macro{other}")


def evaluations_on_test(run: Path) -> list[RunFolder]:
    """Those of the run's own test part that came to their end; other pictures are judged as a test part too."""
    found = (RunFolder(path) for path in sorted((run / "evaluations").glob("*")))
    asked = [(folder, SavedRun(folder).request) for folder in found if folder.is_finished and folder.request.is_file()]
    return [folder for folder, request in asked if request["split"] == "test" and not request["data"]["root"]]
