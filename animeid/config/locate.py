"""The folder of cards: inside the package when it was installed, beside it in a checkout."""

from __future__ import annotations

from pathlib import Path

from animeid.errors import InputError

PACKAGE = Path(__file__).resolve().parents[1]


def conf_dir(package: Path = PACKAGE) -> Path:
    """The absolute path of the folder that holds `train.yaml` and the groups of cards.

    Raises:
        InputError: the package was installed without its cards.
    """
    for folder in (package / "conf", package.parent / "conf"):
        if (folder / "train.yaml").is_file():
            return folder
    raise InputError(
        f"the configuration cards are neither in {package / 'conf'} nor in {package.parent / 'conf'}: "
        "install animeid again, or work in a whole checkout"
    )


def groups(*folders: Path) -> dict[str, list[str]]:
    """The cards of each group in one or several configuration folders: `{"loss": ["cross_entropy", "focal"], ...}`."""
    found: dict[str, set[str]] = {}
    for folder in folders:
        for card in folder.rglob("*.yaml"):
            group = card.parent.relative_to(folder).as_posix()
            if group != ".":
                found.setdefault(group, set()).add(card.stem)
    return {group: sorted(cards) for group, cards in sorted(found.items())}
