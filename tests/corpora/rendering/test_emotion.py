import numpy as np

from pipeline.corpora.rendering.emotion import CLASSES, PREROLL, annotation_times, draw_course, draw_prototype
from pipeline.corpora.rendering.randomness import generator, smooth_noise


def test_annotation_grid_reaches_the_end():
    times = annotation_times(80.0)
    assert len(times) == 2001
    assert times[0] == 0.0
    assert times[-1] == 80.0


def test_annotation_grid_stops_before_an_end_off_the_grid():
    np.testing.assert_allclose(annotation_times(0.1), [0.0, 0.04, 0.08])


def test_course_is_smooth_and_spread_as_in_recola():
    courses = [draw_course(np.random.default_rng(seed), 300.0) for seed in range(12)]
    arousal = [course.arousal[course.time >= 0] for course in courses]
    valence = [course.valence[course.time >= 0] for course in courses]
    assert 0.10 < np.mean([a.std() for a in arousal]) < 0.24
    assert 0.06 < np.mean([v.std() for v in valence]) < 0.16
    # At most some .3 per second: no jumps within a 0.04 s step.
    assert max(np.abs(np.diff(a)).max() for a in arousal) < 0.02
    assert courses[0].time[0] == -PREROLL
    assert abs(np.corrcoef(np.concatenate(arousal), np.concatenate(valence))[0, 1]) < 0.15


def test_prototypes_lie_on_their_side_of_the_plane():
    rng = np.random.default_rng(0)
    points = {
        name: np.mean([draw_prototype(rng, code) for _ in range(200)], axis=0)
        for code, name in enumerate(CLASSES)
    }
    assert points["happy"][1] > 0.4
    assert points["anger"][0] > 0.4 > 0 > points["anger"][1]
    assert points["sad"][0] < -0.4


def test_smooth_noise_has_unit_variance_at_any_width():
    for width in (0.5, 3.0, 40.0):
        noise = smooth_noise(np.random.default_rng(1), 20_000, width, rows=4)
        assert noise.shape == (4, 20_000)
        assert abs(noise.std() - 1) < 0.1


def test_generators_differ_by_every_part_of_their_name():
    names = [
        (1, "demo_sessions", "train", 0, "voice", 0),
        (2, "demo_sessions", "train", 0, "voice", 0),
        (1, "demo_clips", "train", 0, "voice", 0),
        (1, "demo_sessions", "dev", 0, "voice", 0),
        (1, "demo_sessions", None, 0, "voice", 0),
        (1, "demo_sessions", "train", 1, "voice", 0),
        (1, "demo_sessions", "train", 0, "face", 0),
        (1, "demo_sessions", "train", 0, "voice", 1),
    ]
    assert len({generator(*name).integers(2**62) for name in names}) == len(names)
