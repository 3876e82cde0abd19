"""From a request, the pictures and the device to a request in which everything that was open is chosen."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from animeid.data.prepare import Prepared
from animeid.optim.steps import optimizer_steps_per_epoch
from animeid.plan import plan_for, processes_of
from animeid.recipe.apply import is_fixed, settle
from animeid.recipe.budget import epochs_within, seconds_of
from animeid.recipe.choice import Choice
from animeid.recipe.facts import Facts
from animeid.recipe.rules import RULES, batch_size, image_size, max_epochs
from animeid.recipe.weights import starts_from_random

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
    facts = Facts.of(prepared, accelerator, random_weights=starts_from_random(request))
    sized, first = settle(request, [image_size(facts)], fixed)
    plan = plan_for(sized, facts.pictures, accelerator)
    if is_fixed(request, EPOCHS, fixed):
        long = Choice(EPOCHS, request["trainer"]["max_epochs"], "")
    elif request["budget"] is not None:
        long = within_budget(sized, prepared, accelerator, facts, steps_of_epoch(plan, facts.pictures))
    else:
        long = max_epochs(facts, steps_of_epoch(plan, facts.pictures))
    batch = batch_size(facts, int(long.value), plan["data"]["batch_size"])
    batched, second = settle(sized, [long, batch], fixed)
    steps = int(long.value) * steps_of_epoch(plan_for(batched, facts.pictures, accelerator), facts.pictures)
    result, third = settle(batched, [rule(facts, steps) for rule in RULES], fixed)
    return Chosen(result, (*first, *second, *third))


def within_budget(
    request: dict[str, Any], prepared: Prepared, accelerator: str, facts: Facts, steps_per_epoch: int
) -> Choice:
    """As many epochs as the budget has time for, up to where more of them do not pay."""
    usual = max_epochs(facts, steps_per_epoch)
    epochs = epochs_within(seconds_of(request["budget"]), request, prepared, accelerator)
    if epochs >= usual.value:
        return usual
    return Choice(EPOCHS, epochs, f"as many as budget={request['budget']} has time for on this machine")


def steps_of_epoch(plan: Mapping[str, Any], pictures: int) -> int:
    """Optimiser steps of an epoch that shows every training picture once."""
    batches = -(-pictures // (plan["data"]["batch_size"] * processes_of(plan)))
    return optimizer_steps_per_epoch(batches, plan["trainer"]["accumulate_grad_batches"])
