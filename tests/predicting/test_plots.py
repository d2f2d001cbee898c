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
