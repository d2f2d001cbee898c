"""The methods paragraph says which network made the features."""

from types import SimpleNamespace

from pipeline.params.features import OnnxFace, OnnxWaveform
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
