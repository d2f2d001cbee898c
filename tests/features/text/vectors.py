"""Small files of word vectors, and a package like wordllama, for tests."""

from __future__ import annotations

import zipfile
from pathlib import Path

import numpy as np

WORDS = {
    "i": (1.0, 0.0, 0.5),
    "am": (0.0, 2.0, -0.5),
    "happy": (4.0, -1.0, 0.25),
    "sad": (-4.0, 1.0, 0.125),
    "not": (0.0, 0.0, 8.0),
    "do": (1.0, 1.0, 1.0),
    "n't": (-2.0, 0.0, 2.0),
}


def glove(path: Path) -> Path:
    """Write the words above in GloVe's text format."""
    lines = [" ".join([word, *map(str, vector)]) for word, vector in WORDS.items()]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def package(folder: Path, values: int = 4) -> Path:
    """Write weights and a tokenizer (words, parts of words and single letters) as the package has them."""
    from safetensors.numpy import save_file
    from tokenizers import Tokenizer, models, pre_tokenizers

    begin = "\u2581"
    merges = [(begin, "i"), ("a", "m"), (begin, "am"), ("h", "a"), ("ha", "p"), (begin, "hap"), ("p", "y")]
    joined = ["".join(pair) for pair in merges]
    pieces = ["<unk>", "<s>", begin, *"abcdefghijklmnopqrstuvwxyzHAPY'", *joined]
    vocabulary = {piece: number for number, piece in enumerate(pieces)}
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=merges, unk_token="<unk>"))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    (folder / "weights").mkdir(parents=True)
    (folder / "tokenizers").mkdir()
    tokenizer.save(str(folder / "tokenizers/small_tokenizer_config.json"))
    table = np.random.default_rng(0).normal(size=(tokenizer.get_vocab_size(), values)).astype(np.float16)
    save_file({"embedding.weight": table}, folder / "weights/small_256.safetensors")
    (folder / "config.json").write_text("{}")
    return folder


def wheel(folder: Path, path: Path) -> Path:
    """Pack a folder of `package` as its wheel is packed."""
    with zipfile.ZipFile(path, "w") as archive:
        for file in sorted(folder.rglob("*")):
            if file.is_file():
                archive.write(file, f"wordllama/{file.relative_to(folder).as_posix()}")
    return path
