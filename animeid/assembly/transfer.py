"""Starting from an earlier run: what is taken over from it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import pandas as pd

from animeid.assembly.plan import FinalPlan, Plan
from animeid.config.earlier_data import found_from_here
from animeid.data.spellings import spelling_notes
from animeid.errors import InputError
from animeid.models.catalogue import same_network
from animeid.models.classifier import Classifier
from animeid.models.transfer import BACKBONE, Moved, move_head
from animeid.runs.folder import RunFolder
from animeid.runs.saved import SavedRun
from animeid.system.console import counted, some_of

COLUMNS = ("kind", "name", "outcome", "detail")

ORIGIN = ("repository", "package", "origin", "licence")
"""What a run's facts tell of the published weights that it began with."""

OUTCOMES = ("kept", "new", "dropped")
"""What can become of a class."""

NAMED = 5
"""How many classes a sentence names at most."""


@dataclass(frozen=True)
class Earlier:
    """A finished run that another one starts from.

    parts: `all`, or `backbone` to leave its head behind.
    """

    folder: RunFolder
    labels: tuple[str, ...]
    parts: str

    def told_of_pictures(self, request: Mapping[str, Any]) -> tuple[str, ...]:
        """A sentence where a request trains on the pictures of this run, which it need not have named."""
        root = found_from_here(self.folder, SavedRun(self.folder).plan["data"]["root"])
        if root is None or root != request["data"]["root"]:
            return ()
        return (f"the pictures are those of {self.folder.path}: {root}",)

    def without_own_weights(self, plan: Plan) -> Plan:
        """The plan with this run's checkpoint in place of any other weights, so that no hub is asked."""
        shapes = SavedRun(self.folder).plan["model"].get("shapes")
        cut = {"shapes": shapes} if shapes or plan["model"].get("shapes") else {}
        return plan.having(model={"pretrained": False, "weights": str(self.folder.best), **cut})


@dataclass(frozen=True)
class Transfer:
    """What was taken over.

    table: a row a class and a row a tensor of the head, the backbone being one: columns `COLUMNS`.
    facts: the same in numbers, for the plan.
    notes: sentences for the user.
    """

    table: pd.DataFrame
    facts: dict[str, Any]
    notes: tuple[str, ...]


def earlier_run(request: Mapping[str, Any]) -> Earlier | None:
    """The run that `from_run` names, None without one; told before data is touched whether it fits.

    Raises:
        InputError: there is no such run, or it has another network or head.
    """
    path, parts = request["from_run"], request["from_run_parts"]
    if path is None:
        return None
    model, head = request["model"], request["head"]
    folder = RunFolder.open(path)
    plan = FinalPlan.read(folder.config)
    name, theirs = model["name"], plan["model"]["name"]
    if not same_network(name, theirs):
        raise InputError(
            f"from_run={path} was trained with model.name={theirs}, whose weights do not fit model.name={name}: "
            f"choose the model of that run, or leave out from_run"
        )
    if plan["model"].get("shapes") and not model.get("shapes") and not request.get("prune"):
        raise InputError(
            f"from_run={path} was pruned, and model.name={name} is the whole network: leave out model, which is then "
            "that run's"
        )
    if parts == "all" and head["_target_"] != plan["head"]["_target_"]:
        kinds = [target.rpartition(".")[2] for target in (plan["head"]["_target_"], head["_target_"])]
        raise InputError(
            f"from_run={path} has a {kinds[0]} and this run a {kinds[1]}: choose the same head, "
            "or take from_run_parts=backbone to start with a new head"
        )
    return Earlier(folder, SavedRun(folder).labels, parts)


def take_over(earlier: Earlier, model: Classifier, labels: Sequence[str]) -> Transfer:
    """Puts the earlier run's head into a model that has its backbone already, and lists what was done.

    Args:
        earlier: the run.
        model: of this run's classes, with the earlier run's backbone.
        labels: this run's class names in target order.

    Raises:
        InputError: the heads are of another kind or size.
    """
    path, backbone = earlier.folder.path, model.backbone
    rows = [Moved("backbone", "kept", counted(len(backbone.state_dict()), "tensor"))]
    if earlier.parts == "all":
        rows += move_head(model, earlier.folder.best, earlier.labels, labels)
    else:
        rows += [Moved(name, "new", "") for name in model.state_dict() if not name.startswith(BACKBONE)]
    classes = _classes(earlier, labels)
    backbone.weights_source = "run"
    backbone.weights_origin = published_origin(FinalPlan.read(earlier.folder.config).facts.weights)
    what = "backbone and head" if earlier.parts == "all" else "backbone alone"
    backbone.weights_note = f"{backbone.name} starts from the {what} of the run {path}."
    table = [
        *(("class", name, outcome, "") for name, outcome in classes),
        *(("tensor", row.name, row.outcome, row.detail) for row in rows),
    ]
    counts = Counter(outcome for _, outcome in classes)
    facts = {
        "run": str(path),
        "parts": earlier.parts,
        "classes": {outcome: counts[outcome] for outcome in OUTCOMES},
    }
    notes = (_tensor_table(rows), *_class_notes(earlier, labels, classes))
    return Transfer(pd.DataFrame(table, columns=list(COLUMNS)), facts, notes)


def published_origin(weights: Mapping[str, Any]) -> dict[str, str]:
    """Of the facts of a run's weights what says whose they were at first, which holds for all that are made of them."""
    return {name: weights[name] for name in ORIGIN if name in weights}


def _classes(earlier: Earlier, labels: Sequence[str]) -> list[tuple[str, str]]:
    """What became of each class: those of this run in target order, then those that it has not."""
    taken = set(earlier.labels) if earlier.parts == "all" else set()
    here = [(label, "kept" if label in taken else "new") for label in labels]
    return [*here, *((label, "dropped") for label in earlier.labels if label not in set(labels))]


def _tensor_table(rows: Sequence[Moved]) -> str:
    width = max(len(row.name) for row in rows)
    return "\n".join(f"  {row.name:<{width}}  {row.outcome:<8}  {row.detail}".rstrip() for row in rows)


def _class_notes(earlier: Earlier, labels: Sequence[str], classes: Sequence[tuple[str, str]]) -> list[str]:
    """What became of the classes, in one sentence; nothing where both runs have the same."""
    if set(labels) == set(earlier.labels):
        return []
    named = [(outcome, [name for name, what in classes if what == outcome]) for outcome in OUTCOMES]
    told = ", ".join(f"{len(names)} {outcome} ({some_of(names, NAMED)})" for outcome, names in named if names)
    return [
        *_lost_note(earlier, *(dict(named)[outcome] for outcome in ("new", "dropped"))),
        *spelling_notes({*labels, *earlier.labels}, told=labels),
        f"classes: {told}; scores over other classes cannot be compared with those of {earlier.folder.path}",
    ]


def _lost_note(earlier: Earlier, new: Sequence[str], dropped: Sequence[str]) -> list[str]:
    """A warning where classes are added to a run and others of it have no pictures."""
    if not (new and dropped):
        return []
    note = (
        f"WARNING: {counted(len(dropped), 'class')} of {earlier.folder.path} without pictures here "
        f"({some_of(dropped, NAMED)}) will not be named any more: data.replay=auto trains on that run's own pictures "
        "as well, where they still are"
    )
    return [note]
