"""A file that somebody sent -> what all recognisers say of it, made in a process that may die or hang.

Decoders are C code that reads other people's bytes: what they do to their process, or how long they take,
is no harm to the server (`pipeline.running.guarded`). The process keeps the recognisers it has loaded.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from pipeline.running.errors import unusable
from pipeline.running.guarded import Lost, run_here
from pipeline.serving.answers import Predicted, rows_of

if TYPE_CHECKING:
    from pipeline.recogniser import Recogniser

DOMAIN = "out_of_domain"
"""The column that is the same in all rows of a recording."""


class PredictionError(Exception):
    """Report a file that no recogniser can predict: a sentence."""


def predict_apart(
    folders: Sequence[Path], names: Sequence[str], device: str, path: Path, limit: float
) -> list[Predicted]:
    """Predict a file with recognisers, in a process of its own.

    names: of the recognisers in what is returned. limit: seconds.

    Raises:
        PredictionError: its process was lost.
    """
    found = _apart(predict, (tuple(folders), device), path, limit)
    return [Predicted(recogniser=name, **each) for name, each in zip(names, found, strict=True)]


def load_apart(folders: Sequence[Path], device: str, limit: float) -> None:
    """Load recognisers in the process that will predict.

    Raises:
        RecogniserError: one cannot be used.
        PredictionError: the process was lost.
    """
    _apart(_load, (device,), tuple(folders), limit)


def _apart(function: Callable[..., Any], common: tuple[Any, ...], task: Any, limit: float) -> Any:
    (found,) = run_here(function, common, [task], workers=1, time_limit=limit)
    if isinstance(found, Lost):
        slow = found.reason.startswith("took longer")
        raise PredictionError(f"took longer than {limit:g} s" if slow else found.reason)
    return found


def _load(device: str, folders: Sequence[Path]) -> None:
    for folder in folders:
        loaded(folder, device)


def predict(folders: Sequence[Path], device: str, path: Path) -> list[dict[str, Any]]:
    """Return the fields of `Predicted`, without the name, for each recogniser."""
    return [_predicted(loaded(folder, device), path) for folder in folders]


def _predicted(recogniser: Recogniser, path: Path) -> dict[str, Any]:
    from pipeline.features.extractor import NotReadyError
    from pipeline.features.media.opening import MediaError

    try:
        table = recogniser.predict(path)
    except (MediaError, NotReadyError, ValueError) as error:
        return {"error": _without(path, str(error))}
    except Exception as error:  # noqa: BLE001  (other people's bytes; the other recognisers may read them)
        return {"error": _without(path, unusable(error))}
    rows = rows_of(table.drop(columns=DOMAIN, errors="ignore"))
    return {"rows": rows} | ({DOMAIN: float(table[DOMAIN].iloc[0])} if DOMAIN in table and rows else {})


def _without(path: Path, sentence: str) -> str:
    """Return a sentence without the place where a file lies here, which is nobody's business."""
    return sentence.replace(f"{path}: ", "").replace(str(path), "the file")


@lru_cache
def loaded(folder: Path, device: str) -> Recogniser:
    """Return a recogniser, read once by each process."""
    from pipeline.recogniser import Recogniser

    return Recogniser.load(folder, device=device)
