"""What a table holds, as a unit of the store. No time to speak of."""

from __future__ import annotations

import json

import numpy as np
import pytest

from pipeline.features.imported.contents import Refusal, packed, plain, unpacked
from pipeline.features.media.opening import MediaError
from pipeline.features.medium_times import require_possible

CONTENTS = {"a": None, "b": Refusal("rows fall", by_medium=False), "c": Refusal("too long", by_medium=True)}


def test_a_unit_says_what_was_refused_and_whether_the_medium_matters():
    assert unpacked(packed(CONTENTS)) == CONTENTS
    # what stands in the index of a table is what the unit holds
    assert json.loads(packed(CONTENTS)) == plain(CONTENTS)


def test_a_sentence_alone_of_an_older_unit_may_be_about_the_medium():
    assert unpacked(b'{"a": "", "b": "rows fall"}') == {"a": None, "b": Refusal("rows fall", by_medium=True)}


def test_impossible_times_are_by_the_medium_and_nothing_else_is():
    with pytest.raises(MediaError) as caught:
        require_possible("r", np.array([0.0, 9e4]), np.array([0.0, 9e4]), 10.0)
    assert Refusal.of(caught.value).by_medium
    assert not Refusal.of(MediaError("rows fall, expected seconds")).by_medium
