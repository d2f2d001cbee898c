"""A recogniser of which some classes were never shown says so. Some 3 s."""

from __future__ import annotations

import json

from stages.align_labels import align_labels
from stages.evaluate import evaluate
from stages.export import export
from stages.postprocess import postprocess
from stages.read_features import read_features
from stages.register import register
from stages.train import train
from tests.own_tables import OwnTables, clips


def test_the_card_names_what_was_never_learned_and_what_rarely(tmp_path):
    def change(own):
        own["scenarios"] = ["text+bio"]
        own["export"] = {"system": "emotion_words"}
        own["learning"]["systems"] = ["emotion_words"]
        own["learning"]["emotion_words"] = {
            "vectors": "pad", "hidden": {"text": 4, "bio": 4}, "epochs": 2, "zero_shot": ["fear"],
            "few_shot": {"anger": 0.25},
        }  # fmt: skip

    own = OwnTables(tmp_path, change=change)
    own.write(*clips(["anger", "fear", "happy", "sad"] * 6, ["train"] * 16 + ["dev"] * 4 + ["test"] * 4))
    own.run(register, read_features, align_labels, train, postprocess, evaluate)
    own.paths.rendered.write_text(json.dumps({"rendered": False}))
    own.run(export)
    card = (own.paths.recognisers / "text+bio.emotion/MODEL_CARD.md").read_text()
    assert "**Nothing was learned of fear**" in card
    assert "it was given 25 % of those with anger" in card
    assert "What it says of fear nobody taught it" in card
