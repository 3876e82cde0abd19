"""Results of a run as W&B shows them: tables, charts and pictures, each under the name that it is logged by."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from animeid.tracking.results import Results

if TYPE_CHECKING:
    import wandb


def _table(columns: Sequence[str], rows: Iterable[Iterable[Any]]) -> wandb.Table:
    import wandb

    return wandb.Table(columns=list(columns), data=[list(row) for row in rows])


def _none_for_nan(value: Any) -> Any:
    return None if value != value else value


def tables(results: Results) -> dict[str, Any]:
    """The classes of each part, and the worst answers with their pictures."""
    import wandb

    logged = {
        f"{part}/per_class": _table(
            list(table.columns), [[_none_for_nan(value) for value in row] for row in table.to_numpy(dtype=object)]
        )
        for part, table in results.classes.items()
    }
    if results.worst:
        columns = ["path", "true", "predicted", "probability", "image"]
        rows = [
            [answer.path, answer.true, answer.predicted, answer.probability, wandb.Image(answer.image)]
            for answer in results.worst
        ]
        if any(answer.looked_at for answer in results.worst):
            columns.append("grad_cam")
            for row, answer in zip(rows, results.worst, strict=True):
                row.append(wandb.Image(answer.looked_at) if answer.looked_at else None)
        logged[f"{results.worst_part}/worst_predictions"] = _table(columns, rows)
    return logged


def charts(results: Results) -> dict[str, Any]:
    """The confusion matrix of each part, and the learning rate over the epochs."""
    import wandb

    columns = ("Actual", "Predicted", "nPredictions")
    logged: dict[str, Any] = {
        f"{part}/confusion_matrix": wandb.plot_table(
            "wandb/confusion_matrix/v1",
            _table(columns, table.to_numpy(dtype=object)),
            fields={name: name for name in columns},
            string_fields={"title": f"Confusion matrix, {part}"},
        )
        for part, table in results.confusion.items()
    }
    rates = _table(("epoch", "lr"), results.rates.to_numpy(dtype=object))
    logged["learning_rate"] = wandb.plot.line(rates, "epoch", "lr", title="Learning rate")
    return logged


def pictures(results: Results) -> dict[str, Any]:
    """The run's figures, and the worst answers once more as galleries, without and with their heat maps."""
    import wandb

    logged: dict[str, Any] = {
        f"figures/{name}": wandb.Image(os.fspath(path)) for name, path in results.pictures.items()
    }
    galleries = {
        "worst_pictures": [(answer, answer.image) for answer in results.worst],
        "worst_grad_cam": [(answer, answer.looked_at) for answer in results.worst if answer.looked_at],
    }
    for name, shown in galleries.items():
        if shown:
            logged[f"{results.worst_part}/{name}"] = [
                wandb.Image(image, caption=f"{answer.true} → {answer.predicted} ({answer.probability:.2f})")
                for answer, image in shown
            ]
    return logged
