from __future__ import annotations

from pathlib import Path

import pytest

from pipeline.corpora.interface import Wanted
from pipeline.corpora.layouts import omg
from pipeline.corpora.problems import NotOnDisk
from pipeline.corpora.transcripts import cell
from pipeline.features.text.transcript import read_transcript
from tests.corpora.official_layouts import write_omg
from tests.corpora.register_corpus import sha256

READER = omg.LAYOUT


@pytest.fixture
def root(tmp_path):
    return write_omg(tmp_path / "omg")


def values(traces, dimension):
    chosen = traces[traces["dimension"] == dimension]
    return dict(zip(chosen["recording"], chosen["value"], strict=True))


def test_utterances_and_speakers(root):
    recordings = READER.read(root).recordings
    assert [(item.recording, item.partition, item.speaker) for item in recordings] == [
        ("07ab3c980_1/utterance_1", "train", "07ab3c980_1"),
        ("33ab12cd0/utterance_1", "test", "33ab12cd0"),
        ("5b44393ed/utterance_2", "dev", "07ab3c980_1"),  # the same link
        ("74de88564/utterance_1", "train", "74de88564"),
        ("74de88564/utterance_3", "train", "74de88564"),
    ]
    assert (
        recordings[0].medium("audio")
        == recordings[0].medium("video")
        == Path("Train/07ab3c980_1/utterance_1.mp4")
    )


def test_labels_are_traces_at_time_zero_and_test_has_none(root):
    found = READER.read(root)
    traces = found.traces
    assert found.classes == ("anger", "happy", "neutral", "sad")
    assert values(traces, "emotion") == {
        "07ab3c980_1/utterance_1": 1.0,
        "5b44393ed/utterance_2": 3.0,
        "74de88564/utterance_1": 2.0,
        "74de88564/utterance_3": 0.0,
    }
    assert values(traces, "arousal")["74de88564/utterance_1"] == 0.057
    assert values(traces, "valence")["74de88564/utterance_3"] == -0.5
    assert set(traces["rater"]) == {"gold"}
    assert set(traces["time"]) == {0.0}


def test_test_partition_with_labels(tmp_path):
    found = READER.read(write_omg(tmp_path, test_labels=True))
    code = values(found.traces, "emotion")["33ab12cd0/utterance_1"]
    assert found.classes[int(code)] == "surprise"


def test_dead_links_are_counted_not_refused(root):
    (root / "Train/74de88564/utterance_1.mp4").unlink()
    corpus = READER.read(root)
    assert corpus.missing == ["74de88564/utterance_1"]
    assert len(corpus.recordings) == 4
    assert ("74de88564/utterance_1", "Train/74de88564/utterance_1.mp4", NotOnDisk.REASON) in corpus.problems
    assert "74de88564/utterance_1" not in set(corpus.traces["recording"])


def test_shared_links_are_noted_with_their_count(root):
    (problem,) = READER.read(root).problems
    assert problem.recording == ""
    assert problem.reason.startswith("1 of 3 links, with 2 utterances, occur in more than one partition")
    assert "partitions.method speaker_disjoint" in problem.reason


def test_a_speaker_is_a_link_whatever_its_videos_are_called(tmp_path):
    """Links x = {v3, v1}, y = {v2}, z = {v1, v4} (v1 joins x and z); rows without a link are their video."""
    lines = [("x", "v3"), ("y", "v2"), ("x", "v1"), ("z", "v4"), ("z", "v1"), ("", "v6"), ("", "v5")]
    rows = [(link, 0.0, 1.0, video, f"u{n}.mp4", 0.1, 0.1, 1) for n, (link, video) in enumerate(lines)]
    root = write_omg(tmp_path, {"Train": rows})
    found = {item.recording: item.speaker for item in READER.read(root).recordings}
    assert found == {
        "v3/u0": "v1", "v2/u1": "v2", "v1/u2": "v1", "v4/u3": "v1", "v1/u4": "v1",
        "v6/u5": "v6", "v5/u6": "v5",
    }  # fmt: skip
    # Where nothing is extracted from clips none is needed, and speakers are the same.
    for path in sorted(root.glob("Train/*/*.mp4"))[:3]:
        path.rename(path.with_suffix(".elsewhere"))
    listed = READER.list_recordings(root, Wanted(extract=())).recordings
    assert {item.recording: item.speaker for item in listed} == found
    for path in root.glob("Train/*/*.elsewhere"):
        path.rename(path.with_suffix(".mp4"))
    # From the list, not from what is on disk.
    (root / "Train/v1/u2.mp4").unlink()
    (root / "Train/v1/u4.mp4").unlink()
    assert {item.speaker for item in READER.read(root).recordings} == {"v1", "v2", "v5", "v6"}


@pytest.mark.parametrize(
    "names",
    [
        ("train", "VALIDATION", "test"),
        ("train", "dev", "test"),
        ("omg_TrainVideos", "omg_ValidationVideos", "omg_TestVideos"),
    ],
)
def test_partition_folders_by_any_name(root, names):
    for official, name in zip(("Train", "Validation", "Test"), names, strict=True):
        (root / official).rename(root / name)
    corpus = READER.read(root)
    assert corpus.missing == []
    assert {item.medium("audio").parts[0] for item in corpus.recordings} == set(names)


def test_crlf_and_bom(root):
    path = root / "omg_TrainVideos.csv"
    expected = READER.read(root)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    again = READER.read(root)
    assert again.recordings == expected.recordings
    assert again.traces.equals(expected.traces)


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        (",4\n", ",7\n", "line 2: found EmotionMaxVote '7', expected a code from 0 (anger) to 6 (surprise)"),
        (",4\n", ",happy\n", "line 2: found EmotionMaxVote 'happy'"),
        ("0.057", "calm", "line 2: found arousal 'calm', expected a finite number"),
        ("0.057", "", "line 2: found arousal ''"),
    ],
)
def test_wrong_label_is_a_problem_and_the_others_stay(root, old, new, reason):
    path = root / "omg_TrainVideos.csv"
    path.write_text(path.read_text().replace(old, new, 1))
    corpus = READER.read(root)
    problem = next(item for item in corpus.problems if item.recording)
    assert problem.recording == "74de88564/utterance_1"
    assert problem.file == "omg_TrainVideos.csv"
    assert problem.reason.startswith(reason)
    assert len(corpus.traces) == 11


def test_row_of_wrong_width_is_a_problem(root):
    path = root / "omg_ValidationVideos.csv"
    path.write_text(path.read_text() + "https://x,1.0\n")
    reasons = [item.reason for item in READER.read(root).problems]
    assert "line 3: found 2 cells ('https://x,1.0'), expected 8: left out" in reasons


def test_repeated_utterance_counts_once(root):
    path = root / "omg_TrainVideos.csv"
    lines = path.read_text().splitlines()
    path.write_text("\n".join([*lines, lines[1]]) + "\n")
    corpus = READER.read(root)
    assert len(corpus.recordings) == 5
    assert "line 5: listed before in omg_TrainVideos.csv, line 2: the first counts" in [
        item.reason for item in corpus.problems
    ]


@pytest.mark.parametrize("text", ["", "link,start,end,video\nx,0,1,v\n"], ids=["empty", "no utterance"])
def test_missing_column_is_an_error(root, text):
    (root / "omg_TrainVideos.csv").write_text(text)
    with pytest.raises(ValueError, match=r"omg_TrainVideos.csv:1: missing column .* expected link, start"):
        READER.read(root)


def test_another_folder_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"expected the files omg_TrainVideos\.csv"):
        READER.read(tmp_path)


def test_thousands_of_utterances_are_read(tmp_path):
    lines = [
        (f"https://{video}", 0.0, 1.0, f"{video:09x}", f"utterance_{number}.mp4", 0.1, 0.2, number % 7)
        for video in range(530)
        for number in range(1, 11)
    ]
    root = write_omg(
        tmp_path, {"Train": lines[:2440], "Validation": lines[2440:3060], "Test": lines[3060:]}, True
    )
    corpus = READER.read(root)
    assert len(corpus.recordings) == 5300
    assert len(corpus.traces) == 3 * 5300


@pytest.mark.parametrize("video", ["..", "../..", "/etc", "a/b", "a\\b", "=cmd()", "a\x07b"])
def test_names_that_lead_out_of_the_corpus_are_left_out(root, video):
    path = root / "omg_ValidationVideos.csv"
    path.write_text(path.read_text() + f"https://x,1.0,2.0,{video},utterance_1.mp4,0,0,1\n")
    (root / "utterance_1.mp4").write_bytes(b"outside of the folder of the partition")
    corpus = READER.read(root)
    assert len(corpus.recordings) == 5
    (reason,) = [item.reason for item in corpus.problems if item.file == path.name]
    assert reason.startswith("line 3: found ")
    assert reason.endswith(": left out")


def test_a_clip_that_is_a_link_out_of_the_corpus_is_left_out(root, tmp_path_factory):
    outside = tmp_path_factory.mktemp("outside") / "x.mp4"
    outside.write_bytes(b"x")
    clip = root / "Train/74de88564/utterance_3.mp4"
    clip.unlink()
    clip.symlink_to(outside)
    corpus = READER.read(root)
    assert len(corpus.recordings) == 4
    (reason,) = [item.reason for item in corpus.problems if item.recording == "74de88564/utterance_3"]
    assert f"is a link to {outside}, outside the corpus" in reason
    assert len(READER.read(root, Wanted(media_folders=(outside.parent,))).recordings) == 5


def write_transcripts(root, names=("Train.csv", "Validation.csv", "Test.tsv")):
    """Write the tables as they are published: cells in quotes, the last one parted by commas too."""
    rows = {
        "Train": [
            ("74de88564", "utterance_1.mp4", "I'm fine, really "),
            ("74de88564", "utterance_3.mp4", ""),
        ],
        "Validation": [("5b44393ed", "utterance_2.mp4", "hi I'm fine")],
        "Test": [("33ab12cd0", "utterance_1.mp4", "you hate me"), ("gone", "utterance_9.mp4", "who")],
    }
    for name in names:
        partition, _, suffix = name.partition(".")
        lines = [f'"https://example.org/?v={v}",{v},{u},"{words}"' for v, u, words in rows[partition]]
        text = "\n".join(["link,video,utterance,transcript", *lines]) + "\n"
        (root / f"omg_{partition}Transcripts.{suffix}").write_text(text)


def test_transcripts_are_read_where_they_lie(root):
    write_transcripts(root)
    found = READER.list_recordings(root, Wanted(("audio", "text")))
    text = {item.recording: item.media.get("text") for item in found.recordings}
    assert text == {
        "07ab3c980_1/utterance_1": None,  # no line of it
        "33ab12cd0/utterance_1": cell(Path("omg_TestTranscripts.tsv"), "you hate me"),
        "5b44393ed/utterance_2": cell(Path("omg_ValidationTranscripts.csv"), "hi I'm fine"),
        "74de88564/utterance_1": cell(Path("omg_TrainTranscripts.csv"), "I'm fine, really"),
        "74de88564/utterance_3": cell(Path("omg_TrainTranscripts.csv"), ""),
    }
    for item in found.recordings:
        medium = item.media.get("text")
        if medium is not None:
            words = read_transcript(root / medium.path, medium)
            assert sha256(words.encode()) == medium.sha256


def test_clips_are_not_needed_where_only_text_is_extracted(root):
    write_transcripts(root)
    for clip in root.rglob("*.mp4"):
        clip.unlink()
    assert READER.list_recordings(root, Wanted(("audio", "text"))).recordings == []
    found = READER.list_recordings(root, Wanted(("text",)))
    assert len(found.recordings) == 5
    assert sum("text" in item.media for item in found.recordings) == 4


def test_transcripts_are_asked_for_only_where_text_is_extracted(root):
    without = READER.list_recordings(root, Wanted(("audio", "text")))
    (problem,) = [problem for problem in without.problems if "Transcripts" in problem.reason]
    assert "none of omg_TrainTranscripts.csv" in problem.reason
    assert not any("text" in item.media for item in without.recordings)
    write_transcripts(root, ("Train.csv",))
    (root / "omg_TrainTranscripts.csv").write_text("no table")
    assert not any("text" in item.media for item in READER.list_recordings(root).recordings)
    with pytest.raises(ValueError, match=r"omg_TrainTranscripts\.csv:1: missing column video"):
        READER.list_recordings(root, Wanted(("text",)))
