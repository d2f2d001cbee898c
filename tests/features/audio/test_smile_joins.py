"""Joined functionals: what is joined, what is not, and that it is the numbers and names of openSMILE."""

import numpy as np
import pytest

from pipeline.features.audio import smile
from pipeline.features.audio.smile import feature_names, hear, open_core
from pipeline.features.audio.smile_joins import joined
from tests.features.audio.test_functionals import RATE
from tests.features.audio.test_smile import package, spoken

SETS = ["GeMAPSv01a", "GeMAPSv01b", "eGeMAPSv01a", "eGeMAPSv01b", "eGeMAPSv02"]
SMALL = """[componentInstances:cComponentManager]
instance[wave].type=cExternalAudioSource
instance[smooth].type=cContourSmoother
instance[other].type=cContourSmoother
instance[host].type=cFunctionals
instance[guest].type=cFunctionals
instance[concat].type=cVectorConcat
instance[sink].type=cExternalSink
[wave:cExternalAudioSource]
writer.dmLevel = wave
[smooth:cContourSmoother]
reader.dmLevel = wave
writer.dmLevel = smoothed
smaWin = 3
[other:cContourSmoother]
reader.dmLevel = wave
writer.dmLevel = others
smaWin = 3
[host:cFunctionals]
reader.dmLevel = smoothed
writer.dmLevel = hosts
functionalsEnabled = Moments
Moments.amean = 0
Moments.stddev = 1
Moments.skewness = 0
[guest:cFunctionals]
reader.dmLevel = others
writer.dmLevel = guests
functionalsEnabled = Moments
Moments.amean = 1
Moments.variance = 0
Moments.stddev = 0
Moments.skewness = 0
Moments.kurtosis = 0
[concat:cVectorConcat]
reader.dmLevel = guests;hosts
writer.dmLevel = func
[sink:cExternalSink]
reader.dmLevel = func
"""


def test_a_mean_is_computed_beside_other_moments_of_what_is_smoothed_alike():
    text = joined(SMALL, "sink", ["x_amean", "x_stddev"])
    assert "guest" not in text
    assert "[other:" not in text
    assert "reader.dmLevel = wave;wave" in text
    assert "Moments.amean = 1" in text
    assert "reader.dmLevel = hosts" in text
    assert "selected = x_amean;x_stddev" in text
    assert text.rindex("instance[asked]") < text.rindex("instance[sink]")
    assert "reader.dmLevel = asked" in text


@pytest.mark.parametrize(
    ("here", "there"),
    [
        ("others\nsmaWin = 3", "others\nsmaWin = 5"),  # smoothed in another way
        ("reader.dmLevel = guests", "reader.dmLevel = others;guests"),  # read by another one as well
        ("guests\nfunctionalsEnabled = Moments", "guests\nnonZeroFuncts = 1\nfunctionalsEnabled = Moments"),
        ("hosts\nfunctionalsEnabled = Moments", "hosts\nfunctionalsEnabled = Moments ; Percentiles"),
        ("Moments.amean = 1\nMoments.variance = 0", "Moments.amean = 1"),  # more than a mean
        ("guests\n", "guests\nfunctNameAppend = g\n"),
    ],
)
def test_what_differs_is_not_joined(here, there):
    assert SMALL.count(here) == 1
    text = SMALL.replace(here, there)
    assert joined(text, "sink", []) == text


def test_peaks_of_another_threshold_are_not_counted_beside_those_of_one():
    peaks = SMALL.replace("= Moments", "= Peaks2").replace("Moments.amean = 1", "Peaks2.numPeaks = 1")
    peaks = peaks.replace("reader.dmLevel = others", "reader.dmLevel = smoothed")
    peaks = "\n".join(line for line in peaks.splitlines() if not line.startswith("Moments")) + "\n"
    assert "guest" not in joined(peaks, "sink", [])
    text = peaks.replace("Peaks2.numPeaks = 1", "Peaks2.numPeaks = 1\nPeaks2.relThresh = 0.2")
    assert joined(text, "sink", []) == text


@pytest.mark.parametrize("feature_set", SETS)
def test_each_set_of_geneva_has_two_components_of_functionals_less(feature_set, monkeypatch):
    wanted = feature_names(feature_set, "functionals")
    given, texts = [], []

    def join(text, *others):
        given.append(text)
        texts.append(joined(text, *others))
        return texts[0]

    monkeypatch.setattr(smile, "joined", join)
    core = open_core(feature_set, "functionals", RATE, (2.0, 0.1))
    places = range(core.external_sink_get_num_elements("extsink"))
    names = tuple(core.external_sink_get_element_name("extsink", place) for place in places)
    core.free()
    assert names == wanted
    assert texts[0].count(":cFunctionals]") == given[0].count(":cFunctionals]") - 2


@pytest.mark.parametrize("signal", [np.zeros(5 * RATE, np.float32), spoken(5), spoken(5)[::-1]])
@pytest.mark.parametrize("feature_set", ["GeMAPSv01b", "eGeMAPSv02"])
def test_joined_functionals_are_those_of_opensmile(feature_set, signal, tmp_path):
    windows = tmp_path / "windows.inc"
    windows.write_text("frameMode = fixed\nframeSize = 1.0\nframeStep = 0.04\nframeCenterSpecial = left\n")
    own = package(feature_set, "functionals", {"frameModeFunctionalsConf": str(windows)})
    heard = hear(open_core(feature_set, "functionals", RATE, (1.0, 0.04)), [signal], RATE)
    expected = own.process_signal(signal, RATE)
    np.testing.assert_array_equal(heard.values, expected.to_numpy())
    starts = expected.index.get_level_values("start").total_seconds()
    np.testing.assert_allclose(heard.start, starts, atol=2e-9)
