from dataclasses import dataclass, field

import cv2
import numpy as np
import pytest

from pipeline.features.faces.box_overlap import overlap_of_union
from pipeline.features.faces.detection import detect, fingerprint
from pipeline.features.faces.face_table import OF_KEEP, boxes_at, persons_at, tabulated
from pipeline.features.faces.following import VERSIONS, Follower, choose
from pipeline.features.faces.mtcnn import Candidates, Detector, Picture
from pipeline.features.faces.persons import best_pairs
from pipeline.store.rows import Rows, to_bytes
from tests.features.faces.made_faces import person, talking


def candidates(*boxes):
    return Candidates(
        np.array(boxes, np.float32).reshape(-1, 4),
        np.zeros((len(boxes), 5, 2), np.float32),
        np.ones(len(boxes), np.float32),
    )


@dataclass
class Scripted:
    """A picture in which the detector finds what the test says; asked: how it was looked at."""

    faces_: Candidates
    near_: Candidates
    elsewhere_: Candidates | None = None
    image: object = None
    asked: list = field(default_factory=list)

    @property
    def faces(self):
        self.asked.append("everywhere")
        return self.faces_

    def look(self):
        return self

    def near(self, boxes, accepted):
        self.asked.append(("near", boxes.tolist()))
        return self.near_

    def elsewhere(self, boxes):
        self.asked.append(("elsewhere", boxes.tolist()))
        return self.elsewhere_


def seen(follower, picture, tick):
    """Return the boxes followed in a picture that is shown at one tick."""
    return follower.see(picture, 0.0, range(tick, tick + 1)).found.boxes


@pytest.fixture(scope="module")
def faces(params):
    return params.corpora["demo_sessions"].video.faces.model_copy(update={"frame_rate_hz": 5.0})


@pytest.fixture(scope="module")
def tracking(faces):
    return faces.model_copy(update={"mode": "track"})


def test_the_first_face_is_the_largest_then_the_one_that_overlaps_most():
    found = candidates([0, 0, 10, 10], [50, 50, 90, 90], [51, 51, 80, 80])
    assert choose(found, None, 0.3) == 1
    assert choose(found, np.array([1, 1, 11, 11], np.float32), 0.3) == 0
    assert choose(found, np.array([200, 200, 210, 210], np.float32), 0.3) == 1
    assert choose(candidates(), None, 0.3) is None


HERE, MOVED, AWAY, OTHER = [10, 10, 30, 30], [12, 10, 32, 30], [40, 10, 60, 30], [100, 0, 190, 90]


@pytest.mark.parametrize(
    ("near", "everywhere", "taken"),
    [
        ([MOVED], [OTHER], MOVED),  # where it was: nobody looks elsewhere
        ([], [OTHER], OTHER),  # lost: as if there were no other mode
        ([AWAY], [MOVED, OTHER], MOVED),  # another one is there: lost
        ([AWAY, MOVED], [OTHER], MOVED),
        ([], [], None),
    ],
)
def test_between_seconds_the_face_is_looked_for_where_it_was(tracking, near, everywhere, taken):
    follower = Follower(tracking)
    first = Scripted(candidates(HERE), candidates())
    assert seen(follower, first, 0).tolist() == [HERE]
    assert first.asked == ["everywhere"]
    second = Scripted(candidates(*everywhere), candidates(*near))
    assert seen(follower, second, 1).tolist() == ([] if taken is None else [taken])
    kept = taken is not None and taken in near
    assert second.asked == [("near", [HERE])] + ([] if kept else ["everywhere"])
    third = Scripted(candidates(), candidates(*([] if taken is None else [taken])))
    seen(follower, third, 2)
    assert third.asked == (["everywhere"] if taken is None else [("near", [taken])])


@pytest.mark.parametrize(
    ("rate_hz", "ticks", "everywhere"),
    [
        (5.0, range(12), {0, 5, 10}),
        (2.5, range(9), {0, 3, 5, 8}),
        (1.0, range(3), {0, 1, 2}),
        (25.0, (0, 1, 24, 40, 49, 50, 110), {0, 40, 50, 110}),  # pictures that are shown for long
    ],
)
def test_each_second_begins_with_a_look_at_the_whole_picture(tracking, rate_hz, ticks, everywhere):
    follower = Follower(tracking.model_copy(update={"frame_rate_hz": rate_hz}))
    found = set()
    for tick in ticks:
        picture = Scripted(candidates(HERE), candidates(HERE))
        seen(follower, picture, tick)
        found |= {tick} if "everywhere" in picture.asked else set()
    assert found == everywhere


def test_exact_looks_at_every_picture_by_itself(faces):
    follower = Follower(faces)
    for tick in range(3):
        picture = Scripted(candidates(HERE), candidates(HERE))
        assert seen(follower, picture, tick).tolist() == [HERE]
        assert picture.asked == ["everywhere"]


def test_the_mode_has_units_of_its_own_and_exact_those_of_before(faces, tracking, monkeypatch):
    assert "mode" not in fingerprint(faces)
    assert fingerprint(faces).items() <= fingerprint(tracking).items()
    before = fingerprint(tracking)
    assert before != fingerprint(faces)
    monkeypatch.setitem(VERSIONS, "track", 99)
    assert fingerprint(tracking) != before


def overlaps(some, others):
    """Return the overlap of the boxes of two detections at the ticks where both have a face."""
    both = some.valid & others.valid
    boxes = zip(some.values[both, 1:5], others.values[both, 1:5], strict=True)
    return np.array([overlap_of_union(a[None], b[None])[0, 0] for a, b in boxes])


def test_a_drawn_face_that_goes_and_comes_back_is_never_lost(faces, tracking):
    one = person(2)
    wall = np.full((240, 320, 3), 128, np.uint8)
    pictures = [*talking(one, 12), wall, wall, *talking(one, 12)]
    detector, exact, track = Detector(faces), Follower(faces), Follower(tracking)
    asked = []
    for tick, image in enumerate(pictures):
        picture = Picture(detector, image)
        tracked = seen(track, picture, tick)
        asked.append("faces" in vars(picture))
        found = seen(exact, picture, tick)
        assert len(tracked) == len(found) == (image is not wall)
        if len(found):
            assert overlap_of_union(found, tracked)[0, 0] > 0.8
    # the first of each second, and as long as nobody is there
    assert [tick for tick, full in enumerate(asked) if full] == [0, 5, 10, 12, 13, 14, 15, 20, 25]


@pytest.mark.parametrize(
    "cut", [np.s_[75:], np.s_[:165], np.s_[:, 115:], np.s_[:, :205], np.s_[:185, :205]],
    ids=["top", "bottom", "left", "right", "corner"],
)  # fmt: skip
def test_a_face_that_the_edge_cuts_stays_where_it_is(faces, tracking, cut):
    own = {"frame_rate_hz": 25.0, "min_face": 60}
    detector = Detector(faces.model_copy(update=own))
    exact, track = (Follower(each.model_copy(update=own)) for each in (faces, tracking))
    overlap = []
    for tick, image in enumerate(talking(person(2), 24)):
        picture = Picture(detector, np.ascontiguousarray(image[cut]))
        one, other = seen(exact, picture, tick), seen(track, picture, tick)
        assert len(one) == len(other) == 1
        overlap.append(overlap_of_union(one, other)[0, 0])
    assert min(overlap) > 0.6
    assert np.mean(overlap) > 0.75


@pytest.mark.parametrize(
    "clip",
    ["single_face.mp4", "face_noface.mov", "noface_face.mov", "several_faces.mp4", "no_audio_stream.mp4"],
)
def test_real_clips_lose_no_face(clips, faces, tracking, clip):
    exact, track = (detect(clips / clip, own) for own in (faces, tracking))
    assert exact.valid.any()
    assert not (exact.valid & ~track.valid).any()
    assert overlaps(exact, track).mean() > 0.9
    assert overlaps(exact, track).min() > 0.6
    assert to_bytes(exact) != to_bytes(track)


def test_the_same_video_gets_the_same_bytes(clips, tracking):
    path = clips / "single_face.mp4"
    assert to_bytes(detect(path, tracking)) == to_bytes(detect(path, tracking))


def two_in_turn():
    """Return pictures of two people side by side: the second is nearer, comes later and is shorter there."""
    wall = np.full((240, 320, 3), 128, np.uint8)
    here, there = list(talking(person(2), 12)), list(talking(person(1), 5))
    near = [cv2.resize(image[20:, 40:280], (320, 293))[:240] for image in there]
    right = [wall] * 4 + near + [wall] * 3
    # the first looks away while the second is there
    left = [*here[:5], wall, wall, *here[7:]]
    return [np.concatenate(both, axis=1) for both in zip(left, right, strict=True)]


def rows_of(pictures, faces):
    follower = Follower(faces)
    seen = [follower.see(picture, k / 5, range(k, k + 1)) for k, picture in enumerate(pictures)]
    values, valid = tabulated(faces.keep, seen, len(pictures))
    start = np.arange(len(pictures)) / 5
    return Rows(start, start + 0.2, values, valid, OF_KEEP[faces.keep])


@pytest.mark.parametrize("mode", ["exact", "track"])
def test_whoever_is_seen_most_is_followed_and_largest_jumps(faces, mode):
    detector = Detector(faces)
    pictures = [Picture(detector, image) for image in two_in_turn()]
    own = faces.model_copy(update={"mode": mode})
    sides = {}
    for keep in OF_KEEP:
        rows = rows_of(pictures, own.model_copy(update={"keep": keep}))
        sides[keep] = [[int(left > 320) for left in boxes_at(rows, k)[:, 0]] for k in range(len(rows))]
    assert sides["largest"] == [[0]] * 5 + [[1]] * 4 + [[0]] * 3
    assert sides["followed"] == [[0]] * 5 + [[], []] + [[0]] * 5
    assert [sorted(own) for own in sides["all"]] == [[0]] * 4 + [[0, 1], [1], [1]] + [[0, 1]] * 2 + [[0]] * 3


class Stage:
    """Draws two people who talk, as far to the right as the test says, before a wall."""

    def __init__(self):
        self.people = [[image[20:230, 70:250] for image in talking(person(seed), 15)] for seed in (2, 1)]

    def picture(self, tick, *places):
        """Return a picture, (240, 640, 3), of whom the last is in front.

        places: of each person's left edge; None: not there.
        """
        shown = np.full((240, 640, 3), 128, np.uint8)
        for own, place in zip(self.people, places, strict=False):
            if place is not None:
                shown[15:225, place : place + 180] = own[tick]
        return shown


@pytest.fixture(scope="module")
def stage():
    return Stage()


HARD = {
    # the second passes before the first, who leaves before the end
    "cross": lambda tick: (30 * tick if tick < 13 else None, 430 - 30 * tick),
    # within one second
    "a short visit": lambda tick: (40, 420 if tick in (7, 8) else None),
    "comes as another goes": lambda tick: (40 if tick < 7 else None, 420 if tick >= 7 else None),
    "a cut to another place": lambda tick: (40, 300) if tick < 8 else (440, 200),
    "nobody at first": lambda tick: (None, None) if tick < 7 else (60, 300),
    "nobody in between": lambda tick: (None, None) if tick in (6, 7, 8) else (60, 300),
}


def partners(one, other):
    """Return the pairs of boxes of one picture that are of one face, and their overlaps."""
    overlap = overlap_of_union(one, other)
    pairs = list(best_pairs(overlap, 0.3))
    return pairs, [overlap[pair] for pair in pairs]


@pytest.mark.parametrize("film", HARD)
def test_in_hard_films_no_face_is_lost(stage, faces, film):
    detector = Detector(faces)
    # each is looked at as a whole once, for all
    pictures = [Picture(detector, stage.picture(tick, *HARD[film](tick))) for tick in range(15)]
    for keep in OF_KEEP:
        own = faces.model_copy(update={"keep": keep})
        exact, track = (
            rows_of(pictures, own.model_copy(update={"mode": mode})) for mode in ("exact", "track")
        )
        assert exact.valid.any()
        if keep == "largest":  # where one is half hidden track follows it, and exact looks elsewhere
            assert not (exact.valid & ~track.valid).any()
            continue
        for tick in range(15):
            one, other = boxes_at(exact, tick), boxes_at(track, tick)
            pairs, _ = partners(one, other)
            assert len(pairs) == len(one), f"{keep}, tick {tick}: {one} against {other}"
            who, again = (persons_at(rows)[tick] for rows in (exact, track))
            assert [who[face] for face, _ in pairs] == [again[face] for _, face in pairs]


@pytest.mark.slow
def test_of_several_walkers_none_is_lost(clips, faces):
    own = faces.model_copy(update={"keep": "all", "frame_rate_hz": 10.0})
    exact, track = (
        detect(clips / "several_faces.mp4", own.model_copy(update={"mode": mode}))
        for mode in ("exact", "track")
    )
    found = []
    for tick in range(len(exact)):
        one = boxes_at(exact, tick)
        pairs, overlaps = partners(one, boxes_at(track, tick))
        assert len(pairs) == len(one)
        found += overlaps
    assert len(found) > 200
    assert np.mean(found) > 0.9


def test_of_several_who_is_lost_is_looked_for_elsewhere_than_at_the_others(tracking):
    follower = Follower(tracking.model_copy(update={"keep": "all"}))
    image = np.zeros((100, 200, 3), np.uint8)
    seen(follower, Scripted(candidates(OTHER, HERE), candidates(), image=image), 0)
    second = Scripted(candidates(), candidates(MOVED), candidates(AWAY), image)
    assert seen(follower, second, 1).tolist() == [MOVED, AWAY]
    assert second.asked == [("near", [OTHER, HERE]), ("elsewhere", [MOVED])]
    # all are lost: the whole picture is looked at
    third = Scripted(candidates(OTHER), candidates(), candidates(), image)
    assert seen(follower, third, 2).tolist() == [OTHER]
    assert third.asked == [("near", [MOVED, AWAY]), "everywhere"]


def test_several_in_mode_track_have_a_version_of_their_own(faces, tracking, monkeypatch):
    several = tracking.model_copy(update={"keep": "all"})
    others = [faces, tracking, faces.model_copy(update={"keep": "all"})]
    before, same = fingerprint(several), [fingerprint(own) for own in others]
    monkeypatch.setitem(VERSIONS, "several", 99)
    assert fingerprint(several) != before
    assert [fingerprint(own) for own in others] == same


@pytest.mark.parametrize("keep", ["followed", "all"])
def test_another_keep_has_units_of_its_own(faces, keep, monkeypatch):
    own = faces.model_copy(update={"keep": keep})
    before = fingerprint(own)
    assert "keep" not in fingerprint(faces)
    assert fingerprint(faces).items() <= before.items()
    monkeypatch.setitem(VERSIONS, "keep", 99)
    assert fingerprint(own) != before
    assert fingerprint(faces) == fingerprint(faces.model_copy(update={"keep": "largest"}))


def test_several_walkers_are_told_apart(clips, faces):
    own = faces.model_copy(update={"keep": "followed"})
    rows = detect(clips / "several_faces.mp4", own)
    assert rows.valid.all()
    assert set(rows.column("person")) == {rows.column("person")[0]}
    assert 5 <= rows.column("persons")[-1] <= 9
