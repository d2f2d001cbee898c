"""What a corpus needs beside its recordings, looked for before hours of extraction are spent."""

from __future__ import annotations

from pipeline.features.extractor import NotReadyError, needing_files
from pipeline.params import Corpus
from pipeline.paths import Paths


def require_files(corpus: Corpus, paths: Paths) -> None:
    """Refuse to start where a file that an extractor needs is not there or is of another kind.

    Whoever pulled the table of a colleague needs no such file, as long as nothing is extracted anew.

    Raises:
        NotReadyError: as the extractor's `require`; with the YAML path.
    """
    tables = {"extract_audio": paths.audio, "extract_text": paths.text, "embed_faces": paths.embeddings}
    for entry, extractor in needing_files(corpus):
        if extractor.reads.medium not in corpus.extract or (tables[entry.stage] / "index.json").is_file():
            continue
        try:
            extractor.require(paths.root)
        except NotReadyError as error:
            raise NotReadyError(f"corpora.{paths.corpus}.{entry.needs_file}: {error}") from None
