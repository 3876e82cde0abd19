"""Options of Hydra, and keys that are written as if they were some."""

from __future__ import annotations

import pytest

from animeid.config.options import options_last, parsed
from animeid.errors import InputError

KEYS = [
    ("--run=outputs/a", "run=outputs/a"),
    ("--multirun=1", "multirun=1"),
    ("-model=small", "model=small"),
    ("-model", "model=..."),
    ("-m=3", "m=3"),
    ("-input=x", "input=x"),
    ("-path=x", "path=x"),
    ("-data.root=x", "data.root=x"),
    ("--multi", "multi=..."),
    ("--lr=3", "lr=3"),
]


@pytest.mark.parametrize(("option", "key"), KEYS)
@pytest.mark.parametrize("others", [[], ["loss=focal", "-m"]])
def test_a_key_with_dashes_is_told_in_a_sentence(option: str, key: str, others: list[str]) -> None:
    with pytest.raises(InputError) as refusal:
        parsed([*others, option])
    assert str(refusal.value) == f"there is no option {option}: keys are written without dashes, {key}; see --help"


def test_a_value_that_an_option_does_not_have_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    for given in (["--cfg", "jib"], ["--package"]):
        with pytest.raises(InputError, match=rf"argument {given[0]}.*: see --hydra-help"):
            parsed(given)
    assert capsys.readouterr().err == ""


def test_options_are_read_as_before() -> None:
    found = parsed(["-m", "--config-dir", "c", "--cfg", "job", "-p", "hydra", "--hydra-help", "~x", "+x=1", "a=-1"])
    assert (found.multirun, found.config_dir, found.cfg, found.package) == (True, "c", "job", "hydra")
    assert found.hydra_help
    assert found.overrides == ["~x", "+x=1", "a=-1"]
    assert parsed(["-cd", "c", "a=1"]).config_dir == parsed(["-cd=c"]).config_dir == "c"
    assert parsed(["-c", "job", "--", "a=1"]).overrides == ["a=1"]
    assert options_last(["-m", "a=1", "--cfg", "job", "b=2"]) == ["a=1", "b=2", "-m", "--cfg", "job"]
