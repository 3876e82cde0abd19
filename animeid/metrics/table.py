"""The figures of a run as a plain table for the terminal."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from animeid.system.console import align, counted
from animeid.terms import EVALUATED_SPLITS

ROWS = (
    "acc_micro",
    "acc_macro",
    "f1_macro",
    "f1_weighted",
    "top5",
    "many/acc_macro",
    "medium/acc_macro",
    "few/acc_macro",
    "ece",
    "nll",
    "loss",
)
PARTS = tuple(reversed(EVALUATED_SPLITS))
BESIDE = ("baselines", "cost", "refit", "forgetting", "pruning")
"""What `metrics.json` has beside the figures of parts."""
MISSING = "-"
RANKED_BY = "f1_macro"
NOTHING = "no picture was judged: there is neither a val nor a test part"
NOTE = "[95 % interval], from 1,000 resamples of groups; none under 5 groups, or where every resample agrees."


def cell(figures: Mapping[str, Any], name: str) -> str:
    """`0.716 [0.685, 0.747]`, without the interval where there is none."""
    value, interval = figures.get(name), figures.get(f"{name}_ci")
    if value is None:
        return MISSING
    return f"{value:.3f}" + (f" [{interval[0]:.3f}, {interval[1]:.3f}]" if interval else "")


def _count(figures: Mapping[str, Any]) -> str:
    return f"{figures['support']:,} in {counted(figures['groups'], 'group')}"


def _title(name: str) -> str:
    return name.replace("_", " ")


def _part_table(part: str, figures: Mapping[str, Any], baselines: Mapping[str, Mapping[str, Any]]) -> list[str]:
    header = [part, "model", *map(_title, baselines)]
    rows = [["pictures", _count(figures), *("" for _ in baselines)]]
    rows += [
        [name, cell(figures, name), *(cell(baseline, name) for baseline in baselines.values())]
        for name in ROWS
        if figures.get(name) is not None
    ]
    return align([header, *rows])


def _warnings(part: str, figures: Mapping[str, Any], baselines: Mapping[str, Mapping[str, Any]]) -> list[str]:
    """A sentence for each baseline that the model does not beat."""
    own = figures[RANKED_BY]
    return [
        f"On {part} {_unbeaten(own, _title(name), baseline[RANKED_BY])}"
        for name, baseline in baselines.items()
        if own is not None and baseline[RANKED_BY] is not None and own <= baseline[RANKED_BY]
    ]


def _unbeaten(own: float, name: str, baseline: float) -> str:
    """What a baseline of that name means that is as good as the model; no model is better than one without errors."""
    if own == 1:
        return f"the baseline {name} names every picture rightly, too: that the model does says little."
    return (
        f"the model does not beat the baseline {name} ({RANKED_BY} {own:.3f} against {baseline:.3f}): "
        "it has not learnt to tell the classes apart."
    )


def _cost_line(cost: Mapping[str, Any]) -> str:
    earlier = cost.get("earlier_s")
    before = "" if earlier is None else f" after {earlier:.0f} s of the runs that it starts from"
    texts = (
        ("train_s", f"trained in {{:.0f}} s{before}"),
        ("twin_s", "its twin before in {:.0f} s"),
        ("images_per_s", "{:,.0f} images/s"),
        ("peak_mem", "peak memory {:,.0f} MiB"),
        ("params", "{:,} parameters"),
        ("size_mb", "{:.1f} MB"),
        ("latency_ms", "{:.1f} ms a picture"),
    )
    return "cost: " + ", ".join(text.format(cost[name]) for name, text in texts if cost.get(name) is not None)


def refit_line(refit: Mapping[str, Any]) -> str:
    """Whose figures stand under `val`."""
    return (
        f"val: figures of the {refit['val_figures_of']}, which was trained without its {refit['from_val']:,} pictures; "
        f"the model that is kept has learnt from these too, {refit['pictures']:,} in all: no figure of val is its own"
    )


def forgetting_line(part: str, figures: Mapping[str, Mapping[str, Any]]) -> str:
    """What a run that added classes has lost of those that the earlier run knew."""
    before, after = (cell(figures[when], RANKED_BY) for when in ("before", "after"))
    of = f"on the {figures['after']['support']:,} pictures of {part} whose classes the earlier run knew"
    return f"{of}: f1_macro {before} before, {after} after"


def pruning_line(pruning: Mapping[str, Any]) -> str:
    """What pruning saved and lost, and whether it is accepted."""
    saved = "pruned"
    if "parameters" in pruning:
        parameters, times = pruning["parameters"], pruning["latency_ms"]
        saved += (
            f" from {parameters['before'] / 1e6:.2f} to {parameters['after'] / 1e6:.2f} million parameters and from "
            f"{times['before']:.3g} to {times['after']:.3g} ms a picture"
        )
    if "lost" not in pruning:
        return f"{saved}; not accepted: the run that was pruned is gone, so that what was lost cannot be told"
    before, after = (pruning["f1_macro"][when] for when in ("before", "after"))
    ends = pruning["lost_ci"]
    between = "" if ends is None else f" ({0 - 100 * ends[1]:+.1f} to {0 - 100 * ends[0]:+.1f})"
    lost = (
        f"f1_macro on the {counted(pruning['pictures'], 'picture')} of val {before:.3f} before and {after:.3f} after, "
        f"{0 - 100 * pruning['lost']:+.1f} points{between}"
    )
    most = f"{100 * pruning['most_lost']:g} points may be lost"
    return f"{saved}; {lost}: {'accepted' if pruning['accepted'] else f'not accepted, since at most {most}'}"


def summary_table(metrics: Mapping[str, Any]) -> str:
    """The figures of `metrics.json` with intervals, a table a part, beside the baselines, and the cost.

    Args:
        metrics: `val` and `test` where they exist, and where known `baselines` (`{part: {name: figures}}`) and `cost`.

    Returns:
        Lines of plain text; a sentence says so where a baseline is not beaten.
    """
    baselines = metrics.get("baselines") or {}
    parts = [part for part in PARTS if metrics.get(part)]
    parts += [name for name in metrics if name not in (*PARTS, *BESIDE) and metrics[name]]
    lines: list[str] = []
    for part in parts:
        lines += [*_part_table(part, metrics[part], baselines.get(part, {})), ""]
    for part in parts:
        lines += _warnings(part, metrics[part], baselines.get(part, {}))
    lines.append(NOTE if parts else NOTHING)
    if metrics.get("refit"):
        lines.append(refit_line(metrics["refit"]))
    lines += [forgetting_line(part, figures) for part, figures in (metrics.get("forgetting") or {}).items()]
    if metrics.get("pruning"):
        lines.append(pruning_line(metrics["pruning"]))
    if metrics.get("cost"):
        lines.append(_cost_line(metrics["cost"]))
    return "\n".join(lines)
