"""A file, or a part of it -> features for each recogniser, each made once.

Recognisers whose features are made with the same settings share them, as far as their chains of stages are
the same: one detection of faces serves two ways of pooling. Of a part of a file the sound is cut out and
heard as if it were a file; faces are found in the whole file once, and those of the part are pooled.
"""

from __future__ import annotations

import json
import logging
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from pipeline.corpora.recording import Medium as Words
from pipeline.features.extractor import Given, extractor_of
from pipeline.features.media.opening import MediaError
from pipeline.params import modality_of
from pipeline.predicting.medium import Medium, Part
from pipeline.recogniser.file_features import TRANSCRIPT, stages_of, words_of
from pipeline.store.rows import Rows

if TYPE_CHECKING:
    from pipeline.features.audio.sound import Sound
    from pipeline.recogniser.recogniser import Recogniser

logger = logging.getLogger(__name__)

BEYOND = 0.1
"""Seconds: an end of a part that lies further beyond its file is no matter of rounding."""
FRAME_STAGES = ("detect_faces", "embed_faces")
"""Stages whose rows are frames of a whole file, of which a part can be taken."""


@dataclass
class Features:
    """Features of one file as they are asked for. device: cpu or cuda, of networks that make them."""

    medium: Medium
    device: str = "cpu"
    _rows: dict[str, Rows] = field(default_factory=dict)
    _sound: Sound | None = None

    def of(self, recogniser: Recogniser, part: Part) -> dict[str, Rows]:
        """Return the features that a recogniser needs of a part, by modality.

        Raises:
            MediaError: the file, or the part, cannot be used.
            NotReadyError: an extractor lacks a file.
            RecogniserError: the features came with the corpus as tables, which no file has; or they would be
                made otherwise than those of training.
        """
        return {name: self._modality(recogniser, name, part) for name in recogniser.needed}

    def _modality(self, recogniser: Recogniser, name: str, part: Part) -> Rows:
        from pipeline.running.one_thread import one_thread

        modality, stages = modality_of(name), stages_of(recogniser.corpus, name)
        recogniser.require_made(name)
        about = recogniser.description.extraction[name]
        rows: Rows | None = None
        with one_thread():  # as in the stages: sums over more threads round differently
            for place, stage in enumerate(stages):
                whole = stage in FRAME_STAGES
                key = json.dumps([[own, about[own]] for own in stages[: place + 1]], sort_keys=True)
                if not whole:
                    key += repr(part[:3])
                    rows = rows if rows is None else _within(self.medium.path, rows, part)
                extractor = extractor_of(stage, recogniser.corpus)
                if key not in self._rows:
                    self._rows[key] = self._made(extractor, modality, part, rows)
                rows = self._rows[key]
                extractor.check(self.medium.path, rows)  # limits may differ where what is made does not
        assert rows is not None
        return recogniser.own_features(name, rows)

    def _made(self, extractor: Any, modality: str, part: Part, rows: Rows | None) -> Rows:
        """Run one extractor on the file, or on a file that holds what is meant of it."""
        path = self.medium.path
        if modality == "text":
            return self._of_text(extractor, part)
        if rows is None and modality == "audio" and not part.whole:
            return self._of_sound(extractor, part)
        made = extractor.extract(Given(self.medium.name, path, rows), self.device)
        assert isinstance(made, Rows)
        return made

    def _of_sound(self, extractor: Any, part: Part) -> Rows:
        """Extract from the sound of a part, written as a file: extractors open files."""
        from scipy.io import wavfile

        sound = self._whole_sound()
        first, last = (round(second * sound.rate_hz) for second in (part.start, part.end or sound.duration))
        signal = sound.signal[first:last]
        if not len(signal):
            raise MediaError(
                f"{self.medium.path}: {sound.duration:.2f} s long, has nothing from {part.start:g} s on"
            )
        _say_if_beyond(self.medium.path, part, sound.duration, BEYOND)
        with tempfile.TemporaryDirectory(prefix="emobed-") as folder:
            path = Path(folder) / f"{self.medium.path.stem}.wav"
            wavfile.write(path, sound.rate_hz, signal)
            try:
                made = extractor.extract(Given(self.medium.name, path), self.device)
            except MediaError as error:
                raise MediaError(str(error).replace(str(path), str(self.medium.path))) from None
        assert isinstance(made, Rows)
        return replace(made, damage=sound.damage)

    def _whole_sound(self) -> Sound:
        if self._sound is None:
            from pipeline.features.audio.sound import read_sound

            self._sound = read_sound(self.medium.path, "any")
        return self._sound

    def _of_text(self, extractor: Any, part: Part) -> Rows:
        """Extract from the words of a table, of a transcript, or of the one beside the file."""
        path = self.medium.path
        with tempfile.TemporaryDirectory(prefix="emobed-") as folder:
            if part.words is not None:
                own = Path(folder) / f"words{TRANSCRIPT}"
                own.write_text(part.words, encoding="utf-8")
            elif not part.whole:
                raise MediaError(f"{path}: a part of it needs its words, expected a column transcript")
            else:
                own = words_of(path)
            made = extractor.extract(Given(self.medium.name, own, None, Words(own)), self.device)
        assert isinstance(made, Rows)
        return made


def _within(path: Path, frames: Rows, part: Part) -> Rows:
    """Return the frames of a part, with its beginning as time 0.

    Raises:
        MediaError: there are none.
    """
    if part.whole:
        return frames
    end = np.inf if part.end is None else part.end
    here = np.flatnonzero((frames.start >= part.start) & (frames.start < end))
    if not len(here):
        raise MediaError(f"{path}: {frames.end[-1]:.2f} s long, has nothing from {part.start:g} s on")
    _say_if_beyond(path, part, float(frames.end[-1]), max(BEYOND, float(np.ptp(frames.end[:2]))))
    return Rows(
        frames.start[here] - part.start,
        np.minimum(frames.end[here], end) - part.start,
        frames.values[here],
        frames.valid[here],
        frames.names,
        frames.damage,
    )


def _say_if_beyond(path: Path, part: Part, duration: float, tolerance: float) -> None:
    """Warn of a part that ends beyond its file: its rows end where the file does."""
    if part.end is not None and part.end > duration + tolerance:
        logger.warning(
            "%s: the part from %g s to %g s ends beyond the file: predicted to its end at %.2f s",
            path,
            part.start,
            part.end,
            duration,
        )


def features_of_nothing(recogniser: Recogniser) -> Mapping[str, Rows]:
    """Return one row of zeros of what a recogniser needs: what it makes of them shows its columns."""
    made = {}
    for name in recogniser.needed:
        names = recogniser.models.features(name)
        values = np.zeros((1, len(names)), np.float32)
        made[name] = Rows(np.zeros(1), np.ones(1), values, np.zeros(1, bool), names)
    return made
