import numpy as np
import opensmile
import pytest

from pipeline.features.audio.functionals import cost, extract, fingerprint
from pipeline.features.audio.sound import read_sound
from pipeline.features.media.opening import MediaError
from pipeline.params import Audio, Grid

RATE = 16000
AUDIO = Audio(feature_set="eGeMAPSv02", level="functionals", sampling_rate_hz=RATE, max_failed_share=0)
UTTERANCE = Grid(window=None, hop=None)


def voice(seconds, seed=0):
    """Draw a gliding, pulsating tone with harmonics and some noise: enough for all functionals."""
    rng = np.random.default_rng(seed)
    t = np.arange(int(seconds * RATE)) / RATE
    phase = 2 * np.pi * np.cumsum(120 + 30 * np.sin(2 * np.pi * 0.21 * t)) / RATE
    tone = sum(np.sin(k * phase) / k for k in range(1, 12))
    return 0.1 * tone * (0.6 + 0.4 * np.sin(2 * np.pi * 3 * t)) + 0.003 * rng.normal(size=len(t))


def test_utterance_equals_a_plain_call_of_opensmile(write_wav):
    signal = np.round(voice(2.5) * 32767) / 32768  # as the file holds it
    rows = extract(write_wav(voice(2.5), RATE), AUDIO, UTTERANCE)
    smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
    expected = smile.process_signal(signal, RATE)
    assert rows.names == tuple(smile.feature_names)
    np.testing.assert_allclose(rows.values, expected.to_numpy(), rtol=1e-3, atol=1e-4)
    assert (rows.start[0], rows.end[0]) == (0, 2.5)


def test_windows_agree_with_one_call_per_window_but_for_what_the_core_cuts_at_their_edges(write_wav):
    path = write_wav(voice(12), RATE)
    rows = extract(path, AUDIO, Grid(window=4.0, hop=0.5))
    assert len(rows) == 25
    signal = read_sound(path, RATE).signal
    smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
    chosen = [6, 10, 15, 18]
    expected = np.concatenate(
        [smile.process_signal(signal[int(s * RATE) : int((s + 4) * RATE)], RATE) for s in rows.start[chosen]]
    )
    relative = np.abs(rows.values[chosen] - expected) / (np.abs(expected) + 1e-2)
    assert np.median(relative) < 0.01
    close = (relative < 0.1).mean(axis=0) == 1
    assert close.sum() >= 70  # of 88; slopes and counts of few segments differ more
    loudness = rows.names.index("loudness_sma3_amean")
    assert relative[:, loudness].max() < 0.02


@pytest.mark.parametrize("more", [0.0, 0.03])
def test_of_a_recording_as_long_as_a_window_all_rows_are_the_functionals_of_the_whole(
    write_wav, more, recwarn
):
    path = write_wav(voice(2 + more), RATE)
    rows = extract(path, AUDIO, Grid(window=2.0, hop=0.2))
    smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
    expected = smile.process_signal(read_sound(path, RATE).signal, RATE).to_numpy()
    np.testing.assert_array_equal(rows.values, np.repeat(expected, 11, axis=0).astype(np.float32))
    assert (rows.valid.all(), len(recwarn)) == (True, 0)


def test_every_label_time_has_a_row_and_the_ends_hold(write_wav):
    rows = extract(write_wav(voice(10), RATE), AUDIO, Grid(window=4.0, hop=0.2))
    assert len(rows) == 51
    np.testing.assert_allclose(rows.end - rows.start, 4.0)
    # the first ten windows would begin before 0: all are the first full one
    assert np.all(rows.values[:11] == rows.values[0])
    assert np.any(rows.values[11] != rows.values[0])
    assert rows.end.max() <= 10 + 1e-6
    np.testing.assert_allclose(rows.start[10:38], np.arange(28) * 0.2)


def test_rows_follow_the_sound(write_wav):
    """Silence, then a voice: loudness must rise exactly in the windows that reach the voice."""
    signal = np.concatenate([np.zeros(8 * RATE), voice(8)])
    rows = extract(write_wav(signal, RATE), AUDIO, Grid(window=2.0, hop=0.5))
    loud = rows.column("loudness_sma3_amean")
    assert loud[rows.end <= 8.0].max() < 0.1 * loud[rows.start >= 8.0].min()


def test_channels_are_averaged_and_resampled(write_wav):
    left, right = voice(2), voice(2, seed=1) * 0.5
    mono = read_sound(write_wav((left + right) / 2, RATE, "mono.wav"), RATE).signal
    stereo = read_sound(write_wav(np.stack([left, right]), RATE, "stereo.wav"), RATE).signal
    np.testing.assert_allclose(stereo, mono, atol=2e-4)
    assert len(read_sound(write_wav(np.zeros((6, 48000)), 48000, "six.wav"), RATE).signal) == pytest.approx(
        16000, abs=64
    )


@pytest.mark.parametrize(
    ("content", "sentence"),
    [(None, "no such file"), (b"", "the file is empty"), (b"not media" * 500, "cannot be decoded")],
)
def test_bad_files_say_what_is_wrong(tmp_path, content, sentence):
    path = tmp_path / "bad.wav"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(MediaError, match=rf"bad\.wav: .*{sentence}"):
        extract(path, AUDIO, UTTERANCE)


def test_too_short_and_silent_streams_are_named(write_wav, write_video):
    with pytest.raises(MediaError, match="shorter than a window of 4 s"):
        extract(write_wav(voice(3), RATE), AUDIO, Grid(window=4.0, hop=0.2))
    with pytest.raises(MediaError, match="has no sound stream"):
        extract(write_video([0, 0], [0, 0.5]), AUDIO, UTTERANCE)


@pytest.mark.parametrize("rate_hz", [22050, 48000])
@pytest.mark.parametrize("grid", [UTTERANCE, Grid(window=2.0, hop=0.5)])
def test_native_is_each_files_own_rate_without_resampling(write_wav, rate_hz, grid):
    times = np.arange(4 * rate_hz) / rate_hz
    signal = 0.3 * np.sin(2 * np.pi * (180 * times + 15 * np.sin(4 * times))) + 0.02 * np.sin(9e3 * times**2)
    path = write_wav(signal, rate_hz)
    native = AUDIO.model_copy(update={"sampling_rate_hz": "native"})
    found = extract(path, native, grid)
    same = extract(path, AUDIO.model_copy(update={"sampling_rate_hz": rate_hz}), grid)
    np.testing.assert_array_equal(found.values, same.values)
    assert (found.start == same.start).all()
    if grid is UTTERANCE:  # openSMILE's own reading of the file
        smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.Functionals)
        np.testing.assert_allclose(
            found.values, smile.process_file(str(path)).to_numpy(), rtol=1e-3, atol=1e-4
        )
        assert np.abs(found.values - extract(path, AUDIO, grid).values).max() > 0.01
    assert fingerprint(native, grid)["sampling_rate_hz"] == "native"


def test_native_rates_that_are_too_low_are_refused(write_wav):
    native = AUDIO.model_copy(update={"sampling_rate_hz": "native"})
    with pytest.raises(MediaError, match="its sound has 4000 Hz, expected 8000 to 192000"):
        extract(write_wav(np.zeros(8000), 4000), native, UTTERANCE)


def test_fingerprint_changes_with_each_parameter_and_not_with_the_allowed_share():
    base = fingerprint(AUDIO, UTTERANCE)
    assert fingerprint(AUDIO.model_copy(update={"max_failed_share": 0.5}), UTTERANCE) == base
    assert fingerprint(AUDIO.model_copy(update={"sampling_rate_hz": 44100}), UTTERANCE) != base
    assert fingerprint(AUDIO, Grid(window=4.0, hop=0.2)) != base


def test_sound_that_starts_late_is_preceded_by_silence(clips):
    signal = read_sound(clips / "face_noface.mov", RATE).signal
    # the sound stream of this clip starts 2.43 s after its pictures
    assert np.all(signal[: int(2.42 * RATE)] == 0)
    assert np.abs(signal[int(2.5 * RATE) :]).max() > 0.01
    assert len(signal) / RATE == pytest.approx(2.43 + 3.99, abs=0.06)


def per_window(signal, feature_set, level, starts, window):
    """Extract each window on its own, by a plain call of openSMILE."""
    smile = opensmile.Smile(opensmile.FeatureSet[feature_set], level)
    pieces = [signal[int(s * RATE) : int((s + window) * RATE)] for s in starts]
    return [smile.process_signal(piece, RATE).to_numpy() for piece in pieces]


@pytest.mark.parametrize(
    ("feature_set", "columns", "within"),
    # a column counts if all its windows are within 10 %; what differs in ComParE are places of
    # extrema, segments, regression and LPC coefficients of windows that lost frames at their edges
    [("eGeMAPSv01a", 88, 82), ("GeMAPSv01b", 62, 58), ("ComParE_2016", 6373, 4200)],
)
def test_functionals_of_other_sets_against_one_call_per_window(write_wav, feature_set, columns, within):
    path = write_wav(voice(12), RATE)
    audio = AUDIO.model_copy(update={"feature_set": feature_set})
    rows = extract(path, audio, Grid(window=4.0, hop=0.5))
    assert rows.values.shape == (25, columns)
    chosen = [6, 10, 15, 18]
    expected = np.concatenate(
        per_window(
            read_sound(path, RATE).signal,
            feature_set,
            opensmile.FeatureLevel.Functionals,
            rows.start[chosen],
            4.0,
        )
    )
    relative = np.abs(rows.values[chosen] - expected) / (np.abs(expected) + 1e-2)
    assert np.median(relative) < 0.015
    assert ((relative < 0.1).all(axis=0)).sum() >= within
    deviations = [i for i, name in enumerate(rows.names) if name.endswith(("_stddev", "_rqmean"))]
    if deviations:  # ComParE's spreads and levels
        assert np.quantile(relative[:, deviations], 0.9) < 0.03


@pytest.mark.parametrize(
    ("feature_set", "descriptors", "close"),
    # columns within 5 % in every window; means of cepstral coefficients near 0 differ more
    [("eGeMAPSv02", 25, 50), ("GeMAPSv01a", 18, 33), ("ComParE_2016", 65, 118), ("emobase", 26, 44)],
)
def test_lld_statistics_against_one_call_per_window(write_wav, feature_set, descriptors, close):
    path = write_wav(voice(12), RATE)
    audio = AUDIO.model_copy(update={"feature_set": feature_set, "level": "lld_statistics"})
    rows = extract(path, audio, Grid(window=4.0, hop=0.5))
    assert rows.values.shape == (25, 2 * descriptors)
    assert rows.valid.all()
    np.testing.assert_allclose(rows.start, np.clip(np.arange(25) * 0.5 - 2, 0, 8))
    chosen = [6, 10, 15, 18]
    calls = per_window(
        read_sound(path, RATE).signal,
        feature_set,
        opensmile.FeatureLevel.LowLevelDescriptors,
        rows.start[chosen],
        4.0,
    )
    expected = np.array([np.concatenate([call.mean(0), call.std(0)]) for call in calls])
    relative = np.abs(rows.values[chosen] - expected) / (np.abs(expected) + 1e-2)
    assert np.median(relative) < 0.01
    assert ((relative < 0.05).all(axis=0)).sum() >= close


def test_lld_statistics_of_an_utterance_are_those_of_all_its_descriptors(write_wav):
    audio = AUDIO.model_copy(update={"level": "lld_statistics"})
    path = write_wav(voice(2.5), RATE)
    rows = extract(path, audio, UTTERANCE)
    smile = opensmile.Smile(opensmile.FeatureSet.eGeMAPSv02, opensmile.FeatureLevel.LowLevelDescriptors)
    table = smile.process_signal(read_sound(path, RATE).signal, RATE)
    assert rows.names[:25] == tuple(f"{name}_mean" for name in smile.feature_names)
    assert rows.names[25] == "Loudness_sma3_std"
    np.testing.assert_allclose(rows.values[0, :25], table.mean(), rtol=1e-5, atol=1e-6)
    np.testing.assert_allclose(rows.values[0, 25:], table.std(ddof=0), rtol=1e-4, atol=1e-6)
    assert (rows.start[0], rows.end[0]) == (0, 2.5)


def test_lld_statistics_follow_the_sound_and_short_sounds_are_named(write_wav):
    audio = AUDIO.model_copy(update={"level": "lld_statistics"})
    signal = np.concatenate([np.zeros(8 * RATE), voice(8)])
    rows = extract(write_wav(signal, RATE), audio, Grid(window=2.0, hop=0.5))
    loud = rows.column("Loudness_sma3_mean")
    assert loud[rows.end <= 7.9].max() < 0.01 * loud[rows.start >= 8.0].min()
    with pytest.raises(MediaError, match="shorter than a window of 2 s"):
        extract(write_wav(voice(1), RATE), audio, Grid(window=2.0, hop=0.5))
    with pytest.raises(MediaError, match=r"0\.010 s long, too short for openSMILE's frames"):
        extract(write_wav(voice(0.01), RATE), audio, UTTERANCE)


def test_emobase_of_an_utterance(write_wav):
    rows = extract(write_wav(voice(2), RATE), AUDIO.model_copy(update={"feature_set": "emobase"}), UTTERANCE)
    assert rows.values.shape == (1, 988)
    assert fingerprint(AUDIO, UTTERANCE) != fingerprint(
        AUDIO.model_copy(update={"level": "lld_statistics"}), UTTERANCE
    )


def test_a_path_may_be_text(write_wav):
    path = write_wav(voice(1), RATE)
    expected = extract(path, AUDIO, UTTERANCE).values
    np.testing.assert_array_equal(extract(str(path), AUDIO, UTTERANCE).values, expected)


def test_what_a_long_recording_takes_is_said_before_unless_windows_are_cut_on_the_way():
    windows, descriptors = Grid(window=4.0, hop=0.5), AUDIO.model_copy(update={"level": "lld_statistics"})
    assert cost(1700, AUDIO, UTTERANCE) == cost(36_000, AUDIO, windows) == []
    (sentence,) = cost(7200, AUDIO, UTTERANCE)
    assert sentence.startswith(
        "2.0 h long: functionals of it as a whole take some 2.2 GB of memory for each worker"
    )
    (sentence,) = cost(7200, descriptors, windows)
    assert sentence.startswith("2.0 h long: its low-level descriptors take some 0.7 GB")


@pytest.mark.parametrize("level", ["functionals", "lld_statistics"])
def test_windows_that_only_look_back_are_those_of_half_a_window_earlier(write_wav, level):
    audio = AUDIO.model_copy(update={"level": level})
    path = write_wav(voice(9), RATE)
    back = extract(path, audio, Grid(window=2.0, hop=0.5, alignment="end"))
    centred = extract(path, audio, Grid(window=2.0, hop=0.5))
    assert len(back) == len(centred) == 19
    np.testing.assert_array_equal(back.values[2:], centred.values[:-2])
    assert np.all(back.end[4:] <= np.arange(4, 19) * 0.5 + 1e-6)


def test_nothing_is_left_in_the_folder_of_temporary_files(write_wav, tmp_path, monkeypatch):
    path = write_wav(np.sin(np.arange(32_000) / 20) / 2, 16_000)
    (tmp_path / "temporary").mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "temporary"))
    rows = extract(path, AUDIO, Grid(window=1.2, hop=0.2))
    assert len(rows) > 5
    assert list((tmp_path / "temporary").iterdir()) == []
