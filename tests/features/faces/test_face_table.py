import numpy as np
import pytest

from pipeline.features.faces.face_table import ALL, FACE, OF_KEEP, boxes_at, persons_at, tabulated
from pipeline.features.faces.following import Sighting
from pipeline.features.faces.mtcnn import Candidates
from pipeline.features.faces.taken import Taken, taken, together
from pipeline.store.rows import Rows


def sighting(tick, persons, known, length=1):
    """Return a picture with a face of each person, whose box says whose it is."""
    boxes = np.array([[100 * p, 0, 100 * p + 50, 60] for p in persons], np.float32).reshape(-1, 4)
    landmarks = np.repeat(boxes[:, None, :2] + 7, 5, axis=1)
    found = Candidates(boxes, landmarks, np.full(len(boxes), 0.9, np.float32))
    return Sighting(tick / 5, range(tick, tick + length), found, np.array(persons, np.int64), known)


SEEN = [
    sighting(0, [0], 1),
    sighting(1, [0, 1], 2),
    sighting(2, [1], 2, 2),
    sighting(4, [], 2),
    sighting(5, [2], 3),
]
"""1 is there for three ticks, 0 for two."""


def detections(keep, seen=SEEN, ticks=6):
    values, valid = tabulated(keep, seen, ticks)
    start = np.arange(ticks) / 5
    return Rows(start, start + 0.2, values, valid, OF_KEEP[keep])


def lefts(rows):
    return [boxes_at(rows, tick)[:, 0].tolist() for tick in range(len(rows))]


def test_the_person_who_is_seen_most_is_taken_and_nobody_else():
    rows = detections("followed")
    assert lefts(rows) == [[], [100], [100], [100], [], []]
    assert rows.valid.tolist() == [False, True, True, True, False, False]
    assert rows.column("person")[rows.valid].tolist() == [1, 1, 1]
    assert rows.column("persons").tolist() == [1, 2, 2, 2, 2, 3]
    assert rows.column("left_eye_x")[1] == 107
    assert rows.column("probability")[1] == np.float32(0.9)
    assert not rows.values[~rows.valid, 1:-1].any()


def test_of_two_who_are_seen_as_often_the_first_is_taken():
    seen = [sighting(0, [0], 1), sighting(1, [1], 2), sighting(2, [1, 0], 2)]
    assert lefts(detections("followed", seen, 3)) == [[0], [], [0]]


def test_all_faces_stand_side_by_side():
    rows = detections("all")
    assert rows.names == ALL
    assert lefts(rows) == [[0], [0, 100], [100], [100], [], [200]]
    assert rows.column("face_1_nose_y")[1] == 7
    assert rows.column("face_1_person")[1] == 1
    assert persons_at(rows)[1, :2].tolist() == [0, 1]
    assert np.isnan(persons_at(rows)[1, 2:]).all()
    assert np.isnan(persons_at(rows)[4]).all()


def test_largest_has_the_columns_of_before():
    rows = detections("largest", [sighting(0, [1], 0), sighting(1, [], 0), sighting(2, [2], 0)], 3)
    assert rows.names == ("frame_time", *FACE)
    assert lefts(rows) == [[100], [], [200]]
    assert persons_at(rows) is None


def test_nobody_was_seen():
    for keep in OF_KEEP:
        rows = detections(keep, [sighting(0, [], 0, 3)], 3)
        assert not rows.valid.any()
        assert taken(rows, 0.3)[1:] == (0, 0, None if keep == "largest" else 0, 0)


@pytest.mark.parametrize(
    ("keep", "expected"),
    [
        ("followed", Taken(6, 3, 3, 3, 0)),
        ("all", Taken(6, 5, 6, 3, 3)),  # 0; 0 and 1; 1; 1; 2
    ],
)
def test_what_was_taken_is_counted(keep, expected):
    assert taken(detections(keep), 0.3) == expected
    assert together([expected, expected]) == Taken(*(2 * count for count in expected))


def test_a_face_elsewhere_is_a_change_also_after_a_gap():
    seen = [
        sighting(0, [0], 0),
        sighting(1, [0], 0),
        sighting(2, [], 0),
        sighting(3, [4], 0),
        sighting(4, [4], 0),
    ]
    assert taken(detections("largest", seen, 5), 0.3) == Taken(5, 4, 4, None, 1)
    assert together([]) == Taken(0, 0, 0, None, 0)
