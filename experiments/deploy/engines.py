"""The time of one picture by each engine of an artefact, beside eager PyTorch as people write it."""

from __future__ import annotations

import statistics
import time
from functools import partial
from pathlib import Path

import numpy as np
import timm
import torch

from animeid.artefacts.artefact import Artefact
from animeid.artefacts.calls import Calls
from animeid.artefacts.pace import Pace
from animeid.deploy.compare.timing import Times, measure
from experiments.deploy.runtime import command

GOALS = {"mobilenetv2": 6.0, "efficientnet_b0": 4.4, "efficientnet_lite0": 6.0}
"""How many times as fast as eager PyTorch the best engine is to be."""
MODELS = (*GOALS, "resnet18")
EXPORT_GOAL_S = {"mobilenetv2": 180.0}
EAGER = "eager PyTorch"
HEADER = ["model", "engine", "ms a picture", "rounds", "times eager", "wanted", "export with compress=true, s"]
ROUNDS, SECONDS = 5, 1.0
MOST_SPREAD = 0.2
"""Of the medians of rounds, as a share of their median; beyond it something else took the cores."""
KIND = "one picture"


def rows(model: str, folder: Path, threads: int) -> list[list[str]]:
    """`HEADER` of a run's network, whose folder below `outputs` is the model's name."""
    began = time.perf_counter()
    command("animeid.export", f"run=outputs/{model}", f"output={model}", "compress=true", folder=folder)
    took = time.perf_counter() - began
    artefact = Artefact.load(folder / model)
    picture = np.random.default_rng(0).integers(0, 256, (1, *artefact.input.size, 3), np.uint8)
    calls = {
        f"{engine.name}, {engine.precision}": Calls.open(artefact, engine, Pace(threads, 1))
        for engine in artefact.engines
    }
    eager = partial(_answer, _as_people_write_it(folder / model, threads), artefact.input.size)
    works = {EAGER: eager, **{name: partial(call, picture) for name, call in calls.items()}}
    found = measure([{KIND: work} for work in works.values()], ROUNDS, SECONDS)
    times = dict(zip(works, (one[KIND] for one in found), strict=True))
    best = min(calls, key=lambda name: times[name].median.value)
    return [_row(model, name, one, times[EAGER], name == best, took) for name, one in times.items()]


def _row(model: str, name: str, own: Times, eager: Times, is_best: bool, took: float) -> list[str]:
    low, high = (1e3 * end for end in own.median.ends)
    ratio = statistics.median(eager.medians / own.medians)
    goal = GOALS.get(model)
    wanted = f"{goal:g}: {_verdict(ratio >= goal, own, eager)}" if is_best and goal else ""
    export = ""
    if is_best:
        most = EXPORT_GOAL_S.get(model)
        export = f"{took:.0f}" + (f" (at most {most:.0f}: {'yes' if took <= most else 'no'})" if most else "")
    return [model, name, f"{1e3 * own.median.value:.1f}", f"{low:.1f} to {high:.1f}", f"{ratio:.1f}", wanted, export]


def _verdict(met: bool, *times: Times) -> str:
    if max(one.spread for one in times) > MOST_SPREAD:
        return "rounds differ too much to tell"
    return "yes" if met else "no"


def _as_people_write_it(artefact: Path, threads: int) -> torch.nn.Module:
    torch.set_num_threads(threads)
    return timm.create_model(f"local-dir:{artefact}", pretrained=True).eval()


def _answer(model: torch.nn.Module, size: tuple[int, int]) -> torch.Tensor:
    with torch.no_grad():
        return model(torch.zeros(1, 3, *size))
