"""Examines the machine and, where a request names any, the pictures; says what it finds as it finds it."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from animeid.assembly.model import as_size
from animeid.assembly.planning import make_plan
from animeid.assembly.run import build
from animeid.assembly.transfer import earlier_run
from animeid.config import gateway
from animeid.data.cache.home import cache_home, lent
from animeid.data.cache.segments import CacheUnusable
from animeid.data.prepare import prepare
from animeid.data.settings import DataSettings
from animeid.diagnostics import advice, report
from animeid.diagnostics.choices import plan_without_data, why_precision
from animeid.diagnostics.glyphs import SAMPLES, missing_glyphs
from animeid.diagnostics.hardware import look_at_hardware
from animeid.diagnostics.network import ask_servers
from animeid.diagnostics.pictures import look_at_pictures
from animeid.diagnostics.text import tell
from animeid.engine.callbacks.history import History
from animeid.engine.devices import choose_accelerator
from animeid.engine.precision import processor_trials, try_precisions
from animeid.engine.threads import own_threads, take_free_threads
from animeid.recipe.choice import table
from animeid.recipe.choose import choose
from animeid.recipe.timing import expected_time
from animeid.recipe.weights import initial_weights
from animeid.runs.folder import RunFolder
from animeid.system.console import say
from animeid.system.load import Moment
from animeid.terms import SPLITS
from animeid.training.fitting import callbacks_of
from animeid.training.refit import check_has_val, refuse_following


@own_threads()
def examine(request: dict[str, Any], todo: Sequence[str] = ()) -> None:
    """Tells what training by `request` would find and choose, and what to do, `todo` first.

    Raises:
        InputError: training would refuse it.
    """
    began = Moment.now()
    accelerator = choose_accelerator(request["trainer"]["accelerator"])
    threads = take_free_threads(began)
    hardware = look_at_hardware()
    tell(report.hardware_lines(hardware, threads))
    tell(report.precision_lines(processor_trials() if accelerator == "cpu" else try_precisions(accelerator)))
    network = ask_servers()
    tell(report.server_lines(network, missing_glyphs()))
    if request["effort"]:
        say(gateway.build(request["effort"], "effort").told)
    todo = [*todo, *advice.about_machine(hardware, accelerator)]
    if request["data"]["root"] is None:
        plan, weights = plan_without_data(request, accelerator), initial_weights(request, network.hub)
        todo += advice.about_weights(weights)
        tell(report.choice_lines(request, plan, weights, why_precision(plan), has_data=False))
    else:
        todo += examine_pictures(request, accelerator, network.hub)
    tell(report.advice_lines(todo))


def examine_pictures(request: dict[str, Any], accelerator: str, hub: str | None) -> list[str]:
    """The same for the pictures; returns what to do. The cache is read, and nothing is left in it.

    Args:
        hub: why the hub cannot be used; None where it can.
    """
    cache = request["data"].get("cache", DataSettings.cache)
    if cache == "off":
        return _examine(request, accelerator, hub)
    with lent(cache_home(cache)) as folder:
        return _examine({**request, "data": {**request["data"], "cache": str(folder)}}, accelerator, hub)


def _examine(request: dict[str, Any], accelerator: str, hub: str | None) -> list[str]:
    if request["resume"] == "never":
        RunFolder.reserve(request["run_id"])  # refuses what training would refuse
    earlier = earlier_run(request)
    for note in earlier.told_of_pictures(request) if earlier else ():
        say(note)
    settings = gateway.build(request["data"], "data")
    began = time.perf_counter()
    prepared = prepare(settings)
    reading_s = time.perf_counter() - began
    pictures = look_at_pictures(prepared, settings)
    tell(["", *pictures.notes] if pictures.notes else [])
    tell(report.picture_lines(pictures))
    chosen = choose(request, prepared, accelerator)
    weights = initial_weights(chosen.request, hub)
    plan = make_plan(_without_download(chosen.request), prepared, accelerator)
    try:
        built = build(plan, prepared)
    except CacheUnusable:  # there is no room for what is removed again
        built = build(plan.having(data={"cache": "off"}), prepared)
    tell(report.choice_lines(request, built.plan, weights, why_precision(built.plan), has_data=True))
    tell(["", table(chosen.choices)] if chosen.choices else [])
    if request["data"]["refit"] is True:
        check_has_val(prepared)
        refuse_following(built)
    with tempfile.TemporaryDirectory() as nowhere:
        folder = RunFolder(Path(nowhere))
        callbacks_of(built, folder, History(folder.history), has_logger=False)
    say("\nmeasuring some steps of training ...")
    tell(report.time_lines(expected_time(built, SPLITS), reading_s))
    missing = missing_glyphs([*SAMPLES, *prepared.labels])
    unwritten = [f"the fonts of pictures have no glyph for {missing}: these show as boxes"] if missing else []
    about_pictures = advice.about_pictures(pictures, as_size(built.plan.data.image_size))
    return [*advice.about_weights(weights), *about_pictures, *unwritten]


def _without_download(request: Mapping[str, Any]) -> dict[str, Any]:
    """A request whose model starts from random weights instead of published ones: its steps take as long."""
    return {**request, "model": {**request["model"], "pretrained": False}}
