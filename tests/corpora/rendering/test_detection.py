"""The faces are drawn to be found: MTCNN with the pipeline's defaults."""

import av
import numpy as np
import pytest

from pipeline.corpora.rendering.render import render
from tests.corpora.rendering.conftest import tiny_demo


@pytest.mark.slow
def test_mtcnn_finds_the_face(tmp_path):
    import torch
    from facenet_pytorch import MTCNN

    torch.set_num_threads(1)
    demo = tiny_demo(
        sessions_train=6, sessions_dev=2, sessions_test=2, sessions_duration=12.0, sessions_frame_rate_hz=1.0,
        clips_train=6, clips_dev=2, clips_test=2,
    )  # fmt: skip
    images = []
    for corpus in ("demo_sessions", "demo_clips"):
        render(corpus, tmp_path / corpus, demo, 2)
        for path in sorted((tmp_path / corpus).rglob("*.mp4")):
            with av.open(str(path)) as container:
                images += [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]
    detector = MTCNN(min_face_size=60, thresholds=[0.6, 0.7, 0.7], keep_all=True).eval()
    best = []
    for start in range(0, len(images), 32):
        _, probabilities = detector.detect(np.stack(images[start : start + 32]))
        best += [0.0 if found[0] is None else max(found) for found in probabilities]
    assert len(best) > 240
    assert np.mean(np.array(best) >= 0.9) >= 0.98
