"""The ladder's README, from the saved predictions of whatever is finished."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from pathlib import Path

from animeid.metrics.paired import Difference
from experiments.long_tail.charts import draw_ladder, draw_shots
from experiments.long_tail.compared import difference, holm
from experiments.long_tail.goals import Rows, goals_table
from experiments.long_tail.outcomes import DERIVED, FIGURES, Outcome, over_seeds
from experiments.long_tail.rows import BASE, TECHNIQUES, Job, Row, rows_on
from experiments.long_tail.sets import Set
from experiments.runs import OUTPUTS, environment_line, put_expected, table

COMPARED = ("f1_macro", "acc_macro")
HEADER = ["row", "seeds", *FIGURES, "smallest class's F1", "spread of F1", "training s", "ms a picture"]


def finished(set_: Set) -> dict[Row, dict[int, Outcome]]:
    """What is done of each row, by seed; only seeds that cross entropy has, which all are compared with."""
    rows = rows_on(set_)
    base = next(row for row in rows if row.name == BASE)
    seeds = [seed for seed in set_.seeds if Job(base, set_, seed).is_done]
    found = {row: [job for seed in seeds if (job := Job(row, set_, seed)).is_done] for row in rows}
    return {row: {job.seed: Outcome.of(job) for job in jobs} for row, jobs in found.items() if jobs}


def cell(values: Sequence[float | None], scale: float = 100.0) -> str:
    """`61.3 ± 2.0`: the mean over seeds and half its 95 % interval."""
    found = over_seeds(values)
    if found is None:
        return "–"
    mean, half = found
    return f"{scale * mean:.1f}" if half is None else f"{scale * mean:.1f} ± {scale * half:.1f}"


def figures_table(rows: Rows) -> str:
    lines = [
        [
            row.label,
            str(len(found)),
            *(cell([outcome.figures[name] for outcome in found.values()]) for name in (*FIGURES, *DERIVED)),
            f"{statistics.median(outcome.seconds for outcome in found.values()):.0f}",
            latency_cell([outcome.latency_ms for outcome in found.values()]),
        ]
        for row, found in sorted(rows.items(), key=lambda item: -mean_of(item[1], "f1_macro"))
    ]
    return table(HEADER, lines)


def latency_cell(values: Sequence[float | None]) -> str:
    known = [value for value in values if value is not None]
    return f"{statistics.median(known):.1f}" if known else "–"


def mean_of(found: Mapping[int, Outcome], figure: str) -> float:
    values = [outcome.figures[figure] for outcome in found.values()]
    return statistics.mean(value for value in values if value is not None)


def against_base(rows: Rows) -> dict[str, dict[Row, tuple[Difference, float | None]]]:
    """Each row's gain over cross entropy in every compared figure, with p corrected for the number of rows."""
    base = next(found for row, found in rows.items() if row.name == BASE)
    result = {}
    for metric in COMPARED:
        found = {
            row: difference(list(outcomes.values()), [base[seed] for seed in outcomes], metric)
            for row, outcomes in rows.items()
            if row.name != BASE
        }
        corrected = holm({row.name: one.p for row, one in found.items()})
        result[metric] = {row: (one, corrected[row.name]) for row, one in found.items()}
    return result


def p_text(p: float | None) -> str:
    if p is None:
        return "p –"
    return f"p {p:.3f}" if p >= 0.001 else "p < 0.001"


def gain_cell(found: tuple[Difference, float | None]) -> str:
    one, p = found
    ends = "" if one.low is None or one.high is None else f" ({100 * one.low:+.1f} to {100 * one.high:+.1f})"
    return f"{100 * one.difference:+.1f}{ends}, {p_text(p)}"


def gains_table(gains: Mapping[str, Mapping[Row, tuple[Difference, float | None]]]) -> str:
    first = gains[COMPARED[0]]
    order = sorted(first, key=lambda row: -first[row][0].difference)
    lines = [[row.label, *(gain_cell(gains[metric][row]) for metric in COMPARED)] for row in order]
    return table(["row", *(f"gain in {metric}" for metric in COMPARED)], lines)


def verdict(gains: Mapping[Row, tuple[Difference, float | None]]) -> str:
    """Which rows help, harm or cannot be told apart, by the corrected p of f1_macro."""
    sure = {row: one for row, (one, p) in gains.items() if p is not None and p < 0.05}
    better = [row.label for row, one in sure.items() if one.difference > 0]
    worse = [row.label for row, one in sure.items() if one.difference < 0]
    rest = [row.label for row in gains if row not in sure]

    def named(labels: Sequence[str]) -> str:
        return ", ".join(labels) if labels else "none"

    return (
        f"By f1_macro and corrected p < 0.05: better than cross entropy are {named(better)}; worse are {named(worse)}; "
        f"not to be told apart are {named(rest)}. That is of these trainings on other pictures of the kind; what other "
        "seeds change is the ± of the table."
    )


def section(set_: Set, folder: Path) -> str:
    """A set's part of the page, with its charts drawn into `folder`."""
    rows = finished(set_)
    if len(rows) < 2:
        return f"## {set_.name}\n\nNothing to compare is finished yet."
    gains, shown = against_base(rows), {row.label: list(found.values()) for row, found in rows.items()}
    base = next(row.label for row in rows if row.name == BASE)
    draw_ladder(shown, base, folder / f"{set_.name}_ladder.png", set_.name)
    draw_shots(shown, folder / f"{set_.name}_shots.png", set_.name)
    short = [
        f"{row.label} ({len(rows.get(row, ()))})" for row in rows_on(set_) if len(rows.get(row, ())) < len(set_.seeds)
    ]
    missing = f"\n\nWith fewer than {len(set_.seeds)} seeds so far: {', '.join(short)}." if short else ""
    whole = {row: found for row, found in gains["f1_macro"].items() if len(rows[row]) == len(set_.seeds)}
    said = f"{verdict(whole)}" if whole else "No row has all its seeds yet."
    commits = sorted({commit for found in rows.values() for one in found.values() for commit in one.commits})
    run = OUTPUTS / f"long_tail-{set_.name}-{BASE}-{set_.seeds[0]}"
    return f"""## {set_.name}

{set_.title[0].upper()}{set_.title[1:]}; {set_.epochs} epochs.
{environment_line(run)} Rows were made at commits {", ".join(commits)}.

{figures_table(rows)}

{gains_table(gains)}

{said}{missing}

{"" if set_.setting else goals_table(rows, len(set_.seeds))}

![ladder]({set_.name}_ladder.png)

![shots]({set_.name}_shots.png)"""


def write_expected(set_: Set, cards: Path, rows: Sequence[Row]) -> None:
    """Puts what rows with all their seeds reached into the cards of versions and techniques."""
    found = {row: outcomes for row, outcomes in finished(set_).items() if len(outcomes) == len(set_.seeds)}
    base = next((outcomes for row, outcomes in found.items() if row.name == BASE), None)
    for row in rows:
        outcomes = found.get(row)
        if outcomes and row.is_version:
            put_expected(cards / f"{row.name}.yaml", expected_of_version(row, outcomes, set_))
        elif outcomes and base and row.name in TECHNIQUES and set_.setting:
            put_expected(cards / f"{row.name}.yaml", expected_of_technique(outcomes, base, set_))


def expected_of_version(row: Row, outcomes: Mapping[int, Outcome], set_: Set) -> str:
    own = [word.format(folds=set_.folds) for word in row.arguments if not word.startswith("experiment=")]
    words = " ".join([*own, *set_.network, f"trainer.max_epochs={set_.epochs}"])
    return (
        f"with {words} test f1_macro {f1_cell(outcomes)} % on {set_.pictures}, {seconds_cell(outcomes)} s on one core."
    )


def expected_of_technique(outcomes: Mapping[int, Outcome], base: Mapping[int, Outcome], set_: Set) -> str:
    words = " ".join([*set_.network, *set_.setting, f"trainer.max_epochs={set_.epochs}"])
    return (
        f"with {words} test f1_macro {f1_cell(outcomes)} % on {set_.pictures}, without it {f1_cell(base)} %; "
        f"{seconds_cell(outcomes)} s on one core."
    )


def f1_cell(outcomes: Mapping[int, Outcome]) -> str:
    return cell([outcome.figures["f1_macro"] for outcome in outcomes.values()])


def seconds_cell(outcomes: Mapping[int, Outcome]) -> str:
    return f"{statistics.median(outcome.seconds for outcome in outcomes.values()):.0f}"


def techniques_table(set_: Set, cards: Path) -> str:
    """A row a card of a technique: what it is for, its gain over cross entropy alone, and its training time."""
    rows = {row: found for row, found in finished(set_).items() if len(found) == len(set_.seeds)}
    gains, seconds = against_base(rows)["f1_macro"], {row.name: float(seconds_cell(one)) for row, one in rows.items()}
    lines = [
        [
            f"`experiment={row.name}`",
            purpose(cards / f"{row.name}.yaml"),
            gain_cell(gain),
            f"{seconds[row.name] / seconds[BASE]:.2f}",
        ]
        for row, gain in gains.items()
        if row.name in TECHNIQUES
    ]
    return table(["card", "what it does, and when to use it", "gain in f1_macro", "times the time"], lines)


def purpose(card: Path) -> str:
    """The line below the package, which says what the card does and when to use it."""
    return card.read_text(encoding="utf-8").splitlines()[1].removeprefix("# ")
