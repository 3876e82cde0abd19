"""What may be pruned, and when a pruned network counts as faster."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from animeid.assembly.pruning import Pace, check_prunable
from animeid.assembly.transfer import Earlier
from animeid.data.prepare import Prepared
from animeid.errors import InputError
from animeid.models.backbone import TimmBackbone
from animeid.models.classifier import Classifier
from animeid.models.heads.linear import LinearHead
from animeid.models.heads.squeeze_excitation import SqueezeExcitationHead
from animeid.runs.folder import RunFolder


@pytest.mark.parametrize(
    ("before", "after", "won"),
    [
        (([2, 2, 9], [4, 4, 4]), ([1, 1, 1], [3, 9, 3]), 2),  # by the median of a round
        (([2], [4]), ([1], [4]), 1),  # as fast is not faster
        (([4], [2]), ([3], [3]), 1),  # what slows one round for both says nothing of another
    ],
)
def test_rounds_are_won_by_their_medians(
    before: Sequence[Sequence[float]], after: Sequence[Sequence[float]], won: int
) -> None:
    pace = Pace([np.array(one) for one in before], [np.array(one) for one in after])
    assert pace.rounds_won == won


def test_times_are_told_in_milliseconds() -> None:
    found = Pace([np.array([0.002, 0.004, 0.003])], [np.array([0.001])]).as_facts()
    assert found["latency_ms"] == pytest.approx({"before": 3.0, "after": 1.0})
    assert found["rounds_ms"] == {"before": pytest.approx([3.0]), "after": pytest.approx([1.0])}


def model(prepared: Prepared, *, is_tapped: bool = False) -> Classifier:
    backbone = TimmBackbone("test_resnet", (32, 32), pretrained=False)
    classes, features = len(prepared.labels), backbone.num_features
    if is_tapped:
        return Classifier(backbone, SqueezeExcitationHead(features, classes, backbone.tap_channels))
    return Classifier(backbone, LinearHead(features, classes))


def earlier(labels: tuple[str, ...]) -> Earlier:
    return Earlier(RunFolder(Path("outputs/whole")), labels, "all")


def test_a_run_of_the_same_classes_with_a_head_on_the_embedding_is_pruned(prepared: Prepared) -> None:
    check_prunable(earlier(prepared.labels), model(prepared), prepared)


def test_what_cannot_be_judged_or_hangs_on_feature_maps_is_refused(prepared: Prepared) -> None:
    with pytest.raises(InputError, match="outputs/whole has other classes than this data"):
        check_prunable(earlier(("a", "b")), model(prepared), prepared)
    with pytest.raises(InputError, match="a SqueezeExcitationHead reads feature maps, whose channels"):
        check_prunable(earlier(prepared.labels), model(prepared, is_tapped=True), prepared)
    table = prepared.manifest.table
    only = replace(prepared.manifest, table=table[table["split"] == "train"])
    with pytest.raises(InputError, match="what pruning loses is judged on val, which the data has not"):
        check_prunable(earlier(prepared.labels), model(prepared), replace(prepared, manifest=only))
