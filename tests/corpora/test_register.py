from __future__ import annotations

import csv
import hashlib
import json
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest

from pipeline.corpora import hashes as hashes_module
from pipeline.corpora.interface import MISSING
from pipeline.corpora.recording import read_manifest
from pipeline.corpora.register import register
from pipeline.corpora.traces import load_traces
from pipeline.layout import Layout
from tests.corpora.official_layouts import gold, write_omg, write_recola
from tests.corpora.register_corpus import Corpus


@dataclass
class Clone:
    """One checkout with a corpus beside it."""

    checkout: Path
    corpus: Corpus
    name: str = "c"

    @property
    def layout(self):
        return Layout(self.name, self.checkout)

    @property
    def root(self):
        return self.checkout / self.corpus.root

    @property
    def hashes(self):
        return self.checkout / ".emobed/hashes.json"

    def register(self):
        return register(self.corpus, self.layout, self.hashes)

    def rows(self):
        return {item.recording: item for item in read_manifest(self.layout.manifest)}

    def annotated(self):
        return set(load_traces(self.layout.traces / "traces.parquet")["recording"])

    def problems(self):
        with (self.layout.traces / "problems.csv").open(newline="") as file:
            return list(csv.reader(file))

    def files(self):
        return [self.layout.manifest, *sorted(self.layout.traces.iterdir())]

    def state(self):
        return [
            (path, path.read_bytes(), path.stat().st_mtime_ns, path.stat().st_ino) for path in self.files()
        ]

    def without_media(self, checkout):
        """Clone what git and DVC would bring: manifest and traces, no media, no cache."""
        shutil.copytree(self.checkout / "data/manifests", checkout / "data/manifests")
        shutil.copytree(self.checkout / "data/labels", checkout / "data/labels")
        return Clone(checkout, self.corpus)


@pytest.fixture
def recola(tmp_path):
    clone = Clone(tmp_path / "a", Corpus("avec2016", Path("data/raw/c")))
    write_recola(clone.root)
    return clone


@pytest.fixture
def omg(tmp_path):
    clone = Clone(tmp_path / "a", Corpus("omg", Path("data/raw/c")))
    write_omg(clone.root)
    return clone


@pytest.fixture
def table(tmp_path):
    clone = Clone(tmp_path / "a", Corpus("table", Path("data/raw/c")))
    clone.root.mkdir(parents=True)
    lines = ["recording,partition,speaker,audio,video,arousal"]
    for name in ("one", "two", "three"):
        (clone.root / f"{name}.wav").write_bytes(name.encode())
        lines.append(f"{name},train,{name},{name}.wav,,0.5")
    (clone.root / "recordings.csv").write_text("\n".join(lines) + "\n")
    return clone


@pytest.fixture
def hashed(monkeypatch):
    """Record which files are hashed."""
    paths = []
    original = hashes_module.sha256_of
    monkeypatch.setattr(hashes_module, "sha256_of", lambda path: paths.append(path.name) or original(path))
    return paths


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_manifest_and_traces(recola):
    summary = recola.register()
    assert (summary.recordings, summary.added, summary.hashed, summary.problems) == (6, 6, 12, 0)
    assert summary.manifest_written
    assert summary.traces_written
    rows = recola.rows()
    assert list(rows) == sorted(rows)
    assert rows["dev_1"].audio_sha256 == sha256(b"recordings_audio dev_1")
    assert rows["dev_1"].video_sha256 == sha256(b"recordings_video dev_1")
    traces = load_traces(recola.layout.traces / "traces.parquet", rater="gold")
    values = traces[(traces["recording"] == "dev_2") & (traces["dimension"] == "valence")]["value"]
    np.testing.assert_array_equal(values, gold("dev_2", "valence"))
    assert recola.problems() == [["recording", "file", "reason"]]
    assert str(summary) == "6 recordings, 6 added, 12 files hashed"


def test_second_run_writes_hashes_and_parses_nothing(recola, hashed, monkeypatch):
    recola.register()
    before = recola.state()
    hashed.clear()
    monkeypatch.setattr("pipeline.corpora.traces.trace_table", None)
    summary = recola.register()
    assert hashed == []
    assert recola.state() == before
    assert (summary.hashed, summary.manifest_written, summary.traces_written) == (0, False, False)


def test_a_media_file_for_both_modalities_is_hashed_once(omg, hashed):
    omg.register()
    assert len(hashed) == 5
    row = omg.rows()["74de88564/utterance_1"]
    assert row.audio_sha256 == row.video_sha256 == sha256(b"clip 74de88564 utterance_1.mp4")


def test_changed_medium_gets_a_new_hash_and_only_it_is_read(recola, hashed):
    recola.register()
    hashed.clear()
    (recola.root / "recordings_audio/dev_1.wav").write_bytes(b"new")
    summary = recola.register()
    assert hashed == ["dev_1.wav"]
    assert summary.changed == 1
    assert recola.rows()["dev_1"].audio_sha256 == sha256(b"new")


def test_same_length_but_another_time_is_hashed_again(recola, hashed):
    recola.register()
    hashed.clear()
    path = recola.root / "recordings_audio/dev_1.wav"
    os.utime(path, ns=(1, 1))
    assert recola.register().manifest_written is False
    assert hashed == ["dev_1.wav"]


def test_added_recording_is_the_only_one_hashed(recola, hashed):
    recola.register()
    hashed.clear()
    (recola.root / "recordings_audio/train_9.wav").write_bytes(b"nine")
    summary = recola.register()
    assert hashed == ["train_9.wav"]
    assert summary.added == 1
    assert recola.rows()["train_9"].video is None


def test_changed_annotation_is_parsed_again(recola):
    recola.register()
    path = recola.root / "ratings_gold_standard/arousal/dev_1.arff"
    path.write_bytes(path.read_bytes() + b"dev_1,10.04,0.5\r\n")
    assert recola.register().traces_written
    traces = load_traces(recola.layout.traces / "traces.parquet", rater="gold")
    assert (
        traces[(traces["recording"] == "dev_1") & (traces["dimension"] == "arousal")]["value"].iloc[-1] == 0.5
    )


def test_a_broken_annotation_is_listed(recola):
    (recola.root / "ratings_gold_standard/arousal/dev_1.arff").write_text("@data\n")
    assert recola.register().problems == 1
    (row,) = recola.problems()[1:]
    assert row[:2] == ["dev_1", "ratings_gold_standard/arousal/dev_1.arff"]


@pytest.mark.parametrize("lost", ["traces.parquet", "problems.csv", "classes.json"])
@pytest.mark.parametrize("damage", [Path.unlink, lambda path: path.write_bytes(b"damaged")])
def test_a_lost_or_damaged_output_is_made_again(recola, lost, damage):
    recola.register()
    before = [data for _, data, _, _ in recola.state()]
    damage(recola.layout.traces / lost)
    recola.register()
    assert [data for _, data, _, _ in recola.state()] == before


@pytest.mark.parametrize(
    "content",
    [b"", b"{", b"[]", b'{"version":1,"corpora":{"x":3}}', b'{"version":99,"corpora":{}}', b"\xff\xfe"],
)
def test_a_damaged_cache_is_ignored_and_rebuilt(recola, content):
    recola.register()
    before = recola.state()
    recola.hashes.write_bytes(content)
    assert recola.register().hashed == 12
    assert recola.state() == before
    assert recola.register().hashed == 0


def test_a_cache_entry_of_another_shape_is_ignored(recola):
    recola.register()
    cache = json.loads(recola.hashes.read_bytes())
    entry = next(iter(cache["corpora"].values()))
    entry["media"][next(iter(entry["media"]))] = ["long", "ago", "x"]
    recola.hashes.write_text(json.dumps(cache))
    assert recola.register().hashed == 12


def test_the_cache_keeps_other_corpora(recola, tmp_path):
    recola.register()
    other = Clone(recola.checkout, Corpus("omg", Path("data/raw/other")), name="other")
    write_omg(other.root)
    other.register()
    assert recola.register().hashed == 0
    assert other.register().hashed == 0


def test_read_only_and_hard_linked_outputs_are_replaced_not_written_through(recola):
    recola.register()
    links = {}
    for path in recola.files():
        links[path] = recola.checkout / f"cache_of_{path.name}"
        os.link(path, links[path])
        path.chmod(0o444)
    before = {path: path.read_bytes() for path in links}
    (recola.root / "recordings_audio/train_9.wav").write_bytes(b"nine")
    (recola.root / "ratings_gold_standard/arousal/dev_1.arff").unlink()
    (recola.root / "ratings_gold_standard/arousal/dev_2.arff").write_bytes(b"")
    recola.register()
    for path, link in links.items():
        assert link.read_bytes() == before[path]
    assert "train_9" in recola.rows()
    assert len(recola.problems()) == 2


def test_left_over_temporary_files_go(recola):
    recola.register()
    (recola.layout.traces / ".traces.parquet.tmp").write_bytes(b"half")
    (recola.root / "ratings_gold_standard/arousal/dev_1.arff").unlink()
    recola.register()
    assert sorted(path.name for path in recola.layout.traces.iterdir()) == [
        "classes.json",
        "problems.csv",
        "traces.parquet",
    ]


def test_same_corpus_same_bytes_elsewhere(recola, tmp_path):
    recola.register()
    other = Clone(tmp_path / "b", recola.corpus)
    write_recola(other.root)
    other.register()
    assert [path.read_bytes() for path in recola.files()] == [path.read_bytes() for path in other.files()]


class TestClonesWithoutMedia:
    def test_nothing_here_keeps_everything(self, recola, tmp_path):
        recola.register()
        clone = recola.without_media(tmp_path / "b")
        before = clone.state()
        summary = clone.register()
        assert clone.state() == before
        assert summary.without_media
        assert (summary.recordings, summary.absent) == (6, 6)
        assert str(summary) == "6 recordings, no media here: manifest and traces kept as they are"

    def test_neither_manifest_nor_corpus(self, tmp_path):
        clone = Clone(tmp_path, Corpus("avec2016", Path("data/raw/c")))
        with pytest.raises(ValueError, match=r"corpora\.c\.root: .*data/raw/c is not there .* params\.yaml"):
            clone.register()

    def test_empty_folders_and_no_manifest(self, tmp_path):
        clone = Clone(tmp_path, Corpus("avec2016", Path("data/raw/c")))
        (clone.root / "recordings_audio").mkdir(parents=True)
        with pytest.raises(ValueError, match=r"corpora\.c\.root: .* holds no recording"):
            clone.register()

    def test_manifest_but_no_traces(self, recola, tmp_path):
        recola.register()
        clone = recola.without_media(tmp_path / "b")
        shutil.rmtree(clone.layout.traces)
        with pytest.raises(ValueError, match=r"traces\.parquet is not here, .* `dvc pull`"):
            clone.register()

    def test_own_recordings_are_added_and_the_colleagues_kept(self, recola, tmp_path, hashed):
        (recola.root / "ratings_gold_standard/arousal/train_2.arff").write_bytes(b"")
        recola.register()
        clone = recola.without_media(tmp_path / "b")
        (clone.root / "recordings_audio").mkdir(parents=True)
        (clone.root / "recordings_audio/train_7.wav").write_bytes(b"seven")
        old = recola.rows()
        hashed.clear()
        summary = clone.register()
        assert hashed == ["train_7.wav"]
        assert (summary.added, summary.absent, summary.dropped, summary.changed) == (1, 6, 0, 0)
        assert {name: row for name, row in clone.rows().items() if name != "train_7"} == old
        assert clone.annotated() == recola.annotated()
        assert clone.problems() == recola.problems()
        before = clone.state()
        assert clone.register().traces_written is False
        assert clone.state() == before

    def test_kept_rows_without_traces_are_not_lost_silently(self, recola, tmp_path):
        recola.register()
        clone = recola.without_media(tmp_path / "b")
        (clone.root / "recordings_audio").mkdir(parents=True)
        (clone.root / "recordings_audio/train_7.wav").write_bytes(b"seven")
        shutil.rmtree(clone.layout.traces)
        with pytest.raises(ValueError, match=r"`dvc pull`"):
            clone.register()

    def test_one_medium_of_a_recording_is_absent(self, recola):
        recola.register()
        before = recola.rows()["dev_1"]
        (recola.root / "recordings_video/dev_1.mp4").unlink()
        assert recola.register().absent == 1
        assert recola.rows()["dev_1"] == before

    def test_clips_that_went_away_are_absent_not_missing(self, omg):
        omg.register()
        before = omg.state()
        shutil.rmtree(omg.root / "Train/74de88564")
        summary = omg.register()
        assert (summary.recordings, summary.absent, summary.missing) == (5, 2, 0)
        assert [data for _, data, _, _ in omg.state()] == [data for _, data, _, _ in before]

    def test_clips_never_seen_are_missing(self, omg):
        (omg.root / "Train/74de88564/utterance_1.mp4").unlink()
        summary = omg.register()
        assert (summary.recordings, summary.absent, summary.missing) == (4, 0, 1)
        assert ["74de88564/utterance_1", "Train/74de88564/utterance_1.mp4", MISSING] in omg.problems()

    def test_a_dropped_row_with_its_files_is_gone(self, recola):
        recola.register()
        for path in recola.root.rglob("dev_1.*"):
            path.unlink()
        lines = recola.layout.manifest.read_text().splitlines(keepends=True)
        recola.layout.manifest.write_text("".join(line for line in lines if not line.startswith("dev_1")))
        recola.register()
        assert "dev_1" not in recola.rows()
        assert "dev_1" not in recola.annotated()

    def test_in_a_table_the_csv_is_the_list(self, table):
        table.register()
        path = table.root / "recordings.csv"
        path.write_text(
            "".join(line for line in path.read_text().splitlines(True) if not line.startswith("two"))
        )
        (table.root / "one.wav").unlink()
        summary = table.register()
        assert (summary.dropped, summary.absent, summary.problems) == (1, 1, 0)
        assert table.rows()["one"].audio_sha256 == sha256(b"one")
        assert table.annotated() == {"one", "three"}

    def test_a_table_row_that_names_another_file_forgets_the_hash(self, table):
        table.register()
        path = table.root / "recordings.csv"
        path.write_text(path.read_text().replace("one.wav", "uno.wav"))
        summary = table.register()
        assert (summary.absent, summary.problems) == (0, 1)
        assert table.rows()["one"].audio_sha256 == ""
        assert table.problems()[1] == ["one", "uno.wav", MISSING]


def test_a_wrong_table_does_not_cost_the_hashes(table, hashed):
    path = table.root / "recordings.csv"
    good = path.read_text()
    path.write_text(good.replace("0.5", "high", 1))
    with pytest.raises(ValueError, match="found arousal 'high'"):
        table.register()
    path.write_text(good)
    hashed.clear()
    table.register()
    assert hashed == []


def test_register_without_work_does_not_import_pandas(recola):
    recola.register()
    code = (
        "import sys; from pathlib import Path; from types import SimpleNamespace as S\n"
        "from pipeline.corpora.register import register; from pipeline.layout import Layout\n"
        f"layout = Layout('c', Path({str(recola.checkout)!r}))\n"
        "given = S(method='given')\n"
        "corpus = S(layout='avec2016', root=Path('data/raw/c'), extract=('audio', 'video'), features={},\n"
        "           partitions=given, media_folders=())\n"
        f"register(corpus, layout, Path({str(recola.hashes)!r}))\n"
        "assert not {'pandas', 'numpy', 'pyarrow'} & set(sys.modules), sys.modules.keys()"
    )
    subprocess.run([sys.executable, "-c", code], check=True, cwd=Path(__file__).parents[2])


@pytest.mark.parametrize(
    ("layout", "put", "get"),
    [
        ("avec2016", "the folders recordings_audio", "under a EULA: https://diuf.unifr.ch/main/diva/recola"),
        (
            "omg",
            "the files omg_TrainVideos.csv",
            "https://github.com/knowledgetechnologyuhh/OMGEmotionChallenge",
        ),
        ("table", "a file recordings.csv", "docs/own-corpus.md shows how"),
    ],
)
def test_an_absent_corpus_is_asked_for_with_where_to_put_it_and_where_to_get_it(tmp_path, layout, put, get):
    corpus = Corpus(layout, Path("data/raw/c"))
    with pytest.raises(ValueError, match=r"corpora\.c\.root: .*data/raw/c is not there") as caught:
        register(corpus, Layout("c", tmp_path), tmp_path / "hashes.json")
    assert put in str(caught.value)
    assert get in str(caught.value)
