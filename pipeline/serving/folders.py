"""Folders of recognisers as an application serves them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Self

from pipeline.predicting.run import facts_of
from pipeline.predicting.work import loaded
from pipeline.recogniser.description import Description
from pipeline.recogniser.error import RecogniserError
from pipeline.recogniser.file_features import require_stages
from pipeline.recogniser.folder import read_folder
from pipeline.serving.answers import About, Fusion, Predicted
from pipeline.serving.fusions import together
from pipeline.serving.predictions import Task, load_apart, predict_apart, speaker_for
from pipeline.serving.served import Stream
from pipeline.serving.streams import LiveTimes, Streams, named_stream

if TYPE_CHECKING:
    from pipeline.recogniser.enrolment import Enrolment

RATE_HZ = 16_000
"""Rate of the sound with which it is tried whether recognisers can be live."""


@dataclass(frozen=True)
class Folders:
    """Recognisers by the folders that they lie in.

    about: what is said of them; whether they can be live is known when they are loaded. task: what
    predictions of files share. times: of live recognisers of utterances. pictures_hz: that live ones see.
    """

    about: tuple[About, ...]
    task: Task
    times: LiveTimes
    pictures_hz: float = 0.0

    @classmethod
    def read(
        cls,
        folders: Sequence[Path],
        device: str = "cpu",
        enrolment: Enrolment | None = None,
        times: LiveTimes = LiveTimes(),  # noqa: B008  (it never changes)
    ) -> Self:
        """Read what recognisers say of themselves; nothing is loaded yet.

        enrolment: what is known of everybody's speaker. times: of live recognisers of utterances.

        Raises:
            RecogniserError: one cannot be used or reads what no file has, or two have one name.
        """
        described = [read_folder(folder) for folder in folders]
        for folder, own in zip(folders, described, strict=True):
            try:
                require_stages(own.made_corpus, own.needed)
            except RecogniserError as error:
                raise RecogniserError(f"{folder}: {error}") from None
        names = _names(described)
        about = tuple(_about(name, own) for name, own in zip(names, described, strict=True))
        fusions = together([facts_of(own) for own in described], names)
        places = tuple(folder.absolute() for folder in folders)
        return cls(about, Task(places, tuple(names), device, enrolment, fusions), times)

    @property
    def fusions(self) -> tuple[Fusion, ...]:
        """Return the late fusions of recognisers."""
        return tuple(each.about for each in self.task.fusions)

    def load(self, limit: float) -> Self:
        """Load the recognisers, so that nobody waits for it later: where files will be predicted, and here.

        Returns the same with what is now known: which of them can be live, and why others cannot.

        Raises:
            RecogniserError: one cannot be used.
            PredictionError: the process that predicts files was lost.
        """
        load_apart(self.task.folders, self.task.device, limit)
        about, rates = [], [0.0]
        for one, folder in zip(self.about, self.task.folders, strict=True):
            recogniser = loaded(folder, self.task.device)
            utterances = one.hop is None
            try:
                with named_stream(one, recogniser, RATE_HZ, self.times, self._speaker(folder)):
                    pass
            except RecogniserError as error:
                sentence = str(error).replace(f"{folder}: ", "")
                about.append(one.model_copy(update={"live": False, "not_live": sentence}))
                continue
            own = self.times.of(one, recogniser)
            times = {"live_window": own.window, "live_hop": own.hop} if utterances else {}
            about.append(one.model_copy(update={"live": True, "not_live": None, **times}))
            if one.sees:
                rates.append(recogniser.corpus.video.faces.frame_rate_hz)
        return replace(self, about=tuple(about), pictures_hz=max(rates))

    def predict(self, path: Path, limit: float) -> list[Predicted]:
        """Predict a file within `limit` seconds.

        Raises:
            PredictionError: the process that did it was lost.
        """
        return predict_apart(self.task, path, limit)

    def stream(self, rate_hz: int | None, pictures: bool = False) -> Stream:
        """Begin to predict what comes with the recognisers that need no more.

        rate_hz: of sound; None: none comes. pictures: whether they come.

        Raises:
            RecogniserError: none can.
        """
        streams = {}
        for one, folder in zip(self.about, self.task.folders, strict=True):
            if one.live and (not one.hears or rate_hz is not None) and (not one.sees or pictures):
                recogniser = loaded(folder, self.task.device)
                streams[one.name] = named_stream(one, recogniser, rate_hz, self.times, self._speaker(folder))
        if not streams:
            given = " and ".join(["sound"] * (rate_hz is not None) + ["pictures"] * pictures)
            reasons = [f"{one.name}: {one.not_live}" for one in self.about if one.not_live]
            raise RecogniserError(
                f"no recogniser here predicts from {given} as it comes; send a recording to /predict"
                + "".join(f"; {reason}" for reason in reasons)
            )
        return Streams(streams)

    def _speaker(self, folder: Path) -> Enrolment | None:
        return speaker_for(loaded(folder, self.task.device), self.task.enrolment)


def _names(described: Sequence[Description]) -> list[str]:
    """Return what recognisers are called: their experiments, with the corpus where two have one name."""
    count = Counter(own.name for own in described)
    names = [own.name if count[own.name] == 1 else f"{own.corpus}/{own.name}" for own in described]
    for name, times in Counter(names).items():
        if times > 1:
            raise RecogniserError(f"{name} is there {times} times, expected each recogniser once")
    return names


def _about(name: str, own: Description) -> About:
    corpus = own.made_corpus
    return About(
        name=name,
        dimension=own.dimension,
        task=own.task,
        classes=list(own.classes),
        modality=own.needed[0],
        needed=list(own.needed),
        hop=corpus.grid.hop,
        live=False,
    )
