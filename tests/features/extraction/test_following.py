"""A stage that reads the same media as the one before is done with it: the same units, media read once."""

import shutil
from dataclasses import dataclass, replace

import pytest

from pipeline.corpora.recording import Medium, Recording
from pipeline.features.embeddings.onet import Onet
from pipeline.features.extraction.engine import ExtractionError, build_table
from pipeline.features.extraction.jobs import Following, Job, Stage, table_jobs
from pipeline.features.extractor import Given
from pipeline.features.faces.detection import FaceDetector
from pipeline.running.workshop import Workshop
from pipeline.store.rows import to_bytes
from pipeline.store.tables import FeatureTable
from pipeline.store.units import UnitStore

CLIP = "face_noface.mov"


@pytest.fixture
def corpus(params, tmp_path, clips):
    (tmp_path / "media").mkdir()
    shutil.copy(clips / CLIP, tmp_path / "media" / "one.mov")
    own = params.corpora["demo_sessions"].model_copy(update={"root": tmp_path / "media"})
    return with_share(own, 0.2)


def with_share(corpus, share):
    """Return a corpus of whose frames a share must show a face."""
    faces = corpus.video.faces.model_copy(update={"min_found_share": share})
    return corpus.model_copy(update={"video": corpus.video.model_copy(update={"faces": faces})})


def detected(corpus, tmp_path, following) -> UnitStore:
    """Run the stage detect_faces of one recording."""
    detector = FaceDetector(corpus.video.faces)
    stage = Stage("detect_faces", "faces", detector, following=following)
    store = UnitStore(tmp_path / "store")
    build_table(
        stage,
        [Job("one", "k".ljust(64, "0"), corpus.root / "one.mov")],
        tmp_path / "faces",
        Workshop(store),
        {},
    )
    return store


def embedded(corpus, tmp_path, store) -> FeatureTable:
    """Run the stage embed_faces."""
    onet, table = (
        Onet(corpus.video.embedding, corpus.video.faces.frame_rate_hz),
        FeatureTable.open(tmp_path / "faces"),
    )
    recordings = [Recording("one", "train", "s", {"video": Medium("one.mov")})]
    jobs = table_jobs(onet, table, recordings, corpus)
    build_table(Stage("embed_faces", "embeddings", onet), jobs, tmp_path / "embeddings", Workshop(store), {})
    return FeatureTable.open(tmp_path / "embeddings")


def onet(corpus) -> Following:
    return Following.of("embed_faces", "embeddings", corpus)


@pytest.mark.parametrize(("mode", "keep"), [("exact", "largest"), ("track", "largest"), ("exact", "all")])
def test_both_together_are_both_by_themselves(corpus, mode, keep):
    faces = corpus.video.faces.model_copy(update={"mode": mode, "keep": keep})
    network, detector = onet(corpus).extractor, FaceDetector(faces)
    given = Given("one", corpus.root / "one.mov")
    detections, vectors = network.extract_both(detector, given, "cpu")
    assert 0 < detections.valid.sum() < len(detections)
    alone = detector.extract(given, "cpu")
    assert to_bytes(detections) == to_bytes(alone)
    assert to_bytes(vectors) == to_bytes(network.extract(given._replace(rows=alone), "cpu"))


def test_whose_face_is_taken_is_known_before_any_is_embedded(corpus):
    detector = FaceDetector(corpus.video.faces.model_copy(update={"keep": "followed"}))
    given = Given("one", corpus.root / "one.mov")
    assert onet(corpus).extractor.extract_both(detector, given, "cpu") is None


def test_the_later_stage_reads_no_medium(corpus, tmp_path):
    store = detected(corpus, tmp_path, onet(corpus))
    (corpus.root / "one.mov").unlink()
    assert embedded(corpus, tmp_path, store).read("one").valid.any()


def test_without_it_the_later_stage_needs_the_medium(corpus, tmp_path):
    store = detected(corpus, tmp_path, None)
    assert not store.keys("embeddings")
    (corpus.root / "one.mov").unlink()
    with pytest.raises(ExtractionError, match="embed_faces"):
        embedded(corpus, tmp_path, store)


@dataclass(frozen=True)
class Refusing(Onet):
    """Cannot describe any face."""

    def embedder(self, device):
        class Refuses:
            size, names = 8, ("a",)

            def embed(self, crops):
                raise ValueError("no such face was ever seen")

        return Refuses()


def test_a_recording_that_the_later_stage_fails_is_detected_all_the_same(corpus, tmp_path):
    refusing = Refusing(corpus.video.embedding, corpus.video.faces.frame_rate_hz)
    store = detected(corpus, tmp_path, replace(onet(corpus), extractor=refusing))
    assert FeatureTable.open(tmp_path / "faces").recordings == ["one"]
    assert not store.keys("embeddings")


def test_a_recording_that_fails_the_first_stage_leaves_no_unit_of_the_later(corpus, tmp_path):
    strict = with_share(corpus, 1.0)
    with pytest.raises(ExtractionError, match="a face was found in"):
        detected(strict, tmp_path, onet(strict))
    assert not UnitStore(tmp_path / "store").keys("embeddings")


def test_a_network_that_lacks_its_file_is_left_to_its_own_stage(corpus, tmp_path):
    weights = {"network": "vgg_face", "weights": str(tmp_path / "absent.safetensors")}
    video = corpus.video.model_copy(update={"embedding": corpus.video.embedding.model_copy(update=weights)})
    assert Following.of("embed_faces", "embeddings", corpus.model_copy(update={"video": video})) is None


def test_landmarks_read_no_medium_and_follow_nothing(corpus, tmp_path):
    embedding = corpus.video.embedding.model_copy(update={"network": "landmarks"})
    own = corpus.model_copy(update={"video": corpus.video.model_copy(update={"embedding": embedding})})
    assert not detected(own, tmp_path, onet(own)).keys("embeddings")
