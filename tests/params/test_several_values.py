"""Right values, and wrong ones in several places of params.yaml."""

from __future__ import annotations

import pytest

from pipeline.params import ParamsError


def test_parameters_are_valid_and_frozen(load):
    params = load()
    assert [s.name for s in params.corpora["demo_sessions"].scenarios] == ["audio+video", "video+audio"]
    assert params.corpora["demo_clips"].grid.utterances
    with pytest.raises(ValueError, match="frozen"):
        params.run.corpora = ()


def test_scaling_has_one_word_or_one_for_each_modality(load):
    one = load().corpora["mixed_sessions"].learning.scaling
    assert (one.method_of("audio"), one.method_of("anything")) == ("standard", "standard")
    each = load(
        corpora__mixed_sessions__learning__scaling__method={"audio": "rank_gauss", "video": "standard"}
    ).corpora["mixed_sessions"]
    assert [each.learning.scaling.method_of(name) for name in each.modalities] == ["rank_gauss", "standard"]


def test_all_wrong_values_are_named_at_once(load):
    with pytest.raises(ParamsError) as raised:
        load(
            runtime__workers=0,
            corpora__demo_clips__audio__level="lld",
            corpora__demo_sessions__learning__optimiser__epoch=3,
        )
    first, *lines = str(raised.value).splitlines()
    assert first.endswith("params.yaml: 3 values are wrong")
    assert lines == [
        "  corpora.demo_sessions.learning.optimiser.epoch: unknown key; did you mean 'epochs'?",
        "  corpora.demo_clips.audio.level: found 'lld', expected functionals or lld_statistics",
        "  runtime.workers: found 0, expected a number of 1 or more",
    ]


def test_what_is_wrong_in_several_corpora_alike_is_one_sentence(load):
    """It may stand in `defaults`, once."""
    with pytest.raises(ParamsError) as raised:
        load(
            corpora__demo_clips__audio__level="lld",
            corpora__demo_sessions__audio__level="lld",
            corpora__own__audio__level="llds",
        )
    assert str(raised.value).splitlines()[1:] == [
        "  corpora.{demo_sessions, demo_clips}.audio.level: found 'lld', expected functionals or "
        "lld_statistics",
        "  corpora.own.audio.level: found 'llds', expected functionals or lld_statistics",
    ]


def test_values_that_do_not_fit_together_are_named_at_once(load):
    with pytest.raises(ParamsError) as raised:
        load(
            corpora__demo_sessions__labels__annotation_delay=9,
            corpora__demo_sessions__learning__alpha=[0.5, 0.5],
        )
    assert str(raised.value).splitlines()[1:] == [
        "  corpora.demo_sessions.labels.annotation_delay: found 9 s, expected at most max_delay (5 s)",
        "  corpora.demo_sessions.learning.alpha: names 0.5 twice, expected once",
        "  corpora.demo_sessions.learning.alpha: found [0.5, 0.5], expected 0.0 among them: (0, 0) is the "
        "classic system",
    ]


def test_a_corpus_whose_name_can_be_no_folder(load):
    with pytest.raises(ParamsError, match=r"corpora: the name '../x' should be letters, digits, _ and -"):
        load(
            **{
                "corpora__../x": load().corpora["demo_clips"].model_dump(mode="json")
                | {"scenarios": ["audio+video"], "audformat": None}
            }
        )
