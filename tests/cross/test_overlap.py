from pathlib import Path

from pipeline.corpora.recording import Medium, Recording
from pipeline.cross.overlap import overlap
from pipeline.store.digest import sha256_of


def item(name, speaker, digest):
    return Recording(name, "train", speaker, {"audio": Medium(Path(name), digest * 64)})


def test_recordings_and_speakers_of_training_are_counted(tmp_path):
    manifest = tmp_path / "m.csv"
    manifest.write_text("x")
    learnt = [item("a", "anna", "a"), item("b", "bert", "b")]
    scored = [item("x", "anna", "c"), item("y", "zoe", "b"), item("z", "zoe", "d")]
    said = overlap(scored, manifest, sha256_of(manifest), learnt, same_corpus=False)
    assert len(said) == 2
    assert said[0].startswith("1 of the 3 recordings took part in training")
    assert said[1].startswith("1 speaker of training has the name of one that is scored (anna); if they are")
    assert "if they are" not in overlap(scored, manifest, sha256_of(manifest), learnt, same_corpus=True)[1]
    assert overlap(scored[2:], manifest, sha256_of(manifest), learnt, same_corpus=False) == []


def test_the_same_sentence_is_not_the_same_recording(tmp_path):
    manifest = tmp_path / "m.csv"
    manifest.write_text("x")

    def said(speaker, audio, words):
        media = {"audio": Medium(Path("a"), audio * 64), "text": Medium(Path("t.csv"), words * 64, "said")}
        return Recording(
            speaker, "train", speaker, {name: media[name] for name in media if media[name].sha256}
        )

    learnt, digest = [said("anna", "a", "f")], sha256_of(manifest)
    assert overlap([said("bert", "b", "f")], manifest, digest, learnt, same_corpus=True) == []
    assert "took part" in overlap([said("bert", "a", "e")], manifest, digest, learnt, same_corpus=True)[0]
    only_words = [said("carl", "", "f")], manifest, digest, [said("dora", "", "f")]
    assert "took part" in overlap(*only_words, same_corpus=True)[0]


def test_what_is_not_known_is_said(tmp_path):
    manifest = tmp_path / "m.csv"
    assert "is not known" in overlap([], manifest, "0" * 64, [], same_corpus=False)[0]
    manifest.write_text("x")
    assert "sha256 differs" in overlap([], manifest, "0" * 64, [], same_corpus=False)[0]
