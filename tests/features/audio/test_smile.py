"""The lean core against openSMILE's own package, to the last bit."""

import numpy as np
import opensmile
import pytest

from pipeline.features.audio import smile
from pipeline.features.audio.smile import feature_names, hear, open_core
from pipeline.features.audio.smile_configuration import configuration, first_summarised
from tests.features.audio.test_functionals import RATE, voice

SETS = ["GeMAPSv01a", "GeMAPSv01b", "eGeMAPSv01a", "eGeMAPSv01b", "eGeMAPSv02", "emobase", "ComParE_2016"]
LEVELS = {"functionals": "Functionals", "lld_statistics": "LowLevelDescriptors"}


def spoken(seconds, rate_hz=RATE):
    """Draw a voice between silences, resampled by index where the rate is another."""
    signal = voice(seconds)
    signal[: len(signal) // 8] = signal[len(signal) // 2 : 5 * len(signal) // 8] = 0
    places = np.arange(int(seconds * rate_hz)) * RATE // rate_hz
    return signal[places].astype(np.float32)


def package(feature_set, level, options=None):
    return opensmile.Smile(
        opensmile.FeatureSet[feature_set], opensmile.FeatureLevel[LEVELS[level]], options=options or {}
    )


@pytest.mark.parametrize("level", ["functionals", "lld_statistics"])
@pytest.mark.parametrize("feature_set", SETS)
def test_of_a_whole_signal_all_sets_are_those_of_opensmile(feature_set, level):
    signal = spoken(3)
    own = package(feature_set, level)
    heard = hear(open_core(feature_set, level, RATE), [signal], RATE)
    expected = own.process_signal(signal, RATE)
    np.testing.assert_array_equal(heard.values, expected.to_numpy())
    assert feature_names(feature_set, level) == tuple(own.feature_names)
    starts, ends = (expected.index.get_level_values(edge).total_seconds() for edge in ("start", "end"))
    np.testing.assert_allclose(heard.start, starts, atol=2e-9)
    np.testing.assert_allclose(heard.end[:-1], ends[:-1], atol=2e-9)


@pytest.mark.parametrize(
    ("feature_set", "rate_hz"),
    [
        ("GeMAPSv01b", 16_000),
        ("eGeMAPSv01a", 16_000),
        ("eGeMAPSv02", 8000),
        ("eGeMAPSv02", 16_000),
        ("eGeMAPSv02", 44_100),
        ("ComParE_2016", 16_000),
    ],
)
def test_of_windows_the_sets_that_cut_them_are_those_of_opensmile(feature_set, rate_hz, tmp_path):
    windows = tmp_path / "windows.inc"
    windows.write_text("frameMode = fixed\nframeSize = 2.0\nframeStep = 0.1\nframeCenterSpecial = left\n")
    signal = spoken(7, rate_hz)
    own = package(feature_set, "functionals", {"frameModeFunctionalsConf": str(windows)})
    expected = own.process_signal(signal, rate_hz).to_numpy()
    pieces = np.array_split(signal, [5, 1000, 1001, 30_000])  # the core is fed as it is convenient
    heard = hear(open_core(feature_set, "functionals", rate_hz, (2.0, 0.1)), pieces, rate_hz)
    np.testing.assert_array_equal(heard.values, expected)
    assert len(heard.values) > 40


@pytest.mark.parametrize("level", ["functionals", "lld_statistics"])
@pytest.mark.parametrize("feature_set", ["GeMAPSv01a", "eGeMAPSv02", "emobase", "ComParE_2016"])
def test_silence_that_is_longer_than_what_the_core_keeps_is_heard_to_its_end(feature_set, level):
    signal = np.zeros(round((smile.RING + 1.1) * RATE), np.float32)
    heard = hear(open_core(feature_set, level, RATE), [signal], RATE)
    expected = package(feature_set, level).process_signal(signal, RATE)
    np.testing.assert_array_equal(heard.values, expected.to_numpy())


@pytest.mark.parametrize("rate_hz", [8000, 44_100])
@pytest.mark.parametrize("seconds", [smile.PIECE, 2.0, 2.04, smile.RING, smile.RING + smile.PIECE])
def test_a_sample_more_or_less_at_a_border_changes_nothing_else(seconds, rate_hz, tmp_path):
    windows = tmp_path / "windows.inc"
    windows.write_text("frameMode = fixed\nframeSize = 2.0\nframeStep = 0.1\nframeCenterSpecial = left\n")
    own = package("eGeMAPSv02", "functionals", {"frameModeFunctionalsConf": str(windows)})
    whole = spoken(smile.RING + 1, rate_hz)
    for length in round(seconds * rate_hz) + np.array([-1, 0, 1]):
        signal = whole[:length]
        expected = own.process_signal(signal, rate_hz).to_numpy()
        heard = hear(open_core("eGeMAPSv02", "functionals", rate_hz, (2.0, 0.1)), [signal], rate_hz)
        # of no window the package makes a row without numbers
        assert np.isfinite(expected).all() or not len(heard.values)
        np.testing.assert_array_equal(heard.values, expected[: len(heard.values)])
        assert len(heard.values) == len(expected) or np.isnan(expected).all()


def test_frames_that_functionals_are_made_of_are_found():
    sections = "[a:cEnergy]\nreader.dmLevel = x", "[b:cFunctionals]\nframeStep = 0\nreader.dmLevel = y_smo;z"
    text = "\n".join([*sections, "[c:cFunctionals]\nreader.dmLevel = w\n"])
    assert first_summarised(text) == "y_smo"


def test_nothing_is_computed_that_is_not_read():
    path, shared = smile._configurations("eGeMAPSv02")
    parts = {
        "source": smile.SOURCE.format(ring=10, rate_hz=RATE),
        "sink": smile.SINK.format(level="lld"),
        "frameModeFunctionalsConf": "",
    }
    kept = configuration(path, parts | {"bufferModeRbConf": (shared / "BufferModeRb.conf.inc").read_text()})
    assert "cFunctionals" not in kept
    assert "[egemapsv02_mfcc:cMfcc]" in kept
    assert "gemapsv01b_smoE" not in kept  # smooths descriptors of the smaller set, which eGeMAPS does itself
    assert "\\{" not in kept
    assert "//" not in kept


def test_a_signal_without_a_frame_has_no_rows():
    heard = hear(open_core("eGeMAPSv02", "lld_statistics", RATE), [np.zeros(100, np.float32)], RATE)
    assert (heard.values.shape, len(heard.start)) == ((0, 25), 0)


def test_what_goes_wrong_while_sound_is_made_is_raised_where_it_is_wanted():
    def pieces():
        yield spoken(3)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        hear(open_core("eGeMAPSv02", "functionals", RATE), pieces(), RATE)


def test_a_core_that_takes_no_sound_is_not_waited_for(monkeypatch):
    monkeypatch.setattr(smile, "PIECE", 60.0)  # longer than what the core keeps
    with pytest.raises(RuntimeError, match="openSMILE takes no sound"):
        hear(open_core("eGeMAPSv02", "functionals", RATE), [np.tile(spoken(3), 10)], RATE)
