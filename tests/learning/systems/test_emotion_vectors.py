"""Word vectors of class names: from the table that comes along, csv, GloVe's format, and a token table."""

import numpy as np
import pytest

from pipeline.features.extractor import NotReadyError
from pipeline.features.text.wordllama import load_table
from pipeline.learning.systems.emotion_words.pleasure import PLEASURE
from pipeline.learning.systems.emotion_words.vectors import class_vectors
from tests.features.text.vectors import WORDS, glove, package, wheel


def table(path, text):
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_pleasure_arousal_and_dominance_have_the_signs_of_their_words():
    names = ["anger", "disgust", "fear", "happy", "neutral", "sad", "surprise"]
    pleasure, arousal, dominance = class_vectors(names, "pad").T
    np.testing.assert_array_equal(np.sign(pleasure), [-1, -1, -1, 1, 0, -1, 1])
    np.testing.assert_array_equal(np.sign(arousal), [1, 1, 1, 1, 0, -1, 1])
    assert dominance[0] > 0 > dominance[2]  # what tells anger from fear
    assert all(abs(value) <= 1 for values in PLEASURE.values() for value in values)
    np.testing.assert_array_equal(
        class_vectors(["Angry", "HAPPINESS"], "pad"), class_vectors(["anger", "happy"], "pad")
    )


def test_a_name_of_several_words_has_their_mean(tmp_path):
    glove(tmp_path / "vectors.txt")
    found = class_vectors(["happy", "not_sad"], "vectors.txt", tmp_path)
    expected = [WORDS["happy"], np.mean([WORDS["not"], WORDS["sad"]], axis=0)]
    np.testing.assert_allclose(found, expected, rtol=1e-6)


def test_a_csv_file_of_ones_own(tmp_path):
    path = table(tmp_path / "own.csv", "\ufeffword;a;b\nPleasant surprise;1;-0.5\ncalm;0;2\n")
    np.testing.assert_array_equal(class_vectors(["calm"], path), [[0, 2]])
    np.testing.assert_array_equal(class_vectors(["pleasant_surprise"], path), [[1, -0.5]])


def test_tokens_of_a_package_are_averaged(tmp_path):
    folder = package(tmp_path / "wordllama")
    for source in (folder, wheel(folder, tmp_path / "wordllama.whl")):
        found = class_vectors(["happy", "am i"], str(source))
        expected = [load_table(source).of(text).mean(0) for text in ("happy", "am i")]
        np.testing.assert_allclose(found, expected, rtol=1e-6)


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("term,a\nsad,1\n", "missing column word"),
        ("word,a\nsad,much\n", "own.csv:2: a is 'much', expected a finite number"),
        ("word,a\nsad,1\nSad,2\n", "own.csv:3: found 'sad' again, expected it once"),
        ("word\nsad\n", "holds no values of a word"),
    ],
)
def test_a_csv_file_that_is_none_is_a_sentence(tmp_path, text, sentence):
    with pytest.raises(NotReadyError, match=rf"learning.emotion_words.vectors: .*{sentence}"):
        class_vectors(["sad"], table(tmp_path / "own.csv", text))


def test_classes_without_a_vector_are_named(tmp_path):
    with pytest.raises(
        NotReadyError, match="pad has no vector of the classes bored, in love, expected one of each"
    ):
        class_vectors(["sad", "bored", "in love"], "pad")
    glove(tmp_path / "vectors.txt")
    with pytest.raises(NotReadyError, match=r"vectors\.txt has no vector of the class frustrated, expected"):
        class_vectors(["sad", "frustrated"], str(tmp_path / "vectors.txt"))
    with pytest.raises(NotReadyError, match=r"nowhere\.txt: cannot be read"):
        class_vectors(["sad"], "nowhere.txt", tmp_path)


def test_classes_that_share_a_vector_and_a_file_that_is_not_there_are_sentences(tmp_path):
    path = table(tmp_path / "own.csv", "word,a,b\njoy,1,2\ncalm,0,1\nsad,1,2\n")
    with pytest.raises(NotReadyError, match="has one vector for the classes joy and sad, which nothing"):
        class_vectors(["joy", "calm", "sad"], path)
    with pytest.raises(NotReadyError, match="one vector for the classes anger and angry"):
        class_vectors(["anger", "angry"], "pad")
    with pytest.raises(NotReadyError, match=r"vectors: .*nowhere\.csv: No such file or directory; expected"):
        class_vectors(["joy"], "nowhere.csv", tmp_path)
