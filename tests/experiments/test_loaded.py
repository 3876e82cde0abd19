"""Pages of trainings from loaded weights: what is paired with what."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from experiments.loaded import further, longer, untried
from experiments.loaded.further import SHORT, TECHNIQUES, Length, Technique
from experiments.loaded.peer import AUTO, LOW, RANDOM, RATES, Compared, rows_of, seeds_of
from experiments.loaded.study import Run


@pytest.fixture
def reached(monkeypatch: pytest.MonkeyPatch) -> dict[str, float]:
    """f1_macro of finished runs, by name."""
    found: dict[str, float] = {}
    monkeypatch.setattr(Run, "f1_macro", property(lambda run: found[run.name]))
    return found


def runs(name: str, seeds: dict[str, int]) -> dict[str, list[Run]]:
    return {of: [Run(name, of, seed, Path(), (), 1) for seed in range(1, n + 1)] for of, n in seeds.items()}


def test_a_technique_is_compared_on_the_same_sets_with_the_same_seeds(reached: dict[str, float]) -> None:
    base, other = runs(SHORT.base, {"noto": 2, "few": 1, "groups": 1}), runs("short_smoothing", {"noto": 1, "few": 1})
    reached |= {"loaded-noto-short-1": 0.5, "loaded-noto-short-2": 0.9, "loaded-few-short-1": 0.4}
    reached |= {"loaded-noto-short_smoothing-1": 0.52, "loaded-few-short_smoothing-1": 0.41}
    assert further.gains(other, base) == pytest.approx([0.02, 0.01])
    _, noto, few, groups, gained = further.row(TECHNIQUES["short_smoothing"], other, base)
    assert (noto, few, groups) == ("52.0", "41.0", "–")
    assert gained.startswith("+1.5 ")


@pytest.mark.parametrize(
    ("techniques", "length"),
    [(TECHNIQUES, SHORT), (untried.TECHNIQUES, SHORT), (longer.TECHNIQUES, longer.LONG)],
)
def test_the_base_has_every_set_and_seed_that_a_technique_is_compared_on(
    techniques: Mapping[str, Technique], length: Length
) -> None:
    base = techniques[length.base].seeds
    assert base.keys() == length.epochs.keys() == length.sides.keys()
    for one in techniques.values():
        assert all(seeds <= base[of] for of, seeds in one.seeds.items())


def test_a_rate_with_one_seed_is_no_partner_of_gains() -> None:
    compared = Compared("pictures", (), 10, gain=10)
    auto, low, high = rows_of(compared, {AUTO: [0.5, 0.6], LOW: [0.2], RATES[1]: [0.3, 0.3]})
    assert auto[4].startswith("+25.0 ")
    assert auto[6] == "+10 points: yes"
    assert (low[3], low[4], high[5]) == ("20.0", "–", "1.00")


def test_one_seed_from_random_weights_is_paired_with_the_first_one_of_the_peer() -> None:
    compared = Compared("pictures", (), 10, random_times=3)
    found = {AUTO: [0.5, 0.6], LOW: [0.2], RATES[1]: [0.3, 0.5], RANDOM: [0.45]}
    *_, random = rows_of(compared, found)
    assert random[3:6] == ["45.0", "+15.0", "1.50"]


def test_sets_have_as_many_seeds_as_is_said() -> None:
    assert seeds_of(["groups", "noto"], "2") == {"groups": (1, 2), "noto": (1, 2)}
    assert seeds_of(["groups", "noto"], "3,1") == {"groups": (1, 2, 3), "noto": (1,)}
    with pytest.raises(ValueError):
        seeds_of(["groups", "noto", "cast"], "3,1")
