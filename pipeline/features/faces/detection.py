"""Video -> the faces of each tick: boxes, landmarks, probabilities, validity.

Which faces these are, and which frames go through the whole detector, `following` says.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from pipeline.features.extractor import Finished, Given, Looked, MediumExtractor, Reads
from pipeline.features.faces.face_table import OF_KEEP, tabulated
from pipeline.features.faces.following import VERSIONS, Follower, Sighting
from pipeline.features.faces.mtcnn import Detector, Picture
from pipeline.features.faces.mtcnn_weights import weights_sha256
from pipeline.features.media.damage import require_whole
from pipeline.features.media.frames import Frame, FramesOnGrid
from pipeline.features.media.opening import MediaError, named
from pipeline.features.media.upright import upright
from pipeline.location import Location
from pipeline.params import Corpus, Faces
from pipeline.store.damage import Damage
from pipeline.store.rows import Rows

logger = logging.getLogger(__name__)

VERSION = 3
"""Raised whenever this module gives other numbers for the same recording."""

Watch = Callable[[Frame, NDArray[np.float32]], None]


@dataclass(frozen=True)
class FaceDetector(MediumExtractor):
    """MTCNN with the parameters of a corpus."""

    faces: Faces

    reads = Reads(medium="video")

    def fingerprint(self) -> dict[str, Any]:
        """Return everything but the medium that the detections of a recording depend on."""
        return fingerprint(self.faces)

    def extract(self, given: Given, device: str) -> Rows:
        """Detect the faces of one recording, as `detect` does."""
        return detect(given.path, self.faces)

    def look(self, path: Location) -> Looked:
        """Decode the pictures and put them on the grid."""
        video = FramesOnGrid(path, self.faces.frame_rate_hz)
        for number, (frame, aspect, _, _) in enumerate(video.pictures()):
            if number == 0:  # whether it can be made a picture at all: all have one format
                with named(path):
                    upright(frame, aspect)
        return Looked(video.duration, video.damage, list(video.notes))

    def check_damage(self, path: Location, damage: Damage) -> None:
        """Refuse a video of which too much is missing."""
        require_whole(path, damage, self.faces.max_damaged_share, "video.faces.max_damaged_share")

    def check(self, path: Location, finished: Finished) -> None:
        """Refuse a video of which too much is missing, or with too few faces."""
        super().check(path, finished)
        require_faces(path, finished.valid, self.faces.min_found_share)


def extractor(corpus: Corpus) -> FaceDetector:
    """Return the extractor with a corpus' parameters."""
    return FaceDetector(corpus.video.faces)


def fingerprint(faces: Faces) -> dict[str, Any]:
    """Return everything but the medium that the detections of a recording depend on.

    What is the default is not in it: units made before there was a choice stay valid.
    """
    limits = {"max_failed_share", "min_found_share", "max_damaged_share"}
    parameters = faces.model_dump(exclude=limits | {"mode", "keep"})
    if faces.mode == "track":
        parameters |= {"mode": faces.mode, "track_version": VERSIONS["track"]}
    if faces.keep != "largest":
        parameters |= {"keep": faces.keep, "keep_version": VERSIONS["keep"]}
        if faces.mode == "track":
            parameters["several_version"] = VERSIONS["several"]
    return {"extractor": "mtcnn", "version": VERSION, "weights": weights_sha256(), **parameters}


def detect(path: Location, faces: Faces, watch: Watch | None = None) -> Rows:
    """Detect and follow faces at the ticks of a video.

    watch: is shown each frame with the boxes of the faces followed, (faces, 4), which with `keep: followed`
    are more than are taken.

    Returns one row per tick: `start` its time, `end` the next one's (the video's end for the last),
    features as `face_table` has them (frame_time in seconds, pixels, probability), `valid` False and zeros
    where no face was found.

    Raises:
        MediaError: no such file, not media, no video stream.
    """
    detector, follower = Detector(faces), Follower(faces)
    seen: list[Sighting] = []
    video = FramesOnGrid(path, faces.frame_rate_hz)
    for frame in video:
        seen.append(follower.see(Picture(detector, frame.image), frame.time, frame.ticks))
        if watch is not None:
            watch(frame, seen[-1].found.boxes)
    for note in (video.damage.words, *video.notes):
        if note:
            logger.warning("%s: %s", path, note)
    values, valid = tabulated(faces.keep, seen, seen[-1].ticks.stop)
    start = np.arange(len(values)) / faces.frame_rate_hz
    end = np.minimum(start + 1 / faces.frame_rate_hz, max(video.duration, start[-1]))
    return Rows(start, end, values, valid, OF_KEEP[faces.keep], video.damage)


def require_faces(path: Location, valid: NDArray[np.bool_], min_found_share: float) -> None:
    """Refuse a recording with too few faces.

    valid: whether a face was found at each tick, (ticks,).

    Raises:
        MediaError: a face was found in a smaller share of the frames than `min_found_share`.
    """
    if said := too_few_faces(int(valid.sum()), len(valid), min_found_share):
        raise MediaError(f"{path}: {said}")


def too_few_faces(found: int, ticks: int, min_found_share: float) -> str:
    """Say that a face was found at too few ticks; nothing where there are enough."""
    share = found / max(ticks, 1)
    if share >= min_found_share:
        return ""
    return (
        f"a face was found in {found} of {ticks} frames ({share:.0%}), wanted at least {min_found_share:.0%}"
    )
