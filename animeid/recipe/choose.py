"""From a request, the pictures and the device to a request in which everything that was open is chosen."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from animeid.assembly.plan import processes_of, views_of, whole
from animeid.assembly.planning import plan_for
from animeid.data.prepare import Prepared
from animeid.optim.steps import optimizer_steps_per_epoch
from animeid.recipe.apply import is_fixed, settle
from animeid.recipe.budget import epochs_within, seconds_of
from animeid.recipe.choice import YOURS, Choice
from animeid.recipe.facts import Facts
from animeid.recipe.fine_tuning import freezing, head_init, learning_rate
from animeid.recipe.rules import LOADED_MODEL, RULES, augment, image_size, max_epochs, model, refit, steps_wanted
from animeid.recipe.weights import beginning_of, is_at_hand
from animeid.system.launcher import own_rank

EPOCHS = "trainer.max_epochs"


@dataclass(frozen=True)
class Chosen:
    """A request with nothing left to the recipe, and the choices that were made; none with `recipe=none`."""

    request: dict[str, Any]
    choices: tuple[Choice, ...] = ()


def choose(request: dict[str, Any], prepared: Prepared, accelerator: str) -> Chosen:
    """Raises:
    InputError: the budget is not enough for an epoch, or a chosen value does not fit what the user chose.
    """
    if not request.get("recipe"):
        return Chosen(request)
    fixed = request["recipe"]["fixed"]
    with_model, network = with_network(request, fixed)
    facts = facts_of(with_model, prepared, accelerator)
    sized, first = settle(with_model, [image_size(facts), refit(facts)], fixed)
    facts = facts.decided_refit if sized["data"]["refit"] is True else facts
    plan = plan_for(sized, facts.pictures, facts.accelerator)
    by_facts = [*(rule(facts) for rule in RULES), learning_rate(facts, plan), head_init(facts, plan)]
    drawn, rest = settle(sized, by_facts, fixed)
    epochs = how_long(drawn, prepared, facts, fixed)
    steps = int(epochs.value) * steps_of_epoch(drawn, facts)
    result, second = settle(drawn, [epochs, augment(facts, steps), freezing(facts, plan, steps)], fixed)
    return Chosen(result, (*network, *first, *second, *rest))


def facts_of(request: dict[str, Any], prepared: Prepared, accelerator: str) -> Facts:
    """What is known of a request whose network is chosen."""
    return Facts.of(
        prepared,
        accelerator,
        beginning=beginning_of(request),
        may_refit=may_refit(request, prepared),
        is_drawn=is_drawn(request),
        network=request["model"]["name"],
        budget_s=seconds_of(request["budget"]) if request["budget"] else None,
    )


def with_shared(request: dict[str, Any], prepared: Prepared, accelerator: str) -> dict[str, Any]:
    """A request with a recipe and what runs must have in common to go on from one another: network and picture size.

    Both count as the user's from here on, so that no run chooses otherwise for what it starts from.
    """
    fixed = request["recipe"]["fixed"]
    with_model, _ = with_network(request, fixed)
    sized, _ = settle(with_model, [image_size(facts_of(with_model, prepared, accelerator))], fixed)
    return {**sized, "recipe": {**request["recipe"], "fixed": [*fixed, "model", "data.image_size"]}}


def with_network(request: dict[str, Any], fixed: Sequence[str]) -> tuple[dict[str, Any], list[Choice]]:
    """The request with a network, chosen where nothing of it is the user's or an earlier run's."""
    if request["from_run"] is not None or any(key.partition(".")[0] == "model" for key in fixed):
        return request, [Choice("model", None, YOURS)]
    choice = model(is_drawn=is_drawn(request), is_loaded=is_at_hand(LOADED_MODEL))
    return settle(request, [choice], fixed)


def is_drawn(request: Mapping[str, Any]) -> bool:
    """Whether the pictures are those of the built-in cast."""
    return request["data"].get("root") is None


def may_refit(request: Mapping[str, Any], prepared: Prepared) -> bool:
    """Whether a refit may be chosen: not for the built-in cast, after another run, or under a launcher."""
    is_first = request["stage"] is None and request["from_run"] is None
    is_open = request["data"]["refit"] == "auto" and is_first and own_rank().size == 1
    is_own = not is_drawn(request) and prepared.carved_val
    return is_open and is_own and request["callbacks"]["patience"] is None


def how_long(request: dict[str, Any], prepared: Prepared, facts: Facts, fixed: Sequence[str]) -> Choice:
    """The number of epochs of a request in which all is chosen but augmentation and freezing."""
    if is_fixed(request, EPOCHS, fixed):
        return Choice(EPOCHS, request["trainer"]["max_epochs"], YOURS)
    usual = max_epochs(facts, steps_of_epoch(request, facts))
    if request["budget"] is None:
        return usual
    began = time.monotonic()
    costly, _ = settle(request, [augment(facts, steps_wanted(facts))], fixed)  # no other takes longer
    epochs = min(int(usual.value), epochs_within(costly, prepared, facts.accelerator, began))
    if epochs == usual.value:
        return usual
    return Choice(EPOCHS, epochs, f"as many as budget={request['budget']} has time for on this machine")


def steps_of_epoch(request: dict[str, Any], facts: Facts) -> int:
    """Optimiser steps of an epoch that shows every training picture once."""
    plan = plan_for(request, facts.pictures, facts.accelerator)
    draws = facts.pictures * views_of(plan)
    batches = -(-draws // (whole(plan.data.batch_size) * processes_of(plan)))
    return optimizer_steps_per_epoch(batches, plan.trainer.accumulate_grad_batches)
