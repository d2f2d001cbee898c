"""IEMOCAP's dialogues on film and their transcripts, as distributed, with made-up contents."""

from fractions import Fraction

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from pipeline.corpora.interface import Wanted
from pipeline.corpora.layouts import iemocap
from pipeline.features.media.opening import open_media
from pipeline.tools.cutting import holds
from pipeline.tools.iemocap_cut import cut_utterances, write_words
from stages.commands.iemocap import iemocap_app
from tests.corpora.iemocap_layout import write_iemocap

LEFT, RIGHT, FPS = 60, 180, 10
DIALOGS = ("Ses01F_impro01", "Ses01M_script01_1b")


def write_film(path, seconds=9):
    """Write a film with a dark actor on the left and a bright one on the right, both darker by and by."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with av.open(str(path), "w") as container:
        video = container.add_stream("mpeg4", rate=FPS)
        video.width, video.height, video.pix_fmt, video.bit_rate = 64, 48, "yuv420p", 2_000_000
        for number in range(seconds * FPS):
            image = np.zeros((48, 64, 3), np.uint8)
            image[:, :32], image[:, 32:] = LEFT - number // 3, RIGHT - number // 3
            frame = av.VideoFrame.from_ndarray(image, format="rgb24")
            frame.pts, frame.time_base = number, Fraction(1, FPS)
            container.mux(video.encode(frame))
        container.mux(video.encode(None))


@pytest.fixture(scope="module")
def root(tmp_path_factory):
    root = write_iemocap(tmp_path_factory.mktemp("iemocap"), (1,))
    for dialog in DIALOGS:
        write_film(root / f"Session1/dialog/avi/DivX/{dialog}.avi")
        (root / f"Session1/dialog/avi/DivX/._{dialog}.avi").write_bytes(b"of a Mac")
    return root


def clip(root, name):
    return root / f"Session1/sentences/video/{name.rpartition('_')[0]}/{name}.mp4"


def picture(path):
    """Return the width, and the grey in the first frame."""
    with open_media(path) as container:
        frame = next(container.decode(video=0)).to_ndarray(format="gray")
    return frame.shape[1], float(frame.mean())


def test_each_speaker_has_the_half_that_the_markers_say(root):
    outcome = cut_utterances(root, 1)
    assert (len(outcome.cut), outcome.failed, outcome.missing) == (16, {}, {})
    for name, level in (
        ("Ses01F_impro01_F000", LEFT),  # the woman wears the markers, and speaks
        ("Ses01F_impro01_M001", RIGHT),
        ("Ses01M_script01_1b_M001", LEFT),
        ("Ses01M_script01_1b_F000", RIGHT),
        ("Ses01F_impro01_F006", LEFT),
    ):
        width, grey = picture(clip(root, name))
        begun = int(name[-3:]) + 0.2901
        assert width == 32
        assert grey == pytest.approx(level - int(begun * FPS) // 3, abs=4), name
    with open_media(clip(root, "Ses01F_impro01_F000")) as container:
        assert container.duration / av.time_base == pytest.approx(0.8456, abs=0.1)
    again = cut_utterances(root, 1)
    assert (again.cut, len(again.kept)) == ([], 16)
    assert not holds(clip(root, "Ses01F_impro01_F000"), 0.2901, 1.1357, "right")


def test_the_layout_finds_clips_and_words(root):
    cut_utterances(root, 1)
    transcript(root, DIALOGS[0], "Ses01F_impro01_F000 [000.2901-001.1357]: Excuse me.\n")
    write_words(root)
    listing = iemocap.list_recordings(root, Wanted(extract=("audio", "video", "text")))
    (first,) = [item for item in listing.recordings if item.recording == "Ses01F_impro01_F000"]
    assert {name: medium.path.suffix for name, medium in first.media.items()} == {
        "audio": ".wav", "video": ".mp4", "text": ".txt"
    }  # fmt: skip
    reason = "15 of 16 utterances have no text; `emobed iemocap cut` makes what the films have"
    assert ("", "sentences/text", reason) in listing.problems


def transcript(root, dialog, text):
    path = root / f"Session1/dialog/transcriptions/{dialog}.txt"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")


def test_words_of_transcripts_with_their_odd_lines(tmp_path):
    root = write_iemocap(tmp_path, (1,))
    transcript(
        root,
        DIALOGS[0],
        "Ses01F_impro01_F000 [000.2901-001.1357]: Excuse me.\n"
        "M: [LAUGHTER]\n"
        "Ses01F_impro01_MXX0 [001.2000-001.3000]: Umm.\n"
        "\n"
        "Ses01F_impro01_M001 [001.2901-002.1357]:  Do you: have [BREATHING] forms?  \r\n"
        "Ses01F_impro01_F002 [002.2901-003.1357]:\n"
        "Ses01F_impro01_M003 [003.2901 - 004.1357] I'm tired.\n",
    )
    found = write_words(root)
    folder = root / "Session1/sentences/text/Ses01F_impro01"
    assert {path.stem[-4:]: path.read_text().strip() for path in folder.iterdir()} == {
        "F000": "Excuse me.", "M001": "Do you: have [BREATHING] forms?", "M003": "I'm tired."
    }  # fmt: skip
    assert found.written == 3
    assert found.problems == [
        "Session1/dialog/transcriptions/Ses01F_impro01.txt: 5 of 8 utterances have no words",
        "Session1/dialog/transcriptions/Ses01M_script01_1b.txt: not there; 8 utterances have no words",
        "dialog/transcriptions: 1 lines of no utterance left out",
        "dialog/transcriptions: 1 lines of utterances that nobody rated left out",
    ]


def test_the_command_names_films_that_are_missing_and_films_that_are_none(tmp_path):
    run = CliRunner().invoke
    empty = run(iemocap_app, ["cut", "--root", str(tmp_path)])
    assert empty.exit_code == 1
    assert "expected the folders Session1 to Session5" in empty.output
    root = write_iemocap(tmp_path / "iemocap", (1,))
    lost = run(iemocap_app, ["cut", "--root", str(root)])
    assert lost.exit_code == 0
    assert "missing: Session1/dialog/avi/DivX/Ses01F_impro01.avi (8 utterances)" in lost.output
    film = root / "Session1/dialog/avi/DivX/Ses01F_impro01.avi"
    film.parent.mkdir(parents=True)
    film.write_bytes(b"no film")
    wrong = run(iemocap_app, ["cut", "--root", str(root), "--workers", "1"])
    assert wrong.exit_code == 1
    assert "failed: Ses01F_impro01_F000: " in wrong.output
    assert "0 cut, 0 there already, 8 failed, 8 missing with 1 films; words of 0 utterances" in wrong.output
