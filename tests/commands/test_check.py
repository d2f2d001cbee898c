"""`emobed check`: each fault is named with its recording; exit codes."""

import json
import shutil
import wave

import av
import numpy as np
import pytest
from typer.testing import CliRunner

from stages.commands.app import app
from tests.commands.checkout import make_checkout, set_params

RATE = 16000


def write_clip(path, sound=3.0, video=3.0):
    """Write a clip with a tone and a grey picture; 0 seconds: without that stream."""
    with av.open(str(path), "w", options={"movflags": "faststart"}) as container:
        if video:
            picture = container.add_stream("libx264", rate=10)
            picture.width, picture.height, picture.pix_fmt = 64, 64, "yuv420p"
            picture.gop_size = 5
        if sound:
            tone = container.add_stream("aac", rate=RATE)
            tone.layout = "mono"
        if video:
            draw = np.random.default_rng(0)
            for _ in range(round(video * 10)):
                image = draw.integers(0, 255, (64, 64, 3), np.uint8)
                for packet in picture.encode(av.VideoFrame.from_ndarray(image, format="rgb24")):
                    container.mux(packet)
            container.mux(picture.encode(None))
        if sound:
            frame = av.AudioFrame.from_ndarray(
                np.sin(np.arange(round(sound * RATE)) / 20).astype(np.float32)[None],
                format="fltp",
                layout="mono",
            )
            frame.rate = RATE
            container.mux(tone.encode(frame))
            container.mux(tone.encode(None))


def write_wav(path, seconds):
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(RATE)
        file.writeframes(np.zeros(round(seconds * RATE), np.int16).tobytes())


@pytest.fixture
def corpus(tmp_path, monkeypatch):
    """Return the folder of a corpus with the layout `table`, a function that adds, one that checks it."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DVC_ROOT", raising=False)
    make_checkout(tmp_path)

    def own(params):
        params["corpora"]["own"] = params["corpora"]["demo_clips"] | {"layout": "table", "root": "own"}
        params["run"]["corpora"] = ["own"]
        params["runtime"]["workers"] = 1

    set_params(tmp_path, own)
    root = tmp_path / "own"
    root.mkdir()
    (root / "recordings.csv").write_text("recording,partition,speaker,audio,video,emotion\n")

    def add(name, audio, video=None, emotion=None, partition="train", speaker=None):
        if emotion is None:  # two classes, in turn
            emotion = ("happy", "sad")[len((root / "recordings.csv").read_text().splitlines()) % 2]
        with (root / "recordings.csv").open("a") as file:
            who = speaker or f"s_{name}"
            file.write(f"{name},{partition},{who},{audio},{audio if video is None else video},{emotion}\n")

    def check(*options):
        done = CliRunner().invoke(app, ["check", "own", *options])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, done.stdout

    return root, add, check


def reasons(text) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for item in json.loads(text)["findings"]:
        found.setdefault(item["recording"], []).append(item["reason"])
    return found


def test_nothing_wrong(corpus):
    root, add, check = corpus
    write_clip(root / "a.mp4")
    write_wav(root / "b.wav", 3)
    write_clip(root / "b.mp4", sound=0)
    add("a", "a.mp4")
    add("b", "b.wav", "b.mp4")
    add("c", "a.mp4")
    add("d", "b.wav", "b.mp4")
    code, text = check()
    assert code == 0
    assert text.splitlines()[:5] == [
        "             train     dev    test  in all",
        "recordings       4       0       0       4",
        "speakers         4       0       0       4",
        "happy            2       0       0       2",
        "sad              2       0       0       2",
    ]
    assert text.splitlines()[-1] == "own: 4 recordings, nothing wrong; 1 doubt"
    found = json.loads(check("--json")[1])
    assert (found["recordings"], found["findings"], found["notes"]) == (4, [], [])
    assert {"name": "happy", "train": 2} in found["counts"]


def test_each_fault_is_named(corpus):
    root, add, check = corpus
    write_clip(root / "good.mp4")
    add("good", "good.mp4")
    add("missing", "missing.mp4")
    (root / "empty.mp4").touch()
    add("empty", "empty.mp4")
    (root / "text.mp4").write_text("this is no video at all\n" * 50)
    add("text", "text.mp4")
    write_clip(root / "silent.mp4", sound=0)
    add("silent", "silent.mp4")
    write_clip(root / "blind.mp4", video=0)
    add("blind", "blind.mp4")
    write_clip(root / "uneven.mp4", sound=6, video=3)
    add("uneven", "uneven.mp4")
    add("unlabelled", "good.mp4", emotion="")
    code, text = check("--json")
    assert code == 1
    found = reasons(text)
    assert "good" not in found
    assert found["missing"] == ["listed, but not on disk"]
    assert found["empty"] == ["the file is empty"]
    assert "cannot be decoded" in found["text"][0]
    assert found["silent"] == ["has no sound stream"]
    assert found["blind"] == ["has no video stream"]
    assert found["uneven"] == ["the sound lasts 6.1 s, the video 3.0 s"]
    assert found["unlabelled"] == ["no labels of emotion"]
    assert json.loads(text)["recordings"] == 8
    (note,) = [note for note in json.loads(text)["notes"] if "no emotion" in note]
    assert note.startswith("1 recordings have no emotion: where that is meant so")
    code, table = check()
    assert code == 1
    assert "without a label       1       0       0       1" in table
    assert "own: something is wrong with 7 of 8 recordings" in table
    line = next(line for line in table.splitlines() if line.startswith("silent"))
    assert line.split(maxsplit=2) == ["silent", "silent.mp4", "has no sound stream"]


@pytest.mark.parametrize("name", ["cut.mp4", "cut.wav"])
def test_a_file_that_breaks_off_says_where(corpus, name):
    root, add, check = corpus
    if name.endswith("mp4"):
        write_clip(root / name, sound=8, video=8)
        add("cut", name)
    else:
        write_wav(root / name, 8)
        add("cut", name, "")
    blob = (root / name).read_bytes()
    (root / name).write_bytes(blob[: len(blob) // 2])
    code, text = check("--json")
    assert code == 1
    (reason, *_) = reasons(text)["cut"]
    start, _, rest = reason.partition(" s of the ")
    assert start.startswith("breaks off at ")
    assert 2 < float(start.split()[-1]) < 6
    assert rest.startswith("8.")


def test_shorter_than_a_window(corpus, tmp_path):
    root, add, check = corpus

    def windows(params):
        sessions = params["corpora"]["demo_sessions"] | {"layout": "table", "root": "own"}
        params["corpora"]["own"] = sessions | {"grid": {"window": 4.0, "hop": 0.2}}

    set_params(tmp_path, windows)
    write_clip(root / "a.mp4", sound=3, video=3)
    add("a", "a.mp4")
    found = reasons(check("--json")[1])
    assert "3.00 s long, shorter than a window of 4 s" in found["a"]
    assert "no labels of arousal" in found["a"]


def test_workers_do_not_change_the_answer(corpus):
    root, add, check = corpus
    write_clip(root / "a.mp4", sound=0)
    for name in "cab":
        add(name, "a.mp4")
    assert check("--json", "--workers", "2") == check("--json", "--workers", "1")


def test_without_a_corpus_the_parameters_alone_are_checked(corpus, tmp_path):
    done = CliRunner().invoke(app, ["check"])
    assert done.exit_code == 0
    assert done.output.startswith("params.yaml: ")
    assert done.output.endswith("corpora, nothing wrong; run.corpora: own\n")
    set_params(tmp_path, lambda params: params["run"].update(corpora="own"))
    done = CliRunner().invoke(app, ["check"])
    assert done.exit_code == 1
    assert "params.yaml: run.corpora: found 'own', expected a list, such as [a, b]" in done.output


def test_unknown_corpus_and_corpus_that_is_not_there_are_one_sentence(corpus):
    done = CliRunner().invoke(app, ["check", "nobody"])
    assert done.exit_code == 1
    assert done.output.startswith("emobed: 'nobody' is not under corpora; expected one of [")
    done = CliRunner().invoke(app, ["check", "recola"])
    assert done.exit_code == 1
    done = CliRunner().invoke(app, ["check", "demo_sessions"])
    assert done.exit_code == 1
    assert "data/raw/demo_sessions is not there; put the corpus there" in done.output


@pytest.mark.parametrize("inner", ["", "CREMA-D-master/"])
def test_where_a_corpus_lies_instead_is_said(corpus, tmp_path, inner):
    set_params(
        tmp_path, lambda params: params["corpora"]["own"].update(layout="crema_d", root="data/raw/crema_d")
    )
    root = tmp_path / "data/raw/crema_d"
    (root / inner / "AudioWAV").mkdir(parents=True)
    if not inner:
        (root / "AudioWAV").rename(root / "sound")
    done = CliRunner().invoke(app, ["check", "own"])
    assert done.exit_code == 1
    if inner:
        assert "holds the corpus in CREMA-D-master; name that folder in params.yaml" in done.output
    else:
        assert "data/raw/crema_d holds another layout; put the corpus there (the folders" in done.output


def test_recordings_of_colleagues_are_listed(corpus, tmp_path):
    root, _, check = corpus
    manifest = tmp_path / "data/manifests/own.csv"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(
        "recording,partition,speaker,audio,video,audio_sha256,video_sha256\n"
        f"theirs,train,s,theirs.mp4,theirs.mp4,{'0' * 64},{'0' * 64}\n"
    )
    shutil.rmtree(root)
    assert reasons(check("--json")[1]) == {"theirs": ["registered, but its media are not on this machine"]}


def test_missing_and_shared_speakers_are_counted_with_the_parameter_that_helps(corpus, tmp_path):
    root, add, check = corpus
    write_clip(root / "a.mp4")
    add("a", "a.mp4", speaker="x")
    add("b", "a.mp4", speaker="x")
    add("c", "a.mp4", speaker="x", partition="test")
    add("d", "gone.mp4", speaker="y", partition="test")
    code, text = check()
    assert code == 1
    assert (
        "own: 1 of 4 listed recordings (25.0 %) is not on disk: train 0 of 2 (0.0 %), test 1 of 2 (50.0 %)\n"
    ) in text
    assert (
        "own: 1 of 2 speakers, with 3 recordings, is in more than one partition; "
        "corpora.own.partitions.method: speaker_disjoint in params.yaml would move 1 recording "
        "(test to train 1)\n"
    ) in text

    def disjoint(params):
        params["corpora"]["own"]["partitions"] = {"method": "speaker_disjoint", "folds": None, "seed": 0}

    set_params(tmp_path, disjoint)
    notes = json.loads(check("--json")[1])["notes"]
    assert notes[1].endswith("more than one partition; speaker_disjoint moves 1 recording (test to train 1)")


def test_many_findings_of_one_kind_share_a_line_and_a_file_lists_them(corpus, tmp_path):
    root, add, check = corpus
    write_clip(root / "a.mp4")
    add("a", "a.mp4")
    for number in range(30):
        add(f"gone{number:02}", f"gone{number:02}.mp4")
    add("silent", "text.mp4")
    (root / "text.mp4").write_text("no media")
    code, text = check()
    assert code == 1
    assert text.count("listed, but not on disk") == 1
    assert "(30 recordings)" in text
    assert "silent" in text
    assert "something is wrong with 31 of 32 recordings" in text
    listed = (tmp_path / ".emobed/check/own.csv").read_text().splitlines()
    assert len(listed) == 32
    assert 'gone07,gone07.mp4,"listed, but not on disk"' in listed
    assert "all of them, one by one: .emobed/check/own.csv" in text
    assert len(json.loads(check("--json")[1])["findings"]) == 31


def test_what_is_wrong_with_the_corpus_itself_is_said_so(corpus, tmp_path):
    root, add, check = corpus
    write_clip(root / "a.mp4")
    for number in range(2):
        add(f"a{number}", "a.mp4", speaker=f"s{number}")

    def folds(params):
        params["corpora"]["own"]["partitions"] = {"method": "cross_validation", "folds": 4, "seed": 0}

    set_params(tmp_path, folds)
    code, text = check()
    assert code == 1
    assert "partitions.folds: found 4, expected no more folds than speakers" in text
    assert text.splitlines()[-1] == "own: something is wrong with the corpus itself"


def test_weights_that_are_not_there_are_found_before_any_work(corpus, tmp_path):
    root, add, check = corpus
    write_clip(root / "a.mp4")
    add("a", "a.mp4")

    def vgg(params):
        params["corpora"]["own"]["video"]["embedding"] |= {"network": "vgg_face", "weights": "no.safetensors"}

    set_params(tmp_path, vgg)
    code, text = check()
    assert code == 1
    assert "corpora.own.video.embedding.weights: no.safetensors: no such weight file" in text
    done = CliRunner().invoke(app, ["check"])  # as `make repro` begins
    assert done.exit_code == 1
    assert "corpora.own.video.embedding.weights: no.safetensors: no such weight file" in done.output


def test_classes_without_a_word_vector_are_found_before_any_work(corpus, tmp_path):
    root, add, check = corpus
    write_clip(root / "a.mp4")
    for name, emotion in (("a", "happy"), ("b", "bored"), ("c", "sad")):
        add(name, "a.mp4", emotion=emotion)

    def words(params):
        own = params["corpora"]["own"]["learning"]
        own["systems"], own["emotion_words"] = ["classic", "emotion_words"], {"vectors": "pad"}

    set_params(tmp_path, words)
    code, text = check()
    assert code == 1
    assert (
        "learning.emotion_words.vectors: pad has no vector of the class bored, expected one of each" in text
    )


def test_recordings_without_a_label_on_purpose_and_classes_kept_from_no_system(corpus, tmp_path):
    root, add, check = corpus
    write_clip(root / "a.mp4")
    for name, emotion in (("a", "happy"), ("b", "NA"), ("c", "sad")):
        add(name, "a.mp4", emotion=emotion)

    def words(params):
        params["corpora"]["own"]["learning"]["emotion_words"] = {"vectors": "pad", "zero_shot": ["sad"]}

    set_params(tmp_path, words)
    code, text = check()
    assert code == 0
    assert "where that is meant so" not in text
    assert "own: learning.emotion_words.zero_shot names sad, and no system by words is under" in text


def test_systems_that_nothing_is_there_to_learn_for_are_named_once(corpus, tmp_path):
    root, add, check = corpus
    write_clip(root / "a.mp4")
    for place in range(8):
        add(f"r{place}", "a.mp4")

    def taught(params):
        own = params["corpora"]["own"]["learning"]
        own["systems"] = ["classic", "taught", "taught_same", "teacher"]

    set_params(tmp_path, taught)
    code, text = check()
    assert code == 0
    assert text.count("own: doubtful: taught and taught_same will be left out: every recording of train") == 1

    def drawn(params):
        params["corpora"]["own"]["partitions"] |= {"labelled_speakers": 7, "label_draws": 9}

    set_params(tmp_path, drawn)
    code, text = check()
    assert code == 1
    assert "partitions.label_draws: found 9, expected at most 8: partitions.labelled_speakers 7" in text


def test_native_rates_that_differ_are_counted(corpus, tmp_path):
    root, add, check = corpus
    for name, rate in (("a", 48000), ("b", 16000), ("c", 48000)):
        with wave.open(str(root / f"{name}.wav"), "wb") as file:
            file.setnchannels(1)
            file.setsampwidth(2)
            file.setframerate(rate)
            file.writeframes(np.zeros(3 * rate, np.int16).tobytes())
        add(name, f"{name}.wav", "")
    wanted = "16000 Hz (1, b first), 48000 Hz (2, a first): their features differ for that alone"
    assert wanted not in check()[1]
    set_params(tmp_path, lambda p: p["corpora"]["own"]["audio"].update(sampling_rate_hz="native"))
    assert any(wanted in note for note in json.loads(check("--json")[1])["notes"])
    (root / "recordings.csv").write_text("recording,partition,speaker,audio,video,emotion\n")
    add("a", "a.wav", "")
    add("c", "c.wav", "")
    assert "Hz" not in check()[1]


def test_raters_where_the_gold_standard_is_asked_for_are_one_sentence(corpus, tmp_path):
    root, add, check = corpus

    def traces(params):
        sessions = params["corpora"]["demo_sessions"] | {"layout": "table", "root": "own"}
        params["corpora"]["own"] = sessions | {"dimensions": ["arousal"]}

    set_params(tmp_path, traces)
    write_clip(root / "a.mp4", sound=6, video=6)
    lines = ["recording,dimension,rater,time,value"]
    for name in ("a", "b"):
        add(name, "a.mp4", speaker=name)
        lines += [f"{name},arousal,{rater},{1000 * k},0.1" for rater in ("anna", "ben") for k in range(7)]
    (root / "traces.csv").write_text("\n".join(lines) + "\n")
    found = reasons(check("--json")[1])
    assert any(
        "found given, but the corpus has no gold standard of arousal, only 2 raters" in t for t in found[""]
    )
    assert not any("no labels of arousal" in text for own in found.values() for text in own)
    assert any("milliseconds" in text for text in found["a"])  # seen all the same


def test_a_row_that_was_deleted_is_a_recording_that_is_gone(corpus, tmp_path):
    root, add, check = corpus
    write_clip(root / "a.mp4")
    add("a", "a.mp4")
    manifest = tmp_path / "data/manifests/own.csv"
    manifest.parent.mkdir(parents=True)
    manifest.write_text(
        "recording,partition,speaker,audio,video,audio_sha256,video_sha256\n"
        f"gone,train,s,a.mp4,a.mp4,{'0' * 64},{'0' * 64}\n"
    )
    found = json.loads(check("--json")[1])
    assert (found["recordings"], [f for f in found["findings"] if f["recording"] == "gone"]) == (1, [])
