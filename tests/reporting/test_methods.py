"""The methods paragraph says which network made the features, and what the trained systems use."""

from types import SimpleNamespace

import pytest

from pipeline.catalogue.systems import SYSTEMS
from pipeline.learning.row_learner import RowLearner
from pipeline.learning.systems.learners import learner_of
from pipeline.params.emotion_words import EmotionWords
from pipeline.params.features import OnnxFace, OnnxWaveform
from pipeline.params.learning import Scaling
from pipeline.params.systems import Matched
from pipeline.reporting.methods import methods


def test_networks_of_the_users_are_named_by_file_and_output(params):
    corpus = params.corpora["demo_sessions"].model_copy(update={"scenarios": ()})

    def said(**changed):
        audio = corpus.audio.model_copy(update=changed.get("audio", {}))
        embedding = corpus.video.embedding.model_copy(update=changed.get("embedding", {}))
        video = corpus.video.model_copy(update={"embedding": embedding})
        return " ".join(
            methods(SimpleNamespace(corpus=corpus.model_copy(update={"audio": audio, "video": video})))
        )

    assert "eGeMAPSv02 functionals of windows" in said()
    sound = OnnxWaveform(file="x/w.onnx", output="frames", emotion_trained=False, standardise=True)
    face = OnnxFace(
        file="f.onnx", output="y", side=64, mean=(0,), scale=(1,), colour="rgb", emotion_trained=True
    )
    text = said(audio={"network": "onnx", "onnx": sound}, embedding={"network": "onnx", "onnx": face})
    assert "the output frames of the ONNX network w.onnx, over windows of 4 s" in text
    assert "the output y of the ONNX network f.onnx; mean" in text
    assert "openSMILE" not in text
    assert "seven emotions (fer)" in said(embedding={"network": "fer", "weights": "fer.onnx"})


@pytest.mark.parametrize(
    ("systems", "changes", "there", "absent"),
    [
        (["classic"], {}, ["Networks: GRU", "1 − CCC"], ["riplet", "α", "β", "of each modality"]),
        (["classic", "joint"], {}, ["Grid: α (", "of each modality"], ["riplet", "β"]),
        (["classic", "triplet"], {}, ["Grid: β (", "Triplet loss: literal", "Classes of the triplet"], ["α"]),
        (["classic", "emobed"], {}, ["Grid: α (", "β (", "Triplet loss: literal"], []),
        (["classic", "emobed"], {"beta": (0.0,)}, ["Grid: α ("], ["riplet", "β"]),
        (["random_forest", "support_vectors"], {}, ["SVM: C"], ["Adam", "Loss", "GRU", "α", "riplet"]),
        (
            ["classic", "emotion_words"],
            {
                "emotion_words": EmotionWords(
                    vectors="pad", zero_shot=("fear", "sad"), few_shot={"happy": 0.1}
                )
            },
            [
                "LSTM of 300 (text), 200 (audio) and 100 (video) units",
                "from pleasure, arousal and dominance",
                "Recordings of fear and sad took no part",
                "given 10 % of happy (joint)",
            ],
            [],
        ),
        (
            ["classic", "matched", "matched_apart", "matched_all"],
            {"matched": Matched(sigma=0.5, alpha=(1.0,), beta=(0.1, 1.0))},
            [
                "2 Transformer layers of 64 units, 4 heads each, and 2 convolutions, over the 4 s up to",
                "width 0.5) made small between modalities of a batch and large against recordings of other b",
                "α (reconstruction) of 1, β (matching) of 0.1 and 1.",
                "Not matched: matched with latents that are not matched (β = 0).",
            ],
            ["matched: alpha"],
        ),
        (["classic", "taught"], {}, ["labelled no, similarity 0"], ["labelled 0"]),
        (["classic"], {"loss": "mse"}, ["Loss: mean squared error"], ["CCC over", "limited to"]),
        (["classic"], {"loss": "binary_cross_entropy"}, ["Loss: binary cross-entropy"], []),
        (
            ["classic"],
            {"scaling": Scaling(method="standard", speaker="none", clip=10)},
            ["Features were scaled on train (standard, limited to ±10 standard deviations)."],
            [],
        ),
    ],
)
def test_losses_and_grids_are_those_of_the_systems(params, systems, changes, there, absent):
    corpus = params.corpora["demo_sessions"]
    learning = corpus.learning.model_copy(update={"systems": tuple(systems), **changes})
    text = " ".join(
        methods(
            SimpleNamespace(
                corpus=corpus.model_copy(update={"learning": learning}),
                delay={"seconds": 2.4, "estimated": False},
                folds=(),
                emotion_trained=(),
            )
        )
    )
    assert [part for part in there if part not in text] == []
    assert [part for part in absent if part in text] == []


@pytest.mark.parametrize(
    ("threshold", "said"),
    [
        (0.5, "above .500."),
        (0.3, "above .300."),
        ("dev", "above the threshold with the highest weighted acc"),
    ],
)
def test_above_which_probability_a_label_is_predicted(params, threshold, said):
    corpus = params.corpora["demo_clips"]
    learning = corpus.learning.model_copy(update={"loss": "binary_cross_entropy", "threshold": threshold})
    corpus = corpus.model_copy(update={"task": "multilabel", "learning": learning})
    inputs = SimpleNamespace(
        corpus=corpus, delay=None, folds=(), emotion_trained=(), class_names=("fear", "joy")
    )
    assert said in " ".join(methods(inputs))


def test_the_table_of_systems_knows_which_are_networks():
    for name, entry in SYSTEMS.items():
        assert entry.network != isinstance(learner_of(name), RowLearner), name
