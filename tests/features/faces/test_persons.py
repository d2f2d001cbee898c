import numpy as np
import pytest

from pipeline.features.faces.mtcnn import Detector
from pipeline.features.faces.persons import Persons, best_pairs
from tests.features.faces.made_faces import person, talking

WIDE = np.array([320, 0, 320, 0], np.float32)


@pytest.fixture(scope="module")
def detector(params):
    return Detector(params.corpora["demo_sessions"].video.faces)


@pytest.fixture(scope="module")
def people(detector):
    """Return two people, three pictures each with the box of the face, (1, 4)."""
    drawn = (talking(person(seed), 3) for seed in (2, 1))
    return [[(image, detector.detect(image).boxes) for image in own] for own in drawn]


def moved(picture, right):
    """Return a picture and its box moved to the right, before a wider wall."""
    image, box = picture
    wide = np.full((240, 320 + right, 3), 90, np.uint8)
    wide[:, right:] = image
    return wide, box + np.array([right, 0, right, 0], np.float32)


def beside(one, other):
    """Return two pictures as one, and both boxes, (2, 4)."""
    return np.concatenate([one[0], other[0]], axis=1), np.concatenate([one[1], other[1] + WIDE])


def test_pairs_are_the_most_alike_first_each_once():
    alike = np.array([[0.9, 0.8, 0.1], [0.95, 0.2, 0.1]], np.float32)
    assert list(best_pairs(alike, 0.3)) == [(1, 0), (0, 1)]
    assert list(best_pairs(alike, 0.85)) == [(1, 0)]
    assert list(best_pairs(np.zeros((0, 2), np.float32), 0.3)) == []


def test_whoever_is_where_the_face_was_is_the_same(people):
    """Overlap says so within a second, whatever the face looks like."""
    persons = Persons(5.0, 0.3)
    assert persons.of(*people[0][0], 0).tolist() == [0]
    assert persons.of(*people[1][0], 5).tolist() == [0]


def test_after_a_second_looks_say_who_it_is(people):
    persons = Persons(5.0, 0.3)
    assert persons.of(*people[0][0], 0).tolist() == [0]
    assert persons.of(*people[1][0], 6).tolist() == [1]
    # back at another place
    assert persons.of(*moved(people[0][1], 300), 40).tolist() == [0]
    assert persons.of(*moved(people[1][2], 500), 80).tolist() == [1]
    assert len(persons.known) == 2


def test_two_who_change_places_are_told_apart_and_no_two_are_one(people):
    one, other = (own[0] for own in people)
    persons = Persons(5.0, 0.3)
    assert persons.of(*beside(one, other), 0).tolist() == [0, 1]
    assert persons.of(*beside(other, one), 40).tolist() == [1, 0]
    found = persons.of(*beside(one, one), 60).tolist()
    assert len(set(found)) == 2
    assert 0 in found


def test_nobody_is_nobody():
    assert Persons(5.0, 0.3).of(np.zeros((9, 9, 3), np.uint8), np.empty((0, 4), np.float32), 0).tolist() == []
