import av
import numpy as np
import pandas as pd

from pipeline.corpora.rendering.clips import plan
from tests.corpora.rendering.conftest import tiny_demo

PARTITIONS = ["Train", "Validation", "Test"]


def test_csv_files_and_clips_lie_as_in_omg(clips_root):
    for partition in PARTITIONS:
        path = clips_root / f"omg_{partition}Videos.csv"
        first = path.read_bytes().split(b"\n")[0]
        assert first == b"link,start,end,video,utterance,arousal,valence,EmotionMaxVote"
        table = pd.read_csv(path)
        assert len(table) == 7
        assert sorted(table.EmotionMaxVote) == list(range(7))
        assert table.arousal.between(0, 1).all()
        assert table.valence.between(-1, 1).all()
        assert (table.start < table.end).all()
        assert (table.start.to_numpy()[1:] > table.end.to_numpy()[:-1]).all()
        clips = sorted(f"{row.video}/{row.utterance}" for row in table.itertuples())
        found = sorted(
            str(path.relative_to(clips_root / partition)) for path in (clips_root / partition).rglob("*.mp4")
        )
        assert found == clips


def test_clip_has_sound_and_video_of_its_length(clips_root):
    row = pd.read_csv(clips_root / "omg_TestVideos.csv").iloc[2]
    with av.open(str(clips_root / "Test" / row.video / row.utterance)) as container:
        assert container.streams.video[0].codec_context.name == "h264"
        assert container.streams.audio[0].codec_context.name == "aac"
        frames = list(container.decode(video=0))
    with av.open(str(clips_root / "Test" / row.video / row.utterance)) as container:
        sound = np.concatenate([block.to_ndarray().ravel() for block in container.decode(audio=0)])
    assert len(frames) == round((row.end - row.start) * 2)
    assert abs(len(sound) / 16000 - (row.end - row.start)) < 0.15
    assert 0.05 < np.abs(sound).max() <= 1


def test_speakers_have_one_video_each_and_numbers_have_gaps():
    speakers = plan(tiny_demo(clips_train=6, clips_dev=2, clips_test=2, clips_utterances=30))
    assert len({speaker.video for speaker in speakers}) == 10
    assert all(len(speaker.video) == 9 for speaker in speakers)
    for speaker in speakers:
        numbers = [clip.number for clip in speaker.clips]
        assert len(numbers) == 30
        assert numbers == sorted(set(numbers))
    assert any(speaker.clips[-1].number > 30 for speaker in speakers)


def test_more_utterances_leave_the_first_ones(demo):
    few, many = plan(demo)[0], plan(tiny_demo(clips_utterances=9))[0]
    assert many.clips[:7] == few.clips


def test_truth_names_each_clip(clips_root):
    truth = pd.read_csv(clips_root / "truth/clips.csv")
    assert len(truth) == 21
    table = pd.read_csv(clips_root / "omg_TrainVideos.csv")
    np.testing.assert_allclose((truth.arousal[:7] + 1) / 2, table.arousal, atol=6e-4)
