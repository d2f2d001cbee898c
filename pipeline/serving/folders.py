"""Folders of recognisers as an application serves them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from pipeline.recogniser.description import Description
from pipeline.recogniser.error import RecogniserError
from pipeline.recogniser.folder import read_folder
from pipeline.serving.answers import About, Predicted
from pipeline.serving.predictions import load_apart, predict_apart
from pipeline.serving.served import Stream


@dataclass(frozen=True)
class Folders:
    """Recognisers by the folders that they lie in. device: of networks that make features."""

    folders: tuple[Path, ...]
    about: tuple[About, ...]
    device: str = "cpu"

    @classmethod
    def read(cls, folders: Sequence[Path], device: str = "cpu") -> Folders:
        """Read what recognisers say of themselves; nothing is loaded yet.

        Raises:
            RecogniserError: one cannot be used, or two have one name.
        """
        described = [read_folder(folder) for folder in folders]
        names = _names(described)
        about = tuple(_about(name, own) for name, own in zip(names, described, strict=True))
        return cls(tuple(folder.absolute() for folder in folders), about, device)

    def load(self, limit: float) -> None:
        """Load the recognisers where they will predict, so that nobody waits for it later.

        Raises:
            RecogniserError: one cannot be used.
            PredictionError: the process that did it was lost.
        """
        load_apart(self.folders, self.device, limit)

    def predict(self, path: Path, limit: float) -> list[Predicted]:
        """Predict a file within `limit` seconds.

        Raises:
            PredictionError: the process that did it was lost.
        """
        names = [one.name for one in self.about]
        return predict_apart(self.folders, names, self.device, path, limit)

    def stream(self, rate_hz: int) -> Stream:
        """Begin to predict sound of a rate, with the recognisers that can.

        Raises:
            RecogniserError: none can.
        """
        raise RecogniserError("no recogniser here predicts sound as it comes; send a recording to /predict")


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
