"""Names, types and ranges of nodes."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import pytest
from annotated_types import Ge, Interval

from animeid.config.annotations import PART
from animeid.config.check import Part, accept, check, check_value
from animeid.errors import InputError

TRAINER = "animeid.engine.settings.TrainerSettings"
FOCAL = "animeid.losses.focal.FocalLoss"


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        (1, int),
        (1, float),
        (1.5, float),
        ("1", str),
        (None, int | None),
        ("auto", int | Literal["auto"]),
        (True, bool),
        (0, Annotated[int, Ge(0)]),
        ({"a": 1}, dict[str, int]),
        ("anything", Any),
        (Part(), PART),
        ({"flip": Part()}, dict[str, PART]),
    ],
)
def test_values_of_the_type_pass_unchanged(value: Any, annotation: Any) -> None:
    assert check_value("k", value, annotation) == value


@pytest.mark.parametrize(
    ("value", "annotation"),
    [
        ("abc", float),
        ("1", int),
        ("1.5", float),
        (True, int),
        (1, bool),
        (True, float),
        (1.0, int),
        (1, str),
        (None, int),
        (-1, Annotated[int, Ge(0)]),
        (1.5, Annotated[float, Interval(ge=0, le=1)]),
        (float("nan"), float),
        (float("inf"), float),
        ("fast", Literal["slow"]),
        ([1], int),
        ({"a": "b"}, dict[str, int]),
        (3, PART),
        ("x", PART),
        (Part(), int),
    ],
)
def test_values_of_another_type_are_refused(value: Any, annotation: Any) -> None:
    with pytest.raises(InputError, match=r"^k "):
        check_value("k", value, annotation)


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ({"max_epochs": "abc"}, "trainer.max_epochs must be a whole number of at least 1 or 'auto', not 'abc'"),
        ({"max_epochs": 0}, "trainer.max_epochs must be a whole number of at least 1 or 'auto', not 0"),
        ({"gradient_clip_val": 0}, "trainer.gradient_clip_val must be a number above 0 or null, not 0"),
        ({"deterministic": 1}, "trainer.deterministic must be true or false, not 1"),
        ({"max_epochs": [1, 2]}, "trainer.max_epochs must be a whole number of at least 1 or 'auto', not [1, 2]"),
        (
            {"max_epochs": {"a": True}},
            "trainer.max_epochs must be a whole number of at least 1 or 'auto', not {\"a\": true}",
        ),
        (
            {"precision": "bf16-mixd"},
            (
                "trainer.precision must be 'auto', '32-true', 'bf16-mixed' or '16-mixed', not 'bf16-mixd'; "
                "did you mean 'bf16-mixed'?"
            ),
        ),
    ],
)
def test_the_sentence_names_the_key_what_it_takes_and_what_was_given(values: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError) as error:
        check({"trainer": {"_target_": TRAINER, **values}})
    assert str(error.value) == sentence


def test_lists_become_tuples_where_the_target_takes_tuples() -> None:
    taken = accept("albumentations.RandomResizedCrop", {"size": [60, 80], "p": 1}, "crop", is_partial=False)
    assert taken == {"size": (60, 80), "p": 1.0}


@pytest.mark.parametrize(
    ("node", "sentence"),
    [
        ({"_target_": TRAINER, "max_epoch": 3}, "trainer has no key 'max_epoch'; did you mean 'max_epochs'?"),
        ({"_target_": "animeid.engine.settings.Trainer"}, "there is no animeid.engine.settings.Trainer"),
        ({"_target_": "os.system", "command": "ls"}, "trainer._target_ is 'os.system'; a card can name only"),
        ({"_target_": "animeid_evil.X"}, "a card can name only"),
        ({"_target_": 3}, "trainer._target_ is 3"),
        ({"_target_": TRAINER, "_args_": [1]}, "trainer._args_ means nothing here"),
        ({"_target_": TRAINER, "_partial_": "yes"}, "trainer._partial_ must be true or false"),
        ({"_target_": FOCAL, "gamma": 1.0}, "trainer.stats is not given"),
        ({"_target_": FOCAL, "_partial_": True, "stats": 3}, "trainer.stats is given by the run"),
    ],
)
def test_nodes_that_cannot_be_built(node: dict[str, Any], sentence: str) -> None:
    with pytest.raises(InputError, match=sentence.replace("(", r"\(")):
        check({"trainer": node})


def test_nodes_inside_containers_are_checked_with_their_place() -> None:
    ops = {"flip": {"_target_": "albumentations.HorizontalFlip", "p": "often"}}
    with pytest.raises(InputError, match=r"^augment.ops.flip.p must be a number, not 'often'"):
        check({"augment": {"_target_": "animeid.data.augment.Augmentation", "_partial_": True, "ops": ops}})
    with pytest.raises(InputError, match=r"^list.1.max_epochs"):
        check({"list": [1, {"_target_": TRAINER, "max_epochs": -1}]})


def test_a_node_where_a_number_belongs_is_refused() -> None:
    with pytest.raises(InputError, match=r"trainer.max_epochs must be .* not a part with a _target_"):
        check({"trainer": {"_target_": TRAINER, "max_epochs": {"_target_": TRAINER}}})
