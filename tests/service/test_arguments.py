"""Arguments of the service are read without Hydra, and mean what its card says."""

from __future__ import annotations

from dataclasses import fields

import pytest

from animeid import serve
from animeid.config.locate import conf_dir
from animeid.errors import InputError
from animeid.service import start
from animeid.service.arguments import KINDS, artefacts_of, request_of
from animeid.service.requests import ServeRequest
from animeid.system.files import read_yaml


def test_keys_begin_with_the_values_of_the_card() -> None:
    card = read_yaml(conf_dir() / "serve.yaml")
    keys = {key: value for key, value in card.items() if key not in ("defaults", "hydra")}
    assert keys == {field.name: field.default for field in fields(ServeRequest)}
    assert set(KINDS) == set(keys)


def test_values_are_read() -> None:
    found = request_of(["artefact='a b'", "port=0", "queue=7", "max_pixels=1000", "cache_minutes=0.5"])
    expected = ServeRequest(artefact="a b", port=0, queue=7, max_pixels=1000, cache_minutes=0.5)
    assert found == expected
    assert artefacts_of("a b") == {"default": "a b"}
    assert artefacts_of("one=x,two=y") == {"default": "x", "one": "x", "two": "y"}
    assert artefacts_of("one=x,default=hub:A/B") == {"one": "x", "default": "hub:A/B"}


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ([], "artefact is not given: write artefact=..., or see --help"),
        (["artefact="], "artefact must be an artefact's folder, or several with names and commas"),
        (["artefact=a,b"], "default twice"),
        (["artefact=a=x,a=y"], "says a twice: give each artefact a name of its own"),
        (["artefact=a/b=x"], "'a/b=x' is none"),
        (["artefact=a", "prot=1"], "the service has no key 'prot'; did you mean 'port'?"),
        (["artefact=a", "port=-1"], "port must be a whole number of at least 0 and at most 65535, not -1"),
        (["artefact=a", "port=1.5"], "port must be a whole number"),
        (["artefact=a", "workers=0"], "workers must be a whole number of at least 1, not 0"),
        (["artefact=a", "deadline_seconds=inf"], "deadline_seconds must be a number above 0, not inf"),
        (["artefact=a", "rate=5"], "rate limits the requests of each key: add keys=FILE"),
        (["keys=k", "artefact=a", "new_key=b"], "need keys=FILE alone"),
        (["new_key=b"], "need keys=FILE alone"),
        (["keys=k", "new_key=b", "new_admin_key=c"], "give one of them"),
        (["artefact=a", "keys=~nobody_of_this_name/k"], "begins with a user that is not known here"),
        (["artefact=a", "--reload"], "'--reload' cannot be read: write key=value alone, such as port=8000"),
    ],
)
def test_bad_arguments_are_refused(arguments: list[str], sentence: str, capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(InputError) as refused:
        request_of(arguments)
    assert sentence in str(refused.value)
    assert serve.main(arguments) == 2
    said = capsys.readouterr().err
    assert said.startswith("animeid: error: ") and said.count("\n") == 1


def test_help_names_every_key(capsys: pytest.CaptureFixture[str]) -> None:
    assert serve.main(["--help"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [key for key in KINDS if not any(line.startswith(f"  {key} ") for line in lines)] == []


def test_what_is_missing_is_named_first(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(start, "NEEDED", ("fastapi", "no_such_package"))
    assert serve.main(["artefact=a"]) == 2
    assert "serving needs no_such_package: pip install 'animeid[serve]'" in capsys.readouterr().err
