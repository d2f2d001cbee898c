"""What a picture of predictions says in words."""

import numpy as np
import pytest
from matplotlib.figure import Figure

from pipeline.predicting import plots
from pipeline.predicting.block import FLAG, NUMBER, Block, Column
from pipeline.predicting.plots import draw

TIMES = np.arange(3.0)


def drawn(columns, shown, tmp_path, monkeypatch):
    """Draw rows; return the title and the words of the legend."""
    said = []

    def saved(figure, buffer, **_):
        legend = figure.axes[0].get_legend()
        words = [] if legend is None else [own.get_text() for own in legend.get_texts()]
        said.append((figure.axes[0].get_title(loc="left") or figure.axes[0].get_title(), words))
        buffer.write(b"picture")

    monkeypatch.setattr(Figure, "savefig", saved)
    block = Block.indexed("a.wav", TIMES, TIMES + 1, columns, {})
    assert draw(block, shown, tmp_path, "a.wav").read_bytes() == b"picture"
    return said[0]


def trace(name, values=(0.0, 0.1, 0.2), unlike=False):
    flags = np.full(len(values), unlike)
    return {name: Column(NUMBER, np.array(values)), f"{name}.out_of_domain.flag": Column(FLAG, flags)}


@pytest.mark.parametrize(
    ("unlike", "line"),
    [
        ((), ""),
        (("audio.arousal",), "\nunlike the recordings of training: audio.arousal"),
        (("audio.arousal", "video.arousal"), "\nunlike the recordings of training"),
    ],
)
def test_the_title_says_to_whom_a_file_is_unlike_training(tmp_path, monkeypatch, unlike, line):
    names = ("audio.arousal", "video.arousal")
    columns = {key: own for name in names for key, own in trace(name, unlike=name in unlike).items()}
    columns["late_fusion.arousal"] = Column(NUMBER, np.zeros(3))
    shown = [(name, ()) for name in (*names, "late_fusion.arousal")]
    title, legend = drawn(columns, shown, tmp_path, monkeypatch)
    assert title == f"a.wav{line}"
    assert legend == ["audio", "video", "late fusion"]


def test_whoever_says_nothing_is_not_in_the_legend(tmp_path, monkeypatch):
    columns = trace("audio.arousal") | trace("video.arousal", (np.nan,) * 3)
    shown = [("audio.arousal", ()), ("video.arousal", ())]
    assert drawn(columns, shown, tmp_path, monkeypatch)[1] == ["audio"]


@pytest.mark.parametrize(("missing", "shown"), [((), "late fusion"), (("video", "late_fusion"), "audio")])
def test_of_the_parts_of_a_file_the_last_that_says_something_is_drawn(tmp_path, monkeypatch, missing, shown):
    columns, classes = {}, ("happy", "sad")
    for name in ("audio", "video", "late_fusion"):
        for own in classes:
            value = np.nan if name in missing else 0.5
            columns[f"{name}.emotion.{own}"] = Column(NUMBER, np.full(3, value))
    seen = []
    monkeypatch.setattr(plots, "_bars_over_time", lambda axes, block, own, *_: seen.append(plots._label(own)))
    names = [(f"{name}.emotion", classes) for name in ("audio", "video", "late_fusion")]
    drawn(columns, names, tmp_path, monkeypatch)
    assert seen == [shown]


def lines_and_shades(columns, shown, tmp_path, monkeypatch):
    """Draw traces; return the values of each line by its label, and the shaded times."""
    seen = []
    monkeypatch.setattr(
        Figure, "savefig", lambda figure, buffer, **_: (seen.append(figure), buffer.write(b"p"))
    )
    draw(Block.indexed("a.wav", TIMES, TIMES + 1, columns, {}), shown, tmp_path, "a.wav")
    axes = seen[0].axes[0]
    shades = [(own.get_x(), own.get_x() + own.get_width()) for own in axes.patches]
    return {line.get_label(): list(line.get_ydata()) for line in axes.lines}, shades


def flags(name, values):
    return {f"{name}.valid": Column(FLAG, np.array(values, object))}


BOTH = [("audio.arousal", ()), ("video.arousal", ())]


def test_a_file_without_the_first_modality_is_valid_all_the_same(tmp_path, monkeypatch):
    columns = trace("audio.arousal", (np.nan,) * 3) | flags("audio.arousal", [None] * 3)
    columns |= trace("video.arousal") | flags("video.arousal", [True, True, True])
    lines, shades = lines_and_shades(columns, BOTH, tmp_path, monkeypatch)
    assert lines["video"] == [0.0, 0.1, 0.2]
    assert shades == []


def test_what_is_not_valid_is_left_out_beside_what_is_and_shaded_where_nothing_is(tmp_path, monkeypatch):
    columns = trace("audio.arousal") | flags("audio.arousal", [True, True, False])
    columns |= trace("video.arousal") | flags("video.arousal", [True, False, False])
    lines, shades = lines_and_shades(columns, BOTH, tmp_path, monkeypatch)
    assert lines["audio"] == [0.0, 0.1, 0.2]
    np.testing.assert_array_equal(lines["video"], [0.0, np.nan, 0.2])
    assert shades == [(2.0, 3.0)]
    assert drawn(columns, BOTH, tmp_path, monkeypatch)[1] == ["audio", "video", "not valid"]


def test_a_single_recogniser_s_shade_is_named(tmp_path, monkeypatch):
    columns = trace("arousal") | {"valid": Column(FLAG, np.array([True, False, True]))}
    lines, shades = lines_and_shades(columns, [("arousal", ())], tmp_path, monkeypatch)
    assert lines == {"arousal": [0.0, 0.1, 0.2]}
    assert shades == [(1.0, 2.0)]
    assert drawn(columns, [("arousal", ())], tmp_path, monkeypatch)[1] == ["arousal", "not valid"]


def test_bars_are_of_those_that_say_something(tmp_path, monkeypatch):
    monkeypatch.setattr("tests.predicting.test_plots.TIMES", np.zeros(1))
    columns = {
        f"{name}.emotion.{own}": Column(NUMBER, np.array([value]))
        for name, value in (("audio", np.nan), ("video", 0.5), ("late_fusion", np.nan))
        for own in ("happy", "sad")
    }
    shown = [(f"{name}.emotion", ("happy", "sad")) for name in ("audio", "video", "late_fusion")]
    assert drawn(columns, shown, tmp_path, monkeypatch)[1] == ["video"]
