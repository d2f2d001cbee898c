"""What a corpus needs beside its recordings, looked for before hours of extraction are spent."""

from __future__ import annotations

from pathlib import Path

from pipeline.features.embeddings.vgg_architecture import WeightsError
from pipeline.features.embeddings.weight_file import require_tensors
from pipeline.params import Corpus
from pipeline.paths import Paths


def require_weights(corpus: Corpus, paths: Paths) -> None:
    """Refuse to start where the face network's weights are not there or are of another network.

    Whoever pulled the embeddings of a colleague needs no weights, as long as no face is embedded anew.

    Raises:
        WeightsError: no such file, not safetensors, a tensor is missing or of the wrong shape; with the YAML
            path.
    """
    weights = corpus.video.embedding.weights
    if weights is None or "video" not in corpus.extract or (paths.embeddings / "index.json").is_file():
        return
    try:
        require_tensors(paths.root / Path(weights))
    except WeightsError as error:
        raise WeightsError(f"corpora.{paths.corpus}.video.embedding.weights: {error}") from None
