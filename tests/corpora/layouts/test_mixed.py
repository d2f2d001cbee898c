"""Mixed corpora: whose recordings, which media, which labels; and what a clone without media keeps."""

from __future__ import annotations

import http.server
import shutil
import threading
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from pipeline.corpora.class_names import EMOTIONS
from pipeline.corpora.layouts.mixed_parts import halves
from pipeline.corpora.problems import NotOnDisk
from pipeline.corpora.recording import read_manifest
from pipeline.corpora.register import register
from pipeline.corpora.traces import load_traces
from pipeline.params import Partitions, Scenario, Source, load_params
from pipeline.params.label_draws import label_draws
from pipeline.params.scenario import parse_scenario
from pipeline.paths import Paths
from pipeline.tools.checking import NOT_HERE, check
from tests import parameters
from tests.corpora.official_layouts import gold, write_omg, write_recola

GIVEN = load_params(parameters.PATH).corpora["own"]


@dataclass
class Corpus:
    """The parameters that register and check read."""

    layout: str
    root: Path
    task: str = "regression"
    dimensions: tuple[str, ...] = ("arousal",)
    scenarios: tuple[Scenario, ...] = ()
    sources: dict[str, Source] = field(default_factory=dict)
    extract: tuple[str, ...] = ("audio", "video")
    features: dict = field(default_factory=dict)
    partitions: Partitions = Partitions(method="given", folds=None, seed=0)  # noqa: RUF009
    media_folders: tuple[Path, ...] = ()
    grid, labels = GIVEN.grid, GIVEN.labels
    audio, video, text, learning = GIVEN.audio, GIVEN.video, GIVEN.text, GIVEN.learning
    report, evaluation = GIVEN.report, GIVEN.evaluation

    @property
    def inputs(self):
        return tuple(name for s in self.scenarios for name in s.modalities)

    @property
    def label_draws(self):
        return label_draws((), None, 1)


def scenarios(*texts: str) -> tuple[Scenario, ...]:
    return tuple(Scenario(**parse_scenario(text)) for text in texts)


@dataclass
class Checkout:
    """A checkout with corpora beside each other, of which `mixed` is one."""

    root: Path
    corpora: dict[str, Corpus]

    @property
    def paths(self):
        return Paths("mixed", self.root)

    def register(self, name="mixed"):
        paths = Paths(name, self.root)
        return register(self.corpora[name], paths, self.root / ".emobed/hashes.json", self.corpora)

    def check(self):
        return check(self.corpora["mixed"], self.paths, corpora=self.corpora)

    def rows(self):
        return {item.recording: item for item in read_manifest(self.paths.manifest)}

    def traces(self):
        return load_traces(self.paths.traces / "traces.parquet")

    def problems(self):
        table = pd.read_csv(self.paths.traces / "problems.csv", keep_default_na=False)
        return [tuple(row) for row in table.to_numpy()]

    def classes(self):
        return pd.read_json(self.paths.traces / "classes.json", typ="series").tolist()

    def without(self, name, to):
        """Clone it with manifests and traces, and the media of all corpora but one."""
        shutil.copytree(self.root, to)
        shutil.rmtree(to / self.corpora[name].root)
        (to / ".emobed/hashes.json").unlink()
        return Checkout(to, self.corpora)


def source(corpus, half=None):
    return Source(corpus=corpus, half=half)


@pytest.fixture
def cut(tmp_path):
    """Return a checkout whose mixed corpus is one of RECOLA's layout, cut into halves."""
    checkout = Checkout(
        tmp_path / "a",
        {
            "recola": Corpus("avec2016", Path("data/raw/recola")),
            "mixed": Corpus(
                "mixed",
                Path(),
                dimensions=("arousal", "valence"),
                scenarios=scenarios("audio@heard+video@seen", "video@seen+audio@heard"),
                sources={"heard": source("recola", "first"), "seen": source("recola", "second")},
            ),
        },
    )
    write_recola(checkout.root / "data/raw/recola", per_partition=3)
    return checkout


def write_table(root: Path, rows: list[str]) -> None:
    root.mkdir(parents=True, exist_ok=True)
    (root / "recordings.csv").write_text(
        "\n".join(["recording,partition,speaker,audio,video,emotion", *rows]) + "\n"
    )
    for row in rows:
        for cell in row.split(",")[3:5]:
            if cell:
                (root / cell).write_bytes(cell.encode())


@pytest.fixture
def two(tmp_path):
    """Return a checkout that mixes the sound of a table with the video of OMG-Emotion's layout."""
    checkout = Checkout(
        tmp_path / "a",
        {
            "own": Corpus("table", Path("data/raw/own"), "classification", ("emotion",)),
            "omg": Corpus("omg", Path("data/raw/omg"), "classification", ("emotion",)),
            "mixed": Corpus(
                "mixed",
                Path(),
                "classification",
                ("emotion",),
                scenarios("audio@voices+video@faces"),
                {"voices": source("own"), "faces": source("omg")},
            ),
        },
    )
    write_omg(checkout.root / "data/raw/omg")  # neutral, anger, happy in train, sad in dev
    write_table(
        checkout.root / "data/raw/own",
        [
            "one,train,anna,1.wav,1.mp4,joy",
            "two,train,ben,2.wav,,happy",
            "three,train,ben,3.wav,3.mp4,neutral",
            "four,test,cem,4.wav,4.mp4,neutral",
            "mute,test,cem,,5.mp4,happy",
        ],
    )
    return checkout


def test_halves_alternate_by_name_within_each_partition():
    speakers = [("c", "train"), ("a", "train"), ("b", "train"), ("x", "dev"), ("y", "test"), ("z", "test")]
    assert halves(speakers) == {"first": {"a", "c", "x", "y"}, "second": {"b", "z"}}
    # who is in two partitions counts where first, and is in one half only
    twice = [("a", "train"), ("b", "train"), ("b", "dev"), ("d", "dev")]
    assert halves(twice) == {"first": {"a", "d"}, "second": {"b"}}


def test_one_half_is_heard_and_the_other_seen(cut):
    summary = cut.register()
    assert (summary.recordings, summary.hashed, summary.problems) == (9, 9, 0)
    rows = cut.rows()
    assert list(rows) == [
        "heard/dev_1", "heard/dev_3", "heard/test_1", "heard/test_3", "heard/train_1", "heard/train_3",
        "seen/dev_2", "seen/test_2", "seen/train_2",
    ]  # fmt: skip
    heard, seen = rows["heard/train_3"], rows["seen/train_2"]
    assert (heard.partition, heard.speaker) == ("train", "heard/train_3")
    assert heard.medium("audio") == Path("data/raw/recola/recordings_audio/train_3.wav")
    assert heard.medium("video") is None
    assert seen.medium("video") == Path("data/raw/recola/recordings_video/train_2.mp4")
    assert seen.medium("audio") is None
    cut.register("recola")
    own = {r.recording: r for r in read_manifest(Paths("recola", cut.root).manifest)}
    assert heard.sha256("audio") == own["train_3"].sha256("audio")  # the same unit of the store
    assert seen.sha256("video") == own["train_2"].sha256("video")


def test_traces_are_the_sources(cut):
    cut.register()
    traces = cut.traces()
    assert set(traces["recording"]) == {name for name in cut.rows() if "/test_" not in name}
    for name in ("heard/dev_3", "seen/train_2"):
        rows = traces.query(f"recording == '{name}' and dimension == 'valence' and rater == 'gold'")
        np.testing.assert_array_equal(rows["value"], gold(name.partition("/")[2], "valence"))


def test_only_dimensions_that_are_predicted_and_a_new_one_is_read(cut):
    cut.corpora["mixed"].dimensions = ("arousal",)
    cut.register()
    assert set(cut.traces()["dimension"]) == {"arousal"}
    assert cut.register().traces_written is False
    cut.corpora["mixed"].dimensions = ("arousal", "valence")
    assert cut.register().traces_written
    assert set(cut.traces()["dimension"]) == {"arousal", "valence"}


def test_other_scenarios_take_other_media(cut):
    mixed = cut.corpora["mixed"]
    cut.register()
    mixed.scenarios = scenarios("audio@heard+video@seen", "audio@heard+video@heard")
    cut.register()
    row = cut.rows()["heard/train_1"]
    assert (row.medium("audio").name, row.medium("video").name) == ("train_1.wav", "train_1.mp4")
    mixed.scenarios = scenarios("audio@heard+video@heard")
    cut.register()
    assert {name.partition("/")[0] for name in cut.rows()} == {"heard"}
    assert cut.problems() == [("", "params.yaml", "source 'seen' is named by no scenario: left out")]
    mixed.scenarios = ()
    cut.register()
    assert all(row.medium("audio") and row.medium("video") for row in cut.rows().values())
    assert len(cut.rows()) == 9


def test_exchanged_halves_leave_nobody_in_both(cut):
    cut.register()
    cut.corpora["mixed"].sources = {"heard": source("recola", "second"), "seen": source("recola", "first")}
    summary = cut.register()
    assert (summary.recordings, summary.added, summary.dropped) == (9, 9, 9)
    assert {n for n in cut.rows() if n.startswith("heard/")} == {
        "heard/dev_2",
        "heard/test_2",
        "heard/train_2",
    }


def test_a_source_that_becomes_another_corpus_leaves_nothing_behind(cut):
    cut.register()
    cut.corpora["other"] = Corpus("avec2016", Path("data/raw/other"))
    write_recola(cut.root / "data/raw/other", per_partition=1)
    cut.corpora["mixed"].sources["heard"] = source("other")
    cut.register()
    assert [(name, row.medium("audio")) for name, row in cut.rows().items() if name.startswith("heard/")] == [
        (f"heard/{partition}_1", Path(f"data/raw/other/recordings_audio/{partition}_1.wav"))
        for partition in ("dev", "test", "train")
    ]


def test_a_url_stays_one(two, monkeypatch):
    handler = partial(http.server.SimpleHTTPRequestHandler, directory=two.root / "data/raw/own")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        host = f"127.0.0.1:{server.server_address[1]}"
        monkeypatch.setenv("EMOBED_URL_HOSTS", host)
        own = two.root / "data/raw/own/recordings.csv"
        one, two_ = (f"http://{host}/{name}.wav" for name in ("1", "nowhere/2"))
        own.write_text(own.read_text().replace(",1.wav,", f",{one},").replace(",2.wav,", f",{two_},"))
        two.register()
        server.shutdown()
    assert two.rows()["voices/one"].medium("audio").as_posix() == one
    assert len(two.rows()["voices/one"].sha256("audio")) == 64
    assert ("voices/two", two_, NotOnDisk.REASON) in two.problems()


def test_a_dimension_that_a_source_lacks(cut):
    shutil.rmtree(cut.root / "data/raw/recola/ratings_gold_standard/valence")
    shutil.rmtree(cut.root / "data/raw/recola/ratings_individual/valence")
    sentence = (
        r"corpora\.mixed\.dimensions: found valence, but no recording of source heard \(corpus recola\) is"
    )
    with pytest.raises(ValueError, match=sentence):
        cut.register()
    cut.corpora["mixed"].scenarios = ()  # features only: no labels are needed
    cut.register()


def test_folds_refuse_a_speaker_with_two_names(cut):
    mixed = cut.corpora["mixed"]
    mixed.partitions = Partitions(method="cross_validation", folds=3, seed=0)
    cut.register()
    mixed.sources = {"heard": source("recola"), "seen": source("recola", "second")}
    with pytest.raises(ValueError, match="heard and seen take the same speakers of recola under two names"):
        cut.register()


def test_classes_are_matched_by_name(two):
    summary = two.register()
    # shared by both: happy and neutral; OMG's codes 3 and 4 become 0 and 1
    assert two.classes() == ["happy", "neutral"]
    found = two.traces()
    assert dict(zip(found["recording"].astype(str), found["value"], strict=True)) == {
        "faces/07ab3c980_1/utterance_1": 0.0,
        "faces/74de88564/utterance_1": 1.0,
        "voices/four": 1.0,
        "voices/three": 1.0,
        "voices/two": 0.0,
    }
    sentence = "source '{}': recordings without label, since not all sources have their class {}: 1"
    links, *others = two.problems()
    assert links[:2] == ("", "data/raw/omg/omg_*Videos.csv")
    assert others == [
        ("", "params.yaml", sentence.format("faces", "anger")),
        ("", "params.yaml", sentence.format("faces", "sad")),
        ("", "params.yaml", sentence.format("voices", "joy")),
    ]
    assert summary.recordings == 9
    assert set(two.rows()) >= {"voices/one", "faces/33ab12cd0/utterance_1"}
    assert "voices/mute" not in two.rows()  # it has no sound


def test_no_class_in_common(two):
    write_table(two.root / "data/raw/own", ["one,train,anna,1.wav,,joy", "two,dev,ben,2.wav,,happy"])
    sentence = (
        "found 1 classes that all sources have, expected two or more of the same names: "
        "voices has happy, joy; faces has anger, happy, neutral, sad"
    )
    with pytest.raises(ValueError, match=sentence):
        two.register()


def test_media_that_are_not_taken_are_not_missed(two):
    (two.root / "data/raw/own/1.mp4").unlink()
    (two.root / "data/raw/own/2.wav").unlink()
    (two.root / "data/raw/omg/Train/74de88564/utterance_3.mp4").unlink()
    summary = two.register()
    absent = [(name, file) for name, file, reason in two.problems() if reason == NotOnDisk.REASON]
    assert absent == [
        ("faces/74de88564/utterance_3", "data/raw/omg/Train/74de88564/utterance_3.mp4"),
        ("voices/two", "data/raw/own/2.wav"),
    ]
    assert (summary.recordings, summary.missing) == (8, 1)


def test_a_source_that_is_nowhere_is_named(two):
    shutil.rmtree(two.root / "data/raw/omg")
    sentence = (
        r"corpora\.mixed\.sources\.faces: corpus omg is not at .*data/raw/omg, expected the files omg_Train"
    )
    with pytest.raises(ValueError, match=sentence):
        two.register()


def test_a_clone_without_media_keeps_everything(two, tmp_path):
    two.register()
    clone = two.without("omg", tmp_path / "b")
    shutil.rmtree(clone.root / "data/raw/own")
    summary = clone.register()
    assert summary.without_media
    assert clone.rows() == two.rows()
    assert {item.reason for item in clone.check().findings} == {NOT_HERE}


@pytest.mark.parametrize("absent", ["omg", "own"])
def test_a_clone_with_the_media_of_one_source_keeps_the_others(two, tmp_path, absent):
    two.register()
    clone = two.without(absent, tmp_path / "b")
    summary = clone.register()
    assert (summary.added, summary.dropped, summary.changed) == (0, 0, 0)
    assert clone.rows() == two.rows()
    assert clone.classes() == two.classes()
    pd.testing.assert_frame_equal(clone.traces(), two.traces())


def test_halves_stay_where_some_media_are_absent(cut, tmp_path):
    cut.register()
    clone = Checkout(tmp_path / "b", cut.corpora)
    shutil.copytree(cut.root, clone.root)
    for path in clone.root.glob("data/raw/recola/recordings_*/*"):
        if path.stem != "train_2":  # alone in its folder, it would be in the first half
            path.unlink()
    clone.register()
    assert clone.rows() == cut.rows()
    pd.testing.assert_frame_equal(clone.traces(), cut.traces())


def test_a_medium_of_a_table_that_is_elsewhere_keeps_its_hash(two):
    two.register()
    before = two.rows()
    (two.root / "data/raw/own/1.wav").unlink()
    summary = two.register()
    assert (summary.absent, summary.problems) == (1, 4)
    assert two.rows() == before


def test_a_line_dropped_from_a_table_is_dropped_here(two):
    two.register()
    path = two.root / "data/raw/own/recordings.csv"
    path.write_text("".join(line for line in path.read_text().splitlines(True) if not line.startswith("one")))
    assert two.register().dropped == 1
    assert "voices/one" not in two.rows()


def test_omg_codes_stay_where_all_classes_are_shared(two):
    write_table(
        two.root / "data/raw/own",
        [f"r{code},train,s{code},{code}.wav,,{name}" for code, name in enumerate(EMOTIONS)],
    )
    two.register()
    assert two.classes() == ["anger", "happy", "neutral", "sad"]


def test_check_looks_at_the_media_that_are_taken(two):
    two.register()
    found = two.check()
    assert found.recordings == 9
    broken = {item.file for item in found.findings if "cannot be decoded" in item.reason}
    assert "data/raw/own/1.wav" in broken
    assert "data/raw/own/1.mp4" not in broken


def test_a_word_for_no_label_in_a_source_is_none_here(two):
    own = two.root / "data/raw/own"
    listed = (own / "recordings.csv").read_text().replace("2.wav,,happy", "2.wav,,NA")
    (own / "recordings.csv").write_text(listed.replace("4.mp4,neutral", "4.mp4,happy"))
    # of a recording that is in no list
    (own / "traces.csv").write_text("recording,dimension,rater,time,value\nghost,arousal,a,0,NA\n")
    two.register()
    found = two.check()
    assert not [item for item in found.findings if item.recording == "voices/two" and "label" in item.reason]
    assert "data/raw/own/recordings.csv: no label of emotion where the cell is NA (1): labels.absent" in (
        found.notes
    )
