"""What register writes."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from pipeline.corpora.register import register
from pipeline.corpora.traces import load_traces
from pipeline.paths import Paths
from tests.corpora.official_layouts import gold, write_recola
from tests.corpora.register_corpus import Clone, Corpus, sha256


def test_manifest_and_traces(recola):
    summary = recola.register()
    assert (summary.recordings, summary.added, summary.hashed, summary.problems) == (6, 6, 12, 0)
    assert summary.manifest_written
    assert summary.traces_written
    rows = recola.rows()
    assert list(rows) == sorted(rows)
    assert rows["dev_1"].sha256("audio") == sha256(b"recordings_audio dev_1")
    assert rows["dev_1"].sha256("video") == sha256(b"recordings_video dev_1")
    traces = load_traces(recola.paths.traces / "traces.parquet", rater="gold")
    values = traces[(traces["recording"] == "dev_2") & (traces["dimension"] == "valence")]["value"]
    np.testing.assert_array_equal(values, gold("dev_2", "valence"))
    assert recola.problems() == [["recording", "file", "reason"]]
    assert str(summary) == "6 recordings, 6 added, 12 files hashed"


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
    damage(recola.paths.traces / lost)
    recola.register()
    assert [data for _, data, _, _ in recola.state()] == before


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
    (recola.paths.traces / ".traces.parquet.tmp").write_bytes(b"half")
    (recola.root / "ratings_gold_standard/arousal/dev_1.arff").unlink()
    recola.register()
    assert sorted(path.name for path in recola.paths.traces.iterdir()) == [
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


def test_register_without_work_does_not_import_pandas(recola):
    recola.register()
    code = (
        "import sys; from pathlib import Path; from types import SimpleNamespace as S\n"
        "from pipeline.corpora.register import register; from pipeline.paths import Paths\n"
        f"paths = Paths('c', Path({str(recola.checkout)!r}))\n"
        "given = S(method='given')\n"
        "corpus = S(layout='avec2016', root=Path('data/raw/c'), extract=('audio', 'video'), features={},\n"
        "           partitions=given, media_folders=())\n"
        f"register(corpus, paths, Path({str(recola.hashes)!r}))\n"
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
        register(corpus, Paths("c", tmp_path), tmp_path / "hashes.json")
    assert put in str(caught.value)
    assert get in str(caught.value)
