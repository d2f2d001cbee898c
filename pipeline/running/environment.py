"""What results depend on beside their inputs: code and packages, which all workers must share."""

from __future__ import annotations

import hashlib
import sys
from functools import lru_cache
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PACKAGES = (
    "av",
    "facenet-pytorch",
    "numpy",
    "onnxruntime",
    "opencv-python-headless",
    "opensmile",
    "pyarrow",
    "torch",
)
"""Packages that take part in results."""


class ClusterError(RuntimeError):
    """Report that the cluster cannot be used: what is wrong, what to do."""


def require_environment(expected: dict[str, str]) -> None:
    """Refuse to work with other code or packages than the process that asks.

    Raises:
        ClusterError: something differs; what, and both versions.
    """
    here = environment()
    different = [
        f"{name} is {here.get(name)}, wanted {wanted}"
        for name, wanted in expected.items()
        if here.get(name) != wanted
    ]
    if different:
        raise ClusterError(
            f"a Dask worker runs other code than this process: {'; '.join(different)}. Start the workers "
            "from the same commit and constraints.txt"
        )


@lru_cache(maxsize=1)
def environment() -> dict[str, str]:
    """Return what results depend on beside their inputs: the code's sha256 and packages' versions."""
    found = {"python": ".".join(map(str, sys.version_info[:2])), "pipeline": _code_sha256()}
    for name in PACKAGES:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            found[name] = "not installed"
    return found


def _code_sha256() -> str:
    root = Path(__file__).parents[1]
    digest = hashlib.sha256()
    for path in sorted(path for kind in ("*.py", "*.[ch]") for path in root.rglob(kind)):
        digest.update(path.relative_to(root).as_posix().encode() + b"\0" + path.read_bytes() + b"\0")
    return digest.hexdigest()[:12]
