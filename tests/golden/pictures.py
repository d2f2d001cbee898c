"""Golden numbers of faces, embeddings, landmarks and pooling.

The steps after the detector start from made-up rows, so that each module's numbers move with itself alone.
Tolerances: boxes and vectors are sums of up to 10,000 float32 products, which processors add in different
orders (with SSE alone they moved by 3e-7 of their size), of crops, whose pixels may be rounded the other way
(2e-4 in the narrow VGG); landmarks and pooling are float64 until they are kept.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file

from pipeline.features.embeddings import landmarks
from pipeline.features.embeddings.onet import Onet
from pipeline.features.embeddings.vgg_architecture import Architecture
from pipeline.features.embeddings.vgg_face import VggFaceEmbedder
from pipeline.features.embeddings.weight_file import METADATA
from pipeline.features.extractor import Given
from pipeline.features.faces import detection as faces
from pipeline.features.faces.crops import crop
from pipeline.features.faces.face_table import BOX, NAMES
from pipeline.features.faces.mtcnn import Detector
from pipeline.features.pooling import pooling
from pipeline.params import Embedding, Faces, Grid, Pooling
from pipeline.store.rows import Rows
from tests.golden.comparison import Numbers
from tests.golden.inputs import PICTURES_HZ, face, write_pictures

NETWORK = 3e-4
NARROW_NETWORK = 1e-3
EXACT = 1e-5
FACES = Faces(
    frame_rate_hz=PICTURES_HZ,
    min_face=60,
    thresholds=(0.6, 0.7, 0.7),
    scale_factor=0.709,
    min_probability=0.9,
    same_face_overlap=0.3,
    min_found_share=0.5,
    max_failed_share=0.0,
)
NARROW = Architecture(((4, 5), (6, 4), (5, 7, 6), (8, 6, 7), (6, 7, 9)), dense=10, side=3)


def pictures() -> list[np.ndarray]:
    """Return one face that moves, then nobody, then two faces, the first one's followed."""
    two = np.where(np.arange(320)[None, :, None] < 165, face(95, 120, 62), face(238, 118, 66))
    empty = np.full((240, 320, 3), 100, np.uint8)
    return [face(150, 118, 60), face(162, 122, 64, 0.8), empty, face(100, 118, 62), two]


def detections() -> Rows:
    """Return made-up detections of `pictures`: boxes below and above O-Net's crop, one without a face."""
    ticks = np.arange(5)
    left, top = 105 + 9 * ticks, np.array([60, 63, 66, -12, -12])  # the last reaches over the edge
    side = np.array([90, 44, 0, 70, 81])
    values = np.zeros((5, len(NAMES)), np.float32)
    values[:, 0] = np.array([0.0, 0.1, 0.2, 0.3, 0.3])  # the last two ticks show one frame
    values[:, 1:5] = np.stack([left, top, left + side, top + 1.2 * side], axis=1)
    for number, (x, y) in enumerate(((0.3, 0.35), (0.72, 0.37), (0.5, 0.6), (0.36, 0.8), (0.66, 0.78))):
        turn = 0.05 * ticks * (number - 2)
        values[:, 5 + 2 * number] = left + side * (x + turn * 0.1)
        values[:, 6 + 2 * number] = top + 1.2 * side * (y + turn * 0.2)
    values[:, 15] = 0.99
    values[3:5, 1:] = values[3, 1:]
    valid = side > 0
    values[~valid, 1:] = 0
    return Rows(ticks / PICTURES_HZ, (ticks + 1) / PICTURES_HZ, values, valid, NAMES)


def detected(folder: Path) -> dict[str, Numbers | str]:
    path = write_pictures(folder / "faces.mkv", pictures())
    rows = faces.detect(path, FACES)
    found: dict[str, Numbers | str] = {
        "found": Numbers(rows.valid[:, None], EXACT),
        "boxes and landmarks": Numbers(rows.values[:, 1:15], NETWORK),
        "probability": Numbers(rows.column("probability")[:, None], NETWORK),
        "start, end, frame time": Numbers(np.stack([rows.start, rows.end, rows.values[:, 0]], 1), EXACT),
    }
    detector = Detector(FACES.model_copy(update={"thresholds": (0.3, 0.2, 0.2), "min_probability": 0.2}))
    for number, some in enumerate(map(detector.detect, (pictures()[0], pictures()[4]))):
        boxes = np.column_stack([some.boxes, some.probability])
        found[f"all candidates of picture {number}, low thresholds"] = Numbers(boxes, NETWORK)
    # of two faces at the start the larger is followed, though the smaller is the more probable
    two = np.where(np.arange(320)[None, :, None] < 165, face(95, 120, 52), face(238, 118, 70))
    path = write_pictures(folder / "two.mkv", [two, two[:, ::-1]])
    found["two faces"] = Numbers(faces.detect(path, FACES).values[:, :5], NETWORK)
    # at twice the rate pictures are shown at two ticks each; a small face needs another scale
    small = FACES.model_copy(update={"frame_rate_hz": 20.0, "min_face": 20})
    path = write_pictures(folder / "small.mkv", [face(80, 90, 24), face(84, 92, 25)])
    found["small face, half ticks"] = Numbers(faces.detect(path, small).values[:, :15], NETWORK)
    return found


def tracked(folder: Path) -> dict[str, Numbers | str]:
    # twelve pictures: the second second begins with the eleventh, and in the sixth nobody is there
    seen = [face(150 + 3 * k, 118 + k, 60 + k % 3) for k in range(12)]
    seen[5] = pictures()[2]
    rows = faces.detect(
        write_pictures(folder / "tracked.mkv", seen), FACES.model_copy(update={"mode": "track"})
    )
    return {
        "found": Numbers(rows.valid[:, None], EXACT),
        "boxes and landmarks": Numbers(rows.values[:, 1:15], NETWORK),
        "probability": Numbers(rows.column("probability")[:, None], NETWORK),
    }


def kept(folder: Path) -> dict[str, Numbers | str]:
    """Return who is taken of two who change sizes, with everybody's number; probabilities apart."""
    left = np.arange(320)[None, :, None] < 165
    seen = [np.where(left, face(95, 120, 52 + 4 * k), face(238, 118, 64 - 4 * k)) for k in (0, 1, 2, 3)]
    path = write_pictures(folder / "two.mkv", [*seen, face(95, 120, 64)])
    found: dict[str, Numbers | str] = {}
    for keep in ("followed", "all"):
        rows = faces.detect(path, FACES.model_copy(update={"keep": keep}))
        persons = [name for name in rows.names if name.endswith(("person", "persons"))]
        boxes = [name for name in rows.names if name.endswith(BOX)]
        for what, names, tolerance in (("persons", persons, EXACT), ("boxes", boxes, NETWORK)):
            values = np.stack([rows.column(name) for name in names], axis=1)
            found[f"{keep}: {what}"] = Numbers(np.nan_to_num(values, nan=-1), tolerance)
    return found


def several(folder: Path) -> dict[str, Numbers | str]:
    """Return who is taken of two in mode track, of whom one comes and goes within the second."""
    left = np.arange(320)[None, :, None] < 165
    one = [face(95 + k, 120, 62) for k in range(6)]
    seen = [np.where(left, own, face(238, 118, 58 + k)) if k in (2, 3) else own for k, own in enumerate(one)]
    path = write_pictures(folder / "two.mkv", seen)
    rows = faces.detect(path, FACES.model_copy(update={"mode": "track", "keep": "all"}))
    persons = [name for name in rows.names if name.endswith(("person", "persons"))]
    boxes = [name for name in rows.names if name.endswith(BOX)]
    return {
        what: Numbers(np.stack([rows.column(name) for name in names], axis=1), tolerance)
        for what, names, tolerance in (("persons", persons, EXACT), ("boxes", boxes, NETWORK))
    }


def onet(folder: Path) -> dict[str, Numbers | str]:
    path = write_pictures(folder / "faces.mkv", pictures())
    found: dict[str, Numbers | str] = {}
    for activation, margin in (("post_relu", 0.0), ("pre_relu", 0.25)):
        embedding = Embedding(network="mtcnn_onet", activation=activation, weights=None, margin=margin)
        rows = Onet(embedding, PICTURES_HZ).extract(Given("r", path, detections()), "cpu")
        # one column: the size of a vector is that of all its values
        shown = rows.values[:, ::16].reshape(-1, 1)
        norm = np.linalg.norm(rows.values, axis=1)[:, None]
        found[f"{activation}, margin {margin}: every 16th value"] = Numbers(shown, NETWORK)
        found[f"{activation}, margin {margin}: norm"] = Numbers(norm, NETWORK)
    return found


def vgg_face(folder: Path) -> dict[str, Numbers | str]:
    """A narrow network of random weights through the code of the wide one, whose weights are not ours."""
    random = np.random.default_rng(0)
    weights = {
        name: (0.1 * random.standard_normal(shape)).astype(np.float32)
        if len(shape) == 1
        else (random.standard_normal(shape) * (2 / np.prod(shape[1:])) ** 0.5).astype(np.float32)
        for name, shape in NARROW.shapes.items()
    }
    save_file(weights, folder / "narrow.safetensors", {METADATA: "{}"})
    boxes = np.stack([detections().column(name) for name in BOX], axis=1)
    found: dict[str, Numbers | str] = {}
    for activation, margin in (("post_relu", 0.0), ("pre_relu", 0.25)):
        embedder = VggFaceEmbedder(folder / "narrow.safetensors", activation, NARROW)
        crops = [
            crop(picture, box, margin, embedder.size)
            for picture, box in zip(pictures()[:2], boxes[:2], strict=True)
        ]
        vectors = embedder.embed(np.stack(crops))
        found[f"{activation}, margin {margin}"] = Numbers(vectors.reshape(-1, 1), NARROW_NETWORK)
    return found


def geometry(folder: Path) -> dict[str, Numbers | str]:
    rows = landmarks.geometry(detections())
    return {
        "static": Numbers(rows.values[:, : len(landmarks.STATIC)], EXACT),
        # differences of nearly equal numbers keep fewer digits
        "speeds": Numbers(rows.values[:, len(landmarks.STATIC) :], 1e-4),
        "names": " ".join(rows.names),
    }


def pooled(folder: Path) -> dict[str, Numbers | str]:
    random = np.random.default_rng(0)
    times = np.arange(24) * 0.25
    values = (random.standard_normal((24, 3)) * [1, 10, 0.1] + [0, 100, 0]).astype(np.float32)
    valid = np.ones(24, bool)
    valid[[0, 1, 7, 8, 9, 10, 11, 12, 13, 23]] = False
    values[~valid] = 0
    frames = Rows(times, times + 0.25, values, valid, ("a", "b", "c"))
    found: dict[str, Numbers | str] = {}
    for no_face in ("hold", "interpolate", "zero"):
        for grid in (Grid(window=1.0, hop=0.5), Grid(window=0.4, hop=0.2), Grid(window=None, hop=None)):
            rows = pooling.pool(frames, Pooling(statistics=("mean", "std"), no_face=no_face), grid)
            name = f"{no_face}, {'utterance' if grid.utterances else f'windows of {grid.window:g} s'}"
            found[name] = Numbers(np.column_stack([rows.values, rows.start, rows.end, rows.valid]), EXACT)
            found[f"{name}: names"] = " ".join(rows.names)
    return found
