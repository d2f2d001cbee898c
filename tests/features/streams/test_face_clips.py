"""Windows of pictures against the stages: a window is what a file with it alone would be."""

from types import SimpleNamespace

import numpy as np
import pytest

from pipeline.features.embeddings.face_network import embed
from pipeline.features.extractor import extractor_of
from pipeline.features.faces.detection import detect
from pipeline.features.media.frames import FramesOnGrid
from pipeline.features.pooling.pooling import pool
from pipeline.recogniser.utterance_sources import FaceClips


@pytest.mark.parametrize(
    ("mode", "keep"), [("exact", "largest"), ("track", "largest"), ("track", "all"), ("exact", "followed")]
)
def test_a_window_is_followed_from_its_own_beginning(clips, params, mode, keep):
    """The clip is shown twice, and once more from its middle on."""
    corpus = params.corpora["demo_clips"]
    faces = corpus.video.faces.model_copy(
        update={"mode": mode, "keep": keep, "min_found_share": 0.0, "frame_rate_hz": 5.0}
    )
    corpus = corpus.model_copy(update={"video": corpus.video.model_copy(update={"faces": faces})})
    path = clips / "face_noface.mov"
    detections = detect(path, faces)
    network = extractor_of("embed_faces", corpus)
    vectors = embed(path, detections, 5.0, network.embedding.margin, network.embedder("cpu"))
    expected = pool(vectors, corpus.video.pooling, corpus.grid)
    length = len(detections) / 5.0
    own = FaceClips(SimpleNamespace(corpus=corpus, device="cpu", name="own"), None, length, 0.2)
    frames = list(FramesOnGrid(path, 5.0))
    for turn in range(2):
        for frame in frames:
            own.push(frame.image, frame.time + turn * length)
    own.finish()
    for number in (0, len(detections)):
        rows = own.rows(number)
        np.testing.assert_array_equal(rows.values, expected.values)
        np.testing.assert_array_equal(rows.valid, expected.valid)
        own.forget(number)
