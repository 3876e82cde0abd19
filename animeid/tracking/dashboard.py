"""The W&B workspace of animeid's runs, made by code."""

from __future__ import annotations

import json
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

from animeid.errors import InputError
from animeid.system.console import how_to_install, say
from animeid.system.files import write_json
from animeid.system.output import check_output
from animeid.tracking.server import why_offline

if TYPE_CHECKING:
    from wandb_workspaces.workspaces import Workspace

STEP = "trainer/global_step"

CURVES = {
    "Training loss": "train/loss",
    "Validation loss": "val/loss",
    "Macro F1, validation": "val/f1_macro",
    "Macro accuracy, validation": "val/acc_macro",
    "Learning rate": "lr",
}
"""Line plots by title: what training logs as it goes."""

BARS = {
    "Macro F1, best epoch": ("val/f1_macro", "test/f1_macro"),
    "Macro accuracy, best epoch": ("val/acc_macro", "test/acc_macro"),
    "Calibration error and loss, test": ("test/ece", "test/nll"),
}
"""Bar plots by title: what a finished run logs."""

CHOICES = ("optimizer.lr", "optimizer.weight_decay", "trainer.max_epochs", "data.image_size", "seed")
OUTCOMES = ("val/f1_macro", "test/f1_macro")
"""The axes of the parallel coordinates: keys of the configuration, then figures."""

GALLERIES = {
    "Worst test predictions": ("test/worst_pictures",),
    "Confusion matrices": ("figures/confusion_test", "figures/confusion_val"),
    "Learning curves and F1 by class size": ("figures/learning_curves", "figures/f1_by_size_test"),
}
"""Media panels by title."""


def build_workspace(entity: str, project: str, name: str) -> Workspace:
    """The workspace as an object; nothing is sent.

    Raises:
        InputError: wandb-workspaces is not installed.
    """
    if find_spec("wandb_workspaces") is None:
        raise InputError(f"the dashboard needs wandb-workspaces, which is not installed: {how_to_install('dashboard')}")
    import wandb_workspaces.reports.v2 as wr
    import wandb_workspaces.workspaces as ws

    axes = [wr.ParallelCoordinatesPlotColumn(wr.Config(key)) for key in CHOICES]
    axes += [wr.ParallelCoordinatesPlotColumn(wr.SummaryMetric(figure)) for figure in OUTCOMES]
    panels: dict[str, list[Any]] = {
        "Training": [wr.LinePlot(title=title, x=STEP, y=[figure]) for title, figure in CURVES.items()],
        "Results": [
            *(wr.BarPlot(title=title, metrics=list(figures)) for title, figures in BARS.items()),
            wr.ParallelCoordinatesPlot(title="Choices and results", columns=axes),
            wr.RunComparer(diff_only="split"),
        ],
        "Pictures": [
            wr.MediaBrowser(title=title, media_keys=list(keys), gallery_axis="run") for title, keys in GALLERIES.items()
        ],
    }
    sections = [ws.Section(name=title, panels=content, is_open=True) for title, content in panels.items()]
    return ws.Workspace(entity=entity, project=project, name=name, sections=sections)


def specification(workspace: Workspace) -> dict[str, Any]:
    """The workspace as W&B stores it, in plain values."""
    model = workspace._to_model()  # the library has no public way to it
    return json.loads(model.model_dump_json(by_alias=True, exclude_none=True))


def dashboard(request: dict[str, Any]) -> None:
    """Sends the workspace to W&B, or writes its specification to `request["output"]`.

    Raises:
        InputError: the file is there already; there is no key, or W&B does not answer or refuses.
    """
    output = check_output(request["output"], (".json",))
    workspace = build_workspace(request["entity"], request["project"], request["name"])
    if output:
        write_json(output, specification(workspace))
        say(f"specification: {output}")
        return
    send(workspace)
    say(f"dashboard: {workspace.url}")


def send(workspace: Workspace) -> None:
    """Saves the workspace on the server.

    Raises:
        InputError: there is no key, or W&B does not answer or refuses.
    """
    if reason := why_offline():
        raise InputError(
            f"the dashboard cannot be sent, since {reason}: write it to a file with output=dashboard.json instead"
        )
    import wandb
    from wandb.sdk.lib.service.service_connection import WandbApiFailedError

    try:
        workspace.save()
    except (wandb.Error, WandbApiFailedError) as error:
        raise InputError(
            f"W&B does not take the dashboard for {workspace.entity}/{workspace.project} ({error}): "
            "check entity and project"
        ) from error
