"""Labels of another scale are said, or mapped where the scale is named; no recogniser is made for it."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.cross.scale import Scale, Scales, far_apart, label_range_of
from pipeline.cross.scores import Predicted
from pipeline.cross.wording import mapped_sentence, scale_sentences

LEARNT = (-0.62, 0.76)


@pytest.mark.parametrize("scale", [Scale(0, 1), Scale(1, 7), Scale(-100, 100), Scale(-1, 1)])
def test_ends_and_middle_go_to_ends_and_middle(scale):
    middle = (scale.low + scale.high) / 2
    values = {"a": np.array([scale.low, middle, np.nan, scale.high]), "b": np.array([middle])}
    mapped = Scales(scale).mapped(values, "podcasts")
    np.testing.assert_allclose(mapped["a"], [-1, 0, np.nan, 1])
    np.testing.assert_allclose(mapped["b"], [0])
    back = Scales(Scale(-1, 1), scale).mapped(mapped, "podcasts")
    np.testing.assert_allclose(back["a"], values["a"])


def test_labels_beyond_their_scale_are_refused():
    with pytest.raises(ValueError, match=r"podcasts: labels lie between -0\.5 and 3, beyond --scale 1 7"):
        Scales(Scale(1, 7)).mapped({"a": np.array([-0.5, 3.0])}, "podcasts")
    Scales(Scale(1, 7)).mapped({"a": np.array([1 - 1e-9, np.nan])}, "podcasts")  # written as decimals
    Scales(Scale(1, 7)).mapped({"a": np.array([np.nan])}, "podcasts")


def test_a_scale_of_the_recogniser_must_hold_its_labels():
    Scales(Scale(1, 7)).require(LEARNT, "own.arousal")
    Scales(Scale(1, 7)).require(None, "own.arousal")
    with pytest.raises(
        ValueError, match=r"own.arousal learnt from .*-0\.62 and 0\.76, beyond --trained-scale 0 1"
    ):
        Scales(Scale(1, 7), Scale(0, 1)).require(LEARNT, "own.arousal")


@pytest.mark.parametrize("scale", [Scale(7, 1), Scale(1, 1), Scale(0, float("inf")), Scale(float("nan"), 1)])
def test_what_is_no_scale_is_refused(scale):
    with pytest.raises(ValueError, match=r"--scale .*: expected the lower end first"):
        Scales(scale).require(None, "own.arousal")
    with pytest.raises(ValueError, match=r"--trained-scale .*: expected the lower end first"):
        Scales(Scale(1, 7), scale).require(None, "own.arousal")


@pytest.mark.parametrize("found", [(0.1, 0.95), (1.2, 6.5), (-62.0, 76.0), (3.0, 3.0)])
def test_labels_of_another_scale_are_far_apart(found):
    assert far_apart(found, LEARNT)


@pytest.mark.parametrize("found", [LEARNT, (-0.4, 0.5), (-0.95, 0.9), (-0.1, 0.76)])
def test_labels_that_use_less_or_more_of_a_scale_are_not(found):
    assert not far_apart(found, LEARNT)


def sentences(gold, label_range=LEARNT, mapped=False):
    grid = SimpleNamespace(grid=SimpleNamespace(hop=0.2))
    recogniser = SimpleNamespace(
        description=SimpleNamespace(label_range=label_range),
        corpus=grid,
        models=SimpleNamespace(about={"delay_frames": 0}),
    )
    training = SimpleNamespace(label_table=SimpleNamespace(is_file=lambda: False))
    corpus = SimpleNamespace(labels=SimpleNamespace(annotation_delay=0.0))
    gold = np.asarray(gold, np.float64)
    found = [Predicted("a", np.zeros(len(gold)), gold)]
    return scale_sentences(found, training, recogniser, corpus, "podcasts", mapped)


def test_it_is_said_where_scales_are_perhaps_not_the_same():
    said = sentences([2.0, np.nan, 6.0])
    assert any(
        "labels of podcasts lie between 2 and 6, those that the recogniser learnt from between -0.62 and 0.76"
        in own and "--scale LOW HIGH" in own
        for own in said
    )  # fmt: skip
    for own in (sentences([-0.5, 0.7]), sentences([2.0, 6.0], None), sentences([2.0, 6.0], mapped=True)):
        assert not any("--scale" in sentence for sentence in own)


def test_what_was_mapped_is_said():
    said = mapped_sentence("podcasts", Scales(Scale(1, 7)))
    assert said == "labels of podcasts are mapped from its scale of 1 to 7 to that of the recogniser, -1 to 1"
    assert label_range_of({}) is None
