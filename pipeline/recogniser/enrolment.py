"""Recordings of the speaker to come -> count, mean and deviation of each feature, by which they are scaled.

An `Enrolment` holds no recording, no row of features and no name of a file. What it holds depends on the
scaling of the recogniser that it was made for (`Scaler.statistics`), so each entry names that scaling, and
recognisers that scale alike (arousal and valence of one corpus and modality) share one.
"""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from pipeline.recogniser.enrolment_entry import Entry
from pipeline.recogniser.error import RecogniserError

if TYPE_CHECKING:
    from pipeline.learning.speaker_statistics import SpeakerStatistics
    from pipeline.recogniser.models_of_setting import ModelsOfSetting
    from pipeline.recogniser.recogniser import Recogniser, Speaker
    from pipeline.store.rows import Rows

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Enrolment:
    """What is kept of one speaker; entries: by the fingerprint of a scaling (`scaling_fingerprint`)."""

    speaker: str = ""
    entries: Mapping[str, Entry] = field(default_factory=dict)

    def __repr__(self) -> str:
        """Return of what it is, and none of it: means of a voice are personal data."""
        kept = [
            f"{own.modality} of {own.recordings} recording{'' if own.recordings == 1 else 's'}"
            for own in self.entries.values()
        ]
        return f"<Enrolment of {self.speaker or 'a speaker'}: {', '.join(kept) or 'nothing'}>"

    @classmethod
    def from_files(
        cls, recognisers: Sequence[Recogniser], files: Iterable[str | Path], speaker: str = ""
    ) -> Enrolment:
        """Return the enrolment of some files of one speaker; see `enrol_file`.

        What a file lacks (a recording of sound has no faces) is logged as a warning.
        """
        enrolment: Enrolment = cls(speaker)
        for file in files:
            own = enrol_file(recognisers, Path(file))
            for problem in own.problems:
                logger.warning("%s", problem)
            enrolment = enrolment.joined(own.enrolment)
        return enrolment

    @classmethod
    def read(cls, speaker: str, folder: str | Path | None = None) -> Enrolment:
        """Return what `emobed enrol` keeps of a speaker.

        folder: of the speakers; None: the one that `emobed enrol` uses unless it is told otherwise.

        Raises:
            RecogniserError: nothing is kept, or what is cannot be used.
        """
        from pipeline.recogniser.speaker_files import checked_name, read_entries, speakers_folder

        place = speakers_folder() if folder is None else Path(folder)
        return cls(checked_name(speaker), read_entries(place, speaker))

    def of(self, models: ModelsOfSetting) -> dict[str, SpeakerStatistics]:
        """Return what a recogniser needs of the speaker, by modality: `enrolment` of its `predict_rows`.

        Empty where it does not scale by speaker.

        Raises:
            RecogniserError: the speaker was enrolled for other recognisers, or what is kept does not fit.
        """
        found = {}
        for modality in enrolled_modalities(models):
            entry = self.entries.get(scaling_fingerprint(models, modality))
            if entry is None:
                there = sorted({own.modality for own in self.entries.values()})
                raise RecogniserError(
                    f"speaker '{self.speaker}' is enrolled for {' and '.join(there) or 'nothing'} of other "
                    f"recognisers and not for {modality} of this one: run `emobed enrol` with it "
                    f"(--recogniser) and recordings that have {modality}"
                )
            if len(entry.statistics) != (expected := len(models.features(modality))):
                raise RecogniserError(
                    f"speaker '{self.speaker}': {len(entry.statistics)} features of {modality}, expected the "
                    f"{expected} of the recogniser; enrol the speaker anew"
                )
            found[modality] = entry.statistics
        return found

    def with_rows(self, models: ModelsOfSetting, rows: Mapping[str, Rows], medium: str) -> Enrolment:
        """Return the enrolment with one recording more; the same again changes nothing.

        rows: its features by modality, of those of `enrolled_modalities` that it has. medium: sha256 of the
        recording.

        Raises:
            ValueError: the features are not those of training.
        """
        own = {
            scaling_fingerprint(models, modality): Entry(
                modality, models.statistics(modality, [rows[modality]]), (medium,)
            )
            for modality in enrolled_modalities(models)
            if modality in rows
        }
        return self.joined(Enrolment(entries=own))

    def joined(self, recording: Enrolment) -> Enrolment:
        """Return the enrolment with what another one holds of one recording; the same again changes nothing.

        Raises:
            ValueError: the other one holds several recordings, of which no single one can be taken out.
        """
        from pipeline.learning.speaker_statistics import SpeakerStatistics

        entries = dict(self.entries)
        for key, own in recording.entries.items():
            if own.recordings != 1:
                raise ValueError(f"an enrolment of {own.recordings} recordings, expected one of a single one")
            entry = entries.get(key)
            if entry is None:
                entries[key] = own
            elif own.media[0] not in entry.media:
                whole = SpeakerStatistics.merged([entry.statistics, own.statistics], len(own.statistics))
                entries[key] = Entry(own.modality, whole, tuple(sorted((*entry.media, *own.media))))
        return replace(self, entries=entries)


def known_of(enrolment: Speaker | None, models: ModelsOfSetting) -> Any:
    """Return what is known of a speaker as models take it; of a stranger nothing.

    Raises:
        RecogniserError: the speaker was enrolled for other recognisers.
    """
    if enrolment is None:
        return ()
    return enrolment.of(models) if isinstance(enrolment, Enrolment) else enrolment


def enrolled_modalities(models: ModelsOfSetting) -> tuple[str, ...]:
    """Return the modalities whose features a recogniser scales by speaker; none if it does not."""
    return models.needed if models.by_speaker else ()


def scaling_fingerprint(models: ModelsOfSetting, modality: str) -> str:
    """Return the sha256 of everything on which a speaker's statistics depend besides the recordings.

    That is how features are made, their names, and the scaling as it was fitted on train. Its `clip` is not
    among them: statistics are of values that are not limited.
    """
    view = models.view(modality)
    scaler = models.scalers[view]
    about = {
        "method": scaler.method,
        "speaker": scaler.speaker,
        "features": list(models.about["features"][view]),
        "extraction": models.about["extraction"].get(view),
        "arrays": {
            name: hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()
            for name, array in scaler.arrays.items()
        },
    }
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()


class EnrolledFile(NamedTuple):
    """What a file gave to an enrolment, which holds it alone, and in sentences what it did not."""

    enrolment: Enrolment
    problems: tuple[str, ...] = ()


def enrol_file(recognisers: Sequence[Recogniser], file: Path) -> EnrolledFile:
    """Return what recognisers keep of one file of a speaker.

    A file may have one modality of several: that is enrolled, and why the others are not is said. Features
    that several recognisers share are made once.

    Raises:
        MediaError: nothing of the file can be used.
        RecogniserError: features of a modality cannot be made from a file.
    """
    from pipeline.features.media.opening import MediaError
    from pipeline.store.digest import sha256_of

    rows: dict[tuple[str, str], Rows | MediaError] = {}
    failed: dict[str, MediaError] = {}
    enrolment, medium = Enrolment(), ""
    for recogniser in recognisers:
        own = {}
        for modality in enrolled_modalities(recogniser.models):
            key = (modality, json.dumps(recogniser.models.about["extraction"], sort_keys=True))
            if key not in rows:
                try:
                    rows[key] = recogniser.features(file, modality)
                except MediaError as error:
                    rows[key] = error
            found = rows[key]
            if isinstance(found, MediaError):
                failed.setdefault(modality, found)
            else:
                own[modality] = found
        if own:
            medium = medium or sha256_of(file)
            enrolment = enrolment.with_rows(recogniser.models, own, medium)
    if failed and not enrolment.entries:
        raise next(iter(failed.values()))
    return EnrolledFile(
        enrolment,
        tuple(
            f"{file}: not enrolled for {modality}: {str(error).removeprefix(f'{file}: ')}"
            for modality, error in failed.items()
        ),
    )
