"""The parts of a run's page that tell what it was made of: pictures, code, machine."""

from __future__ import annotations

from typing import Any

from animeid.runs.finished import FinishedRun

LISTED = 25


def data_facts(run: FinishedRun) -> dict[str, Any]:
    """Parts, groups and copies of the manifest, and what was left out of it."""
    table = run.manifest.table
    parts = [
        [part, f"{len(rows):,}", f"{rows['label'].nunique():,}", f"{rows['group'].nunique():,}"]
        for part, rows in table.groupby("split", sort=False)
    ]
    sizes = table.groupby("group").size()
    return {
        "root": str(run.manifest.root),
        "parts": parts,
        "groups": len(sizes),
        "doubled": f"{int((sizes > 1).sum()):,}",
        "largest": f"{int(sizes.max()):,}",
        "exact": int(table["sha256"].duplicated().sum()),
        "skipped": run.skipped.to_dict("records")[:LISTED],
        "skipped_count": len(run.skipped),
        "conflicts": run.conflicts.to_dict("records")[:LISTED],
        "conflicts_count": len(run.conflicts),
    }


def card(run: FinishedRun) -> list[tuple[str, str]]:
    """How the run can be made again."""
    found = run.environment
    code, hardware, seeds = found["code"], found["hardware"], found["seeds"]
    commit = "no commit" if code["commit"] is None else code["commit"] + (" with changes" if code["dirty"] else "")
    taught = run.plan["facts"].get("teacher")
    versions = ", ".join(f"{name} {version}" for name, version in found["packages"].items())
    return [
        ("command", found["command"]),
        ("code", commit),
        ("data", found["data_fingerprint"]),
        *([("taught by", ", ".join(taught["runs"]))] if taught else []),
        ("seeds", ", ".join(f"{name} {value}" for name, value in seeds.items())),
        ("hardware", ", ".join(f"{name.replace('_', ' ')} {value}" for name, value in hardware.items())),
        ("precision", run.plan["trainer"]["precision"]),
        ("versions", f"Python {found['python']}, {versions}"),
    ]
