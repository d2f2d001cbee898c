import numpy as np
import pytest

from pipeline.corpora.label_sets import codes_of, joined, matrix_of, recoded


def test_codes_and_matrices_say_the_same():
    matrix = np.random.default_rng(0).random((50, 52)) < 0.4
    np.testing.assert_array_equal(matrix_of(codes_of(matrix), 52), matrix)
    assert codes_of([[True, False, True], [False, False, False]]).tolist() == [5.0, 0.0]
    assert matrix_of(np.zeros((0,)), 3).shape == (0, 3)


def test_more_classes_than_a_number_tells_are_refused():
    with pytest.raises(ValueError, match="found 53 classes, expected at most 52"):
        codes_of(np.zeros((1, 53)))


def test_sets_are_written_by_name():
    assert joined([0.0, 1.0, 6.0], ["anger", "fear", "sad"]) == ["none", "anger", "fear;sad"]


def test_sets_are_counted_anew_over_other_classes():
    # over (b, c, a): a is code 2
    assert recoded([1.0, 5.0, 0.0], ["a", "x", "b"], ["b", "c", "a"]).tolist() == [4.0, 5.0, 0.0]
