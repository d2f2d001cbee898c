"""The wheel of the PyPI package `wordllama`, or its folder once installed -> vectors of tokens.

The package (MIT) ships a tokenizer and one vector of 256 values for each of its 32,000 tokens, which are
words and parts of words: no word is unknown. Only the two files are read, nothing of it is run.
"""

from __future__ import annotations

import hashlib
import zipfile
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from pipeline.features.extractor import NotReadyError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

TENSOR = "embedding.weight"
LARGEST = 1 << 30
"""Bytes of a file in a wheel once unpacked."""
WEIGHTS, TOKENIZER = ("weights", ".safetensors"), ("tokenizers", ".json")
"""Folder and suffix of the files."""
EXPECTED = (
    "expected the wheel of the package wordllama (`pip download --no-deps wordllama`) or its installed "
    "folder, with one weights/*.safetensors and one tokenizers/*.json"
)


@dataclass(frozen=True)
class TokenTable:
    """A tokenizer and the vector of each of its tokens, (tokens, values)."""

    tokenizer: Tokenizer
    vectors: NDArray[np.float16]

    def of(self, text: str) -> NDArray[np.float32]:
        """Return the vectors of the tokens of a text, without special tokens: (tokens, values)."""
        ids = self.tokenizer.encode(text, add_special_tokens=False).ids
        return self.vectors[np.array(ids, dtype=np.int64)].astype(np.float32)


def is_wordllama(path: Path) -> bool:
    """Say whether a path is that of a wheel or a folder, rather than of a file of vectors."""
    return path.suffix.lower() == ".whl" or path.is_dir()


def stored_files(path: Path) -> tuple[bytes, bytes]:
    """Return the bytes of the weights and of the tokenizer.

    Raises:
        NotReadyError: not the wheel or folder of that package.
    """
    try:
        if path.is_dir():
            files = [file for file in sorted(path.glob("*/*")) if file.is_file()]
            return tuple(_one(path, files, *kind).read_bytes() for kind in (WEIGHTS, TOKENIZER))  # type: ignore[return-value]
        with zipfile.ZipFile(path) as wheel:
            names = [Path(info.filename) for info in wheel.infolist() if info.file_size <= LARGEST]
            chosen = [_one(path, names, *kind) for kind in (WEIGHTS, TOKENIZER)]
            return tuple(wheel.read(name.as_posix()) for name in chosen)  # type: ignore[return-value]
    except (OSError, zipfile.BadZipFile, zipfile.LargeZipFile, NotImplementedError, RuntimeError) as error:
        raise NotReadyError(f"{path}: cannot be read ({error}), {EXPECTED}") from None


@lru_cache(maxsize=1)
def files_sha256(path: Path) -> str:
    """Return the sha256 of the two files, the same for the wheel and its installed folder.

    Raises:
        NotReadyError: as `stored_files`.
    """
    each = [hashlib.sha256(file).hexdigest() for file in stored_files(path)]
    return hashlib.sha256("".join(each).encode()).hexdigest()


def _one(path: Path, files: list[Path], folder: str, suffix: str) -> Path:
    found = [file for file in files if file.parent.name == folder and file.suffix == suffix]
    if len(found) != 1:
        raise NotReadyError(f"{path}: found {len(found)} files {folder}/*{suffix}, {EXPECTED}")
    return found[0]


@lru_cache(maxsize=1)
def load_table(path: Path) -> TokenTable:
    """Read the tokenizer and the vectors.

    Raises:
        NotReadyError: as `stored_files`, or the files hold something else.
    """
    # imported here: whoever has no text does without
    from safetensors import SafetensorError
    from safetensors.numpy import load
    from tokenizers import Tokenizer

    weights, described = stored_files(path)
    try:
        tensors = load(weights)
    except SafetensorError as error:
        raise NotReadyError(f"{path}: its weights cannot be read ({error}), {EXPECTED}") from None
    vectors = tensors.get(TENSOR)
    if vectors is None or vectors.ndim != 2 or vectors.dtype != np.float16:
        raise NotReadyError(f"{path}: its weights hold no {TENSOR} of two axes in float16, {EXPECTED}")
    try:
        tokenizer = Tokenizer.from_str(described.decode())
    except Exception as error:  # noqa: BLE001  (the library raises plain Exception)
        raise NotReadyError(f"{path}: its tokenizer cannot be read ({error}), {EXPECTED}") from None
    if tokenizer.get_vocab_size(with_added_tokens=True) > len(vectors):
        raise NotReadyError(
            f"{path}: {len(vectors)} vectors for {tokenizer.get_vocab_size()} tokens, {EXPECTED}"
        )
    tokenizer.no_truncation()
    tokenizer.no_padding()
    return TokenTable(tokenizer, vectors)
