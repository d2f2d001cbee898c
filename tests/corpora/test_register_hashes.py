"""What register hashes and parses again, and what its cache on this machine spares it."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from pipeline.corpora.traces import load_traces
from tests.corpora.official_layouts import write_omg
from tests.corpora.register_corpus import Clone, Corpus, sha256


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
    assert row.sha256("audio") == row.sha256("video") == sha256(b"clip 74de88564 utterance_1.mp4")


def test_changed_medium_gets_a_new_hash_and_only_it_is_read(recola, hashed):
    recola.register()
    hashed.clear()
    (recola.root / "recordings_audio/dev_1.wav").write_bytes(b"new")
    summary = recola.register()
    assert hashed == ["dev_1.wav"]
    assert summary.changed == 1
    assert recola.rows()["dev_1"].sha256("audio") == sha256(b"new")


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
    assert recola.rows()["train_9"].medium("video") is None


def test_changed_annotation_is_parsed_again(recola):
    recola.register()
    path = recola.root / "ratings_gold_standard/arousal/dev_1.arff"
    path.write_bytes(path.read_bytes() + b"dev_1,10.04,0.5\r\n")
    assert recola.register().traces_written
    traces = load_traces(recola.paths.traces / "traces.parquet", rater="gold")
    assert (
        traces[(traces["recording"] == "dev_1") & (traces["dimension"] == "arousal")]["value"].iloc[-1] == 0.5
    )


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
