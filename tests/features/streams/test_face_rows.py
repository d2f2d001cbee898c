"""Pictures one by one against the three stages on the file: the same rows."""

import numpy as np
import pytest

from pipeline.features.embeddings.face_network import embed
from pipeline.features.extractor import extractor_of
from pipeline.features.faces.detection import detect
from pipeline.features.media.frames import FramesOnGrid
from pipeline.features.media.opening import MediaError
from pipeline.features.pooling.pooling import fill, pool
from pipeline.features.streams.face_rows import FaceRows, Filled
from pipeline.features.streams.pictures import PicturesOnTicks
from pipeline.features.streams.row_stream import NotStreamedError, WindowMoments
from pipeline.params import Grid, Pooling
from pipeline.store.rows import Rows


def corpus_of(params, grid, mode="exact", keep="largest", **pooling):
    corpus = params.corpora["demo_sessions"]
    own = {
        "pooling": corpus.video.pooling.model_copy(update=pooling),
        "faces": corpus.video.faces.model_copy(update={"mode": mode, "keep": keep}),
    }
    return corpus.model_copy(update={"grid": grid, "video": corpus.video.model_copy(update=own)})


def whole(path, corpus):
    detections = detect(path, corpus.video.faces)
    network = extractor_of("embed_faces", corpus)
    rows = embed(path, detections, corpus.video.faces.frame_rate_hz, corpus.video.embedding.margin,
                 network.embedder("cpu"))  # fmt: skip
    return pool(rows, corpus.video.pooling, corpus.grid)


def joined(parts):
    known = [part for part in parts if part is not None]
    return {name: np.concatenate([getattr(part, name) for part in known])
            for name in ("start", "end", "values", "valid")}  # fmt: skip


@pytest.mark.parametrize(
    ("clip", "no_face", "alignment", "mode", "keep"),
    [
        ("face_noface.mov", "interpolate", "end", "exact", "largest"),
        ("noface_face.mov", "hold", "centre", "exact", "all"),
        ("noface_face.mov", "zero", "end", "track", "largest"),
    ],
)
def test_rows_are_those_of_the_file(clips, params, clip, no_face, alignment, mode, keep):
    grid = Grid(window=0.8, hop=0.2, alignment=alignment)
    corpus = corpus_of(params, grid, mode, keep, no_face=no_face)
    expected = whole(clips / clip, corpus)
    rows = FaceRows(corpus, "cpu")
    parts = [rows.push_frame(frame.image, frame.time) for frame in FramesOnGrid(clips / clip, 1000.0)]
    early = sum(len(part) for part in parts if part is not None)
    found = joined([*parts, rows.finish()])
    assert rows.names == expected.names
    np.testing.assert_allclose(found["start"], expected.start, atol=1e-9)
    np.testing.assert_array_equal(found["valid"], expected.valid)
    # sums of moments in another order
    np.testing.assert_allclose(found["values"], expected.values, atol=1e-5)
    if no_face != "interpolate":
        assert early >= len(expected) - (2 if alignment == "end" else 4)


@pytest.mark.parametrize("no_face", ["hold", "interpolate", "zero"])
def test_vectors_without_a_face_become_those_of_pooling(no_face):
    random = np.random.default_rng(0)
    for share in (0.0, 0.1, 0.5, 1.0):
        valid = random.random(60) < share
        values = np.where(valid[:, None], random.normal(size=(60, 3)), 0).astype(np.float32)
        filled = Filled(no_face, 3)
        given = [one for value, known in zip(values, valid, strict=True) for one in filled.push(value, known)]
        given += filled.finish()
        assert [tick for tick, _, _ in given] == list(range(60))
        np.testing.assert_allclose(
            np.stack([own for _, own, _ in given]), fill(values, valid, no_face), atol=1e-6
        )
        assert [known for _, _, known in given] == valid.tolist()


@pytest.mark.parametrize("rate_hz", [5.0, 2.5, 10.0, 7.0])
@pytest.mark.parametrize("alignment", ["centre", "end"])
def test_windows_are_those_of_pooling_and_come_as_soon_as_they_can(rate_hz, alignment):
    random = np.random.default_rng(1)
    count = 61
    values, valid = random.normal(size=(count, 4)).astype(np.float32), random.random(count) < 0.4
    start = np.arange(count) / rate_hz
    grid = Grid(window=1.6, hop=0.2, alignment=alignment)
    pooling = Pooling(statistics=("std", "mean"), no_face="zero")
    frames = Rows(
        start, start + 1 / rate_hz, np.where(valid[:, None], values, 0), valid, ("a", "b", "c", "d")
    )
    expected = pool(frames, pooling, grid)
    moments = WindowMoments(grid, frames.names, pooling.statistics)
    parts = []
    for tick in range(count):
        moments.push(start[tick], frames.values[tick], bool(valid[tick]))
        parts.append(moments.known((tick + 1) / rate_hz - 2e-6, tick / rate_hz))
        known = sum(len(part) for part in parts if part is not None)
        if tick and known < len(expected):
            # the next window reaches beyond the last tick, or beyond what is known of the length
            assert expected.end[known] > (tick - 1) / rate_hz
        assert len(moments.times) <= (grid.window + grid.hop) * rate_hz + 3
    found = joined([*parts, moments.finish(expected.start)])
    np.testing.assert_allclose(found["values"], expected.values, atol=1e-5)
    np.testing.assert_array_equal(found["valid"], expected.valid)
    assert moments.names == expected.names


def test_pictures_at_ticks_are_those_of_the_file(write_video):
    times = [0.0, 0.03, 0.21, 0.5, 0.52, 0.9, 1.3]
    path = write_video(list(range(10, 80, 10)), times)
    expected = [(frame.ticks, frame.time) for frame in FramesOnGrid(path, 10.0)]
    pictures = PicturesOnTicks(10.0)
    found = [pictures.push(np.full((8, 8, 3), k, np.uint8), time) for k, time in enumerate(times)]
    shown = [frame for frame in [*found, pictures.finish().frame] if frame is not None]
    # the last picture is shown as long as the one before; the file says otherwise
    assert [(frame.ticks, frame.time) for frame in shown[:-1]] == expected
    assert (shown[-1].ticks, shown[-1].time) == (range(13, 17), 1.3)
    assert [int(frame.image[0, 0, 0]) for frame in shown] == [times.index(round(f.time, 3)) for f in shown]


def test_the_caller_may_draw_the_next_picture_into_the_same_array():
    pictures, image = PicturesOnTicks(5.0), np.zeros((4, 4, 3), np.uint8)
    pictures.push(image, 0.0)
    image[:] = 9
    frame = pictures.push(image, 0.3)
    assert frame is not None
    assert frame.image.max() == 0


@pytest.mark.parametrize(
    ("image", "time", "sentence"),
    [
        (np.zeros((4, 4), np.uint8), 0.0, r"a picture is uint8 of shape \(4, 4\), expected uint8 of shape"),
        (np.zeros((4, 4, 3)), 0.0, "a picture is float64"),
        (np.zeros((4, 4, 3), np.uint8), float("nan"), "a picture's time is nan s, expected 0 or more"),
        (np.zeros((4, 4, 3), np.uint8), 1e5, "jump ahead by 100000 s"),
    ],
)
def test_what_is_no_picture_is_refused(image, time, sentence):
    with pytest.raises(MediaError, match=sentence):
        PicturesOnTicks(5.0).push(image, time)


def test_features_of_the_whole_recording_are_refused(params):
    corpus = params.corpora["demo_sessions"]
    embedding = corpus.video.embedding.model_copy(update={"network": "landmarks"})
    video = corpus.video.model_copy(update={"embedding": embedding})
    with pytest.raises(NotStreamedError, match=r"network is landmarks, .* median of the whole recording"):
        FaceRows(corpus.model_copy(update={"video": video}), "cpu")


def test_who_is_seen_most_is_not_known_in_a_stream(params):
    with pytest.raises(
        NotStreamedError, match=r"keep is followed, and who is seen most .* expected largest or all"
    ):
        FaceRows(corpus_of(params, Grid(window=0.8, hop=0.2), keep="followed"), "cpu")


def test_an_empty_stream_has_no_rows(params):
    rows = FaceRows(corpus_of(params, Grid(window=0.8, hop=0.2)), "cpu")
    with pytest.raises(MediaError, match="no picture came"):
        rows.finish()
