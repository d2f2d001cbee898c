from __future__ import annotations

import codecs

import numpy as np
import pytest

from pipeline.features.extractor import NotReadyError
from pipeline.features.text.vector_file import read_vectors, require_vectors

GLOVE = "the 0.1 -0.2 3e-1\nat name@domain.com 9 9 9\nat 1 2 3\n. . . 7 7 7\nGrün 4 5 6\nat 8 8 8\n"


def written(path, text):
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


@pytest.mark.parametrize("header", ["", "6 3\n"], ids=["glove", "word2vec"])
@pytest.mark.parametrize("end", ["\n", " \n", "\r\n"], ids=["lf", "blank", "crlf"])
def test_wanted_words_are_read(tmp_path, header, end):
    path = written(tmp_path / "v.txt", (header + GLOVE).replace("\n", end))
    size, found = read_vectors(path, {"the", "at", "Grün", "absent", "."})
    assert size == require_vectors(path) == 3
    assert {word: vector.tolist() for word, vector in found.items()} == {
        "the": np.array([0.1, -0.2, 0.3], np.float32).tolist(),
        "at": [1, 2, 3],  # neither the name with a blank nor the second line of the word
        "Grün": [4, 5, 6],
    }


def test_words_are_compared_in_the_composed_form_and_bytes_that_are_no_text_are_passed_over(tmp_path):
    path = written(tmp_path / "v.txt", b"\xff\xfe 1 2\ngru\xcc\x88n 3 4\n")
    assert read_vectors(path, {"gr\u00fcn"}).by_word["gr\u00fcn"].tolist() == [3, 4]


@pytest.mark.parametrize("header", ["", "2 2\n"], ids=["glove", "word2vec"])
def test_a_mark_of_byte_order_is_no_part_of_the_first_word(tmp_path, header):
    path = written(tmp_path / "v.txt", codecs.BOM_UTF8 + f"{header}a 1 2\nb 3 4\n".encode())
    assert {word: own.tolist() for word, own in read_vectors(path, {"a", "b"}).by_word.items()} == {
        "a": [1, 2],
        "b": [3, 4],
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        ("", "line 1: found no word and numbers"),
        ("{'a': 1}\n", "line 1: found no word and numbers"),
        (
            b"2 3\nword \x00\x01\x02\x03\x04\x05\x06\x07\x08\x09\x0a\x0b",
            "line 2: found no word and 3 numbers",
        ),
        ("a 1 2\nb 1\n", "line 2: found no 2 finite numbers behind 'b'"),
        ("a 1 2\nb 1 nan\n", "line 2: found no 2 finite numbers behind 'b'"),
        ("a 1 2\nb 1 x\n", "line 2: found no 2 finite numbers behind 'b'"),
        ("a 1 2\nb 1 2 3\n", "line 2: found no 2 finite numbers behind 'b'"),
        ("2 1\na 1 2\nb 3 4\n", "line 1: found no 1 finite numbers behind 'a'"),
        ("a 1 2\nb 1 2\nother 1", "breaks off in line 3,"),
        ("9 2\na 1 2\nb 3 4\n", "breaks off in line 2 of 9,"),
        (b"a 1 2\n" + b"0" * (1 << 20), "line 2 has more than 1048576 bytes"),
    ],
)
def test_another_file_is_refused(tmp_path, content, message):
    path = written(tmp_path / "v.txt", content)
    with pytest.raises(NotReadyError, match=message) as error:
        read_vectors(path, {"a", "b"})
    assert "save_word2vec_format" in str(error.value)


def test_a_missing_file_is_named(tmp_path):
    for read in (require_vectors, lambda path: read_vectors(path, set())):
        with pytest.raises(NotReadyError, match=r"v\.txt: cannot be read \(No such file"):
            read(tmp_path / "v.txt")


def test_only_wanted_words_are_kept(tmp_path):
    import tracemalloc

    path = tmp_path / "v.txt"
    with path.open("w") as file:
        for number in range(20_000):
            file.write(f"word{number} " + " ".join(["0.123456"] * 50) + "\n")
    tracemalloc.start()
    found = read_vectors(path, {"word7", "word19999"})
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert set(found.by_word) == {"word7", "word19999"}
    assert peak < path.stat().st_size / 20
