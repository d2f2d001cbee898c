from fractions import Fraction

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from pipeline.corpora.layouts import omg
from pipeline.features.audio.sound import read_sound
from pipeline.features.media.frames import FramesOnGrid
from pipeline.features.media.opening import MediaError, open_media
from pipeline.tools.cutting import cut, holds
from pipeline.tools.omg_cut import cut_utterances, youtube_id
from stages.commands.omg import omg_app

FPS, RATE = 25, 16000


def level(number):
    """Grey of frame `number`: neighbours differ by 7, equal ones are 32 frames apart."""
    return 16 + 7 * (number % 32)


def beeps(seconds):
    """Draw a tone of 0.2 s at each whole second, (samples,)."""
    t = np.arange(int(seconds * RATE)) / RATE
    return 0.5 * np.sin(2 * np.pi * 440 * t) * (t % 1 < 0.2)


def write_whole(path, seconds=12, sound=True, height=48, width=64, pixels="yuv420p", codec="libx264"):
    """Write a video as the web has them: frames that refer to later ones, key frames far apart."""
    with av.open(str(path), "w") as container:
        video = container.add_stream(codec, rate=FPS, options={"crf": "5", "g": "120", "bf": "2"})
        video.width, video.height, video.pix_fmt = width, height, pixels
        if sound:
            audio = container.add_stream("aac", rate=RATE, layout="mono")
            signal = beeps(seconds).astype(np.float32)
        for number in range(int(seconds * FPS)):
            image = np.full((height, width, 3), level(number), np.uint8)
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))
        if sound:
            for start in range(0, len(signal), 1024):
                block = av.AudioFrame.from_ndarray(signal[None, start : start + 1024], "fltp", "mono")
                block.sample_rate, block.pts, block.time_base = RATE, start, Fraction(1, RATE)
                container.mux(audio.encode(block))
            container.mux(audio.encode(None))
    return path


@pytest.fixture(scope="module")
def whole(tmp_path_factory):
    return write_whole(tmp_path_factory.mktemp("whole") / "whole.mp4")


def duration(path):
    with open_media(path) as container:
        return container.duration / av.time_base


def pictures(path):
    """Return time and grey of each frame."""
    with open_media(path) as container:
        return [(f.time, float(f.to_ndarray(format="gray").mean())) for f in container.decode(video=0)]


def grey(path):
    return np.array([shade for _, shade in pictures(path)])


def shades(path, numbers):
    """Return the greys of the given frames of a whole video, as it holds them."""
    return grey(path)[list(numbers)]


@pytest.mark.parametrize(
    ("start", "end", "first", "last"),
    [
        (3.30, 7.10, 82, 177),  # frame 82 is shown from 3.28 to 3.32
        (0.0, 2.0, 0, 49),
        (0.87, 1.93, 21, 48),
        (4.0, 4.04, 100, 100),
        (9.5, 12.0, 237, 299),
    ],
)
def test_first_and_last_frame_and_length(tmp_path, whole, start, end, first, last):
    cut(whole, start, end, tmp_path / "deep/clip.mp4")
    got = pictures(tmp_path / "deep/clip.mp4")
    np.testing.assert_allclose([shade for _, shade in got], shades(whole, range(first, last + 1)), atol=2.5)
    times = [max(0, n / FPS - start) for n in range(first, last + 1)]
    np.testing.assert_allclose([time for time, _ in got], times, atol=2e-4)
    assert duration(tmp_path / "deep/clip.mp4") == pytest.approx(end - start, abs=1 / FPS)
    assert [path.name for path in (tmp_path / "deep").iterdir()] == ["clip.mp4"]


def test_sound_stays_with_the_pictures(tmp_path, whole):
    cut(whole, 3.30, 7.10, tmp_path / "clip.mp4")
    signal = read_sound(tmp_path / "clip.mp4", RATE).signal
    assert len(signal) / RATE == pytest.approx(3.8, abs=0.08)
    expected = beeps(12)[int(3.3 * RATE) : int(7.1 * RATE)]
    lag = np.argmax(np.correlate(signal[: len(expected)], expected, "full")) - (len(expected) - 1)
    assert abs(lag) <= 16  # 1 ms
    loud = np.abs(signal[: int(3.7 * RATE)]).reshape(-1, RATE // 100).max(1) > 0.1
    onsets = np.flatnonzero(np.diff(loud.astype(int)) == 1) / 100
    np.testing.assert_allclose(onsets, [0.69, 1.69, 2.69], atol=0.02)


def test_the_projects_own_reader_sees_what_was_shown(tmp_path, whole):
    cut(whole, 5.0, 8.0, tmp_path / "clip.mp4")
    frames = list(FramesOnGrid(tmp_path / "clip.mp4", 5.0))
    numbers = [125 + 5 * k for k in range(15)]
    np.testing.assert_allclose([f.image.mean() for f in frames], shades(whole, numbers), atol=4)


def test_without_sound_of_odd_size_and_of_variable_rate(tmp_path, write_video):
    write_whole(tmp_path / "silent.mkv", 3, sound=False, height=49, width=65, pixels="yuv444p")
    cut(tmp_path / "silent.mkv", 1.0, 2.0, tmp_path / "clip.mp4")
    with open_media(tmp_path / "clip.mp4") as container:
        assert not container.streams.audio
        assert (container.streams.video[0].width, container.streams.video[0].height) == (64, 48)
    assert len(pictures(tmp_path / "clip.mp4")) == 25
    path = write_video([20, 60, 100, 140, 180], [0, 0.5, 1.3, 1.4, 2.9])
    cut(path, 1.0, 2.0, tmp_path / "clip.mp4")
    times, levels = zip(*pictures(tmp_path / "clip.mp4"), strict=True)
    np.testing.assert_allclose(times, [0, 0.3, 0.4], atol=1e-3)
    assert np.diff(levels).min() > 20
    assert duration(tmp_path / "clip.mp4") == pytest.approx(1.0, abs=0.02)


def test_stretches_outside_the_file_are_refused_and_rounding_is_not(tmp_path, whole):
    with pytest.raises(MediaError, match=r"pictures end at 12\.00 s, wanted are 11\.00 to 13\.00 s"):
        cut(whole, 11, 13, tmp_path / "clip.mp4")
    with pytest.raises(MediaError, match=r"pictures end before 20\.00 s"):
        cut(whole, 20, 22, tmp_path / "clip.mp4")
    assert list(tmp_path.iterdir()) == []
    cut(whole, 11, 12.1, tmp_path / "clip.mp4")
    assert duration(tmp_path / "clip.mp4") == pytest.approx(1.1, abs=0.15)
    (tmp_path / "text.mp4").write_text("not media" * 100)
    with pytest.raises(MediaError, match=r"text\.mp4: cannot be decoded"):
        cut(tmp_path / "text.mp4", 0, 1, tmp_path / "other.mp4")


def write_csv(root, rows, name="omg_TrainVideos.csv"):
    root.mkdir(exist_ok=True)
    lines = ["link,start,end,video,utterance,arousal,valence,EmotionMaxVote"]
    lines += [",".join(map(str, row)) + ",0.1,0.2,3" for row in rows]
    (root / name).write_text("\n".join(lines) + "\n")


LINK = "https://www.youtube.com/watch?v=abcdefghijk"
ROWS = [
    (LINK, 0.87, 2.5, "74de88564", "utterance_1.mp4"),
    (LINK, 2.5, 4.0, "74de88564", "utterance_2.mp4"),
    ("https://youtu.be/dead_link_0", 1, 2, "5b44393ed", "utterance_1.mp4"),
    ("https://youtu.be/dead_link_0", 2, 3, "5b44393ed", "utterance_2.mp4"),
    (LINK, 4.0, 3.0, "74de88564", "utterance_3.mp4"),
    (LINK, 11.0, 15.0, "74de88564", "utterance_4.mp4"),
]


@pytest.fixture
def corpus(tmp_path, whole):
    (tmp_path / "videos").mkdir()
    (tmp_path / "videos/A title [abcdefghijk].mp4").symlink_to(whole)
    write_csv(tmp_path / "omg", ROWS)
    write_csv(tmp_path / "omg", [(LINK, 5, 6, "07ab3c980_1", "utterance_7.mp4")], "omg_ValidationVideos.csv")
    return tmp_path / "omg", tmp_path / "videos"


def test_utterances_are_cut_where_the_layout_finds_them(corpus):
    root, videos = corpus
    outcome = cut_utterances(root, videos)
    assert sorted(outcome.cut) == [
        "07ab3c980_1/utterance_7", "74de88564/utterance_1", "74de88564/utterance_2",
    ]  # fmt: skip
    assert outcome.missing == {
        "https://youtu.be/dead_link_0": ["5b44393ed/utterance_1", "5b44393ed/utterance_2"]
    }
    assert set(outcome.failed) == {"74de88564/utterance_3", "74de88564/utterance_4"}
    assert (
        "line 6: found start '4.0' and end '3.0', expected seconds" in outcome.failed["74de88564/utterance_3"]
    )
    assert "pictures end at 12.00 s" in outcome.failed["74de88564/utterance_4"]
    assert duration(root / "Train/74de88564/utterance_1.mp4") == pytest.approx(1.63, abs=1 / FPS)
    listing = omg.LAYOUT.list_recordings(root)
    assert [item.recording for item in listing.recordings] == sorted(outcome.cut)


def test_a_second_call_does_only_what_is_left(corpus):
    root, videos = corpus
    cut_utterances(root, videos)
    clips = sorted(root.rglob("utterance_*.mp4"))
    before = {clip: clip.stat().st_mtime_ns for clip in clips}
    clips[0].write_bytes(clips[0].read_bytes()[:500])  # broke off: no header at its end or start
    clips[1].unlink()
    (clips[1].parent / f".{clips[1].stem}.partial.mp4").write_bytes(b"left by a killed run")
    again = cut_utterances(root, videos)
    assert len(again.cut) == 2
    assert len(again.kept) == 1
    assert clips[2].stat().st_mtime_ns == before[clips[2]]
    assert len(pictures(clips[0])) > 20
    assert not list(root.rglob("*.partial*"))
    # whole videos may be deleted once all is cut
    for path in videos.iterdir():
        path.unlink()
    assert len(cut_utterances(root, videos).kept) == 3


def test_other_start_and_end_cut_anew(corpus):
    root, videos = corpus
    cut_utterances(root, videos)
    write_csv(root, [(LINK, 0.87, 4.0, "74de88564", "utterance_1.mp4")])
    assert cut_utterances(root, videos).cut == ["74de88564/utterance_1"]
    assert duration(root / "Train/74de88564/utterance_1.mp4") == pytest.approx(3.13, abs=1 / FPS)
    write_csv(root, [(LINK, 0.9, 4.03, "74de88564", "utterance_1.mp4")])  # as long, elsewhere
    assert cut_utterances(root, videos).cut == ["74de88564/utterance_1"]


def test_clips_cut_by_another_program_are_kept_if_they_are_as_long(corpus, whole):
    root, videos = corpus
    clip = root / "Train/74de88564/utterance_2.mp4"
    clip.parent.mkdir(parents=True)
    write_whole(clip, 1.52)
    assert holds(clip, 2.5, 4.0)
    assert not holds(clip, 2.5, 4.5)
    assert cut_utterances(root, videos).kept == ["74de88564/utterance_2"]


def test_names_of_whole_videos(tmp_path, whole):
    for link, name in (
        ("https://www.youtube.com/watch?v=abc-_fghijk&t=3", "abc-_fghijk.mp4"),
        ("https://youtu.be/0123456789a", "x/0123456789a.mp4"),
        ("https://www.youtube.com/watch?v=gone_______", "74de88564.mp4"),
    ):
        videos = tmp_path / name.replace("/", "_") / "videos"
        (videos / name).parent.mkdir(parents=True)
        (videos / name).symlink_to(whole)
        write_csv(tmp_path / "omg", [(link, 1, 2, "74de88564", "utterance_1.mp4")])
        (tmp_path / "omg/Train/74de88564/utterance_1.mp4").unlink(missing_ok=True)
        assert len(cut_utterances(tmp_path / "omg", videos).cut) == 1, name
    assert youtube_id("https://www.youtube.com/watch?v=abc&list=1") == "abc"


def test_the_command_counts_and_says_each_thing_once(corpus, tmp_path):
    root, videos = corpus
    result = CliRunner().invoke(omg_app, ["cut", str(videos), "--root", str(root), "--workers", "1"])
    assert result.exit_code == 1  # two could not be cut
    lines = result.output.splitlines()
    assert "3 cut, 0 there already, 2 failed, 2 missing with 1 whole videos" in lines
    assert len([line for line in lines if line.startswith("failed: ")]) == 2
    (missing,) = [line for line in lines if line.startswith("missing: ")]
    assert missing.startswith("missing: https://youtu.be/dead_link_0 (2 utterances): no whole video in ")
    wrong = CliRunner().invoke(omg_app, ["cut", str(tmp_path / "no"), "--root", str(root)])
    assert "no such folder; expected the downloaded whole videos" in wrong.output
    wrong = CliRunner().invoke(omg_app, ["cut", str(videos), "--root", str(tmp_path / "no")])
    assert (wrong.exit_code, "expected omg_TrainVideos.csv" in wrong.output) == (1, True)


def test_two_workers_write_the_same_bytes(corpus):
    root, videos = corpus
    cut_utterances(root, videos, workers=2)
    clips = {clip: clip.read_bytes() for clip in root.rglob("utterance_*.mp4")}
    for clip in clips:
        clip.unlink()
    cut_utterances(root, videos)
    assert {clip: clip.read_bytes() for clip in clips} == clips
