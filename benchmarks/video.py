"""How fast faces are found and described, against the way that is usual, and how near VGG is to the limit.

    python -m benchmarks.video VIDEO [--frames 40] [--turns 5] [--size 640x360] [--films FILE ...]

The first frames of the video are written at the size wanted, and go from there through the whole chain,
decoding included: as the stages `detect_faces` and `embed_faces` do it, and as it is usually written, with
`facenet_pytorch.MTCNN` and torchvision's VGG-16, one frame at a time. VGG has random weights, which take as
long as any. Everything is on one thread and in one process, in turns, and counted in seconds of the
processor, of which a frame takes nearly the same beside other work; so `fps` is that of one core. Beside it
VGG alone, in operations that convolutions need and in those that are made of them, and the most that a
convolution of VGG's shapes reaches, in onnxruntime or torch. Of further films it says how the faces of mode
track lie to those of mode exact, for each `keep`. Nothing here is asserted in tests.
"""

from __future__ import annotations

import argparse
import os
import platform
import statistics
import tempfile
import time
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import av
import cv2
import numpy as np
import torch
from facenet_pytorch import MTCNN
from safetensors.numpy import save_file
from torchvision.models import vgg16

from pipeline.features.embeddings import winograd
from pipeline.features.embeddings.face_network import Embedder, FaceVectors
from pipeline.features.embeddings.vgg_architecture import VGG_FACE
from pipeline.features.embeddings.vgg_bfloat16 import VggFaceBfloat16
from pipeline.features.embeddings.vgg_face import VggFaceEmbedder
from pipeline.features.embeddings.vgg_graph import MEAN_RGB
from pipeline.features.embeddings.weight_file import METADATA
from pipeline.features.extractor import NotReadyError
from pipeline.features.faces.box_overlap import overlap_of_union
from pipeline.features.faces.detection import detect
from pipeline.features.faces.face_table import OF_KEEP, boxes_at
from pipeline.features.faces.mtcnn import OnetEmbedder
from pipeline.features.faces.persons import best_pairs
from pipeline.features.media.frames import FramesOnGrid
from pipeline.features.networks.session import open_session
from pipeline.onnx_graph import Graph
from pipeline.params import Faces

RATE_HZ = 25
SHAPES = ((64, 224), (128, 112), (256, 56), (512, 28), (512, 14))
"""Channels and side of VGG's convolutions between equal layers."""
BATCH = 8
GIGA = 1e9


def main() -> None:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("video", type=Path)
    parser.add_argument("--frames", type=int, default=40)
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--min-face", type=int, default=60)
    parser.add_argument("--size", default="640x360")
    parser.add_argument("--films", type=Path, nargs="*", default=[])
    asked = parser.parse_args()
    torch.set_num_threads(1)
    cv2.setNumThreads(1)
    with tempfile.TemporaryDirectory() as folder:
        path = cut(asked.video, Path(folder) / "cut.mp4", asked.frames, asked.size)
        faces = Faces(
            frame_rate_hz=RATE_HZ, min_face=asked.min_face, thresholds=(0.6, 0.7, 0.7), scale_factor=0.709,
            min_probability=0.9, same_face_overlap=0.3, min_found_share=0.0, max_failed_share=0.0,
        )  # fmt: skip
        track = faces.model_copy(update={"mode": "track"})
        weights = random_weights()
        save_file(weights, Path(folder) / "vgg.safetensors", {METADATA: "{}"})
        vgg = VggFaceEmbedder(Path(folder) / "vgg.safetensors", "post_relu")
        onet = OnetEmbedder("post_relu")
        usual = Usual(asked.min_face, weights)
        runs: dict[str, Callable[[], object]] = {
            "usual: MTCNN, VGG": lambda: usual.embedded(path),
            "usual: MTCNN alone": lambda: usual.detected(path),
            "here: VGG": lambda: chain(path, faces, vgg),
            "here: O-Net": lambda: chain(path, faces, onet),
            "here: faces alone": lambda: detect(path, faces),
            "track: VGG": lambda: chain(path, track, vgg),
            "track: O-Net": lambda: chain(path, track, onet),
            "track: faces alone": lambda: detect(path, track),
            "decoding alone": lambda: list(FramesOnGrid(path, RATE_HZ)),
        }
        half = None
        try:
            half = VggFaceBfloat16(Path(folder) / "vgg.safetensors", "post_relu")
            runs["here: VGG in bfloat16"] = lambda: chain(path, faces, half)
            runs["track: VGG in bfloat16"] = lambda: chain(path, track, half)
        except NotReadyError as error:
            print(f"{error}\n")
        for run in runs.values():
            run()
        # in turns, so that what else the machine does falls on all
        took = [{name: seconds(run) for name, run in runs.items()} for _ in range(asked.turns)]
        side = VGG_FACE.image
        crops = np.random.default_rng(0).integers(0, 256, (BATCH, side, side, 3), np.uint8)
        alone: dict[str, Embedder] = {"VGG": vgg} | ({} if half is None else {"VGG in bfloat16": half})
        embedded = {name: fastest(lambda own=own: own.embed(crops), asked.turns) / BATCH
                    for name, own in alone.items()}  # fmt: skip
        peak = max(peaks(asked.turns))
        found = int(detect(path, faces).valid.sum())
    print(f"{cpu()}, load {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores, {asked.turns} turns;")
    print(
        f"{asked.size}, faces of {asked.min_face} pixels or more, found in {found} of {asked.frames} frames\n"
    )
    print("| whole chain, one core | fps | times as fast as usual |\n|---|---|---|")
    for name in runs:
        base = "usual: MTCNN alone" if name.endswith(": faces alone") else "usual: MTCNN, VGG"
        fps = asked.frames / statistics.median(own[name] for own in took)
        ratios = [own[base] / own[name] for own in took]
        print(
            f"| {name} | {fps:.1f} | {statistics.median(ratios):.2f} ({min(ratios):.2f}-{max(ratios):.2f}) |"
        )
    print(f"\nA convolution of VGG's shapes: {peak / GIGA:.0f} GFLOPS at most, in 32 bit")
    print("\n| VGG up to fc7 | ms a face | GFLOPS of convolutions | share | GFLOPS made | share |")
    print("|---|---|---|---|---|---|")
    for name, face in embedded.items():
        rates = [flops_of_vgg() / face, flops_made() / face]
        row = " | ".join(f"{rate / GIGA:.0f} | {rate / peak:.0%}" for rate in rates)
        print(f"| {name} | {1e3 * face:.1f} | {row} |")
    if asked.films:
        print(
            "\n| film, 25 looks a second | keep | faces of exact | lost by track | more in track "
            "| overlap, mean | least | exact, ms a frame | track |"
        )
        print("|---|---|---|---|---|---|---|---|---|")
    for film in asked.films:
        for keep in OF_KEEP:
            print(beside(film, faces.model_copy(update={"keep": keep})), flush=True)


def seconds(run: Callable[[], object]) -> float:
    """Return the processor's seconds of a run."""
    start = time.process_time()
    run()
    return time.process_time() - start


def fastest(run: Callable[[], object], turns: int) -> float:
    """Return the processor's seconds of the fastest of several runs."""
    return min(seconds(run) for _ in range(turns))


def cut(video: Path, path: Path, frames: int, size: str) -> Path:
    """Write the first frames of a video at a size, `640x360`, in H.264."""
    width, height = map(int, size.split("x"))
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", RATE_HZ)
        stream.width, stream.height, stream.pix_fmt = width, height, "yuv420p"
        pictures = islice(FramesOnGrid(video, RATE_HZ), frames)
        images = [
            cv2.resize(frame.image, (width, height), interpolation=cv2.INTER_AREA) for frame in pictures
        ]
        for image in images:
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, "rgb24")))
        container.mux(stream.encode())
    if len(images) < frames:
        raise SystemExit(f"{video}: {len(images)} frames, expected {frames} or more (--frames)")
    return path


def random_weights() -> dict[str, np.ndarray]:
    """Return weights of VGG's shapes."""
    random = np.random.default_rng(0)
    return {
        name: random.standard_normal(shape, np.float32) * np.float32((2 / max(1, np.prod(shape[1:]))) ** 0.5)
        for name, shape in VGG_FACE.shapes.items()
    }


def chain(path: Path, faces: Faces, embedder: Embedder) -> np.ndarray:
    """Return the vectors of a video as the two stages make them where both have something to do."""
    vectors = FaceVectors(embedder, 0.0)
    return vectors.rows(detect(path, faces, vectors.see)).values


class Usual:
    """MTCNN and VGG-16 as they are usually called, frame by frame."""

    def __init__(self, min_face: int, weights: dict[str, np.ndarray]) -> None:
        """Load both."""
        self.mtcnn = MTCNN(min_face_size=min_face, keep_all=True, post_process=False)
        net = vgg16(weights=None)
        net.classifier = net.classifier[:5]
        net.load_state_dict({name: torch.from_numpy(own) for name, own in weights.items()})
        self.net = net.eval()
        self.mean = torch.tensor(MEAN_RGB)

    def frames(self, path: Path) -> Iterator[np.ndarray]:
        """Decode."""
        with av.open(str(path)) as container:
            for frame in container.decode(video=0):
                yield frame.to_ndarray(format="rgb24")

    def detected(self, path: Path) -> list[tuple[np.ndarray, np.ndarray | None]]:
        """Return the frames and the boxes in them."""
        return [(image, self.mtcnn.detect(image, landmarks=True)[0]) for image in self.frames(path)]

    def embedded(self, path: Path) -> list[torch.Tensor]:
        """Return fc7 of the first face of each frame."""
        found = []
        with torch.inference_mode():
            for image, boxes in self.detected(path):
                if boxes is None:
                    continue
                left, top, right, bottom = (int(max(0, edge)) for edge in boxes[0])
                face = cv2.resize(image[top:bottom, left:right], (VGG_FACE.image, VGG_FACE.image))
                x = (torch.from_numpy(face).float() - self.mean).permute(2, 0, 1)[None]
                found.append(self.net(x))
        return found


def beside(film: Path, faces: Faces) -> str:
    """Compare the faces that both modes take in a film: how many are lost, how they overlap, their costs."""
    found, took = {}, {}
    for mode in ("exact", "track"):
        start = time.process_time()
        found[mode] = detect(film, faces.model_copy(update={"mode": mode}))
        took[mode] = 1e3 * (time.process_time() - start) / len(found[mode])
    overlap, count, more = [], 0, 0
    for tick in range(len(found["exact"])):
        one, other = (boxes_at(rows, tick) for rows in found.values())
        alike = overlap_of_union(one, other)
        pairs = list(best_pairs(alike, faces.same_face_overlap))
        overlap += [float(alike[pair]) for pair in pairs]
        count, more = count + len(one), more + len(other) - len(pairs)
    mean, least = (f"{statistics.mean(overlap):.3f}", f"{min(overlap):.2f}") if overlap else ("–", "–")
    return (
        f"| {film.name} | {faces.keep} | {count} | {count - len(overlap)} | {more} | {mean} | {least} "
        f"| {took['exact']:.1f} | {took['track']:.1f} |"
    )


def flops_of_vgg() -> float:
    """Return the operations of one face: a product and a sum for each weight at each place."""
    side, place, total = VGG_FACE.image, "", 0
    for layer in VGG_FACE.layers:
        block = layer.name.partition("_")[0]
        if place.startswith("conv") and block != place:
            side //= 2
        place = block
        total += 2 * layer.outputs * layer.inputs * layer.kernel**2 * (1 if layer.dense else side**2)
    return float(total)


def flops_made() -> float:
    """Return the operations of one face that `winograd` makes of these, from the second block on."""
    total = flops_of_vgg()
    for layer in VGG_FACE.layers:
        block = 1 if layer.dense else int(layer.name[4])
        if block > 1:
            side = VGG_FACE.image >> (block - 1)
            sums = 2 * winograd.SUMS * (-(-side // winograd.TILE)) ** 2  # of all tiles
            before, after = winograd.SUMS, winograd.TILE**2 + 1
            total += sums * (layer.inputs * (layer.outputs + before) + layer.outputs * after)
            total -= 2 * layer.outputs * layer.inputs * layer.kernel**2 * side**2
    return float(total)


def peaks(turns: int) -> Iterator[float]:
    """Give the operations a second of each of VGG's shapes, in onnxruntime and in torch."""
    for channels, side in SHAPES:
        weight = np.random.default_rng(0).standard_normal((channels, channels, 3, 3)).astype(np.float32)
        picture = np.random.default_rng(1).standard_normal((4, channels, side, side)).astype(np.float32)
        flops = 2.0 * picture.size * channels * 9
        graph = Graph()
        graph.input("x", 1, list(picture.shape))
        graph.output(
            "y", graph.add("Conv", "x", graph.constant(weight), pads=[1, 1, 1, 1]), list(picture.shape)
        )
        session = open_session(graph.model({"": 17}, 8, {}, "convolution"))
        layer = torch.nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        layer = layer.to(memory_format=torch.channels_last)
        tensor = torch.from_numpy(picture).to(memory_format=torch.channels_last)
        with torch.inference_mode():
            runs = (lambda: session.run(None, {"x": picture}), lambda: layer(tensor))  # noqa: B023
            for run in runs:
                run()
                yield flops / fastest(run, turns)


def cpu() -> str:
    """Return the processor's name."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    names = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    return names[0] if names else platform.processor()


if __name__ == "__main__":
    main()
