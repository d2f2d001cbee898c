"""Networks of the user's in params.yaml: what is missing or does not fit together is said with its key."""

import pytest
from pydantic import ValidationError

from pipeline.params import Audio, Embedding
from pipeline.params.features import OnnxFace, OnnxWaveform

SOUND = {"file": "a.onnx", "output": "y", "emotion_trained": False, "standardise": True}
FACE = {
    "file": "a.onnx", "output": "y", "emotion_trained": True, "side": 224, "mean": [123.7, 116.3, 103.5],
    "scale": [58.4, 57.1, 57.4], "colour": "rgb",
}  # fmt: skip
AUDIO = {
    "feature_set": "eGeMAPSv02",
    "level": "functionals",
    "sampling_rate_hz": 16000,
    "max_failed_share": 0,
}
EMBEDDING = {"network": "mtcnn_onet", "activation": "post_relu", "weights": None, "margin": 0.0}


def test_the_defaults_are_opensmile_and_no_network_of_the_users():
    assert (Audio(**AUDIO).network, Audio(**AUDIO).onnx) == ("opensmile", None)
    assert (Embedding(**EMBEDDING).fer.output, Embedding(**EMBEDDING).onnx) == ("map", None)
    sound, face = OnnxWaveform(**SOUND), OnnxFace(**FACE)
    assert (sound.windows, sound.piece, face.layout) == ("each", 20.0, "nchw")


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"network": "onnx"}, "onnx: found null, expected the file of a network for network onnx"),
        (
            {"network": "onnx", "onnx": SOUND, "sampling_rate_hz": "native"},
            "sampling_rate_hz: found native, expected the rate that the network was made for",
        ),
        ({"onnx": SOUND | {"piece": 0}}, "onnx.piece"),
        ({"onnx": {k: v for k, v in SOUND.items() if k != "emotion_trained"}}, "emotion_trained"),
    ],
)
def test_a_network_for_sound_that_cannot_be_used_is_refused(changed, sentence):
    with pytest.raises(ValidationError, match=sentence):
        Audio(**AUDIO | changed)


@pytest.mark.parametrize(
    ("changed", "sentence"),
    [
        ({"network": "onnx"}, "onnx: found null, expected the file of a network for network onnx"),
        ({"network": "fer"}, "weights: found null, expected the path of the ONNX file that `emobed weights"),
        ({"network": "onnx", "onnx": FACE, "weights": "a"}, "weights: found 'a', expected null"),
        (
            {"onnx": FACE | {"colour": "grey"}},
            r"mean: found \[123.7, .*, expected one number for colour grey",
        ),
        ({"onnx": FACE | {"scale": [1.0, 2.0]}}, r"scale: found \[1.0, 2.0\], expected one number, or three"),
        ({"onnx": FACE | {"scale": [0.0]}}, "greater than 0"),
    ],
)
def test_a_network_for_faces_that_cannot_be_used_is_refused(changed, sentence):
    with pytest.raises(ValidationError, match=sentence):
        Embedding(**EMBEDDING | changed)


def test_what_opensmiles_set_cannot_do_is_no_matter_for_a_network(params):
    raw = params.corpora["demo_sessions"].model_dump()
    raw["audio"] |= {"feature_set": "emobase"}
    with pytest.raises(ValidationError, match="emobase has functionals of whole recordings only"):
        type(params.corpora["demo_sessions"]).model_validate(raw)
    raw["audio"] |= {"network": "onnx", "onnx": SOUND}
    type(params.corpora["demo_sessions"]).model_validate(raw)


def test_the_movements_of_one_face_are_not_those_of_all(params):
    raw = params.corpora["demo_sessions"].model_dump()
    raw["video"]["faces"]["keep"] = "all"
    type(params.corpora["demo_sessions"]).model_validate(raw)
    raw["video"]["embedding"]["network"] = "landmarks"
    with pytest.raises(
        ValidationError, match=r"faces.keep: found all, expected largest or followed for network land"
    ):
        type(params.corpora["demo_sessions"]).model_validate(raw)
