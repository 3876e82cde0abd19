"""Signatures read from source text, without importing it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any, Literal, get_args

import pytest
from annotated_types import Ge

from animeid.config.annotations import PART
from animeid.config.describe import describe_type
from animeid.config.signatures import signature

TOY = """
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
import typing as t
from typing import Annotated, ClassVar, Literal, Optional
from annotated_types import Ge, Interval

import something_that_is_not_installed

Share = Annotated[float, Interval(ge=0, le=1)]
LOW = 3
Auto = Literal["auto"]

try:
    from nowhere import Thing
except ImportError:
    class Thing: ...

@dataclass
class Base:
    first: int
    second: "str" = "x"
    shared: ClassVar[int] = 0

@dataclass(kw_only=True)
class Derived(Base):
    share: Share | None = None
    low: Annotated[int, Ge(LOW)] = 3
    names: tuple[str, ...] = field(default_factory=tuple)
    hidden: int = field(init=False, default=1)
    needed: int = field()

class Plain:
    def __init__(self, thing: Thing, *, size: int | tuple[int, int] | Auto = "auto", ops: Mapping[str, Thing],
                 maker: Callable[[int], int] | None = None, old: Optional[t.List[int]] = None, untyped=1): ...

class Child(Plain):
    pass

class Open:
    def __init__(self, known: int = 1, **others): ...

def factory(a, b: float = 1.0): ...

Alias = Child
"""


@pytest.fixture(scope="module", autouse=True)
def toy(tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A package that would not even import: reading it must not try."""
    folder = tmp_path_factory.mktemp("toy")
    (folder / "toy_package").mkdir()
    (folder / "toy_package" / "__init__.py").write_text("from .inner import *\nraise SystemExit\n")
    (folder / "toy_package" / "inner.py").write_text(TOY)
    sys.path.insert(0, str(folder))
    yield
    sys.path.remove(str(folder))


def words(target: str) -> Mapping[str, str]:
    found = signature(target)
    assert found is not None
    return {name: describe_type(parameter.annotation) for name, parameter in found.parameters.items()}


def required(target: str) -> list[str]:
    found = signature(target)
    assert found is not None
    return [name for name, parameter in found.parameters.items() if parameter.required]


def test_dataclass_fields_of_bases_aliases_and_constants() -> None:
    assert words("toy_package.Derived") == {
        "first": "a whole number",
        "second": "text",
        "share": "a number of at least 0 and at most 1 or null",
        "low": "a whole number of at least 3",
        "names": "a list of values, each text",
        "needed": "a whole number",
    }
    assert required("toy_package.Derived") == ["first", "needed"]


@pytest.mark.parametrize("target", ["toy_package.Plain", "toy_package.Child", "toy_package.inner.Alias"])
def test_init_is_inherited_and_found_through_aliases_and_stars(target: str) -> None:
    assert words(target) == {
        "thing": "Any",
        "size": "a whole number, a list of 2 values, each a whole number or 'auto'",
        "ops": "a mapping of names to values, each Any",
        "maker": "a part with a _target_ of its own or null",
        "old": "a list of values, each a whole number or null",
        "untyped": "Any",
    }
    assert required(target) == ["thing", "ops"]


def test_functions_and_open_signatures() -> None:
    assert list(words("toy_package.factory")) == ["a", "b"]
    assert required("toy_package.factory") == ["a"]
    found = signature("toy_package.Open")
    assert found is not None
    assert found.is_open
    assert list(found.parameters) == ["known"]


@pytest.mark.parametrize(
    "target",
    ["toy_package.Missing", "toy_package.nowhere.Plain", "not_a_package_at_all.X", "toy_package.Plain.run", "X"],
)
def test_what_is_not_there_has_no_signature(target: str) -> None:
    assert signature(target) is None


def test_our_own_settings() -> None:
    found = signature("animeid.engine.settings.TrainerSettings")
    assert found is not None
    union = found.parameters["max_epochs"].annotation
    assert Literal["auto"] in get_args(union)
    assert Ge(1) in get_args(union)[0].__metadata__


def test_an_object_that_only_the_run_has_is_a_part() -> None:
    found = signature("animeid.losses.focal.FocalLoss")
    assert found is not None
    assert found.parameters["stats"].annotation == PART
    assert found.parameters["gamma"].annotation != PART
