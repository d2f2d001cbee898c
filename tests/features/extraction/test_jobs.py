from pathlib import Path

from pipeline.features.extraction.jobs import media_jobs
from pipeline.features.extractor import Reads
from pipeline.store.units import unit_key
from tests.recordings import recording
from tests.toy_extractor import Toy

MEDIUM = Path("clips/1.mp4")
RECORDINGS = [
    recording("both", "train", "a", MEDIUM, MEDIUM, "0" * 64, "1" * 64),
    recording("silent", "train", "a", None, MEDIUM, "", ""),
]


def toy(medium: str, version: int = 1) -> Toy:
    return Toy(print, reads=Reads(medium), version=version)


def test_recordings_with_a_medium_have_a_job_where_the_modality_is_extracted(params):
    corpus = params.corpora["own"].model_copy(update={"root": Path("data/raw/own"), "extract": ("video",)})
    assert media_jobs(toy("audio"), RECORDINGS, corpus) == []
    both, silent = media_jobs(toy("video"), RECORDINGS, corpus)
    assert (both.recording, silent.recording) == ("both", "silent")
    assert both.path == Path("data/raw/own/clips/1.mp4")
    assert (both.seen, silent.seen) == (True, False)
    assert both.key != silent.key


def test_the_key_is_that_of_the_medium_and_the_fingerprint(params):
    corpus = params.corpora["own"]
    one, two = (media_jobs(toy("audio", v), RECORDINGS, corpus)[0].key for v in (1, 2))
    elsewhere = corpus.model_copy(update={"root": Path("elsewhere")})
    again = media_jobs(toy("audio"), RECORDINGS[:1], elsewhere)
    assert one != two
    assert again[0].key == one == unit_key(media="0" * 64, version=1)
