"""Enrolment: what is kept of a speaker stands for the recordings, and is read only if it is whole."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import stat
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import pytest

from pipeline.learning.speaker_statistics import Values
from pipeline.recogniser.enrolment import Enrolment, enrolled_modalities, scaling_fingerprint
from pipeline.recogniser.error import RecogniserError
from pipeline.recogniser.models_of_setting import ModelsOfSetting
from pipeline.recogniser.speaker_files import (
    SpeakerNameError,
    checked_name,
    remove_speaker,
    speakers,
    speakers_folder,
)
from pipeline.recogniser.speakers import add_to_speaker, read_speaker, write_speaker
from tests.learning.synthetic import clips, learning
from tests.learning.test_experiment import run

OWN = tuple(f"dev_{i}" for i in (1, 4, 7, 10, 13, 16))
"""Clips of one speaker."""


def made(folder: Path, scaling, systems=("classic", "early_fusion")):
    settings = learning("demo_clips", scaling=scaling, systems=list(systems), seeds=[1])
    corpus = clips()
    run(corpus, folder, settings)
    return corpus, folder / "models.safetensors"


@pytest.fixture(scope="module", params=[("standard", "centre"), ("rank_gauss", "standardise")])
def trained(request, tmp_path_factory):
    """Return a corpus and its model file, for each way to scale by speaker."""
    method, speaker = request.param
    return made(tmp_path_factory.mktemp("trained"), {"method": method, "speaker": speaker})


def sha(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()


def rows_of(corpus, name):
    return {"audio": corpus.audio.read(name), "video": corpus.video.read(name)}


def enrolled(corpus, models, names, speaker="ann"):
    found = Enrolment(speaker)
    for name in names:
        found = found.with_rows(models, rows_of(corpus, name), sha(name))
    return found


@pytest.mark.parametrize("count", [1, 3, 6])
@pytest.mark.parametrize("system", ["classic", "early_fusion"])
def test_enrolling_files_equals_the_same_recordings_in_training(trained, tmp_path, system, count):
    corpus, path = trained
    models = ModelsOfSetting.load(path, system)
    write_speaker(tmp_path, enrolled(corpus, models, OWN[:count]))
    kept = read_speaker(tmp_path, "ann").of(models)
    recordings = {
        modality: [Values(rows.values, rows.valid) for rows in map(source.read, OWN[:count])]
        for modality, source in (("audio", corpus.audio), ("video", corpus.video))
    }
    assert set(kept) == set(models.needed) == set(enrolled_modalities(models))
    target = {name: own for name, own in rows_of(corpus, "dev_4").items() if name in models.needed}
    expected = models.predict(target, enrolment=recordings)
    np.testing.assert_allclose(models.predict(target, enrolment=kept), expected, atol=1e-6)
    assert np.abs(models.predict(target, enrolment=dict.fromkeys(kept, ())) - expected).max() > 1e-3


def test_files_added_later_count_like_files_of_one_call_and_the_same_file_once(trained, tmp_path):
    corpus, path = trained
    models = ModelsOfSetting.load(path, "classic")
    write_speaker(tmp_path, enrolled(corpus, models, OWN[:2]))
    later = read_speaker(tmp_path, "ann")
    for name in (*OWN[1:], OWN[0]):
        later = later.with_rows(models, rows_of(corpus, name), sha(name))
    (one,), (two,) = later.entries.values(), enrolled(corpus, models, OWN).entries.values()
    assert one.media == two.media
    assert one.recordings == 6
    for name in ("recordings", "rows", "mean", "deviation"):
        np.testing.assert_allclose(getattr(one.statistics, name), getattr(two.statistics, name), atol=1e-9)


def test_one_speaker_is_known_to_several_recognisers_and_not_to_others(trained, tmp_path):
    corpus, path = trained
    alone, fusion = (ModelsOfSetting.load(path, system) for system in ("classic", "early_fusion"))
    first = enrolled(corpus, alone, OWN)
    with pytest.raises(
        RecogniserError, match=r"'ann' is enrolled for audio of other recognisers and not for vid"
    ):
        first.of(fusion)
    both = first
    for name in OWN:
        both = both.with_rows(fusion, rows_of(corpus, name), sha(name))
    assert len(both.entries) == 2  # audio is scaled alike in both, and counted once
    assert [entry.recordings for entry in both.entries.values()] == [6, 6]
    assert set(both.of(fusion)) == {"audio", "video"}
    other = dataclasses.replace(alone, about={**alone.about, "extraction": {"target": {"version": 2}}})
    assert scaling_fingerprint(other, "audio") != scaling_fingerprint(alone, "audio")
    with pytest.raises(RecogniserError, match=r"run `emobed enrol` with it"):
        both.of(other)
    wrong = dataclasses.replace(rows_of(corpus, "dev_1")["audio"], names=tuple("abcdef"))
    with pytest.raises(ValueError, match="not the features of the target"):
        first.with_rows(alone, {"audio": wrong}, sha("x"))


def test_a_recogniser_that_knows_no_speakers_needs_nothing(tmp_path):
    corpus, path = made(tmp_path, {"speaker": "none"}, ["classic"])
    models = ModelsOfSetting.load(path, "classic")
    assert enrolled(corpus, models, OWN).entries == {}
    assert Enrolment("ann").of(models) == {}


def test_what_is_kept_is_small_private_and_names_no_file(trained, tmp_path):
    corpus, path = trained
    models = ModelsOfSetting.load(path, "classic")
    folder = tmp_path / "speakers"
    file = write_speaker(folder, enrolled(corpus, models, OWN))
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    text = file.read_text()
    assert not any(name in text for name in OWN)
    about = json.loads(text)
    (scaling,) = about["scalings"].values()
    assert {len(values) for values in scaling["statistics"].values()} == {6}  # no row of features
    assert [path.name for path in folder.iterdir()] == ["ann.json"]
    assert speakers(folder) == ["ann"]
    remove_speaker(folder, "ann")
    assert speakers(folder) == []
    with pytest.raises(RecogniserError, match="no speaker 'ann' is enrolled there"):
        remove_speaker(folder, "ann")
    with pytest.raises(RecogniserError, match=r"no speaker 'ann' .*one that `emobed enrol` wrote"):
        read_speaker(folder, "ann")


def changed(about, keys, value):
    place = about
    for key in keys[:-1]:
        place = place[key]
    place[keys[-1]] = value


@pytest.mark.parametrize(
    ("edit", "sentence"),
    [
        (lambda text: text[: len(text) // 2], "no JSON: broken off"),
        (lambda _: "[1]", "format None, this version of EmoBed reads 1"),
        (lambda _: "[" * 100_000, "no JSON"),
        (lambda text: text.replace('"format": 1', '"format": 2'), "format 2, this version of EmoBed reads 1"),
        (lambda text: text.replace('"ann"', '"bob"'), "its sha256 is not the one that it states"),
    ],
)
def test_a_file_that_is_not_whole_is_one_sentence(trained, tmp_path, edit, sentence):
    corpus, path = trained
    models = ModelsOfSetting.load(path, "classic")
    file = write_speaker(tmp_path, enrolled(corpus, models, OWN[:1]))
    file.write_text(edit(file.read_text()))
    with pytest.raises(RecogniserError, match=rf"ann\.json: {sentence}"):
        read_speaker(tmp_path, "ann")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("mean", ["1.0"] * 6),
        ("mean", [1.0] * 5),
        ("deviation", [-1.0] * 6),
        ("rows", [-1] * 6),
        ("recordings", [1.5] * 6),
        ("recordings", [10**30] * 6),
        ("mean", [float("nan")] * 6),
    ],
)
def test_values_that_no_statistics_have_are_refused_with_a_right_hash_too(trained, tmp_path, name, value):
    from pipeline.recogniser.speaker_files import _sha256

    corpus, path = trained
    models = ModelsOfSetting.load(path, "classic")
    file = write_speaker(tmp_path, enrolled(corpus, models, OWN[:1]))
    about = json.loads(file.read_text())
    (key,) = about["scalings"]
    changed(about, ["scalings", key, "statistics", name], value)
    about["sha256"] = _sha256(about)
    file.write_text(json.dumps(about))
    with pytest.raises(RecogniserError, match=r"ann\.json: .*enrol the speaker anew"):
        read_speaker(tmp_path, "ann")


def test_reading_in_a_program_says_what_is_wrong_with_a_file(trained, tmp_path, monkeypatch):
    """Nobody enrolled, a file of another program, one under another name, one that was cut off."""
    corpus, path = trained
    models = ModelsOfSetting.load(path, "classic")
    monkeypatch.setenv("EMOBED_SPEAKERS", str(tmp_path))
    with pytest.raises(RecogniserError, match="no speaker 'ann' is enrolled there, expected one that"):
        Enrolment.read("ann")
    own = enrolled(corpus, models, OWN[:2])
    file = write_speaker(tmp_path, own)
    for read in (Enrolment.read("ann"), Enrolment.read("ann", tmp_path)):
        assert read.speaker == "ann"
        np.testing.assert_allclose(read.of(models)["audio"].mean, own.of(models)["audio"].mean)
    with pytest.raises(RecogniserError, match="no speaker 'bob' is enrolled there, expected one of ann"):
        Enrolment.read("bob")
    whole = file.read_bytes()
    for content, said in (
        (b"", "no JSON"),
        (b"\xff\xfe{}", "no JSON"),
        (b'{"name": "settings of another program"}', "format None, this version of EmoBed reads 1"),
        (whole[:-40], "no JSON: broken off, damaged or edited; enrol the speaker anew"),
        (whole + whole, "no JSON"),
        (whole.replace(b'"format": 1', b'"format": 7'), "format 7, this version of EmoBed reads 1"),
    ):
        file.write_bytes(content)
        with pytest.raises(RecogniserError, match=rf"^{tmp_path}/ann\.json: {said}"):
            Enrolment.read("ann")
    (tmp_path / "bob.json").write_bytes(whole)
    with pytest.raises(RecogniserError, match=r"bob\.json: it is of the speaker 'ann'"):
        Enrolment.read("bob")


def test_an_enrolment_of_other_features_is_refused_before_anything_is_predicted(trained):
    """The key of a scaling is right, and what stands below it is not: made by hand."""
    corpus, path = trained
    models = ModelsOfSetting.load(path, "classic")
    own = enrolled(corpus, models, OWN[:2])
    ((key, entry),) = own.entries.items()
    statistics = dataclasses.replace(
        entry.statistics,
        **{
            name: getattr(entry.statistics, name)[:-1] for name in ("recordings", "rows", "mean", "deviation")
        },
    )
    other = dataclasses.replace(own, entries={key: dataclasses.replace(entry, statistics=statistics)})
    with pytest.raises(RecogniserError, match=r"speaker 'ann': \d+ features of audio, expected the \d+ of"):
        other.of(models)


@pytest.mark.parametrize(
    "name",
    [
        "",
        " ",
        "../ann",
        "a/b",
        "a\\b",
        ".ann",
        "..",
        "a\n",
        "=1+1",
        "a" * 101,
        " ann",
        "C:ann",
        "a\0b",
        "a\udcff",
    ],
)
def test_names_that_no_file_should_have_are_refused(tmp_path, name):
    with pytest.raises(SpeakerNameError, match=r"speaker: found .*expected"):
        checked_name(name)
    for call in (read_speaker, remove_speaker):
        with pytest.raises(SpeakerNameError):
            call(tmp_path, name)
    with pytest.raises(SpeakerNameError):
        write_speaker(tmp_path, Enrolment(name))
    assert list(tmp_path.iterdir()) == []


def test_names_are_those_of_people(tmp_path):
    for name in ("Ann-Marie O’Neill", "zoe\u0308", "陈", "-3", "speaker 7"):
        write_speaker(tmp_path, Enrolment(name))
        assert read_speaker(tmp_path, name).speaker == checked_name(name)
    assert len(speakers(tmp_path)) == 5


def test_where_speakers_lie(monkeypatch, tmp_path):
    monkeypatch.delenv("EMOBED_SPEAKERS", raising=False)
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert speakers_folder() == tmp_path / "emobed/speakers"
    monkeypatch.delenv("XDG_DATA_HOME")
    monkeypatch.setenv("HOME", str(tmp_path))
    assert speakers_folder() == tmp_path / ".local/share/emobed/speakers"
    monkeypatch.setenv("EMOBED_SPEAKERS", str(tmp_path / "mine"))
    assert speakers_folder() == tmp_path / "mine"


def kept_of(speaker: str, folder: Path) -> list[str]:
    (entry,) = read_speaker(folder, speaker).entries.values()
    return list(entry.media)


def add_one(folder: Path, recording: Enrolment) -> None:
    add_to_speaker(folder, "ann", [recording])


def test_what_several_processes_enrol_at_once_is_all_kept(trained, tmp_path):
    corpus, path = trained
    models = ModelsOfSetting.load(path, "classic")
    folder = tmp_path / "speakers"
    names = [f"dev_{number}" for number in range(1, 17)]
    each = [Enrolment().with_rows(models, rows_of(corpus, name), sha(name)) for name in names]
    with ProcessPoolExecutor(8, get_context("fork")) as pool:
        for done in [pool.submit(add_one, folder, own) for own in (*each, *each)]:
            done.result()
    assert kept_of("ann", folder) == sorted(map(sha, names))
    (one,), (two,) = (
        own.entries.values() for own in (read_speaker(folder, "ann"), enrolled(corpus, models, names))
    )
    np.testing.assert_allclose(one.statistics.mean, two.statistics.mean, atol=1e-9)
    assert [own.name for own in folder.iterdir()] == ["ann.json"]


def test_who_is_forgotten_is_not_brought_back_by_whoever_was_adding(trained, tmp_path):
    corpus, path = trained
    models = ModelsOfSetting.load(path, "classic")
    write_speaker(tmp_path, enrolled(corpus, models, OWN))
    (tmp_path / ".ann.tmp").write_text("left by a process that was killed")
    remove_speaker(tmp_path, "ann")
    assert not list(tmp_path.iterdir())
    add_to_speaker(tmp_path, "ann", [enrolled(corpus, models, OWN[:1])])
    assert kept_of("ann", tmp_path) == [sha(OWN[0])]


def test_an_enrolment_of_several_recordings_is_not_taken_for_one(trained):
    corpus, path = trained
    models = ModelsOfSetting.load(path, "classic")
    with pytest.raises(ValueError, match="an enrolment of 2 recordings, expected one of a single one"):
        Enrolment("ann").joined(enrolled(corpus, models, OWN[:2]))


def test_enrolments_are_compared_by_what_they_hold(trained, tmp_path):
    corpus, path = trained
    models = ModelsOfSetting.load(path, "early_fusion")
    two, three = (enrolled(corpus, models, OWN[:count]) for count in (2, 3))
    assert two == enrolled(corpus, models, OWN[:2])
    assert two != three
    assert two != dataclasses.replace(two, speaker="bob")
    write_speaker(tmp_path, two)
    assert read_speaker(tmp_path, "ann") == two


def test_an_enrolment_is_shown_without_what_is_kept(trained):
    corpus, path = trained
    models = ModelsOfSetting.load(path, "classic")
    one, two = (enrolled(corpus, models, OWN[:count], speaker) for count, speaker in ((1, "ann"), (2, "")))
    assert repr(one) == "<Enrolment of ann: audio of 1 recording>"
    assert repr(two) == "<Enrolment of a speaker: audio of 2 recordings>"
    assert repr(Enrolment("bob")) == "<Enrolment of bob: nothing>"
