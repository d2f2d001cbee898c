"""A file that somebody sent -> what all recognisers say of it, made in a process that may die or hang.

Decoders are C code that reads other people's bytes: what they do to their process, or how long they take,
is no harm to the server (`pipeline.running.guarded`). The process keeps the recognisers it has loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.predicting.medium import Medium, Part
from pipeline.predicting.parts import Features
from pipeline.predicting.work import loaded
from pipeline.running.errors import unusable
from pipeline.running.guarded import Lost, run_here
from pipeline.serving.answers import Predicted, said_of
from pipeline.serving.fusions import Together

if TYPE_CHECKING:
    from pipeline.recogniser.enrolment import Enrolment
    from pipeline.recogniser.prediction import Prediction
    from pipeline.recogniser.recogniser import Recogniser


class PredictionError(Exception):
    """Report a file that no recogniser can predict: a sentence."""


@dataclass(frozen=True)
class Task:
    """What is the same for all files.

    folders, names: of the recognisers. device: of networks that make features. enrolment: what is known of
    the speaker of all files; None: nothing. fusions: of the recognisers.
    """

    folders: tuple[Path, ...]
    names: tuple[str, ...]
    device: str
    enrolment: Enrolment | None = None
    fusions: tuple[Together, ...] = ()


def predict_apart(task: Task, path: Path, limit: float) -> list[Predicted]:
    """Predict a file with recognisers, in a process of its own; limit: seconds.

    Raises:
        PredictionError: its process was lost.
    """
    found: list[Predicted] = apart(predict, (task,), path, limit)
    return found


def load_apart(folders: Sequence[Path], device: str, limit: float) -> None:
    """Load recognisers in the process that will predict.

    Raises:
        RecogniserError: one cannot be used.
        PredictionError: the process was lost.
    """
    apart(_load, (device,), tuple(folders), limit)


def apart(function: Callable[..., Any], common: tuple[Any, ...], task: Any, limit: float) -> Any:
    """Return `function(*common, task)`, done in a process that may die or take too long.

    Raises:
        PredictionError: it did.
    """
    (found,) = run_here(function, common, [task], workers=1, time_limit=limit)
    if isinstance(found, Lost):
        slow = found.reason.startswith("took longer")
        raise PredictionError(f"took longer than {limit:g} s" if slow else found.reason)
    return found


def _load(device: str, folders: Sequence[Path]) -> None:
    for folder in folders:
        loaded(folder, device)


def predict(task: Task, path: Path) -> list[Predicted]:
    """Return what each recogniser says, and then each fusion whose members all said something.

    Features that recognisers share are made once.
    """
    features = None
    predictions: list[Prediction | None] = []
    said = []
    for name, folder in zip(task.names, task.folders, strict=True):
        recogniser = loaded(folder, task.device)
        features = features or Features(Medium(path.name, path), recogniser.device)
        found = _prediction(recogniser, features, task.enrolment)
        predictions.append(None if isinstance(found, str) else found)
        if isinstance(found, str):
            said.append(Predicted(recogniser=name, error=_without(path, found)))
        else:
            table = found.table("", recogniser.dimension, recogniser.classes)
            said.append(Predicted(recogniser=name, **said_of(table)))
    together = ((each, each.of(predictions)) for each in task.fusions)
    return said + [Predicted(recogniser=each.about.name, **own) for each, own in together if own is not None]


def _prediction(recogniser: Recogniser, features: Features, enrolment: Enrolment | None) -> Prediction | str:
    """Return a prediction, or why there is none."""
    from pipeline.features.extractor import NotReadyError
    from pipeline.features.media.opening import MediaError

    try:
        return recogniser.predict_rows(features.of(recogniser, Part()), speaker_for(recogniser, enrolment))
    except (MediaError, NotReadyError, ValueError) as error:
        return str(error)
    except Exception as error:  # noqa: BLE001  (other people's bytes; the other recognisers may read them)
        return unusable(error)


def speaker_for(recogniser: Recogniser, enrolment: Enrolment | None) -> Enrolment | None:
    """Return what a recogniser takes of the speaker: nothing where it does not scale by speaker."""
    return enrolment if recogniser.models.by_speaker else None


def _without(path: Path, sentence: str) -> str:
    """Return a sentence without the place where a file lies here, which is nobody's business."""
    return sentence.replace(f"{path}: ", "").removeprefix(f"{path.name}: ").replace(str(path), "the file")
