"""Goals of the ladder, beside what it shows."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from dataclasses import replace

from animeid.metrics.paired import Metric
from experiments.long_tail.compared import difference
from experiments.long_tail.outcomes import Outcome
from experiments.long_tail.rows import BASE, Row
from experiments.runs import table

Rows = Mapping[Row, Mapping[int, Outcome]]
AUTO, TIMM = "auto", "timm"
ADJUSTED = ("balanced_softmax", "post_hoc")


def goals_table(rows: Rows, seeds: int) -> str:
    """A line for each goal that the rows with all their seeds can answer, with its measured value; empty without."""
    rows = {row: outcomes for row, outcomes in rows.items() if len(outcomes) == seeds}
    found = {row.name: outcomes for row, outcomes in rows.items()}
    lines = [
        *_against(found, AUTO, BASE, "f1_macro", 6.0),
        *_against(_few(found), AUTO, BASE, "acc_macro", 15.0, "few/acc_macro"),
        *_against(found, AUTO, TIMM, "f1_macro", 15.0),
        *(line for name in ADJUSTED for line in _against(found, name, BASE, "acc_macro", 3.0)),
        *_agreement(found),
        *_best(rows),
        *_median_time(rows),
    ]
    return table(["goal", "measured", "reached"], lines) if lines else ""


def _few(found: Mapping[str, Mapping[int, Outcome]]) -> dict[str, dict[int, Outcome]]:
    """The same, judged on the pictures of the few-shot classes alone."""
    return {
        name: {seed: _only_few(one) for seed, one in outcomes.items() if one.is_few.any()}
        for name, outcomes in found.items()
    }


def _only_few(one: Outcome) -> Outcome:
    kept = {name: getattr(one, name)[one.is_few] for name in ("targets", "groups", "answers", "is_few")}
    return replace(one, **kept)


def _pairs(
    found: Mapping[str, Mapping[int, Outcome]], name: str, base: str
) -> tuple[Sequence[Outcome], Sequence[Outcome]]:
    """Outcomes of two rows, of the seeds that both have."""
    seeds = [seed for seed in found.get(name, {}) if seed in found.get(base, {})]
    return [found[name][seed] for seed in seeds], [found[base][seed] for seed in seeds]


def _measured(one: Sequence[Outcome], other: Sequence[Outcome], metric: Metric) -> tuple[float, str, bool]:
    """The gain in points, as a text with its interval, and whether the interval holds 0."""
    found = difference(one, other, metric)
    gain = 100 * found.difference
    if found.low is None or found.high is None:
        return gain, f"{gain:+.1f}", True
    return gain, f"{gain:+.1f} ({100 * found.low:+.1f} to {100 * found.high:+.1f})", found.low <= 0 <= found.high


def _against(
    found: Mapping[str, Mapping[int, Outcome]], name: str, base: str, metric: Metric, wanted: float, label: str = ""
) -> list[list[str]]:
    ours, theirs = _pairs(found, name, base)
    if not ours:
        return []
    gain, text, _ = _measured(ours, theirs, metric)
    return [[f"{name} over {base} in {label or metric}: {wanted:g} points", text, _word(gain >= wanted)]]


def _agreement(found: Mapping[str, Mapping[int, Outcome]]) -> list[list[str]]:
    ours, theirs = _pairs(found, *ADJUSTED)
    if not ours:
        return []
    _, text, agree = _measured(ours, theirs, "acc_macro")
    return [["adjustment in the loss and post-hoc agree in acc_macro: the interval holds 0", text, _word(agree)]]


def _best(rows: Rows) -> list[list[str]]:
    """`auto` against the highest other row of single models."""
    single = {row.name: found for row, found in rows.items() if row.kind != "folds"}
    others = {name: found for name, found in single.items() if name != AUTO}
    if AUTO not in single or not others:
        return []
    best = max(others, key=lambda name: _mean([one.figures["f1_macro"] for one in others[name].values()]))
    gain, text, tie = _measured(*_pairs(single, AUTO, best), "f1_macro")
    word = _word(gain >= 0) + (", but the interval holds 0" if tie else "")
    return [[f"{AUTO} at or above the best single model, {best}, in f1_macro", text, word]]


def _median_time(rows: Rows) -> list[list[str]]:
    seconds = {row.name: statistics.median(one.seconds for one in found.values()) for row, found in rows.items()}
    if AUTO not in seconds:
        return []
    median = statistics.median(value for name, value in seconds.items() if name != AUTO)
    text = f"{seconds[AUTO]:.0f} s against {median:.0f} s"
    return [[f"{AUTO} in no more than the median training time", text, _word(seconds[AUTO] <= median)]]


def _mean(values: Sequence[float | None]) -> float:
    return statistics.mean(value for value in values if value is not None)


def _word(reached: bool) -> str:
    return "yes" if reached else "no"
