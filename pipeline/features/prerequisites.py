"""What a corpus needs beside its recordings, looked for before hours of extraction are spent."""

from __future__ import annotations

import json
from pathlib import Path

from pipeline.catalogue.extractors import ExtractorEntry
from pipeline.features.extractor import Extractor, NotReadyError, needing_files
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
        if _is_made(entry, extractor, tables[entry.stage]):
            continue
        try:
            extractor.require(paths.root)
        except NotReadyError as error:
            raise NotReadyError(f"corpora.{paths.corpus}.{entry.needs_file}: {error}") from None


def _is_made(entry: ExtractorEntry, extractor: Extractor, directory: Path) -> bool:
    """Say whether there is a table that was made so, or by this extractor with a file that is not here."""
    try:
        about = json.loads((directory / "index.json").read_text(encoding="utf-8")).get("about", {})
    except (OSError, ValueError, AttributeError):  # none, or damaged: who reads it says so
        return False
    try:
        wanted = json.loads(json.dumps(extractor.fingerprint()))  # as the index has it: lists for tuples
    except NotReadyError:
        made_by = about.get("network", about.get("extractor")) if isinstance(about, dict) else None
        return not about or made_by == entry.name
    return bool(wanted.items() <= about.items()) if isinstance(about, dict) else False
