"""`emobed predict RECOGNISER... -` and `--live`: predictions of what comes, a JSON line each."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import typer

from stages.commands.standard_streams import standard_input, standard_output

if TYPE_CHECKING:
    from pipeline.recogniser import Recogniser
    from pipeline.recogniser.live import Input

PIPE = "-"
DEVICES = ("microphone", "camera")


def listen(
    recognisers: Sequence[Path],
    source: str,
    rate: int | None = None,
    channels: int = 1,
    window: float | None = None,
    hop: float | None = None,
    device: str = "cpu",
    enrolment: Any = None,
) -> None:
    """Predict what comes from standard input (`-`), a `microphone` or a `camera`, until it ends.

    source: of a device also which one, `microphone:USB` (its number or a part of its name), `camera:1`. rate,
    channels: of sound without a header; of a microphone what it is asked for. window, hop: seconds, of
    recognisers of utterances. device: of the networks. enrolment: what is known of the speaker.

    Raises:
        RecogniserError, InputError, MediaError: in one sentence what cannot be used.
        typer.Exit: 130 after Ctrl-C.
        typer.BadParameter: an unknown source.
    """
    from pipeline.recogniser import Recogniser
    from pipeline.recogniser.live import OutputError, predict_live

    kind, _, which = source.partition(":")
    if source != PIPE and kind not in DEVICES:
        raise typer.BadParameter(f"found {source}, expected {' or '.join(DEVICES)}", param_hint="--live")
    output = standard_output()
    loaded = [Recogniser.load(path, device=device) for path in recognisers]
    _require_one_modality(loaded, "video" if kind == "camera" else "audio")
    given = _input(kind, which or None, rate, channels)
    try:
        streams = {
            path.name: own.stream(given.rate, window=window, hop=hop, enrolment=enrolment)
            for path, own in zip(recognisers, loaded, strict=True)
        }
        step = min(hop or own.corpus.grid.hop or 1.0 for own in loaded)
        predict_live(streams, given, output, _say, step)
    except KeyboardInterrupt:
        _say("stopped by Ctrl-C")
        raise typer.Exit(130) from None
    except (BrokenPipeError, OutputError) as error:
        # what is left would be written when Python ends, which would complain once more
        os.dup2(os.open(os.devnull, os.O_WRONLY), output.fileno())
        if isinstance(error, OutputError):
            raise
    finally:
        given.close()


def _require_one_modality(recognisers: Sequence[Recogniser], modality: str) -> None:
    """Refuse recognisers that need another modality than the device gives.

    Raises:
        RecogniserError: one does.
    """
    from pipeline.params import modality_of
    from pipeline.recogniser import RecogniserError

    gives = {"audio": "sound", "video": "pictures"}[modality]
    for own in recognisers:
        if {modality_of(name) for name in own.needed} != {modality}:
            raise RecogniserError(
                f"{own.folder}: predicts from {' and '.join(own.needed)}, and what comes is {gives}"
            )


def _input(kind: str, which: str | None, rate: int | None, channels: int) -> Input:
    from pipeline.recogniser.live_inputs import CameraInput, MicrophoneInput, PipeInput

    if kind == PIPE:
        return PipeInput(standard_input(), rate, channels)
    return CameraInput(which) if kind == "camera" else MicrophoneInput(which, rate, channels)


def _say(sentence: str) -> None:
    typer.echo(f"predict: {sentence}", err=True)
