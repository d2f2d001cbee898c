import wave

import av
import numpy as np
import pandas as pd
import pytest

from pipeline.corpora.rendering.raters import gold_standard

NAMES = ["dev_1", "test_1", "train_1"]
DIMENSIONS = ["arousal", "valence"]


def test_files_lie_as_in_avec_2016(sessions_root):
    found = sorted(
        str(path.relative_to(sessions_root)) for path in sessions_root.rglob("*") if path.is_file()
    )
    expected = ["rendered.json", "truth/raters.csv"]
    for name in NAMES:
        expected += [f"recordings_audio/{name}.wav", f"recordings_video/{name}.mp4", f"truth/{name}.csv"]
        for dimension in DIMENSIONS:
            expected += [f"ratings_individual/{dimension}/{name}.csv"]
            expected += [f"ratings_gold_standard/{dimension}/{name}.arff"]
    assert found == sorted(expected)


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_gold_standard_bytes(sessions_root, dimension):
    content = (sessions_root / f"ratings_gold_standard/{dimension}/train_1.arff").read_bytes()
    header = (
        f"@relation GOLDSTANDARD_{dimension.upper()}\r\n\r\n@attribute Instance_name string\r\n"
        "@attribute frameTime numeric\r\n@attribute GoldStandard numeric\r\n\r\n\r\n@data\r\n\r\n"
    )
    assert content.startswith(header.encode() + b"train_1,0,")
    assert content.count(b"\n") == content.count(b"\r\n")
    rows = content.decode().split("@data\r\n\r\n")[1].splitlines()
    assert len(rows) == 251
    assert [row.split(",")[1] for row in (rows[0], rows[1], rows[-1])] == ["0", "0.04", "10"]


@pytest.mark.parametrize("dimension", DIMENSIONS)
def test_gold_standard_is_that_of_the_traces_on_disk(sessions_root, dimension):
    path = sessions_root / f"ratings_individual/{dimension}/dev_1.csv"
    assert path.read_bytes().startswith(b"time;FM1 ;FM2 ;FM3 ;FF1 ;FF2 ;FF3 \n0;")
    table = pd.read_csv(path, sep=";")
    assert len(table) == 251
    traces = table.to_numpy()[:, 1:].T
    rows = (
        (sessions_root / f"ratings_gold_standard/{dimension}/dev_1.arff")
        .read_text()
        .split("@data")[1]
        .split()
    )
    gold = [float(row.split(",")[2]) for row in rows]
    np.testing.assert_allclose(gold, gold_standard(traces), atol=1e-7)


def test_media_have_the_duration(sessions_root):
    with wave.open(str(sessions_root / "recordings_audio/test_1.wav")) as file:
        assert (file.getframerate(), file.getnchannels(), file.getsampwidth()) == (16000, 1, 2)
        assert file.getnframes() == 160_000
    with av.open(str(sessions_root / "recordings_video/test_1.mp4")) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert not container.streams.audio
        frames = list(container.decode(video=0))
    assert [frame.time for frame in frames] == [k / 2 for k in range(20)]
    assert (frames[0].width, frames[0].height) == (320, 240)


def test_truth_lies_beside_the_media(sessions_root):
    truth = pd.read_csv(sessions_root / "truth/train_1.csv")
    assert list(truth.columns) == ["time", "arousal", "valence"]
    assert len(truth) == 251
    raters = pd.read_csv(sessions_root / "truth/raters.csv")
    assert list(raters.columns) == ["recording", "dimension", "rater", "lag", "bias", "scale", "noise"]
    assert len(raters) == 3 * 2 * 6
    means = raters.groupby(["recording", "dimension"])["lag"].mean()
    np.testing.assert_allclose(means, 2.4, atol=1e-6)


def test_speakers_differ_over_partitions(sessions_root):
    def first(name: str) -> np.ndarray:
        with av.open(str(sessions_root / f"recordings_video/{name}.mp4")) as container:
            return next(container.decode(video=0)).to_ndarray(format="rgb24").astype(int)

    images = [first(name) for name in NAMES]
    for one, other in ((0, 1), (0, 2), (1, 2)):
        assert np.abs(images[one] - images[other]).mean() > 10
