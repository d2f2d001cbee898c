"""Media of recordings -> what is wrong with each, its length and its rate, as extraction will find them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from pipeline.corpora.recording import Recording
from pipeline.features.media.inspection import Inspection, compare, inspect
from pipeline.features.media.opening import KINDS, Kind
from pipeline.location import Location
from pipeline.params import Corpus
from pipeline.running.errors import unusable
from pipeline.running.guarded import Lost
from pipeline.running.parallel import run_guarded
from pipeline.tools.finding import Finding

Looked = tuple[Recording, list[Finding], float | None, list[str], int | None]
"""A recording, its findings, its length in seconds, what extraction would mend or choose, its rate."""


def look_at_media(
    recordings: Sequence[Recording], root: Location, corpus: Corpus, workers: int, time_limit: float | None
) -> Iterator[Looked]:
    """Look at the media in guarded processes: a file that ends or hangs one is a finding."""
    media = []
    for item in recordings:
        if any(item.medium(kind) for kind in _kinds(corpus)):
            media.append(item)
        else:
            yield item, [], None, [], None
    for outcome in run_guarded(_recording, (root, corpus), media, workers=workers, time_limit=time_limit):
        if isinstance(outcome, Lost):
            item = outcome.task
            files = " and ".join(str(item.medium(each)) for each in _kinds(corpus) if item.medium(each))
            yield item, [Finding(item.recording, files, outcome.reason)], None, [], None
        else:
            yield outcome


def _kinds(corpus: Corpus) -> list[Kind]:
    """Return the modalities that are extracted from media which a decoder opens."""
    return [kind for kind in KINDS if kind in corpus.extract]


def _recording(root: Location, corpus: Corpus, item: Recording) -> Looked:
    """Look at the media of one recording that are extracted.

    Returns its findings, its length in seconds, what extraction would mend or choose, and the sampling rate.
    """
    seen: dict[Kind, Inspection] = {}
    findings, notes = [], []
    for modality in _kinds(corpus):
        path = item.medium(modality)
        if path is None:
            continue
        try:
            seen[modality] = inspect(root / path, modality, corpus)
        except Exception as error:  # noqa: BLE001  (a decoder may throw anything)
            seen[modality] = Inspection(None, [unusable(error)])
        findings += [Finding(item.recording, path.as_posix(), text) for text in seen[modality].problems]
        notes += [f"{item.recording}: {path.as_posix()}: {text}" for text in seen[modality].notes]
    if len(seen) == 2:
        findings += [Finding(item.recording, "", text) for text in compare(seen["audio"], seen["video"])]
    lengths = [each.duration for each in seen.values() if each.duration is not None]
    rate_hz = seen["audio"].rate_hz if "audio" in seen else None
    return item, findings, max(lengths, default=None), notes, rate_hz
