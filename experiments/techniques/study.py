"""Study of techniques: `python -m experiments.techniques.study [emoji_cast=FOLDER] [epochs=N]`.

Writes its own page, the table in `docs/techniques.md` and the `Expected` line of each card.

2 cores, about 1.5 minutes a row and set at 10 epochs. Each `experiment=` card is trained on the built-in cast and on
emoji_cast by its grouped split, beside the defaults; one seed, so that differences within the intervals are noise.
"""

from __future__ import annotations

import re
import sys
from pathlib import Path

from experiments.runs import (
    OUTPUTS,
    environment_line,
    metrics,
    percent,
    put_expected,
    table,
    train,
    write_between,
)

HERE = Path(__file__).parent
CARDS = HERE.parents[1] / "conf" / "experiment"
WHOLE = re.compile(r"override /model|^  - v", re.MULTILINE)
"""What a complete recipe says, network and all."""


def purpose(card: Path) -> str:
    """The line below the package, which says what the card does and when to use it."""
    return card.read_text(encoding="utf-8").splitlines()[1].removeprefix("# ")


def cards() -> list[Path]:
    """The cards that show techniques on the default network."""
    return sorted(card for card in CARDS.glob("*.yaml") if not WHOLE.search(card.read_text(encoding="utf-8")))


def write_expected(card: Path, found: dict, epochs: int) -> None:
    """Puts what was measured at the top of the card."""
    put_expected(
        card,
        f"val f1_macro {100 * found['val']['f1_macro']:.1f} % on the built-in cast after {epochs} epochs, trained in "
        f"{found['cost']['train_s']:.0f} s on 2 cores.",
    )


def gain(folder: Path, base: Path) -> str:
    """Points of validation f1_macro over the defaults."""
    found, default = metrics(folder), metrics(base)
    return f"{100 * (found['val']['f1_macro'] - default['val']['f1_macro']):+.1f}"


def times(folder: Path, base: Path) -> str:
    """Training time as a multiple of the defaults'."""
    return f"{metrics(folder)['cost']['train_s'] / metrics(base)['cost']['train_s']:.2f}"


def row(name: str, folder: Path, base: Path) -> list[str]:
    found = metrics(folder)
    test = [percent(found["test"], figure) for figure in ("f1_macro", "acc_macro", "few/acc_macro")]
    return [name, percent(found["val"], "f1_macro"), gain(folder, base), *test, times(folder, base)]


def overview(folders: dict[str, dict[str, Path]]) -> str:
    """The table of `docs/techniques.md`: a row a card, gain and cost on each set."""
    header = ["card", "what it does, and when to use it", *(f"{name}: gain, time" for name in folders)]
    rows = []
    for card in cards():
        cells = [
            f"{gain(runs[card.stem], runs['defaults'])}, × {times(runs[card.stem], runs['defaults'])}"
            for runs in folders.values()
        ]
        rows.append([f"`experiment={card.stem}`", purpose(card), *cells])
    return table(header, rows)


def main() -> None:
    options = dict(argument.split("=", 1) for argument in sys.argv[1:])
    emoji_cast = Path(options.get("emoji_cast", "../shared/emoji_cast")) / "manifest.csv"
    epochs = int(options.get("epochs", "10"))
    sets = {"built-in cast": [], "emoji_cast": [f"data.root={emoji_cast}"]}
    if not emoji_cast.is_file():
        sys.exit(f"{emoji_cast} is not there: say where the pictures are with emoji_cast=FOLDER")
    header = ["card", "val f1_macro", "gain", "test f1_macro", "test acc_macro", "test few", "training time"]
    sections: list[str] = []
    folders: dict[str, dict[str, Path]] = {}
    for set_name, data in sets.items():
        key = set_name.replace(" ", "_")
        common = [*data, f"trainer.max_epochs={epochs}"]
        base = train("techniques", f"{key}-defaults", common)
        rows, folders[set_name] = [row("defaults", base, base)], {"defaults": base}
        for card in cards():
            folder = train("techniques", f"{key}-{card.stem}", [*common, f"experiment={card.stem}"])
            rows.append(row(f"`experiment={card.stem}`", folder, base))
            folders[set_name][card.stem] = folder
            if not data:
                write_expected(card, metrics(folder), epochs)
        sections.append(f"## {set_name}\n\n{table(header, rows)}")
    purposes = table(["card", "what it does, and when to use it"], [[card.stem, purpose(card)] for card in cards()])
    text = f"""# What each technique costs and gains

`python -m experiments.techniques.study` writes this page and the `Expected` line of each card. {epochs} epochs, random
weights, one seed; percent with 95 % intervals from resampling groups; gain in points of validation f1_macro over the
defaults; training time as a multiple of theirs. With one seed a difference inside the intervals says nothing. Test
figures stand beside; nothing was chosen by them.

{environment_line(OUTPUTS / "techniques-built-in_cast-defaults")}

{purposes}

{(chr(10) * 2).join(sections)}
"""
    (HERE / "README.md").write_text(text, encoding="utf-8")
    write_between(HERE.parents[1] / "docs" / "techniques.md", "techniques", overview(folders))
    print(text)


if __name__ == "__main__":
    main()
