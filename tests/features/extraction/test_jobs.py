from pathlib import Path

from pipeline.features.extraction.jobs import media_jobs
from tests.recordings import recording

MEDIUM = Path("clips/1.mp4")
RECORDINGS = [
    recording("both", "train", "a", MEDIUM, MEDIUM, "0" * 64, "1" * 64),
    recording("silent", "train", "a", None, MEDIUM, "", ""),
]


def test_recordings_with_a_medium_have_a_job_where_the_modality_is_extracted(params):
    corpus = params.corpora["own"].model_copy(update={"root": Path("data/raw/own"), "extract": ("video",)})
    assert media_jobs("audio", RECORDINGS, corpus, {"version": 1}) == []
    both, silent = media_jobs("video", RECORDINGS, corpus, {"version": 1})
    assert (both.recording, silent.recording) == ("both", "silent")
    assert both.path == Path("data/raw/own/clips/1.mp4")
    assert (both.seen, silent.seen) == (True, False)
    assert both.key != silent.key


def test_the_key_is_that_of_the_medium_and_the_fingerprint(params):
    corpus = params.corpora["own"]
    one, two = (media_jobs("audio", RECORDINGS, corpus, {"version": v})[0].key for v in (1, 2))
    again = media_jobs(
        "audio", RECORDINGS[:1], corpus.model_copy(update={"root": Path("elsewhere")}), {"version": 1}
    )
    assert one != two
    assert again[0].key == one
