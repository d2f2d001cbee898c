"""Where MTCNN's weights lie and their hash: they ship inside facenet-pytorch, which is not imported.

Importing that package takes three seconds of torchvision and more; its files are found without.
"""

from __future__ import annotations

import hashlib
from functools import lru_cache
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path


def folder() -> Path:
    """Return the folder of `pnet.pt`, `rnet.pt` and `onet.pt`.

    Raises:
        ModuleNotFoundError: facenet-pytorch is not installed.
    """
    spec = find_spec("facenet_pytorch")
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError("facenet-pytorch, which holds MTCNN's weights, is not installed")
    return Path(spec.origin).parent / "data"


@lru_cache(maxsize=1)
def weights_sha256() -> str:
    """Return one hash over the three weight files and the version of the package that ships them.

    Raises:
        ModuleNotFoundError: facenet-pytorch is not installed.
    """
    digest = hashlib.sha256(version("facenet-pytorch").encode())
    for name in ("pnet.pt", "rnet.pt", "onet.pt"):
        digest.update((folder() / name).read_bytes())
    return digest.hexdigest()
