"""Time O-Net's dense5 of 2,000 crops: in NumPy, as the embedding, against torch, both on one thread.

Run `python -m benchmarks.onet`; ten seconds. Also what importing either takes, each in a new process, and
the processes' memory. Figures are ratios within one run: single times depend on what else the machine does.
torch's also depend on whether malloc keeps the pages of its large arrays, which it does or not by chance;
with MALLOC_TRIM_THRESHOLD_=1000000000 MALLOC_MMAP_THRESHOLD_=1000000000 it is 1.8 times as fast.
Nothing here is asserted in tests.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections.abc import Callable

import numpy as np
import torch
from threadpoolctl import threadpool_limits

from pipeline.features.embeddings.onet_numpy import Onet
from pipeline.features.faces.detection import BATCH
from pipeline.features.faces.mtcnn_networks import load_weights, onet_dense5, scaled
from pipeline.features.faces.mtcnn_weights import folder

CROPS = 2000
REPEATS = 7
IMPORTED = """
import time
import numpy
start = time.perf_counter()
{imports}
print(time.perf_counter() - start, open("/proc/self/status").read())
"""


def in_torch(crops: np.ndarray) -> np.ndarray:
    """Return dense5 as the detection cascade computes it, in batches as the embedding gets them."""
    weights = load_weights("onet", "cpu")
    with torch.inference_mode():
        batches = torch.from_numpy(crops).split(BATCH)
        found = [onet_dense5(weights, scaled(batch.permute(0, 3, 1, 2).float())) for batch in batches]
        return torch.cat(found).numpy()


def in_numpy(crops: np.ndarray) -> np.ndarray:
    """Return dense5 as the embedding computes it, in the same batches."""
    onet = Onet(folder() / "onet.pt")
    return np.concatenate([onet.dense5(crops[i : i + BATCH]) for i in range(0, len(crops), BATCH)])


def seconds(run: Callable[[], np.ndarray]) -> float:
    """Return how long a run takes."""
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def imported(imports: str) -> tuple[float, float]:
    """Return the seconds of an import after NumPy's and the process's peak memory, MB."""
    code = IMPORTED.format(imports=imports)
    text = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    return float(text.split()[0]), int(re.search(r"VmHWM:\s*(\d+)", text)[1]) / 1024


def main() -> None:
    """Print crops per second, the ratio, the largest difference and the imports."""
    crops = np.random.default_rng(0).integers(0, 256, (CROPS, 48, 48, 3), np.uint8)
    torch.set_num_threads(1)
    with threadpool_limits(1):
        difference = np.abs(in_numpy(crops) - in_torch(crops)).max() / np.abs(in_torch(crops)).max()
        # in turns, so that another program's load falls on both
        times = [(seconds(lambda: in_torch(crops)), seconds(lambda: in_numpy(crops))) for _ in range(REPEATS)]
    for name, found in zip(("torch", "NumPy"), zip(*times, strict=True), strict=True):
        print(f"{name}: {', '.join(f'{CROPS / took:.0f}' for took in found)} crops/s")
    ratios = [slow / fast for slow, fast in times]
    print(f"NumPy against torch: x{np.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})")
    print(f"largest difference, relative to the largest value: {difference:.1e}")
    for what in ("torch", "pipeline.features.embeddings.onet_numpy"):
        took, memory = imported(f"import {what}")
        print(f"import {what}: {took:.2f} s, {memory:.0f} MB")


if __name__ == "__main__":
    main()
