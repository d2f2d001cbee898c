from __future__ import annotations

import hashlib
import json
from pathlib import Path

import numpy as np
import pytest

from pipeline.corpora.recording import Medium
from pipeline.corpora.transcripts import cell
from pipeline.features.extractor import Given, NotReadyError
from pipeline.features.media.opening import MediaError
from pipeline.features.text import word_vectors
from pipeline.features.text.word_vectors import WordVectors
from pipeline.params import Text
from tests.features.text.vectors import WORDS, glove, package, wheel


@pytest.fixture
def vectors(tmp_path):
    return WordVectors(Text(file=str(glove(tmp_path / "glove.txt"))))


def mean_of(*words):
    return np.mean([WORDS[word] for word in words], axis=0).astype(np.float32)


def test_a_row_is_the_mean_of_the_words_that_have_a_vector(vectors):
    rows = vectors.row("I am HAPPY, happy!")
    np.testing.assert_array_equal(rows.values, [mean_of("i", "am", "happy", "happy")])
    assert rows.valid.tolist() == [True]
    assert rows.names == ("vector_0", "vector_1", "vector_2")
    assert (rows.start.tolist(), rows.end.tolist()) == ([0.0], [0.0])
    assert rows.damage == (0.0, "")


def test_words_without_a_vector_are_left_out_or_count_as_zeros(vectors):
    left_out = vectors.row("I am Grumpelstilzchen happy")
    zero = WordVectors(vectors.text.model_copy(update={"unknown_words": "zero"})).row("I am Grumpel happy")
    np.testing.assert_array_equal(left_out.values, [mean_of("i", "am", "happy")])
    np.testing.assert_allclose(zero.values, [mean_of("i", "am", "happy") * 0.75], rtol=1e-6)
    for rows in (left_out, zero):
        assert rows.damage == (0.25, "1 of 4 words have no vector")  # which, stays with the transcript


@pytest.mark.parametrize(("text", "words"), [("", 0), ("...!", 0), ("Grumpel stilz", 2)])
def test_who_says_nothing_that_has_a_vector_has_a_row_that_is_not_valid(vectors, text, words):
    rows = vectors.row(text)
    assert rows.valid.tolist() == [False]
    np.testing.assert_array_equal(rows.values, np.zeros((1, 3)))
    assert rows.damage.share == (1.0 if words else 0.0)


def test_contractions_are_found_as_the_table_spells_them(vectors):
    np.testing.assert_array_equal(vectors.row("I don’t").values, [mean_of("i", "do", "n't")])


def test_the_file_is_read_once_for_all_recordings(vectors, tmp_path, monkeypatch):
    given = []
    for name, words in (("a", "I am happy"), ("b", "not sad"), ("c", "Grumpel")):
        (tmp_path / f"{name}.txt").write_text(words)
        given.append(Given(name, tmp_path / f"{name}.txt", None, Medium(Path(f"{name}.txt"))))
    given.append(Given("d", tmp_path / "missing.txt", None, Medium(Path("missing.txt"))))
    prepared = vectors.prepared(given)
    apart = [vectors.extract(one, "cpu") for one in given[:3]]
    monkeypatch.setattr(word_vectors, "read_vectors", None)
    together = [prepared.extract(one, "cpu") for one in given[:3]]
    assert [rows.sha256() for rows in together] == [rows.sha256() for rows in apart]
    with pytest.raises(MediaError, match=r"missing\.txt: no such file"):
        prepared.extract(given[3], "cpu")


def test_words_of_a_table_are_found_by_their_hash(vectors, tmp_path):
    table = tmp_path / "recordings.csv"
    table.write_text('recording;Transcript\none;"I, am ""happy"""\ntwo;"sad\nnot"\n')
    words = 'I, am "happy"'
    given = Given("one", table, None, cell(Path(table.name), words))
    np.testing.assert_array_equal(vectors.extract(given, "cpu").values, [mean_of("i", "am", "happy")])
    two = given._replace(recording="two", medium=cell(Path(table.name), "sad\nnot"))
    np.testing.assert_array_equal(vectors.extract(two, "cpu").values, [mean_of("sad", "not")])
    table.write_text("recording,transcript\none,I am sad\n")
    with pytest.raises(MediaError, match=r"recordings\.csv: no cell of the column transcript has the words"):
        vectors.extract(given, "cpu")


def test_a_file_of_words_has_any_utf8_and_no_other_bytes(vectors, tmp_path):
    path = tmp_path / "one.txt"
    given = Given("one", path, None, Medium(Path("one.txt")))
    path.write_bytes(b"\xef\xbb\xbfI am\r\n happy ")
    np.testing.assert_array_equal(vectors.extract(given, "cpu").values, [mean_of("i", "am", "happy")])
    path.write_bytes("I am glücklich".encode("latin-1"))
    with pytest.raises(MediaError, match=r"one\.txt:1: byte 0xfc is not UTF-8"):
        vectors.extract(given, "cpu")
    path.write_bytes(b"a" * ((1 << 24) + 1))
    with pytest.raises(MediaError, match="expected a transcript of at most"):
        vectors.extract(given, "cpu")


def test_a_changed_file_of_vectors_and_every_parameter_change_the_fingerprint(vectors, tmp_path):
    path = tmp_path / "glove.txt"
    first = vectors.fingerprint()
    assert first["vectors"] == hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_text(path.read_text() + "more 1 1 1\n")
    assert vectors.fingerprint()["vectors"] == hashlib.sha256(path.read_bytes()).hexdigest()
    for other in ({"lower_case": False}, {"unknown_words": "zero"}):
        assert WordVectors(vectors.text.model_copy(update=other)).fingerprint() != vectors.fingerprint()
    moved = glove(tmp_path / "moved.txt")
    assert WordVectors(Text(file=str(moved))).fingerprint() == first


@pytest.mark.parametrize("packed", [False, True], ids=["folder", "wheel"])
def test_the_table_of_wordllama_is_averaged_over_its_tokens(tmp_path, packed):
    from safetensors.numpy import load_file
    from tokenizers import Tokenizer

    folder = package(tmp_path / "wordllama")
    tokenizer = Tokenizer.from_file(str(folder / "tokenizers/small_tokenizer_config.json"))
    table = load_file(folder / "weights/small_256.safetensors")["embedding.weight"]
    path = wheel(folder, tmp_path / "wordllama-0-py3-none-any.whl") if packed else folder
    own = WordVectors(Text(file=str(path)))
    own.require(Path())
    for text in ("I am so unhappy, don't", "sad"):
        ids = tokenizer.encode(text.lower(), add_special_tokens=False).ids
        expected = table[ids].astype(np.float64).mean(axis=0)
        rows = own.row(f"  {text}\n")
        np.testing.assert_allclose(rows.values[0], expected, rtol=1e-6)
        assert rows.valid.all()
    assert not own.row(" ... ").valid.any()
    assert own.prepared([]) is own
    cased = WordVectors(Text(file=str(path), lower_case=False))
    assert cased.row("HAPPY").sha256() != own.row("HAPPY").sha256()


def test_a_wheel_and_its_folder_have_one_fingerprint(tmp_path):
    folder = package(tmp_path / "wordllama")
    packed = wheel(folder, tmp_path / "w.whl")
    both = [WordVectors(Text(file=str(path))).fingerprint() for path in (folder, packed)]
    assert both[0] == both[1]


def broken_wheel(tmp_path, change):
    folder = package(tmp_path / "wordllama")
    change(folder)
    return wheel(folder, tmp_path / "w.whl")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda f: (f / "weights/small_256.safetensors").unlink(), r"found 0 files weights/\*\.safetensors"),
        (lambda f: (f / "tokenizers/b.json").write_text("{}"), r"found 2 files tokenizers/\*\.json"),
        (lambda f: (f / "weights/small_256.safetensors").write_bytes(b"xx"), "its weights cannot be read"),
        (
            lambda f: (f / "tokenizers/small_tokenizer_config.json").write_text(json.dumps({"a": 1})),
            "its tokenizer cannot be read",
        ),
    ],
)
def test_another_package_is_refused(tmp_path, change, message):
    path = broken_wheel(tmp_path, change)
    with pytest.raises(NotReadyError, match=message):
        WordVectors(Text(file=str(path))).require(Path())


def test_what_is_no_wheel_is_refused(tmp_path):
    (tmp_path / "w.whl").write_bytes(b"no zip")
    with pytest.raises(NotReadyError, match=r"w\.whl: cannot be read"):
        WordVectors(Text(file=str(tmp_path / "w.whl"))).require(Path())
    with pytest.raises(NotReadyError, match="found null"):
        WordVectors(Text()).require(Path())
    assert WordVectors(Text()).fingerprint()["vectors"] is None
